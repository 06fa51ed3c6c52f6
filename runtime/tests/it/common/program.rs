//! A plain mapping of networks in hardware time to programs: populations are cut into random
//! pieces, every piece goes to a core, every source neuron gets its own axon. Neurons lie in blocks of a
//! random number of channels.

use super::Rng;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::order::Order;
use snnc_ir::param::Param;
use snnc_ir::program::{
    CompartmentRun, Format, GradedMode, HostMap, InputRoute, Layout, PoolMatrix, Profile, Program,
    ProgramCore, ProgramReadout, Registers, Route, Symbol, SymbolRole, SynapseBlock,
};
use snnc_ir::quantized::{HostBias, IntReadout, IntReset, PopKind, QuantizedNetwork, Role, Time};
use std::collections::BTreeMap;

/// A piece of a population: first position, length, core, first compartment.
#[derive(Clone, Copy)]
struct Piece {
    first: u32,
    len: u32,
    core: usize,
    compartment: u32,
}

pub(crate) fn map(network: &QuantizedNetwork, rng: &mut Rng) -> Program {
    let Time::Hardware(schedule) = &network.time else { panic!("programs run in hardware time") };
    let mut cores: Vec<ProgramCore> = (0..rng.size(1, 4)).map(|_| core()).collect();
    let blocks: Vec<u32> = (network.populations.values())
        .map(|p| rng.size(1, u32::try_from(p.shape.channels()).unwrap()))
        .collect();
    let pieces = place(network, &blocks, rng, &mut cores);
    let layout = |id: PopId| Layout::of(&network.populations[id].shape, blocks[id.index()]);
    let mut matrices = Vec::new();
    let mut inputs = Vec::new();
    // First axon of each (source population, core): one axon per source neuron.
    let mut axons: BTreeMap<(PopId, usize), u32> = BTreeMap::new();
    for projection in network.projections.values() {
        let matrix = &network.matrices[projection.matrix];
        matrices.push(PoolMatrix {
            structure: matrix.structure.clone(),
            values: u32::try_from(projection.matrix.index()).unwrap(),
            rows: layout(projection.target),
            cols: layout(projection.source),
        });
        for target in &pieces[projection.target.index()] {
            let size = u32::try_from(network.populations[projection.source].size()).unwrap();
            let axon = *axons.entry((projection.source, target.core)).or_insert_with(|| {
                let axon = cores[target.core].axons;
                cores[target.core].axons += size;
                let core = u32::try_from(target.core).unwrap();
                for source in &pieces[projection.source.index()] {
                    cores[source.core].routes.push(Route {
                        compartment: source.compartment,
                        len: source.len,
                        core,
                        axon: axon + source.first,
                    });
                }
                if network.populations[projection.source].is_input() {
                    let population = u32::try_from(projection.source.index()).unwrap();
                    let mut first = 0;
                    while first < size {
                        let len = rng.size(1, size - first);
                        inputs.push(InputRoute {
                            population,
                            first,
                            len,
                            core,
                            axon: axon + first,
                        });
                        first += len;
                    }
                }
                axon
            });
            let core = &mut cores[target.core];
            core.synapses.push(SynapseBlock {
                format: u32::try_from(core.formats.len()).unwrap(),
                matrix: u32::try_from(matrices.len() - 1).unwrap(),
                delay: u8::try_from(projection.delay - 1).unwrap(),
                axon,
                axons: size,
                col: 0,
                compartment: target.compartment,
                compartments: target.len,
                row: target.first,
            });
            core.formats.push(Format {
                exponent: matrix.exponent,
                sign: matrix.sign,
                weight_bits: 8,
                delay_bits: 6,
            });
        }
    }
    Program {
        name: network.name.clone(),
        target: "test".to_owned(),
        steps: network.steps,
        period: schedule.period,
        run_steps: network.run_steps(),
        populations: symbols(network, &blocks, &schedule.latency),
        values: network.matrices.values().map(|m| m.mantissa.clone()).collect(),
        matrices,
        inputs,
        cores,
        host: network.host.iter().map(host_map).collect(),
        readout: match &network.readout {
            IntReadout::SpikeCount(id) => {
                ProgramReadout::SpikeCount(u32::try_from(id.index()).unwrap())
            }
            IntReadout::MeanLinear { terms, bias } => ProgramReadout::MeanLinear {
                terms: terms
                    .iter()
                    .map(|(id, w)| (u32::try_from(id.index()).unwrap(), w.clone()))
                    .collect(),
                bias: bias.clone(),
            },
        },
    }
}

fn host_map(host: &HostBias) -> HostMap {
    HostMap {
        input: u32::try_from(host.input.index()).unwrap(),
        target: u32::try_from(host.target.index()).unwrap(),
        structure: host.structure.clone(),
        weights: host.weights.clone(),
        scale: host.scale,
    }
}

fn core() -> ProgramCore {
    ProgramCore {
        chip: 0,
        cell: 0,
        profiles: Vec::new(),
        thresholds: Vec::new(),
        formats: Vec::new(),
        compartments: Vec::new(),
        axons: 0,
        synapses: Vec::new(),
        routes: Vec::new(),
    }
}

fn symbols(network: &QuantizedNetwork, blocks: &[u32], latency: &[u32]) -> Vec<Symbol> {
    let role = |role: Role, kind: &PopKind| match (role, kind) {
        (_, PopKind::Input(coding)) => SymbolRole::Input(coding.clone()),
        (Role::Logical, _) => SymbolRole::Neurons,
        (Role::Relay { of, hops }, _) => {
            SymbolRole::Relay { of: u32::try_from(of.index()).unwrap(), hops }
        }
        (Role::Clock, _) => SymbolRole::Clock,
    };
    let symbol = |(id, p): (PopId, &snnc_ir::quantized::Population)| Symbol {
        name: p.name.clone(),
        shape: p.shape.clone(),
        block: Layout::of(&p.shape, blocks[id.index()]).block,
        role: role(p.role, &p.kind),
        latency: latency[id.index()],
    };
    network.populations.iter().map(symbol).collect()
}

/// Puts every neuron on a core, one compartment run per piece.
fn place(
    network: &QuantizedNetwork,
    blocks: &[u32],
    rng: &mut Rng,
    cores: &mut [ProgramCore],
) -> Vec<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut used = vec![0_u32; cores.len()];
    for (id, population) in network.populations.iter() {
        let mut list = Vec::new();
        let uniform = match &population.kind {
            PopKind::Input(_) => None,
            PopKind::Graded(graded) => Some(graded.bias.len() == 1),
            PopKind::Neurons(neuron) => Some(
                [&neuron.threshold, &neuron.bias].iter().all(|p| matches!(p, Param::Uniform(_)))
                    && [&neuron.du, &neuron.dv].iter().all(|p| matches!(p, Param::Uniform(_)))
                    && !matches!(&neuron.reset, IntReset::Subtract(p) if p.len() > 1)
                    && neuron.floor.iter().all(|p| p.len() == 1),
            ),
        };
        if let Some(uniform) = uniform {
            let size = u32::try_from(population.size()).unwrap();
            let mut first = 0;
            while first < size {
                let len = rng.size(1, size - first);
                let index = rng.index(cores.len());
                list.push(Piece { first, len, core: index, compartment: used[index] });
                used[index] += len;
                let order = Order::new(&population.shape, blocks[id.index()]);
                let sets = if uniform { 1 } else { len };
                let cycle = (first..first + sets)
                    .map(|p| registers(network, id, order.neuron(p), &mut cores[index]))
                    .collect();
                let population = u32::try_from(id.index()).unwrap();
                cores[index].compartments.push(CompartmentRun { population, first, len, cycle });
                first += len;
            }
        }
        pieces.push(list);
    }
    pieces
}

fn registers(
    network: &QuantizedNetwork,
    id: PopId,
    neuron: u32,
    core: &mut ProgramCore,
) -> Registers {
    let population = &network.populations[id];
    let Time::Hardware(schedule) = &network.time else { panic!("hardware time") };
    let n = neuron as usize;
    let (bias, threshold, profile) = match &population.kind {
        PopKind::Input(_) => panic!("inputs have no registers"),
        PopKind::Graded(graded) => {
            let mode = GradedMode { keep: graded.keep, shift: graded.shift };
            let profile = Profile {
                du: 4095,
                dv: 4095,
                refractory: 1,
                subtract: None,
                update: (1, 0),
                graded: Some(mode),
                floor: None,
            };
            (graded.bias.at(n, &population.shape) << 6, 0, profile)
        }
        PopKind::Neurons(neuron) => {
            let period = neuron.update_period;
            let profile = Profile {
                du: neuron.du.at(n, &population.shape),
                dv: neuron.dv.at(n, &population.shape),
                refractory: u8::try_from(neuron.refractory).unwrap(),
                subtract: match &neuron.reset {
                    IntReset::Zero => None,
                    IntReset::Subtract(amount) => Some(amount.at(n, &population.shape)),
                },
                update: (period, schedule.latency[id.index()] % period),
                graded: None,
                floor: neuron.floor.as_ref().map(|floor| floor.at(n, &population.shape)),
            };
            let threshold = neuron.threshold.at(n, &population.shape) >> 6;
            (neuron.bias.at(n, &population.shape), threshold, profile)
        }
    };
    let exponent = (bias.trailing_zeros() % 32).min(7);
    let registers = Registers {
        profile: u32::try_from(core.profiles.len()).unwrap(),
        threshold: u32::try_from(core.thresholds.len()).unwrap(),
        bias_mantissa: i16::try_from(bias >> exponent).unwrap(),
        bias_exponent: u8::try_from(exponent).unwrap(),
    };
    core.thresholds.push(u32::try_from(threshold).unwrap());
    core.profiles.push(profile);
    registers
}
