//! What a command says, where it goes, and as which document.
//!
//! A command returns a `Reply` and writes nothing by itself. In the human format its product goes
//! to stdout, its findings and its summary to stderr; in the JSON format one document with all of
//! it goes to stdout. `--json FILE` writes the same document to a file, `--sarif FILE` the findings as SARIF, and
//! `--junit FILE` what was proved as a test report.

use super::ci::annotations::annotations;
use super::ci::checklist::Checklist;
use super::ci::{junit, sarif};
use crate::exit::Exit;
use crate::files;
use serde::Serialize;
use snnc_ir::diag::Place;
use snnc_ir::{Diagnostic, Diagnostics, Severity};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// As for people, but a line for each finding: `file:line:column: error[CODE]: message`.
    Short,
    /// One JSON document on stdout.
    Json,
    /// As for people, but findings are annotations of GitHub.
    Github,
    /// Findings as a SARIF 2.1.0 log on stdout.
    Sarif,
}

impl Format {
    /// Whether stdout is a document, so that a product has no place there.
    pub(crate) const fn takes_stdout(self) -> bool {
        matches!(self, Self::Json | Self::Sarif)
    }
}

/// Where a reply goes.
#[derive(Debug)]
pub(super) struct Sinks<'a> {
    /// How it is printed.
    pub(crate) format: Format,
    /// File for the JSON document.
    pub(crate) json: Option<&'a Path>,
    /// File for the SARIF log.
    pub(crate) sarif: Option<&'a Path>,
    /// File for the test report, and what was proved.
    pub(crate) junit: Option<(&'a Path, Checklist)>,
    /// What the command looks at: the place of findings that name no file, where a place is needed.
    pub(crate) subject: Option<&'a Path>,
    /// Whether stderr is colored.
    pub(crate) color: bool,
}

/// What a command has to say; `T` is the body of its JSON report.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    /// The product: goes to stdout in the human format.
    pub(crate) product: Vec<u8>,
    /// Goes to stderr in the human format.
    pub(crate) summary: String,
    /// Body of the report.
    pub(crate) body: T,
    /// Warnings, or the errors of a command that has a report all the same.
    pub(crate) diagnostics: Diagnostics,
    /// How it ended.
    pub(crate) exit: Exit,
}

impl<T> Reply<T> {
    /// A reply that is all right and says nothing to people.
    pub(crate) const fn new(body: T) -> Self {
        Self {
            product: Vec::new(),
            summary: String::new(),
            body,
            diagnostics: Diagnostics::new(),
            exit: Exit::Done,
        }
    }
}

/// Bytes for stdout and stderr, and the exit code.
#[derive(Debug)]
pub struct Outcome {
    /// For stdout.
    pub stdout: Vec<u8>,
    /// For stderr.
    pub stderr: String,
    /// Exit code.
    pub exit: Exit,
}

/// The JSON report of any command.
#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'a str,
    snnc: &'static str,
    ok: bool,
    exit: u8,
    diagnostics: Vec<&'a Diagnostic>,
    #[serde(flatten)]
    body: Option<&'a T>,
}

/// Renders the result of a command whose report has the schema `snnc-NAME/1`.
pub(super) fn render<T: Serialize>(
    result: Result<Reply<T>, Diagnostics>,
    name: &str,
    sinks: Sinks<'_>,
) -> Outcome {
    let schema = &format!("snnc-{name}/1");
    let Sinks { format, json, sarif, junit, subject, color } = sinks;
    let (mut product, mut summary, body, mut diagnostics, mut exit) = match result {
        Ok(r) => (r.product, r.summary, Some(r.body), r.diagnostics, r.exit),
        Err(diagnostics) => {
            let exit = Exit::of(&diagnostics).max(Exit::Rejected);
            (Vec::new(), String::new(), None, diagnostics, exit)
        }
    };
    diagnostics.sort();
    let document = |exit: Exit, diagnostics: &Diagnostics| {
        let document = Document {
            schema,
            snnc: crate::VERSION,
            ok: exit == Exit::Done,
            exit: exit.code(),
            diagnostics: diagnostics.iter().collect(),
            body: body.as_ref(),
        };
        let mut bytes = serde_json::to_vec_pretty(&document)
            .expect("a report has string keys and finite numbers only");
        bytes.push(b'\n');
        bytes
    };
    // What comes later also tells of files before it that could not be written.
    let mut written = |bytes: Vec<u8>, path: &Path, all: &mut Diagnostics, exit: &mut Exit| {
        if let Err(error) = files::write(path, &bytes) {
            all.push(error);
            *exit = (*exit).max(Exit::Usage);
            product.clear();
            summary.clear();
        }
    };
    if let Some((path, mut list)) = junit {
        list.conclude(&diagnostics, exit);
        let report = junit::report(name, &list, exit).into_bytes();
        written(report, path, &mut diagnostics, &mut exit);
    }
    if let Some(path) = sarif {
        written(sarif::log(&diagnostics, exit, subject), path, &mut diagnostics, &mut exit);
    }
    if let Some(path) = json {
        written(document(exit, &diagnostics), path, &mut diagnostics, &mut exit);
    }
    match format {
        Format::Sarif => {
            let stdout = sarif::log(&diagnostics, exit, subject);
            Outcome { stdout, stderr: String::new(), exit }
        }
        Format::Github => {
            let stderr = format!("{}{summary}", annotations(&diagnostics, subject));
            Outcome { stdout: product, stderr, exit }
        }
        Format::Short => {
            let stderr = format!("{}{summary}", short(&diagnostics));
            Outcome { stdout: product, stderr, exit }
        }
        Format::Json => {
            Outcome { stdout: document(exit, &diagnostics), stderr: String::new(), exit }
        }
        Format::Human => {
            let stderr = format!("{}{summary}", human(&diagnostics, color));
            Outcome { stdout: product, stderr, exit }
        }
    }
}

/// A line for each finding, as editors and compilers' other tools read them.
fn short(diagnostics: &Diagnostics) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let Place { file, line, column, path } = &diagnostic.place;
        let numbers = [line, column].into_iter().flatten().map(u32::to_string);
        let place: Vec<String> = file.iter().cloned().chain(numbers).collect();
        let place = if place.is_empty() { String::new() } else { place.join(":") + ": " };
        let message = diagnostic.message.replace('\n', " ");
        let inside = path.as_ref().map_or_else(String::new, |path| format!(" ({path})"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{place}{}[{}]: {message}{inside}",
            diagnostic.severity, diagnostic.code
        );
    }
    text
}

/// Findings for people, with a line that counts the errors. Where nothing is wrong, notes are cut to
/// their first line (the JSON report has all of them).
pub(crate) fn human(diagnostics: &Diagnostics, color: bool) -> String {
    let mut text = String::new();
    let brief = !diagnostics.has_errors();
    for diagnostic in diagnostics {
        let mut plain = diagnostic.to_string();
        if brief && diagnostic.severity == Severity::Note {
            plain.truncate(plain.find('\n').unwrap_or(plain.len()));
        }
        let head = format!("{}[{}]", diagnostic.severity, diagnostic.code);
        let painted = match (color, diagnostic.severity) {
            (false, _) => None,
            (true, Severity::Error) => Some("1;31"),
            (true, Severity::Warning) => Some("1;33"),
            (true, Severity::Note) => Some("1;36"),
        };
        match (painted, plain.strip_prefix(&head)) {
            (Some(code), Some(rest)) => {
                let _ = writeln!(text, "\u{1b}[{code}m{head}\u{1b}[0m{rest}");
            }
            _ => {
                let _ = writeln!(text, "{plain}");
            }
        }
    }
    let count = |s: Severity| diagnostics.iter().filter(|d| d.severity == s).count();
    let errors = count(Severity::Error);
    if errors > 0 {
        let first = diagnostics.iter().find(|d| d.severity == Severity::Error);
        let code = first.map(|d| d.code.to_string()).unwrap_or_default();
        let plural = if errors == 1 { "" } else { "s" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{errors} error{plural}; `snnc explain {code}` says more");
    }
    text
}

/// Whether stderr is to be colored.
pub(crate) fn use_color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

impl Outcome {
    /// Writes everything and returns the exit code to use. A closed pipe is not an error: whoever
    /// reads has seen enough. Any other failure of stdout is one.
    pub fn write(&self) -> Exit {
        // If stderr is gone, there is no one left to tell.
        let _ = io::stderr().lock().write_all(self.stderr.as_bytes());
        let mut stdout = io::stdout().lock();
        match stdout.write_all(&self.stdout).and_then(|()| stdout.flush()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                let error = files::cannot_write(Path::new("standard output"), &e);
                let _ = writeln!(io::stderr().lock(), "{error}");
                self.exit.max(Exit::Usage)
            }
            _ => self.exit,
        }
    }
}
