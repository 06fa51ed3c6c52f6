//! How many values the operations of currents store, if equal ones are stored once.

use crate::currents::Current;
use crate::linear::LinearOp;
use crate::tensors::round;
use snnc_ir::arena::{Arena, TensorId};
use snnc_ir::network::Tensor;
use std::collections::BTreeMap;

/// Content of a matrix or kernel: a hash of layout and values, and the number of values. Matrices of zeros have no
/// hash: projections of zeros are removed from the integers, so nothing is gained where they are equal.
type Key = (Option<u64>, usize);

/// Uses of every array of values.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    uses: BTreeMap<Key, usize>,
}

impl Ledger {
    /// Adds the terms of a current.
    pub(super) fn add(&mut self, tensors: &Arena<TensorId, Tensor>, current: &Current) {
        for term in &current.terms {
            *self.uses.entry(key(tensors, &term.op)).or_default() += 1;
        }
    }

    /// Takes the terms of a current away.
    pub(super) fn remove(&mut self, tensors: &Arena<TensorId, Tensor>, current: &Current) {
        for term in &current.terms {
            let key = key(tensors, &term.op);
            let Some(uses) = self.uses.get_mut(&key) else { continue };
            *uses -= 1;
            if *uses == 0 {
                self.uses.remove(&key);
            }
        }
    }

    /// Values, each array once.
    pub(super) fn stored(&self) -> usize {
        let times = |hash: &Option<u64>, uses: usize| if hash.is_some() { 1 } else { uses };
        self.uses.iter().map(|((hash, len), &uses)| len * times(hash, uses)).sum()
    }

    /// Operations.
    pub(super) fn projections(&self) -> usize {
        self.uses.values().sum()
    }
}

/// What tells the matrices of two operations apart.
fn key(tensors: &Arena<TensorId, Tensor>, op: &LinearOp) -> Key {
    let (weight, layout) = match op {
        LinearOp::Dense(m) => (&m.weight, [m.rows as u64, m.cols as u64, 1, 1]),
        LinearOp::Conv { weight, conv } => (weight, conv.kernel_shape().map(u64::from)),
        // Canonical operations are matrices and convolutions.
        LinearOp::Place { .. } | LinearOp::BorderPool { .. } => return (None, 0),
    };
    let mut hash = layout.into_iter().fold(0xcbf2_9ce4_8422_2325, step);
    let (mut len, mut zero) = (0, true);
    weight.for_each(tensors, |v| {
        hash = step(hash, u64::from(round(v).to_bits()));
        len += 1;
        zero &= v.abs() <= 0.0;
    });
    ((!zero).then_some(hash), len)
}

/// FNV-1a, number by number.
fn step(hash: u64, number: u64) -> u64 {
    (hash ^ number).wrapping_mul(0x0100_0000_01b3)
}
