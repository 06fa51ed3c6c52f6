//! Builds integer networks.

pub(super) mod families;
pub(super) mod layers;

use super::Space;
use super::draw::Draw;
use super::shapes::{conv, param, shape, strided};
use crate::arena::{Arena, Entity, MatId, PopId};
use crate::network::{Coding, Compare, Keep, Provenance, UpdateOrder};
use crate::param::Param;
use crate::quantized::population::MAX_SHIFT;
use crate::quantized::{
    Graded, HostBias, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection,
    QuantizedDraft, Role, Sign, Structure, Time,
};
use crate::shape::Shape;

/// Largest weight. Populations have at most 18 neurons and 4 incoming projections (two that split a
/// matrix by sign count as one), so sums stay below 18 · 4 · 40 = 2880, currents below 2880 · 64 · 4
/// (du >= 1024), and membranes of the six steps of a run below 2^23. The messages of graded relays stay
/// below 1000, and arrive through single weights of 1, or through several that add up to less: 4 · 1000
/// for all projections.
const MAX_WEIGHT: i32 = 40;

/// Largest weight in networks whose currents have no memory: sums stay below 18 · 4 · 160 = 11520, and
/// currents below the same 2880 · 64 · 4. Biases of up to 2000 units there leave room in the membrane, and
/// take more than the clock lanes that the schedule starts with.
const MAX_LARGE_WEIGHT: i32 = 160;

/// Sign and bits of the synapse groups.
const FORMS: [(Sign, i8); 12] = [
    (Sign::Mixed, 8),
    (Sign::Mixed, 8),
    (Sign::Excitatory, 8),
    (Sign::Inhibitory, 8),
    (Sign::Mixed, 6),
    (Sign::Mixed, 4),
    (Sign::Mixed, 3),
    (Sign::Mixed, 2),
    (Sign::Excitatory, 5),
    (Sign::Excitatory, 1),
    (Sign::Inhibitory, 4),
    (Sign::Inhibitory, 2),
];

/// Largest weight of spikes into graded relays.
const MAX_RELAYED: i32 = 2;

/// Largest sum of messages that one projection delivers through more than one synapse per neuron.
const MAX_FAN_IN: usize = 200;

/// Builds one network in logical time.
pub(super) fn build(draw: &mut Draw, space: Space) -> QuantizedDraft {
    let steps = 1 + draw.small(6);
    let mut builder = Builder::new(draw, space);
    builder.populations(steps);
    builder.host();
    builder.projections();
    let readout = builder.readout();
    builder.finish(steps, readout)
}

/// The matrix called `name`.
pub(super) fn matrix(name: &str, structure: Structure, mantissa: Vec<i16>) -> IntMatrix {
    IntMatrix {
        name: name.to_owned(),
        structure,
        mantissa,
        exponent: 0,
        sign: Sign::Mixed,
        provenance: Provenance::Derived { pass: "generator".to_owned(), from: vec![] },
    }
}

fn dense(from: &Shape, to: &Shape) -> Structure {
    let [rows, cols] = [to, from].map(|s| s.0.iter().product());
    Structure::Dense { rows, cols }
}

struct Builder<'a> {
    draw: &'a mut Draw,
    space: Space,
    /// Whether weights, thresholds and biases are large, and currents have no memory.
    large: bool,
    populations: Arena<PopId, Population>,
    matrices: Arena<MatId, IntMatrix>,
    projections: Arena<crate::arena::ProjId, Projection>,
    host: Vec<HostBias>,
    /// Bound of what a neuron of each population sends: 1 for spikes.
    reach: Vec<usize>,
}

impl<'a> Builder<'a> {
    fn new(draw: &'a mut Draw, space: Space) -> Self {
        let large = draw.one_in(3);
        Self {
            draw,
            space,
            large,
            populations: Arena::new(),
            matrices: Arena::new(),
            projections: Arena::new(),
            host: Vec::new(),
            reach: Vec::new(),
        }
    }

    /// What was built, in logical time.
    fn finish(self, steps: u32, readout: IntReadout) -> QuantizedDraft {
        let Self { populations, matrices, projections, host, .. } = self;
        QuantizedDraft {
            name: "generated".to_owned(),
            steps,
            time: Time::Logical,
            populations,
            projections,
            matrices,
            host,
            readout,
        }
    }

    /// One or two inputs, then one to four populations of neurons, each perhaps after graded relays.
    fn populations(&mut self, steps: u32) {
        for i in 0..=self.draw.below(2) {
            let coding = match self.draw.below(if self.space.graded() { 4 } else { 3 }) {
                0 => Coding::Events,
                1 => Coding::Accumulator {
                    pmax: 1 + self.draw.small(9),
                    steps_in: 1 + self.draw.small(steps),
                },
                2 => Coding::Rate { seed: u64::MAX - u64::from(self.draw.small(9)) },
                _ => Coding::Direct { range: Some(self.draw.pick(&[[0, 1], [-1, 2]])) },
            };
            let shape = shape(self.draw);
            self.add(format!("x{i}"), shape, PopKind::Input(coding));
        }
        let mut relays = 0;
        for i in 0..=self.draw.below(4) {
            if self.relays() && relays < 2 && self.draw.one_in(3) {
                self.relay(relays);
                relays += 1;
            }
            let shape = shape(self.draw);
            let neuron = self.neuron(&shape);
            self.add(format!("h{i}"), shape, PopKind::Neurons(neuron));
        }
    }

    const fn relays(&self) -> bool {
        self.space.graded() || self.space.stages()
    }

    fn relay(&mut self, i: usize) {
        let shape = shape(self.draw);
        let keep = self.draw.pick(&[None, Some(Keep::Positive), Some(Keep::Negative)]);
        let shift = if self.space.stages() && self.draw.one_in(2) {
            self.draw.pick(&[1, 2, 3, 5, MAX_SHIFT])
        } else {
            0
        };
        let bias = match self.draw.below(3) {
            2 => param(self.draw, &shape, |d| d.signed(20)),
            // Rounds to nearest; the largest would not fit a bias register.
            1 if (1..MAX_SHIFT).contains(&shift) => Param::Uniform(1 << (shift - 1)),
            _ => Param::Uniform(0),
        };
        self.add(format!("g{i}"), shape, PopKind::Graded(Graded { keep, bias, shift }));
    }

    /// Lets directly coded inputs act on about half of the populations.
    fn host(&mut self) {
        for input in self.populations.ids() {
            if !self.direct(input) {
                continue;
            }
            for target in self.populations.ids() {
                if self.populations[target].is_input() || !self.draw.one_in(2) {
                    continue;
                }
                let [from, to] = [input, target].map(|p| self.populations[p].shape.clone());
                let structure = match conv(self.draw, self.space, &from, &to) {
                    Some(conv) => Structure::Conv(conv),
                    None => dense(&from, &to),
                };
                let eighths = |n: i32| f32::from(i16::try_from(n).unwrap_or(0)) / 8.0;
                let stored = structure.stored();
                let weights = (0..stored).map(|_| eighths(self.draw.signed(4))).collect();
                // At most 18 elements of at most 2 through weights of at most 1/2: below 23.
                let scale = self.draw.pick(&[1.0, 1.25, 0.1]);
                self.host.push(HostBias { input, target, structure, weights, scale });
            }
        }
    }

    fn direct(&self, id: PopId) -> bool {
        matches!(self.populations[id].kind, PopKind::Input(Coding::Direct { .. }))
    }

    fn add(&mut self, name: String, shape: Shape, kind: PopKind) {
        // Bias, and both inputs through the host; what arrives is added with the projections.
        self.reach.push(if matches!(kind, PopKind::Graded(_)) { 20 + 2 * 23 } else { 1 });
        self.populations.push(Population { name, shape, role: Role::Logical, kind });
    }

    fn neuron(&mut self, shape: &Shape) -> IntNeuron {
        // `v >= 64 m + 1` is `v > 64 m`, so that both comparisons have a strict form on the grid.
        let compare = self.draw.pick(&[Compare::Gt, Compare::Ge]);
        let offset = i32::from(compare == Compare::Ge);
        let units = |n: u32| i32::try_from(n).unwrap_or(0) * 64;
        let subtracts = self.space.programmable() && self.draw.one_in(4);
        let (decays, most, bias): (&[u16], u32, i32) =
            if self.large { (&[4095], 600, 2000) } else { (&[4095, 2048, 1024], 60, 20) };
        IntNeuron {
            du: param(self.draw, shape, |d| d.pick(decays)),
            dv: param(self.draw, shape, |d| d.pick(&[0, 4095, 512, 1])),
            threshold: param(self.draw, shape, |d| units(1 + d.small(most)) + offset),
            compare,
            reset: if subtracts {
                IntReset::Subtract(param(self.draw, shape, |d| 1 + units(d.small(40))))
            } else {
                IntReset::Zero
            },
            bias: if self.draw.one_in(3) {
                param(self.draw, shape, |d| d.signed(bias) * 64)
            } else {
                Param::Uniform(0)
            },
            refractory: 1 + self.draw.small(3),
            order: UpdateOrder::LeakInputFire,
            update_period: 1,
            floor: self.draw.one_in(3).then(|| self.floor(shape)),
        }
    }

    /// Floors that a few spikes reach. A core of fixed neurons has one, which is −(2^k − 1).
    fn floor(&mut self, shape: &Shape) -> Param<i32> {
        if self.space.programmable() {
            param(self.draw, shape, |d| -i32::try_from(d.small(20_000)).unwrap_or(0))
        } else {
            Param::Uniform(self.draw.pick(&[0, -127, -4095, -16_383]))
        }
    }

    /// One to four projections into each population that is no input. Graded relays come first, so that
    /// the reach of each is known to what reads it; they read no later relay, so they form no loop.
    fn projections(&mut self) {
        let graded = |p: &Population| p.graded().is_some();
        let (relays, others): (Vec<PopId>, Vec<PopId>) =
            self.populations.ids().partition(|id| graded(&self.populations[*id]));
        let neurons = others.into_iter().filter(|id| !self.populations[*id].is_input());
        let targets: Vec<PopId> = relays.into_iter().chain(neurons).collect();
        for target in targets {
            let relay = graded(&self.populations[target]);
            let sources: Vec<PopId> = self
                .populations
                .ids()
                .filter(|id| {
                    let later = *id >= target && graded(&self.populations[*id]);
                    !(self.direct(*id) || relay && later)
                })
                .collect();
            for _ in 0..=self.draw.below(4) {
                let source = self.draw.pick(&sources);
                // Reading itself or a later population goes back in time.
                let delay = u32::from(source >= target) + self.draw.small(3);
                let matrix = self.matrix(source, target);
                for matrix in self.parts(source, target, matrix) {
                    self.projections.push(Projection { source, target, matrix, delay });
                }
            }
        }
    }

    fn matrix(&mut self, source: PopId, target: PopId) -> MatId {
        let [from, to] = [source, target].map(|p| self.populations[p].shape.clone());
        let spikes = [source, target].iter().all(|p| self.populations[*p].graded().is_none());
        if !spikes {
            return self.relayed(source, target);
        }
        if self.draw.one_in(4) {
            let fits = |m: &IntMatrix| {
                (m.structure.rows(), m.structure.cols()) == (to.size(), from.size())
            };
            if let Some((id, _)) = self.matrices.iter().find(|(_, m)| fits(m)) {
                return id;
            }
        }
        let structure = self.structure(&from, &to);
        self.weights(structure, if self.large { MAX_LARGE_WEIGHT } else { MAX_WEIGHT })
    }

    /// The matrix, or now and then its excitatory and its inhibitory part.
    fn parts(&mut self, source: PopId, target: PopId, matrix: MatId) -> Vec<MatId> {
        let whole = &self.matrices[matrix];
        let spikes = [source, target].iter().all(|p| self.populations[*p].graded().is_none());
        // A group of one sign holds mantissas up to 255.
        let fits = whole.sign == Sign::Mixed && whole.mantissa.iter().all(|m| m.abs() < 256);
        if !spikes || !fits || !self.draw.one_in(3) {
            return vec![matrix];
        }
        let part = |sign, of: fn(&i16) -> i16| {
            let suffix = if sign == Sign::Excitatory { "+" } else { "-" };
            let mantissa = whole.mantissa.iter().map(of).collect();
            IntMatrix { name: format!("{}{suffix}", whole.name), mantissa, sign, ..whole.clone() }
        };
        let parts =
            [part(Sign::Excitatory, |m| (*m).max(0)), part(Sign::Inhibitory, |m| (*m).min(0))];
        parts.into_iter().map(|part| self.matrices.push(part)).collect()
    }

    /// A matrix from or into a graded relay, within the bounds of messages.
    fn relayed(&mut self, source: PopId, target: PopId) -> MatId {
        let [from, to] = [source, target].map(|p| self.populations[p].shape.clone());
        let reach = self.reach[source.index()];
        let all = from.size() * reach;
        let (structure, limit, arrives) = if self.populations[source].graded().is_none() {
            (self.structure(&from, &to), MAX_RELAYED, all * 2)
        } else if all <= MAX_FAN_IN {
            (self.structure(&from, &to), 1, all)
        } else {
            (self.single(&from, &to), 1, reach)
        };
        if self.populations[target].graded().is_some() {
            self.reach[target.index()] += arrives;
        }
        self.weights(structure, limit)
    }

    /// A layout with one synapse per target neuron.
    fn single(&mut self, from: &Shape, to: &Shape) -> Structure {
        let [rows, cols] = [to, from].map(|s| s.0.iter().product());
        if rows == cols {
            return Structure::Identity { size: rows };
        }
        let col = (0..rows).map(|_| self.draw.small(cols)).collect();
        Structure::Sparse { rows, cols, row_start: (0..=rows).collect(), col }
    }

    /// A matrix of weights up to `limit`.
    fn weights(&mut self, structure: Structure, limit: i32) -> MatId {
        let name = format!("w{}", self.matrices.len());
        let mut matrix = matrix(&name, structure, vec![]);
        let stored = matrix.structure.stored();
        let (sign, bits) = self.draw.pick(&FORMS);
        // A weight is `steps << shift`; the field keeps the upper bits of a mantissa.
        let largest = 1_i32 << if sign == Sign::Mixed { bits - 1 } else { bits };
        let shifts: Vec<i8> = (0..=7).filter(|shift| limit >> shift > 0).collect();
        let shift = self.draw.pick(&shifts);
        let unused = 8 - bits + i8::from(sign == Sign::Mixed);
        matrix.sign = sign;
        matrix.exponent = shift - unused;
        let steps = (limit >> shift).min(largest);
        matrix.mantissa = (0..stored)
            .map(|_| {
                let value = self.draw.signed(steps);
                let value = match sign {
                    Sign::Mixed => value.min(largest - 1),
                    Sign::Excitatory => value.abs().min(largest - 1),
                    Sign::Inhibitory => -value.abs().min(largest - 1),
                };
                i16::try_from(value << unused).unwrap_or(0)
            })
            .collect();
        self.matrices.push(matrix)
    }

    fn structure(&mut self, from: &Shape, to: &Shape) -> Structure {
        let [rows, cols] = [to, from].map(|s| s.0.iter().product());
        if let Some(conv) = conv(self.draw, self.space, from, to)
            && !self.draw.one_in(4)
        {
            return Structure::Conv(conv);
        }
        if let Some(conv) = strided(self.draw, self.space, from)
            && conv.output().is_some_and(|o| o[..] == to.0)
        {
            return Structure::Conv(conv);
        }
        match self.draw.below(4) {
            2 if rows == cols => Structure::Identity { size: rows },
            3 => {
                let mut row_start = vec![0];
                let mut col = Vec::new();
                for _ in 0..rows {
                    col.extend((0..cols).filter(|_| self.draw.one_in(3)));
                    row_start.push(u32::try_from(col.len()).unwrap_or(u32::MAX));
                }
                Structure::Sparse { rows, cols, row_start, col }
            }
            _ => dense(from, to),
        }
    }

    fn readout(&mut self) -> IntReadout {
        let last = PopId::new(self.populations.len() - 1);
        if !self.draw.one_in(3) {
            return IntReadout::SpikeCount(last);
        }
        let classes = 1 + self.draw.below(3);
        let tenths = |n: i32| f32::from(i16::try_from(n).unwrap_or(0)) / 10.0;
        let counted: Vec<PopId> = self
            .populations
            .ids()
            .filter(|id| self.populations[*id].graded().is_none() && !self.direct(*id))
            .collect();
        let terms = (0..=self.draw.below(2))
            .map(|_| {
                let id = self.draw.pick(&counted);
                let weights = classes * self.populations[id].size();
                (id, (0..weights).map(|_| tenths(self.draw.signed(30))).collect())
            })
            .collect();
        let bias = (0..classes).map(|_| tenths(self.draw.signed(9))).collect();
        IntReadout::MeanLinear { terms, bias }
    }
}
