//! Test reports as JUnit XML, in the form that GitHub's actions, GitLab and Jenkins read: `testsuites`, `testsuite`,
//! `testcase`, and inside that `failure`, `error` or `skipped`.
//!
//! `time` is 0 everywhere and there is no date: a report says the same on every run.

use super::checklist::{Checklist, State};
use crate::exit::Exit;
use std::fmt::Write as _;

/// The report of the command `snnc NAME` that ended with `exit`.
pub(in crate::cli) fn report(name: &str, list: &Checklist, exit: Exit) -> String {
    // What is wrong with the input fails; what kept the command from judging it is an error.
    let kind = if exit <= Exit::Rejected { "failure" } else { "error" };
    let count = |wanted: fn(&State) -> bool| list.items.iter().filter(|i| wanted(&i.state)).count();
    let failed = count(|s| matches!(s, State::Fails(_)));
    let (failures, errors) = if kind == "failure" { (failed, 0) } else { (0, failed) };
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{}\" time=\"0\"",
        list.items.len(),
        count(|s| matches!(s, State::Open)),
    );
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let suite = escaped(&list.subject);
    // Writing to a string cannot fail.
    let _ = writeln!(xml, "<testsuites name=\"snnc {name}\" {counts}>");
    let _ = writeln!(xml, "  <testsuite name=\"{suite}\" {counts}>");
    for item in &list.items {
        let _ = write!(
            xml,
            "    <testcase classname=\"snnc.{name}.{}\" name=\"{}\" time=\"0\">",
            item.class,
            escaped(&item.name)
        );
        match &item.state {
            State::Open => xml.push_str("<skipped message=\"not reached, or not proved\"/>"),
            State::Holds(found) if found.is_empty() => {}
            State::Holds(found) => {
                let _ = write!(xml, "<system-out>{}</system-out>", escaped(found));
            }
            State::Fails(errors) => {
                let first = errors.first();
                let message =
                    first.map_or("the command failed without a reason", |d| d.message.as_str());
                let code = first.map_or_else(|| "SNN".to_owned(), |d| d.code.to_string());
                let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
                let _ = write!(
                    xml,
                    "<{kind} message=\"{}\" type=\"{code}\">{}</{kind}>",
                    escaped(message),
                    escaped(&text.join("\n"))
                );
            }
        }
        xml.push_str("</testcase>\n");
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// Text as XML 1.0 can hold it, in elements and attributes. Characters that it has no way to write become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // In attributes readers would make blanks of them.
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ci::checklist::class;
    use snnc_ir::Diagnostic;
    use snnc_ir::diag::codes::usage;

    #[test]
    fn a_report_counts_and_escapes() {
        let mut list = Checklist::default();
        list.about("a & b");
        list.plan(class::SOURCE, "source is read");
        list.plan(class::FILES, "files <\u{1}>");
        list.plan(class::PROGRAM, "program");
        list.holds(class::SOURCE, "");
        let error = Diagnostic::error(usage::ARTIFACT_FILE, "x \"y\"\nz");
        list.conclude(&error.into(), Exit::Rejected);
        let xml = report("verify", &list, Exit::Rejected);
        let counts = "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"0\"";
        assert!(xml.contains(&format!("<testsuite name=\"a &amp; b\" {counts}>")), "{xml}");
        assert!(xml.contains("name=\"files &lt;\u{fffd}&gt;\""), "{xml}");
        assert!(
            xml.contains("<failure message=\"x &quot;y&quot;&#10;z\" type=\"SNN0832\">"),
            "{xml}"
        );
        assert!(report("verify", &list, Exit::Usage).contains("<error message="));
    }
}
