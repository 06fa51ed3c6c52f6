//! The float simulator against a naive model: values by recursion over (node, step), sums by
//! target, zeros included.

use crate::common::Rng;
use crate::common::float_net::{random, stimulus};
use proptest::prelude::*;
use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::level::{Level, Rules};
use snnc_ir::network::{
    Compare, Dynamics, Emission, Keep, LinearDynamics, Network, Op, Readout, Reset,
};
use snnc_ir::testing::{Space, network};
use snnc_runtime::float::{FloatProbe, FloatRun, Signal, Stimulus, simulate};
use std::collections::BTreeMap;

/// Value of a node in a step; for neurons what they send, membrane before and after the reset,
/// recovery variable, synaptic current, and steps for which it is still held.
#[derive(Clone, Default)]
struct Cell {
    out: Vec<f32>,
    h: Vec<f32>,
    v: Vec<f32>,
    r: Vec<f32>,
    i: Vec<f32>,
    held: Vec<u32>,
}

struct Naive<'a> {
    network: &'a Network,
    stimulus: &'a Stimulus,
    memo: BTreeMap<(NodeId, i64), Cell>,
}

impl Naive<'_> {
    fn at(&mut self, id: NodeId, t: i64) -> Cell {
        if let Some(known) = self.memo.get(&(id, t)) {
            return known.clone();
        }
        let network = self.network;
        let node = &network.nodes[id];
        let size = node.shape.size();
        let cell = if t < 0 {
            let v = if let Op::Neuron(n) = &node.op { vec![n.v_init; size] } else { Vec::new() };
            let (out, r) = (vec![0.0; size], vec![0.0; size]);
            Cell { out, h: v.clone(), v, i: r.clone(), r, held: vec![0; size] }
        } else {
            let edges = node.inputs.iter();
            let inputs: Vec<_> =
                edges.map(|e| self.at(e.source, t - i64::from(e.delay)).out).collect();
            self.compute(id, t, &inputs)
        };
        self.memo.insert((id, t), cell.clone());
        cell
    }

    fn compute(&mut self, id: NodeId, t: i64, inputs: &[Vec<f32>]) -> Cell {
        let network = self.network;
        let node = &network.nodes[id];
        let size = node.shape.size();
        let data = |id| network.values(id);
        let mut out = vec![0.0_f32; size];
        match &node.op {
            Op::Input(_) => {
                let inputs = network.nodes.iter().filter(|(_, n)| matches!(n.op, Op::Input(_)));
                let number = inputs.take_while(|(other, _)| *other != id).count();
                match &self.stimulus.inputs[number] {
                    Signal::Frame(frame) => out.clone_from(frame),
                    Signal::Spikes(train) => {
                        for (n, y) in out.iter_mut().enumerate() {
                            *y = if train.get(usize::try_from(t).unwrap(), n) { 1.0 } else { 0.0 };
                        }
                    }
                }
            }
            Op::Linear { weight, bias } => {
                let (cols, weights) = (inputs[0].len(), data(*weight));
                for (o, y) in out.iter_mut().enumerate() {
                    for (i, x) in inputs[0].iter().enumerate() {
                        *y += weights[o * cols + i] * x;
                    }
                    if let Some(bias) = bias {
                        *y += data(*bias)[o];
                    }
                }
            }
            Op::Conv2d { weight, bias, conv } => {
                let weights = data(*weight);
                let per_channel = size / conv.out_channels as usize;
                for (o, y) in out.iter_mut().enumerate() {
                    conv.for_sources(o, |i, k| *y += weights[k] * inputs[0][i]);
                    if let Some(bias) = bias {
                        *y += data(*bias)[o / per_channel];
                    }
                }
            }
            Op::BatchNorm { gamma, beta, mean, variance, eps } => {
                for (o, y) in out.iter_mut().enumerate() {
                    let c = o / node.shape.per_channel();
                    let value = |id| f64::from(data(id)[c]);
                    let s = value(*gamma) / (value(*variance) + eps).sqrt();
                    let shift = value(*beta) - value(*mean) * s;
                    #[expect(clippy::cast_possible_truncation, reason = "the stated rounding")]
                    let (s, shift) = (s as f32, shift as f32);
                    let product = inputs[0][o] * s;
                    *y = product + shift;
                }
            }
            Op::Add => {
                out.clone_from(&inputs[0]);
                for x in &inputs[1..] {
                    (0..size).for_each(|n| out[n] += x[n]);
                }
            }
            Op::Concat | Op::Flatten => out = inputs.concat(),
            Op::AvgPool { window, exclude_pad } => {
                for (o, y) in out.iter_mut().enumerate() {
                    let mut inside = 0.0;
                    window.for_sources(o, |i, _| {
                        *y += inputs[0][i];
                        inside += 1.0;
                    });
                    let [h, w] = window.kernel.map(|k| f32::from(u16::try_from(k).unwrap()));
                    *y /= if *exclude_pad { inside } else { h * w };
                }
            }
            Op::GlobalAvgPool => {
                let area = inputs[0].len() / size;
                for (c, y) in out.iter_mut().enumerate() {
                    inputs[0][c * area..(c + 1) * area].iter().for_each(|x| *y += x);
                    *y /= f32::from(u16::try_from(area).unwrap());
                }
            }
            Op::Relay(keep) => {
                for (y, x) in out.iter_mut().zip(&inputs[0]) {
                    let kept = match keep {
                        None => *x,
                        Some(Keep::Positive) => x.max(0.0),
                        Some(Keep::Negative) => x.min(0.0),
                    };
                    // +0 where nothing is kept.
                    *y = kept + 0.0;
                }
            }
            Op::Crop([top, _, left, _]) => {
                let [_, h, w] = network.nodes[node.inputs[0].source].shape.as_chw().unwrap();
                let [_, out_h, out_w] = node.shape.as_chw().unwrap();
                for (o, y) in (0_u32..).zip(&mut out) {
                    let (c, row, column) = (o / (out_h * out_w), o / out_w % out_h, o % out_w);
                    *y = inputs[0][((c * h + row + top) * w + column + left) as usize];
                }
            }
            Op::Zero => {}
            Op::Neuron(neuron) => {
                let mut cell = self.at(id, t - 1);
                for n in 0..size {
                    cell.out[n] = 0.0;
                    let mut x = inputs[0][n];
                    if let Some(current) = neuron.dynamics.current() {
                        let kept = cell.i[n] * current.keep.at(n, &node.shape);
                        x = kept + x * current.gain.at(n, &node.shape);
                        cell.i[n] = x;
                    }
                    if cell.held[n] > 0 {
                        cell.held[n] -= 1;
                        cell.h[n] = cell.v[n];
                        continue;
                    }
                    let (v, i) = (cell.v[n], x);
                    let h = match &neuron.dynamics {
                        Dynamics::Integrate => v + i,
                        Dynamics::Tau(tau) => {
                            let d = i - v;
                            v + d / tau.at(n, &node.shape)
                        }
                        Dynamics::Decay(decay) => {
                            let p = v * (1.0 - decay.at(n, &node.shape));
                            p + i
                        }
                        Dynamics::Sigmoid(w) => {
                            let w = f64::from(w.at(n, &node.shape));
                            let growth = 1.0 + (-w).exp() as f32;
                            let p = (i - v) * growth.recip();
                            v + p
                        }
                        Dynamics::Linear(linear) => {
                            let [keep, gain, drive] = [&linear.keep, &linear.gain, &linear.drive]
                                .map(|param| param.at(n, &node.shape));
                            let kept = v * keep;
                            (kept + i * gain) + drive
                        }
                        Dynamics::Izhikevich { a, b, .. } => {
                            let square = (0.04_f32 * v) * v;
                            let change = (((square + 5.0 * v) - cell.r[n]) + 140.0) + i;
                            let h = v + change;
                            let recovery = (a * b) as f32 * h - *a as f32 * cell.r[n];
                            cell.r[n] += recovery;
                            h
                        }
                    };
                    let floor = neuron.floor.as_ref().map(|floor| floor.at(n, &node.shape));
                    let h = floor.filter(|floor| h < *floor).unwrap_or(h);
                    let threshold = neuron.threshold.at(n, &node.shape);
                    let fires = match neuron.compare {
                        Compare::Gt => h > threshold,
                        Compare::Ge => h >= threshold,
                    };
                    (cell.h[n], cell.v[n]) = (h, h);
                    if let Emission::Burst { factor } = neuron.emission {
                        let x = (h - threshold).clamp(-0.5, 4.5);
                        let s = (x.ceil() + x) - x;
                        cell.out[n] = if s > 1.0 { s * factor } else { s };
                        cell.v[n] = h * (1.0 - s);
                        continue;
                    }
                    if fires && neuron.emission == Emission::Several {
                        cell.out[n] = (h / threshold).floor();
                        let taken = cell.out[n] * threshold;
                        cell.v[n] = h - taken;
                        continue;
                    }
                    if fires {
                        if let Dynamics::Izhikevich { d, .. } = neuron.dynamics {
                            cell.r[n] += d as f32;
                        }
                        cell.out[n] = 1.0;
                        cell.held[n] = neuron.refractory;
                        cell.v[n] = match neuron.reset {
                            Reset::To(value) => value,
                            Reset::Subtract => h - threshold,
                        };
                    }
                }
                return cell;
            }
        }
        Cell { out, ..Cell::default() }
    }
}

fn check(network: &Network, stimulus: &Stimulus, run: &FloatRun) -> Result<(), TestCaseError> {
    let mut naive = Naive { network, stimulus, memo: BTreeMap::new() };
    let steps = i64::from(network.steps);
    for (&id, train) in &run.spikes {
        for t in 0..steps {
            for (n, x) in naive.at(id, t).out.iter().enumerate() {
                let fired = train.get(usize::try_from(t).unwrap(), n);
                prop_assert_eq!(*x > 0.0, fired, "node {} step {} neuron {}", id, t, n);
                if let Some(messages) = run.messages.get(&id) {
                    let sent = messages.get(usize::try_from(t).unwrap(), n).unwrap_or(0.0);
                    prop_assert_eq!(sent.to_bits(), x.to_bits(), "{} {} {}", id, t, n);
                }
            }
        }
    }
    for trace in &run.traces {
        for t in 0..steps {
            let (cell, step) = (naive.at(trace.node, t), usize::try_from(t).unwrap());
            let expected = [cell.h[trace.neuron], cell.v[trace.neuron]].map(f32::to_bits);
            prop_assert_eq!([trace.h[step], trace.v[step]].map(f32::to_bits), expected);
        }
    }
    let node = network.readout.node();
    let mut scores = vec![0.0_f64; network.nodes[node].shape.size()];
    for t in 0..steps {
        let cell = naive.at(node, t);
        scores.iter_mut().zip(&cell.out).for_each(|(s, x)| *s += f64::from(*x));
    }
    if matches!(network.readout, Readout::MeanLinear(_)) {
        scores.iter_mut().for_each(|s| *s /= f64::from(network.steps));
    }
    prop_assert_eq!(&scores, &run.scores);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Bit for bit, membranes included.
    #[test]
    fn the_simulator_equals_the_naive_model(seed: u64) {
        let rng = &mut Rng(seed);
        let network = random(rng);
        let stimulus = stimulus(&network, rng);
        let run = simulate(&network, &stimulus, &FloatProbe::All).unwrap();
        check(&network, &stimulus, &run)?;
    }

    /// Small networks that shrink.
    #[test]
    fn generated_networks_equal_the_naive_model(draft in network(Space::Everything), seed: u64) {
        let network = Network::verify(draft, &Rules::default()).unwrap();
        let stimulus = stimulus(&network, &mut Rng(seed));
        let run = simulate(&network, &stimulus, &FloatProbe::All).unwrap();
        check(&network, &stimulus, &run)?;
    }
}

/// The generator reaches what the test above is about.
#[test]
fn random_networks_hold_every_kind_of_node_and_spike() {
    let mut kinds = BTreeMap::new();
    let mut spiking = 0;
    for seed in 0..200 {
        let rng = &mut Rng(seed);
        let network = random(rng);
        let stimulus = stimulus(&network, rng);
        let run = simulate(&network, &stimulus, &FloatProbe::None).unwrap();
        for node in network.nodes.values() {
            let kind = match &node.op {
                Op::Neuron(n) if n.emission == Emission::Several => "several",
                Op::Neuron(n) if n.emission != Emission::Binary => "burst",
                Op::Neuron(n) => match n.dynamics {
                    Dynamics::Linear(LinearDynamics { current: Some(_), .. }) => "filtered",
                    Dynamics::Linear(_) => "linear neuron",
                    Dynamics::Sigmoid(_) => "sigmoid",
                    Dynamics::Izhikevich { .. } => "izhikevich",
                    _ => "neuron",
                },
                op => op.name(),
            };
            *kinds.entry(kind).or_insert(0) += 1;
        }
        let last = network.nodes.ids().filter(|id| matches!(network.nodes[*id].op, Op::Neuron(_)));
        let last = last.max_by_key(|id| id.index()).unwrap();
        spiking += u32::from(run.spikes[&last].count() > 0);
    }
    assert_eq!(kinds.len(), 19, "{kinds:?}");
    assert!(kinds.values().all(|&n| n > 20), "{kinds:?}");
    assert!(spiking > 80, "{spiking}");
}
