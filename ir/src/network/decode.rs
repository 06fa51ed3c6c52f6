//! The values of genetically encoded weights.
//!
//! `W = s · Eo · (O · Eiᵀ)` in this order: first `P = O · Eiᵀ`, then `Eo · P`, then the product
//! with the scale; all in f64, every product and sum rounded on its own, sums in ascending order of
//! the summation index and started from 0, one rounding to f32 at the end. The value of a weight
//! therefore does not depend on the machine, on threads, or on how the loops below are blocked.

use super::{Genes, NetworkDraft, Provenance, Scheme, Tensor};
use crate::arena::{Arena, TensorId};
use std::borrow::Cow;

/// Columns of `P` that are computed together, so that they stay in the cache.
const BLOCK: usize = 256;

impl NetworkDraft {
    /// The values of a tensor of a verified network: stored ones as they are, generated ones decoded.
    ///
    /// # Panics
    /// If the tensor, or one that generates it, does not exist; verified networks have them.
    pub fn values(&self, id: TensorId) -> Cow<'_, [f32]> {
        values(&self.tensors, id)
    }

    /// Stores the values of a tensor that is generated, see [`Self::values`].
    ///
    /// # Panics
    /// As [`Self::values`].
    pub fn materialize(&mut self, id: TensorId) {
        if self.tensors[id].genes.is_some() {
            let data = values(&self.tensors, id).into_owned();
            let tensor = &mut self.tensors[id];
            tensor.data = data;
            tensor.genes = None;
        }
    }
}

/// The values of a tensor, see [`NetworkDraft::values`].
///
/// # Panics
/// If the tensor, or one that generates it, does not exist.
pub fn values(tensors: &Arena<TensorId, Tensor>, id: TensorId) -> Cow<'_, [f32]> {
    match Product::of(tensors, id) {
        Some(product) => Cow::Owned(product.decode()),
        None => Cow::Borrowed(&tensors[id].data),
    }
}

/// The first value of a generated tensor that is not finite, and its flat index. Bounds of the genes
/// decide it for all but absurd ones; only for these it is decoded, and forgotten at once.
///
/// # Panics
/// If the tensor, or one that generates it, does not exist.
pub fn not_finite(tensors: &Arena<TensorId, Tensor>, id: TensorId) -> Option<(usize, f32)> {
    let product = Product::of(tensors, id)?;
    if product.bound() < f64::from(f32::MAX) / 2.0 {
        return None;
    }
    product.decode().into_iter().enumerate().find(|(_, v)| !v.is_finite())
}

/// A matrix of genes, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f64],
    rows: usize,
    columns: usize,
}

impl<'a> Matrix<'a> {
    /// Views `values` as rows of `columns` each.
    pub fn new(values: &'a [f64], columns: usize) -> Self {
        Self { values, rows: values.len() / columns.max(1), columns }
    }

    fn row(&self, row: usize) -> &'a [f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// Largest sum of magnitudes of a row.
    fn norm(&self) -> f64 {
        (0..self.rows).map(|r| self.row(r).iter().map(|v| v.abs()).sum()).fold(0.0, f64::max)
    }
}

/// How a product becomes weights.
#[derive(Clone, Copy, Debug)]
pub struct Finish {
    /// Factor `s`.
    pub scale: f64,
    /// Replace positive values by 1 and others by 0, before rounding.
    pub heaviside: bool,
}

impl Finish {
    #[expect(clippy::cast_possible_truncation, reason = "the one rounding to f32")]
    fn apply(self, product: f64) -> f32 {
        let value = self.scale * product;
        if self.heaviside { f32::from(u8::from(value > 0.0)) } else { value as f32 }
    }
}

/// A generated tensor that is yet to be decoded.
struct Product {
    scheme: Scheme,
    finish: Finish,
    /// Encodings of the targets, interactions, encodings of the sources, with their innermost extents.
    genes: [(Vec<f64>, usize); 3],
}

impl Product {
    /// `None` if the tensor is stored.
    fn of(tensors: &Arena<TensorId, Tensor>, id: TensorId) -> Option<Self> {
        let tensor = &tensors[id];
        let (Some(genes), Provenance::Encoded { scheme, scale, heaviside, .. }) =
            (tensor.genes, &tensor.provenance)
        else {
            return None;
        };
        let Genes { out, core, source } = genes;
        let exact = |id: TensorId| {
            let Tensor { data, shape, .. } = &tensors[id];
            let columns = shape.0.last().map_or(1, |&d| d as usize);
            (data.iter().map(|&v| f64::from(v)).collect(), columns)
        };
        Some(Self {
            scheme: *scheme,
            finish: Finish { scale: *scale, heaviside: *heaviside },
            genes: [out, core, source].map(exact),
        })
    }

    fn matrices(&self) -> [Matrix<'_>; 3] {
        [0, 1, 2].map(|i| Matrix::new(&self.genes[i].0, self.genes[i].1))
    }

    fn decode(&self) -> Vec<f32> {
        let [out, core, source] = self.matrices();
        decode(self.scheme, [out, core, source], self.finish)
    }

    /// No value is larger, rounding aside.
    fn bound(&self) -> f64 {
        let [out, core, source] = self.matrices();
        let largest = source.values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        self.finish.scale.abs() * out.norm() * core.norm() * largest
    }
}

/// Decodes genes that fit together. **Shapes**: `out` `[rows, G_out]`, `core` `[G_out, G_in]` (one
/// below the other for each cell of the kernel, if the scheme is [`Scheme::PerOffset`]), `source`
/// `[columns, G_in]`; the result is row-major in the layout of the scheme.
pub fn decode(scheme: Scheme, [out, core, source]: [Matrix<'_>; 3], finish: Finish) -> Vec<f32> {
    match scheme {
        // The rows of a `flat_fan_in` source are (channel, row, column), the order of a kernel.
        Scheme::Linear | Scheme::FlatFanIn => matrix(out, core, source, finish),
        Scheme::PerOffset => {
            let size = (out.columns * source.columns).max(1);
            let cores: Vec<Matrix<'_>> =
                core.values.chunks_exact(size).map(|c| Matrix::new(c, source.columns)).collect();
            per_offset(out, &cores, source, finish)
        }
    }
}

/// Writes `s · Eo · (O · Eiᵀ)` of shape `[Eo.rows, Ei.rows]` to `put(row, column, value)`.
///
/// **Shapes**: `out` `[rows, G_out]`, `core` `[G_out, G_in]`, `source` `[columns, G_in]`.
fn product(
    out: Matrix<'_>,
    core: Matrix<'_>,
    source: Matrix<'_>,
    finish: Finish,
    mut put: impl FnMut(usize, usize, f32),
) {
    for first in (0..source.rows).step_by(BLOCK) {
        let width = BLOCK.min(source.rows - first);
        // Eiᵀ of this block, so that the inner loops run over adjacent values.
        let mut transposed = vec![0.0; source.columns * width];
        for i in 0..width {
            for (b, &e) in source.row(first + i).iter().enumerate() {
                transposed[b * width + i] = e;
            }
        }
        let mut p = vec![0.0; core.rows * width];
        for (a, sums) in p.chunks_exact_mut(width).enumerate() {
            accumulate(sums, core.row(a), &transposed);
        }
        let mut sums = vec![0.0; width];
        for o in 0..out.rows {
            sums.fill(0.0);
            accumulate(&mut sums, out.row(o), &p);
            for (i, &sum) in sums.iter().enumerate() {
                put(o, first + i, finish.apply(sum));
            }
        }
    }
}

/// `sums[i] += Σ_k factors[k] · rows[k][i]`, k ascending.
fn accumulate(sums: &mut [f64], factors: &[f64], rows: &[f64]) {
    for (&factor, row) in factors.iter().zip(rows.chunks_exact(sums.len())) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum += factor * x;
        }
    }
}

/// `linear` and `flat_fan_in`: `[out.rows, source.rows]`.
fn matrix(out: Matrix<'_>, core: Matrix<'_>, source: Matrix<'_>, finish: Finish) -> Vec<f32> {
    let mut weights = vec![0.0; out.rows * source.rows];
    product(out, core, source, finish, |o, i, w| weights[o * source.rows + i] = w);
    weights
}

/// `per_offset`: `[out.rows, source.rows, cells]` with one core per kernel cell.
fn per_offset(
    out: Matrix<'_>,
    cores: &[Matrix<'_>],
    source: Matrix<'_>,
    finish: Finish,
) -> Vec<f32> {
    let cells = cores.len();
    let mut weights = vec![0.0; out.rows * source.rows * cells];
    for (cell, &core) in cores.iter().enumerate() {
        product(out, core, source, finish, |o, i, w| {
            weights[(o * source.rows + i) * cells + cell] = w;
        });
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Finish = Finish { scale: 1.0, heaviside: false };

    /// The definition, one sum per weight.
    fn reference(out: Matrix<'_>, core: Matrix<'_>, source: Matrix<'_>, scale: f64) -> Vec<f32> {
        let mut weights = Vec::new();
        for o in 0..out.rows {
            for i in 0..source.rows {
                let mut sum = 0.0;
                for a in 0..core.rows {
                    let mut p = 0.0;
                    for b in 0..core.columns {
                        p += core.row(a)[b] * source.row(i)[b];
                    }
                    sum += out.row(o)[a] * p;
                }
                #[expect(clippy::cast_possible_truncation, reason = "the one rounding")]
                weights.push((scale * sum) as f32);
            }
        }
        weights
    }

    #[test]
    fn by_hand() {
        // G = 3. O·Eiᵀ for Ei = [1, 2, 3] is [1 + 6, 2, -1 + 2] = [7, 2, 1];
        // for Ei = [0, -1, 1] it is [2, -1, -1].
        let core = Matrix::new(&[1.0, 0.0, 2.0, 0.0, 1.0, 0.0, -1.0, 1.0, 0.0], 3);
        let source = Matrix::new(&[1.0, 2.0, 3.0, 0.0, -1.0, 1.0], 3);
        let out = Matrix::new(&[1.0, 1.0, 1.0, 2.0, 0.0, -1.0], 3);
        let half = Finish { scale: 0.5, heaviside: false };
        assert_eq!(matrix(out, core, source, half), [5.0, 0.0, 6.5, 2.5]);
        let step = Finish { scale: 0.5, heaviside: true };
        assert_eq!(matrix(out, core, source, step), [1.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn rectangular_core_by_hand() {
        // O is [1, 3]: one output gene, three input genes.
        let core = Matrix::new(&[1.0, -2.0, 3.0], 3);
        let source = Matrix::new(&[1.0, 1.0, 1.0, 0.0, 0.0, 2.0], 3);
        let out = Matrix::new(&[2.0, -1.0], 1);
        assert_eq!(matrix(out, core, source, PLAIN), [4.0, 12.0, -2.0, -6.0]);
    }

    #[test]
    fn kernel_cells_are_innermost() {
        let cores = [2.0, 3.0].map(|x| [x]);
        let cores: Vec<Matrix<'_>> = cores.iter().map(|c| Matrix::new(c, 1)).collect();
        let source = Matrix::new(&[1.0, 10.0], 1);
        let out = Matrix::new(&[1.0, -1.0], 1);
        let weights = per_offset(out, &cores, source, PLAIN);
        assert_eq!(weights, [2.0, 3.0, 20.0, 30.0, -2.0, -3.0, -20.0, -30.0]);
    }

    #[test]
    fn blocks_do_not_change_a_bit() {
        // Values whose sums round, more columns than two blocks.
        let value = |k: usize| f64::from(u32::try_from(k * 7919 % 1009).unwrap()) / 1009.0 - 0.5;
        let values = |n: usize, seed: usize| (0..n).map(|k| value(k + seed)).collect::<Vec<_>>();
        let (out, core, source) = (values(5 * 7, 1), values(7 * 6, 2), values(600 * 6, 3));
        let (out, core, source) =
            (Matrix::new(&out, 7), Matrix::new(&core, 6), Matrix::new(&source, 6));
        let finish = Finish { scale: 0.3, heaviside: false };
        assert_eq!(matrix(out, core, source, finish), reference(out, core, source, 0.3));
    }

    #[test]
    fn rounds_once() {
        // 1 + 2^-24 is a tie in f32, which the further 2^-50 breaks upward; a sum that was rounded
        // to f32 on the way would stay at 1.
        let source = Matrix::new(&[1.0], 1);
        let core = Matrix::new(&[1.0, 1.0], 1);
        let tiny = (-24_f64).exp2() + (-50_f64).exp2();
        let row = [1.0, tiny];
        let out = Matrix::new(&row, 2);
        assert_eq!(matrix(out, core, source, PLAIN), [1.0 + f32::EPSILON]);
    }
}
