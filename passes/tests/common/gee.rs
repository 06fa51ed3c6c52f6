//! A generator of small genetically encoded networks: every scheme, shared encodings and interactions.

use super::generate::{Builder, Rng, plain_neuron};
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Coding, Genes, Op, Provenance, Readout, Scheme, Tensor};
use snnc_ir::{NetworkDraft, Param, Shape};
use std::collections::BTreeMap;

/// Genes of a source and of a target.
const GENES: [u32; 2] = [2, 3];

struct Generator {
    rng: Rng,
    b: Builder,
    /// Gene tensors by role and shape: what fits is used again.
    genes: BTreeMap<(&'static str, Vec<u32>), TensorId>,
    populations: Vec<(NodeId, Shape)>,
}

/// A random network whose weights are all encoded.
pub fn network(seed: u64) -> NetworkDraft {
    let mut g = Generator {
        rng: Rng::new(seed),
        b: Builder::new(),
        genes: BTreeMap::new(),
        populations: Vec::new(),
    };
    let side = 3 + g.rng.below(3);
    let shape = Shape::chw(1 + g.rng.below(3), side, side);
    let input = g.b.node("x", Op::Input(Coding::Events), &[], shape.clone());
    g.populations.push((input, shape));
    for i in 0..=g.rng.below(3) {
        g.layer(i);
    }
    let last = g.populations[g.populations.len() - 1].0;
    g.b.draft.readout = Readout::SpikeCount(last);
    g.b.draft
}

impl Generator {
    /// A population with one or two encoded terms.
    fn layer(&mut self, i: u32) {
        let known = self.populations.len() as u32;
        let from = self.populations[self.rng.below(known) as usize].clone();
        let (first, shape) = self.term(&format!("l{i}"), from.clone(), None);
        let mut top = first;
        if self.rng.chance(40) {
            // The same form once more, later, from the same population: so its genes may be shared.
            let delay = 1 + self.rng.below(2);
            let (again, same) = self.term(&format!("m{i}"), (from.0, from.1), Some((first, delay)));
            assert_eq!(shape, same);
            top =
                self.b.node(&format!("add{i}"), Op::Add, &[(first, 0), (again, 0)], shape.clone());
        }
        if self.rng.chance(40) {
            top = self.batch_norm(i, top, &shape);
        }
        let mut neuron = plain_neuron();
        neuron.threshold = Param::Uniform(0.3);
        let id = self.b.node(&format!("h{i}"), Op::Neuron(neuron), &[(top, 0)], shape.clone());
        self.populations.push((id, shape));
    }

    /// A linear operation; `like` is one of the same geometry that reads the same some steps later.
    fn term(
        &mut self,
        name: &str,
        (source, from): (NodeId, Shape),
        like: Option<(NodeId, u32)>,
    ) -> (NodeId, Shape) {
        let delay = like.map_or_else(|| self.rng.below(2), |(_, delay)| delay);
        let old = like.map(|(id, _)| self.b.draft.nodes[id].clone());
        let old_read = like.map(|(id, _)| self.b.draft.nodes[id].inputs[0].source);
        let image = from.as_chw();
        let conv = match (&old, image) {
            (Some(node), _) => match node.op {
                Op::Conv2d { conv, .. } => Some(conv),
                _ => None,
            },
            (None, Some(input)) if self.rng.chance(80) => self.conv(input),
            _ => None,
        };
        let (mut read, mut size) = (source, from);
        if let Some(old_read) = old_read {
            (read, size) = (old_read, self.b.draft.nodes[old_read].shape.clone());
        } else if conv.is_none() && image.is_some() && self.rng.chance(50) {
            (read, size) = self.pooled(name, (read, size));
        }
        let (scheme, shape) = match (conv, &old) {
            (Some(conv), _) => {
                let scheme = [Scheme::PerOffset, Scheme::FlatFanIn][self.rng.below(2) as usize];
                (scheme, Shape(conv.output().expect("chosen to have one").to_vec()))
            }
            (None, Some(node)) => (Scheme::Linear, node.shape.clone()),
            (None, None) => (Scheme::Linear, Shape::flat(2 + self.rng.below(4))),
        };
        let weight = self.weight(name, scheme, [shape.channels() as u32, size.size() as u32], conv);
        let outputs = shape.channels() as u32;
        // What is read late must not have a bias.
        let bias = self.rng.chance(30).then(|| {
            let data = self.reals(outputs);
            self.b.tensor(&format!("{name}.bias"), &[outputs], data)
        });
        let op = match conv {
            Some(conv) => Op::Conv2d { weight, bias, conv },
            None => Op::Linear { weight, bias },
        };
        // A pooled value has been read at once: only populations are read late.
        let delay = if read == source { delay } else { 0 };
        (self.b.node(name, op, &[(read, delay)], shape.clone()), shape)
    }

    fn conv(&mut self, input: [u32; 3]) -> Option<Conv> {
        let kernel = [1 + self.rng.below(3), 1 + self.rng.below(3)];
        let conv = Conv {
            input,
            out_channels: 1 + self.rng.below(3),
            kernel,
            stride: [1 + self.rng.below(2), 1 + self.rng.below(2)],
            pad: [kernel[0] / 2, self.rng.below(2), kernel[1] / 2, self.rng.below(2)],
            groups: 1,
            crop: [self.rng.below(2), 0, 0, self.rng.below(2)],
        };
        conv.output().map(|_| conv)
    }

    fn pooled(&mut self, name: &str, (read, size): (NodeId, Shape)) -> (NodeId, Shape) {
        let shape = Shape::flat(size.channels() as u32);
        let pool = format!("{name}.pool");
        (self.b.node(&pool, Op::GlobalAvgPool, &[(read, 0)], shape.clone()), shape)
    }

    fn batch_norm(&mut self, i: u32, read: NodeId, shape: &Shape) -> NodeId {
        let channels = shape.channels() as u32;
        let mut tensor = |what: &str, positive: bool| {
            let mut data = self.reals(channels);
            if positive {
                for value in &mut data {
                    *value = value.abs() + 0.5;
                }
            }
            self.b.tensor(&format!("bn{i}.{what}"), &[channels], data)
        };
        let (gamma, beta) = (tensor("gamma", false), tensor("beta", false));
        let (mean, variance) = (tensor("mean", false), tensor("variance", true));
        let op = Op::BatchNorm { gamma, beta, mean, variance, eps: 1e-3 };
        self.b.node(&format!("bn{i}"), op, &[(read, 0)], shape.clone())
    }

    /// An encoded weight for `[rows, columns]` elements, or channels and whatever the kernel has.
    fn weight(
        &mut self,
        name: &str,
        scheme: Scheme,
        [rows, elements]: [u32; 2],
        conv: Option<Conv>,
    ) -> TensorId {
        let [inner, outer] = GENES;
        let cells = conv.map_or(1, |c| c.kernel[0] * c.kernel[1]);
        let channels = conv.map_or(elements, |c| c.input[0]);
        let core = match scheme {
            Scheme::PerOffset => vec![cells, outer, inner],
            Scheme::Linear | Scheme::FlatFanIn => vec![outer, inner],
        };
        let columns = if scheme == Scheme::FlatFanIn { channels * cells } else { channels };
        let genes = Genes {
            out: self.gene("out", &[rows, outer]),
            core: self.gene("core", &core),
            source: self.gene("in", &[columns, inner]),
        };
        let scale = [0.5, 1.0, -1.25][self.rng.below(3) as usize];
        let shape = match conv {
            Some(conv) => Shape(conv.kernel_shape().to_vec()),
            None => Shape(vec![rows, channels]),
        };
        let named = |t: TensorId| self.b.draft.tensors[t].name.clone();
        let provenance = Provenance::Encoded {
            scheme,
            out: named(genes.out),
            core: named(genes.core),
            source: named(genes.source),
            scale,
            heaviside: false,
        };
        let name = format!("{name}.weight");
        let tensor = Tensor { name, shape, data: Vec::new(), provenance, genes: Some(genes) };
        self.b.draft.tensors.push(tensor)
    }

    fn gene(&mut self, role: &'static str, shape: &[u32]) -> TensorId {
        let key = (role, shape.to_vec());
        if let Some(&known) = self.genes.get(&key)
            && self.rng.chance(80)
        {
            return known;
        }
        let data = self.reals(shape.iter().product());
        let name = format!("{role}{}", self.b.draft.tensors.len());
        let tensor = self.b.tensor(&name, shape, data);
        self.genes.insert(key, tensor);
        tensor
    }

    fn reals(&mut self, n: u32) -> Vec<f32> {
        (0..n).map(|_| self.rng.real()).collect()
    }
}
