//! Proves a certificate again from the files that it names: no source, no pass, no writer.
//!
//! The files are read, their hashes taken, the network and the program decoded and compared by the
//! checker. What comes out is written as a certificate is written, and every difference from the one
//! in question is a finding.

use super::counterexample::search;
use crate::artifact::certificate::{CertificateFile, SUBJECTS};
use crate::artifact::load::{decode_source, named, parse_target};
use crate::artifact::manifest::FileEntry;
use crate::artifact::{CERTIFICATE, PROGRAM, SOURCE, TARGET};
use crate::files::{self, shown};
use serde::Deserialize;
use serde_json::Value;
use snnc_backends::certify::netx::{self, Layout};
use snnc_backends::certify::{FORMAT, certify};
use snnc_backends::{NETX_FILE, program};
use snnc_ir::diag::codes::{Code, equivalence as code};
use snnc_ir::{Diagnostic, Diagnostics};
use std::path::{Path, PathBuf};

/// Differences that are listed; the others are counted.
const LISTED: usize = 20;

/// A certificate that holds.
#[derive(Clone, Debug)]
pub struct Recheck {
    /// The certificate's file.
    pub path: PathBuf,
    /// What it says, all of it proved again.
    pub proved: CertificateFile,
}

/// Proves again what the certificate in `path`, a file or the folder of an artifact, claims about the
/// files beside it.
///
/// # Errors
/// `SNN0801` and the like if there is none, `SNN0718` if it is none of this version, `SNN0719` for a
/// file that is missing or another, `SNN0720` for a claim that is not what is proved; what the decoders
/// reject, and what the checker finds different (`SNN0701` to `SNN0717`).
pub fn recheck(path: &Path) -> Result<Recheck, Diagnostics> {
    let path = if path.is_dir() { path.join(CERTIFICATE) } else { path.to_path_buf() };
    let folder = files::parent(&path);
    let place = shown(&path);
    let text = files::read_text(&path, files::MAX_MANIFEST)?;
    let claimed = parse(&text).map_err(|d| d.in_file(place.as_str()))?;

    let mut findings = Findings { place: &place, all: Diagnostics::new(), left: 0 };
    let contents = subjects(&folder, &claimed, &mut findings)?;
    let entries: Vec<FileEntry> = contents.iter().map(|(n, b)| FileEntry::of(n, b)).collect();
    let proved = serde_json::to_value(&entries).unwrap_or_default();
    let files = claimed.get("files").unwrap_or(&Value::Null);
    findings.compare(code::CERTIFICATE_FILE, "$.files", files, &proved);

    let layout = match claimed.get("netx").and_then(|netx| netx.get("layout")) {
        None => None,
        Some(layout) => Some(Layout::deserialize(layout).map_err(|e| {
            Diagnostic::error(code::CERTIFICATE_FORM, "the layout of network.net is none")
                .in_file(place.as_str())
                .at("$.netx.layout")
                .note(e.to_string())
                .help("compile again")
        })?),
    };
    match prove(&folder, &contents, entries, layout.as_ref()) {
        Err(errors) => findings.all.extend(errors),
        Ok(proof) => {
            let proved = serde_json::to_value(&proof).unwrap_or_default();
            // Files have been compared.
            let rest = |v: &Value| {
                let mut v = v.clone();
                v.as_object_mut().and_then(|fields| fields.remove("files"));
                v
            };
            findings.compare(code::CERTIFICATE_CLAIM, "$", &rest(&claimed), &rest(&proved));
            if findings.all.is_empty() && text.as_bytes() != proof.to_bytes() {
                let message = "the certificate says the same in another form than snnc writes";
                let note = "a field may stand there twice, or white space may differ";
                findings.push(Diagnostic::error(code::CERTIFICATE_FORM, message).note(note));
            }
            if findings.all.is_empty() {
                return Ok(Recheck { path, proved: proof });
            }
        }
    }
    Err(findings.end())
}

/// The certificate as data, if it is one of this version.
fn parse(text: &str) -> Result<Value, Diagnostic> {
    let refuse = |message: String| {
        Diagnostic::error(code::CERTIFICATE_FORM, message)
            .note(format!("this snnc proves certificates of format {FORMAT} again"))
            .help("compile again, or use the snnc that wrote it")
    };
    let claimed: Value = serde_json::from_str(text).map_err(|e| {
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        refuse(format!("the certificate is not JSON: {e}"))
            .at_line(place(e.line()), place(e.column()))
    })?;
    match claimed.get("format") {
        Some(format) if *format == FORMAT => Ok(claimed),
        Some(format) => Err(refuse(format!("the certificate has format {format}")).at("$.format")),
        None => Err(refuse("the file is not a certificate of snnc".to_owned()).at("$.format")),
    }
}

/// The files that certificates speak about, read. `network.net` need not be there, but is looked at if it
/// is, or if the certificate names it.
fn subjects(
    folder: &Path,
    claimed: &Value,
    findings: &mut Findings<'_>,
) -> Result<Vec<(&'static str, Vec<u8>)>, Diagnostics> {
    let names = |name: &str| {
        let files = claimed.get("files").and_then(Value::as_array);
        files.is_some_and(|files| files.iter().any(|f| f["name"] == name))
    };
    let (mut contents, mut missing) = (Vec::new(), false);
    for name in SUBJECTS {
        let path = folder.join(name);
        if name == NETX_FILE && !names(name) && !path.exists() {
            continue;
        }
        match files::read(&path, files::MAX_BINARY) {
            Ok(bytes) => contents.push((name, bytes)),
            Err(cause) => {
                missing = true;
                let message = format!("{name}, which the certificate is about, cannot be read");
                let mut error = Diagnostic::error(code::CERTIFICATE_FILE, message)
                    .in_file(shown(&path))
                    .help("keep the certificate beside the files of its artifact");
                error.notes = cause.notes;
                findings.all.push(error);
            }
        }
    }
    if missing { Err(std::mem::take(&mut findings.all)) } else { Ok(contents) }
}

/// Decodes the files and certifies them.
fn prove(
    folder: &Path,
    contents: &[(&str, Vec<u8>)],
    files: Vec<FileEntry>,
    layout: Option<&Layout>,
) -> Result<CertificateFile, Diagnostics> {
    let of = |name: &str| {
        let found = contents.iter().find(|(n, _)| *n == name);
        found.map_or(&[][..], |(_, bytes)| bytes.as_slice())
    };
    let target = parse_target(of(TARGET), &shown(&folder.join(TARGET)))?;
    let source = decode_source(of(SOURCE)).map_err(|d| named(d, folder, SOURCE))?;
    let program = program::read(of(PROGRAM)).map_err(|d| named(d, folder, PROGRAM))?;
    let certificate = certify(&source, &program, &target).map_err(|mut differences| {
        differences.push(search(&source, &program, &differences).diagnostic());
        differences
    })?;
    let exported = contents.iter().any(|(name, _)| *name == NETX_FILE);
    let netx = match layout {
        Some(layout) if exported => Some(
            netx::read(of(NETX_FILE))
                .and_then(|file| netx::certify(&source, &program, &file, layout, &target))
                .map_err(|d| named(d, folder, NETX_FILE))?,
        ),
        None if exported => {
            let message = "the certificate does not say where the populations lie in network.net";
            return Err(Diagnostic::error(code::CERTIFICATE_CLAIM, message)
                .in_file(shown(&folder.join(CERTIFICATE)))
                .at("$.netx.layout")
                .help("compile again, or take the file away")
                .into());
        }
        _ => None,
    };
    Ok(CertificateFile { certificate, files, netx })
}

/// What was found, in the certificate at `place`.
struct Findings<'a> {
    place: &'a str,
    all: Diagnostics,
    /// Differences that are not listed.
    left: usize,
}

impl Findings<'_> {
    fn push(&mut self, finding: Diagnostic) {
        if self.all.iter().count() < LISTED {
            self.all.push(finding.in_file(self.place));
        } else {
            self.left += 1;
        }
    }

    /// Adds every difference between what the certificate claims at `path` and what is so.
    fn compare(&mut self, code: Code, path: &str, claimed: &Value, proved: &Value) {
        match (claimed, proved) {
            (Value::Object(a), Value::Object(b)) => {
                for (key, claimed) in a {
                    let path = format!("{path}.{key}");
                    match b.get(key) {
                        Some(proved) => self.compare(code, &path, claimed, proved),
                        None => self.differs(code, &path, Some(claimed), None),
                    }
                }
                for (key, proved) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                    self.differs(code, &format!("{path}.{key}"), None, Some(proved));
                }
            }
            (Value::Array(a), Value::Array(b)) => {
                for i in 0..a.len().max(b.len()) {
                    let path = format!("{path}[{i}]");
                    match (a.get(i), b.get(i)) {
                        (Some(claimed), Some(proved)) => self.compare(code, &path, claimed, proved),
                        (claimed, proved) => self.differs(code, &path, claimed, proved),
                    }
                }
            }
            (a, b) if a == b => {}
            (a, b) => self.differs(code, path, Some(a), Some(b)),
        }
    }

    fn differs(&mut self, code: Code, path: &str, claimed: Option<&Value>, so: Option<&Value>) {
        let files = code == code::CERTIFICATE_FILE;
        let message = match (claimed, so) {
            (Some(_), Some(_)) if files => "the certificate was made for another file",
            (Some(_), _) if files => "the certificate names a file that it cannot be about",
            (None, _) if files => "the certificate does not name a file of the artifact",
            (Some(_), Some(_)) => "the certificate claims what is not proved",
            (Some(_), None) => "the certificate makes a claim that the checker does not know",
            (None, _) => "the certificate lacks what is proved",
        };
        let mut finding = Diagnostic::error(code, message).at(path);
        if let Some(claimed) = claimed {
            finding = finding.note(format!("claimed: {}", short(claimed)));
        }
        if let Some(so) = so {
            let what = if files { "the file" } else { "proved" };
            finding = finding.note(format!("{what}: {}", short(so)));
        }
        self.push(finding.help("trust only what is proved: compile again"));
    }

    fn end(mut self) -> Diagnostics {
        if self.left > 0 {
            let message = format!("{} further differences", self.left);
            let rest = Diagnostic::error(code::CERTIFICATE_CLAIM, message);
            self.all.push(rest.in_file(self.place));
        }
        self.all
    }
}

/// A value in at most some 120 characters.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
