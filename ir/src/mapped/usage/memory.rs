//! Synapse memory of a core.

use super::{Accounting, SynapseFormat, pixels};
use crate::arena::{Entity, MatId, ProjId};
use crate::mapped::reach;
use crate::mapped::{Core, Slice};
use crate::order::Order;
use crate::quantized::{IntMatrix, Structure};
use crate::target::TargetSpec;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the synapses of a core take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Values stored.
    pub(super) values: u64,
    /// 64-bit words.
    pub(super) words: u64,
    /// Distinct formats.
    pub(super) formats: u64,
}

/// Synapses that are stored once whoever uses them: (content, format, delay).
type Stored = (MatId, SynapseFormat, u32);

/// Counts the blocks of `core`.
pub(super) fn of_core(accounting: &Accounting<'_>, core: &Core, target: &TargetSpec) -> Memory {
    let shared = target.shared_kernels.value != 0;
    let lists_shared = target.list_bases.value > 0;
    let pixels =
        if lists_shared { pixels::received(accounting, core, target) } else { BTreeSet::new() };
    let mut counter = Counter::new(accounting, core);
    // Blocks of one projection and slice share one look at the slice.
    let mut groups: BTreeMap<(ProjId, u32), Vec<u32>> = BTreeMap::new();
    for block in &core.blocks {
        groups.entry((block.projection, block.slice)).or_default().push(block.axons);
    }
    let mut lists: BTreeMap<SynapseFormat, Lists> = BTreeMap::new();
    // Output channels present of each stored kernel, and values of identities.
    let mut kernels: BTreeMap<Stored, Vec<bool>> = BTreeMap::new();
    for ((projection, slice), runs) in groups {
        let format = accounting.formats[projection.index()];
        let lists = lists.entry(format).or_default();
        let ends = &accounting.network.projections[projection];
        let matrix = &accounting.network.matrices[ends.matrix];
        if pixels.contains(&ends.source) {
            continue;
        }
        let stored = (accounting.content(projection), format, ends.delay);
        match &matrix.structure {
            Structure::Conv(conv) if shared => {
                let channels = conv.out_channels as usize;
                let present = kernels.entry(stored).or_insert_with(|| vec![false; channels]);
                let order = accounting.order(ends.target);
                for patch in reach::patches(conv, order, &core.slices[slice as usize]) {
                    present[patch.channels.start as usize..patch.channels.end as usize].fill(true);
                }
            }
            Structure::Identity { .. } if shared => {
                kernels.insert(stored, vec![true]);
            }
            Structure::Dense { .. } => counter.dense(lists, projection, slice, &runs, shared),
            _ => counter.indexed(lists, projection, slice, &runs),
        }
    }
    let mut memory = Memory { formats: lists.len() as u64, ..Memory::default() };
    let index_bits = index_bits(core.compartments());
    for (format, lists) in &lists {
        for list in lists.in_use() {
            let bits = format.bits();
            memory.values += list.plain + list.indexed;
            memory.words += target.axon_words(list.plain, bits);
            memory.words += target.axon_words(list.indexed, bits + index_bits);
        }
    }
    let bases = u64::try_from(target.list_bases.value).unwrap_or(0);
    for source in pixels {
        for (format, entries) in
            pixels::lists(accounting, core, source, bases).into_iter().flatten()
        {
            memory.values += entries;
            memory.words += target.axon_words(entries, format.bits() + index_bits);
        }
    }
    for ((matrix, format, _), present) in &kernels {
        let values = kernel_values(&accounting.network.matrices[*matrix], present);
        memory.values += values;
        memory.words += target.axon_words(values, format.bits());
    }
    memory
}

/// Values of a kernel for these output channels and all input channels that they read; 1 for an identity.
fn kernel_values(matrix: &IntMatrix, present: &[bool]) -> u64 {
    let Structure::Conv(conv) = &matrix.structure else { return 1 };
    let [out_channels, inputs, height, width] = conv.kernel_shape();
    let area = (height * width) as usize;
    let row = inputs as usize * area;
    let outputs = (out_channels / conv.groups.max(1)).max(1) as usize;
    let mut values = 0;
    for (group, present) in present.chunks(outputs).enumerate() {
        let rows = present.iter().enumerate().filter(|(_, p)| **p);
        let rows: Vec<&[i16]> =
            rows.map(|(n, _)| &matrix.mantissa[(group * outputs + n) * row..][..row]).collect();
        let used = |input: &usize| {
            let taps = input * area..(input + 1) * area;
            rows.iter().any(|row| row[taps.clone()].iter().any(|m| *m != 0))
        };
        values += (0..inputs as usize).filter(used).count() * rows.len() * area;
    }
    values as u64
}

/// What the lists of a core are made from.
struct Counter<'a> {
    accounting: &'a Accounting<'a>,
    core: &'a Core,
    /// Axon of the first neuron of each run.
    first_axons: Vec<usize>,
    /// Compartment of the first neuron of each slice.
    first_compartments: Vec<i64>,
    /// Axons in all, one per source neuron.
    axons: usize,
    /// Rows of matrices that slices hold, numbered: two orders can put the same neurons at the same positions.
    rows: HashMap<Vec<u32>, usize>,
}

impl<'a> Counter<'a> {
    fn new(accounting: &'a Accounting<'a>, core: &'a Core) -> Self {
        let mut axons = 0;
        let mut first_axons = Vec::with_capacity(core.axons.len());
        for run in &core.axons {
            first_axons.push(axons);
            axons += run.len as usize;
        }
        let mut compartment = 0;
        let mut first_compartments = Vec::with_capacity(core.slices.len());
        for slice in &core.slices {
            first_compartments.push(compartment);
            compartment += i64::from(slice.len);
        }
        Self { accounting, core, first_axons, first_compartments, axons, rows: HashMap::new() }
    }

    /// Axons of the runs: (axon, source neuron).
    fn sources(
        &self,
        projection: ProjId,
        runs: &[u32],
    ) -> impl Iterator<Item = (usize, u32)> + use<'a> {
        let order = *self.accounting.order(self.accounting.network.projections[projection].source);
        let of_run = |&run: &u32| {
            let Slice { start, len, .. } = self.core.axons[run as usize];
            (self.first_axons[run as usize].., start..start + len)
        };
        let runs: Vec<_> = runs.iter().map(of_run).collect();
        runs.into_iter().flat_map(move |(axons, positions)| {
            axons.zip(positions.map(move |position| order.neuron(position)))
        })
    }

    /// Number of the rows that lie at these positions, in their order.
    fn rows(&mut self, order: Order, start: u32, len: u32) -> usize {
        let rows = (start..start + len).map(|position| order.neuron(position)).collect();
        let next = self.rows.len();
        *self.rows.entry(rows).or_insert(next)
    }

    /// Adds a dense block: every neuron of the slice to the list of each axon.
    fn dense(
        &mut self,
        lists: &mut Lists,
        projection: ProjId,
        slice: u32,
        runs: &[u32],
        shared: bool,
    ) {
        let ends = &self.accounting.network.projections[projection];
        let Slice { start, len, .. } = self.core.slices[slice as usize];
        let classes = &self.accounting.columns[ends.matrix.index()];
        let compartment = self.first_compartments[slice as usize];
        let content = self.accounting.content(projection);
        let order = *self.accounting.order(ends.target);
        // Nobody else on the core has a list like this if the matrix serves once and no columns are equal.
        let shared = shared && (!classes.is_empty() || self.accounting.repeated(content));
        let rows = if shared { self.rows(order, start, len) } else { 0 };
        lists.hold(self.axons);
        for (axon, source) in self.sources(projection, runs) {
            let entry = shared.then(|| Entry {
                content,
                rows,
                column: classes.get(source as usize).copied().unwrap_or(source),
                delay: ends.delay,
                offset: compartment - *lists.bases[axon].get_or_insert(compartment),
            });
            lists.add(axon, entry, List { plain: u64::from(len), indexed: 0 });
        }
    }

    /// Adds a block that lists its nonzero synapses with indices.
    fn indexed(&self, lists: &mut Lists, projection: ProjId, slice: u32, runs: &[u32]) {
        let ends = &self.accounting.network.projections[projection];
        let matrix = &self.accounting.network.matrices[ends.matrix];
        let slice = &self.core.slices[slice as usize];
        let order = self.accounting.order(ends.target);
        let counts = reach::counts(matrix, order, slice);
        lists.hold(self.axons);
        for (axon, source) in self.sources(projection, runs) {
            let indexed = counts[source as usize];
            if indexed > 0 {
                lists.add(axon, None, List { plain: 0, indexed });
            }
        }
    }
}

/// Entries of one axon's list in one format.
#[derive(Clone, Copy, Default)]
struct List {
    /// Without an index.
    plain: u64,
    /// With an index.
    indexed: u64,
}

/// What one block adds to the list of an axon, as far as it decides which lists are equal.
#[derive(PartialEq, Eq, Hash)]
struct Entry {
    content: MatId,
    /// Number of the rows.
    rows: usize,
    /// First column equal to that of the source.
    column: u32,
    delay: u32,
    /// Compartments from the first neuron of the axon's first block.
    offset: i64,
}

/// The lists of all axons in one format. Axons to which equal entries were added share a list.
#[derive(Default)]
struct Lists {
    /// List of each axon; 0 = none.
    of_axon: Vec<u32>,
    /// Compartment of the first block of each axon.
    bases: Vec<Option<i64>>,
    contents: Vec<List>,
    /// List that follows from a list and an entry.
    next: HashMap<(u32, Entry), u32>,
}

impl Lists {
    /// Makes room for the lists of this many axons; a format without lists needs none.
    fn hold(&mut self, axons: usize) {
        if self.of_axon.is_empty() {
            self.of_axon.resize(axons, 0);
            self.bases.resize(axons, None);
            self.contents.push(List::default());
        }
    }

    /// Adds to the list of an axon; without an entry the list is the axon's own from now on.
    fn add(&mut self, axon: usize, entry: Option<Entry>, more: List) {
        let Self { of_axon, contents, next, .. } = self;
        let before = of_axon[axon];
        let mut fresh = || {
            let List { plain, indexed } = contents[before as usize];
            contents.push(List { plain: plain + more.plain, indexed: indexed + more.indexed });
            u32::try_from(contents.len() - 1).expect("a core has fewer than 2^32 lists")
        };
        of_axon[axon] = match entry {
            Some(entry) => *next.entry((before, entry)).or_insert_with(fresh),
            None => fresh(),
        };
    }

    /// The lists that some axon has, each once.
    fn in_use(&self) -> impl Iterator<Item = &List> {
        let mut used = vec![false; self.contents.len()];
        self.of_axon.iter().for_each(|&list| used[list as usize] = true);
        self.contents.iter().zip(used).skip(1).filter(|(_, used)| *used).map(|(list, _)| list)
    }
}

/// Bits that number the compartments of a core; the chip has no index field below 6 bits.
fn index_bits(compartments: usize) -> u64 {
    let bits = usize::BITS - compartments.saturating_sub(1).leading_zeros();
    u64::from(bits).max(6)
}
