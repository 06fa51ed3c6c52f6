//! From cells to nodes of the graph, and the tensors that the nodes need.
//!
//! The nodes are the very ones that a genome could have written out; they go the same way from here.
//! Names are the paths of the modules in the state dict of the released code; states, which are no
//! modules there, are called `cells.I.state.S`, versions after feedback `cells.I.state.S.v1`.

use super::cell::{CellGraph, Operation, Semantics, Sign, StateRef};
use super::genes::{self, MODULE};
use super::unfolding::{Cell, Preprocess, Stem, Totals, Unfolding};
use crate::fields::Name;
use crate::genome::{
    BiasSpec, EdgeSpec, NodeSpec, OpSpec, Population, WeightKind, WeightSpec, Window,
};
use snnc_ir::Shape;

/// What PyTorch adds to a variance by default, which the released code never changes.
const EPS: f64 = 1e-5;
/// Channels of the first convolution of [`Stem::ConvConv`].
const FIRST: u32 = 3;
/// Name of the input node.
const INPUT: &str = "input";
/// Name of the node read out.
pub(crate) const CLASSIFIER: &str = "classifier";

/// What a tensor is for; it decides how random values look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Weight of a convolution or of the classifier, with that many inputs per output.
    Weight { fan_in: u32 },
    /// Bias of the classifier, whose weight has that many inputs per output.
    Bias { fan_in: u32 },
    /// Scale of a batch normalization.
    Gamma,
    /// Its shift.
    Beta,
    /// Its running mean.
    Mean,
    /// Its running variance.
    Variance,
}

impl Role {
    /// Whether the tensor is learnt, and so a parameter.
    const fn is_parameter(self) -> bool {
        match self {
            Self::Weight { .. } | Self::Bias { .. } | Self::Gamma | Self::Beta => true,
            Self::Mean | Self::Variance => false,
        }
    }
}

/// A tensor that the network needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) name: String,
    pub(crate) shape: Vec<u32>,
    pub(crate) role: Role,
    /// Path of the field that asks for it.
    pub(crate) path: String,
}

impl Needed {
    /// Number of values; channels are bounded, so it fits.
    pub(crate) fn size(&self) -> u64 {
        self.shape.iter().map(|&d| u64::from(d)).product()
    }
}

/// The nodes of an unfolded genome, and what they need.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) nodes: Vec<NodeSpec>,
    pub(crate) needed: Vec<Needed>,
    pub(crate) totals: Totals,
}

/// An analog value or spikes: the node that has it, how long ago, and its shape.
#[derive(Clone, Debug)]
struct Value {
    node: String,
    delay: u32,
    shape: [u32; 3],
}

impl Value {
    fn delayed(&self) -> Self {
        Self { delay: 1, ..self.clone() }
    }
}

/// All nodes of the network.
pub(crate) fn parts(unfolding: &Unfolding) -> Parts {
    let mut maker = Maker { unfolding, made: Parts::default(), path: "$.search".to_owned() };
    maker.push(INPUT, OpSpec::Input, &[]);
    let stem = maker.stem();
    let mut outputs = vec![stem];
    for cell in &unfolding.cells {
        maker.linked(cell.index, &mut outputs);
        let output = maker.cell(cell, &outputs);
        outputs.push(output);
    }
    maker.readout(&outputs[unfolding.cells.len()]);
    maker.made.totals.nodes = maker.made.nodes.len();
    maker.made
}

struct Maker<'a> {
    unfolding: &'a Unfolding,
    made: Parts,
    /// Path of the field that the next nodes come from.
    path: String,
}

impl Maker<'_> {
    fn name(&self, text: impl Into<String>) -> Name {
        Name { text: text.into(), path: self.path.clone() }
    }

    /// A node that reads `inputs`.
    fn push(&mut self, name: &str, op: OpSpec, inputs: &[&Value]) {
        let inputs = inputs
            .iter()
            .map(|v| EdgeSpec { node: self.name(v.node.as_str()), delay: v.delay })
            .collect();
        let id = Some(self.name(name));
        let node = NodeSpec { id, op: Some(op), inputs: Some(inputs), path: self.path.clone() };
        self.made.nodes.push(node);
    }

    /// As [`Maker::push`]: the value of the node, which has the shape `shape`.
    fn value(&mut self, name: &str, op: OpSpec, inputs: &[&Value], shape: [u32; 3]) -> Value {
        self.push(name, op, inputs);
        Value { node: name.to_owned(), delay: 0, shape }
    }

    fn need(&mut self, name: String, shape: Vec<u32>, role: Role) {
        let needed = Needed { name, shape, role, path: self.path.clone() };
        if role.is_parameter() {
            self.made.totals.parameters += needed.size();
        }
        self.made.needed.push(needed);
    }

    /// A population of the neurons of the genome.
    fn neurons(&mut self, name: &str, input: &Value) -> Value {
        let model =
            Name { text: self.unfolding.neuron.clone(), path: "$.search.neuron".to_owned() };
        let population = Population { neuron: model, threshold: None, w: None };
        self.made.totals.populations += 1;
        self.made.totals.neurons += input.shape.iter().map(|&d| u64::from(d)).product::<u64>();
        self.value(name, OpSpec::Neuron(population), &[input], input.shape)
    }

    /// A convolution without bias; `size` is that of its output.
    fn conv(&mut self, name: &str, input: &Value, shape: [u32; 3], window: Window) -> Value {
        self.conv_of(name, &format!("{name}.weight"), input, shape, window)
    }

    fn conv_of(
        &mut self,
        name: &str,
        weight: &str,
        input: &Value,
        shape: [u32; 3],
        window: Window,
    ) -> Value {
        let [height, width] = window.kernel;
        let (target, source) = (shape[0], input.shape[0]);
        // Channels and kernels are bounded, so the product fits or is cut off far beyond any use.
        let fan_in = source.saturating_mul(height).saturating_mul(width);
        let extents = vec![target, source, height, width];
        self.need(weight.to_owned(), extents, Role::Weight { fan_in });
        let kind = WeightKind::Dense(self.name(weight));
        let weight = WeightSpec { kind, path: self.path.clone() };
        let op = OpSpec::Conv2d { weight, bias: None, window, groups: 1 };
        self.value(name, op, &[input], shape)
    }

    fn batch_norm(&mut self, name: &str, input: &Value) -> Value {
        let channels = vec![input.shape[0]];
        for (suffix, role) in [
            ("weight", Role::Gamma),
            ("bias", Role::Beta),
            ("running_mean", Role::Mean),
            ("running_var", Role::Variance),
        ] {
            self.need(format!("{name}.{suffix}"), channels.clone(), role);
        }
        let op = OpSpec::BatchNorm { prefix: self.name(name), eps: EPS };
        self.value(name, op, &[input], input.shape)
    }

    fn clip(&mut self, name: &str, input: Value, sign: Sign) -> Value {
        match sign.keep() {
            Some(keep) => self.value(name, OpSpec::Clip(keep), &[&input], input.shape),
            None => input,
        }
    }

    fn stem(&mut self) -> Value {
        let [channels, height, width] = self.unfolding.input;
        let mut value =
            Value { node: INPUT.to_owned(), delay: 0, shape: [channels, height, width] };
        let target = [3 * self.unfolding.init_channels, height, width];
        let layers: &[[u32; 3]] = match self.unfolding.stem {
            Stem::Conv => &[target],
            Stem::ConvConv => &[[FIRST, height, width], target],
        };
        for (k, &shape) in layers.iter().enumerate() {
            value = self.conv(&format!("stem.{k}"), &value, shape, same(3));
        }
        self.batch_norm(&format!("stem.{}", layers.len()), &value)
    }

    /// Adds what other modules feed to the newest output, if cell `index` is the last of a module.
    /// The next cell reads the sum, too.
    fn linked(&mut self, index: usize, outputs: &mut [Value]) {
        if index % MODULE != MODULE - 1 {
            return;
        }
        let unfolding = self.unfolding;
        for link in unfolding.links.iter().filter(|l| l.to == index / MODULE) {
            let Some(adapter) = &link.adapter else { continue };
            let (from, to) = (link.from, link.to);
            "$.search.adapters".clone_into(&mut self.path);
            let last = MODULE * from + MODULE - 1;
            // The source may not have been made yet; its name and shape are known all the same.
            let cell = &unfolding.cells[last];
            let source = Value { node: output_name(cell), delay: link.delay, shape: cell.output };
            let target = outputs[index].clone();
            let [kernel, stride, pad] =
                [[adapter.kernel; 2], [adapter.stride; 2], [adapter.pad; 2]];
            let window = Window { kernel, stride, pad: [pad[0]; 4] };
            let name = format!("glob.{from}.{to}");
            let adapted = self.conv_of(&name, &adapter.weight, &source, target.shape, window);
            let name = format!("glob.{from}.{to}.sum");
            outputs[index] = self.value(&name, OpSpec::Add, &[&adapted, &target], target.shape);
        }
    }

    fn cell(&mut self, cell: &Cell, outputs: &[Value]) -> Value {
        self.path = cell_path(cell);
        // Entry 0 of the outputs is the stem's.
        let inputs: Vec<&Value> =
            cell.inputs.iter().map(|i| &outputs[i.cell.map_or(0, |c| c + 1)]).collect();
        let Some(graph) = &cell.graph else {
            return self.reduce(&cell.input_module(0), inputs[0], cell.output[0]);
        };
        let channels = cell.channels;
        let mut states = Vec::with_capacity(graph.arity + graph.nodes.len());
        for (k, input) in inputs.into_iter().enumerate() {
            let module = cell.input_module(k);
            let state = match cell.inputs[k].preprocess {
                Preprocess::Pointwise => {
                    let spikes = self.spikes(&module, input);
                    self.conv_bn(&module, &spikes, channels, pointwise())
                }
                Preprocess::Reduce => self.reduce(&module, input, channels),
                Preprocess::Reduce4 => {
                    let half = self.reduce(&module, input, channels);
                    let quarter = halved(half.shape);
                    self.conv(&format!("{module}.op"), &half, quarter, halving())
                }
            };
            states.push(state);
        }
        CellMaker { maker: self, cell, graph, states }.output()
    }

    /// The spikes that a convolution of module `module` reads; without populations on edges, the value
    /// itself.
    fn spikes(&mut self, module: &str, input: &Value) -> Value {
        if self.unfolding.family.spiking_edges() {
            self.neurons(&format!("{module}.op.0"), input)
        } else {
            input.clone()
        }
    }

    /// Convolution and batch normalization of a module, after its population if it has one.
    fn conv_bn(&mut self, module: &str, input: &Value, channels: u32, window: Window) -> Value {
        let [_, height, width] = input.shape;
        let first = usize::from(self.unfolding.family.spiking_edges());
        let shape = [channels, height, width];
        let value = self.conv(&format!("{module}.op.{first}"), input, shape, window);
        self.batch_norm(&format!("{module}.op.{}", first + 1), &value)
    }

    /// A factorized reduction to half the height and width.
    fn reduce(&mut self, module: &str, input: &Value, channels: u32) -> Value {
        let spikes = self.neurons(&format!("{module}.activation"), input);
        let [_, height, width] = halved(input.shape);
        let half = [channels / 2, height, width];
        let first = self.conv(&format!("{module}.conv_1"), &spikes, half, halving());
        let [source, rows, columns] = input.shape;
        let rest = [source, rows - 1, columns - 1];
        let crop = OpSpec::Crop([1, 0, 1, 0]);
        let cropped = self.value(&format!("{module}.crop"), crop, &[&spikes], rest);
        let second = self.conv(&format!("{module}.conv_2"), &cropped, half, halving());
        let whole = [channels, height, width];
        let name = format!("{module}.concat");
        let joined = self.value(&name, OpSpec::Concat, &[&first, &second], whole);
        self.batch_norm(&format!("{module}.bn"), &joined)
    }

    fn readout(&mut self, last: &Value) {
        "$.search".clone_into(&mut self.path);
        let spikes = self.neurons("global_pooling.0", last);
        let channels = last.shape[0];
        let pooled = [channels, 1, 1];
        let pooled = self.value("global_pooling.1", OpSpec::GlobalAvgPool, &[&spikes], pooled);
        let classes = self.unfolding.classes;
        let role = Role::Weight { fan_in: channels };
        self.need(format!("{CLASSIFIER}.weight"), vec![classes, channels], role);
        let role = Role::Bias { fan_in: channels };
        self.need(format!("{CLASSIFIER}.bias"), vec![classes], role);
        let kind = WeightKind::Dense(self.name(format!("{CLASSIFIER}.weight")));
        let weight = WeightSpec { kind, path: self.path.clone() };
        let bias = Some(BiasSpec::Dense(self.name(format!("{CLASSIFIER}.bias"))));
        self.push(CLASSIFIER, OpSpec::Linear { weight, bias }, &[&pooled]);
    }
}

/// The nodes of one cell.
struct CellMaker<'m, 'a> {
    maker: &'m mut Maker<'a>,
    cell: &'m Cell,
    graph: &'m CellGraph,
    /// Newest version of each state so far.
    states: Vec<Value>,
}

impl CellMaker<'_, '_> {
    fn output(mut self) -> Value {
        let graph = self.graph;
        if graph.semantics == Semantics::Delay1 {
            self.fed_inputs();
        }
        for node in &graph.nodes {
            let mut terms = Vec::new();
            for edge in &node.edges {
                let input = self.states[edge.source.state].clone();
                let module = self.cell.edge_module(edge);
                self.maker.path = self.gene_path(edge.gene);
                terms.extend(self.operation(&module, edge.operation, &input, false));
            }
            if graph.semantics == Semantics::Delay1 {
                terms.extend(self.fed(node.state));
            }
            let state = self.sum(StateRef { state: node.state, version: 0 }, &terms);
            self.states.push(state);
            if graph.semantics == Semantics::SameStep {
                self.feed_back(node.state);
            }
        }
        let parts: Vec<Value> = graph.concat.iter().map(|s| self.states[s.state].clone()).collect();
        let parts: Vec<&Value> = parts.iter().collect();
        self.maker.path = cell_path(self.cell);
        let name = output_name(self.cell);
        self.maker.value(&name, OpSpec::Concat, &parts, self.cell.output)
    }

    /// Path of the gene that chose an operation, or of the cell.
    fn gene_path(&self, gene: Option<usize>) -> String {
        gene.map_or_else(|| cell_path(self.cell), genes::path)
    }

    fn state_name(&self, state: StateRef) -> String {
        format!("cells.{}.state.{state}", self.cell.index)
    }

    /// A state as the sum of `terms`; 0 if there is none.
    fn sum(&mut self, state: StateRef, terms: &[Value]) -> Value {
        let name = self.state_name(state);
        self.maker.path = cell_path(self.cell);
        let [_, height, width] = self.states[0].shape;
        let shape = [self.cell.channels, height, width];
        if terms.is_empty() {
            return self.maker.value(&name, OpSpec::Zero(Shape(shape.to_vec())), &[], shape);
        }
        let terms: Vec<&Value> = terms.iter().collect();
        self.maker.value(&name, OpSpec::Add, &terms, shape)
    }

    /// The value of an operation on `input`, or `None` for zero. A `delayed` operation reads the
    /// value of the previous step; where it has a population, that one's spikes of the previous step.
    fn operation(
        &mut self,
        module: &str,
        operation: Operation,
        input: &Value,
        delayed: bool,
    ) -> Option<Value> {
        let late = |value: Value| if delayed { value.delayed() } else { value };
        let (value, sign) = match operation {
            // No network is unfolded from cells of vectors.
            Operation::Zero | Operation::Mlp { .. } => return None,
            Operation::Identity { sign } => (late(input.clone()), sign),
            Operation::AvgPool { sign } => {
                let op = OpSpec::AvgPool { window: same(3), exclude_pad: true };
                let name = format!("{module}.pool");
                let read = late(input.clone());
                (self.maker.value(&name, op, &[&read], input.shape), sign)
            }
            Operation::Conv { size, sign } => {
                let read = late(self.maker.spikes(module, input));
                (self.maker.conv_bn(module, &read, self.cell.channels, same(size)), sign)
            }
        };
        Some(self.maker.clip(&format!("{module}.clip"), value, sign))
    }

    /// Feedback in the same step, after the node of `state` was made.
    fn feed_back(&mut self, state: usize) {
        let graph = self.graph;
        let Some(back) = graph.feedback.iter().find(|b| b.after == state) else { return };
        self.maker.path = self.gene_path(back.gene);
        let module = self.cell.feedback_module(back);
        let input = self.states[state].clone();
        let Some(value) = self.operation(&module, back.operation, &input, false) else { return };
        let before = self.states[back.to.state].clone();
        self.states[back.to.state] = self.sum(back.to, &[before, value]);
    }

    /// What delayed feedback adds to `state`. The node that it reads may not have been made yet; its
    /// name and shape are known all the same.
    fn fed(&mut self, state: usize) -> Vec<Value> {
        let graph = self.graph;
        let mut values = Vec::new();
        for back in graph.feedback.iter().filter(|b| b.to.state == state) {
            self.maker.path = self.gene_path(back.gene);
            let [_, height, width] = self.states[0].shape;
            let shape = [self.cell.channels, height, width];
            let node = self.state_name(StateRef { state: back.after, version: 0 });
            let input = Value { node, delay: 0, shape };
            let module = self.cell.feedback_module(back);
            values.extend(self.operation(&module, back.operation, &input, true));
        }
        values
    }

    /// Adds delayed feedback to the input states.
    fn fed_inputs(&mut self) {
        for state in 0..self.graph.arity {
            let mut terms = self.fed(state);
            if !terms.is_empty() {
                terms.insert(0, self.states[state].clone());
                self.states[state] = self.sum(StateRef { state, version: 0 }, &terms);
            }
        }
    }
}

/// Name of the node that has the output of a cell.
fn output_name(cell: &Cell) -> String {
    match cell.graph {
        Some(_) => format!("cells.{}", cell.index),
        None => format!("{}.bn", cell.input_module(0)),
    }
}

/// Path of the gene that chose the cell, or of the genotype.
fn cell_path(cell: &Cell) -> String {
    cell.genes.first().map_or("$.search.genotype".to_owned(), |gene| genes::path(gene.position))
}

/// A quarter of the cells.
const fn halved([channels, height, width]: [u32; 3]) -> [u32; 3] {
    [channels, height / 2, width / 2]
}

/// A window of odd extent that keeps the size.
const fn same(size: u32) -> Window {
    Window { kernel: [size; 2], stride: [1; 2], pad: [size / 2; 4] }
}

const fn pointwise() -> Window {
    same(1)
}

/// The window of both convolutions of a reduction.
const fn halving() -> Window {
    Window { kernel: [3; 2], stride: [2; 2], pad: [1; 4] }
}
