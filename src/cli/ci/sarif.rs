//! Findings as a SARIF 2.1.0 log (OASIS, Static Analysis Results Interchange Format).
//!
//! One run of one tool. Its rules are the codes that were found, its results the findings. A result without a file is placed
//! in the source of the command, since readers drop results without a place; what it is about inside its
//! file is a logical location.

use super::details;
use crate::exit::Exit;
use serde_json::{Map, Value, json};
use snnc_ir::diag::Code;
use snnc_ir::{Diagnostic, Diagnostics, Severity};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Identifier of the schema that the log follows.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log of a command that ended with `exit`.
pub(in crate::cli) fn log(
    diagnostics: &Diagnostics,
    exit: Exit,
    subject: Option<&Path>,
) -> Vec<u8> {
    let codes: BTreeSet<Code> = diagnostics.iter().map(|d| d.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let results = diagnostics.iter().map(|d| result(d, &codes, subject));
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "snnc",
                "version": crate::VERSION,
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            // A rejected input is a result, not a failure of the tool.
            "invocations": [{
                "executionSuccessful": exit <= Exit::Rejected,
                "exitCode": exit.code(),
            }],
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    });
    let mut bytes = serde_json::to_vec_pretty(&log).expect("a log has string keys");
    bytes.push(b'\n');
    bytes
}

/// The documentation of a code.
fn rule(code: Code) -> Value {
    let mut rule = json!({"id": code.to_string()});
    if let Some(info) = code.info() {
        rule["shortDescription"] = json!({"text": info.title});
        rule["fullDescription"] = json!({"text": info.text});
        rule["help"] = json!({"text": info.text});
    }
    rule
}

fn result(diagnostic: &Diagnostic, codes: &[Code], subject: Option<&Path>) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut result = json!({
        "ruleId": diagnostic.code.to_string(),
        "ruleIndex": codes.binary_search(&diagnostic.code).ok(),
        "level": level,
        "message": {"text": details(diagnostic)},
    });
    let location = location(diagnostic, subject);
    if !location.is_empty() {
        result["locations"] = json!([location]);
    }
    result
}

fn location(diagnostic: &Diagnostic, subject: Option<&Path>) -> Map<String, Value> {
    let place = &diagnostic.place;
    let mut location = Map::new();
    let file = place.file.clone().or_else(|| subject.map(|path| path.display().to_string()));
    if let Some(file) = file {
        let mut physical = json!({"artifactLocation": {"uri": uri(&file)}});
        if let Some(line) = place.line {
            let mut region = json!({"startLine": line.max(1)});
            if let Some(column) = place.column {
                region["startColumn"] = json!(column.max(1));
            }
            physical["region"] = region;
        }
        location.insert("physicalLocation".to_owned(), physical);
    }
    if let Some(path) = &place.path {
        let logical = json!([{"fullyQualifiedName": path}]);
        location.insert("logicalLocations".to_owned(), logical);
    }
    location
}

/// A path as a relative reference, or as a `file` URI if it is absolute.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::diag::codes::usage;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("a b/c:d#é.json"), "a%20b/c%3Ad%23%C3%A9.json");
        assert_eq!(uri("/tmp/a"), "file:///tmp/a");
    }

    #[test]
    fn rules_and_results_refer_to_each_other() {
        let found: Diagnostics = [
            Diagnostic::error(usage::NOT_UTF8, "b").in_file("b.json").at_line(2, 5),
            Diagnostic::warning(usage::CANNOT_READ, "a").at("population \"h\""),
            Diagnostic::note_only(usage::NOT_UTF8, "c"),
        ]
        .into_iter()
        .collect();
        let bytes = log(&found, Exit::Rejected, Some(Path::new("g.json")));
        let log: Value = serde_json::from_slice(&bytes).unwrap();
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 2);
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
        }
        let first = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(first["artifactLocation"]["uri"], "b.json");
        assert_eq!(first["region"], json!({"startLine": 2, "startColumn": 5}));
        let second = &run["results"][1]["locations"][0];
        assert_eq!(second["physicalLocation"]["artifactLocation"]["uri"], "g.json");
        assert_eq!(second["logicalLocations"][0]["fullyQualifiedName"], "population \"h\"");
        assert_eq!(run["invocations"][0], json!({"executionSuccessful": true, "exitCode": 1}));
    }
}
