//! Changes of the pool: which array a matrix names, and in which order its rows and columns lie.

use super::Chance;
use super::view::synapses;
use snnc_ir::program::{Layout, Program};

/// Makes one of the changes that leave other synapses between the source's populations.
fn vary(
    program: &mut Program,
    chance: &mut Chance,
    changes: Vec<(String, impl Fn(&mut Program))>,
) -> Option<String> {
    let before = synapses(program)?;
    for (what, change) in chance.rotated(changes) {
        let mut changed = program.clone();
        change(&mut changed);
        if synapses(&changed).is_none_or(|after| after != before) {
            *program = changed;
            return Some(what);
        }
    }
    None
}

/// A matrix names another array, or none.
pub(super) fn values(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let arrays = u32::try_from(program.values.len()).ok()?;
    let used = program.cores.iter().flat_map(|core| &core.synapses).map(|b| b.matrix as usize);
    let mut changes = Vec::new();
    for matrix in used {
        let old = program.matrices[matrix].values;
        for new in (0..=arrays).filter(|&new| new != old) {
            let what = format!("matrix {matrix} names array {new} instead of {old}");
            changes.push((what, move |p: &mut Program| p.matrices[matrix].values = new));
        }
    }
    vary(program, chance, changes)
}

/// The rows or columns of a matrix lie in another order.
pub(super) fn layout(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let mut changes = Vec::new();
    for (i, matrix) in program.matrices.iter().enumerate() {
        let sides =
            [(matrix.rows, matrix.structure.rows()), (matrix.cols, matrix.structure.cols())];
        for (side, (old, count)) in sides.into_iter().enumerate() {
            for places in 1..=u32::try_from(count).ok()? {
                let channels = u32::try_from(count).ok()? / places;
                if channels * places != u32::try_from(count).ok()? {
                    continue;
                }
                for block in 1..=channels {
                    let new = Layout { places, block };
                    // All of these say that numbers and positions are the same.
                    let plain = |layout: Layout| layout.places <= 1 || layout.block == 1;
                    if new == old || plain(new) && (plain(old) || places > 1) {
                        continue;
                    }
                    let name = ["rows", "columns"][side];
                    let what = format!("the {name} of matrix {i}: {old:?} became {new:?}");
                    changes.push((what, move |p: &mut Program| {
                        let matrix = &mut p.matrices[i];
                        *[&mut matrix.rows, &mut matrix.cols][side] = new;
                    }));
                }
            }
        }
    }
    vary(program, chance, changes)
}

/// The neurons of a population lie in another order.
pub(super) fn symbol_block(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let mut changes = Vec::new();
    // Without rows and columns there is one order only.
    let images = program.populations.iter().enumerate().filter(|(_, s)| s.shape.per_channel() > 1);
    for (i, symbol) in images {
        let channels = u32::try_from(symbol.shape.channels()).ok()?;
        for block in (1..=channels).filter(|&block| block != symbol.block) {
            let what = format!("blocks of symbol {i}: {} became {block} channels", symbol.block);
            changes.push((what, move |p: &mut Program| p.populations[i].block = block));
        }
    }
    vary(program, chance, changes)
}
