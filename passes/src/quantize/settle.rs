//! Integers of every population: what the recipe says, what fills its gaps, and whether that stays in
//! range.

use super::choose::{choose, filter_registers};
use super::decision::{Decision, Excess, Wanted};
use super::fit::{self, Fitted, message_weights};
use super::groups::{Groups, Policy};
use super::matrix::{Set, Weights, exponents};
use super::member::{Member, Members, Model};
use super::population::{self, Integers, UNLIMITED, biases, integers, registers, thresholds};
use super::remarks;
use super::stages::{self, Heard, Stage};
use super::tied::Plan;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::NetworkDraft;
use snnc_ir::recipe::{MAX_EXPONENT, ProjectionRecipe};
use snnc_ir::{Diagnostic, Diagnostics, Param, TargetSpec};
use std::cell::RefCell;

/// A population whose integers are known.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// What was decided.
    pub decision: Decision,
    /// Integer weight per unit of float weight of each projection from clips.
    pub factors: Vec<f64>,
    /// The weights of these.
    pub messages: Vec<Weights>,
    /// The plain relays by position in [`Member::spikes`]: messages per unit of float, and what they are
    /// expected to do.
    pub heard: Vec<Option<Heard>>,
    /// Whether these are averages that are rounded.
    pub averages: Vec<bool>,
    /// Parameters, weights on spikes, and ranges.
    pub integers: Integers,
    /// The scale that the population's own weights, thresholds and biases allow, over its scale, where
    /// messages or what the host adds may lower it.
    pub loss: Option<f64>,
}

impl Planned {
    /// What plain relays, or neurons that read no clips, became.
    pub(super) fn free(
        decision: Decision,
        integers: Integers,
        heard: Vec<Option<Heard>>,
        loss: Option<f64>,
    ) -> Self {
        let (factors, messages, averages) = (Vec::new(), Vec::new(), Vec::new());
        Self { decision, factors, messages, heard, averages, integers, loss }
    }
}

/// The integers of all members. Reports what has none.
pub(super) fn settle(
    network: &NetworkDraft,
    members: &Members<'_>,
    wanted: &[Wanted<'_>],
    target: &TargetSpec,
) -> Result<Vec<Planned>, Diagnostics> {
    let mut errors = Diagnostics::new();
    let Members { all: members, tied, stages } = members;
    let (tied, free_from) = (*tied, tied + stages);
    let mut all = match Tied::new(network, &members[..tied], &wanted[..tied], target) {
        Ok(tied) => tied.settle(&mut errors),
        Err(found) => {
            errors.extend(found);
            Vec::new()
        }
    };
    let chains = match stages::plan(network, members, tied..free_from, wanted, target) {
        Ok(chains) => chains,
        Err(found) => {
            errors.extend(found);
            return Err(errors);
        }
    };
    all.extend(chains.planned.iter().cloned());
    for (index, (member, wanted)) in members.iter().zip(wanted).enumerate().skip(free_from) {
        let read = member.relays.iter().map(|relays| relays.map(|r| &chains.stages[r - tied]));
        let reach = (0..member.spikes.len()).map(|term| chains.reach.get(&(index, term)));
        let free = Free { network, member, wanted, target, stages: read.collect() };
        match free.settle(&reach.flatten().collect::<Vec<_>>()) {
            Ok(planned) => all.push(planned),
            Err(error) => errors.push(error),
        }
    }
    errors.into_result(all)
}

/// A population of neurons that nothing ties.
struct Free<'a> {
    network: &'a NetworkDraft,
    member: &'a Member<'a>,
    wanted: &'a Wanted<'a>,
    target: &'a TargetSpec,
    /// The plain relays by position in [`Member::spikes`].
    stages: Vec<Option<&'a Stage>>,
}

impl Free<'_> {
    fn integers(&self, decision: &Decision) -> Integers {
        integers(self.network, self.member, decision, &self.stages, &[], self.target)
    }

    /// Leaves projections from plain relays no more bits than their weights need, where the recipe leaves that open:
    /// they share the bits of a sum with the messages.
    fn narrow(&self, decision: &mut Decision, integers: &Integers) {
        let terms = self.member.spikes.iter().zip(&self.wanted.terms).zip(&self.stages);
        let decided = decision.terms.iter_mut().zip(&integers.weights);
        for (((term, entry), stage), (decided, weights)) in terms.zip(decided) {
            if stage.is_none() || entry.is_some_and(|e| e.weight_bits.is_some()) {
                continue;
            }
            let values = &self.network.tensors[term.weight].data;
            let holds = |bits: &u8| {
                let set = Set::of(*bits, decided.split, values);
                let range = exponents(*bits, decided.split, values, self.target, MAX_EXPONENT);
                range.contains(&weights.shift)
                    && weights.units.iter().all(|q| (set.low..=set.high).contains(q))
            };
            decided.bits = (1..=decided.bits).find(holds).unwrap_or(decided.bits);
        }
    }

    /// Its integers; `reach` bounds the float currents that chains may bring to its rows.
    fn settle(&self, reach: &[&Vec<(f64, f64)>]) -> Result<Planned, Diagnostic> {
        let Self { network, member, wanted, target, .. } = *self;
        // The composed matrix of a chain takes long, and what was checked last is often what is chosen.
        let last: RefCell<Option<(Decision, Integers)>> = RefCell::new(None);
        let check = |decision: &Decision| {
            let integers = self.integers(decision);
            let result = integers.survey.excess.clone().map_or(Ok(()), Err);
            *last.borrow_mut() = Some((decision.clone(), integers));
            result
        };
        let caps = stages::caps(member, reach, target);
        let mut decision = choose(network, member, wanted, target, (&self.stages, &caps), &check)
            .map_err(|why| remarks::no_scale(member.name, &why, network.steps))?;
        let known = last.take().filter(|(known, _)| *known == decision);
        for (term, entry) in decision.terms.iter_mut().zip(&wanted.terms) {
            // The sets of weights of one sign are the same either way, but given ones may have both.
            term.split = entry.and_then(|e| e.split).unwrap_or(term.split);
        }
        let integers = known.map_or_else(|| self.integers(&decision), |(_, integers)| integers);
        if let Some(excess) = &integers.survey.excess {
            if !wanted.decides() {
                return Err(remarks::no_scale(member.name, excess.why, network.steps));
            }
            let fits = lower(member, wanted, &decision, excess, &check);
            let help = match (fits, &decision.scale) {
                (None, _) => {
                    "leave the thresholds and biases out: no smaller scale fits".to_owned()
                }
                (Some(factor), Param::Uniform(scale)) => {
                    format!("a scale of {} fits, with weights rounded anew", scale * factor)
                }
                (Some(factor), _) => {
                    format!("scales {factor} times as large fit, with weights rounded anew")
                }
            };
            return Err(beyond(member, excess, &help, target));
        }
        let (most, _) = registers(member, target).into_iter().fold(UNLIMITED, population::lower);
        let only_host = member.spikes.is_empty() && !member.samples.is_empty();
        let loss = only_host.then(|| most / decision.scale.at(0, member.shape));
        self.narrow(&mut decision, &integers);
        let terms = member.spikes.iter().zip(&self.stages).zip(&integers.weights);
        let cap = caps.iter().copied().fold(f64::INFINITY, f64::min);
        let heard = terms.map(|((term, stage), weights)| {
            let values = &network.tensors[term.weight].data;
            let scale = (&decision.scale, member.shape);
            stage.map(|stage| Heard::new(stage, (&term.structure, values), weights, scale, cap))
        });
        let heard = heard.collect();
        Ok(Planned::free(decision, integers, heard, loss))
    }
}

/// Bound on the rounds of the search for a smaller scale.
const MAX_ROUNDS: usize = 200;

/// A factor for all scales with which everything fits, with the weights rounded anew, if there is one.
fn lower(
    member: &Member<'_>,
    wanted: &Wanted<'_>,
    decision: &Decision,
    excess: &Excess,
    check: &dyn Fn(&Decision) -> Result<(), Excess>,
) -> Option<f64> {
    let entry = wanted.population;
    let mut factor = rounded_down(excess.factor.min(0.999));
    let mut trial = decision.clone();
    trial.terms.iter_mut().for_each(|term| term.weights = None);
    for _ in 0..MAX_ROUNDS {
        trial.scale = decision.scale.map(|s| s * factor);
        if entry.is_none_or(|e| e.bias.is_none()) {
            trial.bias = biases(&member.bias, &trial.scale, member.shape);
        }
        if let Model::Neurons(neuron, decay) = &member.model
            && entry.is_none_or(|e| e.threshold.is_none())
        {
            trial.threshold = thresholds(neuron, &trial.scale, member.shape);
            trial.du = filter_registers(neuron, decay, &trial.threshold, member.shape);
        }
        match check(&trial) {
            Ok(()) => return Some(factor),
            Err(excess) => factor = rounded_down(factor * excess.factor.min(0.999)),
        }
    }
    None
}

/// Four digits of a number, so that it can be written down.
fn rounded_down(x: f64) -> f64 {
    let digits = 10.0_f64.powf(3.0 - x.log10().floor());
    (x * digits).floor() / digits
}

/// The error that the recipe takes a population out of its range.
pub(super) fn beyond(
    member: &Member<'_>,
    excess: &Excess,
    help: &str,
    target: &TargetSpec,
) -> Diagnostic {
    let Excess { worst, limit, value, .. } = excess;
    let (entry, line) = limit.line(target);
    Diagnostic::error(
        codes::RECIPE_RANGE,
        format!(
            "population `{}`: neuron {worst} may reach {value}, and {} ends at {}",
            member.name,
            limit.name(),
            limit.most(target)
        ),
    )
    .at(format!("recipe of population \"{}\"", member.name))
    .note(format!("{}: {entry} = {line}", target.file))
    .note("the bound covers every input; nothing may wrap or saturate")
    .help(help)
}

/// Populations that exchange messages, with their scales.
struct Tied<'a> {
    network: &'a NetworkDraft,
    members: &'a [Member<'a>],
    wanted: &'a [Wanted<'a>],
    target: &'a TargetSpec,
    plans: Vec<Plan>,
    fitted: Vec<Fitted>,
    /// How weights on messages become integers; `None` if the recipe has all scales.
    groups: Option<Groups>,
}

impl<'a> Tied<'a> {
    fn new(
        network: &'a NetworkDraft,
        members: &'a [Member<'a>],
        wanted: &'a [Wanted<'a>],
        target: &'a TargetSpec,
    ) -> Result<Self, Diagnostics> {
        let plan = |(member, wanted)| Plan::new(network, member, wanted, target);
        let plans: Vec<Plan> = members.iter().zip(wanted).map(plan).collect();
        let given: Option<Vec<f64>> = wanted.iter().map(Wanted::uniform_scale).collect();
        if let Some(scales) = given {
            let fitted = members.iter().zip(&scales).map(|(member, &scale)| Fitted {
                scale,
                factors: member.messages.iter().map(|m| scale / scales[m.from]).collect(),
                limited_by: "the recipe".to_owned(),
            });
            let fitted = fitted.collect();
            return Ok(Self { network, members, wanted, target, plans, fitted, groups: None });
        }
        let (groups, fitted) = scales(network, members, &plans, target)?;
        let mut errors = Diagnostics::new();
        for ((member, wanted), fitted) in members.iter().zip(wanted).zip(&fitted) {
            let scale = wanted.uniform_scale();
            if let Some(scale) = scale.filter(|s| s.to_bits() != fitted.scale.to_bits()) {
                errors.push(foreign_scale(member.name, scale, fitted.scale));
            }
        }
        let groups = Some(groups);
        errors.into_result(Self { network, members, wanted, target, plans, fitted, groups })
    }

    /// Integers in the order of members, relays before what reads them.
    fn settle(&self, errors: &mut Diagnostics) -> Vec<Planned> {
        let mut all: Vec<Planned> = Vec::new();
        for index in 0..self.members.len() {
            let planned = self.planned(index, &all, errors);
            all.push(planned);
        }
        all
    }

    fn planned(&self, index: usize, before: &[Planned], errors: &mut Diagnostics) -> Planned {
        let (network, target) = (self.network, self.target);
        let (member, wanted, fitted) =
            (&self.members[index], &self.wanted[index], &self.fitted[index]);
        let mut decision =
            self.plans[index].decide(member, fitted.scale, fitted.limited_by.clone());
        let factors = fitted.factors.clone();
        let mut messages = message_weights(network, member, &factors);
        if let Some(entry) = wanted.population {
            let own = |found: &Param<i32>, given: &Option<Param<i32>>| {
                given.as_ref().unwrap_or(found).clone()
            };
            decision.threshold = own(&decision.threshold, &entry.threshold);
            decision.bias = own(&decision.bias, &entry.bias);
            decision.dv = entry.dv.as_ref().unwrap_or(&decision.dv).clone();
            if let Model::Neurons(neuron, decay) = &member.model {
                decision.du = filter_registers(neuron, decay, &decision.threshold, member.shape);
            }
        }
        for (term, entry) in decision.terms.iter_mut().zip(&wanted.terms) {
            term.exponent = entry.and_then(|e| e.exponent).unwrap_or(term.exponent);
            term.weights = entry.and_then(|e| e.weights.clone());
        }
        for (weights, entry) in messages.iter_mut().zip(&wanted.messages) {
            let Some(entry) = entry else { continue };
            match (&entry.weights, entry.exponent) {
                (Some(units), Some(shift)) => *weights = Weights { units: units.clone(), shift },
                (_, Some(shift)) if shift != weights.shift => {
                    errors.push(foreign_exponent(entry, shift, weights.shift));
                }
                _ => {}
            }
        }
        let mut averages = Vec::new();
        for (position, message) in member.messages.iter().enumerate() {
            let keeps = self.groups.as_ref().map(|groups| groups.keeps(message));
            let values = &network.tensors[message.term.weight].data;
            let off = ratio(values, factors[position], &messages[position]);
            let exact = message.fraction.is_some() && keeps.unwrap_or(off <= EXACT);
            averages.push(message.fraction.is_some() && !exact);
            // Above 127 a weight in a fixed ratio has seven bits.
            let most = if messages[position].shift > 0 { 1.0 / 127.0 } else { EXACT };
            let one = message.fraction.is_some_and(|f| f.denominator == 1);
            if off > most && (exact || one) && wanted.decides() {
                let source = self.members[message.from].name;
                errors.push(broken_ratio(member.name, source, factors[position]));
            }
        }
        let sent = member.messages.iter().map(|m| &before[m.from].integers.sent);
        let read: Vec<_> = messages.iter().zip(sent).collect();
        let none = vec![None; member.spikes.len()];
        let integers = integers(network, member, &decision, &none, &read, target);
        if let Some(excess) = &integers.survey.excess {
            errors.push(beyond(
                member,
                excess,
                "leave out what the recipe has beside the scale",
                target,
            ));
        }
        let own = member.largest_on_spikes(network) > 0.0 || !member.samples.is_empty();
        let loss = own.then_some(self.plans[index].first.0 / fitted.scale);
        let heard = none.iter().map(|_| None).collect();
        Planned { decision, factors, messages, heard, averages, integers, loss }
    }
}

/// Relative error up to which a weight in a fixed ratio counts as exact.
const EXACT: f64 = 1e-6;

/// Largest relative error of a weight that is not 0.
fn ratio(values: &[f32], factor: f64, weights: &Weights) -> f64 {
    let mut worst = 0.0_f64;
    for (index, &value) in values.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "weights have at most 15 bits")]
        let (integer, exact) = (weights.at(index) as f64, f64::from(value) * factor);
        if exact.abs() > 0.0 {
            worst = worst.max(((integer - exact) / exact).abs());
        } else if integer.abs() > 0.0 {
            worst = f64::INFINITY;
        }
    }
    worst
}

fn foreign_scale(name: &str, given: f64, found: f64) -> Diagnostic {
    Diagnostic::error(
        codes::RECIPE_TIED,
        format!("the scale is {given}, but messages tie it to that of other populations"),
    )
    .at(format!("recipe of population \"{name}\""))
    .note(format!(
        "expected {found}, which the populations that exchange messages have in common ratios"
    ))
    .help("leave the scale out, or give the scales of all populations that exchange messages")
}

fn foreign_exponent(entry: &ProjectionRecipe, given: u8, found: u8) -> Diagnostic {
    let ProjectionRecipe { source, target, nth, .. } = entry;
    Diagnostic::error(codes::RECIPE_TIED, format!("the exponent is {given}"))
        .at(format!("recipe of projection \"{source}\" -> \"{target}\" number {nth}"))
        .note(format!(
            "expected {found}: the scales of the two populations set weights on messages"
        ))
        .help("leave the exponent out")
}

fn broken_ratio(name: &str, source: &str, factor: f64) -> Diagnostic {
    Diagnostic::error(
        codes::RECIPE_TIED,
        format!(
            "weights of population `{name}` on messages of `{source}` are not in their fixed ratio"
        ),
    )
    .at(format!("recipe of population \"{name}\""))
    .note(format!("expected the weights times {factor}, the ratio of the two scales, as integers"))
    .help("give scales in whole ratios, and leave weights on messages out")
}

/// Steps of weights with which the first choice of scales is good enough.
const ENOUGH: f64 = 16.0;

/// Groups and scales of all members. Averages are rounded, and scales of clips and their readers
/// part, only where weights would have few steps otherwise: then the choice that leaves most steps to
/// the coarsest projection is taken.
fn scales(
    network: &NetworkDraft,
    members: &[Member<'_>],
    plans: &[Plan],
    target: &TargetSpec,
) -> Result<(Groups, Vec<Fitted>), Diagnostics> {
    let mut best: Option<(f64, Groups, Vec<Fitted>)> = None;
    let mut errors = Diagnostics::new();
    for policy in Policy::all(members) {
        let mut groups = match Groups::new(members, policy) {
            Ok(groups) => groups,
            Err(found) => {
                errors = found;
                continue;
            }
        };
        let mut fit = fit::fit(network, members, plans, &groups, target);
        if fit.errors.is_empty() && fit.steps < ENOUGH {
            let raised = groups.raised(members, &fit.room);
            let again = fit::fit(network, members, plans, &raised, target);
            if again.errors.is_empty() && again.steps > fit.steps * 1.5 {
                (groups, fit) = (raised, again);
            }
        }
        let steps = fit.steps;
        match fit.fitted.into_iter().collect::<Option<Vec<_>>>() {
            Some(fitted) if best.as_ref().is_none_or(|(least, ..)| steps > least * 1.5) => {
                best = Some((steps, groups, fitted));
            }
            Some(_) => {}
            None => errors = fit.errors,
        }
        if best.as_ref().is_some_and(|(least, ..)| *least >= ENOUGH) {
            break;
        }
    }
    best.map(|(_, groups, fitted)| (groups, fitted)).ok_or(errors)
}
