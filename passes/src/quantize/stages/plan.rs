//! Scales, shifts and weights of plain relays.

use super::form::{Form, quotient};
use super::traffic::{self, Readings, Relay, rounding};
use super::{Heard, Stage};
use crate::quantize::canonical::Term;
use crate::quantize::choose::{Memory, Rows, Traffic, balanced, memory};
use crate::quantize::decision::{Decision, TermDecision, Wanted};
use crate::quantize::limits::{Bound, Surveyor};
use crate::quantize::matrix::{Factors, Set, Weights, exponents};
use crate::quantize::member::{Member, Model};
use crate::quantize::population::{Integers, UNLIMITED, biases, lower, registers};
use crate::quantize::range::{Drive, relay};
use crate::quantize::remarks;
use crate::quantize::settle::{Planned, beyond};
use crate::quantize::sums::{Border, Sent, Span, add};
use crate::quantize::tied::splits;
use snnc_ir::arena::TensorId;
use snnc_ir::network::NetworkDraft;
use snnc_ir::quantized::{Graded, PopKind};
use snnc_ir::{Diagnostic, Diagnostics, Param, TargetSpec};
use std::collections::BTreeMap;
use std::ops::Range;

/// Bound on the rounds in which a range lowers a scale.
const MAX_ROUNDS: usize = 200;

/// Largest shift that is chosen: beyond it the bias that rounds leaves common registers.
const LARGEST_SHIFT: u8 = 12;

/// Share of a limit that is aimed at before weights are rounded.
const SPARE: f64 = 0.985;

/// Fewest bits of weights between relays that are chosen.
const FEWEST: u8 = 3;

/// Room that rounding needs below a limit that sums of unrounded weights just reach.
const ROOM: f64 = 0.998;

/// The relays of a network in integers.
#[derive(Clone, Debug, Default)]
pub(in crate::quantize) struct Plans {
    /// By position among the stages.
    pub planned: Vec<Planned>,
    /// The same relays for those who read them.
    pub stages: Vec<Stage>,
    /// Smallest and largest current, in units of the float network, that a projection from relays may bring to each
    /// row of the population at this position, by position of the projection.
    pub reach: BTreeMap<(usize, usize), Vec<(f64, f64)>>,
}

/// Decides about the members in `range`, all of them plain relays.
///
/// # Errors
/// Relays that no scale keeps in range, or that the recipe takes out of it.
pub(in crate::quantize) fn plan(
    network: &NetworkDraft,
    members: &[Member<'_>],
    range: Range<usize>,
    wanted: &[Wanted<'_>],
    target: &TargetSpec,
) -> Result<Plans, Diagnostics> {
    let mut planner = Planner {
        network,
        members,
        first: range.start,
        wanted,
        target,
        fills: BTreeMap::new(),
        floats: Vec::new(),
        cores: BTreeMap::new(),
        products: BTreeMap::new(),
        plans: Plans::default(),
    };
    planner.fills(range.clone());
    for index in range.clone() {
        let float = planner.float(index);
        planner.floats.push(float);
    }
    planner.cores(range.clone());
    let mut errors = Diagnostics::new();
    for index in range {
        match planner.decide(index) {
            Ok((planned, stage)) => {
                planner.plans.planned.push(planned);
                planner.plans.stages.push(stage);
            }
            Err(error) => {
                // What reads these relays cannot be planned.
                errors.push(error);
                break;
            }
        }
    }
    errors.into_result(planner.plans)
}

/// How the weights of a projection are stored.
#[derive(Clone, Copy, Debug)]
struct Storage {
    bits: u8,
    split: bool,
    set: Set,
    exponent: u8,
    /// Integer weights per unit of float at which the largest weight is the end of its set; infinite without one.
    fill: f64,
}

struct Planner<'a> {
    network: &'a NetworkDraft,
    members: &'a [Member<'a>],
    /// The position of the first stage.
    first: usize,
    wanted: &'a [Wanted<'a>],
    target: &'a TargetSpec,
    /// The scale of tensors that relays weigh spikes with, as far as sums allow it.
    fills: BTreeMap<TensorId, f64>,
    /// What each stage sends in floats.
    floats: Vec<Option<Form>>,
    /// Bits of tensors between relays, beyond which messages would be coarser than weights.
    cores: BTreeMap<TensorId, u8>,
    /// Composed matrices of projections between relays, with the weights that they hold for.
    products: BTreeMap<(usize, usize), (Weights, Form)>,
    plans: Plans,
}

impl<'a> Planner<'a> {
    fn stage(&self, index: usize) -> &Stage {
        &self.plans.stages[index - self.first]
    }

    fn values(&self, term: &Term) -> &'a [f32] {
        &self.network.tensors[term.weight].data
    }

    /// Projections that read the relays at `index`.
    fn readers(&self, index: usize) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (at, member) in self.members.iter().enumerate() {
            for (term, relays) in member.relays.iter().enumerate() {
                if *relays == Some(index) {
                    found.push((at, term));
                }
            }
        }
        found
    }

    /// How a projection is stored, as far as its tensor and the recipe say.
    fn storage(&self, index: usize, position: usize) -> Storage {
        let (member, wanted) = (&self.members[index], &self.wanted[index]);
        let entry = wanted.terms[position];
        let bits = entry.and_then(|e| e.weight_bits).unwrap_or_else(|| {
            let core = self.cores.get(&member.spikes[position].weight);
            let own = core.filter(|_| matches!(member.model, Model::Stage));
            own.copied().unwrap_or(wanted.settings.weight_bits)
        });
        self.stored(index, position, bits)
    }

    /// The same with this many bits.
    fn stored(&self, index: usize, position: usize, bits: u8) -> Storage {
        let (member, wanted) = (&self.members[index], &self.wanted[index]);
        let (values, entry) = (self.values(&member.spikes[position]), wanted.terms[position]);
        let split = entry.and_then(|e| e.split);
        let split = split.unwrap_or_else(|| splits(bits, values, wanted.settings));
        let range = exponents(bits, split, values, self.target, wanted.settings.max_exponent);
        let exponent = entry.and_then(|e| e.exponent).unwrap_or(*range.start());
        let set = Set::of(bits, split, values);
        let ends = values.iter().fold((0.0_f32, 0.0_f32), |(a, b), &w| (a.min(w), b.max(w)));
        let sides = [(-ends.0, -set.low), (ends.1, set.high)];
        let fill =
            sides.into_iter().filter(|(_, end)| *end > 0).fold(f64::INFINITY, |fill, (w, end)| {
                let most = f64::from(i32::from(end) << exponent);
                if w > 0.0 { fill.min(most / f64::from(w)) } else { fill }
            });
        Storage { bits, split, set, exponent, fill }
    }

    /// The largest sum that a relay may receive, with room for the bias that rounds.
    #[expect(clippy::cast_precision_loss, reason = "a register")]
    fn most(&self) -> f64 {
        let most = Bound::Input.most(self.target);
        let bias = 1_i64 << (self.largest_shift().max(1) - 1);
        (most - bias.min(most / 8)) as f64 * ROOM
    }

    fn largest_shift(&self) -> u8 {
        if !self.target.programmable_neuron {
            return 0;
        }
        let most = Bound::Bias.most(self.target).clamp(0, 1 << 31).unsigned_abs();
        (0..=LARGEST_SHIFT).rev().find(|s| (1_u64 << s) / 2 <= most).unwrap_or(0)
    }

    /// The scales of tensors that relays read spikes with: they fill the set as far as sums allow.
    fn fills(&mut self, range: Range<usize>) {
        for index in range {
            let member = &self.members[index];
            for (position, term) in member.spikes.iter().enumerate() {
                if member.relays[position].is_some() {
                    continue;
                }
                let rows = Rows::new(&term.structure, self.values(term));
                let reach = (0..rows.count()).map(|row| {
                    let weights = rows.row(row).iter().map(|w| f64::from(*w));
                    let (low, high) =
                        weights.fold((0.0, 0.0), |(a, b), w: f64| (a - w.min(0.0), b + w.max(0.0)));
                    low.max(high)
                });
                let reach = reach.fold(0.0, f64::max);
                let fill = self.storage(index, position).fill;
                let fill = if reach > 0.0 { fill.min(self.most() / reach) } else { fill };
                let known = self.fills.entry(term.weight).or_insert(fill);
                *known = known.min(fill);
            }
        }
    }

    /// The bits of tensors between relays. What relays receive in a step has so many bits, which the weights and the
    /// messages that they weigh share: where the latter would be few, weights have fewer.
    fn cores(&mut self, range: Range<usize>) {
        let memory = self.memory();
        let mut costs: BTreeMap<TensorId, Vec<(u8, f64)>> = BTreeMap::new();
        for index in range {
            let (member, wanted) = (&self.members[index], &self.wanted[index]);
            if self.floats[index - self.first].is_none() {
                continue;
            }
            for (position, term) in member.spikes.iter().enumerate() {
                let Some(from) = member.relays[position] else { continue };
                let source = &self.members[from];
                let given = wanted.terms[position].is_some_and(|e| e.weight_bits.is_some());
                if given || source.relays.iter().any(Option::is_some) {
                    continue;
                }
                let most = wanted.settings.weight_bits;
                let costs = costs.entry(term.weight).or_insert_with(|| {
                    let least = most.saturating_sub(5).clamp(FEWEST.min(most), most);
                    (least..=most).rev().map(|bits| (bits, 0.0)).collect()
                });
                self.core_costs((index, position, from), memory, costs);
            }
        }
        let best = |costs: Vec<(u8, f64)>| {
            let best = costs.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
            best.map(|(bits, _)| bits)
        };
        self.cores = costs.into_iter().filter_map(|(id, costs)| Some((id, best(costs)?))).collect();
    }

    /// The variance that a tensor between relays and the messages that it weighs cause, over that of what the reader
    /// sends, by the number of bits.
    fn core_costs(
        &self,
        (index, position, from): (usize, usize, usize),
        memory: Memory,
        costs: &mut [(u8, f64)],
    ) {
        let term = &self.members[index].spikes[position];
        let sources = &self.members[from];
        let storages: Vec<Storage> =
            (0..sources.spikes.len()).map(|position| self.storage(from, position)).collect();
        let (scale, _) = self.scale(from, &storages);
        let reach = self.reach(index).unwrap_or(0.0);
        let effect = |index: usize| {
            let float = self.floats[index - self.first].as_ref();
            let Traffic { variance, spread, .. } =
                Readings::of(&self.facts(index, float, None)).traffic();
            variance * memory.noise + spread * memory.mean * memory.mean
        };
        let (sent, signal) = (effect(from), effect(index));
        let rows = Rows::new(&term.structure, self.values(term));
        #[expect(clippy::cast_precision_loss, reason = "a number of weights")]
        let [len, count] =
            [rows.values.len() / rows.count().max(1), rows.count().max(1)].map(|n| n as f64);
        let squares = rows.values.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / count;
        for (bits, cost) in costs {
            let storage = self.stored(index, position, *bits);
            let step = f64::from(1_u32 << storage.exponent) / storage.fill;
            let weights = (len * step * step / 12.0).min(squares) * sent;
            // The shift makes these the messages for a unit, or the scale is tuned so.
            let unit = (self.most() / (reach * storage.fill)).min(scale);
            let fresh = if unit < scale { rounding(self.largest_shift(), unit) } else { 0.0 };
            let variance = weights + squares * fresh * memory.noise;
            *cost += if signal > 0.0 { variance / signal } else { 0.0 };
        }
    }

    /// How the membranes that relays reach add up what enters them, on average over the memories that occur.
    fn memory(&self) -> Memory {
        let neurons = self.members.iter().filter_map(|member| match &member.model {
            Model::Neurons(neuron, _) if member.relays.iter().any(Option::is_some) => {
                Some(memory(neuron, member.shape, self.network.steps).0)
            }
            _ => None,
        });
        let mut all: Vec<(f64, f64)> = neurons.map(|memory| (memory.mean, memory.noise)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        all.dedup();
        #[expect(clippy::cast_precision_loss, reason = "a number of populations")]
        let count = all.len().max(1) as f64;
        let sum = all.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        Memory { mean: sum.0 / count, noise: sum.1 / count }
    }

    /// The largest scale of the relays at `index`, and what sets it.
    fn scale(&self, index: usize, storage: &[Storage]) -> (f64, &'static str) {
        let member = &self.members[index];
        let start = registers(member, self.target).into_iter().fold(UNLIMITED, lower);
        let start = (start.0 / 2.0, start.1);
        let terms = member.spikes.iter().zip(&member.relays).zip(storage);
        terms.fold(start, |best, ((term, relays), storage)| {
            let fill = match relays {
                Some(from) => storage.fill * self.stage(*from).unit,
                None => self.fills.get(&term.weight).copied().unwrap_or(storage.fill),
            };
            let why = if relays.is_none() && fill < storage.fill {
                "the input sum of a step"
            } else {
                "the largest weight"
            };
            if fill < best.0 { (fill, why) } else { best }
        })
    }

    /// A smaller scale of relays that read spikes with weights of their own, at which the sums of the relays that read
    /// them reach their limit with a smaller shift: their weights have bits to spare, and messages have few.
    fn tuned(&self, index: usize, scale: f64) -> Option<f64> {
        let member = &self.members[index];
        let shared = |term: &Term| {
            let all = self.members.iter().flat_map(|m| &m.spikes);
            all.filter(|other| other.weight == term.weight).count() > 1
        };
        if member.relays.iter().any(Option::is_some) || member.spikes.iter().any(shared) {
            return None;
        }
        let readers = self.readers(index);
        let relays = readers.iter().filter(|(m, _)| matches!(self.members[*m].model, Model::Stage));
        let reach = relays.map(|&(reader, position)| {
            Some(self.reach(reader)? * self.storage(reader, position).fill)
        });
        let reach = reach.collect::<Option<Vec<f64>>>()?.into_iter().fold(0.0, f64::max);
        let most = self.most() * SPARE;
        let steps = (1..=self.largest_shift()).map(|shift| f64::from(shift).exp2() * most / reach);
        // What needs no shift, or more than there is, stays.
        let finer = steps.rev().find(|finer| *finer <= scale)?;
        (finer * 2.0 > scale).then_some(finer)
    }

    /// The largest sum of the relays at `index` in floats.
    fn reach(&self, index: usize) -> Option<f64> {
        let float = self.floats[index - self.first].as_ref()?;
        let unit = f64::from(float.shift).exp2();
        let halves = (0..float.rows).map(|row| float.halves_of(row));
        Some(halves.fold(0.0_f64, |m, (low, high)| m.max(-low).max(high)) / unit)
    }

    fn decide(&mut self, index: usize) -> Result<(Planned, Stage), Diagnostic> {
        let (members, all) = (self.members, self.wanted);
        let (member, wanted) = (&members[index], &all[index]);
        let storage: Vec<Storage> =
            (0..member.spikes.len()).map(|position| self.storage(index, position)).collect();
        let given_scale = wanted.uniform_scale();
        let (mut scale, mut why) =
            given_scale.map_or_else(|| self.scale(index, &storage), |s| (s, "the recipe"));
        if !scale.is_finite() {
            scale = 1.0;
        }
        if !wanted.decides()
            && let Some(finer) = self.tuned(index, scale)
        {
            (scale, why) = (finer, "the sums behind it");
        }
        let float = self.floats[index - self.first].take();
        for _ in 0..MAX_ROUNDS {
            let weights = self.weights(index, scale, &storage);
            let vanish = weights.iter().all(|w| w.units.iter().all(|q| *q == 0));
            let nothing = member.spikes.iter().all(|t| self.values(t).iter().all(|w| *w == 0.0));
            if scale <= 0.0 || (vanish && !nothing && !wanted.decides()) {
                return Err(remarks::no_scale(member.name, why, self.network.steps));
            }
            let sums = self.sums(index, &weights);
            let shift = wanted.population.and_then(|e| e.shift);
            let shift = shift
                .unwrap_or_else(|| self.shift(index, scale, (sums.form.as_ref(), float.as_ref())));
            let given = wanted.population.and_then(|e| e.bias.clone());
            let bias = given.unwrap_or_else(|| rounding_biases(member, scale, shift));
            let mut survey = Surveyor::new(self.target);
            let messages: Vec<Span> = (0..member.shape.size())
                .map(|n| {
                    let bias = i64::from(bias.at(n, member.shape));
                    let drive = Drive { sum: sums.spans[n], bias, host: Span::default() };
                    let range = relay(&drive, None, shift);
                    survey.take(n, &range, 0);
                    range.message
                })
                .collect();
            let survey = survey.finish();
            let terms = storage.iter().zip(&weights).map(|(s, w)| TermDecision {
                bits: s.bits,
                split: s.split,
                exponent: w.shift,
                weights: Some(w.units.clone()),
            });
            let decision = Decision {
                scale: Param::Uniform(scale),
                threshold: Param::Uniform(0),
                bias: bias.clone(),
                du: Param::Uniform(4095),
                dv: Param::Uniform(4095),
                shift,
                terms: terms.collect(),
                limited_by: why.to_owned(),
            };
            if let Some(excess) = &survey.excess {
                if wanted.decides() {
                    let help = "leave scale, shift and weights of the relays out";
                    return Err(beyond(member, excess, help, self.target));
                }
                (scale, why) = (scale * excess.factor.min(0.999), excess.why);
                continue;
            }
            let sent = Sent::messages(member.shape, &messages);
            let stage = self.finish(index, (scale, shift), (sums.form, float), sent.clone(), &bias);
            let kind = PopKind::Graded(Graded { keep: None, bias, shift });
            let integers = Integers { kind, weights, survey, sent };
            let read = member.relays.iter().map(|relays| relays.map(|r| Heard::of(self.stage(r))));
            return Ok((Planned::free(decision, integers, read.collect(), None), stage));
        }
        Err(remarks::no_scale(member.name, why, self.network.steps))
    }

    /// The weights of the relays at `index`: those of the recipe, else the nearest. On spikes, whose mean is
    /// not 0, sums of rows are kept.
    fn weights(&self, index: usize, scale: f64, storage: &[Storage]) -> Vec<Weights> {
        let member = &self.members[index];
        let each = member.spikes.iter().enumerate().map(|(position, term)| {
            let Storage { exponent, set, .. } = storage[position];
            let entry = self.wanted[index].terms[position];
            if let Some(units) = entry.and_then(|e| e.weights.clone()) {
                return Weights { units, shift: exponent };
            }
            let values = self.values(term);
            if let Some(from) = member.relays[position] {
                let factors = Factors::uniform(scale / self.stage(from).unit);
                return Weights::nearest(values, &factors, exponent, set);
            }
            let rows = Rows::new(&term.structure, values);
            let unit = f64::from(1_u32 << exponent);
            let mut units = Vec::with_capacity(values.len());
            for row in 0..rows.count() {
                let steps: Vec<f64> =
                    rows.row(row).iter().map(|&w| f64::from(w) * scale / unit).collect();
                units.extend(balanced(&steps, set));
            }
            Weights { units, shift: exponent }
        });
        each.collect()
    }

    /// What arrives at the relays at `index`.
    fn sums(&mut self, index: usize, weights: &[Weights]) -> Sums {
        let member = &self.members[index];
        let size = member.shape.size();
        let mut ranges = vec![Span::default(); size];
        let mut form: Option<Form> = None;
        let mut composed = true;
        for (position, (term, weights)) in member.spikes.iter().zip(weights).enumerate() {
            let at = |i: usize| whole(weights.at(i));
            let own = if let Some(from) = member.relays[position] {
                let known = self.products.remove(&(index, position));
                let stage = self.stage(from);
                add(&term.structure, weights, &stage.sent, Border::Whole, &mut ranges);
                stage.form.as_ref().and_then(|form| match known {
                    Some((same, mut product)) if same == *weights => {
                        product.offset = form.offsets(&term.structure, at)?;
                        product.shift = form.shift;
                        Some(product)
                    }
                    _ => form.through(&term.structure, at),
                })
            } else {
                add(&term.structure, weights, &Sent::spikes(), Border::Whole, &mut ranges);
                Form::spikes(&term.structure, at)
            };
            form = match (own, form) {
                (Some(own), None) => Some(own),
                (Some(own), Some(form)) => form.beside(&own),
                (None, _) => None,
            };
            composed &= form.is_some();
        }
        let form = form.filter(|form| composed && form.rows * form.area() == size);
        if let Some(form) = &form {
            let ends = form.ends();
            for (n, range) in ranges.iter_mut().enumerate() {
                *range = range.common(quotient(ends[n / form.area()], form.shift));
            }
        }
        Sums { form, spans: ranges }
    }

    /// The shift of the relays at `index`.
    fn shift(&mut self, index: usize, scale: f64, forms: (Option<&Form>, Option<&Form>)) -> u8 {
        let largest = self.largest_shift();
        let readers = self.readers(index);
        let relays: Vec<_> = readers
            .iter()
            .copied()
            .filter(|(m, _)| matches!(self.members[*m].model, Model::Stage))
            .collect();
        let neurons: Vec<_> = readers
            .into_iter()
            .filter(|(m, _)| !matches!(self.members[*m].model, Model::Stage))
            .collect();
        let mut least = 0;
        for reader in relays {
            least = least.max(self.shift_for_relays(reader, forms.0, largest));
        }
        if neurons.is_empty() {
            return least;
        }
        let mut costs = vec![0.0; usize::from(largest) + 1];
        for reader in neurons {
            self.costs(reader, index, scale, forms, &mut costs);
        }
        let allowed = (least..=largest).map(|shift| (costs[usize::from(shift)], shift));
        allowed.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(least, |(_, shift)| shift)
    }

    /// The smallest shift at which the sums of a reader that fills its bits stay in range.
    fn shift_for_relays(&mut self, reader: (usize, usize), form: Option<&Form>, largest: u8) -> u8 {
        let storage = self.storage(reader.0, reader.1);
        let term = &self.members[reader.0].spikes[reader.1];
        let entry = self.wanted[reader.0].terms[reader.1];
        let units = entry.and_then(|e| e.weights.clone());
        let weights = units.map_or_else(
            || {
                let factors = Factors::uniform(storage.fill);
                Weights::nearest(self.values(term), &factors, storage.exponent, storage.set)
            },
            |units| Weights { units, shift: storage.exponent },
        );
        let at = |i: usize| whole(weights.at(i));
        let Some((form, mut product)) =
            form.and_then(|form| Some((form, form.through(&term.structure, at)?)))
        else {
            return largest;
        };
        product.offset.fill(Span::default());
        let (most, ends) = (self.most(), product.ends());
        let fits = |shift: &u8| {
            // Biases beside the one that rounds are small beside sums, and looked at later.
            let half = if *shift > 0 { 1_i64 << (shift - 1) } else { 0 };
            let sent = form.outline().sent(*shift, |_| Span { low: half, high: half });
            let Some(offsets) = sent.offsets(&term.structure, at) else { return false };
            #[expect(clippy::cast_precision_loss, reason = "compared with a register")]
            let reach = |span: Span| quotient(span, sent.shift).reach() as f64;
            ends.iter().zip(offsets).all(|(end, offset)| reach(end.plus(offset)) <= most)
        };
        let shift = (0..=largest).find(fits).unwrap_or(largest);
        self.products.insert(reader, (weights, product));
        shift
    }

    /// Adds the variance that is expected over each shift to `costs`, for one projection into neurons.
    fn costs(
        &mut self,
        reader: (usize, usize),
        index: usize,
        scale: f64,
        (form, float): (Option<&Form>, Option<&Form>),
        costs: &mut [f64],
    ) {
        let (members, all) = (self.members, self.wanted);
        let (member, wanted) = (&members[reader.0], &all[reader.0]);
        let Model::Neurons(neuron, _) = &member.model else { return };
        let term = &member.spikes[reader.1];
        let values = self.values(term);
        let storage = self.storage(reader.0, reader.1);
        let (mut cap, _) = registers(member, self.target).into_iter().fold(UNLIMITED, lower);
        // Beside spikes, the scale is that at which their weights fit, with an exponent of one more at most.
        for (position, relays) in member.relays.iter().enumerate() {
            if relays.is_none() {
                cap = cap.min(2.0 * self.storage(reader.0, position).fill);
            }
        }
        let halves = form.and_then(|form| form.halves(&term.structure, |i| f64::from(values[i])));
        if let (Some(halves), Some(form)) = (halves, form) {
            let unit = f64::from(form.shift).exp2() * scale;
            let reach: Vec<_> = halves.iter().map(|(a, b)| (a / unit, b / unit)).collect();
            let most = reach.iter().fold(0.0_f64, |m, (a, b)| m.max(-a).max(*b));
            #[expect(clippy::cast_precision_loss, reason = "a register")]
            let limit = Bound::Input.most(self.target) as f64 * ROOM;
            if most > 0.0 {
                cap = cap.min(limit / most);
            }
            self.plans.reach.insert(reader, reach);
        }
        let rows = Rows::new(&term.structure, values);
        let relays = self.facts(index, float, None);
        let traffic = Readings::of(&relays).traffic();
        let (memory, theta) = memory(neuron, member.shape, self.network.steps);
        // Of errors of a weight on a membrane.
        let effect = traffic.variance * memory.noise + traffic.spread * memory.mean * memory.mean;
        let (mut squares, mut count) = (0.0, 0.0_f64);
        for row in rows.sampled(1 << 14) {
            squares += rows.row(row).iter().map(|w| f64::from(*w).powi(2)).sum::<f64>();
            count += 1.0;
        }
        let squares = squares / count.max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "a number of weights")]
        let len = (values.len() / rows.count().max(1)) as f64;
        for (shift, cost) in (0_u8..).zip(costs) {
            let unit = scale / f64::from(shift).exp2();
            let own = wanted.uniform_scale().unwrap_or_else(|| cap.min(storage.fill * unit));
            let step = f64::from(1_u32 << storage.exponent) * unit / own;
            let weights = (len * step * step / 12.0).min(squares);
            let messages = squares * rounding(shift, unit) * memory.noise;
            let registers = 1.0 / (6.0 * own * own);
            *cost += (weights * effect + messages + registers) / (theta * theta);
        }
    }

    /// What the relays at `index` are expected to send; with their own errors if shift, unit and integers are known.
    fn facts(
        &self,
        index: usize,
        float: Option<&Form>,
        known: Option<(u8, f64, Option<&Form>)>,
    ) -> Vec<Relay> {
        let member = &self.members[index];
        let rows = float.map_or(member.shape.channels(), |float| float.rows);
        let of = |row: usize| {
            let mut relay = Relay::default();
            for (position, term) in member.spikes.iter().enumerate() {
                let all = Rows::new(&term.structure, self.values(term));
                let weights = all.row(row * all.count() / rows);
                match member.relays[position] {
                    Some(from) => {
                        // What is not planned yet has no errors.
                        let known = self.plans.stages.get(from - self.first);
                        let relays = known.map_or(&[][..], |stage| &stage.relays);
                        for (w, source) in Readings::of(relays).row(weights) {
                            relay.add(w, source);
                        }
                    }
                    None => weights.iter().for_each(|w| relay.spike(f64::from(*w))),
                }
            }
            if let Some(float) = float {
                (relay.sum, relay.squares) = float.moments(row, 1.0);
            }
            if let Some((shift, unit, exact)) = known {
                relay.fresh += rounding(shift, unit);
                if let (Some(exact), Some(float)) = (exact, float) {
                    let whole = f64::from(exact.shift).exp2() * unit;
                    (relay.error_sum, relay.error_squares) = exact.errors(row, whole, float);
                }
            }
            relay
        };
        (0..rows).map(of).collect()
    }

    /// What the relays at `index` send in floats.
    fn float(&self, index: usize) -> Option<Form> {
        let member = &self.members[index];
        let mut form: Option<Form> = None;
        for (term, relays) in member.spikes.iter().zip(&member.relays) {
            let values = self.values(term);
            let at = |i: usize| f64::from(values[i]);
            let own = match relays {
                Some(from) => {
                    self.floats[from - self.first].as_ref()?.through(&term.structure, at)?
                }
                None => Form::spikes(&term.structure, at)?,
            };
            form = match form {
                None => Some(own),
                Some(form) => Some(form.beside(&own)?),
            };
        }
        form
    }

    fn finish(
        &self,
        index: usize,
        (scale, shift): (f64, u8),
        (form, float): (Option<Form>, Option<Form>),
        sent: Sent,
        bias: &Param<i32>,
    ) -> Stage {
        let member = &self.members[index];
        let form = form.map(|form| {
            let area = form.area();
            let silent = bias.values().iter().all(|&b| Graded::silent(shift, b));
            form.sent(shift, |row| {
                let each = (row * area..(row + 1) * area).map(|n| bias.at(n, member.shape));
                bias_ends(each, silent)
            })
        });
        let unit = scale / f64::from(shift).exp2();
        let relays = self.facts(index, float.as_ref(), Some((shift, unit, form.as_ref())));
        let is_read =
            |(m, _): &(usize, usize)| matches!(self.members[*m].model, Model::Neurons(..));
        let memory = self.memory();
        let gram = float.as_ref().filter(|_| self.readers(index).iter().any(is_read));
        let gram = gram.map_or_else(Vec::new, |float| traffic::gram(float, memory));
        Stage { unit, form, float, sent, relays, gram }
    }
}

/// Ends of biases of relays. Unless all biases of their population are `silent`, spikes of a clock may carry
/// them: then they may be missing as far as the verifier knows, while relays still round down.
fn bias_ends(biases: impl Iterator<Item = i32>, silent: bool) -> Span {
    let least = if silent { (i64::MAX, i64::MIN) } else { (0, 0) };
    let ends = biases.map(i64::from).fold(least, |(a, b), x| (a.min(x), b.max(x)));
    Span { low: ends.0, high: ends.1 }
}

/// Float biases in units of weight, and what makes the shift round to nearest.
fn rounding_biases(member: &Member<'_>, scale: f64, shift: u8) -> Param<i32> {
    let half = if shift > 0 { 1_i32 << (shift.min(31) - 1) } else { 0 };
    let own = biases(&member.bias, &Param::Uniform(scale), member.shape);
    own.map(|b| b.saturating_add(half))
}

/// What may arrive at relays.
struct Sums {
    /// As a function of spikes, before the shift.
    form: Option<Form>,
    /// Relay by relay.
    spans: Vec<Span>,
}

#[expect(clippy::cast_precision_loss, reason = "integer weights have at most 15 bits")]
fn whole(weight: i64) -> f64 {
    weight as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biases_that_a_clock_may_carry_may_be_missing() {
        let ends = |biases: &[i32], silent| bias_ends(biases.iter().copied(), silent);
        assert_eq!(ends(&[64, 64], true), Span { low: 64, high: 64 });
        assert_eq!(ends(&[64, 508], false), Span { low: 0, high: 508 });
        assert_eq!(ends(&[-9, -7], false), Span { low: -9, high: 0 });
    }
}
