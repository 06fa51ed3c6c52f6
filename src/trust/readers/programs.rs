//! Programs and manifests of artifacts.

use super::{Outcome, refused, repository, text};
use crate::artifact::Manifest;
use crate::{Options, Target, source};
use snnc_backends::certify::certify;
use snnc_backends::program as form;
use snnc_ir::program::Program;
use snnc_ir::{QuantizedNetwork, TargetSpec};
use snnc_runtime::cores::{CoreProbe, simulate};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A source and the program that was made of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The network in logical time.
    pub source: QuantizedNetwork,
    /// What its program was made for.
    pub target: TargetSpec,
    /// The program.
    pub program: Program,
}

/// Genomes of the cases, with their targets; the names of their networks differ.
const GENOMES: [(&str, &str); 9] = [
    ("tests/fixtures/skip.genome.json", "loihi2"),
    ("tests/fixtures/loop.genome.json", "loihi1"),
    ("tests/fixtures/bias.genome.json", "loihi1"),
    ("tests/fixtures/thresholds.genome.json", "loihi1"),
    ("tests/fixtures/loop_leaky.genome.json", "loihi2"),
    ("tests/fixtures/subtract.genome.json", "loihi2"),
    ("examples/small/conv.genome.json", "loihi2"),
    ("tests/fixtures/clips.genome.json", "loihi2"),
    ("tests/fixtures/frame.genome.json", "loihi2"),
];

/// Small networks with their programs, by the name of the network.
///
/// # Panics
/// If a fixture does not compile.
pub fn cases() -> &'static BTreeMap<String, Case> {
    static CASES: OnceLock<BTreeMap<String, Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let compiled = GENOMES.iter().map(|(genome, target)| {
            let source = source::read(&repository(genome)).expect("a fixture");
            let target = Target::find(target).expect("a target that is built in");
            let compiled = crate::compile(&source, &target, &Options::default());
            let compiled = compiled.unwrap_or_else(|f| panic!("{genome}: {}", f.diagnostics));
            let source = compiled.stages.quantized.expect("compiled through it");
            let program = compiled.program;
            (program.name.clone(), Case { source, target: target.spec, program })
        });
        let cases: BTreeMap<_, _> = compiled.collect();
        assert_eq!(cases.len(), GENOMES.len(), "two networks have one name");
        cases
    })
}

/// Longest run that is simulated here, in hardware steps.
const STEPS: u64 = 2000;

/// `program.snnb`: what is read is written and read again as the same. If it names a network of [`cases`], the
/// certificate holds it against that one: what it proves equal, does the same on random stimuli.
pub(super) fn program(bytes: &[u8]) -> Outcome {
    let read = match form::read(bytes) {
        Ok(read) => read,
        Err(found) => return refused(&found),
    };
    let encoded = form::encode(&read);
    let again = form::read(&encoded).unwrap_or_else(|found| panic!("encoded: {found}"));
    // The readout holds floats, which may be no numbers, so bytes are compared.
    assert!(form::encode(&again) == encoded, "another program");
    if let Some(case) = cases().get(&read.name) {
        match certify(&case.source, &read, &case.target) {
            Ok(_) => crate::trust::stimuli::agree(&case.program, &read, 2)
                .unwrap_or_else(|why| panic!("proved equal, and differs: {why}")),
            Err(found) => drop(refused(&found)),
        }
        // Tables that contradict the source, or each other, are the simulator's to refuse.
        if read.run_steps <= STEPS
            && let Ok(stimulus) = crate::trust::stimuli::stimulus(&read, 1)
        {
            let _ = simulate(&read, &stimulus, &CoreProbe::None);
        }
    }
    Outcome::Read
}

/// `manifest.json`: what is read is written, and read again as the same.
pub(super) fn manifest(bytes: &[u8]) -> Outcome {
    let Some(text) = text(bytes) else { return Outcome::Refused };
    let read = match Manifest::parse(text) {
        Ok(read) => read,
        Err(found) => return refused(&found.into()),
    };
    let written = String::from_utf8(read.to_bytes()).expect("JSON is text");
    let again = Manifest::parse(&written).unwrap_or_else(|found| panic!("{found:?}\n{written}"));
    assert!(again == read, "another manifest: {written}");
    Outcome::Read
}
