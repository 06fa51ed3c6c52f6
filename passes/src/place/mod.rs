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
mod work;

use crate::effort;
use crate::framework::{Class, Context, Pass, PassInfo};
use crate::rates::Rates;
use snnc_ir::diag::codes::mapping;
use snnc_ir::mapped::{MappedDraft, MappedNetwork};
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};
use snnc_mapping::place::{self, Placement, Report};

pub use flows::traffic;
pub(crate) use flows::traffic_between;
pub use mesh::{Board, Unit};
pub use work::{Absent, Estimate, work};

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
            options: effort::OPTIONS,
        }
    }

    fn run(
        &self,
        mut draft: MappedDraft,
        cx: &mut Context<'_>,
    ) -> Result<MappedDraft, Diagnostics> {
        let (effort, seed) = effort::read(cx.options);
        let board = Board::of(cx.target);
        let traffic = traffic(&draft, cx.rates);
        let found = place::place(&traffic, &board.mesh, effort, seed).map_err(|e| e.to_string());
        match found.and_then(|found| places(&board, &found)) {
            Ok(places) => {
                for (core, [chip, cell]) in draft.cores.values_mut().zip(places) {
                    (core.chip, core.cell) = (chip, cell);
                }
            }
            // A board that cannot take all cores in their order is the verifier's to refuse.
            Err(why) => cx.remarks.push(kept(&why, cx.target)),
        }
        Ok(draft)
    }
}

/// Chips and cells of a placement, if the board has them all: it may have fewer chips than its rows and columns have
/// places, and chips fewer cores than their routers.
fn places(board: &Board, found: &Placement) -> Result<Vec<[u32; 2]>, String> {
    let place = |&cell: &u32| {
        let place = board.place(cell);
        let [chip, cell] = place;
        let missing = || format!("the board has no core {cell} of chip {chip}");
        if board.exists(place) { Ok(place) } else { Err(missing()) }
    };
    found.cells.iter().map(place).collect()
}

/// That the cores keep their order.
fn kept(why: &str, target: &TargetSpec) -> Diagnostic {
    let message = format!("the cores lie in the order in which they were made: {why}");
    // Remarks go into artifacts, which name no paths.
    let note =
        |note: Diagnostic, (key, limit): (&str, &Limit)| note.note(format!("{key} = {limit}"));
    [
        ("cores_per_chip", &target.cores_per_chip),
        ("chips", &target.chips),
        ("mesh_width", &target.mesh_width),
        ("mesh_height", &target.mesh_height),
        ("board_width", &target.board_width),
        ("board_height", &target.board_height),
    ]
    .into_iter()
    .fold(Diagnostic::note_only(mapping::KEPT_ORDER, message).in_file(&target.file), note)
    .help("state a mesh and a board of just the routers and chips that there are")
}

/// What the messages of a mapped network come to on the board of `target`, and an estimate of a step, or why there is none.
pub fn account(
    draft: &MappedDraft,
    target: &TargetSpec,
    rates: &Rates,
) -> (Report, Result<Estimate, Absent>) {
    let board = Board::of(target);
    let (traffic, placement) = (traffic(draft, rates), placement(draft, &board));
    let report = place::report(&traffic, &board.mesh, &placement);
    let busiest = report.busiest_link.map_or(0.0, |link| link.messages);
    let sent = || place::messages(&traffic, &board.mesh, &placement);
    let estimate = work::estimate(draft, &target.costs, rates, sent, busiest);
    (report, estimate)
}

/// Where the cores of a mapped network lie on the mesh of `board`.
pub fn placement(draft: &MappedDraft, board: &Board) -> Placement {
    let cells = draft.cores.values().map(|core| board.cell([core.chip, core.cell]));
    Placement { cells: cells.collect() }
}
