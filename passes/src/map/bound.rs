//! Least number of cores that a network takes, from what it needs in all: found in time independent
//! of the number of synapses of a convolution, so that a network far beyond the target is refused at
//! once instead of after mapping what does fit.

use snnc_ir::TargetSpec;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::quantized::{IntMatrix, Structure};
use snnc_ir::target::Limit;
use std::collections::BTreeSet;

/// Bits of the index of a listed synapse, at the least.
const INDEX_BITS: u64 = 6;

/// A lower bound on the cores, and the resource that sets it.
pub(super) struct Bound<'t> {
    /// Cores at least needed.
    pub(super) cores: u64,
    /// What is needed in all.
    pub(super) needed: u64,
    /// Name of the resource.
    pub(super) resource: &'static str,
    /// What one core has of it.
    pub(super) limit: &'t Limit,
}

/// The tightest of the bounds: every compartment and every synapse lies on some core.
pub(super) fn bound<'t>(accounting: &Accounting<'_>, target: &'t TargetSpec) -> Bound<'t> {
    let network = accounting.network();
    let neurons = network.populations.values().filter(|p| !p.is_input());
    let neurons = neurons.fold(0_u64, |n, p| n.saturating_add(p.size() as u64));
    let shared = target.shared_kernels.value != 0;
    let mut counted = BTreeSet::new();
    let mut bits = 0_u64;
    for ((id, projection), format) in network.projections.iter().zip(accounting.formats()) {
        let matrix = &network.matrices[projection.matrix];
        let sparse = matches!(matrix.structure, Structure::Sparse { .. });
        let (values, index) = if shared { stored(matrix) } else { listed(matrix) };
        // One core may serve all projections that store the same.
        let stored = (accounting.content(id), *format, projection.delay);
        if !shared || sparse || counted.insert(stored) {
            bits = bits.saturating_add(values.saturating_mul(format.bits() + index));
        }
    }
    let of = |resource, needed: u64, limit: &'t Limit| {
        let per_core = u64::try_from(limit.value).unwrap_or(0).max(1);
        Bound { cores: needed.div_ceil(per_core), needed, resource, limit }
    };
    let memory = of("words of synapse memory", bits / 64, &target.synapse_words);
    let compartments = of("compartments", neurons, &target.compartments);
    if memory.cores > compartments.cores { memory } else { compartments }
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

/// Synapses that lists for each axon hold at the least, and the bits of the index of each.
fn listed(matrix: &IntMatrix) -> (u64, u64) {
    // A dense list holds zeros too, but a source without synapses on a core has no list there.
    let dense = matches!(matrix.structure, Structure::Dense { .. });
    (matrix.synapses(), if dense { 0 } else { INDEX_BITS })
}
