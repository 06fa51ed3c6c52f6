//! The motifs and cell genotypes that ship with the compiler: library 1.
//!
//! The facts are those of BrainCog's `motifs.py` and `genotypes.py`; the form is our own. Motifs are
//! stored as the released code *executes* them, which differs from its comments for `t3`.

mod genotypes;
mod motifs;

use super::genotype::Genotype;
use super::motif::Motif;

/// What ships with the compiler.
#[derive(Clone, Debug)]
pub struct Library {
    /// Motifs, by arity and id.
    pub motifs: Vec<Motif>,
    /// Named cell genotypes, in the order of their table.
    pub genotypes: Vec<Genotype>,
}

/// The shipped motifs and genotypes, which `"library": 1` names.
pub fn library() -> Library {
    Library {
        motifs: motifs::MOTIFS.iter().map(motifs::Row::motif).collect(),
        genotypes: genotypes::GENOTYPES.iter().map(genotypes::Row::genotype).collect(),
    }
}

/// The shipped motif `id` of `arity` inputs.
pub(crate) fn motif(id: u32, arity: usize) -> Option<Motif> {
    let row = motifs::MOTIFS.iter().find(|row| row.id == id && row.arity == arity)?;
    Some(row.motif())
}

/// The shipped genotype called `name`.
pub(crate) fn genotype(name: &str) -> Option<Genotype> {
    let row = genotypes::GENOTYPES.iter().find(|row| row.name == name)?;
    Some(row.genotype())
}

/// Names of all shipped genotypes.
pub(crate) fn genotype_names() -> impl Iterator<Item = &'static str> + Clone {
    genotypes::GENOTYPES.iter().map(|row| row.name)
}
