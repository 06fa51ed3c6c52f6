//! The sums by definition, descents against exhaustive search, and what rounding rows together buys.

mod descent;
mod quality;
mod statistics;

use super::{Input, Layout, Problem, Statistics, Term};
use snnc_ir::quantized::Structure;
use snnc_ir::spikes::SpikeTrain;

/// Numbers of a fixed seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    fn uniform(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap()) / 4_294_967_296.0
    }

    /// About normal, of variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// Sources in `groups` that fire together: in each step a group is active or not, and so are, mostly,
/// its sources.
fn correlated(numbers: &mut Numbers, steps: usize, sources: usize, groups: usize) -> SpikeTrain {
    let mut train = SpikeTrain::new(steps, sources);
    for t in 0..steps {
        let active: Vec<_> = (0..groups).map(|_| numbers.uniform() < 0.3).collect();
        for n in 0..sources {
            let rate = if active[n % groups] { 0.7 } else { 0.03 };
            if numbers.uniform() < rate {
                train.set(t, n);
            }
        }
    }
    train
}

/// One dense term that reads source 0 without delay.
fn dense(rows: usize, cols: usize) -> Term {
    let [rows, cols] = [rows, cols].map(|n| u32::try_from(n).unwrap());
    Term { structure: Structure::Dense { rows, cols }, inputs: vec![Input { source: 0, delay: 0 }] }
}

fn layout(terms: Vec<Term>) -> Layout {
    Layout::new(terms).expect("a family")
}

/// Mean squared error of every row's membrane, from the sums alone but column by column: no block, no
/// descent.
fn errors(statistics: &Statistics<'_>, problem: &Problem<'_>, weights: &[Vec<i16>]) -> Vec<f64> {
    let layout = statistics.layout();
    let [block] = layout.blocks() else { panic!("one block") };
    let n = block.len();
    let row = |row: usize| {
        let (mut w, mut off) = (vec![0.0; n], vec![0.0; n]);
        for (term, of) in problem.terms.iter().enumerate() {
            layout.for_row(term, row, |column, index| {
                let step = f64::from(1_u32 << of.exponent) / problem.scales[row];
                w[column] = f64::from(of.weights[index]);
                off[column] = f64::from(weights[term][index]) * step - w[column];
            });
        }
        let moments = &statistics.moments(layout.class(row))[0];
        let own = moments.own.full();
        let drift = moments.drift.as_ref().map(|d| (&d.cross, d.own.full()));
        let mut sum = 0.0;
        for i in 0..n {
            for j in 0..n {
                sum += own[i * n + j] * off[i] * off[j];
                if let Some((cross, drift)) = &drift {
                    sum -= 2.0 * cross[i * n + j] * off[i] * w[j];
                    sum += drift[i * n + j] * w[i] * w[j];
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "few vectors")]
        let vectors = statistics.vectors() as f64;
        sum / vectors
    };
    (0..layout.rows()).map(row).collect()
}
