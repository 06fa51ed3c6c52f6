//! Checked access to the members of a group: what is missing, of another kind, or not asked for.

use super::tree::{Item, Texts, Tree, Value, join};
use crate::arrays::{Array, ArrayData, show_shape};
use crate::json::quote;
use crate::suggest::closest;
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// The members of one group. What is taken is known; [`Entries::finish`] reports the rest.
#[derive(Debug)]
pub(super) struct Entries {
    /// Path of the group.
    pub(super) path: String,
    left: BTreeMap<String, Item>,
    known: Vec<&'static str>,
}

impl Entries {
    /// The members of `tree`, whose attributes are reported.
    pub(super) fn of(tree: Tree, path: &str, out: &mut Diagnostics) -> Self {
        for name in tree.attributes.keys() {
            out.push(
                Diagnostic::warning(
                    codes::ATTRIBUTE,
                    format!("the attribute {} is ignored", quote(name)),
                )
                .at(path)
                .help("NIR graphs have no attributes: move it into `metadata`"),
            );
        }
        Self { path: path.to_owned(), left: tree.entries, known: Vec::new() }
    }

    /// Path of a member.
    pub(super) fn at(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Whether a member is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    fn optional(&mut self, name: &'static str) -> Option<Item> {
        self.known.push(name);
        self.left.remove(name)
    }

    fn required(&mut self, name: &'static str, out: &mut Diagnostics) -> Option<Item> {
        let item = self.optional(name);
        if item.is_none() {
            out.push(
                Diagnostic::error(codes::MISSING, format!("`{name}` is missing"))
                    .at(&self.path)
                    .help("`docs/nir.md` lists what each type of node needs"),
            );
        }
        item
    }

    fn value(&self, name: &str, item: Item, out: &mut Diagnostics) -> Option<Value> {
        match item {
            Item::Value(value) => Some(value),
            Item::Group(_) => self.wrong(name, "a dataset", "a group", out),
        }
    }

    fn wrong<T>(
        &self,
        name: &str,
        expected: &str,
        found: &str,
        out: &mut Diagnostics,
    ) -> Option<T> {
        out.push(
            Diagnostic::error(codes::KIND, format!("expected {expected}, found {found}"))
                .at(self.at(name)),
        );
        None
    }

    /// A group that must be there.
    pub(super) fn group(&mut self, name: &'static str, out: &mut Diagnostics) -> Option<Tree> {
        match self.required(name, out)? {
            Item::Group(tree) => Some(tree),
            Item::Value(v) => self.wrong(name, "a group", &v.describe(), out),
        }
    }

    /// A group that may be absent.
    pub(super) fn group_or_empty(&mut self, name: &'static str, out: &mut Diagnostics) -> Tree {
        match self.optional(name) {
            None => Tree::default(),
            Some(Item::Group(tree)) => tree,
            Some(Item::Value(v)) => {
                self.wrong(name, "a group", &v.describe(), out).unwrap_or_default()
            }
        }
    }

    /// A string.
    pub(super) fn text(&mut self, name: &'static str, out: &mut Diagnostics) -> Option<String> {
        let item = self.required(name, out)?;
        match self.value(name, item, out)? {
            // Some writers make an array of one string.
            Value::Texts(Texts { mut values, .. }) if values.len() == 1 => values.pop(),
            v => self.wrong(name, "a string", &v.describe(), out),
        }
    }

    /// A string that may be absent.
    pub(super) fn optional_text(
        &mut self,
        name: &'static str,
        out: &mut Diagnostics,
    ) -> Option<String> {
        if self.has(name) {
            return self.text(name, out);
        }
        self.known.push(name);
        None
    }

    /// Strings, with their extents.
    pub(super) fn texts(&mut self, name: &'static str, out: &mut Diagnostics) -> Option<Texts> {
        let item = self.required(name, out)?;
        match self.value(name, item, out)? {
            Value::Texts(texts) => Some(texts),
            // An empty list has lost its type.
            Value::Numbers(a) if a.data.is_empty() => {
                Some(Texts { shape: a.shape, values: Vec::new() })
            }
            v @ Value::Numbers(_) => self.wrong(name, "strings", &v.describe(), out),
        }
    }

    /// Numbers.
    pub(super) fn array(&mut self, name: &'static str, out: &mut Diagnostics) -> Option<Array> {
        let item = self.required(name, out)?;
        self.numbers(name, item, out)
    }

    /// Numbers that may be absent.
    pub(super) fn optional_array(
        &mut self,
        name: &'static str,
        out: &mut Diagnostics,
    ) -> Option<Array> {
        let item = self.optional(name)?;
        self.numbers(name, item, out)
    }

    fn numbers(&self, name: &str, item: Item, out: &mut Diagnostics) -> Option<Array> {
        match self.value(name, item, out)? {
            Value::Numbers(array) if !matches!(array.data, ArrayData::Bool(_)) => Some(array),
            v => self.wrong(name, "numbers", &v.describe(), out),
        }
    }

    /// Whole numbers; a single one has no extents.
    pub(super) fn whole(&mut self, name: &'static str, out: &mut Diagnostics) -> Option<Whole> {
        let item = self.required(name, out)?;
        self.as_whole(name, item, out)
    }

    /// Whole numbers that may be absent.
    pub(super) fn optional_whole(
        &mut self,
        name: &'static str,
        out: &mut Diagnostics,
    ) -> Option<Whole> {
        let item = self.optional(name)?;
        self.as_whole(name, item, out)
    }

    /// A string or whole numbers.
    pub(super) fn text_or_whole(
        &mut self,
        name: &'static str,
        out: &mut Diagnostics,
    ) -> Option<Result<String, Whole>> {
        match self.left.get(name) {
            Some(Item::Value(Value::Texts(_))) => self.text(name, out).map(Ok),
            _ => self.whole(name, out).map(Err),
        }
    }

    fn as_whole(&self, name: &str, item: Item, out: &mut Diagnostics) -> Option<Whole> {
        let array = self.numbers(name, item, out)?;
        if array.shape.len() > 1 {
            let found = show_shape(&array.shape);
            return self.wrong(name, "a list of whole numbers", &format!("extents {found}"), out);
        }
        let Some(values) = integers(&array.data) else {
            let found = array.data.type_name();
            return self.wrong(name, "whole numbers", found, out);
        };
        Some(Whole { single: array.shape.is_empty(), values, path: self.at(name) })
    }

    /// All members, which are named freely.
    pub(super) fn into_members(self) -> (String, BTreeMap<String, Item>) {
        (self.path, self.left)
    }

    /// Reports members that were never asked for.
    pub(super) fn finish(self, what: &str, out: &mut Diagnostics) {
        for name in self.left.keys() {
            let d = Diagnostic::error(
                codes::UNKNOWN_ENTRY,
                format!("{what} has no entry {}", quote(name)),
            )
            .at(self.at(name))
            .note(format!("known: {}", self.known.join(", ")));
            out.push(match closest(name, self.known.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help("remove it, or move it into `metadata`"),
            });
        }
    }
}

/// Whole numbers of a dataset.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    /// Whether it is a single number without extents.
    pub(super) single: bool,
    /// The numbers.
    pub(super) values: Vec<i64>,
    /// Where they stand.
    pub(super) path: String,
}

impl Whole {
    fn bad<T>(&self, message: String, note: &str, out: &mut Diagnostics) -> Option<T> {
        out.push(Diagnostic::error(codes::VALUE, message).at(&self.path).note(note));
        None
    }

    /// One number of at least `low`.
    pub(super) fn one(&self, low: i64, out: &mut Diagnostics) -> Option<usize> {
        self.exactly::<1>(low, out).map(|[n]| n)
    }

    /// A single number of any sign.
    pub(super) fn signed(&self, out: &mut Diagnostics) -> Option<i64> {
        match self.values[..] {
            [n] => Some(n),
            _ => self.bad(format!("{} numbers", self.values.len()), "expected one", out),
        }
    }

    /// `N` numbers of at least `low`; a single one stands for all.
    pub(super) fn exactly<const N: usize>(
        &self,
        low: i64,
        out: &mut Diagnostics,
    ) -> Option<[usize; N]> {
        let values = self.sizes(low, out)?;
        if let ([one], true) = (&values[..], self.single) {
            return Some([*one; N]);
        }
        let found = values.len();
        let exact = <[usize; N]>::try_from(values).ok();
        exact.or_else(|| self.bad(format!("{found} numbers"), &format!("expected {N}"), out))
    }

    /// Numbers of at least `low` that are within the bounds of extents.
    pub(super) fn sizes(&self, low: i64, out: &mut Diagnostics) -> Option<Vec<usize>> {
        let allowed = |n: &&i64| !(low..=MAX_EXTENT).contains(*n);
        if let Some(n) = self.values.iter().find(allowed) {
            let note = format!("allowed: {low} to {MAX_EXTENT}");
            return self.bad(format!("{n} is out of range"), &note, out);
        }
        self.values.iter().map(|&n| usize::try_from(n).ok()).collect()
    }
}

/// Largest extent, stride or padding: sums and products of a few stay within 64 bits.
const MAX_EXTENT: i64 = 1 << 30;

/// Whole numbers, if all are; floats without fraction count, because numpy makes an empty list and
/// some writers make all shapes of them.
fn integers(data: &ArrayData) -> Option<Vec<i64>> {
    #[expect(clippy::cast_possible_truncation, reason = "compared with what it came from")]
    #[expect(clippy::cast_precision_loss, reason = "compared with what it came from")]
    fn whole(x: f64) -> Option<i64> {
        let n = x as i64;
        (x.abs() < 9e15 && (n as f64).to_bits() == (x + 0.0).to_bits()).then_some(n)
    }
    match data {
        ArrayData::F32(v) => v.iter().map(|&x| whole(f64::from(x))).collect(),
        ArrayData::F64(v) => v.iter().map(|&x| whole(x)).collect(),
        ArrayData::U64(v) => v.iter().map(|&x| i64::try_from(x).ok()).collect(),
        ArrayData::I64(v) => Some(v.clone()),
        ArrayData::Bool(v) => Some(v.iter().map(|&x| x.into()).collect()),
        ArrayData::U8(v) => Some(v.iter().map(|&x| x.into()).collect()),
        ArrayData::I8(v) => Some(v.iter().map(|&x| x.into()).collect()),
        ArrayData::U16(v) => Some(v.iter().map(|&x| x.into()).collect()),
        ArrayData::I16(v) => Some(v.iter().map(|&x| x.into()).collect()),
        ArrayData::U32(v) => Some(v.iter().map(|&x| x.into()).collect()),
        ArrayData::I32(v) => Some(v.iter().map(|&x| x.into()).collect()),
    }
}
