//! Spike trains of one run, bit-packed.

/// Spikes of one population over the steps of one run.
///
/// **Shapes.** `[steps, neurons]`; each step is a row of 64-bit words, neuron `n` at bit `n % 64` of
/// word `n / 64`. Unused bits are zero, so that equal trains are equal values.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SpikeTrain {
    steps: usize,
    neurons: usize,
    words: Vec<u64>,
}

impl SpikeTrain {
    /// A silent train.
    pub fn new(steps: usize, neurons: usize) -> Self {
        Self { steps, neurons, words: vec![0; steps * neurons.div_ceil(64)] }
    }

    /// Number of steps.
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Number of neurons.
    pub const fn neurons(&self) -> usize {
        self.neurons
    }

    /// Whether neuron `n` spikes in step `t`. False outside the train.
    pub fn get(&self, t: usize, n: usize) -> bool {
        t < self.steps
            && n < self.neurons
            && self.words[t * self.neurons.div_ceil(64) + n / 64] >> (n % 64) & 1 == 1
    }

    /// Marks a spike of neuron `n` in step `t`.
    ///
    /// # Panics
    /// If either lies outside the train.
    pub fn set(&mut self, t: usize, n: usize) {
        assert!(t < self.steps && n < self.neurons, "spike outside the train");
        self.words[t * self.neurons.div_ceil(64) + n / 64] |= 1 << (n % 64);
    }

    /// Sets the spikes of neurons `64 · word ..` of step `t` to the bits of `bits`, the lowest first.
    ///
    /// # Panics
    /// If the word lies outside the train.
    pub fn set_word(&mut self, t: usize, word: usize, bits: u64) {
        let stride = self.neurons.div_ceil(64);
        assert!(t < self.steps && word < stride, "spikes outside the train");
        let real = self.neurons - 64 * word;
        // Bits behind the last neuron stay 0: counts and comparisons read whole words.
        let kept = if real < 64 { bits & ((1 << real) - 1) } else { bits };
        self.words[t * stride + word] = kept;
    }

    /// Words of step `t`.
    pub fn step(&self, t: usize) -> &[u64] {
        let stride = self.neurons.div_ceil(64);
        &self.words[t * stride..(t + 1) * stride]
    }

    /// Neurons that spike in step `t`, ascending.
    pub fn active(&self, t: usize) -> impl Iterator<Item = usize> + '_ {
        self.step(t).iter().enumerate().flat_map(|(w, &bits)| {
            std::iter::successors((bits != 0).then_some(bits), |b| {
                let rest = b & (b - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |b| w * 64 + b.trailing_zeros() as usize)
        })
    }

    /// The spikes of neurons `neurons`, as a train of their own.
    #[must_use]
    pub fn part(&self, neurons: std::ops::Range<usize>) -> Self {
        let mut part = Self::new(self.steps, neurons.len());
        for t in 0..self.steps {
            let active = self.active(t).filter(|n| neurons.contains(n));
            active.for_each(|n| part.set(t, n - neurons.start));
        }
        part
    }

    /// Number of spikes.
    pub fn count(&self) -> u64 {
        self.words.iter().map(|w| u64::from(w.count_ones())).sum()
    }

    /// Spikes of each neuron.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.neurons];
        for t in 0..self.steps {
            self.active(t).for_each(|n| counts[n] += 1);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::spike_train;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_views_agree(train in (0_usize..4, 1_usize..150).prop_flat_map(|(t, n)| spike_train(t, n))) {
            let mut counts = vec![0; train.neurons()];
            for t in 0..train.steps() {
                let expected: Vec<_> = (0..train.neurons()).filter(|n| train.get(t, *n)).collect();
                for n in &expected {
                    counts[*n] += 1;
                }
                prop_assert_eq!(train.active(t).collect::<Vec<_>>(), expected);
            }
            prop_assert_eq!(train.count(), counts.iter().map(|c| u64::from(*c)).sum::<u64>());
            prop_assert_eq!(train.counts(), counts);
        }
    }

    #[test]
    fn a_part_holds_the_spikes_of_its_neurons() {
        let mut train = SpikeTrain::new(2, 100);
        for (t, n) in [(0, 3), (0, 70), (1, 69), (1, 99)] {
            train.set(t, n);
        }
        let part = train.part(69..90);
        assert!(part.get(0, 1) && part.get(1, 0));
        assert_eq!((part.neurons(), part.count()), (21, 2));
    }

    #[test]
    fn outside_there_is_silence() {
        let mut train = SpikeTrain::new(2, 65);
        train.set(1, 64);
        assert!(train.get(1, 64));
        assert!(!train.get(2, 64) && !train.get(1, 65) && !train.get(0, 64));
        assert_eq!(train.step(0), [0, 0]);
    }
}
