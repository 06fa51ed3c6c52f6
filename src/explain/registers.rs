//! Registers of neurons: exact values, what they were rounded to, and what the integers stand for.

use serde::Serialize;
use snnc_ir::arena::{NodeId, TensorId};
use snnc_ir::network::{Compare, Dynamics, Neuron, Op};
use snnc_ir::quantized::IntNeuron;
use snnc_ir::{NetworkDraft, Param, Shape};
use std::collections::BTreeMap;

/// A register of the neurons of a population.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Register {
    /// `du`, `dv`, `threshold` or `bias`.
    pub register: &'static str,
    /// What was rounded.
    pub formula: &'static str,
    /// Distinct values, by integer.
    pub values: Vec<Distinct>,
}

/// Neurons with the same exact value and the same integer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distinct {
    /// How many.
    pub neurons: usize,
    /// The first of them.
    pub first: usize,
    /// What the formula gives before it is rounded.
    pub exact: f64,
    /// The register.
    pub integer: i64,
    /// What the register stands for: shares of `du` and `dv` per step, thresholds and biases in units of the float
    /// network.
    pub stands_for: f64,
    /// That minus what the float network has.
    pub error: f64,
}

/// One neuron: exact value, register, meaning of the register, and of the float network.
type Row = (f64, i64, f64, f64);

fn distinct(rows: impl Iterator<Item = Row>) -> Vec<Distinct> {
    let mut found: BTreeMap<(i64, u64, u64), Distinct> = BTreeMap::new();
    for (first, (exact, integer, stands_for, float)) in rows.enumerate() {
        let entry = found.entry((integer, exact.to_bits(), stands_for.to_bits()));
        let error = stands_for - float;
        let new = || Distinct { neurons: 0, first, exact, integer, stands_for, error };
        entry.or_insert_with(new).neurons += 1;
    }
    found.into_values().collect()
}

/// The registers of the population that `node` became.
pub(super) fn registers(
    network: &NetworkDraft,
    node: NodeId,
    float: &Neuron,
    integer: &IntNeuron,
    scale: &Param<f64>,
    shape: &Shape,
) -> Vec<Register> {
    let neurons = 0..shape.size();
    let mut all = Vec::new();
    if let Some(current) = float.dynamics.current() {
        let rows = neurons.clone().map(|n| {
            let share = 1.0 - f64::from(current.keep.at(n, shape));
            let du = integer.du.at(n, shape);
            let exact = 4096.0f64.mul_add(share, -1.0);
            (exact, i64::from(du), (f64::from(du) + 1.0) / 4096.0, share)
        });
        all.push(Register {
            register: "du",
            formula: "4096·(1 − keep of the current) − 1",
            values: distinct(rows),
        });
    }
    let rows = neurons.clone().map(|n| {
        let share = loss(&float.dynamics, n, shape);
        let dv = integer.dv.at(n, shape);
        (4096.0 * share, i64::from(dv), f64::from(dv) / 4096.0, share)
    });
    all.push(Register { register: "dv", formula: "4096·(1 − keep)", values: distinct(rows) });
    let rows = neurons.clone().map(|n| {
        let (threshold, s) = (f64::from(float.threshold.at(n, shape)), scale.at(n, shape));
        let register = integer.threshold.at(n, shape);
        (64.0 * threshold * s, i64::from(register), f64::from(register / 64) / s, threshold)
    });
    let formula = match float.compare {
        Compare::Gt => "64·(threshold·scale)",
        Compare::Ge => "64·(threshold·scale), plus 1 where the neurons leak",
    };
    all.push(Register { register: "threshold", formula, values: distinct(rows) });
    let biases = biases(network, node, float, shape);
    let rows = neurons.map(|n| {
        let s = scale.at(n, shape);
        let register = integer.bias.at(n, shape);
        (64.0 * biases[n] * s, i64::from(register), f64::from(register) / (64.0 * s), biases[n])
    });
    let values = distinct(rows);
    if values.iter().any(|v| v.integer != 0 || v.exact.abs() > 0.0) {
        all.push(Register { register: "bias", formula: "64·(bias·scale)", values });
    }
    all
}

/// The share of its membrane that a neuron in normal form loses in a step.
fn loss(dynamics: &Dynamics, neuron: usize, shape: &Shape) -> f64 {
    match dynamics {
        Dynamics::Decay(decay) => decay.at(neuron, shape).into(),
        Dynamics::Tau(tau) => 1.0 / f64::from(tau.at(neuron, shape)),
        Dynamics::Linear(linear) => 1.0 - f64::from(linear.keep.at(neuron, shape)),
        Dynamics::Integrate | Dynamics::Sigmoid(_) | Dynamics::Izhikevich { .. } => 0.0,
    }
}

/// What is added to each membrane in every step: the bias of the current, if it has no memory, and the drive.
fn biases(network: &NetworkDraft, node: NodeId, float: &Neuron, shape: &Shape) -> Vec<f64> {
    let mut sums = vec![0.0; shape.size()];
    if float.dynamics.current().is_none() {
        let top = network.nodes[node].inputs.first().map(|e| e.source);
        let terms = top.into_iter().flat_map(|id| match network.nodes[id].op {
            Op::Add => network.nodes[id].inputs.iter().map(|e| e.source).collect(),
            _ => vec![id],
        });
        for tensor in terms.filter_map(|id| bias(&network.nodes[id].op)) {
            let values = &network.tensors[tensor].data;
            let area = (sums.len() / values.len().max(1)).max(1);
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum += values.get(n / area).map_or(0.0, |&b| f64::from(b));
            }
        }
    }
    if let Dynamics::Linear(linear) = &float.dynamics {
        for (n, sum) in sums.iter_mut().enumerate() {
            *sum += f64::from(linear.drive.at(n, shape));
        }
    }
    sums
}

const fn bias(op: &Op) -> Option<TensorId> {
    match op {
        Op::Linear { bias, .. } | Op::Conv2d { bias, .. } => *bias,
        _ => None,
    }
}
