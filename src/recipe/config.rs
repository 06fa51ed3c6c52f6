//! `snnc.toml`: settings of quantization beside a source.
//!
//! ```toml
//! [quantize]
//! weight-bits = 4
//! groups = "split"
//!
//! [[quantize.projection]]
//! from = "in"
//! to = "h1"
//! weight-bits = 8
//! ```

use super::Overrides;
use crate::files::{self, shown};
use serde::Deserialize;
use snnc_ir::diag::codes::{Code, usage};
use snnc_ir::recipe::{Grouping, MAX_EXPONENT, MAX_WEIGHT_BITS, ProjectionRecipe, Scaling};
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use toml::Spanned;

/// Name of the file that is looked for beside a source.
pub const NAME: &str = "snnc.toml";

/// What a configuration file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Settings for the whole network.
    pub settings: Overrides,
    /// Entries of projections; (source, target, nth) is unique.
    pub projections: Vec<ProjectionRecipe>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    quantize: Quantize,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Quantize {
    weight_bits: Option<Spanned<i64>>,
    groups: Option<Grouping>,
    scales: Option<Scaling>,
    max_exponent: Option<Spanned<i64>>,
    #[serde(default)]
    projection: Vec<Spanned<Projection>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Projection {
    from: String,
    to: String,
    nth: Option<Spanned<i64>>,
    weight_bits: Option<Spanned<i64>>,
    split: Option<bool>,
}

/// The configuration file beside `source`, if there is one.
pub fn beside(source: &Path) -> Option<PathBuf> {
    let path = source.with_file_name(NAME);
    // What is there but is no readable file is an error of `read`.
    path.symlink_metadata().is_ok().then_some(path)
}

/// Reads a configuration file.
///
/// # Errors
/// `SNN0801`, `SNN0804`, `SNN0808` for the file, `SNN0822`–`SNN0824` for what it says.
pub fn read(path: &Path) -> Result<Config, Diagnostics> {
    let text = files::read_text(path, files::MAX_CONFIG)?;
    parse(&text).map_err(|d| d.in_file(&shown(path)))
}

/// Parses a configuration file.
///
/// # Errors
/// `SNN0822`–`SNN0824`, with line and column.
pub fn parse(text: &str) -> Result<Config, Diagnostics> {
    let file: File = toml::from_str(text).map_err(|e| syntax(text, &e))?;
    let mut reader = Reader { text, out: Diagnostics::new() };
    let Quantize { weight_bits, groups, scales, max_exponent, projection } = file.quantize;
    let settings = Overrides {
        weight_bits: reader.bits(weight_bits.as_ref()),
        groups,
        scales,
        max_exponent: reader.number("max-exponent", max_exponent.as_ref(), 0..=MAX_EXPONENT),
    };
    let mut seen = BTreeSet::new();
    let mut projections = Vec::new();
    for entry in &projection {
        let Projection { from, to, nth, weight_bits, split } = entry.get_ref();
        let nth = reader.number("nth", nth.as_ref(), 0..=u32::MAX).unwrap_or(0);
        if !seen.insert((from.clone(), to.clone(), nth)) {
            reader.report(
                &entry.span(),
                usage::CONFIG_VALUE,
                format!("the projection from `{from}` to `{to}`, number {nth}, has two entries"),
                "one entry at most for each projection",
            );
        }
        projections.push(ProjectionRecipe {
            source: from.clone(),
            target: to.clone(),
            nth,
            weight_bits: reader.bits(weight_bits.as_ref()),
            split: *split,
            ..ProjectionRecipe::default()
        });
    }
    reader.out.into_result(Config { settings, projections })
}

/// What the parser says about the file. Its messages end with lines of their own for what is expected.
fn syntax(text: &str, error: &toml::de::Error) -> Diagnostics {
    let message = error.message().trim_end();
    let begins = |start| message.starts_with(start);
    let code = if begins("unknown field") || begins("missing field") {
        usage::CONFIG_KEY
    } else if begins("unknown variant") {
        usage::CONFIG_VALUE
    } else {
        usage::CONFIG_SYNTAX
    };
    let mut lines = message.lines();
    let mut finding = Diagnostic::error(code, lines.next().unwrap_or("the file is not TOML"));
    finding.notes = lines.map(str::to_owned).collect();
    if let Some(span) = error.span() {
        finding = placed(finding, text, &span);
    }
    finding.help("`snnc explain SNN0822` shows a complete file").into()
}

/// Puts line and column, both from 1, into a finding.
fn placed(finding: Diagnostic, text: &str, span: &Range<usize>) -> Diagnostic {
    let before = text.get(..span.start).unwrap_or(text);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    finding.at_line(number(line), number(column))
}

/// Checks values and keeps what is wrong with them.
struct Reader<'t> {
    text: &'t str,
    out: Diagnostics,
}

impl Reader<'_> {
    fn bits(&mut self, value: Option<&Spanned<i64>>) -> Option<u8> {
        self.number("weight-bits", value, 1..=MAX_WEIGHT_BITS)
    }

    fn number<T>(
        &mut self,
        key: &str,
        value: Option<&Spanned<i64>>,
        range: RangeInclusive<T>,
    ) -> Option<T>
    where
        T: Copy + PartialOrd + TryFrom<i64> + std::fmt::Display,
    {
        let value = value?;
        let number = T::try_from(*value.get_ref()).ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.report(
                &value.span(),
                usage::CONFIG_VALUE,
                format!("`{key}` is {}", value.get_ref()),
                &format!("{} to {}", range.start(), range.end()),
            );
        }
        number
    }

    fn report(&mut self, span: &Range<usize>, code: Code, message: String, expected: &str) {
        let finding = Diagnostic::error(code, message).note(format!("expected {expected}"));
        self.out.push(placed(finding, self.text, span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_file() {
        let config = parse(
            "[quantize]\nweight-bits = 4\ngroups = \"split\"\nscales = \"neuron\"\nmax-exponent = 0\n\
             [[quantize.projection]]\nfrom = \"in\"\nto = \"h1\"\nnth = 1\nweight-bits = 8\n\
             split = false\n[[quantize.projection]]\nfrom = \"in\"\nto = \"h1\"\n",
        )
        .unwrap();
        let settings = Overrides {
            weight_bits: Some(4),
            groups: Some(Grouping::Split),
            scales: Some(Scaling::Neuron),
            max_exponent: Some(0),
        };
        assert_eq!(config.settings, settings);
        let [first, second] = config.projections.as_slice() else { panic!("two entries") };
        assert_eq!((first.nth, first.weight_bits, first.split), (1, Some(8), Some(false)));
        assert_eq!((second.nth, second.weight_bits, second.split), (0, None, None));
        for empty in ["", "[quantize]\n", "# nothing\n"] {
            assert_eq!(parse(empty).unwrap(), Config::default());
        }
    }

    #[test]
    fn mistakes_have_a_line_and_say_what_is_expected() {
        let entry = "[[quantize.projection]]\nfrom = \"a\"\nto = \"b\"\n";
        let twice = format!("{entry}nth = 0\n{entry}");
        let cases = [
            ("[quantize\n", usage::CONFIG_SYNTAX, 1),
            ("[quantize]\nweight-bits = \"4\"\n", usage::CONFIG_SYNTAX, 2),
            ("[quantize]\n\ngroups = \"both\"\n", usage::CONFIG_VALUE, 3),
            ("[quantize]\nweight_bits = 4\n", usage::CONFIG_KEY, 2),
            ("[quantise]\n", usage::CONFIG_KEY, 1),
            ("[[quantize.projection]]\nfrom = \"a\"\n", usage::CONFIG_KEY, 1),
            ("[quantize]\nweight-bits = 9\n", usage::CONFIG_VALUE, 2),
            ("[quantize]\nmax-exponent = -1\n", usage::CONFIG_VALUE, 2),
            ("[[quantize.projection]]\nfrom=\"a\"\nto=\"b\"\nnth=-1\n", usage::CONFIG_VALUE, 4),
            (&*twice, usage::CONFIG_VALUE, 5),
        ];
        for (text, code, line) in cases {
            let errors: Vec<_> = parse(text).unwrap_err().into_iter().collect();
            let [error] = errors.as_slice() else { panic!("{text}: {errors:?}") };
            assert_eq!((error.code, error.place.line), (code, Some(line)), "{text}: {error}");
        }
        let both = parse("[quantize]\nweight-bits = 0\nmax-exponent = 8\n").unwrap_err();
        assert_eq!(both.len(), 2, "{both}");
    }
}
