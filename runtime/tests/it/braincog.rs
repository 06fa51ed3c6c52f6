//! The float simulator's neurons against those of BrainCog, as PyTorch executed them.

use crate::common::float_net::{Builder, neuron};
use snnc_ir::network::{Coding, Dynamics, Emission, Neuron, Op, Readout, Reset};
use snnc_ir::param::Param;
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::float::{FloatProbe, simulate};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zip::ZipArchive;

/// Steps and neurons of a recording.
const STEPS: usize = 64;
const NEURONS: usize = 16;

/// Single neurons on random currents: what they sent and their membranes after each step, written by
/// `tests/oracles/braincog/nodes.py`.
struct Recording(ZipArchive<File>);

impl Recording {
    fn open() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/braincog");
        Self(ZipArchive::new(File::open(folder.join("nodes.npz")).unwrap()).unwrap())
    }

    /// An f32 array, row-major: what follows the header of an npy file.
    fn values(&mut self, name: &str) -> Vec<f32> {
        let mut bytes = Vec::new();
        self.0.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut bytes).unwrap();
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let (header, data) = bytes[10..].split_at(header);
        assert!(String::from_utf8_lossy(header).contains("'<f4'"), "{name}");
        data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }
}

/// What neuron `n` sends and its membranes after each step, under `scale` times the currents.
fn run(model: &Neuron, current: &[f32], n: usize, scale: f32) -> (Vec<f32>, Vec<f32>) {
    let mut b = Builder::new(u32::try_from(STEPS).unwrap());
    // One input neuron per step, whose weight is the current.
    let input = b.node(Op::Input(Coding::Events), Shape::flat(64), &[]);
    let weights = (0..STEPS).map(|t| scale * current[t * NEURONS + n]).collect();
    let current = b.linear(1, weights, None, (input, 0));
    let node = b.node(Op::Neuron(model.clone()), Shape::flat(1), &[(current, 0)]);
    let readout = b.linear(1, vec![1.0], None, (node, 0));
    let network = b.seal(Readout::MeanLinear(readout));
    let mut train = SpikeTrain::new(STEPS, STEPS);
    (0..STEPS).for_each(|t| train.set(t, t));
    let run = simulate(&network, &vec![train].into(), &FloatProbe::All).unwrap();
    let sent = |t| match run.messages.get(&node) {
        Some(messages) => messages.get(t, 0).unwrap_or(0.0),
        None => f32::from(u8::from(run.spikes[&node].get(t, 0))),
    };
    ((0..STEPS).map(sent).collect(), run.traces[0].v.clone())
}

fn check(name: &str, model: &Neuron, scale: f32) {
    let mut recording = Recording::open();
    let [current, emitted, v] =
        ["current", "emitted", "v"].map(|key| recording.values(&format!("{name}.{key}")));
    let mut fired = 0;
    for n in 0..NEURONS {
        let (sent, membrane) = run(model, &current, n, scale);
        for t in 0..STEPS {
            let at = t * NEURONS + n;
            assert_eq!(sent[t], emitted[at], "{name}, neuron {n}, step {t}");
            assert_eq!(membrane[t], v[at], "{name}, neuron {n}, step {t}");
            fired += usize::from(sent[t] != 0.0);
        }
    }
    assert!(fired > 50, "{name} fires {fired} times");
}

#[test]
fn integrate_and_fire() {
    check("if", &neuron(Dynamics::Integrate, 0.5), 1.0);
    // A step of half a unit halves the currents, exactly.
    check("if_dt", &neuron(Dynamics::Integrate, 0.75), 0.5);
}

#[test]
fn leaky_integrate_and_fire() {
    let lif = |tau| neuron(Dynamics::Tau(Param::Uniform(tau)), 0.5);
    for (name, tau) in [("lif_tau2", 2.0), ("lif_tau3", 3.0), ("lif_tau4", 4.0)] {
        check(name, &lif(tau), 1.0);
    }
    check("lif_start", &Neuron { v_init: 0.25, ..lif(2.0) }, 1.0);
}

#[test]
fn parametric_leak() {
    for (name, w) in [("plif_w0", 0.0), ("plif_slow", -1.1), ("plif_fast", 0.7)] {
        check(name, &neuron(Dynamics::Sigmoid(Param::Uniform(w)), 1.0), 1.0);
    }
}

#[test]
fn izhikevich() {
    let izhikevich = |a, b, c, d, threshold| Neuron {
        reset: Reset::To(c),
        ..neuron(Dynamics::Izhikevich { a, b, d }, threshold)
    };
    check("izhikevich", &izhikevich(0.02, 0.2, -55.0, -2.0, 1.0), 1.0);
    check("izhikevich_custom", &izhikevich(0.1, 0.25, -60.0, 8.0, 30.0), 1.0);
}

#[test]
fn bursts() {
    for (name, tau) in [("burst_lif", 2.0), ("burst_lif_tau4", 4.0)] {
        let emission = Emission::Burst { factor: 1.5 };
        let lif = neuron(Dynamics::Tau(Param::Uniform(tau)), 0.5);
        check(name, &Neuron { emission, ..lif }, 1.0);
    }
}
