//! JSON as data: every key kept in order, no key twice, errors with line and column.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::syntax;
use std::collections::BTreeSet;
use std::fmt::{self, Write};

/// A JSON value. Whole numbers are kept apart from others: `4` is a count, `4.0` is not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// A short description for messages: the kind and, where it is short, the value.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(b) => format!("{b}"),
            Self::Integer(n) => format!("the number {n}"),
            Self::Float(x) => format!("the number {x:?}"),
            Self::String(s) => format!("the string {}", quote(s)),
            Self::Array(items) => match items.len() {
                1 => "a list of one entry".to_owned(),
                n => format!("a list of {n} entries"),
            },
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

/// `text` in quotes, shortened, control characters escaped.
pub(crate) fn quote(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// `value` as JSON text on one line, which reads back to the same value.
pub(crate) fn compact(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Integer(n) => n.to_string(),
        // The shortest digits that read back to the same f64, always with a point or an exponent.
        Value::Float(x) => format!("{x:?}"),
        Value::String(s) => escaped(s),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(compact).collect())),
        Value::Object(entries) => {
            let entry =
                |(key, value): &(String, Value)| format!("{}: {}", escaped(key), compact(value));
            format!("{{{}}}", joined(entries.iter().map(entry).collect()))
        }
    }
}

/// `text` as a JSON string.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Parses a whole JSON text.
///
/// # Errors
/// [`syntax::JSON_SYNTAX`] or [`syntax::JSON_DUPLICATE`], with line and column.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Diagnostic> {
    serde_json::from_slice(bytes).map_err(|error| {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        // The end of an empty line is column 0 there.
        let column = u32::try_from(error.column().max(1)).unwrap_or(u32::MAX);
        let text = error.to_string();
        let message = text.split_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        // The visitor below accepts every type of value, so its only own error is a repeated key.
        if error.classify() == Category::Data {
            return Diagnostic::error(syntax::JSON_DUPLICATE, message)
                .at_line(line, column)
                .help("keep one of the two");
        }
        let found = Diagnostic::error(syntax::JSON_SYNTAX, format!("not JSON: {message}"))
            .at_line(line, column);
        match offending(bytes, error.line(), error.column()) {
            Some(b'N' | b'I') => found.help("JSON has no NaN and no Infinity; use finite numbers"),
            _ => found,
        }
    })
}

/// The byte at a 1-based line and column.
fn offending(bytes: &[u8], line: usize, column: usize) -> Option<u8> {
    let text = bytes.split(|&b| b == b'\n').nth(line.checked_sub(1)?)?;
    text.get(column.checked_sub(1)?).copied()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::Integer(n.into()))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Integer(n.into()))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::Float(x))
    }

    fn visit_str<E>(self, s: &str) -> Result<Value, E> {
        Ok(Value::String(s.to_owned()))
    }

    fn visit_string<E>(self, s: String) -> Result<Value, E> {
        Ok(Value::String(s))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(de::Error::custom(format!("the key {} is given twice", quote(&key))));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Value::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_tells_counts_from_reals() {
        let value = parse(br#"{"b": [1, 1.0, -2, null], "a": {"c": true, "d": "x"}}"#).unwrap();
        let inner = vec![
            ("c".to_owned(), Value::Bool(true)),
            ("d".to_owned(), Value::String("x".to_owned())),
        ];
        let list = vec![Value::Integer(1), Value::Float(1.0), Value::Integer(-2), Value::Null];
        let expected =
            vec![("b".to_owned(), Value::Array(list)), ("a".to_owned(), Value::Object(inner))];
        assert_eq!(value, Value::Object(expected));
    }

    #[test]
    fn what_is_printed_reads_back() {
        let text = r#"{"a\"\\b\n\u0007é": [1, -2, 1.0, 1e-7, 123456789012345680000.0, true, null], "c": {}}"#;
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(parse(compact(&value).as_bytes()).unwrap(), value);
        assert_eq!(
            compact(&parse(b"[1, 1.0, \"x\", {\"a\": 1e-5}]").unwrap()),
            r#"[1, 1.0, "x", {"a": 1e-5}]"#
        );
    }

    #[test]
    fn numbers_are_the_nearest_f64() {
        // A parser that scales by a power of ten is off by one unit in the last place here.
        let value = parse(b"8.988465674311579e307").unwrap();
        assert_eq!(value, Value::Float("8.988465674311579e307".parse().unwrap()));
    }

    #[test]
    fn says_where_a_key_is_repeated() {
        let error = parse(b"{\n  \"k\": 1,\n  \"k\": 2\n}").unwrap_err();
        assert_eq!(error.code, syntax::JSON_DUPLICATE);
        assert_eq!(
            (error.place.line, error.message.as_str()),
            (Some(3), "the key \"k\" is given twice")
        );
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_stack_overflow() {
        let error = parse(&b"[".repeat(100_000)).unwrap_err();
        assert_eq!(error.code, syntax::JSON_SYNTAX);
    }
}
