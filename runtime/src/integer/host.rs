//! What the host adds to biases for one sample.

use super::IntSim;
use crate::error::SimError;
use crate::stimulus::{Signal, Stimulus};
use snnc_ir::arena::Entity;

impl IntSim<'_> {
    /// What the host adds to the biases of each population, in units of weight; `None` where it adds
    /// nothing.
    ///
    /// # Errors
    /// [`SimError::HostBias`].
    pub(crate) fn host(&self, stimulus: &Stimulus) -> Result<Vec<Option<Vec<i64>>>, SimError> {
        let populations = &self.network.populations;
        let mut sums: Vec<Option<Vec<i64>>> = vec![None; populations.len()];
        for entry in &self.network.host {
            let signal = self.inputs.iter().position(|&id| id == entry.input);
            let Some(Signal::Frame(frame)) = signal.and_then(|k| stimulus.inputs.get(k)) else {
                // A verified network feeds biases from frames only.
                return Err(SimError::Malformed(format!(
                    "the host computes biases from `{}`, which takes no frame",
                    populations[entry.input].name
                )));
            };
            let target = &populations[entry.target];
            let biases = entry.biases(frame).map_err(|(neuron, value)| SimError::HostBias {
                population: target.name.clone(),
                neuron,
                value,
            })?;
            let sum = sums[entry.target.index()].get_or_insert_with(|| vec![0_i64; target.size()]);
            sum.iter_mut().zip(biases).for_each(|(sum, h)| *sum += i64::from(h));
        }
        Ok(sums)
    }
}
