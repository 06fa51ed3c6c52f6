//! Random integer networks.

use super::Rng;
use snnc_ir::arena::{Arena, Entity, PopId};
use snnc_ir::level::{Level, Rules};
use snnc_ir::network::{Coding, Compare, Keep, Provenance, UpdateOrder};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    Graded, HostBias, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection,
    QuantizedDraft, QuantizedNetwork, Role, Schedule, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;
use snnc_ir::testing::Feed;
use snnc_runtime::{Signal, Stimulus};

/// What a random network may hold.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) hardware: bool,
    /// Strict comparison and thresholds in multiples of 64 only, as registers have them.
    pub(crate) registers: bool,
    /// Resets by subtraction and slow updates too.
    pub(crate) programmable: bool,
    /// Graded relays and directly coded inputs too.
    pub(crate) graded: bool,
}

pub(crate) fn seal(draft: QuantizedDraft) -> QuantizedNetwork {
    QuantizedNetwork::verify(draft, &Rules::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// One signal per input, in logical time.
pub(crate) fn inputs(network: &QuantizedNetwork, rng: &mut Rng) -> Stimulus {
    let percent = rng.range(5, 60);
    let signal = |p: &Population| match &p.kind {
        PopKind::Input(Coding::Direct { range }) => {
            let [low, high] = range.unwrap_or([-1, 1]);
            let value = |_| rng.real(low, high);
            Some(Signal::Frame((0..p.size()).map(value).collect()))
        }
        PopKind::Input(_) => {
            Some(Signal::Spikes(rng.train(network.steps as usize, p.size(), percent)))
        }
        PopKind::Neurons(_) | PopKind::Graded(_) => None,
    };
    Stimulus { inputs: network.populations.values().filter_map(signal).collect() }
}

/// What a strategy fed to each input.
pub(crate) fn stimulus(feeds: Vec<Feed>) -> Stimulus {
    let signal = |feed| match feed {
        Feed::Spikes(train) => Signal::Spikes(train),
        Feed::Frame(frame) => Signal::Frame(frame),
    };
    Stimulus { inputs: feeds.into_iter().map(signal).collect() }
}

pub(crate) fn random(rng: &mut Rng, kind: Kind) -> QuantizedNetwork {
    random_up_to(rng, kind, 66)
}

/// As [`random`], with populations of as many as `neurons` neurons.
pub(crate) fn random_up_to(rng: &mut Rng, kind: Kind, neurons: u32) -> QuantizedNetwork {
    let mut populations: Arena<PopId, Population> = Arena::new();
    let mut convolutions = Vec::new();
    let inputs = rng.size(1, 2);
    let direct = kind.graded && rng.chance(50);
    // The host writes biases for every step of the chip.
    let period = if kind.hardware && !direct { rng.size(1, 3) } else { 1 };
    for i in 0..inputs + rng.size(1, if kind.graded { 6 } else { 4 }) {
        let images: Vec<_> = populations
            .iter()
            .filter(|(_, p)| p.shape.as_chw().is_some())
            .map(|(id, _)| id)
            .collect();
        let mut shape = match rng.range(0, 5) {
            0 | 1 => Shape::chw(rng.size(1, 3), rng.size(1, 5), rng.size(1, 5)),
            // Around the edge of a word of 64 spikes.
            2 => Shape::flat(rng.size(62, neurons)),
            _ => Shape::flat(rng.size(1, 12)),
        };
        if i >= inputs && !images.is_empty() && rng.chance(50) {
            let source = images[rng.index(images.len())];
            let conv = rng.conv(populations[source].shape.as_chw().unwrap());
            shape = Shape(conv.output().unwrap().to_vec());
            convolutions.push((source, PopId::new(i as usize), conv));
        }
        let population = Population {
            name: format!("pop_{i}"),
            role: Role::Logical,
            kind: if i < inputs {
                let coding = if direct && i == 0 {
                    Coding::Direct { range: Some([-2, 3]) }
                } else {
                    Coding::Events
                };
                PopKind::Input(coding)
            } else if kind.graded && i > inputs && rng.chance(50) {
                PopKind::Graded(graded(rng, &shape))
            } else {
                PopKind::Neurons(neuron(rng, &shape, kind, period))
            },
            shape,
        };
        populations.push(population);
    }
    let latency: Vec<u32> = populations.ids().map(|_| rng.size(0, 3)).collect();
    let mut draft = QuantizedDraft {
        name: "random".to_owned(),
        steps: rng.size(1, 12),
        time: if kind.hardware {
            Time::Hardware(Schedule { period, latency })
        } else {
            Time::Logical
        },
        populations,
        projections: Arena::new(),
        matrices: Arena::new(),
        host: Vec::new(),
        readout: IntReadout::SpikeCount(PopId::new(inputs as usize)),
    };
    for (source, target, conv) in convolutions {
        connect(rng, &mut draft, source, target, Structure::Conv(conv));
    }
    for t in inputs as usize..draft.populations.len() {
        for _ in 0..rng.size(1, 3) {
            let mut source = PopId::new(rng.index(draft.populations.len()));
            let target = PopId::new(t);
            let relay = |id: PopId| draft.populations[id].graded().is_some();
            if relay(source) && relay(target) && source >= target {
                // Every loop needs a neuron.
                source = PopId::new(inputs as usize);
            }
            let (rows, cols) = (draft.populations[target].size(), draft.populations[source].size());
            let structure = structure(rng, rows, cols);
            connect(rng, &mut draft, source, target, structure);
        }
    }
    if rng.chance(40) {
        mean_linear(rng, &mut draft);
    }
    seal(draft)
}

fn neuron(rng: &mut Rng, shape: &Shape, kind: Kind, period: u32) -> IntNeuron {
    let decay = |rng: &mut Rng| match rng.range(0, 3) {
        0 => 0,
        1 => 4095,
        _ => u16::try_from(rng.range(0, 4095)).unwrap(),
    };
    let unit = if kind.registers || rng.chance(50) { 64 } else { 1 };
    IntNeuron {
        du: param(rng, shape, decay),
        dv: param(rng, shape, decay),
        threshold: param(rng, shape, |rng| {
            i32::try_from(rng.range(64, 30_000) / unit * unit).unwrap()
        }),
        compare: if kind.registers || rng.chance(50) { Compare::Gt } else { Compare::Ge },
        reset: if kind.programmable && rng.chance(40) {
            IntReset::Subtract(param(rng, shape, |rng| {
                i32::try_from(rng.range(1, 30_000)).unwrap()
            }))
        } else {
            IntReset::Zero
        },
        bias: param(rng, shape, |rng| match rng.range(0, 2) {
            0 => 0,
            _ => i32::try_from(rng.range(-60, 60) * 64).unwrap(),
        }),
        refractory: rng.size(1, 3),
        order: UpdateOrder::LeakInputFire,
        update_period: if kind.programmable && rng.chance(50) { period } else { 1 },
        floor: rng
            .chance(30)
            .then(|| param(rng, shape, |rng| i32::try_from(rng.range(-20_000, 0)).unwrap())),
    }
}

fn graded(rng: &mut Rng, shape: &Shape) -> Graded {
    Graded {
        keep: [None, Some(Keep::Positive), Some(Keep::Negative)][rng.index(3)],
        bias: param(rng, shape, |rng| match rng.range(0, 9) {
            0..4 => 0,
            // As much as a register takes: 2^16 units of weight.
            4 => i32::try_from(2 * rng.range(-32_767, 32_767)).unwrap(),
            _ => i32::try_from(rng.range(-90, 90)).unwrap(),
        }),
        shift: [0, 0, 1, 5][rng.index(4)],
    }
}

fn param<T>(rng: &mut Rng, shape: &Shape, mut value: impl FnMut(&mut Rng) -> T) -> Param<T> {
    match rng.range(0, 2) {
        0 => Param::Uniform(value(rng)),
        1 => Param::PerChannel((0..shape.channels()).map(|_| value(rng)).collect()),
        _ => Param::PerNeuron((0..shape.size()).map(|_| value(rng)).collect()),
    }
}

fn structure(rng: &mut Rng, rows: usize, cols: usize) -> Structure {
    let [r, c] = [rows, cols].map(|n| u32::try_from(n).unwrap());
    match rng.range(0, 2) {
        0 if rows == cols => Structure::Identity { size: r },
        1 => {
            let (mut row_start, mut col) = (vec![0], Vec::new());
            for _ in 0..rows {
                col.extend((0..c).filter(|_| rng.chance(20)));
                row_start.push(u32::try_from(col.len()).unwrap());
            }
            Structure::Sparse { rows: r, cols: c, row_start, col }
        }
        _ => Structure::Dense { rows: r, cols: c },
    }
}

fn connect(
    rng: &mut Rng,
    draft: &mut QuantizedDraft,
    source: PopId,
    target: PopId,
    structure: Structure,
) {
    if let PopKind::Input(Coding::Direct { .. }) = draft.populations[source].kind {
        host_bias(rng, draft, source, target, structure);
        return;
    }
    // Doubled mantissas with exponent -1, or even ones with another exponent.
    let onward = draft.populations[target].graded().is_some();
    let (exponent, scale) = match draft.populations[source].graded() {
        // Messages are large already, and sometimes too large.
        Some(_) if rng.chance(if onward { 50 } else { 10 }) => (7, 127),
        Some(_) => (-1, 2),
        None => (rng.range(-1, 2), if rng.chance(30) { 127 } else { 20 }),
    };
    let exponent = i8::try_from(exponent).unwrap();
    let mantissa = (0..structure.stored())
        .map(|_| 2 * i16::try_from(rng.range(-scale, scale)).unwrap())
        .collect();
    let matrix = draft.matrices.push(IntMatrix {
        name: format!("matrix_{}", draft.matrices.len()),
        structure,
        mantissa,
        exponent,
        sign: Sign::Mixed,
        provenance: Provenance::Dense { tensor: "w".to_owned() },
    });
    let logical = if source < target { rng.size(0, 2) } else { rng.size(1, 2) };
    let delay = match &draft.time {
        Time::Logical => logical,
        Time::Hardware(Schedule { period, latency }) => {
            let (from, to) = (latency[source.index()], latency[target.index()]);
            let mut delay = period * logical + to;
            while delay <= from {
                delay += period;
            }
            delay - from
        }
    };
    draft.projections.push(Projection { source, target, matrix, delay });
}

/// One entry per input and target, into populations that act at once, from a dense matrix or a
/// convolution; anything else is left out.
fn host_bias(
    rng: &mut Rng,
    draft: &mut QuantizedDraft,
    input: PopId,
    target: PopId,
    structure: Structure,
) {
    let late = match &draft.time {
        Time::Logical => false,
        Time::Hardware(schedule) => schedule.latency[target.index()] > 0,
    };
    let known = draft.host.iter().any(|h| (h.input, h.target) == (input, target));
    let fits = matches!(structure, Structure::Dense { .. } | Structure::Conv(_));
    if late || known || !fits {
        return;
    }
    let weights = (0..structure.stored()).map(|_| rng.real(-2, 1)).collect();
    let scale = f64::from(rng.real(0, 20)) + 0.1;
    draft.host.push(HostBias { input, target, structure, weights, scale });
}

fn mean_linear(rng: &mut Rng, draft: &mut QuantizedDraft) {
    let classes = rng.size(1, 3) as usize;
    let value = |rng: &mut Rng| f32::from(i16::try_from(rng.range(-999, 999)).unwrap()) / 7.0;
    let sends_spikes = |id: PopId| match &draft.populations[id].kind {
        PopKind::Input(coding) => *coding == Coding::Events,
        PopKind::Neurons(_) => true,
        PopKind::Graded(_) => false,
    };
    let ids = draft.populations.ids().filter(|&id| sends_spikes(id) && rng.chance(60));
    let ids: Vec<_> = ids.collect();
    let terms: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let weights = (0..classes * draft.populations[id].size()).map(|_| value(rng)).collect();
            (id, weights)
        })
        .collect();
    if !terms.is_empty() {
        let bias = (0..classes).map(|_| value(rng)).collect();
        draft.readout = IntReadout::MeanLinear { terms, bias };
    }
}
