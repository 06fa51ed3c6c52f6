//! The populations that get integers: what each reads, and in which order messages reach them.

use super::canonical::{Current, Term, current};
use super::fraction::{Fraction, common};
use super::host::Sample;
use super::{refuse, remarks};
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::{internal, quantize as codes};
use snnc_ir::network::{Coding, Dynamics, Keep, NetworkDraft, Neuron, Op};
use snnc_ir::{Diagnostic, Diagnostics, Param, Shape, TargetSpec};
use std::collections::{BTreeMap, BTreeSet};

/// A population that becomes neurons or graded relays.
#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    /// Its node.
    pub node: NodeId,
    /// Its name.
    pub name: &'a str,
    /// Its shape.
    pub shape: &'a Shape,
    /// What it consists of.
    pub model: Model<'a>,
    /// Projections from inputs, neurons and plain relays.
    pub spikes: Vec<Term>,
    /// Position among the members of the plain relays that each of these reads; `None` for spikes.
    pub relays: Vec<Option<usize>>,
    /// Projections from clips.
    pub messages: Vec<Message>,
    /// Currents from directly coded inputs.
    pub samples: Vec<Sample>,
    /// Bias of every neuron, which acts on the membrane (behind a current with memory); empty if there is
    /// none.
    pub bias: Vec<f64>,
}

impl Message {
    /// Whether its weights are rounded one by one; not so if all are 0.
    pub(super) fn is_rounded(&self) -> bool {
        self.fraction.is_none() && self.largest > 0.0
    }
}

/// What a population consists of.
#[derive(Clone, Debug)]
pub(super) enum Model<'a> {
    /// Neurons, whose membranes lose this share in every step.
    Neurons(&'a Neuron, Param<f64>),
    /// Graded relays that keep one sign.
    Relays(Keep),
    /// Plain relays of a chain.
    Stage,
}

/// A projection from graded relays.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// The projection.
    pub term: Term,
    /// Position of the relays among the members.
    pub from: usize,
    /// The weights, if they are whole multiples of a fraction: then they must become integers.
    pub fraction: Option<Fraction>,
    /// Largest absolute weight.
    pub largest: f64,
}

/// The members of a network that can be planned.
pub(super) struct Members<'a> {
    /// Those that messages of clips tie first, clips before what reads them; then plain relays, each before what
    /// reads it; then those that are free.
    pub all: Vec<Member<'a>>,
    /// How many are tied.
    pub tied: usize,
    /// How many are plain relays.
    pub stages: usize,
}

impl<'a> Members<'a> {
    fn new(members: Vec<Member<'a>>) -> Self {
        let class = |member: &Member<'_>| match member.model {
            Model::Stage => 1,
            _ if member.is_free() => 2,
            _ => 0,
        };
        let count = |wanted: usize| members.iter().filter(|m| class(m) == wanted).count();
        let (tied, stages) = (count(0), count(1));
        let mut next = [0, tied, tied + stages];
        let places: Vec<usize> = members
            .iter()
            .map(|member| {
                let own = next[class(member)];
                next[class(member)] += 1;
                own
            })
            .collect();
        let mut all = members;
        all.sort_by_key(class);
        for member in &mut all {
            member.messages.iter_mut().for_each(|message| message.from = places[message.from]);
            member.relays.iter_mut().flatten().for_each(|relays| *relays = places[*relays]);
        }
        Self { all, tied, stages }
    }
}

/// Reads the populations of `network`. What cannot become integers is reported and left out, and so
/// is what reads its messages.
pub(super) fn collect<'a>(
    network: &'a NetworkDraft,
    target: &TargetSpec,
    errors: &mut Diagnostics,
) -> Members<'a> {
    errors.extend(refuse::without_range(network));
    if let Some(finding) = refuse::without_contract(network, target) {
        errors.push(finding);
    }
    let mut open: BTreeMap<NodeId, (Model<'a>, Current)> = BTreeMap::new();
    for (id, node) in network.nodes.iter() {
        let model = match &node.op {
            Op::Neuron(neuron) => {
                let before = errors.len();
                let decay = refuse::neuron(&node.name, neuron, target, errors);
                let Some(decay) = decay.filter(|_| errors.len() == before) else { continue };
                Model::Neurons(neuron, decay)
            }
            Op::Relay(keep) if target.message_bits.value > 0 => {
                keep.map_or(Model::Stage, Model::Relays)
            }
            _ => continue,
        };
        match current(network, id) {
            Ok(current) => {
                open.insert(id, (model, current));
            }
            Err(error) => errors.push(error),
        }
    }
    let order = order(network, &open, errors);
    let mut members: Vec<Member<'a>> = Vec::new();
    let mut position = BTreeMap::new();
    for id in order {
        let Some((model, current)) = open.remove(&id) else { continue };
        let node = &network.nodes[id];
        let filtered = match &model {
            Model::Neurons(neuron, _) => neuron.dynamics.current().is_some(),
            Model::Relays(_) | Model::Stage => false,
        };
        if filtered && !current.bias.is_empty() {
            errors.push(not_fed(&node.name));
            continue;
        }
        let bias = match &model {
            Model::Neurons(neuron, _) if filtered => drive(neuron, &node.shape),
            _ => current.bias,
        };
        let mut member = Member {
            node: id,
            name: &node.name,
            shape: &node.shape,
            model,
            spikes: Vec::new(),
            relays: Vec::new(),
            messages: Vec::new(),
            samples: Vec::new(),
            bias,
        };
        let mut sound = true;
        for term in current.terms {
            sound &= member.read(network, term, &position, errors);
        }
        if let Some(problem) = refuse::mixed(network, &member) {
            errors.push(problem);
            sound = false;
        }
        if sound {
            position.insert(id, members.len());
            members.push(member);
        }
    }
    Members::new(members)
}

impl Member<'_> {
    /// Files a term of the current; false if it cannot be had.
    fn read(
        &mut self,
        network: &NetworkDraft,
        term: Term,
        position: &BTreeMap<NodeId, usize>,
        errors: &mut Diagnostics,
    ) -> bool {
        let source = &network.nodes[term.source];
        match &source.op {
            Op::Input(Coding::Direct { range }) => {
                // A missing range was reported once, for the input.
                let Some(range) = *range else { return false };
                if matches!(&self.model, Model::Neurons(n, _) if n.dynamics.current().is_some()) {
                    errors.push(refuse::not_filtered(self.name, &source.name));
                    return false;
                }
                let names = (self.name, source.name.as_str());
                let filed = Sample::new(network, &term, range, names)
                    .and_then(|sample| self.current(sample, names));
                filed.map_err(|error| errors.push(error)).is_ok()
            }
            Op::Relay(None) => {
                let Some(&from) = position.get(&term.source) else { return false };
                self.relays.push(Some(from));
                self.spikes.push(term);
                true
            }
            Op::Relay(Some(_)) => {
                let Some(&from) = position.get(&term.source) else { return false };
                let weights = &network.tensors[term.weight].data;
                let (fraction, largest) = (common(weights), largest(weights));
                self.messages.push(Message { term, from, fraction, largest });
                true
            }
            _ => {
                self.relays.push(None);
                self.spikes.push(term);
                true
            }
        }
    }

    /// Whether nothing ties its scale to that of another population.
    pub(super) const fn is_free(&self) -> bool {
        matches!(self.model, Model::Neurons(..)) && self.messages.is_empty()
    }

    /// Files a current from a directly coded input; two layers over one input are one current.
    fn current(&mut self, sample: Sample, names: (&str, &str)) -> Result<(), Diagnostic> {
        if let Some(first) = self.samples.iter_mut().find(|s| s.input == sample.input) {
            return first.join(&sample, names);
        }
        self.samples.push(sample);
        Ok(())
    }

    /// Largest absolute weight on spikes.
    pub(super) fn largest_on_spikes(&self, network: &NetworkDraft) -> f64 {
        self.spikes.iter().map(|t| largest(&network.tensors[t.weight].data)).fold(0.0, f64::max)
    }
}

/// What acts on the membrane behind a current with memory; empty if that is nothing.
fn drive(neuron: &Neuron, shape: &Shape) -> Vec<f64> {
    match &neuron.dynamics {
        Dynamics::Linear(linear) if linear.drive.values().iter().any(|d| d.abs() > 0.0) => {
            linear.drive.map(f64::from).expand(shape)
        }
        _ => Vec::new(),
    }
}

/// A bias that enters a current with memory, which the planner excludes.
fn not_fed(name: &str) -> Diagnostic {
    Diagnostic::error(
        internal::NOT_CANONICAL,
        format!("a bias enters the current with memory of `{name}`"),
    )
    .at(format!("population `{name}`"))
    .help("run `feed-currents` before this pass")
}

/// Largest absolute value.
pub(super) fn largest(values: &[f32]) -> f64 {
    values.iter().fold(0.0_f64, |m, &x| m.max(f64::from(x).abs()))
}

/// The populations in an order in which relays stand before what reads their messages, whatever the
/// delay, the smallest id first wherever there is a choice; without those in loops of relays, which
/// are reported, and what they reach.
fn order(
    network: &NetworkDraft,
    open: &BTreeMap<NodeId, (Model<'_>, Current)>,
    errors: &mut Diagnostics,
) -> Vec<NodeId> {
    let is_relay = |id: &NodeId| matches!(open.get(id), Some((Model::Relays(_) | Model::Stage, _)));
    let mut readers: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    let mut missing: BTreeMap<NodeId, usize> = open.keys().map(|&id| (id, 0)).collect();
    for (&id, (_, current)) in open {
        for source in current.terms.iter().map(|t| t.source).filter(is_relay) {
            readers.entry(source).or_default().push(id);
            *missing.entry(id).or_default() += 1;
        }
    }
    let mut ready: BTreeSet<NodeId> =
        missing.iter().filter(|(_, n)| **n == 0).map(|(&id, _)| id).collect();
    let mut order = Vec::new();
    while let Some(id) = ready.pop_first() {
        order.push(id);
        missing.remove(&id);
        for reader in readers.get(&id).into_iter().flatten() {
            if let Some(n) = missing.get_mut(reader) {
                *n -= 1;
                if *n == 0 {
                    ready.insert(*reader);
                }
            }
        }
    }
    // What is left lies on loops or behind them; what reaches no loop is behind.
    let mut looped: BTreeSet<NodeId> = missing.into_keys().collect();
    loop {
        let reaches = |id: &NodeId| {
            readers.get(id).into_iter().flatten().any(|reader| looped.contains(reader))
        };
        let kept: BTreeSet<NodeId> = looped.iter().copied().filter(reaches).collect();
        if kept.len() == looped.len() {
            break;
        }
        looped = kept;
    }
    if !looped.is_empty() {
        let names: Vec<_> = looped.iter().map(|&id| network.nodes[id].name.as_str()).collect();
        errors.push(graded_loop(&names));
    }
    order
}

fn graded_loop(names: &[&str]) -> Diagnostic {
    Diagnostic::error(
        codes::GRADED_CYCLE,
        format!("messages go round in a loop of relays without a neuron: {}", remarks::list(names)),
    )
    .at(format!("node `{}`", names.first().copied().unwrap_or_default()))
    .note("what goes round is added up without bound, and messages are integers of a few bits")
    .help("put a population of neurons into the loop")
}
