//! Quantization (04xx).

use super::codes;

codes! {
    // 0401..0449: rules of the integer level; 0450..0499: the quantize pass.
    NAME = 401, "integers: empty or repeated name",
        "Populations are named uniquely, because artifacts, reports and stimuli refer to them by \
        name. Matrices carry the name of their tensor and may repeat it, but not lack it. Rename one.";
    REFERENCE = 402, "integers: unknown population or matrix",
        "A projection, a relay or the readout refers to a population or matrix that the network does \
        not have. What depends on it is not checked then. Correct the reference.";
    STEPS = 403, "integers: no steps",
        "A run takes at least one logical step; with none, no neuron fires and no score exists. Set \
        the number of steps.";
    SHAPE = 404, "integers: impossible shape",
        "A population has the shape [N] or [channels, height, width] with extents of at least 1 and \
        at most 2^26 neurons. Correct the shape.";
    MATRIX = 405, "integers: inconsistent matrix",
        "The stored mantissas do not fit the layout: a dense matrix stores rows x columns, a sparse \
        one as many as its offsets say with ascending columns inside the matrix, a convolution its \
        kernel, an identity one. Anything else would attach weights to the wrong neurons. The scale of the encodings \
        that it comes from is a finite number.";
    MANTISSA = 406, "integers: mantissa cannot be stored",
        "The synapse group of the matrix cannot store a mantissa unchanged: `mixed` holds even \
        values from -256 to 254, `excitatory` 0 to 255, `inhibitory` -255 to 0. The chip would round \
        it and change spikes. Round into the set when quantizing, or choose another sign mode.";
    EXPONENT = 407, "integers: weight is not an integer",
        "The exponent of a matrix is -7 to 7, and with a negative one every mantissa is divisible by \
        the power of two. Implementations disagree about the rounding of other weights, so spikes \
        would depend on the one that runs. Choose mantissas that are divisible.";
    PROJECTION = 408, "integers: matrix does not fit the populations",
        "The rows of a projection's matrix are the neurons of the target, its columns those of the \
        source. Another size would drop or invent synapses. Use the matrix of this connection.";
    PARAM_LENGTH = 409, "integers: wrong number of parameter values",
        "A neuron parameter is one value for all, one per channel (outermost extent) or one per \
        neuron. Another number cannot be assigned to neurons. Give as many values as the note says.";
    PARAM_RANGE = 410, "integers: parameter out of range",
        "A register value lies outside its range: du and dv 0 to 4095, a threshold that a resting \
        neuron does not reach, a refractory period and an update period of at least 1, a subtracted \
        amount of at least 1. Correct the value.";
    INPUT_TARGET = 411, "integers: projection into an input",
        "The spikes of an input come from outside; nothing in the network can add to them. Direct \
        the projection to a population of neurons.";
    CODING = 412, "integers: input without spikes or range",
        "An input of an integer network carries spikes, or it is coded directly with a stated range and \
        acts through biases that the host writes; then no projection starts at it. An accumulator needs \
        a pmax of at least 1 and between 1 and all steps with input. State the range, or choose a spike \
        coding.";
    LOOP = 413, "integers: loop without delay",
        "In logical time, projections of delay 0 carry spikes within the step, so they form no loop. \
        Give one projection of the loop a delay of at least 1.";
    DELAY = 414, "integers: delay out of range",
        "A delay is at most 65535 steps, because simulators keep that many past steps, and in hardware \
        time at least 1, because every spike takes a step. Run the schedule pass to move from logical \
        to hardware time.";
    SCHEDULE = 415, "integers: schedule does not hold",
        "In hardware time each population has a latency and P steps make one logical step. A \
        projection's delay is then P d + latency(target) - latency(source) for a logical delay d of \
        at least 0, with d = 0 at relays and clocks. Otherwise spikes arrive in the wrong step. Run \
        the schedule pass again instead of editing delays.";
    ROLE = 416, "integers: malformed relay or clock",
        "A relay repeats a population one to one: same shape, one identity projection from the chain \
        of that population, a weight above threshold, no bias, memory or refractory period; a graded relay \
        keeps the same sign and has a weight of 1. A clock \
        has only clocks as sources. Both exist in hardware time only. Run the schedule pass again.";
    READOUT_SHAPE = 417, "integers: readout does not fit",
        "The readout reads populations of the source network: spike counts of neurons, or weights of \
        size classes x neurons for each term and a bias per class, all finite. Graded relays and \
        directly coded inputs have no spikes to count. Correct the readout.";
    HOST_BIAS = 418, "integers: malformed bias from the host",
        "A directly coded input acts through biases that the host computes before a run. An entry joins \
        such an input to neurons or graded relays, once each, with finite weights of the right number \
        and a positive scale, laid out as a dense matrix or a convolution. Run the quantize pass again.";
    GRADED_LOOP = 419, "integers: loop of graded relays",
        "A graded relay passes on sums, so a loop that consists of relays alone, whatever its delays, \
        may grow its messages without bound. Neurons bound what goes around: they answer with \
        spikes. Put a spiking population into the loop.";
    TARGET_COMPARE = 420, "target: fires only above the threshold",
        "Neurons of the target fire at v > threshold. A population that fires at v >= threshold must be \
        rewritten first: over integers, v >= t is v > t - 1. Run the `strict-compare` pass.";
    TARGET_THRESHOLD = 421, "target: threshold cannot be stored",
        "The target stores a threshold as a mantissa times 64, from 1 to the limit in the note. \
        Another threshold would be rounded and change spikes. Quantize onto this grid.";
    TARGET_BIAS = 422, "target: bias cannot be stored",
        "The target stores a bias as a mantissa times a power of two within the limits in the note. \
        Another bias would be rounded and add up step by step. Quantize onto this grid.";
    TARGET_DELAY = 423, "target: delay too long",
        "In hardware time, a delay of h steps takes the register value h - 1, which is above the limit \
        of the target. Run the schedule pass for this target: it inserts relay neurons.";
    TARGET_REFRACTORY = 424, "target: refractory period too long",
        "The refractory register of the target cannot hold the period. Shorten it in the genome, or \
        choose a target with a larger register.";
    TARGET_EXPONENT = 425, "target: weight exponent out of range",
        "The synapse formats of the target cannot hold the exponent of a matrix. Quantize with another \
        scale, or choose another target.";
    TARGET_NEURON = 426, "target: neuron is not programmable",
        "Reset by subtraction and updates in every P-th step only need a programmable neuron, which \
        the target does not have. Choose a programmable target, or a network that resets to zero and \
        has no loop that forces P > 1 on leaky neurons.";
    TARGET_INPUT_SUM = 427, "target: input may overflow",
        "If all sources of a neuron spike at once, the sum of its weights leaves the range of the \
        input accumulator. Implementations wrap, saturate or do neither, so behavior is undefined. \
        Quantize with a smaller scale, or split the fan-in.";
    TARGET_MESSAGES = 428, "target: no graded messages",
        "The target sends spikes only. Values between neurons that are not spikes, such as the clipped \
        sums of a search space cell, need graded messages. The note names every population that sends \
        them. Compile for a target that has them (`loihi2`), or use cells without clips.";
    TARGET_MESSAGE_RANGE = 429, "target: message may overflow",
        "For some input, a graded relay may send a message beyond the bits of the target's messages. \
        It would be cut off, or wrap. Quantize with a smaller scale, or use fewer relays in a row.";
    RECIPE_NAME = 430, "recipe: entry without a name or given twice",
        "Each entry of a recipe decides about one population or projection, by name. Of two entries about \
        the same one, a reader could follow either, and an entry without a name decides nothing. \
        Name each population, and each (source, target, nth), once.";
    RECIPE_VALUE = 431, "recipe: value out of range",
        "A value of a recipe cannot be stored by any target: weights take 1 to 8 bits and exponents of 0 to \
        7, scales are finite and above 0, thresholds are mantissas of at least 1, dv is 0 to 4095, a list \
        has at least one value, and weights are whole steps of the set that their bits store. Values \
        are never clipped to fit. Correct the value, or leave it out to let quantization choose.";
    TARGET_FLOOR = 432, "target: floor of the membrane cannot be stored",
        "The neurons of the target have no lowest membrane, or only certain ones: on Loihi 1 it is \
        −(2^k − 1). Example: a floor of −1000. Choose a scale in which the floor is such a number, or \
        a target whose neurons are programmable.";
    READOUT = 450, "the readout cannot be computed from spike counts",
        "A `mean_linear` readout is computed by the host: weights times the spike counts of whole \
         runs. That is only possible when the readout node is a linear layer that reads \
         populations in the same step. Make it a `linear` node without delayed inputs.";
    DIRECT_INPUT = 451, "a directly coded input without a range of values",
        "With `direct` coding the frame itself, a vector of real numbers, enters the first layer \
         in every step. The host computes the current of that layer and adds it to biases, which must \
         fit their registers for every sample. State the smallest and the largest value of an \
         element in the genome (`\"range\": [0, 1]`), or use another coding; the float simulator runs \
         `direct` networks as they are.";
    VANISHED = 452, "all weights of a projection round to zero",
        "All projections into a population share one scale, set by the largest weight among them. \
         Here every weight of one projection is below half a unit of that scale, so the \
         projection disappears. Bring the weights of the projections to similar sizes.";
    SCALE = 453, "how a population was quantized",
        "A note for the report: the scale of a population (integer weight per unit of float \
         weight), the constraint that set it, and the ranges proved for all inputs.";
    INITIAL_MEMBRANE = 454, "a population does not start at its reset value",
        "Membranes start at the reset value on the chip. A `v_init` that differs from the reset \
         value would need registers that are set before the first step, which this version does \
         not write. Set `v_init` equal to the reset value.";
    SUBTRACT = 455, "reset by subtraction needs a programmable neuron",
        "The fixed neuron of Loihi 1 resets its membrane to zero. Subtracting the threshold \
         instead needs a neuron that can be programmed, as on Loihi 2. Compile for `loihi2`, or \
         use a reset to a value.";
    REFRACTORY = 456, "the refractory time does not fit its register",
        "The refractory register counts updates from 1 (no refractory time) up to a limit of the \
         target. The population asks for more. Shorten its refractory time.";
    DECAY = 457, "rounding changes a decay noticeably",
        "Membrane decays are stored in units of 1/4096, from 0 to 4095. A leak below half a unit \
         disappears, and a decay of 1 (no memory) keeps 1/4096 of the membrane. The message says \
         which of the two happened.";
    THRESHOLD = 458, "rounding moves a threshold by more than a tenth",
        "Thresholds are rounded in the same unit as weights. When the largest weight into a \
         population is many times its threshold, few units are left for the threshold. Clip the \
         largest weights, or raise the threshold.";
    COARSE = 459, "a range constraint costs weight resolution",
        "The accumulator and the membrane must never overflow, whatever spikes arrive, so the \
         scale of the population was lowered until that holds, and fewer weight values are left. \
         Fewer steps, a leak or a smaller fan-in avoid it.";
    NO_SCALE = 460, "no scale keeps a population in range",
        "Even at the coarsest scale the worst-case input would overflow a register: the fan-in, \
         the bias or the number of steps without leak is too large for the target. Reduce one of \
         them.";
    FOLDED = 461, "integer matrices were folded",
        "A note for the report: matrices that are equal in integers share one store, and matrices \
         that nothing uses are dropped. The message names them.";
    INEXACT_COMPARE = 462, "a threshold with `≥` cannot be expressed",
        "The chip compares `v > 64·m`. For integers `v ≥ θ` is `v > θ − 1`, which the register \
         expresses only if θ − 1 is a multiple of 64 (or if the membrane only takes multiples of \
         64, in populations without leak). Choose a threshold of the form 64·m + 1.";
    NO_CONTRACT = 463, "populations that the target cannot compute",
        "A clip of a current passes on a sum, which is a graded message; a target with \
         `message_bits = 0` sends spikes only. Izhikevich's neuron and graded bursts have no form \
         in the integer contract of the cores. The message names all of them. Compile for a \
         target with graded messages, or use another neuron model; `run --level float` runs all.";
    GRADED_CYCLE = 464, "a loop of clips without a neuron",
        "A clip passes on what it reads, so a loop of clips alone, whatever its delays, adds up sums \
         without bound, and no number of bits holds them. Neurons bound what goes round: they \
         answer with spikes. Put a population of neurons into the loop.";
    NO_COMMON_SCALE = 465, "messages that no scale makes integers",
        "Messages are integers. Where a population reads clips with fixed fractions (1, or 1/9 of an \
         average), its scale must make all these weights integers, of at most 127 times 2^7. Averages \
         nested deeply and read next to what they average need larger ones. Put a population of \
         neurons between the averages, or read them through a learnt layer, whose weights are rounded.";
    DIRECT_DELAY = 466, "a directly coded input is read with a delay",
        "The host adds the current of a directly coded input to biases before a run, and they act from \
         the first step on. A current that starts later cannot be had that way. Read the input \
         without delay, or code it as spikes.";
    DIRECT_TWICE = 467, "two layers of different layout over a directly coded input",
        "The host computes one current per input and population. Two layers over the same input \
         are added up into one; with different layouts that is a dense matrix, which would be \
         larger than the compiler makes (2^24 weights). Join the layers in the genome.";
    AVERAGE = 468, "weights of an average are rounded",
        "An average that leaves the padding out has weights of 1/9, 1/6 and 1/4, which are \
         integers only in units of 1/36. Where averages of messages follow each other, exact units \
         would leave too few bits for the messages, so a coarser unit was chosen and weights at the border \
         move. Put a population of neurons between the averages, or count the padding.";
    RECIPE_UNKNOWN = 469, "the recipe decides about something that the network does not have",
        "Entries of a recipe name populations of neurons or clips of the canonical network, which \
        quantization reads, and projections by source, target and number. Inputs are not quantized, and \
        what a directly coded input feeds is computed by the host. `snnc check` prints the names. Correct \
        the name, or remove the entry.";
    RECIPE_MISFIT = 470, "an entry of the recipe does not fit its population",
        "A parameter has one value, one per channel or one per neuron; neurons that share the weights of a \
        convolution share a scale, and so do all neurons that the host writes biases to. Weights are given \
        in steps, one for every stored weight, beside scale, bits, split and exponent, without which a step \
        means nothing. Correct the entry, or leave it out to let quantization choose.";
    RECIPE_TIED = 471, "messages tie what the recipe decides",
        "Clips and what reads them exchange integers, so their scales stand in ratios that make weights on \
        messages integers: one scale for all neurons of a population, weights on messages in a mixed group \
        of 8 bits. Leave scales out, or give all of them in these ratios; bits can be chosen for \
        projections that carry spikes.";
    RECIPE_RANGE = 472, "with the recipe, a population may leave its range",
        "Sum, current and membrane of every neuron must stay inside their registers whatever arrives, and \
        what the recipe fixes breaks that for the neuron in the message. Use the scale that the help \
        states, or leave the entry out.";
    CLIPPED = 473, "weights are clipped to the end of their set",
        "Some weights lie beyond what their synapse group can store at this scale and exponent, and became \
        the largest that it can. A few may be worth the finer steps of all others: up to one in a hundred, \
        this is a note. More bits, a larger exponent or a smaller scale avoid it.";
    STAGE = 474, "plain relays together with clips",
        "A projection kept as a chain of matrices sends messages through plain relays, whose scales are free. \
        Clips tie the scales of what reads them, and directly coded inputs act through biases: neither can \
        be joined with a chain in one population. Lower the projection as one matrix \
        (`--lowering materialized`).";
}
