//! The envelope: what stands around the nodes of a genome, and the file as a whole.
//!
//! Parsing collects every finding of the whole file: a part that is wrong is left out
//! (`None`), and the rest is still read.

use super::check::CheckSpec;
use super::genes::GenesSpec;
use super::neuron::NeuronSpec;
use super::node::NodeSpec;
use super::tensors::TensorsSpec;
use crate::fields::{Fields, Item, Name, flaw_of_name};
use crate::json::{Value, quote};
use crate::search::{self, CellsSpec, SearchSpec};
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::Coding;
use snnc_ir::{Diagnostic, Diagnostics, MAX_ELEMENTS, Shape};
use std::collections::BTreeMap;

/// Most logical steps of a run.
const MAX_STEPS: u32 = 1 << 20;
/// Most nodes.
pub(crate) const MAX_NODES: usize = 1 << 16;
/// Minor version that this reader knows.
const MINOR: u32 = 0;

/// A genome as the JSON file says it, names not yet looked up.
#[derive(Debug)]
pub(crate) struct GenomeFile {
    pub(crate) name: Option<String>,
    pub(crate) steps: Option<u32>,
    pub(crate) input: Option<InputSpec>,
    pub(crate) readout: Option<ReadoutSpec>,
    /// Known by name even where their content is wrong.
    pub(crate) neurons: BTreeMap<String, NeuronEntry>,
    pub(crate) tensors: Option<TensorsSpec>,
    pub(crate) genes: GenesSpec,
    /// `None` if it could not be read.
    pub(crate) graph: Option<GraphSpec>,
    /// Whether the file has the field `tensors`.
    pub(crate) has_tensors: bool,
    pub(crate) check: Option<CheckSpec>,
}

/// Where the nodes come from.
#[derive(Debug)]
pub(crate) enum GraphSpec {
    /// They stand in the file.
    Nodes(Vec<NodeSpec>),
    /// They follow from genes.
    Search(Box<CellsSpec>),
}

/// An entry of `neurons`: its path, and its content if that is right.
pub(crate) type NeuronEntry = (String, Option<NeuronSpec>);

/// The field `input`.
#[derive(Debug)]
pub(crate) struct InputSpec {
    pub(crate) coding: Coding,
    pub(crate) shape: Shape,
    /// Mean and standard deviation per channel, of a directly coded input.
    pub(crate) normalization: Option<(Vec<f32>, Vec<f32>)>,
}

/// The field `readout`.
#[derive(Debug)]
pub(crate) struct ReadoutSpec {
    pub(crate) kind: ReadoutKind,
    pub(crate) node: Option<Name>,
    pub(crate) classes: Option<u32>,
    pub(crate) path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadoutKind {
    SpikeCount,
    MeanLinear,
}

/// Reads the whole file. `None` if it is no genome of a known version and kind.
pub(crate) fn parse(document: &Value, out: &mut Diagnostics) -> Option<GenomeFile> {
    let root = Item::root(document);
    if !matches!(document, Value::Object(_)) {
        let found = document.describe();
        out.push(Diagnostic::error(codes::NOT_A_GENOME, format!("the file holds {found}")).at("$"));
        return None;
    }
    let mut fields = root.fields(out)?;
    let kind = known_format(&mut fields, out)?;
    let name = fields
        .required("name", "name of the network", out)
        .and_then(|i| i.name(out))
        .map(|n| n.text);
    // Opaque, but an object, so that tools can look into it.
    if let Some(provenance) = fields.optional("provenance") {
        provenance.fields(out);
    }
    let steps = fields.required("time", "{ steps, order }", out).and_then(|i| time(&i, out));
    let input =
        fields.required("input", "{ coding, shape, … }", out).and_then(|i| input(&i, steps, out));
    let search = match kind {
        Kind::Gee => Some(SearchSpec::Explicit),
        Kind::MseNas => search::parse(&mut fields, out),
    };
    let written = matches!(search, Some(SearchSpec::Explicit));
    let readout =
        fields.required("readout", "{ kind, node, classes }", out).and_then(|i| readout(&i, out));
    let readout = if written { readout } else { readout.and_then(|r| r.of_search(out)) };
    let neurons = fields
        .required("neurons", "neuron models by name", out)
        .map(|i| neurons(&i, out))
        .unwrap_or_default();
    let tensors = if written {
        fields.required("tensors", "{ file, format, sha256 } and/or { inline }", out)
    } else {
        fields.optional("tensors")
    };
    // Of an unknown family: which fields belong to it is not known, and naming them would mislead.
    let search = search?;
    let has_tensors = tensors.is_some();
    let tensors = tensors.and_then(|i| TensorsSpec::parse(&i, !written, out));
    let mut genes = GenesSpec::default();
    let mut check = None;
    let graph = match search {
        SearchSpec::Cells(spec) => spec.map(GraphSpec::Search),
        SearchSpec::Explicit => {
            genes = fields.optional("genes").map(|i| GenesSpec::parse(&i, out)).unwrap_or_default();
            let nodes = fields.required("nodes", "list of nodes", out).and_then(|i| nodes(&i, out));
            check = fields.optional("check").and_then(|i| CheckSpec::parse(&i, out));
            nodes.map(GraphSpec::Nodes)
        }
    };
    fields.finish(out);
    Some(GenomeFile {
        name,
        steps,
        input,
        readout,
        neurons,
        tensors,
        genes,
        graph,
        has_tensors,
        check,
    })
}

/// Kinds of genomes.
#[derive(Clone, Copy)]
enum Kind {
    Gee,
    MseNas,
}

impl ReadoutSpec {
    /// The readout of a searched network: always its classifier.
    fn of_search(self, out: &mut Diagnostics) -> Option<Self> {
        if self.kind != ReadoutKind::MeanLinear {
            out.push(
                Diagnostic::error(codes::READOUT_NODE, "a searched network counts no spikes")
                    .at(&self.path)
                    .note("its classifier is a linear layer, read as \"mean_linear\""),
            );
            return None;
        }
        let classifier = search::CLASSIFIER;
        let node = match self.node {
            Some(node) if node.text != classifier => {
                out.push(
                    Diagnostic::error(
                        codes::READOUT_NODE,
                        format!("`{}` is not the readout of a searched network", node.text),
                    )
                    .at(&node.path)
                    .note(format!("it is always `{classifier}`, so `node` may be left out")),
                );
                return None;
            }
            Some(node) => node,
            None => Name { text: classifier.to_owned(), path: self.path.clone() },
        };
        Some(Self { node: Some(node), ..self })
    }
}

/// Format, version and kind. Nothing else means anything until these are known.
fn known_format(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Kind> {
    let format = fields.optional("format");
    if !matches!(format.as_ref().map(|i| i.value), Some(Value::String(s)) if s == "snnc-genome") {
        let found = format.map_or("nothing".to_owned(), |i| i.value.describe());
        out.push(
            Diagnostic::error(codes::NOT_A_GENOME, format!("`format` is {found}"))
                .at("$.format")
                .note("expected \"snnc-genome\""),
        );
        return None;
    }
    let item = fields.required("version", "\"1.0\"", out)?;
    let version = item.text(out)?;
    let (major, minor) = version
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)))
        .or_else(|| {
            item.bad(format!("{} is not a version", quote(version)), "such as \"1.0\"", out)
        })?;
    if major != 1 {
        out.push(
            Diagnostic::error(codes::VERSION, format!("version {major}.{minor} is not known"))
                .at(&item.path)
                .note("this build reads version 1")
                .help("export the genome as version 1.0"),
        );
        return None;
    }
    if minor > MINOR {
        out.push(
            Diagnostic::warning(
                codes::NEWER_MINOR,
                format!("version 1.{minor} is newer than this build"),
            )
            .at(&item.path)
            .note(format!("it is read as version 1.{MINOR}; fields unknown there are errors")),
        );
    }
    let kinds = [("gee", Kind::Gee), ("mse-nas", Kind::MseNas)];
    fields.required("kind", "gee or mse-nas", out)?.choice("kind of genome", &kinds, out)
}

fn time(item: &Item<'_>, out: &mut Diagnostics) -> Option<u32> {
    let mut fields = item.fields(out)?;
    let steps = fields
        .required("steps", "logical steps of one run", out)
        .and_then(|i| i.whole_u32(1..=MAX_STEPS, out));
    if let Some(order) = fields.required("order", "\"step_major\"", out) {
        order.choice("order", &[("step_major", ())], out);
    }
    fields.finish(out);
    steps
}

/// Codings of the format; those without a [`Coding`] carry graded values.
#[derive(Clone, Copy)]
enum CodingWord {
    Direct,
    Events,
    Accumulator,
    Rate,
    Graded,
}

fn input(item: &Item<'_>, steps: Option<u32>, out: &mut Diagnostics) -> Option<InputSpec> {
    let mut fields = item.fields(out)?;
    let words = [
        ("direct", CodingWord::Direct),
        ("events", CodingWord::Events),
        ("accumulator", CodingWord::Accumulator),
        ("rate", CodingWord::Rate),
        ("ttfs", CodingWord::Graded),
        ("phase", CodingWord::Graded),
    ];
    let word = fields
        .required("coding", "direct, events, accumulator or rate", out)
        .and_then(|i| Some((i.choice("coding", &words, out)?, i)));
    let shape = fields
        .required("shape", "[elements] or [channels, height, width]", out)
        .and_then(|i| shape(&i, out));
    let mut normalization = None;
    let coding = word.and_then(|(word, item)| match word {
        CodingWord::Direct => {
            normalization = self::normalization(&mut fields, shape.as_ref(), out);
            let range = match fields.optional("range") {
                Some(i) => range(&i, out).map(Some),
                None => Some(None),
            };
            range.map(|range| Coding::Direct { range })
        }
        CodingWord::Events => Some(Coding::Events),
        CodingWord::Accumulator => {
            let pmax = fields
                .required("pmax", "largest value of an element", out)
                .and_then(|i| i.whole_u32(1..=u32::MAX, out));
            let steps_in = fields
                .required("steps_in", "steps with input", out)
                .and_then(|i| i.whole_u32(1..=steps.unwrap_or(MAX_STEPS), out));
            Some(Coding::Accumulator { pmax: pmax?, steps_in: steps_in? })
        }
        CodingWord::Rate => {
            let seed = fields
                .required("seed", "seed of the Bernoulli generator", out)
                .and_then(|i| i.whole(0..=u64::MAX, out));
            Some(Coding::Rate { seed: seed? })
        }
        CodingWord::Graded => {
            let found = item.text(out)?;
            out.push(
                Diagnostic::error(
                    codes::NOT_ACCEPTED,
                    format!("the coding `{found}` is not accepted: its spikes carry graded values"),
                )
                .at(&item.path)
                .note("accepted: direct, events, accumulator, rate")
                .help("use `accumulator` for pixel values, or record spikes and use `events`"),
            );
            None
        }
    });
    // Without a coding its fields are unknown, and naming them would mislead.
    if coding.is_some() {
        fields.finish(out);
    }
    Some(InputSpec { coding: coding?, shape: shape?, normalization })
}

/// A shape of one or three extents of at most [`MAX_ELEMENTS`] elements.
pub(crate) fn shape(item: &Item<'_>, out: &mut Diagnostics) -> Option<Shape> {
    let extents = item.list(out)?;
    if extents.len() != 1 && extents.len() != 3 {
        return item.bad(
            format!("a shape of {} extents", extents.len()),
            "a shape is [elements] or [channels, height, width]",
            out,
        );
    }
    let extents: Vec<Option<u32>> = extents.iter().map(|i| i.whole_u32(1..=1 << 26, out)).collect();
    let shape = Shape(extents.into_iter().collect::<Option<_>>()?);
    if shape.size() > MAX_ELEMENTS {
        out.push(
            Diagnostic::error(codes::LIMIT, format!("an input of {} elements", shape.size()))
                .at(&item.path)
                .note(format!("at most {MAX_ELEMENTS} elements")),
        );
        return None;
    }
    Some(shape)
}

/// `[smallest, largest]` of the values of a directly coded sample.
fn range(item: &Item<'_>, out: &mut Diagnostics) -> Option<[i32; 2]> {
    let items = item.list(out)?;
    let [low, high] = &items[..] else {
        let found = items.len();
        return item.bad(format!("a range of {found} numbers"), "[smallest, largest]", out);
    };
    let (low, high) = (low.whole_i32(out), high.whole_i32(out));
    let (low, high) = (low?, high?);
    if low >= high {
        let note = "[smallest, largest], the smallest below the largest";
        return item.bad(format!("the range [{low}, {high}]"), note, out);
    }
    Some([low, high])
}

/// `mean` and `std`: both or neither, one number per channel.
fn normalization(
    fields: &mut Fields<'_>,
    shape: Option<&Shape>,
    out: &mut Diagnostics,
) -> Option<(Vec<f32>, Vec<f32>)> {
    let (mean, std) = (fields.optional("mean"), fields.optional("std"));
    let (mean, std) = match (mean, std) {
        (None, None) => return None,
        (Some(mean), Some(std)) => (mean, std),
        (Some(_), None) => {
            fields.required("std", "one per channel, because `mean` is given", out);
            return None;
        }
        (None, Some(_)) => {
            fields.required("mean", "one per channel, because `std` is given", out);
            return None;
        }
    };
    let mut per_channel = |item: &Item<'_>, positive: bool| {
        let items = item.list(out)?;
        let channels = shape?.channels();
        if items.len() != channels {
            let found = items.len();
            return item.bad(
                format!("{found} numbers for {channels} channels"),
                "one number per channel of `shape`",
                out,
            );
        }
        let numbers: Vec<Option<f32>> = items
            .iter()
            .map(|i| match i.number_f32(out)? {
                x if positive && x <= 0.0 => i.bad(format!("{x} is not positive"), "std > 0", out),
                x => Some(x),
            })
            .collect();
        numbers.into_iter().collect::<Option<Vec<f32>>>()
    };
    let (mean, std) = (per_channel(&mean, false), per_channel(&std, true));
    Some((mean?, std?))
}

fn readout(item: &Item<'_>, out: &mut Diagnostics) -> Option<ReadoutSpec> {
    let mut fields = item.fields(out)?;
    let kinds =
        [("spike_count", ReadoutKind::SpikeCount), ("mean_linear", ReadoutKind::MeanLinear)];
    let kind = fields
        .required("kind", "spike_count or mean_linear", out)
        .and_then(|i| i.choice("readout", &kinds, out));
    // Looked up later: the help for a missing node names candidates.
    let given = fields.optional("node");
    let absent = given.is_none();
    let node = given.and_then(|i| i.name(out));
    let classes = fields
        .required("classes", "number of scores", out)
        .and_then(|i| i.whole_u32(1..=1 << 26, out));
    fields.finish(out);
    if node.is_none() && !absent {
        return None;
    }
    Some(ReadoutSpec { kind: kind?, node, classes, path: item.path.clone() })
}

fn neurons(item: &Item<'_>, out: &mut Diagnostics) -> BTreeMap<String, NeuronEntry> {
    let entries = item.entries(flaw_of_name, out).into_iter();
    entries.map(|(name, item)| (name.text, (name.path, NeuronSpec::parse(&item, out)))).collect()
}

fn nodes(item: &Item<'_>, out: &mut Diagnostics) -> Option<Vec<NodeSpec>> {
    let items = item.list(out)?;
    if items.len() > MAX_NODES {
        out.push(
            Diagnostic::error(codes::LIMIT, format!("{} nodes", items.len()))
                .at(&item.path)
                .note(format!("at most {MAX_NODES} nodes")),
        );
        return None;
    }
    Some(items.iter().map(|i| NodeSpec::parse(i, out)).collect())
}
