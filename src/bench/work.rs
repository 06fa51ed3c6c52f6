//! How much a run has to do: spikes, and the synapses that they reach.

use super::workload::Net;
use snnc_ir::arena::{Entity, NodeId};
use snnc_ir::conv::Conv;
use snnc_ir::network::{Network, Op};
use snnc_ir::quantized::{QuantizedNetwork, Structure};
use snnc_ir::spikes::SpikeTrain;

/// Spikes and useful synaptic events of runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Spikes of neurons, those of inputs left out.
    pub(crate) spikes: u64,
    /// Stored synapses that were reached by a value other than 0.
    pub(crate) events: u64,
}

impl std::ops::AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.spikes += other.spikes;
        self.events += other.events;
    }
}

/// Targets of each source.
fn fan_out(structure: &Structure) -> Vec<u64> {
    let mut counts = vec![0; structure.cols()];
    (0..structure.rows()).for_each(|row| structure.for_row(row, |col, _| counts[col] += 1));
    counts
}

/// What counts the work of a network.
pub(crate) enum Counter {
    /// By node: what it reads, through what, with which fan-out.
    Float(Vec<(NodeId, Option<Conv>, Vec<u64>)>),
    /// By projection: source, delay and fan-out.
    Integer(Vec<(usize, usize, Vec<u64>)>),
}

impl Counter {
    pub(crate) fn new(net: &Net) -> Self {
        match net {
            Net::Float(network) => Self::Float(float(network)),
            Net::Integer(network) => Self::Integer(integer(network)),
        }
    }

    /// The work of one run of an integer network, of which these are the trains by population.
    pub(crate) fn integers(&self, network: &QuantizedNetwork, trains: &[SpikeTrain]) -> Work {
        let neurons = network.populations.iter().filter(|(_, p)| p.neuron().is_some());
        Work {
            spikes: neurons.map(|(id, _)| trains[id.index()].count()).sum(),
            events: self.events(|population| trains.get(population)),
        }
    }

    /// Events of one run; `train` gives the spikes of a population by index.
    pub(crate) fn events<'a>(&self, train: impl Fn(usize) -> Option<&'a SpikeTrain>) -> u64 {
        let mut events = 0;
        match self {
            Self::Float(readers) => {
                for (source, window, fan_out) in readers {
                    let Some(train) = train(source.index()) else { continue };
                    for t in 0..train.steps() {
                        match window {
                            None => events += train.active(t).map(|n| fan_out[n]).sum::<u64>(),
                            Some(window) => {
                                let mut reached = vec![false; fan_out.len()];
                                for (o, reached) in reached.iter_mut().enumerate() {
                                    window.for_sources(o, |s, _| *reached |= train.get(t, s));
                                }
                                let pairs = reached.iter().zip(fan_out);
                                events += pairs.filter(|(r, _)| **r).map(|(_, f)| f).sum::<u64>();
                            }
                        }
                    }
                }
            }
            Self::Integer(readers) => {
                for (source, delay, fan_out) in readers {
                    let Some(train) = train(*source) else { continue };
                    // What arrives after the run is not counted.
                    for t in 0..train.steps().saturating_sub(*delay) {
                        events += train.active(t).map(|n| fan_out[n]).sum::<u64>();
                    }
                }
            }
        }
        events
    }
}

fn float(network: &Network) -> Vec<(NodeId, Option<Conv>, Vec<u64>)> {
    let mut readers = Vec::new();
    for node in network.nodes.values() {
        let structure = match &node.op {
            Op::Linear { weight, .. } => {
                let shape = &network.tensors[*weight].shape;
                let extent = |n| u32::try_from(n).unwrap_or(u32::MAX);
                Structure::Dense {
                    rows: extent(shape.channels()),
                    cols: extent(shape.per_channel()),
                }
            }
            Op::Conv2d { conv, .. } => Structure::Conv(*conv),
            _ => continue,
        };
        let Some(edge) = node.inputs.first() else { continue };
        let source = &network.nodes[edge.source];
        match &source.op {
            Op::AvgPool { window, .. } => {
                let before = source.inputs.iter().map(|e| e.source);
                readers.extend(before.map(|s| (s, Some(*window), fan_out(&structure))));
            }
            _ => readers.push((edge.source, None, fan_out(&structure))),
        }
    }
    readers
}

fn integer(network: &QuantizedNetwork) -> Vec<(usize, usize, Vec<u64>)> {
    let reader = |p: &snnc_ir::quantized::Projection| {
        let structure = &network.matrices[p.matrix].structure;
        (p.source.index(), p.delay as usize, fan_out(structure))
    };
    network.projections.values().map(reader).collect()
}
