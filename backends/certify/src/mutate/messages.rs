//! Changes of graded relays, of what the host writes, and of what convolutions leave out.

use super::Chance;
use super::neurons::{of_source, runs};
use super::view::{blocks, effect, feeds, plain};
use snnc_ir::network::{Coding, Keep};
use snnc_ir::program::{GradedMode, HostMap, Program, SymbolRole};
use snnc_ir::quantized::Structure;

/// Gives a graded run of the kind that `wanted` picks a profile of its own with another mode.
fn remode(
    program: &mut Program,
    chance: &mut Chance,
    runs: Vec<(usize, usize)>,
    modes: impl Fn(GradedMode) -> Vec<Option<GradedMode>>,
) -> Option<String> {
    chance.rotated(runs).into_iter().find_map(|(core, run)| {
        let tables = &mut program.cores[core];
        let registers = &mut tables.compartments[run].cycle[0];
        let profile = tables.profiles[registers.profile as usize];
        let old = profile.graded?;
        let graded = chance.pick(modes(old))?;
        registers.profile = u32::try_from(tables.profiles.len()).ok()?;
        tables.profiles.push(snnc_ir::program::Profile { graded, ..profile });
        Some(format!("run {run} of core {core}: {old:?} became {graded:?}"))
    })
}

/// Modes that keep other signs.
fn others(old: GradedMode) -> Vec<Option<GradedMode>> {
    let all = [None, Some(Keep::Positive), Some(Keep::Negative)].into_iter();
    all.filter(|&keep| keep != old.keep).map(|keep| Some(GradedMode { keep, ..old })).collect()
}

pub(super) fn mode(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let runs = of_source(program);
    remode(program, chance, runs, others)
}

/// Messages of another scale.
pub(super) fn shift(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let up = chance.coin();
    let graded = runs(program);
    remode(program, chance, graded, |old| {
        let shift = if up && old.shift < 31 { old.shift + 1 } else { old.shift.wrapping_sub(1) };
        vec![Some(GradedMode { shift, ..old })]
    })
}

pub(super) fn spiking(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let runs = of_source(program);
    remode(program, chance, runs, |_| vec![None])
}

/// A relay that drops what it is to repeat. One that passes both signs repeats everything.
pub(super) fn relay_mode(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let mut relays = runs(program);
    relays.retain(|&(c, r)| {
        let symbol = program.cores[c].compartments[r].population as usize;
        matches!(program.populations[symbol].role, SymbolRole::Relay { .. })
    });
    remode(program, chance, relays, |old| {
        let mut modes = others(old);
        modes.retain(|mode| mode.is_some_and(|mode| mode.keep.is_some()));
        modes
    })
}

/// Changes one of the host's tables.
fn in_table(
    program: &mut Program,
    chance: &mut Chance,
    change: impl Fn(&mut HostMap, &mut Chance) -> Option<String>,
) -> Option<String> {
    let index = chance.pick(0..program.host.len())?;
    let changed = change(&mut program.host[index], chance)?;
    Some(format!("table {index} of the host: {changed}"))
}

pub(super) fn host_weight(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_table(program, chance, |map, chance| {
        let index = chance.below(map.weights.len());
        let weight = map.weights.get_mut(index)?;
        *weight = f32::from_bits(weight.to_bits() ^ 1);
        Some(format!("the lowest bit of weight {index} flipped"))
    })
}

pub(super) fn host_scale(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_table(program, chance, |map, _| {
        map.scale = f64::from_bits(map.scale.to_bits() ^ 1);
        Some("the lowest bit of its scale flipped".to_owned())
    })
}

pub(super) fn host_structure(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_table(program, chance, |map, _| {
        match &mut map.structure {
            Structure::Dense { rows, cols } => std::mem::swap(rows, cols),
            Structure::Conv(conv) => conv.crop[0] ^= 1,
            Structure::Sparse { .. } | Structure::Identity { .. } => return None,
        }
        Some("another layout of its weights".to_owned())
    })
}

/// Points an end of a table at another symbol.
fn other_symbol(end: &mut u32, symbols: usize, chance: &mut Chance) -> Option<String> {
    let old = *end;
    let new = chance.pick((0..symbols).filter(|&s| s != old as usize))?;
    *end = u32::try_from(new).ok()?;
    Some(format!("symbol {old} became {new}"))
}

pub(super) fn host_input(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbols = program.populations.len();
    in_table(program, chance, |map, chance| other_symbol(&mut map.input, symbols, chance))
}

pub(super) fn host_target(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbols = program.populations.len();
    in_table(program, chance, |map, chance| other_symbol(&mut map.target, symbols, chance))
}

pub(super) fn host_dropped(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let index = chance.pick(0..program.host.len())?;
    program.host.remove(index);
    Some(format!("table {index} of the host dropped"))
}

pub(super) fn host_doubled(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let index = chance.pick(0..program.host.len())?;
    let copy = program.host[index].clone();
    program.host.push(copy);
    Some(format!("table {index} of the host doubled"))
}

/// The range that bounds what the host writes.
pub(super) fn range(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let ends =
        program.populations.iter_mut().enumerate().filter_map(|(i, symbol)| {
            match &mut symbol.role {
                SymbolRole::Input(Coding::Direct { range: Some(range) }) => Some((i, range)),
                _ => None,
            }
        });
    let (symbol, range) = chance.pick(ends)?;
    range[1] += 1;
    Some(format!("the range of symbol {symbol} became {range:?}"))
}

/// Leaves out one more row or column of a convolution's input, and pads in its place.
pub(super) fn crop(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let feeds = feeds(program);
    for (core, index) in chance.rotated(blocks(program)) {
        let block = program.cores[core].synapses[index];
        let before = plain(program, core, &effect(program, &feeds, core, &block)?);
        for side in chance.rotated(0..4) {
            let matrix = &mut program.matrices[block.matrix as usize];
            let kept = matrix.structure.clone();
            let Structure::Conv(conv) = &mut matrix.structure else { break };
            conv.crop[side] += 1;
            conv.pad[side] += 1;
            let output = conv.output().is_some();
            let after = effect(program, &feeds, core, &block).map(|e| plain(program, core, &e));
            if output && after.as_ref() != Some(&before) {
                return Some(format!("side {side} of matrix {} cropped by one more", block.matrix));
            }
            program.matrices[block.matrix as usize].structure = kept;
        }
    }
    None
}
