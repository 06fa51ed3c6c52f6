//! Where the tensors of a genome are: inline, or in one side-car file.

use crate::arrays::{Array, ArrayData, elements};
use crate::fields::{Fields, Item, Name};
use crate::json::quote;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// Most values of an inline tensor.
const MAX_INLINE: usize = 4096;
/// Most extents of an inline tensor.
const MAX_RANK: usize = 8;

/// The field `tensors`.
#[derive(Debug)]
pub(crate) struct TensorsSpec {
    pub(crate) file: Option<SidecarSpec>,
    /// `None` where the tensor is wrong, so that its name is still known.
    pub(crate) inline: BTreeMap<String, Option<Array>>,
}

/// The file that holds the tensors.
#[derive(Debug)]
pub(crate) struct SidecarSpec {
    /// A bare file name.
    pub(crate) file: Name,
    pub(crate) format: Format,
    /// Lower-case digits.
    pub(crate) sha256: Option<Name>,
}

/// Format of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Safetensors,
    Npz,
}

/// Why `text` cannot name a tensor. Names of tensors are state-dict keys, so anything printable.
fn flaw_of_name(text: &str) -> Option<&'static str> {
    let fits = (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    (!fits)
        .then_some("the name of a tensor has 1 to 256 characters, none of them control characters")
}

/// The name of a tensor.
pub(crate) fn name(item: &Item<'_>, out: &mut Diagnostics) -> Option<Name> {
    item.name_unless(flaw_of_name, out)
}

/// `{ "tensor": "NAME" }`
pub(crate) fn reference(item: &Item<'_>, out: &mut Diagnostics) -> Option<Name> {
    let mut fields = item.fields(out)?;
    let tensor = fields.required("tensor", "name of a tensor", out).and_then(|i| name(&i, out));
    fields.finish(out);
    tensor
}

impl TensorsSpec {
    /// `state_dict` says whether the names of the tensors are those of a state dict, which the field
    /// `names` then says, too.
    pub(crate) fn parse(item: &Item<'_>, state_dict: bool, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = item.fields(out)?;
        if state_dict && let Some(names) = fields.required("names", "\"braincog-state-dict\"", out)
        {
            names.choice("naming of tensors", &[("braincog-state-dict", ())], out);
        }
        let inline = fields.optional("inline").map(|i| inline(&i, out));
        let given = fields.optional("file");
        let absent = given.is_none();
        let file = given.and_then(|i| sidecar(&i, &mut fields, out));
        if absent && inline.is_none() {
            out.push(
                Diagnostic::error(codes::SIDECAR_ABSENT, "neither `file` nor `inline` is given")
                    .at(&item.path)
                    .help("name the side-car file: { \"file\": \"net.safetensors\", \"format\": \"safetensors\" }"),
            );
        }
        fields.finish(out);
        // Without its file, every tensor in it would seem to be missing.
        let known = file.is_some() || (absent && inline.is_some());
        known.then(|| Self { file, inline: inline.unwrap_or_default() })
    }
}

fn sidecar(item: &Item<'_>, fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<SidecarSpec> {
    let formats = [("safetensors", Format::Safetensors), ("npz", Format::Npz)];
    let format = fields
        .required("format", "safetensors or npz", out)
        .and_then(|i| i.choice("tensor file format", &formats, out));
    let sha256 = fields.optional("sha256").and_then(|i| {
        let text = i.text(out)?;
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Some(Name { text: text.to_ascii_lowercase(), path: i.path })
        } else {
            i.bad("not a SHA-256 value", "64 hexadecimal digits", out)
        }
    });
    let file = item.text(out)?;
    // `Path` knows the separators of this machine only; the rule is the same on every machine.
    let foreign = file.contains(['/', '\\', ':', '\0']);
    if foreign || file.is_empty() || file == "." || file == ".." {
        out.push(
            Diagnostic::error(
                codes::SIDECAR_PATH,
                format!("{} is not a bare file name", quote(file)),
            )
            .at(&item.path)
            .note("the side-car file stands in the folder of the genome")
            .help("move the file there and give its name alone"),
        );
        return None;
    }
    let file = Name { text: file.to_owned(), path: item.path.clone() };
    Some(SidecarSpec { file, format: format?, sha256 })
}

fn inline(item: &Item<'_>, out: &mut Diagnostics) -> BTreeMap<String, Option<Array>> {
    let mut found = BTreeMap::new();
    for (name, item) in item.entries(flaw_of_name, out) {
        found.insert(name.text, inline_tensor(&item, out));
    }
    found
}

fn inline_tensor(item: &Item<'_>, out: &mut Diagnostics) -> Option<Array> {
    let mut fields = item.fields(out)?;
    let shape_item = fields.required("shape", "list of extents", out);
    let values_item = fields.required("values", "flat list of numbers, row-major", out);
    fields.finish(out);
    let (shape_item, values_item) = (shape_item?, values_item?);
    let extents = shape_item.list(out)?;
    if extents.len() > MAX_RANK {
        let found = extents.len();
        return shape_item.bad(format!("{found} extents"), "at most 8 extents", out);
    }
    let extents: Vec<Option<u32>> =
        extents.iter().map(|i| i.whole_u32(1..=u32::MAX, out)).collect();
    let shape: Vec<usize> =
        extents.into_iter().map(|d| d.map(|d| d as usize)).collect::<Option<_>>()?;
    let values = values_item.list(out)?;
    let needed = elements(&shape);
    if needed.is_none_or(|n| n > MAX_INLINE) || values.len() > MAX_INLINE {
        out.push(
            Diagnostic::error(codes::LIMIT, "the inline tensor is too large")
                .at(&item.path)
                .note(format!("at most {MAX_INLINE} values"))
                .help("move it to the side-car file"),
        );
        return None;
    }
    if needed != Some(values.len()) {
        let (found, needed) = (values.len(), needed.unwrap_or(0));
        return values_item.bad(
            format!("found {found} values"),
            &format!("shape {shape:?} needs {needed}"),
            out,
        );
    }
    let values: Vec<Option<f64>> = values.iter().map(|i| i.number(out)).collect();
    let data = ArrayData::F64(values.into_iter().collect::<Option<_>>()?);
    Some(Array { shape, data })
}
