//! Every seeded bug is found, and the pass or writer that has it is named.

use proptest::prelude::prop_assert;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use snnc::artifact::publish::publish;
use snnc::cli::execute;
use snnc::ir::testing::{self, Space};
use snnc::ir::{Level, Network, Rules, recipe};
use snnc::passes::framework::patch::{Patch, broken};
use snnc::passes::{AnyLevel, Pipeline, Registry};
use snnc::pipeline::{self, Delays, Lowering, Search, Stage};
use snnc::trust::bugs;
use snnc::verify::bisect::{Bisection, Compilation, trace};
use snnc::{Exit, Failure, Target, source};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

#[test]
fn every_pass_and_writer_has_a_bug() {
    let registry = Registry::standard();
    let mut names: Vec<&str> = registry.iter().map(|p| p.info().name).collect();
    names.extend([snnc::backends::PROGRAM_FILE, snnc::backends::NETX_FILE]);
    for name in &names {
        assert!(bugs::all().any(|b| b.at == *name), "`{name}` needs a seeded bug");
    }
    for bug in bugs::all() {
        assert!(names.contains(&bug.at), "there is no `{}`", bug.at);
    }
    let unique: BTreeSet<&str> = bugs::all().map(|b| b.name).collect();
    assert_eq!(unique.len(), bugs::all().count());
}

#[test]
fn every_bug_is_found_where_it_is() {
    let mut wrong = Vec::new();
    let mut healthy = BTreeSet::new();
    for bug in bugs::all() {
        let name = bug.name;
        if healthy.insert((bug.case.file, bug.case.lowering.name(), bug.case.delays.name())) {
            match bug.case.bisected() {
                Err(f) => wrong.push(format!("{}: refused: {}", bug.case.file, f.diagnostics)),
                Ok(found) => {
                    if let Some(refused) = &found.refused {
                        wrong.push(format!("{}: not compiled: {refused}", bug.case.file));
                    }
                    if let Some(step) = found.bisection.first() {
                        wrong.push(format!("{}: without a bug: {step:#?}", bug.case.file));
                    }
                }
            }
        }
        match bug.seeded() {
            Err(f) => wrong.push(format!("{name} ({}): refused: {}", bug.at, f.diagnostics)),
            Ok(found) => match found.bisection.first() {
                None => wrong
                    .push(format!("{name} ({}): not found; refused: {:?}", bug.at, found.refused)),
                Some(step) => {
                    let by = step.finding.as_ref().map(|f| f.by);
                    if step.name != bug.at || by != Some(bug.by) {
                        wrong.push(format!("{name} ({}, {:?}): {step:#?}", bug.at, bug.by));
                    }
                }
            },
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is not broken is not blamed: files of the repository on both targets, genes kept as factors, too.
#[test]
fn healthy_compilations_have_no_culprit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<String> = Vec::new();
    for folder in ["tests/fixtures", "examples/small"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder of the repository");
        let names =
            entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned());
        // `motif` has no weights.
        let names = names.filter(|n| n.ends_with(".genome.json") && !n.starts_with("motif"));
        files.extend(names.map(|name| format!("{folder}/{name}")));
    }
    files.push("tests/fixtures/braincog/m2_signs.genome.json".to_owned());
    files.push("tests/fixtures/braincog/m3_signs.genome.json".to_owned());
    files.sort();
    let mut bisected = 0;
    for file in &files {
        for (target, lowering) in [
            ("loihi2", Lowering::Materialized),
            ("loihi2", Lowering::Factored),
            ("loihi1", Lowering::Materialized),
        ] {
            let factored = lowering == Lowering::Factored;
            if factored && !file.contains("small") {
                continue;
            }
            let source = source::read(&root.join(file)).expect("a network of the repository");
            let target = Target::find(target).expect("a target");
            let found = trace_for(&source.level, &target, lowering);
            // Some networks need what a target does not have.
            let Ok(found) = found else { continue };
            assert!(found.first().is_none(), "{file}, {}: {:#?}", target.spec.name, found.first());
            bisected += 1;
        }
    }
    assert!(bisected > files.len(), "{bisected} of {} files", files.len());
}

#[test]
fn healthy_compilations_of_random_networks_have_no_culprit() {
    let target = Target::find("loihi2").expect("a target");
    for (space, seed) in [(Space::Graded, 1), (Space::Programmable, 2), (Space::Stages, 3)] {
        let config = Config {
            cases: 24,
            max_shrink_iters: 200,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(seed),
            ..Config::default()
        };
        let bisected = Cell::new(0);
        let result = TestRunner::new(config).run(&testing::network(space), |draft| {
            let network = Network::verify(draft, &Rules::default())
                .map_err(|e| TestCaseError::fail(e.to_string()))?;
            let level = AnyLevel::Network(network);
            if let Ok(found) = trace_for(&level, &target, Lowering::Materialized) {
                prop_assert!(found.first().is_none(), "{:#?}", found.first());
                bisected.set(bisected.get() + 1);
            }
            Ok(())
        });
        result.unwrap_or_else(|e| panic!("{space:?}: {e}"));
        assert!(bisected.get() > 6, "{space:?}: {} were compiled", bisected.get());
    }
}

fn trace_for(level: &AnyLevel, target: &Target, lowering: Lowering) -> Result<Bisection, Failure> {
    let start = Stage::of(level);
    let text = pipeline::lowered(start, lowering, Delays::default(), Search::default());
    let pipeline = Pipeline::parse(&text)?;
    let how = Compilation { pipeline: &pipeline, target: &target.spec, recipe: &recipe::DEFAULT };
    trace(level, &how, None, None)
}

/// The command says so, too: by its exit code, in words and in JSON.
#[test]
fn the_command_names_the_pass() {
    let place = tempfile::tempdir().expect("a folder");
    let genome = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/skip.genome.json");
    let artifact = place.path().join("art");
    let run = |arguments: &[&str]| {
        let paths = [genome.as_os_str(), artifact.as_os_str()].map(OsString::from);
        let first = ["snnc", "verify"].map(OsString::from).into_iter();
        execute(first.chain(paths).chain(arguments.iter().map(OsString::from)))
    };
    let source = source::read(&genome).expect("a genome");
    let target = Target::find("loihi2").expect("a target");
    let compiled = snnc::compile(&source, &target, &snnc::Options::default()).expect("an artifact");
    publish(&artifact, &compiled.files, false).expect("a free place");

    let stimulus = genome.with_file_name("skip.npz");
    let stimulus = stimulus.to_str().expect("a path in UTF-8");
    let said = run(&["--bisect", "--stimulus", stimulus, "--samples", "3"]);
    let text = String::from_utf8(said.stdout).expect("text");
    assert_eq!(said.exit, Exit::Done, "{text}{}", said.stderr);
    assert!(text.contains("(3 given, 28 made)") && text.contains("nothing is wrong"), "{text}");

    let bug = bugs::all().find(|b| b.name == "skip-one-late").expect("a bug of the schedule");
    let patch = Patch { at: bug.at, how: bug.how };
    let said = broken(patch, || run(&["--bisect", "--format", "json"]));
    assert_eq!(said.exit, Exit::Rejected, "{}", said.stderr);
    let report: serde_json::Value = serde_json::from_slice(&said.stdout).expect("a report");
    assert_eq!(report["bisect"]["culprit"], "schedule");
    assert_eq!(report["diagnostics"][0]["code"], "SNN0836");
    let steps = report["bisect"]["steps"].as_array().expect("steps");
    let last = steps.last().expect("a step");
    for member in ["population", "neuron", "step", "stimulus"] {
        assert!(!last["finding"][member].is_null(), "{last}");
    }
    assert!(last["finding"]["before"]["v"].is_number(), "{last}");
    let said = broken(patch, || run(&["--bisect"]));
    assert!(
        said.stdout.is_empty() && said.stderr.contains("responsible: schedule"),
        "{}",
        said.stderr
    );
}

/// The page lists every bug, and what finds it.
#[test]
fn the_page_lists_the_bugs() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/trust.md");
    let page = std::fs::read_to_string(page).expect("the page about trust");
    let missing: Vec<String> = bugs::all()
        .map(|b| format!("| `{}` | `{}` | {} | {} |", b.at, b.name, b.what, b.by.name()))
        .filter(|row| !page.contains(row.as_str()))
        .collect();
    assert!(missing.is_empty(), "docs/trust.md lacks\n{}", missing.join("\n"));
}
