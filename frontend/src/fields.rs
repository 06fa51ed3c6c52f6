//! Typed, checked access to JSON values, with the JSON path of every finding.

use crate::json::{Value, quote};
use crate::suggest::closest;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::ops::RangeInclusive;

/// Prefix of fields that are nobody's business but the author's.
const PRIVATE: &str = "x_";
/// Most unknown fields of one object that are reported.
const MAX_UNKNOWN: usize = 20;

/// A value and its JSON path.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a> {
    /// The value.
    pub(crate) value: &'a Value,
    /// `$.nodes[3].k`
    pub(crate) path: String,
}

/// A text that will be looked up or reported later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The text.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) path: String,
}

impl<'a> Item<'a> {
    /// The whole document.
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, path: "$".to_owned() }
    }

    /// Reports that the value is of another type than `expected`.
    fn mismatch<T>(&self, expected: &str, out: &mut Diagnostics) -> Option<T> {
        let found = self.value.describe();
        let mut d =
            Diagnostic::error(codes::WRONG_TYPE, format!("expected {expected}, found {found}"))
                .at(&self.path);
        if *self.value == Value::Null {
            d = d.help("leave the field out instead of setting it to null");
        }
        out.push(d);
        None
    }

    /// Reports a value of the right type that is not allowed.
    pub(crate) fn bad<T>(
        &self,
        message: impl Into<String>,
        note: &str,
        out: &mut Diagnostics,
    ) -> Option<T> {
        out.push(Diagnostic::error(codes::BAD_VALUE, message).at(&self.path).note(note));
        None
    }

    /// The fields of an object.
    pub(crate) fn fields(&self, out: &mut Diagnostics) -> Option<Fields<'a>> {
        match self.value {
            Value::Object(entries) => {
                Some(Fields { path: self.path.clone(), entries, known: Vec::new() })
            }
            _ => self.mismatch("an object", out),
        }
    }

    /// The entries of an object whose keys are names of the author's choice (`x_` ones included),
    /// each without the characters that `flaw` objects to.
    pub(crate) fn entries(
        &self,
        flaw: fn(&str) -> Option<&'static str>,
        out: &mut Diagnostics,
    ) -> Vec<(Name, Item<'a>)> {
        let Value::Object(entries) = self.value else {
            return self.mismatch("an object", out).unwrap_or_default();
        };
        let mut found = Vec::new();
        for (key, value) in entries {
            let item = Item { value, path: join(&self.path, key) };
            if let Some(why) = flaw(key) {
                out.push(
                    Diagnostic::error(codes::BAD_VALUE, format!("bad name {}: {why}", quote(key)))
                        .at(&item.path),
                );
                continue;
            }
            found.push((Name { text: key.clone(), path: item.path.clone() }, item));
        }
        found
    }

    /// The items of a list.
    pub(crate) fn list(&self, out: &mut Diagnostics) -> Option<Vec<Item<'a>>> {
        match self.value {
            Value::Array(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, value)| Item { value, path: format!("{}[{i}]", self.path) })
                    .collect(),
            ),
            _ => self.mismatch("a list", out),
        }
    }

    /// A text.
    pub(crate) fn text(&self, out: &mut Diagnostics) -> Option<&'a str> {
        match self.value {
            Value::String(s) => Some(s),
            _ => self.mismatch("a string", out),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, out: &mut Diagnostics) -> Option<bool> {
        match self.value {
            Value::Bool(b) => Some(*b),
            _ => self.mismatch("true or false", out),
        }
    }

    /// Any number, as the nearest f64; finite, because JSON knows no other.
    pub(crate) fn number(&self, out: &mut Diagnostics) -> Option<f64> {
        match self.value {
            Value::Float(x) => Some(*x),
            #[expect(clippy::cast_precision_loss, reason = "the nearest f64 is what is documented")]
            Value::Integer(n) => Some(*n as f64),
            _ => self.mismatch("a number", out),
        }
    }

    /// A number rounded to f32, which must not overflow.
    pub(crate) fn number_f32(&self, out: &mut Diagnostics) -> Option<f32> {
        let wide = self.number(out)?;
        #[expect(clippy::cast_possible_truncation, reason = "one rounding is what is documented")]
        let narrow = wide as f32;
        if narrow.is_finite() {
            Some(narrow)
        } else {
            self.bad(format!("{wide:e} is beyond the range of f32"), "at most 3.4e38 in size", out)
        }
    }

    /// A whole number within `range`.
    pub(crate) fn whole(&self, range: RangeInclusive<u64>, out: &mut Diagnostics) -> Option<u64> {
        let Value::Integer(n) = self.value else {
            return self.mismatch("a whole number", out);
        };
        let allowed = u64::try_from(*n).ok().filter(|n| range.contains(n));
        allowed.or_else(|| {
            let (low, high) = (range.start(), range.end());
            self.bad(format!("{n} is out of range"), &format!("allowed: {low} to {high}"), out)
        })
    }

    /// As [`Item::whole`], for ranges of u32.
    pub(crate) fn whole_u32(
        &self,
        range: RangeInclusive<u32>,
        out: &mut Diagnostics,
    ) -> Option<u32> {
        let wide = u64::from(*range.start())..=u64::from(*range.end());
        self.whole(wide, out).and_then(|n| u32::try_from(n).ok())
    }

    /// A whole number of i32.
    pub(crate) fn whole_i32(&self, out: &mut Diagnostics) -> Option<i32> {
        let Value::Integer(n) = self.value else {
            return self.mismatch("a whole number", out);
        };
        let (low, high) = (i32::MIN, i32::MAX);
        i32::try_from(*n).ok().or_else(|| {
            self.bad(format!("{n} is out of range"), &format!("allowed: {low} to {high}"), out)
        })
    }

    /// A list of exactly `N` whole numbers; `meaning` says which.
    pub(crate) fn whole_list<const N: usize>(
        &self,
        meaning: &str,
        range: &RangeInclusive<u32>,
        out: &mut Diagnostics,
    ) -> Option<[u32; N]> {
        let items = self.list(out)?;
        if items.len() != N {
            let found = items.len();
            return self.bad(
                format!("expected {N} numbers, found {found}"),
                &format!("expected {meaning}"),
                out,
            );
        }
        let values: Vec<Option<u32>> =
            items.iter().map(|i| i.whole_u32(range.clone(), out)).collect();
        let values: Option<Vec<u32>> = values.into_iter().collect();
        values.and_then(|v| v.try_into().ok())
    }

    /// A name by which things refer to each other: see [`flaw_of_name`].
    pub(crate) fn name(&self, out: &mut Diagnostics) -> Option<Name> {
        self.name_unless(flaw_of_name, out)
    }

    /// A text that `flaw` does not object to.
    pub(crate) fn name_unless(
        &self,
        flaw: fn(&str) -> Option<&'static str>,
        out: &mut Diagnostics,
    ) -> Option<Name> {
        let text = self.text(out)?;
        if let Some(why) = flaw(text) {
            return self.bad(format!("bad name {}", quote(text)), why, out);
        }
        Some(Name { text: text.to_owned(), path: self.path.clone() })
    }

    /// One word of a fixed set.
    pub(crate) fn choice<T: Copy>(
        &self,
        what: &str,
        options: &[(&str, T)],
        out: &mut Diagnostics,
    ) -> Option<T> {
        let text = self.text(out)?;
        if let Some(&(_, value)) = options.iter().find(|(word, _)| *word == text) {
            return Some(value);
        }
        let words: Vec<&str> = options.iter().map(|(word, _)| *word).collect();
        let mut d =
            Diagnostic::error(codes::BAD_VALUE, format!("{} is not a known {what}", quote(text)))
                .at(&self.path)
                .note(format!("known: {}", words.join(", ")));
        if let Some(word) = closest(text, words) {
            d = d.help(format!("did you mean `{word}`?"));
        }
        out.push(d);
        None
    }
}

/// Why `text` cannot name a node, neuron or gene. Names travel into text forms, artifacts and
/// reports, so they are kept plain.
pub(crate) fn flaw_of_name(text: &str) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-/:".contains(&b);
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(plain);
    (!fits).then_some("a name has 1 to 128 ASCII letters, digits and `_ . - / :`")
}

/// The fields of one object. Every field asked for is known; [`Fields::finish`] reports the rest.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    path: String,
    entries: &'a [(String, Value)],
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// JSON path of the object.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A field that may be absent.
    pub(crate) fn optional(&mut self, name: &'static str) -> Option<Item<'a>> {
        self.known.push(name);
        let (_, value) = self.entries.iter().find(|(k, _)| k == name)?;
        Some(Item { value, path: join(&self.path, name) })
    }

    /// A field that must be there; `meaning` is what the note says of it.
    pub(crate) fn required(
        &mut self,
        name: &'static str,
        meaning: &str,
        out: &mut Diagnostics,
    ) -> Option<Item<'a>> {
        let item = self.optional(name);
        if item.is_none() {
            out.push(
                Diagnostic::error(codes::MISSING_FIELD, format!("the field `{name}` is missing"))
                    .at(&self.path)
                    .note(format!("`{name}`: {meaning}")),
            );
        }
        item
    }

    /// Names of the fields that were never asked for.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &'a str> {
        let known = self.known.clone();
        self.entries.iter().map(|(key, _)| &**key).filter(move |key| !known.contains(key))
    }

    /// Reports fields that were never asked for and do not start with `x_`; the first of them, if
    /// there are many.
    pub(crate) fn finish(self, out: &mut Diagnostics) {
        let absent =
            || self.known.iter().copied().filter(|k| !self.entries.iter().any(|(e, _)| e == k));
        let known = |key: &str| self.known.contains(&key) || key.starts_with(PRIVATE);
        for (key, _) in self.entries.iter().filter(|(key, _)| !known(key)).take(MAX_UNKNOWN) {
            let d =
                Diagnostic::error(codes::UNKNOWN_FIELD, format!("unknown field {}", quote(key)))
                    .at(&self.path)
                    .note(format!("known here: {}", self.known.join(", ")));
            out.push(match closest(key, absent()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help("remove it, or prefix it with `x_` to keep it as a remark"),
            });
        }
    }
}

/// Path of the entry `key` of the object at `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { format!("{path}.{key}") } else { format!("{path}[{}]", quote(key)) }
}

/// The finding that `name` is not among `known`.
pub(crate) fn unknown_name<'b>(
    name: &Name,
    what: &str,
    known: impl Iterator<Item = &'b str> + Clone,
) -> Diagnostic {
    /// Longest list of names that is shown.
    const SHOWN: usize = 12;
    let d = Diagnostic::error(
        codes::UNKNOWN_NAME,
        format!("there is no {what} called {}", quote(&name.text)),
    )
    .at(&name.path);
    if let Some(near) = closest(&name.text, known.clone()) {
        return d.help(format!("did you mean `{near}`?"));
    }
    let names: Vec<&str> = known.take(SHOWN + 1).collect();
    match names.len() {
        0 => d.note(format!("there is no {what} at all")),
        1..=SHOWN => d.note(format!("there are: {}", names.join(", "))),
        _ => d,
    }
}
