//! What a network receives in one run, at every level.

use crate::error::SimError;
use snnc_ir::network::Coding;
use snnc_ir::spikes::SpikeTrain;

/// What one input receives in one run.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// Spikes, `[steps, neurons]` in logical time.
    Spikes(SpikeTrain),
    /// A frame of analog values, the same in every step (inputs of [`Coding::Direct`]).
    Frame(Vec<f32>),
}

/// What a network receives in one run: one signal per input, in ascending order of ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stimulus {
    /// The signals.
    pub inputs: Vec<Signal>,
}

impl From<Vec<SpikeTrain>> for Stimulus {
    fn from(trains: Vec<SpikeTrain>) -> Self {
        Self { inputs: trains.into_iter().map(Signal::Spikes).collect() }
    }
}

/// What an input takes.
pub(crate) struct Port<'a> {
    pub(crate) name: &'a str,
    pub(crate) coding: &'a Coding,
    pub(crate) size: usize,
}

impl Stimulus {
    /// Checks that every signal fits its input in a run of `steps` logical steps.
    ///
    /// # Errors
    /// [`SimError::StimulusCount`], [`SimError::StimulusKind`], [`SimError::StimulusShape`],
    /// [`SimError::FrameSize`], [`SimError::FrameValue`].
    pub(crate) fn check(&self, steps: usize, ports: &[Port<'_>]) -> Result<(), SimError> {
        if self.inputs.len() != ports.len() {
            let (expected, found) = (ports.len(), self.inputs.len());
            return Err(SimError::StimulusCount { expected, found });
        }
        self.inputs.iter().zip(ports).try_for_each(|(signal, port)| port.check(signal, steps))
    }
}

impl Port<'_> {
    fn check(&self, signal: &Signal, steps: usize) -> Result<(), SimError> {
        let input = || self.name.to_owned();
        match (self.coding, signal) {
            (Coding::Direct { range }, Signal::Frame(frame)) => {
                if frame.len() != self.size {
                    let (expected, found) = (self.size, frame.len());
                    return Err(SimError::FrameSize { input: input(), expected, found });
                }
                let fits = |x: f32| {
                    x.is_finite()
                        && range.is_none_or(|[low, high]| {
                            (f64::from(low)..=f64::from(high)).contains(&f64::from(x))
                        })
                };
                match frame.iter().position(|&x| !fits(x)) {
                    None => Ok(()),
                    Some(element) => Err(SimError::FrameValue {
                        input: input(),
                        element,
                        value: frame[element],
                        expected: range.map_or_else(
                            || "a finite number".to_owned(),
                            |[low, high]| format!("a number from {low} to {high}"),
                        ),
                    }),
                }
            }
            (Coding::Direct { .. }, Signal::Spikes(_)) => {
                let expected = "a frame of values, not spikes";
                Err(SimError::StimulusKind { input: input(), expected })
            }
            (_, Signal::Frame(_)) => {
                let expected = "spikes, not a frame of values";
                Err(SimError::StimulusKind { input: input(), expected })
            }
            (_, Signal::Spikes(train)) => {
                let (expected, found) = ((steps, self.size), (train.steps(), train.neurons()));
                if expected != found {
                    return Err(SimError::StimulusShape { input: input(), expected, found });
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Port, Signal, Stimulus};
    use crate::error::SimError;
    use snnc_ir::network::Coding;

    #[test]
    fn values_keep_to_the_range() {
        let check = |range: Option<[i32; 2]>, frame: &[f32]| {
            let coding = Coding::Direct { range };
            let port = Port { name: "x", coding: &coding, size: 2 };
            Stimulus { inputs: vec![Signal::Frame(frame.to_vec())] }.check(1, &[port])
        };
        assert_eq!(check(Some([-1, 1]), &[-1.0, 1.0]), Ok(()));
        assert_eq!(check(None, &[-1e30, 1e30]), Ok(()));
        let error = check(Some([-1, 1]), &[0.0, 1.000_000_1]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "element 1 of the frame for input `x` is 1.0000001; expected a number from -1 to 1"
        );
        for value in [f32::NAN, f32::INFINITY] {
            for range in [None, Some([0, 1])] {
                let error = check(range, &[value, 0.0]);
                assert!(matches!(error, Err(SimError::FrameValue { element: 0, .. })));
            }
        }
        assert!(matches!(check(None, &[0.0]), Err(SimError::FrameSize { .. })));
    }
}
