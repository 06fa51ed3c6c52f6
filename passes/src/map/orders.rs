//! In blocks of how many channels each population lies on the cores.
//!
//! A slice of all channels at few places reads little of its source and stores the whole kernel; one of few
//! channels at all places the other way around. Where equal synapses are stored once, blocks of fewer
//! channels save memory, until every source neuron has to reach so many cores that these run out of
//! output axons. So a population is tried on an empty core in blocks of all its channels, half of them, and
//! so on, and the choices are made together: fewest cores of a population and its sources, then fewest words
//! of synapse memory.

use super::build::{Open, Reads, narrow};
use super::violated;
use snnc_ir::arena::{PopId, ProjId};
use snnc_ir::mapped::Slice;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::quantized::{Population, QuantizedDraft, Structure};
use snnc_ir::target::Limit;
use snnc_ir::{Entity, TargetSpec};
use std::collections::BTreeMap;

/// Times that all orders are tried: first with full cores, then with as many neurons as output axons allow.
const TRIALS: usize = 2;

/// Rounds over all populations, each given the choices of the others.
const ROUNDS: usize = 3;

/// A difference in cores below this share of them leaves the decision to memory.
const SAME: f64 = 0.002;

/// How to lay out the populations of a network.
pub(crate) struct Layout {
    /// Channels per block of each population, 1 where that changes nothing.
    pub(crate) orders: Vec<u32>,
    /// Neurons of each population that fill a core of its own.
    pub(crate) fill: Vec<u32>,
    /// Output axons that a neuron of each population is expected to take: cores that it reaches, in parts where pixels
    /// share them.
    pub(crate) fan_out: Vec<f64>,
}

impl Layout {
    /// All populations row-major.
    pub(super) fn row_major(network: &QuantizedDraft, target: &TargetSpec) -> Self {
        let populations = network.populations.len();
        let fill = u32::try_from(target.compartments.value).unwrap_or(u32::MAX);
        Self {
            orders: vec![1; populations],
            fill: vec![fill; populations],
            fan_out: vec![0.0; populations],
        }
    }

    /// The best that was found.
    pub(super) fn choose(network: &QuantizedDraft, target: &TargetSpec) -> Self {
        let mut layout = Self::row_major(network, target);
        if target.shared_kernels.value == 0 && target.list_bases.value == 0 {
            return layout;
        }
        let compartments = layout.fill.clone();
        let mut accounting = Accounting::new(network, &layout.orders);

        for _ in 0..TRIALS {
            let most = layout.affordable(&compartments, target);
            layout.improve(&mut accounting, target, &most);
        }
        layout.follow(&accounting);
        layout
    }

    /// Neurons of each population for which a core has compartments and, as far as known, output axons.
    fn affordable(&self, compartments: &[u32], target: &TargetSpec) -> Vec<u32> {
        let axons = f64::from(u32::try_from(target.output_axons.value).unwrap_or(u32::MAX));
        let most = |(fan_out, compartments): (&f64, &u32)| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
            let affordable = (axons / fan_out).clamp(1.0, f64::from(u32::MAX)) as u32;
            affordable.min(*compartments).max(1)
        };
        self.fan_out.iter().zip(compartments).map(most).collect()
    }

    /// Tries every order, with up to `most` neurons of each population on a core, and takes the best.
    fn improve(&mut self, accounting: &mut Accounting<'_>, target: &TargetSpec, most: &[u32]) {
        let network = accounting.network();
        let mut trials: Vec<Vec<Trial>> = Vec::new();
        for id in network.populations.ids() {
            let tried = blocks(accounting, id).into_iter().filter_map(|block| {
                accounting.set_order(id, block);
                let trial = Trial::new(
                    accounting,
                    target,
                    id,
                    block,
                    most[id.index()],
                    &mut Reads::default(),
                );
                accounting.set_order(id, 1);
                trial
            });
            trials.push(tried.collect());
        }
        let mut plan = Plan::new(network, target, &trials);
        for _ in 0..ROUNDS {
            plan.improve();
        }
        for (index, trials) in trials.iter().enumerate() {
            if let Some(trial) = trials.get(plan.choices[index]) {
                self.orders[index] = trial.block;
                self.fill[index] = trial.len;
            }
        }
        self.fan_out = (0..trials.len()).map(|index| plan.outputs(index)).collect();
    }

    /// Gives populations that only repeat another one its order, so that slices read runs.
    fn follow(&mut self, accounting: &Accounting<'_>) {
        let network = accounting.network();
        for id in network.populations.ids() {
            let [projection] = accounting.projections_into(id) else { continue };
            let ends = &network.projections[*projection];
            let matrix = &network.matrices[ends.matrix];
            let shapes = [id, ends.source].map(|p| &network.populations[p].shape);
            if matches!(matrix.structure, Structure::Identity { .. }) && shapes[0] == shapes[1] {
                self.orders[id.index()] = self.orders[ends.source.index()];
            }
        }
    }
}

/// The blocks to try for a population; none if it is no grid that reads through kernels.
fn blocks(accounting: &Accounting<'_>, id: PopId) -> Vec<u32> {
    let network = accounting.network();
    let kernel = |p: &ProjId| {
        let matrix = &network.matrices[network.projections[*p].matrix];
        matches!(matrix.structure, Structure::Conv(_))
    };
    let order = accounting.order(id);
    if order.places() <= 1 || !accounting.projections_into(id).iter().any(kernel) {
        return Vec::new();
    }
    let halves = |n: u32| (n > 1).then(|| n.div_ceil(2));
    // Blocks of one channel come first, so that they stay where others are no better.
    let mut blocks: Vec<u32> =
        std::iter::successors(Some(order.channels()), |n| halves(*n)).collect();
    blocks.reverse();
    blocks
}

/// A population alone, in one order: what a core in its middle takes.
struct Trial {
    block: u32,
    /// Neurons on a core.
    len: u32,
    /// Cores that it fills.
    cores: f64,
    /// Output axons of a neuron for each core that it reaches.
    share: f64,
    /// Words of synapse memory on all of them.
    words: f64,
    /// Cores that a neuron of each source reaches.
    copies: Vec<(PopId, f64)>,
}

impl Trial {
    /// `None` if not even one neuron fits on a core.
    fn new(
        accounting: &Accounting<'_>,
        target: &TargetSpec,
        population: PopId,
        block: u32,
        most: u32,
        reads: &mut Reads,
    ) -> Option<Self> {
        let size = narrow(accounting.network().populations[population].size());
        let mut on_core = |start: u32, len: u32| {
            let slice = Slice { population, start, len: len.min(size - start) };
            let core = Open::default().with(slice, accounting, reads).core;
            let usage = accounting.core_usage(&core, target);
            (violated(&usage, target).is_none(), usage.synapse_words, core)
        };
        let all = size.min(most);
        let (mut len, mut beyond) = (1, all);
        if on_core(0, all).0 {
            len = all;
        } else if !on_core(0, 1).0 {
            return None;
        }
        while len + 1 < beyond {
            let middle = len + (beyond - len) / 2;
            if on_core(0, middle).0 {
                len = middle;
            } else {
                beyond = middle;
            }
        }
        let (_, words, core) = on_core(size / len / 2 * len, len);
        let cores = f64::from(size) / f64::from(len);
        let mut reached: BTreeMap<PopId, u32> = BTreeMap::new();
        for run in &core.axons {
            *reached.entry(run.population).or_default() += run.len;
        }
        let share = |(source, reached): (PopId, u32)| {
            let size = narrow(accounting.network().populations[source].size());
            (source, cores * f64::from(reached) / f64::from(size))
        };
        #[expect(clippy::cast_precision_loss, reason = "words of one core are few")]
        let words = words as f64 * cores;
        let copies = reached.into_iter().map(share).collect();
        let share = pixels(accounting, target, population, block, len);
        Some(Self { block, len, cores, share, words, copies })
    }
}

/// Output axons of a neuron for each core that it reaches, where `len` neurons lie together in blocks of `block`
/// channels: pixels that share axons take theirs for all of their channels there.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn pixels(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    population: PopId,
    block: u32,
    len: u32,
) -> f64 {
    let [slots, atoms] =
        [&target.population_slots, &target.axon_atoms].map(|limit| limit.value.max(0) as f64);
    let grid = accounting.network().populations[population].shape.as_chw();
    let Some([_, height, width]) = grid.filter(|_| slots > 0.0 && atoms > 0.0) else { return 1.0 };
    let places = f64::from(height) * f64::from(width);
    // Whole blocks lie behind each other, so a long run meets the same places again.
    let channels = f64::from(block).max(f64::from(len) / places).min(atoms);
    (slots / channels).min(1.0)
}

/// The choices so far.
struct Plan<'a> {
    trials: &'a [Vec<Trial>],
    choices: Vec<usize>,
    /// Neurons of each population; 0 for inputs, which lie on no core.
    sizes: Vec<f64>,
    /// Cores that a neuron of each population reaches, by the choices of its readers.
    fan_out: Vec<f64>,
    compartments: f64,
    output_axons: f64,
}

impl<'a> Plan<'a> {
    fn new(network: &QuantizedDraft, target: &TargetSpec, trials: &'a [Vec<Trial>]) -> Self {
        let neurons = |p: &Population| if p.is_input() { 0 } else { narrow(p.size()) };
        let limit =
            |limit: &Limit| f64::from(u32::try_from(limit.value).unwrap_or(u32::MAX).max(1));
        let mut plan = Self {
            trials,
            // Whole pixels first: the smallest fan-out.
            choices: trials.iter().map(|t| t.len().saturating_sub(1)).collect(),
            sizes: network.populations.values().map(|p| f64::from(neurons(p))).collect(),
            fan_out: vec![0.0; trials.len()],
            compartments: limit(&target.compartments),
            output_axons: limit(&target.output_axons),
        };
        for (trials, choice) in trials.iter().zip(&plan.choices) {
            for (source, copies) in trials.get(*choice).map_or(&[][..], |t| &t.copies) {
                plan.fan_out[source.index()] += copies;
            }
        }
        plan
    }

    /// Output axons of a neuron of a population, by all choices.
    fn outputs(&self, population: usize) -> f64 {
        let trial = self.trials[population].get(self.choices[population]);
        self.fan_out[population] * trial.map_or(1.0, |trial| trial.share)
    }

    /// Cores for a population whose neurons reach `fan_out` cores each, in its trial or in any order.
    fn cores(&self, population: usize, fan_out: f64, trial: Option<&Trial>) -> f64 {
        let size = self.sizes[population];
        let cores = trial.map_or(size / self.compartments, |trial| trial.cores);
        let share = trial.map_or(1.0, |trial| trial.share);
        cores.max(size * fan_out * share / self.output_axons)
    }

    /// Chooses anew for every population, given the choices of the others.
    fn improve(&mut self) {
        for population in 0..self.trials.len() {
            let trials = &self.trials[population];
            let Some(now) = trials.get(self.choices[population]) else { continue };
            let of = |trial: &Trial| {
                let own = self.cores(population, self.fan_out[population], Some(trial));
                let sources =
                    trial.copies.iter().zip(&now.copies).map(|((source, copies), now)| {
                        let source = source.index();
                        let fan_out = self.fan_out[source] - now.1 + copies;
                        let trial = self.trials[source].get(self.choices[source]);
                        self.cores(source, fan_out, trial)
                    });
                (own + sources.sum::<f64>(), trial.words)
            };
            let better = |a: (f64, f64), b: (f64, f64)| {
                if (a.0 - b.0).abs() > SAME * b.0 { a.0 < b.0 } else { a.1 < b.1 }
            };
            let mut best = 0;
            for index in 1..trials.len() {
                if better(of(&trials[index]), of(&trials[best])) {
                    best = index;
                }
            }
            for (source, copies) in &now.copies {
                self.fan_out[source.index()] -= copies;
            }
            for (source, copies) in &trials[best].copies {
                self.fan_out[source.index()] += copies;
            }
            self.choices[population] = best;
        }
    }
}
