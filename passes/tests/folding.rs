//! Integer networks that are larger than they need to be: folding finds the smaller form again, and no spike
//! and no message changes.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "test networks are small"
)]

mod common;

use common::generate::Rng;
use common::integer::{Inputs, run};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use snnc_ir::arena::PopId;
use snnc_ir::network::Coding;
use snnc_ir::quantized::{IntMatrix, PopKind, Projection, QuantizedDraft};
use snnc_ir::testing::{Space, quantized};
use snnc_ir::{Entity, Level, QuantizedNetwork, Rules};
use snnc_passes::fold_integers::{Fold, FoldKind};
use snnc_passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};
use std::cell::Cell;
use std::collections::BTreeMap;

fn folded(draft: QuantizedDraft) -> (QuantizedDraft, Vec<Fold>) {
    let registry = Registry::standard();
    let pipeline = Pipeline::parse("fold-integers").expect("a pass");
    let network =
        QuantizedNetwork::verify(draft, &Rules::default()).unwrap_or_else(|e| panic!("{e}"));
    let level = AnyLevel::Quantized(network);
    let plan =
        plan(&registry, &pipeline, level.kind(), &PropertySet::of(&level)).expect("accepted");
    let outcome =
        plan.run(level, &common::target(), &mut ()).unwrap_or_else(|f| panic!("{}", f.diagnostics));
    let AnyLevel::Quantized(after) = outcome.level else { panic!("integers expected") };
    (after.into_draft(), outcome.folds)
}

/// Random spikes and samples by the names of inputs; every fourth seed sends nearly everything.
fn inputs(draft: &QuantizedDraft, seed: u64) -> Inputs {
    let percent = [10, 40, 70, 97][seed as usize % 4];
    let mut inputs = Inputs { spikes: Vec::new(), samples: Vec::new() };
    for population in draft.populations.values() {
        let letters = population.name.bytes();
        let name = letters.fold(7_u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
        let mut rng = Rng::new(seed ^ name);
        let (mut spikes, mut sample) = (Vec::new(), Vec::new());
        match &population.kind {
            PopKind::Input(Coding::Direct { range: Some([low, high]) }) => {
                let mut value =
                    || (*high as f32 - *low as f32).mul_add(rng.below(5) as f32 / 4.0, *low as f32);
                sample = (0..population.size()).map(|_| value()).collect();
            }
            PopKind::Input(_) => {
                let mut step = || (0..population.size()).map(|_| rng.chance(percent)).collect();
                spikes = (0..draft.steps).map(|_| step()).collect();
            }
            _ => {}
        }
        inputs.spikes.push(spikes);
        inputs.samples.push(sample);
    }
    inputs
}

type Trains = BTreeMap<String, Vec<Vec<i64>>>;

/// What every population sends, by name; populations stand for those that were folded into them.
fn trains(draft: &QuantizedDraft, folds: &[Fold], seed: u64) -> Trains {
    let run = run(draft, &inputs(draft, seed));
    let mut all = Trains::new();
    for (id, population) in draft.populations.iter() {
        for part in Fold::parts(folds, &population.name, population.size()) {
            let own = |step: &Vec<i64>| {
                if step.is_empty() { Vec::new() } else { step[part.neurons.clone()].to_vec() }
            };
            all.insert(part.name.clone(), run.sent[id.index()].iter().map(own).collect());
        }
    }
    all
}

fn all<S: Strategy>(strategy: &S, cases: u32, check: impl Fn(S::Value) -> usize) {
    let seen = Cell::new(0);
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1906),
        ..Config::default()
    };
    let result = TestRunner::new(config).run(strategy, |value| {
        seen.set(seen.get() + check(value));
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
    assert!(seen.get() > cases as usize / 4, "{} folds in {cases} cases", seen.get());
}

#[test]
fn folds_change_no_spike_and_no_message() {
    all(&(quantized(Space::Graded), any::<u64>()), 400, |(draft, seed)| {
        let (after, folds) = folded(draft.clone());
        for seed in [seed, seed ^ 1] {
            assert_eq!(trains(&draft, &[], seed), trains(&after, &folds, seed));
        }
        folds.len()
    });
}

/// The same weights with the exponent one lower or higher, where the set and the verifier allow it.
fn restored(matrix: &IntMatrix) -> Option<IntMatrix> {
    let moved = |by: i8| {
        let step = |m: i16| if by > 0 { (m % 2 == 0).then_some(m / 2) } else { m.checked_mul(2) };
        let mantissa = matrix.mantissa.iter().map(|&m| step(m)).collect::<Option<Vec<_>>>()?;
        let moved = IntMatrix { mantissa, exponent: matrix.exponent + by, ..matrix.clone() };
        is_sound(&moved).then_some(moved)
    };
    moved(1).or_else(|| moved(-1))
}

/// Half of all weights.
fn half(matrix: &IntMatrix) -> Option<IntMatrix> {
    let half = IntMatrix { exponent: matrix.exponent - 1, ..matrix.clone() };
    is_sound(&half).then_some(half)
}

fn is_sound(matrix: &IntMatrix) -> bool {
    let divisor = 1 << matrix.exponent.min(0).unsigned_abs();
    (-7..=7).contains(&matrix.exponent)
        && matrix.mantissa.iter().all(|&m| matrix.sign.stores(m) && m % divisor == 0)
}

/// Adds a twin of a population: what reads the one reads the other, both with half of the weights, or stays.
/// `None` if the population is read or fed in a way that has no twin.
fn with_twin(mut draft: QuantizedDraft, id: PopId, rng: &mut Rng) -> Option<QuantizedDraft> {
    let own = &draft.populations[id];
    let loops = draft.projections.values().any(|p| p.source == id && p.target == id);
    if own.is_input() || loops || draft.readout.populations().contains(&id) {
        return None;
    }
    let mut twin = own.clone();
    twin.name = format!("{}-twin", twin.name);
    let twin = draft.populations.push(twin);
    let hosts: Vec<_> = draft.host.iter().filter(|h| h.target == id).cloned().collect();
    for mut host in hosts {
        host.target = twin;
        draft.host.push(host);
    }
    for p in draft.projections.clone().values().filter(|p| p.target == id) {
        let matrix = restored(&draft.matrices[p.matrix]).map(|m| draft.matrices.push(m));
        let matrix = matrix.unwrap_or(p.matrix);
        draft.projections.push(Projection { target: twin, matrix, ..p.clone() });
    }
    for read in draft.projections.ids() {
        let p = draft.projections[read].clone();
        if p.source != id {
            continue;
        }
        match half(&draft.matrices[p.matrix]) {
            Some(half) if rng.chance(60) => {
                let matrix = draft.matrices.push(half);
                draft.projections[read].matrix = matrix;
                draft.projections.push(Projection { source: twin, matrix, ..p });
            }
            _ if rng.chance(50) => draft.projections[read].source = twin,
            _ => {}
        }
    }
    Some(draft)
}

/// Adds a projection of zeros from a population that sends spikes.
fn with_zeros(mut draft: QuantizedDraft, rng: &mut Rng) -> QuantizedDraft {
    let spiking = |draft: &QuantizedDraft, id: &PopId| draft.populations[*id].neuron().is_some();
    let ids: Vec<PopId> = draft.populations.ids().filter(|id| spiking(&draft, id)).collect();
    let pick = |rng: &mut Rng| ids[rng.below(ids.len() as u32) as usize];
    let (source, target) = (pick(rng), pick(rng));
    let [rows, cols] = [target, source].map(|id| draft.populations[id].size());
    let structure = snnc_ir::quantized::Structure::Dense { rows: rows as u32, cols: cols as u32 };
    let Some(any) = draft.matrices.values().next().cloned() else { return draft };
    let zero = IntMatrix { structure, mantissa: vec![0; rows * cols], exponent: 0, ..any };
    let matrix = draft.matrices.push(zero);
    draft.projections.push(Projection { source, target, matrix, delay: 1 + rng.below(3) });
    draft
}

#[test]
fn twins_and_zeros_fold_back() {
    all(&(quantized(Space::Graded), any::<u64>()), 400, |(draft, seed)| {
        let mut rng = Rng::new(seed);
        let ids: Vec<PopId> = draft.populations.ids().collect();
        let id = ids[rng.below(ids.len() as u32) as usize];
        let Some(larger) = with_twin(draft.clone(), id, &mut rng) else { return 0 };
        let larger = with_zeros(larger, &mut rng);
        let (small, _) = folded(draft.clone());
        let (after, folds) = folded(larger.clone());
        // Projections of the same ends are joined in pairs: after a detour, sometimes one pair more.
        let counts = |d: &QuantizedDraft| (d.populations.len(), d.projections.len());
        let (expected, found) = (counts(&small), counts(&after));
        assert!(found.0 == expected.0 && found.1 <= expected.1, "{found:?}, not {expected:?}");
        let mut before = trains(&draft, &[], seed);
        let twin = format!("{}-twin", draft.populations[id].name);
        before.insert(twin, before[&draft.populations[id].name].clone());
        assert_eq!(before, trains(&larger, &[], seed), "the twin changes nothing");
        assert_eq!(before, trains(&after, &folds, seed));
        assert!(folds.iter().any(|f| f.kind == FoldKind::Populations));
        assert!(folds.iter().any(|f| f.kind == FoldKind::Zero));
        folds.len()
    });
}
