//! What was folded into what, and what that saved.

use serde::{Deserialize, Serialize};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::{Code, folding, quantize};

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
    /// Mantissas that need not be stored any more.
    pub values: u64,
    /// Synapses that need not be listed any more, if nothing on a core is shared.
    pub synapses: u64,
    /// Bits of synapse memory that are saved, if nothing on a core is shared and lists are not rounded up to
    /// words.
    pub bits: u64,
    /// Neurons that need not be computed any more.
    pub neurons: u64,
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
    pub const ALL: [Self; 9] = [
        Self::Genes,
        Self::Zero,
        Self::Populations,
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
            Self::Zero | Self::Joined => folding::PROJECTIONS,
            Self::Sparse | Self::Narrow | Self::Aligned => folding::STORE,
            Self::Shared | Self::Unused => quantize::FOLDED,
        }
    }
}

impl Fold {
    /// A fold that saves nothing yet.
    pub(crate) fn new(kind: FoldKind, into: impl Into<String>, from: Vec<String>) -> Self {
        Self { kind, into: into.into(), from, values: 0, synapses: 0, bits: 0, neurons: 0 }
    }

    /// Names of the populations that `name` stands for besides itself.
    pub fn stands_for(folds: &[Self], name: &str) -> Vec<String> {
        let own = folds.iter().filter(|f| f.kind == FoldKind::Populations && f.into == name);
        let own = own.flat_map(|f| &f.from);
        // What was folded into another one before that was folded itself.
        own.flat_map(|n| std::iter::once(n.clone()).chain(Self::stands_for(folds, n))).collect()
    }

    /// The note for people.
    pub(crate) fn remark(&self) -> Diagnostic {
        let into = &self.into;
        let from = self.from.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = match self.kind {
            FoldKind::Genes => format!("{into} are left: {} were folded", self.from.join(", ")),
            FoldKind::Zero => format!("projection {from} has no weight but 0 and was removed"),
            FoldKind::Populations => format!("population `{into}` also stands for {from}"),
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
