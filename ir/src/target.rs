//! Targets: what a chip offers, each number with its source.

use serde::Serialize;
use std::fmt;

/// A number of a target description with its origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// The number.
    pub value: i64,
    /// Where it comes from: a data sheet, a paper, a file of a reference project.
    pub source: String,
    /// Line in the target file, 1-based.
    pub line: u32,
}

/// What an operation, or a piece of a spike's way, costs: an estimate between two published numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Cost {
    /// Somebody published it.
    Known {
        /// The lowest and the highest number; equal where there is one.
        value: [u64; 2],
        /// Where they come from.
        source: String,
        /// Line in the target file, 1-based.
        line: u32,
    },
    /// Nobody did, or it is no part of the model.
    Absent {
        /// Which of the two.
        absent: String,
        /// Line in the target file, 1-based.
        line: u32,
    },
}

impl Cost {
    /// The lowest and the highest number, if there is one.
    pub const fn range(&self) -> Option<[u64; 2]> {
        match self {
            Self::Known { value, .. } => Some(*value),
            Self::Absent { .. } => None,
        }
    }
}

/// What running a network costs: energies in femtojoules, times in picoseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Costs {
    /// Energy of a spike in each router that it passes, those of source and target included.
    pub router_energy: Cost,
    /// Energy of a hop between routers of one row (east-west).
    pub hop_energy_x: Cost,
    /// Energy of a hop between routers of one column (north-south).
    pub hop_energy_y: Cost,
    /// Time of a spike in each router.
    pub router_time: Cost,
    /// Time of a hop within a row.
    pub hop_time_x: Cost,
    /// Time of a hop within a column.
    pub hop_time_y: Cost,
    /// Energy of sending a spike to one core, besides its way.
    pub message_energy: Cost,
    /// Time in which a core sends a spike to one core.
    pub message_time: Cost,
    /// Time in which a core takes in a spike.
    pub arrival_time: Cost,
    /// Energy of a spike at one synapse.
    pub synapse_energy: Cost,
    /// Time of a spike at one synapse.
    pub synapse_time: Cost,
    /// Energy of updating a neuron that does not fire.
    pub neuron_energy: Cost,
    /// Time of updating a neuron that does not fire.
    pub neuron_time: Cost,
    /// Energy of updating a neuron that fires.
    pub firing_energy: Cost,
    /// Time of updating a neuron that fires.
    pub firing_time: Cost,
    /// Time in which the cores agree on the next step, once per step.
    pub barrier_time: Cost,
}

impl Costs {
    /// No cost at all, for the same reason (`why`, given in a line of the target file).
    pub fn absent(why: &str, line: u32) -> Self {
        let cost = || Cost::Absent { absent: why.to_owned(), line };
        Self {
            router_energy: cost(),
            hop_energy_x: cost(),
            hop_energy_y: cost(),
            router_time: cost(),
            hop_time_x: cost(),
            hop_time_y: cost(),
            message_energy: cost(),
            message_time: cost(),
            arrival_time: cost(),
            synapse_energy: cost(),
            synapse_time: cost(),
            neuron_energy: cost(),
            neuron_time: cost(),
            firing_energy: cost(),
            firing_time: cost(),
            barrier_time: cost(),
        }
    }
}

/// A target chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetSpec {
    /// Name, as in `--target`.
    pub name: String,
    /// One line about it.
    pub summary: String,
    /// File it was read from, as shown in diagnostics.
    pub file: String,
    /// blake3 of the file, hexadecimal.
    pub hash: String,
    /// Whether neurons are programmable: reset by subtraction, update every P-th step.
    pub programmable_neuron: bool,
    /// Bits of a graded message, sign included; 0 = spikes only.
    pub message_bits: Limit,
    /// Compartments per core.
    pub compartments: Limit,
    /// Input axons per core.
    pub input_axons: Limit,
    /// Output axons per core (one per source neuron and destination core).
    pub output_axons: Limit,
    /// Synapse memory per core, in 64-bit words.
    pub synapse_words: Limit,
    /// Compartment profiles per core: distinct (du, dv, refractory).
    pub profiles: Limit,
    /// Distinct thresholds per core.
    pub thresholds: Limit,
    /// Distinct lowest membranes of a core's neurons, *none* counted as one where others have one;
    /// 0 = neurons have none.
    pub floors: Limit,
    /// 1 if a lowest membrane is `−(2^k − 1)`, 0 if it is any number from the smallest register on.
    pub floor_powers: Limit,
    /// Synapse formats per core.
    pub formats: Limit,
    /// Cores per chip.
    pub cores_per_chip: Limit,
    /// Chips.
    pub chips: Limit,
    /// Cores that share a router of a chip's mesh.
    pub cores_per_router: Limit,
    /// Routers of a chip in a row (east-west).
    pub mesh_width: Limit,
    /// Routers of a chip in a column (north-south).
    pub mesh_height: Limit,
    /// Chips of a board in a row.
    pub board_width: Limit,
    /// Chips of a board in a column.
    pub board_height: Limit,
    /// Hops that a link between two chips counts as when cores are placed.
    pub chip_hops: Limit,
    /// Largest synaptic delay (0 = arrival in the next step).
    pub max_delay: Limit,
    /// Largest refractory register.
    pub max_refractory: Limit,
    /// Largest threshold mantissa.
    pub max_threshold: Limit,
    /// Largest bias mantissa (absolute).
    pub max_bias_mantissa: Limit,
    /// Largest bias exponent.
    pub max_bias_exponent: Limit,
    /// Smallest weight exponent.
    pub min_weight_exponent: Limit,
    /// Largest weight exponent.
    pub max_weight_exponent: Limit,
    /// Largest |sum of weights| that may arrive at one neuron in one step.
    pub max_input_sum: Limit,
    /// Bits of the membrane and current registers, sign included.
    pub state_bits: Limit,
    /// Header bits of a block of synapses in an axon's list.
    pub synapse_header_bits: Limit,
    /// Synapses of a block.
    pub synapse_block: Limit,
    /// 1 if a core stores equal synapses once: a kernel for all places, a value of an identity for all
    /// neurons, equal columns of a dense matrix for all their axons. 0 = a list for each input axon.
    pub shared_kernels: Limit,
    /// Channels of one pixel that share an input axon of a core, at the most; the channel travels as the
    /// axon's atom. 0 = an input axon for each source neuron.
    pub axon_atoms: Limit,
    /// Compartments from which on lists may begin that pixels of a convolution share: 0 = pixels share none,
    /// n = a list begins at one of the first n. With n > 0 a core receives by pixels only what it can share:
    /// see [`usage`](crate::mapped::usage).
    pub list_bases: Limit,
    /// Output axons that a pixel takes on a core for each core that receives it by pixels; 0 = output axons are
    /// counted by neuron.
    pub population_slots: Limit,
    /// What running a network costs, as far as it is published.
    pub costs: Costs,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}: {})", self.value, self.line, self.source)
    }
}

impl TargetSpec {
    /// Cores of all chips.
    pub fn cores(&self) -> u64 {
        let count = |limit: &Limit| u64::try_from(limit.value).unwrap_or(0);
        count(&self.chips).saturating_mul(count(&self.cores_per_chip))
    }

    /// Mantissa and exponent whose registers hold `bias` exactly (`bias = mantissa << exponent`), with
    /// the smallest exponent; `None` if no pair within the limits does.
    pub fn bias_registers(&self, bias: i32) -> Option<(i32, u32)> {
        let exponents = u32::try_from(self.max_bias_exponent.value.clamp(0, 31)).unwrap_or(0);
        (0..=exponents).map(|e| (bias >> e, e)).find(|(mantissa, e)| {
            i64::from(*mantissa) << e == i64::from(bias)
                && i64::from(mantissa.unsigned_abs()) <= self.max_bias_mantissa.value
        })
    }

    /// Smallest membrane of a register, and so the lowest floor.
    pub fn lowest_floor(&self) -> i64 {
        1 - (1 << (self.state_bits.value.clamp(1, 32) - 1))
    }

    /// Whether neurons can have this lowest membrane.
    pub fn holds_floor(&self, floor: i64) -> bool {
        let form = self.floor_powers.value == 0 || (1 - floor).count_ones() == 1;
        self.floors.value > 0 && form && (self.lowest_floor()..=0).contains(&floor)
    }

    /// Whether one exponent serves all biases from `bounds[0]` to `bounds[1]` that the host can make of
    /// `bias`, which are multiples of 64 apart. Units of the membrane, as in
    /// [`TargetSpec::bias_registers`]. In a population that is `hosted` the exponent leaves room for multiples of 64 in every
    /// neuron, those that the host adds nothing to included.
    pub fn holds_biases(&self, bias: i64, bounds: [i64; 2], hosted: bool) -> bool {
        if !hosted {
            return i32::try_from(bias).is_ok_and(|bias| self.bias_registers(bias).is_some());
        }
        let exponent = i64::from(bias.trailing_zeros().min(6)).min(self.max_bias_exponent.value);
        let limit = self.max_bias_mantissa.value.saturating_mul(1 << exponent.max(0));
        bounds.iter().all(|bias| bias.saturating_abs() <= limit)
    }

    /// Words of synapse memory that one axon's list takes: per block of up to
    /// [`TargetSpec::synapse_block`] synapses, the entries' bits plus a header, rounded up to 64
    /// bits. **Source**: nengo-loihi `block.py`, `bits_per_axon`.
    pub fn axon_words(&self, synapses: u64, bits_per_synapse: u64) -> u64 {
        let block = u64::try_from(self.synapse_block.value).unwrap_or(1).max(1);
        let header = u64::try_from(self.synapse_header_bits.value).unwrap_or(0);
        let words = |n: u64| (n * bits_per_synapse + header).div_ceil(64);
        let rest = synapses % block;
        synapses / block * words(block) + if rest > 0 { words(rest) } else { 0 }
    }
}
