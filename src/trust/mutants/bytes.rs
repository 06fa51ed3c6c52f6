//! Damage to the bytes of a program.

use crate::trust::stimuli::Draw;
use std::ops::Range;

/// Names of the damages.
pub(super) const CLASSES: &[&str] = &[
    "bit",
    "byte",
    "truncated",
    "appended",
    "section-dropped",
    "section-doubled",
    "sections-swapped",
    EVERY_TRUNCATION,
];

/// Programs of shipped genomes, cut to every length.
pub(super) const EVERY_TRUNCATION: &str = "every-truncation";

/// Bytes of the header, which says what the rest is.
const HEADER: usize = 7;

/// Damages the bytes, and says what was done; `None` if there are too few of them.
pub(super) fn damage(class: &str, bytes: &mut Vec<u8>, draw: &mut Draw) -> Option<String> {
    let at = draw.below(bytes.len());
    Some(match class {
        "bit" => {
            let bit = draw.below(8);
            *bytes.get_mut(at)? ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        "byte" => {
            let by = u8::try_from(1 + draw.below(255)).ok()?;
            let byte = bytes.get_mut(at)?;
            *byte = byte.wrapping_add(by);
            format!("byte {at} became {byte}")
        }
        "truncated" => {
            bytes.truncate(at);
            format!("cut to {at} bytes")
        }
        "appended" => {
            let count = 1 + draw.below(8);
            bytes.extend((0..count).map(|_| u8::try_from(draw.below(256)).unwrap_or(0)));
            format!("{count} bytes appended")
        }
        "section-dropped" => {
            let stretch = stretch(bytes, draw)?;
            bytes.drain(stretch.clone());
            format!("bytes {stretch:?} dropped")
        }
        "section-doubled" => {
            let stretch = stretch(bytes, draw)?;
            let twice = bytes[stretch.clone()].to_vec();
            bytes.splice(stretch.end..stretch.end, twice);
            format!("bytes {stretch:?} doubled")
        }
        "sections-swapped" => {
            let stretch = stretch(bytes, draw)?;
            let by = draw.below(stretch.len());
            bytes[stretch.clone()].rotate_left(by);
            format!("bytes {stretch:?} rotated by {by}")
        }
        _ => return None,
    })
}

/// A stretch behind the header.
fn stretch(bytes: &[u8], draw: &mut Draw) -> Option<Range<usize>> {
    let room = bytes.len().checked_sub(HEADER).filter(|&room| room > 8)?;
    let start = HEADER + draw.below(room);
    let len = 1 + draw.below((bytes.len() - start).min(64));
    Some(start..start + len)
}
