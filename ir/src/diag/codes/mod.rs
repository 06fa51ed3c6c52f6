//! Every diagnostic code, with its documentation.
//!
//! Blocks: 01xx files and syntax, 02xx genomes, 03xx networks, 04xx quantization, 05xx mapping and
//! limits, 06xx emission and artifacts, 07xx equivalence, 08xx command line, 09xx internal.

pub mod artifact;
pub mod equivalence;
pub mod genome;
pub mod internal;
pub mod mapping;
pub mod network;
pub mod quantize;
pub mod syntax;
pub mod usage;

use serde::{Serialize, Serializer};
use std::fmt;

/// A stable diagnostic code, printed as `SNN0203`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// Its documentation.
    pub fn info(self) -> Option<&'static CodeInfo> {
        all().find(|i| i.code == self)
    }

    /// Parses `SNN0203`, `snn0203` or `203`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits =
            text.get(..3).filter(|p| p.eq_ignore_ascii_case("snn")).map_or(text, |_| &text[3..]);
        let code = Self(digits.parse().ok()?);
        code.info().map(|i| i.code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SNN{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Documentation of a code.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// Short title.
    pub title: &'static str,
    /// What it means, why it is an error, how to fix it.
    pub text: &'static str,
}

/// Declares the codes of one block: `NAME = number, "title", "text";`.
macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal, $text:literal;)*) => {
        $(
            #[doc = concat!("`SNN", stringify!($number), "` ", $title, ".\n\n", $text)]
            pub const $name: $crate::diag::codes::Code = $crate::diag::codes::Code($number);
        )*
        /// The codes of this block.
        pub const BLOCK: &[$crate::diag::codes::CodeInfo] = &[$(
            $crate::diag::codes::CodeInfo { code: $name, title: $title, text: $text },
        )*];
    };
}
pub(crate) use codes;

/// All codes, in order.
pub fn all() -> impl Iterator<Item = &'static CodeInfo> {
    [
        syntax::BLOCK,
        genome::BLOCK,
        network::BLOCK,
        quantize::BLOCK,
        mapping::BLOCK,
        artifact::BLOCK,
        equivalence::BLOCK,
        usage::BLOCK,
        internal::BLOCK,
    ]
    .into_iter()
    .flatten()
}
