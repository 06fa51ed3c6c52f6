//! Small architecture genomes and everything that can be wrong with them.

use crate::cases::{Case, SEEN, UNSEEN};

/// Two cells of MSE-NAS, the second a reduction.
pub(crate) const MSE: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "mse-nas", "name": "mse",
  "time": {"steps": 4, "order": "step_major"},
  "input": {"coding": "events", "shape": [2, 4, 4]},
  "readout": {"kind": "mean_linear", "classes": 2},
  "neurons": {"lif": {"model": "lif", "tau": 2.0, "threshold": 0.5, "compare": "gt", "v_init": 0.0,
                      "reset": {"kind": "to", "value": 0.0}}},
  "search": {
    "family": "braincog-mse-nas", "library": 1,
    "genome": [5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3],
    "cells": 2, "genes_per_cell": 20, "init_channels": 2, "reduce_at": [1], "in_channels": 2,
    "stem": "conv", "neuron": "lif", "feedback": "same_step"
  },
  "motifs": {
    "9/3": {"arity": 3, "concat": [3, 4], "unused": 0,
            "nodes": [{"id": 3, "in": [["+", 0], ["-", 1], ["id", 2]]},
                      {"id": 4, "in": [["zero", 0], ["zero", 1], ["+", 3]]}],
            "feedback": [{"after": 4, "to": 3, "op": "+"}]}
  }
}
"#;

/// One cell of NeuEvo.
pub(crate) const NEUEVO: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "mse-nas", "name": "neuevo",
  "time": {"steps": 4, "order": "step_major"},
  "input": {"coding": "direct", "range": [0, 255], "shape": [2, 4, 4]},
  "readout": {"kind": "mean_linear", "classes": 2, "node": "classifier"},
  "neurons": {"plif": {"model": "plif", "w": -0.5, "threshold": 1.0, "compare": "gt", "v_init": 0.0,
                       "reset": {"kind": "to", "value": 0.0}}},
  "search": {"family": "braincog-neuevo", "library": 1, "genotype": "mine", "cells": 1,
             "init_channels": 2, "reduce_at": [], "in_channels": 2, "stem": "conv",
             "neuron": "plif", "feedback": "same_step"},
  "genotypes": {"mine": {"normal": [["conv_3x3_p", 1], ["avg_pool_3x3_n", 0],
                                    ["conv_5x5", 2], ["skip_connect", 1],
                                    ["conv_3x3_n_back", 2]],
                         "concat": [2, 3]}}
}
"#;

/// Two modules of EB-NAS; the first ends at twice the size of the second.
pub(crate) const EB: &str = r#"{
  "format": "snnc-genome", "version": "1.0", "kind": "mse-nas", "name": "eb",
  "time": {"steps": 4, "order": "step_major"},
  "input": {"coding": "events", "shape": [2, 4, 4]},
  "readout": {"kind": "mean_linear", "classes": 2},
  "neurons": {"lif": {"model": "lif", "tau": 2.0, "threshold": 0.5, "compare": "gt", "v_init": 0.0,
                      "reset": {"kind": "to", "value": 0.0}}},
  "search": {
    "family": "braincog-eb-nas", "library": 1,
    "genome": [5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               1, 2, 3, 4, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
               0, 1,
               0, 0],
    "modules": 2, "init_channels": 2, "reduce_at": [5], "in_channels": 2,
    "stem": "conv", "neuron": "lif", "feedback": "same_step",
    "adapters": [{"from": 0, "to": 1, "weight": "glob.0.1.weight", "k": 4, "stride": 2, "pad": 1}]
  }
}
"#;

const fn of(
    base: &'static str,
    code: u16,
    schema: bool,
    name: &'static str,
    from: &'static str,
    to: &'static str,
) -> Case {
    Case { base, name, code, schema, from, to }
}

const fn mse(
    code: u16,
    schema: bool,
    name: &'static str,
    from: &'static str,
    to: &'static str,
) -> Case {
    of(MSE, code, schema, name, from, to)
}

const fn neuevo(
    code: u16,
    schema: bool,
    name: &'static str,
    from: &'static str,
    to: &'static str,
) -> Case {
    of(NEUEVO, code, schema, name, from, to)
}

const fn eb(
    code: u16,
    schema: bool,
    name: &'static str,
    from: &'static str,
    to: &'static str,
) -> Case {
    of(EB, code, schema, name, from, to)
}

/// Wrong searches.
pub(crate) const SEARCH: &[Case] = &[
    mse(208, SEEN, "unknown family", "braincog-mse-nas", "braincog-msenas"),
    mse(206, SEEN, "no family", r#""family": "braincog-mse-nas", "#, ""),
    mse(208, SEEN, "unknown library", r#""library": 1"#, r#""library": 2"#),
    mse(206, SEEN, "no stem", r#""stem": "conv", "#, ""),
    mse(208, SEEN, "unknown stem", r#""stem": "conv""#, r#""stem": "pool""#),
    mse(208, SEEN, "feedback switched off", r#""same_step""#, r#""none""#),
    mse(205, SEEN, "field of another family", r#""cells": 2"#, r#""cells": 2, "modules": 2"#),
    mse(205, SEEN, "nodes beside a search", r#""motifs": {"#, r#""nodes": [], "motifs": {"#),
    mse(205, SEEN, "genotypes beside motifs", r#""motifs": {"#, r#""genotypes": {}, "motifs": {"#),
    mse(211, UNSEEN, "unknown neuron", r#""neuron": "lif""#, r#""neuron": "plif""#),
    mse(208, SEEN, "another number of genes", r#"cell": 20"#, r#"cell": 24"#),
    mse(240, UNSEEN, "too short a genome", "9, 0, 0, 0,", "9, 0, 0,"),
    mse(240, UNSEEN, "more cells than genes", r#""cells": 2"#, r#""cells": 3"#),
    mse(241, UNSEEN, "size of two", "[5, 1, 0", "[5, 2, 0"),
    mse(241, UNSEEN, "last gene of four", "0, 0, 0, 0,\n", "0, 0, 0, 4,\n"),
    mse(241, UNSEEN, "cells of five inputs", "0, 3],", "0, 5],"),
    mse(208, SEEN, "gene beyond all genes", "[5, 1, 0", "[5, 256, 0"),
    mse(242, UNSEEN, "unknown motif", "[5, 1, 0", "[6, 1, 0"),
    mse(242, UNSEEN, "motif of a library not named", r#", "library": 1"#, ""),
    mse(
        242,
        UNSEEN,
        "own motif for other inputs",
        r#""9/3": {"arity": 3"#,
        r#""8/3": {"arity": 3"#,
    ),
    mse(243, UNSEEN, "another motif of the library", r#""9/3": {"#, r#""5/3": {"#),
    mse(208, SEEN, "key of a motif without inputs", r#""9/3": {"#, r#""9": {"#),
    mse(208, UNSEEN, "inputs unlike the key", r#""arity": 3"#, r#""arity": 2"#),
    mse(
        244,
        UNSEEN,
        "node of two entries",
        r#"[["+", 0], ["-", 1], ["id", 2]]"#,
        r#"[["+", 0], ["-", 1]]"#,
    ),
    mse(244, UNSEEN, "node that reads a later one", r#"["id", 2]"#, r#"["id", 4]"#),
    mse(208, SEEN, "unknown operation of a motif", r#"["id", 2]"#, r#"["skip", 2]"#),
    mse(208, UNSEEN, "node of another state", r#"{"id": 4, "in""#, r#"{"id": 5, "in""#),
    mse(208, UNSEEN, "feedback of the first node", r#""after": 4"#, r#""after": 3"#),
    mse(244, UNSEEN, "feedback into a later node", r#""to": 3"#, r#""to": 4"#),
    mse(
        244,
        UNSEEN,
        "two feedback edges for two nodes",
        r#""op": "+"}]"#,
        r#""op": "+"}, {"after": 5, "to": 3, "op": "zero"}]"#,
    ),
    mse(206, SEEN, "motif without feedback", r#""feedback": [{"#, r#""x_feedback": [{"#),
    mse(244, UNSEEN, "output of a state that is not there", "[3, 4]", "[3, 5]"),
    mse(244, UNSEEN, "output of a state twice", "[3, 4]", "[3, 3]"),
    mse(244, SEEN, "output of nothing", "[3, 4]", "[]"),
    mse(244, UNSEEN, "more entries than genes", r#""unused": 0"#, r#""unused": 13"#),
    mse(208, UNSEEN, "reduction beyond the last cell", "[1]", "[2]"),
    mse(208, UNSEEN, "reductions not in order", "[1]", "[1, 0]"),
    mse(245, UNSEEN, "reduction of an odd map", "[2, 4, 4]", "[2, 4, 5]"),
    mse(216, UNSEEN, "input of other channels", "[2, 4, 4]", "[3, 4, 4]"),
    mse(216, UNSEEN, "input without maps", "[2, 4, 4]", "[32]"),
    mse(209, UNSEEN, "too many weights", r#""init_channels": 2"#, r#""init_channels": 4096"#),
    mse(208, SEEN, "too many channels", r#""init_channels": 2"#, r#""init_channels": 5000"#),
    mse(214, SEEN, "searched network that counts spikes", "mean_linear", "spike_count"),
    mse(214, SEEN, "readout of another node", r#""classes": 2"#, r#""classes": 2, "node": "y""#),
    neuevo(211, UNSEEN, "unknown genotype", r#""genotype": "mine""#, r#""genotype": "dvs""#),
    neuevo(
        211,
        UNSEEN,
        "genotype of a library not named",
        r#""library": 1, "genotype": "mine""#,
        r#""genotype": "dvsc10_new0""#,
    ),
    neuevo(
        243,
        UNSEEN,
        "another genotype of the library",
        r#""genotypes": {"mine": "#,
        r#""genotypes": {"dvsc10_new0": "#,
    ),
    neuevo(246, UNSEEN, "cells of vectors", r#""genotype": "mine""#, r#""genotype": "mlp2""#),
    neuevo(246, UNSEEN, "feedback entries switched off", r#""same_step""#, r#""none""#),
    neuevo(
        246,
        UNSEEN,
        "feedback without entries",
        r#""genotype": "mine""#,
        r#""genotype": "dvsc10_new_skip21""#,
    ),
    neuevo(204, SEEN, "separable convolution", r#""conv_5x5""#, r#""sep_conv_5x5_p""#),
    neuevo(208, SEEN, "unknown operation of a cell", r#""conv_5x5""#, r#""conv_5x5_q""#),
    neuevo(208, SEEN, "zero entry of a cell", r#""conv_5x5""#, r#""skip""#),
    neuevo(244, UNSEEN, "three forward entries", r#"["skip_connect", 1],"#, ""),
    neuevo(244, UNSEEN, "entry of a later state", r#"["conv_5x5", 2]"#, r#"["conv_5x5", 3]"#),
    neuevo(
        244,
        UNSEEN,
        "more feedback than nodes",
        r#"["conv_3x3_n_back", 2]"#,
        r#"["conv_3x3_n_back", 2], ["conv_3x3_n", 2]"#,
    ),
    neuevo(
        205,
        SEEN,
        "integer genome of a named cell",
        r#""cells": 1"#,
        r#""cells": 1, "genome": [1]"#,
    ),
    neuevo(206, UNSEEN, "leak that no population has", r#""w": -0.5, "#, ""),
    eb(240, UNSEEN, "connections of three modules", "0, 0],", "0, 0, 0, 0, 0, 0, 0],"),
    eb(241, UNSEEN, "motif twice in a module", "[5, 4, 3, 2, 1,", "[5, 4, 3, 2, 2,"),
    eb(241, UNSEEN, "size of two in a module", "1, 2, 3, 4, 5, 1,", "1, 2, 3, 4, 5, 2,"),
    eb(241, UNSEEN, "connection of two", "0, 1,\n", "0, 2,\n"),
    eb(206, SEEN, "cells for modules", r#""modules": 2"#, r#""cells": 10"#),
    eb(208, SEEN, "stem of images", r#""stem": "conv""#, r#""stem": "conv_conv""#),
    eb(
        247,
        UNSEEN,
        "connection without adapter",
        r#"[{"from": 0, "to": 1, "weight": "glob.0.1.weight", "k": 4, "stride": 2, "pad": 1}]"#,
        "[]",
    ),
    eb(
        247,
        UNSEEN,
        "connection that enlarges maps",
        "0, 1,\n               0, 0],",
        "0, 1,\n               1, 0],",
    ),
    eb(247, UNSEEN, "adapter of another size", r#""k": 4"#, r#""k": 2"#),
    eb(247, UNSEEN, "adapter without connection", r#""to": 1"#, r#""to": 0"#),
    eb(247, UNSEEN, "adapter of a module that is not there", r#""from": 0"#, r#""from": 2"#),
    eb(
        247,
        UNSEEN,
        "two adapters of one connection",
        r#""pad": 1}]"#,
        r#""pad": 1}, {"from": 0, "to": 1, "weight": "w", "k": 4, "stride": 2, "pad": 1}]"#,
    ),
    eb(206, SEEN, "adapter without kernel", r#""k": 4, "#, ""),
];
