//! Batched simulators on burn tensors (feature `burn`).
//!
//! All samples of a batch go through a network together, `[batch, neurons]` per population and
//! step. Results equal those of [`crate::float`] and [`crate::integer`] exactly:
//!
//! * [`FloatSim`] repeats the stated order of operations with element-wise tensor operations. A
//!   matrix product may add in any order, in blocks and with fused multiply-add, so floats never go
//!   through one.
//! * [`IntSim`] keeps u and v in i32. Sums of weights (times messages) go through an f32 matrix
//!   product where `Σ|w|·|m| ≤ 2^24` holds for every neuron: then every partial sum, in whatever
//!   order, is an integer that f32 holds exactly. Elsewhere the product is taken in i32. Networks
//!   whose messages could exceed 2^24 are refused.
//!
//! Spikes stay on the device over all steps and are read back once, at the end of a run. Membranes
//! are not recorded here: repeat a sample with [`crate::float`] or [`crate::integer`] for that.
//!
//! Exactness presupposes IEEE f32 on the device: [`cpu`] has it, a GPU that multiplies matrices in
//! reduced precision (TF32) has not.

mod conv;
mod float;
mod float_neuron;
mod float_ops;
mod int;
mod int_bounds;
mod int_state;
mod int_weights;

use crate::error::SimError;
use crate::messages::MessageTrain;
pub use burn::tensor::Device;
use burn::tensor::{DType, FloatDType, IntDType, Tensor, TensorData};
pub use float::FloatSim;
pub use int::IntSim;
#[cfg(feature = "gpu")]
pub(crate) use int_bounds::Bounds;
use snnc_ir::spikes::SpikeTrain;

/// The CPU through ndarray.
#[expect(deprecated, reason = "burn 0.22 still has ndarray; its successor arrives with the next")]
pub fn cpu() -> Device {
    Device::ndarray()
}

/// Integer tensors are i32 throughout: the default differs between devices.
const INT: IntDType = IntDType::I32;

/// A float tensor, `[rows, cols]`.
fn matrix(data: Vec<f32>, [rows, cols]: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(data, [rows, cols]), (device, DType::F32))
}

/// One value per neuron, repeated for `batch` samples.
fn per_neuron(data: Vec<f32>, batch: usize, device: &Device) -> Tensor<2> {
    let n = data.len();
    matrix(data, [1, n], device).repeat_dim(0, batch)
}

fn zeros(batch: usize, neurons: usize, device: &Device) -> Tensor<2> {
    Tensor::zeros([batch, neurons], (device, DType::F32))
}

/// Trains of one population for all samples, as `[steps · batch, neurons]`, step-major.
fn upload(trains: &[&SpikeTrain], steps: usize, neurons: usize, device: &Device) -> Tensor<2> {
    let batch = trains.len();
    let mut data = vec![0.0; steps * batch * neurons];
    for (sample, train) in trains.iter().enumerate() {
        for t in 0..steps {
            let row = (t * batch + sample) * neurons;
            train.active(t).for_each(|n| data[row + n] = 1.0);
        }
    }
    matrix(data, [steps * batch, neurons], device)
}

/// Values of a run read back from the device: `columns` values per step and sample.
struct ReadBack {
    data: Vec<f32>,
    batch: usize,
    columns: usize,
}

impl ReadBack {
    /// Joins the values of each step (tensors of `batch` rows) and reads them in one go.
    fn new(steps: Vec<Tensor<2>>, batch: usize, columns: usize) -> Result<Self, SimError> {
        let failed = |e: String| SimError::Tensor(e);
        let joined = Tensor::cat(steps, 0).cast(FloatDType::F32);
        let data = joined.try_into_vec_as::<f32>().map_err(|e| failed(e.to_string()))?;
        Ok(Self { data, batch, columns })
    }

    /// Values of one sample and step from column `first` on.
    fn row(&self, step: usize, sample: usize, first: usize, len: usize) -> &[f32] {
        let start = (step * self.batch + sample) * self.columns + first;
        &self.data[start..start + len]
    }

    /// Marks the spikes or messages of one sample, whose columns start at `first`, in `train`.
    fn spikes(&self, sample: usize, first: usize, train: &mut SpikeTrain) {
        for t in 0..train.steps() {
            let row = self.row(t, sample, first, train.neurons());
            let fired = row.iter().enumerate().filter(|(_, s)| **s != 0.0);
            fired.for_each(|(n, _)| train.set(t, n));
        }
    }

    /// Puts the messages of one sample, whose columns start at `first`, into `train`.
    fn messages(&self, sample: usize, first: usize, train: &mut MessageTrain) {
        #[expect(clippy::cast_possible_truncation, reason = "integers of at most 2^24")]
        let message = |(n, &m): (u32, &f32)| (n, m as i32);
        for t in 0..train.steps() {
            let row = self.row(t, sample, first, train.neurons());
            let sent = (0_u32..).zip(row).filter(|(_, m)| **m != 0.0).map(message);
            train.put(t, sent.collect());
        }
    }
}
