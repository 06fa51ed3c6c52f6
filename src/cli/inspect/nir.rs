//! NIR graphs and recordings.

use super::super::table::Table;
use crate::files::shown;
use crate::nir::{Contents, examine};
use serde::Serialize;
use snnc_frontend::nir::{
    Checked, NirFile, NirGraph, NodeShapes, Observable, Open, Primitive, Recording, facts, open,
};
use snnc_ir::Diagnostics;
use std::fmt::Write as _;
use std::path::Path;

/// A NIR graph or recording.
#[derive(Debug, Serialize)]
#[serde(tag = "holds", rename_all = "lowercase")]
pub(in crate::cli) enum NirReport {
    /// A graph.
    Graph(GraphReport),
    /// A recording.
    Recording(RecordingReport),
}

/// A graph.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct GraphReport {
    blake3: String,
    version: Option<String>,
    /// Nodes of all graphs, by their paths.
    nodes: Vec<NodeEntry>,
    /// Edges of all graphs.
    edges: Vec<[String; 2]>,
    /// Loops through inner graphs, each with the names of its nodes.
    cycles: Vec<Vec<String>>,
    /// What the graph leaves to its reader.
    open: Vec<Open>,
}

#[derive(Debug, Serialize)]
struct NodeEntry {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    input: Option<Vec<usize>>,
    output: Option<Vec<usize>>,
    parameters: Vec<ParameterEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings: Vec<(&'static str, String)>,
    /// Numbers in arrays.
    stored: usize,
}

#[derive(Debug, Serialize)]
struct ParameterEntry {
    name: &'static str,
    shape: Vec<usize>,
    element: &'static str,
    /// Smallest and largest, if all are finite.
    range: Option<[f64; 2]>,
}

/// A recording.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RecordingReport {
    blake3: String,
    observables: Vec<ObservableEntry>,
}

#[derive(Debug, Serialize)]
struct ObservableEntry {
    node: String,
    observable: String,
    #[serde(rename = "type")]
    kind: &'static str,
    shape: Vec<usize>,
    neurons: u64,
    /// Step of time, or end of the recording.
    time: f64,
}

/// Text, report, and everything that is wrong.
pub(super) fn nir(path: &Path) -> Result<(String, NirReport, Diagnostics), Diagnostics> {
    let (source, checked) = examine(path)?;
    let mut found = source.warnings;
    Ok(match source.contents {
        Contents::Graph(file) => {
            let checked = checked.unwrap_or_default();
            let report = graph(&file, &checked, source.hash);
            found.extend(checked.found.in_file(&shown(path)));
            (graph_text(&report), NirReport::Graph(report), found)
        }
        Contents::Recording(recording) => {
            let report = self::recording(&recording, source.hash);
            (recording_text(&report), NirReport::Recording(report), found)
        }
    })
}

fn graph(file: &NirFile, checked: &Checked, blake3: String) -> GraphReport {
    let mut report = GraphReport {
        blake3,
        version: file.version.clone(),
        nodes: Vec::new(),
        edges: Vec::new(),
        cycles: checked
            .flat
            .cycles
            .iter()
            .map(|c| c.nodes.iter().map(|&n| checked.flat.nodes[n].name.clone()).collect())
            .collect(),
        open: open(file, checked),
    };
    match &file.root.primitive {
        Primitive::Graph(graph) => collect(graph, "", "/node", checked, &mut report),
        single => report.nodes.push(entry("", single, None)),
    }
    report
}

fn collect(
    graph: &NirGraph,
    prefix: &str,
    path: &str,
    checked: &Checked,
    report: &mut GraphReport,
) {
    for (name, node) in &graph.nodes {
        let full = format!("{prefix}{name}");
        let at = format!("{path}/nodes/{name}");
        report.nodes.push(entry(&full, &node.primitive, checked.shapes.get(&at)));
        if let Primitive::Graph(inner) = &node.primitive {
            collect(inner, &format!("{full}/"), &at, checked, report);
        }
    }
    let named = |name: &str| format!("{prefix}{name}");
    report.edges.extend(graph.edges.iter().map(|(from, to)| [named(from), named(to)]));
}

fn entry(name: &str, primitive: &Primitive, shapes: Option<&NodeShapes>) -> NodeEntry {
    let facts = facts(primitive);
    NodeEntry {
        name: name.to_owned(),
        kind: primitive.type_name(),
        input: shapes.map(|s| s.input.clone()),
        output: shapes.map(|s| s.output.clone()),
        stored: facts.parameters.iter().map(|p| p.count).sum(),
        parameters: facts
            .parameters
            .into_iter()
            .map(|p| ParameterEntry {
                name: p.name,
                shape: p.shape,
                element: p.element,
                range: p.range.filter(|r| r.iter().all(|x| x.is_finite())),
            })
            .collect(),
        settings: facts.settings,
    }
}

fn extents(shape: Option<&Vec<usize>>) -> String {
    match shape {
        None => "?".to_owned(),
        Some(shape) if shape.is_empty() => "one".to_owned(),
        Some(shape) => shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x"),
    }
}

fn number(x: f64) -> String {
    // As numpy shows float32: enough digits to tell values apart.
    let short = format!("{x:.6}");
    let plain = short.trim_end_matches('0').trim_end_matches('.').to_owned();
    let small = x != 0.0 && x.abs() < 1e-3 || x.abs() >= 1e6;
    if small { format!("{x:.4e}") } else { plain }
}

fn graph_text(report: &GraphReport) -> String {
    let mut text = format!("NIR graph, blake3 {}\n", report.blake3);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "version {}", report.version.as_deref().unwrap_or("not stated"));
    let stored: usize = report.nodes.iter().map(|n| n.stored).sum();
    let _ = writeln!(
        text,
        "{} nodes, {} edges, {stored} numbers in parameters\n",
        report.nodes.len(),
        report.edges.len()
    );
    let mut table = Table::new(&["node", "type", "takes", "gives", "parameters"]);
    for node in &report.nodes {
        let parameters = node.parameters.iter().map(|p| match p.range {
            Some([low, high]) if low.total_cmp(&high).is_eq() => {
                format!("{} {}", p.name, number(low))
            }
            Some([low, high]) => format!("{} {}..{}", p.name, number(low), number(high)),
            None => format!("{} not finite", p.name),
        });
        let settings = node.settings.iter().map(|(name, value)| format!("{name} {value}"));
        table.row([
            node.name.clone(),
            node.kind.to_owned(),
            extents(node.input.as_ref()),
            extents(node.output.as_ref()),
            parameters.chain(settings).collect::<Vec<_>>().join(", "),
        ]);
    }
    text.push_str(&table.render(2));
    text.push_str("\nedges\n");
    for [from, to] in &report.edges {
        let _ = writeln!(text, "  {from} -> {to}");
    }
    if report.cycles.is_empty() {
        text.push_str("\nno loops\n");
    } else {
        text.push_str("\nloops\n");
        for cycle in &report.cycles {
            let _ = writeln!(text, "  {}", cycle.join(", "));
        }
    }
    text.push_str("\nleft open by the graph\n");
    if report.open.is_empty() {
        text.push_str("  nothing\n");
    }
    for open in &report.open {
        let _ = writeln!(text, "  {}: {}", open.attribute, open.decides);
        let _ = writeln!(text, "    {}", open.choices);
    }
    text
}

fn recording(recording: &Recording, blake3: String) -> RecordingReport {
    let mut observables = Vec::new();
    recording.visit(&mut |node, name, observable| {
        let (neurons, time) = match observable {
            Observable::Gridded { data, dt } => (data.shape.last().map_or(0, |&n| n as u64), *dt),
            Observable::Events { n_neurons, t_max, .. } => (*n_neurons, *t_max),
        };
        observables.push(ObservableEntry {
            node: node.to_owned(),
            observable: name.to_owned(),
            kind: observable.type_name(),
            shape: observable.shape().to_vec(),
            neurons,
            time,
        });
    });
    RecordingReport { blake3, observables }
}

fn recording_text(report: &RecordingReport) -> String {
    let mut text = format!("NIR recording, blake3 {}\n\n", report.blake3);
    let mut table =
        Table::new(&["node", "observable", "type", "extents", "neurons", "dt or t_max"]);
    for o in &report.observables {
        table.row([
            o.node.clone(),
            o.observable.clone(),
            o.kind.to_owned(),
            extents(Some(&o.shape)),
            o.neurons.to_string(),
            number(o.time),
        ]);
    }
    text.push_str(&table.render(2));
    text
}
