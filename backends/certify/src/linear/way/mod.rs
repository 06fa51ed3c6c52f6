//! The way back from a reader through linear relays to what they read in the end.
//!
//! The reader's weights are coefficients of what its source sends. If that is a population of linear relays, their
//! product with the matrix of each projection into it gives coefficients of what is sent *there*; the
//! coefficients themselves are those of the relays' η. So it goes on, down to *leaves*: populations
//! that spike, or whose messages are cut at 0.
//!
//! Where all is read through windows, the reader is an output channel. Coefficients stand in rows: one
//! for each cell of its kernel, of which every kernel behind makes as many rows as it has cells, with one
//! column for each channel. Padding leaves out rows, for neurons at the border of the reader or of a
//! relay; so a row that may be missing adds 0 at least. Rows that read the same neuron through different
//! cells stay apart, because one may be missing without the other. Elsewhere the reader is a neuron, and
//! there is one row, with a column for each neuron.
//!
//! All ways to the same messages, those of one population and step seen through the same windows, add up
//! before they are bounded. (Kernels of one cell and stride 1 show every neuron what lies behind it, as
//! does a relay's identity, and are no windows in that sense.)

mod bound;

use super::product::Block;
use super::{Facts, Sends, Span, by_channel, plain};
use snnc_ir::arena::{MatId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::quantized::{Graded, IntMatrix, Projection, QuantizedDraft, Structure};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// Places on a way.
const MOST_PLACES: usize = 1 << 12;
/// Coefficients of one reader at all places together.
const MOST_COEFFICIENTS: usize = 1 << 24;
/// Weights of the matrices on a way.
const MOST_WEIGHTS: usize = 1 << 26;
/// Shifts on a way; bounds are in units of `2^-MOST_SHIFTS`.
const MOST_SHIFTS: u32 = 32;
/// Magnitude of what coefficients are multiplied with.
const MOST_SENT: i64 = 1 << 40;

/// What the readers of one part depend on.
pub(super) struct Way<'s> {
    facts: Facts<'s>,
    /// Rows of the matrices that read, or output channels of `windows`.
    readers: usize,
    windows: Option<Conv>,
    places: Vec<Place<'s>>,
    /// The places, each behind all from which a way leads to it.
    order: Vec<usize>,
    blocks: HashMap<MatId, Rc<Vec<Block>>>,
    /// Weights in `blocks`.
    weights: usize,
    /// Multiplications and coefficients of one reader.
    work: u64,
    coefficients: usize,
}

/// Which messages a place stands for.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    population: PopId,
    /// Steps from there to the reader.
    lag: u64,
    /// Its coefficients are in units of `2^-shifts`.
    shifts: u32,
    /// From the reader on.
    windows: Vec<Window>,
}

/// Where the cells of a kernel lie, whatever the channels.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Window {
    input: [u32; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    pad: [u32; 4],
    crop: [u32; 4],
}

/// Messages that a reader depends on.
struct Place<'s> {
    key: Key,
    /// Channels, height and width in which they are read, if through windows.
    extents: Option<[u32; 3]>,
    /// Whether rows may be missing: there is padding on the way, or a step before the first.
    partial: bool,
    /// Rows and columns of one reader.
    cells: usize,
    width: usize,
    /// What columns are multiplied with, in units of `2^-unit`.
    ends: Vec<(f64, f64)>,
    unit: u32,
    hops: Vec<Hop<'s>>,
}

/// A projection into relays.
struct Hop<'s> {
    to: usize,
    through: Through<'s>,
    /// Magnitude of its weights.
    largest: f64,
}

/// How coefficients pass through a matrix.
enum Through<'s> {
    /// By products.
    Blocks(Rc<Vec<Block>>),
    /// One for one.
    Weight(f64),
    /// Synapse by synapse.
    Synapses(&'s IntMatrix),
}

impl<'s> Way<'s> {
    /// The way back from projections like `first`, whose source is a population of linear relays; channel by
    /// channel if they are convolutions like `windows`. `order` lists relays behind those that they read.
    /// `None` if it is too long, or leaves the windows.
    pub(super) fn new<'m>(
        facts: Facts<'s>,
        sent: &dyn Fn(PopId) -> &'m Sends,
        order: &[PopId],
        first: &Projection,
        windows: Option<Conv>,
    ) -> Option<Self> {
        let source = facts.source;
        plain(source, first.source)?;
        let rows = source.matrices[first.matrix].structure.rows();
        let mut way = Self {
            facts,
            readers: windows.map_or(rows, |conv| conv.out_channels as usize),
            windows,
            places: Vec::new(),
            order: Vec::new(),
            blocks: HashMap::new(),
            weights: 0,
            work: 0,
            coefficients: 0,
        };
        let ranks: HashMap<PopId, usize> = order.iter().copied().zip(0..).collect();
        let rank = |id| plain(source, id).and_then(|_| ranks.get(&id).copied());
        let mut start = Place::of(source, first);
        if let Some(conv) = &windows {
            start = start.through(conv);
        }
        let mut known = HashMap::from([(start.key.clone(), 0)]);
        let mut open = BTreeSet::from([(rank(first.source), 0)]);
        way.push(start)?;
        // Relays before those that they read, leaves last: then all ways to a place have been found.
        while let Some((_, at)) = open.pop_last() {
            way.order.push(at);
            let Key { population, shifts, .. } = way.places[at].key;
            let Some(relay) = plain(source, population) else {
                way.places[at].meet(sent(population), shifts)?;
                continue;
            };
            let shifts = shifts + u32::from(relay.shift);
            if shifts > MOST_SHIFTS {
                return None;
            }
            for (_, p) in source.projections_into(population) {
                let (next, through) = way.behind(at, p, shifts)?;
                let to = if let Some(&to) = known.get(&next.key) {
                    way.places[to].partial |= next.partial;
                    to
                } else {
                    known.insert(next.key.clone(), way.places.len());
                    open.insert((rank(p.source), way.places.len()));
                    way.push(next)?
                };
                let (low, high) = source.matrices[p.matrix].weight_range();
                let largest = f64::from(high.max(-low));
                way.places[at].hops.push(Hop { to, through, largest });
            }
            let rounding = way.rounding(population, relay);
            way.places[at].meet(&rounding, shifts)?;
        }
        Some(way)
    }

    /// Adds a place.
    fn push(&mut self, place: Place<'s>) -> Option<usize> {
        self.coefficients =
            self.coefficients.saturating_add(place.cells.saturating_mul(place.width));
        self.places.push(place);
        (self.coefficients <= MOST_COEFFICIENTS && self.places.len() <= MOST_PLACES)
            .then(|| self.places.len() - 1)
    }

    /// What lies behind a place of relays that read `p`, and how it is reached.
    fn behind(
        &mut self,
        at: usize,
        p: &Projection,
        shifts: u32,
    ) -> Option<(Place<'s>, Through<'s>)> {
        let source = self.facts.source;
        let here = &self.places[at];
        let cells = here.cells;
        let mut next = Place::of(source, p);
        next.key.lag += here.key.lag;
        next.key.shifts = shifts;
        next.key.windows.clone_from(&here.key.windows);
        next.extents = here.extents;
        next.partial |= here.partial;
        next.cells = cells;
        let matrix = &source.matrices[p.matrix];
        let (through, work) = match (&matrix.structure, here.extents) {
            (Structure::Identity { .. }, _) => {
                next.width = here.width;
                (Through::Weight(f64::from(matrix.weight(0))), next.width)
            }
            (Structure::Conv(conv), Some(extents)) if conv.output() == Some(extents) => {
                next = next.through(conv);
                (Through::Blocks(self.blocks(p.matrix)?), conv.kernel_size())
            }
            (_, Some(_)) => return None,
            (Structure::Dense { .. }, None) => {
                (Through::Blocks(self.blocks(p.matrix)?), matrix.mantissa.len())
            }
            (Structure::Sparse { .. } | Structure::Conv(_), None) => {
                let synapses = usize::try_from(matrix.synapses()).unwrap_or(usize::MAX);
                (Through::Synapses(matrix), synapses)
            }
        };
        self.work = self.work.saturating_add((cells as u64).saturating_mul(work as u64));
        Some((next, through))
    }

    /// A matrix in blocks, which may stand in several places.
    fn blocks(&mut self, id: MatId) -> Option<Rc<Vec<Block>>> {
        if let Some(blocks) = self.blocks.get(&id) {
            return Some(Rc::clone(blocks));
        }
        let matrix = &self.facts.source.matrices[id];
        self.weights = self.weights.saturating_add(matrix.mantissa.len());
        if self.weights > MOST_WEIGHTS {
            return None;
        }
        let blocks = Rc::new(blocks(matrix));
        self.blocks.insert(id, Rc::clone(&blocks));
        Some(blocks)
    }

    /// η of relays: what they add, less what their shift takes.
    fn rounding(&self, id: PopId, relay: &Graded) -> Sends {
        let shape = &self.facts.source.populations[id].shape;
        // No way has more than `MOST_SHIFTS`.
        let taken = (1_i64 << relay.shift) - 1;
        let each = |n: usize| {
            let bias = i64::from(relay.bias.at(n, shape));
            self.facts.host.at(id, n).plus(Span { low: bias - taken, high: bias })
        };
        Sends::Messages((0..shape.size()).map(each).collect())
    }
}

impl Place<'_> {
    /// What a projection reads, neuron by neuron.
    fn of(source: &QuantizedDraft, p: &Projection) -> Self {
        Self {
            key: Key { population: p.source, lag: p.delay.into(), shifts: 0, windows: Vec::new() },
            extents: None,
            partial: p.delay > 0,
            cells: 1,
            width: source.populations[p.source].size(),
            ends: Vec::new(),
            unit: 0,
            hops: Vec::new(),
        }
    }

    /// The same, seen through a convolution.
    fn through(mut self, conv: &Conv) -> Self {
        let Conv { input: [channels, height, width], kernel, stride, pad, crop, .. } = *conv;
        let window = Window { input: [height, width], kernel, stride, pad, crop };
        let pixel = Window { kernel: [1, 1], stride: [1, 1], pad: [0; 4], crop: [0; 4], ..window };
        if window != pixel {
            self.key.windows.push(window);
        }
        self.partial |= pad != [0; 4];
        self.extents = Some(conv.input);
        self.cells = kernel.iter().fold(self.cells, |n, &d| n.saturating_mul(d as usize));
        self.width = channels as usize;
        self
    }

    /// Multiplies columns with what `sent` sends. `None` if that is too large.
    fn meet(&mut self, sent: &Sends, unit: u32) -> Option<()> {
        let ends = match (self.extents, sent) {
            (Some(extents), _) => by_channel(sent, extents),
            (None, Sends::Messages(each)) => each.clone(),
            (None, _) => vec![sent.at(0); self.width],
        };
        if ends.iter().any(|span| span.low < -MOST_SENT || MOST_SENT < span.high) {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let float = |span: Span| (span.low as f64, span.high as f64);
        self.ends = ends.into_iter().map(float).collect();
        self.unit = unit;
        Some(())
    }
}

/// A dense matrix, or the kernel of a convolution: one block for each group and cell.
fn blocks(matrix: &IntMatrix) -> Vec<Block> {
    let ([outputs, inputs, height, width], groups) = match &matrix.structure {
        Structure::Conv(conv) => {
            (conv.kernel_shape().map(|d| d as usize), (conv.groups as usize).max(1))
        }
        whole => ([whole.rows(), whole.cols(), 1, 1], 1),
    };
    let (cells, inner) = (height * width, outputs / groups);
    let block = |group: usize, cell: usize| {
        let first = group * inner;
        let rows = (first..first + inner).flat_map(|o| (0..inputs).map(move |i| (o, i)));
        // Mantissas have 16 bits, of which exponents make no more than 24 exact ones.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let weights =
            rows.map(|(o, i)| matrix.weight((o * inputs + i) * cells + cell) as f32).collect();
        let to = (cell * groups + group) * inputs;
        Block { weights, from: first, inner, to, columns: inputs }
    };
    (0..groups).flat_map(|g| (0..cells).map(move |c| (g, c))).map(|(g, c)| block(g, c)).collect()
}
