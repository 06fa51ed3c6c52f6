//! What the cores of a mapped network do in a step, and what that takes where a target publishes figures.

use super::flows::Sums;
use crate::rates::Rates;
use snnc_ir::Entity;
use snnc_ir::arena::ProjId;
use snnc_ir::mapped::{Core, MappedDraft, Slice, reach};
use snnc_ir::order::Order;
use snnc_ir::quantized::Structure;
use snnc_ir::target::{Cost as Published, Costs};
use snnc_mapping::place::{Account, CoreWork, Cost, Figures, Messages, account};
use std::collections::BTreeMap;

/// What a step takes, by the lowest and by the highest of the published figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// What is counted: synaptic events, neurons and spikes of all cores.
    pub work: CoreWork,
    /// By the lowest figures, and by the highest.
    pub accounts: [Account; 2],
}

/// What the cores do. Synaptic events follow from the structure and the rates of the sources: of a dense matrix every neuron of
/// a slice is one for each spike, zero weights included, as its lists hold them; of other matrices every nonzero synapse.
///
/// **Complexity**: O(input axons + stored values of the rows of all slices), for convolutions O(kernel values of the channels
/// present + neurons read · taps) for each slice.
pub fn work(draft: &MappedDraft, rates: &Rates) -> Vec<CoreWork> {
    let network = &draft.network;
    let ids = || network.populations.ids();
    let sums: Vec<Sums> = ids().map(|id| Sums::of(network, &draft.orders, rates, id)).collect();
    let block = |id: usize| draft.orders.get(id).copied().unwrap_or(1);
    let order =
        |id: snnc_ir::arena::PopId| Order::new(&network.populations[id].shape, block(id.index()));
    let orders: Vec<Order> = ids().map(order).collect();
    let of_core = |core: &Core| {
        let sent = |slice: &Slice| sums[slice.population.index()].between(*slice);
        let outside =
            core.axons.iter().filter(|run| network.populations[run.population].is_input());
        let mut work = CoreWork {
            spikes: core.slices.iter().map(sent).sum(),
            injected: outside.map(sent).sum(),
            ..CoreWork::default()
        };
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 neurons")]
        {
            work.neurons = core.compartments() as f64;
        }
        // Blocks of one projection and slice share one look at the slice.
        let mut groups: BTreeMap<(ProjId, u32), Vec<Slice>> = BTreeMap::new();
        for block in &core.blocks {
            let run = core.axons[block.axons as usize];
            groups.entry((block.projection, block.slice)).or_default().push(run);
        }
        for ((projection, slice), runs) in groups {
            let ends = &network.projections[projection];
            let slice = &core.slices[slice as usize];
            let [source, target] = [ends.source, ends.target].map(|id| &orders[id.index()]);
            let sums = &sums[ends.source.index()];
            let matrix = &network.matrices[ends.matrix];
            if let Structure::Dense { .. } = matrix.structure {
                let arriving: f64 = runs.iter().map(|run| sums.between(*run)).sum();
                work.events += arriving * f64::from(slice.len);
                continue;
            }
            let counts = reach::counts(matrix, target, slice);
            for run in runs {
                for position in run.start..run.start + run.len {
                    let synapses = counts[source.neuron(position) as usize];
                    if synapses > 0 {
                        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
                        let synapses = synapses as f64;
                        work.events +=
                            synapses * sums.between(Slice { start: position, len: 1, ..run });
                    }
                }
            }
        }
        work
    };
    draft.cores.values().map(of_core).collect()
}

/// Estimates a step of a mapped network, whose cores send these messages, `busiest` of them over the busiest link.
///
/// # Errors
/// The cost that the target file has no figures of, and why, if there is one.
pub(super) fn estimate(
    draft: &MappedDraft,
    costs: &Costs,
    rates: &Rates,
    sent: impl FnOnce() -> Vec<Messages>,
    busiest: f64,
) -> Result<Estimate, Absent> {
    let figures = figures(costs)?;
    let mut cores = work(draft, rates);
    cores.iter_mut().zip(sent()).for_each(|(core, messages)| core.messages = messages);
    let sum = |of: fn(&CoreWork) -> f64| cores.iter().map(of).sum();
    let work = CoreWork {
        events: sum(|c| c.events),
        neurons: sum(|c| c.neurons),
        spikes: sum(|c| c.spikes),
        injected: sum(|c| c.injected),
        ..CoreWork::default()
    };
    Ok(Estimate { work, accounts: figures.map(|figures| account(&figures, &cores, busiest)) })
}

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// What the target file says.
    pub why: String,
    /// Line in the target file.
    pub line: u32,
}

/// The lowest and the highest figures of a target, in pJ and ns.
fn figures(costs: &Costs) -> Result<[Figures; 2], Absent> {
    // Thousand times less: femtojoules to picojoules, picoseconds to nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "costs are small numbers")]
    let range = |cost: &Published| match cost {
        Published::Known { value, .. } => Ok(value.map(|n| n as f64 / 1000.0)),
        Published::Absent { absent, line } => Err(Absent { why: absent.clone(), line: *line }),
    };
    let both = |energy: &Published, time: &Published| {
        let ([e, f], [t, u]) = (range(energy)?, range(time)?);
        Ok([Cost { energy: e, time: t }, Cost { energy: f, time: u }])
    };
    let synapse = both(&costs.synapse_energy, &costs.synapse_time)?;
    let neuron = both(&costs.neuron_energy, &costs.neuron_time)?;
    let firing = both(&costs.firing_energy, &costs.firing_time)?;
    let sent = both(&costs.message_energy, &costs.message_time)?;
    let link_x = both(&costs.hop_energy_x, &costs.hop_time_x)?;
    let link_y = both(&costs.hop_energy_y, &costs.hop_time_y)?;
    let [arrival, router, barrier] =
        [range(&costs.arrival_time)?, range(&costs.router_energy)?, range(&costs.barrier_time)?];
    Ok([0, 1].map(|end| Figures {
        synapse: synapse[end],
        neuron: neuron[end],
        firing: firing[end],
        sent: sent[end],
        arrival: arrival[end],
        router: router[end],
        link_x: link_x[end],
        link_y: link_y[end],
        barrier: barrier[end],
    }))
}
