//! Compilation: source to certified artifact, in memory.
//!
//! Passes make the mapped network; the back ends write its bytes; the independent reader decodes
//! them; the certificate relates what it read to the quantized network in logical time. Nothing is
//! an artifact before that.

use crate::artifact::certificate::{CertificateFile, SUBJECTS};
use crate::artifact::manifest::{FileEntry, Manifest, NetxEntry, RecipeEntry};
use crate::artifact::mapping::MappingEntry;
use crate::artifact::{self, Entry};
use crate::describe;
use crate::folding::{FoldingAccount, Parts};
use crate::page::Page;
use crate::pipeline::{self, Delays, Lowering, Search, Stage, Stages};
use crate::report::{MeasureOptions, Report, measure};
use crate::source::Source;
use crate::stimulus::Stimuli;
use crate::target::{Target, written};
use snnc_backends::certify::{Certificate, certify, netx};
use snnc_backends::{NETX_FILE, PROGRAM_FILE, program, sanafe};
use snnc_ir::diag::codes::usage;
use snnc_ir::program::Program;
use snnc_ir::{
    Diagnostic, Diagnostics, MappedNetwork, QuantizedNetwork, Recipe, TargetSpec, binary, recipe,
};
use snnc_passes::{Failure as PassFailure, Pipeline, Registry, Replay};
use std::collections::BTreeSet;
use std::ops::Range;

/// Options of a compilation.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Passes in place of the default ones.
    pub passes: Option<String>,
    /// What becomes of encoded weights.
    pub lowering: Lowering,
    /// How to look for a mapping.
    pub search: Search,
    /// Where delays go.
    pub delays: Delays,
    /// Decisions about quantization.
    pub recipe: Recipe,
    /// Samples on which rates are measured before neurons are mapped; without them rates are assumed.
    pub profile: Option<Stimuli>,
    /// Files for other programs that the artifact has to hold besides.
    pub exports: BTreeSet<Export>,
}

/// A form of the mapped network for another program, written on demand only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Export {
    /// Chip and mapped network for the simulator SANA-FE ([`sanafe`]).
    Sanafe,
}

/// Samples that a quantization is measured on.
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    /// A stimulus that fits the network.
    pub stimuli: &'a Stimuli,
    /// Which of its samples, counted from its first.
    pub range: Range<usize>,
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
    /// The account of the quantization; `None` if the source was quantized already.
    pub report: Option<Report>,
    /// Warnings and notes of reader and passes, and what the report found.
    pub warnings: Diagnostics,
}

/// The networks that `source` becomes on the way to `end`, and the pipeline that ran.
///
/// # Errors
/// `SNN0805` for a source that is scheduled or mapped already, `SNN0810` for a recipe that has nothing
/// to decide, and what planner and passes reject.
pub fn lower(
    source: &Source,
    target: &TargetSpec,
    options: &Options,
    end: Stage,
) -> Result<(Stages, Pipeline), Failure> {
    let start = logical(source)?;
    if start > Stage::Network && options.recipe != recipe::DEFAULT {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            "a recipe decides how a float network is quantized, and the source is quantized already",
        )
        .help("start from the genome or the float network, or leave the recipe out")
        .into());
    }
    let pipeline = match &options.passes {
        Some(text) => Pipeline::parse(text)?,
        None => Pipeline::parse(&pipeline::lowered(
            start,
            options.lowering,
            options.delays,
            options.search,
        ))?,
    };
    let profile = options.profile.as_ref();
    lower_by(source, target, pipeline, (&options.recipe, profile), end)
}

/// The stage of a source that is in logical time.
fn logical(source: &Source) -> Result<Stage, Diagnostic> {
    let start = Stage::of(&source.level);
    if start > Stage::Quantized {
        return Err(Diagnostic::error(
            usage::WRONG_LEVEL,
            format!("the source is at stage `{start}`, in hardware time"),
        )
        .note("the network in logical time, which it would be certified against, is not in it")
        .help("start from the genome, a network, or a quantized network in logical time"));
    }
    Ok(start)
}

/// As [`lower`], with a given pipeline and recipe, and samples to measure rates on, which only those who map need.
pub(crate) fn lower_by(
    source: &Source,
    target: &TargetSpec,
    pipeline: Pipeline,
    (recipe, profile): (&Recipe, Option<&Stimuli>),
    end: Stage,
) -> Result<(Stages, Pipeline), Failure> {
    let registry = Registry::standard();
    let start = logical(source)?;
    if end < start {
        return Err(pipeline::not_reached(end)
            .note(format!("the source is at stage `{start}` already"))
            .into());
    }
    let pipeline = pipeline::until(&registry, pipeline, start, end);
    let level = source.level.clone();
    let stages = match profile {
        Some(stimuli) if end == Stage::Mapped => {
            pipeline::run_profiled(&registry, &pipeline, level, target, recipe, stimuli)?
        }
        _ => pipeline::run(&registry, &pipeline, level, target, recipe)?,
    };
    Ok((stages, pipeline))
}

/// Compiles `source` for `target` and certifies the result.
///
/// # Errors
/// What a pass, a back end, the reader or the certificate rejects. Then there is no artifact.
pub fn compile(source: &Source, target: &Target, options: &Options) -> Result<Compiled, Failure> {
    compile_on(source, target, options, None)
}

/// As [`compile()`]; the report also says what quantization changed on `samples`.
///
/// # Errors
/// As [`compile()`], and `SNN0835` if a simulation stops.
pub fn compile_on(
    source: &Source,
    target: &Target,
    options: &Options,
    samples: Option<&Samples<'_>>,
) -> Result<Compiled, Failure> {
    let (stages, pipeline) = lower(source, &target.spec, options, Stage::Mapped)?;
    let mapped = stages.mapped.as_ref().ok_or_else(|| pipeline::not_reached(Stage::Mapped))?;
    let logical =
        stages.quantized.as_ref().ok_or_else(|| pipeline::not_reached(Stage::Quantized))?;
    let Emitted { mut files, program, certificate, netx } = emit(mapped, logical, target)?;
    for export in &options.exports {
        files.extend(exported(*export, mapped, &target.spec)?);
    }

    // A calibrated recipe is complete, so what each of its parts costs can be told.
    let complete = options.recipe.calibration.is_some().then_some(&options.recipe);
    let mut report = report(&stages, &target.spec, &options.recipe, complete, samples)?;
    let folding = FoldingAccount::of(&Parts {
        genome: source.account.as_ref(),
        network: stages.network.as_ref(),
        quantized: logical,
        mapped,
        target: &target.spec,
        folds: &stages.folds,
        program_bytes: files
            .iter()
            .find(|f| f.name == PROGRAM_FILE)
            .map_or(0, |f| f.bytes.len() as u64),
    });
    if let Some(report) = &mut report {
        report.folding = Some(folding.clone());
    }
    let mut warnings = source.warnings.clone();
    warnings.extend(stages.remarks.clone());
    if let Some(report) = &report {
        warnings.extend(report.findings());
        let mut add = |name: &str, bytes| files.push(Entry { name: name.to_owned(), bytes });
        add(artifact::REPORT, report.to_json_bytes());
        if options.recipe != recipe::DEFAULT {
            add(artifact::RECIPE, binary::encode_recipe(&options.recipe));
        }
    }
    let mapping = MappingEntry::of(mapped, &target.spec, stages.profile.as_ref());
    let mut manifest = Manifest {
        quantization: report.is_some().then(|| RecipeEntry::of(&options.recipe)),
        netx,
        remarks: stages.remarks.iter().map(describe::remark).collect(),
        ..describe::manifest(
            source,
            &target.spec,
            &pipeline,
            logical,
            mapped,
            &program,
            (folding, mapping),
        )
    };
    let page = Page {
        manifest: &manifest,
        mapped,
        target: &target.spec,
        rates: stages.rates(),
        certificate: &certificate,
        report: report.as_ref(),
    };
    files.push(Entry { name: artifact::PAGE.to_owned(), bytes: page.html().into_bytes() });
    files.sort_by(|a, b| a.name.cmp(&b.name));
    manifest.files = files.iter().map(|f| FileEntry::of(&f.name, &f.bytes)).collect();
    let bytes = manifest.to_bytes();
    files.insert(0, Entry { name: artifact::manifest::MANIFEST.to_owned(), bytes });
    Ok(Compiled { manifest, files, certificate, program, stages, report, warnings })
}

/// The account of the quantization among `stages` by `recipe`, measured on `samples` if there are any;
/// `None` if nothing was quantized. With the `complete` recipe the cost of each projection is measured,
/// too.
pub(crate) fn report(
    stages: &Stages,
    target: &TargetSpec,
    recipe: &Recipe,
    complete: Option<&Recipe>,
    samples: Option<&Samples<'_>>,
) -> Result<Option<Report>, Diagnostics> {
    let (Some(account), Some(network), Some(quantized)) =
        (&stages.account, &stages.network, &stages.quantized)
    else {
        return Ok(None);
    };
    let options =
        MeasureOptions { recipe: complete, folds: &stages.folds, ..MeasureOptions::default() };
    let measured = match samples {
        Some(Samples { stimuli, range }) => {
            Some(measure(network, quantized, stimuli, range.clone(), &options)?)
        }
        None => None,
    };
    Ok(Some(Report::new(&network.name, &target.name, account, recipe, measured)))
}

/// What the back end made of a mapped network.
struct Emitted {
    files: Vec<Entry>,
    program: Program,
    certificate: Certificate,
    netx: Option<NetxEntry>,
}

/// The files of an export.
fn exported(
    export: Export,
    mapped: &MappedNetwork,
    target: &TargetSpec,
) -> Result<Vec<Entry>, Diagnostics> {
    let entry =
        |name: &str, text: String| Entry { name: name.to_owned(), bytes: text.into_bytes() };
    match export {
        Export::Sanafe => {
            let sanafe::Export { architecture, network } = sanafe::export(mapped, target)?;
            Ok(vec![
                entry(sanafe::ARCHITECTURE_FILE, architecture),
                entry(sanafe::NETWORK_FILE, network),
            ])
        }
    }
}

/// Writes the files of the back end, reads the program back, certifies it, and adds the files that
/// make an artifact complete without its source.
fn emit(
    mapped: &MappedNetwork,
    logical: &QuantizedNetwork,
    target: &Target,
) -> Result<Emitted, Diagnostics> {
    let emission = written(mapped, &target.spec)?;
    let mut files: Vec<Entry> = emission
        .files
        .into_iter()
        .map(|file| Entry { name: file.name, bytes: file.bytes })
        .collect();
    let bytes = files.iter().find(|f| f.name == PROGRAM_FILE).map(|f| f.bytes.as_slice());
    let program = program::read(bytes.unwrap_or_default())?;
    let certificate = certify(logical, &program, &target.spec)?;
    let bytes = files.iter().find(|f| f.name == NETX_FILE).map(|f| f.bytes.as_slice());
    let exported = match (bytes, &emission.netx) {
        (Some(bytes), Some(layout)) => {
            let proof = netx::read(bytes)
                .and_then(|file| netx::certify(logical, &program, &file, layout, &target.spec));
            Some(proof.map_err(|d| d.in_file(NETX_FILE))?)
        }
        _ => None,
    };

    let mut add = |name: &str, bytes| files.push(Entry { name: name.to_owned(), bytes });
    add(artifact::SOURCE, binary::encode_quantized(logical));
    add(artifact::TARGET, target.text.clone().into_bytes());
    let subjects = SUBJECTS.iter().filter_map(|name| files.iter().find(|f| f.name == *name));
    let subjects = subjects.map(|f| FileEntry::of(&f.name, &f.bytes)).collect();
    let proof =
        CertificateFile { certificate: certificate.clone(), files: subjects, netx: exported };
    files.push(Entry { name: artifact::CERTIFICATE.to_owned(), bytes: proof.to_bytes() });
    let left_out = emission.left_out.iter().find(|l| l.name == NETX_FILE);
    let netx = match (emission.netx, left_out) {
        (Some(layout), _) => Some(NetxEntry::Layout(layout)),
        (None, Some(left_out)) => Some(NetxEntry::LeftOut(describe::remark(&left_out.reason))),
        (None, None) => None,
    };
    Ok(Emitted { files, program, certificate, netx })
}
