//! NIR graphs under the dialect of a simulator fire as that simulator does, spike for spike: recordings of five simulators
//! (`tests/oracles/nir_simulators`).

use snnc::frontend::arrays::{ArrayData, read_npz};
use snnc::frontend::nir::dialect::Choices;
use snnc::ir::Network;
use snnc::ir::diag::Severity;
use snnc::ir::network::discretization::{Dialect, IfDialect, ResetRule, SpikesPerStep};
use snnc::ir::network::{Compare, Op};
use snnc::ir::spikes::SpikeTrain;
use snnc::passes::AnyLevel;
use snnc::runtime::Stimulus;
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::float::{FloatProbe, FloatRun, simulate};
use snnc::runtime::integer::{self, IntProbe};
use snnc::source::{self, Given, Source};
use snnc::{Options, Target, compile};
use std::collections::{BTreeMap, BTreeSet};

mod common;
use common::repo;

/// A recording.
struct Recording {
    steps: usize,
    /// Whether each neuron of the input fired, by step.
    input: Vec<Vec<u8>>,
    /// Spikes of each neuron by step, by node.
    spikes: BTreeMap<String, Vec<Vec<u8>>>,
    /// Membranes after the reset, as the spikes.
    membranes: BTreeMap<String, Vec<Vec<f32>>>,
}

impl Recording {
    fn read(name: &str) -> Self {
        let path = repo(&format!("tests/fixtures/nir/{name}.npz"));
        let mut found = Self {
            steps: 0,
            input: Vec::new(),
            spikes: BTreeMap::new(),
            membranes: BTreeMap::new(),
        };
        for (name, array) in read_npz(&path).expect("a recording") {
            found.steps = array.shape[0];
            let neurons = array.shape[1..].iter().product();
            let node = name.split_once('.').map_or("", |(_, node)| node).to_owned();
            match array.data {
                ArrayData::U8(values) if name == "input" => found.input = rows(&values, neurons),
                ArrayData::U8(values) => drop(found.spikes.insert(node, rows(&values, neurons))),
                ArrayData::F32(values) => {
                    drop(found.membranes.insert(node, rows(&values, neurons)));
                }
                _ => panic!("{name}: another kind of numbers"),
            }
        }
        found
    }

    fn stimulus(&self) -> Stimulus {
        let mut train = SpikeTrain::new(self.steps, self.input[0].len());
        for (step, neurons) in self.input.iter().enumerate() {
            (0..neurons.len()).filter(|&n| neurons[n] > 0).for_each(|n| train.set(step, n));
        }
        vec![train].into()
    }
}

fn rows<T: Clone>(values: &[T], width: usize) -> Vec<Vec<T>> {
    values.chunks(width).map(<[T]>::to_vec).collect()
}

/// The graph as the simulator whose name it begins with reads it.
fn choices(name: &str) -> Choices {
    let dialect = match name.split('_').next() {
        Some("snntorch") => Dialect::SnnTorch,
        Some("norse") => Dialect::Norse,
        Some("sinabs") => Dialect::Sinabs,
        Some("spikingjelly") => Dialect::SpikingJelly,
        _ => Dialect::Rockpool,
    };
    // Where it imports an IF, sinabs bounds its membrane. This one was recorded as built, without a bound.
    if name == "sinabs_conv" {
        return Choices {
            if_dialect: Some(IfDialect::Free),
            comparison: Some(Compare::Ge),
            reset: Some(ResetRule::Subtract),
            spikes_per_step: Some(SpikesPerStep::Several),
            ..Choices::default()
        };
    }
    let reset = name.ends_with("_subtract").then_some(ResetRule::Subtract);
    Choices { dialect: Some(dialect), reset, ..Choices::default() }
}

fn read(name: &str, choices: Choices, steps: usize) -> Source {
    let path = repo(&format!("tests/fixtures/nir/{name}.nir"));
    let steps = u32::try_from(steps).ok();
    let given = Given { steps, choices, ..Given::default() };
    source::read_with(&path, given).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn network(source: &Source) -> &Network {
    let AnyLevel::Network(network) = &source.level else { panic!("not real numbers") };
    network
}

/// What neuron `n` of a population sends in step `t`.
fn sent(run: &FloatRun, node: snnc::ir::arena::NodeId, t: usize, n: usize) -> f32 {
    match run.messages.get(&node) {
        Some(messages) => messages.get(t, n).unwrap_or(0.0),
        None => f32::from(u8::from(run.spikes[&node].get(t, n))),
    }
}

/// Every spike that was recorded and no other; membranes differ by rounding.
fn reproduced(name: &str) {
    let recording = Recording::read(name);
    let source = read(name, choices(name), recording.steps);
    let network = network(&source);
    let nodes: BTreeMap<String, _> = network
        .nodes
        .iter()
        .filter(|(_, node)| matches!(node.op, Op::Neuron(_)))
        // A node of a graph within the graph has a path, which is no name of an array.
        .map(|(id, node)| (node.name.replace('/', "."), id))
        .collect();
    let run = simulate(network, &recording.stimulus(), &FloatProbe::All).expect("a run");
    for (node, recorded) in &recording.spikes {
        let id = nodes[node];
        for (t, neurons) in recorded.iter().enumerate() {
            for (n, &spikes) in neurons.iter().enumerate() {
                let found = sent(&run, id, t, n);
                assert!(
                    found.to_bits() == f32::from(spikes).to_bits(),
                    "{name}: neuron {n} of {node} in step {t}: {spikes} recorded, {found} here"
                );
            }
        }
    }
    for trace in &run.traces {
        let node = network.nodes[trace.node].name.replace('/', ".");
        let Some(recorded) = recording.membranes.get(&node) else { continue };
        for (t, &v) in trace.v.iter().enumerate() {
            let recorded = recorded[t][trace.neuron];
            // Sums in another order and rounding: some hundred units in the last place of a threshold of 1.
            assert!(
                (v - recorded).abs() < 1e-5,
                "{name}: membrane {} of {node} in step {t}: {recorded} recorded, {v} here",
                trace.neuron
            );
        }
    }
}

#[test]
fn norse() {
    for name in ["norse_lif", "norse_conv", "norse_recurrent", "norse_subtract"] {
        reproduced(name);
    }
}

#[test]
fn rockpool() {
    for name in ["rockpool_cuba", "rockpool_recurrent"] {
        reproduced(name);
    }
}

#[test]
fn sinabs() {
    for name in ["sinabs_lif", "sinabs_conv", "sinabs_import"] {
        reproduced(name);
    }
}

#[test]
fn snntorch() {
    for name in ["lif", "conv", "cuba", "recurrent", "subtract", "gain"] {
        reproduced(&format!("snntorch_{name}"));
    }
}

#[test]
fn spikingjelly() {
    for name in ["lif", "conv", "cuba", "recurrent"] {
        reproduced(&format!("spikingjelly_{name}"));
    }
}

/// Spikes of all recorded nodes, as recorded and in integers, which are those of the program.
fn in_integers(name: &str, chosen: Choices, target: &Target) -> [usize; 2] {
    let recording = Recording::read(name);
    let source = read(name, chosen, recording.steps);
    let compiled = compile(&source, target, &Options::default())
        .unwrap_or_else(|failure| panic!("{name}: {}", failure.diagnostics));
    let stimulus = recording.stimulus();
    let sim = CoreSim::new(&compiled.program).expect("a program");
    let cores = sim.run(&stimulus, &CoreProbe::None).expect("a run");
    let cores = sim.logical_spikes(&cores).expect("on schedule");
    let symbols = compiled.program.populations.iter().map(|symbol| &*symbol.name);
    let cores: BTreeMap<&str, &SpikeTrain> = symbols.zip(&cores).collect();
    let quantized = compiled.stages.quantized.expect("integers");
    let run = integer::simulate(&quantized, &stimulus, &IntProbe::None).expect("a run");
    let (mut recorded, mut found) = (0, 0);
    for (population, train) in quantized.populations.values().zip(&run.spikes) {
        let name = population.name.replace('/', ".");
        let Some(rows) = recording.spikes.get(&name) else { continue };
        assert!(cores[&*population.name] == train, "{name} fires otherwise on cores");
        recorded += rows.iter().flatten().filter(|&&spikes| spikes > 0).count();
        found += (0..recording.steps).map(|t| train.active(t).count()).sum::<usize>();
    }
    [recorded, found]
}

/// With 8 bits for a weight a neuron fires a step earlier or later here and there, and about as often: the numbers of spikes
/// differ by less than one in 20.
#[test]
fn chips_fire_as_often() {
    for target in ["loihi1", "loihi2"].map(|t| Target::find(t).expect("a target")) {
        for name in [
            "norse_conv",
            "norse_recurrent",
            "snntorch_conv",
            "snntorch_cuba",
            "snntorch_gain",
            "snntorch_lif",
            "snntorch_recurrent",
            "spikingjelly_conv",
            "spikingjelly_cuba",
            "spikingjelly_lif",
            "spikingjelly_recurrent",
        ] {
            let [recorded, found] = in_integers(name, choices(name), &target);
            assert!(recorded.abs_diff(found) * 20 < recorded, "{name}: {recorded}, {found}");
        }
    }
}

#[test]
fn chips_that_subtract_fire_as_often() {
    let target = Target::find("loihi2").expect("a target");
    for name in ["norse_subtract", "snntorch_subtract"] {
        let [recorded, found] = in_integers(name, choices(name), &target);
        assert!(recorded.abs_diff(found) * 20 < recorded, "{name}: {recorded}, {found}");
    }
}

/// sinabs keeps imported IF neurons above minus their threshold: a floor of registers. One spike in a step is less than
/// sinabs sends, so only the floor is compared.
#[test]
fn bounds_of_membranes_are_floors_of_registers() {
    let one = Some(SpikesPerStep::One);
    let chosen = Choices { spikes_per_step: one, ..choices("sinabs_import") };
    let source = read("sinabs_import", chosen, 20);
    let target = Target::find("loihi2").expect("a target");
    let compiled = compile(&source, &target, &Options::default()).expect("a certified program");
    let quantized = compiled.stages.quantized.expect("integers");
    for name in ["1", "5"] {
        let id = quantized.population_named(name).expect("a population");
        let neuron = quantized.populations[id].neuron().expect("neurons");
        let floor = neuron.floor.as_ref().expect("a floor");
        let off = floor.values()[0] + neuron.threshold.values()[0];
        assert!(off.abs() <= 64, "{name}: {floor:?}, {:?}", neuron.threshold);
    }
}

/// Codes of what a target, or the reader, refuses.
fn refused(name: &str, chosen: Choices, target: &str) -> Vec<String> {
    let path = repo(&format!("tests/fixtures/nir/{name}.nir"));
    let given = Given { steps: Some(10), choices: chosen, ..Given::default() };
    let found = source::read_with(&path, given).and_then(|source| {
        let target = Target::find(target).expect("a target");
        compile(&source, &target, &Options::default()).map_err(|failure| failure.diagnostics)
    });
    let found = found.map(|_| ()).expect_err(name);
    let errors = found.iter().filter(|d| d.severity == Severity::Error);
    let codes: BTreeSet<String> = errors.map(|d| d.code.to_string()).collect();
    codes.into_iter().collect()
}

#[test]
fn what_cannot_be_followed_is_refused_by_name() {
    // Norse draws the current of a CubaLIF to its leak voltage.
    assert_eq!(refused("norse_leak", choices("norse_leak"), "loihi2"), ["SNN0254"]);
    // A chip starts at the reset value.
    assert_eq!(refused("norse_lif", choices("norse_lif"), "loihi2"), ["SNN0366"]);
    // Several spikes in a step.
    assert_eq!(refused("sinabs_conv", choices("sinabs_conv"), "loihi2"), ["SNN0463"]);
    assert_eq!(refused("rockpool_cuba", choices("rockpool_cuba"), "loihi2"), ["SNN0463"]);
    // Loihi resets to one value.
    assert_eq!(refused("snntorch_subtract", choices("snntorch_subtract"), "loihi1"), ["SNN0455"]);
    // The step of another simulator, and its demands.
    assert_eq!(refused("snntorch_gain", choices("spikingjelly_gain"), "loihi2"), ["SNN0254"]);
    assert_eq!(refused("snntorch_lif", Choices::default(), "loihi2"), ["SNN0252"]);
}
