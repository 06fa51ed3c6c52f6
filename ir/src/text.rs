//! The `.snn` text form.

use crate::diag::codes::syntax;
use crate::diag::{Diagnostic, Diagnostics};
use crate::level::AnyDraft;
use crate::mapped::MappedDraft;
use crate::network::NetworkDraft;
use crate::quantized::QuantizedDraft;

/// Prints a network.
pub fn print_network(draft: &NetworkDraft) -> String {
    format!("{draft:#?}")
}

/// Prints an integer network.
pub fn print_quantized(draft: &QuantizedDraft) -> String {
    format!("{draft:#?}")
}

/// Prints a mapped network.
pub fn print_mapped(draft: &MappedDraft) -> String {
    format!("{draft:#?}")
}

/// Prints a draft of any level.
pub fn print(draft: &AnyDraft) -> String {
    match draft {
        AnyDraft::Network(draft) => print_network(draft),
        AnyDraft::Quantized(draft) => print_quantized(draft),
        AnyDraft::Mapped(draft) => print_mapped(draft),
    }
}

/// Reads the text form of any level.
///
/// # Errors
/// All syntax errors found.
pub fn parse(_text: &str) -> Result<AnyDraft, Diagnostics> {
    Err(Diagnostic::error(syntax::TEXT_SYNTAX, "the text form is not readable yet").into())
}
