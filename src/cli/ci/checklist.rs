//! What a command proves, one item after the other: the test cases of a [report](super::junit).

use crate::exit::Exit;
use snnc_ir::diag::Code;
use snnc_ir::diag::codes::{equivalence, usage};
use snnc_ir::{Diagnostic, Diagnostics, Severity};

/// One thing to be proved or done.
#[derive(Debug)]
pub(in crate::cli) struct Item {
    /// What kind of thing.
    pub(super) class: &'static str,
    /// What.
    pub(super) name: String,
    /// What came of it.
    pub(super) state: State,
}

/// What came of an item.
#[derive(Debug)]
pub(super) enum State {
    /// Not reached yet; in the end: skipped.
    Open,
    /// Holds; with what was found.
    Holds(String),
    /// Does not hold: these are the errors.
    Fails(Vec<Diagnostic>),
}

/// Classes of items.
pub(in crate::cli) mod class {
    /// The source is read.
    pub(in crate::cli) const SOURCE: &str = "source";
    /// Files of the artifact.
    pub(in crate::cli) const FILES: &str = "files";
    /// The program.
    pub(in crate::cli) const PROGRAM: &str = "program";
    /// The certificate as a whole.
    pub(in crate::cli) const CERTIFICATE: &str = "certificate";
    /// A population of the certificate.
    pub(in crate::cli) const POPULATION: &str = "population";
    /// All levels on a stimulus.
    pub(in crate::cli) const MEASUREMENT: &str = "measurement";
    /// A pass or a writer.
    pub(in crate::cli) const STEP: &str = "step";
    /// The artifact is in its place.
    pub(in crate::cli) const PUBLISHING: &str = "publishing";
}

/// The items of a command, in order.
#[derive(Debug, Default)]
pub(in crate::cli) struct Checklist {
    /// What is looked at.
    pub(super) subject: String,
    pub(super) items: Vec<Item>,
}

impl Checklist {
    /// A list about `subject`.
    pub(in crate::cli) fn about(&mut self, subject: impl Into<String>) {
        self.subject = subject.into();
    }

    /// Adds an item that is still open.
    pub(in crate::cli) fn plan(&mut self, class: &'static str, name: impl Into<String>) {
        self.items.push(Item { class, name: name.into(), state: State::Open });
    }

    /// The first open item of `class` holds.
    pub(in crate::cli) fn holds(&mut self, class: &'static str, found: impl Into<String>) {
        if let Some(item) = self.first_open(|item| item.class == class) {
            item.state = State::Holds(found.into());
        }
    }

    /// The item `name` of `class` holds, whether it was planned or not.
    pub(in crate::cli) fn found(
        &mut self,
        class: &'static str,
        name: &str,
        found: impl Into<String>,
    ) {
        if !self.items.iter().any(|i| i.class == class && i.name == name) {
            self.plan(class, name);
        }
        if let Some(item) = self.first_open(|i| i.class == class && i.name == name) {
            item.state = State::Holds(found.into());
        }
    }

    fn first_open(&mut self, wanted: impl Fn(&Item) -> bool) -> Option<&mut Item> {
        self.items.iter_mut().find(|i| matches!(i.state, State::Open) && wanted(i))
    }

    /// Assigns the errors that a command ended with to the items that they are about: to a population, to the files of an
    /// artifact, else to the first item that was not reached. Whatever else is open stays so.
    pub(in crate::cli) fn conclude(&mut self, diagnostics: &Diagnostics, exit: Exit) {
        let next = self.items.iter().position(|i| matches!(i.state, State::Open));
        for error in diagnostics.iter().filter(|d| d.severity == Severity::Error) {
            let at = self.about_error(error).or(next);
            let at = at.unwrap_or_else(|| self.end());
            match &mut self.items[at].state {
                State::Fails(errors) => errors.push(error.clone()),
                state => *state = State::Fails(vec![error.clone()]),
            }
        }
        // A command may also fail without an error of its own.
        if exit != Exit::Done && !self.items.iter().any(|i| matches!(i.state, State::Fails(_))) {
            let at = next.unwrap_or_else(|| self.end());
            self.items[at].state = State::Fails(Vec::new());
        }
    }

    /// The item of what comes after all others.
    fn end(&mut self) -> usize {
        self.plan("end", "nothing else is wrong");
        self.items.len() - 1
    }

    /// The item that an error names.
    fn about_error(&self, error: &Diagnostic) -> Option<usize> {
        let at = |class: &str| self.items.iter().position(|i| i.class == class);
        let path = error.place.path.as_deref().unwrap_or_default();
        let named =
            self.items.iter().position(|i| i.class == class::POPULATION && is_about(path, &i.name));
        match error.code {
            code if OF_FILES.contains(&code) => at(class::FILES),
            code if code == usage::SPIKES_DIFFER => at(class::MEASUREMENT),
            code if equivalence::BLOCK.iter().any(|info| info.code == code) => {
                named.or_else(|| at(class::CERTIFICATE))
            }
            _ => named,
        }
    }
}

/// What is wrong with the files of an artifact.
const OF_FILES: [Code; 4] = [
    usage::NOT_AN_ARTIFACT,
    usage::MANIFEST_INVALID,
    usage::ARTIFACT_FILE,
    usage::ARTIFACT_DISAGREES,
];

/// Whether `path` is `population "NAME"`, or something inside it.
fn is_about(path: &str, name: &str) -> bool {
    let rest = path.strip_prefix("population \"").and_then(|rest| rest.strip_prefix(name));
    rest.is_some_and(|rest| rest.starts_with('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_go_to_what_they_are_about() {
        let mut list = Checklist::default();
        list.plan(class::SOURCE, "source is read");
        list.plan(class::CERTIFICATE, "certificate");
        list.plan(class::POPULATION, "h1");
        list.plan(class::POPULATION, "h12");
        list.holds(class::SOURCE, "");
        let at = |path: &str| Diagnostic::error(equivalence::BLOCK[0].code, "x").at(path);
        let errors = [at("population \"h12\", neuron 3"), at("core 1")];
        list.conclude(&errors.into_iter().collect(), Exit::Rejected);
        let failed: Vec<bool> =
            list.items.iter().map(|i| matches!(i.state, State::Fails(_))).collect();
        assert_eq!(failed, [false, true, false, true]);
    }

    #[test]
    fn a_failure_is_never_lost() {
        let mut list = Checklist::default();
        list.plan(class::SOURCE, "source is read");
        list.holds(class::SOURCE, "");
        list.conclude(&Diagnostics::new(), Exit::Rejected);
        assert!(matches!(list.items.last().unwrap().state, State::Fails(_)));
    }
}
