//! Random integer networks.

use super::Rng;
use snnc_ir::arena::{Arena, Entity, PopId};
use snnc_ir::level::{Level, Rules};
use snnc_ir::network::{Coding, Compare, Provenance, UpdateOrder};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    QuantizedNetwork, Role, Schedule, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;

/// What a random network may hold.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) hardware: bool,
    /// Strict comparison and thresholds in multiples of 64 only, as registers have them.
    pub(crate) registers: bool,
    /// Resets by subtraction and slow updates too.
    pub(crate) programmable: bool,
}

pub(crate) fn seal(draft: QuantizedDraft) -> QuantizedNetwork {
    QuantizedNetwork::verify(draft, &Rules::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// One train per input, in logical time.
pub(crate) fn inputs(network: &QuantizedNetwork, rng: &mut Rng) -> Vec<SpikeTrain> {
    let percent = rng.range(5, 60);
    let inputs = network.populations.values().filter(|p| p.neuron().is_none());
    inputs.map(|p| rng.train(network.steps as usize, p.size(), percent)).collect()
}

pub(crate) fn random(rng: &mut Rng, kind: Kind) -> QuantizedNetwork {
    let mut populations: Arena<PopId, Population> = Arena::new();
    let mut convolutions = Vec::new();
    let inputs = rng.size(1, 2);
    let period = if kind.hardware { rng.size(1, 3) } else { 1 };
    for i in 0..inputs + rng.size(1, 4) {
        let images: Vec<_> = populations
            .iter()
            .filter(|(_, p)| p.shape.as_chw().is_some())
            .map(|(id, _)| id)
            .collect();
        let mut shape = match rng.range(0, 5) {
            0 | 1 => Shape::chw(rng.size(1, 3), rng.size(1, 5), rng.size(1, 5)),
            // Around the edge of a word of 64 spikes.
            2 => Shape::flat(rng.size(62, 66)),
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
                PopKind::Input(Coding::Events)
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
        readout: IntReadout::SpikeCount(PopId::new(inputs as usize)),
    };
    for (source, target, conv) in convolutions {
        connect(rng, &mut draft, source, target, Structure::Conv(conv));
    }
    for t in inputs as usize..draft.populations.len() {
        for _ in 0..rng.size(1, 3) {
            let source = PopId::new(rng.index(draft.populations.len()));
            let target = PopId::new(t);
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
    // Doubled mantissas with exponent -1, or even ones with another exponent.
    let exponent = i8::try_from(rng.range(-1, 2)).unwrap();
    let scale = if rng.chance(30) { 127 } else { 20 };
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

fn mean_linear(rng: &mut Rng, draft: &mut QuantizedDraft) {
    let classes = rng.size(1, 3) as usize;
    let value = |rng: &mut Rng| f32::from(i16::try_from(rng.range(-999, 999)).unwrap()) / 7.0;
    let ids: Vec<_> = draft.populations.ids().filter(|_| rng.chance(60)).collect();
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
