//! Float networks as graphs.

use super::super::graph::Primitive;
use super::builder::{Builder, Value, floats};
use super::neuron::Writer;
use super::{Exported, ops};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use snnc_ir::arena::{Entity, NodeId, TensorId};
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::network::discretization::{
    Dialect, IfDialect, Integration, LoopBias, ResetRule, SpikesPerStep, TimeUnit,
};
use snnc_ir::network::{
    Coding, Compare, Discretization, Edge, Emission, NetworkDraft, Neuron, Node, Op, Readout, Reset,
};
use snnc_ir::{Diagnostic, Diagnostics, Network};
use std::collections::BTreeMap;

/// See [`super::export_network`].
pub(super) fn export(network: &Network, dt: f64) -> Result<Exported, Diagnostics> {
    let mut builder = Builder::default();
    let discretization = choices(network, dt, &mut builder);
    let order = order(network);
    let mut writer =
        NetworkWriter { network, builder, choices: &discretization, component: components(network) };
    // Neurons first, so that whatever reads them finds them, in loops, too.
    let mut values = BTreeMap::new();
    for &id in &order {
        let node = &network.nodes[id];
        let shape = writer.neuron_extents(id);
        if let Op::Neuron(neuron) = &node.op
            && let Some(value) = writer.neuron(node, neuron, &shape)
        {
            values.insert(id, value);
        }
    }
    for &id in &order {
        if let Some(value) = writer.node(id, &values) {
            values.insert(id, value);
        }
    }
    for (id, node) in network.nodes.iter().filter(|(_, n)| matches!(n.op, Op::Neuron(_))) {
        if let (Some(value), [edge]) = (values.get(&id).cloned(), &node.inputs[..]) {
            writer.feed(&value, id, edge, &mut values);
        }
    }
    writer.readout(&values);
    let mut builder = writer.builder;
    options(&discretization, &mut builder);
    let (file, notes) = builder.finish(&discretization, &[])?;
    Ok(Exported { file, discretization, notes })
}
