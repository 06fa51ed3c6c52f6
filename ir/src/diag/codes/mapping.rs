//! Mapping, schedule and limits (05xx).

use super::codes;

codes! {
    // 0501..0549: rules of the mapped level; 0550..0599: the schedule and map passes.
    LOGICAL_TIME = 501, "mapping: network in logical time",
        "Cores run in hardware time, in which every spike takes a step. A network in logical time has \
        no meaning on them. Run the schedule pass before the map pass.";
    SLICE = 502, "mapping: slice of neurons out of range",
        "A slice or axon run names neurons that its population does not have, or none at all. Nothing \
        else about the cores is checked then. Run the map pass again.";
    PLACEMENT = 503, "mapping: neuron on no core, or on several",
        "Every neuron that is not an input sits in exactly one compartment of one core; inputs sit on \
        none, since their spikes come from outside. Otherwise a neuron would be lost or counted twice. \
        Run the map pass again.";
    AXON_TWICE = 504, "mapping: source neuron with two axons on a core",
        "A source neuron has at most one input axon per core; two would deliver its spikes twice to \
        what they share. Merge the axon runs, or run the map pass again.";
    BLOCK_PARTS = 505, "mapping: synapse block does not fit its core",
        "A block joins an axon run to a slice through a projection: all three exist, the run holds \
        neurons of the projection's source and the slice neurons of its target. Run the map pass again.";
    COVERAGE = 506, "mapping: synapse without a block",
        "Every nonzero synapse is on the core of its target, in the block of its projection between \
        the axon run of its source and the slice of its target. A missing block drops synapses. Run \
        the map pass again.";
    BLOCK_TWICE = 507, "mapping: block listed twice",
        "The same projection, axon run and slice appear in two blocks of a core, so these synapses \
        would act twice. Remove one of them.";
    TARGET_NAME = 508, "mapping: made for another target",
        "The network was mapped for one target and is checked against another, whose limits and \
        registers differ. Name the target that it was mapped for, or map again.";
    CHIP = 509, "mapping: chip out of range",
        "A core names a chip that the target does not have. Chips are numbered from 0. Map again for \
        this target, or choose one with more chips.";
    LIMIT_COMPARTMENTS = 510, "limit: compartments of a core",
        "A core holds more neurons than it has compartments. Move neurons to another core.";
    LIMIT_INPUT_AXONS = 511, "limit: input axons of a core",
        "More source neurons reach a core than it has input axons. Place neurons that share sources \
        together, or move neurons with other sources to another core.";
    LIMIT_OUTPUT_AXONS = 512, "limit: output axons of a core",
        "The neurons of a core reach more (neuron, destination core) pairs than it has output axons. \
        Place their targets on fewer cores, or fewer neurons on this one.";
    LIMIT_SYNAPSE_WORDS = 513, "limit: synapse memory of a core",
        "The synapse lists of a core take more 64-bit words than its memory has. Move neurons to \
        another core, or prune synapses. Delays and indices widen every synapse of the core.";
    LIMIT_PROFILES = 514, "limit: compartment profiles of a core",
        "The neurons of a core need more distinct combinations of decays and refractory period than it \
        has profiles. Group neurons with equal parameters, or cluster the parameters when quantizing.";
    LIMIT_THRESHOLDS = 515, "limit: thresholds of a core",
        "The neurons of a core need more distinct thresholds than it stores. Group neurons with equal \
        thresholds, or cluster thresholds when quantizing.";
    LIMIT_FORMATS = 516, "limit: synapse formats of a core",
        "The synapses of a core need more distinct formats (weight exponent and sign mode) than it \
        stores. Group projections with equal formats, or quantize with a common scale.";
    LIMIT_CORES_PER_CHIP = 517, "limit: cores of a chip",
        "More cores are assigned to a chip than it has. Spread the cores over more chips.";
    CELL = 518, "mapping: cell taken or out of range",
        "Each core sits on a cell of its chip's mesh, numbered row by row from 0. Two cores name the same \
        cell, or a core names one that the chip does not have. Map again for this target.";
    UNBALANCED_LEAK = 550, "a loop with leaky neurons cannot run at several steps per logical step",
        "A loop of n zero-delay hops per logical step needs P > 1 hardware steps per logical \
         step. In the steps between, a neuron must not change: a neuron with leak (or a current \
         with memory) does. Such neurons need a target on which they can be programmed to update \
         every P-th step (`loihi2`). Otherwise remove the leak, or give the loop's edges a delay \
         of one step each.";
    PERIOD = 551, "a loop needs several hardware steps per logical step",
        "A note for the report: which loop sets the number P of hardware steps per logical step \
         (the iteration bound: hops over delays, rounded up). A run takes P times as many steps. \
         Giving the loop's edges a delay of one step each brings P back to 1.";
    RELAYS = 552, "relay neurons were inserted",
        "A note for the report: paths that are shorter than others, or delays beyond what a \
         synapse can hold, are balanced with chains of relay neurons, which repeat each spike one \
         step later. With `--delays synaptic` most of them become synaptic delays.";
    CLOCKS = 553, "clock neurons carry biases",
        "A note for the report: a population that starts after step 0 must not integrate its bias \
         before its first input can arrive. Its bias is carried by spikes of clock neurons that \
         start at the right step.";
    LONG_REFRACTORY = 554, "a refractory time does not fit at several steps per logical step",
        "With P hardware steps per logical step, a refractory time of r updates lasts \
         P·(r − 1) + 1 hardware steps, which must fit the refractory register. Shorten the \
         refractory time or the loop that sets P.";
    CLOCK_THRESHOLD = 555, "the period is too long for a clock neuron",
        "A clock neuron divides the hardware clock by P with a threshold of P − 1 units, which \
         must fit the threshold register. Shorten the loop that sets P.";
    ALREADY_SCHEDULED = 556, "the network is already in hardware time",
        "`schedule` moves a network from logical to hardware time. This one has been moved \
         before (its text form says `time hardware`). Leave the pass out.";
    FINE_BIAS = 557, "a bias cannot be carried by spikes",
        "A population that starts after step 0 gets its bias as spikes of clock neurons, so the \
         bias must be a multiple of 64, the unit of a weight. `quantize` makes only such biases; \
         this one came from a file.";
    SMEARED_BIAS = 558, "a late bias would pass through a current with memory",
        "A population that starts after step 0 gets its bias as clock spikes, which enter the \
         current. A current with memory (du < 4095) spreads each of them over several steps, so \
         the bias would not be the constant that it is. Give the projections into the population \
         a delay of one step each; then its static bias register may act from step 0.";
    LATE_HOST_BIAS = 559, "a directly coded input would act in the wrong steps",
        "The host writes the current of a sample to static bias registers before a run, and they act \
         in every hardware step from step 0 on. So the population must start at step 0 (nothing \
         reaches it within a logical step), and each logical step must be one hardware step. \
         Delay what reaches the population by one step, or code the input as spikes.";
    NEURON_TOO_LARGE = 560, "a single neuron does not fit on an empty core",
        "The synapses or axons of one neuron alone exceed what a core offers, so no placement \
         exists. There is one finding for each limit that a population's neuron violates: what is needed \
         and available, the line of the target file, and the least that would help, such as weights of \
         fewer bits or so many fewer sources.";
    FAN_OUT = 561, "spikes of a core go to too many cores",
        "Every neuron needs an output axon for each core that it reaches (on some targets, pixels do). \
         Even with few neurons per core the limit of the target is exceeded. Reduce the fan-out of the \
         population, or split the network.";
    TOO_MANY_CORES = 562, "the network needs more cores than the target has",
        "Every core of every chip is full and neurons are left, or no mapping could do with the cores \
         that there are (`at least`). The notes name the populations that take most, the limits that \
         filled the cores, and their lines in the target file; the help says how many chips would do, and \
         whether narrower weights would.";
    HYPERGRAPH = 563, "not a hypergraph",
        "`snnc map --hgr` reads hMETIS' text format: a header with the numbers of edges and vertices and the format, then a \
         line for each edge: its weight (100 times the rate of the axon), its source, its targets, counted from 1.";
    LAYERS = 564, "malformed layer file",
        "`snnc map --layers` reads shapes of layers from TOML. The message names layer and key. Rates beside it are one \
         number for each neuron, layer by layer, row by row, channels last.";
    NO_PARTITION = 565, "the network does not fit the cores of the target",
        "A vertex alone exceeds a limit of a core, or no partition on as many cores as there are was found. The \
         message says what is needed; the notes name the lines of the target file.";
    REGROUPED = 566, "neurons lie on other cores than first fit chose",
        "A note for the report: the search found cores with pieces of several populations that are fewer, or send less to each \
        other. The notes say what first fit came to, and what was tried. `--effort fast` searches less.";
    KEPT_ORDER = 570, "cores lie in their order, not where messages are short",
        "A note for the report: the search for places of cores gave none that the board has, so the cores keep the order in which they \
        were made. The program is as correct, but its messages may take longer ways. The message says why; a target file whose mesh \
        has just the routers and chips that there are helps.";
    SILENT_PROFILE = 571, "nothing was sent on the samples of a profile",
        "`--profile` measures how often neurons send. No neuron sent anything on these samples, so no traffic is known and cores lie \
        anywhere. Give samples that the network answers, or leave the option out: then a rate is assumed.";
    LIMIT_FLOORS = 572, "limit: lowest membranes of a core",
        "The neurons of a core need more lowest membranes (floors) than it stores; having none counts \
        as one as soon as others have one. Loihi 1 has one for all compartments of a core. Give all \
        neurons the same floor, or let those with another one lie on other cores.";
}
