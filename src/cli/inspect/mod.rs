//! `snnc inspect`: what a file or an artifact holds.

mod folding;
mod levels;
mod motif;
pub(super) mod nir;
mod picture;
mod program;
mod recipe;

use super::convert::is_program;
use super::output::Reply;
use super::{Common, GivenArgs, replay};
use crate::alike::Distinct;
use crate::artifact::{Artifact, load};
use crate::compile::Options;
use crate::draw;
use crate::exit::Exit;
use crate::files::{self, shown};
use crate::pipeline::Lowering;
use crate::recipe::is_recipe;
use crate::source::{self, FileKind};
use crate::target::Target;
use clap::{Args, ValueEnum};
use folding::FoldingReport;
use levels::{MappedReport, NetworkReport, QuantizedReport};
use motif::{Motif, MotifReport};
use nir::NirReport;
use program::{ArtifactReport, ProgramReport};
use recipe::RecipeReport;
use serde::Serialize;
use snnc_backends::targets;
use snnc_ir::diag::codes::{genome, usage};
use snnc_ir::{Diagnostic, Diagnostics, Severity};
use snnc_passes::AnyLevel;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Genome, .snn, .snnb, program.snnb, recipe.snnb, .nir, or the folder of an artifact.
    path: PathBuf,
    #[command(flatten)]
    given: GivenArgs,
    /// Draw the network that a motif genome unfolds to, instead.
    #[arg(long, value_name = "FORM")]
    graph: Option<Graph>,
    /// File for the drawing [default: it is printed].
    #[arg(long, short, value_name = "FILE", requires = "graph")]
    output: Option<PathBuf>,
    /// Count parameters from the genome to core memory, and list what was folded into what, instead.
    #[arg(long, conflicts_with = "graph")]
    folding: bool,
    /// Target that is counted for; an artifact has its own [default: loihi2].
    #[arg(long, value_name = "TARGET", requires = "folding")]
    target: Option<String>,
    /// What becomes of encoded weights [default: as in `snnc compile`].
    #[arg(long, value_name = "LOWERING", requires = "folding")]
    #[arg(value_parser = Lowering::ALL.map(Lowering::name))]
    lowering: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Graph {
    /// For Graphviz.
    Dot,
    /// A drawing for browsers.
    Svg,
}

/// Report of `snnc inspect`.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum InspectReport {
    /// A genome or a network.
    Network(NetworkReport),
    /// A motif genome.
    Motif(MotifReport),
    /// An integer network.
    Quantized(QuantizedReport),
    /// An integer network on cores.
    Mapped(MappedReport),
    /// An emitted program.
    Program(ProgramReport),
    /// A recipe.
    Recipe(RecipeReport),
    /// A NIR graph or recording.
    Nir(NirReport),
    /// An artifact.
    Artifact(Box<ArtifactReport>),
    /// What a source or an artifact takes on its way to cores.
    Folding(Box<FoldingReport>),
}

pub(super) fn run(
    args: &InspectArgs,
    common: &Common,
) -> Result<Reply<InspectReport>, Diagnostics> {
    if load::is_artifact(&args.path) {
        args.only_for_genomes("an artifact")?;
        let artifact = Artifact::load(&args.path)?;
        if args.folding {
            args.compiled_already()?;
            let (product, report) = folding::artifact(artifact.manifest);
            let report = InspectReport::Folding(Box::new(report));
            let diagnostics = artifact.warnings;
            return Ok(Reply { product: product.into_bytes(), diagnostics, ..Reply::new(report) });
        }
        let (product, report) = program::artifact(artifact.manifest);
        let report = InspectReport::Artifact(Box::new(report));
        return Ok(Reply {
            product: product.into_bytes(),
            diagnostics: artifact.warnings,
            ..Reply::new(report)
        });
    }
    let kind = FileKind::of(&args.path)?;
    if kind == FileKind::Nir && !args.folding && !args.given.cuts_time() {
        args.only_for_genomes("a NIR graph")?;
        let (text, report, diagnostics) = nir::nir(&args.path)?;
        let exit = Exit::of(&diagnostics);
        let report = InspectReport::Nir(report);
        return Ok(Reply { product: text.into_bytes(), diagnostics, exit, ..Reply::new(report) });
    }
    if args.folding {
        return folding(args);
    }
    if is_recipe(&args.path) {
        args.only_for_genomes("a recipe")?;
        let (text, report) = recipe::recipe(&crate::recipe::read(&args.path)?);
        let report = InspectReport::Recipe(report);
        return Ok(Reply { product: text.into_bytes(), ..Reply::new(report) });
    }
    if !matches!(kind, FileKind::Genome | FileKind::Nir) {
        args.only_for_genomes("a file of a level")?;
    }
    if kind == FileKind::Binary {
        let bytes = files::read(&args.path, files::MAX_BINARY)?;
        if is_program(&bytes) {
            let read = snnc_backends::program::read(&bytes);
            let (text, report) =
                program::program(&read.map_err(|d| d.in_file(&shown(&args.path)))?);
            let report = InspectReport::Program(report);
            return Ok(Reply { product: text.into_bytes(), ..Reply::new(report) });
        }
    }
    let source = match source::read_with(&args.path, args.given.all()) {
        Ok(source) => source,
        // A genotype says all about the architecture without weights.
        Err(errors)
            if args.given.weights.is_none()
                && errors
                    .iter()
                    .filter(|d| d.severity == Severity::Error)
                    .all(|d| d.code == genome::WEIGHTS) =>
        {
            return architecture(args, common);
        }
        Err(errors) => return Err(errors),
    };
    if let (AnyLevel::Network(network), Some(unfolding)) = (&source.level, &source.unfolding) {
        let target = targets::by_name("loihi2")?;
        let merged = Distinct::of(network, &target).map_err(|failure| {
            let mut all = source.warnings.clone();
            all.extend(replay::report(failure, Path::new(".")));
            all
        })?;
        let motif = Motif {
            name: &network.name,
            hash: Some(&source.hash),
            unfolding,
            merged: Some(merged),
        };
        return self::motif(args, common, &motif, source.warnings.clone());
    }
    if args.graph.is_some() {
        return Err(no_motifs(&args.path).into());
    }
    let (text, report) = match &source.level {
        AnyLevel::Network(network) => {
            let (text, report) = levels::network(network, &source);
            (text, InspectReport::Network(report))
        }
        AnyLevel::Quantized(network) => {
            let (text, report) = levels::quantized(network, &source.hash, source.places.as_deref());
            (text, InspectReport::Quantized(report))
        }
        AnyLevel::Mapped(network) => {
            let (text, report) = levels::mapped(network, &source.hash);
            (text, InspectReport::Mapped(report))
        }
    };
    Ok(Reply { product: text.into_bytes(), diagnostics: source.warnings, ..Reply::new(report) })
}

impl InspectArgs {
    fn only_for_genomes(&self, what: &str) -> Result<(), Diagnostic> {
        self.given.refuse_for(what)?;
        if self.graph.is_some() { Err(no_motifs(&self.path)) } else { Ok(()) }
    }

    fn compiled_already(&self) -> Result<(), Diagnostic> {
        if self.target.is_none() && self.lowering.is_none() {
            return Ok(());
        }
        Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            format!("{} is an artifact, which is compiled already", shown(&self.path)),
        )
        .in_file(shown(&self.path))
        .help("leave `--target` and `--lowering` out, or name the genome"))
    }
}

/// The account of a source.
fn folding(args: &InspectArgs) -> Result<Reply<InspectReport>, Diagnostics> {
    let source = source::read_with(&args.path, args.given.all())?;
    let target = Target::find(args.target.as_deref().unwrap_or("loihi2"))?;
    let mut options = Options::default();
    if let Some(lowering) = args.lowering.as_deref().and_then(Lowering::named) {
        options.lowering = lowering;
    }
    let (text, report) = folding::source(&source, &target, &options)?;
    let diagnostics = source.warnings;
    let report = InspectReport::Folding(Box::new(report));
    Ok(Reply { product: text.into_bytes(), diagnostics, ..Reply::new(report) })
}

fn no_motifs(path: &Path) -> Diagnostic {
    Diagnostic::error(
        usage::CONFLICTING_OPTIONS,
        format!("`--graph` draws what a motif genome unfolds to, and {} is none", shown(path)),
    )
    .in_file(shown(path))
    .help("leave `--graph` out, or name a genome of kind `mse-nas`")
}

/// A motif genome without weights.
fn architecture(args: &InspectArgs, common: &Common) -> Result<Reply<InspectReport>, Diagnostics> {
    let (unfolding, mut found) = snnc_frontend::unfold(&args.path)?;
    let name = unfolding.name.clone();
    let motif = Motif { name: &name, hash: None, unfolding: &unfolding, merged: None };
    let note = Diagnostic::note_only(
        genome::WEIGHTS,
        "the genome has no weights: which populations always fire alike is not known",
    )
    .help("add `--weights random:SEED` to see how far they merge");
    found.push(note);
    self::motif(args, common, &motif, found)
}

/// Text and report, or a drawing.
fn motif(
    args: &InspectArgs,
    common: &Common,
    motif: &Motif<'_>,
    diagnostics: Diagnostics,
) -> Result<Reply<InspectReport>, Diagnostics> {
    let mut report = motif.report();
    let Some(form) = args.graph else {
        let product = motif.text().into_bytes();
        let report = InspectReport::Motif(report);
        return Ok(Reply { product, diagnostics, ..Reply::new(report) });
    };
    let picture = motif.picture();
    let drawing = match form {
        Graph::Dot => draw::dot(&picture),
        Graph::Svg => draw::svg(&picture),
    };
    if let Some(output) = &args.output {
        files::write(output, drawing.as_bytes())?;
        report.graph = Some(shown(output));
        let summary = format!("wrote {}\n", shown(output));
        return Ok(Reply { summary, diagnostics, ..Reply::new(InspectReport::Motif(report)) });
    }
    if common.format.takes_stdout() {
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            "`--graph` prints a drawing, so `--format json` or `sarif` has no place for its report",
        )
        .help("add `-o FILE` for the drawing, or use `--json FILE` for the report")
        .into());
    }
    let report = InspectReport::Motif(report);
    Ok(Reply { product: drawing.into_bytes(), diagnostics, ..Reply::new(report) })
}
