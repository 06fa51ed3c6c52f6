//! Command line, files and stimuli (08xx).
//!
//! 0801–0829 are findings about what the command was given (exit code 2), 0830–0844 findings about
//! an artifact or a comparison (exit code 1), 0845–0849 about what it writes (exit code 2).

use super::codes;

codes! {
    CANNOT_READ = 801, "cannot read a file",
        "A file or folder named on the command line does not exist, is not a plain file, or may not \
         be read. The note gives the operating system's reason. Check the spelling and the \
         permissions; paths are relative to the current folder.";
    CANNOT_WRITE = 802, "cannot write a file",
        "A file or folder could not be written. The note gives the operating system's reason (no \
         permission, no space, no such folder). Nothing partial is left behind: what was there \
         before is still there. Name another place with `-o`, or fix the permissions.";
    UNKNOWN_FILE_KIND = 803, "unknown kind of file",
        "A source is recognized by the end of its name: `.json` is a genome, `.snn` the text form \
         of a level, `.snnb` its binary form, `.npz` a stimulus, `.toml` a target. Rename the file \
         or name another one.";
    FILE_TOO_LARGE = 804, "file larger than the compiler reads",
        "A file is larger than the bound for its kind, so it is not what the command expects (or \
         something that never ends, such as a device). Bounds: genomes, side-cars and binary forms \
         2 GiB, text forms 256 MiB, manifests 64 MiB, targets 1 MiB.";
    WRONG_LEVEL = 805, "the file holds another level than the command takes",
        "A command takes certain levels only: `compile`, `check` and `verify` start from a genome, a \
         network or a quantized network in logical time. A scheduled or mapped network cannot be \
         compiled, because the network in logical time, which it would be certified against, is not \
         in the file. Start from the source instead.";
    FOREIGN_DESTINATION = 806, "the destination holds something else",
        "The output path exists and is not an artifact of snnc (a folder with our `manifest.json` \
         and nothing but the files it lists), so it is not replaced. Name another path with `-o`, or \
         give `--force`: the old folder or file is then moved aside to a free name, never deleted.";
    BAD_DESTINATION = 807, "the destination cannot hold an artifact",
        "The output path has no last component (such as `.` or `/`), or its parent is not an \
         existing folder. The artifact is written beside its destination first and then renamed, so \
         the parent has to exist and be writable.";
    NOT_UTF8 = 808, "a text file is not UTF-8",
        "Text forms, genomes, targets and manifests are UTF-8. Save the file as UTF-8.";
    NOT_BUILT_IN = 809, "not part of this build",
        "The option needs a cargo feature that this binary was built without. The help line names \
         the command that builds it.";
    CONFLICTING_OPTIONS = 810, "options that do not go together",
        "Two options, or an option and the kind of the source, contradict each other. The message \
         names them.";
    UNKNOWN_NAME = 811, "unknown name",
        "A diagnostic code, population, pass or conversion named on the command line does not exist. \
         `snnc list` prints the names there are.";
    NOT_FORMATTED = 812, "file is not in canonical form",
        "`snnc fmt --check` found a file whose text differs from what `snnc fmt` would write. Run \
         `snnc fmt` on it.";
    STIMULUS_MISSING = 813, "an input has no stimulus",
        "The stimulus file has no array for an input of the network. An input named `x` is fed by \
         `x_<input>` (raw samples) or `spikes_<input>` (spikes step by step); where the network has \
         one input only, the names `x` and `spikes` do too.";
    STIMULUS_AMBIGUOUS = 814, "an input has two stimuli",
        "The stimulus file has more than one array for the same input, such as `x` and `spikes`. \
         Leave one of them out.";
    STIMULUS_SHAPE = 815, "stimulus array of the wrong shape",
        "Raw samples have shape `[samples, elements]` or `[samples, …]` with the input's extents; \
         spikes have `[samples, steps, elements]`; labels have `[samples]`. All arrays of a file have \
         the same number of samples, at least one.";
    STIMULUS_TYPE = 816, "stimulus array of the wrong type",
        "Raw samples of accumulator and rate coding and labels are integers; direct coding takes \
         integers or floats; spikes are integers or booleans 0 and 1. Convert the array when it is \
         saved.";
    STIMULUS_VALUE = 817, "stimulus value out of range",
        "A value lies outside its range: raw samples of accumulator coding are 0 to `pmax` (a \
         larger one would need more than one spike per step), spikes are 0 or 1, floats are finite, \
         labels are 0 to the number of classes less one.";
    STIMULUS_CODING = 818, "stimulus form does not fit the input's coding",
        "An input coded as events has no rule that makes spikes from raw samples, and a directly \
         coded input takes values, not spikes. Give `spikes_<input>` or `x_<input>` accordingly.";
    STIMULUS_UNKNOWN = 819, "array that no input reads",
        "An array named `x…` or `spikes…` belongs to no input of the network, probably because of a \
         misspelled name. Arrays of other names are ignored.";
    RANDOM_WEIGHTS = 821, "the weights are random",
        "The genome says what the network looks like, and `--weights random:SEED` drew its weights. \
         What is compiled or run has learnt nothing: use it to see whether and how the architecture \
         maps, not for its predictions. Manifests record the seed.";
    CONFIG_SYNTAX = 822, "malformed configuration file",
        "A configuration file (`snnc.toml`, or the file of `--config`) is not TOML, or a value has \
         another type than its key takes. The place gives line and column. A complete example: \
         `[quantize]`, `weight-bits = 4`, then for one projection `[[quantize.projection]]`, \
         `from = \"in\"`, `to = \"h1\"`, `weight-bits = 8`.";
    CONFIG_KEY = 823, "unknown or missing key in a configuration file",
        "Keys are never ignored. `[quantize]` takes `weight-bits`, `groups`, `scales`, \
         `max-exponent` and `projection`; each `[[quantize.projection]]` takes `from` and `to`, which it \
         needs, and `nth`, `weight-bits`, `split`. Correct the spelling, or remove the key.";
    CONFIG_VALUE = 824, "value out of range in a configuration file",
        "`weight-bits` is 1 to 8, `max-exponent` 0 to 7, `groups` is `auto`, `mixed` or `split`, \
         `scales` is `auto`, `population` or `neuron`, `nth` counts from 0. A projection has one entry at \
         most.";
    CONFIG_USED = 825, "settings of a configuration file are used",
        "A file `snnc.toml` lies beside the source, and its settings decide how the network is \
         quantized. Options of the command line win over it. `--config FILE` names another file; an \
         empty one (`--config /dev/null`) decides nothing.";
    RECIPE_JSON = 826, "malformed recipe in JSON",
        "A recipe as JSON is an object with `settings`, `populations`, `projections` and \
         `calibration`, each of which may be left out; unknown fields are errors. \
         `snnc convert recipe.snnb -o recipe.json` writes one.";
    NO_GPU = 827, "no graphics processor",
        "`--runtime gpu` needs a device that Vulkan, Metal, Direct3D 12 or OpenGL reaches, and none was found \
         or opened. The notes list what was found. Install a driver (Mesa's software Vulkan counts as a \
         device, for tests), or use `--runtime auto`, which falls back to the CPU.";
    GPU_WRONG = 828, "a graphics processor computes wrongly",
        "Before a device is used, arithmetic, a product of matrices and a small network are compared with \
         the CPU. The note says what differed. Drivers have bugs: update it, or use `--runtime cpu`.";
    RUNTIME_CHOSEN = 829, "about the runtime",
        "Which simulator runs, and why, where that is not plain from the options: what `--runtime auto` \
         found, that a device is a program on the CPU, or that it rounds floats in its own way.";
    NOT_AN_ARTIFACT = 830, "not an artifact",
        "The folder has no `manifest.json`, or the file is not a manifest of this version of snnc. \
         Compile the network again, or name the folder that `snnc compile` wrote.";
    MANIFEST_INVALID = 831, "damaged manifest",
        "`manifest.json` has our schema but not its fields, or names files outside its folder. It \
         has been edited or damaged; compile again.";
    ARTIFACT_FILE = 832, "artifact file missing or altered",
        "A file listed in the manifest is missing, or its size or blake3 hash differs from the \
         manifest. The artifact is not what was certified; compile again.";
    ARTIFACT_DISAGREES = 833, "the artifact is not made from this source",
        "The manifest, the program and the logical network of the artifact do not belong together, \
         or they do not belong to the source they are verified against. The notes say what differs.";
    SPIKES_DIFFER = 834, "integer levels disagree",
        "The logical network, the scheduled network and the decoded program must agree spike for \
         spike. They did not, although the certificate holds: this is a bug of snnc. The first \
         divergence is in the report.";
    SIMULATION_FAILED = 835, "a simulation gave no result",
        "A run on the stimulus stopped: it needs more memory than a simulation is given, or a \
         register left its range, or a neuron fired off its schedule. The message names the sample. \
         Where a certificate holds, the last two are a bug of snnc.";
    CULPRIT = 836, "a pass or a writer breaks its promise",
        "`snnc verify --bisect` ran the passes again, one by one, and held what each made to what it was \
         given. The message names the first step that does not keep its promise, with the neuron, the \
         step and the stimulus that show it. This is a bug of snnc: report it with the source. Example: \
         pass `schedule` breaks its promise: `h2` neuron 3, step 1, on sample 0: it fires before the pass \
         and not after it.";
    FOREIGN_ARTIFACT = 837, "passes and writers are right, the artifact is not",
        "`snnc verify --bisect` found that every pass and writer keeps its promise for this source, but \
         that the program of the artifact computes another network. Another version of snnc made it, or \
         it was made of another source, or changed afterwards. Example: one weight of `program.snnb` was \
         edited and the manifest adapted. Compile again, and compare the files.";
    REDUCE_LEVEL = 840, "this level cannot be reduced",
        "`snnc reduce` takes parts out of float networks and of integer networks. A network on cores \
         lists for each core what the network needs there: without a part it is another mapping. \
         Example: a file that `snnc compile --emit mapped` wrote. Reduce its source.";
    REDUCE_HOLDS = 841, "the network does not fail",
        "`snnc reduce` makes a network smaller as long as it fails in the same way, so it has to fail \
         to begin with: as `--fails` says, for this target and these options, or so that the command \
         of `--test` succeeds. Example: `--fails certify` with a network that is certified.";
    REDUCE_COMMAND = 842, "the test command cannot be run",
        "The command of `--test` is run by the shell for every network that is tried, with {} in place \
         of its file; it succeeds (exit code 0) while the network is of interest. Example: \
         `--test 'snnc check {}'`, but `--test 'snnc check'` names no file.";
    NO_SPACE = 845, "no space for what is to be written",
        "The disk is full, a quota is used up, or a file would be larger than the process may write \
         (`ulimit -f`). The notes give the operating system's reason and, for artifacts, how many bytes all of it \
         takes. Nothing partial is left behind, and what was there before is still there. A new artifact is \
         written beside the old one, so for a moment there has to be space for both.";
    DEPFILE_PATH = 846, "a path that a dependency file cannot name",
        "`--deps` writes rules that make and ninja read. Blanks, `$`, `#` and `:` in paths are escaped; the other \
         characters that one of the two takes for something else (such as `%`, `*`, `;`, `|`, a backslash, or the \
         end of a line) cannot be. Rename the file or folder, or leave `--deps` out.";
    PIPELINE_SYNTAX = 850, "malformed pipeline string",
        "A pipeline is a list of passes with commas between them; a pass may have options in \
         braces: `fold-batchnorm,schedule{delays=relay},map`. The column says where reading \
         stopped.";
    UNKNOWN_PASS = 851, "no such pass",
        "The pipeline names a pass that does not exist. The help line names all passes.";
    UNKNOWN_OPTION = 852, "no such option of a pass",
        "The pipeline gives a pass an option that it does not declare. Options are never ignored. \
         The help line names the options of the pass.";
    BAD_OPTION_VALUE = 853, "a value does not fit the option of a pass",
        "Options have a type and a range: a flag is `true` or `false`, a choice is one of the \
         listed words, a number lies in the stated range.";
    REPEATED_OPTION = 854, "an option of a pass is given twice",
        "Two values for one option contradict each other. Remove one of them.";
    PASS_WRONG_LEVEL = 855, "a pass reads another level",
        "Every pass reads one level (network, quantized, mapped). Here the pass before it, or the \
         file, leaves the network at another one. Add the pass that leads there (`quantize` or \
         `map`), or move the pass.";
    MISSING_PROPERTY = 856, "a prerequisite of a pass is not met",
        "A pass may rely on properties that earlier passes establish: `quantize` needs \
         `canonical`, which `lower-currents` establishes. The help names the pass to put \
         before it.";
}
