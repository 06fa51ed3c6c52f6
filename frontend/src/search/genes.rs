//! Integer genomes of MSE-NAS and EB-NAS: which gene chooses what.
//!
//! A cell has one gene for its motif and 19 for the operations of the motif's entries. Entry `e` takes
//! its size from gene `e` of the 19; **every** feedback convolution of a motif takes its whole operation,
//! sign included, from the gene of the motif's last entry. So signs come from the genome, never from
//! the template. The search bounds all but the last of the 19 genes by 1, so that of the shipped motifs
//! only t5, which has 19 entries, could evolve inhibitory feedback.

use super::cell::{CellGraph, Draft, Entry, Operation, Sign};
use super::motif::{self, Mark, Motif, Slot};
use super::spec::{Body, CellsSpec};
use super::tables;
use super::unfolding::Gene;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// Genes of a cell: its motif, and those of its entries.
pub(crate) const PER_CELL: usize = 20;
/// Genes for entries.
const SIZES: usize = PER_CELL - 1;
/// Cells of a module of EB-NAS.
pub(crate) const MODULE: usize = 5;
/// Inputs of the cells of EB-NAS.
const MODULE_ARITY: usize = 2;

/// What the genome says of one cell.
pub(crate) struct Decoded {
    /// Name of the motif or genotype.
    pub(crate) template: String,
    pub(crate) graph: CellGraph,
    pub(crate) genes: Vec<Gene>,
}

/// What the genome says of all cells.
pub(crate) struct Decoding {
    pub(crate) arity: usize,
    pub(crate) cells: Vec<Decoded>,
    /// Genes that belong to no cell.
    pub(crate) genes: Vec<Gene>,
    /// `glob[from][to]`, of EB-NAS.
    pub(crate) glob: Vec<Vec<bool>>,
}

/// Path of the gene at `position`.
pub(crate) fn path(position: usize) -> String {
    format!("$.search.genome[{position}]")
}

fn bad_gene(position: usize, message: String, note: &str, out: &mut Diagnostics) {
    out.push(Diagnostic::error(codes::GENE_VALUE, message).at(path(position)).note(note));
}

/// Decodes the genome. `None` if something is wrong, which is then reported.
pub(crate) fn decode(spec: &CellsSpec, out: &mut Diagnostics) -> Option<Decoding> {
    match &spec.body {
        Body::Cells { genome, cells } => per_cell(spec, genome, *cells, out),
        Body::Modules { genome, modules, .. } => per_module(spec, genome, *modules, out),
        Body::Genotype { genotype, cells } => {
            let path = "$.search.genotype";
            super::genotype::runnable(genotype, spec.semantics).map_err(|d| out.push(*d)).ok()?;
            let graph = tables::graph(genotype.graph(spec.semantics), path, out)?;
            let arity = graph.arity;
            let template = genotype.name.clone();
            let cell =
                || Decoded { template: template.clone(), graph: graph.clone(), genes: vec![] };
            let cells = (0..*cells).map(|_| cell()).collect();
            Some(Decoding { arity, cells, genes: Vec::new(), glob: Vec::new() })
        }
    }
}

/// Whether the genome has `expected` genes.
fn length(genome: &[u32], expected: usize, why: &str, out: &mut Diagnostics) -> Option<()> {
    if genome.len() == expected {
        return Some(());
    }
    let found = genome.len();
    out.push(
        Diagnostic::error(codes::GENOME_LENGTH, format!("the genome has {found} genes"))
            .at("$.search.genome")
            .note(format!("expected {expected}: {why}"))
            .help("correct the number of cells, or export the whole genome"),
    );
    None
}

fn per_cell(
    spec: &CellsSpec,
    genome: &[u32],
    cells: usize,
    out: &mut Diagnostics,
) -> Option<Decoding> {
    let why = format!("{cells} cells of {PER_CELL}, and the number of inputs of each cell");
    length(genome, cells * PER_CELL + 1, &why, out)?;
    let last = cells * PER_CELL;
    let arity = genome[last] as usize;
    if !(2..=4).contains(&arity) {
        let message = format!("cells of {arity} inputs");
        bad_gene(last, message, "the last gene is the number of inputs: 2, 3 or 4", out);
        return None;
    }
    let found: Vec<Option<Decoded>> = (0..cells)
        .map(|cell| {
            let base = cell * PER_CELL;
            let genes = &genome[base + 1..base + PER_CELL];
            let motif = spec.motifs.find(genome[base], arity, &path(base), out)?;
            sizes(genes, base + 1, |e| e + 1 == SIZES || chooses_feedback(&motif, e), out)?;
            decode_cell(spec, &motif, base, genes, base + 1, out)
        })
        .collect();
    let gene = Gene {
        position: last,
        value: genome[last],
        meaning: format!("each cell reads the {arity} outputs before it"),
        neutral: false,
    };
    let cells = found.into_iter().collect::<Option<_>>()?;
    Some(Decoding { arity, cells, genes: vec![gene], glob: Vec::new() })
}

fn per_module(
    spec: &CellsSpec,
    genome: &[u32],
    modules: usize,
    out: &mut Diagnostics,
) -> Option<Decoding> {
    let block = MODULE + SIZES;
    let why = format!("{modules} modules of {block}, and {modules} x {modules} connections");
    length(genome, modules * (block + modules), &why, out)?;
    let mut cells = Vec::new();
    for module in 0..modules {
        let base = module * block;
        let ids = &genome[base..base + MODULE];
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        if sorted != [1, 2, 3, 4, 5] {
            let message = format!("module {module} has the motifs {ids:?}");
            bad_gene(base, message, "a module has each of the motifs 1 to 5 once", out);
            cells.push(None);
            continue;
        }
        let genes = &genome[base + MODULE..base + block];
        if sizes(genes, base + MODULE, |_| false, out).is_none() {
            cells.push(None);
            continue;
        }
        for (cell, &id) in ids.iter().enumerate() {
            let motif = spec.motifs.find(id, MODULE_ARITY, &path(base + cell), out);
            cells.push(motif.and_then(|motif| {
                decode_cell(spec, &motif, base + cell, genes, base + MODULE, out)
            }));
        }
    }
    let first = modules * block;
    let mut glob = vec![vec![false; modules]; modules];
    let mut genes = Vec::new();
    let mut complete = true;
    for (k, &value) in genome[first..].iter().enumerate() {
        let (from, to) = (k / modules, k % modules);
        if value > 1 {
            let note = "0 or 1: whether the one module feeds the other";
            bad_gene(first + k, format!("the connection {from} to {to} is {value}"), note, out);
            complete = false;
        }
        glob[from][to] = value == 1;
        let meaning = format!(
            "module {from} {} module {to}",
            if value == 1 { "feeds" } else { "does not feed" }
        );
        genes.push(Gene { position: first + k, value, meaning, neutral: false });
    }
    let cells = cells.into_iter().collect::<Option<_>>()?;
    complete.then_some(Decoding { arity: MODULE_ARITY, cells, genes, glob })
}

/// Whether gene `e` of the 19 is the one that feedback convolutions of the motif take.
fn chooses_feedback(motif: &Motif, e: usize) -> bool {
    let conv = |slot: &Slot| matches!(slot.mark, Mark::Excite | Mark::Inhibit);
    e + 1 == motif.entries() && motif.feedback.iter().any(conv)
}

/// Genes for entries are 0 or 1, those that are `wide` up to 3.
fn sizes(
    genes: &[u32],
    first: usize,
    wide: impl Fn(usize) -> bool,
    out: &mut Diagnostics,
) -> Option<()> {
    let mut fits = true;
    for (e, &value) in genes.iter().enumerate() {
        let (most, note) = if wide(e) {
            (3, "a feedback gene is 0 to 3: 3x3 +, 5x5 +, 3x3 -, 5x5 -")
        } else {
            (1, "a size is 0 (3x3) or 1 (5x5)")
        };
        if value > most {
            bad_gene(first + e, format!("the gene is {value}"), note, out);
            fits = false;
        }
    }
    fits.then_some(())
}

/// The cell of a motif. `motif_gene` is the position of the gene that chose the motif, `first` that of
/// the first of `genes`.
fn decode_cell(
    spec: &CellsSpec,
    motif: &Motif,
    motif_gene: usize,
    genes: &[u32],
    first: usize,
    out: &mut Diagnostics,
) -> Option<Decoded> {
    let entries = motif.entries();
    let feedback_gene = entries - 1;
    let slots: Vec<Slot> = motif.nodes.iter().flatten().copied().collect();
    let forward = slots.iter().enumerate().map(|(e, slot)| {
        let (operation, by_gene) = match slot.mark {
            Mark::Excite => (conv(genes[e], Sign::Excitatory), true),
            Mark::Inhibit => (conv(genes[e], Sign::Inhibitory), true),
            Mark::Identity => (Operation::Identity { sign: Sign::Any }, false),
            Mark::Zero => (Operation::Zero, false),
        };
        Entry { operation, source: slot.state, gene: by_gene.then_some(first + e) }
    });
    let feedback = motif.feedback.iter().map(|slot| {
        let (operation, by_gene) = match slot.mark {
            Mark::Excite | Mark::Inhibit => (feedback_conv(genes[feedback_gene]), true),
            Mark::Identity => (Operation::Identity { sign: Sign::Any }, false),
            Mark::Zero => (Operation::Zero, false),
        };
        Entry { operation, source: slot.state, gene: by_gene.then_some(first + feedback_gene) }
    });
    let draft = Draft {
        arity: motif.arity,
        forward: forward.collect(),
        feedback: feedback.collect(),
        concat: &motif.concat,
    };
    let graph = tables::graph(CellGraph::new(&draft, spec.semantics), &path(motif_gene), out)?;
    let template = motif.name();
    let mut meanings = vec![Gene {
        position: motif_gene,
        value: motif.id,
        meaning: format!("motif {template}"),
        neutral: false,
    }];
    for (e, &value) in genes.iter().enumerate() {
        let (meaning, neutral) = meaning(motif, &draft, &slots, e, first + e);
        meanings.push(Gene { position: first + e, value, meaning, neutral });
    }
    Some(Decoded { template, graph, genes: meanings })
}

/// What gene `e` of the 19, at `position` in the genome, does, and whether it is neutral.
fn meaning(
    motif: &Motif,
    draft: &Draft<'_>,
    slots: &[Slot],
    e: usize,
    position: usize,
) -> (String, bool) {
    let backs: Vec<String> = draft
        .feedback
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.gene == Some(position))
        .map(|(k, entry)| {
            let after = motif.arity + k + 1;
            format!("_ops_back.{k}: {} of state {after} into {}", entry.operation, entry.source)
        })
        .collect();
    if !backs.is_empty() {
        return (backs.join("; "), false);
    }
    if let (Some(slot), Some(entry)) = (slots.get(e), draft.forward.get(e)) {
        let chosen = entry.gene.is_some();
        return (format!("_ops.{e}: {} of state {}", entry.operation, slot.state), !chosen);
    }
    let name = motif::name(motif.id, motif.arity);
    let meaning = match e.checked_sub(slots.len() + motif.unused) {
        None => format!("entry {e} of {name} is not executed"),
        Some(k) if k < motif.feedback.len() => {
            format!("_ops_back.{k} takes nothing from its own gene")
        }
        Some(_) => format!("{name} has {} entries", motif.entries()),
    };
    (meaning, true)
}

/// A convolution of the size that a gene of 0 or 1 means.
fn conv(gene: u32, sign: Sign) -> Operation {
    Operation::Conv { size: if gene == 0 { 3 } else { 5 }, sign }
}

/// A feedback convolution: the gene sets size and sign.
fn feedback_conv(gene: u32) -> Operation {
    conv(gene % 2, if gene < 2 { Sign::Excitatory } else { Sign::Inhibitory })
}
