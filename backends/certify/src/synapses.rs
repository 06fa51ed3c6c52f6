//! Phase 3: the synapses that reach each compartment, as the tables realize them.
//!
//! A core's compartments are cut into *segments* on which the set of covering blocks is constant.
//! A block that is followed back through its axons becomes *links*: source neurons at consecutive positions that
//! read consecutive columns of a pooled matrix. Links stand for whole rectangles of synapses and are
//! only expanded, row by row, where their rectangles are not those of the source.

use super::findings::{Site, neuron};
use super::matrix;
use super::tables::{Tables, order};
use snnc_ir::order::Order;
use snnc_ir::program::{Format, PoolMatrix, Program};

/// Consecutive compartments of one run that the same blocks cover.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    /// Index of the run.
    pub(super) run: usize,
    /// Compartments of the run before it.
    pub(super) skip: u32,
    /// Its first neuron.
    pub(super) site: Site<'a>,
    /// Number of neurons.
    pub(super) len: u32,
    /// What drives it.
    pub(super) links: Vec<Link>,
}

/// Neurons at positions `first..first + len` of a symbol drive a segment: the one at `first + i` drives its
/// `j`-th neuron with the weight in the row at position `row + j` and the column at position `col + i`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The symbol.
    pub(super) symbol: usize,
    /// Order of its neurons.
    pub(super) order: Order,
    /// Position of the first neuron.
    pub(super) first: u32,
    /// Number of neurons.
    pub(super) len: u32,
    /// Steps from spike to arrival, at least 1.
    pub(super) delay: i64,
    /// Index of the pooled matrix.
    pub(super) matrix: u32,
    /// Position of the matrix row of the segment's first neuron.
    pub(super) row: u32,
    /// Position of the matrix column of the first source neuron.
    pub(super) col: u32,
    /// Exponent of the weights.
    pub(super) format: Format,
}

/// A synapse into a given neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Synapse {
    /// Index of the source's symbol.
    pub(super) source: usize,
    /// Neuron of the source.
    pub(super) neuron: u32,
    /// Steps from spike to arrival.
    pub(super) delay: i64,
    /// Weight, not zero.
    pub(super) weight: i64,
}

impl Link {
    /// The matrix.
    pub(super) fn pooled<'a>(&self, program: &'a Program) -> &'a PoolMatrix {
        &program.matrices[self.matrix as usize]
    }

    /// Appends the synapses into the `offset`-th neuron of the segment; zero weights are left out.
    pub(super) fn expand(&self, program: &Program, offset: u32, out: &mut Vec<Synapse>) {
        let pooled = self.pooled(program);
        let values = &program.values[pooled.values as usize];
        let cols = self.col..self.col + self.len;
        matrix::placed_entries(pooled, self.row + offset, cols, |col, index| {
            // A mantissa without a weight is a finding of its own (`Checker::storage`).
            let weight = matrix::weight(values[index], self.format.exponent);
            if let Some(weight) = weight.filter(|&w| w != 0) {
                let neuron = self.order.neuron(self.first + (col - self.col));
                out.push(Synapse { source: self.symbol, neuron, delay: self.delay, weight });
            }
        });
    }
}

/// The segments of core `index`, in order of compartments.
pub(super) fn segments<'a>(tables: &Tables<'a>, index: usize, mut visit: impl FnMut(Segment<'a>)) {
    let table = &tables.cores[index];
    let blocks = &table.core.synapses;
    let mut cuts: Vec<u32> = table.runs.iter().map(|&(start, _)| start).collect();
    cuts.extend(blocks.iter().flat_map(|b| [b.compartment, b.compartment + b.compartments]));
    cuts.push(table.compartments);
    cuts.sort_unstable();
    cuts.dedup();
    let mut waiting: Vec<usize> = (0..blocks.len()).collect();
    waiting.sort_by_key(|&i| (blocks[i].compartment, i));
    let mut waiting = waiting.into_iter().peekable();
    let mut active: Vec<usize> = Vec::new();
    let mut runs = table.runs.iter().enumerate().peekable();
    let mut current = None;
    for cut in cuts.windows(2) {
        let (from, to) = (cut[0], cut[1]);
        while let Some(run) = runs.next_if(|(_, (start, _))| *start <= from) {
            current = Some(run);
        }
        active.retain(|&i| blocks[i].compartment + blocks[i].compartments > from);
        while let Some(block) = waiting.next_if(|&i| blocks[i].compartment <= from) {
            active.push(block);
        }
        if let Some((index_of_run, &(start, run))) = current {
            let symbol = &tables.program.populations[run.population as usize];
            let (name, order, skip) = (&symbol.name, order(symbol), from - start);
            let position = run.first + skip;
            let site = Site { name, order, position, core: index, compartment: from };
            let links = active.iter().flat_map(|&i| links(tables, index, i, from)).collect();
            visit(Segment { run: index_of_run, skip, site, len: to - from, links });
        }
    }
}

/// Follows a block back to the neurons that feed its axons, as seen from `compartment`.
fn links<'t>(
    tables: &'t Tables<'_>,
    core: usize,
    block: usize,
    compartment: u32,
) -> impl Iterator<Item = Link> + use<'t> {
    let (table, symbols) = (&tables.cores[core], &tables.program.populations);
    let block = &table.core.synapses[block];
    let format = table.core.formats[block.format as usize];
    let row = block.row + (compartment - block.compartment);
    table.feeds_of(block.axon, block.axons).map(move |feed| Link {
        symbol: feed.symbol,
        order: order(&symbols[feed.symbol]),
        first: feed.first,
        len: feed.len,
        delay: 1 + i64::from(block.delay),
        matrix: block.matrix,
        row,
        col: block.col + (feed.axon - block.axon),
        format,
    })
}

/// Makes one synapse of those with the same source and delay; they are sorted. What adds up to 0 is left out.
pub(super) fn add_up(synapses: &mut Vec<Synapse>) {
    synapses.dedup_by(|next, first| {
        let same =
            (next.source, next.neuron, next.delay) == (first.source, first.neuron, first.delay);
        if same {
            first.weight += next.weight;
        }
        same
    });
    synapses.retain(|s| s.weight != 0);
}

/// The multiset difference `a − b`; both are sorted.
pub(super) fn surplus<'a>(a: &'a [Synapse], b: &[Synapse]) -> Vec<&'a Synapse> {
    let mut b = b.iter().peekable();
    a.iter()
        .filter(|&x| {
            while b.next_if(|&y| y < x).is_some() {}
            b.next_if(|&y| y == x).is_none()
        })
        .collect()
}

/// `weight 5, delay 2`.
pub(super) fn in_words(synapse: Option<&Synapse>) -> String {
    synapse.map_or_else(
        || "none".to_owned(),
        |s| format!("weight {}, delay {} hardware steps", s.weight, s.delay),
    )
}

/// Names the source of a synapse.
pub(super) fn source_in_words(program: &Program, synapse: &Synapse) -> String {
    neuron(&program.populations[synapse.source].name, synapse.neuron)
}
