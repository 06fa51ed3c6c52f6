//! A graph that grows node by node.

use super::super::graph::{NirFile, NirGraph, NirNode, Primitive};
use super::super::tree::Tree;
use super::{DISCRETIZATION, STEPS};
use crate::arrays::{Array, ArrayData};
use snnc_ir::diag::codes::nir_export as codes;
use snnc_ir::network::Discretization;
use snnc_ir::{Diagnostic, Diagnostics, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// What a node of a network became: nodes of the graph whose outputs add up to its value.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    /// Names of nodes.
    pub(super) terms: Vec<String>,
    /// Extents of each of them.
    pub(super) shape: Vec<usize>,
}

/// A graph, and what was found on the way.
#[derive(Debug, Default)]
pub(super) struct Builder {
    nodes: BTreeMap<String, NirNode>,
    edges: Vec<(String, String)>,
    known: BTreeSet<(String, String)>,
    pub(super) found: Diagnostics,
}

impl Builder {
    /// Adds a node, named `name` as far as that is free and possible.
    pub(super) fn node(&mut self, name: &str, primitive: Primitive) -> String {
        // A slash cannot stand in the name of a group.
        let plain = name.replace('/', ".");
        let plain = if plain.is_empty() || plain == "." { "node".to_owned() } else { plain };
        let mut free = plain.clone();
        let mut count = 1;
        while self.nodes.contains_key(&free) {
            count += 1;
            free = format!("{plain}_{count}");
        }
        self.nodes.insert(free.clone(), NirNode { primitive, metadata: Tree::default() });
        free
    }

    /// Lets `to` read `value`. A term that it reads already goes through a node that passes it on.
    pub(super) fn read(&mut self, value: &Value, to: &str) {
        for term in &value.terms {
            let edge = (term.clone(), to.to_owned());
            if self.known.insert(edge.clone()) {
                self.edges.push(edge);
                continue;
            }
            let ones = Primitive::Scale { scale: floats(&value.shape, |_| 1.0) };
            let again = self.node(&format!("{term}.again"), ones);
            for edge in [(term.clone(), again.clone()), (again, to.to_owned())] {
                self.known.insert(edge.clone());
                self.edges.push(edge);
            }
        }
    }

    /// Adds a node that reads `value`.
    pub(super) fn after(
        &mut self,
        name: &str,
        primitive: Primitive,
        value: &Value,
        shape: Vec<usize>,
    ) -> Value {
        let name = self.node(name, primitive);
        self.read(value, &name);
        Value { terms: vec![name], shape }
    }

    /// That NIR has no word for something.
    pub(super) fn refuse(&mut self, place: &str, what: &str, help: &str) {
        self.found.push(
            Diagnostic::error(codes::NOT_EXPRESSIBLE, format!("NIR has no word for {what}"))
                .at(place)
                .help(help),
        );
    }

    /// How much was refused so far.
    pub(super) fn refused(&self) -> usize {
        self.found.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// The file, with the discretization, the steps of a run and `more` as metadata.
    pub(super) fn finish(
        self,
        (discretization, steps): (&Discretization, u32),
        more: &[(&str, &str)],
    ) -> Result<(NirFile, Diagnostics), Diagnostics> {
        let mut found = self.found;
        let notes = found.take_warnings();
        found.into_result(())?;
        let mut metadata = Tree::default();
        let json = serde_json::to_string(discretization).expect("a record has string keys only");
        metadata.put(DISCRETIZATION, json.as_str());
        metadata.put(STEPS, steps.to_string().as_str());
        for (key, value) in more {
            metadata.put(key, *value);
        }
        let graph = NirGraph { nodes: self.nodes, edges: self.edges };
        let root = NirNode { primitive: Primitive::Graph(graph), metadata };
        Ok((NirFile { version: None, root }, notes))
    }
}

/// An array of `shape` with `value(i)` at row-major index `i`.
pub(super) fn floats(shape: &[usize], value: impl FnMut(usize) -> f32) -> Array {
    let size = shape.iter().product();
    Array { shape: shape.to_vec(), data: ArrayData::F32((0..size).map(value).collect()) }
}
