//! Target descriptions: the built-in ones and the user's own.
//!
//! A target file is TOML. Every limit is a table `{ value = …, source = "…" }`: a number without a
//! source is not accepted, because nobody could check it.

mod parse;

pub use parse::parse;
use snnc_ir::diag::codes::artifact;
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};
use std::path::Path;

/// Name, path shown in diagnostics, and text of each built-in target.
const BUILT_IN: [(&str, &str, &str); 4] = [
    ("loihi1", "targets/loihi1.toml", include_str!("../../targets/loihi1.toml")),
    ("loihi2", "targets/loihi2.toml", include_str!("../../targets/loihi2.toml")),
    ("loihi64", "targets/loihi64.toml", include_str!("../../targets/loihi64.toml")),
    ("loihi84", "targets/loihi84.toml", include_str!("../../targets/loihi84.toml")),
];

/// Other names of built-in targets.
const ALIASES: [(&str, &str); 1] = [("loihi", "loihi2")];

/// Names of the built-in targets, without aliases.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, ..)| *name)
}

/// Aliases of built-in targets: the alias and the name it stands for.
pub fn aliases() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALIASES.into_iter()
}

/// The description of the built-in target called `name` (or an alias), as it stands in its file.
pub fn text(name: &str) -> Option<&'static str> {
    built_in(name).map(|(_, text)| text)
}

/// File and text of a built-in target.
fn built_in(name: &str) -> Option<(&'static str, &'static str)> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, of)| of);
    BUILT_IN.iter().find(|(known, ..)| *known == name).map(|(_, file, text)| (*file, *text))
}

/// The target called `name`: a built-in one, an alias, or a path to a `.toml` file (a name that
/// contains `/` or ends in `.toml`).
///
/// # Errors
/// The name is unknown, the file cannot be read, or its contents are not a target.
pub fn by_name(name: &str) -> Result<TargetSpec, Diagnostics> {
    let is_toml = Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    if name.contains('/') || is_toml {
        let text = std::fs::read_to_string(name).map_err(|e| {
            Diagnostic::error(artifact::TARGET_FILE, format!("cannot read the target file: {e}"))
                .in_file(name)
        })?;
        return parse(&text, name);
    }
    let Some((file, text)) = built_in(name) else {
        let known: Vec<&str> = names().chain(aliases().map(|(alias, _)| alias)).collect();
        return Err(Diagnostic::error(
            artifact::TARGET_UNKNOWN,
            format!("there is no target \"{name}\""),
        )
        .note(format!("known targets: {}", known.join(", ")))
        .help("name one of them, or a target file of your own: a path ending in .toml")
        .into());
    };
    parse(text, file)
}
