//! The tensors of the network while it is built.

use super::decode;
use super::genes::{Gene, Genes};
use super::store::{Store, Values};
use super::weight::{BiasSpec, Encoded, WeightKind, WeightSpec};
use crate::account::{GenomeAccount, Stored};
use crate::fields::Name;
use snnc_ir::arena::TensorId;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::network::decode::{Finish, Matrix, not_finite};
use snnc_ir::network::{self, Provenance, Scheme, Tensor};
use snnc_ir::{Arena, Diagnostic, Diagnostics, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// Most values of all tensors of the network together (1 GiB of f32).
pub(crate) const MAX_VALUES: usize = 1 << 28;

/// What two uses must have in common to be the same tensor. Genes are told apart by their stored
/// tensors, because two names may refer to one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Dense(String),
    Encoded {
        scheme: &'static str,
        out: String,
        core: String,
        source: String,
        scale: u64,
        heaviside: bool,
        kernel: Option<[u32; 2]>,
    },
    Bias {
        out: String,
        beta: String,
    },
}

/// The tensors of the network while it is built, each once, however often it is used. Encoded weights
/// stay genes.
#[derive(Default)]
pub(crate) struct Pool {
    pub(crate) tensors: Arena<TensorId, Tensor>,
    known: BTreeMap<Key, TensorId>,
    /// Tensors that only generate others so far.
    only_genes: BTreeSet<TensorId>,
    names: BTreeMap<String, u32>,
    values: usize,
    pub(crate) account: GenomeAccount,
}

impl Pool {
    /// A tensor stored as it is used.
    pub(crate) fn dense(
        &mut self,
        name: &Name,
        store: &Store,
        out: &mut Diagnostics,
    ) -> Option<TensorId> {
        let key = Key::Dense(name.text.clone());
        if let Some(&id) = self.known.get(&key) {
            if self.only_genes.remove(&id) {
                self.account.dense += self.tensors[id].data.len();
            }
            return Some(id);
        }
        let Values { shape, values } = store.f32(name, out)?;
        let shape: Option<Vec<u32>> = shape.iter().map(|&d| u32::try_from(d).ok()).collect();
        let Some(shape) = shape.filter(|s| !s.is_empty() && !values.is_empty()) else {
            out.push(
                Diagnostic::error(
                    codes::TENSOR_SHAPE,
                    format!("`{}` holds no values, or a single one without a shape", name.text),
                )
                .at(&name.path)
                .note("weights and biases have one or more extents of at least 1"),
            );
            return None;
        };
        self.reserve(values.len(), &name.path, out)?;
        self.account.dense += values.len();
        let stored = Stored { role: "dense", values: values.len() };
        self.account.stored.insert(name.text.clone(), stored);
        let provenance = Provenance::Dense { tensor: name.text.clone() };
        Some(self.add(key, name.text.clone(), Shape(shape), Content::Stored(values), provenance))
    }

    /// The weight of node `node`; `kernel` is the extent of its kernel, if it is a convolution.
    pub(crate) fn weight(
        &mut self,
        spec: &WeightSpec,
        node: &str,
        kernel: Option<[u32; 2]>,
        genes: &Genes,
        store: &Store,
        out: &mut Diagnostics,
    ) -> Option<TensorId> {
        match &spec.kind {
            WeightKind::Dense(name) => self.dense(name, store, out),
            WeightKind::Encoded(encoded) => {
                self.encoded(encoded, &spec.path, node, kernel, genes, out)
            }
        }
    }

    fn encoded(
        &mut self,
        spec: &Encoded,
        path: &str,
        node: &str,
        kernel: Option<[u32; 2]>,
        genes: &Genes,
        out: &mut Diagnostics,
    ) -> Option<TensorId> {
        let found = [
            genes.encodings.get(&spec.out, out),
            genes.interactions.get(&spec.core, out),
            genes.encodings.get(&spec.source, out),
        ];
        fitting_scheme(spec, kernel).map_err(|d| out.push(d)).ok()?;
        let [Some(to), Some(core), Some(source)] = found else { return None };
        let key = Key::Encoded {
            scheme: spec.scheme.name(),
            out: to.tensor.clone(),
            core: core.tensor.clone(),
            source: source.tensor.clone(),
            scale: spec.scale.to_bits(),
            heaviside: spec.heaviside,
            kernel,
        };
        if let Some(&id) = self.known.get(&key) {
            return Some(id);
        }
        let genes = [to, core, source];
        let shape =
            encoded_shape(spec.scheme, kernel, genes).map_err(|d| out.push(d.at(path))).ok()?;
        self.reserve(shape.size(), path, out)?;
        self.account.scales += 1;
        self.account.decoded += shape.size();
        let provenance = Provenance::Encoded {
            scheme: spec.scheme,
            out: spec.out.text.clone(),
            core: spec.core.text.clone(),
            source: spec.source.text.clone(),
            scale: spec.scale,
            heaviside: spec.heaviside,
        };
        let name = format!("{node}.weight");
        // A step makes a matrix that no product of factors is.
        let Some(stored) =
            genes.map(exact).into_iter().collect::<Option<Vec<_>>>().filter(|_| !spec.heaviside)
        else {
            let finish = Finish { scale: spec.scale, heaviside: spec.heaviside };
            let values = network::decode::decode(spec.scheme, genes.map(view), finish);
            finite(&values, "weight", path, out)?;
            return Some(self.add(key, name, shape, Content::Stored(values), provenance));
        };
        let mut ids = Vec::new();
        for (gene, values) in genes.into_iter().zip(stored) {
            ids.push(self.gene(gene, values, path, out)?);
        }
        let genes = network::Genes { out: ids[0], core: ids[1], source: ids[2] };
        let id = self.add(key, name, shape, Content::Generated(genes), provenance);
        if let Some((index, value)) = not_finite(&self.tensors, id) {
            out.push(beyond_f32("weight", index, value, path));
            return None;
        }
        Some(id)
    }

    /// The tensor of a gene that is used as one, with its values in f32.
    fn gene(
        &mut self,
        gene: &Gene,
        values: Vec<f32>,
        path: &str,
        out: &mut Diagnostics,
    ) -> Option<TensorId> {
        let key = Key::Dense(gene.tensor.clone());
        if let Some(&id) = self.known.get(&key) {
            return Some(id);
        }
        self.reserve(values.len(), path, out)?;
        // The bound on all values holds for every extent.
        let shape = Shape(gene.shape.iter().map(|&d| extent(d)).collect());
        let provenance = Provenance::Dense { tensor: gene.tensor.clone() };
        let id = self.add(key, gene.tensor.clone(), shape, Content::Stored(values), provenance);
        self.only_genes.insert(id);
        Some(id)
    }

    /// The bias of node `node`.
    pub(crate) fn bias(
        &mut self,
        spec: &BiasSpec,
        node: &str,
        genes: &Genes,
        store: &Store,
        out: &mut Diagnostics,
    ) -> Option<TensorId> {
        let (to, beta, path) = match spec {
            BiasSpec::Dense(name) => return self.dense(name, store, out),
            BiasSpec::Encoded { out, beta, path } => (out, beta, path),
        };
        let (to_gene, beta_gene) = (genes.encodings.get(to, out), genes.vectors.get(beta, out));
        let (to_gene, beta_gene) = (to_gene?, beta_gene?);
        let key = Key::Bias { out: to_gene.tensor.clone(), beta: beta_gene.tensor.clone() };
        if let Some(&id) = self.known.get(&key) {
            return Some(id);
        }
        if to_gene.shape[1] != beta_gene.shape[0] {
            out.push(
                Diagnostic::error(codes::GENE_SHAPE, "encoding and vector differ in genes")
                    .at(path)
                    .note(format!("encoding `{}` is {:?}", to.text, to_gene.shape))
                    .note(format!("vector `{}` is {:?}", beta.text, beta_gene.shape)),
            );
            return None;
        }
        let values = decode::bias(&to_gene.values, &beta_gene.values);
        finite(&values, "bias", path, out)?;
        self.reserve(values.len(), path, out)?;
        self.account.decoded += values.len();
        let shape = Shape(vec![extent(values.len())]);
        let provenance = Provenance::EncodedBias { out: to.text.clone(), beta: beta.text.clone() };
        let name = format!("{node}.bias");
        Some(self.add(key, name, shape, Content::Stored(values), provenance))
    }

    /// A tensor that the reader makes itself, with values of its own.
    pub(crate) fn derived(&mut self, name: String, values: Vec<f32>, from: &str) -> TensorId {
        let shape = Shape(vec![extent(values.len())]);
        let provenance =
            Provenance::Derived { pass: "read-genome".to_owned(), from: vec![from.to_owned()] };
        let name = self.unique(name);
        self.tensors.push(Tensor { name, shape, data: values, provenance, genes: None })
    }

    /// Counts `size` values against the bound for the whole network.
    fn reserve(&mut self, size: usize, path: &str, out: &mut Diagnostics) -> Option<()> {
        self.values = self.values.saturating_add(size);
        if self.values <= MAX_VALUES {
            return Some(());
        }
        out.push(
            Diagnostic::error(codes::LIMIT, "the weights of the network are too many")
                .at(path)
                .note(format!("at most {MAX_VALUES} values, decoded, all tensors together")),
        );
        None
    }

    fn add(
        &mut self,
        key: Key,
        name: String,
        shape: Shape,
        content: Content,
        provenance: Provenance,
    ) -> TensorId {
        let name = self.unique(name);
        let (data, genes) = match content {
            Content::Stored(data) => (data, None),
            Content::Generated(genes) => (Vec::new(), Some(genes)),
        };
        let id = self.tensors.push(Tensor { name, shape, data, provenance, genes });
        self.known.insert(key, id);
        id
    }

    /// `name`, or `name#2` and so on if a tensor already has it (a stored tensor may be called
    /// like a decoded one).
    fn unique(&mut self, name: String) -> String {
        let mut count = self.names.get(&name).copied().unwrap_or(0);
        let mut candidate = name.clone();
        while count > 0 && self.names.contains_key(&candidate) {
            count += 1;
            candidate = format!("{name}#{count}");
        }
        self.names.insert(name, count.max(1));
        self.names.entry(candidate.clone()).or_insert(1);
        candidate
    }
}

/// What a tensor holds.
enum Content {
    Stored(Vec<f32>),
    Generated(network::Genes),
}

/// An extent of a tensor whose size is bounded by [`MAX_VALUES`].
fn extent(n: usize) -> u32 {
    u32::try_from(n).expect("sizes of tensors are bounded")
}

/// Decoded values must be finite.
fn finite(values: &[f32], what: &str, path: &str, out: &mut Diagnostics) -> Option<()> {
    let Some(index) = values.iter().position(|x| !x.is_finite()) else { return Some(()) };
    out.push(beyond_f32(what, index, values[index], path));
    None
}

fn beyond_f32(what: &str, index: usize, value: f32, path: &str) -> Diagnostic {
    Diagnostic::error(codes::DECODE_RANGE, format!("{what} {index} decodes to {value}"))
        .at(path)
        .help("check the scale, and the genes for values that are far too large")
}

/// Whether the scheme makes weights of this operation.
fn fitting_scheme(spec: &Encoded, kernel: Option<[u32; 2]>) -> Result<(), Diagnostic> {
    let (op, fitting) = match (spec.scheme, kernel) {
        (Scheme::Linear, None) | (Scheme::PerOffset | Scheme::FlatFanIn, Some(_)) => return Ok(()),
        (Scheme::Linear, Some(_)) => ("conv2d", "`per_offset` or `flat_fan_in`"),
        (Scheme::PerOffset | Scheme::FlatFanIn, None) => ("linear", "`linear`"),
    };
    let message = format!("the scheme `{}` does not make weights of `{op}`", spec.scheme.name());
    Err(Diagnostic::error(codes::SCHEME, message)
        .at(&spec.scheme_path)
        .note(format!("a `{op}` node takes {fitting}")))
}

/// Shape of an encoded weight, if its genes fit together. **Shapes**: genes are `[out, core, in]`.
fn encoded_shape(
    scheme: Scheme,
    kernel: Option<[u32; 2]>,
    [to, core, source]: [&Gene; 3],
) -> Result<Shape, Diagnostic> {
    let misfit = |message: String| {
        Diagnostic::error(codes::GENE_SHAPE, message)
            .note(format!("out is {:?} [rows, G_out]", to.shape))
            .note(format!("core is {:?} {}", core.shape, core_form(scheme)))
            .note(format!("in is {:?} [rows, G_in]", source.shape))
    };
    let [kh, kw] = kernel.unwrap_or([1, 1]);
    let cells = kh as usize * kw as usize;
    let genes = match (&core.shape[..], scheme) {
        (&[k, a, b], Scheme::PerOffset) if k == cells => [a, b],
        (&[k, ..], Scheme::PerOffset) if core.shape.len() == 3 => {
            return Err(misfit(format!("{k} cores for a kernel of {kh} x {kw} = {cells} cells")));
        }
        (&[a, b], Scheme::Linear | Scheme::FlatFanIn) => [a, b],
        _ => return Err(misfit(format!("`{}` takes no core of this rank", scheme.name()))),
    };
    if genes != [to.shape[1], source.shape[1]] {
        let d = misfit("the genes of encodings and core differ".to_owned());
        return Err(if genes == [source.shape[1], to.shape[1]] {
            d.help("the transposed core would fit: was the core stored as [G_in, G_out]?")
        } else {
            d
        });
    }
    let (rows, columns) = (to.shape[0], source.shape[0]);
    let columns = match scheme {
        Scheme::FlatFanIn if columns % cells == 0 => columns / cells,
        Scheme::FlatFanIn => {
            return Err(misfit(format!(
                "{columns} rows of `in` are no multiple of the {cells} kernel cells"
            )));
        }
        Scheme::Linear | Scheme::PerOffset => columns,
    };
    let too_large = || Diagnostic::error(codes::LIMIT, "the decoded weight is too large");
    let small = |n: usize| u32::try_from(n).map_err(|_| too_large());
    let shape = match kernel {
        Some([kh, kw]) => Shape(vec![small(rows)?, small(columns)?, kh, kw]),
        None => Shape(vec![small(rows)?, small(columns)?]),
    };
    Ok(shape)
}

fn core_form(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::PerOffset => "[cells, G_out, G_in]",
        Scheme::Linear | Scheme::FlatFanIn => "[G_out, G_in]",
    }
}

/// A gene tensor as a matrix of its innermost extent.
fn view(gene: &Gene) -> Matrix<'_> {
    Matrix::new(&gene.values, gene.shape[gene.shape.len() - 1])
}

/// The values of a gene in f32, if that is what they are.
#[expect(clippy::cast_possible_truncation, reason = "compared with what it came from")]
fn exact(gene: &Gene) -> Option<Vec<f32>> {
    let exact = |&v: &f64| Some(v as f32).filter(|f| f64::from(*f).to_bits() == v.to_bits());
    gene.values.iter().map(exact).collect()
}
