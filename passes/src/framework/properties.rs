//! Properties: facts about a network that passes require, establish and destroy.
//!
//! Every property can be decided on a draft. So a file that comes from outside has the properties
//! that it has, whatever produced it, and a pass that claims too much is caught at once.

use crate::currents::are_canonical;
use crate::framework::levels::{AnyLevel, LevelKind};
use crate::{
    feed_currents, fold_shared, fold_silent, lower_genes, merge_nodes, normalize, push_neurons,
    remove_dead,
};
use snnc_ir::network::{Compare, Op};
use snnc_ir::quantized::Time;
use snnc_ir::{NetworkDraft, QuantizedDraft};
use std::fmt;

macro_rules! properties {
    ($($name:ident, $level:ident, $text:literal, $doc:literal;)*) => {
        /// A fact about a network of one level.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Property {
            $(#[doc = $doc] $name,)*
        }

        impl Property {
            /// All properties.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Name in messages and lists, kebab-case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it means, one line.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }

            /// Level whose networks may have it.
            pub const fn level(self) -> LevelKind {
                match self { $(Self::$name => LevelKind::$level,)* }
            }
        }
    };
}

properties! {
    GenesLowered, Network, "genes-lowered", "No tensor is generated: every value is stored.";
    BatchNormFolded, Network, "batchnorm-folded", "No node is a batch normalization.";
    PoolingFolded, Network, "pooling-folded", "No node is a pooling.";
    NeuronsPushed, Network, "neurons-pushed",
        "No population reads a concatenation, unless the readout counts its spikes.";
    SilentFolded, Network, "silent-folded", "What is 0 in every step is a zero.";
    NodesMerged, Network, "nodes-merged", "No two nodes compute the same from the same.";
    Canonical, Network, "canonical",
        "Every current is a sum of linear operations that read populations or clips directly.";
    NeuronsNormalized, Network, "neurons-normalized",
        "Every neuron that leaks linearly and emits plain spikes has the decay form and resets to \
        zero or by subtraction.";
    CurrentsFed, Network, "currents-fed", "No bias enters a synaptic current with memory.";
    DeadRemoved, Network, "dead-removed",
        "The readout can be reached from every node except inputs; every tensor is used.";
    TensorsShared, Network, "tensors-shared", "No two tensors are equal in shape and values.";
    StrictCompare, Quantized, "strict-compare", "Every neuron fires strictly above its threshold.";
    HardwareTime, Quantized, "hardware-time", "Delays count steps of the chip.";
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Property {
    /// Whether `level` has the property.
    pub fn holds(self, level: &AnyLevel) -> bool {
        match level {
            AnyLevel::Network(n) => self.holds_for_network(n),
            AnyLevel::Quantized(q) => self.holds_for_quantized(q),
            AnyLevel::Mapped(_) => false,
        }
    }

    /// Whether a network has the property. False for properties of other levels.
    pub fn holds_for_network(self, draft: &NetworkDraft) -> bool {
        let no_node = |f: fn(&Op) -> bool| !draft.nodes.values().any(|n| f(&n.op));
        match self {
            Self::GenesLowered => lower_genes::is_clean(draft),
            Self::BatchNormFolded => no_node(|op| matches!(op, Op::BatchNorm { .. })),
            Self::PoolingFolded => {
                no_node(|op| matches!(op, Op::AvgPool { .. } | Op::GlobalAvgPool))
            }
            Self::NeuronsPushed => {
                !draft.nodes.ids().any(|id| push_neurons::can_be_pushed(draft, id))
            }
            Self::SilentFolded => fold_silent::is_clean(draft),
            Self::NodesMerged => merge_nodes::is_clean(draft),
            Self::Canonical => are_canonical(draft),
            Self::NeuronsNormalized => {
                no_node(|op| matches!(op, Op::Neuron(neuron) if !normalize::is_normal(neuron)))
            }
            Self::CurrentsFed => feed_currents::is_clean(draft),
            Self::DeadRemoved => remove_dead::is_clean(draft),
            Self::TensorsShared => fold_shared::is_clean(draft),
            Self::StrictCompare | Self::HardwareTime => false,
        }
    }

    /// Whether an integer network has the property. False for properties of other levels.
    pub fn holds_for_quantized(self, draft: &QuantizedDraft) -> bool {
        match self {
            Self::StrictCompare => draft
                .populations
                .values()
                .filter_map(|p| p.neuron())
                .all(|n| n.compare == Compare::Gt),
            Self::HardwareTime => matches!(draft.time, Time::Hardware(_)),
            Self::GenesLowered
            | Self::BatchNormFolded
            | Self::PoolingFolded
            | Self::NeuronsPushed
            | Self::SilentFolded
            | Self::NodesMerged
            | Self::Canonical
            | Self::NeuronsNormalized
            | Self::CurrentsFed
            | Self::DeadRemoved
            | Self::TensorsShared => false,
        }
    }
}

/// A set of properties, in the order of [`Property::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PropertySet(Vec<Property>);

impl PropertySet {
    /// The properties that `level` has.
    pub fn of(level: &AnyLevel) -> Self {
        Property::ALL.iter().copied().filter(|p| p.holds(level)).collect()
    }

    /// Whether `property` belongs to the set.
    pub fn contains(&self, property: Property) -> bool {
        self.0.contains(&property)
    }

    /// Adds a property.
    pub fn insert(&mut self, property: Property) {
        if let Err(at) = self.0.binary_search(&property) {
            self.0.insert(at, property);
        }
    }

    /// The properties in order.
    pub fn iter(&self) -> impl Iterator<Item = Property> + '_ {
        self.0.iter().copied()
    }

    /// The set after a pass that destroys `lost`, establishes `gained` and ends at `level`:
    /// properties of other levels are gone.
    #[must_use]
    pub fn after(&self, lost: &[Property], gained: &[Property], level: LevelKind) -> Self {
        let kept = self.iter().filter(|p| !lost.contains(p));
        kept.chain(gained.iter().copied()).filter(|p| p.level() == level).collect()
    }
}

impl FromIterator<Property> for PropertySet {
    fn from_iter<I: IntoIterator<Item = Property>>(iter: I) -> Self {
        let mut list: Vec<_> = iter.into_iter().collect();
        list.sort_unstable();
        list.dedup();
        Self(list)
    }
}
