//! What the host writes to bias registers before a run.
//!
//! The artifact's tables are those of the source, bit for bit, so the host computes the same numbers:
//! sums, product and rounding are fixed operations in f64. They are added to biases of populations
//! of latency 0 in a program of period 1, where a static bias acts once per logical step.
//!
//! For a sample whose elements lie in the range `[a, b]` of the input, `W·x` lies between `W·a` and
//! `W·b`. Rounding, addition in f64, multiplication by a positive number and rounding to integers are
//! monotone, so doing the same to the lower ends (and to the upper ends) of all terms bounds the
//! result.

use super::findings::{Findings, Site, population};
use super::registers::Registers;
use super::sends::Span;
use super::symbols::Meaning;
use snnc_ir::arena::PopId;
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::network::Coding;
use snnc_ir::program::Program;
use snnc_ir::quantized::{HostBias, PopKind, QuantizedDraft};
use snnc_ir::{Diagnostic, Entity, TargetSpec};
use std::collections::BTreeMap;

/// What the host may add to the biases of a source network, over all samples within their ranges.
/// **Units**: weights, 64 units of the membrane each.
#[derive(Debug)]
pub(super) struct Host {
    /// By population; by neuron where the host writes.
    spans: Vec<Option<Vec<Span>>>,
}

impl Host {
    /// Bounds for all tables of the source.
    pub(super) fn of(source: &QuantizedDraft) -> Self {
        let mut spans: Vec<Option<Vec<Span>>> = vec![None; source.populations.len()];
        for table in &source.host {
            let size = source.populations[table.target].size();
            let range = match source.populations[table.input].kind {
                PopKind::Input(Coding::Direct { range: Some(range) }) => range,
                // A verified network has none: without a range there are no bounds.
                _ => [i32::MIN, i32::MAX],
            };
            let each =
                spans[table.target.index()].get_or_insert_with(|| vec![Span::default(); size]);
            for (row, span) in each.iter_mut().enumerate() {
                let part = bounds(table, row, range.map(f64::from));
                span.low = span.low.saturating_add(part.low);
                span.high = span.high.saturating_add(part.high);
            }
        }
        Self { spans }
    }

    /// Whether the host writes to biases of this population.
    pub(super) fn writes(&self, id: PopId) -> bool {
        self.spans[id.index()].is_some()
    }

    /// What it may add to the bias of one neuron.
    pub(super) fn at(&self, id: PopId, neuron: usize) -> Span {
        self.spans[id.index()].as_ref().map_or_else(Span::default, |each| each[neuron])
    }
}

/// Bounds of one neuron's number, by the host's own operations on the ends of all terms.
fn bounds(table: &HostBias, row: usize, [least, most]: [f64; 2]) -> Span {
    let mut sums = [0.0_f64; 2];
    table.structure.for_row(row, |_, index| {
        let weight = f64::from(table.weights[index]);
        let ends = [weight * least, weight * most];
        sums[0] += ends[0].min(ends[1]);
        sums[1] += ends[0].max(ends[1]);
    });
    #[expect(clippy::cast_possible_truncation, reason = "beyond i64 it is cut off there")]
    let [low, high] = sums.map(|sum| (sum * table.scale).round_ties_even() as i64);
    Span { low, high }
}

/// Compares the tables of the artifact with those of the source.
pub(super) fn compare(
    source: &QuantizedDraft,
    program: &Program,
    meanings: &[Option<Meaning>],
    findings: &mut Findings,
) {
    let name = |id: PopId| &source.populations[id].name;
    let mut open: BTreeMap<(PopId, PopId), &HostBias> = BTreeMap::new();
    for table in &source.host {
        open.insert((table.input, table.target), table);
    }
    for (index, map) in program.host.iter().enumerate() {
        let meaning = |symbol: u32| meanings.get(symbol as usize).copied().flatten();
        let ends = match (meaning(map.input), meaning(map.target)) {
            (Some(Meaning::Input(from)), Some(Meaning::Neurons(to))) => Some((from, to)),
            _ => None,
        };
        let mut wrong = |place: String, message: String| {
            findings.push(Diagnostic::error(code::HOST, message).at(place));
        };
        let Some((from, to)) = ends else {
            let place = match program.populations.get(map.target as usize) {
                Some(symbol) => population(&symbol.name),
                None => format!("symbol {}", map.target),
            };
            let message = format!("table {index} of the host joins no input to neurons");
            wrong(place, message);
            continue;
        };
        let place = population(name(to));
        let Some(table) = open.remove(&(from, to)) else {
            let from = population(name(from));
            wrong(place, format!("the source has no table, or one only, of the host from {from}"));
            continue;
        };
        let (from, scale) = (population(name(from)), (table.scale, map.scale));
        if map.structure != table.structure {
            wrong(place.clone(), format!("the layout of the host's weights from {from} differs"));
        } else if map.weights.len() != table.weights.len() {
            wrong(place.clone(), format!("the number of the host's weights from {from} differs"));
        } else if let Some((k, (a, b))) = table
            .weights
            .iter()
            .zip(&map.weights)
            .enumerate()
            .find(|(_, (a, b))| a.to_bits() != b.to_bits())
        {
            let message = format!("weight {k} of the host's weights from {from} differs");
            let difference = Diagnostic::error(code::HOST, message).at(place.clone());
            findings.push(difference.note(format!("source: {a:?}; artifact: {b:?}")));
        }
        if scale.0.to_bits() != scale.1.to_bits() {
            let (a, b) = scale;
            let message = format!("the host's scale from {from} differs");
            let difference = Diagnostic::error(code::HOST, message).at(place.clone());
            findings.push(difference.note(format!("source: {a:?}; artifact: {b:?}")));
        }
        let latency = program.populations[map.target as usize].latency;
        if latency != 0 || program.period != 1 {
            let period = program.period;
            let message = format!(
                "what the host writes acts from step 0 on in every step, but the latency is \
                 {latency} and the period {period}"
            );
            findings.push(Diagnostic::error(code::HOST, message).at(place));
        }
    }
    for (from, to) in open.into_keys() {
        let from = population(name(from));
        let message = format!("the artifact lacks the host's table from {from}");
        findings.push(Diagnostic::error(code::HOST, message).at(population(name(to))));
    }
}

/// Why a bias register does not hold what the host writes for some sample.
pub(super) fn misfit(
    registers: &Registers,
    written: Span,
    site: &Site<'_>,
    target: &TargetSpec,
) -> Option<Diagnostic> {
    let limit = &target.max_bias_mantissa;
    let exponent = registers.exponent;
    let wrong = |message: String| site.mark(Diagnostic::error(code::REGISTER, message));
    if exponent > 6 {
        let message = format!(
            "the host adds multiples of 64 to a bias of exponent {exponent}, which holds coarser \
             ones only"
        );
        return Some(wrong(message));
    }
    let [low, high] = [written.low, written.high]
        .map(|units| i128::from(registers.bias) + 64 * i128::from(units));
    let most = i128::from(limit.value) << exponent;
    if -most <= low && high <= most {
        return None;
    }
    let finding =
        wrong(format!("the bias can become {low}..={high} for some sample, beyond ±{most}"));
    Some(finding.note(format!("{}: max_bias_mantissa = {limit}, exponent {exponent}", target.file)))
}
