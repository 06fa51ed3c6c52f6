//! Partitions a hypergraph and prints what comes out: `partition FILE.hgr NEURONS INPUTS fast|balanced|best SEEDS`.
//!
//! Seconds are processor time of this thread (`/proc/thread-self/schedstat`), reading the file not included.

use std::error::Error;
use std::io::Write;

use snnc_mapping::hgr;
use snnc_mapping::partition::{Effort, Limits, partition};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, neurons, inputs, effort, seeds] = arguments.as_slice() else {
        return Err("usage: partition FILE.hgr NEURONS INPUTS fast|balanced|best SEEDS".into());
    };
    let graph = hgr::read(&std::fs::read(file)?)?;
    let limits = Limits { neurons: neurons.parse()?, inputs: inputs.parse()?, cores: u32::MAX };
    let effort = match effort.as_str() {
        "fast" => Effort::Fast,
        "balanced" => Effort::Balanced,
        "best" => Effort::Best,
        other => return Err(format!("effort `{other}` is none of fast, balanced, best").into()),
    };
    let seeds: u32 = seeds.parse()?;
    let mut out = std::io::stdout();
    let mut sums = [0.0; 3];
    for seed in 1..=u64::from(seeds) {
        let start = processor_seconds()?;
        let result = partition(&graph, &limits, effort, seed)?;
        let seconds = processor_seconds()? - start;
        let violations =
            graph.check(&limits, &result).err().map_or(0, |violations| violations.len());
        let figures = [f64::from(result.cores), graph.km1(&result), seconds];
        writeln!(
            out,
            "seed {seed} cores {} km1 {:.1} seconds {:.3} violations {violations}",
            figures[0], figures[1], figures[2]
        )?;
        sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
    }
    let sums = sums.map(|sum| sum / f64::from(seeds));
    writeln!(out, "mean cores {:.1} km1 {:.1} seconds {:.3}", sums[0], sums[1], sums[2])?;
    Ok(())
}

fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or("").parse()?;
    Ok(nanoseconds / 1e9)
}
