//! Parameters of one node of neurons, one value per neuron.

use crate::arrays::Array;
use snnc_ir::{Param, Shape};

/// Numbers of a node: one for all elements, or one for each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values(pub(super) Vec<f64>);

impl Values {
    /// Those of an array; numbers that f64 does not hold are rounded to the nearest.
    pub(super) fn of(array: &Array) -> Self {
        let mut values = Vec::with_capacity(array.data.len());
        crate::nir::check::visit(&array.data, |_, x| values.push(x));
        let first = values.first().copied().unwrap_or(0.0);
        if values.iter().all(|v| v.to_bits() == first.to_bits()) {
            values.truncate(1);
        }
        Self(values)
    }

    /// The same number for all.
    pub(super) fn uniform(value: f64) -> Self {
        Self(vec![value])
    }

    /// The number of element `index`.
    pub(super) fn at(&self, index: usize) -> f64 {
        if self.0.len() == 1 { self.0[0] } else { self.0[index] }
    }

    /// The number, if all elements have the same.
    pub(super) fn single(&self) -> Option<f64> {
        (self.0.len() == 1).then(|| self.0[0])
    }
}

/// How many elements have to be looked at to have seen all combinations of `values`.
pub(super) fn count(values: &[&Values]) -> usize {
    values.iter().map(|v| v.0.len()).max().unwrap_or(1)
}

/// A parameter in its coarsest form.
pub(super) fn param(values: Vec<f32>, shape: &Shape) -> Param<f32> {
    match values[..] {
        [one] => Param::Uniform(one),
        _ => Param::PerNeuron(values).compact(shape),
    }
}
