//! Values that are whole numbers of a power of two, and what that proves.
//!
//! If every term of a sum is a multiple of a unit `2^e`, and no partial sum can exceed `2^24` units, then
//! every partial sum in any order is an f32, nothing is ever rounded, and the sum in integers is the sum in
//! the stated order. Signs of zero do not matter either: a sum that starts at +0 is never −0, and neither
//! is an integer that becomes a float.

use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::network::{Coding, Emission, Network, Node, Op};

/// Units that f32 counts without gaps.
const EXACT: u64 = 1 << 24;

/// Exponents of units for which units, and `2^24` of them, are normal numbers.
const EXPONENTS: std::ops::RangeInclusive<i32> = -126..=100;

/// Values of a node: multiples of `2^exponent`, at most `max` of these units from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) exponent: i32,
    pub(super) max: u64,
}

impl Grid {
    /// 0 or 1.
    const SPIKES: Self = Self { exponent: 0, max: 1 };

    /// The grid, if f32 has all its values.
    pub(super) fn checked(self) -> Option<Self> {
        (self.max <= EXACT && EXPONENTS.contains(&self.exponent)).then_some(self)
    }

    /// A grid that holds the values of both.
    fn join(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        Some(Self { exponent, max: self.units(exponent)?.max(other.units(exponent)?) })
    }

    /// A grid that holds the sums of both.
    fn plus(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        Some(Self { exponent, max: self.units(exponent)? + other.units(exponent)? })
    }

    /// The largest value in units of `2^exponent`, which are not larger than its own.
    fn units(self, exponent: i32) -> Option<u64> {
        let finer = u32::try_from(self.exponent - exponent).ok()?;
        Some(self.max.checked_mul(1_u64.checked_shl(finer)?)?).filter(|&units| units <= EXACT)
    }

    /// A grid that holds averages over `cells` of its values, of which there are as many or fewer.
    fn average(self, cells: u64) -> Option<Self> {
        let log = i32::try_from(cells.is_power_of_two().then(|| cells.ilog2())?).ok()?;
        Some(Self { exponent: self.exponent - log, max: self.max.checked_mul(cells)? })
    }
}

/// `2^exponent`, for exponents of normal numbers.
pub(super) fn unit(exponent: i32) -> f32 {
    let biased = u32::try_from(exponent + 127).unwrap_or_default();
    f32::from_bits(biased << 23)
}

/// Weights as whole numbers of the largest power of two that divides them all.
pub(super) struct Units {
    pub(super) exponent: i32,
    pub(super) weights: Vec<i32>,
}

impl Units {
    /// `None` unless all are within ±2^24 units.
    pub(super) fn new(weights: &[f32]) -> Option<Self> {
        let exponent = weights.iter().filter_map(|&w| lowest(w)).min().unwrap_or(0);
        if !EXPONENTS.contains(&exponent) {
            return None;
        }
        let scale = f64::from(unit(exponent));
        let units = weights.iter().map(|&w| whole(f64::from(w) / scale));
        Some(Self { exponent, weights: units.collect::<Option<_>>()? })
    }

    /// Grid of the sums of rows of `per_row` weights over sources on `source`.
    pub(super) fn sums(&self, per_row: usize, source: Grid) -> Option<Grid> {
        let row = |row: &[i32]| row.iter().map(|w| u64::from(w.unsigned_abs())).sum::<u64>();
        let worst = self.weights.chunks(per_row.max(1)).map(row).max().unwrap_or(0);
        let max = worst.checked_mul(source.max)?;
        Grid { exponent: self.exponent + source.exponent, max }.checked()
    }
}

/// Exponent of the lowest bit that is set; `None` of 0.
fn lowest(w: f32) -> Option<i32> {
    let bits = w.to_bits();
    let (biased, fraction) = (bits >> 23 & 0xff, bits & 0x7f_ffff);
    let (mantissa, biased) =
        if biased == 0 { (fraction, 1) } else { (fraction | 0x80_0000, biased) };
    let exponent = i32::try_from(biased + mantissa.trailing_zeros()).ok()? - 150;
    (mantissa != 0).then_some(exponent)
}

/// A whole number within ±2^24.
#[expect(clippy::cast_possible_truncation, reason = "checked to fit")]
#[expect(clippy::cast_precision_loss, reason = "2^24 is a float")]
fn whole(x: f64) -> Option<i32> {
    (x.abs() <= EXACT as f64 && x.fract() == 0.0).then_some(x as i32)
}

/// Whether what a node sends are spikes of value 1.
pub(super) fn spikes(node: &Node) -> bool {
    match &node.op {
        Op::Input(coding) => !matches!(coding, Coding::Direct { .. }),
        Op::Neuron(neuron) => neuron.emission == Emission::Binary,
        _ => false,
    }
}

/// Grid of the values of node `id`, if its operator and the grids of the nodes that it reads tell.
/// Matrices are [`Units::sums`]'s business.
pub(super) fn grid(network: &Network, id: NodeId, grids: &[Option<Grid>]) -> Option<Grid> {
    let node = &network.nodes[id];
    if spikes(node) {
        return Some(Grid::SPIKES);
    }
    let mut inputs = node.inputs.iter().map(|e| grids[e.source.index()]);
    let size = |at: usize| node.inputs.get(at).map(|e| network.nodes[e.source].shape.size());
    let grid = match &node.op {
        Op::Flatten | Op::Crop(_) | Op::Relay(_) => inputs.next()?,
        Op::Concat => {
            let first = inputs.next()??;
            inputs.try_fold(first, |all, grid| all.join(grid?))
        }
        Op::Add => {
            let first = inputs.next()??;
            inputs.try_fold(first, |all, grid| all.plus(grid?))
        }
        Op::AvgPool { window, exclude_pad: false } => {
            let cells = window.kernel.map(u64::from);
            inputs.next()??.average(cells[0].checked_mul(cells[1])?)
        }
        Op::GlobalAvgPool => inputs.next()??.average((size(0)? / node.shape.size().max(1)) as u64),
        Op::Zero => Some(Grid { exponent: 0, max: 0 }),
        Op::AvgPool { .. }
        | Op::BatchNorm { .. }
        | Op::Input(_)
        | Op::Neuron(_)
        | Op::Linear { .. }
        | Op::Conv2d { .. } => None,
    };
    grid?.checked()
}

#[cfg(test)]
mod tests {
    use super::{Grid, Units, lowest, unit};

    #[test]
    fn weights_are_counted_in_their_largest_unit() {
        let units = Units::new(&[0.75, -2.0, 0.0, -0.0, 0.25]).unwrap();
        assert_eq!((units.exponent, units.weights), (-2, vec![3, -8, 0, 0, 1]));
        assert_eq!(Units::new(&[6.0, 4.0]).unwrap().weights, [3, 2]);
        assert_eq!(Units::new(&[]).unwrap().exponent, 0);
        // 0.1 has 24 bits of its own: 1 + 2^-27 of it would need more.
        assert!(Units::new(&[0.1, 1.0]).is_none());
        assert!(Units::new(&[f32::MIN_POSITIVE / 2.0]).is_none());
        assert_eq!(lowest(f32::from_bits(1)), Some(-149));
        let bits = [0, -3, -126].map(|e| unit(e).to_bits());
        assert_eq!(bits, [1.0, 0.125, f32::MIN_POSITIVE].map(f32::to_bits));
    }

    #[test]
    fn sums_that_could_be_rounded_are_not_on_a_grid() {
        let source = Grid { exponent: -2, max: 4 };
        let sums = |weights: &[f32], per_row| Units::new(weights).unwrap().sums(per_row, source);
        assert_eq!(sums(&[0.5, -1.0, 0.0, 0.5], 2), Some(Grid { exponent: -3, max: 12 }));
        let large = f32::from(1_u16 << 11) * f32::from(1_u16 << 11);
        // 2^22 units of weight times 4 are 2^24, one more is too much.
        assert_eq!(sums(&[large - 1.0, 1.0], 2).unwrap().max, 1 << 24);
        assert_eq!(sums(&[large, 1.0], 2), None);
    }

    #[test]
    fn grids_of_several_are_the_finest() {
        let [a, b] = [Grid { exponent: -2, max: 4 }, Grid { exponent: 1, max: 3 }];
        assert_eq!(a.join(b), Some(Grid { exponent: -2, max: 24 }));
        assert_eq!(b.plus(a), Some(Grid { exponent: -2, max: 28 }));
        assert_eq!(a.average(4), Some(Grid { exponent: -4, max: 16 }));
        assert_eq!((a.average(3), a.join(Grid { exponent: 90, max: 1 })), (None, None));
    }
}
