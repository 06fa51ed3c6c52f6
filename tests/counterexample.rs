//! Where the checker refuses an artifact, a stimulus is looked for that shows why.

mod common;

use common::{Place, repo};
use snnc::artifact::Artifact;
use snnc::backends::certify::{certify, mutate};
use snnc::backends::program;
use snnc::ir::QuantizedNetwork;
use snnc::ir::program::Program;
use snnc::runtime::compare::{self, CoreSubject, IntSubject};
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::event::integer::IntSim;
use snnc::runtime::integer::IntProbe;
use snnc::stimulus::{self, Interface};
use snnc::verify::counterexample::{Counterexample, Search, search};
use snnc::{Options, Target, compile, source};

/// Repeats a counterexample from the file that is written of it: the same spike differs.
fn repeat(place: &Place, network: &QuantizedNetwork, program: &Program, found: &Counterexample) {
    place.write("s.npz", found.to_npz().expect("an archive"));
    let interface = Interface::of_quantized(network);
    let stimuli = stimulus::read(&place.path("s.npz"), &interface, None).expect("a stimulus");
    let stimulus = stimuli.stimulus(0).expect("a sample");
    let (left, right) = (IntSim::new(network).expect("runs"), CoreSim::new(program).expect("runs"));
    let a = left.run(&stimulus, &IntProbe::None).expect("the source runs");
    let stopped = match right.run(&stimulus, &CoreProbe::None) {
        Err(_) => true,
        Ok(b) => {
            let a = IntSubject { sim: &left, stimulus: &stimulus, run: &a };
            let b = CoreSubject { sim: &right, stimulus: &stimulus, run: &b };
            match compare::compare(&a, &b) {
                Err(_) => true,
                Ok(comparison) => {
                    let first = comparison.first.expect("they differ").divergence;
                    let shown = found.first.as_ref().expect("it says where");
                    assert_eq!(
                        (&first.population, first.neuron, first.step),
                        (&shown.population, shown.neuron, shown.step)
                    );
                    false
                }
            }
        }
    };
    assert_eq!(stopped, found.stops.is_some());
}

/// Of changes to real programs most are shown by a stimulus, and every stimulus shown does it.
#[test]
fn changes_are_shown_by_a_stimulus() {
    let place = Place::new();
    let (mut found, mut hidden, mut small) = (0, Vec::new(), 0);
    for (genome, target) in [
        ("tests/fixtures/skip.genome.json", "loihi2"),
        ("tests/fixtures/bias.genome.json", "loihi1"),
        ("tests/fixtures/frame.genome.json", "loihi2"),
    ] {
        let source = source::read(&repo(genome)).expect("a shipped genome");
        let target = Target::find(target).expect("a shipped target");
        let compiled = compile(&source, &target, &Options::default());
        let compiled = compiled.unwrap_or_else(|f| panic!("{}", f.diagnostics));
        let network = compiled.stages.quantized.as_ref().expect("compiled through it");
        for class in mutate::classes() {
            let mut broken = compiled.program.clone();
            let Some(what) = mutate::apply(class, &mut broken, 7) else { continue };
            let Ok(broken) = program::read(&program::encode(&broken)) else { continue };
            let differences = certify(network, &broken, &target.spec).expect_err("a change");
            match search(network, &broken, &differences) {
                Search::Found(example) => {
                    found += 1;
                    repeat(&place, network, &broken, &example);
                    let spikes: usize =
                        example.inputs.iter().filter_map(|i| i.spikes.as_ref()).map(Vec::len).sum();
                    small += usize::from(spikes <= 12);
                }
                Search::Nothing { why, .. } => {
                    hidden.push(format!("{genome}: {class} ({what}): {why:?}"));
                }
            }
        }
    }
    // Names, capacities, register formats and the like change nothing that spikes show.
    assert!(found > hidden.len(), "{hidden:#?}");
    assert!(2 * small > found, "{small} of {found}");
}

/// The command line shows it, writes it, and says when there is none.
#[test]
fn the_command_line_shows_it() {
    let place = Place::new();
    place.copy("tests/fixtures/skip.genome.json", "g.json");
    place.run(&["compile", "g.json", "-t", "loihi2", "-o", "art"]).exits(0);
    let whole = program::read(&place.read("art/program.snnb")).expect("a program");
    let mut broken = whole.clone();
    broken.cores[0].thresholds[0] += 20;
    place.write("art/program.snnb", program::encode(&broken));
    let verify = ["verify", "g.json", "art", "--counterexample", "shown.npz"];
    let said = place.run(&verify).exits(1);
    let shown = said.stderr.split("[SNN0721]").nth(1).unwrap_or_else(|| panic!("{}", said.stderr));
    for part in ["a counterexample", "membrane", "threshold", "only the source fires", "shown.npz"]
    {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }
    let report = place.run(&[&verify[..], &["--format", "json"]].concat()).exits(1).json();
    let all = report["diagnostics"].as_array().expect("a list");
    assert!(all.iter().any(|d| d["code"] == "SNN0721"), "{report}");
    // The file is one that `run` takes.
    place.run(&["run", "g.json", "--stimulus", "shown.npz"]).exits(0);
    place.run(&["verify", "--certificate", "art"]).exits(1);

    let mut renamed = whole;
    renamed.name.push('x');
    place.write("art/program.snnb", program::encode(&renamed));
    let network = Artifact::load_altered(&place.path("art"));
    assert!(network.is_err(), "the names differ");
    let said = place.run(&["verify", "--certificate", "art"]).exits(1);
    assert!(said.stderr.contains("no stimulus was found"), "{}", said.stderr);
}
