//! Motifs: templates of cells whose operations a genome completes.

use std::fmt;

/// What a motif says about an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Excitatory convolution; a gene sets its size.
    Excite,
    /// Inhibitory convolution; a gene sets its size.
    Inhibit,
    /// The state itself.
    Identity,
    /// Nothing.
    Zero,
}

impl Mark {
    /// As genomes write it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Excite => "+",
            Self::Inhibit => "-",
            Self::Identity => "id",
            Self::Zero => "zero",
        }
    }
}

/// An edge of a motif.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it does.
    pub mark: Mark,
    /// The state it reads; of a feedback edge, the state it changes.
    pub state: usize,
}

/// A motif.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Motif {
    /// The gene that chooses it.
    pub id: u32,
    /// Inputs of the cell.
    pub arity: usize,
    /// Edges of each node, one per input of the cell.
    pub nodes: Vec<Vec<Slot>>,
    /// Forward entries of the released table that are never executed. They only shift the position
    /// of the feedback gene.
    pub unused: usize,
    /// Feedback of the second node, of the third, and so on, or none at all. The sign of a
    /// convolution is a remark: its gene decides.
    pub feedback: Vec<Slot>,
    /// States that make up the output.
    pub concat: Vec<usize>,
}

impl Motif {
    /// As the released code calls it: `mm`, `m` or `t` by arity, then the id.
    pub fn name(&self) -> String {
        name(self.id, self.arity)
    }

    /// Number of entries of the template; it locates the feedback gene.
    pub fn entries(&self) -> usize {
        self.nodes.len() * self.arity + self.unused + self.feedback.len()
    }
}

/// Name of the motif `id` of `arity` inputs.
pub(crate) fn name(id: u32, arity: usize) -> String {
    match arity {
        2 => format!("mm{id}"),
        3 => format!("m{id}"),
        4 => format!("t{id}"),
        _ => format!("{id}/{arity}"),
    }
}

/// One line per node, feedback edge and output.
impl fmt::Display for Motif {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, arity, entries) = (self.name(), self.arity, self.entries());
        writeln!(f, "{name}: {arity} inputs, {entries} entries")?;
        for (index, slots) in self.nodes.iter().enumerate() {
            let edges: Vec<String> =
                slots.iter().map(|s| format!("{}({})", s.mark.symbol(), s.state)).collect();
            writeln!(f, "{} = {}", arity + index, edges.join(" "))?;
            if let Some(back) = index.checked_sub(1).and_then(|k| self.feedback.get(k)) {
                writeln!(f, "{} += {}({})", back.state, back.mark.symbol(), arity + index)?;
            }
        }
        if self.unused > 0 {
            writeln!(f, "not executed: {} forward entries", self.unused)?;
        }
        writeln!(f, "out = {:?}", self.concat)
    }
}
