//! Programs and manifests of artifacts.

use super::{Outcome, refused, repository, text};
use crate::artifact::manifest::NetxEntry;
use crate::artifact::publish::Entry;
use crate::artifact::{CERTIFICATE, Manifest};
use crate::verify::recheck;
use crate::{Compiled, Options, Target, source};
use snnc_backends::certify::netx::{self, Layout, Netx};
use snnc_backends::certify::{certify, mutate};
use snnc_backends::{NETX_FILE, program as form};
use snnc_ir::program::Program;
use snnc_ir::{QuantizedNetwork, TargetSpec};
use snnc_runtime::cores::{CoreProbe, simulate};
use std::collections::BTreeMap;
use std::sync::{Once, OnceLock};

/// A source and the program that was made of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The network in logical time.
    pub source: QuantizedNetwork,
    /// What its program was made for.
    pub target: TargetSpec,
    /// The program.
    pub program: Program,
    /// `network.net` and where populations lie in it, if it can be exported.
    pub netx: Option<(Netx, Layout)>,
    /// All files of the artifact.
    pub files: Vec<Entry>,
}

impl Case {
    /// The case of what was compiled.
    ///
    /// # Panics
    /// If the NetX file that was written cannot be read.
    pub fn of(compiled: Compiled, target: TargetSpec) -> Option<Self> {
        let layout = match compiled.manifest.netx {
            Some(NetxEntry::Layout(layout)) => Some(layout),
            Some(NetxEntry::LeftOut(_)) | None => None,
        };
        let netx = layout.map(|layout| {
            let file = compiled.files.iter().find(|f| f.name == NETX_FILE).expect("it is listed");
            let read = netx::read(&file.bytes);
            (read.unwrap_or_else(|found| panic!("{NETX_FILE} was written: {found}")), layout)
        });
        let (program, files) = (compiled.program, compiled.files);
        Some(Self { source: compiled.stages.quantized?, target, program, netx, files })
    }
}

/// Genomes of the cases, with their targets; the names of their networks differ.
const GENOMES: [(&str, &str); 10] = [
    ("tests/fixtures/netx/chain.snn", "loihi2"),
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
            let case = Case::of(compiled, target.spec).expect("compiled through integers");
            (case.program.name.clone(), case)
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

/// `network.net`: what is read is written by the checker's test kit and read again as the same. It is held against every
/// case that has such a file: what is proved equal, does the same on random stimuli.
pub(super) fn netx(bytes: &[u8]) -> Outcome {
    let read = match netx::read(bytes) {
        Ok(read) => read,
        Err(found) => return refused(&found),
    };
    let written = mutate::netx::encode(&read).expect("HDF5 holds every decoded file");
    let again = netx::read(&written).unwrap_or_else(|found| panic!("written: {found}"));
    assert!(again == read, "another file");
    for case in cases().values() {
        let Some((_, layout)) = &case.netx else { continue };
        match netx::certify(&case.source, &case.program, &read, layout, &case.target) {
            Ok(_) => {
                let flat = netx::as_program(&read, layout, &case.program).expect("it is proved");
                crate::trust::stimuli::agree(&case.program, &flat, 2)
                    .unwrap_or_else(|why| panic!("proved equal, and differs: {why}"));
            }
            Err(found) => drop(refused(&found)),
        }
    }
    Outcome::Read
}

/// `certificate.json` of one artifact: only the one that was written is proved again.
pub(super) fn certificate(bytes: &[u8]) -> Outcome {
    static GENUINE: Once = Once::new();
    let case = cases().get("skip").expect("a case of this name");
    let written = case.files.iter().find(|file| file.name == CERTIFICATE);
    let written = &written.expect("an artifact has a certificate").bytes;
    GENUINE.call_once(|| assert_eq!(beside(case, written), Outcome::Read, "the one that holds"));
    let outcome = beside(case, bytes);
    assert!(outcome == Outcome::Refused || written == bytes, "another certificate holds");
    outcome
}

/// The certificate in `bytes` beside the other files of the artifact.
fn beside(case: &Case, bytes: &[u8]) -> Outcome {
    let folder = tempfile::tempdir_in(super::scratch()).expect("the temporary folder is writable");
    for file in &case.files {
        let bytes = if file.name == CERTIFICATE { bytes } else { &file.bytes };
        std::fs::write(folder.path().join(&file.name), bytes).expect("there is room");
    }
    match recheck(folder.path()) {
        Ok(_) => Outcome::Read,
        Err(found) => refused(&found),
    }
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
