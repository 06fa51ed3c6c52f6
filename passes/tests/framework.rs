//! Pipelines: how they are written, what is rejected before they run, and what is caught after.

mod common;

use common::{generate, seal, target};
use insta::assert_snapshot;
use snnc_ir::diag::codes::{internal, usage};
use snnc_ir::{Diagnostics, Network, NetworkDraft, text};
use snnc_passes::remove_dead::RemoveDead;
use snnc_passes::{
    AnyLevel, AnyPass, Class, Context, LevelKind, OptionInfo, OptionKind, Options, Pass, PassInfo,
    Pipeline, Plan, Property, PropertySet, Registry, plan,
};

fn errors(pipeline: &str) -> String {
    match Pipeline::parse(pipeline) {
        Ok(p) => format!("reads as {p}"),
        Err(e) => e.to_string(),
    }
}

#[test]
fn pipelines_print_as_they_read() {
    for text in ["map", "a,b", "schedule{delays=relay},map", "x{a=1,b=-0.5e+3}"] {
        assert_eq!(Pipeline::parse(text).expect("well-formed").to_string(), text);
    }
    let spaced = Pipeline::parse(" a { x = 1 , y = 2 } ,\n b{} ").expect("blanks are allowed");
    assert_eq!(spaced.to_string(), "a{x=1,y=2},b");
    assert_eq!(spaced.calls[0].column, 2);
}

#[test]
fn malformed_pipelines_name_the_column() {
    let all = ["", "a,,b", "a{x}", "a{x=}", "a{x=1", "a b", "ä", "a{x=1;y=2}"];
    let report: Vec<_> = all.iter().map(|text| format!("{text:?}\n{}", errors(text))).collect();
    assert_snapshot!(report.join("\n"));
}

fn planned<'r>(
    registry: &'r Registry,
    pipeline: &str,
    start: LevelKind,
) -> Result<Plan<'r>, Diagnostics> {
    let pipeline = Pipeline::parse(pipeline).expect("well-formed");
    plan(registry, &pipeline, start, &PropertySet::default())
}

#[test]
fn plans_that_cannot_work_are_rejected_with_all_reasons() {
    let registry = Registry::new(vec![AnyPass::Network(Box::new(Fake(&OPTIONAL, |d| d)))]);
    let options = planned(
        &registry,
        "fake{size=7},fake{shade=1},fake{size=1,size=2},fold",
        LevelKind::Network,
    );
    let report = options.expect_err("four mistakes").to_string();
    let standard = Registry::standard();
    let order = planned(
        &standard,
        "lower-currents,fold-batchnorm,quantize,remove-dead",
        LevelKind::Network,
    );
    let order = order.expect_err("prerequisites").to_string();
    let level = planned(&standard, "fold-shared", LevelKind::Quantized).expect_err("level");
    assert_snapshot!(format!("{report}\n{order}\n{level}"));
}

#[test]
fn a_missing_prerequisite_is_reported_once() {
    let registry = Registry::standard();
    let error = planned(&registry, "lower-currents,lower-currents", LevelKind::Network)
        .expect_err("the first one lacks three properties");
    assert_eq!(error.iter().filter(|d| d.code == usage::MISSING_PROPERTY).count(), 3);
}

#[test]
fn the_usual_order_is_accepted_whatever_the_network() {
    let registry = Registry::standard();
    let pipeline = "lower-genes,fold-batchnorm,fold-pooling,lower-currents,normalize-neurons,feed-currents,remove-dead,fold-shared,quantize";
    let plan = planned(&registry, pipeline, LevelKind::Network).expect("the usual order");
    assert_eq!((plan.len(), plan.end()), (9, LevelKind::Quantized));
}

/// Names are unique, defaults are values of their options, and no pass both establishes and
/// destroys a property, or speaks of properties of levels that it does not touch.
#[test]
fn every_pass_declares_itself_soundly() {
    let registry = Registry::standard();
    for (i, pass) in registry.iter().enumerate() {
        let info = pass.info();
        assert!(registry.iter().skip(i + 1).all(|p| p.info().name != info.name), "{}", info.name);
        assert!(!info.summary.is_empty() && !info.summary.ends_with('.'), "{}", info.name);
        let _all_parse = Options::defaults(info.options);
        for property in info.establishes {
            assert_eq!(property.level(), pass.to(), "{} establishes {property}", info.name);
            assert!(!info.invalidates.contains(property), "{}: {property}", info.name);
        }
        for property in info.requires.iter().chain(info.invalidates) {
            assert_eq!(property.level(), pass.from(), "{}: {property}", info.name);
        }
    }
}

#[test]
fn options_have_the_declared_kinds() {
    let info = |kind, default| OptionInfo { name: "o", kind, default, help: "" };
    let int = info(OptionKind::Int(-2, 5), "0");
    assert!(int.parse("5").is_some() && int.parse("6").is_none() && int.parse("x").is_none());
    let number = info(OptionKind::Number(0.0, 1.0), "0");
    assert!(number.parse("0.5").is_some() && number.parse("nan").is_none());
    assert!(number.parse("inf").is_none());
    let flag = info(OptionKind::Flag, "true");
    assert!(flag.parse("false").is_some() && flag.parse("0").is_none());
    let choice = info(OptionKind::Choice(&["a", "b"]), "a");
    assert!(choice.parse("b").is_some() && choice.parse("").is_none());
}

/// A pass that does whatever a test wants.
struct Fake(&'static PassInfo, fn(NetworkDraft) -> NetworkDraft);

static OPTIONAL: PassInfo = PassInfo {
    name: "fake",
    summary: "does what a test wants",
    class: Class::Exact,
    requires: &[],
    establishes: &[],
    invalidates: &[],
    options: &[OptionInfo {
        name: "size",
        kind: OptionKind::Int(1, 4),
        default: "2",
        help: "how large",
    }],
};

static PROMISING: PassInfo = PassInfo { establishes: &[Property::DeadRemoved], ..OPTIONAL };

impl Pass for Fake {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        self.0
    }

    fn run(&self, draft: NetworkDraft, cx: &mut Context<'_>) -> Result<NetworkDraft, Diagnostics> {
        assert_eq!(cx.options.int("size"), 3, "the option of the call");
        Ok((self.1)(draft))
    }
}

fn run_fake(
    info: &'static PassInfo,
    edit: fn(NetworkDraft) -> NetworkDraft,
) -> snnc_passes::Failure {
    let registry = Registry::new(vec![AnyPass::Network(Box::new(Fake(info, edit)))]);
    let plan = planned(&registry, "fake{size=3}", LevelKind::Network).expect("a sound plan");
    let level = AnyLevel::Network(seal(generate::network(1)));
    plan.run(level, &target(), &mut ()).expect_err("the pass is broken")
}

/// Mistakes of a pass are found right behind it, and the replay shows the network before it.
#[test]
fn broken_passes_are_caught() {
    let failure = run_fake(&OPTIONAL, |mut draft| {
        draft.steps = 0;
        draft
    });
    assert!(failure.diagnostics.iter().any(|d| d.code == internal::PASS_BROKE_LEVEL));
    assert_eq!((failure.index, failure.pass), (0, "fake"));
    let replay = failure.replay.expect("a mistake of the compiler").text();
    assert!(replay.starts_with("// pipeline: fake{size=3}\n"), "{replay}");
    assert!(text::parse(&replay).is_ok(), "{replay}");

    let failure = run_fake(&PROMISING, with_unused_copy);
    assert!(failure.diagnostics.iter().any(|d| d.code == internal::PASS_BROKE_PROMISE));
    assert!(failure.replay.is_some());
}

/// The replay shows the network right before the pass, whatever other passes made of it before.
#[test]
fn a_replay_has_gone_through_the_passes_before() {
    let broken = |mut draft: NetworkDraft| {
        draft.steps = 0;
        draft
    };
    let registry = Registry::new(vec![
        AnyPass::Network(Box::new(RemoveDead)),
        AnyPass::Network(Box::new(Fake(&OPTIONAL, broken))),
    ]);
    let start = AnyLevel::Network(seal(with_unused_copy(generate::network(1))));
    let pipeline = Pipeline::parse("remove-dead,fake{size=3}").expect("well-formed");
    let plan = plan(&registry, &pipeline, start.kind(), &PropertySet::of(&start));
    let failure = plan.expect("a sound plan").run(start, &target(), &mut ()).expect_err("broken");
    assert_eq!((failure.index, failure.pass), (1, "fake"));
    let replay = failure.replay.expect("a mistake of the compiler");
    assert_eq!(replay.pipeline.to_string(), "fake{size=3}");
    let cleaned = common::run(with_unused_copy(generate::network(1)), "remove-dead", &mut ());
    let cleaned = cleaned.expect("nothing wrong").level;
    assert_eq!(replay.level, cleaned);
}

/// A property that the network had and the pass does not say it destroys must survive.
#[test]
fn undeclared_destruction_is_caught() {
    let failure = run_fake(&OPTIONAL, with_unused_copy);
    assert!(failure.diagnostics.iter().any(|d| d.code == internal::PASS_BROKE_PROMISE));
}

#[test]
fn observers_see_every_pass_in_order() {
    let mut seen = Vec::new();
    let mut observe = |index: usize, name: &'static str, level: &AnyLevel| {
        seen.push(format!("{index} {name} {}", level.kind()));
    };
    let outcome = common::run(generate::network(1), "fold-shared,remove-dead", &mut observe);
    assert!(outcome.is_ok());
    assert_eq!(seen, ["0 fold-shared network", "1 remove-dead network"]);
}

#[test]
fn a_plan_refuses_a_network_of_another_level() {
    let registry = Registry::standard();
    let plan = planned(&registry, "fold-integers", LevelKind::Quantized).expect("a sound plan");
    let level = AnyLevel::Network(seal(generate::network(1)));
    let failure = plan.run(level, &target(), &mut ()).expect_err("another level");
    assert!(failure.diagnostics.iter().any(|d| d.code == internal::PLAN_BROKEN));
}

/// Adds a copy of the first tensor under another name, which no node uses.
fn with_unused_copy(mut draft: NetworkDraft) -> NetworkDraft {
    let mut copy = draft.tensors.values().next().cloned().expect("a tensor");
    copy.name.push_str(".copy");
    draft.tensors.push(copy);
    draft
}
