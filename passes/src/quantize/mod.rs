//! `quantize`: the float network becomes integers (class: bounded, the only pass that may change
//! spikes).
//!
//! One symmetric scheme. Each population has one scale `s`: all weights into it become `rint(w·s)` in
//! −127..=127, its threshold `64·rint(θ·s)`, its bias `64·rint(b·s)`, its decay `rint(4096·decay)`.
//! Dynamics are preserved because everything in a population is scaled alike; a matrix that feeds
//! two populations of equal scale is quantized once and stays shared. `s` is the largest value for which
//! all of this holds, for every input of up to `steps` steps:
//! * weights, threshold mantissa and bias mantissa stay in range;
//! * the sum that may arrive in one step stays within the target's accumulator;
//! * current and membrane stay inside the state registers (no wrap and no saturation, ever);
//! * messages stay within the bits of a message.
//!
//! A clip becomes a population of **graded relays**: its message is `value · s`. What reads messages
//! has weights `rint(w · s_target / s)`. Populations joined by weights that must keep their ratio
//! (identities, averages) form a group whose scales stand in whole ratios; weights of 1 mean
//! equal scales (`groups`). Relays are bounded before what reads them, whatever the
//! delay (`fit`); a loop of relays alone has no bounds and is refused. Where that leaves few
//! steps to some weights, scales part and averages are rounded, so that the coarsest weights have
//! as many steps as possible; weights in fixed ratios above 127 get an exponent.
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
//! Complexity: O(weights + neurons), times a few rounds when a range forces a scale down.

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
            requires: &[Property::Canonical, Property::NeuronsNormalized],
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
        Ok(wanted) => settle::settle(network, &members.all, members.tied, &wanted, target)
            .map(|planned| (wanted, planned)),
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
    out.extend(remarks::all(network, &members.all, &planned, &wanted, &account));
    let draft = assemble::assemble(network, &members.all, &planned, readout);
    Ok(Applied { draft, account, recipe: complete })
}
