//! The float network on the calibration data: what the integers are fitted to.

use super::measure::Predictions;
use super::work;
use crate::stimulus::Stimuli;
use crate::verify::simulation_failed;
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::calibrate as codes;
use snnc_ir::network::{Network, NetworkDraft, Op};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::float::FloatProbe;
use snnc_runtime::{Signal, SimError, Stimulus, batch};
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes that spikes and frames of all samples may take.
const MEMORY: u64 = 1 << 30;
/// The whole network is run on all samples many times: a run may take this share of the budget at most.
const RUNS: u64 = 20;
/// Samples that are run to see how much work a sample is.
const PROBED: usize = 4;

/// Trains by population, by sample.
pub(super) type Trains = BTreeMap<NodeId, Vec<SpikeTrain>>;

/// What inputs and populations sent in the float network.
#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    /// Number of samples.
    pub(super) samples: usize,
    /// By input, by sample.
    pub(super) inputs: BTreeMap<NodeId, Vec<Signal>>,
    /// By population of neurons, by sample.
    pub(super) trains: Trains,
    /// Predicted classes.
    classes: Vec<Option<usize>>,
    /// Their labels, if there are any.
    labels: Option<Vec<usize>>,
    /// Work that was done.
    pub(super) work: u64,
}

impl Reference {
    /// Runs the float network on `samples` of `stimuli`, or on fewer of them if `budget` or memory is
    /// short.
    ///
    /// # Errors
    /// `SNN0490` for samples that do not exist, `SNN0491` for an input without data, `SNN0835` if the
    /// simulation stops.
    pub(super) fn new(
        network: &Network,
        stimuli: &Stimuli,
        samples: &Range<usize>,
        budget: u64,
        remarks: &mut Diagnostics,
    ) -> Result<Self, Diagnostics> {
        if samples.is_empty() || samples.end > stimuli.samples() {
            return Err(no_samples(samples, stimuli.samples()).into());
        }
        let order = inputs(network, stimuli)?;
        let attempt = |range: Range<usize>| {
            Self::run(network, stimuli, &order, range).map_err(|e| simulation_failed(&e))
        };
        let probed = samples.start..samples.end.min(samples.start + PROBED);
        let first = attempt(probed.clone())?;
        let count = affordable(&first, network, budget).clamp(1, samples.len());
        if count < samples.len() {
            remarks.push(fewer(samples, count));
        }
        let mut all = attempt(samples.start..samples.start + count)?;
        all.work += first.work;
        let labels = stimuli.labels().and_then(|l| l.get(samples.start..samples.start + count));
        all.labels = labels.map(<[usize]>::to_vec);
        Ok(all)
    }

    fn run(
        network: &Network,
        stimuli: &Stimuli,
        order: &[(NodeId, usize)],
        samples: Range<usize>,
    ) -> Result<Self, SimError> {
        let sim = FloatSim::new(network)?;
        let numbers: Vec<usize> = samples.collect();
        let runs = batch::map(&numbers, |&sample| {
            let all = stimuli.stimulus(sample)?.inputs;
            let stimulus =
                Stimulus { inputs: order.iter().map(|&(_, at)| all[at].clone()).collect() };
            let mut run = sim.run(&stimulus, &FloatProbe::None)?;
            run.spikes.retain(|id, _| matches!(network.nodes[*id].op, Op::Neuron(_)));
            Ok((stimulus.inputs, run.class(), run.spikes))
        })?;
        let mut found = Self { samples: numbers.len(), ..Self::default() };
        for (signals, class, spikes) in runs {
            for (&(id, _), signal) in order.iter().zip(signals) {
                found.inputs.entry(id).or_default().push(signal);
            }
            for (id, train) in spikes {
                found.trains.entry(id).or_default().push(train);
            }
            found.classes.push(class);
        }
        let part = |id| id;
        found.work = cost(network, part, &found, &found.trains);
        Ok(found)
    }

    /// What `node` sent in `sample`: an input, or a population according to `trains`.
    pub(super) fn signal(&self, node: NodeId, sample: usize, trains: &Trains) -> Option<Signal> {
        let train = || trains.get(&node).or_else(|| self.trains.get(&node))?.get(sample);
        let input = self.inputs.get(&node).and_then(|s| s.get(sample)).cloned();
        input.or_else(|| train().cloned().map(Signal::Spikes))
    }

    /// Compares predictions with those of the float network and with labels.
    pub(super) fn predictions(&self, classes: &[Option<usize>]) -> Predictions {
        let correct = self.labels.as_ref().map(|labels| {
            classes.iter().zip(labels).filter(|(class, label)| **class == Some(**label)).count()
        });
        let same = classes.iter().zip(&self.classes).filter(|(a, b)| a == b).count();
        Predictions { same, correct }
    }

    /// Correct predictions of the float network, if there are labels.
    pub(super) fn correct(&self) -> Option<usize> {
        self.predictions(&self.classes).correct
    }

    /// Spikes of all populations of neurons.
    pub(super) fn spikes(&self) -> u64 {
        self.trains.values().flatten().map(SpikeTrain::count).sum()
    }

    /// Spikes of `node` in all samples; of a frame, as many as it has values; `None` if it is no source
    /// of spikes.
    fn activity(&self, node: NodeId, trains: &Trains) -> Option<u64> {
        if let Some(trains) = trains.get(&node).or_else(|| self.trains.get(&node)) {
            return Some(trains.iter().map(SpikeTrain::count).sum());
        }
        let signals = self.inputs.get(&node)?.iter();
        Some(
            signals
                .map(|signal| match signal {
                    Signal::Spikes(train) => train.count(),
                    Signal::Frame(values) => values.len() as u64,
                })
                .sum(),
        )
    }
}

/// Units of work of running `network`, a part of the whole whose nodes `origin` finds there, on all
/// samples.
pub(super) fn cost(
    network: &NetworkDraft,
    origin: impl Fn(NodeId) -> NodeId,
    reference: &Reference,
    trains: &Trains,
) -> u64 {
    let steps = u64::from(network.steps) * reference.samples as u64;
    let (mut events, mut updates) = (0_u64, 0_u64);
    for node in network.nodes.values() {
        let size = node.shape.size() as u64;
        let taps = match &node.op {
            Op::Linear { .. } => size,
            // Every output has as many synapses as the kernel has taps.
            Op::Conv2d { conv, .. } => {
                let [_, channels, height, width] = conv.kernel_shape().map(u64::from);
                let inputs = conv.input.iter().map(|&d| u64::from(d)).product::<u64>().max(1);
                (size * channels * height * width).div_ceil(inputs)
            }
            Op::Neuron(_) | Op::Relay(_) => {
                updates = updates.saturating_add(size.saturating_mul(steps));
                continue;
            }
            _ => continue,
        };
        let Some(edge) = node.inputs.first() else { continue };
        let source = &network.nodes[edge.source];
        // Graded relays send in about every other step.
        let analog = || (source.shape.size() as u64).saturating_mul(steps) / 2;
        let sent = reference.activity(origin(edge.source), trains).unwrap_or_else(analog);
        events = events.saturating_add(sent.saturating_mul(taps));
    }
    work::of_run(events, updates)
}

/// How many samples fit into memory and budget.
fn affordable(probed: &Reference, network: &Network, budget: u64) -> usize {
    let count = probed.samples.max(1) as u64;
    let words = |neurons: usize| (neurons.div_ceil(64) as u64).saturating_mul(network.steps.into());
    // Spikes of the float network, of the integers, and what a part of the network is given.
    let bytes = network.nodes.values().map(|n| match n.op {
        Op::Neuron(_) => 24 * words(n.shape.size()),
        Op::Input(_) => 4 * n.shape.size() as u64 + 16 * words(n.shape.size()),
        _ => 0,
    });
    let by_memory = MEMORY / bytes.sum::<u64>().max(1);
    let by_work = (budget / RUNS).saturating_mul(count) / probed.work.max(1);
    usize::try_from(by_memory.min(by_work)).unwrap_or(usize::MAX)
}

/// Inputs of the network with their positions in the stimuli.
fn inputs(network: &Network, stimuli: &Stimuli) -> Result<Vec<(NodeId, usize)>, Diagnostics> {
    let mut errors = Diagnostics::new();
    let mut found = Vec::new();
    for (id, node) in network.nodes.iter().filter(|(_, n)| matches!(n.op, Op::Input(_))) {
        match stimuli.input_names().position(|name| name == node.name) {
            Some(at) => found.push((id, at)),
            None => errors.push(
                Diagnostic::error(
                    codes::OTHER_INPUTS,
                    format!("the calibration data has nothing for input `{}`", node.name),
                )
                .at(format!("population `{}`", node.name))
                .help("read the data for the interface of this network"),
            ),
        }
    }
    errors.into_result(found)
}

fn no_samples(samples: &Range<usize>, all: usize) -> Diagnostic {
    let Range { start, end } = samples;
    Diagnostic::error(
        codes::NO_SAMPLES,
        format!("there are no samples {start}..{end} to calibrate on"),
    )
    .note(format!(
        "the data has {all} samples, counted from 0; a range ends before its second number"
    ))
    .help("give a range that is not empty and inside the data")
}

fn fewer(samples: &Range<usize>, count: usize) -> Diagnostic {
    Diagnostic::warning(
        codes::FEWER_SAMPLES,
        format!("calibration uses {count} of {} samples", samples.len()),
    )
    .note("the spikes of all populations are kept in memory, and every sample is run many times")
    .help("raise the budget of work, or give fewer samples")
}
