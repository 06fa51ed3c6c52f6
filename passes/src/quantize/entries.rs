//! The entries of a recipe, brought to the populations and projections that they name.

use super::canonical::{Term, positions};
use super::decision::{Wanted, grain};
use super::matrix::exponents;
use super::member::{Member, Model};
use super::population::minimum_units;
use super::remarks;
use snnc_ir::diag::codes::{Code, quantize as codes};
use snnc_ir::network::{Coding, NetworkDraft, Op};
use snnc_ir::recipe::{MAX_EXPONENT, MAX_WEIGHT_BITS, PopulationRecipe, ProjectionRecipe, Recipe};
use snnc_ir::{Diagnostic, Diagnostics, Param, TargetSpec};
use std::collections::{BTreeMap, BTreeSet};

/// Most names that a note lists.
const LISTED: usize = 12;

/// What the recipe says about each member.
///
/// # Errors
/// Entries that name nothing, and values that do not fit.
pub(super) fn wanted<'a>(
    network: &NetworkDraft,
    members: &[Member<'_>],
    recipe: &'a Recipe,
    target: &TargetSpec,
) -> Result<Vec<Wanted<'a>>, Diagnostics> {
    let mut errors = Diagnostics::new();
    let populations: BTreeMap<&str, &PopulationRecipe> =
        recipe.populations.iter().map(|p| (&*p.name, p)).collect();
    let mut open: BTreeMap<(&str, &str, u32), &ProjectionRecipe> =
        recipe.projections.iter().map(|p| ((&*p.source, &*p.target, p.nth), p)).collect();
    let mut all = Vec::with_capacity(members.len());
    for member in members {
        let mut entries = |terms: &[&Term]| -> Vec<Option<&'a ProjectionRecipe>> {
            let nth = positions(terms.iter().copied());
            let name = |term: &Term| &*network.nodes[term.source].name;
            let keys = terms.iter().zip(nth).map(|(term, nth)| (name(term), member.name, nth));
            keys.map(|key| open.remove(&key)).collect()
        };
        let spikes: Vec<&Term> = member.spikes.iter().collect();
        let messages: Vec<&Term> = member.messages.iter().map(|m| &m.term).collect();
        let wanted = Wanted {
            settings: recipe.settings,
            population: populations.get(member.name).copied(),
            terms: entries(&spikes),
            messages: entries(&messages),
        };
        let check = Check { network, member, wanted: &wanted, target };
        check.population(&mut errors);
        for (term, entry) in spikes.iter().zip(&wanted.terms) {
            if let Some(entry) = entry {
                check.projection(term, entry, &mut errors);
            }
        }
        for (term, entry) in messages.iter().zip(&wanted.messages) {
            if let Some(entry) = entry {
                check.message(term, entry, &mut errors);
            }
        }
        all.push(wanted);
    }
    let known: BTreeSet<&str> = members.iter().map(|m| m.name).collect();
    for entry in populations.values() {
        errors.extend(unknown_population(network, &known, entry).into_iter().collect());
    }
    for entry in open.values() {
        errors.extend(unknown_projection(network, &known, members, entry).into_iter().collect());
    }
    errors.into_result(all)
}

/// One population, its entries, and what they are held to.
struct Check<'c> {
    network: &'c NetworkDraft,
    member: &'c Member<'c>,
    wanted: &'c Wanted<'c>,
    target: &'c TargetSpec,
}

impl Check<'_> {
    fn population(&self, errors: &mut Diagnostics) {
        let Some(entry) = self.wanted.population else { return };
        let before = errors.len();
        self.length("scale", entry.scale.as_ref(), errors);
        self.length("threshold", entry.threshold.as_ref(), errors);
        self.length("bias", entry.bias.as_ref(), errors);
        self.length("dv", entry.dv.as_ref(), errors);
        if errors.len() > before {
            return;
        }
        if let Some(scale) = &entry.scale {
            errors.extend(self.blocks(scale).into_iter().collect());
        }
        if entry.shift.is_some() && !matches!(self.member.model, Model::Stage) {
            errors.push(
                self.misfit("there is a shift".to_owned())
                    .note("expected none: only plain relays, the stages of a chain, shift what they send")
                    .help("remove `shift` from the entry"),
            );
        } else if let Some(shift) = entry.shift.filter(|s| *s > 0)
            && !self.target.programmable_neuron
        {
            errors.push(
                self.misfit(format!("the shift is {shift}"))
                    .note(format!(
                        "{}: programmable_neuron = false; only such neurons shift",
                        self.target.file
                    ))
                    .help("leave the shift out"),
            );
        }
        let what = if matches!(self.member.model, Model::Stage) { "plain relays" } else { "clips" };
        match &self.member.model {
            Model::Relays(_) | Model::Stage if entry.threshold.is_some() || entry.dv.is_some() => {
                errors.push(
                    self.misfit(format!("{what} have neither thresholds nor decays"))
                        .note("graded relays pass on what arrives; they have a scale and biases")
                        .help("remove `threshold` and `dv` from the entry"),
                );
            }
            Model::Relays(_) | Model::Stage => {}
            Model::Neurons(neuron, _) => {
                let least = minimum_units(neuron.compare);
                let low = entry.threshold.iter().flat_map(Param::values).find(|t| **t < least);
                if let Some(low) = low {
                    errors.push(
                        self.misfit(format!("a threshold mantissa is {low}"))
                            .note(format!("expected at least {least}: the chip compares `>`, and registers hold mantissas from 1 on"))
                            .help("raise the threshold, or leave it out"),
                    );
                }
            }
        }
    }

    fn length<T: Copy>(&self, what: &str, values: Option<&Param<T>>, errors: &mut Diagnostics) {
        let shape = self.member.shape;
        let Some(values) = values.filter(|v| v.len() != v.expected_len(shape)) else { return };
        let each = if matches!(values, Param::PerChannel(_)) { "channel" } else { "neuron" };
        errors.push(
            self.misfit(format!("`{what}` has {} values, one per {each}", values.len()))
                .note(format!(
                    "expected {}: the population has the shape {shape}",
                    values.expected_len(shape)
                ))
                .help(format!("give one value for all, or one per {each}")),
        );
    }

    /// Whether neurons that must share a scale have different ones.
    fn blocks(&self, scale: &Param<f64>) -> Option<Diagnostic> {
        let (member, grain) = (self.member, grain(self.member));
        let at = |n: usize| scale.at(n, member.shape).to_bits();
        let neuron = (0..member.shape.size()).find(|&n| at(n) != at(n / grain * grain))?;
        let first = neuron / grain * grain;
        let message = format!("neurons {first} and {neuron} have different scales");
        Some(if !member.is_free() {
            self.problem(codes::RECIPE_TIED, message)
                .note("expected one scale: messages tie it to those of other populations")
                .help("give one scale, or leave it out")
        } else if member.samples.is_empty() {
            self.misfit(message)
                .note(format!("expected one scale for {grain} neurons in a row: they share the weights of a convolution"))
                .help("give one scale per channel, or one for all")
        } else {
            self.misfit(message)
                .note("expected one scale: the host adds the current of a directly coded input to the biases, with one factor")
                .help("give one scale for all neurons")
        })
    }

    fn projection(&self, term: &Term, entry: &ProjectionRecipe, errors: &mut Diagnostics) {
        self.weights(term, entry, errors);
        let bits = entry.weight_bits.unwrap_or(self.wanted.settings.weight_bits);
        let Some(exponent) = entry.exponent else { return };
        let values = &self.network.tensors[term.weight].data;
        let split = entry.split.unwrap_or(false);
        let range = exponents(bits, split, values, self.target, MAX_EXPONENT);
        if !range.contains(&exponent) {
            let limits = [&self.target.min_weight_exponent, &self.target.max_weight_exponent];
            errors.push(
                of(codes::RECIPE_MISFIT, entry, format!("the exponent is {exponent}"))
                    .note(format!("expected {} to {} at {bits} bits", range.start(), range.end()))
                    .note(format!(
                        "{}: min_weight_exponent = {}, max_weight_exponent = {}",
                        self.target.file, limits[0], limits[1]
                    ))
                    .help("choose another exponent, or leave it out"),
            );
        }
    }

    /// Weights on messages keep their ratios, in one group.
    fn message(&self, term: &Term, entry: &ProjectionRecipe, errors: &mut Diagnostics) {
        self.weights(term, entry, errors);
        let bits = entry.weight_bits.filter(|bits| *bits < MAX_WEIGHT_BITS);
        let what = match (bits, entry.split) {
            (Some(bits), _) => format!("weights on messages have {bits} bits"),
            (None, Some(true)) => "weights on messages are stored apart by sign".to_owned(),
            (None, _) => return,
        };
        errors.push(
            of(codes::RECIPE_TIED, entry, what)
                .note(format!("expected one group of {MAX_WEIGHT_BITS} bits: messages are integers, and what reads them keeps the ratios of scales"))
                .help("leave `weight_bits` and `split` out; projections that carry spikes may have them"),
        );
    }

    fn weights(&self, term: &Term, entry: &ProjectionRecipe, errors: &mut Diagnostics) {
        let Some(weights) = &entry.weights else { return };
        let stored = self.network.tensors[term.weight].data.len();
        if weights.len() != stored {
            errors.push(
                of(codes::RECIPE_MISFIT, entry, format!("there are {} weights", weights.len()))
                    .note(format!(
                        "expected {stored}, in the order of the tensor `{}`",
                        self.network.tensors[term.weight].name
                    ))
                    .help("give every stored weight, or none"),
            );
        }
        let missing: Vec<&str> = [
            ("scale", self.wanted.population.is_some_and(|p| p.scale.is_some())),
            ("weight_bits", entry.weight_bits.is_some()),
            ("split", entry.split.is_some()),
            ("exponent", entry.exponent.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| (!given).then_some(name))
        .collect();
        if !missing.is_empty() {
            errors.push(
                of(codes::RECIPE_MISFIT, entry, "weights stand alone".to_owned())
                    .note(format!("expected beside them: {}", remarks::list(&missing)))
                    .note("weights are whole steps, whose size scale and exponent set")
                    .help("state these too, or leave the weights out"),
            );
        }
    }

    fn misfit(&self, message: String) -> Diagnostic {
        self.problem(codes::RECIPE_MISFIT, message)
    }

    fn problem(&self, code: Code, message: String) -> Diagnostic {
        Diagnostic::error(code, message)
            .at(format!("recipe of population \"{}\"", self.member.name))
    }
}

/// An error about the entry of a projection.
fn of(code: Code, entry: &ProjectionRecipe, message: String) -> Diagnostic {
    let ProjectionRecipe { source, target, nth, .. } = entry;
    Diagnostic::error(code, message)
        .at(format!("recipe of projection \"{source}\" -> \"{target}\" number {nth}"))
}

/// Whether a node is quantized if nothing is wrong with it.
fn is_quantized(op: &Op) -> bool {
    matches!(op, Op::Neuron(_) | Op::Relay(_))
}

/// Names with this property, shortened.
fn names(network: &NetworkDraft, wanted: impl Fn(&Op) -> bool) -> String {
    let all: Vec<&str> =
        network.nodes.values().filter(|n| wanted(&n.op)).map(|n| &*n.name).collect();
    match all.get(..LISTED) {
        Some(first) if all.len() > LISTED => {
            format!("{} and {} more", remarks::list(first), all.len() - LISTED)
        }
        _ => remarks::list(&all),
    }
}

fn unknown_population(
    network: &NetworkDraft,
    known: &BTreeSet<&str>,
    entry: &PopulationRecipe,
) -> Option<Diagnostic> {
    let name = &*entry.name;
    let node = network.nodes.values().find(|n| n.name == name);
    // What is no member although it should be one was reported.
    if known.contains(name) || node.is_some_and(|n| is_quantized(&n.op)) {
        return None;
    }
    let what = match node.map(|n| &n.op) {
        Some(Op::Input(_)) => format!("`{name}` is an input, which is not quantized"),
        Some(_) => format!("`{name}` is no population"),
        None => format!("there is no population `{name}`"),
    };
    Some(
        Diagnostic::error(codes::RECIPE_UNKNOWN, what)
            .at(format!("recipe of population \"{name}\""))
            .note(format!("expected one of {}", names(network, is_quantized)))
            .help("correct the name, or remove the entry"),
    )
}

fn unknown_projection(
    network: &NetworkDraft,
    known: &BTreeSet<&str>,
    members: &[Member<'_>],
    entry: &ProjectionRecipe,
) -> Option<Diagnostic> {
    let (source, target) = (&*entry.source, &*entry.target);
    let node = |name: &str| network.nodes.values().find(|n| n.name == name);
    let problem = |message: String| of(codes::RECIPE_UNKNOWN, entry, message);
    let fix = "correct the names, or remove the entry";
    if !known.contains(target) {
        if node(target).is_some_and(|n| is_quantized(&n.op)) {
            return None;
        }
        return Some(
            problem(format!("there is no population `{target}`"))
                .note(format!("expected one of {}", names(network, is_quantized)))
                .help(fix),
        );
    }
    let is_source = |op: &Op| op.is_population() || matches!(op, Op::Relay(_));
    match node(source).map(|n| &n.op) {
        Some(Op::Input(Coding::Direct { .. })) => {
            return Some(
                problem(format!("`{source}` is coded directly"))
                    .note("the host computes its current and adds it to biases; its weights are not rounded")
                    .help("remove the entry"),
            );
        }
        Some(op) if is_source(op) => {}
        _ => {
            return Some(
                problem(format!("there is no population `{source}`"))
                    .note(format!("expected one of {}", names(network, is_source)))
                    .help(fix),
            );
        }
    }
    let terms = members.iter().filter(|m| m.name == target).flat_map(|m| {
        m.spikes.iter().chain(m.messages.iter().map(|m| &m.term)).map(|term| term.source)
    });
    let count = terms.filter(|id| network.nodes[*id].name == source).count();
    let note = match count {
        0 => format!("expected a source that `{target}` reads"),
        1 => "expected number 0, the only one".to_owned(),
        _ => format!("expected number 0 to {}", count - 1),
    };
    let what = format!("`{target}` reads `{source}` through {count} projections");
    Some(problem(what).note(note).help(fix))
}
