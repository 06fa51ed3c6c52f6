//! Workloads on a graphics processor.

use super::clock::cpu_seconds;
use super::work::{Counter, Work};
use super::workload::{self, Net};
use super::{Case, Measured, Workload, failed};
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_runtime::gpu::{Gpu, IntSim};

/// Measures `workload` on `batch` samples with fused kernels: the median of `repeat` measurements, each from the
/// stimuli in memory to the spikes in memory.
///
/// # Errors
/// `SNN0810` for a float workload, which no kernel runs; `SNN0835`.
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
        work += counter.integers(network, &run.spikes);
    }
    let case = Case { workload, level: "integer", batch, work, prepare_seconds };
    let measured = case.measure(repeat, || sim.run(&stimuli).map(drop))?;
    Ok(Measured { adapter: Some(gpu.adapter().to_string()), ..measured })
}
