//! Canonical networks of small dense layers, by hand.

use crate::fixtures::{neuron, target};
use crate::framework::{Context, Options, Pass};
use crate::quantize::Quantize;
use snnc_ir::arena::NodeId;
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::Code;
use snnc_ir::network::{Coding, Edge, Keep, Network, Node, Op, Provenance, Readout, Tensor};
use snnc_ir::quantized::{Graded, QuantizedDraft, QuantizedNetwork};
use snnc_ir::{Arena, Diagnostics, Entity, Level, NetworkDraft, Rules, Shape, TargetSpec};

/// A target with 24-bit messages.
pub(super) fn able() -> TargetSpec {
    let mut target = target();
    target.message_bits.value = 24;
    target
}

/// A network under construction; the population added last is read out.
pub(super) struct Net(pub NetworkDraft);

/// A projection: source, delay, weights, and the shape of the weights.
pub(super) type Layer = (NodeId, u32, Vec<f32>, Kind);

/// Layout of a layer.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// `[rows, cols]`.
    Dense(u32, u32),
    /// A convolution.
    Conv(Conv),
}

/// A layer that passes on a population of `n` elements, times `weight`.
pub(super) fn identity(source: NodeId, n: u32, weight: f32) -> Layer {
    let conv = Conv {
        input: [n, 1, 1],
        out_channels: n,
        kernel: [1, 1],
        stride: [1, 1],
        pad: [0; 4],
        groups: n,
        crop: [0; 4],
    };
    (source, 0, vec![weight; n as usize], Kind::Conv(conv))
}

/// A dense layer without delay.
pub(super) fn layer(source: NodeId, rows: u32, cols: u32, weights: &[f32]) -> Layer {
    (source, 0, weights.to_vec(), Kind::Dense(rows, cols))
}

impl Net {
    pub(super) fn new() -> Self {
        Self(NetworkDraft {
            name: "n".to_owned(),
            steps: 10,
            nodes: Arena::new(),
            tensors: Arena::new(),
            readout: Readout::SpikeCount(NodeId::new(0)),
            discretization: None,
        })
    }

    pub(super) fn input(&mut self, coding: Coding, n: u32) -> NodeId {
        let name = format!("x{}", self.0.nodes.len());
        self.push(&name, Op::Input(coding), Vec::new(), n)
    }

    fn push(&mut self, name: &str, op: Op, inputs: Vec<(NodeId, u32)>, n: u32) -> NodeId {
        let inputs = inputs.into_iter().map(|(source, delay)| Edge { source, delay }).collect();
        self.0.nodes.push(Node { name: name.to_owned(), op, inputs, shape: Shape::flat(n) })
    }

    /// A population of `n` neurons or clips with the sum of these layers as its current.
    pub(super) fn add(
        &mut self,
        name: &str,
        op: Op,
        n: u32,
        layers: &[Layer],
        bias: Option<&[f32]>,
    ) -> NodeId {
        let mut inputs = Vec::new();
        for (i, (source, delay, weights, kind)) in layers.iter().enumerate() {
            let name = format!("{name}.{i}");
            let shape = match kind {
                Kind::Dense(rows, cols) => vec![*rows, *cols],
                Kind::Conv(conv) => conv.kernel_shape().to_vec(),
            };
            let weight = self.tensor(&name, &shape, weights);
            let bias = bias.filter(|_| i == 0);
            let bias = bias.map(|b| self.tensor(&format!("{name}.b"), &[n], b));
            let op = match kind {
                Kind::Dense(..) => Op::Linear { weight, bias },
                Kind::Conv(conv) => Op::Conv2d { weight, bias, conv: *conv },
            };
            inputs.push((self.push(&name, op, vec![(*source, *delay)], n), 0));
        }
        if inputs.len() > 1 {
            inputs = vec![(self.push(&format!("{name}.sum"), Op::Add, inputs, n), 0)];
        }
        let id = self.push(name, op, inputs, n);
        self.0.readout = Readout::SpikeCount(id);
        id
    }

    pub(super) fn neurons(&mut self, name: &str, n: u32, layers: &[Layer]) -> NodeId {
        self.add(name, Op::Neuron(neuron()), n, layers, None)
    }

    pub(super) fn clip(&mut self, name: &str, keep: Keep, n: u32, layers: &[Layer]) -> NodeId {
        self.add(name, Op::Relay(Some(keep)), n, layers, None)
    }

    fn tensor(&mut self, name: &str, shape: &[u32], data: &[f32]) -> snnc_ir::arena::TensorId {
        self.0.tensors.push(Tensor {
            name: format!("{name}.w"),
            shape: Shape(shape.to_vec()),
            data: data.to_vec(),
            provenance: Provenance::Dense { tensor: name.to_owned() },
            genes: None,
        })
    }
}

/// Quantizes and verifies against the target; returns the remarks too.
pub(super) fn quantize(
    net: Net,
    target: &TargetSpec,
) -> Result<(QuantizedDraft, Diagnostics), Diagnostics> {
    let draft = Network::verify(net.0, &Rules::default())?.into_draft();
    let options = Options::defaults(Quantize.info().options);
    let mut cx = Context::new(target, &options);
    let draft = Quantize.run(draft, &mut cx)?;
    let sealed = QuantizedNetwork::verify(draft, &Rules::for_target(target))?;
    Ok((sealed.into_draft(), cx.remarks))
}

/// Weights of the `i`-th projection into `population`.
pub(super) fn weights(draft: &QuantizedDraft, population: &str, i: usize) -> Vec<i32> {
    let id = draft.population_named(population).expect("the population");
    let (_, projection) = draft.projections_into(id).nth(i).expect("the projection");
    let matrix = &draft.matrices[projection.matrix];
    (0..matrix.mantissa.len()).map(|i| matrix.weight(i)).collect()
}

pub(super) fn relays<'a>(draft: &'a QuantizedDraft, population: &str) -> &'a Graded {
    let id = draft.population_named(population).expect("the population");
    draft.populations[id].graded().expect("graded relays")
}

/// The scale that a remark states for `population`.
pub(super) fn scale(remarks: &Diagnostics, population: &str) -> f64 {
    let start = format!("population `{population}` is quantized with scale ");
    let text = remarks.iter().find_map(|d| d.message.strip_prefix(&start));
    text.expect("a remark about the scale").parse().expect("a number")
}

/// The message of the only finding with this code.
pub(super) fn only(diagnostics: &Diagnostics, code: Code) -> String {
    let found: Vec<_> = diagnostics.iter().filter(|d| d.code == code).collect();
    assert_eq!(found.len(), 1, "{diagnostics}");
    found[0].to_string()
}
