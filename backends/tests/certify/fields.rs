//! Every number of a program, to be changed one at a time.

use snnc_ir::network::Coding;
use snnc_ir::program::{Program, ProgramReadout, SymbolRole};
use snnc_ir::quantized::Structure;

/// A number of a program.
pub(crate) enum Field<'a> {
    U8(&'a mut u8),
    I8(&'a mut i8),
    U16(&'a mut u16),
    I16(&'a mut i16),
    U32(&'a mut u32),
    I32(&'a mut i32),
    U64(&'a mut u64),
    F32(&'a mut f32),
    F64(&'a mut f64),
}

impl Field<'_> {
    pub(crate) fn get(&self) -> u64 {
        match self {
            Self::U8(x) => u64::from(**x),
            Self::I8(x) => i64::from(**x).cast_unsigned(),
            Self::U16(x) => u64::from(**x),
            Self::I16(x) => i64::from(**x).cast_unsigned(),
            Self::U32(x) => u64::from(**x),
            Self::I32(x) => i64::from(**x).cast_unsigned(),
            Self::U64(x) => **x,
            Self::F32(x) => u64::from(x.to_bits()),
            Self::F64(x) => x.to_bits(),
        }
    }

    /// Stores the lowest bits of `value`.
    #[expect(clippy::cast_possible_truncation, reason = "that is what wrapping around means")]
    pub(crate) fn set(&mut self, value: u64) {
        match self {
            Self::U8(x) => **x = value as u8,
            Self::I8(x) => **x = (value as u8).cast_signed(),
            Self::U16(x) => **x = value as u16,
            Self::I16(x) => **x = (value as u16).cast_signed(),
            Self::U32(x) => **x = value as u32,
            Self::I32(x) => **x = (value as u32).cast_signed(),
            Self::U64(x) => **x = value,
            Self::F32(x) => **x = f32::from_bits(value as u32),
            Self::F64(x) => **x = f64::from_bits(value),
        }
    }
}

/// All numbers, named by their table.
pub(crate) fn fields(program: &mut Program) -> Vec<(&'static str, Field<'_>)> {
    use Field::{F32, F64, I8, I16, I32, U8, U16, U32, U64};
    let mut out = vec![
        ("steps", U32(&mut program.steps)),
        ("period", U32(&mut program.period)),
        ("run_steps", U64(&mut program.run_steps)),
    ];
    for s in &mut program.populations {
        out.push(("symbol.latency", U32(&mut s.latency)));
        out.push(("symbol.block", U32(&mut s.block)));
        out.extend(s.shape.0.iter_mut().map(|d| ("symbol.shape", U32(d))));
        match &mut s.role {
            SymbolRole::Relay { of, hops } => {
                out.extend([("relay.of", U32(of)), ("relay.hops", U32(hops))]);
            }
            SymbolRole::Input(Coding::Direct { range: Some(range) }) => {
                out.extend(range.iter_mut().map(|end| ("range", I32(end))));
            }
            SymbolRole::Input(_) | SymbolRole::Neurons | SymbolRole::Clock => {}
        }
    }
    for array in &mut program.values {
        out.extend(array.iter_mut().map(|w| ("mantissa", I16(w))));
    }
    for m in &mut program.matrices {
        out.push(("matrix.values", U32(&mut m.values)));
        for layout in [&mut m.rows, &mut m.cols] {
            out.push(("layout.places", U32(&mut layout.places)));
            out.push(("layout.block", U32(&mut layout.block)));
        }
        match &mut m.structure {
            Structure::Dense { rows, cols } => {
                out.extend([("matrix.rows", U32(rows)), ("matrix.cols", U32(cols))]);
            }
            Structure::Sparse { rows, cols, row_start, col } => {
                out.extend([("matrix.rows", U32(rows)), ("matrix.cols", U32(cols))]);
                out.extend(row_start.iter_mut().map(|c| ("matrix.row_start", U32(c))));
                out.extend(col.iter_mut().map(|c| ("matrix.col", U32(c))));
            }
            Structure::Identity { size } => out.push(("matrix.size", U32(size))),
            Structure::Conv(c) => {
                let (input, kernel, stride, pad, crop) =
                    (&mut c.input, &mut c.kernel, &mut c.stride, &mut c.pad, &mut c.crop);
                let lists: [&mut [u32]; 5] = [input, kernel, stride, pad, crop];
                out.extend(lists.into_iter().flatten().map(|x| ("conv", U32(x))));
                out.extend([("conv", U32(&mut c.out_channels)), ("conv", U32(&mut c.groups))]);
            }
        }
    }
    for h in &mut program.host {
        out.extend([("host.input", U32(&mut h.input)), ("host.target", U32(&mut h.target))]);
        out.extend(h.weights.iter_mut().map(|w| ("host.weight", F32(w))));
        out.push(("host.scale", F64(&mut h.scale)));
        if let Structure::Dense { rows, cols } = &mut h.structure {
            out.extend([("host.rows", U32(rows)), ("host.cols", U32(cols))]);
        }
    }
    for r in &mut program.inputs {
        let numbers = [&mut r.population, &mut r.first, &mut r.len, &mut r.core, &mut r.axon];
        out.extend(numbers.into_iter().map(|x| ("input route", U32(x))));
    }
    for core in &mut program.cores {
        out.extend([
            ("chip", U32(&mut core.chip)),
            ("cell", U32(&mut core.cell)),
            ("axons", U32(&mut core.axons)),
        ]);
        for p in &mut core.profiles {
            out.extend([
                ("profile.du", U16(&mut p.du)),
                ("profile.dv", U16(&mut p.dv)),
                ("profile.refractory", U8(&mut p.refractory)),
                ("profile.update", U32(&mut p.update.0)),
                ("profile.update", U32(&mut p.update.1)),
            ]);
            out.extend(p.graded.iter_mut().map(|g| ("profile.shift", U8(&mut g.shift))));
            out.extend(p.floor.iter_mut().map(|f| ("profile.floor", I32(f))));
            out.extend(p.subtract.iter_mut().map(|a| ("profile.subtract", I32(a))));
        }
        out.extend(core.thresholds.iter_mut().map(|t| ("threshold", U32(t))));
        for f in &mut core.formats {
            out.extend([
                ("format.exponent", I8(&mut f.exponent)),
                ("format.weight_bits", U8(&mut f.weight_bits)),
                ("format.delay_bits", U8(&mut f.delay_bits)),
            ]);
        }
        for r in &mut core.compartments {
            let numbers = [&mut r.population, &mut r.first, &mut r.len];
            out.extend(numbers.into_iter().map(|x| ("compartment run", U32(x))));
            for r in &mut r.cycle {
                out.extend([
                    ("run.profile", U32(&mut r.profile)),
                    ("run.threshold", U32(&mut r.threshold)),
                    ("bias mantissa", I16(&mut r.bias_mantissa)),
                    ("bias exponent", U8(&mut r.bias_exponent)),
                ]);
            }
        }
        for b in &mut core.synapses {
            let numbers = [
                ("block.format", &mut b.format),
                ("block.matrix", &mut b.matrix),
                ("block.axon", &mut b.axon),
                ("block.axons", &mut b.axons),
                ("block.col", &mut b.col),
                ("block.compartment", &mut b.compartment),
                ("block.compartments", &mut b.compartments),
                ("block.row", &mut b.row),
            ];
            out.extend(numbers.into_iter().map(|(name, x)| (name, U32(x))));
            out.push(("block.delay", U8(&mut b.delay)));
        }
        for r in &mut core.routes {
            let numbers = [&mut r.compartment, &mut r.len, &mut r.core, &mut r.axon];
            out.extend(numbers.into_iter().map(|x| ("route", U32(x))));
        }
    }
    match &mut program.readout {
        ProgramReadout::SpikeCount(symbol) => out.push(("readout", U32(symbol))),
        ProgramReadout::MeanLinear { terms, .. } => {
            out.extend(terms.iter_mut().map(|(symbol, _)| ("readout", U32(symbol))));
        }
    }
    out
}
