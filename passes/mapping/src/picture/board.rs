//! Cores on their mesh.

use super::{Picture, color, count, escaped, ink, number};
use crate::place::messages;
use std::fmt::Write as _;

/// Extent of the longer side of the mesh.
const SIDE: f64 = 640.0;
/// Most tiles along a side: a larger mesh is drawn in blocks of routers.
const MOST: u32 = 128;
/// Most cores that are drawn one by one.
const SINGLE: usize = 2048;
/// Most tiles along a side if there are more: a picture stays below 1 MB.
const MOST_OF_MANY: u32 = 64;
/// Sizes of a tile.
const LARGEST: f64 = 58.0;
const SMALLEST: f64 = 5.0;
/// A tile of this size has room for the core's number, and for arrows of its own.
const NUMBERED: f64 = 20.0;
/// Squares of tiles along a side, between which flows are drawn if tiles have no room for arrows.
const SQUARES: u32 = 12;

/// The part of the mesh that is drawn, in tiles of `block` by `block` routers.
pub(super) struct Board {
    origin: [f64; 2],
    /// First router drawn.
    first: [u32; 2],
    /// Tiles along x and y.
    tiles: [u32; 2],
    block: u32,
    /// Whether a tile has one color for all of its cores.
    heat: bool,
    /// Extent of a tile.
    size: f64,
    /// Cores of each tile, row by row, ascending.
    cores: Vec<Vec<usize>>,
    /// Tile of each core.
    tile_of: Vec<u32>,
}

impl Board {
    pub(super) fn of(picture: &Picture<'_>, origin: [f64; 2]) -> Self {
        let mesh = picture.mesh;
        let cells = &picture.placement.cells;
        let valid = picture.placement.is_valid(mesh) && cells.len() == picture.traffic.cores();
        let routers: Vec<[u32; 2]> =
            if valid { cells.iter().map(|&c| mesh.router(c)).collect() } else { Vec::new() };
        let range = |axis: usize, chip: u32| {
            let of = routers.iter().map(|r| r[axis]);
            let (low, high) = (of.clone().min().unwrap_or(0), of.max().unwrap_or(0));
            // Several chips are drawn whole.
            if low / chip == high / chip {
                [low, high + 1]
            } else {
                [low / chip * chip, (high / chip + 1) * chip]
            }
        };
        let [x, y] = if valid && !routers.is_empty() {
            [range(0, mesh.width), range(1, mesh.height)]
        } else {
            [[0, 1]; 2]
        };
        let longest = (x[1] - x[0]).max(y[1] - y[0]);
        let many = routers.len() > SINGLE;
        let block = longest.div_ceil(if many { MOST_OF_MANY } else { MOST });
        let tiles = [(x[1] - x[0]).div_ceil(block), (y[1] - y[0]).div_ceil(block)];
        let size = (SIDE / f64::from(longest.div_ceil(block))).clamp(SMALLEST, LARGEST);
        let mut board = Self {
            origin,
            first: [x[0], y[0]],
            tiles,
            block,
            heat: many || block > 1,
            size,
            cores: vec![Vec::new(); tiles[0] as usize * tiles[1] as usize],
            tile_of: Vec::with_capacity(routers.len()),
        };
        for (core, &[x, y]) in routers.iter().enumerate() {
            let [a, b] = [(x - board.first[0]) / block, (y - board.first[1]) / block];
            let tile = b * tiles[0] + a;
            board.cores[tile as usize].push(core);
            board.tile_of.push(tile);
        }
        board
    }

    pub(super) fn right(&self) -> f64 {
        self.origin[0] + self.size * f64::from(self.tiles[0])
    }

    pub(super) fn bottom(&self) -> f64 {
        self.origin[1] + self.size * f64::from(self.tiles[1])
    }

    /// Tiles along a side of the squares between which flows are drawn: single ones where they have room for arrows.
    fn group(&self) -> u32 {
        if self.size >= NUMBERED { 1 } else { self.tiles[0].max(self.tiles[1]).div_ceil(SQUARES) }
    }

    /// What a tile is, if it is not a router with its cores.
    pub(super) fn tile(&self) -> Option<String> {
        let routers = match self.block {
            1 => "the cores of a router".to_owned(),
            side => format!("the cores of {side} by {side} routers"),
        };
        self.heat.then(|| format!("; a square is {routers}, its color their mean"))
    }

    /// Routers along a side of such a square.
    pub(super) fn square(&self) -> u32 {
        self.group() * self.block
    }

    /// Extent of such a square.
    pub(super) fn square_size(&self) -> f64 {
        self.size * f64::from(self.group())
    }

    /// Column and row of a core's square, if it is drawn.
    pub(super) fn square_of(&self, core: u32) -> Option<[u32; 2]> {
        let tile = self.tile_of.get(core as usize)?;
        Some([tile % self.tiles[0], tile / self.tiles[0]].map(|at| at / self.group()))
    }

    /// Middle of a square, or of what the board has of it.
    pub(super) fn middle(&self, square: [u32; 2]) -> [f64; 2] {
        [0, 1].map(|axis| {
            let low = square[axis] * self.group();
            let high = (low + self.group()).min(self.tiles[axis]);
            self.origin[axis] + f64::midpoint(f64::from(low), f64::from(high)) * self.size
        })
    }

    /// What a square is called: by its core if it has a single one, or by its routers.
    pub(super) fn name(&self, square: [u32; 2]) -> String {
        let [x, y] = [0, 1].map(|axis| self.first[axis] + square[axis] * self.square());
        let tile = (square[1] * self.tiles[0] + square[0]) as usize;
        match self.cores.get(tile).map(Vec::as_slice) {
            Some(&[core]) if self.square() == 1 => format!("core {core}"),
            _ if self.square() == 1 => format!("router {x}, {y}"),
            _ => format!("routers from {x}, {y}"),
        }
    }

    fn corner(&self, tile: u32) -> [f64; 2] {
        let [x, y] = [tile % self.tiles[0], tile / self.tiles[0]].map(f64::from);
        [self.origin[0] + x * self.size, self.origin[1] + y * self.size]
    }

    pub(super) fn draw(&self, text: &mut String, picture: &Picture<'_>) {
        let each = messages(picture.traffic, picture.mesh, picture.placement);
        for (tile, cores) in (0..).zip(&self.cores) {
            let [x, y] = self.corner(tile);
            if self.heat {
                self.heat(text, picture, cores, [x, y]);
            } else {
                self.cells(text, picture, &each, cores, [x, y]);
            }
        }
        self.chips(text, picture);
    }

    /// A tile of one router: its cores, in a square of their own each.
    fn cells(
        &self,
        text: &mut String,
        picture: &Picture<'_>,
        each: &[crate::place::Messages],
        cores: &[usize],
        [x, y]: [f64; 2],
    ) {
        let slots = picture.mesh.cores_per_router;
        let across = slots.isqrt() + u32::from(slots.isqrt().pow(2) < slots);
        let down = slots.div_ceil(across);
        let gap = (self.size * 0.06).clamp(0.4, 2.0);
        let width = (self.size - 2.0 * gap) / f64::from(across);
        let height = (self.size - 2.0 * gap) / f64::from(down);
        let inner = if slots > 1 { gap / 2.0 } else { 0.0 };
        let place = |slot: u32| {
            [
                x + gap + f64::from(slot % across) * width + inner / 2.0,
                y + gap + f64::from(slot / across) * height + inner / 2.0,
            ]
        };
        let (w, h) = (width - inner, height - inner);
        let round = (w.min(h) * 0.12).min(4.0);
        let used: Vec<u32> =
            cores.iter().map(|&core| picture.placement.cells[core] % slots).collect();
        for [x, y] in (0..slots).filter(|slot| !used.contains(slot)).map(place) {
            let _ = writeln!(
                text,
                "<rect class=\"none\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{round:.1}\"/>"
            );
        }
        for &core in cores {
            let [x, y] = place(picture.placement.cells[core] % slots);
            let load = picture.loads.get(core).copied().unwrap_or(0.0);
            let name = picture.names.get(core).map_or("", String::as_str);
            let messages = each.get(core).copied().unwrap_or_default();
            let _ = write!(
                text,
                "<g><title>core {core}{}{}\n{} % of {}\nsends {}, receives {} messages per step</title>\
                 <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{round:.1}\" fill=\"{}\"/>",
                if name.is_empty() { "" } else { ": " },
                escaped(name),
                number((load * 1000.0).round() / 10.0),
                escaped(picture.load),
                number(messages.sent),
                number(messages.received),
                color(load)
            );
            if w.min(h) >= NUMBERED {
                let _ = write!(
                    text,
                    "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{:.0}\" fill=\"{}\" fill-opacity=\"0.85\">{core}</text>",
                    x + 3.0,
                    y + w.min(12.0) - 2.0,
                    (w * 0.24).clamp(7.0, 10.0),
                    ink(load)
                );
            }
            text.push_str("</g>\n");
        }
    }

    /// A tile of many routers: one color for all of its cores.
    fn heat(&self, text: &mut String, picture: &Picture<'_>, cores: &[usize], [x, y]: [f64; 2]) {
        let gap = (self.size * 0.04).min(1.0);
        let side = self.size - 2.0 * gap;
        let place = format!(
            "x=\"{:.1}\" y=\"{:.1}\" width=\"{side:.1}\" height=\"{side:.1}\"",
            x + gap,
            y + gap
        );
        let loads = cores.iter().map(|&core| picture.loads.get(core).copied().unwrap_or(0.0));
        let most = loads.clone().fold(0.0, f64::max);
        let mean = loads.sum::<f64>() / count(cores.len().max(1));
        let percent = |load: f64| number((load * 1000.0).round() / 10.0);
        let _ = match cores {
            [] => writeln!(text, "<rect class=\"none\" {place}/>"),
            cores => writeln!(
                text,
                "<rect {place} fill=\"{}\"><title>{} cores\n{} % of {} on average, {} % at most</title></rect>",
                color(if most > 1.0 { most } else { mean }),
                cores.len(),
                percent(mean),
                escaped(picture.load),
                percent(most)
            ),
        };
    }

    /// Borders of chips, if there are several.
    fn chips(&self, text: &mut String, picture: &Picture<'_>) {
        let mesh = picture.mesh;
        let size = self.size / f64::from(self.block);
        let end = [0, 1].map(|axis| {
            (self.first[axis] + self.tiles[axis] * self.block).min(mesh.extent()[axis])
        });
        let [left, top] = [0, 1].map(|axis| f64::from(self.first[axis]));
        for row in self.first[1] / mesh.height..end[1].div_ceil(mesh.height) {
            for column in self.first[0] / mesh.width..end[0].div_ceil(mesh.width) {
                // A chip of which only a part is drawn has its border where the part ends.
                let low = [
                    (column * mesh.width).max(self.first[0]),
                    (row * mesh.height).max(self.first[1]),
                ];
                let high = [
                    ((column + 1) * mesh.width).min(end[0]),
                    ((row + 1) * mesh.height).min(end[1]),
                ];
                let _ = writeln!(
                    text,
                    "<rect class=\"chip\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\" \
                     stroke-width=\"{:.1}\"/>",
                    self.origin[0] + (f64::from(low[0]) - left) * size,
                    self.origin[1] + (f64::from(low[1]) - top) * size,
                    f64::from(high[0] - low[0]) * size,
                    f64::from(high[1] - low[1]) * size,
                    (self.size * 0.08).clamp(0.7, 1.4)
                );
            }
        }
    }
}
