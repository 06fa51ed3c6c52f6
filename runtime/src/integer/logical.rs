//! Runs in logical time.

use super::IntRun;
use crate::error::SimError;
use crate::messages::MessageTrain;
use crate::readout::Window;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::quantized::{QuantizedDraft, QuantizedNetwork, Role, Time};
use snnc_ir::spikes::SpikeTrain;

/// The trains of the logical populations in logical time: spike `(n, t)` is spike
/// `(n, P·t + ℓ)` of `run`. Relays and clocks are left out; in logical time nothing changes.
///
/// # Errors
/// [`SimError::OffSchedule`] for the first spike in a step that belongs to no logical step.
pub fn logical_spikes(
    network: &QuantizedNetwork,
    run: &IntRun,
) -> Result<Vec<(PopId, SpikeTrain)>, SimError> {
    let populations = network.populations.iter().filter(|(_, p)| p.role == Role::Logical);
    populations.map(|(id, _)| Ok((id, logical(network, run, id)?))).collect()
}

/// The messages of the logical graded populations in logical time, as [`logical_spikes`] gives where
/// they were sent.
///
/// # Errors
/// [`SimError::OffSchedule`] for the first message in a step that belongs to no logical step.
pub fn logical_messages(
    network: &QuantizedNetwork,
    run: &IntRun,
) -> Result<Vec<(PopId, MessageTrain)>, SimError> {
    let populations = network.populations.iter().filter(|(_, p)| p.role == Role::Logical);
    let graded = populations.filter_map(|(id, _)| Some((id, run.messages[id.index()].as_ref()?)));
    graded
        .map(|(id, train)| {
            logical(network, run, id)?;
            Ok((id, window(network, id).messages(train)))
        })
        .collect()
}

/// The train of population `id` in logical time.
pub(crate) fn logical(
    network: &QuantizedDraft,
    run: &IntRun,
    id: PopId,
) -> Result<SpikeTrain, SimError> {
    window(network, id).logical(&run.spikes[id.index()]).map_err(|(neuron, step)| {
        let population = network.populations[id].name.clone();
        SimError::OffSchedule { population, neuron, step }
    })
}

/// Where the logical steps of population `id` lie.
pub(crate) fn window(network: &QuantizedDraft, id: PopId) -> Window {
    let steps = network.steps as usize;
    match &network.time {
        Time::Logical => Window { period: 1, latency: 0, steps },
        Time::Hardware(schedule) => Window {
            period: schedule.period as usize,
            latency: schedule.latency[id.index()] as usize,
            steps,
        },
    }
}
