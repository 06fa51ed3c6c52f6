//! Both membranes where populations diverge first.

use super::data::{MembraneAt, Onset};
use super::sides::{Sides, at_sample, in_parts};
use super::tally::{Split, Tally};
use crate::stimulus::Stimuli;
use snnc_runtime::SimError;
use snnc_runtime::compare::Membrane;
use snnc_runtime::float::FloatProbe;
use snnc_runtime::integer::IntProbe;

/// A first divergence with both membranes.
#[derive(Clone, Debug)]
pub(super) struct Explained {
    /// Position in [`Sides::populations`].
    pub(super) population: usize,
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
            found.extend(at_sample(splits[0].sample, in_sample(sides, stimuli, splits))?);
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
    let probe = splits.iter().map(|s| (own(s).node, s.neuron)).collect();
    let float = sides.float.run(&left, &FloatProbe::Neurons(probe))?;
    let probe = splits.iter().map(|s| (own(s).id, s.neuron)).collect();
    let integers = sides.quantized.run(&right, &IntProbe::Neurons(probe))?;
    let traces = float.traces.iter().zip(&integers.traces);
    let explained = splits.iter().zip(traces).filter_map(|(split, (float, integers))| {
        let &Split { population, step, neuron, side, .. } = split;
        let node = &sides.float.network().nodes[own(split).node];
        let model = &sides.quantized.network().populations[own(split).id];
        let (h, u, v) = (*float.h.get(step)?, *integers.u.get(step)?, *integers.h.get(step)?);
        let snnc_ir::network::Op::Neuron(of_float) = &node.op else { return None };
        let threshold = f64::from(of_float.threshold.at(neuron, &node.shape));
        let float = Membrane { step, u: None, v: f64::from(h), threshold };
        let threshold = f64::from(model.neuron()?.threshold.at(neuron, &model.shape));
        let quantized = Membrane { step, u: Some(f64::from(u)), v: f64::from(v), threshold };
        let onset = Onset {
            population: own(split).name.clone(),
            sample,
            step,
            neuron,
            fired: side.into(),
            float: MembraneAt::from(float),
            quantized: MembraneAt::from(quantized),
        };
        Some(Explained { population, onset })
    });
    Ok(explained.collect())
}
