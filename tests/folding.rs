//! Genomes that say the same in more numbers: the network is the same, spike for spike in floats and integers,
//! and folding finds the smaller form again.
//!
//! All numbers are multiples of a power of two, so that weights decode without rounding and networks can be
//! compared bit for bit.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "test networks are small"
)]

mod common;

use common::Place;
use serde_json::{Value, json};
use snnc::artifact::{Artifact, publish};
use snnc::backends::program;
use snnc::folding::{FoldingAccount, Parts};
use snnc::frontend::arrays::{Array, ArrayData, write_npz};
use snnc::ir::Entity;
use snnc::ir::network::Op;
use snnc::ir::quantized::PopKind;
use snnc::ir::spikes::SpikeTrain;
use snnc::passes::AnyLevel;
use snnc::passes::fold_integers::{Fold, FoldKind};
use snnc::pipeline::{Lowering, Stage, Stages};
use snnc::report::{self, MeasureOptions};
use snnc::runtime::float::{FloatProbe, FloatSim};
use snnc::runtime::integer::{IntProbe, IntSim};
use snnc::runtime::{Signal, Stimulus};
use snnc::stimulus::{self as samples, Interface};
use snnc::verify::measure;
use snnc::{Options, Target, source};
use std::collections::BTreeMap;

/// A small generator of numbers (xorshift).
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) % n
    }

    /// A multiple of a quarter from -1 to 1.
    fn quarter(&mut self) -> f32 {
        self.below(9) as f32 / 4.0 - 1.0
    }
}

/// Values, and the extent that is not a gene: rows of an encoding, cells of a bank of interactions.
type Values = (usize, Vec<f32>);

/// A weight: scheme, encoding of the targets, interactions, encoding of the sources, scale.
#[derive(Clone)]
struct Weight(&'static str, &'static str, &'static str, &'static str, f64);

/// Three layers by genes: `per_offset`, `flat_fan_in` and `linear`; interactions serve two of them.
#[derive(Clone)]
struct Genome {
    genes: usize,
    encodings: BTreeMap<&'static str, Values>,
    cores: BTreeMap<&'static str, Values>,
    weights: BTreeMap<&'static str, Weight>,
    nodes: Vec<Value>,
}

const SIDE: usize = 5;

impl Genome {
    fn random(seed: u64) -> Self {
        let (mut rng, genes) = (Rng::new(seed), 3);
        let mut draw = |rows: usize, per: usize| -> Values {
            (rows, (0..rows * per).map(|_| rng.quarter()).collect())
        };
        // x: 2 channels; a: 4 channels of the same side; b: 3 channels; y: 3.
        let encodings = [("x", 2), ("a", 4), ("fan", 4 * 9), ("b", 3), ("flat", 27), ("y", 3)];
        let encodings = encodings.map(|(name, rows)| (name, draw(rows, genes))).into();
        let cores = [("bank", 9), ("o", 1)];
        let cores = cores.map(|(name, cells)| (name, draw(cells, genes * genes))).into();
        let weights = [
            ("wa", Weight("per_offset", "a", "bank", "x", 0.5)),
            ("wb", Weight("flat_fan_in", "b", "o", "fan", 0.25)),
            ("wy", Weight("linear", "y", "o", "flat", 0.5)),
        ];
        let conv = |id: &str, from: &str, w: &str, stride: u32| {
            json!({"id": id, "op": "conv2d", "in": [from], "k": [3, 3], "stride": [stride, stride],
                "pad": [1, 1, 1, 1], "weight": w})
        };
        let neuron =
            |id: &str, from: &str| json!({"id": id, "op": "neuron", "in": [from], "neuron": "if"});
        let nodes = vec![
            json!({"id": "x", "op": "input"}),
            conv("ca", "x", "wa", 1),
            neuron("a", "ca"),
            conv("cb", "a", "wb", 2),
            neuron("b", "cb"),
            json!({"id": "flatten", "op": "flatten", "in": ["b"]}),
            json!({"id": "cy", "op": "linear", "in": ["flatten"], "weight": "wy"}),
            neuron("y", "cy"),
        ];
        Self { genes, encodings, cores, weights: weights.into(), nodes }
    }

    /// Writes the genome and reads it.
    fn read(&self) -> source::Source {
        let mut tensors = serde_json::Map::new();
        let names = |prefix: &str, of: &BTreeMap<&'static str, Values>| -> Value {
            let entry = |n: &&str| ((*n).to_owned(), json!({"tensor": format!("{prefix}.{n}")}));
            Value::Object(of.keys().map(entry).collect())
        };
        let g = self.genes;
        for (name, (rows, values)) in &self.encodings {
            tensors.insert(format!("enc.{name}"), json!({"shape": [rows, g], "values": values}));
        }
        for (name, (cells, values)) in &self.cores {
            let shape = if *cells == 1 { json!([g, g]) } else { json!([cells, g, g]) };
            tensors.insert(format!("gene.{name}"), json!({"shape": shape, "values": values}));
        }
        let mut nodes = self.nodes.clone();
        for node in &mut nodes {
            let Some(name) = node.get("weight").and_then(Value::as_str).map(str::to_owned) else {
                continue;
            };
            let Weight(scheme, out, core, from, scale) = &self.weights[&*name];
            node["weight"] = json!({"encoded": {"scheme": scheme, "out": out, "core": core, "in": from,
                "scale": scale, "post": "none"}});
        }
        let genome = json!({
            "format": "snnc-genome", "version": "1.0", "kind": "gee", "name": "metamorphic",
            "provenance": {"exporter": "tests/folding.rs"},
            "time": {"steps": 8, "order": "step_major"},
            "input": {"coding": "events", "shape": [2, SIDE, SIDE]},
            "readout": {"kind": "spike_count", "node": "y", "classes": 3},
            "neurons": {"if": {"model": "if", "threshold": 1.0, "compare": "gt",
                "reset": {"kind": "to", "value": 0.0}, "v_init": 0.0, "dt": 1.0}},
            "tensors": {"inline": tensors},
            "genes": {"count": g, "interactions": names("gene", &self.cores),
                "encodings": names("enc", &self.encodings)},
            "nodes": nodes,
        });
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metamorphic.genome.json");
        std::fs::write(&path, genome.to_string()).expect("written");
        source::read(&path).unwrap_or_else(|e| panic!("{e}"))
    }

    /// New columns of all encodings, each with the old one that it is a multiple of, and new interactions, with
    /// factors of the old rows and columns.
    fn with_genes(&self, columns: &[(usize, f32)], factors: &[f32]) -> Self {
        let (old, new) = (self.genes, columns.len());
        let mut genome = Self { genes: new, ..self.clone() };
        for (rows, values) in genome.encodings.values_mut() {
            let before = values.clone();
            let value =
                |row: usize, (column, factor): (usize, f32)| before[row * old + column] * factor;
            *values = (0..*rows)
                .flat_map(|row| columns.iter().map(move |c| (row, *c)))
                .map(|(row, c)| value(row, c))
                .collect();
        }
        for (cells, values) in genome.cores.values_mut() {
            let before = values.clone();
            let mut all = Vec::new();
            for cell in 0..*cells {
                for (i, (a, _)) in columns.iter().enumerate() {
                    for (j, (b, _)) in columns.iter().enumerate() {
                        all.push(before[(cell * old + a) * old + b] * factors[i] * factors[j]);
                    }
                }
            }
            *values = all;
        }
        genome
    }
}

/// Spikes of all populations by name.
type Trains = BTreeMap<String, SpikeTrain>;

fn stimulus(seed: u64) -> Stimulus {
    let mut rng = Rng::new(seed);
    let mut train = SpikeTrain::new(8, 2 * SIDE * SIDE);
    let percent = [20, 50, 90][seed as usize % 3];
    for t in 0..8 {
        for n in 0..2 * SIDE * SIDE {
            if rng.below(100) < percent {
                train.set(t, n);
            }
        }
    }
    Stimulus { inputs: vec![Signal::Spikes(train)] }
}

fn float_trains(source: &source::Source, seed: u64) -> Trains {
    let AnyLevel::Network(network) = &source.level else { panic!("a float network expected") };
    let sim = FloatSim::new(network).expect("it can be simulated");
    let run = sim.run(&stimulus(seed), &FloatProbe::None).expect("it runs");
    let name = |(id, train)| (network.nodes[id].name.clone(), train);
    let neurons =
        run.spikes.into_iter().filter(|(id, _)| matches!(network.nodes[*id].op, Op::Neuron(_)));
    neurons.map(name).collect()
}

fn lowered(source: &source::Source, lowering: Lowering) -> Stages {
    let target = Target::find("loihi2").expect("built in");
    let options = Options { lowering, ..Options::default() };
    let lowered = snnc::lower(source, &target.spec, &options, Stage::Mapped);
    lowered.unwrap_or_else(|f| panic!("{}", f.diagnostics)).0
}

fn int_trains(stages: &Stages, seed: u64) -> Trains {
    let network = stages.quantized.as_ref().expect("integers");
    let sim = IntSim::new(network).expect("it can be simulated");
    let run = sim.run(&stimulus(seed), &IntProbe::None).expect("it runs");
    let neurons = network.populations.iter().filter(|(_, p)| matches!(p.kind, PopKind::Neurons(_)));
    let parts = neurons.flat_map(|(id, p)| {
        let parts = Fold::parts(&stages.folds, &p.name, p.size()).into_iter();
        parts.map(move |part| (part, id))
    });
    parts.map(|(part, id)| (part.name, run.spikes[id.index()].part(part.neurons))).collect()
}

/// The spikes of a population, from those of all: its own, or those of its parts behind each other.
fn whole(trains: &Trains, name: &str) -> SpikeTrain {
    if let Some(train) = trains.get(name) {
        return train.clone();
    }
    let parts = [0, 1].map(|i| &trains[half(name, i)]);
    let mut whole = SpikeTrain::new(parts[0].steps(), parts[0].neurons() + parts[1].neurons());
    for (first, part) in [(0, parts[0]), (parts[0].neurons(), parts[1])] {
        for t in 0..part.steps() {
            part.active(t).for_each(|n| whole.set(t, first + n));
        }
    }
    whole
}

fn account(stages: &Stages) -> FoldingAccount {
    let parts = Parts {
        genome: None,
        network: stages.network.as_ref(),
        quantized: stages.quantized.as_ref().expect("integers"),
        mapped: stages.mapped.as_ref().expect("cores"),
        target: &Target::find("loihi2").expect("built in").spec,
        folds: &stages.folds,
        program_bytes: 0,
    };
    FoldingAccount::of(&parts)
}

/// Populations, projections, matrices, stored values, values of the pool, words of synapse memory.
fn sizes(stages: &Stages) -> [u64; 6] {
    let network = stages.quantized.as_ref().expect("integers");
    let account = account(stages);
    [
        network.populations.len() as u64,
        account.integers.projections,
        account.integers.matrices,
        account.integers.stored_values,
        account.pool.values,
        account.memory.words,
    ]
}

/// As [`same_by`], materialized and factored; returns what was folded in the changed genome before it was factored.
fn same(original: &Genome, changed: &Genome) -> Vec<Fold> {
    same_by(original, changed, &[Lowering::Materialized, Lowering::Factored])
}

/// The same spikes in floats and integers on several stimuli, and the same sizes after folding.
fn same_by(original: &Genome, changed: &Genome, lowerings: &[Lowering]) -> Vec<Fold> {
    let (before, after) = (original.read(), changed.read());
    for seed in 0..6 {
        let (a, b) = (float_trains(&before, seed), float_trains(&after, seed));
        assert!(a.iter().all(|(name, train)| whole(&b, name) == *train), "floats, stimulus {seed}");
    }
    let mut folds = Vec::new();
    for &lowering in lowerings {
        let [small, large] = [&before, &after].map(|source| lowered(source, lowering));
        assert_eq!(sizes(&small), sizes(&large), "{lowering:?}: {:#?}", large.folds);
        let mut spikes = 0;
        for seed in 0..6 {
            let (a, b) = (int_trains(&small, seed), int_trains(&large, seed));
            let same = a.iter().all(|(name, train)| whole(&b, name) == *train);
            assert!(same, "{lowering:?}, integers, stimulus {seed}: {a:?} {b:?}");
            spikes += a.values().map(SpikeTrain::count).sum::<u64>();
        }
        assert!(spikes > 0, "nothing fires");
        folds = large.folds;
    }
    folds
}

/// Which genes were folded, and why.
fn gene_folds(folds: &[Fold]) -> Vec<&str> {
    let genes = folds.iter().filter(|f| f.kind == FoldKind::Genes);
    genes.flat_map(|f| f.from.iter().map(String::as_str)).collect()
}

#[test]
fn a_gene_may_be_there_twice() {
    for seed in 1..4 {
        let genome = Genome::random(seed);
        // Both copies of gene 1 act with half of the interactions.
        let twice =
            genome.with_genes(&[(0, 1.0), (1, 1.0), (2, 1.0), (1, 1.0)], &[1.0, 0.5, 1.0, 0.5]);
        let folds = same(&genome, &twice);
        assert!(gene_folds(&folds).contains(&"gene 3 (1 times gene 1)"), "{folds:#?}");
        // One of them with columns that are four times as large, and the opposite sign.
        let large =
            genome.with_genes(&[(0, 1.0), (1, 1.0), (2, 1.0), (1, -4.0)], &[1.0, 0.5, 1.0, -0.125]);
        assert!(gene_folds(&same(&genome, &large)).contains(&"gene 3 (-4 times gene 1)"));
    }
}

#[test]
fn a_gene_may_do_nothing() {
    for seed in 1..4 {
        let genome = Genome::random(seed);
        // Zero in all encodings, whatever its interactions; or with interactions of zero.
        for (column, factor) in [(0.0, 1.0), (1.0, 0.0)] {
            let idle = genome
                .with_genes(&[(0, 1.0), (2, column), (1, 1.0), (2, 1.0)], &[1.0, factor, 1.0, 1.0]);
            assert!(gene_folds(&same(&genome, &idle)).contains(&"gene 1 (zero)"));
        }
    }
}

#[test]
fn genes_have_no_order() {
    for seed in 1..4 {
        let genome = Genome::random(seed);
        let permuted = genome.with_genes(&[(2, 1.0), (0, 1.0), (1, 1.0)], &[1.0; 3]);
        same_by(&genome, &permuted, &[Lowering::Materialized]);
        // The weights of a chain are rounded one gene after the other, so integers may differ, but not sizes.
        let [small, large] = [&genome, &permuted].map(|g| lowered(&g.read(), Lowering::Factored));
        assert_eq!(sizes(&small)[..5], sizes(&large)[..5]);
        assert!(gene_folds(&large.folds).is_empty());
    }
}

#[test]
fn an_encoding_may_be_twice_as_large_where_the_scale_is_half() {
    for (seed, name) in (1..).zip(["x", "a", "fan", "b", "flat", "y"]) {
        let genome = Genome::random(seed);
        let mut changed = genome.clone();
        let values = &mut changed.encodings.get_mut(name).expect("an encoding").1;
        for value in values {
            *value *= 2.0;
        }
        for Weight(_, out, _, from, scale) in changed.weights.values_mut() {
            *scale *=
                [*out, *from].iter().map(|e| if *e == name { 0.5 } else { 1.0 }).product::<f64>();
        }
        same(&genome, &changed);
    }
}

/// `a` and a population that fires as it does; `b` reads both, each with half of the weights.
#[test]
fn a_population_may_be_there_twice() {
    for seed in 1..4 {
        let genome = Genome::random(seed);
        let mut twice = genome.clone();
        let Weight(scheme, out, core, from, scale) = twice.weights["wb"].clone();
        twice.weights.insert("half", Weight(scheme, out, core, from, scale / 2.0));
        let renamed = |node: &Value, id: &str, from: &str, weight: Option<&str>| {
            let mut node = node.clone();
            node["id"] = json!(id);
            node["in"] = json!([from]);
            if let Some(weight) = weight {
                node["weight"] = json!(weight);
            }
            node
        };
        let [ca, a, cb] = [1, 2, 3].map(|i| genome.nodes[i].clone());
        let more = [
            renamed(&ca, "ca.twin", "x", None),
            renamed(&a, "a.twin", "ca.twin", None),
            renamed(&cb, "cb.1", "a", Some("half")),
            renamed(&cb, "cb.2", "a.twin", Some("half")),
            json!({"id": "cb", "op": "add", "in": ["cb.1", "cb.2"]}),
        ];
        twice.nodes.splice(3..4, more);
        // Of two halves that read messages, quantization rounds each before they are joined again.
        same_by(&genome, &twice, &[Lowering::Materialized]);
    }
}

/// The name of one of two parts.
fn half(name: &str, i: usize) -> &'static str {
    format!("{name}.{i}").leak()
}

/// What reads the halves of a population.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The sum of two operations, each with the weights of one half.
    Sum,
    /// One operation, of both behind each other.
    Concat,
}

impl Genome {
    /// `a` also reads itself, one step ago.
    fn recurrent(seed: u64) -> Self {
        let mut genome = Self::random(seed);
        genome.weights.insert("wr", Weight("per_offset", "a", "bank", "a", 0.25));
        let own = json!({"node": "a", "delay": 1});
        let more = [
            json!({"id": "ra", "op": "conv2d", "in": [own], "k": [3, 3], "stride": [1, 1],
                "pad": [1, 1, 1, 1], "weight": "wr"}),
            json!({"id": "ia", "op": "add", "in": ["ca", "ra"]}),
        ];
        genome.nodes[2]["in"] = json!(["ia"]);
        genome.nodes.splice(2..2, more);
        genome
    }

    /// A weight of which only one half of the targets or sources is left, or both.
    fn half_of(
        &mut self,
        name: &str,
        target: Option<usize>,
        source: Option<usize>,
    ) -> &'static str {
        let Weight(scheme, out, core, from, scale) = self.weights[name].clone();
        let out = target.map_or(out, |i| half(out, i));
        let from = source.map_or(from, |i| half(from, i));
        let key = format!("{name}.{target:?}.{source:?}").leak();
        self.weights.insert(key, Weight(scheme, out, core, from, scale));
        key
    }

    /// The population `name`, `a` or `b`, in two: its first `at` channels, and the rest.
    fn split(&self, name: &str, at: usize, reader: Reader) -> Self {
        let mut split = self.clone();
        // What it reads and what reads it, and its encodings with the rows of a channel.
        let (into, out, encodings) = match name {
            "a" => (["ca", "wa"], ["cb", "wb"], [("a", 1), ("fan", 9)]),
            _ => (["cb", "wb"], ["cy", "wy"], [("b", 1), ("flat", 9)]),
        };
        for (encoding, per) in encodings {
            let (rows, values) = &self.encodings[encoding];
            let (first, second) = values.split_at(at * per * self.genes);
            let parts = [(at * per, first), (rows - at * per, second)];
            for (i, (rows, values)) in parts.into_iter().enumerate() {
                split.encodings.insert(half(encoding, i), (rows, values.to_vec()));
            }
        }
        split.nodes.clear();
        let (both, flat) = (["0", "1"].map(|i| format!("{name}.{i}")), name == "b");
        for node in &self.nodes {
            let id = node["id"].as_str().expect("a name");
            let named = |id: &str, inputs: Value, weight: Option<&str>| {
                let mut node = node.clone();
                (node["id"], node["in"]) = (json!(id), inputs);
                if let Some(weight) = weight {
                    node["weight"] = json!(weight);
                }
                node
            };
            let mut nodes = Vec::new();
            if id == into[0] {
                for i in 0..2 {
                    let weight = split.half_of(into[1], Some(i), None);
                    nodes.push(named(half(id, i), node["in"].clone(), Some(weight)));
                }
            } else if id == "ra" && name == "a" {
                for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let weight = split.half_of("wr", Some(i), Some(j));
                    let own = json!([{"node": both[j], "delay": 1}]);
                    nodes.push(named(&format!("ra.{i}{j}"), own, Some(weight)));
                }
            } else if id == "ia" && name == "a" {
                for i in 0..2 {
                    let sum = [half("ca", i).to_owned(), format!("ra.{i}0"), format!("ra.{i}1")];
                    nodes.push(named(half(id, i), json!(sum), None));
                }
            } else if id == name {
                let current = node["in"][0].as_str().expect("a name");
                nodes.extend((0..2).map(|i| named(&both[i], json!([half(current, i)]), None)));
                if reader == Reader::Concat {
                    nodes.push(json!({"id": "both", "op": "concat", "in": both}));
                }
            } else if id == "flatten" && flat && reader == Reader::Sum {
                nodes.extend((0..2).map(|i| named(half(id, i), json!([both[i]]), None)));
            } else if id == out[0] && reader == Reader::Sum {
                for (j, own) in both.iter().enumerate() {
                    let weight = split.half_of(out[1], None, Some(j));
                    let own = if flat { half("flatten", j) } else { own };
                    nodes.push(named(half(id, j), json!([own]), Some(weight)));
                }
                nodes.push(json!({"id": id, "op": "add", "in": [half(id, 0), half(id, 1)]}));
            } else if node["in"] == json!([name]) {
                nodes.push(named(id, json!(["both"]), None));
            } else {
                nodes.push(node.clone());
            }
            split.nodes.extend(nodes);
        }
        split
    }
}

/// One population in two, by what reads it.
#[test]
fn a_population_may_be_in_halves() {
    for seed in 1..4 {
        for reader in [Reader::Sum, Reader::Concat] {
            let genome = Genome::random(seed);
            for (name, at) in [("a", 1), ("a", 2), ("b", 2)] {
                let halves = genome.split(name, at, reader);
                let folds = same_by(&genome, &halves, &[Lowering::Materialized]);
                let folds: Vec<_> = folds.iter().filter(|f| f.kind == FoldKind::Halves).collect();
                assert_eq!(folds.len(), 1, "{folds:?}");
                assert_eq!(folds[0].from, [half(name, 0), half(name, 1)]);
            }
            // Loops are in four parts.
            let genome = Genome::recurrent(seed);
            let halves = genome.split("a", 2, reader);
            same_by(&genome, &halves, &[Lowering::Materialized]);
        }
    }
}

/// What `verify` and the report say about populations, and where they first diverge.
struct Said {
    /// Spikes in floats and in integers, and those that differ.
    verified: BTreeMap<String, [u64; 3]>,
    reported: BTreeMap<String, [u64; 3]>,
    /// Population and neuron.
    first: [(String, usize); 2],
}

/// Compiles with few bits, so that spikes differ, and measures.
fn said(genome: &Genome) -> Said {
    let (place, source) = (Place::new(), genome.read());
    let mut spikes = Vec::new();
    for seed in 0..6 {
        let Signal::Spikes(train) = &stimulus(seed).inputs[0] else { panic!("spikes") };
        spikes.extend(
            (0..8).flat_map(|t| (0..train.neurons()).map(move |n| u8::from(train.get(t, n)))),
        );
    }
    let array = Array { shape: vec![6, 8, 2, SIDE, SIDE], data: ArrayData::U8(spikes) };
    place
        .write("s.npz", write_npz(&[("spikes".to_owned(), array)]).expect("an array of its shape"));
    let mut options = Options::default();
    options.recipe.settings.weight_bits = 3;
    let target = Target::find("loihi2").expect("built in");
    let compiled =
        snnc::compile(&source, &target, &options).unwrap_or_else(|f| panic!("{}", f.diagnostics));
    publish::publish(&place.path("art"), &compiled.files, false).expect("a free place");
    let artifact = Artifact::load(&place.path("art")).unwrap_or_else(|d| panic!("{d}"));
    let proof = snnc::verify(&source, &artifact).unwrap_or_else(|f| panic!("{}", f.diagnostics));
    let quantized = proof.quantized().expect("the stage is there");
    let read = samples::read(&place.path("s.npz"), &Interface::of_quantized(quantized), None);
    let stimuli = read.unwrap_or_else(|d| panic!("{d}"));
    let verified = measure(&source, &proof, &artifact, &stimuli).unwrap_or_else(|d| panic!("{d}"));
    assert!(verified.integers_agree());
    let verified = verified.quantization.expect("there is a float network");
    assert!(verified.removed.is_empty() && verified.merged.is_empty());
    let stages = compiled.stages;
    let network = stages.network.as_ref().expect("floats");
    let options = MeasureOptions { folds: &stages.folds, ..MeasureOptions::default() };
    let reported = report::measure(network, quantized, &stimuli, 0..6, &options);
    let reported = reported.unwrap_or_else(|d| panic!("{d}"));
    let first = verified.first.expect("3 bits are few");
    let onset = reported.overall.first.expect("3 bits are few");
    // The trace of the right neuron: it fires on one side only.
    let fired = [onset.float.margin, onset.quantized.margin].map(|m| m.expect("a margin") > 0.0);
    assert_ne!(fired[0], fired[1], "{onset:?}");
    let (left, right) = (first.left.expect("a membrane"), first.right.expect("a membrane"));
    assert_ne!(left.v > left.threshold, right.v > right.threshold, "{left:?} {right:?}");
    let reported = reported.populations.into_iter().filter_map(|p| {
        let spikes = p.neurons?.spikes;
        Some((p.name, [spikes.float, spikes.quantized, spikes.differing]))
    });
    Said {
        reported: reported.collect(),
        verified: verified
            .populations
            .iter()
            .map(|p| (p.population.clone(), [p.float, p.quantized, p.differing]))
            .collect(),
        first: [(first.population, first.neuron), (onset.population, onset.neuron)],
    }
}

/// The halves are measured under their names, with their own spikes, though integers and canonical network have the
/// whole.
#[test]
fn halves_are_measured_under_their_own_names() {
    for (name, at, area) in [("a", 1, 25), ("b", 2, 9)] {
        let genome = Genome::recurrent(2);
        let [whole, halves] = [said(&genome), said(&genome.split(name, at, Reader::Sum))];
        for (whole, halves) in
            [(&whole.verified, &halves.verified), (&whole.reported, &halves.reported)]
        {
            let names: Vec<_> = halves.keys().map(String::as_str).collect();
            assert!(names.contains(&half(name, 0)) && names.contains(&half(name, 1)), "{names:?}");
            assert_eq!(names.len(), whole.len() + 1);
            for (own, counts) in whole {
                let mut sum = halves.get(own).copied().unwrap_or_default();
                for i in 0..2 {
                    let part = halves.get(half(own, i)).copied().unwrap_or_default();
                    sum.iter_mut().zip(part).for_each(|(sum, n)| *sum += n);
                }
                assert_eq!(sum, *counts, "{own}");
            }
        }
        for ((own, neuron), (part, at_part)) in whole.first.iter().zip(&halves.first) {
            let expected = match neuron.checked_sub(at * area) {
                _ if own != name => (own.as_str(), *neuron),
                Some(neuron) => (half(name, 1), neuron),
                None => (half(name, 0), *neuron),
            };
            assert_eq!((part.as_str(), *at_part), expected);
        }
    }
}

#[test]
fn the_account_of_a_source_is_that_of_its_artifact() {
    let place = Place::new();
    place.copy("examples/small/genes.genome.json", "g.json");
    for lowering in ["materialized", "factored"] {
        place
            .run(&[
                "compile",
                "g.json",
                "--target",
                "loihi2",
                "--lowering",
                lowering,
                "-o",
                lowering,
            ])
            .exits(0);
        let of_source =
            ["inspect", "--folding", "g.json", "--lowering", lowering, "--format", "json"];
        let of_source = place.run(&of_source).exits(0).json();
        let of_artifact =
            place.run(&["inspect", "--folding", lowering, "--format", "json"]).exits(0).json();
        assert_eq!(of_source["kind"], "folding");
        let account = &of_source["folding"];
        assert_eq!(*account, of_artifact["folding"]);
        let file = |name: &str| place.read(&format!("{lowering}/{name}"));
        assert_eq!(account["program_bytes"], file("program.snnb").len());
        let program = program::read(&file("program.snnb")).expect("a program");
        let values: usize = program.values.iter().map(Vec::len).sum();
        assert_eq!(account["pool"]["values"], values, "the pool is what the program holds");
        let [manifest, report] = ["manifest.json", "report.json"]
            .map(|name| serde_json::from_slice::<Value>(&file(name)).expect("JSON"));
        assert_eq!(*account, report["folding"]);
        let cores = manifest["cores"].as_array().expect("cores").iter();
        let words: u64 = cores.map(|c| c["used"]["synapse_words"].as_u64().expect("words")).sum();
        assert_eq!(account["memory"]["words"], words);
        assert_eq!(account["genome"]["values"], 128);
        let relays = account["memory"]["relays"].as_u64().expect("relays");
        assert_eq!(relays > 0, lowering == "factored");
        let text = place.run(&["inspect", "--folding", lowering]).exits(0).stdout;
        assert!(text.contains("genome, stored") && text.contains("core memory"), "{text}");
    }
    let said = place.run(&["inspect", "--folding", "factored", "--target", "loihi2"]).exits(2);
    assert!(said.stderr.contains("is compiled already"), "{}", said.stderr);
    place.run(&["inspect", "g.json", "--target", "loihi2"]).exits(2);
}
