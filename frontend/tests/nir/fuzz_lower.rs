//! Changed graphs become networks or are refused: no panic, no endless work, no memory that the graph does not account for.

use crate::fixtures;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use snnc_frontend::arrays::{Array, ArrayData};
use snnc_frontend::nir::dialect::Choices;
use snnc_frontend::nir::lower::{Given, lower};
use snnc_frontend::nir::{NirFile, NirGraph, Padding, Primitive, Read, check, read};
use snnc_ir::diag::codes::internal;
use snnc_ir::network::Compare;
use snnc_ir::network::discretization::{
    Dialect, IfDialect, Integration, LoopBias, ResetRule, SpikesPerStep, TimeUnit,
};
use std::path::Path;
use std::time::{Duration, Instant};

/// Graphs that are valid: own ones, and those that simulators export.
fn graphs() -> Vec<NirFile> {
    let own = ["compressed", "convolutional", "feedforward", "nested", "recurrent"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/nir");
    let mut exported: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    exported.retain(|path| path.extension().is_some_and(|e| e == "nir"));
    exported.sort();
    let own = own.into_iter().map(fixtures::bytes);
    let exported = exported.into_iter().map(|path| std::fs::read(path).unwrap());
    own.chain(exported)
        .map(|bytes| {
            let Read { file, .. } = read(bytes).unwrap();
            file
        })
        .collect()
}

/// A change of a graph; the numbers choose a node, an array, an element, an edge.
#[derive(Clone, Debug)]
enum Change {
    Number(usize, usize, usize, f64),
    Every(usize, usize, f64),
    Extent(usize, usize, usize, usize),
    Window(usize, usize, usize),
    Replace(usize, usize),
    Remove(usize),
    Edge(usize, usize),
    Unedge(usize),
    Kind(usize, u8),
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, 0.5, 1e-4, 1e-3, 3e-4, 2.0, 10_000.0]),
        2 => prop::sample::select(vec![1e-40, 1e30, 1e300, f64::INFINITY, f64::NAN, -1e9, 1e9, 5e-324]),
        2 => -2.0..2.0_f64,
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>();
    let extent = prop_oneof![
        3 => 0..9_usize,
        1 => prop::sample::select(vec![1 << 20, 1 << 33, usize::MAX, 4_294_967_295]),
    ];
    prop_oneof![
        3 => (at, at, at, number()).prop_map(|(n, a, i, x)| Change::Number(n, a, i, x)),
        5 => (at, at, number()).prop_map(|(n, a, x)| Change::Every(n, a, x)),
        1 => (at, at, at, 0..9_usize).prop_map(|(n, a, i, x)| Change::Extent(n, a, i, x)),
        3 => (at, at, extent).prop_map(|(n, i, x)| Change::Window(n, i, x)),
        2 => (at, at).prop_map(|(n, m)| Change::Replace(n, m)),
        1 => at.prop_map(Change::Remove),
        3 => (at, at).prop_map(|(n, m)| Change::Edge(n, m)),
        1 => at.prop_map(Change::Unedge),
        3 => (at, any::<u8>()).prop_map(|(n, k)| Change::Kind(n, k)),
    ]
}

fn graph(file: &mut NirFile) -> &mut NirGraph {
    let Primitive::Graph(graph) = &mut file.root.primitive else { panic!("no graph") };
    graph
}

/// The `n`-th node; of an inner graph, one of its nodes.
fn nth(graph: &mut NirGraph, n: usize) -> Option<&mut Primitive> {
    let count = graph.nodes.len().max(1);
    let node = graph.nodes.values_mut().nth(n % count)?;
    if matches!(node.primitive, Primitive::Graph(_)) && !n.is_multiple_of(3) {
        let Primitive::Graph(inner) = &mut node.primitive else { return None };
        return nth(inner, n / count);
    }
    Some(&mut node.primitive)
}

#[expect(clippy::cast_possible_truncation, reason = "any number does")]
fn set(array: &mut Array, index: Option<usize>, x: f64) {
    fn fill<T: Copy>(values: &mut [T], index: Option<usize>, x: T) {
        match index {
            Some(_) if values.is_empty() => {}
            Some(i) => values[i % values.len()] = x,
            None => values.fill(x),
        }
    }
    match &mut array.data {
        ArrayData::F32(values) => fill(values, index, x as f32),
        ArrayData::F64(values) => fill(values, index, x),
        ArrayData::I64(values) => fill(values, index, x as i64),
        _ => {}
    }
}

/// The arrays of a node, to be changed.
fn arrays(primitive: &mut Primitive) -> Vec<&mut Array> {
    use Primitive as P;
    match primitive {
        P::Affine { weight, bias } => vec![weight, bias],
        P::Linear { weight } => vec![weight],
        P::Scale { scale } => vec![scale],
        P::Conv1d(c) => vec![&mut c.weight, &mut c.bias],
        P::Conv2d(c) => vec![&mut c.weight, &mut c.bias],
        P::Delay { delay } => vec![delay],
        P::Threshold { threshold } => vec![threshold],
        P::I { r } => vec![r],
        P::If { r, v_threshold, v_reset } => {
            [r, v_threshold].into_iter().chain(v_reset.as_mut()).collect()
        }
        P::Li { tau, r, v_leak } => vec![tau, r, v_leak],
        P::Lif { tau, r, v_leak, v_threshold, v_reset } => {
            [tau, r, v_leak, v_threshold].into_iter().chain(v_reset.as_mut()).collect()
        }
        P::CubaLi { tau_mem, tau_syn, r, v_leak, w_in } => {
            [tau_mem, tau_syn, r, v_leak].into_iter().chain(w_in.as_mut()).collect()
        }
        P::CubaLif { tau_mem, tau_syn, r, v_leak, v_threshold, v_reset, w_in } => {
            let always = [tau_mem, tau_syn, r, v_leak, v_threshold].into_iter();
            always.chain(v_reset.as_mut()).chain(w_in.as_mut()).collect()
        }
        _ => Vec::new(),
    }
}

fn window(primitive: &mut Primitive, i: usize, x: usize) {
    use Primitive as P;
    match primitive {
        P::Input { shape } | P::Output { shape } => {
            if let Some(extent) = {
                let n = shape.len().max(1);
                shape.get_mut(i % n)
            } {
                *extent = x;
            }
        }
        P::Conv2d(c) => match i % 6 {
            0 => c.stride[0] = x,
            1 => c.padding = Padding::Zeros([x, 1]),
            2 => c.dilation[1] = x,
            3 => c.groups = x,
            4 => c.padding = Padding::Same,
            _ => c.input_shape = Some([x, 8]),
        },
        P::SumPool2d(p) | P::AvgPool2d(p) => match i % 3 {
            0 => p.kernel[0] = x,
            1 => p.stride[1] = x,
            _ => p.padding[0] = x,
        },
        P::Flatten(f) => match i % 3 {
            0 => f.start = (x as u64).cast_signed(),
            1 => f.end = (x as u64).cast_signed().wrapping_neg(),
            _ => f.input_type = None,
        },
        _ => {}
    }
}

/// Another node with the parameters of a neuron.
fn kind(primitive: &Primitive, k: u8) -> Option<Primitive> {
    use Primitive as P;
    let found = primitive.elementwise();
    let first = found.first()?.1.clone();
    let get = |name| found.iter().find(|(n, _)| *n == name).map_or(&first, |(_, a)| *a).clone();
    let (tau_mem, tau_syn, r) = (get("tau_mem"), get("tau_syn"), get("r"));
    let (v_leak, v_threshold) = (get("v_leak"), get("v_threshold"));
    let (v_reset, w_in) = (Some(get("v_reset")), Some(get("w_in")));
    Some(match k % 9 {
        0 => P::If { r, v_threshold, v_reset },
        1 => P::Lif { tau: tau_mem, r, v_leak, v_threshold, v_reset },
        2 => P::CubaLif { tau_mem, tau_syn, r, v_leak, v_threshold, v_reset, w_in },
        3 => P::Li { tau: tau_mem, r, v_leak },
        4 => P::CubaLi { tau_mem, tau_syn, r, v_leak, w_in },
        5 => P::I { r },
        6 => P::Threshold { threshold: v_threshold },
        7 => P::Delay { delay: tau_mem },
        _ => P::Scale { scale: r },
    })
}

fn apply(file: &mut NirFile, change: &Change) {
    let graph = graph(file);
    let names: Vec<String> = graph.nodes.keys().cloned().collect();
    let name = |n: usize| names.get(n % names.len().max(1)).cloned().unwrap_or_default();
    match *change {
        Change::Number(n, a, i, x) => with_array(graph, n, a, |array| set(array, Some(i), x)),
        Change::Every(n, a, x) => with_array(graph, n, a, |array| set(array, None, x)),
        Change::Extent(n, a, i, x) => with_array(graph, n, a, |array| {
            let rank = array.shape.len().max(1);
            if let Some(extent) = array.shape.get_mut(i % rank) {
                *extent = x;
            }
            array.data = ArrayData::F32(vec![0.25; array.shape.iter().product()]);
        }),
        Change::Window(n, i, x) => {
            if let Some(primitive) = nth(graph, n) {
                window(primitive, i, x);
            }
        }
        Change::Replace(n, m) => {
            if let Some(other) = nth(graph, m).cloned()
                && let Some(primitive) = nth(graph, n)
            {
                *primitive = other;
            }
        }
        Change::Remove(n) => drop(graph.nodes.remove(&name(n))),
        Change::Edge(n, m) => graph.edges.push((name(n), name(m))),
        Change::Unedge(n) => {
            if !graph.edges.is_empty() {
                graph.edges.remove(n % graph.edges.len());
            }
        }
        Change::Kind(n, k) => {
            if let Some(primitive) = nth(graph, n)
                && let Some(other) = kind(primitive, k)
            {
                *primitive = other;
            }
        }
    }
}

fn with_array(graph: &mut NirGraph, n: usize, a: usize, change: impl FnOnce(&mut Array)) {
    if let Some(primitive) = nth(graph, n) {
        let mut found = arrays(primitive);
        if !found.is_empty() {
            let a = a % found.len();
            change(found[a]);
        }
    }
}

fn one<T: Copy + std::fmt::Debug + 'static>(
    all: &[(&str, T)],
) -> impl Strategy<Value = Option<T>> + use<T> {
    let all: Vec<T> = all.iter().map(|(_, value)| *value).collect();
    prop_oneof![3 => Just(None), 1 => prop::sample::select(all).prop_map(Some)]
}

fn choices() -> impl Strategy<Value = Choices> {
    let dialects: Vec<Dialect> = Dialect::ALL.iter().map(|(_, dialect)| *dialect).collect();
    let dialect = prop_oneof![1 => Just(None), 6 => prop::sample::select(dialects).prop_map(Some)];
    let dt = prop_oneof![
        4 => Just(None),
        3 => prop::sample::select(vec![1e-4, 1e-3, 1.0]).prop_map(Some),
        1 => number().prop_map(Some)
    ];
    let compare = prop_oneof![4 => Just(None), 1 => Just(Some(Compare::Ge))];
    let rest = (
        one(TimeUnit::ALL),
        one(Integration::ALL),
        one(ResetRule::ALL),
        one(SpikesPerStep::ALL),
        one(IfDialect::ALL),
        one(LoopBias::ALL),
    );
    (dialect, dt, compare, rest).prop_map(
        |(dialect, dt, comparison, (time_unit, integration, reset, spikes, if_dialect, bias))| {
            Choices {
                dialect,
                dt,
                time_unit,
                integration,
                comparison,
                reset,
                spikes_per_step: spikes,
                if_dialect,
                loop_bias: bias,
            }
        },
    )
}

/// Lowers, if the graph is valid. Whether there is a network.
fn survive(file: &NirFile, steps: Option<u32>, choices: Choices) -> bool {
    let checked = check(file);
    if checked.found.has_errors() {
        return false;
    }
    match lower(file, &checked, &Given { name: "n", steps, choices }) {
        Ok(lowered) => {
            assert!(!lowered.notes.has_errors());
            true
        }
        Err(found) => {
            assert!(found.has_errors());
            assert!(found.iter().all(|d| d.code != internal::PANIC), "{found}");
            false
        }
    }
}

fn some(seed: u64, seconds: Option<u64>, cases: u64) -> (u64, u64) {
    let mut bytes = *b"an arbitrary seed of the fuzzing";
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let files = graphs();
    let steps = prop_oneof![4 => Just(Some(50)), 1 => prop::option::of(any::<u32>())];
    let changes = prop::collection::vec(change(), 0..4);
    let strategy = (0..files.len(), changes, steps, choices());
    let start = Instant::now();
    let (mut tried, mut lowered) = (0, 0);
    while seconds.map_or(tried < cases, |s| start.elapsed() < Duration::from_secs(s)) {
        let (file, changes, steps, choices) = strategy.new_tree(&mut runner).unwrap().current();
        // What kills the process is found here.
        if let Ok(path) = std::env::var("NIR_FUZZ_LAST") {
            std::fs::write(path, format!("{file} {changes:?} {steps:?} {choices:?}")).unwrap();
        }
        let mut changed = files[file].clone();
        for change in &changes {
            apply(&mut changed, change);
        }
        let before = Instant::now();
        lowered += u64::from(survive(&changed, steps, choices));
        tried += 1;
        let took = before.elapsed();
        assert!(took < Duration::from_mins(1), "{file} {changes:?} {choices:?} took {took:?}");
    }
    (tried, lowered)
}

#[test]
fn changed_graphs_are_survived() {
    let (tried, lowered) = some(1, None, 3000);
    // Some of the changes are harmless.
    assert!(lowered > tried / 20 && lowered < tried, "{lowered} of {tried}");
}

/// By hand, as the long test of damaged files: with `NIR_FUZZ_SECONDS`, `NIR_FUZZ_SEED`, `NIR_FUZZ_LAST`.
#[test]
#[ignore = "takes as long as NIR_FUZZ_SECONDS says"]
fn changed_graphs_for_a_long_time() {
    let from =
        |name: &str, without| std::env::var(name).map_or(without, |text| text.parse().unwrap());
    let (tried, lowered) = some(from("NIR_FUZZ_SEED", 2), Some(from("NIR_FUZZ_SECONDS", 10)), 0);
    #[allow(clippy::print_stderr, reason = "the outcome of a run by hand")]
    {
        eprintln!("{tried} changed graphs, {lowered} of them lowered");
    }
}
