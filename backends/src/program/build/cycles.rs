//! Registers that repeat along a slice.
//!
//! In an order by blocks of channels, what a channel has comes back at every place of the block. A part
//! of a slice that lies in one block is written as the shortest cycle of its registers, or as runs of
//! equal ones where those are fewer.

use snnc_ir::program::{CompartmentRun, Registers};

/// Appends the runs of compartments that hold positions `first..first + registers.len()` of a population.
/// `whole` positions make up a block of channels.
pub(super) fn runs(
    runs: &mut Vec<CompartmentRun>,
    population: u32,
    first: u32,
    whole: usize,
    registers: &[Registers],
) {
    let from = runs.len();
    let mut done = 0;
    while done < registers.len() {
        let at = first as usize + done;
        let len = (whole - at % whole).min(registers.len() - done);
        let part = &registers[done..done + len];
        let cycle = cycle(part);
        let equal = part.chunk_by(PartialEq::eq);
        // A run of its own costs about as much as a set of registers.
        if cycle < 2 * equal.clone().count() {
            append(runs, from, population, at, len, &part[..cycle]);
        } else {
            let mut at = at;
            for same in equal {
                append(runs, from, population, at, same.len(), &same[..1]);
                at += same.len();
            }
        }
        done += len;
    }
}

/// Appends a run, or lengthens the last one if that is from the same slice and goes on in the same way.
fn append(
    runs: &mut Vec<CompartmentRun>,
    from: usize,
    population: u32,
    first: usize,
    len: usize,
    cycle: &[Registers],
) {
    // A slice has at most 2^32 positions.
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    if runs.len() > from
        && let Some(last) = runs.last_mut()
        && last.cycle == cycle
        && (last.len as usize).is_multiple_of(cycle.len())
    {
        last.len += narrow(len);
        return;
    }
    let (first, len) = (narrow(first), narrow(len));
    runs.push(CompartmentRun { population, first, len, cycle: cycle.to_vec() });
}

/// The smallest period: `part[i] == part[i mod period]` for all i.
///
/// Knuth, Morris and Pratt's failure function: the longest proper prefix that is a suffix, too, is what is
/// left of a shift by the smallest period.
fn cycle(part: &[Registers]) -> usize {
    let mut border = vec![0; part.len()];
    let mut matched = 0;
    for i in 1..part.len() {
        while matched > 0 && part[i] != part[matched] {
            matched = border[matched - 1];
        }
        matched += usize::from(part[i] == part[matched]);
        border[i] = matched;
    }
    part.len() - matched
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn registers(thresholds: &[u32]) -> Vec<Registers> {
        let one = |&threshold: &u32| Registers {
            profile: 0,
            threshold,
            bias_mantissa: 0,
            bias_exponent: 0,
        };
        thresholds.iter().map(one).collect()
    }

    /// First position, length and thresholds of the cycle of each run.
    fn found(first: u32, whole: usize, thresholds: &[u32]) -> Vec<(u32, u32, Vec<u32>)> {
        let mut out = Vec::new();
        runs(&mut out, 1, first, whole, &registers(thresholds));
        let cycle = |run: &CompartmentRun| run.cycle.iter().map(|r| r.threshold).collect();
        out.iter().map(|run| (run.first, run.len, cycle(run))).collect()
    }

    #[test]
    fn what_repeats_is_written_once() {
        assert_eq!(found(5, 100, &[7; 9]), [(5, 9, vec![7])]);
        // Blocks of 2 channels of 3 places, entered in the middle.
        assert_eq!(
            found(1, 6, &[2, 1, 2, 1, 2, 3, 4, 3]),
            [(1, 5, vec![2, 1]), (6, 3, vec![3, 4])]
        );
        // The cycle goes on in the next block.
        assert_eq!(found(0, 4, &[1, 2, 1, 2, 1, 2, 1, 2]), [(0, 8, vec![1, 2])]);
        // All differ; two halves are equal.
        assert_eq!(found(0, 4, &[1, 2, 3, 4]), [(0, 4, vec![1, 2, 3, 4])]);
        assert_eq!(found(0, 8, &[1, 1, 1, 1, 2, 2, 2, 2]), [(0, 4, vec![1]), (4, 4, vec![2])]);
    }

    proptest! {
        #[test]
        fn runs_give_back_the_registers(
            first in 0_u32..9, whole in 1_usize..9,
            thresholds in prop::collection::vec(0_u32..3, 1..40),
        ) {
            let mut out = Vec::new();
            let all = registers(&thresholds);
            runs(&mut out, 1, first, whole, &all);
            let mut at = first;
            let mut back = Vec::new();
            for run in &out {
                prop_assert_eq!(run.first, at);
                prop_assert!(!run.cycle.is_empty() && run.cycle.len() <= run.len as usize);
                back.extend((0..run.len).map(|i| *run.registers(i)));
                at += run.len;
            }
            prop_assert_eq!(back, all);
        }
    }
}
