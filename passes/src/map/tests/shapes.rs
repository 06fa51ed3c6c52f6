//! Networks in the shapes of ResNet-18 and VGG-16 for CIFAR: as many neurons, kernel values and relays
//! as the real ones, weights drawn at random.
//!
//! `cargo test --release -p snnc-passes --lib shapes -- --ignored --nocapture` prints what they take.

use super::*;
use snnc_ir::conv::Conv;
use snnc_ir::network::Provenance;
use snnc_ir::quantized::{IntMatrix, Population, Projection, Role, Sign, Structure};

/// How the convolutions of a network are stored.
#[derive(Clone, Copy)]
enum Form {
    /// One matrix each.
    Materialized,
    /// Through two populations of this many relays per place, all of the same core matrix.
    Factored(u32),
}

/// Builds a network in hardware time, layer by layer.
struct Builder {
    draft: QuantizedDraft,
    latency: Vec<u32>,
    form: Form,
    seed: u64,
    /// Mantissas of the core matrix.
    core: Vec<i16>,
}

impl Builder {
    fn new(form: Form) -> Self {
        let mut draft = quantized(vec![("in", None)], &[]);
        draft.matrices = Vec::new().into();
        draft.populations[PopId::new(0)].shape = Shape::chw(3, 32, 32);
        let mut builder = Self { draft, latency: vec![0], form, seed: 1, core: Vec::new() };
        if let Form::Factored(genes) = form {
            builder.core = builder.draw(genes * genes * 9);
        }
        builder
    }

    /// Even mantissas of 8 bits, few of them zero.
    fn draw(&mut self, n: u32) -> Vec<i16> {
        let mut next = || {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            2 * (i16::try_from(
                (self.seed ^ self.seed >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60,
            )
            .expect("4 bits")
                - 7)
        };
        (0..n).map(|_| next()).collect()
    }

    fn population(&mut self, shape: Shape, kind: PopKind, latency: u32) -> PopId {
        self.latency.push(latency);
        let name = format!("p{}", self.draft.populations.len());
        self.draft.populations.push(Population { name, shape, role: Role::Logical, kind })
    }

    fn project(&mut self, source: PopId, target: PopId, structure: Structure, mantissa: Vec<i16>) {
        let name = format!("m{}", self.draft.matrices.len());
        let provenance = Provenance::Dense { tensor: name.clone() };
        let matrix =
            IntMatrix { name, structure, mantissa, exponent: 0, sign: Sign::Mixed, provenance };
        let matrix = self.draft.matrices.push(matrix);
        let delay = self.latency[target.index()] - self.latency[source.index()];
        self.draft.projections.push(Projection { source, target, matrix, delay });
    }

    fn shape(&self, population: PopId) -> [u32; 3] {
        self.draft.populations[population].shape.as_chw().expect("rows and columns")
    }

    /// A kernel of this size, padded so that only the stride shrinks.
    fn geometry(&self, source: PopId, out_channels: u32, kernel: u32, stride: u32) -> Conv {
        Conv {
            input: self.shape(source),
            out_channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            pad: [kernel / 2; 4],
            groups: 1,
            crop: [0; 4],
        }
    }

    fn conv(&mut self, source: PopId, target: PopId, conv: Conv, mantissa: Option<Vec<i16>>) {
        let size = u32::try_from(conv.kernel_size()).expect("fits");
        let mantissa = mantissa.unwrap_or_else(|| self.draw(size));
        self.project(source, target, Structure::Conv(conv), mantissa);
    }

    /// Neurons that read `source` through 3x3 kernels.
    fn layer(&mut self, source: PopId, channels: u32, stride: u32) -> PopId {
        let bias = (0..channels).map(|c| 64 * i32::try_from(c % 50).expect("small")).collect();
        let kind = PopKind::Neurons(IntNeuron { bias: Param::PerChannel(bias), ..neurons(512) });
        let conv = self.geometry(source, channels, 3, stride);
        let [_, height, width] = conv.output().expect("an output");
        let shape = Shape::chw(channels, height, width);
        let now = self.latency[source.index()];
        let Form::Factored(genes) = self.form else {
            let target = self.population(shape, kind, now + 1);
            self.conv(source, target, conv, None);
            return target;
        };
        let relays = || PopKind::Graded(Graded { keep: None, bias: Param::Uniform(0), shift: 4 });
        let [_, h, w] = conv.input;
        let before = self.population(Shape::chw(genes, h, w), relays(), now + 1);
        let after = self.population(Shape::chw(genes, height, width), relays(), now + 2);
        let target = self.population(shape, kind, now + 3);
        self.conv(source, before, self.geometry(source, genes, 1, 1), None);
        let core = self.core.clone();
        self.conv(before, after, self.geometry(before, genes, 3, stride), Some(core));
        self.conv(after, target, self.geometry(after, channels, 1, 1), None);
        target
    }

    /// The shortcut of a block.
    fn shortcut(&mut self, source: PopId, target: PopId) {
        let [channels, height, width] = self.shape(target);
        let [inputs, rows, _] = self.shape(source);
        if inputs == channels {
            let size = channels * height * width;
            self.project(source, target, Structure::Identity { size }, vec![126]);
        } else {
            let conv = self.geometry(source, channels, 1, rows / height);
            self.conv(source, target, conv, None);
        }
    }

    fn finish(mut self, last: PopId) -> QuantizedDraft {
        let [channels, height, width] = self.shape(last);
        let cols = channels * height * width;
        let latency = self.latency[last.index()] + 1;
        let out = self.population(Shape::flat(10), PopKind::Neurons(neurons(512)), latency);
        let mantissa = self.draw(10 * cols);
        self.project(last, out, Structure::Dense { rows: 10, cols }, mantissa);
        let mut draft = self.draft;
        draft.time = Time::Hardware(Schedule { period: 1, latency: self.latency });
        draft.readout = IntReadout::SpikeCount(out);
        draft
    }
}

/// Two populations of 4 channels and 3 x 3 places that read the input through the same kernel.
pub(super) fn two_readers_of_one_kernel() -> QuantizedDraft {
    let mut builder = Builder::new(Form::Materialized);
    builder.draft.populations[PopId::new(0)].shape = Shape::chw(4, 3, 3);
    let kernel: Vec<i16> = (0..144).map(|n| 2 * (1 + n % 13)).collect();
    let mut last = PopId::new(0);
    for _ in 0..2 {
        last = builder.population(Shape::chw(4, 3, 3), PopKind::Neurons(neurons(512)), 1);
        let conv = builder.geometry(PopId::new(0), 4, 3, 1);
        builder.conv(PopId::new(0), last, conv, Some(kernel.clone()));
    }
    let mut draft = builder.draft;
    draft.time = Time::Hardware(Schedule { period: 1, latency: builder.latency });
    draft.readout = IntReadout::SpikeCount(last);
    draft
}

/// ResNet-18 with a divisor for its channels.
fn resnet(form: Form, divisor: u32) -> QuantizedDraft {
    let mut builder = Builder::new(Form::Materialized);
    let mut last = builder.layer(PopId::new(0), 64 / divisor, 1);
    let filled = Builder::new(form);
    (builder.form, builder.core) = (filled.form, filled.core);
    for stage in 0..4_u32 {
        for block in 0..2 {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let channels = (64 << stage) / divisor;
            let middle = builder.layer(last, channels, stride);
            let end = builder.layer(middle, channels, 1);
            builder.shortcut(last, end);
            last = end;
        }
    }
    builder.finish(last)
}

/// VGG-16; pooling is a stride of the next layer, as after folding.
fn vgg(form: Form, divisor: u32) -> QuantizedDraft {
    let mut builder = Builder::new(Form::Materialized);
    let mut last = builder.layer(PopId::new(0), 64 / divisor, 1);
    let filled = Builder::new(form);
    (builder.form, builder.core) = (filled.form, filled.core);
    let mut stride = 1;
    for (layers, channels) in [(1, 64), (2, 128), (3, 256), (3, 512), (3, 512)] {
        for _ in 0..layers {
            last = builder.layer(last, channels / divisor, stride);
            stride = 1;
        }
        stride = 2;
    }
    builder.finish(last)
}

/// Limits of Loihi 2, as its target file has them.
fn loihi2() -> TargetSpec {
    let mut target = target();
    target.programmable_neuron = true;
    target.message_bits.value = 32;
    target.compartments.value = 4095;
    target.input_axons.value = 16_000;
    target.output_axons.value = 16_000;
    target.synapse_words.value = 16_000;
    target.profiles.value = 8;
    target.chips.value = 8;
    target.synapse_header_bits.value = 0;
    target.shared_kernels.value = 1;
    target.axon_atoms.value = 1024;
    target
}

/// Maps with blocks of channels and verifies; findings about the drawn weights do not count.
fn blocked(draft: QuantizedDraft, target: &TargetSpec) -> MappedDraft {
    let mapped = super::super::map(draft, target, true).expect("maps");
    let found = MappedNetwork::verify(mapped.clone(), &Rules::for_target(target)).err();
    let found = found.unwrap_or_default();
    let found: Vec<_> = found.iter().filter(|d| d.code.to_string().starts_with("SNN05")).collect();
    assert!(found.is_empty(), "{found:?}");
    mapped
}

/// Cores and words of synapse memory.
fn taken(mapped: &MappedDraft, target: &TargetSpec) -> (usize, u64) {
    let accounting = Accounting::new(&mapped.network, &mapped.orders);
    let words = mapped.cores.values().map(|c| accounting.core_usage(c, target).synapse_words);
    (mapped.cores.len(), words.sum())
}

#[test]
fn small_shapes_map_under_all_limits() {
    let mut target = loihi2();
    // As much smaller as the network: an eighth of the channels.
    target.compartments.value = 512;
    target.synapse_words.value = 1100;
    target.output_axons.value = 2000;
    let wide = taken(&blocked(resnet(Form::Materialized, 8), &target), &target);
    let factored = taken(&blocked(resnet(Form::Factored(8), 8), &target), &target);
    assert_eq!([wide, factored], [(153, 38_579), (325, 7911)]);
    assert!(factored.1 < wide.1, "relays and a shared core take less memory");
}

#[test]
#[ignore = "takes long without optimization; prints what is measured"]
#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn shapes_of_papers() {
    type Shape = fn(Form, u32) -> QuantizedDraft;
    let shapes: [(&str, Shape); 2] = [("resnet-18", resnet), ("vgg-16", vgg)];
    for (name, network) in shapes {
        for (what, form) in [
            ("materialized", Form::Materialized),
            ("factored, 64", Form::Factored(64)),
            ("factored, 128", Form::Factored(128)),
        ] {
            let draft = network(form, 1);
            let neurons: usize = draft.populations.values().map(Population::size).sum();
            let started = std::time::Instant::now();
            let mapped = super::super::map(draft, &loihi2(), true).expect("maps");
            let time = started.elapsed();
            let least = {
                let accounting = Accounting::new(&mapped.network, &mapped.orders);
                bounds(&accounting, &loihi2()).map(|b| b.cores).into_iter().max().unwrap_or(0)
            };
            let (cores, words) = taken(&mapped, &loihi2());
            println!(
                "{name} {what}: {neurons} neurons, {cores} cores (bound {least}), {words} words, {time:?}"
            );
        }
    }
}
