//! Integer parameters of a population at a given scale, and the ranges that follow from them.

use super::host::Sample;
use super::matrix::{MAX_WEIGHT, SCHEME, Weights};
use super::member::{Member, Model, largest};
use super::range::{Drive, NeuronFacts, Range, bound, relay};
use super::sums::{Border, Sent, Span, add};
use snnc_ir::network::{Compare, Keep, NetworkDraft, Neuron, Reset};
use snnc_ir::quantized::{Graded, IntNeuron, IntReset, PopKind};
use snnc_ir::{Param, Shape, TargetSpec};

/// A population at some scale.
#[derive(Clone, Debug)]
pub(super) struct Rounded {
    /// Integer parameters.
    pub kind: PopKind,
    /// Worst case over the population's neurons.
    pub range: Range,
    /// What its neurons may send.
    pub sent: Sent,
}

/// What a population reads, at the scales under trial.
pub(super) struct Trial<'a> {
    /// Scale of the population.
    pub scale: f64,
    /// For each projection from relays: the factor of its weights, and what the relays may send.
    pub messages: Vec<(f64, &'a Sent)>,
}

/// Rounds the parameters of a population, and bounds what it does for all inputs.
pub(super) fn rounded(
    network: &NetworkDraft,
    member: &Member<'_>,
    trial: &Trial<'_>,
    steps: u32,
) -> Rounded {
    let (scale, shape) = (trial.scale, member.shape);
    let border = match member.model {
        Model::Neurons(..) => Border::Inside,
        Model::Relays(_) => Border::Whole,
    };
    let mut sums = vec![Span::default(); shape.size()];
    let spikes = Sent::spikes();
    let on_spikes = member.spikes.iter().map(|term| (term, scale, &spikes));
    let on_messages = member.messages.iter().zip(&trial.messages);
    let on_messages = on_messages.map(|(m, (factor, sent))| (&m.term, *factor, *sent));
    for (term, factor, sent) in on_spikes.chain(on_messages) {
        let weights = Weights::finest(&network.tensors[term.weight].data, factor, SCHEME);
        add(&term.structure, &weights, sent, border, &mut sums);
    }
    let biases = biases(&member.bias, &Param::Uniform(scale), shape);
    let drive = |n: usize| {
        let host =
            member.samples.iter().map(|s| s.span(n, scale)).fold(Span::default(), Span::plus);
        Drive { sum: sums[n], bias: i64::from(biases.at(n, shape)), host }
    };
    let (mut range, size) = (Range::default(), shape.size());
    match &member.model {
        Model::Neurons(neuron, dv) => {
            let integer = integer_neuron(neuron, dv.clone(), shape, &biases, scale);
            let mut last = None;
            for n in 0..size {
                let facts = facts(&integer, shape, n, drive(n), steps);
                // Whole channels have equal facts, but for their borders.
                if last != Some(facts) {
                    range = range.hull(bound(&facts));
                    last = Some(facts);
                }
            }
            Rounded { kind: PopKind::Neurons(integer), range, sent: spikes }
        }
        Model::Relays(keep) => {
            let keep: Option<Keep> = Some(*keep);
            let messages = (0..size).map(|n| {
                let of_one = relay(&drive(n), keep);
                range = range.hull(of_one);
                of_one.message
            });
            let messages: Vec<Span> = messages.collect();
            let sent = Sent::messages(shape, &messages);
            Rounded { kind: PopKind::Graded(Graded { keep, bias: biases.clone() }), range, sent }
        }
    }
}

/// Biases in units of weight.
pub(super) fn biases(bias: &[f64], scale: &Param<f64>, shape: &Shape) -> Param<i32> {
    if bias.is_empty() {
        return Param::Uniform(0);
    }
    let bias = bias.iter().enumerate().map(|(n, &b)| units(b, scale.at(n, shape)));
    Param::PerNeuron(bias.collect()).compact(shape)
}

/// The nearest threshold mantissas, at least the minimum.
pub(super) fn thresholds(neuron: &Neuron, scale: &Param<f64>, shape: &Shape) -> Param<i32> {
    let least = minimum_units(neuron.compare);
    neuron.threshold.zip(scale, shape, |t, s| units(t.into(), s).max(least)).compact(shape)
}

/// Rounds the parameters of neurons at `scale`.
fn integer_neuron(
    neuron: &Neuron,
    dv: Param<u16>,
    shape: &Shape,
    biases: &Param<i32>,
    scale: f64,
) -> IntNeuron {
    let units = neuron.threshold.map(|t| units(t.into(), scale).max(minimum_units(neuron.compare)));
    let threshold = match neuron.compare {
        Compare::Gt => units.map(|m| 64 * m),
        // Without leak the membrane only takes multiples of 64, and 64·m is exact.
        Compare::Ge => units.zip(&dv, shape, |m, d| if d == 0 { 64 * m } else { 64 * m + 1 }),
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
        bias: biases.map(|b| 64 * b),
        refractory: neuron.refractory + 1,
        order: neuron.order,
        update_period: 1,
    }
}

/// What the bounds of neuron `n` depend on.
fn facts(neuron: &IntNeuron, shape: &Shape, n: usize, drive: Drive, steps: u32) -> NeuronFacts {
    let threshold = i64::from(neuron.threshold.at(n, shape));
    NeuronFacts {
        drive,
        dv: neuron.dv.at(n, shape),
        quiet: if neuron.compare == Compare::Gt { threshold } else { threshold - 1 },
        subtract: match &neuron.reset {
            IntReset::Zero => None,
            IntReset::Subtract(amount) => Some(i64::from(amount.at(n, shape))),
        },
        updates: u64::from(steps),
    }
}

/// Smallest threshold in weight units whose strict form still has a mantissa of 1.
pub(super) const fn minimum_units(compare: Compare) -> i32 {
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

/// The largest scale at which weights on spikes, threshold and bias mantissas fit, and which of them
/// sets it. Infinite if there are none.
pub(super) fn first_scale(
    network: &NetworkDraft,
    member: &Member<'_>,
    target: &TargetSpec,
) -> (f64, &'static str) {
    let threshold = match &member.model {
        Model::Neurons(neuron, _) => largest(neuron.threshold.values()),
        Model::Relays(_) => 0.0,
    };
    let reach = |values: &[f64]| values.iter().fold(0.0_f64, |m, b| m.max(b.abs()));
    let bias = reach(&member.bias) + member.samples.iter().map(Sample::reach).sum::<f64>();
    let mut best = (f64::INFINITY, "no weight");
    // Leave one unit of room: `≥ θ` may need the next mantissa.
    #[expect(clippy::cast_precision_loss, reason = "register ranges are far below 2^52")]
    let limits = [
        (member.largest_on_spikes(network), f64::from(MAX_WEIGHT), "the largest weight (127)"),
        (threshold, (target.max_threshold.value - 1) as f64, "the threshold mantissa"),
        (bias, target.max_bias_mantissa.value as f64, "the bias mantissa"),
    ];
    for (value, limit, why) in limits {
        if value > 0.0 && limit / value < best.0 {
            best = (limit / value, why);
        }
    }
    best
}

/// The first limit that a range violates: (factor for the scale, name of the limit).
pub(super) fn violation(range: &Range, target: &TargetSpec) -> Option<(f64, &'static str)> {
    let ratios = ratios(range, target).into_iter();
    ratios.map(|(value, limit, why)| (limit / value, why)).find(|(ratio, _)| *ratio < 1.0)
}

/// The factor by which all ranges may grow.
pub(super) fn headroom(range: &Range, target: &TargetSpec) -> f64 {
    let ratios = ratios(range, target).into_iter();
    ratios.map(|(value, limit, _)| limit / value.max(1.0)).fold(f64::INFINITY, f64::min)
}

/// Largest values, their limits, and the names of these.
fn ratios(range: &Range, target: &TargetSpec) -> [(f64, f64, &'static str); 5] {
    let register = |bits: i64| (1_i64 << (bits.clamp(1, 62) - 1)) - 1;
    let state = register(target.state_bits.value);
    let checks = [
        (range.input.reach(), target.max_input_sum.value, "the input sum of a step"),
        (range.v.reach(), state, "the range of the membrane"),
        (range.input.reach().saturating_mul(64), state, "the range of the current"),
        (range.bias.reach(), target.max_bias_mantissa.value, "the bias mantissa"),
        (range.message.reach(), register(target.message_bits.value), "the bits of a message"),
    ];
    #[expect(clippy::cast_precision_loss, reason = "registers are far below 2^52")]
    checks.map(|(value, limit, why)| (value as f64, limit as f64, why))
}
