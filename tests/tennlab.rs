//! Networks that were evolved for RISP: recordings of the RISP simulator, and random networks beside an interpreter of RISP that
//! knows nothing of this compiler, as integers and as programs on cores.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};
use snnc::frontend::arrays::{Array, ArrayData, read_npz};
use snnc::frontend::tennlab::Placed;
use snnc::ir::diag::codes::{mapping, quantize, tennlab as codes};
use snnc::ir::diag::{Code, Severity};
use snnc::ir::program::Program;
use snnc::ir::spikes::SpikeTrain;
use snnc::ir::{Diagnostics, QuantizedNetwork};
use snnc::passes::AnyLevel;
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::integer::{IntProbe, simulate};
use snnc::runtime::{Signal, Stimulus};
use snnc::source::{self, Given};
use snnc::{Options, Source, Target, compile};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

mod common;
use common::{Place, repo};

/// Whether neurons fired: by id, by step.
type Raster = BTreeMap<u32, Vec<bool>>;

/// A small whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, not negative")]
fn small(x: f64) -> usize {
    assert!((0.0..100.0).contains(&x) && x.fract() == 0.0, "{x}");
    x as usize
}

/// RISP, event by event, as its documentation says it.
fn risp(network: &Value, spikes: &[Vec<bool>]) -> Raster {
    let params = &network["Associated_Data"]["proc_params"];
    let number = |value: &Value| value.as_f64().expect("a number");
    let index = |kind: &str, name: &str| {
        let list = network["Properties"][kind].as_array().expect("a list");
        let found = list.iter().find(|p| p["name"] == name).expect("a property");
        usize::try_from(found["index"].as_u64().expect("an index")).expect("small")
    };
    let of = |item: &Value, kind: &str, name: &str| number(&item["values"][index(kind, name)]);
    let id = |value: &Value| u32::try_from(value.as_u64().expect("an id")).expect("32 bits");
    let list = |name: &str| network[name].as_array().expect("a list").clone();
    let listed = params["weights"].as_array();
    let inclusive = params["threshold_inclusive"].as_bool().unwrap_or(true);
    let floor = number(&params["min_potential"]);
    let factor = params.get("spike_value_factor").unwrap_or(&params["max_weight"]);
    let discrete = params["discrete"].as_bool().expect("a truth value");
    let round = |charge: f64| if discrete { charge.floor() } else { charge };
    let charge = listed
        .map_or_else(|| round(number(factor)), |weights| number(weights.last().expect("weights")));
    // Charges that will arrive: step, neuron, charge.
    let mut events: BTreeMap<usize, Vec<(u32, f64)>> = BTreeMap::new();
    for (step, fired) in spikes.iter().enumerate() {
        for (input, _) in fired.iter().enumerate().filter(|(_, fired)| **fired) {
            events.entry(step).or_default().push((id(&list("Inputs")[input]), charge));
        }
    }
    let nodes: BTreeMap<u32, Value> =
        list("Nodes").into_iter().map(|n| (id(&n["id"]), n)).collect();
    let mut potential: BTreeMap<u32, f64> = nodes.keys().map(|&n| (n, 0.0)).collect();
    let mut raster: Raster = nodes.keys().map(|&n| (n, vec![false; spikes.len()])).collect();
    for step in 0..spikes.len() {
        let mut sums: BTreeMap<u32, f64> = BTreeMap::new();
        for (neuron, charge) in events.remove(&step).unwrap_or_default() {
            *sums.entry(neuron).or_default() += charge;
        }
        for (neuron, sum) in sums {
            let node = &nodes[&neuron];
            let leaks = match params["leak_mode"].as_str().expect("a mode") {
                "all" => true,
                "configurable" => of(node, "node_properties", "Leak") != 0.0,
                _ => false,
            };
            let p = potential.get_mut(&neuron).expect("a neuron");
            *p = if leaks { 0.0 } else { p.max(floor) };
            *p += sum;
            let threshold = of(node, "node_properties", "Threshold");
            if *p < threshold || (*p <= threshold && !inclusive) {
                continue;
            }
            *p = 0.0;
            raster.get_mut(&neuron).expect("a neuron")[step] = true;
            for edge in list("Edges").iter().filter(|edge| id(&edge["from"]) == neuron) {
                let weight = of(edge, "edge_properties", "Weight");
                let weight = listed.map_or(weight, |weights| number(&weights[small(weight)]));
                let delay = small(of(edge, "edge_properties", "Delay"));
                events.entry(step + delay).or_default().push((id(&edge["to"]), weight));
            }
        }
    }
    raster
}

fn network(source: &Source) -> &QuantizedNetwork {
    let AnyLevel::Quantized(network) = &source.level else { panic!("not integers") };
    network
}

fn stimulus(spikes: &[Vec<bool>]) -> Stimulus {
    let mut train = SpikeTrain::new(spikes.len(), spikes.first().map_or(0, Vec::len));
    for (step, fired) in spikes.iter().enumerate() {
        fired.iter().enumerate().filter(|(_, fired)| **fired).for_each(|(n, _)| train.set(step, n));
    }
    Stimulus { inputs: vec![Signal::Spikes(train)] }
}

/// The raster of trains that have the names of populations.
fn raster<'a>(
    places: &[Placed],
    trains: impl Iterator<Item = (&'a str, &'a SpikeTrain)>,
    steps: usize,
) -> Raster {
    let trains: BTreeMap<&str, &SpikeTrain> = trains.collect();
    let fired = |place: &Placed| {
        let train = trains[place.population];
        (place.id, (0..steps).map(|step| train.get(step, place.neuron)).collect())
    };
    places.iter().map(fired).collect()
}

/// What the integers do.
fn integers(source: &Source, spikes: &[Vec<bool>]) -> Raster {
    let network = network(source);
    let run = simulate(network, &stimulus(spikes), &IntProbe::None).expect("runs");
    let names = network.populations.values().map(|p| &*p.name);
    raster(source.places.as_ref().expect("places"), names.zip(&run.spikes), spikes.len())
}

/// The certified program for a target.
fn compiled(source: &Source, target: &str) -> Result<Program, Diagnostics> {
    let target = Target::find(target).expect("a target");
    let compiled = compile(source, &target, &Options::default());
    compiled.map(|compiled| compiled.program).map_err(|failure| failure.diagnostics)
}

/// What the program for a target does on its cores.
fn on_cores(source: &Source, target: &str, spikes: &[Vec<bool>]) -> Raster {
    run_on_cores(source, &compiled(source, target).expect("compiles"), spikes)
}

/// What a program does.
fn run_on_cores(source: &Source, program: &Program, spikes: &[Vec<bool>]) -> Raster {
    let sim = CoreSim::new(program).expect("a simulator");
    let run = sim.run(&stimulus(spikes), &CoreProbe::None).expect("runs");
    let trains = sim.logical_spikes(&run).expect("on schedule");
    let names = program.populations.iter().map(|symbol| &*symbol.name);
    raster(source.places.as_ref().expect("places"), names.zip(&trains), spikes.len())
}

fn array<'a>(arrays: &'a [(String, Array)], name: &str) -> &'a Array {
    &arrays.iter().find(|(found, _)| found == name).expect("an array").1
}

fn bits(array: &Array) -> Vec<bool> {
    let ArrayData::U8(data) = &array.data else { panic!("not bytes") };
    data.iter().map(|&x| x != 0).collect()
}

/// Input spikes and raster of a recording.
fn recording(path: &Path) -> (Vec<Vec<bool>>, Raster) {
    let arrays = read_npz(path).expect("a recording");
    let input = array(&arrays, "spikes");
    let spikes = bits(input).chunks(input.shape[2]).map(<[bool]>::to_vec).collect();
    let ArrayData::I32(ids) = &array(&arrays, "ids").data else { panic!("not ids") };
    let fired = array(&arrays, "fired");
    let rows = bits(fired).chunks(fired.shape[1]).map(<[bool]>::to_vec).collect::<Vec<_>>();
    let ids = ids.iter().map(|&id| u32::try_from(id).expect("an id"));
    (spikes, ids.zip(rows).collect())
}

const RECORDED: [&str; 19] = [
    "factor",
    "fractions",
    "keep_1",
    "keep_127",
    "keep_15",
    "keep_7",
    "keep_above",
    "keep_at_0",
    "keep_fractions",
    "leak",
    "leak_above",
    "leak_deep",
    "leak_zero",
    "listed",
    "mixed",
    "mixed_floor",
    "plus_keep",
    "plus_zero",
    "wide",
];

/// Compares the integers and the programs of both targets with what a network should do.
fn reproduced(name: &str, source: &Source, spikes: &[Vec<bool>], expected: &Raster) {
    assert!(&integers(source, spikes) == expected, "{name}: the integers differ");
    for target in ["loihi1", "loihi2"] {
        assert!(&on_cores(source, target, spikes) == expected, "{name} differs on {target}");
    }
}

/// The RISP simulator, the interpreter, the integers and the cores of two targets fire alike.
#[test]
fn recordings_are_reproduced() {
    for name in RECORDED {
        let path = repo(&format!("tests/fixtures/tennlab/{name}.json"));
        let (spikes, recorded) = recording(&path.with_extension("npz"));
        assert!(recorded.values().flatten().any(|&fired| fired), "{name} is silent");
        let text = std::fs::read_to_string(&path).expect("a network");
        let interpreted = risp(&serde_json::from_str(&text).expect("JSON"), &spikes);
        assert!(interpreted == recorded, "{name}: the interpreter differs");
        let source = source::read(&path).expect("a network");
        reproduced(name, &source, &spikes, &recorded);
    }
}

/// 10,000 steps of networks with every kind of neuron.
#[test]
fn long_runs_are_exact() {
    for name in ["mixed", "keep_1", "keep_7", "keep_127", "mixed_floor"] {
        let path = repo(&format!("tests/fixtures/tennlab/{name}.json"));
        let data: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
        let inputs = data["Inputs"].as_array().expect("a list").len();
        let mut state = 1_u64;
        let mut bit = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state >> 62 == 0
        };
        let spikes: Vec<Vec<bool>> =
            (0..10_000).map(|_| (0..inputs).map(|_| bit()).collect()).collect();
        let given = Given { steps: Some(10_000), ..Given::default() };
        let source = source::read_with(&path, given).expect("reads");
        let expected = risp(&data, &spikes);
        let fired: usize = expected.values().flatten().filter(|&&fired| fired).count();
        assert!(fired > 1000, "{name}: {fired} spikes");
        reproduced(name, &source, &spikes, &expected);
    }
}

/// A node or an edge of a random network.
fn item(values: &[i64]) -> Value {
    json!(values)
}

/// Random networks of RISP with settings, and spikes for them. The neurons of `configurable` networks leak or not, each by itself.
fn networks() -> impl Strategy<Value = (Value, Vec<Vec<bool>>)> {
    let modes = prop_oneof![Just("all"), Just("none"), Just("configurable")];
    let lows = prop_oneof![0_i64..4, 0_i64..40, Just(7), Just(127)];
    let sizes = (2_usize..10, 1_usize..4, 10_usize..60);
    (sizes, modes, any::<bool>(), prop_oneof![1_i64..4, 1_i64..40], lows).prop_flat_map(
        |((neurons, ports, steps), mode, inclusive, most, low)| {
            let ports = ports.min(neurons);
            let threshold = prop_oneof![15 => 0..=most, 1 => -3_i64..0];
            let nodes = prop::collection::vec((threshold, any::<bool>()), neurons);
            // Edges by pair, so that none is given twice.
            let all: Vec<(usize, usize)> =
                (0..neurons).flat_map(|a| (0..neurons).map(move |b| (a, b))).collect();
            let pairs = prop::sample::subsequence(all, 0..=neurons * neurons.min(4));
            let values = prop::collection::vec((-most..=most, 1_i64..9), neurons * neurons);
            let inputs = prop::sample::subsequence((0..neurons).collect::<Vec<_>>(), ports);
            let outputs = prop::sample::subsequence((0..neurons).collect::<Vec<_>>(), 1..=neurons);
            let spikes = prop::collection::vec(prop::collection::vec(any::<bool>(), ports), steps);
            (nodes, pairs, values, inputs, outputs, spikes).prop_map(
                move |(nodes, pairs, values, inputs, outputs, spikes)| {
                    // Ids with gaps, and not in order.
                    let id = |n: usize| (n * 7 + 3) % 101;
                    let edges = pairs.iter().zip(&values).map(|(&(a, b), &(weight, delay))| {
                        json!({ "from": id(a), "to": id(b), "values": item(&[delay, weight]) })
                    });
                    let listed = nodes.iter().enumerate().map(|(n, &(threshold, leak))| {
                        json!({ "id": id(n), "values": item(&[i64::from(leak), threshold]) })
                    });
                    let named = |name: &str, index: usize| json!({ "name": name, "index": index });
                    let network = json!({
                        "Nodes": listed.collect::<Vec<_>>(),
                        "Edges": edges.collect::<Vec<_>>(),
                        "Inputs": inputs.iter().map(|&n| id(n)).collect::<Vec<_>>(),
                        "Outputs": outputs.iter().map(|&n| id(n)).collect::<Vec<_>>(),
                        "Network_Values": [],
                        "Properties": {
                            "node_properties": [named("Leak", 0), named("Threshold", 1)],
                            "edge_properties": [named("Delay", 0), named("Weight", 1)],
                            "network_properties": [],
                        },
                        "Associated_Data": {
                            "other": { "proc_name": "risp", "sim_time": spikes.len() },
                            "proc_params": {
                                "discrete": true, "leak_mode": mode, "min_potential": -low,
                                "max_weight": most, "min_weight": -most, "max_delay": 9,
                                "threshold_inclusive": inclusive,
                            },
                        },
                    });
                    (network, spikes)
                },
            )
        },
    )
}

fn errors(found: &Diagnostics) -> impl Iterator<Item = Code> {
    found.iter().filter(|d| d.severity == Severity::Error).map(|d| d.code)
}

/// Random networks fire as RISP says, or are refused for what no chip does.
#[test]
fn random_networks_fire_alike() {
    let place = Place::new();
    let [fired, compared, small, refused] = [0; 4].map(Cell::new);
    let config =
        ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let check = |(network, spikes): (Value, Vec<Vec<bool>>)| {
        place.write("net.json", network.to_string());
        let source = match source::read(&place.path("net.json")) {
            Ok(source) => source,
            Err(found) => {
                prop_assert!(errors(&found).all(|code| code == codes::TENNLAB_TOUCH), "{found}");
                refused.set(refused.get() + 1);
                return Ok(());
            }
        };
        let expected = risp(&network, &spikes);
        fired.set(fired.get() + expected.values().flatten().filter(|&&fired| fired).count());
        compared.set(compared.get() + 1);
        prop_assert_eq!(&integers(&source, &spikes), &expected);
        prop_assert_eq!(&on_cores(&source, "loihi2", &spikes), &expected);
        match compiled(&source, "loihi1") {
            Ok(program) => {
                small.set(small.get() + 1);
                prop_assert_eq!(&run_on_cores(&source, &program, &spikes), &expected);
            }
            Err(found) => {
                let reasons = [quantize::TARGET_FLOOR, mapping::UNBALANCED_LEAK];
                prop_assert!(errors(&found).all(|code| reasons.contains(&code)), "{found}");
            }
        }
        Ok::<(), TestCaseError>(())
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner.run(&networks(), check).unwrap_or_else(|e| panic!("{e}"));
    let [fired, compared, small, refused] = [&fired, &compared, &small, &refused].map(Cell::get);
    assert!(
        compared > 160 && small > 140 && fired > 1000,
        "{compared} networks compared, {small} on loihi1, {fired} spikes, {refused} refused"
    );
}

/// What `docs/tennlab.md` says to do with the example.
#[test]
fn the_example_compiles_and_computes_xor() {
    let place = Place::new();
    place.copy("examples/tennlab/xor.json", "xor.json");
    place.copy("examples/tennlab/xor.npz", "xor.npz");
    place.run(&["compile", "xor.json", "--target", "loihi"]).exits(0);
    let arguments = ["verify", "xor.json", "xor.loihi2", "--stimulus", "xor.npz"];
    place.run(&arguments).exits(0);
    let arguments = ["run", "xor.loihi2", "--stimulus", "xor.npz", "--spikes", "out.npz"];
    place.run(&arguments).exits(0);
    let inputs = read_npz(&place.path("xor.npz")).expect("spikes");
    let outputs = read_npz(&place.path("out.npz")).expect("spikes");
    let given = bits(array(&inputs, "spikes"));
    let fired = bits(array(&outputs, "spikes_output"));
    // In steps of the chip: outputs fire one step later than RISP says.
    assert_eq!((given.len(), fired.len()), (400, 202));
    for sample in 0..2 {
        for step in 2..100 {
            let [a, b] = [0, 1].map(|input| given[(sample * 100 + step - 2) * 2 + input]);
            assert_eq!(fired[sample * 101 + step + 1], a != b, "step {step}");
        }
    }
    // An artifact of fewer steps than the file says is what `--steps` made of it, not another network.
    place
        .run(&["compile", "xor.json", "--target", "loihi", "--steps", "50", "-o", "short"])
        .exits(0);
    place.run(&["verify", "xor.json", "short"]).exits(0);
    place.run(&["verify", "xor.json", "short", "--bisect"]).exits(0);
    let said = place.run(&["verify", "xor.json", "short", "--steps", "60"]).exits(1);
    assert!(said.stderr.contains("SNN0702"), "{}", said.stderr);
    let said = place.run(&["inspect", "xor.json"]).exits(0);
    assert!(said.stdout.contains("neurons of `output` are nodes 20"), "{}", said.stdout);
    let said = place.run(&["check", "xor.json", "--target", "loihi", "--weights", "random:1"]);
    assert!(said.exits(2).stderr.contains("SNN0810"));
    let said = place.run(&["quantize", "xor.json", "--target", "loihi"]).exits(2);
    assert!(said.stderr.contains("integers from the start"), "{}", said.stderr);
}
