//! Checks that a decoded program is consistent in itself.
//!
//! Nothing here compares the program with a source network or a target: that is the certificate's
//! work. The rules are numbered in `docs/program-format.md`, section 5.

mod cores;
mod matrices;
mod messages;

use messages::Kinds;
use snnc_ir::diag::codes::artifact;
use snnc_ir::network::Coding;
use snnc_ir::program::{Program, ProgramReadout, SymbolRole};
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeSet;

/// Findings listed before the check gives up.
const MOST: usize = 100;

/// Neurons of a population at most.
const MAX_NEURONS: u64 = 1 << 28;

/// Reports every contradiction, at most [`MOST`].
pub(super) fn check(program: &Program, out: &mut Diagnostics) {
    let mut check = Check { program, out, sound: Vec::new(), kinds: Vec::new() };
    check.head();
    check.populations();
    check.matrices();
    check.cores();
    check.kinds();
    check.host();
    check.readout();
}

/// The program that is checked, and the findings.
struct Check<'a> {
    program: &'a Program,
    out: &'a mut Diagnostics,
    /// Whether each matrix has a layout that makes sense and all its mantissas.
    sound: Vec<bool>,
    /// What the compartments of each symbol are.
    kinds: Vec<Kinds>,
}

impl Check<'_> {
    /// Reports `message` at the field `path` unless `ok`.
    fn need(
        &mut self,
        ok: bool,
        path: impl FnOnce() -> String,
        message: impl FnOnce() -> String,
    ) -> bool {
        if !ok && self.out.len() < MOST {
            self.out.push(Diagnostic::error(artifact::PROGRAM_STRUCTURE, message()).at(path()));
        }
        ok
    }

    /// Reports an index that lies outside its list.
    fn index(&mut self, index: u32, len: usize, path: impl FnOnce() -> String) -> bool {
        self.need((index as usize) < len, path, || {
            format!("the index {index} is outside a list of {len}")
        })
    }

    fn head(&mut self) {
        let p = self.program;
        self.need(p.period >= 1, || "period".to_owned(), || "the period is 0".to_owned());
        let last = p.populations.iter().map(|s| s.latency).max().unwrap_or(0);
        let steps = u64::from(p.period) * u64::from(p.steps) + u64::from(last);
        self.need(
            p.run_steps == steps,
            || "run_steps".to_owned(),
            || format!("a run takes {steps} steps, not {}", p.run_steps),
        );
    }

    fn populations(&mut self) {
        let mut names = BTreeSet::new();
        for (i, symbol) in self.program.populations.iter().enumerate() {
            let at = |field: &str| format!("populations[{i}].{field}");
            let name = symbol.name.as_str();
            let fresh = !name.is_empty() && names.insert(name);
            self.need(
                fresh,
                || at("name"),
                || format!("the name \"{name}\" is empty or used twice"),
            );
            let extents = &symbol.shape.0;
            let sensible = (1..=3).contains(&extents.len())
                && extents.iter().all(|&e| e >= 1)
                && symbol.shape.size() as u64 <= MAX_NEURONS;
            self.need(
                sensible,
                || at("shape"),
                || {
                    format!(
                        "expected one to three extents, none 0, and at most {MAX_NEURONS} neurons, \
                     not {}",
                        symbol.shape
                    )
                },
            );
            let one = symbol.shape.per_channel() <= 1;
            let most = if one { 1 } else { symbol.shape.channels() };
            let block = symbol.block as usize;
            self.need(
                (1..=most).contains(&block),
                || at("block"),
                || format!("expected 1 to {most} channels per block, not {block}"),
            );
            match symbol.role {
                SymbolRole::Relay { of, .. } => {
                    self.index(of, self.program.populations.len(), || at("role.of"));
                }
                SymbolRole::Input(Coding::Direct { range }) => {
                    self.need(
                        range.is_some_and(|[low, high]| low < high),
                        || at("role.coding"),
                        || {
                            "a directly coded input states the range of its values, the smallest below the largest"
                                .to_owned()
                        },
                    );
                }
                SymbolRole::Input(_) | SymbolRole::Neurons | SymbolRole::Clock => {}
            }
        }
    }

    /// The readout counts spikes, which graded relays and directly coded inputs do not have.
    fn counted(&mut self, population: u32, path: impl FnOnce() -> String) {
        let symbol = &self.program.populations[population as usize];
        let graded = self.kinds[population as usize].graded;
        let direct = matches!(symbol.role, SymbolRole::Input(Coding::Direct { .. }));
        self.need(!graded && !direct, path, || format!("\"{}\" sends no spikes", symbol.name));
    }

    fn readout(&mut self) {
        match &self.program.readout {
            ProgramReadout::SpikeCount(population) => {
                let path = || "readout".to_owned();
                let symbols = &self.program.populations;
                if self.index(*population, symbols.len(), path) {
                    self.counted(*population, path);
                    let role = &self.program.populations[*population as usize].role;
                    let fires = !matches!(role, SymbolRole::Input(_));
                    self.need(fires, path, || "an input is the readout".to_owned());
                }
            }
            ProgramReadout::MeanLinear { terms, bias } => {
                self.need(
                    !bias.is_empty(),
                    || "readout.bias".to_owned(),
                    || "the readout has no class".to_owned(),
                );
                self.need(
                    bias.iter().all(|b| b.is_finite()),
                    || "readout.bias".to_owned(),
                    || "a bias is not finite".to_owned(),
                );
                for (i, (population, weights)) in terms.iter().enumerate() {
                    let at = |field: &str| format!("readout.terms[{i}].{field}");
                    let symbols = self.program.populations.len();
                    if !self.index(*population, symbols, || at("population")) {
                        continue;
                    }
                    self.counted(*population, || at("population"));
                    let size = self.program.populations[*population as usize].shape.size();
                    let expected = bias.len().saturating_mul(size);
                    self.need(
                        weights.len() == expected,
                        || at("weights"),
                        || format!("expected {expected} weights, not {}", weights.len()),
                    );
                    self.need(
                        weights.iter().all(|w| w.is_finite()),
                        || at("weights"),
                        || "a weight is not finite".to_owned(),
                    );
                }
            }
        }
    }
}
