//! Rules that a target adds: ranges of its registers and of its input accumulator.

use super::{codes, matrix_place, population_place, projection_place};
use crate::arena::PopId;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::network::Compare;
use crate::param::Param;
use crate::quantized::messages::{Bounds, Range, host_range};
use crate::quantized::{IntNeuron, IntReset, PopKind, QuantizedDraft, Time};
use crate::target::{Limit, TargetSpec};

/// Holds a network that is sound on its own to the ranges of `target`.
pub(crate) fn check(draft: &QuantizedDraft, target: &TargetSpec, out: &mut Diagnostics) {
    for (id, population) in draft.populations.iter() {
        match &population.kind {
            PopKind::Input(_) => {}
            PopKind::Neurons(neuron) => {
                registers(&population_place(draft, id), neuron, target, out);
            }
            PopKind::Graded(graded) => {
                if graded.shift != 0 && !target.programmable_neuron {
                    let what = "shifts what it sends";
                    out.push(unprogrammable(&population_place(draft, id), what, target));
                }
            }
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
    // A network that is sound on its own has no loop of graded relays.
    if let Ok(bounds) = Bounds::new(draft) {
        messages(draft, &bounds, target, out);
        input_sums(draft, &bounds, target, out);
    }
    written_biases(draft, target, out);
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
    floors(place, neuron, target, out);
    if !target.programmable_neuron {
        let subtracts = matches!(neuron.reset, IntReset::Subtract(_));
        for (present, what) in [
            (subtracts, "resets by subtraction"),
            (neuron.update_period != 1, "updates in every P-th step only"),
        ] {
            if present {
                out.push(unprogrammable(place, what, target));
            }
        }
    }
}

/// Holds lowest membranes to what the target's neurons can have.
fn floors(place: &str, neuron: &IntNeuron, target: &TargetSpec, out: &mut Diagnostics) {
    let Some(floor) = &neuron.floor else { return };
    let unfit = floor.values().iter().find(|floor| !target.holds_floor(i64::from(**floor)));
    let Some(unfit) = unfit else { return };
    let message = format!("the membrane has the floor {unfit}");
    let (limit, expected, help) = if target.floors.value == 0 {
        let help = "choose a target whose neurons have a lowest membrane";
        (&target.floors, "neurons without a lowest membrane".to_owned(), help)
    } else {
        let lowest = target.lowest_floor();
        let expected = match target.floor_powers.value {
            0 => format!("a floor from {lowest} to 0"),
            _ => format!("a floor of −(2^k − 1), from {lowest} to 0"),
        };
        (&target.floor_powers, expected, "choose a scale in which the floor is such a number")
    };
    out.push(
        beyond(codes::TARGET_FLOOR, message, limit, target)
            .at(place)
            .note(format!("expected {expected}"))
            .help(help),
    );
}

/// What only a programmable neuron does.
fn unprogrammable(place: &str, what: &str, target: &TargetSpec) -> Diagnostic {
    Diagnostic::error(codes::TARGET_NEURON, format!("the population {what}"))
        .at(place)
        .note(format!("target \"{}\" has no programmable neuron", target.name))
        .help("choose a programmable target, or another neuron model")
}

/// Holds graded relays and their messages to what the target can send.
fn messages(
    draft: &QuantizedDraft,
    bounds: &Bounds<'_>,
    target: &TargetSpec,
    out: &mut Diagnostics,
) {
    let limit = &target.message_bits;
    let graded: Vec<PopId> =
        draft.populations.iter().filter(|(_, p)| p.graded().is_some()).map(|(id, _)| id).collect();
    if limit.value <= 0 {
        if let Some(first) = graded.first() {
            let names: Vec<_> = graded.iter().map(|id| population_place(draft, *id)).collect();
            let message = format!("{} populations send graded messages", graded.len());
            out.push(
                beyond(codes::TARGET_MESSAGES, message, limit, target)
                    .at(population_place(draft, *first))
                    .note(format!("they are {}", names.join(", ")))
                    .help("choose a target with graded messages, or remove the clips"),
            );
        }
        return;
    }
    // Of a signed register; one of 64 bits or more holds every range.
    let largest = i64::MAX >> u32::try_from(64 - limit.value).unwrap_or(0).min(63);
    let fits = |(low, high): Range| low >= -largest - 1 && high <= largest;
    for id in graded {
        // Mostly intervals are enough, which cost next to nothing.
        if fits(hull(bounds.loose_messages(id))) {
            continue;
        }
        let (low, high) = hull(bounds.messages(id));
        if !fits((low, high)) {
            let message = format!("messages may reach {low} or {high}");
            out.push(
                beyond(codes::TARGET_MESSAGE_RANGE, message, limit, target)
                    .at(population_place(draft, id))
                    .note(format!("expected {} to {largest}", -largest - 1))
                    .help("quantize with a smaller scale, or shorten the chain of clips"),
            );
        }
    }
}

fn hull(range: &Param<Range>) -> Range {
    range.values().iter().fold((0, 0), |a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Holds biases of graded relays, and all biases that the host writes, to the bias registers.
fn written_biases(draft: &QuantizedDraft, target: &TargetSpec, out: &mut Diagnostics) {
    for (id, population) in draft.populations.iter() {
        let bias = match &population.kind {
            PopKind::Input(_) => continue,
            PopKind::Neurons(neuron) => neuron.bias.map(i64::from),
            PopKind::Graded(graded) => graded.bias.map(|b| i64::from(b) * 64),
        };
        let host = host_range(draft, id);
        let hosted = draft.host.iter().any(|h| h.target == id);
        if population.graded().is_none() && !hosted {
            // Held by the registers already.
            continue;
        }
        let bounds = bias.zip(&host, &population.shape, |bias, (low, high)| {
            (bias, [low, high].map(|h| bias.saturating_add(h.saturating_mul(64))))
        });
        let unfit =
            |(bias, bounds): &&(i64, [i64; 2])| !target.holds_biases(*bias, *bounds, hosted);
        if let Some((bias, [low, high])) = bounds.values().iter().find(unfit) {
            let message = if low == high && hosted {
                format!("the bias {bias} leaves no room for what the host adds to others")
            } else if low == high {
                format!("the bias {bias} fits no mantissa and exponent")
            } else {
                format!("the bias {bias} becomes {low} to {high} with the host's part")
            };
            out.push(
                beyond(codes::TARGET_BIAS, message, &target.max_bias_mantissa, target)
                    .at(population_place(draft, id))
                    .note(format!("exponent limit {}", target.max_bias_exponent))
                    .help("quantize with a smaller scale, or onto this grid"),
            );
        }
    }
}

/// Worst-case input of one step, all sources sending at once and all delays coinciding: the largest
/// and the smallest sum that any spikes and messages can produce.
fn input_sums(
    draft: &QuantizedDraft,
    bounds: &Bounds<'_>,
    target: &TargetSpec,
    out: &mut Diagnostics,
) {
    let limit = target.max_input_sum.value;
    let exceeds = |(low, high): Range| high > limit || low < -limit;
    for (id, population) in draft.populations.iter() {
        // Mostly intervals are enough, which cost next to nothing.
        if !exceeds(hull(&bounds.loose_arrivals(id))) || !exceeds(hull(bounds.arrivals(id))) {
            continue;
        }
        let sums = bounds.arrivals(id);
        let suspects = (0..population.size()).filter(|n| exceeds(sums.at(*n, &population.shape)));
        let mut local = bounds.local_arrivals(id);
        let exact = suspects.map(|n| (n, local(n)));
        report(draft, id, exact.filter(|(_, sum)| exceeds(*sum)), target, out);
    }
}

fn report(
    draft: &QuantizedDraft,
    id: PopId,
    found: impl Iterator<Item = (usize, Range)>,
    target: &TargetSpec,
    out: &mut Diagnostics,
) {
    let mut neurons = 0_usize;
    let mut worst: Option<(usize, Range)> = None;
    let reach = |(low, high): Range| high.max(low.saturating_neg());
    for (neuron, sums) in found {
        neurons += 1;
        if worst.is_none_or(|(_, w)| reach(sums) > reach(w)) {
            worst = Some((neuron, sums));
        }
    }
    let Some((neuron, (low, high))) = worst else {
        return;
    };
    let sources: Vec<_> = draft
        .projections_into(id)
        .map(|(_, p)| format!("\"{}\"", draft.populations[p.source].name))
        .collect();
    let message = format!("the input of neuron {neuron} may reach {high} or {low} in one step");
    out.push(
        beyond(codes::TARGET_INPUT_SUM, message, &target.max_input_sum, target)
            .at(population_place(draft, id))
            .note(format!("{neurons} neurons are affected; sources: {}", sources.join(", ")))
            .help("quantize with a smaller scale, or split the fan-in"),
    );
}
