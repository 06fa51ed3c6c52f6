//! Folds of what is equal (0475 to 0479).

use super::codes;

codes! {
    MERGED = 475, "populations became equal in integers and were merged",
        "A note for the report: populations that differ as float networks can round to the same parameters \
         and weights. They then fire alike for every input, so one of them is kept, and what read the \
         others reads it. The message names them. Example: two populations whose thresholds differ by \
         less than half a unit.";
    PROJECTIONS = 476, "projections were removed or joined",
        "A note for the report: a projection whose weights are all 0 delivers nothing and is gone, and \
         projections of the same source, target and delay are one where a single matrix stores their sum \
         in less memory. Nothing arrives that did not arrive before.";
    STORE = 477, "weights are stored in less memory",
        "A note for the report: the weights of a matrix are the same integers as before, in a narrower field, \
         with only those listed that are not 0, or with the mantissas of another matrix that is equal up to a \
         power of two. The notes say how much synapse memory that saves before \
         anything on a core is shared.";
    GENES = 478, "genes were folded",
        "A note for the report: a gene that is zero in all encodings or in all interactions adds nothing to any \
         weight, and two genes that are equal up to a power of two in all encodings act as one with the sum of \
         their interactions. They are dropped before weights are decoded or factored.";
    HALVES = 479, "populations became the neurons of one",
        "A note for the report: populations with equal parameters that read the same populations and are read by \
         the same, with equal delays, are parts of one population with the matrices of all. They are one again, so \
         there are fewer projections; each part is still reported under its name. The note says what that saves. \
         Example: a layer that was exported in two halves.";
}
