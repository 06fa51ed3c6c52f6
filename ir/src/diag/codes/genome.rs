//! Genomes (02xx).

use super::codes;

codes! {
    // The envelope (0201–0204).
    NOT_A_GENOME = 201, "not a genome",
        "A genome is a JSON object with `\"format\": \"snnc-genome\"`. The file is JSON, but something \
         else. Give the `.genome.json` file, or add the field if the exporter left it out.";
    VERSION = 202, "genome of an unknown version",
        "The major number of `version` says which rules hold. This build knows `1.x`; reading another \
         major version by these rules could change its meaning. Export the genome again, or use a \
         build that knows the version.";
    NEWER_MINOR = 203, "genome of a newer minor version",
        "A warning: the file says `1.N` with a minor number that this build does not know. Everything \
         it knows is read strictly as ever, and an unknown field is still an error.";
    NOT_ACCEPTED = 204, "known, but not accepted in this version",
        "The format names this kind, coding, neuron model or operation, but this version of snnc does \
         not compile it: graded codings, spike joins, max pooling and separable or dilated convolutions are \
         refused rather than approximated. The help names the closest accepted form, if there is one.";

    // Fields (0205–0209).
    UNKNOWN_FIELD = 205, "unknown field",
        "A field that nobody reads is a typo or belongs to another version, so it is an error. Remove \
         it, correct its name, or prefix it with `x_` to keep it as a remark of your own.";
    MISSING_FIELD = 206, "missing field",
        "The field has no default, because a value left out would be a value guessed: firing \
         comparison, reset, initial membrane and scale change what a network computes. State it.";
    WRONG_TYPE = 207, "value of the wrong type",
        "The JSON value is of another type than the field needs, for example the string `\"2.0\"` \
         where a number belongs, or 4.0 where a whole number belongs. Nothing is converted silently.";
    BAD_VALUE = 208, "value not allowed",
        "The value has the right type but lies outside what the field allows: a threshold of 0, a tau \
         below 1, an unknown word, a name with forbidden characters. The note states what is allowed.";
    LIMIT = 209, "genome too large",
        "A count or a size is beyond the bounds that keep reading a genome safe: nodes, inputs of a \
         node, elements of a shape, values of an inline tensor, decoded weights. Bulk numbers belong \
         into a side-car file; very large networks must be split.";

    // Names and references (0210–0214).
    DUPLICATE_NODE = 210, "two nodes of the same id",
        "Other nodes refer to a node by its id, so ids are unique. Rename one of the two.";
    UNKNOWN_NAME = 211, "name refers to nothing",
        "A node, neuron, encoding, interaction or vector of this name is not defined. The help names \
         the closest one that is. Names are case-sensitive.";
    UNUSED = 212, "defined but never used",
        "A warning: a tensor, gene or neuron is stored but nothing refers to it. That is harmless, \
         but often a sign of a misspelt reference or of a layer that was not exported.";
    INPUT_NODE = 213, "not exactly one input node",
        "A genome has one node with `\"op\": \"input\"`; its shape and coding stand in the field \
         `input` of the envelope. Several inputs can be joined into one of more channels.";
    READOUT_NODE = 214, "node cannot be the readout",
        "`spike_count` reads a `neuron` node, `mean_linear` an analog node (normally `linear`), and \
         the node has exactly `classes` elements. Name the right node, or correct `classes`.";

    // Graph and shapes (0215–0219).
    ARITY = 215, "wrong number of inputs",
        "`add` and `concat` read one or more nodes, every other operation exactly one, and `input` \
         none. To feed a neuron from several layers put an `add` before it.";
    SHAPE = 216, "shapes do not fit",
        "A node reads a value of another shape than its operation or its weight allows: a linear \
         weight `[out, in]` needs `in` elements, a convolution `[channels, height, width]`, an addition \
         equal shapes. The note shows both sides.";
    ZERO_DELAY_LOOP = 217, "loop without delay",
        "Edges of delay 0 are read in the same step, so a loop of them has no first node to compute. \
         Give at least one edge of the loop a delay: `{ \"node\": \"h\", \"delay\": 1 }`.";
    NO_SHAPE = 218, "shape cannot be inferred",
        "The shape of a node follows from what it reads. Here it reads only itself, through a loop \
         of operations that keep the shape, so any shape would do. Connect it to the input.";
    CURRENT = 219, "neuron reads spikes directly",
        "The one input of a `neuron` node is its current. Another population, or the input, carries \
         spikes, which become a current through weights. Put a `linear` or `conv2d` in between.";

    // Genes and weights (0220–0229).
    GENE_COUNT = 220, "gene count does not fit the encodings",
        "`genes.count` is the largest number of genes per neuron, that is the number of columns of \
         the widest encoding. A difference means that the tensors are of another export than the file.";
    GENE_SHAPE = 221, "genes do not fit together",
        "Encodings have one row per neuron (or channel, or kernel cell) and one column per gene; an \
         interaction `[G_out, G_in]` joins an `out` encoding of `G_out` columns and an `in` encoding of \
         `G_in`. A transposed interaction or encoding is the usual cause.";
    SCHEME = 222, "decode scheme does not fit the operation",
        "`linear` makes matrices for `linear` nodes; `per_offset` and `flat_fan_in` make kernels for \
         `conv2d` nodes. A 1×1 convolution takes either kernel scheme.";
    DECODE_RANGE = 223, "decoded value is not a finite f32",
        "Encodings, interaction and scale are finite, but a product of them is beyond the range of f32. \
         Usually the scale is wrong.";
    CHECK_FAILED = 224, "decoded weight differs from the check sample",
        "`check.samples` are single weights as the exporter computed them. A difference beyond `abs_tol` \
         means that the tensors are transposed, permuted or scaled otherwise than the genome says, so \
         every weight is suspect. Fix the exporter; do not widen the tolerance.";
    CHECK_TARGET = 225, "check sample points nowhere",
        "A check sample is `[node id, flat index into its decoded weight, value]`; the node must have a \
         weight and the index lie inside it.";

    // Tensors (0230–0239).
    TENSOR_MISSING = 230, "tensor not found",
        "The name is neither among `tensors.inline` nor in the side-car file. The help names the \
         closest name there is.";
    TENSOR_SHAPE = 231, "tensor of the wrong shape",
        "A tensor is used where another shape is needed. Shapes are never broadcast, squeezed or \
         transposed silently. The note states the shape that fits.";
    TENSOR_VALUE = 232, "tensor value not allowed",
        "A value of a tensor is not finite, too large for f32, or outside the range of the parameter it \
         is used for (a threshold must be positive, tau at least 1, decay within 0..=1, a variance \
         not negative). The message names the first such value.";
    TENSOR_DUPLICATE = 233, "two tensors of the same name",
        "A tensor stands both inline and in the side-car file; which of them is meant is ambiguous. \
         Remove or rename one.";
    SIDECAR_PATH = 234, "side-car file outside the genome's folder",
        "`tensors.file` is the bare name of a file in the folder of the genome: no folders, no `..`, and \
         no symbolic link that leads elsewhere. Move the file next to the genome.";
    SIDECAR_HASH = 235, "side-car file does not match its hash",
        "The SHA-256 of the file differs from `tensors.sha256`, so the tensors are not those that the \
         genome was exported with. Restore the file, or export both again.";
    SIDECAR_ABSENT = 236, "tensors without a place",
        "The field `tensors` names neither a `file` nor `inline` tensors. Give one of them.";

    // Architecture genomes (0240–0251).
    GENOME_LENGTH = 240, "genome of the wrong length",
        "An integer genome has 20 genes per cell and one for the number of inputs of each cell \
         (`braincog-mse-nas`), or 24 per module and one per pair of modules (`braincog-eb-nas`). The note \
         states the length that `cells` or `modules` asks for.";
    GENE_VALUE = 241, "gene out of range",
        "A size is 0 or 1, the last gene of a cell 0 to 3, the number of inputs 2 to 4, a connection 0 or \
         1, and the five motifs of a module are a permutation of 1 to 5. Search programs bound genes to \
         these values, so another value means that the genome was cut, shifted or of another family.";
    MOTIF_UNKNOWN = 242, "motif not known",
        "No motif of this id exists for cells of this number of inputs. Motifs come from the library \
         (`\"library\": 1`) and from the field `motifs`, whose keys are `ID/INPUTS`.";
    TEMPLATE_CONFLICT = 243, "motif or genotype contradicts the library",
        "The file names the library and defines a motif or genotype of the same name otherwise. Either \
         might be meant. Remove the definition, rename it, or leave `library` out.";
    CELL_GRAPH = 244, "cell graph not well-formed",
        "A cell is a list of nodes; each has one entry per input of the cell and reads earlier states; \
         every node but the first may have one feedback edge to an earlier state, in order; the output \
         joins existing states, each once. The message says which of these does not hold.";
    ODD_MAP = 245, "reduction of an odd map",
        "A reduction halves height and width by two convolutions of stride 2, the second shifted by one \
         cell, and joins their channels. On maps of odd height or width they give different sizes. Choose \
         an input size that every reduction can halve.";
    NOT_RUNNABLE = 246, "the released code cannot run this network",
        "The genome describes a network that the code it was evolved with fails to build or to run, so \
         there is nothing to be faithful to. The note says where it fails.";
    ADAPTER = 247, "connection of modules without a usable adapter",
        "A connection from module to module needs a convolution that brings the output of the one to the \
         size of the other. The released code draws its weights anew in every pass and does not save \
         them, so they have to be exported explicitly (`search.adapters`). Connections that enlarge maps \
         interpolate and are refused.";
    WEIGHTS = 248, "weights missing, or given twice",
        "An architecture genome without `tensors` has no weights: it can be inspected, and compiled for \
         mapping studies with random weights. A genome that has tensors takes no random weights.";
    IDLE_CONNECTION = 249, "connection without effect",
        "A warning: the genome connects two modules, but the released code ignores the connection, \
         because both have the same size or because another source comes first. Without an adapter it is \
         left out here, too.";
    STEP_ZERO = 250, "connection acts one step earlier than released",
        "A warning: the released code switches connections of modules off in the first step of a sample. \
         Here a connection to a later module acts from the first step on.";
    NOT_ARCHITECTURE = 251, "nothing to unfold",
        "Only architecture genomes have cells: kind `mse-nas` with another family than `explicit`. The \
         nodes of other genomes already stand in the file.";
}
