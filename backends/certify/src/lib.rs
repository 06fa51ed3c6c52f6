//! The checker: reads an artifact's bytes and proves that they compute its source network, for every input.
//!
//! | item | |
//! | --- | --- |
//! | [`program`] | reads `program.snnb` by hand, after its format's page |
//! | [`netx`] | reads `network.net`, and compares it likewise |
//! | [`certify`] | compares what was read with the source |
//!
//! **Statement.** Let the source be an integer network in logical time of T steps, and let the
//! artifact have period P and latencies ℓ. For every input of at most T logical steps, injected so
//! that spike `(n, t)` of an input enters in hardware step `P·t + ℓ`, and for every sample of each
//! directly coded input whose elements lie in its range, from which the host computes biases: neuron n
//! of a population fires in logical step t < T exactly if its compartment fires in hardware step
//! `P·t + ℓ`, and it fires in no other hardware step before `P·T + ℓ`. Likewise graded relay n sends
//! message m ≠ 0 in logical step t exactly if its compartment sends m in hardware step `P·t + ℓ`, and
//! none in another step before `P·T + ℓ`. Until then none of the registers and messages overflows.
//!
//! **Proof**, by induction over hardware steps; each part names what is checked.
//! 1. Every neuron has one compartment, every axon one source (`tables`), so following routes, axons
//!    and blocks back from a compartment finds all synapses that drive it (`synapses`).
//! 2. A relay fires exactly `hops` steps after its source, a clock exactly in steps `ℓ + k·P`
//!    (`lines`). A relay of graded relays sends exactly the messages of its source, `hops` steps
//!    later. A synapse of a relay is therefore a synapse of its source with a longer delay.
//! 3. After that contraction, the synapses into each neuron are, as a multiset of (source, weight,
//!    delay), those of the source network, where a logical delay d became
//!    `P·d + ℓ_target − ℓ_source` (`checker`). A spike of logical step t thus arrives in step
//!    `P·(t + d) + ℓ_target`: in logical step t + d of the target and never between or before. So does
//!    a message, with its weight times its value.
//! 4. The bias acts once per logical step from the first on: as a register where the first update
//!    is logical step 0, as clock spikes (which a current without memory passes on) elsewhere. What the
//!    host adds is computed by the source's own tables, bit for bit, so it is the same number; it
//!    goes to populations of latency 0 with P = 1, whose registers act in just their logical steps
//!    (`host`). A bias of a graded relay that is not sent alone, from 0 to `2^shift − 1` messages, may
//!    act in every step (`registers`).
//! 5. Registers decode to the parameters of the source (`registers`). With a period P > 1 a neuron
//!    either updates in its logical steps only, or it is idle-invariant: without leak, current
//!    memory and static bias, and at or below its threshold after an update, a step without input
//!    changes nothing. Before its first logical step it is at 0 and stays there: no input, no bias.
//!    A graded relay keeps and shifts as in the source and has no state: in a step in which nothing
//!    arrives and no bias acts it sends nothing. With the sum and the bias of its logical
//!    step the same as in the source (3, 4), so is its message.
//! 6. Interval analysis bounds input sums, currents, membranes and messages over all inputs and
//!    samples (`bounds`, `sends`, `host`), so the integer contract is what the chip computes. What linear
//!    relays deliver is bounded by the form of the whole chain where intervals are too wide (`linear`).
//!
//! The crate depends on the types of `snnc_ir` alone: no code of a writer, a pass, a simulator or of
//! the verifier's bounds (`tests/independence.rs`).
//! It takes time and memory in proportion to neurons and stored parameters where both sides hold
//! the same matrices, and time in proportion to synapses (memory: one row) where they do not.

mod axons;
mod bounds;
mod certificate;
mod checker;
mod cover;
mod findings;
mod host;
mod linear;
mod lines;
mod matrix;
#[cfg(feature = "testing")]
pub mod mutate;
pub mod netx;
pub mod program;
mod registers;
mod sends;
mod symbols;
mod synapses;
mod tables;

pub use certificate::{Bounds, Certificate, FORMAT, Interval, PopulationCertificate, Totals};

use checker::Record;
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::{Diagnostics, QuantizedNetwork, TargetSpec};
use tables::Tables;

/// Proves that `program` computes `source` on `target`, for all inputs.
///
/// `source` is in logical time, before the schedule; `program` comes from the independent reader of
/// the artifact's bytes.
///
/// # Errors
/// What differs, with codes `SNN0701` to `SNN0717`: the neuron (or population, or header field), its
/// core and compartment, and the quantity on both sides. The first differences are listed, the
/// rest is counted.
pub fn certify(
    source: &QuantizedNetwork,
    program: &Program,
    target: &TargetSpec,
) -> Result<Certificate, Diagnostics> {
    prove(source, program, target, Merge::Nothing)
}

/// Which synapses of one source neuron and delay count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Merge {
    /// None: synapses are compared one by one.
    Nothing,
    /// All: what arrives together is a sum, so their sums are compared.
    Sums,
}

/// As [`certify()`], on synapses or their sums.
fn prove(
    source: &QuantizedNetwork,
    program: &Program,
    target: &TargetSpec,
    merge: Merge,
) -> Result<Certificate, Diagnostics> {
    let header = symbols::header(source, program, target);
    let records = compare(source, program, target, merge);
    let records = match (header.is_empty(), records) {
        (true, records) => records?,
        (false, records) => {
            let mut all = header;
            all.extend(records.err().unwrap_or_default());
            return Err(all);
        }
    };
    let mut totals = Totals { cores: program.cores.len(), ..Totals::default() };
    let mut populations = Vec::with_capacity(records.len());
    for (symbol, record) in program.populations.iter().zip(&records) {
        let neurons = symbol.shape.size() as u64;
        let (role, total) = match &symbol.role {
            SymbolRole::Input(_) => ("input", &mut totals.inputs),
            SymbolRole::Neurons if record.graded => ("graded", &mut totals.neurons),
            SymbolRole::Neurons => ("neurons", &mut totals.neurons),
            SymbolRole::Relay { .. } => ("relay", &mut totals.relays),
            SymbolRole::Clock => ("clock", &mut totals.clocks),
        };
        *total += neurons;
        totals.synapses += record.synapses;
        populations.push(PopulationCertificate {
            name: symbol.name.clone(),
            role,
            latency: symbol.latency,
            neurons,
            cores: record.cores,
            synapses: record.synapses,
            bounds: record.bounds,
        });
    }
    let (steps, period) = (program.steps, program.period);
    let step = |t: &str| if period == 1 { t.to_owned() } else { format!("{period}*{t}") };
    let (this, last) = (step("t"), step(&steps.to_string()));
    let (sends, same) = if records.iter().any(|record| record.graded) {
        (" (a graded relay sends a message)", " (sends the same message)")
    } else {
        ("", "")
    };
    let samples = if program.host.is_empty() {
        ""
    } else {
        " and every sample within the range of its input"
    };
    Ok(Certificate {
        format: FORMAT,
        statement: format!(
            "For every input of at most {steps} logical steps{samples}, a neuron of a population of \
             latency L fires{sends} in logical step t exactly if its compartment fires{same} in \
             hardware step {this} + L, and in no other step before {last} + L. Until then none of \
             its registers overflows."
        ),
        name: program.name.clone(),
        target: program.target.clone(),
        target_hash: target.hash.clone(),
        steps,
        period,
        run_steps: program.run_steps,
        populations,
        totals,
    })
}

/// The phases after the header, each of which relies on those before.
fn compare(
    source: &QuantizedNetwork,
    program: &Program,
    target: &TargetSpec,
    merge: Merge,
) -> Result<Vec<Record>, Diagnostics> {
    let meanings = symbols::check(source, program)?;
    let tables = Tables::build(program, &meanings, target)?;
    checker::compare(source, &tables, target, merge)
}
