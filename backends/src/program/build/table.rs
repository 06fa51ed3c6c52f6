//! Tables of distinct values, in order of first use.

use std::collections::HashMap;
use std::hash::Hash;

/// A list of distinct values and the place of each.
#[derive(Debug)]
pub(super) struct Table<T> {
    items: Vec<T>,
    place: HashMap<T, u32>,
}

impl<T: Copy + Eq + Hash> Table<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), place: HashMap::new() }
    }

    /// The place of `value`, added at the end if it is new.
    pub(super) fn intern(&mut self, value: T) -> u32 {
        let next = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        *self.place.entry(value).or_insert_with(|| {
            self.items.push(value);
            next
        })
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn into_items(self) -> Vec<T> {
        self.items
    }
}
