//! Every integer of a random network is the rounded float, in the ratio of the scales of the complete
//! recipe.

use super::net::{Layer, Net, able, identity, layer, weights};
use crate::quantize::apply;
use crate::quantize::canonical::current;
use crate::quantize::fraction::common;
use proptest::prelude::*;
use snnc_ir::arena::NodeId;
use snnc_ir::network::{Coding, Keep, Op};
use snnc_ir::quantized::{PopKind, QuantizedDraft, QuantizedNetwork};
use snnc_ir::recipe::{Recipe, Scaling, Settings};
use snnc_ir::{Diagnostics, Level, Param, Rules, Shape, TargetSpec};

const SIZE: u32 = 2;

/// How a population reads an earlier one.
#[derive(Clone, Debug)]
enum Read {
    Identity,
    Average,
    General([f32; 4]),
}

/// A population: whether it clips, what it reads of which, and its bias.
type Population = (Option<bool>, Vec<(usize, Read)>, f32);

fn reads() -> impl Strategy<Value = (usize, Read)> {
    let weight = prop_oneof![-1.0_f32..1.0, -0.05_f32..0.05];
    let read = prop_oneof![
        4 => Just(Read::Identity),
        1 => Just(Read::Average),
        4 => prop::array::uniform4(weight).prop_map(Read::General),
    ];
    (any::<prop::sample::Index>().prop_map(|i| i.index(1000)), read)
}

fn network(populations: &[Population]) -> Net {
    let mut net = Net::new();
    let mut ids = vec![net.input(Coding::Events, SIZE)];
    for (i, (clips, reads, bias)) in populations.iter().enumerate() {
        let layers: Vec<Layer> = reads
            .iter()
            .map(|(from, read)| {
                let from = ids[from % ids.len()];
                match read {
                    Read::Identity => identity(from, SIZE, 1.0),
                    Read::Average => layer(from, SIZE, SIZE, &[0.5, 0.5, 1.0 / 3.0, 0.0]),
                    Read::General(weights) => layer(from, SIZE, SIZE, weights),
                }
            })
            .collect();
        let op = match clips {
            Some(true) => Op::Relay(Some(Keep::Positive)),
            Some(false) => Op::Relay(Some(Keep::Negative)),
            None => Op::Neuron(crate::fixtures::neuron()),
        };
        ids.push(net.add(&format!("p{i}"), op, SIZE, &layers, Some(&[*bias, -bias])));
    }
    let last = [identity(ids[ids.len() - 1], SIZE, 1.0)];
    net.neurons("last", SIZE, &last);
    net
}

/// The integers, the remarks and the complete recipe, with one scale for each population.
fn quantized(
    net: &Net,
    target: &TargetSpec,
) -> Result<(QuantizedDraft, Diagnostics, Recipe), Diagnostics> {
    let settings = Settings { scales: Scaling::Population, ..Settings::DEFAULT };
    let recipe = Recipe { settings, ..Recipe::default() };
    let mut remarks = Diagnostics::new();
    let applied = apply(&net.0, target, &recipe, &mut remarks)?;
    QuantizedNetwork::verify(applied.draft.clone(), &Rules::for_target(target))?;
    Ok((applied.draft, remarks, applied.recipe))
}

fn scale(recipe: &Recipe, population: &str) -> f64 {
    let scale = recipe.population(population).and_then(|p| p.scale.clone());
    scale.expect("complete").at(0, &Shape::flat(SIZE))
}

fn is_clip(net: &Net, node: NodeId) -> bool {
    matches!(net.0.nodes[node].op, Op::Relay(_))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn integers_are_rounded_floats(
        populations in proptest::collection::vec(
            (
                prop_oneof![Just(None), any::<bool>().prop_map(Some)],
                proptest::collection::vec(reads(), 1..4),
                -0.5_f32..0.5,
            ),
            1..7,
        ),
        sum in prop_oneof![Just(32_767_i64), 100_i64..2000],
    ) {
        let mut target = able();
        target.max_input_sum.value = sum;
        let net = network(&populations);
        let (draft, remarks, recipe) = match quantized(&net, &target) {
            Ok(found) => found,
            Err(errors) => {
                let codes: Vec<_> = errors.iter().map(|d| d.code).collect();
                let scarce = [super::codes::NO_COMMON_SCALE, super::codes::NO_SCALE];
                prop_assert!(codes.iter().all(|c| scarce.contains(c)), "{errors}");
                return Ok(());
            }
        };
        let nodes = net.0.nodes.iter();
        let averages = populations.iter().flat_map(|p| &p.1).any(|(_, r)| !matches!(r, Read::Identity));
        for (id, node) in nodes.filter(|(_, n)| matches!(n.op, Op::Relay(_) | Op::Neuron(_))) {
            let own = scale(&recipe, &node.name);
            let float = current(&net.0, id).expect("canonical");
            for (i, term) in float.terms.iter().enumerate() {
                let source = &net.0.nodes[term.source];
                let graded = is_clip(&net, term.source);
                let entry = recipe.projections.iter().filter(|p| p.target == node.name);
                let entry = entry.filter(|p| p.source == source.name).nth(
                    float.terms[..i].iter().filter(|t| t.source == term.source).count(),
                );
                let step = entry.and_then(|p| p.exponent).map_or(1.0, |e| f64::from(1_u32 << e));
                let unit = if graded { scale(&recipe, &source.name) / own } else { 1.0 / own };
                let floats = &net.0.tensors[term.weight].data;
                let rounded = remarks.iter().any(|d| {
                    d.code == super::codes::AVERAGE && d.message.contains(&format!("`{}`", node.name))
                });
                let exact = graded && common(floats).is_some() && !rounded;
                for (integer, float) in weights(&draft, &node.name, i).iter().zip(floats) {
                    let error = (f64::from(*integer) * unit - f64::from(*float)).abs();
                    // Above 127 a weight has seven bits. A choice may round away from the nearest step.
                    let most = if !graded {
                        unit * step + 1e-9
                    } else if !exact {
                        unit * step / 2.0 + 1e-9
                    } else if *integer > 127 {
                        f64::from(*float) / 127.0
                    } else {
                        1e-6
                    };
                    prop_assert!(error <= most, "{}: {integer} for {float}, unit {unit}", node.name);
                    if graded && !averages {
                        prop_assert!(*integer == 1, "identities alone keep the scale");
                    }
                }
            }
            let population = draft.population_named(&node.name).expect("kept");
            let shape = Shape::flat(SIZE);
            let bias = match &draft.populations[population].kind {
                PopKind::Graded(graded) => graded.bias.clone(),
                PopKind::Neurons(neuron) => {
                    let threshold = f64::from(neuron.threshold.at(0, &shape)) / 64.0;
                    prop_assert!((threshold - own.max(1.0)).abs() <= 0.5 + 1e-9);
                    neuron.bias.map(|b| b / 64)
                }
                PopKind::Input(_) => Param::Uniform(0),
            };
            for (n, float) in float.bias.iter().enumerate() {
                let error = (f64::from(bias.at(n, &shape)) - float * own).abs();
                prop_assert!(error <= 1.0 + 1e-9);
            }
        }
    }
}
