//! Sums of sparse projections, by source: work is in proportion to spikes.

use super::by_target::sent;
use super::words::*;
use cubecl::prelude::*;

/// Adds what arrives in steps `first..first + grid z` through the sparse projection described at `read`. The grid is
/// `[words of sources, samples, steps]`: a workgroup looks at 32 sources, and shares each one's row.
///
/// Where rows begin stands before the synapses. A synapse of one word holds the target in 24 bits below the
/// weight; one of two words holds the target, then the weight. Sums are integers, so the order of additions does not matter.
#[cube(launch)]
pub(crate) fn scatter(
    data: &[u32],
    spikes: &[u32],
    messages: &[i32],
    scattered: &[Atomic<i32>],
    read: u32,
    first: u32,
    steps: u32,
    samples: u32,
) {
    let lane = UNIT_POS_X;
    let word = CUBE_POS_X;
    let b = CUBE_POS_Y;
    let t = first + CUBE_POS_Z;
    let delay = data[(read + DELAY) as usize];
    if t >= delay {
        let graded = data[(read + MESSAGES) as usize] == 1;
        let sources = data[(read + SOURCES) as usize];
        let targets = data[(read + TARGETS) as usize];
        let rows = data[(read + WEIGHTS) as usize];
        let synapses = rows + sources + 1;
        let wide = data[(read + PACKED) as usize] == 0;
        let at = data[(read + SOURCE) as usize] * steps * samples
            + ((t - delay) * samples + b) * data[(read + STRIDE) as usize];
        let sums = (CUBE_POS_Z * samples + b) * targets;
        let mut bits = 0u32;
        if graded {
            let mut i = 0u32;
            while i < 32 {
                let source = word * 32 + i;
                if source < sources && messages[(at + source) as usize] != 0 {
                    bits |= 1u32 << i;
                }
                i += 1;
            }
        } else {
            bits = spikes[(at + word) as usize];
        }
        while bits != 0 {
            let source = word * 32 + bits.trailing_zeros();
            bits = bits & (bits - 1);
            let value = sent(spikes, messages, graded, at, source);
            let mut k = data[(rows + source) as usize] + lane;
            let end = data[(rows + source + 1) as usize];
            while k < end {
                if wide {
                    let entry = synapses + 2 * k;
                    let target = data[entry as usize];
                    let product = (data[(entry + 1) as usize] as i32) * value;
                    scattered[(sums + target) as usize].fetch_add(product);
                } else {
                    let entry = data[(synapses + k) as usize];
                    let product = ((entry as i32) >> 24) * value;
                    scattered[(sums + (entry & 0xff_ffff)) as usize].fetch_add(product);
                }
                k += GROUP;
            }
        }
    }
}
