//! Bias gating: clock neurons carry the biases of populations that must not start at step 0.
//!
//! The head of the clock fires on its own: for P = 1 its static bias exceeds its threshold in every
//! step; for P > 1 it counts to P without leak. Later starts are synaptic delays of its spikes, or
//! relays of the head. A bias beyond the largest weight without exponent, [`MAX_WEIGHT`], is carried by
//! several *lanes* (neurons of the clock, which fire together), or, where that takes more than
//! [`PLAIN_LANES`], in two digits: a projection whose exponent is above 0, and one for the rest.
//!
//! Biases that differ by channel only come from a clock with a neuron for each place (a *plane*), through a
//! kernel of one weight for each channel, on targets that store a kernel once: they then take as much
//! memory as the biases of the source.

use super::relay::{NEURON_WEIGHT, relay_matrix, relay_neuron};
use super::{Builder, must_gate};
use crate::quantize::matrix::{MAX_WEIGHT, derived};
use snnc_ir::arena::PopId;
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes;
use snnc_ir::quantized::{IntNeuron, PopKind, Population, Projection, Role, Structure};
use snnc_ir::{Diagnostic, Diagnostics, Entity, Param, Shape, TargetSpec};
use std::collections::BTreeMap;

/// Most lanes before biases are carried in two digits. More than one costs a list of synapses each; but a
/// NetX file holds no weight beyond 127 of both signs, and this many lanes keep those of most networks
/// below it.
const PLAIN_LANES: u32 = 8;

/// Replaces static biases by clock spikes wherever the register would act too early.
pub(super) fn gate_biases(builder: &mut Builder, target: &TargetSpec, errors: &mut Diagnostics) {
    let late: Vec<PopId> =
        builder.draft.populations.ids().filter(|&id| starts_late(builder, id)).collect();
    let mut gated: Vec<(PopId, Digits)> = Vec::new();
    let max_exponent = u32::try_from(target.max_weight_exponent.value).unwrap_or(0).min(7);
    for id in late {
        let population = &builder.draft.populations[id];
        if population.neuron().is_some_and(|n| n.du.values().iter().any(|&du| du != 4095)) {
            errors.push(smeared_bias(&population.name));
            continue;
        }
        match take_bias(&mut builder.draft.populations[id]) {
            Ok(units) => gated.push((id, Digits::of(&units, max_exponent))),
            Err(bias) => errors.push(fine_bias(&builder.draft.populations[id].name, bias)),
        }
    }
    let lanes = gated.iter().map(|(_, digits)| digits.lanes()).max().unwrap_or(0);
    if lanes == 0 {
        return;
    }
    if i64::from(builder.period) - 1 > target.max_threshold.value {
        errors.push(
            Diagnostic::error(
                codes::mapping::CLOCK_THRESHOLD,
                format!("a clock neuron cannot count to {}", builder.period),
            )
            .note(format!("{}: max_threshold = {}", target.file, target.max_threshold))
            .help("put a delay of one step on every projection of the loop that sets the period"),
        );
        return;
    }
    let kernels = target.shared_kernels.value > 0;
    let (planes, single): (Vec<_>, Vec<_>) = gated.into_iter().partition(|(id, digits)| {
        kernels
            && steps_after_head(builder, *id) <= builder.max_delay
            && by_channel(builder, *id, digits)
    });
    let most = |part: &[(PopId, Digits)]| part.iter().map(|(_, digits)| digits.lanes()).max();
    if let Some(lanes) = most(&single).filter(|&lanes| lanes > 0) {
        let mut chain = vec![head(builder, Shape::flat(lanes))];
        for (id, digits) in &single {
            carry(builder, &mut chain, *id, digits, lanes);
        }
    }
    let mut by_extent: BTreeMap<[u32; 2], Vec<(PopId, Digits)>> = BTreeMap::new();
    for (id, digits) in planes {
        if let Some([_, height, width]) = builder.draft.populations[id].shape.as_chw() {
            by_extent.entry([height, width]).or_default().push((id, digits));
        }
    }
    for ([height, width], part) in by_extent {
        let Some(lanes) = most(&part).filter(|&lanes| lanes > 0) else { continue };
        let plane = head(builder, Shape::chw(lanes, height, width));
        for (id, digits) in &part {
            carry_by_channel(builder, plane, *id, digits, [lanes, height, width]);
        }
    }
}

/// Whether the static register of `id` would act in a step in which it must not.
fn starts_late(builder: &Builder, id: PopId) -> bool {
    let latency = builder.latency[id.index()];
    (builder.period > 1 || latency > 0)
        && must_gate(&builder.draft.populations[id], builder.period, latency)
}

/// Clears the static bias; returns it per neuron in weight units, or the first bias that spikes
/// cannot carry.
fn take_bias(population: &mut Population) -> Result<Vec<i16>, i32> {
    let shape = population.shape.clone();
    // A relay's bias is in units of weight, a neuron's in units of the membrane.
    let (bias, unit) = match &mut population.kind {
        PopKind::Input(_) => return Ok(vec![]),
        PopKind::Neurons(neuron) => (&mut neuron.bias, 64),
        PopKind::Graded(graded) => (&mut graded.bias, 1),
    };
    let units =
        |b: i32| if b % unit == 0 { i16::try_from(b / unit).map_err(|_| b) } else { Err(b) };
    let carried = bias.expand(&shape).into_iter().map(units).collect::<Result<_, _>>()?;
    *bias = Param::Uniform(0);
    Ok(carried)
}

fn smeared_bias(name: &str) -> Diagnostic {
    Diagnostic::error(
        codes::mapping::SMEARED_BIAS,
        format!("population `{name}` has a bias that must start late, and a current with memory"),
    )
    .at(format!("population `{name}`"))
    .note("clock spikes carry late biases through the current; one with memory (du < 4095) would spread them over steps")
    .help("give the projections into this population a delay of one step each, so that its bias may start at step 0")
}

fn fine_bias(name: &str, bias: i32) -> Diagnostic {
    Diagnostic::error(
        codes::mapping::FINE_BIAS,
        format!("a bias of {bias} of population `{name}` cannot be carried by spikes"),
    )
    .at(format!("population `{name}`"))
    .note("the population starts after step 0, so clock spikes carry its bias, in units of weight (64 units of a membrane, 1 of a message) up to 32767")
    .help("use a bias that is a multiple of 64, or 1 for relays (`quantize` makes such biases)")
}

/// Biases of a population, neuron by neuron: `low + (high << shift)`.
#[derive(Debug, PartialEq)]
struct Digits {
    low: Vec<i16>,
    high: Vec<i16>,
    shift: u32,
}

impl Digits {
    /// Digits of which the upper one has the smallest exponent that lets one lane carry it; no upper digit
    /// where [`PLAIN_LANES`] carry all. Both have the sign of the bias, so that less than the bias, not
    /// more, arrives where a spike is missing: sums stay within the bounds that quantization proved.
    fn of(units: &[i16], max_exponent: u32) -> Self {
        let split = |shift: u32| {
            let base = 1_i32 << shift;
            let digits = units.iter().map(|&unit| {
                let unit = i32::from(unit);
                (narrow(unit % base), narrow(unit / base))
            });
            let (low, high) = digits.unzip();
            Self { low, high, shift }
        };
        if max_exponent == 0 || lanes_for(units) <= PLAIN_LANES {
            return Self { low: units.to_vec(), high: vec![], shift: 0 };
        }
        (1..max_exponent).map(split).find(|d| d.lanes() == 1).unwrap_or_else(|| split(max_exponent))
    }

    /// Lanes that carry both digits.
    fn lanes(&self) -> u32 {
        lanes_for(&self.low).max(lanes_for(&self.high))
    }
}

fn narrow(digit: i32) -> i16 {
    i16::try_from(digit).expect("a digit is smaller than what it is a digit of")
}

/// Weights of at most [`MAX_WEIGHT`] that the largest of these takes.
fn lanes_for(units: &[i16]) -> u32 {
    let largest = units.iter().map(|u| u.unsigned_abs()).max().unwrap_or(0);
    u32::from(largest).div_ceil(u32::from(MAX_WEIGHT.unsigned_abs()))
}

/// Adds the neurons that fire on their own: first at step P − 1, then every P steps.
fn head(builder: &mut Builder, shape: Shape) -> PopId {
    let period = i32::try_from(builder.period).expect("checked against the threshold register");
    let (dv, threshold, bias) =
        if period == 1 { (4095, 64, 128) } else { (0, 64 * (period - 1), 64) };
    let neuron = IntNeuron {
        dv: Param::Uniform(dv),
        threshold: Param::Uniform(threshold),
        bias: Param::Uniform(bias),
        ..relay_neuron(builder.floor)
    };
    add(builder, neuron, shape, builder.period - 1)
}

fn add(builder: &mut Builder, neuron: IntNeuron, shape: Shape, latency: u32) -> PopId {
    let name = match shape.as_chw() {
        Some([_, height, width]) => format!("clock@{latency}.{height}x{width}"),
        None => format!("clock@{latency}"),
    };
    let name = builder.free_name(name);
    builder.clocks += shape.size();
    let population = Population { name, shape, role: Role::Clock, kind: PopKind::Neurons(neuron) };
    builder.add_population(population, latency)
}

/// Delivers the bias of `target` from its first step on, once per logical step.
fn carry(
    builder: &mut Builder,
    chain: &mut Vec<PopId>,
    target: PopId,
    digits: &Digits,
    lanes: u32,
) {
    let start = builder.latency[target.index()];
    let first = builder.latency[chain[0].index()];
    // The schedule leaves room for at least one step between the head's first spike and `start`.
    let steps = start - first;
    let hops = (steps - 1).saturating_sub(builder.max_delay);
    while chain.len() <= hops as usize {
        let before = chain[chain.len() - 1];
        let latency = builder.latency[before.index()] + 1;
        let next = add(builder, relay_neuron(builder.floor), Shape::flat(lanes), latency);
        let matrix = relay_matrix(builder, lanes as usize, NEURON_WEIGHT);
        builder.draft.projections.push(Projection {
            source: before,
            target: next,
            matrix,
            delay: 1,
        });
        chain.push(next);
    }
    let source = chain[hops as usize];
    deliver(builder, [source, target], digits, steps - hops, |units| {
        let rows = u32::try_from(units.len()).expect("a population has fewer than 2^32 neurons");
        (Structure::Dense { rows, cols: lanes }, over_lanes(units, lanes))
    });
}

/// Adds a projection with this delay for each digit, and for each sign where they are stored apart; `layout` makes
/// its weights from those of the neurons.
fn deliver(
    builder: &mut Builder,
    [source, target]: [PopId; 2],
    digits: &Digits,
    delay: u32,
    layout: impl Fn(&[i16]) -> (Structure, Vec<i16>),
) {
    let name = format!("{}.bias", builder.draft.populations[target].name);
    let digits = [(&digits.low, 0), (&digits.high, digits.shift)];
    let parts = digits.into_iter().flat_map(|(units, shift)| {
        let of = |sign: fn(i16) -> i16| units.iter().copied().map(sign).collect();
        let parts: Vec<Vec<i16>> = if builder.apart {
            vec![of(|u| u.max(0)), of(|u| u.min(0))]
        } else {
            vec![units.clone()]
        };
        parts.into_iter().map(move |units| (units, shift))
    });
    let parts: Vec<_> = parts.filter(|(units, _)| units.iter().any(|&unit| unit != 0)).collect();
    for (units, shift) in parts {
        let (structure, weights) = layout(&units);
        let mut matrix = derived(name.clone(), structure, weights, "schedule", vec![]);
        matrix.exponent += i8::try_from(shift).expect("at most the largest exponent");
        let matrix = builder.intern(matrix);
        builder.draft.projections.push(Projection { source, target, matrix, delay });
    }
}

/// Steps from the first spike of a clock's head to the first step of a population.
fn steps_after_head(builder: &Builder, id: PopId) -> u32 {
    // The schedule leaves room for at least one step between the two.
    builder.latency[id.index()] - (builder.period - 1)
}

/// Whether the biases of an image of several channels differ by channel only.
fn by_channel(builder: &Builder, id: PopId, digits: &Digits) -> bool {
    let shape = &builder.draft.populations[id].shape;
    let places = shape.per_channel();
    let equal = |units: &[i16]| units.chunks(places).all(|c| c.iter().all(|unit| *unit == c[0]));
    shape.as_chw().is_some()
        && shape.channels() > 1
        && places > 1
        && equal(&digits.low)
        && equal(&digits.high)
}

/// As [`carry`], from a plane of clock neurons.
fn carry_by_channel(
    builder: &mut Builder,
    plane: PopId,
    target: PopId,
    digits: &Digits,
    input: [u32; 3],
) {
    let shape = &builder.draft.populations[target].shape;
    let places = shape.per_channel();
    let out_channels = u32::try_from(shape.channels()).expect("fewer than 2^32 neurons");
    let conv = Conv {
        input,
        out_channels,
        kernel: [1, 1],
        stride: [1, 1],
        pad: [0; 4],
        groups: 1,
        crop: [0; 4],
    };
    let delay = steps_after_head(builder, target);
    deliver(builder, [plane, target], digits, delay, |units| {
        let channels: Vec<i16> = units.iter().copied().step_by(places).collect();
        (Structure::Conv(conv), over_lanes(&channels, input[0]))
    });
}

/// Weights of at most [`MAX_WEIGHT`] whose sum over the lanes is that of each neuron.
fn over_lanes(units: &[i16], lanes: u32) -> Vec<i16> {
    let parts = units.iter().flat_map(|&unit| {
        let mut rest = unit;
        (0..lanes).map(move |_| {
            let part = rest.clamp(-MAX_WEIGHT, MAX_WEIGHT);
            rest -= part;
            part
        })
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_biases_have_one_digit_and_large_ones_few_lanes() {
        let plain = |units: &[i16]| Digits { low: units.to_vec(), high: vec![], shift: 0 };
        assert_eq!(Digits::of(&[1016, -5], 7), plain(&[1016, -5]));
        assert_eq!(Digits::of(&[1017, -5], 0), plain(&[1017, -5]));
        let digits = |low: &[i16], high: &[i16], shift| Digits {
            low: low.to_vec(),
            high: high.to_vec(),
            shift,
        };
        // 1017 = 1 + (127 << 3), and -13 = -5 - (1 << 3).
        assert_eq!(Digits::of(&[1017, -13], 7), digits(&[1, -5], &[127, -1], 3));
        assert_eq!(Digits::of(&[-4096], 7), digits(&[0], &[-64], 6));
        assert_eq!(Digits::of(&[4095, 0], 7).lanes(), 1);
        assert_eq!(Digits::of(&[i16::MAX, i16::MIN], 7).lanes(), 3);
    }

    proptest! {
        /// Lanes and digits add up to the bias; every weight is stored.
        #[test]
        fn biases_are_carried_whole(
            units in prop::collection::vec(any::<i16>(), 1..4), max_exponent in 0_u32..8,
        ) {
            let digits = Digits::of(&units, max_exponent);
            let lanes = digits.lanes();
            prop_assert!(max_exponent < 7 || lanes <= PLAIN_LANES);
            let sum = |part: &[i16], neuron: usize| {
                let weights = over_lanes(part, lanes);
                assert!(weights.iter().all(|w| (-MAX_WEIGHT..=MAX_WEIGHT).contains(w)));
                let of = weights.chunks(lanes.max(1) as usize).nth(neuron);
                of.map_or(0, |w| w.iter().map(|&w| i32::from(w)).sum::<i32>())
            };
            for (neuron, &unit) in units.iter().enumerate() {
                let carried = sum(&digits.low, neuron) + (sum(&digits.high, neuron) << digits.shift);
                prop_assert_eq!(carried, i32::from(unit));
                let signs = [&digits.low, &digits.high].map(|d| d.get(neuron).map_or(0, |d| d.signum()));
                prop_assert!(signs.iter().all(|sign| sign * unit.signum() >= 0), "{digits:?}");
            }
        }
    }
}
