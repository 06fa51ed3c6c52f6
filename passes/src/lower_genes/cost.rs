//! What a chain of stages costs, against the matrix that it multiplies out to.
//!
//! The unit is a value of synapse memory. A relay is counted as a quarter of the values that its share of a core
//! would hold: a core with `c` compartments and `w` words of 64 bits holds `8 w / c` values of 8 bits per
//! compartment. In full it would be dear on a core without a free compartment, but few cores run out of compartments and memory
//! at once, and a kernel lies on every core of its layer. On ResNet-18 and VGG-16 with 64 and 128
//! genes, from a tenth to a half of the share take equally few cores, 1 to 19 % fewer than all of it. A tensor that several chains use in one form counts in parts, one for each: `G (N_in +
//! N_out) + G²` where the interactions are used once, and no `G²` in the limit of many layers.

use super::Aim;
use super::site::{Association, Factor, Site, Stage};
use snnc_ir::TargetSpec;
use snnc_ir::arena::TensorId;
use std::collections::{BTreeMap, BTreeSet};

/// How much smaller a chain has to be to be worth its latency and its messages. Its kernels lie on more cores than the
/// matrix would, too: with 128 genes, ResNet-18 takes twice the memory where it is smaller by less.
pub(super) const CLEAR: f64 = 1.5;

/// The part of its share of a core's memory that a relay is charged.
const CHARGE: f64 = 0.25;

/// What makes two tensors of stages one: the factor, the tensors it comes from, kernel and scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    factor: Factor,
    from: [Option<TensorId>; 2],
    kernel: Option<[u32; 2]>,
    scale: Option<u64>,
}

impl Key {
    pub(super) fn of(site: &Site, stage: &Stage) -> Self {
        let genes = site.genes;
        let (from, scaled) = match stage.factor {
            Factor::Source => ([Some(genes.source), None], false),
            Factor::SourceCore => ([Some(genes.source), Some(genes.core)], false),
            Factor::Core => ([Some(genes.core), None], false),
            Factor::CoreOut => ([Some(genes.out), Some(genes.core)], true),
            Factor::Out => ([Some(genes.out), None], true),
        };
        Self {
            factor: stage.factor,
            from,
            kernel: stage.conv.map(|c| c.kernel),
            scale: scaled.then_some(site.scale.to_bits()),
        }
    }

    /// The tensors that the factor is made of.
    pub(super) fn origins(&self) -> Vec<TensorId> {
        self.from.into_iter().flatten().collect()
    }
}

/// How many encoded weights could use a tensor.
#[derive(Debug, Default)]
pub(super) struct Uses {
    stages: BTreeMap<Key, u32>,
    /// First stages that read the same, too: they and their relays are one.
    first: BTreeMap<First, u32>,
    weights: BTreeMap<TensorId, u32>,
}

/// What makes two first stages one: tensor, elements and what they read.
type First = (Key, u32, [u32; 2]);

fn first(site: &Site, association: Association) -> Option<First> {
    let stages = site.chain(association)?;
    let stage = stages.first()?;
    Some((Key::of(site, stage), stage.neurons, site.reads?))
}

impl Uses {
    pub(super) fn of(sites: &[Site]) -> Self {
        let mut uses = Self::default();
        for site in sites {
            *uses.weights.entry(site.weight).or_default() += 1;
            let chains = Association::ALL.iter().filter_map(|a| site.chain(*a));
            let keys: BTreeSet<Key> = chains.flatten().map(|s| Key::of(site, &s)).collect();
            for key in keys {
                *uses.stages.entry(key).or_default() += 1;
            }
            // `(Eo·O)(Eiᵀ)` and `(Eo)(O)(Eiᵀ)` begin alike.
            for association in [Association::Inner, Association::Neither] {
                if let Some(key) = first(site, association) {
                    *uses.first.entry(key).or_default() += 1;
                }
            }
        }
        uses
    }
}

/// A chain with what it costs.
#[derive(Clone, Debug)]
pub(super) struct Cost {
    pub association: Association,
    pub stages: Vec<Stage>,
    /// Values of all stages.
    pub values: u64,
    /// The same, tensors that several chains use counted in parts.
    pub shared: f64,
    /// Neurons between the stages.
    pub relays: u64,
    /// What the relays take of cores, in values; those that several chains begin with in parts.
    pub relay_values: f64,
}

impl Cost {
    /// Values stored and, unless only they matter, what the relays take.
    pub(super) fn weighed(&self, aim: Aim) -> f64 {
        if aim == Aim::Cores { self.shared + self.relay_values } else { self.shared }
    }

    /// Steps of the chip that a spike takes longer.
    pub(super) fn latency(&self) -> usize {
        self.stages.len() - 1
    }

    /// Synaptic operations in a step in which every source fires: those of spikes and those of relays.
    pub(super) fn operations(&self) -> [f64; 2] {
        let mut all = self.stages.iter().map(Stage::synapses);
        [all.next().unwrap_or(0.0), all.sum()]
    }
}

/// What the matrix of a site costs, its values counted in parts if several nodes use it.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn materialized(site: &Site, uses: &Uses) -> f64 {
    site.values() as f64 / f64::from(uses.weights.get(&site.weight).copied().unwrap_or(1))
}

/// What a relay is charged, in values of 8 bits.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn values_per_relay(target: &TargetSpec) -> f64 {
    CHARGE * 8.0 * target.synapse_words.value as f64 / (target.compartments.value.max(1)) as f64
}

/// Every chain of a site with its cost.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn chains(site: &Site, uses: &Uses, target: &TargetSpec) -> Vec<Cost> {
    let cost = |&association: &Association| {
        let stages = site.chain(association)?;
        let (last, before) = stages.split_last()?;
        debug_assert_eq!(last.rows, site.rows);
        let relays = before.iter().map(|s| u64::from(s.neurons)).sum::<u64>();
        let alike = first(site, association).and_then(|key| uses.first.get(&key)).copied();
        let shared = before.first().map_or(0.0, |s| f64::from(s.neurons));
        let own = relays as f64 - shared + shared / f64::from(alike.unwrap_or(1).max(1));
        let part = |s: &Stage| {
            let users = uses.stages.get(&Key::of(site, s)).copied().unwrap_or(1);
            s.values() as f64 / f64::from(users)
        };
        Some(Cost {
            association,
            values: stages.iter().map(Stage::values).sum(),
            shared: stages.iter().map(part).sum(),
            relays,
            relay_values: own * values_per_relay(target),
            stages,
        })
    };
    Association::ALL.iter().filter_map(cost).collect()
}

/// The chain that weighs least. Less latency decides between equals.
pub(super) fn least(costs: Vec<Cost>, aim: Aim) -> Option<Cost> {
    let better =
        |best: Cost, next: Cost| if next.weighed(aim) < best.weighed(aim) { next } else { best };
    costs.into_iter().reduce(better)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums of small whole numbers are exact")]
mod tests {
    use super::*;
    use crate::fixtures::target;
    use snnc_ir::Entity;
    use snnc_ir::arena::NodeId;
    use snnc_ir::conv::Conv;
    use snnc_ir::network::{Genes, Scheme};

    const G: u32 = 8;

    fn site(scheme: Scheme, [rows, columns]: [u32; 2], conv: Option<Conv>) -> Site {
        let [out, core, source, weight] = [0, 1, 2, 3].map(TensorId::new);
        Site {
            node: NodeId::new(0),
            weight,
            genes: Genes { out, core, source },
            scheme,
            scale: 0.5,
            conv,
            rows,
            columns,
            reads: None,
            genes_out: G,
            genes_in: G,
        }
    }

    fn conv(stride: u32, kernel: u32) -> Conv {
        Conv {
            input: [20, 10, 10],
            out_channels: 30,
            kernel: [kernel; 2],
            stride: [stride; 2],
            pad: [kernel / 2; 4],
            groups: 1,
            crop: [0; 4],
        }
    }

    fn costs(site: &Site) -> Vec<Cost> {
        chains(site, &Uses::of(std::slice::from_ref(site)), &target())
    }

    #[test]
    fn a_matrix_costs_g_times_both_ends_and_the_square_of_g() {
        let site = site(Scheme::Linear, [100, 200], None);
        let [inner, outer, neither] = &costs(&site)[..] else { panic!("three chains") };
        assert_eq!(site.values(), 100 * 200);
        assert_eq!([inner.values, outer.values, neither.values], [8 * 300, 8 * 300, 8 * 300 + 64]);
        assert_eq!([inner.relays, outer.relays, neither.relays], [8, 8, 16]);
        assert_eq!([inner.latency(), neither.latency()], [1, 2]);
        // Spikes reach 8 relays each, relays 100 neurons each.
        assert_eq!(inner.operations(), [1600.0, 800.0]);
        // A quarter of 16384 words of 8 values for 1024 compartments.
        assert_eq!(inner.relay_values, 8.0 * 32.0);
    }

    #[test]
    fn one_core_for_every_offset_is_the_kernel_of_the_stage_between() {
        let site = site(Scheme::PerOffset, [30, 20], Some(conv(2, 3)));
        let [inner, outer, neither] = &costs(&site)[..] else { panic!("three chains") };
        assert_eq!(site.values(), 30 * 20 * 9);
        assert_eq!(neither.values, 8 * (20 + 30) + 9 * 64);
        assert_eq!([inner.values, outer.values], [9 * 8 * 20 + 8 * 30, 8 * 20 + 9 * 8 * 30]);
        // 1x1 before the strided stage, at 10 x 10; behind it at 5 x 5.
        assert_eq!(neither.relays, 8 * 100 + 8 * 25);
        assert_eq!([inner.relays, outer.relays], [8 * 25, 8 * 100]);
        let geometry = |i: usize| neither.stages[i].conv.expect("a convolution");
        assert_eq!([0, 1, 2].map(|i| geometry(i).kernel), [[1, 1], [3, 3], [1, 1]]);
        assert_eq!([0, 1, 2].map(|i| geometry(i).stride), [[1, 1], [2, 2], [1, 1]]);
        assert_eq!(geometry(2).output(), Some([30, 5, 5]));
    }

    #[test]
    fn fan_in_keeps_the_kernel_in_front() {
        let site = site(Scheme::FlatFanIn, [30, 20], Some(conv(1, 3)));
        let [inner, outer, neither] = &costs(&site)[..] else { panic!("three chains") };
        assert_eq!(neither.values, 8 * (9 * 20 + 30) + 64);
        assert_eq!([inner.values, outer.values], [8 * (9 * 20 + 30); 2]);
        assert_eq!([inner.relays, outer.relays, neither.relays], [800, 800, 1600]);
    }

    #[test]
    fn a_kernel_of_one_cell_strides_at_once() {
        let site = site(Scheme::PerOffset, [30, 20], Some(conv(2, 1)));
        let neither = &costs(&site)[2];
        assert_eq!(neither.relays, 2 * 8 * 25);
    }

    #[test]
    fn what_is_shared_counts_in_parts() {
        let one = site(Scheme::Linear, [100, 200], None);
        let mut two = site(Scheme::Linear, [100, 200], None);
        two.weight = TensorId::new(4);
        two.genes.source = TensorId::new(5);
        let uses = Uses::of(&[one.clone(), two]);
        let all = chains(&one, &uses, &target());
        // Both have the encodings of the targets and the interactions.
        assert_eq!(all[2].shared, 8.0 * (200.0 + 100.0 / 2.0) + 64.0 / 2.0);
        assert_eq!(all[0].shared, 8.0 * (200.0 + 100.0 / 2.0));
        assert_eq!(materialized(&one, &uses), 20000.0);
    }

    #[test]
    fn chains_that_begin_alike_share_their_relays() {
        let mut one = site(Scheme::Linear, [100, 200], None);
        one.reads = Some([7, 0]);
        let mut two = one.clone();
        (two.weight, two.genes.out) = (TensorId::new(4), TensorId::new(5));
        let mut late = one.clone();
        late.reads = Some([7, 1]);
        let all = |sites: &[Site]| chains(&one, &Uses::of(sites), &target());
        let [inner, _, neither] = &all(&[one.clone(), two, late])[..] else { panic!("three") };
        assert_eq!(inner.relay_values, 32.0 * 8.0 / 2.0);
        assert_eq!(neither.relay_values, 32.0 * (8.0 / 2.0 + 8.0));
    }

    #[test]
    fn least_memory_wins_and_relays_may_count() {
        let site = site(Scheme::PerOffset, [30, 20], Some(conv(2, 3)));
        let chosen = |aim| least(costs(&site), aim).unwrap().association;
        assert_eq!([Aim::Memory, Aim::Factors].map(chosen), [Association::Neither; 2]);
        assert_eq!(chosen(Aim::Cores), Association::Inner);
    }
}
