//! One random network: how it is drawn, compiled, certified, run and compared.

use super::cores::{Cores, Usage, cramped};
use super::features::{Feature, Features};
use super::refusals;
use crate::crosscheck::{self, Dice, Fault, Seen, Step, Way, stimuli};
use crate::pipeline::{Delays, Lowering, Stages};
use crate::source;
use snnc_ir::diag::Code;
use snnc_ir::level::AnyDraft;
use snnc_ir::network::Op;
use snnc_ir::program::Program;
use snnc_ir::quantized::{Role, Time};
use snnc_ir::recipe::{Grouping, Recipe, Scaling, Settings};
use snnc_ir::testing::{self, Family, Space, sampled_integers, sampled_network};
use snnc_ir::{Level, MappedNetwork, QuantizedNetwork, Rules, TargetSpec};
use snnc_passes::{AnyLevel, Registry};
use snnc_runtime::Stimulus;
use snnc_runtime::event::{float, integer};
use snnc_runtime::float::FloatProbe;

/// What all cases share: the passes and both targets.
pub struct Bench {
    registry: Registry,
    targets: [TargetSpec; 2],
    /// Changes a program between reading and simulating it: for the test that faults are found.
    pub tamper: Option<fn(&mut Program)>,
}

impl Bench {
    /// The shipped targets `loihi2` and `loihi1`.
    ///
    /// # Errors
    /// What the target parser rejects, which is a bug.
    pub fn new() -> Result<Self, snnc_ir::Diagnostics> {
        let by_name = snnc_backends::targets::by_name;
        let targets = [by_name("loihi2")?, by_name("loihi1")?];
        Ok(Self { registry: Registry::standard(), targets, tamper: None })
    }
}

/// The number of a network, and the seed of the run that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// Seed of the run.
    pub seed: u64,
    /// Number within the run.
    pub number: u64,
}

/// A network with what is needed to draw the rest.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The network.
    pub draft: AnyDraft,
    /// What it may hold.
    pub space: Space,
    /// Whether it was changed towards the ends of ranges.
    pub twisted: bool,
}

/// What became of a case.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What it covered.
    pub features: Features,
    /// Whether it compiled, by target as in [`TARGETS`].
    pub compiled: [bool; 2],
    /// First code of each refusal, with the number of its target.
    pub refused: Vec<(usize, Code)>,
    /// Synapses that certificates compared.
    pub synapses: u64,
    /// Certificates.
    pub certificates: u64,
    /// What ran.
    pub seen: Seen,
    /// What went wrong, on which target.
    pub faults: Vec<(usize, Fault)>,
}

/// Names of the targets.
pub const TARGETS: [&str; 2] = ["loihi2", "loihi1"];

/// How often the membrane is brought nearer to its threshold.
const TRIES: usize = 5;

impl Case {
    /// Random numbers of this case, independent for every `purpose`.
    fn dice(self, purpose: u64) -> Dice {
        let mut dice = Dice::of(self.seed, self.number);
        Dice::of(dice.number(), purpose)
    }

    /// The network: of every eight three in f32.
    pub fn draw(self) -> Drawn {
        let mut dice = self.dice(0);
        if dice.below(8) < 3 {
            let space = dice.pick(&[
                Space::Programmable,
                Space::Fixed,
                Space::Graded,
                Space::Stages,
                Space::Programmable,
                Space::Fixed,
                Space::Graded,
                Space::Stages,
                Space::Everything,
            ]);
            // Models that no target runs have parameters that belong together.
            let twisted = dice.one_in(5) && space != Space::Everything;
            let draft = sampled_network(space, twisted, dice.number());
            return Drawn { draft: AnyDraft::Network(draft), space, twisted };
        }
        let (space, family, seed) = integers(&mut dice);
        let draft = AnyDraft::Quantized(sampled_integers(space, family, seed));
        Drawn { draft, space, twisted: family == Family::Twisted }
    }

    /// Compiles, certifies and runs this network, or another in its place, as this case does.
    pub fn check(self, bench: &Bench, drawn: &Drawn) -> Outcome {
        let mut outcome = Outcome { features: Features::of(&drawn.draft), ..Outcome::default() };
        let sealed = match crosscheck::caught(|| {
            source::verify(drawn.draft.clone()).map_err(|e| Fault::found(Step::Source, &e))
        }) {
            Ok(sealed) => sealed,
            Err(fault) => {
                outcome.faults.push((0, fault));
                return outcome;
            }
        };
        if let AnyLevel::Network(network) = &sealed
            && let Err(fault) = crosscheck::caught(|| self.float(network))
        {
            outcome.faults.push((0, fault));
        }
        for index in 0..TARGETS.len() {
            let mut on_target = Outcome::default();
            let result = crosscheck::caught(|| {
                on_target = Outcome { features: Features::of(&drawn.draft), ..Outcome::default() };
                self.on_target(bench, index, drawn, &sealed, &mut on_target)
            });
            outcome.add(on_target);
            if let Err(fault) = result {
                outcome.faults.push((index, fault));
            }
        }
        outcome
    }

    /// Runs a float network; what integers do may differ, but it must not stop.
    fn float(self, network: &snnc_ir::Network) -> Result<(), Fault> {
        let ports = crosscheck::float_ports(network);
        let seed = self.dice(1).number();
        let stop = |e: snnc_runtime::SimError| Fault::new(Step::Simulate, format!("float: {e}"));
        let sim = float::FloatSim::new(network).map_err(stop)?;
        for (_, stimulus) in stimuli::all(&ports, network.steps as usize, seed).iter().take(2) {
            sim.run(stimulus, &FloatProbe::None).map_err(stop)?;
        }
        Ok(())
    }

    fn on_target(
        self,
        bench: &Bench,
        index: usize,
        drawn: &Drawn,
        sealed: &AnyLevel,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let mut dice = self.dice(2 + index as u64);
        let whole = &bench.targets[index];
        let cores = dice.pick(&[Cores::Whole, Cores::Whole, Cores::Cramped, Cores::Tight]);
        let delays = dice.pick(&[Delays::Synaptic, Delays::Synaptic, Delays::Relay]);
        let lowering = dice.pick(&[
            Lowering::Materialized,
            Lowering::Materialized,
            Lowering::Auto,
            Lowering::Factored,
            Lowering::Smallest,
        ]);
        let target = match cores {
            Cores::Cramped => cramped(whole, &mut dice),
            Cores::Whole | Cores::Tight => whole.clone(),
        };
        let recipe = match sealed {
            AnyLevel::Network(_) => recipe(&mut dice),
            AnyLevel::Quantized(_) | AnyLevel::Mapped(_) => Recipe::default(),
        };
        let way = Way { target: &target, lowering, delays, recipe: &recipe };
        let stages = match crosscheck::compile(&bench.registry, sealed.clone(), &way) {
            Ok(stages) => stages,
            Err(fault) => return refusals::judge(fault, drawn, &target, cores, index, outcome),
        };
        let (Some(logical), Some(scheduled), Some(mapped)) =
            (&stages.quantized, &stages.scheduled, &stages.mapped)
        else {
            return Err(Fault::new(Step::Pass, "the pipeline left a stage out"));
        };
        let mut program = match crosscheck::certified(logical, mapped, &target) {
            Ok((program, proof)) => {
                outcome.certificates += 1;
                outcome.synapses += proof.totals.synapses;
                program
            }
            Err(fault) => return refusals::judge(fault, drawn, &target, cores, index, outcome),
        };
        outcome.compiled[index] = true;
        if let Some(tamper) = bench.tamper {
            tamper(&mut program);
        }
        let features = &mut outcome.features;
        features.mark([Feature::OnLoihi2, Feature::OnLoihi1][index]);
        features.mark(match delays {
            Delays::Synaptic => Feature::Synaptic,
            Delays::Relay => Feature::Relayed,
        });
        covered(&stages, mapped, features);

        let usage = Usage::of(mapped, &target);
        outcome.features = outcome.features.or(usage.met(&target));
        let mut programs = vec![("cores", program)];
        match cores {
            Cores::Whole => outcome.features.mark(Feature::Whole),
            Cores::Cramped => outcome.features.mark(Feature::Cramped),
            Cores::Tight => {
                let (tight, feature) = usage.tightened(&target, &mut dice);
                if let Some(program) = again(bench, index, &stages, (&tight, feature), outcome)? {
                    programs.push(("tight cores", program));
                }
            }
        }
        if dice.one_in(3)
            && let Some((program, blocks)) = scattered(&stages, &target, dice.number())?
        {
            outcome.certificates += 1;
            outcome.features.mark(if blocks { Feature::Blocked } else { Feature::Scattered });
            programs.push(("other cores", program));
        }
        let programs: Vec<_> = programs.iter().map(|(name, program)| (*name, program)).collect();
        let stimuli = self.stimuli(logical, outcome)?;
        let seen = crosscheck::simulate(logical, scheduled, mapped, &programs, &stimuli)?;
        outcome.features.mark_if(Feature::Silent, seen.spikes + seen.messages == 0);
        outcome.seen.add(seen);
        Ok(())
    }

    /// Stimuli of every kind, and one that brings a membrane near its threshold.
    fn stimuli(
        self,
        logical: &QuantizedNetwork,
        outcome: &mut Outcome,
    ) -> Result<Vec<(&'static str, Stimulus)>, Fault> {
        let ports = crosscheck::ports(logical);
        let seed = self.dice(1).number();
        let mut made = stimuli::all(&ports, logical.steps as usize, seed);
        let stop = |e: snnc_runtime::SimError| Fault::new(Step::Simulate, format!("source: {e}"));
        let sim = integer::IntSim::new(logical).map_err(stop)?;
        if let Some((stimulus, margin)) =
            stimuli::near_threshold(&sim, &ports, seed, TRIES).map_err(stop)?
        {
            if margin <= 64 {
                outcome.seen.close += 1;
                outcome.features.mark(Feature::MetThreshold);
            }
            made.push(("near threshold", stimulus));
        }
        Ok(made)
    }
}

/// The scheduled network on cores whose limits are about what the first mapping took.
fn again(
    bench: &Bench,
    index: usize,
    stages: &Stages,
    (tight, feature): (&TargetSpec, Feature),
    outcome: &mut Outcome,
) -> Result<Option<Program>, Fault> {
    let (Some(logical), Some(scheduled)) = (&stages.quantized, &stages.scheduled) else {
        return Ok(None);
    };
    let mapped = match crosscheck::map(&bench.registry, scheduled, tight) {
        Ok(mapped) => mapped,
        // First fit need not find again what was put together behind it; more often with one less.
        Err(fault) if refusals::too_small(&fault) => {
            outcome.features.mark_if(Feature::OneLessRefused, feature == Feature::OneLess);
            outcome.refused.push((index, fault.codes[0]));
            return Ok(None);
        }
        Err(fault) => return Err(fault),
    };
    let (program, proof) = crosscheck::certified(logical, &mapped, tight)?;
    outcome.certificates += 1;
    outcome.synapses += proof.totals.synapses;
    outcome.features.mark(feature);
    outcome.features = outcome.features.or(Usage::of(&mapped, tight).met(tight));
    Ok(Some(program))
}

/// Space, family and seed of an integer network.
fn integers(dice: &mut Dice) -> (Space, Family, u64) {
    let space =
        dice.pick(&[Space::Programmable, Space::Fixed, Space::Fixed, Space::Graded, Space::Stages]);
    let family = dice.pick(&[
        Family::Plain,
        Family::Plain,
        Family::Plain,
        Family::Plain,
        Family::Twisted,
        Family::Twisted,
        Family::Convolutions,
        Family::Tiny,
    ]);
    // The largest networks take the longest.
    let family = if dice.one_in(30) { Family::Crowd } else { family };
    (space, family, dice.number())
}

/// The integer network that is number `number` of `seed`, in logical time, of the neurons and relays of
/// `space`; with its family.
pub fn integer_network(seed: u64, number: u64, space: Space) -> (Family, QuantizedNetworkDraft) {
    let mut dice = Case { seed, number }.dice(0);
    let (_, family, seed) = integers(&mut dice);
    (family, sampled_integers(space, family, seed))
}

/// An integer network that anyone may edit.
pub type QuantizedNetworkDraft = snnc_ir::quantized::QuantizedDraft;

impl Outcome {
    fn add(&mut self, other: Self) {
        self.features = self.features.or(other.features);
        for (all, one) in self.compiled.iter_mut().zip(other.compiled) {
            *all |= one;
        }
        self.refused.extend(other.refused);
        self.synapses += other.synapses;
        self.certificates += other.certificates;
        self.seen.add(other.seen);
        self.faults.extend(other.faults);
    }
}

/// What the compiled network is made of.
fn covered(stages: &Stages, mapped: &MappedNetwork, features: &mut Features) {
    if let Some(logical) = &stages.quantized {
        features.integers(logical);
    }
    if let Some(network) = &stages.network {
        // Plain relays that the source did not have stand between factors.
        let relays = network.nodes.values().any(|n| matches!(n.op, Op::Relay(None)));
        features.mark_if(Feature::Factored, relays && !features.has(Feature::PlainRelay));
    }
    let populations = || mapped.network.populations.values();
    features.mark_if(Feature::Relays, populations().any(|p| matches!(p.role, Role::Relay { .. })));
    features.mark_if(Feature::Clocks, populations().any(|p| p.role == Role::Clock));
    if let Time::Hardware(schedule) = &mapped.network.time {
        features.mark_if(Feature::LongPeriod, schedule.period > 1);
    }
    features.mark_if(Feature::SeveralCores, mapped.cores.len() > 1);
    features.mark_if(Feature::SeveralChips, mapped.cores.values().any(|c| c.chip > 0));
}

/// The network cut and spread over cores at random, where that breaks no limit, as certified program; and
/// whether populations lie in blocks.
fn scattered(
    stages: &Stages,
    target: &TargetSpec,
    seed: u64,
) -> Result<Option<(Program, bool)>, Fault> {
    let (Some(logical), Some(scheduled)) = (&stages.quantized, &stages.scheduled) else {
        return Ok(None);
    };
    let blocks = seed >> 63 == 1;
    let low = u32::try_from(seed & u64::from(u32::MAX)).unwrap_or(1);
    let mut draft = testing::scattered(scheduled.clone().into_draft(), blocks, low);
    draft.target.clone_from(&target.name);
    let Ok(mapped) = MappedNetwork::verify(draft, &Rules::for_target(target)) else {
        return Ok(None);
    };
    let (program, _) = crosscheck::certified(logical, &mapped, target)?;
    Ok(Some((program, blocks)))
}

/// Random settings; every third time the default.
fn recipe(dice: &mut Dice) -> Recipe {
    if dice.one_in(3) {
        return Recipe::default();
    }
    let settings = Settings {
        weight_bits: dice.pick(&[1, 2, 3, 4, 5, 6, 7, 8]),
        groups: dice.pick(&[Grouping::Auto, Grouping::Mixed, Grouping::Split]),
        scales: dice.pick(&[Scaling::Auto, Scaling::Population, Scaling::Neuron]),
        max_exponent: dice.pick(&[0, 2, 7]),
    };
    Recipe { settings, ..Recipe::default() }
}
