//! One pass: what it made, held against what it was given.

use super::machine::Machine;
use super::report::{By, Compared, Finding, Step};
use super::sides::{Cut, Gone, How, Promise, WHOLE, compare};
use super::trials::Trials;
use super::{Compilation, quantized};
use crate::pipeline::neurons;
use crate::verify::parts::parts;
use snnc_ir::network::Compare;
use snnc_ir::quantized::{IntNeuron, IntReset, Population};
use snnc_ir::{
    Diagnostics, Level, MappedNetwork, Network, QuantizedDraft, QuantizedNetwork, Rules, text,
};
use snnc_passes::fold_integers::Fold;
use snnc_passes::{AnyLevel, AnyPass, Class, Outcome};
use snnc_runtime::SimError;
use std::ops::Range;

/// What came of a pass.
pub(super) enum After {
    /// A network of its level.
    Made(Box<Outcome>),
    /// Nothing, by its own mistake.
    Broken(Diagnostics),
}

type Checked = (Compared, Option<Finding>);

/// Holds a pass to what it promises.
pub(super) fn check(
    pass: &AnyPass,
    before: &AnyLevel,
    after: &After,
    how: &Compilation<'_>,
    trials: &Trials,
) -> Result<Step, SimError> {
    let info = pass.info();
    let step = |check| Step::pass(info.name, info.class, check);
    let outcome = match after {
        After::Made(outcome) => outcome,
        After::Broken(errors) => {
            let finding = Finding::of(By::Verifier, errors);
            let step =
                step("the verifier of its level").found((Compared::default(), Some(finding)));
            return Ok(step);
        }
    };
    Ok(match (before, &outcome.level) {
        (AnyLevel::Network(a), AnyLevel::Network(b)) => {
            let check = match info.class {
                Class::Exact => "runs in f32: the same spikes and scores",
                Class::RealExact | Class::Bounded => {
                    "runs in f32: the same spikes and scores, but where rounding decides"
                }
            };
            step(check).found(floats(info.name, info.class, [a, b], &outcome.folds, trials)?)
        }
        (AnyLevel::Network(a), AnyLevel::Quantized(b)) => {
            let account = outcome.account.as_ref();
            step("weights, registers and readout against the float network at the stated scales")
                .found(quantized::check(a, b, account, (how.recipe, how.target)))
        }
        (AnyLevel::Quantized(a), AnyLevel::Quantized(b)) => step(
            "runs in integers: the same spikes and scores",
        )
        .found(integers(info.name, [a, b], &outcome.folds, trials)?),
        (AnyLevel::Quantized(a), AnyLevel::Mapped(b)) => {
            step("the network on the cores is the one before").found(mapped(a, b, how, trials)?)
        }
        (AnyLevel::Mapped(a), AnyLevel::Mapped(b)) => {
            step("the network on the cores is the one before")
                .found(mapped(&a.network, b, how, trials)?)
        }
        _ => unreachable!("no pass leads back to an earlier level"),
    })
}

fn floats(
    name: &str,
    class: Class,
    [before, after]: [&Network; 2],
    folds: &[Fold],
    trials: &Trials,
) -> Result<Checked, SimError> {
    let (own, left) = (neurons(before), neurons(after));
    let split = parts(&own, &left);
    let cut = |name: &str, _: usize| -> Vec<(String, Range<usize>)> {
        let of = split.iter().filter(|part| part.of == name);
        of.map(|part| (part.name.clone(), part.neurons.clone())).collect()
    };
    let unfold = |name: &str, size: usize| unfolded(folds, name, size);
    let how = How {
        promise: match class {
            Class::Exact => Promise::Same,
            Class::RealExact | Class::Bounded => Promise::UpToRounding,
        },
        gone: match name {
            "fold-silent" => Gone::Silent,
            "merge-nodes" => Gone::Alike,
            _ => Gone::Anyhow,
        },
        cuts: [&cut as &Cut<'_>, &unfold],
    };
    compare(trials, [&Machine::float(before)?, &Machine::float(after)?], &how)
}

/// The populations that one was made of, if it was.
fn unfolded(folds: &[Fold], name: &str, size: usize) -> Vec<(String, Range<usize>)> {
    Fold::parts(folds, name, size).into_iter().map(|part| (part.name, part.neurons)).collect()
}

fn integers(
    name: &str,
    [before, after]: [&QuantizedNetwork; 2],
    folds: &[Fold],
    trials: &Trials,
) -> Result<Checked, SimError> {
    let unfold = |name: &str, size: usize| unfolded(folds, name, size);
    let how = How { cuts: [WHOLE, &unfold], ..How::SAME };
    let found = compare(trials, [&Machine::integer(before)?, &Machine::integer(after)?], &how)?;
    Ok(match found {
        (compared, None) if name == "strict-compare" => (compared, compares(before, after)),
        found => found,
    })
}

/// A mapping changes where neurons are and nothing else. Where it does, runs show what comes of it.
fn mapped(
    before: &QuantizedDraft,
    after: &MappedNetwork,
    how: &Compilation<'_>,
    trials: &Trials,
) -> Result<Checked, SimError> {
    let compared = Compared { populations: before.populations.len(), ..Compared::default() };
    if *before == after.network {
        return Ok((compared, None));
    }
    let rules = Rules::for_target(how.target);
    let sealed = [before, &after.network].map(|q| QuantizedNetwork::verify(q.clone(), &rules));
    let [Ok(left), Ok(right)] = &sealed else {
        return Ok((
            compared,
            Some(Finding::new(By::Structure, "the network on the cores is none")),
        ));
    };
    let machines = [&Machine::integer(left)?, &Machine::integer(right)?];
    let (compared, found) = compare(trials, machines, &How::SAME)?;
    Ok((compared, found.or_else(|| Some(unlike(left, right)))))
}

/// Where two networks differ that must be one.
fn unlike(before: &QuantizedNetwork, after: &QuantizedNetwork) -> Finding {
    let [left, right] = [before, after].map(|q| text::print_quantized(q));
    let line = left.lines().zip(right.lines()).find(|(a, b)| a != b);
    let short = |line: &str| line.chars().take(120).collect::<String>();
    let what = match line {
        Some((a, b)) => {
            format!("the network on the cores is another one: `{}` was `{}`", short(b), short(a))
        }
        None => "the network on the cores is another one".to_owned(),
    };
    Finding::new(By::Structure, what)
}

/// Holds strict comparisons to the ones that they stand for, for all membranes that a neuron may have: no
/// stimulus has to bring one to its threshold.
fn compares(before: &QuantizedNetwork, after: &QuantizedNetwork) -> Option<Finding> {
    before.populations.values().zip(after.populations.values()).find_map(|(a, b)| {
        let (Some(old), Some(new)) = (a.neuron(), b.neuron()) else { return None };
        let wrong = |&n: &usize| !same_comparison(a, old, new, n);
        let neuron = (0..a.size()).find(wrong)?;
        let [then, now] = [old, new].map(|model| {
            let sign = match model.compare {
                Compare::Gt => ">",
                Compare::Ge => ">=",
            };
            format!("{sign} {}", model.threshold.at(neuron, &a.shape))
        });
        let what = format!("it fired at v {then} and fires at v {now}");
        let (population, neuron) = (Some(a.name.clone()), Some(neuron));
        Some(Finding { population, neuron, ..Finding::new(By::Structure, what) })
    })
}

/// Whether neuron n fires at the same membranes by both rules, among the membranes that it may have.
fn same_comparison(population: &Population, old: &IntNeuron, new: &IntNeuron, n: usize) -> bool {
    let at = |neuron: &IntNeuron| i64::from(neuron.threshold.at(n, &population.shape));
    // The least integer at which each fires.
    let least = |neuron: &IntNeuron| match neuron.compare {
        Compare::Gt => at(neuron) + 1,
        Compare::Ge => at(neuron),
    };
    let grain = if holds_multiples(population, old, n) { 64 } else { 1 };
    let up = |v: i64| v.div_euclid(grain) + i64::from(v.rem_euclid(grain) > 0);
    up(least(old)) == up(least(new))
}

/// Whether every membrane of neuron n is a multiple of 64: what arrives is, and nothing takes a share of it.
fn holds_multiples(population: &Population, neuron: &IntNeuron, n: usize) -> bool {
    let shape = &population.shape;
    let whole = |value: i32| value % 64 == 0;
    neuron.dv.at(n, shape) == 0
        && neuron.du.at(n, shape) == 4095
        && whole(neuron.bias.at(n, shape))
        && neuron.floor.as_ref().is_none_or(|floor| whole(floor.at(n, shape)))
        && match &neuron.reset {
            IntReset::Zero => true,
            IntReset::Subtract(amount) => whole(amount.at(n, shape)),
        }
}
