//! Genes: encodings of neurons, interactions between genes, shared vectors.

use super::store::Store;
use super::tensors;
use crate::fields::{Item, Name, flaw_of_name, unknown_name};
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Most genes per neuron.
pub(crate) const MAX_GENES: u32 = 1 << 16;

/// The field `genes`, names not yet looked up.
#[derive(Debug, Default)]
pub(crate) struct GenesSpec {
    /// `genes.count`, and where it stands.
    count: Option<(u32, String)>,
    interactions: Vec<(Name, Name)>,
    encodings: Vec<(Name, Name)>,
    vectors: Vec<(Name, Name)>,
}

impl GenesSpec {
    pub(crate) fn parse(item: &Item<'_>, out: &mut Diagnostics) -> Self {
        let Some(mut fields) = item.fields(out) else { return Self::default() };
        let count = fields
            .required("count", "genes per neuron: columns of the widest encoding", out)
            .and_then(|i| Some((i.whole_u32(1..=MAX_GENES, out)?, i.path)));
        let mut table = |name, meaning, out: &mut Diagnostics| {
            fields.required(name, meaning, out).map(|i| table(&i, out)).unwrap_or_default()
        };
        let interactions = table("interactions", "interaction matrices by name", out);
        let encodings = table("encodings", "encodings by name", out);
        let vectors = fields.optional("vectors").map(|i| self::table(&i, out)).unwrap_or_default();
        fields.finish(out);
        Self { count, interactions, encodings, vectors }
    }
}

/// `{ "name": { "tensor": "…" }, … }`
fn table(item: &Item<'_>, out: &mut Diagnostics) -> Vec<(Name, Name)> {
    let mut found = Vec::new();
    for (name, item) in item.entries(flaw_of_name, out) {
        if let Some(tensor) = tensors::reference(&item, out) {
            found.push((name, tensor));
        }
    }
    found
}

/// A gene tensor in f64, exactly as stored.
#[derive(Debug)]
pub(crate) struct Gene {
    /// Name of the tensor.
    pub(crate) tensor: String,
    /// Extents: `[rows, genes]` for encodings, `[G_out, G_in]` or `[cells, G_out, G_in]` for
    /// interactions, `[genes]` for vectors.
    pub(crate) shape: Vec<usize>,
    /// Row-major.
    pub(crate) values: Vec<f64>,
    path: String,
    used: Cell<bool>,
}

/// Gene tensors of one role. `None` where the tensor is wrong, so that the name is still known.
#[derive(Debug)]
pub(crate) struct Table {
    role: &'static str,
    genes: BTreeMap<String, Option<Gene>>,
}

/// All genes of a genome.
#[derive(Debug)]
pub(crate) struct Genes {
    pub(crate) encodings: Table,
    pub(crate) interactions: Table,
    pub(crate) vectors: Table,
}

impl Genes {
    /// Looks all gene tensors up and checks their ranks and the gene count.
    pub(crate) fn load(spec: &GenesSpec, store: &Store, out: &mut Diagnostics) -> Self {
        let genes = Self {
            encodings: Table::load("encoding", &spec.encodings, &[2], store, out),
            interactions: Table::load("interaction", &spec.interactions, &[2, 3], store, out),
            vectors: Table::load("vector", &spec.vectors, &[1], store, out),
        };
        // Unknown if an encoding could not be read.
        let widths: Option<Vec<usize>> =
            genes.encodings.genes.values().map(|g| Some(g.as_ref()?.shape[1])).collect();
        let widest = widths.and_then(|w| w.into_iter().max());
        if let (Some((count, path)), Some(widest)) = (&spec.count, widest)
            && widest != *count as usize
        {
            out.push(
                Diagnostic::error(
                    codes::GENE_COUNT,
                    format!("`count` is {count}, but the widest encoding has {widest} genes"),
                )
                .at(path)
                .help("check that genome and tensors are of one export"),
            );
        }
        genes
    }

    /// Warns of genes that no weight uses.
    pub(crate) fn report_unused(&self, out: &mut Diagnostics) {
        for table in [&self.encodings, &self.interactions, &self.vectors] {
            for (name, gene) in &table.genes {
                if let Some(gene) = gene.as_ref().filter(|g| !g.used.get()) {
                    let message = format!("the {} `{name}` is unused", table.role);
                    out.push(Diagnostic::warning(codes::UNUSED, message).at(&gene.path));
                }
            }
        }
    }

    /// All gene tensors that a weight uses, each tensor once: name, role, number of values.
    pub(crate) fn used(&self) -> BTreeMap<&str, (&'static str, usize)> {
        [&self.encodings, &self.interactions, &self.vectors]
            .into_iter()
            .flat_map(|t| t.genes.values().flatten().map(|g| (t.role, g)))
            .filter(|(_, g)| g.used.get())
            .map(|(role, g)| (g.tensor.as_str(), (role, g.values.len())))
            .collect()
    }
}

impl Table {
    fn load(
        role: &'static str,
        spec: &[(Name, Name)],
        ranks: &[usize],
        store: &Store,
        out: &mut Diagnostics,
    ) -> Self {
        let mut genes = BTreeMap::new();
        for (name, tensor) in spec {
            let gene = store.f64(tensor, out).and_then(|t| {
                // Rows of encodings are neurons; every other extent counts genes (or kernel cells).
                let counts = &t.shape[usize::from(role == "encoding").min(t.shape.len())..];
                let bounded = counts.iter().all(|&n| n <= MAX_GENES as usize);
                if ranks.contains(&t.shape.len()) && bounded && !t.values.is_empty() {
                    return Some(Gene {
                        tensor: tensor.text.clone(),
                        shape: t.shape,
                        values: t.values,
                        path: name.path.clone(),
                        used: Cell::new(false),
                    });
                }
                out.push(
                    Diagnostic::error(
                        codes::TENSOR_SHAPE,
                        format!("`{}` has the shape {:?}", tensor.text, t.shape),
                    )
                    .at(&tensor.path)
                    .note(match role {
                        "encoding" => "an encoding is [rows, genes]",
                        "interaction" => {
                            "an interaction is [G_out, G_in], or [cells, G_out, G_in] for per_offset"
                        }
                        _ => "a vector is [genes]",
                    })
                    .note(format!("at most {MAX_GENES} genes, at least one value")),
                );
                None
            });
            genes.insert(name.text.clone(), gene);
        }
        Self { role, genes }
    }

    /// The gene called `name`.
    pub(crate) fn get(&self, name: &Name, out: &mut Diagnostics) -> Option<&Gene> {
        let Some(gene) = self.genes.get(&name.text) else {
            out.push(unknown_name(name, self.role, self.genes.keys().map(String::as_str)));
            return None;
        };
        // `None` was reported where the gene is defined.
        let gene = gene.as_ref()?;
        gene.used.set(true);
        Some(gene)
    }
}
