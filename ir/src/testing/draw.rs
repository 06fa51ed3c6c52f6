//! Choices drawn from a list of numbers.

/// A source of choices: the numbers of a list, then what follows from a seed; zeros if that is 0.
///
/// Builders make the simplest choice on 0, so that proptest, which shrinks lists and numbers towards
/// nothing, shrinks what they build.
pub(super) struct Draw {
    numbers: std::vec::IntoIter<u32>,
    seed: u32,
}

impl Draw {
    pub(super) fn new(numbers: Vec<u32>, seed: u32) -> Self {
        Self { numbers: numbers.into_iter(), seed }
    }

    /// The choices that `seed` stands for: networks of neighboring seeds have nothing in common.
    pub(super) fn of(seed: u64) -> Self {
        // Splitmix64; xorshift alone would have few streams and begin them alike.
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            u32::try_from((z ^ z >> 31) >> 32).unwrap_or(0)
        };
        let numbers = (0..64).map(|_| next()).collect();
        Self::new(numbers, next() | 1)
    }

    fn next(&mut self) -> u32 {
        self.numbers.next().unwrap_or_else(|| {
            // Xorshift (Marsaglia, 2003), which stays at 0; the multiplication mixes the low bits.
            self.seed ^= self.seed << 13;
            self.seed ^= self.seed >> 17;
            self.seed ^= self.seed << 5;
            self.seed.wrapping_mul(0x9E37_79B1) >> 3
        })
    }

    /// A number below `n`, which is not 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    /// As [`Draw::below`].
    pub(super) fn small(&mut self, n: u32) -> u32 {
        self.next() % n
    }

    /// A number from `-limit` to `limit`; 0 in at least a quarter of the draws.
    pub(super) fn signed(&mut self, limit: i32) -> i32 {
        let n = self.next();
        if n.is_multiple_of(4) {
            return 0;
        }
        let magnitude = i32::try_from(n / 8 % limit.unsigned_abs()).map_or(0, |m| m + 1);
        if n & 4 == 0 { magnitude } else { -magnitude }
    }

    /// True once in `n` draws, never on 0.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// One of the items.
    pub(super) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}
