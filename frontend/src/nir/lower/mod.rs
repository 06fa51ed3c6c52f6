//! NIR graph → network in f32 and logical time, under an explicit discretization.
//!
//! ```text
//! Checked graph ─ plan ─ inner graphs dissolved, loops cut, delays in steps
//!               ─ build ─ one node of the network for each node of the graph
//! ```
//!
//! Populations carry the names of the graph's nodes, those of inner graphs with their path. Nothing is ignored:
//! what has no form in steps is refused by name.

mod build;
mod delay;
mod linear;
mod neuron;
mod parameters;
mod plan;
#[cfg(test)]
mod tests;
mod times;

use super::check::Checked;
use super::dialect::{Choices, Needs, resolve};
use super::graph::{NirFile, NirGraph, Primitive};
use snnc_ir::diag::codes::nir_time as codes;
use snnc_ir::network::discretization::{Dialect, Discretization};
use snnc_ir::{Diagnostic, Diagnostics, Level, Network, Rules};
use std::collections::BTreeMap;

/// A graph as a network.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The network; its record says by what choices it was made.
    pub network: Network,
    /// Warnings and notes: times that look wrong, edges that take a step, rounded delays.
    pub notes: Diagnostics,
    /// Delays in steps, by the name of the node.
    pub delays: Vec<DelayEntry>,
}

/// What became of a `Delay`.
#[derive(Clone, Debug, PartialEq)]
pub struct DelayEntry {
    /// Name of the node.
    pub node: String,
    /// Delay in the unit of the file.
    pub delay: f64,
    /// Steps.
    pub steps: u32,
    /// What is left over: the delay minus its steps, in steps.
    pub residue: f64,
}

/// What is given beside a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Given<'a> {
    /// Name of the network.
    pub name: &'a str,
    /// Steps of a run.
    pub steps: Option<u32>,
    /// How time is cut into steps.
    pub choices: Choices,
}

/// Makes a network of a graph that [`super::check()`] found no error in.
///
/// # Errors
/// `SNN0252` to `SNN0259`: all that is open, refused or has no form in steps; and what the verifier of networks
/// refuses.
pub fn lower(file: &NirFile, checked: &Checked, given: &Given<'_>) -> Result<Lowered, Diagnostics> {
    let Primitive::Graph(graph) = &file.root.primitive else {
        return Err(no_form("/node", "the file holds a single node, and no graph").into());
    };
    let mut out = Diagnostics::new();
    let needs = needs(graph, checked);
    let found = match resolve(&needs, given.choices, times::guessed(graph)) {
        Ok(found) => Some(found),
        Err(open) => {
            out.extend(open);
            None
        }
    };
    if given.steps.is_none() {
        out.push(
            Diagnostic::error(codes::CHOICES, "the graph does not say how many steps a run takes")
                .help("add `--steps N`"),
        );
    }
    let (Some(found), Some(steps)) = (found, given.steps) else { return Err(out) };
    times::plausible(graph, found.as_ref(), &mut out);
    if needs.biased_loops > 0 && given.choices.dialect == Some(Dialect::Rockpool) {
        out.push(
            Diagnostic::error(codes::READING, "dialect `rockpool`: a loop has a bias")
                .note("it drops biases inside loops")
                .help("remove the bias, or choose another dialect"),
        );
    }
    let step = found.as_ref().map_or(1.0, Discretization::step);
    let delays = delay::delays(graph, step, &mut out);
    let loop_bias = found.as_ref().map(|f| f.loop_bias);
    let plan = plan::Plan::new(graph, checked, &delays, loop_bias, &mut out);
    let draft = plan.and_then(|plan| {
        build::Builder::new(&plan, found.as_ref(), &delays, &mut out).network(given.name, steps)
    });
    let network = draft.and_then(|draft| {
        Network::verify(draft, &Rules::default()).map_err(|errors| out.extend(errors)).ok()
    });
    match network {
        Some(network) if !out.has_errors() => {
            Ok(Lowered { network, notes: out, delays: delays.entries })
        }
        _ => Err(out),
    }
}

/// What the spikes of a graph depend on.
pub fn needs(graph: &NirGraph, checked: &Checked) -> Needs {
    let mut needs = Needs::default();
    let mut primitives = BTreeMap::new();
    plan::visit(graph, "", "/node", &mut |name, _, primitive| {
        needs.add(primitive);
        primitives.insert(name.to_owned(), primitive);
    });
    let biased = |&node: &usize| {
        let name = &checked.flat.nodes[node].name;
        primitives.get(name).is_some_and(|p| linear::is_biased(p))
    };
    needs.biased_loops =
        checked.flat.cycles.iter().filter(|cycle| cycle.nodes.iter().any(biased)).count();
    needs
}

/// Smallest and largest time constants of every node, by the names of nodes and parameters, in the unit of the file.
pub fn time_constants(file: &NirFile) -> BTreeMap<String, Vec<(&'static str, [f64; 2])>> {
    let mut found = BTreeMap::new();
    let Primitive::Graph(graph) = &file.root.primitive else { return found };
    plan::visit(graph, "", "/node", &mut |name, _, primitive| {
        let arrays = primitive.arrays().into_iter().filter(|(n, _)| n.starts_with("tau"));
        let times: Vec<_> =
            arrays.filter_map(|(n, a)| Some((n, super::check::range(&a.data)?))).collect();
        if !times.is_empty() {
            found.insert(name.to_owned(), times);
        }
    });
    found
}

/// A part of a graph that cannot become part of a network.
fn no_form(path: &str, why: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::NO_STEPS, why).at(path)
}
