//! `regroup` finds cores with pieces of several populations: never more of them, never with more traffic, and legal.

mod common;

use common::target;
use proptest::prelude::*;
use snnc_ir::arena::{Entity, MatId, PopId};
use snnc_ir::mapped::{MappedDraft, MappedNetwork, Slice};
use snnc_ir::network::{Coding, Compare, Provenance, UpdateOrder};
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    QuantizedNetwork, Role, Schedule, Sign, Structure, Time,
};
use snnc_ir::testing::{Space, hardware};
use snnc_ir::text::print_mapped;
use snnc_ir::{Diagnostics, Level, Param, Rules, Shape, TargetSpec};
use snnc_passes::place::traffic;
use snnc_passes::rates::Rates;
use snnc_passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};

/// What `text` makes of a network, and its remarks; `None` if the network is refused.
fn mapped(
    draft: &QuantizedDraft,
    target: &TargetSpec,
    text: &str,
) -> Option<(MappedDraft, Diagnostics)> {
    let network = QuantizedNetwork::verify(draft.clone(), &Rules::default()).expect("sound");
    let level = AnyLevel::Quantized(network);
    let pipeline = Pipeline::parse(text).expect("a pipeline");
    let registry = Registry::standard();
    let properties = PropertySet::of(&level);
    // A network in hardware time whose comparisons a target lacks cannot be mapped.
    let plan = plan(&registry, &pipeline, level.kind(), &properties).ok()?;
    match plan.run(level, target, &mut |_: usize, _: &'static str, _: &_| ()) {
        Ok(outcome) => match outcome.level {
            AnyLevel::Mapped(mapped) => Some((mapped.into_draft(), outcome.remarks)),
            other => panic!("{other:?}"),
        },
        Err(failure) => {
            assert!(failure.replay.is_none(), "a pass broke its level: {}", failure.diagnostics);
            None
        }
    }
}

/// Cores and messages per step between them.
fn score(draft: &MappedDraft) -> (usize, f64) {
    (draft.cores.len(), traffic(draft, &Rates::assumed()).total())
}

/// Neurons of all cores, as ranges that meet.
fn neurons(draft: &MappedDraft) -> Vec<Slice> {
    let mut slices: Vec<Slice> =
        draft.cores.values().flat_map(|core| core.slices.iter().copied()).collect();
    slices.sort_unstable();
    slices.dedup_by(|next, last| {
        let meet = next.population == last.population && last.end() == u64::from(next.start);
        if meet {
            last.len += next.len;
        }
        meet
    });
    slices
}

fn limited(memory: u32, limits: [i64; 8]) -> TargetSpec {
    let mut spec = snnc_ir::testing::target(true);
    match memory {
        0 => {}
        1 => {
            spec.axon_atoms.value = 3;
            spec.list_bases.value = 8;
            spec.population_slots.value = 2;
        }
        _ => {
            spec.shared_kernels.value = 1;
            spec.axon_atoms.value = 2;
        }
    }
    let keys = [
        &mut spec.compartments,
        &mut spec.input_axons,
        &mut spec.output_axons,
        &mut spec.synapse_words,
        &mut spec.profiles,
        &mut spec.thresholds,
        &mut spec.floors,
        &mut spec.formats,
    ];
    for (key, value) in keys.into_iter().zip(limits) {
        key.value = value;
    }
    spec
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_result_is_legal_and_no_worse(
        draft in hardware(Space::Everything), memory in 0_u32..3, seed in 0_u32..3,
        axons in (4_i64..30, 20_i64..60, 6_i64..60, 20_i64..120),
        registers in (2_i64..6, 2_i64..6, 2_i64..6, 3_i64..8),
    ) {
        let limits = [axons.0, axons.1, axons.2, axons.3, registers.0, registers.1, registers.2, registers.3];
        let spec = limited(memory, limits);
        let Some((before, _)) = mapped(&draft, &spec, "map") else { return Ok(()) };
        let text = format!("map,regroup{{seed={seed}}}");
        // The pipeline verifies the result against the target.
        let (after, remarks) = mapped(&draft, &spec, &text).expect("what maps can be regrouped");
        prop_assert_eq!(neurons(&after), neurons(&before));
        prop_assert_eq!(&after.orders, &before.orders);
        let [old, new] = [&before, &after].map(score);
        prop_assert!(new.0 < old.0 || new.0 == old.0 && new.1 <= old.1, "{old:?} {new:?}");
        prop_assert_eq!(after == before, remarks.is_empty());
        let again = mapped(&draft, &spec, &text).map(|(draft, _)| draft);
        prop_assert_eq!(again, Some(after));
    }
}

/// Neurons that fire above `threshold` and keep a share `1 - dv / 4096` of their membrane.
fn neuron(dv: Param<u16>, threshold: Param<i32>) -> IntNeuron {
    IntNeuron {
        du: Param::Uniform(4095),
        dv,
        threshold,
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: None,
    }
}

/// Eight inputs, and `size` neurons that each read one of them and those that `sources` says.
fn network(size: u32, kind: IntNeuron, sources: impl Fn(u32) -> Vec<u32>) -> QuantizedDraft {
    let population = |name: &str, size, kind| Population {
        name: name.to_owned(),
        shape: Shape::flat(size),
        role: Role::Logical,
        kind,
    };
    let sparse = |name: &str, cols, rows: Vec<Vec<u32>>| {
        let mut row_start = vec![0];
        let mut col = Vec::new();
        for row in rows {
            col.extend(row);
            row_start.push(u32::try_from(col.len()).expect("few"));
        }
        IntMatrix {
            name: name.to_owned(),
            mantissa: vec![2; col.len()],
            structure: Structure::Sparse { rows: size, cols, row_start, col },
            exponent: -1,
            sign: Sign::Mixed,
            provenance: Provenance::Dense { tensor: name.to_owned() },
        }
    };
    let from_inputs = (0..size).map(|n| vec![n % 8]).collect();
    let recurrent = (0..size).map(sources).collect();
    let (input, cells) = (PopId::new(0), PopId::new(1));
    let join = |source, matrix, delay| Projection {
        source,
        target: cells,
        matrix: MatId::new(matrix),
        delay,
    };
    QuantizedDraft {
        name: "cells".to_owned(),
        steps: 4,
        time: Time::Hardware(Schedule { period: 1, latency: vec![0, 1] }),
        populations: vec![
            population("in", 8, PopKind::Input(Coding::Events)),
            population("cells", size, PopKind::Neurons(kind)),
        ]
        .into(),
        projections: vec![join(input, 0, 1), join(cells, 1, 1)].into(),
        matrices: vec![sparse("in", 8, from_inputs), sparse("cells", size, recurrent)].into(),
        host: Vec::new(),
        readout: IntReadout::SpikeCount(cells),
    }
}

/// A number below 2^32 that looks random.
fn hashed(n: u32) -> u32 {
    let n = (n ^ n >> 15).wrapping_mul(0x2c1b_3c6d);
    let n = (n ^ n >> 12).wrapping_mul(0x297a_2d39);
    n ^ n >> 15
}

/// Motifs of `size` neurons, each of which reads `fan_in` others of its motif, their neurons shuffled.
fn motifs(count: u32, size: u32, fan_in: u32) -> QuantizedDraft {
    let mut place: Vec<u32> = (0..count * size).collect();
    place.sort_by_key(|n| (hashed(*n), *n));
    let mut member = vec![0; place.len()];
    for (n, at) in (0..).zip(&place) {
        member[*at as usize] = n;
    }
    let sources = |n: u32| {
        let inside = place[n as usize];
        let motif = inside / size * size;
        let of = |k: u32| member[(motif + hashed(inside * fan_in + k) % size) as usize];
        let mut sources: Vec<u32> = (0..fan_in).map(of).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    };
    network(count * size, neuron(Param::Uniform(512), Param::Uniform(64)), sources)
}

#[test]
fn shuffled_motifs_are_found() {
    let mut spec = target();
    spec.compartments.value = 128;
    // A motif, and the inputs.
    spec.input_axons.value = 128 + 8;
    let draft = motifs(8, 128, 12);
    let (before, _) = mapped(&draft, &spec, "map").expect("maps");
    let (after, remarks) = mapped(&draft, &spec, "map,regroup").expect("maps");
    assert!(before.cores.len() > 64, "first fit takes {}", before.cores.len());
    assert_eq!(after.cores.len(), 8);
    assert!(score(&after).1 < 1e-9, "no motif is cut: {}", score(&after).1);
    insta::assert_snapshot!("motifs", remarks);
}

#[test]
fn networks_are_not_refused_for_first_fit() {
    let mut spec = target();
    (spec.compartments.value, spec.input_axons.value) = (128, 128 + 8);
    (spec.chips.value, spec.cores_per_chip.value) = (2, 4);
    let draft = motifs(8, 128, 12);
    let (found, _) = mapped(&draft, &spec, "map").expect("maps");
    assert_eq!(found.cores.len(), 8);
    spec.cores_per_chip.value = 3;
    assert!(mapped(&draft, &spec, "map").is_none(), "no six cores hold 1024 neurons");
}

#[test]
fn neurons_that_share_registers_lie_together() {
    let mut spec = target();
    (spec.compartments.value, spec.profiles.value, spec.thresholds.value) = (64, 4, 4);
    // 16 decays and 8 thresholds, in no order: each core can hold 4 by 4 of them.
    let size = 1024;
    let dv = (0..size).map(|n| 256 + 16 * u16::try_from(hashed(n) % 16).expect("small"));
    let thresholds =
        (0..size).map(|n| 64 * (1 + i32::try_from(hashed(n) / 16 % 8).expect("small")));
    let kind = neuron(Param::PerNeuron(dv.collect()), Param::PerNeuron(thresholds.collect()));
    let draft = network(size, kind, |n| vec![hashed(n + 7) % size]);
    let (before, _) = mapped(&draft, &spec, "map").expect("maps");
    let (after, _) = mapped(&draft, &spec, "map,regroup").expect("maps");
    assert!(before.cores.len() > 120, "first fit takes {}", before.cores.len());
    // 16 cores hold 1024 neurons; 8 families of about 128 fill 2 to 3 each.
    assert!(after.cores.len() <= 24, "{}", after.cores.len());
}

#[test]
fn what_is_good_stays_as_it_is() {
    let draft = motifs(1, 64, 8);
    let (before, _) = mapped(&draft, &target(), "map").expect("maps");
    let (after, remarks) = mapped(&draft, &target(), "map,regroup").expect("maps");
    assert_eq!(after, before);
    assert!(remarks.is_empty());
}

/// Two motifs of four neurons, alternating.
#[test]
fn a_small_network_as_text() {
    let mut spec = target();
    (spec.compartments.value, spec.input_axons.value) = (4, 8);
    let draft = network(8, neuron(Param::Uniform(512), Param::Uniform(64)), |n| {
        (0..8).filter(|m| m % 2 == n % 2 && *m != n).collect()
    });
    let (draft, _) = mapped(&draft, &spec, "map,regroup").expect("maps");
    let network = MappedNetwork::verify(draft, &Rules::for_target(&spec)).expect("sound");
    insta::assert_snapshot!("small", print_mapped(&network));
}
