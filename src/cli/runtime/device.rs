//! Graphics processors.

use super::{AdapterReport, Chosen, RuntimeReport};
use crate::bench::{self, Measured, Workload};
use crate::simulate::{Machine, Runtime};
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_runtime::gpu::{Adapter, Gpu, IntSim, OpenError};

/// How to get a driver.
const DRIVERS: &str = "install a driver: NVIDIA's or Mesa's for Vulkan (Debian: mesa-vulkan-drivers \
                       and libvulkan1), with the device visible to this user or container; \
                       `vulkaninfo --summary` lists what Vulkan sees";

/// A graphics processor for `machine`, or why there is none.
///
/// # Errors
/// `SNN0827`, `SNN0828`; `SNN0835` if the device cannot run such a network.
pub(super) fn gpu(machine: &Machine) -> Result<Chosen, Diagnostics> {
    let gpu = Gpu::open().map_err(|e| refused(&e))?;
    if let Machine::Integers(network) = machine
        && let Err(error) = IntSim::new(network, gpu)
    {
        let message = format!("{} cannot run this network: {error}", gpu.adapter().name);
        return Err(Diagnostic::error(usage::SIMULATION_FAILED, message)
            .help("`--runtime cpu` has no such limit")
            .into());
    }
    let mut chosen = on(gpu, machine);
    if gpu.adapter().software {
        let message = format!(
            "{} is a program on the CPU: results are those of a graphics processor, times are not",
            gpu.adapter().name
        );
        chosen.remarks.push(Diagnostic::note_only(usage::RUNTIME_CHOSEN, message));
    }
    if let (Machine::Float(_), Some(what)) = (machine, gpu.rounds()) {
        chosen.remarks.push(
            Diagnostic::warning(
                usage::RUNTIME_CHOSEN,
                format!("{} rounds floats otherwise than the definition says", gpu.adapter().name),
            )
            .note(what.to_owned())
            .note("spikes may differ where a membrane comes that near to its threshold")
            .help("`--runtime cpu` is exact; integer networks are exact on every device"),
        );
    }
    Ok(chosen)
}

/// A graphics processor if there is a real one that computes rightly and can run `machine`, else the CPU.
pub(super) fn auto(machine: &Machine) -> Chosen {
    let gpu = match Gpu::open_hardware() {
        Ok(gpu) => gpu,
        Err(OpenError::Software(adapter)) => {
            let why = format!("{} is a program on the CPU itself", described(&adapter));
            return Chosen::fallback(machine, &why);
        }
        Err(OpenError::Unavailable { message, .. }) => {
            return Chosen::fallback(
                machine,
                &format!("there is no graphics processor ({message})"),
            );
        }
        Err(OpenError::Wrong { adapter, what }) => {
            let why = format!("{} computes wrongly: {what}", described(&adapter));
            return Chosen::fallback(machine, &why);
        }
    };
    let name = described(gpu.adapter());
    let why_not = match machine {
        Machine::Float(_) => gpu.rounds().map(|what| format!("{name} rounds otherwise: {what}")),
        Machine::Integers(network) => {
            IntSim::new(network, gpu).err().map(|e| format!("{name} cannot run it: {e}"))
        }
        Machine::Program(_) => Some("a program runs core by core".to_owned()),
    };
    if let Some(why) = why_not {
        return Chosen::fallback(machine, &why);
    }
    let mut chosen = on(gpu, machine);
    let message = format!("`--runtime auto` runs on {name}, which passed its check");
    chosen.remarks.push(Diagnostic::note_only(usage::RUNTIME_CHOSEN, message));
    chosen
}

/// Measures a workload.
///
/// # Errors
/// Those of [`gpu`] and of [`bench::measure_on`].
pub(super) fn measure(
    workload: Workload,
    batch: usize,
    repeat: usize,
) -> Result<Measured, Diagnostics> {
    bench::measure_on(Gpu::open().map_err(|e| refused(&e))?, workload, batch, repeat)
}

fn on(gpu: &'static Gpu, machine: &Machine) -> Chosen {
    let mut remarks = Diagnostics::new();
    let mut by = "kernels";
    if matches!(machine, Machine::Float(_)) {
        by = "tensors";
        remarks.push(Diagnostic::note_only(
            usage::RUNTIME_CHOSEN,
            "fused kernels run integers; a float network runs as tensors, operation by operation",
        ));
    }
    let Adapter { name, backend, driver, software } = gpu.adapter().clone();
    let adapter = Some(AdapterReport { name, backend, driver, software });
    let report = Some(RuntimeReport { name: "gpu", by, adapter });
    Chosen { runtime: Runtime::Gpu(gpu), report, remarks }
}

fn described(adapter: &Adapter) -> String {
    adapter.to_string()
}

/// Why no graphics processor is used, as an error.
fn refused(error: &OpenError) -> Diagnostics {
    match error {
        OpenError::Unavailable { message, found } => {
            let error =
                Diagnostic::error(usage::NO_GPU, "there is no graphics processor to run on")
                    .note(message.clone());
            let error = if found.is_empty() {
                error.note("no adapter was found through Vulkan or OpenGL")
            } else {
                found.iter().fold(error, |error, a| error.note(format!("found {a}")))
            };
            error.note("`--runtime auto` and `--runtime cpu` do without").help(DRIVERS)
        }
        OpenError::Software(adapter) => {
            let message = format!("{} is a program on the CPU", described(adapter));
            Diagnostic::error(usage::NO_GPU, message).help(DRIVERS)
        }
        OpenError::Wrong { adapter, what } => {
            Diagnostic::error(usage::GPU_WRONG, format!("{} computes wrongly", described(adapter)))
                .note(what.clone())
                .note("every device is checked against the CPU before it is used")
                .help("update its driver, or use `--runtime cpu`")
        }
    }
    .into()
}
