//! Graded relays, and what the host writes to biases.

use super::{Check, matrices};
use snnc_ir::network::Coding;
use snnc_ir::program::{HostMap, Profile, ProgramCore, Registers, SymbolRole};
use snnc_ir::quantized::Structure;
use std::collections::BTreeSet;

/// Largest shift of a graded relay.
const MAX_SHIFT: u8 = 31;

/// What the compartments of a symbol are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    /// Some spike.
    spiking: bool,
    /// Some send messages.
    pub(super) graded: bool,
}

impl Check<'_> {
    /// Notes of each symbol which kinds of compartments hold it.
    pub(super) fn kinds(&mut self) {
        self.kinds = vec![Kinds::default(); self.program.populations.len()];
        for core in &self.program.cores {
            for run in &core.compartments {
                let kinds = self.kinds.get_mut(run.population as usize);
                let Some(kinds) = kinds else { continue };
                for profile in run.cycle.iter().filter_map(|r| profile(core, r)) {
                    kinds.spiking |= profile.graded.is_none();
                    kinds.graded |= profile.graded.is_some();
                }
            }
        }
        for (i, symbol) in self.program.populations.iter().enumerate() {
            let kinds = self.kinds[i];
            self.need(
                !kinds.graded || !kinds.spiking,
                || format!("populations[{i}]"),
                || format!("\"{}\" mixes graded relays with spiking neurons", symbol.name),
            );
            self.need(
                !kinds.graded || symbol.role != SymbolRole::Clock,
                || format!("populations[{i}].role"),
                || "a clock consists of spiking neurons".to_owned(),
            );
        }
    }

    /// A graded relay has no state, and no fields that say otherwise.
    pub(super) fn relay_profile(&mut self, profile: &Profile, at: impl FnOnce() -> String) {
        let Profile { du, dv, refractory, subtract, update, graded, floor } = *profile;
        let plain =
            (du, dv, refractory, subtract, update, floor) == (4095, 4095, 1, None, (1, 0), None);
        self.need(graded.is_none() || plain, at, || {
            "a graded relay has du 4095, dv 4095, refractory 1, no subtraction, update (1, 0) and no floor"
                .to_owned()
        });
    }

    /// The sum of a relay is shifted by less than its register has bits.
    pub(super) fn relay_shift(&mut self, profile: &Profile, at: impl FnOnce() -> String) {
        let shift = profile.graded.map_or(0, |mode| mode.shift);
        self.need(shift <= MAX_SHIFT, at, || {
            format!("the shift {shift} of a graded relay is above {MAX_SHIFT}")
        });
    }

    /// A graded relay has a whole message as bias, and names no threshold but the first.
    pub(super) fn relay_registers(
        &mut self,
        core: &ProgramCore,
        registers: &Registers,
        at: &impl Fn() -> String,
    ) {
        if profile(core, registers).is_none_or(|profile| profile.graded.is_none()) {
            return;
        }
        let (mantissa, exponent) = (registers.bias_mantissa, registers.bias_exponent);
        let bias = i64::from(mantissa) << exponent.min(7);
        self.need(
            bias % 64 == 0,
            || at() + ".bias_mantissa",
            || format!("the bias {mantissa} << {exponent} of a graded relay is no multiple of 64"),
        );
        self.need(
            registers.threshold == 0,
            || at() + ".threshold",
            || "a graded relay has no threshold; the index is 0".to_owned(),
        );
    }

    /// Checks every table of the host.
    pub(super) fn host(&mut self) {
        let mut seen = BTreeSet::new();
        for (i, map) in self.program.host.iter().enumerate() {
            let at = |field: &str| format!("host[{i}].{field}");
            let HostMap { input, target, structure, weights, scale } = map;
            let symbols = &self.program.populations;
            let inside = self.index(*input, symbols.len(), || at("input"))
                & self.index(*target, symbols.len(), || at("target"));
            if !inside {
                continue;
            }
            let [from, to] = [*input, *target].map(|s| &self.program.populations[s as usize]);
            self.need(
                seen.insert((*input, *target)),
                || format!("host[{i}]"),
                || format!("a second table joins \"{}\" to \"{}\"", from.name, to.name),
            );
            self.need(
                matches!(from.role, SymbolRole::Input(Coding::Direct { .. })),
                || at("input"),
                || format!("\"{}\" is not a directly coded input", from.name),
            );
            self.need(
                to.role == SymbolRole::Neurons,
                || at("target"),
                || format!("the host does not write to \"{}\"", to.name),
            );
            let period = self.program.period;
            self.need(
                to.latency == 0 && period == 1,
                || at("target"),
                || {
                    format!(
                        "a bias acts from step 0 on in every step, and \"{}\" has latency {}, \
                         period {period}",
                        to.name, to.latency
                    )
                },
            );
            let layout = match structure {
                Structure::Dense { .. } | Structure::Conv(_) => matrices::sound(structure),
                Structure::Sparse { .. } | Structure::Identity { .. } => {
                    Err("a table of the host is dense or a convolution")
                }
            };
            let why = layout.err().unwrap_or_default();
            if self.need(layout.is_ok(), || at("structure"), || why.to_owned()) {
                let found = (structure.rows(), structure.cols());
                let expected = (to.shape.size(), from.shape.size());
                self.need(
                    found == expected,
                    || at("structure"),
                    || format!("expected {expected:?} rows and columns, not {found:?}"),
                );
                let stored = structure.stored();
                self.need(
                    weights.len() == stored,
                    || at("weights"),
                    || format!("the layout stores {stored} weights, not {}", weights.len()),
                );
            }
            self.need(
                weights.iter().all(|w| w.is_finite()),
                || at("weights"),
                || "a weight is not finite".to_owned(),
            );
            self.need(
                scale.is_finite() && *scale > 0.0,
                || at("scale"),
                || format!("the scale is {scale}, expected a finite number above 0"),
            );
        }
        self.written_registers();
    }

    /// The host adds multiples of 64 to biases, which an exponent above 6 does not hold.
    fn written_registers(&mut self) {
        let written: BTreeSet<u32> = self.program.host.iter().map(|map| map.target).collect();
        if written.is_empty() {
            return;
        }
        for (core, content) in self.program.cores.iter().enumerate() {
            for (k, run) in content.compartments.iter().enumerate() {
                if !written.contains(&run.population) {
                    continue;
                }
                for (r, registers) in run.cycle.iter().enumerate() {
                    self.need(
                        registers.bias_exponent <= 6,
                        || format!("cores[{core}].compartments[{k}].cycle[{r}].bias_exponent"),
                        || {
                            "the host adds multiples of 64, which an exponent of 7 does not hold"
                                .to_owned()
                        },
                    );
                }
            }
        }
    }
}

/// The profile of a compartment, if it exists.
fn profile<'a>(core: &'a ProgramCore, registers: &Registers) -> Option<&'a Profile> {
    core.profiles.get(registers.profile as usize)
}
