//! What a change touched, and whether findings name it.

use snnc_ir::Diagnostics;
use snnc_ir::program::{Program, SymbolRole};
use std::collections::BTreeSet;

/// Whether a finding names something that differs between the programs: a population by its name, a core by its number,
/// or a table of the program by its field path. Any finding will do if the change touches all of it, as a period does.
pub(super) fn named(before: &Program, after: &Program, found: &Diagnostics) -> bool {
    let touched = Touched::of(before, after);
    found.iter().any(|finding| {
        let path = finding.place.path.as_deref().unwrap_or_default();
        let mut said =
            [path, &finding.message].into_iter().chain(finding.notes.iter().map(String::as_str));
        !path.is_empty() && (touched.all || said.any(|text| touched.is_in(text)))
    })
}

/// What differs.
#[derive(Debug, Default)]
struct Touched {
    /// Something that is not of any part.
    all: bool,
    /// Numbers of cores.
    cores: BTreeSet<usize>,
    /// Numbers of chips with a core that was moved.
    chips: BTreeSet<u32>,
    /// Names of populations.
    populations: BTreeSet<String>,
}

impl Touched {
    fn of(before: &Program, after: &Program) -> Self {
        let mut touched = Self {
            all: (&before.name, &before.target, before.steps, before.period, before.run_steps)
                != (&after.name, &after.target, after.steps, after.period, after.run_steps)
                || before.readout != after.readout
                || before.host != after.host
                || before.cores.len() != after.cores.len()
                || before.populations.len() != after.populations.len(),
            ..Self::default()
        };
        for (a, b) in before.populations.iter().zip(&after.populations) {
            if a != b {
                touched.populations.extend([a.name.clone(), b.name.clone()]);
            }
        }
        for (index, (a, b)) in before.cores.iter().zip(&after.cores).enumerate() {
            let pool = [(a, before), (b, after)].map(|(core, program)| {
                let used = core.synapses.iter().filter_map(|block| {
                    let matrix = program.matrices.get(block.matrix as usize)?;
                    Some((matrix, program.values.get(matrix.values as usize)))
                });
                used.collect::<Vec<_>>()
            });
            if a != b || pool[0] != pool[1] {
                touched.core(index, before);
            }
            if (a.chip, a.cell) != (b.chip, b.cell) {
                touched.chips.extend([a.chip, b.chip]);
            }
            let moved = a.routes.iter().filter(|r| !b.routes.contains(r));
            let moved = moved.chain(b.routes.iter().filter(|r| !a.routes.contains(r)));
            moved.for_each(|route| touched.core(route.core as usize, before));
        }
        let inputs = [before, after].map(|p| &p.inputs);
        for [one, other] in [[inputs[0], inputs[1]], [inputs[1], inputs[0]]] {
            for route in one.iter().filter(|route| !other.contains(route)) {
                touched.core(route.core as usize, before);
                let symbol = before.populations.get(route.population as usize);
                touched.populations.extend(symbol.map(|s| s.name.clone()));
            }
        }
        // Relays and clocks stand for what they serve.
        let own = |s: &snnc_ir::program::Symbol| {
            matches!(s.role, SymbolRole::Relay { .. } | SymbolRole::Clock)
        };
        let serving =
            before.populations.iter().filter(|s| own(s) && touched.populations.contains(&s.name));
        let relayed: Vec<String> = serving
            .filter_map(|s| match s.role {
                SymbolRole::Relay { of, .. } => before.populations.get(of as usize),
                _ => None,
            })
            .map(|s| s.name.clone())
            .collect();
        touched.populations.extend(relayed);
        touched
    }

    /// A core, and the populations on it.
    fn core(&mut self, index: usize, program: &Program) {
        self.cores.insert(index);
        let runs = program.cores.get(index).into_iter().flat_map(|core| &core.compartments);
        let names = runs.filter_map(|run| program.populations.get(run.population as usize));
        self.populations.extend(names.map(|symbol| symbol.name.clone()));
    }

    fn is_in(&self, text: &str) -> bool {
        let has = |part: String| text.contains(part.as_str());
        self.populations.iter().any(|name| text.contains(name.as_str()))
            || self
                .cores
                .iter()
                .any(|core| has(format!("core {core}")) || has(format!("cores[{core}]")))
            || self.chips.iter().any(|chip| has(format!("chip {chip}")))
    }
}
