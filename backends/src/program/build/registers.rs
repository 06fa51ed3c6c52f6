//! Register values of populations and matrices.

use snnc_ir::diag::codes::artifact;
use snnc_ir::network::Compare;
use snnc_ir::program::{GradedMode, Profile};
use snnc_ir::quantized::{
    Graded, IntMatrix, IntNeuron, IntReset, PopKind, Population, QuantizedDraft,
};
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, Param, TargetSpec};
use std::fmt::Display;

/// Registers of a population's compartments.
#[derive(Debug)]
pub(super) struct PopulationRegisters {
    pub(super) profile: Param<Profile>,
    /// Threshold mantissa; graded relays have none.
    pub(super) threshold: Option<Param<u32>>,
    /// Bias mantissa and exponent.
    pub(super) bias: Param<(i16, u8)>,
}

/// Converts the parameters of a population. `None` for an input, and where `out` got an error.
///
/// `hosted`: the host adds to the biases, in units of 64.
pub(super) fn population(
    population: &Population,
    latency: u32,
    hosted: bool,
    target: &TargetSpec,
    out: &mut Diagnostics,
) -> Option<PopulationRegisters> {
    let mut check = Check { population, out };
    match &population.kind {
        PopKind::Input(_) => None,
        PopKind::Neurons(n) => neuron(population, n, latency, hosted, target, &mut check),
        PopKind::Graded(relay) => graded(relay, hosted, target, &mut check),
    }
}

/// Registers of spiking neurons.
fn neuron(
    population: &Population,
    neuron: &IntNeuron,
    latency: u32,
    hosted: bool,
    target: &TargetSpec,
    check: &mut Check<'_>,
) -> Option<PopulationRegisters> {
    let supported = check.features(neuron, target);
    let refractory = check.refractory(neuron, &target.max_refractory);
    let du = check.convert("du", &neuron.du, decay, "expected 0 to 4095");
    let dv = check.convert("dv", &neuron.dv, decay, "expected 0 to 4095");
    let max = &target.max_threshold;
    let threshold = check.convert(
        "threshold",
        &neuron.threshold,
        |v| threshold_register(v, max.value),
        &format!("expected 64 times a mantissa of 0 to {max}"),
    );
    let bias = check.bias(&neuron.bias, 1, hosted, target);
    let (refractory, du, dv) = (refractory?, du?, dv?);
    let phase = if neuron.update_period == 1 { 0 } else { latency % neuron.update_period.max(1) };
    let make = |(du, dv), subtract, floor| Profile {
        du,
        dv,
        refractory,
        subtract,
        update: (neuron.update_period, phase),
        graded: None,
        floor,
    };
    let shape = &population.shape;
    let subtract = match &neuron.reset {
        IntReset::Zero => Param::Uniform(None),
        IntReset::Subtract(amount) => amount.map(Some),
    };
    let floor = neuron.floor.as_ref().map_or(Param::Uniform(None), |floor| floor.map(Some));
    let profile = du
        .zip(&dv, shape, |du, dv| (du, dv))
        .zip(&subtract, shape, |decays, subtract| (decays, subtract))
        .zip(&floor, shape, |(decays, subtract), floor| make(decays, subtract, floor));
    let threshold = Some(threshold?);
    supported.then_some(PopulationRegisters { profile, threshold, bias: bias? })
}

/// Registers of graded relays: those of a neuron without memory.
fn graded(
    relay: &Graded,
    hosted: bool,
    target: &TargetSpec,
    check: &mut Check<'_>,
) -> Option<PopulationRegisters> {
    let sends = target.message_bits.value > 0;
    if !sends {
        check.reject(
            "graded relays have no register".to_owned(),
            &format!("{}: message_bits = {}", target.file, target.message_bits),
        );
    }
    let shifts = relay.shift == 0 || target.programmable_neuron;
    if !shifts {
        check.reject(
            format!("a shift of messages by {} has no register", relay.shift),
            &format!("the neuron of {} is not programmable", target.name),
        );
    }
    let bias = check.bias(&relay.bias, 64, hosted, target)?;
    let profile = Profile {
        du: 4095,
        dv: 4095,
        refractory: 1,
        subtract: None,
        update: (1, 0),
        graded: Some(GradedMode { keep: relay.keep, shift: relay.shift }),
        floor: None,
    };
    (sends && shifts).then_some(PopulationRegisters {
        profile: Param::Uniform(profile),
        threshold: None,
        bias,
    })
}

/// Reports what the matrices of `network` hold that no synapse stores.
pub(super) fn check_matrices(network: &QuantizedDraft, target: &TargetSpec, out: &mut Diagnostics) {
    let exponents = target.min_weight_exponent.value..=target.max_weight_exponent.value;
    for (id, matrix) in network.matrices.iter() {
        let place = format!("matrix {id} \"{}\"", matrix.name);
        if !exponents.contains(&i64::from(matrix.exponent)) {
            out.push(
                Diagnostic::error(
                    artifact::PROGRAM_REGISTER,
                    format!("the weight exponent {} does not fit its register", matrix.exponent),
                )
                .at(&place)
                .note(format!("smallest: {}", target.min_weight_exponent))
                .note(format!("largest: {}", target.max_weight_exponent)),
            );
        } else if let Some(&mantissa) = matrix.mantissa.iter().find(|&&m| !stores(matrix, m)) {
            out.push(
                Diagnostic::error(
                    artifact::PROGRAM_REGISTER,
                    format!(
                        "the mantissa {mantissa} with exponent {} cannot be stored by a \
                         synapse group of sign {}",
                        matrix.exponent,
                        matrix.sign.name()
                    ),
                )
                .at(place)
                .note(
                    "mixed: even, −256 to 254; excitatory: 0 to 255; inhibitory: −255 to 0; \
                     divisible by 2^−exponent where the exponent is negative",
                ),
            );
        }
    }
}

/// Whether a synapse of the matrix's group stores `mantissa` without losing a bit of the weight.
fn stores(matrix: &IntMatrix, mantissa: i16) -> bool {
    let shift = u32::from(matrix.exponent.min(0).unsigned_abs());
    matrix.sign.stores(mantissa) && (mantissa == 0 || mantissa.trailing_zeros() >= shift)
}

fn decay(value: u16) -> Option<u16> {
    (value <= 4095).then_some(value)
}

fn threshold_register(threshold: i32, max: i64) -> Option<u32> {
    let mantissa = u32::try_from(threshold / 64).ok()?;
    (threshold % 64 == 0 && i64::from(mantissa) <= max).then_some(mantissa)
}

/// Mantissa and exponent of a bias: exponent 6 if it fits, because NetX files fix it at 6, else the
/// smallest one.
fn bias_register(bias: i32, max_mantissa: i64, max_exponent: i64) -> Option<(i16, u8)> {
    let with = |exponent: u8| {
        let mantissa = i16::try_from(bias >> exponent).ok()?;
        let exact = i32::from(mantissa) << exponent == bias;
        (exact && i64::from(mantissa).abs() <= max_mantissa).then_some((mantissa, exponent))
    };
    if bias == 0 {
        return Some((0, 0));
    }
    let largest = u8::try_from(max_exponent.clamp(0, 7)).unwrap_or(0);
    let preferred = if largest >= 6 { with(6) } else { None };
    preferred.or_else(|| (0..=largest).find_map(with))
}

/// Mantissa and exponent of a bias to which the host adds multiples of 64: the largest exponent up to 6
/// that holds the bias, so that the sums have room.
fn hosted_bias_register(bias: i32, max_mantissa: i64, max_exponent: i64) -> Option<(i16, u8)> {
    let finest = i64::from(bias.trailing_zeros().min(6));
    let exponent = u8::try_from(finest.min(max_exponent)).ok()?;
    let mantissa = i16::try_from(bias >> exponent).ok()?;
    (i64::from(mantissa).abs() <= max_mantissa).then_some((mantissa, exponent))
}

/// Checks of one population, reported under its name.
struct Check<'a> {
    population: &'a Population,
    out: &'a mut Diagnostics,
}

impl Check<'_> {
    fn reject(&mut self, message: String, note: &str) {
        let place = format!("population \"{}\"", self.population.name);
        self.out.push(Diagnostic::error(artifact::PROGRAM_REGISTER, message).at(place).note(note));
    }

    /// Whether the target's neuron has what `neuron` asks for.
    fn features(&mut self, neuron: &IntNeuron, target: &TargetSpec) -> bool {
        let errors = self.out.len();
        if neuron.compare != Compare::Gt {
            self.reject(
                "neurons that fire at v >= threshold have no register".to_owned(),
                "the comparison of a chip is v > threshold; the pass `strict-compare` rewrites it",
            );
        }
        if neuron.update_period == 0 {
            self.reject("the update period is 0".to_owned(), "1 = an update in every step");
        }
        let fixed = format!("the neuron of {} is not programmable", target.name);
        if matches!(neuron.reset, IntReset::Subtract(_)) && !target.programmable_neuron {
            self.reject("a reset by subtraction has no register".to_owned(), &fixed);
        }
        if neuron.update_period > 1 && !target.programmable_neuron {
            let period = neuron.update_period;
            self.reject(format!("an update every {period} steps has no register"), &fixed);
        }
        let unfit = |floor: &&i32| !target.holds_floor(i64::from(**floor));
        if let Some(floor) = neuron.floor.iter().flat_map(Param::values).find(unfit) {
            let (floors, powers) = (&target.floors, &target.floor_powers);
            self.reject(
                format!("the floor {floor} of the membrane has no register"),
                &format!("{}: floors = {floors}; floor_powers = {powers}", target.file),
            );
        }
        self.out.len() == errors
    }

    fn refractory(&mut self, neuron: &IntNeuron, max: &Limit) -> Option<u8> {
        let register =
            u8::try_from(neuron.refractory).ok().filter(|&r| r >= 1 && i64::from(r) <= max.value);
        if register.is_none() {
            self.reject(
                format!("the refractory period {} does not fit its register", neuron.refractory),
                &format!("expected 1 (none) to {max}"),
            );
        }
        register
    }

    /// Converts biases in multiples of `unit` units of the membrane.
    fn bias(
        &mut self,
        bias: &Param<i32>,
        unit: i32,
        hosted: bool,
        target: &TargetSpec,
    ) -> Option<Param<(i16, u8)>> {
        let (mantissa, exponent) = (&target.max_bias_mantissa, &target.max_bias_exponent);
        let register = if hosted { hosted_bias_register } else { bias_register };
        self.convert(
            "bias",
            bias,
            |v| register(v.checked_mul(unit)?, mantissa.value, exponent.value),
            &format!(
                "expected mantissa << exponent; mantissa ±{mantissa}, exponent 0 to {exponent}"
            ),
        )
    }

    /// Converts every stored value, or reports the first that has no register value.
    fn convert<T: Copy + Display, U>(
        &mut self,
        what: &str,
        param: &Param<T>,
        register: impl Fn(T) -> Option<U>,
        expected: &str,
    ) -> Option<Param<U>> {
        let all = |values: &[T]| -> Result<Vec<U>, T> {
            values.iter().map(|&v| register(v).ok_or(v)).collect()
        };
        let converted = match param {
            Param::Uniform(v) => register(*v).map(Param::Uniform).ok_or(*v),
            Param::PerChannel(v) => all(v).map(Param::PerChannel),
            Param::PerNeuron(v) => all(v).map(Param::PerNeuron),
        };
        converted
            .map_err(|bad| {
                self.reject(format!("the {what} {bad} does not fit its register"), expected);
            })
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::Shape;
    use snnc_ir::arena::{Arena, Entity, PopId};
    use snnc_ir::network::{Provenance, UpdateOrder};
    use snnc_ir::quantized::{IntReadout, PopKind, Role, Sign, Structure, Time};

    fn neuron() -> IntNeuron {
        IntNeuron {
            du: Param::Uniform(4095),
            dv: Param::Uniform(0),
            threshold: Param::Uniform(640),
            compare: Compare::Gt,
            reset: IntReset::Zero,
            bias: Param::Uniform(0),
            refractory: 1,
            order: UpdateOrder::LeakInputFire,
            update_period: 1,
            floor: None,
        }
    }

    /// The messages for a population of three neurons on Loihi 1.
    fn messages(neuron: IntNeuron) -> Vec<String> {
        let target = crate::targets::by_name("loihi1").unwrap();
        let kind = PopKind::Neurons(neuron);
        let shape = Shape::flat(3);
        let p = Population { name: "h".to_owned(), shape, role: Role::Logical, kind };
        let mut out = Diagnostics::new();
        let registers = population(&p, 0, false, &target, &mut out);
        assert_eq!(registers.is_none(), out.has_errors());
        out.iter().map(|d| d.message.clone()).collect()
    }

    #[test]
    fn all_misfits_of_a_population_are_reported() {
        let bad = IntNeuron {
            du: Param::Uniform(4096),
            threshold: Param::PerNeuron(vec![64, 65, -64]),
            compare: Compare::Ge,
            reset: IntReset::Subtract(Param::Uniform(64)),
            bias: Param::PerNeuron(vec![0, 64, 4097]),
            refractory: 64,
            update_period: 2,
            floor: Some(Param::PerNeuron(vec![-63, -64, 0])),
            ..neuron()
        };
        assert_eq!(
            messages(bad),
            [
                "neurons that fire at v >= threshold have no register",
                "a reset by subtraction has no register",
                "an update every 2 steps has no register",
                "the floor -64 of the membrane has no register",
                "the refractory period 64 does not fit its register",
                "the du 4096 does not fit its register",
                "the threshold 65 does not fit its register",
                "the bias 4097 does not fit its register",
            ]
        );
    }

    #[test]
    fn registers_hold_their_extremes_and_nothing_beyond() {
        let with = |threshold, bias| {
            let (threshold, bias) = (Param::Uniform(threshold), Param::Uniform(bias));
            messages(IntNeuron { threshold, bias, refractory: 63, ..neuron() }).len()
        };
        assert_eq!(with(64 * 131_071, 4095 << 7), 0);
        assert_eq!(with(64 * 131_072, -(4095 << 7)), 1);
        assert_eq!(with(-64, (4095 << 7) + 128), 2);
    }

    #[test]
    fn a_bias_takes_exponent_six_or_the_smallest() {
        let register = |bias| bias_register(bias, 4095, 7);
        assert_eq!(register(0), Some((0, 0)));
        assert_eq!(register(-64), Some((-1, 6)));
        assert_eq!(register(4095 * 64), Some((4095, 6)));
        assert_eq!(register(96), Some((96, 0)));
        assert_eq!(register(4096 + 2), Some((2049, 1)));
        assert_eq!(register(4096 * 64), Some((2048, 7)));
        assert_eq!(register(-4097), None);
        assert_eq!(bias_register(64, 4095, 5), Some((64, 0)));
    }

    /// The host adds multiples of 64: an exponent above 6 could not hold them, a smaller one than
    /// needed leaves less room.
    #[test]
    fn a_bias_that_the_host_adds_to_takes_the_largest_exponent_up_to_six() {
        let register = |bias| hosted_bias_register(bias, 4095, 7);
        assert_eq!(register(0), Some((0, 6)));
        assert_eq!(register(-64), Some((-1, 6)));
        assert_eq!(register(96), Some((3, 5)));
        assert_eq!(register(-3), Some((-3, 0)));
        assert_eq!(register(4096 * 64), None);
        assert_eq!(hosted_bias_register(128, 4095, 5), Some((4, 5)));
    }

    #[test]
    fn mantissas_are_held_against_sign_and_exponent() {
        let target = crate::targets::by_name("loihi1").unwrap();
        let errors = |mantissa: i16, exponent, sign| {
            let mut matrices = Arena::new();
            matrices.push(IntMatrix {
                name: "w".to_owned(),
                structure: Structure::Identity { size: 1 },
                mantissa: vec![mantissa],
                exponent,
                sign,
                provenance: Provenance::Dense { tensor: "w".to_owned() },
            });
            let network = QuantizedDraft {
                name: "n".to_owned(),
                steps: 1,
                time: Time::Logical,
                populations: Arena::new(),
                projections: Arena::new(),
                matrices,
                host: Vec::new(),
                readout: IntReadout::SpikeCount(PopId::new(0)),
            };
            let mut out = Diagnostics::new();
            check_matrices(&network, &target, &mut out);
            out.len()
        };
        assert_eq!(errors(-256, 7, Sign::Mixed), 0);
        assert_eq!(errors(255, 0, Sign::Excitatory), 0);
        assert_eq!(errors(3, 0, Sign::Mixed), 1);
        assert_eq!(errors(6, -2, Sign::Mixed), 1);
        assert_eq!(errors(0, -7, Sign::Mixed), 0);
        assert_eq!(errors(2, 8, Sign::Mixed), 1);
    }
}
