//! Factors of encoded weights: as stages they compute what the decoded matrices compute.

#![allow(clippy::cast_possible_truncation, reason = "test networks are small")]

mod common;

use common::generate::{Builder, Rng, plain_neuron};
use common::{evaluate, gee, network, run_for, target};
use insta::assert_snapshot;
use proptest::prelude::*;
use snnc_ir::arena::TensorId;
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::network as codes;
use snnc_ir::network::{Coding, Genes, Keep, Op, Provenance, Readout, Scheme, Tensor};
use snnc_ir::{Diagnostics, NetworkDraft, Shape, TargetSpec};
use snnc_passes::Property;
use std::collections::BTreeSet;

const STEPS: usize = 5;

/// A target whose relays can send values.
fn graded() -> TargetSpec {
    TargetSpec { programmable_neuron: true, ..target() }
}

/// The network after a pipeline, and the remarks.
fn after(draft: NetworkDraft, pipeline: &str) -> (NetworkDraft, Diagnostics) {
    let outcome = run_for(&graded(), draft, pipeline, &mut |_: usize, _: &'static str, _: &_| ())
        .unwrap_or_else(|f| panic!("{}: {}", f.pass, f.diagnostics));
    (NetworkDraft::clone(network(&outcome.level)), outcome.remarks)
}

fn relays(draft: &NetworkDraft) -> usize {
    draft.nodes.values().filter(|n| n.op == Op::Relay(None)).count()
}

/// Every population is driven with random reals; the currents of all neurons must agree.
fn same_currents(before: &NetworkDraft, after: &NetworkDraft, seed: u64) {
    let drive = |name: &str, t: usize, size: usize| {
        let start = seed ^ ((t as u64) << 32);
        let salt = name.bytes().fold(start, |h, b| h.wrapping_mul(31) ^ u64::from(b));
        let mut rng = Rng::new(salt);
        Some((0..size).map(|_| f64::from(rng.real())).collect())
    };
    let [old, new] = [before, after].map(|d| evaluate::run(d, STEPS, drive));
    for t in 0..STEPS {
        for node in after.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_))) {
            let name = &node.name;
            let [a, b] = [old.current(before, t, name), new.current(after, t, name)];
            let largest = a.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
            let close = a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 1e-4 * largest);
            assert!(a.len() == b.len() && close, "`{name}`, step {t}: {a:?} became {b:?}");
        }
    }
}

const REST: &str = "fold-batchnorm,fold-pooling,push-neurons,fold-silent,merge-nodes,\
    lower-currents,drop-clips,normalize-neurons,feed-currents,remove-dead,fold-shared";

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_is_what_the_genes_mean(seed in any::<u64>()) {
        let before = gee::network(seed);
        let (decoded, remarks) = after(before.clone(), "lower-genes{lowering=materialized}");
        prop_assert!(remarks.is_empty());
        prop_assert_eq!(decoded.nodes.len(), before.nodes.len());
        prop_assert_eq!(decoded.parameters(), before.parameters());
        for (old, new) in before.nodes.values().zip(decoded.nodes.values()) {
            let (Op::Linear { weight: a, .. } | Op::Conv2d { weight: a, .. }) = old.op else { continue };
            let (Op::Linear { weight: b, .. } | Op::Conv2d { weight: b, .. }) = new.op else {
                return Err(TestCaseError::fail("another operation"));
            };
            prop_assert_eq!(&*before.values(a), &*decoded.tensors[b].data);
        }
        same_currents(&before, &decoded, seed);
    }

    #[test]
    fn stages_compute_what_the_matrix_computes(seed in any::<u64>()) {
        let before = gee::network(seed);
        let (factored, _) = after(before.clone(), "lower-genes{lowering=factored}");
        let encoded = |n: &&snnc_ir::network::Node| matches!(n.op, Op::Linear { .. } | Op::Conv2d { .. });
        let count = before.nodes.values().filter(encoded).count();
        prop_assert!(relays(&factored) >= count);
        // Genes are gone, but for those that are stages themselves.
        prop_assert!(factored.only_genes().iter().all(|gene| !gene));
        same_currents(&before, &factored, seed);
    }

    /// With everything that folds into the stages: normalization, pooling, delays.
    #[test]
    fn stages_survive_the_passes_behind_them(seed in any::<u64>()) {
        let before = gee::network(seed);
        let pipeline = format!("lower-genes{{lowering=factored}},{}", "fold-batchnorm,fold-pooling,lower-currents");
        let (factored, _) = after(before.clone(), &pipeline);
        prop_assert!(relays(&factored) > 0);
        same_currents(&before, &factored, seed);
    }

    #[test]
    fn spikes_survive(seed in any::<u64>()) {
        let before = gee::network(seed);
        let (factored, _) = after(before.clone(), &format!("lower-genes{{lowering=factored}},{REST}"));
        let drive = |name: &str, t: usize, size: usize| {
            let mut rng = Rng::new(seed ^ t as u64);
            (name == "x").then(|| (0..size).map(|_| f64::from(rng.below(2))).collect())
        };
        let [old, new] = [&before, &factored].map(|d| evaluate::run(d, 4 * STEPS, drive));
        for t in (0..4 * STEPS).take_while(|&t| old.margin[t] >= 1e-3) {
            let name = before.nodes[before.readout.node()].name.as_str();
            prop_assert_eq!(old.value(&before, t, name), new.value(&factored, t, name), "step {}", t);
        }
    }
}

/// Builds networks of encoded layers by hand, all with the genes that are given by name.
struct Net {
    b: Builder,
    genes: std::collections::BTreeMap<String, TensorId>,
}

impl Net {
    fn new() -> Self {
        Self { b: Builder::new(), genes: std::collections::BTreeMap::new() }
    }

    /// A gene of ascending eighths.
    fn gene(&mut self, name: &str, shape: &[u32]) -> TensorId {
        if let Some(&known) = self.genes.get(name) {
            return known;
        }
        let size: u32 = shape.iter().product();
        let data = (0..size).map(|k| f32::from((k % 13) as u8) / 8.0 - 0.75).collect();
        let id = self.b.tensor(name, shape, data);
        self.genes.insert(name.to_owned(), id);
        id
    }

    fn weight(
        &mut self,
        name: &str,
        scheme: Scheme,
        shape: &[u32],
        [out, core, source]: [TensorId; 3],
    ) -> TensorId {
        let name_of = |t: TensorId| self.b.draft.tensors[t].name.clone();
        let provenance = Provenance::Encoded {
            scheme,
            out: name_of(out),
            core: name_of(core),
            source: name_of(source),
            scale: 0.5,
            heaviside: false,
        };
        let genes = Some(Genes { out, core, source });
        let (name, shape) = (format!("{name}.weight"), Shape(shape.to_vec()));
        self.b.draft.tensors.push(Tensor { name, shape, data: Vec::new(), provenance, genes })
    }

    /// Layers of so many neurons with so many genes, one interaction for all.
    fn layers(sizes: &[u32], genes: u32) -> Self {
        let mut net = Self::new();
        let core = net.gene("o", &[genes, genes]);
        let mut source = net.b.node("n0", Op::Input(Coding::Events), &[], Shape::flat(sizes[0]));
        for (i, pair) in sizes.windows(2).enumerate() {
            let (from, to) = (pair[0], pair[1]);
            let e = [(i, from), (i + 1, to)].map(|(i, n)| net.gene(&format!("e{i}"), &[n, genes]));
            let name = format!("l{}", i + 1);
            let weight = net.weight(&name, Scheme::Linear, &[to, from], [e[1], core, e[0]]);
            let op = Op::Linear { weight, bias: None };
            let current = net.b.node(&name, op, &[(source, 0)], Shape::flat(to));
            let neuron = Op::Neuron(plain_neuron());
            source = net.b.node(&format!("n{}", i + 1), neuron, &[(current, 0)], Shape::flat(to));
        }
        net.b.draft.readout = Readout::SpikeCount(source);
        net
    }

    fn factored(self, lowering: &str) -> (NetworkDraft, String) {
        let (draft, remarks) = after(self.b.draft, &format!("lower-genes{{lowering={lowering}}}"));
        (draft, remarks.to_string())
    }
}

fn text(draft: &NetworkDraft) -> String {
    snnc_ir::text::print_network(draft)
}

#[test]
fn a_linear_weight_becomes_two_stages() {
    let (draft, remarks) = Net::layers(&[6, 5], 2).factored("factored");
    assert_snapshot!(format!("{}\n{remarks}", text(&draft)));
}

#[test]
fn a_convolution_becomes_three_stages() {
    let mut net = Net::new();
    let conv = Conv {
        input: [5, 3, 3],
        out_channels: 6,
        kernel: [3, 3],
        stride: [2, 1],
        pad: [1; 4],
        groups: 1,
        crop: [0; 4],
    };
    let genes =
        [("eo", &[6, 2][..]), ("o", &[9, 2, 2]), ("ei", &[5, 2])].map(|(n, s)| net.gene(n, s));
    let weight = net.weight("c", Scheme::PerOffset, &[6, 5, 3, 3], genes);
    let x = net.b.node("x", Op::Input(Coding::Events), &[], Shape::chw(5, 3, 3));
    let bias = Some(net.gene("b", &[6]));
    let out = Shape(conv.output().expect("it fits").to_vec());
    let c = net.b.node("c", Op::Conv2d { weight, bias, conv }, &[(x, 3)], out.clone());
    let y = net.b.node("y", Op::Neuron(plain_neuron()), &[(c, 0)], out);
    net.b.draft.readout = Readout::SpikeCount(y);
    let (draft, remarks) = net.factored("factored");
    assert_snapshot!(format!("{}\n{remarks}", text(&draft)));
}

#[test]
fn shared_interactions_stay_one_tensor() {
    // Many layers: the interactions count in parts, but still more than nothing, so that they are only a
    // stage of their own where genes of sources and targets differ.
    let mut net = Net::new();
    let core = net.gene("o", &[9, 2, 2]);
    let mut source = net.b.node("x", Op::Input(Coding::Events), &[], Shape::chw(8, 4, 4));
    for i in 0..3 {
        let conv = Conv {
            input: [8, 4, 4],
            out_channels: 8,
            kernel: [3, 3],
            stride: [1; 2],
            pad: [1; 4],
            groups: 1,
            crop: [0; 4],
        };
        let e = [i, i + 1].map(|i| net.gene(&format!("e{i}"), &[8, 2]));
        let (name, shape) = (format!("c{i}"), Shape::chw(8, 4, 4));
        let weight = net.weight(&name, Scheme::PerOffset, &[8, 8, 3, 3], [e[1], core, e[0]]);
        let c = net.b.node(
            &name,
            Op::Conv2d { weight, bias: None, conv },
            &[(source, 0)],
            shape.clone(),
        );
        source = net.b.node(&format!("h{i}"), Op::Neuron(plain_neuron()), &[(c, 0)], shape);
    }
    net.b.draft.readout = Readout::SpikeCount(source);
    let (draft, _) = net.factored("factored");
    let cores: Vec<TensorId> = (0..3)
        .map(|i| match draft.nodes[draft.node_named(&format!("c{i}.core")).unwrap()].op {
            Op::Conv2d { weight, .. } => weight,
            ref op => panic!("{}", op.name()),
        })
        .collect();
    assert_eq!(cores.iter().collect::<BTreeSet<_>>().len(), 1);
    // One encoding serves as target and as source: two forms, each once; the first and the last serve once.
    assert_eq!(draft.tensors.len(), 1 + 3 + 3);
    assert_eq!(draft.parameters(), 9 * 4 + 6 * 8 * 2);
}

#[test]
fn auto_factors_where_it_pays() {
    let (draft, remarks) = Net::layers(&[4000, 3000, 10], 8).factored("auto");
    // 12 million values against 56 thousand and a few relays; 30 thousand against 24 thousand.
    assert_eq!(relays(&draft), 1);
    assert!(draft.node_named("l1.in.relay").is_some() && draft.node_named("l2").is_some());
    assert_snapshot!(remarks);
}

/// Relays of one gene are dear to `auto` only.
#[test]
fn smallest_counts_memory_only() {
    let mut lowered = |lowering| relays(&Net::layers(&[30, 40, 50, 60], 8).factored(lowering).0);
    // 1,200 values against 560, 2,000 against 720 and 3,000 against 880; a relay counts 32.
    assert_eq!(["auto", "smallest", "factored"].map(&mut lowered), [2, 3, 3]);
}

#[test]
fn targets_without_graded_messages() {
    let net = || Net::layers(&[6, 5], 2).b.draft;
    let mut observer = |_: usize, _: &'static str, _: &_| ();
    let failure = run_for(&target(), net(), "lower-genes{lowering=factored}", &mut observer);
    let failure = failure.expect_err("no programmable neurons");
    assert!(failure.diagnostics.iter().all(|d| d.code == codes::NO_FACTORS));
    let auto = run_for(&target(), net(), "lower-genes", &mut observer).expect("decoded");
    assert_eq!(relays(network(&auto.level)), 0);
    assert_snapshot!(format!("{}\n{}", failure.diagnostics, auto.remarks));
}

/// One weight for each reason, by name.
/// A bias sits on the last stage only, so that the first ones may be silent where the node was not.
#[test]
fn a_stage_may_be_silent_where_its_node_was_not() {
    let mut net = Net::new();
    let off = net.b.node("off", Op::Zero, &[], Shape::flat(5));
    // The readout keeps its population, which never fires.
    let quiet = net.b.node("quiet", Op::Neuron(plain_neuron()), &[(off, 0)], Shape::flat(5));
    let genes = [("eo", &[4, 2][..]), ("o", &[2, 2]), ("ei", &[5, 2])].map(|(n, s)| net.gene(n, s));
    let weight = net.weight("l", Scheme::Linear, &[4, 5], genes);
    let bias = Some(net.gene("b", &[4]));
    let linear = Op::Linear { weight, bias };
    let current = net.b.node("l", linear, &[(quiet, 1)], Shape::flat(4));
    net.b.node("driven", Op::Neuron(plain_neuron()), &[(current, 0)], Shape::flat(4));
    net.b.draft.readout = Readout::SpikeCount(quiet);
    assert!(Property::SilentFolded.holds_for_network(&net.b.draft));
    let (draft, _) = net.factored("factored");
    assert_eq!(relays(&draft), 1);
    assert!(!Property::SilentFolded.holds_for_network(&draft));
}

#[test]
fn what_cannot_be_factored_is_named() {
    let mut net = Net::layers(&[40, 30, 20], 2);
    let draft = &mut net.b.draft;
    let nodes = |name: &str, draft: &NetworkDraft| draft.node_named(name).expect("it exists");
    // The first layer reads analog values, the last one is the readout.
    let input = nodes("n0", draft);
    draft.nodes[input].op = Op::Input(Coding::Direct { range: Some([0, 1]) });
    draft.readout = Readout::MeanLinear(nodes("l2", draft));
    let (first, last) = (nodes("n1", draft), nodes("l2", draft));
    // A step, and values that are stored.
    let [step, stored] = ["step", "stored"].map(|name| {
        let Op::Linear { weight, .. } = net.b.draft.nodes[last].op else { panic!("linear") };
        let mut tensor = net.b.draft.tensors[weight].clone();
        tensor.name = format!("{name}.weight");
        tensor.data = net.b.draft.values(weight).into_owned();
        tensor.genes = None;
        if let (Provenance::Encoded { heaviside, .. }, "step") = (&mut tensor.provenance, name) {
            *heaviside = true;
        }
        let weight = net.b.draft.tensors.push(tensor);
        let op = Op::Linear { weight, bias: None };
        net.b.node(name, op, &[(first, 1)], Shape::flat(20))
    });
    let y = net.b.node("y", Op::Neuron(plain_neuron()), &[(step, 0)], Shape::flat(20));
    net.b.node("z", Op::Neuron(plain_neuron()), &[(stored, 0)], Shape::flat(20));
    assert_eq!(net.b.draft.nodes[y].name, "y");
    let (draft, remarks) = net.factored("factored");
    assert_eq!(relays(&draft), 0);
    assert_snapshot!(remarks);
}

/// What `auto` leaves alone and `factored` does not.
#[test]
fn loops_and_clips_discourage() {
    let mut net = Net::layers(&[400, 300, 200], 2);
    let [h, l2, n0] =
        ["n1", "l2", "n0"].map(|name| net.b.draft.node_named(name).expect("it exists"));
    // n1 reads itself; n2 reads a clip.
    let genes = ["e1", "o", "e1"].map(|name| net.genes[name]);
    let weight = net.weight("again", Scheme::Linear, &[300, 300], genes);
    let flat = Shape::flat;
    let again = net.b.node("again", Op::Linear { weight, bias: None }, &[(h, 1)], flat(300));
    let l1 = net.b.draft.node_named("l1").expect("it exists");
    let sum = net.b.node("sum", Op::Add, &[(l1, 0), (again, 0)], flat(300));
    net.b.draft.nodes[h].inputs[0].source = sum;
    let genes = ["e2", "o", "e0"].map(|name| net.genes[name]);
    let weight = net.weight("skip", Scheme::Linear, &[200, 400], genes);
    let skip = net.b.node("skip", Op::Linear { weight, bias: None }, &[(n0, 0)], flat(200));
    let clip = net.b.node("clip", Op::Relay(Some(Keep::Positive)), &[(skip, 0)], flat(200));
    let total = net.b.node("total", Op::Add, &[(l2, 0), (clip, 0)], flat(200));
    let n2 = net.b.draft.node_named("n2").expect("it exists");
    net.b.draft.nodes[n2].inputs[0].source = total;
    let before = net.b.draft.clone();
    let (draft, remarks) = net.factored("auto");
    // Only `l1` neither lies on the loop nor meets a clip.
    assert_eq!(relays(&draft), 1);
    assert_snapshot!(remarks);
    let (draft, _) = after(before.clone(), "lower-genes{lowering=factored}");
    assert_eq!(relays(&draft), 4);
    same_currents(&before, &draft, 7);
}

/// One tensor is the encoding of a layer's neurons and the interactions of another layer: a gene that does nothing there is a
/// neuron here.
#[test]
fn interactions_that_encode_neurons_elsewhere_stay_whole() {
    for (values, source) in [([0.0, 0.5], [0.25, 0.75]), ([0.5, 0.5], [0.25, 0.25])] {
        let mut net = Net::new();
        let both = net.b.tensor("both", &[2, 1], values.to_vec());
        let genes = [both, net.gene("o", &[1, 2]), net.gene("e0", &[5, 2])];
        let first = net.weight("first", Scheme::Linear, &[2, 5], genes);
        // Two genes, both of which every target has alike.
        let e2 = net.b.tensor("e2", &[3, 2], [source; 3].concat());
        let genes = [e2, both, net.gene("e1", &[2, 1])];
        let second = net.weight("second", Scheme::Linear, &[3, 2], genes);
        let mut source = net.b.node("x", Op::Input(Coding::Events), &[], Shape::flat(5));
        for (name, weight, size) in [("first", first, 2), ("second", second, 3)] {
            let op = Op::Linear { weight, bias: None };
            let current = net.b.node(name, op, &[(source, 0)], Shape::flat(size));
            let neuron = Op::Neuron(plain_neuron());
            source = net.b.node(&format!("{name}.n"), neuron, &[(current, 0)], Shape::flat(size));
        }
        net.b.draft.readout = Readout::SpikeCount(source);
        let before = net.b.draft.clone();
        for lowering in ["factored", "auto", "smallest"] {
            let (draft, _) = after(before.clone(), &format!("lower-genes{{lowering={lowering}}}"));
            same_currents(&before, &draft, 5);
        }
    }
}
