//! Workloads as npz files, for other simulators.

use super::workload::Net;
use crate::files;
use snnc_frontend::arrays::{Array, ArrayData, write_npz};
use snnc_ir::Diagnostics;
use snnc_ir::network::Network;
use snnc_ir::quantized::{PopKind, QuantizedNetwork, Structure};
use snnc_runtime::{Signal, Stimulus};
use std::path::Path;

type Arrays = Vec<(String, Array)>;

/// Writes what a run needs: of a float network every tensor (`t0`, …, in the order of the layers, each
/// weight before its bias) and the input as `[samples, steps, neurons]`; of an integer network the
/// rows of its matrix (`row_start`, `col`, `weight`), `bias`, `threshold` and `steps`.
pub(super) fn write(net: &Net, stimuli: &[Stimulus], file: &Path) -> Result<(), Diagnostics> {
    let arrays = match net {
        Net::Float(network) => float(network, stimuli),
        Net::Integer(network) => integer(network),
    };
    files::write(file, &write_npz(&arrays)?)?;
    Ok(())
}

fn float(network: &Network, stimuli: &[Stimulus]) -> Arrays {
    let tensors = network.tensors.values().map(|t| {
        let shape = t.shape.0.iter().map(|&d| d as usize).collect();
        (t.name.clone(), Array { shape, data: ArrayData::F32(t.data.clone()) })
    });
    let mut arrays: Arrays = tensors.collect();
    let trains: Vec<_> = stimuli
        .iter()
        .flat_map(|s| &s.inputs)
        .filter_map(|signal| match signal {
            Signal::Spikes(train) => Some(train),
            Signal::Frame(_) => None,
        })
        .collect();
    if let [first, ..] = trains[..] {
        let shape = vec![trains.len(), first.steps(), first.neurons()];
        let mut data = vec![0_u8; shape.iter().product()];
        for (sample, train) in data.chunks_mut(first.steps() * first.neurons()).zip(trains) {
            for (t, row) in sample.chunks_mut(train.neurons()).enumerate() {
                train.active(t).for_each(|n| row[n] = 1);
            }
        }
        arrays.push(("input".to_owned(), Array { shape, data: ArrayData::U8(data) }));
    }
    arrays
}

fn integer(network: &QuantizedNetwork) -> Arrays {
    let mut arrays = Arrays::new();
    let mut add = |name: &str, values: Vec<i32>| {
        let shape = vec![values.len()];
        arrays.push((name.to_owned(), Array { shape, data: ArrayData::I32(values) }));
    };
    let index = |values: &[u32]| values.iter().map(|&v| v.cast_signed()).collect();
    for matrix in network.matrices.values() {
        if let Structure::Sparse { row_start, col, .. } = &matrix.structure {
            add("row_start", index(row_start));
            add("col", index(col));
            add("weight", (0..col.len()).map(|i| matrix.weight(i)).collect());
        }
    }
    for population in network.populations.values() {
        if let PopKind::Neurons(neuron) = &population.kind {
            add("bias", neuron.bias.expand(&population.shape));
            add("threshold", neuron.threshold.values().to_vec());
        }
    }
    add("steps", vec![network.steps.cast_signed()]);
    arrays
}
