//! Every seeded bug is found, and the pass or writer that has it is named.

use snnc::passes::Registry;
use snnc::trust::bugs;
use std::collections::BTreeSet;

#[test]
fn every_pass_and_writer_has_a_bug() {
    let registry = Registry::standard();
    let mut names: Vec<&str> = registry.iter().map(|p| p.info().name).collect();
    names.push(snnc::backends::PROGRAM_FILE);
    for name in &names {
        assert!(bugs::all().any(|b| b.at == *name), "`{name}` needs a seeded bug");
    }
    for bug in bugs::all() {
        assert!(names.contains(&bug.at), "there is no `{}`", bug.at);
    }
    let unique: BTreeSet<&str> = bugs::all().map(|b| b.name).collect();
    assert_eq!(unique.len(), bugs::all().count());
}

#[test]
fn every_bug_is_found_where_it_is() {
    let mut wrong = Vec::new();
    let mut healthy = BTreeSet::new();
    for bug in bugs::all() {
        let name = bug.name;
        if healthy.insert((bug.case.file, bug.case.lowering.name(), bug.case.delays.name())) {
            match bug.case.bisected() {
                Err(f) => wrong.push(format!("{}: refused: {}", bug.case.file, f.diagnostics)),
                Ok(found) => {
                    if let Some(refused) = &found.refused {
                        wrong.push(format!("{}: not compiled: {refused}", bug.case.file));
                    }
                    if let Some(step) = found.bisection.first() {
                        wrong.push(format!("{}: without a bug: {step:#?}", bug.case.file));
                    }
                }
            }
        }
        match bug.seeded() {
            Err(f) => wrong.push(format!("{name} ({}): refused: {}", bug.at, f.diagnostics)),
            Ok(found) => match found.bisection.first() {
                None => wrong
                    .push(format!("{name} ({}): not found; refused: {:?}", bug.at, found.refused)),
                Some(step) => {
                    let by = step.finding.as_ref().map(|f| f.by);
                    if step.name != bug.at || by != Some(bug.by) {
                        wrong.push(format!("{name} ({}, {:?}): {step:#?}", bug.at, bug.by));
                    }
                }
            },
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
