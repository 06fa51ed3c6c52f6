//! What to say of a node in an overview.

use super::check::range;
use super::graph::{Conv, Padding, Primitive};

/// An overview of a node's parameters.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Its arrays.
    pub parameters: Vec<Parameter>,
    /// Its other settings, as text.
    pub settings: Vec<(&'static str, String)>,
}

/// An overview of an array.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Name of its dataset.
    pub name: &'static str,
    /// Extents.
    pub shape: Vec<usize>,
    /// Element type.
    pub element: &'static str,
    /// Number of elements.
    pub count: usize,
    /// Smallest and largest element.
    pub range: Option<[f64; 2]>,
}

/// An overview of `primitive`.
pub fn facts(primitive: &Primitive) -> Facts {
    let parameters = primitive.arrays().into_iter().map(|(name, array)| Parameter {
        name,
        shape: array.shape.clone(),
        element: array.data.type_name(),
        count: array.data.len(),
        range: range(&array.data),
    });
    let settings = match primitive {
        Primitive::Conv1d(c) => conv(c),
        Primitive::Conv2d(c) => conv(c),
        Primitive::SumPool2d(p) | Primitive::AvgPool2d(p) => vec![
            ("kernel", extents(&p.kernel)),
            ("stride", extents(&p.stride)),
            ("padding", extents(&p.padding)),
        ],
        Primitive::Flatten(f) => vec![("dimensions", format!("{}..={}", f.start, f.end))],
        _ => Vec::new(),
    };
    Facts { parameters: parameters.collect(), settings }
}

fn conv<const D: usize>(conv: &Conv<D>) -> Vec<(&'static str, String)> {
    let kernel = conv.weight.shape.get(2..).unwrap_or_default();
    let padding = match &conv.padding {
        Padding::Zeros(zeros) => extents(zeros),
        Padding::Same => "same".to_owned(),
        Padding::Valid => "valid".to_owned(),
    };
    vec![
        ("kernel", extents(kernel)),
        ("stride", extents(&conv.stride)),
        ("padding", padding),
        ("dilation", extents(&conv.dilation)),
        ("groups", conv.groups.to_string()),
    ]
}

fn extents(values: &[usize]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}
