//! Layers of a block's graph and the order of the nodes in each, after Sugiyama: longest paths
//! decide the layers, edges that pass a layer get a place in it, barycenters decide the order.

use super::{Block, Role};

/// Sweeps over the layers in search of fewer crossings.
const SWEEPS: usize = 8;

/// A graph in layers. Vertices are the nodes of the block and, behind them, the places where edges
/// pass a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layers {
    /// Vertices of each layer, in order.
    pub(super) order: Vec<Vec<usize>>,
    /// For each edge of the block the vertices that it goes through, both ends included; empty for
    /// feedback.
    pub(super) chains: Vec<Vec<usize>>,
    /// Number of vertices.
    pub(super) vertices: usize,
}

impl Layers {
    /// Layers of a block in which every edge but feedback goes from a smaller to a larger index.
    pub(super) fn of(block: &Block) -> Self {
        let forward = |from: usize, to: usize, feedback: bool| !feedback && from < to;
        let mut layer = vec![0_usize; block.nodes.len()];
        for (index, node) in block.nodes.iter().enumerate() {
            let before = block.edges.iter().filter(|e| e.to == index);
            let before = before.filter(|e| forward(e.from, e.to, e.feedback));
            let after = before.map(|e| layer[e.from] + 1).max().unwrap_or(0);
            // A state without edges does not stand among the inputs.
            let least = usize::from(!matches!(node.role, Role::Input { .. }));
            layer[index] = match node.role {
                Role::Output => layer.iter().max().map_or(0, |last| last + 1),
                Role::Input { .. } | Role::State => after.max(least),
            };
        }
        let count = layer.iter().max().map_or(0, |last| last + 1);
        let mut layers = vec![Vec::new(); count];
        layer.iter().enumerate().for_each(|(node, &l)| layers[l].push(node));
        let mut vertices = block.nodes.len();
        let chain = |edge: &super::Edge| {
            if !forward(edge.from, edge.to, edge.feedback) {
                return Vec::new();
            }
            let mut chain = vec![edge.from];
            for passed in &mut layers[layer[edge.from] + 1..layer[edge.to]] {
                passed.push(vertices);
                chain.push(vertices);
                vertices += 1;
            }
            chain.push(edge.to);
            chain
        };
        let chains = block.edges.iter().map(chain).collect();
        let mut layered = Self { order: layers, chains, vertices };
        layered.untangle();
        layered
    }

    /// Neighbors of every vertex in the layer before and in the layer behind.
    pub(super) fn neighbors(&self) -> [Vec<Vec<usize>>; 2] {
        let mut before = vec![Vec::new(); self.vertices];
        let mut behind = vec![Vec::new(); self.vertices];
        for pair in self.chains.iter().flat_map(|c| c.windows(2)) {
            before[pair[1]].push(pair[0]);
            behind[pair[0]].push(pair[1]);
        }
        [before, behind]
    }

    /// Sorts each layer by the mean position of its neighbors, forth and back, and keeps the order
    /// with the fewest crossings.
    fn untangle(&mut self) {
        let [before, behind] = self.neighbors();
        let mut best = (self.crossings(&behind), self.order.clone());
        for sweep in 0..SWEEPS {
            let forth = sweep % 2 == 0;
            let count = self.order.len();
            for step in 1..count {
                let at = if forth { step } else { count - 1 - step };
                let fixed = self.positions(if forth { at - 1 } else { at + 1 });
                let neighbors = if forth { &before } else { &behind };
                let own = self.positions(at);
                let key = |&vertex: &usize| mean(&neighbors[vertex], &fixed).unwrap_or(own[vertex]);
                self.order[at].sort_by(|a, b| key(a).total_cmp(&key(b)));
            }
            let crossings = self.crossings(&behind);
            if crossings < best.0 {
                best = (crossings, self.order.clone());
            }
        }
        self.order = best.1;
    }

    /// Position of every vertex of a layer in it, by vertex.
    #[expect(clippy::cast_precision_loss, reason = "a layer has few vertices")]
    fn positions(&self, layer: usize) -> Vec<f64> {
        let mut positions = vec![0.0; self.vertices];
        for (at, &vertex) in self.order[layer].iter().enumerate() {
            positions[vertex] = at as f64;
        }
        positions
    }

    /// Pairs of segments between neighboring layers that cross.
    fn crossings(&self, behind: &[Vec<usize>]) -> usize {
        let mut crossings = 0;
        for pair in self.order.windows(2) {
            let place = |vertex: usize| pair[1].iter().position(|&v| v == vertex);
            let segments: Vec<_> = pair[0]
                .iter()
                .enumerate()
                .flat_map(|(at, &v)| behind[v].iter().map(move |&to| (at, place(to))))
                .collect();
            for (i, a) in segments.iter().enumerate() {
                let crosses = |b: &&(usize, Option<usize>)| a.0 < b.0 && a.1 > b.1;
                crossings += segments[i + 1..].iter().filter(crosses).count();
            }
        }
        crossings
    }
}

/// Mean of the values of some vertices.
#[expect(clippy::cast_precision_loss, reason = "a vertex has few neighbors")]
fn mean(vertices: &[usize], values: &[f64]) -> Option<f64> {
    let sum: f64 = vertices.iter().map(|&v| values[v]).sum();
    (!vertices.is_empty()).then(|| sum / vertices.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn layers_are_longest_paths_and_long_edges_have_a_place_in_each() {
        let layers = Layers::of(&sample().blocks[1]);
        let nodes: Vec<Vec<usize>> = layers
            .order
            .iter()
            .map(|l| {
                let mut nodes: Vec<usize> = l.iter().copied().filter(|&v| v < 6).collect();
                nodes.sort_unstable();
                nodes
            })
            .collect();
        assert_eq!(nodes, [vec![0, 1], vec![2], vec![3], vec![4], vec![5]]);
        // The identity from 0 to 4 passes two layers, the part 2 two more.
        assert_eq!(layers.chains[3].len(), 4);
        assert_eq!(layers.chains[7].len(), 4);
        assert!(layers.chains[6].is_empty(), "feedback has no chain");
        assert_eq!(layers.vertices, 6 + 4);
    }

    #[test]
    fn crossings_are_removed_where_an_order_without_them_exists() {
        let mut block = sample().blocks[1].clone();
        block.edges.clear();
        block.nodes.truncate(4);
        block.nodes[3].role = Role::State;
        let edge = |from, to| super::super::Edge {
            from,
            to,
            kind: super::super::EdgeKind::Excitatory,
            feedback: false,
            label: String::new(),
            note: String::new(),
        };
        block.edges = vec![edge(0, 3), edge(1, 2)];
        let layers = Layers::of(&block);
        assert_eq!(layers.crossings(&layers.neighbors()[1]), 0, "{layers:?}");
    }
}
