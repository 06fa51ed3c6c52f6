//! `lower-currents`: every current becomes a sum of projections (class: real-exact).
//!
//! Establishes the canonical form: the input of every neuron and of every clip, and the analog
//! readout, is a `linear` or `conv2d` that reads a *source* (an input, a population or a clip), or
//! an `add` of several; one of them carries the bias. The pass follows the analog nodes from each
//! neuron, clip and readout back to sources and composes the linear maps that it passes:
//!
//! * `flatten` only renames elements and vanishes; the elements of a `concat` input take their place
//!   in the larger vector (a `linear` behind it keeps the columns, a `conv2d` the input channels of
//!   that source); a `crop` becomes the crop of a convolution; a `zero` contributes nothing;
//! * a source that is added as it is becomes a depthwise 1×1 convolution with weight 1, on
//!   `[n, 1, 1]` if it is a vector: n values instead of n²;
//! * `conv2d ∘ conv2d` stays a convolution where that is exact (see `fold-pooling`); other chains
//!   are multiplied out into a matrix of at most 2^24 values, with a warning if that gives up the
//!   structure of convolutions;
//! * delays add up along the path and end on the edge that reads the source;
//! * biases are carried through the maps behind them and added up into one.
//!
//! A bias that is read `d` steps late acts from step `d` on, because before the first step the delayed
//! value is 0. It becomes a projection of that delay from a population of one neuron that fires in every
//! step. The host, which computes the readout, knows no late biases: there it is refused. (What a clip
//! hides is no such bias: the clip itself is read, and it is 0 before the first step.)
//!
//! A bias that no operation can carry (one that differs within the channels of convolutions, as the
//! padding of a shifted value makes it, or one of convolutions whose output is a vector) becomes a
//! `linear` of its own, `NAME.constant`, that reads a `zero` of one element with a weight of 0. So
//! does a current without any term, whether it has a bias or not.
//!
//! A clip that is the readout itself is read by a sum `NAME.readout`.
//!
//! ```text
//! // before
//! node4 "flat" [4] = flatten(node3)
//! node5 "cat" [6] = concat(node4, node1@1)
//! node6 "l" [2] = linear(node5) weight tensor0 bias tensor1
//! node7 "y" [2] = neuron(node6) …
//! // after: tensor2 and tensor3 hold the columns of tensor0
//! node4 "l" [2] = linear(node3) weight tensor2 bias tensor1
//! node5 "l.2" [2] = linear(node1@1) weight tensor3
//! node6 "y.current" [2] = add(node4, node5)
//! node7 "y" [2] = neuron(node6) …
//! ```
//!
//! Complexity: O(paths from neurons to populations), plus the products.

use crate::currents::always::{always_on, term};
use crate::currents::{Bias, Current, Term, bias_values, is_source, not_canonical, roots, write};
use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::{add_delays, extents};
use crate::linear::{Chain, LinearOp, Matrix, Weight};
use crate::tensors::unique;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::diag::codes::network;
use snnc_ir::network::{Edge, Node, Op, Readout};
use snnc_ir::{Diagnostic, Diagnostics, Entity, Network, NetworkDraft, Shape};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct LowerCurrents;

static INFO: PassInfo = PassInfo {
    name: "lower-currents",
    summary: "make every current a sum of linear operations that read populations or clips",
    class: Class::RealExact,
    requires: &[Property::GenesLowered, Property::BatchNormFolded, Property::PoolingFolded],
    establishes: &[Property::Canonical],
    invalidates: &[
        Property::SilentFolded,
        Property::NodesMerged,
        Property::DeadRemoved,
        Property::TensorsShared,
    ],
    options: &[],
};

/// Most nodes visited for one current; sums of sums could make it exponential.
const VISIT_LIMIT: usize = 1 << 16;

/// Most maps on one path from a neuron to a population.
const PATH_LIMIT: usize = 1 << 10;

impl Pass for LowerCurrents {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        &INFO
    }

    fn run(
        &self,
        mut draft: NetworkDraft,
        cx: &mut Context<'_>,
    ) -> Result<NetworkDraft, Diagnostics> {
        read_a_clip_through_a_sum(&mut draft);
        let mut errors = Diagnostics::new();
        let mut currents = BTreeMap::new();
        let mut late = Vec::new();
        let mut visited = vec![false; draft.nodes.len()];
        for root in roots(&draft) {
            match Walk::new(&draft, root, &mut visited).run(&mut cx.remarks) {
                Ok((current, delayed)) => {
                    currents.insert(root, current);
                    late.extend(delayed.into_iter().map(|(delay, bias)| (root, delay, bias)));
                }
                Err(error) => errors.push(error),
            }
        }
        errors.into_result(())?;
        let lost = draft.nodes.iter().filter(|(id, n)| !is_source(&n.op) && !visited[id.index()]);
        let lost: Vec<_> = lost.map(|(_, n)| format!("`{}`", n.name)).collect();
        if !lost.is_empty() {
            cx.remarks.push(Diagnostic::note_only(
                network::REMOVED,
                format!("removed nodes that no neuron, clip or readout reads: {}", lost.join(", ")),
            ));
        }
        if !late.is_empty() {
            let source = always_on(&mut draft, &mut currents);
            for (root, delay, bias) in late {
                if let Some(current) = currents.get_mut(&root) {
                    current.terms.push(term(source, delay, bias));
                }
            }
        }
        write::rebuild(draft, currents, INFO.name, "lowered")
    }
}

/// A readout of a clip becomes one of a sum that reads it.
fn read_a_clip_through_a_sum(draft: &mut NetworkDraft) {
    let Readout::MeanLinear(source) = draft.readout else { return };
    let Node { name, op, shape, .. } = &draft.nodes[source];
    if !matches!(op, Op::Relay(_)) {
        return;
    }
    let mut names = draft.nodes.values().map(|n| n.name.clone()).collect();
    let name = unique(&mut names, &format!("{name}.readout"));
    let inputs = vec![Edge { source, delay: 0 }];
    let node = Node { name, op: Op::Add, inputs, shape: shape.clone() };
    draft.readout = Readout::MeanLinear(draft.nodes.push(node));
}

/// A path from the root down to some node, as the maps passed, the last one first.
struct Link {
    op: LinearOp,
    /// Name of the node, if it is a linear operation.
    name: Option<String>,
    above: Option<Rc<Self>>,
    /// Number of maps up to the root.
    length: usize,
}

impl Link {
    fn below(above: Option<&Rc<Self>>, op: LinearOp, name: Option<String>) -> Rc<Self> {
        Rc::new(Self { op, name, above: above.cloned(), length: above.map_or(0, |l| l.length) + 1 })
    }
}

/// A node still to be visited.
struct Visit {
    node: NodeId,
    delay: u32,
    path: Option<Rc<Link>>,
}

/// Follows the current of one root.
struct Walk<'a> {
    draft: &'a NetworkDraft,
    root: NodeId,
    visited: &'a mut [bool],
    open: Vec<Visit>,
    current: Current,
    /// Biases that start late, by delay.
    late: BTreeMap<u32, Bias>,
}

impl<'a> Walk<'a> {
    fn new(draft: &'a NetworkDraft, root: NodeId, visited: &'a mut [bool]) -> Self {
        Self {
            draft,
            root,
            visited,
            open: Vec::new(),
            current: Current::default(),
            late: BTreeMap::new(),
        }
    }

    /// The current, and the biases that start late.
    fn run(
        mut self,
        remarks: &mut Diagnostics,
    ) -> Result<(Current, BTreeMap<u32, Bias>), Diagnostic> {
        let draft = self.draft;
        let root = &draft.nodes[self.root];
        match root.op {
            Op::Neuron(_) | Op::Relay(_) => {
                for edge in &root.inputs {
                    self.open.push(Visit { node: edge.source, delay: edge.delay, path: None });
                }
                let top = root.inputs.first().map(|e| &draft.nodes[e.source]);
                self.current.name = top.filter(|n| n.op == Op::Add).map(|n| n.name.clone());
            }
            _ => self.open.push(Visit { node: self.root, delay: 0, path: None }),
        }
        let mut visits = 0;
        while let Some(visit) = self.open.pop() {
            visits += 1;
            let length = visit.path.as_ref().map_or(0, |l| l.length);
            if visits > VISIT_LIMIT || length > PATH_LIMIT {
                return Err(Diagnostic::error(
                    network::CURRENT_TOO_WIDE,
                    format!("the current of `{}` has too many terms", root.name),
                )
                .at(format!("node `{}`", root.name))
                .note(format!(
                    "the bounds are {VISIT_LIMIT} visits and {PATH_LIMIT} maps from it to a population"
                ))
                .help("put populations between nested sums"));
            }
            self.visited[visit.node.index()] = true;
            self.visit(&visit, remarks)?;
        }
        Ok((self.current, self.late))
    }

    fn visit(&mut self, visit: &Visit, remarks: &mut Diagnostics) -> Result<(), Diagnostic> {
        let node = &self.draft.nodes[visit.node];
        match &node.op {
            Op::Input(_) | Op::Neuron(_) | Op::Relay(_) => self.term(visit, remarks),
            Op::Zero => Ok(()),
            Op::Crop(crop) => {
                let input = self.first_input(visit.node).map_or([0; 3], extents);
                let op = LinearOp::crop(input, *crop);
                let link = Some(Link::below(visit.path.as_ref(), op, None));
                self.below(visit, |_| link.clone())
            }
            Op::Add | Op::Flatten => self.below(visit, |_| visit.path.clone()),
            Op::Concat => {
                let total = node.shape.size();
                let mut offset = 0;
                self.below(visit, |len| {
                    let op = LinearOp::Place { offset, len, total };
                    offset += len;
                    Some(Link::below(visit.path.as_ref(), op, None))
                })
            }
            Op::Linear { weight, bias } | Op::Conv2d { weight, bias, .. } => {
                let weight = Weight::Tensor(*weight);
                let op = if let Op::Conv2d { conv, .. } = node.op {
                    LinearOp::Conv { weight, conv }
                } else {
                    let cols = self.first_input(visit.node).map_or(0, Shape::size);
                    LinearOp::Dense(Matrix { weight, rows: node.shape.size(), cols })
                };
                if let Some(bias) = bias {
                    self.bias(visit, *bias)?;
                }
                let name = Some(node.name.clone());
                let link = Some(Link::below(visit.path.as_ref(), op, name));
                self.below(visit, |_| link.clone())
            }
            Op::BatchNorm { .. } | Op::AvgPool { .. } | Op::GlobalAvgPool => {
                Err(not_canonical(self.draft, visit.node))
            }
        }
    }

    /// Shape of the first node that `node` reads.
    fn first_input(&self, node: NodeId) -> Option<&'a Shape> {
        let first = self.draft.nodes[node].inputs.first();
        first.map(|e| &self.draft.nodes[e.source].shape)
    }

    /// Schedules the inputs of a node, the first one to be visited next; `path` is called with the
    /// size of each, in order.
    fn below(
        &mut self,
        visit: &Visit,
        mut path: impl FnMut(usize) -> Option<Rc<Link>>,
    ) -> Result<(), Diagnostic> {
        let draft = self.draft;
        let first = self.open.len();
        for edge in &draft.nodes[visit.node].inputs {
            let delay = add_delays(visit.delay, edge.delay, &draft.nodes[self.root].name)?;
            let path = path(draft.nodes[edge.source].shape.size());
            self.open.push(Visit { node: edge.source, delay, path });
        }
        self.open[first..].reverse();
        Ok(())
    }

    /// Adds the bias of a linear operation to that of the root.
    fn bias(&mut self, visit: &Visit, bias: TensorId) -> Result<(), Diagnostic> {
        let tensors = &self.draft.tensors;
        if tensors[bias].data.iter().all(|b| b.abs() <= 0.0) {
            return Ok(());
        }
        let node = &self.draft.nodes[visit.node];
        let read_by_host = !is_source(&self.draft.nodes[self.root].op);
        if visit.delay > 0 && read_by_host {
            let root = &self.draft.nodes[self.root].name;
            return Err(Diagnostic::error(
                network::DELAYED_BIAS,
                format!(
                    "`{root}` reads `{}`, which has a bias, {} steps late",
                    node.name, visit.delay
                ),
            )
            .at(format!("node `{}`", node.name))
            .note("a delayed value is 0 before the first step, but the host adds the bias of a readout in every step")
            .help("put the delay on the edge that reads the population, or remove the bias"));
        }
        let conv = match &node.op {
            Op::Conv2d { conv, .. } => Some(conv),
            _ => None,
        };
        let values = bias_values(tensors, bias, conv);
        let values = chain(visit.path.as_ref()).apply(tensors, values);
        let home = self.current.terms.len();
        let bias = Bias { values, from: vec![bias], home };
        if visit.delay == 0 {
            Bias::add(&mut self.current.bias, bias);
        } else {
            let mut sum = self.late.remove(&visit.delay);
            Bias::add(&mut sum, bias);
            self.late.extend(sum.map(|sum| (visit.delay, sum)));
        }
        Ok(())
    }

    /// Adds the projection from a population.
    fn term(&mut self, visit: &Visit, remarks: &mut Diagnostics) -> Result<(), Diagnostic> {
        let Self { draft, root, .. } = *self;
        let source = &draft.nodes[visit.node];
        let name = &draft.nodes[root].name;
        let maps = chain(visit.path.as_ref());
        let only_convolutions = maps.only_convolutions();
        let composed = maps.compose(&draft.tensors, source.shape.size()).map_err(|e| e.at(name))?;
        if composed.multiplied_out && only_convolutions {
            remarks.push(
                Diagnostic::warning(
                    network::MULTIPLIED_OUT,
                    format!("the convolutions from `{}` to `{name}` became a matrix", source.name),
                )
                .at(format!("node `{name}`"))
                .note("the padding of one reads cells that the other leaves out or pads itself")
                .help("a pooling whose windows tile its input keeps the structure"),
            );
        }
        let mut op = composed.op;
        op = op.structured(&source.shape, &draft.tensors).map_err(|e| e.at(name))?;
        if draft.readout == Readout::MeanLinear(root) {
            // The host multiplies spike counts by a matrix.
            op = LinearOp::Dense(op.into_matrix(&draft.tensors).map_err(|e| e.at(name))?);
        }
        // The node survives under its name if it is the only linear operation on the path.
        let mut names = links(visit.path.as_ref()).filter_map(|l| l.name.as_ref());
        let name = names.next().filter(|_| names.next().is_none()).cloned();
        self.current.terms.push(Term { source: visit.node, delay: visit.delay, op, name });
        Ok(())
    }
}

/// The links of a path, from the bottom up.
fn links(path: Option<&Rc<Link>>) -> impl Iterator<Item = &Link> {
    std::iter::successors(path.map(Rc::as_ref), |l| l.above.as_deref())
}

/// The maps of a path as a chain.
fn chain(path: Option<&Rc<Link>>) -> Chain {
    let mut ops: Vec<_> = links(path).map(|l| l.op.clone()).collect();
    ops.reverse();
    Chain::new(ops)
}
