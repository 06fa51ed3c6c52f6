//! The order of the passes: the one file in which it is read.
//!
//! ```text
//! genome ─ network passes ─ quantize ─ integer passes ─ schedule ─ map ─ program
//!             Stage::Network        Stage::Quantized   Stage::Scheduled  Stage::Mapped
//! ```
//!
//! A pipeline given by the user is a list of passes of the same grammar. The planner of
//! `snnc-passes` checks it before anything runs, and verifies the network after every pass.

use crate::profile::{self, Profile};
use crate::stimulus::Stimuli;
use snnc_ir::diag::codes::{internal, quantize, usage};
use snnc_ir::network::Op;
use snnc_ir::quantized::Time;
use snnc_ir::{
    Diagnostic, Diagnostics, Level, MappedNetwork, Network, QuantizedNetwork, Recipe, Rules,
    TargetSpec, recipe,
};
use snnc_mapping::partition::Effort;
use snnc_passes::fold_integers::Fold;
use snnc_passes::quantize::account::Account;
use snnc_passes::rates::{self, Rates};
use snnc_passes::{
    AnyLevel, AnyPass, Failure, LevelKind, Pipeline, Property, PropertySet, Registry, plan,
};
use std::fmt;

/// Genes to tensors: decoded, or as stages of relays between them.
const GENES: &str = "lower-genes";
/// Float network to float network: afterwards every current is a sum of linear operations on
/// populations, every neuron has the decay form, and nothing is computed that no one reads.
const NETWORK: &[&str] = &[
    "fold-batchnorm",
    "fold-pooling",
    "push-neurons",
    "fold-silent",
    "merge-nodes",
    "lower-currents",
    "drop-clips",
    "normalize-neurons",
    "feed-currents",
    "remove-dead",
    "fold-halves",
    "fold-shared",
];
/// The only pass that may change spikes.
const TO_INTEGERS: &[&str] = &["quantize"];
/// Integers to integers, still in the time of the genome.
const INTEGERS: &[&str] = &["fold-integers", "strict-compare"];
/// From the time of the genome to the time of the chip.
const TO_HARDWARE_TIME: &str = "schedule";
/// Onto cores.
const TO_CORES: &[&str] = &["map"];
/// Cores with pieces of several populations, near those that they send to: the searches.
const SEARCHES: [&str; 2] = ["regroup", "place"];

/// Where the delays go that a chip's synapses cannot hold, or that retiming adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delays {
    /// Into the delay registers of synapses; relays only beyond their range.
    #[default]
    Synaptic,
    /// Into relay neurons always, for chips and simulators without synaptic delays.
    Relay,
}

/// How to look for a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// How long.
    pub effort: Effort,
    /// Seed.
    pub seed: u64,
}

impl fmt::Display for Search {
    /// As options of a pass, those that are the default left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effort = match self.effort {
            Effort::Fast => Some("effort=fast".to_owned()),
            Effort::Balanced => None,
            Effort::Best => Some("effort=best".to_owned()),
        };
        let seed = (self.seed != 0).then(|| format!("seed={}", self.seed));
        let options: Vec<String> = effort.into_iter().chain(seed).collect();
        if options.is_empty() { Ok(()) } else { write!(f, "{{{}}}", options.join(",")) }
    }
}

/// What becomes of encoded weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowering {
    /// Factored where a cost model says that it pays.
    Auto,
    /// Decoded.
    Materialized,
    /// Factored wherever that is possible.
    Factored,
    /// Factored where fewer values are stored.
    Smallest,
}

impl Lowering {
    /// What a pipeline does that is not told.
    pub const DEFAULT: Self = Self::Materialized;

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Materialized, Self::Factored, Self::Smallest];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lowering| lowering.name() == name)
    }

    /// Name on the command line and in the pipeline.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Materialized => "materialized",
            Self::Factored => "factored",
            Self::Smallest => "smallest",
        }
    }
}

impl Default for Lowering {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Delays {
    /// Name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Synaptic => "synaptic",
            Self::Relay => "relay",
        }
    }
}

/// What a pipeline has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The network in f32, lowered as far as its pipeline goes.
    Network,
    /// The integer network in logical time.
    Quantized,
    /// The integer network in hardware time.
    Scheduled,
    /// The integer network on cores.
    Mapped,
}

impl Stage {
    /// Name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Quantized => "quantized",
            Self::Scheduled => "scheduled",
            Self::Mapped => "mapped",
        }
    }

    /// The stage that a network is at.
    pub fn of(level: &AnyLevel) -> Self {
        match level {
            AnyLevel::Network(_) => Self::Network,
            AnyLevel::Quantized(q) if q.time == Time::Logical => Self::Quantized,
            AnyLevel::Quantized(_) => Self::Scheduled,
            AnyLevel::Mapped(_) => Self::Mapped,
        }
    }

    /// The stage after `pass` on a network of this stage.
    fn after(self, pass: &AnyPass) -> Self {
        match pass.to() {
            LevelKind::Network => Self::Network,
            LevelKind::Quantized if pass.info().establishes.contains(&Property::HardwareTime) => {
                Self::Scheduled
            }
            LevelKind::Quantized => self.max(Self::Quantized),
            LevelKind::Mapped => Self::Mapped,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The default pipeline from `start` to cores.
pub fn standard(start: Stage, delays: Delays) -> String {
    lowered(start, Lowering::default(), delays, Search::default())
}

/// The pipeline from `start` to cores.
pub fn lowered(start: Stage, lowering: Lowering, delays: Delays, search: Search) -> String {
    let genes = lower_genes(lowering);
    let searches = SEARCHES.map(|pass| format!("{pass}{search}"));
    let schedule = match delays {
        Delays::Synaptic => TO_HARDWARE_TIME.to_owned(),
        Delays::Relay => format!("{TO_HARDWARE_TIME}{{delays={}}}", delays.name()),
    };
    let (genes, schedule) = ([genes.as_str()], [schedule.as_str()]);
    let searches = searches.each_ref().map(String::as_str);
    let parts: [(Stage, &[&str]); 7] = [
        (Stage::Network, &genes),
        (Stage::Network, NETWORK),
        (Stage::Network, TO_INTEGERS),
        (Stage::Quantized, INTEGERS),
        (Stage::Quantized, &schedule),
        (Stage::Scheduled, TO_CORES),
        (Stage::Scheduled, &searches),
    ];
    let names: Vec<&str> = parts
        .iter()
        .filter(|(from, _)| *from >= start)
        .flat_map(|(_, passes)| passes.iter().copied())
        .collect();
    names.join(",")
}

/// The call of the pass that lowers genes.
fn lower_genes(lowering: Lowering) -> String {
    format!("{GENES}{{lowering={}}}", lowering.name())
}

/// The first passes of `pipeline`, as long as a network at `start` stays at or before `end`.
pub fn until(registry: &Registry, mut pipeline: Pipeline, start: Stage, end: Stage) -> Pipeline {
    let mut stage = start;
    let kept = pipeline.calls.iter().take_while(|call| {
        // A name that no pass has is kept: the planner reports it.
        if let Some(pass) = registry.by_name(&call.name) {
            stage = stage.after(pass);
        }
        stage <= end
    });
    let kept = kept.count();
    pipeline.calls.truncate(kept);
    pipeline
}

/// The pipeline of an artifact, made to fit a source at `start` that it is verified against: passes
/// that read an earlier level are left out, and the default ones are put in front where the
/// pipeline begins at a later level.
///
/// # Errors
/// `SNN0850` if `text` is no pipeline.
pub fn adapted(registry: &Registry, text: &str, start: Stage) -> Result<Pipeline, Diagnostics> {
    let given = Pipeline::parse(text)?;
    let from = |name: &str| registry.by_name(name).map(AnyPass::from);
    let level = match start {
        Stage::Network => LevelKind::Network,
        Stage::Quantized | Stage::Scheduled => LevelKind::Quantized,
        Stage::Mapped => LevelKind::Mapped,
    };
    let mut calls = Vec::new();
    let first = given.calls.iter().find_map(|c| from(&c.name));
    if level == LevelKind::Network && first > Some(LevelKind::Network) {
        let genes = lower_genes(Lowering::default());
        let passes = [&[genes.as_str()], NETWORK, TO_INTEGERS].concat();
        calls.extend(Pipeline::parse(&passes.join(","))?.calls);
    }
    calls.extend(given.calls.into_iter().filter(|c| from(&c.name).is_none_or(|l| l >= level)));
    Ok(Pipeline { calls })
}

/// The pass behind which the populations of a network are those of the later levels, but for those
/// that nothing reads.
const MERGING: &str = "merge-nodes";

/// `network` after the passes of `text`.
///
/// # Errors
/// What one of the passes rejects.
pub fn network_after(
    network: &Network,
    text: &str,
    target: &TargetSpec,
) -> Result<Network, crate::Failure> {
    let level = AnyLevel::Network(network.clone());
    let pipeline = Pipeline::parse(text)?;
    let stages = run(&Registry::standard(), &pipeline, level, target, &recipe::DEFAULT)?;
    Ok(stages.network.unwrap_or_else(|| network.clone()))
}

/// Populations of neurons, by name, and their neurons.
pub type Populations = Vec<(String, usize)>;

/// The populations of `network` after each pass of `pipeline` up to the one that merges them.
///
/// # Errors
/// What one of the passes rejects.
pub fn populations(
    network: &Network,
    pipeline: &Pipeline,
    target: &TargetSpec,
) -> Result<Vec<(&'static str, Populations)>, crate::Failure> {
    let Some(last) = pipeline.calls.iter().position(|call| call.name == MERGING) else {
        return Ok(Vec::new());
    };
    let registry = Registry::standard();
    let pipeline = Pipeline { calls: pipeline.calls[..=last].to_vec() };
    let level = AnyLevel::Network(network.clone());
    let plan = plan(&registry, &pipeline, level.kind(), &PropertySet::of(&level))?;
    let mut found = Vec::new();
    let mut keep = |_: usize, pass: &'static str, after: &AnyLevel| {
        if let AnyLevel::Network(network) = after {
            found.push((pass, neurons(network)));
        }
    };
    plan.run(level, target, &mut keep)?;
    Ok(found)
}

/// The populations of neurons of a network.
pub fn neurons(network: &Network) -> Populations {
    let nodes = network.nodes.values().filter(|n| matches!(n.op, Op::Neuron(_)));
    nodes.map(|n| (n.name.clone(), n.shape.size())).collect()
}

/// The last network of every stage that a pipeline went through.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// In f32.
    pub network: Option<Network>,
    /// In integers and logical time: what the artifact is certified against.
    pub quantized: Option<QuantizedNetwork>,
    /// In hardware time.
    pub scheduled: Option<QuantizedNetwork>,
    /// On cores.
    pub mapped: Option<MappedNetwork>,
    /// Warnings and notes of the passes, in order.
    pub remarks: Diagnostics,
    /// What quantization did.
    pub account: Option<Account>,
    /// What passes folded, in order.
    pub folds: Vec<Fold>,
    /// How often neurons send, for those who mapped.
    pub profile: Option<Profile>,
}

impl Stages {
    /// How often neurons send: as measured, or assumed.
    pub fn rates(&self) -> &Rates {
        self.profile.as_ref().map_or(&rates::NONE, |profile| &profile.rates)
    }

    fn keep(&mut self, level: &AnyLevel) {
        match (Stage::of(level), level) {
            (Stage::Scheduled, AnyLevel::Quantized(q)) => self.scheduled = Some(q.clone()),
            (_, AnyLevel::Quantized(q)) => self.quantized = Some(q.clone()),
            (_, AnyLevel::Network(n)) => self.network = Some(n.clone()),
            (_, AnyLevel::Mapped(m)) => self.mapped = Some(m.clone()),
        }
    }
}

/// Runs `pipeline` on `level`, quantizing by `recipe`.
///
/// # Errors
/// What the planner or a pass rejects; [`Failure::replay`] is set if it is the compiler's mistake.
pub fn run(
    registry: &Registry,
    pipeline: &Pipeline,
    level: AnyLevel,
    target: &TargetSpec,
    recipe: &Recipe,
) -> Result<Stages, Failure> {
    let mut stages = Stages::default();
    stages.keep(&level);
    extend(&mut stages, registry, pipeline, level, target, recipe)?;
    Ok(stages)
}

/// As [`run`]; in between, the network in hardware time is run on the samples of `stimuli`, and mapped for the rates of its neurons.
///
/// # Errors
/// As [`run`], `SNN0810` if the pipeline does not lead to hardware time, and `SNN0835` if a simulation stops.
pub fn run_profiled(
    registry: &Registry,
    pipeline: &Pipeline,
    level: AnyLevel,
    target: &TargetSpec,
    recipe: &Recipe,
    stimuli: &Stimuli,
) -> Result<Stages, crate::Failure> {
    // All of it is checked before anything runs.
    plan(registry, pipeline, level.kind(), &PropertySet::of(&level))?;
    let before = until(registry, pipeline.clone(), Stage::of(&level), Stage::Scheduled);
    let behind = Pipeline { calls: pipeline.calls[before.calls.len()..].to_vec() };
    let mut stages = run(registry, &before, level, target, recipe)?;
    let scheduled = stages.scheduled.clone().ok_or_else(|| not_reached(Stage::Scheduled))?;
    let profile = profile::measure(&scheduled, stimuli)?;
    stages.remarks.extend(profile.entry.remark().into_iter().collect());
    stages.profile = Some(profile);
    let level = AnyLevel::Quantized(scheduled);
    extend(&mut stages, registry, &behind, level, target, recipe).map_err(|mut failure| {
        let remarks = std::mem::take(&mut failure.remarks);
        failure.remarks = stages.remarks.iter().cloned().chain(remarks).collect();
        failure
    })?;
    Ok(stages)
}

/// Runs `pipeline` on `level`, and adds what it comes through and leaves.
fn extend(
    stages: &mut Stages,
    registry: &Registry,
    pipeline: &Pipeline,
    level: AnyLevel,
    target: &TargetSpec,
    recipe: &Recipe,
) -> Result<(), Failure> {
    let rates = stages.rates().clone();
    let planned = plan(registry, pipeline, level.kind(), &PropertySet::of(&level));
    let planned = planned.map(|plan| plan.with_recipe(recipe).with_rates(&rates));
    let plan = planned.map_err(|diagnostics| Failure {
        index: 0,
        pass: "",
        diagnostics,
        remarks: Diagnostics::new(),
        replay: None,
    })?;
    let mut keep = |_: usize, _: &'static str, after: &AnyLevel| stages.keep(after);
    let outcome = plan.run(level, target, &mut keep).map_err(|f| attributed(f, target))?;
    stages.remarks.extend(outcome.remarks);
    stages.account = outcome.account.or(stages.account.take());
    stages.folds.extend(outcome.folds);
    Ok(())
}

/// An integer network is held to the limits of the target only when it enters hardware time. Where
/// the network before that pass broke the same limits, it is not the pass that is at fault but the
/// network, or the target that offers less than quantization needs. What hardware time adds may break them
/// too: relays of what the target does not send, and biases that arrive as spikes, on top of all others.
fn attributed(mut failure: Failure, target: &TargetSpec) -> Failure {
    let Some(AnyLevel::Quantized(before)) = failure.replay.as_ref().map(|r| &r.level) else {
        return failure;
    };
    let draft = before.clone().into_draft();
    let broken = QuantizedNetwork::verify(draft, &Rules::for_target(target)).err();
    let known = |d: &Diagnostic| broken.iter().flatten().any(|b| b.code == d.code);
    let carried =
        |d: &Diagnostic| failure.pass == TO_HARDWARE_TIME && d.code == quantize::TARGET_INPUT_SUM;
    let own = |d: &Diagnostic| d.code == internal::PASS_BROKE_LEVEL;
    let found = &failure.diagnostics;
    if found.iter().any(|d| !own(d)) && found.iter().all(|d| own(d) || known(d) || carried(d)) {
        // What was wrong before is named by the populations that the source has.
        failure.diagnostics = match broken {
            Some(broken) => broken,
            None => found.iter().filter(|d| !own(d)).cloned().map(|d| d.note(CARRIED)).collect(),
        };
        failure.replay = None;
    }
    failure
}

/// What a network may do about an input that clocks make too large.
const CARRIED: &str =
    "biases of populations that start late arrive as spikes of clocks, and count as input";

/// The finding that a pipeline does not reach `stage`.
pub fn not_reached(stage: Stage) -> Diagnostic {
    Diagnostic::error(
        usage::CONFLICTING_OPTIONS,
        format!("the pipeline has no network at stage `{stage}`"),
    )
    .help("leave `--passes` out, or give passes that lead there (see `snnc list passes`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_pipeline_is_accepted_from_every_stage() {
        let registry = Registry::standard();
        for start in [Stage::Network, Stage::Quantized] {
            let text = standard(start, Delays::Relay);
            for call in Pipeline::parse(&text).unwrap().calls {
                assert!(registry.by_name(&call.name).is_some(), "{} is registered", call.name);
            }
            assert!(text.ends_with("schedule{delays=relay},map,regroup,place"));
        }
    }

    #[test]
    fn pipelines_are_cut_behind_a_stage() {
        let cut = |start: Stage, end: Stage| {
            let all = Pipeline::parse(&standard(start, Delays::Synaptic)).unwrap();
            until(&Registry::standard(), all, start, end).to_string()
        };
        let network = format!("lower-genes{{lowering=materialized}},{}", NETWORK.join(","));
        assert_eq!(cut(Stage::Network, Stage::Network), network);
        assert_eq!(
            cut(Stage::Network, Stage::Quantized),
            format!("{network},quantize,fold-integers,strict-compare")
        );
        assert_eq!(
            cut(Stage::Quantized, Stage::Scheduled),
            "fold-integers,strict-compare,schedule"
        );
    }

    #[test]
    fn the_pipeline_of_an_artifact_fits_sources_of_other_levels() {
        let fit = |text: &str, start| adapted(&Registry::standard(), text, start).unwrap();
        let [all, late] =
            [Stage::Network, Stage::Quantized].map(|start| standard(start, Delays::Relay));
        assert_eq!(fit(&all, Stage::Network).to_string(), all);
        assert_eq!(fit(&late, Stage::Network).to_string(), all);
        assert_eq!(fit(&all, Stage::Quantized).to_string(), late);
    }

    /// Two populations after an input, the second of which starts a step late and is biased.
    fn chain(first: &str, weight: &str, delay: u32) -> AnyLevel {
        let neuron = |bias: i32| {
            format!(
                "neurons\n  du 4095\n  dv 4095\n  threshold 6400\n  compare gt\n  reset zero\n  bias {bias}\n  \
                 refractory 1\n  order leak_input_fire\n  update_period 1"
            )
        };
        let plain = neuron(0);
        let first = if first == "neurons" { &plain } else { first };
        let text = format!(
            "snn 1 quantized\nname \"chain\"\nsteps 3\ntime logical\n\n\
             mat0 \"one\" dense [1, 1] mixed exponent 0 from dense \"one\" {{ 2 }}\n\
             mat1 \"most\" dense [1, 1] mixed {weight} from dense \"most\" {{ 254 }}\n\
             pop0 \"x\" [1] = logical input events\n\
             pop1 \"a\" [1] = logical {first}\n\
             pop2 \"b\" [1] = logical {}\n\
             proj0 pop0 -> pop1 mat0 delay 0\n\
             proj1 pop0 -> pop2 mat1 delay 0\n\
             proj2 pop1 -> pop2 mat0 delay {delay}\n\n\
             readout spike_count pop2\n",
            neuron(4000 * 64)
        );
        let draft = snnc_ir::text::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        crate::source::verify(draft).unwrap_or_else(|e| panic!("{e}"))
    }

    fn refused(level: AnyLevel, target: &str, delays: Delays) -> Vec<snnc_ir::diag::Code> {
        let target = snnc_backends::targets::by_name(target).unwrap();
        let pipeline = Pipeline::parse(&standard(Stage::Quantized, delays)).unwrap();
        let recipe = Recipe::default();
        let failure = run(&Registry::standard(), &pipeline, level, &target, &recipe)
            .expect_err("the target cannot run it");
        assert!(failure.replay.is_none(), "no fault of the compiler: {}", failure.diagnostics);
        failure.diagnostics.iter().map(|d| d.code).collect()
    }

    #[test]
    fn what_hardware_time_repeats_is_still_the_fault_of_the_source() {
        // Relays of graded relays are more populations that send messages.
        let graded = "graded\n  keep both\n  bias 0";
        let codes = refused(chain(graded, "exponent 0", 3), "loihi1", Delays::Relay);
        assert_eq!(codes, [quantize::TARGET_MESSAGES]);
    }

    #[test]
    fn a_bias_that_no_input_has_room_for_is_refused() {
        // 254 * 2^7 = 32512 fits 32767; with 4000 units of bias by spikes it does not.
        let codes = refused(chain("neurons", "exponent 7", 0), "loihi2", Delays::Synaptic);
        assert_eq!(codes, [quantize::TARGET_INPUT_SUM]);
    }
}
