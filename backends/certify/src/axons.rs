//! Input axons of the cores against the target.

use super::findings::Findings;
use super::tables::{CoreTable, Tables, order};
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::program::Program;
use snnc_ir::quantized::Structure;
use snnc_ir::{Diagnostic, TargetSpec};
use std::collections::{BTreeMap, BTreeSet};

/// Holds the input axons of every core to the target.
pub(super) fn check(tables: &Tables<'_>, target: &TargetSpec, findings: &mut Findings) {
    let limit = &target.input_axons;
    for (index, core) in tables.cores.iter().enumerate() {
        let used = used(core, tables.program, target);
        if i64::try_from(used).is_ok_and(|used| used <= limit.value) {
            continue;
        }
        let message =
            format!("core {index} uses {used} input axons, the target has {}", limit.value);
        findings.push(
            Diagnostic::error(code::CAPACITY, message)
                .at(format!("core {index}"))
                .note(format!("{}: input_axons = {limit}", target.file))
                .note(format!("{}: axon_atoms = {}", target.file, target.axon_atoms)),
        );
    }
}

/// Input axons of a core: one for each source neuron, or where channels share (`axon_atoms` = n > 0) one
/// for every n channels of a pixel that reach the core. An axon that nothing feeds counts, too.
fn used(core: &CoreTable<'_>, program: &Program, target: &TargetSpec) -> u64 {
    let atoms = u64::try_from(target.axon_atoms.value).unwrap_or(0);
    let moved = by_pixels(core, program);
    let mut alone = u64::from(core.core.axons);
    // Places of the neurons that share, by population; as many as there are axons, whatever a shape claims.
    let mut pixels: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for feed in &core.feeds {
        let symbol = &program.populations[feed.symbol];
        let shares = if target.list_bases.value > 0 {
            moved.contains(&feed.symbol)
        } else {
            symbol.shape.as_chw().is_some()
        };
        if atoms == 0 || !shares {
            continue;
        }
        alone -= u64::from(feed.len);
        let order = order(symbol);
        let place = |position| order.neuron(position) % order.places().max(1);
        let positions = feed.first..feed.first + feed.len;
        pixels.entry(feed.symbol).or_default().extend(positions.map(place));
    }
    let shared = pixels.into_values().map(|mut places| {
        places.sort_unstable();
        let pixels = places.chunk_by(|a, b| a == b);
        pixels.map(|channels| (channels.len() as u64).div_ceil(atoms)).sum::<u64>()
    });
    alone + shared.sum::<u64>()
}

/// Symbols whose pixels can share lists (`list_bases` > 0): all that reads them on the core are convolutions
/// and one-to-one matrices that keep their rows and columns.
fn by_pixels(core: &CoreTable<'_>, program: &Program) -> BTreeSet<usize> {
    let mut moved = BTreeSet::new();
    let mut fixed = BTreeSet::new();
    let shape = |symbol: usize| program.populations[symbol].shape.as_chw();
    for block in &core.core.synapses {
        let (end, last) = (block.axon + block.axons, block.compartment + block.compartments);
        let feeds = core.feeds.iter().filter(|f| f.axon < end && block.axon < f.axon + f.len);
        for feed in feeds {
            let mut read = core
                .runs
                .iter()
                .filter(|(first, run)| *first < last && block.compartment < first + run.len);
            let source = shape(feed.symbol);
            let moves = read.all(|(_, run)| {
                let target = shape(run.population as usize);
                match &program.matrices[block.matrix as usize].structure {
                    Structure::Conv(conv) => source == Some(conv.input) && target == conv.output(),
                    Structure::Identity { .. } => source.is_some() && source == target,
                    Structure::Dense { .. } | Structure::Sparse { .. } => false,
                }
            });
            if moves {
                moved.insert(feed.symbol)
            } else {
                fixed.insert(feed.symbol)
            };
        }
    }
    moved.retain(|symbol| !fixed.contains(symbol));
    moved
}
