//! Cores on their mesh as SVG: what is known of a mapping, drawn by `snnc_mapping::picture`.

use crate::artifact::manifest::{CoreEntry, Resources};
use snnc_ir::mapped::{Core, Slice};
use snnc_ir::{MappedNetwork, TargetSpec};
use snnc_mapping::picture::{Picture, Resource, svg};
use snnc_mapping::place::{Mesh, Placement, Traffic};
use snnc_passes::place::{Board, placement, traffic};
use snnc_passes::rates::Rates;

/// Populations that are named of a core; the others are counted.
const NAMED: usize = 4;
/// Characters of a name that are shown.
const CHARACTERS: usize = 60;

/// A mapping and its heading.
pub(crate) struct Drawing<'d> {
    /// Heading.
    pub(crate) title: &'d str,
    /// Facts, a line each.
    pub(crate) facts: &'d [String],
    /// Mesh, what cores send over it, and where they lie.
    pub(crate) board: (&'d Mesh, &'d Traffic, &'d Placement),
    /// What each core holds.
    pub(crate) names: &'d [String],
    /// What cores use; the one of which a core uses most gives it its color.
    pub(crate) resources: &'d [Resource],
}

impl Drawing<'_> {
    /// The picture as a document.
    pub(crate) fn svg(&self) -> String {
        let (mesh, traffic, placement) = self.board;
        let part = |resource: &Resource, core: usize| {
            resource.used.get(core).map_or(0.0, |used| used / resource.limit.max(1.0))
        };
        let fullest = |core| self.resources.iter().map(|r| part(r, core)).fold(0.0, f64::max);
        let loads: Vec<f64> = (0..placement.cells.len()).map(fullest).collect();
        svg(&Picture {
            title: self.title,
            facts: self.facts,
            mesh,
            placement,
            traffic,
            names: self.names,
            load: "the fullest resource of a core, part of its limit",
            loads: &loads,
            resources: self.resources,
        })
    }
}

/// Draws a mapped network whose cores use this.
pub(crate) fn network(
    (title, facts): (&str, &[String]),
    mapped: &MappedNetwork,
    (cores, limits): (&[CoreEntry], &Resources),
    target: &TargetSpec,
    rates: &Rates,
) -> String {
    let board = Board::of(target);
    let names: Vec<String> = mapped.cores.values().map(|core| held(mapped, core)).collect();
    Drawing {
        title,
        facts,
        board: (&board.mesh, &traffic(mapped, rates), &placement(mapped, &board)),
        names: &names,
        resources: &resources(cores, limits),
    }
    .svg()
}

/// The populations of a core with their neurons.
fn held(mapped: &MappedNetwork, core: &Core) -> String {
    let name = |slice: &Slice| {
        let population = &mapped.network.populations[slice.population];
        let mut name: String = population.name.chars().take(CHARACTERS).collect();
        if name.len() < population.name.len() {
            name.push('\u{2026}');
        }
        format!("{name} ({} of {})", slice.len, population.size())
    };
    let mut names: Vec<String> = core.slices.iter().take(NAMED).map(name).collect();
    if let Some(more) = core.slices.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// What the cores use, resource by resource.
fn resources(cores: &[CoreEntry], limits: &Resources) -> Vec<Resource> {
    let of = |index: usize, (name, _, limit): (&'static str, u64, u64)| Resource {
        name: name.to_owned(),
        limit: float(limit),
        used: cores.iter().map(|core| float(core.used.against(limits)[index].1)).collect(),
    };
    limits.against(limits).into_iter().enumerate().map(|(index, entry)| of(index, entry)).collect()
}

/// A count as a number to draw.
#[expect(clippy::cast_precision_loss, reason = "for a picture")]
pub(crate) const fn float(n: u64) -> f64 {
    n as f64
}
