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
    refused("\"all\"", "\"none\"", codes::TENNLAB_FLOOR, "$.Nodes[0]");
    refused("\"values\": [2]", "\"values\": [-1]", codes::TENNLAB_TOUCH, "$.Nodes[0]");
    let strong = GOOD.replace("\"max_weight\": 7", "\"max_weight\": 3000");
    assert!(read(&strong).is_ok(), "sums from which a neuron fires are not forgotten");
    let found = read(&strong.replace("\"values\": [2]", "\"values\": [2048]")).unwrap_err();
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), [codes::TENNLAB_RANGE]);
    refused("[1, -3]", "[1, -2048]", codes::TENNLAB_RANGE, "$.Nodes[0]");
    // Nothing inhibits node 4: it may keep its potential, and a threshold of 0 counts touches.
    let kept = read(&GOOD.replace("\"all\"", "\"none\"").replace("[1, -3]", "[1, 3]"));
    assert_eq!(
        kept.unwrap().network.populations.values().nth(2).unwrap().neuron().unwrap().dv.values(),
        [0]
    );
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
