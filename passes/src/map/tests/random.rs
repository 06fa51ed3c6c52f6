//! Random networks in random orders on small cores.

use super::*;
use crate::map::orders::Layout;
use crate::map::place;
use proptest::prelude::*;
use snnc_ir::testing::{Space, hardware};

/// What a core stores.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Memory {
    /// A list for each source neuron.
    Lists,
    /// Lists that pixels share, in steps of 8 compartments.
    Pixels,
    /// Kernels.
    Kernels,
}

fn memory() -> impl Strategy<Value = Memory> {
    prop::sample::select(vec![Memory::Lists, Memory::Pixels, Memory::Kernels])
}

/// Cores on which only a few neurons fit, each limit near enough to matter.
fn small(memory: Memory, limits: [i64; 4]) -> TargetSpec {
    let mut target = snnc_ir::testing::target(true);
    match memory {
        Memory::Lists => {}
        Memory::Pixels => {
            target.axon_atoms.value = 3;
            target.list_bases.value = 8;
            target.population_slots.value = 2;
        }
        Memory::Kernels => {
            target.shared_kernels.value = 1;
            target.axon_atoms.value = 2;
        }
    }
    target.chips.value = 8;
    let [compartments, input_axons, output_axons, synapse_words] = limits;
    target.compartments.value = compartments;
    target.input_axons.value = input_axons;
    target.output_axons.value = output_axons;
    target.synapse_words.value = synapse_words;
    target
}

/// The verifier accepts it, and so does a count from the definition.
fn verified(mapped: MappedDraft, target: &TargetSpec) -> Result<(), TestCaseError> {
    for (usage, outputs) in snnc_ir::testing::recount(&mapped, target) {
        let needs = [
            (usage.compartments, &target.compartments),
            (usage.input_axons, &target.input_axons),
            (outputs, &target.output_axons),
            (usage.synapse_words, &target.synapse_words),
            (usage.profiles, &target.profiles),
            (usage.thresholds, &target.thresholds),
            (usage.floors, &target.floors),
            (usage.formats, &target.formats),
        ];
        prop_assert!(needs.iter().all(|(needed, limit)| *needed <= limit.value.unsigned_abs()));
    }
    match MappedNetwork::verify(mapped, &Rules::for_target(target)) {
        Ok(_) => Ok(()),
        Err(errors) => Err(TestCaseError::fail(errors.to_string())),
    }
}

proptest! {
    /// What the pass puts on cores the verifier accepts, or the pass says which limit cannot be kept.
    #[test]
    fn mappings_keep_all_limits(
        draft in hardware(Space::Everything), memory in memory(),
        limits in (4_i64..30, 20_i64..60, 6_i64..40, 20_i64..80),
    ) {
        let target = small(memory, limits.into());
        match crate::map::map(draft, &target, true) {
            Ok(mapped) => {
                let accounting = Accounting::new(&mapped.network, &mapped.orders);
                for bound in bounds(&accounting, &target) {
                    prop_assert!(bound.cores <= mapped.cores.len() as u64, "{:?}", bound.resource);
                }
                verified(mapped, &target)?;
            }
            Err(errors) => {
                let known = [mapping::NEURON_TOO_LARGE, mapping::FAN_OUT, mapping::TOO_MANY_CORES];
                prop_assert!(errors.iter().all(|d| known.contains(&d.code)), "{errors}");
            }
        }
    }

    /// The same in any orders, whether they pay or not.
    #[test]
    fn any_orders_map(
        draft in hardware(Space::Everything), memory in memory(),
        blocks in prop::collection::vec(1_u32..4, 40), fill in 1_u32..20,
    ) {
        let target = small(memory, [12, 200, 16, 400]);
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
        let mut target = small(Memory::Kernels, [128, axons, 1000, words]);
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
    let mut narrow = small(Memory::Kernels, [128, 8, 1000, 18]);
    narrow.axon_atoms.value = 4;
    let errors = crate::map::map(draft, &narrow, true).expect_err("the middle reads 9 pixels");
    assert!(errors.to_string().contains("needs 9 input axons"), "{errors}");
}

/// The same where pixels share lists. 2 populations of 4 channels read 9 pixels of 4 channels, so a corner has
/// 4 · 2 · 4 · 4 entries of 8 bits and 7 of index (32 words in blocks of 64), an edge half as many more (48), and
/// the middle 288 (72).
#[test]
fn lists_of_pixels_fit_to_the_word() {
    let draft = shapes::two_readers_of_one_kernel();
    let cores = |axons: i64, words: i64| {
        let mut target = small(Memory::Pixels, [128, axons, 1, words]);
        (target.axon_atoms.value, target.list_bases.value) = (4, 256);
        let mapped = crate::map::map(draft.clone(), &target, true).map_err(|e| e.to_string())?;
        let cores = mapped.cores.len();
        verified(mapped, &target).expect("verifies");
        Ok::<_, String>(cores)
    };
    assert_eq!(cores(9, 4 * 32 + 4 * 48 + 72), Ok(1));
    assert_eq!(cores(9, 4 * 32 + 4 * 48 + 71), Ok(2));
    let refused = cores(8, 392).expect_err("the middle reads 9 pixels");
    assert!(refused.contains("needs 9 input axons"), "{refused}");
}
