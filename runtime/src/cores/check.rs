//! Checks of a program's tables, and the tables resolved for simulation.

use super::Event;
use super::columns::Columns;
use super::host::{self, HostTable};
use super::state::{CoreState, Overflow};
use super::symbols::{graded, places, readout, timing, window};
use crate::error::{Register, SimError, check_trains, check_words};
use crate::messages::check_messages;
use snnc_ir::order::Order;
use snnc_ir::program::{
    self, Format, Layout, PoolMatrix, Profile, Program, ProgramCore, SymbolRole, SynapseBlock,
};

/// Resolved registers of compartments.
#[derive(Clone, Copy)]
pub(super) struct Registers {
    pub(super) profile: Profile,
    /// In units of the membrane.
    pub(super) threshold: i64,
    /// In units of the membrane.
    pub(super) bias: i64,
}

/// Resolved tables of one core.
pub(super) struct CoreTables {
    /// Symbol and neuron of each compartment.
    pub(super) neurons: Vec<(u32, u32)>,
    /// Which of `sets` each compartment has.
    set: Vec<u32>,
    sets: Vec<Registers>,
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
    /// Whether each symbol consists of graded relays.
    pub(super) graded: Vec<bool>,
    /// The first step behind the last logical one of each symbol.
    pub(super) ends: Vec<usize>,
    /// What the host computes.
    pub(super) host: Vec<HostTable>,
    matrices: Vec<Placed>,
}

pub(super) fn malformed<T>(what: String) -> Result<T, SimError> {
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

pub(super) fn entry<'a, T>(what: &str, table: &'a [T], index: u32) -> Result<&'a T, SimError> {
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
            .map(|(i, m)| matrix(program, m, &format!("matrix {i}")))
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
        let places = places(program, &cores)?;
        let graded = graded(program, &cores, &places)?;
        readout(program, &graded)?;
        let relays = symbols.iter().zip(&graded).filter(|(_, graded)| **graded);
        check_messages(steps, relays.map(|(s, _)| s.shape.size()))?;
        let is_input = |i: &usize| matches!(symbols[*i].role, SymbolRole::Input(_));
        Ok(Self {
            steps,
            inputs: (0..symbols.len()).filter(is_input).collect(),
            host: host::tables(program, &places)?,
            ends: symbols.iter().map(|symbol| window(program, symbol).end()).collect(),
            places,
            graded,
            cores,
            matrices,
        })
    }

    /// Sends what a spike (`value` = 1) or a message of step `t` on an axon brings on its way.
    ///
    /// # Errors
    /// A sum that leaves 64 bits, with its compartment.
    pub(super) fn deliver(
        &self,
        program: &Program,
        Event { core, axon, value }: Event,
        t: usize,
        state: &mut CoreState<'_>,
    ) -> Result<(), Overflow> {
        let tables = &program.cores[core];
        for &block in &self.cores[core].blocks[axon] {
            let block = &tables.synapses[block as usize];
            let exponent = tables.formats[block.format as usize].exponent;
            let at = t + 1 + usize::from(block.delay);
            let (first, len) = (block.compartment as usize, block.compartments as usize);
            let rows = block.row..block.row + block.compartments;
            // Axons of a core are counted in 32 bits.
            let col = block.col + u32::try_from(axon).unwrap_or(u32::MAX) - block.axon;
            let arrivals = &mut state.arrivals(at)[first..first + len];
            // One of the shifts is 0.
            let (left, right) = (exponent.max(0), (-exponent).max(0));
            let mut overflow = None;
            let Placed { columns, row_order, col_order } = &self.matrices[block.matrix as usize];
            columns.visit_placed((*col_order, col), (*row_order, rows), |row, mantissa| {
                // A weight has at most 31 bits, a message 32.
                let product = (i64::from(mantissa) << left >> right) * i64::from(value);
                let place = (row - block.row) as usize;
                let arrived = &mut arrivals[place];
                match arrived.checked_add(product) {
                    Some(sum) => *arrived = sum,
                    None => overflow = Some((first + place, arrived.saturating_add(product))),
                }
            });
            if let Some((compartment, value)) = overflow {
                return Err(Overflow { compartment, register: Register::Input, value });
            }
        }
        Ok(())
    }
}

impl CoreTables {
    fn new(program: &Program, core: &ProgramCore, index: usize) -> Result<Self, SimError> {
        let in_core = |e: SimError| match e {
            SimError::Malformed(what) => SimError::Malformed(format!("core {index}: {what}")),
            other => other,
        };
        let Compartments { neurons, set, sets } = registers(program, core).map_err(in_core)?;
        let n = neurons.len();
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
        Ok(Self { neurons, set, sets, blocks, slots })
    }

    /// Registers of a compartment.
    pub(super) fn registers(&self, compartment: usize) -> &Registers {
        &self.sets[self.set[compartment] as usize]
    }

    /// Symbol and neuron in a compartment.
    pub(super) fn neuron(&self, compartment: usize) -> (usize, usize) {
        let (symbol, neuron) = self.neurons[compartment];
        (symbol as usize, neuron as usize)
    }
}

/// The compartments of a core, as in [`CoreTables`].
struct Compartments {
    neurons: Vec<(u32, u32)>,
    set: Vec<u32>,
    sets: Vec<Registers>,
}

fn registers(program: &Program, core: &ProgramCore) -> Result<Compartments, SimError> {
    let total = core.compartments.iter().map(|r| u64::from(r.len)).sum::<u64>();
    check_words("the compartments of a core", total)?;
    let mut all = Compartments { neurons: Vec::new(), set: Vec::new(), sets: Vec::new() };
    for run in &core.compartments {
        let symbol = entry("population", &program.populations, run.population)?;
        range("neurons", run.first, run.len, symbol.shape.size())?;
        let first = u32::try_from(all.sets.len()).unwrap_or(u32::MAX);
        let cycle = u32::try_from(run.cycle.len()).unwrap_or(u32::MAX);
        if cycle == 0 || cycle > run.len {
            return malformed(format!("{cycle} sets of registers for {} compartments", run.len));
        }
        for registers in &run.cycle {
            all.sets.push(resolve(core, registers)?);
        }
        let order = symbol.order();
        all.neurons.extend((0..run.len).map(|i| (run.population, order.neuron(run.first + i))));
        all.set.extend((0..run.len).map(|i| first + i % cycle));
    }
    Ok(all)
}

/// Checks and resolves one set of registers.
fn resolve(core: &ProgramCore, run: &program::Registers) -> Result<Registers, SimError> {
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
    if profile.graded.is_some() {
        if !stateless(&profile) {
            return malformed(format!("profile {} is a graded relay with state", run.profile));
        }
        if bias % 64 != 0 {
            return malformed(format!("the graded relay's bias {bias} is no multiple of 64"));
        }
    }
    if profile.graded.is_some_and(|mode| mode.shift > 31) {
        return malformed(format!("profile {} shifts by more than 31", run.profile));
    }
    Ok(Registers { profile, threshold, bias })
}

/// Whether the registers of a graded relay are those of a neuron without memory.
fn stateless(profile: &Profile) -> bool {
    let Profile { du, dv, refractory, subtract, update, graded: _, floor } = *profile;
    (du, dv, refractory, subtract, update, floor) == (4095, 4095, 1, None, (1, 0), None)
}

/// A matrix by column, and the orders of its rows and columns.
struct Placed {
    columns: Columns<i16>,
    row_order: Order,
    col_order: Order,
}

fn matrix(program: &Program, matrix: &PoolMatrix, name: &str) -> Result<Placed, SimError> {
    let values = entry("array", &program.values, matrix.values)?;
    let columns = Columns::new(&matrix.structure, values, name)?;
    for (Layout { places, block }, count) in
        [(matrix.rows, matrix.structure.rows()), (matrix.cols, matrix.structure.cols())]
    {
        let channels = count.checked_div(places as usize).unwrap_or(0);
        let numbered = u32::try_from(count).is_ok();
        if !numbered
            || channels * places as usize != count
            || !(1..=channels).contains(&(block as usize))
        {
            return malformed(format!(
                "{name}: blocks of {block} times {places} are no order of {count}"
            ));
        }
    }
    Ok(Placed { columns, row_order: matrix.row_order(), col_order: matrix.col_order() })
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
