//! Networks (03xx).

use super::codes;

codes! {
    NAME = 301, "network: empty or repeated name",
        "Nodes and tensors are named uniquely within their kind, because reports, artifacts and \
        passes refer to them by name. An empty or repeated name makes that ambiguous. Rename one.";
    REFERENCE = 302, "network: unknown node or tensor",
        "An edge, an operation or the readout refers to a node or tensor that the network does not \
        have. Nothing else about the network is checked then. Correct the reference.";
    ARITY = 303, "network: wrong number of inputs",
        "Each operation reads a fixed number of inputs: `input` and `zero` none, `add` and `concat` at \
        least one, every other operation exactly one. Example: a neuron with two currents needs an \
        `add` in front. Insert the `add`, or remove the surplus edge.";
    SHAPE = 304, "network: shape does not follow from the inputs",
        "The shape of a node follows from its operation and the shapes that it reads; the declared \
        one differs or is not a shape ([N] or [channels, height, width], extents of at least 1, at \
        most 2^26 elements). Example: a `linear` with a weight of [10, 64] has the shape [10]. Declare \
        the shape that the note gives, or correct the weights.";
    TENSOR = 305, "network: tensor shape and data disagree",
        "The number of values of a tensor is the product of its extents, each at least 1. Anything \
        else means that the tensor was cut or mislabeled. Correct the shape or the data.";
    NOT_FINITE = 306, "network: value is not finite",
        "Weights and other parameters are finite numbers. NaN and infinity have no integer \
        counterpart and would silence or saturate neurons. Usually training diverged or a division \
        by zero slipped in. Export the tensor again.";
    PARAM_LENGTH = 307, "network: wrong number of parameter values",
        "A neuron parameter is one value for all, one per channel (outermost extent) or one per \
        neuron. Another number cannot be assigned to neurons. Give as many values as the note says.";
    PARAM_RANGE = 308, "network: parameter out of range",
        "A neuron parameter lies outside the range in which its formula makes sense: tau at least 1, \
        decay from 0 to 1, threshold above 0, everything finite. Example: tau = 0.5 \
        would overshoot the input. Correct the value.";
    LOOP = 309, "network: loop without delay",
        "Nodes read each other within the same step, so that none can be computed first. A true \
        recurrent edge reads an earlier step. Give one edge of the loop a delay of at least 1.";
    DELAY = 310, "network: delay too long",
        "A delay of an edge is at most 65535 steps, because simulators keep that many past steps of \
        its source. Delays this long are usually a unit error (microseconds given as steps).";
    CURRENT = 311, "network: neuron reads spikes directly",
        "The one input of a neuron population is its current, the value of an analog node. An input \
        or another population carries spikes, which become a current through weights. Put a `linear` \
        or `conv2d` between them.";
    STEPS = 312, "network: no steps",
        "A run takes at least one logical step; with none, no neuron fires and no score exists. Set \
        the number of steps of the genome.";
    READOUT = 313, "network: readout of the wrong kind",
        "A spike-count readout reads a neuron population whose spikes all count the same, so not one \
        of graded bursts; a mean-linear readout reads an analog node, such as the last `linear`. \
        Anything else has no defined score. Name the right node.";
    CODING = 314, "network: coding parameters out of range",
        "Accumulator coding needs a largest value of at least 1 and between 1 and all steps of the \
        run with input; otherwise no element can ever spike, or input arrives after the run. The range \
        of a direct input ascends. Correct `pmax`, `steps_in` or `range`.";
    GEOMETRY = 315, "network: impossible convolution or pooling",
        "The geometry has no output or is inconsistent: an extent, kernel or stride of 0, groups that \
        do not divide the channels, a kernel larger than the cropped and padded input, a crop that leaves \
        nothing, an input that differs from the node read, a pooling window with a crop, or one that may \
        lie wholly in the padding. Correct the geometry.";
    WEIGHT_SHAPE = 316, "network: weights do not fit the operation",
        "A tensor has another shape than its operation needs: `linear` [out, in], its bias [out], \
        `conv2d` [out, in / groups, height, width], batch normalization [channels]. Often a weight \
        was stored transposed. Give the tensor the shape in the note.";
    BATCH_NORM = 317, "network: batch normalization divides by zero",
        "variance + eps must be above 0 in every channel, and the resulting scale and shift must be \
        finite in f32. A channel that was never active has a variance near 0 and needs eps. Correct \
        the statistics or eps.";
    BURST = 318, "network: neuron cannot send bursts",
        "A burst is the number of thresholds that the membrane has crossed, times a factor, and scales \
        the membrane instead of resetting it. That is defined for integrating and leaky neurons that \
        fire above the threshold, reset to 0, have no refractory time, and whose factor is finite and \
        above 0. Correct the parameter that the note names, or let the neuron send binary spikes.";
    IZHIKEVICH = 319, "network: parameters contradict Izhikevich's model",
        "Izhikevich's neuron is reset to its parameter c and recovers through a variable of its own, \
        so it resets to a value and has no refractory time. Correct the parameters.";
    GENES = 320, "genes do not make the tensor",
        "A tensor may be generated: encodings of its targets and sources and interactions between genes, three \
         tensors that are stored themselves, make its values by the scheme, scale and step of its provenance. It \
         stores no values then, and its shape is what the scheme makes of theirs. A network generates at most \
         2^28 values.";
    COMPOSITE_TOO_LARGE = 360, "composite matrix too large",
        "Between two populations a chip has one layer of synapses, so a chain of linear operations \
        (such as a pooling before a padded convolution) becomes one. Where the chain is no \
        convolution it becomes a dense matrix, which would be larger than the compiler makes \
        (2^24 values). Put a spiking population between the operations, or choose a pooling whose \
        windows tile its input.";
    CURRENT_TOO_WIDE = 361, "current with too many terms",
        "Following analog nodes from a neuron back to populations visits more nodes than the bound \
        (2^16), because sums of sums reuse each other, or passes more than 2^10 linear maps in a \
        row. Put populations between them.";
    DELAYED_BIAS = 362, "readout reads a bias late",
        "The readout reads an analog value with a bias through a delay. Before the first step the delayed \
        value is 0, so the bias would have to start later than step 0; but the host, which computes the \
        readout from spike counts, adds a bias in every step. \
        Move the delay to the edge that reads the population, or remove the bias.";
    FOLD_NOT_FINITE = 363, "folding overflows",
        "A pass multiplied parameters, and a result is infinite in f32 or not a number. Look for \
        huge weights or a variance near zero.";
    ALWAYS_FIRES = 365, "threshold not above the reset value",
        "A neuron whose threshold is not above the value it is reset to can fire without any input, \
        step after step. A chip's neurons reset to 0 and have positive thresholds, so this has no \
        integer form. Raise the threshold or lower the reset value.";
    INITIAL_MEMBRANE = 366, "initial membrane differs between neurons after scaling",
        "Neurons of the form `v + (I - v) / tau` are scaled by their time constant. If tau differs \
        between neurons and the initial membrane is not the reset value, the scaled initial membrane \
        differs too, but a population has only one. Use one tau, or start at the reset value.";
    DELAY_OVERFLOW = 367, "delays add up to too much",
        "The delays along a path of analog nodes are added up, and the sum is longer than \
        the longest delay of one edge (65535 steps). Shorten them.";
    NO_FACTORS = 368, "target cannot keep factors",
        "`--lowering factored` keeps an encoded weight as two or three smaller matrices with relays between them. \
        The relays send values, not spikes, so the target needs graded messages and programmable neurons, as \
        Loihi 2 has. Decode the weights with `--lowering materialized`, or choose another target.";
    MULTIPLIED_OUT = 380, "convolutions became a dense matrix",
        "A chain of linear operations between two populations is no convolution (padding reads cells \
        that the inner operation leaves out), so it became a dense matrix. The meaning is kept; the \
        weights take more synapse memory.";
    REMOVED = 381, "unreachable nodes removed",
        "The readout cannot be reached from these nodes, through any number of steps, so they have \
        no effect and were removed. If that is not intended, an edge is missing in the genome.";
    SHARED = 382, "equal tensors share their values",
        "A note for the report: tensors with equal shapes and values became one tensor, which all \
        their nodes use. The meaning is kept; the network takes less memory.";
    SPLIT = 383, "population became one per part of what it reads",
        "A note for the report: a population that reads a concatenation became several populations, \
        one per part, in the order of the parts. The meaning is kept: its spikes are those of its \
        parts, one after the other.";
    MERGED = 384, "equal populations became one",
        "A note for the report: populations with equal parameters that read the same current fire \
        at the same steps, so one stands for all. The meaning is kept: the spikes of the merged \
        populations are those of the one that the note names.";
    SILENT = 385, "population that never fires",
        "The current of a population is 0 in every step for every input, because it reads only \
        zero operations or other silent populations, and its membrane starts below the threshold. \
        It was replaced by a constant 0. If that is not intended, an edge is missing in the genome.";
    CLIPS_DROPPED = 386, "clips that cannot change a value",
        "A note for the report: the current of a clip has always the sign that the clip keeps (or \
        always the other one, or is constant), because all its weights and biases have one sign and \
        spikes are not negative. Such a clip was removed. The meaning is kept.";
    FACTORED = 387, "factors kept",
        "A note for the report: the weight of a node is generated from encodings and interactions, and became a \
        chain of linear stages with relays between them, because that takes less synapse memory than the matrix. \
        The note says how many values and relays that are, what it costs in latency, and how many synaptic \
        operations it takes. The meaning is kept, rounding aside.";
    DECODED = 388, "factors multiplied out",
        "A note for the report: the weight of a node is generated from encodings and interactions, and was decoded \
        to one matrix, because its factors cannot be stages of their own, or do not pay. The note says why.";
    SEVERAL = 389, "network: neuron cannot fire several times in one step",
        "Several spikes in one step are as many as thresholds fit into the membrane, and each takes one threshold \
        away. That is defined for neurons that reset by subtraction and have no refractory time. Correct the \
        parameter that the note names, or let the neuron fire once per step.";
    UNFILTERED = 390, "directly coded input of a current with memory",
        "What a neuron reads goes through its synaptic current. The current of a directly coded input is computed by \
        the host once per sample and added to biases, which act on the membrane at once; with memory it would have to \
        build up over steps. Code the input as spikes, or use neurons whose current has no memory.";
    FILTER = 391, "decays of currents with memory",
        "What the decay registers of a population whose synaptic currents have memory became: du for the current, \
        which loses (du + 1)/4096 in a step, and dv for the membrane, which loses dv/4096. Rounding toward zero takes \
        half a unit beside that, and registers are a little smaller for it. The smallest loss of a current is 1/4096: \
        one that should lose less than 1/8192 decays faster than it should, and this is a warning.";
    DISCRETIZATION = 395, "network: record of a discretization that contradicts itself",
        "A network that was made from a graph in continuous time holds a record of how time was cut into steps. The \
        length of a step is a finite number above 0, and it is there unless times are counted in steps; several \
        spikes in one step go with the reset that subtracts the threshold. Correct the record, or remove it.";
    FLOOR = 399, "floors of membranes",
        "What the lowest membranes of a population became: the nearest multiples of the weight unit, or, where the target \
        only has powers of two, 1 - 2^k. A warning where that is more than 2 % off. A floor below everything that the register \
        holds is left out, because no membrane falls there.";
}
