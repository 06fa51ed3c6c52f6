//! `snnc bench`: how fast this machine simulates.

use super::output::Reply;
use super::runtime::{self, RuntimeArg};
use super::table::Table;
use super::with_threads;
use crate::bench::{self, Loaded, Measured, Workload};
use crate::calibrate::Progress;
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
    /// Threads, which share samples, or the neurons of one sample; more than one are measured beside one.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Measurements, of which the median counts.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// Simulator: `cpu`, or `gpu` for fused kernels on a graphics processor (W1i, W3 and W4).
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["threads", "write", "load"])]
    runtime: RuntimeArg,
    /// Write weights and inputs (.npz) and the network (.snnb) to this folder instead.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
    /// Measure how long this network (.snnb) takes from the file to the end of the first step instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workload", "batch", "write"])]
    load: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum WorkloadArg {
    /// 784-512-512-10, 100 steps.
    #[value(name = "W1")]
    W1,
    /// W1 in integers.
    #[value(name = "W1i")]
    W1i,
    /// Two convolutions and a pooling on 2x34x34, 50 steps.
    #[value(name = "W2")]
    W2,
    /// Balanced recurrent network: 10,000 neurons, 1,000,000 synapses, 1000 steps.
    #[value(name = "W3")]
    W3,
    /// Balanced recurrent network: 100,000 neurons, 10,000,000 synapses, 100 steps.
    #[value(name = "W4")]
    W4,
    /// All four, without W1i.
    #[default]
    #[value(name = "all")]
    All,
}

impl WorkloadArg {
    fn workloads(self) -> Vec<Workload> {
        match self {
            Self::W1 => vec![Workload::W1],
            Self::W1i => vec![Workload::W1i],
            Self::W2 => vec![Workload::W2],
            Self::W3 => vec![Workload::W3],
            Self::W4 => vec![Workload::W4],
            Self::All => Workload::ALL.to_vec(),
        }
    }
}

/// Report of `snnc bench`.
#[derive(Debug, Default, Serialize)]
pub(super) struct BenchReport {
    measured: Vec<Measured>,
    /// Files that were written instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    /// What loading a file cost, which was measured instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    loaded: Option<Loaded>,
}

impl BenchReport {
    fn reply(self, product: String) -> Reply<Self> {
        Reply { product: product.into_bytes(), ..Reply::new(self) }
    }
}

pub(super) fn run(
    args: &BenchArgs,
    progress: &dyn Progress,
) -> Result<Reply<BenchReport>, Diagnostics> {
    let [repeat, threads] = [args.repeat, args.threads].map(usize::from);
    if let Some(file) = &args.load {
        let loaded = with_threads(Some(threads), || bench::load(file, repeat))??;
        let product = phases(&loaded);
        let report = BenchReport { loaded: Some(loaded), ..BenchReport::default() };
        return Ok(report.reply(product));
    }
    let cases = args.workload.workloads().into_iter().flat_map(|workload| {
        let batches = match args.batch {
            Some(batch) => vec![usize::from(batch)],
            None => workload.batches().to_vec(),
        };
        batches.into_iter().map(move |batch| (workload, batch))
    });
    if let Some(folder) = &args.write {
        let files = cases.map(|(w, batch)| bench::write(w, batch, folder));
        let mut files = files.collect::<Result<Vec<_>, _>>()?.concat();
        // A workload of several batches has one network.
        files.sort();
        files.dedup();
        let product = files.join("\n") + "\n";
        return Ok(BenchReport { files, ..BenchReport::default() }.reply(product));
    }
    let mut measured: Vec<Measured> = Vec::new();
    if args.runtime != RuntimeArg::Cpu {
        let on = cases.map(|(w, batch)| runtime::measure(args.runtime, w, batch, repeat));
        let measured = on.collect::<Result<Vec<_>, _>>()?;
        let adapters = measured.iter().filter_map(|m| m.adapter.clone());
        let adapters: std::collections::BTreeSet<_> = adapters.collect();
        let summary = adapters.iter().map(|a| format!("runtime gpu by kernels on {a}\n"));
        let product = table(&measured);
        let reply = BenchReport { measured, ..BenchReport::default() }.reply(product);
        return Ok(Reply { summary: summary.collect(), ..reply });
    }
    let cases: Vec<_> = cases.collect();
    for (done, &(workload, batch)) in (0..).zip(&cases) {
        // Between measurements, which it would disturb.
        progress.step("measuring workloads", done, cases.len() as u64);
        let on = |threads| with_threads(Some(threads), || bench::measure(workload, batch, repeat))?;
        let one = on(1)?;
        let many = if threads > 1 { Some(on(threads)?) } else { None };
        let speedup = many.as_ref().map(|many| one.wall_seconds / many.wall_seconds);
        measured.push(one);
        measured.extend(many.map(|many| Measured { speedup, ..many }));
    }
    let product = table(&measured);
    Ok(BenchReport { measured, ..BenchReport::default() }.reply(product))
}

/// Seconds by phase.
fn phases(loaded: &Loaded) -> String {
    let mut table = Table::new(&["phase", "CPU s"]);
    for (name, seconds) in [
        ("read", loaded.read_seconds),
        ("decode", loaded.decode_seconds),
        ("verify", loaded.verify_seconds),
        ("lay out", loaded.prepare_seconds),
        ("first step", loaded.first_step_seconds),
        ("all", loaded.cpu_seconds),
        ("all, passed", loaded.wall_seconds),
    ] {
        table.row([name.to_owned(), format!("{seconds:.4}")]);
    }
    table.render(0)
}

#[expect(clippy::cast_precision_loss, reason = "bytes for people")]
fn table(measured: &[Measured]) -> String {
    let headings = [
        "workload", "level", "batch", "threads", "spikes", "events", "ns/event", "events/s",
        "wall s", "speedup", "peak MB",
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
            m.speedup.map_or_else(String::new, |s| format!("{s:.2}")),
            m.peak_bytes.map_or_else(String::new, |b| format!("{:.0}", b as f64 / 1e6)),
        ]);
    }
    table.render(0)
}
