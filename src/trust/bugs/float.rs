//! Bugs of the passes in f32.

use super::{Bug, CLIPS, CONV, FACTORED, FILTERED, GENES, ZOO};
use crate::verify::bisect::By;
use snnc_ir::NetworkDraft;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::network::{Compare, Keep, Neuron, Op, Provenance};
use snnc_passes::framework::patch::Break;

const fn bug(
    [at, name, what]: [&'static str; 3],
    how: fn(&mut NetworkDraft),
    case: super::Case,
    by: By,
) -> Bug {
    Bug { name, at, what, how: Break::Network(how), case, by }
}

/// Bugs before quantization, in the order of passes.
pub(super) const BUGS: &[Bug] = &[
    bug(
        ["lower-genes", "gene-scale-twice", "a decoded weight is scaled twice"],
        scale_twice,
        GENES,
        By::Simulation,
    ),
    bug(
        ["lower-genes", "relay-of-one-sign", "a relay between two factors drops negative values"],
        one_sign,
        FACTORED,
        By::Simulation,
    ),
    bug(
        ["fold-batchnorm", "channel-forgotten", "the last channel gets no scale and no shift"],
        forgotten_channel,
        CONV,
        By::Simulation,
    ),
    bug(
        ["fold-pooling", "window-not-divided", "the sum of a window is not divided by its size"],
        undivided,
        CONV,
        By::Simulation,
    ),
    bug(
        [
            "push-neurons",
            "parts-share-thresholds",
            "each part gets the first thresholds of the whole",
        ],
        |d| {
            let [first, second] = ["h.0", "h.1"].map(|name| id(d, name));
            let threshold = neuron(d, first).threshold.clone();
            let values: Vec<f32> = threshold.values().iter().copied().take(2).collect();
            neuron(d, second).threshold = snnc_ir::Param::PerNeuron(values);
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        ["fold-silent", "bias-overlooked", "a population that its bias drives counts as silent"],
        |d| {
            let p = id(d, "p");
            d.nodes[p].op = Op::Zero;
            d.nodes[p].inputs.clear();
        },
        ZOO,
        By::Verifier,
    ),
    bug(
        ["fold-silent", "live-term-left-out", "a sum leaves out a term that is not always 0"],
        |d| {
            let (sum, term) = (id(d, "y.current"), id(d, "y.u"));
            d.nodes[sum].inputs.retain(|edge| edge.source != term);
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        [
            "merge-nodes",
            "weights-not-compared",
            "two populations that differ in their weights become one",
        ],
        |d| {
            let [u, v] = ["u", "v"].map(|name| id(d, name));
            read_instead(d, v, u);
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        ["lower-currents", "delay-lost", "the delay of an edge behind a concatenation is lost"],
        |d| {
            let q = id(d, "q");
            let edges = d.nodes.values_mut().flat_map(|n| &mut n.inputs);
            edges.filter(|e| e.source == q).for_each(|e| e.delay = 0);
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        [
            "lower-currents",
            "columns-of-the-first-part",
            "both parts of a concatenation get the first columns",
        ],
        |d| {
            let (first, second) = (weight(d, "y.h"), weight(d, "y.h.2"));
            let columns: Vec<f32> =
                d.tensors[first].data.chunks(3).flat_map(|row| row[..2].to_vec()).collect();
            d.tensors[second].data = columns;
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        ["drop-clips", "sign-turned", "a clip that stays keeps the other sign"],
        |d| {
            let clip = d.nodes.values_mut().find_map(|n| match &mut n.op {
                Op::Relay(Some(keep)) => Some(keep),
                _ => None,
            });
            if let Some(keep) = clip {
                *keep = match keep {
                    Keep::Positive => Keep::Negative,
                    Keep::Negative => Keep::Positive,
                };
            }
        },
        CLIPS,
        By::Simulation,
    ),
    bug(
        [
            "normalize-neurons",
            "threshold-not-scaled",
            "a time constant scales the leak and not the threshold",
        ],
        |d| {
            let p = id(d, "p");
            let neuron = neuron(d, p);
            neuron.threshold = neuron.threshold.map(|t| t / 2.0);
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        ["normalize-neurons", "greater-or-equal", "`>` becomes `>=`"],
        |d| neuron_mut(d).for_each(|n| n.compare = Compare::Ge),
        ZOO,
        By::Simulation,
    ),
    bug(
        [
            "feed-currents",
            "bias-negated",
            "the bias of a current with memory is fed with the wrong sign",
        ],
        |d| {
            let fed = d.nodes.values().find_map(|n| match n.op {
                Op::Linear { weight, .. } if n.name.contains(".from.") => Some(weight),
                _ => None,
            });
            if let Some(weight) = fed {
                d.tensors[weight].data.iter_mut().for_each(|w| *w = -*w);
            }
        },
        FILTERED,
        By::Simulation,
    ),
    bug(
        ["remove-dead", "live-term-removed", "a term of a sum is taken for dead"],
        |d| {
            // As zeros: removed, it would be missed by the property that nothing else is dead.
            let weight = weight(d, "y.w");
            d.tensors[weight].data.fill(0.0);
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        [
            "fold-halves",
            "halves-swapped",
            "what reads the whole has the columns of the halves in the other order",
        ],
        |d| {
            let columns = weight(d, "y.u");
            d.tensors[columns].data.chunks_mut(6).for_each(|row| row.rotate_left(3));
        },
        ZOO,
        By::Simulation,
    ),
    bug(
        ["fold-shared", "ids-mixed-up", "two tensors change places when ids are given anew"],
        |d| {
            let (a, b) = (weight(d, "y.twin"), weight(d, "y.w"));
            let data = std::mem::take(&mut d.tensors[a].data);
            d.tensors[a].data = std::mem::replace(&mut d.tensors[b].data, data);
        },
        ZOO,
        By::Simulation,
    ),
];

fn id(d: &NetworkDraft, name: &str) -> NodeId {
    d.node_named(name).unwrap_or_else(|| panic!("no node `{name}` to break"))
}

fn neuron(d: &mut NetworkDraft, id: NodeId) -> &mut Neuron {
    match &mut d.nodes[id].op {
        Op::Neuron(neuron) => neuron,
        other => panic!("a {} instead of neurons to break", other.name()),
    }
}

fn neuron_mut(d: &mut NetworkDraft) -> impl Iterator<Item = &mut Neuron> {
    d.nodes.values_mut().filter_map(|n| match &mut n.op {
        Op::Neuron(neuron) => Some(neuron),
        _ => None,
    })
}

fn weight(d: &NetworkDraft, name: &str) -> TensorId {
    match d.nodes[id(d, name)].op {
        Op::Linear { weight, .. } | Op::Conv2d { weight, .. } => weight,
        ref other => panic!("a {} instead of weights to break", other.name()),
    }
}

/// Everyone reads `other` instead of `node`.
fn read_instead(d: &mut NetworkDraft, node: NodeId, other: NodeId) {
    let edges = d.nodes.values_mut().flat_map(|n| &mut n.inputs);
    edges.filter(|e| e.source == node).for_each(|e| e.source = other);
}

fn scale_twice(d: &mut NetworkDraft) {
    let encoded = d.tensors.values_mut().find_map(|t| match t.provenance {
        Provenance::Encoded { scale, .. } if !t.data.is_empty() => Some((&mut t.data, scale)),
        _ => None,
    });
    let (data, scale) = encoded.expect("a decoded tensor to break");
    #[expect(clippy::cast_possible_truncation, reason = "a small number")]
    let scale = scale as f32;
    for weight in data {
        *weight *= scale;
    }
}

fn one_sign(d: &mut NetworkDraft) {
    let mut relays = d.nodes.values_mut().filter(|n| n.op == Op::Relay(None));
    relays.next().expect("a relay to break").op = Op::Relay(Some(Keep::Positive));
}

/// Undoes what the pass did to the last channel of the first convolution: its scale, then its shift.
fn forgotten_channel(d: &mut NetworkDraft) {
    let node = d.nodes.values().find(|n| matches!(n.op, Op::Conv2d { bias: Some(_), .. }));
    let Some(Op::Conv2d { weight, bias: Some(bias), conv }) = node.map(|n| n.op.clone()) else {
        panic!("no convolution with a bias to break");
    };
    let channels = conv.out_channels as usize;
    let size = d.tensors[weight].data.len() / channels;
    // What it had before: 0.5 / sqrt(1.25) or so was multiplied in.
    d.tensors[weight].data[(channels - 1) * size..].iter_mut().for_each(|w| *w *= 2.0);
    d.tensors[bias].data[channels - 1] = 0.0;
}

fn undivided(d: &mut NetworkDraft) {
    let derived = d.tensors.values_mut().find(|t| match &t.provenance {
        Provenance::Derived { pass, .. } => pass == "fold-pooling",
        _ => false,
    });
    let tensor = derived.expect("a pooled tensor to break");
    tensor.data.iter_mut().for_each(|w| *w *= 4.0);
}
