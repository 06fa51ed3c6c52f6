//! The integer simulator against recorded spikes of an independent integer simulation.
//!
//! `gold.npz` of an example holds another program's integers for the same genome (weights,
//! thresholds, biases; biases finer than ours) and the spikes that they gave on 32 samples. A recipe
//! decides for the same integers, and must give exactly them; with the recorded biases put in,
//! every spike of every population must be the same.

use snnc::frontend::arrays::{Array, read_npz};
use snnc::ir::arena::PopId;
use snnc::ir::network::{Coding, Dynamics, Op};
use snnc::ir::quantized::{PopKind, QuantizedDraft, Structure};
use snnc::ir::recipe::{PopulationRecipe, ProjectionRecipe};
use snnc::ir::{Level, Network, Param, QuantizedNetwork, Recipe, Rules};
use snnc::pipeline::Stage;
use snnc::runtime::encode::accumulator;
use snnc::runtime::integer::{IntProbe, IntSim};
use snnc::{Options, Source, Target, lower, source};
use std::collections::BTreeMap;
use std::path::PathBuf;

type Arrays = BTreeMap<String, Array>;

fn folder(example: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(example)
}

fn arrays(example: &str, file: &str) -> Arrays {
    read_npz(&folder(example).join(file)).expect("a shipped file").into_iter().collect()
}

#[expect(clippy::cast_possible_truncation, reason = "the arrays hold small integers")]
fn integers(array: &Array) -> Vec<i64> {
    array.to_f64().expect("small integers").into_iter().map(|x| x as i64).collect()
}

/// The canonical float network.
fn canonical(source: &Source, target: &Target) -> Network {
    let (stages, _) = lower(source, &target.spec, &Options::default(), Stage::Network)
        .unwrap_or_else(|f| panic!("{}", f.diagnostics));
    stages.network.expect("the stage asked for")
}

/// Decides everything as the record has it, but for biases, which it holds finer than a recipe does.
fn recipe(network: &Network, gold: &Arrays) -> Recipe {
    let neurons = network.nodes.values().filter_map(|node| match &node.op {
        Op::Neuron(neuron) => Some((&node.name, neuron)),
        _ => None,
    });
    let populations = neurons.map(|(name, neuron)| {
        let Dynamics::Decay(decay) = &neuron.dynamics else { panic!("the examples leak") };
        let theta = integers(&gold[&format!("theta_int_{name}")])[0];
        let units = |bias: i64| i32::try_from((bias + 32).div_euclid(64)).expect("small");
        let biases = integers(&gold[&format!("bias_int_{name}")]);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4096")]
        let register = |decay: f32| (f64::from(decay) * 4096.0).round() as u16;
        PopulationRecipe {
            name: name.clone(),
            scale: Some(Param::Uniform(gold[&format!("scale_{name}")].to_f64().expect("one")[0])),
            threshold: Some(Param::Uniform(i32::try_from(theta / 64).expect("small"))),
            bias: Some(Param::PerNeuron(biases.into_iter().map(units).collect())),
            dv: Some(decay.map(register)),
            shift: None,
        }
    });
    let projections = recorded(gold).map(|(key, [source, target], _)| {
        let array = &gold[key];
        let [cols, rows] = array.shape[..] else { panic!("[pre, post] expected") };
        let weights = integers(array);
        let step = |i: usize| weights[i % cols * rows + i / cols];
        let steps = (0..rows * cols).map(|i| i16::try_from(step(i)).expect("a byte"));
        ProjectionRecipe {
            source: source.to_owned(),
            target: target.to_owned(),
            nth: 0,
            weight_bits: Some(8),
            split: Some(false),
            exponent: Some(0),
            weights: Some(steps.collect()),
        }
    });
    Recipe {
        populations: populations.collect(),
        projections: projections.collect(),
        ..Recipe::default()
    }
}

/// The recorded projections: key, source and target, delay.
fn recorded(gold: &Arrays) -> impl Iterator<Item = (&str, [&str; 2], u32)> {
    gold.keys().filter(|key| key.starts_with("Wint_")).map(|key| {
        // Wint_<k>_<source>_<target>_d<delay>, [source, target].
        let parts: Vec<&str> = key.split('_').collect();
        (key.as_str(), [parts[2], parts[3]], parts[4][1..].parse().expect("a delay"))
    })
}

/// The example in the recorded integers.
fn quantized(example: &str, gold: &Arrays) -> QuantizedDraft {
    let genome = folder(example).join(format!("{example}.genome.json"));
    let source = source::read(&genome).expect("a shipped genome");
    let target = Target::find("loihi2").expect("a shipped target");
    let recipe = recipe(&canonical(&source, &target), gold);
    let options = Options { recipe, ..Options::default() };
    let (stages, _) = lower(&source, &target.spec, &options, Stage::Quantized)
        .unwrap_or_else(|f| panic!("{}", f.diagnostics));
    stages.quantized.expect("the stage asked for").into_draft()
}

/// Puts the recorded biases in, after checking thresholds and weights.
fn adopt(draft: &mut QuantizedDraft, gold: &Arrays) {
    for (key, ends, delay) in recorded(gold) {
        let [source, target] = ends.map(|n| draft.population_named(n).expect("a population"));
        let projection = draft
            .projections
            .values()
            .find(|p| p.source == source && p.target == target && p.delay == delay)
            .expect("the recorded projection exists");
        let matrix = &draft.matrices[projection.matrix];
        assert!(matches!(matrix.structure, Structure::Dense { .. }));
        let (rows, cols) = (matrix.structure.rows(), matrix.structure.cols());
        let weights = integers(&gold[key]);
        for row in 0..rows {
            for col in 0..cols {
                let ours = i64::from(matrix.weight(row * cols + col));
                assert_eq!(ours, weights[col * rows + row], "{key}: weight {col} -> {row}");
            }
        }
    }
    for population in draft.populations.values_mut() {
        let PopKind::Neurons(neuron) = &mut population.kind else { continue };
        let name = &population.name;
        let theta = integers(&gold[&format!("theta_int_{name}")])[0];
        assert!(neuron.threshold.values().iter().all(|&t| i64::from(t) == theta), "{name}");
        let biases = integers(&gold[&format!("bias_int_{name}")]);
        let biases: Vec<i32> = biases.iter().map(|&b| i32::try_from(b).expect("small")).collect();
        for (n, &bias) in biases.iter().enumerate() {
            let ours = neuron.bias.at(n, &population.shape);
            assert!((ours - bias).abs() <= 32, "{name}: bias {n} is {ours}, recorded {bias}");
        }
        neuron.bias = Param::PerNeuron(biases);
    }
}

fn spikes_match(example: &str) {
    let gold = arrays(example, "gold.npz");
    let mut draft = quantized(example, &gold);
    adopt(&mut draft, &gold);
    let network = QuantizedNetwork::verify(draft, &Rules::default()).expect("still valid");
    let input = &network.populations[network.population_named("in").expect("the input")];
    let PopKind::Input(Coding::Accumulator { pmax, steps_in }) = input.kind else {
        panic!("the examples use accumulator coding")
    };
    let test = arrays(example, "test.npz");
    let samples = integers(&test["x"]);
    let predictions = integers(&gold["int_pred"]);
    let simulator = IntSim::new(&network).expect("simulates");
    let mut spikes = 0;
    for (s, sample) in samples.chunks(input.size()).take(32).enumerate() {
        let sample: Vec<u32> = sample.iter().map(|&x| u32::try_from(x).expect("pixels")).collect();
        let train = accumulator(&sample, pmax, steps_in, network.steps).expect("encodes");
        let run = simulator.run(&vec![train].into(), &IntProbe::default()).expect("runs");
        for (id, population) in network.populations.iter() {
            spikes += compare(&gold, &population.name, s, &run.spikes[index(id)]);
        }
        assert_eq!(
            run.class().and_then(|c| i64::try_from(c).ok()),
            Some(predictions[s]),
            "sample {s}"
        );
    }
    assert!(spikes > 5_000, "the comparison is about something: {spikes} spikes");
}

fn index(id: PopId) -> usize {
    snnc::ir::Entity::index(id)
}

/// Compares one sample of one population with its bit-packed record; returns the spikes compared.
fn compare(gold: &Arrays, name: &str, sample: usize, train: &snnc::ir::spikes::SpikeTrain) -> u64 {
    let record = &gold[&format!("gold_{name}")];
    let bytes = integers(record);
    let [_, samples, stride] = record.shape[..] else { panic!("[step, sample, bytes] expected") };
    for t in 0..train.steps() {
        for n in 0..train.neurons() {
            let byte = bytes[(t * samples + sample) * stride + n / 8];
            // numpy packs the first element into the highest bit.
            let expected = byte >> (7 - n % 8) & 1 == 1;
            assert_eq!(train.get(t, n), expected, "{name}: sample {sample}, step {t}, neuron {n}");
        }
    }
    train.count()
}

#[test]
fn digits_spikes_equal_the_recorded_ones() {
    spikes_match("digits");
}

#[test]
fn mnist_spikes_equal_the_recorded_ones() {
    spikes_match("mnist");
}
