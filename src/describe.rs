//! Facts about compiled networks, as the manifest and the reports state them.

use crate::artifact::manifest::{
    CompartmentEntry, CoreEntry, HostEntry, InputEntry, Manifest, OutputEntry, PopulationEntry,
    QuantizationEntry, RemarkEntry, Resources, RouteEntry, SCHEMA, SourceEntry, TargetEntry,
    TimeEntry,
};
use crate::artifact::mapping::MappingEntry;
use crate::folding::FoldingAccount;
use crate::source::Source;
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::mapped::{Core, usage};
use snnc_ir::network::Coding;
use snnc_ir::program::{GradedMode, Program, ProgramReadout, Symbol, SymbolRole};
use snnc_ir::quantized::PopKind;
use snnc_ir::{Diagnostic, MappedNetwork, Param, QuantizedDraft, QuantizedNetwork, TargetSpec};
use snnc_passes::{AnyLevel, Pipeline};

/// The manifest of a program, without its files and what its makers remarked.
pub fn manifest(
    source: &Source,
    target: &TargetSpec,
    pipeline: &Pipeline,
    logical: &QuantizedNetwork,
    mapped: &MappedNetwork,
    program: &Program,
    (folding, mapping): (FoldingAccount, MappingEntry),
) -> Manifest {
    Manifest {
        schema: SCHEMA.to_owned(),
        snnc: crate::VERSION.to_owned(),
        network: program.name.clone(),
        source: SourceEntry {
            kind: source.kind_name().to_owned(),
            blake3: source.hash.clone(),
            weights: source.weights.map(|w| w.to_string()),
            discretization: match &source.level {
                AnyLevel::Network(network) => network.discretization.clone(),
                AnyLevel::Quantized(_) | AnyLevel::Mapped(_) => None,
            },
        },
        target: TargetEntry { name: target.name.clone(), blake3: target.hash.clone() },
        pipeline: pipeline.to_string(),
        quantization: None,
        time: TimeEntry {
            steps: program.steps,
            period: program.period,
            run_steps: program.run_steps,
        },
        populations: populations(program, Some(logical)),
        inputs: inputs(program),
        host: host(program),
        outputs: outputs(program),
        mapping,
        cores: cores(mapped, target),
        limits: limits(target),
        folding,
        netx: None,
        remarks: Vec::new(),
        files: Vec::new(),
    }
}

/// The symbols of a program, with the ranges of their integers where the network is known.
pub fn populations(program: &Program, logical: Option<&QuantizedDraft>) -> Vec<PopulationEntry> {
    let modes = graded_modes(program);
    let entry = |(symbol, mode): (&Symbol, &Option<GradedMode>)| {
        let (role, of) = match &symbol.role {
            SymbolRole::Input(_) => ("input", None),
            SymbolRole::Neurons if mode.is_some() => ("graded", None),
            SymbolRole::Neurons => ("neurons", None),
            SymbolRole::Relay { of, .. } => {
                ("relay", program.populations.get(*of as usize).map(|s| s.name.clone()))
            }
            SymbolRole::Clock => ("clock", None),
        };
        let logical = logical.filter(|_| symbol.role == SymbolRole::Neurons);
        let ranges = logical
            .and_then(|network| quantization(network, network.population_named(&symbol.name)?));
        PopulationEntry {
            name: symbol.name.clone(),
            shape: symbol.shape.0.clone(),
            role: role.to_owned(),
            of,
            latency: symbol.latency,
            messages: mode.map(|mode| messages(mode).to_owned()),
            quantization: ranges,
        }
    };
    program.populations.iter().zip(&modes).map(entry).collect()
}

/// How the compartments of each population send messages; `None` where they spike.
pub fn graded_modes(program: &Program) -> Vec<Option<GradedMode>> {
    let mut modes = vec![None; program.populations.len()];
    for core in &program.cores {
        for run in &core.compartments {
            // A population mixes no graded with spiking compartments.
            let profile = run.cycle.first().and_then(|r| core.profiles.get(r.profile as usize));
            if let (Some(mode), Some(profile)) = (modes.get_mut(run.population as usize), profile) {
                *mode = profile.graded;
            }
        }
    }
    modes
}

/// Name of a mode in manifests.
const fn messages(mode: GradedMode) -> &'static str {
    match mode.keep {
        None => "all",
        Some(keep) => keep.name(),
    }
}

/// What the host computes and writes before a run.
pub fn host(program: &Program) -> Vec<HostEntry> {
    let name = |population: u32| {
        program.populations.get(population as usize).map_or_else(String::new, |s| s.name.clone())
    };
    program
        .host
        .iter()
        .map(|map| HostEntry {
            input: name(map.input),
            target: name(map.target),
            scale: map.scale,
            weights: map.weights.len(),
        })
        .collect()
}

/// What a pass or a back end remarked.
pub fn remark(diagnostic: &Diagnostic) -> RemarkEntry {
    RemarkEntry {
        code: diagnostic.code.to_string(),
        message: diagnostic.message.clone(),
        notes: diagnostic.notes.clone(),
    }
}

/// Ranges of the integers of population `id`; `None` for an input.
pub fn quantization(network: &QuantizedDraft, id: PopId) -> Option<QuantizationEntry> {
    let (weight_min, weight_max) = network
        .projections_into(id)
        .map(|(_, p)| network.matrices[p.matrix].weight_range())
        .reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
        .unwrap_or((0, 0));
    let weight = [weight_min, weight_max];
    match &network.populations[id].kind {
        PopKind::Input(_) => None,
        PopKind::Neurons(neuron) => Some(QuantizationEntry {
            weight,
            threshold: Some(range(&neuron.threshold)),
            bias: range(&neuron.bias),
            dv: Some(range(&neuron.dv)),
            du: Some(range(&neuron.du)),
        }),
        PopKind::Graded(graded) => Some(QuantizationEntry {
            weight,
            threshold: None,
            bias: range(&graded.bias),
            dv: None,
            du: None,
        }),
    }
}

fn range<T: Copy + Ord + Default>(param: &Param<T>) -> [T; 2] {
    let values = || param.values().iter().copied();
    [values().min().unwrap_or_default(), values().max().unwrap_or_default()]
}

fn inputs(program: &Program) -> Vec<InputEntry> {
    let entry = |(index, symbol): (usize, &Symbol)| {
        let SymbolRole::Input(coding) = &symbol.role else { return None };
        let (mut range, mut pmax, mut steps_in, mut seed) = (None, None, None, None);
        let name = match coding {
            Coding::Direct { range: of_values } => {
                range = *of_values;
                "direct"
            }
            Coding::Events => "events",
            Coding::Accumulator { pmax: largest, steps_in: steps } => {
                (pmax, steps_in) = (Some(*largest), Some(*steps));
                "accumulator"
            }
            Coding::Rate { seed: of_host } => {
                seed = Some(*of_host);
                "rate"
            }
        };
        let routes = program
            .inputs
            .iter()
            .filter(|r| r.population as usize == index)
            .map(|r| RouteEntry { first: r.first, len: r.len, core: r.core, axon: r.axon })
            .collect();
        Some(InputEntry {
            population: symbol.name.clone(),
            size: size(symbol),
            coding: name.to_owned(),
            range,
            pmax,
            steps_in,
            seed,
            latency: symbol.latency,
            routes,
        })
    };
    program.populations.iter().enumerate().filter_map(entry).collect()
}

fn outputs(program: &Program) -> Vec<OutputEntry> {
    let mut read: Vec<u32> = match &program.readout {
        ProgramReadout::SpikeCount(p) => vec![*p],
        ProgramReadout::MeanLinear { terms, .. } => terms.iter().map(|(p, _)| *p).collect(),
    };
    read.sort_unstable();
    read.dedup();
    let entry = |index: u32| {
        let symbol = program.populations.get(index as usize)?;
        let mut compartments = Vec::new();
        for (core, number) in program.cores.iter().zip(0_u32..) {
            let mut compartment = 0;
            for run in &core.compartments {
                if run.population == index {
                    let (first, len) = (run.first, run.len);
                    compartments.push(CompartmentEntry { first, len, core: number, compartment });
                }
                compartment += run.len;
            }
        }
        Some(OutputEntry {
            population: symbol.name.clone(),
            size: size(symbol),
            latency: symbol.latency,
            compartments: merged(compartments),
        })
    };
    read.into_iter().filter_map(entry).collect()
}

/// Joins runs that continue each other: a table of neurons does not care about registers.
fn merged(mut runs: Vec<CompartmentEntry>) -> Vec<CompartmentEntry> {
    runs.sort_by_key(|r| r.first);
    let mut joined: Vec<CompartmentEntry> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last)
                if last.core == run.core
                    && last.first + last.len == run.first
                    && last.compartment + last.len == run.compartment =>
            {
                last.len += run.len;
            }
            _ => joined.push(run),
        }
    }
    joined
}

fn size(symbol: &Symbol) -> u32 {
    u32::try_from(symbol.shape.size()).unwrap_or(u32::MAX)
}

/// What every core of `mapped` uses.
pub fn cores(mapped: &MappedNetwork, target: &TargetSpec) -> Vec<CoreEntry> {
    let all: Vec<Core> = mapped.cores.values().cloned().collect();
    let accounting = usage::Accounting::new(&mapped.network, &mapped.orders);
    let output_axons = usage::output_axons(&accounting, &all, target);
    let entry = |(core, output_axons): (&Core, Vec<u64>)| {
        let used = accounting.core_usage(core, target);
        CoreEntry {
            chip: core.chip,
            cell: core.cell,
            used: Resources {
                compartments: used.compartments,
                input_axons: used.input_axons,
                output_axons: output_axons.iter().sum(),
                synapse_words: used.synapse_words,
                profiles: used.profiles,
                thresholds: used.thresholds,
                formats: used.formats,
            },
        }
    };
    all.iter().zip(output_axons).map(entry).collect()
}

/// What `target` offers per core.
pub fn limits(target: &TargetSpec) -> Resources {
    let value = |limit: &snnc_ir::target::Limit| u64::try_from(limit.value).unwrap_or(0);
    Resources {
        compartments: value(&target.compartments),
        input_axons: value(&target.input_axons),
        output_axons: value(&target.output_axons),
        synapse_words: value(&target.synapse_words),
        profiles: value(&target.profiles),
        thresholds: value(&target.thresholds),
        formats: value(&target.formats),
    }
}

impl Resources {
    /// Name, use and limit of every resource.
    pub fn against(&self, limits: &Self) -> [(&'static str, u64, u64); 7] {
        [
            ("compartments", self.compartments, limits.compartments),
            ("input axons", self.input_axons, limits.input_axons),
            ("output axons", self.output_axons, limits.output_axons),
            ("synapse words", self.synapse_words, limits.synapse_words),
            ("profiles", self.profiles, limits.profiles),
            ("thresholds", self.thresholds, limits.thresholds),
            ("formats", self.formats, limits.formats),
        ]
    }
}

/// Index of a population by name in a list of ids, for tables.
pub fn shape_text(shape: &[u32]) -> String {
    shape.iter().map(u32::to_string).collect::<Vec<_>>().join("x")
}

/// The latency of population `id` in a schedule; 0 in logical time.
pub fn latency(network: &QuantizedDraft, id: PopId) -> u32 {
    match &network.time {
        snnc_ir::quantized::Time::Logical => 0,
        snnc_ir::quantized::Time::Hardware(s) => s.latency.get(id.index()).copied().unwrap_or(0),
    }
}
