//! The networks before and after a pass, on the same stimuli.

use super::machine::{Machine, Ran};
use super::report::{By, Compared, Finding};
use super::trials::Trials;
use snnc_runtime::compare::{self, Difference, Distance, Divergence, Membrane, Pair, Record, Side};
use snnc_runtime::{SimError, Stimulus, batch};
use std::ops::Range;

/// Share of a neuron's largest membrane (or of its threshold) by which f32 rounding may move a membrane: the
/// rounding of some hundred terms with luck to spare. Nearer to the threshold than that, on both sides,
/// either side may be right.
pub(super) const ROUNDING: f64 = 1e-4;

/// What a pass promises of two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// The same spikes and scores.
    Same,
    /// The same but for the rounding of f32.
    UpToRounding,
}

/// What may be said of populations that are there before the pass and not after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// Nothing.
    Anyhow,
    /// They never fire.
    Silent,
    /// They fire like one that is left.
    Alike,
}

/// The parts of a population that the other side has as populations: names, and the neurons of each.
/// None if it is one there, too.
pub(super) type Cut<'a> = dyn Fn(&str, usize) -> Vec<(String, Range<usize>)> + Sync + 'a;

/// How two levels are compared.
pub(super) struct How<'a> {
    /// What must hold.
    pub(super) promise: Promise,
    /// What may be gone.
    pub(super) gone: Gone,
    /// Parts of populations before and after the pass.
    pub(super) cuts: [&'a Cut<'a>; 2],
}

/// Every population is one on both sides.
pub(super) const WHOLE: &Cut<'static> = &|_, _| Vec::new();

impl How<'_> {
    /// The same populations, which do the same.
    pub(super) const SAME: How<'static> =
        How { promise: Promise::Same, gone: Gone::Anyhow, cuts: [WHOLE, WHOLE] };
}

/// What a population, or the part of one, sent.
struct Sent {
    record: Record,
    /// The population that it belongs to, and its first neuron there.
    place: (String, usize),
}

/// What one stimulus shows.
struct Shown {
    distances: Vec<Distance>,
    rounded: bool,
    finding: Option<Finding>,
}

/// Runs both sides on all trials.
///
/// # Errors
/// What stops the first side. What stops the second one alone is a finding.
pub(super) fn compare(
    trials: &Trials,
    machines: [&Machine<'_>; 2],
    how: &How<'_>,
) -> Result<(Compared, Option<Finding>), SimError> {
    let shown = batch::map(&trials.all, |trial| show(trials, trial, machines, how))?;
    let mut compared = Compared::default();
    let mut sums: Vec<u64> = Vec::new();
    let mut finding = None;
    for shown in shown {
        sums.resize(sums.len().max(shown.distances.len()), 0);
        sums.iter_mut().zip(&shown.distances).for_each(|(sum, d)| *sum += d.left);
        compared.rounded += usize::from(shown.rounded);
        finding = finding.or(shown.finding);
    }
    compared.populations = sums.len();
    compared.silent = sums.iter().filter(|sum| **sum == 0).count();
    compared.spikes = sums.iter().sum();
    Ok((compared, finding))
}

fn show(
    trials: &Trials,
    (name, stimulus): &(String, Stimulus),
    machines: [&Machine<'_>; 2],
    how: &How<'_>,
) -> Result<Shown, SimError> {
    let left = machines[0].run(trials, stimulus)?;
    let mut shown = Shown { distances: Vec::new(), rounded: false, finding: None };
    let on = |finding: Finding| Finding { stimulus: Some(name.clone()), ..finding };
    let right = match machines[1].run(trials, stimulus) {
        Ok(right) => right,
        Err(error) => {
            let what = format!("the network after it cannot be run: {error}");
            shown.finding = Some(on(Finding::new(By::Simulation, what)));
            return Ok(shown);
        }
    };
    let lefts = sent(&left, how.cuts[0]);
    let rights = sent(&right, how.cuts[1]);
    let matched: Vec<(&Sent, &Sent)> =
        lefts.iter().filter_map(|l| Some((l, like(&rights, l)?))).collect();
    let pairs: Vec<Pair<'_>> = matched
        .iter()
        .map(|(l, r)| Pair {
            name: &l.record.name,
            left: l.record.activity(),
            right: r.record.activity(),
        })
        .collect();
    if let Err(SimError::TrainShape { name, left, right }) = compare::distances(&pairs) {
        let what = format!("(steps, neurons) of `{name}` are {left:?} before and {right:?} after");
        shown.finding = Some(on(Finding::new(By::Structure, what)));
        return Ok(shown);
    }
    shown.distances = compare::distances(&pairs)?;
    let Some(first) = compare::first_divergence(&pairs)? else {
        let found = gone(&lefts, &rights, how.gone).or_else(|| scores(&left, &right, how.promise));
        shown.finding = found.map(on);
        return Ok(shown);
    };
    let places = matched.iter().find(|(l, _)| l.record.name == first.population);
    let (l, r) = places.expect("a divergence is of a pair");
    let membrane = |machine: &Machine<'_>, ran: &Ran, sent: &Sent| {
        let (population, from) = (&sent.place.0, sent.place.1);
        let found = machine.membrane(ran, (population, from + first.neuron), first.step)?;
        let reach = |m| Ok((m, machine.reach(ran, (population, from + first.neuron))?));
        found.map(reach).transpose()
    };
    let sides = [membrane(machines[0], &left, l)?, membrane(machines[1], &right, r)?];
    if how.promise == Promise::UpToRounding && rounding_decides(&sides) {
        shown.rounded = true;
    } else {
        shown.finding = Some(on(diverging(&first, sides.map(|side| side.map(|(m, _)| m)))));
    }
    Ok(shown)
}

fn sent(ran: &Ran, cut: &Cut<'_>) -> Vec<Sent> {
    let mut all = Vec::new();
    for record in &ran.records {
        let parts = cut(&record.name, record.spikes.neurons());
        if parts.is_empty() {
            all.push(Sent { record: record.clone(), place: (record.name.clone(), 0) });
        }
        all.extend(parts.into_iter().map(|(name, neurons)| {
            let first = neurons.start;
            let whole = neurons.len() == record.spikes.neurons();
            let messages = if whole { record.messages.clone() } else { None };
            let record_of_part = Record { name, spikes: record.spikes.part(neurons), messages };
            Sent { record: record_of_part, place: (record.name.clone(), first) }
        }));
    }
    all
}

/// The one of the same name.
fn like<'a>(all: &'a [Sent], one: &Sent) -> Option<&'a Sent> {
    all.iter().find(|other| other.record.name == one.record.name)
}

/// What is wrong about a population that is gone.
fn gone(lefts: &[Sent], rights: &[Sent], gone: Gone) -> Option<Finding> {
    let fires = |sent: &Sent| sent.record.spikes.count() > 0;
    let wrong = |left: &&Sent| match gone {
        Gone::Anyhow => false,
        Gone::Silent => fires(left),
        Gone::Alike => fires(left) && !rights.iter().any(|r| r.record.spikes == left.record.spikes),
    };
    let left = lefts.iter().find(|l| like(rights, l).is_none() && wrong(l))?;
    let (what, name) = match gone {
        Gone::Alike => {
            ("it is gone, and no population that is left fires like it", &left.record.name)
        }
        Gone::Silent | Gone::Anyhow => ("it is gone, but it fires", &left.record.name),
    };
    Some(Finding { population: Some(name.clone()), ..Finding::new(By::Simulation, what) })
}

/// What is wrong about the scores of two runs whose spikes are equal.
fn scores(left: &Ran, right: &Ran, promise: Promise) -> Option<Finding> {
    let (left, right) = (left.scores(), right.scores());
    let largest = left.iter().chain(right).fold(0.0_f64, |most, s| most.max(s.abs()));
    let far = |(a, b): (&f64, &f64)| match promise {
        Promise::Same => a.to_bits() != b.to_bits() && (a - b).abs() > 0.0,
        Promise::UpToRounding => (a - b).abs() > ROUNDING * largest,
    };
    let class = left.iter().zip(right).position(far);
    let what = match class {
        Some(class) => format!(
            "the spikes are equal, but the score of class {class} is {} before and {} after",
            left[class], right[class]
        ),
        None if left.len() != right.len() => {
            format!("there are {} scores before and {} after", left.len(), right.len())
        }
        None => return None,
    };
    Some(Finding::new(By::Simulation, what))
}

/// Whether both membranes are so near to their thresholds that the rounding of f32 may decide who fires. What
/// stands on the threshold on both sides does not: there the comparison decides.
fn rounding_decides(sides: &[Option<(Membrane, f64)>; 2]) -> bool {
    let [Some((left, left_reach)), Some((right, right_reach))] = sides else { return false };
    let on = |m: &Membrane| m.margin().abs() <= 0.0;
    let near =
        |m: &Membrane, reach: f64| m.margin().abs() <= ROUNDING * reach.max(m.threshold.abs());
    !(on(left) && on(right)) && near(left, *left_reach) && near(right, *right_reach)
}

fn diverging(first: &Divergence, [before, after]: [Option<Membrane>; 2]) -> Finding {
    let what = match first.difference {
        Difference::Spike(Side::Left) => "it fires before the pass and not after it".to_owned(),
        Difference::Spike(Side::Right) => "it fires after the pass and not before it".to_owned(),
        Difference::Message { left, right } => {
            format!("it sends {left} before the pass and {right} after it")
        }
    };
    Finding {
        population: Some(first.population.clone()),
        neuron: Some(first.neuron),
        step: Some(first.step),
        before: before.map(Into::into),
        after: after.map(Into::into),
        ..Finding::new(By::Simulation, what)
    }
}
