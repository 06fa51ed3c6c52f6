//! Arenas indexed by newtyped ids.
//!
//! An id is a `u32` with a type of its own; its `Display` is the entity's name in the `.snn` text
//! form, in errors and in debug output (`pop3`, `proj0`, `mat7`).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A newtyped index into an [`Arena`].
pub trait Entity: Copy + Eq + Ord + fmt::Display {
    /// Prefix of the printed form.
    const PREFIX: &'static str;
    /// Makes the id of the `index`-th element.
    fn new(index: usize) -> Self;
    /// Position in the arena.
    fn index(self) -> usize;
}

/// Declares entity types: `entity!(PopId, "pop", "A population.")`.
macro_rules! entity {
    ($($name:ident, $prefix:literal, $doc:literal;)*) => {$(
        #[doc = $doc]
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub struct $name(u32);

        impl $crate::arena::Entity for $name {
            const PREFIX: &'static str = $prefix;
            fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("an arena holds fewer than 2^32 elements"))
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )*};
}

entity! {
    NodeId, "node", "A node of a [`Network`](crate::Network).";
    TensorId, "tensor", "A tensor of a [`Network`](crate::Network).";
    PopId, "pop", "A population of a [`QuantizedNetwork`](crate::QuantizedNetwork).";
    ProjId, "proj", "A projection of a [`QuantizedNetwork`](crate::QuantizedNetwork).";
    MatId, "mat", "An integer matrix of a [`QuantizedNetwork`](crate::QuantizedNetwork).";
    CoreId, "core", "A neuromorphic core of a [`MappedNetwork`](crate::MappedNetwork).";
}

/// A vector indexed by an entity type.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arena<K, V> {
    items: Vec<V>,
    #[serde(skip)]
    key: PhantomData<fn(K) -> K>,
}

impl<K: Entity, V> Arena<K, V> {
    /// An empty arena.
    pub const fn new() -> Self {
        Self { items: Vec::new(), key: PhantomData }
    }

    /// Appends `value` and returns its id.
    pub fn push(&mut self, value: V) -> K {
        let id = K::new(self.items.len());
        self.items.push(value);
        id
    }

    /// Number of elements.
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is no element.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The element `id`, if the arena has it.
    pub fn get(&self, id: K) -> Option<&V> {
        self.items.get(id.index())
    }

    /// Whether `id` names an element.
    pub fn contains(&self, id: K) -> bool {
        id.index() < self.items.len()
    }

    /// Ids in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = K> + ExactSizeIterator + use<K, V> {
        (0..self.items.len()).map(K::new)
    }

    /// Ids and elements in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> + ExactSizeIterator {
        self.items.iter().enumerate().map(|(i, v)| (K::new(i), v))
    }

    /// Ids and elements in order, mutable.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (K, &mut V)> + ExactSizeIterator {
        self.items.iter_mut().enumerate().map(|(i, v)| (K::new(i), v))
    }

    /// Elements in order.
    pub fn values(&self) -> std::slice::Iter<'_, V> {
        self.items.iter()
    }

    /// Elements in order, mutable.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, V> {
        self.items.iter_mut()
    }

    /// Takes the elements out.
    pub fn into_values(self) -> Vec<V> {
        self.items
    }
}

impl<K: Entity, V> Default for Arena<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Entity, V> From<Vec<V>> for Arena<K, V> {
    fn from(items: Vec<V>) -> Self {
        Self { items, key: PhantomData }
    }
}

impl<K: Entity, V> FromIterator<V> for Arena<K, V> {
    fn from_iter<I: IntoIterator<Item = V>>(iter: I) -> Self {
        Self::from(iter.into_iter().collect::<Vec<_>>())
    }
}

impl<K: Entity, V> Index<K> for Arena<K, V> {
    type Output = V;
    fn index(&self, id: K) -> &V {
        &self.items[id.index()]
    }
}

impl<K: Entity, V> IndexMut<K> for Arena<K, V> {
    fn index_mut(&mut self, id: K) -> &mut V {
        &mut self.items[id.index()]
    }
}

impl<K: Entity + fmt::Debug, V: fmt::Debug> fmt::Debug for Arena<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
