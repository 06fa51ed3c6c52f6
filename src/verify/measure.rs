//! All levels on a stimulus, sample by sample on all processors.

use super::integers::{Integers, Sums};
use super::parts::{PartSubject, Parts, UnfoldedSubject, unfolded};
use super::report::{
    AccuracyReport, DistanceReport, DivergenceReport, EqualityReport, Measurement,
    QuantizationReport,
};
use super::{Proof, simulation_failed};
use crate::artifact::Artifact;
use crate::calibrate::Progress;
use crate::source::Source;
use crate::stimulus::Stimuli;
use snnc_ir::arena::NodeId;
use snnc_ir::{Diagnostics, Network};
use snnc_passes::AnyLevel;
use snnc_passes::fold_integers::Fold;
use snnc_runtime::compare::{self, Distance, FloatSubject, IntSubject, Subject};
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::float::{FloatProbe, FloatRun};
use snnc_runtime::integer::{IntProbe, IntRun};
use snnc_runtime::{SimError, Stimulus, batch};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs every level of a proved artifact on `stimuli`.
///
/// # Errors
/// `SNN0835` if a simulation stops. Differences are not errors here: see
/// [`Measurement::integers_agree`].
pub fn measure(
    source: &Source,
    proof: &Proof,
    artifact: &Artifact,
    stimuli: &Stimuli,
) -> Result<Measurement, Diagnostics> {
    measure_with(source, proof, artifact, stimuli, &())
}

/// As [`fn@measure`], with someone who learns how many samples are done.
///
/// # Errors
/// As [`fn@measure`].
pub(crate) fn measure_with(
    source: &Source,
    proof: &Proof,
    artifact: &Artifact,
    stimuli: &Stimuli,
    progress: &dyn Progress,
) -> Result<Measurement, Diagnostics> {
    let (quantized, scheduled) = (proof.quantized()?, proof.scheduled()?);
    let attempt = || {
        let integers = Integers::new(quantized, scheduled, &artifact.program)?;
        let float = match (&source.level, &proof.parts) {
            (AnyLevel::Network(network), Some(parts)) => {
                Some(Float::new(network, parts, &proof.stages.folds, &integers.quantized)?)
            }
            _ => None,
        };
        let samples: Vec<usize> = (0..stimuli.samples()).collect();
        let (done, total) = (AtomicU64::new(0), samples.len() as u64);
        let measured = batch::map(&samples, |&sample| {
            let stimulus = stimuli.stimulus(sample)?;
            let run = integers.quantized.run(&stimulus, &IntProbe::None)?;
            let of_float = match &float {
                Some(float) => Some(float.sample(&integers.quantized, &stimulus, &run)?),
                None => None,
            };
            let sums = integers.sample(&stimulus, &run)?;
            progress.step("comparing samples", done.fetch_add(1, Ordering::Relaxed) + 1, total);
            Ok((of_float, sums))
        })?;
        let (of_float, sums): (Vec<_>, Vec<_>) = measured.into_iter().unzip();
        let quantization = match &float {
            Some(float) => {
                Some(float.report(of_float.into_iter().flatten(), &integers.quantized, stimuli)?)
            }
            None => None,
        };
        let (schedule, artifact) = equalities(&integers, &sums, stimuli)?;
        let (first, samples) = (stimuli.first(), stimuli.samples());
        Ok(Measurement { first, samples, quantization, schedule, artifact })
    };
    attempt().map_err(|e: SimError| simulation_failed(&e).into())
}

/// Sums over samples; the first divergence is looked at once more.
fn equalities(
    integers: &Integers<'_>,
    samples: &[Sums],
    stimuli: &Stimuli,
) -> Result<(EqualityReport, EqualityReport), SimError> {
    let mut schedule = EqualityReport::default();
    let mut artifact = EqualityReport::default();
    for (sample, sums) in samples.iter().enumerate() {
        for (report, counts) in [(&mut schedule, &sums.schedule), (&mut artifact, &sums.artifact)] {
            report.populations = counts.populations;
            report.spikes += counts.spikes;
            report.messages += counts.messages;
            report.differing += counts.differing;
        }
        let differ =
            |c: &super::integers::Counts, r: &EqualityReport| c.differing > 0 && r.first.is_none();
        let explain = [differ(&sums.schedule, &schedule), differ(&sums.artifact, &artifact)];
        if explain.contains(&true) {
            let stimulus = stimuli.stimulus(sample)?;
            let [of_schedule, of_artifact] =
                integers.explain(stimuli.first() + sample, &stimulus)?;
            schedule.first = schedule.first.take().or(of_schedule);
            artifact.first = artifact.first.take().or(of_artifact);
        }
    }
    Ok((schedule, artifact))
}

/// The float network of a source.
struct Float<'n> {
    sim: FloatSim<'n>,
    /// Its populations, named and cut as the quantized network has them.
    parts: &'n Parts,
    /// For every input of the float network its position among the quantized network's.
    inputs: Vec<usize>,
    /// What was folded on the way to integers.
    folds: &'n [Fold],
    /// Neuron populations that the quantized network has, or has as neurons of others.
    known: BTreeSet<String>,
    /// Neuron populations that the quantized network no longer has.
    removed: Vec<String>,
}

/// One sample on both sides of quantization.
struct FloatSample {
    classes: [Option<usize>; 2],
    distances: Vec<Distance>,
}

impl<'n> Float<'n> {
    fn new(
        network: &'n Network,
        parts: &'n Parts,
        folds: &'n [Fold],
        quantized: &IntSim<'_>,
    ) -> Result<Self, SimError> {
        let sim = FloatSim::new(network)?;
        let populations = &quantized.network().populations;
        let position = |&node: &NodeId| {
            let name = &network.nodes[node].name;
            let found = quantized.inputs().iter().position(|&id| populations[id].name == *name);
            found.ok_or_else(|| SimError::Unmatched { name: name.clone(), side: "left" })
        };
        let inputs = sim.inputs().iter().map(position).collect::<Result<_, _>>()?;
        let known = unfolded(quantized.network(), folds);
        let removed = parts.removed(|name| known.contains(name));
        Ok(Self { sim, parts, inputs, folds, known, removed })
    }

    /// A run as one side of a comparison.
    fn subject<'a>(&'a self, stimulus: &'a Stimulus, run: &'a FloatRun) -> PartSubject<'a, 'n> {
        PartSubject { float: FloatSubject { sim: &self.sim, stimulus, run }, parts: self.parts }
    }

    /// A run of the integers as the other side.
    fn other<'a, 'q>(
        &'a self,
        sim: &'a IntSim<'q>,
        stimulus: &'a Stimulus,
        run: &'a IntRun,
    ) -> UnfoldedSubject<'a, 'q> {
        UnfoldedSubject { integers: IntSubject { sim, stimulus, run }, folds: self.folds }
    }

    /// The signals of the quantized network's inputs, as the float network takes them.
    fn stimulus(&self, stimulus: &Stimulus) -> Stimulus {
        let signal = |&at: &usize| stimulus.inputs[at].clone();
        Stimulus { inputs: self.inputs.iter().map(signal).collect() }
    }

    fn sample(
        &self,
        quantized: &IntSim<'_>,
        stimulus: &Stimulus,
        int_run: &IntRun,
    ) -> Result<FloatSample, SimError> {
        let own = self.stimulus(stimulus);
        let run = self.sim.run(&own, &FloatProbe::None)?;
        let left = self.subject(&own, &run).records()?;
        let right = self.other(quantized, stimulus, int_run).records()?;
        let pairs: Vec<_> = left
            .iter()
            .filter(|left| self.known.contains(&left.name))
            .filter_map(|left| {
                let right = right.iter().find(|right| right.name == left.name)?;
                let (left, name) = (left.activity(), &left.name);
                Some(compare::Pair { name, left, right: right.activity() })
            })
            .collect();
        Ok(FloatSample {
            classes: [run.class(), int_run.class()],
            distances: compare::distances(&pairs)?,
        })
    }

    fn report(
        &self,
        samples: impl Iterator<Item = FloatSample>,
        quantized: &IntSim<'_>,
        stimuli: &Stimuli,
    ) -> Result<QuantizationReport, SimError> {
        let mut classes: [Vec<Option<usize>>; 2] = [Vec::new(), Vec::new()];
        let mut sums: Vec<Distance> = Vec::new();
        let mut first = None;
        for (number, sample) in samples.enumerate() {
            if first.is_none() && sample.distances.iter().any(|d| d.differing > 0) {
                first = Some(number);
            }
            if sums.is_empty() {
                sums = sample.distances;
            } else {
                sums.iter_mut().zip(&sample.distances).for_each(|(sum, d)| sum.add(d));
            }
            for (all, class) in classes.iter_mut().zip(sample.classes) {
                all.push(class);
            }
        }
        let accuracy = |predictions: &[Option<usize>]| -> Result<Option<AccuracyReport>, SimError> {
            let Some(labels) = stimuli.labels() else { return Ok(None) };
            let a = compare::accuracy(predictions, labels)?;
            Ok(Some(AccuracyReport { correct: a.correct, total: a.total }))
        };
        let mut total =
            Distance { name: "total".to_owned(), cells: 0, left: 0, right: 0, differing: 0 };
        for d in &sums {
            total.add(d);
        }
        let first = first.map(|sample| self.explain(sample, quantized, stimuli)).transpose()?;
        Ok(QuantizationReport {
            float: accuracy(&classes[0])?,
            quantized: accuracy(&classes[1])?,
            same_prediction: classes[0].iter().zip(&classes[1]).filter(|(a, b)| a == b).count(),
            total: (&total).into(),
            silenced: sums
                .iter()
                .filter(|d| d.left > 0 && d.right == 0)
                .map(|d| d.name.clone())
                .collect(),
            merged: self.parts.merged.clone(),
            removed: self.removed.clone(),
            populations: sums.iter().map(DistanceReport::from).collect(),
            first: first.flatten(),
        })
    }

    /// Runs `sample` again and shows both membranes where the spikes part.
    fn explain(
        &self,
        sample: usize,
        quantized: &IntSim<'_>,
        stimuli: &Stimuli,
    ) -> Result<Option<DivergenceReport>, SimError> {
        let stimulus = stimuli.stimulus(sample)?;
        let own = self.stimulus(&stimulus);
        let left = self.sim.run(&own, &FloatProbe::None)?;
        let right = quantized.run(&stimulus, &IntProbe::None)?;
        let right = self.other(quantized, &stimulus, &right);
        let found = compare::compare(&self.subject(&own, &left), &right)?;
        let sample = stimuli.first() + sample;
        Ok(found.first.map(|f| DivergenceReport::new(sample, &f, ["float", "quantized"])))
    }
}
