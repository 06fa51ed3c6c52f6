//! A small compiler from source networks to programs, made to vary in every way that is allowed.

use super::random::{Rng, rests};
use snnc_ir::arena::PopId;
use snnc_ir::network::Compare;
use snnc_ir::program::{
    self, CompartmentRun, Format, GradedMode, HostMap, InputRoute, Layout, PoolMatrix, Profile,
    Program, ProgramCore, ProgramReadout, Route, Symbol, SymbolRole, SynapseBlock,
};
use snnc_ir::quantized::{
    IntNeuron, IntReadout, IntReset, PopKind, QuantizedDraft, Sign, Structure,
};
use snnc_ir::{Entity, Shape};

/// How to compile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Hardware steps per logical step beyond the smallest possible.
    pub(crate) slower: u32,
    /// Largest slack added to latencies; 1 = none.
    pub(crate) slack: u32,
    /// Number of cores.
    pub(crate) cores: u32,
    /// Percentage of delays above 1 that relays realize.
    pub(crate) relays: u32,
    /// Whether neurons may update every P-th step.
    pub(crate) programmable: bool,
    /// Whether populations, axons and blocks are cut at random.
    pub(crate) cut: bool,
    /// Whether neurons lie on cores in blocks of some channels.
    pub(crate) blocks: bool,
}

impl Options {
    /// Two cores and nothing beyond need.
    pub(crate) const PLAIN: Self = Self {
        slower: 0,
        slack: 1,
        cores: 2,
        relays: 0,
        programmable: false,
        cut: false,
        blocks: false,
    };

    /// Everything at random.
    pub(crate) fn random(rng: &mut Rng, programmable: bool) -> Self {
        Self {
            slower: u32::from(rng.chance(30)),
            slack: rng.range(1, 4),
            cores: rng.range(1, 4),
            relays: rng.pick(&[0, 50, 100]),
            programmable,
            cut: rng.chance(70),
            blocks: rng.chance(60),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Registers {
    profile: Profile,
    threshold: u32,
    bias: (i16, u8),
}

struct Population {
    symbol: Symbol,
    neurons: Vec<Registers>,
}

struct Projection {
    source: usize,
    target: usize,
    structure: Structure,
    mantissa: Vec<i16>,
    exponent: i8,
    sign: Sign,
    delay: u32,
}

/// Compiles; `None` if the options allow no program (a leaky neuron in a slow loop).
pub(crate) fn compile(net: &QuantizedDraft, options: Options, rng: &mut Rng) -> Option<Program> {
    let mut hardware = schedule(net, options, rng)?;
    if options.blocks {
        for population in &mut hardware.populations {
            let symbol = &mut population.symbol;
            let channels = u32::try_from(symbol.shape.channels()).expect("few");
            symbol.block = Layout::of(&symbol.shape, rng.range(1, channels + 1)).block;
        }
    }
    let (pool, inputs, cores) = map(&mut hardware, options, rng);
    let latest = hardware.populations.iter().map(|p| p.symbol.latency).max().unwrap_or(0);
    let symbol = |id: PopId| u32::try_from(id.index()).expect("few");
    Some(Program {
        name: net.name.clone(),
        target: if options.programmable { "loihi2" } else { "loihi1" }.to_owned(),
        steps: net.steps,
        period: hardware.period,
        run_steps: u64::from(hardware.period) * u64::from(net.steps) + u64::from(latest),
        populations: hardware.populations.into_iter().map(|p| p.symbol).collect(),
        values: pool.values,
        matrices: pool.matrices,
        inputs,
        cores,
        host: net
            .host
            .iter()
            .map(|table| HostMap {
                input: symbol(table.input),
                target: symbol(table.target),
                structure: table.structure.clone(),
                weights: table.weights.clone(),
                scale: table.scale,
            })
            .collect(),
        readout: match &net.readout {
            IntReadout::SpikeCount(id) => ProgramReadout::SpikeCount(symbol(*id)),
            IntReadout::MeanLinear { terms, bias } => ProgramReadout::MeanLinear {
                terms: terms.iter().map(|(id, w)| (symbol(*id), w.clone())).collect(),
                bias: bias.clone(),
            },
        },
    })
}

struct Hardware {
    period: u32,
    populations: Vec<Population>,
    projections: Vec<Projection>,
}

/// Latencies for a period, at least `start`; `None` if a loop is too slow for it.
fn latencies(net: &QuantizedDraft, period: u32, start: &[i64]) -> Option<Vec<i64>> {
    let mut l = start.to_vec();
    for _ in 0..=l.len() {
        let mut settled = true;
        for p in net.projections.values() {
            let least = l[p.source.index()] + 1 - i64::from(period) * i64::from(p.delay);
            if l[p.target.index()] < least {
                l[p.target.index()] = least;
                settled = false;
            }
        }
        if settled {
            return Some(l);
        }
    }
    None
}

fn schedule(net: &QuantizedDraft, options: Options, rng: &mut Rng) -> Option<Hardware> {
    let written: Vec<PopId> = net.host.iter().map(|table| table.target).collect();
    let start: Vec<i64> = net
        .populations
        .ids()
        .map(|id| i64::from(rng.range(0, options.slack)) * i64::from(!written.contains(&id)))
        .collect();
    let slower = if written.is_empty() { options.slower } else { 0 };
    let period = (1..=64).find(|&p| latencies(net, p, &start).is_some())? + slower;
    let mut latency = latencies(net, period, &start)?;
    // (P, ℓ mod P) where a neuron does not rest or where chance says so, (1, 0) elsewhere.
    let mut slow = Vec::new();
    for p in net.populations.values() {
        let must = !rests(&p.kind);
        if must && period > 1 && !options.programmable {
            return None;
        }
        let may = options.programmable && p.neuron().is_some();
        slow.push(period > 1 && (must || may && rng.chance(30)));
    }
    let biased = |i: usize| match net.populations.values().nth(i).map(|p| &p.kind) {
        Some(PopKind::Neurons(n)) => n.bias.values().iter().any(|&b| b != 0),
        // A bias that is not sent alone may stand in the register at any time.
        Some(PopKind::Graded(relay)) => {
            relay.bias.values().iter().any(|&b| !(0..1 << relay.shift).contains(&b))
        }
        Some(PopKind::Input(_)) | None => false,
    };
    let on_time = |latency: &[i64], i: usize| {
        if period == 1 { latency[i] == 0 } else { slow[i] && latency[i] < i64::from(period) }
    };
    let late = |latency: &[i64]| -> Vec<usize> {
        (0..latency.len()).filter(|&i| biased(i) && !on_time(latency, i)).collect()
    };
    // A clock's first spike is in step P − 1 and arrives one later.
    while late(&latency).iter().any(|&i| latency[i] < i64::from(period)) {
        for l in &mut latency {
            *l += i64::from(period);
        }
    }
    let late = late(&latency);
    if written.iter().any(|id| latency[id.index()] != 0 || period != 1) {
        return None;
    }
    let mut hardware = Hardware { period, populations: vec![], projections: vec![] };
    for (id, p) in net.populations.iter() {
        let l = u32::try_from(latency[id.index()]).expect("not negative");
        let update = if slow[id.index()] { (period, l % period) } else { (1, 0) };
        let (role, neurons) = match &p.kind {
            PopKind::Input(coding) => (SymbolRole::Input(coding.clone()), vec![]),
            PopKind::Neurons(n) => {
                let mut all: Vec<Registers> = (0..p.size())
                    .map(|i| registers(n, i, &p.shape, update, period, rng.chance(50)))
                    .collect();
                if late.contains(&id.index()) {
                    for r in &mut all {
                        r.bias = (0, 0);
                    }
                }
                (SymbolRole::Neurons, all)
            }
            PopKind::Graded(relay) => {
                let mode = GradedMode { keep: relay.keep, shift: relay.shift };
                let bias = |i: usize| i16::try_from(relay.bias.at(i, &p.shape)).expect("small");
                let late = late.contains(&id.index());
                let all = (0..p.size()).map(|i| repeater(mode, if late { 0 } else { bias(i) }));
                (SymbolRole::Neurons, all.collect())
            }
        };
        let symbol =
            Symbol { name: p.name.clone(), shape: p.shape.clone(), block: 1, role, latency: l };
        hardware.populations.push(Population { symbol, neurons });
    }
    for p in net.projections.values() {
        let (source, target) = (p.source.index(), p.target.index());
        let delay = i64::from(period) * i64::from(p.delay) + latency[target] - latency[source];
        let delay = u32::try_from(delay).expect("at least 1");
        let (source, delay) = relayed(&mut hardware, source, delay, options, rng);
        let m = &net.matrices[p.matrix];
        hardware.projections.push(Projection {
            source,
            target,
            structure: m.structure.clone(),
            mantissa: m.mantissa.clone(),
            exponent: m.exponent,
            sign: m.sign,
            delay,
        });
    }
    for target in late {
        let (id, p) = net.populations.iter().nth(target).expect("an index of a population");
        assert_eq!(id.index(), target);
        let biases: Vec<i32> = match &p.kind {
            PopKind::Neurons(n) => n.bias.expand(&p.shape),
            PopKind::Graded(relay) => relay.bias.map(|b| 64 * b).expand(&p.shape),
            PopKind::Input(_) => continue,
        };
        carry(&mut hardware, target, &biases, rng);
    }
    Some(hardware)
}

fn registers(
    n: &IntNeuron,
    i: usize,
    shape: &Shape,
    update: (u32, u32),
    period: u32,
    coin: bool,
) -> Registers {
    let theta = n.threshold.at(i, shape);
    let below = if n.compare == Compare::Gt { theta } else { theta - 1 };
    let bias = n.bias.at(i, shape);
    let stretched = if update.0 == period { n.refractory } else { period * (n.refractory - 1) + 1 };
    Registers {
        profile: Profile {
            du: n.du.at(i, shape),
            dv: n.dv.at(i, shape),
            refractory: u8::try_from(stretched).expect("small"),
            subtract: match &n.reset {
                IntReset::Zero => None,
                IntReset::Subtract(amount) => Some(amount.at(i, shape)),
            },
            update,
            graded: None,
            floor: n.floor.as_ref().map(|floor| floor.at(i, shape)),
        },
        threshold: u32::try_from(below.div_euclid(64)).expect("fires above 0"),
        bias: if bias % 64 == 0 && coin {
            (i16::try_from(bias / 64).expect("small"), 6)
        } else {
            (i16::try_from(bias).expect("small"), 0)
        },
    }
}

/// A neuron that fires whenever its one input arrives, or by itself with a bias.
fn simple(threshold: u32, bias: i16, dv: u16) -> Registers {
    let profile = Profile {
        du: 4095,
        dv,
        refractory: 1,
        subtract: None,
        update: (1, 0),
        graded: None,
        floor: None,
    };
    Registers { profile, threshold, bias: (bias, 6) }
}

/// A graded relay with a bias in messages.
fn repeater(mode: GradedMode, bias: i16) -> Registers {
    let mut registers = simple(0, bias, 4095);
    registers.profile.graded = Some(mode);
    registers
}

impl Hardware {
    /// Adds `size` followers of the neurons of `source`, one to one.
    fn follow(&mut self, source: usize, size: u32, symbol: Symbol, delay: u32) -> usize {
        let target = self.populations.len();
        let head = self.populations[source].neurons.first();
        let (registers, mantissa) = match head.and_then(|r| r.profile.graded) {
            // Shifting again would change the message.
            Some(mode) => (repeater(GradedMode { shift: 0, ..mode }, 0), 2),
            None => (simple(1, 0, 4095), 4),
        };
        self.populations.push(Population { symbol, neurons: vec![registers; size as usize] });
        self.projections.push(Projection {
            source,
            target,
            structure: Structure::Identity { size },
            mantissa: vec![mantissa],
            exponent: -1,
            sign: Sign::Mixed,
            delay,
        });
        target
    }
}

/// Realizes a part of a delay with a chain of relays; returns its end and the rest of the delay.
fn relayed(
    hardware: &mut Hardware,
    source: usize,
    delay: u32,
    options: Options,
    rng: &mut Rng,
) -> (usize, u32) {
    if delay == 1 || !rng.chance(options.relays) {
        return (source, delay);
    }
    let total = rng.range(1, delay);
    let of = u32::try_from(source).expect("few");
    let (mut end, mut done) = (source, 0);
    while done < total {
        let step = rng.range(1, total - done + 1);
        done += step;
        let existing = hardware
            .populations
            .iter()
            .position(|p| p.symbol.role == SymbolRole::Relay { of, hops: done });
        end = existing.unwrap_or_else(|| {
            let head = &hardware.populations[source].symbol;
            let symbol = Symbol {
                name: format!("{}+{done}", head.name),
                shape: head.shape.clone(),
                block: 1,
                role: SymbolRole::Relay { of, hops: done },
                latency: head.latency + done,
            };
            let size = u32::try_from(symbol.shape.size()).expect("small");
            hardware.follow(end, size, symbol, step)
        });
    }
    (end, delay - total)
}

/// Carries the biases of `target` with the spikes of a clock, two neurons wide.
fn carry(hardware: &mut Hardware, target: usize, biases: &[i32], rng: &mut Rng) {
    let period = hardware.period;
    let name = |hardware: &Hardware, what: &str| format!("{what}{}", hardware.populations.len());
    let clock = |hardware: &Hardware, latency: u32| Symbol {
        name: name(hardware, "clock"),
        shape: Shape::flat(2),
        block: 1,
        role: SymbolRole::Clock,
        latency,
    };
    let head = hardware.populations.len();
    let symbol = clock(hardware, period - 1);
    let registers = if period == 1 { simple(1, 2, 4095) } else { simple(period - 1, 1, 0) };
    hardware.populations.push(Population { symbol, neurons: vec![registers; 2] });
    let start = hardware.populations[target].symbol.latency;
    let (mut end, mut at) = (head, period - 1);
    while at + 1 < start && rng.chance(50) {
        let step = rng.range(1, start - at);
        at += step;
        let symbol = clock(hardware, at);
        end = hardware.follow(end, 2, symbol, step);
    }
    let mut mantissa = Vec::new();
    for b in biases {
        let units = i16::try_from(b / 64).expect("small");
        let first = rng.small(-2, 3);
        mantissa.extend([2 * first, 2 * (units - first)]);
    }
    let rows = u32::try_from(biases.len()).expect("small");
    hardware.projections.push(Projection {
        source: end,
        target,
        structure: Structure::Dense { rows, cols: 2 },
        mantissa,
        exponent: -1,
        sign: Sign::Mixed,
        delay: start - at,
    });
}

/// A part `first..first + len` of a population on a core.
#[derive(Clone, Copy, Debug)]
struct Part {
    population: usize,
    first: u32,
    len: u32,
    /// First compartment, or first axon.
    at: u32,
}

/// The index of an item in a table, added if need be.
fn intern<T: PartialEq>(table: &mut Vec<T>, item: T) -> u32 {
    let index = table.iter().position(|other| *other == item).unwrap_or_else(|| {
        table.push(item);
        table.len() - 1
    });
    u32::try_from(index).expect("few")
}

/// Cuts `0..size` in up to three pieces.
fn pieces(rng: &mut Rng, size: u32, cut: bool) -> Vec<(u32, u32)> {
    let mut ends = vec![0, size];
    if cut && size > 1 {
        ends.extend((0..rng.range(0, 3)).map(|_| rng.range(1, size)));
    }
    ends.sort_unstable();
    ends.dedup();
    ends.windows(2).map(|w| (w[0], w[1] - w[0])).collect()
}

fn map(
    hardware: &mut Hardware,
    options: Options,
    rng: &mut Rng,
) -> (Pool, Vec<InputRoute>, Vec<ProgramCore>) {
    let mut parts: Vec<Vec<Part>> = vec![vec![]; options.cores as usize];
    for (population, p) in hardware.populations.iter().enumerate() {
        let neurons = u32::try_from(p.neurons.len()).expect("small");
        if neurons > 0 {
            // At least two pieces where there are two cores, so that populations are split.
            let mut all = pieces(rng, neurons, options.cut);
            if all.len() == 1 && neurons > 1 && options.cores > 1 && !options.cut {
                all = vec![(0, neurons / 2), (neurons / 2, neurons - neurons / 2)];
            }
            for (i, (first, len)) in all.into_iter().enumerate() {
                let core = if options.cut { rng.range(0, options.cores) as usize } else { i };
                parts[core].push(Part { population, first, len, at: 0 });
            }
        }
    }
    for core in &mut parts {
        let mut at = 0;
        for part in core.iter_mut() {
            part.at = at;
            at += part.len;
        }
    }
    let mut pool = Pool::default();
    let mut inputs = Vec::new();
    let mut cores = Vec::new();
    let mut axons: Vec<Vec<Part>> = Vec::new();
    for core in &parts {
        let (mut table, runs) = build(hardware, core, &mut pool, options, rng);
        table.cell = u32::try_from(cores.len()).expect("few");
        cores.push(table);
        axons.push(runs);
    }
    for (to, runs) in axons.iter().enumerate() {
        for run in runs {
            if hardware.populations[run.population].neurons.is_empty() {
                inputs.push(InputRoute {
                    population: u32::try_from(run.population).expect("few"),
                    first: run.first,
                    len: run.len,
                    core: u32::try_from(to).expect("few"),
                    axon: run.at,
                });
            }
            for (from, core) in parts.iter().enumerate() {
                for part in core.iter().filter(|p| p.population == run.population) {
                    let first = part.first.max(run.first);
                    let end = (part.first + part.len).min(run.first + run.len);
                    if first < end {
                        cores[from].routes.push(Route {
                            compartment: part.at + first - part.first,
                            len: end - first,
                            core: u32::try_from(to).expect("few"),
                            axon: run.at + first - run.first,
                        });
                    }
                }
            }
        }
    }
    (pool, inputs, cores)
}

/// Distinct arrays and matrices.
#[derive(Default)]
struct Pool {
    values: Vec<Vec<i16>>,
    matrices: Vec<PoolMatrix>,
}

/// The registers of a part as runs: of equal ones, or as one cycle.
fn runs(
    population: u32,
    first: u32,
    all: &[program::Registers],
    cyclic: bool,
) -> Vec<CompartmentRun> {
    let len = |part: &[program::Registers]| u32::try_from(part.len()).expect("small");
    if cyclic {
        let period = (1..=all.len()).find(|&c| all.iter().zip(&all[c..]).all(|(a, b)| a == b));
        let cycle = all[..period.expect("at most the whole")].to_vec();
        return vec![CompartmentRun { population, first, len: len(all), cycle }];
    }
    let mut at = first;
    all.chunk_by(PartialEq::eq)
        .map(|same| {
            let run =
                CompartmentRun { population, first: at, len: len(same), cycle: vec![same[0]] };
            at += run.len;
            run
        })
        .collect()
}

/// The tables of one core, and the sources of its axons.
fn build(
    hardware: &Hardware,
    parts: &[Part],
    pool: &mut Pool,
    options: Options,
    rng: &mut Rng,
) -> (ProgramCore, Vec<Part>) {
    let mut core = ProgramCore {
        chip: 0,
        cell: 0,
        profiles: vec![],
        thresholds: vec![],
        formats: vec![],
        compartments: vec![],
        axons: 0,
        synapses: vec![],
        routes: vec![],
    };
    for part in parts {
        let Population { symbol, neurons } = &hardware.populations[part.population];
        let order = symbol.order();
        let positions = part.first..part.first + part.len;
        let all: Vec<_> = positions
            .map(|position| {
                let r = &neurons[order.neuron(position) as usize];
                program::Registers {
                    profile: intern(&mut core.profiles, r.profile),
                    threshold: match r.profile.graded {
                        Some(_) => 0,
                        None => intern(&mut core.thresholds, r.threshold),
                    },
                    bias_mantissa: r.bias.0,
                    bias_exponent: r.bias.1,
                }
            })
            .collect();
        let population = u32::try_from(part.population).expect("few");
        core.compartments.extend(runs(population, part.first, &all, options.blocks));
    }
    if core.thresholds.is_empty() {
        core.thresholds.push(0);
    }
    let mut sources: Vec<Part> = Vec::new();
    for p in &hardware.projections {
        let delay = u8::try_from(p.delay - 1).expect("small");
        let weight_bits = rng.pick(&widths(p));
        let layout = |population: usize| {
            let symbol = &hardware.populations[population].symbol;
            Layout::of(&symbol.shape, symbol.block)
        };
        let (rows, cols) = (layout(p.target), layout(p.source));
        let values = intern(&mut pool.values, p.mantissa.clone());
        let pooled = PoolMatrix { structure: p.structure.clone(), values, rows, cols };
        let matrix = intern(&mut pool.matrices, pooled);
        let format = Format { exponent: p.exponent, sign: p.sign, weight_bits, delay_bits: 6 };
        for part in parts.iter().filter(|part| part.population == p.target) {
            if !sources.iter().any(|r| r.population == p.source) {
                let size = hardware.populations[p.source].symbol.shape.size();
                let size = u32::try_from(size).expect("small");
                for (first, len) in pieces(rng, size, options.cut) {
                    sources.push(Part { population: p.source, first, len, at: core.axons });
                    core.axons += len;
                }
            }
            for run in sources.iter().filter(|r| r.population == p.source) {
                let cut = options.cut && rng.chance(30);
                for (first, len) in pieces(rng, part.len, cut) {
                    core.synapses.push(SynapseBlock {
                        format: intern(&mut core.formats, format),
                        matrix,
                        delay,
                        axon: run.at,
                        axons: run.len,
                        col: run.first,
                        compartment: part.at + first,
                        compartments: len,
                        row: part.first + first,
                    });
                }
            }
        }
    }
    (core, sources)
}

/// The weight fields that hold a matrix.
fn widths(p: &Projection) -> Vec<u8> {
    let unused = p.mantissa.iter().filter(|&&m| m != 0).map(|m| m.trailing_zeros()).min();
    let unused = unused.unwrap_or(8) - u32::from(p.sign == Sign::Mixed && unused.is_some());
    [1, 2, 3, 4, 5, 6, 8].into_iter().filter(|bits| u32::from(8 - bits) <= unused).collect()
}
