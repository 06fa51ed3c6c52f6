//! How simulators cut a graph into steps, as data, and the choice for one graph.
//!
//! A graph needs some attributes and not others ([`Needs`]). [`resolve`] takes them from what was given, then from
//! the dialect, and reports the rest: nothing that matters is chosen silently.

mod rules;
mod table;

use super::graph::Primitive;
use crate::arrays::Array;
pub use rules::{Expected, NeuronRules, Rules};
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::network::Compare;
use snnc_ir::network::discretization::{
    Dialect, Discretization, IfDialect, Integration, LoopBias, ResetRule, SpikesPerStep, TimeUnit,
};
use snnc_ir::{Diagnostic, Diagnostics};
pub use table::{Attribute, Missing};

/// What was chosen; `None` leaves an attribute to the dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Choices {
    /// Simulator to follow.
    pub dialect: Option<Dialect>,
    /// Length of a step in seconds.
    pub dt: Option<f64>,
    /// Unit of the times in the file.
    pub time_unit: Option<TimeUnit>,
    /// Integration of leaky neurons.
    pub integration: Option<Integration>,
    /// Firing comparison.
    pub comparison: Option<Compare>,
    /// Reset.
    pub reset: Option<ResetRule>,
    /// Spikes of a neuron in a step.
    pub spikes_per_step: Option<SpikesPerStep>,
    /// Input of integrate-and-fire neurons.
    pub if_dialect: Option<IfDialect>,
    /// Start of biases inside loops.
    pub loop_bias: Option<LoopBias>,
}

impl Choices {
    /// What a dialect chooses.
    pub const fn of(dialect: Dialect) -> Self {
        use Dialect as D;
        let euler = matches!(dialect, D::SnnTorch | D::Norse | D::SpikingJelly | D::Lava);
        let exact = matches!(dialect, D::Exact);
        let several = matches!(dialect, D::Sinabs | D::Rockpool);
        Self {
            dialect: Some(dialect),
            dt: match dialect {
                D::SnnTorch | D::SpikingJelly | D::Lava => Some(1e-4),
                D::Norse => Some(1e-3),
                D::Sinabs | D::Rockpool | D::Exact => None,
            },
            time_unit: match dialect {
                D::SnnTorch | D::Norse | D::SpikingJelly | D::Rockpool | D::Lava => {
                    Some(TimeUnit::Seconds)
                }
                D::Sinabs => Some(TimeUnit::Steps),
                D::Exact => None,
            },
            integration: Some(if euler {
                Integration::Euler
            } else if exact {
                Integration::Exponential
            } else {
                Integration::ExponentialUnit
            }),
            comparison: Some(match dialect {
                D::SnnTorch | D::Norse | D::Lava | D::Exact => Compare::Gt,
                D::Sinabs | D::SpikingJelly | D::Rockpool => Compare::Ge,
            }),
            reset: Some(match dialect {
                D::SnnTorch | D::Norse | D::Lava => ResetRule::Zero,
                D::SpikingJelly | D::Exact => ResetRule::Value,
                D::Sinabs | D::Rockpool => ResetRule::Subtract,
            }),
            spikes_per_step: Some(if several {
                SpikesPerStep::Several
            } else {
                SpikesPerStep::One
            }),
            if_dialect: Some(match dialect {
                D::SpikingJelly | D::Exact => IfDialect::Literal,
                D::SnnTorch | D::Norse | D::Sinabs | D::Rockpool | D::Lava => IfDialect::Free,
            }),
            loop_bias: Some(match dialect {
                D::SnnTorch | D::Lava | D::Exact => LoopBias::AtOnce,
                D::Norse | D::SpikingJelly | D::Sinabs | D::Rockpool => LoopBias::Delayed,
            }),
        }
    }

    /// Whether nothing was chosen.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The choices of a record, all of them.
    pub const fn recorded(found: &Discretization) -> Self {
        Self {
            dialect: found.dialect,
            dt: found.dt,
            time_unit: Some(found.time_unit),
            integration: Some(found.integration),
            comparison: Some(found.comparison),
            reset: Some(found.reset),
            spikes_per_step: Some(found.spikes_per_step),
            if_dialect: Some(found.if_dialect),
            loop_bias: Some(found.loop_bias),
        }
    }

    /// Each attribute from here, or else from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            dialect: self.dialect.or(other.dialect),
            dt: self.dt.or(other.dt),
            time_unit: self.time_unit.or(other.time_unit),
            integration: self.integration.or(other.integration),
            comparison: self.comparison.or(other.comparison),
            reset: self.reset.or(other.reset),
            spikes_per_step: self.spikes_per_step.or(other.spikes_per_step),
            if_dialect: self.if_dialect.or(other.if_dialect),
            loop_bias: self.loop_bias.or(other.loop_bias),
        }
    }
}

/// What the spikes of a graph depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Nodes with time constants.
    pub leaky: usize,
    /// Nodes of type `Delay` that delay.
    pub delays: usize,
    /// Neurons that fire and are reset.
    pub firing: usize,
    /// Integrate-and-fire neurons.
    pub integrating: usize,
    /// Loops with a bias in them.
    pub biased_loops: usize,
}

impl Needs {
    /// Adds what a node depends on.
    pub(super) fn add(&mut self, primitive: &Primitive) {
        match primitive {
            Primitive::Lif { .. } | Primitive::CubaLif { .. } => {
                self.leaky += 1;
                self.firing += 1;
            }
            Primitive::If { .. } => {
                self.integrating += 1;
                self.firing += 1;
            }
            Primitive::Delay { delay } if !all(delay, 0.0) => self.delays += 1,
            _ => {}
        }
    }
}

/// Whether all elements are `value`.
pub(super) fn all(array: &Array, value: f64) -> bool {
    super::check::range(&array.data)
        .is_none_or(|found| found.iter().all(|x| (x - value).abs() <= 0.0))
}

/// What a graph is read by; `None` if nothing about it is open.
///
/// `guessed` is the step that Rockpool reads out of the graph.
///
/// # Errors
/// `SNN0252` with everything that is open and not chosen, `SNN0258` for choices that contradict each other.
pub fn resolve(
    needs: &Needs,
    chosen: Choices,
    guessed: Option<f64>,
) -> Result<Option<Discretization>, Diagnostics> {
    contradictions(&chosen)?;
    let mut all = match chosen.dialect {
        Some(dialect) => chosen.or(Choices::of(dialect)),
        None => chosen,
    };
    if chosen.dialect == Some(Dialect::Rockpool) {
        all.dt = all.dt.or(guessed);
    }
    if all.time_unit == Some(TimeUnit::Steps) {
        all.dt = None;
    }
    // A reset to a value leaves room for one spike only.
    if chosen.spikes_per_step.is_none() && all.reset.is_some_and(|r| r != ResetRule::Subtract) {
        all.spikes_per_step = Some(SpikesPerStep::One);
    }
    let missing = table::missing(needs, &all);
    if !missing.is_empty() {
        return Err(table::report(&missing, chosen.dialect).into());
    }
    let nothing = *needs == Needs::default();
    if nothing && chosen.is_empty() {
        return Ok(None);
    }
    // What is left decides nothing in this graph.
    let time_unit =
        all.time_unit.unwrap_or(if all.dt.is_some() { TimeUnit::Seconds } else { TimeUnit::Steps });
    let found = Discretization {
        dialect: all.dialect,
        dt: all.dt,
        time_unit: if all.dt.is_some() { time_unit } else { TimeUnit::Steps },
        integration: all.integration.unwrap_or(Integration::Exponential),
        comparison: all.comparison.unwrap_or(Compare::Gt),
        reset: all.reset.unwrap_or(ResetRule::Value),
        spikes_per_step: all.spikes_per_step.unwrap_or(SpikesPerStep::One),
        if_dialect: all.if_dialect.unwrap_or(IfDialect::Literal),
        loop_bias: all.loop_bias.unwrap_or(LoopBias::AtOnce),
    };
    if found.spikes_per_step == SpikesPerStep::Several && found.reset != ResetRule::Subtract {
        return Err(contradiction(
            format!("several spikes in a step do not go with the reset `{}`", found.reset.name()),
            "add `--reset subtract` or `--spikes-per-step one`",
        ));
    }
    Ok(Some(found))
}

/// Choices that exclude each other, whatever the graph is.
fn contradictions(chosen: &Choices) -> Result<(), Diagnostics> {
    let unit = chosen.time_unit.or(chosen.dialect.and_then(|d| Choices::of(d).time_unit));
    match (chosen.dt, unit) {
        (Some(dt), _) if !(dt.is_finite() && dt > 0.0) => Err(contradiction(
            format!("the length of a step is {dt:?} s"),
            "give a number above 0 with `--dt`",
        )),
        (Some(_), Some(TimeUnit::Steps)) => Err(contradiction(
            "a length of a step is given, and times are counted in steps".to_owned(),
            "leave `--dt` out, or say with `--time-unit` what the times in the file are",
        )),
        _ => Ok(()),
    }
}

fn contradiction(message: String, help: &str) -> Diagnostics {
    Diagnostic::error(codes::CHOICES, message).help(help).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIF: Needs = Needs { leaky: 1, firing: 1, delays: 0, integrating: 0, biased_loops: 0 };

    fn with(dialect: Dialect) -> Choices {
        Choices { dialect: Some(dialect), ..Choices::default() }
    }

    #[test]
    fn every_dialect_decides_all_but_what_only_the_user_knows() {
        for (name, dialect) in Dialect::ALL {
            let found = resolve(&LIF, with(*dialect), Some(1e-3));
            match dialect {
                Dialect::Exact => {
                    let found = found.unwrap_err();
                    assert_eq!(found.iter().next().unwrap().notes.len(), 2, "{found:?}");
                }
                _ => assert_eq!(found.unwrap().unwrap().dialect, Some(*dialect), "{name}"),
            }
        }
    }

    #[test]
    fn nothing_is_chosen_silently() {
        let open = resolve(&LIF, Choices::default(), None).unwrap_err();
        let first = open.iter().next().unwrap();
        assert_eq!(first.code, codes::OPEN);
        // Unit, dt, integration, comparison, reset, spikes per step.
        assert_eq!(first.notes.len(), 6, "{first:?}");
        assert_eq!(resolve(&Needs::default(), Choices::default(), None), Ok(None));
    }

    #[test]
    fn an_option_wins_over_the_dialect() {
        let chosen = Choices { reset: Some(ResetRule::Value), ..with(Dialect::Sinabs) };
        let found = resolve(&LIF, chosen, None).unwrap().unwrap();
        assert_eq!(found.reset, ResetRule::Value);
        assert_eq!(found.spikes_per_step, SpikesPerStep::One);
        assert_eq!(found.comparison, Compare::Ge);
        assert_eq!((found.dt, found.step()), (None, 1.0));
    }

    #[test]
    fn contradictions_are_refused() {
        for chosen in [
            Choices { dt: Some(0.0), ..with(Dialect::Norse) },
            Choices { dt: Some(f64::NAN), ..with(Dialect::Norse) },
            Choices { dt: Some(1e-3), ..with(Dialect::Sinabs) },
            Choices { spikes_per_step: Some(SpikesPerStep::Several), ..with(Dialect::SnnTorch) },
        ] {
            let found = resolve(&LIF, chosen, None).unwrap_err();
            assert_eq!(found.iter().next().unwrap().code, codes::CHOICES, "{chosen:?}");
        }
    }

    #[test]
    fn a_record_says_all() {
        for (_, dialect) in Dialect::ALL {
            let time = Choices {
                dt: (*dialect != Dialect::Sinabs).then_some(2e-3),
                time_unit: (*dialect == Dialect::Exact).then_some(TimeUnit::Milliseconds),
                ..with(*dialect)
            };
            let found = resolve(&LIF, time, None).unwrap().unwrap();
            let again = resolve(&LIF, Choices::recorded(&found), None).unwrap().unwrap();
            assert_eq!(found, again);
        }
    }
}
