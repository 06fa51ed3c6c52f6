//! Random source networks.

use super::source::{Source, neuron};
use snnc_ir::Param;
use snnc_ir::arena::{MatId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::network::Compare;
use snnc_ir::network::Keep;
use snnc_ir::quantized::{IntNeuron, IntReadout, IntReset, PopKind, Sign, Structure};

/// A reproducible source of choices.
#[derive(Clone, Debug)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        // xorshift64*, which must not start at 0.
        let mut x = self.0.max(1);
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0 = x;
        x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number in `low..high`.
    pub(crate) fn range(&mut self, low: u32, high: u32) -> u32 {
        low + u32::try_from(self.next() % u64::from(high - low)).expect("below a u32")
    }

    pub(crate) fn small(&mut self, low: i16, high: i16) -> i16 {
        let span = u64::try_from(high - low).expect("low < high");
        low + i16::try_from(self.next() % span).expect("below an i16")
    }

    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.range(0, 100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.range(0, u32::try_from(items.len()).expect("few")) as usize]
    }
}

/// A random network. Without `programmable`, neurons that a fixed-function chip has; with it, graded
/// relays and directly coded inputs too.
pub(crate) fn source(rng: &mut Rng, programmable: bool) -> Source {
    let mut s = Source::new(rng.range(3, 8));
    let mut populations = Vec::new();
    for i in 0..rng.range(1, 3) {
        let shape = shape(rng);
        populations.push(s.input(&format!("in{i}"), &shape));
    }
    let relays = programmable && rng.chance(60);
    if programmable && rng.chance(40) {
        // Nothing arrives in the same step at what the host writes to, which is to start at once.
        let first = written(rng, &mut s, relays);
        populations.push(first);
    }
    for i in 0..rng.range(1, 5) {
        let shape = shape(rng);
        let size = shape.iter().product::<u32>();
        if relays && rng.chance(50) {
            let id = relay(rng, &mut s, &format!("g{i}"), &shape);
            for _ in 0..rng.range(1, 3) {
                let from = rng.pick(&populations);
                let delay = if rng.chance(60) { 0 } else { rng.range(0, 3) };
                connect(rng, &mut s, from, id, delay);
            }
            populations.push(id);
        }
        let parameters = parameters(rng, size, programmable);
        let id = s.neurons(&format!("h{i}"), &shape, parameters);
        for _ in 0..rng.range(1, 4) {
            let from = rng.pick(&populations);
            let delay = if rng.chance(60) { 0 } else { rng.range(0, 3) };
            connect(rng, &mut s, from, id, delay);
        }
        populations.push(id);
    }
    let neurons: Vec<PopId> = s
        .draft
        .populations
        .iter()
        .filter(|(_, p)| p.neuron().is_some())
        .map(|(id, _)| id)
        .collect();
    for _ in 0..rng.range(0, 3) {
        let (from, to) = (rng.pick(&populations), rng.pick(&neurons));
        let delay = rng.range(1, 4);
        connect(rng, &mut s, from, to, delay);
    }
    if rng.chance(30) {
        let counted: Vec<PopId> = populations
            .iter()
            .copied()
            .filter(|&id| s.draft.populations[id].graded().is_none())
            .collect();
        let read = rng.pick(&counted);
        let size = s.draft.populations[read].size();
        let weights =
            (0..2 * size).map(|i| f32::from(u16::try_from(i).expect("small")) - 1.5).collect();
        s.draft.readout =
            IntReadout::MeanLinear { terms: vec![(read, weights)], bias: vec![0.5, -0.0] };
    }
    s
}

fn keep(rng: &mut Rng) -> Option<Keep> {
    rng.pick(&[None, Some(Keep::Positive), Some(Keep::Negative)])
}

fn relay(rng: &mut Rng, s: &mut Source, name: &str, shape: &[u32]) -> PopId {
    let size = shape.iter().product::<u32>();
    let bias = match rng.range(0, 3) {
        0 => Param::PerNeuron((0..size).map(|_| i32::from(rng.small(-4, 5))).collect()),
        _ => Param::Uniform(0),
    };
    let keep = keep(rng);
    let id = s.graded(name, shape, keep, bias);
    if rng.chance(50) {
        let shift = u8::try_from(rng.range(1, 4)).expect("small");
        if let PopKind::Graded(relay) = &mut s.draft.populations[id].kind {
            // Rounding to nearest.
            let half = 1 << (shift - 1);
            relay.shift = shift;
            relay.bias = if rng.chance(60) { Param::Uniform(half) } else { relay.bias.clone() };
        }
    }
    id
}

/// A directly coded input, and what the host writes it to.
fn written(rng: &mut Rng, s: &mut Source, relays: bool) -> PopId {
    let image = s.direct("image", &[1, 2, 3]);
    let target = if relays && rng.chance(60) {
        relay(rng, s, "first", &[2, 2, 2])
    } else {
        let parameters = parameters(rng, 8, true);
        s.neurons("first", &[2, 2, 2], parameters)
    };
    let structure = if rng.chance(50) {
        Structure::Dense { rows: 8, cols: 6 }
    } else {
        let (input, kernel, stride) = ([1, 2, 3], [1, 2], [1, 1]);
        let (pad, crop) = ([0, 1, 0, 0], [1, 0, 0, 0]);
        let pad = if rng.chance(50) { [1, 0, 0, 0] } else { pad };
        Structure::Conv(Conv { input, out_channels: 2, kernel, stride, pad, groups: 1, crop })
    };
    s.host(image, target, structure, 2.5);
    if s.draft.populations[target].neuron().is_some() && rng.chance(50) {
        connect(rng, s, target, target, 1);
    }
    target
}

fn shape(rng: &mut Rng) -> Vec<u32> {
    if rng.chance(30) { vec![rng.range(1, 3), 3, rng.range(2, 4)] } else { vec![rng.range(1, 7)] }
}

fn connect(rng: &mut Rng, s: &mut Source, from: PopId, to: PopId, delay: u32) {
    let graded = [from, to].iter().any(|&id| s.draft.populations[id].graded().is_some());
    if !graded && rng.chance(15) {
        return split(rng, s, from, to, delay);
    }
    let matrix = matrix(rng, s, from, to);
    s.project(from, to, matrix, delay);
    if rng.chance(15) {
        // The same synapses twice, at once or later.
        s.project(from, to, matrix, delay + rng.range(0, 2));
    }
}

/// Excitatory and inhibitory weights apart, between the same neurons at once.
fn split(rng: &mut Rng, s: &mut Source, from: PopId, to: PopId, delay: u32) {
    let [rows, cols] =
        [to, from].map(|id| u32::try_from(s.draft.populations[id].size()).expect("small"));
    let weights: Vec<i16> = (0..rows * cols).map(|_| rng.small(-4, 7)).collect();
    for part in [|w: &i16| (*w).max(0), |w: &i16| (*w).min(0)] {
        let weights: Vec<i16> = weights.iter().map(part).collect();
        let matrix = stored(rng, s, Structure::Dense { rows, cols }, &weights);
        s.project(from, to, matrix, delay);
    }
}

fn matrix(rng: &mut Rng, s: &mut Source, from: PopId, to: PopId) -> MatId {
    // Sums of messages are sums of sums: small weights keep most of them inside the accumulator.
    let messages = s.draft.populations[from].graded().is_some();
    let size = |id: PopId| u32::try_from(s.draft.populations[id].size()).expect("small");
    let (rows, cols) = (size(to), size(from));
    let known =
        s.draft.matrices.iter().find(|(_, m)| {
            m.structure.rows() == rows as usize && m.structure.cols() == cols as usize
        });
    if let Some((id, _)) = known
        && rng.chance(if messages { 0 } else { 25 })
    {
        return id;
    }
    let shapes = [from, to].map(|id| s.draft.populations[id].shape.as_chw());
    let (low, high) = if messages { (-1, 2) } else { (-4, 7) };
    let weight = |rng: &mut Rng| if rng.chance(25) { 0 } else { rng.small(low, high) };
    if let [Some(input), Some([channels, height, width])] = shapes
        && rng.chance(70)
    {
        let mut conv = Conv {
            input,
            out_channels: channels,
            kernel: [3, 2],
            stride: [1, 1],
            pad: [1, 1, 1, 0],
            groups: 1,
            crop: [0; 4],
        };
        if rng.chance(40) {
            // What is cropped acts as padding.
            (conv.crop, conv.pad) = ([1, 0, 0, 1], [2, 1, 1, 1]);
        }
        if conv.output() == Some([channels, height, width]) {
            let weights: Vec<i16> = (0..conv.kernel_size()).map(|_| weight(rng)).collect();
            return stored(rng, s, Structure::Conv(conv), &weights);
        }
    }
    if rows == cols && rng.chance(30) {
        let weight = rng.small(1, 6);
        return stored(rng, s, Structure::Identity { size: rows }, &[weight]);
    }
    if rng.chance(30) {
        let (mut row_start, mut col) = (vec![0], vec![]);
        for _ in 0..rows {
            col.extend((0..cols).filter(|_| rng.chance(50)));
            row_start.push(u32::try_from(col.len()).expect("small"));
        }
        let weights: Vec<i16> = col.iter().map(|_| weight(rng)).collect();
        return stored(rng, s, Structure::Sparse { rows, cols, row_start, col }, &weights);
    }
    let weights: Vec<i16> = (0..rows * cols).map(|_| weight(rng)).collect();
    stored(rng, s, Structure::Dense { rows, cols }, &weights)
}

/// Largest weight: sums stay inside the accumulator, and membranes inside their registers.
const MAX_WEIGHT: i16 = 12;

/// Stores weights (or a multiple of them) in one of the ways that a synapse group offers.
fn stored(rng: &mut Rng, s: &mut Source, structure: Structure, weights: &[i16]) -> MatId {
    if rng.chance(50) {
        return s.matrix(structure, weights);
    }
    let largest = weights.iter().map(|w| w.abs()).max().unwrap_or(0);
    let sign = match weights.iter().all(|&w| w >= 0) {
        true => Sign::Excitatory,
        false if weights.iter().all(|&w| w <= 0) => Sign::Inhibitory,
        false => Sign::Mixed,
    };
    let mixed = i8::from(sign == Sign::Mixed);
    // The first bits of the mantissa hold the weight; what is left out makes the exponent smaller.
    let widths = (1_i8..=8).filter(|bits| *bits != 7 && largest >> (bits - mixed) == 0);
    let widths: Vec<i8> = widths.collect();
    let unused = 8 - rng.pick(&widths) + mixed;
    let exponents: Vec<i8> = (0..=4).filter(|e| largest << e <= MAX_WEIGHT).collect();
    let mantissa = weights.iter().map(|w| w << unused).collect();
    s.stored(structure, mantissa, rng.pick(&exponents) - unused, sign)
}

fn parameters(rng: &mut Rng, size: u32, programmable: bool) -> IntNeuron {
    let mut n = neuron(i32::try_from(rng.range(0, 8)).expect("small"));
    let per_neuron = |rng: &mut Rng, f: &mut dyn FnMut(&mut Rng) -> i32| {
        Param::PerNeuron((0..size).map(|_| f(rng)).collect::<Vec<i32>>())
    };
    if rng.chance(30) {
        n.threshold = per_neuron(rng, &mut |rng| 64 * i32::from(rng.small(0, 9)));
    }
    let leaky = rng.chance(35);
    if leaky {
        let pick = |rng: &mut Rng| rng.pick(&[1_u16, 410, 2048, 4095]);
        n.dv = Param::Uniform(pick(rng));
        if rng.chance(30) {
            n.dv = Param::PerNeuron((0..size).map(|_| pick(rng)).collect());
        }
    }
    let memory = rng.chance(20);
    if memory {
        n.du = Param::Uniform(rng.pick(&[0_u16, 1000, 4094]));
    } else if rng.chance(50) {
        // A current with memory would smear a bias that clock spikes carry.
        n.bias = Param::Uniform(64 * i32::from(rng.small(-3, 9)));
        if rng.chance(40) {
            n.bias = per_neuron(rng, &mut |rng| 64 * i32::from(rng.small(-3, 9)));
        }
    }
    if programmable && rng.chance(30) {
        n.reset = IntReset::Subtract(Param::Uniform(64 * i32::from(rng.small(1, 6))));
    }
    if rng.chance(40) {
        n.compare = Compare::Ge;
        // v ≥ 64·m + 1 everywhere, v ≥ 64·m where membranes are multiples of 64.
        let above = if leaky || memory { 1 } else { i32::from(rng.small(1, 65)) };
        n.threshold = n.threshold.map(|t| t + above);
    }
    if programmable && rng.chance(40) {
        // Multiples of 64 keep membranes on the grid that some thresholds need.
        n.floor = Some(Param::Uniform(-64 * i32::from(rng.small(0, 20))));
    }
    n.refractory = if rng.chance(25) { rng.range(2, 4) } else { 1 };
    n
}

/// Whether no neuron of the population changes in a step without input.
pub(crate) fn rests(kind: &PopKind) -> bool {
    match kind {
        PopKind::Input(_) | PopKind::Graded(_) => true,
        PopKind::Neurons(n) => {
            n.dv.values().iter().all(|&d| d == 0)
                && n.du.values().iter().all(|&d| d == 4095)
                && n.reset == IntReset::Zero
        }
    }
}
