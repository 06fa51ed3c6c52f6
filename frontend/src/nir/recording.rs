//! Recordings (NIRData): what nodes did, by step or by event.
//!
//! A file has the attribute `__type__` = `NIRGraphData` at its root and at every graph, and
//! `NIRNodeData` at every node. Observables are groups with a `__type__` of their own.

use super::Written;
use super::check::visit;
use super::encode::bytes;
use super::tree::{Item, Tree, Value, join};
use crate::arrays::{Array, ArrayData, show_shape};
use crate::json::quote;
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// Attribute that says what a group is.
const TYPE: &str = "__type__";

/// Recorded activity of a graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// By the names of the graph's nodes.
    pub nodes: BTreeMap<String, Recorded>,
}

/// Recorded activity of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// Observables of a node by name, such as `spikes`.
    Node(BTreeMap<String, Observable>),
    /// A graph within the graph.
    Graph(Recording),
}

/// What was observed of the neurons of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Observable {
    /// `TimeGriddedData`: a value for each step.
    Gridded {
        /// `[samples, steps, neurons]`; booleans for spikes.
        data: Array,
        /// Step, in the unit of time of the recording.
        dt: f64,
    },
    /// `EventData`, or `ValuedEventData` with values.
    Events {
        /// `[samples, events]`: neurons; -1 where there is no event.
        idx: Array,
        /// `[samples, events]`: times; infinite where there is no event.
        time: Array,
        /// `[samples, events]`: magnitudes.
        value: Option<Array>,
        /// Neurons of the node.
        n_neurons: u64,
        /// End of the recording.
        t_max: f64,
    },
}

impl Observable {
    /// As files spell it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Gridded { .. } => "TimeGriddedData",
            Self::Events { value: None, .. } => "EventData",
            Self::Events { value: Some(_), .. } => "ValuedEventData",
        }
    }

    /// Extents of its arrays.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Gridded { data, .. } => &data.shape,
            Self::Events { idx, .. } => &idx.shape,
        }
    }
}

impl Recording {
    /// Calls `look` with the node (names of inner graphs and the node, joined by slashes), the name and the
    /// observable, in the order of the names.
    pub fn visit<'a>(&'a self, look: &mut dyn FnMut(&str, &'a str, &'a Observable)) {
        self.visit_from("", look);
    }

    fn visit_from<'a>(&'a self, prefix: &str, look: &mut dyn FnMut(&str, &'a str, &'a Observable)) {
        for (name, recorded) in &self.nodes {
            let full = format!("{prefix}{name}");
            match recorded {
                Recorded::Graph(inner) => inner.visit_from(&format!("{full}/"), look),
                Recorded::Node(observables) => {
                    for (observable, data) in observables {
                        look(&full, observable, data);
                    }
                }
            }
        }
    }
}

/// Whether the contents of a file are a recording.
pub(super) fn is_recording(tree: &Tree) -> bool {
    tree.attributes.contains_key(TYPE)
}

/// A message about a recording.
fn error(path: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::RECORDING, message).at(path)
}

/// The value of `__type__`.
fn kind<'a>(tree: &'a Tree, path: &str, out: &mut Diagnostics) -> Option<&'a str> {
    match tree.attributes.get(TYPE) {
        Some(Value::Texts(texts)) if texts.values.len() == 1 => Some(&texts.values[0]),
        _ => {
            out.push(error(path, "the attribute `__type__` is missing or no string"));
            None
        }
    }
}

/// The recording that `tree` holds; all errors are in `out`.
pub(super) fn recording(tree: &Tree, out: &mut Diagnostics) -> Recording {
    graph(tree, "/", out)
}

/// Reports members and attributes that are not among those known.
fn only(tree: &Tree, entries: &[&str], attributes: &[&str], path: &str, out: &mut Diagnostics) {
    for name in tree.entries.keys().filter(|n| !entries.contains(&n.as_str())) {
        out.push(error(path, format!("unknown entry {}", quote(name))));
    }
    let known = |n: &str| n == TYPE || attributes.contains(&n);
    for name in tree.attributes.keys().filter(|n| !known(n)) {
        out.push(error(path, format!("unknown attribute {}", quote(name))));
    }
}

/// The members of the group `name`, all of which are groups.
fn groups<'a>(
    tree: &'a Tree,
    name: &str,
    path: &str,
    out: &mut Diagnostics,
) -> Vec<(&'a String, &'a Tree, String)> {
    let at = join(path, name);
    let Some(Item::Group(members)) = tree.entries.get(name) else {
        out.push(error(path, format!("the group `{name}` is missing")));
        return Vec::new();
    };
    only(tree, &[name], &[], path, out);
    let mut found = Vec::new();
    for (member, item) in &members.entries {
        match item {
            Item::Group(tree) => found.push((member, tree, join(&at, member))),
            Item::Value(_) => out.push(error(&join(&at, member), "expected a group")),
        }
    }
    found
}

fn graph(tree: &Tree, path: &str, out: &mut Diagnostics) -> Recording {
    let mut recording = Recording::default();
    match kind(tree, path, out) {
        Some("NIRGraphData") | None => {}
        Some(other) => out.push(error(path, format!("{} is no graph", quote(other)))),
    }
    for (name, tree, at) in groups(tree, "nodes", path, out) {
        let recorded = match kind(tree, &at, out) {
            Some("NIRGraphData") => Recorded::Graph(graph(tree, &at, out)),
            Some("NIRNodeData") => {
                let mut observables = BTreeMap::new();
                for (name, tree, at) in groups(tree, "observables", &at, out) {
                    if let Some(observable) = observable(tree, &at, out) {
                        observables.insert(name.clone(), observable);
                    }
                }
                Recorded::Node(observables)
            }
            Some(other) => {
                let d = error(&at, format!("{} is no type of a node", quote(other)));
                out.push(d.note("known: NIRNodeData, NIRGraphData"));
                continue;
            }
            None => continue,
        };
        recording.nodes.insert(name.clone(), recorded);
    }
    recording
}

fn array(tree: &Tree, name: &str, path: &str, out: &mut Diagnostics) -> Option<Array> {
    if let Some(Item::Value(Value::Numbers(array))) = tree.entries.get(name) {
        return Some(array.clone());
    }
    out.push(error(path, format!("the numbers `{name}` are missing")));
    None
}

fn number(tree: &Tree, name: &str, path: &str, out: &mut Diagnostics) -> Option<f64> {
    let value = match tree.attributes.get(name) {
        Some(Value::Numbers(a)) => a.to_f64().ok().and_then(|v| v.first().copied()),
        _ => None,
    };
    if value.is_none() {
        out.push(error(path, format!("the attribute `{name}` is missing or no number")));
    }
    value
}

fn observable(tree: &Tree, path: &str, out: &mut Diagnostics) -> Option<Observable> {
    let found = match kind(tree, path, out)? {
        "TimeGriddedData" => {
            only(tree, &["data"], &["dt"], path, out);
            let (data, dt) = (array(tree, "data", path, out), number(tree, "dt", path, out));
            Observable::Gridded { data: data?, dt: dt? }
        }
        kind @ ("EventData" | "ValuedEventData") => {
            let valued = kind == "ValuedEventData";
            let known: &[&str] = if valued { &["idx", "time", "value"] } else { &["idx", "time"] };
            only(tree, known, &["n_neurons", "t_max"], path, out);
            let (idx, time) = (array(tree, "idx", path, out), array(tree, "time", path, out));
            let value = if valued { Some(array(tree, "value", path, out)?) } else { None };
            let neurons = number(tree, "n_neurons", path, out);
            let t_max = number(tree, "t_max", path, out);
            let neurons = neurons?;
            if !(0.0..=9e15).contains(&neurons) || neurons.fract().abs() > 0.0 {
                out.push(error(path, format!("`n_neurons` is {neurons:?}")));
                return None;
            }
            #[expect(clippy::cast_possible_truncation, reason = "checked above")]
            #[expect(clippy::cast_sign_loss, reason = "checked above")]
            let n_neurons = neurons as u64;
            Observable::Events { idx: idx?, time: time?, value, n_neurons, t_max: t_max? }
        }
        other => {
            let d = error(path, format!("{} is no type of an observable", quote(other)));
            out.push(d.note("known: TimeGriddedData, EventData, ValuedEventData"));
            return None;
        }
    };
    check(&found, path, out);
    Some(found)
}

/// Extents, indices and times.
fn check(observable: &Observable, path: &str, out: &mut Diagnostics) {
    match observable {
        Observable::Gridded { data, dt } => {
            if data.shape.len() != 3 {
                let found = show_shape(&data.shape);
                let d = error(&join(path, "data"), format!("`data` is {found}"));
                out.push(d.note("expected [samples, steps, neurons]"));
            }
            if !(dt.is_finite() && *dt > 0.0) {
                out.push(error(path, format!("`dt` is {dt:?}, expected a number above 0")));
            }
        }
        Observable::Events { idx, time, value, n_neurons, t_max } => {
            let others = [("time", Some(time)), ("value", value.as_ref())];
            for (name, other) in others.into_iter().filter_map(|(n, a)| Some((n, a?))) {
                if other.shape != idx.shape {
                    let (a, b) = (show_shape(&other.shape), show_shape(&idx.shape));
                    out.push(error(path, format!("`{name}` is {a}, and `idx` is {b}")));
                    return;
                }
            }
            if !(t_max.is_finite() && *t_max >= 0.0) {
                out.push(error(path, format!("`t_max` is {t_max:?}")));
            }
            events(idx, time, *n_neurons, *t_max, path, out);
        }
    }
}

/// An event has a neuron and a time, and a place without an event has neither.
fn events(
    idx: &Array,
    time: &Array,
    n_neurons: u64,
    t_max: f64,
    path: &str,
    out: &mut Diagnostics,
) {
    if matches!(idx.data, ArrayData::F32(_) | ArrayData::F64(_) | ArrayData::Bool(_)) {
        out.push(error(path, format!("`idx` is of type {}", idx.data.type_name())));
        return;
    }
    let mut times = Vec::with_capacity(time.data.len());
    visit(&time.data, |_, t| times.push(t));
    let mut first: Option<(usize, String)> = None;
    visit(&idx.data, |i, neuron| {
        let t = times.get(i).copied().unwrap_or(f64::NAN);
        #[expect(clippy::cast_precision_loss, reason = "an index in memory is below 2^53")]
        let flaw = if neuron < 0.0 {
            (neuron < -1.0 || t < f64::INFINITY || t.is_nan())
                .then(|| format!("neuron {neuron} at time {t:?}"))
        } else {
            let inside = neuron < n_neurons as f64 && (0.0..=t_max).contains(&t);
            (!inside).then(|| format!("neuron {neuron} at time {t:?}"))
        };
        if let (None, Some(flaw)) = (&first, flaw) {
            first = Some((i, flaw));
        }
    });
    if let Some((i, flaw)) = first {
        out.push(
            error(path, format!("event {i} is not possible: {flaw}")).note(format!(
                "neurons are below {n_neurons}, times in 0 to {t_max:?}; -1 and infinity where there is \
                 no event"
            )),
        );
    }
}

/// A file that `nir.read_data` of version 1.0.8 reads back equal.
///
/// # Errors
/// `SNN0285`: what is not valid.
pub fn write_recording(recording: &Recording) -> Result<Written, Diagnostics> {
    let mut found = Diagnostics::new();
    recording.visit(&mut |node, name, observable| {
        check(observable, &format!("/{node}/{name}"), &mut found);
    });
    found.into_result(())?;
    Ok(Written { bytes: bytes(&encode(recording))?, notes: Diagnostics::new() })
}

fn typed(kind: &str) -> Tree {
    let mut tree = Tree::default();
    tree.attributes.insert(TYPE.to_owned(), kind.into());
    tree
}

fn encode(recording: &Recording) -> Tree {
    let mut nodes = Tree::default();
    for (name, recorded) in &recording.nodes {
        let node = match recorded {
            Recorded::Graph(inner) => encode(inner),
            Recorded::Node(observables) => {
                let mut group = Tree::default();
                for (name, observable) in observables {
                    group.put_group(name, encode_observable(observable));
                }
                let mut node = typed("NIRNodeData");
                node.put_group("observables", group);
                node
            }
        };
        nodes.put_group(name, node);
    }
    let mut tree = typed("NIRGraphData");
    tree.put_group("nodes", nodes);
    tree
}

fn encode_observable(observable: &Observable) -> Tree {
    let mut tree = typed(observable.type_name());
    let float = |x: f64| Array { shape: Vec::new(), data: ArrayData::F64(vec![x]) };
    let mut attribute = |name: &str, array: Array| {
        tree.attributes.insert(name.to_owned(), array.into());
    };
    match observable {
        Observable::Gridded { data, dt } => {
            attribute("dt", float(*dt));
            tree.put("data", data.clone());
        }
        Observable::Events { idx, time, value, n_neurons, t_max } => {
            let count = ArrayData::I64(vec![i64::try_from(*n_neurons).unwrap_or(i64::MAX)]);
            attribute("n_neurons", Array { shape: Vec::new(), data: count });
            attribute("t_max", float(*t_max));
            tree.put("idx", idx.clone());
            tree.put("time", time.clone());
            if let Some(value) = value {
                tree.put("value", value.clone());
            }
        }
    }
    tree
}
