//! Rounding the weights of a population together, by what its sources send.

use super::entry::{self, Entry};
use super::layers::{Layer, Term};
use super::reference::{Reference, Trains};
use super::work::Work;
use rayon::prelude::*;
use snnc_ir::TargetSpec;
use snnc_ir::arena::NodeId;
use snnc_ir::network::{Dynamics, NetworkDraft, Reset};
use snnc_ir::spikes::SpikeTrain;
use snnc_passes::rounding::{
    BiasChoice, BiasProblem, Choice, Descent, Input, Layout, Options, Problem, Sampling,
    Statistics, TermProblem, families, shortened,
};
use snnc_runtime::Signal;

/// Samples whose statistics are summed at once. Fixed, so that sums do not depend on threads.
const CHUNK: usize = 32;
/// Vectors that enter the statistics at most.
const VECTORS: f64 = 40_000.0;
/// Vectors that enter the statistics at least, so that there are more than weights of a row.
const FEW_VECTORS: f64 = 2_000.0;
/// Share of what a population may spend that its statistics take at most.
const STATISTICS: f64 = 0.2;
/// Products that are a unit of work, in statistics and in roundings.
const PRODUCTS: [f64; 2] = [64.0, 16.0];
/// Visits of a weight until its row does not change any more, about.
const VISITS: f64 = 4.0;
/// Bytes that the statistics of one chunk may take.
const MEMORY: usize = 128 << 20;
/// Price of leaving the float weights. Measured on held-out samples: below 0.01 weights follow the samples,
/// above 0.1 they stay where rounding put them.
const RIDGE: f64 = 0.03;
/// Columns of a block where wider ones take too much memory.
const NARROW: usize = 256;

/// The terms of a population that are rounded together.
pub(super) struct Family<'a> {
    layer: &'a Layer,
    layout: Layout,
    /// By term of the layout: positions in [`Layer::terms`] that share their integers.
    terms: Vec<Vec<usize>>,
    /// Sources, as the layout numbers them.
    sources: Vec<NodeId>,
    /// Whether the bias is rounded with it.
    has_bias: bool,
}

/// What is rounded.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    /// Where it starts.
    pub(super) entry: &'a Entry,
    /// By position in [`Layer::terms`]: weights that were decided with another population.
    pub(super) fixed: &'a [bool],
    /// Whether biases make up for errors of weights.
    pub(super) biases: bool,
}

/// A rounding, with the mean squared error of the membrane before and after it (in units of the float
/// membrane).
pub(super) struct Rounded {
    pub(super) entry: Entry,
    pub(super) error: [f64; 2],
}

impl<'a> Family<'a> {
    /// Families of the terms of `layer`. Terms that share a tensor and its integers in `entry` are one.
    pub(super) fn all(layer: &'a Layer, entry: &Entry) -> Vec<Self> {
        let mut merged: Vec<Vec<usize>> = Vec::new();
        for at in 0..layer.terms.len() {
            let same = |group: &&mut Vec<usize>| share(layer, entry, group[0], at);
            match merged.iter_mut().find(same) {
                Some(group) => group.push(at),
                None => merged.push(vec![at]),
            }
        }
        let structures: Vec<_> = merged.iter().map(|g| &layer.terms[g[0]].structure).collect();
        let found = families(&structures).into_iter().enumerate();
        found
            .filter_map(|(number, members)| {
                let terms = members.iter().map(|&m| merged[m].clone()).collect();
                Self::new(layer, terms, number == 0)
            })
            .collect()
    }

    fn new(layer: &'a Layer, terms: Vec<Vec<usize>>, has_bias: bool) -> Option<Self> {
        let read = terms.iter().flatten().map(|&t| layer.terms[t].source);
        let mut sources: Vec<NodeId> = read.collect();
        sources.sort_unstable();
        sources.dedup();
        let term = |group: &Vec<usize>| {
            let input = |&t: &usize| {
                let Term { source, delay, .. } = layer.terms[t];
                Input { source: sources.binary_search(&source).unwrap_or(0), delay }
            };
            let structure = layer.terms[group[0]].structure.clone();
            snnc_passes::rounding::Term { structure, inputs: group.iter().map(input).collect() }
        };
        let of_layout = || terms.iter().map(term).collect();
        let fits = |layout: &Layout| layout.bytes() <= MEMORY;
        let narrow = || Layout::with_blocks(of_layout(), NARROW).filter(fits);
        let layout = Layout::new(of_layout()).filter(fits).or_else(narrow)?;
        Some(Self { layer, layout, terms, sources, has_bias })
    }

    /// Sums over the samples. `trains` holds what sources with integers send; the others count as they
    /// are in the float network. `memory` is the share of the past that counts.
    pub(super) fn statistics(
        &self,
        reference: &Reference,
        trains: &Trains,
        memory: f64,
        work: &mut Work<'_>,
    ) -> Statistics<'_> {
        let steps = self.steps(reference);
        let samples = reference.samples;
        let wanted = self.vectors(reference, memory, work.share());
        let sampling = Sampling::spread(&self.layout, samples as u64, steps, wanted);
        let new = || Statistics::new(&self.layout, memory, sampling);
        let starts: Vec<usize> = (0..samples).step_by(CHUNK).collect();
        // One after the other in memory, each by all threads: the sums of many chunks would not fit.
        let none = Trains::new();
        let mut sum = new();
        let threads = rayon::current_num_threads().max(1);
        for group in starts.chunks(threads) {
            let parts: Vec<Statistics<'_>> = group
                .par_iter()
                .map(|&start| {
                    let mut part = new();
                    for sample in start..samples.min(start + CHUNK) {
                        let float = self.trains(reference, &none, sample);
                        let own = self.trains(reference, trains, sample);
                        part.add(sample as u64, &own, &float);
                    }
                    part
                })
                .collect();
            for part in &parts {
                sum.merge(part);
            }
        }
        work.spend(sum.work());
        sum
    }

    /// How many vectors the statistics may take, if the population may spend `share` units of work.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, clamped"
    )]
    fn vectors(&self, reference: &Reference, memory: f64, share: u64) -> u64 {
        let affordable = STATISTICS * share as f64 / self.work_of_vector(reference, memory);
        affordable.clamp(FEW_VECTORS, VECTORS) as u64
    }

    /// Units of work of a vector, about: the number of pairs of sources that have a trace.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn work_of_vector(&self, reference: &Reference, memory: f64) -> f64 {
        let none = Trains::new();
        let sent = (0..reference.samples).flat_map(|s| self.trains(reference, &none, s));
        let (spikes, cells) = sent.fold((0, 0), |(spikes, cells), train| {
            (spikes + train.count(), cells + train.steps() * train.neurons())
        });
        let rate = spikes as f64 / cells.max(1) as f64;
        let density = (rate / (1.0 - memory).max(0.05)).min(1.0);
        2.0 * (density * self.layout.columns() as f64 + 1.0).powi(2) / PRODUCTS[0]
    }

    /// Units of work of one rounding, about.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    pub(super) fn cost(&self) -> u64 {
        let columns = self.layout.columns() as f64;
        (self.layout.rows() as f64 * columns * columns * VISITS / PRODUCTS[1]) as u64
    }

    fn steps(&self, reference: &Reference) -> u64 {
        let own = reference.trains.get(&self.layer.node).and_then(|t| t.first());
        own.map_or(1, SpikeTrain::steps) as u64
    }

    /// What the sources send in `sample`.
    fn trains<'r>(
        &self,
        reference: &'r Reference,
        trains: &'r Trains,
        sample: usize,
    ) -> Vec<&'r SpikeTrain> {
        let sent = |source: &NodeId| {
            let train = || trains.get(source).or_else(|| reference.trains.get(source));
            match reference.inputs.get(source).map(|signals| &signals[sample]) {
                Some(Signal::Spikes(train)) => Some(train),
                Some(Signal::Frame(_)) => None,
                None => train().map(|t| &t[sample]),
            }
        };
        self.sources.iter().filter_map(sent).collect()
    }

    /// Rounds the weights. `None` if the entry is not complete.
    pub(super) fn round(
        &self,
        network: &NetworkDraft,
        target: &TargetSpec,
        statistics: &Statistics<'_>,
        task: Task<'_>,
        work: &mut Work<'_>,
    ) -> Option<Rounded> {
        let layer = self.layer;
        let scales = self.layout.row_values(task.entry.population.scale.as_ref()?, &layer.shape)?;
        let biases = self.biases(task.entry);
        let mut terms = Vec::new();
        for group in &self.terms {
            let of = &task.entry.terms[group[0]];
            let weights = &network.tensors[layer.terms[group[0]].tensor].data;
            let stored = of.weights.as_deref()?;
            let choice = if group.iter().any(|&t| task.fixed[t]) {
                Choice::Fixed(stored)
            } else {
                let range = range(of.weight_bits?, of.split?, weights);
                Choice::Free { range, start: None }
            };
            terms.push(TermProblem { weights, exponent: of.exponent?, choice });
        }
        let reach = i32::try_from(target.max_bias_mantissa.value).unwrap_or(i32::MAX);
        let bias = biases.as_ref().map(|(values, integers)| BiasProblem {
            values,
            choice: if task.biases {
                BiasChoice::Free([-reach, reach])
            } else {
                BiasChoice::Fixed(integers)
            },
        });
        let problem = Problem {
            terms,
            bias,
            scales: &scales,
            options: Options { ridge: RIDGE, ..Options::default() },
        };
        let descent = Descent::new(statistics, &problem);
        let rows: Vec<_> = (0..descent.rows()).into_par_iter().map(|r| descent.row(r)).collect();
        let refined = descent.assemble(rows);
        work.spend(refined.work());
        let error = [refined.before(), refined.after()];
        let mut entry = task.entry.clone();
        for (group, weights) in self.terms.iter().zip(refined.weights) {
            for &t in group {
                entry.terms[t].weights = Some(weights.clone());
            }
        }
        if let (true, Some(biases)) = (task.biases, refined.bias) {
            let of_row = |neuron: usize| biases[neuron / self.layout.positions().max(1)];
            let all = (0..layer.shape.size()).map(of_row).collect();
            entry.population.bias = Some(snnc_ir::Param::PerNeuron(all).compact(&layer.shape));
        }
        Some(Rounded { entry, error })
    }

    /// Float biases and their integers, row by row, if they are rounded here and the rows have one each.
    fn biases(&self, entry: &Entry) -> Option<(Vec<f32>, Vec<i32>)> {
        let layer = self.layer;
        if !self.has_bias || layer.bias.is_empty() {
            return None;
        }
        let float = snnc_ir::Param::PerNeuron(layer.bias.clone());
        let float = self.layout.row_values(&float, &layer.shape)?;
        let integers = entry.population.bias.as_ref()?;
        Some((float, self.layout.row_values(integers, &layer.shape)?))
    }
}

/// Whether two terms read the same tensor through the same layout, with the same integers.
fn share(layer: &Layer, entry: &Entry, a: usize, b: usize) -> bool {
    let same = |t: usize| (layer.terms[t].tensor, &layer.terms[t].structure);
    same(a) == same(b) && entry::same_integers(&entry.terms[a], &entry.terms[b])
}

/// Smallest and largest step that a projection of such weights can store.
fn range(bits: u8, split: bool, weights: &[f32]) -> [i16; 2] {
    let end = |bits: u8| (1_i16 << bits.min(8)) - 1;
    let negative = weights.iter().any(|w| *w < 0.0);
    let positive = weights.iter().any(|w| *w > 0.0);
    match (negative, positive) {
        (false, _) => [0, end(bits)],
        (true, false) => [-end(bits), 0],
        (true, true) if split => [-end(bits), end(bits)],
        (true, true) if bits <= 1 => [-1, 0],
        (true, true) => [-end(bits - 1), end(bits - 1)],
    }
}

/// Shares of the past that may count: what a membrane keeps from step to step, less what resets forget,
/// and without that. With a current that has memory, the share of a leak that remembers as long as both.
pub(super) fn memories(layer: &Layer, reference: &Reference) -> Vec<f64> {
    let Some(neuron) = &layer.neuron else { return Vec::new() };
    let leak = match &neuron.dynamics {
        Dynamics::Decay(decay) => 1.0 - mean(decay.values()),
        Dynamics::Linear(linear) => {
            let current = linear.current.as_ref().map_or(0.0, |c| mean(c.keep.values()));
            joint(mean(linear.keep.values()), current)
        }
        _ => 1.0,
    };
    match neuron.reset {
        Reset::Subtract => vec![leak],
        Reset::To(_) => vec![shortened(leak, rate(layer, reference)), leak],
    }
}

/// The leak that delays what enters by as many steps, on average, as two leaks one behind the other do.
fn joint(membrane: f64, current: f64) -> f64 {
    let delay = |keep: f64| keep / (1.0 - keep).max(1e-6);
    let both = delay(membrane) + delay(current);
    both / (1.0 + both)
}

/// Spikes per neuron and step in the float network.
#[expect(clippy::cast_precision_loss, reason = "statistics need no more than 53 bits")]
fn rate(layer: &Layer, reference: &Reference) -> f64 {
    let trains = reference.trains.get(&layer.node).into_iter().flatten();
    let (spikes, cells) = trains.fold((0, 0), |(spikes, cells), train| {
        (spikes + train.count(), cells + train.steps() * train.neurons())
    });
    spikes as f64 / cells.max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "populations have far fewer than 2^52 neurons")]
fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len().max(1) as f64
}
