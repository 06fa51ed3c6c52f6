//! The 17 motifs.

use crate::search::motif::{Mark, Motif, Slot};
use std::ops::Range;

/// A motif as data.
pub(super) struct Row {
    pub(super) id: u32,
    pub(super) arity: usize,
    nodes: &'static [&'static [Slot]],
    unused: usize,
    feedback: &'static [Slot],
    concat: Range<usize>,
}

impl Row {
    pub(super) fn motif(&self) -> Motif {
        Motif {
            id: self.id,
            arity: self.arity,
            nodes: self.nodes.iter().map(|slots| slots.to_vec()).collect(),
            unused: self.unused,
            feedback: self.feedback.to_vec(),
            concat: self.concat.clone().collect(),
        }
    }
}

/// Excitatory convolution of a state.
const fn p(state: usize) -> Slot {
    Slot { mark: Mark::Excite, state }
}

/// Inhibitory convolution of a state.
const fn n(state: usize) -> Slot {
    Slot { mark: Mark::Inhibit, state }
}

/// Identity.
const fn i(state: usize) -> Slot {
    Slot { mark: Mark::Identity, state }
}

/// Nothing.
const fn z(state: usize) -> Slot {
    Slot { mark: Mark::Zero, state }
}

/// A motif without feedback, all of whose entries are executed.
const fn row(
    arity: usize,
    id: u32,
    nodes: &'static [&'static [Slot]],
    concat: Range<usize>,
) -> Row {
    Row { id, arity, nodes, unused: 0, feedback: &[], concat }
}

impl Row {
    const fn back(mut self, feedback: &'static [Slot]) -> Self {
        self.feedback = feedback;
        self
    }

    /// With one more forward entry that is never executed.
    const fn odd(mut self) -> Self {
        self.unused = 1;
        self
    }
}

/// All inputs of a cell of two, three and four.
const IN2: &[Slot] = &[p(0), p(1)];
const IN3: &[Slot] = &[p(0), p(1), p(2)];
const IN4: &[Slot] = &[p(0), p(1), p(2), p(3)];

pub(super) const MOTIFS: [Row; 17] = [
    // Two inputs. The empty motif has an entry for a third input, which no node takes.
    row(2, 0, &[&[z(0), z(1)]], 2..3).odd(),
    row(2, 1, &[IN2, &[i(0), p(2)]], 2..4),
    row(2, 2, &[IN2, &[i(0), n(2)], &[p(2), n(3)]], 2..5),
    row(2, 3, &[IN2, &[i(0), n(2)], &[i(0), p(3)]], 2..5).back(&[i(2), p(3)]),
    row(2, 4, &[IN2, IN2, &[p(2), p(3)], &[i(0), p(4)], &[i(0), p(4)]], 2..7),
    row(2, 5, &[IN2, &[i(0), p(2)]], 2..4).back(&[i(2)]),
    // Three inputs.
    row(3, 0, &[&[z(0), z(1), z(2)]], 3..4),
    row(3, 1, &[IN3, &[z(0), p(3), z(1)]], 3..5),
    row(3, 2, &[IN3, &[z(0), n(3), z(1)], &[p(3), n(4), z(1)]], 3..6),
    row(3, 3, &[IN3, &[z(0), p(3), z(1)], &[z(0), p(3), z(1)]], 3..6).back(&[n(3), z(2)]),
    row(3, 4, &[IN3, IN3, &[z(0), p(3), p(4)], &[z(0), p(3), n(5)], &[z(0), p(4), n(5)]], 3..8),
    row(3, 5, &[IN3, &[z(0), z(1), n(3)]], 3..5).back(&[i(3)]),
    // Four inputs.
    row(
        4,
        1,
        &[IN4, &[z(0), p(4), z(1), z(2)], &[z(0), p(5), z(1), z(2)], &[z(0), p(5), z(1), z(2)]],
        4..8,
    ),
    row(4, 2, &[IN4, &[z(0), n(4), z(1), z(2)], &[p(4), n(5), z(1), z(2)]], 4..7),
    // Five entries were written for the second node, which takes four: the fifth, a convolution of
    // state 4, moves to the third node, whose own last entry is never executed.
    row(4, 3, &[IN4, &[z(0), z(2), z(1), z(3)], &[p(4), z(0), p(4), z(1)]], 4..7)
        .odd()
        .back(&[n(4), z(4)]),
    row(4, 4, &[IN4, &[p(0), z(1), n(4), z(3)], &[z(0), p(3), n(4), z(2)]], 4..7),
    row(
        4,
        5,
        &[IN4, &[z(0), z(1), z(2), n(4)], &[z(0), z(1), n(4), n(5)], &[z(0), z(1), n(4), n(5)]],
        4..8,
    )
    .back(&[n(4), z(4), z(5)]),
];
