//! What is tried, and what wins.

use super::classes::families;
use super::grains::grains;
use super::graph::hypergraph;
use super::packing::Packing;
use super::remark;
use super::score::Score;
use super::sequence::sequences;
use super::units::{Units, narrow};
use crate::rates::Rates;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::mapped::{Core, MappedDraft};
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, TargetSpec};
use snnc_mapping::hypergraph::Hypergraph;
use snnc_mapping::partition::{Effort, Limits, Partition, partition, refine};

/// The best mapping so far, and what was tried.
pub(super) struct Search<'a> {
    accounting: &'a Accounting<'a>,
    target: &'a TargetSpec,
    draft: &'a MappedDraft,
    rates: &'a Rates,
    before: Score,
    best: Score,
    cores: Option<Vec<Core>>,
    how: &'static str,
    tried: Vec<(&'static str, Option<Score>)>,
}

/// How much to try.
struct Plan {
    /// Pins of the hypergraph: populations whose neurons are alike are cut more coarsely until there are so few.
    pins: u64,
    /// Pins above which no hypergraph is made.
    most_pins: usize,
    /// Units that read through kernels.
    kernel_units: u64,
    /// Shares of synapse memory left to others, as [`sequences`] takes them.
    ranks: &'static [usize],
    /// Failures to dissolve a core before that is given up.
    dissolve: usize,
    /// Times that every unit is counted while cores are made legal.
    work: usize,
}

impl Plan {
    const fn new(effort: Effort) -> Self {
        match effort {
            Effort::Fast => Self {
                pins: 200_000,
                most_pins: 500_000,
                kernel_units: 1000,
                ranks: &[25],
                dissolve: 2,
                work: 10,
            },
            Effort::Balanced => Self {
                pins: 500_000,
                most_pins: 4_000_000,
                kernel_units: 4000,
                ranks: &[25, 75],
                dissolve: 4,
                work: 30,
            },
            Effort::Best => Self {
                pins: 5_000_000,
                most_pins: 40_000_000,
                kernel_units: 50_000,
                ranks: &[10, 25, 50, 75, 90],
                dissolve: 32,
                work: 500,
            },
        }
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(
        accounting: &'a Accounting<'a>,
        target: &'a TargetSpec,
        draft: &'a MappedDraft,
        rates: &'a Rates,
    ) -> Self {
        let cores: Vec<&Core> = draft.cores.values().collect();
        let before = Score::of(&draft.network, &draft.orders, &cores, rates);
        let (best, cores, how, tried) = (before, None, "", Vec::new());
        Self { accounting, target, draft, rates, before, best, cores, how, tried }
    }

    /// Tries everything.
    pub(super) fn run(&mut self, effort: Effort, seed: u64) {
        if self.draft.cores.len() < 2 {
            return;
        }
        let plan = Plan::new(effort);
        let most = self.before.cores;
        let found = sequences(self.accounting, self.target, self.draft, plan.ranks, most);
        let heavy = found.is_some();
        for cores in found.into_iter().flatten() {
            self.offer("sequence", Some(cores));
        }
        let grains = grains(self.accounting, self.draft, plan.pins, plan.kernel_units);
        let start = self.cores.clone();
        let start: Vec<&Core> = match &start {
            Some(cores) => cores.iter().collect(),
            None => self.draft.cores.values().collect(),
        };
        let units = Units::cut(self.accounting, &self.draft.orders, &start, &grains);
        let given = units.held(&start);
        // The hypergraph knows nothing of synapse memory.
        let graph = if heavy {
            None
        } else {
            let most = plan.most_pins;
            hypergraph(self.accounting, self.target, &units, self.rates, most)
        };
        let Some(graph) = graph else {
            self.settle("dissolve", &units, &given, &plan);
            return;
        };
        if self.short_of_registers(&start) {
            let families = families(self.accounting, &units, self.target);
            let sorted = by_family(&units, &graph, &families, self.target);
            self.settle("families", &units, &sorted, &plan);
            return;
        }
        let limits = self.limits(&graph, &given);
        let start = as_partition(&units, &given);
        let refined = refine(&graph, &limits, start, effort, seed);
        self.settle("refine", &units, &as_held(&refined), &plan);
        // Nothing is better than no traffic on the fewest cores that neurons fit on.
        let least = limits.neurons.max(1);
        let done =
            graph.neurons().div_ceil(least) >= self.best.cores as u64 && self.best.traffic <= 0.0;
        if effort == Effort::Fast || done {
            return;
        }
        if let Ok(fresh) = partition(&graph, &limits, effort, seed) {
            self.settle("partition", &units, &as_held(&fresh), &plan);
        }
    }

    /// Whether some core stores as many profiles, thresholds or floors as it can.
    fn short_of_registers(&self, cores: &[&Core]) -> bool {
        cores.iter().any(|core| {
            let usage = self.accounting.core_usage(core, self.target);
            let full = |used: u64, limit: &Limit| i128::from(used) >= i128::from(limit.value);
            full(usage.profiles, &self.target.profiles)
                || full(usage.thresholds, &self.target.thresholds)
                || usage.floors > 0 && full(usage.floors, &self.target.floors)
        })
    }

    /// Limits of the hypergraph: those of the target, or what the given mapping needs where the hypergraph counts more.
    fn limits(&self, graph: &Hypergraph, given: &[Vec<u32>]) -> Limits {
        let limit = |value: i64| u64::try_from(value).unwrap_or(0);
        let mut limits = Limits {
            neurons: limit(self.target.compartments.value),
            inputs: limit(self.target.input_axons.value),
            cores: narrow(given.len()),
        };
        let start =
            Partition { core: cores_of(graph.vertices(), given), cores: narrow(given.len()) };
        for usage in graph.usage(&start) {
            limits.inputs = limits.inputs.max(usage.inputs);
        }
        limits
    }

    /// Makes these cores legal and offers them.
    fn settle(&mut self, name: &'static str, units: &Units, held: &[Vec<u32>], plan: &Plan) {
        let most = self.best.cores;
        let packing = Packing::new(self.accounting, self.target, units, held, most, plan.work);
        let cores = packing.map(|mut packing| {
            packing.dissolve(plan.dissolve);
            packing.cores()
        });
        self.offer(name, cores);
    }

    /// Takes these cores if they are better.
    fn offer(&mut self, name: &'static str, cores: Option<Vec<Core>>) {
        let Some(cores) = cores else {
            self.tried.push((name, None));
            return;
        };
        let list: Vec<&Core> = cores.iter().collect();
        let score = Score::of(&self.draft.network, &self.draft.orders, &list, self.rates);
        self.tried.push((name, Some(score)));
        if score.beats(&self.best, self.room()) {
            (self.best, self.cores, self.how) = (score, Some(cores), name);
        }
    }

    /// Records that a program may list more for less traffic: as many as the given one, or one for every 16 values stored.
    fn room(&self) -> usize {
        let values: usize = self.draft.network.matrices.values().map(|m| m.mantissa.len()).sum();
        self.before.records.max(values / 16)
    }

    /// The best mapping and what to say of it, if it is better than the given one.
    pub(super) fn found(self) -> Option<(Vec<Core>, Diagnostic)> {
        let remark = remark::won(&self.before, &self.best, self.how, &self.tried);
        self.cores.map(|cores| (cores, remark))
    }
}

/// Units in the order of their families and kinds, cut where the family changes or a core is full.
fn by_family(
    units: &Units,
    graph: &Hypergraph,
    families: &[[u32; 4]],
    target: &TargetSpec,
) -> Vec<Vec<u32>> {
    let weight = |unit: &u32| u64::from(graph.weights[*unit as usize]);
    let mut order: Vec<u32> = (0..narrow(units.len())).filter(|unit| weight(unit) > 0).collect();
    order.sort_by_key(|unit| (families[*unit as usize], *unit));
    let limit = u64::try_from(target.compartments.value).unwrap_or(0);
    let mut held: Vec<Vec<u32>> = Vec::new();
    let (mut last, mut neurons) = (None, 0);
    for unit in order {
        let family = [families[unit as usize][0], families[unit as usize][1]];
        if last != Some(family) || neurons + weight(&unit) > limit {
            held.push(Vec::new());
            (last, neurons) = (Some(family), 0);
        }
        neurons += weight(&unit);
        if let Some(last) = held.last_mut() {
            last.push(unit);
        }
    }
    for units in &mut held {
        units.sort_unstable();
    }
    held
}

/// The core of every unit.
fn as_partition(units: &Units, held: &[Vec<u32>]) -> Partition {
    Partition { core: cores_of(units.len(), held), cores: narrow(held.len()) }
}

fn cores_of(units: usize, held: &[Vec<u32>]) -> Vec<u32> {
    let mut core = vec![u32::MAX; units];
    for (index, units) in (0..).zip(held) {
        for unit in units {
            core[*unit as usize] = index;
        }
    }
    core
}

/// Units of every core, ascending.
fn as_held(partition: &Partition) -> Vec<Vec<u32>> {
    let mut held = vec![Vec::new(); partition.cores as usize];
    for (unit, core) in (0..).zip(&partition.core) {
        if let Some(held) = held.get_mut(*core as usize) {
            held.push(unit);
        }
    }
    held
}
