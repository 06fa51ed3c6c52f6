//! Which parameters of neurons a simulator takes as they are written.

use snnc_ir::network::discretization::Dialect;

/// What a simulator demands of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: it is used as written.
    Any,
    /// 0; other values are refused or ignored there.
    Zero,
    /// 1; other values are refused or ignored there.
    One,
    /// 1 over the length of a step.
    InverseStep,
    /// The time constant of the membrane over the length of a step.
    MembraneSteps,
    /// 1, or the time constant over the length of a step.
    OneOrSteps,
    /// The time constant of the current over the length of a step.
    CurrentSteps,
    /// The value after a reset.
    Reset,
}

/// What a simulator demands of the parameters of a neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeuronRules {
    /// Of `r`.
    pub r: Expected,
    /// Of `w_in`.
    pub w_in: Expected,
    /// Of `v_leak`.
    pub v_leak: Expected,
    /// Of `v_reset`.
    pub v_reset: Expected,
    /// All neurons of a node have the same parameters.
    pub uniform: bool,
}

const WRITTEN: NeuronRules = NeuronRules {
    r: Expected::Any,
    w_in: Expected::Any,
    v_leak: Expected::Any,
    v_reset: Expected::Any,
    uniform: false,
};

/// What a simulator reads; `Err` says why it does not read such a node as the file means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Leaky integrate-and-fire neurons.
    pub lif: Result<NeuronRules, &'static str>,
    /// Integrate-and-fire neurons.
    pub integrate: Result<NeuronRules, &'static str>,
    /// Leaky integrate-and-fire neurons with a current.
    pub cuba: Result<NeuronRules, &'static str>,
}

impl Rules {
    /// Those of a dialect; without one, everything is used as written.
    pub const fn of(dialect: Option<Dialect>) -> Self {
        use Expected as E;
        let zeros = NeuronRules { v_leak: E::Zero, v_reset: E::Zero, ..WRITTEN };
        match dialect {
            None | Some(Dialect::Exact) => {
                Self { lif: Ok(WRITTEN), integrate: Ok(WRITTEN), cuba: Ok(WRITTEN) }
            }
            Some(Dialect::SnnTorch) => Self {
                lif: Ok(zeros),
                integrate: Err("it makes `IF` a leaky neuron that keeps 0.9 of its membrane"),
                cuba: Ok(NeuronRules { r: E::MembraneSteps, ..zeros }),
            },
            Some(Dialect::Norse) => Self {
                lif: Ok(NeuronRules { r: E::One, v_reset: E::Zero, ..WRITTEN }),
                integrate: Ok(NeuronRules { r: E::One, v_reset: E::Zero, ..WRITTEN }),
                // It would also draw the current to `v_leak`.
                cuba: Ok(zeros),
            },
            Some(Dialect::Sinabs) => Self {
                lif: Ok(NeuronRules { r: E::One, ..zeros }),
                integrate: Ok(NeuronRules { r: E::One, ..zeros }),
                cuba: Err("it has no reader for `CubaLIF`"),
            },
            Some(Dialect::SpikingJelly) => Self {
                lif: Ok(NeuronRules {
                    r: E::OneOrSteps,
                    v_leak: E::Reset,
                    uniform: true,
                    ..WRITTEN
                }),
                integrate: Ok(NeuronRules { r: E::InverseStep, uniform: true, ..WRITTEN }),
                cuba: Ok(NeuronRules {
                    r: E::MembraneSteps,
                    w_in: E::CurrentSteps,
                    v_leak: E::Zero,
                    uniform: true,
                    ..WRITTEN
                }),
            },
            Some(Dialect::Rockpool) => Self {
                lif: Err("its reader of `LIF` asks for a parameter that the format does not have"),
                integrate: Err("it has no reader for `IF`"),
                // It adds `v_leak` to the membrane in every step, as it is.
                cuba: Ok(NeuronRules { w_in: E::One, v_reset: E::Zero, ..WRITTEN }),
            },
            Some(Dialect::Lava) => Self {
                lif: Ok(NeuronRules { r: E::One, ..zeros }),
                integrate: Ok(NeuronRules { r: E::One, ..zeros }),
                cuba: Ok(NeuronRules { r: E::MembraneSteps, ..zeros }),
            },
        }
    }
}

impl Expected {
    /// The values demanded, for a step of length `step` and these time constants (membrane, current) and
    /// this reset; none if any value is taken.
    pub fn values(self, step: f64, taus: [f64; 2], reset: f64) -> Vec<f64> {
        match self {
            Self::Any => Vec::new(),
            Self::Zero => vec![0.0],
            Self::One => vec![1.0],
            Self::InverseStep => vec![1.0 / step],
            Self::MembraneSteps => vec![taus[0] / step],
            Self::OneOrSteps => vec![1.0, taus[0] / step],
            Self::CurrentSteps => vec![taus[1] / step],
            Self::Reset => vec![reset],
        }
    }

    /// For people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Zero => "0",
            Self::One => "1",
            Self::InverseStep => "1/dt",
            Self::MembraneSteps => "tau_mem/dt",
            Self::OneOrSteps => "1 or tau/dt",
            Self::CurrentSteps => "tau_syn/dt",
            Self::Reset => "`v_reset`",
        }
    }
}
