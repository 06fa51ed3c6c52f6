//! The scale and the integer parameters of one population.

use super::canonical::Current;
use super::matrix::{MAX_WEIGHT, round};
use super::range::{NeuronFacts, Range, bound};
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes;
use snnc_ir::network::{Compare, Dynamics, NetworkDraft, Neuron, Reset};
use snnc_ir::quantized::{IntNeuron, IntReset};
use snnc_ir::{Diagnostic, Diagnostics, Param, Shape, TargetSpec};

/// What quantization decided for one population.
#[derive(Clone, Debug)]
pub(crate) struct PopulationPlan {
    /// Integer weight per unit of float weight.
    pub scale: f64,
    /// Integer parameters.
    pub neuron: IntNeuron,
    /// Which constraint set the scale.
    limited_by: &'static str,
    /// Worst case over the population's neurons.
    range: Range,
}

impl PopulationPlan {
    /// The remark that accounts for the population.
    pub(crate) fn note(&self, name: &str) -> Diagnostic {
        let Range { input_high, input_low, v_high, v_low } = self.range;
        Diagnostic::note_only(
            codes::quantize::SCALE,
            format!("population `{name}` is quantized with scale {}", self.scale),
        )
        .at(format!("population `{name}`"))
        .note(format!("the scale is limited by {}", self.limited_by))
        .note(format!(
            "for all inputs: sum of weights in a step within {input_low}..={input_high}, membrane within {v_low}..={v_high}"
        ))
    }
}

/// Chooses the scale of population `id` and rounds its parameters.
pub(crate) fn plan(
    network: &NetworkDraft,
    id: NodeId,
    neuron: &Neuron,
    current: &Current,
    target: &TargetSpec,
    remarks: &mut Diagnostics,
) -> Result<PopulationPlan, Diagnostics> {
    let node = &network.nodes[id];
    let (name, shape) = (node.name.as_str(), &node.shape);
    let mut errors = Diagnostics::new();
    refuse(name, neuron, target, &mut errors);
    let dv = decay(name, neuron, remarks);
    if errors.has_errors() {
        return Err(errors);
    }
    let bias = current.bias.as_slice();
    let (mut scale, mut limited_by) = first_scale(network, current, neuron, bias, target);
    let at_weights = scale;
    let largest = largest_weight(network, current);
    // Every round that does not fit lowers the scale to what the violated range asks for; rounding
    // makes the relation inexact, hence the loop. Each round shrinks by at least a thousandth.
    for _ in 0..MAX_ROUNDS {
        if largest > 0.0 && largest * scale <= 0.5 {
            // Every weight would round to zero.
            break;
        }
        let integer = integer_neuron(neuron, dv.clone(), shape, bias, scale);
        let (range, worst) = population_range(network, current, &integer, shape, scale, target);
        let Some((ratio, why)) = worst else {
            thresholds(name, neuron, scale, remarks);
            if scale * 8.0 < at_weights {
                remarks.push(coarse(name, at_weights / scale, limited_by));
            }
            return Ok(PopulationPlan { scale, neuron: integer, limited_by, range });
        };
        limited_by = why;
        scale *= ratio.min(0.999);
    }
    errors.push(no_scale(name, limited_by, network.steps));
    Err(errors)
}

/// Bound on the rounds of the search; 0.999^20000 is below 10^-8.
const MAX_ROUNDS: usize = 20_000;

fn refuse(name: &str, neuron: &Neuron, target: &TargetSpec, errors: &mut Diagnostics) {
    let place = format!("population `{name}`");
    if neuron.v_init != 0.0 {
        errors.push(
            Diagnostic::error(
                codes::quantize::INITIAL_MEMBRANE,
                format!("population `{name}` starts {} away from its reset value", neuron.v_init),
            )
            .at(place.clone())
            .note("a chip starts with every membrane at its reset value; a different start is not supported in this version")
            .help("set `v_init` equal to the reset value"),
        );
    }
    if neuron.reset == Reset::Subtract && !target.programmable_neuron {
        errors.push(
            Diagnostic::error(
                codes::quantize::SUBTRACT,
                format!("population `{name}` resets by subtraction, which target `{}` cannot do", target.name),
            )
            .at(place.clone())
            .note(format!("{}: programmable_neuron = false; its neurons reset to zero", target.file))
            .help("compile for a target with programmable neurons (`loihi2`), or train with reset to a value"),
        );
    }
    let longest = target.max_refractory.value - 1;
    if i64::from(neuron.refractory) > longest {
        errors.push(
            Diagnostic::error(
                codes::quantize::REFRACTORY,
                format!(
                    "population `{name}` is refractory for {} steps; target `{}` allows {longest}",
                    neuron.refractory, target.name
                ),
            )
            .at(place)
            .note(format!("{}: max_refractory = {}", target.file, target.max_refractory))
            .help("shorten the refractory time"),
        );
    }
}

/// Decay registers, with a remark where rounding changes them.
fn decay(name: &str, neuron: &Neuron, remarks: &mut Diagnostics) -> Param<u16> {
    let decay = match &neuron.dynamics {
        Dynamics::Integrate => return Param::Uniform(0),
        Dynamics::Decay(d) => d.clone(),
        // `normalize-neurons` removes the τ form; its decay is the same number either way.
        Dynamics::Tau(tau) => tau.map(|t| 1.0 / t),
    };
    let mut worst = 0.0_f64;
    let mut lost = false;
    let registers = decay.map(|d| {
        let exact = f64::from(d) * 4096.0;
        let rounded = exact.round_ties_even().clamp(0.0, 4095.0);
        worst = worst.max((rounded - exact).abs());
        lost |= exact > 0.0 && rounded == 0.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        {
            rounded as u16
        }
    });
    if lost || worst >= 1.0 {
        let (what, help) = if lost {
            (
                "a leak below 1/8192 per step rounds to no leak at all",
                "use a larger decay, or model `if`",
            )
        } else {
            (
                "a decay of 1 leaves 1/4096 of the membrane on the chip",
                "nothing to do if residues below 1/4096 are acceptable",
            )
        };
        remarks.push(
            Diagnostic::warning(codes::quantize::DECAY, format!("population `{name}`: {what}"))
                .at(format!("population `{name}`"))
                .note("decays are stored in units of 1/4096, from 0 to 4095/4096")
                .help(help),
        );
    }
    registers
}

/// Largest absolute value.
fn largest(values: &[f32]) -> f64 {
    values.iter().fold(0.0_f64, |m, &x| m.max(f64::from(x).abs()))
}

/// Largest absolute weight into the population.
fn largest_weight(network: &NetworkDraft, current: &Current) -> f64 {
    current.terms.iter().map(|t| largest(&network.tensors[t.weight].data)).fold(0.0, f64::max)
}

/// The largest scale at which weights, threshold and bias mantissas fit.
fn first_scale(
    network: &NetworkDraft,
    current: &Current,
    neuron: &Neuron,
    bias: &[f64],
    target: &TargetSpec,
) -> (f64, &'static str) {
    let largest = |values: &[f32]| values.iter().fold(0.0_f64, |m, &x| m.max(f64::from(x).abs()));
    let weight =
        current.terms.iter().map(|t| largest(&network.tensors[t.weight].data)).fold(0.0, f64::max);
    let mut best = if weight > 0.0 {
        (f64::from(MAX_WEIGHT) / weight, "the largest weight (127)")
    } else {
        // Nothing arrives: only threshold and bias matter, and any scale that keeps them will do.
        (f64::INFINITY, "no weight")
    };
    // Leave one unit of room: `≥ θ` may need the next mantissa.
    #[expect(clippy::cast_precision_loss, reason = "register ranges are far below 2^52")]
    let limits = [
        (
            largest(neuron.threshold.values()),
            (target.max_threshold.value - 1) as f64,
            "the threshold mantissa",
        ),
        (
            bias.iter().fold(0.0_f64, |m, b| m.max(b.abs())),
            target.max_bias_mantissa.value as f64,
            "the bias mantissa",
        ),
    ];
    for (value, limit, why) in limits {
        if value > 0.0 && limit / value < best.0 {
            best = (limit / value, why);
        }
    }
    best
}

/// Rounds the parameters of a population at `scale`.
fn integer_neuron(
    neuron: &Neuron,
    dv: Param<u16>,
    shape: &Shape,
    bias: &[f64],
    scale: f64,
) -> IntNeuron {
    let units = neuron.threshold.map(|t| units(t.into(), scale).max(minimum_units(neuron.compare)));
    let threshold = match neuron.compare {
        Compare::Gt => units.map(|m| 64 * m),
        // Without leak the membrane only takes multiples of 64, and 64·m is exact.
        Compare::Ge => units.zip(&dv, shape, |m, d| if d == 0 { 64 * m } else { 64 * m + 1 }),
    };
    let bias = if bias.is_empty() {
        Param::Uniform(0)
    } else {
        let values = bias.iter().map(|&b| 64 * self::units(b, scale)).collect();
        Param::PerNeuron(values).compact(shape)
    };
    IntNeuron {
        du: Param::Uniform(4095),
        dv,
        threshold: threshold.compact(shape),
        compare: neuron.compare,
        reset: match neuron.reset {
            Reset::To(_) => IntReset::Zero,
            Reset::Subtract => IntReset::Subtract(units.map(|m| 64 * m).compact(shape)),
        },
        bias,
        refractory: neuron.refractory + 1,
        order: neuron.order,
        update_period: 1,
    }
}

/// Smallest threshold in weight units whose strict form still has a mantissa of 1.
const fn minimum_units(compare: Compare) -> i32 {
    match compare {
        Compare::Gt => 1,
        Compare::Ge => 2,
    }
}

fn units(value: f64, scale: f64) -> i32 {
    let rounded = (value * scale).round_ties_even();
    #[expect(clippy::cast_possible_truncation, reason = "the scale keeps it within a register")]
    {
        rounded as i32
    }
}

/// Warns where rounding moves a threshold by more than a tenth.
fn thresholds(name: &str, neuron: &Neuron, scale: f64, remarks: &mut Diagnostics) {
    let least = minimum_units(neuron.compare);
    let worst = neuron.threshold.values().iter().fold(0.0_f64, |worst, &t| {
        let exact = f64::from(t) * scale;
        worst.max((f64::from(units(t.into(), scale).max(least)) - exact).abs() / exact)
    });
    if worst > 0.1 {
        remarks.push(
            Diagnostic::warning(
                codes::quantize::THRESHOLD,
                format!("population `{name}`: rounding moves a threshold by {:.0} %", worst * 100.0),
            )
            .at(format!("population `{name}`"))
            .note("threshold and weights share one scale, and the largest weight is far above the threshold")
            .help("clip the largest weights during training, or raise the threshold"),
        );
    }
}

/// Worst case over the population, and the first constraint it violates: (factor for the scale,
/// name of the constraint).
fn population_range(
    network: &NetworkDraft,
    current: &Current,
    neuron: &IntNeuron,
    shape: &Shape,
    scale: f64,
    target: &TargetSpec,
) -> (Range, Option<(f64, &'static str)>) {
    let size = shape.size();
    let mut positive = vec![0_i64; size];
    let mut negative = vec![0_i64; size];
    for term in &current.terms {
        let weights = round(&network.tensors[term.weight].data, scale);
        for n in 0..size {
            term.structure.for_row(n, |_, i| {
                let w = i64::from(weights[i]);
                if w > 0 { positive[n] += w } else { negative[n] += w }
            });
        }
    }
    let mut total = Range::default();
    for n in 0..size {
        let threshold = i64::from(neuron.threshold.at(n, shape));
        let range = bound(&NeuronFacts {
            positive: positive[n],
            negative: negative[n],
            bias: i64::from(neuron.bias.at(n, shape)),
            dv: neuron.dv.at(n, shape),
            quiet: if neuron.compare == Compare::Gt { threshold } else { threshold - 1 },
            subtract: match &neuron.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => Some(i64::from(amount.at(n, shape))),
            },
            updates: u64::from(network.steps),
        });
        total.input_high = total.input_high.max(range.input_high);
        total.input_low = total.input_low.min(range.input_low);
        total.v_high = total.v_high.max(range.v_high);
        total.v_low = total.v_low.min(range.v_low);
    }
    let register = (1_i64 << (target.state_bits.value.clamp(1, 62) - 1)) - 1;
    let checks = [
        (
            total.input_high.max(-total.input_low),
            target.max_input_sum.value,
            "the input sum of a step",
        ),
        (total.v_high.max(-total.v_low), register, "the range of the membrane"),
    ];
    let violated =
        checks.iter().find(|(value, limit, _)| value > limit).map(|&(value, limit, why)| {
            #[expect(clippy::cast_precision_loss, reason = "a ratio needs no exactness")]
            {
                (limit as f64 / value as f64, why)
            }
        });
    (total, violated)
}

fn coarse(name: &str, factor: f64, why: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::quantize::COARSE,
        format!("population `{name}` loses a factor of {factor:.0} of weight resolution to {why}"),
    )
    .at(format!("population `{name}`"))
    .note("the range must hold for every input, so the scale was lowered until it does")
    .help(
        "fewer steps, a leak, a smaller fan-in or weights of more equal size keep more resolution",
    )
}

fn no_scale(name: &str, why: &str, steps: u32) -> Diagnostic {
    Diagnostic::error(
        codes::quantize::NO_SCALE,
        format!("no scale keeps population `{name}` in range and its weights above zero: {why}"),
    )
    .at(format!("population `{name}`"))
    .note(format!("the bound covers every input of up to {steps} steps"))
    .help("fewer steps, a leak, a smaller fan-in or a smaller bias bring it into range")
}
