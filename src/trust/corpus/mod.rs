//! Random networks for foreign emulators: artifacts, stimuli, and the spikes that we expect.
//!
//! A folder of such cases is run by `tests/oracles/random_run.py`, one process for all of them. The networks are
//! drawn within what an emulator computes as the integer contract says ([`Scope`]); `docs/oracles.md` has the same
//! table in words. They are alive: thresholds are near what arrives, runs take tens of steps.

mod draw;
mod scope;

pub use scope::{Oracle, Scope};

use crate::compile::{Compiled, Export, Options, compile};
use crate::pipeline::Delays;
use crate::source::{FileKind, Source};
use crate::target::Target;
use draw::Draw;
use serde::Serialize;
use snnc_backends::NETX_FILE;
use snnc_frontend::arrays::{Array, ArrayData, write_npz};
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostics, Level, QuantizedNetwork, Rules, binary};
use snnc_passes::AnyLevel;
use snnc_runtime::Stimulus;
use snnc_runtime::cores::{CoreProbe, CoreSim};
use std::path::Path;

/// Runs of each network.
const SAMPLES: usize = 2;
/// Networks that may be refused before one is compiled.
const ATTEMPTS: u64 = 200;

/// A network that was compiled, and what it does.
#[derive(Clone, Debug)]
pub struct Case {
    /// Files by name: of the artifact those that oracles read, and `expected.npz`.
    pub files: Vec<(String, Vec<u8>)>,
    /// What the corpus says about it.
    pub entry: CaseEntry,
}

/// A case in `corpus.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseEntry {
    /// Name of its folder.
    pub name: String,
    /// Networks drawn before it that were refused.
    pub refused: u64,
    /// Neurons on cores, relays and clocks included.
    pub neurons: u64,
    /// Synapses that the certificate compared.
    pub synapses: u64,
    /// Hardware steps of a run.
    pub steps: u64,
    /// Runs.
    pub samples: usize,
    /// Spikes of neurons on cores, over all runs.
    pub spikes: u64,
    /// Cores in use.
    pub cores: usize,
}

/// Draws case `index` of the corpus of `seed`: the first network that compiles, and what it is fed.
///
/// # Errors
/// Bugs only: a network that is no valid draft, a pass that breaks its level, a program that cannot be simulated, or
/// 200 refusals one after the other.
pub fn case(oracle: Oracle, seed: u64, index: u64) -> Result<Case, String> {
    let scope = oracle.scope();
    for attempt in 0..ATTEMPTS {
        let mut draw = Draw::new([seed, index, attempt]);
        let target = Target::find(draw.pick(scope.targets)).map_err(|e| e.to_string())?;
        let mut family = Draw::new([seed, index / scope.family, u64::MAX]);
        let network = draw::network(&mut draw, &mut family, &scope);
        let network =
            QuantizedNetwork::verify(network, &Rules::default()).map_err(|e| e.to_string())?;
        let options = Options {
            delays: if scope.synaptic_delays == 0 || draw.one_in(4) {
                Delays::Relay
            } else {
                Delays::Synaptic
            },
            exports: if oracle == Oracle::Sanafe { [Export::Sanafe].into() } else { [].into() },
            ..Options::default()
        };
        let bytes = binary::encode_quantized(&network);
        let source = Source {
            level: AnyLevel::Quantized(network),
            kind: FileKind::Binary,
            hash: blake3::hash(&bytes).to_hex().to_string(),
            account: None,
            unfolding: None,
            places: None,
            delays: Vec::new(),
            weights: None,
            warnings: Diagnostics::new(),
            files: Vec::new(),
        };
        let compiled = match compile(&source, &target, &options) {
            Ok(compiled) => compiled,
            Err(failure) if failure.replay.is_some() => {
                return Err(failure.diagnostics.to_string());
            }
            Err(_) => continue,
        };
        // NetX cannot express every network within the scope.
        if oracle == Oracle::Lava && !compiled.files.iter().any(|f| f.name == NETX_FILE) {
            continue;
        }
        return finish(&mut draw, compiled, format!("{index:05}"), attempt);
    }
    Err(format!("{ATTEMPTS} networks one after the other were refused"))
}

/// Runs the program and gathers the files.
fn finish(draw: &mut Draw, compiled: Compiled, name: String, refused: u64) -> Result<Case, String> {
    let program = &compiled.program;
    let sim = CoreSim::new(program).map_err(|e| e.to_string())?;
    let mut runs = Vec::new();
    let mut fed = Vec::new();
    for _ in 0..SAMPLES {
        let trains = draw::stimulus(draw, program);
        let stimulus = Stimulus::from(trains.clone());
        runs.push(sim.run(&stimulus, &CoreProbe::None).map_err(|e| e.to_string())?.spikes);
        fed.push(trains);
    }
    let on_cores = |i: usize| !matches!(program.populations[i].role, SymbolRole::Input(_));
    let (mut arrays, mut inputs, mut spikes) = (Vec::new(), 0, 0);
    for (i, symbol) in program.populations.iter().enumerate() {
        if on_cores(i) {
            let trains: Vec<&SpikeTrain> = runs.iter().map(|run| &run[i]).collect();
            spikes += trains.iter().map(|train| train.count()).sum::<u64>();
            arrays.push((format!("spikes_{}", symbol.name), raster(&trains)));
        } else {
            let trains: Vec<&SpikeTrain> = fed.iter().map(|trains| &trains[inputs]).collect();
            arrays.push((format!("input_{}", symbol.name), raster(&trains)));
            inputs += 1;
        }
    }
    let entry = CaseEntry {
        name,
        refused,
        neurons: neurons(program),
        synapses: compiled.certificate.totals.synapses,
        steps: program.run_steps,
        samples: SAMPLES,
        spikes,
        cores: program.cores.len(),
    };
    let kept = ["manifest.json", "program.snnb", "network.net"];
    let kept = |name: &str| kept.contains(&name) || name.starts_with("sanafe-");
    let files = compiled.files.into_iter().filter(|f| kept(&f.name));
    let mut files: Vec<_> = files.map(|f| (f.name, f.bytes)).collect();
    files.push(("expected.npz".to_owned(), write_npz(&arrays).map_err(|e| e.to_string())?));
    Ok(Case { files, entry })
}

/// Neurons on cores.
fn neurons(program: &Program) -> u64 {
    let runs = program.cores.iter().flat_map(|core| &core.compartments);
    runs.map(|run| u64::from(run.len)).sum()
}

/// Trains of equal extents as `[samples, steps, neurons]` of 0 and 1.
fn raster(trains: &[&SpikeTrain]) -> Array {
    let (steps, neurons) = trains.first().map_or((0, 0), |t| (t.steps(), t.neurons()));
    let mut data = vec![0; trains.len() * steps * neurons];
    for (sample, train) in trains.iter().enumerate() {
        for step in 0..steps {
            for neuron in train.active(step) {
                data[(sample * steps + step) * neurons + neuron] = 1;
            }
        }
    }
    Array { shape: vec![trains.len(), steps, neurons], data: ArrayData::U8(data) }
}

/// `corpus.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Index {
    /// Which emulator it is for.
    pub oracle: &'static str,
    /// Seed of all cases.
    pub seed: u64,
    /// The cases.
    pub cases: Vec<CaseEntry>,
}

/// Writes the files of a case to its folder in `corpus`.
///
/// # Errors
/// What the operating system says.
pub fn write(corpus: &Path, case: &Case) -> std::io::Result<()> {
    let folder = corpus.join(&case.entry.name);
    std::fs::create_dir_all(&folder)?;
    case.files.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
}
