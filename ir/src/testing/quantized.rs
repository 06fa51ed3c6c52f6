//! Builds integer networks.

use super::Space;
use super::draw::Draw;
use super::shapes::{conv, param, shape, strided};
use crate::arena::{Arena, Entity, MatId, PopId};
use crate::network::{Coding, Compare, Provenance, UpdateOrder};
use crate::param::Param;
use crate::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    Role, Sign, Structure, Time,
};
use crate::shape::Shape;

/// Largest weight. Populations have at most 18 neurons and 4 incoming projections, so sums stay
/// below 18 · 4 · 40 = 2880, currents below 2880 · 64 · 4 (du >= 1024), and membranes of the six
/// steps of a run below 2^23.
const MAX_WEIGHT: i32 = 40;

/// Builds one network in logical time.
pub(super) fn build(draw: &mut Draw, space: Space) -> QuantizedDraft {
    let steps = 1 + draw.small(6);
    let mut builder = Builder {
        draw,
        space,
        populations: Arena::new(),
        matrices: Arena::new(),
        projections: Arena::new(),
    };
    builder.populations(steps);
    builder.projections();
    let readout = builder.readout();
    let Builder { populations, matrices, projections, .. } = builder;
    QuantizedDraft {
        name: "generated".to_owned(),
        steps,
        time: Time::Logical,
        populations,
        projections,
        matrices,
        host: vec![],
        readout,
    }
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

struct Builder<'a> {
    draw: &'a mut Draw,
    space: Space,
    populations: Arena<PopId, Population>,
    matrices: Arena<MatId, IntMatrix>,
    projections: Arena<crate::arena::ProjId, Projection>,
}

impl Builder<'_> {
    /// One or two inputs, then one to four populations of neurons.
    fn populations(&mut self, steps: u32) {
        for i in 0..=self.draw.below(2) {
            let coding = match self.draw.below(3) {
                0 => Coding::Events,
                1 => Coding::Accumulator {
                    pmax: 1 + self.draw.small(9),
                    steps_in: 1 + self.draw.small(steps),
                },
                _ => Coding::Rate { seed: u64::MAX - u64::from(self.draw.small(9)) },
            };
            let shape = shape(self.draw);
            self.add(format!("x{i}"), shape, PopKind::Input(coding));
        }
        for i in 0..=self.draw.below(4) {
            let shape = shape(self.draw);
            let neuron = self.neuron(&shape);
            self.add(format!("h{i}"), shape, PopKind::Neurons(neuron));
        }
    }

    fn add(&mut self, name: String, shape: Shape, kind: PopKind) {
        self.populations.push(Population { name, shape, role: Role::Logical, kind });
    }

    fn neuron(&mut self, shape: &Shape) -> IntNeuron {
        // `v >= 64 m + 1` is `v > 64 m`, so that both comparisons have a strict form on the grid.
        let compare = self.draw.pick(&[Compare::Gt, Compare::Ge]);
        let offset = i32::from(compare == Compare::Ge);
        let units = |n: u32| i32::try_from(n).unwrap_or(0) * 64;
        let subtracts = self.space != Space::Fixed && self.draw.one_in(4);
        IntNeuron {
            du: param(self.draw, shape, |d| d.pick(&[4095, 2048, 1024])),
            dv: param(self.draw, shape, |d| d.pick(&[0, 4095, 512, 1])),
            threshold: param(self.draw, shape, |d| units(1 + d.small(60)) + offset),
            compare,
            reset: if subtracts {
                IntReset::Subtract(param(self.draw, shape, |d| 1 + units(d.small(40))))
            } else {
                IntReset::Zero
            },
            bias: if self.draw.one_in(3) {
                param(self.draw, shape, |d| d.signed(20) * 64)
            } else {
                Param::Uniform(0)
            },
            refractory: 1 + self.draw.small(3),
            order: UpdateOrder::LeakInputFire,
            update_period: 1,
        }
    }

    /// One to four projections into each population of neurons.
    fn projections(&mut self) {
        let ids: Vec<PopId> = self.populations.ids().collect();
        for target in ids.iter().copied() {
            if self.populations[target].neuron().is_none() {
                continue;
            }
            for _ in 0..=self.draw.below(4) {
                let source = self.draw.pick(&ids);
                // Reading itself or a later population goes back in time.
                let delay = u32::from(source >= target) + self.draw.small(3);
                let matrix = self.matrix(source, target);
                self.projections.push(Projection { source, target, matrix, delay });
            }
        }
    }

    fn matrix(&mut self, source: PopId, target: PopId) -> MatId {
        let [from, to] = [source, target].map(|p| self.populations[p].shape.clone());
        if self.draw.one_in(4) {
            let fits = |m: &IntMatrix| {
                (m.structure.rows(), m.structure.cols()) == (to.size(), from.size())
            };
            if let Some((id, _)) = self.matrices.iter().find(|(_, m)| fits(m)) {
                return id;
            }
        }
        let structure = self.structure(&from, &to);
        let name = format!("w{}", self.matrices.len());
        let mut matrix = matrix(&name, structure, vec![]);
        let stored = matrix.structure.stored();
        // (sign, exponent, unit of the mantissa, what a unit weighs)
        let (sign, exponent, unit, weight) = self.draw.pick(&[
            (Sign::Mixed, -1, 2, 1),
            (Sign::Mixed, 0, 2, 2),
            (Sign::Mixed, 1, 2, 4),
            (Sign::Excitatory, 0, 1, 1),
            (Sign::Inhibitory, 0, 1, 1),
            (Sign::Mixed, -3, 8, 1),
        ]);
        matrix.sign = sign;
        matrix.exponent = exponent;
        let limit = (MAX_WEIGHT / weight).min(254 / unit);
        matrix.mantissa = (0..stored)
            .map(|_| {
                let value = self.draw.signed(limit) * unit;
                let value = match sign {
                    Sign::Mixed => value,
                    Sign::Excitatory => value.abs(),
                    Sign::Inhibitory => -value.abs(),
                };
                i16::try_from(value).unwrap_or(0)
            })
            .collect();
        self.matrices.push(matrix)
    }

    fn structure(&mut self, from: &Shape, to: &Shape) -> Structure {
        let [rows, cols] = [to, from].map(|s| s.0.iter().product());
        if let Some(conv) = conv(self.draw, from, to)
            && !self.draw.one_in(4)
        {
            return Structure::Conv(conv);
        }
        if let Some(conv) = strided(self.draw, from)
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
            _ => Structure::Dense { rows, cols },
        }
    }

    fn readout(&mut self) -> IntReadout {
        let last = PopId::new(self.populations.len() - 1);
        if !self.draw.one_in(3) {
            return IntReadout::SpikeCount(last);
        }
        let classes = 1 + self.draw.below(3);
        let tenths = |n: i32| f32::from(i16::try_from(n).unwrap_or(0)) / 10.0;
        let terms = (0..=self.draw.below(2))
            .map(|_| {
                let id = PopId::new(self.draw.below(self.populations.len()));
                let weights = classes * self.populations[id].size();
                (id, (0..weights).map(|_| tenths(self.draw.signed(30))).collect())
            })
            .collect();
        let bias = (0..classes).map(|_| tenths(self.draw.signed(9))).collect();
        IntReadout::MeanLinear { terms, bias }
    }
}
