//! A genetically encoded network of the size that papers report: ResNet-18 for 32x32 images, every
//! 3x3 convolution after the stem generated from encodings of 64 genes and one bank of interactions.
//!
//! The test prints what loading took; run it with `--nocapture`, in release, to see figures worth
//! quoting.

use crate::files::safetensors;
use serde_json::{Value, json};
use snnc_frontend::read_genome;
use snnc_ir::network::Op;
use std::fs;
use std::time::Instant;

const GENES: usize = 64;

/// The genome under construction.
#[derive(Default)]
struct ResNet {
    tensors: Vec<(String, Vec<usize>, Vec<u8>)>,
    encodings: serde_json::Map<String, Value>,
    nodes: Vec<Value>,
    random: u64,
}

impl ResNet {
    /// Adds a tensor of numbers around `center`, at most `spread` away from it.
    fn tensor(&mut self, name: &str, shape: &[usize], center: f32, spread: f32) {
        let values = (0..shape.iter().product()).flat_map(|_| {
            // A linear congruential generator (Knuth's MMIX) is random enough for a load test.
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            #[expect(clippy::cast_precision_loss, reason = "24 bits are exact")]
            let unit = (self.random >> 40) as f32 / 8_388_608.0 - 1.0;
            (center + spread * unit).to_le_bytes()
        });
        let values = values.collect();
        self.tensors.push((name.to_owned(), shape.to_vec(), values));
    }

    fn node(&mut self, id: &str, node: Value) -> String {
        let mut node = node;
        node["id"] = json!(id);
        self.nodes.push(node);
        id.to_owned()
    }

    fn batchnorm(&mut self, id: &str, input: &str, channels: usize) -> String {
        for (suffix, center) in
            [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)]
        {
            self.tensor(&format!("{id}.{suffix}"), &[channels], center, 0.1);
        }
        self.node(id, json!({"op": "batchnorm", "in": [input], "prefix": id, "eps": 1e-5}))
    }

    fn neuron(&mut self, id: &str, input: &str) -> String {
        self.node(id, json!({"op": "neuron", "in": [input], "neuron": "lif"}))
    }

    /// A convolution whose output channels have encodings of their own; `source` names those of its
    /// input channels.
    fn encoded(&mut self, id: &str, input: &str, source: &str, out: usize, stride: u32) -> String {
        self.tensor(id, &[out, GENES], 0.0, 0.2);
        self.encodings.insert(id.to_owned(), json!({"tensor": id}));
        let weight =
            json!({"scheme": "per_offset", "out": id, "core": "bank", "in": source, "scale": 0.05});
        self.node(
            &format!("{id}.conv"),
            json!({"op": "conv2d", "in": [input], "k": [3, 3], "stride": [stride, stride],
                   "pad": [1, 1, 1, 1], "weight": {"encoded": weight}}),
        )
    }

    /// Two convolutions around a shortcut; returns the population and the encoding of its channels.
    fn block(&mut self, id: &str, from: (&str, &str), channels: [usize; 2]) -> (String, String) {
        let [before, out] = channels;
        let (input, source) = from;
        let stride = if before == out { 1 } else { 2 };
        let [one, two] = [format!("{id}.1"), format!("{id}.2")];
        let conv = self.encoded(&one, input, source, out, stride);
        let norm = self.batchnorm(&format!("{one}.bn"), &conv, out);
        let middle = self.neuron(&format!("{one}.lif"), &norm);
        let conv = self.encoded(&two, &middle, &one, out, 1);
        let norm = self.batchnorm(&format!("{two}.bn"), &conv, out);
        let shortcut = if stride == 1 {
            input.to_owned()
        } else {
            let name = format!("{id}.shortcut");
            self.tensor(&name, &[out, before, 1, 1], 0.0, 0.1);
            let conv = json!({"op": "conv2d", "in": [input], "k": [1, 1], "stride": [2, 2],
                              "pad": [0, 0, 0, 0], "weight": {"dense": name}});
            self.node(&name, conv)
        };
        let sum = self.node(&format!("{id}.add"), json!({"op": "add", "in": [norm, shortcut]}));
        (self.neuron(&format!("{id}.lif"), &sum), two)
    }

    fn build() -> Self {
        let mut net = Self::default();
        net.tensor("bank", &[9, GENES, GENES], 0.0, 0.2);
        net.tensor("stem", &[64, 3, 3, 3], 0.0, 0.2);
        net.tensor("channels", &[64, GENES], 0.0, 0.2);
        net.encodings.insert("channels".to_owned(), json!({"tensor": "channels"}));
        net.node("x", json!({"op": "input"}));
        let conv = json!({"op": "conv2d", "in": ["x"], "k": [3, 3], "stride": [1, 1],
                          "pad": [1, 1, 1, 1], "weight": {"dense": "stem"}});
        let conv = net.node("stem.conv", conv);
        let norm = net.batchnorm("stem.bn", &conv, 64);
        let mut last = (net.neuron("stem.lif", &norm), "channels".to_owned());
        for (stage, channels) in
            [[64, 64], [64, 128], [128, 256], [256, 512]].into_iter().enumerate()
        {
            let first = net.block(&format!("s{stage}a"), (&last.0, &last.1), channels);
            last = net.block(&format!("s{stage}b"), (&first.0, &first.1), [channels[1]; 2]);
        }
        net.node("pool", json!({"op": "global_avgpool", "in": [last.0]}));
        net.tensor("classes.weight", &[10, 512], 0.0, 0.1);
        net.tensor("classes.bias", &[10], 0.0, 0.1);
        let weights = json!({"dense": "classes.weight"});
        let bias = json!({"dense": "classes.bias"});
        net.node(
            "classes",
            json!({"op": "linear", "in": ["pool"], "weight": weights, "bias": bias}),
        );
        net
    }

    fn json(&self) -> Value {
        json!({
            "format": "snnc-genome", "version": "1.0", "kind": "gee", "name": "resnet18",
            "time": {"steps": 4, "order": "step_major"},
            "input": {"coding": "direct", "shape": [3, 32, 32]},
            "readout": {"kind": "mean_linear", "node": "classes", "classes": 10},
            "neurons": {"lif": {"model": "lif", "tau": 2.0, "threshold": 0.5, "compare": "gt",
                                "v_init": 0.0, "reset": {"kind": "to", "value": 0.0}}},
            "tensors": {"file": "resnet18.safetensors", "format": "safetensors"},
            "genes": {"count": GENES, "interactions": {"bank": {"tensor": "bank"}},
                      "encodings": self.encodings},
            "nodes": self.nodes,
        })
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the time is for people, no test depends on it")]
fn a_residual_network_of_eleven_million_weights_loads() {
    let net = ResNet::build();
    let folder = tempfile::tempdir().unwrap();
    let entries: Vec<_> =
        net.tensors.iter().map(|(n, s, b)| (n.as_str(), "F32", s.clone(), b.clone())).collect();
    fs::write(folder.path().join("resnet18.safetensors"), safetensors(&entries)).unwrap();
    let path = folder.path().join("resnet18.genome.json");
    fs::write(&path, net.json().to_string()).unwrap();

    let start = Instant::now();
    let loaded = read_genome(&path).unwrap();
    println!("resnet18, {GENES} genes: loaded in {:.2?}", start.elapsed());

    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(loaded.account.decoded, 10_985_472, "weights of the 16 encoded convolutions");
    let normalization = 4 * (64 + 4 * 64 + 4 * 128 + 4 * 256 + 4 * 512);
    assert_eq!(loaded.account.dense, 1_728 + 172_032 + 5_130 + normalization);
    let genes = GENES * (64 + 4 * (64 + 128 + 256 + 512)) + 9 * GENES * GENES;
    let dense = loaded.account.dense;
    assert_eq!(loaded.account.stored_parameters(), genes + dense + 16, "and one scale each");
    let populations = loaded.network.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_)));
    let neurons: usize = populations.map(|n| n.shape.size()).sum();
    assert_eq!(neurons, 65_536 * 5 + 32_768 * 4 + 16_384 * 4 + 8_192 * 4);
}
