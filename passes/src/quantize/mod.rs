//! `quantize`: the float network becomes integers (class: bounded, the only pass that may change
//! spikes).
//!
//! One symmetric scheme. Each neuron population has one scale `s`: all weights into it become
//! `rint(w·s)` in −127..=127, its threshold `64·rint(θ·s)`, its bias `64·rint(b·s)`, its decay
//! `rint(4096·decay)`. Dynamics are preserved because everything in a population is scaled alike; a
//! matrix that feeds two populations of equal scale is quantized once and stays shared. `s` is the
//! largest value for which all of this holds, for every input of up to `steps` steps:
//! * weights, threshold mantissa and bias mantissa stay in range;
//! * the sum that may arrive in one step stays within the target's accumulator;
//! * current and membrane stay inside the state registers (no wrap and no saturation, ever).
//!
//! Biases are multiples of 64 (one unit of weight), so that they can be carried by spikes where a
//! schedule has to gate them, and because NetX knows no finer ones.
//!
//! `v ≥ θ` keeps its comparison here; `strict-compare` turns it around. A population without leak
//! only takes multiples of 64, so `64·m` is exact there; elsewhere `64·m + 1` is the nearest value
//! that the threshold register can express.
//!
//! Complexity: O(weights), times a few rounds when a range forces the scale down.

mod canonical;
pub(crate) mod matrix;
mod population;
mod range;
#[cfg(test)]
mod tests;

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use canonical::{Current, Term, current};
use population::{PopulationPlan, plan};
use snnc_ir::arena::{Arena, MatId, NodeId, PopId, TensorId};
use snnc_ir::diag::codes;
use snnc_ir::network::{Coding, Network, NetworkDraft, Op, Readout, Tensor};
use snnc_ir::quantized::{
    IntMatrix, IntReadout, PopKind, Population, Projection, QuantizedDraft, QuantizedNetwork, Role,
    Structure, Time,
};
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantize;

impl Pass for Quantize {
    type From = Network;
    type To = QuantizedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "quantize",
            summary: "round weights, thresholds, biases and decays to what the chip stores",
            class: Class::Bounded,
            requires: &[Property::Canonical, Property::NeuronsNormalized],
            establishes: &[],
            invalidates: &[],
            options: &[],
        }
    }

    fn run(
        &self,
        network: NetworkDraft,
        cx: &mut Context<'_>,
    ) -> Result<QuantizedDraft, Diagnostics> {
        let mut errors = Diagnostics::new();
        let mut plans: Vec<(NodeId, Option<(Current, PopulationPlan)>)> = Vec::new();
        for (id, node) in network.nodes.iter() {
            match &node.op {
                Op::Input(coding) => {
                    if *coding == Coding::Direct {
                        errors.push(direct_input(&node.name));
                    }
                    plans.push((id, None));
                }
                Op::Neuron(neuron) => match current(&network, id) {
                    Err(error) => errors.push(error),
                    Ok(terms) => {
                        match plan(&network, id, neuron, &terms, cx.target, &mut cx.remarks) {
                            Ok(p) => plans.push((id, Some((terms, p)))),
                            Err(e) => errors.extend(e),
                        }
                    }
                },
                _ => {}
            }
        }
        let readout = convert_readout(&network, &plans, &mut errors);
        let draft = assemble(&network, plans, readout, cx);
        errors.into_result(draft)
    }
}

/// Puts populations, projections and shared matrices together.
fn assemble(
    network: &NetworkDraft,
    plans: Vec<(NodeId, Option<(Current, PopulationPlan)>)>,
    readout: Option<IntReadout>,
    cx: &mut Context<'_>,
) -> QuantizedDraft {
    let ids = pop_ids(&plans);
    let mut populations = Arena::new();
    let mut projections = Arena::new();
    let mut store = Store::default();
    for (node_id, plan) in plans {
        let node = &network.nodes[node_id];
        let kind = match (&node.op, plan) {
            (Op::Input(coding), _) => PopKind::Input(coding.clone()),
            (_, Some((current, plan))) => {
                for term in &current.terms {
                    let Some(&source) = ids.get(&term.source) else { continue };
                    let (matrix, fresh) = store.intern(network, term, plan.scale);
                    if fresh && vanishes(&store.matrices[matrix], &network.tensors[term.weight]) {
                        cx.remarks.push(vanished(&network.tensors[term.weight].name, &node.name));
                    }
                    let (target, delay) = (ids[&node_id], term.delay);
                    projections.push(Projection { source, target, matrix, delay });
                }
                cx.remarks.push(plan.note(&node.name));
                PopKind::Neurons(plan.neuron)
            }
            // A population whose plan failed: the errors are reported instead of the draft.
            (_, None) => continue,
        };
        let (name, shape) = (node.name.clone(), node.shape.clone());
        populations.push(Population { name, shape, role: Role::Logical, kind });
    }
    QuantizedDraft {
        name: network.name.clone(),
        steps: network.steps,
        time: Time::Logical,
        populations,
        projections,
        matrices: store.matrices,
        readout: readout.unwrap_or(IntReadout::MeanLinear { terms: vec![], bias: vec![] }),
    }
}

/// The integer matrices made so far; a tensor at one scale and layout is quantized once.
#[derive(Default)]
struct Store {
    matrices: Arena<MatId, IntMatrix>,
    known: BTreeMap<(TensorId, u64), Vec<MatId>>,
}

impl Store {
    /// The matrix of `term` at `scale`, and whether it is new.
    fn intern(&mut self, network: &NetworkDraft, term: &Term, scale: f64) -> (MatId, bool) {
        let structure = &term.structure;
        let same = self.known.entry((term.weight, scale.to_bits())).or_default();
        if let Some(&id) = same.iter().find(|&&m| self.matrices[m].structure == *structure) {
            return (id, false);
        }
        let tensor = &network.tensors[term.weight];
        let id = self.matrices.push(matrix::quantize_tensor(tensor, structure.clone(), scale));
        same.push(id);
        (id, true)
    }
}

fn vanishes(matrix: &IntMatrix, tensor: &Tensor) -> bool {
    matrix.mantissa.iter().all(|&m| m == 0) && tensor.data.iter().any(|w| w.abs() > 0.0)
}

fn pop_ids<T>(plans: &[(NodeId, T)]) -> BTreeMap<NodeId, PopId> {
    use snnc_ir::Entity;
    plans.iter().enumerate().map(|(i, (n, _))| (*n, PopId::new(i))).collect()
}

fn convert_readout<T>(
    network: &NetworkDraft,
    plans: &[(NodeId, T)],
    errors: &mut Diagnostics,
) -> Option<IntReadout> {
    let ids = pop_ids(plans);
    match network.readout {
        Readout::SpikeCount(node) => ids.get(&node).map(|&p| IntReadout::SpikeCount(p)),
        Readout::MeanLinear(node) => {
            let name = &network.nodes[node].name;
            let current = match current(network, node) {
                Ok(current) => current,
                Err(error) => {
                    errors.push(error);
                    return None;
                }
            };
            let mut terms = Vec::new();
            for term in &current.terms {
                if term.delay > 0 || matches!(term.structure, Structure::Conv(_)) {
                    errors.push(
                        Diagnostic::error(
                            codes::quantize::READOUT,
                            format!(
                                "the readout `{name}` is not a plain linear layer over spike counts"
                            ),
                        )
                        .at(format!("node `{name}`"))
                        .note("the host computes the readout from the spike counts of whole runs")
                        .help(
                            "make the readout a `linear` node that reads populations without delay",
                        ),
                    );
                } else if let Some(&source) = ids.get(&term.source) {
                    terms.push((source, network.tensors[term.weight].data.clone()));
                }
            }
            let classes = network.nodes[node].shape.size();
            // The sum of a readout's biases was rounded to f32 by the passes before.
            #[expect(clippy::cast_possible_truncation, reason = "the values are f32 in f64")]
            let mut bias: Vec<f32> = current.bias.iter().map(|&b| b as f32).collect();
            bias.resize(classes, 0.0);
            Some(IntReadout::MeanLinear { terms, bias })
        }
    }
}

fn direct_input(name: &str) -> Diagnostic {
    Diagnostic::error(
        codes::quantize::DIRECT_INPUT,
        format!("input `{name}` is directly coded (analog), which has no integer form yet"),
    )
    .at(format!("population `{name}`"))
    .note("a chip takes spikes; computing a constant first layer on the host is not supported in this version")
    .help("use `events`, `accumulator` or `rate` coding for the input; `run --level float` works with `direct`")
}

fn vanished(tensor: &str, population: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::quantize::VANISHED,
        format!("all weights of `{tensor}` into `{population}` round to zero"),
    )
    .at(format!("population `{population}`"))
    .note("another projection into the same population has far larger weights, and they share one scale")
    .help("bring the weights of the projections into this population to a similar size")
}
