//! Cores that networks of some ten neurons fill.

use super::features::{Feature, Features};
use crate::crosscheck::Dice;
use snnc_ir::TargetSpec;
use snnc_ir::mapped::MappedDraft;
use snnc_ir::mapped::usage::{Accounting, output_axons};
use snnc_ir::target::Limit;

/// Cores of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// As they are.
    Whole,
    /// Some hundred with a few neurons each, every limit drawn.
    Cramped,
    /// As they are; then mapped again where limits are what the first mapping took, one more, or one less.
    Tight,
}

/// The target with limits that networks of some ten neurons meet.
pub(super) fn cramped(target: &TargetSpec, dice: &mut Dice) -> TargetSpec {
    let mut target = target.clone();
    let mut between = |low: i64, high: i64| dice.between(low, high - 1);
    (target.cores_per_chip.value, target.chips.value) = (between(8, 64), between(1, 8));
    target.compartments.value = between(2, 24);
    target.input_axons.value = between(8, 60);
    target.output_axons.value = between(4, 60);
    target.synapse_words.value = between(4, 60);
    target.profiles.value = between(1, 6);
    target.thresholds.value = between(1, 6);
    target.formats.value = between(3, 16);
    target
}

/// The most that a core takes of each limit of [`limits`], and the number of cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    most: [i64; 7],
    cores: i64,
}

/// The limits of a core that are counted, with their features where they are met.
fn limits(target: &mut TargetSpec) -> [(&mut Limit, Feature); 7] {
    [
        (&mut target.compartments, Feature::FullCompartments),
        (&mut target.input_axons, Feature::FullInputAxons),
        (&mut target.output_axons, Feature::FullOutputAxons),
        (&mut target.synapse_words, Feature::FullSynapseWords),
        (&mut target.profiles, Feature::FullProfiles),
        (&mut target.thresholds, Feature::FullThresholds),
        (&mut target.formats, Feature::FullFormats),
    ]
}

impl Usage {
    /// What the cores of a network take.
    pub(super) fn of(mapped: &MappedDraft, target: &TargetSpec) -> Self {
        let accounting = Accounting::new(&mapped.network, &mapped.orders);
        let cores: Vec<_> = mapped.cores.values().cloned().collect();
        let outputs = output_axons(&accounting, &cores, target);
        let mut most = [0; 7];
        for (core, outputs) in cores.iter().zip(&outputs) {
            let usage = accounting.core_usage(core, target);
            let found = [
                usage.compartments,
                usage.input_axons,
                outputs.iter().sum(),
                usage.synapse_words,
                usage.profiles,
                usage.thresholds,
                usage.formats,
            ];
            for (most, found) in most.iter_mut().zip(found) {
                *most = i64::try_from(found).unwrap_or(i64::MAX).max(*most);
            }
        }
        Self { most, cores: i64::try_from(cores.len()).unwrap_or(i64::MAX) }
    }

    /// Which limits of `target` some core just meets.
    pub(super) fn met(&self, target: &TargetSpec) -> Features {
        let mut found = Features::default();
        let mut target = target.clone();
        for ((limit, feature), most) in limits(&mut target).into_iter().zip(self.most) {
            found.mark_if(feature, limit.value == most && most > 0);
        }
        found
    }

    /// `target` with limits that are what was taken, and one of them one more, or one less; and what that is.
    pub(super) fn tightened(&self, target: &TargetSpec, dice: &mut Dice) -> (TargetSpec, Feature) {
        let mut target = target.clone();
        for ((limit, _), most) in limits(&mut target).into_iter().zip(self.most) {
            limit.value = most.max(1);
        }
        let change = dice.pick(&[-1, 0, 1]);
        // First fit takes more cores than are left when pieces have been put together again.
        (target.chips.value, target.cores_per_chip.value) = (1, 2 * self.cores + 4);
        let chosen = dice.below(7);
        let limit = &mut *limits(&mut target)[chosen].0;
        limit.value = (limit.value + change).max(1);
        let feature = match change {
            -1 => Feature::OneLess,
            0 => Feature::Exact,
            _ => Feature::OneMore,
        };
        (target, feature)
    }
}
