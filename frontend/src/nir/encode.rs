//! From a typed graph to a file that the `nir` package reads.

use super::check::{Shapes, check};
use super::graph::{Conv, NirFile, NirGraph, NirNode, Padding, Pool, Primitive};
use super::tree::{Item, Texts, Tree, Value, join};
use super::{Written, emit};
use crate::arrays::{Array, ArrayData, elements};
use crate::json::quote;
use snnc_ir::diag::codes::nir as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// Version of the `nir` package whose readers are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// 1.0.8, the newest.
    #[default]
    Newest,
    /// 1.0.4, which sinabs and rockpool ask for: no `v_reset`, no `CubaLI`, no `same` along one axis.
    V1_0_4,
}

impl Compat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Newest, Self::V1_0_4];

    /// The one that `--nir-compat` spells so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    /// As `--nir-compat` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Newest => "1.0.8",
            Self::V1_0_4 => "1.0.4",
        }
    }
}

/// A file that the `nir` package of that version reads back equal to `file`.
///
/// The `nir` package demands `input_shape` and `input_type`, and parameters of neurons with extents; where
/// the file leaves them open they are written as inferred, and a note says so.
///
/// # Errors
/// `SNN0284`: everything that the version cannot hold.
pub fn write(file: &NirFile, compat: Compat) -> Result<Written, Diagnostics> {
    let mut encoder = Encoder { compat, shapes: check(file).shapes, found: Diagnostics::new() };
    let mut root = Tree::default();
    root.put("version", compat.name());
    let node = encoder.node(&file.root, "/node");
    root.put_group("node", node);
    let mut found = encoder.found;
    let notes = found.take_warnings();
    found.into_result(())?;
    Ok(Written { bytes: bytes(&root)?, notes })
}

/// The bytes of `tree`.
pub(super) fn bytes(tree: &Tree) -> Result<Vec<u8>, Diagnostics> {
    emit::write(tree).map_err(|e| {
        Diagnostic::error(codes::CONTAINER, "the graph cannot be written as HDF5")
            .note(e.to_string())
            .into()
    })
}

struct Encoder {
    compat: Compat,
    shapes: Shapes,
    found: Diagnostics,
}

impl Encoder {
    fn refuse(&mut self, path: &str, message: &str, help: &str) {
        let version = self.compat.name();
        self.found.push(
            Diagnostic::error(codes::COMPAT, format!("version {version}: {message}"))
                .at(path)
                .help(help),
        );
    }

    fn note(&mut self, path: &str, message: String) {
        self.found.push(Diagnostic::note_only(codes::COMPAT, message).at(path));
    }

    /// Inferred extents of the input, which the `nir` package demands.
    fn inferred(&mut self, path: &str, what: &str) -> Option<Vec<usize>> {
        let shape = self.shapes.get(path).map(|s| s.input.clone());
        match &shape {
            Some(shape) => self.note(path, format!("{what} is written as inferred: {shape:?}")),
            None => self.refuse(
                path,
                &format!("{what} is needed and cannot be inferred"),
                "run `snnc check` and repair the graph first",
            ),
        }
        shape
    }

    fn node(&mut self, node: &NirNode, path: &str) -> Tree {
        let mut tree = Tree::default();
        let kind = node.primitive.type_name();
        tree.put("type", kind);
        if !node.metadata.is_empty() {
            tree.put_group("metadata", node.metadata.clone());
        }
        if kind == "CubaLI" && self.compat == Compat::V1_0_4 {
            let help = "use CubaLIF with a threshold, or write 1.0.8";
            self.refuse(path, "there is no CubaLI", help);
        }
        match &node.primitive {
            Primitive::Input { shape } | Primitive::Output { shape } => {
                tree.put("shape", sizes(shape));
            }
            Primitive::Conv1d(c) => self.conv(c, path, &mut tree),
            Primitive::Conv2d(c) => self.conv(c, path, &mut tree),
            Primitive::SumPool2d(p) | Primitive::AvgPool2d(p) => pool(p, &mut tree),
            Primitive::Flatten(f) => {
                let input = f.input_type.clone();
                if let Some(shape) = input.or_else(|| self.inferred(path, "`input_type`")) {
                    tree.put("input_type", sizes(&shape));
                }
                tree.put("start_dim", single(f.start));
                tree.put("end_dim", single(f.end));
            }
            Primitive::Graph(graph) => self.graph(graph, path, &mut tree),
            Primitive::Affine { .. } | Primitive::Linear { .. } => {
                for (name, array) in node.primitive.arrays() {
                    tree.put(name, array.clone());
                }
            }
            _ => self.elementwise(&node.primitive, path, &mut tree),
        }
        tree
    }

    /// Parameters of one shape each.
    fn elementwise(&mut self, primitive: &Primitive, path: &str, tree: &mut Tree) {
        let arrays = primitive.elementwise();
        let own = arrays.iter().map(|(_, a)| &a.shape).find(|s| !s.is_empty()).cloned();
        let open = own.is_none();
        let shape = own.or_else(|| self.shapes.get(path).map(|s| s.input.clone()));
        let shape = shape.unwrap_or_default();
        if open && !shape.is_empty() {
            self.note(path, format!("parameters are repeated for all of {shape:?}"));
        }
        for (name, array) in arrays {
            if name == "v_reset" && self.compat == Compat::V1_0_4 {
                if each_is_zero(array) {
                    self.note(path, "`v_reset` is 0 and left out".to_owned());
                } else {
                    let message = "there is no `v_reset`, and it is not 0";
                    self.refuse(&join(path, name), message, "shift the membrane, or write 1.0.8");
                }
                continue;
            }
            match repeat(array, &shape) {
                Some(array) => tree.put(name, array),
                None => self.refuse(
                    &join(path, name),
                    &format!("{shape:?} has too many elements"),
                    "repair the shapes first",
                ),
            }
        }
    }

    fn conv<const D: usize>(&mut self, conv: &Conv<D>, path: &str, tree: &mut Tree) {
        let extents = match conv.input_shape {
            Some(extents) => Some(extents.to_vec()),
            None => {
                self.inferred(path, "`input_shape`").and_then(|s| s.get(1..).map(<[usize]>::to_vec))
            }
        };
        if let Some(extents) = extents {
            tree.put("input_shape", per_axis::<D>(&extents));
        }
        tree.put("weight", conv.weight.clone());
        tree.put("bias", conv.bias.clone());
        tree.put("stride", per_axis::<D>(&conv.stride));
        tree.put("dilation", per_axis::<D>(&conv.dilation));
        tree.put("groups", single(i64::try_from(conv.groups).unwrap_or(i64::MAX)));
        match conv.padding {
            Padding::Zeros(zeros) => tree.put("padding", per_axis::<D>(&zeros)),
            Padding::Same if D == 1 && self.compat == Compat::V1_0_4 => {
                let help = "give the padding as a number, or write 1.0.8";
                self.refuse(&join(path, "padding"), "there is no `same` for Conv1d", help);
            }
            Padding::Same => tree.put("padding", "same"),
            Padding::Valid if D == 1 && self.compat == Compat::V1_0_4 => {
                self.note(path, "padding `valid` is written as 0, which is the same".to_owned());
                tree.put("padding", per_axis::<D>(&[0; D]));
            }
            Padding::Valid => tree.put("padding", "valid"),
        }
    }

    fn graph(&mut self, graph: &NirGraph, path: &str, tree: &mut Tree) {
        let mut nodes = Tree::default();
        for (name, node) in &graph.nodes {
            let at = join(&join(path, "nodes"), name);
            let empty = name.is_empty() || name.contains('/') || name == ".";
            if empty || name.contains('\0') {
                self.refuse(&at, &format!("{} cannot name a node", quote(name)), "rename the node");
                continue;
            }
            let node = self.node(node, &at);
            nodes.put_group(name, node);
        }
        tree.put_group("nodes", nodes);
        let names: Vec<String> =
            graph.edges.iter().flat_map(|(from, to)| [from.clone(), to.clone()]).collect();
        let texts = Texts { shape: vec![graph.edges.len(), 2], values: names };
        tree.entries.insert("edges".to_owned(), Item::Value(Value::Texts(texts)));
    }
}

fn pool(pool: &Pool, tree: &mut Tree) {
    tree.put("kernel_size", per_axis::<2>(&pool.kernel));
    tree.put("stride", per_axis::<2>(&pool.stride));
    tree.put("padding", per_axis::<2>(&pool.padding));
}

fn single(n: i64) -> Array {
    Array { shape: Vec::new(), data: ArrayData::I64(vec![n]) }
}

/// Extents as a list.
fn sizes(values: &[usize]) -> Array {
    // What is read is bounded far below.
    let data = values.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect();
    Array { shape: vec![values.len()], data: ArrayData::I64(data) }
}

/// A single number for one axis, a list for more.
fn per_axis<const D: usize>(values: &[usize]) -> Array {
    let mut array = sizes(values);
    if D == 1 {
        array.shape.clear();
    }
    array
}

fn each_is_zero(array: &Array) -> bool {
    array.to_f64().is_ok_and(|v| v.iter().all(|&x| x == 0.0))
}

/// A single number once for every element of `shape`; other arrays as they are.
fn repeat(array: &Array, shape: &[usize]) -> Option<Array> {
    if !array.shape.is_empty() || shape.is_empty() {
        return Some(array.clone());
    }
    let count = elements(shape).filter(|&n| n <= LARGEST)?;
    macro_rules! again {
        ($($kind:ident),*) => {
            match &array.data { $(ArrayData::$kind(v) => ArrayData::$kind(vec![*v.first()?; count]),)* }
        };
    }
    let data = again!(Bool, U8, I8, U16, I16, U32, I32, U64, I64, F32, F64);
    Some(Array { shape: shape.to_vec(), data })
}

/// Most elements that one number is repeated for.
const LARGEST: usize = 1 << 28;
