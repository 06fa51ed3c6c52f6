//! Mapped networks built by hand, for the tests of this crate.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use snnc_ir::arena::{Entity, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::mapped::{Block, Core, Slice};
use snnc_ir::network::{Coding, Compare, Keep, Provenance, UpdateOrder};
use snnc_ir::quantized::{
    Graded, HostBias, IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection,
    QuantizedDraft, Role, Schedule, Sign, Structure, Time,
};
use snnc_ir::{
    Arena, Diagnostics, Level, MappedDraft, MappedNetwork, Param, Rules, Shape, TargetSpec,
};

/// A small number as the types of the IR hold it.
fn int(n: usize) -> u32 {
    u32::try_from(n).expect("fixtures are small")
}

/// The built-in target `name`.
pub(crate) fn target(name: &str) -> TargetSpec {
    snnc_backends::targets::by_name(name).expect("a built-in target parses")
}

/// An integer network in hardware time, built population by population.
pub(crate) struct Net {
    pub(crate) draft: QuantizedDraft,
    latency: Vec<u32>,
    pub(crate) period: u32,
}

impl Net {
    pub(crate) fn new(steps: u32) -> Self {
        let draft = QuantizedDraft {
            name: "fixture".to_owned(),
            steps,
            time: Time::Logical,
            populations: Arena::new(),
            projections: Arena::new(),
            matrices: Arena::new(),
            host: Vec::new(),
            readout: IntReadout::SpikeCount(PopId::new(0)),
        };
        Self { draft, latency: Vec::new(), period: 1 }
    }

    pub(crate) fn input(&mut self, name: &str, shape: &[u32]) -> PopId {
        self.population(name, shape, 0, Role::Logical, PopKind::Input(Coding::Events))
    }

    /// A population without memory of current, without leak, threshold 64·10.
    pub(crate) fn neurons(&mut self, name: &str, shape: &[u32], latency: u32) -> PopId {
        let neuron = IntNeuron {
            du: Param::Uniform(4095),
            dv: Param::Uniform(0),
            threshold: Param::Uniform(640),
            compare: Compare::Gt,
            reset: IntReset::Zero,
            bias: Param::Uniform(0),
            refractory: 1,
            order: UpdateOrder::LeakInputFire,
            update_period: 1,
            floor: None,
        };
        self.population(name, shape, latency, Role::Logical, PopKind::Neurons(neuron))
    }

    pub(crate) fn population(
        &mut self,
        name: &str,
        shape: &[u32],
        latency: u32,
        role: Role,
        kind: PopKind,
    ) -> PopId {
        self.latency.push(latency);
        let shape = Shape(shape.to_vec());
        self.draft.populations.push(Population { name: name.to_owned(), shape, role, kind })
    }

    /// Graded relays with a bias of 2 messages.
    pub(crate) fn graded(
        &mut self,
        name: &str,
        shape: &[u32],
        latency: u32,
        keep: Option<Keep>,
    ) -> PopId {
        let kind = PopKind::Graded(Graded { keep, bias: Param::Uniform(2), shift: 0 });
        self.population(name, shape, latency, Role::Logical, kind)
    }

    /// A directly coded input of values from -1 to 1, which the host writes to `target` through a
    /// dense matrix.
    pub(crate) fn direct(&mut self, name: &str, shape: &[u32], target: PopId) -> PopId {
        let coding = Coding::Direct { range: Some([-1, 1]) };
        let input = self.population(name, shape, 0, Role::Logical, PopKind::Input(coding));
        let size = |p: PopId| int(self.draft.populations[p].size());
        let structure = Structure::Dense { rows: size(target), cols: size(input) };
        let weights = (0..structure.stored()).map(|i| f32::from(u8::try_from(i).expect("small")));
        let weights = weights.map(|w| 0.1 * w - 0.3).collect();
        self.draft.host.push(HostBias { input, target, structure, weights, scale: 10.0 / 3.0 });
        input
    }

    /// Changes the latency of the population numbered `index`.
    pub(crate) fn set_latency(&mut self, index: usize, latency: u32) {
        self.latency[index] = latency;
    }

    /// The parameters of a population of neurons, to change them.
    pub(crate) fn neuron(&mut self, population: PopId) -> &mut IntNeuron {
        match &mut self.draft.populations[population].kind {
            PopKind::Neurons(neuron) => neuron,
            PopKind::Input(_) | PopKind::Graded(_) => panic!("only neurons have these parameters"),
        }
    }

    /// Connects with a dense matrix of weights within ±127, stored doubled with exponent −1.
    pub(crate) fn dense(&mut self, source: PopId, target: PopId, delay: u32, weights: &[i16]) {
        let size = |p: PopId| int(self.draft.populations[p].size());
        let structure = Structure::Dense { rows: size(target), cols: size(source) };
        let mantissa = weights.iter().map(|w| 2 * w).collect();
        self.connect(source, target, delay, structure, mantissa, -1, Sign::Mixed);
    }

    /// Connects with a kernel of weights within ±127.
    pub(crate) fn conv(
        &mut self,
        source: PopId,
        target: PopId,
        delay: u32,
        conv: Conv,
        kernel: &[i16],
    ) {
        let mantissa = kernel.iter().map(|w| 2 * w).collect();
        self.connect(source, target, delay, Structure::Conv(conv), mantissa, -1, Sign::Mixed);
    }

    #[allow(clippy::too_many_arguments, reason = "one per field of what it makes")]
    pub(crate) fn connect(
        &mut self,
        source: PopId,
        target: PopId,
        delay: u32,
        structure: Structure,
        mantissa: Vec<i16>,
        exponent: i8,
        sign: Sign,
    ) {
        assert_eq!(structure.stored(), mantissa.len(), "the fixture's matrix is complete");
        let name = format!("m{}", self.draft.matrices.len());
        let provenance = Provenance::Dense { tensor: name.clone() };
        let matrix = self.draft.matrices.push(IntMatrix {
            name,
            structure,
            mantissa,
            exponent,
            sign,
            provenance,
        });
        self.draft.projections.push(Projection { source, target, matrix, delay });
    }

    /// A relay of all neurons of `of`, one step behind it.
    pub(crate) fn relay(&mut self, name: &str, of: PopId, latency: u32) -> PopId {
        let shape = self.draft.populations[of].shape.clone();
        let relay = self.neurons(name, &shape.0, latency);
        self.draft.populations[relay].role = Role::Relay { of, hops: 1 };
        self.neuron(relay).dv = Param::Uniform(4095);
        let size = int(shape.size());
        let identity = Structure::Identity { size };
        self.connect(of, relay, 1, identity, vec![254], -1, Sign::Mixed);
        relay
    }

    /// Maps the network as [`Net::try_map`].
    pub(crate) fn map(self, target: &TargetSpec, cores: &[&[(PopId, u32, u32)]]) -> MappedNetwork {
        self.try_map(target, cores)
            .unwrap_or_else(|e| panic!("the fixture is not well-formed: {e}"))
    }

    /// Maps the network: `cores` lists the slices (population, start, len) of each core. Every core
    /// gets the axons and blocks that its slices need, sources in order of their ids.
    pub(crate) fn try_map(
        mut self,
        target: &TargetSpec,
        cores: &[&[(PopId, u32, u32)]],
    ) -> Result<MappedNetwork, Diagnostics> {
        let schedule = Schedule { period: self.period, latency: std::mem::take(&mut self.latency) };
        self.draft.time = Time::Hardware(schedule);
        let read = |p: &Population| p.neuron().is_some() && p.role == Role::Logical;
        if let Some((last, _)) = self.draft.populations.iter().rfind(|(_, p)| read(p)) {
            self.draft.readout = IntReadout::SpikeCount(last);
        }
        let cores = cores.iter().map(|slices| core(&self.draft, slices)).collect();
        let target = target.name.clone();
        let draft = MappedDraft {
            orders: vec![1; self.draft.populations.len()],
            network: self.draft,
            target,
            cores,
        };
        MappedNetwork::verify(draft, &Rules::default())
    }

    /// Maps every population whole to a core of its own.
    pub(crate) fn map_whole(self, target: &TargetSpec) -> MappedNetwork {
        self.try_map_whole(target).unwrap_or_else(|e| panic!("the fixture is not well-formed: {e}"))
    }

    /// Maps every population whole to a core of its own.
    pub(crate) fn try_map_whole(self, target: &TargetSpec) -> Result<MappedNetwork, Diagnostics> {
        let slices: Vec<[(PopId, u32, u32); 1]> = self
            .draft
            .populations
            .iter()
            .filter(|(_, p)| !p.is_input())
            .map(|(id, p)| [(id, 0, int(p.size()))])
            .collect();
        let cores: Vec<&[(PopId, u32, u32)]> = slices.iter().map(<[_; 1]>::as_slice).collect();
        self.try_map(target, &cores)
    }
}

fn core(net: &QuantizedDraft, slices: &[(PopId, u32, u32)]) -> Core {
    let mut core = Core::default();
    for &(population, start, len) in slices {
        core.slices.push(Slice { population, start, len });
    }
    for (source, population) in net.populations.iter() {
        let mut run = None;
        for (projection, p) in net.projections.iter().filter(|(_, p)| p.source == source) {
            for (slice, s) in core.slices.iter().enumerate() {
                if s.population == p.target {
                    let axons = *run.get_or_insert_with(|| {
                        let len = int(population.size());
                        core.axons.push(Slice { population: source, start: 0, len });
                        int(core.axons.len() - 1)
                    });
                    let slice = int(slice);
                    core.blocks.push(Block { projection, axons, slice });
                }
            }
        }
    }
    core
}

/// Two inputs, a hidden population that is split over two cores and recurrent, and an output.
pub(crate) fn split_recurrent(target: &TargetSpec) -> MappedNetwork {
    let mut net = Net::new(5);
    let x = net.input("x", &[2]);
    let h = net.neurons("h", &[3], 1);
    let y = net.neurons("y", &[2], 2);
    net.neuron(h).dv = Param::PerNeuron(vec![100, 100, 200]);
    net.neuron(h).bias = Param::PerNeuron(vec![0, 64, 3]);
    net.neuron(y).threshold = Param::Uniform(1280);
    net.dense(x, h, 1, &[1, 2, 3, 4, 5, 6]);
    net.dense(h, h, 3, &[0, 1, 0, 0, 0, 1, 1, 0, 0]);
    net.dense(h, y, 1, &[1, 2, 3, 4, 5, 6]);
    net.map(target, &[&[(h, 0, 2)], &[(h, 2, 1), (y, 0, 2)]])
}
