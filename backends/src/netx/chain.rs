//! A network that is a chain of layers.

use super::layers::{Array, Compute, Layer, Synapses};
use super::loader::{self, Damage};
use super::{Layout, MAX_EXPANDED, Part, Plan, neurons};
use snnc_ir::Diagnostic;
use snnc_ir::arena::{PopId, ProjId};
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::artifact;
use snnc_ir::quantized::{IntMatrix, Population, Projection, QuantizedDraft, Structure};

/// Largest delay register that the loader keeps.
const MAX_DELAY: u32 = 62;

/// Largest extent of a kernel, stride, padding or number of groups: Lava stores them as int8.
const MAX_EXTENT: u32 = 127;

/// One layer of the chain: the projections and the population that they reach.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    /// At least one; all of one delay, so that their weights add up.
    projections: Vec<ProjId>,
    source: PopId,
    target: PopId,
    delay: u32,
}

/// The layers, if the network is a chain: one input, projections of one delay from a single population
/// into every other one, and to a single one out of each, no population left out.
pub(super) fn stages(network: &QuantizedDraft) -> Option<Vec<Stage>> {
    let mut inputs = network.populations.iter().filter(|(_, p)| p.is_input());
    let (mut source, _) = inputs.next()?;
    if inputs.next().is_some() {
        return None;
    }
    let mut stages = Vec::new();
    while stages.len() + 1 < network.populations.len() {
        let out = || network.projections.iter().filter(|(_, p)| p.source == source);
        let (_, &Projection { target, delay, .. }) = out().next()?;
        let projections: Vec<ProjId> = out().map(|(id, _)| id).collect();
        let alike = out().all(|(_, p)| p.target == target && p.delay == delay);
        if !alike || network.projections_into(target).count() != projections.len() {
            return None;
        }
        stages.push(Stage { projections, source, target, delay });
        source = target;
    }
    // What the last population sends would go back.
    network.projections.values().all(|p| p.source != source).then_some(stages)
}

/// The weights of a stage: those of its projections, which are often the excitatory and inhibitory part
/// of one matrix, added up.
struct Weights {
    structure: Structure,
    /// As the structure stores them.
    stored: Vec<i32>,
}

impl Weights {
    fn of(network: &QuantizedDraft, stage: &Stage) -> Result<Self, Diagnostic> {
        let of = |id: &ProjId| &network.matrices[network.projections[*id].matrix];
        let matrices: Vec<&IntMatrix> = stage.projections.iter().map(of).collect();
        let structure = &matrices[0].structure;
        if matrices.iter().all(|m| m.structure == *structure) {
            let sum = |index| matrices.iter().map(|m| m.weight(index)).sum();
            let stored = (0..structure.stored()).map(sum).collect();
            return Ok(Self { structure: structure.clone(), stored });
        }
        let (rows, cols) = (structure.rows(), structure.cols());
        bound(rows, cols)?;
        let mut stored = vec![0; rows * cols];
        for matrix in matrices {
            for row in 0..rows {
                matrix.for_row(row, |col, weight| stored[row * cols + col] += weight);
            }
        }
        let [rows, cols] = [stage.target, stage.source]
            .map(|p| u32::try_from(network.populations[p].size()).unwrap_or(u32::MAX));
        Ok(Self { structure: Structure::Dense { rows, cols }, stored })
    }
}

/// The chain as layers of a file.
///
/// # Errors
/// Why a layer cannot be written.
pub(super) fn plan(network: &QuantizedDraft, stages: &[Stage]) -> Result<Plan, Diagnostic> {
    let populations = &network.populations;
    let mut layers = Vec::new();
    let mut parts = Vec::new();
    let mut inputs = Vec::new();
    // Whether the layer before keeps its three extents, as Lava's tensors of a convolution do.
    let mut volume = true;
    for stage in stages {
        let (source, target) = (&populations[stage.source], &populations[stage.target]);
        let weights = Weights::of(network, stage).map_err(|d| at(d, source, target))?;
        if inputs.is_empty() {
            inputs.push(part(source, 0));
            layers.push(Layer::Input { shape: source.shape.0.clone() });
        }
        let neuron = target.neuron().ok_or_else(|| no_neurons(target))?;
        let conv =
            if volume && stage.delay == 1 { fitting(source, target, &weights) } else { None };
        let layer = if let Some(conv) = conv {
            Compute {
                shape: target.shape.0.clone(),
                synapses: convolution(conv, weights.stored).map_err(|d| at(d, source, target))?,
                neurons: neurons::convolutional(target, neuron),
            }
        } else {
            if volume && layers.len() > 1 {
                layers.push(Layer::Flatten);
            }
            Compute {
                shape: vec![u32::try_from(target.size()).unwrap_or(u32::MAX)],
                synapses: dense(&weights, stage.delay).map_err(|d| at(d, source, target))?,
                neurons: neurons::dense(target, neuron),
            }
        };
        volume = conv.is_some();
        parts.push((stage.target, part(target, layers.len())));
        layers.push(Layer::Compute(Box::new(layer)));
    }
    parts.sort_by_key(|(id, _)| *id);
    let populations = parts.into_iter().map(|(_, part)| part).collect();
    Ok(Plan { layers, layout: Layout { inputs, populations } })
}

fn part(population: &Population, layer: usize) -> Part {
    Part { population: population.name.clone(), layer, first: 0, len: population.size() }
}

fn no_neurons(population: &Population) -> Diagnostic {
    Diagnostic::error(artifact::NETX_SHAPE, "spikes are sent to an input")
        .at(format!("population \"{}\"", population.name))
}

fn at(diagnostic: Diagnostic, source: &Population, target: &Population) -> Diagnostic {
    diagnostic.at(format!("projection \"{}\" to \"{}\"", source.name, target.name))
}

/// The geometry of a convolution that a `conv` layer can express.
fn fitting(source: &Population, target: &Population, weights: &Weights) -> Option<Conv> {
    let Structure::Conv(conv) = weights.structure else { return None };
    let Conv { input, kernel, stride, pad: [top, bottom, left, right], groups, crop, .. } = conv;
    let small =
        [kernel, stride, [top, left], [groups, 1]].iter().flatten().all(|&n| n <= MAX_EXTENT);
    let shapes = source.shape.as_chw() == Some(input) && target.shape.as_chw() == conv.output();
    (small && shapes && top == bottom && left == right && crop == [0; 4]).then_some(conv)
}

fn convolution(conv: Conv, weights: Vec<i32>) -> Result<Synapses, Diagnostic> {
    check(&weights)?;
    let shape = conv.kernel_shape().map(|d| d as usize);
    Ok(Synapses::Conv {
        weight: Array::new(&shape, weights),
        stride: conv.stride,
        padding: [conv.pad[0], conv.pad[2]],
        groups: conv.groups,
    })
}

fn dense(Weights { structure, stored }: &Weights, delay: u32) -> Result<Synapses, Diagnostic> {
    let (rows, cols) = (structure.rows(), structure.cols());
    if !matches!(structure, Structure::Dense { .. }) {
        bound(rows, cols)?;
    }
    let mut weights = vec![0; rows * cols];
    for row in 0..rows {
        structure.for_row(row, |col, index| weights[row * cols + col] = stored[index]);
    }
    check(&weights)?;
    let delay = match delay.saturating_sub(1) {
        0 => None,
        late => Some(delays(&[], &[late])?),
    };
    Ok(Synapses::Dense { weight: Array::new(&[rows, cols], weights), recurrent: None, delay })
}

/// Whether a matrix is small enough to be expanded.
pub(super) fn bound(rows: usize, cols: usize) -> Result<(), Diagnostic> {
    if rows.saturating_mul(cols) <= MAX_EXPANDED {
        return Ok(());
    }
    Err(Diagnostic::error(
        artifact::NETX_SIZE,
        format!("a full matrix of {rows} × {cols} weights is too large for a NetX file"),
    )
    .note(format!("the bound is {MAX_EXPANDED} weights")))
}

/// Delay registers as a dataset.
pub(super) fn delays(shape: &[usize], registers: &[u32]) -> Result<Array, Diagnostic> {
    let largest = registers.iter().copied().max().unwrap_or(0);
    if largest > MAX_DELAY {
        return Err(Diagnostic::error(
            artifact::NETX_DELAY,
            format!("NetX cannot hold the synaptic delay {largest}"),
        )
        .note(format!("the loader clamps delays to {MAX_DELAY}")));
    }
    // At most 62.
    let registers: Vec<i32> = registers.iter().map(|r| r.cast_signed()).collect();
    Ok(Array::new(shape, registers))
}

/// Whether the loader keeps the weights of a layer.
fn check(weights: &[i32]) -> Result<(), Diagnostic> {
    loader::keeps(&[weights]).map(|_| ()).map_err(refusal)
}

/// What the loader would do to a layer, as the reason why it is not written.
pub(super) fn refusal(damage: Damage) -> Diagnostic {
    let message = match damage {
        Damage::AllZero => "all weights are 0, on which the loader fails".to_owned(),
        Damage::TooLarge(w) => format!("the weight {w} does not fit a synapse"),
        Damage::Odd(w) => {
            format!("the odd weight {w} does not fit beside weights beyond ±127 and of both signs")
        }
        Damage::Changed(w) => format!("the loader would change the weight {w}"),
    };
    let refusal = Diagnostic::error(artifact::NETX_WEIGHT, message).note(
        "expected integers up to ±127; or even ones from −256 to 254; or 0 to 255; and, where no \
         weight is positive, a smallest one that is not −(2^k)",
    );
    match damage {
        Damage::TooLarge(_) | Damage::Odd(_) => refusal.help(
            "compile with `--weight-bits 7 --max-exponent 0`, which keeps weights within ±127",
        ),
        Damage::AllZero | Damage::Changed(_) => refusal,
    }
}
