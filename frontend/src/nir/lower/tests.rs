//! What is refused, said and computed for single nodes.

#![allow(clippy::float_cmp, reason = "every bit of a coefficient counts")]
#![allow(clippy::cast_possible_truncation, reason = "simulators round to single precision")]

use super::{Given, Lowered, lower};
use crate::arrays::{Array, ArrayData};
use crate::nir::dialect::Choices;
use crate::nir::{NirFile, NirGraph, NirNode, Primitive, Tree, check};
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::network::discretization::{
    Dialect, IfDialect, Integration, LoopBias, ResetRule, SpikesPerStep, TimeUnit,
};
use snnc_ir::network::{Compare, Current, Dynamics, Neuron, Op, Reset};
use snnc_ir::{Diagnostics, Param, Severity};

fn array(values: &[f32]) -> Array {
    Array { shape: vec![values.len()], data: ArrayData::F32(values.to_vec()) }
}

fn two(value: f32) -> Array {
    array(&[value, value])
}

fn node(primitive: Primitive) -> NirNode {
    NirNode { primitive, metadata: Tree::default() }
}

/// `in → w → n → out`, all of two elements.
fn around(n: Primitive) -> NirFile {
    let mut graph = NirGraph::default();
    let weight = Array { shape: vec![2, 2], data: ArrayData::F32(vec![1.0, -0.5, 0.25, 1.0]) };
    for (name, primitive) in [
        ("in", Primitive::Input { shape: vec![2] }),
        ("w", Primitive::Linear { weight }),
        ("n", n),
        ("out", Primitive::Output { shape: vec![2] }),
    ] {
        graph.nodes.insert(name.to_owned(), node(primitive));
    }
    graph.edges =
        [("in", "w"), ("w", "n"), ("n", "out")].map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    NirFile { version: None, root: node(Primitive::Graph(graph)) }
}

fn lif(tau: f32, r: f32) -> Primitive {
    Primitive::Lif {
        tau: two(tau),
        r: two(r),
        v_leak: two(0.0),
        v_threshold: two(0.5),
        v_reset: None,
    }
}

fn cuba(r: f32, w_in: f32) -> Primitive {
    Primitive::CubaLif {
        tau_mem: two(0.002),
        tau_syn: two(0.001),
        r: two(r),
        v_leak: two(0.0),
        v_threshold: two(0.5),
        v_reset: None,
        w_in: Some(two(w_in)),
    }
}

fn integrate(r: f32) -> Primitive {
    Primitive::If { r: two(r), v_threshold: two(1.0), v_reset: None }
}

fn like(dialect: Dialect) -> Choices {
    Choices { dialect: Some(dialect), ..Choices::default() }
}

/// The equations, in steps of 1.
fn steps() -> Choices {
    Choices { time_unit: Some(TimeUnit::Steps), ..like(Dialect::Exact) }
}

fn run(n: Primitive, choices: Choices) -> Result<Lowered, Diagnostics> {
    let file = around(n);
    let checked = check(&file);
    assert!(!checked.found.has_errors(), "{}", checked.found);
    lower(&file, &checked, &Given { name: "g", steps: Some(4), choices })
}

/// The neuron that `n` becomes.
fn neuron(n: Primitive, choices: Choices) -> Neuron {
    let found = run(n, choices).unwrap_or_else(|d| panic!("{d}"));
    let id = found.network.node_named("n").unwrap();
    match &found.network.nodes[id].op {
        Op::Neuron(neuron) => neuron.clone(),
        other => panic!("{other:?}"),
    }
}

/// `[current keep, current gain, keep, gain, drive, threshold]`, NaN without a current.
fn coefficients(n: Primitive, choices: Choices) -> [f32; 6] {
    let neuron = neuron(n, choices);
    let one = |param: &Param<f32>| match param {
        Param::Uniform(value) => *value,
        other => panic!("{other:?}"),
    };
    let Dynamics::Linear(linear) = &neuron.dynamics else { panic!("{:?}", neuron.dynamics) };
    let none = [f32::NAN; 2];
    let of = |c: &Current| [one(&c.keep), one(&c.gain)];
    let [syn_keep, syn_gain] = linear.current.as_ref().map_or(none, of);
    let threshold = one(&neuron.threshold);
    [syn_keep, syn_gain, one(&linear.keep), one(&linear.gain), one(&linear.drive), threshold]
}

/// Numbers computed by hand in single precision, as each simulator computes them.
#[test]
fn coefficients_are_those_of_the_simulators() {
    let (dt, tau) = (1e-4_f32, 0.002_f32);
    let found = coefficients(lif(tau, 10.0), like(Dialect::SnnTorch));
    assert_eq!(found[2..], [1.0 - dt / tau, 1.0, 0.0, 0.5 / (10.0 * dt / tau)]);
    // A gain near 1 counts as 1.
    let found = coefficients(lif(tau, tau / dt * 1.000_005), like(Dialect::SnnTorch));
    assert_eq!(found[2..], [1.0 - dt / tau, 1.0, 0.0, 0.5]);
    let found = coefficients(cuba(tau / dt, 3.0), like(Dialect::SnnTorch));
    let (syn, gain) = (1.0 - dt / 0.001, 3.0 * (dt / 0.001_f32));
    assert_eq!(found, [syn, 1.0, 1.0 - dt / tau, 1.0, 0.0, 0.5 / gain]);

    let share = |tau: f32| 1e-3_f32 * (1.0 / tau);
    let found = coefficients(lif(0.02, 1.0), like(Dialect::Norse));
    assert_eq!(found[2..], [1.0 - share(0.02), share(0.02), 0.0, 0.5]);

    let keep = f64::from(-1.0_f32 / 8.0).exp() as f32;
    let found = coefficients(lif(8.0, 1.0), like(Dialect::Sinabs));
    assert_eq!(found[2..], [keep, 1.0, 0.0, 0.5]);

    // Decays in double precision; what it demands of r and w_in makes the gains 1.
    let found = coefficients(cuba(20.0, 10.0), like(Dialect::SpikingJelly));
    let narrow = |tau: f32| (1.0 - 1e-4 / f64::from(tau)) as f32;
    assert_eq!(found, [narrow(0.001), 1.0, narrow(0.002), 1.0, 0.0, 0.5]);
    let tau = neuron(lif(0.002, 1.0), like(Dialect::SpikingJelly)).dynamics;
    assert_eq!(tau, Dynamics::Tau(Param::Uniform((f64::from(0.002_f32) / 1e-4) as f32)));

    // The step is read out of the graph: tau_mem / (1 + r).
    let dt = 0.002_f32 / (1.0 + 19.0);
    let decay = |tau: f32| f64::from(-dt / tau).exp() as f32;
    let found = coefficients(cuba(19.0, 1.0), like(Dialect::Rockpool));
    assert_eq!(found, [decay(0.001), decay(0.001), decay(0.002), 1.0, 0.0, 0.5]);

    // The equations: all as written, computed in double precision.
    let leaky = Primitive::Lif {
        tau: two(4.0),
        r: two(3.0),
        v_leak: two(0.25),
        v_threshold: two(0.5),
        v_reset: Some(two(-1.0)),
    };
    let e = (-0.25_f64).exp();
    let found = coefficients(leaky.clone(), steps());
    assert_eq!(found[2..], [e, 3.0 * (1.0 - e), 0.25 * (1.0 - e), 0.5].map(|x| x as f32));
    assert_eq!(neuron(leaky, steps()).reset, Reset::To(-1.0));
}

#[test]
fn times_in_milliseconds_are_seconds_times_a_thousand() {
    let timed = |time_unit, dt| Choices {
        time_unit: Some(time_unit),
        dt: Some(dt),
        ..like(Dialect::Exact)
    };
    let ms = coefficients(lif(2.0, 1.0), timed(TimeUnit::Milliseconds, 1e-4));
    let s = coefficients(lif(2.0, 1.0), timed(TimeUnit::Seconds, 0.1));
    assert_eq!(ms[2..], s[2..]);
}

#[test]
fn both_dialects_of_integrators() {
    let free = Choices { if_dialect: Some(IfDialect::Free), ..steps() };
    assert_eq!(neuron(integrate(1.0), free).dynamics, Dynamics::Integrate);
    let literal =
        Choices { dt: Some(1e-3), time_unit: Some(TimeUnit::Seconds), ..like(Dialect::Exact) };
    assert_eq!(neuron(integrate(1000.0), literal).dynamics, Dynamics::Integrate);
    assert_eq!(coefficients(integrate(1.0), literal)[3], 1e-3);
    // A graph that adds nothing but r needs no time.
    let timeless = Choices {
        if_dialect: Some(IfDialect::Free),
        comparison: Some(Compare::Gt),
        reset: Some(ResetRule::Zero),
        ..Choices::default()
    };
    assert_eq!(neuron(integrate(1.0), timeless).dynamics, Dynamics::Integrate);
}

/// Every refusal, with a word that its message has.
#[test]
fn what_is_refused() {
    let reset = |v_reset: Array| Primitive::Lif {
        tau: two(4.0),
        r: two(1.0),
        v_leak: two(0.0),
        v_threshold: two(0.5),
        v_reset: Some(v_reset),
    };
    let leak = |v_leak: Array, tau: f32| Primitive::Lif {
        tau: two(tau),
        r: two(1.0),
        v_leak,
        v_threshold: two(0.5),
        v_reset: None,
    };
    let euler = Choices { integration: Some(Integration::Euler), ..steps() };
    let with = |reset: ResetRule| Choices { reset: Some(reset), ..steps() };
    let several = Choices { spikes_per_step: Some(SpikesPerStep::Several), ..steps() };
    let jelly = like(Dialect::SpikingJelly);
    let cases: Vec<(Primitive, Choices, snnc_ir::diag::codes::Code, &str)> = vec![
        (lif(0.01, 1.0), Choices::default(), codes::OPEN, "leaves open"),
        (lif(0.01, 1.0), like(Dialect::Exact), codes::OPEN, "dialect `exact`"),
        (integrate(1.0), like(Dialect::SnnTorch), codes::READING, "0.9"),
        (lif(0.02, 2.0), like(Dialect::Norse), codes::READING, "`r` is 2.0"),
        (lif(4.0, 2.0), like(Dialect::Sinabs), codes::READING, "refuses or ignores"),
        (cuba(1.0, 1.0), like(Dialect::Sinabs), codes::READING, "no reader for `CubaLIF`"),
        (lif(0.01, 1.0), like(Dialect::Rockpool), codes::OPEN, "--dt SECONDS"),
        (cuba(19.0, 2.0), like(Dialect::Rockpool), codes::READING, "`w_in` is 2.0"),
        (cuba(3.0, 1.0), like(Dialect::SnnTorch), codes::READING, "tau_mem/dt"),
        (lif(0.01, 3.0), jelly, codes::READING, "1 or tau/dt"),
        (integrate(1.0), jelly, codes::READING, "1/dt"),
        (leak(two(0.1), 0.01), jelly, codes::READING, "`v_reset`, here 0.0"),
        (leak(array(&[0.0, 0.1]), 0.01), jelly, codes::READING, "differ"),
        (leak(array(&[0.0, 0.1]), 0.02), like(Dialect::Norse), codes::READING, "start at"),
        (leak(two(0.1), 0.02), like(Dialect::Lava), codes::READING, "`v_leak` is 0.1"),
        (reset(array(&[0.0, -1.0])), steps(), codes::NO_STEPS, "different values"),
        (reset(two(-1.0)), with(ResetRule::Zero), codes::CHOICES, "would be ignored"),
        (reset(two(-1.0)), with(ResetRule::Subtract), codes::CHOICES, "`--reset value`"),
        (lif(4.0, 1.0), several, codes::CHOICES, "several spikes"),
        (lif(0.5, 1.0), euler, codes::COEFFICIENT, "longer than `tau`"),
        (lif(4.0, -1.0), steps(), codes::COEFFICIENT, "`r` is -1.0"),
        (
            Primitive::Threshold { threshold: two(-0.5) },
            Choices::default(),
            codes::COEFFICIENT,
            "-0.5",
        ),
        (Primitive::I { r: two(1.0) }, Choices::default(), codes::NO_STEPS, "membrane"),
        (
            Primitive::Li { tau: two(4.0), r: two(1.0), v_leak: two(0.0) },
            steps(),
            codes::NO_STEPS,
            "(LI) gives its membrane",
        ),
        (Primitive::Delay { delay: two(1e6) }, steps(), codes::NO_STEPS, "at most 65535"),
    ];
    for (n, choices, code, word) in cases {
        let shown = format!("{n:?} {choices:?}");
        let found = run(n, choices).expect_err(&shown);
        let errors: Vec<_> = found.iter().filter(|d| d.severity == Severity::Error).collect();
        assert!(errors.iter().any(|d| d.code == code), "{shown}\n{found}");
        assert!(found.to_string().contains(word), "{word}: {found}");
        assert!(errors.iter().all(|d| d.help.is_some()), "{found}");
    }
}

#[test]
fn a_run_has_a_number_of_steps() {
    let file = around(lif(4.0, 1.0));
    let found = lower(&file, &check(&file), &Given { name: "g", steps: None, choices: steps() });
    assert!(found.unwrap_err().to_string().contains("--steps"));
}

/// Warnings that stop nothing: their code and a word.
#[test]
fn what_is_said() {
    let said = |n: Primitive, choices: Choices| run(n, choices).unwrap().notes;
    let has = |found: &Diagnostics, code, word: &str| {
        assert!(found.iter().any(|d| d.code == code), "{found}");
        assert!(found.to_string().contains(word), "{found}");
    };
    // Milliseconds that are read as seconds, and seconds that are read as steps.
    let slow = said(lif(200.0, 1.0), like(Dialect::SnnTorch));
    has(&slow, codes::TIMES, "--time-unit ms");
    let fast = said(lif(0.002, 1.0), steps());
    has(&fast, codes::TIMES, "0.0020 steps");
    assert!(said(lif(0.002, 1.0), like(Dialect::SnnTorch)).is_empty());
    let delay = said(Primitive::Delay { delay: two(2.4) }, steps());
    has(&delay, codes::ROUNDED_DELAY, "+0.4000 steps are left over");
    let delays = run(Primitive::Delay { delay: two(2.4) }, steps()).unwrap().delays;
    assert_eq!((delays.len(), delays[0].steps), (1, 2));
    let analog = said(Primitive::Scale { scale: two(2.0) }, Choices::default());
    has(&analog, codes::NO_STEPS, "by its mean");
}

#[test]
fn cut_edges_are_named() {
    let mut file = around(lif(4.0, 1.0));
    let Primitive::Graph(graph) = &mut file.root.primitive else { panic!() };
    let bias = array(&[0.5, 0.0]);
    let Primitive::Linear { weight } = graph.nodes["w"].primitive.clone() else { panic!() };
    graph.nodes.insert("back".to_owned(), node(Primitive::Affine { weight, bias }));
    graph.edges.push(("n".to_owned(), "back".to_owned()));
    graph.edges.push(("back".to_owned(), "n".to_owned()));
    let checked = check(&file);
    for (start, edge) in
        [(LoopBias::AtOnce, "\"n\" → \"back\""), (LoopBias::Delayed, "\"back\" → \"n\"")]
    {
        let choices = Choices { loop_bias: Some(start), ..steps() };
        let given = Given { name: "g", steps: Some(4), choices };
        let notes = lower(&file, &checked, &given).unwrap().notes;
        assert!(notes.to_string().contains(edge), "{notes}");
    }
    let dropped = Given { name: "g", steps: Some(4), choices: like(Dialect::Rockpool) };
    let found = lower(
        &file,
        &checked,
        &Given { choices: Choices { dt: Some(1.0), ..dropped.choices }, ..dropped },
    );
    assert!(found.unwrap_err().to_string().contains("drops biases inside loops"));
    let open = Choices { loop_bias: None, dialect: None, ..Choices::of(Dialect::SnnTorch) };
    let found = lower(&file, &checked, &Given { name: "g", steps: Some(4), choices: open });
    assert!(found.unwrap_err().to_string().contains("--loop-bias"));
}

#[test]
fn an_output_of_nothing_but_delays_in_a_loop_is_analog() {
    let mut file = around(lif(4.0, 1.0));
    let Primitive::Graph(graph) = &mut file.root.primitive else { panic!() };
    for name in ["d", "e"] {
        graph.nodes.insert(name.to_owned(), node(Primitive::Delay { delay: two(1.0) }));
    }
    let output = graph.edges.last().map(|(_, to)| to.clone()).unwrap();
    graph.edges.retain(|(_, to)| *to != output);
    for (from, to) in [("d", "e"), ("e", "d"), ("e", &*output)] {
        graph.edges.push((from.to_owned(), to.to_owned()));
    }
    let checked = check(&file);
    assert!(!checked.found.has_errors(), "{}", checked.found);
    let given = Given { name: "g", steps: Some(4), choices: steps() };
    let found = lower(&file, &checked, &given);
    let said = found.map_or_else(|errors| errors, |lowered| lowered.notes);
    assert!(said.to_string().contains("by its mean"), "{said}");
}
