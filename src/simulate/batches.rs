//! Batches of samples: as tensors, or on a graphics processor.

use super::{Machine, Recorder, Sample};
use crate::stimulus::Stimuli;
use snnc_runtime::integer::IntRun;
use snnc_runtime::tensor::{Device, FloatSim, IntSim, cpu};
use snnc_runtime::{SimError, Stimulus};

/// Samples that go through a network together; bounds the memory of a run.
const BATCH: usize = 256;

/// Runs all samples as tensors on the CPU.
///
/// # Errors
/// Those of the simulators, and [`SimError::Tensor`] for a program, which tensors do not run.
pub(super) fn on_cpu(
    machine: &Machine,
    stimuli: &Stimuli,
    recorder: Option<&Recorder>,
) -> Result<Vec<Sample>, SimError> {
    let device = cpu();
    if let Machine::Integers(network) = machine {
        let sim = IntSim::new(network, &device)?;
        return integers(stimuli, recorder, |batch| sim.run(batch));
    }
    floats(machine, stimuli, &device, recorder)
}

/// Runs all samples on a graphics processor: integers by fused kernels, floats as tensors.
///
/// # Errors
/// As [`on_cpu`].
#[cfg(feature = "gpu")]
pub(super) fn on_gpu(
    machine: &Machine,
    stimuli: &Stimuli,
    gpu: &snnc_runtime::gpu::Gpu,
    recorder: Option<&Recorder>,
) -> Result<Vec<Sample>, SimError> {
    if let Machine::Integers(network) = machine {
        let sim = snnc_runtime::gpu::IntSim::new(network, gpu)?;
        return integers(stimuli, recorder, |batch| sim.run(batch));
    }
    floats(machine, stimuli, gpu.tensors(), recorder)
}

fn integers(
    stimuli: &Stimuli,
    recorder: Option<&Recorder>,
    run: impl Fn(&[Stimulus]) -> Result<Vec<IntRun>, SimError>,
) -> Result<Vec<Sample>, SimError> {
    let sample = |run: IntRun| Sample::of_integers(run.class(), run.spikes, run.messages);
    batches(stimuli, recorder, run, sample)
}

fn floats(
    machine: &Machine,
    stimuli: &Stimuli,
    device: &Device,
    recorder: Option<&Recorder>,
) -> Result<Vec<Sample>, SimError> {
    let Machine::Float(network) = machine else {
        return Err(SimError::Tensor("a program runs core by core, not in batches".to_owned()));
    };
    let sim = FloatSim::new(network, device)?;
    batches(stimuli, recorder, |batch| sim.run(batch), Sample::of_float)
}

/// Runs all samples, batch by batch. Errors count samples from the first of all.
fn batches<R>(
    stimuli: &Stimuli,
    recorder: Option<&Recorder>,
    run: impl Fn(&[Stimulus]) -> Result<Vec<R>, SimError>,
    sample: impl Fn(R) -> Sample,
) -> Result<Vec<Sample>, SimError> {
    let samples: Vec<usize> = (0..stimuli.samples()).collect();
    let mut done = Vec::with_capacity(samples.len());
    for batch in samples.chunks(BATCH) {
        let signals: Vec<_> =
            batch.iter().map(|&s| stimuli.stimulus(s)).collect::<Result<_, _>>()?;
        let runs = run(&signals).map_err(|error| match error {
            SimError::Sample { index, source } => {
                SimError::Sample { index: index + batch[0], source }
            }
            other => other,
        })?;
        let kept = |(&index, run)| sample(run).keep(index, recorder);
        done.extend(batch.iter().zip(runs).map(kept));
    }
    Ok(done)
}
