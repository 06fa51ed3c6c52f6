//! Checks that the verifiers of several levels share, and the bounds they state.

use crate::arena::{Arena, Entity};
use crate::conv::Conv;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::param::Param;
use crate::shape::Shape;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Most elements of one node or population (2^26), so that simulators can hold a few values per
/// element; the largest public spiking networks stay twenty times below it.
pub const MAX_ELEMENTS: usize = 1 << 26;

/// Longest delay of an edge or projection, in steps of its clock (2^16 − 1): simulators keep as many
/// past steps of the source.
pub const MAX_DELAY: u32 = 65_535;

/// Reports empty and repeated names; `items` are places and names.
pub(crate) fn names<'a>(
    items: impl Iterator<Item = (String, &'a str)>,
    code: Code,
    out: &mut Diagnostics,
) {
    let mut first: BTreeMap<&str, String> = BTreeMap::new();
    for (place, name) in items {
        if name.is_empty() {
            out.push(
                Diagnostic::error(code, "the name is empty")
                    .at(place)
                    .help("give it a name: reports and artifacts refer to it by name"),
            );
        } else if let Some(other) = first.get(name) {
            out.push(
                Diagnostic::error(code, format!("the name \"{name}\" is used twice"))
                    .at(place)
                    .note(format!("first used by {other}"))
                    .help("rename one of them"),
            );
        } else {
            first.insert(name, place);
        }
    }
}

/// Reports `id` under `code` if `arena` does not have it, and says which ids it has.
pub(crate) fn unknown<K: Entity, V>(
    arena: &Arena<K, V>,
    id: K,
    code: Code,
    place: impl FnOnce() -> String,
    out: &mut Diagnostics,
) {
    if arena.contains(id) {
        return;
    }
    let known = match arena.len() {
        0 => format!("the network has no {}", K::PREFIX),
        n => format!("the last one is {}", K::new(n - 1)),
    };
    out.push(
        Diagnostic::error(code, format!("{id} does not exist"))
            .at(place())
            .note(known)
            .help("correct the reference"),
    );
}

/// What is wrong with the extents of a node or population, if anything.
pub(crate) fn extents(shape: &Shape) -> Option<String> {
    if !matches!(shape.0.len(), 1 | 3) {
        Some("expected one extent [N] or three [channels, height, width]".to_owned())
    } else if shape.0.contains(&0) {
        Some("expected extents of at least 1".to_owned())
    } else if shape.size() > MAX_ELEMENTS {
        Some(format!("expected at most {MAX_ELEMENTS} elements, found {}", shape.size()))
    } else {
        None
    }
}

/// What is wrong with the geometry of a convolution on its own, if anything.
pub(crate) fn geometry(conv: &Conv) -> Option<String> {
    let Conv { input, out_channels, kernel, stride, pad, groups, crop } = *conv;
    if input.contains(&0) || out_channels == 0 || kernel.contains(&0) || stride.contains(&0) {
        return Some("expected extents, channels, kernel and stride of at least 1".to_owned());
    }
    if groups == 0 || input[0] % groups != 0 || out_channels % groups != 0 {
        return Some(format!(
            "expected a number of groups that divides {} input and {out_channels} output channels, \
             found {groups}",
            input[0]
        ));
    }
    if conv.output().is_none() {
        return Some(format!(
            "expected a kernel no larger than the cropped and padded input, found kernel {}x{} on {}x{} \
             with padding {pad:?} and crop {crop:?}",
            kernel[0], kernel[1], input[1], input[2]
        ));
    }
    None
}

/// Checks the parameters of one population.
pub(crate) struct Params<'a> {
    /// The population, as diagnostics name it.
    pub(crate) place: String,
    /// Its shape.
    pub(crate) shape: &'a Shape,
    /// Code for a wrong number of values.
    pub(crate) length: Code,
    /// Code for a value outside its range.
    pub(crate) range: Code,
}

impl Params<'_> {
    /// Checks the number of values and each value; `rule` says what `ok` accepts.
    pub(crate) fn check<T: Copy + Display>(
        &self,
        name: &str,
        param: &Param<T>,
        rule: &str,
        ok: impl Fn(T) -> bool,
        out: &mut Diagnostics,
    ) {
        let expected = param.expected_len(self.shape);
        if param.len() != expected {
            let form = match param {
                Param::Uniform(_) => "uniform",
                Param::PerChannel(_) => "per channel",
                Param::PerNeuron(_) => "per neuron",
            };
            out.push(
                Diagnostic::error(self.length, format!("{name} has {} values", param.len()))
                    .at(&*self.place)
                    .note(format!("expected {expected}: {form}, shape {}", self.shape))
                    .help("give one value per channel or neuron, or a single uniform one"),
            );
        }
        let mut bad = param.values().iter().enumerate().filter(|(_, v)| !ok(**v));
        if let Some((index, value)) = bad.next() {
            let others = bad.count();
            let mut diagnostic = Diagnostic::error(
                self.range,
                match param {
                    Param::Uniform(_) => format!("{name} is {value}"),
                    _ => format!("{name} has the value {value} at index {index}"),
                },
            )
            .at(&*self.place)
            .note(format!("expected {rule}"))
            .help(format!("give {name} a value in that range"));
            if others > 0 {
                diagnostic = diagnostic.note(format!("{others} more values are out of range"));
            }
            out.push(diagnostic);
        }
    }
}
