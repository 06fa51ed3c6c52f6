//! Float network and integers, prepared for the same samples.

use crate::stimulus::Stimuli;
use snnc_ir::arena::{NodeId, PopId};
use snnc_ir::network::{Network, Op};
use snnc_ir::quantized::QuantizedNetwork;
use snnc_ir::spikes::SpikeTrain;
use snnc_passes::fold_integers::{Fold, Part};
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::{SimError, Stimulus, batch};
use std::borrow::Cow;
use std::ops::Range;

/// Both simulators.
pub(super) struct Sides<'n> {
    /// The float network.
    pub(super) float: FloatSim<'n>,
    /// The integers.
    pub(super) quantized: IntSim<'n>,
    /// Inputs of both sides as positions in the stimuli.
    feeds: [Vec<usize>; 2],
    /// Populations of neurons, causes before their effects within a step.
    pub(super) populations: Vec<Counterpart>,
    /// Populations of graded relays in the same order.
    pub(super) relays: Vec<PopId>,
}

/// A population of neurons on both sides.
#[derive(Clone, Debug)]
pub(super) struct Counterpart {
    pub(super) name: String,
    pub(super) node: NodeId,
    pub(super) id: PopId,
    pub(super) size: usize,
    /// Its first neuron in the populations of both sides.
    pub(super) first: [usize; 2],
    /// Spikes that the refractory time allows a neuron in a sample.
    pub(super) most: u64,
}

impl Counterpart {
    /// The spikes of its neurons, given those of the population that they belong to on side `side`.
    pub(super) fn own<'t>(&self, side: usize, train: &'t SpikeTrain) -> Cow<'t, SpikeTrain> {
        let first = self.first[side];
        if first == 0 && train.neurons() == self.size {
            return Cow::Borrowed(train);
        }
        Cow::Owned(train.part(first..first + self.size))
    }
}

impl<'n> Sides<'n> {
    /// Pairs the populations by name; one that others were folded into is the counterpart of all of them, or its
    /// neurons are.
    ///
    /// # Errors
    /// [`SimError::Unmatched`] for a population of neurons that one side does not have, or an input that
    /// has no samples; what the simulators reject.
    pub(super) fn new(
        network: &'n Network,
        quantized: &'n QuantizedNetwork,
        stimuli: &Stimuli,
        folds: &[Fold],
    ) -> Result<Self, SimError> {
        let float = FloatSim::new(network)?;
        let integers = IntSim::new(quantized)?;
        let of_integers =
            integers.inputs().iter().map(|&id| quantized.populations[id].name.as_str());
        let feeds = [float_feed(&float, stimuli)?, feed(of_integers, stimuli)?];
        let (mut populations, mut relays) = (Vec::new(), Vec::new());
        for &id in integers.order() {
            let population = &quantized.populations[id];
            if population.graded().is_some() {
                relays.push(id);
            } else if population.neuron().is_some() {
                for part in Fold::parts(folds, &population.name, population.size()) {
                    populations.push(counterpart(network, folds, part, id)?);
                }
            }
        }
        let paired = |id: NodeId| populations.iter().any(|p| p.node == id);
        let mut neurons = network.nodes.iter().filter(|(_, n)| matches!(n.op, Op::Neuron(_)));
        match neurons.find(|(id, _)| !paired(*id)) {
            Some((_, node)) => Err(SimError::Unmatched { name: node.name.clone(), side: "float" }),
            None => Ok(Self { float, quantized: integers, feeds, populations, relays }),
        }
    }

    /// A sample as each side takes it.
    pub(super) fn stimulus(
        &self,
        stimuli: &Stimuli,
        sample: usize,
    ) -> Result<[Stimulus; 2], SimError> {
        let stimulus = stimuli.stimulus(sample)?;
        Ok(self.feeds.each_ref().map(|feed| arrange(&stimulus, feed)))
    }
}

/// The counterpart of some neurons of population `id`: those of the same name in the float network, where they may
/// be a part already.
fn counterpart(
    network: &Network,
    folds: &[Fold],
    part: Part,
    id: PopId,
) -> Result<Counterpart, SimError> {
    let Part { name, neurons } = part;
    let found = network.nodes.iter().find_map(|(node, n)| {
        let Op::Neuron(neuron) = &n.op else { return None };
        let parts = Fold::parts_of_whole(folds, &n.name, n.shape.size());
        let own = parts.into_iter().find(|own| own.name == name)?;
        Some((node, neuron, own.neurons.start))
    });
    let Some((node, neuron, of_float)) = found else {
        return Err(SimError::Unmatched { name, side: "quantized" });
    };
    let most = u64::from(network.steps).div_ceil(u64::from(neuron.refractory) + 1);
    let (size, first) = (neurons.len(), [of_float, neurons.start]);
    Ok(Counterpart { name, node, id, size, first, most })
}

/// Positions in the stimuli of the inputs of a float network.
pub(super) fn float_feed(sim: &FloatSim<'_>, stimuli: &Stimuli) -> Result<Vec<usize>, SimError> {
    let nodes = &sim.network().nodes;
    feed(sim.inputs().iter().map(|&id| nodes[id].name.as_str()), stimuli)
}

fn feed<'a>(
    inputs: impl Iterator<Item = &'a str>,
    stimuli: &Stimuli,
) -> Result<Vec<usize>, SimError> {
    let position = |name: &str| {
        let found = stimuli.input_names().position(|known| known == name);
        found.ok_or_else(|| SimError::Unmatched { name: name.to_owned(), side: "network's" })
    };
    inputs.map(position).collect()
}

/// The signals of the inputs at these positions.
pub(super) fn arrange(stimulus: &Stimulus, feed: &[usize]) -> Stimulus {
    Stimulus { inputs: feed.iter().map(|&at| stimulus.inputs[at].clone()).collect() }
}

/// Applies `f` to contiguous parts of the samples, one per processor, and returns the results in
/// order. Whoever joins them has to see to it that it does not matter where the parts begin.
///
/// # Errors
/// The error of the first part that has one; `f` names the sample.
pub(super) fn in_parts<T: Send>(
    samples: Range<usize>,
    f: impl Fn(Range<usize>) -> Result<T, SimError> + Sync + Send,
) -> Result<Vec<T>, SimError> {
    let size = samples.len().div_ceil(rayon::current_num_threads().max(1)).max(1);
    let part = |first| first..samples.end.min(first + size);
    let parts: Vec<Range<usize>> = samples.clone().step_by(size).map(part).collect();
    batch::map(&parts, |part| f(part.clone())).map_err(|error| match error {
        // What `map` adds is the number of the part.
        SimError::Sample { source, .. } => *source,
        other => other,
    })
}

/// Says which sample failed, by its number in the file.
pub(super) fn at_sample<T>(
    stimuli: &Stimuli,
    sample: usize,
    result: Result<T, SimError>,
) -> Result<T, SimError> {
    let index = stimuli.first() + sample;
    result.map_err(|source| SimError::Sample { index, source: Box::new(source) })
}
