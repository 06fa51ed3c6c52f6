//! Tables, compartments, synapses and routes of the cores.

use super::registers::PopulationRegisters;
use super::table::Table;
use super::{cycles, number};
use snnc_ir::arena::{CoreId, Entity, PopId};
use snnc_ir::diag::codes::artifact;
use snnc_ir::mapped::usage::{Accounting, SynapseFormat, formats};
use snnc_ir::mapped::{Block, Core, Slice};
use snnc_ir::order::Order;
use snnc_ir::program::{
    CompartmentRun, Format, InputRoute, ProgramCore, Registers, Route, SynapseBlock,
};
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, MappedNetwork, TargetSpec};

/// Where a part of a population sits.
#[derive(Clone, Copy, Debug)]
struct Placed {
    start: u32,
    len: u32,
    core: CoreId,
    compartment: u32,
}

impl Placed {
    fn end(&self) -> u64 {
        u64::from(self.start) + u64::from(self.len)
    }
}

/// Builds core after core.
pub(super) struct CoreBuilder<'a> {
    network: &'a MappedNetwork,
    target: &'a TargetSpec,
    registers: &'a [Option<PopulationRegisters>],
    /// Pooled matrix of each projection.
    pool: &'a [Option<u32>],
    /// Synapse formats of the projections.
    formats: Vec<SynapseFormat>,
    accounting: Accounting<'a>,
    /// Parts of each population, by first position.
    placed: Vec<Vec<Placed>>,
    out: &'a mut Diagnostics,
    inputs: Vec<InputRoute>,
    cores: Vec<ProgramCore>,
    /// Routes by the core of their source.
    routes: Vec<Vec<Route>>,
}

impl<'a> CoreBuilder<'a> {
    pub(super) fn new(
        network: &'a MappedNetwork,
        target: &'a TargetSpec,
        registers: &'a [Option<PopulationRegisters>],
        pool: &'a [Option<u32>],
        out: &'a mut Diagnostics,
    ) -> Self {
        let placed = place(network, out);
        let routes = vec![Vec::new(); network.cores.len()];
        Self {
            network,
            target,
            registers,
            pool,
            formats: formats(&network.network),
            accounting: Accounting::new(&network.network, &network.orders),
            placed,
            out,
            inputs: Vec::new(),
            cores: Vec::new(),
            routes,
        }
    }

    /// Adds the next core.
    pub(super) fn add(&mut self, id: CoreId, core: &Core) {
        let mut tables = Tables::new();
        let compartments = self.compartments(core, &mut tables);
        let synapses = core
            .blocks
            .iter()
            .enumerate()
            .filter_map(|(i, block)| {
                let built = self.block(core, block, &mut tables);
                if built.is_none() {
                    self.broken(format!("{id}.blocks[{i}]"), "the block fits no core or register");
                }
                built
            })
            .collect();
        let mut axon = 0_u32;
        for (i, run) in core.axons.iter().enumerate() {
            if !self.route(id, run, axon) {
                self.broken(format!("{id}.axons[{i}]"), "the run names neurons that are not there");
            }
            axon = axon.saturating_add(run.len);
        }
        let target = self.target;
        self.hold(id, "compartments", core.compartments(), &target.compartments);
        let axons =
            usize::try_from(self.accounting.input_axons(core, target)).unwrap_or(usize::MAX);
        self.hold(id, "input axons", axons, &target.input_axons);
        self.hold(id, "compartment profiles", tables.profiles.len(), &target.profiles);
        self.hold(id, "thresholds", tables.thresholds.len(), &target.thresholds);
        self.hold(id, "synapse formats", tables.formats.len(), &target.formats);
        self.cores.push(ProgramCore {
            chip: core.chip,
            cell: core.cell,
            profiles: tables.profiles.into_items(),
            thresholds: tables.thresholds.into_items(),
            formats: tables.formats.into_items(),
            compartments,
            axons: axon,
            synapses,
            routes: Vec::new(),
        });
    }

    /// The input routes and the cores, in order.
    pub(super) fn finish(mut self) -> (Vec<InputRoute>, Vec<ProgramCore>) {
        for (core, mut routes) in self.cores.iter_mut().zip(self.routes) {
            routes.sort_by_key(|r| (r.compartment, r.core, r.axon));
            core.routes = routes;
        }
        self.inputs.sort_by_key(|r| (r.population, r.first, r.core, r.axon));
        (self.inputs, self.cores)
    }

    fn broken(&mut self, place: String, message: &str) {
        self.out.push(Diagnostic::error(artifact::PROGRAM_PLACEMENT, message).at(place));
    }

    fn hold(&mut self, core: CoreId, what: &str, count: usize, limit: &Limit) {
        if i64::try_from(count).is_ok_and(|n| n <= limit.value) {
            return;
        }
        self.out.push(
            Diagnostic::error(artifact::PROGRAM_TABLE, format!("{core} needs {count} {what}"))
                .at(core.to_string())
                .note(format!("{} has {limit} per core", self.target.name)),
        );
    }

    /// The compartments, cut where a register changes.
    fn compartments(&self, core: &Core, tables: &mut Tables) -> Vec<CompartmentRun> {
        let mut runs: Vec<CompartmentRun> = Vec::new();
        for slice in &core.slices {
            let Some(population) = self.network.network.populations.get(slice.population) else {
                continue; // reported by `place`
            };
            let Some(registers) = &self.registers[slice.population.index()] else {
                continue; // an input, or reported when its registers were made
            };
            let shape = &population.shape;
            let block = self.network.orders[slice.population.index()];
            let order = Order::new(shape, block);
            let end = u32::try_from(slice.end().min(population.size() as u64)).unwrap_or(u32::MAX);
            let one = |position: u32| {
                let neuron = order.neuron(position) as usize;
                let (bias_mantissa, bias_exponent) = registers.bias.at(neuron, shape);
                Registers {
                    profile: tables.profiles.intern(registers.profile.at(neuron, shape)),
                    threshold: match &registers.threshold {
                        Some(threshold) => tables.thresholds.intern(threshold.at(neuron, shape)),
                        None => 0,
                    },
                    bias_mantissa,
                    bias_exponent,
                }
            };
            let here: Vec<Registers> = (slice.start..end).map(one).collect();
            // A block of channels; without rows and columns there are no blocks.
            let whole = match shape.per_channel() {
                0 | 1 => population.size(),
                places => places * block as usize,
            };
            cycles::runs(&mut runs, number(slice.population), slice.start, whole.max(1), &here);
        }
        if !runs.is_empty() && tables.thresholds.len() == 0 {
            // Graded relays alone: the entry that they name without using it.
            tables.thresholds.intern(0);
        }
        runs
    }

    /// A synapse block, or `None` if it names something that is not there.
    fn block(&self, core: &Core, block: &Block, tables: &mut Tables) -> Option<SynapseBlock> {
        let network = &self.network.network;
        let projection = network.projections.get(block.projection)?;
        let (axon, run) = nth(&core.axons, block.axons)?;
        let (compartment, slice) = nth(&core.slices, block.slice)?;
        if run.population != projection.source || slice.population != projection.target {
            return None;
        }
        let delay = projection.delay.checked_sub(1)?;
        let delay =
            u8::try_from(delay).ok().filter(|&d| i64::from(d) <= self.target.max_delay.value)?;
        let SynapseFormat { exponent, sign, weight_bits, delay_bits } =
            *self.formats.get(block.projection.index())?;
        let format = tables.formats.intern(Format { exponent, sign, weight_bits, delay_bits });
        Some(SynapseBlock {
            format,
            matrix: (*self.pool.get(block.projection.index())?)?,
            delay,
            axon,
            axons: run.len,
            col: run.start,
            compartment,
            compartments: slice.len,
            row: slice.start,
        })
    }

    /// Routes the spikes of a run's sources to its axons. False if a source is nowhere.
    fn route(&mut self, to: CoreId, run: &Slice, axon: u32) -> bool {
        let Some(population) = self.network.network.populations.get(run.population) else {
            return false;
        };
        let (start, end) = (run.start, u64::from(run.start) + u64::from(run.len));
        if end > population.size() as u64 || run.len == 0 {
            return false;
        }
        if population.is_input() {
            self.inputs.push(InputRoute {
                population: number(run.population),
                first: start,
                len: run.len,
                core: number(to),
                axon,
            });
            return true;
        }
        let parts = &self.placed[run.population.index()];
        let first = parts.partition_point(|part| part.end() <= u64::from(start));
        for part in parts[first..].iter().take_while(|part| u64::from(part.start) < end) {
            let from = part.start.max(start);
            // The difference is at most the length of the run.
            let len = u32::try_from(part.end().min(end) - u64::from(from)).unwrap_or(run.len);
            self.routes[part.core.index()].push(Route {
                compartment: part.compartment + (from - part.start),
                len,
                core: number(to),
                axon: axon.saturating_add(from - start),
            });
        }
        true
    }
}

/// The tables that the neurons and synapses of a core share.
struct Tables {
    profiles: Table<snnc_ir::program::Profile>,
    thresholds: Table<u32>,
    formats: Table<Format>,
}

impl Tables {
    fn new() -> Self {
        Self { profiles: Table::new(), thresholds: Table::new(), formats: Table::new() }
    }
}

/// The slice `index` and the sum of the lengths before it.
fn nth(slices: &[Slice], index: u32) -> Option<(u32, &Slice)> {
    let index = index as usize;
    let slice = slices.get(index)?;
    let before = slices[..index].iter().try_fold(0_u32, |sum, s| sum.checked_add(s.len))?;
    Some((before, slice))
}

/// Where the parts of each population sit; reports neurons that sit nowhere, twice, or that are
/// not there.
fn place(network: &MappedNetwork, out: &mut Diagnostics) -> Vec<Vec<Placed>> {
    let populations = &network.network.populations;
    let mut placed: Vec<Vec<Placed>> = vec![Vec::new(); populations.len()];
    for (core, content) in network.cores.iter() {
        let mut compartment = 0_u32;
        for (i, slice) in content.slices.iter().enumerate() {
            match placed.get_mut(slice.population.index()) {
                Some(parts) if slice.len > 0 => {
                    parts.push(Placed { start: slice.start, len: slice.len, core, compartment });
                }
                _ => out.push(
                    Diagnostic::error(
                        artifact::PROGRAM_PLACEMENT,
                        "the slice is empty or names a population that is not there",
                    )
                    .at(format!("{core}.slices[{i}]")),
                ),
            }
            compartment = compartment.saturating_add(slice.len);
        }
    }
    for (id, population) in populations.iter() {
        let parts = &mut placed[PopId::index(id)];
        parts.sort_by_key(|part| (part.start, part.core));
        let size = if population.is_input() { 0 } else { population.size() as u64 };
        let mut next = 0;
        let tiles = parts.iter().all(|part| {
            let here = u64::from(part.start) == next;
            next = part.end();
            here
        });
        if !tiles || next != size {
            out.push(
                Diagnostic::error(
                    artifact::PROGRAM_PLACEMENT,
                    "the slices on all cores do not hold every neuron exactly once",
                )
                .at(format!("population \"{}\"", population.name))
                .note(format!("it has {size} neurons to place")),
            );
        }
    }
    placed
}
