//! Generated drafts are valid and survive both file forms.

use super::*;
use crate::binary;
use crate::level::{Level, Rules};
use crate::mapped::MappedNetwork;
use crate::network::Network;
use crate::quantized::QuantizedNetwork;
use crate::text;

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
    fn networks_are_valid(draft in network(Space::All)) {
        prop_assert!(draft.order().is_some());
        accepted::<Network>(draft, None)?;
    }

    #[test]
    fn quantizable_networks_are_valid(draft in network(Space::Fixed)) {
        accepted::<Network>(draft, None)?;
    }

    #[test]
    fn integer_networks_are_valid(draft in quantized(Space::All)) {
        prop_assert!(draft.order().is_some());
        accepted::<QuantizedNetwork>(draft, None)?;
    }

    #[test]
    fn networks_in_hardware_time_fit_a_programmable_target(draft in hardware(Space::All)) {
        accepted::<QuantizedNetwork>(draft, Some(&target(true)))?;
    }

    #[test]
    fn networks_of_fixed_neurons_fit_a_fixed_target(draft in hardware(Space::Fixed)) {
        accepted::<QuantizedNetwork>(draft, Some(&target(false)))?;
    }

    #[test]
    fn mapped_networks_fit_the_target(draft in mapped(Space::All)) {
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
        let inputs = draft.populations.values().filter(|p| p.neuron().is_none());
        let sizes: Vec<_> = inputs.map(|p| (draft.steps as usize, p.size())).collect();
        let found: Vec<_> = trains.iter().map(|t| (t.steps(), t.neurons())).collect();
        prop_assert_eq!(found, sizes);
    }
}
