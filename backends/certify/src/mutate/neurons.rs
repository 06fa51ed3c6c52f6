//! Changes of compartments and their registers.

use super::Chance;
use super::view::{blocks, compartments, effect, feeds, is_clock, is_neurons};
use snnc_ir::program::{CompartmentRun, Profile, Program, ProgramCore, Registers, SymbolRole};
use std::collections::BTreeMap;

/// All compartment runs as (core, index).
pub(super) fn runs(program: &Program) -> Vec<(usize, usize)> {
    let cores = program.cores.iter().enumerate();
    cores.flat_map(|(c, core)| (0..core.compartments.len()).map(move |r| (c, r))).collect()
}

/// Runs of the source network's neurons and graded relays.
pub(super) fn of_source(program: &Program) -> Vec<(usize, usize)> {
    let mut runs = runs(program);
    runs.retain(|&(c, r)| {
        is_neurons(program, program.cores[c].compartments[r].population as usize)
    });
    runs
}

/// A set of registers: core, run, place in its cycle.
type Set = (usize, usize, usize);

/// Sets of registers of these runs.
fn sets(program: &Program, runs: Vec<(usize, usize)>) -> Vec<Set> {
    let all = runs.into_iter();
    all.flat_map(|(c, r)| (0..program.cores[c].compartments[r].cycle.len()).map(move |i| (c, r, i)))
        .collect()
}

/// Sets of registers of the source network's spiking neurons, whose thresholds matter.
fn spiking(program: &Program) -> Vec<Set> {
    let mut sets = sets(program, of_source(program));
    sets.retain(|&(c, r, i)| {
        let core = &program.cores[c];
        core.profiles[core.compartments[r].cycle[i].profile as usize].graded.is_none()
    });
    sets
}

/// Changes the first of the sets of registers (in random order) that `change` can change.
fn in_set(
    program: &mut Program,
    chance: &mut Chance,
    sets: Vec<Set>,
    change: impl Fn(&mut Registers, &mut Chance) -> Option<String>,
) -> Option<String> {
    chance.rotated(sets).into_iter().find_map(|(core, run, set)| {
        let changed = change(&mut program.cores[core].compartments[run].cycle[set], chance)?;
        Some(format!("run {run} of core {core}, registers {set}: {changed}"))
    })
}

/// Changes the first of the runs (in random order) that `change` can change.
fn in_run(
    program: &mut Program,
    chance: &mut Chance,
    runs: Vec<(usize, usize)>,
    change: impl Fn(&mut CompartmentRun, &mut Chance) -> Option<String>,
) -> Option<String> {
    chance.rotated(runs).into_iter().find_map(|(core, run)| {
        let changed = change(&mut program.cores[core].compartments[run], chance)?;
        Some(format!("run {run} of core {core}: {changed}"))
    })
}

/// Changes the profile of a run of the source's neurons.
fn in_profile(
    program: &mut Program,
    chance: &mut Chance,
    change: impl Fn(&mut Profile, &mut Chance) -> Option<String>,
) -> Option<String> {
    let sets = sets(program, of_source(program));
    chance.rotated(sets).into_iter().find_map(|(core, run, set)| {
        let core = &mut program.cores[core];
        let profile = &mut core.profiles[core.compartments[run].cycle[set].profile as usize];
        change(profile, chance)
    })
}

pub(super) fn dropped(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let all = runs(program);
    in_run(program, chance, all, |run, _| {
        run.len = run.len.checked_sub(1).filter(|&n| n > 0)?;
        run.cycle.truncate(run.len as usize);
        Some("lost its last neuron".to_owned())
    })
}

pub(super) fn doubled(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let all = runs(program);
    in_run(program, chance, all, |run, _| {
        run.first = if run.first > 0 { run.first - 1 } else { 1 };
        Some("moved by one neuron".to_owned())
    })
}

/// Whether the synapses into two compartments, from anywhere but the two, differ; those of clocks only
/// count by their sum.
fn driven(program: &Program, core: usize, pair: [u32; 2]) -> Option<bool> {
    let feeds = feeds(program);
    let held = compartments(program, core);
    let own = pair.map(|c| held[c as usize]);
    let mut into = [vec![], vec![]];
    let mut from_clocks = [0, 0];
    for block in &program.cores[core].synapses {
        for e in effect(program, &feeds, core, block)? {
            let side = pair.iter().position(|&c| c == e.compartment);
            match side.filter(|_| !own.contains(&e.source)) {
                Some(side) if is_clock(program, e.source.0) => from_clocks[side] += e.weight,
                Some(side) => into[side].push((e.source, e.weight, e.delay)),
                None => {}
            }
        }
    }
    let [mut a, mut b] = into;
    a.sort_unstable();
    b.sort_unstable();
    Some(a != b || from_clocks[0] != from_clocks[1])
}

/// Two neighbors change places; their synapses stay.
pub(super) fn swapped(program: &mut Program, chance: &mut Chance) -> Option<String> {
    for (core, index) in chance.rotated(of_source(program)) {
        let list = &program.cores[core].compartments;
        let start: u32 = list[..index].iter().map(|r| r.len).sum();
        let run = list[index].clone();
        for offset in chance.rotated(0..run.len - 1) {
            if driven(program, core, [start + offset, start + offset + 1])? {
                let part = |skip: u32, len: u32| CompartmentRun {
                    population: run.population,
                    first: run.first + skip,
                    len,
                    // What follows is as long as the part at most.
                    cycle: (skip..skip + len).map(|i| *run.registers(i)).collect(),
                };
                let mut parts = vec![
                    part(0, offset),
                    part(offset + 1, 1),
                    part(offset, 1),
                    part(offset + 2, run.len - offset - 2),
                ];
                parts.retain(|p| p.len > 0);
                program.cores[core].compartments.splice(index..=index, parts);
                let n = run.first + offset;
                return Some(format!(
                    "neurons {n} and {} of run {index} of core {core} swapped",
                    n + 1
                ));
            }
        }
    }
    None
}

pub(super) fn population(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let (all, symbols) = (runs(program), program.populations.len());
    in_run(program, chance, all, |run, chance| {
        let new = chance.pick((0..symbols).filter(|&s| s != run.population as usize))?;
        run.population = u32::try_from(new).ok()?;
        Some(format!("claims to hold symbol {new}"))
    })
}

/// Points a set of registers at another entry of a table.
fn reindex<T>(
    program: &mut Program,
    chance: &mut Chance,
    table: fn(&ProgramCore) -> &[T],
    index: fn(&mut Registers) -> &mut u32,
    differ: fn(&T, &T) -> bool,
) -> Option<String> {
    chance.rotated(spiking(program)).into_iter().find_map(|(c, r, i)| {
        let core = &mut program.cores[c];
        let old = *index(&mut core.compartments[r].cycle[i]);
        let entries = table(core);
        let others = (0..entries.len()).filter(|&i| differ(&entries[i], &entries[old as usize]));
        let new = chance.pick(others.collect::<Vec<_>>())?;
        *index(&mut core.compartments[r].cycle[i]) = u32::try_from(new).ok()?;
        Some(format!("run {r} of core {c} uses entry {new} instead of {old}"))
    })
}

pub(super) fn profile_index(program: &mut Program, chance: &mut Chance) -> Option<String> {
    // Refractory registers within a period of each other may mean the same.
    let differ = |a: &Profile, b: &Profile| {
        (a.du, a.dv, a.subtract, a.floor) != (b.du, b.dv, b.subtract, b.floor)
    };
    reindex(program, chance, |c| &c.profiles, |r| &mut r.profile, differ)
}

pub(super) fn threshold_index(program: &mut Program, chance: &mut Chance) -> Option<String> {
    reindex(program, chance, |c| &c.thresholds, |r| &mut r.threshold, |a, b| a != b)
}

pub(super) fn threshold(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let (core, run, set) = chance.pick(spiking(program))?;
    let core = &mut program.cores[core];
    let mantissa = &mut core.thresholds[core.compartments[run].cycle[set].threshold as usize];
    let old = *mantissa;
    *mantissa = u32::try_from(chance.nudge(i64::from(old), 0, 131_071)?).ok()?;
    Some(format!("threshold mantissa {old} became {mantissa}"))
}

/// Moves a decay register by one.
fn decay(value: &mut u16, chance: &mut Chance) -> Option<String> {
    let old = *value;
    *value = u16::try_from(chance.nudge(i64::from(old), 0, 4095)?).ok()?;
    Some(format!("decay {old} became {value}"))
}

pub(super) fn current_decay(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_profile(program, chance, |p, chance| decay(&mut p.du, chance))
}

pub(super) fn membrane_decay(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_profile(program, chance, |p, chance| decay(&mut p.dv, chance))
}

/// One more logical update: P more registers where the neuron updates in every step.
pub(super) fn refractory(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let period = program.period;
    in_profile(program, chance, |p, _| {
        p.refractory = u8::try_from(u32::from(p.refractory) + period).ok()?;
        Some(format!("refractory register became {}", p.refractory))
    })
}

pub(super) fn reset(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_profile(program, chance, |p, _| {
        p.subtract = if p.subtract.is_some() { None } else { Some(64) };
        Some(format!("reset became {:?}", p.subtract))
    })
}

/// A floor appears, is lost or moves by one.
pub(super) fn floor(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_profile(program, chance, |p, chance| {
        p.floor = match p.floor {
            None => Some(-63),
            Some(_) if chance.coin() => None,
            Some(floor) => Some(i32::try_from(chance.nudge(floor.into(), -4_000_000, 0)?).ok()?),
        };
        Some(format!("floor became {:?}", p.floor))
    })
}

pub(super) fn update_period(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let period = program.period;
    in_profile(program, chance, |p, _| {
        p.update = (period + 1, p.update.1);
        Some(format!("update steps became {:?}", p.update))
    })
}

pub(super) fn update_phase(program: &mut Program, chance: &mut Chance) -> Option<String> {
    in_profile(program, chance, |p, _| {
        let (period, phase) = p.update;
        p.update.1 = (period > 1).then(|| (phase + 1) % period)?;
        Some(format!("update phase {phase} became {}", p.update.1))
    })
}

pub(super) fn bias_mantissa(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let sets = sets(program, of_source(program));
    in_set(program, chance, sets, |run, chance| {
        let new = chance.nudge(i64::from(run.bias_mantissa), -4095, 4095)?;
        run.bias_mantissa = i16::try_from(new).ok()?;
        Some(format!("bias mantissa became {new}"))
    })
}

pub(super) fn bias_exponent(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let sets = sets(program, of_source(program));
    in_set(program, chance, sets, |run, chance| {
        if run.bias_mantissa == 0 {
            return None;
        }
        let new = chance.nudge(i64::from(run.bias_exponent), 0, 7)?;
        run.bias_exponent = u8::try_from(new).ok()?;
        Some(format!("bias exponent became {new}"))
    })
}

/// A bias that clock spikes carry moves into the register, where it acts from step 0 on.
pub(super) fn bias_start(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let feeds = feeds(program);
    for (core, block) in chance.rotated(blocks(program)) {
        let mut carried: BTreeMap<u32, i64> = BTreeMap::new();
        for e in effect(program, &feeds, core, &program.cores[core].synapses[block])? {
            if is_clock(program, e.source.0) {
                *carried.entry(e.compartment).or_default() += e.weight >> 7;
            }
        }
        let mut start = 0;
        for index in 0..program.cores[core].compartments.len() {
            let run = &program.cores[core].compartments[index];
            let end = start + run.len;
            let symbol = &program.populations[run.population as usize];
            let mut biases = (start..end).map(|c| carried.get(&c).copied().unwrap_or(0));
            let first = biases.next().filter(|&b| b != 0 && biases.all(|other| other == b));
            start = end;
            let profile = program.cores[core].profiles[run.cycle[0].profile as usize];
            let silent = |shift: u8, bias: i64| (0..1 << shift).contains(&bias);
            let harmless = profile.update == (program.period, symbol.latency)
                || profile.graded.zip(first).is_some_and(|(mode, bias)| silent(mode.shift, bias));
            if let Some(bias) = first
                && symbol.role == SymbolRole::Neurons
                && !harmless
            {
                for registers in &mut program.cores[core].compartments[index].cycle {
                    registers.bias_mantissa = i16::try_from(bias).ok()?;
                    registers.bias_exponent = 6;
                }
                program.cores[core].synapses.remove(block);
                return Some(format!("run {index} of core {core}: bias moved into the register"));
            }
        }
    }
    None
}

/// The head of a clock stops.
pub(super) fn clock_bias(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let mut clocks = runs(program);
    clocks
        .retain(|&(c, r)| is_clock(program, program.cores[c].compartments[r].population as usize));
    let clocks = sets(program, clocks);
    in_set(program, chance, clocks, |run, _| {
        if run.bias_mantissa == 0 {
            return None;
        }
        run.bias_mantissa = 0;
        Some("the clock's bias became 0".to_owned())
    })
}

/// The registers of a run begin one place later in their cycle.
pub(super) fn cycle_phase(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let runs = of_source(program);
    chance.rotated(runs).into_iter().find_map(|(core, run)| {
        let tables = &mut program.cores[core];
        // Graded relays use no threshold, and neurons of the same refractory meaning may differ in theirs.
        let key = |r: &Registers| {
            let p = tables.profiles[r.profile as usize];
            let threshold = tables.thresholds[r.threshold as usize];
            let bias = i32::from(r.bias_mantissa) << r.bias_exponent;
            (p.du, p.dv, p.subtract, p.floor, p.graded, threshold, bias)
        };
        let cycle = &tables.compartments[run].cycle;
        let differs = cycle.iter().zip(cycle.iter().cycle().skip(1)).any(|(a, b)| key(a) != key(b));
        differs.then(|| {
            tables.compartments[run].cycle.rotate_left(1);
            format!("the registers of run {run} of core {core} begin one place later")
        })
    })
}

pub(super) fn cell(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let core = chance.pick(0..program.cores.len())?;
    let ProgramCore { chip, cell, .. } = program.cores[core];
    let beside = |c: &ProgramCore| (c.chip == chip && c.cell != cell).then_some(c.cell);
    let others: Vec<u32> = program.cores.iter().filter_map(beside).collect();
    let taken = chance.pick(0..others.len()).map_or(u32::MAX, |i| others[i]);
    program.cores[core].cell = taken;
    Some(format!("core {core} moved to cell {taken}, which is taken or no target has"))
}

pub(super) fn chip(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let core = chance.pick(0..program.cores.len())?;
    program.cores[core].chip = u32::MAX;
    Some(format!("core {core} moved to a chip that no target has"))
}
