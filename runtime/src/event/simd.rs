//! Inner loops at the widest vectors of the processor.
//!
//! Code is plain Rust that the compiler vectorizes; [`wide`] runs a copy of it that was compiled for
//! what the processor turns out to have (AVX-512, AVX2, or the base set). Integers and single f32
//! operations give the same results in all of them.

use pulp::Arch;

/// Neurons of a block: one word of spikes.
pub(super) const BLOCK: usize = 64;

/// Runs `f` compiled for the vectors of this processor. What `f` calls must be inlined into it.
pub(super) fn wide<R>(f: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(f)
}

/// Adds sums of 16 bits, as many as there are in `sums`.
pub(super) fn add_halves(sums: &mut [i32], halves: &[i16]) {
    wide(
        #[inline(always)]
        || {
            for (sum, half) in sums.iter_mut().zip(halves) {
                *sum += i32::from(*half);
            }
        },
    );
}

/// Bit i is set where `fires[i]` is 1; every entry is 0 or 1.
#[inline(always)]
pub(super) fn word(fires: &[u8; BLOCK]) -> u64 {
    // The product moves the lowest bits of eight bytes into its uppermost byte, without carries.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = fires.as_chunks::<8>();
    let bytes = eights.iter().zip((0_u32..).step_by(8));
    bytes.fold(0, |word, (eight, shift)| {
        word | (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << shift
    })
}

/// Lists the neurons whose bits are set, ascending.
pub(super) fn list(words: &[u64], active: &mut Vec<u32>) {
    active.clear();
    for (first, &word) in (0_u32..).step_by(BLOCK).zip(words) {
        let mut rest = word;
        while rest != 0 {
            active.push(first + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
}

/// Rows of `BLOCK` values: those of a population, padded with `pad`.
pub(super) fn blocks<T: Copy>(values: &[T], pad: T) -> Vec<[T; BLOCK]> {
    let block = |values: &[T]| {
        let mut block = [pad; BLOCK];
        block[..values.len()].copy_from_slice(values);
        block
    };
    values.chunks(BLOCK).map(block).collect()
}

/// A parameter of a population in blocks: one for all where every neuron has the same value.
pub(super) struct Blocks<T>(Vec<[T; BLOCK]>);

impl<T: Copy + PartialEq> Blocks<T> {
    /// One value per neuron. Neurons beyond the population get one of these values, or `pad`.
    pub(super) fn new(values: &[T], pad: T) -> Self {
        match values {
            [first, rest @ ..] if rest.iter().all(|v| v == first) => Self(vec![[*first; BLOCK]]),
            _ => Self(blocks(values, pad)),
        }
    }

    /// The values of block `b`.
    #[expect(clippy::inline_always, reason = "is compiled with the vectors of its caller")]
    #[inline(always)]
    pub(super) fn at(&self, b: usize) -> &[T; BLOCK] {
        &self.0[if self.0.len() == 1 { 0 } else { b }]
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Blocks, list, word};

    #[test]
    fn words_and_lists_hold_the_same_spikes() {
        let mut fires = [0_u8; BLOCK];
        for n in [0, 1, 7, 8, 33, 62, 63] {
            fires[n] = 1;
        }
        let bits = word(&fires);
        let mut active = vec![9];
        list(&[0, bits], &mut active);
        assert_eq!(active, [64, 65, 71, 72, 97, 126, 127]);
        assert_eq!(word(&[1; BLOCK]), u64::MAX);
    }

    #[test]
    fn equal_parameters_are_stored_once() {
        let same = Blocks::new(&[3; 130], 0);
        let mut values = vec![3; 130];
        values[129] = 4;
        let each = Blocks::new(&values, 0);
        assert_eq!((same.0.len(), each.0.len()), (1, 3));
        assert_eq!((same.at(2)[1], each.at(2)[0], each.at(2)[1], each.at(2)[2]), (3, 3, 4, 0));
    }
}
