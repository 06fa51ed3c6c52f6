//! A start: cores that grow one after the other, each by the vertex that needs the least new copies per neuron.

use super::Limits;
use super::level::{Level, NONE};
use super::random::Random;
use crate::hypergraph::narrow;

/// Grows cores until every vertex has one, each core by the vertex of whose edges it has the largest share (a neuron's place counts as
/// `thrift` times the mean cost around a neuron). With `cores`, no more than these are begun, and what fits nowhere goes where most room
/// is left, which may break limits; without, as many as it takes are used, and no limit is broken that a vertex does not break alone.
pub(super) fn grow(
    level: &Level,
    limits: &Limits,
    cores: Option<u32>,
    thrift: u32,
    random: &mut Random,
) -> (Vec<u32>, u32) {
    let mut growth = Growth::new(level, *limits, thrift);
    let mut core = 0;
    while growth.left > 0 && cores.is_none_or(|cores| core < cores) {
        growth.fill(core, random);
        core += 1;
    }
    let cores = cores.unwrap_or(core).max(1);
    growth.scatter(cores);
    (growth.core, cores)
}

struct Growth<'a> {
    /// Cost at which a neuron's place is valued.
    space: i64,
    level: &'a Level,
    limits: Limits,
    core: Vec<u32>,
    left: usize,
    /// Cost of each free vertex's edges that the growing core has.
    shared: Vec<i64>,
    total: Vec<i64>,
    /// Cost of each free vertex's edges that some core has.
    near: Vec<i64>,
    /// Core that last counted an edge: any pin, and a target.
    touched: Vec<u32>,
    reached: Vec<u32>,
    used: Vec<bool>,
    /// All vertices before this one have a core.
    cursor: usize,
    buckets: Buckets,
}

impl<'a> Growth<'a> {
    fn new(level: &'a Level, limits: Limits, thrift: u32) -> Self {
        let total: Vec<i64> = (0..level.vertices())
            .map(|vertex| {
                let edges = level.incident_to(vertex).iter();
                edges.map(|incident| i64::from(level.costs[incident.edge()])).sum()
            })
            .collect();
        // Costs sum up to 2^29 times the pins at most, and neurons fit in 64 bits.
        let mean = i128::from(total.iter().sum::<i64>()) * i128::from(thrift)
            / i128::from(level.weight().max(1));
        let space = i64::try_from(mean).unwrap_or(i64::MAX >> 32);
        Self {
            space,
            level,
            limits,
            core: vec![NONE; level.vertices()],
            left: level.vertices(),
            shared: vec![0; level.vertices()],
            total,
            near: vec![0; level.vertices()],
            touched: vec![NONE; level.edges()],
            reached: vec![NONE; level.edges()],
            used: vec![false; level.edges()],
            cursor: 0,
            buckets: Buckets::default(),
        }
    }

    /// Which share of its edges a vertex finds on the growing core, up to [`LAST`]: more is better.
    fn key(&self, vertex: usize) -> usize {
        let space = self.space.saturating_mul(i64::from(self.level.weights[vertex]));
        let share = self.shared[vertex] * LAST / self.total[vertex].saturating_add(space).max(1);
        usize::try_from(share).unwrap_or(0)
    }

    /// A free vertex, of whose edges other cores have the largest share: leaves no remnants behind.
    fn seed(&self, random: &mut Random) -> Option<usize> {
        let start = random.below(self.level.vertices());
        let count = self.level.vertices();
        (0..count)
            .map(|offset| (start + offset) % count)
            .filter(|&vertex| self.core[vertex] == NONE)
            .max_by_key(|&vertex| self.near[vertex] * (1 << 20) / self.total[vertex].max(1))
    }

    /// The first free vertex.
    fn any(&mut self) -> Option<usize> {
        while *self.core.get(self.cursor)? != NONE {
            self.cursor += 1;
        }
        Some(self.cursor)
    }

    fn fill(&mut self, core: u32, random: &mut Random) {
        const MISSES: usize = 200;
        const SEARCHES: usize = 32;
        let Some(seed) = self.seed(random) else { return };
        self.buckets.clear();
        self.shared.fill(0);
        let (mut load, mut inputs) = (0u64, 0u64);
        self.buckets.push(self.key(seed), narrow(seed));
        let mut misses = 0;
        let mut first = true;
        let mut searches = 0;
        loop {
            let Some((key, vertex)) = self.buckets.pop() else {
                // Nothing is connected any more: go on elsewhere, as long as everything fits.
                if misses > 0 {
                    return;
                }
                searches += 1;
                let seed = if searches < SEARCHES { self.seed(random) } else { self.any() };
                let Some(seed) = seed else { return };
                self.buckets.push(self.key(seed), narrow(seed));
                continue;
            };
            let vertex = vertex as usize;
            if self.core[vertex] != NONE {
                continue;
            }
            if key != self.key(vertex) {
                continue;
            }
            let weight = u64::from(self.level.weights[vertex]);
            let mut thirst = u64::from(self.level.fixed[vertex]);
            if load + weight <= self.limits.neurons {
                for incident in self.level.incident_to(vertex) {
                    let edge = incident.edge();
                    if !incident.is_source() && self.reached[edge] != core {
                        thirst += u64::from(self.level.axons[edge]);
                    }
                }
            }
            if !first
                && (load + weight > self.limits.neurons || inputs + thirst > self.limits.inputs)
            {
                misses += 1;
                if misses > MISSES || load >= self.limits.neurons {
                    break;
                }
                continue;
            }
            first = false;
            load += weight;
            inputs += thirst;
            self.take(vertex, core);
        }
    }

    fn take(&mut self, vertex: usize, core: u32) {
        self.core[vertex] = core;
        self.left -= 1;
        for incident in self.level.incident_to(vertex) {
            let edge = incident.edge();
            if !incident.is_source() {
                self.reached[edge] = core;
            }
            let cost = i64::from(self.level.costs[edge]);
            let news = !self.used[edge];
            self.used[edge] = true;
            if self.touched[edge] != core {
                self.touched[edge] = core;
                for &pin in self.level.pins_of(edge) {
                    let place = pin as usize;
                    if self.core[place] == NONE {
                        if news {
                            self.near[place] += cost;
                        }
                        let before = self.key(place);
                        self.shared[place] += cost;
                        let key = self.key(place);
                        if key != before || self.shared[place] == cost {
                            self.buckets.push(key, pin);
                        }
                    }
                }
            }
        }
    }

    /// Puts what is left where most room for neurons is.
    fn scatter(&mut self, cores: u32) {
        if self.left == 0 {
            return;
        }
        let mut load = vec![0u64; cores as usize];
        for (vertex, &core) in self.core.iter().enumerate() {
            if core != NONE {
                load[core as usize] += u64::from(self.level.weights[vertex]);
            }
        }
        let mut rest: Vec<u32> = (0..narrow(self.level.vertices()))
            .filter(|&vertex| self.core[vertex as usize] == NONE)
            .collect();
        rest.sort_by_key(|&vertex| std::cmp::Reverse(self.level.weights[vertex as usize]));
        for vertex in rest {
            let core = (0..load.len()).min_by_key(|&core| load[core]).unwrap_or(0);
            self.core[vertex as usize] = narrow(core);
            load[core] += u64::from(self.level.weights[vertex as usize]);
        }
        self.left = 0;
    }
}

/// Highest key of a vertex: all its edges are there.
const LAST: i64 = 1023;

/// A queue of vertices by small keys, the highest first, and among these the last one added.
#[derive(Default)]
struct Buckets {
    lists: Vec<Vec<u32>>,
    top: usize,
}

impl Buckets {
    fn clear(&mut self) {
        self.lists.iter_mut().for_each(Vec::clear);
        self.top = 0;
    }

    fn push(&mut self, key: usize, vertex: u32) {
        if self.lists.len() <= key {
            self.lists.resize_with(key + 1, Vec::new);
        }
        self.lists[key].push(vertex);
        self.top = self.top.max(key);
    }

    fn pop(&mut self) -> Option<(usize, u32)> {
        loop {
            if let Some(vertex) = self.lists.get_mut(self.top)?.pop() {
                return Some((self.top, vertex));
            }
            self.top = self.top.checked_sub(1)?;
        }
    }
}
