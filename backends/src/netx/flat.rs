//! Any network as one layer that holds all its neurons.

use super::chain::{bound, delays, refusal};
use super::layers::{Array, Compute, Layer, Synapses};
use super::loader::{self, Damage};
use super::{Layout, Part, Plan, neurons};
use snnc_ir::Diagnostic;
use snnc_ir::arena::{Arena, Entity, PopId};
use snnc_ir::diag::codes::artifact;
use snnc_ir::quantized::{Population, Projection, QuantizedDraft};

/// Columns of a weight matrix under construction: where each population begins, and the sums.
struct Matrix {
    cols: usize,
    weights: Vec<i32>,
    /// Delay registers of the nonzero entries, while any is not 0.
    delays: Option<Vec<u32>>,
}

/// The network as an input layer and one layer of neurons.
///
/// # Errors
/// Why it cannot be written.
pub(super) fn plan(network: &QuantizedDraft) -> Result<Plan, Diagnostic> {
    let populations = &network.populations;
    let (firsts, inputs, neurons) = number(populations);
    bound(neurons, neurons.saturating_add(inputs))?;
    let delayed = network.projections.values().any(|p| p.delay > 1);
    let matrix = |cols| Matrix {
        cols,
        weights: vec![0; neurons * cols],
        delays: delayed.then(|| vec![u32::MAX; neurons * cols]),
    };
    let (mut input, mut recurrent) = (matrix(inputs), matrix(neurons));
    for projection in network.projections.values() {
        let from_neurons = !populations[projection.source].is_input();
        let into = if from_neurons { &mut recurrent } else { &mut input };
        let weights = &network.matrices[projection.matrix];
        let (first_row, first_col) =
            (firsts[projection.target.index()], firsts[projection.source.index()]);
        let mut clash = None;
        for row in 0..weights.structure.rows() {
            weights.for_row(row, |col, weight| {
                let at = (first_row + row) * into.cols + first_col + col;
                into.weights[at] += weight;
                if let Some(delays) = &mut into.delays {
                    let late = projection.delay.saturating_sub(1);
                    if delays[at] != u32::MAX && delays[at] != late {
                        clash = Some((col, row));
                    }
                    delays[at] = late;
                }
            });
        }
        if let Some((from, to)) = clash {
            return Err(two_delays(network, projection, from, to));
        }
    }
    let synapses = if recurrent.weights.iter().any(|&w| w != 0) {
        no_delays(network)?;
        loader::keeps(&[&input.weights, &recurrent.weights])
            .map_err(|damage| damaged(network, damage))?;
        Synapses::Dense {
            weight: Array::new(&[neurons, inputs], input.weights),
            recurrent: Some(Array::new(&[neurons, neurons], recurrent.weights)),
            delay: None,
        }
    } else {
        loader::keeps(&[&input.weights]).map_err(|damage| damaged(network, damage))?;
        let registers = input.delays.map(|delays| {
            delays.into_iter().map(|d| if d == u32::MAX { 0 } else { d }).collect::<Vec<_>>()
        });
        Synapses::Dense {
            weight: Array::new(&[neurons, inputs], input.weights),
            recurrent: None,
            delay: registers.map(|r| delays(&[neurons, inputs], &r)).transpose()?,
        }
    };
    let all: Vec<_> =
        populations.values().filter_map(|p| p.neuron().map(|neuron| (p, neuron))).collect();
    let layers = vec![
        Layer::Input { shape: vec![u32::try_from(inputs).unwrap_or(u32::MAX)] },
        Layer::Compute(Box::new(Compute {
            shape: vec![u32::try_from(neurons).unwrap_or(u32::MAX)],
            synapses,
            neurons: neurons::joined(&all),
        })),
    ];
    Ok(Plan { layers, layout: layout(populations, &firsts) })
}

/// First number of each population among the inputs or among the neurons, and the numbers of both.
fn number(populations: &Arena<PopId, Population>) -> (Vec<usize>, usize, usize) {
    let (mut inputs, mut neurons) = (0_usize, 0_usize);
    let firsts = populations
        .values()
        .map(|p| {
            let next = if p.is_input() { &mut inputs } else { &mut neurons };
            let first = *next;
            *next = next.saturating_add(p.size());
            first
        })
        .collect();
    (firsts, inputs, neurons)
}

fn layout(populations: &Arena<PopId, Population>, firsts: &[usize]) -> Layout {
    let parts = |neurons: bool| {
        populations
            .iter()
            .filter(|(_, p)| p.is_input() != neurons)
            .map(|(id, p)| Part {
                population: p.name.clone(),
                layer: usize::from(neurons),
                first: firsts[id.index()],
                len: p.size(),
            })
            .collect()
    };
    Layout { inputs: parts(false), populations: parts(true) }
}

/// The reason, with the first projection that holds the damaged weight. A weight that is a sum over
/// parallel projections belongs to none.
fn damaged(network: &QuantizedDraft, damage: Damage) -> Diagnostic {
    let holds = |p: &&Projection| {
        let matrix = &network.matrices[p.matrix];
        damage.weight() != 0
            && (0..matrix.mantissa.len()).any(|i| matrix.weight(i) == damage.weight())
    };
    let why = refusal(damage);
    match network.projections.values().find(holds) {
        Some(p) => why.at(between(network, p)),
        None => why,
    }
}

fn between(network: &QuantizedDraft, projection: &Projection) -> String {
    let name = |id| &network.populations[id].name;
    format!("projection \"{}\" to \"{}\"", name(projection.source), name(projection.target))
}

/// The loader drops the weight exponent of a recurrent layer with delays.
fn no_delays(network: &QuantizedDraft) -> Result<(), Diagnostic> {
    let Some(late) = network.projections.values().find(|p| p.delay > 1) else { return Ok(()) };
    Err(Diagnostic::error(
        artifact::NETX_DELAY,
        format!("NetX cannot hold the synaptic delay {} in a recurrent layer", late.delay - 1),
    )
    .at(between(network, late))
    .note("the network is not a chain, so all its neurons form one recurrent layer")
    .help("compile with `--delays relay`, which makes relay neurons of synaptic delays"))
}

fn two_delays(
    network: &QuantizedDraft,
    projection: &Projection,
    from: usize,
    to: usize,
) -> Diagnostic {
    Diagnostic::error(
        artifact::NETX_DELAY,
        format!("NetX holds one delay from neuron {from} to neuron {to}, and there are two"),
    )
    .at(between(network, projection))
    .help("compile with `--delays relay`, which makes relay neurons of synaptic delays")
}
