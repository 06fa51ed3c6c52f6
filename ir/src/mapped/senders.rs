//! Which cores send to which: the slices behind an axon run.

use super::{Core, Slice};
use crate::arena::PopId;
use std::collections::BTreeMap;

/// Where the neurons of all populations lie.
#[derive(Debug)]
pub struct Senders {
    /// Slices of each population in its order, with the core that holds them and their index there.
    placed: BTreeMap<PopId, Vec<(Slice, [usize; 2])>>,
}

/// Neurons of one slice that an axon run reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The core that holds them, by its place among the cores.
    pub core: usize,
    /// Index of the slice into [`Core::slices`].
    pub slice: usize,
    /// Their positions.
    pub part: Slice,
}

impl Senders {
    /// Of these cores. O(slices · log slices).
    pub fn of<'c>(cores: impl IntoIterator<Item = &'c Core>) -> Self {
        let mut placed: BTreeMap<PopId, Vec<(Slice, [usize; 2])>> = BTreeMap::new();
        for (core, part) in cores.into_iter().enumerate() {
            for (index, slice) in part.slices.iter().enumerate() {
                placed.entry(slice.population).or_default().push((*slice, [core, index]));
            }
        }
        for slices in placed.values_mut() {
            slices.sort_unstable();
        }
        Self { placed }
    }

    /// What sends over the axons of `run`, by position; nothing if its neurons lie on no core.
    pub fn behind(&self, run: Slice) -> impl Iterator<Item = Sender> + '_ {
        let slices = self.placed.get(&run.population).map_or(&[][..], Vec::as_slice);
        let first = slices.partition_point(|(s, _)| s.end() <= u64::from(run.start));
        let met = slices[first..].iter().take_while(move |(s, _)| u64::from(s.start) < run.end());
        met.map(move |(slice, [core, index])| {
            let start = slice.start.max(run.start);
            let end = (slice.start + slice.len).min(run.start + run.len);
            let part = Slice { start, len: end - start, ..run };
            Sender { core: *core, slice: *index, part }
        })
    }
}
