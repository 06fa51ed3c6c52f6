//! NIR graphs and recordings (026x to 028x).

use super::codes;

codes! {
    // 0260..0265: the container.
    CONTAINER = 260, "NIR: not a readable HDF5 file",
        "A NIR file is an HDF5 file. This one, or a part of it, cannot be decoded: it is cut off, damaged, \
        of another format, or uses a filter or a link that is not supported. Open it with `h5dump` or \
        h5py to see whether they can read it, and write it again with `nir.write`.";
    BUDGET = 261, "NIR: too large, too many or too deep",
        "Extents, the number of objects and the depth of groups are bounded before anything is read, \
        because a few bytes of an HDF5 file can claim any size, and groups may contain themselves. The \
        note gives the bound. A damaged file, or a link that leads back to a parent, is the usual cause.";
    ELEMENT = 262, "NIR: element type not supported",
        "A dataset holds something else than integers of 8 to 64 bits, floats of 16 to 64 bits, booleans \
        or strings. Convert it: `array.astype(numpy.float32)`.";
    LENGTH = 263, "NIR: data of another length than the extents",
        "The stored bytes are more or fewer than the extents and the element type need. The file was cut \
        off, or the dataset was declared and never written.";
    ATTRIBUTE = 264, "NIR: attribute that has no meaning",
        "NIR graphs keep everything in datasets, and have no HDF5 attributes. What the attribute says is \
        not known to any reader and is not kept. Put remarks into `metadata`.";

    // 0266..0272: nodes and their datasets.
    MISSING = 266, "NIR: dataset or group missing",
        "A node has a dataset `type`, and one dataset for each of its parameters; a graph has `nodes` and \
        `edges`. `docs/nir.md` lists what each type needs. Only `v_reset` (0), `w_in` (1), `input_shape` and \
        `input_type` (inferred) may be absent.";
    UNKNOWN_ENTRY = 267, "NIR: unknown dataset or group",
        "The entry is not one of those that the node's type has. It may carry meaning that would be \
        lost, so it is refused and not skipped. Remove it, or move it into the node's `metadata`.";
    UNKNOWN_TYPE = 268, "NIR: unknown node type",
        "The `type` of a node is none of the primitives of NIR 1.0. The node cannot be left out without \
        changing what the graph computes. Replace it by known primitives.";
    KIND = 269, "NIR: dataset of another kind",
        "A dataset holds strings where numbers are expected, or the other way round, or is a group. The \
        note says what is expected.";
    VALUE = 270, "NIR: value not allowed",
        "A parameter has a value for which the node's equation has no meaning: NaN, an infinity, a time \
        constant that is not positive, a negative delay, a stride of 0. The message names the first such \
        element. As a warning: the value is allowed and looks like a mistake.";
    PARAMETER_SHAPE = 271, "NIR: parameters of one node do not fit together",
        "All parameters of a neuron have one shape, which is that of its neurons (a single number stands \
        for all of them); a bias has as many elements as there are outputs; kernels fit their groups. The \
        note gives the shapes.";
    VERSION = 272, "NIR: version",
        "The dataset `version` says which version of the `nir` package wrote the file. It is missing, no \
        version, or later than the versions that this reader knows; then a primitive may have changed its \
        meaning. The file is read as version 1.0.8.";

    // 0274..0281: the graph.
    EDGE = 274, "NIR: edge to a node that is not there",
        "An edge names a node that the graph does not have. Nothing is guessed: the edge may be a leftover, \
        or the name misspelt. Repair the edge, and write the file again.";
    DUPLICATE_EDGE = 275, "NIR: edge given twice",
        "Edges into one node are summed, so an edge given twice counts twice for some readers and once for \
        others. Remove one, or scale the weights by 2.";
    PORTS = 276, "NIR: graph without input or output",
        "A graph is entered at its `Input` nodes and left at its `Output` nodes. A graph without one has no \
        effect. A graph within a graph has exactly one of each, because edges do not say which port they \
        mean. The `nir` package adds missing ones when it loads a file: load it there, and write it again.";
    CONFLICT = 277, "NIR: shapes along an edge differ",
        "The source gives values of one shape, and the target takes values of another one. Both nodes, the \
        dataset that decides, and both shapes are named. Frequent causes: weights stored as (in, out), a \
        batch dimension in a shape, a missing `Flatten`.";
    UNRESOLVED = 278, "NIR: shape cannot be inferred",
        "Pooling, `Flatten`, convolutions without `input_shape` and neurons with single numbers for \
        parameters take the shape of what they receive, and here nothing upstream says which one that is. \
        Connect the node to an `Input`, or store its input shape.";
    LOOP = 279, "NIR: loop without state",
        "The nodes of this loop compute their outputs from inputs of the same instant, so each value would \
        depend on itself. Every loop needs a node that remembers: a neuron, an integrator or a `Delay` \
        above 0.";
    UNUSED = 280, "NIR: node that receives or gives nothing",
        "The node has no incoming edge and is no `Input`, or no outgoing edge and is no `Output`. It is \
        valid, and often a forgotten edge. The `nir` package would connect a new `Input` or `Output` to it.";

    // 0284..: writing and using.
    COMPAT = 284, "NIR: not expressible in that version",
        "The older version of the `nir` package has no such parameter or primitive, and its readers would \
        fail or ignore it. Write the current version, or change the graph.";
    RECORDING = 285, "NIR: recording not valid",
        "A recording (NIRData) has a group for each node, with observables of type TimeGriddedData, EventData \
        or ValuedEventData. Shapes must agree, indices lie below `n_neurons`, times in 0 to `t_max`, and \
        places without an event hold index -1 and time infinity.";
}
