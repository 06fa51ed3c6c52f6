//! Recipes: what their entries do, and which are refused.

use super::net::{Kind, Layer, Net, able, identity, layer, only};
use crate::fixtures::target;
use crate::quantize::account::{PopulationAccount, WeightSet};
use crate::quantize::{Applied, apply};
use snnc_ir::arena::NodeId;
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::{Code, quantize as codes};
use snnc_ir::network::{Coding, Keep, Network};
use snnc_ir::quantized::{IntReset, QuantizedNetwork, Sign};
use snnc_ir::recipe::{Grouping, PopulationRecipe, ProjectionRecipe, Recipe, Scaling, Settings};
use snnc_ir::{Diagnostics, Level, Param, Rules, Shape, TargetSpec};

fn run(net: &Net, recipe: &Recipe, target: &TargetSpec) -> Result<Applied, Diagnostics> {
    let draft = Network::verify(net.0.clone(), &Rules::default())?.into_draft();
    let applied = apply(&draft, target, recipe, &mut Diagnostics::new())?;
    QuantizedNetwork::verify(applied.draft.clone(), &Rules::for_target(target))?;
    Ok(applied)
}

fn population(name: &str) -> PopulationRecipe {
    PopulationRecipe { name: name.to_owned(), ..PopulationRecipe::default() }
}

fn projection(source: &str, target: &str) -> ProjectionRecipe {
    let [source, target] = [source, target].map(str::to_owned);
    ProjectionRecipe { source, target, ..ProjectionRecipe::default() }
}

/// x0 (2) → a (2).
fn two(weights: &[f32]) -> Net {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 2);
    net.neurons("a", 2, &[layer(x, 2, 2, weights)]);
    net
}

fn scale(scale: Param<f64>) -> PopulationRecipe {
    PopulationRecipe { scale: Some(scale), ..population("a") }
}

fn with(populations: Vec<PopulationRecipe>, projections: Vec<ProjectionRecipe>) -> Recipe {
    Recipe { populations, projections, ..Recipe::default() }
}

/// Weights of the projections into `a`, in order.
fn weights(applied: &Applied) -> Vec<Vec<i32>> {
    let draft = &applied.draft;
    let id = draft.population_named("a").expect("the population");
    let matrices = draft.projections_into(id).map(|(_, p)| &draft.matrices[p.matrix]);
    matrices.map(|m| (0..m.mantissa.len()).map(|i| m.weight(i)).collect()).collect()
}

fn account<'a>(applied: &'a Applied, name: &str) -> &'a PopulationAccount {
    applied.account.populations.iter().find(|p| p.name == name).expect("an account")
}

#[test]
fn every_neuron_may_have_its_scale() {
    let net = two(&[0.5, -0.25, 0.125, 0.0625]);
    let recipe = with(
        vec![scale(Param::PerNeuron(vec![100.0, 200.0]))],
        vec![ProjectionRecipe { exponent: Some(0), split: Some(false), ..projection("x0", "a") }],
    );
    let applied = run(&net, &recipe, &target()).expect("in range");
    assert_eq!(weights(&applied), [[50, -25, 25, 12]]);
    let id = applied.draft.population_named("a").expect("the population");
    let neuron = applied.draft.populations[id].neuron().expect("neurons");
    assert_eq!(neuron.threshold, Param::PerNeuron(vec![6400, 12800]));
    assert_eq!(account(&applied, "a").scales, [100.0, 200.0]);
}

#[test]
fn signs_may_be_stored_apart_and_steps_have_an_exponent() {
    let net = two(&[0.5, -0.25, 0.125, 0.0]);
    let entry = ProjectionRecipe {
        weight_bits: Some(4),
        split: Some(true),
        exponent: Some(3),
        ..projection("x0", "a")
    };
    let recipe = with(vec![scale(Param::Uniform(240.0))], vec![entry]);
    let applied = run(&net, &recipe, &target()).expect("in range");
    // 120, -60, 30 in steps of 8.
    assert_eq!(weights(&applied), [[120, 0, 32, 0], [0, -64, 0, 0]]);
    let matrices: Vec<_> = applied.draft.matrices.values().collect();
    assert_eq!([&*matrices[0].name, &*matrices[1].name], ["a.0.w+", "a.0.w-"]);
    assert_eq!([matrices[0].sign, matrices[1].sign], [Sign::Excitatory, Sign::Inhibitory]);
    assert!(matrices.iter().all(|m| m.weight_bits() <= 4));
    let [projection] = account(&applied, "a").projections.as_slice() else { panic!("one") };
    assert_eq!((projection.set, projection.exponent), (WeightSet::Split, 3));
    assert_eq!((projection.weights, projection.zeroed, projection.clipped), (3, 0, 0));
    assert!((projection.step - 8.0 / 240.0).abs() < 1e-12);
    assert!((projection.max_error - 4.0 / 240.0).abs() < 1e-9);
}

#[test]
fn clipped_weights_are_counted_and_reported() {
    let net = two(&[0.5, -0.25, 0.125, 0.0]);
    let entry = ProjectionRecipe {
        weight_bits: Some(4),
        split: Some(false),
        exponent: Some(0),
        ..projection("x0", "a")
    };
    let recipe = with(vec![scale(Param::Uniform(20.0))], vec![entry]);
    let mut remarks = Diagnostics::new();
    let applied = apply(&net.0, &target(), &recipe, &mut remarks).expect("in range");
    // 10, -5, 2.5 of -7..=7.
    assert_eq!(weights(&applied), [[7, -5, 2, 0]]);
    let [projection] = account(&applied, "a").projections.as_slice() else { panic!("one") };
    assert_eq!((projection.clipped, projection.weights), (1, 3));
    let text = only(&remarks, codes::CLIPPED);
    assert!(text.contains("1 of 3 weights of `a.0.w` into `a`"), "{text}");
    assert!(text.contains("by up to 0.150") && text.contains("4 bits in steps of 0.05"), "{text}");
}

#[test]
fn a_few_clipped_weights_are_a_note() {
    let mut floats = vec![0.1; 199];
    floats.push(1.0);
    let mut net = Net::new();
    let x = net.input(Coding::Events, 200);
    net.neurons("a", 1, &[layer(x, 1, 200, &floats)]);
    let entry = ProjectionRecipe { exponent: Some(0), ..projection("x0", "a") };
    let recipe = with(vec![scale(Param::Uniform(300.0))], vec![entry]);
    let mut remarks = Diagnostics::new();
    apply(&net.0, &target(), &recipe, &mut remarks).expect("in range");
    assert!(only(&remarks, codes::CLIPPED).starts_with("note[SNN0473]: 1 of 200 weights"));
}

#[test]
fn thresholds_biases_decays_and_weights_are_taken_as_they_are() {
    let net = two(&[0.5, -0.25, 0.125, 0.0]);
    let a = PopulationRecipe {
        threshold: Some(Param::PerNeuron(vec![77, 78])),
        bias: Some(Param::PerNeuron(vec![3, -4])),
        dv: Some(Param::Uniform(500)),
        ..scale(Param::Uniform(100.0))
    };
    let entry = ProjectionRecipe {
        weight_bits: Some(8),
        split: Some(false),
        exponent: Some(1),
        weights: Some(vec![26, -12, 5, 1]),
        ..projection("x0", "a")
    };
    let applied = run(&net, &with(vec![a], vec![entry]), &target()).expect("in range");
    assert_eq!(weights(&applied), [[52, -24, 10, 2]]);
    let id = applied.draft.population_named("a").expect("the population");
    let neuron = applied.draft.populations[id].neuron().expect("neurons");
    assert_eq!(neuron.threshold, Param::PerNeuron(vec![77 * 64, 78 * 64]));
    assert_eq!(neuron.bias, Param::PerNeuron(vec![3 * 64, -4 * 64]));
    assert_eq!((neuron.dv.clone(), neuron.reset.clone()), (Param::Uniform(500), IntReset::Zero));
    let found = account(&applied, "a");
    let bias = found.bias.as_ref().expect("biases");
    assert_eq!(bias.units, [-4, 3]);
    assert!((bias.error - 0.04).abs() < 1e-12, "{bias:?}");
    let threshold = found.threshold.as_ref().expect("thresholds");
    assert_eq!((threshold.mantissa, threshold.distinct), ([77, 78], 2));
    assert!((threshold.error - 0.23).abs() < 1e-12, "{threshold:?}");
    let decay = found.decay.as_ref().expect("a decay");
    assert!((decay.error - 12.0 / 4096.0).abs() < 1e-12, "{decay:?}");
}

#[test]
fn a_tensor_used_twice_is_stored_once_where_scales_are_equal() {
    let build = |scales: [f64; 2]| {
        let mut net = Net::new();
        let x = net.input(Coding::Events, 2);
        net.neurons("a", 2, &[layer(x, 2, 2, &[0.5, -0.25, 0.125, 0.0])]);
        net.neurons("b", 2, &[layer(x, 2, 2, &[0.5, -0.25, 0.125, 0.0])]);
        let tensor = |net: &Net, node: &str| {
            let node = net.0.node_named(node).expect("a node");
            match net.0.nodes[node].op {
                snnc_ir::network::Op::Linear { weight, .. } => (node, weight),
                _ => panic!("a layer"),
            }
        };
        let (_, weight) = tensor(&net, "a.0");
        let (node, _) = tensor(&net, "b.0");
        net.0.nodes[node].op = snnc_ir::network::Op::Linear { weight, bias: None };
        let names = ["a", "b"];
        let entry = |i: usize| PopulationRecipe {
            scale: Some(Param::Uniform(scales[i])),
            ..population(names[i])
        };
        run(&net, &with(vec![entry(0), entry(1)], vec![]), &target()).expect("in range")
    };
    assert_eq!(build([100.0, 100.0]).draft.matrices.len(), 1);
    assert_eq!(build([100.0, 90.0]).draft.matrices.len(), 2);
}

#[test]
fn few_bits_hold_for_all_projections() {
    for bits in 1..=8 {
        let settings = Settings { weight_bits: bits, ..Settings::DEFAULT };
        let recipe = Recipe { settings, ..Recipe::default() };
        let applied = run(&two(&[0.5, -0.5, 0.5, 0.25]), &recipe, &target()).expect("in range");
        let [projection] = account(&applied, "a").projections.as_slice() else { panic!("one") };
        assert_eq!(projection.weight_bits, bits);
        let largest =
            applied.draft.matrices.values().map(snnc_ir::quantized::IntMatrix::weight_bits).max();
        assert!(largest.is_some_and(|b| b <= if bits == 7 { 8 } else { bits }), "{largest:?}");
    }
}

/// The only error of this code; there is no other.
fn refused(net: &Net, recipe: &Recipe, target: &TargetSpec, code: Code) -> String {
    let errors = run(net, recipe, target).expect_err("refused");
    assert_eq!(errors.len(), 1, "{errors}");
    only(&errors, code)
}

#[test]
fn what_the_network_does_not_have_is_named() {
    let net = two(&[0.5; 4]);
    let misfit = |populations, projections, words: &[&str]| {
        let text = refused(&net, &with(populations, projections), &target(), codes::RECIPE_UNKNOWN);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    misfit(vec![population("b")], vec![], &["no population `b`", "expected one of `a`"]);
    misfit(vec![population("x0")], vec![], &["`x0` is an input"]);
    misfit(vec![population("a.0")], vec![], &["`a.0` is no population"]);
    misfit(vec![], vec![projection("x0", "b")], &["no population `b`", "\"x0\" -> \"b\""]);
    misfit(vec![], vec![projection("x1", "a")], &["no population `x1`", "one of `x0`, `a`"]);
    misfit(vec![], vec![projection("a", "a")], &["reads `a` through 0", "a source that `a` reads"]);
    let second = ProjectionRecipe { nth: 1, ..projection("x0", "a") };
    misfit(vec![], vec![second], &["number 1", "expected number 0, the only one"]);

    let mut direct = Net::new();
    let x = direct.input(Coding::Direct { range: Some([0, 1]) }, 2);
    direct.neurons("a", 2, &[layer(x, 2, 2, &[0.5; 4])]);
    let recipe = with(vec![], vec![projection("x0", "a")]);
    let text = refused(&direct, &recipe, &target(), codes::RECIPE_UNKNOWN);
    assert!(text.contains("`x0` is coded directly"), "{text}");
}

#[test]
fn what_does_not_fit_is_named() {
    let net = two(&[0.5, 0.25, -0.5, 0.125]);
    let misfit = |populations, projections, words: &[&str]| {
        let text = refused(&net, &with(populations, projections), &target(), codes::RECIPE_MISFIT);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    let wrong = PopulationRecipe { bias: Some(Param::PerNeuron(vec![1; 3])), ..population("a") };
    misfit(vec![wrong], vec![], &["`bias` has 3 values", "expected 2", "shape [2]"]);
    let entry = ProjectionRecipe {
        weight_bits: Some(8),
        split: Some(false),
        exponent: Some(0),
        weights: Some(vec![1; 3]),
        ..projection("x0", "a")
    };
    misfit(
        vec![scale(Param::Uniform(10.0))],
        vec![entry.clone()],
        &["there are 3 weights", "expected 4, in the order of the tensor `a.0.w`"],
    );
    let alone =
        ProjectionRecipe { weights: Some(vec![1; 4]), exponent: None, weight_bits: None, ..entry };
    misfit(vec![], vec![alone], &["weights stand alone", "`scale`, `weight_bits`, `exponent`"]);

    let mut narrow = target();
    narrow.min_weight_exponent.value = -1;
    let fine = ProjectionRecipe {
        weight_bits: Some(4),
        exponent: Some(2),
        split: Some(false),
        ..projection("x0", "a")
    };
    let text = refused(&net, &with(vec![], vec![fine]), &narrow, codes::RECIPE_MISFIT);
    assert!(text.contains("expected 4 to 7 at 4 bits"), "{text}");
    assert!(text.contains("test.toml: min_weight_exponent = -1 (line 1: test)"), "{text}");
}

#[test]
fn a_convolution_has_one_scale_per_channel() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 4);
    let conv = Conv {
        input: [1, 2, 2],
        out_channels: 2,
        kernel: [1, 1],
        stride: [1, 1],
        pad: [0; 4],
        groups: 1,
        crop: [0; 4],
    };
    let layers: [Layer; 1] = [(x, 0, vec![0.5, -0.25], Kind::Conv(conv))];
    net.neurons("a", 8, &layers);
    let x = node(&net, "x0");
    net.0.nodes[x].shape = Shape::chw(1, 2, 2);
    for name in ["a", "a.0"] {
        let id = node(&net, name);
        net.0.nodes[id].shape = Shape::chw(2, 2, 2);
    }
    let recipe = with(vec![scale(Param::PerChannel(vec![100.0, 200.0]))], vec![]);
    let applied = run(&net, &recipe, &target()).expect("in range");
    assert_eq!(weights(&applied), [[50, -50]]);
    let mut each = vec![100.0; 8];
    each[3] = 99.0;
    let recipe = with(vec![scale(Param::PerNeuron(each))], vec![]);
    let text = refused(&net, &recipe, &target(), codes::RECIPE_MISFIT);
    assert!(text.contains("neurons 0 and 3 have different scales"), "{text}");
    assert!(text.contains("expected one scale for 4 neurons in a row"), "{text}");
}

fn node(net: &Net, name: &str) -> NodeId {
    net.0.node_named(name).expect("a node")
}

#[test]
fn what_leaves_its_range_names_the_neuron_and_the_limit() {
    let net = two(&[0.5, 0.5, -0.5, -1.0]);
    let mut small = target();
    small.max_input_sum.value = 100;
    let entry = ProjectionRecipe { exponent: Some(1), ..projection("x0", "a") };
    let recipe = with(vec![scale(Param::Uniform(100.0))], vec![entry]);
    let text = refused(&net, &recipe, &small, codes::RECIPE_RANGE);
    assert!(text.contains("`a`: neuron 1 may reach -150"), "{text}");
    assert!(text.contains("the input sum of a step ends at 100"), "{text}");
    assert!(text.contains("test.toml: max_input_sum = 100 (line 1: test)"), "{text}");
    let fits = text.split("a scale of ").nth(1).and_then(|t| t.split(' ').next());
    let fits: f64 = fits.expect("a scale").parse().expect("a number");
    assert!((60.0..=67.0).contains(&fits), "{fits}");
    let lower = Recipe { populations: vec![scale(Param::Uniform(fits))], ..recipe };
    run(&net, &lower, &small).expect("the scale of the help fits");
}

#[test]
fn ties_are_kept() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 2);
    let c = net.clip("c", Keep::Positive, 2, &[layer(x, 2, 2, &[0.5, -0.25, 0.125, 1.0])]);
    net.neurons("a", 2, &[identity(c, 2, 1.0), layer(x, 2, 2, &[0.3, 0.0, 0.0, -0.2])]);
    let tied = |populations, projections, word: &str| {
        let text = refused(&net, &with(populations, projections), &able(), codes::RECIPE_TIED);
        assert!(text.contains(word), "{text}");
    };
    tied(vec![scale(Param::Uniform(50.0))], vec![], "the scale is 50");
    let own = Param::PerNeuron(vec![50.0, 60.0]);
    tied(vec![scale(own)], vec![], "neurons 0 and 1 have different scales");
    let few = ProjectionRecipe { weight_bits: Some(4), ..projection("c", "a") };
    tied(vec![], vec![few], "weights on messages have 4 bits");
    let apart = ProjectionRecipe { split: Some(true), ..projection("c", "a") };
    tied(vec![], vec![apart], "stored apart by sign");
    let shift = ProjectionRecipe { exponent: Some(2), ..projection("c", "a") };
    tied(vec![], vec![shift], "the exponent is 2");
    let c = |s: f64| PopulationRecipe { scale: Some(Param::Uniform(s)), ..population("c") };
    tied(vec![scale(Param::Uniform(50.0)), c(40.0)], vec![], "not in their fixed ratio");

    let applied = run(&net, &with(vec![scale(Param::Uniform(50.0)), c(25.0)], vec![]), &able());
    let applied = applied.expect("scales in a whole ratio");
    assert_eq!(weights(&applied)[0], [2, 2]);
    let few = ProjectionRecipe { weight_bits: Some(3), ..projection("x0", "a") };
    let applied = run(&net, &with(vec![], vec![few]), &able()).expect("spikes may have few bits");
    let projections = &account(&applied, "a").projections;
    assert_eq!([projections[0].weight_bits, projections[1].weight_bits], [8, 3]);

    let threshold = PopulationRecipe { threshold: Some(Param::Uniform(3)), ..population("c") };
    let text = refused(&net, &with(vec![threshold], vec![]), &able(), codes::RECIPE_MISFIT);
    assert!(text.contains("clips have neither"), "{text}");
}

#[test]
fn settings_that_ties_forbid_are_reported() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 2);
    let c = net.clip("c", Keep::Positive, 2, &[layer(x, 2, 2, &[0.5, -0.25, 0.125, 1.0])]);
    net.neurons("a", 2, &[identity(c, 2, 1.0), layer(c, 2, 2, &[0.3, 0.0, 0.0, -0.2])]);
    let report = |settings| {
        let recipe = Recipe { settings, ..Recipe::default() };
        let mut remarks = Diagnostics::new();
        let applied = apply(&net.0, &able(), &recipe, &mut remarks).expect("in range");
        let found = remarks.iter().filter(|d| d.code == codes::RECIPE_TIED);
        (applied, found.map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(report(Settings::DEFAULT).1, [""; 0]);
    let (applied, found) = report(Settings { weight_bits: 4, ..Settings::DEFAULT });
    let [text] = found.as_slice() else { panic!("{found:?}") };
    assert!(text.contains("`a`") && text.contains("keep 8 bits instead of 4"), "{text}");
    assert_eq!(account(&applied, "c").projections[0].weight_bits, 4);
    assert_eq!(account(&applied, "a").projections[0].weight_bits, 8);
    let (_, found) = report(Settings { groups: Grouping::Split, ..Settings::DEFAULT });
    let [text] = found.as_slice() else { panic!("{found:?}") };
    assert!(text.contains("`a`") && text.contains("messages are in one group"), "{text}");
    let (_, found) = report(Settings { scales: Scaling::Neuron, ..Settings::DEFAULT });
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|text| text.contains("it has one scale: messages tie it")));
}
