//! Bugs of quantization and of the passes on integers.

use super::{BIASED, Bug, CONV, FRAME, LOOP, RELAYED, SKIP, SKIP_HELD, SUBTRACT, ZOO};
use crate::verify::bisect::By;
use snnc_ir::arena::{Arena, PopId, ProjId};
use snnc_ir::quantized::{IntMatrix, IntNeuron, IntReadout, PopKind, Projection, Role, Time};
use snnc_ir::{Param, QuantizedDraft};
use snnc_passes::framework::patch::Break;

const fn bug(
    [at, name, what]: [&'static str; 3],
    how: fn(&mut QuantizedDraft),
    case: super::Case,
    by: By,
) -> Bug {
    Bug { name, at, what, how: Break::Quantized(how), case, by }
}

/// Bugs from quantization to hardware time, in the order of passes.
pub(super) const BUGS: &[Bug] = &[
    bug(
        ["quantize", "scale-doubled", "the weights into one population have twice its scale"],
        |d| {
            let w = id(d, "w");
            matrix_into(d, w).exponent += 1;
        },
        ZOO,
        By::Account,
    ),
    bug(
        ["quantize", "weight-dropped", "the largest weight of a projection is lost"],
        |d| {
            let u = id(d, "u+v");
            let mantissa = &mut matrix_into(d, u).mantissa;
            let largest = mantissa.iter_mut().max_by_key(|m| m.unsigned_abs());
            *largest.expect("a weight to break") = 0;
        },
        ZOO,
        By::Account,
    ),
    bug(
        ["quantize", "sign-lost", "weights are stored by their size"],
        |d| {
            let q = id(d, "q");
            matrix_into(d, q).mantissa.iter_mut().for_each(|m| *m = m.abs());
        },
        ZOO,
        By::Account,
    ),
    bug(
        ["quantize", "threshold-one-up", "a threshold is rounded up, not to the nearest"],
        |d| {
            let h = id(d, "h.1");
            let threshold = &mut neuron(d, h).threshold;
            *threshold = threshold.map(|t| t + 64);
        },
        ZOO,
        By::Account,
    ),
    bug(
        ["quantize", "no-leak", "a population forgets its leak"],
        |d| {
            let h = id(d, "h.0");
            neuron(d, h).dv = Param::Uniform(0);
        },
        ZOO,
        By::Account,
    ),
    bug(
        ["quantize", "bias-of-the-neighbor", "biases are off by one neuron"],
        |d| {
            let p = id(d, "p");
            if let Param::PerNeuron(bias) = &mut neuron(d, p).bias {
                bias.rotate_left(1);
            }
        },
        ZOO,
        By::Account,
    ),
    bug(
        ["quantize", "delay-not-copied", "a projection forgets its delay"],
        |d| {
            let w = id(d, "w");
            projection(d, w).delay = 0;
        },
        ZOO,
        By::Account,
    ),
    bug(
        ["quantize", "held-one-step-less", "a refractory time counts the spike itself"],
        |d| neurons(d).filter(|n| n.refractory > 1).for_each(|n| n.refractory -= 1),
        SKIP_HELD,
        By::Account,
    ),
    bug(
        ["quantize", "host-scale-of-another", "the host scales a frame for another population"],
        |d| d.host.iter_mut().for_each(|h| h.scale *= 0.5),
        FRAME,
        By::Account,
    ),
    bug(
        ["quantize", "readout-rows-swapped", "two classes of the readout change places"],
        |d| {
            if let IntReadout::MeanLinear { terms, bias } = &mut d.readout {
                let weights = &mut terms[0].1;
                let row = weights.len() / bias.len();
                weights.rotate_left(row);
            }
        },
        CONV,
        By::Account,
    ),
    bug(
        ["fold-integers", "small-weights-are-zero", "a projection of small weights counts as zero"],
        |d| {
            let y = id(d, "y");
            let last = d
                .projections
                .iter()
                .filter(|(_, p)| p.target == y && p.delay == 0)
                .map(|(id, _)| id)
                .next_back();
            without(d, last.expect("a projection to break"));
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        [
            "fold-integers",
            "merged-across-thresholds",
            "populations that differ in a threshold become one",
        ],
        |d| {
            let (p, w) = (id(d, "p"), id(d, "w"));
            let readers = d.projections.values_mut().filter(|own| own.source == w);
            readers.for_each(|own| own.source = p);
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        [
            "fold-integers",
            "aligned-without-mantissas",
            "an exponent is raised and the mantissas stay",
        ],
        |d| {
            let q = id(d, "q");
            matrix_into(d, q).exponent += 1;
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        ["strict-compare", "without-minus-one", "`>=` becomes `>` at the same threshold"],
        |d| neurons(d).for_each(|n| n.threshold = n.threshold.map(|t| t + 64)),
        SUBTRACT,
        By::Simulation,
    ),
    bug(
        ["schedule", "skip-one-late", "the longest synaptic delay is one step too long"],
        |d| {
            let longest = d.projections.values_mut().max_by_key(|p| p.delay);
            longest.expect("a projection to break").delay += 1;
        },
        SKIP,
        By::Simulation,
    ),
    bug(
        [
            "schedule",
            "bias-from-the-start",
            "a bias acts from step 0 on, wherever its population starts",
        ],
        |d| {
            // What the clock carries is in the register, too.
            let clock = d.populations.iter().find(|(_, p)| p.role == Role::Clock).map(|(id, _)| id);
            let clock = clock.expect("a clock to break");
            let carried = d.projections.values().find(|p| p.source == clock);
            let Projection { target, matrix, .. } = *carried.expect("a bias to break");
            let mut bias = Vec::new();
            for n in 0..d.populations[target].size() {
                let mut sum = 0;
                d.matrices[matrix].for_row(n, |_, w| sum += 64 * w);
                bias.push(sum);
            }
            neuron(d, target).bias = Param::PerNeuron(bias);
        },
        BIASED,
        By::Simulation,
    ),
    bug(
        ["schedule", "latency-one-early", "the table says that a population starts a step early"],
        |d| {
            if let Time::Hardware(schedule) = &mut d.time
                && let Some(latency) = schedule.latency.iter_mut().max()
            {
                *latency -= 1;
            }
        },
        SKIP,
        By::Simulation,
    ),
    bug(
        ["schedule", "relay-short-circuited", "a relay is read in the place of the one before it"],
        |d| {
            let relay = d.populations.iter().find_map(|(id, p)| match p.role {
                Role::Relay { .. } => Some(id),
                _ => None,
            });
            let relay = relay.expect("a relay to break");
            let read = d.projections.values_mut().find(|p| p.source == relay);
            read.expect("a reader to break").delay += 1;
        },
        RELAYED,
        By::Simulation,
    ),
    bug(
        [
            "schedule",
            "loop-in-one-step",
            "a synapse of a loop arrives in the logical step that it left",
        ],
        |d| {
            let longest = d.projections.values_mut().max_by_key(|p| p.delay);
            let delay = &mut longest.expect("a projection to break").delay;
            *delay = (*delay - 1).max(1);
        },
        LOOP,
        By::Verifier,
    ),
];

fn id(d: &QuantizedDraft, name: &str) -> PopId {
    d.population_named(name).unwrap_or_else(|| panic!("no population `{name}` to break"))
}

fn neuron(d: &mut QuantizedDraft, id: PopId) -> &mut IntNeuron {
    match &mut d.populations[id].kind {
        PopKind::Neurons(neuron) => neuron,
        PopKind::Input(_) | PopKind::Graded(_) => panic!("no neurons to break"),
    }
}

fn neurons(d: &mut QuantizedDraft) -> impl Iterator<Item = &mut IntNeuron> {
    d.populations.values_mut().filter_map(|p| match &mut p.kind {
        PopKind::Neurons(neuron) => Some(neuron),
        PopKind::Input(_) | PopKind::Graded(_) => None,
    })
}

/// The first projection into a population.
fn projection(d: &mut QuantizedDraft, target: PopId) -> &mut Projection {
    let mut into = d.projections.values_mut().filter(|p| p.target == target);
    into.next().expect("a projection to break")
}

/// The matrix of the first projection into a population.
fn matrix_into(d: &mut QuantizedDraft, target: PopId) -> &mut IntMatrix {
    let matrix = projection(d, target).matrix;
    &mut d.matrices[matrix]
}

fn without(d: &mut QuantizedDraft, lost: ProjId) {
    let mut kept = Arena::new();
    for (_, projection) in d.projections.iter().filter(|(id, _)| *id != lost) {
        kept.push(projection.clone());
    }
    d.projections = kept;
}
