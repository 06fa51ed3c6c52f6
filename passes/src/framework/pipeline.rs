//! The pipeline string: `fold-batchnorm,schedule{delays=relay},map`.
//!
//! ```text
//! pipeline = call { "," call }
//! call     = name [ "{" [ option { "," option } ] "}" ]
//! option   = name "=" value
//! name     = letters, digits, "-"        value = the same and ".", "_", "+"
//! ```
//! Blanks may stand between any two of these.

use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics};
use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

/// One pass of a pipeline as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassCall {
    /// Name of the pass.
    pub name: String,
    /// Options as written, in order.
    pub options: Vec<(String, String)>,
    /// Column in the pipeline string, 1-based.
    pub column: u32,
}

/// A list of passes as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipeline {
    /// The passes in order.
    pub calls: Vec<PassCall>,
}

impl PassCall {
    /// Puts the place of this call into `diagnostic`.
    #[must_use]
    pub fn place(&self, diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.in_file("<pipeline>").at_line(1, self.column)
    }
}

impl Pipeline {
    /// Parses a pipeline string.
    ///
    /// # Errors
    /// `SNN0850` with the column of the first mistake.
    pub fn parse(text: &str) -> Result<Self, Diagnostics> {
        let mut parser = Parser { text, chars: text.char_indices().peekable() };
        let mut calls = Vec::new();
        loop {
            calls.push(parser.call()?);
            match parser.next_symbol() {
                None => return Ok(Self { calls }),
                Some((_, ',')) => {}
                Some((at, c)) => {
                    return Err(parser.error(at, &format!("`{c}`"), "`,` or the end"));
                }
            }
        }
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, call) in self.calls.iter().enumerate() {
            write!(f, "{}{call}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for PassCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (i, (name, value)) in self.options.iter().enumerate() {
            write!(f, "{}{name}={value}", if i > 0 { "," } else { "{" })?;
        }
        if self.options.is_empty() { Ok(()) } else { f.write_str("}") }
    }
}

struct Parser<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl Parser<'_> {
    fn call(&mut self) -> Result<PassCall, Diagnostics> {
        let (at, name) = self.word("the name of a pass", false)?;
        let mut call = PassCall { name, options: Vec::new(), column: self.column(at) };
        if self.peek_symbol() != Some('{') {
            return Ok(call);
        }
        self.next_symbol();
        if self.peek_symbol() == Some('}') {
            self.next_symbol();
            return Ok(call);
        }
        loop {
            let (_, name) = self.word("the name of an option", false)?;
            self.expect('=')?;
            let (_, value) = self.word("the value of the option", true)?;
            call.options.push((name, value));
            match self.next_symbol() {
                Some((_, ',')) => {}
                Some((_, '}')) => return Ok(call),
                Some((at, c)) => return Err(self.error(at, &format!("`{c}`"), "`,` or `}`")),
                None => return Err(self.error(self.text.len(), "the end", "`,` or `}`")),
            }
        }
    }

    fn word(&mut self, what: &str, value: bool) -> Result<(usize, String), Diagnostics> {
        self.skip_blanks();
        let mut word = String::new();
        let start = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == '-' || value && "._+".contains(c);
        while let Some((_, c)) = self.chars.next_if(|(_, c)| belongs(*c)) {
            word.push(c);
        }
        if word.is_empty() {
            let found = self.chars.peek().map_or("the end".to_owned(), |(_, c)| format!("`{c}`"));
            return Err(self.error(start, &found, what));
        }
        Ok((start, word))
    }

    fn expect(&mut self, symbol: char) -> Result<(), Diagnostics> {
        match self.next_symbol() {
            Some((_, c)) if c == symbol => Ok(()),
            Some((at, c)) => Err(self.error(at, &format!("`{c}`"), &format!("`{symbol}`"))),
            None => Err(self.error(self.text.len(), "the end", &format!("`{symbol}`"))),
        }
    }

    fn skip_blanks(&mut self) {
        while self.chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
    }

    fn peek_symbol(&mut self) -> Option<char> {
        self.skip_blanks();
        self.chars.peek().map(|(_, c)| *c)
    }

    fn next_symbol(&mut self) -> Option<(usize, char)> {
        self.skip_blanks();
        self.chars.next()
    }

    fn column(&self, at: usize) -> u32 {
        let before = self.text.get(..at).map_or(0, |t| t.chars().count());
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn error(&self, at: usize, found: &str, expected: &str) -> Diagnostics {
        Diagnostic::error(
            usage::PIPELINE_SYNTAX,
            format!("the pipeline has {found} where {expected} should be"),
        )
        .in_file("<pipeline>")
        .at_line(1, self.column(at))
        .help("a pipeline reads like `fold-batchnorm,schedule{delays=relay},map`")
        .into()
    }
}
