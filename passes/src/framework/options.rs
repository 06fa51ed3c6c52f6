//! Options of a pass: declared with type, default and help; parsed from the pipeline string.

use crate::framework::pipeline::PassCall;
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics};
use std::fmt;

/// Declaration of one option.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Name, kebab-case.
    pub name: &'static str,
    /// Type and range.
    pub kind: OptionKind,
    /// Value where the pipeline gives none, as written there.
    pub default: &'static str,
    /// One line.
    pub help: &'static str,
}

/// Type of an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionKind {
    /// `true` or `false`.
    Flag,
    /// An integer of this range, both ends included.
    Int(i64, i64),
    /// A finite number of this range, both ends included.
    Number(f64, f64),
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl fmt::Display for OptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("`true` or `false`"),
            Self::Int(lo, hi) => write!(f, "an integer in {lo}..={hi}"),
            Self::Number(lo, hi) => write!(f, "a number in {lo}..={hi}"),
            Self::Choice(words) => {
                for (i, word) in words.iter().enumerate() {
                    write!(f, "{}`{word}`", if i > 0 { ", " } else { "one of " })?;
                }
                Ok(())
            }
        }
    }
}

/// Parsed value of an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionValue {
    /// Of [`OptionKind::Flag`].
    Flag(bool),
    /// Of [`OptionKind::Int`].
    Int(i64),
    /// Of [`OptionKind::Number`].
    Number(f64),
    /// Of [`OptionKind::Choice`].
    Choice(&'static str),
}

impl OptionInfo {
    /// Parses a value. `None` if it is not of the option's kind or outside its range.
    pub fn parse(&self, text: &str) -> Option<OptionValue> {
        match self.kind {
            OptionKind::Flag => text.parse().ok().map(OptionValue::Flag),
            OptionKind::Int(lo, hi) => {
                text.parse().ok().filter(|v| (lo..=hi).contains(v)).map(OptionValue::Int)
            }
            OptionKind::Number(lo, hi) => {
                text.parse().ok().filter(|v| (lo..=hi).contains(v)).map(OptionValue::Number)
            }
            OptionKind::Choice(words) => {
                words.iter().find(|w| **w == text).map(|w| OptionValue::Choice(w))
            }
        }
    }
}

/// Values of all options of one pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    values: Vec<(&'static str, OptionValue)>,
}

impl Options {
    /// The defaults of `declared`.
    ///
    /// # Panics
    /// If a default is not of its option's kind (a mistake in a pass, found by the registry's test).
    pub fn defaults(declared: &'static [OptionInfo]) -> Self {
        let default = |o: &'static OptionInfo| {
            (o.name, o.parse(o.default).expect("the default of an option is a valid value"))
        };
        Self { values: declared.iter().map(default).collect() }
    }

    /// The defaults of `declared`, overridden by what `call` gives.
    ///
    /// # Errors
    /// `SNN0852` unknown option, `SNN0853` value of the wrong kind, `SNN0854` option given twice.
    pub fn parse(declared: &'static [OptionInfo], call: &PassCall) -> Result<Self, Diagnostics> {
        let mut options = Self::defaults(declared);
        let mut errors = Diagnostics::new();
        for (i, (name, text)) in call.options.iter().enumerate() {
            let pass = &call.name;
            if call.options[..i].iter().any(|(earlier, _)| earlier == name) {
                errors.push(call.place(Diagnostic::error(
                    usage::REPEATED_OPTION,
                    format!("option `{name}` of `{pass}` is given twice"),
                )));
                continue;
            }
            let Some(at) = declared.iter().position(|o| o.name == name) else {
                errors.push(call.place(unknown(declared, pass, name)));
                continue;
            };
            match declared[at].parse(text) {
                Some(value) => options.values[at].1 = value,
                None => errors.push(
                    call.place(
                        Diagnostic::error(
                            usage::BAD_OPTION_VALUE,
                            format!("`{text}` is no value for option `{name}` of `{pass}`"),
                        )
                        .note(format!("expected {}", declared[at].kind))
                        .help(format!("{name}: {}", declared[at].help)),
                    ),
                ),
            }
        }
        errors.into_result(options)
    }

    fn value(&self, name: &str) -> OptionValue {
        let found = self.values.iter().find(|(n, _)| *n == name);
        found.map_or_else(|| panic!("the pass does not declare option `{name}`"), |(_, v)| *v)
    }

    /// Value of a flag.
    ///
    /// # Panics
    /// If the pass declares no flag of that name. So do the other getters.
    pub fn flag(&self, name: &str) -> bool {
        match self.value(name) {
            OptionValue::Flag(v) => v,
            other => panic!("option `{name}` is no flag but {other:?}"),
        }
    }

    /// Value of an integer option.
    pub fn int(&self, name: &str) -> i64 {
        match self.value(name) {
            OptionValue::Int(v) => v,
            other => panic!("option `{name}` is no integer but {other:?}"),
        }
    }

    /// Value of a number option.
    pub fn number(&self, name: &str) -> f64 {
        match self.value(name) {
            OptionValue::Number(v) => v,
            other => panic!("option `{name}` is no number but {other:?}"),
        }
    }

    /// The chosen word.
    pub fn choice(&self, name: &str) -> &'static str {
        match self.value(name) {
            OptionValue::Choice(v) => v,
            other => panic!("option `{name}` is no choice but {other:?}"),
        }
    }
}

fn unknown(declared: &[OptionInfo], pass: &str, name: &str) -> Diagnostic {
    let error =
        Diagnostic::error(usage::UNKNOWN_OPTION, format!("`{pass}` has no option `{name}`"));
    if declared.is_empty() {
        return error.help(format!("`{pass}` has no options: remove the braces"));
    }
    let known: Vec<_> = declared.iter().map(|o| format!("`{}` ({})", o.name, o.help)).collect();
    error.help(format!("its options are {}", known.join(", ")))
}
