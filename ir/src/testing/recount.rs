//! What the cores of a mapped network use, counted from the definition: neuron by neuron, synapse by synapse, with
//! nothing of what `mapped::usage` knows about channels and places.

use crate::arena::{Entity, PopId, ProjId};
use crate::mapped::usage::{CoreUsage, formats};
use crate::mapped::{Core, MappedDraft, Slice};
use crate::order::Order;
use crate::quantized::{IntReset, Structure, Time};
use crate::target::TargetSpec;
use std::collections::{BTreeMap, BTreeSet};

/// What each core uses, and its output axons. Takes long: for small networks.
///
/// # Panics
/// If a core refers to what does not exist.
pub fn recount(draft: &MappedDraft, target: &TargetSpec) -> Vec<(CoreUsage, u64)> {
    let outputs = outputs(draft, target);
    let usage = draft.cores.values().map(|core| {
        let [profiles, thresholds, floors] = registers(draft, core);
        let (synapse_words, synapses, formats) = memory(draft, core, target);
        CoreUsage {
            compartments: core.slices.iter().map(|s| neurons(draft, s).len() as u64).sum(),
            input_axons: inputs(draft, core, target),
            synapses,
            synapse_words,
            profiles,
            thresholds,
            floors,
            formats,
        }
    });
    usage.zip(outputs).collect()
}

fn neuron(draft: &MappedDraft, population: PopId, position: u32) -> usize {
    let shape = &draft.network.populations[population].shape;
    Order::new(shape, draft.orders[population.index()]).neuron(position) as usize
}

fn neurons(draft: &MappedDraft, slice: &Slice) -> Vec<usize> {
    (slice.start..slice.start + slice.len).map(|p| neuron(draft, slice.population, p)).collect()
}

fn positive(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// Distinct profiles, thresholds and floors.
fn registers(draft: &MappedDraft, core: &Core) -> [u64; 3] {
    let (mut profiles, mut relays) = (BTreeSet::new(), BTreeSet::new());
    let (mut thresholds, mut floors) = (BTreeSet::new(), BTreeSet::new());
    for slice in &core.slices {
        let population = &draft.network.populations[slice.population];
        relays.extend(population.graded().map(|graded| (graded.keep, graded.shift)));
        let Some(it) = population.neuron() else { continue };
        let Time::Hardware(schedule) = &draft.network.time else { panic!("hardware time") };
        let phase = schedule.latency[slice.population.index()] % it.update_period;
        for n in neurons(draft, slice) {
            let shape = &population.shape;
            let subtract = match &it.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => Some(amount.at(n, shape)),
            };
            let decays = [it.du.at(n, shape), it.dv.at(n, shape)];
            let floor = it.floor.as_ref().map(|floor| floor.at(n, shape));
            floors.insert(floor);
            profiles.insert((decays, it.refractory, subtract, floor, it.update_period, phase));
            thresholds.insert(it.threshold.at(n, shape));
        }
    }
    let floors = if floors.iter().any(Option::is_some) { floors.len() } else { 0 };
    [profiles.len() + relays.len(), thresholds.len(), floors].map(|n| n as u64)
}

/// Neurons of each population with an axon on the core.
fn sources(draft: &MappedDraft, core: &Core) -> BTreeMap<PopId, BTreeSet<usize>> {
    let mut sources: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    for run in &core.axons {
        sources.entry(run.population).or_default().extend(neurons(draft, run));
    }
    sources
}

/// Populations that the core receives by pixels: see `mapped::usage`.
fn received(draft: &MappedDraft, core: &Core, target: &TargetSpec) -> BTreeSet<PopId> {
    let network = &draft.network;
    let fixed = |id: ProjId| {
        let ends = &network.projections[id];
        let [source, target] =
            [ends.source, ends.target].map(|p| network.populations[p].shape.as_chw());
        !match &network.matrices[ends.matrix].structure {
            Structure::Conv(conv) => source == Some(conv.input) && target == conv.output(),
            Structure::Identity { .. } => source.is_some() && source == target,
            Structure::Dense { .. } | Structure::Sparse { .. } => false,
        }
    };
    let source = |id: ProjId| network.projections[id].source;
    let mut received: BTreeSet<PopId> =
        core.blocks.iter().map(|block| source(block.projection)).collect();
    for block in core.blocks.iter().filter(|block| fixed(block.projection)) {
        received.remove(&source(block.projection));
    }
    if target.list_bases.value > 0 && target.axon_atoms.value > 0 {
        received
    } else {
        BTreeSet::new()
    }
}

/// Place of each of these neurons in its channel.
fn places(draft: &MappedDraft, population: PopId, neurons: &BTreeSet<usize>) -> Vec<usize> {
    let places = draft.network.populations[population].shape.per_channel();
    neurons.iter().map(|n| n % places).collect()
}

/// Whether the channels of a pixel share axons, if the core receives these populations with shared lists.
fn by_pixels(
    draft: &MappedDraft,
    received: &BTreeSet<PopId>,
    population: PopId,
    target: &TargetSpec,
) -> bool {
    if target.list_bases.value > 0 {
        received.contains(&population)
    } else {
        draft.network.populations[population].shape.as_chw().is_some()
    }
}

/// Input axons: one for each neuron, or each so many channels of a pixel.
fn inputs(draft: &MappedDraft, core: &Core, target: &TargetSpec) -> u64 {
    let received = received(draft, core, target);
    let mut axons = 0;
    for (population, neurons) in sources(draft, core) {
        let pixels = by_pixels(draft, &received, population, target);
        axons += grouped(&places(draft, population, &neurons), pixels, target);
    }
    axons
}

/// Axons of neurons at these places.
fn grouped(places: &[usize], pixels: bool, target: &TargetSpec) -> u64 {
    let mut channels: BTreeMap<usize, u64> = BTreeMap::new();
    for place in places {
        *channels.entry(*place).or_default() += 1;
    }
    match positive(target.axon_atoms.value) {
        atoms if pixels && atoms > 0 => channels.values().map(|n| n.div_ceil(atoms)).sum(),
        _ => channels.values().sum(),
    }
}

/// Output axons of each core.
fn outputs(draft: &MappedDraft, target: &TargetSpec) -> Vec<u64> {
    let mut home = BTreeMap::new();
    for (id, core) in draft.cores.iter() {
        for slice in &core.slices {
            home.extend(neurons(draft, slice).into_iter().map(|n| ((slice.population, n), id)));
        }
    }
    let mut axons = vec![0; draft.cores.len()];
    for core in draft.cores.values() {
        let received = received(draft, core, target);
        for (population, neurons) in sources(draft, core) {
            for (id, _) in draft.cores.iter() {
                let sent = neurons.iter().copied();
                let sent: BTreeSet<usize> =
                    sent.filter(|n| home.get(&(population, *n)) == Some(&id)).collect();
                let slots = positive(target.population_slots.value);
                let places = places(draft, population, &sent);
                axons[id.index()] += if slots > 0
                    && positive(target.axon_atoms.value) > 0
                    && by_pixels(draft, &received, population, target)
                {
                    slots * grouped(&places, true, target)
                } else {
                    sent.len() as u64
                };
            }
        }
    }
    axons
}

/// What identifies the values of a matrix: extents and mantissas.
type Content = (Vec<u32>, Vec<i16>);

fn content(draft: &MappedDraft, projection: ProjId) -> Content {
    let matrix = &draft.network.matrices[draft.network.projections[projection].matrix];
    let extents = match &matrix.structure {
        Structure::Conv(conv) => [conv.kernel_shape().to_vec(), vec![conv.groups]].concat(),
        Structure::Identity { .. } => vec![],
        Structure::Dense { rows, cols } | Structure::Sparse { rows, cols, .. } => {
            vec![*rows, *cols]
        }
    };
    (extents, matrix.mantissa.clone())
}

/// An entry of an axon's list: what, its column, and where it lies.
type Entry = (Content, u32, Vec<i16>, Vec<usize>, i64);

/// Words, values and formats of a core, from its synapses.
fn memory(draft: &MappedDraft, core: &Core, target: &TargetSpec) -> (u64, u64, u64) {
    let network = &draft.network;
    let shared = target.shared_kernels.value == 1;
    let formats = formats(network);
    let index_bits = (6_u64..32).find(|bits| core.compartments() <= 1 << bits).expect("few");
    // By format and axon: entries, plain and indexed synapses.
    let mut lists: BTreeMap<_, (Vec<Entry>, u64, u64)> = BTreeMap::new();
    let mut kernels: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let received = received(draft, core, target);
    let mut blocks = core.blocks.clone();
    blocks.sort_by_key(|b| (b.projection, b.slice, b.axons));
    for block in &blocks {
        let ends = &network.projections[block.projection];
        let matrix = &network.matrices[ends.matrix];
        let format = formats[block.projection.index()];
        used.insert(format);
        if received.contains(&ends.source) {
            continue;
        }
        let slice = &core.slices[block.slice as usize];
        let rows = neurons(draft, slice);
        let before = &core.slices[..block.slice as usize];
        let compartment: i64 = before.iter().map(|s| i64::from(s.len)).sum();
        let content = content(draft, block.projection);
        match &matrix.structure {
            Structure::Conv(conv) if shared => {
                let [_, height, width] = conv.output().expect("an output");
                let channels = rows.iter().map(|r| r / (height * width) as usize);
                kernels.entry((content, format, ends.delay)).or_default().extend(channels);
                continue;
            }
            Structure::Identity { .. } if shared => {
                kernels.entry((content, format, ends.delay)).or_default();
                continue;
            }
            _ => {}
        }
        for source in neurons(draft, &core.axons[block.axons as usize]) {
            let mut listed = 0;
            for &row in &rows {
                matrix.for_row(row, |col, _| listed += u64::from(col == source));
            }
            let axon = (format, ends.source, source);
            if let Structure::Dense { rows: all, cols } = matrix.structure {
                let (entries, plain, _) = lists.entry(axon).or_default();
                let column = (0..all as usize).map(|r| matrix.mantissa[r * cols as usize + source]);
                let offset = compartment - entries.first().map_or(compartment, |e| e.4);
                let offset = if entries.is_empty() { compartment } else { offset };
                entries.push((content.clone(), ends.delay, column.collect(), rows.clone(), offset));
                *plain += rows.len() as u64;
            } else if listed > 0 {
                lists.entry(axon).or_default().2 += listed;
            }
        }
    }
    let mut seen = BTreeSet::new();
    let (mut words, mut values) = (0, 0);
    for ((format, ..), (mut entries, plain, indexed)) in lists {
        // Where the first entry lies does not matter.
        entries.iter_mut().take(1).for_each(|e| e.4 = 0);
        if shared && indexed == 0 && !seen.insert((format, entries)) {
            continue;
        }
        values += plain + indexed;
        words += target.axon_words(plain, format.bits());
        words += target.axon_words(indexed, format.bits() + index_bits);
    }
    for source in received {
        for (projections, channels) in pixel_lists(draft, core, source, target) {
            let mut entries: BTreeMap<_, u64> = BTreeMap::new();
            for (projection, longest) in projections {
                *entries.entry(formats[projection.index()]).or_default() += channels * longest;
            }
            for (format, entries) in entries {
                values += entries;
                words += target.axon_words(entries, format.bits() + index_bits);
            }
        }
    }
    for (((extents, mantissa), format, _), channels) in kernels {
        let stored = match *extents.as_slice() {
            [outputs, inputs, height, width, groups] => {
                let (area, per_group) = (height * width, (outputs / groups) as usize);
                let row = (inputs * area) as usize;
                let mut pairs = BTreeSet::new();
                for &channel in &channels {
                    let mates = channels.iter().filter(|c| *c / per_group == channel / per_group);
                    for mate in mates {
                        for input in 0..inputs {
                            let start = mate * row + (input * area) as usize;
                            if mantissa[start..start + area as usize].iter().any(|m| *m != 0) {
                                pairs.insert((channel, input));
                            }
                        }
                    }
                }
                pairs.len() as u64 * u64::from(area)
            }
            _ => 1,
        };
        values += stored;
        words += target.axon_words(stored, format.bits());
    }
    (words, values, used.len() as u64)
}

/// Entries of a channel of a pixel: by projection and slice, (entry of the matrix, compartment).
type Reached = BTreeMap<(ProjId, u32), BTreeMap<usize, BTreeSet<((usize, usize), u64)>>>;

/// The lists of a population that the core receives by pixels, each once: by projection and slice the longest
/// that a channel has, and the channels with an axon.
fn pixel_lists(
    draft: &MappedDraft,
    core: &Core,
    source: PopId,
    target: &TargetSpec,
) -> Vec<(Vec<(ProjId, u64)>, u64)> {
    let network = &draft.network;
    let places = network.populations[source].shape.per_channel();
    let axons = &sources(draft, core)[&source];
    let channels = axons.iter().map(|n| n / places).collect::<BTreeSet<_>>().len() as u64;
    let mut pixels: BTreeMap<usize, Reached> =
        axons.iter().map(|n| (n % places, Reached::new())).collect();
    let joined: BTreeSet<_> = core.blocks.iter().map(|b| (b.projection, b.slice)).collect();
    for (projection, index) in joined {
        let ends = &network.projections[projection];
        if ends.source != source {
            continue;
        }
        let before = &core.slices[..index as usize];
        let begin: u64 = before.iter().map(|s| u64::from(s.len)).sum();
        for (row, compartment) in neurons(draft, &core.slices[index as usize]).iter().zip(begin..) {
            let mut reach = |from: usize, entry: (usize, usize)| {
                if let Some(pixel) = pixels.get_mut(&(from % places)) {
                    let part = pixel.entry((projection, index)).or_default();
                    part.entry(from / places).or_default().insert((entry, compartment));
                }
            };
            let matrix = &network.matrices[ends.matrix];
            let Structure::Conv(conv) = &matrix.structure else {
                reach(*row, (0, 0));
                continue;
            };
            let area = (conv.kernel[0] * conv.kernel[1]) as usize;
            let kernels = || matrix.mantissa.chunks(area);
            let equal = |cell: usize| {
                (0..cell).find(|other| kernels().all(|k| k[*other] == k[cell])).unwrap_or(cell)
            };
            conv.for_sources(*row, |from, value| reach(from, (value / area, equal(value % area))));
        }
    }
    let mut known = BTreeSet::new();
    let mut lists = Vec::new();
    for mut pixel in pixels.into_values() {
        let entries = pixel.values().flat_map(|part| part.values().flatten());
        let Some(first) = entries.map(|(_, compartment)| *compartment).min() else { continue };
        let base = first % positive(target.list_bases.value).max(1);
        let longest = |part: &BTreeMap<usize, BTreeSet<_>>| part.values().map(BTreeSet::len).max();
        let list = pixel
            .iter()
            .map(|((projection, _), part)| (*projection, longest(part).unwrap_or(0) as u64));
        let list = (list.collect(), channels);
        for part in pixel.values_mut().flat_map(BTreeMap::values_mut) {
            *part = part.iter().map(|(entry, compartment)| (*entry, compartment - base)).collect();
        }
        if known.insert(pixel) {
            lists.push(list);
        }
    }
    lists
}
