//! Reads a whole HDF5 file into a [`Tree`], within bounds.
//!
//! Extents are compared with the length of the file before anything is read, groups may nest and
//! repeat only so far, and what was read must have the length that its extents promise.

use super::element;
use super::tree::{Item, Texts, Tree, Value, join};
use crate::arrays::{Array, ArrayData, elements, show_shape};
use hdf5_pure::{
    AttrValue, ChunkIndex, DType, Dataset, Datatype, File, Group, VlenStringReadOptions,
};
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::{BTreeMap, BTreeSet};

/// Deepest group: a graph takes two levels for each graph that it is nested in.
const MAX_DEPTH: usize = 40;
/// Most groups and datasets. Every way to an object counts, so that loops end.
const MAX_OBJECTS: usize = 200_000;
/// Most bytes of all datasets together, unpacked.
const MAX_BYTES: u64 = 2 << 30;
/// Most unpacked bytes per byte of the file: deflate cannot pack tighter.
const MAX_RATIO: u64 = 1100;
/// Bytes of a reference to a string.
const REFERENCE: u64 = 16;

/// Reads everything in `bytes`.
///
/// # Errors
/// `SNN0260` to `SNN0263`: all objects that cannot be read.
pub(super) fn read(bytes: Vec<u8>) -> Result<(Tree, Diagnostics), Diagnostics> {
    let length = bytes.len() as u64;
    let unreadable = |e: &dyn std::fmt::Display| {
        Diagnostic::error(codes::CONTAINER, "the file is not readable HDF5").note(e.to_string())
    };
    if !hdf5_pure::is_hdf5_bytes(&bytes) {
        return Err(unreadable(&"the HDF5 signature is missing").into());
    }
    let file = File::from_bytes(bytes).map_err(|e| unreadable(&e))?;
    let mut reader = Reader {
        left: MAX_BYTES.min(length.saturating_mul(MAX_RATIO)),
        objects: MAX_OBJECTS,
        found: Diagnostics::new(),
    };
    let tree = reader.group(&file.root(), "/", 0);
    let mut found = reader.found;
    let warnings = found.take_warnings();
    found.into_result((tree, warnings))
}

struct Reader {
    /// Bytes that may still be read.
    left: u64,
    /// Objects that may still be visited.
    objects: usize,
    found: Diagnostics,
}

impl Reader {
    fn fail(&mut self, code: snnc_ir::diag::Code, path: &str, message: impl Into<String>) {
        self.found.push(Diagnostic::error(code, message).at(path));
    }

    /// What is read of a group; the rest is reported.
    fn group(&mut self, group: &Group, path: &str, depth: usize) -> Tree {
        let mut tree = Tree::default();
        if depth > MAX_DEPTH {
            // Reported once: the rest of the file is not looked at.
            self.objects = 0;
            self.found.push(
                Diagnostic::error(codes::BUDGET, "groups are nested too deep")
                    .at(shorten(path))
                    .note(format!("at most {MAX_DEPTH} levels are read"))
                    .help("look for a group that contains itself"),
            );
            return tree;
        }
        tree.attributes = self.attributes(group.attrs(), group.attr_datatypes(), path);
        match group.named_datatypes() {
            Ok(names) => {
                for name in names {
                    let message = "a named datatype is neither a dataset nor a group";
                    self.fail(codes::KIND, &join(path, &name), message);
                }
            }
            Err(e) => {
                self.broken(path, &e);
                return tree;
            }
        }
        match group.iter_datasets() {
            Ok(datasets) => {
                for (name, dataset) in datasets {
                    if !self.visit(path) {
                        return tree;
                    }
                    let at = join(path, &name);
                    if let Some(value) = self.dataset(&dataset, &at) {
                        self.insert(&mut tree, name, Item::Value(value), &at);
                    }
                }
            }
            Err(e) => self.broken(path, &e),
        }
        match group.iter_groups() {
            Ok(groups) => {
                for (name, inner) in groups {
                    if !self.visit(path) {
                        return tree;
                    }
                    let at = join(path, &name);
                    let inner = self.group(&inner, &at, depth + 1);
                    self.insert(&mut tree, name, Item::Group(inner), &at);
                }
            }
            Err(e) => self.broken(path, &e),
        }
        tree
    }

    fn insert(&mut self, tree: &mut Tree, name: String, item: Item, at: &str) {
        if name.is_empty() || name == "." || name.contains(['/', '\0']) {
            self.fail(codes::CONTAINER, at, "a name that no path can hold");
            return;
        }
        if tree.entries.insert(name, item).is_some() {
            self.fail(codes::CONTAINER, at, "the name is given twice in its group");
        }
    }

    fn broken(&mut self, path: &str, error: &hdf5_pure::Error) {
        let d = Diagnostic::error(codes::CONTAINER, "the object cannot be decoded");
        let d = d.at(shorten(path)).note(error.to_string());
        self.found.push(d.help("damaged bytes or soft links are frequent causes"));
    }

    /// Counts an object; false if there were too many, which is reported once.
    fn visit(&mut self, path: &str) -> bool {
        match self.objects {
            0 => false,
            1 => {
                self.objects = 0;
                self.found.push(
                    Diagnostic::error(codes::BUDGET, "too many groups and datasets")
                        .at(shorten(path))
                        .note(format!("at most {MAX_OBJECTS} are read"))
                        .help("look for a group that contains itself"),
                );
                false
            }
            _ => {
                self.objects -= 1;
                true
            }
        }
    }

    /// Takes `bytes` out of what may be read, unless that is too much.
    fn take(&mut self, bytes: Option<u64>, path: &str) -> Option<u64> {
        let Some(bytes) = bytes.filter(|b| *b <= self.left) else {
            let claimed = bytes.map_or_else(|| "more than 2^64".to_owned(), |b| b.to_string());
            self.found.push(
                Diagnostic::error(
                    codes::BUDGET,
                    format!("the dataset claims {claimed} bytes, which the file cannot hold"),
                )
                .at(path)
                .note(format!(
                    "at most {MAX_RATIO} times the length of the file and {MAX_BYTES} bytes are \
                     unpacked in all; {} are left",
                    self.left
                )),
            );
            return None;
        };
        self.left -= bytes;
        Some(bytes)
    }

    fn dataset(&mut self, dataset: &Dataset, path: &str) -> Option<Value> {
        match self.try_dataset(dataset, path) {
            Ok(value) => value,
            Err(error) => {
                self.broken(path, &error);
                None
            }
        }
    }

    fn try_dataset(
        &mut self,
        dataset: &Dataset,
        path: &str,
    ) -> Result<Option<Value>, hdf5_pure::Error> {
        let shape: Option<Vec<usize>> =
            dataset.shape()?.into_iter().map(|d| usize::try_from(d).ok()).collect();
        let count = shape.as_deref().and_then(elements);
        let size = dataset.element_size()?;
        let bytes_of = |n: Option<u64>| n.and_then(|n| n.checked_mul(size));
        if let Some(why) = flaw_of_filters(&dataset.filters()) {
            self.fail(codes::CONTAINER, path, why);
            return Ok(None);
        }
        // A chunk is unpacked whole, so it is bounded like the whole.
        if let Some(chunk) = dataset.chunk_shape()? {
            let n = chunk.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
            let before = self.left;
            if self.take(bytes_of(n), path).is_none() {
                return Ok(None);
            }
            self.left = before;
            if let Some(why) = flaw_of_chunks(dataset, &chunk)? {
                self.fail(codes::CONTAINER, path, why);
                return Ok(None);
            }
        }
        let Some(bytes) = self.take(bytes_of(count.map(|n| n as u64)), path) else {
            return Ok(None);
        };
        let (Some(shape), Some(count)) = (shape, count) else { return Ok(None) };
        let attributes = self.attributes(dataset.attrs(), dataset.attr_datatypes(), path);
        for name in attributes.keys() {
            self.found.push(
                Diagnostic::warning(
                    codes::ATTRIBUTE,
                    format!("the attribute `{name}` of a dataset is ignored"),
                )
                .at(path),
            );
        }
        let datatype = dataset.datatype()?;
        let value = if dataset.dtype()? == DType::VariableLengthString {
            if size > REFERENCE {
                self.fail(codes::CONTAINER, path, "references to strings of an unknown size");
                return Ok(None);
            }
            let limit = usize::try_from(self.left).unwrap_or(usize::MAX);
            let options =
                VlenStringReadOptions::new().with_max_elements(count).with_max_payload_bytes(limit);
            let values = dataset.read_vlen_strings(options)?;
            let payload: usize = values.iter().map(String::len).sum();
            self.left = self.left.saturating_sub(payload as u64);
            self.texts(shape, values, path)
        } else {
            let raw = dataset.read_raw()?;
            if raw.len() as u64 != bytes {
                let (found, extents) = (raw.len(), show_shape(&shape));
                self.found.push(
                    Diagnostic::error(codes::LENGTH, format!("{found} bytes are stored"))
                        .at(path)
                        .note(format!("the extents {extents} need {bytes}")),
                );
                return Ok(None);
            }
            self.decode(shape, &raw, &datatype, path)
        };
        Ok(value)
    }

    fn decode(
        &mut self,
        shape: Vec<usize>,
        raw: &[u8],
        datatype: &Datatype,
        path: &str,
    ) -> Option<Value> {
        if let Datatype::String { size, padding, .. } = datatype {
            let values = element::fixed_strings(raw, *size as usize, padding);
            let Some(values) = values else {
                self.fail(codes::ELEMENT, path, "a string is not UTF-8");
                return None;
            };
            return self.texts(shape, values, path);
        }
        let Some((dtype, endian)) = element::of(datatype) else {
            self.found.push(
                Diagnostic::error(codes::ELEMENT, "elements of this type are not supported")
                    .at(path)
                    .note(format!("the type is {datatype}"))
                    .help("convert the array to float32 or int64"),
            );
            return None;
        };
        if element::is_half(dtype) {
            let d = "numbers of 16 bits are read as float32, exactly";
            self.found.push(Diagnostic::note_only(codes::ELEMENT, d).at(path));
        }
        match dtype.decode(raw, endian) {
            Ok(data) => Some(Value::Numbers(Array { shape, data })),
            Err(index) => {
                let message = format!("boolean {index} is neither 0 nor 1");
                self.fail(codes::ELEMENT, path, message);
                None
            }
        }
    }

    fn texts(&mut self, shape: Vec<usize>, values: Vec<String>, path: &str) -> Option<Value> {
        // The library marks bytes that are not UTF-8 with this character.
        if values.iter().any(|v| v.contains(char::REPLACEMENT_CHARACTER)) {
            self.fail(codes::ELEMENT, path, "a string is not UTF-8");
            return None;
        }
        let found = values.len();
        let texts = Texts::new(shape, values);
        if texts.is_none() {
            let message = format!("{found} strings do not fill the extents");
            self.fail(codes::LENGTH, path, message);
        }
        texts.map(Value::Texts)
    }

    fn attributes<
        V: IntoIterator<Item = (String, AttrValue)>,
        T: IntoIterator<Item = (String, Datatype)>,
    >(
        &mut self,
        values: Result<V, hdf5_pure::Error>,
        types: Result<T, hdf5_pure::Error>,
        path: &str,
    ) -> BTreeMap<String, Value> {
        let (values, types) = match (values, types) {
            (Ok(values), Ok(types)) => (values, types),
            (Err(e), _) | (_, Err(e)) => {
                self.broken(path, &e);
                return BTreeMap::new();
            }
        };
        let values: BTreeMap<String, AttrValue> = values.into_iter().collect();
        let names: BTreeSet<String> = types.into_iter().map(|(name, _)| name).collect();
        let mut read = BTreeMap::new();
        for name in names {
            if let Some(value) = values.get(&name).and_then(attribute) {
                read.insert(name, value);
            } else {
                let message = format!("the attribute `{name}` cannot be read");
                self.fail(codes::ELEMENT, path, message);
            }
        }
        read
    }
}

/// Filters that are undone: deflate, shuffle, Fletcher's checksum, LZF; each once, because deflate over
/// deflate packs tighter than any bound.
fn flaw_of_filters(filters: &[u16]) -> Option<&'static str> {
    const KNOWN: [u16; 4] = [1, 2, 3, 32000];
    if filters.iter().any(|f| !KNOWN.contains(f)) {
        return Some("a filter other than deflate, shuffle, Fletcher's checksum and LZF");
    }
    let unique: BTreeSet<&u16> = filters.iter().collect();
    (unique.len() < filters.len()).then_some("a filter is applied twice")
}

/// A chunk that starts beyond the extents, between chunks, or where another does, has no place. The library
/// skips such chunks, or adds to offsets near the largest number.
fn flaw_of_chunks(
    dataset: &Dataset,
    chunk: &[u64],
) -> Result<Option<&'static str>, hdf5_pure::Error> {
    if dataset.chunk_index()? == Some(ChunkIndex::BTreeV2) {
        return Ok(Some("an index of chunks of a kind that is not read"));
    }
    let shape = dataset.shape()?;
    let fits = |offset: &[u64]| {
        let mut places = offset.iter().zip(&shape).zip(chunk);
        places.all(|((&at, &extent), &chunk)| at < extent && chunk > 0 && at % chunk == 0)
    };
    let mut seen = BTreeSet::new();
    for stored in dataset.chunks()? {
        if !fits(&stored.offset) {
            return Ok(Some("a chunk lies beyond the extents or between chunks"));
        }
        if !seen.insert(stored.offset) {
            return Ok(Some("two chunks have one place"));
        }
    }
    Ok(None)
}

/// Attributes that recordings have: single numbers and strings.
fn attribute(value: &AttrValue) -> Option<Value> {
    if let Some(text) = value.as_str() {
        return Some(text.into());
    }
    let data = match value {
        AttrValue::F32(x) => ArrayData::F32(vec![*x]),
        AttrValue::F64(x) => ArrayData::F64(vec![*x]),
        AttrValue::I8(x) => ArrayData::I8(vec![*x]),
        AttrValue::I16(x) => ArrayData::I16(vec![*x]),
        AttrValue::I32(x) => ArrayData::I32(vec![*x]),
        AttrValue::I64(x) => ArrayData::I64(vec![*x]),
        AttrValue::U8(x) => ArrayData::U8(vec![*x]),
        AttrValue::U16(x) => ArrayData::U16(vec![*x]),
        AttrValue::U32(x) => ArrayData::U32(vec![*x]),
        AttrValue::U64(x) => ArrayData::U64(vec![*x]),
        _ => return None,
    };
    Some(Value::Numbers(Array { shape: Vec::new(), data }))
}

/// A path that loops would make long.
fn shorten(path: &str) -> String {
    const SHOWN: usize = 120;
    if path.chars().count() <= SHOWN {
        return path.to_owned();
    }
    let start: String = path.chars().take(SHOWN).collect();
    format!("{start}…")
}
