//! Random networks through the passes, mapping, bytes and certificate: a short run of `trust random`, whose
//! code is in `src/trust/random`. `SNNC_CASES=20` takes 20 times as many networks.

use snnc::ir::level::AnyDraft;
use snnc::ir::program::Program;
use snnc::ir::testing::Space;
use snnc::trust::random::{Bench, Case, DEFAULT_SEED, Feature, Summary, integer_network, run};
use snnc::trust::random::{shrink, write};
use std::fs;

/// What every run of some hundred networks has to show.
fn alive(summary: &Summary) {
    assert_eq!(summary.failed, 0, "{:?}\n{summary}", summary.faults);
    let [two, one] = summary.compiled;
    assert!(3 * two > 2 * summary.cases, "most run on Loihi 2: {summary}");
    assert!(5 * one > summary.cases, "many run on Loihi 1: {summary}");
    assert!(summary.seen.spikes > 10 * summary.cases, "they spike: {summary}");
    assert!(summary.seen.messages > summary.cases, "they send messages: {summary}");
    assert!(summary.seen.close > summary.cases / 8, "they come near thresholds: {summary}");
    for feature in [Feature::SeveralChips, Feature::Clocks, Feature::Exact, Feature::Blocked] {
        let index = Feature::ALL.iter().position(|f| *f == feature).expect("a feature");
        assert!(summary.covered[index] > 0, "{}: {summary}", feature.name());
    }
}

#[test]
fn random_networks_agree_at_every_level_on_both_targets() {
    let times = std::env::var("SNNC_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let bench = Bench::new().expect("shipped targets");
    alive(&run(&bench, DEFAULT_SEED, 1000 * times, &mut |_| {}));
}

/// A membrane that grows until it is full behind the last logical step of its population, while another population, of
/// more latency, is not through: the certificate holds, so all simulators have to go on, and to agree.
#[test]
fn what_overflows_behind_its_last_logical_step_runs_on() {
    let bench = Bench::new().expect("shipped targets");
    let case = Case { seed: 2411, number: 2075 };
    let outcome = case.check(&bench, &case.draw());
    assert_eq!(outcome.faults, []);
    assert!(outcome.certificates > 0, "{outcome:?}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let bench = Bench::new().expect("shipped targets");
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| run(&bench, 7, 60, &mut |_| {})).to_string()
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn networks_follow_from_seed_and_number() {
    for space in [Space::Fixed, Space::Graded] {
        assert_eq!(integer_network(1, 2, space), integer_network(1, 2, space));
        assert_ne!(integer_network(1, 2, space), integer_network(1, 3, space));
        assert_ne!(integer_network(1, 2, space), integer_network(2, 2, space));
    }
}

/// A wrong program: on every core one threshold is the highest there is.
fn raise_thresholds(program: &mut Program) {
    for core in &mut program.cores {
        if let Some(threshold) = core.thresholds.first_mut() {
            *threshold = 131_071;
        }
    }
}

/// The engine itself: a fault put into programs is found by simulation alone, and reduced to next to nothing.
#[test]
fn a_fault_in_programs_is_found_and_reduced() {
    let mut bench = Bench::new().expect("shipped targets");
    bench.tamper = Some(raise_thresholds);
    let summary = run(&bench, DEFAULT_SEED, 40, &mut |_| {});
    assert!(summary.failed > 5, "{summary}");
    let folder = tempfile::tempdir().expect("a folder");
    for (case, target, fault) in summary.faults.iter().take(3) {
        let reduced = shrink(&bench, *case, *target, fault);
        assert!(
            reduced.after.populations <= 3,
            "{case:?}: {} of {}",
            reduced.after,
            reduced.before
        );
        assert!(reduced.after.steps <= reduced.before.steps);
        let file = write(folder.path(), *case, *target, fault, &reduced).expect("files");
        let text = fs::read_to_string(&file).expect("a network");
        assert_eq!(snnc::ir::text::parse(&text).expect("a network"), reduced.draft);
        let account = fs::read_to_string(file.with_extension("txt")).expect("an account");
        assert!(account.contains(&format!("--case {}", case.number)), "{account}");
        // Without the fault there is nothing wrong with the network.
        let sound = Bench::new().expect("shipped targets");
        let drawn = case.draw();
        let smaller = snnc::trust::random::Drawn { draft: reduced.draft.clone(), ..drawn };
        assert_eq!(case.check(&sound, &smaller).faults, []);
    }
}

#[test]
fn a_third_of_the_sources_are_float_networks() {
    let float = |number| {
        let case = Case { seed: 5, number };
        matches!(case.draw().draft, AnyDraft::Network(_))
    };
    let count = (0..400).filter(|n| float(*n)).count();
    assert!((100..200).contains(&count), "{count}");
}
