//! The tensors of a genome: found by name, checked, converted.

use super::pool::MAX_VALUES;
use super::tensors::{Format, TensorsSpec};
use crate::arrays::safetensors::Safetensors;
use crate::arrays::{Array, ArrayData, parse_npz};
use crate::fields::{Name, unknown_name};
use crate::files;
use crate::json::quote;
use crate::search::{Needed, RandomWeights};
use sha2::{Digest, Sha256};
use snnc_ir::diag::codes::{genome as codes, syntax};
use snnc_ir::{Diagnostic, Diagnostics};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Largest side-car file.
const MAX_SIDECAR: u64 = 4 << 30;

/// Values of a tensor with its shape.
#[derive(Debug)]
pub(crate) struct Values<T> {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<T>,
}

/// The tensors of a genome.
#[derive(Debug)]
pub(crate) struct Store {
    inline: BTreeMap<String, Option<Array>>,
    /// The file as it is shown, and its content.
    file: Option<(String, Sidecar)>,
    used: RefCell<BTreeSet<String>>,
}

#[derive(Debug)]
enum Sidecar {
    Safetensors(Safetensors),
    Npz(BTreeMap<String, Array>),
}

impl Sidecar {
    fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let (file, arrays) = match self {
            Self::Safetensors(file) => (Some(file.names()), None),
            Self::Npz(arrays) => (None, Some(arrays.keys().map(String::as_str))),
        };
        file.into_iter().flatten().chain(arrays.into_iter().flatten())
    }
}

impl Store {
    /// Opens the side-car file in `folder`, if there is one; its bytes also go to `hasher`.
    pub(crate) fn open(
        spec: TensorsSpec,
        folder: &Path,
        hasher: &mut blake3::Hasher,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let mut store = Self { inline: spec.inline, file: None, used: RefCell::default() };
        let Some(sidecar) = spec.file else { return Some(store) };
        let path = match inside(folder, &sidecar.file) {
            Ok(path) => path,
            Err(d) => {
                out.push(d.at(&sidecar.file.path));
                return None;
            }
        };
        let shown = folder.join(&sidecar.file.text).display().to_string();
        let bytes = match files::read(&path, MAX_SIDECAR) {
            Ok(bytes) => bytes,
            Err(d) => {
                out.push(d.in_file(shown));
                return None;
            }
        };
        hasher.update(&bytes);
        if let Some(expected) = sidecar.sha256 {
            let found = hex(&Sha256::digest(&bytes));
            if found != expected.text {
                out.push(
                    Diagnostic::error(
                        codes::SIDECAR_HASH,
                        format!("the hash of `{}` is another one", sidecar.file.text),
                    )
                    .at(expected.path)
                    .note(format!("expected {}", expected.text))
                    .note(format!("found    {found}"))
                    .help("restore the file, or export genome and tensors together again"),
                );
                return None;
            }
        }
        let content = match sidecar.format {
            Format::Safetensors => Safetensors::parse(bytes).map(Sidecar::Safetensors),
            Format::Npz => parse_npz(&bytes).map(|a| Sidecar::Npz(a.into_iter().collect())),
        };
        match content {
            Ok(content) => {
                for name in content.names().filter(|n| store.inline.contains_key(*n)) {
                    out.push(
                        Diagnostic::error(
                            codes::TENSOR_DUPLICATE,
                            format!("the tensor {} is inline and in the file", quote(name)),
                        )
                        .at("$.tensors")
                        .help("remove one of the two"),
                    );
                }
                store.file = Some((shown, content));
                Some(store)
            }
            Err(d) => {
                out.extend(d.in_file(&shown));
                None
            }
        }
    }

    /// Random values for all tensors that a network needs.
    pub(crate) fn random(
        random: RandomWeights,
        needed: &[Needed],
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let values = needed.iter().map(Needed::size).fold(0, u64::saturating_add);
        if values > MAX_VALUES as u64 {
            out.push(
                Diagnostic::error(codes::LIMIT, format!("the network has {values} weights"))
                    .at("$.search")
                    .note(format!("at most {MAX_VALUES} values, all tensors together")),
            );
            return None;
        }
        let inline = needed.iter().map(|n| (n.name.clone(), Some(random.tensor(n)))).collect();
        Some(Self { inline, file: None, used: RefCell::default() })
    }

    /// Shape of the tensor `name`, if there is one that can be read.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        if let Some(array) = self.inline.get(name) {
            return array.as_ref().map(|a| &*a.shape);
        }
        match &self.file {
            Some((_, Sidecar::Safetensors(file))) => file.shape(name),
            Some((_, Sidecar::Npz(arrays))) => arrays.get(name).map(|a| &*a.shape),
            None => None,
        }
    }

    /// Names of all tensors.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let file = self.file.as_ref().map(|(_, content)| content.names());
        self.inline.keys().map(String::as_str).chain(file.into_iter().flatten())
    }

    /// The tensor `name`.
    fn get(&self, name: &Name, out: &mut Diagnostics) -> Option<Cow<'_, Array>> {
        self.used.borrow_mut().insert(name.text.clone());
        if let Some(array) = self.inline.get(&name.text) {
            return array.as_ref().map(Cow::Borrowed);
        }
        let found = match &self.file {
            Some((shown, Sidecar::Safetensors(file))) => file.get(&name.text).map(|r| {
                r.map(Cow::Owned)
                    .map_err(|d| d.in_file(shown).note(format!("used at {}", name.path)))
            }),
            Some((_, Sidecar::Npz(arrays))) => arrays.get(&name.text).map(|a| Ok(Cow::Borrowed(a))),
            None => None,
        };
        match found {
            Some(Ok(array)) => Some(array),
            Some(Err(d)) => {
                out.push(d);
                None
            }
            None => {
                let mut d = unknown_name(name, "tensor", self.names());
                d.code = codes::TENSOR_MISSING;
                out.push(d);
                None
            }
        }
    }

    /// A tensor in f64, exactly; finite.
    pub(crate) fn f64(&self, name: &Name, out: &mut Diagnostics) -> Option<Values<f64>> {
        let array = self.get(name, out)?;
        let values = match array.to_f64() {
            Ok(values) => values,
            Err(index) => {
                let why = "is too large to be exact in f64";
                return bad_value(name, index, why, out);
            }
        };
        match values.iter().position(|x| !x.is_finite()) {
            Some(index) => bad_value(name, index, "is not finite", out),
            None => Some(Values { shape: array.shape.clone(), values }),
        }
    }

    /// A tensor in f32, each value rounded once; finite.
    pub(crate) fn f32(&self, name: &Name, out: &mut Diagnostics) -> Option<Values<f32>> {
        let array = self.get(name, out)?;
        if let ArrayData::F32(values) = &array.data {
            return match values.iter().position(|x| !x.is_finite()) {
                Some(index) => bad_value(name, index, "is not finite", out),
                None => Some(Values { shape: array.shape.clone(), values: values.clone() }),
            };
        }
        let Values { shape, values: wide } = self.f64(name, out)?;
        #[expect(clippy::cast_possible_truncation, reason = "one rounding is what is documented")]
        let values: Vec<f32> = wide.into_iter().map(|x| x as f32).collect();
        match values.iter().position(|x| !x.is_finite()) {
            Some(index) => bad_value(name, index, "is beyond the range of f32", out),
            None => Some(Values { shape, values }),
        }
    }

    /// Warns of tensors that nothing refers to.
    pub(crate) fn report_unused(&self, out: &mut Diagnostics) {
        let used = self.used.borrow();
        // Counters that training frameworks keep next to the statistics of batch normalization, and
        // slopes of surrogate gradients.
        let expected =
            |name: &str| name.ends_with(".num_batches_tracked") || name.ends_with(".act_fun.alpha");
        for name in self.names().filter(|n| !used.contains(*n) && !expected(n)) {
            out.push(
                Diagnostic::warning(codes::UNUSED, format!("the tensor {} is unused", quote(name)))
                    .at("$.tensors"),
            );
        }
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

fn bad_value<T>(name: &Name, index: usize, why: &str, out: &mut Diagnostics) -> Option<T> {
    out.push(
        Diagnostic::error(codes::TENSOR_VALUE, format!("value {index} of `{}` {why}", name.text))
            .at(&name.path)
            .help("export the tensor again"),
    );
    None
}

/// The path of `file` in `folder`, which no symbolic link leads out of.
fn inside(folder: &Path, file: &Name) -> Result<PathBuf, Diagnostic> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let path = folder.join(&file.text);
    let resolve = |path: &Path| {
        path.canonicalize().map_err(|e| {
            let shown = path.display();
            Diagnostic::error(syntax::FILE_READ, format!("cannot read `{shown}`: {e}"))
                .help("the side-car file stands in the folder of the genome")
        })
    };
    let (folder, resolved) = (resolve(folder)?, resolve(&path)?);
    if resolved.parent() == Some(&folder) {
        Ok(resolved)
    } else {
        let message = format!("`{}` is a link that leads out of the folder", file.text);
        Err(Diagnostic::error(codes::SIDECAR_PATH, message)
            .help("put the file itself next to the genome"))
    }
}
