//! How fast the event-driven simulator is: four workloads, and what a run of each costs per useful
//! synaptic event.
//!
//! Time is what the process spent on processors (of all its threads), read from the kernel's accounts, so
//! that other programs on the machine disturb it little; the median of several runs counts.

mod clock;
#[cfg(feature = "gpu")]
mod device;
mod draw;
mod load;
mod work;
mod workload;
mod write;

use crate::files;
use crate::verify::simulation_failed as failed;
use clock::{cpu_seconds, peak_bytes};
#[cfg(feature = "gpu")]
pub(crate) use device::measure_on;
pub(crate) use load::{Loaded, load};
use serde::Serialize;
use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::network::Op;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostics, binary};
use snnc_runtime::float::FloatProbe;
use snnc_runtime::integer::IntProbe;
use snnc_runtime::{SimError, Stimulus, batch, event};
use std::path::Path;
use std::time::Instant;
use work::{Counter, Work};
use workload::Net;

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Workload {
    /// `784 – 512 – 512 – 10`.
    W1,
    /// The same in integers.
    W1i,
    /// Two convolutions and an average pooling.
    W2,
    /// 10,000 neurons, 1,000,000 synapses.
    W3,
    /// 100,000 neurons, 10,000,000 synapses.
    W4,
}

impl Workload {
    /// Those that other simulators are compared on.
    pub(crate) const ALL: [Self; 4] = [Self::W1, Self::W2, Self::W3, Self::W4];

    /// Batches that are measured unless others are asked for.
    pub(crate) const fn batches(self) -> &'static [usize] {
        match self {
            Self::W1 | Self::W1i => &[1, 256],
            Self::W2 => &[16],
            Self::W3 | Self::W4 => &[1],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::W1 => "W1",
            Self::W1i => "W1i",
            Self::W2 => "W2",
            Self::W3 => "W3",
            Self::W4 => "W4",
        }
    }

    fn build(self) -> Result<Net, Diagnostics> {
        match self {
            Self::W1 => workload::w1(),
            Self::W1i => workload::w1_integer(),
            Self::W2 => workload::w2(),
            Self::W3 => workload::w3(),
            Self::W4 => workload::w4(),
        }
    }
}

/// What one workload cost.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    /// Its name.
    pub(crate) workload: &'static str,
    /// `float` or `integer`.
    pub(crate) level: &'static str,
    /// Samples.
    pub(crate) batch: usize,
    /// Threads.
    pub(crate) threads: usize,
    /// The graphics processor that ran it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adapter: Option<String>,
    /// Spikes of neurons in all samples.
    pub(crate) spikes: u64,
    /// Stored synapses that were reached by a value other than 0, in all samples.
    pub(crate) events: u64,
    /// Seconds on processors to lay the network out.
    pub(crate) prepare_seconds: f64,
    /// Seconds on processors for one run of all samples, the median.
    pub(crate) cpu_seconds: f64,
    /// Seconds that passed meanwhile, the median.
    pub(crate) wall_seconds: f64,
    /// Nanoseconds on processors per event.
    pub(crate) ns_per_event: f64,
    /// Events per second that passed.
    pub(crate) events_per_second: f64,
    /// How many times as long one thread took, by seconds that passed; null for one thread.
    pub(crate) speedup: Option<f64>,
    /// Most memory that the process has held so far, in bytes; null where the system does not tell.
    pub(crate) peak_bytes: Option<u64>,
}

/// Seconds that the runs of one measurement take at least, so that the clock's ticks do not show.
const SHORTEST: f64 = 0.1;

/// Measures `workload` on `batch` samples: the median of `repeat` measurements. Runs on the current
/// thread pool.
pub(crate) fn measure(
    workload: Workload,
    batch: usize,
    repeat: usize,
) -> Result<Measured, Diagnostics> {
    let net = workload.build()?;
    let stimuli = workload::stimuli(&net, batch);
    let counter = Counter::new(&net);
    let start = cpu_seconds();
    match &net {
        Net::Float(network) => {
            let sim = event::float::FloatSim::new(network).map_err(|e| failed(&e))?;
            let prepare = cpu_seconds() - start;
            let run = |stimulus: &Stimulus| sim.run(stimulus, &FloatProbe::None);
            let count = |stimulus: &Stimulus| {
                let run = run(stimulus)?;
                let neurons = network.nodes.iter().filter(|(_, n)| matches!(n.op, Op::Neuron(_)));
                let trains = neurons.filter_map(|(id, _)| run.spikes.get(&id));
                Ok(Work {
                    spikes: trains.map(SpikeTrain::count).sum(),
                    events: counter.events(|node| run.spikes.get(&NodeId::new(node))),
                })
            };
            time(workload, "float", &stimuli, repeat, prepare, count, run)
        }
        Net::Integer(network) => {
            let split = event::Split::over(stimuli.len());
            let sim = event::integer::IntSim::with_split(network, split).map_err(|e| failed(&e))?;
            let prepare = cpu_seconds() - start;
            let run = |stimulus: &Stimulus| sim.run(stimulus, &IntProbe::None);
            let count = |stimulus: &Stimulus| Ok(counter.integers(network, &run(stimulus)?.spikes));
            time(workload, "integer", &stimuli, repeat, prepare, count, run)
        }
    }
}

/// Counts the work of the samples, then runs them until the clock is sure.
fn time<T: Send>(
    workload: Workload,
    level: &'static str,
    stimuli: &[Stimulus],
    repeat: usize,
    prepare_seconds: f64,
    count: impl Fn(&Stimulus) -> Result<Work, SimError> + Sync + Send,
    run: impl Fn(&Stimulus) -> Result<T, SimError> + Sync + Send,
) -> Result<Measured, Diagnostics> {
    let mut work = Work::default();
    for part in batch::map(stimuli, count).map_err(|e| failed(&e))? {
        work += part;
    }
    let case = Case { workload, level, batch: stimuli.len(), work, prepare_seconds };
    // Each result is dropped at once: a batch need not be held.
    case.measure(repeat, || batch::map(stimuli, |stimulus| run(stimulus).map(drop)).map(drop))
}

/// What is measured.
struct Case {
    workload: Workload,
    level: &'static str,
    batch: usize,
    work: Work,
    prepare_seconds: f64,
}

impl Case {
    /// Calls `run`, which runs all samples, until the clock is sure, `repeat` times.
    #[expect(clippy::cast_precision_loss, reason = "times and counts for people")]
    fn measure(
        self,
        repeat: usize,
        run: impl Fn() -> Result<(), SimError>,
    ) -> Result<Measured, Diagnostics> {
        let (mut cpu, mut wall) = (Vec::new(), Vec::new());
        for _ in 0..repeat.max(1) {
            let (start, watch) = (cpu_seconds(), Instant::now());
            let mut runs = 0.0;
            while runs == 0.0 || watch.elapsed().as_secs_f64() < SHORTEST {
                run().map_err(|e| failed(&e))?;
                runs += 1.0;
            }
            wall.push(watch.elapsed().as_secs_f64() / runs);
            cpu.push((cpu_seconds() - start) / runs);
        }
        let [cpu_seconds, wall_seconds] = [median(cpu), median(wall)];
        let events = self.work.events;
        Ok(Measured {
            workload: self.workload.name(),
            level: self.level,
            batch: self.batch,
            threads: rayon::current_num_threads(),
            adapter: None,
            spikes: self.work.spikes,
            events,
            prepare_seconds: self.prepare_seconds,
            cpu_seconds,
            wall_seconds,
            ns_per_event: cpu_seconds * 1e9 / events as f64,
            events_per_second: events as f64 / wall_seconds,
            speedup: None,
            peak_bytes: peak_bytes(),
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Writes the weights and inputs of `workload` for `batch` samples to `folder`, and its network as `.snnb`; names the
/// files.
pub(crate) fn write(
    workload: Workload,
    batch: usize,
    folder: &Path,
) -> Result<Vec<String>, Diagnostics> {
    let net = workload.build()?;
    let stimuli = workload::stimuli(&net, batch);
    let name = workload.name().to_lowercase();
    let files = [format!("{name}-b{batch}.npz"), format!("{name}.snnb")];
    write::write(&net, &stimuli, &folder.join(&files[0]))?;
    let bytes = match net {
        Net::Float(network) => binary::encode_network(&network),
        Net::Integer(network) => binary::encode_quantized(&network),
    };
    files::write(&folder.join(&files[1]), &bytes)?;
    Ok(files.into())
}

#[cfg(test)]
mod tests {
    use super::work::Counter;
    use super::workload::{Net, stimuli, w1, w2};
    use snnc_ir::arena::{Entity, NodeId};
    use snnc_ir::spikes::SpikeTrain;
    use snnc_runtime::float::{FloatProbe, FloatSim};

    /// The counts that other simulators are held to, by the definition.
    #[test]
    fn workloads_are_what_they_were() {
        let count = |net: Net| {
            let Net::Float(network) = &net else { panic!("a float network") };
            let stimuli = stimuli(&net, 1);
            let run = FloatSim::new(network).unwrap().run(&stimuli[0], &FloatProbe::None).unwrap();
            let events = Counter::new(&net).events(|n| run.spikes.get(&NodeId::new(n)));
            (run.spikes.values().skip(1).map(SpikeTrain::count).sum::<u64>(), events)
        };
        assert_eq!(count(w1().unwrap_or_else(|e| panic!("{e}"))), (5479, 7_420_428));
        let (spikes, events) = count(w2().unwrap_or_else(|e| panic!("{e}")));
        assert!(spikes > 5_000 && events > 1_000_000, "{spikes} {events}");
    }
}
