//! Shapes of values: `[N]` or `[channels, height, width]`, row-major.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Extents of a value carried by a node or a population, outermost first.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(pub Vec<u32>);

impl Shape {
    /// A vector of `n` elements.
    pub fn flat(n: u32) -> Self {
        Self(vec![n])
    }

    /// Channels, height, width.
    pub fn chw(c: u32, h: u32, w: u32) -> Self {
        Self(vec![c, h, w])
    }

    /// Number of elements; saturates instead of overflowing.
    pub fn size(&self) -> usize {
        self.0.iter().fold(1_usize, |n, &d| n.saturating_mul(d as usize))
    }

    /// Number of channels: the outermost extent.
    pub fn channels(&self) -> usize {
        self.0.first().map_or(1, |&c| c as usize)
    }

    /// Elements per channel.
    pub fn per_channel(&self) -> usize {
        self.0.iter().skip(1).fold(1_usize, |n, &d| n.saturating_mul(d as usize))
    }

    /// `[channels, height, width]` if the shape has three extents.
    pub fn as_chw(&self) -> Option<[u32; 3]> {
        <[u32; 3]>::try_from(self.0.as_slice()).ok()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[")?;
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                write!(f, ", ")?;
            }
            write!(f, "{d}")?;
        }
        write!(f, "]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
