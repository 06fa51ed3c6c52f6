//! Integer networks as graphs: in units of weights, 64 of the membrane's.

use super::super::graph::Primitive;
use super::builder::{Builder, Value};
use super::choices::{self, Says, euler, reading};
use super::neuron::Writer;
use super::wiring::{Read, Wiring};
use super::{Exported, INTEGERS, INTEGERS_HASH, ops};
use snnc_ir::arena::{Entity, MatId, PopId};
use snnc_ir::diag::codes::nir_export as codes;
use snnc_ir::network::discretization::{ResetRule, SpikesPerStep};
use snnc_ir::network::neuron::{Current, LinearDynamics};
use snnc_ir::network::{Discretization, Dynamics, Neuron, Reset};
use snnc_ir::quantized::{
    Graded, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    Structure,
};
use snnc_ir::{Diagnostic, Diagnostics, Param};

/// Units of the membrane in a unit of weight.
const UNIT: f32 = 64.0;
/// Denominator of decays.
const WHOLE: f32 = 4096.0;

/// See [`super::export_integers`].
pub(super) fn export(
    network: &QuantizedDraft,
    dt: f64,
    (beside, hash): (&str, &str),
) -> Result<Exported, Diagnostics> {
    let mut builder = Builder::default();
    let neurons =
        network.populations.values().filter_map(|p| Some((p.name.as_str(), says(p.neuron()?))));
    let discretization = choices::of(neurons, euler(dt), &mut builder);
    let own = network.projections.values().filter(|p| p.source == p.target);
    let implied = own.map(|p| (p.target.index(), p.source.index())).collect();
    let wiring = Wiring::new(implied, discretization.step());
    let writer = IntegerWriter { network, builder, choices: &discretization, wiring };
    let mut builder = writer.write();
    reading(&discretization, &mut builder);
    builder.found.push(
        Diagnostic::note_only(
            codes::EXPORT_INTEGERS,
            format!("the graph is real-valued: the integers themselves are in {beside}"),
        )
        .note("weights, thresholds and decays are those of the integers; their truncation is not in it"),
    );
    let more = [(INTEGERS, beside), (INTEGERS_HASH, hash)];
    let (file, notes) = builder.finish((&discretization, network.steps), &more)?;
    Ok(Exported { file, discretization, notes })
}

const fn says(neuron: &IntNeuron) -> Says {
    let reset = match neuron.reset {
        IntReset::Zero => ResetRule::Value,
        IntReset::Subtract(_) => ResetRule::Subtract,
    };
    (neuron.compare, reset, SpikesPerStep::One)
}

struct IntegerWriter<'a> {
    network: &'a QuantizedDraft,
    builder: Builder,
    choices: &'a Discretization,
    wiring: Wiring,
}

fn place(population: &Population) -> String {
    format!("population {}", population.name)
}

impl IntegerWriter<'_> {
    fn write(mut self) -> Builder {
        let network = self.network;
        for (id, population) in network.populations.iter() {
            let shape = self.extents(id);
            let primitive = match &population.kind {
                PopKind::Input(_) => Some(Primitive::Input { shape: shape.clone() }),
                PopKind::Neurons(neuron) => self.neuron(population, neuron, &shape),
                PopKind::Graded(graded) => self.relay(population, graded, &shape),
            };
            if let Some(primitive) = primitive {
                let name = self.builder.node(&population.name, primitive);
                self.wiring.values.insert(id.index(), Value { terms: vec![name], shape });
            }
        }
        for projection in network.projections.values() {
            let (source, target) = (projection.source, projection.target);
            let read =
                Read { reader: target.index(), source: source.index(), delay: projection.delay };
            let at = place(&network.populations[target]);
            if let Some(value) = self.wiring.seen(&mut self.builder, read, &at)
                && let Some(current) = self.synapses(projection, &value)
            {
                self.feed(target, &current);
            }
        }
        self.host();
        self.readout();
        self.builder
    }

    /// Extents in the graph: those of the convolutions around it; a vector where other matrices lead to it.
    fn extents(&self, id: PopId) -> Vec<usize> {
        let population = &self.network.populations[id];
        let projections = &self.network.projections;
        let structure = |m: MatId| &self.network.matrices[m].structure;
        let wide = |extents: [u32; 3]| extents.map(|d| d as usize).to_vec();
        let mut into = projections.values().filter(|p| p.target == id).peekable();
        if into.peek().is_none() {
            let read = projections.values().filter(|p| p.source == id);
            let conv = read.filter_map(|p| match structure(p.matrix) {
                Structure::Conv(c) => Some(wide(c.input)),
                _ => None,
            });
            let own = population.shape.0.iter().map(|&d| d as usize).collect();
            return conv.into_iter().next().unwrap_or(own);
        }
        let shapes: Option<Vec<Vec<usize>>> = into
            .map(|p| match structure(p.matrix) {
                Structure::Conv(c) => c.output().map(wide),
                _ => None,
            })
            .collect();
        match shapes {
            Some(shapes) if shapes.iter().all(|s| *s == shapes[0]) => shapes[0].clone(),
            _ => vec![population.size()],
        }
    }

    fn neuron(
        &mut self,
        population: &Population,
        neuron: &IntNeuron,
        extents: &[usize],
    ) -> Option<Primitive> {
        let at = place(population);
        if neuron.refractory > 1 {
            self.builder.refuse(&at, "refractory time", "set `refractory` to 1, which is none");
        }
        if neuron.floor.is_some() {
            self.builder.refuse(&at, "lowest membranes", "keep the integers as .snnb");
        }
        if neuron.update_period > 1 {
            let help = "write the integers in logical time: `snnc convert` of the level before";
            self.builder.refuse(&at, "neurons that update in some steps only", help);
        }
        if let IntReset::Subtract(amount) = &neuron.reset
            && amount.expand(&population.shape) != neuron.threshold.expand(&population.shape)
        {
            let help = "subtract the threshold";
            self.builder.refuse(
                &at,
                "a reset that subtracts another amount than the threshold",
                help,
            );
        }
        let exact = |x: i32| i64::from(x).unsigned_abs() <= 1 << 24;
        let values = neuron.threshold.values().iter().chain(neuron.bias.values());
        if values.copied().any(|v| !exact(v)) {
            let help = "keep the integers as .snnb";
            self.builder.refuse(&at, "thresholds and biases of more than 24 bits in f32", help);
        }
        let remembers = neuron.du.values().iter().any(|&d| d < 4095);
        let dynamics = Dynamics::Linear(LinearDynamics {
            current: remembers.then(|| Current {
                keep: neuron.du.map(|du| (WHOLE - f32::from(du) - 1.0) / WHOLE),
                gain: Param::Uniform(1.0),
            }),
            keep: neuron.dv.map(|dv| (WHOLE - f32::from(dv)) / WHOLE),
            gain: Param::Uniform(1.0),
            drive: neuron.bias.map(in_weights),
        });
        let float = Neuron {
            compare: neuron.compare,
            reset: match neuron.reset {
                IntReset::Zero => Reset::To(0.0),
                IntReset::Subtract(_) => Reset::Subtract,
            },
            ..Neuron::plain(dynamics, neuron.threshold.map(in_weights))
        };
        let mut writer = Writer {
            builder: &mut self.builder,
            choices: self.choices,
            place: at,
            shape: &population.shape,
            extents,
        };
        writer.primitive(&float)
    }

    /// A relay without state, as the factor that its shift is.
    fn relay(
        &mut self,
        population: &Population,
        graded: &Graded,
        shape: &[usize],
    ) -> Option<Primitive> {
        let at = place(population);
        if graded.keep.is_some() {
            self.builder.refuse(&at, "a clip by sign", "remove the sign of the edge");
            return None;
        }
        if graded.bias.values().iter().any(|&b| !Graded::silent(graded.shift, b)) {
            let help = "compile with `--lowering materialized`, which has no such relays";
            self.builder.refuse(&at, "biases of values without state", help);
            return None;
        }
        self.builder.found.push(
            Diagnostic::note_only(
                codes::EXPORT_READING,
                format!("messages of `{}` are not rounded in the graph", population.name),
            )
            .at(at),
        );
        let factor = (-f32::from(graded.shift)).exp2();
        Some(Primitive::Scale { scale: super::builder::floats(shape, |_| factor) })
    }

    /// What arrives through a projection.
    fn synapses(&mut self, projection: &Projection, value: &Value) -> Option<Value> {
        let network = self.network;
        let (target, ints) = (projection.target, &network.matrices[projection.matrix]);
        let [from, to] = [projection.source, target].map(|p| &network.populations[p].name);
        let name = format!("{from}_{to}");
        #[expect(clippy::cast_precision_loss, reason = "weights have at most 22 bits")]
        let weight = |i: usize| ints.weight(i) as f32;
        match &ints.structure {
            Structure::Identity { .. } => {
                let factor = [weight(0)];
                let extents = self.extents(target);
                let value = ops::flat_unless(&mut self.builder, value, &extents);
                Some(ops::scale(&mut self.builder, &name, &value, &factor))
            }
            Structure::Conv(conv) => {
                let kernel: Vec<f32> = (0..ints.mantissa.len()).map(weight).collect();
                ops::conv(&mut self.builder, &name, value, conv, &kernel, None)
            }
            Structure::Dense { rows, cols } | Structure::Sparse { rows, cols, .. } => {
                let (rows, cols) = (*rows as usize, *cols as usize);
                let Some(size) = rows.checked_mul(cols).filter(|&n| n <= ops::LARGEST) else {
                    let what = format!("a sparse matrix: {rows} x {cols} values would be too many");
                    self.builder.refuse(
                        &format!("matrix {}", ints.name),
                        &what,
                        "keep it as .snnb",
                    );
                    return None;
                };
                let mut dense = vec![0.0; size];
                for row in 0..rows {
                    ints.structure.for_row(row, |col, i| dense[row * cols + col] = weight(i));
                }
                Some(ops::linear(&mut self.builder, &name, value, dense, None))
            }
        }
    }

    fn feed(&mut self, target: PopId, current: &Value) {
        let Some(neurons) = self.wiring.values.get(&target.index()) else { return };
        let (name, extents) = (neurons.terms[0].clone(), neurons.shape.clone());
        let current = ops::flat_unless(&mut self.builder, current, &extents);
        self.builder.read(&current, &name);
    }

    /// What the host adds for directly coded inputs.
    fn host(&mut self) {
        for host in &self.network.host {
            let at = place(&self.network.populations[host.target]);
            let Some(value) = self.wiring.values.get(&host.input.index()).cloned() else {
                continue;
            };
            #[expect(clippy::cast_possible_truncation, reason = "the graph holds f32")]
            let weights: Vec<f32> =
                host.weights.iter().map(|&w| (f64::from(w) * host.scale) as f32).collect();
            let [from, to] =
                [host.input, host.target].map(|p| self.network.populations[p].name.clone());
            let name = format!("{from}_{to}");
            let current = match &host.structure {
                Structure::Dense { .. } => {
                    Some(ops::linear(&mut self.builder, &name, &value, weights, None))
                }
                Structure::Conv(conv) => {
                    ops::conv(&mut self.builder, &name, &value, conv, &weights, None)
                }
                Structure::Sparse { .. } | Structure::Identity { .. } => {
                    self.builder.refuse(&at, "a sparse current of the host", "keep it as .snnb");
                    None
                }
            };
            if let Some(current) = current {
                self.feed(host.target, &current);
            }
            self.builder.found.push(
                Diagnostic::note_only(
                    codes::EXPORT_READING,
                    format!("the current of `{from}` is not rounded in the graph"),
                )
                .at(at),
            );
        }
    }

    fn readout(&mut self) {
        let value = match &self.network.readout {
            IntReadout::SpikeCount(p) => self.wiring.values.get(&p.index()).cloned(),
            IntReadout::MeanLinear { terms, bias } => {
                self.builder.found.push(
                    Diagnostic::note_only(
                        codes::EXPORT_READING,
                        "the output is a current, whose mean over all steps is the score",
                    )
                    .at("readout"),
                );
                let mut sum = Value { terms: Vec::new(), shape: vec![bias.len()] };
                let mut bias = Some(bias.clone());
                for (p, weights) in terms {
                    let Some(value) = self.wiring.values.get(&p.index()).cloned() else { continue };
                    let name = format!("{}_score", self.network.populations[*p].name);
                    let builder = &mut self.builder;
                    let term = ops::linear(builder, &name, &value, weights.clone(), bias.take());
                    sum.terms.extend(term.terms);
                }
                Some(sum)
            }
        };
        let Some(value) = value else { return };
        let name = self.builder.node("output", Primitive::Output { shape: value.shape.clone() });
        self.builder.read(&value, &name);
    }
}

/// Units of the membrane as units of weight.
#[expect(clippy::cast_precision_loss, reason = "larger values are refused")]
fn in_weights(units: i32) -> f32 {
    units as f32 / UNIT
}
