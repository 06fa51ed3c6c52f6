//! First fit of populations on cores, repeated where neurons send to too many cores.

use super::build::{Open, Reads, narrow};
use super::misfit::{self, Resource};
use super::orders::Layout;
use super::violated;
use snnc_ir::arena::PopId;
use snnc_ir::mapped::usage::{Accounting, output_axons};
use snnc_ir::mapped::{Core, Slice};
use snnc_ir::{Diagnostics, Entity, TargetSpec};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// All neurons on cores.
pub(crate) struct Placed {
    /// The cores.
    pub(crate) cores: Vec<Core>,
    /// What kept each core from taking more, if anything did.
    pub(crate) stops: Vec<Option<Resource>>,
}

/// Neurons to place, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'t> {
    /// Positions of a population.
    pub(crate) piece: Slice,
    /// Limits of the cores that take them: the target's, or lower ones that leave room for later steps.
    pub(crate) within: &'t TargetSpec,
}

/// Puts all neurons on cores, in the order of populations.
///
/// Output axons depend on where the readers land. The first attempt takes them as free and fills every
/// gap. If a core then has too many, populations are charged for what the layout expects of them, and cut
/// into fewer pieces, since each piece is one more core that its sources have to reach. From then on the
/// populations of each core that still has too many are charged for what was seen, and all is placed again.
pub(super) fn place(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    layout: &Layout,
) -> Result<Placed, Diagnostics> {
    let steps = accounting.network().populations.iter();
    let steps = steps.filter(|(_, population)| !population.is_input()).map(|(id, population)| {
        let len = narrow(population.size());
        Step { piece: Slice { population: id, start: 0, len }, within: target }
    });
    let steps: Vec<Step<'_>> = steps.collect();
    let mut mapper = Mapper::new(accounting, target, &steps, usize::MAX);
    mapper.place_all()?;
    if mapper.charge_more()? {
        mapper.expect(layout);
        loop {
            mapper.cores.clear();
            mapper.stops.clear();
            mapper.place_all()?;
            if !mapper.charge_more()? {
                break;
            }
        }
    }
    Ok(mapper.placed())
}

/// Rounds of charges after which a sequence is given up.
const ROUNDS: usize = 4;

/// The same in the order of `steps`, charged from the start for what the layout expects; `None` if that takes more than
/// `most` cores.
pub(crate) fn place_steps(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    layout: &Layout,
    steps: &[Step<'_>],
    most: usize,
) -> Result<Option<Placed>, Diagnostics> {
    let mut mapper = Mapper::new(accounting, target, steps, most);
    mapper.expect(layout);
    for _ in 0..ROUNDS {
        mapper.cores.clear();
        mapper.stops.clear();
        if !mapper.place_all()? {
            return Ok(None);
        }
        if !mapper.charge_more()? {
            return Ok(Some(mapper.placed()));
        }
    }
    Ok(None)
}

/// Units of [`Mapper::charge`] to an output axon.
const UNITS: u64 = 1000;

/// Charge for an expected output axon: a little more than one, since slices do not end with rows.
const EXPECTED: f64 = 1050.0;

struct Mapper<'a> {
    accounting: &'a Accounting<'a>,
    target: &'a TargetSpec,
    steps: &'a [Step<'a>],
    /// Cores there are.
    most: usize,
    /// Output axons that a neuron of each population is taken to need, in units of 1/[`UNITS`].
    charge: Vec<u64>,
    /// Fewest neurons of each population to put on a core that holds others, if there are as many left.
    least: Vec<u32>,
    cores: Vec<Open>,
    /// What kept each core from taking more when it was last tried.
    stops: Vec<Option<Resource>>,
    reads: RefCell<Reads>,
}

impl<'a> Mapper<'a> {
    fn new(
        accounting: &'a Accounting<'a>,
        target: &'a TargetSpec,
        steps: &'a [Step<'a>],
        most: usize,
    ) -> Self {
        let populations = accounting.network().populations.len();
        Self {
            accounting,
            target,
            steps,
            most,
            charge: vec![0; populations],
            least: vec![1; populations],
            cores: Vec::new(),
            stops: Vec::new(),
            reads: RefCell::default(),
        }
    }

    fn placed(self) -> Placed {
        let cores = self.cores.into_iter().map(|open| open.core).collect();
        Placed { cores, stops: self.stops }
    }

    /// Places everything; whether there were enough cores.
    fn place_all(&mut self) -> Result<bool, Diagnostics> {
        let mut errors = Diagnostics::new();
        for step in self.steps {
            match self.place(*step) {
                Ok(true) => {}
                Ok(false) => return errors.into_result(false),
                Err(found) => errors.extend(found),
            }
        }
        errors.into_result(true)
    }

    /// Places the neurons of one step; whether there were enough cores.
    fn place(&mut self, Step { piece, within }: Step<'_>) -> Result<bool, Diagnostics> {
        let Slice { population, mut start, len } = piece;
        let end = start + len;
        let mut first_open = 0;
        while start < end {
            let rest = Slice { population, start, len: end - start };
            let mut found = None;
            for index in first_open..self.cores.len() {
                let (grown, stop) = self.extend(&self.cores[index], rest, within);
                self.stops[index] = stop.or(self.stops[index]);
                if let Some(grown) = grown {
                    found = Some((index, grown));
                    break;
                }
            }
            let (index, (core, len)) = match found {
                Some(found) => found,
                None if self.cores.len() >= self.most => return Ok(false),
                None => {
                    let mut fresh = self.extend(&self.empty_core(), rest, within);
                    // A neuron may need more than what leaves room for others.
                    if fresh.0.is_none() {
                        fresh = self.extend(&self.empty_core(), rest, self.target);
                    }
                    let (Some(grown), stop) = fresh else {
                        return Err(self.too_large(population, start));
                    };
                    self.cores.push(self.empty_core());
                    self.stops.push(stop);
                    (self.cores.len() - 1, grown)
                }
            };
            self.cores[index] = core;
            start += len;
            // This core took all it could, and those before it took none.
            first_open = index + 1;
        }
        Ok(true)
    }

    fn empty_core(&self) -> Open {
        let per_chip = u32::try_from(self.target.cores_per_chip.value).unwrap_or(u32::MAX).max(1);
        let next = narrow(self.cores.len());
        Open::on(next / per_chip, next % per_chip)
    }

    /// Neurons of `rest` for which the core has compartments and, by their charge, output axons; and which of
    /// them keeps more away.
    fn room(&self, core: &Core, rest: Slice, within: &TargetSpec) -> (u32, Option<Resource>) {
        let compartments = u32::try_from(within.compartments.value).unwrap_or(u32::MAX);
        let held = u32::try_from(core.compartments()).unwrap_or(u32::MAX);
        let left = compartments.saturating_sub(held);
        let room = left.min(rest.len);
        let stop = (left < rest.len).then_some(Resource::Compartments);
        let charge = self.charge[rest.population.index()];
        if charge == 0 {
            return (room, stop);
        }
        let of_slice = |s: &Slice| self.charge[s.population.index()] * u64::from(s.len);
        let charged: u64 = core.slices.iter().map(of_slice).sum();
        let outputs = u64::try_from(within.output_axons.value).unwrap_or(0);
        let affordable = outputs.saturating_mul(UNITS).saturating_sub(charged) / charge;
        // A neuron that asks for more than a core has may still be alone on one.
        let affordable = affordable.max(u64::from(core.slices.is_empty()));
        match u32::try_from(affordable) {
            Ok(affordable) if affordable < room => (affordable, Some(Resource::OutputAxons)),
            _ => (room, stop),
        }
    }

    /// The core with as many neurons of `rest` added as fit, and their number, if any fit; and what keeps the
    /// next one away, if there is one.
    fn extend(
        &self,
        core: &Open,
        rest: Slice,
        target: &TargetSpec,
    ) -> (Option<(Open, u32)>, Option<Resource>) {
        let (room, stop) = self.room(&core.core, rest, target);
        let least =
            if core.core.slices.is_empty() { 1 } else { self.least[rest.population.index()] };
        let least = least.min(rest.len);
        let accounting = self.accounting;
        let grown = |len: u32| {
            let core = core.with(Slice { len, ..rest }, accounting, &mut self.reads.borrow_mut());
            match violated(&accounting.core_usage(&core.core, target), target) {
                None => Ok(core),
                Some(violation) => Err(violation.resource),
            }
        };
        if room < least {
            return (None, stop);
        }
        let mut stop = match grown(room) {
            Ok(all) => return (Some((all, room)), stop),
            Err(resource) => resource,
        };
        // Usage grows with the slice, so bisect: `low` neurons fit, `high` do not.
        let (mut low, mut high) = (least, room);
        let mut best = match grown(least) {
            Ok(core) if room > least => core,
            Ok(_) => return (None, Some(stop)),
            Err(resource) => return (None, Some(resource)),
        };
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match grown(middle) {
                Ok(core) => (low, best) = (middle, core),
                Err(resource) => (high, stop) = (middle, resource),
            }
        }
        (Some((best, low)), Some(stop))
    }

    /// Charges populations for what the layout expects, and cuts none into pieces of less than half a core.
    fn expect(&mut self, layout: &Layout) {
        for (charge, fan_out) in self.charge.iter_mut().zip(&layout.fan_out) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
            let expected = (fan_out * EXPECTED).clamp(0.0, 1e12) as u64;
            *charge = expected.max(*charge);
        }
        self.least = layout.fill.iter().map(|fill| (fill / 2).max(1)).collect();
    }

    /// Charges the populations of cores that need too many output axons; whether there were any.
    fn charge_more(&mut self) -> Result<bool, Diagnostics> {
        let cores: Vec<Core> = self.cores.iter().map(|open| open.core.clone()).collect();
        let limit = u64::try_from(self.target.output_axons.value).unwrap_or(0);
        let needed = output_axons(self.accounting, &cores, self.target);
        let mut changed = false;
        let mut errors = Diagnostics::new();
        let mut reported = BTreeSet::new();
        for (core, needed) in cores.iter().zip(needed) {
            if needed.iter().sum::<u64>() <= limit {
                continue;
            }
            changed = true;
            for (slice, needed) in core.slices.iter().zip(needed) {
                if slice.len == 1 && needed > limit && reported.insert(slice.population) {
                    errors.push(misfit::fan_out(self.accounting, self.target, slice, needed));
                }
                let charge = &mut self.charge[slice.population.index()];
                let seen = (needed * UNITS).div_ceil(u64::from(slice.len));
                if seen > *charge {
                    *charge = seen.max(*charge + *charge / 8);
                }
            }
        }
        errors.into_result(changed)
    }

    /// Why a neuron does not fit on an empty core.
    fn too_large(&self, population: PopId, position: u32) -> Diagnostics {
        let one = Slice { population, start: position, len: 1 };
        let core = self.empty_core().with(one, self.accounting, &mut self.reads.borrow_mut());
        misfit::neuron(self.accounting, self.target, &core.core, one)
    }
}
