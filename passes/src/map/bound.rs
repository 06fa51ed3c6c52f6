//! Least number of cores that a network takes, from what it needs in all: found in time independent
//! of the number of synapses of a convolution, so that a network far beyond the target is refused at
//! once instead of after mapping what does fit.

use super::misfit::Resource;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::quantized::{IntMatrix, Population, Structure};
use snnc_ir::target::Limit;
use snnc_ir::{Entity, TargetSpec};
use std::collections::BTreeSet;

/// Bits of the index of a listed synapse, at the least.
const INDEX_BITS: u64 = 6;

/// A lower bound on the cores, and the resource that sets it.
pub(super) struct Bound {
    /// Cores at least needed.
    pub(super) cores: u64,
    /// What is needed in all.
    pub(super) needed: u64,
    /// Of what.
    pub(super) resource: Resource,
    /// What each population needs, at the least.
    pub(super) by_population: Vec<u64>,
}

/// Every compartment and every synapse lies on some core.
pub(super) fn bounds(accounting: &Accounting<'_>, target: &TargetSpec) -> [Bound; 2] {
    let network = accounting.network();
    let neurons = |p: &Population| if p.is_input() { 0 } else { p.size() as u64 };
    let neurons: Vec<u64> = network.populations.values().map(neurons).collect();
    let shared = target.shared_kernels.value != 0;
    let mut counted = BTreeSet::new();
    let mut bits = vec![0_u64; neurons.len()];
    for ((id, projection), format) in network.projections.iter().zip(accounting.formats()) {
        let matrix = &network.matrices[projection.matrix];
        let sparse = matches!(matrix.structure, Structure::Sparse { .. });
        let (values, index) = if shared {
            stored(matrix)
        } else if target.list_bases.value > 0 {
            moved(matrix, accounting.cells(projection.matrix))
        } else {
            listed(matrix)
        };
        // One core may serve all projections that store the same.
        let stored = (accounting.content(id), *format, projection.delay);
        if !shared || sparse || counted.insert(stored) {
            let bits = &mut bits[projection.target.index()];
            *bits = bits.saturating_add(values.saturating_mul(format.bits() + index));
        }
    }
    let words = bits.iter().fold(0_u64, |all, bits| all.saturating_add(*bits)) / 64;
    let by_population = bits.into_iter().map(|bits| bits / 64).collect();
    let of = |resource, needed: u64, limit: &Limit, by_population| {
        let per_core = u64::try_from(limit.value).unwrap_or(0).max(1);
        Bound { cores: needed.div_ceil(per_core), needed, resource, by_population }
    };
    let all = neurons.iter().fold(0_u64, |all, n| all.saturating_add(*n));
    [
        of(Resource::Compartments, all, &target.compartments, neurons),
        of(Resource::SynapseWords, words, &target.synapse_words, by_population),
    ]
}

/// Values that memory stores once at the least, and the bits of the index of each.
fn stored(matrix: &IntMatrix) -> (u64, u64) {
    match &matrix.structure {
        // A kernel is stored with its zeros, but only where it is read at all.
        Structure::Conv(conv) => {
            let taps = conv.tap_counts();
            let area = taps.len().max(1);
            let read = |kernel: &&[i16]| kernel.iter().zip(&taps).any(|(m, &n)| *m != 0 && n > 0);
            let kernels = matrix.mantissa.chunks_exact(area).filter(read).count();
            ((kernels * area) as u64, 0)
        }
        Structure::Identity { size } => {
            (u64::from(*size > 0 && matrix.mantissa.iter().any(|m| *m != 0)), 0)
        }
        // Equal columns share a list.
        Structure::Dense { rows, cols } => {
            let entry = |row: u32, col: u32| matrix.mantissa[(row * cols + col) as usize];
            let column = |col| (0..*rows).map(|row| entry(row, col)).collect::<Vec<_>>();
            let columns: BTreeSet<Vec<i16>> = (0..*cols).map(column).collect();
            (columns.iter().flatten().filter(|m| **m != 0).count() as u64, 0)
        }
        Structure::Sparse { .. } => listed(matrix),
    }
}

/// Entries that lists which pixels share hold at the least, and the bits of the index of each.
fn moved(matrix: &IntMatrix, cells: &[u32]) -> (u64, u64) {
    match &matrix.structure {
        // Every cell that acts anywhere is in some list, equal ones in one.
        Structure::Conv(conv) => {
            let mut taps = vec![0; cells.len()];
            for (count, cell) in conv.tap_counts().iter().zip(cells) {
                taps[*cell as usize] += count;
            }
            let values = matrix.mantissa.iter().zip(taps.iter().cycle());
            (values.filter(|(m, n)| **m != 0 && **n > 0).count() as u64, INDEX_BITS)
        }
        Structure::Identity { .. } => (stored(matrix).0, INDEX_BITS),
        Structure::Dense { .. } | Structure::Sparse { .. } => listed(matrix),
    }
}

/// Synapses that lists for each axon hold at the least, and the bits of the index of each.
fn listed(matrix: &IntMatrix) -> (u64, u64) {
    // A dense list holds zeros too, but a source without synapses on a core has no list there.
    let dense = matches!(matrix.structure, Structure::Dense { .. });
    (matrix.synapses(), if dense { 0 } else { INDEX_BITS })
}
