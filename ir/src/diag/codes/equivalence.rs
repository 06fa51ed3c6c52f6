//! Equivalence (07xx).

use super::codes;

codes! {
    SOURCE = 701, "the source network cannot be certified against",
        "A certificate compares an artifact with the integer network in logical time, before the \
         schedule: that is the network whose spikes are promised. A network that is already in \
         hardware time is a product of the schedule, whose work is to be proved. Example: `snnc verify scheduled.snn out/`. Give the quantized network instead.";
    HEADER = 702, "the artifact was made for another network, target or run",
        "Name, target, number of logical steps, period and length of the run must agree with the \
         source network and with each other (run = period · steps + largest latency). Example: an \
         artifact of a network of 10 steps next to a source of 12. Compile the source again.";
    SYMBOLS = 703, "the symbol table differs from the source",
        "Every population of the source appears exactly once in the artifact's symbol table, with \
         its name, shape and role; every other symbol is a relay of one of them or a clock. The \
         message names the population. Compile the source again, or verify against the network \
         that the artifact was compiled from.";
    TABLE = 704, "a table of the artifact refers to something that does not exist",
        "A route, synapse block or compartment run names a core, axon, compartment, matrix cell, \
         profile or neuron outside its range. What the chip would do with it is undefined, so \
         nothing can be proved. The file is damaged or was not written by this compiler.";
    PLACEMENT = 705, "a neuron has no compartment, or several",
        "Every neuron of every population that is not an input sits in exactly one compartment, \
         otherwise its spikes are lost or counted twice. Example: neuron 17 of `h1` is in core 0 \
         and again in core 2. This is a mistake in the mapping; please report it.";
    PARAMETERS = 706, "the registers of a neuron differ from the source",
        "Decays, threshold, reset, refractory time and update period of each compartment are \
         decoded and compared with the neuron of the source; of a graded relay, the sign that it \
         keeps. Example: the source fires at v > 640, \
         the artifact at v > 704. The message names neuron, core and compartment. Compile the \
         source again.";
    SYNAPSES = 707, "the synapses of a neuron differ from the source",
        "The synapses that reach a compartment (through routes, axons, blocks and relays) are, as \
         a multiset of source neuron, weight and delay, those of the source, where a logical delay \
         d from a population of latency l to one of latency m is P·d + m - l hardware steps. The \
         first difference is shown with both sides.";
    SHARED_AXON = 708, "two neurons feed one axon",
        "An input axon belongs to one source neuron; two routes overlap. Spikes of two neurons \
         could not be told apart. Example: a route that is listed twice delivers each spike twice. \
         This is a mistake in the routing tables; please report it.";
    RELAY = 709, "a relay does not repeat its source",
        "A relay neuron must fire exactly when the one spike arrives that drives it: a single \
         synapse from the neuron before it in the chain, 64·weight above its threshold, no bias, \
         no current memory, reset to 0. A relay of messages must send each one unchanged: weight \
         1, no bias, both signs or the one that its source keeps. The delays along the chain must add up to the claimed \
         number of steps.";
    CLOCK = 710, "a clock neuron does not fire in the claimed steps",
        "Clock neurons carry biases to populations that start late. The first of them fires \
         because of its static bias alone, every P-th step from its latency on; the others repeat \
         a clock neuron. The message says when the neuron really fires.";
    BIAS = 711, "the bias of a neuron differs from the source",
        "A bias acts once per logical step from the first step of its population on: as a static \
         register where the neuron's first update is its first logical step, otherwise as clock \
         spikes that arrive exactly then. Example: a static bias in a population of latency 2 acts \
         two steps early.";
    IDLE = 712, "a neuron does not rest between logical steps",
        "With P > 1 hardware steps per logical step, a neuron that updates in every step must not \
         change in the steps between: no leak (dv = 0), no current memory (du = 4095), no static \
         bias, and no membrane above the threshold after a reset by subtraction. Use a target \
         whose neurons can update every P-th step.";
    OVERFLOW = 713, "a register can overflow",
        "For some input, the sum of weights that arrive in one step, the current, the membrane, or \
         the message of a graded relay leaves the range in which all implementations of the chip \
         agree. The bound holds for all \
         inputs of the given number of steps; it is not an estimate of typical activity. Fewer \
         steps, a leak, a smaller fan-in or smaller weights bring it into range.";
    READOUT = 714, "the readout differs from the source",
        "The artifact computes scores from other populations, weights or biases than the source. \
         Compile the source again.";
    REGISTER = 715, "a register of the artifact is outside the target's range",
        "A decay, threshold, bias (what the host adds included), delay, weight or refractory time \
         does not fit the register or the synapse format that is to hold it, needs a programmable \
         neuron or graded messages that the target does not have, or stands where a graded relay, \
         which has no state, has none. The chip would cut bits off. The message names the limit and its line in \
         the target file.";
    CAPACITY = 716, "the artifact does not fit the target",
        "A core uses more compartments, axons, profiles, thresholds or synapse formats than the \
         target has, or sits on a chip that does not exist. Compile for the target that is meant.";
    HOST = 717, "what the host writes differs from the source",
        "Before a run the host computes a current from each sample of a directly coded input and \
         adds it to biases. The artifact's tables for that must be those of the source, bit for \
         bit, at most one per input and population, and reach populations of latency 0 in a \
         program of period 1, where a bias acts once per logical step. Example: one weight of \
         the table differs in its last bit. Compile the source again.";
    CERTIFICATE_FORM = 718, "the certificate cannot be proved again",
        "`snnc verify --certificate` reads the certificates that this version writes, byte for byte \
         as it writes them: another format, a field that stands there twice or a file that is no \
         certificate is refused. Example: a certificate of format 1 does not name the files that \
         it is about. Compile again, or use the snnc that wrote it.";
    CERTIFICATE_FILE = 719, "the certificate is about another file",
        "A certificate names the files that it speaks about (`program.snnb`, `source.snnb`, \
         `target.toml`, and `network.net` if there is one) with sizes and hashes, and is proved \
         again from the files beside it. Example: a program was exchanged for another one. The \
         message shows what is claimed and what lies there.";
    CERTIFICATE_CLAIM = 720, "the certificate claims something else than what is proved",
        "Everything that a certificate says, from the statement down to the bounds of each register, \
         is what the checker proves about its files. Example: a bound of the membrane is \
         narrower in the certificate than the one proved. The message names the claim; trust only \
         what is proved.";
    COUNTEREXAMPLE = 721, "a stimulus on which artifact and source differ",
        "Where the checker finds differences, `snnc verify` simulates both sides on silence, impulses and random \
         spikes near the neurons that differ, and shows the first spike that only one side has, with \
         both membranes, and the fewest input spikes that it found to cause it. Example: neuron 3 of `h` \
         fires in step 2 in the artifact alone. `--counterexample FILE.npz` writes the stimulus. None found \
         means nothing: a difference need not be observable.";
}
