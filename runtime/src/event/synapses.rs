//! The synapses of one matrix, laid out by source in the form of their structure.

use super::part::Part;
use super::rows::Rows;
use super::scatter::{Grids, Scatter};
use super::sparse::Sparse;
use snnc_ir::quantized::Structure;

/// Integer weights by source. Structures stay what they are.
pub(super) enum Synapses {
    Dense(Rows),
    Conv(Scatter),
    Sparse(Sparse),
    /// One weight, neuron i to neuron i.
    Identity(i32),
}

/// What additions need and nobody reads afterwards.
#[derive(Default)]
pub(super) struct Scratch {
    partial: Vec<i16>,
    /// Of sparse matrices.
    table: Vec<i16>,
    grids: Grids,
}

impl Synapses {
    /// From a structure and its weights by position; `None` if it is a convolution that [`Scatter`]
    /// does not take. No sum that one call delivers, nor any part of it, exceeds `bound`; of a convolution, no sum over the
    /// whole kernel of a channel, whatever its outputs see of it. Targets may be asked for in `parts` parts,
    /// those of a convolution only whole.
    pub(super) fn new(
        structure: &Structure,
        weight: impl Fn(usize) -> i32,
        bound: u64,
        parts: usize,
    ) -> Option<Self> {
        Some(match structure {
            Structure::Dense { rows, cols } => {
                let (rows, cols) = (*rows as usize, *cols as usize);
                let source = |c: usize| (0..rows).map(move |r| r * cols + c);
                Self::Dense(Rows::new(rows, (0..cols).flat_map(source).map(weight).collect()))
            }
            Structure::Conv(conv) => Self::Conv(Scatter::new(conv, weight, bound)?),
            Structure::Sparse { cols, row_start, col, .. } => {
                Self::Sparse(Sparse::new(*cols as usize, row_start, col, weight, bound, parts))
            }
            Structure::Identity { .. } => Self::Identity(weight(0)),
        })
    }

    /// Whether targets can be asked for in parts.
    pub(super) const fn has_parts(&self) -> bool {
        !matches!(self, Self::Conv(_))
    }

    /// The matrix, if parts of its sources can be added to sums of 16 bits, and these sums to one another.
    pub(super) fn gathers(&self) -> Option<&Sparse> {
        match self {
            Self::Sparse(sparse) => Some(sparse).filter(|sparse| sparse.gathers()),
            _ => None,
        }
    }

    /// About what `active` sources cost, in sparse synapses.
    pub(super) fn cost(&self, active: usize) -> usize {
        /// Weights of a row that are added in the time of one sparse synapse.
        const ROW: usize = 16;
        match self {
            Self::Dense(rows) => active.saturating_mul(rows.width()) / ROW,
            Self::Sparse(sparse) => active.saturating_mul(sparse.fan_out()),
            // Populations that read a convolution are not cut.
            Self::Conv(_) | Self::Identity(_) => active,
        }
    }

    /// Adds the weights of `active` sources, ascending, to `sums`, one per target of `part`.
    pub(super) fn add(&self, active: &[u32], part: Part, scratch: &mut Scratch, sums: &mut [i32]) {
        if active.is_empty() {
            return;
        }
        match self {
            Self::Dense(rows) => rows.add(active, part, &mut scratch.partial, sums),
            Self::Conv(conv) => {
                conv.add(active.iter().map(|&s| (s, 1)), &mut scratch.grids, sums);
            }
            Self::Sparse(sparse) => sparse.add(active, part, &mut scratch.table, sums),
            Self::Identity(w) => {
                let from = active.partition_point(|&s| (s as usize) < part.first());
                for &s in &active[from..] {
                    let Some(sum) = sums.get_mut(s as usize - part.first()) else { break };
                    *sum += w;
                }
            }
        }
    }

    /// As [`Synapses::add`], each source times its factor, in any order.
    pub(super) fn add_scaled(
        &self,
        active: &[u32],
        factors: &[i32],
        part: Part,
        scratch: &mut Scratch,
        sums: &mut [i32],
    ) {
        if active.is_empty() {
            return;
        }
        let pairs = active.iter().copied().zip(factors.iter().copied());
        match self {
            Self::Dense(rows) => rows.add_scaled(active, factors, part, sums),
            Self::Conv(conv) => conv.add(pairs, &mut scratch.grids, sums),
            Self::Sparse(sparse) => sparse.add_scaled(active, factors, part, sums),
            Self::Identity(w) => {
                for (source, factor) in pairs {
                    let place = (source as usize).checked_sub(part.first());
                    if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
                        *sum += w * factor;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Scratch, Synapses};
    use proptest::prelude::*;
    use snnc_ir::conv::Conv;
    use snnc_ir::quantized::Structure;

    fn structure() -> impl Strategy<Value = Structure> {
        let extents = (1_u32..3, 1_u32..4, 1_u32..4, 1_u32..6, 1_u32..6);
        let kernel = ([1_u32..4, 1_u32..5], [1_u32..4, 1_u32..4], [0_u32..3, 0..3, 0..3, 0..5]);
        let conv = (extents, kernel, [0_u32..3, 0..2, 0..2, 0..3])
            .prop_map(|((groups, i, o, h, w), (kernel, stride, pad), crop)| Conv {
                input: [i * groups, h, w],
                out_channels: o * groups,
                kernel,
                stride,
                pad,
                groups,
                crop,
            })
            .prop_filter("has an output", |c| c.output().is_some());
        let rows = prop_oneof![1_u32..5, 60_u32..300];
        let sparse = (rows, 1_u32..6, any::<u64>()).prop_map(|(rows, cols, bits)| {
            let holds = |row: u32, col: u32| bits >> ((row * cols + col) % 64) & 1 == 1;
            let (mut row_start, mut col) = (vec![0], Vec::new());
            for row in 0..rows {
                col.extend((0..cols).filter(|&c| holds(row, c)));
                row_start.push(u32::try_from(col.len()).unwrap());
            }
            Structure::Sparse { rows, cols, row_start, col }
        });
        prop_oneof![
            4 => conv.prop_map(Structure::Conv),
            1 => (prop_oneof![1_u32..40, 60_u32..300], 1_u32..40).prop_map(|(rows, cols)| Structure::Dense { rows, cols }),
            1 => sparse,
            1 => prop_oneof![1_u32..5, 60_u32..300].prop_map(|size| Structure::Identity { size }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Every layout and width delivers what visiting the rows delivers.
        #[test]
        fn layouts_deliver_the_matrix(
            structure in structure(),
            magnitude in prop::sample::select(vec![127_i32, 200, 32_000, 1 << 20]),
            bits: u64,
            factor in -3_i32..4,
            parts in 1_usize..9,
        ) {
            let weight = |i: usize| {
                let mixed = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                i32::try_from(mixed).unwrap() % (2 * magnitude + 1) - magnitude
            };
            let size = |i: usize| u64::from(weight(i).unsigned_abs()) * 3;
            let mut bound = 0;
            for row in 0..structure.rows() {
                let mut sum = 0;
                structure.for_row(row, |_, i| sum += size(i));
                bound = bound.max(sum);
            }
            if let Structure::Conv(conv) = &structure {
                let [channels, rest @ ..] = conv.kernel_shape().map(|n| n as usize);
                let kernel: usize = rest.iter().product();
                let channel = |c: usize| (c * kernel..(c + 1) * kernel).map(size).sum::<u64>();
                bound = bound.max((0..channels).map(channel).max().unwrap_or(0));
            }
            let synapses = Synapses::new(&structure, weight, bound, parts).unwrap();
            let cols = u32::try_from(structure.cols()).unwrap();
            let active: Vec<u32> = (0..cols).filter(|c| bits >> (c % 64) & 1 == 1).collect();
            let factors: Vec<i32> = active.iter().map(|_| factor).collect();
            let mut expected = vec![7_i32; structure.rows()];
            for (row, sum) in expected.iter_mut().enumerate() {
                structure.for_row(row, |col, i| {
                    *sum += weight(i) * i32::from(active.contains(&u32::try_from(col).unwrap()));
                });
            }
            let mut scratch = Scratch::default();
            let mut sums = vec![7; structure.rows()];
            let scaled: Vec<i32> = expected.iter().map(|e| e + (e - 7) * factor).collect();
            let whole = Part::whole(structure.rows());
            synapses.add(&active, whole, &mut scratch, &mut sums);
            prop_assert_eq!(&sums, &expected);
            synapses.add_scaled(&active, &factors, whole, &mut scratch, &mut sums);
            prop_assert_eq!(&sums, &scaled);
            if synapses.has_parts() {
                sums.fill(7);
                for part in Part::all(structure.rows(), parts) {
                    let sums = &mut sums[part.first()..][..part.len()];
                    synapses.add(&active, part, &mut scratch, sums);
                    synapses.add_scaled(&active, &factors, part, &mut scratch, sums);
                }
                prop_assert_eq!(sums, scaled);
            }
        }
    }

    /// More rows than 16 bits hold sums of, all at the limit.
    #[test]
    fn long_sums_are_widened_in_time() {
        let structure = Structure::Dense { rows: 3, cols: 1000 };
        for (weight, sum) in [(-128, -128_000), (127, 127_000), (-129, -129_000)] {
            let synapses = Synapses::new(&structure, |_| weight, 129_000, 1).unwrap();
            let mut sums = vec![0; 3];
            let active: Vec<u32> = (0..1000).collect();
            synapses.add(&active, Part::whole(3), &mut Scratch::default(), &mut sums);
            assert_eq!(sums, [sum; 3]);
        }
    }
}
