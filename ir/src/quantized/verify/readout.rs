//! Rules of the readout.

use super::{codes, host, population_place};
use crate::diag::{Diagnostic, Diagnostics};
use crate::quantized::{IntReadout, QuantizedDraft, Role};

/// Checks the readout, whose populations exist.
pub(super) fn check(draft: &QuantizedDraft, out: &mut Diagnostics) {
    let mut wrong = |place: String, message: &str, expected: String| {
        out.push(
            Diagnostic::error(codes::READOUT_SHAPE, message)
                .at(place)
                .note(format!("expected {expected}"))
                .help("correct the readout of the network"),
        );
    };
    for id in draft.readout.populations() {
        if draft.populations[id].role != Role::Logical {
            let place = format!("readout, {}", population_place(draft, id));
            wrong(place, "the readout reads a relay or clock", "a population of the source".into());
        }
    }
    for id in draft.readout.populations() {
        let place = format!("readout, {}", population_place(draft, id));
        if draft.populations[id].graded().is_some() {
            let message = "the readout counts spikes of graded relays, which send messages";
            wrong(place, message, "a population of neurons".into());
        } else if host::direct(draft, id) {
            let message = "the readout counts spikes of a directly coded input, which sends none";
            wrong(place, message, "a population of neurons".into());
        }
    }
    match &draft.readout {
        IntReadout::SpikeCount(id) => {
            if draft.populations[*id].is_input() && !host::direct(draft, *id) {
                let place = format!("readout, {}", population_place(draft, *id));
                wrong(
                    place,
                    "the readout counts spikes of an input",
                    "a population of neurons".into(),
                );
            }
        }
        IntReadout::MeanLinear { terms, bias } => {
            if bias.is_empty() || terms.is_empty() {
                let found = format!(
                    "at least one class and one term, found {} and {}",
                    bias.len(),
                    terms.len()
                );
                wrong("readout".into(), "the readout computes nothing", found);
            }
            if let Some(index) = bias.iter().position(|v| !v.is_finite()) {
                let message = format!("the bias of class {index} is {}", bias[index]);
                wrong("readout".into(), &message, "finite numbers".into());
            }
            for (id, weights) in terms {
                let place = format!("readout, {}", population_place(draft, *id));
                let size = draft.populations[*id].size();
                if weights.len() != bias.len().saturating_mul(size) {
                    let message = format!("the term has {} weights", weights.len());
                    let expected = format!("{} classes x {size} neurons", bias.len());
                    wrong(place.clone(), &message, expected);
                }
                if let Some(index) = weights.iter().position(|v| !v.is_finite()) {
                    let message = format!("weight {index} of the term is {}", weights[index]);
                    wrong(place, &message, "finite numbers".into());
                }
            }
        }
    }
}
