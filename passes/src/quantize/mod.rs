//! `quantize`: the float network becomes integers (class: bounded, the only pass that may change
//! spikes).
//!
//! A [`Recipe`] decides; where it has a gap, a choice without data fills it (`choose`). What is decided
//! about a population becomes integers, ranges and an account here ([`apply`]); the complete recipe that
//! comes back with them gives the same integers again.
//!
//! Each neuron `j` has a scale `s_j`, most often one for its population. The weight of a synapse from `i`
//! becomes `W = q << e` with whole steps `q ≈ w_ij · s_j / 2^e` and an exponent `e` of the projection, its
//! threshold the mantissa `rint(θ_j · s_j)` (units of 64), its bias `rint(b_j · s_j)` units of weight; the
//! decay is `4096 · decay` rounded. All that acts on a neuron is scaled alike, so its dynamics stay. Neurons
//! that share the weights of a convolution share a scale. Steps are those of a synapse group of 1 to 8 bits:
//! of one sign, or of both with a bit for the sign, or apart in two projections (`matrix`). A tensor that
//! becomes the same integers for two projections is stored once.
//!
//! Whatever arrives in up to `steps` steps (`range`, `limits`),
//! * thresholds and biases fit their registers;
//! * the sum of one step stays within the target's accumulator;
//! * current and membrane stay inside the state registers (no wrap and no saturation, ever);
//! * messages stay within the bits of a message.
//!
//! A scale that the recipe leaves open falls until that holds; one that it fixes is refused with the neuron,
//! the limit and a scale that fits.
//!
//! A clip becomes a population of **graded relays**: its message is `value · s`. What reads messages
//! has weights `rint(w · s_target / s)`. Populations joined by weights that must keep their ratio
//! (identities, averages) form a group whose scales stand in whole ratios; weights of 1 mean
//! equal scales (`groups`). Relays are bounded before what reads them, whatever the
//! delay (`fit`); a loop of relays alone has no bounds and is refused. Where that leaves few
//! steps to some weights, scales part and averages are rounded, so that the coarsest weights have
//! as many steps as possible; weights in fixed ratios above 127 get an exponent. These populations have one
//! scale each, as large as weights of 127 allow; a recipe may give bits and weights of their projections from
//! spikes, thresholds, biases and decays (`tied`, `settle`).
//!
//! A **directly coded input** acts through biases that the host computes from each sample. Its
//! weights stay f32; biases and what the host adds stay within the bias register for all
//! samples in range (`host`).
//!
//! Biases are multiples of 64 (one unit of weight), so that they can be carried by spikes where a
//! schedule has to gate them, and because NetX knows no finer ones.
//!
//! `v ≥ θ` keeps its comparison here; `strict-compare` turns it around. A population without leak
//! only takes multiples of 64, so `64·m` is exact there; elsewhere `64·m + 1` is the nearest value
//! that the threshold register can express.
//!
//! Complexity: O(weights + neurons) for each decision that is looked at.

pub mod account;
mod assemble;
mod canonical;
mod choose;
mod connect;
mod decision;
mod entries;
mod fit;
mod fraction;
mod groups;
mod host;
mod limits;
pub(crate) mod matrix;
mod member;
mod population;
mod range;
mod readout;
mod refuse;
mod remarks;
mod settle;
mod stages;
mod sums;
mod tally;
#[cfg(test)]
mod tests;
mod tied;

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use account::Account;
use snnc_ir::network::{Network, NetworkDraft};
use snnc_ir::quantized::{QuantizedDraft, QuantizedNetwork};
use snnc_ir::{Diagnostics, Recipe, TargetSpec};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantize;

impl Pass for Quantize {
    type From = Network;
    type To = QuantizedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "quantize",
            summary: "round weights, thresholds, biases and decays to what the chip stores",
            class: Class::Bounded,
            requires: &[
                Property::GenesLowered,
                Property::Canonical,
                Property::NeuronsNormalized,
                Property::CurrentsFed,
            ],
            establishes: &[],
            invalidates: &[],
            options: &[],
        }
    }

    fn run(
        &self,
        network: NetworkDraft,
        cx: &mut Context<'_>,
    ) -> Result<QuantizedDraft, Diagnostics> {
        let applied = apply(&network, cx.target, cx.recipe, &mut cx.remarks)?;
        cx.account = Some(applied.account);
        Ok(applied.draft)
    }
}

/// A network in integers.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The integer network.
    pub draft: QuantizedDraft,
    /// What quantization did.
    pub account: Account,
    /// The complete recipe: with it the same integers come out again.
    pub recipe: Recipe,
}

/// Quantizes a canonical network by `recipe`, whose gaps are filled without data.
///
/// # Errors
/// What has no integer form on the target, entries of the recipe that do not fit the network, and entries
/// with which a population leaves its range.
pub fn apply(
    network: &NetworkDraft,
    target: &TargetSpec,
    recipe: &Recipe,
    out: &mut Diagnostics,
) -> Result<Applied, Diagnostics> {
    recipe.check()?;
    let mut errors = Diagnostics::new();
    let members = member::collect(network, target, &mut errors);
    let readout = readout::convert(network, &mut errors);
    let wanted = entries::wanted(network, &members.all, recipe, target);
    let planned = match wanted {
        // What does not fit is not planned with.
        Err(found) => Err(found),
        Ok(wanted) => {
            settle::settle(network, &members, &wanted, target).map(|planned| (wanted, planned))
        }
    };
    let (wanted, planned) = match planned {
        Ok(found) => found,
        Err(found) => {
            errors.extend(found);
            return Err(errors);
        }
    };
    // Whatever is missing was reported.
    errors.into_result(())?;
    let (account, complete) = tally::tally(network, &members.all, &planned, recipe);
    out.extend(remarks::all(network, &members.all, &planned, &wanted, &account, target));
    let draft = assemble::assemble(network, &members.all, &planned, readout);
    Ok(Applied { draft, account, recipe: complete })
}
