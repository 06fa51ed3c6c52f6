//! Scale groups: populations whose scales stand in whole ratios.
//!
//! A relay's message is `value · s` for its scale `s`. A population that reads it with weight 1 needs
//! an integer weight `k = s_target / s`, so the scale of the target is a multiple of that of the relay;
//! with weights `n/D` it is a multiple of `D·s`. Such populations form a group with one base scale;
//! each has a *multiple* of it. Multiples are the least ones that make all these weights integers, so
//! that populations joined by weights of 1 all have the same scale.
//!
//! General weights from a relay are rounded to so many steps as the [`Policy`] wants: the target's
//! multiple (inside a group) or the relay's scale (between groups) follows.
//!
//! Averages of averages may ask for multiples that leave too few bits for the first of them. A policy may
//! round averages with many denominators in a coarser unit; weights of 1 stay exact, or keep seven
//! bits with an exponent where they are above 127.

use super::connect::connect;
use super::matrix::{LARGEST_SHIFTED, MAX_WEIGHT};
use super::member::{Member, Message};
use super::remarks;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// How weights on messages become integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Policy {
    /// Coarseness of averages; 0 = exact.
    pub average: usize,
    /// Steps on one side of 0 that the rounded weights of a projection should have.
    pub steps: f64,
}

impl Policy {
    /// The policies that make a difference for these members, in the order of preference.
    pub(super) fn all(members: &[Member<'_>]) -> Vec<Self> {
        let messages = || members.iter().flat_map(|m| &m.messages);
        let levels = messages().filter_map(|m| m.fraction).map(|f| f.denominators().count());
        let levels = levels.max().unwrap_or(1);
        let steps: &[f64] =
            if messages().any(Message::is_rounded) { &[31.0, 7.0, 1.0, 0.0] } else { &[0.0] };
        let mut averages = vec![0, 1, levels - 1];
        averages.retain(|&level| level < levels);
        averages.dedup();
        let of_level = |average| steps.iter().map(move |&steps| Self { average, steps });
        averages.into_iter().flat_map(of_level).collect()
    }
}

/// The group of each member, and its multiple of the group's base scale.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// Group of each member; groups are numbered from 0.
    pub of: Vec<usize>,
    /// Multiple of each member.
    pub multiple: Vec<u64>,
    /// Number of groups.
    pub count: usize,
    /// What weights on messages should be.
    pub policy: Policy,
}

impl Groups {
    /// Groups the members, relays before their readers.
    ///
    /// # Errors
    /// If weights from relays cannot all be integers of the scheme.
    pub(super) fn new(members: &[Member<'_>], policy: Policy) -> Result<Self, Diagnostics> {
        let of = connect(members);
        let count = of.iter().max().map_or(0, |g| g + 1);
        let mut groups = Self { of, multiple: Vec::with_capacity(members.len()), count, policy };
        let mut errors = Diagnostics::new();
        for (index, member) in members.iter().enumerate() {
            let multiple = groups.least(member).map(|least| groups.finer(member, index, least));
            let fits = multiple.filter(|&m| {
                let weight = |message| groups.weight(message, groups.of[index], m);
                member.messages.iter().all(|x| weight(x).is_none_or(|w| w <= largest_weight(x)))
            });
            if fits.is_none() {
                errors.push(no_common_scale(members, member, multiple));
            }
            groups.multiple.push(fits.unwrap_or(1));
        }
        errors.into_result(groups)
    }

    /// Raises multiples within `room`, by factors that leave all weights on messages as the policy wants
    /// them. Readers come first, so that relays behind one another rise together.
    pub(super) fn raised(&self, members: &[Member<'_>], room: &[f64]) -> Self {
        let mut raised = self.clone();
        for index in (0..members.len()).rev() {
            let readers = members.iter().enumerate().flat_map(|(reader, member)| {
                let messages = member.messages.iter().filter(|m| m.from == index);
                messages.map(move |message| (reader, message))
            });
            let readers: Vec<_> = readers.collect();
            let own = raised.multiple[index];
            let fits = |factor: &u64| {
                readers.iter().all(|&(r, message)| {
                    let wanted = own.saturating_mul(*factor);
                    raised.stays(message, self.of[r] == self.of[index], raised.multiple[r], wanted)
                })
            };
            let factors = (1..=6).rev().map(|shift| 1_u64 << shift);
            #[expect(clippy::cast_precision_loss, reason = "at most 64")]
            let factor = factors.filter(|&f| f as f64 <= room[index]).find(fits).unwrap_or(1);
            raised.multiple[index] = own.saturating_mul(factor);
        }
        raised
    }

    /// Whether a projection allows its relays the multiple `wanted`, if its target has this one.
    #[expect(clippy::cast_precision_loss, reason = "larger multiples fit no register")]
    fn stays(&self, message: &Message, inside: bool, target: u64, wanted: u64) -> bool {
        match message.fraction {
            _ if !inside => false,
            Some(fraction) => {
                let unit = fraction.at(self.policy.average).saturating_mul(wanted);
                if self.keeps(message) { target.is_multiple_of(unit) } else { target >= unit }
            }
            None => message.largest * target as f64 / wanted as f64 >= self.policy.steps,
        }
    }

    /// Whether the weights of a projection are exact.
    pub(super) fn keeps(&self, message: &Message) -> bool {
        message.fraction.is_some_and(|f| f.at(self.policy.average) == f.denominator)
    }

    /// The least multiple that makes the exact weights integers, and rounded averages not 0; `None` if
    /// it overflows.
    fn least(&self, member: &Member<'_>) -> Option<u64> {
        let (mut exact, mut rounded) = (1, 0);
        for message in &member.messages {
            let Some(fraction) = message.fraction else { continue };
            let wanted =
                fraction.at(self.policy.average).checked_mul(self.multiple[message.from])?;
            if self.keeps(message) {
                exact = lcm(exact, wanted)?;
            } else {
                rounded = rounded.max(wanted);
            }
        }
        rounded.max(1).div_ceil(exact).checked_mul(exact)
    }

    /// `least` times a power of two, so that rounded weights inside the group have as many steps as
    /// the policy wants, as far as all of them stay in the scheme.
    fn finer(&self, member: &Member<'_>, index: usize, least: u64) -> u64 {
        let weight = |x: &Message, multiple| self.weight(x, self.of[index], multiple);
        let inside = |x: &&Message| weight(x, least).is_some();
        let mut multiple = least;
        let coarse = |multiple: u64| {
            let rounded = member.messages.iter().filter(inside).filter(|x| x.is_rounded());
            rounded.filter_map(|x| weight(x, multiple)).any(|w| w < self.policy.steps)
        };
        while coarse(multiple) {
            let Some(next) = multiple.checked_mul(2) else { break };
            let mut messages = member.messages.iter().filter(inside);
            if messages.any(|x| weight(x, next).is_some_and(|w| w > largest_weight(x))) {
                break;
            }
            multiple = next;
        }
        multiple
    }

    /// The largest integer weight of a projection inside `group` at this multiple of the target;
    /// `None` if the relays are in another group.
    #[expect(clippy::cast_precision_loss, reason = "larger multiples fit no register")]
    fn weight(&self, message: &Message, group: usize, multiple: u64) -> Option<f64> {
        let ratio = multiple as f64 / self.multiple[message.from] as f64;
        (self.of[message.from] == group).then_some(message.largest * ratio)
    }
}

/// Largest float weight of a projection that rounds into the scheme; weights in fixed ratios may have
/// an exponent.
pub(super) fn largest_weight(message: &Message) -> f64 {
    match message.fraction {
        Some(_) => LARGEST_SHIFTED,
        None => f64::from(MAX_WEIGHT) + 0.499,
    }
}

fn lcm(a: u64, b: u64) -> Option<u64> {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).checked_mul(b)
}

fn no_common_scale(
    members: &[Member<'_>],
    member: &Member<'_>,
    multiple: Option<u64>,
) -> Diagnostic {
    let mut sources: Vec<_> = member.messages.iter().map(|m| members[m.from].name).collect();
    sources.dedup();
    let why = match multiple {
        Some(_) => "the largest of them would be above 127 · 2^7",
        None => "no 64-bit number is their common denominator",
    };
    Diagnostic::error(
        codes::NO_COMMON_SCALE,
        format!(
            "no scale of population `{}` makes the weights on messages of {} integers",
            member.name,
            remarks::list(&sources)
        ),
    )
    .at(format!("population `{}`", member.name))
    .note(format!("weights on messages that are whole multiples of a fraction (identities, averages) keep their ratios; {why}"))
    .help("put a population of neurons between nested poolings, or read them through a learnt layer")
}
