//! What is accepted is right, and what is right is accepted.

use super::compile::{Options, compile};
use super::fields::fields;
use super::random::{self, Rng};
use super::simulate::{agree, assert_bounds, stimulus};
use super::target;
use proptest::prelude::*;
use snnc_backends::certify::{certify, mutate};
use snnc_ir::QuantizedNetwork;
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::quantized::Structure;

/// A random source with a program; `None` if the options allow none.
pub(crate) fn pair(rng: &mut Rng) -> Option<(QuantizedNetwork, Program)> {
    let programmable = rng.chance(40);
    let source = random::source(rng, programmable).seal();
    let options = Options::random(rng, programmable);
    let program = compile(&source, options, rng)?;
    Some((source, program))
}

fn relays(source: &QuantizedNetwork) -> bool {
    source.populations.values().any(|p| p.graded().is_some())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]

    /// Correct programs are accepted, and do what the certificate says.
    #[test]
    fn correct_programs_are_accepted(seed in any::<u64>()) {
        let mut rng = Rng(seed);
        let Some((source, program)) = pair(&mut rng) else { return Ok(()) };
        let certificate = match certify(&source, &program, &target(&program.target)) {
            Ok(certificate) => certificate,
            // Chains of relays multiply; a few leave the accumulator.
            Err(why) if relays(&source) && why.iter().all(|d| d.code == code::OVERFLOW) => {
                return Ok(());
            }
            Err(why) => return Err(TestCaseError::fail(format!("{why}\n{program:?}"))),
        };
        for _ in 0..4 {
            let inputs = stimulus(&mut rng, &source);
            match agree(&source, &program, &inputs) {
                Ok(seen) => assert_bounds(&certificate, &seen),
                Err(why) => return Err(TestCaseError::fail(why)),
            }
        }
    }

    /// One number of any table changed: rejected, or nothing changes for any input tried.
    #[test]
    fn accepted_changes_change_nothing(seed in any::<u64>()) {
        let mut rng = Rng(seed);
        let Some((source, program)) = pair(&mut rng) else { return Ok(()) };
        for _ in 0..40 {
            let mut changed = program.clone();
            let what = nudge_one(&mut changed, &mut rng);
            if certify(&source, &changed, &target(&program.target)).is_err() {
                continue;
            }
            for _ in 0..6 {
                let inputs = stimulus(&mut rng, &source);
                if let Err(why) = agree(&source, &changed, &inputs) {
                    return Err(TestCaseError::fail(format!("{what}: {why}\n{changed:?}")));
                }
            }
        }
    }

    /// Tables full of nonsense are refused without a panic.
    #[test]
    fn nonsense_is_refused(seed in any::<u64>(), changes in 1_usize..6) {
        let mut rng = Rng(seed);
        let Some((source, program)) = pair(&mut rng) else { return Ok(()) };
        for _ in 0..20 {
            let mut changed = program.clone();
            for _ in 0..changes {
                let mut all = fields(&mut changed);
                let at = rng.range(0, u32::try_from(all.len()).expect("few")) as usize;
                let extreme = rng.pick(&[0, 1, 2, 255, 65_535, u64::from(u32::MAX), u64::MAX]);
                all[at].1.set(extreme);
            }
            let _verdict = certify(&source, &changed, &target(&program.target));
        }
    }

    /// No change of any class survives.
    #[test]
    fn changes_are_rejected(seed in any::<u64>(), class in 0..mutate::classes().count()) {
        let mut rng = Rng(seed);
        let Some((source, mut program)) = pair(&mut rng) else { return Ok(()) };
        let before = program.clone();
        let class = mutate::classes().nth(class).expect("an index of a class");
        let Some(what) = mutate::apply(class, &mut program, rng.next()) else {
            prop_assert_eq!(before, program, "{} changed something and did not say so", class);
            return Ok(());
        };
        prop_assert_ne!(&before, &program, "{}: {}", class, what);
        let verdict = certify(&source, &program, &target(&before.target));
        prop_assert!(verdict.is_err(), "{} survived: {}\n{:?}", class, what, program);
    }
}

/// The random programs hold what a certificate has to deal with.
#[test]
fn random_programs_are_rich() {
    let mut rng = Rng(5);
    let mut found = [0; 12];
    for _ in 0..500 {
        let Some((source, p)) = pair(&mut rng) else { continue };
        let certified = certify(&source, &p, &target(&p.target)).is_ok();
        let graded = |of_source: bool| {
            certified
                && p.cores.iter().any(|core| {
                    core.compartments.iter().any(|run| {
                        let role = &p.populations[run.population as usize].role;
                        core.profiles[run.cycle[0].profile as usize].graded.is_some()
                            && (*role == SymbolRole::Neurons) == of_source
                    })
                })
        };
        let role = |wanted: fn(&SymbolRole) -> bool| p.populations.iter().any(|s| wanted(&s.role));
        let features = [
            p.period > 1,
            p.cores.iter().flat_map(|c| &c.profiles).any(|profile| profile.update.0 > 1),
            role(|r| *r == SymbolRole::Clock),
            role(|r| matches!(r, SymbolRole::Relay { hops, .. } if *hops > 1)),
            p.matrices.iter().any(|m| matches!(m.structure, Structure::Conv(_))),
            p.cores.iter().any(|c| c.routes.len() > 8),
            graded(true),
            graded(false),
            graded(true) && p.period > 1,
            certified && !p.host.is_empty(),
            graded(true) && !p.host.is_empty(),
            p.matrices
                .iter()
                .any(|m| matches!(&m.structure, Structure::Conv(c) if c.crop != [0; 4])),
        ];
        for (count, present) in found.iter_mut().zip(features) {
            *count += usize::from(present);
        }
    }
    assert!(found.iter().all(|&n| n >= 10), "{found:?}");
}

/// Moves one number of a program by one.
fn nudge_one(program: &mut Program, rng: &mut Rng) -> String {
    let up = rng.chance(50);
    let mut all = fields(program);
    let at = rng.range(0, u32::try_from(all.len()).expect("few")) as usize;
    let (name, field) = &mut all[at];
    let old = field.get();
    field.set(if up { old.wrapping_add(1) } else { old.wrapping_sub(1) });
    format!("{name}: {old} became {}", field.get())
}

/// Some changes of one number leave the computation as it is, and are accepted: otherwise
/// `accepted_changes_change_nothing` would show nothing.
#[test]
fn harmless_changes_are_accepted() {
    let mut rng = Rng(7);
    let mut harmless = std::collections::BTreeMap::new();
    for _ in 0..60 {
        let Some((source, program)) = pair(&mut rng) else { continue };
        for _ in 0..60 {
            let mut changed = program.clone();
            let what = nudge_one(&mut changed, &mut rng);
            if certify(&source, &changed, &target(&program.target)).is_ok() {
                let kind = what.split(':').next().unwrap_or_default().to_owned();
                *harmless.entry(kind).or_insert(0) += 1;
            }
        }
    }
    let kinds: Vec<&String> = harmless.keys().collect();
    insta::assert_debug_snapshot!(kinds);
}
