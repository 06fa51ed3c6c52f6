//! Event-driven simulator of the integer level.
//!
//! A population is *fast* if all that it reads are spikes and the worst sum of weights that could arrive
//! between two updates leaves room in 32 bits. Graded relays, what reads their messages, and
//! populations with sums or biases beyond that run as the definition does, in 64 bits. Both kinds may
//! stand side by side in one network, and the results are those of [`crate::integer`] either way.

mod neuron;
mod population;

use super::part::Split;
use super::simd::list;
use super::synapses::{Scratch, Synapses};
use crate::error::SimError;
use crate::integer::body::Body as Slow;
use crate::integer::bounds::worst_row;
use crate::integer::neuron::Overflow;
use crate::integer::{self, IntProbe, IntRun, window};
use crate::messages::MessageTrain;
use crate::stimulus::Stimulus;
use neuron::{MAX_ARRIVALS, Model};
use population::{Arrival, Neurons};
use snnc_ir::arena::{Entity, MatId, PopId};
use snnc_ir::quantized::messages::host_range;
use snnc_ir::quantized::{PopKind, QuantizedNetwork};
use snnc_ir::spikes::SpikeTrain;

/// Runs `network` once, as [`integer::simulate`] does. To run it often, make an [`IntSim`] first.
///
/// # Errors
/// As [`integer::simulate`].
pub fn simulate(
    network: &QuantizedNetwork,
    stimulus: &Stimulus,
    probe: &IntProbe,
) -> Result<IntRun, SimError> {
    IntSim::new(network)?.run(stimulus, probe)
}

/// A network prepared for event-driven simulation.
pub struct IntSim<'n> {
    /// The definition, with kernels for what is not fast.
    base: integer::IntSim<'n>,
    /// By matrix that a fast population reads.
    synapses: Vec<Option<Synapses>>,
    /// By population; `None` unless it is fast.
    models: Vec<Option<Model>>,
    split: Split,
}

impl<'n> IntSim<'n> {
    /// Prepares `network` for runs on one thread each.
    ///
    /// # Errors
    /// As [`integer::IntSim::new`].
    pub fn new(network: &'n QuantizedNetwork) -> Result<Self, SimError> {
        Self::with_split(network, Split::NONE)
    }

    /// Prepares `network` for runs on several threads each, those of the pool that a run is started on.
    ///
    /// # Errors
    /// As [`integer::IntSim::new`].
    pub fn with_split(network: &'n QuantizedNetwork, split: Split) -> Result<Self, SimError> {
        // Bounds, cycles and sizes are judged before anything is laid out.
        let base = integer::IntSim::with_kernels(network, |_| false)?;
        let worst: Vec<_> = network.matrices.values().map(worst_row).collect();
        let mut models: Vec<_> =
            network.populations.ids().map(|id| model(network, id, &worst)).collect();
        let mut synapses: Vec<Option<Synapses>> = network.matrices.ids().map(|_| None).collect();
        for (id, matrix) in network.matrices.iter() {
            let read = network
                .projections
                .values()
                .any(|p| p.matrix == id && models[p.target.index()].is_some());
            if !read {
                continue;
            }
            let found = Synapses::new(
                &matrix.structure,
                |i| matrix.weight(i),
                worst[id.index()],
                split.parts,
            );
            if found.is_none() {
                for p in network.projections.values().filter(|p| p.matrix == id) {
                    models[p.target.index()] = None;
                }
            }
            synapses[id.index()] = found;
        }
        let slow = |id: MatId| {
            let mut readers = network.projections.values().filter(|p| p.matrix == id);
            readers.any(|p| models[p.target.index()].is_none())
        };
        let base = if network.matrices.ids().any(slow) {
            integer::IntSim::with_kernels(network, slow)?
        } else {
            base
        };
        Ok(Self { base, synapses, models, split })
    }

    /// The network.
    pub const fn network(&self) -> &'n QuantizedNetwork {
        self.base.network()
    }

    /// Input populations in the order of a stimulus.
    pub fn inputs(&self) -> &[PopId] {
        self.base.inputs()
    }

    /// Populations in order of evaluation within a step.
    pub fn order(&self) -> &[PopId] {
        self.base.order()
    }

    /// Steps of one run, in the time of the network.
    pub const fn steps(&self) -> usize {
        self.base.steps()
    }

    /// Runs the network once.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn run(&self, stimulus: &Stimulus, probe: &IntProbe) -> Result<IntRun, SimError> {
        let trains = self.base.inject(stimulus)?;
        let mut traces = self.base.traces(probe)?;
        let chosen: Vec<_> = traces.iter().map(|t| (t.population, t.neuron)).collect();
        let mut keep = |_, registers: &[[i32; 3]]| {
            for (trace, &[u, h, v]) in traces.iter_mut().zip(registers) {
                trace.u.push(u);
                trace.h.push(h);
                trace.v.push(v);
            }
        };
        let run = self.on_pool(stimulus, trains, &chosen, &mut keep)?;
        Ok(IntRun { traces, ..run })
    }

    /// Runs the network once. Registers that `probe` chooses are not kept: `watch` gets them after every step,
    /// with the step, as current, compared membrane and membrane of each neuron in the order of the probe.
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn watch(
        &self,
        stimulus: &Stimulus,
        probe: &IntProbe,
        watch: &mut (dyn FnMut(usize, &[[i32; 3]]) + Send),
    ) -> Result<IntRun, SimError> {
        let trains = self.base.inject(stimulus)?;
        let chosen = self.base.resolve(probe, 1)?;
        self.on_pool(stimulus, trains, &chosen, watch)
    }

    /// As [`IntSim::drive`].
    fn on_pool(
        &self,
        stimulus: &Stimulus,
        trains: Vec<SpikeTrain>,
        chosen: &[(PopId, usize)],
        watch: &mut (dyn FnMut(usize, &[[i32; 3]]) + Send),
    ) -> Result<IntRun, SimError> {
        if self.split.parts > 1 {
            // On a thread of the pool, so that steps need not be handed over to it one by one.
            rayon::scope(|_| self.drive(stimulus, trains, chosen, watch))
        } else {
            self.drive(stimulus, trains, chosen, watch)
        }
    }

    /// All steps, from trains that hold the inputs. Keeps no registers.
    fn drive(
        &self,
        stimulus: &Stimulus,
        mut trains: Vec<SpikeTrain>,
        chosen: &[(PopId, usize)],
        watch: &mut (dyn FnMut(usize, &[[i32; 3]]) + Send),
    ) -> Result<IntRun, SimError> {
        let mut messages = self.base.silence();
        let mut bodies = self.bodies(stimulus, !chosen.is_empty())?;
        let mut work = Work::default();
        let mut registers = Vec::new();
        for t in 0..self.steps() {
            for &id in self.order() {
                let body = &mut bodies[id.index()];
                self.step(id, body, t, &mut trains, &mut messages, &mut work).map_err(|o| {
                    SimError::Overflow {
                        population: self.network().populations[id].name.clone(),
                        neuron: o.neuron,
                        step: t,
                        register: o.register,
                        value: o.value,
                    }
                })?;
            }
            if chosen.is_empty() {
                continue;
            }
            registers.clear();
            registers.extend(chosen.iter().map(|&(id, neuron)| match &bodies[id.index()] {
                Body::Fast(neurons) => neurons.registers(neuron),
                Body::Slow(Slow::Neurons(state)) => state.registers(neuron),
                // Neither has registers, so that no probe chooses it.
                Body::Slow(Slow::Input | Slow::Relay(_)) => [0; 3],
            }));
            watch(t, &registers);
        }
        let scores = self.base.scores(&trains);
        Ok(IntRun { spikes: trains, messages, scores, traces: Vec::new() })
    }

    /// Step `t` of population `id`: what arrives, and what it sends.
    fn step(
        &self,
        id: PopId,
        body: &mut Body<'_>,
        t: usize,
        trains: &mut [SpikeTrain],
        messages: &mut [Option<MessageTrain>],
        work: &mut Work,
    ) -> Result<(), Overflow> {
        let incoming = &self.base.incoming[id.index()];
        let arrivals = incoming
            .iter()
            .filter_map(|&(source, matrix, delay)| Some((source, matrix, t.checked_sub(delay)?)));
        match body {
            Body::Fast(neurons) => {
                let mut lists = std::mem::take(&mut work.lists);
                let mut used = Vec::with_capacity(incoming.len());
                lists.resize_with(lists.len().max(incoming.len()), Vec::new);
                for ((source, matrix, then), active) in arrivals.zip(&mut lists) {
                    let Some(synapses) = &self.synapses[matrix] else { continue };
                    list(trains[source].step(then), active);
                    used.push(Arrival { synapses, active });
                }
                let result = neurons.step(
                    t,
                    &used,
                    &mut work.scratch,
                    &mut work.gathered,
                    &mut trains[id.index()],
                );
                drop(used);
                work.lists = lists;
                result
            }
            Body::Slow(body) => {
                let Some(input) = body.input() else { return Ok(()) };
                for (source, matrix, then) in arrivals {
                    let kernel = &self.base.kernels[matrix];
                    let sums = &mut work.sums;
                    if let Some(sent) = &messages[source] {
                        let active = sent.step(then).iter().map(|&(n, m)| (n as usize, m));
                        let add = |a: &mut i64, w, m| *a += i64::from(w) * i64::from(m);
                        kernel.add(active, sums, input, add);
                    } else {
                        let active = trains[source].active(then).map(|n| (n, ()));
                        kernel.add(active, sums, input, |a: &mut i64, w, ()| *a += i64::from(w));
                    }
                }
                body.step(t, &mut trains[id.index()], messages[id.index()].as_mut())
            }
        }
    }

    /// Registers of all populations before a run.
    fn bodies(&self, stimulus: &Stimulus, traced: bool) -> Result<Vec<Body<'_>>, SimError> {
        let host = self.base.host(stimulus)?;
        let body = |(id, host): (PopId, &Option<Vec<i64>>)| {
            let host = host.as_deref();
            let Some(model) = &self.models[id.index()] else {
                return Ok(Body::Slow(self.base.body(id, host)));
            };
            let bias = match host {
                None => None,
                Some(host) => Some(model.biases(host).ok_or_else(|| {
                    let name = &self.network().populations[id].name;
                    SimError::Malformed(format!("biases of `{name}` leave their stated range"))
                })?),
            };
            let mut matrices = self.base.incoming[id.index()].iter().map(|(_, matrix, _)| *matrix);
            let cut = matrices.all(|m| self.synapses[m].as_ref().is_some_and(Synapses::has_parts));
            let split = if cut { self.split } else { Split::NONE };
            Ok(Body::Fast(Box::new(Neurons::new(model, bias, split, traced))))
        };
        self.network().populations.ids().zip(&host).map(body).collect()
    }
}

/// What a population consists of during a run.
enum Body<'m> {
    Fast(Box<Neurons<'m>>),
    Slow(Slow),
}

/// Memory that steps share.
#[derive(Default)]
struct Work {
    /// Sources that spike, one list for each projection into the population at hand.
    lists: Vec<Vec<u32>>,
    /// One for each part.
    scratch: Vec<Scratch>,
    /// One for each part: sums of a part of the sources.
    gathered: Vec<Vec<i16>>,
    sums: Vec<i64>,
}

/// The model of population `id` if it is fast; `worst` is [`worst_row`] by matrix.
fn model(network: &QuantizedNetwork, id: PopId, worst: &[u64]) -> Option<Model> {
    let population = &network.populations[id];
    let PopKind::Neurons(neuron) = &population.kind else { return None };
    let host = host_range(network, id);
    let model = Model::new(neuron, &population.shape, window(network, id), &host)?;
    let mut sum = 0_u64;
    for (_, p) in network.projections_into(id) {
        if network.populations[p.source].graded().is_some() {
            return None;
        }
        sum = sum.saturating_add(worst[p.matrix.index()]);
    }
    (sum.saturating_mul(model.period() as u64) <= MAX_ARRIVALS).then_some(model)
}
