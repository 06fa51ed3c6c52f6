//! Writes layers as HDF5 datasets.
//!
//! The bytes depend on the layers alone: no times, no padding of unknown contents.

use super::layers::{Array, Layer, Neurons, Synapses};
use hdf5_pure::{Error, FileBuilder, GroupBuilder};

/// Width of the strings that name a layer's type.
const TYPE_WIDTH: u32 = 10;

/// The file's bytes.
pub(super) fn write(layers: &[Layer]) -> Result<Vec<u8>, Error> {
    let mut file = FileBuilder::new();
    let mut all = file.create_group("layer");
    for (i, layer) in layers.iter().enumerate() {
        let mut group = all.create_group(&i.to_string());
        match layer {
            Layer::Input { shape } => {
                kind(&mut group, "input")?;
                integers(&mut group, "shape", shape);
            }
            Layer::Flatten => kind(&mut group, "flatten")?,
            Layer::Compute(layer) => {
                integers(&mut group, "shape", &layer.shape);
                synapses(&mut group, &layer.synapses)?;
                neurons(&mut group, &layer.neurons)?;
            }
        }
        all.add_group(group.finish());
    }
    file.add_group(all.finish());
    file.finish()
}

fn synapses(group: &mut GroupBuilder, synapses: &Synapses) -> Result<(), Error> {
    match synapses {
        Synapses::Dense { weight, recurrent, delay } => {
            kind(group, if recurrent.is_some() { "dense_rec" } else { "dense" })?;
            floats(group, "weight", weight);
            if let Some(recurrent) = recurrent {
                floats(group, "weight_rec", recurrent);
            }
            if let Some(delay) = delay {
                floats(group, "delay", delay);
            }
        }
        Synapses::Conv { weight, stride, padding, groups } => {
            kind(group, "conv")?;
            floats(group, "weight", weight);
            integers(group, "stride", stride);
            integers(group, "padding", padding);
            integers(group, "dilation", &[1, 1]);
            let groups = [i64::from(*groups)];
            group.create_dataset("groups").with_i64_data(&groups).with_shape(&[]);
        }
    }
    Ok(())
}

fn neurons(group: &mut GroupBuilder, neurons: &Neurons) -> Result<(), Error> {
    if let Some(bias) = &neurons.bias {
        floats(group, "bias", bias);
    }
    let mut inner = group.create_group("neuron");
    inner.create_dataset("type").with_ascii_strings(&["LOIHI"])?.with_shape(&[]);
    parameters(&mut inner, "iDecay", &neurons.current_decay);
    parameters(&mut inner, "vDecay", &neurons.voltage_decay);
    parameters(&mut inner, "vThMant", &neurons.threshold);
    group.add_group(inner.finish());
    Ok(())
}

/// The type of a layer: an array of one string.
fn kind(group: &mut GroupBuilder, name: &str) -> Result<(), Error> {
    group.create_dataset("type").with_ascii_strings_sized(&[name], TYPE_WIDTH)?;
    Ok(())
}

/// Weights, biases and delays: float32, which the loader casts to integers. All are below 2^24, so
/// that nothing is lost.
fn floats(group: &mut GroupBuilder, name: &str, array: &Array) {
    #[allow(clippy::cast_precision_loss, reason = "they are below 2^24")]
    let values: Vec<f32> = array.values.iter().map(|&v| v as f32).collect();
    group.create_dataset(name).with_f32_data(&values).with_shape(&extents(array));
}

/// Parameters of neurons: integers, because the loader does not cast them and Lava hangs on
/// floating-point ones.
fn parameters(group: &mut GroupBuilder, name: &str, array: &Array) {
    let values: Vec<i64> = array.values.iter().map(|&v| i64::from(v)).collect();
    group.create_dataset(name).with_i64_data(&values).with_shape(&extents(array));
}

fn extents(array: &Array) -> Vec<u64> {
    array.shape.iter().map(|&d| d as u64).collect()
}

fn integers(group: &mut GroupBuilder, name: &str, values: &[u32]) {
    let values: Vec<i64> = values.iter().map(|&v| i64::from(v)).collect();
    group.create_dataset(name).with_i64_data(&values);
}
