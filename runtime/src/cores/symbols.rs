//! Checks of the symbol table: what it says about time, compartments and the readout.

use super::check::{CoreTables, entry, malformed};
use super::host;
use crate::error::SimError;
use crate::readout::Window;
use snnc_ir::program::{Program, ProgramReadout, Symbol, SymbolRole};

/// Where the logical steps of a symbol lie.
pub(super) fn window(program: &Program, symbol: &Symbol) -> Window {
    Window {
        period: program.period as usize,
        latency: symbol.latency as usize,
        steps: program.steps as usize,
    }
}

/// Checks that the logical steps of every symbol lie inside the run.
pub(super) fn timing(program: &Program) -> Result<(), SimError> {
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

/// Checks that the readout's tables fit, and that it counts spikes.
pub(super) fn readout(program: &Program, graded: &[bool]) -> Result<(), SimError> {
    let counted = |symbol: u32| {
        let found = entry("readout population", &program.populations, symbol)?;
        if graded[symbol as usize] || host::frames(&found.role) {
            return malformed(format!("the readout counts spikes of `{}`", found.name));
        }
        Ok(found)
    };
    match &program.readout {
        ProgramReadout::SpikeCount(symbol) => counted(*symbol).map(|_| ()),
        ProgramReadout::MeanLinear { terms, bias } => {
            for (symbol, weights) in terms {
                let symbol = counted(*symbol)?;
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
pub(super) fn places(
    program: &Program,
    cores: &[CoreTables],
) -> Result<Vec<Vec<(u32, u32)>>, SimError> {
    // A few bytes may claim many neurons; before there is room for them, they must have compartments.
    let mut placed = vec![0; program.populations.len()];
    for (symbol, _) in cores.iter().flat_map(|tables| &tables.neurons) {
        placed[*symbol as usize] += 1;
    }
    for (symbol, placed) in program.populations.iter().zip(placed) {
        let neurons = symbol.shape.size();
        if !matches!(symbol.role, SymbolRole::Input(_)) && placed < neurons {
            let without = neurons - placed;
            return malformed(format!(
                "{without} of {neurons} neurons of `{}` have no compartment",
                symbol.name
            ));
        }
    }
    let mut places: Vec<Vec<Option<(u32, u32)>>> = (program.populations.iter())
        .map(|s| match s.role {
            SymbolRole::Input(_) => Vec::new(),
            _ => vec![None; s.shape.size()],
        })
        .collect();
    for (core, tables) in (0_u32..).zip(cores) {
        for (compartment, &(symbol, neuron)) in (0_u32..).zip(&tables.neurons) {
            let (symbol, neuron) = (symbol as usize, neuron as usize);
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

/// Whether each symbol consists of graded relays; none is mixed.
pub(super) fn graded(
    program: &Program,
    cores: &[CoreTables],
    places: &[Vec<(u32, u32)>],
) -> Result<Vec<bool>, SimError> {
    let of_symbol = |(symbol, places): (&Symbol, &Vec<(u32, u32)>)| {
        let relay = |&(core, compartment): &(u32, u32)| {
            cores[core as usize].registers(compartment as usize).profile.graded.is_some()
        };
        let relays = places.iter().filter(|place| relay(place)).count();
        if relays != 0 && relays != places.len() {
            return malformed(format!("`{}` mixes graded relays with neurons", symbol.name));
        }
        Ok(relays != 0)
    };
    program.populations.iter().zip(places).map(of_symbol).collect()
}
