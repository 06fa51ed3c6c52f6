//! Draws networks that are alive, and what they are fed.

use super::scope::{Bias, Scope};
use snnc_ir::arena::{Arena, Entity, MatId, PopId, ProjId};
use snnc_ir::network::{Coding, Compare, Provenance, UpdateOrder};
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    Role, Sign, Structure, Time,
};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Param, Shape};

/// Choices that follow from three numbers.
#[derive(Debug)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seeds: [u64; 3]) -> Self {
        let mut draw = Self(0);
        for seed in seeds {
            draw.0 ^= seed;
            draw.0 = draw.next();
        }
        draw
    }

    /// `SplitMix64` (Steele et al., 2014).
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    fn below(&mut self, n: u32) -> u32 {
        u32::try_from(self.next() % u64::from(n)).unwrap_or(0)
    }

    /// A number from `low` to `high`.
    fn between(&mut self, low: i32, high: i32) -> i32 {
        low.saturating_add_unsigned(self.below(high.abs_diff(low).saturating_add(1)))
    }

    /// True once in `n` draws.
    pub(super) fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    /// One of the items.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let index = self.next() % items.len() as u64;
        items[usize::try_from(index).unwrap_or(0)]
    }
}

/// What the populations of a network share, so that the tables of a core can hold it, and the networks of a family.
struct Palette {
    /// Largest weight.
    limit: i32,
    du: Vec<u16>,
    dv: Vec<u16>,
    thresholds: Vec<i32>,
    biases: Vec<i32>,
    refractory: Vec<u32>,
    /// Whole sets of (du, dv, threshold, refractory) instead, where neurons of a population are alike.
    sets: Vec<(u16, u16, i32, u32)>,
    /// Sign, bits of the field, and shift of a synapse group.
    formats: Vec<(Sign, i8, i8)>,
    delays: Vec<u32>,
}

/// What the networks of a family choose from.
fn palette(draw: &mut Draw, scope: &Scope) -> Palette {
    let limit = draw.pick(&[6, 20, 40, 100, 127]);
    let reach = limit * draw.between(2, 5);
    let du: Vec<u16> = if scope.memory {
        (0..3).map(|_| draw.pick(&[4095, 4095, 2048, 1500, 3000, 4000])).collect()
    } else {
        vec![4095]
    };
    let dv: Vec<u16> = (0..3).map(|_| draw.pick(&[0, 128, 700, 2048, 4095, 3333])).collect();
    // What is subtracted is at least 1.
    let least = i32::from(scope.subtract);
    let thresholds: Vec<i32> = (0..4).map(|_| 64 * draw.between(least, reach)).collect();
    let biases = match scope.bias {
        Bias::None => vec![0],
        Bias::Weights => (0..3).map(|_| 64 * draw.between(-limit / 4, limit)).collect(),
    };
    let refractory = if scope.refractory {
        vec![1, 1, 1, 2 + draw.below(6), 2 + draw.below(20)]
    } else {
        vec![1]
    };
    let set = |draw: &mut Draw| {
        (draw.pick(&du), draw.pick(&dv), draw.pick(&thresholds), draw.pick(&refractory))
    };
    let sets = if scope.alike { (0..3).map(|_| set(draw)).collect() } else { Vec::new() };
    let signs: &[Sign] = if scope.signs {
        &[Sign::Mixed, Sign::Mixed, Sign::Excitatory, Sign::Inhibitory]
    } else {
        &[Sign::Mixed]
    };
    let (bits, shifts): (&[i8], &[i8]) =
        if scope.formats { (&[8, 8, 8, 6, 5, 4, 3], &[0, 0, 1, 2, 3]) } else { (&[8], &[0]) };
    let format = |draw: &mut Draw| (draw.pick(signs), draw.pick(bits), draw.pick(shifts));
    let mut formats = vec![(Sign::Mixed, 8, 0)];
    formats.extend((0..3).map(|_| format(draw)));
    let delays = [0, 0, 0].into_iter().chain((0..2).map(|_| draw.below(scope.delays + 1)));
    let delays = delays.collect();
    Palette { limit, du, dv, thresholds, biases, refractory, sets, formats, delays }
}

/// A network in logical time within `scope`; what it chooses from follows from `family`.
pub(super) fn network(draw: &mut Draw, family: &mut Draw, scope: &Scope) -> QuantizedDraft {
    let palette = palette(family, scope);
    let mut net = QuantizedDraft {
        name: "random".to_owned(),
        steps: scope.steps[0] + draw.below(scope.steps[1] - scope.steps[0] + 1),
        time: Time::Logical,
        populations: Arena::new(),
        projections: Arena::new(),
        matrices: Arena::new(),
        host: Vec::new(),
        readout: IntReadout::SpikeCount(PopId::new(0)),
    };
    for i in 0..=draw.below(2) {
        let size = 2 + draw.below(scope.size);
        let kind = PopKind::Input(Coding::Events);
        add(&mut net, format!("x{i}"), size, kind);
    }
    for i in 0..=draw.below(4) {
        let size = 1 + draw.below(scope.size);
        let neuron = neuron(draw, scope, &palette, size);
        add(&mut net, format!("h{i}"), size, PopKind::Neurons(neuron));
    }
    projections(draw, &palette, &mut net);
    net.readout = IntReadout::SpikeCount(PopId::new(net.populations.len() - 1));
    net
}

fn add(net: &mut QuantizedDraft, name: String, size: u32, kind: PopKind) {
    let shape = Shape(vec![size]);
    net.populations.push(Population { name, shape, role: Role::Logical, kind });
}

fn neuron(draw: &mut Draw, scope: &Scope, palette: &Palette, size: u32) -> IntNeuron {
    let floor = (scope.floors && draw.one_in(3)).then(|| {
        // −(2^k − 1), which every target holds.
        Param::Uniform(1 - (1 << draw.between(7, 16)))
    });
    let biases: &[i32] = if draw.one_in(2) { &[0] } else { &palette.biases };
    let mut neuron = IntNeuron {
        du: param(draw, &palette.du, size),
        dv: param(draw, &palette.dv, size),
        threshold: param(draw, &palette.thresholds, size),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: param(draw, biases, size),
        refractory: draw.pick(&palette.refractory),
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor,
    };
    if scope.alike {
        let (du, dv, threshold, refractory) = draw.pick(&palette.sets);
        neuron.du = Param::Uniform(du);
        neuron.dv = Param::Uniform(dv);
        neuron.threshold = Param::Uniform(threshold);
        neuron.refractory = refractory;
    }
    if scope.subtract && neuron.refractory == 1 && draw.one_in(3) {
        neuron.reset = IntReset::Subtract(neuron.threshold.clone());
    }
    neuron
}

/// One value for all neurons, or one each.
fn param<T: Copy>(draw: &mut Draw, values: &[T], size: u32) -> Param<T> {
    if draw.one_in(2) {
        return Param::Uniform(draw.pick(values));
    }
    Param::PerNeuron((0..size).map(|_| draw.pick(values)).collect())
}

/// Each population reads one or two before it, perhaps twice, and perhaps itself or one behind it, later.
fn projections(draw: &mut Draw, palette: &Palette, net: &mut QuantizedDraft) {
    let inputs = net.populations.values().filter(|p| p.is_input()).count();
    let all = net.populations.len();
    for target in inputs..all {
        for _ in 0..=draw.below(2) {
            // Rather the population before it, so that networks are deep, too.
            let near = draw.one_in(2);
            let source = if near { target - 1 } else { draw.below(count(target)) as usize };
            let delay = draw.pick(&palette.delays);
            project(draw, palette, net, [source, target], delay);
        }
        if draw.one_in(3) {
            let source = target + draw.below(count(all - target)) as usize;
            // A loop of n zero-delay steps needs n hardware steps, which a delay of n + 1 leaves it.
            let delay = draw.pick(&palette.delays).max(count(source - target) + 1);
            project(draw, palette, net, [source, target], delay);
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn project(
    draw: &mut Draw,
    palette: &Palette,
    net: &mut QuantizedDraft,
    ends: [usize; 2],
    delay: u32,
) {
    let [source, target] = ends.map(PopId::new);
    let [cols, rows] = [source, target].map(|p| count(net.populations[p].size()));
    let structure = match draw.below(5) {
        0 if rows == cols => Structure::Identity { size: rows },
        0 | 1 => {
            let (mut row_start, mut col) = (vec![0], Vec::new());
            for _ in 0..rows {
                col.extend((0..cols).filter(|_| draw.one_in(3)));
                row_start.push(count(col.len()));
            }
            Structure::Sparse { rows, cols, row_start, col }
        }
        _ => Structure::Dense { rows, cols },
    };
    let matrix = weights(draw, palette, net, structure);
    let _: ProjId = net.projections.push(Projection { source, target, matrix, delay });
}

/// A matrix of weights up to `limit`, in a format that a synapse group stores unchanged.
fn weights(
    draw: &mut Draw,
    palette: &Palette,
    net: &mut QuantizedDraft,
    structure: Structure,
) -> MatId {
    let (sign, bits, shift) = draw.pick(&palette.formats);
    let mixed = i8::from(sign == Sign::Mixed);
    // A weight is `steps · 2^shift`; the field keeps the upper bits of a mantissa.
    let unused = 8 - bits + mixed;
    let largest = (1_i32 << (bits - mixed)) - 1;
    let steps = (palette.limit >> shift).clamp(1, largest);
    // Rather excitation, so that something happens.
    let low = match sign {
        Sign::Mixed => -draw.pick(&[steps, steps / 2, steps / 4]),
        Sign::Excitatory => 0,
        Sign::Inhibitory => -steps,
    };
    let high = if sign == Sign::Inhibitory { 0 } else { steps };
    let mantissa = (0..structure.stored())
        .map(|_| i16::try_from(draw.between(low, high) << unused).unwrap_or(0))
        .collect();
    let name = format!("w{}", net.matrices.len());
    net.matrices.push(IntMatrix {
        name,
        structure,
        mantissa,
        exponent: shift - unused,
        sign,
        provenance: Provenance::Derived { pass: "corpus".to_owned(), from: vec![] },
    })
}

/// A train for each input, of a density of its own; now and then one that never rests.
pub(super) fn stimulus(draw: &mut Draw, program: &Program) -> Vec<SpikeTrain> {
    let inputs = program.populations.iter().filter(|s| matches!(s.role, SymbolRole::Input(_)));
    inputs
        .map(|symbol| {
            let mut train = SpikeTrain::new(program.steps as usize, symbol.shape.size());
            let rests = draw.pick(&[0, 1, 2, 3, 3, 5, 8]);
            for step in 0..train.steps() {
                for neuron in 0..train.neurons() {
                    if draw.one_in(1 + rests) {
                        train.set(step, neuron);
                    }
                }
            }
            train
        })
        .collect()
}
