//! The arithmetic that the other kernels rely on, by itself.

use super::steps::decay;
use cubecl::prelude::*;

/// For each `x`: its decay to `keep` 4096ths, its right shift by 7 bits, and how many of its lowest bits are 0 (0 of 0).
#[cube(launch)]
pub(crate) fn arithmetic(x: &[i32], keep: &[i32], out: &mut [i32]) {
    let i = ABSOLUTE_POS;
    if i < x.len() {
        let value = x[i];
        out[3 * i] = decay(value, keep[i]);
        out[3 * i + 1] = value >> 7;
        let bits = value as u32;
        let mut zeros = 0i32;
        if bits != 0 {
            zeros = bits.trailing_zeros() as i32;
        }
        out[3 * i + 2] = zeros;
    }
}
