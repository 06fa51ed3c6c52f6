//! Messages between the cores of a mapped network.

use crate::rates::{Rates, Sent};
use snnc_ir::Entity;
use snnc_ir::arena::PopId;
use snnc_ir::mapped::{MappedDraft, Slice};
use snnc_ir::order::Order;
use snnc_mapping::place::Traffic;

/// What the cores of `draft` send to each other per step.
pub fn traffic(draft: &MappedDraft, rates: &Rates) -> Traffic {
    let network = &draft.network;
    let mut placed: Vec<Vec<(Slice, u32)>> = vec![Vec::new(); network.populations.len()];
    for (number, core) in (0..).zip(draft.cores.values()) {
        for slice in &core.slices {
            placed[slice.population.index()].push((*slice, number));
        }
    }
    for slices in &mut placed {
        slices.sort_unstable();
    }
    let sums: Vec<Sums> = network.populations.ids().map(|id| Sums::of(draft, rates, id)).collect();
    let mut flows = Vec::new();
    for (to, core) in (0..).zip(draft.cores.values()) {
        for run in &core.axons {
            let slices = &placed[run.population.index()];
            let first = slices.partition_point(|(s, _)| s.end() <= u64::from(run.start));
            for (slice, from) in &slices[first..] {
                if u64::from(slice.start) >= run.end() {
                    break;
                }
                let start = slice.start.max(run.start);
                let end = slice.end().min(run.end());
                flows.push((*from, to, sums[run.population.index()].between(start, end)));
            }
        }
    }
    let cores = u32::try_from(draft.cores.len()).unwrap_or(u32::MAX);
    Traffic::from_flows(cores, flows)
}

/// Sums of the rates of consecutive positions of a population.
enum Sums {
    /// All neurons have this rate.
    Equal(f64),
    /// Of all positions before each.
    Before(Vec<f64>),
}

impl Sums {
    fn of(draft: &MappedDraft, rates: &Rates, id: PopId) -> Self {
        match rates.of(&draft.network, id) {
            Sent::Alike(rate) => Self::Equal(rate),
            Sent::Each(rates) => {
                let block = draft.orders.get(id.index()).copied().unwrap_or(1);
                let order = Order::new(&draft.network.populations[id].shape, block);
                let mut sum = 0.0;
                let mut before = vec![0.0];
                for position in 0..u32::try_from(rates.len()).unwrap_or(u32::MAX) {
                    let rate = rates.get(order.neuron(position) as usize);
                    sum += rate.copied().map_or(0.0, f64::from);
                    before.push(sum);
                }
                Self::Before(before)
            }
        }
    }

    /// Of the positions from `start` up to `end`.
    fn between(&self, start: u32, end: u64) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "positions number below 2^32")]
            Self::Equal(rate) => rate * end.saturating_sub(u64::from(start)) as f64,
            Self::Before(sums) => {
                let at = |i: usize| sums.get(i).copied().unwrap_or(0.0);
                at(usize::try_from(end).unwrap_or(usize::MAX)) - at(start as usize)
            }
        }
    }
}
