//! Compartments: the parameters of a layer's neurons become registers.

use super::places::Places;
use super::{Flat, Flattened, at, index_of, narrow};
use crate::netx::{Neurons, Numbers, Synapses};
use snnc_ir::program::{CompartmentRun, Profile, ProgramCore, Registers, Route};

/// Exponent of all biases: the loader knows no other.
const BIAS_EXPONENT: u8 = 6;

impl Flattened {
    /// Adds the compartments of a layer, population by population.
    pub(super) fn neurons(
        &mut self,
        layer: usize,
        neurons: &Neurons,
        rows: u32,
        places: &mut Places<'_>,
    ) -> Flat<()> {
        let conv = matches!(neurons.synapses, Synapses::Conv { .. });
        let shape = &neurons.shape;
        let current = Parameter::of("iDecay", &neurons.current_decay, layer, shape, conv)?;
        let membrane = Parameter::of("vDecay", &neurons.membrane_decay, layer, shape, conv)?;
        let threshold = Parameter::of("vThMant", &neurons.threshold, layer, shape, conv)?;
        let bias = neurons.bias.as_ref();
        let bias = bias.map(|b| Parameter::of("bias", b, layer, shape, conv)).transpose()?;
        let outside = |name: &str, value: i32| at(layer, format!("{name} is {value}"));
        let register = |name: &str, value: i32| {
            u16::try_from(value).ok().filter(|&v| v <= 4095).ok_or_else(|| outside(name, value))
        };
        let one = |i: usize, core: &mut ProgramCore| -> Flat<Registers> {
            let profile = Profile {
                du: register("iDecay − 1", current.at(i).saturating_sub(1))?,
                dv: register("vDecay", membrane.at(i))?,
                refractory: 1,
                subtract: None,
                update: (1, 0),
                graded: None,
                floor: None,
            };
            let fires =
                u32::try_from(threshold.at(i)).map_err(|_| outside("vThMant", threshold.at(i)))?;
            let bias = bias.as_ref().map_or(0, |bias| bias.at(i));
            Ok(Registers {
                profile: index_of(&mut core.profiles, profile),
                threshold: index_of(&mut core.thresholds, fires),
                bias_mantissa: i16::try_from(bias).map_err(|_| outside("bias", bias))?,
                bias_exponent: if bias == 0 { 0 } else { BIAS_EXPONENT },
            })
        };
        for part in places.take(layer, rows)? {
            let population = self.symbol(part, false)?;
            let mut cycle = Vec::new();
            for i in part.first..part.first + part.len {
                cycle.push(one(i, &mut self.core)?);
            }
            if cycle.iter().all(|r| *r == cycle[0]) {
                cycle.truncate(1);
            }
            let len = narrow(part.len);
            let compartment = self.compartments()?;
            self.core.compartments.push(CompartmentRun { population, first: 0, len, cycle });
            let axon = self.inputs + compartment;
            self.core.routes.push(Route { compartment, len, core: 0, axon });
        }
        Ok(())
    }
}

/// A parameter of a layer's neurons.
enum Parameter<'n> {
    Uniform(i32),
    Each(&'n [i32]),
    /// One per channel of `plane` neurons.
    Channels {
        values: &'n [i32],
        plane: usize,
    },
    /// In Lava's order: column, row, channel.
    Volume {
        values: &'n [i32],
        extents: [usize; 3],
    },
}

impl<'n> Parameter<'n> {
    /// Refuses extents that are not those of the neurons.
    fn of(name: &str, numbers: &'n Numbers, layer: usize, shape: &[u32], conv: bool) -> Flat<Self> {
        let values = &numbers.values[..];
        let shape: Vec<usize> = shape.iter().map(|&d| d as usize).collect();
        match (&numbers.shape[..], &shape[..]) {
            ([], _) if values.len() == 1 => Ok(Self::Uniform(values[0])),
            (&[n], &[c, h, w]) if conv && n == c => Ok(Self::Channels { values, plane: h * w }),
            (found, &[c, h, w]) if conv && *found == [w, h, c] => {
                Ok(Self::Volume { values, extents: [c, h, w] })
            }
            (&[n], all) if !conv && n == all.iter().product() => Ok(Self::Each(values)),
            (found, _) => {
                let message =
                    format!("the extents {found:?} of {name} are not those of the neurons");
                Err(at(layer, message))
            }
        }
    }

    /// The value of neuron `i`, row-major.
    fn at(&self, i: usize) -> i32 {
        match *self {
            Self::Uniform(value) => value,
            Self::Each(values) => values[i],
            Self::Channels { values, plane } => values[i / plane],
            Self::Volume { values, extents: [channels, rows, columns] } => {
                let (line, column) = (i / columns, i % columns);
                values[(column * rows + line % rows) * channels + line / rows]
            }
        }
    }
}
