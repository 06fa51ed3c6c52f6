//! Chains of plain relays: projections kept as two or three matrices.

use super::net::{Kind, Layer, Net, able, layer, only};
use crate::fixtures::neuron;
use crate::quantize::{Applied, apply};
use snnc_ir::arena::{NodeId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::{Coding, Dynamics, Keep, Network, Neuron, Op};
use snnc_ir::quantized::{Graded, QuantizedDraft, QuantizedNetwork};
use snnc_ir::recipe::{PopulationRecipe, Recipe, Settings};
use snnc_ir::{Diagnostics, Entity, Level, Param, Rules, TargetSpec};

/// Numbers in −1..1 that a seed determines.
pub(super) fn random(seed: &mut u64) -> f32 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let unit = f64::from(u32::try_from(*seed >> 33).unwrap_or(0)) / f64::from(1_u32 << 31);
    #[expect(clippy::cast_possible_truncation, reason = "the float level is f32")]
    {
        (2.0 * unit - 1.0) as f32
    }
}

fn matrix(seed: &mut u64, n: u32, scale: f32) -> Vec<f32> {
    (0..n).map(|_| scale * random(seed)).collect()
}

pub(super) fn programmable() -> TargetSpec {
    let mut target = able();
    target.programmable_neuron = true;
    target
}

fn relays(net: &mut Net, name: &str, n: u32, layers: &[Layer]) -> NodeId {
    net.add(name, Op::Relay(None), n, layers, None)
}

/// in → first (genes) → second (genes) → out, three dense matrices.
fn three(inputs: u32, genes: u32, outputs: u32, seed: u64) -> Net {
    let mut seed = seed;
    let mut net = Net::new();
    let x = net.input(Coding::Events, inputs);
    let first = matrix(&mut seed, genes * inputs, 0.8);
    let e = relays(&mut net, "e", genes, &[layer(x, genes, inputs, &first)]);
    let core = matrix(&mut seed, genes * genes, 0.3);
    let o = relays(&mut net, "o", genes, &[layer(e, genes, genes, &core)]);
    let last = matrix(&mut seed, outputs * genes, 0.2);
    net.neurons("a", outputs, &[layer(o, outputs, genes, &last)]);
    net
}

pub(super) fn applied(
    net: &Net,
    target: &TargetSpec,
    recipe: &Recipe,
) -> Result<Applied, Diagnostics> {
    let draft = Network::verify(net.0.clone(), &Rules::default())?.into_draft();
    let applied = apply(&draft, target, recipe, &mut Diagnostics::new())?;
    QuantizedNetwork::verify(applied.draft.clone(), &Rules::for_target(target))?;
    Ok(applied)
}

/// What arrives at population `name` if these spikes enter, without its bias.
pub(super) fn arriving(draft: &QuantizedDraft, name: &str, spikes: &[i64]) -> Vec<i64> {
    fn sums(draft: &QuantizedDraft, id: PopId, spikes: &[i64]) -> Vec<i64> {
        let mut total = vec![0; draft.populations[id].size()];
        for (_, projection) in draft.projections_into(id) {
            let source = &draft.populations[projection.source];
            let sent: Vec<i64> = match source.graded() {
                None => spikes.to_vec(),
                Some(Graded { keep, bias, shift }) => {
                    let arriving = sums(draft, projection.source, spikes).into_iter().enumerate();
                    let bias = |n| i64::from(bias.at(n, &source.shape));
                    arriving.map(|(n, a)| Graded::passes(*keep, *shift, a + bias(n))).collect()
                }
            };
            for (row, total) in total.iter_mut().enumerate() {
                draft.matrices[projection.matrix]
                    .for_row(row, |col, w| *total += i64::from(w) * sent[col]);
            }
        }
        total
    }
    sums(draft, draft.population_named(name).expect("the population"), spikes)
}

/// The same in floats.
fn current(net: &Net, name: &str, spikes: &[f64]) -> Vec<f64> {
    let nodes = &net.0.nodes;
    let (_, node) = nodes.iter().find(|(_, n)| n.name == name).expect("the node");
    let mut total = vec![0.0; node.shape.size()];
    let top = node.inputs[0].source;
    let ops: Vec<NodeId> = match nodes[top].op {
        Op::Add => nodes[top].inputs.iter().map(|e| e.source).collect(),
        _ => vec![top],
    };
    for op in ops {
        let source = &nodes[nodes[op].inputs[0].source];
        let sent = match source.op {
            Op::Relay(None) => current(net, &source.name, spikes),
            _ => spikes.to_vec(),
        };
        let (weight, structure) = match &nodes[op].op {
            Op::Linear { weight, .. } => {
                let [rows, cols] = [total.len(), sent.len()].map(|n| u32::try_from(n).unwrap());
                (weight, snnc_ir::quantized::Structure::Dense { rows, cols })
            }
            Op::Conv2d { weight, conv, .. } => (weight, snnc_ir::quantized::Structure::Conv(*conv)),
            other => panic!("{other:?}"),
        };
        let data = &net.0.tensors[*weight].data;
        for (row, total) in total.iter_mut().enumerate() {
            structure.for_row(row, |col, i| *total += f64::from(data[i]) * sent[col]);
        }
    }
    total
}

/// Holds what arrives to the bounds of the account, and returns the root mean squares of error and current.
fn compare(net: &Net, applied: &Applied, name: &str, inputs: usize, seed: u64) -> (f64, f64) {
    let account = applied.account.populations.iter().find(|p| p.name == name).expect("the account");
    let scale = applied.recipe.population(name).unwrap().scale.clone().unwrap();
    let shape = {
        let id = applied.draft.population_named(name).unwrap();
        applied.draft.populations[id].shape.clone()
    };
    let mut seed = seed;
    let (mut errors, mut squares) = (0.0, 0.0);
    for sample in 0..60 {
        let density = [0.1, 0.5, 0.9][sample % 3];
        let spikes: Vec<i64> = (0..inputs)
            .map(|_| i64::from(f64::from(random(&mut seed)) < 2.0 * density - 1.0))
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "0 or 1")]
        let floats: Vec<f64> = spikes.iter().map(|s| *s as f64).collect();
        let (integers, exact) =
            (arriving(&applied.draft, name, &spikes), current(net, name, &floats));
        for (n, (a, x)) in integers.iter().zip(exact).enumerate() {
            assert!(account.bounds.input.low <= *a && *a <= account.bounds.input.high);
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let error = *a as f64 / scale.at(n, &shape) - x;
            errors += error * error;
            squares += x * x;
        }
    }
    (errors.sqrt(), squares.sqrt())
}

/// in (2 channels of 4x4) → 1x1 → kxk with stride 2 → 1x1 → out (5 channels of 2x2), or kxk → 1x1 → 1x1.
fn convolutions(flat_fan_in: bool, seed: u64) -> Net {
    let mut seed = seed;
    let mut net = Net::new();
    let conv = |input: [u32; 3], out_channels, wide: bool| Conv {
        input,
        out_channels,
        kernel: if wide { [3, 3] } else { [1, 1] },
        stride: if wide { [2, 2] } else { [1, 1] },
        pad: if wide { [1, 1, 1, 1] } else { [0; 4] },
        groups: 1,
        crop: [0; 4],
    };
    let mut of = |conv: Conv, scale| {
        (matrix(&mut seed, u32::try_from(conv.kernel_size()).unwrap(), scale), Kind::Conv(conv))
    };
    let x = net.input(Coding::Events, 32);
    let (before, after) = if flat_fan_in { ([8, 2, 2], 32) } else { ([8, 4, 4], 128) };
    let (weights, kind) = of(conv([2, 4, 4], 8, flat_fan_in), 0.7);
    let e = relays(&mut net, "e", after, &[(x, 0, weights, kind)]);
    let (weights, kind) = of(conv(before, 8, !flat_fan_in), 0.3);
    let o = relays(&mut net, "o", 32, &[(e, 0, weights, kind)]);
    let (weights, kind) = of(conv([8, 2, 2], 5, false), 0.3);
    net.neurons("a", 20, &[(o, 0, weights, kind)]);
    net
}

/// in → relays → out, and in → out.
fn two(seed: u64) -> Net {
    let mut seed = seed;
    let mut net = Net::new();
    let x = net.input(Coding::Events, 40);
    let first = matrix(&mut seed, 8 * 40, 0.5);
    let e = relays(&mut net, "e", 8, &[layer(x, 8, 40, &first)]);
    let (last, direct) = (matrix(&mut seed, 10 * 8, 0.4), matrix(&mut seed, 10 * 40, 0.5));
    let layers = [layer(e, 10, 8, &last), layer(x, 10, 40, &direct)];
    let bias: Vec<f32> = matrix(&mut seed, 10, 0.3);
    net.add("a", Op::Neuron(neuron()), 10, &layers, Some(&bias));
    net
}

fn default(net: &Net) -> Applied {
    applied(net, &programmable(), &Recipe::default()).unwrap()
}

#[test]
fn integers_follow_the_float_chain() {
    let nets = [
        (three(60, 12, 20, 3), 60, 0.04),
        (two(5), 40, 0.04),
        (convolutions(false, 1), 32, 0.04),
        (convolutions(true, 1), 32, 0.04),
    ];
    for (at, (net, inputs, most)) in nets.iter().enumerate() {
        let applied = default(net);
        let (error, current) = compare(net, &applied, "a", *inputs, 9);
        assert!(error < most * current, "net {at}: {error} of {current}");
        let composed = applied.account.populations.iter().find(|p| p.name == "a").unwrap();
        let composed = composed.projections[0].composed.expect("the composed weights");
        assert!(composed.relative_error < *most, "net {at}: {composed:?}");
        assert!(composed.materialized_error < composed.relative_error, "net {at}: {composed:?}");
    }
}

/// Relays round to nearest, and shift no more than their readers need.
#[test]
fn relays_round_to_nearest() {
    let applied = default(&three(60, 12, 20, 3));
    for name in ["e", "o"] {
        let graded = super::net::relays(&applied.draft, name);
        assert!(graded.shift > 0 && graded.keep.is_none());
        assert_eq!(graded.bias, Param::Uniform(1 << (graded.shift - 1)));
        let account = applied.account.populations.iter().find(|p| p.name == name).unwrap();
        assert_eq!((account.shift, &account.bias), (Some(graded.shift), &None));
    }
}

#[test]
fn a_shared_core_is_one_matrix() {
    let mut seed = 7;
    let mut net = Net::new();
    let x = net.input(Coding::Events, 50);
    let core = matrix(&mut seed, 36, 0.4);
    let mut last = Vec::new();
    for (name, scale) in [("a", 0.8), ("b", 0.02)] {
        let first = matrix(&mut seed, 6 * 50, scale);
        let e = relays(&mut net, &format!("{name}.e"), 6, &[layer(x, 6, 50, &first)]);
        let o = relays(&mut net, &format!("{name}.o"), 6, &[layer(e, 6, 6, &core)]);
        let weights = matrix(&mut seed, 60, 3.0 - scale);
        net.neurons(name, 10, &[layer(o, 10, 6, &weights)]);
        last.push(o);
    }
    // Both read the tensor of the first.
    let read = |net: &Net, relays: NodeId| net.0.nodes[relays].inputs[0].source;
    let [first, second] = [read(&net, last[0]), read(&net, last[1])];
    net.0.nodes[second].op = net.0.nodes[first].op.clone();
    let applied = default(&net);
    let matrix_of = |name: &str| {
        let id = applied.draft.population_named(name).unwrap();
        applied.draft.projections_into(id).next().unwrap().1.matrix
    };
    assert_eq!(matrix_of("a.o"), matrix_of("b.o"));
    assert_ne!(matrix_of("a.e"), matrix_of("b.e"));
    // Scales of messages: k₂ · 2^s₂ = k_O · k₁.
    let of = |name: &str| {
        let entry = applied.recipe.population(name).unwrap();
        let scale = entry.scale.as_ref().unwrap().values()[0];
        (scale, scale / f64::from(1_u32 << entry.shift.unwrap()))
    };
    let ratio = |name: &str| of(&format!("{name}.o")).0 / of(&format!("{name}.e")).1;
    assert!((ratio("a") - ratio("b")).abs() < 1e-9 * ratio("a"));
}

/// Input sums reach their bounds but for the remainders of shifts, when each row is excited as far as it goes.
#[test]
fn bounds_hold_and_are_tight() {
    let nets = [three(60, 12, 20, 3), two(5), convolutions(false, 1), convolutions(true, 1)];
    for (at, net) in nets.iter().enumerate() {
        // An input that arrives on two ways counts as two.
        let near = if at == 1 { 70 } else { 80 };
        let applied = default(net);
        let draft = &applied.draft;
        let inputs = draft.populations[PopId::new(0)].size();
        for account in &applied.account.populations {
            let id = draft.population_named(&account.name).unwrap();
            let bounds = account.bounds.input;
            // What each input alone brings, far above the remainders of shifts.
            let unit = |i: usize| (0..inputs).map(|j| i64::from(i == j)).collect::<Vec<_>>();
            let alone: Vec<Vec<i64>> =
                (0..inputs).map(|i| arriving(draft, &account.name, &unit(i))).collect();
            let (mut low, mut high) = (0, 0);
            for n in 0..draft.populations[id].size() {
                for sign in [1, -1] {
                    let spikes: Vec<i64> =
                        alone.iter().map(|sums| i64::from(sums[n] * sign > 0)).collect();
                    let found = arriving(draft, &account.name, &spikes)[n];
                    (low, high) = (low.min(found), high.max(found));
                }
            }
            assert!(
                bounds.low <= low && high <= bounds.high,
                "{at} {}: {low}..={high}",
                account.name
            );
            let is_near = |found: i64, bound: i64| found.abs() * 100 >= bound.abs() * near;
            assert!(
                is_near(low, bounds.low) && is_near(high, bounds.high),
                "{at} {}: {low}..={high} in {}..={}",
                account.name,
                bounds.low,
                bounds.high
            );
        }
    }
}

#[test]
fn complete_recipes_are_fixed_points() {
    for net in [three(60, 12, 20, 3), two(5), convolutions(false, 1), convolutions(true, 1)] {
        let first = default(&net);
        let again = applied(&net, &programmable(), &first.recipe).unwrap();
        assert_eq!(again.recipe, first.recipe);
        assert_eq!(again.draft, first.draft);
        assert_eq!(first.recipe.check(), Ok(()));
    }
}

#[test]
fn the_order_of_populations_does_not_matter() {
    // Two chains, built in either order.
    let build = |names: [&str; 2]| {
        let mut net = Net::new();
        let x = net.input(Coding::Events, 50);
        for name in names {
            let mut seed = u64::from(name.as_bytes()[0]);
            let first = matrix(&mut seed, 6 * 50, 0.6);
            let e = relays(&mut net, &format!("{name}.e"), 6, &[layer(x, 6, 50, &first)]);
            let core = matrix(&mut seed, 36, 0.4);
            let o = relays(&mut net, &format!("{name}.o"), 6, &[layer(e, 6, 6, &core)]);
            let last = matrix(&mut seed, 60, 0.8);
            net.neurons(name, 10, &[layer(o, 10, 6, &last)]);
        }
        default(&net).recipe
    };
    let (ab, ba) = (build(["a", "b"]), build(["b", "a"]));
    for entry in &ab.populations {
        assert_eq!(Some(entry), ba.population(&entry.name));
    }
    for entry in &ab.projections {
        assert_eq!(Some(entry), ba.projection(&entry.source, &entry.target, entry.nth));
    }
}

#[test]
fn what_a_recipe_decides_about_relays_is_kept() {
    let net = three(60, 12, 20, 3);
    let shift = |shift| PopulationRecipe {
        name: "e".into(),
        shift: Some(shift),
        ..PopulationRecipe::default()
    };
    let of = |entry| {
        let recipe = Recipe { populations: vec![entry], ..Recipe::default() };
        applied(&net, &programmable(), &recipe)
    };
    assert_eq!(super::net::relays(&of(shift(6)).unwrap().draft, "e").shift, 6);
    // Messages that are too fine take the sums behind them out of range; their scale gives way.
    let fine = of(shift(0)).unwrap();
    assert_eq!(super::net::relays(&fine.draft, "e").shift, 0);
    assert_eq!(super::net::relays(&fine.draft, "e").bias, Param::Uniform(0));
    let large = of(PopulationRecipe { bias: Some(Param::Uniform(5000)), ..shift(0) });
    assert!(only(&large.unwrap_err(), codes::RECIPE_RANGE).contains("population `e`"));
    let scales = Param::PerNeuron((1..=12).map(f64::from).collect());
    let scales = PopulationRecipe { scale: Some(scales), ..shift(3) };
    assert!(only(&of(scales).unwrap_err(), codes::RECIPE_TIED).contains("different scales"));
    let neurons = PopulationRecipe { name: "a".into(), ..shift(3) };
    assert!(only(&of(neurons).unwrap_err(), codes::RECIPE_MISFIT).contains("shift"));
    let decay = PopulationRecipe { dv: Some(Param::Uniform(1)), ..shift(3) };
    assert!(only(&of(decay).unwrap_err(), codes::RECIPE_MISFIT).contains("decays"));
}

#[test]
fn fewer_bits_hold_for_every_stage() {
    let net = three(60, 12, 20, 3);
    let settings = Settings { weight_bits: 4, ..Settings::default() };
    let applied =
        applied(&net, &programmable(), &Recipe { settings, ..Recipe::default() }).unwrap();
    for population in &applied.account.populations {
        assert!(population.projections.iter().all(|p| p.weight_bits <= 4), "{population:?}");
    }
    let (error, current) = compare(&net, &applied, "a", 60, 9);
    assert!(error < 0.3 * current, "{error} of {current}");
}

#[test]
fn chains_and_clips_stay_apart() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 4);
    let weights = [0.5, -0.5, 0.25, 0.125, 0.3, 0.1, 0.2, -0.7];
    let e = relays(&mut net, "e", 2, &[layer(x, 2, 4, &weights)]);
    let clip = net.clip("c", Keep::Positive, 2, &[layer(x, 2, 4, &weights)]);
    let square = [0.5, 0.25, -0.5, 1.0];
    net.neurons("a", 2, &[layer(e, 2, 2, &square), layer(clip, 2, 2, &square)]);
    let found = applied(&net, &programmable(), &Recipe::default()).unwrap_err();
    assert!(only(&found, codes::STAGE).contains("population `a` may not read `c`"));
}

#[test]
fn relays_that_round_nothing_and_empty_matrices_are_quiet() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 2);
    let e = relays(&mut net, "e", 2, &[layer(x, 2, 2, &[0.0; 4])]);
    net.neurons(
        "a",
        2,
        &[layer(e, 2, 2, &[0.5, 0.25, -0.5, 1.0]), layer(x, 2, 2, &[1.0, 0.5, 0.25, 1.0])],
    );
    let applied = default(&net);
    assert_eq!(arriving(&applied.draft, "e", &[1, 1]), [0, 0]);
}

/// A chain as it is written to a file: integers, biases that round, shifts.
#[test]
fn a_chain_is_written_as_expected() {
    let mut net = Net::new();
    let x = net.input(Coding::Events, 3);
    let first = [1.0, -0.5, 0.25, 0.125, 0.75, -1.0];
    let e = relays(&mut net, "e", 2, &[layer(x, 2, 3, &first)]);
    let core = [0.5, -0.25, 1.0, 0.125];
    let o = relays(&mut net, "o", 2, &[layer(e, 2, 2, &core)]);
    net.neurons("a", 2, &[layer(o, 2, 2, &[2.0, -1.0, 0.5, 1.5])]);
    insta::assert_snapshot!(snnc_ir::text::print_quantized(&default(&net).draft));
}

/// Without a memory, the predicted error of a membrane is that of what arrives in a step.
#[test]
fn predicted_errors_are_those_of_samples() {
    let mut net = three(60, 12, 20, 3);
    let forgets = Neuron { dynamics: Dynamics::Decay(Param::Uniform(1.0)), ..neuron() };
    let id = net.0.node_named("a").unwrap();
    net.0.nodes[id].op = Op::Neuron(forgets);
    let applied = default(&net);
    let account = applied.account.populations.iter().find(|p| p.name == "a").unwrap();
    let scale = applied.recipe.population("a").unwrap().scale.clone().unwrap();
    let shape = snnc_ir::Shape::flat(20);
    let (mut seed, mut squares, mut count) = (1, 0.0, 0.0);
    for _ in 0..400 {
        let spikes: Vec<i64> = (0..60).map(|_| i64::from(random(&mut seed) < -0.8)).collect();
        #[expect(clippy::cast_precision_loss, reason = "0 or 1")]
        let floats: Vec<f64> = spikes.iter().map(|s| *s as f64).collect();
        let exact = current(&net, "a", &floats);
        for (n, (a, x)) in arriving(&applied.draft, "a", &spikes).iter().zip(exact).enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let error = *a as f64 / scale.at(n, &shape) - x;
            (squares, count) = (squares + error * error, count + 1.0);
        }
    }
    let (found, predicted) = (f64::sqrt(squares / count), account.predicted_error);
    assert!(found < 1.5 * predicted && predicted < 1.5 * found, "{found} for {predicted}");
}
