//! Sources on cores, as `snnc compile` maps them.

use super::{MapArgs, MapReport, picture};
use crate::artifact::mapping::MappingEntry;
use crate::compile::{Options, lower};
use crate::pipeline::{self, Stage};
use crate::source::Source;
use crate::target::Target;
use snnc_ir::Diagnostics;
use snnc_passes::rates::Rates;

pub(super) fn map(
    source: &Source,
    args: &MapArgs,
    target: &Target,
) -> Result<MapReport, Diagnostics> {
    let lowering = args.lowering.lowering();
    let options = Options { lowering, search: args.search.search(), ..Options::default() };
    let lowered = lower(source, &target.spec, &options, Stage::Mapped);
    let (stages, _) = lowered.map_err(|failure| failure.diagnostics)?;
    let mapped = stages.mapped.ok_or_else(|| pipeline::not_reached(Stage::Mapped))?;
    let mapping = MappingEntry::of(&mapped, &target.spec, &Rates::assumed());
    let on_cores = mapped.network.populations.values().filter(|p| !p.is_input());
    let report = MapReport {
        network: source.name().to_owned(),
        target: target.spec.name.clone(),
        neurons: on_cores.map(|p| p.size() as u64).sum(),
        cores: mapping.cores,
        lower_bound: mapping.lower_bound,
        bound_by: mapping.bound_by,
        traffic: Some(mapping.traffic),
    };
    if let Some(file) = &args.svg {
        picture::network(file, &report, &mapped, &target.spec)?;
    }
    Ok(report)
}
