//! Mapping, schedule and limits (05xx).

use super::codes;

codes! {
    UNBALANCED_LEAK = 550, "A loop with leaky neurons cannot run at several steps per logical step",
        "A loop of n zero-delay hops per logical step needs P > 1 hardware steps per logical \
         step. In the steps between, a neuron must not change: a neuron with leak (or a current \
         with memory) does. Such neurons need a target on which they can be programmed to update \
         every P-th step (`loihi2`). Otherwise remove the leak, or give the loop's edges a delay \
         of one step each.";
    PERIOD = 551, "A loop needs several hardware steps per logical step",
        "A note for the report: which loop sets the number P of hardware steps per logical step \
         (the iteration bound: hops over delays, rounded up). A run takes P times as many steps. \
         Giving the loop's edges a delay of one step each brings P back to 1.";
    RELAYS = 552, "Relay neurons were inserted",
        "A note for the report: paths that are shorter than others, or delays beyond what a \
         synapse can hold, are balanced with chains of relay neurons, which repeat each spike one \
         step later. With `--delays synaptic` most of them become synaptic delays.";
    CLOCKS = 553, "Clock neurons carry biases",
        "A note for the report: a population that starts after step 0 must not integrate its bias \
         before its first input can arrive. Its bias is carried by spikes of clock neurons that \
         start at the right step.";
    LONG_REFRACTORY = 554, "A refractory time does not fit at several steps per logical step",
        "With P hardware steps per logical step, a refractory time of r updates lasts \
         P·(r − 1) + 1 hardware steps, which must fit the refractory register. Shorten the \
         refractory time or the loop that sets P.";
    CLOCK_THRESHOLD = 555, "The period is too long for a clock neuron",
        "A clock neuron divides the hardware clock by P with a threshold of P − 1 units, which \
         must fit the threshold register. Shorten the loop that sets P.";
    ALREADY_SCHEDULED = 556, "The network is already in hardware time",
        "`schedule` moves a network from logical to hardware time. This one has been moved \
         before (its text form says `time hardware`). Leave the pass out.";
    NEURON_TOO_LARGE = 560, "A single neuron does not fit on an empty core",
        "The synapses or axons of one neuron alone exceed what a core offers, so no placement \
         exists. The message names the resource, what is needed and what is available, and the \
         line of the target file. Reduce the neuron's fan-in.";
    FAN_OUT = 561, "Spikes of a core go to too many cores",
        "Every neuron needs one output axon for each core that it reaches. Even with few neurons \
         per core the limit of the target is exceeded. Reduce the fan-out of the population, or \
         split the network.";
}
