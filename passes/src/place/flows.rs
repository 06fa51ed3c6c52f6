//! Messages between the cores of a mapped network.

use crate::rates::{Rates, Sent};
use snnc_ir::Entity;
use snnc_ir::arena::PopId;
use snnc_ir::mapped::senders::{Sender, Senders};
use snnc_ir::mapped::{Core, MappedDraft, Slice};
use snnc_ir::order::Order;
use snnc_ir::quantized::QuantizedDraft;
use snnc_mapping::place::Traffic;

/// What the cores of `draft` send to each other per step.
pub fn traffic(draft: &MappedDraft, rates: &Rates) -> Traffic {
    let cores: Vec<&Core> = draft.cores.values().collect();
    traffic_between(&draft.network, &draft.orders, &cores, rates)
}

/// What these cores send to each other per step, where populations have these orders.
pub(crate) fn traffic_between(
    network: &QuantizedDraft,
    orders: &[u32],
    cores: &[&Core],
    rates: &Rates,
) -> Traffic {
    let senders = Senders::of(cores.iter().copied());
    let narrow = |core: usize| u32::try_from(core).unwrap_or(u32::MAX);
    let sums = |id| Sums::of(network, orders, rates, id);
    let sums: Vec<Sums> = network.populations.ids().map(sums).collect();
    let mut flows = Vec::new();
    for (to, core) in (0..).zip(cores) {
        for run in &core.axons {
            let sums = &sums[run.population.index()];
            let sent = |s: Sender| (narrow(s.core), to, sums.between(s.part));
            flows.extend(senders.behind(*run).map(sent));
        }
    }
    Traffic::from_flows(narrow(cores.len()), flows)
}

/// Sums of the rates of consecutive positions of a population.
pub(super) enum Sums {
    /// All neurons have this rate.
    Equal(f64),
    /// Of all positions before each.
    Before(Vec<f64>),
}

impl Sums {
    pub(super) fn of(network: &QuantizedDraft, orders: &[u32], rates: &Rates, id: PopId) -> Self {
        match rates.of(network, id) {
            Sent::Alike(rate) => Self::Equal(rate),
            Sent::Each(rates) => {
                let block = orders.get(id.index()).copied().unwrap_or(1);
                let order = Order::new(&network.populations[id].shape, block);
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

    /// Of these positions.
    pub(super) fn between(&self, part: Slice) -> f64 {
        match self {
            Self::Equal(rate) => rate * f64::from(part.len),
            Self::Before(sums) => {
                let range = part.neurons();
                let at = |i: usize| sums.get(i).copied().unwrap_or(0.0);
                at(range.end) - at(range.start)
            }
        }
    }
}
