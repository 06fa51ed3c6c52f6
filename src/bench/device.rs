//! Workloads on a graphics processor.

use super::clock::{cpu_seconds, peak_bytes};
use super::work::{Counter, Work};
use super::workload::{self, Net};
use super::{Measured, SHORTEST, Workload, failed, median};
use snnc_ir::arena::Entity;
use snnc_ir::diag::codes::usage;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_runtime::gpu::{Gpu, IntSim};
use std::time::Instant;

/// Measures `workload` on `batch` samples with fused kernels: the median of `repeat` measurements, each from the
/// stimuli in memory to the spikes in memory.
///
/// # Errors
/// `SNN0810` for a float workload, which no kernel runs; `SNN0835`.
#[expect(clippy::cast_precision_loss, reason = "times and counts for people")]
pub(crate) fn measure_on(
    gpu: &Gpu,
    workload: Workload,
    batch: usize,
    repeat: usize,
) -> Result<Measured, Diagnostics> {
    let net = workload.build()?;
    let stimuli = workload::stimuli(&net, batch);
    let counter = Counter::new(&net);
    let Net::Integer(network) = &net else {
        let message = format!("{} is a float network, and kernels run integers", workload.name());
        return Err(Diagnostic::error(usage::CONFLICTING_OPTIONS, message)
            .help("`--runtime gpu` measures W1i, W3 and W4")
            .into());
    };
    let start = cpu_seconds();
    let sim = IntSim::new(network, gpu).map_err(|e| failed(&e))?;
    let prepare_seconds = cpu_seconds() - start;
    // The first run compiles the kernels.
    let mut work = Work::default();
    for run in sim.run(&stimuli).map_err(|e| failed(&e))? {
        let neurons = network.populations.iter().filter(|(_, p)| p.neuron().is_some());
        let trains = neurons.map(|(id, _)| &run.spikes[id.index()]);
        work += Work {
            spikes: trains.map(SpikeTrain::count).sum(),
            events: counter.events(|population| run.spikes.get(population)),
        };
    }
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..repeat.max(1) {
        let (start, watch) = (cpu_seconds(), Instant::now());
        let mut runs = 0.0;
        while runs == 0.0 || watch.elapsed().as_secs_f64() < SHORTEST {
            sim.run(&stimuli).map_err(|e| failed(&e))?;
            runs += 1.0;
        }
        wall.push(watch.elapsed().as_secs_f64() / runs);
        cpu.push((cpu_seconds() - start) / runs);
    }
    let [cpu_seconds, wall_seconds] = [median(cpu), median(wall)];
    Ok(Measured {
        workload: workload.name(),
        level: "integer",
        batch,
        threads: rayon::current_num_threads(),
        adapter: Some(gpu.adapter().to_string()),
        spikes: work.spikes,
        events: work.events,
        prepare_seconds,
        cpu_seconds,
        wall_seconds,
        ns_per_event: cpu_seconds * 1e9 / work.events as f64,
        events_per_second: work.events as f64 / wall_seconds,
        speedup: None,
        peak_bytes: peak_bytes(),
    })
}
