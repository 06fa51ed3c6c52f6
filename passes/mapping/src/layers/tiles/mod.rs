//! Tiles: which core holds which part of which layer, in time that does not depend on synapses.
//!
//! A layer is cut into blocks of channels, a block into strips of columns, and a strip into runs of pixels, row by row. How wide
//! and how long is found by trying the few sizes that make a difference (`plan`); what limits a core is counted in
//! closed form ([`cost`]). What is left over shares cores with other layers (`pour`).

mod cost;
mod lists;
mod outputs;
mod plan;
mod pour;
#[cfg(test)]
mod tests;

pub use cost::{CoreLimits, Cost, Storage, cost};
pub use outputs::outputs;
pub use pour::tile;

/// Part of a layer on one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// The layer.
    pub layer: usize,
    /// First channel, and the first that no longer belongs to it.
    pub channels: [u32; 2],
    /// Columns of the strip.
    pub columns: [u32; 2],
    /// Pixels of the strip, counted row by row.
    pub run: [u64; 2],
}

impl Tile {
    /// Neurons.
    pub fn neurons(&self) -> u64 {
        u64::from(self.channels[1] - self.channels[0]) * (self.run[1] - self.run[0])
    }
}

/// Cores alike: the first holds `first`, the next as many pixels that follow it, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// What the first core holds.
    pub first: Tile,
    /// Cores.
    pub cores: u64,
}

impl Group {
    /// What one of the cores holds.
    pub fn tile(&self, core: u64) -> Tile {
        let [start, end] = self.first.run;
        let shift = core * (end - start);
        Tile { run: [start + shift, end + shift], ..self.first }
    }
}

/// All cores of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiling {
    /// Cores that hold one tile each.
    pub groups: Vec<Group>,
    /// Cores that hold several, or one that leaves much of its core empty.
    pub mixed: Vec<Vec<Tile>>,
}

impl Tiling {
    /// Cores in use.
    pub fn cores(&self) -> u64 {
        self.groups.iter().map(|group| group.cores).sum::<u64>() + self.mixed.len() as u64
    }

    /// Tiles with their core, core by core.
    pub fn tiles(&self) -> impl Iterator<Item = (u64, Tile)> + '_ {
        let grouped: u64 = self.groups.iter().map(|group| group.cores).sum();
        let alike = self.groups.iter().flat_map(|group| (0..group.cores).map(|n| group.tile(n)));
        let mixed = self.mixed.iter().zip(grouped..);
        (0..)
            .zip(alike)
            .chain(mixed.flat_map(|(tiles, core)| tiles.iter().map(move |tile| (core, *tile))))
    }
}

/// Why a network has no tiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a neuron of layer `{layer}` takes {need} {resource} of a core, which has {limit}")]
pub struct TileError {
    /// The layer.
    pub layer: String,
    /// What runs out.
    pub resource: &'static str,
    /// What one neuron takes.
    pub need: u64,
    /// What a core has.
    pub limit: u64,
}
