//! Mappings at and beyond the limits of a core.

mod limits;
mod random;
mod shapes;

use super::Map;
use super::bound::bounds;
use crate::fixtures::{matrix, neurons, quantized, target};
use crate::framework::{Context, Options, Pass};
use snnc_ir::arena::{MatId, PopId};
use snnc_ir::diag::codes::mapping;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::network::Keep;
use snnc_ir::quantized::{Graded, IntNeuron, IntReadout, PopKind, QuantizedDraft, Schedule, Time};
use snnc_ir::{
    Diagnostics, Entity, Level, MappedDraft, MappedNetwork, Param, Rules, Shape, TargetSpec,
};

/// Maps and verifies against the target, so that a violated limit fails the test.
fn map(draft: QuantizedDraft, target: &TargetSpec) -> Result<MappedDraft, Diagnostics> {
    let options = Options::defaults(Map.info().options);
    let orders = vec![1; draft.populations.len()];
    let bounds = bounds(&Accounting::new(&draft, &orders), target).map(|bound| bound.cores);
    let mapped = Map.run(draft, &mut Context::new(target, &options))?;
    let cores = mapped.cores.len() as u64;
    assert!(bounds.into_iter().all(|least| least <= cores), "no mapping is below the bound");
    MappedNetwork::verify(mapped, &Rules::for_target(target)).map(Level::into_draft)
}

/// in → a → b in hardware time, with `a` of this size.
fn chain(size: u32) -> QuantizedDraft {
    let mut draft = quantized(
        vec![("in", None), ("a", Some(neurons(512))), ("b", Some(neurons(512)))],
        &[(0, 1, 1), (1, 2, 1)],
    );
    draft.time = Time::Hardware(Schedule { period: 1, latency: vec![0, 1, 2] });
    draft.populations[PopId::new(1)].shape = Shape::flat(size);
    let weights =
        |n: u32| (0..n).map(|i| i16::try_from(i % 7).expect("small") - 3).collect::<Vec<_>>();
    draft.matrices =
        vec![matrix(size, 3, &weights(3 * size)), matrix(3, size, &weights(3 * size))].into();
    draft.projections.values_mut().last().expect("two projections").matrix = MatId::new(1);
    draft
}

fn sizes(mapped: &MappedDraft) -> Vec<usize> {
    mapped.cores.values().map(snnc_ir::mapped::Core::compartments).collect()
}

#[test]
fn a_population_at_the_limit_fits_and_one_more_is_split() {
    let mapped = map(chain(1021), &target()).expect("maps");
    assert_eq!(sizes(&mapped), [1024]);
    let mapped = map(chain(1022), &target()).expect("maps");
    assert_eq!(sizes(&mapped), [1024, 1]);
}

#[test]
fn thresholds_of_a_core_are_limited() {
    let mut draft = chain(40);
    let PopKind::Neurons(neuron) = &mut draft.populations[PopId::new(1)].kind else {
        panic!("neurons expected")
    };
    neuron.threshold = Param::PerNeuron((0..40).map(|i| 64 * (10 + i / 2)).collect());
    // `a` has 20 thresholds (10 to 29 units), two neurons each, and `b` has the threshold of 10 units.
    let mapped = map(draft, &target()).expect("maps");
    assert_eq!(sizes(&mapped), [19, 16, 8]);
}

#[test]
fn relays_take_compartments_and_one_profile_per_sign_but_no_threshold() {
    let mut able = target();
    able.message_bits.value = 24;
    let mut draft = chain(1500);
    let relays = Graded { keep: Some(Keep::Positive), bias: Param::Uniform(0), shift: 0 };
    draft.populations[PopId::new(1)].kind = PopKind::Graded(relays);
    draft.matrices[MatId::new(1)].mantissa.iter_mut().for_each(|m| *m = 2);
    let mapped = map(draft.clone(), &able).expect("maps");
    assert_eq!(sizes(&mapped), [1024, 479], "1500 relays and 3 neurons");
    able.profiles.value = 1;
    let mapped = map(draft.clone(), &able).expect("maps");
    assert_eq!(sizes(&mapped), [1024, 476, 3], "relays and neurons need two profiles");
    able.profiles.value = 2;
    able.thresholds.value = 1;
    assert_eq!(sizes(&map(draft, &able).expect("maps")), [1024, 479]);
}

#[test]
fn synapse_memory_is_limited() {
    // Dense 8-bit lists with a 10-bit header per block of 64: `a` has 3 lists of 64 + 36 entries
    // (9 + 5 words each), `b` has 100 lists of 3 entries (1 word each).
    let mut small = target();
    small.synapse_words.value = 142;
    assert_eq!(sizes(&map(chain(100), &small).expect("fits exactly")), [103]);
    small.synapse_words.value = 141;
    // One neuron of `b` still fits: its zero weights need no axons.
    assert_eq!(sizes(&map(chain(100), &small).expect("one word less")), [101, 2]);
}

#[test]
fn narrow_weights_take_fewer_cores() {
    // As before at 4 bits: `a` has 3 lists of 64 + 36 entries (5 + 3 words each), `b` as before.
    let narrow = |n| {
        let mut draft = chain(n);
        let first = &mut draft.matrices[MatId::new(0)];
        first.mantissa.iter_mut().for_each(|m| *m <<= 4);
        first.exponent -= 4;
        draft
    };
    let mut small = target();
    small.synapse_words.value = 124;
    assert_eq!(sizes(&map(narrow(100), &small).expect("fits exactly")), [103]);
    small.synapse_words.value = 123;
    assert_eq!(sizes(&map(narrow(100), &small).expect("one word less")), [101, 2]);
}

#[test]
fn a_neuron_beyond_a_whole_core_names_resource_need_and_limit() {
    let mut small = target();
    small.input_axons.value = 20;
    let errors = map(chain(30), &small).expect_err("b reads 30 neurons");
    let error = errors.iter().find(|d| d.code == mapping::NEURON_TOO_LARGE).expect("the code");
    let text = error.to_string();
    assert!(text.contains("population `b`") && text.contains("input axons"), "{text}");
    assert!(text.contains("test.toml: input_axons = 20 (line 1: test)"), "{text}");
}

#[test]
fn output_axons_force_smaller_cores_or_an_error() {
    let mut small = target();
    small.output_axons.value = 10;
    let mapped = map(chain(30), &small).expect("maps with fewer neurons per core");
    assert!(mapped.cores.len() >= 3);
    small.output_axons.value = 0;
    let errors = map(chain(30), &small).expect_err("no neuron may spike anywhere");
    assert!(errors.iter().any(|d| d.code == mapping::FAN_OUT));
}

#[test]
fn a_network_beyond_the_target_is_refused_before_it_is_mapped() {
    let mut one = target();
    (one.chips.value, one.cores_per_chip.value) = (1, 1);
    // 1200 compartments; every weight but those of value 0 takes 8 bits of 64-bit words.
    let error = map(chain(1200), &one).expect_err("one core has 1024 compartments");
    let text = error.to_string();
    assert!(text.contains("at least 2 cores") && text.contains("1203 compartments"), "{text}");
    one.synapse_words.value = 100;
    let text = map(chain(400), &one).expect_err("too many synapses").to_string();
    assert!(text.contains("words of synapse memory in all"), "{text}");
}
