//! Options that say how a NIR graph is cut into steps.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use snnc_frontend::nir::dialect::Choices;
use snnc_ir::network::Compare;
use snnc_ir::network::discretization::{
    Dialect, IfDialect, Integration, LoopBias, ResetRule, SpikesPerStep, TimeUnit, compare,
};

/// How a NIR graph is cut into steps.
#[derive(Debug, Args)]
#[command(next_help_heading = "NIR graphs")]
pub(super) struct DiscretizationArgs {
    /// Read a NIR graph as this simulator does; the options below change single attributes.
    #[arg(long, value_name = "NAME", value_parser = names(Dialect::ALL))]
    dialect: Option<Dialect>,
    /// Length of a step; of a network that is written as a graph, too [default there: 0.0001].
    #[arg(long, value_name = "SECONDS")]
    dt: Option<f64>,
    /// What times in the file mean.
    #[arg(long, value_name = "UNIT", value_parser = names(TimeUnit::ALL))]
    time_unit: Option<TimeUnit>,
    /// How leaky neurons are integrated.
    #[arg(long, value_name = "METHOD", value_parser = names(Integration::ALL))]
    integration: Option<Integration>,
    /// Whether neurons fire above their threshold, or at it too.
    #[arg(long, value_name = "COMPARISON", value_parser = names(compare::ALL))]
    comparison: Option<Compare>,
    /// What a spike does to the membrane.
    #[arg(long, value_name = "RULE", value_parser = names(ResetRule::ALL))]
    reset: Option<ResetRule>,
    /// How often a neuron fires in a step.
    #[arg(long, value_name = "COUNT", value_parser = names(SpikesPerStep::ALL))]
    spikes_per_step: Option<SpikesPerStep>,
    /// Whether IF neurons add `dt·r·input` or `r·input`.
    #[arg(long, value_name = "DIALECT", value_parser = names(IfDialect::ALL))]
    if_dialect: Option<IfDialect>,
    /// When biases inside loops begin to act.
    #[arg(long, value_name = "START", value_parser = names(LoopBias::ALL))]
    loop_bias: Option<LoopBias>,
}

/// A parser of the names of values.
fn names<T: Copy + Send + Sync + 'static>(
    all: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|(name, _)| *name)).try_map(move |given| {
        let found = all.iter().find(|(name, _)| *name == given);
        found.map(|(_, value)| *value).ok_or_else(|| format!("no value is called {given}"))
    })
}

impl DiscretizationArgs {
    /// What is given.
    pub(super) const fn choices(&self) -> Choices {
        Choices {
            dialect: self.dialect,
            dt: self.dt,
            time_unit: self.time_unit,
            integration: self.integration,
            comparison: self.comparison,
            reset: self.reset,
            spikes_per_step: self.spikes_per_step,
            if_dialect: self.if_dialect,
            loop_bias: self.loop_bias,
        }
    }

    /// Length of a step in seconds.
    pub(super) const fn dt(&self) -> Option<f64> {
        self.dt
    }

    /// The first option that is given, if one is.
    pub(super) fn first(&self) -> Option<&'static str> {
        [
            ("--dialect", self.dialect.is_some()),
            ("--dt", self.dt.is_some()),
            ("--time-unit", self.time_unit.is_some()),
            ("--integration", self.integration.is_some()),
            ("--comparison", self.comparison.is_some()),
            ("--reset", self.reset.is_some()),
            ("--spikes-per-step", self.spikes_per_step.is_some()),
            ("--if-dialect", self.if_dialect.is_some()),
            ("--loop-bias", self.loop_bias.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}
