//! `map`: put the neurons of a scheduled network on cores (class: exact).
//!
//! First fit, in the order of populations and neurons: each population is cut into contiguous
//! slices, and each slice goes to the first core that still takes at least one of its neurons, as
//! many as fit under every limit of the target (compartments, input axons, synapse memory,
//! profiles, thresholds, formats). How many fit is found by bisection over the same accounting that
//! the verifier uses ([`core_usage`]), so the two cannot disagree. Output axons depend on where the
//! targets land; if a core has too many, everything is mapped again with half as many compartments
//! per core. A network whose neurons or synapses in all exceed the target (`bound`) is refused first.
//!
//! Complexity: O(log(neurons per core) · synapses · cores tried per slice); cores that can take no
//! neuron of a population are not tried again for it.

mod bound;
mod build;
#[cfg(test)]
mod tests;

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use build::{append, connect};
use snnc_ir::arena::{Arena, CoreId, PopId};
use snnc_ir::diag::codes;
use snnc_ir::mapped::usage::{CoreUsage, SynapseFormat, core_usage, formats, output_axons};
use snnc_ir::mapped::{Core, MappedDraft, MappedNetwork, Slice};
use snnc_ir::quantized::{QuantizedDraft, QuantizedNetwork};
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, Entity, TargetSpec};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Map;

impl Pass for Map {
    type From = QuantizedNetwork;
    type To = MappedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "map",
            summary: "place neurons on cores, first fit, under every limit of the target",
            class: Class::Exact,
            requires: &[Property::StrictCompare, Property::HardwareTime],
            establishes: &[],
            invalidates: &[],
            options: &[],
        }
    }

    fn run(
        &self,
        network: QuantizedDraft,
        cx: &mut Context<'_>,
    ) -> Result<MappedDraft, Diagnostics> {
        let formats = formats(&network);
        let least = bound::bound(&network, &formats, cx.target);
        if let Some(error) = too_many_cores(Cores::AtLeast(&least), cx.target) {
            return Err(error.into());
        }
        let mut cap = u32::try_from(cx.target.compartments.value).unwrap_or(u32::MAX);
        loop {
            let mut mapper = Mapper::new(&network, &formats, cx.target, cap);
            mapper.place_all()?;
            let Some((core, needed)) = mapper.too_many_outputs() else {
                let cores = mapper.cores;
                if let Some(error) = too_many_cores(Cores::Exactly(cores.len() as u64), cx.target) {
                    return Err(error.into());
                }
                let orders = vec![1; network.populations.len()];
                let target = cx.target.name.clone();
                return Ok(MappedDraft { network, target, orders, cores });
            };
            if cap == 1 {
                return Err(fan_out_error(&network, &mapper.cores[core], needed, cx.target).into());
            }
            cap = cap.div_ceil(2);
        }
    }
}

/// One attempt at a mapping.
struct Mapper<'a> {
    network: &'a QuantizedDraft,
    formats: &'a [SynapseFormat],
    target: &'a TargetSpec,
    /// Most compartments that a core may hold in this attempt.
    cap: u32,
    cores: Arena<CoreId, Core>,
}

impl<'a> Mapper<'a> {
    fn new(
        network: &'a QuantizedDraft,
        formats: &'a [SynapseFormat],
        target: &'a TargetSpec,
        cap: u32,
    ) -> Self {
        Self { network, formats, target, cap, cores: Arena::new() }
    }

    fn usage(&self, core: &Core) -> CoreUsage {
        core_usage(self.network, self.formats, core, self.target)
    }

    fn place_all(&mut self) -> Result<(), Diagnostics> {
        let mut errors = Diagnostics::new();
        for (id, population) in self.network.populations.iter() {
            if !population.is_input()
                && let Err(error) = self.place(id)
            {
                errors.push(error);
            }
        }
        errors.into_result(())
    }

    /// Places all neurons of one population.
    fn place(&mut self, population: PopId) -> Result<(), Diagnostic> {
        let size = u32::try_from(self.network.populations[population].size()).unwrap_or(u32::MAX);
        let mut start = 0;
        let mut first_open = 0;
        while start < size {
            let rest = Slice { population, start, len: size - start };
            let found = (first_open..self.cores.len())
                .find_map(|c| self.extend(&self.cores[CoreId::new(c)], rest).map(|x| (c, x)));
            let (index, (core, len)) = match found {
                Some(found) => found,
                None => match self.extend(&self.empty_core(), rest) {
                    Some(fresh) => {
                        self.cores.push(Core::default());
                        (self.cores.len() - 1, fresh)
                    }
                    None => return Err(self.too_large(population, start)),
                },
            };
            self.cores[CoreId::new(index)] = core;
            start += len;
            // This core took all it could, and those before it took none.
            first_open = index + 1;
        }
        Ok(())
    }

    fn empty_core(&self) -> Core {
        let per_chip = u32::try_from(self.target.cores_per_chip.value).unwrap_or(u32::MAX).max(1);
        let index = u32::try_from(self.cores.len()).unwrap_or(u32::MAX);
        Core { chip: index / per_chip, ..Core::default() }
    }

    /// The core with as many neurons of `rest` added as fit, and their number; `None` if none fits.
    fn extend(&self, core: &Core, rest: Slice) -> Option<(Core, u32)> {
        let held = u32::try_from(core.compartments()).unwrap_or(u32::MAX);
        let room = self.cap.saturating_sub(held).min(rest.len);
        let grown = |len: u32| {
            let mut core = core.clone();
            append(&mut core, Slice { len, ..rest });
            connect(self.network, &mut core);
            core
        };
        let fits = |core: &Core| violated(&self.usage(core), self.target).is_none();
        if room == 0 {
            return None;
        }
        let all = grown(room);
        if fits(&all) {
            return Some((all, room));
        }
        // Usage grows with the slice, so bisect: `low` neurons fit, `high` do not.
        let (mut low, mut high, mut best) = (0, room, None);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let core = grown(middle);
            if fits(&core) {
                (low, best) = (middle, Some(core));
            } else {
                high = middle;
            }
        }
        best.map(|core| (core, low))
    }

    /// A core whose neurons need more output axons than the target has, with their number.
    fn too_many_outputs(&self) -> Option<(CoreId, u64)> {
        let cores: Vec<Core> = self.cores.values().cloned().collect();
        let limit = u64::try_from(self.target.output_axons.value).unwrap_or(0);
        let needed = output_axons(self.network, &cores);
        self.cores.ids().zip(needed).find(|(_, needed)| *needed > limit)
    }

    fn too_large(&self, population: PopId, neuron: u32) -> Diagnostic {
        let mut core = self.empty_core();
        append(&mut core, Slice { population, start: neuron, len: 1 });
        connect(self.network, &mut core);
        let name = &self.network.populations[population].name;
        let usage = self.usage(&core);
        let (what, needed, limit) = violated(&usage, self.target)
            .expect("a neuron that does not fit on an empty core violates a limit");
        Diagnostic::error(
            codes::mapping::NEURON_TOO_LARGE,
            format!(
                "neuron {neuron} of population `{name}` alone needs {needed} {what}; a core of `{}` has {}",
                self.target.name, limit.value
            ),
        )
        .at(format!("population `{name}`, neuron {neuron}"))
        .note(format!("{}: {limit}", self.target.file))
        .help("reduce the fan-in of this population, for example with an intermediate population")
    }
}

/// The first limit that `usage` violates: resource, need and limit. Output axons are not among
/// them, since they depend on the other cores.
fn violated<'t>(
    usage: &CoreUsage,
    target: &'t TargetSpec,
) -> Option<(&'static str, u64, &'t Limit)> {
    [
        ("compartments", usage.compartments, &target.compartments),
        ("input axons", usage.input_axons, &target.input_axons),
        ("words of synapse memory", usage.synapse_words, &target.synapse_words),
        ("compartment profiles", usage.profiles, &target.profiles),
        ("thresholds", usage.thresholds, &target.thresholds),
        ("synapse formats", usage.formats, &target.formats),
    ]
    .into_iter()
    .find(|(_, needed, limit)| i128::from(*needed) > i128::from(limit.value))
}

/// How many cores a network needs.
#[derive(Clone, Copy)]
enum Cores<'b> {
    /// As many as a mapping took.
    Exactly(u64),
    /// No mapping takes fewer.
    AtLeast(&'b bound::Bound<'b>),
}

/// The finding that the network needs more cores than the target has, if it does.
fn too_many_cores(cores: Cores<'_>, target: &TargetSpec) -> Option<Diagnostic> {
    let count = |limit: &Limit| u64::try_from(limit.value).unwrap_or(0);
    let available = count(&target.chips).saturating_mul(count(&target.cores_per_chip));
    let (needed, text) = match cores {
        Cores::Exactly(needed) => (needed, needed.to_string()),
        Cores::AtLeast(least) => (least.cores, format!("at least {}", least.cores)),
    };
    if needed <= available {
        return None;
    }
    let mut error = Diagnostic::error(
        codes::mapping::TOO_MANY_CORES,
        format!("the network needs {text} cores; target `{}` has {available}", target.name),
    );
    if let Cores::AtLeast(least) = cores {
        let bound::Bound { needed, resource, limit, .. } = least;
        error = error.note(format!(
            "it takes {needed} {resource} in all; {}: {limit} on a core",
            target.file
        ));
    }
    Some(
        error
            .note(format!("{}: chips = {}", target.file, target.chips))
            .note(format!("{}: cores_per_chip = {}", target.file, target.cores_per_chip))
            .help("compile for a target with more chips, or reduce the network"),
    )
}

fn fan_out_error(
    network: &QuantizedDraft,
    core: &Core,
    needed: u64,
    target: &TargetSpec,
) -> Diagnostic {
    let name = core.slices.first().map_or("", |s| network.populations[s.population].name.as_str());
    Diagnostic::error(
        codes::mapping::FAN_OUT,
        format!(
            "the spikes of one neuron of population `{name}` go to {needed} cores; target `{}` has {} output axons per core",
            target.name, target.output_axons.value
        ),
    )
    .at(format!("population `{name}`"))
    .note(format!("{}: output_axons = {}", target.file, target.output_axons))
    .help("reduce the fan-out of this population, or split it")
}
