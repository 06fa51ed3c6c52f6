//! What is chosen for small networks.

use crate::fixtures::{neuron, target};
use crate::quantize::{Applied, apply};
use snnc_ir::arena::{NodeId, PopId, TensorId};
use snnc_ir::network::{Coding, Dynamics, Edge, Neuron, Node, Op, Provenance, Readout, Tensor};
use snnc_ir::quantized::{IntNeuron, Sign};
use snnc_ir::recipe::{Grouping, PopulationRecipe, ProjectionRecipe, Recipe, Scaling, Settings};
use snnc_ir::{Arena, Diagnostics, Entity, NetworkDraft, Param, Shape, TargetSpec};

/// Numbers with mean 0 and variance 1, about Gaussian, that a seed determines.
struct Draw(u64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 33).unwrap_or(0)) / f64::from(1_u32 << 31)
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    fn weights(&mut self, count: usize, size: f64) -> Vec<f32> {
        (0..count).map(|_| (self.normal() * size) as f32).collect()
    }
}

/// A layer: weights of each projection from the input, bias, neurons.
struct Layer {
    weights: Vec<Vec<f32>>,
    bias: Vec<f32>,
    neuron: Neuron,
}

impl Layer {
    fn of(weights: &[f32], neuron: Neuron) -> Self {
        Self { weights: vec![weights.to_vec()], bias: Vec::new(), neuron }
    }

    /// in → a, a projection of delay k for each matrix.
    fn network(&self, neurons: usize, steps: u32) -> NetworkDraft {
        let extent = |n: usize| u32::try_from(n).expect("small");
        let sources = self.weights[0].len() / neurons;
        let shape = Shape::flat(extent(neurons));
        let mut tensors: Arena<TensorId, Tensor> = Arena::new();
        let mut tensor = |name: String, shape: &[u32], data: &[f32]| {
            let provenance = Provenance::Dense { tensor: name.clone() };
            tensors.push(Tensor {
                name,
                shape: Shape(shape.to_vec()),
                data: data.to_vec(),
                provenance,
                genes: None,
            })
        };
        let edge = |n: usize, delay: usize| Edge { source: NodeId::new(n), delay: extent(delay) };
        let node = |name: &str, op: Op, inputs: Vec<Edge>, shape: &Shape| Node {
            name: name.to_owned(),
            op,
            inputs,
            shape: shape.clone(),
        };
        let input = Shape::flat(extent(sources));
        let mut nodes = vec![
            node("in", Op::Input(Coding::Events), vec![], &input),
            node("a", Op::Neuron(self.neuron.clone()), vec![edge(2, 0)], &shape),
        ];
        let terms = 3..3 + self.weights.len();
        nodes.push(node("sum", Op::Add, terms.map(|n| edge(n, 0)).collect(), &shape));
        for (k, weights) in self.weights.iter().enumerate() {
            let weight = tensor(format!("w{k}"), &[extent(neurons), extent(sources)], weights);
            let bias = (k == 0 && !self.bias.is_empty())
                .then(|| tensor("b".to_owned(), &[extent(neurons)], &self.bias));
            let op = Op::Linear { weight, bias };
            nodes.push(node(&format!("l{k}"), op, vec![edge(0, k)], &shape));
        }
        NetworkDraft {
            name: "n".to_owned(),
            steps,
            nodes: nodes.into(),
            tensors,
            readout: Readout::SpikeCount(NodeId::new(1)),
            discretization: None,
        }
    }

    fn apply(&self, neurons: usize, recipe: &Recipe, target: &TargetSpec) -> Applied {
        let network = self.network(neurons, 20);
        apply(&network, target, recipe, &mut Diagnostics::new()).expect("quantizes")
    }

    fn default(&self, neurons: usize) -> Applied {
        self.apply(neurons, &Recipe::default(), &target())
    }
}

fn settings(settings: Settings) -> Recipe {
    Recipe { settings, ..Recipe::default() }
}

fn bits(weight_bits: u8) -> Recipe {
    settings(Settings { weight_bits, ..Settings::DEFAULT })
}

fn scales(applied: &Applied) -> &[f64] {
    &applied.account.populations[0].scales
}

fn neurons(applied: &Applied) -> &IntNeuron {
    applied.draft.populations[PopId::new(1)].neuron().expect("neurons")
}

/// The integers of projection `k`, signs together.
fn integers(applied: &Applied, k: usize) -> Vec<i64> {
    let entry = &applied.recipe.projections[k];
    let exponent = entry.exponent.expect("complete");
    entry.weights.iter().flatten().map(|&q| i64::from(q) << exponent).collect()
}

/// Checks that every integer is its float times the scale.
fn assert_exact(applied: &Applied, k: usize, floats: &[f32]) {
    let scale = scales(applied)[0];
    assert_eq!(scales(applied).len(), 1);
    for (integer, float) in integers(applied, k).into_iter().zip(floats) {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let error = integer as f64 - f64::from(*float) * scale;
        assert!(error.abs() < 1e-4, "{integer} for {float} at {scale}");
    }
}

#[test]
fn weights_on_a_grid_stay_exact() {
    let floats = [1.0, -0.5, 1.5, 0.25, 0.0, -1.25, 0.75, 1.0];
    let layer = Layer::of(&floats, neuron());
    assert_exact(&layer.default(2), 0, &floats);
    assert_exact(&layer.apply(2, &bits(4), &target()), 0, &floats);
    // Six steps of 0.25 do not fit into 3 bits.
    let thirds = [0.1_f32, -0.2, 0.3, -0.3, 0.1, 0.2];
    assert_exact(&Layer::of(&thirds, neuron()).apply(2, &bits(3), &target()), 0, &thirds);
}

#[test]
fn thresholds_are_exact_where_all_neurons_have_one() {
    let floats = Draw(1).weights(400, 0.2);
    let threshold = 0.737_f32;
    let neuron = Neuron { threshold: Param::Uniform(threshold), ..neuron() };
    let applied = Layer::of(&floats, neuron).default(20);
    let account = applied.account.populations[0].threshold.as_ref().expect("neurons");
    assert!(account.error < 1e-9, "{account:?}");
}

#[test]
fn rows_of_different_size_have_scales_of_their_own() {
    let mut draw = Draw(2);
    let floats: Vec<f32> =
        (0..20).flat_map(|row| draw.weights(30, if row < 15 { 0.02 } else { 0.5 })).collect();
    let layer = Layer::of(&floats, neuron());
    let at = |weight_bits, scales| {
        let recipe = settings(Settings { weight_bits, scales, ..Settings::DEFAULT });
        layer.apply(20, &recipe, &target())
    };
    let error = |applied: &Applied| applied.account.populations[0].predicted_error;
    let (common, auto) = (at(5, Scaling::Population), at(5, Scaling::Auto));
    assert_eq!(scales(&common).len(), 1);
    assert!((2..=4).contains(&scales(&auto).len()), "{:?}", scales(&auto));
    assert!(error(&auto) < 0.85 * error(&common), "{} {}", error(&auto), error(&common));
    let distinct = neurons(&auto).threshold.values().iter();
    let distinct: std::collections::BTreeSet<_> = distinct.collect();
    assert!(distinct.len() <= 4, "{distinct:?}");
    // Rows of equal size gain nothing.
    let equal = Layer::of(&Draw(3).weights(600, 0.1), neuron());
    assert_eq!(scales(&equal.default(20)).len(), 1);
    // Thresholds that differ already leave no room for a palette.
    let various = (0..20_u8).map(|n| 1.0 + f32::from(n) / 8.0).collect();
    let various = Neuron { threshold: Param::PerNeuron(various), ..neuron() };
    assert_eq!(scales(&Layer::of(&floats, various).default(20)).len(), 1);
}

#[test]
fn signs_are_stored_apart_where_few_bits_leave_nothing_else() {
    let layer = Layer::of(&Draw(4).weights(900, 0.1), neuron());
    let split = |recipe: &Recipe| {
        let applied = layer.apply(30, recipe, &target());
        assert_eq!(
            applied.draft.projections.len(),
            if applied.recipe.projections[0].split == Some(true) { 2 } else { 1 }
        );
        applied.recipe.projections[0].split.expect("complete")
    };
    assert_eq!([1, 2, 3, 4, 8].map(|b| split(&bits(b))), [true, true, false, false, false]);
    let mixed = Settings { weight_bits: 2, groups: Grouping::Mixed, ..Settings::DEFAULT };
    assert!(!split(&settings(mixed)));
    let apart = Settings { groups: Grouping::Split, ..Settings::DEFAULT };
    assert!(split(&settings(apart)));
    // Three values need no more than two bits.
    let ternary = [0.25, -0.25, 0.0, 0.25, 0.25, -0.25];
    let applied = Layer::of(&ternary, neuron()).apply(2, &bits(2), &target());
    assert_eq!(applied.recipe.projections[0].split, Some(false));
    assert_exact(&applied, 0, &ternary);
    let matrix = applied.draft.matrices.values().next().expect("a matrix");
    assert_eq!((matrix.sign, matrix.weight_bits()), (Sign::Mixed, 2));
}

#[test]
fn exponents_stay_small_where_larger_ones_gain_little() {
    let mut draw = Draw(5);
    let two = |other: f64, draw: &mut Draw| Layer {
        weights: vec![draw.weights(900, 0.1), draw.weights(900, other)],
        bias: Vec::new(),
        neuron: neuron(),
    };
    let similar = two(0.05, &mut draw).default(30);
    assert!(similar.recipe.projections[0].exponent <= Some(1), "what NetX can express");
    assert!(integers(&similar, 0).iter().all(|w| w.abs() <= 254));
    // At 4 bits an integer has the same range, in coarser steps, so that thresholds stay fine.
    let coarse = two(0.05, &mut draw).apply(30, &bits(4), &target());
    assert!(coarse.recipe.projections[0].exponent >= Some(3));
    assert!(integers(&coarse, 0).iter().all(|w| w.abs() <= 254));
    // A strong and rare synapse beside many weak ones.
    let mut strong = vec![0.0; 900];
    strong[7] = 100.0;
    let weak = Layer { weights: vec![strong, draw.weights(900, 0.1)], ..two(0.1, &mut draw) };
    let found = weak.default(30);
    let exponents: Vec<_> = found.recipe.projections.iter().map(|p| p.exponent).collect();
    assert!(exponents[0] > exponents[1], "{exponents:?}");
    let none = Settings { max_exponent: 0, ..Settings::DEFAULT };
    let none = weak.apply(30, &settings(none), &target());
    assert!(none.recipe.projections.iter().all(|p| p.exponent == Some(0)));
}

#[test]
fn biases_keep_the_rhythm_at_rest() {
    // 1.004 passes the threshold of 1 at once, and 0.999 does not.
    let layer = Layer { bias: vec![1.004, 0.999], ..Layer::of(&[2.9, 0.3, -1.3, 0.7], neuron()) };
    let applied = layer.default(2);
    let (a, shape) = (neurons(&applied), Shape::flat(2));
    let at_once: Vec<bool> =
        (0..2).map(|n| a.bias.at(n, &shape) > a.threshold.at(n, &shape)).collect();
    assert_eq!(at_once, [true, false], "{a:?}");
}

#[test]
fn what_the_recipe_says_stays() {
    let floats = Draw(6).weights(900, 0.1);
    let layer = Layer::of(&floats, neuron());
    let recipe = Recipe {
        populations: vec![PopulationRecipe {
            name: "a".to_owned(),
            scale: Some(Param::Uniform(100.3)),
            dv: Some(Param::Uniform(600)),
            ..PopulationRecipe::default()
        }],
        projections: vec![ProjectionRecipe {
            source: "in".to_owned(),
            target: "a".to_owned(),
            weight_bits: Some(5),
            exponent: Some(2),
            split: Some(true),
            ..ProjectionRecipe::default()
        }],
        ..Recipe::default()
    };
    let applied = layer.apply(30, &recipe, &target());
    let population = applied.recipe.population("a").expect("complete");
    assert_eq!(population.scale, Some(Param::Uniform(100.3)));
    assert_eq!(
        (&population.dv, &population.threshold),
        (&Some(Param::Uniform(600)), &Some(Param::Uniform(100)))
    );
    let projection = &applied.recipe.projections[0];
    assert_eq!(
        (projection.weight_bits, projection.exponent, projection.split),
        (Some(5), Some(2), Some(true))
    );
    // A threshold alone decides the scale.
    let recipe = Recipe {
        populations: vec![PopulationRecipe {
            name: "a".to_owned(),
            threshold: Some(Param::Uniform(77)),
            ..PopulationRecipe::default()
        }],
        ..Recipe::default()
    };
    assert_eq!(scales(&layer.apply(30, &recipe, &target())), [77.0]);
}

#[test]
fn ranges_lower_the_scales_of_the_neurons_concerned() {
    // Sixty weights of 0.1 in one row, six in the others.
    let mut floats = vec![0.0_f32; 20 * 60];
    floats[..60].fill(0.1);
    for row in 1..20 {
        floats[row * 60..row * 60 + 6].copy_from_slice(&[0.097, -0.1, 0.033, 0.071, -0.019, 0.1]);
    }
    let mut small = target();
    small.max_input_sum.value = 900;
    let layer = Layer::of(&floats, neuron());
    let recipe = settings(Settings { scales: Scaling::Neuron, ..Settings::DEFAULT });
    let applied = layer.apply(20, &recipe, &small);
    let scale = applied.recipe.population("a").and_then(|p| p.scale.clone()).expect("complete");
    let (first, second) = (scale.at(0, &Shape::flat(20)), scale.at(1, &Shape::flat(20)));
    assert!(first <= 150.0 && second > 600.0, "{first} {second}");
    let row: i64 = integers(&applied, 0)[..60].iter().sum();
    assert!(row <= 900 && row > 600, "{row}");
}

/// Two populations that read one tensor through layers of their own.
fn twins(floats: &[f32], neurons: [&Neuron; 2]) -> NetworkDraft {
    let layer = Layer::of(floats, neurons[0].clone());
    let mut network = layer.network(20, 20);
    let shape = Shape::flat(20);
    let weight = TensorId::new(0);
    let linear = Op::Linear { weight, bias: None };
    let inputs = vec![Edge { source: NodeId::new(0), delay: 1 }];
    let node =
        |name: &str, op, inputs| Node { name: name.to_owned(), op, inputs, shape: shape.clone() };
    let current = network.nodes.push(node("m", linear, inputs));
    let inputs = vec![Edge { source: current, delay: 0 }];
    network.nodes.push(node("b", Op::Neuron(neurons[1].clone()), inputs));
    network
}

#[test]
fn shared_tensors_stay_one_matrix() {
    let mut draw = Draw(7);
    let floats: Vec<f32> =
        (0..20).flat_map(|row| draw.weights(30, if row < 15 { 0.02 } else { 0.5 })).collect();
    let slow = Neuron {
        dynamics: Dynamics::Decay(Param::Uniform(0.01)),
        threshold: Param::Uniform(0.7),
        ..neuron()
    };
    let network = twins(&floats, [&neuron(), &slow]);
    for weight_bits in 1..=8 {
        let applied = apply(&network, &target(), &bits(weight_bits), &mut Diagnostics::new());
        let applied = applied.expect("quantizes");
        let entries = &applied.recipe.projections;
        assert_eq!(entries[0].weights, entries[1].weights, "{weight_bits} bits");
        let groups = if entries[0].split == Some(true) { 2 } else { 1 };
        assert_eq!(applied.draft.matrices.len(), groups, "{weight_bits} bits");
    }
}

/// The predicted error is what random input causes, on average.
#[test]
fn predictions_hold() {
    let (sources, count, theta) = (150, 24, 6.0);
    let neuron = Neuron {
        dynamics: Dynamics::Decay(Param::Uniform(0.1)),
        threshold: Param::Uniform(6.0),
        ..neuron()
    };
    let mut draw = Draw(8);
    let floats = draw.weights(sources * count, 0.12);
    let layer = Layer::of(&floats, neuron);
    for weight_bits in [3, 5, 8] {
        let applied = layer.apply(count, &bits(weight_bits), &target());
        let weights = integers(&applied, 0);
        let (a, shape) = (neurons(&applied), Shape::flat(20));
        let scale = applied.recipe.population("a").and_then(|p| p.scale.clone()).expect("complete");
        let (mut squares, mut trials) = (0.0, 0.0);
        for _ in 0..60 {
            // Rates with the deviation of their mean; the run of ten steps is what the model assumes.
            let rates: Vec<f64> =
                (0..sources).map(|_| -0.1 * (1.0 - draw.uniform()).ln()).collect();
            let spikes: Vec<bool> =
                (0..10).flat_map(|_| rates.clone()).map(|rate| draw.uniform() < rate).collect();
            for n in 0..count {
                let (mut exact, mut v) = (0.0, 0_i64);
                for spikes in spikes.chunks(sources) {
                    let keep = 4096 - i64::from(a.dv.at(n, &shape));
                    v = v.signum() * ((v.abs() * keep) >> 12);
                    exact *= 0.9;
                    for (i, _) in spikes.iter().enumerate().filter(|(_, s)| **s) {
                        v += 64 * weights[n * sources + i];
                        exact += f64::from(floats[n * sources + i]);
                    }
                }
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let error = v as f64 / 64.0 / scale.at(n, &shape) - exact;
                squares += error * error;
                trials += 1.0;
            }
        }
        let measured = f64::sqrt(squares / trials) / theta;
        let predicted = applied.account.populations[0].predicted_error;
        let ratio = measured / predicted;
        assert!((0.75..1.25).contains(&ratio), "{weight_bits} bits: {measured} for {predicted}");
    }
}
