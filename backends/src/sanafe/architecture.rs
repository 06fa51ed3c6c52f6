//! The chip as SANA-FE describes one: tiles on a mesh, cores at a tile, units in a core.

use super::{UNIT_COMPARTMENTS, inputs, plain};
use snnc_ir::mapped::Core;
use snnc_ir::target::{Cost, Limit, TargetSpec};
use snnc_ir::{MappedDraft, MappedNetwork};
use std::fmt::Write as _;

/// Comment at the head of the file.
const HEAD: &str = "\
# Written by snnc. Tiles are the routers of the chips in use; those of chips beside each other form one mesh.
# The last tile is the host: one unit of the model `input` for each element of an input.
# Every core keeps arriving charge in its dendrites, which hold it for up to 5 further steps.
#
# Energies (J) and latencies (s) are the highest that the target's description knows a source for, which the
# comments repeat; 0.0 where it knows none. They are estimates. The host, axon_in and dendrites cost nothing.
";

/// Where the cores of a network lie on SANA-FE's mesh.
#[derive(Debug)]
pub(super) struct Board {
    /// Routers of the chips in use, along x and y.
    extent: [u32; 2],
    /// Chips of the board in a row.
    chips_across: u32,
    /// Routers of a chip along x and y.
    chip: [u32; 2],
    cores_per_router: u32,
    compartments: u32,
    /// Elements of all inputs.
    inputs: u32,
}

impl Board {
    pub(super) fn of(network: &MappedNetwork, target: &TargetSpec) -> Self {
        let draft: &MappedDraft = network;
        let chips_across = extent(&target.board_width);
        let chip = [extent(&target.mesh_width), extent(&target.mesh_height)];
        let used = |axis: fn(u32, u32) -> u32| {
            let places = draft.cores.values().map(|core| axis(core.chip, chips_across));
            places.max().unwrap_or(0) + 1
        };
        let [across, down] = [used(|chip, row| chip % row), used(|chip, row| chip / row)];
        let elements: usize = inputs(&draft.network).map(|(_, p)| p.size()).sum();
        Self {
            extent: [chip[0] * across, chip[1] * down],
            chips_across,
            chip,
            cores_per_router: extent(&target.cores_per_router),
            compartments: extent(&target.compartments),
            inputs: u32::try_from(elements).unwrap_or(u32::MAX),
        }
    }

    /// `tile.core` of a core. SANA-FE numbers tiles column by column.
    pub(super) fn core(&self, core: &Core) -> String {
        let (router, slot) = (core.cell / self.cores_per_router, core.cell % self.cores_per_router);
        let x = core.chip % self.chips_across * self.chip[0] + router % self.chip[0];
        let y = core.chip / self.chips_across * self.chip[1] + router / self.chip[0];
        format!("{}.{slot}", x * self.extent[1] + y)
    }

    /// Places of input element `index` on the host: `tile.core` and the unit.
    pub(super) fn host(&self, index: u32) -> (String, u32) {
        let tile = self.extent[0] * self.extent[1];
        (format!("{tile}.{}", index / UNIT_COMPARTMENTS), index % UNIT_COMPARTMENTS)
    }

    /// Soma and dendrite units of a core: each has [`UNIT_COMPARTMENTS`].
    fn units(&self) -> u32 {
        self.compartments.div_ceil(UNIT_COMPARTMENTS)
    }

    /// The unit of a compartment, if a core has several.
    pub(super) fn unit(&self, compartment: u32) -> Option<u32> {
        (self.units() > 1).then_some(compartment / UNIT_COMPARTMENTS)
    }

    /// The file.
    pub(super) fn text(&self, target: &TargetSpec) -> String {
        let costs = &target.costs;
        let [width, height] = self.extent;
        let hosts = self.inputs.div_ceil(UNIT_COMPARTMENTS);
        let mut text = HEAD.to_owned();
        let mut line = |indent: usize, content: &str| {
            text.extend(std::iter::repeat_n(' ', 2 * indent));
            text.push_str(content);
            text.push('\n');
        };
        line(0, "architecture:");
        line(1, &format!("name: {}", plain(&target.name)));
        line(1, "attributes:");
        line(2, "topology: mesh");
        line(2, &format!("width: {}", width + u32::from(hosts > 0)));
        line(2, &format!("height: {height}"));
        // Only timing depends on it: the published models of the chip have this number.
        line(2, "link_buffer_size: 16");
        line(2, "sync_model: fixed");
        line(2, &cost("latency_sync", &costs.barrier_time, TIME));
        line(1, "tile:");
        line(2, &format!("- name: router[0..{}]", width * height - 1));
        line(3, "attributes:");
        for (direction, energy, time) in [
            ("north", &costs.hop_energy_y, &costs.hop_time_y),
            ("east", &costs.hop_energy_x, &costs.hop_time_x),
            ("south", &costs.hop_energy_y, &costs.hop_time_y),
            ("west", &costs.hop_energy_x, &costs.hop_time_x),
        ] {
            line(4, &cost(&format!("energy_{direction}_hop"), energy, ENERGY));
            line(4, &cost(&format!("latency_{direction}_hop"), time, TIME));
        }
        line(3, "core:");
        line(4, &format!("- name: core[0..{}]", self.cores_per_router - 1));
        line(5, "attributes:");
        line(6, "buffer_position: dendrite");
        line(6, "buffer_inside_unit: true");
        line(6, &format!("max_neurons_supported: {}", self.compartments));
        line(5, "axon_in:");
        line(6, "- name: axon_in");
        line(7, "attributes:");
        line(8, "energy_message_in: 0.0");
        line(8, &cost("latency_message_in", &costs.arrival_time, TIME));
        line(5, "synapse:");
        line(6, "- name: synapse");
        line(7, "attributes:");
        line(8, "model: current_based");
        line(8, &cost("energy_process_spike", &costs.synapse_energy, ENERGY));
        line(8, &cost("latency_process_spike", &costs.synapse_time, TIME));
        line(5, "dendrite:");
        line(6, &format!("- name: dendrite[0..{}]", self.units() - 1));
        line(7, "attributes:");
        line(8, "model: accumulator_with_delay");
        line(8, "energy_update: 0.0");
        line(8, "latency_update: 0.0");
        line(5, "soma:");
        line(6, &format!("- name: soma[0..{}]", self.units() - 1));
        line(7, "attributes:");
        line(8, "model: leaky_integrate_fire");
        for content in soma("energy", &costs.neuron_energy, &costs.firing_energy, ENERGY) {
            line(8, &content);
        }
        for content in soma("latency", &costs.neuron_time, &costs.firing_time, TIME) {
            line(8, &content);
        }
        line(5, "axon_out:");
        line(6, "- name: axon_out");
        line(7, "attributes:");
        line(8, &cost("energy_message_out", &costs.message_energy, ENERGY));
        line(8, &cost("latency_message_out", &costs.message_time, TIME));
        if hosts > 0 {
            text.push_str(&host(hosts));
        }
        text
    }
}

/// The tile with the inputs. Nothing that it does costs anything.
fn host(cores: u32) -> String {
    let free = |names: &[&str]| {
        let zeros: Vec<String> = names.iter().map(|name| format!("{name}: 0.0")).collect();
        zeros.join(", ")
    };
    let hop = |d: &str| format!("energy_{d}_hop: 0.0, latency_{d}_hop: 0.0");
    let hops = ["north", "east", "south", "west"].map(hop).join(", ");
    let last = UNIT_COMPARTMENTS - 1;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "    - name: host[0..0]
      attributes: {{{hops}}}
      core:
        - name: host[0..{}]
          attributes: {{buffer_position: dendrite, buffer_inside_unit: true, max_neurons_supported: {UNIT_COMPARTMENTS}}}
          axon_in:
            - name: axon_in
              attributes: {{{}}}
          synapse:
            - name: synapse
              attributes: {{model: current_based, {}}}
          dendrite:
            - name: dendrite[0..0]
              attributes: {{model: accumulator_with_delay, {}}}
          soma:
            - name: input[0..{last}]
              attributes: {{model: input, {}}}
          axon_out:
            - name: axon_out
              attributes: {{{}}}
",
        cores - 1,
        free(&["energy_message_in", "latency_message_in"]),
        free(&["energy_process_spike", "latency_process_spike"]),
        free(&["energy_update", "latency_update"]),
        free(&[
            "energy_access_neuron",
            "latency_access_neuron",
            "energy_update_neuron",
            "latency_update_neuron",
            "energy_spike_out",
            "latency_spike_out",
        ]),
        free(&["energy_message_out", "latency_message_out"]),
    );
    text
}

/// Exponents of the units of costs: femtojoules and picoseconds.
const ENERGY: i32 = -15;
const TIME: i32 = -12;

/// A cost with its source.
fn cost(key: &str, cost: &Cost, unit: i32) -> String {
    match cost {
        Cost::Known { value: [_, high], source, .. } => {
            format!("{key}: {high}.0e{unit} # {}", source.replace('\n', " "))
        }
        Cost::Absent { absent, .. } => {
            format!("{key}: 0.0 # not known: {}", absent.replace('\n', " "))
        }
    }
}

/// What a neuron costs in a step in which nothing happens to it (access), what a step in which its membrane
/// changes costs more (update), and what firing costs more. The target states the lowest and highest cost of a step
/// without a spike, and of one with it.
fn soma(what: &str, idle: &Cost, firing: &Cost, unit: i32) -> [String; 3] {
    let [access, update, spike] =
        ["access_neuron", "update_neuron", "spike_out"].map(|part| format!("{what}_{part}"));
    match (idle.range(), firing.range()) {
        (Some([low, high]), Some([_, fires])) => [
            format!("{access}: {low}.0e{unit} # lowest of a step without a spike"),
            format!(
                "{update}: {}.0e{unit} # up to the highest of a step without a spike",
                high - low
            ),
            format!(
                "{spike}: {}.0e{unit} # up to the highest of a step with one",
                fires.saturating_sub(high)
            ),
        ],
        _ => [access, update, spike].map(|key| format!("{key}: 0.0 # not known")),
    }
}

fn extent(limit: &Limit) -> u32 {
    u32::try_from(limit.value).unwrap_or(1).max(1)
}
