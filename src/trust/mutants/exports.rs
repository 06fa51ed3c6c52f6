//! Networks that `network.net` can hold, compiled: what its changes are made of.

use super::{STIMULI, Subject, layers};
use crate::pipeline::Delays;
use crate::source;
use crate::trust::readers::programs::Case;
use crate::trust::readers::source_of;
use crate::trust::stimuli::{Draw, agree};
use crate::{Options, Target};
use rayon::prelude::*;
use snnc_backends::certify::{mutate, netx};
use snnc_ir::diag::codes::{equivalence, mapping};
use snnc_ir::level::AnyDraft;
use snnc_ir::{Diagnostic, Diagnostics, Severity, testing};

/// Those of networks `0..tried` of `seed` that have a `network.net`, as [`layered`] makes them; and what went wrong with
/// them, or with their files before any change.
pub fn files(tried: u64, seed: u64) -> (Vec<Subject>, Vec<String>) {
    let drawn = (0..tried).into_par_iter().filter_map(|n| match layered(n, seed).transpose()? {
        Ok(subject) if subject.netx.is_none() => None,
        Ok(subject) => Some(unchanged(&subject).map(|()| subject)),
        Err(why) => Some(Err(why)),
    });
    let (mut subjects, mut faults) = (Vec::new(), Vec::new());
    for result in drawn.collect::<Vec<_>>() {
        match result {
            Ok(subject) => subjects.push(subject),
            Err(why) => faults.push(why),
        }
    }
    (subjects, faults)
}

/// Network `n` of `seed` with its files; `None` if it overflows, or does not fit the schedule.
///
/// # Errors
/// What else it was refused for, which is a bug.
pub fn layered(n: u64, seed: u64) -> Result<Option<Subject>, String> {
    let mut draw = Draw(seed.wrapping_mul(0x3_0000_0007).wrapping_add(n));
    let target = ["loihi2", "loihi1"][draw.below(2)];
    let mut places = [Delays::Synaptic, Delays::Relay];
    places.rotate_left(draw.below(2));
    let name = format!("network {n} of layers of seed {seed}");
    let network = AnyDraft::Quantized(testing::sampled_layers(draw.number()));
    let source = source::verify(network).map_err(|e| format!("{name}: {e}"))?;
    let source = source_of(source);
    let target = Target::find(target).map_err(|e| e.to_string())?;
    let mut last = None;
    // What has a place in a file with delays in one of these places may have none with those in the other.
    for delays in places {
        let options = Options { delays, ..Options::default() };
        match crate::compile(&source, &target, &options) {
            Ok(compiled) => {
                let case = Case::of(compiled, target.spec.clone());
                last = case.map(|case| Subject::of(name.clone(), false, case)).or(last);
            }
            Err(failure) if is_right(&failure.diagnostics) => {}
            Err(failure) => return Err(format!("{name}: {}", failure.diagnostics)),
        }
        if last.as_ref().is_some_and(|subject| subject.netx.is_some()) {
            break;
        }
    }
    Ok(last)
}

/// Whether a network is refused for what is its own, and not for the file that was written.
fn is_right(found: &Diagnostics) -> bool {
    let right = [equivalence::OVERFLOW, mapping::SMEARED_BIAS, mapping::UNBALANCED_LEAK];
    let of_network = |d: &Diagnostic| d.place.file.is_none() && right.contains(&d.code);
    found.iter().filter(|d| d.severity == Severity::Error).all(of_network)
}

/// A file as it was written must be proved, come back from bytes as it is, and fire as the program does: as the checker
/// reads it, and as its page says.
///
/// # Errors
/// What is not so.
pub fn unchanged(subject: &Subject) -> Result<(), String> {
    let Some((file, layout)) = &subject.netx else { return Ok(()) };
    let why = |what: &dyn std::fmt::Display| format!("{}: {what}", subject.name);
    let bytes = mutate::netx::encode(file).map_err(|e| why(&e))?;
    if netx::read(&bytes).map_err(|e| why(&e))? != *file {
        return Err(why(&"the file comes back as another"));
    }
    netx::certify(&subject.source, &subject.program, file, layout, &subject.target)
        .map_err(|e| why(&e))?;
    let flat = netx::as_program(file, layout, &subject.program).map_err(|e| why(&e))?;
    agree(&subject.program, &flat, STIMULI).map_err(|e| why(&e))?;
    layers::alike(&subject.program, file, layout, STIMULI).map_err(|e| why(&e))
}
