//! The integer level by fused kernels.

use super::buffers::{Buffer, WORD};
use super::device::Gpu;
use super::kernel;
use super::kernel::words::{CLAMP, GROUP};
use super::layout::Layout;
use super::order::{Stage, stages};
use crate::error::SimError;
use crate::integer::{self, IntProbe, IntRun};
use crate::stimulus::Stimulus;
use crate::tensor::Bounds;
use crate::{event, messages::MessageTrain};
use cubecl::prelude::{CubeCount, CubeDim, CubeElement};
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::quantized::QuantizedNetwork;
use snnc_ir::spikes::SpikeTrain;

/// Workgroups along one axis of a grid, on every device.
const MAX_GROUPS: usize = 65_535;

/// Bytes of scattered sums that one launch may leave behind.
const MAX_SCATTERED: u64 = 1 << 26;

/// An integer network on a graphics processor: one launch per population for all steps, or for as many as
/// cycles let pass.
pub struct IntSim<'n> {
    /// Injects inputs and computes scores.
    base: integer::IntSim<'n>,
    network: &'n QuantizedNetwork,
    gpu: &'n Gpu,
    layout: Layout,
    stages: Vec<Stage>,
    data: Buffer,
}

/// What a stimulus sets up.
struct Sample {
    /// Inputs injected, the others silent.
    trains: Vec<SpikeTrain>,
    /// What the host adds to biases, by population.
    host: Vec<Option<Vec<i64>>>,
}

/// Buffers of one run.
struct Run {
    bias: Buffer,
    spikes: Buffer,
    messages: Buffer,
    registers: Buffer,
    scattered: Buffer,
    overflows: Buffer,
    samples: u32,
}

impl<'n> IntSim<'n> {
    /// Puts `network` on `gpu`.
    ///
    /// # Errors
    /// As [`integer::IntSim::new`]; [`SimError::TooLarge`] where a sum of weights could leave i32, a message 2^24, or a
    /// buffer what the device can hold; [`SimError::Unsupported`] where a population needs longer loops than a
    /// software device runs.
    pub fn new(network: &'n QuantizedNetwork, gpu: &'n Gpu) -> Result<Self, SimError> {
        let base = integer::IntSim::with_kernels(network, |_| false)?;
        Bounds::new(network)?;
        let mut layout = Layout::new(network)?;
        let stages = stages(network, base.order());
        fits("the weights of the network", layout.data.len() as u64, gpu)?;
        for ((_, population), place) in network.populations.iter().zip(&layout.populations) {
            let most = place.scattered.iter().map(|s| s.turns).fold(place.turns, u64::max);
            if gpu.adapter().software && most > gpu.turns() {
                return Err(SimError::Unsupported {
                    place: population.name.clone(),
                    what: "loops of more than 60,000 turns, after which software devices leave a \
                           loop",
                });
            }
            let groups = population.size().div_ceil(GROUP as usize / 2);
            if groups > MAX_GROUPS {
                let what = format!("`{}`, in workgroups of half as many neurons,", population.name);
                let (size, limit) = (groups as u64, MAX_GROUPS as u64);
                return Err(SimError::TooLarge { what, size, limit });
            }
        }
        let data = Buffer::new(gpu.client(), std::mem::take(&mut layout.data));
        let sim = Self { base, network, gpu, layout, stages, data };
        sim.batch()?;
        Ok(sim)
    }

    /// Samples that run together, at most.
    ///
    /// # Errors
    /// [`SimError::TooLarge`] if the device cannot hold one.
    pub fn batch(&self) -> Result<usize, SimError> {
        let (layout, steps) = (&self.layout, self.base.steps() as u64);
        let each = [
            ("the spikes of a sample", layout.words as u64 * steps),
            ("the messages of a sample", layout.values as u64 * steps),
            ("the registers of a sample", layout.registers as u64),
            ("the biases of a sample", (layout.host_biases + layout.biases.len()) as u64),
        ];
        let scattered = self.network.populations.iter().filter(|(id, _)| self.scatters(*id));
        let sums = scattered.map(|(_, p)| p.size() as u64).max().unwrap_or(0);
        let each = each.into_iter().chain([("the sums of a sample", sums)]);
        let mut batch = MAX_GROUPS as u64;
        for (what, words) in each {
            fits(what, words, self.gpu)?;
            batch = batch.min(limit(self.gpu) / words.max(1));
        }
        Ok(usize::try_from(batch).unwrap_or(MAX_GROUPS))
    }

    /// Runs all `stimuli`, as many together as the device can hold: what [`integer::IntSim::run`] gives for
    /// each, without traces.
    ///
    /// # Errors
    /// [`SimError::Sample`] with the first sample that does not fit or overflows, [`SimError::Device`].
    pub fn run(&self, stimuli: &[Stimulus]) -> Result<Vec<IntRun>, SimError> {
        let batch = self.batch()?;
        let mut runs = Vec::with_capacity(stimuli.len());
        for part in stimuli.chunks(batch) {
            let first = runs.len();
            let done = self.together(part).map_err(|error| match error {
                SimError::Sample { index, source } => {
                    SimError::Sample { index: first + index, source }
                }
                other => other,
            })?;
            runs.extend(done);
        }
        Ok(runs)
    }

    /// Runs `stimuli` in one go.
    fn together(&self, stimuli: &[Stimulus]) -> Result<Vec<IntRun>, SimError> {
        let in_sample = |index| move |source| SimError::Sample { index, source: Box::new(source) };
        let sample = |(index, stimulus): (usize, &Stimulus)| {
            let trains = self.base.inject(stimulus).map_err(in_sample(index))?;
            let host = self.base.host(stimulus).map_err(in_sample(index))?;
            Ok(Sample { trains, host })
        };
        let samples =
            stimuli.iter().enumerate().map(sample).collect::<Result<Vec<_>, SimError>>()?;
        let run = self.upload(&samples);
        for stage in &self.stages {
            self.launch(stage, &run);
        }
        let handles = [&run.spikes, &run.messages, &run.overflows].map(Buffer::handle);
        let failed = |e: cubecl::server::ServerError| SimError::Device(e.to_string());
        let read = self.gpu.client().read(handles.to_vec()).map_err(failed)?;
        let [spikes, sent, overflows] = read.as_slice() else {
            return Err(SimError::Device("the device gave back something else".to_owned()));
        };
        let (spikes, overflows) = (u32::from_bytes(spikes), u32::from_bytes(overflows));
        let sent = i32::from_bytes(sent);
        let collect = |(index, sample): (usize, Sample)| {
            if overflows[index] != 0 {
                return Err(in_sample(index)(self.locate(&stimuli[index])));
            }
            let (mut trains, mut messages) = (sample.trains, self.base.silence());
            for (id, population) in self.network.populations.iter() {
                let train = &mut trains[id.index()];
                if let Some(messages) = &mut messages[id.index()] {
                    self.messages(id, (index, stimuli.len()), sent, messages);
                    *train = messages.spikes();
                } else if !population.is_input() {
                    self.spikes(id, (index, stimuli.len()), spikes, train);
                }
            }
            let scores = self.base.scores(&trains);
            Ok(IntRun { spikes: trains, messages, scores, traces: Vec::new() })
        };
        samples.into_iter().enumerate().map(collect).collect()
    }

    /// The overflow of a sample, by the event-driven simulator.
    fn locate(&self, stimulus: &Stimulus) -> SimError {
        match event::integer::simulate(self.network, stimulus, &IntProbe::None) {
            Err(error) => error,
            Ok(_) => SimError::Device("it found an overflow that is none".to_owned()),
        }
    }

    /// Copies what `samples` set up to the device.
    fn upload(&self, samples: &[Sample]) -> Run {
        let (client, layout, steps) = (self.gpu.client(), &self.layout, self.base.steps());
        let count = samples.len();
        let mut spikes = vec![0_u32; layout.words * steps * count];
        let inputs = self.network.populations.iter().filter(|(_, p)| p.is_input());
        for (id, _) in inputs {
            let place = &layout.populations[id.index()];
            for (b, sample) in samples.iter().enumerate() {
                let train = &sample.trains[id.index()];
                for t in 0..steps {
                    let at = place.sent * steps * count + (t * count + b) * place.stride;
                    let words = spikes[at..at + place.stride].chunks_exact_mut(2);
                    words.zip(train.step(t)).for_each(|(halves, &word)| split(halves, word));
                }
            }
        }
        let mut bias = layout.biases.clone();
        bias.resize(bias.len() + layout.host_biases * count, 0);
        self.host_biases(samples, &mut bias);
        Run {
            bias: Buffer::new(client, bias),
            spikes: Buffer::new(client, spikes),
            messages: Buffer::new(client, vec![0_i32; layout.values * steps * count]),
            registers: Buffer::new(client, vec![0_i32; layout.registers * count]),
            scattered: Buffer::new(client, vec![0_i32; self.scattered(count)]),
            overflows: Buffer::new(client, vec![0_u32; count]),
            samples: small(count),
        }
    }

    /// Biases with what the host adds, behind those that are shared.
    fn host_biases(&self, samples: &[Sample], bias: &mut [i32]) {
        let layout = &self.layout;
        let (shared, rest) = bias.split_at_mut(layout.biases.len());
        let mut own = 0;
        for (id, population) in self.network.populations.iter().filter(|(_, p)| !p.is_input()) {
            let size = population.size();
            let shared = &shared[own..own + size];
            own += size;
            let Some(host) = layout.populations[id.index()].host else { continue };
            // Of a relay, `Bounds` keeps sums with the bias inside i32.
            let (unit, limit) = match population.graded() {
                Some(_) => (1, i64::from(i32::MAX)),
                None => (64, i64::from(CLAMP)),
            };
            for (b, sample) in samples.iter().enumerate() {
                let first = host * samples.len() + b * size;
                let added = sample.host[id.index()].as_deref();
                for (n, slot) in rest[first..first + size].iter_mut().enumerate() {
                    let sum = i64::from(shared[n]) + unit * added.map_or(0, |a| a[n]);
                    *slot = i32::try_from(sum.clamp(-limit, limit)).unwrap_or(i32::MAX);
                }
            }
        }
    }

    /// Steps that each population of `stage` runs in one launch.
    fn steps_of(&self, stage: &Stage, samples: usize) -> usize {
        let steps = self.base.steps();
        let mut chunk = stage.steps.map_or(steps, |s| steps.min(s as usize)).min(MAX_GROUPS);
        for &id in &stage.populations {
            let place = &self.layout.populations[id.index()];
            let turns = self.gpu.turns() / place.turns.max(1);
            chunk = chunk.min(usize::try_from(turns).unwrap_or(chunk));
            if self.scatters(id) {
                let each = self.network.populations[id].size() as u64 * samples as u64 * WORD;
                let room = MAX_SCATTERED.min(self.gpu.largest_buffer()) / each.max(1);
                chunk = chunk.min(usize::try_from(room).unwrap_or(chunk));
            }
        }
        chunk.max(1)
    }

    /// Whether population `id` reads through a sparse matrix.
    fn scatters(&self, id: PopId) -> bool {
        !self.layout.populations[id.index()].scattered.is_empty()
    }

    /// Values of scattered sums that any launch leaves behind.
    fn scattered(&self, samples: usize) -> usize {
        let of = |stage: &Stage| {
            let scattered = stage.populations.iter().filter(|id| self.scatters(**id));
            let most = scattered.map(|id| self.network.populations[*id].size()).max();
            most.unwrap_or(0) * samples * self.steps_of(stage, samples)
        };
        self.stages.iter().map(of).max().unwrap_or(0)
    }

    /// All steps of the populations of `stage`.
    fn launch(&self, stage: &Stage, run: &Run) {
        let client = self.gpu.client();
        let steps = small(self.base.steps());
        let chunk = self.steps_of(stage, run.samples as usize);
        for first in (0..self.base.steps()).step_by(chunk) {
            let end = small((first + chunk).min(self.base.steps()));
            let first = small(first);
            for &id in &stage.populations {
                let population = &self.network.populations[id];
                if population.is_input() {
                    continue;
                }
                let place = &self.layout.populations[id.index()];
                for s in &place.scattered {
                    kernel::scatter::launch(
                        client,
                        CubeCount::Static(s.words, run.samples, end - first),
                        CubeDim::new_1d(GROUP),
                        self.data.arg(),
                        run.spikes.arg(),
                        run.messages.arg(),
                        run.scattered.arg(),
                        s.read,
                        first,
                        steps,
                        run.samples,
                    );
                }
                let groups = small(population.size().div_ceil(GROUP as usize));
                kernel::population::launch(
                    client,
                    CubeCount::Static(groups, run.samples, 1),
                    CubeDim::new_1d(GROUP),
                    self.data.arg(),
                    run.bias.arg(),
                    run.spikes.arg(),
                    run.messages.arg(),
                    run.registers.arg(),
                    run.scattered.arg(),
                    run.overflows.arg(),
                    place.header,
                    first,
                    end,
                    steps,
                    run.samples,
                );
            }
        }
    }

    /// Spikes of population `id` in one sample of so many.
    fn spikes(&self, id: PopId, (b, samples): (usize, usize), all: &[u32], train: &mut SpikeTrain) {
        let (place, steps) = (&self.layout.populations[id.index()], self.base.steps());
        for t in 0..steps {
            let at = place.sent * steps * samples + (t * samples + b) * place.stride;
            for (w, halves) in all[at..at + place.stride].chunks_exact(2).enumerate() {
                train.set_word(t, w, u64::from(halves[0]) | u64::from(halves[1]) << 32);
            }
        }
    }

    /// Messages of population `id` in one sample of so many.
    fn messages(
        &self,
        id: PopId,
        (b, samples): (usize, usize),
        all: &[i32],
        train: &mut MessageTrain,
    ) {
        let (place, steps) = (&self.layout.populations[id.index()], self.base.steps());
        for t in 0..steps {
            let at = place.sent * steps * samples + (t * samples + b) * place.stride;
            let sent = (0_u32..).zip(&all[at..at + place.stride]);
            train.put(t, sent.filter(|(_, m)| **m != 0).map(|(n, m)| (n, *m)).collect());
        }
    }
}

/// Words that one buffer may have: kernels count them in 32 bits.
fn limit(gpu: &Gpu) -> u64 {
    (gpu.largest_buffer() / WORD).min(u64::from(u32::MAX))
}

/// Refuses a buffer that the device cannot hold.
fn fits(what: &str, words: u64, gpu: &Gpu) -> Result<(), SimError> {
    let limit = limit(gpu);
    if words > limit {
        let what = format!("{what}, on {}, ", gpu.adapter().name);
        return Err(SimError::TooLarge { what, size: words, limit });
    }
    Ok(())
}

/// The halves of a word, the lower first.
fn split(halves: &mut [u32], word: u64) {
    #[expect(clippy::cast_possible_truncation, reason = "halves of 64 bits")]
    let parts = [word as u32, (word >> 32) as u32];
    halves.copy_from_slice(&parts);
}

/// A count that [`IntSim::new`] has bounded.
fn small(x: usize) -> u32 {
    u32::try_from(x).unwrap_or(u32::MAX)
}
