//! Graded messages of one run.

use crate::error::{SimError, check_words};
use snnc_ir::spikes::SpikeTrain;

/// The graded messages that one population sent in one run: integers, or the f32 values of a float
/// network.
///
/// **Shapes.** `[steps, neurons]`, sparse: a step holds the neurons that sent something, ascending,
/// with what they sent, which is never 0.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MessageTrain<T = i32> {
    neurons: usize,
    steps: Vec<Vec<(u32, T)>>,
}

impl<T: Copy> MessageTrain<T> {
    /// A train without messages.
    pub fn new(steps: usize, neurons: usize) -> Self {
        Self { neurons, steps: vec![Vec::new(); steps] }
    }

    /// Number of steps.
    pub const fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Number of neurons.
    pub const fn neurons(&self) -> usize {
        self.neurons
    }

    /// Neurons that sent something in step `t`, ascending, and what they sent.
    ///
    /// # Panics
    /// If the step lies outside the train.
    pub fn step(&self, t: usize) -> &[(u32, T)] {
        &self.steps[t]
    }

    /// What neuron `n` sent in step `t`, if it sent something.
    pub fn get(&self, t: usize, n: usize) -> Option<T> {
        let step = self.steps.get(t)?;
        let n = u32::try_from(n).ok()?;
        let at = step.binary_search_by_key(&n, |&(neuron, _)| neuron).ok()?;
        Some(step[at].1)
    }

    /// Number of messages.
    pub fn count(&self) -> u64 {
        self.steps.iter().map(|step| step.len() as u64).sum()
    }

    /// The train that marks the messages.
    pub fn spikes(&self) -> SpikeTrain {
        let mut train = SpikeTrain::new(self.steps(), self.neurons);
        for (t, step) in self.steps.iter().enumerate() {
            for &(n, _) in step {
                train.set(t, n as usize);
            }
        }
        train
    }

    /// Takes the messages of step `t`, neurons ascending.
    pub(crate) fn put(&mut self, t: usize, messages: Vec<(u32, T)>) {
        debug_assert!(messages.is_sorted_by(|a, b| a.0 < b.0), "one message per neuron, ascending");
        self.steps[t] = messages;
    }

    /// The messages of the steps that `of` names.
    pub(crate) fn select(&self, of: impl Iterator<Item = usize>) -> Self {
        let step = |t: usize| self.steps.get(t).cloned().unwrap_or_default();
        Self { neurons: self.neurons, steps: of.map(step).collect() }
    }
}

/// Refuses messages of populations of `sizes` over `steps` steps that need too much memory.
///
/// # Errors
/// [`SimError::TooLarge`].
pub(crate) fn check_messages(
    steps: usize,
    sizes: impl Iterator<Item = usize>,
) -> Result<(), SimError> {
    let row = sizes.fold(0_u64, |sum, n| sum.saturating_add(n as u64));
    check_words("the messages of the run", row.saturating_mul(steps as u64))
}

#[cfg(test)]
mod tests {
    use super::MessageTrain;

    #[test]
    fn messages_are_found_and_marked() {
        let mut train = MessageTrain::new(3, 70);
        train.put(1, vec![(0, -5), (68, 7)]);
        assert_eq!((train.get(1, 68), train.get(1, 1), train.get(9, 0)), (Some(7), None, None));
        assert_eq!((train.count(), train.steps(), train.neurons()), (2, 3, 70));
        let spikes = train.spikes();
        assert!(spikes.get(1, 0) && spikes.get(1, 68));
        assert_eq!(spikes.count(), 2);
        let odd = train.select([1, 3].into_iter());
        assert_eq!((odd.steps(), odd.step(0), odd.step(1)), (2, train.step(1), &[][..]));
    }
}
