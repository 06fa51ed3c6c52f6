//! Emission and artifacts (06xx).

use super::codes;

codes! {
    // Target files (0601–0609).
    TARGET_UNKNOWN = 601, "unknown target",
        "`--target` names neither a built-in target nor a file. `snnc list targets` prints the \
         built-in ones; a path to a target file of your own contains `/` or ends in `.toml`.";
    TARGET_SYNTAX = 602, "target file is not TOML",
        "A target file is TOML: `name`, `summary`, `programmable_neuron`, and one table \
         `{ value = …, source = \"…\" }` per limit.";
    TARGET_KEY = 603, "missing or unknown key in a target file",
        "Every limit must be stated, because a limit left out would be a limit invented, and a key \
         that nobody reads is a typo. Copy a built-in target and change its numbers.";
    TARGET_VALUE = 604, "bad value in a target file",
        "A limit is `{ value = integer, source = \"where the number comes from\" }`, and the integer \
         must lie in the range that the program format can express.";
    TARGET_FILE = 605, "target file cannot be read",
        "The file named by `--target` does not exist, cannot be opened or is not UTF-8.";

    // Reading `program.snnb` (0610–0619).
    PROGRAM_BYTES = 610, "program is damaged",
        "The bytes do not decode: a wrong header, a number that is not in its shortest form or too \
         large for its type, an unknown tag, a count larger than the bytes left, or bytes after the \
         end. The place is the byte offset and the field. Compile the network again.";
    PROGRAM_VERSION = 611, "program of another version or kind",
        "The file is `.snnb`, but not a program of a format version that this snnc knows. Levels \
         (network, quantized, mapped) are read by other commands; a newer version needs a newer \
         snnc; a program of version 1 has to be compiled again.";
    PROGRAM_STRUCTURE = 612, "program contradicts itself",
        "The bytes decode, but an index lies outside its list, a register outside its range, a \
         block outside its core, two sources drive one axon, or a table of the host does not fit \
         the populations that it joins. Compile the network again.";

    // Writing `program.snnb` (0620–0629).
    PROGRAM_REGISTER = 620, "value does not fit a register of the program",
        "The mapped network holds a value that no register of the program format stores: a \
         threshold that is not a multiple of 64, a bias whose mantissa is too large, a delay or a \
         refractory period beyond its bits, a mantissa that the synapse group's sign cannot store.";
    PROGRAM_TABLE = 621, "core needs too many table entries",
        "A core shares compartment profiles, thresholds and synapse formats among its neurons and \
         synapses; this core needs more distinct ones than the target has. Spread the population \
         over more cores, or let neurons share parameters.";
    PROGRAM_PLACEMENT = 622, "core description is incomplete",
        "A slice, an axon run or a synapse block names something that is not there, or a neuron \
         that has targets sits on no core.";

    // NetX (0630–0639). Errors here only leave `network.net` out.
    NETX_NEURON = 630, "NetX cannot express the neuron",
        "A NetX file knows one neuron: reset to zero, no refractory period, an update in every \
         step, the strict comparison, biases that are multiples of 64, and spikes without a \
         payload. `program.snnb` has no such restriction.";
    NETX_DELAY = 631, "NetX cannot express the delay",
        "NetX loaders drop the weight exponent of a recurrent layer with delays, so synaptic delays \
         can be written for layers without recurrence only, one delay per pair of neurons. \
         `--delays relay` makes relay neurons of the delays.";
    NETX_WEIGHT = 632, "NetX loader would change the weights",
        "The loader rescales each matrix and clips it to what a synapse stores. A matrix is \
         written only if the loader's own arithmetic returns every weight unchanged: integers up to \
         ±127, even ones from −256 to 254, or 0..=255 where none is negative. It also turns a \
         matrix without positive weights to wrong values when the smallest is −(2^k), and stores weights \
         with the negative of the power by which it shifts them, which a target must have.";
    NETX_SIZE = 633, "NetX matrix too large",
        "A net that is not a chain of layers becomes one layer with a full weight matrix over all \
         neurons; beyond the bound the file would be larger than it is useful.";
    NETX_SHAPE = 634, "NetX cannot express the network",
        "A NetX file needs an input and at least one synapse, and spikes enter through one port. A \
         directly coded input has no place in it: its current is a bias that changes from sample \
         to sample.";
    NETX_WRITE = 635, "NetX file cannot be written",
        "The HDF5 writer refused the data, although everything was checked before. This is a bug \
        in snnc: please report it with the network.";
    NETX_READ = 636, "network.net cannot be read",
        "The checker reads the groups and datasets that docs/netx.md lists, uncompressed, with whole \
         numbers in them, and no others: what a loader makes of more is not known. Example: a file cut \
         short, or one with a dataset `delay` in a convolution. Compile again if the file was altered.";
    NETX_LAYERS = 637, "the layers of network.net cannot be followed",
        "The layers must fit each other and the layout, which gives each neuron of the file to one \
         population, and the loader must keep their weights. Example: a matrix of 10 × 128 weights \
         behind a layer of 64 neurons; a layout that leaves neurons out. The message names the \
         layer or the population.";

    // SANA-FE (0650–0669). Errors here end a compilation with `--emit sanafe`.
    SANAFE_NEURON = 650, "SANA-FE cannot express the neuron",
        "SANA-FE's neuron is the chip's where the current has no memory (du = 4095): its current decays \
         in floating point, without the register's rounding. It updates in every step, fires at \
         v > threshold, and resets to zero or, without a refractory period, by its threshold. \
         `program.snnb` has no such restriction.";
    SANAFE_DELAY = 651, "SANA-FE cannot express the delay",
        "SANA-FE's dendrites hold what arrives for at most 5 further steps. `--delays relay` makes \
         relay neurons of synaptic delays.";
    SANAFE_MESSAGE = 652, "SANA-FE cannot express the message",
        "SANA-FE's neurons send spikes without a payload, and its files hold one bias for each neuron, \
         so there is no place for graded relays and for directly coded inputs, whose current changes \
         from sample to sample.";
    SANAFE_SIZE = 653, "network too large for SANA-FE's file",
        "The file lists synapses one by one, those of convolutions too. Beyond the bound it would be \
         larger than SANA-FE can load.";
}
