//! `snnc bench`: how fast this machine simulates.

use super::output::Reply;
use super::table::Table;
use super::with_threads;
use crate::bench::{self, Measured, Workload};
use clap::{Args, ValueEnum};
use serde::Serialize;
use snnc_ir::Diagnostics;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Workload.
    #[arg(value_enum, ignore_case = true, default_value_t)]
    workload: WorkloadArg,
    /// Samples per run [default: 1 and 256 for W1, 16 for W2, 1 for the others].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    batch: Option<u16>,
    /// Threads; samples are shared among them.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Measurements, of which the median counts.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// Write weights and inputs to this folder (.npz) instead, for other simulators.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum WorkloadArg {
    /// 784-512-512-10, 100 steps.
    #[value(name = "W1")]
    W1,
    /// Two convolutions and a pooling on 2x34x34, 50 steps.
    #[value(name = "W2")]
    W2,
    /// Balanced recurrent network: 10,000 neurons, 1,000,000 synapses, 1000 steps.
    #[value(name = "W3")]
    W3,
    /// Balanced recurrent network: 100,000 neurons, 10,000,000 synapses, 100 steps.
    #[value(name = "W4")]
    W4,
    /// All four.
    #[default]
    #[value(name = "all")]
    All,
}

impl WorkloadArg {
    fn workloads(self) -> Vec<Workload> {
        match self {
            Self::W1 => vec![Workload::W1],
            Self::W2 => vec![Workload::W2],
            Self::W3 => vec![Workload::W3],
            Self::W4 => vec![Workload::W4],
            Self::All => Workload::ALL.to_vec(),
        }
    }
}

/// Report of `snnc bench`.
#[derive(Debug, Serialize)]
pub(super) struct BenchReport {
    measured: Vec<Measured>,
    /// Files that were written instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
}

pub(super) fn run(args: &BenchArgs) -> Result<Reply<BenchReport>, Diagnostics> {
    let cases = args.workload.workloads().into_iter().flat_map(|workload| {
        let batches = match args.batch {
            Some(batch) => vec![usize::from(batch)],
            None => workload.batches().to_vec(),
        };
        batches.into_iter().map(move |batch| (workload, batch))
    });
    if let Some(folder) = &args.write {
        let files = cases.map(|(w, batch)| bench::write(w, batch, folder));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let product = (files.join("\n") + "\n").into_bytes();
        return Ok(Reply { product, ..Reply::new(BenchReport { measured: Vec::new(), files }) });
    }
    let repeat = usize::from(args.repeat);
    let measured = cases.map(|(workload, batch)| {
        with_threads(Some(usize::from(args.threads)), || bench::measure(workload, batch, repeat))?
    });
    let measured = measured.collect::<Result<Vec<_>, _>>()?;
    let product = table(&measured).into_bytes();
    Ok(Reply { product, ..Reply::new(BenchReport { measured, files: Vec::new() }) })
}

#[expect(clippy::cast_precision_loss, reason = "bytes for people")]
fn table(measured: &[Measured]) -> String {
    let headings = [
        "workload", "level", "batch", "threads", "spikes", "events", "ns/event", "events/s",
        "wall s", "peak MB",
    ];
    let mut table = Table::new(&headings);
    for m in measured {
        table.row([
            m.workload.to_owned(),
            m.level.to_owned(),
            m.batch.to_string(),
            m.threads.to_string(),
            m.spikes.to_string(),
            m.events.to_string(),
            format!("{:.4}", m.ns_per_event),
            format!("{:.3e}", m.events_per_second),
            format!("{:.4}", m.wall_seconds),
            m.peak_bytes.map_or_else(String::new, |b| format!("{:.0}", b as f64 / 1e6)),
        ]);
    }
    table.render(0)
}
