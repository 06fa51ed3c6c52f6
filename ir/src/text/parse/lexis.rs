//! Words, numbers, strings and lists of the text form, as nom parsers.
//!
//! White space and `//` comments may stand before every token and mean nothing.

use crate::arena::Entity;
use nom::branch::alt;
use nom::bytes::complete::take_while1;
use nom::character::complete::{char, digit1};
use nom::combinator::{cut, map, opt, recognize};
use nom::error::{ErrorKind, ParseError};
use nom::multi::{many0, separated_list0};
use nom::sequence::{delimited, preceded};
use nom::{Err, IResult, Parser};

/// What every parser returns.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, Failure<'a>>;

/// Why the text at `rest` cannot be read.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    /// The text from the problem on.
    pub(super) rest: &'a str,
    /// What the problem is.
    pub(super) problem: Problem,
}

/// A problem of the text.
#[derive(Debug)]
pub(super) enum Problem {
    /// One of these was expected.
    Expected(Vec<&'static str>),
    /// A number or word is out of range: what was expected.
    Range(String),
}

impl<'a> Failure<'a> {
    pub(super) fn expected(rest: &'a str, what: &'static str) -> Self {
        Self { rest, problem: Problem::Expected(vec![what]) }
    }
}

impl<'a> ParseError<&'a str> for Failure<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self { rest, problem: Problem::Expected(Vec::new()) }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }

    /// The alternative that came further knows better; at the same place both expected something.
    fn or(mut self, other: Self) -> Self {
        if self.rest.len() != other.rest.len() {
            return if self.rest.len() < other.rest.len() { self } else { other };
        }
        if let (Problem::Expected(all), Problem::Expected(more)) =
            (&mut self.problem, other.problem)
        {
            all.extend(more);
        }
        self
    }
}

/// The text after white space and comments.
pub(super) fn skip(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        match text.strip_prefix("//") {
            Some(comment) => text = comment.find('\n').map_or("", |end| &comment[end..]),
            None => return text,
        }
    }
}

/// Whether `c` continues a word or number.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-')
}

/// Exactly this punctuation.
pub(super) fn token<'a>(
    text: &'static str,
) -> impl Parser<&'a str, Output = (), Error = Failure<'a>> {
    move |input: &'a str| {
        let input = skip(input);
        match input.strip_prefix(text) {
            Some(rest) => Ok((rest, ())),
            None => Err(Err::Error(Failure::expected(input, text))),
        }
    }
}

/// Exactly this word.
pub(super) fn word<'a>(
    text: &'static str,
) -> impl Parser<&'a str, Output = (), Error = Failure<'a>> {
    move |input: &'a str| {
        let input = skip(input);
        match input.strip_prefix(text) {
            Some(rest) if !rest.starts_with(is_word) => Ok((rest, ())),
            _ => Err(Err::Error(Failure::expected(input, text))),
        }
    }
}

/// One of these words, which stand for values.
pub(super) fn choice<'a, T: Copy>(
    what: &'static str,
    choices: &'static [(&'static str, T)],
) -> impl Parser<&'a str, Output = T, Error = Failure<'a>> {
    move |input: &'a str| {
        let input = skip(input);
        let (rest, found) = any_word(what)(input)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == found) {
            return Ok((rest, *value));
        }
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let problem = Problem::Range(format!("{what}: {}", names.join(" or ")));
        Err(Err::Failure(Failure { rest: input, problem }))
    }
}

/// Any word or number.
fn any_word<'a>(what: &'static str) -> impl Fn(&'a str) -> Parsed<'a, &'a str> {
    move |input| {
        let input = skip(input);
        take_while1(is_word)
            .parse(input)
            .map_err(|_: Err<Failure<'a>>| Err::Error(Failure::expected(input, what)))
    }
}

/// A number of the text form.
pub(super) trait Number: Sized {
    /// Reads one.
    fn number(input: &str) -> Parsed<'_, Self>;
}

/// The text of an integer, which no letter, digit or fraction follows.
fn integer_text(input: &str) -> Parsed<'_, &str> {
    let (rest, text) = recognize((opt(char('-')), digit1)).parse(input)?;
    let mut next = rest.chars();
    let fraction = next.next() == Some('.') && next.next().is_some_and(|c| c.is_ascii_digit());
    if fraction || rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Err::Error(Failure::expected(input, "an integer")));
    }
    Ok((rest, text))
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn number(input: &str) -> Parsed<'_, Self> {
                let input = skip(input);
                let (rest, text) = integer_text(input)
                    .map_err(|_| Err::Error(Failure::expected(input, "an integer")))?;
                text.parse().map(|value| (rest, value)).map_err(|_| {
                    let (low, high) = (<$type>::MIN, <$type>::MAX);
                    let problem = Problem::Range(format!("an integer from {low} to {high}"));
                    Err::Failure(Failure { rest: input, problem })
                })
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, i8, i16, i32);

macro_rules! floats {
    ($($type:ty),*) => {$(
        impl Number for $type {
            /// The nearest float; a decimal beyond the largest one is refused, `inf` and `NaN` are
            /// left to the verifier.
            fn number(input: &str) -> Parsed<'_, Self> {
                let input = skip(input);
                let (rest, text) = any_word("a number")(input)?;
                match text.parse::<$type>() {
                    Ok(value) if value.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
                        let problem = Problem::Range(format!("a number up to {:e}", <$type>::MAX));
                        Err(Err::Failure(Failure { rest: input, problem }))
                    }
                    Ok(value) => Ok((rest, value)),
                    Err(_) => Err(Err::Error(Failure::expected(input, "a number"))),
                }
            }
        }
    )*};
}
floats!(f32, f64);

/// `true` or `false`.
pub(super) fn boolean(input: &str) -> Parsed<'_, bool> {
    choice("a truth value", &[("true", true), ("false", false)]).parse(input)
}

/// The id of an entity, such as `pop3`.
pub(super) fn entity<K: Entity>(input: &str) -> Parsed<'_, K> {
    let input = skip(input);
    let missing = || Err::Error(Failure::expected(input, K::PREFIX));
    let digits = input.strip_prefix(K::PREFIX).ok_or_else(missing)?;
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(missing());
    }
    map(u32::number, |index| K::new(index as usize)).parse(digits)
}

/// A string in quotes, on one line.
pub(super) fn string(input: &str) -> Parsed<'_, String> {
    let input = skip(input);
    let missing = |rest, what| Err::Error(Failure::expected(rest, what));
    let mut rest = input.strip_prefix('"').ok_or_else(|| missing(input, "a string in quotes"))?;
    let mut value = String::new();
    loop {
        let end = rest.find(['"', '\\', '\n']).unwrap_or(rest.len());
        value.push_str(&rest[..end]);
        let after = &rest[end..];
        if let Some(done) = after.strip_prefix('"') {
            return Ok((done, value));
        }
        let Some(escape) = after.strip_prefix('\\') else {
            return Err(Err::Failure(Failure::expected(after, "a closing quote")));
        };
        let (next, c) = escaped(escape).ok_or_else(|| {
            Err::Failure(Failure::expected(after, "an escape: \\\" \\\\ \\n \\r \\t \\u{…}"))
        })?;
        value.push(c);
        rest = next;
    }
}

/// The character of an escape after its backslash, and the text after it.
fn escaped(text: &str) -> Option<(&str, char)> {
    let mut chars = text.chars();
    let c = match chars.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        c @ ('"' | '\\') => c,
        'u' => {
            let (code, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
            return Some((rest, char::from_u32(u32::from_str_radix(code, 16).ok()?)?));
        }
        _ => return None,
    };
    Some((chars.as_str(), c))
}

/// Numbers in braces.
pub(super) fn values<T: Number>(input: &str) -> Parsed<'_, Vec<T>> {
    let (rest, values) = preceded(token("{"), many0(T::number)).parse(input)?;
    alt((token("}"), map(T::number, |_| ()))).parse(rest).map(|(rest, ())| (rest, values))
}

/// Extents in brackets, separated by commas.
pub(super) fn extents(input: &str) -> Parsed<'_, Vec<u32>> {
    list(input)
}

/// Numbers in brackets, separated by commas.
fn list<T: Number>(input: &str) -> Parsed<'_, Vec<T>> {
    delimited(token("["), separated_list0(token(","), T::number), token("]")).parse(input)
}

/// Exactly `N` extents in brackets.
pub(super) fn extents_of<const N: usize>(input: &str) -> Parsed<'_, [u32; N]> {
    exactly(input, extents, "extents")
}

/// Exactly `N` integers in brackets.
pub(super) fn integers_of<const N: usize>(input: &str) -> Parsed<'_, [i32; N]> {
    exactly(input, list, "integers")
}

/// Exactly `N` items of a list.
fn exactly<'a, T, const N: usize>(
    input: &'a str,
    list: impl Fn(&'a str) -> Parsed<'a, Vec<T>>,
    what: &str,
) -> Parsed<'a, [T; N]> {
    let input = skip(input);
    let (rest, found) = list(input)?;
    <[T; N]>::try_from(found).map(|found| (rest, found)).map_err(|found| {
        let problem = Problem::Range(format!("{N} {what} in brackets, found {}", found.len()));
        Err::Failure(Failure { rest: input, problem })
    })
}

/// A word, then what must follow it.
pub(super) fn field<'a, T>(
    name: &'static str,
    parser: impl Parser<&'a str, Output = T, Error = Failure<'a>>,
) -> impl Parser<&'a str, Output = T, Error = Failure<'a>> {
    preceded(word(name), cut(parser))
}
