//! Writes genetically encoded genomes of the size that papers report, with random genes.
//!
//! ```sh
//! cargo run --release --example gee -- resnet18 per_offset 64 DIR
//! ```
//!
//! writes `resnet18-per_offset-64.genome.json` and its `.safetensors` to `DIR`. Architectures: `resnet18` and
//! `vgg16`, both for 32x32 color images (CIFAR). Schemes: `per_offset` and `flat_fan_in`. The same arguments
//! always give the same bytes.

mod net;
mod tensors;

use net::{Genome, Scheme};
use std::path::Path;
use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "a command line tool")]
fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("gee: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let [architecture, scheme, genes, folder] = arguments else {
        return Err("expected: resnet18|vgg16 per_offset|flat_fan_in GENES DIR".to_owned());
    };
    let scheme = match scheme.as_str() {
        "per_offset" => Scheme::PerOffset,
        "flat_fan_in" => Scheme::FlatFanIn,
        other => return Err(format!("unknown scheme `{other}`: per_offset or flat_fan_in")),
    };
    let genes = (genes.parse().ok())
        .filter(|genes| (1..=1024).contains(genes))
        .ok_or_else(|| format!("`{genes}` genes: expected a number from 1 to 1024"))?;
    let name = format!("{architecture}-{}-{genes}", scheme.name());
    let mut genome = Genome::new(&name, scheme, genes);
    match architecture.as_str() {
        "resnet18" => genome.resnet18(),
        "vgg16" => genome.vgg16(),
        other => return Err(format!("unknown architecture `{other}`: resnet18 or vgg16")),
    }
    let (json, side_car) = genome.files();
    let folder = Path::new(folder);
    let write = |suffix: &str, bytes: &[u8]| {
        let path = folder.join(format!("{name}.{suffix}"));
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write("safetensors", &side_car)?;
    write("genome.json", &json)
}
