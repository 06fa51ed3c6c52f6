//! The programs that mutants are made of.

use crate::pipeline::Delays;
use crate::source::{self, Source};
use crate::trust::readers::programs::cases;
use crate::trust::stimuli::Draw;
use crate::{Options, Target};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rayon::prelude::*;
use snnc_backends::program as form;
use snnc_ir::level::AnyDraft;
use snnc_ir::program::Program;
use snnc_ir::testing::{self, Space};
use snnc_ir::{QuantizedNetwork, TargetSpec};

/// A source with its program.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it is called here.
    pub name: String,
    /// The network in logical time.
    pub source: QuantizedNetwork,
    /// What its program was made for.
    pub target: TargetSpec,
    /// The program.
    pub program: Program,
    /// The bytes of the program.
    pub bytes: Vec<u8>,
}

/// Largest program of a random network that is a subject, in bytes.
const LARGEST: usize = 20_000;

/// Programs of shipped genomes, and of random networks, `random` of which are tried.
pub fn subjects(random: u64, seed: u64) -> Vec<Subject> {
    let shipped = cases().iter().map(|(name, case)| Subject {
        name: name.clone(),
        source: case.source.clone(),
        target: case.target.clone(),
        program: case.program.clone(),
        bytes: form::encode(&case.program),
    });
    let drawn = (0..random).into_par_iter().filter_map(|n| drawn(n, seed));
    shipped.chain(drawn.collect::<Vec<_>>()).collect()
}

/// The program of a random network; `None` if it does not fit or is too large.
fn drawn(n: u64, seed: u64) -> Option<Subject> {
    let mut draw = Draw(seed.wrapping_mul(0x1_0000_0001).wrapping_add(n));
    let (space, target) = [
        (Space::Programmable, "loihi2"),
        (Space::Fixed, "loihi1"),
        (Space::Graded, "loihi2"),
        (Space::Stages, "loihi2"),
    ][draw.below(4)];
    let delays = [Delays::Synaptic, Delays::Relay][draw.below(2)];
    let mut bytes = [0; 32];
    bytes.chunks_mut(8).for_each(|part| part.copy_from_slice(&draw.number().to_le_bytes()));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let network = testing::quantized(space).new_tree(&mut runner).ok()?.current();
    let level = source::verify(AnyDraft::Quantized(network)).ok()?;
    let source: Source = crate::trust::readers::source_of(level);
    let target = Target::find(target).ok()?;
    let options = Options { delays, ..Options::default() };
    let compiled = crate::compile(&source, &target, &options).ok()?;
    let program = compiled.program;
    let bytes = form::encode(&program);
    let source = compiled.stages.quantized?;
    let name = format!("random network {n} of seed {seed}");
    (bytes.len() <= LARGEST).then_some(Subject {
        name,
        source,
        target: target.spec,
        program,
        bytes,
    })
}
