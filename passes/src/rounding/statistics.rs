//! Sums over samples of what the sources of a population remember together.

use super::Traces;
use super::layout::Layout;
use super::moments::{BATCH, Moments, Panel};
use snnc_ir::spikes::SpikeTrain;

/// Products that count as one unit of work. A unit is about what one synaptic event costs (10 ns); sums of
/// panels, made in registers, take that long for so many.
const PRODUCTS_PER_WORK: u64 = 64;

/// Which of all vectors (sample, step, output position, in this order) enter the sums: every
/// `stride`-th, counted from the very first, so that the choice does not depend on chunks of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    stride: u64,
}

impl Sampling {
    /// Every vector.
    pub const ALL: Self = Self { stride: 1 };

    /// About `wanted` of the vectors that `samples` runs of `steps` steps offer, at least that many
    /// where there are. The stride shares no factor with steps and positions: all of them are visited.
    pub fn spread(layout: &Layout, samples: u64, steps: u64, wanted: u64) -> Self {
        let period = steps.saturating_mul(layout.positions() as u64).max(1);
        let widest = (samples.saturating_mul(period) / wanted.max(1)).max(1);
        let stride = (1..=widest).rev().find(|&s| gcd(s, period) == 1);
        Self { stride: stride.unwrap_or(1) }
    }

    /// Vectors from one that is taken to the next.
    pub const fn stride(self) -> u64 {
        self.stride
    }
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The sums of a family of terms (see the [module](super)), with the number of vectors.
///
/// The order of all additions is fixed by the order of [`Statistics::add`] and [`Statistics::merge`].
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics<'l> {
    layout: &'l Layout,
    leak: f64,
    sampling: Sampling,
    /// By class, by block.
    moments: Vec<Vec<Moments>>,
    vectors: u64,
    products: u64,
}

impl<'l> Statistics<'l> {
    /// Empty sums. `leak` is the share that the target's membrane keeps from step to step, possibly
    /// [shortened](super::shortened) by resets; where neurons differ, a mean.
    pub fn new(layout: &'l Layout, leak: f64, sampling: Sampling) -> Self {
        let blocks = || layout.blocks().iter().map(|b| Moments::new(b.len())).collect();
        let moments = layout.classes().iter().map(|_| blocks()).collect();
        Self { layout, leak, sampling, moments, vectors: 0, products: 0 }
    }

    /// The columns.
    pub const fn layout(&self) -> &'l Layout {
        self.layout
    }

    /// Number of vectors in the sums.
    pub const fn vectors(&self) -> u64 {
        self.vectors
    }

    /// Units of work done so far.
    pub const fn work(&self) -> u64 {
        self.products / PRODUCTS_PER_WORK
    }

    /// Adds run number `sample`: the trains of all sources with the quantized prefix and in the float
    /// network, by [`Input::source`](super::Input::source).
    ///
    /// # Panics
    /// If a source is missing, or a train has not the neurons or the steps that the others imply.
    pub fn add(&mut self, sample: u64, quantized: &[&SpikeTrain], float: &[&SpikeTrain]) {
        let layout = self.layout;
        let mut x = self.traces();
        let mut y = self.traces();
        let mut panels = vec![Panel::new(layout.columns()); layout.classes().len()];
        let mut y_vector = vec![0.0; layout.columns()];
        let mut constant = 0.0;
        let positions = layout.positions() as u64;
        let steps = steps(layout, quantized, float);
        let stride = self.sampling.stride;
        // Number of the first vector of the step, among those of all samples.
        let mut number = sample.wrapping_mul(steps as u64).wrapping_mul(positions);
        for t in 0..steps {
            step(layout, &mut x, t, quantized);
            step(layout, &mut y, t, float);
            constant = constant * self.leak + 1.0;
            let mut position = (stride - number % stride) % stride;
            while position < positions {
                for (class, panel) in panels.iter_mut().enumerate() {
                    let position = usize::try_from(position).unwrap_or(usize::MAX);
                    let (to_x, to_d) = panel.push();
                    layout.gather(class, position, &x, to_x);
                    layout.gather(class, position, &y, &mut y_vector);
                    for (d, (y, x)) in to_d.iter_mut().zip(y_vector.iter().zip(&*to_x)) {
                        *d = y - x;
                    }
                    to_x[layout.bias()] = constant;
                    to_d[layout.bias()] = 0.0;
                }
                self.vectors += 1;
                if panels.first().is_some_and(|p| p.len() == BATCH) {
                    self.flush(&mut panels);
                }
                position += stride;
            }
            number = number.wrapping_add(positions);
        }
        self.flush(&mut panels);
    }

    /// Adds other sums of the same layout.
    ///
    /// # Panics
    /// If the layouts differ.
    pub fn merge(&mut self, other: &Self) {
        assert!(self.layout == other.layout, "sums of different layouts");
        for (ours, theirs) in self.moments.iter_mut().zip(&other.moments) {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| ours.merge(theirs));
        }
        self.vectors += other.vectors;
        self.products += other.products;
    }

    /// Silent traces of every term.
    fn traces(&self) -> Vec<Traces> {
        let sources = self.layout.terms().iter().map(|t| t.structure.cols());
        sources.map(|n| Traces::new(n, self.leak)).collect()
    }

    /// Sums of a class, block by block.
    pub(super) fn moments(&self, class: usize) -> &[Moments] {
        &self.moments[class]
    }

    fn flush(&mut self, panels: &mut [Panel]) {
        for (panel, moments) in panels.iter_mut().zip(&mut self.moments) {
            if panel.len() > 0 {
                for (moments, block) in moments.iter_mut().zip(self.layout.blocks()) {
                    self.products += moments.add(panel, block);
                }
                panel.clear();
            }
        }
    }
}

/// Steps that all trains have.
fn steps(layout: &Layout, quantized: &[&SpikeTrain], float: &[&SpikeTrain]) -> usize {
    let mut steps = None;
    for term in layout.terms() {
        for input in &term.inputs {
            for train in [quantized[input.source], float[input.source]] {
                assert_eq!(train.neurons(), term.structure.cols(), "neurons of a source");
                assert_eq!(*steps.get_or_insert(train.steps()), train.steps(), "steps of a source");
            }
        }
    }
    steps.unwrap_or(0)
}

/// Advances the traces of every term to step `t`.
fn step(layout: &Layout, traces: &mut [Traces], t: usize, trains: &[&SpikeTrain]) {
    for (traces, term) in traces.iter_mut().zip(layout.terms()) {
        traces.step(t, term.inputs.iter().map(|i| (trains[i.source], i.delay)));
    }
}
