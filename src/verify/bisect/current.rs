//! What a neuron reads, synapse by synapse, in both networks. Written for the checks of a bisection alone: it
//! shares nothing with the passes that read currents.

use snnc_ir::arena::{NodeId, PopId};
use snnc_ir::network::{Dynamics, Neuron, Node, Op};
use snnc_ir::quantized::Structure;
use snnc_ir::{Network, QuantizedNetwork, Shape};

/// Source node, logical delay, neuron of the source.
pub(super) type Key = (NodeId, u32, usize);

/// Weights of a neuron, keys ascending, each key once.
pub(super) type Row = Vec<(Key, f64)>;

/// A current of the canonical form.
pub(super) struct Current<'a> {
    /// Linear operations.
    pub(super) terms: Vec<Term<'a>>,
    /// Bias of every neuron; empty if there is none.
    pub(super) bias: Vec<f64>,
}

/// A linear operation that reads a population or a relay.
pub(super) struct Term<'a> {
    /// What it reads.
    pub(super) source: NodeId,
    delay: u32,
    /// Layout of its weights.
    pub(super) structure: Layout,
    /// Its weights.
    pub(super) weights: &'a [f32],
}

/// A layout that knows how many synapses it stands for.
pub(super) struct Layout(Structure);

impl Layout {
    /// Synapses, about.
    pub(super) fn stored_synapses(&self) -> usize {
        let mut first = 0_usize;
        // The middle row of a convolution has most sources.
        let rows = self.0.rows();
        if rows > 0 {
            self.0.for_row(rows / 2, |_, _| first += 1);
        }
        first.saturating_mul(rows)
    }
}

/// What the input of `node` adds up to; `None` if that is not canonical.
pub(super) fn float_current<'a>(network: &'a Network, node: &Node) -> Option<Current<'a>> {
    let [edge] = node.inputs.as_slice() else { return None };
    let mut current = of(network, &network.nodes[edge.source])?;
    current.terms.iter_mut().for_each(|term| term.delay += edge.delay);
    if let Op::Neuron(Neuron { dynamics: Dynamics::Linear(linear), .. }) = &node.op {
        // What acts on the membrane behind the current.
        current.bias.resize(node.shape.size(), 0.0);
        let biases = current.bias.iter_mut().enumerate();
        biases.for_each(|(n, sum)| *sum += f64::from(linear.drive.at(n, &node.shape)));
    }
    Some(current)
}

/// What an analog node adds up to.
pub(super) fn of<'a>(network: &'a Network, node: &Node) -> Option<Current<'a>> {
    let mut current = Current { terms: Vec::new(), bias: Vec::new() };
    add(network, node, &mut current)?;
    Some(current)
}

fn add<'a>(network: &'a Network, node: &Node, current: &mut Current<'a>) -> Option<()> {
    let extent = |n: usize| u32::try_from(n).ok();
    let size = node.shape.size();
    let (weight, bias, structure) = match &node.op {
        Op::Add => {
            for edge in &node.inputs {
                let from = current.terms.len();
                add(network, &network.nodes[edge.source], current)?;
                current.terms[from..].iter_mut().for_each(|term| term.delay += edge.delay);
            }
            return Some(());
        }
        Op::Linear { weight, bias } => {
            let cols = network.tensors[*weight].shape.size() / size.max(1);
            (weight, bias, Structure::Dense { rows: extent(size)?, cols: extent(cols)? })
        }
        Op::Conv2d { weight, bias, conv } => (weight, bias, Structure::Conv(*conv)),
        _ => return None,
    };
    let [edge] = node.inputs.as_slice() else { return None };
    if let Some(bias) = bias {
        let values = &network.tensors[*bias].data;
        current.bias.resize(size, 0.0);
        // One for each channel of a convolution.
        let each = size / values.len().max(1);
        let all = current.bias.iter_mut().zip(0..);
        all.for_each(|(sum, n): (&mut f64, usize)| *sum += f64::from(values[n / each.max(1)]));
    }
    if !matches!(network.nodes[edge.source].op, Op::Zero) {
        let (source, delay) = (edge.source, edge.delay);
        let weights = network.tensors[*weight].data.as_slice();
        current.terms.push(Term { source, delay, structure: Layout(structure), weights });
    }
    Some(())
}

impl Current<'_> {
    /// The weights of neuron n.
    pub(super) fn row(&self, n: usize) -> Row {
        let mut row = Vec::new();
        for term in &self.terms {
            term.structure.0.for_row(n, |from, at| {
                row.push(((term.source, term.delay, from), f64::from(term.weights[at])));
            });
        }
        summed(row)
    }
}

/// The weights of neuron n of population `target`, under the names of the float network. What the host adds
/// for a sample counts, too.
pub(super) fn integer_rows(
    network: &QuantizedNetwork,
    before: &Network,
    target: PopId,
    n: usize,
) -> Row {
    let node = |id: PopId| before.node_named(&network.populations[id].name);
    let mut row = Vec::new();
    for (_, projection) in network.projections_into(target) {
        // Every population has a node: that was looked at first.
        let Some(source) = node(projection.source) else { continue };
        network.matrices[projection.matrix].for_row(n, |from, weight| {
            row.push(((source, projection.delay, from), f64::from(weight)));
        });
    }
    for host in network.host.iter().filter(|h| h.target == target) {
        let Some(source) = node(host.input) else { continue };
        host.structure.for_row(n, |from, at| {
            row.push(((source, 0, from), f64::from(host.weights[at]) * host.scale));
        });
    }
    summed(row)
}

fn summed(mut row: Row) -> Row {
    row.sort_by_key(|(key, _)| *key);
    let mut sums: Row = Vec::with_capacity(row.len());
    for (key, weight) in row {
        match sums.last_mut() {
            Some((last, sum)) if *last == key => *sum += weight,
            _ => sums.push((key, weight)),
        }
    }
    sums
}

/// Share of the membrane that neuron n loses in a step; `None` for models that have no integers.
pub(super) fn decay(neuron: &Neuron, n: usize, shape: &Shape) -> Option<f64> {
    Some(match &neuron.dynamics {
        Dynamics::Integrate => 0.0,
        Dynamics::Decay(decay) => f64::from(decay.at(n, shape)),
        Dynamics::Linear(linear) => 1.0 - f64::from(linear.keep.at(n, shape)),
        Dynamics::Tau(_) | Dynamics::Sigmoid(_) | Dynamics::Izhikevich { .. } => return None,
    })
}
