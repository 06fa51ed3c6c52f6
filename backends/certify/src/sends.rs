//! What each population of the source may send in one step, over all inputs.
//!
//! A spike is a message of 1. The messages of graded relays are bounded by interval arithmetic, relay
//! after relay along the projections between them: a sum of intervals, shifted by the bias, shifted to the right,
//! cut at 0 where the relay keeps one sign. Every interval holds 0, because a source may be silent (before its
//! first logical step it is). The induction ends because no loop consists of graded relays alone;
//! through neurons a loop may pass, since a neuron sends 0 or 1 whatever it receives.

use super::host::Host;
use super::matrix::{RowSum, RowSums};
use super::registers::mode_of;
use snnc_ir::arena::{PopId, ProjId};
use snnc_ir::network::{Coding, Keep};
use snnc_ir::program::GradedMode;
use snnc_ir::quantized::{PopKind, QuantizedDraft};
use snnc_ir::{Entity, Shape};

/// A closed interval, which holds 0 unless stated otherwise. **Units**: messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Span {
    /// Silence, or a spike.
    pub(super) const SPIKE: Self = Self { low: 0, high: 1 };

    /// The interval of `weight · m`; ends beyond i64 are cut off there.
    pub(super) fn scaled(self, weight: i64) -> Self {
        let (a, b) = (self.low.saturating_mul(weight), self.high.saturating_mul(weight));
        Self { low: a.min(b), high: a.max(b) }
    }

    /// The interval of sums; ends beyond i64 are cut off there.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self { low: self.low.saturating_add(other.low), high: self.high.saturating_add(other.high) }
    }

    /// The smallest interval that holds both.
    pub(super) fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// What a relay of this kind may send of such sums, or not send.
    pub(super) fn sent(self, GradedMode { keep, shift }: GradedMode) -> Self {
        let shift = shift.min(31);
        let low = if keep == Some(Keep::Positive) { 0 } else { (self.low >> shift).min(0) };
        let high = if keep == Some(Keep::Negative) { 0 } else { (self.high >> shift).max(0) };
        Self { low, high }
    }
}

/// What the neurons of a population may send in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sends {
    /// Nothing: the population is a directly coded input.
    Nothing,
    /// Spikes.
    Spikes,
    /// Messages, with one interval per neuron.
    Messages(Vec<Span>),
}

impl Sends {
    /// What one neuron may send.
    pub(super) fn at(&self, neuron: usize) -> Span {
        match self {
            Self::Nothing => Span::default(),
            Self::Spikes => Span::SPIKE,
            Self::Messages(each) => each[neuron],
        }
    }
}

/// What every population of `source` may send, by index, by intervals alone: [`linear`](super::linear) knows
/// better, and takes longer.
///
/// # Errors
/// A graded relay on a loop of graded relays: its messages have no bounds.
pub(super) fn sends(
    source: &QuantizedDraft,
    host: &Host,
    sums: &mut RowSums,
) -> Result<Vec<Sends>, PopId> {
    let mut out: Vec<Sends> = source
        .populations
        .values()
        .map(|p| match &p.kind {
            PopKind::Input(Coding::Direct { .. }) => Sends::Nothing,
            PopKind::Input(_) | PopKind::Neurons(_) => Sends::Spikes,
            PopKind::Graded(_) => Sends::Messages(Vec::new()),
        })
        .collect();
    for id in relays_in_order(source)? {
        let PopKind::Graded(relay) = &source.populations[id].kind else { continue };
        let shape: &Shape = &source.populations[id].shape;
        let into: Vec<ProjId> = source.projections_into(id).map(|(p, _)| p).collect();
        let each = (0..shape.size()).map(|n| {
            let sum = arriving(source, &out, sums, &into, n);
            let bias = i64::from(relay.bias.at(n, shape));
            let sum = Span { low: sum.low, high: sum.high }.plus(host.at(id, n));
            sum.plus(Span { low: bias, high: bias }).sent(mode_of(relay))
        });
        out[id.index()] = Sends::Messages(each.collect());
    }
    Ok(out)
}

/// The sums that these projections may deliver to neuron `n` in one step.
pub(super) fn arriving(
    source: &QuantizedDraft,
    sends: &[Sends],
    sums: &mut RowSums,
    projections: &[ProjId],
    n: usize,
) -> RowSum {
    let mut total = RowSum::default();
    for &id in projections {
        let p = &source.projections[id];
        let matrix = (p.matrix, &source.matrices[p.matrix]);
        total.join(sums.of(matrix, n, (p.source, &sends[p.source.index()])));
    }
    total
}

/// The graded relays, each after those that it reads.
///
/// # Errors
/// One of them that has no place in such an order.
pub(super) fn relays_in_order(source: &QuantizedDraft) -> Result<Vec<PopId>, PopId> {
    let graded = |id: PopId| source.populations[id].graded().is_some();
    let mut waits = vec![0_usize; source.populations.len()];
    let mut readers: Vec<Vec<PopId>> = vec![vec![]; source.populations.len()];
    for p in source.projections.values().filter(|p| graded(p.source) && graded(p.target)) {
        waits[p.target.index()] += 1;
        readers[p.source.index()].push(p.target);
    }
    let all: Vec<PopId> = source.populations.ids().filter(|&id| graded(id)).collect();
    let mut order: Vec<PopId> = all.iter().copied().filter(|id| waits[id.index()] == 0).collect();
    let mut next = 0;
    while let Some(&id) = order.get(next) {
        next += 1;
        for &reader in &readers[id.index()] {
            waits[reader.index()] -= 1;
            if waits[reader.index()] == 0 {
                order.push(reader);
            }
        }
    }
    match all.into_iter().find(|id| waits[id.index()] > 0) {
        Some(stuck) => Err(stuck),
        None => Ok(order),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::level::AnyDraft;
    use snnc_ir::text;

    fn draft(text: &str) -> QuantizedDraft {
        match text::parse(text) {
            Ok(AnyDraft::Quantized(draft)) => draft,
            other => panic!("{other:?}"),
        }
    }

    /// Spikes through -3 and 2 into a relay of both signs with bias 1; from there through a kernel of
    /// 2 and -1 into one that keeps what is negative; through 5 back to the first, one step later.
    const CLIPS: &str = r#"snn 1 quantized name "clips" steps 2 time logical
        mat0 "d" dense [4, 2] mixed exponent 0 from dense "d" { -6 4 0 2 0 0 2 2 }
        mat1 "k" conv [1, 1, 4] to 1 kernel [1, 2] stride [1, 1] pad [0, 0, 0, 0] groups 1 crop [0, 0, 1, 0]
          mixed exponent 0 from dense "k" { 4 -2 }
        pop0 "x" [2] = logical input events
        pop1 "a" [1, 1, 4] = logical graded keep both bias 1
        pop2 "b" [1, 1, 2] = logical graded keep negative bias 0
        proj0 pop0 -> pop1 mat0 delay 0
        proj1 pop1 -> pop2 mat1 delay 0
        readout spike_count pop0"#;

    fn spans(list: &[(i64, i64)]) -> Sends {
        Sends::Messages(list.iter().map(|&(low, high)| Span { low, high }).collect())
    }

    fn bounds(draft: &QuantizedDraft) -> Result<Vec<Sends>, PopId> {
        sends(draft, &Host::of(draft), &mut RowSums::default())
    }

    #[test]
    fn messages_are_bounded_relay_by_relay() {
        let found = bounds(&draft(CLIPS)).unwrap();
        assert_eq!(found[0], Sends::Spikes);
        // -6..=4, 0..=2, nothing and 0..=4, each with the bias; silence is 0.
        assert_eq!(found[1], spans(&[(-5, 5), (0, 3), (0, 1), (0, 5)]));
        // One interval per channel, -5..=5: 4 · (-5, 5) - 2 · (-5, 5), what is negative.
        assert_eq!(found[2], spans(&[(-30, 0), (-30, 0)]));
    }

    #[test]
    fn the_host_adds_to_messages() {
        let hosted = CLIPS.replace(
            "readout",
            "pop3 \"image\" [1] = logical input direct range [-1, 2]
             host pop3 -> pop1 dense [4, 1] scale 3.0 { 1 -1 0.5 0 }
             readout",
        );
        let found = bounds(&draft(&hosted)).unwrap();
        assert_eq!(found[3], Sends::Nothing);
        // 3·x, -3·x and 1.5·x of x from -1 to 2; -1.5 rounds to the even -2.
        assert_eq!(found[1], spans(&[(-8, 11), (-5, 6), (-1, 4), (0, 5)]));
    }

    #[test]
    fn messages_in_a_loop_have_no_bounds() {
        let back = "mat2 \"i\" dense [4, 2] mixed exponent 0 from dense \"i\" { 2 0 0 2 0 0 0 0 }";
        let looped = CLIPS
            .replace("pop0 \"x\"", &format!("{back}\n pop0 \"x\""))
            .replace("readout", "proj2 pop2 -> pop1 mat2 delay 3\n readout");
        assert_eq!(bounds(&draft(&looped)), Err(PopId::new(1)));
    }

    #[test]
    fn ends_are_cut_off_and_not_wrapped() {
        let wide = Span { low: -(1 << 40), high: 1 << 40 };
        assert_eq!(wide.scaled(1 << 40), Span { low: i64::MIN, high: i64::MAX });
        assert_eq!(wide.scaled(-3), Span { low: -3 << 40, high: 3 << 40 });
        assert_eq!(Span::SPIKE.scaled(-3), Span { low: -3, high: 0 });
    }
}
