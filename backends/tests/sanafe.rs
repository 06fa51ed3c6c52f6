//! Files for SANA-FE: what they say, and what they are refused for.

mod common;

use common::{Net, target};
use snnc_backends::sanafe::{self, Export};
use snnc_ir::arena::PopId;
use snnc_ir::diag::Code;
use snnc_ir::diag::codes::artifact;
use snnc_ir::network::Compare;
use snnc_ir::quantized::IntReset;
use snnc_ir::{Level, MappedNetwork, Param};

/// Two inputs, a population on two cores with registers of its own for each neuron, and one that reads it late.
fn small(edit: impl FnOnce(&mut Net, [PopId; 3])) -> MappedNetwork {
    let mut net = Net::new(5);
    let x = net.input("x", &[2]);
    let h = net.neurons("h.0 -> 1", &[3], 1);
    let y = net.neurons("y", &[1, 2, 2], 4);
    {
        let neuron = net.neuron(h);
        neuron.dv = Param::PerNeuron(vec![0, 128, 4095]);
        neuron.bias = Param::PerNeuron(vec![0, 96, 0]);
        neuron.refractory = 3;
        neuron.floor = Some(Param::Uniform(-1023));
        let neuron = net.neuron(y);
        neuron.reset = IntReset::Subtract(Param::Uniform(640));
    }
    net.dense(x, h, 1, &[3, 0, -1, 5, 127, 0]);
    net.dense(h, y, 3, &[1; 12]);
    net.dense(y, y, 1, &[0; 16]);
    edit(&mut net, [x, h, y]);
    net.map(&target("loihi2"), &[&[(h, 0, 2)], &[(y, 0, 4), (h, 2, 1)]])
}

fn export(network: &MappedNetwork) -> Export {
    sanafe::export(network, &target("loihi2")).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn the_files_of_a_small_network() {
    let Export { architecture, network } = export(&small(|_, _| {}));
    insta::assert_snapshot!("sanafe-network", network);
    insta::assert_snapshot!("sanafe-architecture", architecture);
}

/// The codes of what stands in the way, in order.
fn refused(edit: impl FnOnce(&mut Net, [PopId; 3])) -> Vec<Code> {
    let why = sanafe::export(&small(edit), &target("loihi2")).expect_err("SANA-FE cannot do it");
    why.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn everything_that_stands_in_the_way_is_named() {
    let neuron = [artifact::SANAFE_NEURON];
    assert_eq!(refused(|n, [_, h, _]| n.neuron(h).du = Param::Uniform(4094)), neuron);
    assert_eq!(refused(|n, [_, h, _]| n.neuron(h).compare = Compare::Ge), neuron);
    assert_eq!(refused(|n, [_, _, y]| n.neuron(y).refractory = 2), neuron);
    let other = |n: &mut Net, [_, _, y]: [PopId; 3]| n.neuron(y).threshold = Param::Uniform(704);
    assert_eq!(refused(other), neuron);
    assert_eq!(refused(|n, [x, h, _]| n.dense(x, h, 7, &[1; 6])), [artifact::SANAFE_DELAY]);
    let both = refused(|n, [x, h, y]| {
        n.neuron(h).du = Param::Uniform(0);
        n.neuron(y).du = Param::Uniform(0);
        n.dense(x, h, 8, &[1; 6]);
    });
    assert_eq!(both, [neuron[0], neuron[0], artifact::SANAFE_DELAY]);
}

#[test]
fn the_longest_delay_is_written() {
    let text = export(&small(|n, [x, h, _]| n.dense(x, h, 6, &[1; 6]))).network;
    assert!(text.contains("delay: [5, 5, 5, 5, 5, 5]"), "{text}");
}

#[test]
fn tiles_are_numbered_column_by_column() {
    // Core 1 lies on cell 1 of the fixture's chip: the first router. Moved to the router below it is tile 1,
    // to the one beside it tile 4, because the mesh has four rows.
    for (cell, tile) in [(1, "0.1"), (8 * 4 + 2, "1.2"), (4, "4.0")] {
        let mut draft = small(|_, _| {}).into_draft();
        for core in draft.cores.values_mut().skip(1) {
            core.cell = cell;
        }
        let moved = MappedNetwork::verify(draft, &snnc_ir::Rules::default());
        let moved = moved.unwrap_or_else(|why| panic!("{why}"));
        let text = export(&moved).network;
        assert!(text.contains(&format!("p2_y.0..3: {{core: {tile}, ")), "cell {cell}: {text}");
    }
}
