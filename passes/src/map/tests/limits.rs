//! Networks at exactly each limit, and one beyond it.

use super::*;
use snnc_ir::target::Limit;

/// A network that takes exactly `exactly` of what a key limits, on one core.
struct Row {
    key: &'static str,
    limit: fn(&mut TargetSpec) -> &mut Limit,
    exactly: i64,
    network: fn() -> QuantizedDraft,
}

/// 100 neurons read 3 inputs, and 3 read them.
fn plain() -> QuantizedDraft {
    chain(100)
}

/// The two populations differ in what `change` does to the second.
fn unlike(change: fn(&mut IntNeuron)) -> QuantizedDraft {
    let mut draft = chain(100);
    match &mut draft.populations[PopId::new(2)].kind {
        PopKind::Neurons(neuron) => change(neuron),
        other => panic!("{other:?}"),
    }
    draft
}

/// Dense lists of 8 bits with a header of 10 per block of 64: 3 of 100 entries and 100 of 3.
const WORDS: i64 = 3 * (9 + 5) + 100;

const ROWS: &[Row] = &[
    Row { key: "compartments", limit: |t| &mut t.compartments, exactly: 103, network: plain },
    Row { key: "input_axons", limit: |t| &mut t.input_axons, exactly: 103, network: plain },
    Row { key: "output_axons", limit: |t| &mut t.output_axons, exactly: 100, network: plain },
    Row { key: "synapse_words", limit: |t| &mut t.synapse_words, exactly: WORDS, network: plain },
    Row {
        key: "profiles",
        limit: |t| &mut t.profiles,
        exactly: 2,
        network: || unlike(|neuron| neuron.dv = Param::Uniform(7)),
    },
    Row {
        key: "thresholds",
        limit: |t| &mut t.thresholds,
        exactly: 2,
        network: || unlike(|neuron| neuron.threshold = Param::Uniform(64)),
    },
    Row {
        key: "floors",
        limit: |t| &mut t.floors,
        exactly: 2,
        network: || unlike(|neuron| neuron.floor = Some(Param::Uniform(-63))),
    },
    Row {
        key: "formats",
        limit: |t| &mut t.formats,
        exactly: 2,
        network: || {
            let mut draft = chain(100);
            draft.matrices[MatId::new(1)].exponent = 0;
            draft
        },
    },
];

/// The target with one limit set, and so many cores.
fn with(row: &Row, value: i64, cores: i64) -> TargetSpec {
    let mut target = target();
    (target.chips.value, target.cores_per_chip.value) = (1, cores);
    (row.limit)(&mut target).value = value;
    target
}

/// What fits exactly fits; one less does not, and the message says what is missing.
#[test]
fn every_limit_is_kept_to_the_last_unit() {
    let mut messages = Vec::new();
    for row in ROWS {
        let exact = map((row.network)(), &with(row, row.exactly, 1));
        let exact = exact.unwrap_or_else(|e| panic!("{}: {e}", row.key));
        assert_eq!(exact.cores.len(), 1, "{}", row.key);
        let split = map((row.network)(), &with(row, row.exactly - 1, 128));
        let split = split.unwrap_or_else(|e| panic!("{}: {e}", row.key));
        assert!(split.cores.len() > 1, "{}", row.key);
        let refused = map((row.network)(), &with(row, row.exactly - 1, 1));
        let refused = refused.expect_err(row.key).to_string();
        let line = format!("test.toml: {} = {} (line 1: test)", row.key, row.exactly - 1);
        assert!(refused.contains(&line), "{}: {refused}", row.key);
        messages.push(format!("## {}\n{refused}\n", row.key));
    }
    insta::assert_snapshot!(messages.concat());
}

/// 1025 compartments take two cores, on one chip or two.
#[test]
fn boards_are_filled_to_the_last_core() {
    let board = |chips, cores| {
        let mut target = target();
        (target.chips.value, target.cores_per_chip.value) = (chips, cores);
        map(chain(1022), &target)
    };
    for (chips, cores) in [(1, 2), (2, 1)] {
        let mapped = board(chips, cores).expect("two cores");
        let found: Vec<u32> = mapped.cores.values().map(|core| core.chip).collect();
        assert_eq!(found, if chips == 1 { [0, 0] } else { [0, 1] });
    }
    insta::assert_snapshot!(board(1, 1).expect_err("one core"));
}

/// Every limit that a neuron violates by itself is named, of every population.
#[test]
fn all_limits_that_neurons_violate_are_reported_at_once() {
    let mut small = target();
    small.input_axons.value = 20;
    small.synapse_words.value = 2;
    small.formats.value = 0;
    insta::assert_snapshot!(map(chain(30), &small).expect_err("nothing fits"));
}

/// A kernel fits with narrower weights.
#[test]
fn narrower_weights_are_proposed_where_they_fit() {
    let mut small = target();
    (small.shared_kernels.value, small.axon_atoms.value) = (1, 1024);
    small.synapse_words.value = 1;
    small.synapse_header_bits.value = 0;
    let errors = map(shapes::two_readers_of_one_kernel(), &small).expect_err("4 x 9 values");
    insta::assert_snapshot!(errors);
}

/// A board too small for weights of 8 bits may have room for those of 4.
#[test]
fn a_board_is_compared_with_narrower_weights() {
    let mut draft = chain(100);
    let wide = draft.matrices[MatId::new(0)].mantissa.iter_mut();
    wide.for_each(|m| *m *= 40);
    let mut small = target();
    small.synapse_words.value = 120;
    (small.chips.value, small.cores_per_chip.value) = (1, 1);
    insta::assert_snapshot!(map(draft, &small).expect_err("142 words"));
}

/// All limits that the network exceeds in all are named before anything is mapped.
#[test]
fn a_network_far_beyond_the_board_is_refused_with_every_total() {
    let mut small = target();
    small.synapse_words.value = 50;
    small.compartments.value = 100;
    (small.chips.value, small.cores_per_chip.value) = (2, 3);
    insta::assert_snapshot!(map(chain(1200), &small).expect_err("1203 neurons"));
}
