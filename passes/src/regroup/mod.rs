//! `regroup`: cores that hold pieces of several populations, for fewer cores and less traffic (class: exact).
//!
//! `map` fills cores with one population after the other. Here other mappings are looked for, and the best one is taken:
//! on the fewest cores, then with the fewest messages between cores (`score`). What it got is one of them, and comes back
//! unchanged where nothing is clearly better.
//!
//! * `sequence`: first fit again, with what is short of synapse memory ahead and on parts of cores only, so that
//!   populations short of compartments fill the rest.
//! * `families`: neurons in the order of their profiles and thresholds, so that cores store few of each.
//! * `refine`, `partition`: units (`units`: neurons, pixels, runs of positions) as vertices of a hypergraph whose edges are bundles of
//!   axons (`graph`), moved between the cores that they have, or grouped from scratch, by `snnc-mapping`.
//!
//! The hypergraph knows neurons and input axons alone. So the units of each of its cores are held to the accounting of the verifier
//! (`packing`): what a core cannot hold goes to other cores that can, or to new ones, and cores with little on them are
//! dissolved into others. What then has too many cores is dropped.
//!
//! Orders of populations stay as they are. Complexity: that of the partition, whose pins are bounded by `effort` (`grains`), and a
//! fixed number of countings of every core.

mod classes;
mod grains;
mod graph;
mod packing;
mod remark;
mod score;
mod search;
mod sequence;
mod units;

use crate::effort;
use crate::framework::{Class, Context, Pass, PassInfo};
use crate::rates;
use search::Search;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::mapped::{Core, MappedDraft, MappedNetwork};
use snnc_ir::{Diagnostics, TargetSpec};
use snnc_mapping::partition::Effort;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Regroup;

impl Pass for Regroup {
    type From = MappedNetwork;
    type To = MappedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "regroup",
            summary: "hold pieces of several populations on a core where that saves cores or traffic",
            class: Class::Exact,
            requires: &[],
            establishes: &[],
            invalidates: &[],
            options: effort::OPTIONS,
        }
    }

    fn run(
        &self,
        mut draft: MappedDraft,
        cx: &mut Context<'_>,
    ) -> Result<MappedDraft, Diagnostics> {
        let (effort, seed) = effort::read(cx.options);
        let accounting = Accounting::new(&draft.network, &draft.orders);
        let mut search = Search::new(&accounting, cx.target, &draft, cx.rates);
        search.run(effort, seed);
        if let Some((cores, remark)) = search.found() {
            cx.remarks.push(remark);
            draft.cores = numbered(cores, cx.target.cores_per_chip.value).into_iter().collect();
        }
        Ok(draft)
    }
}

/// Fewer cores than `draft` has, which may be more than there are on the target, if such are found.
pub(crate) fn fewest(
    accounting: &Accounting<'_>,
    target: &TargetSpec,
    draft: &MappedDraft,
) -> Option<Vec<Core>> {
    let mut search = Search::new(accounting, target, draft, &rates::NONE);
    search.run(Effort::Balanced, 0);
    let (cores, _) = search.found()?;
    (cores.len() < draft.cores.len()).then(|| numbered(cores, target.cores_per_chip.value))
}

/// The cores on chips, one chip after the other.
fn numbered(mut cores: Vec<Core>, per_chip: i64) -> Vec<Core> {
    let per_chip = u32::try_from(per_chip).unwrap_or(u32::MAX).max(1);
    for (core, next) in cores.iter_mut().zip(0..) {
        (core.chip, core.cell) = (next / per_chip, next % per_chip);
    }
    cores
}
