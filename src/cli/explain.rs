//! `snnc explain`: the documentation of diagnostic codes.

use super::output::Reply;
use clap::Args;
use serde::Serialize;
use snnc_ir::diag::codes::{self, Code, CodeInfo, usage};
use snnc_ir::{Diagnostic, Diagnostics};
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A code such as SNN0801 (or 801).
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    code: Option<String>,
    /// Explain all codes.
    #[arg(long)]
    all: bool,
}

/// Report of `snnc explain`.
#[derive(Debug, Serialize)]
pub(super) struct ExplainReport {
    codes: Vec<Explanation>,
}

/// Documentation of a code.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    code: Code,
    title: &'static str,
    text: String,
}

impl Explanation {
    pub(super) fn of(info: &CodeInfo) -> Self {
        Self { code: info.code, title: info.title, text: info.text.to_owned() }
    }
}

pub(super) fn run(args: &ExplainArgs) -> Result<Reply<ExplainReport>, Diagnostics> {
    let infos: Vec<&CodeInfo> = match &args.code {
        Some(text) => vec![Code::parse(text).and_then(Code::info).ok_or_else(|| {
            Diagnostic::error(usage::UNKNOWN_NAME, format!("there is no code `{text}`"))
                .help("`snnc list codes` prints all of them")
        })?],
        None => codes::all().collect(),
    };
    let mut text = String::new();
    for (i, info) in infos.iter().enumerate() {
        let gap = if i > 0 { "\n" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{gap}{}: {}\n\n{}\n", info.code, info.title, wrap(info.text, 80));
    }
    let codes = infos.iter().map(|i| Explanation::of(i)).collect();
    Ok(Reply { product: text.into_bytes(), ..Reply::new(ExplainReport { codes }) })
}

/// `text` in lines of at most `width` characters where words allow it.
fn wrap(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if column > 0 && column + 1 + len > width {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += len;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn words_are_wrapped_but_never_cut() {
        assert_eq!(wrap("a bb  ccc dddddd", 5), "a bb\nccc\ndddddd");
    }
}
