//! Verification of an artifact against a source: proof first, measurement second.
//!
//! The proof quantizes the source anew and certifies the decoded program against it, for all
//! inputs. The measurement runs all levels on a stimulus: the integer ones must agree spike for
//! spike, and what quantization changed is reported.

pub mod bisect;
pub mod counterexample;
mod integers;
mod measure;
mod parts;
pub mod recheck;
mod report;

pub use counterexample::Search;
pub use measure::measure;
pub(crate) use measure::measure_with;
pub use recheck::recheck;
pub use report::{
    AccuracyReport, DistanceReport, DivergenceReport, EqualityReport, Measurement, MembraneReport,
    QuantizationReport,
};

use crate::artifact::Artifact;
use crate::compile::{Failure, lower_by};
use crate::pipeline::{Stage, Stages, adapted, not_reached};
use crate::source::Source;
use parts::Parts;
use snnc_backends::certify::{Certificate, certify};
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics, QuantizedNetwork};
use snnc_passes::{AnyLevel, Registry};
use snnc_runtime::SimError;

/// An artifact proved equal to a source.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What was proved, and the bounds.
    pub certificate: Certificate,
    /// Warnings of the passes.
    pub warnings: Diagnostics,
    stages: Stages,
    /// What becomes of the populations of a float source.
    parts: Option<Parts>,
}

impl Proof {
    /// The source, quantized, in logical time.
    ///
    /// # Errors
    /// `SNN0810` if the pipeline does not lead there.
    pub fn quantized(&self) -> Result<&QuantizedNetwork, Diagnostic> {
        self.stages.quantized.as_ref().ok_or_else(|| not_reached(Stage::Quantized))
    }

    /// The source in hardware time.
    ///
    /// # Errors
    /// `SNN0810` if the pipeline does not lead there.
    pub fn scheduled(&self) -> Result<&QuantizedNetwork, Diagnostic> {
        self.stages.scheduled.as_ref().ok_or_else(|| not_reached(Stage::Scheduled))
    }
}

/// Proves that `artifact` is `source` after the passes that its manifest names, quantized by its
/// recipe.
///
/// # Errors
/// What a pass rejects, and what the certificate finds different (`SNN07xx`).
pub fn verify(source: &Source, artifact: &Artifact) -> Result<Proof, Failure> {
    prove(source, artifact, &mut |_, _| {})
}

/// Why an artifact is not proved equal to a source.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The findings.
    pub failure: Failure,
    /// What a search for a counterexample came to, if the checker refused the artifact.
    pub search: Option<Search>,
}

/// As [`verify()`]; where the checker finds differences, a stimulus that shows them is looked for.
///
/// # Errors
/// As [`verify()`].
pub fn examine(source: &Source, artifact: &Artifact) -> Result<Proof, Box<Refused>> {
    let mut search = None;
    let mut look = |network: &QuantizedNetwork, differences: &Diagnostics| {
        search = Some(counterexample::search(network, &artifact.program, differences));
    };
    let proof = prove(source, artifact, &mut look);
    proof.map_err(|failure| Box::new(Refused { failure, search }))
}

/// As [`verify()`]; `differ` is told of the network from which the artifact differs, and of how.
fn prove(
    source: &Source,
    artifact: &Artifact,
    differ: &mut dyn FnMut(&QuantizedNetwork, &Diagnostics),
) -> Result<Proof, Failure> {
    let start = Stage::of(&source.level);
    let pipeline = adapted(&Registry::standard(), &artifact.manifest.pipeline, start)?;
    let parts = match &source.level {
        AnyLevel::Network(network) => Some(Parts::of(network, &pipeline, &artifact.target)?),
        AnyLevel::Quantized(_) | AnyLevel::Mapped(_) => None,
    };
    let (stages, _) =
        lower_by(source, &artifact.target, pipeline, (&artifact.recipe, None), Stage::Scheduled)?;
    let quantized = stages.quantized.as_ref().ok_or_else(|| not_reached(Stage::Quantized))?;
    let mut certified = |network: &QuantizedNetwork| {
        certify(network, &artifact.program, &artifact.target).inspect_err(|d| differ(network, d))
    };
    let certificate = certified(quantized)?;
    // The network that came with the artifact is held to the same standard as the fresh one.
    certified(&artifact.source)?;
    Ok(Proof { certificate, warnings: stages.remarks.clone(), stages, parts })
}

/// The finding that a simulation stopped.
pub fn simulation_failed(error: &SimError) -> Diagnostic {
    Diagnostic::error(usage::SIMULATION_FAILED, format!("the simulation stopped: {error}"))
        .help("simulate fewer samples with `--samples`, or report a bug if a certificate holds")
}
