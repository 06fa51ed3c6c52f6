//! Numbers by seed: splitmix64.

/// A generator of numbers; the same seed, the same numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The numbers of item `number` of `seed`.
    pub const fn of(seed: u64, number: u64) -> Self {
        let mut dice = Self(seed);
        let first = dice.number();
        Self(first ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// 64 random bits.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        // The upper half of a product of 64 bits each is below `limit`.
        let product = u128::from(self.number()) * limit as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// True once in `n` draws.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of the items.
    pub fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = usize::try_from(high - low).unwrap_or(0) + 1;
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn numbers_follow_from_the_seed_and_keep_to_their_range() {
        let draw = |seed, item| {
            let mut dice = Dice::of(seed, item);
            (0..200).map(|_| dice.between(-3, 3)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        let mut found = draw(7, 7);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, [-3, -2, -1, 0, 1, 2, 3]);
    }
}
