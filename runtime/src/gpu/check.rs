//! What a device must compute rightly before anything else runs on it.

use super::buffers::Buffer;
use super::device::Gpu;
use super::int::IntSim;
use super::kernel;
use crate::event;
use crate::integer::IntProbe;
use crate::stimulus::Stimulus;
use burn::tensor::{DType, Int, IntDType, Tensor, TensorData};
use cubecl::prelude::{CubeCount, CubeDim, CubeElement};
use snnc_ir::spikes::SpikeTrain;

mod net;

/// A generator of test values, `splitmix64`.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number in `low..=high`.
    fn range(&mut self, low: i32, high: i32) -> i32 {
        let width = u64::from(high.abs_diff(low)) + 1;
        let offset = i64::try_from(self.next() % width).unwrap_or(0);
        i32::try_from(i64::from(low) + offset).unwrap_or(low)
    }
}

/// Decay, shifts, a matrix product and a network with loops, against the CPU.
///
/// # Errors
/// What differs.
pub(super) fn integers(gpu: &Gpu) -> Result<(), String> {
    arithmetic(gpu)?;
    products(gpu)?;
    steps(gpu)
}

/// Decay by the split product, shifts of negative numbers, and bits that are counted.
fn arithmetic(gpu: &Gpu) -> Result<(), String> {
    let draw = &mut Draw(1);
    let mut x: Vec<i32> = (0..1020).map(|_| draw.range(-(1 << 23), 1 << 23)).collect();
    x.extend([0, -1, (1 << 23) - 1, 1 - (1 << 23)]);
    let keep: Vec<i32> = x.iter().map(|_| draw.range(0, 4096)).collect();
    let client = gpu.client();
    let out = Buffer::new(client, vec![0_i32; 3 * x.len()]);
    kernel::arithmetic::launch(
        client,
        CubeCount::Static(u32::try_from(x.len() / 64).unwrap_or(0), 1, 1),
        CubeDim::new_1d(64),
        Buffer::new(client, x.clone()).arg(),
        Buffer::new(client, keep.clone()).arg(),
        out.arg(),
    );
    let bytes = client.read_one(out.handle()).map_err(|e| e.to_string())?;
    let found = i32::from_bytes(&bytes);
    for (i, (&x, &keep)) in x.iter().zip(&keep).enumerate() {
        let magnitude = (i64::from(x).abs() * i64::from(keep)) >> 12;
        let decayed = magnitude * i64::from(x.signum());
        let zeros = x.cast_unsigned().trailing_zeros() % 32;
        let expected = [decayed, i64::from(x >> 7), i64::from(zeros)];
        let names = ["decay of", "right shift by 7 of", "trailing zeros of"];
        for (k, name) in names.into_iter().enumerate() {
            let found = found.get(3 * i + k).copied().unwrap_or_default();
            if i64::from(found) != expected[k] {
                return Err(format!("the {name} {x} is {found}, not {}", expected[k]));
            }
        }
    }
    Ok(())
}

/// Products of matrices in f32 and in i32, of integers that both hold exactly.
fn products(gpu: &Gpu) -> Result<(), String> {
    const ROWS: usize = 9;
    const INNER: usize = 96;
    const COLS: usize = 17;
    let draw = &mut Draw(2);
    let spikes: Vec<i32> = (0..ROWS * INNER).map(|_| draw.range(0, 1)).collect();
    let weights: Vec<i32> = (0..INNER * COLS).map(|_| draw.range(-127, 127)).collect();
    let int = |data: &[i32], shape: [usize; 2]| -> Tensor<2, Int> {
        let data = TensorData::new(data.to_vec(), shape);
        Tensor::from_data(data, (gpu.tensors(), DType::from(IntDType::I32)))
    };
    let (a, b) = (int(&spikes, [ROWS, INNER]), int(&weights, [INNER, COLS]));
    let floats = a.clone().float().matmul(b.clone().float()).cast(IntDType::I32);
    for (name, product) in [("f32", floats), ("i32", a.matmul(b))] {
        let found = product.try_into_vec_as::<i32>().map_err(|e| e.to_string())?;
        for (i, found) in found.into_iter().enumerate() {
            let (row, col) = (i / COLS, i % COLS);
            let terms = (0..INNER).map(|k| spikes[row * INNER + k] * weights[k * COLS + col]);
            let expected: i32 = terms.sum();
            if found != expected {
                return Err(format!(
                    "element ({row}, {col}) of a product of matrices in {name} is {found}, not \
                     {expected}"
                ));
            }
        }
    }
    Ok(())
}

/// A network with every structure of weights, for 40 steps.
fn steps(gpu: &Gpu) -> Result<(), String> {
    let draw = &mut Draw(3);
    let network = net::network(draw).map_err(|e| format!("the network of the check: {e}"))?;
    let stimulus = |draw: &mut Draw| {
        let mut train = SpikeTrain::new(network.steps as usize, net::INPUTS);
        for t in 0..train.steps() {
            (0..net::INPUTS).filter(|_| draw.range(0, 5) == 0).for_each(|n| train.set(t, n));
        }
        Stimulus::from(vec![train])
    };
    let stimuli = [stimulus(draw), stimulus(draw), stimulus(draw)];
    let fused = IntSim::new(&network, gpu).and_then(|sim| sim.run(&stimuli));
    let fused = fused.map_err(|e| e.to_string())?;
    let tensors = crate::tensor::IntSim::new(&network, gpu.tensors());
    let tensors = tensors.and_then(|sim| sim.run(&stimuli)).map_err(|e| e.to_string())?;
    for (i, stimulus) in stimuli.iter().enumerate() {
        let expected = event::integer::simulate(&network, stimulus, &IntProbe::None);
        let expected = expected.map_err(|e| e.to_string())?;
        for (kind, run) in [("kernels", &fused[i]), ("tensors", &tensors[i])] {
            if run != &expected {
                let count = |spikes: &[SpikeTrain]| -> Vec<u64> {
                    spikes.iter().map(SpikeTrain::count).collect()
                };
                return Err(format!(
                    "a network of {} steps run by {kind} sends {:?} spikes by population, not {:?}",
                    network.steps,
                    count(&run.spikes),
                    count(&expected.spikes)
                ));
            }
        }
    }
    Ok(())
}

/// What f32 arithmetic of the device rounds otherwise than IEEE 754 says, operation by operation; `None` if
/// nothing was found.
///
/// # Errors
/// The device gave no result.
pub(super) fn floats(gpu: &Gpu) -> Result<Option<String>, String> {
    let draw = &mut Draw(4);
    let mut real = |low: i32, high: i32| -> Vec<f32> {
        #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
        let mut one = || draw.range(low, high) as f32 / 8_388_608.0 * 1.7;
        (0..2048).map(|_| one()).collect()
    };
    let full = 1 << 23;
    let [first, second, third] = [(); 3].map(|()| real(-full, full));
    let divisor = real(full / 4, full);
    let tensor = |data: &[f32]| -> Tensor<1> {
        Tensor::from_data(TensorData::new(data.to_vec(), [2048]), (gpu.tensors(), DType::F32))
    };
    let x = tensor(&first);
    let tiny = 1.0e-22_f32;
    let results = [
        ("a product and a sum, at once", x.clone() * tensor(&second) + tensor(&third), {
            let terms = first.iter().zip(&second).zip(&third);
            terms.map(|((a, b), c)| a * b + c).collect::<Vec<_>>()
        }),
        ("a quotient", x.clone() / tensor(&divisor), {
            first.iter().zip(&divisor).map(|(a, d)| a / d).collect()
        }),
        ("numbers below 2^-126", x * tiny * tiny, {
            first.iter().map(|a| a * tiny * tiny).collect()
        }),
    ];
    for (name, found, expected) in results {
        let found = found.try_into_vec_as::<f32>().map_err(|e| e.to_string())?;
        let differs = found.iter().zip(&expected).position(|(f, e)| f.to_bits() != e.to_bits());
        if let Some(i) = differs {
            let (found, expected) = (found[i], expected[i]);
            return Ok(Some(format!("{name}: {found:e} where {expected:e} is exact rounding")));
        }
    }
    Ok(None)
}
