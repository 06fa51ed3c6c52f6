//! Every refusal, with its place; and how neurons are realized.

use super::*;
use crate::json;
use snnc_ir::diag::codes::{Code, genome, tennlab as codes};
use snnc_ir::network::Compare;
use snnc_ir::quantized::{IntReadout, Sign};

/// Two neurons, 10 and 4, with an edge each way; 10 is the input, 4 the output.
const GOOD: &str = r#"{
    "Nodes": [{"id": 10, "values": [2], "name": "in"}, {"id": 4, "values": [3]}],
    "Edges": [
        {"from": 10, "to": 4, "values": [5, 2]},
        {"from": 4, "to": 10, "values": [1, -3]}
    ],
    "Inputs": [10],
    "Outputs": [4],
    "Network_Values": [],
    "Properties": {
        "node_properties": [{"name": "Threshold", "index": 0}],
        "edge_properties": [{"name": "Delay", "index": 0}, {"name": "Weight", "index": 1}],
        "network_properties": []
    },
    "Associated_Data": {
        "other": {"proc_name": "risp", "sim_time": 20.0},
        "proc_params": {
            "discrete": true, "leak_mode": "all", "max_weight": 7, "min_potential": -7
        }
    }
}"#;

fn read(text: &str) -> Result<TennlabNetwork, Diagnostics> {
    read_for(text, None)
}

fn read_for(text: &str, steps: Option<u32>) -> Result<TennlabNetwork, Diagnostics> {
    super::read(text.as_bytes(), &json::parse(text.as_bytes())?, "net", steps)
}

/// Codes and places of what is found after `from` became `to`.
#[track_caller]
fn findings(from: &str, to: &str) -> Vec<(Code, String)> {
    assert!(GOOD.contains(from), "`{from}` is not in the network");
    let found = match read(&GOOD.replacen(from, to, 1)) {
        Ok(network) => network.warnings,
        Err(errors) => errors,
    };
    found.iter().map(|d| (d.code, d.place.path.clone().unwrap_or_default())).collect()
}

#[track_caller]
fn refused(from: &str, to: &str, code: Code, path: &str) {
    let found = findings(from, to);
    assert!(found.contains(&(code, path.to_owned())), "{found:?}");
}

#[test]
fn a_network_becomes_populations() {
    let read = read(GOOD).unwrap();
    assert!(read.warnings.is_empty());
    let places: Vec<_> = read.places.iter().map(|p| (p.id, p.population, p.neuron)).collect();
    assert_eq!(places, [(4, "output", 0), (10, "hidden", 0)]);
    let network = read.network;
    assert_eq!((network.steps, &*network.name), (20, "net"));
    let [_, hidden, output] =
        [0, 1, 2].map(|id| network.populations.values().as_slice()[id].clone());
    let registers = hidden.neuron().unwrap();
    // Threshold 2 of 128 units each, less half a unit.
    assert_eq!((registers.threshold.values(), registers.dv.values()), (&[192][..], &[4095][..]));
    assert_eq!(registers.compare, Compare::Gt);
    // Nothing inhibits node 4, but it leaks.
    assert_eq!(output.neuron().unwrap().dv.values(), [4095]);
    assert!(
        matches!(network.readout, IntReadout::SpikeCount(id) if network.populations[id].name == "output")
    );
    let synapses: Vec<_> = network
        .projections
        .values()
        .map(|p| {
            let matrix = &network.matrices[p.matrix];
            (p.delay, matrix.sign, matrix.weight(0))
        })
        .collect();
    assert_eq!(
        synapses,
        [(0, Sign::Excitatory, 14), (5, Sign::Excitatory, 4), (1, Sign::Inhibitory, -6)]
    );
}

#[test]
fn positions_among_values_are_what_properties_say() {
    let swapped = GOOD
        .replace(r#""name": "Delay", "index": 0"#, r#""name": "Delay", "index": 1"#)
        .replace(r#""name": "Weight", "index": 1"#, r#""name": "Weight", "index": 0"#)
        .replace("[5, 2]", "[2, 5]")
        .replace("[1, -3]", "[-3, 1]");
    assert_eq!(read(&swapped).unwrap().network, read(GOOD).unwrap().network);
}

#[test]
fn large_weights_are_cut_in_two() {
    let read = read(&GOOD.replace("[5, 2]", "[5, 1000]")).unwrap();
    let weights: Vec<i32> = read
        .network
        .projections
        .values()
        .filter(|p| p.delay == 5)
        .map(|p| read.network.matrices[p.matrix].weight(0))
        .collect();
    assert_eq!(weights.iter().sum::<i32>(), 2000, "{weights:?}");
    refused("[5, 2]", "[5, 16384]", codes::TENNLAB_RANGE, "$.Nodes[1]");
}

#[test]
fn steps_come_from_the_file_or_from_outside() {
    assert_eq!(read_for(GOOD, Some(7)).unwrap().network.steps, 7);
    let path = "$.Associated_Data.other";
    refused(r#", "sim_time": 20.0"#, "", codes::TENNLAB_STEPS, path);
    let twice = GOOD.replace(r#", "sim_time": 20.0"#, "").replace("\"all\"", "\"none\"");
    let twice = twice.replace("-7", "-7.5");
    let found: Vec<Code> = read(&twice).unwrap_err().iter().map(|d| d.code).collect();
    assert_eq!(found, [codes::TENNLAB_STEPS, codes::TENNLAB_FLOOR]);
    let path = "$.Associated_Data.other.sim_time";
    refused("20.0", "20.5", genome::BAD_VALUE, path);
}

#[test]
fn names_that_are_no_nodes_are_refused() {
    refused(r#""from": 10"#, r#""from": 11"#, codes::TENNLAB_NODE, "$.Edges[0]");
    refused(r#""to": 10"#, r#""to": 9"#, codes::TENNLAB_NODE, "$.Edges[1]");
    refused("\"Inputs\": [10]", "\"Inputs\": [10, 10]", codes::TENNLAB_NODE, "$.Inputs[1]");
    refused("\"Outputs\": [4]", "\"Outputs\": [5]", codes::TENNLAB_NODE, "$.Outputs[0]");
    refused(r#"{"id": 4,"#, r#"{"id": 10,"#, codes::TENNLAB_NODE, "$.Nodes[1]");
    refused(r#""from": 4, "to": 10"#, r#""from": 10, "to": 4"#, codes::TENNLAB_NODE, "$.Edges[1]");
    refused("\"Inputs\": [10]", "\"Inputs\": []", codes::TENNLAB_EMPTY, "$");
}

#[test]
fn settings_that_are_not_done_are_refused() {
    let params = "$.Associated_Data.proc_params";
    let at = |name: &str| format!("{params}.{name}");
    let add = |setting: &str| format!("\"discrete\": true, {setting}");
    for (setting, path) in [
        ("\"noisy_stddev\": 0.1", at("noisy_stddev")),
        ("\"stds\": [0.1]", at("stds")),
        ("\"fire_like_ravens\": true", at("fire_like_ravens")),
        ("\"new_mode\": 1", params.to_owned()),
    ] {
        refused("\"discrete\": true", &add(setting), codes::TENNLAB_SETTING, &path);
    }
    refused("-7", "1", codes::TENNLAB_SETTING, &at("min_potential"));
    let path = "$.Associated_Data.other.proc_name";
    refused("\"risp\"", "\"caspian\"", codes::TENNLAB_PROCESSOR, path);
    for harmless in ["\"noisy_stddev\": 0", "\"run_time_inclusive\": true", "\"max_delay\": 9"] {
        assert_eq!(findings("\"discrete\": true", &add(harmless)), [], "{harmless}");
    }
}

#[test]
fn fractions_are_refused_unless_they_are_few() {
    refused("[5, 2]", "[5, 2.5]", codes::TENNLAB_FRACTION, "$.Edges[0]");
    refused("[5, 2]", "[0, 2]", codes::TENNLAB_FRACTION, "$.Edges[0]");
    let real = GOOD.replace("\"discrete\": true", "\"discrete\": false");
    let halves = read(&real.replace("[5, 2]", "[5, 2.5]")).unwrap();
    // Units of 1/2: thresholds and charges double.
    assert_eq!(
        halves.network.populations.values().nth(1).unwrap().neuron().unwrap().threshold.values(),
        [448]
    );
    let found = read(&real.replace("[5, 2]", "[5, 0.1]")).unwrap_err();
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), [codes::TENNLAB_FRACTION]);
}

#[test]
fn what_no_chip_does_is_refused() {
    let keeps = GOOD.replace("\"all\"", "\"none\"");
    let codes_of = |text: &str| read(text).unwrap_err().iter().map(|d| d.code).collect::<Vec<_>>();
    assert_eq!(codes_of(&keeps.replace("-7", "-7.5")), [codes::TENNLAB_FLOOR]);
    let below = "\"values\": [-1]";
    assert_eq!(codes_of(&keeps.replace("\"values\": [2]", below)), [codes::TENNLAB_TOUCH]);
    let strong = GOOD.replace("\"max_weight\": 7", "\"max_weight\": 3000");
    assert!(read(&strong).is_ok(), "sums from which a neuron fires are not forgotten");
    assert_eq!(
        codes_of(&strong.replace("\"values\": [2]", "\"values\": [2049]")),
        [codes::TENNLAB_RANGE]
    );
}

/// Registers of the only hidden neuron: leak, threshold, floor, and weights into it by delay, companions included.
fn hidden(text: &str) -> (u16, i32, Option<i32>, Vec<(u32, i32)>) {
    let network = read(text).unwrap().network;
    let id = network.population_named("hidden").unwrap();
    let neuron = network.populations[id].neuron().unwrap();
    let floor = neuron.floor.as_ref().map(|floor| floor.values()[0]);
    let synapses = network.projections_into(id);
    let mut synapses: Vec<_> =
        synapses.map(|(_, p)| (p.delay, network.matrices[p.matrix].weight(0))).collect();
    synapses.sort_unstable();
    (neuron.dv.values()[0], neuron.threshold.values()[0], floor, synapses)
}

#[test]
fn inhibited_neurons_that_keep_their_potential_have_a_floor() {
    let keeps = GOOD.replace("\"all\"", "\"none\"");
    // 5 · 64 · 7 − 193 = 2^11 − 1.
    assert_eq!(hidden(&keeps), (0, 576, Some(-2047), vec![(0, 35), (1, -15)]));
    // A power of two, less 1.
    let eight = keeps.replace("-7", "-8");
    assert_eq!(hidden(&eight), (0, 192, Some(-1023), vec![(0, 14), (1, -6)]));
    let none = keeps.replace("-7", "0");
    assert_eq!(hidden(&none), (0, 192, Some(0), vec![(0, 14), (1, -6)]));
    // What would leave the accumulator with a weight of 5 for a unit of charge.
    let large = keeps.replace("\"max_weight\": 7", "\"max_weight\": 7000");
    assert_eq!(hidden(&large), (0, 192, Some(-896), vec![(0, 48), (0, 13_952), (1, -6)]));
    // Registers end before such a floor.
    let deep = keeps.replace("-7", "-1000000000");
    assert_eq!(hidden(&deep).2, None);
    // Nothing inhibits node 4, and node 10 leaks: no floor is needed.
    assert_eq!(hidden(GOOD).2, None);
    let positive = keeps.replace("[1, -3]", "[1, 3]");
    assert_eq!(hidden(&positive), (0, 192, None, vec![(0, 14), (1, 6)]));
    // Inhibition that a leak does not forget.
    let inhibited = GOOD.replace("[1, -3]", "[1, -2048]");
    assert_eq!(hidden(&inhibited).2, Some(0));
}

#[test]
fn thresholds_of_0_or_less_have_companions_where_neurons_are_inhibited() {
    let at = |text: &str, threshold: &str| {
        hidden(&text.replace("\"values\": [2]", &format!("\"values\": [{threshold}]")))
    };
    let keeps = GOOD.replace("\"all\"", "\"none\"");
    // The boost, taken back by the companion, and made up for by the neuron itself.
    let weights = vec![(0, 2), (0, 35), (1, -15), (1, -2), (1, 2)];
    assert_eq!(at(&keeps, "0"), (0, 64, Some(-2047), weights));
    // Two arrivals at most: 2 · charge + 1, in halves of a unit of charge.
    assert_eq!(at(GOOD, "0"), (4095, 64, None, vec![(0, 30), (1, -10)]));
    // A leak forgets the boost.
    assert_eq!(at(GOOD, "-1"), (4095, 64, None, vec![(0, 4), (0, 14), (1, -6)]));
    // A potential that is never below 0 before something arrives is as good as forgotten.
    let zero = keeps.replace("-7", "0");
    assert_eq!(at(&zero, "0"), (4095, 64, None, vec![(0, 30), (1, -10)]));
    assert_eq!(at(&zero, "-1"), (4095, 64, None, vec![(0, 4), (0, 14), (1, -6)]));
}

#[test]
fn fields_that_are_not_read_are_named() {
    assert_eq!(
        findings("\"name\": \"in\"", "\"Name\": \"in\""),
        [(codes::TENNLAB_UNREAD, "$.Nodes[0]".to_owned())]
    );
    refused(", \"values\": [2]", "", genome::MISSING_FIELD, "$.Nodes[0]");
    refused("[5, 2]", "[5]", genome::MISSING_FIELD, "$.Edges[0]");
    refused("\"Threshold\"", "\"threshold\"", genome::MISSING_FIELD, "$.Nodes[0]");
}

#[test]
fn truncated_and_damaged_files_are_refused() {
    for end in 0..GOOD.len() - 1 {
        assert!(read(&GOOD[..end]).is_err(), "{end}");
    }
    for (place, old) in GOOD.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
        for new in ["-1", "1e99", "null", "[]", "99999999999999999999"] {
            // Any of them may be a network or not; none may be more than a finding.
            let _ = read(&format!("{}{new}{}", &GOOD[..place], &GOOD[place + old.len_utf8()..]));
        }
    }
}
