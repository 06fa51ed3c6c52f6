//! Reading and checking a stimulus file.

use super::recording::is_recording;
use super::{Feed, InputSpec, Interface, Stimuli, recording};
use crate::files::{self, shown};
use snnc_frontend::arrays::{Array, ArrayData, read_npz};
use snnc_ir::diag::codes::usage;
use snnc_ir::network::Coding;
use snnc_ir::shape::Shape;
use snnc_ir::{Diagnostic, Diagnostics};
use std::ops::Range;
use std::path::Path;

/// Reads the stimulus in `path` for a network with this interface; of its samples those of `range`, or
/// all.
///
/// # Errors
/// `SNN0801`, `SNN0804` if the file cannot be read, what the array reader rejects, and `SNN0813`–`SNN0819` for
/// every array that does not fit.
pub fn read(
    path: &Path,
    interface: &Interface,
    range: Option<Range<usize>>,
) -> Result<Stimuli, Diagnostics> {
    let (arrays, hash) = if is_recording(path) {
        recording::arrays(path, interface)?
    } else {
        let hash = blake3::hash(&files::read(path, files::MAX_BINARY)?).to_hex().to_string();
        (read_npz(path)?, hash)
    };
    let stimuli = check(&arrays, interface, range).map_err(|d| d.in_file(&shown(path)))?;
    Ok(Stimuli { hash, ..stimuli })
}

/// Checks every array.
fn check(
    arrays: &[(String, Array)],
    interface: &Interface,
    range: Option<Range<usize>>,
) -> Result<Stimuli, Diagnostics> {
    let mut errors = Diagnostics::new();
    let mut used = Vec::new();
    let mut found = Vec::new();
    for input in &interface.inputs {
        match pick(arrays, input, interface.inputs.len() == 1) {
            Ok((name, array, is_spikes)) => {
                used.push(name);
                match samples_of(name, array, input, is_spikes, interface.steps) {
                    Ok(samples) => found.push((input, name, array, is_spikes, samples)),
                    Err(error) => errors.push(error),
                }
            }
            Err((error, names)) => {
                errors.push(error);
                used.extend(names);
            }
        }
    }
    for (name, _) in arrays {
        if is_stimulus_name(name) && !used.contains(&name.as_str()) {
            errors.push(unknown(name, interface));
        }
    }
    let Some(&(_, first_name, _, _, all)) = found.first() else {
        return Err(if errors.is_empty() { no_inputs().into() } else { errors });
    };
    for (_, name, _, _, samples) in &found[1..] {
        if *samples != all {
            errors.push(
                shape_error(name, format!("`{name}` has {samples} samples, `{first_name}` {all}"))
                    .help("all arrays of a stimulus have the same number of samples"),
            );
        }
    }
    let mut samples = range.unwrap_or(0..all);
    if samples.is_empty() || samples.end > all {
        errors.push(
            shape_error(first_name, asked_for(&samples, all))
                .note("samples are counted from 0; `A..B` ends before B")
                .help("give a number from 1 to that of the file, or a range inside it"),
        );
        samples = 0..all;
    }
    let labels = arrays.iter().find(|(name, _)| name == "y").and_then(|(_, array)| {
        labels(array, all, &samples, interface.classes).map_err(|e| errors.push(e)).ok()
    });
    let mut inputs = Vec::new();
    for (input, name, array, is_spikes, _) in found {
        match feed(name, array, input, is_spikes, &samples) {
            Ok(feed) => inputs.push((input.clone(), feed)),
            Err(error) => errors.push(error),
        }
    }
    let Range { start: first, end } = samples;
    let steps = interface.steps;
    let samples = end.saturating_sub(first);
    let (hash, dt) = (String::new(), interface.dt);
    errors.into_result(Stimuli { hash, inputs, labels, steps, first, samples, dt })
}

/// That a file does not have these samples.
fn asked_for(samples: &Range<usize>, all: usize) -> String {
    match samples {
        Range { start: 0, end } => format!("{end} samples are asked for, there are {all}"),
        Range { start, end } => {
            format!("the samples {start}..{end} are asked for, there are {all}")
        }
    }
}

/// The one array that feeds `input`, and whether it holds spikes.
fn pick<'a>(
    arrays: &'a [(String, Array)],
    input: &InputSpec,
    alone: bool,
) -> Result<(&'a str, &'a Array, bool), (Diagnostic, Vec<&'a str>)> {
    let mut names =
        vec![(format!("x_{}", input.name), false), (format!("spikes_{}", input.name), true)];
    if alone {
        names.extend([("x".to_owned(), false), ("spikes".to_owned(), true)]);
    }
    let matching: Vec<_> = arrays
        .iter()
        .filter_map(|(name, array)| {
            let (_, is_spikes) = names.iter().find(|(n, _)| n == name)?;
            Some((name.as_str(), array, *is_spikes))
        })
        .collect();
    let listed = names.iter().map(|(n, _)| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    match matching.as_slice() {
        [one] => Ok(*one),
        [] => {
            let error = Diagnostic::error(
                usage::STIMULUS_MISSING,
                format!("input `{}` has no array in the stimulus", input.name),
            )
            .note(format!("expected one of {listed}"));
            Err((error.help("add it to the file; docs/stimuli.md has the shapes"), Vec::new()))
        }
        many => {
            let names: Vec<&str> = many.iter().map(|(n, ..)| *n).collect();
            let error = Diagnostic::error(
                usage::STIMULUS_AMBIGUOUS,
                format!("input `{}` has more than one array: {}", input.name, names.join(", ")),
            )
            .at(place(names[1]));
            Err((error.help("leave all but one of them out"), names))
        }
    }
}

fn is_stimulus_name(name: &str) -> bool {
    matches!(name, "x" | "spikes") || name.starts_with("x_") || name.starts_with("spikes_")
}

fn unknown(name: &str, interface: &Interface) -> Diagnostic {
    let inputs: Vec<_> = interface.inputs.iter().map(|i| format!("`{}`", i.name)).collect();
    Diagnostic::error(usage::STIMULUS_UNKNOWN, format!("array `{name}` belongs to no input"))
        .at(place(name))
        .note(format!("the inputs are {}", inputs.join(", ")))
        .help("name it `x_<input>` or `spikes_<input>`, or give it a name of another form")
}

fn no_inputs() -> Diagnostic {
    Diagnostic::error(usage::STIMULUS_MISSING, "the network has no input to stimulate")
        .help("a network without inputs cannot be run on a stimulus")
}

/// Number of samples of an array whose shape fits its input.
fn samples_of(
    name: &str,
    array: &Array,
    input: &InputSpec,
    is_spikes: bool,
    steps: u32,
) -> Result<usize, Diagnostic> {
    coding_takes(name, input, is_spikes)?;
    let mut shape = array.shape.iter().copied();
    let samples = shape.next();
    let right_steps = !is_spikes || shape.next() == Some(steps as usize);
    let rest: Vec<usize> = shape.collect();
    match samples {
        Some(n) if n > 0 && right_steps && fits(&rest, &input.shape) => Ok(n),
        _ => {
            let steps = if is_spikes { format!("{steps}, ") } else { String::new() };
            let size = input.shape.size();
            Err(shape_error(name, format!("array `{name}` has shape {:?}", array.shape))
                .note(format!("expected [samples, {steps}{size}] with at least one sample"))
                .note(format!("input `{}` has shape {}", input.name, input.shape)))
        }
    }
}

/// Whether the extents after samples (and steps) are those of the input, flat or not; extents of 1
/// do not matter.
fn fits(extents: &[usize], shape: &Shape) -> bool {
    let wide = |dims: &mut dyn Iterator<Item = usize>| dims.filter(|&d| d != 1).collect::<Vec<_>>();
    let given = wide(&mut extents.iter().copied());
    given == wide(&mut shape.0.iter().map(|&d| d as usize))
        || given == wide(&mut std::iter::once(shape.size()))
}

/// Whether the input's coding has a rule for this form.
fn coding_takes(name: &str, input: &InputSpec, is_spikes: bool) -> Result<(), Diagnostic> {
    let (expected, why) = match (&input.coding, is_spikes) {
        (Coding::Accumulator { .. } | Coding::Direct { .. }, false)
        | (Coding::Accumulator { .. } | Coding::Events | Coding::Rate { .. }, true) => {
            return Ok(());
        }
        (Coding::Direct { .. }, true) => ("x", "takes values, not spikes"),
        (Coding::Events, false) => ("spikes", "has no rule that makes spikes from raw samples"),
        (Coding::Rate { .. }, false) => (
            "spikes",
            "draws its spikes at random: give the drawn ones, so that runs can be compared",
        ),
    };
    Err(Diagnostic::error(
        usage::STIMULUS_CODING,
        format!("array `{name}` does not fit the coding of input `{}`, which {why}", input.name),
    )
    .at(place(name))
    .help(format!("give `{expected}_{}` instead", input.name)))
}

/// The checked values of `samples`.
fn feed(
    name: &str,
    array: &Array,
    input: &InputSpec,
    is_spikes: bool,
    samples: &Range<usize>,
) -> Result<Feed, Diagnostic> {
    let per_sample = array.shape.iter().skip(1).product::<usize>();
    let taken = Taken { name, array, at: samples.start * per_sample..samples.end * per_sample };
    if is_spikes {
        let values = taken.integers()?;
        return Ok(Feed::Spikes(taken.in_range(&values, 1, "spikes are 0 or 1")?));
    }
    match input.coding {
        Coding::Accumulator { pmax, steps_in } => {
            let values = taken.integers()?;
            let values = taken.in_range(&values, pmax, &format!("expected 0 to pmax = {pmax}"))?;
            Ok(Feed::Raw { values, pmax, steps_in })
        }
        Coding::Direct { range } => {
            let values = taken.floats()?;
            taken.within(&values, range)?;
            Ok(Feed::Frames(values))
        }
        Coding::Events | Coding::Rate { .. } => taken.floats().map(Feed::Frames),
    }
}

/// The labels of `samples`.
fn labels(
    array: &Array,
    all: usize,
    samples: &Range<usize>,
    classes: usize,
) -> Result<Vec<usize>, Diagnostic> {
    if array.shape != [all] {
        return Err(shape_error("y", format!("array `y` has shape {:?}", array.shape))
            .note(format!("expected [{all}], one label per sample")));
    }
    let taken = Taken { name: "y", array, at: samples.clone() };
    let last = u32::try_from(classes.saturating_sub(1)).unwrap_or(u32::MAX);
    let note = format!("the network has {classes} classes: expected 0 to {last}");
    let values: Vec<u32> = taken.in_range(&taken.integers()?, last, &note)?;
    Ok(values.into_iter().map(|v| v as usize).collect())
}

fn place(name: &str) -> String {
    format!("array \"{name}\"")
}

fn shape_error(name: &str, message: String) -> Diagnostic {
    Diagnostic::error(usage::STIMULUS_SHAPE, message).at(place(name))
}

/// A stretch of the values of an array.
struct Taken<'a> {
    /// Name of the array.
    name: &'a str,
    array: &'a Array,
    /// Which of its values.
    at: Range<usize>,
}

impl Taken<'_> {
    /// The values of an integer array.
    fn integers(&self) -> Result<Vec<i128>, Diagnostic> {
        fn wide<T: Copy + Into<i128>>(values: &[T], at: &Range<usize>) -> Vec<i128> {
            part(values, at).iter().map(|&v| v.into()).collect()
        }
        let at = &self.at;
        Ok(match &self.array.data {
            ArrayData::Bool(v) => wide(v, at),
            ArrayData::U8(v) => wide(v, at),
            ArrayData::I8(v) => wide(v, at),
            ArrayData::U16(v) => wide(v, at),
            ArrayData::I16(v) => wide(v, at),
            ArrayData::U32(v) => wide(v, at),
            ArrayData::I32(v) => wide(v, at),
            ArrayData::U64(v) => wide(v, at),
            ArrayData::I64(v) => wide(v, at),
            ArrayData::F32(_) | ArrayData::F64(_) => {
                return Err(Diagnostic::error(
                    usage::STIMULUS_TYPE,
                    format!("array `{}` holds floats", self.name),
                )
                .at(place(self.name))
                .note("expected integers")
                .help("convert it when it is saved, such as `x.astype(\"u1\")`"));
            }
        })
    }

    /// The values as `T`, all of them from 0 to `last`.
    fn in_range<T: TryFrom<i128>>(
        &self,
        values: &[i128],
        last: u32,
        note: &str,
    ) -> Result<Vec<T>, Diagnostic> {
        let fits = |v: i128| T::try_from(v).ok().filter(|_| (0..=i128::from(last)).contains(&v));
        values
            .iter()
            .enumerate()
            .map(|(i, &v)| fits(v).ok_or_else(|| self.value_error(i, &v.to_string(), note)))
            .collect()
    }

    /// The finding about value number `i` of the stretch.
    fn value_error(&self, i: usize, value: &str, note: &str) -> Diagnostic {
        let mut rest = self.at.start + i;
        let mut index: Vec<String> = self
            .array
            .shape
            .iter()
            .rev()
            .map(|&extent| {
                let at = rest % extent.max(1);
                rest /= extent.max(1);
                at.to_string()
            })
            .collect();
        index.reverse();
        let name = self.name;
        Diagnostic::error(usage::STIMULUS_VALUE, format!("array `{name}` holds the value {value}"))
            .at(format!("{}[{}]", place(name), index.join(", ")))
            .note(note)
    }

    /// Checks that the values of a frame keep to the range that the genome states.
    fn within(&self, values: &[f32], range: Option<[i32; 2]>) -> Result<(), Diagnostic> {
        let Some([low, high]) = range else { return Ok(()) };
        let bounds = f64::from(low)..=f64::from(high);
        match values.iter().position(|&v| !bounds.contains(&f64::from(v))) {
            None => Ok(()),
            Some(i) => {
                let note = format!("expected {low} to {high}, the range of the input");
                Err(self
                    .value_error(i, &values[i].to_string(), &note)
                    .help("scale the samples, or state a wider range in the genome"))
            }
        }
    }

    /// The values as finite f32: integers must be representable, f64 is rounded once.
    fn floats(&self) -> Result<Vec<f32>, Diagnostic> {
        let bad = |i: usize, value: String, note: &str| self.value_error(i, &value, note);
        let finite = |(i, v): (usize, f32)| {
            if v.is_finite() { Ok(v) } else { Err(bad(i, v.to_string(), "expected finite values")) }
        };
        match &self.array.data {
            ArrayData::F32(v) => {
                part(v, &self.at).iter().copied().enumerate().map(finite).collect()
            }
            #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is meant")]
            ArrayData::F64(v) => {
                part(v, &self.at).iter().map(|&v| v as f32).enumerate().map(finite).collect()
            }
            _ => self
                .integers()?
                .into_iter()
                .enumerate()
                .map(|(i, v)| {
                    let exact = i32::try_from(v).ok().filter(|v| v.unsigned_abs() <= 1 << 24);
                    #[expect(clippy::cast_precision_loss, reason = "at most 24 bits")]
                    exact.map(|v| v as f32).ok_or_else(|| {
                        bad(i, v.to_string(), "expected integers of at most 24 bits")
                    })
                })
                .collect(),
        }
    }
}

/// The values at `at`, as far as there are any.
fn part<'a, T>(values: &'a [T], at: &Range<usize>) -> &'a [T] {
    let end = at.end.min(values.len());
    &values[at.start.min(end)..end]
}
