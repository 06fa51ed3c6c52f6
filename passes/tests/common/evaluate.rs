//! An evaluator in f64, written from the semantics of the level and not from any pass.

use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Compare, Dynamics, Emission, Keep, Neuron, Op, Reset};
use snnc_ir::{Entity, NetworkDraft};

/// Values of all nodes: `[step][node][element]`.
pub struct Trace {
    pub values: Vec<Vec<Vec<f64>>>,
    /// Smallest distance of a membrane to its threshold so far: `[step]`.
    pub margin: Vec<f64>,
}

impl Trace {
    /// Value of the node called `name` in step `t`.
    pub fn value(&self, draft: &NetworkDraft, t: usize, name: &str) -> &[f64] {
        let id = draft.node_named(name).unwrap_or_else(|| panic!("no node `{name}`"));
        &self.values[t][id.index()]
    }

    /// The `size` values of the node called `name` in step `t`, or of the parts that it was split
    /// into, if all of them are still there.
    pub fn spikes(
        &self,
        draft: &NetworkDraft,
        t: usize,
        name: &str,
        size: usize,
    ) -> Option<Vec<f64>> {
        let values = self.parts(draft, t, name);
        (values.len() == size).then_some(values)
    }

    fn parts(&self, draft: &NetworkDraft, t: usize, name: &str) -> Vec<f64> {
        if let Some(id) = draft.node_named(name) {
            return self.values[t][id.index()].clone();
        }
        let part = |k: usize| format!("{name}.{k}");
        let exists = |k: &usize| draft.nodes.values().any(|n| n.name.starts_with(&part(*k)));
        (0..draft.nodes.len())
            .take_while(exists)
            .flat_map(|k| self.parts(draft, t, &part(k)))
            .collect()
    }

    /// Current that the neuron called `name` gets in step `t`.
    pub fn current(&self, draft: &NetworkDraft, t: usize, name: &str) -> Vec<f64> {
        let id = draft.node_named(name).unwrap_or_else(|| panic!("no node `{name}`"));
        let edge = draft.nodes[id].inputs[0];
        match t.checked_sub(edge.delay as usize) {
            Some(then) => self.values[then][edge.source.index()].clone(),
            None => vec![0.0; draft.nodes[edge.source].shape.size()],
        }
    }
}

/// Runs `steps` steps. `drive(name, t, size)` gives the values of a population, or `None` for a
/// neuron that is to follow its dynamics.
pub fn run(
    draft: &NetworkDraft,
    steps: usize,
    mut drive: impl FnMut(&str, usize, usize) -> Option<Vec<f64>>,
) -> Trace {
    let order = draft.order().expect("no zero-delay loop");
    let mut trace = Trace { values: Vec::new(), margin: Vec::new() };
    let mut states: Vec<State> = draft.nodes.iter().map(|(id, _)| State::new(draft, id)).collect();
    for t in 0..steps {
        trace.values.push(vec![Vec::new(); draft.nodes.len()]);
        let mut margin = f64::INFINITY;
        for &id in &order {
            let node = &draft.nodes[id];
            let inputs: Vec<Vec<f64>> = node
                .inputs
                .iter()
                .map(|e| match t.checked_sub(e.delay as usize) {
                    Some(then) => trace.values[then][e.source.index()].clone(),
                    None => vec![0.0; draft.nodes[e.source].shape.size()],
                })
                .collect();
            let size = node.shape.size();
            let value = match &node.op {
                Op::Input(_) => drive(&node.name, t, size).expect("inputs are driven"),
                Op::Neuron(neuron) => drive(&node.name, t, size).unwrap_or_else(|| {
                    states[id.index()].step(draft, id, neuron, &inputs[0], &mut margin)
                }),
                op => analog(draft, id, op, &inputs),
            };
            assert_eq!(value.len(), size, "value of `{}`", node.name);
            trace.values[t][id.index()] = value;
        }
        trace.margin.push(margin);
    }
    trace
}

fn data(draft: &NetworkDraft, t: TensorId) -> Vec<f64> {
    draft.values(t).iter().map(|&v| f64::from(v)).collect()
}

fn analog(draft: &NetworkDraft, id: NodeId, op: &Op, inputs: &[Vec<f64>]) -> Vec<f64> {
    let node = &draft.nodes[id];
    match op {
        Op::Linear { weight, bias } => {
            let (w, x) = (data(draft, *weight), &inputs[0]);
            let b = bias.map(|b| data(draft, b));
            w.chunks(x.len())
                .enumerate()
                .map(|(o, row)| {
                    let sum: f64 = row.iter().zip(x).map(|(w, x)| w * x).sum();
                    sum + b.as_ref().map_or(0.0, |b| b[o])
                })
                .collect()
        }
        Op::Conv2d { weight, bias, conv } => {
            let w = data(draft, *weight);
            let b = bias.map(|b| data(draft, b));
            let weight = |o: usize, i: usize, v: usize, u: usize| {
                let [_, per, h, k] = conv.kernel_shape().map(|d| d as usize);
                w[((o * per + i) * h + v) * k + u]
            };
            windows(conv, |o, cells| {
                let sum: f64 =
                    cells.iter().map(|&(i, v, u, at)| weight(o, i, v, u) * inputs[0][at]).sum();
                sum + b.as_ref().map_or(0.0, |b| b[o])
            })
        }
        Op::AvgPool { window, exclude_pad } => windows(window, |_, cells| {
            let sum: f64 = cells.iter().map(|c| inputs[0][c.3]).sum();
            let all = (window.kernel[0] * window.kernel[1]) as usize;
            sum / if *exclude_pad { cells.len() } else { all } as f64
        }),
        Op::GlobalAvgPool => {
            let area = inputs[0].len() / node.shape.size();
            inputs[0].chunks(area).map(|c| c.iter().sum::<f64>() / area as f64).collect()
        }
        Op::BatchNorm { gamma, beta, mean, variance, eps } => {
            let [g, b, m, v] = [gamma, beta, mean, variance].map(|t| data(draft, *t));
            let area = inputs[0].len() / g.len();
            let x = inputs[0].iter().enumerate();
            x.map(|(i, x)| {
                let c = i / area;
                (x - m[c]) * g[c] / (v[c] + eps).sqrt() + b[c]
            })
            .collect()
        }
        Op::Add => (0..node.shape.size()).map(|i| inputs.iter().map(|x| x[i]).sum()).collect(),
        Op::Concat => inputs.concat(),
        Op::Flatten => inputs[0].clone(),
        Op::Relay(keep) => {
            let clip = |x: &f64| match keep {
                None => *x,
                Some(Keep::Positive) => x.max(0.0),
                Some(Keep::Negative) => x.min(0.0),
            };
            inputs[0].iter().map(clip).collect()
        }
        Op::Crop([top, _, left, _]) => {
            let [c, h, w] = node.shape.as_chw().expect("an image").map(|d| d as usize);
            let source = &draft.nodes[node.inputs[0].source].shape;
            let [_, full_h, full_w] = source.as_chw().expect("an image").map(|d| d as usize);
            let (top, left) = (*top as usize, *left as usize);
            let mut out = Vec::new();
            for channel in 0..c {
                for y in 0..h {
                    let row = (channel * full_h + y + top) * full_w + left;
                    out.extend(&inputs[0][row..row + w]);
                }
            }
            out
        }
        Op::Zero => vec![0.0; node.shape.size()],
        Op::Input(_) | Op::Neuron(_) => unreachable!("not analog"),
    }
}

/// Every output of a window operation: `f(channel, cells)`, cells being (input channel within the
/// group, row and column in the kernel, flat input index) of those inside the input.
fn windows(conv: &Conv, f: impl Fn(usize, &[(usize, usize, usize, usize)]) -> f64) -> Vec<f64> {
    let [channels, out_h, out_w] = conv.output().expect("an output");
    let [in_c, in_h, in_w] = conv.input.map(i64::from);
    let [top, bottom, left, right] = conv.crop.map(i64::from);
    let per_in = in_c / i64::from(conv.groups);
    let per_out = i64::from(channels / conv.groups);
    let mut out = Vec::new();
    for o in 0..i64::from(channels) {
        for y in 0..i64::from(out_h) {
            for x in 0..i64::from(out_w) {
                let mut cells = Vec::new();
                for i in 0..per_in {
                    for v in 0..i64::from(conv.kernel[0]) {
                        for u in 0..i64::from(conv.kernel[1]) {
                            let row =
                                y * i64::from(conv.stride[0]) + v - i64::from(conv.pad[0]) + top;
                            let col =
                                x * i64::from(conv.stride[1]) + u - i64::from(conv.pad[2]) + left;
                            if (top..in_h - bottom).contains(&row)
                                && (left..in_w - right).contains(&col)
                            {
                                let channel = o / per_out * per_in + i;
                                let at = (channel * in_h + row) * in_w + col;
                                cells.push((i as usize, v as usize, u as usize, at as usize));
                            }
                        }
                    }
                }
                out.push(f(o as usize, &cells));
            }
        }
    }
    out
}

/// Membranes and remaining refractory steps of a population.
struct State {
    membrane: Vec<f64>,
    recovery: Vec<f64>,
    synaptic: Vec<f64>,
    held: Vec<u32>,
}

impl State {
    fn new(draft: &NetworkDraft, id: NodeId) -> Self {
        let node = &draft.nodes[id];
        let start = match &node.op {
            Op::Neuron(n) => f64::from(n.v_init),
            _ => 0.0,
        };
        let size = node.shape.size();
        Self {
            membrane: vec![start; size],
            recovery: vec![0.0; size],
            synaptic: vec![0.0; size],
            held: vec![0; size],
        }
    }

    fn step(
        &mut self,
        draft: &NetworkDraft,
        id: NodeId,
        neuron: &Neuron,
        current: &[f64],
        margin: &mut f64,
    ) -> Vec<f64> {
        let shape = &draft.nodes[id].shape;
        (0..shape.size())
            .map(|n| {
                let v = self.membrane[n];
                let mut i = current[n];
                if let Some(current) = neuron.dynamics.current() {
                    let [keep, gain] =
                        [&current.keep, &current.gain].map(|p| f64::from(p.at(n, shape)));
                    i = self.synaptic[n] * keep + i * gain;
                    self.synaptic[n] = i;
                }
                if self.held[n] > 0 {
                    self.held[n] -= 1;
                    if let Reset::To(value) = neuron.reset {
                        self.membrane[n] = f64::from(value);
                    }
                    return 0.0;
                }
                let h = match &neuron.dynamics {
                    Dynamics::Integrate => v + i,
                    Dynamics::Tau(tau) => v + (i - v) / f64::from(tau.at(n, shape)),
                    Dynamics::Decay(d) => v * (1.0 - f64::from(d.at(n, shape))) + i,
                    Dynamics::Sigmoid(w) => {
                        v + (i - v) / (1.0 + (-f64::from(w.at(n, shape))).exp())
                    }
                    Dynamics::Linear(l) => {
                        let [keep, gain, drive] =
                            [&l.keep, &l.gain, &l.drive].map(|p| f64::from(p.at(n, shape)));
                        v * keep + i * gain + drive
                    }
                    Dynamics::Izhikevich { .. } => {
                        0.04 * v * v + 6.0 * v - self.recovery[n] + 140.0 + i
                    }
                };
                if let Dynamics::Izhikevich { a, b, .. } = neuron.dynamics {
                    self.recovery[n] += a * (b * h - self.recovery[n]);
                }
                let floor = neuron.floor.as_ref().map(|floor| f64::from(floor.at(n, shape)));
                let h = floor.map_or(h, |floor| h.max(floor));
                let threshold = f64::from(neuron.threshold.at(n, shape));
                *margin = margin.min((h - threshold).abs());
                let fires = match neuron.compare {
                    Compare::Gt => h > threshold,
                    Compare::Ge => h >= threshold,
                };
                if let (Dynamics::Izhikevich { d, .. }, true) = (&neuron.dynamics, fires) {
                    self.recovery[n] += d;
                }
                if let Emission::Burst { factor } = neuron.emission {
                    let count = (h - threshold).clamp(-0.5, 4.5).ceil().max(0.0);
                    *margin = margin.min((h - threshold - (h - threshold).round()).abs());
                    self.membrane[n] = h * (1.0 - count);
                    return if count > 1.0 { f64::from(factor) * count } else { count };
                }
                if neuron.emission == Emission::Several {
                    let count = if fires { (h / threshold).floor() } else { 0.0 };
                    if fires {
                        let next = h / threshold - (h / threshold).round();
                        *margin = margin.min((next * threshold).abs());
                    }
                    self.membrane[n] = h - count * threshold;
                    return count;
                }
                self.membrane[n] = match neuron.reset {
                    Reset::To(value) if fires => f64::from(value),
                    Reset::Subtract if fires => h - threshold,
                    _ => h,
                };
                if fires {
                    self.held[n] = neuron.refractory;
                }
                f64::from(u8::from(fires))
            })
            .collect()
    }
}
