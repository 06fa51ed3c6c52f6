//! Source networks in logical time, built population by population.

use snnc_ir::arena::{MatId, PopId, ProjId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Coding, Compare, Keep, Provenance, UpdateOrder};
use snnc_ir::quantized::{
    Graded, HostBias, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection,
    QuantizedDraft, Role, Sign, Structure, Time,
};
use snnc_ir::{Arena, Entity, Level, Param, QuantizedNetwork, Rules, Shape};

/// A source network under construction.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) draft: QuantizedDraft,
}

/// An integrate-and-fire neuron with threshold `64·units`.
pub(crate) fn neuron(units: i32) -> IntNeuron {
    IntNeuron {
        du: Param::Uniform(4095),
        dv: Param::Uniform(0),
        threshold: Param::Uniform(64 * units),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: None,
    }
}

impl Source {
    pub(crate) fn new(steps: u32) -> Self {
        Self {
            draft: QuantizedDraft {
                name: "net".to_owned(),
                steps,
                time: Time::Logical,
                populations: Arena::new(),
                projections: Arena::new(),
                matrices: Arena::new(),
                host: Vec::new(),
                readout: IntReadout::SpikeCount(PopId::new(0)),
            },
        }
    }

    fn population(&mut self, name: &str, shape: &[u32], kind: PopKind) -> PopId {
        let counts = !matches!(kind, PopKind::Graded(_) | PopKind::Input(Coding::Direct { .. }));
        let id = self.draft.populations.push(Population {
            name: name.to_owned(),
            shape: Shape(shape.to_vec()),
            role: Role::Logical,
            kind,
        });
        if counts {
            self.draft.readout = IntReadout::SpikeCount(id);
        }
        id
    }

    pub(crate) fn input(&mut self, name: &str, shape: &[u32]) -> PopId {
        self.population(name, shape, PopKind::Input(Coding::Events))
    }

    /// Graded relays with these biases.
    pub(crate) fn graded(
        &mut self,
        name: &str,
        shape: &[u32],
        keep: Option<Keep>,
        bias: Param<i32>,
    ) -> PopId {
        self.population(name, shape, PopKind::Graded(Graded { keep, bias, shift: 0 }))
    }

    /// A directly coded input of values from -1 to 2.
    pub(crate) fn direct(&mut self, name: &str, shape: &[u32]) -> PopId {
        self.population(name, shape, PopKind::Input(Coding::Direct { range: Some([-1, 2]) }))
    }

    /// What the host writes from `input` to `target`, through weights that count up in steps of 0.3
    /// from -0.7 and over again.
    pub(crate) fn host(&mut self, input: PopId, target: PopId, structure: Structure, scale: f64) {
        let weight = |i| f32::from(small(i % 6)) * 0.3 - 0.7;
        let weights = (0..u32::try_from(structure.stored()).expect("small")).map(weight).collect();
        self.draft.host.push(HostBias { input, target, structure, weights, scale });
    }

    pub(crate) fn neurons(&mut self, name: &str, shape: &[u32], neuron: IntNeuron) -> PopId {
        self.population(name, shape, PopKind::Neurons(neuron))
    }

    /// A matrix of these weights (stored as doubled mantissas with exponent −1, sign mode mixed).
    pub(crate) fn matrix(&mut self, structure: Structure, weights: &[i16]) -> MatId {
        let doubled = weights.iter().map(|w| 2 * w).collect();
        self.stored(structure, doubled, -1, Sign::Mixed)
    }

    /// A matrix of these mantissas.
    pub(crate) fn stored(
        &mut self,
        structure: Structure,
        mantissa: Vec<i16>,
        exponent: i8,
        sign: Sign,
    ) -> MatId {
        let matrix = IntMatrix {
            name: format!("m{}", self.draft.matrices.len()),
            structure,
            mantissa,
            exponent,
            sign,
            provenance: Provenance::Dense { tensor: "w".to_owned() },
        };
        self.draft.matrices.push(matrix)
    }

    pub(crate) fn project(
        &mut self,
        source: PopId,
        target: PopId,
        matrix: MatId,
        delay: u32,
    ) -> ProjId {
        self.draft.projections.push(Projection { source, target, matrix, delay })
    }

    /// A dense projection whose weights count up from −2 to 4 and over again.
    pub(crate) fn dense(&mut self, source: PopId, target: PopId, delay: u32) -> ProjId {
        let size = |id: PopId| u32::try_from(self.draft.populations[id].size()).expect("small");
        let (rows, cols) = (size(target), size(source));
        let weights: Vec<i16> = (0..rows * cols).map(|i| small(i * 5 % 7) - 2).collect();
        let matrix = self.matrix(Structure::Dense { rows, cols }, &weights);
        self.project(source, target, matrix, delay)
    }

    /// A convolution with small alternating weights; returns nothing that later steps need.
    pub(crate) fn conv(&mut self, source: PopId, target: PopId, conv: Conv) {
        let size = u32::try_from(conv.kernel_size()).expect("small");
        let weights: Vec<i16> = (0..size).map(|i| small(i * 3 % 8) - 3).collect();
        let matrix = self.matrix(Structure::Conv(conv), &weights);
        self.project(source, target, matrix, 0);
    }

    pub(crate) fn seal(&self) -> QuantizedNetwork {
        QuantizedNetwork::verify(self.draft.clone(), &Rules::default()).expect("a valid source")
    }
}

fn small(n: u32) -> i16 {
    i16::try_from(n).expect("a small number")
}
