//! Random networks, made by a small generator from one seed.

pub(crate) mod float_net;
pub(crate) mod int_net;
pub(crate) mod program;
pub(crate) mod tiny;

use proptest::prelude::*;
use snnc_ir::conv::Conv;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::testing::Space;

/// Every space of networks.
pub(crate) fn space() -> impl Strategy<Value = Space> {
    prop::sample::select(vec![
        Space::Everything,
        Space::Graded,
        Space::All,
        Space::Programmable,
        Space::Fixed,
        Space::Stages,
    ])
}

/// `splitmix64`.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number in `low..=high`.
    pub(crate) fn range(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).unwrap();
        low + i64::try_from(self.next() % width).unwrap()
    }

    /// A number in `low..=high`.
    pub(crate) fn size(&mut self, low: u32, high: u32) -> u32 {
        u32::try_from(self.range(low.into(), high.into())).unwrap()
    }

    /// True in `percent` of all cases.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.range(0, 99) < percent
    }

    /// A position in a list of `len`.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.size(0, u32::try_from(len).unwrap() - 1) as usize
    }

    /// A number in `low..=high` with full mantissa, or one of the bounds.
    pub(crate) fn real(&mut self, low: i32, high: i32) -> f32 {
        let [low, high] = [low, high].map(|bound| bound as f32);
        let part = self.range(0, 1 << 24) as f32 / (1_u32 << 24) as f32;
        let inside = (low + (high - low) * part).clamp(low, high);
        [inside, inside, inside, low, high][self.index(5)]
    }

    /// A convolution that reads `input`.
    pub(crate) fn conv(&mut self, input: [u32; 3]) -> Conv {
        loop {
            let grouped = input[0].is_multiple_of(2) && self.chance(40);
            let groups = if grouped { 2 } else { 1 };
            let conv = Conv {
                input,
                out_channels: groups * self.size(1, 2),
                kernel: [self.size(1, 3), self.size(1, 3)],
                stride: [self.size(1, 2), self.size(1, 2)],
                pad: [self.size(0, 1), self.size(0, 2), self.size(0, 1), self.size(0, 1)],
                groups,
                crop: if self.chance(30) {
                    [self.size(0, 2), self.size(0, 1), self.size(0, 1), self.size(0, 2)]
                } else {
                    [0; 4]
                },
            };
            if conv.output().is_some() {
                return conv;
            }
        }
    }

    /// A train in which about `percent` of all cells are spikes.
    pub(crate) fn train(&mut self, steps: usize, neurons: usize, percent: i64) -> SpikeTrain {
        let mut train = SpikeTrain::new(steps, neurons);
        for t in 0..steps {
            for n in 0..neurons {
                if self.chance(percent) {
                    train.set(t, n);
                }
            }
        }
        train
    }
}
