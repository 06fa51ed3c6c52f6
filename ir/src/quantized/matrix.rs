//! Integer matrices: what the chip stores.

use crate::conv::Conv;
use crate::network::Provenance;
use serde::{Deserialize, Serialize};

/// An integer matrix, rows = target neurons, columns = source neurons.
///
/// A weight is `mantissa · 2^exponent` and always an integer: with a negative exponent every
/// mantissa is divisible (the set on which all known implementations of the contract agree).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntMatrix {
    /// Name of the tensor it was quantized from.
    pub name: String,
    /// How stored mantissas are laid out.
    pub structure: Structure,
    /// Stored mantissas.
    pub mantissa: Vec<i16>,
    /// Exponent, −7..=7.
    pub exponent: i8,
    /// Set of mantissas that the synapse group can store.
    pub sign: Sign,
    /// Where the values come from.
    pub provenance: Provenance,
}

/// Layout of the stored mantissas.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Structure {
    /// Row-major `[rows, cols]`.
    Dense {
        /// Target neurons.
        rows: u32,
        /// Source neurons.
        cols: u32,
    },
    /// A convolution kernel, never expanded.
    Conv(Conv),
    /// Compressed sparse rows: row `r` holds entries `row_start[r]..row_start[r + 1]`, columns
    /// ascending.
    Sparse {
        /// Target neurons.
        rows: u32,
        /// Source neurons.
        cols: u32,
        /// `rows + 1` offsets.
        row_start: Vec<u32>,
        /// Column of each entry.
        col: Vec<u32>,
    },
    /// Neuron i to neuron i, one weight for all (`mantissa` has one entry).
    Identity {
        /// Neurons on either side.
        size: u32,
    },
}

impl Structure {
    /// Target neurons. 0 if a convolution has no output.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dense { rows, .. } | Self::Sparse { rows, .. } => *rows as usize,
            Self::Identity { size } => *size as usize,
            Self::Conv(c) => c
                .output()
                .map_or(0, |o| o.iter().fold(1_usize, |n, &d| n.saturating_mul(d as usize))),
        }
    }

    /// Source neurons.
    pub fn cols(&self) -> usize {
        match self {
            Self::Dense { cols, .. } | Self::Sparse { cols, .. } => *cols as usize,
            Self::Identity { size } => *size as usize,
            Self::Conv(c) => c.input.iter().fold(1_usize, |n, &d| n.saturating_mul(d as usize)),
        }
    }

    /// Number of mantissas stored.
    pub fn stored(&self) -> usize {
        match self {
            Self::Dense { rows, cols } => (*rows as usize).saturating_mul(*cols as usize),
            Self::Conv(c) => c.kernel_size(),
            Self::Sparse { col, .. } => col.len(),
            Self::Identity { .. } => 1,
        }
    }

    /// Visits the stored entries of one row: `visit(column, index of the mantissa)`, columns
    /// ascending. Zero mantissas are visited too.
    pub fn for_row(&self, row: usize, mut visit: impl FnMut(usize, usize)) {
        match self {
            Self::Dense { cols, .. } => {
                let cols = *cols as usize;
                (0..cols).for_each(|c| visit(c, row * cols + c));
            }
            Self::Conv(c) => c.for_sources(row, visit),
            Self::Sparse { row_start, col, .. } => {
                let range = row_start[row] as usize..row_start[row + 1] as usize;
                range.for_each(|i| visit(col[i] as usize, i));
            }
            Self::Identity { .. } => visit(row, 0),
        }
    }
}

impl IntMatrix {
    /// Weight of the stored mantissa `index`: `mantissa · 2^exponent`.
    pub fn weight(&self, index: usize) -> i32 {
        let mantissa = i32::from(self.mantissa[index]);
        if self.exponent >= 0 { mantissa << self.exponent } else { mantissa >> -self.exponent }
    }

    /// Visits the synapses of one target neuron: `visit(source neuron, weight)`, sources
    /// ascending, zero weights left out.
    pub fn for_row(&self, row: usize, mut visit: impl FnMut(usize, i32)) {
        self.structure.for_row(row, |col, index| {
            let weight = self.weight(index);
            if weight != 0 {
                visit(col, weight);
            }
        });
    }

    /// Number of synapses: pairs of neurons joined by a weight that is not 0. Kernels are counted, not expanded.
    pub fn synapses(&self) -> u64 {
        let nonzero = || self.mantissa.iter().filter(|&&m| m != 0).count() as u64;
        match &self.structure {
            Structure::Dense { .. } | Structure::Sparse { .. } => nonzero(),
            Structure::Identity { size } => u64::from(*size) * nonzero(),
            // Every kernel value, as often as its cell meets the input.
            Structure::Conv(conv) => {
                let taps = conv.tap_counts();
                let present =
                    self.mantissa.iter().zip(taps.iter().cycle()).filter(|(m, _)| **m != 0);
                present.fold(0_u64, |n, (_, &times)| n.saturating_add(times))
            }
        }
    }

    /// Bits of the narrowest weight field that holds every mantissa unchanged, one of [`WEIGHT_FIELDS`]:
    /// a field of `b` bits holds multiples of [`Sign::step`]`(b)`.
    pub fn weight_bits(&self) -> u8 {
        let all = self.mantissa.iter().fold(0, |bits, m| bits | m);
        let holds = |bits: u8| all % self.sign.step(bits) == 0;
        WEIGHT_FIELDS.into_iter().find(|bits| holds(*bits)).unwrap_or(8)
    }

    /// Smallest and largest weight stored (0, 0 if nothing is).
    pub fn weight_range(&self) -> (i32, i32) {
        (0..self.mantissa.len()).fold((0, 0), |(lo, hi), i| {
            let w = self.weight(i);
            (lo.min(w), hi.max(w))
        })
    }
}

/// Widths of the weight field of a synapse format, in bits; a signed weight includes its sign.
/// **Source**: nengo-loihi 1.1.0, `block.py` (`WEIGHT_BITS_MAP`; a width of 7 does not exist).
pub const WEIGHT_FIELDS: [u8; 7] = [1, 2, 3, 4, 5, 6, 8];

/// Which mantissas a synapse group stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sign {
    /// −256..=254, even.
    Mixed,
    /// 0..=255.
    Excitatory,
    /// −255..=0.
    Inhibitory,
}

impl Sign {
    /// Whether the group can store `mantissa` unchanged.
    pub const fn stores(self, mantissa: i16) -> bool {
        match self {
            Self::Mixed => mantissa >= -256 && mantissa <= 254 && mantissa % 2 == 0,
            Self::Excitatory => mantissa >= 0 && mantissa <= 255,
            Self::Inhibitory => mantissa >= -255 && mantissa <= 0,
        }
    }

    /// Step between the mantissas that a weight field of `bits` bits, 1..=8, tells apart: the field holds
    /// the upper bits, and a signed one has its lowest mantissa bit fixed to 0.
    /// **Source**: Lava 0.10.0, `weightutils.py` (`truncate_weights`).
    pub const fn step(self, bits: u8) -> i16 {
        let dropped = 8_u8.saturating_sub(bits);
        match self {
            Self::Mixed => 2 << dropped,
            Self::Excitatory | Self::Inhibitory => 1 << dropped,
        }
    }

    /// The mantissas that the group stores, in words.
    pub const fn range(self) -> &'static str {
        match self {
            Self::Mixed => "even, -256 to 254",
            Self::Excitatory => "0 to 255",
            Self::Inhibitory => "-255 to 0",
        }
    }

    /// Name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Excitatory => "excitatory",
            Self::Inhibitory => "inhibitory",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matrix(structure: Structure, mantissa: Vec<i16>, exponent: i8) -> IntMatrix {
        let provenance = Provenance::Dense { tensor: String::new() };
        IntMatrix {
            name: String::new(),
            structure,
            mantissa,
            exponent,
            sign: Sign::Mixed,
            provenance,
        }
    }

    fn synapses(matrix: &IntMatrix) -> Vec<(usize, usize, i32)> {
        let mut found = Vec::new();
        for row in 0..matrix.structure.rows() {
            matrix.for_row(row, |col, weight| found.push((row, col, weight)));
        }
        found
    }

    #[test]
    fn layouts_of_one_matrix_agree() {
        let dense = matrix(Structure::Dense { rows: 2, cols: 3 }, vec![0, 4, -6, 0, 0, 8], -1);
        let (row_start, col) = (vec![0, 2, 4], vec![1, 2, 0, 2]);
        let sparse = Structure::Sparse { rows: 2, cols: 3, row_start, col };
        // An explicit zero is stored, but is no synapse.
        let sparse = matrix(sparse, vec![4, -6, 0, 8], -1);
        assert_eq!(synapses(&dense), [(0, 1, 2), (0, 2, -3), (1, 2, 4)]);
        assert_eq!(synapses(&sparse), synapses(&dense));
        assert_eq!(dense.weight_range(), (-3, 4));
        let identity = matrix(Structure::Identity { size: 2 }, vec![-3], 2);
        assert_eq!(synapses(&identity), [(0, 0, -12), (1, 1, -12)]);
        assert_eq!((identity.structure.stored(), identity.weight_range()), (1, (-12, 0)));
    }

    #[test]
    fn the_narrowest_field_that_loses_nothing_is_found() {
        let bits = |sign, mantissa: &[i16]| {
            let cols = u32::try_from(mantissa.len()).unwrap();
            let structure = Structure::Dense { rows: 1, cols };
            IntMatrix { sign, ..matrix(structure, mantissa.to_vec(), 0) }.weight_bits()
        };
        assert_eq!(bits(Sign::Mixed, &[0, -256]), 1);
        assert_eq!(bits(Sign::Mixed, &[128, -256]), 2);
        assert_eq!(bits(Sign::Mixed, &[64, 0]), 3);
        assert_eq!(bits(Sign::Mixed, &[224]), 4);
        assert_eq!(bits(Sign::Mixed, &[16, -48]), 5);
        assert_eq!(bits(Sign::Mixed, &[8, 128]), 6);
        // 7 bits would do; there is no such field.
        assert_eq!(bits(Sign::Mixed, &[4]), 8);
        assert_eq!(bits(Sign::Mixed, &[2]), 8);
        for (dropped, expected) in [(0, 8), (1, 8), (2, 6), (3, 5), (4, 4), (5, 3), (6, 2), (7, 1)]
        {
            assert_eq!(bits(Sign::Excitatory, &[0, 1 << dropped, 128]), expected);
            assert_eq!(bits(Sign::Inhibitory, &[-(1 << dropped), 0]), expected);
        }
        assert_eq!(bits(Sign::Excitatory, &[0]), 1, "nothing to hold");
    }

    #[test]
    fn sign_modes_store_their_sets() {
        let stored = |sign: Sign| (-300..300).filter(move |m| sign.stores(*m));
        assert!(stored(Sign::Mixed).eq((-256..=254).filter(|m| m % 2 == 0)));
        assert!(stored(Sign::Excitatory).eq(0..=255));
        assert!(stored(Sign::Inhibitory).eq(-255..=0));
    }

    proptest! {
        /// The closed form counts what visiting every synapse counts.
        #[test]
        fn synapses_are_counted_without_visiting_them(
            (channels, out_channels, height, width) in (1_u32..3, 1_u32..3, 1_u32..6, 1_u32..6),
            (kernel, stride) in ([1_u32..4, 1_u32..4], [1_u32..3, 1_u32..3]),
            pad in prop::array::uniform4(0_u32..3),
            crop in prop::array::uniform4(0_u32..2),
            mantissas in prop::collection::vec(-1_i16..2, 36),
        ) {
            let conv = Conv {
                input: [channels, height, width], out_channels, kernel, stride, pad, groups: 1, crop,
            };
            prop_assume!(conv.output().is_some());
            let mantissa = &mantissas[..conv.kernel_size()];
            let outputs: u32 = conv.output().unwrap().iter().product();
            let mut visited = 0;
            for target in 0..outputs as usize {
                conv.for_sources(target, |_, k| visited += u64::from(mantissa[k] != 0));
            }
            let matrix = matrix(Structure::Conv(conv), mantissa.to_vec(), 0);
            prop_assert_eq!(matrix.synapses(), visited);
        }
    }
}
