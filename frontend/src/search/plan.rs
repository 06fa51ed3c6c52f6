//! From genes to cells in a network: channels, sizes, reductions, connections among modules.

use super::genes::{self, Decoding, MODULE};
use super::spec::{AdapterSpec, Body, CellsSpec};
use super::unfolding::{Cell, CellInput, Link, Preprocess, Totals, Unfolding};
use crate::genome::MAX_NODES;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics, Shape};

/// Most channels of a value.
const MAX_CHANNELS: u32 = 1 << 20;
/// Channels of the stem and of a reduction, in multiples of those of a state.
const STEM: u32 = 3;

/// Unfolds a genome. `None` if something is wrong, which is then reported.
pub(crate) fn unfold(
    name: &str,
    spec: &CellsSpec,
    input: &Shape,
    classes: u32,
    out: &mut Diagnostics,
) -> Option<Unfolding> {
    let decoding = genes::decode(spec, out);
    let input = maps(spec, input, out);
    let (Decoding { arity, cells, mut genes, glob }, input) = (decoding?, input?);
    let [_, height, width] = input;
    let mut plan = Plan {
        spec,
        arity,
        channels: spec.init_channels,
        outputs: vec![[STEM * spec.init_channels, height, width]],
    };
    let mut unfolded = Vec::with_capacity(cells.len());
    for (index, decoded) in cells.into_iter().enumerate() {
        unfolded.push(plan.cell(index, decoded, out)?);
    }
    let links = match &spec.body {
        Body::Modules { adapters, .. } => links(&glob, adapters, &unfolded, out)?,
        Body::Cells { .. } | Body::Genotype { .. } => Vec::new(),
    };
    for link in links.iter().filter(|link| link.adapter.is_none()) {
        let position = link.from * glob.len() + link.to;
        if let Some(gene) = genes.get_mut(position) {
            gene.meaning.push_str(", without effect");
            gene.neutral = true;
        }
    }
    bounded(&unfolded, out)?;
    Some(Unfolding {
        name: name.to_owned(),
        family: spec.body.family(),
        input,
        stem: spec.stem,
        init_channels: spec.init_channels,
        arity,
        semantics: spec.semantics,
        neuron: spec.neuron.text.clone(),
        cells: unfolded,
        links,
        genes,
        classes,
        totals: Totals::default(),
    })
}

/// The nodes that the cells become are as many as a genome could write out.
fn bounded(cells: &[Cell], out: &mut Diagnostics) -> Option<()> {
    let nodes = |cell: &Cell| {
        let graph = cell.graph.iter();
        let edges: usize = graph
            .map(|g| g.nodes.iter().map(|n| n.edges.len()).sum::<usize>() + g.feedback.len())
            .sum();
        // An edge is up to four nodes and a state, an input up to seven.
        5 * edges + 7 * cell.inputs.len()
    };
    let count: usize = cells.iter().map(nodes).sum();
    if count <= MAX_NODES {
        return Some(());
    }
    let message = format!("{} cells of up to {count} nodes", cells.len());
    let note = format!("at most {MAX_NODES} nodes");
    out.push(Diagnostic::error(codes::LIMIT, message).at("$.search").note(note));
    None
}

/// The input must be maps of `in_channels` channels.
fn maps(spec: &CellsSpec, input: &Shape, out: &mut Diagnostics) -> Option<[u32; 3]> {
    let expected = spec.in_channels;
    match input.as_chw() {
        Some(maps) if maps[0] == expected => Some(maps),
        _ => {
            out.push(
                Diagnostic::error(codes::SHAPE, format!("the input has the shape {input}"))
                    .at("$.input.shape")
                    .note(format!(
                        "expected [{expected}, height, width]: `in_channels` is {expected}"
                    )),
            );
            None
        }
    }
}

/// The network while its cells are placed.
struct Plan<'a> {
    spec: &'a CellsSpec,
    arity: usize,
    /// Channels of a state.
    channels: u32,
    /// Shapes of the stem's output and of those of all cells so far.
    outputs: Vec<[u32; 3]>,
}

impl Plan<'_> {
    fn cell(
        &mut self,
        index: usize,
        decoded: genes::Decoded,
        out: &mut Diagnostics,
    ) -> Option<Cell> {
        let genes::Decoded { template, graph, mut genes } = decoded;
        let reduction = self.spec.reduce_at.iter().position(|&at| at == index);
        let (inputs, output, graph) = if let Some(position) = reduction {
            self.channels *= 2;
            let input = self.reduction(index, position, out)?;
            for gene in &mut genes {
                gene.meaning = format!("not used: cell {index} is a reduction");
                gene.neutral = true;
            }
            let [_, height, width] = input.shape;
            (vec![input], [STEM * self.channels, height / 2, width / 2], None)
        } else {
            let inputs = self.inputs(index, out)?;
            let [_, height, width] = self.outputs[index];
            let joined = u32::try_from(graph.concat.len()).unwrap_or(u32::MAX);
            let channels = joined.saturating_mul(self.channels);
            (inputs, [channels, height, width], Some(graph))
        };
        if output[0] > MAX_CHANNELS {
            let message = format!("cell {index} has {} channels", output[0]);
            out.push(
                Diagnostic::error(codes::LIMIT, message)
                    .at("$.search")
                    .note(format!("at most {MAX_CHANNELS} channels")),
            );
            return None;
        }
        self.outputs.push(output);
        let channels = self.channels;
        Some(Cell { index, template, channels, inputs, graph, genes, output })
    }

    /// The newest output, whose height and width must be even.
    fn reduction(&self, index: usize, position: usize, out: &mut Diagnostics) -> Option<CellInput> {
        let shape = self.outputs[index];
        let [_, height, width] = shape;
        if height % 2 == 0 && width % 2 == 0 {
            let cell = index.checked_sub(1);
            return Some(CellInput { cell, shape, preprocess: Preprocess::Reduce });
        }
        out.push(
            Diagnostic::error(
                codes::ODD_MAP,
                format!("cell {index} would reduce maps of {height} x {width}"),
            )
            .at(format!("$.search.reduce_at[{position}]"))
            .note(
                "a reduction joins two convolutions of stride 2, the second on the maps without their \
                 first row and column; only even heights and widths give both the same size",
            )
            .help("choose an input whose height and width can be halved by every reduction"),
        );
        None
    }

    /// The outputs that cell `index` reads, oldest first. Before the first cell, the stem stands for
    /// all of them.
    fn inputs(&self, index: usize, out: &mut Diagnostics) -> Option<Vec<CellInput>> {
        let mut inputs = Vec::with_capacity(self.arity);
        for slot in 0..self.arity {
            // Cell k is entry k + 1 of the outputs.
            let entry = (index + 1 + slot).saturating_sub(self.arity);
            let between = entry..index;
            let reductions = self.spec.reduce_at.iter().filter(|at| between.contains(at)).count();
            let preprocess = match reductions {
                0 => Preprocess::Pointwise,
                1 => Preprocess::Reduce,
                2 => Preprocess::Reduce4,
                _ => {
                    out.push(three_reductions(index));
                    return None;
                }
            };
            let cell = entry.checked_sub(1);
            inputs.push(CellInput { cell, shape: self.outputs[entry], preprocess });
        }
        Some(inputs)
    }
}

fn three_reductions(index: usize) -> Diagnostic {
    Diagnostic::error(
        codes::NOT_RUNNABLE,
        format!("cell {index} reads an output that three reductions follow"),
    )
    .at("$.search.reduce_at")
    .note(
        "the released code names an operation F1 for this, which MSE-NAS does not define, so such a \
         network cannot be built; EB-NAS defines one that reduces to a quarter, where an eighth is \
         needed",
    )
    .help("put a cell that is no reduction between the reductions")
}

/// Connections among modules.
fn links(
    glob: &[Vec<bool>],
    adapters: &[AdapterSpec],
    cells: &[Cell],
    out: &mut Diagnostics,
) -> Option<Vec<Link>> {
    let modules = glob.len();
    let before = out.len();
    for (k, spec) in adapters.iter().enumerate() {
        let AdapterSpec { from, to, path, .. } = spec;
        let pair = format!("module {from} to module {to}");
        let problem = if *from >= modules || *to >= modules {
            format!("an adapter from {pair} of {modules} modules")
        } else if !glob[*from][*to] {
            format!("an adapter from {pair}, which the genome does not connect")
        } else if adapters[..k].iter().any(|a| (a.from, a.to) == (*from, *to)) {
            format!("a second adapter from {pair}")
        } else {
            continue;
        };
        let note = "one adapter for each connection of the genome that takes effect";
        out.push(Diagnostic::error(codes::ADAPTER, problem).at(path).note(note));
    }
    let connected = |from: usize, to: usize| glob[from][to];
    let mut links = Vec::new();
    for to in 0..modules {
        let mut first = true;
        for from in (0..modules).filter(|&from| connected(from, to)) {
            let spec = adapters.iter().find(|a| (a.from, a.to) == (from, to));
            let link = Connection { from, to, modules, first, spec, cells };
            links.extend(link.resolve(out));
            first = false;
        }
    }
    let wrong = out.iter().skip(before).any(|d| d.severity == snnc_ir::Severity::Error);
    (!wrong).then_some(links)
}

/// A bit of the connection matrix.
struct Connection<'a> {
    from: usize,
    to: usize,
    modules: usize,
    /// Whether it is the first source of its target.
    first: bool,
    spec: Option<&'a AdapterSpec>,
    cells: &'a [Cell],
}

impl Connection<'_> {
    fn resolve(&self, out: &mut Diagnostics) -> Option<Link> {
        let Self { from, to, .. } = *self;
        let source = self.cells[MODULE * from + MODULE - 1].output;
        // What the last cell of the module reads.
        let target = self.cells[MODULE * to + MODULE - 2].output;
        let pair = format!("module {from} to module {to}");
        let gene = MODULE_GENES * self.modules + from * self.modules + to;
        let delay = u32::from(from >= to);
        let sizes = format!("{} x {} to {} x {}", source[1], source[2], target[1], target[2]);
        let enlarges = source[1] < target[1] || source[2] < target[2];
        if enlarges && (self.first || self.spec.is_some()) {
            out.push(
                Diagnostic::error(
                    codes::ADAPTER,
                    format!("the connection of {pair} enlarges maps"),
                )
                .at(genes::path(gene))
                .note(format!("from {sizes}"))
                .note(
                    "the released code interpolates between cells for this, which has no form here",
                )
                .help("clear the connection's gene"),
            );
            return None;
        }
        let Some(spec) = self.spec else {
            let equal = source[1..] == target[1..];
            if self.first && !equal {
                out.push(
                    Diagnostic::error(
                        codes::ADAPTER,
                        format!("no adapter for the connection of {pair}"),
                    )
                    .at(genes::path(gene))
                    .note(format!("a convolution has to bring {} channels of {sizes}", source[0]))
                    .note(
                        "the released code draws its weights anew in every pass and saves none, so \
                             an export without adapters does not determine a network",
                    )
                    .help(format!(
                        "export one: {{ \"from\": {from}, \"to\": {to}, \"weight\": \
                             \"glob.{from}.{to}.weight\", \"k\": …, \"stride\": …, \"pad\": … }}"
                    )),
                );
                return None;
            }
            let why = if equal {
                "the released code skips connections of equal sizes"
            } else {
                "the released code takes only the first source of a module"
            };
            out.push(
                Diagnostic::warning(
                    codes::IDLE_CONNECTION,
                    format!("the connection of {pair} has no effect"),
                )
                .at(genes::path(gene))
                .note(why)
                .help("give it an adapter, or clear its gene"),
            );
            return Some(Link { from, to, delay, adapter: None });
        };
        if delay == 0 {
            out.push(
                Diagnostic::warning(
                    codes::STEP_ZERO,
                    format!("the connection of {pair} acts in step 0, too"),
                )
                .at(genes::path(gene))
                .note("the released code switches all connections off in step 0"),
            );
        }
        let adapter = &spec.adapter;
        let fits = |axis: usize| {
            let padded = source[axis] + 2 * adapter.pad;
            let rest = padded.checked_sub(adapter.kernel);
            rest.map(|rest| rest / adapter.stride + 1) == Some(target[axis])
        };
        if !(fits(1) && fits(2)) {
            out.push(
                Diagnostic::error(
                    codes::ADAPTER,
                    format!("the adapter of {pair} gives another size"),
                )
                .at(&spec.path)
                .note(format!("it has to bring maps of {sizes}"))
                .note("size = (size + 2 pad - k) / stride + 1, rounded down"),
            );
            return None;
        }
        Some(Link { from, to, delay, adapter: Some(adapter.clone()) })
    }
}

/// Genes of a module.
const MODULE_GENES: usize = MODULE + genes::PER_CELL - 1;
