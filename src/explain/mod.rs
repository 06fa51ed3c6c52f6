//! Every integer of a quantized network with the formula that it comes from, and its rounding error.

mod registers;
mod render;
mod weights;

use crate::source::Source;
pub use registers::{Distinct, Register};
pub use render::render;
use serde::Serialize;
use snnc_ir::network::{Discretization, Op};
use snnc_ir::quantized::PopKind;
use snnc_ir::{Diagnostics, NetworkDraft, QuantizedDraft, Recipe, TargetSpec};
use snnc_passes::quantize;
use std::collections::BTreeMap;
pub use weights::WeightsExplained;

/// Times of a node of the source: parameter, smallest and largest value in the unit of the file.
pub type Times = BTreeMap<String, Vec<(&'static str, [f64; 2])>>;

/// A network, integer by integer.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// Name of the network.
    pub network: String,
    /// Name of the target.
    pub target: String,
    /// How time was cut into steps, for NIR graphs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discretization: Option<Discretization>,
    /// Delays of NIR graphs in steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delays: Vec<DelayExplained>,
    /// Populations of neurons, in the order of the integer network.
    pub populations: Vec<PopulationExplained>,
}

/// A delay of a NIR graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DelayExplained {
    /// Name of the node.
    pub node: String,
    /// In the unit of the file.
    pub delay: f64,
    /// `rint(delay / dt)`
    pub steps: u32,
    /// The delay minus its steps, in steps.
    pub residue: f64,
}

/// A population.
#[derive(Clone, Debug, Serialize)]
pub struct PopulationExplained {
    /// Name.
    pub name: String,
    /// Number of neurons.
    pub neurons: usize,
    /// Time constants of the NIR node of that name, in steps: smallest and largest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TimeExplained>,
    /// Smallest and largest scale: integer weight per unit of float weight.
    pub scale: [f64; 2],
    /// What kept the scale from being larger.
    pub limited_by: String,
    /// Registers of its neurons.
    pub registers: Vec<Register>,
    /// Weights of its projections.
    pub weights: Vec<WeightsExplained>,
}

/// A time constant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeExplained {
    /// Name of the parameter.
    pub parameter: &'static str,
    /// Smallest and largest value in the unit of the file.
    pub value: [f64; 2],
    /// The same in steps.
    pub steps: [f64; 2],
}

/// Explains the integers that `network` becomes by `recipe` on `target`.
///
/// # Errors
/// What quantization refuses.
pub fn explain(
    source: &Source,
    network: &NetworkDraft,
    times: &Times,
    recipe: &Recipe,
    target: &TargetSpec,
    out: &mut Diagnostics,
) -> Result<Explained, Diagnostics> {
    let quantize::Applied { draft, account, recipe } =
        quantize::apply(network, target, recipe, out)?;
    let step = network.discretization.as_ref().map_or(1.0, Discretization::step);
    let mut populations = Vec::new();
    for found in account.populations {
        let decided = recipe.populations.iter().find(|p| p.name == found.name);
        let Some((decided, neuron)) = decided.zip(neuron(&draft, &found.name)) else { continue };
        let (Some(scale), Some(node)) = (&decided.scale, network.node_named(&found.name)) else {
            continue;
        };
        let Op::Neuron(float) = &network.nodes[node].op else { continue };
        let shape = &network.nodes[node].shape;
        let ends = |values: &[f64]| {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            [least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max)]
        };
        let constants = times.get(&found.name).into_iter().flatten();
        populations.push(PopulationExplained {
            name: found.name.clone(),
            neurons: found.neurons,
            times: constants
                .map(|&(parameter, value)| TimeExplained {
                    parameter,
                    value,
                    steps: value.map(|v| v / step),
                })
                .collect(),
            scale: ends(scale.values()),
            limited_by: found.limited_by.clone(),
            registers: registers::registers(network, node, float, neuron, scale, shape),
            weights: weights::weights(network, &found, &recipe, scale, shape),
        });
    }
    let delays = source.delays.iter().map(|d| DelayExplained {
        node: d.node.clone(),
        delay: d.delay,
        steps: d.steps,
        residue: d.residue,
    });
    Ok(Explained {
        network: network.name.clone(),
        target: target.name.clone(),
        discretization: network.discretization.clone(),
        delays: delays.collect(),
        populations,
    })
}

/// The integer neurons of a population.
fn neuron<'a>(draft: &'a QuantizedDraft, name: &str) -> Option<&'a snnc_ir::quantized::IntNeuron> {
    draft.populations.values().find(|p| p.name == name).and_then(|p| match &p.kind {
        PopKind::Neurons(neuron) => Some(neuron),
        PopKind::Input(_) | PopKind::Graded(_) => None,
    })
}
