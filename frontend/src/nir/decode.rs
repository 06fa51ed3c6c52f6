//! From the contents of a file to a typed graph.

use super::entries::{Entries, Whole};
use super::graph::{Conv, Flatten, NirFile, NirGraph, NirNode, Padding, Pool, Primitive};
use super::tree::{Item, Tree, join};
use crate::json::quote;
use crate::suggest::closest;
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// Versions that this reader knows are those up to here.
const NEWEST: [u64; 3] = [1, 0, 8];

/// The graph that `tree` holds; all errors are in `out` if it is `None`.
pub(super) fn file(tree: Tree, out: &mut Diagnostics) -> Option<NirFile> {
    let mut entries = Entries::of(tree, "/", out);
    let version = entries.optional_text("version", out);
    check_version(version.as_deref(), out);
    let node = entries.group("node", out);
    entries.finish("a NIR file", out);
    Some(NirFile { version, root: self::node(node?, "/node", out)? })
}

fn check_version(version: Option<&str>, out: &mut Diagnostics) {
    let warning = |message: String| {
        Diagnostic::warning(codes::VERSION, message)
            .at("/version")
            .note("the file is read as version 1.0.8")
    };
    let Some(version) = version else {
        out.push(warning("the file does not say its version".to_owned()));
        return;
    };
    match parse_version(version) {
        None => out.push(warning(format!("{} is no version", quote(version)))),
        Some(v) if v > NEWEST => {
            out.push(warning(format!("version {version} is later than what is known")));
        }
        Some(_) => {}
    }
}

/// The first three numbers of a version; what follows (`.dev8+g…`) makes no difference.
fn parse_version(text: &str) -> Option<[u64; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split('.');
    for (i, number) in numbers.iter_mut().enumerate() {
        let Some(part) = parts.next() else {
            // `1.0` is `1.0.0`; `1` is no version.
            return (i > 1).then_some(numbers);
        };
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        *number = part[..digits].parse().ok()?;
    }
    Some(numbers)
}

/// The node in the group at `path`.
fn node(tree: Tree, path: &str, out: &mut Diagnostics) -> Option<NirNode> {
    let mut entries = Entries::of(tree, path, out);
    let kind = entries.text("type", out);
    let metadata = entries.group_or_empty("metadata", out);
    let Some(kind) = kind else {
        // Without a type nothing is known of the other entries.
        return None;
    };
    let e = &mut entries;
    let primitive = match kind.as_str() {
        "Input" => shape(e, out).map(|shape| Primitive::Input { shape }),
        "Output" => shape(e, out).map(|shape| Primitive::Output { shape }),
        "Affine" => {
            let (weight, bias) = (e.array("weight", out), e.array("bias", out));
            (|| Some(Primitive::Affine { weight: weight?, bias: bias? }))()
        }
        "Linear" => e.array("weight", out).map(|weight| Primitive::Linear { weight }),
        "Scale" => e.array("scale", out).map(|scale| Primitive::Scale { scale }),
        "Conv1d" => conv(e, out).map(Primitive::Conv1d),
        "Conv2d" => conv(e, out).map(Primitive::Conv2d),
        "SumPool2d" => pool(e, out).map(Primitive::SumPool2d),
        "AvgPool2d" => pool(e, out).map(Primitive::AvgPool2d),
        "Flatten" => flatten(e, out).map(Primitive::Flatten),
        "Delay" => e.array("delay", out).map(|delay| Primitive::Delay { delay }),
        "Threshold" => {
            e.array("threshold", out).map(|threshold| Primitive::Threshold { threshold })
        }
        "I" | "IF" | "LI" | "LIF" | "CubaLI" | "CubaLIF" => neuron(&kind, e, out),
        "NIRGraph" => graph(e, out).map(Primitive::Graph),
        other => {
            let d = Diagnostic::error(
                codes::UNKNOWN_TYPE,
                format!("{} is not a type of node", quote(other)),
            )
            .at(join(path, "type"))
            .note(format!("known: {}", Primitive::TYPES.join(", ")));
            out.push(match closest(other, Primitive::TYPES) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help("replace the node by known ones"),
            });
            return None;
        }
    };
    entries.finish(&format!("a node of type {kind}"), out);
    Some(NirNode { primitive: primitive?, metadata })
}

fn shape(e: &mut Entries, out: &mut Diagnostics) -> Option<Vec<usize>> {
    e.whole("shape", out)?.sizes(1, out)
}

fn neuron(kind: &str, e: &mut Entries, out: &mut Diagnostics) -> Option<Primitive> {
    let cuba = kind.starts_with("Cuba");
    let leaky = kind != "I" && kind != "IF";
    let fires = kind.ends_with('F');
    let tau_mem = cuba.then(|| e.array("tau_mem", out)).flatten();
    let tau_syn = cuba.then(|| e.array("tau_syn", out)).flatten();
    let tau = (leaky && !cuba).then(|| e.array("tau", out)).flatten();
    let r = e.array("r", out);
    let v_leak = leaky.then(|| e.array("v_leak", out)).flatten();
    let v_threshold = fires.then(|| e.array("v_threshold", out)).flatten();
    let v_reset = fires.then(|| e.optional_array("v_reset", out)).flatten();
    let w_in = cuba.then(|| e.optional_array("w_in", out)).flatten();
    let r = r?;
    Some(match kind {
        "I" => Primitive::I { r },
        "IF" => Primitive::If { r, v_threshold: v_threshold?, v_reset },
        "LI" => Primitive::Li { tau: tau?, r, v_leak: v_leak? },
        "LIF" => {
            Primitive::Lif { tau: tau?, r, v_leak: v_leak?, v_threshold: v_threshold?, v_reset }
        }
        "CubaLI" => {
            Primitive::CubaLi { tau_mem: tau_mem?, tau_syn: tau_syn?, r, v_leak: v_leak?, w_in }
        }
        _ => Primitive::CubaLif {
            tau_mem: tau_mem?,
            tau_syn: tau_syn?,
            r,
            v_leak: v_leak?,
            v_threshold: v_threshold?,
            v_reset,
            w_in,
        },
    })
}

fn conv<const D: usize>(e: &mut Entries, out: &mut Diagnostics) -> Option<Conv<D>> {
    let mut whole = |name, low: i64, out: &mut Diagnostics| -> Option<[usize; D]> {
        e.whole(name, out)?.exactly(low, out)
    };
    let stride = whole("stride", 1, out);
    let dilation = whole("dilation", 1, out);
    let groups = e.whole("groups", out).and_then(|n| n.one(1, out));
    let padding = match e.text_or_whole("padding", out) {
        None => None,
        Some(Ok(text)) => match text.as_str() {
            "same" => Some(Padding::Same),
            "valid" => Some(Padding::Valid),
            other => {
                out.push(
                    Diagnostic::error(codes::VALUE, format!("padding {}", quote(other)))
                        .at(e.at("padding"))
                        .note("expected `same`, `valid` or whole numbers"),
                );
                None
            }
        },
        Some(Err(numbers)) => numbers.exactly(0, out).map(Padding::Zeros),
    };
    let absent = !e.has("input_shape");
    let input_shape = e.optional_whole("input_shape", out).and_then(|n| n.exactly(1, out));
    let (weight, bias) = (e.array("weight", out), e.array("bias", out));
    if input_shape.is_none() && !absent {
        return None;
    }
    Some(Conv {
        input_shape,
        weight: weight?,
        bias: bias?,
        stride: stride?,
        padding: padding?,
        dilation: dilation?,
        groups: groups?,
    })
}

fn pool(e: &mut Entries, out: &mut Diagnostics) -> Option<Pool> {
    let mut whole =
        |name, low: i64| -> Option<[usize; 2]> { e.whole(name, out)?.exactly(low, out) };
    let (kernel, stride) = (whole("kernel_size", 1), whole("stride", 1));
    let padding = whole("padding", 0);
    Some(Pool { kernel: kernel?, stride: stride?, padding: padding? })
}

fn flatten(e: &mut Entries, out: &mut Diagnostics) -> Option<Flatten> {
    let absent = !e.has("input_type");
    let input_type = e.optional_whole("input_type", out).and_then(|n| n.sizes(1, out));
    let mut dimension = |name| e.whole(name, out).and_then(|n: Whole| n.signed(out));
    let (start, end) = (dimension("start_dim"), dimension("end_dim"));
    if input_type.is_none() && !absent {
        return None;
    }
    Some(Flatten { input_type, start: start?, end: end? })
}

fn graph(e: &mut Entries, out: &mut Diagnostics) -> Option<NirGraph> {
    let members = e.group("nodes", out);
    let edges = edges(e, out);
    let entries = Entries::of(members?, &e.at("nodes"), out);
    let (path, members) = entries.into_members();
    let mut graph = NirGraph { edges: edges?, ..NirGraph::default() };
    let mut whole = true;
    for (name, item) in members {
        let at = join(&path, &name);
        match item {
            Item::Group(tree) => match node(tree, &at, out) {
                Some(node) => {
                    graph.nodes.insert(name, node);
                }
                None => whole = false,
            },
            Item::Value(value) => {
                whole = false;
                let found = value.describe();
                out.push(
                    Diagnostic::error(codes::KIND, format!("expected a node, found {found}"))
                        .at(at)
                        .note("a node is a group with a dataset `type`"),
                );
            }
        }
    }
    whole.then_some(graph)
}

fn edges(e: &mut Entries, out: &mut Diagnostics) -> Option<Vec<(String, String)>> {
    let texts = e.texts("edges", out)?;
    match texts.shape[..] {
        // A list of no edges has lost its second extent.
        [0] | [_, 2] => {}
        _ => {
            out.push(
                Diagnostic::error(codes::KIND, format!("edges of extents {:?}", texts.shape))
                    .at(e.at("edges"))
                    .note("expected [number of edges, 2]: the names of source and target"),
            );
            return None;
        }
    }
    let mut names = texts.values.into_iter();
    let mut edges = Vec::new();
    while let (Some(from), Some(to)) = (names.next(), names.next()) {
        edges.push((from, to));
    }
    Some(edges)
}
