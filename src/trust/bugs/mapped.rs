//! Bugs of the passes on cores, and of the writers.

use super::{Bug, LOOP, MANY, RELAYED, SKIP, SUBTRACT, THRESHOLDS, VARIED, ZOO};
use crate::verify::bisect::By;
use snnc_backends::{NETX_FILE, PROGRAM_FILE};
use snnc_ir::arena::CoreId;
use snnc_ir::mapped::MappedDraft;
use snnc_ir::program::Program;
use snnc_ir::quantized::PopKind;
use snnc_ir::{Entity, Param};
use snnc_passes::framework::patch::Break;

const fn bug(
    [at, name, what]: [&'static str; 3],
    how: fn(&mut MappedDraft),
    case: super::Case,
    by: By,
) -> Bug {
    Bug { name, at, what, how: Break::Mapped(how), case, by }
}

const fn written([name, what]: [&'static str; 2], how: fn(&mut Program), case: super::Case) -> Bug {
    Bug { name, at: PROGRAM_FILE, what, how: Break::Program(how), case, by: By::Certificate }
}

/// Bugs of mappings and writers, in the order of passes.
pub(super) const BUGS: &[Bug] = &[
    bug(
        ["map", "self-loop-dropped", "synapses of a population onto itself get no block"],
        |d| {
            let network = &d.network;
            let own = |p: snnc_ir::arena::ProjId| {
                network.projections[p].source == network.projections[p].target
            };
            d.cores.values_mut().for_each(|core| core.blocks.retain(|b| !own(b.projection)));
        },
        SUBTRACT,
        By::Verifier,
    ),
    bug(
        ["map", "delay-of-the-block", "delays are cut to what the first synapse of a core has"],
        |d| {
            let first = d.network.projections.values().map(|p| p.delay).min().unwrap_or(1);
            d.network.projections.values_mut().for_each(|p| p.delay = first);
        },
        SUBTRACT,
        By::Simulation,
    ),
    bug(
        ["regroup", "neuron-on-two-cores", "a neuron that moves stays behind as well"],
        |d| {
            let [slice] = d.cores[CoreId::new(0)].slices[..1] else { return };
            let last = d.cores.ids().next_back().expect("a core to break");
            d.cores[last].slices.push(snnc_ir::mapped::Slice { len: 1, ..slice });
        },
        MANY,
        By::Verifier,
    ),
    bug(
        ["regroup", "thresholds-stay-behind", "neurons are exchanged and their thresholds are not"],
        rotate_thresholds,
        VARIED,
        By::Simulation,
    ),
    bug(
        ["place", "two-cores-in-a-cell", "two cores get one cell of the board"],
        |d| {
            let (chip, cell) = (d.cores[CoreId::new(0)].chip, d.cores[CoreId::new(0)].cell);
            let last = d.cores.ids().next_back().expect("a core to break");
            (d.cores[last].chip, d.cores[last].cell) = (chip, cell);
        },
        MANY,
        By::Verifier,
    ),
    bug(
        ["place", "axons-of-another-core", "a core that moves takes the blocks of its neighbor"],
        |d| {
            let last = d.cores.ids().next_back().expect("a core to break");
            d.cores[last].blocks.pop();
        },
        MANY,
        By::Verifier,
    ),
    written(
        ["weight-one-up", "the first mantissa of the pool is one step too large"],
        |p| p.values[0][0] += 2,
        SKIP,
    ),
    written(
        ["delay-one-short", "the longest delay is written one step too short"],
        |p| {
            let blocks = p.cores.iter_mut().flat_map(|c| &mut c.synapses);
            blocks.max_by_key(|b| b.delay).expect("synapses to break").delay -= 1;
        },
        SKIP,
    ),
    written(
        ["compartments-swapped", "two compartments change places"],
        |p| {
            let core = &mut p.cores[0];
            let run = core.compartments.iter_mut().find(|r| r.cycle.len() > 1);
            run.expect("compartments that differ").cycle.swap(0, 1);
        },
        VARIED,
    ),
    written(
        ["exponent-of-the-next-format", "a synapse format has an exponent one too large"],
        |p| p.cores[0].formats[0].exponent += 1,
        ZOO,
    ),
    written(
        ["route-to-the-next-axon", "a route starts at the second axon"],
        |p| {
            let routes = p.cores.iter_mut().flat_map(|c| &mut c.routes);
            routes.take(1).for_each(|r| r.axon += 1);
        },
        LOOP,
    ),
    bug(
        [NETX_FILE, "thresholds-one-up", "thresholds are written one unit too large"],
        |d| {
            for p in d.network.populations.values_mut() {
                if let PopKind::Neurons(n) = &mut p.kind {
                    n.threshold = n.threshold.map(|t| t + 64);
                }
            }
        },
        THRESHOLDS,
        By::Certificate,
    ),
    bug(
        [NETX_FILE, "negative-weights-cut", "negative weights are written as 0"],
        |d| {
            for matrix in d.network.matrices.values_mut() {
                matrix.mantissa.iter_mut().for_each(|m| *m = (*m).max(0));
            }
        },
        RELAYED,
        By::Certificate,
    ),
];

/// Neurons get the thresholds of those behind them.
fn rotate_thresholds(d: &mut MappedDraft) {
    let thresholds = d.network.populations.values_mut().find_map(|p| match &mut p.kind {
        PopKind::Neurons(n) => match &mut n.threshold {
            Param::PerNeuron(values) => Some(values),
            _ => None,
        },
        _ => None,
    });
    thresholds.expect("thresholds to break").rotate_left(1);
}
