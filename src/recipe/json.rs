//! Recipes as JSON, for people and other programs.

use serde::{Deserialize, Serialize};
use snnc_ir::diag::codes::usage;
use snnc_ir::recipe::{Calibration, PopulationRecipe, ProjectionRecipe, Recipe, Settings};
use snnc_ir::{Diagnostic, Diagnostics};

/// Value of the field `schema`.
pub const SCHEMA: &str = "snnc-recipe/1";

/// A recipe with its schema, which comes first. A recipe that is given as one may leave it out.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    schema: String,
    settings: Settings,
    populations: Vec<PopulationRecipe>,
    projections: Vec<ProjectionRecipe>,
    calibration: Option<Calibration>,
}

impl Default for Form {
    fn default() -> Self {
        let Recipe { settings, populations, projections, calibration } = Recipe::default();
        Self { schema: SCHEMA.to_owned(), settings, populations, projections, calibration }
    }
}

/// The recipe as JSON. Reading it again gives the same recipe, every number included.
pub fn to_json(recipe: &Recipe) -> Vec<u8> {
    let Recipe { settings, populations, projections, calibration } = recipe.clone();
    let form = Form { schema: SCHEMA.to_owned(), settings, populations, projections, calibration };
    let mut bytes =
        serde_json::to_vec_pretty(&form).expect("a recipe has string keys and finite numbers only");
    bytes.push(b'\n');
    bytes
}

/// Parses a recipe and checks it.
///
/// # Errors
/// `SNN0826` with line and column; values that no recipe has.
pub(super) fn parse(text: &str) -> Result<Recipe, Diagnostics> {
    let bad = |message: String| {
        Diagnostic::error(usage::RECIPE_JSON, message)
            .help("`snnc convert recipe.snnb -o recipe.json` writes an example of every field")
    };
    let form: Form = serde_json::from_str(text).map_err(|e| {
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        bad(format!("the recipe cannot be read: {e}")).at_line(place(e.line()), place(e.column()))
    })?;
    let Form { schema, settings, populations, projections, calibration } = form;
    if schema != SCHEMA {
        return Err(bad(format!("the schema is `{schema}`"))
            .at("$.schema")
            .note(format!("expected `{SCHEMA}`, or no schema at all"))
            .into());
    }
    let recipe = Recipe { settings, populations, projections, calibration };
    recipe.check()?;
    Ok(recipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::Param;

    #[test]
    fn json_keeps_every_number() {
        let scale = Param::PerChannel(vec![0.1 + 0.2, 1.0 / 3.0, 123_456.789_012_345_6]);
        let population = PopulationRecipe {
            name: "h\"1".to_owned(),
            scale: Some(scale),
            threshold: Some(Param::Uniform(96)),
            bias: Some(Param::PerNeuron(vec![-3, 0])),
            dv: None,
            shift: Some(3),
        };
        let projection = ProjectionRecipe {
            source: "in".to_owned(),
            target: "h\"1".to_owned(),
            weights: Some(vec![-127, 0, 5]),
            ..ProjectionRecipe::default()
        };
        let recipe = Recipe {
            populations: vec![population],
            projections: vec![projection],
            calibration: Some(Calibration {
                data: "ab".to_owned(),
                first: 1,
                samples: 2,
                budget: u64::MAX,
                work: 3,
            }),
            ..Recipe::default()
        };
        let text = String::from_utf8(to_json(&recipe)).unwrap();
        assert_eq!(parse(&text).unwrap(), recipe);
        assert_eq!(parse("{}").unwrap(), Recipe::default());
        assert_eq!(parse(r#"{"settings": {"weight_bits": 4}}"#).unwrap().settings.weight_bits, 4);
    }
}
