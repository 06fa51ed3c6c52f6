//! Registers of compartments: decoding, ranges, and comparison with the neurons of the source.

use super::findings::{Findings, First, Site};
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::network::{Compare, Keep, UpdateOrder};
use snnc_ir::program::{self, GradedMode, Profile, ProgramCore};
use snnc_ir::quantized::{Graded, IntNeuron, IntReset};
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Shape, TargetSpec};

/// What the registers of a compartment mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers {
    /// Decays, refractory time, reset and update steps; which messages it sends, if any.
    pub(super) profile: Profile,
    /// The neuron fires above this. **Units**: membrane.
    pub(super) threshold: i64,
    /// Static bias. **Units**: membrane.
    pub(super) bias: i64,
    /// Exponent of the static bias.
    pub(super) exponent: u8,
}

impl Registers {
    /// Whether the static bias may act in every step: a graded relay has no state, so a bias from 0 to
    /// `2^shift − 1` messages shows where something arrives and nowhere else.
    pub(super) fn silent_bias(&self) -> bool {
        let shift = self.profile.graded.map_or(0, |mode| mode.shift);
        self.profile.graded.is_some() && self.bias >= 0 && self.bias >> 6 >> shift.min(31) == 0
    }
}

/// Decodes the registers of a compartment; findings for those outside the target's range.
pub(super) fn decode(
    core: &ProgramCore,
    run: &program::Registers,
    site: &Site<'_>,
    target: &TargetSpec,
    findings: &mut Findings,
) -> Registers {
    let profile = core.profiles[run.profile as usize];
    let mantissa = core.thresholds[run.threshold as usize];
    let mut outside =
        |what: &str, value: i64, low: i64, limit: (&str, Option<&Limit>), high: i64| {
            if (low..=high).contains(&value) {
                return;
            }
            let message = format!("{what} is {value}, outside {low}..={high}");
            let mut finding = site.mark(Diagnostic::error(code::REGISTER, message));
            if let Some(source) = limit.1 {
                finding = finding.note(format!("{}: {} = {source}", target.file, limit.0));
            }
            findings.push(finding);
        };
    let mut decay = |what, value: u16| outside(what, i64::from(value), 0, ("", None), 4095);
    decay("the current decay", profile.du);
    decay("the membrane decay", profile.dv);
    let mut limited = |what, value: i64, low, name, limit: &Limit| {
        outside(what, value, low, (name, Some(limit)), limit.value);
    };
    let refractory = i64::from(profile.refractory);
    limited("the refractory register", refractory, 1, "max_refractory", &target.max_refractory);
    let threshold = i64::from(mantissa);
    limited("the threshold mantissa", threshold, 0, "max_threshold", &target.max_threshold);
    let bias = i64::from(run.bias_mantissa);
    let most = &target.max_bias_mantissa;
    limited("the bias mantissa", bias, -most.value, "max_bias_mantissa", most);
    let exponent = i64::from(run.bias_exponent);
    limited("the bias exponent", exponent, 0, "max_bias_exponent", &target.max_bias_exponent);
    if let Some(amount) = profile.subtract.filter(|&a| a < 0) {
        let message = format!("the subtracted amount is {amount}, below 0");
        findings.push(site.mark(Diagnostic::error(code::REGISTER, message)));
    }
    if let Some(floor) = profile.floor {
        check_floor(floor, site, target, findings);
    }
    let (period, phase) = profile.update;
    if phase >= period {
        let message = format!("updates in steps t ≡ {phase} (mod {period}) do not exist");
        findings.push(site.mark(Diagnostic::error(code::REGISTER, message)));
    }
    if !target.programmable_neuron && (profile.subtract.is_some() || profile.update != (1, 0)) {
        let message = "reset by subtraction and update periods need a programmable neuron";
        findings.push(
            site.mark(Diagnostic::error(code::REGISTER, message))
                .note(format!("{}: programmable_neuron = false", target.file)),
        );
    }
    if profile.graded.is_some() {
        relay(run, &profile, site, target, findings);
    }
    // Exponents beyond 31 were found outside any target's range above.
    let shift = u32::from(run.bias_exponent).min(31);
    let exponent = run.bias_exponent;
    Registers { profile, threshold: threshold << 6, bias: bias << shift, exponent }
}

/// Findings for a lowest membrane that the target's neurons cannot have.
fn check_floor(floor: i32, site: &Site<'_>, target: &TargetSpec, findings: &mut Findings) {
    let mut wrong = |message: String, name: &str, limit: &Limit| {
        findings.push(
            site.mark(Diagnostic::error(code::REGISTER, message))
                .note(format!("{}: {name} = {limit}", target.file)),
        );
    };
    let bits = target.state_bits.value.clamp(1, 32);
    if floor > 0 || i64::from(floor) <= -(1 << (bits - 1)) {
        let message = format!("the floor is {floor}, outside the membranes up to 0");
        wrong(message, "state_bits", &target.state_bits);
    }
    if target.floors.value == 0 {
        wrong("a floor needs neurons that have one".to_owned(), "floors", &target.floors);
    }
    let power = floor <= 0 && floor.unsigned_abs().wrapping_add(1).is_power_of_two();
    if target.floor_powers.value == 1 && !power {
        let message = format!("the floor is {floor}, not −(2^k − 1)");
        wrong(message, "floor_powers", &target.floor_powers);
    }
}

/// Findings for the registers of a graded relay: it has no state, and its bias is a whole message.
fn relay(
    run: &program::Registers,
    profile: &Profile,
    site: &Site<'_>,
    target: &TargetSpec,
    findings: &mut Findings,
) {
    let Profile { du, dv, refractory, subtract, update, graded: _, floor } = *profile;
    if (du, dv, refractory, subtract, update, floor) != (4095, 4095, 1, None, (1, 0), None) {
        let message = "a graded relay has no state, and its profile says otherwise";
        let note = format!("profile {}: {profile:?}", run.profile);
        findings.push(site.mark(Diagnostic::error(code::REGISTER, message)).note(note));
    }
    let shift = u32::from(run.bias_exponent).min(31);
    let bias = i64::from(run.bias_mantissa) << shift;
    if bias % 64 != 0 {
        let message = format!("the bias {bias} of a graded relay is no multiple of 64");
        findings.push(site.mark(Diagnostic::error(code::REGISTER, message)));
    }
    let shift = profile.graded.map_or(0, |mode| mode.shift);
    if shift > 31 {
        let message = format!("the shift of a graded relay is {shift}, outside 0..=31");
        findings.push(site.mark(Diagnostic::error(code::REGISTER, message)));
    }
    if shift > 0 && !target.programmable_neuron {
        let message = format!("a shift of messages by {shift} needs a programmable neuron");
        findings.push(
            site.mark(Diagnostic::error(code::REGISTER, message))
                .note(format!("{}: programmable_neuron = false", target.file)),
        );
    }
    if target.message_bits.value == 0 {
        let message = "a graded relay needs a target that sends graded messages";
        findings.push(
            site.mark(Diagnostic::error(code::REGISTER, message))
                .note(format!("{}: message_bits = {}", target.file, target.message_bits)),
        );
    }
}

/// When a population's logical steps are, and when its neurons update.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// Hardware steps per logical step.
    pub(super) period: u32,
    /// Hardware step of logical step 0.
    pub(super) latency: u32,
}

impl Timing {
    /// Whether a neuron with these update steps updates in each of its logical steps, and either in
    /// no other or in every step.
    const fn allows(self, update: (u32, u32)) -> bool {
        matches!(update, (1, 0))
            || (self.period > 1
                && update.0 == self.period
                && update.1 == self.latency % self.period)
    }

    /// Whether the first update is the first logical step, so that a static bias acts once per
    /// logical step and never before.
    pub(super) const fn starts_on_time(self, update: (u32, u32)) -> bool {
        update.0 == self.period && update.1 == self.latency
    }

    /// Refractory registers that mean `r` logical updates.
    ///
    /// A neuron that updates once per logical step counts logical updates. One that updates in
    /// every step is held for `register − 1` further steps: that covers its next `r − 1` logical
    /// steps, `P` apart, and not the one after.
    fn refractory(self, r: u32, update: (u32, u32)) -> std::ops::RangeInclusive<u64> {
        let stretch = if update.0 == self.period { 1 } else { u64::from(self.period) };
        let r = u64::from(r);
        stretch * r.saturating_sub(1) + 1..=stretch * r
    }
}

/// Smallest membrane that fires, if every membrane is a multiple of `unit`.
fn fires_from(compare: Compare, threshold: i64, unit: i64) -> i64 {
    let below = match compare {
        Compare::Gt => threshold,
        Compare::Ge => threshold - 1,
    };
    below.div_euclid(unit) * unit + unit
}

/// Names a kind of compartment.
fn mode_in_words(mode: Option<GradedMode>) -> String {
    let Some(GradedMode { keep, shift }) = mode else { return "a spiking neuron".to_owned() };
    let messages = match keep {
        None => "both signs",
        Some(Keep::Positive) => "positive messages",
        Some(Keep::Negative) => "negative messages",
    };
    let shifted = if shift == 0 { String::new() } else { format!(", shifted by {shift}") };
    format!("a graded relay of {messages}{shifted}")
}

/// The compartment that a graded relay of the source is.
pub(super) const fn mode_of(graded: &Graded) -> GradedMode {
    GradedMode { keep: graded.keep, shift: graded.shift }
}

/// Compares what a run's compartments are with what the source has there; true if they agree.
pub(super) fn compare_kind(
    registers: &Registers,
    source: Option<GradedMode>,
    site: &Site<'_>,
    findings: &mut Findings,
) -> bool {
    let artifact = registers.profile.graded;
    if source == artifact {
        return true;
    }
    let (source, artifact) = (mode_in_words(source), mode_in_words(artifact));
    findings.push(
        site.mark(Diagnostic::error(code::PARAMETERS, "the kind of compartment differs"))
            .note(format!("source: {source}; artifact: {artifact}")),
    );
    false
}

/// Compares the registers of a run, which repeat in a cycle, with its neurons; the bias is compared with
/// the synapses.
///
/// `site` is the run's first neuron, `len` its length.
pub(super) fn compare(
    cycle: &[Registers],
    neuron: &IntNeuron,
    shape: &Shape,
    timing: Timing,
    (site, len): (&Site<'_>, u32),
    findings: &mut Findings,
) {
    // The contract knows one order; a second one would have to be compared here.
    let UpdateOrder::LeakInputFire = neuron.order;
    let mut first = First::default();
    for (offset, registers) in (0..len).zip(cycle.iter().cycle()) {
        let at = site.plus(offset);
        let differences = one(registers, neuron, shape, timing, at.neuron());
        first.add(differences.into_iter().map(|d| at.mark(d)));
    }
    first.report(findings);
    let restless = cycle.iter().map(|registers| &registers.profile).find(|profile| {
        timing.period > 1 && profile.update == (1, 0) && (profile.dv != 0 || profile.du != 4095)
    });
    if let Some(profile) = restless {
        let message = "a neuron with leak or current memory updates between its logical steps";
        let note = format!("dv = {}, du = {}; 0 and 4095 would rest", profile.dv, profile.du);
        findings.push(site.mark(Diagnostic::error(code::IDLE, message).note(note)));
    }
}

/// Differences of one neuron.
fn one(
    registers: &Registers,
    neuron: &IntNeuron,
    shape: &Shape,
    timing: Timing,
    index: u32,
) -> Vec<Diagnostic> {
    let Registers { profile, threshold, .. } = registers;
    let at = index as usize;
    let mut out = Vec::new();
    let mut differs = |what: &str, source: String, artifact: String| {
        out.push(
            Diagnostic::error(code::PARAMETERS, format!("{what} differs"))
                .note(format!("source: {source}; artifact: {artifact}")),
        );
    };
    let (du, dv) = (neuron.du.at(at, shape), neuron.dv.at(at, shape));
    if du != profile.du {
        differs("the current decay", du.to_string(), profile.du.to_string());
    }
    if dv != profile.dv {
        differs("the membrane decay", dv.to_string(), profile.dv.to_string());
    }
    let amount = match &neuron.reset {
        IntReset::Zero => None,
        IntReset::Subtract(amount) => Some(amount.at(at, shape)),
    };
    if amount != profile.subtract {
        let words = |a: Option<i32>| a.map_or("reset to 0".to_owned(), |a| format!("subtract {a}"));
        differs("the reset", words(amount), words(profile.subtract));
    }
    let floor = neuron.floor.as_ref().map(|floor| floor.at(at, shape));
    if floor != profile.floor {
        let words = |f: Option<i32>| f.map_or("none".to_owned(), |f| f.to_string());
        differs("the floor", words(floor), words(profile.floor));
    }
    // Without leak and current memory every membrane is a sum of biases, subtracted amounts and
    // 64 times weights, or a floor and such a sum.
    let coarse = (du, dv) == (4095, 0)
        && neuron.bias.at(at, shape) % 64 == 0
        && amount.is_none_or(|a| a % 64 == 0)
        && floor.is_none_or(|f| f % 64 == 0);
    let unit = if coarse { 64 } else { 1 };
    let theta = neuron.threshold.at(at, shape);
    let source = fires_from(neuron.compare, i64::from(theta), unit);
    let artifact = fires_from(Compare::Gt, *threshold, unit);
    if source != artifact {
        let sign = match neuron.compare {
            Compare::Gt => '>',
            Compare::Ge => '≥',
        };
        let fires = |v: i64| format!("fires from v = {v} on");
        let source = format!("{} (v {sign} {theta})", fires(source));
        differs("the threshold", source, format!("{} (v > {threshold})", fires(artifact)));
    }
    let refractory = timing.refractory(neuron.refractory, profile.update);
    if !refractory.contains(&u64::from(profile.refractory)) {
        let source = format!("{}, register {}", neuron.refractory, refractory.start());
        differs("the refractory time", source, format!("register {}", profile.refractory));
    }
    if !timing.allows(profile.update) {
        let (every, phase) = profile.update;
        let Timing { period, latency } = timing;
        let source = format!("a logical step every {period} steps from step {latency} on");
        differs("the update steps", source, format!("every {every} steps from step {phase} on"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_compared_by_what_fires() {
        // v ≥ 65 is v > 64 for integers.
        assert_eq!(fires_from(Compare::Ge, 65, 1), fires_from(Compare::Gt, 64, 1));
        assert_ne!(fires_from(Compare::Ge, 128, 1), fires_from(Compare::Gt, 64, 1));
        // In multiples of 64, v ≥ 128 and v ≥ 65 are v > 64.
        assert_eq!(fires_from(Compare::Ge, 128, 64), fires_from(Compare::Gt, 64, 64));
        assert_eq!(fires_from(Compare::Ge, 65, 64), fires_from(Compare::Gt, 64, 64));
        assert_ne!(fires_from(Compare::Ge, 129, 64), fires_from(Compare::Gt, 64, 64));
        assert_eq!(fires_from(Compare::Gt, -1, 64), 0);
    }

    /// Which registers hold a neuron for exactly its next `r − 1` logical steps, by counting.
    #[test]
    fn refractory_ranges_are_those_found_by_counting() {
        for period in 1_u32..5 {
            for r in 1_u32..6 {
                let timing = Timing { period, latency: 0 };
                let right = |register: u32| (1..=r + 2).all(|k| (k * period < register) == (k < r));
                let range = timing.refractory(r, (1, 0));
                for register in 1..40 {
                    assert_eq!(range.contains(&u64::from(register)), right(register));
                }
            }
        }
    }

    #[test]
    fn update_steps_meet_the_logical_steps() {
        let timing = |period, latency| Timing { period, latency };
        assert!(timing(1, 5).allows((1, 0)));
        assert!(timing(2, 5).allows((2, 1)) && !timing(2, 5).allows((2, 0)));
        assert!(timing(2, 1).starts_on_time((2, 1)));
        // Updates of phase 1 begin in step 1, four steps before logical step 0.
        assert!(!timing(2, 5).starts_on_time((2, 1)));
        assert!(timing(1, 0).starts_on_time((1, 0)) && !timing(1, 1).starts_on_time((1, 0)));
    }
}
