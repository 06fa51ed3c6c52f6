//! A fast population in one run, in one part or several.

use super::neuron::{Model, Section};
use crate::event::part::{Part, Split};
use crate::event::simd::{Blocks, add_halves};
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
        gathered: &mut Vec<Vec<i16>>,
        train: &mut SpikeTrain,
    ) -> Result<(), Overflow> {
        let (model, bias, due) = (self.model, self.bias.as_ref(), self.model.is_due(t));
        let cost = arrivals.iter().map(|a| a.synapses.cost(a.active.len())).sum::<usize>();
        let shared = self.sections.len() > 1 && cost + model.size() / UPDATES >= self.least;
        let apart = if shared { self.gather(arrivals, gathered) } else { None };
        let gathered = &*gathered;
        scratch.resize_with(scratch.len().max(self.sections.len()), Scratch::default);
        let step = |(section, scratch): (&mut Section, &mut Scratch)| {
            let (part, sums) = section.input();
            for (i, arrival) in arrivals.iter().enumerate() {
                if apart == Some(i) {
                    for partial in gathered {
                        add_halves(sums, &partial[part.first()..]);
                    }
                } else {
                    arrival.synapses.add(arrival.active, part, scratch, sums);
                }
            }
            if due { section.update(model, bias, t) } else { Ok(()) }
        };
        if shared {
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

    /// Sums the arrival with the most synapses by parts of its sources, one part for each thread, and says
    /// which arrival that is. Short rows are not cut: to fetch a row costs more than to add it.
    fn gather(&self, arrivals: &[Arrival<'_>], gathered: &mut Vec<Vec<i16>>) -> Option<usize> {
        let cost = |a: &Arrival<'_>| a.synapses.gathers().map(|s| s.fan_out() * a.active.len());
        let costs = arrivals.iter().enumerate().filter_map(|(i, a)| Some((cost(a)?, i)));
        // Below it, clearing and adding up one more copy of all sums costs more than it saves.
        let (_, most) = costs.max().filter(|&(cost, _)| cost >= self.model.size())?;
        let Arrival { synapses, active } = &arrivals[most];
        let sparse = synapses.gathers()?;
        let (parts, size) = (self.sections.len(), self.model.size());
        gathered.resize_with(parts, Vec::new);
        gathered.par_iter_mut().enumerate().with_max_len(1).for_each(|(i, sums)| {
            sums.clear();
            sums.resize(size, 0);
            sparse.gather(&active[active.len() * i / parts..active.len() * (i + 1) / parts], sums);
        });
        Some(most)
    }
}
