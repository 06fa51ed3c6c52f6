//! Populations of fewer neurons.

use super::integers::edited;
use super::{Edited, part};
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::level::AnyDraft;
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    HostBias, IntMatrix, IntReadout, IntReset, PopKind, QuantizedDraft, Structure,
};
use snnc_ir::shape::Shape;
use std::ops::Range;

/// One half of a population: the first, or the other.
pub(super) fn halves(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let (id, half) = (PopId::new(place / 2), place % 2);
    let Some(population) = network.populations.get(id) else { return Edited::End };
    let size = population.size();
    if size < 2 {
        return Edited::Skip;
    }
    let out = if half == 0 { size / 2..size } else { 0..size / 2 };
    edited(draft, |next| without(next, id, &out))
}

/// A population without a few neurons.
pub(super) fn single(draft: &AnyDraft, place: usize) -> Edited {
    let AnyDraft::Quantized(network) = draft else { return Edited::End };
    let mut place = place;
    for (id, population) in network.populations.iter() {
        let size = population.size();
        let parts = (0..).map_while(|n| part(size, n)).count();
        if place < parts {
            let Some(out) = part(size, place).filter(|out| out.len() < size) else {
                return Edited::Skip;
            };
            return edited(draft, |next| without(next, id, &out));
        }
        place -= parts;
    }
    Edited::End
}

/// Leaves neurons `out` of population `id` out, which becomes a vector.
fn without(network: &mut QuantizedDraft, id: PopId, out: &Range<usize>) -> Option<()> {
    let shape = network.populations[id].shape.clone();
    let kept: Vec<usize> = (0..shape.size()).filter(|n| !out.contains(n)).collect();
    let size = u32::try_from(kept.len()).ok().filter(|size| *size > 0)?;
    // Rows and columns of what is joined to it, each end on its own.
    for projection in network.projections.ids().collect::<Vec<_>>() {
        let ends = network.projections[projection].clone();
        let (rows, cols) = (ends.target == id, ends.source == id);
        if rows || cols {
            let matrix = &network.matrices[ends.matrix];
            let smaller = cut(matrix, rows.then_some(&kept[..]), cols.then_some(&kept[..]));
            network.projections[projection].matrix = network.matrices.push(smaller);
        }
    }
    for host in &mut network.host {
        let (rows, cols) = (host.target == id, host.input == id);
        if rows || cols {
            *host = cut_host(host, rows.then_some(&kept[..]), cols.then_some(&kept[..]));
        }
    }
    if let IntReadout::MeanLinear { terms, bias } = &mut network.readout {
        for (_, weights) in terms.iter_mut().filter(|(of, _)| *of == id) {
            let old = std::mem::take(weights);
            let size = shape.size();
            let of_class = |class: usize| kept.iter().map(move |n| class * size + n);
            *weights =
                (0..bias.len()).flat_map(of_class).filter_map(|i| old.get(i).copied()).collect();
        }
    }
    let population = &mut network.populations[id];
    let before = std::mem::replace(&mut population.shape, Shape::flat(size));
    match &mut population.kind {
        PopKind::Input(_) => {}
        PopKind::Graded(graded) => graded.bias = chosen(&graded.bias, &before, &kept),
        PopKind::Neurons(neuron) => {
            neuron.du = chosen(&neuron.du, &before, &kept);
            neuron.dv = chosen(&neuron.dv, &before, &kept);
            neuron.threshold = chosen(&neuron.threshold, &before, &kept);
            neuron.bias = chosen(&neuron.bias, &before, &kept);
            if let IntReset::Subtract(amount) = &mut neuron.reset {
                *amount = chosen(amount, &before, &kept);
            }
            if let Some(floor) = &mut neuron.floor {
                *floor = chosen(floor, &before, &kept);
            }
        }
    }
    Some(())
}

/// The parameter of the kept neurons of a population.
pub(super) fn chosen<T: Copy + PartialEq>(
    param: &Param<T>,
    shape: &Shape,
    kept: &[usize],
) -> Param<T> {
    match param {
        Param::Uniform(value) => Param::Uniform(*value),
        _ => Param::PerNeuron(kept.iter().map(|n| param.at(*n, shape)).collect()),
    }
}

/// The kept rows and columns of a matrix, as a sparse one; `None` = all.
fn cut(matrix: &IntMatrix, rows: Option<&[usize]>, cols: Option<&[usize]>) -> IntMatrix {
    let all: Vec<usize> = (0..matrix.structure.rows()).collect();
    let rows = rows.unwrap_or(&all);
    let width = cols.map_or(matrix.structure.cols(), <[usize]>::len);
    let (mut row_start, mut col, mut mantissa) = (vec![0_u32], Vec::new(), Vec::new());
    for row in rows {
        matrix.structure.for_row(*row, |column, index| {
            let place = cols.map_or(Some(column), |cols| cols.iter().position(|c| *c == column));
            if let Some(place) = place.filter(|_| matrix.mantissa[index] != 0) {
                col.push(u32::try_from(place).unwrap_or(u32::MAX));
                mantissa.push(matrix.mantissa[index]);
            }
        });
        row_start.push(u32::try_from(col.len()).unwrap_or(u32::MAX));
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let structure =
        Structure::Sparse { rows: count(rows.len()), cols: count(width), row_start, col };
    IntMatrix { structure, mantissa, ..matrix.clone() }
}

/// The kept rows and columns of what the host adds, as a dense matrix; `None` = all.
fn cut_host(host: &HostBias, rows: Option<&[usize]>, cols: Option<&[usize]>) -> HostBias {
    let all: Vec<usize> = (0..host.structure.rows()).collect();
    let rows = rows.unwrap_or(&all);
    let width = cols.map_or(host.structure.cols(), <[usize]>::len);
    let mut weights = vec![0.0; rows.len() * width];
    for (place, row) in rows.iter().enumerate() {
        host.structure.for_row(*row, |column, index| {
            let column = cols.map_or(Some(column), |cols| cols.iter().position(|c| *c == column));
            if let Some(column) = column {
                weights[place * width + column] = host.weights[index];
            }
        });
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let structure = Structure::Dense { rows: count(rows.len()), cols: count(width) };
    HostBias { structure, weights, ..host.clone() }
}
