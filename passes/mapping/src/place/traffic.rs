//! What cores send to each other.

use crate::hypergraph::Hypergraph;
use crate::partition::Partition;

/// Messages per step from core to core, directed, only where there are any.
///
/// A message is an axon's spike as it reaches one core: an axon with targets on three other cores counts in three flows
/// (unicast; meshes of this kind have no multicast trees). What stays on its core is no traffic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Where the flows of each core start; one more than cores.
    starts: Vec<usize>,
    /// Where each flow goes, ascending within a source.
    targets: Vec<u32>,
    /// Messages per step of each flow, above 0.
    rates: Vec<f64>,
}

impl Traffic {
    /// Traffic of a partitioned network. Its total is the network's km1.
    ///
    /// Edges without a rate (0, negative or not a number) make no traffic, and neither do edges whose source lies on
    /// no core; targets that lie on no core are skipped. Linear in pins, plus sorting the flows of each core.
    pub fn of(network: &Hypergraph, partition: &Partition) -> Self {
        let core = |vertex: u32| {
            let core = partition.core.get(vertex as usize).copied();
            core.filter(|&core| core < partition.cores)
        };
        // Edges by core, so that one row is open at a time.
        let mut by_core = vec![Vec::new(); partition.cores as usize];
        for (edge, (&source, &rate)) in network.sources.iter().zip(&network.rates).enumerate() {
            if rate > 0.0
                && let Some(core) = core(source)
            {
                by_core[core as usize].push(edge);
            }
        }
        let mut rows = Rows::new(partition.cores);
        let mut reached_by = vec![usize::MAX; partition.cores as usize];
        for (source, edges) in (0..).zip(by_core) {
            for edge in edges {
                for target in network.targets_of(edge).iter().filter_map(|&t| core(t)) {
                    if target != source && reached_by[target as usize] != edge {
                        reached_by[target as usize] = edge;
                        rows.add(target, network.rates[edge]);
                    }
                }
            }
            rows.close();
        }
        rows.traffic
    }

    /// Traffic from a list of flows (source core, target core, messages per step), in any order; flows
    /// between the same cores add up. Flows of a core to itself, to cores from `cores` on, and without a rate above 0 are
    /// left out.
    pub fn from_flows(cores: u32, flows: impl IntoIterator<Item = (u32, u32, f64)>) -> Self {
        let mut by_core = vec![Vec::new(); cores as usize];
        for (source, target, rate) in flows {
            if source != target
                && target < cores
                && rate > 0.0
                && let Some(row) = by_core.get_mut(source as usize)
            {
                row.push((target, rate));
            }
        }
        let mut rows = Rows::new(cores);
        for row in by_core {
            for (target, rate) in row {
                rows.add(target, rate);
            }
            rows.close();
        }
        rows.traffic
    }

    /// Number of cores.
    pub fn cores(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Number of flows: pairs of cores one of which sends to the other.
    pub fn flows(&self) -> usize {
        self.targets.len()
    }

    /// Flows from a core: target and messages per step, by target.
    pub fn from(&self, core: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let range = self.starts[core]..self.starts[core + 1];
        self.targets[range.clone()].iter().copied().zip(self.rates[range].iter().copied())
    }

    /// All flows as (source, target, messages per step), by source, then target.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, f64)> + '_ {
        (0..).zip(0..self.cores()).flat_map(|(source, core)| {
            self.from(core).map(move |(target, rate)| (source, target, rate))
        })
    }

    /// All messages per step.
    pub fn total(&self) -> f64 {
        self.rates.iter().sum()
    }
}

/// Traffic while it is made, source by source.
struct Rows {
    traffic: Traffic,
    /// Rates of the row that is open, by target; 0 elsewhere.
    open: Vec<f64>,
    /// Targets of the row that is open.
    reached: Vec<u32>,
}

impl Rows {
    fn new(cores: u32) -> Self {
        Self {
            traffic: Traffic { starts: vec![0], ..Traffic::default() },
            open: vec![0.0; cores as usize],
            reached: Vec::new(),
        }
    }

    fn add(&mut self, target: u32, rate: f64) {
        let open = &mut self.open[target as usize];
        // Rates are above 0: 0 says that nothing went there yet.
        if *open <= 0.0 {
            self.reached.push(target);
        }
        *open += rate;
    }

    fn close(&mut self) {
        self.reached.sort_unstable();
        for target in self.reached.drain(..) {
            self.traffic.targets.push(target);
            self.traffic.rates.push(std::mem::take(&mut self.open[target as usize]));
        }
        self.traffic.starts.push(self.traffic.targets.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axon_counts_once_for_each_other_core() {
        // Vertices 0 and 1 on core 0, 2 and 3 on core 1, 4 on core 2; vertex 5 is an input.
        let network = Hypergraph {
            weights: vec![1, 1, 1, 1, 1, 0],
            sources: vec![0, 2, 5, 4],
            axons: vec![1; 4],
            rates: vec![2.0, 0.5, 9.0, 0.0],
            starts: vec![0, 4, 6, 7, 8],
            targets: vec![1, 2, 3, 4, 0, 1, 0, 0],
        };
        let partition = Partition { core: vec![0, 0, 1, 1, 2, u32::MAX], cores: 3 };
        let traffic = Traffic::of(&network, &partition);
        let flows: Vec<_> = traffic.iter().collect();
        assert_eq!(flows, [(0, 1, 2.0), (0, 2, 2.0), (1, 0, 0.5)]);
        assert_eq!((traffic.cores(), traffic.flows(), traffic.total()), (3, 3, 4.5));
        assert_eq!(traffic, Traffic::from_flows(3, flows));
    }

    #[test]
    fn flows_that_are_none_are_left_out() {
        let flows = [(0, 0, 1.0), (0, 7, 1.0), (9, 0, 1.0), (1, 0, f64::NAN), (1, 0, -1.0)];
        let good = [(1, 0, 1.0), (0, 1, 0.25), (1, 0, 2.0)];
        let traffic = Traffic::from_flows(2, flows.into_iter().chain(good));
        assert_eq!(traffic.iter().collect::<Vec<_>>(), [(0, 1, 0.25), (1, 0, 3.0)]);
        assert_eq!(Traffic::default().cores(), 0);
        assert_eq!(Traffic::from_flows(0, []).iter().count(), 0);
    }
}
