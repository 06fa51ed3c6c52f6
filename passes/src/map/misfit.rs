//! What to say of a network that does not fit: every limit that it violates, and the least that would help.

use super::bound::{self, Bound};
use snnc_ir::diag::codes::mapping;
use snnc_ir::mapped::usage::{Accounting, CoreUsage};
use snnc_ir::mapped::{Core, Slice};
use snnc_ir::quantized::WEIGHT_FIELDS;
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, Entity, TargetSpec};
use std::collections::BTreeMap;

/// What neurons take of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    Compartments,
    InputAxons,
    OutputAxons,
    SynapseWords,
    Profiles,
    Thresholds,
    Floors,
    Formats,
}

impl Resource {
    /// As diagnostics call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Compartments => "compartments",
            Self::InputAxons => "input axons",
            Self::OutputAxons => "output axons",
            Self::SynapseWords => "words of synapse memory",
            Self::Profiles => "compartment profiles",
            Self::Thresholds => "thresholds",
            Self::Floors => "lowest membranes",
            Self::Formats => "synapse formats",
        }
    }

    /// Its limit and the limit's key.
    const fn limit(self, target: &TargetSpec) -> (&Limit, &'static str) {
        match self {
            Self::Compartments => (&target.compartments, "compartments"),
            Self::InputAxons => (&target.input_axons, "input_axons"),
            Self::OutputAxons => (&target.output_axons, "output_axons"),
            Self::SynapseWords => (&target.synapse_words, "synapse_words"),
            Self::Profiles => (&target.profiles, "profiles"),
            Self::Thresholds => (&target.thresholds, "thresholds"),
            Self::Floors => (&target.floors, "floors"),
            Self::Formats => (&target.formats, "formats"),
        }
    }
}

/// A limit that is not kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Violation {
    pub(crate) resource: Resource,
    pub(crate) needed: u64,
}

/// The limits that `usage` violates. Output axons are not among them, since they depend on the other cores.
pub(crate) fn violations(
    usage: &CoreUsage,
    target: &TargetSpec,
) -> impl Iterator<Item = Violation> + use<> {
    let needs = [
        (Resource::Compartments, usage.compartments),
        (Resource::InputAxons, usage.input_axons),
        (Resource::SynapseWords, usage.synapse_words),
        (Resource::Profiles, usage.profiles),
        (Resource::Thresholds, usage.thresholds),
        (Resource::Floors, usage.floors),
        (Resource::Formats, usage.formats),
    ];
    let limits = needs.map(|(resource, _)| resource.limit(target).0.value);
    let over = needs.into_iter().zip(limits);
    over.filter(|((_, needed), limit)| i128::from(*needed) > i128::from(*limit))
        .map(|((resource, needed), _)| Violation { resource, needed })
}

/// Findings about a core that holds one neuron and is beyond limits of the target: one for each limit.
pub(super) fn neuron(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    core: &Core,
    one: Slice,
) -> Diagnostics {
    let name = &accounting.network().populations[one.population].name;
    let neuron = accounting.order(one.population).neuron(one.start);
    let usage = accounting.core_usage(core, target);
    let finding = |Violation { resource, needed }: Violation| {
        let (limit, key) = resource.limit(target);
        let what = resource.name();
        Diagnostic::error(
            mapping::NEURON_TOO_LARGE,
            format!(
                "neuron {neuron} of population `{name}` alone needs {needed} {what}; a core of `{}` has {}",
                target.name, limit.value
            ),
        )
        .at(format!("population `{name}`, neuron {neuron}"))
        .note(format!("{}: {key} = {limit}", target.file))
        .help(match resource {
            Resource::InputAxons => format!(
                "let it read {} fewer, for example through a population in between",
                over(needed, limit)
            ),
            Resource::SynapseWords => memory_help(accounting, target, core, usage),
            Resource::Formats => format!(
                "give its projections {} fewer combinations of weight exponent, sign, weight bits and delay bits",
                over(needed, limit)
            ),
            Resource::Compartments | Resource::OutputAxons | Resource::Profiles
            | Resource::Thresholds | Resource::Floors => "compile for another target".to_owned(),
        })
    };
    violations(&usage, target).map(finding).collect()
}

/// How much more than the limit is needed.
fn over(needed: u64, limit: &Limit) -> i128 {
    i128::from(needed) - i128::from(limit.value)
}

/// What makes the synapses of one neuron fit: weights of fewer bits, or fewer of them.
fn memory_help(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    core: &Core,
    usage: CoreUsage,
) -> String {
    let limit = u64::try_from(target.synapse_words.value).unwrap_or(0);
    let words = |bits| accounting.with_weights_of(bits).core_usage(core, target).synapse_words;
    let mut fields = narrower_fields(accounting).map(|bits| (bits, words(bits)));
    let narrow = fields.find(|(_, words)| *words <= limit);
    // Memory grows about as the number of values.
    let kept =
        u128::from(usage.synapses) * u128::from(limit) / u128::from(usage.synapse_words.max(1));
    let fewer = format!("keep about {kept} of its {} weights", usage.synapses);
    match narrow {
        Some((bits, words)) => {
            let (bits, words) = (count(bits.into(), "bit"), count(words, "word"));
            format!("give it weights of {bits} ({words}), or {fewer}")
        }
        None => format!("{fewer}, for example through a population in between"),
    }
}

/// The finding that the spikes of one neuron go to too many cores.
pub(super) fn fan_out(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    slice: &Slice,
    needed: u64,
) -> Diagnostic {
    let name = &accounting.network().populations[slice.population].name;
    let limit = &target.output_axons;
    Diagnostic::error(
        mapping::FAN_OUT,
        format!(
            "one neuron of population `{name}` needs {needed} output axons for the cores that read it; a core of `{}` has {}",
            target.name, limit.value
        ),
    )
    .at(format!("population `{name}`"))
    .note(format!("{}: output_axons = {limit}", target.file))
    .help(format!(
        "let it reach fewer cores, by {} output axons: reduce its fan-out, or repeat it in a second population",
        over(needed, limit)
    ))
}

/// A mapping that takes more cores than there are.
pub(super) struct Full<'c> {
    /// The cores.
    pub(super) cores: &'c [Core],
    /// What kept each core from taking more, if anything did.
    pub(super) stops: &'c [Option<Resource>],
    /// Cores of the best mapping that is known.
    pub(super) least: u64,
}

/// Populations that are named as those that need the most.
const NAMED: usize = 3;

/// The populations that need the most: "`a` 1200, `b` 3".
fn most(accounting: &Accounting<'_>, by_population: &[u64]) -> String {
    let mut parts: Vec<_> = accounting.network().populations.values().zip(by_population).collect();
    parts.retain(|(_, needed)| **needed > 0);
    parts.sort_by_key(|(_, needed)| std::cmp::Reverse(**needed));
    let parts = parts.iter().take(NAMED).map(|(p, needed)| format!("`{}` {needed}", p.name));
    parts.collect::<Vec<_>>().join(", ")
}

/// The finding that a mapping takes too many cores; `narrower` says how many it takes with weights of some
/// bits, as far as is known.
pub(super) fn too_many_cores(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    full: &Full<'_>,
    narrower: impl Fn(u8) -> Option<u64>,
) -> Diagnostic {
    let needed = full.least;
    let mut held = vec![0; accounting.network().populations.len()];
    for core in full.cores {
        if let Some(slice) = core.slices.iter().rev().max_by_key(|slice| slice.len) {
            held[slice.population.index()] += 1;
        }
    }
    let mut error = refusal(target, &count(needed, "core"))
        .note(format!("populations with most cores: {}", most(accounting, &held)));
    if needed < full.cores.len() as u64 {
        let first = count(full.cores.len() as u64, "core");
        error = error.note(format!(
            "that is the best that was found; first fit, as told here, takes {first}"
        ));
    }
    let mut stops: BTreeMap<Resource, u64> = BTreeMap::new();
    for resource in full.stops.iter().flatten() {
        *stops.entry(*resource).or_default() += 1;
    }
    let mut stops: Vec<_> = stops.into_iter().collect();
    stops.sort_by_key(|(_, cores)| std::cmp::Reverse(*cores));
    for (resource, cores) in stops {
        let (limit, key) = resource.limit(target);
        let what = resource.name();
        let cores = count(cores, "core");
        error = error.note(format!("full on {cores}: {what}; {}: {key} = {limit}", target.file));
    }
    let narrow = narrower_fields(accounting).find_map(|bits| {
        let cores = narrower(bits).filter(|cores| *cores <= target.cores())?;
        Some(format!("with weights of {} on {}", count(bits.into(), "bit"), count(cores, "core")))
    });
    let chips = chips(target, needed);
    board(error, target).help(match narrow {
        Some(narrow) => format!("it fits on {chips}, or {narrow}"),
        None => format!(
            "it fits on {chips}; here it is {} too large",
            count(needed - target.cores(), "core")
        ),
    })
}

/// The finding that no mapping can keep to the cores of the target.
pub(super) fn beyond(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    bounds: &[Bound],
) -> Option<Diagnostic> {
    let over: Vec<_> = bounds.iter().filter(|b| b.cores > target.cores()).collect();
    let least = over.iter().map(|bound| bound.cores).max()?;
    let mut error = refusal(target, &format!("at least {}", count(least, "core")));
    for Bound { resource, needed, cores, by_population } in over {
        let (limit, key) = resource.limit(target);
        let room = u64::try_from(limit.value).unwrap_or(0).saturating_mul(target.cores());
        error = error
            .note(format!(
                "it takes {needed} {} in all, the target has {room}: {} and no fewer; {}: {key} = {limit}",
                resource.name(),
                count(*cores, "core"),
                target.file
            ))
            .note(format!("populations with most of them: {}", most(accounting, by_population)));
    }
    let narrow = narrower_fields(accounting).find_map(|bits| {
        let bounds = bound::bounds(&accounting.with_weights_of(bits), target);
        let least = bounds.iter().map(|bound| bound.cores).max()?;
        let text = || {
            format!(
                "weights of {} would take at least {}",
                count(bits.into(), "bit"),
                count(least, "core")
            )
        };
        (least <= target.cores()).then(text)
    });
    let chips = format!("it takes at least {}", chips(target, least));
    Some(
        board(error, target)
            .help(narrow.map_or(chips.clone(), |narrow| format!("{chips}; {narrow}"))),
    )
}

/// Weight fields narrower than the widest in use, widest first.
fn narrower_fields(accounting: &Accounting<'_>) -> impl Iterator<Item = u8> + use<> {
    let widest = accounting.formats().iter().map(|f| f.weight_bits).max().unwrap_or(0);
    WEIGHT_FIELDS.into_iter().rev().filter(move |bits| *bits < widest)
}

fn refusal(target: &TargetSpec, needed: &str) -> Diagnostic {
    let (name, cores) = (&target.name, target.cores());
    Diagnostic::error(
        mapping::TOO_MANY_CORES,
        format!("the network needs {needed}; target `{name}` has {cores}"),
    )
}

fn board(error: Diagnostic, target: &TargetSpec) -> Diagnostic {
    error
        .note(format!("{}: chips = {}", target.file, target.chips))
        .note(format!("{}: cores_per_chip = {}", target.file, target.cores_per_chip))
}

/// Chips that hold so many cores.
fn chips(target: &TargetSpec, cores: u64) -> String {
    let per_chip = u64::try_from(target.cores_per_chip.value).unwrap_or(0).max(1);
    let chips = count(cores.div_ceil(per_chip), "chip");
    format!("{chips} of {}", count(per_chip, "core"))
}

/// "1 core", "2 cores".
fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
