//! Parameters that are uniform over a population, per channel, or per neuron.

use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// A parameter of a population's neurons.
///
/// **Shapes.** `PerChannel` has one value per outermost extent of the population's shape,
/// `PerNeuron` one per element, row-major.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Param<T> {
    /// The same value for every neuron.
    Uniform(T),
    /// One value per channel.
    PerChannel(Vec<T>),
    /// One value per neuron.
    PerNeuron(Vec<T>),
}

impl<T: Copy> Param<T> {
    /// Value of neuron `index` of a population of shape `shape`.
    pub fn at(&self, index: usize, shape: &Shape) -> T {
        match self {
            Self::Uniform(v) => *v,
            Self::PerChannel(v) => v[index / shape.per_channel().max(1)],
            Self::PerNeuron(v) => v[index],
        }
    }

    /// Number of values stored.
    pub fn len(&self) -> usize {
        self.values().len()
    }

    /// Whether no value is stored (never true in a verified network).
    pub fn is_empty(&self) -> bool {
        self.values().is_empty()
    }

    /// The stored values.
    pub fn values(&self) -> &[T] {
        match self {
            Self::Uniform(v) => std::slice::from_ref(v),
            Self::PerChannel(v) | Self::PerNeuron(v) => v,
        }
    }

    /// Applies `f` to every stored value, keeping the form.
    pub fn map<U>(&self, mut f: impl FnMut(T) -> U) -> Param<U> {
        match self {
            Self::Uniform(v) => Param::Uniform(f(*v)),
            Self::PerChannel(v) => Param::PerChannel(v.iter().map(|&x| f(x)).collect()),
            Self::PerNeuron(v) => Param::PerNeuron(v.iter().map(|&x| f(x)).collect()),
        }
    }

    /// Combines two parameters of one population element by element, in the coarsest form that
    /// holds both.
    pub fn zip<U: Copy, V>(
        &self,
        other: &Param<U>,
        shape: &Shape,
        mut f: impl FnMut(T, U) -> V,
    ) -> Param<V> {
        match (self, other) {
            (Self::Uniform(a), Param::Uniform(b)) => Param::Uniform(f(*a, *b)),
            (Self::PerNeuron(_), _) | (_, Param::PerNeuron(_)) => Param::PerNeuron(
                (0..shape.size()).map(|i| f(self.at(i, shape), other.at(i, shape))).collect(),
            ),
            _ => {
                let step = shape.per_channel();
                Param::PerChannel(
                    (0..shape.channels())
                        .map(|c| f(self.at(c * step, shape), other.at(c * step, shape)))
                        .collect(),
                )
            }
        }
    }

    /// Values of all neurons of a population of shape `shape`.
    pub fn expand(&self, shape: &Shape) -> Vec<T> {
        (0..shape.size()).map(|i| self.at(i, shape)).collect()
    }

    /// Number of values that a population of shape `shape` needs in this form.
    pub fn expected_len(&self, shape: &Shape) -> usize {
        match self {
            Self::Uniform(_) => 1,
            Self::PerChannel(_) => shape.channels(),
            Self::PerNeuron(_) => shape.size(),
        }
    }
}

impl<T: Copy + PartialEq> Param<T> {
    /// The same parameter in its coarsest form: uniform, else per channel, else per neuron.
    #[must_use]
    pub fn compact(self, shape: &Shape) -> Self {
        let values = self.values();
        if let Some(&first) = values.first()
            && values.iter().all(|&v| v == first)
        {
            return Self::Uniform(first);
        }
        if let Self::PerNeuron(v) = &self {
            let step = shape.per_channel().max(1);
            if step > 1 && v.chunks(step).all(|c| c.iter().all(|&x| x == c[0])) {
                return Self::PerChannel(v.iter().copied().step_by(step).collect());
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape() -> impl Strategy<Value = Shape> {
        prop_oneof![
            (1_u32..5).prop_map(Shape::flat),
            (1_u32..4, 1_u32..3, 1_u32..3).prop_map(|(c, h, w)| Shape::chw(c, h, w)),
        ]
    }

    fn param(shape: &Shape) -> impl Strategy<Value = Param<u8>> + use<> {
        let values = |n| prop::collection::vec(0_u8..2, n);
        prop_oneof![
            (0_u8..2).prop_map(Param::Uniform),
            values(shape.channels()).prop_map(Param::PerChannel),
            values(shape.size()).prop_map(Param::PerNeuron),
        ]
    }

    proptest! {
        /// Compaction and combination keep every neuron's value, in the coarsest form.
        #[test]
        fn forms_agree_neuron_by_neuron(
            (shape, a, b) in shape().prop_flat_map(|s| (Just(s.clone()), param(&s), param(&s)))
        ) {
            let (all_a, all_b) = (a.expand(&shape), b.expand(&shape));
            let sums: Vec<u8> = all_a.iter().zip(&all_b).map(|(x, y)| 10 * x + y).collect();
            let zipped = a.zip(&b, &shape, |x, y| 10 * x + y);
            prop_assert_eq!(zipped.len(), zipped.expected_len(&shape));
            prop_assert_eq!(zipped.expand(&shape), sums);
            let compact = a.clone().compact(&shape);
            prop_assert!(compact.len() <= a.len());
            prop_assert_eq!(compact.expand(&shape), &all_a[..]);
            let uniform = all_a.iter().all(|v| *v == all_a[0]);
            prop_assert_eq!(matches!(compact, Param::Uniform(_)), uniform);
            prop_assert_eq!(a.map(|v| v + 1).expand(&shape), all_a.iter().map(|v| v + 1).collect::<Vec<_>>());
        }
    }
}
