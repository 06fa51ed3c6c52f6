//! Settings of the RISP processor.

use crate::fields::{Fields, Item};
use crate::json::quote;
use snnc_ir::diag::codes::tennlab as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// What `Associated_Data.proc_params` says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// Which neurons leak.
    pub(super) leak: Leak,
    /// Whether the network counts in whole numbers.
    pub(super) discrete: bool,
    /// Potentials do not fall below this.
    pub(super) floor: f64,
    /// Whether a neuron fires at its threshold, and not only above.
    pub(super) inclusive: bool,
    /// Charge of an input spike of value 1.
    pub(super) charge: f64,
    /// Weights that edges number, if they do.
    pub(super) weights: Option<Vec<f64>>,
}

/// Which neurons forget their potentials after every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leak {
    None,
    All,
    /// Those that say so.
    PerNode,
}

/// Settings that say what networks may look like while they evolve, how runs are called or what is logged: nothing of what a network does.
const WITHOUT_EFFECT: [&str; 7] = [
    "min_weight",
    "min_threshold",
    "max_threshold",
    "max_delay",
    "run_time_inclusive",
    "noisy_seed",
    "log",
];

/// Reads processor and settings from `Associated_Data`.
pub(super) fn settings(associated: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Settings> {
    let named = processor(associated, out);
    let params = associated.required("proc_params", "settings of the processor", out);
    let mut fields = params?.fields(out)?;
    for name in WITHOUT_EFFECT {
        fields.optional(name);
    }
    let leak = leak_mode(&mut fields, out);
    let discrete = fields.required("discrete", "whether values are whole numbers", out);
    let discrete = discrete.and_then(|item| item.boolean(out));
    let floor = fields.required("min_potential", "lowest potential", out);
    let floor = floor.and_then(|item| low(&item, out));
    let inclusive =
        fields.optional("threshold_inclusive").map_or(Some(true), |item| item.boolean(out));
    silent(&mut fields, out);
    let weights = match fields.optional("weights") {
        Some(item) => Some(numbers(&item, out)?).filter(|weights| !weights.is_empty()),
        None => None,
    };
    let charge = charge(&mut fields, weights.as_deref(), discrete == Some(true), out);
    for name in fields.unread() {
        out.push(
            Diagnostic::error(codes::TENNLAB_SETTING, format!("unknown setting {}", quote(name)))
                .at(fields.path())
                .help("remove it if it changes nothing"),
        );
    }
    named?;
    Some(Settings {
        leak: leak?,
        discrete: discrete?,
        floor: floor?,
        inclusive: inclusive?,
        charge: charge?,
        weights,
    })
}

/// `other.proc_name`, which must be RISP's.
fn processor(associated: &mut Fields<'_>, out: &mut Diagnostics) -> Option<()> {
    let other = associated.required("other", "name of the processor, and more", out)?;
    let item = other.fields(out)?.required("proc_name", "name of the processor", out)?;
    let name = item.text(out)?;
    if name == "risp" {
        return Some(());
    }
    out.push(
        Diagnostic::error(codes::TENNLAB_PROCESSOR, format!("the processor is {}", quote(name)))
            .at(item.path)
            .note("known: risp"),
    );
    None
}

fn leak_mode(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Leak> {
    let modes = [("none", Leak::None), ("all", Leak::All), ("configurable", Leak::PerNode)];
    // The default of RISP.
    let absent = Some(Leak::None);
    fields.optional("leak_mode").map_or(absent, |item| item.choice("leak mode", &modes, out))
}

/// `min_potential`: a floor above 0 would lift potentials.
fn low(item: &Item<'_>, out: &mut Diagnostics) -> Option<f64> {
    let floor = item.number(out)?;
    if floor <= 0.0 {
        return Some(floor);
    }
    out.push(
        Diagnostic::error(codes::TENNLAB_SETTING, format!("potentials start below {floor}"))
            .at(&item.path)
            .note("expected 0 or less: neurons start at 0"),
    );
    None
}

/// Settings that must be absent, or say that something is not done.
fn silent(fields: &mut Fields<'_>, out: &mut Diagnostics) {
    if let Some(item) = fields.optional("fire_like_ravens")
        && item.boolean(out) == Some(true)
    {
        out.push(
            Diagnostic::error(codes::TENNLAB_SETTING, "neurons fire in the manner of RAVENS")
                .at(item.path)
                .note("their spikes are recorded one step after they are sent"),
        );
    }
    if let Some(item) = fields.optional("noisy_stddev")
        && item.number(out).is_some_and(|deviation| deviation != 0.0)
    {
        out.push(noise(&item));
    }
    if let Some(item) = fields.optional("stds")
        && numbers(&item, out).is_some_and(|deviations| !deviations.is_empty())
    {
        out.push(noise(&item));
    }
}

fn noise(item: &Item<'_>) -> Diagnostic {
    Diagnostic::error(codes::TENNLAB_SETTING, "synapses are noisy").at(&item.path).note(
        "a network with noise does something else in every run: there is nothing to be faithful to",
    )
}

fn numbers(item: &Item<'_>, out: &mut Diagnostics) -> Option<Vec<f64>> {
    let read: Vec<Option<f64>> = item.list(out)?.iter().map(|item| item.number(out)).collect();
    read.into_iter().collect()
}

/// Charge of an input spike of value 1: the last of the `weights` if inputs take theirs, else `spike_value_factor`, else `max_weight`.
fn charge(
    fields: &mut Fields<'_>,
    weights: Option<&[f64]>,
    discrete: bool,
    out: &mut Diagnostics,
) -> Option<f64> {
    let most = fields.optional("max_weight");
    let factor = fields.optional("spike_value_factor");
    let listed =
        fields.optional("inputs_from_weights").map_or(Some(false), |item| item.boolean(out))?;
    if listed && let Some(last) = weights.and_then(<[f64]>::last) {
        return Some(*last);
    }
    let charge = match factor.or(most) {
        Some(item) => item.number(out)?,
        None => {
            fields.required("spike_value_factor", "charge of an input spike", out)?.number(out)?
        }
    };
    Some(if discrete { charge.floor() } else { charge })
}
