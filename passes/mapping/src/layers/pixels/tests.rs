//! Pixels against neurons.

use super::Pixels;
use crate::hypergraph::Hypergraph;
use crate::layers::network::Network;
use crate::layers::testing::{networks, synapses};
use crate::partition::Partition;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The hypergraph of neurons, from the definition of synapses.
fn of_neurons(network: &Network, rates: &[f32]) -> Hypergraph {
    let mut bases = vec![0_u32];
    for layer in &network.layers {
        bases.push(bases.last().unwrap() + u32::try_from(layer.shape.neurons()).unwrap());
    }
    let number = |layer: usize, [channel, row, column]: [u32; 3]| {
        let shape = network.layers[layer].shape;
        bases[layer] + (row * shape.width + column) * shape.channels + channel
    };
    let mut targets: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); rates.len()];
    let mut weights = Vec::new();
    for (index, layer) in network.layers.iter().enumerate() {
        let neurons = usize::try_from(layer.shape.neurons()).unwrap();
        weights.extend(std::iter::repeat_n(u32::from(!layer.input), neurons));
        synapses(network, index, |target, read, source, _| {
            let source = number(layer.reads[read].source, source);
            targets[source as usize].insert(number(index, target));
        });
    }
    let mut graph = Hypergraph { weights, starts: vec![0], ..Hypergraph::default() };
    for (source, targets) in (0..).zip(&targets) {
        if !targets.is_empty() {
            graph.sources.push(source);
            graph.axons.push(1);
            graph.rates.push(f64::from(rates[source as usize]));
            graph.targets.extend(targets);
            graph.starts.push(graph.targets.len());
        }
    }
    graph
}

proptest! {
    #[test]
    fn blocks_of_pixels_stand_for_their_neurons(
        network in networks(),
        blocks in prop::collection::vec(1..=6_u32, 5),
        cores in prop::collection::vec(0..5_u32, 4000),
        rates in prop::collection::vec(1..9_u8, 4000),
    ) {
        let neurons: u64 = network.layers.iter().map(|layer| layer.shape.neurons()).sum();
        prop_assume!(neurons <= 4000);
        let rates: Vec<f32> =
            rates[..usize::try_from(neurons).unwrap()].iter().map(|rate| f32::from(*rate)).collect();
        let fine = of_neurons(&network, &rates);
        fine.validate().unwrap();
        let ones = Pixels::new(&network, &[1; 5]).unwrap();
        prop_assert_eq!(&ones.hypergraph(&network, Some(&rates), 1 << 20).unwrap(), &fine);

        let pixels = Pixels::new(&network, &blocks).unwrap();
        let coarse = pixels.hypergraph(&network, Some(&rates), 1 << 20).unwrap();
        coarse.validate().unwrap();
        let core = |graph: &Hypergraph| -> Vec<u32> {
            let all = graph.weights.iter().zip(&cores);
            all.map(|(weight, core)| if *weight == 0 { u32::MAX } else { *core }).collect()
        };
        let coarse_partition = Partition { core: core(&coarse), cores: 5 };
        let mut expanded = Vec::new();
        for (vertex, core) in (0..).zip(&coarse_partition.core) {
            let (layer, _, _, block) = pixels.place(vertex);
            let channels = pixels.layer(layer).channels(block);
            expanded.extend(channels.map(|_| *core));
        }
        let fine_partition = Partition { core: expanded, cores: 5 };
        let traffic = [coarse.km1(&coarse_partition), fine.km1(&fine_partition)];
        prop_assert!((traffic[0] - traffic[1]).abs() < 1e-9, "{traffic:?}");
        prop_assert_eq!(coarse.usage(&coarse_partition), fine.usage(&fine_partition));
    }
}

#[test]
fn rates_and_pins_are_counted_first() {
    let file = "name = 'n'\n[[layer]]\nname = 'a'\nshape = [2, 3, 3]\n\
        [[layer]]\nname = 'b'\nchannels = 2\nreads = [{ from = 'a', kind = 'conv', kernel = 2 }]";
    let network = toml::from_str::<crate::layers::LayerFile>(file).unwrap().check().unwrap();
    let pixels = Pixels::new(&network, &[1, 1]).unwrap();
    let wrong = pixels.hypergraph(&network, Some(&[1.0; 7]), 100).unwrap_err();
    assert_eq!(wrong.to_string(), "7 rates for 26 neurons");
    let many = pixels.hypergraph(&network, None, 40).unwrap_err();
    assert_eq!(many.to_string(), "44 pins or more; take larger blocks");
}
