//! Event-driven simulator of the float level.
//!
//! A `Linear` or `Conv2d` node is summed in integers, source by source and in any order, where its plan
//! proves that f32 rounds nothing: weights and inputs are whole numbers of powers of two, and no sum can
//! exceed 2^24 units (`grid`). Everywhere else the stated order of f32 operations is kept, as the
//! definition does. Neurons are updated 64 at a time, those of Izhikevich and those that send bursts one
//! by one. The results are those of [`crate::float`] either way.

mod grid;
mod neuron;
mod plan;

use super::part::Part;
use super::simd::{list, wide};
use super::synapses::Scratch;
use crate::error::SimError;
use crate::float::plan::Operator;
use crate::float::{self, FloatProbe, FloatRun, FloatTrace, sends_values, spike_counts, value};
use crate::messages::MessageTrain;
use crate::stimulus::{Signal, Stimulus};
use neuron::{Model, State};
use plan::{Exact, Plan, Source};
use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::network::{Edge, Network, Op, Readout};
use snnc_ir::spikes::SpikeTrain;
use std::collections::BTreeMap;

/// Runs `network` once, as [`float::simulate`] does. To run it often, make a [`FloatSim`] first.
///
/// # Errors
/// As [`float::simulate`].
pub fn simulate(
    network: &Network,
    stimulus: &Stimulus,
    probe: &FloatProbe,
) -> Result<FloatRun, SimError> {
    FloatSim::new(network)?.run(stimulus, probe)
}

/// A network prepared for event-driven simulation.
pub struct FloatSim<'n> {
    /// The definition, without weights of nodes that are summed in integers.
    base: float::FloatSim<'n>,
    plan: Plan,
    /// By node; `None` unless it is a population that is updated in blocks.
    models: Vec<Option<Model>>,
}

impl<'n> FloatSim<'n> {
    /// Prepares `network`.
    ///
    /// # Errors
    /// As [`float::FloatSim::new`].
    pub fn new(network: &'n Network) -> Result<Self, SimError> {
        // Sizes and cycles are judged before anything is laid out.
        let base = float::FloatSim::without(network, |_| true)?;
        let plan = Plan::new(network, base.order(), &base.plan.operators);
        let base = float::FloatSim::without(network, |id| plan.exact[id.index()].is_some())?;
        let model = |node: &snnc_ir::network::Node| match &node.op {
            Op::Neuron(neuron) => Model::new(neuron, &node.shape),
            _ => None,
        };
        let models = network.nodes.values().map(model).collect();
        Ok(Self { base, plan, models })
    }

    /// The network.
    pub const fn network(&self) -> &'n Network {
        self.base.network()
    }

    /// Input nodes in the order of a stimulus.
    pub fn inputs(&self) -> &[NodeId] {
        self.base.inputs()
    }

    /// Nodes in order of evaluation within a step.
    pub fn order(&self) -> &[NodeId] {
        self.base.order()
    }

    /// Checks that every signal fits its input.
    ///
    /// # Errors
    /// As [`float::FloatSim::check`].
    pub fn check(&self, stimulus: &Stimulus) -> Result<(), SimError> {
        self.base.check(stimulus)
    }

    /// Nodes that are summed in integers, of those that have weights: for reports of what a plan
    /// proved.
    pub fn exact(&self) -> (usize, usize) {
        let nodes = self.network().nodes.values();
        let weighted = nodes.filter(|n| matches!(n.op, Op::Linear { .. } | Op::Conv2d { .. }));
        (self.plan.exact.iter().flatten().count(), weighted.count())
    }

    /// Runs the network once.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn run(&self, stimulus: &Stimulus, probe: &FloatProbe) -> Result<FloatRun, SimError> {
        self.check(stimulus)?;
        let chosen = self.base.resolve(probe, self.base.steps)?;
        let trace = |&(node, neuron)| FloatTrace { node, neuron, h: Vec::new(), v: Vec::new() };
        let mut traces: Vec<_> = chosen.iter().map(trace).collect();
        let run = self.drive(stimulus, &chosen, &mut |_, membranes| {
            for (trace, &[h, v]) in traces.iter_mut().zip(membranes) {
                trace.h.push(h);
                trace.v.push(v);
            }
        });
        Ok(FloatRun { traces, ..run })
    }

    /// Runs the network once. Membranes that `probe` chooses are not kept: `watch` gets them after every step,
    /// with the step, as compared membrane and membrane of each neuron in the order of the probe.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn watch(
        &self,
        stimulus: &Stimulus,
        probe: &FloatProbe,
        watch: &mut dyn FnMut(usize, &[[f32; 2]]),
    ) -> Result<FloatRun, SimError> {
        self.check(stimulus)?;
        let chosen = self.base.resolve(probe, 1)?;
        Ok(self.drive(stimulus, &chosen, watch))
    }

    /// All steps on a stimulus that fits. Keeps no membranes.
    fn drive(
        &self,
        stimulus: &Stimulus,
        chosen: &[(NodeId, usize)],
        watch: &mut dyn FnMut(usize, &[[f32; 2]]),
    ) -> FloatRun {
        let nodes = &self.network().nodes;
        let mut run = Run::new(self, stimulus, !chosen.is_empty());
        let mut membranes = Vec::new();
        let readout = self.network().readout;
        let mut sums = vec![0.0_f64; nodes[readout.node()].shape.size()];
        for t in 0..self.base.steps {
            for &id in self.order() {
                run.step(id, t, stimulus);
            }
            if !chosen.is_empty() {
                membranes.clear();
                membranes.extend(chosen.iter().map(|&(node, neuron)| run.membranes(node, neuron)));
                watch(t, &membranes);
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
                sums.iter().map(|s| s / f64::from(self.network().steps)).collect()
            }
            Readout::SpikeCount(node) => spike_counts(spikes.get(&node), run.messages.get(&node)),
        };
        FloatRun { spikes, messages: run.messages, scores, traces: Vec::new() }
    }
}

/// What a population keeps during a run.
enum Body {
    None,
    Blocks(State),
    Single(float::neuron::State),
}

/// The state of one run.
struct Run<'a, 'n> {
    sim: &'a FloatSim<'n>,
    /// `values[node][step mod depth]`, zero before the first step; empty rows where only spikes are
    /// read.
    values: Vec<Vec<Vec<f32>>>,
    bodies: Vec<Body>,
    trains: Vec<Option<SpikeTrain>>,
    messages: BTreeMap<NodeId, MessageTrain<f32>>,
    work: Work,
}

/// Memory that steps share.
#[derive(Default)]
struct Work {
    active: Vec<u32>,
    /// Of a pooling: spikes per window, and the windows that have some.
    counts: Vec<i32>,
    windows: Vec<u32>,
    factors: Vec<i32>,
    sums: Vec<i32>,
    scratch: Scratch,
    /// Of the definition's kernels.
    terms: Vec<f32>,
}

impl<'a, 'n> Run<'a, 'n> {
    fn new(sim: &'a FloatSim<'n>, stimulus: &Stimulus, traced: bool) -> Self {
        let nodes = &sim.network().nodes;
        let ring = |(id, node): (NodeId, &snnc_ir::network::Node)| {
            let size = if sim.plan.dense[id.index()] { node.shape.size() } else { 0 };
            vec![vec![0.0; size]; sim.base.depth[id.index()]]
        };
        let body = |(id, node): (NodeId, &snnc_ir::network::Node)| match &sim.models[id.index()] {
            Some(model) => Body::Blocks(State::new(model, traced)),
            None if matches!(node.op, Op::Neuron(_)) => {
                Body::Single(float::state(&node.op, node.shape.size()))
            }
            None => Body::None,
        };
        let bursts = nodes.iter().filter(|(_, n)| sends_values(&n.op));
        Self {
            sim,
            values: nodes.iter().map(ring).collect(),
            bodies: nodes.iter().map(body).collect(),
            trains: sim.base.trains(stimulus),
            messages: bursts
                .map(|(id, n)| (id, MessageTrain::new(sim.base.steps, n.shape.size())))
                .collect(),
            work: Work::default(),
        }
    }

    fn step(&mut self, id: NodeId, t: usize, stimulus: &Stimulus) {
        let i = id.index();
        let slot = t % self.values[i].len();
        let mut out = std::mem::take(&mut self.values[i][slot]);
        let mut work = std::mem::take(&mut self.work);
        if let Some(exact) = &self.sim.plan.exact[i] {
            self.exact(exact, id, t, &mut work, &mut out);
        } else if let Some(pool) = &self.sim.plan.pools[i] {
            // Who reads counts makes them.
            if self.sim.plan.dense[i] {
                self.spikes(self.sim.network().nodes[id].inputs[0], t, 0, &mut work.active);
                pool.apply(&work.active, &mut out);
            }
        } else {
            self.inexact(id, t, stimulus, &mut work, &mut out);
        }
        self.values[i][slot] = out;
        self.work = work;
    }

    /// Lists the sources whose spikes `edge` carried `ago` steps before step `t`.
    fn spikes(&self, edge: Edge, t: usize, ago: u32, active: &mut Vec<u32>) {
        let then = t.checked_sub(edge.delay as usize + ago as usize);
        let train = self.trains[edge.source.index()].as_ref();
        match (then, train) {
            (Some(then), Some(train)) => list(train.step(then), active),
            _ => active.clear(),
        }
    }

    /// A matrix node in integers.
    fn exact(&self, exact: &Exact, id: NodeId, t: usize, work: &mut Work, out: &mut [f32]) {
        let edge = self.sim.network().nodes[id].inputs[0];
        let synapses = &self.sim.plan.synapses[exact.synapses];
        work.sums.clear();
        work.sums.resize(out.len(), 0);
        let whole = Part::whole(out.len());
        match exact.source {
            Source::Spikes => {
                self.spikes(edge, t, 0, &mut work.active);
                synapses.add(&work.active, whole, &mut work.scratch, &mut work.sums);
            }
            Source::Counts(pool) => {
                let before = self.sim.network().nodes[pool].inputs[0];
                self.spikes(before, t, edge.delay, &mut work.active);
                let Work { active, counts, windows, factors, scratch, sums, .. } = work;
                if let Some(pool) = &self.sim.plan.pools[pool.index()] {
                    pool.count(active, counts, windows, factors);
                    synapses.add_scaled(windows, factors, whole, scratch, sums);
                }
            }
            Source::Values(scale) => {
                let source = value(&self.values[edge.source.index()], t, edge.delay as usize);
                factors(source, scale, &mut work.active, &mut work.factors);
                let Work { active, factors, scratch, sums, .. } = work;
                synapses.add_scaled(active, factors, whole, scratch, sums);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 2^24, by the plan")]
        wide(
            #[inline(always)]
            || {
                for (y, &sum) in out.iter_mut().zip(&work.sums) {
                    *y = sum as f32 * exact.unit;
                }
                if let Some(bias) = &exact.bias {
                    for (y, b) in out.iter_mut().zip(bias) {
                        *y += b;
                    }
                }
            },
        );
    }

    /// Any other node.
    fn inexact(
        &mut self,
        id: NodeId,
        t: usize,
        stimulus: &Stimulus,
        work: &mut Work,
        out: &mut [f32],
    ) {
        let i = id.index();
        let node = &self.sim.network().nodes[id];
        let read = |e: &Edge| value(&self.values[e.source.index()], t, e.delay as usize);
        let inputs: Vec<&[f32]> = node.inputs.iter().map(read).collect();
        match &self.sim.base.plan.operators[i] {
            Operator::Input(k) => match &stimulus.inputs[*k] {
                Signal::Frame(frame) => out.copy_from_slice(frame),
                Signal::Spikes(train) => spread(train, t, out),
            },
            Operator::Neuron(neuron) => {
                let Some(train) = &mut self.trains[i] else { return };
                match (&mut self.bodies[i], &self.sim.models[i]) {
                    (Body::Blocks(state), Some(model)) => {
                        state.update(model, inputs[0], train, t);
                        spread(train, t, out);
                    }
                    (Body::Single(state), _) => {
                        let mut sent = vec![0.0; node.shape.size()];
                        state.update(neuron, inputs[0], &mut sent);
                        let fired = (0_u32..).zip(&sent).filter(|(_, s)| **s != 0.0);
                        let fired: Vec<_> = fired.map(|(n, &s)| (n, s)).collect();
                        for &(n, _) in &fired {
                            train.set(t, n as usize);
                        }
                        if let Some(messages) = self.messages.get_mut(&id) {
                            messages.put(t, fired);
                        }
                        out.copy_from_slice(&sent[..out.len()]);
                    }
                    _ => {}
                }
            }
            operator => self.sim.base.plan.apply(operator, &inputs, &mut work.terms, out),
        }
    }

    /// Compared membrane and membrane of a neuron.
    fn membranes(&self, node: NodeId, neuron: usize) -> [f32; 2] {
        match &self.bodies[node.index()] {
            Body::Blocks(state) => state.membranes(neuron),
            Body::Single(state) => [state.h[neuron], state.v[neuron]],
            // Has no membranes, so that no probe chooses it.
            Body::None => [0.0; 2],
        }
    }
}

/// Writes the spikes of step `t` as values, if anybody reads them so.
fn spread(train: &SpikeTrain, t: usize, out: &mut [f32]) {
    if !out.is_empty() {
        out.fill(0.0);
        train.active(t).for_each(|n| out[n] = 1.0);
    }
}

/// Values that are not 0, in units, `scale` to a value of 1.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers up to 2^24, by the plan")]
fn factors(values: &[f32], scale: f32, active: &mut Vec<u32>, factors: &mut Vec<i32>) {
    active.clear();
    factors.clear();
    for (n, &x) in (0_u32..).zip(values).filter(|(_, x)| **x != 0.0) {
        active.push(n);
        factors.push((x * scale) as i32);
    }
}
