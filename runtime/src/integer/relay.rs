//! One step of a population of graded relays.

use super::neuron::Overflow;
use crate::error::Register;
use crate::readout::Window;
use snnc_ir::network::Keep;
use snnc_ir::quantized::Graded;
use snnc_ir::shape::Shape;

/// Parameters, expanded per compartment, and arrivals of one population. There is no other state.
pub(crate) struct Relay {
    keep: Option<Keep>,
    shift: u8,
    /// In units of weight, what the host adds included.
    bias: Vec<i64>,
    /// The first step behind the last logical one.
    end: usize,
    /// What arrives in this step.
    input: Vec<i64>,
}

impl Relay {
    /// `host` is what the host adds to the biases.
    pub(super) fn new(
        graded: &Graded,
        shape: &Shape,
        window: Window,
        host: Option<&[i64]>,
    ) -> Self {
        let mut bias = graded.bias.map(i64::from).expand(shape);
        if let Some(host) = host {
            bias.iter_mut().zip(host).for_each(|(b, h)| *b += h);
        }
        Self {
            keep: graded.keep,
            shift: graded.shift,
            bias,
            end: window.end(),
            input: vec![0; shape.size()],
        }
    }

    /// Where arriving products are summed.
    pub(super) fn input(&mut self) -> &mut [i64] {
        &mut self.input
    }

    /// The messages of step `t`, by compartment.
    pub(super) fn messages(&mut self, t: usize) -> Result<Vec<(u32, i32)>, Overflow> {
        let behind = t >= self.end;
        let mut sent = Vec::new();
        let compartments = (0_u32..).zip(self.input.iter_mut().zip(&self.bias));
        for (n, (input, bias)) in compartments {
            // The bounds that `IntSim::new` checks leave room for the bias.
            let message = Graded::passes(self.keep, self.shift, std::mem::take(input) + bias);
            if message != 0 {
                let fits = match i32::try_from(message) {
                    Ok(fits) => fits,
                    Err(_) if behind && message < 0 => i32::MIN,
                    Err(_) if behind => i32::MAX,
                    Err(_) => {
                        let (neuron, register) = (n as usize, Register::Message);
                        return Err(Overflow { neuron, register, value: message });
                    }
                };
                sent.push((n, fits));
            }
        }
        Ok(sent)
    }
}
