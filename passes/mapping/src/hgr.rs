//! Reader of hypergraphs in the text format of hMETIS, as partitioners exchange them.
//!
//! ```text
//! % comment
//! EDGES VERTICES [FORMAT]
//! [RATE] SOURCE TARGET...      one line per edge
//! [NEURONS]                    one line per vertex
//! ```
//!
//! Vertices are numbered from 1. The first pin of an edge is its source; a source that is listed again is its own target.
//! Format 1 or 11 gives 100 times the rate of each edge (else it is 1), format 10 or 11 the neurons of each
//! vertex (else 1). Every edge has one axon. Source: hMETIS 1.5.3 manual, section 3.1 ("Format of the Hypergraph File"), which knows
//! neither sources nor rates.

use crate::hypergraph::{Hypergraph, narrow};

/// Rates are written as integers: this many stand for one spike per step.
pub const RATE_UNIT: f64 = 100.0;

/// Vertices that a file may announce without a byte of text for each (vertices without an edge need no text).
const VERTICES_FOR_FREE: u64 = 1 << 20;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}, found {found}")]
pub struct HgrError {
    /// Line, from 1.
    pub line: usize,
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// Reads a hypergraph.
///
/// # Errors
/// The first line that is not as the format says.
pub fn read(text: &[u8]) -> Result<Hypergraph, HgrError> {
    let mut lines = Lines { text, line: 0 };
    let mut header = lines.next("a header `EDGES VERTICES [FORMAT]`")?;
    // An edge takes two bytes at least: a digit and the end of the line.
    let most = text.len() as u64 / 2 + 1;
    let edges = header.number("the number of edges", 0, most, "the rest of the file could hold")?;
    let most = (text.len() as u64 + VERTICES_FOR_FREE).min(u64::from(u32::MAX) - 1);
    let vertices =
        header.number("the number of vertices", 0, most, "a file of this size may have")?;
    let (rated, weighted) = match header.word() {
        None | Some(b"0") => (false, false),
        Some(b"1" | b"01") => (true, false),
        Some(b"10") => (false, true),
        Some(b"11") => (true, true),
        Some(word) => {
            return Err(header.wrong("one of the formats 0, 1, 10 and 11".into(), word));
        }
    };
    header.end()?;
    let mut graph = Hypergraph { starts: vec![0], ..Hypergraph::default() };
    for edge in 1..=edges {
        let mut line = lines.next(&format!("edge {edge} of {edges}"))?;
        let rate = if rated { line.number("100 times a rate", 0, 1 << 53, "fits")? } else { 100 };
        let source = line.vertex("a source", vertices)?;
        let start = graph.targets.len();
        while let Some(target) = line.optional_vertex("a target", vertices)? {
            graph.targets.push(target);
        }
        let targets = &mut graph.targets[start..];
        targets.sort_unstable();
        if let Some(pair) = targets.windows(2).find(|pair| pair[0] == pair[1]) {
            let found = (u64::from(pair[0]) + 1).to_string();
            return Err(line.wrong("each target once".into(), format!("{found} twice").as_bytes()));
        }
        graph.sources.push(source);
        graph.axons.push(1);
        graph.rates.push(real(rate) / RATE_UNIT);
        graph.starts.push(graph.targets.len());
    }
    let count = usize::try_from(vertices).expect("bounded by the length of the text");
    if weighted {
        for vertex in 1..=vertices {
            let mut line = lines.next(&format!("neurons of vertex {vertex} of {vertices}"))?;
            let neurons = line.number("a number of neurons", 0, u64::from(u32::MAX), "fits")?;
            line.end()?;
            graph.weights.push(u32::try_from(neurons).expect("bounded above"));
        }
    } else {
        graph.weights = vec![1; count];
    }
    match lines.advance() {
        None => Ok(graph),
        Some(mut line) => {
            let word = line.word().unwrap_or(b"");
            Err(line.wrong("the end of the file".into(), word))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers in files are at most 2^53")]
fn real(number: u64) -> f64 {
    number as f64
}

/// Lines that hold something.
struct Lines<'a> {
    text: &'a [u8],
    line: usize,
}

/// One line, from where it has been read.
struct Line<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Lines<'a> {
    fn advance(&mut self) -> Option<Line<'a>> {
        while !self.text.is_empty() {
            let end = self.text.iter().position(|&byte| byte == b'\n').unwrap_or(self.text.len());
            let (rest, after) = self.text.split_at(end);
            self.text = after.get(1..).unwrap_or(&[]);
            self.line += 1;
            if rest.first() != Some(&b'%') && rest.iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Some(Line { rest, line: self.line });
            }
        }
        None
    }

    fn next(&mut self, expected: &str) -> Result<Line<'a>, HgrError> {
        self.advance().ok_or_else(|| HgrError {
            line: self.line + 1,
            expected: expected.into(),
            found: "the end of the file".into(),
        })
    }
}

impl<'a> Line<'a> {
    fn word(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = &self.rest[start..];
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        self.rest = &rest[end..];
        Some(&rest[..end])
    }

    fn wrong(&self, expected: String, word: &[u8]) -> HgrError {
        const SHOWN: usize = 40;
        let shown = String::from_utf8_lossy(&word[..word.len().min(SHOWN)]);
        let found = match word.len() {
            0 => "the end of the line".into(),
            1..=SHOWN => format!("`{shown}`"),
            _ => format!("`{shown}…`"),
        };
        HgrError { line: self.line, expected, found }
    }

    fn number(&mut self, what: &str, least: u64, most: u64, why: &str) -> Result<u64, HgrError> {
        let word = self.word().unwrap_or(b"");
        parse(word).filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            self.wrong(format!("{what}, an integer from {least} to {most} ({why})"), word)
        })
    }

    fn vertex(&mut self, what: &str, vertices: u64) -> Result<u32, HgrError> {
        match self.optional_vertex(what, vertices)? {
            Some(vertex) => Ok(vertex),
            None => Err(self.wrong(format!("{what}, a vertex from 1 to {vertices}"), b"")),
        }
    }

    fn optional_vertex(&mut self, what: &str, vertices: u64) -> Result<Option<u32>, HgrError> {
        let Some(word) = self.word() else { return Ok(None) };
        match parse(word).filter(|number| (1..=vertices).contains(number)) {
            Some(number) => Ok(Some(narrow(usize::try_from(number - 1).expect("32 bits")))),
            None => Err(self.wrong(format!("{what}, a vertex from 1 to {vertices}"), word)),
        }
    }

    fn end(&mut self) -> Result<(), HgrError> {
        match self.word() {
            None => Ok(()),
            Some(word) => Err(self.wrong("the end of the line".into(), word)),
        }
    }
}

fn parse(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 19 {
        return None;
    }
    word.iter().try_fold(0u64, |number, &byte| {
        byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests;
