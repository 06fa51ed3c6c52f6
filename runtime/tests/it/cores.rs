//! The core simulator against the integer simulator, and its checks of tables.

use crate::common::Rng;
use crate::common::int_net::{Kind, inputs, random, seal, stimulus};
use crate::common::program::map;
use crate::common::tiny::{draft, graded, neuron};
use proptest::prelude::*;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::network::Coding;
use snnc_ir::param::Param;
use snnc_ir::program::{Profile, Program, ProgramReadout};
use snnc_ir::quantized::{Graded, HostBias, PopKind, QuantizedNetwork, Schedule, Structure, Time};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::testing::{Space, feed, hardware};
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::integer::{IntProbe, simulate};
use snnc_runtime::{Register, Signal, SimError, Stimulus, cores};

fn check(seed: u64, programmable: bool, graded: bool) -> Result<(), TestCaseError> {
    let rng = &mut Rng(seed);
    let network = random(rng, Kind { hardware: true, registers: true, programmable, graded });
    let inputs = inputs(&network, rng);
    equals_flat(&network, &inputs, rng)
}

pub(crate) fn equals_flat(
    network: &QuantizedNetwork,
    inputs: &Stimulus,
    rng: &mut Rng,
) -> Result<(), TestCaseError> {
    let program = map(network, rng);
    let expected = simulate(network, inputs, &IntProbe::All);
    let found = cores::simulate(&program, inputs, &CoreProbe::All);
    match (expected, found) {
        (Ok(expected), Ok(found)) => {
            prop_assert_eq!(&expected.spikes, &found.spikes);
            prop_assert_eq!(&expected.messages, &found.messages);
            prop_assert_eq!(&expected.scores, &found.scores);
            prop_assert_eq!(expected.traces.len(), found.traces.len());
            for (e, f) in expected.traces.iter().zip(&found.traces) {
                prop_assert_eq!((&e.u, &e.h, &e.v), (&f.u, &f.h, &f.v), "{}", e.population);
            }
        }
        // Both stop in the same step, but cores visit neurons in another order.
        (
            Err(SimError::Overflow { step: expected, .. }),
            Err(SimError::Overflow { step: found, .. }),
        ) => prop_assert_eq!(expected, found),
        (expected, found) => {
            return Err(TestCaseError::fail(format!("{expected:?} against {found:?}")));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn cores_equal_the_flat_network(seed: u64) {
        check(seed, false, false)?;
    }

    #[test]
    fn programmable_neurons_equal_the_flat_network(seed: u64) {
        check(seed, true, false)?;
    }

    /// Graded relays, cropped convolutions, biases from the host.
    #[test]
    fn graded_networks_equal_the_flat_network(seed: u64, programmable: bool) {
        check(seed, programmable, true)?;
    }

    /// Small networks that shrink, with relays and clocks.
    #[test]
    fn generated_networks_equal_the_flat_network(
        (draft, inputs) in hardware(Space::Everything)
            .prop_flat_map(|draft| { let inputs = feed(&draft); (Just(draft), inputs) }),
        seed: u64,
    ) {
        equals_flat(&seal(draft), &stimulus(inputs), &mut Rng(seed))?;
    }
}

/// A seed whose network has routed inputs.
const SAMPLE: u64 = 6;

fn sample() -> (Program, Stimulus) {
    let rng = &mut Rng(SAMPLE);
    let network =
        random(rng, Kind { hardware: true, registers: true, programmable: false, graded: false });
    let inputs = inputs(&network, rng);
    (map(&network, rng), inputs)
}

/// Every table index that a file could corrupt is refused, not followed.
#[test]
fn corrupt_tables_are_refused() {
    type Corruption = fn(&mut Program);
    let corruptions: &[(&str, Corruption)] = &[
        ("period", |p| p.period = 0),
        ("run", |p| p.run_steps = 1),
        ("input population", |p| p.inputs[0].population = 99),
        ("input neurons", |p| p.inputs[0].first = u32::MAX),
        ("input core", |p| p.inputs[0].core = 99),
        ("input axon", |p| p.inputs[0].axon = 1_000_000),
        ("input is neurons", |p| {
            p.inputs[0].population = u32::try_from(p.populations.len()).unwrap() - 1
        }),
        ("run population", |p| busy(p).compartments[0].population = 99),
        ("run neurons", |p| busy(p).compartments[0].first = u32::MAX),
        ("run profile", |p| busy(p).compartments[0].cycle[0].profile = 999),
        ("run threshold", |p| busy(p).compartments[0].cycle[0].threshold = 999),
        ("run bias", |p| busy(p).compartments[0].cycle[0].bias_exponent = 200),
        ("run registers", |p| busy(p).compartments[0].cycle.clear()),
        ("matrix array", |p| p.matrices[0].values = 99),
        ("matrix order", |p| p.matrices[0].rows.places = 99),
        ("matrix blocks", |p| p.matrices[0].cols.block = 0),
        ("run missing", |p| busy(p).compartments.truncate(0)),
        ("profile update", |p| busy(p).profiles[0].update = (0, 0)),
        ("profile decay", |p| busy(p).profiles[0].du = 4096),
        ("block format", |p| busy(p).synapses[0].format = 999),
        ("block matrix", |p| busy(p).synapses[0].matrix = 999),
        ("block axon", |p| busy(p).synapses[0].axon = u32::MAX),
        ("block compartment", |p| busy(p).synapses[0].compartment = u32::MAX),
        ("block column", |p| busy(p).synapses[0].col = 1_000_000),
        ("block row", |p| busy(p).synapses[0].row = 1_000_000),
        ("exponent", |p| busy(p).formats[0].exponent = 100),
        ("matrix size", |p| p.values[0].truncate(0)),
        ("readout", |p| p.readout = ProgramReadout::SpikeCount(99)),
        ("readout weights", |p| {
            let terms = vec![(0, vec![1.0])];
            p.readout = ProgramReadout::MeanLinear { terms, bias: vec![0.0; 5] };
        }),
    ];
    assert!(CoreSim::new(&sample().0).is_ok());
    for (what, corrupt) in corruptions {
        let mut program = sample().0;
        corrupt(&mut program);
        let result = CoreSim::new(&program).map(|_| ());
        assert!(matches!(result, Err(SimError::Malformed(_))), "{what}: {result:?}");
    }
    let mut program = sample().0;
    let routed = program.cores.iter_mut().find(|c| !c.routes.is_empty()).unwrap();
    routed.routes[0].core = 99;
    assert!(matches!(CoreSim::new(&program).map(|_| ()), Err(SimError::Malformed(_))));
    let mut program = sample().0;
    program.run_steps = u64::MAX;
    assert!(matches!(CoreSim::new(&program).map(|_| ()), Err(SimError::TooLarge { .. })));
}

/// The same for relays and for what the host writes.
#[test]
fn corrupt_relays_and_host_tables_are_refused() {
    type Corruption = fn(&mut Program);
    let corruptions: &[(&str, Corruption)] = &[
        ("relay shift", |p| relay(p).graded.as_mut().unwrap().shift = 32),
        ("relay with memory", |p| relay(p).du = 0),
        ("relay with leak", |p| relay(p).dv = 0),
        ("relay held", |p| relay(p).refractory = 2),
        ("relay reset", |p| relay(p).subtract = Some(1)),
        ("slow relay", |p| relay(p).update = (2, 0)),
        ("half a unit", |p| {
            let core = p.cores.iter_mut().find(|c| c.profiles[0].graded.is_some()).unwrap();
            let registers = &mut core.compartments[0].cycle[0];
            (registers.bias_mantissa, registers.bias_exponent) = (1, 5);
        }),
        ("mixed", |p| relay(p).graded = None),
        ("counted relay", |p| p.readout = ProgramReadout::SpikeCount(1)),
        ("counted frame", |p| {
            p.readout = ProgramReadout::MeanLinear { terms: vec![(0, vec![1.0])], bias: vec![0.0] };
        }),
        ("host input", |p| p.host[0].input = 99),
        ("host target", |p| p.host[0].target = 99),
        ("host reads neurons", |p| p.host[0].input = 2),
        ("host writes an input", |p| p.host[0].target = 0),
        ("host rows", |p| p.host[0].structure = Structure::Dense { rows: 3, cols: 1 }),
        ("host columns", |p| p.host[0].structure = Structure::Dense { rows: 2, cols: 2 }),
        ("host weights", |p| p.host[0].weights.truncate(1)),
        ("host infinity", |p| p.host[0].weights[0] = f32::INFINITY),
        ("host scale", |p| p.host[0].scale = f64::NAN),
    ];
    let program = || {
        let time = Time::Hardware(Schedule { period: 1, latency: vec![0, 0, 1] });
        let kinds = vec![graded(None, 1), PopKind::Neurons(neuron())];
        let mut draft = draft(2, time, kinds, &[(1, 2, 3, 1)]);
        let [input, relays] = [0, 1].map(PopId::new);
        draft.populations[input].kind = PopKind::Input(Coding::Direct { range: Some([0, 1]) });
        draft.populations[relays].shape = Shape::flat(2);
        // Two relays of different biases: a profile each.
        let bias = Param::PerNeuron(vec![1, 2]);
        draft.populations[relays].kind = PopKind::Graded(Graded { keep: None, bias, shift: 0 });
        let matrix = draft.matrices.values_mut().next().unwrap();
        (matrix.structure, matrix.mantissa) = (Structure::Dense { rows: 1, cols: 2 }, vec![2, 4]);
        draft.host.push(HostBias {
            input,
            target: relays,
            structure: Structure::Dense { rows: 2, cols: 1 },
            weights: vec![1.0, 2.0],
            scale: 1.0,
        });
        map(&seal(draft), &mut Rng(1))
    };
    assert!(CoreSim::new(&program()).is_ok());
    for (what, corrupt) in corruptions {
        let mut program = program();
        corrupt(&mut program);
        let result = CoreSim::new(&program).map(|_| ());
        assert!(matches!(result, Err(SimError::Malformed(_))), "{what}: {result:?}");
    }
}

/// The profile of the first relay.
fn relay(program: &mut Program) -> &mut Profile {
    let profiles = program.cores.iter_mut().flat_map(|core| &mut core.profiles);
    profiles.into_iter().find(|p| p.graded.is_some()).unwrap()
}

/// A chip's sum has 64 bits here: a table that brings more stops the run instead of wrapping.
#[test]
fn sums_beyond_64_bits_stop_the_run() {
    let time = Time::Hardware(Schedule { period: 1, latency: vec![0, 1, 2] });
    let kinds = vec![graded(None, 0), PopKind::Neurons(neuron())];
    let mut draft = draft(3, time, kinds, &[(0, 1, 127, 1), (1, 2, 127, 1)]);
    draft.populations[PopId::new(1)].shape = Shape::flat(9);
    let mut matrices = draft.matrices.values_mut();
    let (first, second) = (matrices.next().unwrap(), matrices.next().unwrap());
    (first.structure, first.mantissa) = (Structure::Dense { rows: 9, cols: 1 }, vec![254; 9]);
    (second.structure, second.mantissa) = (Structure::Dense { rows: 1, cols: 9 }, vec![254; 9]);
    let mut program = map(&seal(draft), &mut Rng(1));
    // Messages of 2^30, each multiplied with 2^30, nine times.
    for values in &mut program.values {
        values.fill(i16::MAX);
    }
    for format in program.cores.iter_mut().flat_map(|core| &mut core.formats) {
        format.exponent = 15;
    }
    let mut train = SpikeTrain::new(3, 1);
    train.set(0, 0);
    let error = cores::simulate(&program, &vec![train].into(), &CoreProbe::None).unwrap_err();
    let SimError::Overflow { population, register, step, value, .. } = error else {
        panic!("{error}")
    };
    assert_eq!((population.as_str(), register, step, value), ("b", Register::Input, 1, i64::MAX));
}

fn busy(program: &mut Program) -> &mut snnc_ir::program::ProgramCore {
    program.cores.iter_mut().find(|c| !c.synapses.is_empty()).unwrap()
}

#[test]
fn a_lost_route_changes_the_spikes() {
    let mut changed = 0;
    for seed in 0..20 {
        let rng = &mut Rng(seed);
        let network = random(
            rng,
            Kind { hardware: true, registers: true, programmable: false, graded: false },
        );
        let inputs = inputs(&network, rng);
        let mut program = map(&network, rng);
        let intact = cores::simulate(&program, &inputs, &CoreProbe::None);
        program.inputs.clear();
        let cut = cores::simulate(&program, &inputs, &CoreProbe::None);
        changed += u32::from(intact != cut);
    }
    assert!(changed >= 10, "{changed}");
}

#[test]
fn inputs_must_fit() {
    let (program, inputs) = sample();
    let none = cores::simulate(&program, &Stimulus::default(), &CoreProbe::None);
    assert!(matches!(none, Err(SimError::StimulusCount { .. })));
    let mut short = inputs;
    short.inputs[0] = Signal::Spikes(SpikeTrain::new(1, 1));
    let short = cores::simulate(&program, &short, &CoreProbe::None);
    assert!(matches!(short, Err(SimError::StimulusShape { .. })));
}
