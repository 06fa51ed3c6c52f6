//! What populations sent, and where two of them differ.

use crate::error::SimError;
use crate::messages::MessageTrain;
use snnc_ir::spikes::SpikeTrain;

/// What one population sent in a run.
#[derive(Clone, Copy, Debug)]
pub struct Activity<'a> {
    /// Its spikes; of a graded population, the steps with a message.
    pub spikes: &'a SpikeTrain,
    /// Its messages, if it sends such. A spike counts as the message 1.
    pub messages: Option<&'a MessageTrain>,
}

impl<'a> From<&'a SpikeTrain> for Activity<'a> {
    fn from(spikes: &'a SpikeTrain) -> Self {
        Self { spikes, messages: None }
    }
}

impl Activity<'_> {
    /// What neuron `n` sent in step `t`: its message, 1 for a spike, 0 for nothing.
    pub fn value(&self, t: usize, n: usize) -> i32 {
        match self.messages {
            Some(messages) => messages.get(t, n).unwrap_or(0),
            None => i32::from(self.spikes.get(t, n)),
        }
    }

    /// What was sent in step `t`, neurons ascending.
    fn step(&self, t: usize) -> Vec<(usize, i32)> {
        match self.messages {
            Some(messages) => messages.step(t).iter().map(|&(n, m)| (n as usize, m)).collect(),
            None => self.spikes.active(t).map(|n| (n, 1)).collect(),
        }
    }
}

/// What a population of a [`Subject`](super::Subject) sent, in logical time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Name of the population.
    pub name: String,
    /// Its spikes; of a graded population, the steps with a message.
    pub spikes: SpikeTrain,
    /// Its messages, if it sends such.
    pub messages: Option<MessageTrain>,
}

impl Record {
    /// The record as one side of a [`Pair`].
    pub const fn activity(&self) -> Activity<'_> {
        Activity { spikes: &self.spikes, messages: self.messages.as_ref() }
    }
}

/// What one population sent on two sides.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Name of the population.
    pub name: &'a str,
    /// The left side (the reference, where there is one).
    pub left: Activity<'a>,
    /// The right side.
    pub right: Activity<'a>,
}

impl Pair<'_> {
    /// Whether either side sends graded messages.
    pub const fn is_graded(&self) -> bool {
        self.left.messages.is_some() || self.right.messages.is_some()
    }

    pub(super) fn check(&self) -> Result<(), SimError> {
        let size = |a: &Activity<'_>| (a.spikes.steps(), a.spikes.neurons());
        let of_messages =
            |a: &Activity<'_>| a.messages.map_or(size(a), |m| (m.steps(), m.neurons()));
        let left = size(&self.left);
        let others = [of_messages(&self.left), size(&self.right), of_messages(&self.right)];
        if let Some(&right) = others.iter().find(|&&other| other != left) {
            return Err(SimError::TrainShape { name: self.name.to_owned(), left, right });
        }
        Ok(())
    }

    /// Steps of both sides.
    pub(super) const fn steps(&self) -> usize {
        self.left.spikes.steps()
    }

    /// Words of both trains in step `t`, with the bits in which they differ.
    fn words(&self, t: usize) -> impl Iterator<Item = (u64, u64)> {
        let (left, right) = (self.left.spikes.step(t), self.right.spikes.step(t));
        left.iter().zip(right).map(|(&l, &r)| (l, l ^ r))
    }

    /// Neurons that sent different values in step `t`, ascending, with both values.
    fn unequal(&self, t: usize) -> Vec<(usize, [i32; 2])> {
        let (left, right) = (self.left.step(t), self.right.step(t));
        let (mut l, mut r) = (left.as_slice(), right.as_slice());
        let mut found = Vec::new();
        while let Some(n) = l.first().into_iter().chain(r.first()).map(|&(n, _)| n).min() {
            let take = |side: &mut &[(usize, i32)]| match side.split_first() {
                Some((&(m, value), rest)) if m == n => {
                    *side = rest;
                    value
                }
                _ => 0,
            };
            let values = [take(&mut l), take(&mut r)];
            if values[0] != values[1] {
                found.push((n, values));
            }
        }
        found
    }

    /// Spikes and messages of step `t` that only one side has.
    pub(super) fn differing(&self, t: usize) -> u64 {
        if self.is_graded() {
            let sent = |values: [i32; 2]| values.iter().filter(|v| **v != 0).count() as u64;
            self.unequal(t).into_iter().map(|(_, values)| sent(values)).sum()
        } else {
            self.words(t).map(|(_, d)| u64::from(d.count_ones())).sum()
        }
    }

    /// The first neuron that differs in step `t`.
    pub(super) fn first(&self, t: usize) -> Option<(usize, Difference)> {
        if self.is_graded() {
            let &(n, [left, right]) = self.unequal(t).first()?;
            return Some((n, Difference::Message { left, right }));
        }
        let (word, (left, difference)) =
            self.words(t).enumerate().find(|(_, (_, difference))| *difference != 0)?;
        let bit = difference.trailing_zeros();
        let side = if left >> bit & 1 == 1 { Side::Left } else { Side::Right };
        Some((word * 64 + bit as usize, Difference::Spike(side)))
    }
}

/// A side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first argument, the reference where there is one.
    Left,
    /// The second argument.
    Right,
}

/// In what one neuron differs in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Only this side fired.
    Spike(Side),
    /// The messages differ; 0 = none.
    Message {
        /// Message of the left side.
        left: i32,
        /// Message of the right side.
        right: i32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(sent: &[(u32, i32)]) -> MessageTrain {
        let mut train = MessageTrain::new(1, 100);
        train.put(0, sent.to_vec());
        train
    }

    #[test]
    fn messages_differ_by_value() {
        let trains = [messages(&[(1, 5), (7, -2), (70, 3)]), messages(&[(1, 5), (7, 2), (9, 1)])];
        let spikes = trains.each_ref().map(MessageTrain::spikes);
        let side = |i: usize| Activity { spikes: &spikes[i], messages: Some(&trains[i]) };
        let pair = Pair { name: "p", left: side(0), right: side(1) };
        assert_eq!(pair.unequal(0), [(7, [-2, 2]), (9, [0, 1]), (70, [3, 0])]);
        assert_eq!(pair.differing(0), 4);
        assert_eq!(pair.first(0), Some((7, Difference::Message { left: -2, right: 2 })));
        // Against plain spikes of the same neurons: all that is not 1.
        let pair = Pair { right: (&spikes[1]).into(), left: side(1), ..pair };
        assert_eq!(pair.unequal(0), [(1, [5, 1]), (7, [2, 1])]);
        assert_eq!((pair.left.value(0, 7), pair.right.value(0, 9)), (2, 1));
        assert_eq!(Pair { right: side(1), ..pair }.first(0), None);
    }
}
