//! Populations during a run.

use super::neuron::{Overflow, State};
use super::relay::Relay;
use super::{IntSim, window};
use crate::error::SimError;
use crate::messages::MessageTrain;
use crate::stimulus::Stimulus;
use snnc_ir::arena::PopId;
use snnc_ir::quantized::{PopKind, Population};
use snnc_ir::spikes::SpikeTrain;

/// What a population consists of during a run.
pub(crate) enum Body {
    Input,
    Neurons(Box<State>),
    Relay(Relay),
}

impl Body {
    /// Where arrivals are summed; `None` for inputs.
    pub(crate) fn input(&mut self) -> Option<&mut [i64]> {
        match self {
            Self::Input => None,
            Self::Neurons(state) => Some(state.input()),
            Self::Relay(relay) => Some(relay.input()),
        }
    }

    /// Step `t`: marks what is sent in `train`, with the values in `messages` where there are any.
    pub(crate) fn step(
        &mut self,
        t: usize,
        train: &mut SpikeTrain,
        messages: Option<&mut MessageTrain>,
    ) -> Result<(), Overflow> {
        match self {
            Self::Neurons(state) if state.updates_at(t) => state.update(train, t)?,
            Self::Relay(relay) => {
                let sent = relay.messages(t)?;
                for &(n, _) in &sent {
                    train.set(t, n as usize);
                }
                if let Some(messages) = messages {
                    messages.put(t, sent);
                }
            }
            Self::Input | Self::Neurons(_) => {}
        }
        Ok(())
    }
}

impl IntSim<'_> {
    /// Registers of all populations before a run, with what the host adds to biases.
    pub(super) fn bodies(&self, stimulus: &Stimulus) -> Result<Vec<Body>, SimError> {
        let host = self.host(stimulus)?;
        let body = |(id, host): (PopId, &Option<_>)| self.body(id, host.as_deref());
        Ok(self.network.populations.ids().zip(&host).map(body).collect())
    }

    /// Registers of population `id` before a run; `host` is what the host adds to its biases.
    pub(crate) fn body(&self, id: PopId, host: Option<&[i64]>) -> Body {
        let population: &Population = &self.network.populations[id];
        let window = window(self.network, id);
        match &population.kind {
            PopKind::Input(_) => Body::Input,
            PopKind::Neurons(n) => {
                Body::Neurons(Box::new(State::new(n, &population.shape, window, host)))
            }
            PopKind::Graded(g) => Body::Relay(Relay::new(g, &population.shape, window, host)),
        }
    }
}
