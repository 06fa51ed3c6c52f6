//! Networks of the TENNLab framework (0287–0296).

use super::codes;

codes! {
    TENNLAB_NODE = 287, "TENNLab network: no such node, or one too many",
        "An edge, an input or an output names a node that does not exist, or something that may exist once is given \
         twice: a node, an edge between the same two nodes, an input or an output.";
    TENNLAB_PROCESSOR = 288, "TENNLab network: unknown processor",
        "What a network computes depends on the processor for which it was evolved, and only RISP is known here. \
         `Associated_Data.other.proc_name` names it and `Associated_Data.proc_params` holds its settings; nothing is \
         guessed where they are missing.";
    TENNLAB_SETTING = 289, "TENNLab network: setting not supported",
        "A setting of RISP makes a network do something that is not compiled: noise is random, and firing in the manner of \
         RAVENS shifts spikes by a step. Unknown settings are refused because they could change what the \
         network computes.";
    TENNLAB_FRACTION = 290, "TENNLab network: values that are no whole numbers",
        "A discrete RISP network counts in whole numbers. One with fractions is taken exactly if all its \
         weights, thresholds and charges are multiples of the same power of two, 2^-10 or more; other values would have to \
         be rounded, and then the chip would not do what was evolved. Evolve with `discrete: true`, or round the values \
         yourself and test the network again.";
    TENNLAB_FLOOR = 291, "TENNLab network: lowest potential is no whole number",
        "RISP keeps potentials at or above `min_potential`. A neuron that does not leak and that something inhibits can \
         fall there, and go on from there in whole units of charge: so `min_potential` must be a whole number of them \
         (of the power of two that all weights share, where `discrete` is false). Use another `min_potential`, \
         `leak_mode: all`, or positive weights only.";
    TENNLAB_TOUCH = 292, "TENNLab network: threshold that is always reached",
        "A RISP neuron fires only in a step in which something arrives. With a threshold of 0 or less it would \
         otherwise fire for ever. A threshold of 0 is compiled, and one below 0 where every arrival makes the neuron fire, where it \
         leaks, or where `min_potential` is 0; a neuron that keeps a potential below 0, is inhibited and has a threshold \
         below 0 is refused. Use a threshold of 0 or more, or a leak.";
    TENNLAB_RANGE = 293, "TENNLab network: sum too large for its neuron",
        "A chip forgets a membrane by multiplying it by 1/4096 and dropping the fraction. What is left is less than half a unit \
         of charge only for sums up to 2,047 units. Where the excitation of a leaking neuron can be larger without making it \
         fire, or a weight is above 16,383 units, the neuron is refused rather than approximated.";
    TENNLAB_STEPS = 294, "TENNLab network: unknown number of steps",
        "A TENNLab file may say in `Associated_Data.other.sim_time` how many steps one run takes, and this one does not. \
         Say it with `--steps N`.";
    TENNLAB_EMPTY = 295, "TENNLab network: nothing to run",
        "The network has no neurons, no inputs or no outputs, so nothing could be sent to it or read from it.";
    TENNLAB_UNREAD = 296, "TENNLab network: field not read",
        "A warning: the file holds something that this reader does not know. It is ignored, and the network \
         may mean something else where it was made. Remove the field if it says nothing about the network.";
}
