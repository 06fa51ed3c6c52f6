//! Edits of integer networks.

use super::{Edited, part};
use snnc_ir::arena::{Arena, Entity, MatId, PopId};
use snnc_ir::level::AnyDraft;
use snnc_ir::network::{Coding, Compare};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntReadout, IntReset, PopKind, Projection, QuantizedDraft, Role, Structure, Time,
};

/// The next network, made from a copy of this one.
pub(super) fn edited(
    draft: &AnyDraft,
    edit: impl FnOnce(&mut QuantizedDraft) -> Option<()>,
) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let mut next = network.clone();
    match edit(&mut next) {
        Some(()) => {
            drop_unused(&mut next);
            Edited::Made(Box::new(AnyDraft::Quantized(next)))
        }
        None => Edited::Skip,
    }
}

/// Leaves out matrices that no projection uses.
fn drop_unused(network: &mut QuantizedDraft) {
    let mut used: Vec<MatId> = network.projections.values().map(|p| p.matrix).collect();
    used.sort_unstable();
    used.dedup();
    if used.len() == network.matrices.len() {
        return;
    }
    let kept: Vec<_> = used.iter().map(|id| network.matrices[*id].clone()).collect();
    network.matrices = kept.into();
    for projection in network.projections.values_mut() {
        let place = used.iter().position(|id| *id == projection.matrix);
        projection.matrix = MatId::new(place.unwrap_or(0));
    }
}

/// Counts the spikes of one population instead of what is read.
pub(super) fn readout(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    if place >= network.populations.len() || matches!(network.readout, IntReadout::SpikeCount(_)) {
        return Edited::End;
    }
    edited(draft, |next| {
        next.readout = IntReadout::SpikeCount(PopId::new(place));
        Some(())
    })
}

/// Without some populations, and what joins them to others.
pub(super) fn populations(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let Some(out) = part(network.populations.len(), place) else { return Edited::End };
    edited(draft, |next| without(next, |id| out.contains(&id.index())))
}

/// Leaves out populations; where one of them was read, the last remaining one is.
fn without(network: &mut QuantizedDraft, out: impl Fn(PopId) -> bool) -> Option<()> {
    let kept: Vec<PopId> = network.populations.ids().filter(|id| !out(*id)).collect();
    let moved = |id: PopId| kept.iter().position(|k| *k == id).map(PopId::new);
    let mut populations = Arena::new();
    for id in &kept {
        let mut population = network.populations[*id].clone();
        if let Role::Relay { of, .. } = &mut population.role {
            *of = moved(*of)?;
        }
        populations.push(population);
    }
    let projections = network.projections.values().filter_map(|p| {
        Some(Projection { source: moved(p.source)?, target: moved(p.target)?, ..p.clone() })
    });
    network.projections = projections.collect::<Vec<_>>().into();
    network.host.retain_mut(|host| match (moved(host.input), moved(host.target)) {
        (Some(input), Some(target)) => {
            (host.input, host.target) = (input, target);
            true
        }
        _ => false,
    });
    if let Time::Hardware(schedule) = &mut network.time {
        schedule.latency = kept.iter().map(|id| schedule.latency[id.index()]).collect();
    }
    let last = populations
        .iter()
        .filter(|(_, p)| p.neuron().is_some() && p.role == Role::Logical)
        .map(|(id, _)| id)
        .next_back();
    network.populations = populations;
    network.readout =
        match std::mem::replace(&mut network.readout, IntReadout::SpikeCount(PopId::new(0))) {
            IntReadout::SpikeCount(id) => IntReadout::SpikeCount(moved(id).or(last)?),
            IntReadout::MeanLinear { terms, bias } => {
                let terms: Vec<_> =
                    terms.into_iter().filter_map(|(id, w)| Some((moved(id)?, w))).collect();
                if terms.is_empty() {
                    IntReadout::SpikeCount(last?)
                } else {
                    IntReadout::MeanLinear { terms, bias }
                }
            }
        };
    Some(())
}

/// Without some projections.
pub(super) fn projections(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let Some(out) = part(network.projections.len(), place) else { return Edited::End };
    edited(draft, |next| {
        let kept = next.projections.values().enumerate().filter(|(i, _)| !out.contains(i));
        next.projections = kept.map(|(_, p)| p.clone()).collect::<Vec<_>>().into();
        Some(())
    })
}

/// Without what the host adds.
pub(super) fn hosts(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    if place >= network.host.len() {
        return Edited::End;
    }
    edited(draft, |next| {
        next.host.remove(place);
        Some(())
    })
}

/// How many simplifications [`parameters`] knows for each population.
const SIMPLER: usize = 12;

/// Simpler parameters of one population.
pub(super) fn parameters(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let (id, what) = (PopId::new(place / SIMPLER), place % SIMPLER);
    if !network.populations.contains(id) {
        return Edited::End;
    }
    edited(draft, |next| simpler(&mut next.populations[id].kind, what))
}

/// The parameter with one value for all.
pub(super) fn uniform<T: Copy>(param: &mut Param<T>) -> Option<()> {
    match param {
        Param::Uniform(_) => None,
        Param::PerChannel(values) | Param::PerNeuron(values) => {
            *param = Param::Uniform(*values.first()?);
            Some(())
        }
    }
}

fn simpler(kind: &mut PopKind, what: usize) -> Option<()> {
    match kind {
        PopKind::Input(Coding::Direct { .. } | Coding::Events) => None,
        PopKind::Input(coding) => {
            *coding = Coding::Events;
            (what == 0).then_some(())
        }
        PopKind::Graded(graded) => match what {
            0 => {
                graded.bias = Param::Uniform(0);
                Some(())
            }
            1 => {
                graded.shift = 0;
                Some(())
            }
            2 => {
                graded.keep = None;
                Some(())
            }
            3 => uniform(&mut graded.bias),
            _ => None,
        },
        PopKind::Neurons(neuron) => {
            match what {
                0 => neuron.bias = Param::Uniform(0),
                1 => neuron.floor = None,
                2 => neuron.refractory = 1,
                3 => neuron.reset = IntReset::Zero,
                4 => neuron.du = Param::Uniform(4095),
                5 => neuron.dv = Param::Uniform(0),
                6 => {
                    neuron.compare = Compare::Gt;
                    neuron.threshold = Param::Uniform(64);
                }
                7 => uniform(&mut neuron.threshold)?,
                8 => uniform(&mut neuron.bias)?,
                9 => uniform(&mut neuron.du)?,
                10 => uniform(&mut neuron.dv)?,
                _ => match (&mut neuron.reset, &mut neuron.floor) {
                    (IntReset::Subtract(amount), floor) => {
                        let own = uniform(amount);
                        own.or_else(|| uniform(floor.as_mut()?))?;
                    }
                    (IntReset::Zero, floor) => uniform(floor.as_mut()?)?,
                },
            }
            Some(())
        }
    }
}

/// Zero in place of some weights; what is zero all over goes with its projections later.
pub(super) fn weights(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let nonzero: Vec<(MatId, usize)> = network
        .matrices
        .iter()
        .flat_map(|(id, matrix)| {
            let stored = matrix.mantissa.iter().enumerate().filter(|(_, m)| **m != 0);
            stored.map(move |(index, _)| (id, index))
        })
        .collect();
    let Some(out) = part(nonzero.len(), place) else { return Edited::End };
    edited(draft, |next| {
        for (id, index) in &nonzero[out] {
            next.matrices[*id].mantissa[*index] = 0;
        }
        Some(())
    })
}

/// Simpler matrices: without entries of zero, without an exponent, smaller by half.
pub(super) fn mantissas(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let (id, what) = (MatId::new(place / 3), place % 3);
    if !network.matrices.contains(id) {
        return Edited::End;
    }
    edited(draft, |next| {
        let matrix = &mut next.matrices[id];
        match what {
            0 => {
                let Structure::Dense { rows, cols } = matrix.structure else { return None };
                if matrix.mantissa.iter().all(|m| *m != 0) {
                    return None;
                }
                let (mut row_start, mut col, mut mantissa) = (vec![0], Vec::new(), Vec::new());
                for row in 0..rows as usize {
                    matrix.structure.for_row(row, |column, index| {
                        if matrix.mantissa[index] != 0 {
                            col.push(u32::try_from(column).unwrap_or(u32::MAX));
                            mantissa.push(matrix.mantissa[index]);
                        }
                    });
                    row_start.push(u32::try_from(col.len()).unwrap_or(u32::MAX));
                }
                matrix.structure = Structure::Sparse { rows, cols, row_start, col };
                matrix.mantissa = mantissa;
            }
            1 => matrix.exponent = 0,
            _ => {
                // Even ones stay even, so that a mixed group still holds them.
                matrix.mantissa.iter_mut().for_each(|m| *m = *m / 4 * 2);
            }
        }
        Some(())
    })
}
