//! Artifacts that are not what was compiled: every one that computes something else must be rejected, and every one
//! that is merely written otherwise must be proved equal.
//!
//! Mutants are made of the programs and files of [`subjects`]: those of shipped genomes and of random networks, of
//! which [`exports`] draws those that `network.net` holds. They go through bytes, as everything does that is verified:
//! what the reader refuses is rejected, too.

mod bytes;
mod equivalent;
pub mod exports;
pub mod layers;
mod rewritten;
mod subjects;
mod touched;

pub use subjects::{Subject, subjects};

use super::stimuli::{Draw, agree};
use rayon::prelude::*;
use snnc_backends::certify::netx::{Layout, Netx};
use snnc_backends::certify::{certify, mutate, netx};
use snnc_backends::program;
use snnc_ir::program::Program;
use std::collections::BTreeSet;

/// What must become of the mutants of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One number or entry of a table changed so that it matters: rejected.
    Broken,
    /// The same network, written otherwise: proved equal.
    Equivalent,
    /// Bytes changed anywhere: rejected, or proved equal and then really equal.
    Damaged,
    /// One number or layer of `network.net` changed: rejected, or proved equal (the leak of a relay, one neuron of a
    /// clock for another) and then really equal.
    Export,
}

impl Kind {
    /// As tables print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Equivalent => "equivalent",
            Self::Damaged => "damaged",
            Self::Export => "export",
        }
    }
}

/// What became of the mutants of one class.
#[derive(Clone, Debug)]
pub struct Tally {
    /// What must become of them.
    pub kind: Kind,
    /// The class.
    pub class: &'static str,
    /// Mutants, no two of them equal.
    pub made: u64,
    /// Of those, refused by the reader.
    pub unreadable: u64,
    /// Refused by the certificate.
    pub rejected: u64,
    /// Proved equal to the source.
    pub proved: u64,
    /// Of the rejected ones, those whose findings name nothing that the change touched.
    pub unnamed: u64,
    /// Of the proved ones, those that did the same on random stimuli.
    pub simulated: u64,
    /// Mutants that became what they must not become, in words.
    pub missed: Vec<String>,
}

impl Tally {
    const fn new(kind: Kind, class: &'static str) -> Self {
        Self {
            kind,
            class,
            made: 0,
            unreadable: 0,
            rejected: 0,
            proved: 0,
            unnamed: 0,
            simulated: 0,
            missed: Vec::new(),
        }
    }
}

/// How often all subjects are gone through to make mutants of a class.
const ROUNDS: u64 = 40;
/// Random stimuli on which a mutant that was proved equal must do the same.
const STIMULI: u64 = 3;

/// Makes `each` mutants of every class, or as many as the subjects allow, and says what became of them. The same for
/// the same `seed`, whatever the number of threads.
pub fn run(subjects: &[Subject], each: u64, seed: u64) -> Vec<Tally> {
    let broken = mutate::classes().map(|class| (Kind::Broken, class));
    let programs = equivalent::CLASSES.iter().map(|(class, _)| *class);
    let files = rewritten::CLASSES.iter().map(|(class, _)| *class);
    let equivalent = programs.chain(files).map(|class| (Kind::Equivalent, class));
    let damaged = bytes::CLASSES.iter().map(|class| (Kind::Damaged, *class));
    let export = mutate::netx::classes().map(|class| (Kind::Export, class));
    let all: Vec<_> = broken.chain(equivalent).chain(damaged).chain(export).collect();
    all.into_par_iter().map(|(kind, class)| one(subjects, each, seed, kind, class)).collect()
}

/// The mutants of one class.
fn one(subjects: &[Subject], each: u64, seed: u64, kind: Kind, class: &'static str) -> Tally {
    let mut tally = Tally::new(kind, class);
    if class == bytes::EVERY_TRUNCATION {
        for subject in subjects.iter().filter(|subject| subject.shipped) {
            for len in 0..subject.bytes.len() {
                judge(subject, &subject.bytes[..len], &format!("cut to {len} bytes"), &mut tally);
                tally.made += 1;
            }
        }
        return tally;
    }
    let mut seen = BTreeSet::new();
    let mut draw = Draw(class.bytes().fold(seed, |sum, byte| Draw(sum ^ u64::from(byte)).number()));
    let mut usable: Vec<&Subject> = subjects.iter().collect();
    for _ in 0..ROUNDS {
        let mut again = Vec::new();
        for subject in usable {
            let Some(mutant) = mutant(subject, kind, class, &mut draw) else { continue };
            again.push(subject);
            let Mutant { bytes, what, export } = mutant;
            if bytes == subject.bytes || !seen.insert(*blake3::hash(&bytes).as_bytes()) {
                continue;
            }
            if export {
                judge_export(subject, &bytes, &what, &mut tally);
            } else {
                judge(subject, &bytes, &what, &mut tally);
            }
            tally.made += 1;
            if tally.made == each {
                return tally;
            }
        }
        // Where no place was found, none is there.
        usable = again;
        if usable.is_empty() {
            break;
        }
    }
    tally
}

/// A changed file.
struct Mutant {
    bytes: Vec<u8>,
    /// What was changed, in words.
    what: String,
    /// Whether it is a `network.net`, not a program.
    export: bool,
}

/// One mutant of a subject; `None` if it has no place for the change.
fn mutant(subject: &Subject, kind: Kind, class: &'static str, draw: &mut Draw) -> Option<Mutant> {
    let of_program = |bytes, what| Some(Mutant { bytes, what, export: false });
    let of_export = |netx: &Netx, what| {
        let bytes = mutate::netx::encode(netx).ok()?;
        Some(Mutant { bytes, what, export: true })
    };
    match kind {
        Kind::Broken => {
            let mut changed: Program = subject.program.clone();
            let what = mutate::apply(class, &mut changed, draw.number())?;
            of_program(program::encode(&changed), what)
        }
        Kind::Equivalent => {
            if let Some((_, rewrite)) = rewritten::CLASSES.iter().find(|(name, _)| *name == class) {
                let mut changed = subject.netx.as_ref()?.0.clone();
                rewrite(&mut changed, draw)?;
                return of_export(&changed, class.to_owned());
            }
            let (_, rewrite) = equivalent::CLASSES.iter().find(|(name, _)| *name == class)?;
            let mut changed: Program = subject.program.clone();
            rewrite(&mut changed, draw)?;
            of_program(program::encode(&changed), class.to_owned())
        }
        Kind::Export => {
            let mut changed = subject.netx.as_ref()?.0.clone();
            let what = mutate::netx::apply(class, &mut changed, draw.number())?;
            of_export(&changed, what)
        }
        Kind::Damaged => {
            let mut changed = subject.bytes.clone();
            let what = bytes::damage(class, &mut changed, draw)?;
            of_program(changed, what)
        }
    }
}

/// Reads and certifies a changed `network.net`, and counts what came of it.
fn judge_export(subject: &Subject, bytes: &[u8], what: &str, tally: &mut Tally) {
    let Some((file, layout)) = &subject.netx else { return };
    let mut miss = |why: String| tally.missed.push(format!("{}: {what}: {why}", subject.name));
    let read = match netx::read(bytes) {
        Ok(read) => read,
        Err(found) => {
            tally.unreadable += 1;
            if tally.kind == Kind::Equivalent {
                miss(format!("cannot be read: {found}"));
            }
            return;
        }
    };
    let layout = &relocated(layout, file, &read);
    let proof = netx::certify(&subject.source, &subject.program, &read, layout, &subject.target);
    if let Err(found) = proof {
        tally.rejected += 1;
        tally.unnamed += u64::from(found.iter().all(|d| d.place.path.is_none()));
        if tally.kind == Kind::Equivalent {
            miss(format!("rejected: {found}"));
        }
        return;
    }
    tally.proved += 1;
    let same = netx::as_program(&read, layout, &subject.program)
        .map_err(|e| e.to_string())
        .and_then(|flat| agree(&subject.program, &flat, STIMULI))
        .and_then(|()| layers::alike(&subject.program, &read, layout, STIMULI));
    match same {
        Ok(()) => tally.simulated += 1,
        Err(why) => miss(format!("was accepted, and differs: {why}")),
    }
}

/// The layout for a file that has got or lost layers at one place: populations lie where their layers went, so that more
/// is wrong with such a file than its layout.
fn relocated(layout: &Layout, file: &Netx, changed: &Netx) -> Layout {
    let mut layout = layout.clone();
    let (old, new) = (file.layers.len(), changed.layers.len());
    let same = file.layers.iter().zip(&changed.layers).take_while(|(a, b)| a == b).count();
    // A layer that is gone takes its populations with it: they stay where the next one is now.
    let first = if new < old { same + old - new } else { same };
    for part in layout.populations.iter_mut().filter(|part| part.layer >= first) {
        part.layer = part.layer + new - old;
    }
    layout
}

/// Reads and certifies a mutant, and counts what came of it.
fn judge(subject: &Subject, bytes: &[u8], what: &str, tally: &mut Tally) {
    let mut miss = |why: String| tally.missed.push(format!("{}: {what}: {why}", subject.name));
    let read = match program::read(bytes) {
        Ok(read) => read,
        Err(found) => {
            tally.unreadable += 1;
            if tally.kind == Kind::Equivalent {
                miss(format!("cannot be read: {found}"));
            } else if found.iter().all(|d| d.place.path.is_none()) {
                tally.unnamed += 1;
            }
            return;
        }
    };
    let Err(found) = certify(&subject.source, &read, &subject.target) else {
        tally.proved += 1;
        if tally.kind == Kind::Broken {
            miss("was accepted".to_owned());
            return;
        }
        match agree(&subject.program, &read, STIMULI) {
            Ok(()) => tally.simulated += 1,
            Err(why) => miss(format!("was accepted, and differs: {why}")),
        }
        return;
    };
    tally.rejected += 1;
    if tally.kind == Kind::Equivalent {
        miss(format!("rejected: {found}"));
    } else if !touched::named(&subject.program, &read, &found) {
        tally.unnamed += 1;
        if tally.kind == Kind::Broken {
            miss(format!("rejected, but nothing that was changed is named: {found}"));
        }
    }
}
