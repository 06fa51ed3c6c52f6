//! Calibration: scales, roundings, thresholds and biases chosen by data.
//!
//! The float network is the reference. A complete recipe is searched whose integer network sends the
//! spikes of the float network on the samples, as far as integers can:
//!
//! 1. The float network runs on the samples (`reference`).
//! 2. Quantization without data completes the recipe: the start, and what has to be beaten.
//! 3. Population by population, sources first, each is cut out of the network (`cut`), given what the
//!    integers before it send, and its candidates are quantized and run exactly as they would be on the
//!    chip (`measure`): the steps of weights, scales, weights rounded together so that errors cancel in
//!    the membrane (`rounding`), biases, thresholds (`settle`).
//! 4. Small changes of one population after the other, measured on the network as a whole, predictions
//!    included (`whole`).
//! 5. The recipe is only returned if it is better than the start on the samples.
//!
//! What the user's recipe decides stays; everything is counted in units of work and summed in a fixed order,
//! so that the same data give the same recipe on any machine.

mod cut;
mod describe;
mod entry;
mod layers;
mod log;
mod measure;
mod probe;
mod reference;
mod rounding;
mod settle;
#[cfg(test)]
mod tests;
mod whole;
mod work;

pub use log::{AccuracyLog, CalibrationLog, Change, PopulationLog, WholeLog};

use crate::stimulus::Stimuli;
use entry::{Entry, Free, given, same_integers};
use layers::{Layer, Term};
use measure::Bench;
use probe::Probe;
use reference::{Reference, Trains};
use settle::Settle;
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::calibrate as codes;
use snnc_ir::recipe::{Calibration, ProjectionRecipe};
use snnc_ir::{Diagnostic, Diagnostics, Network, Recipe, TargetSpec};
use snnc_passes::quantize;
use std::collections::BTreeSet;
use std::ops::Range;
use whole::State;
use work::Work;

/// Work that a calibration does where nothing else is asked for.
pub const DEFAULT_BUDGET: u64 = 1_500_000_000;

/// Units of work that a processor is taken to do in a second, for budgets that are given as times.
pub const WORK_PER_SECOND: u64 = 100_000_000;

/// Share of the budget that populations may spend one by one; the rest is for the network as a whole.
const ALONE: f64 = 0.8;

/// A correct prediction of the float network that is lost weighs as much as this distance, relative to the
/// share of samples.
const LOST_WEIGHT: f64 = 10.0;

/// A prediction other than that of the float network, right or wrong, weighs as much as this distance,
/// relative to the share of samples.
const OTHER_WEIGHT: f64 = 0.25;

/// Options of a calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalibrationOptions {
    /// Work to do at most, in units of work. Counted, not measured: results are the same on any machine
    /// and with any number of threads.
    pub budget: u64,
}

impl Default for CalibrationOptions {
    fn default() -> Self {
        Self { budget: DEFAULT_BUDGET }
    }
}

/// Learns how far something slow is: a calibration, or the samples of a run.
pub trait Progress: Sync {
    /// `done` of `total` units of work are done, and `stage` is at work.
    fn step(&self, stage: &str, done: u64, total: u64);
}

/// No progress is shown.
impl Progress for () {
    fn step(&self, _: &str, _: u64, _: u64) {}
}

/// What a calibration chose.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// A complete recipe.
    pub recipe: Recipe,
    /// What was done.
    pub log: CalibrationLog,
    /// Warnings and notes about data and budget.
    pub remarks: Diagnostics,
}

/// Completes `recipe` by data: `samples` of `stimuli`, counted from its first one. `network` is canonical
/// (what `quantize` takes).
///
/// # Errors
/// `SNN0490` for samples that do not exist, `SNN0491` for an input without data, and what quantization
/// rejects.
pub fn calibrate(
    network: &Network,
    target: &TargetSpec,
    recipe: &Recipe,
    stimuli: &Stimuli,
    samples: Range<usize>,
    options: &CalibrationOptions,
    progress: &dyn Progress,
) -> Result<Calibrated, Diagnostics> {
    // What quantization has to say it says when the recipe is applied.
    let start = quantize::apply(network, target, recipe, &mut Diagnostics::new())?.recipe;
    let mut remarks = Diagnostics::new();
    let mut work = Work::new(options.budget, progress);
    work.begin("float network", options.budget);
    let reference = Reference::new(network, stimuli, &samples, options.budget, &mut remarks)?;
    work.spend(reference.work);
    let layers = layers::layers(network);
    let relays = layers::relays(network);
    let search = Search {
        network,
        target,
        given: recipe,
        layers: &layers,
        relays: &relays,
        reference: &reference,
    };
    let mut log = CalibrationLog {
        samples: reference.samples,
        budget: options.budget,
        relays: relays.iter().map(|l| l.name.clone()).collect(),
        ..CalibrationLog::default()
    };
    let mut chosen = search.run(&start, &mut log, &mut remarks, &mut work);
    log.work = work.done();
    log.exhausted = work.exhausted();
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    chosen.calibration = Some(Calibration {
        data: stimuli.hash().to_owned(),
        first: narrow(stimuli.first() + samples.start),
        samples: narrow(reference.samples),
        budget: options.budget,
        work: work.done(),
    });
    Ok(Calibrated { recipe: chosen, log, remarks })
}

/// What a search reads.
struct Search<'a> {
    network: &'a Network,
    target: &'a TargetSpec,
    /// The user's recipe.
    given: &'a Recipe,
    layers: &'a [Layer],
    /// Graded relays.
    relays: &'a [Layer],
    reference: &'a Reference,
}

impl Search<'_> {
    /// The best recipe found from `start` on, which is complete.
    fn run(
        &self,
        start: &Recipe,
        log: &mut CalibrationLog,
        remarks: &mut Diagnostics,
        work: &mut Work<'_>,
    ) -> Recipe {
        if self.reference.spikes() == 0 {
            remarks.push(silent(self.reference.samples));
            return start.clone();
        }
        let all: BTreeSet<_> = self.layers.iter().map(|l| l.node).collect();
        let whole = self.bench(&all, &Trains::new());
        work.begin("data-free integers", work.left());
        let Some(trial) = whole.run(start, work) else { return start.clone() };
        let before = State::new(start.clone(), &trial);
        let found = self.settle_all(start, log, work);
        work.begin("comparison", work.left());
        let found = whole.run(&found, work).map(|trial| State::new(found, &trial));
        // Each population is better than it was with the integers before it, but it is the whole that counts.
        let found = found.filter(|found| self.is_better(found, &before));
        let after = found.unwrap_or_else(|| before.clone());
        log.whole.samples = self.reference.samples;
        let after = self.whole(after, &mut log.whole, work);
        log.improved = self.is_better(&after, &before);
        self.report(log, &before, &after);
        let tried = log.populations.iter().map(|p| p.candidates).sum::<usize>();
        if tried + log.whole.candidates == 0 {
            remarks.push(no_budget(work.done()));
        } else if !log.improved {
            remarks.push(no_better());
        }
        after.recipe
    }

    fn bench(&self, live: &BTreeSet<NodeId>, trains: &Trains) -> Bench<'_> {
        Bench::new(self.network, self.target, self.layers, live, self.reference, trains)
    }

    /// Chooses the integers of all populations, one after the other.
    fn settle_all(&self, start: &Recipe, log: &mut CalibrationLog, work: &mut Work<'_>) -> Recipe {
        let mut recipe = start.clone();
        let mut trains = Trains::new();
        let live = |layer: &Layer| BTreeSet::from([layer.node]);
        let costs = self.layers.iter().map(|l| self.bench(&live(l), &trains).cost);
        let costs: Vec<u64> = costs.collect();
        let reserved = share(work.left(), 1.0 - ALONE);
        for (at, layer) in self.layers.iter().enumerate() {
            let bench = self.bench(&live(layer), &trains);
            let rest = costs[at..].iter().sum::<u64>().max(1);
            // Cheap populations leave most of their part to those behind them.
            let left = work.left().saturating_sub(reserved);
            let part = share(left, ratio(costs[at], rest));
            work.begin(&format!("population {}", layer.name), part);
            let mut probe = Probe::new(layer, bench, &recipe);
            let mut entry_log = PopulationLog { name: layer.name.clone(), ..Default::default() };
            self.settle(&mut probe, &mut recipe, &trains, &mut entry_log, work);
            let part = probe.bench.cut.restrict(&recipe);
            if let Some(sent) = probe.bench.trains(&part, work) {
                trains.extend(sent);
            }
            entry_log.candidates = probe.tried;
            log.populations.push(entry_log);
        }
        recipe
    }

    /// Chooses the integers of one population.
    fn settle(
        &self,
        probe: &mut Probe<'_>,
        recipe: &mut Recipe,
        trains: &Trains,
        log: &mut PopulationLog,
        work: &mut Work<'_>,
    ) {
        let layer = probe.layer;
        let Some(start) = Entry::of(recipe, layer) else {
            log.limits
                .push("quantization decides about it with the populations it is tied to".into());
            return;
        };
        let shared = self.shared(layer, &start, recipe);
        let is_tied = layer.graded || shared.iter().any(|s| !s.is_empty());
        if layer.graded {
            log.limits.push("its scale is tied to graded messages".into());
        } else if is_tied {
            log.limits
                .push("it shares a matrix with another population, so its scale stays".into());
        }
        let fixed: Vec<bool> = shared.iter().map(|s| s.iter().any(|o| o.is_settled)).collect();
        let settle = Settle {
            network: self.network,
            target: self.target,
            settings: self.given.settings,
            reference: self.reference,
            trains,
            free: Free::new(self.given, layer, is_tied),
            fixed: &fixed,
        };
        let given = given(self.given, layer);
        let Some(found) = settle.run(probe, &start, &given, work) else { return };
        log.alone = found.distance;
        log.membrane = found.membrane;
        log.chosen = describe::changes(&start, &found.best.entry, layer);
        found.best.entry.put(recipe);
        for (term, others) in found.best.entry.terms.iter().zip(shared) {
            for other in others {
                other.put(term.weights.as_ref(), recipe);
            }
        }
    }

    /// By term of `layer`: projections into other populations that store the same integers.
    fn shared<'l>(&'l self, layer: &Layer, entry: &Entry, recipe: &Recipe) -> Vec<Vec<Shared<'l>>> {
        let at = |name: &str| self.layers.iter().position(|l| l.name == name);
        let own = at(&layer.name);
        let others = self.layers.iter().chain(self.relays).filter(|l| l.node != layer.node);
        let others: Vec<_> = others.collect();
        let of_term = |(term, entry): (&Term, &ProjectionRecipe)| {
            let mut found = Vec::new();
            for other in &others {
                for theirs in &other.terms {
                    let same = (theirs.tensor, &theirs.structure) == (term.tensor, &term.structure);
                    let stored = recipe.projection(&theirs.source_name, &other.name, theirs.nth);
                    if same && stored.is_some_and(|stored| same_integers(stored, entry)) {
                        // Relays keep what they have.
                        let is_settled = at(&other.name) < own;
                        found.push(Shared { layer: other, term: theirs, is_settled });
                    }
                }
            }
            found
        };
        layer.terms.iter().zip(&entry.terms).map(of_term).collect()
    }

    /// Writes down what the recipe before and the one after do.
    fn report(&self, log: &mut CalibrationLog, before: &State, after: &State) {
        log.distance = Change { data_free: before.distance(), calibrated: after.distance() };
        let total = self.reference.samples;
        let correct = |state: &State| state.predictions().correct;
        let correct = self.reference.correct().zip(correct(before)).zip(correct(after));
        log.accuracy = correct.map(|((float, data_free), calibrated)| AccuracyLog {
            float,
            data_free,
            calibrated,
            total,
        });
        for entry in &mut log.populations {
            let (data_free, calibrated) = (before.of(&entry.name), after.of(&entry.name));
            entry.distance = Change { data_free, calibrated };
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// A share of some units of work.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "budgets need no more than 53 bits"
)]
fn share(units: u64, share: f64) -> u64 {
    (units as f64 * share) as u64
}

/// A projection that stores the integers of another one.
struct Shared<'l> {
    layer: &'l Layer,
    term: &'l Term,
    /// Whether its integers were chosen already.
    is_settled: bool,
}

impl Shared<'_> {
    /// Gives it these weights.
    fn put(&self, weights: Option<&Vec<i16>>, recipe: &mut Recipe) {
        let key = (&self.term.source_name, &self.layer.name, self.term.nth);
        let own = recipe.projections.iter_mut().find(|p| (&p.source, &p.target, p.nth) == key);
        if let Some(entry) = own {
            entry.weights = weights.cloned();
        }
    }
}

fn silent(samples: usize) -> Diagnostic {
    Diagnostic::warning(
        codes::SILENT,
        format!("no neuron of the float network fires on the {samples} calibration samples"),
    )
    .note("there is no spike to fit the integers to: they are chosen without data")
    .help("check that the data is coded as the network expects")
}

fn no_budget(work: u64) -> Diagnostic {
    Diagnostic::warning(
        codes::BUDGET,
        format!("the budget of work was spent before anything was calibrated ({work} units)"),
    )
    .note("the integers are chosen without data")
    .help("raise the budget, or give fewer samples")
}

fn no_better() -> Diagnostic {
    Diagnostic::note_only(
        codes::NO_BETTER,
        "calibration found nothing better than the integers that are chosen without data",
    )
    .note("the recipe holds these")
}
