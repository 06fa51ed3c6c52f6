//! The account of sharing: how many parameters a network has in the genome, as it was decoded, in integers, in
//! the artifact and in core memory, and which fold saved what. `docs/folding.md` explains the columns.

mod render;

use crate::compile::{Failure, Options, lower};
use crate::describe;
use crate::pipeline::{Stage, not_reached};
use crate::source::Source;
use crate::target::Target;
use serde::{Deserialize, Serialize};
use snnc_backends::{Backend, PROGRAM_FILE};
use snnc_frontend::GenomeAccount;
use snnc_ir::arena::{Arena, Entity, MatId};
use snnc_ir::quantized::{IntMatrix, QuantizedDraft};
use snnc_ir::{MappedNetwork, Network, QuantizedNetwork, TargetSpec};
use snnc_passes::Pipeline;
use snnc_passes::fold_integers::Fold;
use snnc_passes::fold_integers::content::{distinct, distinct_values, values};
use std::collections::BTreeMap;

/// Bytes of a stored parameter of a genome or a float network: f32.
const FLOAT_BYTES: u64 = 4;
/// Bytes of a word of synapse memory.
const WORD_BYTES: u64 = 8;

/// What a network takes on its way to cores, and what was folded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldingAccount {
    /// Numbers that the genome stores; `None` if the source is no genome.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub genome: Option<Amount>,
    /// Numbers that the genome decodes to, each tensor once; `None` if the source is no genome.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decoded: Option<Amount>,
    /// Values of the float network that is quantized, each tensor once; `None` if the source is quantized.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<Amount>,
    /// The integer network.
    pub integers: IntegerAmounts,
    /// Values that a program stores, each array once, in as few bits as its largest value takes.
    pub pool: Amount,
    /// `program.snnb`: values of the pool and everything else.
    pub program_bytes: u64,
    /// Synapse memory of all cores.
    pub memory: MemoryAmounts,
    /// What passes folded, in order.
    pub folds: Vec<Fold>,
    /// Arrays of values that serve more than one projection.
    pub shared: Vec<SharedValues>,
    /// Matrices with equal rows or columns.
    pub equal: Vec<EqualNeurons>,
}

/// Numbers, and the bytes that they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// How many.
    pub values: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Amount {
    const fn floats(values: u64) -> Self {
        Self { values, bytes: values * FLOAT_BYTES }
    }
}

/// What the integer network in logical time holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegerAmounts {
    /// Projections.
    pub projections: u64,
    /// Values if each projection stored a matrix of its own.
    pub unshared_values: u64,
    /// Matrices.
    pub matrices: u64,
    /// Values of the matrices, each matrix once.
    pub stored_values: u64,
    /// Synapses that are not 0, kernels expanded.
    pub synapses: u64,
}

/// Synapse memory, over all cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryAmounts {
    /// Cores.
    pub cores: u64,
    /// Words of 64 bits.
    pub words: u64,
    /// Words that the same cores would need if every axon had a list of its own.
    pub unshared_words: u64,
    /// Compartments, relays and clocks included.
    pub compartments: u64,
    /// Of these, graded relays.
    pub relays: u64,
    /// Hardware steps of a run.
    pub run_steps: u64,
}

/// An array of values that serves several projections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedValues {
    /// Names of the matrices that hold these values up to a power of two, whatever their layout.
    pub matrices: Vec<String>,
    /// Projections that use them.
    pub projections: u64,
    /// Number of values.
    pub values: u64,
    /// Values that are not stored again.
    pub saved: u64,
}

/// A matrix with equal rows or columns: neurons with equal encodings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EqualNeurons {
    /// Its name.
    pub matrix: String,
    /// Rows, or output channels.
    pub rows: u64,
    /// Different ones among them.
    pub distinct_rows: u64,
    /// Columns, or input channels.
    pub cols: u64,
    /// Different ones among them: as many lists of synapses serve all axons of a core that stores equal
    /// synapses once.
    pub distinct_cols: u64,
}

/// The stages that an account looks at.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What the genome stores, if the source is one.
    pub genome: Option<&'a GenomeAccount>,
    /// The float network that was quantized.
    pub network: Option<&'a Network>,
    /// The integer network in logical time.
    pub quantized: &'a QuantizedNetwork,
    /// The same on cores.
    pub mapped: &'a MappedNetwork,
    /// The target.
    pub target: &'a TargetSpec,
    /// What was folded.
    pub folds: &'a [Fold],
    /// Length of `program.snnb`.
    pub program_bytes: u64,
}

impl FoldingAccount {
    /// Counts. **Complexity**: O(stored mantissas · log), besides the accounting of the cores.
    pub fn of(parts: &Parts<'_>) -> Self {
        let genome = parts.genome;
        let tensors =
            |network: &Network| network.tensors.values().map(|t| t.data.len() as u64).sum::<u64>();
        Self {
            genome: genome.map(|g| Amount::floats(g.stored_parameters() as u64)),
            decoded: genome.map(|g| Amount::floats(g.network_parameters() as u64)),
            network: parts.network.map(|n| Amount::floats(tensors(n))),
            integers: integers(parts.quantized),
            pool: pool(&parts.mapped.network.matrices),
            program_bytes: parts.program_bytes,
            memory: memory(parts.mapped, parts.target),
            folds: parts.folds.to_vec(),
            shared: shared(parts.quantized),
            equal: equal(parts.quantized),
        }
    }

    /// Compiles `source` as far as the bytes of its program, which are not certified, and counts. Returns
    /// the name of the network and the pipeline, too.
    ///
    /// # Errors
    /// What a pass or the back end rejects.
    pub fn of_source(
        source: &Source,
        target: &Target,
        options: &Options,
    ) -> Result<(Self, Pipeline), Failure> {
        let (stages, pipeline) = lower(source, &target.spec, options, Stage::Mapped)?;
        let (Some(quantized), Some(mapped)) = (&stages.quantized, &stages.mapped) else {
            return Err(not_reached(Stage::Mapped).into());
        };
        let emission = target.backend().emit(mapped, &target.spec)?;
        let program = emission.files.iter().find(|f| f.name == PROGRAM_FILE);
        let account = Self::of(&Parts {
            genome: source.account.as_ref(),
            network: stages.network.as_ref(),
            quantized,
            mapped,
            target: &target.spec,
            folds: &stages.folds,
            program_bytes: program.map_or(0, |f| f.bytes.len() as u64),
        });
        Ok((account, pipeline))
    }

    /// Bytes of synapse memory.
    pub const fn memory_bytes(&self) -> u64 {
        self.memory.words * WORD_BYTES
    }

    /// The account for people.
    pub fn render(&self) -> String {
        render::render(self)
    }
}

fn integers(network: &QuantizedDraft) -> IntegerAmounts {
    let counts: Vec<u64> = network.matrices.values().map(IntMatrix::synapses).collect();
    let stored = |m: &IntMatrix| m.mantissa.len() as u64;
    let of = |f: &dyn Fn(MatId) -> u64| network.projections.values().map(|p| f(p.matrix)).sum();
    IntegerAmounts {
        projections: network.projections.len() as u64,
        unshared_values: of(&|id| stored(&network.matrices[id])),
        matrices: network.matrices.len() as u64,
        stored_values: network.matrices.values().map(stored).sum(),
        synapses: of(&|id| counts[id.index()]),
    }
}

/// The arrays of mantissas that a program stores: equal ones once, divided by their common power of two, in
/// two's complement of as few bits as hold the largest.
fn pool(matrices: &Arena<MatId, IntMatrix>) -> Amount {
    let mut all = Amount::default();
    let arrays: BTreeMap<&[i16], &IntMatrix> =
        matrices.values().map(|m| (m.mantissa.as_slice(), m)).collect();
    for matrix in arrays.into_values() {
        let values = values(matrix);
        let width = values.iter().map(|&v| signed_bits(v)).max().unwrap_or(0);
        all.values += values.len() as u64;
        all.bytes += (values.len() as u64 * u64::from(width)).div_ceil(8);
    }
    all
}

/// Bits of a number in two's complement.
fn signed_bits(value: i16) -> u32 {
    let magnitude = if value < 0 { !value } else { value };
    i16::BITS - magnitude.leading_zeros() + 1
}

fn memory(mapped: &MappedNetwork, target: &TargetSpec) -> MemoryAmounts {
    let words = |target: &TargetSpec| {
        describe::cores(mapped, target).iter().map(|c| c.used.synapse_words).sum()
    };
    let mut unshared = target.clone();
    unshared.shared_kernels.value = 0;
    unshared.axon_atoms.value = 0;
    let network = &mapped.network;
    let graded = network.populations.values().filter(|p| p.graded().is_some());
    MemoryAmounts {
        cores: mapped.cores.len() as u64,
        words: words(target),
        unshared_words: words(&unshared),
        compartments: mapped.cores.values().map(|c| c.compartments() as u64).sum(),
        relays: graded.map(|p| p.size() as u64).sum(),
        run_steps: network.run_steps(),
    }
}

fn shared(network: &QuantizedDraft) -> Vec<SharedValues> {
    let mut uses = vec![0_u64; network.matrices.len()];
    for projection in network.projections.values() {
        uses[projection.matrix.index()] += 1;
    }
    let entry = |class: snnc_passes::fold_integers::content::SameValues| {
        let projections: u64 = class.matrices.iter().map(|id| uses[id.index()]).sum();
        let values = class.len as u64;
        SharedValues {
            matrices: class.matrices.iter().map(|id| network.matrices[*id].name.clone()).collect(),
            projections,
            values,
            saved: values * projections.saturating_sub(1),
        }
    };
    let all = distinct_values(&network.matrices).into_iter().map(entry);
    all.filter(|s| s.projections > 1).collect()
}

fn equal(network: &QuantizedDraft) -> Vec<EqualNeurons> {
    let entry = |matrix: &IntMatrix| {
        let found = distinct(matrix)?;
        let differ = found.distinct_rows == found.rows && found.distinct_cols == found.cols;
        (!differ).then(|| EqualNeurons {
            matrix: matrix.name.clone(),
            rows: found.rows as u64,
            distinct_rows: found.distinct_rows as u64,
            cols: found.cols as u64,
            distinct_cols: found.distinct_cols as u64,
        })
    };
    network.matrices.values().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::signed_bits;

    #[test]
    fn widths_hold_their_numbers() {
        let found = [0, -1, 1, -2, 2, -128, 127, 128, i16::MIN].map(signed_bits);
        assert_eq!(found, [1, 1, 2, 2, 3, 8, 8, 9, 16]);
    }
}
