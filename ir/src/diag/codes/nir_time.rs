//! NIR graphs that become networks: time is cut into steps (0252–0259).

use super::codes;

codes! {
    OPEN = 252, "NIR: how time is cut into steps is open",
        "A NIR graph is continuous in time. How long a step is, how neurons integrate, compare and reset is not in the \
        file, every simulator chooses for itself, and the spikes depend on it. The notes list what is open for this graph \
        and what each simulator chooses. Name a simulator with `--dialect`, or set the attributes one by one.";
    TIMES = 253, "NIR: times that do not look like the unit of time",
        "A warning: with the chosen unit of time and length of a step, a time constant is shorter than one step or longer \
        than 100,000. Files mix seconds, milliseconds and steps, and nothing in them says which it is. The note says which \
        unit would make the times plausible; `--time-unit` sets it.";
    READING = 254, "NIR: the simulator would read the node differently",
        "The simulator whose reading was chosen does not take this node as the file says: it ignores a parameter, demands \
        another value, or has no such node. A network that follows it would not be the network of the file, and one that \
        follows the file would not be that simulator's. Change the graph, choose another dialect, or set the attributes \
        one by one without a dialect.";
    NO_STEPS = 255, "NIR: part of a graph that has no form in steps",
        "The node or its place in the graph cannot become part of a network in steps: membranes that are read as values \
        (`LI`, `I`, `CubaLI`) have no spikes, and some shapes and parameters have no operation. The note says why, and \
        what could be done.";
    RECURRENCE = 256, "NIR: edges that close loops take one step",
        "A note for the report: in a loop every value would depend on itself within a step, so the edges that close loops \
        are read one step later, as all simulators do. Loops with a `Delay` of at least one step need no other delay. \
        Edges are found depth-first from the inputs, in the order of the file.";
    ROUNDED_DELAY = 257, "NIR: delay is no multiple of the step",
        "A `Delay` becomes a whole number of steps, the nearest one. The message gives what is left over. Choose another \
        length of a step if that matters.";
    CHOICES = 258, "NIR: options that contradict each other",
        "Options about how time is cut into steps exclude each other, as a length of a step in seconds and times in \
        steps, or several spikes in a step and a reset to a value; or one is missing that no dialect has, as the number \
        of steps of a run.";
    COEFFICIENT = 259, "NIR: step too long, or parameter without a form in steps",
        "With forward Euler, a step that is longer than a time constant makes the share of the membrane that remains \
        negative. Gains and thresholds have to be above 0 and finite. Choose a shorter step, another integration, or \
        move the sign into the weights.";
}
