//! From a `.snnb` file to the end of the first step: what stands between a program and its first result.

use super::clock::{cpu_seconds, peak_bytes};
use super::median;
use crate::files::{self, MAX_BINARY, shown};
use crate::verify::simulation_failed as failed;
use serde::Serialize;
use snnc_ir::diag::codes::usage;
use snnc_ir::level::AnyDraft;
use snnc_ir::network::{Coding, Op};
use snnc_ir::quantized::PopKind;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostic, Diagnostics, Level, Network, QuantizedNetwork, Rules, binary};
use snnc_runtime::event::Split;
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::float::FloatProbe;
use snnc_runtime::integer::IntProbe;
use snnc_runtime::{Signal, Stimulus};
use std::path::Path;
use std::time::Instant;

/// What loading cost, in seconds on processors unless said otherwise; medians.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Loaded {
    /// The file.
    pub(crate) file: String,
    /// `network` or `quantized`.
    pub(crate) level: &'static str,
    /// Threads.
    pub(crate) threads: usize,
    /// To read the file.
    pub(crate) read_seconds: f64,
    /// To decode its bytes.
    pub(crate) decode_seconds: f64,
    /// To check every rule of its level.
    pub(crate) verify_seconds: f64,
    /// To lay it out for the simulator.
    pub(crate) prepare_seconds: f64,
    /// To run the first step, of silent inputs.
    pub(crate) first_step_seconds: f64,
    /// All of these.
    pub(crate) cpu_seconds: f64,
    /// Seconds that passed meanwhile.
    pub(crate) wall_seconds: f64,
    /// Most memory that the process has held so far, in bytes; null where the system does not tell.
    pub(crate) peak_bytes: Option<u64>,
}

/// Phases of one measurement.
const PHASES: usize = 5;

/// Loads `file` and runs its first step, `repeat` times.
pub(crate) fn load(file: &Path, repeat: usize) -> Result<Loaded, Diagnostics> {
    let mut phases: [Vec<f64>; PHASES] = Default::default();
    let (mut cpu, mut wall, mut level) = (Vec::new(), Vec::new(), "");
    for _ in 0..repeat.max(1) {
        let watch = Instant::now();
        let mut clock = Clock { last: cpu_seconds(), phases: [0.0; PHASES] };
        level = once(file, &mut clock)?;
        wall.push(watch.elapsed().as_secs_f64());
        cpu.push(clock.phases.iter().sum());
        for (all, one) in phases.iter_mut().zip(clock.phases) {
            all.push(one);
        }
    }
    let [read_seconds, decode_seconds, verify_seconds, prepare_seconds, first_step_seconds] =
        phases.map(median);
    Ok(Loaded {
        file: shown(file),
        level,
        threads: rayon::current_num_threads(),
        read_seconds,
        decode_seconds,
        verify_seconds,
        prepare_seconds,
        first_step_seconds,
        cpu_seconds: median(cpu),
        wall_seconds: median(wall),
        peak_bytes: peak_bytes(),
    })
}

/// Time by phase.
struct Clock {
    last: f64,
    phases: [f64; PHASES],
}

impl Clock {
    /// What passed since the last phase ended is that of `phase`.
    fn end(&mut self, phase: usize) {
        let now = cpu_seconds();
        self.phases[phase] = now - self.last;
        self.last = now;
    }
}

/// Loads `file`, runs its first step, and names its level.
fn once(file: &Path, clock: &mut Clock) -> Result<&'static str, Diagnostics> {
    let bytes = files::read(file, MAX_BINARY)?;
    clock.end(0);
    let mut draft = binary::decode(&bytes).map_err(|e| e.in_file(&shown(file)))?;
    drop(bytes);
    clock.end(1);
    let rules = Rules::default();
    match &mut draft {
        AnyDraft::Network(draft) => draft.steps = 1,
        AnyDraft::Quantized(draft) => draft.steps = 1,
        AnyDraft::Mapped(_) => return Err(no_simulator(file).into()),
    }
    match draft {
        AnyDraft::Network(draft) => {
            let network = Network::verify(draft, &rules)?;
            clock.end(2);
            let sim = FloatSim::new(&network).map_err(|e| failed(&e))?;
            clock.end(3);
            let inputs = network.nodes.values().filter_map(|node| match &node.op {
                Op::Input(coding) => Some(silence(coding, node.shape.size())),
                _ => None,
            });
            let stimulus = Stimulus { inputs: inputs.collect() };
            sim.run(&stimulus, &FloatProbe::None).map_err(|e| failed(&e))?;
            clock.end(4);
            Ok(Network::NAME)
        }
        AnyDraft::Quantized(draft) => {
            let network = QuantizedNetwork::verify(draft, &rules)?;
            clock.end(2);
            let sim = IntSim::with_split(&network, Split::over(1)).map_err(|e| failed(&e))?;
            clock.end(3);
            let inputs = network.populations.values().filter_map(|p| match &p.kind {
                PopKind::Input(coding) => Some(silence(coding, p.shape.size())),
                _ => None,
            });
            let stimulus = Stimulus { inputs: inputs.collect() };
            sim.run(&stimulus, &IntProbe::None).map_err(|e| failed(&e))?;
            clock.end(4);
            Ok(QuantizedNetwork::NAME)
        }
        AnyDraft::Mapped(_) => Err(no_simulator(file).into()),
    }
}

/// Nothing, for an input of `size` elements: no spikes, or values as close to 0 as its range has them.
fn silence(coding: &Coding, size: usize) -> Signal {
    let Coding::Direct { range } = coding else { return Signal::Spikes(SpikeTrain::new(1, size)) };
    #[expect(
        clippy::cast_precision_loss,
        reason = "f32 holds the ends of ranges that are sensible"
    )]
    let value = range.map_or(0.0, |[low, high]| 0.clamp(low, high) as f32);
    Signal::Frame(vec![value; size])
}

fn no_simulator(file: &Path) -> Diagnostic {
    Diagnostic::error(
        usage::WRONG_LEVEL,
        "the file holds a mapped network, which no simulator here runs",
    )
    .in_file(shown(file))
    .note("expected a network or a quantized network")
    .help("give a file that `snnc bench --write` or `snnc convert` wrote")
}

#[cfg(test)]
mod tests {
    use super::load;
    use crate::bench::{Workload, write};
    use snnc_ir::diag::codes::usage;

    #[test]
    fn a_written_workload_loads_and_runs() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(Workload::W2, 1, folder.path()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(files, ["w2-b1.npz", "w2.snnb"]);
        let loaded = load(&folder.path().join("w2.snnb"), 1).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(loaded.level, "network");
        assert!(load(&folder.path().join("w2-b1.npz"), 1).is_err(), "not a .snnb file");
        let missing = load(&folder.path().join("w3.snnb"), 1).unwrap_err();
        assert!(missing.iter().any(|d| d.code == usage::CANNOT_READ));
    }
}
