//! Running a part of the network in integers, and counting where its spikes differ.

use super::cut::Cut;
use super::layers::Layer;
use super::reference::{Reference, Trains, cost};
use super::work::{self, Work};
use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::network::NetworkDraft;
use snnc_ir::quantized::QuantizedNetwork;
use snnc_ir::recipe::Recipe;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostics, Level, Rules, TargetSpec};
use snnc_passes::quantize::{self, Applied};
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::integer::{IntProbe, IntRun};
use snnc_runtime::{Stimulus, batch};
use std::collections::BTreeSet;

/// A part of the network, with what it is given and what it should send.
pub(super) struct Bench<'a> {
    /// The part.
    pub(super) cut: Cut,
    target: &'a TargetSpec,
    stimuli: Vec<Stimulus>,
    /// Populations that are compared.
    live: Vec<Goal<'a>>,
    reference: &'a Reference,
    /// Units of work of one run of all samples.
    pub(super) cost: u64,
}

/// What a population should send.
struct Goal<'a> {
    layer: &'a Layer,
    trains: &'a [SpikeTrain],
}

/// What a recipe does to a part.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// The recipe, complete.
    pub(super) recipe: Recipe,
    /// By population, with its name.
    pub(super) counts: Vec<(String, Counts)>,
    /// What is predicted, if the part has the readout.
    pub(super) predictions: Option<Predictions>,
}

/// Predictions of all samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Predictions {
    /// Equal to those of the float network.
    pub(super) same: usize,
    /// Correct, if there are labels.
    pub(super) correct: Option<usize>,
}

/// Spikes of a population in both networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Spikes that only one side has, by row.
    pub(super) rows: Vec<u64>,
    /// Spikes of both sides.
    pub(super) spikes: u64,
}

impl Counts {
    /// Spikes that only one side has.
    pub(super) fn differing(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// Differing spikes over the spikes of both sides.
    #[expect(clippy::cast_precision_loss, reason = "statistics need no more than 53 bits")]
    pub(super) fn distance(&self) -> f64 {
        self.differing() as f64 / self.spikes.max(1) as f64
    }

    fn add(&mut self, other: &Self) {
        self.rows.resize(self.rows.len().max(other.rows.len()), 0);
        self.rows.iter_mut().zip(&other.rows).for_each(|(a, b)| *a += b);
        self.spikes += other.spikes;
    }
}

impl<'a> Bench<'a> {
    /// The populations `live` of `network`; what comes from outside is as in
    /// `trains`, or else as in the float network.
    pub(super) fn new(
        network: &NetworkDraft,
        target: &'a TargetSpec,
        layers: &'a [Layer],
        live: &BTreeSet<NodeId>,
        reference: &'a Reference,
        trains: &Trains,
    ) -> Self {
        let cut = Cut::new(network, live);
        let inputs = cut.inputs();
        let stimulus = |sample| {
            let signals = inputs.iter().filter_map(|&id| reference.signal(id, sample, trains));
            Stimulus { inputs: signals.collect() }
        };
        let origin = |id: NodeId| cut.origin[id.index()];
        let cost = cost(&cut.network, origin, reference, trains);
        let live = layers
            .iter()
            .filter(|l| live.contains(&l.node))
            .filter_map(|layer| Some(Goal { layer, trains: reference.trains.get(&layer.node)? }));
        Self {
            target,
            stimuli: (0..reference.samples).map(stimulus).collect(),
            live: live.collect(),
            reference,
            cut,
            cost,
        }
    }

    /// Quantizes the part by `recipe` and runs it. `None` if the target cannot hold that, or a register
    /// leaves its range.
    pub(super) fn run(&self, recipe: &Recipe, work: &mut Work<'_>) -> Option<Trial> {
        work.spend(self.cost);
        let count = |sim: &IntSim<'_>, sample: usize, run: &IntRun| {
            let counts = self.live.iter().map(|goal| {
                let id = sim.network().population_named(&goal.layer.name);
                let train = id.map(|id| &run.spikes[id.index()]);
                train.map(|t| compared(goal.layer, &goal.trains[sample], t)).unwrap_or_default()
            });
            (counts.collect::<Vec<_>>(), run.class())
        };
        let (recipe, samples) = self.simulate(self.apply(recipe, work)?, count)?;
        let mut counts = vec![Counts::default(); self.live.len()];
        for (of_sample, _) in &samples {
            counts.iter_mut().zip(of_sample).for_each(|(sum, counts)| sum.add(counts));
        }
        let names = self.live.iter().map(|g| g.layer.name.clone());
        let counts = names.zip(counts).collect();
        let classes: Vec<_> = samples.iter().map(|(_, class)| *class).collect();
        let predictions = self.cut.has_readout.then(|| self.reference.predictions(&classes));
        Some(Trial { recipe, counts, predictions })
    }

    /// What the populations of the part send by `recipe`.
    pub(super) fn trains(&self, recipe: &Recipe, work: &mut Work<'_>) -> Option<Trains> {
        work.spend(self.cost);
        let sent = |sim: &IntSim<'_>, _: usize, run: &IntRun| -> Vec<SpikeTrain> {
            let ids = self.live.iter().map(|g| sim.network().population_named(&g.layer.name));
            ids.map(|id| id.map(|id| run.spikes[id.index()].clone()).unwrap_or_default()).collect()
        };
        let (_, samples) = self.simulate(self.apply(recipe, work)?, sent)?;
        let mut trains = Trains::new();
        for of_sample in samples {
            for (goal, train) in self.live.iter().zip(of_sample) {
                trains.entry(goal.layer.node).or_default().push(train);
            }
        }
        Some(trains)
    }

    /// Quantizes the part by `recipe`. `None` if the target cannot hold that.
    pub(super) fn apply(&self, recipe: &Recipe, work: &mut Work<'_>) -> Option<Applied> {
        work.spend(work::of_weights(self.cut.weights));
        let mut remarks = Diagnostics::new();
        quantize::apply(&self.cut.network, self.target, recipe, &mut remarks).ok()
    }

    fn simulate<T: Send>(
        &self,
        applied: Applied,
        keep: impl Fn(&IntSim<'_>, usize, &IntRun) -> T + Sync + Send,
    ) -> Option<(Recipe, Vec<T>)> {
        let network = QuantizedNetwork::verify(applied.draft, &Rules::default()).ok()?;
        let sim = IntSim::new(&network).ok()?;
        let samples: Vec<usize> = (0..self.stimuli.len()).collect();
        let kept = batch::map(&samples, |&sample| {
            Ok(keep(&sim, sample, &sim.run(&self.stimuli[sample], &IntProbe::None)?))
        });
        Some((applied.recipe, kept.ok()?))
    }
}

/// Counts where two trains of a population differ.
fn compared(layer: &Layer, left: &SpikeTrain, right: &SpikeTrain) -> Counts {
    let per_row = layer.per_row();
    let mut rows = vec![0; layer.rows];
    for t in 0..left.steps().min(right.steps()) {
        for (number, (a, b)) in left.step(t).iter().zip(right.step(t)).enumerate() {
            let mut differing = a ^ b;
            while differing != 0 {
                let neuron = number * 64 + differing.trailing_zeros() as usize;
                if let Some(row) = rows.get_mut(neuron / per_row) {
                    *row += 1;
                }
                differing &= differing - 1;
            }
        }
    }
    Counts { rows, spikes: left.count() + right.count() }
}
