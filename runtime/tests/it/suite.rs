//! One suite over all runtimes: the same networks and stimuli on the definition, event by event, as tensors on the
//! CPU, and on a graphics processor as tensors and by fused kernels. All agree bit for bit, errors included.
//!
//! Without a graphics processor the last two are left out; with `SNNC_NEEDS_GPU` set that fails.

use crate::common::float_net::{random as random_float, stimulus as float_stimulus};
use crate::common::int_net::{Kind, inputs, random, random_up_to, seal, stimulus};
use crate::common::{Rng, space};
use proptest::prelude::*;
use snnc_ir::arena::{Arena, Entity, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Coding, Compare, Network, Provenance, UpdateOrder};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    QuantizedNetwork, Role, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::testing::{feed, hardware, quantized};
use snnc_runtime::float::{FloatProbe, FloatRun};
use snnc_runtime::integer::{IntProbe, IntRun};
use snnc_runtime::tensor::{Device, cpu};
use snnc_runtime::{SimError, Stimulus, event, float, integer, tensor};

/// A runtime of integer networks: its name, and its runs of all samples.
type Runtime<'a> = (&'a str, Result<Vec<IntRun>, SimError>);

/// The graphics processor, if there is one.
#[cfg(feature = "gpu")]
fn gpu() -> Option<&'static snnc_runtime::gpu::Gpu> {
    use snnc_runtime::gpu::{Gpu, OpenError};
    match Gpu::open() {
        Ok(gpu) => Some(gpu),
        Err(OpenError::Unavailable { message, .. }) => {
            assert!(std::env::var_os("SNNC_NEEDS_GPU").is_none(), "{message}");
            None
        }
        Err(wrong) => panic!("{wrong:?}"),
    }
}

/// Runs samples one by one: as [`tensor::IntSim::run`] reports them.
fn each(
    samples: &[Stimulus],
    run: impl Fn(&Stimulus) -> Result<IntRun, SimError>,
) -> Result<Vec<IntRun>, SimError> {
    let located = samples.iter().enumerate().map(|(index, stimulus)| {
        run(stimulus).map_err(|e| SimError::Sample { index, source: Box::new(e) })
    });
    located.collect()
}

fn tensors(
    network: &QuantizedNetwork,
    samples: &[Stimulus],
    device: &Device,
) -> Result<Vec<IntRun>, SimError> {
    tensor::IntSim::new(network, device)?.run(samples)
}

/// Runs `samples` on all runtimes; `slow` adds tensors on the graphics processor.
pub(crate) fn same(
    network: &QuantizedNetwork,
    samples: &[Stimulus],
    slow: bool,
) -> Result<(), TestCaseError> {
    let definition = integer::IntSim::new(network);
    let expected =
        definition.and_then(|sim| each(samples, |stimulus| sim.run(stimulus, &IntProbe::None)));
    let fast = event::integer::IntSim::new(network)
        .and_then(|sim| each(samples, |stimulus| sim.run(stimulus, &IntProbe::None)));
    prop_assert_eq!(&fast, &expected, "event");
    let mut runtimes: Vec<Runtime<'_>> = vec![("burn-cpu", tensors(network, samples, &cpu()))];
    let _ = slow;
    #[cfg(feature = "gpu")]
    if let Some(gpu) = gpu() {
        let fused = snnc_runtime::gpu::IntSim::new(network, gpu).and_then(|s| s.run(samples));
        runtimes.push(("gpu, fused", fused));
        if slow {
            runtimes.push(("gpu, tensors", tensors(network, samples, gpu.tensors())));
        }
    }
    for (name, found) in runtimes {
        match found {
            // Messages and sums that 32 bits might not hold are refused by all batched runtimes.
            Err(SimError::TooLarge { .. }) => {
                let graded = network.populations.values().any(|p| p.graded().is_some());
                prop_assert!(graded, "{} refuses a network of spikes", name);
            }
            found => prop_assert_eq!(&found, &expected, "{}", name),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Small networks that shrink, in logical and hardware time, of every space.
    #[test]
    fn generated_networks(
        (draft, inputs) in space()
            .prop_flat_map(|space| prop_oneof![quantized(space), hardware(space)])
            .prop_flat_map(|draft| { let inputs = feed(&draft); (Just(draft), inputs) })
    ) {
        same(&seal(draft), &[stimulus(inputs)], false)?;
    }

    /// Larger ones in batches, of which some overflow.
    #[test]
    fn random_networks(seed: u64, hardware: bool, graded: bool) {
        let rng = &mut Rng(seed);
        let kind = Kind { hardware, registers: false, programmable: true, graded };
        let network = random_up_to(rng, kind, 200);
        let samples: Vec<_> = (0..3).map(|_| inputs(&network, rng)).collect();
        same(&network, &samples, false)?;
    }
}

/// A few networks with tensors on the graphics processor too, where every shape costs compilations.
#[test]
fn tensors_on_the_device() {
    for seed in 0..6 {
        let rng = &mut Rng(seed);
        let kind = Kind {
            hardware: seed % 2 == 0,
            registers: false,
            programmable: true,
            graded: seed % 3 == 0,
        };
        let network = random(rng, kind);
        let samples: Vec<_> = (0..2).map(|_| inputs(&network, rng)).collect();
        same(&network, &samples, true).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}

/// Float networks: event by event, as tensors on the CPU, and on the device, which may be excused for the rounding that
/// its check found.
#[test]
fn float_networks() {
    let mut compared = 0;
    for seed in 0..10 {
        let rng = &mut Rng(seed);
        let network = random_float(rng);
        let samples: Vec<_> = (0..2).map(|_| float_stimulus(&network, rng)).collect();
        compared += usize::from(same_floats(&network, &samples));
    }
    assert!(compared > 3, "tensors knew {compared} of the networks");
}

fn same_floats(network: &Network, samples: &[Stimulus]) -> bool {
    let one_by_one = |run: &dyn Fn(&Stimulus) -> Result<FloatRun, SimError>| -> Vec<FloatRun> {
        samples.iter().map(|s| run(s).unwrap()).collect()
    };
    let definition = float::FloatSim::new(network).unwrap();
    let expected = one_by_one(&|s| definition.run(s, &FloatProbe::None));
    let fast = event::float::FloatSim::new(network).unwrap();
    assert_eq!(one_by_one(&|s| fast.run(s, &FloatProbe::None)), expected, "event");
    let run = |device: &Device| {
        let sim = match tensor::FloatSim::new(network, device) {
            Err(SimError::Unsupported { .. }) => return None,
            sim => sim.unwrap(),
        };
        Some(sim.run(samples).unwrap())
    };
    let Some(found) = run(&cpu()) else { return false };
    assert_eq!(found, expected, "burn-cpu");
    #[cfg(feature = "gpu")]
    #[expect(clippy::print_stderr, reason = "what is excused is printed")]
    if let Some(gpu) = gpu() {
        let found = run(gpu.tensors()).unwrap();
        match gpu.rounds() {
            None => assert_eq!(found, expected, "gpu, tensors"),
            Some(what) if found != expected => {
                eprintln!("{} differs, and may: {what}", gpu.adapter());
            }
            Some(_) => {}
        }
    }
    true
}

/// A network from populations, `(rows of targets) × (sources)` matrices and delays.
fn network(
    steps: u32,
    populations: Vec<(Shape, PopKind)>,
    links: Vec<(usize, usize, Structure, Vec<i16>, i8, u32)>,
) -> QuantizedNetwork {
    let mut draft = QuantizedDraft {
        name: "by hand".to_owned(),
        steps,
        time: Time::Logical,
        populations: Arena::new(),
        projections: Arena::new(),
        matrices: Arena::new(),
        host: Vec::new(),
        readout: IntReadout::SpikeCount(PopId::new(1)),
    };
    for (i, (shape, kind)) in populations.into_iter().enumerate() {
        let name = format!("p{i}");
        draft.populations.push(Population { name, shape, role: Role::Logical, kind });
    }
    for (source, target, structure, mantissa, exponent, delay) in links {
        let matrix = draft.matrices.push(IntMatrix {
            name: format!("m{}", draft.matrices.len()),
            structure,
            mantissa,
            exponent,
            sign: Sign::Mixed,
            provenance: Provenance::Dense { tensor: "w".to_owned() },
        });
        let (source, target) = (PopId::new(source), PopId::new(target));
        draft.projections.push(Projection { source, target, matrix, delay });
    }
    seal(draft)
}

fn neuron() -> IntNeuron {
    IntNeuron {
        du: Param::Uniform(4095),
        dv: Param::Uniform(256),
        threshold: Param::Uniform(64 * 400),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: None,
    }
}

fn input() -> PopKind {
    PopKind::Input(Coding::Events)
}

/// Weights of 8, 16 and 32 bits, around the edges of words, in all structures.
#[test]
fn weights_of_every_width() {
    let rng = &mut Rng(5);
    for (exponent, sources, targets) in
        [(-1, 64, 63), (-1, 33, 65), (0, 65, 64), (3, 31, 66), (7, 32, 130), (7, 1, 1)]
    {
        let (rows, cols) = (targets, sources);
        let mut structures = vec![Structure::Dense { rows, cols }];
        let (mut row_start, mut col) = (vec![0], Vec::new());
        for _ in 0..rows {
            col.extend((0..cols).filter(|_| rng.chance(30)));
            row_start.push(u32::try_from(col.len()).unwrap());
        }
        structures.push(Structure::Sparse { rows, cols, row_start, col });
        for structure in structures {
            let mantissa = (0..structure.stored())
                .map(|_| 2 * i16::try_from(rng.range(-127, 127)).unwrap())
                .collect();
            let threshold = Param::Uniform((64 * 400) << (exponent + 1));
            let model = IntNeuron { threshold, ..neuron() };
            let net = network(
                20,
                vec![(Shape::flat(cols), input()), (Shape::flat(rows), PopKind::Neurons(model))],
                vec![(0, 1, structure, mantissa, exponent, 1)],
            );
            let samples: Vec<_> = (0..2).map(|_| inputs(&net, rng)).collect();
            same(&net, &samples, false).unwrap();
        }
    }
}

/// Kernels as wide as the image, strides, groups, padding on one side, crops.
#[test]
fn convolutions_at_their_edges() {
    let rng = &mut Rng(6);
    for seed in 0..12 {
        let conv = Conv {
            input: [4, 7, 9],
            out_channels: 6,
            kernel: [1 + seed % 4, 1 + seed % 7],
            stride: [1 + seed % 3, 1 + seed % 2],
            pad: [seed % 3, (seed + 1) % 2, seed % 2, (seed + 1) % 3],
            groups: 1 + seed % 2,
            crop: [seed % 2, seed / 2 % 2, seed / 4 % 2, (seed + 1) % 2],
        };
        let structure = Structure::Conv(conv);
        let mantissa = (0..structure.stored())
            .map(|_| 2 * i16::try_from(rng.range(-60, 127)).unwrap())
            .collect();
        let output = Shape(conv.output().unwrap().to_vec());
        let net = network(
            12,
            vec![(Shape::chw(4, 7, 9), input()), (output, PopKind::Neurons(neuron()))],
            vec![(0, 1, structure, mantissa, -1, 0)],
        );
        same(&net, &[inputs(&net, rng)], seed == 0).unwrap();
    }
}

/// So many steps and sources that loops of one launch would be too long for software devices.
#[test]
fn long_loops_are_cut() {
    let rng = &mut Rng(7);
    let structure = Structure::Dense { rows: 3, cols: 2000 };
    let mantissa =
        (0..structure.stored()).map(|_| 2 * i16::try_from(rng.range(-127, 127)).unwrap()).collect();
    let net = network(
        90,
        vec![(Shape::flat(2000), input()), (Shape::flat(3), PopKind::Neurons(neuron()))],
        vec![(0, 1, structure, mantissa, -1, 0)],
    );
    let mut train = SpikeTrain::new(90, 2000);
    (0..90).for_each(|t| (0..2000).for_each(|n| train.set(t, n)));
    same(&net, &[vec![train].into()], false).unwrap();
}

/// Two populations that read each other and themselves, with delays longer than one step: several steps a launch.
#[test]
fn cycles_of_several_steps() {
    let rng = &mut Rng(8);
    for delay in [1, 2, 5] {
        let dense = |rng: &mut Rng| -> (Structure, Vec<i16>) {
            let structure = Structure::Dense { rows: 70, cols: 70 };
            let weights =
                (0..structure.stored()).map(|_| 2 * i16::try_from(rng.range(-60, 90)).unwrap());
            let weights = weights.collect();
            (structure, weights)
        };
        let mut links = Vec::new();
        for (source, target, delay) in
            [(0, 1, 0), (1, 2, 0), (2, 1, delay), (1, 1, delay), (2, 2, delay + 1)]
        {
            let (structure, mantissa) = dense(rng);
            links.push((source, target, structure, mantissa, -1, delay));
        }
        let kinds = vec![input(), PopKind::Neurons(neuron()), PopKind::Neurons(neuron())];
        let populations = kinds.into_iter().map(|kind| (Shape::flat(70), kind)).collect();
        let net = network(33, populations, links);
        let samples: Vec<_> = (0..2).map(|_| inputs(&net, rng)).collect();
        same(&net, &samples, delay == 2).unwrap();
        let run = integer::simulate(&net, &samples[0], &IntProbe::None).unwrap();
        assert!(run.spikes[2].count() > 0, "the second population spikes");
    }
}
