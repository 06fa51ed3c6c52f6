//! Maps a layered network: `layers FILE.toml PRESET [RATES.f32|-] [EFFORT] [SEEDS] [BLOCK]`.

use snnc_mapping::hypergraph::Hypergraph;
use snnc_mapping::layers::LayerFile;
use snnc_mapping::layers::order::fill;
use snnc_mapping::layers::pixels::Pixels;
use snnc_mapping::layers::tiles::{CoreLimits, tile};
use snnc_mapping::partition::{Limits, Partition};
use std::error::Error;

fn km1(graph: &Hypergraph, partition: &Partition) -> f64 {
    let mut total = 0.0;
    let mut seen = vec![u32::MAX; partition.cores as usize];
    for edge in 0..graph.edges() {
        let mut count = 0_u32;
        for &v in graph.targets_of(edge).iter().chain([&graph.sources[edge]]) {
            let core = partition.core[v as usize];
            if core != u32::MAX && seen[core as usize] != edge as u32 {
                seen[core as usize] = edge as u32;
                count += 1;
            }
        }
        total += graph.rates[edge] * f64::from(count.saturating_sub(1));
    }
    total
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let file: LayerFile = toml::from_str(&std::fs::read_to_string(&args[0])?)?;
    let network = file
        .check()
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    if let Some(limits) = match args[1].as_str() {
        "loihi1" => Some(CoreLimits::LOIHI1),
        "loihi2" => Some(CoreLimits::LOIHI2),
        _ => None,
    } {
        let clock = std::time::Instant::now();
        let tiling = tile(&network, &limits)?;
        println!(
            "{} cores in {:?}, groups {} mixed {}, neuron bound {}",
            tiling.cores(),
            clock.elapsed(),
            tiling.groups.len(),
            tiling.mixed.len(),
            network.neurons().div_ceil(limits.neurons)
        );
        for g in &tiling.groups {
            if args.len() > 2 {
                println!("{} {:?}", network.layers[g.first.layer].name, g);
            }
        }
        for g in &tiling.mixed {
            if args.len() > 2 {
                println!("{:?}", g);
            }
        }
        return Ok(());
    }
    let limits = match args[1].as_str() {
        "loihi64" => Limits { neurons: 1024, inputs: 4096, cores: 4096 },
        _ => Limits { neurons: 4096, inputs: 65536, cores: 7056 },
    };
    let rates: Option<Vec<f32>> = match args.get(2).map(String::as_str) {
        None | Some("-") => None,
        Some(path) => Some(
            std::fs::read(path)?
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
        ),
    };
    let size: u32 = args.get(5).map_or(Ok(1), |b| b.parse())?;
    println!("{} neurons, {} synapses", network.neurons(), network.synapses());
    let sizes = vec![size; network.layers.len()];
    let pixels = Pixels::new(&network, &sizes)?;
    let graph = pixels.hypergraph(&network, rates.as_deref(), 1 << 30)?;
    println!("{} vertices {} edges {} pins", graph.vertices(), graph.edges(), graph.targets.len());
    let partition = fill(&graph, &limits, &(0..graph.vertices() as u32).collect::<Vec<_>>());
    println!("natural: cores {} km1 {}", partition.cores, km1(&graph, &partition));
    let partition = snnc_mapping::layers::start::start(&network, &pixels, &graph, &limits);
    println!("start: cores {} km1 {}", partition.cores, km1(&graph, &partition));
    Ok(())
}
