//! How neurons of RISP are realized: registers, and what becomes of charges that arrive.
//!
//! Charges become whole weights, `W` for one unit of charge, and a weight is 64 units of membrane. Thresholds lie between the
//! membranes of neighboring potentials, so that what a membrane holds beyond a multiple, within bounds, makes no difference.
//!
//! * A neuron that **keeps** its potential has no leak (`dv = 0`). Where nothing inhibits it, its potential never falls.
//!   Where something does, the membrane has the [floor](Floor) of the potential.
//! * A neuron that **leaks** has `dv = 4095`: of a membrane `v` the next step sees `v / 4096`, rounded toward 0. That is
//!   less than half a unit as long as sums stay within [`MAX_SUM`]; a floor keeps inhibition within.
//! * A neuron that fires at **every touch** (its threshold is 0 or less, and no charge is negative) counts
//!   touches: all charges become 1, and so does the threshold.
//! * A neuron that leaks, has threshold **0** and can be inhibited tells a sum of 0 from silence: of at most `k` arrivals in a step, each
//!   gives `k · charge + 1`. A sum of charges `s ≥ 0` over `n ≥ 1` arrivals becomes `k·s + n ≥ 1`, one of `s ≤ −1` at most
//!   `−k + n ≤ 0`. So the threshold is 1.
//! * Any other neuron with a threshold of 0 or less that can be inhibited has a **companion**, which fires in every step in which
//!   something arrives, and lifts it in that step by a [boost](Form::boost): so it fires only then. If it leaks, it forgets the boost.
//!   If it keeps its potential and has threshold 0, the companion takes the boost back one step later, and the neuron's own spike,
//!   which has cleared it, makes up for that.
//!
//! **The floor of a neuron with threshold 0.** Let `F = −64·W·m + E` stand for the floor `−m` of the potential. Then the membrane is
//! `64·W·p + e`, and 128 more in a step of arrivals, where the floor only ever sets `e` to values from `min(0, E − 128)` to `E`. With a
//! threshold of 64, `p = 0` fires if `E > 64`, `p = −1` does not if `128 + E − 64·W ≤ 64`.

use super::risp::{Neuron, Risp};
use snnc_ir::diag::codes::tennlab as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// Units of membrane of a weight of 1.
const WEIGHT: i64 = 64;
/// Weight of one unit of charge, where nothing asks for more.
const UNIT: i64 = 2;
/// As [`UNIT`], of a neuron with threshold 0 and a floor.
const ZERO_UNIT: i64 = 4;
/// Leak of a neuron that keeps nothing but what [`MAX_SUM`] bounds.
const FORGET: u16 = 4095;
/// Largest sum of weights of which a leaking neuron sees less than 64 units of membrane in the next step.
const MAX_SUM: i64 = 4095;
/// What a companion adds to a neuron that keeps its potential, as a weight.
const BOOST: i64 = 2;
/// Largest membrane of a register.
pub(super) const REGISTER: i64 = (1 << 23) - 1;
/// Largest sum of weights of a step, for which scales are chosen; targets have their own limits.
const STEP_SUM: i64 = 32_767;

/// A neuron's registers, and what becomes of a charge that arrives there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) dv: u16,
    /// The neuron fires above this. **Units**: membrane.
    pub(super) threshold: i64,
    /// A charge arrives as the weight `charge · factor + touch`.
    pub(super) factor: i64,
    pub(super) touch: i64,
    /// Lowest membrane, if any neuron has one.
    pub(super) floor: Option<i64>,
    /// Weight from the neuron's companion in every step of arrivals; 0 = it has none.
    pub(super) boost: i64,
    /// Whether the neuron keeps its potential, so that the boost has to be taken back.
    pub(super) keeps_boost: bool,
}

impl Form {
    /// The form of the neuron's companion, which fires at every touch.
    pub(super) const fn companion(&self) -> Self {
        Self {
            dv: 0,
            threshold: WEIGHT,
            factor: 0,
            touch: UNIT,
            floor: self.floor,
            boost: 0,
            keeps_boost: false,
        }
    }
}

/// What arrives at a neuron.
#[derive(Clone, Copy, Debug, Default)]
struct Arrivals {
    /// Most in one step.
    count: i64,
    positive: i64,
    /// Sum of the sizes of negative charges.
    negative: i64,
    /// Size of the largest.
    largest: i64,
}

impl Arrivals {
    fn add(&mut self, charge: i64) {
        self.count += 1;
        self.positive += charge.max(0);
        self.negative += (-charge).max(0);
        self.largest = self.largest.max(charge.abs());
    }
}

/// What a neuron of RISP is, as far as its form goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Fires at every touch.
    Touched,
    /// Leaks, or nothing inhibits it; the threshold is above 0.
    Plain,
    /// Keeps its potential, is inhibited; the threshold is above 0.
    Kept,
    /// Leaks, is inhibited; the threshold is 0.
    LeakingZero,
    /// Leaks, is inhibited; the threshold is below 0.
    LeakingBelow,
    /// Keeps its potential, is inhibited; the threshold is 0.
    KeptZero,
    /// Keeps its potential, is inhibited; the threshold is below 0.
    KeptBelow,
}

impl Kind {
    fn of(neuron: &Neuron, inhibited: bool, floor: f64) -> Self {
        // A potential that starts every step of arrivals at 0 is as good as forgotten.
        let leaks = neuron.leak || floor >= 0.0 && neuron.threshold <= 0;
        match (neuron.threshold, leaks, inhibited) {
            (..=0, _, false) => Self::Touched,
            (1.., _, false) | (1.., true, true) => Self::Plain,
            (1.., false, true) => Self::Kept,
            (0, true, true) => Self::LeakingZero,
            (..0, true, true) => Self::LeakingBelow,
            (0, false, true) => Self::KeptZero,
            (..0, false, true) => Self::KeptBelow,
        }
    }
}

/// The floor of potentials as a floor of membranes: for `W` of a unit of charge, `F = −64·W·m + E`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Floor {
    unit: i64,
    membrane: i64,
    excess: i64,
}

impl Floor {
    /// A floor that stands for the potential `−low`, exactly where `zero` is false.
    fn new(low: i64, unit: i64, excess: i64) -> Self {
        Self { unit, membrane: excess - WEIGHT * unit * low, excess }
    }

    /// The floor of the form `−(2^k − 1)` with the smallest unit that stands for the potential `−low`, also for neurons with
    /// threshold 0 if `zero`.
    fn power(low: i64, zero: bool) -> Option<Self> {
        let fits = |unit: i64, excess: i64| {
            if zero {
                (WEIGHT + 1..=WEIGHT * (unit - 1)).contains(&excess)
            } else {
                (WEIGHT + 1 - WEIGHT * unit..=WEIGHT * (unit - 1)).contains(&excess)
            }
        };
        let of = |unit: i64| {
            let excess = |k: u32| WEIGHT * unit * low - ((1_i64 << k) - 1);
            let found = (0..=23).map(excess).find(|&excess| fits(unit, excess))?;
            Some(Self::new(low, unit, found))
        };
        (UNIT..=255).find_map(of)
    }

    /// Threshold of a neuron that fires from a potential of `units`, at least 1, on.
    fn threshold(self, units: i64) -> i64 {
        let step = WEIGHT * self.unit;
        if self.excess >= 0 { step * units - WEIGHT } else { step * (units - 1) + WEIGHT }
    }
}

/// Floors of the neurons of a network: one for all, or those of neurons of threshold 0 apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Floors {
    above: Floor,
    zero: Floor,
}

/// The form of each neuron, and why some have none.
pub(super) fn forms(risp: &Risp, out: &mut Diagnostics) -> Option<Vec<Form>> {
    let mut arrivals = vec![Arrivals::default(); risp.neurons.len()];
    risp.edges.iter().for_each(|edge| arrivals[edge.to].add(edge.weight));
    risp.inputs.iter().for_each(|&input| arrivals[input].add(risp.charge));
    let kinds = risp.neurons.iter().zip(&arrivals);
    let all: Vec<(&Neuron, Kind, Arrivals)> =
        kinds.map(|(n, a)| (n, Kind::of(n, a.negative > 0, risp.floor), *a)).collect();
    let floors = floors(&all, risp).map_err(|refusal| out.push(*refusal)).ok()?;
    let forms: Vec<Option<Form>> = all
        .iter()
        .map(|(neuron, kind, arrivals)| form(neuron, *kind, *arrivals, floors, out))
        .collect();
    forms.into_iter().collect()
}

/// The floors that neurons need, if any.
///
/// # Errors
/// The floor of the potential is no whole number of units.
fn floors(
    all: &[(&Neuron, Kind, Arrivals)],
    risp: &Risp,
) -> Result<Option<Floors>, Box<Diagnostic>> {
    let has = |wanted: Kind| all.iter().any(|(_, kind, _)| *kind == wanted);
    let (above, zero) = (has(Kind::Kept), has(Kind::KeptZero));
    if !above && !zero {
        // Inhibition of leaking neurons beyond what they forget ends at 0.
        let deep = |(neuron, kind, arrivals): &(&Neuron, Kind, Arrivals)| {
            let factor = if *kind == Kind::LeakingZero { arrivals.count } else { 1 };
            let leaks = neuron.leak || *kind != Kind::Plain;
            leaks && UNIT * factor * arrivals.negative > MAX_SUM
        };
        let at_rest = Floor::new(0, UNIT, 0);
        return Ok(all.iter().any(deep).then_some(Floors { above: at_rest, zero: at_rest }));
    }
    let Some(low) = risp.floor_units.map(|floor| -floor) else {
        let message = format!("the lowest potential {} is no whole number of units", risp.floor);
        return Err(Box::new(
            Diagnostic::error(codes::TENNLAB_FLOOR, message)
                .at("$.Associated_Data.proc_params.min_potential")
                .note("a neuron that keeps its potential is inhibited, and can fall there")
                .help("evolve with a `min_potential` that is a sum of charges"),
        ));
    };
    let one = Floor::power(low, zero).filter(|floor| {
        let sum = |arrivals: &Arrivals| floor.unit * arrivals.positive.max(arrivals.negative);
        let kept = |kind: Kind| matches!(kind, Kind::Kept | Kind::KeptZero);
        all.iter().all(|(_, kind, arrivals)| !kept(*kind) || sum(arrivals) + BOOST <= STEP_SUM)
    });
    let apart =
        Floors { above: Floor::new(low, UNIT, 0), zero: Floor::new(low, ZERO_UNIT, 2 * WEIGHT) };
    Ok(Some(one.map_or(apart, |floor| Floors { above: floor, zero: floor })))
}

/// How a neuron is realized; reports why it cannot be.
fn form(
    neuron: &Neuron,
    kind: Kind,
    arrivals: Arrivals,
    floors: Option<Floors>,
    out: &mut Diagnostics,
) -> Option<Form> {
    let refuse = |code, message: String, note: String| {
        Diagnostic::error(code, format!("node {}: {message}", neuron.id))
            .at(&neuron.path)
            .note(note)
    };
    // A membrane that does not reach the end of its register does not reach a floor beyond it.
    let membrane = |floor: Floor| (floor.membrane >= -REGISTER).then_some(floor.membrane);
    let plain = Form {
        dv: if neuron.leak { FORGET } else { 0 },
        threshold: WEIGHT,
        factor: UNIT,
        touch: 0,
        floor: floors.and_then(|floors| membrane(floors.above)),
        boost: 0,
        keeps_boost: false,
    };
    let threshold = neuron.threshold;
    let form = match (kind, floors) {
        (Kind::Touched, _) => Form { dv: 0, factor: 0, touch: UNIT, ..plain },
        (Kind::Plain, _) | (Kind::Kept, None) => {
            Form { threshold: WEIGHT * (UNIT * threshold - 1), ..plain }
        }
        (Kind::Kept, Some(Floors { above, .. })) => {
            Form { threshold: above.threshold(threshold), factor: above.unit, ..plain }
        }
        (Kind::LeakingZero, _) => {
            Form { dv: FORGET, factor: UNIT * arrivals.count, touch: UNIT, ..plain }
        }
        (Kind::LeakingBelow, _) => Form { dv: FORGET, boost: UNIT * (1 - threshold), ..plain },
        (Kind::KeptZero, Some(Floors { zero, .. })) => Form {
            factor: zero.unit,
            floor: membrane(zero),
            boost: BOOST,
            keeps_boost: true,
            ..plain
        },
        (Kind::KeptZero, None) | (Kind::KeptBelow, _) => {
            out.push(
                refuse(
                    codes::TENNLAB_TOUCH,
                    format!("its threshold {threshold} is reached in every step"),
                    "it must fire only when something arrives, whatever its sum".to_owned(),
                )
                .help("use a threshold of 0 or more, or a leak"),
            );
            return None;
        }
    };
    let largest = (form.factor * arrivals.largest + form.touch).max(form.boost);
    if largest > MAX_WEIGHT {
        out.push(refuse(
            codes::TENNLAB_RANGE,
            format!("a weight of {largest} arrives"),
            format!(
                "synapses hold up to {MAX_WEIGHT}, and one unit of charge takes {}",
                form.factor.max(UNIT)
            ),
        ));
        return None;
    }
    // A sum from which the neuron fires is reset, not forgotten, and one below the floor is cut.
    let positive = form.factor * arrivals.positive + form.touch * arrivals.count + form.boost;
    let negative = form.factor * arrivals.negative;
    let low = form.floor.map_or(negative, |floor| negative.min(-floor / WEIGHT + 1));
    let sum = positive.min(form.threshold / WEIGHT).max(low);
    if form.dv == FORGET && sum > MAX_SUM {
        out.push(refuse(
            codes::TENNLAB_RANGE,
            format!("sums of up to {sum} would not be forgotten within a step"),
            format!("at most {MAX_SUM} can be, where one unit of charge is {}", form.factor),
        ));
        return None;
    }
    Some(form)
}

/// Largest mantissa of a group of one sign.
const MANTISSA: i64 = 255;
/// Exponent of the upper part of a weight that is cut in two: the largest there is.
const HIGH: i8 = 7;
/// Largest weight.
const MAX_WEIGHT: i64 = (MANTISSA << HIGH) + (1 << HIGH) - 1;

/// A weight as stored mantissas and exponents. The caller has checked that it is at most [`MAX_WEIGHT`].
pub(super) fn parts(weight: i64) -> impl Iterator<Item = (i16, i8)> {
    let size = weight.abs();
    // One exponent for all that is even: a core stores few formats.
    let exponent = i8::from(size % 2 == 0);
    let whole = size >> exponent <= MANTISSA;
    let (high, low) = if whole { (0, size) } else { (size >> HIGH, size & ((1 << HIGH) - 1)) };
    let mantissa = move |part: i64| i16::try_from(part * weight.signum()).unwrap_or(i16::MAX);
    [(mantissa(low >> exponent), exponent), (mantissa(high), HIGH)]
        .into_iter()
        .filter(|&(mantissa, _)| mantissa != 0)
}
