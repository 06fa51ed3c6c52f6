//! The readout: computed by the host from the spike counts of a run.

use super::assemble::pop_ids;
use super::canonical::{Term, current};
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::{Coding, NetworkDraft, Op, Readout};
use snnc_ir::quantized::{IntReadout, Structure};
use snnc_ir::{Diagnostic, Diagnostics};

/// The readout of the integer network; an empty one if there are errors.
pub(super) fn convert(network: &NetworkDraft, errors: &mut Diagnostics) -> IntReadout {
    let ids = pop_ids(network);
    let mut terms = Vec::new();
    let node = match network.readout {
        Readout::SpikeCount(node) => match ids.get(&node) {
            Some(&population) => return IntReadout::SpikeCount(population),
            None => return IntReadout::MeanLinear { terms, bias: Vec::new() },
        },
        Readout::MeanLinear(node) => node,
    };
    let name = &network.nodes[node].name;
    let current = match current(network, node) {
        Ok(current) => current,
        Err(error) => {
            errors.push(error);
            return IntReadout::MeanLinear { terms, bias: Vec::new() };
        }
    };
    for term in &current.terms {
        if let Some(problem) = uncountable(network, term) {
            errors.push(
                Diagnostic::error(
                    codes::READOUT,
                    format!("the readout `{name}` {problem}"),
                )
                .at(format!("node `{name}`"))
                .note("the host computes the readout from the spike counts of whole runs")
                .help("make the readout a `linear` node that reads populations of neurons without delay"),
            );
        } else if let Some(&source) = ids.get(&term.source) {
            terms.push((source, network.tensors[term.weight].data.clone()));
        }
    }
    if current.terms.is_empty() {
        errors.push(
            Diagnostic::error(
                codes::READOUT,
                format!("the readout `{name}` has the same value for every input"),
            )
            .at(format!("node `{name}`"))
            .note("every path from it ends in zeros")
            .help("let the readout read a population of neurons"),
        );
    }
    let classes = network.nodes[node].shape.size();
    // The sum of a readout's biases was rounded to f32 by the passes before.
    #[expect(clippy::cast_possible_truncation, reason = "the values are f32 in f64")]
    let mut bias: Vec<f32> = current.bias.iter().map(|&b| b as f32).collect();
    bias.resize(classes, 0.0);
    IntReadout::MeanLinear { terms, bias }
}

/// Why spike counts do not give a term, if they do not.
fn uncountable(network: &NetworkDraft, term: &Term) -> Option<String> {
    let source = &network.nodes[term.source];
    match source.op {
        _ if term.delay > 0 || matches!(term.structure, Structure::Conv(_)) => {
            Some("is not a plain linear layer over spike counts".to_owned())
        }
        Op::Relay(_) => Some(format!("reads the clip `{}`, which has no spikes", source.name)),
        Op::Input(Coding::Direct { .. }) => {
            Some(format!("reads the directly coded input `{}`, which has no spikes", source.name))
        }
        _ => None,
    }
}
