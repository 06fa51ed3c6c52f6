//! Changes of the header, the symbol table and the readout.

use super::Chance;
use super::view::{blocks, compartments, effect, feeds, is_clock};
use snnc_ir::network::Coding;
use snnc_ir::program::{Program, ProgramReadout, SymbolRole};

#[expect(clippy::unnecessary_wraps, reason = "the type of a change")]
pub(super) fn name(program: &mut Program, _: &mut Chance) -> Option<String> {
    program.name.push('\'');
    Some("changed the network's name".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a change")]
pub(super) fn target(program: &mut Program, _: &mut Chance) -> Option<String> {
    program.target.push('\'');
    Some("changed the target's name".to_owned())
}

/// Moves a header field of 32 bits by one.
fn nudge(value: &mut u32, what: &str, chance: &mut Chance) -> Option<String> {
    let old = *value;
    let new = chance.nudge(i64::from(old), 0, i64::from(u32::MAX))?;
    *value = u32::try_from(new).ok()?;
    Some(format!("{what} {old} became {new}"))
}

pub(super) fn steps(program: &mut Program, chance: &mut Chance) -> Option<String> {
    nudge(&mut program.steps, "steps", chance)
}

pub(super) fn period(program: &mut Program, chance: &mut Chance) -> Option<String> {
    nudge(&mut program.period, "period", chance)
}

pub(super) fn run_steps(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let old = program.run_steps;
    program.run_steps = if chance.coin() { old + 1 } else { old.saturating_sub(1) };
    (program.run_steps != old).then(|| format!("run_steps {old} became {}", program.run_steps))
}

/// Indices of the symbols that satisfy a condition.
fn symbols(program: &Program, wanted: impl Fn(&SymbolRole) -> bool) -> Vec<usize> {
    let all = program.populations.iter().enumerate();
    all.filter(|(_, s)| wanted(&s.role)).map(|(i, _)| i).collect()
}

const fn of_source(role: &SymbolRole) -> bool {
    matches!(role, SymbolRole::Input(_) | SymbolRole::Neurons)
}

pub(super) fn symbol_name(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbol = chance.pick(symbols(program, of_source))?;
    let name = &mut program.populations[symbol].name;
    name.push('\'');
    Some(format!("symbol {symbol} is now called {name}"))
}

pub(super) fn symbol_shape(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbol = chance.pick(0..program.populations.len())?;
    let extent = program.populations[symbol].shape.0.first_mut()?;
    *extent += 1;
    Some(format!("symbol {symbol} grew along its first extent"))
}

pub(super) fn symbol_role(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbol = chance.pick(0..program.populations.len())?;
    let role = &mut program.populations[symbol].role;
    *role = if matches!(role, SymbolRole::Clock) { SymbolRole::Neurons } else { SymbolRole::Clock };
    Some(format!("symbol {symbol} changed its role"))
}

pub(super) fn coding(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbol = chance.pick(symbols(program, |r| matches!(r, SymbolRole::Input(_))))?;
    let role = &mut program.populations[symbol].role;
    let other = SymbolRole::Input(Coding::Rate { seed: 1 });
    *role = if *role == other { SymbolRole::Input(Coding::Events) } else { other };
    Some(format!("symbol {symbol} changed its coding"))
}

/// The latency of a symbol that exchanges spikes with another one.
pub(super) fn latency(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let feeds = feeds(program);
    let mut joined = vec![false; program.populations.len()];
    for (core, block) in blocks(program) {
        let held = compartments(program, core);
        let block = &program.cores[core].synapses[block];
        for e in effect(program, &feeds, core, block)? {
            let (a, b) = (e.source.0, held[e.compartment as usize].0);
            joined[a] |= a != b;
            joined[b] |= a != b;
        }
    }
    let symbol = chance.pick((0..joined.len()).filter(|&i| joined[i]))?;
    let what = format!("latency of symbol {symbol}:");
    nudge(&mut program.populations[symbol].latency, &what, chance)
}

pub(super) fn relay_hops(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbol = chance.pick(symbols(program, |r| matches!(r, SymbolRole::Relay { .. })))?;
    match &mut program.populations[symbol].role {
        SymbolRole::Relay { hops, .. } => nudge(hops, &format!("hops of symbol {symbol}:"), chance),
        _ => None,
    }
}

pub(super) fn relay_of(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbol = chance.pick(symbols(program, |r| matches!(r, SymbolRole::Relay { .. })))?;
    let others = program.populations.len();
    match &mut program.populations[symbol].role {
        SymbolRole::Relay { of, .. } => {
            let old = *of;
            let new = chance.pick((0..others).filter(|&o| o != old as usize))?;
            *of = u32::try_from(new).ok()?;
            Some(format!("symbol {symbol} claims to repeat {new} instead of {old}"))
        }
        _ => None,
    }
}

pub(super) fn clock_phase(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let clocks = (0..program.populations.len()).filter(|&s| is_clock(program, s));
    let symbol = chance.pick(clocks.collect::<Vec<_>>())?;
    let what = format!("phase of clock {symbol}:");
    nudge(&mut program.populations[symbol].latency, &what, chance)
}

pub(super) fn readout(program: &mut Program, chance: &mut Chance) -> Option<String> {
    let symbols = program.populations.len();
    match &mut program.readout {
        ProgramReadout::SpikeCount(read) => {
            let new = chance.pick((0..symbols).filter(|&s| s != *read as usize))?;
            *read = u32::try_from(new).ok()?;
            Some(format!("the readout counts symbol {new}"))
        }
        ProgramReadout::MeanLinear { terms, .. } => {
            let term = chance.below(terms.len());
            let weight = terms.get_mut(term)?.1.first_mut()?;
            *weight = f32::from_bits(weight.to_bits() ^ 1);
            Some(format!("the lowest bit of the first weight of readout term {term} flipped"))
        }
    }
}
