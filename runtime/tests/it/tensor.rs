//! The batched simulators against the references, exactly.

use crate::common::Rng;
use crate::common::float_net::{random as random_float, stimulus};
use crate::common::int_net::{Kind, inputs, random, seal, stimulus as fed};
use crate::common::tiny::{draft, graded, network, neuron};
use proptest::prelude::*;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::level::{Level, Rules};
use snnc_ir::network::{Dynamics, Emission, Network, Op};
use snnc_ir::param::Param;
use snnc_ir::quantized::{IntNeuron, IntReset, PopKind, QuantizedNetwork, Structure, Time};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::testing as ir;
use snnc_runtime::float::{FloatProbe, simulate as simulate_float};
use snnc_runtime::integer::{IntProbe, simulate};
use snnc_runtime::tensor::{FloatSim, IntSim, cpu};
use snnc_runtime::{Register, SimError, Stimulus};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn float_batches_equal_the_reference(seed: u64) {
        let rng = &mut Rng(seed);
        let network = known(random_float(rng));
        let stimuli: Vec<_> = (0..3).map(|_| stimulus(&network, rng)).collect();
        let runs = FloatSim::new(&network, &cpu()).unwrap().run(&stimuli).unwrap();
        prop_assert_eq!(runs.len(), 3);
        for (run, stimulus) in runs.iter().zip(&stimuli) {
            prop_assert_eq!(run, &simulate_float(&network, stimulus, &FloatProbe::None).unwrap());
        }
    }

    #[test]
    fn integer_batches_equal_the_reference(seed: u64) {
        let rng = &mut Rng(seed);
        let (hardware, graded) = (rng.chance(50), rng.chance(50));
        let network = random(rng, Kind { hardware, registers: false, programmable: true, graded });
        let samples: Vec<_> = (0..3).map(|_| inputs(&network, rng)).collect();
        compare(&network, &samples)?;
    }

    #[test]
    fn generated_float_networks_equal_the_reference(
        draft in ir::network(ir::Space::Everything),
        seed: u64,
    ) {
        let network = known(Network::verify(draft, &Rules::default()).unwrap());
        let stimuli = [stimulus(&network, &mut Rng(seed))];
        let runs = FloatSim::new(&network, &cpu()).unwrap().run(&stimuli).unwrap();
        prop_assert_eq!(
            &runs[0],
            &simulate_float(&network, &stimuli[0], &FloatProbe::None).unwrap()
        );
    }

    #[test]
    fn generated_integer_networks_equal_the_reference(
        (draft, inputs) in
            prop_oneof![ir::quantized(ir::Space::Everything), ir::hardware(ir::Space::Everything)]
                .prop_flat_map(|draft| { let inputs = ir::feed(&draft); (Just(draft), inputs) })
    ) {
        compare(&seal(draft), &[fed(inputs)])?;
    }
}

/// The network with models that are simulated in batches in the place of others, which are refused
/// by name.
fn known(network: Network) -> Network {
    let refused = FloatSim::new(&network, &cpu()).map(|_| ());
    let mut draft = network.into_draft();
    let mut changed = None;
    for node in draft.nodes.values_mut() {
        let Op::Neuron(neuron) = &mut node.op else { continue };
        if matches!(neuron.dynamics, Dynamics::Izhikevich { .. }) {
            neuron.dynamics = Dynamics::Sigmoid(Param::Uniform(-1.0));
            changed.get_or_insert_with(|| node.name.clone());
        }
        if neuron.emission != Emission::Binary {
            neuron.emission = Emission::Binary;
            changed.get_or_insert_with(|| node.name.clone());
        }
    }
    let place = match refused {
        Ok(()) => None,
        Err(SimError::Unsupported { place, .. }) => Some(place),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(place, changed);
    Network::verify(draft, &Rules::default()).unwrap()
}

fn compare(network: &QuantizedNetwork, samples: &[Stimulus]) -> Result<(), TestCaseError> {
    let sim = match IntSim::new(network, &cpu()) {
        // Messages that f32 might round.
        Err(SimError::TooLarge { .. })
            if network.populations.values().any(|p| p.graded().is_some()) =>
        {
            return Ok(());
        }
        sim => sim.unwrap(),
    };
    let runs = sim.run(samples);
    let expected: Vec<_> = samples.iter().map(|s| simulate(network, s, &IntProbe::None)).collect();
    match (runs, expected.iter().position(Result::is_err)) {
        (Ok(runs), None) => {
            for (run, expected) in runs.iter().zip(expected) {
                prop_assert_eq!(run, &expected.unwrap());
            }
        }
        (Err(SimError::Sample { index, source }), Some(first)) => {
            prop_assert_eq!(index, first);
            prop_assert_eq!(*source, expected[first].clone().unwrap_err());
        }
        (runs, first) => {
            return Err(TestCaseError::fail(format!("{runs:?}, first error {first:?}")));
        }
    }
    Ok(())
}

/// Where the weights of a neuron sum to more than 2^24, products are taken in i32.
#[test]
fn wide_sums_stay_exact() {
    let conv = Conv {
        input: [60, 3, 3],
        out_channels: 2,
        kernel: [3, 3],
        stride: [1, 1],
        pad: [1; 4],
        groups: 1,
        crop: [0; 4],
    };
    let dense = Structure::Dense { rows: 3, cols: 600 };
    for (source, target, structure) in [
        (Shape::flat(600), Shape::flat(3), dense),
        (Shape::chw(60, 3, 3), Shape::chw(2, 3, 3), Structure::Conv(conv)),
    ] {
        let model = IntNeuron { threshold: Param::Uniform(4_000_000), ..neuron() };
        let mut draft = network(8, Time::Logical, vec![model], &[(0, 1, 1, 0)]).into_draft();
        let (input, a) = (PopId::new(0), PopId::new(1));
        let sources = source.size();
        (draft.populations[input].shape, draft.populations[a].shape) = (source, target);
        // Neighboring sources (channels, under a kernel of 9) cancel, but the magnitudes of a
        // neuron's weights, 254 · 2^7 each, sum to more than 2^24.
        let alternate = if matches!(structure, Structure::Conv(_)) { 9 } else { 1 };
        let matrix = draft.matrices.values_mut().next().unwrap();
        matrix.mantissa = (0..structure.stored())
            .map(|i| if i / alternate % 2 == 0 { 254 } else { -254 })
            .collect();
        (matrix.structure, matrix.exponent) = (structure, 7);
        let network = seal(draft);
        // All sources spike but for a few.
        let rng = &mut Rng(7);
        let sample = |rng: &mut Rng| {
            let mut train = SpikeTrain::new(8, sources);
            for t in 0..8 {
                let quiet = [rng.index(sources), rng.index(sources)];
                (0..sources).filter(|n| !quiet.contains(n)).for_each(|n| train.set(t, n));
            }
            Stimulus::from(vec![train])
        };
        let samples = [sample(rng), sample(rng)];
        compare(&network, &samples).unwrap();
        let run = simulate(&network, &samples[0], &IntProbe::All).unwrap();
        assert!(run.traces.iter().any(|trace| trace.u.iter().any(|u| *u != 0)));
    }
}

/// Clamping inside the batched update hides no overflow and makes none.
#[test]
fn overflow_is_found_at_the_edge() {
    let silent = IntNeuron { threshold: Param::Uniform(i32::MAX), ..neuron() };
    let run = |model: IntNeuron, input: &[usize]| {
        let net = network(3, Time::Logical, vec![model], &[(0, 1, 1, 0)]);
        let mut train = SpikeTrain::new(3, 1);
        input.iter().for_each(|&t| train.set(t, 0));
        let samples = [vec![SpikeTrain::new(3, 1)].into(), vec![train].into()];
        compare(&net, &samples).unwrap();
        IntSim::new(&net, &cpu()).unwrap().run(&samples).map(|runs| runs.len())
    };
    let edge = (1 << 23) - 1;
    let leaky = IntNeuron { dv: Param::Uniform(4095), ..silent };
    // An input of 64 on top of a membrane 64 below the edge, then 63 below it.
    let below = IntNeuron { bias: Param::Uniform(edge - 64 - 2047), ..leaky.clone() };
    assert_eq!(run(below.clone(), &[0]), Ok(2));
    let over = IntNeuron { bias: Param::Uniform(edge - 63), ..below };
    let error = run(over, &[0]).unwrap_err();
    let SimError::Sample { source, .. } = error else { panic!("{error}") };
    assert!(matches!(*source, SimError::Overflow { register: Register::Membrane, .. }));
    for bias in [i32::MIN, -(1 << 26), 1 << 26, i32::MAX] {
        run(IntNeuron { bias: Param::Uniform(bias), ..leaky.clone() }, &[]).unwrap_err();
    }
    let subtract = IntNeuron {
        threshold: Param::Uniform(0),
        reset: IntReset::Subtract(Param::Uniform(i32::MAX)),
        ..leaky
    };
    run(subtract, &[1]).unwrap_err();
    // A held membrane is not updated, so it cannot overflow.
    let held = IntNeuron {
        bias: Param::Uniform(6_000_000),
        threshold: Param::Uniform(0),
        reset: IntReset::Subtract(Param::Uniform(1)),
        refractory: 3,
        ..neuron()
    };
    assert_eq!(run(held, &[]), Ok(2));
}

/// 2064 · 254 · 2^7 lies 4096 below 2^26: in 32 bits, 64 times that looks harmless.
#[test]
fn an_input_that_would_wrap_is_an_overflow() {
    let mut draft = network(1, Time::Logical, vec![neuron()], &[(0, 1, 1, 0)]).into_draft();
    draft.populations[PopId::new(0)].shape = Shape::flat(2064);
    let matrix = draft.matrices.values_mut().next().unwrap();
    matrix.structure = Structure::Dense { rows: 1, cols: 2064 };
    (matrix.mantissa, matrix.exponent) = (vec![254; 2064], 7);
    let network = seal(draft);
    let mut train = SpikeTrain::new(1, 2064);
    (0..2064).for_each(|n| train.set(0, n));
    let samples = [vec![train].into()];
    compare(&network, &samples).unwrap();
    let error = IntSim::new(&network, &cpu()).unwrap().run(&samples).unwrap_err();
    let SimError::Sample { source, .. } = error else { panic!("{error}") };
    assert!(matches!(*source, SimError::Overflow { register: Register::Current, .. }));
}

#[test]
fn empty_batches_and_bad_samples() {
    let net = network(2, Time::Logical, vec![neuron()], &[(0, 1, 1, 0)]);
    let sim = IntSim::new(&net, &cpu()).unwrap();
    assert_eq!(sim.run(&[]), Ok(Vec::new()));
    let error = sim.run(&[vec![SpikeTrain::new(2, 1)].into(), Stimulus::default()]).unwrap_err();
    assert!(matches!(error, SimError::Sample { index: 1, .. }), "{error}");
    let rng = &mut Rng(1);
    let network = known(random_float(rng));
    let sim = FloatSim::new(&network, &cpu()).unwrap();
    assert_eq!(sim.run(&[]), Ok(Vec::new()));
    let good = stimulus(&network, rng);
    let error = sim.run(&[good, Default::default()]).unwrap_err();
    assert!(matches!(error, SimError::Sample { index: 1, .. }), "{error}");
}

/// Partial sums beyond 2^24 that f32 would round: 200,000 odd and even weights up, then the same
/// down, but for a few silent sources. The threshold tells the sum to the last bit.
#[test]
fn odd_sums_beyond_24_bits_are_exact() {
    let half = 200_000;
    let rng = &mut Rng(11);
    let up: Vec<i16> = (0..half).map(|_| 2 * i16::try_from(rng.range(124, 127)).unwrap()).collect();
    let mantissa: Vec<i16> = up.iter().copied().chain(up.iter().map(|m| -m)).collect();
    let mut train = SpikeTrain::new(1, 2 * half);
    (0..2 * half - 3).for_each(|n| train.set(0, n));
    let missing = mantissa[2 * half - 3..].iter().map(|m| i32::from(*m) / 2).sum::<i32>();
    let samples = [vec![train].into()];
    for (below, spikes) in [(1, 1), (0, 0)] {
        let threshold = Param::Uniform(-64 * missing - below);
        let model = IntNeuron { threshold, ..neuron() };
        let mut draft = network(1, Time::Logical, vec![model], &[(0, 1, 1, 0)]).into_draft();
        let cols = u32::try_from(2 * half).unwrap();
        draft.populations[PopId::new(0)].shape = Shape::flat(cols);
        let matrix = draft.matrices.values_mut().next().unwrap();
        matrix.structure = Structure::Dense { rows: 1, cols };
        matrix.mantissa.clone_from(&mantissa);
        let network = seal(draft);
        let runs = IntSim::new(&network, &cpu()).unwrap().run(&samples).unwrap();
        assert_eq!(runs[0].spikes[1].count(), spikes);
        compare(&network, &samples).unwrap();
    }
}

/// Messages up to 2^24 are exact in f32; a network that could send larger ones is refused by name.
#[test]
fn messages_are_exact_or_refused() {
    let run = |bias: i32| {
        let listener = IntNeuron { threshold: Param::Uniform(1 << 22), ..neuron() };
        let kinds = vec![graded(None, bias), graded(None, 0), PopKind::Neurons(listener)];
        // b takes a's message less its bulk, so that the listener hears the last bit.
        let links = [(0, 1, 1, 0), (1, 2, 1, 0), (2, 3, 1, 0), (0, 2, -1, 0)];
        let mut draft = draft(2, Time::Logical, kinds, &links);
        if let PopKind::Graded(b) = &mut draft.populations[PopId::new(2)].kind {
            b.bias = Param::Uniform(3 - bias);
        }
        let network = seal(draft);
        let mut train = SpikeTrain::new(2, 1);
        train.set(1, 0);
        let samples = [vec![train].into(), vec![SpikeTrain::new(2, 1)].into()];
        let runs = IntSim::new(&network, &cpu())?.run(&samples)?;
        compare(&network, &samples).unwrap();
        Ok::<_, SimError>(runs[0].messages[1].as_ref().and_then(|m| m.get(1, 0)))
    };
    let half = 1 << 23;
    assert_eq!(run(half - 3), Ok(Some(half - 2)));
    let error = run(1 << 24).unwrap_err();
    assert!(matches!(&error, SimError::TooLarge { what, .. } if what.contains("`a`")), "{error}");
}

/// Few of the random networks with relays are refused.
#[test]
fn most_graded_networks_run_in_batches() {
    let ran = (0..100).filter(|&seed| {
        let kind = Kind { hardware: false, registers: false, programmable: true, graded: true };
        let network = random(&mut Rng(seed), kind);
        IntSim::new(&network, &cpu()).is_ok()
    });
    assert!(ran.count() > 50);
}
