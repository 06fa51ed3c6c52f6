//! What is rejected, and with which words.

use super::accept::{chain, deep, loop_of_two, plain, skip, watch};
use super::compile::Options;
use super::random::Rng;
use super::sound::pair;
use super::source::{Source, neuron};
use super::target;
use snnc_backends::certify::{certify, mutate};
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::quantized::{Schedule, Structure, Time};
use snnc_ir::{Diagnostic, Diagnostics, Param};
use std::collections::BTreeMap;

/// The reasons against a program.
fn refused(source: &Source, program: &Program) -> Diagnostics {
    certify(&source.seal(), program, &target(&program.target)).expect_err("a wrong program")
}

/// Whether the place of a difference starts like this.
fn names(difference: &Diagnostic, start: &str) -> bool {
    difference.place.path.as_ref().is_some_and(|p| p.starts_with(start))
}

/// What each class of changes leads to: every change is rejected at a named place.
#[test]
fn every_class_of_changes_is_rejected() {
    let mut rng = Rng(11);
    let mut made: BTreeMap<&str, u32> = mutate::classes().map(|c| (c, 0)).collect();
    assert!(made.len() >= 60);
    for _ in 0..120 {
        let Some((source, program)) = pair(&mut rng) else { continue };
        let target = target(&program.target);
        for (class, count) in &mut made {
            let mut changed = program.clone();
            let Some(what) = mutate::apply(class, &mut changed, rng.next()) else { continue };
            *count += 1;
            let verdict = certify(&source, &changed, &target);
            let why = verdict.expect_err(&format!("{class} survives: {what}"));
            let named = why.iter().all(|d| d.place.path.is_some() && d.code.info().is_some());
            assert!(named, "{class}: {why}");
            // A compartment or axon that does not exist belongs to no neuron, but to a core.
            let neuron = |d: &Diagnostic| names(d, "population \"") || names(d, "core ");
            // A few changes concern no population.
            let global = [
                "name",
                "target",
                "steps",
                "period",
                "run-steps",
                "chip",
                "cell",
                "readout",
                "structure",
                "pool-values",
                "pool-layout",
            ];
            assert!(why.iter().any(neuron) || global.contains(class), "{class}: {why}");
        }
    }
    let never: Vec<&str> = made.iter().filter(|(_, n)| **n == 0).map(|(c, _)| *c).collect();
    assert_eq!(never, Vec::<&str>::new(), "classes that were never made");
}

/// The words of one change of each kind of table.
#[test]
fn differences_name_neuron_core_and_both_sides() {
    let (chain, deep, skip, looped) = (chain(), deep(), skip(), loop_of_two(0));
    let relays = Options { relays: 100, ..Options::PLAIN };
    let mut words = String::new();
    for (source, options, classes) in [
        (&chain, Options::PLAIN, &["name", "weight", "threshold", "delay", "route-doubled"][..]),
        (&chain, Options::PLAIN, &["neurons-swapped", "neuron-dropped", "coding"]),
        (&deep, Options::PLAIN, &["bias-start", "block-dropped", "bias-mantissa"]),
        (
            &chain,
            Options::PLAIN,
            &["block-row", "input-core", "exponent", "weight-bits", "readout"],
        ),
        (&skip, relays, &["relay-hops", "relay-of", "latency", "delay"]),
        (&looped, Options::PLAIN, &["clock-phase", "clock-bias", "refractory", "update-period"]),
        (&looped, Options::PLAIN, &["membrane-decay", "current-decay", "reset"]),
    ] {
        for class in classes {
            let mut program = plain(source, options);
            let what = mutate::apply(class, &mut program, 5).expect("a change");
            let why = refused(source, &program);
            let first = why.iter().find(|d| names(d, "population \"")).or(why.iter().next());
            let first = first.expect("a reason");
            words.push_str(&[class, ": ", &what, "\n", &first.to_string(), "\n\n"].concat());
        }
    }
    insta::assert_snapshot!(words);
}

#[test]
fn the_source_must_be_in_logical_time() {
    let mut source = chain();
    let program = plain(&source, Options::PLAIN);
    let latency = program.populations.iter().take(3).map(|s| s.latency).collect();
    for (_, p) in source.draft.projections.iter_mut() {
        p.delay = 1;
    }
    source.draft.time = Time::Hardware(Schedule { period: 1, latency });
    let why = refused(&source, &program);
    assert_eq!(why.iter().next().map(|d| d.code), Some(code::SOURCE));
}

#[test]
fn every_population_has_one_symbol() {
    let source = chain();
    let mut program = plain(&source, Options::PLAIN);
    program.populations[2].name = "a".to_owned();
    insta::assert_snapshot!(refused(&source, &program));
}

/// Sums, currents and membranes that some input could drive out of range.
#[test]
fn overflows_are_found_for_all_inputs() {
    let wide = |weight: i16, steps: u32, edit: &dyn Fn(&mut snnc_ir::quantized::IntNeuron)| {
        let mut s = Source::new(steps);
        let input = s.input("in", &[300]);
        let mut n = neuron(10);
        edit(&mut n);
        let a = s.neurons("a", &[2], n);
        // The second neuron's sum is the larger one.
        let mut weights = vec![weight - weight.signum(); 300];
        weights.extend([weight; 300]);
        let matrix = s.matrix(Structure::Dense { rows: 2, cols: 300 }, &weights);
        s.project(input, a, matrix, 0);
        let program = plain(&s, Options::PLAIN);
        certify(&s.seal(), &program, &target("loihi1"))
    };
    let keep = |_: &mut snnc_ir::quantized::IntNeuron| {};
    // 300 · 109 = 32,700 fits 16 bits with sign, 300 · 110 = 33,000 does not.
    assert!(wide(109, 1, &keep).is_ok());
    let sum = wide(110, 1, &keep).expect_err("the sum");
    insta::assert_snapshot!(sum);
    // −64 · 300 · 100 in every step: 4 steps stay above −2^23, 5 do not.
    assert!(wide(-100, 4, &keep).is_ok());
    let membrane = wide(-100, 5, &keep).expect_err("the membrane");
    assert!(membrane.iter().all(|d| d.code == code::OVERFLOW && d.message.contains("membrane")));
    // With leak the sum of all steps stays bounded.
    assert!(wide(-100, 1000, &|n| n.dv = Param::Uniform(1024)).is_ok());
    // A current with memory adds up like a membrane without leak.
    let current = |n: &mut snnc_ir::quantized::IntNeuron| {
        n.du = Param::Uniform(0);
        n.dv = Param::Uniform(4095);
    };
    assert!(wide(100, 4, &current).is_ok());
    assert!(wide(100, 5, &current).is_err());
}

#[test]
fn one_wrong_register_does_not_fill_pages() {
    let mut s = Source::new(2);
    let input = s.input("in", &[1]);
    let thresholds: Vec<i32> = (0..200).map(|i| 64 * (i % 2 + 1)).collect();
    let mut n = neuron(1);
    n.threshold = Param::PerNeuron(thresholds);
    let a = s.neurons("a", &[200], n);
    s.dense(input, a, 0);
    let mut program = plain(&s, Options { cores: 1, ..Options::PLAIN });
    program.cores[0].thresholds[0] += 1;
    let why = refused(&s, &program);
    assert_eq!(why.len(), 20);
    assert!(why.to_string().contains("further differences that are not listed: 80"), "{why}");
}

/// A bias that starts with the chip and not with its layer changes spikes.
#[test]
fn a_bias_that_starts_early_is_a_real_difference() {
    let source = deep();
    let mut program = plain(&source, Options::PLAIN);
    mutate::apply("bias-start", &mut program, 0).expect("a bias that a clock carries");
    let why = refused(&source, &program);
    assert!(why.iter().any(|d| d.code == code::BIAS), "{why}");
    assert!(watch(&source.seal(), &program, None).is_err());
}

/// A relay whose synapse is too weak stays silent.
#[test]
fn a_weak_relay_is_a_real_difference() {
    let source = skip();
    let mut program = plain(&source, Options { relays: 100, ..Options::PLAIN });
    let relay = program.populations.iter().position(|s| matches!(s.role, SymbolRole::Relay { .. }));
    for core in &mut program.cores {
        for run in &core.compartments {
            if Some(run.population as usize) == relay {
                core.thresholds[run.cycle[0].threshold as usize] += 1;
            }
        }
    }
    let why = refused(&source, &program);
    assert!(why.iter().any(|d| d.code == code::RELAY), "{why}");
    assert!(watch(&source.seal(), &program, None).is_err());
}
