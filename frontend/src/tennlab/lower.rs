//! RISP's neurons as neurons of the integer contract, in the [forms](super::forms) that reproduce them.

use super::Placed;
use super::forms::{Form, REGISTER, forms, parts};
use super::risp::Risp;
use snnc_ir::Diagnostics;
use snnc_ir::arena::{Arena, Entity, MatId, PopId};
use snnc_ir::network::{Coding, Compare, Provenance, UpdateOrder};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    Role, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;
use std::collections::BTreeMap;

/// The integer network, and where each neuron is in it.
pub(super) fn lower(
    risp: &Risp,
    name: &str,
    steps: u32,
    out: &mut Diagnostics,
) -> Option<(QuantizedDraft, Vec<Placed>)> {
    let forms = forms(risp, out)?;
    Some(Lowering::new(risp, forms).draft(risp, name, steps))
}

/// The parts of the network as they are put together.
struct Lowering {
    forms: Vec<Form>,
    /// Population and place of each neuron.
    places: Vec<Place>,
    /// As `places`, of the neurons that have companions.
    companions: Vec<Option<Place>>,
    input: PopId,
    populations: Arena<PopId, Population>,
    names: Vec<&'static str>,
}

/// Population and place of a neuron.
type Place = (PopId, usize);

/// What a synapse is, its ends, delay and weight.
type Synapse = (Kind, [Place; 2], u32, i64);

/// Synapses of one matrix: (target, source, mantissa).
type Entries = Vec<(usize, usize, i16)>;

/// What synapses of one matrix share: what they are, source, target, delay, sign and exponent.
type Group = (Kind, PopId, PopId, u32, Sign, i8);

/// What synapses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Inputs,
    Edges,
    /// From a companion, or from a neuron to itself: what the companion adds and takes back.
    Boosts,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Inputs => "Inputs",
            Self::Edges => "Edges",
            Self::Boosts => "Boosts",
        }
    }
}

/// Synapses by matrix.
#[derive(Default)]
struct Synapses(BTreeMap<Group, Entries>);

impl Synapses {
    /// From and to a place in a population, over `delay` steps.
    fn add(&mut self, kind: Kind, ends: [Place; 2], delay: u32, weight: i64) {
        let [(source, col), (target, row)] = ends;
        let sign = if weight < 0 { Sign::Inhibitory } else { Sign::Excitatory };
        for (mantissa, exponent) in parts(weight) {
            let group = (kind, source, target, delay, sign, exponent);
            self.0.entry(group).or_default().push((row, col, mantissa));
        }
    }
}

impl Lowering {
    fn new(risp: &Risp, forms: Vec<Form>) -> Self {
        let mut populations = Arena::default();
        let mut names = Vec::new();
        let input = populations.push(Population {
            name: "input".to_owned(),
            shape: Shape::flat(count(risp.inputs.len())),
            role: Role::Logical,
            kind: PopKind::Input(Coding::Events),
        });
        names.push("input");
        let mut is_output = vec![false; risp.neurons.len()];
        risp.outputs.iter().for_each(|&output| is_output[output] = true);
        let hidden: Vec<usize> = (0..forms.len()).filter(|&neuron| !is_output[neuron]).collect();
        let mut places = vec![(input, 0); forms.len()];
        for (name, members) in [("hidden", &hidden), ("output", &risp.outputs)] {
            if members.is_empty() {
                continue;
            }
            let forms: Vec<Form> = members.iter().map(|&member| forms[member]).collect();
            let id = populations.push(population(name, &forms));
            names.push(name);
            members.iter().enumerate().for_each(|(place, &member)| places[member] = (id, place));
        }
        let boosted: Vec<usize> =
            (0..forms.len()).filter(|&neuron| forms[neuron].boost > 0).collect();
        let mut companions = vec![None; forms.len()];
        if !boosted.is_empty() {
            let own: Vec<Form> = boosted.iter().map(|&neuron| forms[neuron].companion()).collect();
            let id = populations.push(population("touch", &own));
            boosted.iter().zip(0..).for_each(|(&neuron, i)| companions[neuron] = Some((id, i)));
        }
        Self { forms, places, companions, input, populations, names }
    }

    /// What arrives at a neuron, and at its companion.
    fn arrive(
        &self,
        kind: Kind,
        from: Place,
        to: usize,
        (delay, charge): (u32, i64),
    ) -> Vec<Synapse> {
        let form = self.forms[to];
        let weight = charge * form.factor + form.touch;
        let mut found = vec![(kind, [from, self.places[to]], delay, weight)];
        let touch = |companion| (kind, [from, companion], delay, form.companion().touch);
        found.extend(self.companions[to].map(touch));
        found
    }

    /// What a companion adds to its neuron, and what undoes that.
    fn boosts(&self, neuron: usize) -> Vec<Synapse> {
        let (form, place) = (self.forms[neuron], self.places[neuron]);
        let Some(companion) = self.companions[neuron] else { return Vec::new() };
        let mut found = vec![(Kind::Boosts, [companion, place], 0, form.boost)];
        if form.keeps_boost {
            found.push((Kind::Boosts, [companion, place], 1, -form.boost));
            found.push((Kind::Boosts, [place, place], 1, form.boost));
        }
        found
    }

    fn draft(self, risp: &Risp, name: &str, steps: u32) -> (QuantizedDraft, Vec<Placed>) {
        let mut groups = Synapses::default();
        let inputs = risp.inputs.iter().enumerate().flat_map(|(place, &input)| {
            self.arrive(Kind::Inputs, (self.input, place), input, (0, risp.charge))
        });
        let edges = risp.edges.iter().flat_map(|edge| {
            let from = self.places[edge.from];
            self.arrive(Kind::Edges, from, edge.to, (edge.delay, edge.weight))
        });
        let boosts = (0..self.forms.len()).flat_map(|neuron| self.boosts(neuron));
        for (kind, ends, delay, weight) in inputs.chain(edges).chain(boosts) {
            groups.add(kind, ends, delay, weight);
        }
        let mut matrices = Arena::default();
        let mut projections = Arena::default();
        for ((kind, source, target, delay, sign, exponent), entries) in groups.0 {
            let [rows, cols] = [target, source].map(|id| self.populations[id].size());
            let scale = if exponent == 1 { String::new() } else { format!(", · 2^{exponent}") };
            let name = format!("{}, delay {delay}, {}{scale}", kind.name(), sign.name());
            let matrix = matrix(name, kind.name(), entries, [rows, cols], (sign, exponent));
            let matrix: MatId = matrices.push(matrix);
            projections.push(Projection { source, target, matrix, delay });
        }
        let placed = self.places.iter().zip(&risp.neurons).map(|(&(id, neuron), node)| Placed {
            id: node.id,
            population: self.names[id.index()],
            neuron,
        });
        let places = placed.collect();
        let output = risp.outputs.first().map_or(self.input, |&first| self.places[first].0);
        let draft = QuantizedDraft {
            name: name.to_owned(),
            steps,
            time: Time::Logical,
            populations: self.populations,
            projections,
            matrices,
            host: Vec::new(),
            readout: IntReadout::SpikeCount(output),
        };
        (draft, places)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn population(name: &str, forms: &[Form]) -> Population {
    // Weights are bounded, so this fits or is refused by the verifier.
    let narrow =
        |value: i64| i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX });
    let floors = forms.iter().any(|form| form.floor.is_some());
    let floor = |form: &Form| narrow(form.floor.unwrap_or(-REGISTER));
    let kind = PopKind::Neurons(IntNeuron {
        du: Param::Uniform(4095),
        dv: param(forms.iter().map(|form| form.dv).collect()),
        threshold: param(forms.iter().map(|form| narrow(form.threshold)).collect()),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: floors.then(|| param(forms.iter().map(floor).collect())),
    });
    let shape = Shape::flat(count(forms.len()));
    Population { name: name.to_owned(), shape, role: Role::Logical, kind }
}

/// Values of neurons, stored once if they are all the same.
fn param<T: Copy + PartialEq>(values: Vec<T>) -> Param<T> {
    match values.split_first() {
        Some((&first, rest)) if rest.iter().all(|&value| value == first) => Param::Uniform(first),
        _ => Param::PerNeuron(values),
    }
}

fn matrix(
    name: String,
    from: &str,
    mut entries: Entries,
    [rows, cols]: [usize; 2],
    (sign, exponent): (Sign, i8),
) -> IntMatrix {
    entries.sort_unstable();
    let mut row_start = vec![0; rows + 1];
    for &(row, ..) in &entries {
        row_start[row + 1] += 1;
    }
    for row in 0..rows {
        row_start[row + 1] += row_start[row];
    }
    let col = entries.iter().map(|&(_, col, _)| count(col)).collect();
    let mantissa = entries.iter().map(|&(.., mantissa)| mantissa).collect();
    IntMatrix {
        name,
        structure: Structure::Sparse { rows: count(rows), cols: count(cols), row_start, col },
        mantissa,
        exponent,
        sign,
        provenance: Provenance::Dense { tensor: from.to_owned() },
    }
}
