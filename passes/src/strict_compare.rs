//! `strict-compare`: `v ≥ θ` becomes `v > θ − 1` (class: exact).
//!
//! Membranes are integers, so the two are the same. The threshold register counts in units of 64,
//! so `θ − 1` must be a multiple of 64. Where it is not, but the population only ever holds
//! multiples of 64 (no leak, no current memory, biases, subtracted amounts and floors multiples of 64), the
//! next lower multiple separates the same membranes.
//!
//! Complexity: O(parameters).

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use snnc_ir::diag::codes;
use snnc_ir::network::Compare;
use snnc_ir::quantized::{IntNeuron, IntReset, PopKind, QuantizedDraft, QuantizedNetwork};
use snnc_ir::{Diagnostic, Diagnostics};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct StrictCompare;

impl Pass for StrictCompare {
    type From = QuantizedNetwork;
    type To = QuantizedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "strict-compare",
            summary: "turn `v ≥ θ` into `v > θ − 1`, the comparison of the chip",
            class: Class::Exact,
            requires: &[],
            establishes: &[Property::StrictCompare],
            invalidates: &[],
            options: &[],
        }
    }

    fn run(
        &self,
        mut draft: QuantizedDraft,
        _cx: &mut Context<'_>,
    ) -> Result<QuantizedDraft, Diagnostics> {
        let mut errors = Diagnostics::new();
        for population in draft.populations.values_mut() {
            let PopKind::Neurons(neuron) = &mut population.kind else { continue };
            if neuron.compare == Compare::Gt {
                continue;
            }
            let coarse = only_multiples_of_64(neuron);
            let mut inexact = None;
            neuron.threshold = neuron.threshold.map(|theta| {
                let below = theta - 1;
                if below % 64 != 0 && !coarse {
                    inexact.get_or_insert(theta);
                }
                if coarse { below.div_euclid(64) * 64 } else { below }
            });
            neuron.compare = Compare::Gt;
            if let Some(theta) = inexact {
                errors.push(
                    Diagnostic::error(
                        codes::quantize::INEXACT_COMPARE,
                        format!(
                            "population `{}` fires at v ≥ {theta}, which no threshold register expresses",
                            population.name
                        ),
                    )
                    .at(format!("population `{}`", population.name))
                    .note("the chip compares v > 64·m; v ≥ θ is the same only for θ = 64·m + 1")
                    .help(format!("use a threshold such as {}", below_to_register(theta))),
                );
            }
        }
        errors.into_result(draft)
    }
}

/// The nearest `≥` threshold that the register expresses.
const fn below_to_register(theta: i32) -> i32 {
    (theta - 1 + 32).div_euclid(64) * 64 + 1
}

/// Whether every membrane of the population is a multiple of 64 at all times.
fn only_multiples_of_64(neuron: &IntNeuron) -> bool {
    let subtracted = match &neuron.reset {
        IntReset::Zero => true,
        IntReset::Subtract(amount) => amount.values().iter().all(|a| a % 64 == 0),
    };
    subtracted
        && neuron.dv.values().iter().all(|&d| d == 0)
        && neuron.du.values().iter().all(|&d| d == 4095)
        && neuron.bias.values().iter().all(|b| b % 64 == 0)
        && neuron.floor.iter().all(|floor| floor.values().iter().all(|f| f % 64 == 0))
}
