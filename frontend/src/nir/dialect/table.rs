//! What is open for a graph, and what each dialect would choose.

use super::{Choices, Needs};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::network::discretization::{Dialect, IfDialect, ResetRule, TimeUnit, compare};
use std::fmt::Write as _;

/// An attribute of a discretization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Length of a step.
    Dt,
    /// Unit of times.
    TimeUnit,
    /// Integration of leaky neurons.
    Integration,
    /// Firing comparison.
    Comparison,
    /// Reset.
    Reset,
    /// Spikes of a neuron in a step.
    SpikesPerStep,
    /// Input of integrate-and-fire neurons.
    IfDialect,
    /// Start of biases inside loops.
    LoopBias,
}

impl Attribute {
    /// The option that sets it, with its values.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Dt => "--dt SECONDS",
            Self::TimeUnit => "--time-unit s|ms|steps",
            Self::Integration => "--integration euler|exponential|exponential-unit",
            Self::Comparison => "--comparison gt|ge",
            Self::Reset => "--reset value|zero|subtract",
            Self::SpikesPerStep => "--spikes-per-step one|several",
            Self::IfDialect => "--if-dialect literal|free",
            Self::LoopBias => "--loop-bias at-once|delayed",
        }
    }

    /// What `choices` say of it.
    pub fn chosen(self, choices: &Choices) -> Option<String> {
        match self {
            Self::Dt => choices.dt.map(|dt| format!("{dt:?}")),
            Self::TimeUnit => choices.time_unit.map(|v| v.name().to_owned()),
            Self::Integration => choices.integration.map(|v| v.name().to_owned()),
            Self::Comparison => choices.comparison.map(|v| compare::name(v).to_owned()),
            Self::Reset => choices.reset.map(|v| v.name().to_owned()),
            Self::SpikesPerStep => choices.spikes_per_step.map(|v| v.name().to_owned()),
            Self::IfDialect => choices.if_dialect.map(|v| v.name().to_owned()),
            Self::LoopBias => choices.loop_bias.map(|v| v.name().to_owned()),
        }
    }

    /// What a dialect would choose, for people.
    fn of(self, dialect: Dialect) -> String {
        match (self, dialect) {
            (Self::Dt, Dialect::Rockpool) => "guessed".to_owned(),
            (Self::Dt, Dialect::Sinabs) => "none".to_owned(),
            _ => self.chosen(&Choices::of(dialect)).unwrap_or_else(|| "yours".to_owned()),
        }
    }
}

/// An attribute that is open, and how many nodes depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The attribute.
    pub attribute: Attribute,
    /// Nodes or loops.
    pub count: usize,
}

/// What `needs` and `choices` leave open, in the order in which one would decide.
pub(super) fn missing(needs: &Needs, choices: &Choices) -> Vec<Missing> {
    let literal = choices.if_dialect != Some(IfDialect::Free);
    let timed = needs.leaky + needs.delays + if literal { needs.integrating } else { 0 };
    let in_steps = choices.time_unit == Some(TimeUnit::Steps);
    let once = choices.reset.is_some_and(|r| r != ResetRule::Subtract);
    let all = [
        (Attribute::IfDialect, needs.integrating, choices.if_dialect.is_none()),
        (Attribute::TimeUnit, timed, choices.time_unit.is_none()),
        (Attribute::Dt, timed, choices.dt.is_none() && !in_steps),
        (Attribute::Integration, needs.leaky, choices.integration.is_none()),
        (Attribute::Comparison, needs.firing, choices.comparison.is_none()),
        (Attribute::Reset, needs.firing, choices.reset.is_none()),
        (Attribute::SpikesPerStep, needs.firing, choices.spikes_per_step.is_none() && !once),
        (Attribute::LoopBias, needs.biased_loops, choices.loop_bias.is_none()),
    ];
    let open = all.into_iter().filter(|(_, count, open)| *count > 0 && *open);
    open.map(|(attribute, count, _)| Missing { attribute, count }).collect()
}

/// The error that lists them.
pub(super) fn report(missing: &[Missing], dialect: Option<Dialect>) -> Diagnostic {
    let message = match dialect {
        Some(dialect) => {
            format!("dialect `{}` leaves open how time is cut into steps", dialect.name())
        }
        None => "the graph leaves open how time is cut into steps".to_owned(),
    };
    let mut report = Diagnostic::error(codes::OPEN, message);
    for Missing { attribute, count } in missing {
        let of = if *attribute == Attribute::LoopBias { "loop" } else { "node" };
        let plural = if *count == 1 { "" } else { "s" };
        let mut note = format!("`{}`, of {count} {of}{plural}:", attribute.option());
        for (i, (name, dialect)) in Dialect::ALL.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(note, "{comma} {name} {}", attribute.of(*dialect));
        }
        report = report.note(note);
    }
    let options: Vec<&str> = missing.iter().map(|m| m.attribute.option()).collect();
    report.help(match dialect {
        Some(_) => format!("add `{}`", options.join(" ")),
        None => format!(
            "add `--dialect NAME` (one of {}), or `{}`",
            Dialect::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
            options.join(" ")
        ),
    })
}
