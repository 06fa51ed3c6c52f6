//! From what a file says to a network, or all that is wrong with it.

use super::file::{Kind, LayerEntry, LayerFile, Pair, ReadEntry};
use super::network::{Layer, Network, Read, Shape, Store, Window};
use std::collections::BTreeMap;

/// Longest axis and most channels: 2^20.
const LONGEST: u32 = 1 << 20;

/// Most layers. With them and [`MOST`], sums of neurons and of synapses stay within 64 and 128 bits.
const LAYERS: usize = 1 << 16;

/// Most neurons of a layer.
const MOST: u64 = 1 << 44;

/// Something wrong with a layer file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("layer `{layer}`, key `{key}`: {problem}")]
pub struct LayerError {
    /// The layer, or `#3` for the third one if it has no name. Empty: the file as a whole.
    pub layer: String,
    /// The key.
    pub key: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// Errors of one file.
struct Errors {
    all: Vec<LayerError>,
    layer: String,
}

impl Errors {
    fn add(&mut self, key: &str, problem: impl Into<String>) {
        let (layer, key) = (self.layer.clone(), key.to_owned());
        let error = LayerError { layer, key, problem: problem.into() };
        // Both axes may have the same problem.
        if self.all.last() != Some(&error) {
            self.all.push(error);
        }
    }

    fn unknown<'a>(&mut self, prefix: &str, keys: impl Iterator<Item = &'a String>, known: &str) {
        for key in keys {
            self.add(&format!("{prefix}{key}"), format!("unknown; known are {known}"));
        }
    }
}

impl LayerFile {
    /// Derives shapes and checks that they agree.
    ///
    /// # Errors
    /// All that is wrong, each with its layer and key.
    pub fn check(&self) -> Result<Network, Vec<LayerError>> {
        let mut errors = Errors { all: Vec::new(), layer: String::new() };
        errors.unknown("", self.unknown.0.iter(), "name, source, layer");
        if self.layers.len() > LAYERS {
            errors.add("layer", format!("{} layers; expected {LAYERS} at most", self.layers.len()));
            return Err(errors.all);
        }
        let named = |(n, layer): (usize, &LayerEntry)| match layer.name.as_str() {
            "" => format!("#{}", n + 1),
            name => name.to_owned(),
        };
        let names: Vec<String> = self.layers.iter().enumerate().map(named).collect();
        let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
        for (n, layer) in self.layers.iter().enumerate() {
            errors.layer.clone_from(&names[n]);
            if layer.name.is_empty() {
                errors.add("name", "missing");
            } else if by_name.insert(&layer.name, n).is_some() {
                errors.add("name", "used by an earlier layer, too");
            }
        }
        let mut shapes: Vec<Option<Shape>> = Vec::with_capacity(self.layers.len());
        for (n, entry) in self.layers.iter().enumerate() {
            errors.layer.clone_from(&names[n]);
            let shape = shape(entry, &by_name, &shapes, &mut errors);
            shapes.push(shape);
        }
        let mut layers = Vec::with_capacity(self.layers.len());
        for (n, entry) in self.layers.iter().enumerate() {
            errors.layer.clone_from(&names[n]);
            let Some(shape) = shapes[n] else { continue };
            let mut reads = Vec::with_capacity(entry.reads.len());
            for (r, read) in entry.reads.iter().enumerate() {
                // A source without a shape has its own error.
                let source = by_name.get(read.from.as_str()).copied();
                let Some((source, from)) = source.and_then(|s| Some((s, shapes[s]?))) else {
                    continue;
                };
                if let Some(read) = connect(read, r, source, from, Some(shape), &mut errors) {
                    reads.push(read);
                }
            }
            layers.push(Layer { name: entry.name.clone(), shape, input: entry.input, reads });
        }
        if errors.all.is_empty() {
            Ok(Network { name: self.name.clone(), layers })
        } else {
            Err(errors.all)
        }
    }
}

/// The shape of a layer: stated, or what its first read gives.
fn shape(
    entry: &LayerEntry,
    by_name: &BTreeMap<&str, usize>,
    shapes: &[Option<Shape>],
    errors: &mut Errors,
) -> Option<Shape> {
    errors.unknown("", entry.unknown.0.iter(), "name, shape, input, channels, keep, reads");
    for (r, read) in entry.reads.iter().enumerate() {
        let known = "from, kind, kernel, stride, padding, groups";
        errors.unknown(&key(r, ""), read.unknown.0.iter(), known);
        if !by_name.contains_key(read.from.as_str()) {
            errors.add(&key(r, "from"), format!("there is no layer `{}`", read.from));
        }
    }
    if entry.input && !entry.reads.is_empty() {
        errors.add("reads", "an input comes from outside and reads nothing");
    }
    let shape = if let Some([channels, height, width]) = entry.shape {
        if entry.keep.is_some() || entry.channels.is_some() {
            errors.add("shape", "stated as a whole; leave out `keep` and `channels`");
        }
        Shape { channels, height, width }
    } else {
        derived(entry, by_name, shapes, errors)?
    };
    let parts = [("channels", shape.channels), ("height", shape.height), ("width", shape.width)];
    let mut sound = true;
    for (what, value) in parts {
        if value == 0 || value > LONGEST {
            errors.add("shape", format!("{value} as {what}; expected 1 to {LONGEST}"));
            sound = false;
        }
    }
    if sound && shape.neurons() > MOST {
        errors.add("shape", format!("{} neurons; expected {MOST} at most", shape.neurons()));
        return None;
    }
    sound.then_some(shape)
}

fn derived(
    entry: &LayerEntry,
    by_name: &BTreeMap<&str, usize>,
    shapes: &[Option<Shape>],
    errors: &mut Errors,
) -> Option<Shape> {
    let Some(read) = entry.reads.first() else {
        errors.add("shape", "missing: a layer that reads nothing states [channels, height, width]");
        return None;
    };
    let source = *by_name.get(read.from.as_str())?;
    let Some(known) = shapes.get(source) else {
        let problem = "the first read comes from a layer that follows; state `shape`, or read an earlier layer first";
        errors.add(&key(0, "from"), problem);
        return None;
    };
    let from = (*known)?;
    let unsized_read = connect(read, 0, source, from, None, errors)?;
    let [height, width] = if read.kind == Kind::Dense {
        [1, 1]
    } else {
        let height = unsized_read.rows.targets(from.height);
        let places = height.zip(unsized_read.columns.targets(from.width));
        let Some((height, width)) = places else {
            errors.add(&key(0, "kernel"), "larger than its source with padding");
            return None;
        };
        [height, width]
    };
    let channels = match (read.kind, entry.channels) {
        (_, Some(channels)) => channels,
        (Kind::Pool | Kind::Same, None) => from.channels,
        (Kind::Conv | Kind::Dense, None) => {
            errors.add("channels", "missing: how many does the layer have?");
            return None;
        }
    };
    let mut shape = Shape { channels, height, width };
    if let Some([height, width]) = entry.keep {
        if height == 0 || width == 0 || height > shape.height || width > shape.width {
            let problem = format!("of {} × {} places", shape.height, shape.width);
            errors.add("keep", format!("{height} × {width} {problem}"));
            return None;
        }
        (shape.height, shape.width) = (height, width);
    }
    Some(shape)
}

/// The windows of a read, held to the shape of its target if that is known.
fn connect(
    entry: &ReadEntry,
    number: usize,
    source: usize,
    from: Shape,
    target: Option<Shape>,
    errors: &mut Errors,
) -> Option<Read> {
    let before = errors.all.len();
    let windows = windows(entry, number, from, errors);
    let ([rows, columns], groups, store) = match entry.kind {
        Kind::Conv => (windows?, entry.groups.unwrap_or(1), Store::Kernel),
        Kind::Pool => (windows?, from.channels, Store::Kernel),
        Kind::Same => (windows?, from.channels, Store::One),
        Kind::Dense => (windows?, 1, Store::Lists),
    };
    if let Some(target) = target {
        fits(entry, number, [rows, columns], groups, from, target, errors);
    }
    let read = Read { source, rows, columns, groups, store };
    (errors.all.len() == before).then_some(read)
}

/// Checks that windows and groups fit between two shapes.
fn fits(
    entry: &ReadEntry,
    number: usize,
    [rows, columns]: [Window; 2],
    groups: u32,
    from: Shape,
    target: Shape,
    errors: &mut Errors,
) {
    if groups == 0
        || !from.channels.is_multiple_of(groups)
        || !target.channels.is_multiple_of(groups)
    {
        let (inputs, outputs) = (from.channels, target.channels);
        let problem =
            format!("{groups} groups divide {inputs} source or {outputs} target channels");
        let at = if entry.kind == Kind::Conv { "groups" } else { "kind" };
        errors.add(&key(number, at), format!("{problem} with a remainder"));
    } else if matches!(entry.kind, Kind::Pool | Kind::Same) && target.channels != from.channels {
        let problem =
            format!("keeps {} channels, the layer has {}", from.channels, target.channels);
        errors.add(&key(number, "kind"), problem);
    }
    let places = (rows.targets(from.height), columns.targets(from.width));
    let enough = |places: Option<u32>, wanted| places.is_some_and(|places| places >= wanted);
    if !enough(places.0, target.height) || !enough(places.1, target.width) {
        let has = format!("{} × {}", places.0.unwrap_or(0), places.1.unwrap_or(0));
        let problem =
            format!("gives {has} places, the layer has {} × {}", target.height, target.width);
        errors.add(&key(number, "kernel"), problem);
    }
}

/// Windows along height and width.
fn windows(
    entry: &ReadEntry,
    number: usize,
    from: Shape,
    errors: &mut Errors,
) -> Option<[Window; 2]> {
    let allowed: &[&str] = match entry.kind {
        Kind::Conv => &["kernel", "stride", "padding", "groups"],
        Kind::Pool => &["kernel", "stride", "padding"],
        Kind::Same | Kind::Dense => &[],
    };
    let given = [
        ("kernel", entry.kernel.is_some()),
        ("stride", entry.stride.is_some()),
        ("padding", entry.padding.is_some()),
        ("groups", entry.groups.is_some()),
    ];
    let mut sound = true;
    for (name, given) in given {
        if given && !allowed.contains(&name) {
            errors.add(
                &key(number, name),
                format!("means nothing for {:?}", entry.kind).to_lowercase(),
            );
            sound = false;
        }
    }
    let [kernel, stride, padding] = match entry.kind {
        Kind::Same => [[1; 2], [1; 2], [0; 2]],
        Kind::Dense => [[from.height, from.width], [1; 2], [0; 2]],
        Kind::Conv | Kind::Pool => {
            let Some(Pair(kernel)) = entry.kernel else {
                errors.add(&key(number, "kernel"), "missing");
                return None;
            };
            let usual = if entry.kind == Kind::Pool { kernel } else { [1; 2] };
            let stride = entry.stride.map_or(usual, |stride| stride.0);
            [kernel, stride, entry.padding.map_or([0; 2], |padding| padding.0)]
        }
    };
    for axis in 0..2 {
        for (name, value) in [("kernel", kernel[axis]), ("stride", stride[axis])] {
            if value == 0 || value > LONGEST {
                errors.add(&key(number, name), format!("{value}; expected 1 to {LONGEST}"));
                sound = false;
            }
        }
        if kernel[axis] > 0 && padding[axis] >= kernel[axis] {
            errors.add(&key(number, "padding"), "as wide as the kernel: windows would see nothing");
            sound = false;
        }
    }
    let window =
        |axis: usize| Window { kernel: kernel[axis], stride: stride[axis], padding: padding[axis] };
    sound.then(|| [window(0), window(1)])
}

/// `reads[2].kernel`
fn key(read: usize, name: &str) -> String {
    format!("reads[{read}].{name}")
}

#[cfg(test)]
mod tests;
