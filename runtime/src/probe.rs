//! Which membranes a simulation records.

use crate::error::{SimError, check_words};
use std::fmt;

/// A choice of neurons whose state is recorded in every step; `K` names a population.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Probe<K> {
    /// Nothing.
    #[default]
    None,
    /// Every neuron that has a membrane.
    All,
    /// These neurons, in this order.
    Neurons(Vec<(K, usize)>),
}

impl<K: Copy + PartialEq + fmt::Display> Probe<K> {
    /// The chosen neurons. `populations` lists the populations that have membranes, with sizes.
    ///
    /// # Errors
    /// [`SimError::UnknownProbe`] for a neuron that does not exist, [`SimError::TooLarge`] if
    /// `words` 64-bit words per neuron and step are too much.
    pub(crate) fn resolve(
        &self,
        populations: &[(K, usize)],
        steps: usize,
        words: u64,
    ) -> Result<Vec<(K, usize)>, SimError> {
        let neurons = match self {
            Self::None => 0,
            Self::All => populations.iter().fold(0_u64, |n, &(_, s)| n.saturating_add(s as u64)),
            Self::Neurons(list) => list.len() as u64,
        };
        let total = neurons.saturating_mul(steps as u64).saturating_mul(words);
        check_words("the recording of membranes", total)?;
        match self {
            Self::None => Ok(Vec::new()),
            Self::All => Ok(populations
                .iter()
                .flat_map(|&(k, size)| (0..size).map(move |n| (k, n)))
                .collect()),
            Self::Neurons(list) => {
                for &(key, neuron) in list {
                    let known = populations.iter().any(|&(k, size)| k == key && neuron < size);
                    if !known {
                        return Err(SimError::UnknownProbe { place: key.to_string(), neuron });
                    }
                }
                Ok(list.clone())
            }
        }
    }
}
