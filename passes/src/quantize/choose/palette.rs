//! Scales of their own for neurons (channels of a convolution), out of a palette of few.
//!
//! A neuron whose weights are all small wastes most of the steps of its population. Scales may differ
//! from neuron to neuron, since weights into it, threshold and bias are scaled alike; but each scale makes
//! another threshold, and a core holds few. So there are at most [`LEVELS`] scales, out of 2^(i/8) times the
//! common one, chosen one after the other so that each lowers the sum of the predicted errors most, then
//! exchanged one by one while that helps. Exponents stay those of the common scale.

use super::rows::strided;
use super::search::{Choice, SMALL, Search, power};
use crate::quantize::decision::grain;
use snnc_ir::Param;
use snnc_ir::recipe::Scaling;
use std::collections::BTreeSet;

/// Largest number of scales of a population.
pub(super) const LEVELS: usize = 4;

/// Eighths of octaves around the common scale.
const REACH: std::ops::RangeInclusive<i32> = -8..=20;

/// Blocks of neurons, and weights, that palettes are tried on.
const BLOCKS: usize = 512;
const WEIGHTS: usize = 1 << 17;

/// Factor of the variance that justifies a palette: 10 % of the error.
const WORTH: f64 = 0.9 * 0.9;

/// The rows of all projections that lead into a block of neurons.
fn rows_of(search: &Search<'_>, blocks: usize, block: usize) -> Vec<(usize, usize)> {
    let mut rows = Vec::new();
    for (index, plan) in search.plans.iter().enumerate() {
        let count = plan.rows.count();
        let (first, last) = (block * count / blocks, (block + 1) * count / blocks);
        rows.extend((first..last).map(|row| (index, row)));
    }
    rows
}

/// The predicted variance of a block at `scale`, with the exponents of `choice`.
fn variance(
    search: &Search<'_>,
    choice: &Choice,
    block: (usize, usize),
    rows: &[(usize, usize)],
    scale: f64,
) -> f64 {
    let (grain, block) = block;
    let mut total = search.registers_of(block * grain, scale);
    let mut counts = vec![0.0_f64; search.plans.len()];
    for &(plan, _) in rows {
        counts[plan] += 1.0;
    }
    for &(index, row) in rows {
        let plan = &search.plans[index];
        let effect =
            Search::effect(&search.neurons, search.shared, plan.rows.neuron(row), plan.traffic);
        total +=
            plan.row_variance(row, effect, scale, choice.exponents[index]) / counts[index].max(1.0);
    }
    total
}

/// Scales of all neurons, at most `thresholds` distinct thresholds among them, if they are asked for or
/// worth it; `caps` bounds the scale of each block of neurons.
pub(super) fn palette(
    search: &Search<'_>,
    choice: &Choice,
    caps: &[f64],
    thresholds: usize,
) -> Option<Param<f64>> {
    let shape = search.member.shape;
    let grain = grain(search.member);
    let blocks = shape.size() / grain.max(1);
    let wanted = search.wanted.settings.scales;
    let distinct: BTreeSet<u32> =
        search.neurons.neuron.threshold.values().iter().map(|t| t.to_bits()).collect();
    let levels = LEVELS.min(thresholds / distinct.len().max(1));
    let worth = wanted == Scaling::Neuron || choice.variance > SMALL;
    if search.shared
        || wanted == Scaling::Population
        || !worth
        || blocks < 2
        || levels < 2
        || search.plans.is_empty()
        || search.plans.iter().any(|p| p.weights.is_some() || p.rows.count() % blocks != 0)
    {
        return None;
    }
    let mut scales: Vec<f64> = REACH
        .map(|i| search.aligned(choice.scale * power(i), f64::round_ties_even))
        .filter(|s| *s > 0.0)
        .collect();
    scales.push(choice.scale);
    scales.sort_by(f64::total_cmp);
    scales.dedup_by(|a, b| (*a - *b).abs() <= *b * 1e-9);
    let stored: usize = search.plans.iter().map(|p| p.rows.values.len()).sum();
    let most = (WEIGHTS * blocks / stored.max(1)).clamp(1, BLOCKS);
    let table: Vec<Vec<f64>> = strided(blocks, most)
        .map(|block| {
            let rows = rows_of(search, blocks, block);
            let allowed = |scale: f64| scale <= caps[block];
            let at = |&scale: &f64| {
                if allowed(scale) {
                    variance(search, choice, (grain, block), &rows, scale)
                } else {
                    f64::INFINITY
                }
            };
            scales.iter().map(at).collect()
        })
        .collect();
    let common = scales.iter().position(|s| (s - choice.scale).abs() <= s * 1e-9)?;
    let before = sum(&table, &[common]);
    let picked = pick(&table, scales.len(), levels);
    if wanted == Scaling::Auto && sum(&table, &picked) > before * WORTH {
        return None;
    }
    let picked: Vec<f64> = picked.into_iter().map(|i| scales[i]).collect();
    let mut chosen = Vec::with_capacity(shape.size());
    for (block, &cap) in caps.iter().enumerate().take(blocks) {
        let rows = rows_of(search, blocks, block);
        let mut best: Option<(f64, f64)> = None;
        for &scale in picked.iter().filter(|s| **s <= cap) {
            let found = variance(search, choice, (grain, block), &rows, scale);
            if best.is_none_or(|(least, _)| found < least) {
                best = Some((found, scale));
            }
        }
        let (_, scale) = best?;
        chosen.extend(std::iter::repeat_n(scale, grain));
    }
    Some(Param::PerNeuron(chosen).compact(shape))
}

/// The sum over blocks of the least variance among `picked`.
fn sum(table: &[Vec<f64>], picked: &[usize]) -> f64 {
    let least = |row: &Vec<f64>| picked.iter().map(|&i| row[i]).fold(f64::INFINITY, f64::min);
    table.iter().map(least).sum()
}

/// At most `levels` of `count` columns with a small sum.
fn pick(table: &[Vec<f64>], count: usize, levels: usize) -> Vec<usize> {
    let mut picked: Vec<usize> = Vec::new();
    let mut least = f64::INFINITY;
    while picked.len() < levels {
        let with = |i: usize| {
            let mut more = picked.clone();
            more.push(i);
            (sum(table, &more), i)
        };
        let Some((found, i)) = (0..count).map(with).min_by(|a, b| a.0.total_cmp(&b.0)) else {
            break;
        };
        // One more threshold has to pay.
        if !picked.is_empty() && found > least * 0.97 {
            break;
        }
        least = found;
        picked.push(i);
    }
    for place in 0..picked.len() {
        for i in 0..count {
            let mut other = picked.clone();
            other[place] = i;
            let found = sum(table, &other);
            if found < least {
                (picked, least) = (other, found);
            }
        }
    }
    picked.sort_unstable();
    picked.dedup();
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palettes_serve_every_block() {
        // Columns 0 and 3 suit one half of the blocks each; 1 is the best compromise.
        let table = [vec![0.0, 3.0, 5.0, 9.0], vec![0.0, 3.0, 5.0, 9.0], vec![9.0, 3.0, 5.0, 0.0]];
        assert_eq!(pick(&table, 4, 1), [0], "9 against 9: the first");
        assert_eq!(pick(&table, 4, 2), [0, 3]);
        assert_eq!(pick(&table, 4, 4), [0, 3], "a third does not pay");
        assert!((sum(&table, &[1, 2]) - 9.0).abs() < 1e-12);
    }

    #[test]
    fn exchanges_repair_what_greed_missed() {
        // Alone, 1 is best; together, 0 and 2 are.
        let table = [vec![0.0, 2.0, 9.0], vec![9.0, 2.0, 0.0]];
        assert_eq!(pick(&table, 3, 1), [1]);
        assert_eq!(pick(&table, 3, 2), [0, 2]);
    }
}
