//! Changes of matrices, synapse formats and synapse blocks.

use super::Chance;
use super::view::{Effect, acts, blocks, effect, feeds, plain};
use snnc_ir::program::{Format, Program, SynapseBlock};
use snnc_ir::quantized::{Sign, Structure, WEIGHT_FIELDS};

/// Replaces one block by a variant that makes other synapses between the source's populations.
fn vary(
    program: &mut Program,
    chance: &mut Chance,
    variants: impl Fn(&Program, usize, SynapseBlock) -> Vec<SynapseBlock>,
) -> Option<String> {
    let feeds = feeds(program);
    for (core, index) in chance.rotated(blocks(program)) {
        let old = program.cores[core].synapses[index];
        let before = plain(program, core, &effect(program, &feeds, core, &old)?);
        if before.is_empty() {
            continue;
        }
        for new in chance.rotated(variants(program, core, old)) {
            let key = |e: &Effect| (e.source, e.compartment, e.weight, e.delay);
            let same = effect(program, &feeds, core, &new).is_some_and(|after| {
                let after = plain(program, core, &after);
                after.iter().map(key).eq(before.iter().map(key))
            });
            if !same {
                program.cores[core].synapses[index] = new;
                return Some(format!("block {index} of core {core}: {old:?} became {new:?}"));
            }
        }
    }
    None
}

/// `value ± 1`.
fn near(value: u32) -> impl Iterator<Item = u32> {
    [value.checked_add(1), value.checked_sub(1)].into_iter().flatten()
}

pub(super) fn row(program: &mut Program, chance: &mut Chance) -> Option<String> {
    vary(program, chance, |_, _, b| near(b.row).map(|row| SynapseBlock { row, ..b }).collect())
}

pub(super) fn column(program: &mut Program, chance: &mut Chance) -> Option<String> {
    vary(program, chance, |_, _, b| near(b.col).map(|col| SynapseBlock { col, ..b }).collect())
}

pub(super) fn axon(program: &mut Program, chance: &mut Chance) -> Option<String> {
    vary(program, chance, |_, _, b| near(b.axon).map(|axon| SynapseBlock { axon, ..b }).collect())
}

pub(super) fn compartment(program: &mut Program, chance: &mut Chance) -> Option<String> {
    vary(program, chance, |_, _, b| {
        near(b.compartment).map(|compartment| SynapseBlock { compartment, ..b }).collect()
    })
}

/// Indices of a table of `n` entries but for one.
fn others(n: usize, but: u32) -> impl Iterator<Item = u32> {
    (0..u32::try_from(n).unwrap_or(0)).filter(move |&i| i != but)
}

pub(super) fn matrix(program: &mut Program, chance: &mut Chance) -> Option<String> {
    vary(program, chance, |p, _, b| {
        others(p.matrices.len(), b.matrix).map(|matrix| SynapseBlock { matrix, ..b }).collect()
    })
}

pub(super) fn format(program: &mut Program, chance: &mut Chance) -> Option<String> {
    vary(program, chance, |p, core, b| {
        let formats = p.cores[core].formats.len();
        others(formats, b.format).map(|format| SynapseBlock { format, ..b }).collect()
    })
}

/// The first block, in random order, whose synapses satisfy a condition.
fn pick(
    program: &Program,
    chance: &mut Chance,
    wanted: impl Fn(&SynapseBlock, &[Effect]) -> bool,
) -> Option<(usize, usize)> {
    let feeds = feeds(program);
    chance.rotated(blocks(program)).into_iter().find(|&(core, index)| {
        let block = &program.cores[core].synapses[index];
        effect(program, &feeds, core, block).is_some_and(|e| wanted(block, &e))
    })
}

pub(super) fn delay(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let (core, index) = pick(program, chance, |_, e| acts(program, e))?;
    let block = &mut program.cores[core].synapses[index];
    let old = block.delay;
    block.delay = u8::try_from(chance.nudge(i64::from(old), 0, 255)?).ok()?;
    Some(format!("block {index} of core {core}: delay {old} became {}", block.delay))
}

pub(super) fn dropped(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let (core, index) = pick(program, chance, |_, e| acts(program, e))?;
    program.cores[core].synapses.remove(index);
    Some(format!("block {index} of core {core} dropped"))
}

pub(super) fn doubled(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let (core, index) = pick(program, chance, |_, e| acts(program, e))?;
    let block = program.cores[core].synapses[index];
    program.cores[core].synapses.push(block);
    Some(format!("block {index} of core {core} doubled"))
}

/// Changes one mantissa that drives a neuron of the source network.
fn mantissa(
    program: &mut Program,
    chance: &mut Chance,
    variants: impl Fn(i16, &Format) -> Vec<i16>,
) -> Option<String> {
    let feeds = feeds(program);
    for (core, index) in chance.rotated(blocks(program)) {
        let block = program.cores[core].synapses[index];
        let format = program.cores[core].formats[block.format as usize];
        let effects = effect(program, &feeds, core, &block)?;
        for e in chance.rotated(plain(program, core, &effects)) {
            let values = program.matrices[block.matrix as usize].values as usize;
            let stored = &mut program.values[values][e.mantissa];
            let old = *stored;
            let fits = |&m: &i16| m != old && format.sign.stores(m);
            if let Some(new) = chance.pick(variants(old, &format).into_iter().filter(fits)) {
                *stored = new;
                let place = format!("mantissa {} of array {values}", e.mantissa);
                return Some(format!("{place}: {old} became {new}"));
            }
        }
    }
    None
}

pub(super) fn weight(program: &mut Program, chance: &mut Chance) -> Option<String> {
    // To a neighbor in the format's set, so that nothing but the weight is wrong.
    mantissa(program, chance, |old, format| {
        let step = format.sign.step(format.weight_bits).max(1 << (-format.exponent).clamp(0, 7));
        vec![old + step, old - step]
    })
}

pub(super) fn weight_sign(program: &mut Program, chance: &mut Chance) -> Option<String> {
    mantissa(program, chance, |old, _| vec![-old])
}

pub(super) fn weight_dropped(program: &mut Program, chance: &mut Chance) -> Option<String> {
    mantissa(program, chance, |_, _| vec![0])
}

/// Changes where a matrix that is not dense has its entries.
pub(super) fn structure(program: &mut Program, chance: &mut Chance) -> Option<String> {
    for (core, index) in chance.rotated(blocks(program)) {
        let block = program.cores[core].synapses[index];
        let feeds = feeds(program);
        let before = plain(program, core, &effect(program, &feeds, core, &block)?);
        let kept = program.matrices[block.matrix as usize].structure.clone();
        let changed = match &mut program.matrices[block.matrix as usize].structure {
            Structure::Dense { .. } => false,
            Structure::Conv(conv) => {
                // The same number of outputs, one row further up.
                conv.pad[0] += 1;
                conv.pad[1] = conv.pad[1].saturating_sub(1);
                true
            }
            Structure::Sparse { cols, col, row_start, .. } => {
                let free = row_start.windows(2).find_map(|row| {
                    let last = row[1].checked_sub(1).filter(|&last| last >= row[0])? as usize;
                    (col[last] + 1 < *cols).then_some(last)
                });
                free.map(|last| col[last] += 1).is_some()
            }
            Structure::Identity { size } => {
                *size -= 1;
                true
            }
        };
        let after = effect(program, &feeds, core, &block).map(|e| plain(program, core, &e));
        if changed && !before.is_empty() && after.as_ref() != Some(&before) {
            return Some(format!("the structure of matrix {} changed", block.matrix));
        }
        program.matrices[block.matrix as usize].structure = kept;
    }
    None
}

/// Changes the format of a block that drives neurons of the source network.
fn in_format(
    program: &mut Program,
    chance: &mut Chance,
    change: impl Fn(&mut Format, &SynapseBlock, &[i16], &mut Chance) -> Option<String>,
) -> Option<String> {
    let feeds = feeds(program);
    for (core, index) in chance.rotated(blocks(program)) {
        let block = program.cores[core].synapses[index];
        let effects = effect(program, &feeds, core, &block)?;
        if plain(program, core, &effects).is_empty() {
            continue;
        }
        let stored = &program.values[program.matrices[block.matrix as usize].values as usize];
        let format = &mut program.cores[core].formats[block.format as usize];
        if let Some(changed) = change(format, &block, stored, chance) {
            return Some(format!("format {} of core {core}: {changed}", block.format));
        }
    }
    None
}

pub(super) fn exponent(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_format(program, chance, |format, _, _, chance| {
        let new = chance.nudge(i64::from(format.exponent), -7, 7)?;
        format.exponent = i8::try_from(new).ok()?;
        Some(format!("exponent became {new}"))
    })
}

pub(super) fn sign_mode(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_format(program, chance, |format, _, stored, chance| {
        let modes = [Sign::Mixed, Sign::Excitatory, Sign::Inhibitory];
        let lossy = modes.into_iter().filter(|m| !stored.iter().all(|&v| m.stores(v)));
        format.sign = chance.pick(lossy)?;
        Some(format!("sign mode became {}", format.sign.name()))
    })
}

pub(super) fn weight_bits(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_format(program, chance, |format, _, stored, chance| {
        let loses = |bits: &u8| stored.iter().any(|&m| m % format.sign.step(*bits) != 0);
        let narrower = WEIGHT_FIELDS.into_iter().filter(|bits| *bits < format.weight_bits);
        format.weight_bits = chance.pick(narrower.filter(loses))?;
        Some(format!("weights have {} bits", format.weight_bits))
    })
}

pub(super) fn delay_bits(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_format(program, chance, |format, block, _, _| {
        format.delay_bits = u8::try_from(block.delay.checked_ilog2()?).ok()?;
        Some(format!("delays have {} bits", format.delay_bits))
    })
}
