//! The network as SANA-FE's groups and edges, and the cores of its neurons.

use super::architecture::Board;
use super::{UNIT_COMPARTMENTS, group, inputs, plain};
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::order::Order;
use snnc_ir::quantized::{IntNeuron, IntReset, PopKind, Population, Projection, QuantizedDraft};
use snnc_ir::{MappedDraft, MappedNetwork};
use std::fmt::Write as _;

/// Units of the membrane in SANA-FE's unit.
const UNIT: f64 = 64.0;

/// The file.
pub(super) fn text(mapped: &MappedNetwork, board: &Board) -> String {
    let network = &mapped.network;
    let mut text = String::from(
        "# Written by snnc. Group p<i> is population i of the program; a soma's numbers are registers / 64.\n",
    );
    // Writing to a string cannot fail.
    let _ = write!(text, "network:\n  name: {}\n  groups:\n", plain(&network.name));
    for (id, population) in network.populations.iter() {
        groups(&mut text, id, population);
    }
    text.push_str(if network.projections.is_empty() { "  edges: []\n" } else { "  edges:\n" });
    for projection in network.projections.values() {
        edges(&mut text, network, projection);
    }
    text.push_str("mappings:\n");
    mappings(&mut text, mapped, board);
    text
}

/// A population; neurons with equal parameters beside each other share a line.
fn groups(text: &mut String, id: PopId, population: &Population) {
    let name = group(id, population);
    let _ = write!(
        text,
        "    - name: {name}\n      attributes:\n        - log_spikes: true\n      neurons:\n"
    );
    let size = population.size();
    let PopKind::Neurons(neuron) = &population.kind else {
        let _ = writeln!(text, "        - 0..{}: {{}}", size - 1);
        return;
    };
    let mut start = 0;
    let mut shared = soma(population, neuron, 0);
    for i in 1..=size {
        let own = (i < size).then(|| soma(population, neuron, i));
        if own.as_ref() == Some(&shared) {
            continue;
        }
        let _ = writeln!(text, "        - {start}..{}: {{soma: {{{shared}}}}}", i - 1);
        (start, shared) = (i, own.unwrap_or_default());
    }
}

/// Parameters of one neuron. What is left out has SANA-FE's default: no leak, no bias, reset to 0, no floor.
fn soma(population: &Population, neuron: &IntNeuron, index: usize) -> String {
    let shape = &population.shape;
    let scaled = |value: i32| f64::from(value) / UNIT;
    let mut text = format!("threshold: {}", scaled(neuron.threshold.at(index, shape)));
    let dv = neuron.dv.at(index, shape);
    if dv != 0 {
        let _ = write!(text, ", leak_decay: {}", f64::from(4096 - dv) / 4096.0);
    }
    let bias = neuron.bias.at(index, shape);
    if bias != 0 {
        let _ = write!(text, ", bias: {}", scaled(bias));
    }
    // Counted down in the step of the spike, too.
    if neuron.refractory != 1 {
        let _ = write!(text, ", refractory_delay: {}", neuron.refractory);
    }
    if let IntReset::Subtract(_) = neuron.reset {
        text.push_str(", reset_mode: soft");
    }
    if let Some(floor) = &neuron.floor {
        let floor = scaled(floor.at(index, shape));
        let _ = write!(text, ", reverse_threshold: {floor}, reverse_reset_mode: saturate");
    }
    text
}

/// The synapses of a projection, one by one, sources of a target ascending.
fn edges(text: &mut String, network: &QuantizedDraft, projection: &Projection) {
    let matrix = &network.matrices[projection.matrix];
    let name = |id| group(id, &network.populations[id]);
    let (mut pairs, mut weights, mut count) = (String::new(), String::new(), 0);
    for row in 0..matrix.structure.rows() {
        matrix.for_row(row, |col, weight| {
            let comma = if count == 0 { "" } else { ", " };
            let _ = write!(pairs, "{comma}[{col}, {row}]");
            let _ = write!(weights, "{comma}{weight}");
            count += 1;
        });
    }
    if count == 0 {
        return;
    }
    let _ = write!(
        text,
        "    - {} -> {}:\n        type: sparse\n        source_target_pairs: [{pairs}]\n        weight: [{weights}]\n",
        name(projection.source),
        name(projection.target),
    );
    let register = projection.delay.saturating_sub(1);
    if register > 0 {
        let delays = vec![register.to_string(); count].join(", ");
        let _ = writeln!(text, "        delay: [{delays}]");
    }
}

/// Where neurons lie, in the order of compartments; then the host's units.
fn mappings(text: &mut String, mapped: &MappedDraft, board: &Board) {
    let network = &mapped.network;
    for core in mapped.cores.values() {
        let place = board.core(core);
        let mut compartment = 0;
        for slice in &core.slices {
            let population = &network.populations[slice.population];
            let order = Order::new(&population.shape, mapped.orders[slice.population.index()]);
            let name = group(slice.population, population);
            let mut position = slice.start;
            let end = slice.start + slice.len;
            while position < end {
                // The longest run of neurons that lie in order, within one unit.
                let (first, unit) = (order.neuron(position), compartment / UNIT_COMPARTMENTS);
                let mut len = 1;
                while position + len < end
                    && order.neuron(position + len) == first + len
                    && (compartment + len) / UNIT_COMPARTMENTS == unit
                {
                    len += 1;
                }
                let units = board.unit(compartment).map_or(String::new(), |unit| {
                    format!(", dendrite: \"dendrite[{unit}]\", soma: \"soma[{unit}]\"")
                });
                let last = first + len - 1;
                let _ = writeln!(text, "  - {name}.{first}..{last}: {{core: {place}{units}}}");
                position += len;
                compartment += len;
            }
        }
    }
    let mut element = 0;
    for (id, population) in inputs(network) {
        let name = group(id, population);
        for neuron in 0..population.size() {
            let (place, unit) = board.host(element);
            let _ =
                writeln!(text, "  - {name}.{neuron}: {{core: {place}, soma: \"input[{unit}]\"}}");
            element += 1;
        }
    }
}
