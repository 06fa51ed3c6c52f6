//! Sums of what arrives, by target: each invocation asks for its own neuron.

use super::words::*;
use cubecl::prelude::*;

/// Sums that arrive at neuron `n` of sample `b` in step `t` through one projection, described at `read`.
#[cube]
pub(super) fn arrivals(
    data: &[u32],
    spikes: &[u32],
    messages: &[i32],
    read: u32,
    n: u32,
    at: u32,
) -> i32 {
    let structure = data[(read + STRUCTURE) as usize];
    let graded = data[(read + MESSAGES) as usize] == 1;
    let mut sum = 0i32;
    if structure == DENSE {
        if graded {
            sum = dense_messages(data, messages, read, n, at);
        } else {
            sum = dense_spikes(data, spikes, read, n, at);
        }
    } else if structure == CONV {
        sum = conv(data, spikes, messages, read, n, at);
    } else if structure == IDENTITY {
        let weight = data[data[(read + WEIGHTS) as usize] as usize] as i32;
        sum = weight * sent(spikes, messages, graded, at, n);
    }
    sum
}

/// What neuron `n` of a source sent: its message, or 1 for a spike. `at` is the place of the step.
#[cube]
pub(super) fn sent(spikes: &[u32], messages: &[i32], graded: bool, at: u32, n: u32) -> i32 {
    if graded {
        messages[(at + n) as usize]
    } else {
        ((spikes[(at + n / 32) as usize] >> (n % 32)) & 1) as i32
    }
}

/// The weight that stands at position `index` of packed ones: `packed` is the logarithm of how many share
/// a word, the first in the lowest bits.
#[cube]
pub(super) fn weight(data: &[u32], from: u32, packed: u32, index: u32) -> i32 {
    let width = 32u32 >> packed;
    let last = (1u32 << packed) - 1;
    let above = (last - (index & last)) * width;
    let word = data[(from + (index >> packed)) as usize];
    ((word << above) as i32) >> ((32 - width) as i32)
}

/// One row of weights for each spike. Neighboring invocations read neighboring weights of the same row.
#[cube]
fn dense_spikes(data: &[u32], spikes: &[u32], read: u32, n: u32, at: u32) -> i32 {
    let words = data[(read + STRIDE) as usize];
    let from = data[(read + WEIGHTS) as usize];
    let row = data[(read + ROW) as usize];
    let packed = data[(read + PACKED) as usize];
    let width = 32u32 >> packed;
    let last = (1u32 << packed) - 1;
    let above = (last - (n & last)) * width;
    let below = (32 - width) as i32;
    let mine = from + (n >> packed);
    let mut sum = 0i32;
    for w in 0..words {
        let mut bits = spikes[(at + w) as usize];
        while bits != 0 {
            let source = w * 32 + bits.trailing_zeros();
            bits = bits & (bits - 1);
            let word = data[(mine + source * row) as usize];
            sum += ((word << above) as i32) >> below;
        }
    }
    sum
}

/// As [`dense_spikes`], weights times messages.
#[cube]
fn dense_messages(data: &[u32], messages: &[i32], read: u32, n: u32, at: u32) -> i32 {
    let sources = data[(read + SOURCES) as usize];
    let from = data[(read + WEIGHTS) as usize];
    let row = data[(read + ROW) as usize];
    let packed = data[(read + PACKED) as usize];
    let mut sum = 0i32;
    for source in 0..sources {
        let message = messages[(at + source) as usize];
        if message != 0 {
            sum += weight(data, from + source * row, packed, n) * message;
        }
    }
    sum
}

/// The window of output neuron `n`: where the kernel lies on what the crop leaves.
#[cube]
fn conv(data: &[u32], spikes: &[u32], messages: &[i32], read: u32, n: u32, at: u32) -> i32 {
    let graded = data[(read + MESSAGES) as usize] == 1;
    let from = data[(read + WEIGHTS) as usize];
    let packed = data[(read + PACKED) as usize];
    let inputs = data[(read + IN_CHANNELS) as usize];
    let height = data[(read + IN_HEIGHT) as usize];
    let width = data[(read + IN_WIDTH) as usize];
    let out_height = data[(read + OUT_HEIGHT) as usize];
    let out_width = data[(read + OUT_WIDTH) as usize];
    let kernel_height = data[(read + KERNEL_HEIGHT) as usize];
    let kernel_width = data[(read + KERNEL_WIDTH) as usize];
    let rows = data[(read + ROWS) as usize];
    let columns = data[(read + COLUMNS) as usize];
    let channel = n / (out_height * out_width);
    let group = channel / data[(read + OUT_CHANNELS) as usize];
    // Rows and columns before the first wrap around and are as far outside as those behind the last.
    let top = (n / out_width % out_height) * data[(read + STRIDE_Y) as usize]
        - data[(read + TOP) as usize];
    let left = (n % out_width) * data[(read + STRIDE_X) as usize] - data[(read + LEFT) as usize];
    let mut sum = 0i32;
    for i in 0..inputs {
        for ky in 0..kernel_height {
            let y = top + ky;
            if y < rows {
                let line = ((group * inputs + i) * height + y + data[(read + FIRST_ROW) as usize])
                    * width
                    + data[(read + FIRST_COLUMN) as usize];
                let taps = ((channel * inputs + i) * kernel_height + ky) * kernel_width;
                for kx in 0..kernel_width {
                    let x = left + kx;
                    if x < columns {
                        let value = sent(spikes, messages, graded, at, line + x);
                        if value != 0 {
                            sum += weight(data, from, packed, taps + kx) * value;
                        }
                    }
                }
            }
        }
    }
    sum
}
