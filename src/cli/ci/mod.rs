//! What continuous integration reads: test reports, SARIF, annotations, dependency files.

pub(super) mod annotations;
pub(super) mod checklist;
pub(super) mod deps;
pub(super) mod junit;
pub(super) mod sarif;

use snnc_ir::Diagnostic;

/// A finding as text behind its headline: message, where inside its file, notes and help.
fn details(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    let mut line = |what: &str, rest: &str| {
        text.push('\n');
        text.push_str(what);
        text.push_str(rest);
    };
    if let Some(path) = &diagnostic.place.path {
        line("at ", path);
    }
    for note in &diagnostic.notes {
        line("note: ", note);
    }
    if let Some(help) = &diagnostic.help {
        line("help: ", help);
    }
    text
}

/// `SNN0203 title of the code`.
fn title(diagnostic: &Diagnostic) -> String {
    let code = diagnostic.code;
    code.info().map_or_else(|| code.to_string(), |info| format!("{code} {}", info.title))
}
