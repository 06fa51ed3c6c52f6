//! What a run of many cases did.

use super::MANY;
use super::case::{Case, Outcome, TARGETS};
use super::features::Feature;
use crate::crosscheck::{Fault, Seen};
use snnc_ir::diag::Code;
use std::collections::BTreeMap;
use std::fmt;

/// Faults that are kept; the rest is counted.
const KEPT: usize = 100;

/// What a run of many cases did.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Seed.
    pub seed: u64,
    /// Cases.
    pub cases: u64,
    /// Networks that compiled, by target.
    pub compiled: [u64; 2],
    /// Refusals by target and first code.
    pub refused: BTreeMap<(usize, Code), u64>,
    /// Certificates.
    pub certificates: u64,
    /// Synapses that they compared.
    pub synapses: u64,
    /// What ran.
    pub seen: Seen,
    /// How many cases held each feature, by [`Feature::ALL`].
    pub covered: Vec<u64>,
    /// Cases that failed, the number of the target, and how: the first hundred.
    pub faults: Vec<(Case, usize, Fault)>,
    /// All that failed.
    pub failed: u64,
}

impl Summary {
    pub(super) fn new(seed: u64, cases: u64) -> Self {
        Self {
            seed,
            cases,
            compiled: [0; 2],
            refused: BTreeMap::new(),
            certificates: 0,
            synapses: 0,
            seen: Seen::default(),
            covered: vec![0; Feature::ALL.len()],
            faults: Vec::new(),
            failed: 0,
        }
    }

    pub(super) fn add(&mut self, case: Case, outcome: Outcome) {
        for (all, one) in self.compiled.iter_mut().zip(outcome.compiled) {
            *all += u64::from(one);
        }
        for refusal in outcome.refused {
            *self.refused.entry(refusal).or_default() += 1;
        }
        self.certificates += outcome.certificates;
        self.synapses += outcome.synapses;
        self.seen.add(outcome.seen);
        for (count, feature) in self.covered.iter_mut().zip(Feature::ALL) {
            *count += u64::from(outcome.features.has(*feature));
        }
        for (target, fault) in outcome.faults {
            self.failed += 1;
            if self.faults.len() < KEPT {
                self.faults.push((case, target, fault));
            }
        }
    }

    /// Features that no case held.
    pub fn missing(&self) -> Vec<Feature> {
        let absent = Feature::ALL.iter().zip(&self.covered).filter(|(_, n)| **n == 0);
        absent.map(|(feature, _)| *feature).collect()
    }

    /// Whether nothing failed, and a long run met every feature.
    pub fn passed(&self) -> bool {
        self.failed == 0 && (self.cases < MANY || self.missing().is_empty())
    }
}

impl fmt::Display for Summary {
    /// Without the time it took: equal runs print equal texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "features (cases that hold each):")?;
        for (feature, count) in Feature::ALL.iter().zip(&self.covered) {
            writeln!(f, "  {count:>9}  {}", feature.name())?;
        }
        writeln!(f, "refused:")?;
        for ((target, code), count) in &self.refused {
            let title = code.info().map_or("", |info| info.title);
            writeln!(f, "  {count:>9}  {} {code} {title}", TARGETS[*target])?;
        }
        let [two, one] = self.compiled;
        let Seen { runs, compared, spikes, messages, close } = self.seen;
        let met = Feature::ALL.len() - self.missing().len();
        writeln!(
            f,
            "seed {}, {} cases: {two} compiled for {}, {one} for {}; {} certificates of {} synapses; \
             {runs} runs, {spikes} spikes and {messages} messages of sources, {compared} compared; \
             {close} stimuli near a threshold; \
             {met} of {} features; {} failed",
            self.seed,
            self.cases,
            TARGETS[0],
            TARGETS[1],
            self.certificates,
            self.synapses,
            Feature::ALL.len(),
            self.failed
        )
    }
}
