//! Cell genotypes of NeuEvo: one cell, given as a list of operations with their sources.

use super::cell::{CellGraph, Draft, Entry, Operation, Semantics, Sign};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::genome as codes;
use std::fmt;

/// Inputs of the cells of NeuEvo.
pub(crate) const ARITY: usize = 2;

/// A named cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genotype {
    /// Its name.
    pub name: String,
    /// Forward operations and the states they read, two per node.
    pub forward: Vec<(Operation, usize)>,
    /// Feedback operations and the states they change, of the second node, of the third, and so on.
    pub feedback: Vec<(Operation, usize)>,
    /// States that make up the output.
    pub concat: Vec<usize>,
}

impl Genotype {
    /// Inputs of its cell.
    pub const ARITY: usize = ARITY;

    /// The graph of the cell.
    ///
    /// # Errors
    /// Everything that is wrong, in words.
    pub(crate) fn graph(&self, semantics: Semantics) -> Result<CellGraph, Vec<String>> {
        let entries = |pairs: &[(Operation, usize)]| {
            let entry = |&(operation, source)| Entry { operation, source, gene: None };
            pairs.iter().map(entry).collect()
        };
        let draft = Draft {
            arity: ARITY,
            forward: entries(&self.forward),
            feedback: entries(&self.feedback),
            concat: &self.concat,
        };
        CellGraph::new(&draft, semantics)
    }

    /// Whether it names operations that no single cell class of the released code has.
    pub fn has_mlp(&self) -> bool {
        let all = self.forward.iter().chain(&self.feedback);
        all.into_iter().any(|(operation, _)| matches!(operation, Operation::Mlp { .. }))
    }
}

/// One line per node, feedback edge and output, with feedback as released.
impl fmt::Display for Genotype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {ARITY} inputs", self.name)?;
        match self.graph(Semantics::SameStep) {
            Ok(graph) => write!(f, "{graph}"),
            Err(problems) => writeln!(f, "not a cell: {}", problems.join("; ")),
        }
    }
}

/// What the released tables know an operation as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It can be compiled.
    Operation(Operation),
    /// It cannot; the text says why.
    Refused(&'static str),
    /// No cell knows it.
    Unknown,
}

/// Operations of the released tables without a form here, by the start of their names.
const REFUSED: [(&str, &str); 6] = [
    ("max_pool_3x3", "the maximum of analog values has no form in spikes or graded messages"),
    ("sep_conv_", "it has an ordinary rectifier between its two convolutions"),
    ("dil_conv_", "dilated convolutions have no form here"),
    ("def_conv_", "the positions that a deformable convolution reads depend on its input"),
    ("conv_7x1_1x7", "two convolutions with one population before both have no form here"),
    ("transformer", "attention multiplies values by values"),
];

/// The operation called `name`, without the mark of feedback.
pub(crate) fn operation(name: &str) -> Known {
    let (stem, sign) = if let Some(stem) = name.strip_suffix("_p") {
        (stem, Sign::Excitatory)
    } else if let Some(stem) = name.strip_suffix("_n") {
        (stem, Sign::Inhibitory)
    } else {
        (name, Sign::Any)
    };
    match stem {
        "conv_3x3" => Known::Operation(Operation::Conv { size: 3, sign }),
        "conv_5x5" => Known::Operation(Operation::Conv { size: 5, sign }),
        "avg_pool_3x3" => Known::Operation(Operation::AvgPool { sign }),
        "skip_connect" => Known::Operation(Operation::Identity { sign }),
        "mlp" => Known::Operation(Operation::Mlp { sign }),
        _ => REFUSED
            .iter()
            .find(|(start, _)| stem.starts_with(start))
            .map_or(Known::Unknown, |&(_, why)| Known::Refused(why)),
    }
}

/// Names of the operations that can be compiled.
pub(crate) const NAMES: [&str; 12] = [
    "conv_3x3_p",
    "conv_5x5_p",
    "avg_pool_3x3_p",
    "skip_connect_p",
    "conv_3x3_n",
    "conv_5x5_n",
    "avg_pool_3x3_n",
    "skip_connect_n",
    "conv_3x3",
    "conv_5x5",
    "avg_pool_3x3",
    "skip_connect",
];

/// Whether the released code can run a network of this cell with this feedback.
///
/// # Errors
/// Why it cannot.
pub(crate) fn runnable(genotype: &Genotype, semantics: Semantics) -> Result<(), Box<Diagnostic>> {
    let refuse = |message: String, note: &str, help: &str| {
        let d = Diagnostic::error(codes::NOT_RUNNABLE, message).at("$.search.genotype");
        Err(Box::new(d.note(note).help(help)))
    };
    let name = &genotype.name;
    if genotype.has_mlp() {
        return refuse(
            format!("no network can be built from the genotype `{name}`"),
            "it joins `mlp` operations, which cells of maps do not know, and convolutions, which cells \
             of vectors do not know; the released code fails on either",
            "choose a genotype of convolutions and averages",
        );
    }
    match (semantics, genotype.feedback.is_empty()) {
        (Semantics::None, false) => refuse(
            format!(
                "the genotype `{name}` has feedback, which `\"feedback\": \"none\"` switches off"
            ),
            "the released code then takes the feedback entries for forward ones, for which it has \
             built no operations, and fails",
            "set `feedback` to \"same_step\", or define a genotype without feedback entries",
        ),
        (Semantics::SameStep, true) => refuse(
            format!("the genotype `{name}` has no feedback"),
            "with feedback switched on the released code then takes all entries for feedback, has no \
             node left, and fails",
            "set `feedback` to \"none\"",
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, NAMES, operation};

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in NAMES {
            let Known::Operation(known) = operation(name) else { panic!("{name} is known") };
            assert_eq!(known.name(), name);
        }
    }
}
