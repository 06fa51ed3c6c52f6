//! Internal errors (09xx).

use super::codes;

codes! {
    PASS_BROKE_LEVEL = 901, "a pass made an invalid network",
        "The verifier runs after every pass. The network that this pass made breaks a rule of its \
         level, although the one it was given keeps them: a mistake in the compiler. Please report \
         it together with the replay file, which holds the network before the pass and the pass \
         with its options.";
    PASS_BROKE_PROMISE = 902, "a pass did not do what it declares",
        "A pass declares which properties its result has. Each of them is checked on the result, \
         and one does not hold: a mistake in the compiler. Please report it together with the \
         replay file.";
    PLAN_BROKEN = 903, "a plan was run on a network of another level",
        "A plan is checked for a network of one level and was given one of another level: a \
         mistake in the program that calls the compiler's library.";
    NOT_CANONICAL = 904, "a current is not in canonical form",
        "Quantization reads every current as a sum of linear projections from populations, the \
         form that `lower-currents` establishes. The planner checks it beforehand, so this is a \
         mistake in the compiler. Please report it together with the genome.";
    PANIC = 990, "the compiler stopped in the middle",
        "A part of the compiler met a case that it holds to be impossible and gave up. Nothing was \
         published. This is a mistake in the compiler: please report the message together with the \
         input files and the command line.";
    REPLAY_WRITTEN = 991, "a replay file was written",
        "A pass failed by the compiler's own mistake. The files named here hold the network before \
         that pass and the pass with its options; `snnc compile FILE --passes PASS --emit STAGE` \
         repeats the failure. Please attach them to the report.";
}
