//! Internal errors (09xx).

use super::codes;

codes! {
    PASS_BROKE_LEVEL = 901, "A pass made an invalid network",
        "The verifier runs after every pass. The network that this pass made breaks a rule of its \
         level, although the one it was given keeps them: a mistake in the compiler. Please report \
         it together with the replay file, which holds the network before the pass and the pass \
         with its options.";
    PASS_BROKE_PROMISE = 902, "A pass did not do what it declares",
        "A pass declares which properties its result has. Each of them is checked on the result, \
         and one does not hold: a mistake in the compiler. Please report it together with the \
         replay file.";
    PLAN_BROKEN = 903, "A plan was run on a network of another level",
        "A plan is checked for a network of one level and was given one of another level: a \
         mistake in the program that calls the compiler's library.";
}
