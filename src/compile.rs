//! Compilation: source to certified artifact, in memory.
//!
//! Passes make the mapped network; the back ends write its bytes; the independent reader decodes
//! them; the certificate relates what it read to the quantized network in logical time. Nothing is
//! an artifact before that.

use crate::artifact::manifest::{FileEntry, Manifest};
use crate::artifact::{self, Entry};
use crate::pipeline::{self, Delays, Stage, Stages};
use crate::source::Source;
use crate::{describe, target::Target};
use snnc_backends::certify::{Certificate, certify};
use snnc_backends::{netx, program};
use snnc_ir::diag::codes::usage;
use snnc_ir::program::Program;
use snnc_ir::{Diagnostic, Diagnostics, MappedNetwork, QuantizedNetwork, TargetSpec, binary};
use snnc_passes::{Failure as PassFailure, Pipeline, Registry, Replay};

/// Options of a compilation.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Passes in place of the default ones.
    pub passes: Option<String>,
    /// Where delays go.
    pub delays: Delays,
}

/// Why nothing was compiled.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The findings.
    pub diagnostics: Diagnostics,
    /// Set if a pass failed by the compiler's own mistake.
    pub replay: Option<Box<Replay>>,
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self { diagnostics, replay: None }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics::from(diagnostic).into()
    }
}

impl From<PassFailure> for Failure {
    fn from(failure: PassFailure) -> Self {
        let mut diagnostics = failure.remarks;
        diagnostics.extend(failure.diagnostics);
        Self { diagnostics, replay: failure.replay }
    }
}

/// A certified artifact that has not been published yet.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What it is.
    pub manifest: Manifest,
    /// All of its files, the manifest included.
    pub files: Vec<Entry>,
    /// What was proved.
    pub certificate: Certificate,
    /// The program as read back from its bytes.
    pub program: Program,
    /// The networks of all stages.
    pub stages: Stages,
    /// Warnings and notes of reader and passes.
    pub warnings: Diagnostics,
}

/// The networks that `source` becomes on the way to `end`, and the pipeline that ran.
///
/// # Errors
/// `SNN0805` for a source that is scheduled or mapped already, and what planner and passes reject.
pub fn lower(
    source: &Source,
    target: &TargetSpec,
    options: &Options,
    end: Stage,
) -> Result<(Stages, Pipeline), Failure> {
    let registry = Registry::standard();
    let start = Stage::of(&source.level);
    if start > Stage::Quantized {
        return Err(Diagnostic::error(
            usage::WRONG_LEVEL,
            format!("the source is at stage `{start}`, in hardware time"),
        )
        .note("the network in logical time, which it would be certified against, is not in it")
        .help("start from the genome, a network, or a quantized network in logical time")
        .into());
    }
    if end < start {
        return Err(pipeline::not_reached(end)
            .note(format!("the source is at stage `{start}` already"))
            .into());
    }
    let text = match &options.passes {
        Some(text) => text.clone(),
        None => pipeline::standard(start, options.delays),
    };
    let pipeline = pipeline::between(&registry, &text, start, end)?;
    let stages = pipeline::run(&registry, &pipeline, source.level.clone(), target)?;
    Ok((stages, pipeline))
}

/// Compiles `source` for `target` and certifies the result.
///
/// # Errors
/// What a pass, a back end, the reader or the certificate rejects. Then there is no artifact.
pub fn compile(source: &Source, target: &Target, options: &Options) -> Result<Compiled, Failure> {
    let (stages, pipeline) = lower(source, &target.spec, options, Stage::Mapped)?;
    let mapped = stages.mapped.as_ref().ok_or_else(|| pipeline::not_reached(Stage::Mapped))?;
    let logical =
        stages.quantized.as_ref().ok_or_else(|| pipeline::not_reached(Stage::Quantized))?;
    let Emitted { files, program, certificate, netx } = emit(mapped, logical, target)?;

    let mut warnings = source.warnings.clone();
    warnings.extend(stages.remarks.clone());
    let manifest = Manifest {
        files: files.iter().map(|f| FileEntry::of(&f.name, &f.bytes)).collect(),
        netx,
        remarks: stages.remarks.iter().map(describe::remark).collect(),
        ..describe::manifest(source, &target.spec, &pipeline, logical, mapped, &program)
    };
    let mut files = files;
    let bytes = manifest.to_bytes();
    files.insert(0, Entry { name: artifact::manifest::MANIFEST.to_owned(), bytes });
    Ok(Compiled { manifest, files, certificate, program, stages, warnings })
}

/// What the back ends made of a mapped network.
struct Emitted {
    files: Vec<Entry>,
    program: Program,
    certificate: Certificate,
    netx: artifact::manifest::NetxEntry,
}

/// Writes the program, reads it back, certifies it, and adds the other files.
fn emit(
    mapped: &MappedNetwork,
    logical: &QuantizedNetwork,
    target: &Target,
) -> Result<Emitted, Diagnostics> {
    let bytes = program::write(mapped, &target.spec)?;
    let program = program::read(&bytes)?;
    let certificate = certify(logical, &program, &target.spec)?;
    let mut proof = serde_json::to_vec_pretty(&certificate)
        .expect("a certificate has string keys and finite numbers only");
    proof.push(b'\n');

    let entry = |name: &str, bytes: Vec<u8>| Entry { name: name.to_owned(), bytes };
    let mut files = vec![
        entry(artifact::PROGRAM, bytes),
        entry(artifact::SOURCE, binary::encode_quantized(logical)),
        entry(artifact::TARGET, target.text.clone().into_bytes()),
        entry(artifact::CERTIFICATE, proof),
    ];
    let netx = match netx::write(mapped) {
        Ok(bytes) => {
            files.push(entry(artifact::NETX, bytes));
            artifact::manifest::NetxEntry { written: true, reason: None }
        }
        Err(why) => {
            let reason = std::iter::once(why.message).chain(why.notes).collect::<Vec<_>>();
            artifact::manifest::NetxEntry { written: false, reason: Some(reason.join("; ")) }
        }
    };
    Ok(Emitted { files, program, certificate, netx })
}
