//! Decodes the groups and datasets of `docs/netx.md`, and no others.

use super::{Layer, Netx, Neurons, Numbers, Synapses};
use hdf5_pure::{DType, Dataset, File, Group};
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::artifact;
use std::collections::BTreeSet;

type Decoded<T> = Result<T, Box<Diagnostic>>;

/// Most layers that are looked for.
const MAX_LAYERS: usize = 4096;

/// Decodes a file.
pub(super) fn read(bytes: &[u8]) -> Decoded<Netx> {
    let broken = |e: &dyn std::fmt::Display| {
        Box::new(error("the file is not readable HDF5").note(e.to_string()))
    };
    if !hdf5_pure::is_hdf5_bytes(bytes) {
        return Err(broken(&"the HDF5 signature is missing"));
    }
    let file = File::from_bytes(bytes.to_vec()).map_err(|e| broken(&e))?;
    let mut reader = Reader { left: bytes.len() as u64 };
    let root = Place { group: file.root(), path: String::new() };
    root.holds(&[], &["layer"])?;
    let all = root.group("layer")?;
    let names = all.groups()?;
    if names.len() > MAX_LAYERS {
        return Err(Box::new(error(format!("there are more than {MAX_LAYERS} layers"))));
    }
    let expected: Vec<String> = (0..names.len()).map(|i| i.to_string()).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    all.holds(&[], &expected)?;
    let layers = expected.iter().map(|name| reader.layer(&all.group(name)?));
    Ok(Netx { layers: layers.collect::<Decoded<_>>()? })
}

fn error(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(artifact::NETX_READ, message)
        .help("expected what `docs/netx.md` says: compile again if `snnc` wrote the file")
}

/// A group and how it is called.
struct Place {
    group: Group,
    path: String,
}

impl Place {
    fn error(&self, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(error(message).at(if self.path.is_empty() { "/" } else { &self.path }))
    }

    fn broken(&self, e: &hdf5_pure::Error) -> Box<Diagnostic> {
        self.error("the group or dataset cannot be read").map_note(e.to_string())
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    fn groups(&self) -> Decoded<Vec<String>> {
        self.group.groups().map_err(|e| self.broken(&e))
    }

    fn datasets(&self) -> Decoded<Vec<String>> {
        self.group.datasets().map_err(|e| self.broken(&e))
    }

    fn group(&self, name: &str) -> Decoded<Self> {
        let group = self.group.group(name).map_err(|e| self.broken(&e))?;
        Ok(Self { group, path: self.at(name) })
    }

    /// Refuses datasets and groups besides these, and names that stand there twice: what a loader would make
    /// of them is not known.
    fn holds(&self, datasets: &[&str], groups: &[&str]) -> Decoded<()> {
        let found = [(self.datasets()?, datasets, "dataset"), (self.groups()?, groups, "group")];
        for (found, known, what) in found {
            let mut seen = BTreeSet::new();
            for name in found {
                if !known.contains(&name.as_str()) || !seen.insert(name.clone()) {
                    return Err(
                        self.error(format!("there is a {what} {name:?}, which is not known"))
                    );
                }
            }
        }
        Ok(())
    }

    fn has(&self, name: &str) -> Decoded<bool> {
        Ok(self.datasets()?.iter().any(|d| d == name))
    }
}

/// Adds a note to a boxed finding.
trait MapNote {
    fn map_note(self, note: String) -> Self;
}

impl MapNote for Box<Diagnostic> {
    fn map_note(self, note: String) -> Self {
        Self::new((*self).note(note))
    }
}

struct Reader {
    /// Bytes of datasets that the file can still hold.
    left: u64,
}

impl Reader {
    fn layer(&mut self, place: &Place) -> Decoded<Layer> {
        match self.text(place, "type")?.as_str() {
            "input" => {
                place.holds(&["type", "shape"], &[])?;
                Ok(Layer::Input { shape: self.extents(place, "shape")? })
            }
            "flatten" => {
                place.holds(&["type"], &[])?;
                Ok(Layer::Flatten)
            }
            "dense" => {
                place.holds(&["type", "shape", "weight", "delay", "bias"], &["neuron"])?;
                let weight = self.numbers(place, "weight")?;
                let delay = self.optional(place, "delay")?;
                self.neurons(place, Synapses::Dense { weight, recurrent: None, delay })
            }
            // The loader drops the exponent of a recurrent layer with delays.
            "dense_rec" => {
                place.holds(&["type", "shape", "weight", "weight_rec", "bias"], &["neuron"])?;
                let weight = self.numbers(place, "weight")?;
                let recurrent = Some(self.numbers(place, "weight_rec")?);
                self.neurons(place, Synapses::Dense { weight, recurrent, delay: None })
            }
            "conv" => self.conv(place),
            other => Err(place
                .error(format!("the type of the layer is {other:?}"))
                .map_note("known are input, flatten, dense, dense_rec and conv".to_owned())),
        }
    }

    fn conv(&mut self, place: &Place) -> Decoded<Layer> {
        let known = ["type", "shape", "weight", "stride", "padding", "dilation", "groups", "bias"];
        place.holds(&known, &["neuron"])?;
        let mut pair = |name: &str| {
            let extents = self.extents(place, name)?;
            <[u32; 2]>::try_from(extents)
                .map_err(|_| place.error(format!("{name} does not hold two numbers")))
        };
        let [stride, padding, dilation] = [pair("stride")?, pair("padding")?, pair("dilation")?];
        if dilation != [1, 1] {
            return Err(place.error("the dilation is not 1"));
        }
        let &[groups] = &self.extents(place, "groups")?[..] else {
            return Err(place.error("groups does not hold one number"));
        };
        let weight = self.numbers(place, "weight")?;
        self.neurons(place, Synapses::Conv { weight, stride, padding, groups })
    }

    fn neurons(&mut self, place: &Place, synapses: Synapses) -> Decoded<Layer> {
        let neuron = place.group("neuron")?;
        neuron.holds(&["type", "iDecay", "vDecay", "vThMant"], &[])?;
        let kind = self.text(&neuron, "type")?;
        if kind != "LOIHI" {
            return Err(neuron.error(format!("the type of the neurons is {kind:?}, not \"LOIHI\"")));
        }
        Ok(Layer::Neurons(Box::new(Neurons {
            shape: self.extents(place, "shape")?,
            synapses,
            current_decay: self.numbers(&neuron, "iDecay")?,
            membrane_decay: self.numbers(&neuron, "vDecay")?,
            threshold: self.numbers(&neuron, "vThMant")?,
            bias: self.optional(place, "bias")?,
        })))
    }

    /// A dataset whose values lie in the file as they are.
    fn plain(place: &Place, name: &str) -> Decoded<Dataset> {
        let data = place.group.dataset(name).map_err(|e| place.broken(&e).map_note(name.into()))?;
        if data.is_chunked() || !data.filters().is_empty() {
            return Err(place.error(format!("{name} is chunked or packed")));
        }
        Ok(data)
    }

    /// The number of values of a dataset, which the file must be able to hold.
    fn count(&mut self, place: &Place, name: &str, data: &Dataset) -> Decoded<Vec<usize>> {
        let extents = data.shape().map_err(|e| place.broken(&e))?;
        let size = data.element_size().map_err(|e| place.broken(&e))?;
        let bytes = extents.iter().try_fold(size, |n, &d| n.checked_mul(d));
        let Some(left) = bytes.and_then(|bytes| self.left.checked_sub(bytes)) else {
            return Err(place.error(format!("{name} is larger than the file")));
        };
        self.left = left;
        let fits = |d: u64| usize::try_from(d).map_err(|_| place.error("an extent is too large"));
        extents.into_iter().map(fits).collect()
    }

    fn text(&mut self, place: &Place, name: &str) -> Decoded<String> {
        let data = Self::plain(place, name)?;
        let shape = self.count(place, name, &data)?;
        let one = shape.iter().product::<usize>() == 1;
        let texts = match data.dtype() {
            Ok(DType::String) if one => data.read_string().map_err(|e| place.broken(&e))?,
            _ => return Err(place.error(format!("{name} is not one string of fixed length"))),
        };
        texts.into_iter().next().ok_or_else(|| place.error(format!("{name} is empty")))
    }

    fn optional(&mut self, place: &Place, name: &str) -> Decoded<Option<Numbers>> {
        if place.has(name)? { self.numbers(place, name).map(Some) } else { Ok(None) }
    }

    fn extents(&mut self, place: &Place, name: &str) -> Decoded<Vec<u32>> {
        let values = self.numbers(place, name)?.values;
        let extent = |v: i32| {
            u32::try_from(v).map_err(|_| place.error(format!("{name} holds the number {v}")))
        };
        values.into_iter().map(extent).collect()
    }

    /// Integers; floating-point numbers must be some, because the loader cuts off what lies behind the point.
    fn numbers(&mut self, place: &Place, name: &str) -> Decoded<Numbers> {
        let data = Self::plain(place, name)?;
        let shape = self.count(place, name, &data)?;
        let broken = |e: hdf5_pure::Error| place.broken(&e).map_note(name.to_owned());
        let no = |value: &dyn std::fmt::Display| {
            place.error(format!("{name} holds {value}, which is no integer of 24 bits"))
        };
        #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^24")]
        let whole = |v: f64| {
            let narrow = v.is_finite() && v.abs() <= 16_777_216.0;
            // An integer has no rest, of either sign.
            if narrow && v.fract().abs() <= 0.0 { Ok(v as i32) } else { Err(no(&v)) }
        };
        let narrow = |v: i64| i32::try_from(v).map_err(|_| no(&v));
        let values: Vec<i32> = match data.dtype().map_err(broken)? {
            DType::F32 => {
                let values = data.read_f32().map_err(broken)?;
                values.into_iter().map(|v| whole(f64::from(v))).collect::<Decoded<_>>()?
            }
            DType::F64 => {
                data.read_f64().map_err(broken)?.into_iter().map(whole).collect::<Decoded<_>>()?
            }
            DType::I32 => data.read_i32().map_err(broken)?,
            DType::I64 => {
                data.read_i64().map_err(broken)?.into_iter().map(narrow).collect::<Decoded<_>>()?
            }
            other => return Err(place.error(format!("{name} holds elements of type {other}"))),
        };
        if values.len() != shape.iter().product::<usize>() {
            return Err(place.error(format!("{name} does not hold what its extents say")));
        }
        Ok(Numbers { shape, values })
    }
}
