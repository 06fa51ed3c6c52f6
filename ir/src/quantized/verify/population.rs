//! Rules of one population and its registers.

use super::{codes, population_place};
use crate::arena::PopId;
use crate::check::{self, Params};
use crate::diag::{Diagnostic, Diagnostics};
use crate::network::{Coding, Compare};
use crate::param::Param;
use crate::quantized::population::MAX_SHIFT;
use crate::quantized::{IntNeuron, IntReset, PopKind, QuantizedDraft, Time};

/// Checks shape, coding and registers of the population `id`.
pub(super) fn check(draft: &QuantizedDraft, id: PopId, out: &mut Diagnostics) {
    let population = &draft.populations[id];
    if let Some(problem) = check::extents(&population.shape) {
        out.push(
            Diagnostic::error(
                codes::SHAPE,
                format!("the population has the shape {}", population.shape),
            )
            .at(population_place(draft, id))
            .note(problem)
            .help("declare a shape that a population can have"),
        );
        return;
    }
    match &population.kind {
        PopKind::Input(coding) => input(draft, id, coding, out),
        PopKind::Neurons(neuron) => registers(draft, id, neuron, out),
        PopKind::Graded(graded) => {
            let params = params(draft, id);
            params.check("bias", &graded.bias, "any integer", |_| true, out);
            let range = format!("0 to {MAX_SHIFT}");
            params.check("shift", &Param::Uniform(graded.shift), &range, |s| s <= MAX_SHIFT, out);
        }
    }
}

fn input(draft: &QuantizedDraft, id: PopId, coding: &Coding, out: &mut Diagnostics) {
    let unbounded = (*coding == Coding::Direct { range: None }).then(|| {
        let expected = "a range: the smallest and the largest value of a sample".to_owned();
        ("the input is coded directly, and its values have no bounds".to_owned(), expected)
    });
    if let Some((message, expected)) = unbounded.or_else(|| coding.problem(draft.steps)) {
        out.push(
            Diagnostic::error(codes::CODING, message)
                .at(population_place(draft, id))
                .note(format!("expected {expected}"))
                .help("state the range, or choose a coding that gives spikes, such as events"),
        );
    }
}

fn params(draft: &QuantizedDraft, id: PopId) -> Params<'_> {
    Params {
        place: population_place(draft, id),
        shape: &draft.populations[id].shape,
        length: codes::PARAM_LENGTH,
        range: codes::PARAM_RANGE,
    }
}

fn registers(draft: &QuantizedDraft, id: PopId, neuron: &IntNeuron, out: &mut Diagnostics) {
    let params = params(draft, id);
    params.check("du", &neuron.du, "0 to 4095", |v| v <= 4095, out);
    params.check("dv", &neuron.dv, "0 to 4095", |v| v <= 4095, out);
    let (lowest, rule) = match neuron.compare {
        Compare::Gt => (0, "at least 0, so that a resting neuron stays silent"),
        Compare::Ge => (1, "at least 1, so that a resting neuron stays silent"),
    };
    params.check("threshold", &neuron.threshold, rule, |v| v >= lowest, out);
    params.check("bias", &neuron.bias, "any integer", |_| true, out);
    if let IntReset::Subtract(amount) = &neuron.reset {
        params.check("the subtracted amount", amount, "at least 1", |v| v >= 1, out);
    }
    if let Some(floor) = &neuron.floor {
        params.check("floor", floor, "at most 0, where neurons start", |v| v <= 0, out);
    }
    let mut wrong = |message: String, expected: String, help: &str| {
        out.push(
            Diagnostic::error(codes::PARAM_RANGE, message)
                .at(&*params.place)
                .note(format!("expected {expected}"))
                .help(help),
        );
    };
    if neuron.refractory == 0 {
        wrong("the refractory period is 0".into(), "at least 1".into(), "1 stands for none");
    }
    let period = match &draft.time {
        Time::Logical => 1,
        Time::Hardware(schedule) => schedule.period,
    };
    if ![1, period].contains(&neuron.update_period) {
        wrong(
            format!("the update period is {}", neuron.update_period),
            match period {
                1 => "1: every hardware step is a logical step".into(),
                p => format!("1 or {p}, the hardware steps of a logical step"),
            },
            "run the schedule pass, which sets update periods",
        );
    }
}
