//! A network of RISP in integers, and what it computes.
//!
//! In step `t` of a run, for every neuron to which something arrives (a spike over an edge, or from outside):
//!
//! ```text
//! p = 0                      if it leaks
//! p = max(p, floor)
//! p = p + Σ charges that arrive
//! fires if p ≥ threshold; then p = 0, and the weight of each of its edges arrives `delay` steps later
//! ```
//!
//! Nothing happens to the others. All potentials start at 0. **Source**: the RISP simulator of the TENNLab framework, `process_events`.

use super::document::{Document, whole};
use super::settings::Leak;
use snnc_ir::diag::codes::tennlab as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::{BTreeMap, BTreeSet};

/// Binary digits after the point that a network may have.
const MAX_FRACTION: u32 = 10;
/// Largest charge or threshold, in units: what sums to 2^31 is refused later.
const MAX_VALUE: i64 = 1 << 30;
/// Longest delay.
const MAX_DELAY: i64 = 1 << 16;

/// A network whose charges are whole numbers of one unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Risp {
    /// By ascending id.
    pub(super) neurons: Vec<Neuron>,
    pub(super) edges: Vec<Edge>,
    /// Positions of neurons, in the order of the file.
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
    /// Charge of an input spike.
    pub(super) charge: i64,
    /// Lowest potential, at most 0.
    pub(super) floor: f64,
    /// The lowest potential in units of charge, if it is a whole number of them.
    pub(super) floor_units: Option<i64>,
}

/// A neuron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Neuron {
    pub(super) id: u32,
    pub(super) path: String,
    pub(super) threshold: i64,
    pub(super) leak: bool,
}

/// A synapse between neurons of these positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) weight: i64,
    /// At least 1.
    pub(super) delay: u32,
}

/// Steps of a run: those asked for, or those of the file.
pub(super) fn steps(document: &Document, asked: Option<u32>, out: &mut Diagnostics) -> Option<u32> {
    let steps = asked.or(document.steps);
    if steps.is_none() {
        out.push(
            Diagnostic::error(codes::TENNLAB_STEPS, "the file does not say how long a run is")
                .at("$.Associated_Data.other")
                .help("add `--steps N`"),
        );
    }
    steps
}

impl Risp {
    /// Looks names up and turns values into integers.
    pub(super) fn new(document: &Document, out: &mut Diagnostics) -> Option<Self> {
        let before = out.len();
        let mut ids = BTreeMap::new();
        for node in &document.nodes {
            if ids.insert(node.id, node).is_some() {
                out.push(twice(&format!("node {}", node.id), &node.path));
            }
        }
        if document.nodes.is_empty() {
            out.push(Diagnostic::error(codes::TENNLAB_EMPTY, "there are no neurons").at("$.Nodes"));
        }
        let place: BTreeMap<u32, usize> = ids.keys().copied().zip(0..).collect();
        let find = |id: u32, what: &str, path: &str, out: &mut Diagnostics| {
            let found = place.get(&id).copied();
            if found.is_none() {
                let message = format!("{what} {id}, which is no node");
                out.push(Diagnostic::error(codes::TENNLAB_NODE, message).at(path));
            }
            found
        };
        let inputs = ports(&document.inputs, "input", &find, out);
        let outputs = ports(&document.outputs, "output", &find, out);
        let unit = Unit::of(document, out)?;
        let neurons = ids.values().map(|node| {
            let threshold = unit.of_value(node.threshold, &node.path, out)?;
            let threshold = threshold + i64::from(!document.settings.inclusive);
            let leak = document.settings.leak == Leak::All || node.leak == Some(true);
            Some(Neuron { id: node.id, path: node.path.clone(), threshold, leak })
        });
        let neurons: Vec<Option<Neuron>> = neurons.collect();
        let mut pairs = BTreeSet::new();
        let edges = document.edges.iter().map(|edge| {
            let from = find(edge.from, "an edge from node", &edge.path, out);
            let to = find(edge.to, "an edge to node", &edge.path, out);
            if !pairs.insert((edge.from, edge.to)) {
                out.push(twice(&format!("edge from {} to {}", edge.from, edge.to), &edge.path));
            }
            let weight = listed(document, edge.weight, &edge.path, out);
            let weight = weight.and_then(|weight| unit.of_value(weight, &edge.path, out));
            let delay = delay(edge.delay, &edge.path, out);
            Some(Edge { from: from?, to: to?, weight: weight?, delay: delay? })
        });
        let edges: Vec<Option<Edge>> = edges.collect();
        let charge =
            unit.of_value(document.settings.charge, "$.Associated_Data.proc_params", out)?;
        let neurons = neurons.into_iter().collect::<Option<_>>()?;
        let edges = edges.into_iter().collect::<Option<_>>()?;
        let floor = document.settings.floor;
        (out.len() == before || !out.has_errors()).then_some(Self {
            neurons,
            edges,
            inputs,
            outputs,
            charge,
            floor,
            floor_units: unit.whole(floor),
        })
    }
}

fn twice(what: &str, path: &str) -> Diagnostic {
    Diagnostic::error(codes::TENNLAB_NODE, format!("the {what} is given twice"))
        .at(path)
        .help("remove one of them")
}

/// Positions of inputs or outputs.
fn ports(
    ids: &[(u32, String)],
    what: &str,
    find: &impl Fn(u32, &str, &str, &mut Diagnostics) -> Option<usize>,
    out: &mut Diagnostics,
) -> Vec<usize> {
    if ids.is_empty() {
        out.push(Diagnostic::error(codes::TENNLAB_EMPTY, format!("there are no {what}s")).at("$"));
    }
    let mut seen = BTreeSet::new();
    let found = ids.iter().filter_map(|(id, path)| {
        if !seen.insert(id) {
            out.push(twice(&format!("{what} {id}"), path));
        }
        find(*id, &format!("an {what} at node"), path, out)
    });
    found.collect()
}

/// The weight of an edge, or that which it numbers.
fn listed(document: &Document, value: f64, path: &str, out: &mut Diagnostics) -> Option<f64> {
    let Some(weights) = &document.settings.weights else { return Some(value) };
    let index = whole(value).and_then(|index| usize::try_from(index).ok());
    let weight = index.and_then(|index| weights.get(index)).copied();
    if weight.is_none() {
        out.push(
            Diagnostic::error(codes::TENNLAB_NODE, format!("the edge has weight number {value}"))
                .at(path)
                .note(format!("`weights` has {} entries, from number 0", weights.len())),
        );
    }
    weight
}

fn delay(value: f64, path: &str, out: &mut Diagnostics) -> Option<u32> {
    let steps = whole(value).filter(|steps| (1..=MAX_DELAY).contains(steps));
    if steps.is_none() {
        out.push(
            Diagnostic::error(codes::TENNLAB_FRACTION, format!("the delay is {value} steps"))
                .at(path)
                .note(format!("expected a whole number from 1 to {MAX_DELAY}")),
        );
    }
    steps.and_then(|steps| u32::try_from(steps).ok())
}

/// What all charges are multiples of: `2^-bits`.
struct Unit {
    bits: u32,
}

impl Unit {
    /// The largest unit of all values, at most 1. Discrete networks have 1.
    fn of(document: &Document, out: &mut Diagnostics) -> Option<Self> {
        let settings = &document.settings;
        if settings.discrete {
            return Some(Self { bits: 0 });
        }
        let thresholds = document.nodes.iter().map(|node| (node.threshold, &*node.path));
        let weights = document.edges.iter().filter(|_| settings.weights.is_none());
        let weights = weights.map(|edge| (edge.weight, &*edge.path));
        let params = "$.Associated_Data.proc_params";
        let listed = settings.weights.iter().flatten().map(|&weight| (weight, params));
        let all = thresholds.chain(weights).chain(listed).chain([(settings.charge, params)]);
        let mut bits = 0;
        let before = out.len();
        for (value, path) in all {
            match fraction(value) {
                Some(digits) => bits = bits.max(digits),
                None => out.push(fractional(value, path)),
            }
        }
        (out.len() == before).then_some(Self { bits })
    }

    /// A value in units, if that is a whole number within bounds.
    fn whole(&self, value: f64) -> Option<i64> {
        // A power of two: exact.
        let units = whole(value * f64::from(1_u32 << self.bits));
        units.filter(|units| units.abs() <= MAX_VALUE)
    }

    /// A value in units.
    fn of_value(&self, value: f64, path: &str, out: &mut Diagnostics) -> Option<i64> {
        let units = self.whole(value);
        if units.is_none() {
            out.push(fractional(value, path));
        }
        units
    }
}

/// Binary digits after the point, if they are few.
fn fraction(value: f64) -> Option<u32> {
    (0..=MAX_FRACTION).find(|&bits| whole(value * f64::from(1_u32 << bits)).is_some())
}

fn fractional(value: f64, path: &str) -> Diagnostic {
    Diagnostic::error(
        codes::TENNLAB_FRACTION,
        format!("the value {value} is no whole number of units"),
    )
    .at(path)
    .note("units: 1 in discrete networks, else a power of two from 2^-10 to 1; at most 2^30 units")
}
