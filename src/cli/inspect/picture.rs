//! An unfolded genome as a picture: stem, cells and readout as blocks.

use crate::describe::shape_text;
use crate::draw::{Block, Edge, EdgeKind, Gene, Node, Picture, Role};
use snnc_frontend::search::{
    Adapter, Cell, CellFeedback, CellGraph, Family, Operation, Semantics, Sign, StateRef, Unfolding,
};

/// Cells of a module of EB-NAS, whose links join last cells.
const MODULE: usize = 5;

/// The picture of what a genome unfolds to; `facts` are shown at its top.
pub(super) fn picture(title: &str, unfolding: &Unfolding, facts: Vec<String>) -> Picture {
    let mut blocks = vec![stem(unfolding)];
    blocks.extend(unfolding.cells.iter().map(|cell| self::cell(unfolding, cell)));
    blocks.push(readout(unfolding));
    for link in &unfolding.links {
        if let Some(adapter) = &link.adapter {
            let from = block_of(Some(MODULE * link.from + MODULE - 1));
            let to = block_of(Some(MODULE * link.to + MODULE - 1));
            if let Some(block) = blocks.get_mut(to) {
                join(block, from, link.delay, adapter);
            }
        }
    }
    let mut facts = facts;
    facts.push(operations(unfolding.family).to_owned());
    if unfolding.cells.iter().filter_map(|c| c.graph.as_ref()).any(|g| !g.feedback.is_empty()) {
        facts.push(feedback_text(unfolding.semantics).to_owned());
    }
    for gene in unfolding.genes.iter().filter(|_| unfolding.family == Family::MseNas) {
        facts.push(format!("gene {} = {}: {}", gene.position, gene.value, gene.meaning));
    }
    Picture { title: title.to_owned(), facts, blocks }
}

/// Index of the block of a cell, or of the stem.
const fn block_of(cell: Option<usize>) -> usize {
    match cell {
        None => 0,
        Some(cell) => cell + 1,
    }
}

const fn operations(family: Family) -> &'static str {
    if family.spiking_edges() {
        "an edge with a size: neurons, convolution, batch norm, clip to its sign"
    } else {
        "an edge with a size: convolution, batch norm, clip to its sign"
    }
}

const fn feedback_text(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::SameStep => {
            "feedback changes an earlier state in the same step, for readers that come later (v1)"
        }
        Semantics::Delay1 => "feedback reads the state of the step before",
        Semantics::None => "feedback is not executed",
    }
}

fn stem(unfolding: &Unfolding) -> Block {
    let [_, height, width] = unfolding.input;
    let channels = 3 * unfolding.init_channels;
    let title = format!(
        "{}: {} \u{2192} {}",
        unfolding.stem.name(),
        shape_text(&unfolding.input),
        shape_text(&[channels, height, width])
    );
    Block { name: "stem".to_owned(), title, ..Block::default() }
}

fn readout(unfolding: &Unfolding) -> Block {
    let last = unfolding.cells.last();
    let block = block_of(last.map(|cell| cell.index));
    let detail = last.map(|cell| shape_text(&cell.output)).unwrap_or_default();
    let input =
        Node { label: "map".to_owned(), detail, role: Role::Input { block, delayed: false } };
    let output = Node {
        label: "classes".to_owned(),
        detail: unfolding.classes.to_string(),
        role: Role::Output,
    };
    Block {
        name: "classifier".to_owned(),
        title: format!("`{}`, global average, linear, mean over the steps", unfolding.neuron),
        genes: Vec::new(),
        nodes: vec![input, output],
        edges: vec![unsigned(0, 1, "linear")],
    }
}

fn unsigned(from: usize, to: usize, label: &str) -> Edge {
    Edge {
        from,
        to,
        kind: EdgeKind::Unsigned,
        feedback: false,
        label: label.to_owned(),
        note: String::new(),
    }
}

fn cell(unfolding: &Unfolding, cell: &Cell) -> Block {
    let mut nodes: Vec<Node> = cell
        .inputs
        .iter()
        .enumerate()
        .map(|(state, input)| Node {
            label: if cell.graph.is_some() { state.to_string() } else { "map".to_owned() },
            detail: input.preprocess.name().to_owned(),
            role: Role::Input { block: block_of(input.cell), delayed: false },
        })
        .collect();
    let mut edges = Vec::new();
    if let Some(graph) = &cell.graph {
        let states = graph.nodes.iter().map(|node| Node {
            label: node.state.to_string(),
            detail: String::new(),
            role: Role::State,
        });
        nodes.extend(states);
        edges = self::edges(graph, nodes.len());
    } else {
        for (node, input) in nodes.iter_mut().zip(&cell.inputs) {
            node.detail = shape_text(&input.shape);
        }
        edges.push(unsigned(0, nodes.len(), "reduce"));
    }
    nodes.push(Node {
        label: "out".to_owned(),
        detail: shape_text(&cell.output),
        role: Role::Output,
    });
    Block {
        name: format!("cells.{}", cell.index),
        title: title(unfolding, cell),
        genes: genes(cell),
        nodes,
        edges,
    }
}

/// What a cell is.
fn title(unfolding: &Unfolding, cell: &Cell) -> String {
    let channels = cell.channels;
    match (&cell.graph, unfolding.family) {
        (None, _) => format!("reduction to {channels} channels"),
        (Some(_), Family::NeuEvo) => format!("genotype {}, {channels} channels", cell.template),
        (Some(_), Family::MseNas | Family::EbNas) => {
            format!("motif {}, {channels} channels", cell.template)
        }
    }
}

fn genes(cell: &Cell) -> Vec<Gene> {
    cell.genes
        .iter()
        .map(|gene| Gene {
            position: gene.position,
            value: gene.value.to_string(),
            meaning: gene.meaning.clone(),
            neutral: gene.neutral,
        })
        .collect()
}

fn edges(graph: &CellGraph, output: usize) -> Vec<Edge> {
    let mut edges = Vec::new();
    for node in &graph.nodes {
        for edge in &node.edges {
            let Some((kind, label)) = operation(edge.operation) else { continue };
            let note = note(edge.source, edge.gene);
            let (from, to) = (edge.source.state, node.state);
            edges.push(Edge { from, to, kind, feedback: false, label, note });
        }
    }
    if graph.semantics != Semantics::None {
        edges.extend(graph.feedback.iter().filter_map(feedback));
    }
    edges.extend(graph.concat.iter().map(|part| Edge {
        from: part.state,
        to: output,
        kind: EdgeKind::Part,
        feedback: false,
        label: String::new(),
        note: String::new(),
    }));
    edges
}

fn feedback(back: &CellFeedback) -> Option<Edge> {
    let (kind, label) = operation(back.operation)?;
    let gene = StateRef { state: back.after, version: 0 };
    let note = note(gene, back.gene);
    Some(Edge { from: back.after, to: back.to.state, kind, feedback: true, label, note })
}

/// The version of the state that is read, if it has several, and the gene that chose the operation.
fn note(source: StateRef, gene: Option<usize>) -> String {
    let version = (source.version > 0).then(|| format!("v{}", source.version));
    let gene = gene.map(|gene| format!("g{gene}"));
    version.into_iter().chain(gene).collect::<Vec<_>>().join(" ")
}

/// Kind and label of an operation; `None` for edges that are zero.
fn operation(operation: Operation) -> Option<(EdgeKind, String)> {
    let kind = |sign| match sign {
        Sign::Excitatory => EdgeKind::Excitatory,
        Sign::Inhibitory => EdgeKind::Inhibitory,
        Sign::Any => EdgeKind::Unsigned,
    };
    Some(match operation {
        Operation::Zero => return None,
        Operation::Conv { size, sign } => (kind(sign), format!("{size}x{size}")),
        Operation::AvgPool { sign } => (kind(sign), "avg 3x3".to_owned()),
        Operation::Identity { sign: Sign::Any } => (EdgeKind::Identity, "id".to_owned()),
        Operation::Identity { sign } => (kind(sign), "id".to_owned()),
        Operation::Mlp { sign } => (kind(sign), "mlp".to_owned()),
    })
}

/// Adds to a module's last cell what another module feeds into its newest input.
fn join(block: &mut Block, from: usize, delay: u32, adapter: &Adapter) {
    let inputs = block.nodes.iter().filter(|n| matches!(n.role, Role::Input { .. })).count();
    for edge in &mut block.edges {
        edge.from += 1;
        edge.to += 1;
    }
    let size = adapter.kernel;
    block.nodes.insert(
        0,
        Node {
            label: "link".to_owned(),
            detail: format!("stride {}", adapter.stride),
            role: Role::Input { block: from, delayed: delay > 0 },
        },
    );
    block.edges.push(unsigned(0, inputs, &format!("{size}x{size}")));
}
