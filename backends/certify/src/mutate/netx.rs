//! Single changes to a decoded `network.net` that change what it computes, or break it.

use super::Chance;
use crate::netx::{Layer, Netx, Neurons, Numbers, Synapses};
use hdf5_pure::{Error, FileBuilder, GroupBuilder};

/// A change: picks a place at random, changes it, and says what it did.
type Change = fn(&mut Netx, &mut Chance) -> Option<String>;

const CLASSES: &[(&str, Change)] = &[
    ("netx-weight", weight),
    ("netx-weight-sign", weight_sign),
    ("netx-weight-dropped", weight_dropped),
    ("netx-weights-swapped", weights_swapped),
    ("netx-rows-swapped", rows_swapped),
    ("netx-transposed", transposed),
    ("netx-recurrent-dropped", recurrent_dropped),
    ("netx-threshold", threshold),
    ("netx-current-decay", current_decay),
    ("netx-membrane-decay", membrane_decay),
    ("netx-bias", bias),
    ("netx-parameters-swapped", parameters_swapped),
    ("netx-delay", delay),
    ("netx-layers-swapped", layers_swapped),
    ("netx-layer-doubled", layer_doubled),
    ("netx-layer-dropped", layer_dropped),
    ("netx-flatten", flatten),
    ("netx-stride", stride),
    ("netx-padding", padding),
    ("netx-groups", groups),
    ("netx-shape", shape),
    ("netx-input-shape", input_shape),
    ("netx-extents", extents_changed),
];

/// Names of the classes.
pub fn classes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|(name, _)| *name)
}

/// Makes one change of `class` at a place that `seed` picks; says what was changed.
///
/// `None`, with the file unchanged, if the class is unknown or the file offers no place where the
/// change would matter.
pub fn apply(class: &str, netx: &mut Netx, seed: u64) -> Option<String> {
    let (_, change) = CLASSES.iter().find(|(name, _)| *name == class)?;
    change(netx, &mut Chance(seed))
}

/// Numbers of the layers of neurons.
fn layers(netx: &Netx) -> Vec<usize> {
    let neurons = |i: &usize| matches!(netx.layers[*i], Layer::Neurons(_));
    (0..netx.layers.len()).filter(neurons).collect()
}

/// The first layer of neurons, from a random one on, in which `change` finds a place.
fn in_layer(
    netx: &mut Netx,
    chance: &mut Chance,
    mut change: impl FnMut(&mut Neurons, &mut Chance) -> Option<String>,
) -> Option<String> {
    let order = chance.rotated(layers(netx));
    order.into_iter().find_map(|i| match &mut netx.layers[i] {
        Layer::Neurons(neurons) => change(neurons, chance).map(|what| format!("layer {i}: {what}")),
        Layer::Input { .. } | Layer::Flatten => None,
    })
}

/// A matrix or kernel of a layer.
fn matrix<'n>(neurons: &'n mut Neurons, chance: &mut Chance) -> &'n mut Numbers {
    match &mut neurons.synapses {
        Synapses::Dense { weight, recurrent, .. } => match recurrent {
            Some(recurrent) if chance.coin() => recurrent,
            _ => weight,
        },
        Synapses::Conv { weight, .. } => weight,
    }
}

fn weight(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let all = matrix(neurons, chance);
        let i = chance.below(all.values.len());
        let value = all.values.get_mut(i)?;
        let next = i32::try_from(chance.nudge(i64::from(*value), -256, 255)?).ok()?;
        let what = format!("weight {i} is {next}, was {value}");
        *value = next;
        Some(what)
    })
}

/// The position of a weight that is not 0, from a random one on.
fn loud(all: &Numbers, chance: &mut Chance) -> Option<usize> {
    let from = chance.below(all.values.len());
    (from..all.values.len()).chain(0..from).find(|&i| all.values[i] != 0)
}

fn weight_sign(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let all = matrix(neurons, chance);
        let i = loud(all, chance)?;
        all.values[i] = -all.values[i];
        Some(format!("weight {i} is {}", all.values[i]))
    })
}

fn weight_dropped(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let all = matrix(neurons, chance);
        let i = loud(all, chance)?;
        all.values[i] = 0;
        Some(format!("weight {i} is 0"))
    })
}

fn weights_swapped(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let all = matrix(neurons, chance);
        let i = chance.below(all.values.len());
        let j = (i + 1..all.values.len()).find(|&j| all.values[j] != all.values[i])?;
        all.values.swap(i, j);
        Some(format!("weights {i} and {j} are swapped"))
    })
}

fn rows_swapped(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let all = matrix(neurons, chance);
        let rows = *all.shape.first()?;
        let len = all.values.len().checked_div(rows)?;
        let row = |i: usize| i * len..(i + 1) * len;
        let i = chance.below(rows);
        let j = (i + 1..rows).find(|&j| all.values[row(i)] != all.values[row(j)])?;
        for k in 0..len {
            all.values.swap(i * len + k, j * len + k);
        }
        Some(format!("the synapses of neurons {i} and {j} are swapped"))
    })
}

fn transposed(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let all = matrix(neurons, chance);
        let [.., rows, cols] = all.shape[..] else { return None };
        let mut turned = all.values.clone();
        for (part, out) in all.values.chunks(rows * cols).zip(turned.chunks_mut(rows * cols)) {
            (0..rows).for_each(|r| (0..cols).for_each(|c| out[c * rows + r] = part[r * cols + c]));
        }
        if turned == all.values {
            return None;
        }
        all.values = turned;
        Some("a matrix is transposed".to_owned())
    })
}

fn recurrent_dropped(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, _| match &mut neurons.synapses {
        Synapses::Dense { recurrent, .. }
            if recurrent.as_ref().is_some_and(|r| r.values.iter().any(|&w| w != 0)) =>
        {
            *recurrent = None;
            Some("the synapses among the neurons are dropped".to_owned())
        }
        _ => None,
    })
}

/// Changes a value of a parameter by 1 inside a range.
fn nudged(
    numbers: &mut Numbers,
    chance: &mut Chance,
    range: [i64; 2],
    name: &str,
) -> Option<String> {
    let i = chance.below(numbers.values.len());
    let value = numbers.values.get_mut(i)?;
    let next = chance.nudge(i64::from(*value), range[0], range[1])?;
    let what = format!("{name} {i} is {next}, was {value}");
    *value = i32::try_from(next).ok()?;
    Some(what)
}

fn threshold(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |n, chance| nudged(&mut n.threshold, chance, [0, 131_071], "threshold"))
}

fn current_decay(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |n, chance| nudged(&mut n.current_decay, chance, [1, 4096], "iDecay"))
}

fn membrane_decay(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |n, chance| nudged(&mut n.membrane_decay, chance, [0, 4095], "vDecay"))
}

fn bias(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let conv = matches!(neurons.synapses, Synapses::Conv { .. });
        let size: u32 = neurons.shape.iter().product();
        let count = if conv { *neurons.shape.first()? } else { size } as usize;
        let none = || Numbers { shape: vec![count], values: vec![0; count] };
        nudged(neurons.bias.get_or_insert_with(none), chance, [-4095, 4095], "bias")
    })
}

fn delay(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| match &mut neurons.synapses {
        Synapses::Dense { weight, recurrent: None, delay } => {
            let none = || Numbers { shape: Vec::new(), values: vec![0] };
            let delay = delay.get_or_insert_with(none);
            if delay.shape.is_empty() {
                return nudged(delay, chance, [0, 62], "delay");
            }
            // The delay of a weight of 0 means nothing.
            let i = loud(weight, chance)?;
            let next = chance.nudge(i64::from(*delay.values.get(i)?), 0, 62)?;
            delay.values[i] = i32::try_from(next).ok()?;
            Some(format!("delay {i} is {next}"))
        }
        _ => None,
    })
}

/// Two layers behind the input change places.
fn layers_swapped(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    let all: Vec<usize> = chance.rotated(1..netx.layers.len());
    let &a = all.first()?;
    let b = chance.pick(all.into_iter().filter(|&b| netx.layers[b] != netx.layers[a]))?;
    netx.layers.swap(a, b);
    Some(format!("layers {a} and {b} are swapped"))
}

fn layer_doubled(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    let i = chance.pick(layers(netx))?;
    netx.layers.insert(i, netx.layers[i].clone());
    Some(format!("layer {i} is there twice"))
}

fn layer_dropped(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    let i = chance.pick(layers(netx))?;
    netx.layers.remove(i);
    Some(format!("layer {i} is dropped"))
}

/// A layer that numbers its sources anew is dropped, or one comes in before a kernel, which has no image to read then.
fn flatten(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    let conv = |layer: &Layer| matches!(layer, Layer::Neurons(n) if matches!(n.synapses, Synapses::Conv { .. }));
    let places = netx.layers.iter().enumerate();
    let places = places.filter(|(_, layer)| **layer == Layer::Flatten || conv(layer));
    let i = chance.pick(places.map(|(i, _)| i))?;
    if netx.layers[i] == Layer::Flatten {
        netx.layers.remove(i);
        return Some(format!("layer {i} does not flatten any more"));
    }
    let count = 1 + chance.below(3);
    (0..count).for_each(|_| netx.layers.insert(i, Layer::Flatten));
    Some(format!("{count} layers that flatten come before layer {i}"))
}

/// Another number of a range, instead of `value`; says which one.
fn another(value: &mut u32, chance: &mut Chance, low: u32, high: u32) -> Option<u32> {
    let old = *value;
    *value = chance.pick((low..=high).filter(|&n| n != old))?;
    Some(*value)
}

/// Changes a number of a kernel's geometry.
fn in_kernel(
    netx: &mut Netx,
    chance: &mut Chance,
    change: impl Fn(&mut Synapses, &mut Chance) -> Option<String>,
) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| match &neurons.synapses {
        Synapses::Conv { .. } => change(&mut neurons.synapses, chance),
        Synapses::Dense { .. } => None,
    })
}

fn stride(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_kernel(netx, chance, |synapses, chance| {
        let Synapses::Conv { stride, .. } = synapses else { return None };
        let axis = usize::from(chance.coin());
        let next = another(&mut stride[axis], chance, 1, 6)?;
        Some(format!("the stride of axis {axis} is {next}"))
    })
}

fn padding(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_kernel(netx, chance, |synapses, chance| {
        let Synapses::Conv { padding, .. } = synapses else { return None };
        let axis = usize::from(chance.coin());
        let next = another(&mut padding[axis], chance, 0, 5)?;
        Some(format!("the padding of axis {axis} is {next}"))
    })
}

fn groups(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_kernel(netx, chance, |synapses, chance| {
        let Synapses::Conv { groups, .. } = synapses else { return None };
        let next = another(groups, chance, 1, 6)?;
        Some(format!("there are {next} groups"))
    })
}

/// Another extent, or two that change places.
fn reshaped(shape: &mut [u32], chance: &mut Chance) -> Option<String> {
    let i = chance.below(shape.len());
    if let Some(j) = (i + 1..shape.len()).find(|&j| shape[j] != shape[i])
        && chance.coin()
    {
        shape.swap(i, j);
        return Some(format!("extents {i} and {j} are swapped"));
    }
    let extent = shape.get_mut(i)?;
    let high = extent.saturating_add(4);
    let next = another(extent, chance, 1, high)?;
    Some(format!("extent {i} is {next}"))
}

fn shape(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| reshaped(&mut neurons.shape, chance))
}

fn input_shape(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    match netx.layers.first_mut()? {
        Layer::Input { shape } => reshaped(shape, chance).map(|what| format!("input: {what}")),
        Layer::Flatten | Layer::Neurons(_) => None,
    }
}

/// The datasets of a layer, by name.
fn datasets(neurons: &mut Neurons) -> Vec<(&'static str, &mut Numbers)> {
    let mut all = vec![
        ("iDecay", &mut neurons.current_decay),
        ("vDecay", &mut neurons.membrane_decay),
        ("vThMant", &mut neurons.threshold),
    ];
    all.extend(neurons.bias.as_mut().map(|bias| ("bias", bias)));
    match &mut neurons.synapses {
        Synapses::Dense { weight, recurrent, delay } => {
            all.push(("weight", weight));
            all.extend(recurrent.as_mut().map(|recurrent| ("weight_rec", recurrent)));
            all.extend(delay.as_mut().map(|delay| ("delay", delay)));
        }
        Synapses::Conv { weight, .. } => all.push(("weight", weight)),
    }
    all
}

/// Two neurons, or channels, change a decay, threshold or bias.
fn parameters_swapped(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let weights = ["weight", "weight_rec", "delay"];
        let own = datasets(neurons).into_iter().filter(|(name, _)| !weights.contains(name));
        chance.rotated(own).into_iter().find_map(|(name, Numbers { values, .. })| {
            let i = chance.below(values.len());
            let j = chance.pick((0..values.len()).filter(|&j| values[j] != values[i]))?;
            values.swap(i, j);
            Some(format!("{name} {i} and {j} are swapped"))
        })
    })
}

/// A dataset of other extents with the same values.
fn extents_changed(netx: &mut Netx, chance: &mut Chance) -> Option<String> {
    in_layer(netx, chance, |neurons, chance| {
        let (name, numbers) = chance.pick(datasets(neurons))?;
        let shape = &mut numbers.shape;
        let i = chance.below(shape.len());
        match (i + 1..shape.len()).find(|&j| shape[j] != shape[i]) {
            Some(j) if chance.coin() => shape.swap(i, j),
            _ => shape.insert(i, 1),
        }
        Some(format!("the extents of {name} are {:?}", numbers.shape))
    })
}

/// A decoded file as HDF5, for tests that need one which no writer would write.
///
/// # Errors
/// What the HDF5 library says.
pub fn encode(netx: &Netx) -> Result<Vec<u8>, Error> {
    let mut file = FileBuilder::new();
    let mut all = file.create_group("layer");
    for (i, layer) in netx.layers.iter().enumerate() {
        let mut group = all.create_group(&i.to_string());
        match layer {
            Layer::Input { shape } => {
                group.create_dataset("type").with_ascii_strings_sized(&["input"], 10)?;
                extents(&mut group, "shape", shape);
            }
            Layer::Flatten => {
                group.create_dataset("type").with_ascii_strings_sized(&["flatten"], 10)?;
            }
            Layer::Neurons(neurons) => encode_neurons(&mut group, neurons)?,
        }
        all.add_group(group.finish());
    }
    file.add_group(all.finish());
    file.finish()
}

fn encode_neurons(group: &mut GroupBuilder, neurons: &Neurons) -> Result<(), Error> {
    let kind = match &neurons.synapses {
        Synapses::Dense { weight, recurrent, delay } => {
            numbers(group, "weight", weight);
            optional(group, "weight_rec", recurrent.as_ref());
            optional(group, "delay", delay.as_ref());
            if recurrent.is_some() { "dense_rec" } else { "dense" }
        }
        Synapses::Conv { weight, stride, padding, groups } => {
            numbers(group, "weight", weight);
            extents(group, "stride", stride);
            extents(group, "padding", padding);
            extents(group, "dilation", &[1, 1]);
            extents(group, "groups", &[*groups]);
            "conv"
        }
    };
    group.create_dataset("type").with_ascii_strings_sized(&[kind], 10)?;
    extents(group, "shape", &neurons.shape);
    optional(group, "bias", neurons.bias.as_ref());
    let mut inner = group.create_group("neuron");
    inner.create_dataset("type").with_ascii_strings(&["LOIHI"])?.with_shape(&[]);
    numbers(&mut inner, "iDecay", &neurons.current_decay);
    numbers(&mut inner, "vDecay", &neurons.membrane_decay);
    numbers(&mut inner, "vThMant", &neurons.threshold);
    group.add_group(inner.finish());
    Ok(())
}

fn extents(group: &mut GroupBuilder, name: &str, values: &[u32]) {
    let values: Vec<i64> = values.iter().map(|&v| i64::from(v)).collect();
    group.create_dataset(name).with_i64_data(&values);
}

fn optional(group: &mut GroupBuilder, name: &str, present: Option<&Numbers>) {
    if let Some(present) = present {
        numbers(group, name, present);
    }
}

fn numbers(group: &mut GroupBuilder, name: &str, numbers: &Numbers) {
    let values: Vec<i64> = numbers.values.iter().map(|&v| i64::from(v)).collect();
    let shape: Vec<u64> = numbers.shape.iter().map(|&d| d as u64).collect();
    group.create_dataset(name).with_i64_data(&values).with_shape(&shape);
}
