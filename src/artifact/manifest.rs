//! `manifest.json`: what an artifact is, where it comes from, and the hash of every file.
//!
//! The manifest says nothing about the machine or the moment that made it, so equal inputs give
//! equal bytes. Its fields are described in `docs/cli.md`.

use crate::artifact::mapping::MappingEntry;
use crate::files::{self, shown};
use crate::folding::FoldingAccount;
use serde::{Deserialize, Serialize};
use snnc_backends::netx::Layout;
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::usage;
use snnc_ir::network::Discretization;
use snnc_ir::recipe::{self, Calibration, Recipe, Settings};
use std::collections::BTreeSet;
use std::path::{Component, Path};

/// File name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Value of [`Manifest::schema`].
pub const SCHEMA: &str = "snnc-manifest/1";

/// The manifest of an artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of snnc.
    pub snnc: String,
    /// Name of the network.
    pub network: String,
    /// What was compiled.
    pub source: SourceEntry,
    /// What it was compiled for.
    pub target: TargetEntry,
    /// The passes with their options.
    pub pipeline: String,
    /// What decided how the network became integers; absent if it was quantized already.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub quantization: Option<RecipeEntry>,
    /// Time of one run.
    pub time: TimeEntry,
    /// Populations in hardware time, relays and clocks included.
    pub populations: Vec<PopulationEntry>,
    /// Where the host writes input spikes.
    pub inputs: Vec<InputEntry>,
    /// Currents that the host computes from samples and writes as biases.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub host: Vec<HostEntry>,
    /// Where the host reads output spikes.
    pub outputs: Vec<OutputEntry>,
    /// What the mapping comes to.
    pub mapping: MappingEntry,
    /// What every core uses.
    pub cores: Vec<CoreEntry>,
    /// What the target offers per core.
    pub limits: Resources,
    /// What the network takes from the genome to core memory, and what was folded.
    pub folding: FoldingAccount,
    /// The exported `network.net`, or why there is none. Absent if the back end has no such file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub netx: Option<NetxEntry>,
    /// What the passes remarked, such as the scale of every quantized population.
    pub remarks: Vec<RemarkEntry>,
    /// The other files of the artifact, by name.
    pub files: Vec<FileEntry>,
}

/// What was compiled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// `genome`, `network` or `quantized`.
    pub kind: String,
    /// Hash of the source: genome and its side-car, or the bytes of the file.
    pub blake3: String,
    /// Where its weights come from if not from the file: `random:SEED`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub weights: Option<String>,
    /// How time was cut into steps, if it was a NIR graph with anything open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub discretization: Option<Discretization>,
}

/// What it was compiled for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetEntry {
    /// Name of the target.
    pub name: String,
    /// Hash of its description.
    pub blake3: String,
}

/// What decided how a network became integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeEntry {
    /// What holds where the recipe has no entry.
    pub settings: Settings,
    /// Whether there is a `recipe.snnb`; without it, quantization filled everything in by itself.
    pub recipe: bool,
    /// What the recipe was fitted to, if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calibration: Option<Calibration>,
}

impl RecipeEntry {
    /// The entry of an artifact whose network was quantized by `recipe`. The default recipe needs no
    /// file.
    pub fn of(recipe: &Recipe) -> Self {
        Self {
            settings: recipe.settings,
            recipe: *recipe != recipe::DEFAULT,
            calibration: recipe.calibration.clone(),
        }
    }
}

/// Time of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeEntry {
    /// Logical steps, T.
    pub steps: u32,
    /// Hardware steps per logical step, P.
    pub period: u32,
    /// Hardware steps of one run.
    pub run_steps: u64,
}

/// A population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationEntry {
    /// Name.
    pub name: String,
    /// Extents.
    pub shape: Vec<u32>,
    /// `input`, `neurons`, `graded`, `relay` or `clock`.
    pub role: String,
    /// Population that a relay repeats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<String>,
    /// Hardware step of logical step 0.
    pub latency: u32,
    /// Which messages it sends, if it is graded: `positive`, `negative` or `all`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub messages: Option<String>,
    /// How its numbers became integers; only for neurons and graded relays of the source.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub quantization: Option<QuantizationEntry>,
}

/// Ranges of a population's integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizationEntry {
    /// Smallest and largest weight of its synapses.
    pub weight: [i32; 2],
    /// Smallest and largest threshold, units of the membrane; not of graded relays.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threshold: Option<[i32; 2]>,
    /// Smallest and largest bias, units of the membrane; of graded relays in units of the message.
    pub bias: [i32; 2],
    /// Smallest and largest membrane decay register; not of graded relays.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dv: Option<[u16; 2]>,
    /// Smallest and largest current decay register; not of graded relays.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub du: Option<[u16; 2]>,
}

/// A current that the host computes from the values of a directly coded input and adds to the
/// biases of a population before the run: `rint(scale · W x)` units of weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostEntry {
    /// The input.
    pub input: String,
    /// The population whose biases are written.
    pub target: String,
    /// Units of weight per unit of current.
    pub scale: f64,
    /// Stored weights; they are in `program.snnb`.
    pub weights: usize,
}

/// Where the host writes the spikes of an input population.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputEntry {
    /// Name of the population.
    pub population: String,
    /// Neurons.
    pub size: u32,
    /// `events`, `accumulator`, `rate`, `direct`.
    pub coding: String,
    /// Smallest and largest value of direct coding.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub range: Option<[i32; 2]>,
    /// Largest raw value of accumulator coding.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pmax: Option<u32>,
    /// Steps with input of accumulator coding.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub steps_in: Option<u32>,
    /// Seed of rate coding.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<u64>,
    /// Hardware step of logical step 0.
    pub latency: u32,
    /// Axons that the spikes go to.
    pub routes: Vec<RouteEntry>,
}

/// Neurons `first..first + len` of an input and their axons `axon..axon + len` of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteEntry {
    /// First neuron.
    pub first: u32,
    /// Number of neurons.
    pub len: u32,
    /// Core.
    pub core: u32,
    /// First axon.
    pub axon: u32,
}

/// Where the host reads the spikes of an output population.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputEntry {
    /// Name of the population.
    pub population: String,
    /// Neurons.
    pub size: u32,
    /// Hardware step of logical step 0.
    pub latency: u32,
    /// Compartments that fire its spikes; none for an input that is read out directly.
    pub compartments: Vec<CompartmentEntry>,
}

/// Neurons `first..first + len` and their compartments `compartment..compartment + len` of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompartmentEntry {
    /// First neuron.
    pub first: u32,
    /// Number of neurons.
    pub len: u32,
    /// Core.
    pub core: u32,
    /// First compartment.
    pub compartment: u32,
}

/// What a core uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreEntry {
    /// Chip that holds the core.
    pub chip: u32,
    /// Which of the chip's cores it is, row-major on its mesh.
    pub cell: u32,
    /// Resources in use.
    pub used: Resources,
}

/// Resources of a core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Compartments (neurons).
    pub compartments: u64,
    /// Input axons.
    pub input_axons: u64,
    /// Output axons.
    pub output_axons: u64,
    /// Words of synapse memory.
    pub synapse_words: u64,
    /// Compartment profiles.
    pub profiles: u64,
    /// Distinct thresholds.
    pub thresholds: u64,
    /// Synapse formats.
    pub formats: u64,
}

/// The exported `network.net`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetxEntry {
    /// It is there; where the populations lie in it.
    Layout(Layout),
    /// It is not: what the format cannot express.
    LeftOut(RemarkEntry),
}

/// What a pass or a back end remarked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemarkEntry {
    /// Its code.
    pub code: String,
    /// What it says.
    pub message: String,
    /// Further facts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// A file of the artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Name.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// Hash of the contents, hexadecimal.
    pub blake3: String,
}

impl FileEntry {
    /// The entry of a file called `name` that holds `bytes`.
    pub fn of(name: &str, bytes: &[u8]) -> Self {
        let blake3 = blake3::hash(bytes).to_hex().to_string();
        Self { name: name.to_owned(), bytes: bytes.len() as u64, blake3 }
    }
}

impl Manifest {
    /// The bytes of `manifest.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .expect("a manifest has string keys and finite numbers only");
        bytes.push(b'\n');
        bytes
    }

    /// Reads the manifest of the artifact in `folder`.
    ///
    /// # Errors
    /// `SNN0830` if there is none or it has another schema, `SNN0831` if it is damaged.
    pub fn read(folder: &Path) -> Result<Self, Diagnostic> {
        let path = folder.join(MANIFEST);
        let text = files::read_text(&path, files::MAX_MANIFEST).map_err(|cause| {
            Diagnostic::error(
                usage::NOT_AN_ARTIFACT,
                format!("{} has no readable {MANIFEST}", shown(folder)),
            )
            .in_file(shown(folder))
            .note(cause.notes.first().map_or(cause.message.as_str(), String::as_str))
            .help("name a folder that `snnc compile` wrote")
        })?;
        Self::parse(&text).map_err(|d| d.in_file(shown(&path)))
    }

    /// Names of the files that the manifest in `folder` lists, if it is one of ours. Its other
    /// fields need not be readable: a damaged artifact is an artifact.
    pub fn listed(folder: &Path) -> Option<Vec<String>> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        #[derive(Deserialize)]
        struct Outline {
            schema: String,
            files: Vec<Named>,
        }
        let text = files::read_text(&folder.join(MANIFEST), files::MAX_MANIFEST).ok()?;
        let outline: Outline = serde_json::from_str(&text).ok()?;
        (outline.schema == SCHEMA).then(|| outline.files.into_iter().map(|f| f.name).collect())
    }

    /// Parses a manifest.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let foreign = |note: String| {
            Diagnostic::error(usage::NOT_AN_ARTIFACT, "the file is not a manifest of snnc")
                .note(note)
                .help(format!("expected a JSON object with `\"schema\": \"{SCHEMA}\"`"))
        };
        let head: Head = serde_json::from_str(text).map_err(|e| foreign(e.to_string()))?;
        if head.schema != SCHEMA {
            return Err(foreign(format!("its schema is `{}`", head.schema)));
        }
        let damaged = |message: String| {
            Diagnostic::error(usage::MANIFEST_INVALID, message)
                .help("compile again: the manifest was edited or damaged")
        };
        let manifest: Self = serde_json::from_str(text).map_err(|e| {
            let (line, column) = (e.line(), e.column());
            let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            damaged(format!("the manifest is damaged: {e}")).at_line(place(line), place(column))
        })?;
        let mut seen = BTreeSet::new();
        for (i, file) in manifest.files.iter().enumerate() {
            if !is_plain(&file.name) || file.name == MANIFEST || !seen.insert(&file.name) {
                return Err(damaged(format!("the manifest lists the file {:?}", file.name))
                    .at(format!("$.files[{i}].name"))
                    .note("expected each name once, without folders"));
            }
        }
        Ok(manifest)
    }

    /// The entry of the file called `name`.
    pub fn file(&self, name: &str) -> Option<&FileEntry> {
        self.files.iter().find(|f| f.name == name)
    }
}

/// Whether `name` is a plain file name that stays in its folder.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}
