//! The float level in batches.

use super::float_neuron::{Model, State};
use super::float_ops::Operator;
use super::{Device, ReadBack, matrix, upload, zeros};
use crate::error::{SimError, check_words};
use crate::float::{self, FloatRun};
use crate::stimulus::{Signal, Stimulus};
use burn::tensor::Tensor;
use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::network::{Network, Op, Readout};
use snnc_ir::spikes::SpikeTrain;
use std::collections::BTreeMap;

/// A float network on a device.
pub struct FloatSim<'n> {
    /// Checks stimuli and knows the order of evaluation.
    reference: float::FloatSim<'n>,
    network: &'n Network,
    device: Device,
    operators: Vec<Operator>,
    /// By node; `None` where it is no population of neurons.
    models: Vec<Option<Model>>,
}

impl<'n> FloatSim<'n> {
    /// Puts `network` on `device`.
    ///
    /// # Errors
    /// As [`float::FloatSim::new`]; [`SimError::Unsupported`] for Izhikevich's neurons, for graded
    /// bursts and for several spikes in one step, which only the reference simulates.
    pub fn new(network: &'n Network, device: &Device) -> Result<Self, SimError> {
        let reference = float::FloatSim::new(network)?;
        let nodes = || network.nodes.values();
        let operators = nodes().map(|n| Operator::new(network, n, device));
        Ok(Self {
            reference,
            network,
            device: device.clone(),
            operators: operators.collect::<Result<_, _>>()?,
            models: nodes().map(Model::new).collect::<Result<_, _>>()?,
        })
    }

    /// Runs all `stimuli` together: what [`float::FloatSim::run`] gives for each, without traces.
    ///
    /// # Errors
    /// [`SimError::Sample`] for a stimulus that does not fit, [`SimError::TooLarge`] for a batch too
    /// large for memory, [`SimError::Tensor`].
    pub fn run(&self, stimuli: &[Stimulus]) -> Result<Vec<FloatRun>, SimError> {
        for (index, stimulus) in stimuli.iter().enumerate() {
            self.reference
                .check(stimulus)
                .map_err(|e| SimError::Sample { index, source: Box::new(e) })?;
        }
        if stimuli.is_empty() {
            return Ok(Vec::new());
        }
        let (nodes, batch) = (&self.network.nodes, stimuli.len());
        let steps = self.network.steps as usize;
        let size = |id: NodeId| nodes[id].shape.size();
        // What is read back: spikes of every population, and the values of an analog readout.
        let mut read: Vec<NodeId> =
            nodes.ids().filter(|id| matches!(nodes[*id].op, Op::Neuron(_))).collect();
        if let Readout::MeanLinear(node) = self.network.readout {
            read.push(node);
        }
        let columns = read.iter().map(|&id| size(id)).sum::<usize>();
        check_words("the batch", (steps * batch) as u64 * columns as u64)?;
        let mut run = Run {
            sim: self,
            batch,
            inputs: self.inputs(stimuli, steps),
            history: nodes.ids().map(|_| Vec::new()).collect(),
            states: (self.models.iter())
                .map(|model| model.as_ref().map(|m| State::new(m, batch, &self.device)))
                .collect(),
        };
        let mut rows = Vec::with_capacity(steps);
        for t in 0..steps {
            for &id in self.reference.order() {
                let value = run.step(id, t);
                run.history[id.index()].push(value);
            }
            let values = read.iter().map(|id| run.history[id.index()][t].clone()).collect();
            rows.push(Tensor::cat(values, 1));
            run.forget(t);
        }
        let back = ReadBack::new(rows, batch, columns)?;
        Ok((0..batch).map(|sample| self.collect(sample, &stimuli[sample], &read, &back)).collect())
    }

    /// Input values: `[steps · batch, n]` for spikes, `[batch, n]` for frames.
    fn inputs(&self, stimuli: &[Stimulus], steps: usize) -> BTreeMap<NodeId, (Tensor<2>, bool)> {
        let tensor = |(k, &id): (usize, &NodeId)| {
            let n = self.network.nodes[id].shape.size();
            let mut trains = Vec::new();
            let mut frames = Vec::new();
            for stimulus in stimuli {
                match &stimulus.inputs[k] {
                    Signal::Spikes(train) => trains.push(train),
                    Signal::Frame(frame) => frames.extend_from_slice(frame),
                }
            }
            let value = if trains.is_empty() {
                (matrix(frames, [stimuli.len(), n], &self.device), false)
            } else {
                (upload(&trains, steps, n, &self.device), true)
            };
            (id, value)
        };
        self.reference.inputs().iter().enumerate().map(tensor).collect()
    }

    /// The result of one sample.
    fn collect(
        &self,
        sample: usize,
        stimulus: &Stimulus,
        read: &[NodeId],
        back: &ReadBack,
    ) -> FloatRun {
        let (nodes, steps) = (&self.network.nodes, self.network.steps as usize);
        let mut spikes = BTreeMap::new();
        for (&id, signal) in self.reference.inputs().iter().zip(&stimulus.inputs) {
            if let Signal::Spikes(train) = signal {
                spikes.insert(id, train.clone());
            }
        }
        let (mut first, mut scores) = (0, Vec::new());
        for &id in read {
            let n = nodes[id].shape.size();
            if matches!(nodes[id].op, Op::Neuron(_)) {
                let mut train = SpikeTrain::new(steps, n);
                back.spikes(sample, first, &mut train);
                spikes.insert(id, train);
            } else {
                let mut sums = vec![0.0_f64; n];
                for t in 0..steps {
                    let row = back.row(t, sample, first, n);
                    sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
                }
                scores = sums.iter().map(|s| s / f64::from(self.network.steps)).collect();
            }
            first += n;
        }
        if let Readout::SpikeCount(node) = self.network.readout {
            let counts = spikes.get(&node).map(SpikeTrain::counts).unwrap_or_default();
            scores = counts.into_iter().map(f64::from).collect();
        }
        FloatRun { spikes, messages: BTreeMap::new(), scores, traces: Vec::new() }
    }
}

/// The state of one run.
struct Run<'a, 'n> {
    sim: &'a FloatSim<'n>,
    batch: usize,
    /// Values of inputs, and whether they change from step to step.
    inputs: BTreeMap<NodeId, (Tensor<2>, bool)>,
    /// Values of each node in each step; an empty tensor where no reader is left.
    history: Vec<Vec<Tensor<2>>>,
    states: Vec<Option<State>>,
}

impl Run<'_, '_> {
    /// Value of a node in step `t`.
    fn step(&mut self, id: NodeId, t: usize) -> Tensor<2> {
        let nodes = &self.sim.network.nodes;
        if let Some((tensor, changes)) = self.inputs.get(&id) {
            let tensor = tensor.clone();
            return if *changes { tensor.narrow(0, t * self.batch, self.batch) } else { tensor };
        }
        let mut inputs: Vec<_> = nodes[id]
            .inputs
            .iter()
            .map(|e| match t.checked_sub(e.delay as usize) {
                Some(then) => self.history[e.source.index()][then].clone(),
                None => zeros(self.batch, nodes[e.source].shape.size(), &self.sim.device),
            })
            .collect();
        match (&mut self.states[id.index()], inputs.pop()) {
            (Some(state), Some(current)) => state.update(current, &self.sim.device),
            (_, last) => {
                inputs.extend(last);
                self.sim.operators[id.index()].apply(inputs, self.batch, &self.sim.device)
            }
        }
    }

    /// Frees the values that no delay reaches after step `t`.
    fn forget(&mut self, t: usize) {
        let nodes = &self.sim.network.nodes;
        for id in nodes.ids() {
            let edges = nodes.values().flat_map(|n| &n.inputs).filter(|e| e.source == id);
            let longest = edges.map(|e| e.delay as usize).max().unwrap_or(0);
            if let Some(old) = t.checked_sub(longest) {
                self.history[id.index()][old] = zeros(1, 1, &self.sim.device);
            }
        }
    }
}
