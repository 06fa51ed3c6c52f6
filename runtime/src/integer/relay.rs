//! One step of a population of graded relays.

use super::neuron::Overflow;
use crate::error::Register;
use snnc_ir::network::Keep;
use snnc_ir::quantized::Graded;
use snnc_ir::shape::Shape;

/// Parameters, expanded per compartment, and arrivals of one population. There is no other state.
pub(crate) struct Relay {
    keep: Option<Keep>,
    shift: u8,
    /// In units of weight, what the host adds included.
    bias: Vec<i64>,
    /// What arrives in this step.
    input: Vec<i64>,
}

impl Relay {
    /// `host` is what the host adds to the biases.
    pub(super) fn new(graded: &Graded, shape: &Shape, host: Option<&[i64]>) -> Self {
        let mut bias = graded.bias.map(i64::from).expand(shape);
        if let Some(host) = host {
            bias.iter_mut().zip(host).for_each(|(b, h)| *b += h);
        }
        Self { keep: graded.keep, shift: graded.shift, bias, input: vec![0; shape.size()] }
    }

    /// Where arriving products are summed.
    pub(super) fn input(&mut self) -> &mut [i64] {
        &mut self.input
    }

    /// The messages of this step, by compartment.
    pub(super) fn messages(&mut self) -> Result<Vec<(u32, i32)>, Overflow> {
        let mut sent = Vec::new();
        let compartments = (0_u32..).zip(self.input.iter_mut().zip(&self.bias));
        for (n, (input, bias)) in compartments {
            // The bounds that `IntSim::new` checks leave room for the bias.
            let message = Graded::passes(self.keep, self.shift, std::mem::take(input) + bias);
            if message != 0 {
                let fits = i32::try_from(message).map_err(|_| Overflow {
                    neuron: n as usize,
                    register: Register::Message,
                    value: message,
                })?;
                sent.push((n, fits));
            }
        }
        Ok(sent)
    }
}
