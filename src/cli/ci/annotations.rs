//! Findings as workflow commands, which GitHub shows beside the lines that they are about.
//!
//! `::error file=…,line=…,col=…,title=…::message`, one line each. A finding that names no file is shown beside the
//! source of the command.

use super::{details, title};
use snnc_ir::{Diagnostics, Severity};
use std::fmt::Write as _;
use std::path::Path;

/// All findings as workflow commands.
pub(in crate::cli) fn annotations(diagnostics: &Diagnostics, subject: Option<&Path>) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = &diagnostic.place;
        let file = place.file.clone().or_else(|| subject.map(|path| path.display().to_string()));
        let number = |n: Option<u32>| n.map(|n| n.to_string());
        let properties = [
            ("file", file),
            ("line", number(place.line)),
            ("col", number(place.column)),
            ("title", Some(title(diagnostic))),
        ];
        let given = properties.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let properties: Vec<String> =
            given.map(|(name, value)| format!("{name}={}", property(&value))).collect();
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "::{command} {}::{}", properties.join(","), data(&details(diagnostic)));
    }
    text
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::Diagnostic;
    use snnc_ir::diag::codes::usage;

    #[test]
    fn properties_and_messages_are_escaped() {
        let found: Diagnostics = [
            Diagnostic::error(usage::CANNOT_READ, "100 % wrong: a, b")
                .in_file("a:b,c%.json")
                .at_line(3, 7)
                .at("$.nodes[0]")
                .note("one\r\ntwo")
                .help("look"),
            Diagnostic::note_only(usage::CONFIG_USED, "no file"),
        ]
        .into_iter()
        .collect();
        let text = annotations(&found, Some(Path::new("g.json")));
        assert_eq!(
            text,
            "::error file=a%3Ab%2Cc%25.json,line=3,col=7,title=SNN0801 cannot read a file::100 %25 wrong: a, b%0Aat \
             $.nodes[0]%0Anote: one%0D%0Atwo%0Ahelp: look\n\
             ::notice file=g.json,title=SNN0825 settings of a configuration file are used::no file\n"
        );
    }
}
