//! Choosing the integers of one population, with those of the populations before it in front.
//!
//! Rows of a population (neurons, or channels of a convolution) have weights of their own, so what is best
//! may be taken row by row: every candidate is measured as a whole, and the rows that it serves better than
//! the best one so far are put together to the next candidate.

use super::entry::{Entry, Free, by_row, of_rows};
use super::log::Change;
use super::probe::{Outcome, Probe};
use super::reference::{Reference, Trains};
use super::rounding::{Family, Rounded, Task, memories};
use super::whole::part;
use super::work::Work;
use snnc_ir::TargetSpec;
use snnc_ir::network::NetworkDraft;
use snnc_ir::recipe::{Grouping, Scaling, Settings};
use snnc_passes::rounding::Statistics;

/// A change of the steps of weights, or a scale for every neuron, must make the distance smaller by this
/// share: it costs axons or thresholds on the chip.
const FRAME_GAIN: f64 = 0.1;
/// Factor between neighboring scales that are tried.
const SCALE_STEP: f64 = 1.2;
/// Scales in one direction that are tried at most.
const SCALES: usize = 8;
/// Changes of biases that are tried, as shares of the threshold.
const BIAS_SHARES: [f64; 4] = [0.04, 0.02, 0.01, 0.005];
/// Changes of thresholds that are tried, as shares of them.
const THRESHOLD_SHARES: [f64; 3] = [0.03, 0.015, 0.0075];

/// What the search of a population reads.
pub(super) struct Settle<'a> {
    pub(super) network: &'a NetworkDraft,
    pub(super) target: &'a TargetSpec,
    pub(super) settings: Settings,
    pub(super) reference: &'a Reference,
    /// What populations with integers send.
    pub(super) trains: &'a Trains,
    pub(super) free: Free,
    /// By term: weights that were decided with another population.
    pub(super) fixed: &'a [bool],
}

/// What was found.
pub(super) struct Settled {
    pub(super) best: Outcome,
    /// Spike distance at the start and at the end.
    pub(super) distance: Change,
    /// Mean squared error of the membrane before and after rounding weights together.
    pub(super) membrane: Option<Change>,
}

impl Settle<'_> {
    /// The best entry found from `start` on. `None` if not even that could be measured.
    pub(super) fn run(
        &self,
        probe: &mut Probe<'_>,
        start: &Entry,
        given: &Entry,
        work: &mut Work<'_>,
    ) -> Option<Settled> {
        let mut best = probe.measure(start, work)?;
        let data_free = best.distance;
        let mut membrane = None;
        if best.differing() == 0 {
            return Some(Settled { best, distance: Change::default(), membrane });
        }
        if self.free.frame {
            best = self.frames(probe, best, given, work);
        }
        let layer = probe.layer;
        let families = if self.free.weights && !self.fixed.iter().all(|f| *f) {
            Family::all(layer, &best.entry)
        } else {
            Vec::new()
        };
        for (number, memory) in memories(layer, self.reference).into_iter().enumerate() {
            if !work.allows(probe.bench.cost) {
                break;
            }
            let sums: Vec<_> = families
                .iter()
                .map(|f| f.statistics(self.reference, self.trains, memory, work))
                .collect();
            let statistics: Vec<_> = families.iter().zip(sums).collect();
            if number == 0 {
                best = self.rounded(probe, best, &statistics, &mut membrane, work);
                if self.free.scale {
                    best = self.scales(probe, best, given, &statistics, work);
                }
            }
            best = self.variants(probe, best, &statistics, work);
        }
        if self.free.bias {
            best = biases(probe, best, work);
        }
        if self.free.threshold {
            best = thresholds(probe, best, work);
        }
        let distance = Change { data_free, calibrated: best.distance };
        Some(Settled { best, distance, membrane })
    }

    /// Weights of both signs together or apart, one scale or one for every neuron: what quantization makes
    /// of each.
    fn frames(
        &self,
        probe: &mut Probe<'_>,
        start: Outcome,
        given: &Entry,
        work: &mut Work<'_>,
    ) -> Outcome {
        let groups: &[Grouping] = match self.settings.groups {
            Grouping::Auto => &[Grouping::Mixed, Grouping::Split],
            Grouping::Mixed => &[Grouping::Mixed],
            Grouping::Split => &[Grouping::Split],
        };
        let scales: &[Scaling] = match self.settings.scales {
            Scaling::Auto => &[Scaling::Population, Scaling::Neuron],
            Scaling::Population => &[Scaling::Population],
            Scaling::Neuron => &[Scaling::Neuron],
        };
        let mut known = vec![start];
        for &groups in groups {
            for &scales in scales {
                let settings = Settings { groups, scales, ..self.settings };
                known.extend(probe.complete(given, settings, &known, work));
            }
        }
        let found = known.iter().skip(1).min_by(|a, b| a.distance.total_cmp(&b.distance));
        match found {
            Some(found) if found.distance < known[0].distance * (1.0 - FRAME_GAIN) => found.clone(),
            _ => known.swap_remove(0),
        }
    }

    /// The weights rounded together, from `entry` on.
    fn round(
        &self,
        entry: &Entry,
        statistics: &[(&Family<'_>, Statistics<'_>)],
        biases: bool,
        work: &mut Work<'_>,
    ) -> Option<Rounded> {
        let mut error = [0.0; 2];
        let mut entry = entry.clone();
        for (family, sums) in statistics {
            if !work.allows(family.cost()) {
                return None;
            }
            let task = Task { entry: &entry, fixed: self.fixed, biases };
            let rounded = family.round(self.network, self.target, sums, task, work)?;
            error = [error[0] + rounded.error[0], error[1] + rounded.error[1]];
            entry = rounded.entry;
        }
        Some(Rounded { entry, error })
    }

    fn rounded(
        &self,
        probe: &mut Probe<'_>,
        best: Outcome,
        statistics: &[(&Family<'_>, Statistics<'_>)],
        membrane: &mut Option<Change>,
        work: &mut Work<'_>,
    ) -> Outcome {
        if statistics.is_empty() {
            return best;
        }
        let Some(rounded) = self.round(&best.entry, statistics, false, work) else { return best };
        let [data_free, calibrated] = rounded.error;
        *membrane = Some(Change { data_free, calibrated });
        join(probe, best, &rounded.entry, work)
    }

    /// Larger and smaller scales with the same steps of weights: more weights at the end of the set and
    /// finer steps for the others, or the other way round.
    fn scales(
        &self,
        probe: &mut Probe<'_>,
        best: Outcome,
        given: &Entry,
        statistics: &[(&Family<'_>, Statistics<'_>)],
        work: &mut Work<'_>,
    ) -> Outcome {
        let layer = probe.layer;
        let Some(scales) = best.entry.row_scales(layer) else { return best };
        let start = best.entry.clone();
        let mut best = best;
        // All rows alike.
        for step in [SCALE_STEP, 1.0 / SCALE_STEP] {
            let mut factor = 1.0;
            for _ in 0..SCALES {
                factor *= step;
                let scaled: Vec<f64> = scales.iter().map(|s| s * factor).collect();
                let tried = self.at_scale(probe, &start, given, &scaled, statistics, work);
                match tried {
                    Some(tried) if tried.differing() < best.differing() => best = tried,
                    _ => break,
                }
            }
        }
        // Rows that do better with the next scale of another row.
        let Some(now) = best.entry.row_scales(layer) else { return best };
        let mut palette = now.clone();
        palette.sort_by(f64::total_cmp);
        palette.dedup();
        if palette.len() > 1 {
            for offset in [1_isize, -1] {
                let moved = |s: &f64| {
                    let at = palette.partition_point(|p| p < s);
                    let at = at.saturating_add_signed(offset).min(palette.len() - 1);
                    palette[at]
                };
                let moved: Vec<f64> = now.iter().map(moved).collect();
                let Some(tried) = self.at_scale(probe, &start, given, &moved, statistics, work)
                else {
                    continue;
                };
                best = take(probe, best, &tried, work);
            }
        }
        best
    }

    /// The better of nearest and joint rounding with these scales.
    fn at_scale(
        &self,
        probe: &mut Probe<'_>,
        frame: &Entry,
        given: &Entry,
        scales: &[f64],
        statistics: &[(&Family<'_>, Statistics<'_>)],
        work: &mut Work<'_>,
    ) -> Option<Outcome> {
        let mut entry = frame.clone();
        entry.population.scale = Some(of_rows(scales, probe.layer));
        entry.population.threshold.clone_from(&given.population.threshold);
        entry.population.bias.clone_from(&given.population.bias);
        entry.terms.iter_mut().for_each(|t| t.weights = None);
        let nearest = probe.complete(&entry, self.settings, &[], work)?;
        if statistics.is_empty() {
            return Some(nearest);
        }
        let Some(rounded) = self.round(&nearest.entry, statistics, false, work) else {
            return Some(nearest);
        };
        Some(join(probe, nearest, &rounded.entry, work))
    }

    /// Other roundings: with biases that make up for the weights.
    fn variants(
        &self,
        probe: &mut Probe<'_>,
        best: Outcome,
        statistics: &[(&Family<'_>, Statistics<'_>)],
        work: &mut Work<'_>,
    ) -> Outcome {
        let mut best = best;
        if statistics.is_empty() {
            return best;
        }
        for biases in [false, true] {
            if biases && !self.free.bias {
                continue;
            }
            if let Some(rounded) = self.round(&best.entry, statistics, biases, work) {
                best = join(probe, best, &rounded.entry, work);
            }
        }
        best
    }
}

/// Measures `other` and takes what is better, row by row.
fn join(probe: &mut Probe<'_>, best: Outcome, other: &Entry, work: &mut Work<'_>) -> Outcome {
    if *other == best.entry {
        return best;
    }
    match probe.measure(other, work) {
        Some(other) => take(probe, best, &other, work),
        None => best,
    }
}

/// The better of both, or the better rows of both if that is better still.
fn take(probe: &mut Probe<'_>, best: Outcome, other: &Outcome, work: &mut Work<'_>) -> Outcome {
    let rows = best.rows.iter().zip(&other.rows);
    let better: Vec<bool> = rows.map(|(old, new)| is_better(*old, *new)).collect();
    let mixed = best.entry.mixed(&other.entry, probe.layer, &better);
    let best = if other.differing() < best.differing() { other.clone() } else { best };
    let Some(mixed) = mixed.filter(|m| *m != best.entry) else { return best };
    match probe.measure(&mixed, work) {
        Some(mixed) if mixed.differing() < best.differing() => mixed,
        _ => best,
    }
}

/// Whether a row with `new` instead of `old` differing spikes is better by more than chance: by its half a
/// standard deviation, if differing spikes are rare and independent.
const fn is_better(old: u64, new: u64) -> bool {
    new < old && 2 * (old - new).pow(2) > old + new
}

/// Biases a little larger or smaller, row by row.
fn biases(probe: &mut Probe<'_>, best: Outcome, work: &mut Work<'_>) -> Outcome {
    let layer = probe.layer;
    let mut best = best;
    for share in BIAS_SHARES {
        for sign in [1.0, -1.0] {
            let (Some(bias), Some(threshold)) =
                (&best.entry.population.bias, &best.entry.population.threshold)
            else {
                return best;
            };
            let mut entry = best.entry.clone();
            let moved = bias.zip(threshold, &layer.shape, |b, t| b + part(t, sign * share));
            entry.population.bias = Some(moved.compact(&layer.shape));
            best = join(probe, best, &entry, work);
        }
    }
    best
}

/// Thresholds a little larger or smaller, all alike: chips hold few distinct ones.
fn thresholds(probe: &mut Probe<'_>, best: Outcome, work: &mut Work<'_>) -> Outcome {
    let layer = probe.layer;
    let mut best = best;
    for share in THRESHOLD_SHARES {
        for sign in [1.0, -1.0] {
            let Some(threshold) = &best.entry.population.threshold else { return best };
            let mut entry = best.entry.clone();
            let moved = by_row(threshold, layer, |_, t| (t + part(t, sign * share)).max(1));
            entry.population.threshold = Some(moved);
            if entry == best.entry {
                continue;
            }
            if let Some(tried) = probe.measure(&entry, work)
                && tried.differing() < best.differing()
            {
                best = tried;
            }
        }
    }
    best
}
