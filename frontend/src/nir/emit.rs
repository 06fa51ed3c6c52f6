//! Writes a [`Tree`] as an HDF5 file. The bytes depend on the tree alone.

use super::tree::{Item, Tree, Value};
use crate::arrays::ArrayData;
use hdf5_pure::{AttrValue, DatasetBuilder, EnumTypeBuilder, Error, FileBuilder, GroupBuilder};

/// Smallest dataset that is compressed; chunks of small ones take more than they save.
const COMPRESSED: usize = 4096;
/// As much as `nir` 1.0.8 compresses.
const LEVEL: u32 = 4;

/// The file's bytes.
pub(super) fn write(tree: &Tree) -> Result<Vec<u8>, Error> {
    let mut file = FileBuilder::new();
    for (name, value) in &tree.attributes {
        if let Some(value) = attribute(value) {
            file.set_attr(name, value);
        }
    }
    for (name, item) in &tree.entries {
        match item {
            Item::Value(value) => dataset(file.create_dataset(name), value)?,
            Item::Group(inner) => {
                let mut group = file.create_group(name);
                fill(&mut group, inner)?;
                file.add_group(group.finish());
            }
        }
    }
    file.finish()
}

fn fill(group: &mut GroupBuilder, tree: &Tree) -> Result<(), Error> {
    for (name, value) in &tree.attributes {
        if let Some(value) = attribute(value) {
            group.set_attr(name, value);
        }
    }
    for (name, item) in &tree.entries {
        match item {
            Item::Value(value) => dataset(group.create_dataset(name), value)?,
            Item::Group(inner) => {
                let mut below = group.create_group(name);
                fill(&mut below, inner)?;
                group.add_group(below.finish());
            }
        }
    }
    Ok(())
}

fn dataset(builder: &mut DatasetBuilder, value: &Value) -> Result<(), Error> {
    let extents: Vec<u64> = value.shape().iter().map(|&d| d as u64).collect();
    let numbers = match value {
        Value::Texts(texts) => {
            let values: Vec<&str> = texts.values.iter().map(String::as_str).collect();
            builder.with_vlen_strings(&values).with_shape(&extents);
            return Ok(());
        }
        Value::Numbers(numbers) => numbers,
    };
    match &numbers.data {
        ArrayData::Bool(v) => {
            let boolean = EnumTypeBuilder::with_base(hdf5_pure::make_i8_type())
                .raw_value("FALSE", &[0])
                .raw_value("TRUE", &[1])
                .build()?;
            let bytes: Vec<u8> = v.iter().map(|&b| u8::from(b)).collect();
            builder.with_enum_u8_data(boolean, &bytes)
        }
        ArrayData::U8(v) => builder.with_u8_data(v),
        ArrayData::I8(v) => builder.with_i8_data(v),
        ArrayData::U16(v) => builder.with_u16_data(v),
        ArrayData::I16(v) => builder.with_i16_data(v),
        ArrayData::U32(v) => builder.with_u32_data(v),
        ArrayData::I32(v) => builder.with_i32_data(v),
        ArrayData::U64(v) => builder.with_u64_data(v),
        ArrayData::I64(v) => builder.with_i64_data(v),
        ArrayData::F32(v) => builder.with_f32_data(v),
        ArrayData::F64(v) => builder.with_f64_data(v),
    };
    builder.with_shape(&extents);
    if !extents.is_empty() && numbers.data.len() >= COMPRESSED {
        builder.with_chunks(&chunks(&extents)).with_shuffle().with_deflate(LEVEL);
    }
    Ok(())
}

/// Chunks of whole rows, about [`TARGET`] elements each.
fn chunks(extents: &[u64]) -> Vec<u64> {
    /// Elements of a chunk.
    const TARGET: u64 = 1 << 16;
    let mut chunk = vec![1; extents.len()];
    let mut count = 1;
    for (place, &extent) in chunk.iter_mut().zip(extents).rev() {
        *place = extent.min(TARGET / count).max(1);
        count *= *place;
    }
    chunk
}

/// Attributes that recordings have. Strings have a variable length, without which h5py returns bytes.
fn attribute(value: &Value) -> Option<AttrValue> {
    match value {
        Value::Texts(t) => t.values.first().map(|text| AttrValue::VarLenString(text.clone())),
        Value::Numbers(a) => match &a.data {
            ArrayData::F64(v) => v.first().map(|&x| AttrValue::F64(x)),
            ArrayData::I64(v) => v.first().map(|&x| AttrValue::I64(x)),
            _ => None,
        },
    }
}
