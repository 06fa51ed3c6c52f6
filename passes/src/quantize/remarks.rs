//! What quantization reports beside errors.

use super::account::{Account, PopulationAccount, ProjectionAccount};
use super::choose::current_loss;
use super::decision::{Wanted, grain};
use super::limits::words;
use super::matrix::Set;
use super::member::{Member, Message, Model};
use super::population::floors;
use super::settle::Planned;
use super::sums::Span;
use snnc_ir::diag::codes::{network, quantize as codes};
use snnc_ir::network::{NetworkDraft, Tensor};
use snnc_ir::recipe::{Grouping, MAX_WEIGHT_BITS, Scaling, Settings};
use snnc_ir::{Diagnostic, Diagnostics, Param, Shape, TargetSpec};
use std::collections::BTreeMap;

/// Names in backquotes, separated by commas.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// All remarks, derived from the account.
pub(super) fn all(
    network: &NetworkDraft,
    members: &[Member<'_>],
    planned: &[Planned],
    wanted: &[Wanted<'_>],
    account: &Account,
    target: &TargetSpec,
) -> Diagnostics {
    let mut out = Diagnostics::new();
    for (member, planned) in members.iter().zip(planned) {
        out.extend(decay(member, planned).into_iter().collect());
        out.extend(current(member, planned).into_iter().collect());
        out.extend(floor(member, planned, target).into_iter().collect());
    }
    let by_name: BTreeMap<&str, &PopulationAccount> =
        account.populations.iter().map(|p| (&*p.name, p)).collect();
    for ((member, planned), wanted) in members.iter().zip(planned).zip(wanted) {
        let Some(account) = by_name.get(member.name) else { continue };
        out.extend(losses(network, member, planned, account));
        out.extend(not_kept(network, member, planned, wanted).into_iter().collect());
    }
    let by_name: BTreeMap<&str, (&Member<'_>, &Planned)> =
        members.iter().zip(planned).map(|(m, planned)| (m.name, (m, planned))).collect();
    for account in &account.populations {
        for projection in &account.projections {
            out.extend(weights(&account.name, projection).into_iter().collect());
        }
        let of_host = by_name.get(&*account.name).filter(|(m, _)| !m.samples.is_empty());
        out.push(scale(account, of_host.map(|(_, planned)| planned.integers.survey.bias)));
    }
    out
}

/// The remark that accounts for the population.
fn scale(account: &PopulationAccount, host: Option<Span>) -> Diagnostic {
    let PopulationAccount { name, scales, limited_by, bounds, .. } = account;
    let scales = match scales.as_slice() {
        [scale] => format!("scale {scale}"),
        [least, .., most] => format!("{} scales from {least} to {most}", scales.len()),
        [] => "no scale".to_owned(),
    };
    let state = match account.threshold {
        Some(_) => format!("membrane within {}", words(bounds.v)),
        None => format!("messages within {}", words(bounds.message)),
    };
    let mut note = Diagnostic::note_only(
        codes::SCALE,
        format!("population `{name}` is quantized with {scales}"),
    )
    .at(format!("population `{name}`"))
    .note(format!("the scale is limited by {limited_by}"))
    .note(format!(
        "for all inputs: sum of weights in a step within {}, {state}",
        words(bounds.input)
    ));
    if let Some(Span { low, high }) = host {
        note = note.note(format!("for all samples: bias within {low}..={high} units of weight"));
    }
    note
}

/// Warns where a leak disappears, or where none of the membrane should be left.
fn decay(member: &Member<'_>, planned: &Planned) -> Option<Diagnostic> {
    let Model::Neurons(_, decay) = &member.model else { return None };
    let pairs = decay.zip(&planned.decision.dv, member.shape, |d, r| (d, r));
    let lost = pairs.values().iter().any(|(exact, register)| *exact > 0.0 && *register == 0);
    let kept = pairs.values().iter().any(|(exact, register)| *exact >= 1.0 && *register == 4095);
    let (what, help) = if lost {
        (
            "a leak below 1/8192 per step rounds to no leak at all",
            "use a larger decay, or model `if`",
        )
    } else if kept {
        (
            "a decay of 1 leaves 1/4096 of the membrane on the chip",
            "nothing to do if residues below 1/4096 are acceptable",
        )
    } else {
        return None;
    };
    let name = member.name;
    Some(
        Diagnostic::warning(codes::DECAY, format!("population `{name}`: {what}"))
            .at(format!("population `{name}`"))
            .note("decays are stored in units of 1/4096, from 0 to 4095/4096")
            .help(help),
    )
}

/// What the decays of a population with currents that have memory became; a warning where a current
/// decays faster than it should because the chip has no slower decay.
fn current(member: &Member<'_>, planned: &Planned) -> Option<Diagnostic> {
    let Model::Neurons(neuron, decay) = &member.model else { return None };
    let current = neuron.dynamics.current()?;
    let (shape, decision) = (member.shape, &planned.decision);
    let share = current.keep.map(|keep| 1.0 - f64::from(keep));
    let du = decision.du.map(|du| f64::from(current_loss(du)) / 4096.0);
    let dv = decision.dv.map(|dv| f64::from(dv) / 4096.0);
    let forced = share.zip(&du, shape, |exact, found| exact < 1.0 / 8192.0 && found > exact);
    let name = member.name;
    let message = if forced.values().contains(&true) {
        format!("population `{name}`: a current that loses less than 1/8192 in a step loses 1/4096")
    } else {
        format!("population `{name}` has currents with memory")
    };
    let finding = if forced.values().contains(&true) {
        Diagnostic::warning(network::FILTER, message)
            .help("nothing to do if runs are far shorter than 4096 steps; else use a shorter time constant")
    } else {
        Diagnostic::note_only(network::FILTER, message)
    };
    let registers = [&decision.du, &decision.dv].map(|r| {
        let values = r.values();
        match (values.iter().min(), values.iter().max()) {
            (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
            (least, _) => least.copied().unwrap_or_default().to_string(),
        }
    });
    let line = |what: &str, register: &str, (exact, found): (f64, f64)| {
        let off = if exact > 0.0 { (found / exact - 1.0) * 100.0 } else { 0.0 };
        format!(
            "{what} {register}: a step takes {found:.6} where {exact:.6} was wanted ({off:+.2} %)"
        )
    };
    Some(
        finding
            .at(format!("population `{name}`"))
            .note(line("current decay register", &registers[0], farthest(&share, &du, shape)))
            .note(line("membrane decay register", &registers[1], farthest(decay, &dv, shape)))
            .note("registers are chosen with what rounding toward zero takes beside them"),
    )
}

/// What the floors of a population became; a warning where the target has none near.
fn floor(member: &Member<'_>, planned: &Planned, target: &TargetSpec) -> Option<Diagnostic> {
    let Model::Neurons(neuron, _) = &member.model else { return None };
    let (wanted, scale) = (neuron.floor.as_ref()?, &planned.decision.scale);
    let place = format!("population `{}`", member.name);
    let Some(found) = floors(neuron, scale, member.shape, target) else {
        let message = format!("{place}: no membrane falls to the floor, which is left out");
        return Some(Diagnostic::note_only(network::FLOOR, message).at(place));
    };
    let found = found.zip(scale, member.shape, |f, s| f64::from(f) / (64.0 * s));
    let pairs = wanted.map(f64::from).zip(&found, member.shape, |w, f| (w, f));
    let off = |(w, f): &(f64, f64)| (f - w).abs() / w.abs().max(f.abs()).max(f64::MIN_POSITIVE);
    let worst = pairs.values().iter().copied().max_by(|a, b| off(a).total_cmp(&off(b)))?;
    let message = format!("{place}: a floor of {:.6} becomes {:.6}", worst.0, worst.1);
    Some(if off(&worst) > 0.02 {
        let found = Diagnostic::warning(network::FLOOR, message).at(place);
        let found = found.note(format!("{}: floor_powers = {}", target.file, target.floor_powers));
        found.help("compile for a target with any floor (`loihi2`), or measure what it changes")
    } else {
        Diagnostic::note_only(network::FLOOR, message).at(place)
    })
}

/// The wanted and the found share that differ most, relatively.
fn farthest(exact: &Param<f64>, found: &Param<f64>, shape: &Shape) -> (f64, f64) {
    let off = |(exact, found): &(f64, f64)| {
        if *exact > 0.0 { (found / exact - 1.0).abs() } else { *found }
    };
    let pairs = exact.zip(found, shape, |exact, found| (exact, found));
    let worst = pairs.values().iter().copied().max_by(|a, b| off(a).total_cmp(&off(b)));
    worst.unwrap_or_default()
}

/// Warns where rounding moves a threshold by more than a tenth.
fn threshold(name: &str, error: f64) -> Option<Diagnostic> {
    (error > 0.1).then(|| {
        Diagnostic::warning(
            codes::THRESHOLD,
            format!("population `{name}`: rounding moves a threshold by {:.0} %", error * 100.0),
        )
        .at(format!("population `{name}`"))
        .note("threshold and weights share one scale, and the largest weight is far above the threshold")
        .help("clip the largest weights during training, or raise the threshold")
    })
}

/// Warnings about thresholds that moved, resolution that was lost and averages that were rounded.
fn losses(
    network: &NetworkDraft,
    member: &Member<'_>,
    planned: &Planned,
    account: &PopulationAccount,
) -> Diagnostics {
    let mut out = Diagnostics::new();
    if let Some(found) = &account.threshold {
        out.extend(threshold(member.name, found.error).into_iter().collect());
    }
    if let Some(loss) = planned.loss.or_else(|| lost(network, member, planned)).filter(|l| *l > 8.0)
    {
        out.push(coarse(member.name, loss, &account.limited_by));
    }
    for (position, message) in member.messages.iter().enumerate() {
        let factor = planned.factors[position];
        let tensor = &network.tensors[message.term.weight];
        let steps = message.largest * factor;
        if planned.averages[position] {
            out.push(average(member.name, tensor, factor));
        } else if message.is_rounded() && (0.5..8.0).contains(&steps) {
            out.push(few_steps(member.name, tensor, steps));
        }
    }
    out
}

/// How many times more steps the set of the best projection has than its largest weight takes.
fn lost(network: &NetworkDraft, member: &Member<'_>, planned: &Planned) -> Option<f64> {
    let terms = member.spikes.iter().zip(&planned.decision.terms).zip(&planned.integers.weights);
    // Messages and the weights on them share the bits of a sum: few steps are a choice.
    let spikes = terms.zip(&member.relays).filter(|(_, relays)| relays.is_none());
    let unused = spikes.filter_map(|(((term, decided), weights), _)| {
        let set = Set::of(decided.bits, decided.split, &network.tensors[term.weight].data);
        let [end, largest] =
            [set.high.max(-set.low), weights.units.iter().map(|q| q.abs()).max().unwrap_or(0)];
        (largest > 0).then(|| f64::from(end) / f64::from(largest))
    });
    unused.min_by(f64::total_cmp)
}

/// One weight in so many may be clipped without a warning.
const MANY_CLIPPED: usize = 100;

/// Reports weights that vanish or are clipped.
fn weights(population: &str, account: &ProjectionAccount) -> Vec<Diagnostic> {
    let ProjectionAccount { tensor, weights, zeroed, clipped, max_error, .. } = account;
    let mut out = Vec::new();
    if *weights > 0 && zeroed == weights {
        out.push(vanished(tensor, population));
    }
    if *clipped > 0 {
        let message = format!(
            "{clipped} of {weights} weights of `{tensor}` into `{population}` are clipped, by up to {max_error:.3}"
        );
        // A few are a choice that makes the steps of all others finer.
        let few = clipped * MANY_CLIPPED <= *weights;
        let finding = if few {
            Diagnostic::note_only(codes::CLIPPED, message)
        } else {
            Diagnostic::warning(codes::CLIPPED, message)
        };
        let ProjectionAccount { weight_bits, step, .. } = account;
        out.push(
            finding
                .at(format!("population `{population}`"))
                .note(format!("the group stores {weight_bits} bits in steps of {step}"))
                .help(
                    "more bits, weights stored apart by sign, or a larger exponent reach farther",
                ),
        );
    }
    out
}

/// Warns about settings that what ties a population does not allow.
fn not_kept(
    network: &NetworkDraft,
    member: &Member<'_>,
    planned: &Planned,
    wanted: &Wanted<'_>,
) -> Option<Diagnostic> {
    let Settings { weight_bits, groups, scales, max_exponent } = wanted.settings;
    let mut notes = Vec::new();
    if scales == Scaling::Neuron && grain(member) >= member.shape.size() && member.shape.size() > 1
    {
        notes.push(if member.is_free() {
            "it has one scale: the host adds the current of a directly coded input with one factor"
                .to_owned()
        } else {
            "it has one scale: messages tie it to those of other populations".to_owned()
        });
    }
    if weight_bits < MAX_WEIGHT_BITS && !member.messages.is_empty() {
        notes.push(format!(
            "weights on messages keep {MAX_WEIGHT_BITS} bits instead of {weight_bits}: they stand in the ratios of scales"
        ));
    }
    let both = |values: &[f32]| values.iter().any(|w| *w < 0.0) && values.iter().any(|w| *w > 0.0);
    let values = |message: &Message| &network.tensors[message.term.weight].data;
    if groups == Grouping::Split && member.messages.iter().any(|m| both(values(m))) {
        notes.push("weights on messages are in one group".to_owned());
    }
    let largest = planned.messages.iter().map(|weights| weights.shift).max().unwrap_or(0);
    if largest > max_exponent {
        notes.push(format!(
            "weights on messages have an exponent of {largest} instead of {max_exponent}: they stand in the ratios of scales"
        ));
    }
    if notes.is_empty() {
        return None;
    }
    let place = format!("population `{}`", member.name);
    let finding = Diagnostic::warning(
        codes::RECIPE_TIED,
        format!("population `{}` cannot be quantized in all as asked for", member.name),
    );
    let finding = notes.into_iter().fold(finding.at(place), Diagnostic::note);
    Some(
        finding.help(
            "nothing to do if that is acceptable; populations that read spikes alone are free",
        ),
    )
}

/// Warns about an average whose weights are rounded.
fn average(name: &str, tensor: &Tensor, factor: f64) -> Diagnostic {
    Diagnostic::warning(
        codes::AVERAGE,
        format!(
            "population `{name}`: weights of the average `{}` move by up to {:.0} %",
            tensor.name,
            rounding(tensor, factor) * 100.0
        ),
    )
    .at(format!("population `{name}`"))
    .note("messages are integers; averages of averages that keep every weight exact would leave too few of them")
    .help("put a population of neurons between the averages, or count the padding in them, so that all weights are equal")
}

/// Largest relative error of a weight that is not 0.
pub(super) fn rounding(tensor: &Tensor, factor: f64) -> f64 {
    let weights = tensor.data.iter().map(|&w| f64::from(w) * factor).filter(|w| w.abs() > 0.0);
    weights.map(|w| ((w.round_ties_even() - w) / w).abs()).fold(0.0, f64::max)
}

/// Warns about few steps of weights on messages.
fn few_steps(name: &str, tensor: &Tensor, steps: f64) -> Diagnostic {
    Diagnostic::warning(
        codes::COARSE,
        format!(
            "population `{name}`: weights of `{}` on messages have {steps:.0} steps",
            tensor.name
        ),
    )
    .at(format!("population `{name}`"))
    .note("messages, and what arrives in a step, share the bits of one register with these weights")
    .help("put a population of neurons between the clip and this layer")
}

/// Warns about lost weight resolution.
fn coarse(name: &str, factor: f64, why: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::COARSE,
        format!("population `{name}` loses a factor of {factor:.0} of weight resolution to {why}"),
    )
    .at(format!("population `{name}`"))
    .note("the range must hold for every input, and populations that read clips as they are share a scale with them")
    .help(
        "fewer steps, a leak, a smaller fan-in or weights of more equal size keep more resolution",
    )
}

/// The error that no scale fits.
pub(super) fn no_scale(name: &str, why: &str, steps: u32) -> Diagnostic {
    Diagnostic::error(
        codes::NO_SCALE,
        format!("no scale keeps population `{name}` in range and its weights above zero: {why}"),
    )
    .at(format!("population `{name}`"))
    .note(format!("the bound covers every input of up to {steps} steps"))
    .help("fewer steps, a leak, a smaller fan-in or a smaller bias bring it into range")
}

/// Warns about a projection whose weights all round to zero.
fn vanished(tensor: &str, population: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::VANISHED,
        format!("all weights of `{tensor}` into `{population}` round to zero"),
    )
    .at(format!("population `{population}`"))
    .note("another projection into the same population has far larger weights, and they share one scale")
    .help("bring the weights of the projections into this population to a similar size")
}
