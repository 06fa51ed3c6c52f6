//! Relays and clocks: neurons that the source network does not have.
//!
//! A *follower* has `du = 4095` (its current is what arrives now), no bias, reset to 0, and one
//! synapse of weight w with `64·w > θ ≥ 0`. Its membrane is 0 before the first step. If the spike
//! arrives, `v' = 64·w > θ`: it fires and `v = 0`. If not, `v' = 0 ≤ θ`: it does not fire and
//! `v = 0`. So it fires exactly in the steps of arrival, whatever its leak, as long as it is not
//! refractory then: its source fires at most once in P steps, so a register of at most P does no
//! harm.
//!
//! A *repeater* of graded messages is a graded relay with bias 0 and one synapse of weight 1, that
//! keeps both signs or the one that its head keeps. What arrives is the message `m` of its head, or
//! nothing; it sends `m + 0`, which has the sign that passes, and is silent where its head was.
//!
//! A clock's *head* has no synapses. With static bias b > 0 and updates in steps φ, φ + p, … it
//! fires in its n-th update, where n = 1 if `b > θ`, and `n = ⌊θ / b⌋ + 1` without leak; after
//! `register − 1` held updates it starts over.

use super::findings::{First, Site, neuron};
use super::registers::Registers;
use super::symbols::Meaning;
use super::synapses::{Synapse, in_words, source_in_words};
use super::tables::Tables;
use snnc_ir::Diagnostic;
use snnc_ir::diag::Code;
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::program::GradedMode;

/// Why registers are not those of a follower.
fn not_a_follower(registers: &Registers, period: u32) -> Option<String> {
    let p = &registers.profile;
    if p.graded.is_some() {
        Some("it sends graded messages".to_owned())
    } else if p.du != 4095 {
        Some(format!("its current has a memory (du = {})", p.du))
    } else if registers.bias != 0 {
        Some(format!("it has a static bias of {}", registers.bias))
    } else if p.subtract.is_some() {
        Some("it is not reset to 0".to_owned())
    } else if p.update != (1, 0) {
        Some(format!("it updates every {} steps only", p.update.0))
    } else if u32::from(p.refractory) > period {
        Some(format!("it is refractory for {} updates", p.refractory))
    } else {
        None
    }
}

/// Why registers are not those of a repeater of messages that `head` sends.
fn not_a_repeater(registers: &Registers, head: GradedMode) -> Option<String> {
    match registers.profile.graded {
        None => Some("it spikes, where graded messages are to be repeated".to_owned()),
        Some(own) if own.keep.is_some() && own.keep != head.keep => {
            Some("it drops messages that it is to repeat".to_owned())
        }
        Some(own) if own.shift != 0 => Some(format!("it shifts messages by {}", own.shift)),
        Some(_) if registers.bias != 0 => {
            Some(format!("it has a static bias of {}", registers.bias))
        }
        Some(_) => None,
    }
}

/// Checks that neuron `site` of a relay repeats neuron of the same number of symbol `of`, which sends
/// spikes, or messages of this kind.
pub(super) fn relay(
    tables: &Tables<'_>,
    registers: &Registers,
    (of, hops, messages): (usize, u32, Option<GradedMode>),
    site: &Site<'_>,
    synapses: &[Synapse],
    out: &mut First,
) {
    let wrong = |why: String| Some(site.mark(Diagnostic::error(code::RELAY, why)));
    let unfit = match messages {
        None => not_a_follower(registers, tables.program.period),
        Some(head) => not_a_repeater(registers, head),
    };
    if let Some(why) = unfit {
        out.add(wrong(why));
    }
    let head = neuron(&tables.program.populations[of].name, site.neuron());
    let weak = |weight: i64| match messages {
        None => too_weak(registers, weight),
        Some(_) => (weight != 1).then(|| format!("weight {weight} changes the messages")),
    };
    let synapse = match one(tables, weak, site, code::RELAY, synapses) {
        Ok(synapse) => synapse,
        Err(why) => return out.add([why]),
    };
    let behind = match tables.meanings[synapse.source] {
        Meaning::Input(_) | Meaning::Neurons(_) if synapse.source == of => Some(0),
        Meaning::Relay { of: other, hops } if other == of => Some(hops),
        _ => None,
    };
    let driver = source_in_words(tables.program, synapse);
    match behind.filter(|_| synapse.neuron == site.neuron()) {
        None => out.add(wrong(format!("{driver} drives it, which does not repeat {head}"))),
        Some(behind) if i64::from(behind) + synapse.delay != i64::from(hops) => {
            let actual = i64::from(behind) + synapse.delay;
            out.add(wrong(format!("it is {actual} steps behind {head}, and claims {hops}")));
        }
        Some(_) => {}
    }
}

/// Checks that neuron `site` of clock `symbol` fires exactly in steps `latency + k·P`.
pub(super) fn clock(
    tables: &Tables<'_>,
    registers: &Registers,
    symbol: usize,
    site: &Site<'_>,
    synapses: &[Synapse],
    out: &mut First,
) {
    let wrong = |why: String| Some(site.mark(Diagnostic::error(code::CLOCK, why)));
    let period = u64::from(tables.program.period);
    let latency = tables.program.populations[symbol].latency;
    if synapses.is_empty() {
        match head_fires(registers) {
            None => out.add(wrong("it has no synapse and its bias never makes it fire".to_owned())),
            Some(fires) if fires != (u64::from(latency), period) => {
                let (first, every) = fires;
                out.add(wrong(format!(
                    "it fires in step {first} and every {every} steps; \
                     it claims step {latency} and every {period}"
                )));
            }
            Some(_) => {}
        }
        return;
    }
    if let Some(why) = not_a_follower(registers, tables.program.period) {
        out.add(wrong(why));
    }
    let weak = |weight: i64| too_weak(registers, weight);
    let synapse = match one(tables, weak, site, code::CLOCK, synapses) {
        Ok(synapse) => synapse,
        Err(why) => return out.add([why]),
    };
    let driver = &tables.program.populations[synapse.source];
    let first = i64::from(driver.latency) + synapse.delay;
    if tables.meanings[synapse.source] != Meaning::Clock {
        let driver = source_in_words(tables.program, synapse);
        out.add(wrong(format!("{driver} drives it, which is no clock")));
    } else if first != i64::from(latency) {
        out.add(wrong(format!("it first fires in step {first}, and claims step {latency}")));
    }
}

/// First step and interval of the spikes of a neuron without synapses.
fn head_fires(registers: &Registers) -> Option<(u64, u64)> {
    let profile = &registers.profile;
    if profile.graded.is_some() {
        return None;
    }
    let bias = u64::try_from(registers.bias).ok().filter(|&b| b > 0)?;
    let threshold = u64::try_from(registers.threshold).ok()?;
    let updates = match (bias > threshold, profile.dv) {
        (true, _) => 1,
        (false, 0) => threshold / bias + 1,
        (false, _) => return None,
    };
    if profile.subtract.is_some() {
        return None;
    }
    let (every, phase) = (u64::from(profile.update.0), u64::from(profile.update.1));
    let held = u64::from(profile.refractory).saturating_sub(1);
    Some((phase + (updates - 1) * every, (held + updates) * every))
}

/// Why a weight does not make a follower fire.
fn too_weak(registers: &Registers, weight: i64) -> Option<String> {
    let threshold = registers.threshold;
    (64 * weight <= threshold)
        .then(|| format!("weight {weight} does not lift it above its threshold {threshold}"))
}

/// The one synapse of a follower or repeater, if its weight does.
fn one<'s>(
    tables: &Tables<'_>,
    weak: impl Fn(i64) -> Option<String>,
    site: &Site<'_>,
    code: Code,
    synapses: &'s [Synapse],
) -> Result<&'s Synapse, Diagnostic> {
    let wrong = |why: String| site.mark(Diagnostic::error(code, why));
    match synapses {
        [] => Err(wrong("no synapse drives it".to_owned())),
        [synapse] => weak(synapse.weight).map_or(Ok(synapse), |why| Err(wrong(why))),
        [first, second, ..] => Err(wrong(format!("{} synapses drive it", synapses.len()))
            .note(format!("{}: {}", source_in_words(tables.program, first), in_words(Some(first))))
            .note(format!(
                "{}: {}",
                source_in_words(tables.program, second),
                in_words(Some(second))
            ))),
    }
}
