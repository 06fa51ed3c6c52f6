//! NIR recordings as stimuli.
//!
//! The node named like an input holds its spikes: its one observable, or of several `input` or `spikes`. Values
//! for each step are 0 or 1. Events lie in steps of the network's length; where that is not known, times are steps.

use super::Interface;
use crate::files::shown;
use crate::nir::Contents;
use snnc_frontend::arrays::{Array, ArrayData};
use snnc_frontend::nir::{Observable, Recording};
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics};
use std::path::Path;

/// Most entries of the arrays that events become.
const LARGEST: usize = 2 << 30;
/// How far an event may lie from the beginning of a step, in steps: what f32 times leave.
const OFF_GRID: f64 = 1e-3;

/// Whether a file is a recording by its name.
pub(crate) fn is_recording(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "nir")
}

/// The recording in `path` as arrays of spikes, and the file's hash.
///
/// # Errors
/// What the reader refuses; `SNN0813` to `SNN0819` for all that does not fit.
pub(super) fn arrays(
    path: &Path,
    interface: &Interface,
) -> Result<(Vec<(String, Array)>, String), Diagnostics> {
    let read = crate::nir::read(path)?;
    let Contents::Recording(recording) = &read.contents else {
        return Err(Diagnostic::error(usage::STIMULUS_TYPE, "the file holds a graph")
            .in_file(shown(path))
            .help("name a NIR recording (NIRData) or an .npz file")
            .into());
    };
    let arrays = convert(recording, interface).map_err(|d| d.in_file(&shown(path)))?;
    Ok((arrays, read.hash))
}

/// The spikes of every input that the recording knows.
fn convert(
    recording: &Recording,
    interface: &Interface,
) -> Result<Vec<(String, Array)>, Diagnostics> {
    let mut errors = Diagnostics::new();
    let mut arrays = Vec::new();
    for input in &interface.inputs {
        let mut of_input = Vec::new();
        recording.visit(&mut |node, name, observable| {
            if node == input.name {
                of_input.push((name, observable));
            }
        });
        let chosen = match of_input[..] {
            [one] => Some(one),
            _ => ["input", "spikes"]
                .into_iter()
                .find_map(|known| of_input.iter().copied().find(|(name, _)| *name == known)),
        };
        let Some((name, observable)) = chosen else {
            // Without any, the array is missing, and the reader of stimuli says so.
            if !of_input.is_empty() {
                errors.push(several(&input.name, &of_input));
            }
            continue;
        };
        let place = format!("observable \"{}/{name}\"", input.name);
        match observable_as_spikes(observable, interface, &place) {
            Ok(array) => arrays.push((format!("spikes_{}", input.name), array)),
            Err(error) => errors.push(error.at(place)),
        }
    }
    errors.into_result(arrays)
}

fn several(input: &str, found: &[(&str, &Observable)]) -> Diagnostic {
    let names: Vec<_> = found.iter().map(|(name, _)| format!("`{name}`")).collect();
    Diagnostic::error(
        usage::STIMULUS_AMBIGUOUS,
        format!("node `{input}` has several observables: {}", names.join(", ")),
    )
    .help("name the one with its spikes `input` or `spikes`")
}

/// An array `[samples, steps, neurons]` of 0 and 1.
fn observable_as_spikes(
    observable: &Observable,
    interface: &Interface,
    place: &str,
) -> Result<Array, Diagnostic> {
    match observable {
        Observable::Gridded { data, dt } => gridded(data, *dt, interface, place),
        Observable::Events { value: Some(_), .. } => Err(Diagnostic::error(
            usage::STIMULUS_TYPE,
            "the events have values, and spikes have none",
        )
        .help("record EventData")),
        Observable::Events { idx, time, n_neurons, .. } => events(idx, time, *n_neurons, interface),
    }
}

fn gridded(data: &Array, dt: f64, interface: &Interface, place: &str) -> Result<Array, Diagnostic> {
    // A `dt` of 1 counts steps.
    if let Some(step) = interface.dt
        && (dt / step - 1.0).abs() > 1e-6
        && dt.total_cmp(&1.0).is_ne()
    {
        return Err(Diagnostic::error(
            usage::STIMULUS_SHAPE,
            format!("`dt` is {dt:?}, and a step of the network takes {step:?}"),
        )
        .note("values for each step must be those of the network's steps")
        .help("record with the network's step, or read the network with `--dt` of the recording"));
    }
    if let ArrayData::Bool(_) = data.data {
        return Ok(data.clone());
    }
    let values = data.to_f64().map_err(|i| not_binary(i, "too large", place))?;
    let mut bytes = Vec::with_capacity(values.len());
    for (i, value) in values.into_iter().enumerate() {
        let one = value.total_cmp(&1.0).is_eq();
        if !one && value.abs().total_cmp(&0.0).is_ne() {
            return Err(not_binary(i, &value.to_string(), place));
        }
        bytes.push(u8::from(one));
    }
    Ok(Array { shape: data.shape.clone(), data: ArrayData::U8(bytes) })
}

fn not_binary(i: usize, value: &str, place: &str) -> Diagnostic {
    Diagnostic::error(usage::STIMULUS_VALUE, format!("value {i} of the {place} is {value}"))
        .note("spikes are 0 or 1")
        .help(
            "several events in one step are no spikes: choose a shorter step, or keep one of them",
        )
}

/// Events as an array of the network's steps.
fn events(
    idx: &Array,
    time: &Array,
    neurons: u64,
    interface: &Interface,
) -> Result<Array, Diagnostic> {
    let (Ok(idx_values), Ok(times)) = (idx.to_f64(), time.to_f64()) else {
        return Err(Diagnostic::error(usage::STIMULUS_VALUE, "indices or times are too large"));
    };
    let samples = idx.shape.first().copied().unwrap_or(0);
    let per_sample = idx_values.len().checked_div(samples).unwrap_or(0);
    let neurons = usize::try_from(neurons).unwrap_or(usize::MAX);
    let steps = interface.steps as usize;
    let size = samples.checked_mul(steps).and_then(|n| n.checked_mul(neurons));
    let Some(size) = size.filter(|&n| n <= LARGEST) else {
        let message =
            format!("{samples} samples of {steps} steps and {neurons} neurons are too many");
        return Err(Diagnostic::error(usage::STIMULUS_SHAPE, message)
            .help("split the recording into files of fewer samples"));
    };
    let mut spikes = vec![0_u8; size];
    for (i, (&neuron, &t)) in idx_values.iter().zip(&times).enumerate() {
        if neuron < 0.0 {
            continue;
        }
        let position = t / interface.dt.unwrap_or(1.0);
        let step = position.round();
        let bad = |why: &str| {
            let message = format!("event {i} at time {t:?} {why}");
            let error = Diagnostic::error(usage::STIMULUS_VALUE, message);
            match interface.dt {
                Some(dt) => error.note(format!("a step of the network takes {dt:?}")),
                None => error.note("the network does not say how long a step is: times are steps"),
            }
        };
        if (position - step).abs() > OFF_GRID {
            return Err(bad("lies between two steps")
                .help("round the times to steps when they are recorded"));
        }
        #[expect(clippy::cast_precision_loss, reason = "steps are counted in 32 bits")]
        if step >= steps as f64 {
            return Err(bad(&format!("lies behind the {steps} steps of a run"))
                .help("give more `--steps`, or cut the recording"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked by the reader, and above")]
        #[expect(clippy::cast_sign_loss, reason = "checked by the reader, and above")]
        let (step, neuron) = (step as usize, neuron as usize);
        let place = &mut spikes[(i / per_sample * steps + step) * neurons + neuron];
        if *place == 1 {
            return Err(bad("is the second of its neuron in one step")
                .help("a neuron spikes once a step: choose a shorter step, or keep one of them"));
        }
        *place = 1;
    }
    Ok(Array { shape: vec![samples, steps, neurons], data: ArrayData::U8(spikes) })
}
