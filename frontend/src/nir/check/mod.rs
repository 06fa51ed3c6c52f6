//! Everything that must hold of a graph, and the shapes that follow.

mod edges;
mod loops;
mod shapes;
mod values;

pub use loops::{Cycle, Flat, FlatNode};
pub use shapes::{NodeShapes, Shapes};
pub(super) use values::{range, visit};

use super::graph::{NirFile, NirGraph, Primitive};
use super::tree::join;
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// What the checks found out.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Shapes of all nodes, by path, as far as they could be inferred.
    pub shapes: Shapes,
    /// The graph without nesting, and its loops.
    pub flat: Flat,
    /// Errors and warnings.
    pub found: Diagnostics,
}

/// Checks structure, parameters, shapes and loops of a graph and all graphs in it.
pub fn check(file: &NirFile) -> Checked {
    let mut checked = Checked::default();
    let Primitive::Graph(graph) = &file.root.primitive else {
        values::check(&file.root.primitive, "/node", &mut checked.found);
        let name = file.root.primitive.type_name();
        checked.found.push(
            Diagnostic::error(codes::PORTS, format!("the file holds one {name}, and no graph"))
                .at("/node")
                .help("put it between an `Input` and an `Output`: `nir.NIRGraph.from_list`"),
        );
        return checked;
    };
    self::graph(graph, "/node", true, &mut checked);
    checked.flat = loops::flatten(graph);
    loops::check(&checked.flat, &mut checked.found);
    checked
}

fn graph(graph: &NirGraph, path: &str, root: bool, checked: &mut Checked) {
    edges::check(graph, path, root, &mut checked.found);
    for (name, node) in &graph.nodes {
        let at = join(&join(path, "nodes"), name);
        values::check(&node.primitive, &at, &mut checked.found);
        if let Primitive::Graph(inner) = &node.primitive {
            self::graph(inner, &at, false, checked);
        }
    }
    shapes::infer(graph, path, checked);
}
