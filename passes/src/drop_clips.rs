//! `drop-clips`: clips that cannot change a value vanish (class: real-exact).
//!
//! Spikes are not negative, so a current whose weights and biases all have the sign that its clip
//! keeps passes the clip unchanged. The terms of such a clip move into the currents that read it:
//! maps are composed, delays and biases add up as in `lower-currents`. A clip whose current has
//! always the other sign contributes nothing, and one without weights contributes a constant. The
//! signs of what a clip reads follow from its sources: inputs and spikes are at least 0, unless the
//! range of a direct input says otherwise; what a clip keeps has its sign.
//!
//! Each clip costs a population of graded relays, and chips without graded spikes have none. A clip
//! that passes its current stays nevertheless
//! * if it has a bias and is read with a delay (see `lower-currents`), or reads itself;
//! * if the matrices of its readers would be too large, or (on a target with graded spikes) lose
//!   the structure of a convolution or become a product of two matrices.
//!
//! ```text
//! // before: all weights of tensor0 and tensor1 are at least 0
//! node1 "w" [2] = linear(node0) weight tensor0 bias tensor1
//! node2 "plus" [2] = clip(node1) keep positive
//! node3 "id" [2] = conv2d(node2) weight tensor2 conv [2, 1, 1] to 2 kernel [1, 1] …
//! node4 "y" [2] = neuron(node3) …
//! // after
//! node1 "w" [2] = linear(node0) weight tensor0 bias tensor1
//! node2 "y" [2] = neuron(node1) …
//! ```
//!
//! Complexity: O(weights + clips · terms), plus the products.

use crate::currents::{Bias, Current, Term, read_all, write};
use crate::feed_currents;
use crate::framework::{Class, Context, Pass, PassInfo, Property};
use crate::graph::add_delays;
use crate::linear::{Chain, LinearOp, Matrix};
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::network;
use snnc_ir::network::{Coding, Keep, Op, Readout};
use snnc_ir::{Diagnostic, Diagnostics, Network, NetworkDraft};
use std::collections::BTreeMap;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct DropClips;

static INFO: PassInfo = PassInfo {
    name: "drop-clips",
    summary: "remove clips that cannot change a value",
    class: Class::RealExact,
    requires: &[Property::GenesLowered, Property::Canonical],
    establishes: &[],
    invalidates: &[
        Property::SilentFolded,
        Property::NodesMerged,
        Property::DeadRemoved,
        Property::TensorsShared,
    ],
    options: &[],
};

impl Pass for DropClips {
    type From = Network;
    type To = Network;

    fn info(&self) -> &'static PassInfo {
        &INFO
    }

    fn run(
        &self,
        mut draft: NetworkDraft,
        cx: &mut Context<'_>,
    ) -> Result<NetworkDraft, Diagnostics> {
        let mut currents = read_all(&draft)?;
        let fed = feed_currents::is_clean(&draft);
        // What passes a clip is decided for all clips before any current changes.
        let idle: Vec<(NodeId, Idle)> = currents
            .iter()
            .filter_map(|(&id, current)| Some((id, idle(&draft, id, current)?)))
            .collect();
        let keeps_structure = cx.target.message_bits.value > 0;
        let mut dropped = Vec::new();
        for (clip, idle) in idle {
            if let Some(changed) = without(&draft, &currents, clip, idle, keeps_structure)? {
                currents.extend(changed);
                currents.remove(&clip);
                dropped.push(format!("`{}`", draft.nodes[clip].name));
            }
        }
        if dropped.is_empty() {
            return Ok(draft);
        }
        if fed {
            // What a clip contributed in every step is a bias now.
            feed_currents::feed(&mut draft, &mut currents);
        }
        cx.remarks.push(Diagnostic::note_only(
            network::CLIPS_DROPPED,
            format!("removed clips that cannot change a value: {}", dropped.join(", ")),
        ));
        write::rebuild(draft, currents, INFO.name, "unclipped")
    }
}

/// What a clip that need not be one contributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// Its whole current.
    Passes,
    /// Nothing.
    Blocks,
    /// The part of its bias that has the sign.
    Constant(Keep),
}

/// What `id` contributes, if it is a clip that need not be one.
fn idle(draft: &NetworkDraft, id: NodeId, current: &Current) -> Option<Idle> {
    let Op::Relay(Some(keep)) = draft.nodes[id].op else { return None };
    let mut signs = Signs::default();
    let bias = current.bias.iter().flat_map(|b| &b.values);
    bias.for_each(|&b| signs.add(b, Some(Keep::Positive)));
    for term in &current.terms {
        let source = sign_of(&draft.nodes[term.source].op);
        weights(draft, &term.op, |w| signs.add(w, source));
    }
    let (kept, other) = match keep {
        Keep::Positive => (signs.positive, signs.negative),
        Keep::Negative => (signs.negative, signs.positive),
    };
    match (kept, other) {
        (_, false) => Some(Idle::Passes),
        (false, true) => Some(Idle::Blocks),
        (true, true) if has_no_weight(draft, current) => Some(Idle::Constant(keep)),
        (true, true) => None,
    }
}

/// Which signs the values of a current may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Signs {
    positive: bool,
    negative: bool,
}

impl Signs {
    /// Adds a product of `factor` and a value of the sign `value`; `None` may have both.
    fn add(&mut self, factor: f64, value: Option<Keep>) {
        if factor.abs() > 0.0 {
            let rises = (factor > 0.0) == (value == Some(Keep::Positive));
            self.positive |= rises || value.is_none();
            self.negative |= !rises || value.is_none();
        }
    }
}

/// The sign of all values of a source, if they have one.
fn sign_of(op: &Op) -> Option<Keep> {
    match op {
        Op::Input(Coding::Direct { range }) => match range {
            Some([low, _]) if *low >= 0 => Some(Keep::Positive),
            Some([_, high]) if *high <= 0 => Some(Keep::Negative),
            _ => None,
        },
        Op::Relay(keep) => *keep,
        _ => Some(Keep::Positive),
    }
}

/// Visits the weights of a canonical term.
fn weights(draft: &NetworkDraft, op: &LinearOp, visit: impl FnMut(f64)) {
    if let LinearOp::Dense(Matrix { weight, .. }) | LinearOp::Conv { weight, .. } = op {
        weight.for_each(&draft.tensors, visit);
    }
}

fn has_no_weight(draft: &NetworkDraft, current: &Current) -> bool {
    let mut none = true;
    for term in &current.terms {
        weights(draft, &term.op, |w| none &= w.abs() <= 0.0);
    }
    none
}

/// What a clip that need not be one contributes, as a current.
fn contribution(mut current: Current, idle: Idle) -> Current {
    match idle {
        Idle::Passes => {}
        Idle::Blocks => current = Current::default(),
        Idle::Constant(keep) => {
            current.terms.clear();
            for value in current.bias.iter_mut().flat_map(|b| &mut b.values) {
                *value = match keep {
                    Keep::Positive => value.max(0.0),
                    Keep::Negative => value.min(0.0),
                };
            }
        }
    }
    current
}

/// The currents that read `clip`, as they are without it. `None` if it has to stay.
fn without(
    draft: &NetworkDraft,
    currents: &BTreeMap<NodeId, Current>,
    clip: NodeId,
    idle: Idle,
    keeps_structure: bool,
) -> Result<Option<BTreeMap<NodeId, Current>>, Diagnostic> {
    let inner = contribution(currents[&clip].clone(), idle);
    if inner.terms.iter().any(|t| t.source == clip) {
        return Ok(None);
    }
    let mut changed = BTreeMap::new();
    for (&reader, current) in currents {
        if reader == clip || current.terms.iter().all(|t| t.source != clip) {
            continue;
        }
        // The host multiplies the readout's matrix, whatever it is made of.
        let keeps_structure = keeps_structure && draft.readout != Readout::MeanLinear(reader);
        let mut new = Current { terms: Vec::new(), ..current.clone() };
        for (at, term) in current.terms.iter().enumerate() {
            if term.source != clip {
                if let (Some(old), Some(bias)) = (&current.bias, &mut new.bias)
                    && old.home == at
                {
                    bias.home = new.terms.len();
                }
                new.terms.push(term.clone());
            } else if !read_through(draft, term, &inner, &mut new, keeps_structure)? {
                return Ok(None);
            }
        }
        changed.insert(reader, new);
    }
    Ok(Some(changed))
}

/// Adds to `new` what `term` reads of a clip with the current `inner`. `false` if it cannot.
fn read_through(
    draft: &NetworkDraft,
    term: &Term,
    inner: &Current,
    new: &mut Current,
    keeps_structure: bool,
) -> Result<bool, Diagnostic> {
    if let Some(bias) = &inner.bias
        && bias.values.iter().any(|v| v.abs() > 0.0)
    {
        if term.delay > 0 {
            return Ok(false);
        }
        let values = term.op.apply(&draft.tensors, &bias.values);
        let home = new.terms.len().saturating_add(bias.home);
        Bias::add(&mut new.bias, Bias { values, from: bias.from.clone(), home });
    }
    for part in &inner.terms {
        let source = &draft.nodes[part.source];
        let chain = Chain::new(vec![term.op.clone(), part.op.clone()]);
        let Ok(composed) = chain.compose(&draft.tensors, source.shape.size()) else {
            return Ok(false);
        };
        let Ok(op) = composed.op.structured(&source.shape, &draft.tensors) else {
            return Ok(false);
        };
        if composed.multiplied_out && keeps_structure {
            return Ok(false);
        }
        let delay = add_delays(term.delay, part.delay, &source.name)?;
        new.terms.push(Term { source: part.source, delay, op, name: part.name.clone() });
    }
    Ok(true)
}
