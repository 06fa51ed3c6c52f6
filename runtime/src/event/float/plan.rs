//! Which nodes are summed in integers, proven node by node.

use super::grid::{Grid, Units, grid, spikes, unit};
use crate::event::synapses::Synapses;
use crate::float::plan::Operator;
use snnc_ir::arena::{Entity, NodeId, TensorId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Network, Node, Op};
use snnc_ir::quantized::Structure;

/// A matrix node whose sums are exact.
pub(super) struct Exact {
    /// Index into [`Plan::synapses`].
    pub(super) synapses: usize,
    /// What one unit of a sum is.
    pub(super) unit: f32,
    /// What is summed.
    pub(super) source: Source,
    /// One per element.
    pub(super) bias: Option<Vec<f32>>,
}

/// What a matrix reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    /// Spikes.
    Spikes,
    /// The counts of this [`Pool`], which are the units of its averages.
    Counts(NodeId),
    /// Values, so many units for a value of 1.
    Values(f32),
}

/// An average over spikes: each source belongs to one window or none.
pub(super) struct Pool {
    /// By source; beyond the outputs if it belongs to no window.
    window: Vec<u32>,
    /// What the sum of each window is divided by.
    count: Vec<f32>,
}

impl Pool {
    /// From the cells of each window; `None` if windows overlap.
    fn new(start: &[usize], cells: &[usize], count: &[f32], sources: usize) -> Option<Self> {
        let mut window = vec![u32::MAX; sources];
        for (o, range) in (0_u32..).zip(start.windows(2)) {
            for &cell in &cells[range[0]..range[1]] {
                if std::mem::replace(&mut window[cell], o) != u32::MAX {
                    return None;
                }
            }
        }
        Some(Self { window, count: count.to_vec() })
    }

    /// Lists the windows in which something spikes, with how much. `counts` is 0 before and after.
    pub(super) fn count(
        &self,
        active: &[u32],
        counts: &mut Vec<i32>,
        windows: &mut Vec<u32>,
        factors: &mut Vec<i32>,
    ) {
        counts.resize(self.count.len().max(counts.len()), 0);
        windows.clear();
        for &source in active {
            let window = self.window[source as usize];
            if window != u32::MAX {
                let count = &mut counts[window as usize];
                if *count == 0 {
                    windows.push(window);
                }
                *count += 1;
            }
        }
        factors.clear();
        factors.extend(windows.iter().map(|&w| std::mem::take(&mut counts[w as usize])));
    }

    /// The averages. Sums of ones are exact in any order.
    pub(super) fn apply(&self, active: &[u32], out: &mut [f32]) {
        out.fill(0.0);
        for &source in active {
            if let Some(sum) = out.get_mut(self.window[source as usize] as usize) {
                *sum += 1.0;
            }
        }
        out.iter_mut().zip(&self.count).for_each(|(sum, count)| *sum /= count);
    }
}

/// How nodes are computed.
pub(super) struct Plan {
    /// By node.
    pub(super) pools: Vec<Option<Pool>>,
    /// By node.
    pub(super) exact: Vec<Option<Exact>>,
    /// Distinct matrices; nodes that share a tensor and a geometry share one.
    pub(super) synapses: Vec<Synapses>,
    /// Whether the values of a node are needed one by one (not its spikes alone).
    pub(super) dense: Vec<bool>,
}

/// Weights that were looked at.
struct Known {
    /// Tensor, geometry, and the largest factor of a source.
    key: (TensorId, Option<Conv>, u64),
    /// Exponent of their unit, the largest sum in units, and the place of their layout, if there is
    /// one.
    found: Option<(i32, u64, usize)>,
}

impl Plan {
    /// Decides for all nodes in `order`, in which delay-0 edges point forward; `operators` are the
    /// definition's.
    pub(super) fn new(network: &Network, order: &[NodeId], operators: &[Operator]) -> Self {
        let count = network.nodes.len();
        let pool = |(id, node): (NodeId, &Node)| {
            let source = &network.nodes[node.inputs.first()?.source];
            match &operators[id.index()] {
                Operator::Pool { start, cells, count } if spikes(source) => {
                    Pool::new(start, cells, count, source.shape.size())
                }
                _ => None,
            }
        };
        let mut plan = Self {
            pools: network.nodes.iter().map(pool).collect(),
            exact: (0..count).map(|_| None).collect(),
            synapses: Vec::new(),
            dense: vec![false; count],
        };
        let mut grids = vec![None; count];
        // What spikes is known beforehand: delayed edges may read nodes that come later.
        for (id, _) in network.nodes.iter().filter(|(_, node)| spikes(node)) {
            grids[id.index()] = grid(network, id, &grids);
        }
        let mut known: Vec<Known> = Vec::new();
        for &id in order {
            grids[id.index()] = match &network.nodes[id].op {
                Op::Linear { weight, bias } => {
                    plan.matrix(network, id, *weight, *bias, None, &grids, &mut known)
                }
                Op::Conv2d { weight, bias, conv } => {
                    plan.matrix(network, id, *weight, *bias, Some(*conv), &grids, &mut known)
                }
                _ => grid(network, id, &grids),
            };
        }
        for (id, node) in network.nodes.iter() {
            for edge in &node.inputs {
                let exact = plan.exact[id.index()].as_ref();
                let exact = exact.is_some_and(|e| !matches!(e.source, Source::Values(_)));
                let events = exact || plan.pools[id.index()].is_some();
                plan.dense[edge.source.index()] |= !events;
            }
            let read = network.readout.node() == id;
            let events = spikes(node) || plan.pools[id.index()].is_some();
            plan.dense[id.index()] |= read || !events;
        }
        plan
    }

    /// Plans matrix node `id` if its sums are exact; returns the grid of its values.
    #[expect(clippy::too_many_arguments, reason = "parts of one node")]
    fn matrix(
        &mut self,
        network: &Network,
        id: NodeId,
        weight: TensorId,
        bias: Option<TensorId>,
        conv: Option<Conv>,
        grids: &[Option<Grid>],
        known: &mut Vec<Known>,
    ) -> Option<Grid> {
        let node = &network.nodes[id];
        let source = node.inputs.first()?.source;
        let from = grids[source.index()]?;
        let key = (weight, conv, from.max);
        let at = known.iter().position(|k| k.key == key).unwrap_or_else(|| {
            let found = self.lay_out(network, weight, conv, from);
            known.push(Known { key, found });
            known.len() - 1
        });
        let (exponent, max, synapses) = known[at].found?;
        let sums = Grid { exponent: exponent + from.exponent, max }.checked()?;
        let bias = bias.map(|b| {
            let values = &network.tensors[b].data;
            let positions = node.shape.size() / values.len().max(1);
            values.iter().flat_map(|&x| std::iter::repeat_n(x, positions)).collect::<Vec<_>>()
        });
        let grid = bias.is_none().then_some(sums);
        self.exact[id.index()] = Some(Exact {
            synapses,
            unit: unit(sums.exponent),
            source: if spikes(&network.nodes[source]) {
                Source::Spikes
            } else if self.pools[source.index()].is_some() {
                Source::Counts(source)
            } else {
                Source::Values(unit(-from.exponent))
            },
            bias,
        });
        grid
    }

    /// Lays a matrix out by source, if its weights are on a grid.
    fn lay_out(
        &mut self,
        network: &Network,
        weight: TensorId,
        conv: Option<Conv>,
        from: Grid,
    ) -> Option<(i32, u64, usize)> {
        let tensor = &network.tensors[weight];
        let units = Units::new(&network.values(weight))?;
        let outputs = match conv {
            Some(conv) => conv.out_channels as usize,
            None => tensor.shape.channels(),
        };
        let sums = units.sums(units.weights.len() / outputs.max(1), from)?;
        let structure = match conv {
            Some(conv) => Structure::Conv(conv),
            None => Structure::Dense {
                rows: u32::try_from(tensor.shape.channels()).ok()?,
                cols: u32::try_from(tensor.shape.per_channel()).ok()?,
            },
        };
        let synapses = Synapses::new(&structure, |i| units.weights[i], sums.max, 1)?;
        self.synapses.push(synapses);
        Some((units.exponent, sums.max, self.synapses.len() - 1))
    }
}
