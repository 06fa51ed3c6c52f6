//! What a core uses of its target's resources: the one accounting that mapper and verifier share.
//!
//! **Synapse formats.** Distinct (weight exponent, sign mode, weight bits, delay bits). The weight field
//! is the narrowest of [`WEIGHT_FIELDS`](crate::quantized::WEIGHT_FIELDS) that holds the matrix; a
//! projection of hardware delay h needs as many delay bits as the register value h − 1, none for 0.
//!
//! **Synapse memory.** Each input axon owns one list of synapses per format. A block of a dense
//! matrix lists every neuron of its slice, zero weights included, without indices; a block of any
//! other matrix lists the nonzero synapses, each with an index of `ceil(log2(compartments of the
//! core))` bits, at least 6. A listed synapse takes the weight bits and the delay bits of its format, and
//! its index; [`TargetSpec::axon_words`] turns lists into words. Kernels are not shared between axons.
//! **Source**: nengo-loihi 1.1.0, `block.py` (`bits_per_axon`, `WEIGHT_BITS_MAP`, `INDEX_BITS_MAP`), for
//! Loihi 1. For other chips it is an estimate: no public text describes their packing of narrow weights.

use super::{Core, Slice};
use crate::arena::{Entity, ProjId};
use crate::quantized::{
    IntMatrix, IntNeuron, IntReset, Projection, QuantizedDraft, Sign, Structure, Time,
};
use crate::target::TargetSpec;
use std::collections::{BTreeMap, BTreeSet};

/// Resources in use on one core. Output axons depend on the other cores: see [`output_axons`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreUsage {
    /// Compartments: neurons held.
    pub compartments: u64,
    /// Input axons: source neurons that reach the core.
    pub input_axons: u64,
    /// Synapses listed in synapse memory.
    pub synapses: u64,
    /// 64-bit words of synapse memory.
    pub synapse_words: u64,
    /// Distinct (du, dv, refractory period, subtracted amount, update period and phase), and distinct
    /// signs that graded relays keep.
    pub profiles: u64,
    /// Distinct thresholds.
    pub thresholds: u64,
    /// Distinct synapse formats.
    pub formats: u64,
}

/// What distinguishes the synapse formats of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SynapseFormat {
    /// Weight exponent.
    pub exponent: i8,
    /// Sign mode.
    pub sign: Sign,
    /// Bits of a stored weight, one of [`WEIGHT_FIELDS`](crate::quantized::WEIGHT_FIELDS).
    pub weight_bits: u8,
    /// Bits of a stored delay; 0 = every spike arrives in the next step.
    pub delay_bits: u8,
}

impl SynapseFormat {
    /// Bits of a listed synapse, its index left out.
    pub fn bits(self) -> u64 {
        u64::from(self.weight_bits) + u64::from(self.delay_bits)
    }
}

/// Formats of all projections of a network in hardware time, by [`ProjId`] index. **Complexity**:
/// O(projections + stored mantissas).
///
/// # Panics
/// If a projection refers to a matrix that does not exist.
pub fn formats(network: &QuantizedDraft) -> Vec<SynapseFormat> {
    let weight_bits: Vec<u8> = network.matrices.values().map(IntMatrix::weight_bits).collect();
    let format = |projection: &Projection| {
        let IntMatrix { exponent, sign, .. } = network.matrices[projection.matrix];
        let register = projection.delay.saturating_sub(1);
        let delay_bits = (0..32).find(|bits| register >> bits == 0).unwrap_or(32);
        let weight_bits = weight_bits[projection.matrix.index()];
        SynapseFormat { exponent, sign, weight_bits, delay_bits }
    };
    network.projections.values().map(format).collect()
}

/// What `core` uses in a network in hardware time whose projections have these [`formats`].
/// **Complexity**: O(neurons + synapses of the core).
///
/// # Panics
/// If the core refers to populations, neurons or projections that do not exist, or `formats` lacks some.
pub fn core_usage(
    network: &QuantizedDraft,
    formats: &[SynapseFormat],
    core: &Core,
    target: &TargetSpec,
) -> CoreUsage {
    let (profiles, thresholds) = registers(network, core);
    let lists = synapse_lists(network, formats, core);
    let index_bits = index_bits(core.compartments());
    let words = |format: &SynapseFormat, list: &List| {
        let bits = format.bits();
        target.axon_words(list.plain, bits) + target.axon_words(list.indexed, bits + index_bits)
    };
    let of_formats =
        |(format, lists): (_, &Vec<List>)| lists.iter().map(|l| words(format, l)).sum::<u64>();
    CoreUsage {
        compartments: core.compartments() as u64,
        input_axons: core.input_axons() as u64,
        synapses: lists.values().flatten().map(|l| l.plain + l.indexed).sum(),
        synapse_words: lists.iter().map(of_formats).sum(),
        profiles,
        thresholds,
        formats: lists.len() as u64,
    }
}

/// Output axons of each core: for each of its neurons one per core that has an axon for it.
///
/// **Complexity**: O(slices · log slices + axon runs · slices that they meet).
///
/// # Panics
/// If a core refers to populations that do not exist.
pub fn output_axons(network: &QuantizedDraft, cores: &[Core]) -> Vec<u64> {
    let mut placed: Vec<Vec<(Slice, usize)>> = vec![Vec::new(); network.populations.len()];
    for (index, core) in cores.iter().enumerate() {
        for slice in &core.slices {
            placed[slice.population.index()].push((*slice, index));
        }
    }
    for slices in &mut placed {
        slices.sort_unstable();
    }
    let mut axons = vec![0; cores.len()];
    for run in cores.iter().flat_map(|c| &c.axons) {
        let slices = &placed[run.population.index()];
        let first = slices.partition_point(|(s, _)| s.end() <= u64::from(run.start));
        let met = slices[first..].iter().take_while(|(s, _)| u64::from(s.start) < run.end());
        for (slice, core) in met {
            let start = u64::from(slice.start.max(run.start));
            axons[*core] += slice.end().min(run.end()).saturating_sub(start);
        }
    }
    axons
}

/// Entries of one axon's list in one format.
#[derive(Clone, Copy, Default)]
struct List {
    /// Without an index.
    plain: u64,
    /// With an index.
    indexed: u64,
}

/// The lists of every axon, by format.
fn synapse_lists(
    network: &QuantizedDraft,
    formats: &[SynapseFormat],
    core: &Core,
) -> BTreeMap<SynapseFormat, Vec<List>> {
    // Blocks of one projection and slice share one pass over the rows of the slice.
    let mut groups: BTreeMap<(ProjId, u32), Vec<u32>> = BTreeMap::new();
    for block in &core.blocks {
        groups.entry((block.projection, block.slice)).or_default().push(block.axons);
    }
    let mut axons = 0;
    let mut first_axons = Vec::with_capacity(core.axons.len());
    for run in &core.axons {
        first_axons.push(axons);
        axons += run.len as usize;
    }
    let mut lists: BTreeMap<SynapseFormat, Vec<List>> = BTreeMap::new();
    for ((projection, slice), runs) in groups {
        let format = formats[projection.index()];
        let matrix = &network.matrices[network.projections[projection].matrix];
        let slice = &core.slices[slice as usize];
        let lists = lists.entry(format).or_insert_with(|| vec![List::default(); axons]);
        let dense = matches!(matrix.structure, Structure::Dense { .. });
        let mut listed = Vec::new();
        if !dense {
            listed.resize(matrix.structure.cols(), 0);
            for row in slice.neurons() {
                matrix.for_row(row, |source, _| listed[source] += 1);
            }
        }
        for run in runs {
            let sources = core.axons[run as usize].neurons();
            let lists = &mut lists[first_axons[run as usize]..][..sources.len()];
            for (list, source) in lists.iter_mut().zip(sources) {
                if dense {
                    list.plain += u64::from(slice.len);
                } else {
                    list.indexed += listed[source];
                }
            }
        }
    }
    lists
}

/// Bits that number the compartments of a core; the chip has no index field below 6 bits.
fn index_bits(compartments: usize) -> u64 {
    let bits = usize::BITS - compartments.saturating_sub(1).leading_zeros();
    u64::from(bits).max(6)
}

/// Numbers of distinct compartment profiles and thresholds. Graded relays need one profile for each sign
/// that they keep, and no threshold.
fn registers(network: &QuantizedDraft, core: &Core) -> (u64, u64) {
    let mut profiles = BTreeSet::new();
    let mut relays = BTreeSet::new();
    let mut thresholds = BTreeSet::new();
    for slice in &core.slices {
        let population = &network.populations[slice.population];
        relays.extend(population.graded().map(|graded| graded.keep));
        let Some(neuron) = population.neuron() else {
            continue;
        };
        let phase = match &network.time {
            Time::Hardware(s) => s.latency[slice.population.index()] % neuron.update_period.max(1),
            Time::Logical => 0,
        };
        let mut add = |n: usize| {
            let shape = &population.shape;
            let subtract = match &neuron.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => Some(amount.at(n, shape)),
            };
            let decays = (neuron.du.at(n, shape), neuron.dv.at(n, shape));
            profiles.insert((decays, neuron.refractory, subtract, neuron.update_period, phase));
            thresholds.insert(neuron.threshold.at(n, shape));
        };
        if uniform(neuron) {
            add(slice.start as usize);
        } else {
            slice.neurons().for_each(&mut add);
        }
    }
    ((profiles.len() + relays.len()) as u64, thresholds.len() as u64)
}

/// Whether all neurons of a population share profile and threshold.
fn uniform(neuron: &IntNeuron) -> bool {
    let amounts = match &neuron.reset {
        IntReset::Zero => 1,
        IntReset::Subtract(amount) => amount.len(),
    };
    [neuron.du.len(), neuron.dv.len(), neuron.threshold.len(), amounts] == [1; 4]
}
