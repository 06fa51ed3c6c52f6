//! Refusals that are right: what a target cannot run, or quantization cannot express, and nothing else.

use super::case::{Drawn, Outcome};
use super::cores::Cores;
use crate::crosscheck::{Fault, Step};
use snnc_ir::TargetSpec;
use snnc_ir::diag::Code;
use snnc_ir::diag::codes::{equivalence, mapping, network, quantize};
use snnc_ir::testing::Space;

/// What any network may be refused for: the schedule has no place for it, or no integers say what it says.
const ANY: &[Code] = &[
    quantize::INEXACT_COMPARE,
    mapping::UNBALANCED_LEAK,
    mapping::LONG_REFRACTORY,
    mapping::FINE_BIAS,
    mapping::SMEARED_BIAS,
    quantize::READOUT,
    quantize::NO_SCALE,
    quantize::GRADED_CYCLE,
    quantize::NO_COMMON_SCALE,
    quantize::DIRECT_DELAY,
    quantize::DIRECT_TWICE,
    quantize::STAGE,
    mapping::LATE_HOST_BIAS,
    network::DELAYED_BIAS,
    network::ALWAYS_FIRES,
    network::UNFILTERED,
];

/// Cores that are too small.
const SMALL: &[Code] =
    &[mapping::NEURON_TOO_LARGE, mapping::FAN_OUT, mapping::TOO_MANY_CORES, mapping::NO_PARTITION];

/// Registers that are too narrow for a network at the ends of all ranges.
const NARROW: &[Code] = &[
    quantize::TARGET_BIAS,
    quantize::TARGET_INPUT_SUM,
    quantize::TARGET_MESSAGE_RANGE,
    quantize::TARGET_REFRACTORY,
    quantize::TARGET_THRESHOLD,
    quantize::REFRACTORY,
    mapping::CLOCK_THRESHOLD,
    equivalence::OVERFLOW,
];

/// What fixed neurons that send spikes only do not run.
const OTHER_TARGET: &[Code] = &[
    quantize::TARGET_FLOOR,
    quantize::TARGET_MESSAGES,
    quantize::TARGET_NEURON,
    quantize::NO_CONTRACT,
    quantize::SUBTRACT,
];

/// Factors are asked for, and messages are not to be had.
const NO_FACTORS: &[Code] = &[network::NO_FACTORS];

/// What has no integers.
const NO_INTEGERS: &[Code] = &[
    quantize::DIRECT_INPUT,
    quantize::INITIAL_MEMBRANE,
    quantize::NO_CONTRACT,
    network::INITIAL_MEMBRANE,
];

/// Whether the network did not fit the cores.
pub(super) fn too_small(fault: &Fault) -> bool {
    fault.step == Step::Compile && all_among(fault, &[SMALL])
}

fn all_among(fault: &Fault, lists: &[&[Code]]) -> bool {
    let known = |code: &Code| lists.iter().any(|list| list.contains(code));
    !fault.codes.is_empty() && fault.codes.iter().all(known)
}

/// Counts a refusal that is right, and returns any other fault.
pub(super) fn judge(
    fault: Fault,
    drawn: &Drawn,
    target: &TargetSpec,
    cores: Cores,
    index: usize,
    outcome: &mut Outcome,
) -> Result<(), Fault> {
    let mut lists = vec![ANY];
    if cores == Cores::Cramped {
        lists.push(SMALL);
    }
    if drawn.twisted {
        lists.push(NARROW);
    }
    if drawn.space == Space::Everything {
        lists.push(NO_INTEGERS);
    }
    if !target.programmable_neuron {
        lists.push(NO_FACTORS);
        if drawn.space != Space::Fixed {
            lists.push(OTHER_TARGET);
        }
    }
    // A certificate is refused for bounds alone: the network may overflow.
    let steps = match fault.step {
        Step::Compile => true,
        Step::Certify => fault.codes.iter().all(|c| *c == equivalence::OVERFLOW),
        _ => false,
    };
    if steps && all_among(&fault, &lists) {
        outcome.refused.push((index, fault.codes[0]));
        return Ok(());
    }
    Err(fault)
}
