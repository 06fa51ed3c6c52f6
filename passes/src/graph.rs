//! Small edits of the node graph that several passes share.

use snnc_ir::arena::{Arena, Entity, NodeId, TensorId};
use snnc_ir::check::MAX_DELAY;
use snnc_ir::diag::codes::network;
use snnc_ir::network::{Dynamics, Edge, NetworkDraft, Op, Readout};
use snnc_ir::{Diagnostic, Param, Shape};

/// Readers of every node: the edges that read it, plus one if the readout does.
pub(crate) fn reader_counts(draft: &NetworkDraft) -> Vec<usize> {
    let mut counts = vec![0; draft.nodes.len()];
    for edge in draft.nodes.values().flat_map(|n| &n.inputs) {
        counts[edge.source.index()] += 1;
    }
    counts[draft.readout.node().index()] += 1;
    counts
}

/// The one input of a node that has exactly one.
pub(crate) fn only_input(draft: &NetworkDraft, node: NodeId) -> Option<Edge> {
    match draft.nodes[node].inputs.as_slice() {
        [edge] => Some(*edge),
        _ => None,
    }
}

/// Reading `inner` steps ago what was read `outer` steps ago.
///
/// # Errors
/// `SNN0367` if the sum is longer than an edge's delay may be.
pub(crate) fn add_delays(outer: u32, inner: u32, node: &str) -> Result<u32, Diagnostic> {
    outer.checked_add(inner).filter(|d| *d <= MAX_DELAY).ok_or_else(|| {
        Diagnostic::error(
            network::DELAY_OVERFLOW,
            format!("the delays along a path to `{node}` add up to more than {MAX_DELAY} steps"),
        )
        .at(format!("node `{node}`"))
        .help("shorten the delays")
    })
}

/// Applies `f` to every tensor that `op` uses.
pub(crate) fn for_tensors(op: &mut Op, mut f: impl FnMut(&mut TensorId)) {
    match op {
        Op::Linear { weight, bias } | Op::Conv2d { weight, bias, .. } => {
            f(weight);
            bias.iter_mut().for_each(f);
        }
        Op::BatchNorm { gamma, beta, mean, variance, .. } => {
            [gamma, beta, mean, variance].into_iter().for_each(f);
        }
        Op::Input(_)
        | Op::Neuron(_)
        | Op::Add
        | Op::Concat
        | Op::Flatten
        | Op::AvgPool { .. }
        | Op::GlobalAvgPool
        | Op::Relay(_)
        | Op::Crop(_)
        | Op::Zero => {}
    }
}

/// Applies `f` to every parameter of a population's neurons.
pub(crate) fn for_params(op: &mut Op, mut f: impl FnMut(&mut Param<f32>)) {
    let Op::Neuron(neuron) = op else { return };
    f(&mut neuron.threshold);
    match &mut neuron.dynamics {
        Dynamics::Tau(param) | Dynamics::Decay(param) | Dynamics::Sigmoid(param) => f(param),
        Dynamics::Linear(linear) => {
            if let Some(current) = &mut linear.current {
                f(&mut current.keep);
                f(&mut current.gain);
            }
            f(&mut linear.keep);
            f(&mut linear.gain);
            f(&mut linear.drive);
        }
        Dynamics::Integrate | Dynamics::Izhikevich { .. } => {}
    }
}

/// Which tensors are used.
pub(crate) fn used_tensors(draft: &NetworkDraft) -> Vec<bool> {
    let mut used = vec![false; draft.tensors.len()];
    for node in draft.nodes.values() {
        for_tensors(&mut node.op.clone(), |t| used[t.index()] = true);
    }
    used
}

/// Keeps the nodes marked in `keep`. The readout and whatever a kept node reads must be kept.
pub(crate) fn retain_nodes(draft: &mut NetworkDraft, keep: &[bool]) {
    let mut map = Vec::with_capacity(keep.len());
    let mut next = 0;
    for &keep in keep {
        map.push(NodeId::new(next));
        next += usize::from(keep);
    }
    let nodes = std::mem::take(&mut draft.nodes).into_values();
    let kept = nodes.into_iter().zip(keep).filter(|(_, keep)| **keep).map(|(mut node, _)| {
        for edge in &mut node.inputs {
            edge.source = map[edge.source.index()];
        }
        node
    });
    draft.nodes = kept.collect::<Arena<_, _>>();
    draft.readout = match draft.readout {
        Readout::SpikeCount(n) => Readout::SpikeCount(map[n.index()]),
        Readout::MeanLinear(n) => Readout::MeanLinear(map[n.index()]),
    };
}

/// `[channels, height, width]` of a verified value: a vector of n elements is `[n, 1, 1]`.
pub(crate) fn extents(shape: &Shape) -> [u32; 3] {
    let extent = |i: usize| shape.0.get(i).copied().unwrap_or(1);
    [extent(0), extent(1), extent(2)]
}

/// Removes nodes that nothing reads any more, although something did according to `before`, and
/// whatever only they read.
pub(crate) fn remove_newly_unread(draft: &mut NetworkDraft, before: &[usize]) {
    let mut counts = reader_counts(draft);
    let gone = |id: NodeId, counts: &[usize], draft: &NetworkDraft| {
        let i = id.index();
        before.get(i).is_some_and(|&b| b > 0)
            && counts[i] == 0
            && !draft.nodes[id].op.is_population()
    };
    let mut keep = vec![true; draft.nodes.len()];
    let mut open: Vec<_> = draft.nodes.ids().filter(|&id| gone(id, &counts, draft)).collect();
    while let Some(id) = open.pop() {
        keep[id.index()] = false;
        for edge in &draft.nodes[id].inputs {
            counts[edge.source.index()] -= 1;
            if gone(edge.source, &counts, draft) {
                open.push(edge.source);
            }
        }
    }
    retain_nodes(draft, &keep);
}
