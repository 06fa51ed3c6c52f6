//! A recurrent network of neurons whose synaptic currents have memory, with biases inside and outside the
//! loop, from floats to cores: what rounding does to its spikes, and that all integer levels agree.

use proptest::prelude::*;
use snnc::backends::certify::certify;
use snnc::backends::{program, targets};
use snnc::ir::arena::{Arena, NodeId, TensorId};
use snnc::ir::network::{
    Coding, Current, Dynamics, Edge, LinearDynamics, NetworkDraft, Neuron, Node, Op, Provenance,
    Readout, Reset, Tensor,
};
use snnc::ir::recipe;
use snnc::ir::spikes::SpikeTrain;
use snnc::ir::testing::{self, Space};
use snnc::ir::{Entity, Level, Network, Param, Rules, Shape, TargetSpec};
use snnc::passes::{AnyLevel, Pipeline, Registry};
use snnc::pipeline::{Delays, Stage, run, standard};
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::event::float::FloatSim;
use snnc::runtime::float::FloatProbe;
use snnc::runtime::integer::{IntProbe, IntSim};
use snnc::runtime::{Signal, Stimulus};

/// Numbers from a seed (xorshift).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 40
    }

    /// In -1..1.
    fn real(&mut self) -> f32 {
        f32::from(u16::try_from(self.next() & 0xffff).expect("16 bits")) / 32_768.0 - 1.0
    }
}

/// Time constants and size of weights.
#[derive(Clone, Copy, Debug)]
struct Regime {
    keep_current: f32,
    keep: f32,
    weights: f32,
    bias: f32,
    reset: Reset,
}

struct Builder {
    draft: NetworkDraft,
    rng: Rng,
}

impl Builder {
    fn tensor(&mut self, shape: &[u32], scale: f32) -> TensorId {
        let len = shape.iter().product::<u32>();
        let data = (0..len).map(|_| self.rng.real() * scale).collect();
        let name = format!("t{}", self.draft.tensors.len());
        let provenance = Provenance::Dense { tensor: name.clone() };
        self.draft.tensors.push(Tensor {
            name,
            shape: Shape(shape.to_vec()),
            data,
            provenance,
            genes: None,
        })
    }

    fn linear(
        &mut self,
        name: &str,
        size: [u32; 2],
        source: (NodeId, u32),
        regime: Regime,
    ) -> NodeId {
        let weight = self
            .tensor(&size, regime.weights / f32::from(u16::try_from(size[1]).expect("few")).sqrt());
        let bias = (regime.bias > 0.0).then(|| self.tensor(&size[..1], regime.bias));
        let (source, delay) = source;
        let inputs = vec![Edge { source, delay }];
        let shape = Shape::flat(size[0]);
        let op = Op::Linear { weight, bias };
        self.draft.nodes.push(Node { name: name.to_owned(), op, inputs, shape })
    }

    fn neurons(&mut self, name: &str, size: u32, regime: Regime) -> NodeId {
        let dynamics = Dynamics::Linear(LinearDynamics {
            current: Some(Current {
                keep: Param::Uniform(regime.keep_current),
                gain: Param::Uniform(1.0),
            }),
            keep: Param::Uniform(regime.keep),
            gain: Param::Uniform(1.0),
            drive: Param::Uniform(0.0),
        });
        let neuron = Neuron { reset: regime.reset, ..Neuron::plain(dynamics, Param::Uniform(1.0)) };
        let (op, shape) = (Op::Neuron(neuron), Shape::flat(size));
        self.draft.nodes.push(Node { name: name.to_owned(), op, inputs: Vec::new(), shape })
    }
}

/// 12 inputs, 38 hidden neurons that read themselves one step late, 7 outputs.
fn network(seed: u64, regime: Regime) -> Network {
    let readout = Readout::SpikeCount(NodeId::new(0));
    let draft = NetworkDraft {
        name: "filtered".to_owned(),
        steps: 256,
        nodes: Arena::new(),
        tensors: Arena::new(),
        readout,
        discretization: None,
    };
    let mut b = Builder { draft, rng: Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1) };
    let op = Op::Input(Coding::Events);
    let shape = Shape::flat(12);
    let x = b.draft.nodes.push(Node { name: "x".to_owned(), op, inputs: Vec::new(), shape });
    let h = b.neurons("h", 38, regime);
    let o = b.neurons("o", 7, regime);
    let feed = b.linear("feed", [38, 12], (x, 0), regime);
    let back = b.linear("back", [38, 38], (h, 0), regime);
    let out = b.linear("out", [7, 38], (h, 0), regime);
    let inputs = vec![Edge { source: feed, delay: 0 }, Edge { source: back, delay: 1 }];
    let (op, shape) = (Op::Add, Shape::flat(38));
    let sum = b.draft.nodes.push(Node { name: "sum".to_owned(), op, inputs, shape });
    b.draft.nodes[h].inputs = vec![Edge { source: sum, delay: 0 }];
    b.draft.nodes[o].inputs = vec![Edge { source: out, delay: 0 }];
    b.draft.readout = Readout::SpikeCount(o);
    Network::verify(b.draft, &Rules::default()).expect("it is valid")
}

fn spikes(rng: &mut Rng) -> Stimulus {
    let mut train = SpikeTrain::new(256, 12);
    // Channels have rates of their own, as events of a sensor do.
    for n in 0..12 {
        let rate = rng.next() % 20;
        for t in 0..256 {
            if rng.next() % 100 < rate {
                train.set(t, n);
            }
        }
    }
    Stimulus { inputs: vec![Signal::Spikes(train)] }
}

/// Over all samples, of the hidden neurons and of the outputs: spikes of the float network, and cells that
/// differ; and samples with the same class.
#[derive(Clone, Copy, Debug, Default)]
struct Distance {
    spikes: [u64; 2],
    differ: [u64; 2],
    classes: usize,
}

const SAMPLES: usize = 12;

/// Cells in which two trains differ.
fn off(a: &SpikeTrain, b: &SpikeTrain) -> u64 {
    let cells = (0..a.steps()).flat_map(|t| (0..a.neurons()).map(move |n| (t, n)));
    cells.filter(|&(t, n)| a.get(t, n) != b.get(t, n)).count() as u64
}

fn measure(seed: u64, regime: Regime) -> Distance {
    let source = network(seed, regime);
    let target = targets::by_name("loihi2").expect("it is shipped");
    let pipeline = Pipeline::parse(&standard(Stage::Network, Delays::Synaptic)).expect("it is one");
    let level = AnyLevel::Network(source.clone());
    let stages = run(&Registry::standard(), &pipeline, level, &target, &recipe::DEFAULT);
    let stages = stages.unwrap_or_else(|f| panic!("{}: {}", f.pass, f.diagnostics));
    let lowered = stages.network.expect("a network");
    let quantized = stages.quantized.expect("integers");
    let bytes = program::write(&stages.mapped.expect("cores"), &target).expect("it is written");
    let program = program::read(&bytes).unwrap_or_else(|e| panic!("{e}"));
    certify(&quantized, &program, &target).unwrap_or_else(|e| panic!("{e}"));
    let floats = FloatSim::new(&source).expect("it runs");
    let same = FloatSim::new(&lowered).expect("it runs");
    let integers = IntSim::new(&quantized).expect("it runs");
    let cores = CoreSim::new(&program).expect("it runs");
    let mut rng = Rng(seed | 1 << 32);
    let mut distance = Distance::default();
    for sample in 0..SAMPLES {
        let stimulus = spikes(&mut rng);
        let a = floats.run(&stimulus, &FloatProbe::None).expect("it runs");
        let b = integers.run(&stimulus, &IntProbe::None).expect("it runs");
        for (part, name) in ["h", "o"].into_iter().enumerate() {
            let old = &a.spikes[&source.node_named(name).expect("it is there")];
            let new = &b.spikes[quantized.population_named(name).expect("it is there").index()];
            distance.spikes[part] += old.count();
            distance.differ[part] += off(old, new);
        }
        distance.classes += usize::from(a.class() == b.class());
        if sample == 0 {
            // Biases became spikes; sums are rounded in another order.
            let d = same.run(&stimulus, &FloatProbe::None).expect("it runs");
            let train = &d.spikes[&lowered.node_named("h").expect("it is there")];
            let old = &a.spikes[&source.node_named("h").expect("it is there")];
            assert!(off(old, train) * 100 <= old.count(), "passes before quantization");
            let c = cores.run(&stimulus, &CoreProbe::None).expect("it runs");
            assert_eq!(b.scores, c.scores, "cores and integers");
        }
    }
    distance
}

/// About one cell in ten spikes differs where neurons fire often; timing is what rounding moves, not rates.
#[test]
fn rounding_keeps_most_spikes() {
    let often =
        Regime { keep_current: 0.95, keep: 0.8, weights: 0.4, bias: 0.02, reset: Reset::To(0.0) };
    let seldom = Regime { keep_current: 0.5, keep: 0.9, ..often };
    let subtracting = Regime { reset: Reset::Subtract, ..often };
    for (regime, most) in [(often, 5), (subtracting, 5), (seldom, 2)] {
        let found = measure(1, regime);
        assert!(found.differ[0] * most < found.spikes[0], "{regime:?}: {found:?}");
        assert!(found.classes + 2 >= SAMPLES, "{regime:?}: {found:?}");
    }
}

/// The network behind these passes; `None` if one refuses it.
fn after(network: &Network, passes: &str, target: &TargetSpec) -> Option<Network> {
    let pipeline = Pipeline::parse(passes).expect("it is one");
    let level = AnyLevel::Network(network.clone());
    let stages = run(&Registry::standard(), &pipeline, level, target, &recipe::DEFAULT);
    match stages {
        Ok(stages) => stages.network,
        Err(failure) => {
            assert!(failure.replay.is_none(), "{}: {}", failure.pass, failure.diagnostics);
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Biases that enter currents as spikes change no spike, in f32.
    #[test]
    fn feeding_currents_is_exact(draft in testing::network(Space::Programmable), seed: u64) {
        let target = targets::by_name("loihi2").expect("it is shipped");
        let network = Network::verify(draft, &Rules::default()).expect("it is valid");
        let before = "lower-genes{lowering=materialized},fold-batchnorm,fold-pooling,lower-currents,normalize-neurons";
        let Some(before) = after(&network, before, &target) else { return Ok(()) };
        let fed = after(&before, "feed-currents", &target).expect("nothing is refused");
        let mut rng = Rng(seed | 1);
        let inputs = before.nodes.values().filter(|n| matches!(n.op, Op::Input(_)));
        let inputs = inputs.map(|node| {
            let mut train = SpikeTrain::new(before.steps as usize, node.shape.size());
            for t in 0..train.steps() {
                (0..train.neurons()).filter(|_| rng.next().is_multiple_of(2)).collect::<Vec<_>>().into_iter()
                    .for_each(|n| train.set(t, n));
            }
            Signal::Spikes(train)
        });
        let stimulus = Stimulus { inputs: inputs.collect() };
        let run = |network: &Network| {
            let sim = FloatSim::new(network).expect("it runs");
            sim.run(&stimulus, &FloatProbe::None).expect("it runs").spikes
        };
        let (old, new) = (run(&before), run(&fed));
        for (id, train) in &old {
            let name = &before.nodes[*id].name;
            prop_assert_eq!(train, &new[&fed.node_named(name).expect("it stays")], "{}", name);
        }
    }
}
