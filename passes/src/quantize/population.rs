//! Integer parameters of a population as decided, and the ranges that follow from them.

use super::decision::Decision;
use super::host::Sample;
use super::limits::{Bound, Survey, Surveyor};
use super::matrix::{Factors, Set, Weights};
use super::member::{Member, Model, largest};
use super::range::{Drive, NeuronFacts, bound, relay};
use super::stages::Stage;
use super::sums::{Border, Sent, Span, add};
use snnc_ir::network::{Compare, NetworkDraft, Neuron, Reset};
use snnc_ir::quantized::{Graded, IntNeuron, IntReset, PopKind};
use snnc_ir::{Param, Shape, TargetSpec};

/// A population in integers.
#[derive(Clone, Debug)]
pub(super) struct Integers {
    /// Integer parameters.
    pub kind: PopKind,
    /// Weights on spikes, by position in [`Member::spikes`].
    pub weights: Vec<Weights>,
    /// What its neurons may reach.
    pub survey: Survey,
    /// What its neurons may send.
    pub sent: Sent,
}

/// Turns a decision about neurons or clips into integers, and bounds what they do for all inputs. `stages`
/// holds the plain relays by position in [`Member::spikes`], `messages` the weights of each projection from clips, and
/// what these may send.
///
/// **Complexity**: O(stored weights + synapses of layouts other than convolutions + neurons); a projection from
/// plain relays counts with the composed matrix times the relays.
pub(super) fn integers(
    network: &NetworkDraft,
    member: &Member<'_>,
    decision: &Decision,
    stages: &[Option<&Stage>],
    messages: &[(&Weights, &Sent)],
    target: &TargetSpec,
) -> Integers {
    let shape = member.shape;
    let border = match member.model {
        Model::Neurons(..) => Border::Inside,
        Model::Relays(_) | Model::Stage => Border::Whole,
    };
    let mut sums = vec![Span::default(); shape.size()];
    let spikes = Sent::spikes();
    let weights = spike_weights(network, member, decision, stages);
    for ((term, weights), stage) in member.spikes.iter().zip(&weights).zip(stages) {
        match stage {
            None => add(&term.structure, weights, &spikes, border, &mut sums),
            Some(stage) => stage.add(&term.structure, weights, &mut sums),
        }
    }
    for (message, (weights, sent)) in member.messages.iter().zip(messages) {
        add(&message.term.structure, weights, sent, border, &mut sums);
    }
    let drive = |n: usize| {
        let spans = member.samples.iter().map(|s| s.span(n, decision.scale.at(n, shape)));
        let host = spans.fold(Span::default(), Span::plus);
        Drive { sum: sums[n], bias: i64::from(decision.bias.at(n, shape)), host }
    };
    let mut survey = Surveyor::new(target);
    match &member.model {
        Model::Neurons(neuron, _) => {
            let integer = integer_neuron(neuron, decision, shape, target);
            for n in 0..shape.size() {
                let range = bound(&facts(&integer, shape, n, drive(n), network.steps));
                survey.take(n, &range, i64::from(decision.threshold.at(n, shape)));
            }
            let survey = survey.finish();
            Integers { kind: PopKind::Neurons(integer), weights, survey, sent: spikes }
        }
        Model::Relays(_) | Model::Stage => {
            let keep = match member.model {
                Model::Relays(keep) => Some(keep),
                _ => None,
            };
            let shift = decision.shift;
            let messages = (0..shape.size()).map(|n| {
                let range = relay(&drive(n), keep, shift);
                survey.take(n, &range, 0);
                range.message
            });
            let messages: Vec<Span> = messages.collect();
            let sent = Sent::messages(shape, &messages);
            let kind = PopKind::Graded(Graded { keep, bias: decision.bias.clone(), shift });
            Integers { kind, weights, survey: survey.finish(), sent }
        }
    }
}

/// The weights on spikes as decided.
fn spike_weights(
    network: &NetworkDraft,
    member: &Member<'_>,
    decision: &Decision,
    stages: &[Option<&Stage>],
) -> Vec<Weights> {
    let terms = member.spikes.iter().zip(&decision.terms).zip(stages);
    let weights = terms.map(|((term, decided), stage)| {
        let shift = decided.exponent;
        if let Some(units) = &decided.weights {
            return Weights { units: units.clone(), shift };
        }
        let values = &network.tensors[term.weight].data;
        let scale = decision.scale.map(|s| s / stage.map_or(1.0, |stage| stage.unit));
        let factors = Factors::of(&term.structure, &scale, member.shape);
        Weights::nearest(values, &factors, shift, Set::of(decided.bits, decided.split, values))
    });
    weights.collect()
}

/// The nearest biases in units of weight.
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

/// The floors that the target has nearest to those of the neurons. None where a floor lies below every
/// membrane that the target's register holds.
pub(super) fn floors(
    neuron: &Neuron,
    scale: &Param<f64>,
    shape: &Shape,
    target: &TargetSpec,
) -> Option<Param<i32>> {
    let lowest = target.lowest_floor();
    let nearest = |floor: f32, scale: f64| {
        let units = i64::from(units(floor.into(), scale).min(0)).saturating_mul(64);
        if target.floor_powers.value == 0 {
            return units;
        }
        #[expect(clippy::cast_precision_loss, reason = "a guide to the nearest power")]
        let wanted = (1.0 - units as f64).log2();
        (0..63)
            .map(|k| 1 - (1_i64 << k))
            .min_by(|a, b| {
                #[expect(clippy::cast_precision_loss, reason = "a power of two")]
                let off = |floor: i64| ((1 - floor) as f64).log2() - wanted;
                off(*a).abs().total_cmp(&off(*b).abs())
            })
            .unwrap_or(0)
    };
    let floor = neuron.floor.as_ref()?.zip(scale, shape, nearest);
    if floor.values().iter().all(|&f| f < lowest) {
        return None;
    }
    let held = floor.map(|f| i32::try_from(f.max(lowest)).unwrap_or(i32::MIN));
    Some(held.compact(shape))
}

/// The registers of neurons as decided.
fn integer_neuron(
    neuron: &Neuron,
    decision: &Decision,
    shape: &Shape,
    target: &TargetSpec,
) -> IntNeuron {
    let (units, du, dv) = (&decision.threshold, &decision.du, &decision.dv);
    let leaks = du.zip(dv, shape, |du, dv| du < 4095 || dv > 0);
    let threshold = match neuron.compare {
        Compare::Gt => units.map(|m| m.saturating_mul(64)),
        // Without any leak the membrane only takes multiples of 64, and 64·m is exact.
        Compare::Ge => {
            units.zip(&leaks, shape, |m, l| m.saturating_mul(64).saturating_add(i32::from(l)))
        }
    };
    IntNeuron {
        du: du.clone(),
        dv: dv.clone(),
        threshold: threshold.compact(shape),
        compare: neuron.compare,
        reset: match neuron.reset {
            Reset::To(_) => IntReset::Zero,
            Reset::Subtract => {
                IntReset::Subtract(units.map(|m| m.saturating_mul(64)).compact(shape))
            }
        },
        bias: decision.bias.map(|b| b.saturating_mul(64)),
        refractory: neuron.refractory + 1,
        order: neuron.order,
        update_period: 1,
        floor: floors(neuron, &decision.scale, shape, target),
    }
}

/// What the bounds of neuron `n` depend on.
fn facts(neuron: &IntNeuron, shape: &Shape, n: usize, drive: Drive, steps: u32) -> NeuronFacts {
    let threshold = i64::from(neuron.threshold.at(n, shape));
    NeuronFacts {
        drive,
        du: neuron.du.at(n, shape),
        dv: neuron.dv.at(n, shape),
        quiet: if neuron.compare == Compare::Gt { threshold } else { threshold - 1 },
        subtract: match &neuron.reset {
            IntReset::Zero => None,
            IntReset::Subtract(amount) => Some(i64::from(amount.at(n, shape))),
        },
        floor: neuron.floor.as_ref().map(|floor| i64::from(floor.at(n, shape))),
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

/// Scales without limits.
pub(super) const UNLIMITED: (f64, &str) = (f64::INFINITY, "no weight");

/// The lower of a scale and that at which `value` reaches `limit`.
pub(super) fn lower(
    best: (f64, &'static str),
    (value, limit, why): (f64, f64, &'static str),
) -> (f64, &'static str) {
    if value > 0.0 && limit / value < best.0 { (limit / value, why) } else { best }
}

/// The largest float threshold and bias, the limits of their registers, and the names of these.
pub(super) fn registers(member: &Member<'_>, target: &TargetSpec) -> [(f64, f64, &'static str); 2] {
    let threshold = match &member.model {
        Model::Neurons(neuron, _) => largest(neuron.threshold.values()),
        Model::Relays(_) | Model::Stage => 0.0,
    };
    let reach = |values: &[f64]| values.iter().fold(0.0_f64, |m, b| m.max(b.abs()));
    let bias = reach(&member.bias) + member.samples.iter().map(Sample::reach).sum::<f64>();
    #[expect(clippy::cast_precision_loss, reason = "register ranges are far below 2^52")]
    let limit = |bound: Bound, room: i64| (bound.most(target) - room) as f64;
    // Leave one unit of room: `≥ θ` may need the next mantissa.
    [
        (threshold, limit(Bound::Threshold, 1), Bound::Threshold.name()),
        (bias, limit(Bound::Bias, 0), Bound::Bias.name()),
    ]
}
