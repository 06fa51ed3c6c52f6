//! Every diagnostic code, with its documentation.
//!
//! Blocks: 01xx files and syntax, 02xx genomes and NIR graphs, 03xx networks, 04xx quantization, 05xx mapping and
//! limits, 06xx emission and artifacts, 07xx equivalence, 08xx command line, 09xx internal.

pub mod account;
pub mod artifact;
pub mod calibrate;
pub mod equivalence;
pub mod folding;
pub mod genome;
pub mod internal;
pub mod mapping;
pub mod network;
pub mod nir;
pub mod nir_export;
pub mod nir_time;
pub mod quantize;
pub mod syntax;
pub mod tennlab;
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
            #[allow(
                rustdoc::broken_intra_doc_links,
                reason = "shapes and arrays in brackets are no links"
            )]
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
        nir_time::BLOCK,
        nir::BLOCK,
        tennlab::BLOCK,
        nir_export::BLOCK,
        network::BLOCK,
        quantize::BLOCK,
        folding::BLOCK,
        account::BLOCK,
        calibrate::BLOCK,
        mapping::BLOCK,
        artifact::BLOCK,
        equivalence::BLOCK,
        usage::BLOCK,
        internal::BLOCK,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes ascend over all blocks, so each number is given once.
    #[test]
    fn codes_are_unique_and_sorted() {
        let codes: Vec<Code> = all().map(|i| i.code).collect();
        for pair in codes.windows(2) {
            assert!(pair[0] < pair[1], "{} is followed by {}", pair[0], pair[1]);
        }
        let prefixes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        for info in all() {
            assert!(prefixes.contains(&(info.code.0 / 100)), "{} is in no block", info.code);
        }
    }

    #[test]
    fn codes_are_explained() {
        for info in all() {
            assert!(!info.title.trim().is_empty(), "{} has no title", info.code);
            assert!(info.text.len() >= 60, "{} is not explained", info.code);
        }
    }

    #[test]
    fn codes_are_found_by_name() {
        for info in all() {
            assert_eq!(Code::parse(&info.code.to_string()), Some(info.code));
        }
        let some = all().next().map(|i| i.code).unwrap();
        assert_eq!(Code::parse(&some.to_string().to_lowercase()), Some(some));
        assert_eq!(Code::parse(&some.0.to_string()), Some(some));
        for text in ["", "SNN", "SNN9999", "snnx", "-1", "é", "SN0150"] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }
}
