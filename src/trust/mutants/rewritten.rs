//! The same `network.net`, written otherwise.

use crate::trust::stimuli::Draw;
use snnc_backends::certify::netx::{Layer, Netx, Neurons, Numbers, Synapses};

/// A rewriting that changes nothing of what the loader makes; `None` where there is no place for it.
type Rewrite = fn(&mut Netx, &mut Draw) -> Option<()>;

pub(super) const CLASSES: &[(&str, Rewrite)] = &[
    ("netx-parameter-spread", parameter_spread),
    ("netx-bias-of-zeros", bias_of_zeros),
    ("netx-delay-spread", delay_spread),
    ("netx-idle-delay", idle_delay),
    ("netx-flatten-twice", flatten_twice),
];

/// The first layer of neurons, from a random one on, in which `change` finds a place.
fn in_layer(
    netx: &mut Netx,
    draw: &mut Draw,
    change: impl Fn(&mut Neurons, &mut Draw) -> Option<()>,
) -> Option<()> {
    let count = netx.layers.len();
    let from = draw.below(count);
    (0..count).find_map(|i| match &mut netx.layers[(from + i) % count] {
        Layer::Neurons(neurons) => change(neurons, draw),
        Layer::Input { .. } | Layer::Flatten => None,
    })
}

/// Extents of an array with an entry for each neuron: of a kernel also one with an entry for each channel.
fn extents(neurons: &Neurons, draw: &mut Draw) -> Vec<usize> {
    let shape: Vec<usize> = neurons.shape.iter().map(|&d| d as usize).collect();
    match (&neurons.synapses, &shape[..]) {
        (Synapses::Conv { .. }, &[channels, high, wide]) => {
            if draw.below(2) == 0 {
                vec![channels]
            } else {
                vec![wide, high, channels]
            }
        }
        _ => vec![shape.iter().product()],
    }
}

fn filled(shape: Vec<usize>, value: i32) -> Numbers {
    let count = shape.iter().product();
    Numbers { shape, values: vec![value; count] }
}

/// What is said once for all neurons is said for each.
fn parameter_spread(netx: &mut Netx, draw: &mut Draw) -> Option<()> {
    in_layer(netx, draw, |neurons, draw| {
        let shape = extents(neurons, draw);
        let from = draw.below(3);
        let mut all =
            [&mut neurons.current_decay, &mut neurons.membrane_decay, &mut neurons.threshold];
        all.rotate_left(from);
        let scalar = all.into_iter().find(|numbers| numbers.shape.is_empty())?;
        *scalar = filled(shape, *scalar.values.first()?);
        Some(())
    })
}

/// Neurons without bias get one of 0.
fn bias_of_zeros(netx: &mut Netx, draw: &mut Draw) -> Option<()> {
    in_layer(netx, draw, |neurons, draw| {
        let shape = extents(neurons, draw);
        if neurons.bias.is_some() {
            return None;
        }
        neurons.bias = Some(filled(shape, 0));
        Some(())
    })
}

/// The delay of a matrix, once for each synapse; `None` if each has its own.
fn spread(synapses: &Synapses) -> Option<Numbers> {
    let Synapses::Dense { weight, recurrent: None, delay } = synapses else { return None };
    match delay {
        None => Some(filled(weight.shape.clone(), 0)),
        Some(delay) if delay.shape.is_empty() => {
            Some(filled(weight.shape.clone(), *delay.values.first()?))
        }
        Some(_) => None,
    }
}

fn delay_spread(netx: &mut Netx, draw: &mut Draw) -> Option<()> {
    in_layer(netx, draw, |neurons, _| {
        let all = spread(&neurons.synapses)?;
        let Synapses::Dense { delay, .. } = &mut neurons.synapses else { return None };
        *delay = Some(all);
        Some(())
    })
}

/// Weights of 0 get any delay.
fn idle_delay(netx: &mut Netx, draw: &mut Draw) -> Option<()> {
    in_layer(netx, draw, |neurons, draw| {
        let all = spread(&neurons.synapses);
        let Synapses::Dense { weight, recurrent: None, delay } = &mut neurons.synapses else {
            return None;
        };
        if weight.values.iter().all(|&w| w != 0) {
            return None;
        }
        let mut new = all.or_else(|| delay.clone())?;
        let idle = new.values.iter_mut().zip(&weight.values).filter(|(_, w)| **w == 0);
        for (register, _) in idle {
            *register = i32::try_from(draw.below(63)).ok()?;
        }
        *delay = Some(new);
        Some(())
    })
}

/// What has lost its channels loses them again.
fn flatten_twice(netx: &mut Netx, draw: &mut Draw) -> Option<()> {
    let dense = |layer: &Layer| matches!(layer, Layer::Neurons(n) if matches!(n.synapses, Synapses::Dense { .. }));
    let layers = &netx.layers;
    let places: Vec<usize> =
        (1..layers.len()).filter(|&i| layers[i] == Layer::Flatten || dense(&layers[i])).collect();
    let flat = *places.get(draw.below(places.len()))?;
    (0..=draw.below(3)).for_each(|_| netx.layers.insert(flat, Layer::Flatten));
    Some(())
}
