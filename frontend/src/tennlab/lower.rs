//! RISP's neurons as neurons of the integer contract.
//!
//! A unit of charge is [`UNIT`] units of membrane, and thresholds lie halfway between multiples of it: whatever a membrane
//! holds beyond a multiple, up to half a unit, makes no difference.
//!
//! * A neuron that **keeps** its potential has no leak (`dv = 0`). It is exact where nothing inhibits it, because
//!   then its potential never falls, and so never to the floor.
//! * A neuron that **leaks** has `dv = 4095`: of a membrane `v` the next step sees `v / 4096`, rounded toward 0. That is
//!   less than half a unit as long as sums stay below 2,048 units.
//! * A neuron that fires at **every touch** (its threshold is 0 or less, and no charge is negative) counts
//!   touches: all charges become 1, and so does the threshold.
//! * A neuron that leaks, has threshold **0** and can be inhibited tells a sum of 0 from silence: of at most `k` arrivals in a step, each
//!   gives `k · charge + 1`. A sum of charges `s ≥ 0` over `n ≥ 1` arrivals becomes `k·s + n ≥ 1`, one of `s ≤ −1` at most
//!   `−k + n ≤ 0`. So the threshold is 1.

use super::Placed;
use super::risp::{Neuron, Risp};
use snnc_ir::arena::{Arena, Entity, MatId, PopId};
use snnc_ir::diag::codes::tennlab as codes;
use snnc_ir::network::{Coding, Compare, Provenance, UpdateOrder};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    Role, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// Units of membrane for one unit of charge: a weight of 2, times 64.
const UNIT: i64 = 128;
/// Exponent of a stored weight of 1 unit of charge.
const EXPONENT: i8 = 1;
/// Leak of a neuron that keeps nothing but what [`MAX_SUM`] bounds.
const FORGET: u16 = 4095;
/// Largest sum of a leaking neuron, in units of charge, of which the next step sees less than half a unit.
const MAX_SUM: i64 = 2047;
/// Largest mantissa of a group of one sign.
const MANTISSA: i64 = 255;
/// Bits of a weight that go into a second group if it is above [`MANTISSA`]: exponents end at 7.
const LOW_BITS: i8 = 6;
/// Largest weight, in units of charge.
const MAX_WEIGHT: i64 = (MANTISSA << LOW_BITS) + (1 << LOW_BITS) - 1;

/// A neuron's registers, and what becomes of a charge that arrives there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form {
    dv: u16,
    /// Units of charge.
    threshold: i64,
    /// `charge · factor + touch`.
    factor: i64,
    touch: i64,
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

/// The integer network, and where each neuron is in it.
pub(super) fn lower(
    risp: &Risp,
    name: &str,
    steps: u32,
    out: &mut Diagnostics,
) -> Option<(QuantizedDraft, Vec<Placed>)> {
    let mut arrivals = vec![Arrivals::default(); risp.neurons.len()];
    risp.edges.iter().for_each(|edge| arrivals[edge.to].add(edge.weight));
    risp.inputs.iter().for_each(|&input| arrivals[input].add(risp.charge));
    let forms: Vec<Option<Form>> = risp
        .neurons
        .iter()
        .zip(&arrivals)
        .map(|(neuron, arrivals)| form(neuron, *arrivals, risp.floor, out))
        .collect();
    let forms: Vec<Form> = forms.into_iter().collect::<Option<_>>()?;
    Some(Lowering::new(risp, forms).draft(risp, name, steps))
}

/// How a neuron is realized; reports why it cannot be.
fn form(neuron: &Neuron, arrivals: Arrivals, floor: f64, out: &mut Diagnostics) -> Option<Form> {
    let threshold = neuron.threshold;
    let refuse = |code, message: String, note: String| {
        Diagnostic::error(code, format!("node {}: {message}", neuron.id))
            .at(&neuron.path)
            .note(note)
    };
    let inhibited = arrivals.negative > 0;
    let form = match (threshold, neuron.leak, inhibited) {
        (..=0, _, false) => Form { dv: 0, threshold: 1, factor: 0, touch: 1 },
        (1.., leak, false) => {
            Form { dv: if leak { FORGET } else { 0 }, threshold, factor: 1, touch: 0 }
        }
        (1.., true, true) => Form { dv: FORGET, threshold, factor: 1, touch: 0 },
        (0, true, true) => Form { dv: FORGET, threshold: 1, factor: arrivals.count, touch: 1 },
        (1.., false, true) => {
            out.push(
                refuse(
                    codes::TENNLAB_FLOOR,
                    format!("its potential can fall to {floor} and stays there"),
                    "the neurons of the targets have no lowest potential".to_owned(),
                )
                .help("let the neuron leak (`leak_mode`), or evolve with positive weights"),
            );
            return None;
        }
        (..=0, ..) => {
            out.push(
                refuse(
                    codes::TENNLAB_TOUCH,
                    format!("its threshold {threshold} is reached in every step"),
                    "it must fire only when something arrives, whatever its sum".to_owned(),
                )
                .help("use a threshold above 0, or 0 and a leak"),
            );
            return None;
        }
    };
    let largest = form.factor * arrivals.largest + form.touch;
    if largest > MAX_WEIGHT {
        out.push(refuse(
            codes::TENNLAB_RANGE,
            format!("a charge of {largest} units arrives"),
            format!(
                "synapses hold up to {MAX_WEIGHT} units, where one unit is the smallest charge"
            ),
        ));
        return None;
    }
    // A sum from which the neuron fires is reset, not forgotten.
    let positive = form.factor * arrivals.positive + form.touch * arrivals.count;
    let sum = positive.min(form.threshold).max(form.factor * arrivals.negative);
    if form.dv == FORGET && sum > MAX_SUM {
        out.push(refuse(
            codes::TENNLAB_RANGE,
            format!("sums of up to {sum} units would not be forgotten within a step"),
            format!("at most {MAX_SUM} units can be, where one unit is the smallest charge"),
        ));
        return None;
    }
    Some(form)
}

/// The parts of the network as they are put together.
struct Lowering {
    forms: Vec<Form>,
    /// Population and place of each neuron.
    places: Vec<(PopId, usize)>,
    input: PopId,
    populations: Arena<PopId, Population>,
    names: Vec<&'static str>,
}

/// Synapses of one matrix: (target, source, mantissa).
type Entries = Vec<(usize, usize, i16)>;

/// What synapses of one matrix share: source, target, delay, sign and exponent.
type Group = (PopId, PopId, u32, Sign, i8);

impl Lowering {
    fn new(risp: &Risp, forms: Vec<Form>) -> Self {
        let mut populations = Arena::default();
        let mut names = Vec::new();
        let input = populations.push(Population {
            name: "input".to_owned(),
            shape: Shape::flat(count(risp.inputs.len())),
            role: Role::Logical,
            kind: PopKind::Input(Coding::Events),
        });
        names.push("input");
        let mut is_output = vec![false; risp.neurons.len()];
        risp.outputs.iter().for_each(|&output| is_output[output] = true);
        let hidden: Vec<usize> = (0..forms.len()).filter(|&neuron| !is_output[neuron]).collect();
        let mut places = vec![(input, 0); forms.len()];
        for (name, members) in [("hidden", &hidden), ("output", &risp.outputs)] {
            if members.is_empty() {
                continue;
            }
            let forms: Vec<Form> = members.iter().map(|&member| forms[member]).collect();
            let id = populations.push(population(name, &forms));
            names.push(name);
            members.iter().enumerate().for_each(|(place, &member)| places[member] = (id, place));
        }
        Self { forms, places, input, populations, names }
    }

    fn draft(self, risp: &Risp, name: &str, steps: u32) -> (QuantizedDraft, Vec<Placed>) {
        let mut groups: BTreeMap<Group, Entries> = BTreeMap::new();
        let mut add = |from: (PopId, usize), to: usize, delay: u32, charge: i64| {
            let form = self.forms[to];
            let charge = charge * form.factor + form.touch;
            let (target, row) = self.places[to];
            let sign = if charge < 0 { Sign::Inhibitory } else { Sign::Excitatory };
            for (mantissa, exponent) in parts(charge) {
                let group = (from.0, target, delay, sign, exponent);
                groups.entry(group).or_default().push((row, from.1, mantissa));
            }
        };
        for (place, &input) in risp.inputs.iter().enumerate() {
            add((self.input, place), input, 0, risp.charge);
        }
        for edge in &risp.edges {
            add(self.places[edge.from], edge.to, edge.delay, edge.weight);
        }
        let mut matrices = Arena::default();
        let mut projections = Arena::default();
        for ((source, target, delay, sign, exponent), entries) in groups {
            let [rows, cols] = [target, source].map(|id| self.populations[id].size());
            let from = if source == self.input { "Inputs" } else { "Edges" };
            let high = if exponent == EXPONENT { "" } else { ", upper bits" };
            let name = format!("{from}, delay {delay}, {}{high}", sign.name());
            let matrix = matrix(name, from, entries, [rows, cols], (sign, exponent));
            let matrix: MatId = matrices.push(matrix);
            projections.push(Projection { source, target, matrix, delay });
        }
        let placed = self.places.iter().zip(&risp.neurons).map(|(&(id, neuron), node)| Placed {
            id: node.id,
            population: self.names[id.index()],
            neuron,
        });
        let places = placed.collect();
        let output = risp.outputs.first().map_or(self.input, |&first| self.places[first].0);
        let draft = QuantizedDraft {
            name: name.to_owned(),
            steps,
            time: Time::Logical,
            populations: self.populations,
            projections,
            matrices,
            host: Vec::new(),
            readout: IntReadout::SpikeCount(output),
        };
        (draft, places)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn population(name: &str, forms: &[Form]) -> Population {
    // Half a unit below the threshold. Weights are bounded, so this fits or is refused by the verifier.
    let threshold = |form: &Form| {
        i32::try_from(form.threshold.saturating_mul(UNIT) - UNIT / 2).unwrap_or(i32::MAX)
    };
    let kind = PopKind::Neurons(IntNeuron {
        du: Param::Uniform(4095),
        dv: param(forms.iter().map(|form| form.dv).collect()),
        threshold: param(forms.iter().map(threshold).collect()),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
    });
    let shape = Shape::flat(count(forms.len()));
    Population { name: name.to_owned(), shape, role: Role::Logical, kind }
}

/// Values of neurons, stored once if they are all the same.
fn param<T: Copy + PartialEq>(values: Vec<T>) -> Param<T> {
    match values.split_first() {
        Some((&first, rest)) if rest.iter().all(|&value| value == first) => Param::Uniform(first),
        _ => Param::PerNeuron(values),
    }
}

/// A charge as stored mantissas and exponents. The caller has checked that it is at most [`MAX_WEIGHT`].
fn parts(charge: i64) -> impl Iterator<Item = (i16, i8)> {
    let size = charge.abs();
    let (high, low) =
        if size > MANTISSA { (size >> LOW_BITS, size & ((1 << LOW_BITS) - 1)) } else { (0, size) };
    let mantissa = move |part: i64| i16::try_from(part * charge.signum()).unwrap_or(i16::MAX);
    [(mantissa(low), EXPONENT), (mantissa(high), EXPONENT + LOW_BITS)]
        .into_iter()
        .filter(|&(mantissa, _)| mantissa != 0)
}

fn matrix(
    name: String,
    from: &str,
    mut entries: Entries,
    [rows, cols]: [usize; 2],
    (sign, exponent): (Sign, i8),
) -> IntMatrix {
    entries.sort_unstable();
    let mut row_start = vec![0; rows + 1];
    for &(row, ..) in &entries {
        row_start[row + 1] += 1;
    }
    for row in 0..rows {
        row_start[row + 1] += row_start[row];
    }
    let col = entries.iter().map(|&(_, col, _)| count(col)).collect();
    let mantissa = entries.iter().map(|&(.., mantissa)| mantissa).collect();
    IntMatrix {
        name,
        structure: Structure::Sparse { rows: count(rows), cols: count(cols), row_start, col },
        mantissa,
        exponent,
        sign,
        provenance: Provenance::Dense { tensor: from.to_owned() },
    }
}
