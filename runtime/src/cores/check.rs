//! Checks of a program's tables, and the tables resolved for simulation.

use super::columns::Columns;
use super::state::CoreState;
use crate::error::{SimError, check_trains, check_words};
use snnc_ir::program::{
    Format, Profile, Program, ProgramCore, ProgramReadout, SymbolRole, SynapseBlock,
};

/// Resolved registers of one compartment.
#[derive(Clone, Copy)]
pub(super) struct Registers {
    /// Symbol and neuron.
    pub(super) neuron: (usize, usize),
    pub(super) profile: Profile,
    /// In units of the membrane.
    pub(super) threshold: i64,
    /// In units of the membrane.
    pub(super) bias: i64,
}

/// Resolved tables of one core.
pub(super) struct CoreTables {
    /// By compartment.
    pub(super) registers: Vec<Registers>,
    /// Synapse blocks of each axon.
    blocks: Vec<Vec<u32>>,
    /// Steps in which weights may be on their way.
    pub(super) slots: usize,
}

/// Resolved tables of a program. Every index in the program has been checked.
pub(super) struct Tables {
    pub(super) steps: usize,
    /// Input symbols in order.
    pub(super) inputs: Vec<usize>,
    pub(super) cores: Vec<CoreTables>,
    /// Core and compartment of each neuron of each symbol; empty for inputs.
    pub(super) places: Vec<Vec<(u32, u32)>>,
    matrices: Vec<Columns>,
}

fn malformed<T>(what: String) -> Result<T, SimError> {
    Err(SimError::Malformed(what))
}

/// Checks that `first..first + len` lies in `0..size`.
fn range(what: &str, first: u32, len: u32, size: usize) -> Result<(), SimError> {
    let end = u64::from(first) + u64::from(len);
    if end > size as u64 {
        return malformed(format!("{what} {first}..{end} lies outside 0..{size}"));
    }
    Ok(())
}

fn entry<'a, T>(what: &str, table: &'a [T], index: u32) -> Result<&'a T, SimError> {
    table.get(index as usize).ok_or_else(|| {
        SimError::Malformed(format!("{what} {index} lies outside 0..{}", table.len()))
    })
}

impl Tables {
    pub(super) fn new(program: &Program) -> Result<Self, SimError> {
        let symbols = &program.populations;
        let steps = check_trains(program.run_steps, symbols.iter().map(|s| s.shape.size()))?;
        timing(program)?;
        let matrices = program.matrices.iter().enumerate();
        let matrices = matrices
            .map(|(i, m)| Columns::new(m, &format!("matrix {i}")))
            .collect::<Result<Vec<_>, _>>()?;
        let cores = (program.cores.iter().enumerate())
            .map(|(i, core)| CoreTables::new(program, core, i))
            .collect::<Result<Vec<_>, _>>()?;
        for route in &program.inputs {
            let symbol = entry("input population", symbols, route.population)?;
            if !matches!(symbol.role, SymbolRole::Input(_)) {
                return malformed(format!("`{}` is routed as an input", symbol.name));
            }
            range("input neurons", route.first, route.len, symbol.shape.size())?;
            let core = entry("core", &program.cores, route.core)?;
            range("axons", route.axon, route.len, core.axons as usize)?;
        }
        readout(program)?;
        let is_input = |i: &usize| matches!(symbols[*i].role, SymbolRole::Input(_));
        Ok(Self {
            steps,
            inputs: (0..symbols.len()).filter(is_input).collect(),
            places: places(program, &cores)?,
            cores,
            matrices,
        })
    }

    /// Sends the weights that a spike of step `t` on an axon meets on their way.
    pub(super) fn deliver(
        &self,
        program: &Program,
        core: usize,
        axon: usize,
        t: usize,
        state: &mut CoreState<'_>,
    ) {
        let tables = &program.cores[core];
        for &block in &self.cores[core].blocks[axon] {
            let block = &tables.synapses[block as usize];
            let exponent = tables.formats[block.format as usize].exponent;
            let at = t + 1 + usize::from(block.delay);
            let (first, row) = (block.compartment as usize, block.row as usize);
            let len = block.compartments as usize;
            let col = block.col as usize + axon - block.axon as usize;
            let arrivals = &mut state.arrivals(at)[first..first + len];
            // One of the shifts is 0.
            let (left, right) = (exponent.max(0), (-exponent).max(0));
            self.matrices[block.matrix as usize].visit(col, row..row + len, |r, mantissa| {
                arrivals[r - row] += i64::from(mantissa) << left >> right;
            });
        }
    }
}

/// Checks that the logical steps of every symbol lie inside the run.
fn timing(program: &Program) -> Result<(), SimError> {
    if program.period == 0 {
        return malformed("the period is 0".to_owned());
    }
    for symbol in &program.populations {
        let last = u64::from(program.period) * u64::from(program.steps.saturating_sub(1))
            + u64::from(symbol.latency);
        if program.steps > 0 && last >= program.run_steps {
            return malformed(format!(
                "the last logical step of `{}` is step {last} of a run of {}",
                symbol.name, program.run_steps
            ));
        }
    }
    Ok(())
}

fn readout(program: &Program) -> Result<(), SimError> {
    match &program.readout {
        ProgramReadout::SpikeCount(symbol) => {
            entry("readout population", &program.populations, *symbol).map(|_| ())
        }
        ProgramReadout::MeanLinear { terms, bias } => {
            for (symbol, weights) in terms {
                let symbol = entry("readout population", &program.populations, *symbol)?;
                if symbol.shape.size().checked_mul(bias.len()) != Some(weights.len()) {
                    return malformed(format!(
                        "the readout has {} weights for {} classes of `{}`",
                        weights.len(),
                        bias.len(),
                        symbol.name
                    ));
                }
            }
            Ok(())
        }
    }
}

/// Where each neuron is; every neuron that is not an input has exactly one compartment.
fn places(program: &Program, cores: &[CoreTables]) -> Result<Vec<Vec<(u32, u32)>>, SimError> {
    let mut places: Vec<Vec<Option<(u32, u32)>>> = (program.populations.iter())
        .map(|s| match s.role {
            SymbolRole::Input(_) => Vec::new(),
            _ => vec![None; s.shape.size()],
        })
        .collect();
    for (core, tables) in (0_u32..).zip(cores) {
        for (compartment, registers) in (0_u32..).zip(&tables.registers) {
            let (symbol, neuron) = registers.neuron;
            let name = &program.populations[symbol].name;
            let Some(place) = places[symbol].get_mut(neuron) else {
                return malformed(format!("input `{name}` has a compartment"));
            };
            if place.replace((core, compartment)).is_some() {
                return malformed(format!("neuron {neuron} of `{name}` has two compartments"));
            }
        }
    }
    let all = program.populations.iter().zip(places).map(|(symbol, places)| {
        let missing = places.iter().position(Option::is_none);
        match missing {
            Some(n) => malformed(format!("neuron {n} of `{}` has no compartment", symbol.name)),
            None => Ok(places.into_iter().flatten().collect()),
        }
    });
    all.collect()
}

impl CoreTables {
    fn new(program: &Program, core: &ProgramCore, index: usize) -> Result<Self, SimError> {
        let in_core = |e: SimError| match e {
            SimError::Malformed(what) => SimError::Malformed(format!("core {index}: {what}")),
            other => other,
        };
        let registers = registers(program, core).map_err(in_core)?;
        let n = registers.len();
        for route in &core.routes {
            let check = || {
                range("route compartments", route.compartment, route.len, n)?;
                let target = entry("core", &program.cores, route.core)?;
                range("axons", route.axon, route.len, target.axons as usize)
            };
            check().map_err(in_core)?;
        }
        let listed = core.synapses.iter().map(|b| u64::from(b.axons)).sum::<u64>();
        check_words("the axon tables of a core", listed.saturating_add(u64::from(core.axons)))?;
        let mut blocks = vec![Vec::new(); core.axons as usize];
        let mut slots = 2_usize;
        for (number, block) in (0_u32..).zip(&core.synapses) {
            synapses(program, core, block, n).map_err(in_core)?;
            let first = block.axon as usize;
            blocks[first..first + block.axons as usize].iter_mut().for_each(|b| b.push(number));
            slots = slots.max(usize::from(block.delay) + 2);
        }
        Ok(Self { registers, blocks, slots })
    }
}

fn registers(program: &Program, core: &ProgramCore) -> Result<Vec<Registers>, SimError> {
    let total = core.compartments.iter().map(|r| u64::from(r.len)).sum::<u64>();
    check_words("the compartments of a core", total)?;
    let mut registers = Vec::new();
    for run in &core.compartments {
        let symbol = entry("population", &program.populations, run.population)?;
        range("neurons", run.first, run.len, symbol.shape.size())?;
        let profile = *entry("profile", &core.profiles, run.profile)?;
        let (period, phase) = profile.update;
        if profile.du > 4095 || profile.dv > 4095 || phase >= period {
            return malformed(format!("profile {} holds values out of range", run.profile));
        }
        let threshold = i64::from(*entry("threshold", &core.thresholds, run.threshold)?) << 6;
        let bias = i64::from(run.bias_mantissa).checked_shl(u32::from(run.bias_exponent));
        let Some(bias) = bias.filter(|_| run.bias_exponent < 32) else {
            return malformed(format!("bias exponent {}", run.bias_exponent));
        };
        registers.extend((run.first..run.first + run.len).map(|n| Registers {
            neuron: (run.population as usize, n as usize),
            profile,
            threshold,
            bias,
        }));
    }
    Ok(registers)
}

fn synapses(
    program: &Program,
    core: &ProgramCore,
    block: &SynapseBlock,
    compartments: usize,
) -> Result<(), SimError> {
    let Format { exponent, .. } = entry("format", &core.formats, block.format)?;
    if !(-15..=15).contains(exponent) {
        return malformed(format!("weight exponent {exponent}"));
    }
    let matrix = entry("matrix", &program.matrices, block.matrix)?;
    range("axons", block.axon, block.axons, core.axons as usize)?;
    range("compartments", block.compartment, block.compartments, compartments)?;
    range("columns", block.col, block.axons, matrix.structure.cols())?;
    range("rows", block.row, block.compartments, matrix.structure.rows())
}
