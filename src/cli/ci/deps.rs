//! `--deps`: what an artifact was made from, as a rule that make and ninja read.
//!
//! The target of the rule is the manifest. A rule without prerequisites for each file, as `cc -MP` writes them, keeps make from
//! giving up when a side-car is no longer there since the genome does not name it any more.

use crate::files::{self, shown};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::usage;
use std::path::{Path, PathBuf};

/// Writes the rule for `target` to `file`. It is written before the artifact: a rule that is newer does no harm, but without
/// it a build would take an artifact for up to date whose side-cars have changed.
///
/// # Errors
/// `SNN0846` for a path that cannot be written there, and those of [`fn@files::write`].
pub(in crate::cli) fn write(
    file: &Path,
    target: &Path,
    inputs: &[PathBuf],
) -> Result<(), Diagnostic> {
    let mut rule = format!("{}:", escaped(target)?);
    let mut names: Vec<String> = Vec::new();
    for input in inputs {
        let name = escaped(input)?;
        if !names.contains(&name) {
            rule.push_str(" \\\n  ");
            rule.push_str(&name);
            names.push(name);
        }
    }
    rule.push('\n');
    for name in names {
        rule.push_str(&name);
        rule.push_str(":\n");
    }
    files::write(file, rule.as_bytes())
}

/// A path as both make and ninja read it.
fn escaped(path: &Path) -> Result<String, Diagnostic> {
    let refuse = |what: String| {
        Diagnostic::error(usage::DEPFILE_PATH, "a path cannot stand in a dependency file")
            .in_file(shown(path))
            .note(what)
            .help("rename the file or folder, or leave `--deps` out")
    };
    let text = path.to_str().ok_or_else(|| refuse("it is not UTF-8".to_owned()))?;
    if text.starts_with('~') {
        return Err(refuse("make takes `~` at the beginning for the home folder".to_owned()));
    }
    let mut name = String::new();
    for c in text.chars() {
        match c {
            ' ' | '#' | ':' => name.extend(['\\', c]),
            '$' => name.push_str("$$"),
            'a'..='z' | 'A'..='Z' | '0'..='9' => name.push(c),
            '+' | '"' | '\'' | ',' | '/' | '_' | '.' | '~' | '{' | '}' | '@' | '!' | '-' => {
                name.push(c);
            }
            c if !c.is_ascii() => name.push(c),
            c => return Err(refuse(format!("make or ninja take {c:?} for something else"))),
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped_or_refused() {
        let name = |text: &str| escaped(Path::new(text)).map_err(|d| d.code);
        assert_eq!(name("a b/c#d$e:é.json").unwrap(), "a\\ b/c\\#d$$e\\:é.json");
        for bad in ["a%b", "a*b", "a;b", "a|b", "a\\b", "a\nb", "~a", "a=b", "a[1]", "a(b)"] {
            assert_eq!(name(bad), Err(usage::DEPFILE_PATH), "{bad}");
        }
    }

    #[test]
    fn each_file_is_named_once_and_may_vanish() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.d");
        let inputs = ["g.json", "w x", "g.json"].map(PathBuf::from);
        write(&file, Path::new("out/manifest.json"), &inputs).unwrap();
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            "out/manifest.json: \\\n  g.json \\\n  w\\ x\ng.json:\nw\\ x:\n"
        );
    }
}
