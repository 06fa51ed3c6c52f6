//! NIR recordings of what was recorded. Unlike `.npz` files they are made in memory, and so bounded.

use super::record::{Kind, Recorder};
use super::write::{TrainReader, registers, unreadable};
use super::{Recording, Sent};
use crate::files::{self, shown};
use crate::stimulus::Stimuli;
use crate::verify::simulation_failed;
use snnc_frontend::arrays::{Array, ArrayData};
use snnc_frontend::nir::{self, Observable, Recorded};
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_runtime::Signal;
use std::collections::BTreeMap;
use std::path::Path;

/// Most bytes of a recording before it is compressed; the reader has the same bound.
const LARGEST: usize = 2 << 30;

/// Observables, by the paths of the nodes and their own names.
struct Observed<'p> {
    path: &'p Path,
    /// Length of a logical step.
    logical: f64,
    /// Length of a step of the level.
    dt: f64,
    root: nir::Recording,
    bytes: usize,
}

/// Writes `spikes` of every population in the time of the level, as a value for each step, `messages` where it
/// sends graded ones, and `input` of every input in logical steps (frames: in one step).
///
/// # Errors
/// `SNN0285` if it would be too large, `SNN0802`; `SNN0835` if a sample cannot be coded.
pub(crate) fn spikes(
    path: &Path,
    recorder: &Recorder,
    recording: &Recording,
    (stimuli, period): (&Stimuli, u32),
) -> Result<(), Diagnostics> {
    let mut file = Observed::new(path, stimuli, period);
    inputs(&mut file, stimuli)?;
    let samples = stimuli.samples();
    let mut reader = recorder.reader().map_err(|e| unreadable(&e))?;
    for (p, (name, extent)) in recording.names.iter().zip(recorder.populations()).enumerate() {
        let shape = [samples, extent.steps, extent.neurons];
        let graded = extent.kind != Kind::Spikes;
        let size = file.reserve(&shape, if graded { 5 } else { 1 })?;
        let mut sent = vec![false; size];
        let mut values = vec![[0; 4]; if graded { size } else { 0 }];
        for sample in 0..samples {
            let mut train =
                TrainReader::open(recorder, &mut reader, sample, p).map_err(|e| unreadable(&e))?;
            for step in 0..extent.steps {
                let row = (sample * extent.steps + step) * extent.neurons;
                let (neurons, bytes) = train.step().map_err(|e| unreadable(&e))?;
                for (i, &n) in neurons.iter().enumerate() {
                    sent[row + n as usize] = true;
                    if graded {
                        values[row + n as usize] = bytes[i];
                    }
                }
            }
        }
        file.gridded(name, "spikes", &shape, ArrayData::Bool(sent))?;
        if graded {
            file.gridded(name, "messages", &shape, numbers(extent.kind, &values))?;
        }
    }
    file.write()
}

/// Writes `spikes` (`messages` of populations that send graded ones) as lists of neurons and times: the
/// beginning of the step, in the time of the level.
///
/// # Errors
/// `SNN0285` if it would be too large, `SNN0802`.
pub(crate) fn events(
    path: &Path,
    recorder: &Recorder,
    recording: &Recording,
    (stimuli, period): (&Stimuli, u32),
) -> Result<(), Diagnostics> {
    let mut file = Observed::new(path, stimuli, period);
    let samples = stimuli.samples();
    let mut reader = recorder.reader().map_err(|e| unreadable(&e))?;
    let named = recording.names.iter().zip(recorder.populations()).zip(&recording.counts);
    for (p, ((name, extent), counts)) in named.enumerate() {
        // Every sample has as many places as the longest; there are no more events than this.
        let (Sent::Spikes(count) | Sent::Messages(count)) = *counts;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        file.reserve(&[count], 20)?;
        let mut lists: Vec<Vec<(i64, f64, [u8; 4])>> = Vec::with_capacity(samples);
        for sample in 0..samples {
            let mut train =
                TrainReader::open(recorder, &mut reader, sample, p).map_err(|e| unreadable(&e))?;
            let mut list = Vec::new();
            for step in 0..extent.steps {
                let (neurons, bytes) = train.step().map_err(|e| unreadable(&e))?;
                for (i, &n) in neurons.iter().enumerate() {
                    let value = bytes.get(i).copied().unwrap_or_default();
                    list.push((i64::from(n), file.time(step), value));
                }
            }
            lists.push(list);
        }
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        let shape = [samples, longest];
        file.reserve(&shape, 20)?;
        let mut idx = vec![-1; samples * longest];
        let mut time = vec![f64::INFINITY; idx.len()];
        let mut values = vec![[0; 4]; idx.len()];
        for (sample, list) in lists.into_iter().enumerate() {
            for (i, (neuron, t, value)) in list.into_iter().enumerate() {
                let at = sample * longest + i;
                (idx[at], time[at], values[at]) = (neuron, t, value);
            }
        }
        let graded = extent.kind != Kind::Spikes;
        let array = |data| Array { shape: shape.to_vec(), data };
        let observable = Observable::Events {
            idx: array(ArrayData::I64(idx)),
            time: array(ArrayData::F64(time)),
            value: graded.then(|| array(numbers(extent.kind, &values))),
            n_neurons: extent.neurons as u64,
            t_max: file.time(extent.steps),
        };
        file.put(name, if graded { "messages" } else { "spikes" }, observable)?;
    }
    file.write()
}

/// Writes registers of traced populations as a value for each step: of integers `u`, `h` and `v` (current,
/// membrane that was compared, membrane at the end of the step), of floats `h` and `v`.
///
/// # Errors
/// `SNN0285` if it would be too large, `SNN0802`.
pub(crate) fn traces(
    path: &Path,
    recorder: &Recorder,
    (stimuli, period): (&Stimuli, u32),
    floats: bool,
) -> Result<(), Diagnostics> {
    let mut file = Observed::new(path, stimuli, period);
    let mut reader = recorder.reader().map_err(|e| unreadable(&e))?;
    let kind = if floats { Kind::Bursts } else { Kind::Messages };
    for (p, traced) in recorder.traced().iter().enumerate() {
        for (r, register) in registers(if floats { 2 } else { 3 }).iter().enumerate() {
            let shape = [stimuli.samples(), recorder.steps(), traced.size];
            let size = file.reserve(&shape, 4)?;
            let mut values = Vec::with_capacity(size);
            let mut row = vec![0; 4 * traced.size];
            for sample in 0..stimuli.samples() {
                recorder.go_to_trace(&mut reader, sample, p, r).map_err(|e| unreadable(&e))?;
                for _ in 0..recorder.steps() {
                    reader.fill(&mut row).map_err(|e| unreadable(&e))?;
                    values.extend_from_slice(row.as_chunks::<4>().0);
                }
            }
            file.gridded(&traced.name, register, &shape, numbers(kind, &values))?;
        }
    }
    file.write()
}

/// What every input received.
fn inputs(file: &mut Observed<'_>, stimuli: &Stimuli) -> Result<(), Diagnostics> {
    for (i, name) in stimuli.input_names().enumerate() {
        let (mut frames, mut spikes) = (Vec::new(), Vec::new());
        let mut shape = [stimuli.samples(), 1, 0];
        for sample in 0..stimuli.samples() {
            let stimulus = stimuli.stimulus(sample).map_err(|e| simulation_failed(&e))?;
            match &stimulus.inputs[i] {
                Signal::Frame(values) => {
                    shape[2] = values.len();
                    if sample == 0 {
                        file.reserve(&shape, 4)?;
                    }
                    frames.extend_from_slice(values);
                }
                Signal::Spikes(train) => {
                    (shape[1], shape[2]) = (train.steps(), train.neurons());
                    if sample == 0 {
                        file.reserve(&shape, 1)?;
                    }
                    for t in 0..train.steps() {
                        let row = spikes.len();
                        spikes.resize(row + train.neurons(), false);
                        train.active(t).for_each(|n| spikes[row + n] = true);
                    }
                }
            }
        }
        let data = if frames.is_empty() { ArrayData::Bool(spikes) } else { ArrayData::F32(frames) };
        let data = Array { shape: shape.to_vec(), data };
        file.put(name, "input", Observable::Gridded { data, dt: file.logical })?;
    }
    Ok(())
}

/// Values of four bytes as what they are.
fn numbers(kind: Kind, bytes: &[[u8; 4]]) -> ArrayData {
    match kind {
        Kind::Bursts => ArrayData::F32(bytes.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Kind::Spikes | Kind::Messages => {
            ArrayData::I32(bytes.iter().map(|b| i32::from_le_bytes(*b)).collect())
        }
    }
}

impl<'p> Observed<'p> {
    /// Steps of a level are as long as `period` of them make a logical step.
    fn new(path: &'p Path, stimuli: &Stimuli, period: u32) -> Self {
        let logical = stimuli.dt();
        let dt = logical / f64::from(period);
        Self { path, logical, dt, root: nir::Recording::default(), bytes: 0 }
    }

    /// Number of elements of `shape`, for which there is room at `bytes` each.
    fn reserve(&mut self, shape: &[usize], bytes: usize) -> Result<usize, Diagnostic> {
        let size = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
        let total = size.and_then(|n| n.checked_mul(bytes)?.checked_add(self.bytes));
        match (size, total.filter(|&t| t <= LARGEST)) {
            (Some(size), Some(total)) => {
                self.bytes = total;
                Ok(size)
            }
            _ => Err(Diagnostic::error(
                codes::RECORDING,
                format!("the recording would take more than {LARGEST} bytes"),
            )
            .in_file(shown(self.path))
            .note("NIR recordings are made in memory")
            .help("write .npz, which is written piece by piece, or fewer samples")),
        }
    }

    /// When a step begins, in the unit of `dt`.
    #[expect(clippy::cast_precision_loss, reason = "steps are counted in 32 bits")]
    fn time(&self, step: usize) -> f64 {
        step as f64 * self.dt
    }

    fn gridded(
        &mut self,
        node: &str,
        name: &str,
        shape: &[usize],
        data: ArrayData,
    ) -> Result<(), Diagnostic> {
        let data = Array { shape: shape.to_vec(), data };
        self.put(node, name, Observable::Gridded { data, dt: self.dt })
    }

    /// A slash in the name of a node enters a graph.
    fn put(&mut self, node: &str, name: &str, observable: Observable) -> Result<(), Diagnostic> {
        let both = || {
            Diagnostic::error(codes::RECORDING, format!("`{node}` is a graph, or inside a node"))
                .in_file(shown(self.path))
                .note("in NIR, a slash in a name stands for a graph within a graph")
                .help("write .npz, or rename the population")
        };
        let mut nodes = &mut self.root.nodes;
        let mut rest = node;
        while let Some((graph, inner)) = rest.split_once('/') {
            let entry = nodes.entry(graph.to_owned());
            match entry.or_insert_with(|| Recorded::Graph(nir::Recording::default())) {
                Recorded::Graph(recording) => nodes = &mut recording.nodes,
                Recorded::Node(_) => return Err(both()),
            }
            rest = inner;
        }
        match nodes.entry(rest.to_owned()).or_insert_with(|| Recorded::Node(BTreeMap::new())) {
            Recorded::Node(observables) => {
                observables.insert(name.to_owned(), observable);
                Ok(())
            }
            Recorded::Graph(_) => Err(both()),
        }
    }

    fn write(self) -> Result<(), Diagnostics> {
        let written = nir::write_recording(&self.root).map_err(|d| d.in_file(&shown(self.path)))?;
        Ok(files::write(self.path, &written.bytes)?)
    }
}
