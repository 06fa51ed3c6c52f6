//! Networks of every level as NIR files, and the files of integers beside them.

use crate::files::{self, shown};
use crate::pipeline;
use crate::target::Target;
use snnc_frontend::nir::{self, Compat, Exported, NirFile};
use snnc_ir::diag::codes::nir_export as codes;
use snnc_ir::diag::codes::usage;
use snnc_ir::level::AnyDraft;
use snnc_ir::{Diagnostic, Diagnostics, Level, Network, binary};
use snnc_passes::AnyLevel;
use std::path::{Path, PathBuf};

/// What makes operations of those that NIR has no word for, the populations left as they are.
const CANONICAL: &str = "fold-batchnorm,fold-pooling,lower-currents";

/// Writes a network as a graph, in steps of `dt` seconds; of integers, the level itself as well, in a file beside
/// it. Returns notes.
///
/// # Errors
/// `SNN0284` and `SNN0297`: what the format cannot hold; `SNN0802`.
pub(crate) fn write_as_nir(
    level: &AnyLevel,
    (compat, dt): (Compat, Option<f64>),
    output: &Path,
) -> Result<Diagnostics, Diagnostics> {
    let dt = step(level, dt)?;
    let (exported, beside) = match level {
        AnyLevel::Network(network) => (of_network(network, dt)?, None),
        AnyLevel::Quantized(network) => {
            let bytes = binary::encode_any(&AnyDraft::Quantized(network.clone().into_draft()));
            let (name, hash) = beside(output, &bytes)?;
            (nir::export_integers(network, dt, (&name, &hash))?, Some((name, bytes)))
        }
        AnyLevel::Mapped(mapped) => {
            let bytes = binary::encode_any(&AnyDraft::Mapped(mapped.clone().into_draft()));
            let (name, hash) = beside(output, &bytes)?;
            (nir::export_integers(&mapped.network, dt, (&name, &hash))?, Some((name, bytes)))
        }
    };
    let written = nir::write(&exported.file, compat)?;
    let mut notes = exported.notes;
    notes.extend(written.notes);
    if let Some((name, bytes)) = beside {
        files::write(&output.with_file_name(name), &bytes)?;
    }
    files::write(output, &written.bytes)?;
    Ok(notes)
}

/// The length of a step in seconds.
fn step(level: &AnyLevel, given: Option<f64>) -> Result<f64, Diagnostic> {
    let known = matches!(level, AnyLevel::Network(n) if n.discretization.is_some());
    let conflict = |message: String, help: &str| {
        Err(Diagnostic::error(usage::CONFLICTING_OPTIONS, message).help(help))
    };
    match given {
        Some(_) if known => conflict(
            "`--dt` is given, and the network was read in steps of its own".to_owned(),
            "leave `--dt` out: the network is written in the steps that it has",
        ),
        Some(dt) if !(dt.is_finite() && dt > 0.0) => conflict(
            format!("the length of a step is {dt:?} s"),
            "give a number above 0 with `--dt`",
        ),
        _ => Ok(given.unwrap_or(nir::DEFAULT_DT)),
    }
}

/// The graph of a float network, lowered where NIR has no word for what it is made of.
fn of_network(network: &Network, dt: f64) -> Result<Exported, Diagnostics> {
    let refused = match nir::export_network(network, dt) {
        Ok(exported) => return Ok(exported),
        Err(refused) => refused,
    };
    // These passes are the same for every target.
    let target = Target::find("loihi2")?;
    let Ok(lowered) = pipeline::network_after(network, CANONICAL, &target.spec) else {
        return Err(refused);
    };
    let mut exported = nir::export_network(&lowered, dt)?;
    let mut note = Diagnostic::note_only(
        codes::EXPORT_READING,
        format!("the network is written behind the passes {CANONICAL}"),
    );
    for finding in refused.iter().take(3) {
        note = note.note(finding.message.clone());
    }
    exported.notes.push(note);
    Ok(exported)
}

/// Name and hash of the file of integers beside `output`.
fn beside(output: &Path, bytes: &[u8]) -> Result<(String, String), Diagnostic> {
    let stem = output.file_stem().and_then(|s| s.to_str()).ok_or_else(|| {
        Diagnostic::error(
            usage::UNKNOWN_FILE_KIND,
            format!("{} is no name in UTF-8", shown(output)),
        )
        .help("name the output in UTF-8")
    })?;
    Ok((format!("{stem}.integers.snnb"), blake3::hash(bytes).to_hex().to_string()))
}

/// The file of integers that the metadata of a graph names, unchanged since; `None` if it names none.
///
/// # Errors
/// `SNN0299` if it is missing or another one; `SNN0801`, `SNN0804`.
pub(crate) fn integers_of(path: &Path, file: &NirFile) -> Result<Option<PathBuf>, Diagnostics> {
    let Some(integers) = nir::integers(file).map_err(|d| d.in_file(&shown(path)))? else {
        return Ok(None);
    };
    let beside = path.with_file_name(&integers.name);
    let lost = |what: &str| {
        Diagnostic::error(codes::EXPORT_INTEGERS, format!("{} {what}", shown(&beside)))
            .in_file(shown(path))
            .note("the graph was made from integers, and without them it does not mean the same")
            .help("put the file back, or name the integers themselves")
    };
    if !beside.is_file() {
        return Err(lost("is missing").into());
    }
    let bytes = files::read(&beside, files::MAX_BINARY)?;
    if blake3::hash(&bytes).to_hex().as_str() != integers.hash {
        return Err(lost("is not the file that the graph names").into());
    }
    Ok(Some(beside))
}
