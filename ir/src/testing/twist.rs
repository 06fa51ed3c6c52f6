//! Changes of drawn networks towards what breaks compilers. They stay valid; whether registers hold them is
//! for targets and certificates to say.

use super::draw::Draw;
use crate::arena::{Entity, MatId, PopId, ProjId};
use crate::network::{NetworkDraft, Op, Readout};
use crate::param::Param;
use crate::quantized::{IntNeuron, IntReset, PopKind, Projection, QuantizedDraft, Sign, Structure};

/// Delays about those that a register of six bits holds, and beyond.
const DELAYS: [u32; 8] = [5, 20, 61, 62, 63, 64, 65, 127];

/// One to three changes of an integer network in logical time.
pub(super) fn integers(draw: &mut Draw, draft: &mut QuantizedDraft) {
    for _ in 0..=draw.below(3) {
        match draw.below(10) {
            0 => delays(draw, draft),
            1 => strong(draw, draft),
            2 | 3 => neurons(draw, draft),
            4 => weights_of_zero(draw, draft),
            5 => fewer(draw, draft),
            6 => twice(draw, draft),
            7 => itself(draw, draft),
            8 => longer(draw, draft),
            _ => graded(draw, draft),
        }
    }
}

/// A random id of an arena of `len` entities.
fn any<K: Entity>(draw: &mut Draw, len: usize) -> Option<K> {
    (len > 0).then(|| K::new(draw.below(len)))
}

/// The parameters of a random population of neurons.
fn neuron<'d>(draw: &mut Draw, draft: &'d mut QuantizedDraft) -> Option<&'d mut IntNeuron> {
    let mut all: Vec<_> = draft
        .populations
        .values_mut()
        .filter_map(|p| match &mut p.kind {
            PopKind::Neurons(neuron) => Some(neuron),
            PopKind::Input(_) | PopKind::Graded(_) => None,
        })
        .collect();
    if all.is_empty() { None } else { Some(all.swap_remove(draw.below(all.len()))) }
}

/// Makes all state die out, so that bounds do not grow with steps.
fn forget(draft: &mut QuantizedDraft) {
    for population in draft.populations.values_mut() {
        if let PopKind::Neurons(neuron) = &mut population.kind {
            neuron.dv = neuron.dv.map(|dv| dv.max(512));
        }
    }
}

/// Long delays of one or two projections; half the time the run is long enough to see them.
fn delays(draw: &mut Draw, draft: &mut QuantizedDraft) {
    for _ in 0..=draw.below(2) {
        let Some(id) = any::<ProjId>(draw, draft.projections.len()) else { return };
        draft.projections[id].delay = draw.pick(&DELAYS);
    }
    let longest = draft.projections.values().map(|p| p.delay).max().unwrap_or(0);
    if draw.one_in(2) {
        draft.steps = draft.steps.max(longest + 2);
        forget(draft);
    }
}

/// A run of many steps.
fn longer(draw: &mut Draw, draft: &mut QuantizedDraft) {
    draft.steps = 10 + draw.small(40);
    if !draw.one_in(4) {
        forget(draft);
    }
}

/// The largest and smallest weights, about one synapse per neuron, into neurons without memory.
fn strong(draw: &mut Draw, draft: &mut QuantizedDraft) {
    let Some(id) = any::<ProjId>(draw, draft.projections.len()) else { return };
    let Projection { source, target, matrix, .. } = draft.projections[id];
    let graded = [source, target].iter().any(|p| draft.populations[*p].graded().is_some());
    if graded {
        return;
    }
    let mut copy = draft.matrices[matrix].clone();
    copy.exponent = draw.pick(&[7, 7, 6, 5, 0, -1, -7]);
    let ends: &[i16] = match (copy.sign, copy.exponent) {
        (Sign::Mixed, -7) => &[-256, 128, -128],
        (Sign::Mixed, -1) => &[-256, 252, 4, -4],
        (Sign::Mixed, 7) => &[254, -254, 2, -2],
        (Sign::Mixed, _) => &[-256, 254, 2, -2],
        (Sign::Excitatory, -7) => &[128],
        (Sign::Excitatory, -1) => &[254, 2],
        (Sign::Excitatory, _) => &[255, 1],
        (Sign::Inhibitory, -7) => &[-128],
        (Sign::Inhibitory, -1) => &[-254, -2],
        (Sign::Inhibitory, _) => &[-255, -1],
    };
    let cols = match copy.structure {
        Structure::Dense { cols, .. } => cols as usize,
        _ => 1,
    };
    let kept = draw.below(cols);
    for (index, mantissa) in copy.mantissa.iter_mut().enumerate() {
        let alone = index % cols == kept;
        *mantissa = if alone || draw.one_in(8) { draw.pick(ends) } else { 0 };
    }
    copy.name.push('!');
    draft.projections[id].matrix = draft.matrices.push(copy);
    if let PopKind::Neurons(neuron) = &mut draft.populations[target].kind {
        neuron.du = Param::Uniform(4095);
        neuron.dv = Param::Uniform(4095);
    }
}

/// Parameters at the ends of their ranges.
fn neurons(draw: &mut Draw, draft: &mut QuantizedDraft) {
    let offset = |n: &IntNeuron| i32::from(n.compare == crate::network::Compare::Ge);
    let Some(neuron) = neuron(draw, draft) else { return };
    match draw.below(8) {
        0 => neuron.du = Param::Uniform(draw.pick(&[0, 1, 4094, 4095])),
        1 => neuron.dv = Param::Uniform(draw.pick(&[0, 1, 4094, 4095])),
        2 => neuron.threshold = Param::Uniform(64 + offset(neuron)),
        3 => {
            neuron.threshold = Param::Uniform(64 * draw.pick(&[131_071, 131_070]) + offset(neuron));
        }
        4 => neuron.bias = Param::Uniform(draw.pick(&[4095 * 128, -4095 * 128, 64, -64, 4095])),
        5 => neuron.refractory = draw.pick(&[2, 62, 63, 64]),
        6 => {
            if let IntReset::Subtract(amount) = &mut neuron.reset {
                *amount = Param::Uniform(draw.pick(&[1, 64, 131_071 * 64]));
            } else {
                neuron.refractory = draw.pick(&[5, 20]);
            }
        }
        _ => neuron.floor = Some(Param::Uniform(draw.pick(&[0, -1, -127, -((1 << 22) - 1)]))),
    }
}

/// A matrix of nothing but zeros.
fn weights_of_zero(draw: &mut Draw, draft: &mut QuantizedDraft) {
    if let Some(id) = any::<MatId>(draw, draft.matrices.len()) {
        draft.matrices[id].mantissa.fill(0);
    }
}

/// Without some projections, or without all.
fn fewer(draw: &mut Draw, draft: &mut QuantizedDraft) {
    let all = draw.one_in(4);
    let kept = std::mem::take(&mut draft.projections).into_values();
    draft.projections =
        kept.into_iter().filter(|_| !all && !draw.one_in(3)).collect::<Vec<_>>().into();
}

/// A projection twice; now and then with another delay.
fn twice(draw: &mut Draw, draft: &mut QuantizedDraft) {
    let Some(id) = any::<ProjId>(draw, draft.projections.len()) else { return };
    let mut copy = draft.projections[id].clone();
    copy.delay += draw.small(2);
    draft.projections.push(copy);
}

/// A synapse of every neuron of a population to itself.
fn itself(draw: &mut Draw, draft: &mut QuantizedDraft) {
    let neurons: Vec<PopId> =
        draft.populations.iter().filter(|(_, p)| p.neuron().is_some()).map(|(id, _)| id).collect();
    if neurons.is_empty() {
        return;
    }
    let id = draw.pick(&neurons);
    let size = u32::try_from(draft.populations[id].size()).unwrap_or(1);
    let mantissa = i16::try_from(2 * draw.signed(20)).unwrap_or(0);
    let matrix = super::quantized::matrix("itself", Structure::Identity { size }, vec![mantissa]);
    let matrix = draft.matrices.push(matrix);
    let delay = 1 + draw.small(3);
    draft.projections.push(Projection { source: id, target: id, matrix, delay });
}

/// Graded relays with other shifts and biases.
fn graded(draw: &mut Draw, draft: &mut QuantizedDraft) {
    for population in draft.populations.values_mut() {
        if let PopKind::Graded(graded) = &mut population.kind {
            graded.bias = Param::Uniform(draw.pick(&[0, 1, -1, 4095, -4095, 1 << 18]));
        }
    }
}

/// One or two changes of a float network.
pub(super) fn network(draw: &mut Draw, draft: &mut NetworkDraft) {
    for _ in 0..=draw.below(2) {
        match draw.below(5) {
            0 => {
                let factor = draw.pick(&[0.0, 1e-6, 1e-3, 1e3, 1e6]);
                let stored = draft.tensors.len();
                let id = crate::arena::TensorId::new(draw.below(stored.max(1)));
                if stored > 0 {
                    draft.tensors[id].data.iter_mut().for_each(|v| *v *= factor);
                }
            }
            1 => {
                let id = crate::arena::NodeId::new(draw.below(draft.nodes.len()));
                let delay = draw.pick(&DELAYS);
                let direct = |d: &NetworkDraft, source| {
                    matches!(d.nodes[source].op, Op::Input(crate::network::Coding::Direct { .. }))
                };
                let inputs = draft.nodes[id].inputs.len();
                if inputs > 0 {
                    let k = draw.below(inputs);
                    if !direct(draft, draft.nodes[id].inputs[k].source) {
                        draft.nodes[id].inputs[k].delay += delay;
                    }
                }
            }
            2 => draft.steps = 10 + draw.small(30),
            3 => {
                for node in draft.nodes.values_mut() {
                    if let Op::Neuron(neuron) = &mut node.op {
                        neuron.refractory = draw.pick(&[0, 1, 4, 62, 63]);
                    }
                }
            }
            _ => {
                if let Readout::SpikeCount(id) = draft.readout
                    && let Op::Neuron(neuron) = &mut draft.nodes[id].op
                {
                    neuron.threshold = Param::Uniform(draw.pick(&[0.001, 100.0]));
                }
            }
        }
    }
}
