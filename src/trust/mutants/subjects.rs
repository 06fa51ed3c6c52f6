//! The programs that mutants are made of.

use crate::pipeline::Delays;
use crate::source;
use crate::trust::readers::programs::{Case, cases};
use crate::trust::readers::source_of;
use crate::trust::stimuli::Draw;
use crate::{Options, Target};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rayon::prelude::*;
use snnc_backends::certify::netx::{Layout, Netx};
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
    /// Whether it is made of a shipped genome.
    pub shipped: bool,
    /// The network in logical time.
    pub source: QuantizedNetwork,
    /// What its program was made for.
    pub target: TargetSpec,
    /// The program.
    pub program: Program,
    /// The bytes of the program.
    pub bytes: Vec<u8>,
    /// `network.net` and where populations lie in it, if it can be exported.
    pub netx: Option<(Netx, Layout)>,
}

impl Subject {
    pub(super) fn of(name: String, shipped: bool, case: Case) -> Self {
        let Case { source, target, program, netx, .. } = case;
        let bytes = form::encode(&program);
        Self { name, shipped, source, target, program, bytes, netx }
    }
}

/// Largest program of a random network that is a subject, in bytes.
const LARGEST: usize = 20_000;

/// One in so many random networks has to have tables for the host; without looking for them there would be few.
const HOSTED: u64 = 8;
/// How many networks are drawn to find one that has.
const TRIES: u64 = 12;

/// Programs of shipped genomes, and of random networks, `random` of which are tried.
pub fn subjects(random: u64, seed: u64) -> Vec<Subject> {
    let shipped = cases().iter().map(|(name, case)| Subject::of(name.clone(), true, case.clone()));
    let drawn = (0..random).into_par_iter().filter_map(|n| drawn(n, seed));
    shipped.chain(drawn.collect::<Vec<_>>()).collect()
}

/// The program of a random network; `None` if it does not fit or is too large.
fn drawn(n: u64, seed: u64) -> Option<Subject> {
    let mut draw = Draw(seed.wrapping_mul(0x1_0000_0001).wrapping_add(n));
    let hosted = n.is_multiple_of(HOSTED);
    let kinds = [
        (Space::Graded, "loihi2"),
        (Space::Programmable, "loihi2"),
        (Space::Fixed, "loihi1"),
        (Space::Stages, "loihi2"),
    ];
    let (space, target) = kinds[if hosted { 0 } else { draw.below(kinds.len()) }];
    let delays = [Delays::Synaptic, Delays::Relay][draw.below(2)];
    let mut bytes = [0; 32];
    bytes.chunks_mut(8).for_each(|part| part.copy_from_slice(&draw.number().to_le_bytes()));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let networks = testing::quantized(space);
    let target = Target::find(target).ok()?;
    let options = Options { delays, ..Options::default() };
    (0..if hosted { TRIES } else { 1 }).find_map(|_| {
        let network = networks.new_tree(&mut runner).ok()?.current();
        if hosted && network.host.is_empty() {
            return None;
        }
        let level = source::verify(AnyDraft::Quantized(network)).ok()?;
        let compiled = crate::compile(&source_of(level), &target, &options).ok()?;
        let case = Case::of(compiled, target.spec.clone())?;
        let subject = Subject::of(format!("random network {n} of seed {seed}"), false, case);
        (subject.bytes.len() <= LARGEST).then_some(subject)
    })
}
