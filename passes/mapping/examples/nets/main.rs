//! Writes the networks by which mappers are compared: `nets DIR [SEED] [NAME..]`.
//!
//! | name | files | what |
//! | --- | --- | --- |
//! | `lenet` | `.hgr` | LeNet-5 for gray images of 28 × 28 after its first convolution, neuron by neuron |
//! | `motif32k` | `.hgr` | 64 copies of one recurrent motif of 512 neurons, 12 % dense; 4 % of synapses go elsewhere |
//! | `rand16k` | `.hgr` | neighbors on a torus of 128 × 128, fan-out 128, distance 6; 5 % of synapses go anywhere |
//! | `random10m` | `.hgr` | 100,000 neurons with 100 targets anywhere. Only if named: 60 MB |
//! | `torus10m` | `.hgr` | like `rand16k`, 280 × 280. Only if named: 60 MB |
//! | `pilotnet`, `resnet20`, `vgg11` | `.toml`, `.npz` | layer files of this repository, and a rate for each neuron |
//!
//! Rates are log-normal, median 1, sigma 1. Neurons of the recurrent networks are numbered at random: their order says nothing. The same
//! seed (1, if none is given) gives the same networks.

mod npz;
mod random;
mod recurrent;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use random::Random;
use snnc_mapping::hypergraph::Hypergraph;
use snnc_mapping::layers::pixels::Pixels;
use snnc_mapping::layers::{LayerFile, Network};

/// What is written unless names are given.
const USUAL: [&str; 6] = ["lenet", "motif32k", "rand16k", "pilotnet", "resnet20", "vgg11"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, rest @ ..] = arguments.as_slice() else {
        return Err("usage: nets DIR [SEED] [NAME..]".into());
    };
    let (seed, names) = match rest {
        [] => (1, rest),
        [seed, names @ ..] => (seed.parse()?, names),
    };
    let directory = Path::new(directory);
    std::fs::create_dir_all(directory)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in if names.is_empty() { &USUAL[..] } else { &names } {
        write(name, directory, seed)?;
    }
    Ok(())
}

fn write(name: &str, directory: &Path, seed: u64) -> Result<(), Box<dyn Error>> {
    let mut random = Random::new(seed);
    let graph = match name {
        "lenet" => {
            let (_, network) = layers(name)?;
            let rates = rates(&network, &mut random)?;
            // Blocks of one channel: every neuron is a vertex.
            let pixels = Pixels::new(&network, &vec![1; network.layers.len()])?;
            pixels.hypergraph(&network, Some(&rates), 1 << 24)?
        }
        "motif32k" => recurrent::motif(64, 512, &mut random),
        "rand16k" => recurrent::torus(128, 128, &mut random),
        "torus10m" => recurrent::torus(280, 128, &mut random),
        "random10m" => recurrent::anywhere(100_000, 100, &mut random),
        "pilotnet" | "resnet20" | "vgg11" => {
            let (text, network) = layers(name)?;
            let rates = rates(&network, &mut random)?;
            std::fs::write(directory.join(format!("{name}.toml")), text)?;
            std::fs::write(directory.join(format!("{name}.npz")), npz::archive(name, &rates)?)?;
            return Ok(());
        }
        other => return Err(format!("there is no network `{other}`").into()),
    };
    std::fs::write(directory.join(format!("{name}.hgr")), text(&graph))?;
    Ok(())
}

/// A layer file of this repository, and what it says.
fn layers(name: &str) -> Result<(String, Network), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/layers");
    let text = std::fs::read_to_string(folder.join(format!("{name}.toml")))?;
    let file: LayerFile = toml::from_str(&text)?;
    let network = file
        .check()
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    Ok((text, network))
}

/// A rate for each neuron.
#[expect(clippy::cast_possible_truncation, reason = "files hold rates of 24 bits")]
fn rates(network: &Network, random: &mut Random) -> Result<Vec<f32>, Box<dyn Error>> {
    let neurons: u64 = network.layers.iter().map(|layer| layer.shape.neurons()).sum();
    let neurons = usize::try_from(neurons)?;
    Ok((0..neurons).map(|_| random.log_normal() as f32).collect())
}

/// A hypergraph of single neurons in hMETIS' format, with sources and rates as `snnc map --hgr` reads them.
fn text(graph: &Hypergraph) -> String {
    let mut text = format!("{} {} 1\n", graph.edges(), graph.vertices());
    for edge in 0..graph.edges() {
        // Writing to a string cannot fail. Partitioners take weights above 0 only.
        let rate = (graph.rates[edge] * 100.0).round().max(1.0);
        let _ = write!(text, "{rate} {}", graph.sources[edge] + 1);
        for &target in graph.targets_of(edge) {
            let _ = write!(text, " {}", target + 1);
        }
        text.push('\n');
    }
    text
}
