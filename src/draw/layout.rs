//! Coordinates of a block's graph: layers from left to right, edges as curves that end level at
//! their target, feedback around the bottom.

use super::order::Layers;
use super::{Block, Edge, Node, Role};
use std::fmt::Write as _;

/// Height of the smallest box.
const BOX_HEIGHT: f64 = 30.0;
/// Distance of two ends of edges on a box.
const PORT: f64 = 15.0;
/// Least vertical distance of boxes.
const VERTICAL_GAP: f64 = 14.0;
/// Height that a passing edge takes.
const PASSING: f64 = 6.0;
/// Length of the level end of an edge, which its label stands on.
const LEVEL: f64 = 62.0;
/// Width of the space between two layers.
const GAP: f64 = LEVEL + 46.0;
/// Distance of parallel feedback lines.
const FEEDBACK_STEP: f64 = 9.0;
/// Rounds of moving boxes towards their neighbors.
const ROUNDS: usize = 12;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rect {
    /// Left side.
    pub(super) x: f64,
    /// Upper side.
    pub(super) y: f64,
    /// Extent to the right.
    pub(super) width: f64,
    /// Extent downwards.
    pub(super) height: f64,
}

/// The line of an edge.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Path data of SVG.
    pub(super) path: String,
    /// Right end of the label's base line.
    pub(super) label: [f64; 2],
}

/// A block's graph with coordinates, from (0, 0) on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    /// Boxes of the nodes.
    pub(super) boxes: Vec<Rect>,
    /// Lines of the edges.
    pub(super) lines: Vec<Line>,
    /// Height at which a line from another block meets each node.
    pub(super) entries: Vec<f64>,
    /// Extent of everything.
    pub(super) width: f64,
    /// Extent of everything.
    pub(super) height: f64,
}

/// Width of a text of a size in pixels, roughly.
#[expect(clippy::cast_precision_loss, reason = "a label is short")]
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.58
}

impl Layout {
    /// Lays out the graph of a block.
    pub(super) fn of(block: &Block) -> Self {
        let layers = Layers::of(block);
        let mut ports = Ports::of(block, &layers);
        let heights: Vec<f64> = (0..layers.vertices)
            .map(|v| if v < block.nodes.len() { ports.height(v) } else { PASSING })
            .collect();
        let centers = centers(&layers, &heights);
        ports.sort(block, &layers, &centers);
        let columns = columns(block, &layers);
        let boxes: Vec<Rect> = (0..block.nodes.len())
            .map(|node| {
                let Rect { x, width, .. } = columns[layer_of(&layers, node)];
                let (y, height) = (centers[node] - heights[node] / 2.0, heights[node]);
                Rect { x, y, width, height }
            })
            .collect();
        let entry = |(node, place): (usize, &Rect)| ports.end(place, node, OUTSIDE)[1];
        let mut layout = Self {
            entries: boxes.iter().enumerate().map(entry).collect(),
            boxes,
            width: columns.last().map_or(0.0, |c| c.x + c.width),
            ..Self::default()
        };
        let bottoms = layout.boxes.iter().map(|b| b.y + b.height);
        let bottom = centers.iter().map(|c| c + PASSING).chain(bottoms).fold(0.0, f64::max);
        let mut back = 0;
        for (index, edge) in block.edges.iter().enumerate() {
            let chain = &layers.chains[index];
            let start = ports.start(&layout.boxes[edge.from], edge.from, index);
            let end = ports.end(&layout.boxes[edge.to], edge.to, index);
            let line = if chain.is_empty() {
                back += 1;
                let around = [edge.from, edge.to].map(|node| columns[layer_of(&layers, node)]);
                feedback(start, end, around, bottom, back)
            } else {
                let passed = chain[1..chain.len() - 1].iter();
                let passed = passed.map(|&v| (columns[layer_of(&layers, v)], centers[v]));
                forward(start, end, passed)
            };
            layout.lines.push(line);
        }
        layout.height = bottom + f64::from(back) * FEEDBACK_STEP + if back > 0 { 8.0 } else { 0.0 };
        layout
    }
}

/// Layer of a vertex.
fn layer_of(layers: &Layers, vertex: usize) -> usize {
    layers.order.iter().position(|l| l.contains(&vertex)).unwrap_or(0)
}

fn box_width(node: &Node) -> f64 {
    text_width(&node.label, 12.0).max(text_width(&node.detail, 9.0)) + 16.0
}

/// Left side and width of every layer. Feedback into the first one has room before it.
fn columns(block: &Block, layers: &Layers) -> Vec<Rect> {
    let back = block.edges.iter().zip(&layers.chains).filter(|(_, chain)| chain.is_empty());
    let number = (1_i32..).zip(back).filter(|(_, (e, _))| layer_of(layers, e.to) == 0).last();
    let mut x = number.map_or(0.0, |(n, _)| LEVEL + f64::from(n) * FEEDBACK_STEP + 4.0);
    let column = |layer: &Vec<usize>| {
        let nodes = layer.iter().filter_map(|&v| block.nodes.get(v));
        let width = nodes.map(box_width).fold(30.0, f64::max);
        let column = Rect { x, width, ..Rect::default() };
        x += width + GAP;
        column
    };
    layers.order.iter().map(column).collect()
}

/// Stands for the line from another block among the edges into a node.
const OUTSIDE: usize = usize::MAX;

/// Ends of edges on the sides of the boxes, from top to bottom.
struct Ports {
    /// Edges into each node.
    into: Vec<Vec<usize>>,
    /// Edges out of each node.
    out: Vec<Vec<usize>>,
}

impl Ports {
    fn of(block: &Block, layers: &Layers) -> Self {
        let mut ports = Self {
            into: vec![Vec::new(); layers.vertices],
            out: vec![Vec::new(); layers.vertices],
        };
        for (index, node) in block.nodes.iter().enumerate() {
            if matches!(node.role, Role::Input { .. }) {
                ports.into[index].push(OUTSIDE);
            }
        }
        for (index, edge) in block.edges.iter().enumerate() {
            ports.into[edge.to].push(index);
            ports.out[edge.from].push(index);
        }
        ports
    }

    /// Height of a box with room for its ports.
    #[expect(clippy::cast_precision_loss, reason = "a box has few ports")]
    fn height(&self, node: usize) -> f64 {
        let ports = self.into[node].len().max(self.out[node].len());
        BOX_HEIGHT.max(ports as f64 * PORT + 4.0)
    }

    /// Sorts the ports of every box by the height that the edges come from and go to; feedback is
    /// lowest.
    fn sort(&mut self, block: &Block, layers: &Layers, centers: &[f64]) {
        let beside = |edge: usize, place: fn(&[usize]) -> Option<&usize>| {
            place(&layers.chains[edge]).map_or(f64::INFINITY, |&v| centers[v])
        };
        let before = |edge: usize| match edge {
            OUTSIDE => f64::NEG_INFINITY,
            edge => beside(edge, |c| c.len().checked_sub(2).and_then(|i| c.get(i))),
        };
        let behind = |edge: usize| beside(edge, |c| c.get(1));
        for node in 0..block.nodes.len() {
            self.into[node].sort_by(|a, b| before(*a).total_cmp(&before(*b)));
            self.out[node].sort_by(|a, b| behind(*a).total_cmp(&behind(*b)));
        }
    }

    /// Where `edge` leaves `node`.
    fn start(&self, place: &Rect, node: usize, edge: usize) -> [f64; 2] {
        [place.x + place.width, height_of(place, &self.out[node], edge)]
    }

    /// Where `edge` meets `node`.
    fn end(&self, place: &Rect, node: usize, edge: usize) -> [f64; 2] {
        [place.x, height_of(place, &self.into[node], edge)]
    }
}

/// Height of the port of `edge` among `ports`.
#[expect(clippy::cast_precision_loss, reason = "a box has few ports")]
fn height_of(place: &Rect, ports: &[usize], edge: usize) -> f64 {
    let at = ports.iter().position(|&p| p == edge).unwrap_or(0);
    let offset = at as f64 - (ports.len() as f64 - 1.0) / 2.0;
    place.y + place.height / 2.0 + offset * PORT
}

/// Vertical centers of all vertices: near their neighbors, in the order of their layers.
fn centers(layers: &Layers, heights: &[f64]) -> Vec<f64> {
    let neighbors = layers.neighbors();
    let mut centers = vec![0.0; layers.vertices];
    for layer in &layers.order {
        let wanted = vec![0.0; layer.len()];
        place(layer, &wanted, heights, &mut centers);
    }
    for round in 0..ROUNDS {
        let side = &neighbors[round % 2];
        for step in 0..layers.order.len() {
            let at = if round % 2 == 0 { step } else { layers.order.len() - 1 - step };
            let layer = &layers.order[at];
            let wanted: Vec<f64> =
                layer.iter().map(|&v| mean(&side[v], &centers).unwrap_or(centers[v])).collect();
            place(layer, &wanted, heights, &mut centers);
        }
    }
    let top = (0..layers.vertices).map(|v| centers[v] - heights[v] / 2.0).fold(f64::MAX, f64::min);
    for center in &mut centers {
        *center -= top;
    }
    centers
}

#[expect(clippy::cast_precision_loss, reason = "a vertex has few neighbors")]
fn mean(vertices: &[usize], values: &[f64]) -> Option<f64> {
    let sum: f64 = vertices.iter().map(|&v| values[v]).sum();
    (!vertices.is_empty()).then(|| sum / vertices.len() as f64)
}

/// Places a layer: as near to the wanted centers as its order and distances allow, by pooling
/// neighbors that would overlap (isotonic regression).
fn place(layer: &[usize], wanted: &[f64], heights: &[f64], centers: &mut [f64]) {
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(layer.len());
    // Runs of vertices that move together: sum of wanted positions, count.
    let mut runs: Vec<(f64, f64)> = Vec::new();
    for (i, &vertex) in layer.iter().enumerate() {
        if i > 0 {
            offset += f64::midpoint(heights[layer[i - 1]], heights[vertex]) + VERTICAL_GAP;
        }
        offsets.push(offset);
        runs.push((wanted[i] - offset, 1.0));
        while let [.., before, last] = runs[..]
            && before.0 / before.1 > last.0 / last.1
        {
            runs.pop();
            runs.pop();
            runs.push((before.0 + last.0, before.1 + last.1));
        }
    }
    let mut vertices = layer.iter().zip(offsets);
    for (sum, count) in runs {
        let mut left = count;
        while left > 0.0 {
            let Some((&vertex, offset)) = vertices.next() else { return };
            centers[vertex] = sum / count + offset;
            left -= 1.0;
        }
    }
}

/// The line of an edge to a later layer: curves between the layers, level through them and before
/// its target.
fn forward(start: [f64; 2], end: [f64; 2], passed: impl Iterator<Item = (Rect, f64)>) -> Line {
    let mut path = format!("M{:.1} {:.1}", start[0], start[1]);
    let mut at = start;
    let mut curve = |to: [f64; 2], then: f64| {
        let middle = f64::midpoint(at[0], to[0]);
        // Writing to a string cannot fail.
        let _ = write!(
            path,
            "C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}H{then:.1}",
            at[1], to[1], to[0], to[1]
        );
        at = [then, to[1]];
    };
    for (column, y) in passed {
        curve([column.x, y], column.x + column.width);
    }
    curve([end[0] - LEVEL, end[1]], end[0]);
    Line { path, label: label(end) }
}

/// The line of an edge to an earlier layer, around the bottom; `number` counts them from 1.
fn feedback(start: [f64; 2], end: [f64; 2], around: [Rect; 2], bottom: f64, number: i32) -> Line {
    let step = f64::from(number) * FEEDBACK_STEP;
    let right = around[0].x + around[0].width + 4.0 + step;
    let left = around[1].x - LEVEL - step;
    let low = bottom + step;
    let corners = [start, [right, start[1]], [right, low], [left, low], [left, end[1]], end];
    Line { path: rounded(&corners), label: label(end) }
}

fn label(end: [f64; 2]) -> [f64; 2] {
    [end[0] - 9.0, end[1] - 3.0]
}

/// A line through points with horizontal and vertical parts, with rounded corners.
pub(super) fn rounded(points: &[[f64; 2]]) -> String {
    const RADIUS: f64 = 6.0;
    let mut path = String::new();
    for (i, point) in points.iter().enumerate() {
        let towards = |other: Option<&[f64; 2]>| {
            other.map(|other| {
                let [across, down] = [other[0] - point[0], other[1] - point[1]];
                let length = across.abs().max(down.abs());
                let near = RADIUS.min(length / 2.0) / length.max(f64::MIN_POSITIVE);
                format!("{:.1} {:.1}", point[0] + across * near, point[1] + down * near)
            })
        };
        let corner = format!("{:.1} {:.1}", point[0], point[1]);
        let before = i.checked_sub(1).and_then(|before| towards(points.get(before)));
        let behind = towards(points.get(i + 1));
        // Writing to a string cannot fail.
        let _ = match (before, behind) {
            (None, _) => write!(path, "M{corner}"),
            (Some(_), None) => write!(path, "L{corner}"),
            (Some(before), Some(behind)) => write!(path, "L{before}Q{corner} {behind}"),
        };
    }
    path
}

/// Whether an edge needs a label.
pub(super) fn label_of(edge: &Edge) -> Option<String> {
    (!edge.label.is_empty()).then(|| format!("{}{}", edge.kind.sign(), edge.label))
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn boxes_do_not_overlap_and_lie_inside() {
        let layout = Layout::of(&sample().blocks[1]);
        for (i, a) in layout.boxes.iter().enumerate() {
            assert!(a.x >= 0.0 && a.y >= 0.0, "{a:?}");
            assert!(a.x + a.width <= layout.width && a.y + a.height <= layout.height, "{a:?}");
            for b in &layout.boxes[i + 1..] {
                let apart = a.x + a.width < b.x
                    || b.x + b.width < a.x
                    || a.y + a.height < b.y
                    || b.y + b.height < a.y;
                assert!(apart, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn every_edge_has_a_line_of_its_own_that_ends_at_its_target() {
        let block = &sample().blocks[1];
        let layout = Layout::of(block);
        assert_eq!(layout.lines.len(), block.edges.len());
        for (i, (edge, line)) in block.edges.iter().zip(&layout.lines).enumerate() {
            let target = layout.boxes[edge.to];
            assert!((line.label[0] - (target.x - 9.0)).abs() < 1e-9, "{line:?}");
            assert!((target.y..target.y + target.height).contains(&(line.label[1] + 3.0)));
            let same = |other: &&Line| other.path == line.path;
            assert_eq!(layout.lines.iter().filter(same).count(), 1, "edge {i}");
        }
    }

    #[test]
    fn feedback_into_an_input_stays_inside_and_apart_from_what_it_reads() {
        let mut block = sample().blocks[1].clone();
        block.edges[6].to = 0;
        let layout = Layout::of(&block);
        assert!(layout.boxes[0].x > LEVEL, "{layout:?}");
        let end = layout.lines[6].label[1] + 3.0;
        assert!((end - layout.entries[0]).abs() > PORT - 1.0, "{layout:?}");
    }

    #[test]
    fn wanted_places_are_kept_where_there_is_room() {
        let mut centers = vec![0.0; 3];
        place(&[0, 1, 2], &[0.0, 5.0, 100.0], &[10.0; 3], &mut centers);
        let apart = 10.0 + VERTICAL_GAP;
        assert!((centers[1] - centers[0] - apart).abs() < 1e-9, "{centers:?}");
        assert!((f64::midpoint(centers[0], centers[1]) - 2.5).abs() < 1e-9, "{centers:?}");
        assert!((centers[2] - 100.0).abs() < 1e-9);
    }
}
