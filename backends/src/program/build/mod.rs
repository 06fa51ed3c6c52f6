//! Builds the [`Program`] of a mapped network.

mod cores;
mod cycles;
mod pool;
mod registers;
mod table;

use cores::CoreBuilder;
use pool::Pool;
use registers::PopulationRegisters;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::diag::codes::artifact;
use snnc_ir::program::{HostMap, Layout, Program, ProgramReadout, Symbol, SymbolRole};
use snnc_ir::quantized::{
    HostBias, IntReadout, PopKind, Population, QuantizedDraft, Role, Schedule, Time,
};
use snnc_ir::{Diagnostic, Diagnostics, MappedNetwork, TargetSpec};

/// Builds the program of `network` for `target`, and the arrays of mantissas that its `values` are to
/// be: they stay where the network has them.
///
/// # Errors
/// As [`super::write()`].
pub(super) fn program<'a>(
    network: &'a MappedNetwork,
    target: &TargetSpec,
) -> Result<(Program, Vec<&'a [i16]>), Diagnostics> {
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
    let Pool { values, matrices, of_projection } = Pool::of(network);
    let mut cores = CoreBuilder::new(network, target, &registers, &of_projection, &mut out);
    for (id, core) in network.cores.iter() {
        cores.add(id, core);
    }
    let (inputs, cores) = cores.finish();

    let program = Program {
        name: net.name.clone(),
        target: target.name.clone(),
        steps: net.steps,
        period: schedule.period,
        run_steps: net.run_steps(),
        populations: net
            .populations
            .iter()
            .map(|(id, p)| symbol(p, network.orders[id.index()], latency(schedule, id)))
            .collect(),
        values: Vec::new(),
        matrices,
        inputs,
        cores,
        host: host(net),
        readout: readout(&net.readout),
    };
    out.into_result((program, values))
}

/// The number of an entity as the program stores it.
fn number(id: impl Entity) -> u32 {
    u32::try_from(id.index()).unwrap_or(u32::MAX)
}

fn latency(schedule: &Schedule, id: PopId) -> u32 {
    schedule.latency[id.index()]
}

fn symbol(population: &Population, block: u32, latency: u32) -> Symbol {
    let role = match (&population.kind, population.role) {
        (PopKind::Input(coding), _) => SymbolRole::Input(coding.clone()),
        (_, Role::Logical) => SymbolRole::Neurons,
        (_, Role::Relay { of, hops }) => SymbolRole::Relay { of: number(of), hops },
        (_, Role::Clock) => SymbolRole::Clock,
    };
    let (name, shape) = (population.name.clone(), population.shape.clone());
    let block = Layout::of(&shape, block).block;
    Symbol { name, shape, block, role, latency }
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
