//! Files of spikes, events and membranes, from what was recorded: array by array, row by row.

use super::record::{Extent, Kind, Recorder, number};
use super::spool::Reader;
use super::{Recording, Sent};
use crate::files;
use crate::stimulus::Stimuli;
use crate::verify::simulation_failed;
use snnc_frontend::arrays::{Element, NpzWriter};
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_runtime::Signal;
use std::fs::File;
use std::io;
use std::path::Path;

type Archive<'f> = NpzWriter<&'f mut File>;

/// Names of the registers of a neuron in files, by their number.
pub(super) fn registers(count: usize) -> &'static [&'static str] {
    if count == 2 { &["h", "v"] } else { &["u", "h", "v"] }
}

/// Writes `spikes_NAME` `[samples, steps, neurons]` of every population in the time of the level,
/// `messages_NAME` with the values where it sends graded ones, and `input_NAME`
/// `[samples, logical steps, elements]` of every input (frames: `[samples, elements]`).
///
/// # Errors
/// `SNN0802`, `SNN0121`; `SNN0835` if a sample cannot be coded.
pub(crate) fn spikes(
    path: &Path,
    recorder: &Recorder,
    recording: &Recording,
    stimuli: &Stimuli,
) -> Result<(), Diagnostics> {
    files::write_with(path, |file| {
        let mut archive = NpzWriter::new(file);
        inputs(&mut archive, stimuli)?;
        let mut reader = recorder.reader().map_err(|e| unreadable(&e))?;
        let samples = stimuli.samples();
        for (p, (name, extent)) in recording.names.iter().zip(recorder.populations()).enumerate() {
            let mut dense = |name: &str, values: bool| -> Result<(), Diagnostics> {
                let shape = [samples, extent.steps, extent.neurons];
                match extent.kind {
                    Kind::Bursts if values => archive.begin::<f32>(name, &shape)?,
                    _ if values => archive.begin::<i32>(name, &shape)?,
                    _ => archive.begin::<u8>(name, &shape)?,
                }
                let mut row = vec![[0; 4]; extent.neurons];
                for sample in 0..samples {
                    let mut train = TrainReader::open(recorder, &mut reader, sample, p)
                        .map_err(|e| unreadable(&e))?;
                    for _ in 0..extent.steps {
                        let (neurons, sent) = train.step().map_err(|e| unreadable(&e))?;
                        row.fill([0; 4]);
                        for (i, &n) in neurons.iter().enumerate() {
                            row[n as usize] = sent.get(i).copied().unwrap_or([1, 0, 0, 0]);
                        }
                        if !values {
                            archive.extend(row.iter().map(|v| u8::from(*v != [0; 4])))?;
                        } else if extent.kind == Kind::Bursts {
                            archive.extend(row.iter().map(|v| f32::from_le_bytes(*v)))?;
                        } else {
                            archive.extend(row.iter().map(|v| i32::from_le_bytes(*v)))?;
                        }
                    }
                }
                Ok(())
            };
            dense(&format!("spikes_{name}"), false)?;
            if extent.kind != Kind::Spikes {
                dense(&format!("messages_{name}"), true)?;
            }
        }
        Ok(archive.finish().map(|_| ())?)
    })
}

/// Writes, for every population in the time of the level, `sample_NAME`, `step_NAME` and `neuron_NAME`
/// `[events]`: where something was sent, in the order of samples, steps and neurons; and `value_NAME`
/// where it sends graded messages. Samples count from the first of the file.
///
/// # Errors
/// `SNN0802`, `SNN0121`.
pub(crate) fn events(
    path: &Path,
    recorder: &Recorder,
    recording: &Recording,
    stimuli: &Stimuli,
) -> Result<(), Diagnostics> {
    files::write_with(path, |file| {
        let mut archive = NpzWriter::new(file);
        let mut reader = recorder.reader().map_err(|e| unreadable(&e))?;
        let named = recording.names.iter().zip(recorder.populations()).zip(&recording.counts);
        for (p, ((name, extent), counts)) in named.enumerate() {
            let (Sent::Spikes(count) | Sent::Messages(count)) = *counts;
            let shape = [usize::try_from(count).unwrap_or(usize::MAX)];
            let mut column = |what: Column| -> Result<(), Diagnostics> {
                let name = format!("{}_{name}", what.name());
                match (what, extent.kind) {
                    (Column::Value, Kind::Bursts) => archive.begin::<f32>(&name, &shape)?,
                    (Column::Value, _) => archive.begin::<i32>(&name, &shape)?,
                    _ => archive.begin::<u32>(&name, &shape)?,
                }
                for sample in 0..stimuli.samples() {
                    let mut train = TrainReader::open(recorder, &mut reader, sample, p)
                        .map_err(|e| unreadable(&e))?;
                    for step in 0..extent.steps {
                        let (neurons, sent) = train.step().map_err(|e| unreadable(&e))?;
                        let same = |n: usize| std::iter::repeat_n(number(n), neurons.len());
                        match (what, extent.kind) {
                            (Column::Sample, _) => {
                                archive.extend(same(stimuli.first() + sample))?;
                            }
                            (Column::Step, _) => archive.extend(same(step))?,
                            (Column::Neuron, _) => archive.extend(neurons.iter().copied())?,
                            (Column::Value, Kind::Bursts) => {
                                archive.extend(sent.iter().map(|v| f32::from_le_bytes(*v)))?;
                            }
                            (Column::Value, _) => {
                                archive.extend(sent.iter().map(|v| i32::from_le_bytes(*v)))?;
                            }
                        }
                    }
                }
                Ok(())
            };
            column(Column::Sample)?;
            column(Column::Step)?;
            column(Column::Neuron)?;
            if extent.kind != Kind::Spikes {
                column(Column::Value)?;
            }
        }
        Ok(archive.finish().map(|_| ())?)
    })
}

/// An array of events.
#[derive(Clone, Copy)]
enum Column {
    Sample,
    Step,
    Neuron,
    Value,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Step => "step",
            Self::Neuron => "neuron",
            Self::Value => "value",
        }
    }
}

/// Writes registers of traced populations, `[samples, steps, neurons]` in the time of the level: of
/// integers `u_NAME`, `h_NAME` and `v_NAME` (current, membrane that was compared, membrane at the end of
/// the step), of floats `h_NAME` and `v_NAME`.
///
/// # Errors
/// `SNN0802`, `SNN0121`.
pub(crate) fn traces(
    path: &Path,
    recorder: &Recorder,
    stimuli: &Stimuli,
    floats: bool,
) -> Result<(), Diagnostics> {
    files::write_with(path, |file| {
        let mut archive = NpzWriter::new(file);
        let mut reader = recorder.reader().map_err(|e| unreadable(&e))?;
        let shape = |size| [stimuli.samples(), recorder.steps(), size];
        for (p, traced) in recorder.traced().iter().enumerate() {
            for (r, register) in registers(if floats { 2 } else { 3 }).iter().enumerate() {
                let name = format!("{register}_{}", traced.name);
                if floats {
                    archive.begin::<f32>(&name, &shape(traced.size))?;
                } else {
                    archive.begin::<i32>(&name, &shape(traced.size))?;
                }
                let mut row = vec![0; 4 * traced.size];
                for sample in 0..stimuli.samples() {
                    recorder.go_to_trace(&mut reader, sample, p, r).map_err(|e| unreadable(&e))?;
                    for _ in 0..recorder.steps() {
                        reader.fill(&mut row).map_err(|e| unreadable(&e))?;
                        let (values, _) = row.as_chunks::<4>();
                        if floats {
                            archive.extend(values.iter().map(|v| f32::from_le_bytes(*v)))?;
                        } else {
                            archive.extend(values.iter().map(|v| i32::from_le_bytes(*v)))?;
                        }
                    }
                }
            }
        }
        Ok(archive.finish().map(|_| ())?)
    })
}

/// A temporary file that cannot be read again.
pub(super) fn unreadable(error: &io::Error) -> Diagnostic {
    files::cannot_read(Path::new("the temporary file of the recording"), &error.to_string())
}

/// Reads a train step by step.
pub(super) struct TrainReader<'r> {
    reader: &'r mut Reader,
    extent: Extent,
    neurons: Vec<u32>,
    values: Vec<[u8; 4]>,
}

impl<'r> TrainReader<'r> {
    pub(super) fn open(
        recorder: &Recorder,
        reader: &'r mut Reader,
        sample: usize,
        population: usize,
    ) -> io::Result<Self> {
        recorder.go_to_train(reader, sample, population)?;
        let extent = recorder.populations()[population];
        Ok(Self { reader, extent, neurons: Vec::new(), values: Vec::new() })
    }

    /// Neurons that send in the next step, and the bytes of what they send; none of spikes.
    pub(super) fn step(&mut self) -> io::Result<(&[u32], &[[u8; 4]])> {
        let count = u32::from_le_bytes(self.reader.four()?);
        self.neurons.clear();
        self.values.clear();
        for _ in 0..count {
            self.neurons.push(u32::from_le_bytes(self.reader.four()?));
        }
        if self.extent.kind != Kind::Spikes {
            for _ in 0..count {
                self.values.push(self.reader.four()?);
            }
        }
        Ok((&self.neurons, &self.values))
    }
}

/// Writes what every input received.
fn inputs(archive: &mut Archive<'_>, stimuli: &Stimuli) -> Result<(), Diagnostics> {
    let samples = stimuli.samples();
    for (i, name) in stimuli.input_names().enumerate() {
        let name = format!("input_{name}");
        for sample in 0..samples {
            let stimulus = stimuli.stimulus(sample).map_err(|e| simulation_failed(&e))?;
            match &stimulus.inputs[i] {
                Signal::Frame(values) => {
                    start::<f32>(archive, sample, &name, &[samples, values.len()])?;
                    archive.extend(values.iter().copied())?;
                }
                Signal::Spikes(train) => {
                    let shape = [samples, train.steps(), train.neurons()];
                    start::<u8>(archive, sample, &name, &shape)?;
                    let mut row = vec![0_u8; train.neurons()];
                    for t in 0..train.steps() {
                        row.fill(0);
                        train.active(t).for_each(|n| row[n] = 1);
                        archive.extend(row.iter().copied())?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Begins the array with its first sample.
fn start<T: Element>(
    archive: &mut Archive<'_>,
    sample: usize,
    name: &str,
    shape: &[usize],
) -> Result<(), Diagnostic> {
    if sample == 0 { archive.begin::<T>(name, shape) } else { Ok(()) }
}
