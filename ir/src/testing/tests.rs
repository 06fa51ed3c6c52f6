//! Generated drafts are valid and survive both file forms.

use super::*;
use crate::binary;
use crate::level::{Level, Rules};
use crate::mapped::MappedNetwork;
use crate::network::Network;
use crate::param::Param;
use crate::quantized::{IntNeuron, Projection, QuantizedNetwork, Sign, WEIGHT_FIELDS};
use crate::text;
use proptest::strategy::ValueTree;
use std::collections::BTreeSet;

/// Verifies a draft and shows the findings if there are any.
fn accepted<L: Level>(
    draft: L::Draft,
    target: Option<&crate::TargetSpec>,
) -> Result<(), TestCaseError> {
    match L::verify(draft, &Rules { target }) {
        Ok(_) => Ok(()),
        Err(findings) => Err(TestCaseError::fail(findings.to_string())),
    }
}

proptest! {
    #[test]
    fn networks_are_valid(draft in prop_oneof![network(Space::All), network(Space::Everything)]) {
        prop_assert!(draft.order().is_some());
        accepted::<Network>(draft, None)?;
    }

    #[test]
    fn quantizable_networks_are_valid(
        draft in prop_oneof![
            network(Space::Fixed), network(Space::Graded), network(Space::Stages)
        ]
    ) {
        accepted::<Network>(draft, None)?;
    }

    #[test]
    fn integer_networks_are_valid(
        draft in prop_oneof![
            quantized(Space::All), quantized(Space::Everything), quantized(Space::Stages)
        ]
    ) {
        prop_assert!(draft.order().is_some());
        accepted::<QuantizedNetwork>(draft, None)?;
    }

    #[test]
    fn networks_in_hardware_time_fit_a_programmable_target(
        draft in prop_oneof![hardware(Space::All), hardware(Space::Everything)]
    ) {
        accepted::<QuantizedNetwork>(draft, Some(&target(true)))?;
    }

    #[test]
    fn networks_of_fixed_neurons_fit_a_fixed_target(draft in hardware(Space::Fixed)) {
        accepted::<QuantizedNetwork>(draft, Some(&target(false)))?;
    }

    #[test]
    fn mapped_networks_fit_the_target(
        draft in prop_oneof![mapped(Space::All), mapped(Space::Everything)]
    ) {
        accepted::<MappedNetwork>(draft, Some(&target(true)))?;
    }

    #[test]
    fn text_reads_back(draft in any_draft()) {
        let printed = text::print(&draft);
        prop_assert_eq!(text::parse(&printed).map_err(|e| TestCaseError::fail(e.to_string()))?, draft);
    }

    #[test]
    fn binary_reads_back(draft in any_draft()) {
        let bytes = binary::encode_any(&draft);
        prop_assert_eq!(binary::decode(&bytes).map_err(|e| TestCaseError::fail(e.to_string()))?, draft);
    }

    #[test]
    fn stimuli_fit_the_inputs(
        (draft, trains) in quantized(Space::All).prop_flat_map(|d| (Just(d.clone()), stimulus(&d)))
    ) {
        let inputs = draft.populations.values().filter(|p| p.is_input());
        let sizes: Vec<_> = inputs.map(|p| (draft.steps as usize, p.size())).collect();
        let found: Vec<_> = trains.iter().map(|t| (t.steps(), t.neurons())).collect();
        prop_assert_eq!(found, sizes);
    }

    #[test]
    fn feeds_fit_the_inputs(
        (draft, feeds) in quantized(Space::Everything)
            .prop_flat_map(|d| (Just(d.clone()), feed(&d)))
    ) {
        let inputs: Vec<_> = draft.populations.values().filter(|p| p.is_input()).collect();
        prop_assert_eq!(inputs.len(), feeds.len());
        for (population, feed) in inputs.into_iter().zip(feeds) {
            match (&population.kind, feed) {
                (PopKind::Input(Coding::Direct { range: Some([low, high]) }), Feed::Frame(values)) => {
                    prop_assert_eq!(values.len(), population.size());
                    let inside = f64::from(*low)..=f64::from(*high);
                    prop_assert!(values.iter().all(|v| inside.contains(&f64::from(*v))));
                }
                (PopKind::Input(_), Feed::Spikes(train)) => {
                    prop_assert_eq!(train.neurons(), population.size());
                }
                (kind, feed) => prop_assert!(false, "{:?} gets {:?}", kind, feed),
            }
        }
    }
}

/// What only some spaces hold does occur there.
#[test]
fn spaces_hold_what_they_say() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut text = String::new();
    for _ in 0..400 {
        for draft in [
            any_draft().boxed(),
            network(Space::Graded).prop_map(AnyDraft::Network).boxed(),
            network(Space::Stages).prop_map(AnyDraft::Network).boxed(),
        ] {
            text.push_str(&text::print(&draft.new_tree(&mut runner).unwrap().current()));
        }
    }
    for word in [
        " = clip(",
        " keep negative",
        " = crop(",
        " = zero(",
        " sigmoid ",
        " izhikevich ",
        " emission burst ",
        " emission several",
        "\n  current_gain ",
        "\n  drive ",
        " crop [",
        "direct range ",
        "\nhost ",
        " genes tensor",
        " = logical graded",
        " = relay(",
        "\n  shift 31",
        "hops 1 graded",
    ] {
        assert!(text.contains(word), "no {word}");
    }
}

/// Weights of every width and exponent occur, parts of a matrix split by sign between the same neurons at
/// once, and thresholds of single neurons.
#[test]
fn integers_of_every_kind_occur() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut widths, mut shifts) = (BTreeSet::new(), BTreeSet::new());
    let (mut splits, mut thresholds) = (0, 0);
    for _ in 0..400 {
        let draft = quantized(Space::Fixed).new_tree(&mut runner).unwrap().current();
        for matrix in draft.matrices.values() {
            let (lowest, highest) = matrix.weight_range();
            let zeros = (lowest | highest).trailing_zeros();
            widths.insert(matrix.weight_bits());
            shifts.insert(zeros.min(31));
        }
        let projections: Vec<_> = draft.projections.values().collect();
        splits += projections
            .windows(2)
            .filter(|pair| {
                let signs = [pair[0], pair[1]].map(|p| draft.matrices[p.matrix].sign);
                let ends = |p: &Projection| (p.source, p.target, p.delay);
                signs == [Sign::Excitatory, Sign::Inhibitory] && ends(pair[0]) == ends(pair[1])
            })
            .count();
        let own = |n: &IntNeuron| matches!(&n.threshold, Param::PerNeuron(t) if t.len() > 1);
        thresholds += draft.populations.values().filter(|p| p.neuron().is_some_and(own)).count();
    }
    assert!(widths.iter().eq(&WEIGHT_FIELDS), "{widths:?}");
    assert!((0..=7).all(|shift| shifts.contains(&shift)), "{shifts:?}");
    assert!(splits > 50 && thresholds > 50, "{splits} splits, {thresholds} thresholds");
}
