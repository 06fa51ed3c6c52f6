//! Rules that a target adds: ranges of its registers and of its input accumulator.

use super::{codes, matrix_place, population_place, projection_place};
use crate::arena::{Entity, MatId, PopId};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::network::Compare;
use crate::quantized::{IntMatrix, IntNeuron, IntReset, QuantizedDraft, Structure, Time};
use crate::target::{Limit, TargetSpec};

/// Holds a network that is sound on its own to the ranges of `target`.
pub(crate) fn check(draft: &QuantizedDraft, target: &TargetSpec, out: &mut Diagnostics) {
    for (id, population) in draft.populations.iter() {
        if let Some(neuron) = population.neuron() {
            registers(&population_place(draft, id), neuron, target, out);
        }
    }
    for (id, matrix) in draft.matrices.iter() {
        let exponent = i64::from(matrix.exponent);
        for (limit, fits) in [
            (&target.min_weight_exponent, exponent >= target.min_weight_exponent.value),
            (&target.max_weight_exponent, exponent <= target.max_weight_exponent.value),
        ] {
            if !fits {
                let message = format!("the weight exponent is {exponent}");
                out.push(
                    beyond(codes::TARGET_EXPONENT, message, limit, target)
                        .at(matrix_place(draft, id))
                        .help("quantize with another scale"),
                );
            }
        }
    }
    if matches!(draft.time, Time::Hardware(_)) {
        for (id, projection) in draft.projections.iter() {
            let register = i64::from(projection.delay) - 1;
            if register > target.max_delay.value {
                let message = format!("the delay register would be {register}");
                out.push(
                    beyond(codes::TARGET_DELAY, message, &target.max_delay, target)
                        .at(projection_place(draft, id))
                        .help("run the schedule pass for this target: it inserts relay neurons"),
                );
            }
        }
    }
    input_sums(draft, target, out);
}

/// A violation of one limit, with its origin.
fn beyond(code: Code, message: String, limit: &Limit, target: &TargetSpec) -> Diagnostic {
    Diagnostic::error(code, message)
        .note(format!("target \"{}\", {}: limit {limit}", target.name, target.file))
}

fn registers(place: &str, neuron: &IntNeuron, target: &TargetSpec, out: &mut Diagnostics) {
    if neuron.compare != Compare::Gt {
        out.push(
            Diagnostic::error(codes::TARGET_COMPARE, "the population fires at v >= threshold")
                .at(place)
                .note(format!("target \"{}\" fires at v > threshold only", target.name))
                .help("run the strict-compare pass"),
        );
    }
    let storable =
        |t: i32| t % 64 == 0 && (1..=target.max_threshold.value).contains(&i64::from(t / 64));
    if let Some(threshold) = neuron.threshold.values().iter().find(|t| !storable(**t)) {
        let message = format!("the threshold {threshold} is no mantissa times 64");
        out.push(
            beyond(codes::TARGET_THRESHOLD, message, &target.max_threshold, target)
                .at(place)
                .note("expected a mantissa of 1 up to the limit, times 64")
                .help("quantize thresholds onto this grid"),
        );
    }
    if let Some(bias) = neuron.bias.values().iter().find(|b| target.bias_registers(**b).is_none()) {
        let message = format!("the bias {bias} fits no mantissa and exponent");
        out.push(
            beyond(codes::TARGET_BIAS, message, &target.max_bias_mantissa, target)
                .at(place)
                .note(format!("exponent limit {}", target.max_bias_exponent))
                .help("quantize biases onto this grid"),
        );
    }
    if i64::from(neuron.refractory) > target.max_refractory.value {
        let message = format!("the refractory register would be {}", neuron.refractory);
        out.push(
            beyond(codes::TARGET_REFRACTORY, message, &target.max_refractory, target)
                .at(place)
                .help("shorten the refractory period"),
        );
    }
    if !target.programmable_neuron {
        let subtracts = matches!(neuron.reset, IntReset::Subtract(_));
        for (present, what) in [
            (subtracts, "resets by subtraction"),
            (neuron.update_period != 1, "updates in every P-th step only"),
        ] {
            if present {
                out.push(
                    Diagnostic::error(codes::TARGET_NEURON, format!("the population {what}"))
                        .at(place)
                        .note(format!("target \"{}\" has no programmable neuron", target.name))
                        .help("choose a programmable target, or another neuron model"),
                );
            }
        }
    }
}

/// Sums of positive and of negative weights into one neuron.
#[derive(Clone, Copy, Default)]
struct Sums {
    positive: i64,
    negative: i64,
}

impl Sums {
    fn add(&mut self, weight: i32) {
        let weight = i64::from(weight);
        if weight > 0 {
            self.positive += weight;
        } else {
            self.negative += weight;
        }
    }

    fn exceeds(self, limit: i64) -> bool {
        self.positive > limit || -self.negative > limit
    }
}

/// Worst-case input of one step, all sources spiking at once and all delays coinciding: the largest
/// and the smallest sum that any spike pattern can produce.
fn input_sums(draft: &QuantizedDraft, target: &TargetSpec, out: &mut Diagnostics) {
    let limit = target.max_input_sum.value;
    let bounds: Vec<Vec<Sums>> = draft.matrices.values().map(cheap_bounds).collect();
    let mut into: Vec<Vec<MatId>> = vec![Vec::new(); draft.populations.len()];
    for projection in draft.projections.values() {
        into[projection.target.index()].push(projection.matrix);
    }
    for (id, population) in draft.populations.iter() {
        let matrices = &into[id.index()];
        let size = population.size();
        let bound =
            |m: &MatId, neuron: usize| bounds[m.index()][neuron * bounds[m.index()].len() / size];
        let total = |neuron: usize| {
            matrices.iter().map(|m| bound(m, neuron)).fold(Sums::default(), |a, b| Sums {
                positive: a.positive + b.positive,
                negative: a.negative + b.negative,
            })
        };
        let suspects = (0..size).filter(|n| total(*n).exceeds(limit));
        let found =
            suspects.map(|n| (n, exact(draft, matrices, n))).filter(|(_, s)| s.exceeds(limit));
        report(draft, id, found, target, out);
    }
}

/// Upper bounds of the sums of each row: exact for dense, sparse and identity matrices; for a
/// convolution one bound per output channel, the sum of its whole kernel, which padding can only
/// lessen. The rows of a matrix divide evenly among its bounds.
fn cheap_bounds(matrix: &IntMatrix) -> Vec<Sums> {
    let sum = |indices: std::ops::Range<usize>| {
        let mut sums = Sums::default();
        indices.for_each(|i| sums.add(matrix.weight(i)));
        sums
    };
    match &matrix.structure {
        Structure::Identity { .. } => vec![sum(0..1)],
        Structure::Dense { rows, cols } => {
            (0..*rows as usize).map(|r| sum(r * *cols as usize..(r + 1) * *cols as usize)).collect()
        }
        Structure::Sparse { row_start, .. } => {
            row_start.windows(2).map(|r| sum(r[0] as usize..r[1] as usize)).collect()
        }
        Structure::Conv(conv) => {
            let channels = conv.out_channels as usize;
            let kernel = conv.kernel_size() / channels;
            (0..channels).map(|c| sum(c * kernel..(c + 1) * kernel)).collect()
        }
    }
}

fn exact(draft: &QuantizedDraft, matrices: &[MatId], neuron: usize) -> Sums {
    let mut sums = Sums::default();
    for matrix in matrices {
        draft.matrices[*matrix].for_row(neuron, |_, weight| sums.add(weight));
    }
    sums
}

fn report(
    draft: &QuantizedDraft,
    id: PopId,
    found: impl Iterator<Item = (usize, Sums)>,
    target: &TargetSpec,
    out: &mut Diagnostics,
) {
    let mut neurons = 0_usize;
    let mut worst: Option<(usize, Sums)> = None;
    let reach = |s: Sums| s.positive.max(-s.negative);
    for (neuron, sums) in found {
        neurons += 1;
        if worst.is_none_or(|(_, w)| reach(sums) > reach(w)) {
            worst = Some((neuron, sums));
        }
    }
    let Some((neuron, sums)) = worst else {
        return;
    };
    let sources: Vec<_> = draft
        .projections_into(id)
        .map(|(_, p)| format!("\"{}\"", draft.populations[p.source].name))
        .collect();
    let message = format!(
        "the input of neuron {neuron} may reach {} or {} in one step",
        sums.positive, sums.negative
    );
    out.push(
        beyond(codes::TARGET_INPUT_SUM, message, &target.max_input_sum, target)
            .at(population_place(draft, id))
            .note(format!("{neurons} neurons are affected; sources: {}", sources.join(", ")))
            .help("quantize with a smaller scale, or split the fan-in"),
    );
}
