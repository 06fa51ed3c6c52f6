//! Reads a file entry by entry, and goes on after an entry that cannot be read.

use super::lexis::{Failure, Parsed, Problem, skip};
use crate::arena::Entity;
use crate::diag::codes::syntax;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::level::AnyDraft;
use nom::Err;
use std::collections::BTreeMap;

/// Errors after which the rest of a file is not read: by then it is another kind of file.
const MAX_ERRORS: usize = 50;

/// A level under construction.
pub(super) trait Level: Sized {
    /// Reads what stands between the header line and the first entry.
    fn start(input: &str) -> Parsed<'_, Self>;
    /// Reads one entry.
    fn entry<'a>(&mut self, input: &'a str, entries: &mut Entries<'a>) -> Parsed<'a, ()>;
    /// The draft, unless a part is missing.
    fn finish(self, entries: &mut Entries<'_>) -> Option<AnyDraft>;
}

/// The state that is common to the entries of a file.
pub(super) struct Entries<'a> {
    text: &'a str,
    out: Diagnostics,
    /// Of each kind, the position of the next entity, and the number after the last one. Either is
    /// accepted, so that one missing or misnumbered entity is one error.
    next: BTreeMap<&'static str, (u64, u64)>,
    /// Whether an entry was skipped, so that numbers are unknown until the next of each kind.
    skipped: bool,
}

/// Reads `rest`, the part of `text` after the header line.
pub(super) fn read<L: Level>(text: &str, rest: &str) -> Result<AnyDraft, Diagnostics> {
    let mut entries =
        Entries { text, out: Diagnostics::new(), next: BTreeMap::new(), skipped: false };
    let (mut rest, mut level) = match L::start(rest) {
        Ok(started) => started,
        Err(error) => {
            entries.failure(error);
            return Err(entries.out);
        }
    };
    loop {
        rest = skip(rest);
        if rest.is_empty() || entries.out.len() >= MAX_ERRORS {
            break;
        }
        rest = match level.entry(rest, &mut entries) {
            Ok((rest, ())) => rest,
            Err(error) => {
                let problem = entries.failure(error);
                entries.next.clear();
                entries.skipped = true;
                next_entry(text, rest, problem)
            }
        };
    }
    let draft = level.finish(&mut entries);
    match draft {
        Some(draft) if !entries.out.has_errors() => Ok(draft),
        _ => Err(entries.out),
    }
}

/// Where to go on after a problem in the entry that starts at `entry`: at the first line from the
/// problem on that starts like another entry, with a letter and not indented.
fn next_entry<'a>(text: &'a str, entry: &str, problem: &'a str) -> &'a str {
    let line_start = |rest: &str| {
        let before = &text[..text.len() - rest.len()];
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && before.ends_with('\n')
    };
    if problem.len() < entry.len() && line_start(problem) {
        return problem;
    }
    let mut rest = problem;
    while let Some(end) = rest.find('\n') {
        rest = &rest[end + 1..];
        if line_start(rest) {
            return rest;
        }
    }
    ""
}

impl<'a> Entries<'a> {
    /// Checks that the entity `id` at `place` is the next of its kind.
    pub(super) fn number<K: Entity>(&mut self, place: &'a str, id: K) {
        let found = id.index() as u64;
        let first = if self.skipped { found } else { 0 };
        let (position, next) = *self.next.get(K::PREFIX).unwrap_or(&(first, first));
        self.next.insert(K::PREFIX, (position + 1, found + 1));
        if found != position && found != next {
            self.push(
                syntax::TEXT_NUMBERING,
                place,
                format!("{id} is out of order"),
                format!("expected {}{position}", K::PREFIX),
                "number the entities of each kind from 0 in the order of the file",
            );
        }
    }

    /// Stores what may occur once only.
    pub(super) fn once<T>(&mut self, place: &'a str, what: &str, slot: &mut Option<T>, value: T) {
        if slot.replace(value).is_some() {
            self.push(
                syntax::TEXT_SYNTAX,
                place,
                format!("the file has a second {what}"),
                format!("expected one {what}"),
                "remove one of them",
            );
        }
    }

    /// Takes out what must occur; reports its absence at the end of the file.
    pub(super) fn required<T>(&mut self, what: &str, slot: Option<T>) -> Option<T> {
        if slot.is_none() && !self.out.has_errors() {
            let end = &self.text[self.text.trim_end().len()..];
            self.push(
                syntax::TEXT_SYNTAX,
                end,
                format!("the file has no {what}"),
                format!("expected a line that starts with {what}"),
                "add it; it may have been cut off",
            );
        }
        slot
    }

    /// Reports why an entry cannot be read; returns the text from the problem on.
    fn failure(&mut self, error: Err<Failure<'a>>) -> &'a str {
        let failure = match error {
            Err::Error(failure) | Err::Failure(failure) => failure,
            // Only streaming parsers ask for more.
            Err::Incomplete(_) => Failure::expected("", "more text"),
        };
        let found = found(failure.rest);
        match failure.problem {
            Problem::Expected(all) => self.push(
                syntax::TEXT_SYNTAX,
                failure.rest,
                format!("unexpected {found}"),
                format!("expected {}", all.join(" or ")),
                "write the line as the printer does: `snnc fmt` shows the form",
            ),
            Problem::Range(expected) => self.push(
                syntax::TEXT_VALUE,
                failure.rest,
                format!("{found} is not possible here"),
                format!("expected {expected}"),
                "correct the value; values are never clipped to fit",
            ),
        }
        failure.rest
    }

    fn push(&mut self, code: Code, place: &str, message: String, note: String, help: &str) {
        self.out.push(at(self.text, place, Diagnostic::error(code, message)).note(note).help(help));
    }
}

/// Sets line and column of `rest`, which is the end of `text`.
pub(super) fn at(text: &str, rest: &str, diagnostic: Diagnostic) -> Diagnostic {
    let before = &text[..text.len() - rest.len()];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before[start..].chars().count() + 1;
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    diagnostic.at_line(narrow(line), narrow(column))
}

/// The start of `rest` for a message: a word, a character, or the end.
pub(super) fn found(rest: &str) -> String {
    let Some(first) = rest.chars().next() else {
        return "end of the file".to_owned();
    };
    if first == '\n' {
        return "end of the line".to_owned();
    }
    let word: String = rest
        .chars()
        .take_while(|c| !c.is_whitespace() && !"{}()[],\"".contains(*c))
        .take(40)
        .collect();
    format!("`{}`", if word.is_empty() { first.escape_default().to_string() } else { word })
}
