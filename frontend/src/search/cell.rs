//! The graph of one cell: which operation joins which states.
//!
//! A cell has `arity` input states and one further state per node. A node is the sum of its edges;
//! after a node is computed, its feedback edge may change an earlier state, which from then on is
//! another *version* of that state: readers before see the old one, readers after the new one.

use snnc_ir::network::Keep;
use std::fmt;

/// Most nodes of a cell.
pub(crate) const MAX_NODES: usize = 32;

/// Which values an edge lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Values above 0.
    Excitatory,
    /// Values below 0.
    Inhibitory,
    /// All values.
    Any,
}

impl Sign {
    /// What the clip of the edge keeps, if it has one.
    pub const fn keep(self) -> Option<Keep> {
        match self {
            Self::Excitatory => Some(Keep::Positive),
            Self::Inhibitory => Some(Keep::Negative),
            Self::Any => None,
        }
    }

    /// ` +`, ` -`, or nothing.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Excitatory => " +",
            Self::Inhibitory => " -",
            Self::Any => "",
        }
    }
}

/// What an edge does with the state it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Convolution of stride 1 that keeps the size, then batch normalization, then the clip. In cells
    /// of motifs it reads spikes of a population of its own.
    Conv {
        /// Extent of the square kernel: 3 or 5.
        size: u32,
        /// What the clip keeps.
        sign: Sign,
    },
    /// Average over 3×3 cells, those of the padding not counted, then the clip.
    AvgPool {
        /// What the clip keeps.
        sign: Sign,
    },
    /// The state itself, then the clip.
    Identity {
        /// What the clip keeps.
        sign: Sign,
    },
    /// Nothing: the state multiplied by 0.
    Zero,
    /// Linear layer with neurons, in cells without maps; no network can be built with it.
    Mlp {
        /// What the clip before the layer keeps.
        sign: Sign,
    },
}

impl Operation {
    /// Its name in the tables of genotypes, without the mark of feedback.
    pub fn name(self) -> String {
        let (stem, sign) = match self {
            Self::Conv { size, sign } => (format!("conv_{size}x{size}"), sign),
            Self::AvgPool { sign } => ("avg_pool_3x3".to_owned(), sign),
            Self::Identity { sign } => ("skip_connect".to_owned(), sign),
            Self::Mlp { sign } => ("mlp".to_owned(), sign),
            Self::Zero => return "skip".to_owned(),
        };
        match sign {
            Sign::Any => stem,
            Sign::Excitatory => stem + "_p",
            Sign::Inhibitory => stem + "_n",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv { size, sign } => write!(f, "conv {size}x{size}{}", sign.suffix()),
            Self::AvgPool { sign } => write!(f, "avg_pool 3x3{}", sign.suffix()),
            Self::Identity { sign } => write!(f, "identity{}", sign.suffix()),
            Self::Zero => f.write_str("zero"),
            Self::Mlp { sign } => write!(f, "mlp{}", sign.suffix()),
        }
    }
}

/// What feedback means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// As the released code executes it: the feedback edge reads the node just computed and changes
    /// the earlier state in the same step.
    SameStep,
    /// The feedback edge reads the node's state of the previous step; all readers of the earlier
    /// state see the sum.
    Delay1,
    /// There is no feedback.
    None,
}

/// A version of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateRef {
    /// Index of the state: inputs first, then nodes.
    pub state: usize,
    /// How many feedback edges have changed it.
    pub version: u32,
}

impl fmt::Display for StateRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            0 => write!(f, "{}", self.state),
            version => write!(f, "{}.v{version}", self.state),
        }
    }
}

/// An incoming edge of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellEdge {
    /// What it does.
    pub operation: Operation,
    /// What it reads.
    pub source: StateRef,
    /// Index among the forward operations of the cell: `_ops.ENTRY` in the state dict.
    pub entry: usize,
    /// Position in the genome of the gene that chose the operation, if one did.
    pub gene: Option<usize>,
}

/// A node: the sum of its edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellNode {
    /// Its state.
    pub state: usize,
    /// Summed in this order. Edges that are zero contribute nothing.
    pub edges: Vec<CellEdge>,
}

/// A feedback edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellFeedback {
    /// State of the node that it reads, as soon as that is computed.
    pub after: usize,
    /// What it changes, as the version after the change; with [`Semantics::Delay1`] version 0.
    pub to: StateRef,
    /// What it does.
    pub operation: Operation,
    /// Index among the feedback operations of the cell: `_ops_back.ENTRY` in the state dict.
    pub entry: usize,
    /// Position in the genome of the gene that chose the operation, if one did.
    pub gene: Option<usize>,
}

/// The graph of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellGraph {
    /// Input states, 0 the oldest.
    pub arity: usize,
    /// Nodes in the order of computation.
    pub nodes: Vec<CellNode>,
    /// At most one per node, none of the first node.
    pub feedback: Vec<CellFeedback>,
    /// States that make up the output, joined by channel.
    pub concat: Vec<StateRef>,
    /// What the feedback edges mean.
    pub semantics: Semantics,
}

/// An operation on a state, and the gene that chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) operation: Operation,
    pub(crate) source: usize,
    pub(crate) gene: Option<usize>,
}

/// A cell before its edges are checked and its versions are known.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) arity: usize,
    /// `arity` entries per node.
    pub(crate) forward: Vec<Entry>,
    /// Feedback of the second node, of the third, and so on; `source` is what they change.
    pub(crate) feedback: Vec<Entry>,
    pub(crate) concat: &'a [usize],
}

impl CellGraph {
    /// Checks a cell and finds the versions of its states.
    ///
    /// # Errors
    /// Everything that is wrong, in words.
    pub(crate) fn new(draft: &Draft<'_>, semantics: Semantics) -> Result<Self, Vec<String>> {
        let problems = draft.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let arity = draft.arity;
        let count = draft.forward.len() / arity;
        let mut versions = vec![0; arity + count];
        let mut graph = Self {
            arity,
            nodes: Vec::with_capacity(count),
            feedback: Vec::new(),
            concat: Vec::new(),
            semantics,
        };
        for (index, entries) in draft.forward.chunks_exact(arity).enumerate() {
            let edges = entries.iter().enumerate().map(|(slot, entry)| CellEdge {
                operation: entry.operation,
                source: StateRef { state: entry.source, version: versions[entry.source] },
                entry: index * arity + slot,
                gene: entry.gene,
            });
            let state = arity + index;
            graph.nodes.push(CellNode { state, edges: edges.collect() });
            let Some(entry) = index.checked_sub(1) else { continue };
            let Some(back) = draft.feedback.get(entry) else { continue };
            if semantics == Semantics::SameStep && back.operation != Operation::Zero {
                versions[back.source] += 1;
            }
            graph.feedback.push(CellFeedback {
                after: state,
                to: StateRef { state: back.source, version: versions[back.source] },
                operation: back.operation,
                entry,
                gene: back.gene,
            });
        }
        let output = draft.concat.iter().map(|&s| StateRef { state: s, version: versions[s] });
        graph.concat = output.collect();
        Ok(graph)
    }
}

impl Draft<'_> {
    fn problems(&self) -> Vec<String> {
        let arity = self.arity;
        let forward = self.forward.len();
        if forward == 0 || !forward.is_multiple_of(arity) {
            return vec![format!(
                "{forward} forward entries; a node has {arity}, one per input of the cell, so a \
                 positive multiple of {arity} is needed"
            )];
        }
        let nodes = forward / arity;
        if nodes > MAX_NODES {
            return vec![format!("{nodes} nodes; at most {MAX_NODES}")];
        }
        let mut problems = Vec::new();
        for (e, entry) in self.forward.iter().enumerate() {
            let state = arity + e / arity;
            if entry.source >= state {
                let source = entry.source;
                problems.push(format!(
                    "forward entry {e} makes state {state} from state {source}, which does not exist \
                     yet"
                ));
            }
        }
        let backs = self.feedback.len();
        if backs != 0 && backs != nodes - 1 {
            problems.push(format!(
                "{backs} feedback entries for {nodes} nodes; every node but the first has one"
            ));
        }
        for (e, entry) in self.feedback.iter().enumerate() {
            let state = arity + e + 1;
            if entry.source >= state {
                let source = entry.source;
                problems.push(format!(
                    "feedback entry {e} follows state {state} and changes state {source}, which is \
                     not an earlier one"
                ));
            }
        }
        let states = arity + nodes;
        if self.concat.is_empty() {
            problems.push("the output joins no state".to_owned());
        }
        for (i, &state) in self.concat.iter().enumerate() {
            if state >= states {
                problems.push(format!("the output joins state {state} of {states}"));
            } else if self.concat[..i].contains(&state) {
                problems.push(format!("the output joins state {state} twice"));
            }
        }
        problems
    }
}

/// One line per node, feedback edge and output.
impl fmt::Display for CellGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut feedback = self.feedback.iter().peekable();
        for node in &self.nodes {
            let edges: Vec<String> =
                node.edges.iter().map(|e| format!("{} ({})", e.operation, e.source)).collect();
            writeln!(f, "{} = {}", node.state, edges.join(" + "))?;
            if let Some(back) = feedback.next_if(|b| b.after == node.state) {
                writeln!(f, "{back}{}", self.when())?;
            }
        }
        let concat: Vec<String> = self.concat.iter().map(StateRef::to_string).collect();
        writeln!(f, "out = {}", concat.join(", "))
    }
}

impl CellGraph {
    /// What a line about feedback adds for delayed feedback.
    const fn when(&self) -> &'static str {
        match self.semantics {
            Semantics::Delay1 => " of the previous step",
            Semantics::SameStep | Semantics::None => "",
        }
    }
}

impl fmt::Display for CellFeedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} += {} ({})", self.to, self.operation, self.after)
    }
}
