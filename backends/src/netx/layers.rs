//! The layers of a NetX file.

/// One group `layer/<i>`.
#[derive(Debug)]
pub(super) enum Layer {
    /// Extents of the input.
    Input { shape: Vec<u32> },
    /// The next dense layer numbers its sources by (channel, row, column).
    Flatten,
    /// Neurons and the synapses into them.
    Compute(Box<Compute>),
}

/// A `dense`, `dense_rec` or `conv` layer.
#[derive(Debug)]
pub(super) struct Compute {
    /// Extents of the neurons.
    pub(super) shape: Vec<u32>,
    pub(super) synapses: Synapses,
    pub(super) neurons: Neurons,
}

/// Synapses into the neurons of a layer.
#[derive(Debug)]
pub(super) enum Synapses {
    /// A weight per pair of neurons.
    Dense {
        /// `[neurons, sources]`.
        weight: Array,
        /// `[neurons, neurons]`, from the layer to itself.
        recurrent: Option<Array>,
        /// Steps by which a spike arrives later than in the next step: one for all, or `[neurons, sources]`.
        delay: Option<Array>,
    },
    /// A kernel.
    Conv {
        /// `[out_channels, in_channels / groups, kernel_height, kernel_width]`.
        weight: Array,
        /// Vertical and horizontal.
        stride: [u32; 2],
        /// Rows added above and below, columns added left and right.
        padding: [u32; 2],
        groups: u32,
    },
}

/// Parameters of a layer's neurons: one for all, or as [`super::neurons`] orders them.
#[derive(Debug)]
pub(super) struct Neurons {
    /// du + 1.
    pub(super) current_decay: Array,
    /// dv.
    pub(super) voltage_decay: Array,
    /// Threshold mantissa.
    pub(super) threshold: Array,
    /// Bias mantissa for exponent 6; left out where all are 0.
    pub(super) bias: Option<Array>,
}

/// Values of a dataset, row-major. Without extents it is a scalar.
#[derive(Debug, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<i32>,
}

impl Array {
    pub(super) fn new(shape: &[usize], values: Vec<i32>) -> Self {
        Self { shape: shape.to_vec(), values }
    }
}
