//! Artifacts of the examples and fixtures, broken in one place: the certificate names it.
//!
//! Every class of change of the checker's own test kit is applied to really compiled programs, after
//! a round trip through bytes where the bytes can express it. A change that alters the network must
//! be rejected with a neuron or population named.

mod common;

use common::{Place, repo};
use snnc::backends::certify::{certify, mutate};
use snnc::backends::program;
use snnc::ir::program::Program;
use snnc::pipeline::Delays;
use snnc::{Compiled, Options, Target, compile, source};
use std::collections::BTreeSet;

fn compiled(genome: &str, target: &str, delays: Delays) -> (Compiled, Target) {
    let source = source::read(&repo(genome)).expect("a shipped genome");
    let target = Target::find(target).expect("a shipped target");
    let options = Options { delays, ..Options::default() };
    let compiled =
        compile(&source, &target, &options).unwrap_or_else(|f| panic!("{}", f.diagnostics));
    (compiled, target)
}

const CASES: [(&str, &str, Delays); 9] = [
    ("examples/digits/digits.genome.json", "loihi2", Delays::Synaptic),
    ("examples/digits/digits.genome.json", "loihi1", Delays::Relay),
    ("tests/fixtures/loop.genome.json", "loihi1", Delays::Relay),
    ("tests/fixtures/bias.genome.json", "loihi1", Delays::Synaptic),
    ("tests/fixtures/thresholds.genome.json", "loihi1", Delays::Relay),
    ("tests/fixtures/loop_leaky.genome.json", "loihi2", Delays::Synaptic),
    ("examples/small/conv.genome.json", "loihi2", Delays::Synaptic),
    ("tests/fixtures/clips.genome.json", "loihi2", Delays::Synaptic),
    ("tests/fixtures/frame.genome.json", "loihi2", Delays::Relay),
];

#[test]
fn every_class_of_change_is_rejected_and_named() {
    let mut applied = BTreeSet::new();
    for (genome, target, delays) in CASES {
        let (compiled, target) = compiled(genome, target, delays);
        let logical = compiled.stages.quantized.as_ref().expect("compiled through it");
        certify(logical, &compiled.program, &target.spec).expect("the artifact itself is right");
        for class in mutate::classes() {
            for seed in 0..3 {
                let mut broken: Program = compiled.program.clone();
                let Some(what) = mutate::apply(class, &mut broken, seed) else { continue };
                applied.insert(class);
                // The reader may already see that the program contradicts itself.
                let Ok(read) = program::read(&program::encode(&broken)) else { continue };
                let errors = certify(logical, &read, &target.spec)
                    .err()
                    .unwrap_or_else(|| panic!("{genome}: {class} ({what}) was accepted"));
                let named = errors.iter().any(|d| d.place.path.is_some());
                assert!(named, "{genome}: {class} ({what}) names no place:\n{errors}");
            }
        }
    }
    let missing: Vec<_> = mutate::classes().filter(|c| !applied.contains(c)).collect();
    assert!(missing.len() <= 1, "classes that no case can show: {missing:?}");
}

/// One weight, one threshold, one delay, one route of a file on disk: `verify` says that the file was
/// altered, and names the neuron.
#[test]
fn broken_registers_and_tables_name_the_neuron() {
    let place = Place::new();
    place.copy(CASES[0].0, "g.genome.json");
    place.copy("examples/digits/digits.safetensors", "digits.safetensors");
    place.run(&["compile", "g.genome.json", "--target", CASES[0].1, "-o", "art"]).exits(0);
    let whole = program::read(&place.read("art/program.snnb")).expect("a valid program");
    let expect = |change: &dyn Fn(&mut Program), population: &str| {
        let mut broken = whole.clone();
        change(&mut broken);
        place.write("art/program.snnb", program::encode(&broken));
        let said = place.run(&["verify", "g.genome.json", "art"]).exits(1);
        assert!(said.stderr.contains("error[SNN0832]"), "{}", said.stderr);
        let certificate = said.stderr.split("error[SNN07").nth(1).unwrap_or_else(|| {
            panic!("the certificate says nothing: {}", said.stderr);
        });
        assert!(
            certificate.contains(population) && certificate.contains("neuron"),
            "{certificate}"
        );
    };
    // A weight that is not zero belongs to a source with an axon, so it matters.
    let reweighted = |p: &mut Program| {
        let weights = &mut p.values[0];
        *weights.iter_mut().find(|w| **w > 2).expect("a weight") -= 2;
    };
    expect(&reweighted, "\"h1\"");
    expect(&|p| p.cores[0].thresholds[0] += 1, "\"h1\"");
    let delayed = |p: &mut Program| {
        let block = p.cores[0].synapses.iter_mut().find(|b| b.delay > 0).expect("the lateral one");
        block.delay -= 1;
    };
    expect(&delayed, "\"h1\"");
    // Two axons of the first route swapped: the first neuron's spikes arrive as the second's.
    let rerouted = |p: &mut Program| {
        let route = p.cores[0].routes[0];
        let one =
            |compartment, axon| snnc::ir::program::Route { compartment, axon, len: 1, ..route };
        let rest = snnc::ir::program::Route {
            compartment: route.compartment + 2,
            axon: route.axon + 2,
            len: route.len - 2,
            ..route
        };
        p.cores[0].routes.splice(
            0..1,
            [one(route.compartment, route.axon + 1), one(route.compartment + 1, route.axon), rest],
        );
    };
    expect(&rerouted, "neuron");
}
