//! The 47 named cell genotypes. One name is defined twice in the released table; the second counts.

use crate::search::cell::{Operation, Sign};
use crate::search::genotype::Genotype;
use std::ops::Range;

type Pair = (Operation, usize);

/// A genotype as data.
pub(super) struct Row {
    pub(super) name: &'static str,
    forward: &'static [Pair],
    feedback: &'static [Pair],
    concat: Range<usize>,
}

impl Row {
    pub(super) fn genotype(&self) -> Genotype {
        Genotype {
            name: self.name.to_owned(),
            forward: self.forward.to_vec(),
            feedback: self.feedback.to_vec(),
            concat: self.concat.clone().collect(),
        }
    }
}

const fn row(
    name: &'static str,
    forward: &'static [Pair],
    feedback: &'static [Pair],
    concat: Range<usize>,
) -> Row {
    Row { name, forward, feedback, concat }
}

const fn conv(size: u32, sign: Sign, state: usize) -> Pair {
    (Operation::Conv { size, sign }, state)
}

/// Excitatory convolution of 3×3 cells.
const fn c3p(state: usize) -> Pair {
    conv(3, Sign::Excitatory, state)
}

/// Inhibitory convolution of 3×3 cells.
const fn c3n(state: usize) -> Pair {
    conv(3, Sign::Inhibitory, state)
}

/// Excitatory convolution of 5×5 cells.
const fn c5p(state: usize) -> Pair {
    conv(5, Sign::Excitatory, state)
}

/// Inhibitory convolution of 5×5 cells.
const fn c5n(state: usize) -> Pair {
    conv(5, Sign::Inhibitory, state)
}

/// Excitatory average.
const fn avp(state: usize) -> Pair {
    (Operation::AvgPool { sign: Sign::Excitatory }, state)
}

/// Inhibitory average.
const fn avn(state: usize) -> Pair {
    (Operation::AvgPool { sign: Sign::Inhibitory }, state)
}

/// Linear layer.
const fn mlp(state: usize) -> Pair {
    (Operation::Mlp { sign: Sign::Any }, state)
}

/// Excitatory linear layer.
const fn mlpp(state: usize) -> Pair {
    (Operation::Mlp { sign: Sign::Excitatory }, state)
}

#[rustfmt::skip]
pub(super) const GENOTYPES: [Row; 47] = [
    row("mlp1", &[mlp(0), c3p(1), mlp(1), mlp(0), c3p(2), mlp(3)], &[mlp(2), c3p(2)], 2..5),
    row("mlp2", &[mlp(0), c3p(1), c3p(2), mlpp(1)], &[mlp(2)], 2..4),
    row("dvsc10_new_skip22", &[c3p(1), c3p(0), c5n(1), c3p(2), c5n(0), c3p(3)], &[c3n(0), c3p(1)], 2..5),
    row("dvsc10_new_skip21", &[c3n(0), c5p(1), c3p(1), c5p(2), c5n(2), c3p(1)], &[], 2..5),
    row("dvsc10_new_skip20", &[c5p(0), c5n(1), c3n(2), c5p(0), c3p(2), c3n(3)], &[c3p(2), c5p(3)], 2..5),
    row("dvsc10_new_skip19", &[c5n(0), c3p(1), c5n(2), c5n(0), c3p(2), c5p(3)], &[c3p(2), c5p(2)], 2..5),
    row("dvsc10_new_skip18", &[c5p(0), c3p(1), c5p(2), c5n(0), c3p(2), c5p(3)], &[c5n(2), c3p(2)], 2..5),
    row("dvsc10_new_skip17", &[c3p(1), c5n(0), c5n(2), c5p(1), c3p(2), avp(3)], &[avp(2), c3p(2)], 2..5),
    row("dvsc10_new_skip16", &[c5p(0), c5n(1), c3n(2), avp(0), c3p(2), avn(3)], &[c3p(2), c3p(3)], 2..5),
    row("dvsc10_new_skip15", &[c5n(0), c5p(1), c5p(2), c5n(1), c3p(2), c5p(3)], &[c5p(2), c3p(3)], 2..5),
    row("dvsc10_new_skip14", &[c5n(1), c3p(0), c5p(1), c3p(2), c3p(2), c5n(1)], &[c3n(2), c3p(3)], 2..5),
    row("dvsc10_new_skip13", &[c5n(1), c3p(0), c5n(1), c3p(2), c3p(2), c5n(1)], &[c3n(2), c3p(3)], 2..5),
    row("dvsc10_new_skip12", &[c5n(0), c3p(1), c5n(2), c5n(0), c3p(2), c5p(3)], &[c3n(2), c3p(2)], 2..5),
    row("dvsc10_new_skip11", &[c3n(0), c5n(1), c5p(0), c3n(2), c3p(2), c5n(0)], &[c3n(2), c3p(3)], 2..5),
    row("dvsc10_new_skip10", &[c5n(1), c3p(0), c5p(2), c5p(1), c3p(2), c5n(1)], &[c3n(2), c3n(2)], 2..5),
    row("dvsc10_new_skip9", &[c5p(1), c5n(0), c5p(2), c5n(0), c3p(2), c5p(3)], &[c3p(2), c5n(3)], 2..5),
    row("dvsc10_new_skip8", &[c5n(0), c5n(1), c3n(2), c5p(0), c3p(2), c5n(1)], &[c5n(2), c3p(3)], 2..5),
    row("dvsc10_new_skip7", &[c5p(0), c5p(1), c3n(2), c5n(0), c3p(2), c5p(3)], &[c5n(2), c3p(3)], 2..5),
    row("dvsc10_new_skip6", &[c3p(0), c5n(1), c5p(2), c5p(1), c3p(2), c5n(0)], &[c3n(2), c3n(2)], 2..5),
    row("dvsc10_new_skip5", &[c3p(0), c3p(1), c3n(2), c3n(0), c3p(2), c3p(3)], &[c5n(2), c3p(2)], 2..5),
    row("dvsc10_new_skip4", &[c5n(1), c5p(0), c3p(2), c5p(1), c3p(2), c5n(0)], &[c3p(2), c3p(3)], 2..5),
    row("dvsc10_new_skip3", &[c5p(0), c3p(1), c3n(2), c3n(0), c3p(2), c5p(3)], &[c5n(2), c3p(3)], 2..5),
    row("dvsc10_new_skip2", &[avp(0), avp(1), avp(0), avp(1), c3p(2), avn(0)], &[avn(2), c3p(2)], 2..5),
    row("dvsc10_new_skip1", &[c5p(0), c3n(1), c3n(2), c3p(1), c5p(1), c3p(2)], &[c3p(2), c3p(2)], 2..5),
    row("dvsc10_new_skip", &[c3n(1), c3p(0), c3p(0), avp(1), c3p(2), c3n(0)], &[c3p(2), c3p(2)], 2..5),
    row("dvsc10_new_base0", &[avp(1), avp(0), avn(2), avp(1), avn(2), avn(3)], &[avn(2), avn(3)], 2..5),
    row("dvsc10_new_base1", &[c3p(1), c5n(0), c5p(1), c3p(0), c5n(1), c3p(0)], &[avp(2), c3p(3)], 2..5),
    row("dvsc10_new_base2", &[c5p(0), c3p(1), c5n(1), avp(0), avn(3), c5n(1)], &[avn(2), avn(2)], 2..5),
    row("dvsc10_new_base3", &[avp(0), c5p(1), c3p(1), c3n(0), c5p(1), c3n(0)], &[c3p(2), avn(3)], 2..5),
    row("dvsc10_grad2", &[avn(1), c5p(0), c5n(1), c5n(0), c3p(3), c5n(1)], &[c5p(2), c3p(2)], 2..5),
    row("dvsc10_grad1", &[avp(1), c5p(0), avn(2), avn(1), avp(2), c5n(1)], &[c5p(2), c3p(3)], 2..5),
    row("dvsg_new2", &[avp(1), c5p(0), c3p(1), c3p(0), c3p(1), avp(0)], &[avn(2), avn(3)], 2..5),
    row("dvsg_new1", &[avp(1), c5p(0), c3p(1), c3p(0), c3p(1), avp(0)], &[avn(2), c5n(3)], 2..5),
    row("dvscal_new1", &[c5n(0), c5n(1), c5n(1), c5p(0), avp(1), c5p(0)], &[avn(2), avn(2)], 2..5),
    row("dvsc10_new8", &[c5p(0), c5p(1), c3p(0), c5n(1), c5p(0), c5n(1)], &[avn(2), avn(3)], 2..5),
    row("dvsc10_new7", &[c5p(0), c5p(1), c3p(0), c5n(1), c5p(0), c5n(1)], &[c3n(2), avn(2)], 2..5),
    row("dvsc10_new6", &[c3p(1), c3p(0), c3p(0), c3p(1), c3p(0), avp(1)], &[avn(2), avn(2)], 2..5),
    row("dvsc10_new5", &[c5p(1), c3p(0), c3p(0), c5p(1), c3p(0), avp(1)], &[avn(2), avn(2)], 2..5),
    row("dvsc10_new4", &[c3n(1), c3p(0), c5p(1), c5p(0), c5p(1), c5p(0)], &[avp(2), avn(2)], 2..5),
    // Its last entry lacks the mark of feedback; it is feedback all the same, as it follows one that
    // has it.
    row("dvsc10_new3", &[avp(0), c3n(1), c3n(1), c3n(0), avp(2), c3n(1)], &[avn(2), avp(2)], 2..5),
    row("dvsc10_new2", &[c3p(0), c3n(1), c3n(1), avp(0), avp(2), c3n(1)], &[avn(2), c3p(2)], 2..5),
    row("dvsc10_new1", &[c3p(1), avp(0), avp(0), c3n(1), c3p(0), c3p(1)], &[c3p(2), c3n(2)], 2..5),
    row("dvsc10_new0", &[c3p(1), avp(0), avp(2), c3n(1), c3p(0), c3p(3)], &[c3p(2), c3n(3)], 2..5),
    row("cifar_new_skip1", &[c5n(0), c5p(1), avp(0), avn(2), avp(2), c5p(0)], &[avn(2), avp(3)], 2..5),
    row("cifar_new1", &[avp(1), avp(0), c3n(0), avp(1), avp(2), c3p(0)], &[avn(2), c3p(2)], 2..5),
    row("cifar_new2", &[c3n(0), avp(1), c3p(0), avp(1), c3p(2), c3n(0)], &[c3n(2), c3p(2)], 2..5),
    row("cifar_new0", &[avp(1), avn(0), c3n(0), avp(1), c3p(2), c3n(3)], &[avn(2), c3p(1)], 2..5),
];
