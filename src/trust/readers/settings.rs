//! What users write by hand: targets, pipelines, configurations, recipes, layers, hypergraphs.

use super::levels::attempt;
use super::{Outcome, refused, repository, text, with_file};
use crate::exit::Exit;
use crate::pipeline::Delays;
use crate::source::{self, Source};
use crate::{Options, Target, recipe as recipes};
use snnc_backends::targets;
use snnc_ir::{Diagnostics, Recipe, binary};
use snnc_passes::{LevelKind, Pipeline, PropertySet, Registry, plan};
use std::ffi::OsString;
use std::sync::OnceLock;

/// A small network that compiles for every target.
fn small() -> &'static Source {
    &networks()[0].0
}

/// Small networks that need different things of a target, and where their delays go: delays in synapses; biases, in
/// one layer of all neurons, and thresholds, neuron by neuron, in a chain of layers, both with a `network.net`; messages.
fn networks() -> &'static [(Source, Delays)] {
    static SOURCES: OnceLock<Vec<(Source, Delays)>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        [
            ("skip", Delays::Synaptic),
            ("bias", Delays::Relay),
            ("thresholds", Delays::Synaptic),
            ("frame", Delays::Synaptic),
        ]
        .map(|(name, delays)| {
            let file = repository(&format!("tests/fixtures/{name}.genome.json"));
            (source::read(&file).expect("a fixture"), delays)
        })
        .into()
    })
}

/// Targets: small networks compile for what is described, and are certified, or do not fit.
pub(super) fn target(bytes: &[u8]) -> Outcome {
    let Some(text) = text(bytes) else { return Outcome::Refused };
    match targets::parse(text, "t.toml") {
        Ok(spec) => {
            let target = Target { spec, text: text.to_owned() };
            for (source, delays) in networks() {
                let options = Options { delays: *delays, ..Options::default() };
                attempt(source, &target, &options);
            }
            Outcome::Read
        }
        Err(found) => refused(&found),
    }
}

/// Longest pipeline that runs here, in passes.
const PASSES: usize = 40;

/// Pipelines: what is read is printed, and read again as the same; what can be planned runs on a small network.
pub(super) fn pipeline(bytes: &[u8]) -> Outcome {
    let Some(text) = text(bytes) else { return Outcome::Refused };
    let read = match Pipeline::parse(text) {
        Ok(read) => read,
        Err(found) => return refused(&found),
    };
    let printed = read.to_string();
    let again = Pipeline::parse(&printed).unwrap_or_else(|found| panic!("{printed}: {found}"));
    assert!(again.to_string() == printed && again.calls.len() == read.calls.len(), "{printed}");
    let same = read.calls.iter().zip(&again.calls);
    let same = same.map(|(a, b)| a.name == b.name && a.options == b.options);
    assert!(same.into_iter().all(|same| same), "another pipeline: {printed}");
    let registry = Registry::standard();
    let has = PropertySet::of(&small().level);
    match plan(&registry, &read, LevelKind::Network, &has) {
        Ok(_) if read.calls.len() <= PASSES => {
            let options = Options { passes: Some(text.to_owned()), ..Options::default() };
            let target = Target::find("loihi2").expect("a target that is built in");
            attempt(small(), &target, &options);
        }
        Ok(_) => {}
        Err(found) => drop(refused(&found)),
    }
    Outcome::Read
}

/// Configurations: entries and settings are ones that a recipe takes.
pub(super) fn config(bytes: &[u8]) -> Outcome {
    let Some(text) = text(bytes) else { return Outcome::Refused };
    match recipes::config::parse(text) {
        Ok(config) => {
            let recipe = recipes::layered(Some(&config), None, &recipes::Overrides::default());
            recipe_is_kept(&recipe.expect("no recipe, so nothing is decided already"));
            Outcome::Read
        }
        Err(found) => refused(&found),
    }
}

/// Recipes in JSON.
pub(super) fn recipe_json(bytes: &[u8]) -> Outcome {
    recipe(with_file(".json", bytes, recipes::read))
}

/// Recipes in the binary form.
pub(super) fn recipe_binary(bytes: &[u8]) -> Outcome {
    recipe(binary::decode_recipe(bytes))
}

/// What is read survives both forms, and quantizes a small network or is refused.
fn recipe(read: Result<Recipe, Diagnostics>) -> Outcome {
    let recipe = match read {
        Ok(recipe) => recipe,
        Err(found) => return refused(&found),
    };
    recipe_is_kept(&recipe);
    let target = Target::find("loihi2").expect("a target that is built in");
    attempt(small(), &target, &Options { recipe, ..Options::default() });
    Outcome::Read
}

fn recipe_is_kept(recipe: &Recipe) {
    let encoded = binary::encode_recipe(recipe);
    let decoded = binary::decode_recipe(&encoded).unwrap_or_else(|found| panic!("{found}"));
    assert!(decoded == *recipe, "the binary form is another recipe");
    let json = recipes::to_json(recipe);
    let again = with_file(".json", &json, recipes::read);
    let again = again.unwrap_or_else(|found| panic!("{found}"));
    assert!(binary::encode_recipe(&again) == encoded, "the JSON form is another recipe");
}

/// Layer files: mapped, or refused.
pub(super) fn layers(bytes: &[u8]) -> Outcome {
    mapped("--layers", ".toml", bytes)
}

/// Hypergraphs: mapped, or refused.
pub(super) fn hypergraph(bytes: &[u8]) -> Outcome {
    mapped("--hgr", ".hgr", bytes)
}

/// Maps by the command line, which is where these files are read.
fn mapped(option: &str, end: &str, bytes: &[u8]) -> Outcome {
    with_file(end, bytes, |path| {
        let words = ["snnc".into(), "map".into(), option.into(), path.into(), "-t".into()];
        let words: Vec<OsString> = words.into_iter().chain(["loihi2".into()]).collect();
        let said = crate::cli::execute(words);
        match said.exit {
            Exit::Done => Outcome::Read,
            Exit::Bug => panic!("{}", said.stderr),
            _ => {
                assert!(
                    said.stderr.contains("error[SNN"),
                    "refused without an error: {}",
                    said.stderr
                );
                Outcome::Refused
            }
        }
    })
}
