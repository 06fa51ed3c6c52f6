//! Which simulator `--runtime` names, and what it runs on.

use crate::bench::{Measured, Workload};
use crate::simulate::{Machine, Runtime};
use clap::ValueEnum;
use serde::Serialize;
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics};

#[cfg(feature = "gpu")]
mod device;
#[cfg(not(feature = "gpu"))]
#[path = "runtime/without.rs"]
mod device;

/// Simulators on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum RuntimeArg {
    /// Event by event, on all processors.
    #[default]
    Cpu,
    /// Batches of burn's tensors on the CPU (needs the cargo feature `burn`).
    #[value(alias = "burn")]
    BurnCpu,
    /// Fused kernels on a graphics processor (needs the cargo feature `gpu`).
    Gpu,
    /// A graphics processor if there is one that computes rightly, else the CPU.
    Auto,
}

impl RuntimeArg {
    /// Its name on the command line.
    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::BurnCpu => "burn-cpu",
            Self::Gpu => "gpu",
            Self::Auto => "auto",
        }
    }
}

/// What runs the samples, in reports.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RuntimeReport {
    /// `cpu`, `burn-cpu` or `gpu`.
    name: &'static str,
    /// `events`, `cores`, `tensors` or `kernels`.
    by: &'static str,
    /// The device, of `gpu`.
    #[serde(skip_serializing_if = "Option::is_none")]
    adapter: Option<AdapterReport>,
}

/// A graphics processor in reports.
#[derive(Clone, Debug, Serialize)]
struct AdapterReport {
    name: String,
    /// `vulkan`, `metal`, `dx12` or `gl`.
    backend: String,
    /// Driver and version, as far as known.
    driver: String,
    /// Whether it is a program that runs on the CPU.
    software: bool,
}

/// A runtime that was chosen.
#[derive(Debug)]
pub(super) struct Chosen {
    /// For the simulation.
    pub(super) runtime: Runtime,
    /// For the report; `None` where nobody asked.
    pub(super) report: Option<RuntimeReport>,
    /// What there is to say about it.
    pub(super) remarks: Diagnostics,
}

impl Chosen {
    fn cpu(machine: &Machine) -> Self {
        let by = if matches!(machine, Machine::Program(_)) { "cores" } else { "events" };
        let report = Some(RuntimeReport { name: "cpu", by, adapter: None });
        Self { runtime: Runtime::Cpu, report, remarks: Diagnostics::new() }
    }

    /// The CPU, because `why`.
    fn fallback(machine: &Machine, why: &str) -> Self {
        let mut chosen = Self::cpu(machine);
        let message = format!("`--runtime auto` runs on the CPU: {why}");
        chosen.remarks.push(Diagnostic::note_only(usage::RUNTIME_CHOSEN, message));
        chosen
    }

    /// A line for people; empty where nobody asked.
    pub(super) fn summary(&self) -> String {
        let Some(report) = &self.report else { return String::new() };
        match &report.adapter {
            None => format!("runtime {} by {}\n", report.name, report.by),
            Some(a) => {
                let software = if a.software { ", software" } else { "" };
                let driver =
                    if a.driver.is_empty() { String::new() } else { format!(", {}", a.driver) };
                let (name, by) = (report.name, report.by);
                format!("runtime {name} by {by} on {} ({}{driver}{software})\n", a.name, a.backend)
            }
        }
    }
}

/// Finds the runtime for `machine`.
///
/// # Errors
/// `SNN0809` if this binary does not have it, `SNN0810` if it does not run such a machine, `SNN0827` without a graphics
/// processor, `SNN0828` if one computes wrongly, `SNN0835` if it cannot run this network.
pub(super) fn choose(arg: RuntimeArg, machine: &Machine) -> Result<Chosen, Diagnostics> {
    let program = matches!(machine, Machine::Program(_));
    match arg {
        RuntimeArg::Cpu => Ok(Chosen { report: None, ..Chosen::cpu(machine) }),
        RuntimeArg::Auto if program => Ok(Chosen::fallback(machine, "a program runs core by core")),
        RuntimeArg::BurnCpu | RuntimeArg::Gpu if program => Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            format!("`--runtime {}` runs networks, not programs", arg.name()),
        )
        .help("add `--level quantized` or `--level scheduled`")
        .into()),
        RuntimeArg::BurnCpu => tensors(),
        RuntimeArg::Gpu => device::gpu(machine),
        RuntimeArg::Auto => Ok(device::auto(machine)),
    }
}

#[cfg(feature = "burn")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the feature returns an error")]
fn tensors() -> Result<Chosen, Diagnostics> {
    let report = Some(RuntimeReport { name: "burn-cpu", by: "tensors", adapter: None });
    Ok(Chosen { runtime: Runtime::Tensors, report, remarks: Diagnostics::new() })
}

#[cfg(not(feature = "burn"))]
fn tensors() -> Result<Chosen, Diagnostics> {
    Err(not_built_in("burn"))
}

/// Measures a workload of `snnc bench` on a graphics processor.
///
/// # Errors
/// `SNN0809`, `SNN0827`, `SNN0828` as [`choose`]; `SNN0810` for another runtime and for float workloads.
pub(super) fn measure(
    arg: RuntimeArg,
    workload: Workload,
    batch: usize,
    repeat: usize,
) -> Result<Measured, Diagnostics> {
    if arg != RuntimeArg::Gpu {
        let message = format!("`snnc bench` does not measure `--runtime {}`", arg.name());
        let help = "use `--runtime cpu` or `--runtime gpu`";
        return Err(Diagnostic::error(usage::CONFLICTING_OPTIONS, message).help(help).into());
    }
    device::measure(workload, batch, repeat)
}

/// This binary was built without a feature.
#[cfg(not(all(feature = "burn", feature = "gpu")))]
fn not_built_in(feature: &str) -> Diagnostics {
    Diagnostic::error(
        usage::NOT_BUILT_IN,
        format!("this snnc was built without the runtime of feature `{feature}`"),
    )
    .help(format!("build it with `cargo build --release --features {feature}`"))
    .into()
}
