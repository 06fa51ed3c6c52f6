//! Shape inference along edges, and conflicts.

use super::super::graph::{NirGraph, Primitive};
use super::super::shape::{Declared, declared, output};
use super::super::tree::join;
use super::Checked;
use crate::arrays::{elements, show_shape};
use crate::json::quote;
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::nir as codes;
use std::collections::BTreeMap;

/// Shapes by the path of the node.
pub type Shapes = BTreeMap<String, NodeShapes>;

/// What a node takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeShapes {
    /// Extents of its input.
    pub input: Vec<usize>,
    /// Extents of its output.
    pub output: Vec<usize>,
}

/// What is known of a node.
#[derive(Clone, Debug)]
enum State {
    /// Nothing yet.
    Unknown,
    /// It cannot take what it receives, which is reported.
    Failed,
    Known(NodeShapes),
}

struct Inference<'a> {
    graph: &'a NirGraph,
    declared: BTreeMap<&'a str, Declared>,
    states: BTreeMap<&'a str, State>,
}

/// Infers the shapes of one graph; those of graphs within it follow from their ports.
pub(super) fn infer(graph: &NirGraph, path: &str, checked: &mut Checked) {
    let place = |name: &str| join(&join(path, "nodes"), name);
    let mut inference = Inference {
        graph,
        declared: graph
            .nodes
            .iter()
            .filter_map(|(name, node)| Some((name.as_str(), declared(&node.primitive)?)))
            .collect(),
        states: graph.nodes.keys().map(|name| (name.as_str(), State::Unknown)).collect(),
    };
    let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut targets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in &graph.edges {
        if graph.nodes.contains_key(from) && graph.nodes.contains_key(to) {
            sources.entry(to).or_default().push(from);
            targets.entry(from).or_default().push(to);
        }
    }
    // What declares its input is known at once; the rest as soon as something reaches it.
    let mut ready: Vec<&str> = inference.declared.keys().copied().collect();
    ready.reverse();
    while let Some(name) = ready.pop() {
        if !matches!(inference.states.get(name), Some(State::Unknown)) {
            continue;
        }
        let preceding = sources.get(name).map_or(&[][..], Vec::as_slice);
        let input = inference.input(name, preceding);
        let Some(input) = input else { continue };
        let Some(node) = graph.nodes.get(name) else { continue };
        let state = match output(&node.primitive, &input) {
            Ok(output) => {
                ready.extend(targets.get(name).into_iter().flatten());
                State::Known(NodeShapes { input, output })
            }
            Err(why) => {
                checked.found.push(
                    Diagnostic::error(
                        codes::CONFLICT,
                        format!("{} cannot take {}", quote(name), show_shape(&input)),
                    )
                    .at(place(name))
                    .note(why),
                );
                State::Failed
            }
        };
        inference.states.insert(name, state);
    }
    inference.conflicts(path, checked);
    inference.unresolved(&sources, &place, checked);
    for (name, state) in inference.states {
        if let State::Known(shapes) = state {
            checked.shapes.insert(place(name), shapes);
        }
    }
}

impl Inference<'_> {
    /// What a node takes: what it declares, else what the first known source gives.
    fn input(&self, name: &str, sources: &[&str]) -> Option<Vec<usize>> {
        if let Some(declared) = self.declared.get(name) {
            return Some(declared.shape.clone());
        }
        sources.iter().find_map(|from| match self.states.get(from) {
            Some(State::Known(shapes)) => Some(shapes.output.clone()),
            _ => None,
        })
    }

    fn conflicts(&self, path: &str, checked: &mut Checked) {
        let decides = |name: &str| match self.declared.get(name) {
            Some(d) => {
                format!("{} ({}) decides by its {}", quote(name), self.kind(name), d.from)
            }
            None => {
                format!("{} ({}) follows from what it receives", quote(name), self.kind(name))
            }
        };
        for (i, (from, to)) in self.graph.edges.iter().enumerate() {
            let (Some(State::Known(source)), Some(State::Known(target))) =
                (self.states.get(from.as_str()), self.states.get(to.as_str()))
            else {
                continue;
            };
            if source.output == target.input {
                continue;
            }
            let (given, taken) = (show_shape(&source.output), show_shape(&target.input));
            let d = Diagnostic::error(
                codes::CONFLICT,
                format!("{} gives {given}, and {} takes {taken}", quote(from), quote(to)),
            )
            .at(join(path, &format!("edges[{i}]")))
            .note(decides(from))
            .note(decides(to));
            checked.found.push(match self.hint((from, source), (to, target)) {
                Some(hint) => d.help(hint),
                None => d,
            });
        }
    }

    fn kind(&self, name: &str) -> &'static str {
        self.graph.nodes.get(name).map_or("", |n| n.primitive.type_name())
    }

    /// What would repair a conflict, if it looks like a known mistake. Nothing is repaired here.
    fn hint(&self, from: (&str, &NodeShapes), to: (&str, &NodeShapes)) -> Option<String> {
        let ((from, source), (to, target)) = (from, to);
        let weight = |name: &str| match &self.graph.nodes.get(name)?.primitive {
            Primitive::Affine { weight, .. } | Primitive::Linear { weight } => {
                <[usize; 2]>::try_from(&weight.shape[..]).ok()
            }
            _ => None,
        };
        let transposed = |name: &str| {
            let name = quote(name);
            format!("the weight of {name} looks stored as (in, out): transpose it to (out, in)")
        };
        if let Some([outputs, _]) = weight(to)
            && source.output == [outputs]
        {
            return Some(transposed(to));
        }
        if let Some([_, inputs]) = weight(from)
            && target.input == [inputs]
        {
            return Some(transposed(from));
        }
        let batched = |long: &[usize], short: &[usize]| {
            long.split_first().is_some_and(|(first, rest)| *first == 1 && rest == short)
        };
        if self.kind(to) == "Output" && target.input.iter().all(|&d| d == 1) {
            let shape = show_shape(&source.output);
            return Some(format!("the shape of {} is a placeholder: write {shape}", quote(to)));
        }
        if batched(&source.output, &target.input) || batched(&target.input, &source.output) {
            return Some("shapes have no batch dimension: remove the leading 1".to_owned());
        }
        if elements(&source.output) == elements(&target.input) {
            return Some("a `Flatten` between them may be missing".to_owned());
        }
        None
    }

    /// Reports nodes whose input nothing decides; not those that only follow from such a node.
    fn unresolved(
        &self,
        sources: &BTreeMap<&str, Vec<&str>>,
        place: &dyn Fn(&str) -> String,
        checked: &mut Checked,
    ) {
        let unknown = |name: &str| matches!(self.states.get(name), Some(State::Unknown));
        let failed = |name: &str| matches!(self.states.get(name), Some(State::Failed));
        let all: Vec<&str> = self.states.keys().copied().filter(|n| unknown(n)).collect();
        let before = |name: &str| sources.get(name).map_or(&[][..], Vec::as_slice);
        let mut first: Vec<&str> = all
            .iter()
            .copied()
            .filter(|n| !before(n).iter().any(|s| unknown(s) || failed(s)))
            .collect();
        let blamed = all.iter().any(|n| before(n).iter().any(|s| failed(s)));
        if first.is_empty() && !blamed {
            first.extend(all.first());
        }
        for name in first {
            let receives = before(name);
            let d = Diagnostic::error(
                codes::UNRESOLVED,
                format!("the shape of {} cannot be inferred", quote(name)),
            )
            .at(place(name))
            .note(format!("it is of type {}", self.kind(name)));
            checked.found.push(if receives.is_empty() {
                d.note("it receives nothing")
            } else {
                d.note(format!("it receives from {}", receives.join(", ")))
            });
        }
    }
}
