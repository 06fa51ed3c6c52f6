//! A stimulus on which an artifact does something else than its source.
//!
//! The checker says which neurons, synapses and registers differ, for no stimulus in particular. Here both sides
//! are simulated, the source in logical time and the decoded program core by core, on silence, on everything at once, on
//! impulses and random spikes near the neurons named first, then anywhere, until a spike or a message differs.
//! What is found is made smaller, spike by spike. Nothing found in the stated number of runs means nothing: a difference need not be
//! observable, or takes more luck.

use super::report::DivergenceReport;
use serde::Serialize;
use snnc_frontend::arrays::{Array, ArrayData, write_npz};
use snnc_ir::arena::PopId;
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::network::Coding;
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::quantized::PopKind;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostic, Diagnostics, QuantizedNetwork};
use snnc_runtime::compare::{self, CoreSubject, IntSubject};
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::integer::IntProbe;
use snnc_runtime::{Signal, SimError, Stimulus};
use std::collections::BTreeSet;

/// Most runs of both sides that look for a difference, and again that make it smaller.
const RUNS: usize = 300;
/// Synapses times steps of all these runs together, about; at least [`FEWEST`] runs are made.
const WORK: u64 = 3_000_000_000;
/// Runs that are made however large the network is.
const FEWEST: usize = 8;
/// Impulses that are tried, one input neuron each.
const IMPULSES: usize = 64;
/// Neurons that are followed back from those that differ.
const NEAR: usize = 4096;
/// Names of the two sides.
const LEVELS: [&str; 2] = ["source", "artifact"];

/// A stimulus on which the two sides differ.
#[derive(Clone, Debug, Serialize)]
pub struct Counterexample {
    /// The first spike or message that only one side has; `None` if the artifact cannot be followed so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<DivergenceReport>,
    /// Why the artifact cannot be followed: a spike in a step that belongs to no logical step, an overflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stops: Option<String>,
    /// What both sides are given.
    pub inputs: Vec<InputReport>,
    /// Runs until it was found and as small as this.
    pub runs: usize,
    #[serde(skip)]
    stimulus: Stimulus,
}

/// What an input is given.
#[derive(Clone, Debug, Serialize)]
pub struct InputReport {
    /// Its name.
    pub input: String,
    /// Its spikes, as (logical step, neuron).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spikes: Option<Vec<(usize, usize)>>,
    /// Its frame, if it is directly coded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Vec<f32>>,
}

/// What a search came to.
#[derive(Clone, Debug)]
pub enum Search {
    /// Here it differs.
    Found(Box<Counterexample>),
    /// No run differed, or none could be made.
    Nothing {
        /// Runs.
        runs: usize,
        /// Why no more were made, if not for their number.
        why: Option<String>,
    },
}

impl Search {
    /// What it came to, as a finding that goes with those of the checker.
    pub fn diagnostic(&self) -> Diagnostic {
        let note = |message: String| Diagnostic::note_only(code::COUNTEREXAMPLE, message);
        match self {
            Self::Found(found) => found.diagnostic(),
            Self::Nothing { why: Some(why), .. } => {
                note("no stimulus was tried on which the artifact might differ".to_owned())
                    .note(why)
            }
            Self::Nothing { runs, why: None } => {
                note(format!("no stimulus was found on which a spike differs, in {runs} runs"))
                    .note("the difference may not be observable, or need another stimulus")
            }
        }
    }
}

impl Counterexample {
    fn diagnostic(&self) -> Diagnostic {
        let spikes: usize =
            self.inputs.iter().filter_map(|i| i.spikes.as_ref()).map(Vec::len).sum();
        let message = format!("a counterexample: {spikes} input spikes make the artifact differ");
        let mut all = Diagnostic::note_only(code::COUNTEREXAMPLE, message);
        if let Some(first) = &self.first {
            all = all.at(format!("population \"{}\", neuron {}", first.population, first.neuron));
            let how = match (first.fired, first.messages) {
                (Some(side), _) => format!("only the {side} fires"),
                (None, messages) => {
                    let [source, artifact] = messages.unwrap_or_default();
                    format!("the source sends {source}, the artifact {artifact}")
                }
            };
            all = all.note(format!("first in logical step {}: {how}", first.step));
            for (side, state) in LEVELS.into_iter().zip([first.left, first.right]) {
                if let Some(m) = state {
                    let (step, v, threshold) = (m.step, m.v, m.threshold);
                    all = all
                        .note(format!("{side}: membrane {v}, threshold {threshold}, step {step}"));
                }
            }
        }
        if let Some(why) = &self.stops {
            all = all.note(format!("the artifact: {why}"));
        }
        for input in &self.inputs {
            all = all.note(input.in_words());
        }
        all
    }

    /// The stimulus as an `.npz` archive for `--stimulus`.
    ///
    /// # Errors
    /// What the writer of archives refuses.
    pub fn to_npz(&self) -> Result<Vec<u8>, Diagnostics> {
        let array = |(signal, input): (&Signal, &InputReport)| match signal {
            Signal::Spikes(train) => {
                let (steps, neurons) = (train.steps(), train.neurons());
                let cells = (0..steps).flat_map(|t| (0..neurons).map(move |n| (t, n)));
                let values = cells.map(|(t, n)| u8::from(train.get(t, n))).collect();
                let data = ArrayData::U8(values);
                (format!("spikes_{}", input.input), Array { shape: vec![1, steps, neurons], data })
            }
            Signal::Frame(frame) => {
                let data = ArrayData::F32(frame.clone());
                (format!("x_{}", input.input), Array { shape: vec![1, frame.len()], data })
            }
        };
        let arrays: Vec<_> = self.stimulus.inputs.iter().zip(&self.inputs).map(array).collect();
        write_npz(&arrays)
    }
}

impl InputReport {
    fn in_words(&self) -> String {
        let shown = 12;
        let list = |items: Vec<String>| {
            let more = items.len().saturating_sub(shown);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            items[..items.len() - more].join(", ") + &rest
        };
        match (&self.spikes, &self.frame) {
            (Some(spikes), _) if spikes.is_empty() => format!("input \"{}\": silent", self.input),
            (Some(spikes), _) => {
                let items = spikes.iter().map(|(t, n)| format!("neuron {n} in step {t}"));
                format!("input \"{}\": {}", self.input, list(items.collect()))
            }
            (None, frame) => {
                let items = frame.iter().flatten().map(ToString::to_string);
                format!("input \"{}\": frame {}", self.input, list(items.collect()))
            }
        }
    }
}

/// Looks for a stimulus on which `program` differs from `source`, first near the neurons that `differences` of the checker
/// name.
pub fn search(source: &QuantizedNetwork, program: &Program, differences: &Diagnostics) -> Search {
    let nothing = |why: String| Search::Nothing { runs: 0, why: Some(why) };
    let left = match IntSim::new(source) {
        Ok(sim) => sim,
        Err(error) => return nothing(error.to_string()),
    };
    let right = match CoreSim::new(program) {
        Ok(sim) => sim,
        Err(error) => return nothing(format!("the program cannot be simulated: {error}")),
    };
    if !same_inputs(source, &left, program) || source.steps != program.steps {
        return nothing("the artifact has other inputs or steps than the source".to_owned());
    }
    let synapses: u64 =
        source.projections.values().map(|p| source.matrices[p.matrix].synapses()).sum();
    let each = synapses.saturating_mul(u64::from(source.steps)).max(1);
    let most = usize::try_from(WORK / each).unwrap_or(RUNS).clamp(FEWEST, RUNS);
    let mut sides = Sides { left, right, runs: 0 };
    let candidates = Candidates::new(source, &sides.left, &near(source, differences));
    for number in 0..most {
        let stimulus = candidates.at(number);
        if sides.differ(&stimulus).is_some() {
            return Search::Found(Box::new(sides.smaller(stimulus, sides.runs + most)));
        }
    }
    Search::Nothing { runs: sides.runs, why: None }
}

/// Whether both sides take the same stimuli.
fn same_inputs(source: &QuantizedNetwork, sim: &IntSim<'_>, program: &Program) -> bool {
    let left = sim.inputs().iter().map(|&id| {
        let p = &source.populations[id];
        (p.name.as_str(), p.size(), matches!(p.kind, PopKind::Input(Coding::Direct { .. })))
    });
    let right = program.populations.iter().filter_map(|s| match &s.role {
        SymbolRole::Input(coding) => {
            let direct = matches!(coding, Coding::Direct { .. });
            Some((s.name.as_str(), s.shape.size(), direct))
        }
        _ => None,
    });
    left.eq(right)
}

/// How two runs differ.
enum Differs {
    Spikes(Box<DivergenceReport>),
    Stops(SimError),
}

struct Sides<'n> {
    left: IntSim<'n>,
    right: CoreSim<'n>,
    runs: usize,
}

impl Sides<'_> {
    /// Runs both sides.
    fn differ(&mut self, stimulus: &Stimulus) -> Option<Differs> {
        self.runs += 1;
        // A source that stops shows nothing about the artifact.
        let a = self.left.run(stimulus, &IntProbe::None).ok()?;
        let compared = self.right.run(stimulus, &CoreProbe::None).and_then(|b| {
            let left = IntSubject { sim: &self.left, stimulus, run: &a };
            let right = CoreSubject { sim: &self.right, stimulus, run: &b };
            compare::compare(&left, &right)
        });
        match compared {
            Ok(comparison) => {
                let first = comparison.first?;
                Some(Differs::Spikes(Box::new(DivergenceReport::new(0, &first, LEVELS))))
            }
            Err(error) => Some(Differs::Stops(error)),
        }
    }

    /// Takes spikes out while the sides differ, at most until `most` runs.
    fn smaller(&mut self, mut stimulus: Stimulus, most: usize) -> Counterexample {
        // Halves first, then quarters, down to single spikes.
        let mut parts = 2;
        loop {
            let spikes = cells(&stimulus);
            let size = spikes.len().div_ceil(parts).max(1);
            let mut taken = false;
            for part in spikes.chunks(size) {
                if self.runs >= most {
                    break;
                }
                let less = without(&stimulus, part);
                if self.differ(&less).is_some() {
                    stimulus = less;
                    taken = true;
                }
            }
            let left = cells(&stimulus).len();
            if left == 0 || self.runs >= most || (size == 1 && !taken) {
                break;
            }
            parts = if size == 1 { left } else { (parts * 2).min(left) };
        }
        let (first, stops) = match self.differ(&stimulus) {
            Some(Differs::Spikes(first)) => (Some(*first), None),
            Some(Differs::Stops(error)) => (None, Some(error.to_string())),
            // The simulators are deterministic.
            None => (None, None),
        };
        let names = self.left.inputs().iter();
        let inputs = names.zip(&stimulus.inputs).map(|(&id, signal)| {
            let input = self.left.network().populations[id].name.clone();
            match signal {
                Signal::Spikes(train) => {
                    let at = |t| train.active(t).map(move |n| (t, n));
                    let spikes = Some((0..train.steps()).flat_map(at).collect());
                    InputReport { input, spikes, frame: None }
                }
                Signal::Frame(frame) => {
                    InputReport { input, spikes: None, frame: Some(frame.clone()) }
                }
            }
        });
        Counterexample { first, stops, inputs: inputs.collect(), runs: self.runs, stimulus }
    }
}

/// All spikes: input, step, neuron.
fn cells(stimulus: &Stimulus) -> Vec<(usize, usize, usize)> {
    let trains = stimulus.inputs.iter().enumerate().filter_map(|(i, signal)| match signal {
        Signal::Spikes(train) => Some((i, train)),
        Signal::Frame(_) => None,
    });
    let of = |(i, train): (usize, &SpikeTrain)| {
        let at = |t| train.active(t).map(move |n| (i, t, n)).collect::<Vec<_>>();
        (0..train.steps()).flat_map(at).collect::<Vec<_>>()
    };
    trains.flat_map(of).collect()
}

fn without(stimulus: &Stimulus, spikes: &[(usize, usize, usize)]) -> Stimulus {
    let gone: BTreeSet<_> = spikes.iter().copied().collect();
    let inputs = stimulus.inputs.iter().enumerate().map(|(i, signal)| match signal {
        Signal::Frame(frame) => Signal::Frame(frame.clone()),
        Signal::Spikes(train) => {
            let mut less = SpikeTrain::new(train.steps(), train.neurons());
            for t in 0..train.steps() {
                let kept = train.active(t).filter(|&n| !gone.contains(&(i, t, n)));
                kept.for_each(|n| less.set(t, n));
            }
            Signal::Spikes(less)
        }
    });
    Stimulus { inputs: inputs.collect() }
}

/// Input neurons from which the neurons that differ can be reached, nearest first; none if no neuron is named.
fn near(source: &QuantizedNetwork, differences: &Diagnostics) -> BTreeSet<(PopId, usize)> {
    let named = |d: &Diagnostic| {
        let path = d.place.path.as_deref()?;
        let (name, rest) = path.strip_prefix("population \"")?.rsplit_once('"')?;
        let id = source.population_named(name)?;
        let neuron = rest.strip_prefix(", neuron ")?.parse::<usize>().ok()?;
        (neuron < source.populations[id].size()).then_some((id, neuron))
    };
    let mut open: Vec<(PopId, usize)> = differences.iter().filter_map(named).collect();
    let mut seen: BTreeSet<(PopId, usize)> = open.iter().copied().collect();
    let mut next = 0;
    while next < open.len() && open.len() < NEAR {
        let (id, neuron) = open[next];
        next += 1;
        for (_, p) in source.projections_into(id) {
            source.matrices[p.matrix].for_row(neuron, |col, _| {
                if open.len() < NEAR && seen.insert((p.source, col)) {
                    open.push((p.source, col));
                }
            });
        }
    }
    seen.retain(|(id, _)| source.populations[*id].is_input());
    seen
}

/// Stimuli to try, by number.
struct Candidates<'n> {
    source: &'n QuantizedNetwork,
    inputs: Vec<PopId>,
    near: Vec<(PopId, usize)>,
}

impl<'n> Candidates<'n> {
    fn new(
        source: &'n QuantizedNetwork,
        sim: &IntSim<'_>,
        near: &BTreeSet<(PopId, usize)>,
    ) -> Self {
        let near = near.iter().copied().collect();
        Self { source, inputs: sim.inputs().to_vec(), near }
    }

    /// The stimulus of a number: silence, everything, what is near in all steps, impulses near, then random ones, near and
    /// anywhere in turn, of all densities.
    fn at(&self, number: usize) -> Stimulus {
        let impulses = self.near.len().min(IMPULSES);
        let percent = |n: usize| [5, 20, 50, 80, 95][n % 5];
        match number {
            0 => self.stimulus(number, |_, _| 0),
            1 => self.stimulus(number, |_, _| 100),
            2 => self.stimulus(number, |id, n| if self.is_near(id, n) { 100 } else { 0 }),
            n if n < 3 + impulses => {
                // Spread over what is near.
                let (id, neuron) = self.near[(n - 3) * self.near.len() / impulses];
                self.stimulus(number, |i, n| if (i, n) == (id, neuron) { 100 } else { 0 })
            }
            n if n % 2 == 0 && !self.near.is_empty() => {
                let chance = percent(n / 2);
                self.stimulus(number, |id, n| if self.is_near(id, n) { chance } else { 0 })
            }
            n => self.stimulus(number, |_, _| percent(n / 2)),
        }
    }

    fn is_near(&self, id: PopId, neuron: usize) -> bool {
        self.near.binary_search(&(id, neuron)).is_ok()
    }

    /// Spikes with the chance, in percent, that is said of each input neuron; frames of the ends of their range,
    /// or anything between.
    fn stimulus(&self, seed: usize, chance: impl Fn(PopId, usize) -> u64) -> Stimulus {
        let mut random = Random(seed as u64);
        let steps = self.source.steps as usize;
        let signal = |&id: &PopId| {
            let population = &self.source.populations[id];
            if let PopKind::Input(Coding::Direct { range }) = &population.kind {
                let [low, high] = range.unwrap_or([-1, 1]).map(f64::from);
                let element = |n: usize| {
                    let part = match chance(id, n) {
                        0 => 0.0,
                        100 => 1.0,
                        #[expect(clippy::cast_precision_loss, reason = "a number below 1000")]
                        _ => random.below(1000) as f64 / 999.0,
                    };
                    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                    let value = (low + (high - low) * part) as f32;
                    value
                };
                return Signal::Frame((0..population.size()).map(element).collect());
            }
            let mut train = SpikeTrain::new(steps, population.size());
            for n in 0..population.size() {
                let chance = chance(id, n);
                (0..steps).filter(|_| random.below(100) < chance).for_each(|t| train.set(t, n));
            }
            Signal::Spikes(train)
        };
        Stimulus { inputs: self.inputs.iter().map(signal).collect() }
    }
}

/// Reproducible numbers (`SplitMix64`, Steele et al., 2014).
struct Random(u64);

impl Random {
    const fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
