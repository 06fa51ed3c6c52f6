//! A simulator of the integer level, written from its semantics and not from any pass.

use snnc_ir::Entity;
use snnc_ir::network::Compare;
use snnc_ir::quantized::{Graded, IntNeuron, IntReset, PopKind, Population, QuantizedDraft, Time};

/// What populations sent, and the extremes of what happened in each.
pub struct Run {
    /// `[population][step][neuron]`: 1 for a spike, the value of a message, 0 for silence.
    pub sent: Vec<Vec<Vec<i64>>>,
    /// Largest |sum of weights that arrived| of each population.
    pub input: Vec<i64>,
    /// Largest |membrane before a reset| or, of relays, |64 · (sum + bias)|.
    pub state: Vec<i64>,
    /// Largest |message|.
    pub message: Vec<i64>,
}

/// What enters a network.
pub struct Inputs {
    /// `[population][logical step][neuron]`; empty for what is no input of spikes.
    pub spikes: Vec<Vec<Vec<bool>>>,
    /// `[population][element]`; empty for what is not coded directly.
    pub samples: Vec<Vec<f32>>,
}

#[derive(Clone, Default)]
struct State {
    u: i64,
    v: i64,
    hold: u32,
    /// What arrived since the last update.
    pending: i64,
}

fn tz(x: i64, k: u32) -> i64 {
    x.signum() * (x.abs() >> k)
}

/// Runs the network in its own time.
pub fn run(draft: &QuantizedDraft, inputs: &Inputs) -> Run {
    let (count, steps) = (draft.populations.len(), draft.run_steps() as usize);
    let (period, latency) = match &draft.time {
        Time::Logical => (1, vec![0; count]),
        Time::Hardware(s) => (s.period as usize, s.latency.clone()),
    };
    let sizes: Vec<usize> = draft.populations.values().map(Population::size).collect();
    let mut run = Run {
        sent: sizes.iter().map(|&n| vec![vec![0; n]; steps]).collect(),
        input: vec![0; count],
        state: vec![0; count],
        message: vec![0; count],
    };
    let mut states: Vec<Vec<State>> = sizes.iter().map(|&n| vec![State::default(); n]).collect();
    let mut host: Vec<Vec<i64>> = sizes.iter().map(|&n| vec![0; n]).collect();
    for entry in &draft.host {
        let biases = entry.biases(&inputs.samples[entry.input.index()]).expect("small samples");
        let total = &mut host[entry.target.index()];
        total.iter_mut().zip(biases).for_each(|(a, b)| *a += i64::from(b));
    }
    let order = draft.order().expect("no loop in a step");
    for t in 0..steps {
        for &id in &order {
            let (i, population) = (id.index(), &draft.populations[id]);
            let start = latency[i] as usize;
            let step = t.checked_sub(start).filter(|s| s % period == 0).map(|s| s / period);
            let mut arrived = vec![0; sizes[i]];
            for (_, p) in draft.projections_into(id) {
                let Some(then) = t.checked_sub(p.delay as usize) else { continue };
                let sent = &run.sent[p.source.index()][then];
                for (row, sum) in arrived.iter_mut().enumerate() {
                    let matrix = &draft.matrices[p.matrix];
                    matrix.for_row(row, |col, w| *sum += i64::from(w) * sent[col]);
                }
            }
            for n in 0..sizes[i] {
                let sum = arrived[n];
                run.input[i] = run.input[i].max(sum.abs());
                let sent = match &population.kind {
                    PopKind::Input(_) => {
                        let spikes = &inputs.spikes[i];
                        i64::from(step.is_some_and(|s| spikes.get(s).is_some_and(|s| s[n])))
                    }
                    PopKind::Graded(graded) => {
                        let total =
                            sum + i64::from(graded.bias.at(n, &population.shape)) + host[i][n];
                        run.state[i] = run.state[i].max(64 * total.abs());
                        let message = Graded::passes(graded.keep, graded.shift, total);
                        run.message[i] = run.message[i].max(message.abs());
                        message
                    }
                    PopKind::Neurons(neuron) => {
                        let state = &mut states[i][n];
                        state.pending += sum;
                        let every = neuron.update_period as usize;
                        if t % every == start % every {
                            let (spike, v) =
                                update(neuron, state, n, &population.shape, 64 * host[i][n]);
                            run.state[i] = run.state[i].max(v.abs());
                            i64::from(spike)
                        } else {
                            0
                        }
                    }
                };
                run.sent[i][t][n] = sent;
            }
        }
    }
    run
}

/// One update of a neuron: whether it fires, and its membrane before the reset.
fn update(
    neuron: &IntNeuron,
    state: &mut State,
    n: usize,
    shape: &snnc_ir::Shape,
    host: i64,
) -> (bool, i64) {
    let du = i64::from(neuron.du.at(n, shape));
    let sum = std::mem::take(&mut state.pending);
    state.u = tz(state.u * (4095 - du), 12) + (sum << 6);
    if state.hold > 0 {
        state.hold -= 1;
        return (false, state.v);
    }
    let bias = i64::from(neuron.bias.at(n, shape)) + host;
    let v = tz(state.v * (4096 - i64::from(neuron.dv.at(n, shape))), 12) + state.u + bias;
    let floor = neuron.floor.as_ref().map(|floor| i64::from(floor.at(n, shape)));
    let (before, v) = (v, floor.map_or(v, |floor| v.max(floor)));
    let threshold = i64::from(neuron.threshold.at(n, shape));
    let spike = match neuron.compare {
        Compare::Gt => v > threshold,
        Compare::Ge => v >= threshold,
    };
    state.v = match &neuron.reset {
        _ if !spike => v,
        IntReset::Zero => 0,
        IntReset::Subtract(amount) => v - i64::from(amount.at(n, shape)),
    };
    if spike {
        state.hold = neuron.refractory - 1;
    }
    (spike, before)
}
