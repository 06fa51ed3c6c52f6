//! Quantization of networks with millions of weights: how long it takes, and how far chains are from one matrix.
//!
//! Ignored, because it takes long without optimization:
//! `cargo test --release -p snnc-passes --test large -- --ignored --nocapture`

use snnc_ir::arena::{Arena, NodeId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{
    Coding, Dynamics, Edge, Network, NetworkDraft, Neuron, Node, Op, Provenance, Readout, Tensor,
};
use snnc_ir::quantized::QuantizedNetwork;
use snnc_ir::recipe::{Recipe, Settings};
use snnc_ir::{Diagnostics, Entity, Level, Param, Rules, Shape};
use snnc_passes::quantize::apply;
use std::time::Instant;

/// How projections are kept.
#[derive(Clone, Copy, Debug)]
enum Lowering {
    /// One matrix.
    Materialized,
    /// 1x1 → 3x3 → 1x1 with this many genes.
    PerOffset(u32),
    /// 3x3 → 1x1 → 1x1.
    FlatFanIn(u32),
}

struct Builder {
    draft: NetworkDraft,
    seed: u64,
    lowering: Lowering,
}

impl Builder {
    /// About normal: the sum of four uniform numbers.
    fn normal(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..4 {
            self.seed = self
                .seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sum += f64::from(u32::try_from(self.seed >> 33).expect("31 bits"))
                / f64::from(1_u32 << 31)
                - 0.5;
        }
        sum * 3.0_f64.sqrt()
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[NodeId], shape: Shape) -> NodeId {
        let inputs = inputs.iter().map(|&source| Edge { source, delay: 0 }).collect();
        self.draft.nodes.push(Node { name: name.to_owned(), op, inputs, shape })
    }

    /// A convolution with weights of this root mean square.
    fn conv(&mut self, name: &str, source: NodeId, conv: Conv, rms: f64) -> NodeId {
        #[expect(clippy::cast_possible_truncation, reason = "weights")]
        let data = (0..conv.kernel_size()).map(|_| (rms * self.normal()) as f32).collect();
        let weight = self.draft.tensors.push(Tensor {
            name: format!("{name}.w"),
            shape: Shape(conv.kernel_shape().to_vec()),
            data,
            provenance: Provenance::Dense { tensor: name.to_owned() },
            genes: None,
        });
        let shape = Shape(conv.output().expect("a geometry that fits").to_vec());
        self.push(name, Op::Conv2d { weight, bias: None, conv }, &[source], shape)
    }

    fn relays(&mut self, name: &str, current: NodeId) -> NodeId {
        let shape = self.draft.nodes[current].shape.clone();
        self.push(name, Op::Relay(None), &[current], shape)
    }

    /// The operation that a projection with this geometry becomes; weights of the variance 2 over the fan-in.
    fn projection(&mut self, name: &str, source: NodeId, conv: Conv) -> NodeId {
        let fan_in = conv.kernel_size() / conv.out_channels as usize;
        #[expect(clippy::cast_precision_loss, reason = "a fan-in")]
        let rms = 3.0 * (2.0 / fan_in as f64).sqrt();
        let point = |input: [u32; 3], out_channels| Conv {
            input,
            out_channels,
            kernel: [1, 1],
            stride: [1, 1],
            pad: [0; 4],
            ..conv
        };
        let [_, height, width] = conv.output().expect("a geometry that fits");
        match self.lowering {
            Lowering::Materialized => self.conv(name, source, conv, rms),
            Lowering::PerOffset(genes) => {
                let [_, h, w] = conv.input;
                let e = self.conv(&format!("{name}.e.c"), source, point(conv.input, genes), 1.0);
                let e = self.relays(&format!("{name}.e"), e);
                let inner = Conv { input: [genes, h, w], out_channels: genes, ..conv };
                let o = self.conv(&format!("{name}.o.c"), e, inner, rms / f64::from(genes));
                let o = self.relays(&format!("{name}.o"), o);
                self.conv(name, o, point([genes, height, width], conv.out_channels), 1.0)
            }
            Lowering::FlatFanIn(genes) => {
                let e = self.conv(
                    &format!("{name}.e.c"),
                    source,
                    Conv { out_channels: genes, ..conv },
                    1.0,
                );
                let e = self.relays(&format!("{name}.e"), e);
                let o = point([genes, height, width], genes);
                let o = self.conv(&format!("{name}.o.c"), e, o, rms / f64::from(genes));
                let o = self.relays(&format!("{name}.o"), o);
                self.conv(name, o, point([genes, height, width], conv.out_channels), 1.0)
            }
        }
    }

    fn neurons(&mut self, name: &str, currents: &[NodeId]) -> NodeId {
        let shape = self.draft.nodes[currents[0]].shape.clone();
        let neuron = Neuron::plain(Dynamics::Decay(Param::Uniform(0.5)), Param::Uniform(1.0));
        let mut current = currents[0];
        if currents.len() > 1 {
            current = self.push(&format!("{name}.sum"), Op::Add, currents, shape.clone());
        }
        self.push(name, Op::Neuron(neuron), &[current], shape)
    }
}

/// The convolutions of ResNet-18 on images of 32 pixels, with neurons after every sum.
fn resnet(lowering: Lowering) -> NetworkDraft {
    let draft = NetworkDraft {
        name: "resnet".to_owned(),
        steps: 4,
        nodes: Arena::new(),
        tensors: Arena::new(),
        readout: Readout::SpikeCount(NodeId::new(0)),
        discretization: None,
    };
    let mut net = Builder { draft, seed: 1, lowering };
    let geometry = |input: [u32; 3], out_channels, stride, wide: bool| Conv {
        input,
        out_channels,
        kernel: if wide { [3, 3] } else { [1, 1] },
        stride: [stride, stride],
        pad: if wide { [1, 1, 1, 1] } else { [0; 4] },
        groups: 1,
        crop: [0; 4],
    };
    let mut x = net.push("in", Op::Input(Coding::Events), &[], Shape::chw(3, 32, 32));
    let first = net.projection("first.c", x, geometry([3, 32, 32], 64, 1, true));
    x = net.neurons("first", &[first]);
    let (mut channels, mut size) = (64, 32);
    for (stage, wide) in [64, 128, 256, 512].into_iter().enumerate() {
        for block in 0..2 {
            let name = format!("s{stage}b{block}");
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let a = net.projection(
                &format!("{name}.a.c"),
                x,
                geometry([channels, size, size], wide, stride, true),
            );
            let a = net.neurons(&format!("{name}.a"), &[a]);
            let inner = size / stride;
            let b = net.projection(
                &format!("{name}.b.c"),
                a,
                geometry([wide, inner, inner], wide, 1, true),
            );
            let kept = net.lowering;
            net.lowering = Lowering::Materialized;
            let skip = net.projection(
                &format!("{name}.skip"),
                x,
                geometry([channels, size, size], wide, stride, false),
            );
            net.lowering = kept;
            x = net.neurons(&name, &[b, skip]);
            (channels, size) = (wide, inner);
        }
    }
    net.draft.readout = Readout::SpikeCount(x);
    net.draft
}

/// Quantizes, verifies, and prints how long that takes and how far the worst population is from floats.
#[expect(clippy::print_stdout, reason = "a measurement, which is asked for by name")]
fn measure(lowering: Lowering, bits: u8) {
    let network = Network::verify(resnet(lowering), &Rules::default()).expect("a valid network");
    let weights: usize = network.tensors.values().map(|t| t.data.len()).sum();
    let settings = Settings { weight_bits: bits, ..Settings::default() };
    let recipe = Recipe { settings, ..Recipe::default() };
    let target = snnc_ir::testing::target(true);
    let quantized = |recipe: &Recipe| {
        let start = Instant::now();
        let applied = apply(&network, &target, recipe, &mut Diagnostics::new());
        (applied.expect("quantizes"), start.elapsed())
    };
    let (first, took) = quantized(&recipe);
    let (again, repeated) = quantized(&first.recipe);
    assert_eq!(again.draft, first.draft);
    let start = Instant::now();
    QuantizedNetwork::verify(again.draft, &Rules::for_target(&target)).expect("in range");
    let verified = start.elapsed();
    println!(
        "{lowering:?}, {bits} bits, {weights} weights: {took:.2?}, with its recipe {repeated:.2?}, verified in {verified:.2?}"
    );
    let all = || first.account.populations.iter();
    let predicted = all().filter(|p| p.shift.is_none()).map(|p| p.predicted_error);
    let composed = all().flat_map(|p| &p.projections).filter_map(|p| p.composed);
    let (chain, one) = composed.fold((0.0_f64, 0.0_f64), |(chain, one), c| {
        (chain.max(c.relative_error), one.max(c.materialized_error))
    });
    println!(
        "  largest errors: membranes {:.3} of the threshold; chains {chain:.3}, as one matrix {one:.3}",
        predicted.fold(0.0, f64::max)
    );
    assert!(chain < 0.2, "{chain}");
}

#[test]
#[ignore = "takes long without optimization; prints what it measures"]
fn materialized() {
    measure(Lowering::Materialized, 8);
    measure(Lowering::Materialized, 4);
}

#[test]
#[ignore = "takes long without optimization; prints what it measures"]
fn per_offset() {
    measure(Lowering::PerOffset(128), 8);
    measure(Lowering::PerOffset(64), 8);
}

#[test]
#[ignore = "takes long without optimization; prints what it measures"]
fn flat_fan_in() {
    measure(Lowering::FlatFanIn(128), 8);
}
