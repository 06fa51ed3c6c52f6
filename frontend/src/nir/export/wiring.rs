//! What nodes became, and what is read of them some steps later.

use super::super::graph::Primitive;
use super::builder::{Builder, Value};
use super::invert::array;
use std::collections::{BTreeMap, BTreeSet};

/// Values of the nodes of a network, by index.
pub(super) struct Wiring {
    /// Reads (reader, source) one step later that need no `Delay`: each closes a loop of one population, and
    /// readers of graphs give such an edge a step by themselves.
    implied: BTreeSet<(usize, usize)>,
    /// What became of nodes.
    pub(super) values: BTreeMap<usize, Value>,
    /// The same, some steps later.
    delayed: BTreeMap<(usize, u32), Value>,
    /// Length of a step.
    step: f64,
}

/// A read: who, of whom, and how many steps later.
#[derive(Clone, Copy)]
pub(super) struct Read {
    pub(super) reader: usize,
    pub(super) source: usize,
    pub(super) delay: u32,
}

impl Wiring {
    /// No values yet, in steps of this length.
    pub(super) const fn new(implied: BTreeSet<(usize, usize)>, step: f64) -> Self {
        Self { implied, values: BTreeMap::new(), delayed: BTreeMap::new(), step }
    }

    /// What a reader sees; `place` is where it is. `None` if that was refused.
    pub(super) fn seen(&mut self, builder: &mut Builder, read: Read, place: &str) -> Option<Value> {
        let Read { reader, source, delay } = read;
        let delay = if delay == 1 && self.implied.contains(&(reader, source)) { 0 } else { delay };
        let Some(value) = self.values.get(&source) else {
            // What was refused is reported; what comes later is in a loop without neurons.
            if !builder.found.has_errors() {
                let help = "let the loop close at a neuron";
                builder.refuse(place, "a delay between two operations of a loop", help);
            }
            return None;
        };
        if delay == 0 {
            return Some(value.clone());
        }
        if let Some(known) = self.delayed.get(&(source, delay)) {
            return Some(known.clone());
        }
        let (value, time) = (value.clone(), f64::from(delay) * self.step);
        let mut terms = Vec::new();
        for term in &value.terms {
            let delays = array(&value.shape, vec![time; value.shape.iter().product()]);
            let one = Value { terms: vec![term.clone()], shape: value.shape.clone() };
            let primitive = Primitive::Delay { delay: delays };
            let name = format!("{term}.delay{delay}");
            terms.extend(builder.after(&name, primitive, &one, value.shape.clone()).terms);
        }
        let later = Value { terms, shape: value.shape };
        self.delayed.insert((source, delay), later.clone());
        Some(later)
    }
}
