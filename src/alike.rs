//! Populations that always fire alike: how many are left when they are one.
//!
//! The passes `push-neurons` and `merge-nodes` split populations that read a concatenation, so that
//! every part exists once. A reader of a network rather counts populations as they were drawn: one
//! that reads a concatenation is one population, and one that reads a part of it is a part of that.

use crate::compile::Failure;
use crate::pipeline;
use serde::Serialize;
use snnc_ir::arena::NodeId;
use snnc_ir::network::{Edge, NetworkDraft, Neuron, Op};
use snnc_ir::{Network, Param, TargetSpec};

/// Genes say no more about populations than matrices do.
const LOWERED: &str = "lower-genes{lowering=materialized}";

/// What is left of a network's populations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Distinct {
    /// Populations that are neither equal to another one nor a part of one.
    pub populations: usize,
    /// Their neurons.
    pub neurons: u64,
    /// Populations where those that read a concatenation are split into its parts.
    pub parts: usize,
}

impl Distinct {
    /// Counts the populations of `network` after the passes that merge them.
    ///
    /// # Errors
    /// What one of the passes rejects.
    pub fn of(network: &Network, target: &TargetSpec) -> Result<Self, Failure> {
        let whole = pipeline::network_after(network, &format!("{LOWERED},merge-nodes"), target)?;
        let passes = format!("{LOWERED},push-neurons,merge-nodes");
        let parts = pipeline::network_after(network, &passes, target)?;
        let parts = pipeline::neurons(&parts);
        Ok(Self {
            populations: populations(&whole).filter(|(id, _)| !is_part(&whole, *id)).count(),
            neurons: parts.iter().map(|(_, size)| *size as u64).sum(),
            parts: parts.len(),
        })
    }
}

fn populations(draft: &NetworkDraft) -> impl Iterator<Item = (NodeId, &Neuron)> {
    draft.nodes.iter().filter_map(|(id, node)| match &node.op {
        Op::Neuron(neuron) => Some((id, neuron)),
        _ => None,
    })
}

/// Whether a population reads a part of a concatenation that another one of the same parameters
/// reads. Parameters that differ from channel to channel are not looked at: such a population counts
/// for itself.
fn is_part(draft: &NetworkDraft, id: NodeId) -> bool {
    let node = &draft.nodes[id];
    let (Op::Neuron(own), [read]) = (&node.op, node.inputs.as_slice()) else { return false };
    matches!(own.threshold, Param::Uniform(_))
        && populations(draft).any(|(other, neuron)| {
            let [outer] = draft.nodes[other].inputs.as_slice() else { return false };
            other != id && neuron == own && holds(draft, *outer, *read)
        })
}

/// Whether `outer` reads a concatenation with `read` in it.
fn holds(draft: &NetworkDraft, outer: Edge, read: Edge) -> bool {
    let source = &draft.nodes[outer.source];
    source.op == Op::Concat
        && source.inputs.iter().any(|inner| {
            let delay = inner.delay.saturating_add(outer.delay);
            let part = Edge { source: inner.source, delay };
            part == read || holds(draft, part, read)
        })
}

#[cfg(test)]
mod tests {
    use super::Distinct;
    use crate::{Target, source};
    use snnc_passes::AnyLevel;

    /// One cell of motif m4 on the stem: the stem, three inputs and the output of five states.
    #[test]
    fn parts_of_a_concatenation_do_not_count() {
        let genome = "tests/fixtures/braincog/m4.genome.json";
        let source = source::read(genome.as_ref()).unwrap();
        let AnyLevel::Network(network) = &source.level else { panic!("a genome is a network") };
        let target = Target::find("loihi2").unwrap();
        let found = Distinct::of(network, &target.spec).unwrap_or_else(|f| panic!("{f:?}"));
        assert_eq!((found.populations, found.parts), (5, 1 + 3 + 5));
        assert_eq!(found.neurons, (12 + 3 * 4 + 5 * 4) * 36);
    }
}
