//! What was folded into what, and what that saved.

use serde::{Deserialize, Serialize};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::{Code, folding, quantize};
use std::ops::Range;

/// One fold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// What happened.
    pub kind: FoldKind,
    /// Name of what stays; empty if nothing does.
    pub into: String,
    /// Names of what it stands for now, or of what is gone.
    pub from: Vec<String>,
    /// Of [`FoldKind::Halves`], the first neuron of each of these; empty else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<usize>,
    /// Mantissas that need not be stored any more.
    pub values: u64,
    /// Synapses that need not be listed any more, if nothing on a core is shared.
    pub synapses: u64,
    /// Bits of synapse memory that are saved, if nothing on a core is shared and lists are not rounded up to
    /// words.
    pub bits: u64,
    /// Neurons that need not be computed any more.
    pub neurons: u64,
    /// Projections that need not be kept any more.
    #[serde(default)]
    pub projections: u64,
}

/// Neurons of a population that a fold knows by a name of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name that they had before.
    pub name: String,
    /// Their positions in what they are part of now.
    pub neurons: Range<usize>,
}

/// What a fold does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoldKind {
    /// Genes that do nothing, or the same as another one, are gone.
    Genes,
    /// A projection of zeros is gone.
    Zero,
    /// Populations that compute the same from the same are one.
    Populations,
    /// Populations with the same ends, delays and parameters are the neurons of one.
    Halves,
    /// Projections of the same ends and delay are one.
    Joined,
    /// A dense matrix lists its nonzero weights only.
    Sparse,
    /// Mantissas fit a narrower field.
    Narrow,
    /// Matrices of equal weights are one.
    Shared,
    /// Matrices that are equal up to a power of two have the same mantissas.
    Aligned,
    /// A matrix that nothing uses is gone.
    Unused,
}

impl FoldKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Genes,
        Self::Zero,
        Self::Populations,
        Self::Halves,
        Self::Joined,
        Self::Sparse,
        Self::Narrow,
        Self::Shared,
        Self::Aligned,
        Self::Unused,
    ];

    /// Name in accounts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genes => "genes",
            Self::Zero => "zero",
            Self::Populations => "populations",
            Self::Halves => "halves",
            Self::Joined => "joined",
            Self::Sparse => "sparse",
            Self::Narrow => "narrow",
            Self::Shared => "shared",
            Self::Aligned => "aligned",
            Self::Unused => "unused",
        }
    }

    const fn code(self) -> Code {
        match self {
            Self::Genes => folding::GENES,
            Self::Populations => folding::MERGED,
            Self::Halves => folding::HALVES,
            Self::Zero | Self::Joined => folding::PROJECTIONS,
            Self::Sparse | Self::Narrow | Self::Aligned => folding::STORE,
            Self::Shared | Self::Unused => quantize::FOLDED,
        }
    }
}

impl Fold {
    /// A fold that saves nothing yet.
    pub(crate) fn new(kind: FoldKind, into: impl Into<String>, from: Vec<String>) -> Self {
        Self {
            kind,
            into: into.into(),
            from,
            at: Vec::new(),
            values: 0,
            synapses: 0,
            bits: 0,
            neurons: 0,
            projections: 0,
        }
    }

    /// The populations that were folded into the one called `name`, which has `size` neurons now: itself, unless
    /// it is made of others, and the neurons that each of the others is. `folds` in the order in which
    /// they happened.
    pub fn parts(folds: &[Self], name: &str, size: usize) -> Vec<Part> {
        Self::unfolded(folds, &[FoldKind::Populations, FoldKind::Halves], name, size)
    }

    /// The populations that the one called `name` is made of, each with its own neurons; itself, if of none.
    pub fn parts_of_whole(folds: &[Self], name: &str, size: usize) -> Vec<Part> {
        Self::unfolded(folds, &[FoldKind::Halves], name, size)
    }

    fn unfolded(folds: &[Self], kinds: &[FoldKind], name: &str, size: usize) -> Vec<Part> {
        let mut parts = vec![Part { name: name.to_owned(), neurons: 0..size }];
        // The last fold is undone first.
        for fold in folds.iter().rev().filter(|fold| kinds.contains(&fold.kind)) {
            let mut found = Vec::new();
            for part in parts {
                if part.name != fold.into {
                    found.push(part);
                } else if fold.kind == FoldKind::Halves {
                    found.extend(fold.halves(&part));
                } else {
                    let twins =
                        fold.from.iter().map(|name| Part { name: name.clone(), ..part.clone() });
                    let twins: Vec<_> = twins.collect();
                    found.push(part);
                    found.extend(twins);
                }
            }
            parts = found;
        }
        parts
    }

    /// What a population was made of.
    fn halves(&self, whole: &Part) -> Vec<Part> {
        let Range { start, end } = whole.neurons;
        let first = |i: usize| self.at.get(i).map_or(end, |at| (start + at).min(end));
        let part = |(i, name): (usize, &String)| Part {
            name: name.clone(),
            neurons: first(i)..first(i + 1),
        };
        self.from.iter().enumerate().map(part).collect()
    }

    /// The note for people.
    pub(crate) fn remark(&self) -> Diagnostic {
        let into = &self.into;
        let from = self.from.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = match self.kind {
            FoldKind::Genes => format!("{into} are left: {} were folded", self.from.join(", ")),
            FoldKind::Zero => format!("projection {from} has no weight but 0 and was removed"),
            FoldKind::Populations => format!("population `{into}` also stands for {from}"),
            FoldKind::Halves => format!("population `{into}` is made of {from}"),
            FoldKind::Joined => format!("projections {from} became `{into}`, their sum"),
            FoldKind::Sparse => format!("matrix `{into}` lists its nonzero weights only"),
            FoldKind::Narrow => format!("the weights of matrix `{into}` fit a narrower field"),
            FoldKind::Shared => format!("matrix `{into}` also stores {from}: equal weights"),
            FoldKind::Aligned => {
                format!("matrix `{into}` has the mantissas of {from}: equal up to a power of two")
            }
            FoldKind::Unused => format!("matrix {from} is not used and was dropped"),
        };
        let saved = [
            (self.neurons, "neurons"),
            (self.projections, "projections"),
            (self.values, "stored values"),
            (self.synapses, "synapses"),
            (self.bits, "bits of synapse memory"),
        ];
        let saved = saved.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
        let saved = saved.collect::<Vec<_>>();
        let note = Diagnostic::note_only(self.kind.code(), message);
        if saved.is_empty() { note } else { note.note(format!("saved: {}", saved.join(", "))) }
    }
}
