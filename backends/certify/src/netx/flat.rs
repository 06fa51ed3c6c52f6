//! A decoded NetX file as a program of one core without limits of size.
//!
//! Compartments follow one another layer by layer, populations as the layout cuts the layers. The axons of
//! the core are the columns of the file's input, then the compartments. A matrix of the file is one synapse block, or
//! one per delay; a kernel stays a kernel.

mod neurons;
mod places;
mod synapses;

use super::{Layer, Layout, Netx, Part, Synapses};
use places::Places;
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::artifact;
use snnc_ir::program::{InputRoute, Program, ProgramCore, Symbol, SymbolRole};
use std::collections::BTreeSet;

type Flat<T> = Result<T, Box<Diagnostic>>;

fn error(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(artifact::NETX_LAYERS, message)
}

fn at(layer: usize, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(error(message).at(format!("layer/{layer}")))
}

/// What the next layer reads.
struct Source {
    /// Axon of its first neuron.
    axon: u32,
    /// Number of neurons.
    size: u32,
    /// Channels, rows and columns, while they are kept apart.
    volume: Option<[u32; 3]>,
    /// Whether a dense layer may read it: what a convolution sends has to be flattened first.
    flat: bool,
}

/// The program under construction.
struct Flattened {
    program: Program,
    core: ProgramCore,
    /// Columns of the file's input.
    inputs: u32,
}

/// Builds the program of `netx`, whose populations lie as `layout` says and are called as in `symbols`.
pub(super) fn program(netx: &Netx, layout: &Layout, symbols: &Program) -> Flat<Program> {
    let Some((Layer::Input { shape }, layers)) = netx.layers.split_first() else {
        return Err(at(0, "the first layer is no input"));
    };
    let inputs = size(shape).ok_or_else(|| at(0, "the input has no extent"))?;
    let mut core = Flattened::new(symbols, inputs);
    core.inputs(layout, inputs)?;
    let mut places = Places::of(layout)?;
    let mut source = Source { axon: 0, size: inputs, volume: volume(shape), flat: true };
    for (index, layer) in (1..).zip(layers) {
        match layer {
            Layer::Input { .. } => return Err(at(index, "a second input")),
            Layer::Flatten => {
                source.volume = None;
                source.flat = true;
            }
            Layer::Neurons(neurons) => {
                let rows = size(&neurons.shape).ok_or_else(|| at(index, "no neurons"))?;
                let first = core.compartments()?;
                core.neurons(index, neurons, rows, &mut places)?;
                core.synapses(index, neurons, &source, (first, rows))?;
                let conv = matches!(neurons.synapses, Synapses::Conv { .. });
                source = Source {
                    axon: inputs + first,
                    size: rows,
                    volume: volume(&neurons.shape).filter(|_| conv),
                    flat: !conv,
                };
            }
        }
    }
    if let Some(part) = places.parts.first() {
        return Err(Box::new(
            error(format!(
                "the layout puts it into layer {}, which has no such neurons",
                part.layer
            ))
            .at(format!("population \"{}\"", part.population)),
        ));
    }
    core.finish()
}

fn size(shape: &[u32]) -> Option<u32> {
    let size = shape.iter().try_fold(1_u32, |n, &d| n.checked_mul(d))?;
    (size > 0 && !shape.is_empty()).then_some(size)
}

fn volume(shape: &[u32]) -> Option<[u32; 3]> {
    shape.try_into().ok()
}

impl Flattened {
    fn new(symbols: &Program, inputs: u32) -> Self {
        let symbol = |s: &Symbol| Symbol { block: 1, ..s.clone() };
        let program = Program {
            populations: symbols.populations.iter().map(symbol).collect(),
            values: Vec::new(),
            matrices: Vec::new(),
            inputs: Vec::new(),
            cores: Vec::new(),
            // A file has no place for what the host writes.
            host: Vec::new(),
            name: symbols.name.clone(),
            target: symbols.target.clone(),
            readout: symbols.readout.clone(),
            ..*symbols
        };
        let core = ProgramCore {
            chip: 0,
            cell: 0,
            profiles: Vec::new(),
            thresholds: Vec::new(),
            formats: Vec::new(),
            compartments: Vec::new(),
            axons: inputs,
            synapses: Vec::new(),
            routes: Vec::new(),
        };
        Self { program, core, inputs }
    }

    /// The symbol of a part, which must have as many neurons.
    fn symbol(&self, part: &Part, input: bool) -> Flat<u32> {
        let wrong = |message: String| {
            Err(Box::new(error(message).at(format!("population \"{}\"", part.population))))
        };
        let symbols = &self.program.populations;
        let Some(index) = symbols.iter().position(|s| s.name == part.population) else {
            return wrong("the layout places what the program does not have".to_owned());
        };
        let symbol = &symbols[index];
        if matches!(symbol.role, SymbolRole::Input(_)) != input {
            return wrong(
                "the layout takes an input for neurons, or neurons for an input".to_owned(),
            );
        }
        if symbol.shape.size() != part.len {
            let size = symbol.shape.size();
            return wrong(format!("the layout gives it {} of {size} neurons", part.len));
        }
        u32::try_from(index).or_else(|_| wrong("there are too many populations".to_owned()))
    }

    fn inputs(&mut self, layout: &Layout, size: u32) -> Flat<()> {
        let mut columns = BTreeSet::new();
        for part in &layout.inputs {
            let population = self.symbol(part, true)?;
            let end = part.first.checked_add(part.len).filter(|&end| end <= size as usize);
            if part.layer != 0 || end.is_none() {
                return Err(at(0, format!("the input \"{}\" lies outside", part.population)));
            }
            columns.extend(part.first..part.first + part.len);
            let [first, len] = [part.first, part.len].map(narrow);
            let route = InputRoute { population, first: 0, len, core: 0, axon: first };
            self.program.inputs.push(route);
        }
        // Two inputs in one column share an axon, which the comparison refuses.
        if columns.len() != size as usize {
            let message =
                format!("{} of {size} columns of the input belong to an input", columns.len());
            return Err(at(0, message));
        }
        Ok(())
    }

    fn compartments(&self) -> Flat<u32> {
        let runs = &self.core.compartments;
        let all = runs.iter().try_fold(self.inputs, |n, run| n.checked_add(run.len));
        let all = all.ok_or_else(|| Box::new(error("there are more than 2^32 neurons")))?;
        Ok(all - self.inputs)
    }

    fn finish(mut self) -> Flat<Program> {
        self.core.axons = self.inputs + self.compartments()?;
        self.program.cores.push(self.core);
        Ok(self.program)
    }
}

/// The position of an item, added if it is new.
fn index_of<T: PartialEq>(items: &mut Vec<T>, item: T) -> u32 {
    let known = items.iter().rposition(|i| *i == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    });
    narrow(known)
}

/// Counts of what is in memory or was compared with a `u32`.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
