//! Random networks in random orders on small cores.

use super::*;
use crate::map::orders::Layout;
use crate::map::place;
use proptest::prelude::*;
use snnc_ir::testing::{Space, hardware};

/// Cores on which only a few neurons fit, each limit near enough to matter.
fn small(shared: bool, limits: [i64; 4]) -> TargetSpec {
    let mut target = snnc_ir::testing::target(true);
    target.shared_kernels.value = i64::from(shared);
    target.axon_atoms.value = 2 * i64::from(shared);
    target.chips.value = 8;
    let [compartments, input_axons, output_axons, synapse_words] = limits;
    target.compartments.value = compartments;
    target.input_axons.value = input_axons;
    target.output_axons.value = output_axons;
    target.synapse_words.value = synapse_words;
    target
}

fn verified(mapped: MappedDraft, target: &TargetSpec) -> Result<(), TestCaseError> {
    match MappedNetwork::verify(mapped, &Rules::for_target(target)) {
        Ok(_) => Ok(()),
        Err(errors) => Err(TestCaseError::fail(errors.to_string())),
    }
}

proptest! {
    /// What the pass puts on cores the verifier accepts, or the pass says which limit cannot be kept.
    #[test]
    fn mappings_keep_all_limits(
        draft in hardware(Space::Everything), shared in any::<bool>(),
        limits in (4_i64..30, 20_i64..60, 6_i64..40, 20_i64..80),
    ) {
        let target = small(shared, limits.into());
        match crate::map::map(draft, &target, true) {
            Ok(mapped) => verified(mapped, &target)?,
            Err(errors) => {
                let known = [mapping::NEURON_TOO_LARGE, mapping::FAN_OUT, mapping::TOO_MANY_CORES];
                prop_assert!(errors.iter().all(|d| known.contains(&d.code)), "{errors}");
            }
        }
    }

    /// The same in any orders, whether they pay or not.
    #[test]
    fn any_orders_map(
        draft in hardware(Space::Everything), shared in any::<bool>(),
        blocks in prop::collection::vec(1_u32..4, 40), fill in 1_u32..20,
    ) {
        let target = small(shared, [12, 200, 16, 400]);
        let mut layout = Layout::row_major(&draft, &target);
        for (n, population) in draft.populations.values().enumerate() {
            let channels = u32::try_from(population.shape.channels()).expect("few");
            layout.orders[n] = blocks[n % blocks.len()].min(channels);
            layout.fill[n] = fill;
            layout.fan_out[n] = f64::from(fill % 3);
        }
        match place::place(&Accounting::new(&draft, &layout.orders), &target, &layout) {
            Ok(placed) => {
                let cores = placed.cores.into_iter().collect();
                let (orders, target_name) = (layout.orders, target.name.clone());
                let mapped = MappedDraft { network: draft, target: target_name, orders, cores };
                verified(mapped, &target)?;
            }
            Err(errors) => {
                let known = [mapping::NEURON_TOO_LARGE, mapping::FAN_OUT];
                prop_assert!(errors.iter().all(|d| known.contains(&d.code)), "{errors}");
            }
        }
    }
}

/// Limits count to the last unit: what fits exactly fits, one less does not.
#[test]
fn shared_kernels_fit_to_the_word() {
    let draft = shapes::two_readers_of_one_kernel();
    let one_core = |words: i64, axons: i64| {
        let mut target = small(true, [128, axons, 1000, words]);
        target.axon_atoms.value = 4;
        target.synapse_header_bits.value = 0;
        let mapped = crate::map::map(draft.clone(), &target, true).expect("maps");
        let cores = mapped.cores.len();
        verified(mapped, &target).expect("verifies");
        cores == 1
    };
    // 4 x 4 x 9 kernel values of 8 bits, once for both readers: 18 words. 9 pixels of 4 channels.
    assert!(one_core(18, 9));
    assert!(!one_core(17, 9));
    let mut narrow = small(true, [128, 8, 1000, 18]);
    narrow.axon_atoms.value = 4;
    let errors = crate::map::map(draft, &narrow, true).expect_err("the middle reads 9 pixels");
    assert!(errors.to_string().contains("needs 9 input axons"), "{errors}");
}
