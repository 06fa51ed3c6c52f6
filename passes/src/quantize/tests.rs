//! What quantization decides, and what it refuses.

mod chains;
mod direct;
mod graded;
mod net;
mod recipe;
mod rounding;

use super::{Applied, Quantize, apply};
use crate::fixtures::{neuron, target};
use crate::framework::{Context, Options, Pass};
use snnc_ir::arena::{NodeId, PopId, TensorId};
use snnc_ir::diag::codes::{Code, network as network_codes, quantize as codes};
use snnc_ir::network::{
    Coding, Compare, Dynamics, Edge, Network, Neuron, Node, Op, Provenance, Readout, Reset, Tensor,
};
use snnc_ir::quantized::{IntReset, QuantizedDraft, QuantizedNetwork, Sign};
use snnc_ir::recipe::{Recipe, Settings};
use snnc_ir::target::Limit;
use snnc_ir::{
    Arena, Diagnostics, Entity, Level, NetworkDraft, Param, Rules, Severity, Shape, TargetSpec,
};

fn tensor(name: &str, shape: &[u32], data: &[f32]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        shape: Shape(shape.to_vec()),
        data: data.to_vec(),
        provenance: Provenance::Dense { tensor: name.to_owned() },
        genes: None,
    }
}

/// in (2) → a (2), with these weights and bias.
fn network(weights: &[f32], bias: &[f32], neuron: Neuron) -> NetworkDraft {
    let tensors: Arena<TensorId, Tensor> =
        vec![tensor("w", &[2, 2], weights), tensor("b", &[2], bias)].into();
    let edge = |n: usize| vec![Edge { source: NodeId::new(n), delay: 0 }];
    let node = |name: &str, op: Op, inputs: Vec<Edge>| Node {
        name: name.to_owned(),
        op,
        inputs,
        shape: Shape::flat(2),
    };
    let linear = Op::Linear { weight: TensorId::new(0), bias: Some(TensorId::new(1)) };
    NetworkDraft {
        name: "n".to_owned(),
        steps: 10,
        nodes: vec![
            node("in", Op::Input(Coding::Events), vec![]),
            node("w", linear, edge(0)),
            node("a", Op::Neuron(neuron), edge(1)),
        ]
        .into(),
        tensors,
        readout: Readout::SpikeCount(NodeId::new(2)),
        discretization: None,
    }
}

/// Quantizes and verifies; returns the remarks too.
fn quantize(
    draft: NetworkDraft,
    target: &TargetSpec,
) -> Result<(QuantizedDraft, Diagnostics), Diagnostics> {
    let draft = Network::verify(draft, &Rules::default())?.into_draft();
    let options = Options::defaults(Quantize.info().options);
    let mut cx = Context::new(target, &options);
    let draft = Quantize.run(draft, &mut cx)?;
    let sealed = QuantizedNetwork::verify(draft, &Rules::default())?;
    Ok((sealed.into_draft(), cx.remarks))
}

fn has(diagnostics: &Diagnostics, code: Code) -> bool {
    diagnostics.iter().any(|d| d.code == code && d.message.contains("`a`"))
}

#[test]
fn everything_of_a_population_shares_its_scale() {
    let (floats, biases) = ([0.5, -0.25, 0.125, -0.5], [0.1, -0.3]);
    let network = network(&floats, &biases, neuron());
    let applied = apply(&network, &target(), &Recipe::default(), &mut Diagnostics::new());
    let Applied { draft, recipe, .. } = applied.expect("quantizes");
    let a = draft.populations[PopId::new(1)].neuron().expect("neurons");
    let scale = recipe.population("a").and_then(|p| p.scale.clone()).expect("a scale");
    let exponent = recipe.projection("in", "a", 0).and_then(|p| p.exponent).expect("an exponent");
    let (step, shape) = (f64::from(1_u32 << exponent), Shape::flat(2));
    let matrix = draft.matrices.values().next().expect("one matrix");
    assert_eq!(matrix.sign, Sign::Mixed);
    for (i, float) in floats.iter().enumerate() {
        let exact = f64::from(*float) * scale.at(i / 2, &shape);
        assert!((f64::from(matrix.weight(i)) - exact).abs() <= step, "{exact} {matrix:?}");
    }
    for (n, bias) in biases.iter().enumerate() {
        let scale = scale.at(n, &shape);
        let threshold = f64::from(a.threshold.at(n, &shape)) / 64.0;
        assert!((threshold - scale).abs() <= 0.5, "{threshold} {scale}");
        let exact = f64::from(*bias) * scale;
        assert!((f64::from(a.bias.at(n, &shape)) / 64.0 - exact).abs() <= 1.0, "{exact}");
    }
    assert!(a.threshold.at(0, &shape) > 64 * 100, "hundreds of steps are there to be used");
    assert!(a.dv.values().iter().all(|dv| dv.abs_diff(512) <= 1), "{:?}", a.dv);
    assert_eq!(a.du, Param::Uniform(4095));
    assert_eq!((a.refractory, &a.reset), (1, &IntReset::Zero));
}

#[test]
fn thresholds_with_ge_are_exact_without_leak_and_nearest_with_leak() {
    let leaky = Neuron { compare: Compare::Ge, ..neuron() };
    let still = Neuron { dynamics: Dynamics::Integrate, ..leaky.clone() };
    for (neuron, rest) in [(leaky, 1), (still, 0)] {
        let draft = network(&[0.5, 0.0, 0.0, -0.5], &[0.0, 0.0], neuron);
        let (draft, _) = quantize(draft, &target()).expect("quantizes");
        let a = draft.populations[PopId::new(1)].neuron().expect("neurons");
        assert!(a.threshold.values().iter().all(|t| t % 64 == rest), "{:?}", a.threshold);
        assert_eq!(a.compare, Compare::Ge);
    }
}

#[test]
fn the_scale_falls_until_sums_and_membranes_fit() {
    let mut small = target();
    small.max_input_sum.value = 100;
    let draft = network(&[0.5, 0.5, -0.5, -0.5], &[0.0, 0.0], neuron());
    let (draft, _) = quantize(draft, &small).expect("quantizes");
    let matrix = draft.matrices.values().next().expect("one matrix");
    assert_eq!(matrix.weight_range(), (-50, 50), "two weights of 50 make the sum of 100");

    // Without leak, ten steps of two negative weights: 64·2·w·10 must stay below 2^17.
    let mut narrow = target();
    narrow.state_bits.value = 18;
    let still = Neuron { dynamics: Dynamics::Integrate, ..neuron() };
    let draft = network(&[0.5, 0.5, -0.5, -0.5], &[0.0, 0.0], still);
    let (draft, remarks) = quantize(draft, &narrow).expect("quantizes");
    let (low, _) = draft.matrices.values().next().expect("one matrix").weight_range();
    assert!((-102..=-101).contains(&low), "{low}");
    assert!(!has(&remarks, codes::COARSE));
}

#[test]
fn a_heavy_loss_of_resolution_is_a_warning() {
    let mut small = target();
    small.max_input_sum.value = 10;
    let draft = network(&[0.5, 0.5, -0.5, -0.5], &[0.0, 0.0], neuron());
    let (_, remarks) = quantize(draft, &small).expect("quantizes");
    assert!(has(&remarks, codes::COARSE), "{remarks}");
}

#[test]
fn no_scale_at_all_is_an_error() {
    let mut tiny = target();
    tiny.state_bits.value = 6;
    let errors = quantize(network(&[0.5; 4], &[0.0; 2], neuron()), &tiny).expect_err("too narrow");
    assert!(has(&errors, codes::NO_SCALE), "{errors}");
}

#[test]
fn rounding_that_changes_the_meaning_is_reported() {
    let coarse = Neuron { threshold: Param::Uniform(0.001), ..neuron() };
    let coarse = network(&[0.5; 4], &[0.0; 2], coarse);
    let settings = Settings { max_exponent: 0, ..Settings::DEFAULT };
    let recipe = Recipe { settings, ..Recipe::default() };
    let mut remarks = Diagnostics::new();
    apply(&coarse, &target(), &recipe, &mut remarks).expect("warns");
    assert!(has(&remarks, codes::THRESHOLD), "{remarks}");
    let slow = Neuron { dynamics: Dynamics::Decay(Param::Uniform(1.0e-4)), ..neuron() };
    let (_, remarks) = quantize(network(&[0.5; 4], &[0.0; 2], slow), &target()).expect("warns");
    assert!(has(&remarks, codes::DECAY), "{remarks}");
    let forgetful = Neuron { dynamics: Dynamics::Decay(Param::Uniform(1.0)), ..neuron() };
    let (_, remarks) =
        quantize(network(&[0.5; 4], &[0.0; 2], forgetful), &target()).expect("warns");
    assert!(has(&remarks, codes::DECAY), "{remarks}");
}

#[test]
fn floors_become_those_that_the_target_has() {
    let low = Neuron { floor: Some(Param::Uniform(-1.0)), ..neuron() };
    let draft = || network(&[0.5, -0.5, 0.25, 0.5], &[0.0; 2], low.clone());
    let floor = |target: &TargetSpec| {
        let (quantized, remarks) = quantize(draft(), target).expect("has an integer form");
        let neuron = quantized.populations.values().find_map(|p| p.neuron().cloned()).unwrap();
        (neuron.floor.map(|f| f.values().to_vec()), neuron.threshold, remarks)
    };
    // Any multiple of 64: the threshold of 1 and the floor of -1 are as far from 0.
    let limit = |value| Limit { value, ..target().floors };
    let any = TargetSpec { floors: limit(8), floor_powers: limit(0), ..target() };
    let (found, threshold, remarks) = floor(&any);
    assert_eq!(found, Some(vec![-threshold.values()[0]]));
    let notes: Vec<_> = remarks.iter().filter(|d| d.code == network_codes::FLOOR).collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].severity, Severity::Note);
    // Powers of two only: the nearest, with a warning.
    let powers = TargetSpec { floor_powers: limit(1), ..any.clone() };
    let (found, threshold, remarks) = floor(&powers);
    let [found] = found.unwrap()[..] else { panic!("one floor") };
    assert!((1 - found).count_ones() == 1 && powers.holds_floor(found.into()), "{found}");
    let ratio = f64::from(found) / -f64::from(threshold.values()[0]);
    assert!((0.7..1.42).contains(&ratio), "{ratio}");
    assert!(has(&remarks, network_codes::FLOOR), "{remarks}");
    let none = TargetSpec { floors: limit(0), ..any };
    let errors = quantize(draft(), &none).expect_err("refused");
    assert!(has(&errors, codes::NO_CONTRACT), "{errors}");
}

#[test]
fn what_the_target_cannot_do_is_refused_by_name() {
    let refuse = |neuron: Neuron, code: Code| {
        let draft = network(&[0.5; 4], &[0.0; 2], neuron);
        let errors = quantize(draft, &target()).expect_err("refused");
        assert!(has(&errors, code), "{errors}");
    };
    refuse(Neuron { v_init: 0.5, ..neuron() }, codes::INITIAL_MEMBRANE);
    refuse(Neuron { reset: Reset::Subtract, ..neuron() }, codes::SUBTRACT);
    refuse(Neuron { refractory: 63, ..neuron() }, codes::REFRACTORY);
}

#[test]
fn programmable_targets_subtract_the_threshold() {
    let mut able = target();
    able.programmable_neuron = true;
    let subtract = Neuron { reset: Reset::Subtract, compare: Compare::Ge, ..neuron() };
    let draft = network(&[0.5; 4], &[0.0; 2], subtract);
    let (draft, _) = quantize(draft, &able).expect("quantizes");
    let a = draft.populations[PopId::new(1)].neuron().expect("neurons");
    // At `≥`, with a leak, the threshold is one more than a multiple of 64.
    assert_eq!(a.reset, IntReset::Subtract(a.threshold.map(|t| t - 1)));
    assert!(a.threshold.values().iter().all(|t| t % 64 == 1), "{:?}", a.threshold);
}

#[test]
fn a_projection_that_vanishes_is_reported() {
    let mut draft = network(&[0.5; 4], &[0.0; 2], neuron());
    let tiny = draft.tensors.push(tensor("tiny", &[2, 2], &[1.0e-4; 4]));
    let linear = draft.nodes.push(Node {
        name: "t".to_owned(),
        op: Op::Linear { weight: tiny, bias: None },
        inputs: vec![Edge { source: NodeId::new(2), delay: 1 }],
        shape: Shape::flat(2),
    });
    let edges = [NodeId::new(1), linear].map(|source| Edge { source, delay: 0 });
    let sum = draft.nodes.push(Node {
        name: "sum".to_owned(),
        op: Op::Add,
        inputs: edges.to_vec(),
        shape: Shape::flat(2),
    });
    draft.nodes[NodeId::new(2)].inputs[0].source = sum;
    let (draft, remarks) = quantize(draft, &target()).expect("quantizes");
    assert!(has(&remarks, codes::VANISHED), "{remarks}");
    assert_eq!(draft.projections.len(), 2, "it is reported, not dropped");
}
