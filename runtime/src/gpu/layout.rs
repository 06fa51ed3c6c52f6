//! A network as the words that kernels read.

#[allow(clippy::wildcard_imports, reason = "names of words")]
use super::kernel::words::*;
use crate::error::SimError;
use crate::integer::window;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::network::{Compare, Keep};
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReset, PopKind, Population, Projection, QuantizedNetwork, Structure,
};

/// A network laid out.
pub(super) struct Layout {
    /// Headers, parameters and weights.
    pub(super) data: Vec<u32>,
    /// By population.
    pub(super) populations: Vec<Place>,
    /// Words of spikes of all populations, in one step and sample.
    pub(super) words: usize,
    /// Values of messages, likewise.
    pub(super) values: usize,
    /// Registers in one sample.
    pub(super) registers: usize,
    /// Biases of all populations, as the network states them.
    pub(super) biases: Vec<i32>,
    /// Biases to which the host adds, in one sample.
    pub(super) host_biases: usize,
}

/// Where a population stands.
pub(super) struct Place {
    /// Its header, a word of `data`.
    pub(super) header: u32,
    /// Before it is multiplied by steps and samples: its first word of spikes, or its first message.
    pub(super) sent: usize,
    /// Words of spikes, or messages, in one step and sample.
    pub(super) stride: usize,
    /// Sparse projections that it reads.
    pub(super) scattered: Vec<Scattered>,
    /// Where its biases with what the host adds begin, before it is multiplied by samples.
    pub(super) host: Option<usize>,
    /// Turns of loops in one step, at most, and the name of the matrix that takes most of them.
    pub(super) turns: u64,
}

/// A sparse projection.
pub(super) struct Scattered {
    /// Its description, a word of `data`.
    pub(super) read: u32,
    /// Words of 32 sources.
    pub(super) words: u32,
    /// Turns of loops in one step, at most.
    pub(super) turns: u64,
}

/// How weights lie in words.
struct Weights {
    /// First word.
    at: u32,
    /// Words of a row.
    row: u32,
    /// Logarithm of how many share a word.
    packed: u32,
    /// Longest row of a sparse matrix.
    longest: u32,
}

impl Layout {
    /// Lays `network` out.
    ///
    /// # Errors
    /// [`SimError::TooLarge`] for more than 2^32 words.
    pub(super) fn new(network: &QuantizedNetwork) -> Result<Self, SimError> {
        let populations = &network.populations;
        let mut layout = Self {
            data: Vec::new(),
            populations: Vec::with_capacity(populations.len()),
            words: 0,
            values: 0,
            registers: 0,
            biases: Vec::new(),
            host_biases: 0,
        };
        // Where everything begins is known before anything is written: projections name their sources.
        for (id, population) in populations.iter() {
            let size = population.size();
            let (sent, stride) = if population.graded().is_some() {
                (&mut layout.values, size)
            } else {
                (&mut layout.words, 2 * size.div_ceil(GROUP as usize))
            };
            let first = *sent;
            *sent += stride;
            let host = network.host.iter().any(|h| h.target == id).then_some(layout.host_biases);
            layout.host_biases += host.map_or(0, |_| size);
            layout.populations.push(Place {
                header: 0,
                sent: first,
                stride,
                scattered: Vec::new(),
                host,
                turns: 0,
            });
        }
        let used = |id| network.projections.values().any(|p| p.matrix == id);
        let weights: Vec<Option<Weights>> = network
            .matrices
            .iter()
            .map(|(id, matrix)| used(id).then(|| layout.weights(matrix)).transpose())
            .collect::<Result<_, _>>()?;
        let shared = populations.values().map(|p| if p.is_input() { 0 } else { p.size() }).sum();
        for (id, population) in populations.iter() {
            layout.population(network, id, population, &weights, shared)?;
        }
        Ok(layout)
    }

    /// Writes the header of a population, and its parameters.
    fn population(
        &mut self,
        network: &QuantizedNetwork,
        id: PopId,
        population: &Population,
        weights: &[Option<Weights>],
        shared: usize,
    ) -> Result<(), SimError> {
        let (bias, size) = match &population.kind {
            PopKind::Input(_) => return Ok(()),
            PopKind::Neurons(neuron) => (&neuron.bias, population.size()),
            PopKind::Graded(graded) => (&graded.bias, population.size()),
        };
        let place = &self.populations[id.index()];
        let mut header = vec![0; HEADER as usize];
        let mut put = |at: u32, value: usize| -> Result<(), SimError> {
            header[at as usize] = word(value)?;
            Ok(())
        };
        put(SIZE, size)?;
        put(SENT, place.sent)?;
        put(BIAS, self.biases.len())?;
        if let Some(host) = place.host {
            // Biases with what the host adds stand behind all that are shared.
            put(HOST, 1)?;
            put(HOST_BIAS, host)?;
            put(BIAS, shared)?;
        }
        put(REGISTERS, self.registers)?;
        match &population.kind {
            PopKind::Input(_) => {}
            PopKind::Neurons(neuron) => {
                let period = (neuron.update_period as usize).max(1);
                put(PERIOD, period)?;
                let window = window(network, id);
                put(PHASE, window.latency % period)?;
                put(END, window.end())?;
                let steps = usize::try_from(network.run_steps()).unwrap_or(usize::MAX);
                put(HOLD, (neuron.refractory.saturating_sub(1) as usize).min(steps))?;
                put(SUBTRACT, usize::from(matches!(neuron.reset, IntReset::Subtract(_))))?;
                put(PARAMETERS, self.data.len())?;
                self.data.extend(parameters(neuron, population).into_iter().map(bits));
                self.registers += 4 * size;
            }
            PopKind::Graded(graded) => {
                put(KIND, 1)?;
                put(SHIFT, usize::from(graded.shift))?;
                put(
                    KEEP,
                    match graded.keep {
                        None => 0,
                        Some(Keep::Positive) => 1,
                        Some(Keep::Negative) => 2,
                    },
                )?;
            }
        }
        let limit = if population.graded().is_some() { i32::MAX } else { CLAMP };
        self.biases
            .extend(bias.expand(&population.shape).iter().map(|b| (*b).clamp(-limit, limit)));
        let mut reads = Vec::new();
        let mut scattered = Vec::new();
        let mut turns = 0_u64;
        for (_, projection) in network.projections_into(id) {
            let Some(weights) = &weights[projection.matrix.index()] else { continue };
            let matrix = &network.matrices[projection.matrix];
            let source = &network.populations[projection.source];
            let read = self.read(projection, matrix, source, weights)?;
            if read[STRUCTURE as usize] == SPARSE {
                scattered.push(Scattered {
                    read: word(reads.len())?,
                    words: word(source.size().div_ceil(32))?,
                    turns: 64 + 33 * u64::from(weights.longest.div_ceil(GROUP)),
                });
            } else {
                turns += 1 + turns_of(&matrix.structure);
            }
            reads.extend(read);
        }
        header[READS as usize] = word(reads.len() / READ as usize)?;
        header[SCATTERED as usize] = u32::from(!scattered.is_empty());
        let at = word(self.data.len())?;
        for s in &mut scattered {
            s.read += at + HEADER;
        }
        self.data.extend(header);
        self.data.extend(reads);
        // Later words must be countable, too.
        word(self.data.len())?;
        let place = &mut self.populations[id.index()];
        (place.header, place.scattered, place.turns) = (at, scattered, turns + 1);
        Ok(())
    }

    /// The description of a projection.
    fn read(
        &self,
        projection: &Projection,
        matrix: &IntMatrix,
        source: &Population,
        weights: &Weights,
    ) -> Result<Vec<u32>, SimError> {
        let place = &self.populations[projection.source.index()];
        let mut read = vec![0; READ as usize];
        let mut put = |at: u32, value: u32| read[at as usize] = value;
        put(DELAY, projection.delay);
        put(MESSAGES, u32::from(source.graded().is_some()));
        put(SOURCE, word(place.sent)?);
        put(STRIDE, word(place.stride)?);
        put(SOURCES, word(source.size())?);
        put(WEIGHTS, weights.at);
        put(ROW, weights.row);
        put(PACKED, weights.packed);
        match &matrix.structure {
            Structure::Dense { .. } => put(STRUCTURE, DENSE),
            Structure::Identity { .. } => put(STRUCTURE, IDENTITY),
            Structure::Sparse { rows, .. } => {
                put(STRUCTURE, SPARSE);
                put(TARGETS, *rows);
            }
            Structure::Conv(conv) => {
                let malformed = || {
                    let what = format!("the convolution of `{}` has no output", matrix.name);
                    SimError::Malformed(what)
                };
                let [_, out_height, out_width] = conv.output().ok_or_else(malformed)?;
                let groups = conv.groups.max(1);
                put(STRUCTURE, CONV);
                put(IN_CHANNELS, conv.input[0] / groups);
                put(OUT_CHANNELS, conv.out_channels / groups);
                put(IN_HEIGHT, conv.input[1]);
                put(IN_WIDTH, conv.input[2]);
                put(OUT_HEIGHT, out_height);
                put(OUT_WIDTH, out_width);
                put(KERNEL_HEIGHT, conv.kernel[0]);
                put(KERNEL_WIDTH, conv.kernel[1]);
                put(STRIDE_Y, conv.stride[0]);
                put(STRIDE_X, conv.stride[1]);
                put(TOP, conv.pad[0]);
                put(LEFT, conv.pad[2]);
                put(FIRST_ROW, conv.crop[0]);
                put(ROWS, conv.cropped(0).ok_or_else(malformed)?);
                put(FIRST_COLUMN, conv.crop[2]);
                put(COLUMNS, conv.cropped(1).ok_or_else(malformed)?);
            }
        }
        Ok(read)
    }

    /// Writes the weights of a matrix.
    fn weights(&mut self, matrix: &IntMatrix) -> Result<Weights, SimError> {
        let at = word(self.data.len())?;
        let all = || (0..matrix.mantissa.len()).map(|i| matrix.weight(i));
        let packed = packing(all());
        let none = Weights { at, row: 0, packed, longest: 0 };
        Ok(match &matrix.structure {
            Structure::Dense { rows, cols } => {
                let (rows, cols) = (*rows as usize, *cols as usize);
                let row = rows.div_ceil(1 << packed);
                crate::error::check_words("the weights of a matrix", (row * cols) as u64)?;
                for source in 0..cols {
                    let weights = (0..rows).map(|r| matrix.weight(r * cols + source));
                    pack(weights, packed, &mut self.data);
                }
                Weights { row: word(row)?, ..none }
            }
            Structure::Conv(_) => {
                pack(all(), packed, &mut self.data);
                none
            }
            Structure::Identity { .. } => {
                self.data.push(bits(matrix.weight(0)));
                none
            }
            Structure::Sparse { rows, cols, row_start, col } => {
                // A target in 24 bits and a weight in 8, or two words.
                let packed = if packed == 2 && *rows < 1 << 24 { 2 } else { 0 };
                let cols = *cols as usize;
                let mut start = vec![0_u32; cols + 1];
                for &c in col {
                    start[c as usize + 1] += 1;
                }
                let longest = start.iter().copied().max().unwrap_or(0);
                for c in 0..cols {
                    start[c + 1] += start[c];
                }
                let mut free = start.clone();
                let words = if packed == 0 { 2 } else { 1 };
                let mut synapses = vec![0_u32; words * col.len()];
                for (target, range) in (0_u32..).zip(row_start.windows(2)) {
                    for i in range[0] as usize..range[1] as usize {
                        let slot = &mut free[col[i] as usize];
                        let (k, weight) = (*slot as usize, bits(matrix.weight(i)));
                        *slot += 1;
                        if packed == 0 {
                            synapses[2 * k..2 * k + 2].copy_from_slice(&[target, weight]);
                        } else {
                            synapses[k] = weight << 24 | target;
                        }
                    }
                }
                self.data.extend(start);
                self.data.extend(synapses);
                Weights { packed, longest, ..none }
            }
        })
    }
}

/// `keep_u`, `keep_v`, threshold, what is subtracted and the floor, neuron by neuron.
fn parameters(neuron: &IntNeuron, population: &Population) -> Vec<i32> {
    let shape = &population.shape;
    let mut all = neuron.du.map(|d| 4095 - i32::from(d)).expand(shape);
    all.extend(neuron.dv.map(|d| 4096 - i32::from(d)).expand(shape));
    // A threshold beyond the registers is as good as one just beyond them.
    let strict = i32::from(neuron.compare == Compare::Ge);
    let threshold = neuron.threshold.map(|t| t.clamp(-BOUND - 2, BOUND + 2) - strict);
    all.extend(threshold.expand(shape));
    match &neuron.reset {
        IntReset::Zero => all.resize(4 * shape.size(), 0),
        IntReset::Subtract(amount) => {
            all.extend(amount.map(|a: i32| a.clamp(-CLAMP, CLAMP)).expand(shape));
        }
    }
    match &neuron.floor {
        // Below every register.
        None => all.resize(5 * shape.size(), i32::MIN),
        Some(floor) => all.extend(floor.clone().expand(shape)),
    }
    all
}

/// Turns of loops that one target takes in one step, at most: every source spikes.
fn turns_of(structure: &Structure) -> u64 {
    match structure {
        Structure::Dense { cols, .. } => u64::from(*cols) + 2 * u64::from(cols.div_ceil(32)) + 1,
        Structure::Conv(conv) => {
            let [_, inputs, height, width] = conv.kernel_shape().map(u64::from);
            1 + inputs * (2 + height * (2 + width))
        }
        Structure::Identity { .. } | Structure::Sparse { .. } => 0,
    }
}

/// Logarithm of how many of these weights may share a word.
fn packing(weights: impl Iterator<Item = i32>) -> u32 {
    let mut packed = 2;
    for w in weights {
        let fits = [i16::try_from(w).is_ok(), i8::try_from(w).is_ok()];
        packed = packed.min(fits.into_iter().map(u32::from).sum());
    }
    packed
}

/// Writes weights, `2^packed` a word, the first in the lowest bits.
fn pack(weights: impl Iterator<Item = i32>, packed: u32, data: &mut Vec<u32>) {
    let width = 32 >> packed;
    let mask = u32::MAX >> (32 - width);
    let (mut word, mut filled) = (0, 0);
    for w in weights {
        word |= (bits(w) & mask) << filled;
        filled += width;
        if filled == 32 {
            data.push(word);
            (word, filled) = (0, 0);
        }
    }
    if filled > 0 {
        data.push(word);
    }
}

/// The bits of an integer.
pub(super) const fn bits(x: i32) -> u32 {
    x.cast_unsigned()
}

/// A place or a count as a word.
fn word(x: usize) -> Result<u32, SimError> {
    u32::try_from(x).map_err(|_| SimError::TooLarge {
        what: "the network on a graphics processor".to_owned(),
        size: x as u64,
        limit: u64::from(u32::MAX),
    })
}
