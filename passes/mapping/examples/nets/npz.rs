//! A `.npz` archive of one array: a zip archive without compression (PKWARE APPNOTE 6.3, sections 4.3 and 4.4) of an array
//! as `NumPy` writes it (`.npy`, format 1.0).

use std::num::TryFromIntError;

/// The archive that holds `values` as `name`.
pub(crate) fn archive(name: &str, values: &[f32]) -> Result<Vec<u8>, TryFromIntError> {
    let content = npy(values)?;
    let file = format!("{name}.npy");
    // Version 2.0, no flags, stored, midnight of the first day of 1980.
    let mut common = Vec::new();
    for field in [20u16, 0, 0, 0, 0x21] {
        common.extend(field.to_le_bytes());
    }
    let size = u32::try_from(content.len())?;
    for field in [checksum(&content), size, size] {
        common.extend(field.to_le_bytes());
    }
    common.extend(u16::try_from(file.len())?.to_le_bytes());
    common.extend(0u16.to_le_bytes());
    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&common);
    archive.extend(file.as_bytes());
    archive.extend(&content);
    let start = u32::try_from(archive.len())?;
    archive.extend(b"PK\x01\x02\x14\x00");
    archive.extend(&common);
    // No comment, disk 0, no attributes, at offset 0.
    archive.extend([0; 14]);
    archive.extend(file.as_bytes());
    let length = u32::try_from(archive.len())? - start;
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    archive.extend(length.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    Ok(archive)
}

fn npy(values: &[f32]) -> Result<Vec<u8>, TryFromIntError> {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}", values.len());
    // The data starts at a multiple of 64; the line ends before it.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.extend(std::iter::repeat_n(' ', length - 1 - header.len()));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(header.len())?.to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Ok(file)
}

/// CRC-32 as zip uses it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut sum, &byte| {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg());
        }
        sum
    })
}
