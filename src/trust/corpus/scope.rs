//! What each foreign emulator computes as the integer contract says, and so what its corpus may hold.

/// A foreign emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// nengo-loihi's emulator, core by core.
    Nengo,
    /// brian2-loihi.
    Brian2,
    /// Lava's processes from `network.net`.
    Lava,
    /// SANA-FE.
    Sanafe,
}

/// What the networks of a corpus may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one per feature of a neuron that an emulator has or not"
)]
pub struct Scope {
    /// Targets to choose from.
    pub targets: &'static [&'static str],
    /// Currents with memory (`du` below 4095).
    pub memory: bool,
    /// Biases.
    pub bias: Bias,
    /// Refractory periods.
    pub refractory: bool,
    /// Lowest membranes.
    pub floors: bool,
    /// Resets by subtraction of the threshold.
    pub subtract: bool,
    /// Weight exponents above what 8 bits need, and narrow weight fields.
    pub formats: bool,
    /// Single-sign synapse groups.
    pub signs: bool,
    /// Neurons of a population have the same registers.
    pub alike: bool,
    /// Networks one after the other that choose their registers, formats and delays from the same few.
    pub family: u64,
    /// Longest synaptic delay register; 0 = relays carry every delay.
    pub synaptic_delays: u32,
    /// Logical delays, at most.
    pub delays: u32,
    /// Largest populations.
    pub size: u32,
    /// Logical steps, at least and at most.
    pub steps: [u32; 2],
}

/// Which biases an emulator has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// None at all.
    None,
    /// Multiples of 64, the unit of a weight.
    Weights,
}

impl Oracle {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nengo, Self::Brian2, Self::Lava, Self::Sanafe];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nengo => "nengo",
            Self::Brian2 => "brian2",
            Self::Lava => "lava",
            Self::Sanafe => "sanafe",
        }
    }

    /// What it computes as the contract says.
    pub const fn scope(self) -> Scope {
        // Everything that a chip with fixed neurons has.
        let all = Scope {
            targets: &["loihi1"],
            memory: true,
            bias: Bias::Weights,
            refractory: true,
            floors: true,
            subtract: false,
            formats: true,
            signs: true,
            alike: false,
            family: 1,
            synaptic_delays: 62,
            delays: 4,
            size: 20,
            steps: [12, 30],
        };
        match self {
            // The emulator has no synaptic delays.
            Self::Nengo => Scope { synaptic_delays: 0, ..all },
            // No bias register and no lowest membrane. A group of neurons has one set of registers, and each group
            // and each format and delay between two of them is an object that takes long to make, so that 25
            // networks share them.
            Self::Brian2 => Scope {
                bias: Bias::None,
                floors: false,
                alike: true,
                family: 25,
                delays: 40,
                ..all
            },
            // The NetX loader chooses exponents and knows no refractory period; Lava's neuron has no floor.
            Self::Lava => Scope {
                targets: &["loihi2"],
                refractory: false,
                floors: false,
                formats: false,
                signs: false,
                size: 12,
                steps: [12, 20],
                ..all
            },
            // Its current decays in floating point; its dendrites hold what arrives for five steps.
            Self::Sanafe => Scope {
                targets: &["loihi1", "loihi2"],
                memory: false,
                subtract: true,
                synaptic_delays: 5,
                delays: 5,
                ..all
            },
        }
    }
}
