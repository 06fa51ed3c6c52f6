//! Order and loops of a zero-delay graph whose vertices are arena indices.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Vertices `0..len` so that every edge `(from, to)` goes forward, the smallest index first
/// wherever there is a choice. `None` if the edges form a loop or name a vertex outside.
pub(crate) fn topological(len: usize, edges: &[(usize, usize)]) -> Option<Vec<usize>> {
    let mut incoming = vec![0_usize; len];
    let mut outgoing = vec![Vec::new(); len];
    for &(from, to) in edges {
        outgoing.get_mut(from)?.push(to);
        *incoming.get_mut(to)? += 1;
    }
    let mut ready: BinaryHeap<_> = (0..len).filter(|&v| incoming[v] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(len);
    while let Some(Reverse(vertex)) = ready.pop() {
        order.push(vertex);
        for &to in &outgoing[vertex] {
            incoming[to] -= 1;
            if incoming[to] == 0 {
                ready.push(Reverse(to));
            }
        }
    }
    (order.len() == len).then_some(order)
}

/// Strongly connected components that hold a loop, each ascending, in order of their first vertex.
/// Edges that name a vertex outside `0..len` are left out.
///
/// Kosaraju's algorithm, because petgraph's Tarjan recurses once per vertex of a path and a long
/// chain from a file would exhaust the stack.
pub(crate) fn loops(len: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut graph = DiGraph::<(), (), usize>::with_capacity(len, edges.len());
    let vertices: Vec<_> = (0..len).map(|_| graph.add_node(())).collect();
    for (from, to) in edges {
        if let (Some(&from), Some(&to)) = (vertices.get(*from), vertices.get(*to)) {
            graph.add_edge(from, to, ());
        }
    }
    let mut found: Vec<Vec<usize>> = kosaraju_scc(&graph)
        .into_iter()
        .filter(|part| part.len() > 1 || graph.contains_edge(part[0], part[0]))
        .map(|part| {
            let mut part: Vec<usize> =
                part.into_iter().map(petgraph::graph::NodeIndex::index).collect();
            part.sort_unstable();
            part
        })
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_prefers_small_indices() {
        assert_eq!(topological(4, &[(3, 0), (3, 1)]), Some(vec![2, 3, 0, 1]));
        assert_eq!(topological(2, &[(0, 1), (0, 1)]), Some(vec![0, 1]));
    }

    #[test]
    fn loops_and_foreign_vertices_have_no_order() {
        assert_eq!(topological(2, &[(0, 1), (1, 0)]), None);
        assert_eq!(topological(1, &[(0, 0)]), None);
        assert_eq!(topological(1, &[(0, 1)]), None);
    }

    #[test]
    fn loops_are_found_apart() {
        let edges = [(4, 3), (3, 4), (0, 1), (1, 2), (2, 2), (9, 0)];
        assert_eq!(loops(5, &edges), vec![vec![2], vec![3, 4]]);
    }

    #[test]
    fn a_long_chain_does_not_exhaust_the_stack() {
        let edges: Vec<_> = (1..200_000).map(|i| (i - 1, i)).collect();
        assert!(loops(200_000, &edges).is_empty());
    }
}
