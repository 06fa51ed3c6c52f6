//! Tensors that passes make: rounded once, named, shared when equal.

use snnc_ir::arena::{Arena, Entity, TensorId};
use snnc_ir::diag::codes::network;
use snnc_ir::network::{Provenance, Tensor};
use snnc_ir::{Diagnostic, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// The nearest f32.
#[allow(clippy::cast_possible_truncation, reason = "this is the one place where f64 is rounded")]
pub(crate) const fn round(x: f64) -> f32 {
    x as f32
}

/// Adds derived tensors to a network's arena.
pub(crate) struct TensorMaker<'a> {
    arena: &'a mut Arena<TensorId, Tensor>,
    pass: &'static str,
    suffix: &'static str,
    names: BTreeSet<String>,
    made: BTreeMap<u64, Vec<TensorId>>,
}

impl<'a> TensorMaker<'a> {
    /// A maker for `pass`, which puts `suffix` behind the name of the first origin.
    pub(crate) fn new(
        arena: &'a mut Arena<TensorId, Tensor>,
        pass: &'static str,
        suffix: &'static str,
    ) -> Self {
        let names = arena.values().map(|t| t.name.clone()).collect();
        Self { arena, pass, suffix, names, made: BTreeMap::new() }
    }

    /// The tensors so far.
    pub(crate) fn arena(&self) -> &Arena<TensorId, Tensor> {
        self.arena
    }

    /// The tensor of these values, made from `from`: one that this maker has made before, or the
    /// only origin itself, if it is equal; else a new one.
    ///
    /// # Errors
    /// `SNN0363` if a value overflows f32.
    pub(crate) fn derive(
        &mut self,
        from: &[TensorId],
        base: &str,
        shape: Shape,
        data: Vec<f32>,
    ) -> Result<TensorId, Diagnostic> {
        let names: Vec<String> = from.iter().map(|&t| self.arena[t].name.clone()).collect();
        let base = names.first().map_or(base, String::as_str);
        if let Some(at) = data.iter().position(|v| !v.is_finite()) {
            return Err(Diagnostic::error(
                network::FOLD_NOT_FINITE,
                format!("pass `{}` computes {} for value {at} of `{base}`", self.pass, data[at]),
            )
            .at(format!("tensor `{base}`"))
            .note(format!("made from {}", names.join(", ")))
            .help("look for huge weights, or a variance near zero, in these tensors"));
        }
        let hash = fingerprint(&shape, &data);
        let known = self.made.get(&hash).into_iter().flatten();
        let known = known.chain(from.iter().filter(|_| from.len() == 1)).copied();
        if let Some(same) = known.into_iter().find(|&t| equal(&self.arena[t], &shape, &data)) {
            return Ok(same);
        }
        let name = unique(&mut self.names, &format!("{base}.{}", self.suffix));
        let provenance = Provenance::Derived { pass: self.pass.to_owned(), from: names };
        let id = self.arena.push(Tensor { name, shape, data, provenance, genes: None });
        self.made.entry(hash).or_default().push(id);
        Ok(id)
    }
}

/// Whether `tensor` has this shape and exactly these bits.
pub(crate) fn equal(tensor: &Tensor, shape: &Shape, data: &[f32]) -> bool {
    tensor.shape == *shape
        && tensor.data.len() == data.len()
        && tensor.data.iter().zip(data).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// A hash of shape and bits (FNV-1a by words); equal tensors have equal hashes.
pub(crate) fn fingerprint(shape: &Shape, data: &[f32]) -> u64 {
    let words = shape.0.iter().copied().chain(data.iter().map(|v| v.to_bits()));
    words.fold(0xcbf2_9ce4_8422_2325, |h, w| (h ^ u64::from(w)).wrapping_mul(0x0100_0000_01b3))
}

/// `wanted`, or `wanted.2`, `wanted.3`, … if the name is taken; takes it.
pub(crate) fn unique(taken: &mut BTreeSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut n = 2_u32;
    while !taken.insert(name.clone()) {
        name = format!("{wanted}.{n}");
        n += 1;
    }
    name
}

/// Keeps the tensors marked in `keep`; returns the new id of each.
pub(crate) fn retain(arena: &mut Arena<TensorId, Tensor>, keep: &[bool]) -> Vec<Option<TensorId>> {
    let mut kept = Vec::new();
    let mut map = Vec::with_capacity(arena.len());
    for (tensor, &keep) in std::mem::take(arena).into_values().into_iter().zip(keep) {
        map.push(keep.then(|| TensorId::new(kept.len())));
        if keep {
            kept.push(tensor);
        }
    }
    *arena = Arena::from(kept);
    map
}
