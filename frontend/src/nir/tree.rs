//! The contents of an HDF5 file as plain data: groups of groups, arrays and strings.

use crate::arrays::{Array, elements};
use std::collections::BTreeMap;

/// A group. Names are in order: HDF5 does not keep another one that all writers agree on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Attributes of the group.
    pub attributes: BTreeMap<String, Value>,
    /// Its members.
    pub entries: BTreeMap<String, Item>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A group.
    Group(Tree),
    /// A dataset.
    Value(Value),
}

/// What a dataset or an attribute holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Numbers or booleans.
    Numbers(Array),
    /// Strings.
    Texts(Texts),
}

/// Strings in an array, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// Extents, none for a single string.
    pub shape: Vec<usize>,
    /// As many strings as the extents' product.
    pub values: Vec<String>,
}

impl Tree {
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.entries.is_empty()
    }

    /// The single string called `name`; `None` if there is none, or something else.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.entries.get(name)? {
            Item::Value(Value::Texts(texts)) => match &texts.values[..] {
                [text] => Some(text),
                _ => None,
            },
            Item::Value(Value::Numbers(_)) | Item::Group(_) => None,
        }
    }

    /// Adds a dataset.
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.entries.insert(name.to_owned(), Item::Value(value.into()));
    }

    /// Adds a group.
    pub(super) fn put_group(&mut self, name: &str, group: Self) {
        self.entries.insert(name.to_owned(), Item::Group(group));
    }
}

impl Value {
    /// Extents.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Numbers(a) => &a.shape,
            Self::Texts(t) => &t.shape,
        }
    }

    /// For messages: `float32 [3, 4]`, `a string`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Texts(t) if t.shape.is_empty() => "a string".to_owned(),
            Self::Texts(t) => format!("strings {:?}", t.shape),
            Self::Numbers(a) if a.shape.is_empty() => format!("one {}", a.data.type_name()),
            Self::Numbers(a) => format!("{} {:?}", a.data.type_name(), a.shape),
        }
    }
}

impl From<Array> for Value {
    fn from(array: Array) -> Self {
        Self::Numbers(array)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Texts(Texts { shape: Vec::new(), values: vec![text.to_owned()] })
    }
}

impl Texts {
    /// Strings with extents, if their number is the extents' product.
    pub fn new(shape: Vec<usize>, values: Vec<String>) -> Option<Self> {
        (elements(&shape) == Some(values.len())).then_some(Self { shape, values })
    }
}

/// Path of the member `name` of the group at `path`.
pub(super) fn join(path: &str, name: &str) -> String {
    if path == "/" { format!("/{name}") } else { format!("{path}/{name}") }
}
