//! What a core uses of its target's resources: the one accounting that mapper and verifier share.
//!
//! **Synapse memory.** Each input axon owns one list of synapses per synapse format. A list takes
//! [`TargetSpec::axon_words`] words, with 8 weight bits, the format's delay bits, and index bits:
//! none where a dense matrix is stored (every neuron of the slice has an entry, zeros included),
//! else enough to number the compartments of the core, at least 6. **Source**: nengo-loihi 1.1.0,
//! `block.py` (`bits_per_axon`, `INDEX_BITS_MAP`).

use crate::arena::Entity;
use crate::mapped::{Block, Core, Slice};
use crate::quantized::{IntReset, Projection, QuantizedDraft, Sign, Structure, Time};
use crate::target::TargetSpec;
use std::collections::{BTreeMap, BTreeSet};

/// Resources in use on one core. Output axons depend on the other cores: see [`output_axons`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreUsage {
    /// Compartments.
    pub compartments: u64,
    /// Input axons.
    pub input_axons: u64,
    /// 64-bit words of synapse memory.
    pub synapse_words: u64,
    /// Distinct compartment profiles.
    pub profiles: u64,
    /// Distinct thresholds.
    pub thresholds: u64,
    /// Distinct synapse formats.
    pub formats: u64,
}

/// What distinguishes the synapse formats of a core: exponent, sign mode, bits of the delay.
pub type FormatKey = (i8, Sign, u32);

/// Format of a projection's synapses (hardware time).
pub fn format_of(network: &QuantizedDraft, projection: &Projection) -> FormatKey {
    let matrix = &network.matrices[projection.matrix];
    let register = projection.delay.saturating_sub(1);
    (matrix.exponent, matrix.sign, u32::BITS - register.leading_zeros())
}

/// Resources that `core` uses. Complexity: O(synapses into the core).
pub fn core_usage(network: &QuantizedDraft, core: &Core, target: &TargetSpec) -> CoreUsage {
    let mut lists: BTreeMap<FormatKey, Vec<List>> = BTreeMap::new();
    let first = first_axons(core);
    for block in &core.blocks {
        let format = format_of(network, &network.projections[block.projection]);
        let lists =
            lists.entry(format).or_insert_with(|| vec![List::default(); core.input_axons()]);
        count_block(network, core, block, &mut lists[first[block.axons as usize]..]);
    }
    let index_bits = index_bits(core.compartments());
    let words = |(format, lists): (&FormatKey, &Vec<List>)| -> u64 {
        let bits = 8 + u64::from(format.2);
        lists
            .iter()
            .map(|l| {
                target.axon_words(l.dense, bits) + target.axon_words(l.listed, bits + index_bits)
            })
            .sum()
    };
    let (profiles, thresholds) = registers(network, core);
    CoreUsage {
        compartments: core.compartments() as u64,
        input_axons: core.input_axons() as u64,
        synapse_words: lists.iter().map(words).sum(),
        profiles,
        thresholds,
        formats: lists.len() as u64,
    }
}

/// Output axons of every core: one per neuron and core that has an input axon for it.
///
/// Complexity: O(axons + neurons).
pub fn output_axons(network: &QuantizedDraft, cores: &[Core]) -> Vec<u64> {
    let mut reached: Vec<Vec<u64>> =
        network.populations.values().map(|p| vec![0; p.size()]).collect();
    for run in cores.iter().flat_map(|c| &c.axons) {
        for n in neurons(run, &mut reached[run.population.index()]) {
            *n += 1;
        }
    }
    cores
        .iter()
        .map(|core| {
            let of_slice = |s: &Slice| -> u64 {
                let counts = &reached[s.population.index()];
                counts[s.start as usize..(s.start + s.len) as usize].iter().sum()
            };
            core.slices.iter().map(of_slice).sum()
        })
        .collect()
}

fn neurons<'a>(slice: &Slice, of: &'a mut [u64]) -> &'a mut [u64] {
    &mut of[slice.start as usize..(slice.start + slice.len) as usize]
}

/// Entries of one axon's list in one format.
#[derive(Clone, Copy, Default)]
struct List {
    /// Without index bits.
    dense: u64,
    /// With index bits.
    listed: u64,
}

/// Adds the entries of `block`; `lists` starts at the block's first axon.
fn count_block(network: &QuantizedDraft, core: &Core, block: &Block, lists: &mut [List]) {
    let run = core.axons[block.axons as usize];
    let slice = core.slices[block.slice as usize];
    let matrix = &network.matrices[network.projections[block.projection].matrix];
    if matches!(matrix.structure, Structure::Dense { .. }) {
        let entries = u64::from(slice.len);
        lists[..run.len as usize].iter_mut().for_each(|l| l.dense += entries);
        return;
    }
    let sources = run.start as usize..(run.start + run.len) as usize;
    for row in slice.start..slice.start + slice.len {
        matrix.for_row(row as usize, |source, _| {
            if sources.contains(&source) {
                lists[source - sources.start].listed += 1;
            }
        });
    }
}

/// First axon of each run.
fn first_axons(core: &Core) -> Vec<usize> {
    core.axons
        .iter()
        .scan(0, |next, run| {
            let first = *next;
            *next += run.len as usize;
            Some(first)
        })
        .collect()
}

/// Bits that number the compartments of a core; the chip has no index field below 6 bits.
fn index_bits(compartments: usize) -> u64 {
    u64::from(compartments.next_power_of_two().trailing_zeros()).max(6)
}

/// Distinct compartment profiles and thresholds.
fn registers(network: &QuantizedDraft, core: &Core) -> (u64, u64) {
    let mut profiles = BTreeSet::new();
    let mut thresholds = BTreeSet::new();
    for slice in &core.slices {
        let population = &network.populations[slice.population];
        let Some(neuron) = population.neuron() else { continue };
        let shape = &population.shape;
        for n in slice.start as usize..(slice.start + slice.len) as usize {
            let subtract = match &neuron.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => Some(amount.at(n, shape)),
            };
            let phase = match (&network.time, neuron.update_period) {
                (Time::Hardware(s), period) if period > 1 => {
                    s.latency[slice.population.index()] % period
                }
                _ => 0,
            };
            profiles.insert((
                neuron.du.at(n, shape),
                neuron.dv.at(n, shape),
                neuron.refractory,
                subtract,
                neuron.update_period,
                phase,
            ));
            thresholds.insert(neuron.threshold.at(n, shape));
        }
    }
    (profiles.len() as u64, thresholds.len() as u64)
}
