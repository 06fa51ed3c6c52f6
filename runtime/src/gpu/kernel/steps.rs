//! All steps of one population: sums, registers and spikes without leaving the processor.

use super::by_target::arrivals;
use super::words::*;
use cubecl::prelude::*;

/// Steps `first..end` of the population whose header stands at word `at`. The grid is
/// `[groups of neurons, samples]`.
///
/// Registers are read before the first step and written behind the last. Spikes are packed in shared
/// memory and leave as words. What a population reads from itself, or from one that is not through with these
/// steps, must be older than `first`.
#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "buffers of one kernel")]
pub(crate) fn population(
    data: &[u32],
    bias: &[i32],
    spikes: &mut [u32],
    messages: &mut [i32],
    registers: &mut [i32],
    scattered: &[Atomic<i32>],
    overflows: &[Atomic<u32>],
    at: u32,
    first: u32,
    end: u32,
    steps: u32,
    samples: u32,
) {
    let packed = Shared::<[Atomic<u32>]>::new_slice(2usize);
    let lane = UNIT_POS_X;
    let n = CUBE_POS_X * GROUP + lane;
    let b = CUBE_POS_Y;
    let size = data[(at + SIZE) as usize];
    let real = n < size;
    let relay = data[(at + KIND) as usize] == 1;
    let words = (size + GROUP - 1) / GROUP * 2;
    let period = data[(at + PERIOD) as usize];
    let phase = data[(at + PHASE) as usize];
    let held_for = data[(at + HOLD) as usize] as i32;
    let subtracts = data[(at + SUBTRACT) as usize] == 1;
    let last = data[(at + END) as usize];
    let reads = data[(at + READS) as usize];
    let parameters = data[(at + PARAMETERS) as usize] + n;
    let place = data[(at + REGISTERS) as usize] * samples + b * size + n;
    let count = size * samples;
    let mut drive = 0i32;
    let mut keep_u = 0i32;
    let mut keep_v = 0i32;
    let mut threshold = 0i32;
    let mut amount = 0i32;
    let mut floor = 0i32;
    let mut u = 0i32;
    let mut v = 0i32;
    let mut hold = 0i32;
    let mut input = 0i32;
    if real {
        if data[(at + HOST) as usize] == 1 {
            drive = bias[(data[(at + HOST_BIAS) as usize] * samples
                + data[(at + BIAS) as usize]
                + b * size
                + n) as usize];
        } else {
            drive = bias[(data[(at + BIAS) as usize] + n) as usize];
        }
        if !relay {
            keep_u = data[parameters as usize] as i32;
            keep_v = data[(parameters + size) as usize] as i32;
            threshold = data[(parameters + 2 * size) as usize] as i32;
            amount = data[(parameters + 3 * size) as usize] as i32;
            floor = data[(parameters + 4 * size) as usize] as i32;
            if first > 0 {
                u = registers[place as usize];
                v = registers[(place + count) as usize];
                hold = registers[(place + 2 * count) as usize];
                input = registers[(place + 3 * count) as usize];
            }
        }
    }
    for t in first..end {
        let mut fired = false;
        if real {
            for p in 0..reads {
                let read = at + HEADER + p * READ;
                let delay = data[(read + DELAY) as usize];
                if t >= delay && data[(read + STRUCTURE) as usize] != SPARSE {
                    let stride = data[(read + STRIDE) as usize];
                    let source = data[(read + SOURCE) as usize] * steps * samples
                        + ((t - delay) * samples + b) * stride;
                    input += arrivals(data, &*spikes, &*messages, read, n, source);
                }
            }
            if data[(at + SCATTERED) as usize] == 1 {
                let slot = ((t - first) * samples + b) * size + n;
                input += scattered[slot as usize].exchange(0i32);
            }
            if relay {
                let mut message = (input + drive) >> (data[(at + SHIFT) as usize] as i32);
                let keep = data[(at + KEEP) as usize];
                if (keep == 1 && message < 0) || (keep == 2 && message > 0) {
                    message = 0;
                }
                let sent = data[(at + SENT) as usize] * steps * samples;
                messages[(sent + (t * samples + b) * size + n) as usize] = message;
                input = 0;
            } else if t % period == phase {
                let arrived = clamped(input, CLAMP / 64);
                input = 0;
                let behind = t >= last;
                let current = stored(decay(u, keep_u) + arrived * 64, behind);
                let mut outside = beyond(current);
                u = current;
                if hold > 0 {
                    hold -= 1;
                } else {
                    let mut h = stored(decay(v, keep_v) + u + drive, behind);
                    outside = outside || beyond(h);
                    if h < floor {
                        h = floor;
                    }
                    fired = h > threshold;
                    let mut after = h;
                    if fired {
                        after = 0;
                        if subtracts {
                            after = stored(h - amount, behind);
                        }
                        hold = held_for;
                    }
                    outside = outside || beyond(after);
                    v = after;
                }
                if outside {
                    overflows[b as usize].fetch_or(1u32);
                }
            }
        }
        if !relay {
            if lane < 2 {
                packed[lane as usize].store(0u32);
            }
            sync_cube();
            if fired {
                packed[(lane / 32) as usize].fetch_or(1u32 << (lane % 32));
            }
            sync_cube();
            if lane < 2 {
                let sent = data[(at + SENT) as usize] * steps * samples;
                let word = sent + (t * samples + b) * words + CUBE_POS_X * 2 + lane;
                spikes[word as usize] = packed[lane as usize].load();
            }
        }
    }
    if real && !relay {
        registers[place as usize] = u;
        registers[(place + count) as usize] = v;
        registers[(place + 2 * count) as usize] = hold;
        registers[(place + 3 * count) as usize] = input;
    }
}

/// `tz(x · keep, 12)` within 32 bits, in two parts: the upper one times 4096 is a multiple of 4096, so that
/// only the lower one loses bits. For `|x| ≤ 2^26` and `keep ≤ 2^12` nothing leaves 32 bits.
#[cube]
pub(super) fn decay(x: i32, keep: i32) -> i32 {
    let sign = x >> 31;
    let magnitude = (x ^ sign) - sign;
    let kept = (magnitude >> 12) * keep + (((magnitude & 4095) * keep) >> 12);
    (kept ^ sign) - sign
}

/// Whether a register is outside its 24 bits.
#[cube]
fn beyond(x: i32) -> bool {
    x > BOUND || x < -BOUND
}

/// What stands for `x` in a register: behind the last logical step what is nearest to it in the register's range, else
/// something that is outside where `x` is.
#[cube]
fn stored(x: i32, behind: bool) -> i32 {
    let mut within = clamped(x, CLAMP);
    if behind {
        within = clamped(x, BOUND);
    }
    within
}

/// `x`, or what is nearest to it within `±bound`.
#[cube]
fn clamped(x: i32, #[comptime] bound: i32) -> i32 {
    let mut within = x;
    if x > bound {
        within = bound;
    }
    if x < -bound {
        within = -bound;
    }
    within
}
