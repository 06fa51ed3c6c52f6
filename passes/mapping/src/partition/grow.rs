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

/// Pins from which on growth listens to each vertex's costliest, shortest edges alone.
const LARGE: usize = 4_000_000;

/// Pins of these.
const BUDGET: usize = 2000;

/// What growth looks at most, in a quarter of a line of cache.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Keys per cost.
    keys: f64,
    /// Cost of the vertex's edges that core `touched` has.
    shared: u32,
    /// The last core to have one of its edges.
    touched: u32,
}

impl Place {
    /// Cost of the vertex's edges that a core has. Without a branch, which nobody could foresee.
    fn shared(self, core: u32) -> u32 {
        self.shared & u32::from(self.touched == core).wrapping_neg()
    }

    /// Which share of its edges the vertex finds on a core that has edges of this cost, up to [`LAST`]: more is better.
    fn key(self, shared: u32) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 1023"
        )]
        {
            (f64::from(shared) * self.keys) as usize
        }
    }
}

/// The pins of each edge that are still free, in their order.
struct Free {
    pins: Vec<u32>,
    starts: Vec<usize>,
    counts: Vec<u32>,
}

impl Free {
    fn new(level: &Level) -> Self {
        let mut free = Self {
            pins: Vec::with_capacity(level.size()),
            starts: Vec::with_capacity(level.edges()),
            counts: Vec::with_capacity(level.edges()),
        };
        for edge in 0..level.edges() {
            let pins = level.pins_of(edge);
            free.starts.push(free.pins.len());
            free.counts.push(narrow(pins.len()));
            free.pins.extend_from_slice(pins);
        }
        free
    }

    /// The pins of an edge but those that are taken, which are forgotten. Without branches: what lies in memory far apart
    /// is waited for all at once.
    fn of(&mut self, edge: usize, taken: &[bool]) -> &[u32] {
        let pins = &mut self.pins[self.starts[edge]..][..self.counts[edge] as usize];
        let mut kept = 0;
        for place in 0..pins.len() {
            let pin = pins[place];
            pins[kept] = pin;
            kept += usize::from(!taken[pin as usize]);
        }
        self.counts[edge] = narrow(kept);
        &pins[..kept]
    }
}

struct Growth<'a> {
    /// Pins that a vertex pulls at, about.
    budget: usize,
    level: &'a Level,
    limits: Limits,
    core: Vec<u32>,
    /// Whether each vertex has a core.
    taken: Vec<bool>,
    left: usize,
    places: Vec<Place>,
    free: Free,
    /// Cost of each vertex's edges, which stays in 32 bits like all gains.
    total: Vec<u32>,
    /// Cost of each vertex's edges that some core has.
    near: Vec<u32>,
    /// One more than the share of these in 1/2^20, 0 of vertices that have a core.
    nearness: Vec<u32>,
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
        let total: Vec<u32> = (0..level.vertices())
            .map(|vertex| {
                let edges = level.incident_to(vertex).iter();
                let costs = edges.map(|incident| level.costs[incident.edge()].unsigned_abs());
                costs.fold(0, u32::saturating_add)
            })
            .collect();
        let mean = total.iter().map(|&cost| f64::from(cost)).sum::<f64>() * f64::from(thrift);
        #[expect(clippy::cast_precision_loss, reason = "only guides choices")]
        let space = mean / level.weight().max(1) as f64;
        let places = total.iter().zip(&level.weights).map(|(&total, &weight)| {
            let whole = f64::from(total) + (space * f64::from(weight)).floor();
            // Rounded up a little, so that a vertex whose edges are all there has the highest key.
            Place { keys: LAST / whole.max(1.0) * (1.0 + 1e-13), shared: 0, touched: NONE }
        });
        Self {
            budget: if level.size() > LARGE { BUDGET } else { usize::MAX },
            places: places.collect(),
            free: Free::new(level),
            level,
            limits,
            core: vec![NONE; level.vertices()],
            taken: vec![false; level.vertices()],
            left: level.vertices(),
            total,
            near: vec![0; level.vertices()],
            nearness: vec![1; level.vertices()],
            touched: vec![NONE; level.edges()],
            reached: vec![NONE; level.edges()],
            used: vec![false; level.edges()],
            cursor: 0,
            buckets: Buckets::default(),
        }
    }

    fn key(&self, vertex: usize, core: u32) -> usize {
        let place = self.places[vertex];
        place.key(place.shared(core))
    }

    /// A free vertex, of whose edges other cores have the largest share: leaves no remnants behind. At a tie, the last one in a
    /// round that begins anywhere.
    fn seed(&self, random: &mut Random) -> Option<usize> {
        let start = random.below(self.nearness.len());
        let most = self.nearness.iter().copied().fold(0, u32::max);
        let (after, before) = (&self.nearness[start..], &self.nearness[..start]);
        let found = |part: &[u32]| part.iter().rposition(|&nearness| nearness == most);
        (most > 0)
            .then(|| found(before).or_else(|| found(after).map(|place| start + place)))
            .flatten()
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
        let (mut load, mut inputs) = (0u64, 0u64);
        self.buckets.push(self.key(seed, core), narrow(seed));
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
                self.buckets.push(self.key(seed, core), narrow(seed));
                continue;
            };
            let vertex = vertex as usize;
            if self.core[vertex] != NONE {
                continue;
            }
            if key != self.key(vertex, core) {
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
        self.taken[vertex] = true;
        self.nearness[vertex] = 0;
        self.left -= 1;
        let mut budget = self.budget;
        for incident in self.level.incident_to(vertex) {
            let edge = incident.edge();
            if !incident.is_source() {
                self.reached[edge] = core;
            }
            if self.touched[edge] != core && budget > 0 {
                self.touched[edge] = core;
                let cost = self.level.costs[edge].unsigned_abs();
                if !std::mem::replace(&mut self.used[edge], true) {
                    self.approach(edge, cost);
                }
                let pins = self.free.of(edge, &self.taken);
                budget = budget.saturating_sub(pins.len());
                for &pin in pins {
                    let place = &mut self.places[pin as usize];
                    let before = place.shared(core);
                    let after = before + cost;
                    (place.shared, place.touched) = (after, core);
                    let key = place.key(after);
                    if before == 0 || key != place.key(before) {
                        self.buckets.push(key, pin);
                    }
                }
            }
        }
    }

    /// Counts an edge that a core has for the first time.
    fn approach(&mut self, edge: usize, cost: u32) {
        for &pin in self.level.pins_of(edge) {
            let pin = pin as usize;
            if self.core[pin] == NONE {
                self.near[pin] += cost;
                let share = (u64::from(self.near[pin]) << 20) / u64::from(self.total[pin].max(1));
                self.nearness[pin] = u32::try_from(share).unwrap_or(0) + 1;
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
const LAST: f64 = 1023.0;

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
