//! Runs both sides on the same samples.

use super::data::{
    Margins, Measured, MeasuredNeurons, MeasuredPopulation, Neurons, Overall, Spikes,
};
use super::onset::{self, Explained};
use super::sensitivity;
use super::sides::{Counterpart, Sides, in_parts};
use super::tally::{Counts, Tally};
use crate::stimulus::Stimuli;
use crate::verify::{AccuracyReport, simulation_failed};
use snnc_ir::diag::codes::usage;
use snnc_ir::quantized::Time;
use snnc_ir::{Diagnostic, Diagnostics, Network, QuantizedNetwork, Recipe};
use snnc_passes::fold_integers::Fold;
use snnc_runtime::SimError;
use snnc_runtime::compare::Distance;
use std::ops::Range;

/// A neuron saturates if it fires in at least this many percent of the steps that its refractory time
/// leaves, …
const SATURATED: u64 = 95;
/// … and fires in at most this many percent of them in the float network.
const UNSATURATED: u64 = 50;

/// What is measured beyond spikes.
#[derive(Clone, Copy, Debug)]
pub struct MeasureOptions<'a> {
    /// The complete recipe that the network was quantized by. With it, the cost of each projection is
    /// measured alone.
    pub recipe: Option<&'a Recipe>,
    /// Samples for that, from the first on; each takes one float run per projection.
    pub sensitivity_samples: usize,
    /// What was folded in integers: populations that are one there are measured under all their names.
    pub folds: &'a [Fold],
}

impl Default for MeasureOptions<'_> {
    fn default() -> Self {
        Self { recipe: None, sensitivity_samples: 16, folds: &[] }
    }
}

/// Runs `samples` (positions in `stimuli`) through the canonical float network and through its integers in logical
/// time, whose populations have the same names or stand for others, and counts what differs.
///
/// Samples run on all threads of the current pool; the result does not depend on their number. Memory
/// holds two runs per thread, sums for every neuron, and at most 256 MiB of trains for sensitivity.
///
/// # Errors
/// `SNN0805` for integers in hardware time, `SNN0815` for samples that there are none of, `SNN0835`
/// if a simulation stops or the populations of both sides have different names.
pub fn measure(
    network: &Network,
    quantized: &QuantizedNetwork,
    stimuli: &Stimuli,
    samples: Range<usize>,
    options: &MeasureOptions<'_>,
) -> Result<Measured, Diagnostics> {
    check(quantized, stimuli, &samples)?;
    let failed = |error: SimError| Diagnostics::from(simulation_failed(&error));
    let sides = Sides::new(network, quantized, stimuli, options.folds).map_err(failed)?;
    let parts = in_parts(samples.clone(), |part| Tally::of(&sides, stimuli, part));
    let tally = parts.map_err(failed)?.into_iter().reduce(Tally::then);
    let tally = tally.unwrap_or_else(|| Tally::new(&sides));
    let onsets = onset::explain(&sides, stimuli, &tally).map_err(failed)?;
    let sensitivity = match options.recipe {
        Some(recipe) if options.sensitivity_samples > 0 => {
            let last = samples.end.min(samples.start.saturating_add(options.sensitivity_samples));
            Some(sensitivity::measure(&sides.float, recipe, stimuli, samples.start..last)?)
        }
        _ => None,
    };
    Ok(Measured {
        data: stimuli.hash().to_owned(),
        first_sample: stimuli.first() + samples.start,
        samples: samples.len(),
        steps: network.steps,
        overall: overall(&tally, &onsets, stimuli, samples.len()),
        populations: populations(&sides, &tally, &onsets, samples.len()),
        sensitivity,
    })
}

fn check(
    quantized: &QuantizedNetwork,
    stimuli: &Stimuli,
    samples: &Range<usize>,
) -> Result<(), Diagnostic> {
    if quantized.time != Time::Logical {
        return Err(Diagnostic::error(
            usage::WRONG_LEVEL,
            "integers in hardware time are not compared with the float network",
        )
        .help("compare the quantized network in logical time; `verify` relates both times"));
    }
    if samples.is_empty() || samples.end > stimuli.samples() {
        return Err(Diagnostic::error(
            usage::STIMULUS_SHAPE,
            format!(
                "samples {}..{} are asked for, there are {}",
                samples.start,
                samples.end,
                stimuli.samples()
            ),
        )
        .help("ask for at least one sample, and for no more than the file has"));
    }
    Ok(())
}

fn overall(tally: &Tally, onsets: &[Explained], stimuli: &Stimuli, samples: usize) -> Overall {
    let accuracy = |side: usize| {
        let correct = tally.correct[side];
        stimuli.labels().map(|_| AccuracyReport { correct, total: samples })
    };
    let mut all = Distance { name: String::new(), cells: 0, left: 0, right: 0, differing: 0 };
    tally.populations.iter().for_each(|p| all.add(&p.distance));
    let earliest = tally.explained.first().map(|&first| {
        onsets.iter().filter(move |o| o.sample == first).min_by_key(|o| o.onset.step)
    });
    Overall {
        float: accuracy(0),
        quantized: accuracy(1),
        same_prediction: tally.same_prediction,
        spikes: Spikes::from(&all),
        diverging_samples: tally.diverging,
        first: earliest.flatten().map(|o| o.onset.clone()),
    }
}

fn populations(
    sides: &Sides<'_>,
    tally: &Tally,
    onsets: &[Explained],
    samples: usize,
) -> Vec<MeasuredPopulation> {
    let network = sides.quantized.network();
    let neurons = sides.populations.iter().zip(&tally.populations).enumerate();
    let neurons = neurons.map(|(index, (own, counts))| {
        let onsets: Vec<&Explained> = onsets.iter().filter(|o| o.population == index).collect();
        let measured = MeasuredPopulation {
            name: own.name.clone(),
            neurons: Some(of_neurons(own, counts, &onsets, &tally.explained, samples)),
            messages: None,
        };
        (own.id, measured)
    });
    let relays = sides.relays.iter().zip(&tally.relays).map(|(&id, &messages)| {
        let name = network.populations[id].name.clone();
        (id, MeasuredPopulation { name, neurons: None, messages: Some(messages) })
    });
    let mut all: Vec<_> = neurons.chain(relays).collect();
    let order = sides.quantized.order();
    all.sort_by_key(|(id, _)| order.iter().position(|o| o == id));
    all.into_iter().map(|(_, measured)| measured).collect()
}

fn of_neurons(
    own: &Counterpart,
    counts: &Counts,
    onsets: &[&Explained],
    explained: &[usize],
    samples: usize,
) -> MeasuredNeurons {
    let [float, quantized] = &counts.spikes;
    let most = own.most.saturating_mul(samples as u64);
    let percent = |spikes: u64| u128::from(spikes) * 100;
    let of_most = |percent: u64| u128::from(most) * u128::from(percent);
    MeasuredNeurons {
        size: own.size,
        spikes: Spikes::from(&counts.distance),
        silent: Neurons::which(own.size, |n| float[n] > 0 && quantized[n] == 0),
        fresh: Neurons::which(own.size, |n| float[n] == 0 && quantized[n] > 0),
        saturated: Neurons::which(own.size, |n| {
            percent(quantized[n]) >= of_most(SATURATED) && percent(float[n]) <= of_most(UNSATURATED)
        }),
        diverging_samples: counts.diverging,
        leads: counts.leads,
        first: onsets.first().map(|o| o.onset.clone()),
        margins: margins(onsets.iter().filter(|o| explained.contains(&o.sample))),
    }
}

/// Minimum, quartiles and maximum of the margins on both sides.
fn margins<'a>(onsets: impl Iterator<Item = &'a &'a Explained>) -> Option<Margins> {
    let both = |o: &&Explained| o.onset.float.margin.zip(o.onset.quantized.margin);
    let (float, quantized): (Vec<f64>, Vec<f64>) = onsets.filter_map(both).unzip();
    let onsets = float.len();
    (onsets > 0).then(|| Margins {
        onsets,
        float: quartiles(float),
        quantized: quartiles(quantized),
    })
}

/// Minimum, quartiles and maximum: the values of nearest rank. `values` is not empty.
fn quartiles(mut values: Vec<f64>) -> [f64; 5] {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    [0, 1, 2, 3, 4].map(|quarter| values[(last * quarter + 2) / 4])
}
