//! Puts networks in hardware time on cores.

use super::draw::Draw;
use super::{Space, hardware};
use crate::arena::{Arena, CoreId, Entity, PopId};
use crate::mapped::{Block, Core, MappedDraft, Slice};
use crate::order::Order;
use crate::quantized::QuantizedDraft;
use std::collections::BTreeSet;

/// A network in hardware time, scattered.
pub(super) fn build(draw: &mut Draw, space: Space, blocks: bool) -> MappedDraft {
    let network = hardware::build(draw, space);
    scatter(draw, network, blocks)
}

/// Cuts populations anywhere and spreads the parts over one to four cores; in blocks of channels at will,
/// or all row-major.
pub(super) fn scatter(draw: &mut Draw, network: QuantizedDraft, blocks: bool) -> MappedDraft {
    let mut orders = vec![1; network.populations.len()];
    if blocks {
        for (order, population) in orders.iter_mut().zip(network.populations.values()) {
            let channels = u32::try_from(population.shape.channels()).unwrap_or(1);
            *order = 1 + draw.small(channels);
        }
    }
    let mut cores: Vec<Core> =
        (0..=draw.small(4)).map(|i| Core { chip: i / 2, cell: i % 2, ..Core::default() }).collect();
    for (population, item) in network.populations.iter() {
        if item.is_input() {
            continue;
        }
        let size = item.shape.0.iter().product();
        let mut start = 0;
        while start < size {
            // All that remains on 0.
            let len = size - start - draw.small(size - start);
            let core = draw.below(cores.len());
            cores[core].slices.push(Slice { population, start, len });
            start += len;
        }
    }
    // A core may hold several slices of a population that are not in order.
    for core in &mut cores {
        connect(draw, &network, &orders, core);
    }
    let cores = Arena::<CoreId, _>::from(cores);
    MappedDraft { network, target: "test".to_owned(), orders, cores }
}

/// Gives the core an axon for each source neuron with a nonzero synapse, and its blocks.
fn connect(draw: &mut Draw, network: &QuantizedDraft, orders: &[u32], core: &mut Core) {
    let order = |p: PopId| Order::new(&network.populations[p].shape, orders[p.index()]);
    let mut synapses = BTreeSet::new();
    for (slice, part) in (0..).zip(&core.slices) {
        for (projection, ends) in network.projections_into(part.population) {
            let (rows, columns) = (order(part.population), order(ends.source));
            for position in part.start..part.start + part.len {
                let row = rows.neuron(position) as usize;
                network.matrices[ends.matrix].for_row(row, |source, _| {
                    let source = columns.position(u32::try_from(source).unwrap_or(u32::MAX));
                    synapses.insert((ends.source, source, projection, slice));
                });
            }
        }
    }
    let sources: BTreeSet<(PopId, u32)> = synapses.iter().map(|s| (s.0, s.1)).collect();
    for (population, start) in sources {
        match core.axons.last_mut() {
            // A run may end early.
            Some(run)
                if run.population == population
                    && run.end() == u64::from(start)
                    && !draw.one_in(4) =>
            {
                run.len += 1;
            }
            _ => core.axons.push(Slice { population, start, len: 1 }),
        }
    }
    let mut blocks = BTreeSet::new();
    for (population, source, projection, slice) in synapses {
        let run = |r: &Slice| {
            r.population == population && r.start <= source && u64::from(source) < r.end()
        };
        if let Some((axons, _)) = (0..).zip(&core.axons).find(|(_, r)| run(r)) {
            blocks.insert((projection, axons, slice));
        }
    }
    core.blocks = blocks
        .into_iter()
        .map(|(projection, axons, slice)| Block { projection, axons, slice })
        .collect();
}
