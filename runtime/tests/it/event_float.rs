//! The event-driven float simulator against the definition: results and errors are equal, bit for bit.

use crate::common::float_net::{random, stimulus};
use crate::common::{Rng, space};
use proptest::prelude::*;
use snnc_ir::level::{Level, Rules};
use snnc_ir::network::{Network, Op};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::testing::network;
use snnc_runtime::float::{FloatProbe, FloatRun, FloatSim};
use snnc_runtime::{Signal, SimError, Stimulus, event};

/// A run with floats as bits, so that signs of zeros and NaNs count.
fn bits(run: Result<FloatRun, SimError>) -> Result<(FloatRun, Vec<u64>), SimError> {
    let mut run = run?;
    let mut bits: Vec<u64> = run.scores.iter().map(|s| s.to_bits()).collect();
    for trace in &mut run.traces {
        for x in trace.h.iter().chain(&trace.v) {
            bits.push(x.to_bits().into());
        }
        // Compared above; a NaN is not equal to itself.
        trace.h.clear();
        trace.v.clear();
    }
    for train in run.messages.values() {
        for t in 0..train.steps() {
            bits.extend(train.step(t).iter().map(|(_, m)| u64::from(m.to_bits())));
        }
    }
    run.scores.clear();
    Ok((run, bits))
}

fn same(network: &Network, stimulus: &Stimulus) -> Result<(), TestCaseError> {
    let (definition, fast) = (FloatSim::new(network), event::float::FloatSim::new(network));
    let (definition, fast) = match (definition, fast) {
        (Ok(definition), Ok(fast)) => (definition, fast),
        (definition, fast) => {
            prop_assert_eq!(definition.err(), fast.err());
            return Ok(());
        }
    };
    prop_assert_eq!(definition.inputs(), fast.inputs());
    prop_assert_eq!(definition.order(), fast.order());
    prop_assert_eq!(definition.check(stimulus), fast.check(stimulus));
    for probe in [FloatProbe::All, FloatProbe::None] {
        let (found, expected) = (fast.run(stimulus, &probe), definition.run(stimulus, &probe));
        prop_assert_eq!(bits(found), bits(expected));
    }
    watched(&definition, &fast, stimulus)
}

/// Membranes that are watched are those that are kept.
fn watched(
    definition: &FloatSim<'_>,
    fast: &event::float::FloatSim<'_>,
    stimulus: &Stimulus,
) -> Result<(), TestCaseError> {
    let mut seen: Vec<(usize, Vec<[u32; 2]>)> = Vec::new();
    let run = fast.watch(stimulus, &FloatProbe::All, &mut |t, membranes| {
        seen.push((t, membranes.iter().map(|m| m.map(f32::to_bits)).collect()));
    });
    let Ok(kept) = definition.run(stimulus, &FloatProbe::All) else {
        prop_assert!(run.is_err());
        return Ok(());
    };
    let steps = kept.traces.first().map_or(0, |trace| trace.h.len());
    let step =
        |t: usize| (t, kept.traces.iter().map(|x| [x.h[t], x.v[t]].map(f32::to_bits)).collect());
    prop_assert_eq!(seen, (0..steps).map(step).collect::<Vec<_>>());
    prop_assert_eq!(run.unwrap().spikes, kept.spikes);
    Ok(())
}

/// Rounds all tensors to a grid of `2^-places`: sums become exact.
fn round(network: Network, places: i32) -> Network {
    let mut draft = network.into_draft();
    let scale = 2.0_f32.powi(places);
    let ids: Vec<_> = draft.tensors.ids().collect();
    for id in ids {
        draft.tensors[id].data.iter_mut().for_each(|x| *x = (*x * scale).round() / scale);
    }
    Network::verify(draft, &Rules::default()).unwrap_or_else(|e| panic!("{e}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Small networks that shrink, of every space.
    #[test]
    fn generated_networks_run_alike(draft in space().prop_flat_map(network), seed: u64) {
        let Ok(network) = Network::verify(draft, &Rules::default()) else {
            return Err(TestCaseError::fail("the generator makes valid networks"));
        };
        let stimulus = stimulus(&network, &mut Rng(seed));
        same(&network, &stimulus)?;
    }

    /// Larger ones, with weights as drawn (mostly rounded sums) and on a grid (mostly exact ones).
    #[test]
    fn random_networks_run_alike(seed: u64, places in prop::option::of(0..9)) {
        let rng = &mut Rng(seed);
        let network = random(rng);
        let stimulus = stimulus(&network, rng);
        same(&match places { Some(p) => round(network, p), None => network }, &stimulus)?;
    }

    /// Stimuli that do not fit are refused alike.
    #[test]
    fn errors_of_stimuli_are_the_same(seed: u64, wrong in 0_usize..3) {
        let rng = &mut Rng(seed);
        let network = random(rng);
        let mut stimulus = stimulus(&network, rng);
        match wrong {
            0 => stimulus.inputs.clear(),
            1 => stimulus.inputs[0] = Signal::Frame(vec![f32::INFINITY]),
            _ => stimulus.inputs[0] = Signal::Spikes(SpikeTrain::new(1, 1)),
        }
        same(&network, &stimulus)?;
    }
}

/// The generator reaches sums in integers and sums in floats, from spikes and from other values.
#[test]
fn random_networks_are_summed_both_ways() {
    let (mut exact, mut inexact, mut all) = (0, 0, 0);
    for seed in 0..200 {
        let network = random(&mut Rng(seed));
        let network = if seed % 2 == 0 { round(network, 6) } else { network };
        let (found, weighted) = event::float::FloatSim::new(&network).unwrap().exact();
        let nodes = network.nodes.values();
        let expected = nodes.filter(|n| matches!(n.op, Op::Linear { .. } | Op::Conv2d { .. }));
        assert_eq!(weighted, expected.count());
        exact += found;
        inexact += weighted - found;
        all += usize::from(found == weighted);
    }
    assert!(exact > 100 && inexact > 100 && all > 30, "{exact} {inexact} {all}");
}
