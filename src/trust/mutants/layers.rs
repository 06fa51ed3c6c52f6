//! Runs of a `network.net` as its page describes it, layer by layer, without the checker's reading of it: what the checker
//! took for another network than it is would fire differently here.

use crate::trust::stimuli::stimulus;
use snnc_backends::certify::netx::{Layer, Layout, Netx, Neurons, Numbers, Part, Synapses};
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::Signal;
use snnc_runtime::cores::{CoreProbe, CoreSim};

/// Whether the populations of `program` fire in the layers of `netx`, where `layout` puts them, as they do in the program, on
/// `runs` random stimuli. Weights are taken as they stand: that the loader keeps them is what the checker proves besides.
///
/// # Errors
/// What differs, or why one of them does not run.
pub fn alike(program: &Program, netx: &Netx, layout: &Layout, runs: u64) -> Result<(), String> {
    let sim = CoreSim::new(program).map_err(|e| e.to_string())?;
    let logical = program.steps as usize;
    let period = program.period as usize;
    let steps = usize::try_from(program.run_steps).map_err(|e| e.to_string())?;
    for seed in 0..runs {
        let stimulus = stimulus(program, seed)?;
        let expected = sim.run(&stimulus, &CoreProbe::None).map_err(|e| e.to_string())?;
        let symbols = program.populations.iter();
        let inputs = symbols.filter(|symbol| matches!(symbol.role, SymbolRole::Input(_)));
        let columns = layout.inputs.iter().map(|part| part.first + part.len).max().unwrap_or(0);
        let mut sent = SpikeTrain::new(steps, columns);
        for (symbol, signal) in inputs.zip(&stimulus.inputs) {
            let Signal::Spikes(train) = signal else {
                return Err("a file has no place for samples".to_owned());
            };
            let part = part(&layout.inputs, &symbol.name)?;
            for step in 0..logical {
                let at = period * step + symbol.latency as usize;
                train.active(step).for_each(|n| sent.set(at, part.first + n));
            }
        }
        let layers = run(netx, sent)?;
        for (index, symbol) in program.populations.iter().enumerate() {
            // Relays and clocks are the program's own business, which other neurons show.
            if symbol.role != SymbolRole::Neurons {
                continue;
            }
            let Part { layer, first, len, .. } = part(&layout.populations, &symbol.name)?;
            let found = layers.get(*layer).and_then(Option::as_ref);
            let found = found.filter(|train| first + len <= train.neurons());
            let found = found.ok_or_else(|| format!("layer {layer} has no such neurons"))?;
            let wanted = expected.activity(index).spikes;
            let first_step = symbol.latency as usize;
            for step in first_step..first_step + period * logical {
                if let Some(n) =
                    (0..*len).find(|n| wanted.get(step, *n) != found.get(step, first + n))
                {
                    let name = &symbol.name;
                    return Err(format!(
                        "stimulus {seed}: neuron {n} of `{name}` in layer {layer} differs in step {step}"
                    ));
                }
            }
        }
    }
    Ok(())
}

fn part<'l>(parts: &'l [Part], name: &str) -> Result<&'l Part, String> {
    let found = parts.iter().find(|part| part.population == name);
    found.ok_or_else(|| format!("`{name}` has no place"))
}

/// What each layer sends if the input sends `sent`; `None` for layers without neurons.
fn run(netx: &Netx, sent: SpikeTrain) -> Result<Vec<Option<SpikeTrain>>, String> {
    let mut shape: &[u32] = match netx.layers.first() {
        Some(Layer::Input { shape }) => shape,
        _ => return Err("the first layer is no input".to_owned()),
    };
    let mut before = sent;
    let mut layers = vec![None];
    for layer in netx.layers.iter().skip(1) {
        layers.push(match layer {
            Layer::Input { .. } => return Err("a second input".to_owned()),
            Layer::Flatten => None,
            Layer::Neurons(neurons) => {
                before = fire(neurons, shape, &before)?;
                shape = &neurons.shape;
                Some(before.clone())
            }
        });
    }
    Ok(layers)
}

/// A synapse: from which neuron of the layer before, or with `own` of the same layer, with which weight, and how many
/// steps later than the next one.
struct Synapse {
    from: usize,
    own: bool,
    weight: i64,
    delay: usize,
}

/// What the neurons of a layer send, step by step.
fn fire(neurons: &Neurons, shape: &[u32], before: &SpikeTrain) -> Result<SpikeTrain, String> {
    let size: usize = neurons.shape.iter().map(|&d| d as usize).product();
    let incoming: Vec<Vec<Synapse>> =
        (0..size).map(|i| synapses(neurons, shape, i)).collect::<Option<_>>().ok_or("synapses")?;
    let of = |numbers: &Numbers, i| value(neurons, numbers, i).ok_or("parameters");
    let truncated = |product: i64| product.signum() * (product.abs() >> 12);
    let mut train = SpikeTrain::new(before.steps(), size);
    let mut state = vec![(0_i64, 0_i64); size];
    for step in 0..before.steps() {
        for (i, (current, membrane)) in state.iter_mut().enumerate() {
            let arrives = |s: &&Synapse| {
                let source = if s.own { &train } else { before };
                step.checked_sub(1 + s.delay).is_some_and(|sent| source.get(sent, s.from))
            };
            let sum: i64 = incoming[i].iter().filter(arrives).map(|s| s.weight).sum();
            let bias = neurons.bias.as_ref().map_or(Ok(0), |bias| of(bias, i))?;
            *current = truncated(*current * (4096 - of(&neurons.current_decay, i)?)) + 64 * sum;
            let kept = truncated(*membrane * (4096 - of(&neurons.membrane_decay, i)?));
            *membrane = kept + *current + 64 * bias;
            if *membrane > 64 * of(&neurons.threshold, i)? {
                *membrane = 0;
                train.set(step, i);
            }
        }
    }
    Ok(train)
}

/// The value of neuron `i`: one for all, one for each, one for each channel, or in the order width, height, channel.
fn value(neurons: &Neurons, numbers: &Numbers, i: usize) -> Option<i64> {
    let kernel = matches!(neurons.synapses, Synapses::Conv { .. });
    let at = match (&numbers.shape[..], &neurons.shape[..]) {
        ([], _) => 0,
        (&[_], &[_, high, wide]) if kernel => i / (high * wide) as usize,
        ([_], _) => i,
        (&[_, high, channels], &[_, _, wide]) => {
            let (line, x) = (i / wide as usize, i % wide as usize);
            let (channel, y) = (line.checked_div(high)?, line.checked_rem(high)?);
            (x * high + y) * channels + channel
        }
        _ => return None,
    };
    numbers.values.get(at).map(|&v| i64::from(v))
}

/// What drives neuron `i`, if what it reads is numbered by `shape`: weights that are not 0.
fn synapses(neurons: &Neurons, shape: &[u32], i: usize) -> Option<Vec<Synapse>> {
    let mut all = Vec::new();
    match &neurons.synapses {
        Synapses::Dense { weight, recurrent, delay } => {
            for (matrix, own) in [(Some(weight), false), (recurrent.as_ref(), true)] {
                let Some(matrix) = matrix else { continue };
                let cols = *matrix.shape.get(1)?;
                for from in 0..cols {
                    let at = i * cols + from;
                    let weight = i64::from(*matrix.values.get(at)?);
                    let delay = delay.as_ref().filter(|_| !own).map_or(Some(&0), |delay| {
                        delay.values.get(if delay.shape.is_empty() { 0 } else { at })
                    })?;
                    all.push(Synapse { from, own, weight, delay: usize::try_from(*delay).ok()? });
                }
            }
        }
        Synapses::Conv { weight, stride, padding, groups } => {
            let [channels, high, wide] = extents(shape)?;
            let [outputs, rows, columns] = extents(&neurons.shape)?;
            let &[_, depth, tall, broad] = &weight.shape[..] else { return None };
            let (out, y, x) = (i / (rows * columns), i / columns % rows, i % columns);
            let group = out.checked_div(outputs.checked_div(*groups as usize)?)?;
            for cell in 0..depth * tall * broad {
                let (k, dy, dx) = (cell / (tall * broad), cell / broad % tall, cell % broad);
                let place = |position: usize, axis: usize, offset: usize, extent: usize| {
                    let padded = position * stride[axis] as usize + offset;
                    padded.checked_sub(padding[axis] as usize).filter(|&p| p < extent)
                };
                let (Some(row), Some(column)) = (place(y, 0, dy, high), place(x, 1, dx, wide))
                else {
                    continue;
                };
                let channel = group * depth + k;
                let weight = *weight.values.get(out * depth * tall * broad + cell)?;
                let from =
                    (channel < channels).then_some((channel * high + row) * wide + column)?;
                all.push(Synapse { from, own: false, weight: i64::from(weight), delay: 0 });
            }
        }
    }
    all.retain(|synapse| synapse.weight != 0);
    Some(all)
}

fn extents(shape: &[u32]) -> Option<[usize; 3]> {
    <[u32; 3]>::try_from(shape).ok().map(|shape| shape.map(|d| d as usize))
}
