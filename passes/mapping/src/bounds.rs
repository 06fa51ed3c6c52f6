//! What no mapping of a layered network can do better than: proven lower bounds on cores, copies of axons and traffic.
//!
//! **Totals.** Cores are at least the total of each resource over its limit: neurons, words of synapse memory, input
//! axons.
//!
//! **Windows.** A core that holds `m` pixels of a layer sees at least [`seen`] source pixels. Let `s` be the stride along an axis,
//! and let the windows of `r < all` targets side by side at a border see `s · r + q` sources there (`q = k − s` less what
//! the border cuts off). Pushing the targets of each row to the border with most cut off, then those of each column, never
//! lets a set see more: a source row sees what its widest target row sees, and rows of borders are nested. What
//! results is a staircase of `h` rows, the first with `w` targets, `w · h ≥ m`, which sees
//! `s_r s_c m + q_r s_c w + s_r q_c h + q_r q_c ≥ (√(s_r s_c m) + √(q_r q_c))²`, the form that the inequality of Brunn
//! and Minkowski gives without borders. Staircases that reach the opposite border may see less: full rows
//! `s_r s_c m + q_r s_c W`, full columns `s_r s_c m + s_r q_c H`, both at least `s_r s_c m`; with stride 1 and a kernel
//! of `2 p + 1` with padding `p`, both see all but what does not see them: `H W − (√(H W − m) − p)²`. The least of
//! these forms is the bound. It needs `s ≤ k`, `q ≥ 0` and that borders cut off no more than `k − s`; other windows count as one place
//! for each target at most.
//!
//! **Copies.** A core that holds `n` neurons of a layer with `C` channels sees at least `C_source · seen(⌈n / C⌉)` of its source axons; let `α`
//! be the least ratio of that to `n` over all `n` that fit on a core. Then axons arrive at cores `Σ neurons · α` times
//! at least, and cores are at least that over the limit of input axons. Where layers share a source, each source
//! counts for the reader that needs most of it only.

use crate::hypergraph::Hypergraph;
use crate::layers::tiles::{CoreLimits, Storage};
use crate::layers::{Network, Read, Shape, Store, Window};
use crate::partition::Limits;

/// Lower bounds on cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreBounds {
    /// By neurons.
    pub neurons: u64,
    /// By words of synapse memory; 0 where memory does not count.
    pub words: u64,
    /// By input axons.
    pub inputs: u64,
    /// Axons arrive at cores at least this often, all together.
    pub copies: u64,
}

impl CoreBounds {
    /// The bound that counts.
    pub fn largest(&self) -> u64 {
        self.tightest().0
    }

    /// The bound that counts, and the resource that sets it.
    pub fn tightest(&self) -> (u64, &'static str) {
        let [first, rest @ ..] = [
            (self.neurons, "neurons"),
            (self.words, "synapse memory"),
            (self.inputs, "input axons"),
        ];
        rest.into_iter().fold(first, |a, b| if b.0 > a.0 { b } else { a })
    }
}

/// Bounds for a hypergraph: a bundle of axons arrives at least on as many cores as its targets fill.
pub fn hypergraph(graph: &Hypergraph, limits: &Limits) -> CoreBounds {
    let neurons = graph.neurons().div_ceil(limits.neurons.max(1));
    let weight = |target: &u32| u64::from(graph.weights[*target as usize]);
    let arrivals = |edge: usize| {
        let targets: u64 = graph.targets_of(edge).iter().map(weight).sum();
        targets.div_ceil(limits.neurons.max(1)) * u64::from(graph.axons[edge])
    };
    let copies: u64 = (0..graph.edges()).map(arrivals).sum();
    CoreBounds { neurons, words: 0, inputs: copies.div_ceil(limits.inputs.max(1)), copies }
}

/// Bounds for cores with limits of neurons and distinct source neurons.
pub fn partition(network: &Network, limits: &Limits) -> CoreBounds {
    let per_pixel =
        |read: &Read| u64::from(network.layers[read.source].shape.channels / read.groups);
    let (inputs, copies) = inputs(network, limits.neurons, limits.inputs, per_pixel);
    let neurons = network.neurons().div_ceil(limits.neurons.max(1));
    CoreBounds { neurons, words: 0, inputs, copies }
}

/// Bounds for cores with synapse memory.
pub fn cores(network: &Network, limits: &CoreLimits) -> CoreBounds {
    let per_pixel = |read: &Read| {
        let channels = u64::from(network.layers[read.source].shape.channels / read.groups);
        match limits.atoms {
            0 => channels,
            _ if read.store == Store::Lists => channels,
            // Channels of a group share axons with those of other groups.
            _ if read.groups > 1 => 0,
            atoms => channels.div_ceil(u64::from(atoms)),
        }
    };
    let (inputs, copies) = inputs(network, limits.neurons, limits.inputs, per_pixel);
    let neurons = network.neurons().div_ceil(limits.neurons.max(1));
    let words = words(network, limits).div_ceil(limits.words.max(1));
    CoreBounds { neurons, words, inputs, copies }
}

/// Traffic (as [`Hypergraph::km1`]) that no partition undercuts: an axon whose source and targets have more neurons than a core
/// holds reaches several.
pub fn km1(graph: &Hypergraph, limits: &Limits) -> f64 {
    let mut total = 0.0;
    for edge in 0..graph.edges() {
        let source = graph.sources[edge];
        let targets = graph.targets_of(edge);
        let weight = |vertex: u32| u64::from(graph.weights[vertex as usize]);
        let mut neurons: u64 = targets.iter().map(|&target| weight(target)).sum();
        if targets.binary_search(&source).is_err() {
            neurons += weight(source);
        }
        let cores = neurons.div_ceil(limits.neurons.max(1));
        total += graph.rates[edge] * float(cores.saturating_sub(1));
    }
    total
}

/// Words that all cores together need at least.
fn words(network: &Network, limits: &CoreLimits) -> u64 {
    let mut bits = 0_u128;
    for layer in &network.layers {
        for read in &layer.reads {
            let from = network.layers[read.source].shape;
            let values = match (read.store, limits.storage) {
                (Store::One, Storage::Once) => 1,
                (Store::Kernel, Storage::Once) => kernel(read, from, layer.shape, false),
                (Store::Kernel | Store::One, Storage::Patterns) => {
                    kernel(read, from, layer.shape, true)
                }
                (Store::Lists, _) | (_, Storage::Lists) => read.synapses(from, layer.shape),
            };
            bits += values * u128::from(limits.weight_bits);
        }
    }
    u64::try_from(bits.div_ceil(64)).unwrap_or(u64::MAX)
}

/// Values of a kernel: all, or those that some synapse uses.
fn kernel(read: &Read, from: Shape, shape: Shape, used: bool) -> u128 {
    let taps = |window: Window, sources: u32, targets: u32| {
        if !used {
            return u128::from(window.kernel);
        }
        let uses = |tap: &u32| {
            // The first target for which the tap does not lie before the first source.
            let before = u64::from(window.padding.saturating_sub(*tap));
            let target = before.div_ceil(u64::from(window.stride));
            let place = target * u64::from(window.stride) + u64::from(*tap);
            let place = place - u64::from(window.padding);
            target < u64::from(targets) && place < u64::from(sources)
        };
        (0..window.kernel).filter(uses).count() as u128
    };
    let rows = taps(read.rows, from.height, shape.height);
    let columns = taps(read.columns, from.width, shape.width);
    rows * columns * u128::from(shape.channels) * u128::from(from.channels / read.groups)
}

/// Cores by input axons, and copies of axons. `axons` says how many a source pixel takes for a target that reads it.
fn inputs(network: &Network, neurons: u64, limit: u64, axons: impl Fn(&Read) -> u64) -> (u64, u64) {
    // For each source, the reader that needs most copies of it.
    let mut most = vec![0.0_f64; network.layers.len()];
    for layer in &network.layers {
        for read in &layer.reads {
            let from = network.layers[read.source].shape;
            let copies = copies(read, from, layer.shape, neurons, limit, axons(read));
            most[read.source] = most[read.source].max(copies);
        }
    }
    let copies: f64 = most.iter().sum();
    let least = whole(copies);
    (least.div_ceil(limit.max(1)), least)
}

/// Copies of axons that all neurons of a layer need.
fn copies(read: &Read, from: Shape, shape: Shape, neurons: u64, limit: u64, axons: u64) -> f64 {
    let total = shape.neurons();
    let per_pixel = u64::from(shape.channels / read.groups);
    let mut least = f64::INFINITY;
    if read.groups > 1 {
        // Groups may share a core in any way: only what grows with pixels counts.
        let pixel = float(cell(read.rows) * cell(read.columns)) * float(axons);
        let inner = sound(read.rows, from.height, shape.height).is_some()
            && sound(read.columns, from.width, shape.width).is_some();
        return if inner { pixel * float(total) / float(per_pixel) } else { 0.0 };
    }
    // Ratios fall with pixels, in each of the forms of `seen`: the most that fit decide, or the most whole pixels.
    let needed = |held: u64| seen(read, from, shape, held.div_ceil(per_pixel)) * float(axons);
    let fits = |held: u64| needed(held) <= float(limit) + 1e-6;
    let (mut low, mut high) = (0, neurons.min(total) + 1);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for held in [low, low / per_pixel * per_pixel] {
        if held > 0 {
            least = least.min(needed(held) / float(held));
        }
    }
    if least.is_finite() { least * float(total) } else { 0.0 }
}

/// Sources that each target has for itself along an axis.
fn cell(window: Window) -> u64 {
    u64::from(window.stride.min(window.kernel))
}

/// An axis whose borders cut off little enough: what windows at the border see beyond `stride` for each target.
fn sound(window: Window, sources: u32, targets: u32) -> Option<u64> {
    let (kernel, stride) = (u64::from(window.kernel), u64::from(window.stride));
    let (padding, sources) = (u64::from(window.padding), u64::from(sources));
    let beyond = kernel.checked_sub(stride)?;
    let end = u64::from(targets.max(1) - 1) * stride + kernel;
    let after = end.saturating_sub(padding + sources);
    let cut = padding.max(after);
    // All targets together must not see less than `stride` for each.
    let all = end.saturating_sub(padding).min(sources);
    (cut <= beyond && all >= stride * u64::from(targets)).then(|| beyond - cut)
}

/// Source pixels that `pixels` target pixels see at least, wherever they lie.
pub fn seen(read: &Read, from: Shape, shape: Shape, pixels: u64) -> f64 {
    let pixels = pixels.min(shape.pixels());
    if pixels == 0 {
        return 0.0;
    }
    let axes = [(read.rows, from.height, shape.height), (read.columns, from.width, shape.width)];
    if axes.iter().any(|(window, ..)| window.padding == 0 && window.stride > window.kernel) {
        return apart(read, axes, pixels);
    }
    let sound = axes.map(|(window, sources, targets)| sound(window, sources, targets));
    let [Some(down), Some(across)] = sound else { return 1.0 };
    let [down, across] = [float(down), float(across)];
    let strides = [float(u64::from(read.rows.stride)), float(u64::from(read.columns.stride))];
    let (m, cell) = (float(pixels), strides[0] * strides[1]);
    let (height, width) = (float(u64::from(shape.height)), float(u64::from(shape.width)));
    let corner = ((cell * m).sqrt() + (down * across).sqrt()).powi(2);
    let padded = axes.map(|(window, sources, targets)| {
        let end = u64::from(targets - 1) * u64::from(window.stride) + u64::from(window.kernel);
        window.padding > 0 || end > u64::from(sources)
    });
    let mut least = corner;
    if padded[0] {
        // Full columns.
        least = least.min(cell * m + strides[0] * across * height);
    }
    if padded[1] {
        least = least.min(cell * m + down * strides[1] * width);
    }
    if padded == [true, true] {
        let same = |(window, sources, targets): &(Window, u32, u32)| {
            let p = window.padding;
            window.stride == 1 && window.kernel == 2 * p + 1 && sources == targets
        };
        let all = height * width;
        let both = if axes.iter().all(same) && read.rows.kernel == read.columns.kernel {
            all - ((all - m).sqrt() - down).max(0.0).powi(2)
        } else {
            cell * m
        };
        least = least.min(both);
    }
    // A target sees its own window at least.
    least.max(1.0)
}

/// Windows that do not overlap along some axis, without padding: as if each target had a cell of its own, with what follows the cells
/// added once.
fn apart(read: &Read, axes: [(Window, u32, u32); 2], pixels: u64) -> f64 {
    if axes.iter().any(|(window, ..)| window.padding > 0) {
        return 1.0;
    }
    let area = float(cell(read.rows) * cell(read.columns)) * float(pixels);
    let rest = axes.map(|(window, ..)| float(u64::from(window.kernel) - cell(window)));
    (area.sqrt() + (rest[0] * rest[1]).sqrt()).powi(2)
}

/// The least whole number that is not below this one, but for rounding.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and copies of axons lie far below 2^53"
)]
fn whole(value: f64) -> u64 {
    (value * (1.0 - 1e-12) - 1e-6).ceil().max(0.0) as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
#[path = "bounds/tests.rs"]
mod tests;
