//! The `.snnb` binary form of drafts and recipes.
//!
//! Bytes `S N N B`, one byte for the kind (0 network, 1 quantized, 2 mapped, 3 program, 4 recipe), the
//! format version as a little-endian `u16`, then the postcard encoding of the draft or recipe, fields in
//! declaration order. Kind 3 is an emitted program, which the back ends read.

use crate::diag::codes::syntax;
use crate::diag::{Diagnostic, Diagnostics};
use crate::level::AnyDraft;
use crate::mapped::MappedDraft;
use crate::network::NetworkDraft;
use crate::quantized::QuantizedDraft;
use crate::recipe::Recipe;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// First bytes of every `.snnb` file.
pub const MAGIC: [u8; 4] = *b"SNNB";
/// Version of the format that this library writes, and the only one it reads.
pub const VERSION: u16 = 5;
/// Kind byte of a network.
pub const KIND_NETWORK: u8 = 0;
/// Kind byte of an integer network.
pub const KIND_QUANTIZED: u8 = 1;
/// Kind byte of a mapped network.
pub const KIND_MAPPED: u8 = 2;
/// Kind byte of an emitted program ([`crate::program::Program`]), which is not a draft.
pub const KIND_PROGRAM: u8 = 3;
/// Kind byte of a recipe, which is not a draft either.
pub const KIND_RECIPE: u8 = 4;

const HEADER: usize = MAGIC.len() + 1 + size_of::<u16>();

/// Encodes a network.
pub fn encode_network(draft: &NetworkDraft) -> Vec<u8> {
    encode(KIND_NETWORK, draft)
}

/// Encodes an integer network.
pub fn encode_quantized(draft: &QuantizedDraft) -> Vec<u8> {
    encode(KIND_QUANTIZED, draft)
}

/// Encodes a mapped network.
pub fn encode_mapped(draft: &MappedDraft) -> Vec<u8> {
    encode(KIND_MAPPED, draft)
}

/// Encodes a draft of any level.
pub fn encode_any(draft: &AnyDraft) -> Vec<u8> {
    match draft {
        AnyDraft::Network(draft) => encode_network(draft),
        AnyDraft::Quantized(draft) => encode_quantized(draft),
        AnyDraft::Mapped(draft) => encode_mapped(draft),
    }
}

/// Encodes a recipe.
pub fn encode_recipe(recipe: &Recipe) -> Vec<u8> {
    encode(KIND_RECIPE, recipe)
}

fn encode<T: Serialize>(kind: u8, draft: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(&MAGIC);
    bytes.push(kind);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    postcard::to_extend(draft, bytes).expect("postcard encodes every type of a draft or recipe")
}

/// Decodes a draft. The draft is not verified: pass it to [`crate::Level::verify`].
///
/// Memory stays in proportion to the bytes given: lengths in the file are not trusted.
///
/// # Errors
/// `SNN0160`–`SNN0167`: not a `.snnb` file, unknown version or kind, an emitted program or a recipe,
/// truncated, trailing bytes, damaged.
pub fn decode(bytes: &[u8]) -> Result<AnyDraft, Diagnostics> {
    let (kind, body) = open(bytes)?;
    match kind {
        KIND_NETWORK => body_of(body, "network").map(AnyDraft::Network),
        KIND_QUANTIZED => body_of(body, "quantized network").map(AnyDraft::Quantized),
        KIND_MAPPED => body_of(body, "mapped network").map(AnyDraft::Mapped),
        KIND_PROGRAM => Err(Diagnostic::error(
            syntax::BINARY_PROGRAM,
            "the file holds an emitted program, not a network",
        )
        .at("byte 4")
        .note("expected kind 0 (network), 1 (quantized) or 2 (mapped)")
        .help("use a command that takes programs, or give the network that it was compiled from")),
        KIND_RECIPE => {
            Err(Diagnostic::error(syntax::BINARY_RECIPE, "the file holds a recipe, not a network")
                .at("byte 4")
                .note("expected kind 0 (network), 1 (quantized) or 2 (mapped)")
                .help("give the network whose quantization the recipe decides"))
        }
        other => Err(unknown_kind(other)),
    }
    .map_err(Diagnostics::from)
}

/// Decodes a recipe and checks it ([`Recipe::check`]).
///
/// Memory stays in proportion to the bytes given: lengths in the file are not trusted.
///
/// # Errors
/// `SNN0160`–`SNN0168`: not a `.snnb` file, unknown version or kind, not a recipe, truncated, trailing
/// bytes, damaged. `SNN0430`, `SNN0431`: values that no recipe has.
pub fn decode_recipe(bytes: &[u8]) -> Result<Recipe, Diagnostics> {
    let (kind, body) = open(bytes)?;
    let found = match kind {
        KIND_NETWORK => "a network",
        KIND_QUANTIZED => "a quantized network",
        KIND_MAPPED => "a mapped network",
        KIND_PROGRAM => "an emitted program",
        KIND_RECIPE => {
            let recipe: Recipe = body_of(body, "recipe")?;
            recipe.check()?;
            return Ok(recipe);
        }
        other => return Err(unknown_kind(other).into()),
    };
    Err(Diagnostic::error(
        syntax::BINARY_NO_RECIPE,
        format!("the file holds {found}, not a recipe"),
    )
    .at("byte 4")
    .note(format!("expected kind {KIND_RECIPE} (recipe), found kind {kind}"))
    .help("give the recipe.snnb of an artifact, or a recipe that a calibration wrote")
    .into())
}

/// Kind and body of a file whose header is sound.
fn open(bytes: &[u8]) -> Result<(u8, &[u8]), Diagnostic> {
    match bytes.get(..MAGIC.len()) {
        Some(magic) if magic == MAGIC => {}
        _ => return Err(not_snnb(bytes)),
    }
    let Some(&[kind, low, high]) = bytes.get(MAGIC.len()..HEADER) else {
        return Err(truncated(bytes.len(), "the header of 7 bytes"));
    };
    let version = u16::from_le_bytes([low, high]);
    if version != VERSION {
        return Err(Diagnostic::error(
            syntax::BINARY_VERSION,
            format!("the file has format version {version}"),
        )
        .at("byte 5")
        .note(format!("this build reads version {VERSION}"))
        .help("write the file again with this build, or read it with the build that wrote it"));
    }
    Ok((kind, &bytes[HEADER..]))
}

fn unknown_kind(kind: u8) -> Diagnostic {
    Diagnostic::error(syntax::BINARY_KIND, format!("the file has the unknown kind {kind}"))
        .at("byte 4")
        .note("known kinds: 0 network, 1 quantized, 2 mapped, 3 program, 4 recipe")
        .help("check that the file is complete and was written by snnc")
}

fn not_snnb(bytes: &[u8]) -> Diagnostic {
    let start = &bytes[..bytes.len().min(MAGIC.len())];
    Diagnostic::error(syntax::BINARY_MAGIC, "the file is not in the .snnb form")
        .at("byte 0")
        .note(format!("expected the bytes \"SNNB\", found \"{}\"", start.escape_ascii()))
        .help("give a file written by snnc; the text form has the extension .snn")
}

fn truncated(len: usize, what: &str) -> Diagnostic {
    Diagnostic::error(
        syntax::BINARY_TRUNCATED,
        format!("the file ends after {len} bytes, inside {what}"),
    )
    .help("copy or write the file again: its end is missing")
}

fn body_of<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Diagnostic> {
    match postcard::take_from_bytes::<T>(body) {
        Ok((draft, [])) => Ok(draft),
        Ok((_, rest)) => Err(Diagnostic::error(
            syntax::BINARY_TRAILING,
            format!("{} bytes follow the end of the {what}", rest.len()),
        )
        .at(format!("byte {}", HEADER + body.len() - rest.len()))
        .help("remove what was appended to the file, or write it again")),
        Err(postcard::Error::DeserializeUnexpectedEnd) => {
            Err(truncated(HEADER + body.len(), &format!("the {what}")))
        }
        Err(error) => Err(Diagnostic::error(
            syntax::BINARY_CORRUPT,
            format!("the bytes do not encode a {what}"),
        )
        .note(format!("postcard decoder: {error}"))
        .help("write the file again: it was damaged or is of another build")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::Param;
    use crate::recipe::{Calibration, PopulationRecipe, ProjectionRecipe};
    use crate::text;

    const SMALL: &str = r#"snn 1 quantized name "q" steps 1 time logical
        pop0 "x" [1] = logical input events
        pop1 "y" [1] = logical neurons
            du 4095 dv 0 threshold 64 compare gt reset zero bias -1
            refractory 1 order leak_input_fire update_period 1
        readout spike_count pop1"#;

    fn small() -> Vec<u8> {
        encode_any(&text::parse(SMALL).unwrap())
    }

    fn error(bytes: &[u8]) -> String {
        decode(bytes).unwrap_err().to_string()
    }

    /// The bytes are a format that other programs decode, so they must not change unnoticed.
    #[test]
    fn bytes_are_as_documented() {
        let expected: &[u8] = &[
            b'S', b'N', b'N', b'B', 1, 5, 0, // header: kind 1, version 5
            1, b'q', 1, 0, // name, steps, logical time
            2, // populations
            1, b'x', 1, 1, 0, 0, 1, // name, shape, logical, input, events
            1, b'y', 1, 1, 0, 1, // name, shape, logical, neurons
            0, 0xFF, 0x1F, 0, 0, 0, 0x80, 1, // du 4095, dv 0, threshold 64 (zigzag)
            0, 0, 0, 1, 1, 0, 1,
            0, // gt, zero, bias -1, refractory, order, update period, floor
            0, 0, 0, // projections, matrices, host
            0, 1, // spike count of pop1
        ];
        assert_eq!(small(), expected);
    }

    #[test]
    fn bytes_of_messages_are_as_documented() {
        let text = SMALL.replace(
            "readout",
            r#"pop2 "d" [1] = logical input direct range [-1, 1]
            pop3 "g" [1] = logical graded keep negative bias 1
            host pop2 -> pop3 dense [1, 1] scale 1.0 { 1.0 }
            readout"#,
        );
        let bytes = encode_any(&text::parse(&text).unwrap());
        let expected: &[u8] = &[
            1, b'd', 1, 1, 0, 0, 0, 1, 1,
            2, // name, shape, logical, input, direct, range (zigzag)
            1, b'g', 1, 1, 0, 2, 1, 1, 0, 2,
            0, // name, shape, logical, graded, negative, bias 1, shift 0
            0, 0, 1, // projections, matrices, host
            2, 3, 0, 1, 1, // input, target, dense, 1 x 1
            1, 0, 0, 0x80, 0x3F, // one weight of 1.0
            0, 0, 0, 0, 0, 0, 0xF0, 0x3F, // scale 1.0
            0, 1, // spike count of pop1
        ];
        assert_eq!(bytes[bytes.len() - expected.len()..], *expected);
    }

    #[test]
    fn each_damage_has_its_code() {
        let good = small();
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            error(&bytes)
        };
        assert!(error(b"").contains("SNN0160"));
        assert!(error(b"snn 1 network").contains("found \"snn \""));
        assert!(with(0, b's').contains("SNN0160"));
        assert!(with(4, 3).contains("SNN0163"));
        assert!(with(4, 4).contains("SNN0167"));
        assert!(with(4, 5).contains("unknown kind 5"));
        assert!(with(5, 1).contains("format version 1"));
        assert!(with(6, 1).contains("format version 261"));
        assert!(error(&good[..6]).contains("SNN0164"));
        assert!(error(&good[..good.len() - 1]).contains("SNN0164"));
        assert!(with(10, 2).contains("SNN0166"), "unknown kind of time");
        assert!(error(&[&good[..], &[0]].concat()).contains("1 bytes follow"));
    }

    /// A length of 2^32 - 1 in a file of a few bytes is a truncated file, not a request for memory.
    #[test]
    fn lengths_are_not_trusted() {
        let mut bytes = small()[..7].to_vec();
        bytes.extend([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, b'q']);
        assert!(error(&bytes).contains("SNN0164"));
        let mut bytes = small()[..11].to_vec();
        bytes.extend([0xFF, 0xFF, 0xFF, 0xFF, 0x0F]);
        assert!(error(&bytes).contains("SNN0164"));
        // Settings, then 2^32 - 1 populations.
        let mut bytes = encode_recipe(&Recipe::default())[..11].to_vec();
        bytes.extend([0xFF, 0xFF, 0xFF, 0xFF, 0x0F]);
        assert!(decode_recipe(&bytes).unwrap_err().to_string().contains("SNN0164"));
    }

    fn recipe() -> Recipe {
        let population = PopulationRecipe {
            name: "h".to_owned(),
            scale: Some(Param::Uniform(1.0)),
            threshold: Some(Param::PerNeuron(vec![3, 1])),
            bias: None,
            dv: Some(Param::Uniform(4095)),
            shift: Some(9),
        };
        let projection = ProjectionRecipe {
            source: "x".to_owned(),
            target: "h".to_owned(),
            nth: 1,
            weight_bits: Some(4),
            split: Some(false),
            exponent: None,
            weights: Some(vec![-1, 7]),
        };
        let calibration =
            Calibration { data: "ab".to_owned(), first: 0, samples: 2, budget: 300, work: 3 };
        Recipe {
            populations: vec![population],
            projections: vec![projection],
            calibration: Some(calibration),
            ..Recipe::default()
        }
    }

    #[test]
    fn bytes_of_recipes_are_as_documented() {
        let expected: &[u8] = &[
            b'S', b'N', b'N', b'B', 4, 5, 0, // header: kind 4, version 5
            8, 0, 0, 7, // weight bits, groups auto, scales auto, largest exponent
            1, 1, b'h', 1, 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, // population, uniform scale 1.0
            1, 2, 2, 6, 2, // thresholds per neuron (zigzag)
            0, 1, 0, 0xFF, 0x1F, 1, 9, // no bias, uniform dv 4095, shift 9
            1, 1, b'x', 1, b'h', 1, // projection: source, target, nth
            1, 4, 1, 0, 0, 1, 2, 1, 14, // bits, split, no exponent, weights (zigzag)
            1, 2, b'a', b'b', 0, 2, 0xAC, 2, 3, // calibration
        ];
        assert_eq!(encode_recipe(&recipe()), expected);
        assert_eq!(decode_recipe(expected), Ok(recipe()));
    }

    #[test]
    fn each_damage_of_a_recipe_has_its_code() {
        let good = encode_recipe(&recipe());
        let error = |bytes: &[u8]| decode_recipe(bytes).unwrap_err().to_string();
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            error(&bytes)
        };
        assert!(error(b"{}").contains("SNN0160"));
        assert!(with(5, 2).contains("SNN0161"));
        assert!(with(4, 9).contains("SNN0162"));
        for (kind, what) in
            ["a network", "a quantized", "a mapped", "an emitted"].iter().enumerate()
        {
            let found = with(4, u8::try_from(kind).unwrap());
            assert!(found.contains("SNN0168") && found.contains(what), "{found}");
        }
        for len in 7..good.len() {
            assert!(error(&good[..len]).contains("SNN0164"), "{len} bytes");
        }
        assert!(error(&[&good[..], &[0]].concat()).contains("SNN0165"));
        assert!(with(8, 3).contains("SNN0166"), "unknown kind of groups");
        assert!(with(7, 9).contains("SNN0431"), "what is decoded is checked");
    }
}
