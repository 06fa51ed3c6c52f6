//! Rules of a recipe on its own, before any network is looked at.

use super::{MAX_EXPONENT, MAX_WEIGHT_BITS, PopulationRecipe, ProjectionRecipe, Recipe};
use crate::diag::codes::quantize as codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::param::Param;
use crate::quantized::population::MAX_SHIFT;
use std::collections::BTreeSet;
use std::fmt::Display;

/// Largest decay register.
const MAX_DECAY: u16 = 4095;

impl Recipe {
    /// Holds every value to what any target can store; whether entries fit a network, only
    /// quantization can tell.
    ///
    /// # Errors
    /// `SNN0430`: an entry without a name or given twice. `SNN0431`: a value out of its range. All of
    /// them, each naming its entry.
    pub fn check(&self) -> Result<(), Diagnostics> {
        let mut out = Diagnostics::new();
        bits("settings", self.settings.weight_bits, &mut out);
        exponent("settings", self.settings.max_exponent, &mut out);
        let populations = self.populations.iter().map(|p| {
            let place = format!("recipe of population \"{}\"", p.name);
            population(&place, p, &mut out);
            (place, vec![&*p.name], 0)
        });
        let mut keys: Vec<_> = populations.collect();
        keys.extend(self.projections.iter().map(|p| {
            let place = format!(
                "recipe of projection \"{}\" -> \"{}\" number {}",
                p.source, p.target, p.nth
            );
            projection(&place, p, self.settings.weight_bits, &mut out);
            (place, vec![&*p.source, &*p.target], p.nth)
        }));
        names(keys, &mut out);
        if out.is_empty() { Ok(()) } else { Err(out) }
    }
}

/// Reports empty and repeated names; entries of populations have one name, of projections two.
fn names(keys: Vec<(String, Vec<&str>, u32)>, out: &mut Diagnostics) {
    let mut seen = BTreeSet::new();
    for (place, names, nth) in keys {
        if names.contains(&"") {
            out.push(
                Diagnostic::error(codes::RECIPE_NAME, "the name is empty")
                    .at(&*place)
                    .note("expected names of the canonical network")
                    .help("name what the entry decides about, or remove the entry"),
            );
        } else if !seen.insert((names, nth)) {
            out.push(
                Diagnostic::error(codes::RECIPE_NAME, "the entry is given twice")
                    .at(place)
                    .note("expected at most one entry for each population and projection")
                    .help("join the entries, or remove one"),
            );
        }
    }
}

fn population(place: &str, entry: &PopulationRecipe, out: &mut Diagnostics) {
    let PopulationRecipe { name: _, scale, threshold, bias, dv, shift } = entry;
    let fits = |s: f64| s.is_finite() && s > 0.0;
    param(place, "scale", scale.as_ref(), fits, "finite and above 0", out);
    param(place, "threshold", threshold.as_ref(), |t| t >= 1, "a mantissa of at least 1", out);
    // Biases have no range of their own: what a register holds is the target's.
    param(place, "bias", bias.as_ref(), |_| true, "one value at least", out);
    param(place, "dv", dv.as_ref(), |d| d <= MAX_DECAY, "0 to 4095", out);
    if let Some(shift) = shift.filter(|shift| *shift > MAX_SHIFT) {
        out.push(value(place, format!("the shift is {shift}"), &format!("0 to {MAX_SHIFT}")));
    }
}

/// Reports a parameter without values, or its first value that does not fit.
fn param<T: Copy + Display>(
    place: &str,
    what: &str,
    values: Option<&Param<T>>,
    fits: impl Fn(T) -> bool,
    expected: &str,
    out: &mut Diagnostics,
) {
    let Some(values) = values else {
        return;
    };
    if values.is_empty() {
        out.push(value(place, format!("the {what} has no values"), "one value at least"));
    }
    if let Some((n, found)) = values.values().iter().enumerate().find(|(_, v)| !fits(**v)) {
        let message = match values {
            Param::Uniform(_) => format!("the {what} is {found}"),
            Param::PerChannel(_) => format!("the {what} of channel {n} is {found}"),
            Param::PerNeuron(_) => format!("the {what} of neuron {n} is {found}"),
        };
        out.push(value(place, message, expected));
    }
}

fn projection(place: &str, entry: &ProjectionRecipe, otherwise: u8, out: &mut Diagnostics) {
    if let Some(found) = entry.weight_bits {
        bits(place, found, out);
    }
    if let Some(found) = entry.exponent {
        exponent(place, found, out);
    }
    let width = entry.weight_bits.unwrap_or(otherwise);
    let Some(weights) = &entry.weights else {
        return;
    };
    if weights.is_empty() {
        out.push(value(place, "the projection has no weights".to_owned(), "one weight at least"));
    }
    if !(1..=MAX_WEIGHT_BITS).contains(&width) {
        return;
    }
    let (low, high) = set(weights, width, entry.split);
    if let Some((n, found)) = weights.iter().enumerate().find(|(_, w)| !(low..=high).contains(*w)) {
        let expected = format!("{low} to {high} steps at {width} bits");
        out.push(value(place, format!("weight {n} is {found} steps"), &expected));
    }
}

/// What the set that holds `weights` reaches at most: a group of one sign stores all its bits for it.
fn set(weights: &[i16], bits: u8, split: Option<bool>) -> (i16, i16) {
    let one_sign = (1_i16 << bits) - 1;
    let mixed = weights.iter().any(|w| *w < 0) && weights.iter().any(|w| *w > 0);
    if mixed && split == Some(false) {
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    } else {
        (-one_sign, one_sign)
    }
}

fn bits(place: &str, found: u8, out: &mut Diagnostics) {
    if !(1..=MAX_WEIGHT_BITS).contains(&found) {
        let expected = format!("1 to {MAX_WEIGHT_BITS}");
        out.push(value(place, format!("weights have {found} bits"), &expected));
    }
}

fn exponent(place: &str, found: u8, out: &mut Diagnostics) {
    if found > MAX_EXPONENT {
        let expected = format!("0 to {MAX_EXPONENT}");
        out.push(value(place, format!("the exponent is {found}"), &expected));
    }
}

fn value(place: &str, message: String, expected: &str) -> Diagnostic {
    Diagnostic::error(codes::RECIPE_VALUE, message)
        .at(place)
        .note(format!("expected {expected}"))
        .help("correct the value, or leave it out to let quantization choose")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Settings;

    fn population(name: &str) -> PopulationRecipe {
        PopulationRecipe { name: name.to_owned(), ..PopulationRecipe::default() }
    }

    fn projection(source: &str, target: &str, nth: u32) -> ProjectionRecipe {
        let [source, target] = [source, target].map(str::to_owned);
        ProjectionRecipe { source, target, nth, ..ProjectionRecipe::default() }
    }

    fn found(recipe: &Recipe) -> Vec<String> {
        let Err(found) = recipe.check() else { return Vec::new() };
        found.iter().map(|d| format!("{} {}", d.code, d.message)).collect()
    }

    fn of_population(entry: PopulationRecipe) -> Vec<String> {
        found(&Recipe { populations: vec![entry], ..Recipe::default() })
    }

    fn of_projection(entry: ProjectionRecipe) -> Vec<String> {
        found(&Recipe { projections: vec![entry], ..Recipe::default() })
    }

    #[test]
    fn extremes_are_accepted() {
        let one = PopulationRecipe {
            scale: Some(Param::PerChannel(vec![f64::MIN_POSITIVE, f64::MAX])),
            threshold: Some(Param::Uniform(1)),
            bias: Some(Param::PerNeuron(vec![i32::MIN, i32::MAX])),
            dv: Some(Param::PerNeuron(vec![0, 4095])),
            shift: Some(31),
            ..population("a")
        };
        let weights = |list: &[i16], bits, split| ProjectionRecipe {
            weight_bits: Some(bits),
            split: Some(split),
            exponent: Some(7),
            weights: Some(list.to_vec()),
            ..projection("a", "a", u32::from(bits) * 2 + u32::from(split))
        };
        let recipe = Recipe {
            populations: vec![one, population("b")],
            projections: vec![
                weights(&[0, 255], 8, false),
                weights(&[-255, 255], 8, true),
                weights(&[-8, 7], 4, false),
                weights(&[-1, 0], 1, false),
                weights(&[-1, 1], 1, true),
                projection("a", "b", 0),
                projection("b", "a", 0),
            ],
            ..Recipe::default()
        };
        assert_eq!(recipe.check(), Ok(()));
        assert_eq!(super::super::DEFAULT.check(), Ok(()));
    }

    #[test]
    fn each_value_has_its_range() {
        let settings = Settings { weight_bits: 0, max_exponent: 8, ..Settings::DEFAULT };
        let recipe = Recipe { settings, ..Recipe::default() };
        assert_eq!(found(&recipe), ["SNN0431 weights have 0 bits", "SNN0431 the exponent is 8"]);
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let scale = Some(Param::PerNeuron(vec![1.0, scale]));
            let found = of_population(PopulationRecipe { scale, ..population("a") });
            assert!(found[0].starts_with("SNN0431 the scale of neuron 1 is"), "{found:?}");
        }
        let entry = PopulationRecipe {
            threshold: Some(Param::Uniform(0)),
            bias: Some(Param::PerChannel(vec![])),
            dv: Some(Param::PerChannel(vec![4096])),
            shift: Some(32),
            ..population("a")
        };
        assert_eq!(
            of_population(entry),
            [
                "SNN0431 the threshold is 0",
                "SNN0431 the bias has no values",
                "SNN0431 the dv of channel 0 is 4096",
                "SNN0431 the shift is 32",
            ]
        );
        let entry = ProjectionRecipe {
            weight_bits: Some(9),
            exponent: Some(8),
            weights: Some(vec![]),
            ..projection("a", "b", 0)
        };
        assert_eq!(
            of_projection(entry),
            [
                "SNN0431 weights have 9 bits",
                "SNN0431 the exponent is 8",
                "SNN0431 the projection has no weights",
            ]
        );
    }

    #[test]
    fn weights_keep_to_their_set() {
        let with = |weights: &[i16], split, weight_bits| {
            let weights = Some(weights.to_vec());
            of_projection(ProjectionRecipe {
                weight_bits,
                split,
                weights,
                ..projection("a", "b", 0)
            })
        };
        assert_eq!(with(&[0, 16], None, Some(4)), ["SNN0431 weight 1 is 16 steps"]);
        assert_eq!(with(&[1, -16], Some(true), Some(4)), ["SNN0431 weight 1 is -16 steps"]);
        assert_eq!(with(&[8, -1], Some(false), Some(4)), ["SNN0431 weight 0 is 8 steps"]);
        assert_eq!(with(&[8, -9], None, Some(4)), [""; 0], "quantization may still split");
        assert_eq!(with(&[256], None, None), ["SNN0431 weight 0 is 256 steps"]);
        let settings = Settings { weight_bits: 2, ..Settings::DEFAULT };
        let weights = Some(vec![4]);
        let projections = vec![ProjectionRecipe { weights, ..projection("a", "b", 0) }];
        let recipe = Recipe { settings, projections, ..Recipe::default() };
        assert_eq!(found(&recipe), ["SNN0431 weight 0 is 4 steps"]);
    }

    #[test]
    fn entries_are_unique() {
        let recipe = Recipe {
            populations: ["a", "", "b", "a"].map(population).to_vec(),
            projections: vec![
                projection("a", "b", 0),
                projection("a", "b", 1),
                projection("a", "", 0),
                projection("a", "b", 1),
            ],
            ..Recipe::default()
        };
        let found = recipe.check().unwrap_err();
        let places: Vec<_> =
            found.iter().map(|d| (d.message.as_str(), d.place.path.as_deref().unwrap())).collect();
        assert_eq!(
            places,
            [
                ("the name is empty", "recipe of population \"\""),
                ("the entry is given twice", "recipe of population \"a\""),
                ("the name is empty", "recipe of projection \"a\" -> \"\" number 0"),
                ("the entry is given twice", "recipe of projection \"a\" -> \"b\" number 1"),
            ]
        );
    }
}
