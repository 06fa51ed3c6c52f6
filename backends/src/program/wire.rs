//! The byte layout of `program.snnb` as serde types.
//!
//! These mirror `docs/program-format.md` field by field and are separate from [`Program`], so that
//! the file format changes only when somebody changes it here.

use super::pack::Packed;
use serde::Serialize;
use snnc_ir::binary::{KIND_PROGRAM, MAGIC};
use snnc_ir::conv;
use snnc_ir::network::{self, Coding};
use snnc_ir::program::{self, Program};
use snnc_ir::quantized;

/// Version of the format that this module writes.
const VERSION: u16 = 5;

/// Encodes a program. The result is a function of the program alone.
pub fn encode(program: &Program) -> Vec<u8> {
    let values: Vec<&[i16]> = program.values.iter().map(Vec::as_slice).collect();
    encode_with(program, &values)
}

/// Encodes a program with these arrays of mantissas in place of its own.
pub(super) fn encode_with(program: &Program, values: &[&[i16]]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(KIND_PROGRAM);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    postcard::to_extend(&root(program, values), bytes)
        .expect("writing integers, texts and lists of known length to memory cannot fail")
}

#[derive(Serialize)]
struct Root<'a> {
    name: &'a str,
    target: &'a str,
    steps: u32,
    period: u32,
    run_steps: u64,
    populations: Vec<Symbol<'a>>,
    values: Vec<Packed<'a>>,
    matrices: Vec<PoolMatrix<'a>>,
    inputs: Vec<[u32; 5]>,
    cores: Vec<Core<'a>>,
    host: Vec<HostMap<'a>>,
    readout: Readout<'a>,
}

#[derive(Serialize)]
struct Symbol<'a> {
    name: &'a str,
    shape: &'a [u32],
    block: u32,
    role: Role,
    latency: u32,
}

#[derive(Serialize)]
enum Role {
    Input(InputCoding),
    Neurons,
    Relay { of: u32, hops: u32 },
    Clock,
}

#[derive(Serialize)]
enum InputCoding {
    Direct { range: Option<[i32; 2]> },
    Events,
    Accumulator { pmax: u32, steps_in: u32 },
    Rate { seed: u64 },
}

#[derive(Serialize)]
struct PoolMatrix<'a> {
    structure: Structure<'a>,
    values: u32,
    rows: [u32; 2],
    cols: [u32; 2],
}

#[derive(Serialize)]
enum Structure<'a> {
    Dense { rows: u32, cols: u32 },
    Conv(Conv),
    Sparse { rows: u32, cols: u32, row_start: &'a [u32], col: &'a [u32] },
    Identity { size: u32 },
}

#[derive(Serialize)]
struct Conv {
    input: [u32; 3],
    out_channels: u32,
    kernel: [u32; 2],
    stride: [u32; 2],
    pad: [u32; 4],
    groups: u32,
    crop: [u32; 4],
}

#[derive(Serialize)]
struct Core<'a> {
    chip: u32,
    cell: u32,
    profiles: Vec<Profile>,
    thresholds: &'a [u32],
    formats: Vec<Format>,
    compartments: Vec<Run>,
    axons: u32,
    synapses: Vec<Block>,
    routes: Vec<[u32; 4]>,
}

#[derive(Serialize)]
struct Profile {
    du: u16,
    dv: u16,
    refractory: u8,
    subtract: Option<i32>,
    update: (u32, u32),
    graded: Option<GradedMode>,
    floor: Option<i32>,
}

#[derive(Serialize)]
struct GradedMode {
    keep: Option<Keep>,
    shift: u8,
}

#[derive(Serialize)]
enum Keep {
    Positive,
    Negative,
}

#[derive(Serialize)]
struct Format {
    exponent: i8,
    sign: Sign,
    weight_bits: u8,
    delay_bits: u8,
}

#[derive(Serialize)]
enum Sign {
    Mixed,
    Excitatory,
    Inhibitory,
}

#[derive(Serialize)]
struct Run {
    population: u32,
    first: u32,
    len: u32,
    cycle: Vec<Registers>,
}

#[derive(Serialize)]
struct Registers {
    profile: u32,
    threshold: u32,
    bias_mantissa: i16,
    bias_exponent: u8,
}

#[derive(Serialize)]
struct Block {
    format: u32,
    matrix: u32,
    delay: u8,
    axon: u32,
    axons: u32,
    col: u32,
    compartment: u32,
    compartments: u32,
    row: u32,
}

#[derive(Serialize)]
struct HostMap<'a> {
    input: u32,
    target: u32,
    structure: Structure<'a>,
    weights: &'a [f32],
    scale: f64,
}

#[derive(Serialize)]
enum Readout<'a> {
    SpikeCount(u32),
    MeanLinear { terms: Vec<(u32, &'a [f32])>, bias: &'a [f32] },
}

fn root<'a>(p: &'a Program, values: &[&'a [i16]]) -> Root<'a> {
    Root {
        name: &p.name,
        target: &p.target,
        steps: p.steps,
        period: p.period,
        run_steps: p.run_steps,
        populations: p.populations.iter().map(Symbol::from).collect(),
        values: values.iter().map(|&values| Packed(values)).collect(),
        matrices: p.matrices.iter().map(PoolMatrix::from).collect(),
        inputs: p.inputs.iter().map(|r| [r.population, r.first, r.len, r.core, r.axon]).collect(),
        cores: p.cores.iter().map(Core::from).collect(),
        host: p.host.iter().map(HostMap::from).collect(),
        readout: match &p.readout {
            program::ProgramReadout::SpikeCount(population) => Readout::SpikeCount(*population),
            program::ProgramReadout::MeanLinear { terms, bias } => Readout::MeanLinear {
                terms: terms.iter().map(|(p, weights)| (*p, weights.as_slice())).collect(),
                bias,
            },
        },
    }
}

impl<'a> From<&'a program::Symbol> for Symbol<'a> {
    fn from(s: &'a program::Symbol) -> Self {
        let role = match &s.role {
            program::SymbolRole::Input(coding) => Role::Input(match *coding {
                Coding::Direct { range } => InputCoding::Direct { range },
                Coding::Events => InputCoding::Events,
                Coding::Accumulator { pmax, steps_in } => {
                    InputCoding::Accumulator { pmax, steps_in }
                }
                Coding::Rate { seed } => InputCoding::Rate { seed },
            }),
            program::SymbolRole::Neurons => Role::Neurons,
            program::SymbolRole::Relay { of, hops } => Role::Relay { of: *of, hops: *hops },
            program::SymbolRole::Clock => Role::Clock,
        };
        Self { name: &s.name, shape: &s.shape.0, block: s.block, role, latency: s.latency }
    }
}

impl<'a> From<&'a program::PoolMatrix> for PoolMatrix<'a> {
    fn from(m: &'a program::PoolMatrix) -> Self {
        let layout = |l: program::Layout| [l.places, l.block];
        Self {
            structure: Structure::from(&m.structure),
            values: m.values,
            rows: layout(m.rows),
            cols: layout(m.cols),
        }
    }
}

impl<'a> From<&'a quantized::Structure> for Structure<'a> {
    fn from(structure: &'a quantized::Structure) -> Self {
        match structure {
            quantized::Structure::Dense { rows, cols } => Self::Dense { rows: *rows, cols: *cols },
            quantized::Structure::Conv(c) => Self::Conv(Conv::from(*c)),
            quantized::Structure::Sparse { rows, cols, row_start, col } => {
                Self::Sparse { rows: *rows, cols: *cols, row_start, col }
            }
            quantized::Structure::Identity { size } => Self::Identity { size: *size },
        }
    }
}

impl From<conv::Conv> for Conv {
    fn from(c: conv::Conv) -> Self {
        let conv::Conv { input, out_channels, kernel, stride, pad, groups, crop } = c;
        Self { input, out_channels, kernel, stride, pad, groups, crop }
    }
}

impl<'a> From<&'a program::ProgramCore> for Core<'a> {
    fn from(c: &'a program::ProgramCore) -> Self {
        Self {
            chip: c.chip,
            cell: c.cell,
            profiles: c.profiles.iter().map(Profile::from).collect(),
            thresholds: &c.thresholds,
            formats: c.formats.iter().map(Format::from).collect(),
            compartments: c.compartments.iter().map(Run::from).collect(),
            axons: c.axons,
            synapses: c.synapses.iter().map(Block::from).collect(),
            routes: c.routes.iter().map(|r| [r.compartment, r.len, r.core, r.axon]).collect(),
        }
    }
}

impl From<&program::Profile> for Profile {
    fn from(p: &program::Profile) -> Self {
        let program::Profile { du, dv, refractory, subtract, update, graded, floor } = *p;
        let graded = graded.map(|program::GradedMode { keep, shift }| {
            let keep = keep.map(|keep| match keep {
                network::Keep::Positive => Keep::Positive,
                network::Keep::Negative => Keep::Negative,
            });
            GradedMode { keep, shift }
        });
        Self { du, dv, refractory, subtract, update, graded, floor }
    }
}

impl From<&program::Format> for Format {
    fn from(f: &program::Format) -> Self {
        let program::Format { exponent, sign, weight_bits, delay_bits } = *f;
        let sign = match sign {
            quantized::Sign::Mixed => Sign::Mixed,
            quantized::Sign::Excitatory => Sign::Excitatory,
            quantized::Sign::Inhibitory => Sign::Inhibitory,
        };
        Self { exponent, sign, weight_bits, delay_bits }
    }
}

impl<'a> From<&'a program::HostMap> for HostMap<'a> {
    fn from(h: &'a program::HostMap) -> Self {
        let program::HostMap { input, target, structure, weights, scale } = h;
        Self {
            input: *input,
            target: *target,
            structure: Structure::from(structure),
            weights,
            scale: *scale,
        }
    }
}

impl From<&program::CompartmentRun> for Run {
    fn from(r: &program::CompartmentRun) -> Self {
        let program::CompartmentRun { population, first, len, cycle } = r;
        let registers = |r: &program::Registers| {
            let program::Registers { profile, threshold, bias_mantissa, bias_exponent } = *r;
            Registers { profile, threshold, bias_mantissa, bias_exponent }
        };
        let (population, first, len) = (*population, *first, *len);
        Self { population, first, len, cycle: cycle.iter().map(registers).collect() }
    }
}

impl From<&program::SynapseBlock> for Block {
    fn from(b: &program::SynapseBlock) -> Self {
        let program::SynapseBlock {
            format,
            matrix,
            delay,
            axon,
            axons,
            col,
            compartment,
            compartments,
            row,
        } = *b;
        Self { format, matrix, delay, axon, axons, col, compartment, compartments, row }
    }
}
