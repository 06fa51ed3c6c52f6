//! The published motif network with weights from a seed: three motif cells of arity 3, a factorized
//! reduction after each.

use super::generate::{Builder, Rng, plain_neuron};
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Coding, Dynamics, Keep, Neuron, Op, Readout};
use snnc_ir::{NetworkDraft, Param, Shape};

/// Kernels of one motif cell, node by node: negative for inhibitory edges. Nodes 3 and 4 read the
/// three inputs, nodes 5 to 7 two nodes each.
const CELLS: [[i32; 12]; 3] = [
    [3, 3, 5, 5, 5, 3, 3, 5, 3, -3, 3, -5],
    [5, 5, 3, 5, 3, 3, 3, 5, 3, -5, 3, -3],
    [3, 5, 5, 3, 5, 3, 5, 3, 3, -5, 5, -3],
];
const READS: [&[usize]; 5] = [&[0, 1, 2], &[0, 1, 2], &[3, 4], &[3, 5], &[4, 5]];

/// The network on events `[2, side, side]`, whose first cell has `channels` channels.
pub fn network(channels: u32, side: u32, seed: u64) -> NetworkDraft {
    let mut m = Motif { b: Builder::new(), rng: Rng::new(seed) };
    let shape = Shape::chw(2, side, side);
    let x = m.b.node("x", Op::Input(Coding::Events), &[], shape);
    let stem = m.conv("stem.0", x, 3 * channels, 3, 1);
    let stem = m.batch_norm("stem.1", stem);
    let mut outputs = vec![stem; 3];
    for (i, kernels) in CELLS.iter().enumerate() {
        let (cell, c) = (2 * i, channels << i);
        let newest = m.shape(outputs[2])[1];
        let inputs: Vec<NodeId> = outputs
            .iter()
            .enumerate()
            .map(|(k, &source)| {
                let name = format!("cells.{cell}.preprocess{k}");
                if m.shape(source)[1] == newest {
                    m.edge(&format!("{name}.op"), source, c, 1)
                } else {
                    m.reduction(&name, source, c)
                }
            })
            .collect();
        let output = m.cell(cell, c, inputs, kernels);
        let reduced = m.reduction(&format!("cells.{}.fun", cell + 1), output, 3 * (c << 1));
        outputs = vec![outputs[2], output, reduced];
        outputs[0] = if i == 0 { stem } else { outputs[0] };
    }
    let pooled = m.neurons("global_pooling.0", outputs[2]);
    let c = m.shape(pooled)[0];
    let mean = m.b.node("global_pooling.1", Op::GlobalAvgPool, &[(pooled, 0)], Shape::flat(c));
    let weight = m.values("classifier.weight", &[10, c], 1.0, 0.0);
    let bias = Some(m.values("classifier.bias", &[10], 1.0, 0.0));
    let op = Op::Linear { weight, bias };
    let scores = m.b.node("classifier", op, &[(mean, 0)], Shape::flat(10));
    m.b.draft.readout = Readout::MeanLinear(scores);
    m.b.draft
}

struct Motif {
    b: Builder,
    rng: Rng,
}

impl Motif {
    fn shape(&self, node: NodeId) -> [u32; 3] {
        self.b.draft.nodes[node].shape.as_chw().expect("an image")
    }

    fn values(&mut self, name: &str, shape: &[u32], scale: f32, shift: f32) -> TensorId {
        let data = (0..shape.iter().product()).map(|_: u32| self.rng.real() * scale + shift);
        let data = data.collect();
        self.b.tensor(name, shape, data)
    }

    fn conv(&mut self, name: &str, source: NodeId, to: u32, kernel: u32, stride: u32) -> NodeId {
        let input = self.shape(source);
        let conv = Conv {
            input,
            out_channels: to,
            kernel: [kernel; 2],
            stride: [stride; 2],
            pad: [kernel / 2; 4],
            groups: 1,
            crop: [0; 4],
        };
        let scale = 2.0 / ((input[0] * kernel * kernel) as f32).sqrt();
        let weight = self.values(&format!("{name}.weight"), &conv.kernel_shape(), scale, 0.0);
        let op = Op::Conv2d { weight, bias: None, conv };
        let shape = Shape(conv.output().expect("an output").to_vec());
        self.b.node(name, op, &[(source, 0)], shape)
    }

    fn batch_norm(&mut self, name: &str, source: NodeId) -> NodeId {
        let [c, ..] = self.shape(source);
        let mut values =
            |what: &str, scale, shift| self.values(&format!("{name}.{what}"), &[c], scale, shift);
        let gamma = values("weight", 0.2, 1.0);
        let beta = values("bias", 0.5, 0.1);
        let mean = values("running_mean", 0.2, 0.0);
        let variance = values("running_var", 0.2, 0.5);
        let shape = self.b.draft.nodes[source].shape.clone();
        let op = Op::BatchNorm { gamma, beta, mean, variance, eps: 1e-5 };
        self.b.node(name, op, &[(source, 0)], shape)
    }

    fn neurons(&mut self, name: &str, source: NodeId) -> NodeId {
        let neuron = Neuron {
            dynamics: Dynamics::Tau(Param::Uniform(2.0)),
            threshold: Param::Uniform(0.5),
            ..plain_neuron()
        };
        let shape = self.b.draft.nodes[source].shape.clone();
        self.b.node(name, Op::Neuron(neuron), &[(source, 0)], shape)
    }

    /// Neurons, a convolution and its normalization.
    fn edge(&mut self, name: &str, source: NodeId, to: u32, kernel: u32) -> NodeId {
        let spikes = self.neurons(&format!("{name}.0"), source);
        let conv = self.conv(&format!("{name}.1"), spikes, to, kernel, 1);
        self.batch_norm(&format!("{name}.2"), conv)
    }

    /// Half the resolution: two strided convolutions, the second without the first row and column.
    fn reduction(&mut self, name: &str, source: NodeId, to: u32) -> NodeId {
        let spikes = self.neurons(&format!("{name}.activation"), source);
        let [c, h, w] = self.shape(source);
        let first = self.conv(&format!("{name}.conv_1"), spikes, to / 2, 3, 2);
        let crop = Op::Crop([1, 0, 1, 0]);
        let shape = Shape::chw(c, h - 1, w - 1);
        let crop = self.b.node(&format!("{name}.crop"), crop, &[(spikes, 0)], shape);
        let second = self.conv(&format!("{name}.conv_2"), crop, to - to / 2, 3, 2);
        let concat = self.concat(&format!("{name}.concat"), &[first, second]);
        self.batch_norm(&format!("{name}.bn"), concat)
    }

    fn concat(&mut self, name: &str, parts: &[NodeId]) -> NodeId {
        let [_, h, w] = self.shape(parts[0]);
        let c = parts.iter().map(|&p| self.shape(p)[0]).sum();
        let inputs: Vec<_> = parts.iter().map(|&p| (p, 0)).collect();
        self.b.node(name, Op::Concat, &inputs, Shape::chw(c, h, w))
    }

    fn cell(&mut self, cell: usize, c: u32, mut states: Vec<NodeId>, kernels: &[i32]) -> NodeId {
        let mut op = 0;
        for reads in READS {
            let mut terms = Vec::new();
            for &from in reads {
                let name = format!("cells.{cell}._ops.{op}");
                let kernel = kernels[op];
                op += 1;
                let value =
                    self.edge(&format!("{name}.op"), states[from], c, kernel.unsigned_abs());
                let keep = if kernel > 0 { Keep::Positive } else { Keep::Negative };
                let shape = self.b.draft.nodes[value].shape.clone();
                let name = format!("{name}.clip");
                terms.push((self.b.node(&name, Op::Relay(Some(keep)), &[(value, 0)], shape), 0));
            }
            let shape = self.b.draft.nodes[terms[0].0].shape.clone();
            let name = format!("cells.{cell}.state.{}", states.len());
            states.push(self.b.node(&name, Op::Add, &terms, shape));
        }
        self.concat(&format!("cells.{cell}"), &states[3..])
    }
}
