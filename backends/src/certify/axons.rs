//! Input axons of the cores against the target.

use super::findings::Findings;
use super::tables::{CoreTable, Tables, order};
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::program::Program;
use snnc_ir::{Diagnostic, TargetSpec};
use std::collections::BTreeMap;

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
    let mut alone = u64::from(core.core.axons);
    let mut pixels: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for feed in &core.feeds {
        let symbol = &program.populations[feed.symbol];
        let Some([_, height, width]) = symbol.shape.as_chw().filter(|_| atoms > 0) else {
            continue;
        };
        alone -= u64::from(feed.len);
        let (order, places) = (order(symbol), height * width);
        let channels = pixels.entry(feed.symbol).or_insert_with(|| vec![0; places as usize]);
        for position in feed.first..feed.first + feed.len {
            channels[(order.neuron(position) % places) as usize] += 1;
        }
    }
    let shared = pixels.values().flatten().map(|&n| u64::from(n).div_ceil(atoms.max(1)));
    alone + shared.sum::<u64>()
}
