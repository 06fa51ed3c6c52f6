//! The limits of a target that hold for all inputs, neuron by neuron, and what leaves them.

use super::account::{Bounds, Extreme};
use super::decision::Excess;
use super::range::Range;
use super::sums::Span;
use snnc_ir::TargetSpec;
use snnc_ir::target::Limit;

/// A limit that every neuron keeps to, whatever arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// The sum of weights of a step.
    Input,
    /// The membrane register.
    Membrane,
    /// The current register.
    Current,
    /// The bias register.
    Bias,
    /// The message of a relay.
    Message,
    /// The threshold register.
    Threshold,
}

impl Bound {
    const ALL: [Self; 6] =
        [Self::Input, Self::Membrane, Self::Current, Self::Bias, Self::Message, Self::Threshold];

    /// Name in diagnostics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Input => "the input sum of a step",
            Self::Membrane => "the range of the membrane",
            Self::Current => "the range of the current",
            Self::Bias => "the bias mantissa",
            Self::Message => "the bits of a message",
            Self::Threshold => "the threshold mantissa",
        }
    }

    /// The line of the target that sets it, with the name of the entry.
    pub(super) const fn line(self, target: &TargetSpec) -> (&'static str, &Limit) {
        match self {
            Self::Input => ("max_input_sum", &target.max_input_sum),
            Self::Membrane | Self::Current => ("state_bits", &target.state_bits),
            Self::Bias => ("max_bias_mantissa", &target.max_bias_mantissa),
            Self::Message => ("message_bits", &target.message_bits),
            Self::Threshold => ("max_threshold", &target.max_threshold),
        }
    }

    /// The largest absolute value.
    pub(super) fn most(self, target: &TargetSpec) -> i64 {
        let (_, limit) = self.line(target);
        match self {
            Self::Membrane | Self::Current | Self::Message => {
                (1_i64 << (limit.value.clamp(1, 62) - 1)) - 1
            }
            Self::Input | Self::Bias | Self::Threshold => limit.value,
        }
    }

    /// The values of a neuron that it limits.
    fn of(self, range: &Range, threshold: i64) -> Span {
        match self {
            Self::Input => range.input,
            Self::Membrane => range.v,
            Self::Current => range.u,
            Self::Bias => range.bias,
            Self::Message => range.message,
            Self::Threshold => Span { low: 0, high: threshold },
        }
    }
}

/// What the neurons of a population may reach.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    /// Extremes and the neurons that reach them.
    pub bounds: Bounds,
    /// The bias with what the host adds, all neurons together.
    pub bias: Span,
    /// The factor by which everything may grow.
    pub headroom: f64,
    /// What leaves its range.
    pub excess: Option<Excess>,
}

/// Collects what neurons may reach, in the order of neurons.
pub(super) struct Surveyor {
    limits: [(Bound, f64); 6],
    first: bool,
    bounds: Bounds,
    bias: Span,
    headroom: f64,
    excess: Option<Excess>,
}

impl Surveyor {
    #[expect(clippy::cast_precision_loss, reason = "registers are far below 2^52")]
    pub(super) fn new(target: &TargetSpec) -> Self {
        Self {
            limits: Bound::ALL.map(|bound| (bound, bound.most(target) as f64)),
            first: true,
            bounds: Bounds::default(),
            bias: Span::default(),
            headroom: f64::INFINITY,
            excess: None,
        }
    }

    /// Takes neuron `n` in.
    pub(super) fn take(&mut self, n: usize, range: &Range, threshold: i64) {
        let Bounds { input, u, v, message } = &mut self.bounds;
        let pairs = [(input, range.input), (u, range.u), (v, range.v), (message, range.message)];
        for (extreme, span) in pairs {
            if self.first || span.low < extreme.low {
                (extreme.low, extreme.low_neuron) = (span.low, n);
            }
            if self.first || span.high > extreme.high {
                (extreme.high, extreme.high_neuron) = (span.high, n);
            }
        }
        self.bias = if self.first { range.bias } else { self.bias.hull(range.bias) };
        self.first = false;
        let mut worst: Option<(f64, Bound, i64)> = None;
        for &(bound, most) in &self.limits {
            let span = bound.of(range, threshold);
            #[expect(clippy::cast_precision_loss, reason = "far beyond a register it may be rough")]
            let reach = span.reach() as f64;
            let factor = most / reach.max(1.0);
            if reach > 0.0 {
                self.headroom = self.headroom.min(factor);
            }
            if reach > most && worst.is_none_or(|(least, ..)| factor < least) {
                let value =
                    if span.high >= span.low.saturating_neg() { span.high } else { span.low };
                worst = Some((factor, bound, value));
            }
        }
        let Some((factor, limit, value)) = worst else { return };
        let excess = self.excess.get_or_insert(Excess {
            factor: f64::INFINITY,
            why: limit.name(),
            neurons: Vec::new(),
            worst: n,
            limit,
            value,
        });
        excess.neurons.push((n, factor));
        if factor < excess.factor {
            (excess.factor, excess.why, excess.worst) = (factor, limit.name(), n);
            (excess.limit, excess.value) = (limit, value);
        }
    }

    pub(super) fn finish(self) -> Survey {
        let Self { bounds, bias, headroom, excess, .. } = self;
        Survey { bounds, bias, headroom, excess }
    }
}

/// The range in words.
pub(super) fn words(extreme: Extreme) -> String {
    format!("{}..={}", extreme.low, extreme.high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::target;

    fn range(low: i64, high: i64) -> Range {
        let span = Span { low, high };
        let state = Span { low: 64 * low, high: 64 * high };
        Range { input: span, u: state, v: state, ..Range::default() }
    }

    #[test]
    fn the_first_neuron_of_each_extreme_is_named() {
        let mut survey = Surveyor::new(&target());
        for (n, (low, high)) in [(1, 2), (-3, 2), (-3, 7), (0, 7)].into_iter().enumerate() {
            survey.take(n, &range(low, high), 1);
        }
        let Survey { bounds, excess, headroom, .. } = survey.finish();
        let input = Extreme { low: -3, low_neuron: 1, high: 7, high_neuron: 2 };
        assert_eq!(bounds.input, input);
        assert_eq!(bounds.u, Extreme { low: -192, high: 448, ..input });
        assert_eq!((bounds.v, bounds.message), (bounds.u, Extreme::default()));
        assert_eq!(excess, None);
        assert!((headroom - 32_767.0 / 7.0).abs() < 1e-9, "{headroom}");
    }

    #[test]
    fn every_neuron_out_of_range_has_its_factor_and_the_worst_its_limit() {
        let mut survey = Surveyor::new(&target());
        let most = 1_i64 << 23;
        let narrow = Range { input: Span { low: -1, high: 1 }, ..Range::default() };
        survey.take(0, &narrow, 1);
        survey.take(1, &range(-40_000, 0), 1);
        survey.take(2, &Range { v: Span { low: -5, high: 4 * most }, ..narrow }, 1);
        survey.take(3, &narrow, 262_142);
        let Some(excess) = survey.finish().excess else { panic!("out of range") };
        assert_eq!(excess.neurons.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2, 3]);
        assert!((excess.neurons[0].1 - 32_767.0 / 40_000.0).abs() < 1e-9);
        assert!((excess.neurons[2].1 - 0.5).abs() < 1e-9);
        assert_eq!((excess.worst, excess.limit, excess.value), (2, Bound::Membrane, 4 * most));
        assert_eq!(excess.why, "the range of the membrane");
        assert!((excess.factor - 0.25).abs() < 1e-6);
    }
}
