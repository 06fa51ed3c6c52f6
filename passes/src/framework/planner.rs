//! Checks a pipeline before it runs, and runs it.

use crate::fold_integers::Fold;
use crate::framework::levels::{AnyLevel, LevelKind};
use crate::framework::options::Options;
use crate::framework::pass::{AnyPass, Context};
use crate::framework::pipeline::{PassCall, Pipeline};
use crate::framework::properties::{Property, PropertySet};
use crate::framework::registry::Registry;
use crate::quantize::account::Account;
use crate::rates::{self, Rates};
use snnc_ir::diag::codes::{internal, usage};
use snnc_ir::quantized::Time;
use snnc_ir::{
    Diagnostic, Diagnostics, Level, MappedNetwork, Network, QuantizedDraft, QuantizedNetwork,
    Recipe, Rules, TargetSpec, recipe, text,
};

/// A pipeline whose passes, options, levels and prerequisites have been checked.
#[derive(Debug)]
pub struct Plan<'r> {
    start: LevelKind,
    steps: Vec<Step<'r>>,
    recipe: &'r Recipe,
    rates: &'r Rates,
}

/// One pass of a plan.
#[derive(Debug)]
struct Step<'r> {
    call: PassCall,
    pass: &'r AnyPass,
    options: Options,
}

/// Checks `pipeline` for a network of level `start` that has the properties `has`.
///
/// # Errors
/// All of them together: `SNN0851` unknown pass, `SNN0852` to `SNN0854` options, `SNN0855` a pass
/// that reads another level, `SNN0856` a missing prerequisite (with the pass that establishes it).
pub fn plan<'r>(
    registry: &'r Registry,
    pipeline: &Pipeline,
    start: LevelKind,
    has: &PropertySet,
) -> Result<Plan<'r>, Diagnostics> {
    let mut errors = Diagnostics::new();
    let mut steps = Vec::new();
    let mut level = start;
    let mut has = has.clone();
    for (index, call) in pipeline.calls.iter().enumerate() {
        let Some(pass) = registry.by_name(&call.name) else {
            errors.push(call.place(unknown_pass(registry, &call.name)));
            continue;
        };
        match Options::parse(pass.info().options, call) {
            Ok(options) => steps.push(Step { call: call.clone(), pass, options }),
            Err(problems) => errors.extend(problems),
        }
        if pass.from() == level {
            for &property in pass.info().requires {
                if !has.contains(property) {
                    errors.push(missing(registry, &pipeline.calls[..index], call, property));
                    // Reported once: the passes behind this one may rely on it.
                    has.insert(property);
                }
            }
        } else {
            errors.push(wrong_level(call, pass, level));
        }
        level = pass.to();
        has = has.after(pass.info().invalidates, pass.info().establishes, level);
    }
    errors.into_result(Plan { start, steps, recipe: &recipe::DEFAULT, rates: &rates::NONE })
}

/// Called after every pass, with the verified result.
pub trait Observer {
    /// Pass number `index` (from 0), called `name`, has made `level`.
    fn after_pass(&mut self, index: usize, name: &'static str, level: &AnyLevel);
}

/// Observes nothing.
impl Observer for () {
    fn after_pass(&mut self, _: usize, _: &'static str, _: &AnyLevel) {}
}

impl<F: FnMut(usize, &'static str, &AnyLevel)> Observer for F {
    fn after_pass(&mut self, index: usize, name: &'static str, level: &AnyLevel) {
        self(index, name, level);
    }
}

/// Result of a pipeline.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The network after the last pass.
    pub level: AnyLevel,
    /// Warnings and notes of all passes, in order.
    pub remarks: Diagnostics,
    /// What quantization did; `None` if no pass quantized.
    pub account: Option<Account>,
    /// What passes folded, in order.
    pub folds: Vec<Fold>,
}

/// Why a pipeline stopped.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Position of the pass that failed.
    pub index: usize,
    /// Its name.
    pub pass: &'static str,
    /// The errors.
    pub diagnostics: Diagnostics,
    /// Warnings and notes of the passes before it.
    pub remarks: Diagnostics,
    /// Set if the error is a mistake of the compiler: what it takes to see it again. Boxed because
    /// it holds a whole network.
    pub replay: Option<Box<Replay>>,
}

/// What it takes to repeat the failure of a pass.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The network that the pass was given.
    pub level: AnyLevel,
    /// The pass with its options, as a pipeline (of several only if the passes before it do not make
    /// the same network twice, another mistake of the compiler).
    pub pipeline: Pipeline,
}

impl Replay {
    /// A `.snn` file that shows the failure: the pipeline in a comment, then the network.
    pub fn text(&self) -> String {
        let network = match &self.level {
            AnyLevel::Network(n) => text::print_network(n),
            AnyLevel::Quantized(n) => text::print_quantized(n),
            AnyLevel::Mapped(n) => text::print_mapped(n),
        };
        format!("// pipeline: {}\n{network}", self.pipeline)
    }
}

impl<'r> Plan<'r> {
    /// The same plan, which quantizes by `recipe`.
    #[must_use]
    pub fn with_recipe(self, recipe: &'r Recipe) -> Self {
        Self { recipe, ..self }
    }

    /// The same plan, which maps for these rates.
    #[must_use]
    pub fn with_rates(self, rates: &'r Rates) -> Self {
        Self { rates, ..self }
    }

    /// Number of passes.
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no pass.
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Level of the result.
    pub fn end(&self) -> LevelKind {
        self.steps.last().map_or(self.start, |s| s.pass.to())
    }

    /// Runs the passes. After each one the result is verified, its declared properties are checked
    /// and `observer` is called.
    ///
    /// Networks move from pass to pass. For [`Failure::replay`] the network at the start is kept until
    /// the float passes are over, and run through them again where one of them fails: it may hold
    /// genes, where what they make of it holds all weights. Behind them, where passes are slow and
    /// networks hold small integers, the network before each pass is kept.
    ///
    /// # Errors
    /// What the pass rejects; `SNN0901` if the result breaks a rule of its level, `SNN0902` if it
    /// lacks a property that the pass declares, `SNN0903` if `level` is not the level that the plan
    /// starts with.
    pub fn run(
        &self,
        level: AnyLevel,
        target: &TargetSpec,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, Failure> {
        let mut remarks = Diagnostics::new();
        let mut account = None;
        let mut folds = Vec::new();
        let mut level = level;
        let mut held = PropertySet::of(&level);
        let mut kept = (0, level.clone());
        for (index, step) in self.steps.iter().enumerate() {
            if level.kind() != LevelKind::Network {
                kept = (index, level.clone());
            }
            held = held.after(
                step.pass.info().invalidates,
                step.pass.info().establishes,
                step.pass.to(),
            );
            let mut cx = Context::new(target, &step.options);
            (cx.recipe, cx.rates) = (self.recipe, self.rates);
            let result = apply(step.pass, level, &mut cx);
            remarks.extend(cx.remarks);
            account = cx.account.or(account);
            folds.extend(cx.folds);
            let checked = result.and_then(|after| {
                keeps_promise(step.pass, &held, &after).map(|()| after).map_err(Problem::Compiler)
            });
            match checked {
                Ok(after) => level = after,
                Err(problem) => {
                    let (diagnostics, internal) = match problem {
                        Problem::Input(d) => (d, false),
                        Problem::Compiler(d) => (d, true),
                    };
                    let replay = internal.then(|| Box::new(self.replay(kept, index, target)));
                    let pass = step.pass.info().name;
                    return Err(Failure { index, pass, diagnostics, remarks, replay });
                }
            }
            observer.after_pass(index, step.pass.info().name, &level);
        }
        Ok(Outcome { level, remarks, account, folds })
    }

    /// What it takes to see pass `failed` fail again; `kept` was the level before pass `first`.
    fn replay(
        &self,
        (first, kept): (usize, AnyLevel),
        failed: usize,
        target: &TargetSpec,
    ) -> Replay {
        let again = |level: AnyLevel, step: &Step<'_>| {
            let mut cx = Context::new(target, &step.options);
            (cx.recipe, cx.rates) = (self.recipe, self.rates);
            apply(step.pass, level, &mut cx)
        };
        let calls = |first: usize| Pipeline {
            calls: self.steps[first..=failed].iter().map(|s| s.call.clone()).collect(),
        };
        if first == failed {
            return Replay { level: kept, pipeline: calls(failed) };
        }
        match self.steps[first..failed].iter().try_fold(kept.clone(), again) {
            Ok(level) => Replay { level, pipeline: calls(failed) },
            // Passes depend on nothing but what they are given; were one to fail now, all of them
            // from `first` on would be the replay.
            Err(_) => Replay { level: kept, pipeline: calls(first) },
        }
    }
}

/// Whose mistake it is.
enum Problem {
    Input(Diagnostics),
    Compiler(Diagnostics),
}

fn apply(pass: &AnyPass, level: AnyLevel, cx: &mut Context<'_>) -> Result<AnyLevel, Problem> {
    let info = pass.info();
    let logical = Rules::default();
    let chip = Rules::for_target(cx.target);
    match (pass, level) {
        (AnyPass::Network(p), AnyLevel::Network(n)) => {
            let draft = p.run(n.into_draft(), cx).map_err(Problem::Input)?;
            seal::<Network>(draft, logical, info.name).map(AnyLevel::Network)
        }
        (AnyPass::Quantize(p), AnyLevel::Network(n)) => {
            let draft = p.run(n.into_draft(), cx).map_err(Problem::Input)?;
            seal::<QuantizedNetwork>(draft, logical, info.name).map(AnyLevel::Quantized)
        }
        (AnyPass::Quantized(p), AnyLevel::Quantized(q)) => {
            let draft = p.run(q.into_draft(), cx).map_err(Problem::Input)?;
            let rules = if is_for_chip(&draft) { chip } else { logical };
            seal::<QuantizedNetwork>(draft, rules, info.name).map(AnyLevel::Quantized)
        }
        (AnyPass::Map(p), AnyLevel::Quantized(q)) => {
            let draft = p.run(q.into_draft(), cx).map_err(Problem::Input)?;
            seal::<MappedNetwork>(draft, chip, info.name).map(AnyLevel::Mapped)
        }
        (AnyPass::Mapped(p), AnyLevel::Mapped(m)) => {
            let draft = p.run(m.into_draft(), cx).map_err(Problem::Input)?;
            seal::<MappedNetwork>(draft, chip, info.name).map(AnyLevel::Mapped)
        }
        (pass, level) => Err(Problem::Compiler(
            Diagnostic::error(
                internal::PLAN_BROKEN,
                format!("`{}` reads level `{}` and got `{}`", info.name, pass.from(), level.kind()),
            )
            .into(),
        )),
    }
}

/// An integer network is held to the limits of the target once its time is that of the chip.
const fn is_for_chip(draft: &QuantizedDraft) -> bool {
    matches!(draft.time, Time::Hardware(_))
}

fn seal<L: Level<Draft: 'static>>(
    draft: L::Draft,
    rules: Rules<'_>,
    pass: &str,
) -> Result<L, Problem> {
    #[cfg(feature = "testing")]
    let draft = super::patch::applied(pass, draft);
    L::verify(draft, &rules).map_err(|broken| {
        let mut all = Diagnostics::from(
            Diagnostic::error(
                internal::PASS_BROKE_LEVEL,
                format!(
                    "pass `{pass}` made a network that breaks the rules of level `{}`",
                    L::NAME
                ),
            )
            .note("this is a mistake in the compiler, not in the network"),
        );
        all.extend(broken);
        Problem::Compiler(all)
    })
}

/// Checks that `after` has the properties that it got from `pass` or kept through it.
fn keeps_promise(
    pass: &AnyPass,
    promised: &PropertySet,
    after: &AnyLevel,
) -> Result<(), Diagnostics> {
    let info = pass.info();
    let broken = promised.iter().filter(|p| !p.holds(after)).map(|p| {
        Diagnostic::error(
            internal::PASS_BROKE_PROMISE,
            format!("the result of pass `{}` lacks property `{p}`", info.name),
        )
        .note(format!("{p}: {}", p.summary()))
        .note("this is a mistake in the compiler, not in the network")
    });
    broken.collect::<Diagnostics>().into_result(())
}

fn unknown_pass(registry: &Registry, name: &str) -> Diagnostic {
    let names: Vec<_> = registry.iter().map(|p| p.info().name).collect();
    Diagnostic::error(usage::UNKNOWN_PASS, format!("there is no pass `{name}`"))
        .help(format!("the passes are {}", names.join(", ")))
}

fn wrong_level(call: &PassCall, pass: &AnyPass, level: LevelKind) -> Diagnostic {
    call.place(
        Diagnostic::error(
            usage::PASS_WRONG_LEVEL,
            format!("`{}` reads level `{}`, but gets level `{level}`", call.name, pass.from()),
        )
        .help(if pass.from() > level {
            "put the pass that leads to its level before it"
        } else {
            "move it forward, before the pass that leaves its level"
        }),
    )
}

fn missing(
    registry: &Registry,
    earlier: &[PassCall],
    call: &PassCall,
    property: Property,
) -> Diagnostic {
    let mut error = Diagnostic::error(
        usage::MISSING_PROPERTY,
        format!("`{}` needs property `{property}`, which the network lacks there", call.name),
    )
    .note(format!("{property}: {}", property.summary()));
    let destroyer = earlier.iter().rev().find(|c| {
        registry.by_name(&c.name).is_some_and(|p| p.info().invalidates.contains(&property))
    });
    if let Some(destroyer) = destroyer {
        error = error.note(format!("`{}` may destroy it", destroyer.name));
    }
    let by = registry.establishing(property);
    let error = match by.as_slice() {
        [] => error.help("no pass establishes it: the network must have it from the start"),
        by => error.help(format!("put `{}` before it", by.join("` or `"))),
    };
    call.place(error)
}
