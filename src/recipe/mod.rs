//! Recipes as users give them: files, `snnc.toml`, options, and the order in which they count.
//!
//! What quantization is given is one [`Recipe`]; here it is put together. Of two sources that say
//! something about the same thing the later one counts:
//!
//! 1. the default: 8 bits, everything else by the error model;
//! 2. a configuration file: that of `--config`, or the `snnc.toml` beside the source ([`config`]);
//! 3. a recipe file ([`read`]); its settings are complete, so it replaces all of a configuration's;
//! 4. options of the command line ([`Overrides`]).
//!
//! Entries about one projection or population count before settings for the whole network, as
//! everywhere. A recipe that holds weights has decided their bits; options that contradict it are refused
//! rather than ignored.

pub mod config;
mod json;

use crate::files::{self, shown};
use crate::source::FileKind;
pub use config::Config;
pub use json::{SCHEMA, to_json};
use snnc_ir::diag::codes::usage;
use snnc_ir::recipe::{Grouping, ProjectionRecipe, Recipe, Scaling, Settings};
use snnc_ir::{Diagnostic, Diagnostics, binary};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads a recipe: `.snnb` of kind 4, or `.json`.
///
/// # Errors
/// `SNN0801`, `SNN0803`, `SNN0804`, `SNN0808` for the file, `SNN0826` for JSON that is no recipe, what the
/// binary reader rejects, and values that no recipe has (`SNN0430`, `SNN0431`).
pub fn read(path: &Path) -> Result<Recipe, Diagnostics> {
    let recipe = match FileKind::of(path)? {
        FileKind::Binary => binary::decode_recipe(&files::read(path, files::MAX_BINARY)?),
        FileKind::Genome => json::parse(&files::read_text(path, files::MAX_TEXT)?),
        FileKind::Text | FileKind::Nir => Err(Diagnostic::error(
            usage::UNKNOWN_FILE_KIND,
            format!("{} holds a network, not a recipe", shown(path)),
        )
        .note("expected a name that ends in .snnb or .json")
        .help("name the recipe.snnb of an artifact, or what `snnc quantize -o` wrote")
        .into()),
    };
    recipe.map_err(|d| d.in_file(&shown(path)))
}

/// Bytes that show what a file is.
const HEAD: u64 = 256;

/// Whether the file in `path` says at its beginning that it is a recipe. A file that cannot be read says
/// nothing.
pub fn is_recipe(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let schema = format!("\"{SCHEMA}\"");
    let binary = head.starts_with(&binary::MAGIC) && head.get(4) == Some(&binary::KIND_RECIPE);
    read.is_ok() && (binary || head.windows(schema.len()).any(|w| w == schema.as_bytes()))
}

/// Settings of the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Bits of a stored weight.
    pub weight_bits: Option<u8>,
    /// How weights of both signs are grouped.
    pub groups: Option<Grouping>,
    /// What shares a scale.
    pub scales: Option<Scaling>,
    /// Largest exponent of weights on spikes.
    pub max_exponent: Option<u8>,
}

impl Overrides {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn apply(self, settings: &mut Settings) {
        let Self { weight_bits, groups, scales, max_exponent } = self;
        settings.weight_bits = weight_bits.unwrap_or(settings.weight_bits);
        settings.groups = groups.unwrap_or(settings.groups);
        settings.scales = scales.unwrap_or(settings.scales);
        settings.max_exponent = max_exponent.unwrap_or(settings.max_exponent);
    }
}

/// The recipe that comes out of all sources, in the order of their precedence.
///
/// # Errors
/// `SNN0810` if options contradict what a recipe has decided already.
pub fn layered(
    config: Option<&Config>,
    recipe: Option<Recipe>,
    options: &Overrides,
) -> Result<Recipe, Diagnostic> {
    if let Some(recipe) = recipe.as_ref().filter(|recipe| !options.is_empty() && decided(recipe)) {
        let count = recipe.projections.iter().filter(|p| p.weights.is_some()).count();
        return Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            "the recipe has decided what the options of the command line ask for",
        )
        .note(format!("it holds the integer weights of {count} projections"))
        .help(
            "leave `--weight-bits`, `--groups`, `--scales` and `--max-exponent` out, or leave \
             `--recipe` out",
        ));
    }
    let given = recipe.is_some();
    let mut all = recipe.unwrap_or_default();
    if let Some(config) = config {
        if !given {
            config.settings.apply(&mut all.settings);
        }
        config.projections.iter().for_each(|entry| complete(&mut all, entry));
    }
    options.apply(&mut all.settings);
    Ok(all)
}

/// Whether a recipe holds weights.
pub fn decided(recipe: &Recipe) -> bool {
    recipe.projections.iter().any(|p| p.weights.is_some())
}

/// Lets an entry of a configuration decide what the recipe leaves open.
fn complete(recipe: &mut Recipe, entry: &ProjectionRecipe) {
    let same = |p: &&mut ProjectionRecipe| {
        (&p.source, &p.target, p.nth) == (&entry.source, &entry.target, entry.nth)
    };
    match recipe.projections.iter_mut().find(same) {
        Some(own) => {
            own.weight_bits = own.weight_bits.or(entry.weight_bits);
            own.split = own.split.or(entry.split);
        }
        None => recipe.projections.push(entry.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(target: &str, weight_bits: Option<u8>, split: Option<bool>) -> ProjectionRecipe {
        let (source, target) = ("in".to_owned(), target.to_owned());
        ProjectionRecipe { source, target, weight_bits, split, ..ProjectionRecipe::default() }
    }

    #[test]
    fn later_sources_win() {
        let config = Config {
            settings: Overrides {
                weight_bits: Some(3),
                groups: Some(Grouping::Split),
                ..Overrides::default()
            },
            projections: vec![entry("a", Some(5), Some(true)), entry("b", Some(6), None)],
        };
        let options = Overrides { weight_bits: Some(4), ..Overrides::default() };
        let all = layered(Some(&config), None, &options).unwrap();
        assert_eq!(all.settings.weight_bits, 4);
        assert_eq!(all.settings.groups, Grouping::Split);
        assert_eq!(all.settings.max_exponent, Settings::DEFAULT.max_exponent);
        assert_eq!(all.projections, config.projections);

        let recipe = Recipe { projections: vec![entry("a", Some(2), None)], ..Recipe::default() };
        let all = layered(Some(&config), Some(recipe), &options).unwrap();
        assert_eq!(all.settings, Settings { weight_bits: 4, ..Settings::DEFAULT });
        assert_eq!(all.projections, [entry("a", Some(2), Some(true)), entry("b", Some(6), None)]);
        assert_eq!(layered(None, None, &Overrides::default()).unwrap(), Recipe::default());
    }

    #[test]
    fn what_is_decided_is_not_overruled_in_silence() {
        let weights = ProjectionRecipe { weights: Some(vec![1]), ..entry("a", Some(8), None) };
        let recipe = Recipe { projections: vec![weights], ..Recipe::default() };
        let options = Overrides { scales: Some(Scaling::Neuron), ..Overrides::default() };
        let error = layered(None, Some(recipe.clone()), &options).unwrap_err();
        assert_eq!(error.code, usage::CONFLICTING_OPTIONS);
        assert_eq!(layered(None, Some(recipe.clone()), &Overrides::default()).unwrap(), recipe);
    }
}
