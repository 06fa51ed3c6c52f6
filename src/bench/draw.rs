//! The same numbers everywhere: splitmix64.

use snnc_ir::spikes::SpikeTrain;

/// A generator of numbers.
pub(super) struct Draw(u64);

impl Draw {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        // The upper half of a product of 32 bits each is below `limit`.
        let product = (self.next() >> 32) * u64::from(limit);
        u32::try_from(product >> 32).unwrap_or(0)
    }

    /// A number in `low..=high`, which are small.
    pub(super) fn between(&mut self, low: i16, high: i16) -> i16 {
        let width = u32::try_from(i32::from(high) - i32::from(low) + 1).unwrap_or(1);
        let offset = i32::try_from(self.below(width)).unwrap_or(0);
        i16::try_from(i32::from(low) + offset).unwrap_or(low)
    }

    /// `count` numbers in `low..=high`.
    pub(super) fn many(&mut self, count: usize, low: i16, high: i16) -> Vec<i16> {
        (0..count).map(|_| self.between(low, high)).collect()
    }

    /// Spikes with a probability of `percent` / 100 each.
    pub(super) fn train(&mut self, steps: usize, neurons: usize, percent: u32) -> SpikeTrain {
        let mut train = SpikeTrain::new(steps, neurons);
        for t in 0..steps {
            for n in 0..neurons {
                if self.below(100) < percent {
                    train.set(t, n);
                }
            }
        }
        train
    }
}
