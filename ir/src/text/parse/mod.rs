//! The parser: header line here, one file per level.

mod common;
mod entries;
mod lexis;
mod mapped;
mod network;
mod quantized;

use super::VERSION;
use crate::diag::codes::syntax;
use crate::diag::{Diagnostic, Diagnostics};
use crate::level::AnyDraft;
use entries::{at, found, read};
use lexis::{Number, skip, word};
use nom::Parser;

/// Reads the text form of any level.
pub(super) fn parse(text: &str) -> Result<AnyDraft, Diagnostics> {
    let header = |rest, message: String| {
        Diagnostics::from(
            at(text, rest, Diagnostic::error(syntax::TEXT_HEADER, message))
                .note(format!(
                    "expected `snn {VERSION} network`, `snn {VERSION} quantized` or `snn {VERSION} mapped`"
                ))
                .help("start the file with the format version and the level"),
        )
    };
    let start = skip(text);
    let Ok((rest, ())) = word("snn").parse(start) else {
        return Err(header(start, format!("the file starts with {}", found(start))));
    };
    let rest = skip(rest);
    let rest = match u32::number(rest) {
        Ok((after, VERSION)) => skip(after),
        Ok((_, version)) => {
            return Err(header(rest, format!("the file has format version {version}")));
        }
        Err(_) => return Err(header(rest, "the header has no format version".to_owned())),
    };
    if let Ok((rest, ())) = word("network").parse(rest) {
        read::<network::Network>(text, rest)
    } else if let Ok((rest, ())) = word("quantized").parse(rest) {
        read::<quantized::Quantized>(text, rest)
    } else if let Ok((rest, ())) = word("mapped").parse(rest) {
        read::<mapped::Mapped>(text, rest)
    } else {
        Err(header(rest, format!("unknown level {}", found(rest))))
    }
}
