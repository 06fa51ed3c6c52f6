//! Sums of products of vectors, summed over short panels in a fixed order.

use std::ops::Range;

/// Vectors of one panel.
pub(super) const BATCH: usize = 64;

/// Rows and columns of the products that are computed at once, in registers.
const TILE: usize = 4;

/// A symmetric matrix: of each row what stands on the diagonal and right of it, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Symmetric {
    size: usize,
    data: Vec<f64>,
}

impl Symmetric {
    fn new(size: usize) -> Self {
        Self { size, data: vec![0.0; size * (size + 1) / 2] }
    }

    /// The stored part of row `i`: columns `i..size`.
    fn upper(&self, i: usize) -> &[f64] {
        let start = i * (2 * self.size - i + 1) / 2;
        &self.data[start..start + self.size - i]
    }

    fn upper_mut(&mut self, i: usize) -> &mut [f64] {
        let start = i * (2 * self.size - i + 1) / 2;
        &mut self.data[start..start + self.size - i]
    }

    /// All entries, row-major.
    pub(super) fn full(&self) -> Vec<f64> {
        let mut full = vec![0.0; self.size * self.size];
        for i in 0..self.size {
            for (j, &value) in (i..).zip(self.upper(i)) {
                full[i * self.size + j] = value;
                full[j * self.size + i] = value;
            }
        }
        full
    }

    /// `vᵀ M v`.
    pub(super) fn quadratic(&self, v: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (i, &vi) in v.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            let row = self.upper(i);
            let right: f64 = row[1..].iter().zip(&v[i + 1..]).map(|(m, v)| m * v).sum();
            sum += vi * (row[0] * vi + 2.0 * right);
        }
        sum
    }
}

/// The sums of one block of columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moments {
    /// `Σ x xᵀ`.
    pub(super) own: Symmetric,
    /// What exists only where the float network differs: most first layers never need it.
    pub(super) drift: Option<Drift>,
}

/// The sums in which `d = y − x` takes part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drift {
    /// `Σ x dᵀ`, row-major, rows are the columns of x.
    pub(super) cross: Vec<f64>,
    /// `Σ d dᵀ`.
    pub(super) own: Symmetric,
}

impl Drift {
    fn new(size: usize) -> Self {
        Self { cross: vec![0.0; size * size], own: Symmetric::new(size) }
    }
}

impl Moments {
    pub(super) fn new(size: usize) -> Self {
        Self { own: Symmetric::new(size), drift: None }
    }

    /// Adds other sums of the same columns.
    pub(super) fn merge(&mut self, other: &Self) {
        add(&mut self.own.data, &other.own.data);
        if let Some(theirs) = &other.drift {
            let size = self.own.size;
            let ours = self.drift.get_or_insert_with(|| Drift::new(size));
            add(&mut ours.cross, &theirs.cross);
            add(&mut ours.own.data, &theirs.own.data);
        }
    }

    /// Adds the products of the vectors' columns `block`; returns the number of products.
    pub(super) fn add(&mut self, panel: &Panel, block: &Range<usize>) -> u64 {
        let x = Packed::new(&panel.x, panel.columns, block);
        let mut products = symmetric(&mut self.own, &x);
        let d = Packed::new(&panel.d, panel.columns, block);
        if !d.active.is_empty() {
            let size = self.own.size;
            let drift = self.drift.get_or_insert_with(|| Drift::new(size));
            products += symmetric(&mut drift.own, &d);
            products += (x.tiles() * d.tiles() * TILE * TILE * x.vectors) as u64;
            for (i, j) in (0..x.tiles()).flat_map(|i| (0..d.tiles()).map(move |j| (i, j))) {
                let sums = tile(x.tile(i), d.tile(j));
                for (&row, sums) in x.columns(i).iter().zip(&sums) {
                    for (&column, &sum) in d.columns(j).iter().zip(sums) {
                        drift.cross[row * size + column] += sum;
                    }
                }
            }
        }
        products
    }
}

fn add(sums: &mut [f64], more: &[f64]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// Adds `Σ v vᵀ`.
fn symmetric(sums: &mut Symmetric, v: &Packed) -> u64 {
    for i in 0..v.tiles() {
        for j in i..v.tiles() {
            let products = tile(v.tile(i), v.tile(j));
            for (&row, products) in v.columns(i).iter().zip(&products) {
                let upper = sums.upper_mut(row);
                for (&column, &product) in v.columns(j).iter().zip(products) {
                    // A tile on the diagonal computes both halves.
                    if column >= row {
                        upper[column - row] += product;
                    }
                }
            }
        }
    }
    (v.tiles() * (v.tiles() + 1) / 2 * TILE * TILE * v.vectors) as u64
}

/// Vectors whose products are added together: x and d = y − x of each.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    columns: usize,
    x: Vec<f64>,
    d: Vec<f64>,
}

impl Panel {
    pub(super) fn new(columns: usize) -> Self {
        Self { columns, x: Vec::new(), d: Vec::new() }
    }

    /// Number of vectors.
    pub(super) fn len(&self) -> usize {
        self.x.len() / self.columns
    }

    pub(super) fn clear(&mut self) {
        self.x.clear();
        self.d.clear();
    }

    /// Appends a vector of zeros: its x and its d.
    pub(super) fn push(&mut self) -> (&mut [f64], &mut [f64]) {
        let start = self.x.len();
        self.x.resize(start + self.columns, 0.0);
        self.d.resize(start + self.columns, 0.0);
        (&mut self.x[start..], &mut self.d[start..])
    }
}

/// The columns of a panel that are not 0 throughout, tile by tile, in a tile vector by vector.
struct Packed {
    vectors: usize,
    /// Columns within the block, ascending; the last tile is filled up with zeros.
    active: Vec<usize>,
    values: Vec<[f64; TILE]>,
}

impl Packed {
    fn new(panel: &[f64], columns: usize, block: &Range<usize>) -> Self {
        let mut any = vec![false; block.len()];
        for vector in panel.chunks_exact(columns) {
            for (any, value) in any.iter_mut().zip(&vector[block.clone()]) {
                *any |= *value != 0.0;
            }
        }
        let active: Vec<_> = (0..any.len()).filter(|&c| any[c]).collect();
        let vectors = panel.len() / columns;
        let mut values = vec![[0.0; TILE]; active.len().div_ceil(TILE) * vectors];
        for (vector, from) in panel.chunks_exact(columns).enumerate() {
            for (position, column) in active.iter().enumerate() {
                values[position / TILE * vectors + vector][position % TILE] =
                    from[block.start + column];
            }
        }
        Self { vectors, active, values }
    }

    fn tiles(&self) -> usize {
        self.active.len().div_ceil(TILE)
    }

    fn tile(&self, i: usize) -> &[[f64; TILE]] {
        &self.values[i * self.vectors..(i + 1) * self.vectors]
    }

    /// Columns of tile `i`; at most [`TILE`].
    fn columns(&self, i: usize) -> &[usize] {
        &self.active[i * TILE..(i * TILE + TILE).min(self.active.len())]
    }
}

/// Sums of products of the columns of two tiles.
fn tile(a: &[[f64; TILE]], b: &[[f64; TILE]]) -> [[f64; TILE]; TILE] {
    let mut sums = [[0.0; TILE]; TILE];
    for (a, b) in a.iter().zip(b) {
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    sums
}
