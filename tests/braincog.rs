//! The float simulator against networks and neurons recorded from BrainCog's own code.
//!
//! For every genome in `tests/fixtures/braincog`: the network that it unfolds to, run on the recorded
//! input, must spike as BrainCog's does, in every neuron and step of every population (they carry
//! the names of BrainCog's modules). Scores are sums, so they may differ in their last bits. The
//! layout of the recordings is described in `tests/oracles/braincog/dump.py`.
#![expect(clippy::print_stdout, reason = "a summary for those who ask for it")]

mod common;

use common::repo;
use snnc::frontend::arrays::{Array, ArrayData, read_npz};
use snnc::ir::network::{
    Coding, Dynamics, Edge, Emission, Network, NetworkDraft, Neuron, Node, Op, Provenance, Readout,
    Reset, Tensor,
};
use snnc::ir::spikes::SpikeTrain;
use snnc::ir::{Arena, Level, Param, Rules, Shape};
use snnc::passes::AnyLevel;
use snnc::runtime::float::{FloatProbe, FloatSim, Signal, Stimulus};
use snnc::source;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Largest difference of a score.
const TOLERANCE: f64 = 1e-4;
/// Arrays of a recording that are no populations.
const OTHERS: [&str; 3] = ["input", "logits", "meta"];

type Arrays = BTreeMap<String, Array>;

fn arrays(path: &Path) -> Arrays {
    read_npz(path).unwrap_or_else(|e| panic!("{e}")).into_iter().collect()
}

fn genomes() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(repo("tests/fixtures/braincog")).expect("the fixtures");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    let mut genomes: Vec<_> =
        paths.filter(|p| p.to_string_lossy().ends_with(".genome.json")).collect();
    genomes.sort();
    genomes
}

fn bytes(array: &Array) -> &[u8] {
    let ArrayData::U8(bytes) = &array.data else { panic!("u8 expected") };
    bytes
}

fn floats(array: &Array) -> &[f32] {
    let ArrayData::F32(values) = &array.data else { panic!("f32 expected") };
    values
}

/// The recorded input, as the one input of `network` takes it.
fn stimulus(network: &Network, input: &Array) -> Stimulus {
    let mut inputs = network.nodes.values().filter(|n| matches!(n.op, Op::Input(_)));
    let node = inputs.next().expect("an input");
    assert!(inputs.next().is_none(), "the recordings have one input");
    let size = node.shape.size();
    let signal = if let Op::Input(Coding::Direct { .. }) = node.op {
        Signal::Frame(floats(input).to_vec())
    } else {
        let mut train = SpikeTrain::new(network.steps as usize, size);
        let events = bytes(input).iter().enumerate().filter(|(_, e)| **e == 1);
        events.for_each(|(i, _)| train.set(i / size, i % size));
        Signal::Spikes(train)
    };
    Stimulus { inputs: vec![signal] }
}

/// What a network adds to the summary.
#[derive(Default)]
struct Counts {
    networks: usize,
    populations: usize,
    cells: usize,
    spikes: u64,
    differing: usize,
    score: f64,
}

impl Counts {
    /// Runs one network and compares it with its recording; differences are told in `found`.
    fn add(&mut self, path: &Path, found: &mut Vec<String>) {
        let name = path.file_name().expect("a file").to_string_lossy().replace(".genome.json", "");
        let source = source::read(path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let AnyLevel::Network(network) = &source.level else { panic!("a genome is a network") };
        let recorded = arrays(&path.with_file_name(format!("{name}.trace.npz")));
        let sim = FloatSim::new(network).expect("it fits");
        let run = sim.run(&stimulus(network, &recorded["input"]), &FloatProbe::None);
        let run = run.unwrap_or_else(|e| panic!("{name}: {e}"));
        self.networks += 1;
        for (population, record) in
            recorded.iter().filter(|(key, _)| !OTHERS.contains(&key.as_str()))
        {
            let Some(id) = network.node_named(population) else {
                found.push(format!("{name}: no population {population}"));
                continue;
            };
            let differing = self.compare(&run.spikes[&id], record);
            if differing > 0 {
                found.push(format!("{name}: {differing} spikes of {population} differ"));
            }
        }
        let logits = floats(&recorded["logits"]);
        assert_eq!(run.scores.len(), logits.len(), "{name}");
        for (score, logit) in run.scores.iter().zip(logits) {
            let distance = (score - f64::from(*logit)).abs();
            self.score = self.score.max(distance);
            if distance > TOLERANCE {
                found.push(format!("{name}: a score is {score} instead of {logit}"));
            }
        }
    }

    /// Compares a population with its record, neuron k in bit k % 8 of byte k / 8.
    fn compare(&mut self, train: &SpikeTrain, record: &Array) -> usize {
        let stride = train.neurons().div_ceil(8);
        assert_eq!(record.shape, [train.steps(), stride]);
        let bytes = bytes(record);
        let cells = (0..train.steps()).flat_map(|t| (0..train.neurons()).map(move |n| (t, n)));
        let recorded = |t: usize, n: usize| bytes[t * stride + n / 8] >> (n % 8) & 1 == 1;
        let differing = cells.filter(|&(t, n)| train.get(t, n) != recorded(t, n)).count();
        self.populations += 1;
        self.cells += train.steps() * train.neurons();
        self.spikes += train.count();
        self.differing += differing;
        differing
    }
}

#[test]
fn every_spike_is_the_recorded_one() {
    let mut counts = Counts::default();
    let mut found = Vec::new();
    for path in genomes() {
        counts.add(&path, &mut found);
    }
    println!(
        "braincog: {} networks, {} populations, {} neurons times steps, {} spikes, {} differ; \
         largest difference of a score {:.1e}",
        counts.networks,
        counts.populations,
        counts.cells,
        counts.spikes,
        counts.differing,
        counts.score
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(counts.networks >= 30 && counts.spikes > 10_000, "the comparison is about something");
}

/// Neurons of the recording, as this compiler describes them; currents are multiplied by `dt`.
fn neurons() -> Vec<(&'static str, Neuron, f32)> {
    let neuron = |dynamics, threshold| Neuron::plain(dynamics, Param::Uniform(threshold));
    let tau = |tau| neuron(Dynamics::Tau(Param::Uniform(tau)), 0.5);
    let plif = |w| neuron(Dynamics::Sigmoid(Param::Uniform(w)), 1.0);
    let izhikevich = |a, b, c, d, threshold| Neuron {
        reset: Reset::To(c),
        ..neuron(Dynamics::Izhikevich { a, b, d }, threshold)
    };
    let burst = |t| Neuron { emission: Emission::Burst { factor: 1.5 }, ..tau(t) };
    vec![
        ("if", neuron(Dynamics::Integrate, 0.5), 1.0),
        ("if_dt", neuron(Dynamics::Integrate, 0.75), 0.5),
        ("lif_tau2", tau(2.0), 1.0),
        ("lif_tau4", tau(4.0), 1.0),
        ("lif_tau3", tau(3.0), 1.0),
        ("lif_start", Neuron { v_init: 0.25, ..tau(2.0) }, 1.0),
        ("plif_w0", plif(0.0), 1.0),
        ("plif_slow", plif(-1.1), 1.0),
        ("plif_fast", plif(0.7), 1.0),
        ("izhikevich", izhikevich(0.02, 0.2, -55.0, -2.0, 1.0), 1.0),
        ("izhikevich_custom", izhikevich(0.1, 0.25, -60.0, 8.0, 30.0), 1.0),
        ("burst_lif", burst(2.0), 1.0),
        ("burst_lif_tau4", burst(4.0), 1.0),
    ]
}

/// Recordings of what no genome can say: Euler steps of Izhikevich's model other than 1.
const INEXPRESSIBLE: [&str; 1] = ["izhikevich_half"];

/// A population driven by `current`, `[steps, neurons]`: one input neuron per step fires in its
/// step, and its weights are the currents of that step. Sums of one weight and zeros are exact.
fn driven(neuron: Neuron, current: &Array, dt: f32) -> Network {
    let [steps, count] = current.shape[..] else { panic!("[steps, neurons] expected") };
    let extents = [steps, count].map(|n| u32::try_from(n).expect("small"));
    let values = floats(current);
    let weight: Vec<f32> =
        (0..count).flat_map(|n| (0..steps).map(move |t| values[t * count + n] * dt)).collect();
    let mut tensors = Arena::default();
    let tensor = |name: &str, shape: Vec<u32>, data| Tensor {
        name: name.to_owned(),
        shape: Shape(shape),
        data,
        provenance: Provenance::Dense { tensor: name.to_owned() },
        genes: None,
    };
    let weight = tensors.push(tensor("w", vec![extents[1], extents[0]], weight));
    let mut nodes = Arena::default();
    let mut node = |name: &str, op, source: Option<_>, size: u32| {
        let inputs = source.map(|source| Edge { source, delay: 0 }).into_iter().collect();
        nodes.push(Node { name: name.to_owned(), op, inputs, shape: Shape(vec![size]) })
    };
    let clock = node("clock", Op::Input(Coding::Events), None, extents[0]);
    let drive = node("drive", Op::Linear { weight, bias: None }, Some(clock), extents[1]);
    node("neurons", Op::Neuron(neuron), Some(drive), extents[1]);
    let draft = NetworkDraft {
        name: "driven".to_owned(),
        steps: extents[0],
        nodes,
        tensors,
        // Bursts cannot be counted, and no score is looked at.
        readout: Readout::MeanLinear(drive),
        discretization: None,
    };
    Network::verify(draft, &Rules::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_neuron_model_is_the_recorded_one_bit_for_bit() {
    let recorded = arrays(&repo("tests/fixtures/braincog/nodes.npz"));
    let named = |key: &str| key.strip_suffix(".current").map(str::to_owned);
    let all: Vec<String> = recorded.keys().filter_map(|key| named(key)).collect();
    let neurons = neurons();
    let known = |name: &String| {
        neurons.iter().any(|(n, ..)| n == name) || INEXPRESSIBLE.contains(&name.as_str())
    };
    assert!(all.iter().all(known), "a recording is not compared: {all:?}");
    for (name, neuron, dt) in neurons {
        let network = driven(neuron, &recorded[&format!("{name}.current")], dt);
        let (steps, count) = (network.steps as usize, 16);
        let mut train = SpikeTrain::new(steps, steps);
        (0..steps).for_each(|t| train.set(t, t));
        let sim = FloatSim::new(&network).expect("it fits");
        let stimulus = Stimulus { inputs: vec![Signal::Spikes(train)] };
        let run = sim.run(&stimulus, &FloatProbe::All).unwrap_or_else(|e| panic!("{name}: {e}"));
        let id = network.node_named("neurons").expect("the population");
        let emitted = floats(&recorded[&format!("{name}.emitted")]);
        let membranes = floats(&recorded[&format!("{name}.v")]);
        for (neuron, trace) in run.traces.iter().enumerate() {
            for t in 0..steps {
                let at = t * count + neuron;
                let place = format!("{name}: step {t}, neuron {neuron}");
                let sent = match run.messages.get(&id) {
                    Some(messages) => messages.get(t, neuron).unwrap_or(0.0),
                    None => f32::from(u8::from(run.spikes[&id].get(t, neuron))),
                };
                assert!(sent.total_cmp(&emitted[at]).is_eq(), "{place}: {sent} sent");
                let v = trace.v[t];
                // A reset by multiplication gives -0 where one by assignment gives +0.
                let same = v.partial_cmp(&membranes[at]).is_some_and(Ordering::is_eq);
                assert!(same, "{place}: {v} instead of {}", membranes[at]);
            }
        }
    }
}
