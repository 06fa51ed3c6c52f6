//! What networks and programs do, step by step, written for clarity only.

use super::random::Rng;
use snnc_backends::certify::{Certificate, Interval};
use snnc_ir::Entity;
use snnc_ir::network::{Coding, Compare, Keep};
use snnc_ir::program::{GradedMode, HostMap, Program, Symbol, SymbolRole};
use snnc_ir::quantized::{Graded, IntReset, PopKind, QuantizedDraft};
use std::collections::BTreeMap;

/// Spikes (1) and messages `[step][neuron]` of each population, by name; 0 = nothing.
pub(crate) type Raster = BTreeMap<String, Vec<Vec<i64>>>;

/// What a network is given.
pub(crate) struct Inputs {
    /// Spikes of inputs that have some.
    spikes: Raster,
    /// Samples of directly coded inputs.
    samples: BTreeMap<String, Vec<f32>>,
}

/// The state of a neuron of the integer contract.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    u: i64,
    v: i64,
    held: u32,
}

/// The registers of a neuron of the integer contract.
#[derive(Clone, Copy, Debug)]
struct Parameters {
    du: i64,
    dv: i64,
    bias: i64,
    /// Smallest membrane that fires.
    fires: i64,
    subtract: Option<i64>,
    floor: Option<i64>,
    refractory: u32,
}

fn decayed(x: i64, keep: i64) -> i64 {
    x.signum() * ((x.abs() * keep) >> 12)
}

impl State {
    /// One update; returns whether the neuron fires, and its membrane before floor and reset.
    fn update(&mut self, input: i64, p: &Parameters) -> (bool, i64) {
        self.u = decayed(self.u, 4096 - (p.du + 1)) + (input << 6);
        if self.held > 0 {
            self.held -= 1;
            return (false, self.v);
        }
        self.v = decayed(self.v, 4096 - p.dv) + self.u + p.bias;
        let before = self.v;
        self.v = p.floor.map_or(self.v, |floor| self.v.max(floor));
        let fires = self.v >= p.fires;
        if fires {
            self.v = p.subtract.map_or(0, |amount| self.v - amount);
            self.held = p.refractory - 1;
        }
        (fires, before)
    }
}

/// Random input spikes, dense in some runs and sparse in others.
pub(crate) fn stimulus(rng: &mut Rng, source: &QuantizedDraft) -> Inputs {
    let percent = rng.range(10, 101);
    let mut inputs = Inputs { spikes: Raster::new(), samples: BTreeMap::new() };
    for p in source.populations.values() {
        match &p.kind {
            PopKind::Input(Coding::Direct { range: Some([low, high]) }) => {
                let [low, high] = [low, high].map(|&end| i16::try_from(end).expect("small"));
                let element = |rng: &mut Rng| match rng.range(0, 4) {
                    0 => f32::from(low),
                    1 => f32::from(high),
                    _ => {
                        f32::from(low) + f32::from(high - low) * f32::from(rng.small(0, 99)) / 98.0
                    }
                };
                let sample = (0..p.size()).map(|_| element(rng)).collect();
                inputs.samples.insert(p.name.clone(), sample);
            }
            PopKind::Input(_) => {
                let mut step =
                    || (0..p.size()).map(|_| i64::from(rng.chance(percent))).collect::<Vec<_>>();
                let raster = (0..source.steps).map(|_| step()).collect();
                inputs.spikes.insert(p.name.clone(), raster);
            }
            PopKind::Neurons(_) | PopKind::Graded(_) => {}
        }
    }
    inputs
}

/// The source network in logical time.
pub(crate) fn source(net: &QuantizedDraft, inputs: &Inputs) -> Raster {
    let order = net.order().expect("a valid network");
    let mut spikes: Vec<Vec<Vec<i64>>> = vec![vec![]; net.populations.len()];
    let mut states: Vec<Vec<State>> =
        net.populations.values().map(|p| vec![State::default(); p.size()]).collect();
    let mut written: Vec<Vec<i64>> = net.populations.values().map(|p| vec![0; p.size()]).collect();
    for table in &net.host {
        let sample = &inputs.samples[&net.populations[table.input].name];
        let units = table.biases(sample).expect("small numbers");
        for (sum, units) in written[table.target.index()].iter_mut().zip(units) {
            *sum += i64::from(units);
        }
    }
    for t in 0..net.steps {
        for &id in &order {
            let p = &net.populations[id];
            let arriving = |i: usize, spikes: &[Vec<Vec<i64>>]| {
                let mut a = 0;
                for (_, projection) in net.projections_into(id) {
                    let Some(then) = t.checked_sub(projection.delay) else { continue };
                    let past = &spikes[projection.source.index()][then as usize];
                    net.matrices[projection.matrix].for_row(i, |col, weight| {
                        a += past[col] * i64::from(weight);
                    });
                }
                a
            };
            let row = match &p.kind {
                PopKind::Input(_) => match inputs.spikes.get(&p.name) {
                    Some(raster) => raster[t as usize].clone(),
                    None => vec![0; p.size()],
                },
                PopKind::Graded(relay) => (0..p.size())
                    .map(|i| {
                        let bias = i64::from(relay.bias.at(i, &p.shape)) + written[id.index()][i];
                        Graded::passes(relay.keep, relay.shift, arriving(i, &spikes) + bias)
                    })
                    .collect(),
                PopKind::Neurons(n) => (0..p.size())
                    .map(|i| {
                        let a = arriving(i, &spikes);
                        let theta = i64::from(n.threshold.at(i, &p.shape));
                        let parameters = Parameters {
                            du: i64::from(n.du.at(i, &p.shape)),
                            dv: i64::from(n.dv.at(i, &p.shape)),
                            bias: i64::from(n.bias.at(i, &p.shape)) + 64 * written[id.index()][i],
                            fires: theta + i64::from(n.compare == Compare::Gt),
                            subtract: match &n.reset {
                                IntReset::Zero => None,
                                IntReset::Subtract(a) => Some(i64::from(a.at(i, &p.shape))),
                            },
                            floor: n.floor.as_ref().map(|f| i64::from(f.at(i, &p.shape))),
                            refractory: n.refractory,
                        };
                        i64::from(states[id.index()][i].update(a, &parameters).0)
                    })
                    .collect(),
            };
            spikes[id.index()].push(row);
        }
    }
    net.populations.iter().map(|(id, p)| (p.name.clone(), spikes[id.index()].clone())).collect()
}

/// Smallest and largest values seen; the smallest above the largest before anything is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) input: (i64, i64),
    pub(crate) u: (i64, i64),
    pub(crate) v: (i64, i64),
    pub(crate) message: (i64, i64),
}

impl Seen {
    const NOTHING: Self = {
        let none = (i64::MAX, i64::MIN);
        Self { input: none, u: none, v: none, message: none }
    };
}

fn widen(range: &mut (i64, i64), x: i64) {
    *range = (range.0.min(x), range.1.max(x));
}

/// What the host adds to the bias of neuron `n`, in units of weight.
#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
fn units(table: &HostMap, n: usize, sample: &[f32]) -> i64 {
    let mut sum = 0.0_f64;
    table.structure.for_row(n, |col, index| {
        sum += f64::from(table.weights[index]) * f64::from(sample[col]);
    });
    (sum * table.scale).round_ties_even() as i64
}

/// Neurons in the order in which they lie on cores: block after block of channels, in it place after place,
/// there channel after channel.
fn blocks(count: usize, places: u32, block: u32) -> Vec<usize> {
    let (places, block) = (places as usize, block as usize);
    let channels: Vec<usize> = (0..count / places).collect();
    let of_block = |part: &[usize]| -> Vec<usize> {
        (0..places).flat_map(|place| part.iter().map(move |c| c * places + place)).collect()
    };
    channels.chunks(block).flat_map(of_block).collect()
}

/// The neurons of a symbol in their order on cores.
fn lie(symbol: &Symbol) -> Vec<usize> {
    let places = u32::try_from(symbol.shape.per_channel()).expect("small");
    blocks(symbol.shape.size(), places, symbol.block)
}

/// The program in hardware time: spikes by symbol, and what registers held up to the end of each
/// symbol's last logical step.
pub(crate) fn program(p: &Program, inputs: &Inputs) -> (Raster, Vec<Seen>) {
    let run = usize::try_from(p.run_steps).expect("short runs");
    let mut spikes: Vec<Vec<Vec<i64>>> =
        p.populations.iter().map(|s| vec![vec![0; s.shape.size()]; run]).collect();
    let mut seen = vec![Seen::NOTHING; p.populations.len()];
    // Input that arrives at each compartment in each step.
    let compartments: Vec<Vec<(usize, usize, usize)>> = p
        .cores
        .iter()
        .map(|core| {
            let runs = core.compartments.iter().enumerate();
            runs.flat_map(|(r, run)| {
                let lie = lie(&p.populations[run.population as usize]);
                let at = move |i: usize| (r, i % run.cycle.len(), lie[run.first as usize + i]);
                (0..run.len as usize).map(at)
            })
            .collect()
        })
        .collect();
    let quiet: Vec<Vec<i64>> = compartments.iter().map(|c| vec![0; c.len()]).collect();
    let mut arriving = vec![quiet.clone(); run + 257];
    let mut waiting = quiet;
    let mut states: Vec<Vec<State>> =
        compartments.iter().map(|c| vec![State::default(); c.len()]).collect();
    for h in 0..run {
        let mut events: Vec<(usize, usize, i64)> = Vec::new();
        for route in &p.inputs {
            let symbol = &p.populations[route.population as usize];
            let Some(since) = (h as u64).checked_sub(u64::from(symbol.latency)) else { continue };
            let t = since / u64::from(p.period);
            if since % u64::from(p.period) != 0 || t >= u64::from(p.steps) {
                continue;
            }
            let row = &inputs.spikes[&symbol.name][usize::try_from(t).expect("short runs")];
            for i in 0..route.len as usize {
                let value = row[lie(symbol)[route.first as usize + i]];
                events.push((route.core as usize, route.axon as usize + i, value));
            }
        }
        for (c, core) in p.cores.iter().enumerate() {
            for (k, &(r, set, neuron)) in compartments[c].iter().enumerate() {
                let run = &core.compartments[r];
                let registers = &run.cycle[set];
                let profile = &core.profiles[registers.profile as usize];
                waiting[c][k] += arriving[h][c][k];
                if h as u64 % u64::from(profile.update.0) != u64::from(profile.update.1) {
                    continue;
                }
                let symbol = run.population as usize;
                let tables = p.host.iter().filter(|table| table.target as usize == symbol);
                let written: i64 = tables
                    .map(|table| {
                        let input = &p.populations[table.input as usize].name;
                        units(table, neuron, &inputs.samples[input])
                    })
                    .sum();
                let parameters = Parameters {
                    du: i64::from(profile.du),
                    dv: i64::from(profile.dv),
                    bias: (i64::from(registers.bias_mantissa) << registers.bias_exponent)
                        + 64 * written,
                    fires: (i64::from(core.thresholds[registers.threshold as usize]) << 6) + 1,
                    subtract: profile.subtract.map(i64::from),
                    floor: profile.floor.map(i64::from),
                    refractory: u32::from(profile.refractory),
                };
                let input = std::mem::take(&mut waiting[c][k]);
                let (sent, v) = if let Some(mode) = profile.graded {
                    states[c][k].u = input << 6;
                    let drive = states[c][k].u + parameters.bias;
                    (message(mode, drive >> 6), drive)
                } else {
                    let (fires, v) = states[c][k].update(input, &parameters);
                    (i64::from(fires), v)
                };
                let end = u64::from(p.period) * u64::from(p.steps)
                    + u64::from(p.populations[symbol].latency);
                if (h as u64) < end {
                    widen(&mut seen[symbol].input, input);
                    widen(&mut seen[symbol].u, states[c][k].u);
                    widen(&mut seen[symbol].v, v);
                    widen(&mut seen[symbol].message, sent);
                }
                if sent == 0 {
                    continue;
                }
                spikes[symbol][h][neuron] = sent;
                for route in &core.routes {
                    if let Some(i) = (k as u64).checked_sub(u64::from(route.compartment))
                        && i < u64::from(route.len)
                    {
                        let axon = u64::from(route.axon) + i;
                        let axon = usize::try_from(axon).expect("small");
                        events.push((route.core as usize, axon, sent));
                    }
                }
            }
        }
        for (c, axon, value) in events {
            let core = &p.cores[c];
            for block in &core.synapses {
                let Some(i) = axon.checked_sub(block.axon as usize) else { continue };
                if i >= block.axons as usize {
                    continue;
                }
                let matrix = &p.matrices[block.matrix as usize];
                let structure = &matrix.structure;
                let rows = blocks(structure.rows(), matrix.rows.places, matrix.rows.block);
                let cols = blocks(structure.cols(), matrix.cols.places, matrix.cols.block);
                let column = cols[block.col as usize + i];
                let exponent = core.formats[block.format as usize].exponent;
                for j in 0..block.compartments as usize {
                    structure.for_row(rows[block.row as usize + j], |col, index| {
                        if col == column {
                            let mantissa = i64::from(p.values[matrix.values as usize][index]);
                            let weight = if exponent < 0 {
                                mantissa >> -exponent
                            } else {
                                mantissa << exponent
                            };
                            let at = h + 1 + block.delay as usize;
                            arriving[at][c][block.compartment as usize + j] += weight * value;
                        }
                    });
                }
            }
        }
    }
    let by_name =
        p.populations.iter().zip(spikes).map(|(s, rows)| (s.name.clone(), rows)).collect();
    (by_name, seen)
}

/// What a graded relay sends.
fn message(mode: GradedMode, sum: i64) -> i64 {
    let sum = sum >> mode.shift;
    match mode.keep {
        None => sum,
        Some(Keep::Positive) => sum.max(0),
        Some(Keep::Negative) => sum.min(0),
    }
}

/// Runs both on one stimulus and compares the spikes and messages of the source's neurons.
///
/// # Errors
/// The first one that one of them has and the other has not.
pub(crate) fn agree(
    net: &QuantizedDraft,
    p: &Program,
    inputs: &Inputs,
) -> Result<Vec<Seen>, String> {
    let expected = source(net, inputs);
    let (found, seen) = program(p, inputs);
    for symbol in &p.populations {
        if symbol.role != SymbolRole::Neurons {
            continue;
        }
        let (rows, hardware) = (&expected[&symbol.name], &found[&symbol.name]);
        let end = p.period * p.steps + symbol.latency;
        for (h, row) in (0..end).zip(hardware) {
            let logical = h.checked_sub(symbol.latency).filter(|d| d % p.period == 0);
            for (n, &sent) in row.iter().enumerate() {
                let should = logical.map_or(0, |d| rows[(d / p.period) as usize][n]);
                if sent != should {
                    return Err(format!("{}[{n}] in step {h}: {sent}, not {should}", symbol.name));
                }
            }
        }
        if (hardware.len() as u64) < u64::from(end) {
            return Err(format!("{} ends early", symbol.name));
        }
    }
    Ok(seen)
}

/// Panics unless everything seen lies within the certified bounds.
pub(crate) fn assert_bounds(certificate: &Certificate, seen: &[Seen]) {
    for (p, seen) in certificate.populations.iter().zip(seen) {
        let Some(bounds) = &p.bounds else { continue };
        // Neurons send 0 or 1.
        let sent = bounds.message.unwrap_or(Interval { low: 0, high: 1 });
        for (what, seen, bound) in [
            ("input", seen.input, bounds.input_sum),
            ("u", seen.u, bounds.u),
            ("v", seen.v, bounds.v),
            ("message", seen.message, sent),
        ] {
            assert!(
                bound.low <= seen.0 && seen.1 <= bound.high,
                "{what} of {}: {seen:?} outside {bound}",
                p.name
            );
        }
    }
}
