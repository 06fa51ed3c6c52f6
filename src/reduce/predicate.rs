//! What a reduced network still has to do.

use crate::crosscheck::{self, Fault, Step, Way, stimuli};
use crate::source;
use snnc_ir::diag::Code;
use snnc_ir::level::AnyDraft;
use snnc_passes::Registry;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// How a network fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fails {
    /// A pass rejects it, or breaks it.
    Compile,
    /// Its program cannot be written or read, or the certificate is refused.
    Certify,
    /// Simulations of its levels differ, or stop.
    Verify,
    /// The compiler panics.
    Panics,
}

impl Fails {
    /// Whether a fault is of this kind.
    pub const fn holds(self, step: Step) -> bool {
        match self {
            Self::Compile => matches!(step, Step::Compile | Step::Pass),
            Self::Certify => matches!(step, Step::Write | Step::Read | Step::Certify),
            Self::Verify => matches!(step, Step::Simulate | Step::Compare),
            Self::Panics => matches!(step, Step::Panic),
        }
    }
}

/// Compiles, certifies and runs a network; the first fault, if there is one.
pub fn fault(registry: &Registry, draft: &AnyDraft, way: &Way<'_>, seed: u64) -> Option<Fault> {
    crosscheck::caught(|| whole(registry, draft, way, seed)).err()
}

fn whole(registry: &Registry, draft: &AnyDraft, way: &Way<'_>, seed: u64) -> Result<(), Fault> {
    let level = source::verify(draft.clone()).map_err(|e| Fault::found(Step::Source, &e))?;
    let stages = crosscheck::compile(registry, level, way)?;
    let (Some(logical), Some(scheduled), Some(mapped)) =
        (&stages.quantized, &stages.scheduled, &stages.mapped)
    else {
        return Err(Fault::new(Step::Pass, "the pipeline left a stage out"));
    };
    let (program, _) = crosscheck::certified(logical, mapped, way.target)?;
    let stimuli = stimuli::all(&crosscheck::ports(logical), logical.steps as usize, seed);
    crosscheck::simulate(logical, scheduled, mapped, &[("cores", &program)], &stimuli).map(|_| ())
}

/// Whether `found` is the failure that is looked for: of this kind, and with this code unless any will do.
pub fn is(found: &Fault, fails: Fails, code: Option<Code>) -> bool {
    fails.holds(found.step) && code.is_none_or(|code| found.codes.first() == Some(&code))
}

/// Runs `command` through the shell, `{}` replaced by `file`; true if it succeeds.
///
/// # Errors
/// If the shell cannot be started.
pub fn succeeds(command: &str, file: &Path) -> io::Result<bool> {
    let name = file.to_string_lossy().replace('\'', r"'\''");
    let line = command.replace("{}", &format!("'{name}'"));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(shell.status()?.success())
}
