//! Where things stand in the words that kernels read.
//!
//! One buffer holds everything about a network that no run changes: a header for each population, behind
//! it what the population reads, then parameters and weights. So there is one kernel for all networks,
//! which is compiled once, and the number of buffers does not grow with the network.

/// Neurons of a workgroup: two words of spikes.
pub(crate) const GROUP: u32 = 64;

/// Words of a population's header; what it reads stands behind it, [`READ`] words each.
pub(crate) const HEADER: u32 = 17;
/// Neurons.
pub(crate) const SIZE: u32 = 0;
/// Place of the population's spikes (messages of a relay), before it is multiplied by steps and samples.
pub(crate) const SENT: u32 = 1;
/// 0: neurons, 1: graded relays.
pub(crate) const KIND: u32 = 2;
/// Updates happen in steps `t ≡ phase (mod period)`.
pub(crate) const PERIOD: u32 = 3;
/// See [`PERIOD`].
pub(crate) const PHASE: u32 = 4;
/// Updates for which a spike holds the membrane.
pub(crate) const HOLD: u32 = 5;
/// 1 if a spike subtracts, 0 if it resets.
pub(crate) const SUBTRACT: u32 = 6;
/// Place of the parameters: `keep_u`, `keep_v`, threshold, what is subtracted, and the floor.
pub(crate) const PARAMETERS: u32 = 7;
/// Place of the registers, before it is multiplied by samples.
pub(crate) const REGISTERS: u32 = 8;
/// Place of the biases, which are the same in all samples.
pub(crate) const BIAS: u32 = 9;
/// 1 if the host adds to biases, sample by sample.
pub(crate) const HOST: u32 = 10;
/// Place of the biases of all samples, before it is multiplied by samples.
pub(crate) const HOST_BIAS: u32 = 11;
/// What a relay lets pass: 0 all, 1 what is positive, 2 what is negative.
pub(crate) const KEEP: u32 = 12;
/// Bits by which a relay shifts its sum.
pub(crate) const SHIFT: u32 = 13;
/// Projections that are read.
pub(crate) const READS: u32 = 14;
/// 1 if scattered sums arrive.
pub(crate) const SCATTERED: u32 = 15;
/// The first step behind the last logical one, from which on registers stay in their range.
pub(crate) const END: u32 = 16;

/// Words about one projection.
pub(crate) const READ: u32 = 28;
/// One of [`DENSE`], [`CONV`], [`IDENTITY`], [`SPARSE`].
pub(crate) const STRUCTURE: u32 = 0;
/// Steps from a spike to its arrival.
pub(crate) const DELAY: u32 = 1;
/// 1 if the source sends messages.
pub(crate) const MESSAGES: u32 = 2;
/// Place of the source, as [`SENT`].
pub(crate) const SOURCE: u32 = 3;
/// Values (messages) or words (spikes) of one step and sample of the source.
pub(crate) const STRIDE: u32 = 4;
/// Neurons of the source.
pub(crate) const SOURCES: u32 = 5;
/// Place of the weights.
pub(crate) const WEIGHTS: u32 = 6;
/// Words of one row of weights.
pub(crate) const ROW: u32 = 7;
/// Logarithm of how many weights share a word: 2, 1 or 0.
pub(crate) const PACKED: u32 = 8;
/// Of a convolution: input channels of a group.
pub(crate) const IN_CHANNELS: u32 = 9;
/// Output channels of a group.
pub(crate) const OUT_CHANNELS: u32 = 10;
/// Input height and width.
pub(crate) const IN_HEIGHT: u32 = 11;
/// See [`IN_HEIGHT`].
pub(crate) const IN_WIDTH: u32 = 12;
/// Output height and width.
pub(crate) const OUT_HEIGHT: u32 = 13;
/// See [`OUT_HEIGHT`].
pub(crate) const OUT_WIDTH: u32 = 14;
/// Kernel height and width.
pub(crate) const KERNEL_HEIGHT: u32 = 15;
/// See [`KERNEL_HEIGHT`].
pub(crate) const KERNEL_WIDTH: u32 = 16;
/// Strides.
pub(crate) const STRIDE_Y: u32 = 17;
/// See [`STRIDE_Y`].
pub(crate) const STRIDE_X: u32 = 18;
/// Padding above and on the left.
pub(crate) const TOP: u32 = 19;
/// See [`TOP`].
pub(crate) const LEFT: u32 = 20;
/// First row that is not cropped away, and how many there are; then the same of columns.
pub(crate) const FIRST_ROW: u32 = 21;
/// See [`FIRST_ROW`].
pub(crate) const ROWS: u32 = 22;
/// See [`FIRST_ROW`].
pub(crate) const FIRST_COLUMN: u32 = 23;
/// See [`FIRST_ROW`].
pub(crate) const COLUMNS: u32 = 24;
/// Neurons of the target (sparse).
pub(crate) const TARGETS: u32 = 25;

/// Rows of weights by source.
pub(crate) const DENSE: u32 = 0;
/// A kernel.
pub(crate) const CONV: u32 = 1;
/// One weight, from each neuron to its like.
pub(crate) const IDENTITY: u32 = 2;
/// Rows of targets by source, which are scattered.
pub(crate) const SPARSE: u32 = 3;

/// Bound to which inputs, biases and overflowed registers are clamped: far enough outside the registers'
/// range that a clamped value overflows exactly where the value itself does (an input counts 64-fold), and
/// low enough that sums of clamped values stay in 32 bits. Behind the last logical step of a population registers are clamped
/// to [`BOUND`] instead.
pub(crate) const CLAMP: i32 = 1 << 26;
/// Largest magnitude of u and v.
pub(crate) const BOUND: i32 = (1 << 23) - 1;
