//! 0297–0299: networks as NIR graphs.

use super::codes;

codes! {
    NOT_EXPRESSIBLE = 297, "NIR: no word for a part of the network",
        "NIR has nineteen primitives, no initial state, no refractory time, and one rule of reset and comparison for a whole \
        graph, which its readers choose. A network that needs more is not written as a graph that would mean something \
        else. Follow the help, or keep the network as .snn or .snnb.";
    EXPORT_READING = 298, "NIR: what readers of the graph have to know",
        "A note: a NIR graph leaves open how time is cut into steps, how neurons compare and what a spike does to the \
        membrane. The network says so, and another reader has to be told. `snnc` finds it in the graph's metadata.";
    EXPORT_INTEGERS = 299, "NIR: integers beside the graph",
        "A graph that was made from integers is real-valued: without the truncation of decays. Its metadata names the file \
        of the level beside it, and the blake3 hash of that file. Where the file is there and unchanged, `snnc` reads the integers \
        from it; where it is missing or another one, that is an error, because the graph alone does not mean the same.";
}
