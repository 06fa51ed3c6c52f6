//! Which pass or writer is to blame: the compilation again, each step held to what it promises.
//!
//! Whoever hunts a bug of the compiler has only the compiler that has it. So nothing here compares with a
//! healthy one: each pass runs once more, and what it made is held against what it was given, by means that
//! share no code with passes.
//!
//! | step | promise | how it is checked |
//! | --- | --- | --- |
//! | float passes, `exact` | the same spikes and scores | both networks run, in f32 |
//! | float passes, `real-exact` | the same but for the rounding of f32 | the same; where runs part first, both membranes are looked at (`sides`) |
//! | `quantize` | weights, thresholds, biases and leaks are those of the float network at a stated scale, rounded as stated | both networks are read side by side (`quantized`) |
//! | integer passes | the same spikes and scores | both networks run, in integers; what `strict-compare` changes is read, too |
//! | `map`, `regroup`, `place` | the network is what it was | compared whole; the verifier holds cores to it |
//! | writers | the files hold the mapped network | the independent readers, the certificate, and a run core by core |
//! | artifact | its files are of that network | the certificate |
//!
//! A verdict by runs says something about the stimuli that were run: those given, and some made from the
//! inputs (`trials`). A certificate, a comparison and the account hold for all inputs.

mod current;
mod machine;
mod passes;
mod quantized;
mod report;
mod sides;
mod trials;
mod writers;

pub use report::{Bisection, By, Compared, Finding, Kind, Step};

use crate::artifact::Artifact;
use crate::compile::Failure;
use crate::pipeline::{Stage, adapted};
use crate::source::Source;
use crate::stimulus::{Interface, Stimuli};
use crate::verify::simulation_failed;
use passes::After;
use snnc_ir::quantized::Population;
use snnc_ir::{QuantizedNetwork, Recipe, TargetSpec};
use snnc_passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};
use trials::Trials;

/// How a source is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Compilation<'a> {
    /// Passes to cores.
    pub pipeline: &'a Pipeline,
    /// Target.
    pub target: &'a TargetSpec,
    /// Decisions about quantization.
    pub recipe: &'a Recipe,
}

/// Holds every pass and writer of the compilation of `artifact` from `source` to what it promises, then the
/// artifact to what they made.
///
/// # Errors
/// What a pass rejects in a network that all passes before it have made as they should, and `SNN0835` if a
/// simulation stops.
pub fn bisect(
    source: &Source,
    artifact: &Artifact,
    given: Option<&Stimuli>,
) -> Result<Bisection, Failure> {
    let start = Stage::of(&source.level);
    let pipeline = adapted(&Registry::standard(), &artifact.manifest.pipeline, start)?;
    let how =
        Compilation { pipeline: &pipeline, target: &artifact.target, recipe: &artifact.recipe };
    trace(&source.level, &how, Some(artifact), given)
}

/// As [`bisect`], from the network alone if there is no artifact.
///
/// # Errors
/// As [`bisect`].
pub fn trace(
    level: &AnyLevel,
    how: &Compilation<'_>,
    artifact: Option<&Artifact>,
    given: Option<&Stimuli>,
) -> Result<Bisection, Failure> {
    let (interface, work) = interface(level);
    let failed = |error| Failure::from(simulation_failed(&error));
    let trials = Trials::new(&interface, work, given).map_err(failed)?;
    let mut found = Bisection {
        pipeline: how.pipeline.to_string(),
        given: trials.given,
        made: trials.all.len() - trials.given,
        steps: Vec::new(),
        culprit: None,
    };
    let registry = Registry::standard();
    let mut seen = Seen { level: level.clone(), logical: None, scheduled: None };
    seen.keep();
    for call in &how.pipeline.calls {
        // What comes behind a wrong step would be held to a wrong network.
        if found.culprit.is_some() {
            return Ok(found);
        }
        let one = Pipeline { calls: vec![call.clone()] };
        let properties = PropertySet::of(&seen.level);
        let plan = plan(&registry, &one, seen.level.kind(), &properties)?.with_recipe(how.recipe);
        let after = match plan.run(seen.level.clone(), how.target, &mut ()) {
            Ok(outcome) => After::Made(Box::new(outcome)),
            Err(failure) if failure.replay.is_some() => After::Broken(failure.diagnostics),
            Err(refused) => return Err(refused.into()),
        };
        let pass = registry.by_name(&call.name).expect("a planned pass is registered");
        let step = passes::check(pass, &seen.level, &after, how, &trials).map_err(failed)?;
        found.add(step);
        if let After::Made(outcome) = after {
            seen.level = outcome.level;
            seen.keep();
        }
    }
    if found.culprit.is_none()
        && let Seen { level: AnyLevel::Mapped(mapped), logical: Some(logical), .. } = &seen
    {
        for step in writers::check(mapped, logical, seen.scheduled.as_ref(), how.target, &trials)? {
            found.add(step);
        }
        if let (None, Some(artifact)) = (&found.culprit, artifact) {
            found.add(writers::artifact(logical, artifact));
        }
    }
    Ok(found)
}

impl Bisection {
    fn add(&mut self, step: Step) {
        if step.finding.is_some() && self.culprit.is_none() {
            self.culprit = Some(step.name.clone());
        }
        self.steps.push(step);
    }
}

/// What the passes came through.
struct Seen {
    /// Now.
    level: AnyLevel,
    /// The last integers in logical time.
    logical: Option<QuantizedNetwork>,
    /// The last integers in hardware time.
    scheduled: Option<QuantizedNetwork>,
}

impl Seen {
    fn keep(&mut self) {
        match (Stage::of(&self.level), &self.level) {
            (Stage::Scheduled, AnyLevel::Quantized(q)) => self.scheduled = Some(q.clone()),
            (_, AnyLevel::Quantized(q)) => self.logical = Some(q.clone()),
            _ => {}
        }
    }
}

/// What stimuli of a network have to fit, and its neurons times its steps.
fn interface(level: &AnyLevel) -> (Interface, u64) {
    let quantized = |q: &snnc_ir::QuantizedDraft| {
        let neurons: usize = q.populations.values().map(Population::size).sum();
        (Interface::of_quantized(q), neurons as u64 * u64::from(q.steps))
    };
    match level {
        AnyLevel::Network(n) => {
            let neurons: usize = n.nodes.values().map(|node| node.shape.size()).sum();
            (Interface::of_network(n), neurons as u64 * u64::from(n.steps))
        }
        AnyLevel::Quantized(q) => quantized(q),
        AnyLevel::Mapped(m) => quantized(&m.network),
    }
}
