//! How a graph in continuous time was cut into steps: a record of choices, for people and for reading the
//! graph again in the same way. The network itself says everything that it computes.

use super::Compare;
use serde::{Deserialize, Serialize};

/// An enumeration of which every value has one name, in files and on the command line.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$variant_doc])* #[serde(rename = $name)] $variant),*
        }

        impl $type {
            /// All values with their names.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }

            /// The value of this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
            }
        }
    };
}

named! {
    /// A simulator whose reading of NIR graphs is followed, in its choices and in its rounding.
    Dialect {
        /// snnTorch 1.0.
        SnnTorch = "snntorch",
        /// Norse 1.1.
        Norse = "norse",
        /// sinabs 3.1.
        Sinabs = "sinabs",
        /// SpikingJelly 2.0.
        SpikingJelly = "spikingjelly",
        /// Rockpool 3.1.
        Rockpool = "rockpool",
        /// Lava, as the scripts of the NIR publication use it.
        Lava = "lava",
        /// The equations of the format, with inputs that are constant during a step.
        Exact = "exact",
    }
}

named! {
    /// What the numbers of a file mean as times.
    TimeUnit {
        /// Seconds.
        Seconds = "s",
        /// Milliseconds.
        Milliseconds = "ms",
        /// Steps.
        Steps = "steps",
    }
}

named! {
    /// How `tau x' = -x + input` becomes a step of length `dt`.
    Integration {
        /// Forward Euler: `x·(1 − dt/tau) + input·dt/tau`.
        Euler = "euler",
        /// The solution for an input that is constant during the step: `x·e + input·(1 − e)` with
        /// `e = exp(−dt/tau)`.
        Exponential = "exponential",
        /// The input is added as it is: `x·e + input` for membranes, `(x + input)·e` for currents.
        ExponentialUnit = "exponential-unit",
    }
}

named! {
    /// What the membrane becomes after a spike.
    ResetRule {
        /// `v_reset`.
        Value = "value",
        /// 0.
        Zero = "zero",
        /// The threshold is subtracted.
        Subtract = "subtract",
    }
}

named! {
    /// How often a neuron fires in one step.
    SpikesPerStep {
        /// At most once.
        One = "one",
        /// As often as the threshold fits into the membrane.
        Several = "several",
    }
}

named! {
    /// What an integrate-and-fire neuron adds to its membrane in a step.
    IfDialect {
        /// `dt·r·input`, the equation.
        Literal = "literal",
        /// `r·input`.
        Free = "free",
    }
}

named! {
    /// When biases inside a loop begin to act.
    LoopBias {
        /// In the first step: the delay lies where neurons are read.
        AtOnce = "at-once",
        /// After the delay: it lies on the edge that closes the loop.
        Delayed = "delayed",
    }
}

/// The choices by which a graph was cut into steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discretization {
    /// The simulator whose reading was followed; `None` if every attribute was chosen by itself.
    pub dialect: Option<Dialect>,
    /// Length of a step in seconds; `None` where times are counted in steps. Finite, above 0.
    pub dt: Option<f64>,
    /// Unit of the times in the file.
    pub time_unit: TimeUnit,
    /// Integration of leaky neurons.
    pub integration: Integration,
    /// Firing comparison.
    #[serde(with = "compare")]
    pub comparison: Compare,
    /// Reset.
    pub reset: ResetRule,
    /// Spikes of a neuron in a step.
    pub spikes_per_step: SpikesPerStep,
    /// Input of integrate-and-fire neurons.
    pub if_dialect: IfDialect,
    /// Start of biases inside loops.
    pub loop_bias: LoopBias,
}

impl Discretization {
    /// What is wrong with it, and what was expected.
    pub(crate) fn problem(&self) -> Option<(String, &'static str)> {
        match (self.dt, self.time_unit) {
            (Some(dt), _) if !(dt.is_finite() && dt > 0.0) => {
                Some((format!("the length of a step is {dt:?} s"), "a finite number above 0"))
            }
            (None, TimeUnit::Seconds | TimeUnit::Milliseconds) => Some((
                format!(
                    "times are in {}, and the length of a step is missing",
                    self.time_unit.name()
                ),
                "a length of a step, or times in steps",
            )),
            _ if self.spikes_per_step == SpikesPerStep::Several
                && self.reset != ResetRule::Subtract =>
            {
                Some((
                    format!("several spikes in a step with the reset `{}`", self.reset.name()),
                    "the reset `subtract`, by as many thresholds as there are spikes",
                ))
            }
            _ => None,
        }
    }

    /// Length of a step in the file's unit of time.
    pub fn step(&self) -> f64 {
        match (self.time_unit, self.dt) {
            (TimeUnit::Seconds, Some(dt)) => dt,
            (TimeUnit::Milliseconds, Some(dt)) => dt * 1e3,
            (TimeUnit::Steps, _) | (_, None) => 1.0,
        }
    }
}

/// [`Compare`] by name.
pub mod compare {
    use super::Compare;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    /// All values with their names.
    pub const ALL: &[(&str, Compare)] = &[("gt", Compare::Gt), ("ge", Compare::Ge)];

    /// Its name.
    pub const fn name(compare: Compare) -> &'static str {
        match compare {
            Compare::Gt => "gt",
            Compare::Ge => "ge",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(value: &Compare, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(name(*value))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Compare, D::Error> {
        let name = String::deserialize(input)?;
        let found = ALL.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| *value).ok_or_else(|| D::Error::custom("expected `gt` or `ge`"))
    }
}
