//! Maps a layered network and prints what comes out:
//! `layers FILE.toml loihi64|loihi84 RATES.f32|- start|fast|balanced|best SEEDS [BLOCK]` or `layers FILE.toml loihi1|loihi2`.
//!
//! Rates are little-endian f32, one per neuron: layer by layer, (row · width + column) · channels + channel. A `BLOCK` of 1 makes
//! every neuron a vertex and prints the order of neurons as they are numbered. Seconds are processor time of this thread
//! (`/proc/thread-self/schedstat`), reading files not included.

use std::error::Error;
use std::io::Write;

use snnc_mapping::bounds;
use snnc_mapping::hypergraph::Hypergraph;
use snnc_mapping::layers::mapping::{block_sizes, map};
use snnc_mapping::layers::order::fill;
use snnc_mapping::layers::pixels::Pixels;
use snnc_mapping::layers::start::start;
use snnc_mapping::layers::tiles::{CoreLimits, outputs, tile};
use snnc_mapping::layers::{LayerFile, Network};
use snnc_mapping::partition::{Effort, Limits, Partition};
use snnc_mapping::place::{Mesh, Traffic, place, report};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, preset, rest @ ..] = arguments.as_slice() else {
        return Err("usage: layers FILE.toml PRESET [RATES|- EFFORT SEEDS [BLOCK]]".into());
    };
    let file: LayerFile = toml::from_str(&std::fs::read_to_string(file)?)?;
    let network = file
        .check()
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let mut out = std::io::stdout();
    let (name, neurons, synapses) = (&network.name, network.neurons(), network.synapses());
    writeln!(out, "{name}: {neurons} neurons, {synapses} synapses")?;
    match preset.as_str() {
        "loihi1" => tiles(&network, &CoreLimits::LOIHI1),
        "loihi2-outputs" => tiles(&network, &CoreLimits { outputs: 16_000, ..CoreLimits::LOIHI2 }),
        "loihi2" => tiles(&network, &CoreLimits::LOIHI2),
        "plain64" => tiles(&network, &CoreLimits::plain(1024, 4096)),
        "loihi64" => hypergraph(&network, 1024, 4096, rest),
        "loihi84" => hypergraph(&network, 4096, 65_536, rest),
        other => {
            Err(format!("preset `{other}` is none of loihi1, loihi2, loihi64, loihi84").into())
        }
    }
}

/// Closed-form tiles.
fn tiles(network: &Network, limits: &CoreLimits) -> Result<(), Box<dyn Error>> {
    let begin = processor_seconds()?;
    let tiling = tile(network, limits)?;
    let seconds = processor_seconds()? - begin;
    let bound = bounds::cores(network, limits);
    let cores = tiling.cores();
    let mut out = std::io::stdout();
    writeln!(
        out,
        "cores {cores} (lower bound {}: {bound:?}) seconds {seconds:.4}",
        bound.largest()
    )?;
    if cores < 20_000 {
        let outputs = outputs(network, &tiling, limits);
        let most = outputs.iter().max().copied().unwrap_or(0);
        let over = |limit: u64| outputs.iter().filter(|count| **count > limit).count();
        let (four, sixteen) = (over(4096), over(16_000));
        writeln!(
            out,
            "output axons {most} at most; {four} cores above 4,096, {sixteen} above 16,000"
        )?;
    }
    Ok(())
}

/// The partition of pixels.
fn hypergraph(
    network: &Network,
    neurons: u64,
    inputs: u64,
    rest: &[String],
) -> Result<(), Box<dyn Error>> {
    let limits = Limits { neurons, inputs, cores: u32::MAX };
    let [rates, effort, seeds, block @ ..] = rest else {
        return Err("usage: layers FILE.toml PRESET RATES|- EFFORT SEEDS [BLOCK]".into());
    };
    let rates: Option<Vec<f32>> = match rates.as_str() {
        "-" => None,
        path => {
            let bytes = std::fs::read(path)?;
            let (values, _) = bytes.as_chunks::<4>();
            Some(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
        }
    };
    let mut out = std::io::stdout();
    let mut sizes = block_sizes(network, &limits);
    if let [block] = block {
        sizes = vec![block.parse()?; sizes.len()];
    }
    let pixels = Pixels::new(network, &sizes)?;
    let graph = pixels.hypergraph(network, rates.as_deref(), 1 << 28)?;
    let (vertices, pins) = (graph.vertices(), graph.targets.len());
    writeln!(out, "blocks of {sizes:?} channels: {vertices} vertices, {pins} pins")?;
    let bound = bounds::partition(network, &limits).largest();
    let least = bounds::km1(&graph, &limits);
    let mut print = |what: &str, graph: &Hypergraph, partition: &Partition, seconds: f64| {
        let violations = graph.check(&limits, partition).err().map_or(0, |all| all.len());
        let (cores, km1) = (partition.cores, graph.km1(partition));
        writeln!(
            out,
            "{what} cores {cores} (lower bound {bound}) km1 {km1:.1} (at least {least:.0}) seconds {seconds:.3} violations {violations}"
        )
    };
    if !block.is_empty() {
        let order: Vec<u32> = (0..u32::try_from(vertices)?).collect();
        print("natural order", &graph, &fill(&graph, &limits, &order), 0.0)?;
        return Ok(());
    }
    let effort = match effort.as_str() {
        "start" => None,
        "fast" => Some(Effort::Fast),
        "balanced" => Some(Effort::Balanced),
        "best" => Some(Effort::Best),
        other => {
            return Err(format!("effort `{other}` is none of start, fast, balanced, best").into());
        }
    };
    for seed in 1..=seeds.parse()? {
        let begin = processor_seconds()?;
        let Some(effort) = effort else {
            let pixels = Pixels::new(network, &sizes)?;
            let graph = pixels.hypergraph(network, rates.as_deref(), 1 << 28)?;
            let partition = start(network, &pixels, &graph, &limits);
            print("start", &graph, &partition, processor_seconds()? - begin)?;
            continue;
        };
        let mapped = map(network, &limits, rates.as_deref(), effort, seed)?;
        let seconds = processor_seconds()? - begin;
        print(&format!("seed {seed}"), &mapped.graph, &mapped.partition, seconds)?;
        let begin = processor_seconds()?;
        let mesh = if inputs > 4096 { Mesh::loihi84() } else { Mesh::loihi64() };
        let traffic = Traffic::of(&mapped.graph, &mapped.partition);
        let placement = place(&traffic, &mesh, effort, seed)?;
        let seconds = processor_seconds()? - begin;
        let report = report(&traffic, &mesh, &placement);
        let (energy, hops) = (report.energy, report.mean_hops);
        writeln!(
            std::io::stdout(),
            "  energy {energy:.0} (lower bound {:.0}) mean hops {hops:.2} seconds {seconds:.3}",
            report.energy_bound
        )?;
    }
    Ok(())
}

fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or("").parse()?;
    Ok(nanoseconds / 1e9)
}
