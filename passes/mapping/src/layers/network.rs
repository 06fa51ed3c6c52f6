//! Layered networks: shapes and windows, without weights.

/// Channels, height and width of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Channels.
    pub channels: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
}

impl Shape {
    /// Places of the map.
    pub fn pixels(self) -> u64 {
        u64::from(self.height) * u64::from(self.width)
    }

    /// Neurons.
    pub fn neurons(self) -> u64 {
        self.pixels() * u64::from(self.channels)
    }
}

/// A checked network. Neurons are numbered layer by layer, within a layer by rows, columns, then channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its layers.
    pub layers: Vec<Layer>,
}

impl Network {
    /// Neurons that lie on cores.
    pub fn neurons(&self) -> u64 {
        self.layers.iter().filter(|layer| !layer.input).map(|layer| layer.shape.neurons()).sum()
    }

    /// Synapses, without those of windows that reach over the border.
    pub fn synapses(&self) -> u128 {
        let layers = self.layers.iter();
        let reads = layers.flat_map(|layer| layer.reads.iter().map(move |read| (layer, read)));
        reads.map(|(layer, read)| read.synapses(self.layers[read.source].shape, layer.shape)).sum()
    }
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Whether it comes from outside and lies on no core.
    pub input: bool,
    /// What its neurons read.
    pub reads: Vec<Read>,
}

/// Synapses between two layers. Everything is a convolution here: pooling and repetition have as many groups as channels, a
/// dense connection has a window as large as its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Index of the source layer.
    pub source: usize,
    /// Windows along the height.
    pub rows: Window,
    /// Windows along the width.
    pub columns: Window,
    /// Groups of channels that only see each other.
    pub groups: u32,
    /// How its weights are stored.
    pub store: Store,
}

/// How the weights of a connection are stored where kernels are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A kernel for each output channel.
    Kernel,
    /// One value for all.
    One,
    /// A list for each source neuron.
    Lists,
}

impl Read {
    /// Synapses between layers of these shapes.
    pub fn synapses(&self, source: Shape, target: Shape) -> u128 {
        let rows = self.rows.taps(source.height, target.height);
        let columns = self.columns.taps(source.width, target.width);
        let channels = u128::from(target.channels) * u128::from(source.channels / self.groups);
        u128::from(rows) * u128::from(columns) * channels
    }

    /// Source channels that target channels `channels` read.
    pub fn sources(&self, inputs: u32, outputs: u32, channels: [u32; 2]) -> [u32; 2] {
        let (per_input, per_output) = (inputs / self.groups, outputs / self.groups);
        [channels[0] / per_output * per_input, channels[1].div_ceil(per_output) * per_input]
    }

    /// Target channels that read source channel `channel`.
    pub fn readers(&self, inputs: u32, outputs: u32, channel: u32) -> [u32; 2] {
        let (per_input, per_output) = (inputs / self.groups, outputs / self.groups);
        let group = channel / per_input;
        [group * per_output, (group + 1) * per_output]
    }
}

/// Windows along one axis: target `t` reads sources `t · stride − padding .. + kernel` that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Length.
    pub kernel: u32,
    /// Step.
    pub stride: u32,
    /// Places before the first source.
    pub padding: u32,
}

impl Window {
    /// Windows on a source of `length` places.
    pub fn targets(self, length: u32) -> Option<u32> {
        let padded = u64::from(length) + 2 * u64::from(self.padding);
        let free = padded.checked_sub(u64::from(self.kernel))?;
        u32::try_from(free / u64::from(self.stride) + 1).ok()
    }

    /// Sources (of `length`) that the targets `range[0]..range[1]` see, as a range; windows that leave gaps (stride above kernel)
    /// are included with them.
    pub fn sources(self, range: [u32; 2], length: u32) -> [u32; 2] {
        if range[0] >= range[1] {
            return [0, 0];
        }
        let place = |target: u32| u64::from(target) * u64::from(self.stride);
        let (padding, length) = (u64::from(self.padding), u64::from(length));
        let start = place(range[0]).saturating_sub(padding).min(length);
        let end = (place(range[1] - 1) + u64::from(self.kernel)).saturating_sub(padding);
        [narrow(start), narrow(end.min(length).max(start))]
    }

    /// Targets (of `length`) whose window holds `source`.
    pub fn readers(self, source: u32, length: u32) -> [u32; 2] {
        let place = u64::from(source) + u64::from(self.padding);
        let (kernel, stride) = (u64::from(self.kernel), u64::from(self.stride));
        let start = (place + 1).saturating_sub(kernel).div_ceil(stride);
        let end = (place / stride + 1).min(u64::from(length));
        [narrow(start.min(end)), narrow(end)]
    }

    /// Pairs of a target (of `targets`) and a source (of `sources`) in its window.
    pub fn taps(self, sources: u32, targets: u32) -> u64 {
        let count = |target| {
            let [start, end] = self.sources([target, target + 1], sources);
            u64::from(end - start)
        };
        (0..targets).map(count).sum()
    }

    /// Number of sources (of `length`) in a window of some target of `range`: without the gaps between windows.
    pub fn covered(self, range: [u32; 2], length: u32) -> u64 {
        let [start, end] = self.sources(range, length);
        let hull = u64::from(end - start);
        let gap = u64::from(self.stride.saturating_sub(self.kernel));
        hull - gap * u64::from((range[1].saturating_sub(range[0])).saturating_sub(1))
    }
}

/// A place along an axis, which is below `2^32` by construction.
fn narrow(place: u64) -> u32 {
    u32::try_from(place).expect("places lie below the length of an axis")
}
