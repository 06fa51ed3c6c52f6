//! Small random networks for tests.

use super::network::{Layer, Network, Read, Shape, Store, Window};
use proptest::prelude::*;

/// One random layer: kind, channels, [kernel, stride, padding] for both axes, whether it also repeats its source, recurrent.
type Seed = (u8, u32, [u32; 3], [u32; 3], bool, bool);

/// Networks of up to four layers behind an input.
pub(crate) fn networks() -> impl Strategy<Value = Network> {
    let sizes = [1..=3_u32, 1..=3, 0..=2];
    let layer = (0..6_u8, 1..=6_u32, sizes.clone(), sizes, any::<bool>(), any::<bool>());
    let shape = (1..=6_u32, 1..=8_u32, 1..=8_u32);
    let layers = prop::collection::vec(layer, 1..=4);
    (shape, any::<bool>(), layers).prop_map(|((channels, height, width), input, seeds)| {
        let shape = Shape { channels, height, width };
        let first = Layer { name: "first".to_owned(), shape, input, reads: Vec::new() };
        let mut layers = vec![first];
        for seed in seeds {
            let next = layer_of(&layers, seed);
            layers.push(next);
        }
        Network { name: "random".to_owned(), layers }
    })
}

fn layer_of(layers: &[Layer], (kind, channels, high, wide, repeat, recurrent): Seed) -> Layer {
    let index = layers.len();
    let source = index - 1;
    let from = layers[source].shape;
    let window = |[kernel, stride, padding]: [u32; 3], length: u32| {
        let kernel = kernel.min(length);
        Window { kernel, stride, padding: padding.min(kernel - 1) }
    };
    let (mut rows, mut columns) = (window(high, from.height), window(wide, from.width));
    let (mut groups, mut store, mut channels) = (1, Store::Kernel, channels);
    match kind {
        0 => {
            rows = Window { kernel: from.height, stride: 1, padding: 0 };
            columns = Window { kernel: from.width, stride: 1, padding: 0 };
            store = Store::Lists;
        }
        1 => (groups, channels) = (from.channels, from.channels),
        2 if from.channels.is_multiple_of(2) => (groups, channels) = (2, channels * 2),
        3 => {
            let one = Window { kernel: 1, stride: 1, padding: 0 };
            (rows, columns, groups, store) = (one, one, from.channels, Store::One);
            channels = from.channels;
        }
        _ => {}
    }
    let height = rows.targets(from.height).expect("kernels are clipped to their source");
    let width = columns.targets(from.width).expect("kernels are clipped to their source");
    let shape = Shape { channels, height, width };
    let mut reads = vec![Read { source, rows, columns, groups, store }];
    let one = Window { kernel: 1, stride: 1, padding: 0 };
    let same = |source, groups| Read { source, rows: one, columns: one, groups, store: Store::One };
    if repeat && shape == from && kind != 3 {
        reads.push(same(source, channels));
    }
    if recurrent {
        let three = Window { kernel: 3, stride: 1, padding: 1 };
        let read =
            Read { source: index, rows: three, columns: three, groups: 1, store: Store::Kernel };
        reads.push(read);
    }
    Layer { name: format!("layer{index}"), shape, input: false, reads }
}

/// Calls `visit(target neuron, read, source neuron, tap)` for each synapse: [channel, row, column] each, the tap [row, column].
pub(crate) fn synapses(
    network: &Network,
    layer: usize,
    mut visit: impl FnMut([u32; 3], usize, [u32; 3], [u32; 2]),
) {
    let shape = network.layers[layer].shape;
    for (number, read) in network.layers[layer].reads.iter().enumerate() {
        let from = network.layers[read.source].shape;
        let (per_input, per_output) = (from.channels / read.groups, shape.channels / read.groups);
        for row in 0..shape.height {
            for column in 0..shape.width {
                for channel in 0..shape.channels {
                    let group = channel / per_output;
                    for y in 0..read.rows.kernel {
                        for x in 0..read.columns.kernel {
                            let at = |place: u32, window: Window, tap: u32, length: u32| {
                                let place =
                                    (place * window.stride + tap).checked_sub(window.padding);
                                place.filter(|place| *place < length)
                            };
                            let Some(from_row) = at(row, read.rows, y, from.height) else {
                                continue;
                            };
                            let Some(from_column) = at(column, read.columns, x, from.width) else {
                                continue;
                            };
                            for input in group * per_input..(group + 1) * per_input {
                                let source = [input, from_row, from_column];
                                visit([channel, row, column], number, source, [y, x]);
                            }
                        }
                    }
                }
            }
        }
    }
}
