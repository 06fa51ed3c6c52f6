//! Recipes.

use super::super::table::Table;
use crate::recipe::decided;
use serde::Serialize;
use snnc_ir::Param;
use snnc_ir::recipe::{Calibration, Grouping, ProjectionRecipe, Recipe, Scaling, Settings};
use std::fmt::{Display, Write as _};

/// A recipe: what it decides, in ranges; `snnc convert` shows every number.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RecipeReport {
    settings: Settings,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<Calibration>,
    populations: Vec<PopulationEntry>,
    projections: Vec<ProjectionEntry>,
}

#[derive(Debug, Serialize)]
struct PopulationEntry {
    name: String,
    scale: Option<[f64; 2]>,
    threshold: Option<[i32; 2]>,
    bias: Option<[i32; 2]>,
    dv: Option<[u16; 2]>,
}

#[derive(Debug, Serialize)]
struct ProjectionEntry {
    source: String,
    target: String,
    nth: u32,
    weight_bits: Option<u8>,
    split: Option<bool>,
    exponent: Option<u8>,
    weights: Option<WeightsEntry>,
}

/// Weights in steps.
#[derive(Debug, Serialize)]
struct WeightsEntry {
    count: usize,
    zero: usize,
    range: [i16; 2],
}

/// Smallest and largest value.
fn range<T: Copy + PartialOrd>(values: &[T]) -> Option<[T; 2]> {
    let first = *values.first()?;
    Some(values.iter().fold([first, first], |[low, high], &v| {
        [if v < low { v } else { low }, if v > high { v } else { high }]
    }))
}

fn of_param<T: Copy + PartialOrd>(param: Option<&Param<T>>) -> Option<[T; 2]> {
    range(param?.values())
}

impl ProjectionEntry {
    fn of(recipe: &ProjectionRecipe) -> Self {
        let weights = recipe.weights.as_ref().and_then(|weights| {
            let zero = weights.iter().filter(|w| **w == 0).count();
            Some(WeightsEntry { count: weights.len(), zero, range: range(weights)? })
        });
        Self {
            source: recipe.source.clone(),
            target: recipe.target.clone(),
            nth: recipe.nth,
            weight_bits: recipe.weight_bits,
            split: recipe.split,
            exponent: recipe.exponent,
            weights,
        }
    }
}

/// Settings, calibration, and a line for each entry.
pub(super) fn recipe(recipe: &Recipe) -> (String, RecipeReport) {
    let report = RecipeReport {
        settings: recipe.settings,
        calibration: recipe.calibration.clone(),
        populations: recipe
            .populations
            .iter()
            .map(|p| PopulationEntry {
                name: p.name.clone(),
                scale: of_param(p.scale.as_ref()),
                threshold: of_param(p.threshold.as_ref()),
                bias: of_param(p.bias.as_ref()),
                dv: of_param(p.dv.as_ref()),
            })
            .collect(),
        projections: recipe.projections.iter().map(ProjectionEntry::of).collect(),
    };
    let mut text = heading(recipe);
    let dash = || "-".to_owned();
    if !report.populations.is_empty() {
        let mut table = Table::new(&["population", "scale", "threshold", "bias", "dv"]);
        for p in &report.populations {
            let scale = p.scale.map(|[a, b]| spread([format!("{a:.4}"), format!("{b:.4}")]));
            table.row([
                p.name.clone(),
                scale.unwrap_or_else(dash),
                p.threshold.map_or_else(dash, spread),
                p.bias.map_or_else(dash, spread),
                p.dv.map_or_else(dash, spread),
            ]);
        }
        text.push_str(&table.render(2));
    }
    if !report.projections.is_empty() {
        let headings =
            ["from", "to", "nth", "bits", "split", "exponent", "weights", "zero", "steps"];
        let mut table = Table::new(&headings);
        for p in &report.projections {
            let weights = p.weights.as_ref();
            table.row([
                p.source.clone(),
                p.target.clone(),
                p.nth.to_string(),
                p.weight_bits.map_or_else(dash, |b| b.to_string()),
                p.split.map_or_else(dash, |s| if s { "yes" } else { "no" }.to_owned()),
                p.exponent.map_or_else(dash, |e| e.to_string()),
                weights.map_or_else(dash, |w| w.count.to_string()),
                weights.map_or_else(dash, |w| w.zero.to_string()),
                weights.map_or_else(dash, |w| spread(w.range)),
            ]);
        }
        text.push_str(&table.render(2));
    }
    (text, report)
}

/// What a recipe is, in two lines.
fn heading(recipe: &Recipe) -> String {
    let Settings { weight_bits, groups, scales, max_exponent } = recipe.settings;
    let groups = match groups {
        Grouping::Auto => "auto",
        Grouping::Mixed => "mixed",
        Grouping::Split => "split",
    };
    let scales = match scales {
        Scaling::Auto => "auto",
        Scaling::Population => "population",
        Scaling::Neuron => "neuron",
    };
    let mut text = format!(
        "recipe: weights of {weight_bits} bits, groups {groups}, scales {scales}, exponents up to \
         {max_exponent}; {}\n",
        if decided(recipe) { "weights are decided" } else { "weights are open" }
    );
    if let Some(c) = &recipe.calibration {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "calibrated on samples {}..{} of {}: {} of {} units of work",
            c.first,
            u64::from(c.first) + u64::from(c.samples),
            c.data,
            c.work,
            c.budget
        );
    }
    text
}

fn spread<T: Display + PartialEq>([low, high]: [T; 2]) -> String {
    if low == high { low.to_string() } else { format!("{low}..={high}") }
}
