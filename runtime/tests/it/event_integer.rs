//! The event-driven integer simulator against the definition: results and errors are equal.

use crate::common::int_net::{Kind, inputs, random, random_up_to, seal, stimulus};
use crate::common::tiny;
use crate::common::{Rng, space};
use proptest::prelude::*;
use snnc_ir::arena::{Entity, MatId, PopId};
use snnc_ir::param::Param;
use snnc_ir::quantized::{PopKind, QuantizedNetwork, Structure, Time};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::testing::{feed, hardware, quantized};
use snnc_runtime::event::Split;
use snnc_runtime::integer::{IntProbe, IntSim};
use snnc_runtime::{SimError, Stimulus, event};
use std::sync::LazyLock;

/// Runs both with and without recordings.
pub(crate) fn same(network: &QuantizedNetwork, stimulus: &Stimulus) -> Result<(), TestCaseError> {
    let (definition, fast) = (IntSim::new(network), event::integer::IntSim::new(network));
    let (definition, fast) = match (definition, fast) {
        (Ok(definition), Ok(fast)) => (definition, fast),
        (definition, fast) => {
            prop_assert_eq!(definition.err(), fast.err());
            return Ok(());
        }
    };
    prop_assert_eq!(definition.inputs(), fast.inputs());
    prop_assert_eq!(definition.order(), fast.order());
    prop_assert_eq!(definition.steps(), fast.steps());
    for probe in [IntProbe::All, IntProbe::None] {
        prop_assert_eq!(fast.run(stimulus, &probe), definition.run(stimulus, &probe));
    }
    watched(&definition, &fast, stimulus)
}

/// Registers that are watched are those that are kept.
fn watched(
    definition: &IntSim<'_>,
    fast: &event::integer::IntSim<'_>,
    stimulus: &Stimulus,
) -> Result<(), TestCaseError> {
    let mut seen = Vec::new();
    let run = fast.watch(stimulus, &IntProbe::All, &mut |t, registers| {
        seen.push((t, registers.to_vec()));
    });
    let Ok(kept) = definition.run(stimulus, &IntProbe::All) else {
        prop_assert!(run.is_err());
        return Ok(());
    };
    let step = |t: usize| {
        (t, kept.traces.iter().map(|trace| [trace.u[t], trace.h[t], trace.v[t]]).collect())
    };
    let steps = if kept.traces.is_empty() { 0 } else { definition.steps() };
    prop_assert_eq!(seen, (0..steps).map(step).collect::<Vec<(usize, Vec<_>)>>());
    prop_assert_eq!(run.unwrap().spikes, kept.spikes);
    Ok(())
}

/// Pools of one thread and several.
static POOLS: LazyLock<Vec<rayon::ThreadPool>> = LazyLock::new(|| {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    [1, 2, 3, 7].map(pool).into()
});

/// Runs on threads, however populations are cut and shared, against the definition.
pub(crate) fn same_on_threads(
    network: &QuantizedNetwork,
    stimulus: &Stimulus,
    split: Split,
) -> Result<(), TestCaseError> {
    let definition = IntSim::new(network).unwrap();
    let split = event::integer::IntSim::with_split(network, split).unwrap();
    for probe in [IntProbe::All, IntProbe::None] {
        let expected = definition.run(stimulus, &probe);
        for pool in &*POOLS {
            prop_assert_eq!(&pool.install(|| split.run(stimulus, &probe)), &expected);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any number of threads and parts gives the same, the first overflow too.
    #[test]
    fn threads_and_parts_change_nothing(
        seed: u64,
        hardware: bool,
        graded: bool,
        parts in 1_usize..8,
        least in prop::sample::select(vec![0_usize, 40, 400]),
    ) {
        let rng = &mut Rng(seed);
        let kind = Kind { hardware, registers: false, programmable: true, graded };
        let network = random_up_to(rng, kind, 400);
        let inputs = inputs(&network, rng);
        same_on_threads(&network, &inputs, Split { parts, least })?;
    }

    /// Small networks that shrink, in logical and hardware time, of every space.
    #[test]
    fn generated_networks_run_alike(
        (draft, inputs) in space()
            .prop_flat_map(|space| prop_oneof![quantized(space), hardware(space)])
            .prop_flat_map(|draft| { let inputs = feed(&draft); (Just(draft), inputs) })
    ) {
        same(&seal(draft), &stimulus(inputs))?;
    }

    /// Larger ones, of which some overflow.
    #[test]
    fn random_networks_run_alike(seed: u64, hardware: bool, graded: bool) {
        let rng = &mut Rng(seed);
        let network = random(rng, Kind { hardware, registers: false, programmable: true, graded });
        let inputs = inputs(&network, rng);
        same(&network, &inputs)?;
    }

    /// Stimuli that do not fit are refused alike.
    #[test]
    fn errors_of_stimuli_are_the_same(seed: u64, wrong in 0_usize..3) {
        let rng = &mut Rng(seed);
        let kind = Kind { hardware: false, registers: false, programmable: true, graded: false };
        let network = random(rng, kind);
        let mut stimulus = inputs(&network, rng);
        match wrong {
            0 => stimulus.inputs.clear(),
            1 => stimulus.inputs[0] = snnc_runtime::Signal::Frame(vec![0.5]),
            _ => stimulus.inputs[0] = snnc_runtime::Signal::Spikes(SpikeTrain::new(1, 1)),
        }
        same(&network, &stimulus)?;
        let run = event::integer::simulate(&network, &stimulus, &IntProbe::None);
        prop_assert!(wrong == 2 || run.is_err());
    }
}

/// The first register that leaves its range is named, in the first block and behind it, u before v.
#[test]
fn overflows_name_the_same_register() {
    for size in [1_u32, 63, 64, 65, 130, 200] {
        for (bias, weight) in [(0, 127_i16), (1 << 22, 0), (-(1 << 22), 3)] {
            let mut neuron = tiny::neuron();
            neuron.dv = Param::Uniform(0);
            neuron.du = Param::Uniform(0);
            neuron.threshold = Param::Uniform(1 << 22);
            let mut biases = vec![0; size as usize];
            *biases.last_mut().unwrap() = bias;
            neuron.bias = Param::PerNeuron(biases);
            let kinds = vec![PopKind::Neurons(neuron)];
            let mut draft = tiny::draft(2000, Time::Logical, kinds, &[(0, 1, weight, 0)]);
            draft.populations[PopId::new(1)].shape = Shape::flat(size);
            let matrix = &mut draft.matrices[MatId::new(0)];
            matrix.structure = Structure::Dense { rows: size, cols: 1 };
            matrix.mantissa = vec![2 * weight; size as usize];
            let network = seal(draft);
            let mut train = SpikeTrain::new(2000, 1);
            (0..2000).for_each(|t| train.set(t, 0));
            let stimulus = Stimulus::from(vec![train]);
            same(&network, &stimulus).unwrap();
            for parts in [2, 4] {
                same_on_threads(&network, &stimulus, Split { parts, least: 0 }).unwrap();
            }
            let run = event::integer::simulate(&network, &stimulus, &IntProbe::None);
            assert!(matches!(run, Err(SimError::Overflow { .. })), "{size} {bias} {weight}");
        }
    }
}
