//! Deep networks keep their activity in integers that were chosen without data.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "test networks are small"
)]

mod common;

use common::generate::{Builder, Rng, plain_neuron};
use common::target;
use snnc_ir::network::{Coding, Dynamics, Neuron, Op};
use snnc_ir::quantized::QuantizedDraft;
use snnc_ir::recipe::{Recipe, Settings};
use snnc_ir::{Diagnostics, NetworkDraft, Param, Shape};
use snnc_passes::quantize::apply;

const LAYERS: usize = 12;
const SIZE: usize = 128;
const STEPS: usize = 60;
const SAMPLES: usize = 12;
const RATE: f64 = 0.05;
const DECAY: f64 = 0.1;

/// A feed-forward network of leaky neurons.
struct Net {
    /// By layer, `[target][source]`.
    weights: Vec<Vec<f32>>,
    /// By layer.
    thresholds: Vec<f32>,
}

/// Spikes of the input, `[step][neuron]`.
type Sample = Vec<Vec<bool>>;

/// Spikes per neuron and step of each layer, when `layer` computes the spikes of a layer from those of
/// the one before.
fn rates(samples: &[Sample], count: usize, layer: &dyn Fn(usize, &Sample) -> Sample) -> Vec<f64> {
    let mut spikes = vec![0_usize; count];
    for sample in samples {
        let mut current = sample.clone();
        for (l, spikes) in spikes.iter_mut().enumerate() {
            current = layer(l, &current);
            *spikes += current.iter().flatten().filter(|s| **s).count();
        }
    }
    spikes.iter().map(|&n| n as f64 / (samples.len() * STEPS * SIZE) as f64).collect()
}

/// Spikes of leaky neurons that read `source` one step late.
fn layer<V: Copy + Default>(
    source: &Sample,
    add: &dyn Fn(&mut [V], usize),
    update: &dyn Fn(usize, V, V) -> (V, bool),
) -> Sample {
    let mut v = [V::default(); SIZE];
    let mut spikes = vec![vec![false; SIZE]; STEPS];
    for t in 1..STEPS {
        let mut input = [V::default(); SIZE];
        (0..SIZE).filter(|&i| source[t - 1][i]).for_each(|i| add(&mut input, i));
        for n in 0..SIZE {
            let (next, fired) = update(n, v[n], input[n]);
            (v[n], spikes[t][n]) = (next, fired);
        }
    }
    spikes
}

impl Net {
    /// A random network whose layers fire [`RATE`] times per step.
    fn random(seed: u64, heavy: bool) -> (Self, Vec<Sample>) {
        let mut rng = Rng::new(seed);
        let samples: Vec<Sample> = (0..SAMPLES)
            .map(|_| {
                let rates: Vec<u32> = (0..SIZE).map(|_| rng.below(10)).collect();
                (0..STEPS).map(|_| rates.iter().map(|&r| rng.chance(r)).collect()).collect()
            })
            .collect();
        let size = 1.7 / (SIZE as f32).sqrt();
        let mut net = Self { weights: Vec::new(), thresholds: Vec::new() };
        let mut inputs = samples.clone();
        for l in 0..LAYERS {
            let weight = |rng: &mut Rng| {
                let w = rng.real() + 0.1;
                size * if heavy { 2.0 * w * w * w } else { w }
            };
            net.weights.push((0..SIZE * SIZE).map(|_| weight(&mut rng)).collect());
            net.thresholds.push(1.0);
            let (mut low, mut high) = (0.01_f32, 10.0_f32);
            for _ in 0..14 {
                net.thresholds[l] = (low * high).sqrt();
                let above = rates(&inputs, 1, &|_, source| net.layer(l, source))[0] > RATE;
                *(if above { &mut low } else { &mut high }) = net.thresholds[l];
            }
            inputs = inputs.iter().map(|source| net.layer(l, source)).collect();
        }
        (net, samples)
    }

    /// Spikes of layer `l`.
    fn layer(&self, l: usize, source: &Sample) -> Sample {
        let add = |input: &mut [f64], i: usize| {
            for (n, x) in input.iter_mut().enumerate() {
                *x += f64::from(self.weights[l][n * SIZE + i]);
            }
        };
        let threshold = f64::from(self.thresholds[l]);
        layer(source, &add, &|_, v, input| {
            let v: f64 = v * (1.0 - DECAY) + input;
            if v > threshold { (0.0, true) } else { (v, false) }
        })
    }

    fn rates(&self, samples: &[Sample]) -> Vec<f64> {
        rates(samples, self.weights.len(), &|l, source| self.layer(l, source))
    }

    fn draft(&self) -> NetworkDraft {
        let mut b = Builder::new();
        b.draft.steps = STEPS as u32;
        let shape = Shape::flat(SIZE as u32);
        let mut last = b.node("in", Op::Input(Coding::Events), &[], shape.clone());
        for (l, (weights, &threshold)) in self.weights.iter().zip(&self.thresholds).enumerate() {
            let name = format!("w{l}");
            let weight = b.tensor(&name, &[SIZE as u32; 2], weights.clone());
            let linear = Op::Linear { weight, bias: None };
            let current = b.node(&name, linear, &[(last, 1)], shape.clone());
            let neuron = Neuron {
                dynamics: Dynamics::Decay(Param::Uniform(DECAY as f32)),
                threshold: Param::Uniform(threshold),
                ..plain_neuron()
            };
            last = b.node(&format!("a{l}"), Op::Neuron(neuron), &[(current, 0)], shape.clone());
        }
        b.draft.readout = snnc_ir::network::Readout::SpikeCount(last);
        b.draft
    }

    fn quantized(&self, weight_bits: u8) -> QuantizedDraft {
        let settings = Settings { weight_bits, ..Settings::DEFAULT };
        let recipe = Recipe { settings, ..Recipe::default() };
        let applied = apply(&self.draft(), &target(), &recipe, &mut Diagnostics::new());
        applied.expect("quantizes").draft
    }
}

/// Rates of integers: by layer weights, threshold in units of 64 and decay register of each neuron.
fn integer_rates(layers: &[(Vec<i64>, Vec<i64>, Vec<i64>)], samples: &[Sample]) -> Vec<f64> {
    rates(samples, layers.len(), &|l, source| {
        let (weights, thresholds, dv) = &layers[l];
        let add = |input: &mut [i64], i: usize| {
            for (n, x) in input.iter_mut().enumerate() {
                *x += weights[n * SIZE + i];
            }
        };
        layer(source, &add, &|n, v: i64, input| {
            let v = v.signum() * ((v.abs() * (4096 - dv[n])) >> 12) + 64 * input;
            if v > 64 * thresholds[n] { (0, true) } else { (v, false) }
        })
    })
}

fn layers_of(draft: &QuantizedDraft) -> Vec<(Vec<i64>, Vec<i64>, Vec<i64>)> {
    let layers = (0..LAYERS).map(|l| {
        let id = draft.population_named(&format!("a{l}")).expect("the population");
        let mut weights = vec![0_i64; SIZE * SIZE];
        for (_, projection) in draft.projections_into(id) {
            let matrix = &draft.matrices[projection.matrix];
            for (i, w) in weights.iter_mut().enumerate() {
                *w += i64::from(matrix.weight(i));
            }
        }
        let population = &draft.populations[id];
        let neuron = population.neuron().expect("neurons");
        let thresholds = neuron.threshold.expand(&population.shape);
        let dv = neuron.dv.expand(&population.shape);
        let thresholds = thresholds.into_iter().map(|t| i64::from(t) / 64).collect();
        (weights, thresholds, dv.into_iter().map(i64::from).collect())
    });
    layers.collect()
}

/// Largest relative difference of rates.
fn worst(found: &[f64], float: &[f64]) -> f64 {
    found.iter().zip(float).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn twelve_layers_keep_their_rates() {
    for (seed, heavy) in [(1, false), (2, true)] {
        let (net, samples) = Net::random(seed, heavy);
        let float = net.rates(&samples);
        assert!(float.iter().all(|r| (r / RATE - 1.0).abs() < 0.05), "{float:?}");
        for (bits, limit) in [(8, 0.1), (4, 0.3)] {
            let found = integer_rates(&layers_of(&net.quantized(bits)), &samples);
            assert!(worst(&found, &float) < limit, "{bits} bits: {found:?} for {float:?}");
        }
    }
}
