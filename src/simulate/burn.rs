//! Runs on burn: batches of samples as tensors.

use super::{Machine, Sample};
use crate::stimulus::Stimuli;
use snnc_runtime::tensor::{FloatSim, IntSim, cpu};
use snnc_runtime::{SimError, Stimulus};

/// Samples that go through a network together; bounds the memory of a run.
const BATCH: usize = 256;

/// Runs all samples, batch by batch.
///
/// # Errors
/// Those of the simulators, and [`SimError::Tensor`] for a program, which tensors do not run.
pub(super) fn run(
    machine: &Machine,
    stimuli: &Stimuli,
    record: bool,
) -> Result<Vec<Sample>, SimError> {
    let device = cpu();
    let samples: Vec<usize> = (0..stimuli.samples()).collect();
    let mut done = Vec::with_capacity(samples.len());
    match machine {
        Machine::Float(network) => {
            let sim = FloatSim::new(network, &device)?;
            for batch in samples.chunks(BATCH) {
                let runs = sim.run(&stimuli_of(stimuli, batch)?)?;
                done.extend(runs.into_iter().map(|run| Sample::of_float(run, record)));
            }
        }
        Machine::Integers(network) => {
            let sim = IntSim::new(network, &device)?;
            for batch in samples.chunks(BATCH) {
                let runs = sim.run(&stimuli_of(stimuli, batch)?)?;
                let sample = |run: snnc_runtime::integer::IntRun| {
                    Sample::of_integers(run.class(), run.spikes, run.messages, record)
                };
                done.extend(runs.into_iter().map(sample));
            }
        }
        Machine::Program(_) => {
            return Err(SimError::Tensor("a program runs core by core, not as tensors".to_owned()));
        }
    }
    Ok(done)
}

fn stimuli_of(stimuli: &Stimuli, samples: &[usize]) -> Result<Vec<Stimulus>, SimError> {
    samples.iter().map(|&sample| stimuli.stimulus(sample)).collect()
}
