//! Writers and artifacts: what the files hold, held against the networks that they were made of.

use super::machine::Machine;
use super::report::{By, Compared, Finding, Kind, Step};
use super::sides::{How, compare};
use super::trials::Trials;
use crate::artifact::Artifact;
use crate::target::written;
use crate::verify::simulation_failed;
use snnc_backends::certify::{certify, netx};
use snnc_backends::{NETX_FILE, PROGRAM_FILE, program};
use snnc_ir::{Diagnostics, MappedNetwork, QuantizedNetwork, TargetSpec};

/// Holds every writer to the mapped network.
///
/// # Errors
/// What the back end refuses to write, and `SNN0835` if a simulation stops.
pub(super) fn check(
    mapped: &MappedNetwork,
    logical: &QuantizedNetwork,
    scheduled: Option<&QuantizedNetwork>,
    target: &TargetSpec,
    trials: &Trials,
) -> Result<Vec<Step>, Diagnostics> {
    let emission = written(mapped, target)?;
    let bytes = emission.files.iter().find(|f| f.name == PROGRAM_FILE);
    let bytes = bytes.map_or(&[][..], |f| &f.bytes);
    let step = Step::new(
        PROGRAM_FILE,
        Kind::Writer,
        "read back and certified for all inputs; runs core by core: the same spikes",
    );
    let certified = program::read(bytes)
        .and_then(|program| certify(logical, &program, target).map(|_| program));
    let (program, found) = match certified {
        Err(errors) => (None, (Compared::default(), Some(Finding::of(By::Certificate, &errors)))),
        Ok(program) => {
            let run = || {
                let reference = Machine::integer(scheduled.unwrap_or(logical))?;
                compare(trials, [&reference, &Machine::cores(&program)?], &How::SAME)
            };
            let found = run().map_err(|error| simulation_failed(&error))?;
            (Some(program), found)
        }
    };
    let mut steps = vec![step.found(found)];
    let file = emission.files.iter().find(|f| f.name == NETX_FILE);
    if let (Some(file), Some(layout), Some(program)) = (file, &emission.netx, program) {
        let step = Step::new(NETX_FILE, Kind::Writer, "read back and certified for all inputs");
        let certified = netx::read(&file.bytes)
            .and_then(|file| netx::certify(logical, &program, &file, layout, target));
        let finding = certified.err().map(|errors| Finding::of(By::Certificate, &errors));
        steps.push(step.found((Compared::default(), finding)));
    }
    Ok(steps)
}

/// Holds the program of an artifact to the network that the passes make of its source.
pub(super) fn artifact(logical: &QuantizedNetwork, artifact: &Artifact) -> Step {
    let step = Step::new("artifact", Kind::Artifact, "certified for all inputs");
    let certified = [logical, &artifact.source]
        .into_iter()
        .try_for_each(|source| certify(source, &artifact.program, &artifact.target).map(|_| ()));
    let finding = certified.err().map(|errors| {
        let found = Finding::of(By::Certificate, &errors);
        let what = format!(
            "passes and writers are right, so they did not make it from this source as it is: {}",
            found.what
        );
        Finding { what, ..found }
    });
    step.found((Compared::default(), finding))
}
