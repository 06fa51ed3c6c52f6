//! Builds a network from populations and their canonical currents.

use super::bias::{Placed, place};
use super::{Current, Term, is_source};
use crate::linear::{LinearOp, Matrix, Weight};
use crate::tensors::{TensorMaker, unique};
use snnc_ir::arena::{Arena, Entity, NodeId, TensorId};
use snnc_ir::network::{Edge, NetworkDraft, Node, Op, Readout};
use snnc_ir::{Diagnostic, Diagnostics, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// Replaces all analog nodes of `draft` by `currents`, one per root. A clip without a current goes.
///
/// Populations and clips keep their order and names. The operations of a current stand before its
/// root; equal ones are shared.
///
/// # Errors
/// Values that overflow.
pub(crate) fn rebuild(
    mut draft: NetworkDraft,
    mut currents: BTreeMap<NodeId, Current>,
    pass: &'static str,
    suffix: &'static str,
) -> Result<NetworkDraft, Diagnostics> {
    let mut tensors = std::mem::take(&mut draft.tensors);
    let mut maker = TensorMaker::new(&mut tensors, pass, suffix);
    let mut errors = Diagnostics::new();
    let mut placed = BTreeMap::new();
    for (&root, current) in &currents {
        let Some(bias) = &current.bias else { continue };
        let node = &draft.nodes[root];
        match place(bias, &current.terms, &node.shape, &mut maker, &node.name) {
            Ok(bias) => placed.extend(bias.map(|b| (root, b))),
            Err(error) => errors.push(error),
        }
    }
    let mut builder = Builder::new(&draft);
    for (id, node) in draft.nodes.iter() {
        let result = match currents.remove(&id) {
            Some(current) => builder.root(id, node, current, placed.get(&id), &mut maker),
            None if node.op.is_population() => {
                builder.push(Some(id), node.clone(), Vec::new());
                Ok(())
            }
            None => Ok(()),
        };
        if let Err(error) = result {
            errors.push(error);
        }
    }
    let (nodes, readout) = builder.finish();
    errors.into_result(NetworkDraft { nodes, tensors, readout, ..draft })
}

/// Where an edge of the new network starts.
#[derive(Clone, Copy)]
enum Origin {
    /// A population or clip, by its old id.
    Source(NodeId),
    /// A node, by its new position.
    New(usize),
}

struct Builder<'a> {
    old: &'a NetworkDraft,
    nodes: Vec<(Node, Vec<(Origin, u32)>)>,
    /// New position of each old node.
    position: Vec<usize>,
    names: BTreeSet<String>,
    /// Positions of the operations that read a source so many steps ago.
    known: BTreeMap<(NodeId, u32), Vec<usize>>,
    /// Position of the `zero` that constants read.
    zero: Option<usize>,
}

impl<'a> Builder<'a> {
    fn new(draft: &'a NetworkDraft) -> Self {
        let kept = |id: NodeId, node: &Node| is_source(&node.op) || draft.readout.node() == id;
        let names = draft.nodes.iter().filter(|(id, n)| kept(*id, n)).map(|(_, n)| n.name.clone());
        Self {
            old: draft,
            nodes: Vec::new(),
            position: vec![usize::MAX; draft.nodes.len()],
            names: names.collect(),
            known: BTreeMap::new(),
            zero: None,
        }
    }

    /// Appends a node; `old` is the node that it stands for.
    fn push(&mut self, old: Option<NodeId>, node: Node, inputs: Vec<(Origin, u32)>) -> usize {
        let at = self.nodes.len();
        if let Some(old) = old {
            self.position[old.index()] = at;
        }
        self.nodes.push((node, inputs));
        at
    }

    /// Appends a neuron, a clip or an analog readout with its current.
    fn root(
        &mut self,
        id: NodeId,
        node: &Node,
        current: Current,
        bias: Option<&Placed>,
        maker: &mut TensorMaker<'_>,
    ) -> Result<(), Diagnostic> {
        let own_bias = bias.filter(|b| b.term.is_none());
        let constant = current.terms.is_empty() || own_bias.is_some();
        let sole = current.terms.len() + usize::from(constant) == 1;
        // Without an `add` the operation itself is the readout.
        let is_readout = sole && !is_source(&node.op);
        let mut inputs = Vec::new();
        for (i, Term { source, delay, op, name }) in current.terms.into_iter().enumerate() {
            let bias = bias.filter(|b| b.term == Some(i)).map(|b| b.tensor);
            let op = operation(op, bias, maker, &node.name)?;
            if is_readout {
                let node = Node { op, inputs: Vec::new(), ..node.clone() };
                self.push(Some(id), node, vec![(Origin::Source(source), delay)]);
                return Ok(());
            }
            let name = name
                .unwrap_or_else(|| format!("{}.from.{}", node.name, self.old.nodes[source].name));
            let at = self.operation(&name, op, &node.shape, (source, delay));
            inputs.push((Origin::New(at), 0));
        }
        if constant {
            let weight = zeros(node.shape.size(), maker)?;
            let op = Op::Linear { weight, bias: own_bias.map(|b| b.tensor) };
            let zero = (Origin::New(self.zero()), 0);
            if is_readout {
                let node = Node { op, inputs: Vec::new(), ..node.clone() };
                self.push(Some(id), node, vec![zero]);
                return Ok(());
            }
            let name = unique(&mut self.names, &format!("{}.constant", node.name));
            let constant = Node { name, op, inputs: Vec::new(), shape: node.shape.clone() };
            inputs.push((Origin::New(self.push(None, constant, vec![zero])), 0));
        }
        if !is_source(&node.op) {
            let node = Node { op: Op::Add, inputs: Vec::new(), ..node.clone() };
            self.push(Some(id), node, inputs);
            return Ok(());
        }
        if !sole {
            let wanted = current.name.unwrap_or_else(|| format!("{}.current", node.name));
            let name = unique(&mut self.names, &wanted);
            let add = Node { name, op: Op::Add, inputs: Vec::new(), shape: node.shape.clone() };
            inputs = vec![(Origin::New(self.push(None, add, inputs)), 0)];
        }
        self.push(Some(id), node.clone(), inputs);
        Ok(())
    }

    /// Position of the `zero` of one element, which all constants share.
    fn zero(&mut self) -> usize {
        if let Some(at) = self.zero {
            return at;
        }
        let name = unique(&mut self.names, "zero");
        let node = Node { name, op: Op::Zero, inputs: Vec::new(), shape: Shape::flat(1) };
        let at = self.push(None, node, Vec::new());
        self.zero = Some(at);
        at
    }

    /// Position of a linear operation that reads source `input.0`, `input.1` steps ago, and
    /// writes `shape`: an equal one, or a new one.
    fn operation(&mut self, wanted: &str, op: Op, shape: &Shape, input: (NodeId, u32)) -> usize {
        let alike = self.known.get(&input).into_iter().flatten().copied();
        let equal = |&at: &usize| self.nodes[at].0.op == op && self.nodes[at].0.shape == *shape;
        if let Some(at) = alike.into_iter().find(equal) {
            return at;
        }
        let name = unique(&mut self.names, wanted);
        let node = Node { name, op, inputs: Vec::new(), shape: shape.clone() };
        let at = self.push(None, node, vec![(Origin::Source(input.0), input.1)]);
        self.known.entry(input).or_default().push(at);
        at
    }

    /// Resolves the edges: the nodes and the readout.
    fn finish(self) -> (Arena<NodeId, Node>, Readout) {
        let Self { old, nodes, position, .. } = self;
        let new_id = |id: NodeId| NodeId::new(position[id.index()].min(nodes.len()));
        let readout = match old.readout {
            Readout::SpikeCount(n) => Readout::SpikeCount(new_id(n)),
            Readout::MeanLinear(n) => Readout::MeanLinear(new_id(n)),
        };
        let resolve = |(from, delay)| match from {
            Origin::Source(old) => Edge { source: new_id(old), delay },
            Origin::New(at) => Edge { source: NodeId::new(at), delay },
        };
        let resolved = nodes.iter().map(|(node, inputs)| {
            let inputs = inputs.iter().copied().map(resolve).collect();
            Node { inputs, ..node.clone() }
        });
        (resolved.collect(), readout)
    }
}

/// The operation of a term of the current of `name`.
fn operation(
    op: LinearOp,
    bias: Option<TensorId>,
    maker: &mut TensorMaker<'_>,
    name: &str,
) -> Result<Op, Diagnostic> {
    // What comes from no tensor is a source that enters as it is.
    let base = "identity";
    Ok(match op {
        LinearOp::Conv { weight, conv } => {
            Op::Conv2d { weight: weight.kernel(&conv, maker, base)?, bias, conv }
        }
        op => {
            let matrix = op.into_matrix(maker.arena()).map_err(|e| e.at(name))?;
            Op::Linear { weight: matrix.tensor(maker, base)?, bias }
        }
    })
}

/// A column of `rows` weights of 0.
fn zeros(rows: usize, maker: &mut TensorMaker<'_>) -> Result<TensorId, Diagnostic> {
    let weight = Weight::Made { data: vec![0.0; rows], from: Vec::new() };
    Matrix { weight, rows, cols: 1 }.tensor(maker, "zero")
}
