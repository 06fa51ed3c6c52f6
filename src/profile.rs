//! Rates from a profile run: how often the neurons of a network send on samples.
//!
//! The network that is going to be mapped, in integers and hardware time, runs on every sample. What each neuron sends is counted: spikes, and graded
//! messages that are not 0. Relays and clocks are neurons of this network, so they are measured, too. Counts are integers, so the
//! number of threads changes nothing.

use crate::artifact::mapping::ProfileEntry;
use crate::stimulus::Stimuli;
use crate::verify::simulation_failed;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostics, QuantizedNetwork};
use snnc_passes::rates::Rates;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::integer::IntProbe;
use snnc_runtime::{SimError, batch};

/// Samples whose counts are held at once.
const BATCH: usize = 64;

/// What a profile run found.
#[derive(Clone, Debug)]
pub struct Profile {
    /// How often neurons send.
    pub rates: Rates,
    /// On what that was measured.
    pub entry: ProfileEntry,
}

/// Runs `network`, in hardware time, on all samples.
///
/// # Errors
/// `SNN0835` if a simulation stops.
pub fn measure(network: &QuantizedNetwork, stimuli: &Stimuli) -> Result<Profile, Diagnostics> {
    let counts = count(network, stimuli).map_err(|e| simulation_failed(&e))?;
    let samples = stimuli.samples();
    let steps = network.run_steps();
    let cells = float(samples as u64) * float(steps);
    #[expect(clippy::cast_possible_truncation, reason = "rates need no more than 24 bits")]
    let rate = |count: &u64| (float(*count) / cells.max(1.0)) as f32;
    let all = || counts.iter().flatten();
    let entry = ProfileEntry {
        data: stimuli.hash().to_owned(),
        first: stimuli.first() as u64,
        samples: samples as u64,
        steps,
        neurons: all().count() as u64,
        silent: all().filter(|count| **count == 0).count() as u64,
        sent: all().sum(),
    };
    let names = network.populations.values().map(|p| p.name.clone());
    let rates = names.zip(counts.iter().map(|counts| counts.iter().map(rate).collect()));
    Ok(Profile { rates: Rates::measured(rates), entry })
}

/// Steps in which each neuron sends something, over all samples, by population.
fn count(network: &QuantizedNetwork, stimuli: &Stimuli) -> Result<Vec<Vec<u64>>, SimError> {
    let sim = IntSim::new(network)?;
    let mut sums: Vec<Vec<u64>> = network.populations.values().map(|p| vec![0; p.size()]).collect();
    let samples: Vec<usize> = (0..stimuli.samples()).collect();
    for batch in samples.chunks(BATCH) {
        let run = |&sample: &usize| {
            let run = sim.run(&stimuli.stimulus(sample)?, &IntProbe::None)?;
            // Where graded populations sent a message, their trains are set.
            Ok(run.spikes.iter().map(SpikeTrain::counts).collect::<Vec<_>>())
        };
        let counted = batch::map(batch, run).map_err(|e| in_file(e, batch[0]))?;
        for sample in counted {
            for (sums, counts) in sums.iter_mut().zip(sample) {
                sums.iter_mut().zip(counts).for_each(|(sum, n)| *sum += u64::from(n));
            }
        }
    }
    Ok(sums)
}

/// The error of a sample of a batch, with its number among all samples.
fn in_file(error: SimError, first: usize) -> SimError {
    match error {
        SimError::Sample { index, source } => SimError::Sample { index: first + index, source },
        other => other,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
const fn float(n: u64) -> f64 {
    n as f64
}
