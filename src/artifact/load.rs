//! Reading an artifact back: every hash is checked before a byte is interpreted.

use super::manifest::{FileEntry, MANIFEST, Manifest, RecipeEntry};
use super::{PROGRAM, RECIPE, SOURCE, TARGET};
use crate::files::{self, shown};
use snnc_backends::{program, targets};
use snnc_ir::diag::codes::usage;
use snnc_ir::level::AnyDraft;
use snnc_ir::program::Program;
use snnc_ir::quantized::Time;
use snnc_ir::{
    Diagnostic, Diagnostics, Level, QuantizedNetwork, Recipe, Rules, TargetSpec, binary,
};
use std::fs;
use std::path::{Path, PathBuf};

/// An artifact whose files are those of its manifest.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// The program, decoded by the independent reader.
    pub program: Program,
    /// The quantized network in logical time.
    pub source: QuantizedNetwork,
    /// The target.
    pub target: TargetSpec,
    /// The recipe that the network was quantized by.
    pub recipe: Recipe,
    /// Files in the folder that the manifest does not list.
    pub warnings: Diagnostics,
}

/// How often an artifact is read again that was replaced while it was read.
const RELOADS: usize = 20;

/// Whether `path` is meant as an artifact: a folder, or a manifest.
pub fn is_artifact(path: &Path) -> bool {
    path.is_dir() || path.file_name().is_some_and(|n| n == MANIFEST)
}

/// The folder of the artifact in `path`, a folder or the manifest inside it.
pub fn folder(path: &Path) -> PathBuf {
    if path.is_dir() { path.to_path_buf() } else { files::parent(path) }
}

impl Artifact {
    /// Loads the artifact in `path`, a folder or the manifest inside it.
    ///
    /// # Errors
    /// `SNN0830`, `SNN0831` for the manifest, `SNN0832` for every file that is missing or altered,
    /// `SNN0833` if the files do not belong together, and what the decoders reject. The report of the
    /// quantization is held to its hash and not interpreted.
    pub fn load(path: &Path) -> Result<Self, Diagnostics> {
        Self::load_with(path, read_listed)
    }

    /// Loads an artifact whose program differs from its hash, to say what the difference means. It
    /// must not be run or published.
    ///
    /// # Errors
    /// As [`Artifact::load`], but for the size and hash of the program.
    pub fn load_altered(path: &Path) -> Result<Self, Diagnostics> {
        Self::load_with(path, |folder, listed| {
            if listed.name == PROGRAM {
                files::read(&folder.join(PROGRAM), files::MAX_BINARY)
            } else {
                read_listed(folder, listed)
            }
        })
    }

    fn load_with(path: &Path, read: ReadFile) -> Result<Self, Diagnostics> {
        let folder = folder(path);
        let mut manifest = Manifest::read(&folder)?;
        for _ in 0..RELOADS {
            let loaded = Self::load_listed(folder.clone(), manifest.clone(), read);
            // Files that do not go together may be of two artifacts, of which one replaced the other meanwhile.
            match Manifest::read(&folder) {
                Ok(now) if loaded.is_err() && now != manifest => manifest = now,
                _ => return loaded,
            }
        }
        Self::load_listed(folder, manifest, read)
    }

    fn load_listed(
        folder: PathBuf,
        manifest: Manifest,
        read: ReadFile,
    ) -> Result<Self, Diagnostics> {
        let mut contents = Contents::read(&folder, &manifest, read)?;

        let bytes = contents.take(&folder, PROGRAM)?;
        let program = program::read(&bytes).map_err(|d| named(d, &folder, PROGRAM))?;
        let bytes = contents.take(&folder, TARGET)?;
        let target = parse_target(&bytes, &shown(&folder.join(TARGET)))?;
        let bytes = contents.take(&folder, SOURCE)?;
        let source = decode_source(&bytes).map_err(|d| named(d, &folder, SOURCE))?;
        let recipe = recipe(&mut contents, &folder, &manifest)?;

        let mut notes = Vec::new();
        let mut same = |what: &str, manifest: &str, found: &str| {
            if manifest != found {
                notes.push(format!("{what}: the manifest says `{manifest}`, the file `{found}`"));
            }
        };
        same("network of the program", &manifest.network, &program.name);
        same("network of the source", &manifest.network, &source.name);
        same("target of the program", &manifest.target.name, &program.target);
        same("target", &manifest.target.name, &target.name);
        same("hash of the target", &manifest.target.blake3, &target.hash);
        if let Some(entry) = manifest.quantization.as_ref()
            && *entry != RecipeEntry::of(&recipe)
        {
            notes.push(
                "the settings or the calibration of the recipe are not those in the manifest"
                    .into(),
            );
        }
        if !notes.is_empty() {
            let mut error = Diagnostic::error(
                usage::ARTIFACT_DISAGREES,
                "the files of the artifact do not belong together",
            )
            .in_file(shown(&folder));
            error.notes = notes;
            return Err(error.help("compile again").into());
        }
        let warnings = unlisted(&folder, &manifest);
        Ok(Self { folder, manifest, program, source, target, recipe, warnings })
    }
}

/// The recipe of an artifact: that of its file, or the default.
fn recipe(
    contents: &mut Contents,
    folder: &Path,
    manifest: &Manifest,
) -> Result<Recipe, Diagnostics> {
    if manifest.file(RECIPE).is_none() && !manifest.quantization.as_ref().is_some_and(|q| q.recipe)
    {
        return Ok(Recipe::default());
    }
    let bytes = contents.take(folder, RECIPE)?;
    binary::decode_recipe(&bytes).map_err(|d| named(d, folder, RECIPE))
}

/// How a file of the manifest is read.
type ReadFile = fn(&Path, &FileEntry) -> Result<Vec<u8>, Diagnostic>;

/// Files of an artifact as read.
struct Contents(Vec<(String, Vec<u8>)>);

impl Contents {
    fn read(folder: &Path, manifest: &Manifest, read: ReadFile) -> Result<Self, Diagnostics> {
        let mut contents = Vec::new();
        let mut errors = Diagnostics::new();
        for listed in &manifest.files {
            match read(folder, listed) {
                Ok(bytes) => contents.push((listed.name.clone(), bytes)),
                Err(error) => errors.push(error),
            }
        }
        errors.into_result(Self(contents))
    }

    fn take(&mut self, folder: &Path, name: &str) -> Result<Vec<u8>, Diagnostic> {
        let found = self.0.iter().position(|(n, _)| n == name);
        found.map(|i| self.0.swap_remove(i).1).ok_or_else(|| {
            Diagnostic::error(usage::MANIFEST_INVALID, format!("the manifest lists no {name}"))
                .in_file(shown(&folder.join(MANIFEST)))
                .at("$.files")
                .help("compile again: the manifest was edited or damaged")
        })
    }
}

/// Reads a file and checks its size and hash.
fn read_listed(folder: &Path, listed: &FileEntry) -> Result<Vec<u8>, Diagnostic> {
    let path = folder.join(&listed.name);
    let altered = |message: String| {
        Diagnostic::error(usage::ARTIFACT_FILE, message)
            .in_file(shown(&path))
            .help("the artifact is not what was certified: compile again")
    };
    // One byte more than listed is enough to see that the file is longer.
    let limit = listed.bytes.min(files::MAX_BINARY);
    let bytes = match files::read(&path, limit) {
        Ok(bytes) => bytes,
        Err(e) if e.code == usage::FILE_TOO_LARGE => {
            return Err(altered(format!("{} is longer than its manifest says", listed.name))
                .note(format!("the manifest says {} bytes", listed.bytes)));
        }
        Err(e) => {
            let mut error = altered(format!("{} cannot be read", listed.name));
            error.notes = e.notes;
            return Err(error);
        }
    };
    let found = FileEntry::of(&listed.name, &bytes);
    if found.bytes != listed.bytes {
        return Err(altered(format!("{} is shorter than its manifest says", listed.name))
            .note(format!("{} bytes instead of {}", found.bytes, listed.bytes)));
    }
    if found.blake3 != listed.blake3 {
        return Err(altered(format!("{} differs from its hash in the manifest", listed.name))
            .note(format!("blake3 {} instead of {}", found.blake3, listed.blake3)));
    }
    Ok(bytes)
}

pub(crate) fn parse_target(bytes: &[u8], file: &str) -> Result<TargetSpec, Diagnostics> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Diagnostic::error(usage::NOT_UTF8, "the target description is not UTF-8").in_file(file)
    })?;
    targets::parse(text, file)
}

pub(crate) fn decode_source(bytes: &[u8]) -> Result<QuantizedNetwork, Diagnostics> {
    match binary::decode(bytes)? {
        AnyDraft::Quantized(draft) if draft.time == Time::Logical => {
            QuantizedNetwork::verify(draft, &Rules::default())
        }
        other => Err(Diagnostic::error(
            usage::ARTIFACT_DISAGREES,
            format!("{SOURCE} does not hold a quantized network in logical time"),
        )
        .note(format!("its level is `{}`", other.level_name()))
        .into()),
    }
}

pub(crate) fn named(diagnostics: Diagnostics, folder: &Path, name: &str) -> Diagnostics {
    diagnostics.in_file(&shown(&folder.join(name)))
}

/// Warnings about what else lies in the folder. An unreadable folder has just been read from.
fn unlisted(folder: &Path, manifest: &Manifest) -> Diagnostics {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|n| n != MANIFEST && manifest.file(n).is_none())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            Diagnostic::warning(
                usage::ARTIFACT_FILE,
                format!("{name} is not listed in the manifest and was not looked at"),
            )
            .in_file(shown(&folder.join(name)))
        })
        .collect()
}
