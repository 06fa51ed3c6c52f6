//! Where pixels of different layers lie over each other.

use super::network::{Network, Window};

/// Where the pixels of a layer lie on the map from which all derive, along one axis: pixel `p` at `scale · p + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    scale: f64,
    offset: f64,
}

impl Axis {
    /// The axis of what reads a layer: each pixel at the center of its window.
    fn read(self, window: Window) -> Self {
        let center = f64::from(window.kernel - 1) / 2.0 - f64::from(window.padding);
        Self {
            scale: self.scale * f64::from(window.stride),
            offset: self.offset + self.scale * center,
        }
    }

    fn at(self, pixel: u32) -> f64 {
        self.scale * f64::from(pixel) + self.offset
    }
}

/// Places of all layers on common maps.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    /// Rows and columns of each layer.
    axes: Vec<[Axis; 2]>,
}

impl Geometry {
    /// Follows the first read of each layer that comes from an earlier one; a layer without starts a map of its own.
    pub(super) fn new(network: &Network) -> Self {
        let mut axes: Vec<[Axis; 2]> = Vec::with_capacity(network.layers.len());
        for (index, layer) in network.layers.iter().enumerate() {
            let own = [Axis { scale: 1.0, offset: 0.0 }; 2];
            let first = layer.reads.iter().find(|read| read.source < index);
            axes.push(first.map_or(own, |read| {
                let [rows, columns] = axes[read.source];
                [rows.read(read.rows), columns.read(read.columns)]
            }));
        }
        Self { axes }
    }

    /// Row and column of a pixel on its common map.
    pub(super) fn place(&self, layer: usize, row: u32, column: u32) -> [f64; 2] {
        let [rows, columns] = self.axes[layer];
        [rows.at(row), columns.at(column)]
    }
}
