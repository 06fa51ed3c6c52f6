//! Genomes under construction: genes, nodes, and the two architectures.

use crate::tensors::Tensors;
use serde_json::{Map, Value, json};

/// How kernels are made of genes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// One interaction matrix for each offset of the kernel, the same for all layers.
    PerOffset,
    /// One interaction matrix for all layers; each offset of each input channel has an encoding.
    FlatFanIn,
}

impl Scheme {
    /// Name in genomes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PerOffset => "per_offset",
            Self::FlatFanIn => "flat_fan_in",
        }
    }
}

/// A population with the encoding of its channels.
#[derive(Clone)]
struct Layer {
    node: String,
    encoding: String,
    channels: usize,
}

/// A genome under construction.
pub(crate) struct Genome {
    name: String,
    scheme: Scheme,
    genes: usize,
    tensors: Tensors,
    encodings: Map<String, Value>,
    interactions: Map<String, Value>,
    nodes: Vec<Value>,
}

impl Genome {
    /// A genome without nodes; interactions are there.
    pub(crate) fn new(name: &str, scheme: Scheme, genes: usize) -> Self {
        let mut genome = Self {
            name: name.to_owned(),
            scheme,
            genes,
            tensors: Tensors::default(),
            encodings: Map::new(),
            interactions: Map::new(),
            nodes: Vec::new(),
        };
        match scheme {
            Scheme::PerOffset => {
                genome.interaction("o3", &[9, genes, genes]);
                genome.interaction("o1", &[1, genes, genes]);
            }
            Scheme::FlatFanIn => genome.interaction("o", &[genes, genes]),
        }
        genome
    }

    /// ResNet-18 for CIFAR: a stem of 64 channels, four stages of two blocks, widths 64 to 512.
    pub(crate) fn resnet18(&mut self) {
        let mut last = self.stem(64);
        for (stage, width) in [64, 128, 256, 512].into_iter().enumerate() {
            for (block, name) in ["a", "b"].into_iter().enumerate() {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                last = self.block(&format!("s{stage}{name}"), &last, width, stride);
            }
        }
        self.classes(&last);
    }

    /// VGG-16 for CIFAR: thirteen convolutions, an average pooling after each group.
    pub(crate) fn vgg16(&mut self) {
        let mut last = self.stem(64);
        let groups = [&[64][..], &[128, 128], &[256; 3], &[512; 3], &[512; 3]];
        for (group, widths) in groups.into_iter().enumerate() {
            for (index, &width) in widths.iter().enumerate() {
                let id = format!("g{group}.{index}");
                let norm = self.convolution(&id, &last, width, 3, 1);
                last = Layer { node: self.neuron(&id, &norm), encoding: id, channels: width };
            }
            let pool = json!({"op": "avgpool", "in": [last.node], "k": [2, 2], "stride": [2, 2],
                              "pad": [0, 0, 0, 0], "exclude_pad": false});
            last.node = self.node(&format!("g{group}.pool"), pool);
        }
        self.classes(&last);
    }

    /// The files: genome and side-car.
    pub(crate) fn files(&self) -> (Vec<u8>, Vec<u8>) {
        let Self { name, genes, encodings, interactions, nodes, .. } = self;
        let json = json!({
            "format": "snnc-genome", "version": "1.0", "kind": "gee", "name": name,
            "time": {"steps": 4, "order": "step_major"},
            "input": {"coding": "direct", "shape": [3, 32, 32], "range": [0, 1]},
            "readout": {"kind": "mean_linear", "node": "classes", "classes": 10},
            "neurons": {"lif": {"model": "lif", "tau": 2.0, "threshold": 0.5, "compare": "gt",
                                "v_init": 0.0, "reset": {"kind": "to", "value": 0.0}}},
            "tensors": {"file": format!("{name}.safetensors"), "format": "safetensors"},
            "genes": {"count": genes, "interactions": interactions, "encodings": encodings},
            "nodes": nodes,
        });
        let mut text = serde_json::to_vec_pretty(&json).expect("keys are strings");
        text.push(b'\n');
        (text, self.tensors.safetensors())
    }

    fn interaction(&mut self, name: &str, shape: &[usize]) {
        self.tensors.normal(name, shape, 0.0, 1.0);
        self.interactions.insert(name.to_owned(), json!({"tensor": name}));
    }

    fn encoding(&mut self, name: &str, rows: usize) {
        self.tensors.normal(name, &[rows, self.genes], 0.0, 1.0);
        self.encodings.insert(name.to_owned(), json!({"tensor": name}));
    }

    fn node(&mut self, id: &str, mut node: Value) -> String {
        node["id"] = json!(id);
        self.nodes.push(node);
        id.to_owned()
    }

    fn neuron(&mut self, id: &str, input: &str) -> String {
        let node = json!({"op": "neuron", "in": [input], "neuron": "lif"});
        self.node(&format!("{id}.lif"), node)
    }

    /// Stored weights on the image: the first layer of a network is small, and is not encoded.
    fn stem(&mut self, channels: usize) -> Layer {
        self.node("x", json!({"op": "input"}));
        self.tensors.normal("stem.weight", &[channels, 3, 3, 3], 0.0, 0.4);
        let conv = json!({"op": "conv2d", "in": ["x"], "k": [3, 3], "stride": [1, 1],
                          "pad": [1, 1, 1, 1], "weight": {"dense": "stem.weight"}});
        let conv = self.node("stem.conv", conv);
        let norm = self.batchnorm("stem", &conv, channels);
        if self.scheme == Scheme::PerOffset {
            self.encoding("stem", channels);
        }
        Layer { node: self.neuron("stem", &norm), encoding: "stem".to_owned(), channels }
    }

    /// An encoded convolution with batch normalization. With `per_offset` the channels of a layer have one
    /// encoding for all that they are read and written by.
    fn convolution(&mut self, id: &str, from: &Layer, out: usize, k: u32, stride: u32) -> String {
        self.encoding(id, out);
        let cells = (k * k) as usize;
        let (core, source) = match self.scheme {
            Scheme::PerOffset => (format!("o{k}"), from.encoding.clone()),
            Scheme::FlatFanIn => {
                let source = format!("{id}.in");
                self.encoding(&source, from.channels * cells);
                ("o".to_owned(), source)
            }
        };
        // Products of genes of variance 1 have the standard deviation of their number; spikes are sparse.
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let scale = (8.0 / (from.channels * cells) as f64).sqrt() / self.genes as f64;
        let weight = json!({"scheme": self.scheme.name(), "out": id, "core": core, "in": source, "scale": scale});
        let pad = [k / 2; 4];
        let conv = json!({"op": "conv2d", "in": [from.node], "k": [k, k], "stride": [stride, stride],
                          "pad": pad, "weight": {"encoded": weight}});
        let conv = self.node(&format!("{id}.conv"), conv);
        self.batchnorm(id, &conv, out)
    }

    fn batchnorm(&mut self, id: &str, input: &str, channels: usize) -> String {
        let prefix = format!("{id}.bn");
        for (suffix, center) in
            [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)]
        {
            self.tensors.normal(&format!("{prefix}.{suffix}"), &[channels], center, 0.05);
        }
        self.node(&prefix, json!({"op": "batchnorm", "in": [input], "prefix": prefix, "eps": 1e-5}))
    }

    /// Two convolutions around a shortcut.
    fn block(&mut self, id: &str, from: &Layer, width: usize, stride: u32) -> Layer {
        let [one, two] = [format!("{id}.1"), format!("{id}.2")];
        let norm = self.convolution(&one, from, width, 3, stride);
        let middle = Layer { node: self.neuron(&one, &norm), encoding: one, channels: width };
        let norm = self.convolution(&two, &middle, width, 3, 1);
        let shortcut = if stride == 1 {
            from.node.clone()
        } else {
            self.convolution(&format!("{id}.0"), from, width, 1, stride)
        };
        let sum = self.node(&format!("{id}.sum"), json!({"op": "add", "in": [norm, shortcut]}));
        Layer { node: self.neuron(id, &sum), encoding: two, channels: width }
    }

    fn classes(&mut self, last: &Layer) {
        let pool = self.node("pool", json!({"op": "global_avgpool", "in": [last.node]}));
        self.tensors.normal("classes.weight", &[10, last.channels], 0.0, 0.05);
        self.tensors.normal("classes.bias", &[10], 0.0, 0.05);
        let (weight, bias) = (json!({"dense": "classes.weight"}), json!({"dense": "classes.bias"}));
        let node = json!({"op": "linear", "in": [pool], "weight": weight, "bias": bias});
        self.node("classes", node);
    }
}
