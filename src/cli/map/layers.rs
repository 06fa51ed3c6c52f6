//! Layered networks on cores, by their shapes alone.

use super::graph::{limits, report, unfit};
use super::{MapArgs, MapReport};
use crate::files::{self, shown};
use crate::pipeline::Search;
use snnc_frontend::arrays::read_npz;
use snnc_ir::diag::codes::mapping;
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};
use snnc_mapping::bounds;
use snnc_mapping::layers::tiles::{CoreLimits, Storage, outputs, tile};
use snnc_mapping::layers::{LayerFile, Network, mapping as pixels};
use snnc_mapping::partition::Unfit;
use std::path::Path;

pub(super) fn map(
    path: &Path,
    args: &MapArgs,
    target: &TargetSpec,
) -> Result<MapReport, Diagnostics> {
    let network = read(path)?;
    // Where the channels of a pixel share axons, cores hold tiles; where every neuron has its own, traffic decides.
    if target.axon_atoms.value > 0 {
        let refused = [
            ("--rates", "rates", &args.rates),
            ("--svg", "places for cores", &args.svg),
            ("--output", "a list of neurons", &args.output),
        ];
        for (option, what, file) in refused {
            if let Some(file) = file {
                return Err(closed_form(option, what, target).in_file(shown(file)).into());
            }
        }
        return tiled(path, &network, target);
    }
    let rates = args.rates.as_deref().map(|path| rates(path, &network)).transpose()?;
    let limits = limits(target);
    let Search { effort, seed } = args.search.search();
    let found = pixels::map(&network, &limits, rates.as_deref(), effort, seed);
    let found = found.map_err(|e| {
        Diagnostic::error(mapping::LAYERS, e.to_string())
            .in_file(shown(path))
            .help("give one rate for each neuron, and a network of less than 2^28 pairs of pixels")
    })?;
    if let Err(broken) = found.graph.check(&limits, &found.partition) {
        let first = broken.first().map_or_else(String::new, ToString::to_string);
        return Err(Diagnostic::error(mapping::NO_PARTITION, first)
            .in_file(shown(path))
            .note(format!("{}: compartments = {}", target.file, target.compartments))
            .note(format!("{}: input_axons = {}", target.file, target.input_axons))
            .help("map for a target with more room on a core")
            .into());
    }
    let bound = bounds::partition(&network, &limits);
    if found.partition.cores > limits.cores {
        let [need, limit] = [found.partition.cores, limits.cores];
        let least = u32::try_from(bound.largest()).unwrap_or(u32::MAX);
        let full = Unfit::Cores { need, least, limit };
        return Err(unfit(&full, target).in_file(shown(path)).into());
    }
    let report = report(network.name, &found.graph, &found.partition, &bound, args, target)?;
    if let Some(path) = &args.output {
        files::write(path, super::hypergraph::lines(&found.cores_of_neurons()).as_bytes())?;
    }
    Ok(report)
}

/// An option that has no meaning where layers are mapped in closed form.
fn closed_form(option: &str, what: &str, target: &TargetSpec) -> Diagnostic {
    let name = &target.name;
    Diagnostic::error(
        mapping::LAYERS,
        format!("target `{name}` maps layers in closed form, without {what}"),
    )
    .help(format!(
        "leave `{option}` out, or map for a target with an axon for each neuron (`loihi64`)"
    ))
}

/// Reads and checks a layer file.
fn read(path: &Path) -> Result<Network, Diagnostics> {
    let text = files::read_text(path, files::MAX_CONFIG)?;
    let file: LayerFile = toml::from_str(&text).map_err(|e| {
        let error = Diagnostic::error(mapping::LAYERS, e.message().to_owned())
            .in_file(shown(path))
            .help("see docs/mapping.md for what a layer file says");
        match e.span() {
            Some(span) => {
                let before = &text[..span.start.min(text.len())];
                let line = before.matches('\n').count() + 1;
                error.at_line(u32::try_from(line).unwrap_or(u32::MAX), 1)
            }
            None => error,
        }
    })?;
    file.check().map_err(|errors| {
        let finding = |e: &snnc_mapping::layers::LayerError| {
            Diagnostic::error(mapping::LAYERS, e.problem.clone())
                .in_file(shown(path))
                .at(format!("layer `{}`, `{}`", e.layer, e.key))
                .help("see docs/mapping.md for what a layer file says")
        };
        errors.iter().map(finding).collect()
    })
}

/// The rates of the network's neurons.
fn rates(path: &Path, network: &Network) -> Result<Vec<f32>, Diagnostics> {
    let arrays = read_npz(path)?;
    let found = match &arrays[..] {
        [(_, only)] => Some(only),
        all => all.iter().find(|(name, _)| *name == network.name).map(|(_, array)| array),
    };
    let wrong = |message: String| {
        Diagnostic::error(mapping::LAYERS, message)
            .in_file(shown(path))
            .help("give an array of one rate per neuron: layer by layer, row by row, channels last")
    };
    let array = found.ok_or_else(|| wrong(format!("there is no array `{}`", network.name)))?;
    let values = array.to_f64().map_err(|_| wrong("its numbers are too large".to_owned()))?;
    #[expect(clippy::cast_possible_truncation, reason = "rates need no more than 24 bits")]
    Ok(values.into_iter().map(|rate| rate as f32).collect())
}

/// Cores up to which output axons are counted.
const COUNTED: u64 = 1 << 15;

/// Tiles in closed form.
fn tiled(path: &Path, network: &Network, target: &TargetSpec) -> Result<MapReport, Diagnostics> {
    let limits = core_limits(target);
    let tiling = tile(network, &limits).map_err(|e| {
        Diagnostic::error(mapping::NO_PARTITION, e.to_string())
            .in_file(shown(path))
            .at(format!("layer `{}`", e.layer))
            .help("map for a target with more room on a core, or divide the layer")
    })?;
    let cores = tiling.cores();
    let (lower_bound, bound_by) = bounds::cores(network, &limits).tightest();
    let available = target.cores();
    if cores > available {
        return Err(Diagnostic::error(
            mapping::TOO_MANY_CORES,
            format!(
                "{cores} cores are needed (at least {lower_bound}); `{}` has {available}",
                target.name
            ),
        )
        .in_file(shown(path))
        .note(format!("{}: chips = {}", target.file, target.chips))
        .note(format!("{}: cores_per_chip = {}", target.file, target.cores_per_chip))
        .help("map for a board with more chips: a target file of your own says how many there are")
        .into());
    }
    if cores <= COUNTED {
        let over = outputs(network, &tiling, &limits).into_iter().filter(|n| *n > limits.outputs);
        if let Some(most) = over.max() {
            return Err(Diagnostic::error(
                mapping::NO_PARTITION,
                format!(
                    "a core of the best tiling takes {most} output axons, {} are available",
                    limits.outputs
                ),
            )
            .in_file(shown(path))
            .note(format!("{}: output_axons = {}", target.file, target.output_axons))
            .help("map for a target with more output axons on a core")
            .into());
        }
    }
    let shape = (network.name.clone(), network.neurons());
    Ok(MapReport::of_shape(shape, target, (cores, lower_bound, bound_by), None))
}

/// The limits of a core that tiles know. Weights have 8 bits.
fn core_limits(target: &TargetSpec) -> CoreLimits {
    let count = |limit: &Limit| u64::try_from(limit.value).unwrap_or(0);
    let small = |limit: &Limit| u32::try_from(limit.value).unwrap_or(u32::MAX);
    let storage = if target.shared_kernels.value > 0 {
        Storage::Once
    } else if target.list_bases.value > 0 {
        Storage::Patterns
    } else {
        Storage::Lists
    };
    let compartments = count(&target.compartments).max(2);
    CoreLimits {
        neurons: count(&target.compartments),
        inputs: count(&target.input_axons),
        words: count(&target.synapse_words),
        storage,
        weight_bits: 8,
        // A list of neurons that do not lie side by side names each of them.
        index_bits: if storage == Storage::Once { 0 } else { (compartments - 1).ilog2() + 1 },
        header_bits: small(&target.synapse_header_bits),
        block: small(&target.synapse_block),
        atoms: small(&target.axon_atoms),
        bases: small(&target.list_bases),
        outputs: count(&target.output_axons),
        slots: count(&target.population_slots),
    }
}
