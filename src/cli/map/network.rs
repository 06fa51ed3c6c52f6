//! Sources on cores, as `snnc compile` maps them.

use super::{MapArgs, MapReport, picture};
use crate::artifact::mapping::MappingEntry;
use crate::cli::replay;
use crate::compile::{Options, lower};
use crate::pipeline::{self, Stage};
use crate::source::Source;
use crate::target::Target;
use snnc_ir::Diagnostics;
use std::path::Path;

/// Maps `source`; what its reader and the passes remarked goes to `notes`.
pub(super) fn map(
    source: &Source,
    args: &MapArgs,
    target: &Target,
    notes: &mut Diagnostics,
) -> Result<MapReport, Diagnostics> {
    notes.extend(source.warnings.clone());
    let options = Options {
        lowering: args.lowering.lowering(),
        search: args.search.search(),
        profile: args.profile.read(source)?,
        ..Options::default()
    };
    let lowered = lower(source, &target.spec, &options, Stage::Mapped);
    let (stages, _) = lowered.map_err(|failure| replay::report(failure, Path::new(".")))?;
    let mapped = stages.mapped.as_ref().ok_or_else(|| pipeline::not_reached(Stage::Mapped))?;
    notes.extend(stages.remarks.clone());
    let mapping = MappingEntry::of(mapped, &target.spec, stages.profile.as_ref());
    let on_cores = mapped.network.populations.values().filter(|p| !p.is_input());
    let report = MapReport {
        network: source.name().to_owned(),
        target: target.spec.name.clone(),
        neurons: on_cores.map(|p| p.size() as u64).sum(),
        cores: mapping.cores,
        lower_bound: mapping.lower_bound,
        said: mapping.text(),
        bound_by: mapping.bound_by,
        assumed_rate: mapping.assumed_rate,
        profile: mapping.profile,
        traffic: Some(mapping.traffic),
        estimate: mapping.estimate,
        no_estimate: mapping.no_estimate,
    };
    if let Some(file) = &args.svg {
        picture::network(file, &report, mapped, &target.spec, stages.rates())?;
    }
    Ok(report)
}
