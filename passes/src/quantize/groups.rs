//! Scale groups: populations whose scales stand in whole ratios.
//!
//! A relay's message is `value · s` for its scale `s`. A population that reads it with weight 1 needs
//! an integer weight `k = s_target / s`, so the scale of the target is a multiple of that of the relay;
//! with weights `n/D` it is a multiple of `D·s`. Such populations form a group with one base scale;
//! each has a *multiple* of it. Multiples are the least ones that make all these weights integers, so
//! that populations joined by weights of 1 all have the same scale.
//!
//! Averages of averages may ask for multiples beyond all weights. Then (`level` above 0) the weights of
//! averages with many denominators are rounded in a coarser unit; those of weight 1 stay exact, or
//! keep seven bits with an exponent where they are above 127.
//!
//! General weights from a relay are rounded. If both ends are in one group for another reason, the
//! multiple of the target is raised until the rounded weights have at least [`FINE`] steps.

use super::matrix::{LARGEST_SHIFTED, MAX_WEIGHT};
use super::member::{Member, Message};
use super::remarks;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// Steps on one side of 0 that rounded weights inside a group should have.
const FINE: f64 = 31.0;

/// The group of each member, and its multiple of the group's base scale.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// Group of each member; groups are numbered from 0.
    pub of: Vec<usize>,
    /// Multiple of each member.
    pub multiple: Vec<u64>,
    /// Number of groups.
    pub count: usize,
    /// Coarseness of averages; 0 = exact.
    level: usize,
}

impl Groups {
    /// Number of levels of coarseness that make a difference.
    pub(super) fn levels(members: &[Member<'_>]) -> usize {
        let fractions = members.iter().flat_map(|m| &m.messages).filter_map(|m| m.fraction);
        fractions.map(|f| f.denominators().count()).max().unwrap_or(1)
    }

    /// Groups the members, relays before their readers.
    ///
    /// # Errors
    /// If weights from relays cannot all be integers of the scheme.
    pub(super) fn new(members: &[Member<'_>], level: usize) -> Result<Self, Diagnostics> {
        let of = connected(members);
        let count = of.iter().max().map_or(0, |g| g + 1);
        let mut groups = Self { of, multiple: Vec::with_capacity(members.len()), count, level };
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

    /// Whether the weights of a projection are exact.
    pub(super) fn keeps(&self, message: &Message) -> bool {
        message.fraction.is_some_and(|f| f.at(self.level) == f.denominator)
    }

    /// The least multiple that makes the exact weights integers, and rounded averages not 0; `None` if
    /// it overflows.
    fn least(&self, member: &Member<'_>) -> Option<u64> {
        let (mut exact, mut rounded) = (1, 0);
        for message in &member.messages {
            let Some(fraction) = message.fraction else { continue };
            let wanted = fraction.at(self.level).checked_mul(self.multiple[message.from])?;
            if self.keeps(message) {
                exact = lcm(exact, wanted)?;
            } else {
                rounded = rounded.max(wanted);
            }
        }
        rounded.max(1).div_ceil(exact).checked_mul(exact)
    }

    /// A multiple of `least` at which rounded weights inside the group are fine enough, as far as
    /// all weights stay in the scheme.
    fn finer(&self, member: &Member<'_>, index: usize, least: u64) -> u64 {
        let weights = |wanted: fn(&Message) -> bool| {
            let inside = member.messages.iter().filter(move |x| wanted(x));
            inside.filter_map(|x| self.weight(x, self.of[index], least)).filter(|w| *w > 0.0)
        };
        let coarsest = weights(|x| x.fraction.is_none()).fold(f64::INFINITY, f64::min);
        if coarsest >= FINE {
            return least;
        }
        let room = weights(|_| true).map(|w| (f64::from(MAX_WEIGHT) / w).floor());
        let factor = room.fold((FINE / coarsest).ceil(), f64::min);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small, checked"
        )]
        if (1.0..1e9).contains(&factor) { least.saturating_mul(factor as u64) } else { least }
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

/// Groups of members joined by exact weights, numbered in order of their first member.
fn connected(members: &[Member<'_>]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..members.len()).collect();
    let root = |parent: &[usize], mut i: usize| {
        while parent[i] != i {
            i = parent[i];
        }
        i
    };
    for (index, member) in members.iter().enumerate() {
        for message in member.messages.iter().filter(|m| m.fraction.is_some()) {
            let (a, b) = (root(&parent, index), root(&parent, message.from));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut number = vec![usize::MAX; members.len()];
    let mut next = 0;
    let numbered = (0..members.len()).map(|i| {
        let root = root(&parent, i);
        if number[root] == usize::MAX {
            number[root] = next;
            next += 1;
        }
        number[root]
    });
    numbered.collect()
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
