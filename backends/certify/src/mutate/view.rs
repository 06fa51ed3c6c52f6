//! What a program does, spelled out synapse by synapse.

use snnc_ir::program::{Program, SymbolRole, SynapseBlock};

/// Symbol and neuron.
pub(super) type Source = (usize, u32);

/// A synapse that a block makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Effect {
    pub(super) source: Source,
    pub(super) compartment: u32,
    /// Weight in units of 2^-7.
    pub(super) weight: i64,
    pub(super) delay: u8,
    /// Index of the mantissa.
    pub(super) mantissa: usize,
}

/// Symbol and neuron in each compartment of a core.
pub(super) fn compartments(program: &Program, core: usize) -> Vec<Source> {
    let runs = program.cores[core].compartments.iter();
    runs.flat_map(|r| {
        let order = program.populations[r.population as usize].order();
        (0..r.len).map(move |i| (r.population as usize, order.neuron(r.first + i)))
    })
    .collect()
}

/// The source of each axon of each core.
pub(super) fn feeds(program: &Program) -> Vec<Vec<Option<Source>>> {
    let mut feeds: Vec<Vec<Option<Source>>> =
        program.cores.iter().map(|c| vec![None; c.axons as usize]).collect();
    for (index, core) in program.cores.iter().enumerate() {
        let sources = compartments(program, index);
        for r in &core.routes {
            for i in 0..r.len as usize {
                let source = sources[r.compartment as usize + i];
                feeds[r.core as usize][r.axon as usize + i] = Some(source);
            }
        }
    }
    for r in &program.inputs {
        for i in 0..r.len {
            let order = program.populations[r.population as usize].order();
            let source = (r.population as usize, order.neuron(r.first + i));
            feeds[r.core as usize][(r.axon + i) as usize] = Some(source);
        }
    }
    feeds
}

/// All blocks as (core, index).
pub(super) fn blocks(program: &Program) -> Vec<(usize, usize)> {
    let cores = program.cores.iter().enumerate();
    cores.flat_map(|(c, core)| (0..core.synapses.len()).map(move |b| (c, b))).collect()
}

/// The synapses of weight not 0 that a block makes, in order; `None` if it leaves its tables.
pub(super) fn effect(
    program: &Program,
    feeds: &[Vec<Option<Source>>],
    core: usize,
    block: &SynapseBlock,
) -> Option<Vec<Effect>> {
    let format = program.cores[core].formats.get(block.format as usize)?;
    let matrix = program.matrices.get(block.matrix as usize)?;
    let axons = feeds[core].get(block.axon as usize..(block.axon + block.axons) as usize)?;
    let held = compartments(program, core).len();
    let inside = |first: u32, len: u32, size: usize| (first + len) as usize <= size;
    if !inside(block.compartment, block.compartments, held)
        || !inside(block.row, block.compartments, matrix.structure.rows())
        || !inside(block.col, block.axons, matrix.structure.cols())
    {
        return None;
    }
    let shift = u32::try_from(7 + i32::from(format.exponent)).ok()?;
    let values = program.values.get(matrix.values as usize)?;
    if values.len() != matrix.structure.stored() {
        return None;
    }
    let (rows, cols) = (matrix.row_order(), matrix.col_order());
    let mut out = Vec::new();
    for j in 0..block.compartments {
        matrix.structure.for_row(rows.neuron(block.row + j) as usize, |col, mantissa| {
            let col = cols.position(u32::try_from(col).unwrap_or(u32::MAX));
            let axon = col.checked_sub(block.col).and_then(|i| axons.get(i as usize));
            let weight = i64::from(values[mantissa]) << shift;
            if let (Some(&Some(source)), true) = (axon, weight != 0) {
                let compartment = block.compartment + j;
                out.push(Effect { source, compartment, weight, delay: block.delay, mantissa });
            }
        });
    }
    out.sort_unstable();
    Some(out)
}

/// All synapses between the source network's inputs and neurons (through relays or not): source, target,
/// weight and delay, in order. `None` if a block leaves its tables.
pub(super) fn synapses(program: &Program) -> Option<Vec<(Source, Source, i64, u8)>> {
    let feeds = feeds(program);
    let mut all = Vec::new();
    for (core, index) in blocks(program) {
        let held = compartments(program, core);
        let effects = effect(program, &feeds, core, &program.cores[core].synapses[index])?;
        let key = |e: Effect| (e.source, held[e.compartment as usize], e.weight, e.delay);
        all.extend(plain(program, core, &effects).into_iter().map(key));
    }
    all.sort_unstable();
    Some(all)
}

/// Whether a symbol is a clock.
pub(super) fn is_clock(program: &Program, symbol: usize) -> bool {
    program.populations[symbol].role == SymbolRole::Clock
}

/// Whether a symbol holds neurons of the source network.
pub(super) fn is_neurons(program: &Program, symbol: usize) -> bool {
    program.populations[symbol].role == SymbolRole::Neurons
}

/// Only the synapses between the source network's inputs and neurons (through relays or not),
/// whose weights and places all count.
pub(super) fn plain(program: &Program, core: usize, effects: &[Effect]) -> Vec<Effect> {
    let held = compartments(program, core);
    (effects.iter().copied())
        .filter(|e| !is_clock(program, e.source.0))
        .filter(|e| is_neurons(program, held[e.compartment as usize].0))
        .collect()
}

/// Whether dropping or doubling these synapses changes something: synapses of clocks only count
/// by their sum.
pub(super) fn acts(program: &Program, effects: &[Effect]) -> bool {
    let mut from_clocks = std::collections::BTreeMap::new();
    for e in effects {
        if !is_clock(program, e.source.0) {
            return true;
        }
        *from_clocks.entry(e.compartment).or_insert(0) += e.weight;
    }
    from_clocks.values().any(|&sum| sum != 0)
}
