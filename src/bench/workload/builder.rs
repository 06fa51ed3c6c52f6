//! Builds float networks of the workloads' neurons.

use super::{GRID, Net};
use crate::bench::draw::Draw;
use snnc_ir::arena::{Arena, Entity, NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{
    Coding, Dynamics, Edge, Network, NetworkDraft, Neuron, Node, Op, Provenance, Readout, Tensor,
};
use snnc_ir::param::Param;
use snnc_ir::shape::Shape;
use snnc_ir::{Diagnostics, Level, Rules};

/// A float network, node by node.
pub(super) struct Builder {
    draft: NetworkDraft,
}

impl Builder {
    pub(super) fn new(name: &str, steps: u32) -> Self {
        Self {
            draft: NetworkDraft {
                name: name.to_owned(),
                steps,
                nodes: Arena::new(),
                tensors: Arena::new(),
                readout: Readout::SpikeCount(NodeId::new(0)),
                discretization: None,
            },
        }
    }

    pub(super) fn tensor(&mut self, shape: &[u32], units: &[i16]) -> TensorId {
        let name = format!("t{}", self.draft.tensors.len());
        self.draft.tensors.push(Tensor {
            provenance: Provenance::Dense { tensor: name.clone() },
            name,
            shape: Shape(shape.to_vec()),
            data: units.iter().map(|&k| f32::from(k) * GRID).collect(),
            genes: None,
        })
    }

    fn add(&mut self, op: Op, shape: Shape, inputs: Vec<Edge>) -> NodeId {
        let name = format!("{}{}", op.name(), self.draft.nodes.len());
        self.draft.nodes.push(Node { name, op, inputs, shape })
    }

    pub(super) fn node(&mut self, op: Op, shape: Shape, source: NodeId) -> NodeId {
        self.add(op, shape, vec![Edge { source, delay: 0 }])
    }

    pub(super) fn input(&mut self, shape: Shape) -> NodeId {
        self.add(Op::Input(Coding::Events), shape, Vec::new())
    }

    /// A convolution of 3×3 that keeps height and width.
    pub(super) fn conv(
        &mut self,
        draw: &mut Draw,
        input: [u32; 3],
        out_channels: u32,
        weight: i16,
        source: NodeId,
    ) -> NodeId {
        let conv = Conv {
            input,
            out_channels,
            kernel: [3, 3],
            stride: [1, 1],
            pad: [1; 4],
            groups: 1,
            crop: [0; 4],
        };
        let weights = draw.many(conv.kernel_size(), -weight, weight);
        let weight = self.tensor(&conv.kernel_shape(), &weights);
        let shape = Shape::chw(out_channels, input[1], input[2]);
        self.node(Op::Conv2d { weight, bias: None, conv }, shape, source)
    }

    pub(super) fn neurons(&mut self, shape: Shape, source: NodeId) -> NodeId {
        let neuron = Neuron::plain(
            Dynamics::Decay(Param::Uniform(1.0 / 16.0)),
            Param::Uniform(1.0 + 1.0 / 1024.0),
        );
        self.node(Op::Neuron(neuron), shape, source)
    }

    pub(super) fn seal(mut self, readout: NodeId) -> Result<Net, Diagnostics> {
        self.draft.readout = Readout::SpikeCount(readout);
        Ok(Net::Float(Network::verify(self.draft, &Rules::default())?))
    }
}
