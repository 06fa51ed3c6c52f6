//! Puts a chain of stages in place of a node.

use super::cost::{Cost, Key};
use super::site::{Factor, Site, Stage};
use crate::tensors::{TensorMaker, round, unique};
use snnc_ir::arena::TensorId;
use snnc_ir::network::{Edge, NetworkDraft, Node, Op, Scheme};
use snnc_ir::{Diagnostic, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// Rewrites nodes; tensors that several stages use are made once.
pub(super) struct Factory {
    names: BTreeSet<String>,
    made: BTreeMap<Key, TensorId>,
}

impl Factory {
    pub(super) fn new(draft: &NetworkDraft) -> Self {
        let names = draft.nodes.values().map(|n| n.name.clone()).collect();
        Self { names, made: BTreeMap::new() }
    }

    /// Replaces the node of `site`. It becomes the last stage, so that its readers and its bias stay; the
    /// others read what it read, and a relay stands behind each of them.
    ///
    /// # Errors
    /// `SNN0363` if a product of genes overflows f32.
    pub(super) fn replace(
        &mut self,
        draft: &mut NetworkDraft,
        pass: &'static str,
        site: &Site,
        cost: &Cost,
    ) -> Result<(), Diagnostic> {
        let Node { name, op, inputs, .. } = draft.nodes[site.node].clone();
        let bias = match op {
            Op::Linear { bias, .. } | Op::Conv2d { bias, .. } => bias,
            _ => None,
        };
        let mut weights = Vec::new();
        for stage in &cost.stages {
            weights.push(self.tensor(draft, pass, site, stage)?);
        }
        self.names.remove(&name);
        let mut inputs = inputs;
        let last = cost.stages.len() - 1;
        for (i, (stage, weight)) in cost.stages.iter().zip(weights).enumerate() {
            let bias = bias.filter(|_| i == last);
            let op = match stage.conv {
                Some(conv) => Op::Conv2d { weight, bias, conv },
                None => Op::Linear { weight, bias },
            };
            let name = unique(&mut self.names, &format!("{name}.{}", stage.factor.stage_name()));
            if i == last {
                let node = &mut draft.nodes[site.node];
                (node.name, node.op, node.inputs) = (name, op, inputs);
                return Ok(());
            }
            let shape = match stage.conv.and_then(|c| c.output()) {
                Some([channels, height, width]) => Shape::chw(channels, height, width),
                None => Shape::flat(stage.rows),
            };
            let relay = unique(&mut self.names, &format!("{name}.relay"));
            let source = draft.nodes.push(Node { name, op, inputs, shape: shape.clone() });
            let inputs_of_relay = vec![Edge { source, delay: 0 }];
            let node = Node { name: relay, op: Op::Relay(None), inputs: inputs_of_relay, shape };
            inputs = vec![Edge { source: draft.nodes.push(node), delay: 0 }];
        }
        Ok(())
    }

    /// The tensor of a stage.
    fn tensor(
        &mut self,
        draft: &mut NetworkDraft,
        pass: &'static str,
        site: &Site,
        stage: &Stage,
    ) -> Result<TensorId, Diagnostic> {
        let key = Key::of(site, stage);
        if let Some(&known) = self.made.get(&key) {
            return Ok(known);
        }
        let data = values(draft, site, stage.factor).into_iter().map(round).collect();
        let shape = match stage.conv {
            Some(conv) => Shape(conv.kernel_shape().to_vec()),
            None => Shape(vec![stage.rows, stage.columns]),
        };
        let suffix = stage.factor.tensor_name();
        let mut maker = TensorMaker::new(&mut draft.tensors, pass, suffix);
        let made = maker.derive(&key.origins(), suffix, shape, data)?;
        self.made.insert(key, made);
        Ok(made)
    }
}

/// A matrix in f64, row-major.
struct Matrix {
    values: Vec<f64>,
    columns: usize,
}

impl Matrix {
    fn of(draft: &NetworkDraft, tensor: TensorId) -> Self {
        let tensor = &draft.tensors[tensor];
        let columns = tensor.shape.0.last().map_or(1, |&d| d as usize);
        Self { values: tensor.data.iter().map(|&v| f64::from(v)).collect(), columns }
    }

    fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    fn transposed(&self) -> Self {
        let (rows, columns) = (self.rows(), self.columns);
        let value = |k: usize| self.values[k % rows * columns + k / rows];
        Self { values: (0..self.values.len()).map(value).collect(), columns: rows }
    }

    /// `self · other`, sums ascending.
    fn times(&self, other: &Self) -> Self {
        let mut values = vec![0.0; self.rows() * other.columns];
        let rows = values.chunks_exact_mut(other.columns.max(1));
        for (sums, factors) in rows.zip(self.values.chunks_exact(self.columns.max(1))) {
            let terms = factors.iter().zip(other.values.chunks_exact(other.columns.max(1)));
            for (factor, row) in terms {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += factor * x);
            }
        }
        Self { values, columns: other.columns }
    }
}

/// Values of a factor in the layout of its stage, in f64.
fn values(draft: &NetworkDraft, site: &Site, factor: Factor) -> Vec<f64> {
    let source = || Matrix::of(draft, site.genes.source).transposed();
    let mut out = Matrix::of(draft, site.genes.out);
    out.values.iter_mut().for_each(|v| *v *= site.scale);
    let core = Matrix::of(draft, site.genes.core);
    match factor {
        // Rows of a `flat_fan_in` source are (channel, row, column): columns of a kernel.
        Factor::Source => source().values,
        Factor::Out => out.values,
        _ if site.scheme != Scheme::PerOffset => match factor {
            Factor::SourceCore => core.times(&source()).values,
            Factor::CoreOut => out.times(&core).values,
            _ => core.values,
        },
        // One core for each cell of the kernel; a kernel has its cells innermost.
        _ => {
            let source = source();
            let size = (site.genes_out as usize * core.columns).max(1);
            let cells: Vec<Vec<f64>> = (core.values.chunks_exact(size))
                .map(|values| Matrix { values: values.to_vec(), columns: core.columns })
                .map(|core| match factor {
                    Factor::SourceCore => core.times(&source).values,
                    Factor::CoreOut => out.times(&core).values,
                    _ => core.values,
                })
                .collect();
            let pairs = cells.first().map_or(0, Vec::len);
            (0..pairs).flat_map(|pair| cells.iter().map(move |cell| cell[pair])).collect()
        }
    }
}
