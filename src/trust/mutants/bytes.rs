//! Damage to the bytes of a program.

use crate::trust::stimuli::Draw;

/// A damage: changes the bytes, and says what it did.
type Damage = fn(&mut Vec<u8>, &mut Draw) -> Option<String>;

pub(super) const CLASSES: &[(&str, Damage)] = &[
    ("bit", bit),
    ("byte", byte),
    ("truncated", truncated),
    ("appended", appended),
    ("section-dropped", dropped),
    ("section-doubled", doubled),
    ("sections-swapped", swapped),
];

/// Bytes of the header, which says what the rest is.
const HEADER: usize = 7;

fn bit(bytes: &mut Vec<u8>, draw: &mut Draw) -> Option<String> {
    let (at, bit) = (draw.below(bytes.len()), draw.below(8));
    *bytes.get_mut(at)? ^= 1 << bit;
    Some(format!("bit {bit} of byte {at} flipped"))
}

fn byte(bytes: &mut Vec<u8>, draw: &mut Draw) -> Option<String> {
    let at = draw.below(bytes.len());
    let by = u8::try_from(1 + draw.below(255)).ok()?;
    let byte = bytes.get_mut(at)?;
    *byte = byte.wrapping_add(by);
    Some(format!("byte {at} became {byte}"))
}

fn truncated(bytes: &mut Vec<u8>, draw: &mut Draw) -> Option<String> {
    let len = draw.below(bytes.len());
    bytes.truncate(len);
    Some(format!("cut to {len} bytes"))
}

fn appended(bytes: &mut Vec<u8>, draw: &mut Draw) -> Option<String> {
    let count = 1 + draw.below(8);
    bytes.extend((0..count).map(|_| u8::try_from(draw.below(256)).unwrap_or(0)));
    Some(format!("{count} bytes appended"))
}

/// A stretch behind the header.
fn stretch(bytes: &[u8], draw: &mut Draw) -> Option<std::ops::Range<usize>> {
    let room = bytes.len().checked_sub(HEADER).filter(|&room| room > 8)?;
    let start = HEADER + draw.below(room);
    let len = 1 + draw.below((bytes.len() - start).min(64));
    Some(start..start + len)
}

fn dropped(bytes: &mut Vec<u8>, draw: &mut Draw) -> Option<String> {
    let stretch = stretch(bytes, draw)?;
    bytes.drain(stretch.clone());
    Some(format!("bytes {stretch:?} dropped"))
}

fn doubled(bytes: &mut Vec<u8>, draw: &mut Draw) -> Option<String> {
    let stretch = stretch(bytes, draw)?;
    let twice = bytes[stretch.clone()].to_vec();
    bytes.splice(stretch.end..stretch.end, twice);
    Some(format!("bytes {stretch:?} doubled"))
}

/// Two neighboring stretches exchanged.
fn swapped(bytes: &mut Vec<u8>, draw: &mut Draw) -> Option<String> {
    let stretch = stretch(bytes, draw)?;
    let by = draw.below(stretch.len());
    bytes[stretch.clone()].rotate_left(by);
    Some(format!("bytes {stretch:?} rotated by {by}"))
}
