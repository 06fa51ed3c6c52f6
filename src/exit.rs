//! The contract of exit codes.

use snnc_ir::diag::codes::{Code, CodeInfo, artifact, internal, syntax, usage};
use snnc_ir::{Diagnostics, Severity};

/// Codes of the command-line block that are about contents, not about usage.
const FINDINGS: &[Code] = &[
    usage::NOT_AN_ARTIFACT,
    usage::MANIFEST_INVALID,
    usage::ARTIFACT_FILE,
    usage::ARTIFACT_DISAGREES,
    usage::SPIKES_DIFFER,
    usage::SIMULATION_FAILED,
    usage::CULPRIT,
    usage::FOREIGN_ARTIFACT,
    usage::NOT_FORMATTED,
    usage::REDUCE_LEVEL,
    usage::REDUCE_HOLDS,
    // A warning, which only `--deny` makes an error.
    usage::RANDOM_WEIGHTS,
];

/// Codes of other blocks that are about what was named on the command line, not about contents.
const MISUSE: &[Code] =
    &[syntax::FILE_READ, syntax::FILE_SIZE, artifact::TARGET_UNKNOWN, artifact::TARGET_FILE];

/// How a command ended; the number is the exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, nothing to complain about but warnings.
    Done = 0,
    /// The input is rejected, does not fit the target, is not equivalent, or differs.
    Rejected = 1,
    /// The command line or its files are wrong.
    Usage = 2,
    /// A bug of the compiler.
    Bug = 3,
}

impl Exit {
    /// The exit code that a set of findings asks for: the largest of its errors'.
    pub fn of(diagnostics: &Diagnostics) -> Self {
        diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .map(|d| Self::of_code(d.code))
            .max()
            .unwrap_or(Self::Done)
    }

    /// The exit code of one error.
    fn of_code(code: Code) -> Self {
        let among = |block: &[CodeInfo]| block.iter().any(|i| i.code == code);
        if among(internal::BLOCK) {
            Self::Bug
        } else if MISUSE.contains(&code) || among(usage::BLOCK) && !FINDINGS.contains(&code) {
            Self::Usage
        } else {
            Self::Rejected
        }
    }

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::Diagnostic;

    #[test]
    fn the_worst_error_decides_and_warnings_do_not() {
        let mut all = Diagnostics::new();
        all.push(Diagnostic::warning(usage::CANNOT_READ, "w"));
        assert_eq!(Exit::of(&all), Exit::Done);
        all.push(Diagnostic::error(usage::ARTIFACT_FILE, "contents"));
        assert_eq!(Exit::of(&all), Exit::Rejected);
        all.push(Diagnostic::error(syntax::FILE_READ, "a file"));
        assert_eq!(Exit::of(&all), Exit::Usage);
        all.push(Diagnostic::error(internal::PANIC, "a bug"));
        assert_eq!(Exit::of(&all), Exit::Bug);
        assert_eq!(
            [0, 1, 2, 3],
            [Exit::Done, Exit::Rejected, Exit::Usage, Exit::Bug].map(Exit::code)
        );
    }
}
