//! `snnc explain`: the documentation of diagnostic codes, and of the integers of a network.

use super::lowering::LoweringArgs;
use super::output::Reply;
use super::quantization::RecipeArgs;
use super::{GivenArgs, replay};
use crate::compile::{Options, lower};
use crate::explain::{Explained, Times, explain, render};
use crate::files::shown;
use crate::pipeline::{Stage, not_reached};
use crate::source::{self, FileKind};
use crate::target::Target;
use clap::Args;
use serde::Serialize;
use snnc_ir::diag::codes::{self, Code, CodeInfo, usage};
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_passes::AnyLevel;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A code such as SNN0801 (or 801).
    #[arg(required_unless_present_any = ["all", "network"], conflicts_with_all = ["all", "network"])]
    code: Option<String>,
    /// Explain all codes.
    #[arg(long, conflicts_with = "network")]
    all: bool,
    /// Explain the integers that this source becomes: formula and rounding error of each.
    #[arg(long, value_name = "SOURCE")]
    network: Option<PathBuf>,
    /// Target to quantize for [default: loihi2].
    #[arg(long, short, value_name = "NAME|FILE", requires = "network")]
    target: Option<String>,
    #[command(flatten)]
    given: GivenArgs,
    #[command(flatten)]
    lowering: LoweringArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
}

/// Report of `snnc explain`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ExplainReport {
    /// Documentation.
    Codes {
        /// Of these codes.
        codes: Vec<Explanation>,
    },
    /// Integers.
    Network(Box<Explained>),
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
    if let Some(path) = &args.network {
        return network(args, path);
    }
    args.given.refuse_for("a code")?;
    args.recipe.refuse_for("a code")?;
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
    Ok(Reply { product: text.into_bytes(), ..Reply::new(ExplainReport::Codes { codes }) })
}

/// Every integer that a source becomes.
fn network(args: &ExplainArgs, path: &Path) -> Result<Reply<ExplainReport>, Diagnostics> {
    let source = source::read_with(path, args.given.all())?;
    if !matches!(source.level, AnyLevel::Network(_)) {
        return Err(Diagnostic::error(
            usage::WRONG_LEVEL,
            format!("{} holds integers already, which nothing was rounded to", shown(path)),
        )
        .in_file(shown(path))
        .help("`snnc inspect` shows them; name a genome, a NIR graph or a float network")
        .into());
    }
    let target = Target::find(args.target.as_deref().unwrap_or("loihi2"))?;
    let (recipe, notes) = args.recipe.settle(path, &source)?;
    let lowering = args.lowering.lowering();
    let options = Options { recipe: recipe.clone(), lowering, ..Options::default() };
    let (stages, _) = lower(&source, &target.spec, &options, Stage::Quantized)
        .map_err(|failure| replay::report(failure, Path::new(".")))?;
    let canonical = stages.network.ok_or_else(|| not_reached(Stage::Network))?;
    let times = match source.kind {
        FileKind::Nir => crate::nir::times(path)?,
        FileKind::Genome | FileKind::Text | FileKind::Binary => Times::new(),
    };
    // What it remarks was remarked before.
    let mut again = Diagnostics::new();
    let explained = explain(&source, &canonical, &times, &recipe, &target.spec, &mut again)?;
    let mut diagnostics = source.warnings;
    diagnostics.extend(notes);
    let product = render(&explained).into_bytes();
    let report = ExplainReport::Network(Box::new(explained));
    Ok(Reply { product, diagnostics, ..Reply::new(report) })
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
