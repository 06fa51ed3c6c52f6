//! Edits of networks in f32.

use super::integers::uniform;
use super::resize::chosen;
use super::{Edited, part};
use snnc_ir::arena::{Arena, Entity, NodeId, TensorId};
use snnc_ir::level::AnyDraft;
use snnc_ir::network::{
    Coding, Dynamics, Edge, NetworkDraft, Op, Provenance, Readout, Reset, Tensor,
};
use snnc_ir::param::Param;
use snnc_ir::shape::Shape;
use std::collections::BTreeSet;

/// The next network, made from a copy of this one.
fn edited(draft: &AnyDraft, edit: impl FnOnce(&mut NetworkDraft) -> Option<()>) -> Edited {
    let AnyDraft::Network(network) = draft else { return Edited::End };
    let mut next = network.clone();
    match edit(&mut next) {
        Some(()) => {
            drop_unused(&mut next);
            Edited::Made(Box::new(AnyDraft::Network(next)))
        }
        None => Edited::Skip,
    }
}

/// The node of this number, unless there are fewer.
fn node(draft: &AnyDraft, place: usize) -> Option<NodeId> {
    let AnyDraft::Network(network) = draft else { return None };
    (place < network.nodes.len()).then(|| NodeId::new(place))
}

/// Visits the tensors of an operation.
fn tensors(op: &mut Op, visit: &mut dyn FnMut(&mut TensorId)) {
    match op {
        Op::Linear { weight, bias } | Op::Conv2d { weight, bias, .. } => {
            visit(weight);
            bias.iter_mut().for_each(visit);
        }
        Op::BatchNorm { gamma, beta, mean, variance, .. } => {
            [gamma, beta, mean, variance].into_iter().for_each(visit);
        }
        _ => {}
    }
}

/// Leaves out tensors that no node uses, and no used tensor is generated from.
fn drop_unused(network: &mut NetworkDraft) {
    let mut used = vec![false; network.tensors.len()];
    for node in network.nodes.values_mut() {
        tensors(&mut node.op, &mut |id| used[id.index()] = true);
    }
    for (id, tensor) in network.tensors.iter() {
        if let (true, Some(genes)) = (used[id.index()], tensor.genes) {
            for gene in [genes.out, genes.core, genes.source] {
                used[gene.index()] = true;
            }
        }
    }
    let kept: Vec<TensorId> = network.tensors.ids().filter(|id| used[id.index()]).collect();
    let moved = |id: &mut TensorId| {
        let place = kept.iter().position(|k| k == id);
        *id = TensorId::new(place.unwrap_or(0));
    };
    let mut left = Arena::new();
    for id in &kept {
        let mut tensor = network.tensors[*id].clone();
        if let Some(genes) = &mut tensor.genes {
            [&mut genes.out, &mut genes.core, &mut genes.source].into_iter().for_each(moved);
        }
        left.push(tensor);
    }
    network.nodes.values_mut().for_each(|node| tensors(&mut node.op, &mut |id| moved(id)));
    network.tensors = left;
}

/// Counts the spikes of another population instead of what is read.
pub(super) fn readout(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Network(network) = draft else { return Edited::End };
    let Some(id) = node(draft, place) else { return Edited::End };
    let neuron = matches!(network.nodes[id].op, Op::Neuron(_));
    let before = match network.readout {
        Readout::SpikeCount(now) => id < now,
        Readout::MeanLinear(_) => true,
    };
    edited(draft, |next| {
        next.readout = Readout::SpikeCount(id);
        (neuron && before).then_some(())
    })
}

/// Without one of the inputs of a sum or concatenation.
pub(super) fn detach(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Network(network) = draft else { return Edited::End };
    let mut place = place;
    for (id, node) in network.nodes.iter() {
        let inputs = if node.inputs.len() > 1 { node.inputs.len() } else { 0 };
        if place < inputs {
            return edited(draft, |next| {
                next.nodes[id].inputs.remove(place);
                Some(())
            });
        }
        place -= inputs;
    }
    Edited::End
}

/// Readers of a node read what it reads.
pub(super) fn bypass(draft: &AnyDraft, place: usize) -> Edited {
    let Some(id) = node(draft, place) else { return Edited::End };
    edited(draft, |next| {
        let [Edge { source, delay }] = next.nodes[id].inputs[..] else { return None };
        if source == id {
            return None;
        }
        let mut read = 0;
        for node in next.nodes.values_mut() {
            for edge in node.inputs.iter_mut().filter(|e| e.source == id) {
                *edge = Edge { source, delay: edge.delay + delay };
                read += 1;
            }
        }
        match &mut next.readout {
            Readout::SpikeCount(of) | Readout::MeanLinear(of) if *of == id => *of = source,
            _ if read == 0 => return None,
            _ => {}
        }
        Some(())
    })
}

/// Zero in place of an analog node.
pub(super) fn silence(draft: &AnyDraft, place: usize) -> Edited {
    let Some(id) = node(draft, place) else { return Edited::End };
    edited(draft, |next| {
        let node = &mut next.nodes[id];
        if node.op.is_population() || node.op == Op::Zero {
            return None;
        }
        (node.op, node.inputs) = (Op::Zero, Vec::new());
        Some(())
    })
}

/// Without all that the readout does not depend on; then without single inputs.
pub(super) fn unread(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Network(network) = draft else { return Edited::End };
    let mut needed = vec![false; network.nodes.len()];
    let mut open = vec![network.readout.node()];
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut needed[id.index()], true) {
            open.extend(network.nodes[id].inputs.iter().map(|e| e.source));
        }
    }
    let keeps = |id: NodeId| match place {
        0 => needed[id.index()] || matches!(network.nodes[id].op, Op::Input(_)),
        _ => needed[id.index()] || id.index() + 1 != place,
    };
    if place > network.nodes.len() {
        return Edited::End;
    }
    let kept: Vec<NodeId> = network.nodes.ids().filter(|id| keeps(*id)).collect();
    edited(draft, |next| {
        if kept.len() == next.nodes.len() {
            return None;
        }
        let moved = |id: NodeId| kept.iter().position(|k| *k == id).map(NodeId::new);
        let mut nodes = Arena::new();
        for id in &kept {
            let mut node = next.nodes[*id].clone();
            for edge in &mut node.inputs {
                edge.source = moved(edge.source)?;
            }
            nodes.push(node);
        }
        match &mut next.readout {
            Readout::SpikeCount(of) | Readout::MeanLinear(of) => *of = moved(*of)?,
        }
        next.nodes = nodes;
        Some(())
    })
}

/// Adds a stored tensor.
fn stored(network: &mut NetworkDraft, shape: Shape, data: Vec<f32>, like: TensorId) -> TensorId {
    let name = (0..).map(|n| format!("r{n}"));
    let taken: Vec<String> = network.tensors.values().map(|t| t.name.clone()).collect();
    let name = name.into_iter().find(|n| !taken.contains(n)).unwrap_or_default();
    let from = vec![network.tensors[like].name.clone()];
    let provenance = Provenance::Derived { pass: "reduce".to_owned(), from };
    network.tensors.push(Tensor { name, shape, data, provenance, genes: None })
}

/// Stored tensors in place of generated ones, then matrices in place of convolutions, then vectors in place of images.
pub(super) fn linear(draft: &AnyDraft, place: usize) -> Edited {
    match place {
        0 => edited(draft, |next| {
            let generated: Vec<TensorId> =
                next.tensors.iter().filter(|(_, t)| t.genes.is_some()).map(|(id, _)| id).collect();
            for id in &generated {
                let data = next.values(*id).into_owned();
                let tensor = &mut next.tensors[*id];
                (tensor.data, tensor.genes) = (data, None);
                tensor.provenance = Provenance::Dense { tensor: tensor.name.clone() };
            }
            (!generated.is_empty()).then_some(())
        }),
        1 => edited(draft, |next| {
            let ids: Vec<NodeId> = next.nodes.ids().collect();
            let mut found = None;
            for id in ids {
                let Op::Conv2d { weight, bias, conv } = next.nodes[id].op.clone() else { continue };
                let output = conv.output()?;
                let [rows, cols] =
                    [Shape(output.to_vec()).size(), Shape(conv.input.to_vec()).size()];
                if rows.saturating_mul(cols) > 1 << 16 {
                    continue;
                }
                let kernel = next.values(weight).into_owned();
                let mut dense = vec![0.0; rows * cols];
                for row in 0..rows {
                    conv.for_sources(row, |col, index| dense[row * cols + col] = kernel[index]);
                }
                let [rows_32, cols_32] = [rows, cols].map(|n| u32::try_from(n).unwrap_or(1));
                let weight = stored(next, Shape(vec![rows_32, cols_32]), dense, weight);
                let bias = bias.map(|bias| {
                    let by_channel = next.values(bias).into_owned();
                    let places = rows / by_channel.len().max(1);
                    let data = by_channel.iter().flat_map(|b| vec![*b; places]).collect();
                    stored(next, Shape::flat(rows_32), data, bias)
                });
                next.nodes[id].op = Op::Linear { weight, bias };
                found = Some(());
            }
            found
        }),
        2 => edited(draft, |next| {
            let before = next.nodes.clone();
            for node in next.nodes.values_mut() {
                let shape = std::mem::replace(&mut node.shape, Shape::flat(1));
                node.shape = Shape::flat(u32::try_from(shape.size()).unwrap_or(1));
                if let Op::Neuron(neuron) = &mut node.op {
                    let all: Vec<usize> = (0..shape.size()).collect();
                    parameters_of(neuron, &shape, &all);
                }
            }
            (before != next.nodes).then_some(())
        }),
        _ => Edited::End,
    }
}

/// Keeps the parameters of some neurons of a population.
fn parameters_of(neuron: &mut snnc_ir::network::Neuron, shape: &Shape, kept: &[usize]) {
    neuron.threshold = chosen(&neuron.threshold, shape, kept);
    if let Some(floor) = &mut neuron.floor {
        *floor = chosen(floor, shape, kept);
    }
    match &mut neuron.dynamics {
        Dynamics::Integrate | Dynamics::Izhikevich { .. } => {}
        Dynamics::Tau(p) | Dynamics::Decay(p) | Dynamics::Sigmoid(p) => *p = chosen(p, shape, kept),
        Dynamics::Linear(linear) => {
            linear.keep = chosen(&linear.keep, shape, kept);
            linear.gain = chosen(&linear.gain, shape, kept);
            linear.drive = chosen(&linear.drive, shape, kept);
            if let Some(current) = &mut linear.current {
                current.keep = chosen(&current.keep, shape, kept);
                current.gain = chosen(&current.gain, shape, kept);
            }
        }
    }
}

/// One half of a vector of neurons, relays or inputs between matrices.
pub(super) fn narrow(draft: &AnyDraft, place: usize) -> Edited {
    let Some(id) = node(draft, place / 2) else { return Edited::End };
    edited(draft, |next| {
        let [size] = next.nodes[id].shape.0[..] else { return None };
        let population =
            next.nodes[id].op.is_population() || matches!(next.nodes[id].op, Op::Relay(_));
        if size < 2 || !population {
            return None;
        }
        let kept: Vec<usize> = if place.is_multiple_of(2) {
            (0..size as usize / 2).collect()
        } else {
            (size as usize / 2..size as usize).collect()
        };
        for reader in next.nodes.ids().collect::<Vec<_>>() {
            if !next.nodes[reader].inputs.iter().any(|e| e.source == id) {
                continue;
            }
            let Op::Linear { weight, .. } = next.nodes[reader].op else { return None };
            let old = next.values(weight).into_owned();
            let rows = old.len() / size as usize;
            let data = (0..rows).flat_map(|r| kept.iter().map(move |c| r * size as usize + c));
            let data = data.map(|i| old[i]).collect();
            let shape = [rows, kept.len()].map(|n| u32::try_from(n).unwrap_or(1));
            let smaller = stored(next, Shape(shape.to_vec()), data, weight);
            if let Op::Linear { weight, .. } = &mut next.nodes[reader].op {
                *weight = smaller;
            }
        }
        let mut done = BTreeSet::new();
        upstream(next, id, &kept, &mut done)
    })
}

/// Keeps some elements of a node and of what makes it.
fn upstream(
    network: &mut NetworkDraft,
    id: NodeId,
    kept: &[usize],
    done: &mut BTreeSet<NodeId>,
) -> Option<()> {
    if !done.insert(id) {
        return Some(());
    }
    let size = u32::try_from(kept.len()).ok()?;
    let before = std::mem::replace(&mut network.nodes[id].shape, Shape::flat(size));
    let inputs: Vec<NodeId> = network.nodes[id].inputs.iter().map(|e| e.source).collect();
    match network.nodes[id].op.clone() {
        Op::Input(_) | Op::Zero => Some(()),
        Op::Neuron(mut neuron) => {
            parameters_of(&mut neuron, &before, kept);
            network.nodes[id].op = Op::Neuron(neuron);
            upstream(network, *inputs.first()?, kept, done)
        }
        Op::Add | Op::Relay(_) => {
            inputs.into_iter().try_for_each(|input| upstream(network, input, kept, done))
        }
        Op::Linear { weight, bias } => {
            let old = network.values(weight).into_owned();
            let cols = old.len() / before.size().max(1);
            let data = kept.iter().flat_map(|r| old[r * cols..(r + 1) * cols].to_vec()).collect();
            let shape = Shape(vec![size, u32::try_from(cols).ok()?]);
            let weight = stored(network, shape, data, weight);
            let bias = bias.map(|bias| {
                let old = network.values(bias).into_owned();
                let data = kept.iter().map(|n| old[*n]).collect();
                stored(network, Shape::flat(size), data, bias)
            });
            network.nodes[id].op = Op::Linear { weight, bias };
            Some(())
        }
        _ => None,
    }
}

/// How many simplifications [`parameters`] knows for each node.
const SIMPLER: usize = 6;

/// Simpler parameters of one node, or of the network.
pub(super) fn parameters(draft: &AnyDraft, place: usize) -> Edited {
    if place == 0 {
        return edited(draft, |next| next.discretization.take().map(|_| ()));
    }
    let (place, what) = ((place - 1) / SIMPLER, (place - 1) % SIMPLER);
    let Some(id) = node(draft, place) else { return Edited::End };
    edited(draft, |next| {
        match &mut next.nodes[id].op {
            Op::Input(Coding::Direct { .. } | Coding::Events) => return None,
            Op::Input(coding) => *coding = Coding::Events,
            Op::Linear { bias, .. } | Op::Conv2d { bias, .. } => *bias = None,
            Op::Neuron(neuron) => match what {
                0 => neuron.refractory = 0,
                1 => neuron.floor = None,
                2 => neuron.dynamics = Dynamics::Integrate,
                3 => neuron.reset = Reset::To(0.0),
                4 => uniform(&mut neuron.threshold)?,
                _ => neuron.threshold = Param::Uniform(1.0),
            },
            _ => return None,
        }
        Some(())
    })
}

/// Shorter delays: none, one step, half.
pub(super) fn delays(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Network(network) = draft else { return Edited::End };
    let (mut edge, what) = (place / 3, place % 3);
    for (id, node) in network.nodes.iter() {
        if edge < node.inputs.len() {
            return edited(draft, |next| {
                let delay = &mut next.nodes[id].inputs[edge].delay;
                let shorter = [0, 1, *delay / 2][what];
                (shorter < *delay).then(|| *delay = shorter)
            });
        }
        edge -= node.inputs.len();
    }
    Edited::End
}

/// Zero in place of some values.
pub(super) fn weights(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Network(network) = draft else { return Edited::End };
    let nonzero: Vec<(TensorId, usize)> = network
        .tensors
        .iter()
        .flat_map(|(id, tensor)| {
            let stored = tensor.data.iter().enumerate().filter(|(_, v)| v.abs() > 0.0);
            stored.map(move |(index, _)| (id, index))
        })
        .collect();
    let Some(out) = part(nonzero.len(), place) else { return Edited::End };
    edited(draft, |next| {
        for (id, index) in &nonzero[out] {
            next.tensors[*id].data[*index] = 0.0;
        }
        Some(())
    })
}
