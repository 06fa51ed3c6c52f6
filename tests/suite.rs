//! Shipped networks on every simulator: the definition, event by event, as tensors, on a graphics processor, and the
//! decoded artifact core by core. All levels of integers agree on every spike and message.

#![cfg(feature = "burn")]

mod common;

use common::repo;
use snnc::ir::QuantizedNetwork;
use snnc::ir::spikes::SpikeTrain;
use snnc::runtime::compare::{CoreSubject, IntSubject, Side, Subject, compare};
use snnc::runtime::cores::{CoreProbe, CoreSim};
use snnc::runtime::event::integer::IntSim;
use snnc::runtime::integer::{self, IntProbe, IntRun};
use snnc::runtime::{SimError, Stimulus, tensor};
use snnc::stimulus::Interface;
use snnc::{Options, Target, compile, source, stimulus};

/// Networks that compile, with a stimulus each: skips, recurrence, refractory neurons, thresholds of channels,
/// convolutions, clips that become graded relays, frames that the host turns into biases.
const NETWORKS: [&str; 8] =
    ["skip", "loop", "refractory", "thresholds", "conv", "heterogeneous", "clips", "frame"];

/// Runs of all samples by every simulator of integer networks, with their names.
fn runs(network: &QuantizedNetwork, samples: &[Stimulus]) -> Vec<(&'static str, Vec<IntRun>)> {
    let each = |run: &dyn Fn(&Stimulus) -> Result<IntRun, SimError>| -> Vec<IntRun> {
        samples.iter().map(|s| run(s).expect("a run")).collect()
    };
    let definition = integer::IntSim::new(network).expect("the definition");
    let event = IntSim::new(network).expect("the event-driven simulator");
    let tensors = tensor::IntSim::new(network, &tensor::cpu()).expect("tensors");
    let mut runs = vec![
        ("definition", each(&|s| definition.run(s, &IntProbe::None))),
        ("event", each(&|s| event.run(s, &IntProbe::None))),
        ("burn-cpu", tensors.run(samples).expect("a run")),
    ];
    if let Some(run) = on_device(network, samples) {
        runs.push(("gpu", run));
    }
    runs
}

#[cfg(feature = "gpu")]
fn on_device(network: &QuantizedNetwork, samples: &[Stimulus]) -> Option<Vec<IntRun>> {
    use snnc::runtime::gpu::{Gpu, IntSim, OpenError};
    match Gpu::open() {
        Ok(gpu) => {
            let sim = IntSim::new(network, gpu).expect("fused kernels");
            Some(sim.run(samples).expect("a run"))
        }
        Err(OpenError::Unavailable { message, .. }) => {
            assert!(std::env::var_os("SNNC_NEEDS_GPU").is_none(), "{message}");
            None
        }
        Err(wrong) => panic!("{wrong:?}"),
    }
}

#[cfg(not(feature = "gpu"))]
fn on_device(_: &QuantizedNetwork, _: &[Stimulus]) -> Option<Vec<IntRun>> {
    None
}

#[test]
fn every_simulator_of_every_level_agrees() {
    for name in NETWORKS {
        let genome = repo(&format!("tests/fixtures/{name}.genome.json"));
        let genome = source::read(&genome).unwrap_or_else(|e| panic!("{name}: {e}"));
        let target = Target::find("loihi2").expect("a shipped target");
        let compiled = compile(&genome, &target, &Options::default())
            .unwrap_or_else(|f| panic!("{name}: {}", f.diagnostics));
        let logical = compiled.stages.quantized.expect("integers");
        let scheduled = compiled.stages.scheduled.expect("hardware time");
        let file = repo(&format!("tests/fixtures/{name}.npz"));
        let stimuli = stimulus::read(&file, &Interface::of_quantized(&logical), Some(0..3))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let samples: Vec<_> =
            (0..stimuli.samples()).map(|s| stimuli.stimulus(s).expect("a sample")).collect();
        let mut first = Vec::new();
        for network in [&logical, &scheduled] {
            let mut all = runs(network, &samples).into_iter();
            let (_, expected) = all.next().expect("the definition");
            for (runtime, found) in all {
                assert_eq!(found, expected, "{name} by {runtime}");
            }
            first.push(expected);
        }
        let spikes: u64 = first[0].iter().flat_map(|r| &r.spikes).map(SpikeTrain::count).sum();
        assert!(spikes > 0, "{name} spikes");
        // What hardware time and the decoded program send, in logical time.
        let sims = [&logical, &scheduled].map(|n| IntSim::new(n).expect("a simulator"));
        let cores = CoreSim::new(&compiled.program).expect("a simulator");
        for (i, stimulus) in samples.iter().enumerate() {
            let on_cores = cores.run(stimulus, &CoreProbe::None).expect("a run");
            let left = IntSubject { sim: &sims[0], stimulus, run: &first[0][i] };
            let right = IntSubject { sim: &sims[1], stimulus, run: &first[1][i] };
            let program = CoreSubject { sim: &cores, stimulus, run: &on_cores };
            for (level, right) in [("mapped", &right as &dyn Subject), ("decoded", &program)] {
                let found = compare(&left, right).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(found.first, None, "{name}, {level}");
                let missing = found.unmatched.iter().any(|(side, _)| *side == Side::Left);
                assert!(!missing, "{name}, {level}: {:?}", found.unmatched);
            }
        }
    }
}
