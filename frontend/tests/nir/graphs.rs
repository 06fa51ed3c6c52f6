//! Graphs built by hand.

use snnc_frontend::arrays::{Array, ArrayData};
use snnc_frontend::nir::{Checked, NirFile, NirGraph, NirNode, Primitive, Tree, check};

/// An f32 array that counts from 1.
pub(crate) fn array(shape: &[usize]) -> Array {
    filled(shape, |i| {
        #[allow(clippy::cast_precision_loss, reason = "tests are small")]
        let value = (i + 1) as f32;
        value
    })
}

/// An f32 array of one value.
pub(crate) fn constant(shape: &[usize], value: f32) -> Array {
    filled(shape, |_| value)
}

fn filled(shape: &[usize], value: impl Fn(usize) -> f32) -> Array {
    let count = shape.iter().product();
    Array { shape: shape.to_vec(), data: ArrayData::F32((0..count).map(value).collect()) }
}

pub(crate) fn node(primitive: Primitive) -> NirNode {
    NirNode { primitive, metadata: Tree::default() }
}

pub(crate) fn input(shape: &[usize]) -> Primitive {
    Primitive::Input { shape: shape.to_vec() }
}

pub(crate) fn output(shape: &[usize]) -> Primitive {
    Primitive::Output { shape: shape.to_vec() }
}

pub(crate) fn linear(outputs: usize, inputs: usize) -> Primitive {
    Primitive::Linear { weight: array(&[outputs, inputs]) }
}

pub(crate) fn lif(neurons: usize) -> Primitive {
    let ones = constant(&[neurons], 1.0);
    Primitive::Lif {
        tau: ones.clone(),
        r: ones.clone(),
        v_leak: constant(&[neurons], 0.0),
        v_threshold: ones,
        v_reset: None,
    }
}

/// A graph; edges are written `a > b > c, d > c`.
pub(crate) fn graph(nodes: Vec<(&str, Primitive)>, edges: &str) -> NirGraph {
    let mut graph = NirGraph::default();
    for (name, primitive) in nodes {
        graph.nodes.insert(name.to_owned(), node(primitive));
    }
    for chain in edges.split(", ").filter(|c| !c.is_empty()) {
        let names: Vec<&str> = chain.split(" > ").collect();
        for pair in names.windows(2) {
            graph.edges.push((pair[0].to_owned(), pair[1].to_owned()));
        }
    }
    graph
}

pub(crate) fn file(graph: NirGraph) -> NirFile {
    NirFile { version: Some("1.0.8".to_owned()), root: node(Primitive::Graph(graph)) }
}

/// What the checks say of a graph.
pub(crate) fn checked(nodes: Vec<(&str, Primitive)>, edges: &str) -> Checked {
    check(&file(graph(nodes, edges)))
}
