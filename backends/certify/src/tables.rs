//! Phase 2: the tables refer to things that exist, every neuron has one compartment, and every
//! axon one source.

use super::axons;
use super::findings::{Findings, Site, neuron, population};
use super::matrix;
use super::symbols::Meaning;
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::network::Coding;
use snnc_ir::order::Order;
use snnc_ir::program::{CompartmentRun, Program, ProgramCore, Symbol, SymbolRole, SynapseBlock};
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, Shape, TargetSpec};
use std::collections::BTreeSet;

/// The cores of a program, with what their tables imply.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    /// The program.
    pub(super) program: &'a Program,
    /// What its symbols stand for.
    pub(super) meanings: &'a [Meaning],
    /// Its cores.
    pub(super) cores: Vec<CoreTable<'a>>,
}

/// A core.
#[derive(Debug)]
pub(super) struct CoreTable<'a> {
    /// Its registers and tables.
    pub(super) core: &'a ProgramCore,
    /// Its compartment runs with the compartment where each starts.
    pub(super) runs: Vec<(u32, &'a CompartmentRun)>,
    /// Number of compartments.
    pub(super) compartments: u32,
    /// Which neurons feed its axons, by axon; disjoint.
    pub(super) feeds: Vec<Feed>,
}

/// Neurons at consecutive positions of a symbol that feed consecutive axons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Feed {
    /// First axon.
    pub(super) axon: u32,
    /// Number of axons.
    pub(super) len: u32,
    /// The symbol.
    pub(super) symbol: usize,
    /// Position of the first neuron.
    pub(super) first: u32,
}

/// A route's claim to axons of a core, before compartments are resolved to neurons.
#[derive(Clone, Copy, Debug)]
struct Claim {
    core: usize,
    axon: u32,
    len: u32,
    origin: Origin,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    Compartments { core: usize, first: u32 },
    Input { symbol: usize, first: u32 },
}

/// Whether `first..first + len` is a part of `0..size` that is not empty.
const fn fits(first: u32, len: u32, size: u64) -> bool {
    // Widening casts: `From` is not const.
    len > 0 && first as u64 + len as u64 <= size
}

fn size(program: &Program, symbol: usize) -> u64 {
    program.populations[symbol].shape.size() as u64
}

/// The order in which the neurons of a symbol lie on cores.
pub(super) fn order(symbol: &Symbol) -> Order {
    // What has more neurons than numbers is never placed whole, so no order is asked for.
    let numbered = u32::try_from(symbol.shape.size()).is_ok();
    if numbered { symbol.order() } else { Order::new(&Shape::flat(1), 1) }
}

/// Names the neuron at a position of a symbol; the position itself where there is none.
fn at_position(symbol: &Symbol, position: u32) -> String {
    let inside = (position as usize) < symbol.shape.size();
    let number = if inside { order(symbol).neuron(position) } else { position };
    neuron(&symbol.name, number)
}

impl<'a> Tables<'a> {
    /// Checks the tables and resolves routes to neurons.
    ///
    /// # Errors
    /// Why they cannot be followed.
    pub(super) fn build(
        program: &'a Program,
        meanings: &'a [Meaning],
        target: &TargetSpec,
    ) -> Result<Self, Diagnostics> {
        let mut findings = Findings::default();
        let mut tables = Self { program, meanings, cores: Vec::with_capacity(program.cores.len()) };
        for (index, core) in program.cores.iter().enumerate() {
            let table = tables.core(index, core, target, &mut findings);
            tables.cores.push(table);
        }
        chips(program, target, &mut findings);
        findings.end_phase()?;
        tables.placement(&mut findings);
        for (index, pooled) in program.matrices.iter().enumerate() {
            if let Err(why) = matrix::check(pooled, program) {
                let message = format!("matrix {index} of the pool is malformed: {why}");
                findings
                    .push(Diagnostic::error(code::TABLE, message).at(format!("matrix {index}")));
            }
        }
        findings.end_phase()?;
        for index in 0..tables.cores.len() {
            for block in &tables.cores[index].core.synapses {
                tables.block(index, block, &mut findings);
            }
        }
        let mut claims = tables.claims(&mut findings);
        claims.sort_by_key(|c| (c.core, c.axon));
        tables.disjoint(&claims, &mut findings);
        findings.end_phase()?;
        for claim in &claims {
            tables.resolve(claim);
        }
        axons::check(&tables, target, &mut findings);
        findings.end_phase()?;
        Ok(tables)
    }

    /// Resolves the compartment runs of a core.
    fn core(
        &self,
        index: usize,
        core: &'a ProgramCore,
        target: &TargetSpec,
        findings: &mut Findings,
    ) -> CoreTable<'a> {
        let mut runs = Vec::with_capacity(core.compartments.len());
        let mut compartments = 0_u32;
        for (place, run) in core.compartments.iter().enumerate() {
            if let Err(why) = self.run(core, run) {
                let message = format!("compartment run {place} of core {index} {why}");
                let at = match self.program.populations.get(run.population as usize) {
                    Some(symbol) => at_position(symbol, run.first),
                    None => format!("core {index}"),
                };
                findings.push(Diagnostic::error(code::TABLE, message).at(at));
            }
            runs.push((compartments, run));
            compartments = compartments.checked_add(run.len).unwrap_or_else(|| {
                let message = format!("core {index} has more than 2^32 compartments");
                let place = format!("core {index}");
                findings.push(Diagnostic::error(code::TABLE, message).at(place));
                u32::MAX
            });
        }
        let mut most = |what: &str, used: usize, limit: &Limit, name: &str| {
            if i64::try_from(used).is_ok_and(|used| used <= limit.value) {
                return;
            }
            let message =
                format!("core {index} uses {used} {what}, the target has {}", limit.value);
            findings.push(
                Diagnostic::error(code::CAPACITY, message)
                    .at(format!("core {index}"))
                    .note(format!("{}: {name} = {limit}", target.file)),
            );
        };
        most("compartments", compartments as usize, &target.compartments, "compartments");
        most("profiles", core.profiles.len(), &target.profiles, "profiles");
        most("thresholds", core.thresholds.len(), &target.thresholds, "thresholds");
        most("lowest membranes", floors(core), &target.floors, "floors");
        most("synapse formats", core.formats.len(), &target.formats, "formats");
        CoreTable { core, runs, compartments, feeds: Vec::new() }
    }

    /// Why a run cannot be followed.
    fn run(&self, core: &ProgramCore, run: &CompartmentRun) -> Result<(), String> {
        let symbol = run.population as usize;
        match self.meanings.get(symbol) {
            None => return Err(format!("names symbol {symbol}, which does not exist")),
            Some(Meaning::Input(_)) => return Err("holds an input population".to_owned()),
            Some(_) => {}
        }
        let neurons = size(self.program, symbol);
        if !fits(run.first, run.len, neurons) {
            let CompartmentRun { first, len, .. } = run;
            return Err(format!("holds {len} neurons from position {first} on, of {neurons}"));
        }
        if run.cycle.is_empty() || run.cycle.len() > run.len as usize {
            return Err(format!("has {} sets of registers for {}", run.cycle.len(), run.len));
        }
        let (profiles, thresholds) = (core.profiles.len(), core.thresholds.len());
        for registers in &run.cycle {
            if registers.profile as usize >= profiles {
                return Err(format!("uses profile {} of {profiles}", registers.profile));
            }
            if registers.threshold as usize >= thresholds {
                return Err(format!("uses threshold {} of {thresholds}", registers.threshold));
            }
        }
        Ok(())
    }

    /// Every neuron that is not an input has exactly one compartment.
    fn placement(&self, findings: &mut Findings) {
        let mut placed: Vec<Vec<(u32, u32, usize, u32)>> = vec![vec![]; self.meanings.len()];
        for (core, table) in self.cores.iter().enumerate() {
            for &(start, run) in &table.runs {
                placed[run.population as usize].push((run.first, run.len, core, start));
            }
        }
        for (symbol, mut runs) in placed.into_iter().enumerate() {
            if matches!(self.meanings[symbol], Meaning::Input(_)) {
                continue;
            }
            runs.sort_unstable();
            let of = &self.program.populations[symbol];
            let lost = |position: u64| {
                let place = match u32::try_from(position) {
                    Ok(position) => at_position(of, position),
                    Err(_) => population(&of.name),
                };
                Diagnostic::error(code::PLACEMENT, "a neuron has no compartment").at(place)
            };
            let mut next = 0;
            for (first, len, core, compartment) in runs {
                if u64::from(first) > next {
                    findings.push(lost(next));
                } else if u64::from(first) < next {
                    let (name, order) = (&of.name, order(of));
                    let site = Site { name, order, position: first, core, compartment };
                    let message = "a neuron has more than one compartment";
                    findings.push(site.mark(Diagnostic::error(code::PLACEMENT, message)));
                }
                next = next.max(u64::from(first) + u64::from(len));
            }
            if next < size(self.program, symbol) {
                findings.push(lost(next));
            }
        }
    }

    /// Checks what a synapse block refers to.
    fn block(&self, core: usize, block: &SynapseBlock, findings: &mut Findings) {
        let table = &self.cores[core];
        let inside = |first: u32, len: u32, of: usize| fits(first, len, of as u64);
        let why = if !inside(block.compartment, block.compartments, table.compartments as usize) {
            Some("compartments")
        } else if !inside(block.axon, block.axons, table.core.axons as usize) {
            Some("axons")
        } else if block.format as usize >= table.core.formats.len() {
            Some("a synapse format")
        } else {
            match self.program.matrices.get(block.matrix as usize).map(|m| &m.structure) {
                None => Some("a matrix"),
                Some(s) if !inside(block.row, block.compartments, s.rows()) => Some("matrix rows"),
                Some(s) if !inside(block.col, block.axons, s.cols()) => Some("matrix columns"),
                Some(_) => None,
            }
        };
        if let Some(what) = why {
            let message = format!("a synapse block of core {core} names {what} out of range");
            let place = match table.locate(block.compartment) {
                Some((symbol, n)) => at_position(&self.program.populations[symbol], n),
                None => format!("core {core}"),
            };
            let note = format!("{block:?}");
            findings.push(Diagnostic::error(code::TABLE, message).at(place).note(note));
        }
    }

    /// All claims to axons; those that name what does not exist become findings.
    fn claims(&self, findings: &mut Findings) -> Vec<Claim> {
        let mut claims = Vec::new();
        let mut add = |claim: Claim, source: Option<u64>, first: u32, place: String| {
            let axons = self.cores.get(claim.core).map(|c| u64::from(c.core.axons));
            let why = match (source, axons) {
                (Some(neurons), _) if !fits(first, claim.len, neurons) => {
                    "names sources out of range"
                }
                (None, _) => "starts at no input of spikes",
                (_, None) => "names a core out of range",
                (_, Some(axons)) if !fits(claim.axon, claim.len, axons) => {
                    "names axons out of range"
                }
                _ => {
                    claims.push(claim);
                    return;
                }
            };
            let message = format!("a route {why}");
            let note = format!(
                "{} sources from {first} on, to axons from {} of core {}",
                claim.len, claim.axon, claim.core
            );
            findings.push(Diagnostic::error(code::TABLE, message).at(place).note(note));
        };
        for (core, table) in self.cores.iter().enumerate() {
            for r in &table.core.routes {
                let origin = Origin::Compartments { core, first: r.compartment };
                let claim = Claim { core: r.core as usize, axon: r.axon, len: r.len, origin };
                let place = match table.locate(r.compartment) {
                    Some((symbol, n)) => at_position(&self.program.populations[symbol], n),
                    None => format!("core {core}"),
                };
                add(claim, Some(u64::from(table.compartments)), r.compartment, place);
            }
        }
        for r in &self.program.inputs {
            let symbol = r.population as usize;
            // A directly coded input has no spikes that could take a route.
            let spikes = |symbol: usize| {
                let role = &self.program.populations[symbol].role;
                !matches!(role, SymbolRole::Input(Coding::Direct { .. }))
            };
            let source = match self.meanings.get(symbol) {
                Some(Meaning::Input(_)) if spikes(symbol) => Some(size(self.program, symbol)),
                _ => None,
            };
            let place = match self.program.populations.get(symbol) {
                Some(s) => at_position(s, r.first),
                None => format!("symbol {symbol}"),
            };
            let origin = Origin::Input { symbol, first: r.first };
            let claim = Claim { core: r.core as usize, axon: r.axon, len: r.len, origin };
            add(claim, source, r.first, place);
        }
        claims
    }

    /// No axon is claimed twice. `claims` are in order of core and axon.
    fn disjoint(&self, claims: &[Claim], findings: &mut Findings) {
        let mut widest: Option<&Claim> = None;
        for claim in claims {
            if let Some(before) = widest.filter(|b| b.core == claim.core)
                && claim.axon - before.axon < before.len
            {
                let offset = claim.axon - before.axon;
                let (first, second) = (self.origin(before, offset), self.origin(claim, 0));
                let message = format!("axon {} of core {} has two sources", claim.axon, claim.core);
                let note = format!("the other is {first}");
                findings.push(Diagnostic::error(code::SHARED_AXON, message).at(second).note(note));
            }
            let end = |c: &Claim| (c.core, u64::from(c.axon) + u64::from(c.len));
            if widest.is_none_or(|b| end(b) < end(claim)) {
                widest = Some(claim);
            }
        }
    }

    /// Names the neuron behind the axon `offset` of a claim.
    fn origin(&self, claim: &Claim, offset: u32) -> String {
        let found = match claim.origin {
            Origin::Input { symbol, first } => Some((symbol, first + offset)),
            Origin::Compartments { core, first } => self.cores[core].locate(first + offset),
        };
        found.map_or_else(
            || "an empty compartment".to_owned(),
            |(symbol, n)| at_position(&self.program.populations[symbol], n),
        )
    }

    /// Splits a claim at the borders of compartment runs and stores it with its core.
    fn resolve(&mut self, claim: &Claim) {
        let mut feeds = Vec::new();
        match claim.origin {
            Origin::Input { symbol, first } => {
                feeds.push(Feed { axon: claim.axon, len: claim.len, symbol, first });
            }
            Origin::Compartments { core, first } => {
                let runs = &self.cores[core].runs;
                let mut done = 0;
                let mut at = runs.partition_point(|&(start, _)| start <= first);
                while done < claim.len && at > 0 && at <= runs.len() {
                    let (start, run) = runs[at - 1];
                    let skip = first + done - start;
                    let len = (run.len - skip).min(claim.len - done);
                    let symbol = run.population as usize;
                    feeds.push(Feed {
                        axon: claim.axon + done,
                        len,
                        symbol,
                        first: run.first + skip,
                    });
                    done += len;
                    at += 1;
                }
            }
        }
        for feed in feeds {
            self.cores[claim.core].feed(feed);
        }
    }
}

impl CoreTable<'_> {
    /// Adds a feed after all others. Runs are cut wherever a register changes, which feeds do not
    /// see: together with the feed before, it may be one.
    fn feed(&mut self, next: Feed) {
        match self.feeds.last_mut() {
            Some(last)
                if last.symbol == next.symbol
                    && last.axon + last.len == next.axon
                    && last.first + last.len == next.first =>
            {
                last.len += next.len;
            }
            _ => self.feeds.push(next),
        }
    }

    /// Symbol and position of the neuron in a compartment.
    pub(super) fn locate(&self, compartment: u32) -> Option<(usize, u32)> {
        let after = self.runs.partition_point(|&(start, _)| start <= compartment);
        let (start, run) = self.runs[after.checked_sub(1)?];
        let skip = compartment - start;
        (skip < run.len).then(|| (run.population as usize, run.first.saturating_add(skip)))
    }

    /// Feeds of the axons `axon..axon + len`.
    pub(super) fn feeds_of(&self, axon: u32, len: u32) -> impl Iterator<Item = Feed> {
        let from = self.feeds.partition_point(|f| f.axon + f.len <= axon);
        self.feeds[from..].iter().take_while(move |f| f.axon < axon + len).map(move |f| {
            let skip = axon.saturating_sub(f.axon);
            let end = (f.axon + f.len).min(axon + len);
            Feed { axon: f.axon + skip, len: end - f.axon - skip, first: f.first + skip, ..*f }
        })
    }
}

/// Every core sits on a cell of its own, of a chip that exists, and no chip holds too many.
fn chips(program: &Program, target: &TargetSpec, findings: &mut Findings) {
    let mut chips: Vec<(u32, u32)> = program.cores.iter().map(|c| (c.chip, c.cell)).collect();
    chips.sort_unstable();
    let mut complain = |chip: u32, message: String, name: &str, limit: &Limit| {
        findings.push(
            Diagnostic::error(code::CAPACITY, message)
                .at(format!("chip {chip}"))
                .note(format!("{}: {name} = {limit}", target.file)),
        );
    };
    for same in chips.chunk_by(|a, b| a.0 == b.0) {
        let chip = same[0].0;
        for pair in same.windows(2).filter(|pair| pair[0] == pair[1]) {
            let message = format!("two cores sit on cell {} of chip {chip}", pair[0].1);
            complain(chip, message, "cores_per_chip", &target.cores_per_chip);
        }
        let beyond = |&&(_, cell): &&(u32, u32)| i64::from(cell) >= target.cores_per_chip.value;
        if let Some((_, cell)) = same.iter().find(beyond) {
            let message = format!("a core sits on cell {cell} of chip {chip}");
            complain(chip, message, "cores_per_chip", &target.cores_per_chip);
        }
        if i64::from(chip) >= target.chips.value {
            let message = format!("{} cores sit on chip {chip}", same.len());
            complain(chip, message, "chips", &target.chips);
        }
        if i64::try_from(same.len()).is_ok_and(|n| n > target.cores_per_chip.value) {
            let message = format!("chip {chip} holds {} cores", same.len());
            complain(chip, message, "cores_per_chip", &target.cores_per_chip);
        }
    }
}

/// Lowest membranes of a core's spiking neurons, *none* counted as one where others have one.
fn floors(core: &ProgramCore) -> usize {
    let sets = core.compartments.iter().flat_map(|run| &run.cycle);
    let profiles = sets.filter_map(|registers| core.profiles.get(registers.profile as usize));
    let spiking = profiles.filter(|profile| profile.graded.is_none());
    let floors: BTreeSet<Option<i32>> = spiking.map(|profile| profile.floor).collect();
    if floors.iter().all(Option::is_none) { 0 } else { floors.len() }
}
