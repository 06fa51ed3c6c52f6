//! Makes cores of units legal: what a core cannot hold goes to others that can.

use super::units::Units;
use crate::map::violated;
use snnc_ir::TargetSpec;
use snnc_ir::arena::PopId;
use snnc_ir::mapped::Core;
use snnc_ir::mapped::usage::{Accounting, output_axons};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Times that units of cores with too many output axons are spread anew.
const ROUNDS: usize = 3;

/// Units of charge to an output axon.
const UNITS: u64 = 1000;

/// Cores that a piece is tried on before it gets a new one.
const TRIED: usize = 8;

/// Units on cores, all of which keep the limits of the target between calls.
pub(super) struct Packing<'a> {
    accounting: &'a Accounting<'a>,
    target: &'a TargetSpec,
    units: &'a Units,
    /// Output axons that each unit is taken to need, in parts of [`UNITS`].
    charge: Vec<u64>,
    cores: Vec<Held>,
    /// Cores there may be.
    most: usize,
    /// Units that may still be counted, summed over all cores that are tried.
    work: Cell<usize>,
}

/// Units of a core, ascending, and the core that they make.
#[derive(Clone, Debug, Default)]
struct Held {
    units: Vec<u32>,
    core: Core,
    /// Words of synapse memory.
    words: u64,
}

impl<'a> Packing<'a> {
    /// Cores that hold these units, legal; `None` if that takes more than `most` cores, or more than `work` for each unit.
    pub(super) fn new(
        accounting: &'a Accounting<'a>,
        target: &'a TargetSpec,
        units: &'a Units,
        held: &[Vec<u32>],
        most: usize,
        work: usize,
    ) -> Option<Self> {
        let charge = vec![0; units.len()];
        let work = Cell::new(units.len().saturating_mul(work));
        let mut packing = Self { accounting, target, units, charge, cores: Vec::new(), most, work };
        packing.cores = held.iter().map(|_| Held::default()).collect();
        let mut shed = Vec::new();
        for (index, units) in held.iter().enumerate() {
            let (kept, rest) = packing.prefix(&[], units);
            packing.cores[index] = kept.unwrap_or_default();
            shed.extend(rest);
        }
        packing.settle(shed)?;
        for _ in 0..ROUNDS {
            if !packing.charge_more() {
                packing.cores.retain(|held| !held.units.is_empty());
                return Some(packing);
            }
            let mut shed = Vec::new();
            for index in 0..packing.cores.len() {
                if packing.charged(&packing.cores[index].units) > packing.outputs() {
                    let units = std::mem::take(&mut packing.cores[index].units);
                    let (kept, rest) = packing.prefix(&[], &units);
                    packing.cores[index] = kept.unwrap_or_default();
                    shed.extend(rest);
                }
            }
            packing.settle(shed)?;
        }
        None
    }

    /// The cores.
    pub(super) fn cores(&self) -> Vec<Core> {
        self.cores.iter().map(|held| held.core.clone()).collect()
    }

    /// Empties cores, those that take least of what there is least of first, as far as others take what they hold. Where that fails, cores that mostly hold the
    /// same population are left alone; at most `tries` times.
    pub(super) fn dissolve(&mut self, tries: usize) {
        let mut failed = BTreeSet::new();
        while failed.len() < tries && self.cores.len() > 1 {
            let loads: Vec<[f64; 2]> =
                (0..self.cores.len()).map(|index| self.load(index)).collect();
            let free = |of: usize| {
                loads.iter().map(|load| (1.0 - load[of]).max(0.0)).sum::<f64>().max(1e-9)
            };
            let free = [free(0), free(1)];
            let share = |index: usize| loads[index][0] / free[0] + loads[index][1] / free[1];
            let open = |index: &usize| !failed.contains(&self.kind(*index));
            let least = (0..self.cores.len())
                .filter(open)
                .min_by(|a, b| share(*a).total_cmp(&share(*b)).then(a.cmp(b)));
            let Some(index) = least else { break };
            match self.emptied(index) {
                Some(cores) => self.cores = cores,
                None => _ = failed.insert(self.kind(index)),
            }
        }
    }

    /// The population with most neurons on a core.
    fn kind(&self, index: usize) -> Option<PopId> {
        let slices = self.cores[index].core.slices.iter();
        slices.max_by_key(|slice| slice.len).map(|slice| slice.population)
    }

    /// Shares of compartments and of synapse memory that a core takes.
    #[expect(clippy::cast_precision_loss, reason = "shares")]
    fn load(&self, index: usize) -> [f64; 2] {
        let Held { words, units, .. } = &self.cores[index];
        let of = |needed: u64, limit: i64| needed as f64 / limit.max(1) as f64;
        [
            of(self.units.neurons(units), self.target.compartments.value),
            of(*words, self.target.synapse_words.value),
        ]
    }

    /// The cores without this one, if others take all of its units and none lacks output axons.
    fn emptied(&self, index: usize) -> Option<Vec<Held>> {
        let free = limit(self.target.compartments.value);
        let mut rest = self.cores[index].units.clone();
        let mut grown: BTreeMap<usize, Held> = BTreeMap::new();
        let others = self.near(&rest).into_iter().chain(0..self.cores.len());
        let mut seen = BTreeSet::from([index]);
        for other in others {
            if rest.is_empty() {
                break;
            }
            if !seen.insert(other) || self.units.neurons(&self.cores[other].units) >= free {
                continue;
            }
            let (taken, left) = self.prefix(&self.cores[other].units, &rest);
            if let Some(taken) = taken {
                grown.insert(other, taken);
            }
            rest = left;
        }
        if !rest.is_empty() {
            return None;
        }
        let mut cores = self.cores.clone();
        for (other, held) in grown {
            cores[other] = held;
        }
        cores.remove(index);
        let all: Vec<Core> = cores.iter().map(|held| held.core.clone()).collect();
        let outputs = output_axons(self.accounting, &all, self.target);
        let kept = outputs.iter().all(|needed| needed.iter().sum::<u64>() <= self.outputs());
        kept.then_some(cores)
    }

    /// Puts units on cores that take them, or on new ones.
    fn settle(&mut self, units: Vec<u32>) -> Option<()> {
        let mut pieces: Vec<Vec<u32>> = Vec::new();
        for unit in units {
            match pieces.last_mut() {
                Some(piece) if piece.last().is_some_and(|last| last + 1 == unit) => {
                    piece.push(unit);
                }
                _ => pieces.push(vec![unit]),
            }
        }
        for mut rest in pieces {
            let mut near = self.near(&rest);
            near.truncate(TRIED);
            for index in near {
                let units = std::mem::take(&mut self.cores[index].units);
                let (taken, left) = self.prefix(&units, &rest);
                match taken {
                    Some(taken) => self.cores[index] = taken,
                    None => self.cores[index].units = units,
                }
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            while !rest.is_empty() {
                let (taken, left) = self.prefix(&[], &rest);
                self.cores.push(taken?);
                rest = left;
            }
            let used = self.cores.iter().filter(|held| !held.units.is_empty()).count();
            if used > self.most || self.work.get() == 0 {
                return None;
            }
        }
        Some(())
    }

    /// Cores with room, those that hold neighbors first, then the emptiest.
    fn near(&self, units: &[u32]) -> Vec<usize> {
        let limit = limit(self.target.compartments.value);
        let [Some(first), Some(last)] = [units.first(), units.last()] else { return Vec::new() };
        let neighbors = [first.wrapping_sub(1), last.wrapping_add(1)];
        let mut cores: Vec<(bool, u64, usize)> = Vec::new();
        for (index, held) in self.cores.iter().enumerate() {
            let neurons = self.units.neurons(&held.units);
            if neurons < limit {
                let next = neighbors.iter().any(|unit| held.units.binary_search(unit).is_ok());
                cores.push((!next, neurons, index));
            }
        }
        cores.sort_unstable();
        cores.into_iter().map(|(.., index)| index).collect()
    }

    /// As many of `more`, from the first on, as a core takes that holds `units`: the core with them, if it takes any, and
    /// the rest.
    fn prefix(&self, units: &[u32], more: &[u32]) -> (Option<Held>, Vec<u32>) {
        let with = |count: usize| {
            let mut all = [units, &more[..count]].concat();
            all.sort_unstable();
            self.fits(all)
        };
        if let Some(all) = with(more.len()) {
            return (Some(all), Vec::new());
        }
        let (mut low, mut high, mut best) = (0, more.len(), None);
        while high - low > 1 {
            let middle = if low == 0 && high == more.len() { 1 } else { low + (high - low) / 2 };
            match with(middle) {
                Some(held) => (low, best) = (middle, Some(held)),
                None => high = middle,
            }
        }
        (best, more[low..].to_vec())
    }

    /// The core that holds these units, if it keeps all limits.
    fn fits(&self, units: Vec<u32>) -> Option<Held> {
        let neurons = self.units.neurons(&units);
        if units.is_empty()
            || neurons > limit(self.target.compartments.value)
            || self.charged(&units) > self.outputs()
        {
            return None;
        }
        let left = self.work.get().checked_sub(units.len());
        self.work.set(left.unwrap_or(0));
        left?;
        let core = self.units.core(self.accounting, &units);
        let usage = self.accounting.core_usage(&core, self.target);
        violated(&usage, self.target).is_none().then_some(Held {
            units,
            core,
            words: usage.synapse_words,
        })
    }

    fn outputs(&self) -> u64 {
        limit(self.target.output_axons.value)
    }

    /// Output axons that these units are taken to need.
    fn charged(&self, units: &[u32]) -> u64 {
        units.iter().map(|unit| self.charge[*unit as usize]).sum::<u64>() / UNITS
    }

    /// Charges the units of cores with too many output axons for what was seen; whether there are any.
    fn charge_more(&mut self) -> bool {
        let cores = self.cores();
        let limit = self.outputs();
        let outputs = output_axons(self.accounting, &cores, self.target);
        if outputs.iter().all(|needed| needed.iter().sum::<u64>() <= limit) {
            return false;
        }
        for (held, needed) in self.cores.iter().zip(outputs) {
            let mut slices = held.core.slices.iter().zip(needed);
            let mut now = slices.next();
            for unit in &held.units {
                let slice = self.units.slice(*unit);
                while let Some((of, _)) = now
                    && (of.population != slice.population || of.end() <= u64::from(slice.start))
                {
                    now = slices.next();
                }
                let Some((of, needed)) = now else { break };
                let seen = needed * UNITS * u64::from(slice.len) / u64::from(of.len.max(1));
                let charge = &mut self.charge[*unit as usize];
                *charge = seen.max(*charge);
            }
        }
        true
    }
}

fn limit(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
