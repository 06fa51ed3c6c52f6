//! The pool of arrays and matrices: equal contents are stored once.

use super::table::Table;
use snnc_ir::MappedNetwork;
use snnc_ir::arena::{Entity, MatId, ProjId};
use snnc_ir::program::{Layout, PoolMatrix};
use snnc_ir::quantized::{Projection, Structure};
use std::collections::BTreeMap;

/// What the projections of a network share.
pub(super) struct Pool<'a> {
    /// Distinct arrays of mantissas, whatever structure, exponent and sign go with them.
    pub(super) values: Vec<&'a [i16]>,
    /// Distinct matrices.
    pub(super) matrices: Vec<PoolMatrix>,
    /// Matrix of each projection that a block uses.
    pub(super) of_projection: Vec<Option<u32>>,
}

impl<'a> Pool<'a> {
    /// The pool of the matrices that blocks use, in order of their ids. A matrix between populations of
    /// several orders has an entry for each.
    pub(super) fn of(network: &'a MappedNetwork) -> Self {
        let net = &network.network;
        let mut used: BTreeMap<(MatId, ProjId), &Projection> = BTreeMap::new();
        for block in network.cores.values().flat_map(|core| &core.blocks) {
            if let Some(projection) = net.projections.get(block.projection) {
                used.insert((projection.matrix, block.projection), projection);
            }
        }
        let mut values: Table<&[i16]> = Table::new();
        let mut matrices: Table<(&Structure, u32, Layout, Layout)> = Table::new();
        let mut of_projection = vec![None; net.projections.len()];
        let layout = |id| {
            Some(Layout::of(&net.populations.get(id)?.shape, *network.orders.get(id.index())?))
        };
        for ((matrix, id), projection) in used {
            let Some(matrix) = net.matrices.get(matrix) else { continue };
            let (Some(rows), Some(cols)) = (layout(projection.target), layout(projection.source))
            else {
                continue;
            };
            let array = values.intern(matrix.mantissa.as_slice());
            of_projection[id.index()] =
                Some(matrices.intern((&matrix.structure, array, rows, cols)));
        }
        let matrix = |(structure, values, rows, cols): (&Structure, u32, Layout, Layout)| {
            PoolMatrix { structure: structure.clone(), values, rows, cols }
        };
        Self {
            values: values.into_items(),
            matrices: matrices.into_items().into_iter().map(matrix).collect(),
            of_projection,
        }
    }
}
