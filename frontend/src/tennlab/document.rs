//! A TENNLab file as it stands: nodes and edges with the values that their properties name.

use super::settings::{Leak, Settings, settings};
use crate::fields::{Fields, Item};
use crate::json::{Value, quote};
use snnc_ir::diag::codes::{genome, tennlab as codes};
use snnc_ir::{Diagnostic, Diagnostics};

/// Most values of a node or an edge.
const MAX_VALUES: u64 = 1 << 10;

/// A file's contents, by name.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// Ids of nodes, and where they stand.
    pub(super) inputs: Vec<(u32, String)>,
    pub(super) outputs: Vec<(u32, String)>,
    pub(super) settings: Settings,
    /// Steps of a run, if the file says so.
    pub(super) steps: Option<u32>,
}

/// A neuron.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: u32,
    pub(super) path: String,
    pub(super) threshold: f64,
    /// Whether it leaks, where that is a property of nodes.
    pub(super) leak: Option<bool>,
}

/// A synapse.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) path: String,
    pub(super) weight: f64,
    pub(super) delay: f64,
}

/// Where a property stands among the values of a node or an edge.
struct Property {
    name: String,
    index: usize,
}

/// Reads the fields of a file.
pub(super) fn read(document: &Value, out: &mut Diagnostics) -> Option<Document> {
    let mut fields = Item::root(document).fields(out)?;
    let associated = fields.required("Associated_Data", "processor and its settings", out);
    let mut associated = associated.and_then(|item| item.fields(out));
    let settings = associated.as_mut().and_then(|fields| settings(fields, out));
    let steps = associated.as_mut().and_then(|fields| run_length(fields, out));
    // What networks know of a node, an edge: names, and positions among the values.
    let properties = fields.required("Properties", "names of the values", out);
    let mut properties = properties.and_then(|item| item.fields(out));
    let mut list = |name, meaning, out: &mut Diagnostics| {
        properties
            .as_mut()?
            .required(name, meaning, out)
            .and_then(|item| self::properties(&item, out))
    };
    let of_nodes = list("node_properties", "values of a node", out);
    let of_edges = list("edge_properties", "values of an edge", out);
    let leaks = settings.as_ref().is_some_and(|settings| settings.leak == Leak::PerNode);
    let nodes = fields.required("Nodes", "the neurons", out);
    let nodes =
        nodes.zip(of_nodes).and_then(|(item, properties)| nodes_of(&item, &properties, leaks, out));
    let edges = fields.required("Edges", "the synapses", out);
    let edges =
        edges.zip(of_edges).and_then(|(item, properties)| edges_of(&item, &properties, out));
    let mut ids = |name, meaning, out: &mut Diagnostics| {
        fields.required(name, meaning, out).and_then(|item| ids_of(&item, out))
    };
    let inputs = ids("Inputs", "ids of the input neurons", out);
    let outputs = ids("Outputs", "ids of the output neurons", out);
    fields.optional("Network_Values");
    unread(&fields, out);
    Some(Document {
        nodes: nodes?,
        edges: edges?,
        inputs: inputs?,
        outputs: outputs?,
        settings: settings?,
        steps,
    })
}

/// Warns of fields that were never asked for.
pub(super) fn unread(fields: &Fields<'_>, out: &mut Diagnostics) {
    for name in fields.unread() {
        out.push(
            Diagnostic::warning(
                codes::TENNLAB_UNREAD,
                format!("the field {} is not read", quote(name)),
            )
            .at(fields.path()),
        );
    }
}

/// `Associated_Data.other.sim_time`.
fn run_length(associated: &mut Fields<'_>, out: &mut Diagnostics) -> Option<u32> {
    let mut other = associated.optional("other")?.fields(out)?;
    let item = other.optional("sim_time")?;
    // Tools write numbers of steps as 50 or as 50.0.
    let steps = item.number(out)?;
    let whole = whole(steps).and_then(|steps| u32::try_from(steps).ok()).filter(|&steps| steps > 0);
    whole.or_else(|| {
        item.bad(format!("a run of {steps} steps"), "expected a whole number from 1", out)
    })
}

/// A number as an integer, if it is one.
pub(super) fn whole(x: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
    (x.fract() == 0.0 && x.abs() <= LIMIT).then_some(x as i64)
}

fn properties(item: &Item<'_>, out: &mut Diagnostics) -> Option<Vec<Property>> {
    let items = item.list(out)?;
    let read = items.iter().map(|item| {
        let mut fields = item.fields(out)?;
        let name = fields.required("name", "name of the value", out)?.text(out)?.to_owned();
        let index = fields.required("index", "position among the values", out)?;
        let index = usize::try_from(index.whole(0..=MAX_VALUES, out)?).ok()?;
        Some(Property { name, index })
    });
    // All of them, for all their errors.
    let read: Vec<Option<Property>> = read.collect();
    read.into_iter().collect()
}

/// The value of a property, of a node or an edge.
fn value(
    name: &str,
    properties: &[Property],
    values: &[Item<'_>],
    path: &str,
    out: &mut Diagnostics,
) -> Option<f64> {
    let Some(property) = properties.iter().find(|property| property.name == name) else {
        let known: Vec<&str> = properties.iter().map(|property| &*property.name).collect();
        out.push(
            Diagnostic::error(genome::MISSING_FIELD, format!("there is no property `{name}`"))
                .at(path)
                .note(format!("`Properties` names: {}", known.join(", "))),
        );
        return None;
    };
    let Some(item) = values.get(property.index) else {
        let message = format!("there is no value {} (`{name}`)", property.index);
        out.push(
            Diagnostic::error(genome::MISSING_FIELD, message)
                .at(path)
                .note(format!("there are {} values", values.len())),
        );
        return None;
    };
    item.number(out)
}

fn nodes_of(
    item: &Item<'_>,
    properties: &[Property],
    leaks: bool,
    out: &mut Diagnostics,
) -> Option<Vec<Node>> {
    let read = item.list(out)?.into_iter().map(|item| {
        let mut fields = item.fields(out)?;
        let id = fields.required("id", "number of the node", out)?.whole_u32(0..=u32::MAX, out);
        let values = fields.required("values", "values of its properties", out)?.list(out)?;
        for remark in ["name", "coords"] {
            fields.optional(remark);
        }
        unread(&fields, out);
        let threshold = value("Threshold", properties, &values, &item.path, out)?;
        let leak = if leaks {
            Some(value("Leak", properties, &values, &item.path, out)? != 0.0)
        } else {
            None
        };
        Some(Node { id: id?, path: item.path, threshold, leak })
    });
    let read: Vec<Option<Node>> = read.collect();
    read.into_iter().collect()
}

fn edges_of(item: &Item<'_>, properties: &[Property], out: &mut Diagnostics) -> Option<Vec<Edge>> {
    let read = item.list(out)?.into_iter().map(|item| {
        let mut fields = item.fields(out)?;
        let mut end = |name, meaning, out: &mut Diagnostics| {
            fields.required(name, meaning, out)?.whole_u32(0..=u32::MAX, out)
        };
        let from = end("from", "id of the source", out);
        let to = end("to", "id of the target", out);
        let values = fields.required("values", "values of its properties", out)?.list(out)?;
        fields.optional("control_point");
        unread(&fields, out);
        let weight = value("Weight", properties, &values, &item.path, out);
        let delay = value("Delay", properties, &values, &item.path, out);
        Some(Edge { from: from?, to: to?, path: item.path, weight: weight?, delay: delay? })
    });
    let read: Vec<Option<Edge>> = read.collect();
    read.into_iter().collect()
}

fn ids_of(item: &Item<'_>, out: &mut Diagnostics) -> Option<Vec<(u32, String)>> {
    let read = item.list(out)?.into_iter().map(|item| {
        let id = item.whole_u32(0..=u32::MAX, out)?;
        Some((id, item.path))
    });
    let read: Vec<Option<_>> = read.collect();
    read.into_iter().collect()
}
