//! A small genome and everything that can be wrong with it.

/// A correct genome that uses most of the format. Cases replace a part of it.
pub(crate) const BASE: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "gee", "name": "base",
  "provenance": {"anything": [1, null]},
  "time": {"steps": 4, "order": "step_major"},
  "input": {"coding": "events", "shape": [1, 4, 4]},
  "readout": {"kind": "spike_count", "node": "out", "classes": 2},
  "neurons": {
    "n": {"model": "lif", "tau": 2.0, "threshold": 0.5, "compare": "gt",
          "reset": {"kind": "to", "value": 0.0}, "v_init": 0.0}
  },
  "tensors": {"inline": {
    "c.weight": {"shape": [2, 1, 2, 2], "values": [1, 2, 3, 4, 5, 6, 7, 8]},
    "bn.weight": {"shape": [2], "values": [1, 1]},
    "bn.bias": {"shape": [2], "values": [0, 0]},
    "bn.running_mean": {"shape": [2], "values": [0, 0]},
    "bn.running_var": {"shape": [2], "values": [1, 1]},
    "enc.out": {"shape": [2, 3], "values": [1, 0, 2, 0, 1, -1]},
    "gene.core": {"shape": [3, 2], "values": [1, 0, 0, 1, 1, 1]},
    "enc.in": {"shape": [8, 2], "values": [0, 1, 1, 1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1, 7, 1]},
    "gene.bias": {"shape": [3], "values": [1, 2, 3]},
    "r.weight": {"shape": [2, 2], "values": [0.5, 0, 0, 0.5]}
  }},
  "genes": {
    "count": 3,
    "interactions": {"o": {"tensor": "gene.core"}},
    "encodings": {"eo": {"tensor": "enc.out"}, "ei": {"tensor": "enc.in"}},
    "vectors": {"v": {"tensor": "gene.bias"}}
  },
  "nodes": [
    {"id": "x", "op": "input"},
    {"id": "c", "op": "conv2d", "in": ["x"], "k": [2, 2], "stride": [2, 2], "pad": [0, 0, 0, 0],
     "groups": 1, "weight": {"dense": "c.weight"}},
    {"id": "b", "op": "batchnorm", "in": ["c"], "prefix": "bn", "eps": 0.001},
    {"id": "h", "op": "neuron", "in": ["b"], "neuron": "n"},
    {"id": "y", "op": "linear", "in": ["h"],
     "weight": {"encoded": {"scheme": "linear", "out": "eo", "core": "o", "in": "ei", "scale": 0.5}},
     "bias": {"encoded": {"out": "eo", "beta": "v"}}},
    {"id": "r", "op": "linear", "in": [{"node": "out", "delay": 1}], "weight": {"dense": "r.weight"}},
    {"id": "s", "op": "add", "in": ["y", "r"]},
    {"id": "out", "op": "neuron", "in": ["s"], "neuron": "n"}
  ],
  "check": {"abs_tol": 1e-6, "samples": [["y", 1, 2.5], ["y", 9, -0.5]]}
}
"#;

/// One way to be wrong.
pub(crate) struct Case {
    /// What is wrong.
    pub(crate) name: &'static str,
    /// Number of the diagnostic that must be reported.
    pub(crate) code: u16,
    /// Whether a JSON Schema can see it.
    pub(crate) schema: bool,
    /// What is replaced in [`BASE`], where it stands exactly once.
    pub(crate) from: &'static str,
    /// The replacement.
    pub(crate) to: &'static str,
}

impl Case {
    /// The genome of this case.
    pub(crate) fn genome(&self) -> String {
        assert_eq!(BASE.matches(self.from).count(), 1, "{}: {}", self.name, self.from);
        BASE.replacen(self.from, self.to, 1)
    }
}

/// The schema sees it.
const SEEN: bool = true;
/// Only the reader sees it.
const UNSEEN: bool = false;

const fn case(
    code: u16,
    schema: bool,
    name: &'static str,
    from: &'static str,
    to: &'static str,
) -> Case {
    Case { name, code, schema, from, to }
}

/// Wrong envelopes.
pub(crate) const ENVELOPE: &[Case] = &[
    case(201, SEEN, "another format", r#""format": "snnc-genome""#, r#""format": "onnx""#),
    case(201, SEEN, "no format", r#""format": "snnc-genome", "#, ""),
    case(202, SEEN, "unknown major version", r#""version": "1.0""#, r#""version": "2.0""#),
    case(208, SEEN, "no version number", r#""version": "1.0""#, r#""version": "latest""#),
    case(207, SEEN, "version as a number", r#""version": "1.0""#, r#""version": 1.0"#),
    case(206, SEEN, "no version", r#""version": "1.0", "#, ""),
    case(204, SEEN, "kind of another search", r#""kind": "gee""#, r#""kind": "mse-nas""#),
    case(208, SEEN, "unknown kind", r#""kind": "gee""#, r#""kind": "gea""#),
    case(208, SEEN, "name with a slash and a space", r#""name": "base""#, r#""name": "a b""#),
    case(207, SEEN, "provenance is no object", r#"{"anything": [1, null]}"#, r#""by hand""#),
    case(205, SEEN, "unknown field", r#""provenance": {"#, r#""provenence": 1, "provenance": {"#),
    case(208, SEEN, "no steps", r#""steps": 4"#, r#""steps": 0"#),
    case(207, UNSEEN, "steps with a fraction point", r#""steps": 4"#, r#""steps": 4.0"#),
    case(207, SEEN, "steps as text", r#""steps": 4"#, r#""steps": "4""#),
    case(208, SEEN, "another order", r#""order": "step_major""#, r#""order": "layer_major""#),
    case(206, SEEN, "no order", r#", "order": "step_major""#, ""),
    case(204, SEEN, "graded coding", r#""coding": "events""#, r#""coding": "ttfs""#),
    case(204, SEEN, "phase coding", r#""coding": "events""#, r#""coding": "phase""#),
    case(208, SEEN, "unknown coding", r#""coding": "events""#, r#""coding": "event""#),
    case(206, SEEN, "rate without seed", r#""coding": "events""#, r#""coding": "rate""#),
    case(208, SEEN, "negative seed", r#""coding": "events""#, r#""coding": "rate", "seed": -1"#),
    case(
        205,
        SEEN,
        "field of another coding",
        r#""coding": "events""#,
        r#""coding": "events", "seed": 1"#,
    ),
    case(
        206,
        SEEN,
        "accumulator without steps_in",
        r#""coding": "events""#,
        r#""coding": "accumulator", "pmax": 16"#,
    ),
    case(
        208,
        UNSEEN,
        "accumulator longer than the run",
        r#""coding": "events""#,
        r#""coding": "accumulator", "pmax": 16, "steps_in": 5"#,
    ),
    case(
        206,
        SEEN,
        "mean without std",
        r#""coding": "events""#,
        r#""coding": "direct", "mean": [0.5]"#,
    ),
    case(
        208,
        UNSEEN,
        "means of two channels for one",
        r#""coding": "events""#,
        r#""coding": "direct", "mean": [0.5, 0.5], "std": [1, 1]"#,
    ),
    case(
        208,
        SEEN,
        "std of zero",
        r#""coding": "events""#,
        r#""coding": "direct", "mean": [0.5], "std": [0]"#,
    ),
    case(208, SEEN, "shape of two extents", r#""shape": [1, 4, 4]"#, r#""shape": [4, 4]"#),
    case(208, SEEN, "extent of zero", r#""shape": [1, 4, 4]"#, r#""shape": [1, 0, 4]"#),
    case(209, UNSEEN, "huge input", r#""shape": [1, 4, 4]"#, r#""shape": [4096, 4096, 4096]"#),
    case(208, SEEN, "unknown readout", r#""kind": "spike_count""#, r#""kind": "first_spike""#),
    case(206, SEEN, "readout without node", r#""node": "out", "classes""#, r#""classes""#),
    case(
        214,
        UNSEEN,
        "readout of a current",
        r#""node": "out", "classes""#,
        r#""node": "s", "classes""#,
    ),
    case(
        214,
        UNSEEN,
        "mean readout of spikes",
        r#""kind": "spike_count""#,
        r#""kind": "mean_linear""#,
    ),
    case(214, UNSEEN, "classes that differ", r#""classes": 2"#, r#""classes": 10"#),
    case(
        211,
        UNSEEN,
        "readout of an unknown node",
        r#""node": "out", "classes""#,
        r#""node": "oot", "classes""#,
    ),
    case(206, SEEN, "no nodes", r#""nodes": ["#, r#""x_nodes": ["#),
];

/// Wrong neurons.
pub(crate) const NEURONS: &[Case] = &[
    case(208, SEEN, "neuron of a bad name", r#""n": {"model""#, r#""n 1": {"model""#),
    case(204, SEEN, "learned time constant", r#""model": "lif""#, r#""model": "plif""#),
    case(204, SEEN, "two-variable model", r#""model": "lif""#, r#""model": "izhikevich""#),
    case(208, SEEN, "unknown model", r#""model": "lif""#, r#""model": "alif""#),
    case(206, SEEN, "no comparison", r#", "compare": "gt""#, ""),
    case(208, SEEN, "unknown comparison", r#""compare": "gt""#, r#""compare": ">""#),
    case(206, SEEN, "no leak", r#""tau": 2.0, "#, ""),
    case(208, SEEN, "two leaks", r#""tau": 2.0"#, r#""tau": 2.0, "decay": 0.5"#),
    case(208, SEEN, "tau below one", r#""tau": 2.0"#, r#""tau": 0.5"#),
    case(208, SEEN, "decay above one", r#""tau": 2.0"#, r#""decay": 1.5"#),
    case(205, SEEN, "leak of a neuron without", r#""model": "lif""#, r#""model": "if""#),
    case(208, SEEN, "threshold of zero", r#""threshold": 0.5"#, r#""threshold": 0"#),
    case(208, UNSEEN, "threshold zero in f32", r#""threshold": 0.5"#, r#""threshold": 1e-60"#),
    case(207, SEEN, "threshold as a list", r#""threshold": 0.5"#, r#""threshold": [0.5]"#),
    case(205, SEEN, "misspelt field", r#""threshold": 0.5"#, r#""threshold": 0.5, "treshold": 1"#),
    case(207, SEEN, "threshold of null", r#""threshold": 0.5"#, r#""threshold": null"#),
    case(206, SEEN, "no initial membrane", r#", "v_init": 0.0"#, ""),
    case(208, UNSEEN, "membrane beyond f32", r#""v_init": 0.0"#, r#""v_init": 1e39"#),
    case(208, SEEN, "another step", r#""v_init": 0.0"#, r#""v_init": 0.0, "dt": 0.1"#),
    case(208, SEEN, "long refractory", r#""v_init": 0.0"#, r#""v_init": 0.0, "refractory": 70000"#),
    case(206, SEEN, "reset to nothing", r#""kind": "to", "value": 0.0"#, r#""kind": "to""#),
    case(
        205,
        SEEN,
        "subtraction of a value",
        r#""kind": "to", "value": 0.0"#,
        r#""kind": "subtract", "value": 0.0"#,
    ),
    case(208, SEEN, "unknown reset", r#""kind": "to", "value""#, r#""kind": "soft", "value""#),
    case(
        231,
        UNSEEN,
        "thresholds of another shape",
        r#""threshold": 0.5"#,
        r#""threshold": {"tensor": "gene.bias"}"#,
    ),
    case(
        232,
        UNSEEN,
        "thresholds of zero in a tensor",
        r#""threshold": 0.5"#,
        r#""threshold": {"tensor": "bn.bias"}"#,
    ),
    case(
        230,
        UNSEEN,
        "thresholds in no tensor",
        r#""threshold": 0.5"#,
        r#""threshold": {"tensor": "bn.weigth"}"#,
    ),
];

/// Wrong genes, tensors and weights.
pub(crate) const GENES: &[Case] = &[
    case(220, UNSEEN, "another gene count", r#""count": 3"#, r#""count": 4"#),
    case(206, SEEN, "no gene count", r#""count": 3,"#, ""),
    case(
        231,
        UNSEEN,
        "encoding of rank 1",
        r#"{"tensor": "enc.out"}"#,
        r#"{"tensor": "gene.bias"}"#,
    ),
    case(231, UNSEEN, "core of rank 4", r#"{"tensor": "gene.core"}"#, r#"{"tensor": "c.weight"}"#),
    case(231, UNSEEN, "vector of rank 2", r#"{"tensor": "gene.bias"}"#, r#"{"tensor": "enc.in"}"#),
    case(230, UNSEEN, "no such tensor", r#"{"tensor": "enc.out"}"#, r#"{"tensor": "encout"}"#),
    case(211, UNSEEN, "no such encoding", r#""out": "eo", "core""#, r#""out": "e0", "core""#),
    case(211, UNSEEN, "no such vector", r#""beta": "v""#, r#""beta": "w""#),
    case(
        221,
        UNSEEN,
        "transposed core",
        r#"{"shape": [3, 2], "values": [1, 0, 0, 1, 1, 1]}"#,
        r#"{"shape": [2, 3], "values": [1, 0, 1, 0, 1, 1]}"#,
    ),
    case(
        221,
        UNSEEN,
        "core of three extents for a matrix",
        r#"{"shape": [3, 2], "values": [1, 0, 0, 1, 1, 1]}"#,
        r#"{"shape": [1, 3, 2], "values": [1, 0, 0, 1, 1, 1]}"#,
    ),
    case(
        221,
        UNSEEN,
        "vector of other genes",
        r#"{"shape": [3], "values": [1, 2, 3]}"#,
        r#"{"shape": [2], "values": [1, 2]}"#,
    ),
    case(208, SEEN, "unknown scheme", r#""scheme": "linear""#, r#""scheme": "lowrank""#),
    case(208, SEEN, "dense as a scheme", r#""scheme": "linear""#, r#""scheme": "dense""#),
    case(
        222,
        UNSEEN,
        "kernel scheme of a matrix",
        r#""scheme": "linear""#,
        r#""scheme": "per_offset""#,
    ),
    case(
        222,
        UNSEEN,
        "matrix scheme of a kernel",
        r#"{"dense": "c.weight"}"#,
        r#"{"encoded": {"scheme": "linear", "out": "eo", "core": "o", "in": "ei", "scale": 1}}"#,
    ),
    case(
        221,
        UNSEEN,
        "one core for four cells",
        r#"{"dense": "c.weight"}"#,
        r#"{"encoded": {"scheme": "per_offset", "out": "eo", "core": "o", "in": "ei", "scale": 1}}"#,
    ),
    case(
        221,
        UNSEEN,
        "rows that are no multiple of the cells",
        r#""k": [2, 2], "stride": [2, 2], "pad": [0, 0, 0, 0],
     "groups": 1, "weight": {"dense": "c.weight"}"#,
        r#""k": [3, 3], "stride": [2, 2], "pad": [0, 0, 0, 0],
     "weight": {"encoded": {"scheme": "flat_fan_in", "out": "eo", "core": "o", "in": "ei", "scale": 1}}"#,
    ),
    case(206, SEEN, "no scale", r#", "scale": 0.5"#, ""),
    case(
        208,
        SEEN,
        "unknown post-processing",
        r#""scale": 0.5"#,
        r#""scale": 0.5, "post": "relu""#,
    ),
    case(223, UNSEEN, "scale beyond f32", r#""scale": 0.5"#, r#""scale": 1e40"#),
    case(
        208,
        SEEN,
        "dense and encoded",
        r#"{"dense": "r.weight"}"#,
        r#"{"dense": "r.weight", "encoded": {}}"#,
    ),
    case(208, SEEN, "neither dense nor encoded", r#"{"dense": "r.weight"}"#, "{}"),
    case(207, SEEN, "weight as a name", r#"{"dense": "r.weight"}"#, r#""r.weight""#),
    case(
        231,
        UNSEEN,
        "bias of another size",
        r#"{"encoded": {"out": "eo", "beta": "v"}}"#,
        r#"{"dense": "gene.bias"}"#,
    ),
    case(231, UNSEEN, "matrix as a kernel", r#"{"dense": "c.weight"}"#, r#"{"dense": "r.weight"}"#),
    case(231, UNSEEN, "kernel as a matrix", r#"{"dense": "r.weight"}"#, r#"{"dense": "c.weight"}"#),
    case(
        231,
        UNSEEN,
        "dense scalar",
        r#""r.weight": {"shape": [2, 2], "values": [0.5, 0, 0, 0.5]}"#,
        r#""r.weight": {"shape": [], "values": [0.5]}"#,
    ),
    case(
        208,
        UNSEEN,
        "too few values",
        r#""values": [0.5, 0, 0, 0.5]"#,
        r#""values": [0.5, 0, 0]"#,
    ),
    case(
        207,
        SEEN,
        "value as text",
        r#""values": [0.5, 0, 0, 0.5]"#,
        r#""values": ["0.5", 0, 0, 0]"#,
    ),
    case(
        232,
        UNSEEN,
        "value beyond f32",
        r#""values": [0.5, 0, 0, 0.5]"#,
        r#""values": [1e39, 0, 0, 0]"#,
    ),
    case(209, UNSEEN, "large inline tensor", r#""shape": [2, 2], "#, r#""shape": [65, 64], "#),
    case(
        236,
        SEEN,
        "no tensors",
        r#""tensors": {"inline": {"#,
        r#""tensors": {}, "x_tensors": {"inline": {"#,
    ),
    case(
        208,
        SEEN,
        "name with a line break",
        r#"{"dense": "r.weight"}"#,
        r#"{"dense": "r\nweight"}"#,
    ),
    case(
        224,
        UNSEEN,
        "transposed sample",
        r#"[["y", 1, 2.5], ["y", 9, -0.5]]"#,
        r#"[["y", 2, 2.5]]"#,
    ),
    case(
        224,
        UNSEEN,
        "samples of another scale",
        r#"[["y", 1, 2.5], ["y", 9, -0.5]]"#,
        r#"[["y", 1, 5], ["y", 9, -1]]"#,
    ),
    case(224, UNSEEN, "sample of nothing known", r#"["y", 9, -0.5]"#, r#"["y", 9, 0.25]"#),
    case(225, UNSEEN, "sample of a node without weight", r#"["y", 9, -0.5]"#, r#"["s", 9, -0.5]"#),
    case(225, UNSEEN, "sample beyond the weight", r#"["y", 9, -0.5]"#, r#"["y", 99, -0.5]"#),
    case(211, UNSEEN, "sample of no node", r#"["y", 9, -0.5]"#, r#"["z", 9, -0.5]"#),
    case(208, SEEN, "sample of two entries", r#"["y", 9, -0.5]"#, r#"["y", 9]"#),
    case(208, SEEN, "negative tolerance", r#""abs_tol": 1e-6"#, r#""abs_tol": -1"#),
];

/// Wrong nodes.
pub(crate) const NODES: &[Case] = &[
    case(204, SEEN, "max pooling", r#""op": "add""#, r#""op": "maxpool""#),
    case(204, SEEN, "sign clip", r#""op": "add""#, r#""op": "clip""#),
    case(204, SEEN, "crop", r#""op": "add""#, r#""op": "crop""#),
    case(204, SEEN, "spike join", r#""op": "add""#, r#""op": "spike_join""#),
    case(208, SEEN, "unknown operation", r#""op": "add""#, r#""op": "sum""#),
    case(206, SEEN, "no operation", r#""op": "add", "#, ""),
    case(206, SEEN, "no id", r#""id": "s", "#, ""),
    case(208, SEEN, "id with other characters", r#""id": "r""#, r#""id": "r→""#),
    case(210, UNSEEN, "id given twice", r#""id": "r""#, r#""id": "y""#),
    case(206, SEEN, "no inputs", r#""op": "add", "in": ["y", "r"]"#, r#""op": "add""#),
    case(215, SEEN, "addition of nothing", r#""in": ["y", "r"]"#, r#""in": []"#),
    case(215, SEEN, "two currents of a neuron", r#""in": ["s"]"#, r#""in": ["s", "y"]"#),
    case(207, SEEN, "input as a text", r#""in": ["s"]"#, r#""in": "s""#),
    case(205, SEEN, "input of the input", r#""op": "input""#, r#""op": "input", "in": []"#),
    case(211, UNSEEN, "unknown input", r#""in": ["s"]"#, r#""in": ["S"]"#),
    case(
        211,
        UNSEEN,
        "unknown neuron",
        r#""in": ["s"], "neuron": "n""#,
        r#""in": ["s"], "neuron": "lif""#,
    ),
    case(208, SEEN, "negative delay", r#""delay": 1"#, r#""delay": -1"#),
    case(206, SEEN, "no delay", r#"{"node": "out", "delay": 1}"#, r#"{"node": "out"}"#),
    case(217, UNSEEN, "loop without delay", r#""delay": 1"#, r#""delay": 0"#),
    case(
        213,
        UNSEEN,
        "two inputs",
        r#"{"id": "x", "op": "input"}"#,
        r#"{"id": "x", "op": "input"}, {"id": "x2", "op": "input"}"#,
    ),
    case(
        213,
        UNSEEN,
        "no input",
        r#"{"id": "x", "op": "input"}"#,
        r#"{"id": "x", "op": "flatten", "in": ["out"]}"#,
    ),
    case(219, UNSEEN, "neuron on spikes", r#""in": ["s"]"#, r#""in": ["h"]"#),
    case(216, UNSEEN, "sum of two shapes", r#""in": ["y", "r"]"#, r#""in": ["y", "h"]"#),
    case(
        216,
        UNSEEN,
        "matrix on too many inputs",
        r#""op": "linear", "in": ["h"]"#,
        r#""op": "linear", "in": ["x"]"#,
    ),
    case(
        216,
        UNSEEN,
        "matrix that fits transposed",
        r#""op": "linear", "in": ["h"]"#,
        r#""op": "linear", "in": [{"node": "out", "delay": 1}]"#,
    ),
    case(
        216,
        UNSEEN,
        "kernel on a vector",
        r#""op": "conv2d", "in": ["x"]"#,
        r#""op": "conv2d", "in": [{"node": "out", "delay": 1}]"#,
    ),
    case(216, UNSEEN, "kernel on other channels", r#""shape": [1, 4, 4]"#, r#""shape": [2, 4, 4]"#),
    case(
        216,
        UNSEEN,
        "kernel larger than the input",
        r#""shape": [1, 4, 4]"#,
        r#""shape": [1, 1, 4]"#,
    ),
    case(231, UNSEEN, "kernel unlike k", r#""k": [2, 2]"#, r#""k": [3, 2]"#),
    case(231, UNSEEN, "groups that do not divide", r#""groups": 1"#, r#""groups": 3"#),
    case(208, SEEN, "k of three numbers", r#""k": [2, 2]"#, r#""k": [2, 2, 2]"#),
    case(208, SEEN, "stride of zero", r#""stride": [2, 2]"#, r#""stride": [0, 2]"#),
    case(206, SEEN, "no padding", r#""pad": [0, 0, 0, 0],"#, ""),
    case(208, SEEN, "padding of two numbers", r#""pad": [0, 0, 0, 0]"#, r#""pad": [0, 0]"#),
    case(230, UNSEEN, "statistics of another prefix", r#""prefix": "bn""#, r#""prefix": "b""#),
    case(
        231,
        UNSEEN,
        "statistics of other channels",
        r#""op": "batchnorm", "in": ["c"]"#,
        r#""op": "batchnorm", "in": ["x"]"#,
    ),
    case(
        232,
        UNSEEN,
        "negative variance",
        r#""bn.running_var": {"shape": [2], "values": [1, 1]}"#,
        r#""bn.running_var": {"shape": [2], "values": [1, -1]}"#,
    ),
    case(208, SEEN, "negative eps", r#""eps": 0.001"#, r#""eps": -0.001"#),
    case(206, SEEN, "no eps", r#", "eps": 0.001"#, ""),
    case(
        206,
        SEEN,
        "padded pooling without exclude_pad",
        r#"{"id": "h", "op""#,
        r#"{"id": "p", "op": "avgpool", "in": ["c"], "k": [2, 2], "stride": [1, 1], "pad": [1, 0, 0, 0]}, {"id": "h", "op""#,
    ),
    case(
        208,
        UNSEEN,
        "pooling window in the padding",
        r#"{"id": "h", "op""#,
        r#"{"id": "p", "op": "avgpool", "in": ["c"], "k": [2, 2], "stride": [1, 1], "pad": [2, 0, 0, 0], "exclude_pad": true}, {"id": "h", "op""#,
    ),
    case(
        216,
        UNSEEN,
        "pooling of a vector",
        r#"{"id": "h", "op""#,
        r#"{"id": "p", "op": "global_avgpool", "in": [{"node": "out", "delay": 1}]}, {"id": "h", "op""#,
    ),
    case(
        216,
        UNSEEN,
        "concatenation of unlike maps",
        r#"{"id": "h", "op""#,
        r#"{"id": "p", "op": "concat", "in": ["c", "x"]}, {"id": "h", "op""#,
    ),
    case(
        218,
        UNSEEN,
        "loop of nothing",
        r#"{"id": "h", "op""#,
        r#"{"id": "p", "op": "add", "in": [{"node": "p", "delay": 1}]}, {"id": "h", "op""#,
    ),
];

/// All of them.
pub(crate) fn cases() -> impl Iterator<Item = &'static Case> {
    [ENVELOPE, NEURONS, GENES, NODES].into_iter().flatten()
}
