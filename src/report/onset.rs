//! Both membranes where populations diverge first.

use super::data::{MembraneAt, Onset};
use super::sides::{Sides, at_sample, in_parts};
use super::tally::{Split, Tally};
use crate::stimulus::Stimuli;
use snnc_ir::network::Op;
use snnc_runtime::SimError;
use snnc_runtime::compare::Membrane;
use snnc_runtime::float::FloatProbe;
use snnc_runtime::integer::IntProbe;

/// A first divergence with both membranes.
#[derive(Clone, Debug)]
pub(super) struct Explained {
    /// Position in [`Sides::populations`].
    pub(super) population: usize,
    /// Position of the sample in the stimuli.
    pub(super) sample: usize,
    /// The divergence.
    pub(super) onset: Onset,
}

/// Runs the samples of the noted divergences again, with probes; the order of the notes is kept.
///
/// # Errors
/// What a simulator rejects, with the sample.
pub(super) fn explain(
    sides: &Sides<'_>,
    stimuli: &Stimuli,
    tally: &Tally,
) -> Result<Vec<Explained>, SimError> {
    let samples: Vec<&[Split]> = tally.splits.chunk_by(|a, b| a.sample == b.sample).collect();
    let parts = in_parts(0..samples.len(), |part| {
        let mut found = Vec::new();
        for splits in &samples[part] {
            found.extend(at_sample(stimuli, splits[0].sample, in_sample(sides, stimuli, splits))?);
        }
        Ok(found)
    })?;
    Ok(parts.into_iter().flatten().collect())
}

/// The divergences of one sample.
fn in_sample(
    sides: &Sides<'_>,
    stimuli: &Stimuli,
    splits: &[Split],
) -> Result<Vec<Explained>, SimError> {
    let Some(&Split { sample, .. }) = splits.first() else { return Ok(Vec::new()) };
    let [left, right] = sides.stimulus(stimuli, sample)?;
    let own = |s: &Split| &sides.populations[s.population];
    let probe = splits.iter().map(|s| (own(s).node, own(s).first[0] + s.neuron)).collect();
    let float = sides.float.run(&left, &FloatProbe::Neurons(probe))?;
    let probe = splits.iter().map(|s| (own(s).id, own(s).first[1] + s.neuron)).collect();
    let integers = sides.quantized.run(&right, &IntProbe::Neurons(probe))?;
    let traces = splits.iter().zip(float.traces.iter().zip(&integers.traces));
    let explained = traces.map(|(split, (float, integers))| {
        let &Split { population, step, neuron, side, .. } = split;
        let (own, at) = (own(split), |side: &str| SimError::UnknownProbe {
            place: format!("{} ({side})", own(split).name),
            neuron,
        });
        // A recorded neuron has a value in every step.
        let v = float.h.get(step).map(|&h| f64::from(h));
        let node = &sides.float.network().nodes[own.node];
        let threshold = match &node.op {
            Op::Neuron(n) => Some(f64::from(n.threshold.at(own.first[0] + neuron, &node.shape))),
            _ => None,
        };
        let float = membrane(step, v, threshold).ok_or_else(|| at("float"))?;
        let v = integers.h.get(step).map(|&h| f64::from(h));
        let population_of = &sides.quantized.network().populations[own.id];
        let threshold = population_of
            .neuron()
            .map(|n| n.threshold.at(own.first[1] + neuron, &population_of.shape));
        let quantized =
            membrane(step, v, threshold.map(f64::from)).ok_or_else(|| at("quantized"))?;
        let onset = Onset {
            population: own.name.clone(),
            sample: stimuli.first() + sample,
            step,
            neuron,
            fired: side.into(),
            float,
            quantized,
        };
        Ok(Explained { population, sample, onset })
    });
    explained.collect()
}

fn membrane(step: usize, v: Option<f64>, threshold: Option<f64>) -> Option<MembraneAt> {
    Some(Membrane { step, u: None, v: v?, threshold: threshold? }.into())
}
