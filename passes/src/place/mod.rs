//! `place`: give each core a cell of the board, near the cores that it sends to (class: exact).
//!
//! Spikes travel over a mesh of routers, one message for each core that a neuron reaches, and cost
//! energy and time on every link. Where cores lie changes nothing else, so this pass only renumbers `chip` and
//! `cell`: it anneals the energy of all messages, in the target's published costs or, where none are public, in
//! hops, links between chips counting `chip_hops`. Rates are those of a profile, or assumed ([`Rates`]).
//!
//! Complexity: O(slices and axon runs of cores · log), and a fixed number of moves per core.

mod flows;
mod mesh;

use crate::framework::{Class, Context, OptionInfo, OptionKind, Pass, PassInfo};
use crate::rates::Rates;
use snnc_ir::mapped::{MappedDraft, MappedNetwork};
use snnc_ir::{Diagnostics, TargetSpec};
use snnc_mapping::partition::Effort;
use snnc_mapping::place::{self, Placement, Report};

pub use flows::traffic;
pub use mesh::{Board, Unit};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place;

impl Pass for Place {
    type From = MappedNetwork;
    type To = MappedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "place",
            summary: "lay cores out on the mesh so that messages are short",
            class: Class::Exact,
            requires: &[],
            establishes: &[],
            invalidates: &[],
            options: &[
                OptionInfo {
                    name: "effort",
                    kind: OptionKind::Choice(&["fast", "balanced", "best"]),
                    default: "balanced",
                    help: "how long to look for a better place",
                },
                OptionInfo {
                    name: "seed",
                    kind: OptionKind::Int(0, i64::MAX),
                    default: "0",
                    help: "seed of the search",
                },
            ],
        }
    }

    fn run(
        &self,
        mut draft: MappedDraft,
        cx: &mut Context<'_>,
    ) -> Result<MappedDraft, Diagnostics> {
        let effort = match cx.options.choice("effort") {
            "fast" => Effort::Fast,
            "best" => Effort::Best,
            _ => Effort::Balanced,
        };
        let seed = cx.options.int("seed").unsigned_abs();
        let board = Board::of(cx.target);
        let traffic = traffic(&draft, cx.rates);
        // A board that cannot take all cores is the verifier's to report.
        let Ok(found) = place::place(&traffic, &board.mesh, effort, seed) else {
            return Ok(draft);
        };
        // Boards with fewer chips than places, or chips with fewer cores, keep the order they have.
        let places: Vec<[u32; 2]> = found.cells.iter().map(|&cell| board.place(cell)).collect();
        if places.iter().all(|place| board.exists(*place)) {
            for (core, [chip, cell]) in draft.cores.values_mut().zip(places) {
                (core.chip, core.cell) = (chip, cell);
            }
        }
        Ok(draft)
    }
}

/// What the messages of a mapped network come to on the board of `target`.
pub fn account(draft: &MappedDraft, target: &TargetSpec, rates: &Rates) -> Report {
    let board = Board::of(target);
    place::report(&traffic(draft, rates), &board.mesh, &placement(draft, &board))
}

/// Where the cores of a mapped network lie on the mesh of `board`.
pub fn placement(draft: &MappedDraft, board: &Board) -> Placement {
    let cells = draft.cores.values().map(|core| board.cell([core.chip, core.cell]));
    Placement { cells: cells.collect() }
}
