//! What lies where an artifact is to be published.

use super::manifest::{MANIFEST, Manifest};
use super::{RECIPE, REPORT};
use crate::files;
use snnc_ir::binary::{self, KIND_RECIPE};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// How often a destination is looked at that others change meanwhile.
const TRIES: usize = 1000;

/// What lies at a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occupant {
    /// Nothing, or an empty folder.
    Nothing,
    /// A folder of ours, of the kind that is to be published, and nothing else.
    Ours,
    /// Something that is not to be deleted.
    Foreign,
}

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An artifact.
    Artifact,
    /// A recipe and the account of a quantization.
    Quantization,
}

/// What lies at `destination`. Whatever cannot be looked at is foreign.
///
/// It is looked at entry by entry, and meanwhile another process may put its folder there and delete this one. So
/// what was seen counts only if the same folder is still there afterwards; as long as it is open here, no other one
/// can be taken for it.
pub(super) fn occupant(kind: Kind, destination: &Path) -> Occupant {
    for _ in 0..TRIES {
        match destination.symlink_metadata() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Occupant::Nothing,
            // A link to a folder is not a folder: replacing it would not do what it seems to.
            Ok(meta) if meta.is_dir() => {}
            _ => return Occupant::Foreign,
        }
        let handle = File::open(destination);
        let seen = look(kind, destination);
        let is_gone = match &handle {
            Ok(handle) => !files::is_at(handle, destination),
            // Other refusals are those of systems that open no folders, or of folders that are not for us.
            Err(e) => e.kind() == io::ErrorKind::NotFound,
        };
        if !is_gone {
            return seen;
        }
    }
    Occupant::Foreign
}

/// What the folder `destination` is, if it does not change meanwhile.
fn look(kind: Kind, destination: &Path) -> Occupant {
    let Some(names) = names(destination) else { return Occupant::Foreign };
    if names.is_empty() {
        return Occupant::Nothing;
    }
    if kind == Kind::Quantization {
        let bytes = files::read(&destination.join(RECIPE), files::MAX_BINARY).unwrap_or_default();
        let ours = [RECIPE, REPORT].map(str::to_owned).into();
        let is_recipe = bytes.starts_with(&binary::MAGIC) && bytes.get(4) == Some(&KIND_RECIPE);
        return if names == ours && is_recipe { Occupant::Ours } else { Occupant::Foreign };
    }
    match Manifest::listed(destination) {
        Some(listed) if names.iter().all(|n| n == MANIFEST || listed.contains(n)) => Occupant::Ours,
        _ => Occupant::Foreign,
    }
}

/// Names in a folder of plain files; `None` if there is anything else in it.
fn names(folder: &Path) -> Option<BTreeSet<String>> {
    fs::read_dir(folder)
        .ok()?
        .map(|entry| {
            let entry = entry.ok()?;
            entry.file_type().ok()?.is_file().then_some(())?;
            entry.file_name().into_string().ok()
        })
        .collect()
}
