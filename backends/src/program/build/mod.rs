//! Builds the [`Program`] of a mapped network.

mod cores;
mod registers;
mod table;

use cores::CoreBuilder;
use registers::PopulationRegisters;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::diag::codes::artifact;
use snnc_ir::program::{HostMap, PoolMatrix, Program, ProgramReadout, Symbol, SymbolRole};
use snnc_ir::quantized::{
    HostBias, IntReadout, PopKind, Population, QuantizedDraft, Role, Schedule, Time,
};
use snnc_ir::{Diagnostic, Diagnostics, MappedNetwork, TargetSpec};
use table::Table;

/// Builds the program of `network` for `target`.
///
/// # Errors
/// As [`super::write()`].
pub(super) fn program(
    network: &MappedNetwork,
    target: &TargetSpec,
) -> Result<Program, Diagnostics> {
    let mut out = Diagnostics::new();
    if network.target != target.name {
        out.push(
            Diagnostic::error(
                artifact::PROGRAM_PLACEMENT,
                format!("the network is mapped for {}, not for {}", network.target, target.name),
            )
            .help("map it again for the target that the artifact is for"),
        );
    }
    let net = &network.network;
    let Time::Hardware(schedule) = &net.time else {
        out.push(
            Diagnostic::error(artifact::PROGRAM_PLACEMENT, "the network is in logical time")
                .help("run the pass `schedule` before `map`"),
        );
        return Err(out);
    };
    if schedule.latency.len() != net.populations.len() {
        let (have, need) = (schedule.latency.len(), net.populations.len());
        out.push(Diagnostic::error(
            artifact::PROGRAM_PLACEMENT,
            format!("the schedule has {have} latencies for {need} populations"),
        ));
        return Err(out);
    }

    let registers: Vec<Option<PopulationRegisters>> = net
        .populations
        .iter()
        .map(|(id, p)| {
            let hosted = net.host.iter().any(|h| h.target == id);
            registers::population(p, latency(schedule, id), hosted, target, &mut out)
        })
        .collect();
    registers::check_matrices(net, target, &mut out);
    let (matrices, pool) = pool(network);
    let mut cores = CoreBuilder::new(network, target, &registers, &pool, &mut out);
    for (id, core) in network.cores.iter() {
        cores.add(id, core);
    }
    let (inputs, cores) = cores.finish();

    out.into_result(Program {
        name: net.name.clone(),
        target: target.name.clone(),
        steps: net.steps,
        period: schedule.period,
        run_steps: net.run_steps(),
        populations: net
            .populations
            .iter()
            .map(|(id, p)| symbol(p, latency(schedule, id)))
            .collect(),
        matrices,
        inputs,
        cores,
        host: host(net),
        readout: readout(&net.readout),
    })
}

/// The number of an entity as the program stores it.
fn number(id: impl Entity) -> u32 {
    u32::try_from(id.index()).unwrap_or(u32::MAX)
}

fn latency(schedule: &Schedule, id: PopId) -> u32 {
    schedule.latency[id.index()]
}

fn symbol(population: &Population, latency: u32) -> Symbol {
    let role = match (&population.kind, population.role) {
        (PopKind::Input(coding), _) => SymbolRole::Input(coding.clone()),
        (_, Role::Logical) => SymbolRole::Neurons,
        (_, Role::Relay { of, hops }) => SymbolRole::Relay { of: number(of), hops },
        (_, Role::Clock) => SymbolRole::Clock,
    };
    Symbol { name: population.name.clone(), shape: population.shape.clone(), role, latency }
}

fn host(network: &QuantizedDraft) -> Vec<HostMap> {
    let map = |h: &HostBias| HostMap {
        input: number(h.input),
        target: number(h.target),
        structure: h.structure.clone(),
        weights: h.weights.clone(),
        scale: h.scale,
    };
    network.host.iter().map(map).collect()
}

fn readout(readout: &IntReadout) -> ProgramReadout {
    match readout {
        IntReadout::SpikeCount(population) => ProgramReadout::SpikeCount(number(*population)),
        IntReadout::MeanLinear { terms, bias } => ProgramReadout::MeanLinear {
            terms: terms.iter().map(|(p, weights)| (number(*p), weights.clone())).collect(),
            bias: bias.clone(),
        },
    }
}

/// The distinct matrices that blocks use, in order of their ids, and the place of each id in that
/// list. Equal layout and mantissas are stored once, whatever exponent and sign go with them.
fn pool(network: &MappedNetwork) -> (Vec<PoolMatrix>, Vec<Option<u32>>) {
    let net = &network.network;
    let mut used = vec![false; net.matrices.len()];
    for block in network.cores.values().flat_map(|core| &core.blocks) {
        if let Some(projection) = net.projections.get(block.projection)
            && let Some(used) = used.get_mut(projection.matrix.index())
        {
            *used = true;
        }
    }
    let mut table = Table::new();
    let place = net
        .matrices
        .values()
        .zip(used)
        .map(|(m, used)| used.then(|| table.intern((&m.structure, m.mantissa.as_slice()))))
        .collect();
    let matrices = table
        .into_items()
        .into_iter()
        .map(|(structure, mantissa)| PoolMatrix {
            structure: structure.clone(),
            mantissa: mantissa.to_vec(),
        })
        .collect();
    (matrices, place)
}
