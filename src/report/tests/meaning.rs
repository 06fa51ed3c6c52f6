//! Integers mean what they do: a float network with all that they mean fires like them.

use super::*;
use crate::report::variant::variants;
use snnc_ir::{Diagnostics, Entity, NetworkDraft};
use snnc_passes::quantize::{Applied, apply};
use snnc_runtime::Stimulus;
use snnc_runtime::float::{FloatProbe, FloatSim};
use snnc_runtime::integer::{IntProbe, IntSim};

/// Sums without leak, so that f32 and integers compute the same: two projections from one source, a
/// convolution, a bias per channel and one per neuron, a delayed loop, a reset by subtraction.
const EXACT: &str = r#"snn 1 network name "exact" steps 12
tensor0 "w" [4, 3] from dense "w" { 0.31 -0.27 0.55  0.12 0.43 -0.38  -0.2 0.71 0.09  0.66 0.05 0.17 }
tensor1 "again" [4, 3] from dense "again" { 0.11 0.07 -0.05  0.2 -0.13 0.08  0.04 0.15 0.1  -0.09 0.3 0.02 }
tensor2 "bias" [4] from dense "bias" { 0.03 -0.06 0.11 0.02 }
tensor3 "loop" [4, 4] from dense "loop" { 0 -0.4 0.1 0  0.2 0 -0.3 0.1  -0.1 0.2 0 0  0.05 0 0.1 -0.2 }
tensor4 "kernel" [2, 1, 2, 2] from dense "kernel" { 0.41 0.13 -0.22 0.37  -0.31 0.52 0.24 0.08 }
tensor5 "shift" [2] from dense "shift" { 0.07 -0.02 }
tensor6 "read" [2, 8] from dense "read" { 0.3 0.2 -0.1 0.4 0.1 0.1 0.2 -0.3  -0.2 0.3 0.25 0.1 0.15 0.3 0.1 0.2 }
node0 "x" [3] = input() events
node1 "a" [1, 2, 2] = linear(node0) weight tensor0 bias tensor2
node2 "b" [1, 2, 2] = linear(node0) weight tensor1
node3 "c" [1, 2, 2] = linear(node5@1) weight tensor3
node4 "sum" [1, 2, 2] = add(node1, node2, node3)
node5 "h" [1, 2, 2] = neuron(node4) integrate threshold per_neuron { 0.61 0.52 0.77 0.43 } compare gt
  reset to 0 v_init 0 refractory 1 order leak_input_fire
node6 "conv" [2, 2, 2] = conv2d(node5) weight tensor4 bias tensor5
  conv [1, 2, 2] to 2 kernel [2, 2] stride [1, 1] pad [1, 0, 1, 0] groups 1
node7 "g" [2, 2, 2] = neuron(node6) integrate threshold per_channel { 0.58 0.39 } compare gt
  reset subtract v_init 0 refractory 0 order leak_input_fire
node8 "fc" [2] = linear(node7) weight tensor6
node9 "o" [2] = neuron(node8) integrate threshold 0.7 compare gt
  reset to 0 v_init 0 refractory 0 order leak_input_fire
readout spike_count node9
"#;

/// Scales are powers of two, of neurons, of channels and of a population, so that f32 has no rounding.
fn scales() -> Recipe {
    let population = |name: &str, scale| PopulationRecipe {
        name: name.to_owned(),
        scale: Some(scale),
        ..PopulationRecipe::default()
    };
    Recipe {
        populations: vec![
            population("h", Param::PerNeuron(vec![64.0, 32.0, 128.0, 64.0])),
            population("g", Param::PerChannel(vec![32.0, 128.0])),
            population("o", Param::Uniform(64.0)),
        ],
        ..Recipe::default()
    }
}

fn applied(network: &Network, recipe: &Recipe) -> Applied {
    let target = crate::Target::find("loihi2").unwrap().spec;
    apply(network, &target, recipe, &mut Diagnostics::new()).unwrap_or_else(|e| panic!("{e}"))
}

/// The network with every part in integers.
fn all_parts(network: &Network, recipe: &Recipe) -> (Network, usize) {
    let mut changed = network.clone();
    let mut parts = 0;
    for variant in variants(network, recipe) {
        assert!(!variant.is_unknown(), "{:?}", variant.part);
        if let Some(draft) = variant.apply(&changed) {
            let draft: NetworkDraft = draft;
            changed = Network::verify(draft, &Rules::default()).unwrap();
            parts += 1;
        }
    }
    (changed, parts)
}

#[test]
fn a_float_network_of_what_integers_mean_fires_like_them() {
    let float = network(EXACT);
    for bits in [8, 4, 3] {
        let mut recipe = scales();
        recipe.settings.weight_bits = bits;
        let Applied { draft, recipe, .. } = applied(&float, &recipe);
        let quantized = QuantizedNetwork::verify(draft, &Rules::default()).unwrap();
        let (meant, parts) = all_parts(&float, &recipe);
        // Five projections, three thresholds, two biases.
        assert_eq!(parts, 10);
        let (spikes, changed) = compared(&float, &meant, &quantized, &["h", "g", "o"]);
        assert!(spikes > 300 && changed > 20, "{spikes} spikes, {changed} trains changed");
    }
}

/// Holds the spikes of these populations to those of the integers; returns how many there are, and how
/// many trains the float network has otherwise.
fn compared(
    float: &Network,
    meant: &Network,
    quantized: &QuantizedNetwork,
    names: &[&str],
) -> (u64, usize) {
    let sims = (FloatSim::new(meant).unwrap(), IntSim::new(quantized).unwrap());
    let before = FloatSim::new(float).unwrap();
    let (mut spikes, mut changed) = (0, 0);
    for stimulus in random(40) {
        let left = sims.0.run(&stimulus, &FloatProbe::None).unwrap();
        let right = sims.1.run(&stimulus, &IntProbe::None).unwrap();
        let original = before.run(&stimulus, &FloatProbe::None).unwrap();
        for name in names {
            let node = float.node_named(name).unwrap();
            let own = &right.spikes[quantized.population_named(name).unwrap().index()];
            assert_eq!(&left.spikes[&node], own, "{name}");
            spikes += own.count();
            changed += usize::from(&original.spikes[&node] != own);
        }
    }
    (spikes, changed)
}

/// A clip between the input and neurons.
const MESSAGES: &str = r#"snn 1 network name "messages" steps 12
tensor0 "w" [4, 3] from dense "w" { 0.31 -0.27 0.55  0.12 0.43 -0.38  -0.2 0.71 0.09  0.66 0.05 0.17 }
tensor1 "v" [2, 4] from dense "v" { 0.43 0.29 -0.37 0.11  -0.19 0.23 0.41 0.31 }
tensor2 "bias" [4] from dense "bias" { 0.03 -0.06 0.11 0.02 }
node0 "x" [3] = input() events
node1 "a" [4] = linear(node0) weight tensor0 bias tensor2
node2 "up" [4] = clip(node1) keep positive
node3 "b" [2] = linear(node2@1) weight tensor1
node4 "o" [2] = neuron(node3) integrate threshold 0.7 compare gt
  reset to 0 v_init 0 refractory 0 order leak_input_fire
readout spike_count node4
"#;

#[test]
fn messages_mean_values_times_the_scale_of_their_sender() {
    let float = network(MESSAGES);
    let population = |name: &str, scale| PopulationRecipe {
        name: name.to_owned(),
        scale: Some(Param::Uniform(scale)),
        ..PopulationRecipe::default()
    };
    let populations = vec![population("up", 32.0), population("o", 1024.0)];
    let Applied { draft, recipe, .. } =
        applied(&float, &Recipe { populations, ..Recipe::default() });
    let quantized = QuantizedNetwork::verify(draft, &Rules::default()).unwrap();
    let (meant, parts) = all_parts(&float, &recipe);
    // Two projections, the biases of the clip, a threshold.
    assert_eq!(parts, 4);
    let (spikes, changed) = compared(&float, &meant, &quantized, &["o"]);
    assert!(spikes > 100 && changed > 2, "{spikes} spikes, {changed} trains changed");
}

/// Spikes of three inputs in twelve steps.
fn random(samples: usize) -> Vec<Stimulus> {
    let mut state = 7_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 63 == 0
    };
    let sample = |_| {
        let mut train = snnc_ir::spikes::SpikeTrain::new(12, 3);
        for (t, n) in (0..12).flat_map(|t| (0..3).map(move |n| (t, n))) {
            if next() {
                train.set(t, n);
            }
        }
        Stimulus::from(vec![train])
    };
    (0..samples).map(sample).collect()
}

#[test]
fn a_complete_recipe_says_what_every_part_means() {
    for source in [FLOAT, EXACT, graded::CLIPPED] {
        let float = network(source);
        let recipe = applied(&float, &Recipe::default()).recipe;
        let (_, parts) = all_parts(&float, &recipe);
        assert!(parts > 0);
    }
}
