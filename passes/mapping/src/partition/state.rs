//! A partition under change: what moving any vertex to any core would gain is kept up to date.
//!
//! The table of gains is that of Mt-KaHyPar ("Scalable Shared-Memory Hypergraph Partitioning", 2021, section 4:
//! gain(v, p) = benefit(v) − penalty(v, p)), here in memory of (vertices + edges) · cores.

use super::Limits;
use super::level::{Level, NONE};
use crate::hypergraph::narrow;

/// How far a partition is from legal, then what it costs: smaller is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Score {
    /// Neurons and axons above limits, weighted by each other's limit.
    pub(super) excess: u64,
    /// Costs of edges · (cores − 1).
    pub(super) cost: i64,
}

/// A partition of a level, with gains.
pub(super) struct State<'a> {
    pub(super) level: &'a Level,
    pub(super) limits: Limits,
    pub(super) core: Vec<u32>,
    /// Neurons on each core.
    pub(super) load: Vec<u64>,
    /// Input axons of each core.
    pub(super) inputs: Vec<u64>,
    cost: i64,
    cores: usize,
    /// Pins of each edge on each core.
    counts: Vec<u32>,
    /// Core of each edge's source, if that is not a target.
    home: Vec<u32>,
    /// Cost of each vertex's edges that have a pin on each core.
    shared: Vec<i32>,
    /// Cost of each vertex's edges that have no other pin on its core.
    lonely: Vec<i32>,
    /// Cost of each vertex's edges.
    total: Vec<i32>,
    /// Most input axons that a vertex brings.
    thirst: Vec<u64>,
    weight_of_neuron: u64,
    weight_of_axon: u64,
}

/// What a move did to others: the gain of moving `vertex` to `core` (`NONE`: to any) rose.
pub(super) type Raised = Vec<(u32, u32)>;

impl<'a> State<'a> {
    /// Counts everything. `core` gives each vertex a core below `cores`.
    pub(super) fn new(level: &'a Level, limits: Limits, cores: u32, core: Vec<u32>) -> Self {
        let cores = cores as usize;
        let mut load = vec![0; cores];
        let mut inputs = vec![0; cores];
        for (vertex, &core) in core.iter().enumerate() {
            load[core as usize] += u64::from(level.weights[vertex]);
            inputs[core as usize] += u64::from(level.fixed[vertex]);
        }
        let mut counts = vec![0u32; level.edges() * cores];
        let mut home = vec![NONE; level.edges()];
        let mut shared = vec![0; level.vertices() * cores];
        let mut lonely = vec![0; level.vertices()];
        let mut total = vec![0; level.vertices()];
        let mut cost = 0;
        let mut present: Vec<u32> = Vec::with_capacity(cores);
        for edge in 0..level.edges() {
            let row = &mut counts[edge * cores..][..cores];
            let pins = level.pins_of(edge);
            let price = level.costs[edge];
            present.clear();
            for (place, &pin) in pins.iter().enumerate() {
                let core = core[pin as usize];
                let is_source = place + 1 == pins.len() && level.sources[edge] != NONE;
                if is_source {
                    home[edge] = core;
                }
                if row[core as usize] == 0 {
                    present.push(core);
                    if !is_source {
                        inputs[core as usize] += u64::from(level.axons[edge]);
                    }
                }
                row[core as usize] += 1;
            }
            cost += i64::from(price) * i64::from(narrow(present.len()).saturating_sub(1));
            for &pin in pins {
                let own = core[pin as usize] as usize;
                total[pin as usize] += price;
                if row[own] == 1 {
                    lonely[pin as usize] += price;
                }
                let gains = &mut shared[pin as usize * cores..][..cores];
                for &core in &present {
                    gains[core as usize] += price;
                }
            }
        }
        let thirst = (0..level.vertices()).map(|vertex| level.inputs_of(vertex)).collect();
        let most_neurons = limits.neurons.min(level.weight()).max(1);
        let all_axons = inputs.iter().sum::<u64>();
        let most_inputs = limits.inputs.min(all_axons).max(1);
        Self {
            level,
            limits,
            core,
            load,
            inputs,
            cost,
            cores,
            counts,
            home,
            shared,
            lonely,
            total,
            thirst,
            weight_of_neuron: (most_inputs / most_neurons).max(1),
            weight_of_axon: (most_neurons / most_inputs).max(1),
        }
    }

    pub(super) fn cores(&self) -> usize {
        self.cores
    }

    pub(super) fn score(&self) -> Score {
        let excess = (0..self.cores).map(|core| self.excess_of(core)).sum();
        Score { excess, cost: self.cost }
    }

    /// How far a core is above its limits.
    pub(super) fn excess_of(&self, core: usize) -> u64 {
        self.load[core].saturating_sub(self.limits.neurons) * self.weight_of_neuron
            + self.inputs[core].saturating_sub(self.limits.inputs) * self.weight_of_axon
    }

    /// What moving a vertex to a core saves.
    pub(super) fn gain(&self, vertex: usize, core: usize) -> i32 {
        self.lonely[vertex] - self.total[vertex] + self.shared[vertex * self.cores + core]
    }

    /// What a move to a core with which no edge is shared would gain; plus an entry of [`row`](Self::row), what it gains.
    pub(super) fn base(&self, vertex: usize) -> i32 {
        self.lonely[vertex] - self.total[vertex]
    }

    /// Costs shared with each core.
    pub(super) fn row(&self, vertex: usize) -> &[i32] {
        &self.shared[vertex * self.cores..][..self.cores]
    }

    /// The best gain of moving a vertex, whether or not there is room.
    pub(super) fn best_gain(&self, vertex: usize) -> i32 {
        let own = self.core[vertex] as usize;
        let row = self.row(vertex);
        let best = row[..own].iter().chain(&row[own + 1..]).max();
        best.map_or(i32::MIN, |&best| self.base(vertex) + best)
    }

    /// Input axons that a core would gain with a vertex.
    pub(super) fn thirst_at(&self, vertex: usize, core: usize) -> u64 {
        let mut axons = u64::from(self.level.fixed[vertex]);
        for incident in self.level.incident_to(vertex) {
            let edge = incident.edge();
            if !incident.is_source() && self.targets_on(edge, core) == 0 {
                axons += u64::from(self.level.axons[edge]);
            }
        }
        axons
    }

    /// Input axons that a vertex's core would lose with it.
    pub(super) fn relief(&self, vertex: usize) -> u64 {
        let core = self.core[vertex] as usize;
        let mut axons = u64::from(self.level.fixed[vertex]);
        for incident in self.level.incident_to(vertex) {
            let edge = incident.edge();
            if !incident.is_source() && self.targets_on(edge, core) == 1 {
                axons += u64::from(self.level.axons[edge]);
            }
        }
        axons
    }

    /// Whether a core has room for the input axons of a vertex, `slack` axons above the limit included.
    pub(super) fn drinks(&self, vertex: usize, core: usize, slack: u64) -> bool {
        let limit = self.limits.inputs.saturating_add(slack);
        self.inputs[core] + self.thirst[vertex] <= limit
            || self.inputs[core] + self.thirst_at(vertex, core) <= limit
    }

    fn targets_on(&self, edge: usize, core: usize) -> u32 {
        let pins = self.counts[edge * self.cores + core];
        pins - u32::from(self.home[edge] as usize == core)
    }

    /// Moves a vertex to another core, and lists whose gains rose.
    pub(super) fn shift(&mut self, vertex: usize, to: usize, raised: &mut Raised) {
        self.shift_with(vertex, to, |vertex, core| raised.push((vertex, core)));
    }

    /// Moves a vertex to another core, and tells whose gains rose.
    pub(super) fn shift_with(
        &mut self,
        vertex: usize,
        to: usize,
        mut raised: impl FnMut(u32, u32),
    ) {
        let from = self.core[vertex] as usize;
        debug_assert_ne!(from, to);
        self.core[vertex] = narrow(to);
        let weight = u64::from(self.level.weights[vertex]);
        let fixed = u64::from(self.level.fixed[vertex]);
        self.load[from] -= weight;
        self.load[to] += weight;
        self.inputs[from] -= fixed;
        self.inputs[to] += fixed;
        let mut lonely = 0;
        for incident in self.level.incident_to(vertex) {
            let edge = incident.edge();
            let price = self.level.costs[edge];
            let axons = u64::from(self.level.axons[edge]);
            let row = &mut self.counts[edge * self.cores..][..self.cores];
            let home = self.home[edge] as usize;
            row[from] -= 1;
            row[to] += 1;
            let (left, there) = (row[from], row[to]);
            if incident.is_source() {
                self.home[edge] = narrow(to);
            } else {
                if left == u32::from(home == from) {
                    self.inputs[from] -= axons;
                }
                if there == 1 + u32::from(home == to) {
                    self.inputs[to] += axons;
                }
            }
            let pins = self.level.pins_of(edge);
            if there == 1 {
                lonely += price;
                self.cost += i64::from(price);
                for &pin in pins {
                    self.shared[pin as usize * self.cores + to] += price;
                    raised(pin, narrow(to));
                }
            } else if there == 2 {
                let other = pins
                    .iter()
                    .find(|&&pin| pin as usize != vertex && self.core[pin as usize] as usize == to);
                if let Some(&other) = other {
                    self.lonely[other as usize] -= price;
                }
            }
            if left == 0 {
                self.cost -= i64::from(price);
                for &pin in pins {
                    self.shared[pin as usize * self.cores + from] -= price;
                }
            } else if left == 1 {
                let other = pins.iter().find(|&&pin| self.core[pin as usize] as usize == from);
                if let Some(&other) = other {
                    self.lonely[other as usize] += price;
                    raised(other, NONE);
                }
            }
        }
        self.lonely[vertex] = lonely;
    }
}
