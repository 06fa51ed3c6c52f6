//! What a core uses of its target's resources: the one accounting that mapper and verifier share.
//!
//! Everything is counted from structure: channels, places, kernels. No count visits the synapses of a
//! convolution one by one.
//!
//! **Synapse formats.** Distinct (weight exponent, sign mode, weight bits, delay bits). The weight field
//! is the narrowest of [`WEIGHT_FIELDS`](crate::quantized::WEIGHT_FIELDS) that holds the matrix; a
//! projection of hardware delay h needs as many delay bits as the register value h − 1, none for 0.
//!
//! **Input axons.** One for each source neuron with an axon on the core. Where the target lets channels
//! share ([`TargetSpec::axon_atoms`] = n > 0), one for every n channels of a pixel, of those that have
//! axons on the core; a source without rows and columns has no pixels and shares nothing. With
//! [`TargetSpec::list_bases`] > 0 only sources that the core receives by pixels do (`pixels`).
//!
//! **Output axons.** For each neuron one per core that has an axon for it; `outputs` says when pixels share them.
//!
//! **Synapse memory, a list for each axon** (`shared_kernels` = 0). Each input axon owns one list of
//! synapses per format. A block of a dense matrix lists every neuron of its slice, zero weights included,
//! without indices; a block of any other matrix lists the nonzero synapses, each with an index of
//! `ceil(log2(compartments of the core))` bits, at least 6. A listed synapse takes the weight bits and the
//! delay bits of its format, and its index; [`TargetSpec::axon_words`] turns lists into words.
//! **Source**: nengo-loihi 1.1.0, `block.py` (`bits_per_axon`, `WEIGHT_BITS_MAP`, `INDEX_BITS_MAP`), for
//! Loihi 1. What the core receives by pixels has lists that pixels share. For other chips it is an estimate: no public text describes their packing of narrow weights.
//!
//! **Synapse memory, equal synapses once** (`shared_kernels` = 1). What projections with equal
//! mantissas, equal format and equal delay store on a core is stored once, whichever populations they
//! join: of a convolution the kernel values, zeros included, of every pair of an output channel present
//! and an input channel that these read with a value other than 0; of an identity one value. Axons whose
//! dense columns are equal in all that they reach on the core share one list; axons of sparse matrices
//! have lists of their own, with indices. **Source**: inferred for kernels (the target file says from
//! what), an estimate for the rest.

mod memory;
mod outputs;
mod pixels;
#[cfg(test)]
mod tests;

use super::reach::{self, Scratch};
use super::{Core, Slice};
use crate::arena::{Entity, MatId, PopId, ProjId};
use crate::order::{Order, Patch};
use crate::param::Param;
use crate::quantized::{
    IntMatrix, IntNeuron, IntReset, Projection, QuantizedDraft, Sign, Structure, Time,
};
use crate::target::TargetSpec;
pub use outputs::output_axons;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Resources in use on one core. Output axons depend on the other cores: see [`output_axons`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreUsage {
    /// Compartments: neurons held.
    pub compartments: u64,
    /// Input axons: source neurons that reach the core, or pixels of which some channels do.
    pub input_axons: u64,
    /// Values in synapse memory: synapses listed, or what stands for them where equal ones are stored once.
    pub synapses: u64,
    /// 64-bit words of synapse memory.
    pub synapse_words: u64,
    /// Distinct (du, dv, refractory period, subtracted amount, floor, update period and phase), and distinct
    /// (sign kept, shift) of graded relays.
    pub profiles: u64,
    /// Distinct thresholds.
    pub thresholds: u64,
    /// Distinct lowest membranes, *none* counted as one; 0 where no neuron has one.
    pub floors: u64,
    /// Distinct synapse formats.
    pub formats: u64,
}

/// What distinguishes the synapse formats of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SynapseFormat {
    /// Weight exponent.
    pub exponent: i8,
    /// Sign mode.
    pub sign: Sign,
    /// Bits of a stored weight, one of [`WEIGHT_FIELDS`](crate::quantized::WEIGHT_FIELDS).
    pub weight_bits: u8,
    /// Bits of a stored delay; 0 = every spike arrives in the next step.
    pub delay_bits: u8,
}

impl SynapseFormat {
    /// Bits of a listed synapse, its index left out.
    pub fn bits(self) -> u64 {
        u64::from(self.weight_bits) + u64::from(self.delay_bits)
    }
}

/// Formats of all projections of a network in hardware time, by [`ProjId`] index. **Complexity**:
/// O(projections + stored mantissas).
///
/// # Panics
/// If a projection refers to a matrix that does not exist.
pub fn formats(network: &QuantizedDraft) -> Vec<SynapseFormat> {
    let weight_bits: Vec<u8> = network.matrices.values().map(IntMatrix::weight_bits).collect();
    let format = |projection: &Projection| {
        let IntMatrix { exponent, sign, .. } = network.matrices[projection.matrix];
        let register = projection.delay.saturating_sub(1);
        let delay_bits = (0..32).find(|bits| register >> bits == 0).unwrap_or(32);
        let weight_bits = weight_bits[projection.matrix.index()];
        SynapseFormat { exponent, sign, weight_bits, delay_bits }
    };
    network.projections.values().map(format).collect()
}

/// What the accounting of a network's cores looks up.
#[derive(Clone, Debug)]
pub struct Accounting<'n> {
    network: &'n QuantizedDraft,
    orders: Vec<Order>,
    formats: Vec<SynapseFormat>,
    /// Projections into each population.
    into: Vec<Vec<ProjId>>,
    /// Whether pixels can share lists of each projection.
    movable: Vec<bool>,
    /// By matrix: the first one with equal mantissas in an equal layout, which may be itself.
    contents: Vec<MatId>,
    /// By matrix: how many projections use its content.
    uses: Vec<u32>,
    /// By matrix, dense ones alone: the first column equal to each; empty if all differ.
    columns: Vec<Vec<u32>>,
    /// By matrix, convolutions alone: the first cell of the kernel with equal values in all channels.
    cells: Vec<Vec<u32>>,
}

impl<'n> Accounting<'n> {
    /// Prepares a network in hardware time whose populations have these orders
    /// ([`MappedDraft::orders`](super::MappedDraft)). **Complexity**: O(projections + stored mantissas).
    ///
    /// # Panics
    /// If a projection refers to populations or a matrix that do not exist, or orders are missing.
    pub fn new(network: &'n QuantizedDraft, orders: &[u32]) -> Self {
        let orders = network.populations.values().zip(orders);
        let mut into = vec![Vec::new(); network.populations.len()];
        for (id, projection) in network.projections.iter() {
            into[projection.target.index()].push(id);
        }
        let mut first = HashMap::new();
        let content = |(id, matrix): (MatId, &'n IntMatrix)| {
            *first.entry((Layout::of(matrix), matrix.mantissa.as_slice())).or_insert(id)
        };
        let contents: Vec<MatId> = network.matrices.iter().map(content).collect();
        let mut uses = vec![0; contents.len()];
        for projection in network.projections.values() {
            uses[contents[projection.matrix.index()].index()] += 1;
        }
        Self {
            network,
            uses,
            orders: orders.map(|(p, block)| Order::new(&p.shape, *block)).collect(),
            formats: formats(network),
            movable: pixels::movable(network),
            into,
            contents,
            columns: network.matrices.values().map(equal_columns).collect(),
            cells: network.matrices.values().map(equal_cells).collect(),
        }
    }

    /// The network.
    pub const fn network(&self) -> &'n QuantizedDraft {
        self.network
    }

    /// [`formats`] of the network.
    pub fn formats(&self) -> &[SynapseFormat] {
        &self.formats
    }

    /// Order of a population.
    pub fn order(&self, population: PopId) -> &Order {
        &self.orders[population.index()]
    }

    /// The accounting as if no weight took more than `bits` bits.
    #[must_use]
    pub fn with_weights_of(&self, bits: u8) -> Self {
        let mut narrow = self.clone();
        narrow.formats.iter_mut().for_each(|f| f.weight_bits = f.weight_bits.min(bits));
        narrow
    }

    /// Gives a population another order: `block` channels per block.
    pub fn set_order(&mut self, population: PopId, block: u32) {
        let shape = &self.network.populations[population].shape;
        self.orders[population.index()] = Order::new(shape, block);
    }

    /// Projections into a population, ascending.
    pub fn projections_into(&self, population: PopId) -> &[ProjId] {
        &self.into[population.index()]
    }

    /// The first matrix whose mantissas and layout are those of the projection's matrix.
    pub fn content(&self, projection: ProjId) -> MatId {
        self.contents[self.network.projections[projection].matrix.index()]
    }

    /// By cell of a convolution's kernel the first with the same values in all channels; empty for other matrices.
    pub fn cells(&self, matrix: MatId) -> &[u32] {
        &self.cells[matrix.index()]
    }

    /// Whether several projections use this content.
    pub fn repeated(&self, content: MatId) -> bool {
        self.uses[content.index()] > 1
    }

    /// Runs of positions of the source that have a nonzero synapse into `slice`, ascending: see
    /// [`reach::sources`].
    ///
    /// # Panics
    /// If the projection or the slice's neurons do not exist.
    pub fn sources(
        &self,
        projection: ProjId,
        slice: &Slice,
        scratch: &mut Scratch,
    ) -> Vec<Range<u32>> {
        let ends = &self.network.projections[projection];
        let orders = [self.order(ends.source), self.order(ends.target)];
        reach::sources(&self.network.matrices[ends.matrix], orders, slice, scratch)
    }

    /// What `core` uses of `target`. **Complexity**: O(neurons + axons of blocks + kernel values present).
    ///
    /// # Panics
    /// If the core refers to populations, neurons or projections that do not exist.
    pub fn core_usage(&self, core: &Core, target: &TargetSpec) -> CoreUsage {
        let [profiles, thresholds, floors] = self.registers(core);
        let memory = memory::of_core(self, core, target);
        CoreUsage {
            compartments: core.compartments() as u64,
            input_axons: self.input_axons(core, target),
            synapses: memory.values,
            synapse_words: memory.words,
            profiles,
            thresholds,
            floors,
            formats: memory.formats,
        }
    }

    /// Input axons of `core`: source neurons, or groups of channels of their pixels.
    ///
    /// # Panics
    /// If the core refers to populations or neurons that do not exist.
    pub fn input_axons(&self, core: &Core, target: &TargetSpec) -> u64 {
        let atoms = u64::try_from(target.axon_atoms.value).unwrap_or(0);
        let received = pixels::received(self, core, target);
        let (pixels, neurons): (Vec<Slice>, Vec<Slice>) =
            core.axons.iter().partition(|run| received.contains(&run.population));
        let populations: BTreeSet<PopId> = pixels.iter().map(|run| run.population).collect();
        let of_population = |population: PopId| {
            let order = self.order(population);
            // Channels of each place, as differences to the place before.
            let mut steps = vec![0_i64; order.places() as usize + 1];
            for run in pixels.iter().filter(|run| run.population == population) {
                for patch in order.patches(run.start..run.start + run.len) {
                    let channels = i64::from(patch.channels.end - patch.channels.start);
                    steps[patch.places.start as usize] += channels;
                    steps[patch.places.end as usize] -= channels;
                }
            }
            let mut channels = 0_i64;
            let axons = |step: &i64| {
                channels += step;
                channels.unsigned_abs().div_ceil(atoms)
            };
            steps.iter().map(axons).sum::<u64>()
        };
        neurons.iter().map(|run| u64::from(run.len)).sum::<u64>()
            + populations.into_iter().map(of_population).sum::<u64>()
    }

    /// Numbers of distinct compartment profiles, thresholds and floors. Graded relays need one profile for each sign
    /// that they keep and shift, no threshold and no floor.
    fn registers(&self, core: &Core) -> [u64; 3] {
        let mut profiles = BTreeSet::new();
        let mut relays = BTreeSet::new();
        let mut thresholds = BTreeSet::new();
        let mut floors = BTreeSet::new();
        for slice in &core.slices {
            let population = &self.network.populations[slice.population];
            relays.extend(population.graded().map(|graded| (graded.keep, graded.shift)));
            let Some(neuron) = population.neuron() else {
                continue;
            };
            let period = neuron.update_period;
            let phase = match &self.network.time {
                Time::Hardware(s) => s.latency[slice.population.index()] % period.max(1),
                Time::Logical => 0,
            };
            for n in self.distinct(neuron, slice) {
                let shape = &population.shape;
                let subtract = match &neuron.reset {
                    IntReset::Zero => None,
                    IntReset::Subtract(amount) => Some(amount.at(n, shape)),
                };
                let decays = (neuron.du.at(n, shape), neuron.dv.at(n, shape));
                let floor = neuron.floor.as_ref().map(|floor| floor.at(n, shape));
                profiles.insert((decays, neuron.refractory, subtract, floor, period, phase));
                thresholds.insert(neuron.threshold.at(n, shape));
                floors.insert(floor);
            }
        }
        let floors = if floors.iter().all(Option::is_none) { 0 } else { floors.len() };
        [profiles.len() + relays.len(), thresholds.len(), floors].map(|n| n as u64)
    }

    /// Neurons of a slice that between them have all its profiles, thresholds and floors.
    fn distinct(&self, neuron: &IntNeuron, slice: &Slice) -> Vec<usize> {
        let order = self.order(slice.population);
        let amount = match &neuron.reset {
            IntReset::Zero => None,
            IntReset::Subtract(amount) => Some(amount),
        };
        let forms = [form(&neuron.du), form(&neuron.dv), form(&neuron.threshold)];
        let channels = |patch: Patch| patch.channels.map(|c| (c * order.places()) as usize);
        let floor = neuron.floor.as_ref();
        match forms.into_iter().max().max(amount.map(form)).max(floor.map(form)) {
            Some(Form::Neuron) => {
                slice.neurons().map(|p| order.neuron(narrow(p)) as usize).collect()
            }
            Some(Form::Channel) => {
                let patches = order.patches(slice.start..slice.start + slice.len);
                patches.into_iter().flat_map(channels).collect()
            }
            Some(Form::Uniform) | None => vec![0],
        }
    }
}

/// Form of a parameter, coarsest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Uniform,
    Channel,
    Neuron,
}

const fn form<T>(param: &Param<T>) -> Form {
    match param {
        Param::Uniform(_) => Form::Uniform,
        Param::PerChannel(_) => Form::Channel,
        Param::PerNeuron(_) => Form::Neuron,
    }
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("neurons of a population number fewer than 2^32")
}

/// What makes equal mantissas mean equal synapses: extents of rows and columns, or of the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Layout<'n> {
    Kernel([u32; 4], u32),
    Value,
    Other(&'n Structure),
}

impl<'n> Layout<'n> {
    fn of(matrix: &'n IntMatrix) -> Self {
        match &matrix.structure {
            // Stride, padding and extents of the input say where values act, not what is stored.
            Structure::Conv(conv) => Self::Kernel(conv.kernel_shape(), conv.groups),
            Structure::Identity { .. } => Self::Value,
            other => Self::Other(other),
        }
    }
}

/// By column the first equal one, for a dense matrix in which some are equal.
fn equal_columns(matrix: &IntMatrix) -> Vec<u32> {
    let Structure::Dense { rows, cols } = matrix.structure else { return Vec::new() };
    let column = |col: u32| -> Vec<i16> {
        let entry = |row| matrix.mantissa[(row * cols + col) as usize];
        (0..rows).map(entry).collect()
    };
    let mut first = HashMap::new();
    let classes: Vec<u32> = (0..cols).map(|col| *first.entry(column(col)).or_insert(col)).collect();
    if first.len() == classes.len() { Vec::new() } else { classes }
}

/// By cell of a convolution's kernel the first with the same values in all channels.
fn equal_cells(matrix: &IntMatrix) -> Vec<u32> {
    let Structure::Conv(conv) = &matrix.structure else { return Vec::new() };
    let area = (conv.kernel[0] * conv.kernel[1]) as usize;
    let values = |cell: u32| -> Vec<i16> {
        matrix.mantissa[cell as usize..].iter().step_by(area).copied().collect()
    };
    let mut first = HashMap::new();
    (0..narrow(area)).map(|cell| *first.entry(values(cell)).or_insert(cell)).collect()
}
