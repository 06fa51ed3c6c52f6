//! What is decided about a population before it becomes integers, and what may ask for it.
//!
//! A decision comes from the recipe where the recipe has an entry, and from [`choose`](super::choose)
//! where it has none; `apply` turns it into matrices and registers.

use super::limits::Bound;
use super::member::Member;
use snnc_ir::Param;
use snnc_ir::quantized::Structure;
use snnc_ir::recipe::{PopulationRecipe, ProjectionRecipe, Settings};

/// Everything that is decided about a population.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    /// Integer weight per unit of float weight, of every neuron; equal over blocks of [`grain`].
    pub scale: Param<f64>,
    /// Threshold mantissas (units of 64), at least `population::minimum_units`; 0 for relays.
    pub threshold: Param<i32>,
    /// Biases in units of weight.
    pub bias: Param<i32>,
    /// Current decay registers; 4095, no memory, for relays. They follow from the float decays and the
    /// thresholds, so that no recipe has to hold them.
    pub du: Param<u16>,
    /// Membrane decay registers; 4095 for relays.
    pub dv: Param<u16>,
    /// Bits by which plain relays shift what they send; 0 for all others.
    pub shift: u8,
    /// By position in [`Member::spikes`].
    pub terms: Vec<TermDecision>,
    /// What kept the scale from being larger, such as "the largest weight (127)".
    pub limited_by: String,
}

/// What is decided about a projection from inputs, neurons or plain relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TermDecision {
    /// Bits of a stored weight, 1..=8.
    pub bits: u8,
    /// Whether excitatory and inhibitory weights are stored apart. Only where the weights have both
    /// signs.
    pub split: bool,
    /// Exponent of the step between neighboring weights.
    pub exponent: u8,
    /// Weights in steps; `None` for the nearest to `weight · scale / 2^exponent` in the set.
    pub weights: Option<Vec<i16>>,
}

/// What the recipe says about a population. Every entry was checked: names, lengths, ranges, sets, and
/// that scales are equal over blocks of [`grain`]. Weights only stand beside a scale, bits, split and
/// an exponent.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    /// What holds where there is no entry.
    pub settings: Settings,
    /// About the population; thresholds, biases and decays of neurons only.
    pub population: Option<&'a PopulationRecipe>,
    /// By position in [`Member::spikes`].
    pub terms: Vec<Option<&'a ProjectionRecipe>>,
    /// By position in [`Member::messages`].
    pub messages: Vec<Option<&'a ProjectionRecipe>>,
}

impl Wanted<'_> {
    /// Whether an entry decides about more than how weights are stored.
    pub(super) fn decides(&self) -> bool {
        let of = |p: &PopulationRecipe| {
            p.scale.is_some()
                || p.threshold.is_some()
                || p.bias.is_some()
                || p.dv.is_some()
                || p.shift.is_some()
        };
        let terms = self.terms.iter().chain(&self.messages).flatten();
        self.population.is_some_and(of)
            || terms.into_iter().any(|t| t.weights.is_some() || t.exponent.is_some())
    }

    /// The only scale that is wanted, if one is.
    pub(super) fn uniform_scale(&self) -> Option<f64> {
        self.population?.scale.as_ref()?.values().first().copied()
    }
}

/// Says whether a decision keeps a population in range for all inputs. Costs O(weights + neurons).
pub(super) type Check<'a> = dyn Fn(&Decision) -> Result<(), Excess> + 'a;

/// How a decision leaves its range.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Excess {
    /// Factor below 1 for the scale of the worst neuron that would bring it back, but for rounding.
    pub factor: f64,
    /// The limit of the worst neuron in words, such as "the range of the membrane".
    pub why: &'static str,
    /// Every neuron out of range, ascending, with its own factor.
    pub neurons: Vec<(usize, f64)>,
    /// The worst neuron.
    pub worst: usize,
    /// The limit that it leaves.
    pub limit: Bound,
    /// The value that it may reach, of the sign that is farther from 0, in the unit of the limit.
    pub value: i64,
}

/// Number of consecutive neurons, from 0 on, that share a scale: those of a channel where a convolution
/// leads into the population, the whole population where the host writes biases, else 1.
pub(super) fn grain(member: &Member<'_>) -> usize {
    let size = member.shape.size().max(1);
    if !member.is_free() || !member.samples.is_empty() {
        return size;
    }
    member.spikes.iter().fold(1, |grain, term| lcm(grain, rows_per_scale(&term.structure)))
}

/// Consecutive target neurons whose synapses are the same stored weights.
pub(super) fn rows_per_scale(structure: &Structure) -> usize {
    match structure {
        Structure::Conv(conv) => {
            conv.output().map_or(1, |[_, height, width]| (height as usize * width as usize).max(1))
        }
        _ => 1,
    }
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x.max(1) * b
}
