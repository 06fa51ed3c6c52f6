//! Registers, compartments, synapses and routes of the cores.

use super::Check;
use snnc_ir::network::Coding;
use snnc_ir::program::{
    CompartmentRun, Format, Profile, ProgramCore, Registers, SymbolRole, SynapseBlock,
};
use snnc_ir::quantized::Sign;
use std::collections::BTreeSet;

/// Compartments and axons of a core at most.
const MAX_PER_CORE: u64 = 1 << 20;
/// Largest distance of a floor from 0: registers have up to 31 bits.
const LOWEST_FLOOR: i32 = (1 << 30) - 1;

/// Axons `first..end` of a core, driven from the field `path`.
struct Driven {
    core: u32,
    first: u64,
    end: u64,
    path: String,
}

impl Check<'_> {
    pub(super) fn cores(&mut self) {
        let mut storable = BTreeSet::new();
        for (i, core) in self.program.cores.iter().enumerate() {
            self.tables(i, core);
            let compartments = self.compartments(i, core);
            self.need(
                u64::from(core.axons) <= MAX_PER_CORE,
                || format!("cores[{i}].axons"),
                || format!("a core has at most {MAX_PER_CORE} axons"),
            );
            for (k, block) in core.synapses.iter().enumerate() {
                let at = || format!("cores[{i}].synapses[{k}]");
                self.block(core, block, compartments, &mut storable, &at);
            }
        }
        let mut driven = Vec::new();
        self.routes(&mut driven);
        self.inputs(&mut driven);
        self.driven_once(driven);
    }

    fn tables(&mut self, core: usize, content: &ProgramCore) {
        for (k, profile) in content.profiles.iter().enumerate() {
            let Profile { du, dv, refractory, subtract: _, update, graded: _, floor } = *profile;
            let (period, phase) = update;
            let ok = du <= 4095 && dv <= 4095 && (1..=63).contains(&refractory) && phase < period;
            self.need(
                ok,
                || format!("cores[{core}].profiles[{k}]"),
                || {
                    format!(
                        "a register is out of range: du {du}, dv {dv} (0 to 4095), refractory \
                     {refractory} (1 to 63), phase {phase} below period {period}"
                    )
                },
            );
            self.need(
                floor.is_none_or(|floor| (-LOWEST_FLOOR..=0).contains(&floor)),
                || format!("cores[{core}].profiles[{k}].floor"),
                || format!("the floor {} is outside −{LOWEST_FLOOR} to 0", floor.unwrap_or(0)),
            );
            self.relay_profile(profile, || format!("cores[{core}].profiles[{k}]"));
            self.relay_shift(profile, || format!("cores[{core}].profiles[{k}].graded.shift"));
        }
        for (k, &threshold) in content.thresholds.iter().enumerate() {
            self.need(
                threshold <= 131_071,
                || format!("cores[{core}].thresholds[{k}]"),
                || format!("the threshold mantissa {threshold} is above 131071"),
            );
        }
        for (k, format) in content.formats.iter().enumerate() {
            let Format { exponent, sign: _, weight_bits, delay_bits } = *format;
            let ok =
                (-7..=7).contains(&exponent) && matches!(weight_bits, 1..=6 | 8) && delay_bits <= 6;
            self.need(
                ok,
                || format!("cores[{core}].formats[{k}]"),
                || {
                    format!(
                        "a field is out of range: exponent {exponent} (−7 to 7), weight bits \
                     {weight_bits} (1 to 6 or 8), delay bits {delay_bits} (0 to 6)"
                    )
                },
            );
        }
    }

    /// Checks the runs; returns the number of compartments.
    fn compartments(&mut self, core: usize, content: &ProgramCore) -> u64 {
        let mut total = 0;
        for (k, run) in content.compartments.iter().enumerate() {
            total += u64::from(run.len);
            let at = || format!("cores[{core}].compartments[{k}]");
            let CompartmentRun { population, first, len, ref cycle } = *run;
            if self.index(population, self.program.populations.len(), || at() + ".population") {
                let symbol = &self.program.populations[population as usize];
                self.need(
                    !matches!(symbol.role, SymbolRole::Input(_)),
                    || at() + ".population",
                    || "an input has no compartments".to_owned(),
                );
                self.range(first, len, symbol.shape.size() as u64, "neurons", &at);
            }
            self.need(
                !cycle.is_empty() && cycle.len() <= len as usize,
                || at() + ".cycle",
                || format!("{} sets of registers for {len} compartments", cycle.len()),
            );
            for (r, registers) in cycle.iter().enumerate() {
                let at = || format!("cores[{core}].compartments[{k}].cycle[{r}]");
                self.registers(content, registers, &at);
            }
        }
        self.need(
            total <= MAX_PER_CORE,
            || format!("cores[{core}].compartments"),
            || format!("a core has at most {MAX_PER_CORE} compartments, not {total}"),
        );
        total
    }

    fn registers(
        &mut self,
        content: &ProgramCore,
        registers: &Registers,
        at: &impl Fn() -> String,
    ) {
        let Registers { profile, threshold, bias_mantissa, bias_exponent } = *registers;
        self.index(profile, content.profiles.len(), || at() + ".profile");
        self.index(threshold, content.thresholds.len(), || at() + ".threshold");
        self.need(
            bias_mantissa.unsigned_abs() <= 4095 && bias_exponent <= 7,
            || at() + ".bias_mantissa",
            || {
                format!(
                    "the bias {bias_mantissa} << {bias_exponent} is out of range (mantissa ±4095, \
                     exponent 0 to 7)"
                )
            },
        );
        self.relay_registers(content, registers, at);
    }

    /// Reports a range that is empty or leaves `0..size`.
    fn range(
        &mut self,
        first: u32,
        len: u32,
        size: u64,
        what: &str,
        at: &impl Fn() -> String,
    ) -> bool {
        let end = u64::from(first) + u64::from(len);
        self.need(len >= 1 && end <= size, at, || {
            format!("{what} {first} to {end} are not a part of {size}")
        })
    }

    fn block(
        &mut self,
        core: &ProgramCore,
        block: &SynapseBlock,
        compartments: u64,
        storable: &mut BTreeSet<(u32, i8, u8, u8)>,
        at: &impl Fn() -> String,
    ) {
        self.range(block.axon, block.axons, u64::from(core.axons), "axons", at);
        self.range(block.compartment, block.compartments, compartments, "compartments", at);
        let matrices = &self.program.matrices;
        let format = core.formats.get(block.format as usize);
        self.index(block.format, core.formats.len(), || at() + ".format");
        self.index(block.matrix, matrices.len(), || at() + ".matrix");
        if let Some(format) = format {
            self.need(
                u32::from(block.delay) < 1 << format.delay_bits.min(8),
                || at() + ".delay",
                || format!("the delay {} needs more than {} bits", block.delay, format.delay_bits),
            );
        }
        if !self.sound.get(block.matrix as usize).is_some_and(|&sound| sound) {
            return;
        }
        let matrix = &matrices[block.matrix as usize];
        let (rows, cols) = (matrix.structure.rows() as u64, matrix.structure.cols() as u64);
        self.range(block.row, block.compartments, rows, "rows", at);
        self.range(block.col, block.axons, cols, "columns", at);
        if let Some(Format { exponent, sign, weight_bits, .. }) = format.copied() {
            if !storable.insert((block.matrix, exponent, sign_order(sign), weight_bits)) {
                return; // this pair of matrix and format is known
            }
            // The field keeps the upper bits of a mantissa, a signed one without the last bit.
            let cut = 8_u32.saturating_sub(u32::from(weight_bits)) + u32::from(sign == Sign::Mixed);
            let zeros = cut.max(u32::from(exponent.min(0).unsigned_abs()));
            let mut mantissas = self.program.values[matrix.values as usize].iter();
            let bad =
                mantissas.find(|&&m| !sign.stores(m) || (m != 0 && m.trailing_zeros() < zeros));
            self.need(
                bad.is_none(),
                || at() + ".matrix",
                || {
                    format!(
                        "the mantissa {} with exponent {exponent} cannot be stored by a \
                         synapse group of sign {} and {weight_bits} weight bits",
                        bad.copied().unwrap_or(0),
                        sign.name()
                    )
                },
            );
        }
    }

    fn routes(&mut self, driven: &mut Vec<Driven>) {
        for (i, core) in self.program.cores.iter().enumerate() {
            let compartments = core.compartments.iter().map(|run| u64::from(run.len)).sum();
            for (k, route) in core.routes.iter().enumerate() {
                let at = || format!("cores[{i}].routes[{k}]");
                self.range(route.compartment, route.len, compartments, "compartments", &at);
                self.arrive(route.core, route.axon, route.len, &at, driven);
            }
        }
    }

    fn inputs(&mut self, driven: &mut Vec<Driven>) {
        for (k, route) in self.program.inputs.iter().enumerate() {
            let at = || format!("inputs[{k}]");
            if self.index(route.population, self.program.populations.len(), || at() + ".population")
            {
                let symbol = &self.program.populations[route.population as usize];
                self.need(
                    matches!(symbol.role, SymbolRole::Input(_)),
                    || at() + ".population",
                    || format!("\"{}\" is not an input", symbol.name),
                );
                self.need(
                    !matches!(symbol.role, SymbolRole::Input(Coding::Direct { .. })),
                    || at() + ".population",
                    || format!("\"{}\" is coded directly and sends no spikes", symbol.name),
                );
                self.range(route.first, route.len, symbol.shape.size() as u64, "neurons", &at);
            }
            self.arrive(route.core, route.axon, route.len, &at, driven);
        }
    }

    /// Checks the destination of a route and notes the axons that it drives.
    fn arrive(
        &mut self,
        core: u32,
        axon: u32,
        len: u32,
        at: &impl Fn() -> String,
        driven: &mut Vec<Driven>,
    ) {
        if !self.index(core, self.program.cores.len(), || at() + ".core") {
            return;
        }
        let axons = u64::from(self.program.cores[core as usize].axons);
        if self.range(axon, len, axons, "axons", &|| at() + ".axon") {
            let first = u64::from(axon);
            driven.push(Driven { core, first, end: first + u64::from(len), path: at() });
        }
    }

    fn driven_once(&mut self, mut driven: Vec<Driven>) {
        driven.sort_by(|a, b| (a.core, a.first, &a.path).cmp(&(b.core, b.first, &b.path)));
        for pair in driven.windows(2) {
            let [before, after] = pair else { continue };
            let apart = before.core != after.core || before.end <= after.first;
            self.need(
                apart,
                || format!("{}.axon", after.path),
                || {
                    format!(
                        "axon {} of core {} is driven by {} too",
                        after.first, after.core, before.path
                    )
                },
            );
        }
    }
}

/// [`Sign`] has no order of its own.
const fn sign_order(sign: Sign) -> u8 {
    match sign {
        Sign::Mixed => 0,
        Sign::Excitatory => 1,
        Sign::Inhibitory => 2,
    }
}
