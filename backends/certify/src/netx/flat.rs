//! A decoded NetX file as a program of one core without limits of size.
//!
//! Compartments follow one another layer by layer, populations as the layout cuts the layers. The axons of
//! the core are the columns of the file's input, then the compartments. A matrix of the file is one synapse block, or
//! one per delay; a kernel stays a kernel.

use super::{Layer, Layout, Netx, Neurons, Numbers, Part, Synapses, loader};
use snnc_ir::Diagnostic;
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::artifact;
use snnc_ir::program::{
    CompartmentRun, Format, InputRoute, Layout as Order, PoolMatrix, Profile, Program, ProgramCore,
    Registers, Route, Symbol, SymbolRole, SynapseBlock,
};
use snnc_ir::quantized::Structure;
use std::collections::BTreeSet;

type Flat<T> = Result<T, Box<Diagnostic>>;

/// Exponent of all biases: the loader knows no other.
const BIAS_EXPONENT: u8 = 6;
/// Largest delay that the loader keeps.
const MAX_DELAY: i32 = 62;

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

/// Parts of the layout that are still to be placed, by layer and position.
struct Places<'l> {
    parts: Vec<&'l Part>,
}

impl<'l> Places<'l> {
    fn of(layout: &'l Layout) -> Flat<Self> {
        let mut parts: Vec<&Part> = layout.populations.iter().collect();
        parts.sort_by_key(|part| (part.layer, part.first));
        if let Some(empty) = parts.iter().find(|part| part.len == 0) {
            let message = "the layout gives it no neurons";
            return Err(Box::new(
                error(message).at(format!("population \"{}\"", empty.population)),
            ));
        }
        Ok(Self { parts })
    }

    /// The parts of a layer of `rows` neurons, which they must tile.
    fn take(&mut self, layer: usize, rows: u32) -> Flat<Vec<&'l Part>> {
        let of = self.parts.iter().take_while(|part| part.layer == layer).count();
        let parts: Vec<&Part> = self.parts.drain(..of).collect();
        let mut next = 0_usize;
        for part in &parts {
            if part.first != next {
                let message = format!("the layout does not tile the layer at neuron {next}");
                return Err(at(layer, message));
            }
            next = next.saturating_add(part.len);
        }
        if next != rows as usize {
            return Err(at(layer, format!("the layout has {next} neurons of the layer's {rows}")));
        }
        Ok(parts)
    }
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

    /// Adds the compartments of a layer, population by population.
    fn neurons(
        &mut self,
        layer: usize,
        neurons: &Neurons,
        rows: u32,
        places: &mut Places<'_>,
    ) -> Flat<()> {
        let conv = matches!(neurons.synapses, Synapses::Conv { .. });
        let shape = &neurons.shape;
        let current = Parameter::of("iDecay", &neurons.current_decay, layer, shape, conv)?;
        let membrane = Parameter::of("vDecay", &neurons.membrane_decay, layer, shape, conv)?;
        let threshold = Parameter::of("vThMant", &neurons.threshold, layer, shape, conv)?;
        let bias = neurons.bias.as_ref();
        let bias = bias.map(|b| Parameter::of("bias", b, layer, shape, conv)).transpose()?;
        let outside = |name: &str, value: i32| at(layer, format!("{name} is {value}"));
        let register = |name: &str, value: i32| {
            u16::try_from(value).ok().filter(|&v| v <= 4095).ok_or_else(|| outside(name, value))
        };
        let one = |i: usize, core: &mut ProgramCore| -> Flat<Registers> {
            let profile = Profile {
                du: register("iDecay − 1", current.at(i).saturating_sub(1))?,
                dv: register("vDecay", membrane.at(i))?,
                refractory: 1,
                subtract: None,
                update: (1, 0),
                graded: None,
                floor: None,
            };
            let fires =
                u32::try_from(threshold.at(i)).map_err(|_| outside("vThMant", threshold.at(i)))?;
            let bias = bias.as_ref().map_or(0, |bias| bias.at(i));
            Ok(Registers {
                profile: index_of(&mut core.profiles, profile),
                threshold: index_of(&mut core.thresholds, fires),
                bias_mantissa: i16::try_from(bias).map_err(|_| outside("bias", bias))?,
                bias_exponent: BIAS_EXPONENT,
            })
        };
        for part in places.take(layer, rows)? {
            let population = self.symbol(part, false)?;
            let mut cycle = Vec::new();
            for i in part.first..part.first + part.len {
                cycle.push(one(i, &mut self.core)?);
            }
            if cycle.iter().all(|r| *r == cycle[0]) {
                cycle.truncate(1);
            }
            let len = narrow(part.len);
            let compartment = self.compartments()?;
            self.core.compartments.push(CompartmentRun { population, first: 0, len, cycle });
            let axon = self.inputs + compartment;
            self.core.routes.push(Route { compartment, len, core: 0, axon });
        }
        Ok(())
    }

    /// Adds the synapses into `rows` compartments from `first` on.
    fn synapses(
        &mut self,
        layer: usize,
        neurons: &Neurons,
        source: &Source,
        (first, rows): (u32, u32),
    ) -> Flat<()> {
        let why = |message: String| at(layer, message);
        match &neurons.synapses {
            Synapses::Dense { weight, recurrent, delay } => {
                if !source.flat {
                    return Err(at(
                        layer,
                        "a dense layer reads a convolution that is not flattened",
                    ));
                }
                let own =
                    Source { axon: self.inputs + first, size: rows, volume: None, flat: true };
                let mut matrices = vec![(weight, source)];
                matrices.extend(recurrent.as_ref().map(|r| (r, &own)));
                for (matrix, source) in &matrices {
                    if matrix.shape != [rows as usize, source.size as usize] {
                        let found = &matrix.shape;
                        let size = source.size;
                        return Err(at(
                            layer,
                            format!("a matrix of {found:?} for {rows} × {size}"),
                        ));
                    }
                }
                let values: Vec<&[i32]> = matrices.iter().map(|(m, _)| &m.values[..]).collect();
                let received = loader::received(&values).map_err(why)?;
                for ((_, source), weights) in matrices.iter().zip(received) {
                    self.dense(layer, &weights, delay.as_ref(), source, (first, rows))?;
                }
                Ok(())
            }
            Synapses::Conv { weight, stride, padding: [tall, wide], groups } => {
                let fits = |conv: &Conv| {
                    let extents = [conv.kernel[0], conv.kernel[1], stride[0], stride[1], *groups];
                    let divides = extents.iter().all(|&n| n > 0)
                        && conv.input[0].is_multiple_of(*groups)
                        && conv.out_channels.is_multiple_of(*groups);
                    divides
                        && conv.output().map(Vec::from).as_ref() == Some(&neurons.shape)
                        && weight.shape == conv.kernel_shape().map(|d| d as usize)
                };
                let conv = source.volume.zip(<[usize; 4]>::try_from(&weight.shape[..]).ok());
                let conv = conv.map(|(input, [out, _, high, broad])| Conv {
                    input,
                    out_channels: narrow(out),
                    kernel: [narrow(high), narrow(broad)],
                    stride: *stride,
                    pad: [*tall, *tall, *wide, *wide],
                    groups: *groups,
                    crop: [0; 4],
                });
                let Some(conv) = conv.filter(fits) else {
                    return Err(at(layer, "the kernel does not fit what it reads and the neurons"));
                };
                let (values, format) = loader::stored(&weight.values).map_err(why)?;
                self.block(Structure::Conv(conv), values, format, 0, source, (first, rows));
                Ok(())
            }
        }
    }

    fn dense(
        &mut self,
        layer: usize,
        weights: &[i32],
        delay: Option<&Numbers>,
        source: &Source,
        (first, rows): (u32, u32),
    ) -> Flat<()> {
        let cols = source.size;
        let register = |d: i32| {
            u8::try_from(d).ok().filter(|_| d <= MAX_DELAY).ok_or_else(|| {
                at(
                    layer,
                    format!("the delay {d} is outside 0 to {MAX_DELAY}, and the loader cuts it"),
                )
            })
        };
        let whole = Structure::Dense { rows, cols };
        let delays = match delay {
            None => return self.stored(layer, whole, weights, 0, source, (first, rows)),
            Some(Numbers { shape, values }) if shape.is_empty() => {
                let delay = register(values.first().copied().unwrap_or(0))?;
                return self.stored(layer, whole, weights, delay, source, (first, rows));
            }
            Some(Numbers { shape, values }) if *shape == [rows as usize, cols as usize] => values,
            Some(_) => return Err(at(layer, "the delays are neither one nor one per synapse")),
        };
        let mut all = BTreeSet::new();
        for &delay in delays {
            all.insert(register(delay)?);
        }
        for delay in all {
            let (mut row_start, mut col, mut stored) = (vec![0], Vec::new(), Vec::new());
            for row in 0..rows as usize {
                for c in 0..cols {
                    let i = row * cols as usize + c as usize;
                    if delays[i] == i32::from(delay) && weights[i] != 0 {
                        col.push(c);
                        stored.push(weights[i]);
                    }
                }
                row_start.push(narrow(col.len()));
            }
            if !stored.is_empty() {
                let structure = Structure::Sparse { rows, cols, row_start, col };
                self.stored(layer, structure, &stored, delay, source, (first, rows))?;
            }
        }
        Ok(())
    }

    fn stored(
        &mut self,
        layer: usize,
        structure: Structure,
        weights: &[i32],
        delay: u8,
        source: &Source,
        target: (u32, u32),
    ) -> Flat<()> {
        let (values, format) = loader::stored(weights).map_err(|why| at(layer, why))?;
        self.block(structure, values, format, delay, source, target);
        Ok(())
    }

    fn block(
        &mut self,
        structure: Structure,
        values: Vec<i16>,
        format: Format,
        delay: u8,
        source: &Source,
        (compartment, compartments): (u32, u32),
    ) {
        let (rows, cols) = (Order::ROW_MAJOR, Order::ROW_MAJOR);
        let program = &mut self.program;
        program.matrices.push(PoolMatrix {
            structure,
            values: narrow(program.values.len()),
            rows,
            cols,
        });
        program.values.push(values);
        self.core.synapses.push(SynapseBlock {
            format: index_of(&mut self.core.formats, format),
            matrix: narrow(program.matrices.len() - 1),
            delay,
            axon: source.axon,
            axons: source.size,
            col: 0,
            compartment,
            compartments,
            row: 0,
        });
    }

    fn finish(mut self) -> Flat<Program> {
        self.core.axons = self.inputs + self.compartments()?;
        self.program.cores.push(self.core);
        Ok(self.program)
    }
}

/// A parameter of a layer's neurons.
enum Parameter<'n> {
    Uniform(i32),
    Each(&'n [i32]),
    /// One per channel of `plane` neurons.
    Channels {
        values: &'n [i32],
        plane: usize,
    },
    /// In Lava's order: column, row, channel.
    Volume {
        values: &'n [i32],
        extents: [usize; 3],
    },
}

impl<'n> Parameter<'n> {
    /// Refuses extents that are not those of the neurons.
    fn of(name: &str, numbers: &'n Numbers, layer: usize, shape: &[u32], conv: bool) -> Flat<Self> {
        let values = &numbers.values[..];
        let shape: Vec<usize> = shape.iter().map(|&d| d as usize).collect();
        match (&numbers.shape[..], &shape[..]) {
            ([], _) if values.len() == 1 => Ok(Self::Uniform(values[0])),
            (&[n], &[c, h, w]) if conv && n == c => Ok(Self::Channels { values, plane: h * w }),
            (found, &[c, h, w]) if conv && *found == [w, h, c] => {
                Ok(Self::Volume { values, extents: [c, h, w] })
            }
            (&[n], all) if !conv && n == all.iter().product() => Ok(Self::Each(values)),
            (found, _) => {
                let message =
                    format!("the extents {found:?} of {name} are not those of the neurons");
                Err(at(layer, message))
            }
        }
    }

    /// The value of neuron `i`, row-major.
    fn at(&self, i: usize) -> i32 {
        match *self {
            Self::Uniform(value) => value,
            Self::Each(values) => values[i],
            Self::Channels { values, plane } => values[i / plane],
            Self::Volume { values, extents: [channels, rows, columns] } => {
                let (line, column) = (i / columns, i % columns);
                values[(column * rows + line % rows) * channels + line / rows]
            }
        }
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
