//! Phase 3: compares every compartment with its neuron.

use super::Merge;
use super::bounds::{self, Reach, reach, relay_reach};
use super::certificate::Bounds;
use super::cover::{self, Columns, Rows};
use super::findings::{Findings, First, Site, population};
use super::host::{self, Host};
use super::linear::{Facts, Linear};
use super::lines;
use super::matrix::{RowSum, RowSums, equals, not_stored};
use super::registers::{self, Registers, Timing};
use super::sends::{self, Sends, Span};
use super::symbols::Meaning;
use super::synapses::{
    Link, Segment, Synapse, add_up, in_words, segments, source_in_words, surplus,
};
use super::tables::{Tables, order};
use snnc_ir::arena::{MatId, PopId, ProjId};
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::order::Order;
use snnc_ir::program::{Format, GradedMode, SynapseBlock};
use snnc_ir::quantized::{PopKind, QuantizedDraft};
use snnc_ir::{Diagnostic, Diagnostics, Entity, TargetSpec};
use std::collections::HashMap;

/// What was found out about a symbol.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    /// Number of cores that hold it.
    pub(super) cores: u32,
    last_core: Option<usize>,
    /// Synapses compared.
    pub(super) synapses: u64,
    /// Bounds over its neurons.
    pub(super) bounds: Option<Bounds>,
    /// Whether it holds graded relays of the source.
    pub(super) graded: bool,
}

/// Registers of a segment, which repeat.
#[derive(Clone, Copy)]
struct Cycle<'r> {
    all: &'r [Registers],
    /// Compartments of the run before the segment.
    skip: u32,
}

impl<'r> Cycle<'r> {
    /// Registers of the compartment `offset` of the segment.
    fn at(self, offset: u32) -> &'r Registers {
        // Phase 2 refuses runs without registers.
        &self.all[(self.skip as usize + offset as usize) % self.all.len()]
    }
}

/// Compares compartments with neurons.
struct Checker<'a> {
    source: &'a QuantizedDraft,
    tables: &'a Tables<'a>,
    target: &'a TargetSpec,
    merge: Merge,
    /// Projections into each population of the source.
    into: Vec<Vec<ProjId>>,
    /// Symbol of each population of the source.
    symbol_of: Vec<usize>,
    /// What the host may write.
    host: Host,
    /// What each population of the source may send.
    sends: Vec<Sends>,
    sums: RowSums,
    linear: Linear,
    /// Whether a pooled matrix with an exponent equals a matrix of the source.
    equal: HashMap<(u32, i8, MatId), bool>,
    /// First mantissa of a pooled array that a format does not store.
    stored: HashMap<(u32, Format), Option<i16>>,
    records: Vec<Record>,
    findings: Findings,
}

/// Compares all compartments with their neurons; returns one record per symbol.
///
/// # Errors
/// The differences.
pub(super) fn compare(
    source: &QuantizedDraft,
    tables: &Tables<'_>,
    target: &TargetSpec,
    merge: Merge,
) -> Result<Vec<Record>, Diagnostics> {
    let mut into = vec![vec![]; source.populations.len()];
    for (id, projection) in source.projections.iter() {
        into[projection.target.index()].push(id);
    }
    let mut symbol_of = vec![0; source.populations.len()];
    for (symbol, meaning) in tables.meanings.iter().enumerate() {
        if let Meaning::Input(id) | Meaning::Neurons(id) = meaning {
            symbol_of[id.index()] = symbol;
        }
    }
    let (host, mut sums) = (Host::of(source), RowSums::default());
    let sends = sends::sends(source, &host, &mut sums).map_err(|id| {
        Diagnostic::error(code::OVERFLOW, "messages in a loop of graded relays have no bounds")
            .at(population(&source.populations[id].name))
            .help("let the loop pass through neurons")
    })?;
    let mut checker = Checker {
        source,
        tables,
        target,
        merge,
        into,
        symbol_of,
        host,
        sends,
        sums,
        linear: Linear::default(),
        equal: HashMap::new(),
        stored: HashMap::new(),
        records: vec![Record::default(); tables.meanings.len()],
        findings: Findings::default(),
    };
    for (core, table) in tables.cores.iter().enumerate() {
        for block in &table.core.synapses {
            checker.storage(core, block);
        }
        checker.core(core);
    }
    checker.findings.end_phase()?;
    Ok(checker.records)
}

impl Checker<'_> {
    /// Checks that a block's weights and delay fit its synapse format.
    fn storage(&mut self, core: usize, block: &SynapseBlock) {
        let table = &self.tables.cores[core];
        let format = table.core.formats[block.format as usize];
        let pooled = &self.tables.program.matrices[block.matrix as usize];
        let values = &self.tables.program.values[pooled.values as usize];
        let lost = *(self.stored.entry((pooled.values, format)))
            .or_insert_with(|| not_stored(values, format));
        let target = self.target;
        let exponents = target.min_weight_exponent.value..=target.max_weight_exponent.value;
        let mut wrong = Vec::new();
        if let Some(mantissa) = lost {
            wrong.push((format!("a synapse format does not store mantissa {mantissa}"), None));
        }
        if !exponents.contains(&i64::from(format.exponent)) {
            let low = i64::from(format.exponent) < target.min_weight_exponent.value;
            let limit = if low {
                ("min_weight_exponent", &target.min_weight_exponent)
            } else {
                ("max_weight_exponent", &target.max_weight_exponent)
            };
            wrong.push((format!("the weight exponent is {}", format.exponent), Some(limit)));
        }
        let delay = u32::from(block.delay);
        if delay.checked_shr(u32::from(format.delay_bits)).is_some_and(|rest| rest > 0) {
            wrong.push((format!("{} bits do not store delay {delay}", format.delay_bits), None));
        }
        if i64::from(delay) > target.max_delay.value {
            let limit = ("max_delay", &target.max_delay);
            wrong.push((format!("the synaptic delay is {delay}"), Some(limit)));
        }
        let Some((symbol, position)) = table.locate(block.compartment) else { return };
        let symbol = &self.tables.program.populations[symbol];
        let (name, order, compartment) = (&symbol.name, order(symbol), block.compartment);
        let site = Site { name, order, position, core, compartment };
        for (message, limit) in wrong {
            let mut finding = site
                .mark(Diagnostic::error(code::REGISTER, message))
                .note(format!("format {}: {format:?}", block.format));
            if let Some((name, limit)) = limit {
                finding = finding.note(format!("{}: {name} = {limit}", target.file));
            }
            self.findings.push(finding);
        }
    }

    fn core(&mut self, index: usize) {
        let tables = self.tables;
        let mut decoded = Vec::with_capacity(tables.cores[index].runs.len());
        for &(start, run) in &tables.cores[index].runs {
            let symbol = run.population as usize;
            let record = &mut self.records[symbol];
            if record.last_core.replace(index) != Some(index) {
                record.cores += 1;
            }
            let of = &tables.program.populations[symbol];
            let (name, order) = (&of.name, order(of));
            let site = Site { name, order, position: run.first, core: index, compartment: start };
            let core = tables.cores[index].core;
            let cycle: Vec<Registers> = (0..run.len)
                .zip(&run.cycle)
                .map(|(i, registers)| {
                    let site = site.plus(i);
                    registers::decode(core, registers, &site, self.target, &mut self.findings)
                })
                .collect();
            if let Meaning::Neurons(id) = tables.meanings[symbol] {
                let mode = self.mode(symbol);
                self.records[symbol].graded = mode.is_some();
                let same = (0..run.len).zip(&cycle).all(|(i, registers)| {
                    registers::compare_kind(registers, mode, &site.plus(i), &mut self.findings)
                });
                if let (true, PopKind::Neurons(neuron)) = (same, &self.source.populations[id].kind)
                {
                    let shape = &self.source.populations[id].shape;
                    let timing = self.timing(symbol);
                    let run = (&site, run.len);
                    registers::compare(&cycle, neuron, shape, timing, run, &mut self.findings);
                }
            }
            decoded.push((symbol, cycle));
        }
        segments(tables, index, |segment| {
            let (symbol, all) = &decoded[segment.run];
            let cycle = Cycle { all, skip: segment.skip };
            self.segment(*symbol, cycle, segment);
        });
    }

    fn timing(&self, symbol: usize) -> Timing {
        let program = self.tables.program;
        Timing { period: program.period, latency: program.populations[symbol].latency }
    }

    /// The population of the source whose spikes or messages a symbol sends, sooner or later.
    fn root(&self, symbol: usize) -> Option<PopId> {
        match self.tables.meanings[symbol] {
            Meaning::Input(id) | Meaning::Neurons(id) => Some(id),
            // Phase 1 refuses relays of relays and clocks.
            Meaning::Relay { of, .. } => match self.tables.meanings[of] {
                Meaning::Input(id) | Meaning::Neurons(id) => Some(id),
                Meaning::Relay { .. } | Meaning::Clock => None,
            },
            Meaning::Clock => None,
        }
    }

    /// The messages that a symbol is to send; `None` if it is to spike.
    fn mode(&self, symbol: usize) -> Option<GradedMode> {
        let id = self.root(symbol)?;
        self.source.populations[id].graded().map(registers::mode_of)
    }

    /// What the source of a synapse may send in one step, `closely` bounded or by intervals.
    fn sent(&mut self, synapse: &Synapse, closely: bool) -> Span {
        let Some(id) = self.root(synapse.source) else { return Span::SPIKE };
        let neuron = synapse.neuron as usize;
        let Self { source, host, sends, linear, .. } = self;
        let loose = sends[id.index()].at(neuron);
        if !closely {
            return loose;
        }
        let tight = linear.sent(Facts { source, host, sends }, id).at(neuron);
        Span { low: loose.low.max(tight.low), high: loose.high.min(tight.high) }
    }

    fn segment(&mut self, symbol: usize, cycle: Cycle<'_>, segment: Segment<'_>) {
        match self.tables.meanings[symbol] {
            Meaning::Neurons(id) => self.neurons(symbol, id, cycle, segment),
            Meaning::Relay { .. } | Meaning::Clock => self.line(symbol, cycle, &segment),
            // Phase 2 refuses inputs in compartments.
            Meaning::Input(_) => {}
        }
    }

    /// Relays and clocks.
    fn line(&mut self, symbol: usize, cycle: Cycle<'_>, segment: &Segment<'_>) {
        let (tables, target) = (self.tables, self.target);
        let (mut first, mut overflow) = (First::default(), First::default());
        let mut synapses = Vec::new();
        for offset in 0..segment.len {
            let (site, registers) = (segment.site.plus(offset), cycle.at(offset));
            synapses.clear();
            for link in &segment.links {
                link.expand(tables.program, offset, &mut synapses);
            }
            if let Meaning::Relay { of, hops } = tables.meanings[symbol] {
                let of = (of, hops, self.mode(symbol));
                lines::relay(tables, registers, of, &site, &synapses, &mut first);
            } else {
                lines::clock(tables, registers, symbol, &site, &synapses, &mut first);
            }
            let mut reached = |closely: bool| {
                let mut sum = RowSum::default();
                for synapse in &synapses {
                    sum.add(synapse.weight, self.sent(synapse, closely));
                }
                (sum.count, reached(registers, sum, Span::default(), tables.program.run_steps))
            };
            let (count, mut reach) = reached(false);
            if reach.within(&site, target).is_err() {
                (_, reach) = reached(true);
            }
            self.records[symbol].synapses += count;
            self.bounds(symbol, &reach, &site, &mut overflow);
        }
        first.report(&mut self.findings);
        overflow.report(&mut self.findings);
    }

    /// Neurons and graded relays of the source.
    fn neurons(&mut self, symbol: usize, id: PopId, cycle: Cycle<'_>, segment: Segment<'_>) {
        let tables = self.tables;
        let (clocks, mut links): (Vec<Link>, Vec<Link>) =
            (segment.links.into_iter()).partition(|l| tables.meanings[l.symbol] == Meaning::Clock);
        for link in &mut links {
            if let Meaning::Relay { of, hops } = tables.meanings[link.symbol] {
                link.symbol = of;
                link.delay += i64::from(hops);
            }
        }
        let into = std::mem::take(&mut self.into[id.index()]);
        let open: Vec<ProjId> = (into.iter().copied())
            .filter(|&p| !self.take_whole(p, symbol, (&segment.site, segment.len), &mut links))
            .collect();
        let timing = self.timing(symbol);
        let hosted = self.host.writes(id);
        let [mut synapses, mut biases, mut overflow, mut restless] =
            std::array::from_fn(|_| First::default());
        let mut carried = Vec::new();
        for offset in 0..segment.len {
            let (site, registers) = (segment.site.plus(offset), cycle.at(offset));
            // A relay without input and audible static bias sends nothing, whatever it sent before.
            let idle = timing.period > 1
                && registers.profile.update == (1, 0)
                && registers.profile.graded.is_none();
            if !open.is_empty() || !links.is_empty() {
                synapses.add(self.rows(symbol, &site, &open, &links, offset));
            }
            carried.clear();
            for link in &clocks {
                link.expand(tables.program, offset, &mut carried);
            }
            let neuron = site.neuron() as usize;
            biases.add(self.bias(&site, timing, registers, &carried, self.source_bias(id, neuron)));
            let written = self.host.at(id, neuron);
            if hosted {
                biases.add(host::misfit(registers, written, &site, self.target));
            }
            let Self { source, host, sends, sums, linear, .. } = self;
            let arriving = sends::arriving(source, sends, sums, &into, neuron);
            let reach = |arriving: RowSum| {
                let mut sum = arriving;
                for synapse in &carried {
                    sum.add(synapse.weight, Span::SPIKE);
                }
                reached(registers, sum, written, u64::from(tables.program.steps))
            };
            let mut reached = reach(arriving);
            // Forms of linear relays take longer, and are seldom needed.
            if linear.knows(id) || reached.within(&site, self.target).is_err() {
                let facts = Facts { source, host, sends };
                reached = reach(arriving.within(linear.arriving(facts, id, neuron)));
            }
            let reach = reached;
            let clocks = carried.iter().filter(|synapse| synapse.weight != 0).count();
            self.records[symbol].synapses += arriving.count + clocks as u64;
            let rests = self.bounds(symbol, &reach, &site, &mut overflow);
            if idle && !rests {
                let message =
                    "a neuron can stay above its threshold and fire between its logical steps";
                restless.add([site.mark(Diagnostic::error(code::IDLE, message))]);
            }
        }
        self.into[id.index()] = into;
        for differences in [synapses, biases, restless, overflow] {
            differences.report(&mut self.findings);
        }
    }

    /// Bias of a neuron or graded relay of the source. **Units**: membrane.
    fn source_bias(&self, id: PopId, neuron: usize) -> i64 {
        let population = &self.source.populations[id];
        match &population.kind {
            PopKind::Input(_) => 0,
            PopKind::Neurons(n) => i64::from(n.bias.at(neuron, &population.shape)),
            PopKind::Graded(relay) => 64 * i64::from(relay.bias.at(neuron, &population.shape)),
        }
    }

    /// Records the bounds of a neuron; returns whether it rests without input.
    fn bounds(&mut self, symbol: usize, reach: &Reach, site: &Site<'_>, out: &mut First) -> bool {
        match reach.within(site, self.target) {
            Ok(bounds) => {
                let all = &mut self.records[symbol].bounds;
                *all = Some(all.map_or(bounds, |b| b.hull(bounds)));
            }
            Err(findings) => out.add(findings),
        }
        reach.rests()
    }

    /// Hardware steps from a spike of the projection's source to its arrival at `symbol`.
    fn delay(&self, projection: ProjId, symbol: usize) -> i64 {
        let program = self.tables.program;
        let latency = |symbol: usize| i64::from(program.populations[symbol].latency);
        let p = &self.source.projections[projection];
        i64::from(program.period) * i64::from(p.delay) + latency(symbol)
            - latency(self.symbol_of[p.source.index()])
    }

    /// Removes the links that together are the projection into the neurons of a segment, row for row and
    /// column for column, if there are such links. Nothing is expanded.
    fn take_whole(
        &mut self,
        projection: ProjId,
        symbol: usize,
        (site, len): (&Site<'_>, u32),
        links: &mut Vec<Link>,
    ) -> bool {
        let delay = self.delay(projection, symbol);
        let program = self.tables.program;
        let p = &self.source.projections[projection];
        let source = self.symbol_of[p.source.index()];
        let matrix = &self.source.matrices[p.matrix];
        let mut whole: Vec<usize> = Vec::new();
        for (i, l) in links.iter().enumerate() {
            let pooled = l.pooled(program);
            let placed = || {
                cover::same(pooled.row_order(), site.order)
                    && cover::same(pooled.col_order(), l.order)
            };
            if (l.symbol, l.delay, l.row, l.col) == (source, delay, site.position, l.first)
                && placed()
                && *(self.equal.entry((l.matrix, l.format.exponent, p.matrix))).or_insert_with(
                    || {
                        let values = &program.values[pooled.values as usize];
                        equals(pooled, values, l.format.exponent, matrix)
                    },
                )
            {
                whole.push(i);
            }
        }
        whole.sort_by_key(|&i| (links[i].first, links[i].len));
        // Links that overlap others are left, and found to be too many.
        let mut next = 0;
        whole.retain(|&i| {
            let apart = links[i].first >= next;
            next = if apart { links[i].first + links[i].len } else { next };
            apart
        });
        // Relays repeat their head neuron by neuron, perhaps in another order.
        let orders: Option<Order> = whole.first().map(|&i| links[i].order);
        let Some(order) = orders.filter(|&o| whole.iter().all(|&i| cover::same(links[i].order, o)))
        else {
            return false;
        };
        let columns = Columns::new(whole.iter().map(|&i| (links[i].first, links[i].len)), order);
        let rows = Rows { order: site.order, first: site.position, len };
        if !cover::holds(&matrix.structure, rows, &columns) {
            return false;
        }
        whole.sort_unstable();
        for &i in whole.iter().rev() {
            links.remove(i);
        }
        true
    }

    /// Compares, synapse by synapse, the projections and links that are not the same rectangles.
    fn rows(
        &self,
        symbol: usize,
        site: &Site<'_>,
        open: &[ProjId],
        links: &[Link],
        offset: u32,
    ) -> Option<Diagnostic> {
        let program = self.tables.program;
        let mut expected = Vec::new();
        for &id in open {
            let p = &self.source.projections[id];
            let (source, delay) = (self.symbol_of[p.source.index()], self.delay(id, symbol));
            self.source.matrices[p.matrix].for_row(site.neuron() as usize, |column, weight| {
                #[expect(clippy::cast_possible_truncation, reason = "columns are counted in u32")]
                let neuron = column as u32;
                let weight = i64::from(weight);
                expected.push(Synapse { source, neuron, delay, weight });
            });
        }
        let mut found = Vec::new();
        for link in links {
            link.expand(program, offset, &mut found);
        }
        for side in [&mut expected, &mut found] {
            side.sort_unstable();
            if self.merge == Merge::Sums {
                add_up(side);
            }
        }
        if expected == found {
            return None;
        }
        let (missing, extra) = (surplus(&expected, &found), surplus(&found, &expected));
        let key = |s: &Synapse| (s.source, s.neuron);
        let lost = missing.first().copied();
        // The artifact's side of the same difference: same source, best with the same delay.
        let instead = match lost {
            None => extra.first().copied(),
            Some(lost) => (extra.iter().copied())
                .filter(|e| key(e) == key(lost))
                .min_by_key(|e| (e.delay != lost.delay, e.weight != lost.weight)),
        };
        let source = lost.or(instead).map(|s| source_in_words(program, s)).unwrap_or_default();
        let message = format!("the synapse from {source} differs");
        let count = missing.len().max(extra.len());
        let mut difference = site.mark(Diagnostic::error(code::SYNAPSES, message)).note(format!(
            "source: {}; artifact: {}",
            in_words(lost),
            in_words(instead)
        ));
        if count > 1 {
            difference = difference.note(format!("{count} synapses of this neuron differ"));
        }
        Some(difference)
    }

    /// Checks that the bias acts once per logical step, from the first one on.
    fn bias(
        &self,
        site: &Site<'_>,
        timing: Timing,
        registers: &Registers,
        carried: &[Synapse],
        bias: i64,
    ) -> Option<Diagnostic> {
        let program = self.tables.program;
        let wrong = |message: String| Some(site.mark(Diagnostic::error(code::BIAS, message)));
        for synapse in carried {
            let first = i64::from(program.populations[synapse.source].latency) + synapse.delay;
            if first != i64::from(timing.latency) {
                let clock = source_in_words(program, synapse);
                let latency = timing.latency;
                return wrong(format!(
                    "bias spikes of {clock} first arrive in step {first}, the latency is {latency}"
                ));
            }
        }
        let update = registers.profile.update;
        if registers.bias != 0 && !timing.starts_on_time(update) && !registers.silent_bias() {
            return wrong(format!(
                "the static bias {} does not act exactly once per logical step",
                registers.bias
            ));
        }
        if !carried.is_empty() && registers.profile.du != 4095 {
            return wrong(
                "a current with memory smears the bias that clock spikes carry".to_owned(),
            );
        }
        let spikes: i64 = carried.iter().map(|s| 64 * s.weight).sum();
        if registers.bias + spikes == bias {
            return None;
        }
        Some(site.mark(Diagnostic::error(code::BIAS, "the bias differs")).note(format!(
            "source: {bias}; artifact: {} static, {spikes} by clock spikes",
            registers.bias
        )))
    }
}

/// Bounds of a compartment with these registers, input sums and biases from the host.
fn reached(registers: &Registers, sum: RowSum, written: Span, updates: u64) -> Reach {
    let profile = &registers.profile;
    let with = |units: i64| registers.bias.saturating_add(units.saturating_mul(64));
    let bias = (with(written.low), with(written.high));
    if let Some(mode) = profile.graded {
        return relay_reach(sum, bias, mode);
    }
    reach(&bounds::Facts {
        sum,
        bias,
        // Registers beyond 4095 are findings; the formulas hold up to there.
        du: profile.du.min(4095),
        dv: profile.dv.min(4095),
        threshold: registers.threshold,
        subtract: profile.subtract.map(i64::from),
        floor: profile.floor.map(i64::from),
        updates,
    })
}
