//! Reference simulator of the float level: the definition of its semantics, in code.
//!
//! Arithmetic is f32 in the order stated by [`snnc_ir::network`]; every operation is rounded on its
//! own (`f32::mul_add` is never used, and Rust never contracts `a * b + c` by itself).
//!
//! **Why zero inputs may be skipped.** An accumulator starts at +0. In round-to-nearest a sum is −0
//! only if both terms are −0, and `x + (−x) = +0`; so the accumulator is never −0. Weights are
//! finite (a rule of the level), so `w · ±0 = ±0`, and adding ±0 to anything but −0 leaves it as
//! it is. Leaving such terms out is therefore neutral bit for bit.

pub(crate) mod neuron;
pub(crate) mod plan;

use crate::error::{SimError, check_trains, check_words};
use crate::messages::{MessageTrain, check_messages};
use crate::probe::Probe;
use crate::readout::argmax;
use crate::stimulus::Port;
pub use crate::stimulus::{Signal, Stimulus};
use neuron::State;
use plan::{Operator, Plan};
use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::network::{Edge, Emission, Network, Op, Readout};
use snnc_ir::spikes::SpikeTrain;
use std::collections::BTreeMap;

/// Which membranes a float simulation records.
pub type FloatProbe = Probe<NodeId>;

/// Recorded membrane of one neuron, one value per step.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatTrace {
    /// The population.
    pub node: NodeId,
    /// The neuron.
    pub neuron: usize,
    /// `H`: the membrane that is compared with the threshold.
    pub h: Vec<f32>,
    /// The membrane at the end of the step, after the reset.
    pub v: Vec<f32>,
}

/// Result of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatRun {
    /// Spikes of every population that spikes (inputs that are frames have none). Of a population
    /// that sends bursts or several spikes at once: where it sent something.
    pub spikes: BTreeMap<NodeId, SpikeTrain>,
    /// What the populations sent that send graded bursts or several spikes at once.
    pub messages: BTreeMap<NodeId, MessageTrain<f32>>,
    /// One score per class: spike counts, or means over the steps (summed in f64 in step order,
    /// divided once).
    pub scores: Vec<f64>,
    /// The recorded membranes, in the order of the probe.
    pub traces: Vec<FloatTrace>,
}

impl FloatRun {
    /// The class with the largest score, ties to the lowest.
    pub fn class(&self) -> Option<usize> {
        argmax(&self.scores)
    }
}

/// Runs `network` once. To run it often, make a [`FloatSim`] first.
///
/// # Errors
/// A stimulus that does not fit the inputs, a probe of a neuron that does not exist, a run too
/// large for memory.
pub fn simulate(
    network: &Network,
    stimulus: &Stimulus,
    probe: &FloatProbe,
) -> Result<FloatRun, SimError> {
    FloatSim::new(network)?.run(stimulus, probe)
}

/// A network prepared for simulation: order of evaluation, weights by source.
pub struct FloatSim<'n> {
    network: &'n Network,
    pub(crate) plan: Plan,
    /// Nodes in an order in which every delay-0 edge points forward.
    order: Vec<NodeId>,
    inputs: Vec<NodeId>,
    pub(crate) steps: usize,
    /// Past values kept per node, the present one included.
    pub(crate) depth: Vec<usize>,
}

impl<'n> FloatSim<'n> {
    /// Prepares `network`.
    ///
    /// # Errors
    /// [`SimError::ZeroDelayCycle`], or [`SimError::TooLarge`] for a run too large for memory.
    pub fn new(network: &'n Network) -> Result<Self, SimError> {
        Self::without(network, |_| false)
    }

    /// As [`FloatSim::new`], but the weights of nodes of which `skipped` is true are not laid out. Runs must
    /// not compute them.
    pub(crate) fn without(
        network: &'n Network,
        skipped: impl Fn(NodeId) -> bool,
    ) -> Result<Self, SimError> {
        let nodes = &network.nodes;
        let populations = nodes.values().filter(|n| n.op.is_population());
        let steps = check_trains(u64::from(network.steps), populations.map(|n| n.shape.size()))?;
        let bursts = nodes.values().filter(|n| sends_values(&n.op));
        check_messages(steps, bursts.map(|n| n.shape.size()))?;
        let mut depth = vec![1_usize; nodes.len()];
        for edge in nodes.values().flat_map(|n| &n.inputs) {
            // Values older than the run are zero: there is no need to keep more.
            let kept = (edge.delay as usize).min(steps) + 1;
            let slot = &mut depth[edge.source.index()];
            *slot = kept.max(*slot);
        }
        let values = nodes.iter().fold(0_u64, |sum, (id, node)| {
            let kept = (depth[id.index()] as u64).saturating_mul(node.shape.size() as u64);
            sum.saturating_add(kept)
        });
        check_words("the values of all nodes over the longest delays", values)?;
        let inputs =
            nodes.iter().filter(|(_, n)| matches!(n.op, Op::Input(_))).map(|(id, _)| id).collect();
        Ok(Self {
            network,
            plan: Plan::new(network, skipped)?,
            order: network.order().ok_or(SimError::ZeroDelayCycle)?,
            inputs,
            steps,
            depth,
        })
    }

    /// The network.
    pub const fn network(&self) -> &'n Network {
        self.network
    }

    /// Input nodes in the order of a stimulus.
    pub fn inputs(&self) -> &[NodeId] {
        &self.inputs
    }

    /// Nodes in order of evaluation within a step.
    pub fn order(&self) -> &[NodeId] {
        &self.order
    }

    /// Checks that every signal fits its input.
    ///
    /// # Errors
    /// [`SimError::StimulusCount`], [`SimError::StimulusKind`], [`SimError::StimulusShape`],
    /// [`SimError::FrameSize`], [`SimError::FrameValue`].
    pub fn check(&self, stimulus: &Stimulus) -> Result<(), SimError> {
        let ports = self.network.nodes.values().filter_map(|node| match &node.op {
            Op::Input(coding) => Some(Port { name: &node.name, coding, size: node.shape.size() }),
            _ => None,
        });
        stimulus.check(self.steps, &ports.collect::<Vec<_>>())
    }

    /// Runs the network once.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn run(&self, stimulus: &Stimulus, probe: &FloatProbe) -> Result<FloatRun, SimError> {
        self.check(stimulus)?;
        let nodes = &self.network.nodes;
        let probed = self.resolve(probe, self.steps)?;
        let mut run = Run {
            sim: self,
            values: nodes
                .iter()
                .map(|(id, n)| vec![vec![0.0; n.shape.size()]; self.depth[id.index()]])
                .collect(),
            states: nodes.values().map(|n| state(&n.op, n.shape.size())).collect(),
            trains: self.trains(stimulus),
            messages: nodes
                .iter()
                .filter(|(_, n)| sends_values(&n.op))
                .map(|(id, n)| (id, MessageTrain::new(self.steps, n.shape.size())))
                .collect(),
            traces: probed
                .into_iter()
                .map(|(node, neuron)| FloatTrace { node, neuron, h: Vec::new(), v: Vec::new() })
                .collect(),
            scratch: Vec::new(),
        };
        let readout = self.network.readout;
        let mut sums = vec![0.0_f64; nodes[readout.node()].shape.size()];
        for t in 0..self.steps {
            for &id in &self.order {
                run.step(id, t, stimulus);
            }
            for trace in &mut run.traces {
                let state = &run.states[trace.node.index()];
                trace.h.push(state.h[trace.neuron]);
                trace.v.push(state.v[trace.neuron]);
            }
            if let Readout::MeanLinear(node) = readout {
                for (sum, &x) in sums.iter_mut().zip(value(&run.values[node.index()], t, 0)) {
                    *sum += f64::from(x);
                }
            }
        }
        let spikes: BTreeMap<_, _> =
            nodes.ids().zip(run.trains).filter_map(|(id, train)| Some((id, train?))).collect();
        let scores = match readout {
            Readout::MeanLinear(_) => {
                sums.iter().map(|s| s / f64::from(self.network.steps)).collect()
            }
            Readout::SpikeCount(node) => spike_counts(spikes.get(&node), run.messages.get(&node)),
        };
        Ok(FloatRun { spikes, messages: run.messages, scores, traces: run.traces })
    }

    /// The neurons that `probe` chooses; `steps` of them are kept.
    pub(crate) fn resolve(
        &self,
        probe: &FloatProbe,
        steps: usize,
    ) -> Result<Vec<(NodeId, usize)>, SimError> {
        let neurons = self.network.nodes.iter().filter(|(_, n)| matches!(n.op, Op::Neuron(_)));
        let sizes: Vec<_> = neurons.map(|(id, n)| (id, n.shape.size())).collect();
        probe.resolve(&sizes, steps, 1)
    }

    /// Trains of all nodes: inputs filled, neurons silent, none for the rest.
    pub(crate) fn trains(&self, stimulus: &Stimulus) -> Vec<Option<SpikeTrain>> {
        let mut trains: Vec<_> = self
            .network
            .nodes
            .values()
            .map(|n| {
                let spikes = matches!(n.op, Op::Neuron(_));
                spikes.then(|| SpikeTrain::new(self.steps, n.shape.size()))
            })
            .collect();
        for (id, signal) in self.inputs.iter().zip(&stimulus.inputs) {
            if let Signal::Spikes(train) = signal {
                trains[id.index()] = Some(train.clone());
            }
        }
        trains
    }
}

/// Spikes of every neuron over the run; what messages say, where there are some.
pub(crate) fn spike_counts(
    train: Option<&SpikeTrain>,
    messages: Option<&MessageTrain<f32>>,
) -> Vec<f64> {
    let Some(messages) = messages else {
        return train.map_or(Vec::new(), |t| t.counts().into_iter().map(f64::from).collect());
    };
    let mut counts = vec![0.0; messages.neurons()];
    for &(n, sent) in (0..messages.steps()).flat_map(|t| messages.step(t)) {
        counts[n as usize] += f64::from(sent);
    }
    counts
}

/// Whether a node's spikes carry values.
pub(crate) fn sends_values(op: &Op) -> bool {
    matches!(op, Op::Neuron(n) if n.emission != Emission::Binary)
}

/// Membranes of a node before the first step.
pub(crate) fn state(op: &Op, size: usize) -> State {
    if let Op::Neuron(neuron) = op { State::new(neuron, size) } else { State::default() }
}

/// The state of one run.
struct Run<'a, 'n> {
    sim: &'a FloatSim<'n>,
    /// `values[node][step mod depth]`, zero before the first step.
    values: Vec<Vec<Vec<f32>>>,
    states: Vec<State>,
    trains: Vec<Option<SpikeTrain>>,
    messages: BTreeMap<NodeId, MessageTrain<f32>>,
    traces: Vec<FloatTrace>,
    scratch: Vec<f32>,
}

/// The value that a node held `delay` steps before step `t`, from the ring of its values.
pub(crate) fn value(ring: &[Vec<f32>], t: usize, delay: usize) -> &[f32] {
    // A delay beyond the run reads slots that are never written: zeros.
    let delay = delay.min(ring.len() - 1);
    &ring[(t + ring.len() - delay) % ring.len()]
}

impl Run<'_, '_> {
    fn step(&mut self, id: NodeId, t: usize, stimulus: &Stimulus) {
        let i = id.index();
        let slot = t % self.values[i].len();
        let mut out = std::mem::take(&mut self.values[i][slot]);
        let mut scratch = std::mem::take(&mut self.scratch);
        let node = &self.sim.network.nodes[id];
        let read = |e: &Edge| value(&self.values[e.source.index()], t, e.delay as usize);
        let inputs: Vec<&[f32]> = node.inputs.iter().map(read).collect();
        match &self.sim.plan.operators[i] {
            Operator::Input(k) => match &stimulus.inputs[*k] {
                Signal::Frame(frame) => out.copy_from_slice(frame),
                Signal::Spikes(train) => {
                    out.fill(0.0);
                    train.active(t).for_each(|n| out[n] = 1.0);
                }
            },
            Operator::Neuron(neuron) => {
                let current = inputs[0];
                self.states[i].update(neuron, current, &mut out);
                if let Some(train) = &mut self.trains[i] {
                    let fired = out.iter().enumerate().filter(|(_, s)| **s != 0.0);
                    fired.for_each(|(n, _)| train.set(t, n));
                }
                if let Some(messages) = self.messages.get_mut(&id) {
                    let sent = (0_u32..).zip(&*out).filter(|(_, s)| **s != 0.0);
                    messages.put(t, sent.map(|(n, &s)| (n, s)).collect());
                }
            }
            operator => self.sim.plan.apply(operator, &inputs, &mut scratch, &mut out),
        }
        self.values[i][slot] = out;
        self.scratch = scratch;
    }
}
