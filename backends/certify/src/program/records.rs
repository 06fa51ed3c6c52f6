//! Decoders of the records, field by field in the order of `docs/program-format.md`.

use super::bytes::{Cursor, Decoded};
use super::values;
use snnc_ir::Diagnostic;
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::artifact;
use snnc_ir::network::{Coding, Keep};
use snnc_ir::program::{
    CompartmentRun, Format, GradedMode, HostMap, InputRoute, Layout, PoolMatrix, Profile, Program,
    ProgramCore, ProgramReadout, Registers, Route, Symbol, SymbolRole, SynapseBlock,
};
use snnc_ir::quantized::{Sign, Structure};
use snnc_ir::shape::Shape;

/// The whole file: header, record, nothing after it.
pub(super) fn file(c: &mut Cursor<'_>) -> Decoded<Program> {
    header(c)?;
    let program = program(c)?;
    if c.remaining() > 0 {
        return Err(c.error(c.offset(), format!("{} bytes follow the program", c.remaining())));
    }
    Ok(program)
}

fn header(c: &mut Cursor<'_>) -> Decoded<()> {
    if c.take(4)? != b"SNNB" {
        return Err(c.error(0, "the file does not start with the letters SNNB"));
    }
    let kind = c.u8()?;
    let version = u16::from_le_bytes([c.u8()?, c.u8()?]);
    let refuse = |message: String, note: &str, help: &str| {
        let refusal = Diagnostic::error(artifact::PROGRAM_VERSION, message).note(note);
        Err(Box::new(refusal.help(help)))
    };
    match (kind, version) {
        (3, 5) => Ok(()),
        (3, _) => refuse(
            format!("the program has format version {version}"),
            "this snnc reads version 5",
            if version < 5 {
                "compile the network again: programs of older versions lack what a reader needs now"
            } else {
                "use the snnc that wrote it, or a newer one"
            },
        ),
        _ => refuse(
            format!("the file is of kind {kind}, not a program"),
            "a program has kind 3",
            "give `program.snnb`, or a command that takes networks",
        ),
    }
}

fn program(c: &mut Cursor<'_>) -> Decoded<Program> {
    Ok(Program {
        name: c.field("name", Cursor::text)?,
        target: c.field("target", Cursor::text)?,
        steps: c.field("steps", Cursor::u32)?,
        period: c.field("period", Cursor::u32)?,
        run_steps: c.field("run_steps", Cursor::u64)?,
        populations: c.field("populations", |c| c.list(5, symbol))?,
        values: c.field("values", |c| c.list(4, values::array))?,
        matrices: c.field("matrices", |c| c.list(7, pool_matrix))?,
        inputs: c.field("inputs", |c| c.list(5, input_route))?,
        cores: c.field("cores", |c| c.list(8, core))?,
        host: c.field("host", |c| c.list(13, host_map))?,
        readout: c.field("readout", readout)?,
    })
}

fn symbol(c: &mut Cursor<'_>) -> Decoded<Symbol> {
    Ok(Symbol {
        name: c.field("name", Cursor::text)?,
        shape: Shape(c.field("shape", |c| c.list(1, Cursor::u32))?),
        block: c.field("block", Cursor::u32)?,
        role: c.field("role", role)?,
        latency: c.field("latency", Cursor::u32)?,
    })
}

fn role(c: &mut Cursor<'_>) -> Decoded<SymbolRole> {
    Ok(match c.tag(4)? {
        0 => SymbolRole::Input(c.field("coding", coding)?),
        1 => SymbolRole::Neurons,
        2 => SymbolRole::Relay {
            of: c.field("of", Cursor::u32)?,
            hops: c.field("hops", Cursor::u32)?,
        },
        _ => SymbolRole::Clock,
    })
}

fn coding(c: &mut Cursor<'_>) -> Decoded<Coding> {
    Ok(match c.tag(4)? {
        0 => {
            Coding::Direct { range: c.field("range", |c| c.option(|c| Ok([c.i32()?, c.i32()?])))? }
        }
        1 => Coding::Events,
        2 => Coding::Accumulator {
            pmax: c.field("pmax", Cursor::u32)?,
            steps_in: c.field("steps_in", Cursor::u32)?,
        },
        _ => Coding::Rate { seed: c.field("seed", Cursor::u64)? },
    })
}

fn pool_matrix(c: &mut Cursor<'_>) -> Decoded<PoolMatrix> {
    Ok(PoolMatrix {
        structure: c.field("structure", structure)?,
        values: c.field("values", Cursor::u32)?,
        rows: c.field("rows", layout)?,
        cols: c.field("cols", layout)?,
    })
}

fn layout(c: &mut Cursor<'_>) -> Decoded<Layout> {
    Ok(Layout { places: c.field("places", Cursor::u32)?, block: c.field("block", Cursor::u32)? })
}

fn structure(c: &mut Cursor<'_>) -> Decoded<Structure> {
    Ok(match c.tag(4)? {
        0 => Structure::Dense {
            rows: c.field("rows", Cursor::u32)?,
            cols: c.field("cols", Cursor::u32)?,
        },
        1 => Structure::Conv(Conv {
            input: c.field("input", Cursor::array)?,
            out_channels: c.field("out_channels", Cursor::u32)?,
            kernel: c.field("kernel", Cursor::array)?,
            stride: c.field("stride", Cursor::array)?,
            pad: c.field("pad", Cursor::array)?,
            groups: c.field("groups", Cursor::u32)?,
            crop: c.field("crop", Cursor::array)?,
        }),
        2 => Structure::Sparse {
            rows: c.field("rows", Cursor::u32)?,
            cols: c.field("cols", Cursor::u32)?,
            row_start: c.field("row_start", |c| c.list(1, Cursor::u32))?,
            col: c.field("col", |c| c.list(1, Cursor::u32))?,
        },
        _ => Structure::Identity { size: c.field("size", Cursor::u32)? },
    })
}

fn input_route(c: &mut Cursor<'_>) -> Decoded<InputRoute> {
    Ok(InputRoute {
        population: c.field("population", Cursor::u32)?,
        first: c.field("first", Cursor::u32)?,
        len: c.field("len", Cursor::u32)?,
        core: c.field("core", Cursor::u32)?,
        axon: c.field("axon", Cursor::u32)?,
    })
}

fn core(c: &mut Cursor<'_>) -> Decoded<ProgramCore> {
    Ok(ProgramCore {
        chip: c.field("chip", Cursor::u32)?,
        cell: c.field("cell", Cursor::u32)?,
        profiles: c.field("profiles", |c| c.list(8, profile))?,
        thresholds: c.field("thresholds", |c| c.list(1, Cursor::u32))?,
        formats: c.field("formats", |c| c.list(4, format))?,
        compartments: c.field("compartments", |c| c.list(4, compartment_run))?,
        axons: c.field("axons", Cursor::u32)?,
        synapses: c.field("synapses", |c| c.list(9, synapse_block))?,
        routes: c.field("routes", |c| c.list(4, route))?,
    })
}

fn profile(c: &mut Cursor<'_>) -> Decoded<Profile> {
    Ok(Profile {
        du: c.field("du", Cursor::u16)?,
        dv: c.field("dv", Cursor::u16)?,
        refractory: c.field("refractory", Cursor::u8)?,
        subtract: c.field("subtract", |c| c.option(Cursor::i32))?,
        update: c.field("update", |c| Ok((c.u32()?, c.u32()?)))?,
        graded: c.field("graded", |c| c.option(graded_mode))?,
        floor: c.field("floor", |c| c.option(Cursor::i32))?,
    })
}

fn graded_mode(c: &mut Cursor<'_>) -> Decoded<GradedMode> {
    let keep = |c: &mut Cursor<'_>| {
        Ok(match c.tag(2)? {
            0 => Keep::Positive,
            _ => Keep::Negative,
        })
    };
    Ok(GradedMode {
        keep: c.field("keep", |c| c.option(keep))?,
        shift: c.field("shift", Cursor::u8)?,
    })
}

fn format(c: &mut Cursor<'_>) -> Decoded<Format> {
    Ok(Format {
        exponent: c.field("exponent", Cursor::i8)?,
        sign: c.field("sign", |c| {
            Ok(match c.tag(3)? {
                0 => Sign::Mixed,
                1 => Sign::Excitatory,
                _ => Sign::Inhibitory,
            })
        })?,
        weight_bits: c.field("weight_bits", Cursor::u8)?,
        delay_bits: c.field("delay_bits", Cursor::u8)?,
    })
}

fn compartment_run(c: &mut Cursor<'_>) -> Decoded<CompartmentRun> {
    Ok(CompartmentRun {
        population: c.field("population", Cursor::u32)?,
        first: c.field("first", Cursor::u32)?,
        len: c.field("len", Cursor::u32)?,
        cycle: c.field("cycle", |c| c.list(4, registers))?,
    })
}

fn registers(c: &mut Cursor<'_>) -> Decoded<Registers> {
    Ok(Registers {
        profile: c.field("profile", Cursor::u32)?,
        threshold: c.field("threshold", Cursor::u32)?,
        bias_mantissa: c.field("bias_mantissa", Cursor::i16)?,
        bias_exponent: c.field("bias_exponent", Cursor::u8)?,
    })
}

fn synapse_block(c: &mut Cursor<'_>) -> Decoded<SynapseBlock> {
    Ok(SynapseBlock {
        format: c.field("format", Cursor::u32)?,
        matrix: c.field("matrix", Cursor::u32)?,
        delay: c.field("delay", Cursor::u8)?,
        axon: c.field("axon", Cursor::u32)?,
        axons: c.field("axons", Cursor::u32)?,
        col: c.field("col", Cursor::u32)?,
        compartment: c.field("compartment", Cursor::u32)?,
        compartments: c.field("compartments", Cursor::u32)?,
        row: c.field("row", Cursor::u32)?,
    })
}

fn route(c: &mut Cursor<'_>) -> Decoded<Route> {
    Ok(Route {
        compartment: c.field("compartment", Cursor::u32)?,
        len: c.field("len", Cursor::u32)?,
        core: c.field("core", Cursor::u32)?,
        axon: c.field("axon", Cursor::u32)?,
    })
}

fn host_map(c: &mut Cursor<'_>) -> Decoded<HostMap> {
    Ok(HostMap {
        input: c.field("input", Cursor::u32)?,
        target: c.field("target", Cursor::u32)?,
        structure: c.field("structure", structure)?,
        weights: c.field("weights", |c| c.list(4, Cursor::f32))?,
        scale: c.field("scale", Cursor::f64)?,
    })
}

fn readout(c: &mut Cursor<'_>) -> Decoded<ProgramReadout> {
    Ok(match c.tag(2)? {
        0 => ProgramReadout::SpikeCount(c.u32()?),
        _ => ProgramReadout::MeanLinear {
            terms: c.field("terms", |c| {
                c.list(2, |c| {
                    Ok((
                        c.field("population", Cursor::u32)?,
                        c.field("weights", |c| c.list(4, Cursor::f32))?,
                    ))
                })
            })?,
            bias: c.field("bias", |c| c.list(4, Cursor::f32))?,
        },
    })
}
