//! Runs on burn: batches of samples as tensors.

use super::{Machine, Sample};
use crate::stimulus::Stimuli;
use snnc_runtime::SimError;
use snnc_runtime::float::Stimulus;
use snnc_runtime::tensor::{FloatSim, IntSim, cpu};

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
                let stimuli = batch
                    .iter()
                    .map(|&sample| Ok(Stimulus { inputs: stimuli.signals(sample)? }))
                    .collect::<Result<Vec<_>, SimError>>()?;
                let runs = sim.run(&stimuli)?;
                done.extend(runs.into_iter().map(|run| Sample::of_float(run, record)));
            }
        }
        Machine::Integers(network) => {
            let sim = IntSim::new(network, &device)?;
            for batch in samples.chunks(BATCH) {
                let inputs =
                    batch.iter().map(|&s| stimuli.trains(s)).collect::<Result<Vec<_>, _>>()?;
                let runs = sim.run(&inputs)?;
                let sample = |run: snnc_runtime::integer::IntRun| {
                    Sample::new(run.class(), run.spikes, record)
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
