//! The populations of a float network under the names that its integers have.
//!
//! On the way to integers a population that reads a concatenation is split into its parts `NAME.0`,
//! `NAME.1`, …, and of populations that always fire alike one remains. The float network is run as
//! the genome has it; its trains are cut and named here, so that both sides can be compared. Populations that were
//! folded into others, or are parts of one now, are found in the integers by the records of the folds.

use crate::compile::Failure;
use crate::pipeline::{self, Populations};
use snnc_ir::quantized::PopKind;
use snnc_ir::{Network, QuantizedNetwork, TargetSpec};
use snnc_passes::Pipeline;
use snnc_passes::fold_integers::Fold;
use snnc_runtime::SimError;
use snnc_runtime::compare::{FloatSubject, IntSubject, Membrane, Record, Subject};
use std::collections::BTreeSet;
use std::ops::Range;

/// Some neurons of a population, which are a population at the later levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Name at the later levels.
    pub(super) name: String,
    /// Population of the float network.
    pub(super) of: String,
    /// Its neurons.
    pub(super) neurons: Range<usize>,
}

/// What becomes of the populations of a float network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// All of them, whether they are left or not.
    all: Vec<Part>,
    /// Populations that are joined with others.
    pub(super) merged: Vec<String>,
    /// Populations that are left where those that fire alike are one and silent ones are gone.
    left: BTreeSet<String>,
}

impl Parts {
    /// What the passes of `pipeline` make of the populations of `network`.
    ///
    /// # Errors
    /// What one of the passes rejects.
    pub(super) fn of(
        network: &Network,
        pipeline: &Pipeline,
        target: &TargetSpec,
    ) -> Result<Self, Failure> {
        let after = pipeline::populations(network, pipeline, target)?;
        let own = pipeline::neurons(network);
        // The merging pass is the last; before it no population has vanished but silent ones.
        let (split, unmerged, left) = match after.as_slice() {
            [] => (&own, &own, &own),
            [.., (_, left)] => {
                let before = |passes: &[&str]| {
                    let found = after.iter().rev().find(|(pass, _)| !passes.contains(pass));
                    found.map_or(&own, |(_, populations)| populations)
                };
                (before(&["merge-nodes", "fold-silent"]), before(&["merge-nodes"]), left)
            }
        };
        let names = |of: &Populations| of.iter().map(|(n, _)| n.clone()).collect::<BTreeSet<_>>();
        let left = names(left);
        let merged = unmerged.iter().filter(|(name, _)| !left.contains(name));
        let merged = merged.map(|(name, _)| name.clone()).collect();
        Ok(Self { all: parts(&own, split), merged, left })
    }

    /// Populations that are not merged with others and that `has` does not know.
    pub(super) fn removed(&self, has: impl Fn(&str) -> bool) -> Vec<String> {
        let stays =
            |name: &&String| self.merged.contains(name) || self.left.contains(*name) && has(name);
        let parts = self.all.iter().map(|part| &part.name);
        parts.filter(|name| !stays(name)).cloned().collect()
    }
}

/// Finds the parts of each population: they are named after it and hold its neurons in order.
pub(super) fn parts(own: &Populations, split: &Populations) -> Vec<Part> {
    let mut found = Vec::new();
    for (name, size) in own {
        let mut pieces: Vec<(Vec<usize>, &String, usize)> = split
            .iter()
            .filter_map(|(part, size)| Some((numbers(part, name)?, part, *size)))
            .collect();
        pieces.sort();
        if pieces.iter().map(|(_, _, size)| size).sum::<usize>() != *size {
            // Named by chance like parts of another one.
            continue;
        }
        let mut first = 0;
        for (_, part, size) in pieces {
            let neurons = first..first + size;
            first = neurons.end;
            found.push(Part { name: part.clone(), of: name.clone(), neurons });
        }
    }
    found
}

/// The numbers behind the name of a population in that of its part; none in its own name.
fn numbers(part: &str, name: &str) -> Option<Vec<usize>> {
    let rest = part.strip_prefix(name)?;
    rest.split('.')
        .skip(1)
        .map(|number| number.parse().ok())
        .collect::<Option<Vec<_>>>()
        .filter(|numbers| rest.is_empty() || (rest.starts_with('.') && !numbers.is_empty()))
}

/// What the parts of a population sent, each with its own neurons; all of it if there are none (an input), or one that has its
/// name.
fn cut(record: Record, parts: &[(&str, Range<usize>)]) -> Vec<Record> {
    match parts {
        [] => vec![record],
        [(name, _)] if *name == record.name => vec![record],
        parts => {
            let part = |(name, neurons): &(&str, Range<usize>)| Record {
                name: (*name).to_owned(),
                spikes: record.spikes.part(neurons.clone()),
                messages: None,
            };
            parts.iter().map(part).collect()
        }
    }
}

/// A run of the float network, its populations cut into their parts.
pub(super) struct PartSubject<'a, 'n> {
    /// The run.
    pub(super) float: FloatSubject<'a, 'n>,
    /// The parts of its populations.
    pub(super) parts: &'a Parts,
}

impl Subject for PartSubject<'_, '_> {
    fn records(&self) -> Result<Vec<Record>, SimError> {
        let mut records = Vec::new();
        for record in self.float.records()? {
            let own = self.parts.all.iter().filter(|part| part.of == record.name);
            let own: Vec<_> = own.map(|part| (part.name.as_str(), part.neurons.clone())).collect();
            records.extend(cut(record, &own));
        }
        Ok(records)
    }

    fn membrane(
        &self,
        population: &str,
        neuron: usize,
        step: usize,
    ) -> Result<Option<Membrane>, SimError> {
        let part = self.parts.all.iter().find(|part| part.name == population);
        match part {
            Some(part) => self.float.membrane(&part.of, part.neurons.start + neuron, step),
            None => self.float.membrane(population, neuron, step),
        }
    }
}

/// A run of the integers, their populations taken apart as they were before they were folded.
pub(super) struct UnfoldedSubject<'a, 'n> {
    /// The run.
    pub(super) integers: IntSubject<'a, 'n>,
    /// What was folded on the way.
    pub(super) folds: &'a [Fold],
}

impl Subject for UnfoldedSubject<'_, '_> {
    fn records(&self) -> Result<Vec<Record>, SimError> {
        let mut records = Vec::new();
        for record in self.integers.records()? {
            let size = record.spikes.neurons();
            let parts = Fold::parts(self.folds, &record.name, size);
            let parts: Vec<_> =
                parts.iter().map(|p| (p.name.as_str(), p.neurons.clone())).collect();
            records.extend(cut(record, &parts));
        }
        Ok(records)
    }

    fn membrane(
        &self,
        population: &str,
        neuron: usize,
        step: usize,
    ) -> Result<Option<Membrane>, SimError> {
        let whole = self.integers.sim.network().populations.values().find_map(|whole| {
            let parts = Fold::parts(self.folds, &whole.name, whole.size());
            let part = parts.into_iter().find(|part| part.name == population)?;
            Some((&whole.name, part.neurons.start))
        });
        match whole {
            Some((whole, first)) => self.integers.membrane(whole, first + neuron, step),
            None => self.integers.membrane(population, neuron, step),
        }
    }
}

/// Names of the populations of neurons of `network`, and of those that were folded into them.
pub(super) fn unfolded(network: &QuantizedNetwork, folds: &[Fold]) -> BTreeSet<String> {
    let neurons = network.populations.values().filter(|p| matches!(p.kind, PopKind::Neurons(_)));
    let parts = neurons.flat_map(|p| Fold::parts(folds, &p.name, p.size()));
    parts.map(|part| part.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(populations: &[(&str, usize)]) -> Populations {
        populations.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect()
    }

    #[test]
    fn parts_hold_the_neurons_in_the_order_of_their_numbers() {
        let own = named(&[("a", 12), ("a.1", 3), ("b", 2)]);
        let split = named(&[("a.10", 1), ("a.2.1", 4), ("a.2.0", 7), ("a.1", 3), ("b", 2)]);
        // `a.1` is a population of its own, so what is left of `a` does not add up.
        let found: Vec<_> = parts(&own, &split).into_iter().map(|p| p.name).collect();
        assert_eq!(found, ["a.1", "b"]);

        let own = named(&[("a", 12), ("b", 2)]);
        let split = named(&[("a.10", 1), ("a.2.1", 4), ("a.2.0", 7), ("b", 2), ("bc.0", 2)]);
        let found: Vec<_> = parts(&own, &split).into_iter().map(|p| (p.name, p.neurons)).collect();
        let expected = [("a.2.0", 0..7), ("a.2.1", 7..11), ("a.10", 11..12), ("b", 0..2)];
        assert_eq!(found, expected.map(|(name, neurons)| (name.to_owned(), neurons)));
    }
}
