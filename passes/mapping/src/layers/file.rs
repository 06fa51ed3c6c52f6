//! What a layer file says, before it is checked: serde types for TOML or JSON.
//!
//! ```toml
//! name = "tiny"
//! source = "made up for this page"
//!
//! [[layer]]
//! name = "pixels"
//! shape = [3, 32, 32]        # channels, height, width
//! input = true               # lies on no core
//!
//! [[layer]]
//! name = "conv1"
//! channels = 16
//! reads = [{ from = "pixels", kind = "conv", kernel = 3, padding = 1 }]
//!
//! [[layer]]
//! name = "block"
//! channels = 16
//! reads = [
//!   { from = "conv1", kind = "conv", kernel = 3, padding = 1 },
//!   { from = "conv1", kind = "same" },
//!   { from = "block", kind = "conv", kernel = 3, padding = 1 },    # recurrent
//! ]
//! ```

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// Keys that mean nothing, to be reported with their layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Unknown(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Unknown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Unknown;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys with values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unknown, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Unknown(keys))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// A layered network as its file states it. [`check`](Self::check) makes a [`Network`](super::Network) of it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LayerFile {
    /// Name of the network.
    pub name: String,
    /// Where the shape comes from.
    #[serde(default)]
    pub source: String,
    /// Layers, in the order in which their neurons are numbered.
    #[serde(default, rename = "layer")]
    pub layers: Vec<LayerEntry>,
    /// Keys that mean nothing.
    #[serde(flatten)]
    pub(super) unknown: Unknown,
}

/// One layer.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LayerEntry {
    /// Its name, by which others read it.
    #[serde(default)]
    pub name: String,
    /// Channels, height and width of a layer that does not derive them from what it reads.
    pub shape: Option<[u32; 3]>,
    /// Whether the layer comes from outside and lies on no core.
    #[serde(default)]
    pub input: bool,
    /// Channels (units of a dense layer). Layers that only pool or repeat others have theirs.
    pub channels: Option<u32>,
    /// Height and width that are kept of what the reads would give: the upper left corner.
    pub keep: Option<[u32; 2]>,
    /// What the neurons read.
    #[serde(default)]
    pub reads: Vec<ReadEntry>,
    /// Keys that mean nothing.
    #[serde(flatten)]
    pub(super) unknown: Unknown,
}

/// Synapses from one layer to another.
#[derive(Clone, Debug, Deserialize)]
pub struct ReadEntry {
    /// Name of the layer that is read: any, also a later one or the layer itself.
    pub from: String,
    /// What connects the two.
    pub kind: Kind,
    /// Height and width of the window (`conv`, `pool`).
    pub kernel: Option<Pair>,
    /// Steps of the window (`conv`: 1 if absent, `pool`: the window's size).
    pub stride: Option<Pair>,
    /// Zeros around the source (`conv`, `pool`; 0 if absent).
    pub padding: Option<Pair>,
    /// Groups of channels that only see each other (`conv`; 1 if absent). As many as channels: depthwise.
    pub groups: Option<u32>,
    /// Keys that mean nothing.
    #[serde(flatten)]
    pub(super) unknown: Unknown,
}

/// Kinds of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A kernel that slides over the source.
    Conv,
    /// Each channel reads its own channel in a window.
    Pool,
    /// Each neuron reads the one at its own place.
    Same,
    /// All read all.
    Dense,
}

/// A number for both axes, or height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [u32; 2]);

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number, or [height, width]")]
        enum Either {
            One(u32),
            Two([u32; 2]),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::One(both) => [both; 2],
            Either::Two(pair) => pair,
        }))
    }
}
