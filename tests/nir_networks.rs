//! NIR graphs as networks, held against the equations of the format.
//!
//! An interpreter that knows nothing of networks computes every node of a graph in f64, step by step. All numbers of the
//! graphs are small multiples of powers of two, so that neither side rounds, and spikes must be equal.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap as tests do")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "all numbers are small"
)]

use snnc_frontend::arrays::{Array, ArrayData};
use snnc_frontend::nir::dialect::Choices;
use snnc_frontend::nir::lower::{Given, Lowered, lower};
use snnc_frontend::nir::{
    Checked, Conv, Flatten, NirFile, NirGraph, NirNode, Padding, Pool, Primitive, Tree, check,
};
use snnc_ir::network::Compare;
use snnc_ir::network::discretization::{
    IfDialect, Integration, LoopBias, ResetRule, SpikesPerStep, TimeUnit,
};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostics, Level};
use snnc_runtime::Stimulus;
use snnc_runtime::float::{FloatProbe, simulate};
use std::collections::BTreeMap;

const STEPS: usize = 24;

/// Numbers from a seed.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// Multiples of 1/8 from -1 to 1.5.
    fn weight(&mut self) -> f32 {
        f32::from(u8::try_from(self.below(21)).unwrap()) / 8.0 - 1.0
    }

    fn weights(&mut self, shape: &[usize]) -> Array {
        let count: usize = shape.iter().product();
        array(shape, (0..count).map(|_| self.weight()).collect())
    }
}

fn array(shape: &[usize], values: Vec<f32>) -> Array {
    Array { shape: shape.to_vec(), data: ArrayData::F32(values) }
}

fn constant(shape: &[usize], value: f32) -> Array {
    array(shape, vec![value; shape.iter().product()])
}

fn file(nodes: Vec<(&str, Primitive)>, edges: &str) -> NirFile {
    let mut graph = NirGraph::default();
    for (name, primitive) in nodes {
        graph.nodes.insert(name.to_owned(), node(primitive));
    }
    for chain in edges.split(", ") {
        let names: Vec<&str> = chain.split(" > ").collect();
        for pair in names.windows(2) {
            graph.edges.push((pair[0].to_owned(), pair[1].to_owned()));
        }
    }
    NirFile { version: Some("1.0.8".to_owned()), root: node(Primitive::Graph(graph)) }
}

fn node(primitive: Primitive) -> NirNode {
    NirNode { primitive, metadata: Tree::default() }
}

fn input(shape: &[usize]) -> Primitive {
    Primitive::Input { shape: shape.to_vec() }
}

fn output(shape: &[usize]) -> Primitive {
    Primitive::Output { shape: shape.to_vec() }
}

/// Time constants of 4 steps; the input is weighed by 1.
fn lif(shape: &[usize]) -> Primitive {
    Primitive::Lif {
        tau: constant(shape, 4.0),
        r: constant(shape, 4.0),
        v_leak: constant(shape, 0.0),
        v_threshold: constant(shape, 1.0),
        v_reset: None,
    }
}

fn cuba(shape: &[usize], v_leak: f32) -> Primitive {
    Primitive::CubaLif {
        tau_mem: constant(shape, 4.0),
        tau_syn: constant(shape, 2.0),
        r: constant(shape, 2.0),
        v_leak: constant(shape, v_leak),
        v_threshold: constant(shape, 0.5),
        v_reset: None,
        w_in: Some(constant(shape, 1.5)),
    }
}

/// Forward Euler in steps, as the equations say.
fn euler() -> Choices {
    Choices {
        dialect: None,
        dt: None,
        time_unit: Some(TimeUnit::Steps),
        integration: Some(Integration::Euler),
        comparison: Some(Compare::Gt),
        reset: Some(ResetRule::Value),
        spikes_per_step: Some(SpikesPerStep::One),
        if_dialect: Some(IfDialect::Literal),
        loop_bias: Some(LoopBias::AtOnce),
    }
}

fn lowered(file: &NirFile, choices: Choices) -> Result<Lowered, Diagnostics> {
    let checked = check(file);
    assert!(!checked.found.has_errors(), "{}", checked.found);
    let steps = Some(u32::try_from(STEPS).unwrap());
    lower(file, &checked, &Given { name: "g", steps, choices })
}

type Values = BTreeMap<String, Vec<Vec<f64>>>;

/// The equations of a graph without inner graphs. Edges in `late` are read one step later.
struct Interpreter<'a> {
    graph: &'a NirGraph,
    checked: &'a Checked,
    choices: Choices,
    late: &'a [(&'a str, &'a str)],
    inputs: &'a Values,
    /// Membranes and currents.
    state: BTreeMap<String, (Vec<f64>, Vec<f64>)>,
    values: Values,
}

impl Interpreter<'_> {
    fn run(mut self) -> Values {
        for step in 0..STEPS {
            for name in self.graph.nodes.keys() {
                self.value(name, step);
            }
        }
        self.values
    }

    /// What a node gives in a step.
    fn value(&mut self, name: &str, step: usize) -> Vec<f64> {
        if let Some(known) = self.values.get(name).and_then(|v| v.get(step)) {
            return known.clone();
        }
        let shapes = self.checked.shapes[&format!("/node/nodes/{name}")].clone();
        let y = if let Primitive::Delay { delay } = &self.graph.nodes[name].primitive {
            // Only the past is read, so a loop through a delay ends.
            let delays = numbers(delay);
            (0..delays.len())
                .map(|i| {
                    let past = step.checked_sub(delays[i] as usize);
                    past.map_or(0.0, |past| self.input(name, past, delays.len())[i])
                })
                .collect()
        } else {
            let x = self.input(name, step, shapes.input.iter().product());
            self.compute(name, step, &x, &shapes.input, &shapes.output)
        };
        self.values.entry(name.to_owned()).or_default().push(y.clone());
        y
    }

    /// The sum of what a node reads in a step.
    fn input(&mut self, name: &str, step: usize, size: usize) -> Vec<f64> {
        let mut x = vec![0.0; size];
        for (from, to) in self.graph.edges.iter().filter(|(_, to)| to == name) {
            let late = self.late.contains(&(from.as_str(), to.as_str()));
            if late && step == 0 {
                continue;
            }
            let given = self.value(from, step - usize::from(late));
            x.iter_mut().zip(given).for_each(|(x, g)| *x += g);
        }
        x
    }

    fn compute(
        &mut self,
        name: &str,
        step: usize,
        x: &[f64],
        takes: &[usize],
        gives: &[usize],
    ) -> Vec<f64> {
        match &self.graph.nodes[name].primitive {
            Primitive::Input { .. } => self.inputs[name][step].clone(),
            Primitive::Output { .. } | Primitive::Flatten(_) => x.to_vec(),
            Primitive::Affine { weight, bias } => {
                let bias = numbers(bias);
                (0..bias.len()).map(|o| product(weight, o, x) + bias[o]).collect()
            }
            Primitive::Linear { weight } => {
                (0..weight.shape[0]).map(|o| product(weight, o, x)).collect()
            }
            Primitive::Scale { scale } => {
                numbers(scale).iter().zip(x).map(|(s, x)| s * x).collect()
            }
            Primitive::Threshold { threshold } => {
                numbers(threshold).iter().zip(x).map(|(t, x)| f64::from(u8::from(x > t))).collect()
            }
            Primitive::Conv2d(c) => windows(c, takes, gives, x),
            Primitive::Conv1d(c) => {
                let mut weight = c.weight.clone();
                weight.shape.insert(2, 1);
                let padding = match c.padding {
                    Padding::Zeros([n]) => Padding::Zeros([0, n]),
                    Padding::Same => Padding::Same,
                    Padding::Valid => Padding::Valid,
                };
                let conv = Conv {
                    input_shape: None,
                    weight,
                    bias: c.bias.clone(),
                    stride: [1, c.stride[0]],
                    padding,
                    dilation: [1, c.dilation[0]],
                    groups: c.groups,
                };
                windows(&conv, &[takes[0], 1, takes[1]], &[gives[0], 1, gives[1]], x)
            }
            Primitive::SumPool2d(p) => pooled(p, 1.0, takes, gives, x),
            Primitive::AvgPool2d(p) => {
                pooled(p, 1.0 / (p.kernel[0] * p.kernel[1]) as f64, takes, gives, x)
            }
            neuron => {
                let choices = self.choices;
                let size = x.len();
                let (v, i) = self
                    .state
                    .entry(name.to_owned())
                    .or_insert_with(|| (vec![0.0; size], vec![0.0; size]));
                (0..size).map(|n| fire(neuron, choices, n, x[n], &mut v[n], &mut i[n])).collect()
            }
        }
    }
}

/// One forward Euler step of one neuron.
fn fire(
    neuron: &Primitive,
    choices: Choices,
    index: usize,
    x: f64,
    v: &mut f64,
    current: &mut f64,
) -> f64 {
    let arrays = neuron.arrays();
    let of = |name: &str, or: f64| {
        arrays.iter().find(|(a, _)| *a == name).map_or(or, |(_, a)| numbers(a)[index])
    };
    let (gain, leak) = (of("r", 1.0), of("v_leak", 0.0));
    match neuron {
        Primitive::If { .. } => *v += gain * x,
        Primitive::Lif { .. } => *v += (leak - *v + gain * x) / of("tau", 1.0),
        Primitive::CubaLif { .. } => {
            *current += (of("w_in", 1.0) * x - *current) / of("tau_syn", 1.0);
            *v += (leak - *v + gain * *current) / of("tau_mem", 1.0);
        }
        other => panic!("{other:?}"),
    }
    let threshold = of("v_threshold", 1.0);
    let above =
        if choices.comparison == Some(Compare::Gt) { *v > threshold } else { *v >= threshold };
    if !above {
        return 0.0;
    }
    match (choices.reset, choices.spikes_per_step) {
        (Some(ResetRule::Subtract), Some(SpikesPerStep::Several)) => {
            let count = (*v / threshold).floor();
            *v -= count * threshold;
            count
        }
        (Some(ResetRule::Subtract), _) => {
            *v -= threshold;
            1.0
        }
        _ => {
            *v = of("v_reset", 0.0);
            1.0
        }
    }
}

fn numbers(array: &Array) -> Vec<f64> {
    array.to_f64().unwrap()
}

fn product(weight: &Array, row: usize, x: &[f64]) -> f64 {
    let columns = weight.shape[1];
    let weight = numbers(weight);
    (0..columns).map(|c| weight[row * columns + c] * x[c]).sum()
}

/// A convolution by its definition: every tap of every window.
fn windows(c: &Conv<2>, takes: &[usize], gives: &[usize], x: &[f64]) -> Vec<f64> {
    let (weight, bias) = (numbers(&c.weight), numbers(&c.bias));
    let &[out, per_group, kh, kw] = &c.weight.shape[..] else { panic!() };
    let pad = |axis: usize, k: usize| match c.padding {
        Padding::Valid => 0,
        Padding::Zeros(p) => p[axis],
        Padding::Same => c.dilation[axis] * (k - 1) / 2,
    };
    let mut y = Vec::new();
    for o in 0..out {
        for oy in 0..gives[1] {
            for ox in 0..gives[2] {
                let mut sum = bias[o];
                for ci in 0..per_group {
                    for ky in 0..kh {
                        for kx in 0..kw {
                            let iy =
                                (oy * c.stride[0] + ky * c.dilation[0]).checked_sub(pad(0, kh));
                            let ix =
                                (ox * c.stride[1] + kx * c.dilation[1]).checked_sub(pad(1, kw));
                            let (Some(iy), Some(ix)) = (iy, ix) else { continue };
                            if iy >= takes[1] || ix >= takes[2] {
                                continue;
                            }
                            let channel = o / (out / c.groups) * per_group + ci;
                            sum += weight[((o * per_group + ci) * kh + ky) * kw + kx]
                                * x[(channel * takes[1] + iy) * takes[2] + ix];
                        }
                    }
                }
                y.push(sum);
            }
        }
    }
    y
}

fn pooled(p: &Pool, factor: f64, takes: &[usize], gives: &[usize], x: &[f64]) -> Vec<f64> {
    let [kh, kw] = p.kernel;
    let channels = takes[0];
    let conv = Conv {
        input_shape: None,
        weight: constant(&[channels, 1, kh, kw], factor as f32),
        bias: constant(&[channels], 0.0),
        stride: p.stride,
        padding: Padding::Zeros(p.padding),
        dilation: [1, 1],
        groups: channels,
    };
    windows(&conv, takes, gives, x)
}

/// Runs a graph as equations and as a network, and compares every population that the network has. Returns how
/// often each fired.
fn compare(file: &NirFile, choices: Choices, late: &[(&str, &str)]) -> BTreeMap<String, u64> {
    let found = lowered(file, choices).unwrap_or_else(|d| panic!("{d}"));
    let checked = check(file);
    let Primitive::Graph(graph) = &file.root.primitive else { panic!() };
    let mut rng = Rng(7);
    let mut inputs = Values::new();
    let mut trains = Vec::new();
    for node in found.network.nodes.values() {
        if !matches!(node.op, snnc_ir::network::Op::Input(_)) {
            continue;
        }
        let size = node.shape.size();
        let mut train = SpikeTrain::new(STEPS, size);
        let mut steps = Vec::new();
        for step in 0..STEPS {
            let spikes: Vec<bool> = (0..size).map(|_| rng.below(5) < 2).collect();
            for (n, _) in spikes.iter().enumerate().filter(|(_, s)| **s) {
                train.set(step, n);
            }
            steps.push(spikes.iter().map(|&s| f64::from(u8::from(s))).collect());
        }
        inputs.insert(node.name.clone(), steps);
        trains.push(train);
    }
    let interpreter = Interpreter {
        graph,
        checked: &checked,
        choices,
        late,
        inputs: &inputs,
        state: BTreeMap::new(),
        values: Values::new(),
    };
    let expected = interpreter.run();
    let run = simulate(&found.network, &Stimulus::from(trains), &FloatProbe::default()).unwrap();
    let mut fired = BTreeMap::new();
    for (id, train) in &run.spikes {
        let name = &found.network.nodes[*id].name;
        let Some(values) = expected.get(name) else { continue };
        for (step, values) in values.iter().enumerate() {
            for (n, value) in values.iter().enumerate() {
                assert_eq!(train.get(step, n), *value > 0.0, "{name}, step {step}, neuron {n}");
            }
        }
        fired.insert(name.clone(), train.count());
    }
    let spiking = graph.nodes.iter().filter(|(_, n)| n.primitive.fires()).map(|(name, _)| name);
    for name in spiking {
        let count = fired.get(name).copied().unwrap_or(0);
        assert!(count > 0, "{name} fires: {fired:?}");
    }
    fired
}

fn conv2d(rng: &mut Rng, weight: &[usize], groups: usize) -> Conv<2> {
    Conv {
        input_shape: None,
        weight: rng.weights(weight),
        bias: rng.weights(&weight[..1]),
        stride: [1, 1],
        padding: Padding::Zeros([1, 0]),
        dilation: [1, 1],
        groups,
    }
}

#[test]
fn convolutions_and_pooling() {
    let rng = &mut Rng(1);
    let strided = Conv { stride: [2, 1], ..conv2d(rng, &[4, 2, 3, 2], 1) };
    let dilated =
        Conv { dilation: [2, 3], padding: Padding::Same, ..conv2d(rng, &[4, 2, 3, 2], 2) };
    let graph = file(
        vec![
            ("in", input(&[2, 9, 8])),
            ("a", Primitive::Conv2d(strided)),
            ("n", lif(&[4, 5, 7])),
            ("b", Primitive::Conv2d(dilated)),
            ("m", lif(&[4, 5, 7])),
            ("sum", Primitive::SumPool2d(Pool { kernel: [2, 2], stride: [2, 3], padding: [1, 0] })),
            (
                "mean",
                Primitive::AvgPool2d(Pool { kernel: [2, 1], stride: [1, 2], padding: [1, 0] }),
            ),
            ("flat", Primitive::Flatten(Flatten { input_type: None, start: 0, end: -1 })),
            ("w", Primitive::Affine { weight: rng.weights(&[5, 16]), bias: rng.weights(&[5]) }),
            ("out", lif(&[5])),
            ("end", output(&[5])),
        ],
        "in > a > n > b > m > sum > mean > flat > w > out > end",
    );
    compare(&graph, euler(), &[]);
}

#[test]
fn one_axis_scales_and_parts_of_shapes() {
    let rng = &mut Rng(2);
    let conv = Conv {
        input_shape: Some([10]),
        weight: rng.weights(&[4, 2, 3]),
        bias: rng.weights(&[4]),
        stride: [2],
        padding: Padding::Zeros([2]),
        dilation: [2],
        groups: 1,
    };
    let graph = file(
        vec![
            ("in", input(&[2, 10])),
            ("c", Primitive::Conv1d(conv)),
            ("n", lif(&[4, 5])),
            ("s", Primitive::Scale { scale: rng.weights(&[4, 5]) }),
            ("m", lif(&[4, 5])),
            ("flat", Primitive::Flatten(Flatten { input_type: None, start: 0, end: 1 })),
            ("t", Primitive::Scale { scale: rng.weights(&[20]) }),
            ("z", Primitive::Threshold { threshold: constant(&[20], 0.25) }),
            ("end", output(&[20])),
        ],
        "in > c > n > s > m > flat > t > z > end",
    );
    compare(&graph, euler(), &[]);
}

#[test]
fn delays_of_several_lengths_are_true_delays() {
    let rng = &mut Rng(3);
    let delays = |d: &[f32]| Primitive::Delay { delay: array(&[d.len()], d.to_vec()) };
    let graph = file(
        vec![
            ("in", input(&[4])),
            ("early", delays(&[0.0, 3.0, 1.0, 3.0])),
            ("w", Primitive::Affine { weight: rng.weights(&[3, 4]), bias: rng.weights(&[3]) }),
            // The bias of `w` begins with the delay.
            ("later", delays(&[2.0, 2.0, 2.0])),
            ("n", lif(&[3])),
            // A loop that holds itself back.
            ("again", delays(&[4.0, 4.0, 4.0])),
            ("back", Primitive::Linear { weight: rng.weights(&[3, 3]) }),
            ("end", output(&[3])),
        ],
        "in > early > w > later > n > end, n > again > back > n",
    );
    compare(&graph, euler(), &[]);
    let found = lowered(&graph, euler()).unwrap();
    assert!(found.notes.is_empty(), "{}", found.notes);
    assert_eq!(found.delays.len(), 3 + 1 + 1);
}

/// A loop with a bias, whose weights are read by something else, too.
fn biased_loop() -> NirFile {
    let rng = &mut Rng(4);
    file(
        vec![
            ("in", input(&[3])),
            ("w", Primitive::Linear { weight: rng.weights(&[3, 3]) }),
            ("n", cuba(&[3], 0.25)),
            ("back", Primitive::Affine { weight: rng.weights(&[3, 3]), bias: rng.weights(&[3]) }),
            ("m", lif(&[3])),
            ("end", output(&[3])),
        ],
        "in > w > n > back > n, back > m > end",
    )
}

#[test]
fn biases_of_loops_begin_at_once_or_with_the_delay() {
    let graph = biased_loop();
    let delayed = Choices { loop_bias: Some(LoopBias::Delayed), ..euler() };
    let late = compare(&graph, delayed, &[("back", "n")]);
    // At once, the loop reads weights of its own: the other reader of `back` is not delayed.
    let mut doubled = graph.clone();
    let Primitive::Graph(inner) = &mut doubled.root.primitive else { panic!() };
    inner.nodes.insert("twin".to_owned(), inner.nodes["back"].clone());
    let edges = "in w, w n, n twin, twin n, n back, back m, m end".split(", ");
    inner.edges = edges
        .map(|e| e.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap())
        .collect();
    let at_once = compare(&doubled, euler(), &[("n", "twin")]);
    assert_ne!(late, at_once, "it matters");
    let run = |file: &NirFile| {
        let network = lowered(file, euler()).unwrap().network;
        let mut train = SpikeTrain::new(STEPS, 3);
        (0..STEPS).filter(|t| t % 3 < 2).for_each(|t| train.set(t, t % 3));
        let stimulus = Stimulus::from(vec![train]);
        let run = simulate(&network, &stimulus, &FloatProbe::default()).unwrap();
        let named = run.spikes.into_iter().map(|(id, s)| (network.nodes[id].name.clone(), s));
        named.filter(|(name, _)| name == "n" || name == "m").collect::<Vec<_>>()
    };
    assert_eq!(run(&graph), run(&doubled));
}

#[test]
fn resets_comparisons_and_several_spikes() {
    let rng = &mut Rng(5);
    let at_rest = |v_reset: f32| Primitive::Lif {
        tau: constant(&[4], 4.0),
        r: constant(&[4], 8.0),
        v_leak: array(&[4], vec![0.0, 0.5, -0.5, 0.25]),
        v_threshold: array(&[4], vec![1.0, 0.5, 1.0, 0.75]),
        v_reset: Some(constant(&[4], v_reset)),
    };
    let integrate =
        Primitive::If { r: constant(&[4], 0.5), v_threshold: constant(&[4], 0.5), v_reset: None };
    for (v_reset, reset, spikes_per_step, comparison) in [
        (-0.25, ResetRule::Value, SpikesPerStep::One, Compare::Gt),
        (0.25, ResetRule::Value, SpikesPerStep::One, Compare::Ge),
        (0.0, ResetRule::Zero, SpikesPerStep::One, Compare::Ge),
        (0.0, ResetRule::Subtract, SpikesPerStep::One, Compare::Gt),
        (0.0, ResetRule::Subtract, SpikesPerStep::Several, Compare::Ge),
    ] {
        let graph = file(
            vec![
                ("in", input(&[4])),
                ("w", Primitive::Affine { weight: rng.weights(&[4, 4]), bias: rng.weights(&[4]) }),
                ("n", at_rest(v_reset)),
                ("u", Primitive::Linear { weight: rng.weights(&[4, 4]) }),
                ("m", integrate.clone()),
                ("end", output(&[4])),
            ],
            "in > w > n > u > m > end",
        );
        let choices = Choices {
            reset: Some(reset),
            spikes_per_step: Some(spikes_per_step),
            comparison: Some(comparison),
            ..euler()
        };
        compare(&graph, choices, &[]);
    }
}

#[test]
fn inputs_and_outputs_may_be_several_and_merge() {
    let rng = &mut Rng(6);
    let graph = file(
        vec![
            ("x", input(&[3])),
            ("y", input(&[2])),
            ("a", Primitive::Linear { weight: rng.weights(&[4, 3]) }),
            ("b", Primitive::Affine { weight: rng.weights(&[4, 2]), bias: rng.weights(&[4]) }),
            ("n", lif(&[4])),
            ("m", cuba(&[4], 0.0)),
            ("p", output(&[4])),
            ("q", output(&[4])),
        ],
        "x > a > n > p, y > b > n, b > m > q, n > m",
    );
    compare(&graph, euler(), &[]);
    let found = lowered(&graph, euler()).unwrap();
    let read = &found.network.nodes[found.network.readout.node()];
    assert_eq!((read.name.as_str(), read.shape.size()), ("outputs", 8));
}

#[test]
fn an_inner_graph_is_the_same_network() {
    let rng = &mut Rng(8);
    let w = Primitive::Affine { weight: rng.weights(&[4, 3]), bias: rng.weights(&[4]) };
    let inner = file(
        vec![("i", input(&[3])), ("w", w.clone()), ("n", lif(&[4])), ("o", output(&[4]))],
        "i > w > n > o",
    );
    let nested = file(
        vec![("x", input(&[3])), ("part", inner.root.primitive), ("end", output(&[4]))],
        "x > part > end",
    );
    let flat = file(
        vec![("x", input(&[3])), ("part/w", w), ("part/n", lif(&[4])), ("end", output(&[4]))],
        "x > part/w > part/n > end",
    );
    let [mut a, mut b] = [nested, flat].map(|f| lowered(&f, euler()).unwrap().network.into_draft());
    for draft in [&mut a, &mut b] {
        for tensor in draft.tensors.values_mut() {
            tensor.name.clear();
            tensor.provenance = snnc_ir::network::Provenance::Dense { tensor: String::new() };
        }
    }
    assert_eq!(a, b);
}
