//! The fields `search`, `motifs` and `genotypes` of a genome.

use super::cell::Semantics;
use super::genotype::Genotype;
use super::tables::{Genotypes, Motifs};
use super::unfolding::{Adapter, Family, Stem};
use crate::fields::{Fields, Item, Name};
use snnc_ir::Diagnostics;
use std::ops::RangeInclusive;

/// Most cells, modules and genes. The nodes that they unfold to are bounded on their own.
const MAX_CELLS: u32 = 1 << 12;
const MAX_MODULES: u32 = 1 << 6;
const MAX_GENES: usize = 1 << 18;
/// Most channels of the first cells.
const MAX_CHANNELS: u32 = 1 << 12;
/// Largest kernel, stride or padding of an adapter.
const MAX_EXTENT: u32 = 1 << 12;
/// The library that ships with the compiler.
const LIBRARY: u64 = 1;

/// The field `search`.
#[derive(Debug)]
pub(crate) enum SearchSpec {
    /// The nodes stand in the file.
    Explicit,
    /// `None` if something is wrong with it, which was then reported.
    Cells(Option<Box<CellsSpec>>),
}

/// A genome that unfolds to cells.
#[derive(Debug)]
pub(crate) struct CellsSpec {
    pub(crate) body: Body,
    pub(crate) stem: Stem,
    pub(crate) neuron: Name,
    pub(crate) semantics: Semantics,
    pub(crate) init_channels: u32,
    pub(crate) in_channels: u32,
    /// Ascending.
    pub(crate) reduce_at: Vec<usize>,
    pub(crate) motifs: Motifs,
}

/// What tells the families apart.
#[derive(Debug)]
pub(crate) enum Body {
    Cells { genome: Vec<u32>, cells: usize },
    Modules { genome: Vec<u32>, modules: usize, adapters: Vec<AdapterSpec> },
    Genotype { genotype: Genotype, cells: usize },
}

/// An item of `adapters`.
#[derive(Debug)]
pub(crate) struct AdapterSpec {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) adapter: Adapter,
    pub(crate) path: String,
}

impl Body {
    pub(crate) const fn family(&self) -> Family {
        match self {
            Self::Cells { .. } => Family::MseNas,
            Self::Modules { .. } => Family::EbNas,
            Self::Genotype { .. } => Family::NeuEvo,
        }
    }
}

/// Reads `search`, and the tables it refers to. `root` is the whole genome. `None` if not even the family
/// is known.
pub(crate) fn parse(root: &mut Fields<'_>, out: &mut Diagnostics) -> Option<SearchSpec> {
    let families = [
        (Family::MseNas.name(), Some(Family::MseNas)),
        (Family::EbNas.name(), Some(Family::EbNas)),
        (Family::NeuEvo.name(), Some(Family::NeuEvo)),
        ("explicit", None),
    ];
    let item = root.required("search", "{ family, … }", out)?;
    let mut fields = item.fields(out)?;
    let family = fields
        .required("family", "the code that the genome is for, or explicit", out)?
        .choice("family", &families, out)?;
    let Some(family) = family else {
        fields.finish(out);
        return Some(SearchSpec::Explicit);
    };
    let library = match fields.optional("library") {
        Some(i) => i.whole(LIBRARY..=LIBRARY, out).is_some(),
        None => false,
    };
    let motifs = match family {
        Family::MseNas | Family::EbNas => {
            Motifs::parse(root.optional("motifs").as_ref(), library, out)
        }
        Family::NeuEvo => Motifs::default(),
    };
    let genotypes = match family {
        Family::NeuEvo => Genotypes::parse(root.optional("genotypes").as_ref(), library, out),
        Family::MseNas | Family::EbNas => Genotypes::default(),
    };
    let cells = match family {
        Family::MseNas | Family::NeuEvo => fields
            .required("cells", "number of cells", out)
            .and_then(|i| i.whole_u32(1..=MAX_CELLS, out)),
        Family::EbNas => fields
            .required("modules", "number of modules, five cells each", out)
            .and_then(|i| i.whole_u32(1..=MAX_MODULES, out)),
    };
    let cells = cells.map(|n| n as usize);
    let body = match family {
        Family::MseNas => {
            per_cell(&mut fields, out);
            genome(&mut fields, out).and_then(|genome| Some(Body::Cells { genome, cells: cells? }))
        }
        Family::EbNas => {
            let adapters = match fields.optional("adapters") {
                Some(i) => adapters(&i, out),
                None => Some(Vec::new()),
            };
            let genome = genome(&mut fields, out);
            genome.and_then(|genome| {
                Some(Body::Modules { genome, modules: cells?, adapters: adapters? })
            })
        }
        Family::NeuEvo => fields
            .required("genotype", "name of a cell", out)
            .and_then(|i| i.name(out))
            .and_then(|name| genotypes.find(&name, out))
            .and_then(|genotype| Some(Body::Genotype { genotype, cells: cells? })),
    };
    let limit = match family {
        Family::EbNas => cells.map(|modules| 5 * modules),
        Family::MseNas | Family::NeuEvo => cells,
    };
    let common = common(&mut fields, family, limit, out);
    fields.finish(out);
    Some(SearchSpec::Cells(common.zip(body).map(|(common, body)| {
        let Common { stem, neuron, semantics, init_channels, in_channels, reduce_at } = common;
        Box::new(CellsSpec {
            body,
            stem,
            neuron,
            semantics,
            init_channels,
            in_channels,
            reduce_at,
            motifs,
        })
    })))
}

/// Fields of all families.
struct Common {
    stem: Stem,
    neuron: Name,
    semantics: Semantics,
    init_channels: u32,
    in_channels: u32,
    reduce_at: Vec<usize>,
}

fn common(
    fields: &mut Fields<'_>,
    family: Family,
    cells: Option<usize>,
    out: &mut Diagnostics,
) -> Option<Common> {
    let channels = 1..=MAX_CHANNELS;
    let mut count = |name, meaning, range: &RangeInclusive<u32>| {
        fields.required(name, meaning, out).and_then(|i| i.whole_u32(range.clone(), out))
    };
    let init_channels = count("init_channels", "channels of the first cells", &channels);
    let in_channels = count("in_channels", "channels of the input", &channels);
    let reduce_at = fields
        .required("reduce_at", "cells that are reductions, ascending", out)
        .and_then(|i| reduce_at(&i, cells, out));
    let stems: &[(&str, Stem)] = match family {
        Family::MseNas => &[("conv", Stem::Conv), ("conv_conv", Stem::ConvConv)],
        Family::EbNas | Family::NeuEvo => &[("conv", Stem::Conv)],
    };
    let stem = fields
        .required("stem", "what makes the first maps", out)
        .and_then(|i| i.choice("stem", stems, out));
    let neuron =
        fields.required("neuron", "name of an entry of `neurons`", out).and_then(|i| i.name(out));
    let all = [
        ("same_step", Semantics::SameStep),
        ("delay1", Semantics::Delay1),
        ("none", Semantics::None),
    ];
    let known = match family {
        Family::MseNas | Family::EbNas => &all[..2],
        Family::NeuEvo => &all[..],
    };
    let semantics = fields
        .required("feedback", "what feedback edges mean", out)
        .and_then(|i| i.choice("meaning of feedback", known, out));
    Some(Common {
        stem: stem?,
        neuron: neuron?,
        semantics: semantics?,
        init_channels: init_channels?,
        in_channels: in_channels?,
        reduce_at: reduce_at?,
    })
}

/// `genes_per_cell`, which is always 20.
fn per_cell(fields: &mut Fields<'_>, out: &mut Diagnostics) {
    let per_cell = super::genes::PER_CELL as u64;
    if let Some(item) = fields.required("genes_per_cell", "20", out)
        && item.whole(0..=u64::from(u32::MAX), out).is_some_and(|n| n != per_cell)
    {
        let note = "a cell has 20 genes: its motif, and 19 for the operations of its edges";
        item.bad::<()>("another number of genes per cell than 20", note, out);
    }
}

fn genome(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Vec<u32>> {
    let item = fields.required("genome", "list of whole numbers", out)?;
    let genes = item.list(out)?;
    if genes.len() > MAX_GENES {
        let (found, note) = (genes.len(), format!("at most {MAX_GENES} genes"));
        return item.bad(format!("{found} genes"), &note, out);
    }
    let genes: Vec<Option<u32>> =
        genes.iter().map(|i| i.whole_u32(0..=u32::from(u8::MAX), out)).collect();
    genes.into_iter().collect()
}

fn reduce_at(item: &Item<'_>, cells: Option<usize>, out: &mut Diagnostics) -> Option<Vec<usize>> {
    let items = item.list(out)?;
    let mut found: Vec<usize> = Vec::new();
    let mut complete = true;
    for item in &items {
        // Without a number of cells any index may be right.
        let last = cells.map_or(MAX_CELLS, |n| u32::try_from(n).unwrap_or(MAX_CELLS)) - 1;
        let Some(cell) = item.whole_u32(0..=last, out) else {
            complete = false;
            continue;
        };
        let cell = cell as usize;
        if found.last().is_some_and(|&before| before >= cell) {
            let note = "cells in ascending order, each once";
            item.bad::<()>(format!("cell {cell} does not follow the one before"), note, out);
            complete = false;
        }
        found.push(cell);
    }
    complete.then_some(found)
}

fn adapters(item: &Item<'_>, out: &mut Diagnostics) -> Option<Vec<AdapterSpec>> {
    let items = item.list(out)?;
    let most = MAX_MODULES as usize * MAX_MODULES as usize;
    if items.len() > most {
        let found = items.len();
        return item.bad(format!("{found} adapters"), &format!("at most {most}"), out);
    }
    let found: Vec<Option<AdapterSpec>> = items.iter().map(|i| adapter(i, out)).collect();
    found.into_iter().collect()
}

fn adapter(item: &Item<'_>, out: &mut Diagnostics) -> Option<AdapterSpec> {
    let mut fields = item.fields(out)?;
    let mut count = |name, meaning, range: RangeInclusive<u32>, out: &mut Diagnostics| {
        fields.required(name, meaning, out).and_then(|i| i.whole_u32(range, out))
    };
    let from = count("from", "module read", 0..=MAX_MODULES, out);
    let to = count("to", "module fed", 0..=MAX_MODULES, out);
    let kernel = count("k", "extent of the square kernel", 1..=MAX_EXTENT, out);
    let stride = count("stride", "stride in both directions", 1..=MAX_EXTENT, out);
    let pad = count("pad", "padding on all sides", 0..=MAX_EXTENT, out);
    let weight = fields
        .required("weight", "name of a tensor", out)
        .and_then(|i| crate::genome::tensor_name(&i, out));
    fields.finish(out);
    let adapter = Adapter { weight: weight?.text, kernel: kernel?, stride: stride?, pad: pad? };
    let (from, to) = (from? as usize, to? as usize);
    Some(AdapterSpec { from, to, adapter, path: item.path.clone() })
}
