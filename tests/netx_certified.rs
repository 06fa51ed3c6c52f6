//! `network.net` is certified like the program, and no changed one is.

#![expect(clippy::print_stdout, reason = "a summary for those who ask for it")]

mod common;

use common::{Place, repo};
use snnc::artifact::manifest::NetxEntry;
use snnc::backends::certify::mutate::netx as mutate;
use snnc::backends::certify::netx::{self, Layout, Netx};
use snnc::ir::QuantizedNetwork;
use snnc::ir::program::Program;
use snnc::ir::spikes::SpikeTrain;
use snnc::pipeline::Delays;
use snnc::runtime::Stimulus;
use snnc::runtime::compare::{self, CoreSubject, IntSubject};
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::event::integer::IntSim;
use snnc::runtime::integer::IntProbe;
use snnc::trust::mutants::{exports, layers};
use snnc::{Compiled, Options, Target, compile, source};
use std::collections::BTreeSet;

const CASES: [(&str, &str, Delays); 9] = [
    ("examples/digits/digits.genome.json", "loihi1", Delays::Relay),
    ("examples/small/conv.genome.json", "loihi2", Delays::Synaptic),
    ("tests/fixtures/skip.genome.json", "loihi2", Delays::Relay),
    ("tests/fixtures/loop.genome.json", "loihi1", Delays::Relay),
    ("tests/fixtures/bias.genome.json", "loihi1", Delays::Relay),
    ("tests/fixtures/thresholds.genome.json", "loihi1", Delays::Relay),
    ("tests/fixtures/loop_leaky.genome.json", "loihi2", Delays::Relay),
    ("tests/fixtures/heterogeneous.genome.json", "loihi1", Delays::Synaptic),
    ("tests/fixtures/netx/chain.snn", "loihi2", Delays::Synaptic),
];

/// An artifact with a NetX file: the compilation, the file decoded, and where populations lie in it.
fn exported(case: (&str, &str, Delays)) -> Option<(Compiled, Target, Netx, Layout)> {
    let source = source::read(&repo(case.0)).expect("a shipped genome");
    let target = Target::find(case.1).expect("a shipped target");
    let mut options = Options { delays: case.2, ..Options::default() };
    if case.0.ends_with(".genome.json") {
        // Integer weights that a NetX file holds.
        options.recipe.settings.weight_bits = 7;
        options.recipe.settings.max_exponent = 0;
    }
    let compiled =
        compile(&source, &target, &options).unwrap_or_else(|f| panic!("{}", f.diagnostics));
    let Some(NetxEntry::Layout(layout)) = compiled.manifest.netx.clone() else { return None };
    let file = compiled.files.iter().find(|f| f.name == "network.net").expect("it is exported");
    let file = netx::read(&file.bytes).unwrap_or_else(|e| panic!("{}: {e}", case.0));
    Some((compiled, target, file, layout))
}

#[test]
fn every_class_of_change_to_an_export_is_rejected() {
    let (mut applied, mut files) = (BTreeSet::new(), 0);
    let (mut rejected, mut equivalent, mut shown) = (0, 0, 0);
    for case in CASES {
        let Some((compiled, target, file, layout)) = exported(case) else { continue };
        files += 1;
        let logical = compiled.stages.quantized.as_ref().expect("compiled through it");
        let certify = |file: &Netx, layout: &Layout| {
            netx::certify(logical, &compiled.program, file, layout, &target.spec)
        };
        let proof = certify(&file, &layout).unwrap_or_else(|e| panic!("{}: {e}", case.0));
        assert!(proof.synapses > 0);
        for class in mutate::classes() {
            for seed in 0..6 {
                let mut broken = file.clone();
                let Some(what) = mutate::apply(class, &mut broken, seed) else { continue };
                applied.insert(class);
                // Through bytes: what the test kit writes is what is read.
                let bytes = mutate::encode(&broken).expect("HDF5");
                assert_eq!(netx::read(&bytes).expect("readable"), broken);
                let Err(errors) = certify(&broken, &layout) else {
                    // The leak of a relay, say, or one neuron of a clock for another.
                    same(logical, &compiled.program, &broken, &layout)
                        .unwrap_or_else(|why| panic!("{}: {class} ({what}): {why}", case.0));
                    equivalent += 1;
                    continue;
                };
                rejected += 1;
                // What judges files that were accepted sees some of those that were not, too.
                if seed == 0 {
                    let fires = layers::alike(&compiled.program, &broken, &layout, 2);
                    shown += u32::from(fires.is_err());
                }
                assert!(errors.iter().any(|d| d.place.path.is_some()), "{class}: {errors}");
            }
        }
        // Two populations that change places.
        let mut moved = layout.clone();
        if let Some(at) = moved.populations.windows(2).position(|w| w[0].len == w[1].len) {
            let name = moved.populations[at].population.clone();
            moved.populations[at].population =
                std::mem::replace(&mut moved.populations[at + 1].population, name);
            certify(&file, &moved).expect_err("populations are swapped");
        }
        let mut less = layout.clone();
        less.populations.pop();
        certify(&file, &less).expect_err("a population has no place");
    }
    println!(
        "{files} files: {rejected} changes rejected, {equivalent} accepted and alike; \
         {shown} of the rejected ones of the first seed differ in a run"
    );
    assert!(shown > rejected / 18, "only {shown} differ in a run");
    assert!(files >= 5, "{files} of {} cases have a NetX file", CASES.len());
    assert!(rejected > 20 * equivalent, "{rejected} rejected, {equivalent} equivalent");
    let missing: Vec<_> = mutate::classes().filter(|c| !applied.contains(c)).collect();
    assert!(missing.is_empty(), "classes that no case can show: {missing:?}");
}

/// Runs the network and the file on random spikes: what was accepted must do the same.
fn same(
    logical: &QuantizedNetwork,
    program: &Program,
    file: &Netx,
    layout: &Layout,
) -> Result<(), String> {
    let flat = netx::as_program(file, layout, program).expect("it was accepted");
    let left = IntSim::new(logical).expect("it is small");
    let right = CoreSim::new(&flat).map_err(|e| e.to_string())?;
    let mut state = 1_u64;
    for percent in [3, 20, 50, 80, 100] {
        let inputs = left.inputs().iter().map(|&id| {
            let neurons = logical.populations[id].size();
            let mut train = SpikeTrain::new(logical.steps as usize, neurons);
            for cell in 0..logical.steps as usize * neurons {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if (state >> 33) % 100 < percent {
                    train.set(cell / neurons, cell % neurons);
                }
            }
            train
        });
        let stimulus = Stimulus::from(inputs.collect::<Vec<_>>());
        let a = left.run(&stimulus, &IntProbe::None).map_err(|e| e.to_string())?;
        let b = right.run(&stimulus, &CoreProbe::None).map_err(|e| e.to_string())?;
        let a = IntSubject { sim: &left, stimulus: &stimulus, run: &a };
        let b = CoreSubject { sim: &right, stimulus: &stimulus, run: &b };
        let found = compare::compare(&a, &b).map_err(|e| e.to_string())?;
        if let Some(first) = found.first {
            return Err(format!("it was accepted and differs: {:?}", first.divergence));
        }
    }
    // All of that is the file as the checker reads it.
    layers::alike(program, file, layout, 3)
}

/// What a file holds, for the account of what random ones did.
fn features(file: &Netx) -> BTreeSet<String> {
    let mut features = BTreeSet::new();
    let mut add = |name: &str, holds: bool| holds.then(|| features.insert(name.to_owned()));
    for layer in &file.layers {
        let netx::Layer::Neurons(neurons) = layer else {
            add("flatten", *layer == netx::Layer::Flatten);
            continue;
        };
        add("bias", neurons.bias.is_some());
        let parameters = [&neurons.current_decay, &neurons.membrane_decay, &neurons.threshold];
        for extents in parameters.map(|parameter| parameter.shape.len()) {
            add(&format!("parameters of {extents} extents"), true);
        }
        match &neurons.synapses {
            netx::Synapses::Dense { recurrent, delay, .. } => {
                add("a matrix", recurrent.is_none());
                add("a matrix back", recurrent.is_some());
                add("one delay", delay.as_ref().is_some_and(|d| d.shape.is_empty()));
                add("a delay for each synapse", delay.as_ref().is_some_and(|d| d.shape.len() == 2));
            }
            netx::Synapses::Conv {
                weight,
                stride: [high, wide],
                padding: [tall, broad],
                groups,
            } => {
                add("a stride", high * wide > 1);
                add("two strides", high != wide);
                add("a padding", tall + broad > 0);
                add("two paddings", tall != broad);
                add("groups", *groups > 1);
                add("pooling", weight.shape[2..] == [*high as usize, *wide as usize]);
            }
        }
    }
    features
}

/// Random networks of layers: files as they are written are proved, and fire as their sources do.
#[test]
fn random_layers_are_certified_and_fire_alike() {
    const TRIED: u64 = 160;
    let (mut files, mut features_met) = (0, BTreeSet::new());
    for n in 0..TRIED {
        let subject = exports::layered(n, 7).unwrap_or_else(|why| panic!("{why}"));
        let Some((subject, (file, layout))) =
            subject.as_ref().and_then(|s| Some((s, s.netx.as_ref()?)))
        else {
            continue;
        };
        exports::unchanged(subject).unwrap_or_else(|why| panic!("{why}"));
        same(&subject.source, &subject.program, file, layout)
            .unwrap_or_else(|why| panic!("{}: {why}", subject.name));
        files += 1;
        features_met.extend(features(file));
    }
    assert!(files > TRIED / 2, "{files} of {TRIED} have a file");
    let expected = [
        "flatten",
        "bias",
        "parameters of 0 extents",
        "parameters of 1 extents",
        "parameters of 3 extents",
        "a matrix",
        "a matrix back",
        "one delay",
        "a delay for each synapse",
        "a stride",
        "two strides",
        "a padding",
        "two paddings",
        "groups",
        "pooling",
    ];
    let missing: Vec<_> = expected.iter().filter(|f| !features_met.contains(**f)).collect();
    assert!(missing.is_empty(), "{missing:?} is never met");
}

/// The lines in which two files differ.
fn difference(a: &Netx, b: &Netx) -> String {
    let [a, b] = [a, b].map(|netx| format!("{netx:#?}"));
    let lines = a.lines().zip(b.lines()).enumerate().filter(|(_, (a, b))| a != b);
    let lines: Vec<_> =
        lines.take(6).map(|(i, (a, b))| format!("\nline {i}: {a} was {b}")).collect();
    lines.concat()
}

/// Any byte of a file: the reader refuses it, or the checker does, or what is read does the same.
#[test]
fn damaged_bytes_are_never_another_network() {
    let case = ("tests/fixtures/skip.genome.json", "loihi2", Delays::Relay);
    let (compiled, target, file, layout) = exported(case).expect("it has a NetX file");
    let logical = compiled.stages.quantized.as_ref().expect("compiled through it");
    let bytes = compiled.files.iter().find(|f| f.name == "network.net").expect("exported");
    let bytes = &bytes.bytes;
    let (mut unreadable, mut other) = (0, 0);
    for at in (0..bytes.len()).step_by(bytes.len() / 400 + 1) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let Ok(read) = netx::read(&damaged) else {
            unreadable += 1;
            continue;
        };
        if read != file {
            other += 1;
            let certified = netx::certify(logical, &compiled.program, &read, &layout, &target.spec);
            if certified.is_ok() {
                same(logical, &compiled.program, &read, &layout)
                    .unwrap_or_else(|why| panic!("byte {at}: {why}: {}", difference(&read, &file)));
            }
        }
    }
    assert!(unreadable > 10 && other > 10, "{unreadable} unreadable, {other} different");
}

/// What the loader makes of weights that no writer of ours writes.
#[test]
fn weights_that_the_loader_changes_are_refused() {
    let case = ("tests/fixtures/skip.genome.json", "loihi2", Delays::Relay);
    let (compiled, target, mut file, layout) = exported(case).expect("it has a NetX file");
    for layer in &mut file.layers {
        if let netx::Layer::Neurons(neurons) = layer
            && let netx::Synapses::Dense { weight, .. } = &mut neurons.synapses
        {
            weight.values.iter_mut().for_each(|w| *w *= 100);
        }
    }
    let logical = compiled.stages.quantized.as_ref().expect("compiled through it");
    let errors = netx::certify(logical, &compiled.program, &file, &layout, &target.spec);
    let errors = errors.expect_err("the loader cannot scale them");
    assert!(errors.iter().any(|d| d.code.to_string() == "SNN0637"), "{errors}");
}

/// The command line: the certificate speaks about the file, and an altered file is another one.
#[test]
fn the_certificate_of_an_artifact_covers_its_export() {
    let place = Place::new();
    place.copy("tests/fixtures/skip.genome.json", "g.json");
    place.run(&["compile", "g.json", "-t", "loihi2", "--delays", "relay", "-o", "art"]).exits(0);
    let text = String::from_utf8(place.read("art/certificate.json")).expect("UTF-8");
    assert!(text.contains("NetX loads network.net as"), "{text}");
    place.run(&["verify", "--certificate", "art"]).exits(0);
    let mut bytes = place.read("art/network.net");
    let at = bytes.len() / 2;
    bytes[at] ^= 64;
    place.write("art/network.net", bytes);
    let said = place.run(&["verify", "--certificate", "art"]).exits(1);
    assert!(said.stderr.contains("error[SNN0719]"), "{}", said.stderr);
}
