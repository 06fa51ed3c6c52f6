//! A fast population in one run, in one part or several.

use super::neuron::{Model, Section};
use crate::event::part::{Part, Split};
use crate::event::simd::Blocks;
use crate::event::synapses::{Scratch, Synapses};
use crate::integer::neuron::Overflow;
use rayon::prelude::*;
use snnc_ir::spikes::SpikeTrain;

/// Neurons whose update costs as much as one synapse.
const UPDATES: usize = 4;

/// What arrives through one projection.
pub(super) struct Arrival<'a> {
    pub(super) synapses: &'a Synapses,
    /// Sources that spike, ascending.
    pub(super) active: &'a [u32],
}

/// A population.
pub(super) struct Neurons<'m> {
    model: &'m Model,
    /// Of this run, where the host adds to biases.
    bias: Option<Blocks<i32>>,
    /// Work from which on sections are shared among threads.
    least: usize,
    sections: Vec<Section>,
}

impl<'m> Neurons<'m> {
    /// Neurons before a run.
    pub(super) fn new(
        model: &'m Model,
        bias: Option<Blocks<i32>>,
        split: Split,
        traced: bool,
    ) -> Self {
        let sections = Part::all(model.size(), split.parts);
        let sections = sections.map(|part| Section::new(model, part, traced)).collect();
        Self { model, bias, least: split.least, sections }
    }

    /// u, compared membrane and v of a neuron; the compared membrane only if the run is traced.
    pub(super) fn registers(&self, neuron: usize) -> [i32; 3] {
        self.sections.iter().find_map(|section| section.registers(neuron)).unwrap_or_default()
    }

    /// Step `t`: adds what arrives, updates the neurons and marks spikes in `train`.
    pub(super) fn step(
        &mut self,
        t: usize,
        arrivals: &[Arrival<'_>],
        scratch: &mut Vec<Scratch>,
        train: &mut SpikeTrain,
    ) -> Result<(), Overflow> {
        let (model, bias, due) = (self.model, self.bias.as_ref(), self.model.is_due(t));
        scratch.resize_with(scratch.len().max(self.sections.len()), Scratch::default);
        let step = |(section, scratch): (&mut Section, &mut Scratch)| {
            let (part, sums) = section.input();
            for arrival in arrivals {
                arrival.synapses.add(arrival.active, part, scratch, sums);
            }
            if due { section.update(model, bias) } else { Ok(()) }
        };
        let cost = arrivals.iter().map(|a| a.synapses.cost(a.active.len())).sum::<usize>();
        if self.sections.len() > 1 && cost + model.size() / UPDATES >= self.least {
            let sections = self.sections.par_iter_mut().zip(scratch).with_max_len(1);
            // Collected whole: the first overflow counts, whoever finds one first.
            let results: Vec<_> = sections.map(step).collect();
            results.into_iter().collect::<Result<(), _>>()?;
        } else {
            self.sections.iter_mut().zip(scratch).try_for_each(step)?;
        }
        if due {
            self.sections.iter().for_each(|section| section.mark(train, t));
        }
        Ok(())
    }
}
