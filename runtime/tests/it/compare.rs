//! Comparison of runs of different simulators.

use crate::common::Rng;
use crate::common::float_net::{Builder, neuron as float_neuron};
use crate::common::program::map;
use crate::common::tiny::{network, neuron};
use snnc_ir::network::{Coding, Dynamics, Network, Op, Readout};
use snnc_ir::param::Param;
use snnc_ir::program::Program;
use snnc_ir::quantized::{IntNeuron, QuantizedNetwork, Schedule, Time};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::compare::{
    CoreSubject, Difference, Divergence, FloatSubject, IntSubject, Membrane, Side, Subject, compare,
};
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::float::FloatProbe;
use snnc_runtime::integer::IntProbe;

/// Input → a with the weight 0.5 at the threshold 1.2.
fn float_side() -> Network {
    let mut b = Builder::new(4);
    let input = b.node(Op::Input(Coding::Events), Shape::flat(1), &[]);
    let weights = b.linear(1, vec![0.5], None, (input, 0));
    let model = float_neuron(Dynamics::Integrate, 1.2);
    let a = b.node(Op::Neuron(model), Shape::flat(1), &[(weights, 0)]);
    b.draft.nodes[input].name = "input".to_owned();
    b.draft.nodes[a].name = "a".to_owned();
    b.seal(Readout::SpikeCount(a))
}

fn integer_side(threshold: i32) -> QuantizedNetwork {
    let model = IntNeuron { threshold: Param::Uniform(threshold), ..neuron() };
    network(4, Time::Logical, vec![model], &[(0, 1, 5, 0)])
}

#[test]
fn quantization_is_explained_by_the_margins() {
    let float = float_side();
    let mut train = SpikeTrain::new(4, 1);
    (0..3).for_each(|t| train.set(t, 0));
    let stimulus = vec![train.clone()].into();
    let float_sim = FloatSim::new(&float).unwrap();
    let float_run = float_sim.run(&stimulus, &FloatProbe::None).unwrap();
    let left = FloatSubject { sim: &float_sim, stimulus: &stimulus, run: &float_run };
    let against = |threshold: i32| {
        let integer = integer_side(threshold);
        let sim = IntSim::new(&integer).unwrap();
        let run = sim.run(&stimulus, &IntProbe::None).unwrap();
        compare(&left, &IntSubject { sim: &sim, stimulus: &stimulus, run: &run }).unwrap()
    };
    // Weight 5, threshold 12: equal.
    let equal = against(12 * 64);
    assert_eq!((equal.first, equal.distances.len()), (None, 2));
    assert!(equal.unmatched.is_empty());
    // Threshold 15: the third spike only reaches it.
    let parted = against(15 * 64);
    let first = parted.first.unwrap();
    let difference = Difference::Spike(Side::Left);
    let expected = Divergence { population: "a".to_owned(), neuron: 0, step: 2, difference };
    assert_eq!(first.divergence, expected);
    let (left, right) = (first.left.unwrap(), first.right.unwrap());
    assert!((left.v - 1.5).abs() < 1e-6 && (left.margin() - 0.3).abs() < 1e-6);
    assert_eq!(
        (right.u, right.v, right.threshold, right.margin()),
        (Some(320.0), 960.0, 960.0, 0.0)
    );
    assert_eq!(parted.distances[1].differing, 1);
}

#[test]
fn cores_are_compared_in_logical_time() {
    let time = Time::Hardware(Schedule { period: 1, latency: vec![0, 1, 2] });
    let links = [(0, 1, 3, 1), (1, 2, 2, 1), (2, 1, 1, 1)];
    let net = network(6, time, vec![neuron(), neuron()], &links);
    let mut train = SpikeTrain::new(6, 1);
    (0..6).for_each(|t| train.set(t, 0));
    let stimulus = vec![train].into();
    let sim = IntSim::new(&net).unwrap();
    let run = sim.run(&stimulus, &IntProbe::None).unwrap();
    let left = IntSubject { sim: &sim, stimulus: &stimulus, run: &run };
    let against = |program: &Program| {
        let cores = CoreSim::new(program).unwrap();
        let run = cores.run(&stimulus, &CoreProbe::None).unwrap();
        compare(&left, &CoreSubject { sim: &cores, stimulus: &stimulus, run: &run }).unwrap()
    };
    let mut program = map(&net, &mut Rng(1));
    let equal = against(&program);
    assert_eq!((equal.first, equal.unmatched), (None, Vec::new()));
    assert_eq!(equal.distances.iter().map(|d| d.left).collect::<Vec<_>>(), [6, 6, 6]);
    // b's threshold raised to what a spike of a brings: b reaches it and stays silent.
    let b = program.cores.iter_mut().find_map(|core| {
        let run = core.compartments.iter().find(|run| run.population == 2)?;
        Some(&mut core.thresholds[run.cycle[0].threshold as usize])
    });
    *b.unwrap() = 2;
    let first = against(&program).first.unwrap();
    let difference = Difference::Spike(Side::Left);
    let place = Divergence { population: "b".to_owned(), neuron: 0, step: 0, difference };
    assert_eq!(first.divergence, place);
    let at = |threshold| Some(Membrane { step: 2, u: Some(128.0), v: 128.0, threshold });
    assert_eq!((first.left, first.right), (at(64.0), at(128.0)));
}

#[test]
fn populations_of_one_side_are_listed() {
    let [one, two] = [1, 2].map(|n| network(2, Time::Logical, vec![neuron(); n], &[]));
    let stimulus = vec![SpikeTrain::new(2, 1)].into();
    let sims = [&one, &two].map(|net| IntSim::new(net).unwrap());
    let runs = [0, 1].map(|i: usize| sims[i].run(&stimulus, &IntProbe::None).unwrap());
    let [left, right] =
        [0, 1].map(|i: usize| IntSubject { sim: &sims[i], stimulus: &stimulus, run: &runs[i] });
    let unmatched = |side| vec![(side, "b".to_owned())];
    assert_eq!(compare(&left, &right).unwrap().unmatched, unmatched(Side::Right));
    assert_eq!(compare(&right, &left).unwrap().unmatched, unmatched(Side::Left));
}

/// In hardware time, causes come before effects whatever their ids.
#[test]
fn hardware_runs_are_ordered_by_latency() {
    let time = Time::Hardware(Schedule { period: 1, latency: vec![0, 2, 1] });
    let net = network(2, time, vec![neuron(), neuron()], &[(0, 2, 2, 1), (2, 1, 2, 1)]);
    let stimulus = vec![SpikeTrain::new(2, 1)].into();
    let sim = IntSim::new(&net).unwrap();
    let run = sim.run(&stimulus, &IntProbe::None).unwrap();
    let program = map(&net, &mut Rng(1));
    let cores = CoreSim::new(&program).unwrap();
    let core_run = cores.run(&stimulus, &CoreProbe::None).unwrap();
    let subjects: [&dyn Subject; 2] = [
        &IntSubject { sim: &sim, stimulus: &stimulus, run: &run },
        &CoreSubject { sim: &cores, stimulus: &stimulus, run: &core_run },
    ];
    for subject in subjects {
        let names: Vec<_> = subject.records().unwrap().into_iter().map(|r| r.name).collect();
        assert_eq!(names, ["input", "b", "a"]);
    }
}
