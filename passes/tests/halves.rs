//! Populations of random networks in two halves: folding finds the whole again, and every neuron fires as it did.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "test networks are small"
)]

mod common;

use common::generate::Rng;
use common::{evaluate, generate, network, run};
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{
    Current, Dynamics, Edge, LinearDynamics, Neuron, Node, Op, Readout, Tensor,
};
use snnc_ir::{Level, NetworkDraft, Param, Shape};
use snnc_passes::fold_integers::{Fold, FoldKind};
use std::ops::Range;

const STEPS: usize = 16;

const CANONICAL: &str = "fold-batchnorm,fold-pooling,push-neurons,fold-silent,merge-nodes,lower-currents,drop-clips,\
    normalize-neurons,feed-currents,remove-dead,fold-shared";

const FOLD: &str = "lower-currents,remove-dead,fold-halves,fold-shared";

/// The operations that a population of a canonical network reads.
fn operations(draft: &NetworkDraft, id: NodeId) -> Vec<NodeId> {
    let top = draft.nodes[id].inputs[0].source;
    match draft.nodes[top].op {
        Op::Add => draft.nodes[top].inputs.iter().map(|e| e.source).collect(),
        _ => vec![top],
    }
}

/// Whether an operation can be cut along its rows or columns.
fn can_be_cut(op: &Op) -> bool {
    matches!(op, Op::Linear { .. } | Op::Conv2d { conv: Conv { groups: 1, .. }, .. })
}

/// Populations of at least two channels with matrices and plain convolutions in front and behind.
fn candidates(draft: &NetworkDraft) -> Vec<NodeId> {
    let reads = |id: NodeId| move |n: &&Node| n.inputs.iter().any(|e| e.source == id);
    let fits = |&id: &NodeId| {
        let node = &draft.nodes[id];
        let counted = matches!(draft.readout, Readout::SpikeCount(n) if n == id);
        // A convolution may give a vector, whose elements are no channels.
        let by_channels = |op: &Op| match op {
            Op::Conv2d { conv, .. } => conv.out_channels == node.shape.0[0],
            _ => true,
        };
        let can_be_cut_before = |op: &Op| can_be_cut(op) && by_channels(op);
        let before =
            || operations(draft, id).into_iter().all(|o| can_be_cut_before(&draft.nodes[o].op));
        let reads_zero = || {
            operations(draft, id)
                .into_iter()
                .any(|o| draft.nodes[o].inputs.iter().any(|e| draft.nodes[e.source].op == Op::Zero))
        };
        matches!(node.op, Op::Neuron(_))
            && !counted
            && node.shape.0[0] > 1
            && before()
            && !reads_zero()
            && draft.nodes.values().filter(reads(id)).all(|n| can_be_cut(&n.op))
    };
    draft.nodes.ids().filter(fits).collect()
}

/// Some channels of a shape.
fn channels(shape: &Shape, range: &Range<usize>) -> Shape {
    let mut shape = shape.clone();
    shape.0[0] = range.len() as u32;
    shape
}

fn param(param: &Param<f32>, shape: &Shape, range: &Range<usize>) -> Param<f32> {
    let area = shape.per_channel();
    match param {
        Param::Uniform(v) => Param::Uniform(*v),
        Param::PerChannel(v) => Param::PerChannel(v[range.clone()].to_vec()),
        Param::PerNeuron(v) => Param::PerNeuron(v[range.start * area..range.end * area].to_vec()),
    }
}

fn neuron(of: &Neuron, shape: &Shape, range: &Range<usize>) -> Neuron {
    let part = |p: &Param<f32>| param(p, shape, range);
    let dynamics = match &of.dynamics {
        Dynamics::Tau(p) => Dynamics::Tau(part(p)),
        Dynamics::Decay(p) => Dynamics::Decay(part(p)),
        Dynamics::Sigmoid(p) => Dynamics::Sigmoid(part(p)),
        Dynamics::Linear(linear) => Dynamics::Linear(LinearDynamics {
            current: linear
                .current
                .as_ref()
                .map(|c| Current { keep: part(&c.keep), gain: part(&c.gain) }),
            keep: part(&linear.keep),
            gain: part(&linear.gain),
            drive: part(&linear.drive),
        }),
        other => other.clone(),
    };
    let floor = of.floor.as_ref().map(part);
    Neuron { dynamics, threshold: part(&of.threshold), floor, ..of.clone() }
}

/// Some rows (by channels of `area` neurons) of `[rows, cols]` values, each of `cells`.
fn tensor(draft: &mut NetworkDraft, of: TensorId, shape: Vec<u32>, data: Vec<f32>) -> TensorId {
    let name = format!("{}.cut{}", draft.tensors[of].name, draft.tensors.len());
    let provenance = draft.tensors[of].provenance.clone();
    draft.tensors.push(Tensor { name, shape: Shape(shape), data, provenance, genes: None })
}

/// The rows of some channels of the population that `op` writes.
fn rows(draft: &mut NetworkDraft, op: &Op, shape: &Shape, range: &Range<usize>) -> Op {
    let area = shape.per_channel();
    let cut = |draft: &mut NetworkDraft, id: TensorId, rows: Range<usize>| {
        let Tensor { shape, data, .. } = &draft.tensors[id];
        let per = data.len() / shape.0[0] as usize;
        let mut shape = shape.0.clone();
        shape[0] = rows.len() as u32;
        let data = data[rows.start * per..rows.end * per].to_vec();
        tensor(draft, id, shape, data)
    };
    let neurons = range.start * area..range.end * area;
    match op {
        Op::Linear { weight, bias } => Op::Linear {
            weight: cut(draft, *weight, neurons.clone()),
            bias: bias.map(|b| cut(draft, b, neurons)),
        },
        Op::Conv2d { weight, bias, conv } => Op::Conv2d {
            weight: cut(draft, *weight, range.clone()),
            bias: bias.map(|b| cut(draft, b, range.clone())),
            conv: Conv { out_channels: range.len() as u32, ..*conv },
        },
        other => panic!("{other:?}"),
    }
}

/// The columns of some channels of the population that `op` reads; the bias goes with the first ones.
fn columns(draft: &mut NetworkDraft, op: &Op, shape: &Shape, range: &Range<usize>) -> Op {
    let area = shape.per_channel();
    let cut = |draft: &mut NetworkDraft, id: TensorId, columns: Range<usize>, all: usize| {
        let Tensor { shape, data, .. } = &draft.tensors[id];
        let rows = shape.0[0] as usize;
        let cells = data.len() / rows / all;
        let mut shape = shape.0.clone();
        shape[1] = columns.len() as u32;
        let row = |row: &[f32]| row[columns.start * cells..columns.end * cells].to_vec();
        let data = data.chunks(all * cells).flat_map(row).collect();
        tensor(draft, id, shape, data)
    };
    let bias = |bias: &Option<TensorId>| bias.filter(|_| range.start == 0);
    match op {
        Op::Linear { weight, bias: b } => {
            let neurons = range.start * area..range.end * area;
            Op::Linear { weight: cut(draft, *weight, neurons, shape.size()), bias: bias(b) }
        }
        Op::Conv2d { weight, bias: b, conv } => {
            let [all, h, w] = conv.input;
            let conv = Conv { input: [range.len() as u32, h, w], ..*conv };
            let weight = cut(draft, *weight, range.clone(), all as usize);
            Op::Conv2d { weight, bias: bias(b), conv }
        }
        other => panic!("{other:?}"),
    }
}

/// The population `id` in two, `NAME.first` and `NAME.second`.
fn split(mut draft: NetworkDraft, id: NodeId, at: usize) -> NetworkDraft {
    let whole = draft.nodes[id].clone();
    let Op::Neuron(model) = &whole.op else { panic!("no neurons") };
    let ranges = [0..at, at..whole.shape.channels()];
    let reads = operations(&draft, id);
    let mut parts = Vec::new();
    for (range, name) in ranges.iter().zip(["first", "second"]) {
        let shape = channels(&whole.shape, range);
        let mut sum = Vec::new();
        for &read in &reads {
            let node = draft.nodes[read].clone();
            let op = rows(&mut draft, &node.op, &whole.shape, range);
            let name = format!("{}.to.{}.{name}", node.name, whole.name);
            let node = Node { name, op, shape: shape.clone(), ..node };
            sum.push(Edge { source: draft.nodes.push(node), delay: 0 });
        }
        let current = format!("{}.{name}.current", whole.name);
        let add = Node { name: current, op: Op::Add, inputs: sum, shape: shape.clone() };
        let inputs = vec![Edge { source: draft.nodes.push(add), delay: 0 }];
        let op = Op::Neuron(neuron(model, &whole.shape, range));
        let name = format!("{}.{name}", whole.name);
        parts.push(draft.nodes.push(Node { name, op, inputs, shape }));
    }
    // Copies of what the population read, if it reads itself, too.
    for reader in draft.nodes.ids().collect::<Vec<_>>() {
        let node = draft.nodes[reader].clone();
        let [Edge { source, delay }] = *node.inputs.as_slice() else { continue };
        if source != id {
            continue;
        }
        let mut sum = Vec::new();
        for (range, &part) in ranges.iter().zip(&parts) {
            let op = columns(&mut draft, &node.op, &whole.shape, range);
            let name = format!("{}.cut{}", node.name, range.start);
            let inputs = vec![Edge { source: part, delay }];
            let cut = Node { name, op, inputs, shape: node.shape.clone() };
            sum.push(Edge { source: draft.nodes.push(cut), delay: 0 });
        }
        (draft.nodes[reader].op, draft.nodes[reader].inputs) = (Op::Add, sum);
    }
    draft
}

/// Populations of neurons, operations, and values of tensors.
fn sizes(draft: &NetworkDraft) -> [usize; 3] {
    let count = |what: fn(&Op) -> bool| draft.nodes.values().filter(|n| what(&n.op)).count();
    [
        count(|op| matches!(op, Op::Neuron(_))),
        count(|op| matches!(op, Op::Linear { .. } | Op::Conv2d { .. })),
        draft.tensors.values().map(|t| t.data.len()).sum(),
    ]
}

/// Random spikes of inputs.
fn drive(draft: &NetworkDraft, seed: u64) -> evaluate::Trace {
    evaluate::run(draft, STEPS, |name, t, size| {
        let id = draft.node_named(name)?;
        let letters = name.bytes().fold(seed, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
        let mut rng = Rng::new(letters ^ (t as u64) << 32);
        matches!(draft.nodes[id].op, Op::Input(_))
            .then(|| (0..size).map(|_| f64::from(u8::from(rng.chance(50)))).collect())
    })
}

/// Every neuron of `before` fires in `after` as it did, for as long as no rounding decides.
fn same_spikes(before: &NetworkDraft, after: &NetworkDraft, folds: &[Fold], seed: u64) {
    let (old, new) = (drive(before, seed), drive(after, seed));
    let neurons = |draft: &NetworkDraft| {
        let all = draft.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_)));
        all.cloned().collect::<Vec<_>>()
    };
    for t in 0..STEPS {
        if old.margin[t] < 1e-3 {
            return;
        }
        for whole in neurons(after) {
            for part in Fold::parts(folds, &whole.name, whole.shape.size()) {
                let found = &new.value(after, t, &whole.name)[part.neurons];
                assert_eq!(old.value(before, t, &part.name), found, "`{}`, step {t}", part.name);
            }
        }
    }
}

#[test]
fn halves_fold_back() {
    let (mut tried, mut found) = (0, 0);
    // Few of these small networks have a population that can be cut.
    for seed in 0..1200 {
        let Ok(outcome) = run(generate::network(seed), CANONICAL, &mut ()) else { continue };
        let whole = network(&outcome.level).clone().into_draft();
        let mut rng = Rng::new(seed);
        let candidates = candidates(&whole);
        if candidates.is_empty() {
            continue;
        }
        let id = candidates[rng.below(candidates.len() as u32) as usize];
        let at = 1 + rng.below(whole.nodes[id].shape.0[0] - 1) as usize;
        let halves = split(whole.clone(), id, at);
        let [small, large] = [whole, halves.clone()].map(|draft| {
            run(draft, FOLD, &mut ()).unwrap_or_else(|f| panic!("seed {seed}: {}", f.diagnostics))
        });
        let after = network(&large.level);
        same_spikes(&halves, after, &large.folds, seed);
        tried += 1;
        // A half of a few weights may be much weaker than the other, or equal what something else reads.
        if large.folds.iter().any(|f| f.kind == FoldKind::Halves) {
            found += 1;
            let (small, large) = (sizes(network(&small.level)), sizes(after));
            assert_eq!(small[..2], large[..2], "seed {seed}");
            // An identity that the whole reads as a matrix may have become one value per neuron.
            assert!(large[2] <= small[2], "seed {seed}: {large:?} {small:?}");
        }
    }
    assert!(tried > 80 && found * 5 > tried * 4, "{found} of {tried}");
}
