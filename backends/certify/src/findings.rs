//! Differences found, with a limit, and how neurons are named in them.

use snnc_ir::order::Order;
use snnc_ir::{Diagnostic, Diagnostics};

/// Differences listed in full; one wrong register of a large network would fill pages otherwise.
const LISTED: usize = 20;

/// Collects differences; keeps the first [`LISTED`] and counts the rest.
#[derive(Debug, Default)]
pub(super) struct Findings {
    items: Diagnostics,
    omitted: usize,
}

impl Findings {
    /// Adds a difference.
    pub(super) fn push(&mut self, difference: Diagnostic) {
        if self.items.len() < LISTED {
            self.items.push(difference);
        } else {
            self.omitted += 1;
        }
    }

    /// Whether none was found so far.
    pub(super) const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Ends a phase.
    ///
    /// # Errors
    /// The differences, if there is one.
    pub(super) fn end_phase(&mut self) -> Result<(), Diagnostics> {
        if self.is_empty() {
            return Ok(());
        }
        let mut items = std::mem::take(&mut self.items);
        if self.omitted > 0
            && let Some(last) = items.iter_mut().last()
        {
            last.notes.push(format!("further differences that are not listed: {}", self.omitted));
        }
        Err(items)
    }
}

/// Differences of the first neuron of a run that has some; those of the others are counted.
#[derive(Debug, Default)]
pub(super) struct First {
    items: Vec<Diagnostic>,
    more: u64,
}

impl First {
    /// Adds the differences of one neuron.
    pub(super) fn add(&mut self, differences: impl IntoIterator<Item = Diagnostic>) {
        let mut differences = differences.into_iter().peekable();
        if differences.peek().is_none() {
            return;
        }
        if self.items.is_empty() {
            self.items.extend(differences);
        } else {
            self.more += 1;
        }
    }

    /// Hands the differences over.
    pub(super) fn report(self, findings: &mut Findings) {
        for mut difference in self.items {
            if self.more > 0 {
                let note = format!("neurons of the same run that differ as well: {}", self.more);
                difference = difference.note(note);
            }
            findings.push(difference);
        }
    }
}

/// `population "h1"`.
pub(super) fn population(name: &str) -> String {
    format!("population \"{name}\"")
}

/// `population "h1", neuron 17`.
pub(super) fn neuron(name: &str, index: u32) -> String {
    format!("population \"{name}\", neuron {index}")
}

/// A neuron and the compartment that holds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'a> {
    /// Name of the population.
    pub(super) name: &'a str,
    /// Order of its neurons on cores.
    pub(super) order: Order,
    /// Position of the neuron in that order.
    pub(super) position: u32,
    /// Core.
    pub(super) core: usize,
    /// Compartment of the core.
    pub(super) compartment: u32,
}

impl Site<'_> {
    /// The neuron `offset` positions further in the same run.
    pub(super) const fn plus(self, offset: u32) -> Self {
        Self { position: self.position + offset, compartment: self.compartment + offset, ..self }
    }

    /// The neuron.
    pub(super) const fn neuron(&self) -> u32 {
        self.order.neuron(self.position)
    }

    /// Names neuron and compartment in a difference.
    pub(super) fn mark(&self, difference: Diagnostic) -> Diagnostic {
        difference
            .at(neuron(self.name, self.neuron()))
            .note(format!("core {}, compartment {}", self.core, self.compartment))
    }
}
