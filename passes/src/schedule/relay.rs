//! Path balancing: synaptic delays and chains of relays.

use super::Builder;
use crate::quantize::matrix::derived;
use snnc_ir::arena::{MatId, PopId};
use snnc_ir::network::{Compare, UpdateOrder};
use snnc_ir::quantized::{
    Graded, IntNeuron, IntReset, PopKind, Population, Projection, QuantizedDraft, Role, Structure,
};
use snnc_ir::{Entity, Param};
use std::collections::BTreeMap;

/// A neuron that fires in the step in which its one input arrives, and is at rest otherwise.
///
/// The threshold is one unit, the weight two; without an input the membrane is 0 and stays there,
/// and after a spike it is reset to 0, so the residue that `dv = 4095` would leave never exists. It is
/// never below 0, so a floor changes nothing: it has that of the network's neurons ([`common_floor`]),
/// beside which it may lie on a core that stores one.
pub(super) fn relay_neuron(floor: Option<i32>) -> IntNeuron {
    IntNeuron {
        du: Param::Uniform(4095),
        dv: Param::Uniform(4095),
        threshold: Param::Uniform(64),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: floor.map(Param::Uniform),
    }
}

/// The floor that all neurons of a network have, if they have one and the same.
pub(super) fn common_floor(draft: &QuantizedDraft) -> Option<i32> {
    let mut neurons = draft.populations.values().filter_map(Population::neuron);
    let first = *neurons.next()?.floor.as_ref()?.values().first()?;
    let same = |neuron: &IntNeuron| {
        neuron.floor.as_ref().is_some_and(|floor| floor.values().iter().all(|f| *f == first))
    };
    draft.populations.values().filter_map(Population::neuron).all(same).then_some(first)
}

/// What repeats a population of this kind one step later, and the weight that drives it.
fn repeater(of: &PopKind, floor: Option<i32>) -> (PopKind, i16) {
    match of {
        PopKind::Graded(Graded { keep, .. }) => {
            (PopKind::Graded(Graded { keep: *keep, bias: Param::Uniform(0), shift: 0 }), 1)
        }
        PopKind::Input(_) | PopKind::Neurons(_) => {
            (PopKind::Neurons(relay_neuron(floor)), NEURON_WEIGHT)
        }
    }
}

/// Weight that makes a [`relay_neuron`] fire.
pub(super) const NEURON_WEIGHT: i16 = 2;

/// The one-to-one matrix that drives relays with this weight.
pub(super) fn relay_matrix(builder: &mut Builder, size: usize, weight: i16) -> MatId {
    let structure = Structure::Identity {
        size: u32::try_from(size).expect("a population has fewer than 2^32 neurons"),
    };
    builder.intern(derived("relay".to_owned(), structure, vec![weight], "schedule", vec![]))
}

/// Gives every projection its hardware delay, through relays where a synapse cannot hold it.
pub(super) fn balance(builder: &mut Builder) {
    let mut chains: BTreeMap<PopId, Vec<PopId>> = BTreeMap::new();
    let projections = builder.draft.projections.ids().collect::<Vec<_>>();
    for id in projections {
        let Projection { source, target, delay, .. } = builder.draft.projections[id];
        let latency = |p: PopId| i64::from(builder.latency[p.index()]);
        let steps =
            i64::from(builder.period) * i64::from(delay) + latency(target) - latency(source);
        let steps = u32::try_from(steps).expect("the timing makes every delay at least 1");
        let hops = (steps - 1).saturating_sub(builder.max_delay);
        let head = relay(builder, &mut chains, source, hops);
        let projection = &mut builder.draft.projections[id];
        projection.source = head;
        projection.delay = steps - hops;
    }
}

/// The population that repeats `source` after `hops` steps; extends its chain as needed.
fn relay(
    builder: &mut Builder,
    chains: &mut BTreeMap<PopId, Vec<PopId>>,
    source: PopId,
    hops: u32,
) -> PopId {
    let chain = chains.entry(source).or_default();
    for hop in 1..=hops {
        if chain.len() >= hop as usize {
            continue;
        }
        let before = chain.last().copied().unwrap_or(source);
        let of = &builder.draft.populations[source];
        let (shape, size) = (of.shape.clone(), of.size());
        let (kind, weight) = repeater(&of.kind, builder.floor);
        let name = builder.free_name(format!("{}+{hop}", of.name));
        let latency = builder.latency[source.index()] + hop;
        let population =
            Population { name, shape, role: Role::Relay { of: source, hops: hop }, kind };
        let id = builder.add_population(population, latency);
        let matrix = relay_matrix(builder, size, weight);
        builder.draft.projections.push(Projection { source: before, target: id, matrix, delay: 1 });
        builder.relays += size;
        chain.push(id);
    }
    hops.checked_sub(1).map_or(source, |i| chain[i as usize])
}
