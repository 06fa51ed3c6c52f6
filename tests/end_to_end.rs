//! Every shipped network through the library: read, compile, certify, publish, load, verify,
//! measure. The integer levels must agree on every spike; what cannot run on a target is refused by
//! name.

mod common;

use common::{Place, repo};
use snnc::artifact::{Artifact, publish};
use snnc::frontend::arrays::{Array, ArrayData, read_npz, write_npz};
use snnc::ir::diag::codes::{Code, mapping, quantize};
use snnc::ir::{Severity, TargetSpec};
use snnc::pipeline::Delays;
use snnc::stimulus::{self, Interface};
use snnc::verify::{Measurement, measure};
use snnc::{Options, Source, Target, compile, source, verify};
use std::path::Path;

/// Compiles, publishes, loads and proves; `Err` holds the code of the first error.
fn artifact(
    source: &Source,
    target: &str,
    delays: Delays,
    place: &Place,
) -> Result<Artifact, Code> {
    let target = Target::find(target).expect("a shipped target");
    let options = Options { delays, ..Options::default() };
    let compiled = compile(source, &target, &options).map_err(|failure| {
        assert!(failure.replay.is_none(), "{}", failure.diagnostics);
        let mut errors = failure.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        errors.next().expect("a failure has an error").code
    })?;
    let folder = place.path("art");
    publish::publish(&folder, &compiled.files, false).expect("a free place");
    let artifact = Artifact::load(&folder).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(artifact.program, compiled.program);
    assert_eq!(artifact.manifest, compiled.manifest);
    within_limits(&artifact, &target.spec);
    Ok(artifact)
}

fn within_limits(artifact: &Artifact, target: &TargetSpec) {
    let limits = snnc::describe::limits(target);
    assert_eq!(limits, artifact.manifest.limits);
    for core in &artifact.manifest.cores {
        for (name, used, limit) in core.used.against(&limits) {
            assert!(used <= limit, "{used} of {limit} {name}");
        }
    }
}

fn measured(source: &Source, artifact: &Artifact, npz: &Path, samples: usize) -> Measurement {
    let proof = verify(source, artifact).unwrap_or_else(|f| panic!("{}", f.diagnostics));
    let interface = Interface::of_quantized(proof.quantized().expect("the stage is there"));
    let stimuli =
        stimulus::read(npz, &interface, Some(0..samples)).unwrap_or_else(|d| panic!("{d}"));
    let measured = measure(source, &proof, artifact, &stimuli).unwrap_or_else(|d| panic!("{d}"));
    assert!(measured.integers_agree(), "{measured:?}");
    assert!(measured.artifact.spikes > 0, "a silent test shows nothing");
    measured
}

/// The membrane of `a` sinks in every step, and would leave its register two steps after the last logical one. The chain
/// behind `b`, which is late, makes the run last longer.
const SINKING: &str = r#"
snn 1 quantized
name "sinking"
steps 14
time logical

mat0 "strong" dense [1, 1] mixed exponent 7 from dense "strong" { 254 }
mat1 "one" dense [1, 1] mixed exponent 0 from dense "one" { 2 }
pop0 "x" [1] = logical input events
pop1 "a" [1] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias -524160
  refractory 1 order leak_input_fire update_period 1
pop2 "b" [1] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
pop3 "c" [1] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
pop4 "d" [1] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
pop5 "e" [1] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
proj0 pop0 -> pop1 mat0 delay 0
proj1 pop0 -> pop2 mat1 delay 0
proj2 pop2 -> pop3 mat1 delay 0
proj3 pop3 -> pop4 mat1 delay 0
proj4 pop4 -> pop5 mat1 delay 0
readout mean_linear bias { 0 0 }
  term pop1 { 1 0 }
  term pop5 { 0 1 }
"#;

/// What is certified runs, whatever happens behind the last logical step of a population.
#[test]
fn a_register_that_is_full_behind_the_last_logical_step_ends_no_run() {
    let place = Place::new();
    place.write("sinking.snn", SINKING);
    let spikes = Array { shape: vec![2, 14, 1], data: ArrayData::U8([[0; 14], [1; 14]].concat()) };
    let spikes = write_npz(&[("spikes".to_owned(), spikes)]).expect("an archive");
    place.write("s.npz", spikes);
    let source = source::read(&place.path("sinking.snn")).unwrap_or_else(|d| panic!("{d}"));
    for target in ["loihi1", "loihi2"] {
        let art = artifact(&source, target, Delays::Synaptic, &place).expect("it compiles");
        let end = art.program.populations.iter().find(|s| s.name == "a").map(|s| 14 + s.latency);
        assert!(u64::from(end.expect("its symbol")) + 2 < art.program.run_steps);
        measured(&source, &art, &place.path("s.npz"), 2);
        place.run(&["run", "art", "--stimulus", "s.npz"]).exits(0);
        let scheduled = ["run", "sinking.snn", "--target", target, "--level", "scheduled"];
        let traced = ["--stimulus", "s.npz", "--traces", "t.npz", "--probe", "a"];
        place.run(&[&scheduled[..], &traced].concat()).exits(0);
        let traces = read_npz(&place.path("t.npz")).expect("an archive");
        let v = traces.into_iter().find(|(name, _)| name == "v_a").expect("membranes of `a`").1;
        let ArrayData::I32(v) = &v.data else { panic!("{} for i32", v.data.type_name()) };
        assert_eq!(
            v.iter().min(),
            Some(&-8_388_607),
            "{target}: it fills its register, and no more"
        );
        std::fs::remove_dir_all(place.path("art")).expect("it was written");
    }
}

/// Fixtures and the code with which Loihi 1 refuses them.
const FIXTURES: [(&str, Option<Code>); 12] = [
    ("bias", None),
    ("clips", Some(quantize::NO_CONTRACT)),
    ("frame", Some(quantize::NO_CONTRACT)),
    ("heterogeneous", None),
    ("loop", None),
    ("loop_leaky", Some(mapping::UNBALANCED_LEAK)),
    ("refractory", None),
    ("signs", None),
    ("skip", None),
    ("split", None),
    ("subtract", Some(quantize::SUBTRACT)),
    ("thresholds", None),
];

fn fixtures(target: &str, delays: Delays, refused: impl Fn(Option<Code>) -> Option<Code>) {
    for (name, code) in FIXTURES {
        let genome = repo(&format!("tests/fixtures/{name}.genome.json"));
        let source = source::read(&genome).unwrap_or_else(|d| panic!("{d}"));
        let place = Place::new();
        match artifact(&source, target, delays, &place) {
            Ok(artifact) => {
                assert_eq!(refused(code), None, "{name} is to be refused");
                let npz = repo(&format!("tests/fixtures/{name}.npz"));
                measured(&source, &artifact, &npz, 10);
                let relays = artifact.manifest.populations.iter().any(|p| p.role == "relay");
                if name == "skip" {
                    assert_eq!(relays, delays == Delays::Relay);
                }
            }
            Err(found) => {
                assert_eq!(refused(code), Some(found), "{name}");
                assert!(place.names().is_empty());
            }
        }
    }
}

#[test]
fn fixtures_on_loihi_1() {
    fixtures("loihi1", Delays::Synaptic, |code| code);
}

#[test]
fn fixtures_on_loihi_1_with_relays() {
    fixtures("loihi1", Delays::Relay, |code| code);
}

#[test]
fn fixtures_on_loihi_2() {
    fixtures("loihi2", Delays::Synaptic, |_| None);
}

#[test]
fn fixtures_on_loihi_2_with_relays() {
    fixtures("loihi2", Delays::Relay, |_| None);
}

#[test]
fn a_program_that_differs_is_noticed_by_its_spikes() {
    let source = source::read(&repo("tests/fixtures/skip.genome.json")).expect("a genome");
    let place = Place::new();
    let mut artifact = artifact(&source, "loihi2", Delays::Synaptic, &place)
        .unwrap_or_else(|code| panic!("{code}"));
    let proof = verify(&source, &artifact).unwrap_or_else(|f| panic!("{}", f.diagnostics));
    // Behind the back of the certificate.
    for threshold in &mut artifact.program.cores[0].thresholds {
        *threshold += 1;
    }
    assert!(verify(&source, &artifact).is_err(), "the certificate sees it, too");
    let interface = Interface::of_quantized(proof.quantized().expect("the stage is there"));
    let npz = repo("tests/fixtures/skip.npz");
    let stimuli = stimulus::read(&npz, &interface, None).unwrap_or_else(|d| panic!("{d}"));
    let measured = measure(&source, &proof, &artifact, &stimuli).unwrap_or_else(|d| panic!("{d}"));
    assert!(!measured.integers_agree());
    assert_eq!(measured.schedule.differing, 0, "the networks are as they were");
    let first = measured.artifact.first.expect("a divergence");
    assert_eq!(first.fired, Some("scheduled"), "a higher threshold fires later: {first:?}");
}

#[test]
fn digits_keep_their_accuracy() {
    let source = source::read(&repo("examples/digits/digits.genome.json")).expect("a genome");
    let npz = repo("examples/digits/test.npz");
    for target in ["loihi1", "loihi2"] {
        let artifact = artifact(&source, target, Delays::Synaptic, &Place::new())
            .unwrap_or_else(|code| panic!("{code}"));
        let measured = measured(&source, &artifact, &npz, 360);
        let quantization = measured.quantization.expect("there is a float level");
        let correct = [quantization.float, quantization.quantized].map(|a| a.map(|a| a.correct));
        let [Some(float), Some(quantized)] = correct else { panic!("there are labels") };
        assert_eq!(float, 352);
        // Less than 0.3 points.
        assert!(quantized.abs_diff(float) <= 1, "{quantized}");
        assert!(quantization.total.ratio < 0.02, "{:?}", quantization.total);
        assert!(quantization.silenced.is_empty() && quantization.removed.is_empty());
    }
}

#[test]
fn mnist_fits_and_keeps_its_accuracy() {
    let source = source::read(&repo("examples/mnist/mnist.genome.json")).expect("a genome");
    let artifact = artifact(&source, "loihi1", Delays::Synaptic, &Place::new())
        .unwrap_or_else(|code| panic!("{code}"));
    assert!(artifact.manifest.cores.len() > 1, "it takes several cores");
    let measured = measured(&source, &artifact, &repo("examples/mnist/test.npz"), 40);
    let quantization = measured.quantization.expect("there is a float level");
    assert!(quantization.quantized.is_some_and(|a| a.correct >= 38), "{quantization:?}");
    assert!(quantization.same_prediction >= 39, "{quantization:?}");
}

#[test]
fn small_examples_compile_or_are_refused_by_name() {
    for (name, refused) in [
        ("conv", None),
        ("genes", None),
        ("skip", None),
        ("direct", Some([quantize::DIRECT_INPUT, quantize::INITIAL_MEMBRANE])),
    ] {
        let genome = repo(&format!("examples/small/{name}.genome.json"));
        let source = source::read(&genome).unwrap_or_else(|d| panic!("{d}"));
        let place = Place::new();
        match artifact(&source, "loihi2", Delays::Synaptic, &place) {
            Ok(artifact) => {
                assert_eq!(refused, None, "{name}");
                verify(&source, &artifact).unwrap_or_else(|f| panic!("{}", f.diagnostics));
            }
            Err(code) => {
                assert!(refused.is_some_and(|codes| codes.contains(&code)), "{name}: {code}");
            }
        }
    }
}
