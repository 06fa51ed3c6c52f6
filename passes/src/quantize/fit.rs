//! The search for the largest scales at which everything stays in range, for all inputs.
//!
//! Every scale starts where weights, thresholds and biases just fit. Relays stand before their readers, so
//! one sweep bounds all messages and all sums. A group with a population out of range is lowered to
//! what the violated range asks for; rounding makes that relation inexact, hence the loop. Each round
//! lowers by at least a thousandth, and only what a change reaches is computed again.

use super::groups::{Groups, largest_weight};
use super::matrix::{MAX_WEIGHT, Weights};
use super::member::{Member, Message};
use super::population::{Integers, integers};
use super::remarks;
use super::tied::Plan;
use snnc_ir::network::NetworkDraft;
use snnc_ir::{Diagnostics, TargetSpec};

/// Bound on the rounds of the search; 0.999^20000 is below 10^-8.
const MAX_ROUNDS: usize = 20_000;

/// What the search found for one population.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    /// Integer weight per unit of float weight.
    pub scale: f64,
    /// Factor of the weights of each projection from relays.
    pub factors: Vec<f64>,
    /// Which constraint set the scale.
    pub limited_by: String,
}

/// Scales of all members.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// By member; `None` where there is none.
    pub fitted: Vec<Option<Fitted>>,
    /// Steps on one side of 0 of the coarsest projection.
    pub steps: f64,
    /// Factor by which each member could rise alone.
    pub room: Vec<f64>,
    /// Populations without a scale.
    pub errors: Diagnostics,
}

/// Finds the scales of all members. Reports populations for which there is none.
pub(super) fn fit(
    network: &NetworkDraft,
    members: &[Member<'_>],
    plans: &[Plan],
    groups: &Groups,
    target: &TargetSpec,
) -> Fit {
    let mut errors = Diagnostics::new();
    let mut search = Search::new(network, members, plans, groups, target);
    search.run(&mut errors);
    let fitted: Vec<_> = (0..members.len()).map(|i| search.fitted(i)).collect();
    let steps = (0..members.len()).map(|i| search.steps(i)).fold(f64::INFINITY, f64::min);
    let room = (0..members.len()).map(|i| search.room(i)).collect();
    Fit { fitted, steps, room, errors }
}

/// The scale of a group.
#[derive(Clone, Debug)]
struct Base {
    scale: f64,
    /// Which constraint set it, and for which member.
    limited_by: (&'static str, usize),
    /// Whether no scale fits.
    failed: bool,
}

struct Search<'a> {
    network: &'a NetworkDraft,
    members: &'a [Member<'a>],
    plans: &'a [Plan],
    groups: &'a Groups,
    target: &'a TargetSpec,
    /// Largest absolute weight on spikes, by member.
    on_spikes: Vec<f64>,
    bases: Vec<Base>,
    /// What is known to be in range, by member.
    rounded: Vec<Option<Integers>>,
}

impl<'a> Search<'a> {
    fn new(
        network: &'a NetworkDraft,
        members: &'a [Member<'a>],
        plans: &'a [Plan],
        groups: &'a Groups,
        target: &'a TargetSpec,
    ) -> Self {
        let unbounded = Base { scale: f64::INFINITY, limited_by: ("no weight", 0), failed: false };
        let bases = vec![unbounded; groups.count];
        let rounded = vec![None; members.len()];
        let on_spikes = members.iter().map(|m| m.largest_on_spikes(network)).collect();
        let mut search =
            Self { network, members, plans, groups, target, on_spikes, bases, rounded };
        for (index, plan) in plans.iter().enumerate() {
            let (scale, why) = plan.first;
            search.limit(index, scale, why);
        }
        // Where only general weights on messages set a scale, they do so in relation to the relays.
        for (index, member) in members.iter().enumerate() {
            for message in &member.messages {
                let relays = search.scale(message.from);
                if groups.of[index] != groups.of[message.from] && relays.is_finite() {
                    let most = f64::from(MAX_WEIGHT) * relays / message.largest;
                    search.limit(index, most, "the largest weight on messages (127)");
                }
            }
        }
        for base in &mut search.bases {
            if !base.scale.is_finite() {
                base.scale = 1.0;
            }
        }
        search
    }

    /// Lowers the group of a member to `scale` of the member, if it is above.
    fn limit(&mut self, member: usize, scale: f64, why: &'static str) {
        let scale = scale / self.multiple(member);
        let base = &mut self.bases[self.groups.of[member]];
        // Of equal limits the one of the first name is stated, whatever the order of members.
        let name = |index: usize| self.members[index].name;
        let equal = scale.to_bits() == base.scale.to_bits();
        if scale < base.scale || (equal && name(member) < name(base.limited_by.1)) {
            *base = Base { scale, limited_by: (why, member), failed: false };
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "larger multiples fit no register")]
    fn multiple(&self, member: usize) -> f64 {
        self.groups.multiple[member] as f64
    }

    fn scale(&self, member: usize) -> f64 {
        self.bases[self.groups.of[member]].scale * self.multiple(member)
    }

    /// Factor of the weights of a projection from relays; exact inside a group.
    fn factor(&self, member: usize, message: &Message) -> f64 {
        if self.groups.of[member] == self.groups.of[message.from] {
            self.multiple(member) / self.multiple(message.from)
        } else {
            self.scale(member) / self.scale(message.from)
        }
    }

    fn run(&mut self, errors: &mut Diagnostics) {
        let mut stale = vec![true; self.members.len()];
        for _ in 0..MAX_ROUNDS {
            self.give_up(errors);
            let violations = self.sweep(&mut stale);
            if violations.is_empty() {
                return;
            }
            let mut lowered = vec![(1.0_f64, "", 0); self.groups.count];
            for (member, ratio, why) in violations {
                let group = &mut lowered[self.groups.of[member]];
                let name = |index: usize| self.members[index].name;
                let equal = ratio.to_bits() == group.0.to_bits();
                if ratio < group.0 || (equal && name(member) < name(group.2)) {
                    *group = (ratio, why, member);
                }
            }
            for (group, (ratio, why, member)) in lowered.iter().enumerate() {
                if !why.is_empty() {
                    self.bases[group].limited_by = (why, *member);
                    self.bases[group].scale *= ratio.min(0.999);
                }
            }
            for (index, member) in self.members.iter().enumerate() {
                let moved = |m: usize| !lowered[self.groups.of[m]].1.is_empty();
                stale[index] = moved(index) || member.messages.iter().any(|m| moved(m.from));
            }
        }
        let open: Vec<usize> =
            stale.iter().enumerate().filter(|(_, s)| **s).map(|(i, _)| i).collect();
        for index in open {
            self.fail(self.groups.of[index], errors);
        }
    }

    /// Computes what is stale and what reads it; returns the violated limits.
    fn sweep(&mut self, stale: &mut [bool]) -> Vec<(usize, f64, &'static str)> {
        let mut violations = Vec::new();
        for index in 0..self.members.len() {
            let member = &self.members[index];
            stale[index] |= member.messages.iter().any(|m| stale[m.from]);
            if !stale[index] {
                continue;
            }
            self.rounded[index] = None;
            if self.bases[self.groups.of[index]].failed {
                continue;
            }
            let factors: Vec<f64> = member.messages.iter().map(|m| self.factor(index, m)).collect();
            let excess = member.messages.iter().zip(&factors);
            let excess = excess.map(|(m, f)| m.largest * f / largest_weight(m)).fold(0.0, f64::max);
            if excess > 1.0 {
                let ratio = 1.0 / excess;
                violations.push((index, ratio, "the largest weight on messages (127)"));
                continue;
            }
            let sent = member
                .messages
                .iter()
                .map(|message| self.rounded[message.from].as_ref().map(|relays| &relays.sent));
            violations.extend(self.too_few_steps(index, &factors));
            // Relays that are out of range come first: their messages will be smaller.
            let Some(sent) = sent.collect::<Option<Vec<_>>>() else { continue };
            let weights = message_weights(self.network, member, &factors);
            let messages: Vec<_> = weights.iter().zip(sent).collect();
            let decision = self.plans[index].decide(member, self.scale(index), String::new());
            // What reads clips reads no plain relays.
            let none = vec![None; member.spikes.len()];
            let rounded = integers(self.network, member, &decision, &none, &messages, self.target);
            match &rounded.survey.excess {
                Some(excess) => violations.push((index, excess.factor, excess.why)),
                None => self.rounded[index] = Some(rounded),
            }
        }
        violations
    }

    /// Relays of other groups that have to send smaller messages, so that the rounded weights on them
    /// have as many steps as the policy wants, as far as others on messages of that group allow it.
    fn too_few_steps(&self, index: usize, factors: &[f64]) -> Vec<(usize, f64, &'static str)> {
        let group = |m: &Message| self.groups.of[m.from];
        let weights = self.members[index].messages.iter().zip(factors);
        let weights = weights.filter(|(m, _)| m.is_rounded() && group(m) != self.groups.of[index]);
        let weights: Vec<_> = weights.map(|(m, factor)| (m, m.largest * factor)).collect();
        let few = weights.iter().filter_map(|(message, steps)| {
            let share = steps / self.groups.policy.steps;
            let mut others = weights.iter().filter(|(m, _)| group(m) == group(message));
            let fits = others.all(|(m, steps)| steps / share <= largest_weight(m));
            (share < 0.999 && fits).then_some((message.from, share, "the weights on its messages"))
        });
        few.collect()
    }

    /// Fails the groups in which every weight on spikes and samples would round to zero; if there are
    /// none, every rounded weight on messages.
    fn give_up(&mut self, errors: &mut Diagnostics) {
        let mut largest: Vec<[Option<f64>; 2]> = vec![[None; 2]; self.groups.count];
        for (index, member) in self.members.iter().enumerate() {
            let scale = self.scale(index);
            let samples = member.samples.iter().map(|s| (0, s.reach(), scale));
            let messages = member.messages.iter().filter(|m| m.is_rounded());
            let messages = messages.map(|m| (1, m.largest, self.factor(index, m)));
            let group = &mut largest[self.groups.of[index]];
            let spikes = (0, self.on_spikes[index], scale);
            for (what, value, factor) in samples.chain(messages).chain([spikes]) {
                if value > 0.0 {
                    group[what] = Some(group[what].unwrap_or(0.0).max(value * factor));
                }
            }
        }
        for (group, [own, on_messages]) in largest.into_iter().enumerate() {
            let vanish = own.or(on_messages).is_some_and(|largest| largest <= 0.5);
            if vanish || self.bases[group].scale <= 0.0 {
                self.fail(group, errors);
            }
        }
    }

    /// Steps on one side of 0 of the coarsest projection into a member.
    fn steps(&self, index: usize) -> f64 {
        let scale = self.scale(index);
        let member = &self.members[index];
        let spikes = Some(self.on_spikes[index] * scale).filter(|s| *s > 0.0);
        let samples = member.samples.iter().map(|s| s.reach() * scale);
        let messages = member.messages.iter().filter_map(|m| {
            let factor = self.factor(index, m);
            if m.is_rounded() {
                Some(m.largest * factor)
            } else if m.fraction.is_some() && !self.groups.keeps(m) {
                let tensor = &self.network.tensors[m.term.weight];
                Some(0.5 / remarks::rounding(tensor, factor).max(1e-3))
            } else {
                None
            }
        });
        samples.chain(messages).chain(spikes).fold(f64::INFINITY, f64::min)
    }

    /// How far each member could rise alone.
    fn room(&self, index: usize) -> f64 {
        let Some(rounded) = &self.rounded[index] else { return 1.0 };
        let member = &self.members[index];
        let (most, _) = self.plans[index].first;
        let messages = member.messages.iter();
        let weights = messages.map(|m| largest_weight(m) / (m.largest * self.factor(index, m)));
        weights.fold(rounded.survey.headroom.min(most / self.scale(index)), f64::min)
    }

    fn fail(&mut self, group: usize, errors: &mut Diagnostics) {
        let Base { failed, limited_by: (why, member), .. } = &mut self.bases[group];
        if !*failed {
            *failed = true;
            errors.push(remarks::no_scale(self.members[*member].name, why, self.network.steps));
        }
    }

    fn fitted(&self, index: usize) -> Option<Fitted> {
        self.rounded[index].as_ref()?;
        let base = &self.bases[self.groups.of[index]];
        let (why, member) = base.limited_by;
        let limited_by = if member == index {
            why.to_owned()
        } else {
            format!(
                "{why} of population `{}`, whose scale is tied to it",
                self.members[member].name
            )
        };
        let messages = self.members[index].messages.iter();
        let factors = messages.map(|m| self.factor(index, m)).collect();
        let scale = self.scale(index);
        (!base.failed).then_some(Fitted { scale, factors, limited_by })
    }
}

/// The weights of a population on messages, with these factors.
pub(super) fn message_weights(
    network: &NetworkDraft,
    member: &Member<'_>,
    factors: &[f64],
) -> Vec<Weights> {
    let messages = member.messages.iter().zip(factors);
    let values = |m: &Message| &network.tensors[m.term.weight].data;
    messages.map(|(m, &factor)| Weights::finest(values(m), factor)).collect()
}
