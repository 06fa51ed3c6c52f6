//! Synapse blocks: matrices and kernels as the neurons get them.

use super::{Flat, Flattened, Source, at, index_of, narrow};
use crate::netx::{Neurons, Numbers, Synapses, loader};
use snnc_ir::conv::Conv;
use snnc_ir::program::{Format, Layout as Order, PoolMatrix, SynapseBlock};
use snnc_ir::quantized::Structure;
use std::collections::BTreeSet;

/// Largest delay that the loader keeps.
const MAX_DELAY: i32 = 62;

impl Flattened {
    /// Adds the synapses into `rows` compartments from `first` on.
    pub(super) fn synapses(
        &mut self,
        layer: usize,
        neurons: &Neurons,
        source: &Source,
        (first, rows): (u32, u32),
    ) -> Flat<()> {
        let why = |message: String| at(layer, message);
        match &neurons.synapses {
            Synapses::Dense { weight, recurrent, delay } => {
                if !source.flat {
                    return Err(at(
                        layer,
                        "a dense layer reads a convolution that is not flattened",
                    ));
                }
                let own =
                    Source { axon: self.inputs + first, size: rows, volume: None, flat: true };
                let mut matrices = vec![(weight, source)];
                matrices.extend(recurrent.as_ref().map(|r| (r, &own)));
                for (matrix, source) in &matrices {
                    if matrix.shape != [rows as usize, source.size as usize] {
                        let found = &matrix.shape;
                        let size = source.size;
                        return Err(at(
                            layer,
                            format!("a matrix of {found:?} for {rows} × {size}"),
                        ));
                    }
                }
                let values: Vec<&[i32]> = matrices.iter().map(|(m, _)| &m.values[..]).collect();
                let received = loader::received(&values).map_err(why)?;
                for ((_, source), weights) in matrices.iter().zip(received) {
                    self.dense(layer, &weights, delay.as_ref(), source, (first, rows))?;
                }
                Ok(())
            }
            Synapses::Conv { weight, stride, padding: [tall, wide], groups } => {
                let fits = |conv: &Conv| {
                    let extents = [conv.kernel[0], conv.kernel[1], stride[0], stride[1], *groups];
                    let divides = extents.iter().all(|&n| n > 0)
                        && conv.input[0].is_multiple_of(*groups)
                        && conv.out_channels.is_multiple_of(*groups);
                    divides
                        && conv.output().map(Vec::from).as_ref() == Some(&neurons.shape)
                        && weight.shape == conv.kernel_shape().map(|d| d as usize)
                };
                let conv = source.volume.zip(<[usize; 4]>::try_from(&weight.shape[..]).ok());
                let conv = conv.map(|(input, [out, _, high, broad])| Conv {
                    input,
                    out_channels: narrow(out),
                    kernel: [narrow(high), narrow(broad)],
                    stride: *stride,
                    pad: [*tall, *tall, *wide, *wide],
                    groups: *groups,
                    crop: [0; 4],
                });
                let Some(conv) = conv.filter(fits) else {
                    return Err(at(layer, "the kernel does not fit what it reads and the neurons"));
                };
                let (values, format) = loader::stored(&weight.values).map_err(why)?;
                self.block(Structure::Conv(conv), values, format, 0, source, (first, rows));
                Ok(())
            }
        }
    }

    fn dense(
        &mut self,
        layer: usize,
        weights: &[i32],
        delay: Option<&Numbers>,
        source: &Source,
        (first, rows): (u32, u32),
    ) -> Flat<()> {
        let cols = source.size;
        let register = |d: i32| {
            u8::try_from(d).ok().filter(|_| d <= MAX_DELAY).ok_or_else(|| {
                at(
                    layer,
                    format!("the delay {d} is outside 0 to {MAX_DELAY}, and the loader cuts it"),
                )
            })
        };
        let whole = Structure::Dense { rows, cols };
        let delays = match delay {
            None => return self.stored(layer, whole, weights, 0, source, (first, rows)),
            Some(Numbers { shape, values }) if shape.is_empty() => {
                let delay = register(values.first().copied().unwrap_or(0))?;
                return self.stored(layer, whole, weights, delay, source, (first, rows));
            }
            Some(Numbers { shape, values }) if *shape == [rows as usize, cols as usize] => values,
            Some(_) => return Err(at(layer, "the delays are neither one nor one per synapse")),
        };
        let mut all = BTreeSet::new();
        for &delay in delays {
            all.insert(register(delay)?);
        }
        for delay in all {
            let (mut row_start, mut col, mut stored) = (vec![0], Vec::new(), Vec::new());
            for row in 0..rows as usize {
                for c in 0..cols {
                    let i = row * cols as usize + c as usize;
                    if delays[i] == i32::from(delay) && weights[i] != 0 {
                        col.push(c);
                        stored.push(weights[i]);
                    }
                }
                row_start.push(narrow(col.len()));
            }
            if !stored.is_empty() {
                let structure = Structure::Sparse { rows, cols, row_start, col };
                self.stored(layer, structure, &stored, delay, source, (first, rows))?;
            }
        }
        Ok(())
    }

    fn stored(
        &mut self,
        layer: usize,
        structure: Structure,
        weights: &[i32],
        delay: u8,
        source: &Source,
        target: (u32, u32),
    ) -> Flat<()> {
        let (values, format) = loader::stored(weights).map_err(|why| at(layer, why))?;
        self.block(structure, values, format, delay, source, target);
        Ok(())
    }

    fn block(
        &mut self,
        structure: Structure,
        values: Vec<i16>,
        format: Format,
        delay: u8,
        source: &Source,
        (compartment, compartments): (u32, u32),
    ) {
        let (rows, cols) = (Order::ROW_MAJOR, Order::ROW_MAJOR);
        let program = &mut self.program;
        program.matrices.push(PoolMatrix {
            structure,
            values: narrow(program.values.len()),
            rows,
            cols,
        });
        program.values.push(values);
        self.core.synapses.push(SynapseBlock {
            format: index_of(&mut self.core.formats, format),
            matrix: narrow(program.matrices.len() - 1),
            delay,
            axon: source.axon,
            axons: source.size,
            col: 0,
            compartment,
            compartments,
            row: 0,
        });
    }
}
