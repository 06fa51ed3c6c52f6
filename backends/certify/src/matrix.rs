//! Matrices of the pool: well-formedness, rows, weights; and row sums of the source's matrices.

use super::sends::{Sends, Span};
use snnc_ir::arena::{MatId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::program::{Format, Layout, PoolMatrix, Program};
use snnc_ir::quantized::{IntMatrix, Sign, Structure};
use std::collections::HashMap;
use std::ops::Range;

/// Why a pooled matrix cannot be followed.
pub(super) fn check(matrix: &PoolMatrix, program: &Program) -> Result<(), String> {
    match &matrix.structure {
        Structure::Dense { .. } | Structure::Identity { .. } => {}
        Structure::Sparse { rows, cols, row_start, col } => {
            if row_start.len() != *rows as usize + 1 {
                return Err(format!("{} row offsets for {rows} rows", row_start.len()));
            }
            let ascending = row_start.windows(2).all(|w| w[0] <= w[1]);
            if !ascending || row_start[0] != 0 || row_start[*rows as usize] as usize != col.len() {
                return Err("its row offsets do not split its entries".to_owned());
            }
            for row in row_start.windows(2) {
                let row = &col[row[0] as usize..row[1] as usize];
                if !row.windows(2).all(|w| w[0] < w[1]) || row.last().is_some_and(|c| c >= cols) {
                    return Err("the columns of a row do not ascend inside the matrix".to_owned());
                }
            }
        }
        Structure::Conv(c) => {
            let divides = |n: u32| c.groups > 0 && n.is_multiple_of(c.groups);
            if !divides(c.input[0]) || !divides(c.out_channels) || c.kernel.contains(&0) {
                return Err("its convolution has no groups or an empty kernel".to_owned());
            }
            if c.output().is_none_or(|o| o.contains(&0)) || c.input.contains(&0) {
                return Err("its convolution has no output".to_owned());
            }
        }
    }
    // Neurons are numbered in 32 bits; this also keeps index arithmetic inside 64.
    let most = u32::MAX as usize;
    if matrix.structure.rows() > most || matrix.structure.cols() > most {
        return Err("it has more than 2^32 rows or columns".to_owned());
    }
    for (Layout { places, block }, count) in
        [(matrix.rows, matrix.structure.rows()), (matrix.cols, matrix.structure.cols())]
    {
        let channels = count.checked_div(places as usize).unwrap_or(0);
        let whole = channels * places as usize == count;
        if !whole || block == 0 || block as usize > channels {
            return Err(format!(
                "blocks of {block} channels of {places} neurons are no order of {count}"
            ));
        }
    }
    let Some(values) = program.values.get(matrix.values as usize) else {
        return Err(format!("it names array {} of {}", matrix.values, program.values.len()));
    };
    if matrix.structure.stored() != values.len() {
        return Err(format!(
            "its layout stores {} mantissas, its array has {}",
            matrix.structure.stored(),
            values.len()
        ));
    }
    Ok(())
}

/// Visits the stored entries of `row` whose column lies in `cols`: `visit(column, mantissa index)`.
///
/// Takes time in proportion to the entries visited (for a convolution, plus the kernel's rows), so
/// that a matrix split over many blocks costs as much as a whole one.
pub(super) fn entries(
    structure: &Structure,
    row: usize,
    cols: Range<usize>,
    mut visit: impl FnMut(usize, usize),
) {
    match structure {
        Structure::Dense { cols: width, .. } => {
            let base = row * *width as usize;
            cols.for_each(|c| visit(c, base + c));
        }
        Structure::Sparse { row_start, col, .. } => {
            let (from, to) = (row_start[row] as usize, row_start[row + 1] as usize);
            let first = from + col[from..to].partition_point(|&c| (c as usize) < cols.start);
            for (c, i) in col[first..to].iter().zip(first..) {
                if *c as usize >= cols.end {
                    break;
                }
                visit(*c as usize, i);
            }
        }
        Structure::Identity { .. } => {
            if cols.contains(&row) {
                visit(row, 0);
            }
        }
        Structure::Conv(conv) => window(conv, row).entries(conv, &cols, visit),
    }
}

/// Visits the stored entries of the row at position `row` whose column's position lies in `cols`:
/// `visit(position of the column, mantissa index)`.
pub(super) fn placed_entries(
    matrix: &PoolMatrix,
    row: u32,
    cols: Range<u32>,
    mut visit: impl FnMut(u32, usize),
) {
    let structure = &matrix.structure;
    let (row, order) = (matrix.row_order().neuron(row) as usize, matrix.col_order());
    #[expect(clippy::cast_possible_truncation, reason = "columns are counted in u32")]
    if let Structure::Dense { cols: width, .. } = structure {
        let base = row * *width as usize;
        cols.for_each(|p| visit(p, base + order.neuron(p) as usize));
    } else if order.is_row_major() {
        let cols = cols.start as usize..cols.end as usize;
        entries(structure, row, cols, |col, index| visit(col as u32, index));
    } else {
        entries(structure, row, 0..structure.cols(), |col, index| {
            let position = order.position(col as u32);
            if cols.contains(&position) {
                visit(position, index);
            }
        });
    }
}

/// The part of a convolution kernel that lies inside the input for one output neuron.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Window {
    /// Output channel.
    pub(super) channel: usize,
    /// Kernel rows and columns inside the input.
    pub(super) ky: Range<usize>,
    pub(super) kx: Range<usize>,
    /// Input row and column of the first of them.
    pub(super) y: usize,
    pub(super) x: usize,
}

/// The window of output neuron `row` of a convolution that [`check`] accepts.
pub(super) fn window(conv: &Conv, row: usize) -> Window {
    let [_, height, width] = conv.output().unwrap_or([0; 3]).map(|d| d as usize);
    let place = row % (height * width);
    let clip = |out: usize, axis: usize| {
        let start = out * conv.stride[axis] as usize;
        let (before, left_out) = (conv.pad[2 * axis] as usize, conv.crop[2 * axis] as usize);
        let (kernel, input) =
            (conv.kernel[axis] as usize, conv.cropped(axis).unwrap_or(0) as usize);
        let low = before.saturating_sub(start).min(kernel);
        let high = (input + before).saturating_sub(start).min(kernel);
        (low..high.max(low), (start + low).saturating_sub(before) + left_out)
    };
    let (ky, y) = clip(place / width, 0);
    let (kx, x) = clip(place % width, 1);
    Window { channel: row / (height * width), ky, kx, y, x }
}

impl Window {
    fn entries(self, conv: &Conv, cols: &Range<usize>, mut visit: impl FnMut(usize, usize)) {
        let [channels, height, width] = conv.input.map(|d| d as usize);
        let per_group = channels / conv.groups as usize;
        let group = self.channel / (conv.out_channels as usize / conv.groups as usize);
        let first = group * per_group;
        let plane = height * width;
        // Channels that `cols` touches.
        let from = (cols.start / plane).max(first);
        let to = cols.end.div_ceil(plane).min(first + per_group);
        let [k_h, k_w] = conv.kernel.map(|d| d as usize);
        for c in from..to {
            let kernel = (self.channel * per_group + c - first) * k_h * k_w;
            for ky in self.ky.clone() {
                let line = c * plane + (self.y + ky - self.ky.start) * width + self.x;
                for kx in self.kx.clone() {
                    let source = line + kx - self.kx.start;
                    if cols.contains(&source) {
                        visit(source, kernel + ky * k_w + kx);
                    }
                }
            }
        }
    }
}

/// `mantissa · 2^exponent` if it is an integer and the exponent one of the contract.
pub(super) fn weight(mantissa: i16, exponent: i8) -> Option<i64> {
    let mantissa = i64::from(mantissa);
    match exponent {
        0..=7 => Some(mantissa << exponent),
        -7..=-1 => (mantissa % (1 << -exponent) == 0).then(|| mantissa >> -exponent),
        _ => None,
    }
}

/// The first mantissa that a synapse format does not store unchanged.
///
/// A format of `b` bits drops the `8 − b` lowest bits, in mixed sign mode one more; there is none of 7
/// bits. With a negative exponent implementations agree only on mantissas that it divides.
pub(super) fn not_stored(values: &[i16], format: Format) -> Option<i16> {
    let mixed = u32::from(format.sign == Sign::Mixed);
    let exists = matches!(format.weight_bits, 1..=6 | 8);
    let dropped = 8_u32.checked_sub(u32::from(format.weight_bits)).map(|b| b + mixed);
    let stores = |m: i16| {
        exists
            && format.sign.stores(m)
            && dropped.is_some_and(|bits| i32::from(m) % (1 << bits) == 0)
            && weight(m, format.exponent).is_some()
    };
    values.iter().copied().find(|&m| !stores(m))
}

/// Whether a pooled matrix with this exponent holds the same weights in the same layout.
pub(super) fn equals(
    pooled: &PoolMatrix,
    values: &[i16],
    exponent: i8,
    source: &IntMatrix,
) -> bool {
    pooled.structure == source.structure
        && values.len() == source.mantissa.len()
        && (values.iter().enumerate())
            .all(|(i, &m)| weight(m, exponent) == Some(i64::from(source.weight(i))))
}

/// Sums over the synapses of one target neuron, of what may arrive in one step. **Units**: weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RowSum {
    /// Smallest sum, at most 0.
    pub(super) low: i64,
    /// Largest sum, at least 0.
    pub(super) high: i64,
    /// Synapses whose weight is not zero.
    pub(super) count: u64,
}

impl RowSum {
    /// Adds a synapse whose source sends `messages`. Sums beyond i64 are cut off there.
    pub(super) fn add(&mut self, weight: i64, messages: Span) {
        let part = messages.scaled(weight);
        self.low = self.low.saturating_add(part.low);
        self.high = self.high.saturating_add(part.high);
        self.count += u64::from(weight != 0);
    }

    /// The same synapses, of whose sums narrower bounds are known.
    pub(super) fn within(self, Span { low, high }: Span) -> Self {
        Self { low: self.low.max(low), high: self.high.min(high), ..self }
    }

    /// Adds all synapses of `other`.
    pub(super) const fn join(&mut self, other: Self) {
        self.low = self.low.saturating_add(other.low);
        self.high = self.high.saturating_add(other.high);
        self.count += other.count;
    }
}

/// Matrix, source, output channel and the part of the kernel that lies inside the input.
type WindowKey = (MatId, PopId, usize, Range<usize>, Range<usize>);

/// Row sums of matrices. Output neurons of a convolution that see the same part of the kernel have
/// the same sums, so that a convolution is never expanded; for that the messages of an input channel
/// are bounded together, unless [`RowSums::exact`].
#[derive(Debug, Default)]
pub(super) struct RowSums {
    windows: HashMap<WindowKey, RowSum>,
    /// Bounds of the messages of each channel, by population and extent of a channel.
    channels: HashMap<(PopId, usize), Channels>,
    exact: bool,
}

/// What the channels of a population send.
#[derive(Debug)]
struct Channels {
    spans: Vec<Span>,
    /// Whether all neurons of a channel have the same bounds.
    alike: bool,
}

impl RowSums {
    /// Row sums that bound the messages of every neuron on their own, even where those of a channel
    /// differ: rows of convolutions are expanded there.
    pub(super) fn exact() -> Self {
        Self { exact: true, ..Self::default() }
    }

    /// Sums over row `row` of a matrix that reads population `from`, which sends `sends`.
    pub(super) fn of(
        &mut self,
        (id, matrix): (MatId, &IntMatrix),
        row: usize,
        (from, sends): (PopId, &Sends),
    ) -> RowSum {
        let Structure::Conv(conv) = &matrix.structure else {
            let mut sum = RowSum::default();
            matrix.for_row(row, |col, w| sum.add(i64::from(w), sends.at(col)));
            return sum;
        };
        let plane = (conv.input[1] as usize * conv.input[2] as usize).max(1);
        let Self { windows, channels, exact } = self;
        let channels = match sends {
            Sends::Messages(each) => {
                let make = || Channels::of(each, plane);
                Some(&*channels.entry((from, plane)).or_insert_with(make))
            }
            Sends::Spikes | Sends::Nothing => None,
        };
        let sum = |of: &dyn Fn(usize) -> Span| {
            let mut sum = RowSum::default();
            matrix.for_row(row, |col, w| sum.add(i64::from(w), of(col)));
            sum
        };
        if *exact && channels.is_some_and(|channels| !channels.alike) {
            return sum(&|col| sends.at(col));
        }
        let window = window(conv, row);
        *(windows.entry((id, from, window.channel, window.ky, window.kx))).or_insert_with(|| {
            match channels {
                Some(channels) => sum(&|col| channels.spans[col / plane]),
                None => sum(&|col| sends.at(col)),
            }
        })
    }
}

impl Channels {
    fn of(each: &[Span], plane: usize) -> Self {
        let hull = |part: &[Span]| part.iter().copied().reduce(Span::hull).unwrap_or_default();
        let alike = each.chunks(plane).all(|part| part.iter().all(|span| *span == part[0]));
        Self { spans: each.chunks(plane).map(hull).collect(), alike }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn convolution()(
            groups in 1_u32..3, c in 1_u32..3, o in 1_u32..3,
            h in 3_u32..7, w in 3_u32..7, kh in 1_u32..4, kw in 1_u32..4,
            stride in prop::array::uniform2(1_u32..4), pad in prop::array::uniform4(0_u32..4),
            crop in prop::array::uniform4(0_u32..2),
        ) -> Conv {
            Conv {
                input: [c * groups, h, w], out_channels: o * groups, kernel: [kh, kw], stride, pad,
                groups, crop,
            }
        }
    }

    proptest! {
        /// Restricted to columns, a convolution's row is the restriction of the whole row.
        #[test]
        fn windows_are_rows_of_the_convolution(
            conv in convolution(), from in 0_usize..30, len in 0_usize..40,
        ) {
            prop_assume!(conv.output().is_some_and(|o| !o.contains(&0)));
            let structure = Structure::Conv(conv);
            for row in 0..structure.rows() {
                let cols = from.min(structure.cols())..(from + len).min(structure.cols());
                let (mut whole, mut part) = (vec![], vec![]);
                structure.for_row(row, |c, i| whole.push((c, i)));
                whole.retain(|(c, _)| cols.contains(c));
                entries(&structure, row, cols, |c, i| part.push((c, i)));
                prop_assert_eq!(whole, part);
            }
        }

        /// Sums shared between rows with equal windows are the sums of each row.
        #[test]
        fn shared_sums_are_row_sums(
            conv in convolution(),
            weights in prop::collection::vec(-128_i16..128, 1..20),
            messages in prop::option::of(prop::collection::vec((-9_i64..=0, 0_i64..9), 4)),
        ) {
            prop_assume!(conv.output().is_some_and(|o| !o.contains(&0)));
            let mantissa = weights.iter().cycle().take(conv.kernel_size());
            let matrix = IntMatrix {
                name: String::new(),
                structure: Structure::Conv(conv),
                mantissa: mantissa.map(|m| m * 2).collect(),
                exponent: 0,
                sign: Sign::Mixed,
                provenance: snnc_ir::network::Provenance::Dense { tensor: String::new() },
            };
            // All neurons of a channel have the same bounds.
            let plane = (conv.input[1] * conv.input[2]) as usize;
            let sends = messages.map_or(Sends::Spikes, |m| {
                let of = |n: usize| Span { low: m[n / plane].0, high: m[n / plane].1 };
                Sends::Messages((0..matrix.structure.cols()).map(of).collect())
            });
            let mut sums = RowSums::default();
            for row in 0..matrix.structure.rows() {
                let mut expected = RowSum::default();
                matrix.for_row(row, |col, w| expected.add(i64::from(w), sends.at(col)));
                let (id, from) = (snnc_ir::Entity::new(0), snnc_ir::Entity::new(0));
                prop_assert_eq!(sums.of((id, &matrix), row, (from, &sends)), expected);
            }
        }
    }

    #[test]
    fn fields_store_their_multiples() {
        let lost = |sign, weight_bits, mantissa: i16| {
            not_stored(&[mantissa], Format { exponent: 0, sign, weight_bits, delay_bits: 0 })
        };
        for (bits, step) in [(1, 128), (2, 64), (3, 32), (4, 16), (5, 8), (6, 4), (8, 1)] {
            assert_eq!(lost(Sign::Excitatory, bits, 255 / step * step), None);
            assert_eq!(lost(Sign::Inhibitory, bits, -step), None);
            assert_eq!(lost(Sign::Mixed, bits, -256 + 2 * step), None);
            let halves = [(Sign::Inhibitory, -step / 2), (Sign::Mixed, step), (Sign::Mixed, -step)];
            for (sign, half) in halves.into_iter().filter(|(_, m)| *m != 0) {
                assert_eq!(lost(sign, bits, half), Some(half), "{sign:?} {bits} bits");
            }
        }
        // Widths that do not exist.
        assert_eq!([0, 7, 9, 255].map(|bits| lost(Sign::Excitatory, bits, 0)), [Some(0); 4]);
    }

    #[test]
    fn weights_outside_the_contract_have_no_value() {
        assert_eq!(weight(-6, -1), Some(-3));
        assert_eq!(weight(5, -1), None);
        assert_eq!(weight(3, 7), Some(384));
        assert_eq!(weight(0, 8), None);
    }
}
