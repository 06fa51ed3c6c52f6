//! Directly coded inputs: biases that the host writes.

use super::net::{Kind, Net, able, identity, layer, only, quantize, scale};
use crate::fixtures::target;
use snnc_ir::Entity;
use snnc_ir::arena::{NodeId, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::{Coding, Keep, Readout};
use snnc_ir::quantized::Structure;

const PIXELS: Coding = Coding::Direct { range: Some([0, 255]) };

/// A directly coded input of two values that `y` reads.
fn direct(coding: Coding, weights: &[f32]) -> Net {
    let mut net = Net::new();
    let x = net.input(coding, 2);
    net.neurons("y", 2, &[layer(x, 2, 2, weights)]);
    net
}

#[test]
fn the_first_layer_goes_to_the_host() {
    let (draft, remarks) =
        quantize(direct(PIXELS, &[0.5, -0.25, 0.0, 0.125]), &target()).expect("fits");
    assert_eq!((draft.projections.len(), draft.matrices.len()), (0, 0));
    let [host] = draft.host.as_slice() else { panic!("{:?}", draft.host) };
    assert_eq!((host.input, host.target), (PopId::new(0), PopId::new(1)));
    assert_eq!(host.weights, [0.5, -0.25, 0.0, 0.125]);
    assert_eq!(host.structure, Structure::Dense { rows: 2, cols: 2 });
    assert!((host.scale - scale(&remarks, "y")).abs() <= 0.0);
    // The largest current, 127.5, is the largest bias mantissa.
    assert_eq!(host.range(0, [0, 255]), (-2048.0, 4095.0));
    let note = remarks.iter().find(|d| d.message.contains("`y`")).expect("a remark").to_string();
    assert!(note.contains("limited by the bias mantissa"), "{note}");
    assert!(note.contains("bias within -2048..=4095"), "{note}");
}

#[test]
fn clips_and_biases_beside_a_sample_stay_within_the_register() {
    let mut net = Net::new();
    let x = net.input(PIXELS, 1);
    let layers = [layer(x, 1, 1, &[-1.0])];
    let c =
        net.add("c", snnc_ir::network::Op::Relay(Some(Keep::Negative)), 1, &layers, Some(&[-7.25]));
    net.neurons("y", 1, &[identity(c, 1, 1.0)]);
    let (draft, remarks) = quantize(net, &able()).expect("fits");
    let (low, _) = draft.host[0].range(0, [0, 255]);
    let bias = super::net::relays(&draft, "c").bias.at(0, &snnc_ir::Shape::flat(1));
    assert!((f64::from(bias) + low + 4095.0).abs() <= 1.0, "{bias} {low}");
    assert!((scale(&remarks, "c") - scale(&remarks, "y")).abs() <= 0.0);
}

#[test]
fn a_range_of_the_membrane_lowers_the_scale_of_the_host_too() {
    let mut narrow = target();
    narrow.state_bits.value = 16;
    let (draft, _) = quantize(direct(PIXELS, &[0.5, 0.5, 0.5, 0.5]), &narrow).expect("fits");
    // A leak of 1/8 piles up to 8 drives; one drive alone crosses the threshold.
    let (_, most) = draft.host[0].range(0, [0, 255]);
    assert!((400.0..512.0).contains(&most), "{most}");
}

#[test]
fn two_layers_over_one_input_are_one_current() {
    let mut net = Net::new();
    let x = net.input(PIXELS, 2);
    let shift = Conv {
        input: [1, 2, 1],
        out_channels: 1,
        kernel: [2, 1],
        stride: [1, 1],
        pad: [1, 0, 0, 0],
        groups: 1,
        crop: [0; 4],
    };
    net.neurons(
        "y",
        2,
        &[
            layer(x, 2, 2, &[1.0, 2.0, 3.0, 4.0]),
            layer(x, 2, 2, &[0.5, 0.5, 0.5, 0.5]),
            (x, 0, vec![10.0, 20.0], Kind::Conv(shift)),
        ],
    );
    let (draft, _) = quantize(net, &target()).expect("fits");
    assert_eq!(draft.host.len(), 1);
    assert_eq!(draft.host[0].weights, [21.5, 2.5, 13.5, 24.5]);
}

#[test]
fn what_the_host_cannot_write_is_refused_by_name() {
    let errors = quantize(direct(Coding::Direct { range: None }, &[0.5; 4]), &target());
    let text = only(&errors.expect_err("no range"), codes::DIRECT_INPUT);
    assert!(text.contains("`x0`") && text.contains("\"range\": [0, 1]"), "{text}");

    let mut net = direct(PIXELS, &[0.5; 4]);
    let read = net.0.node_named("y.0").expect("a node");
    net.0.nodes[read].inputs[0].delay = 3;
    let text = only(&quantize(net, &target()).expect_err("a delay"), codes::DIRECT_DELAY);
    assert!(text.contains("`y` reads the directly coded input `x0` 3 steps late"), "{text}");

    let mut net = direct(PIXELS, &[0.5; 4]);
    net.0.readout = Readout::MeanLinear(net.0.node_named("y.0").expect("a node"));
    let text = only(&quantize(net, &target()).expect_err("a readout"), codes::READOUT);
    assert!(text.contains("reads the directly coded input `x0`"), "{text}");
}

#[test]
fn two_layers_of_different_layout_may_be_too_large() {
    let column = |size: u32, pad: u32| Conv {
        input: [1, 4100, 1],
        out_channels: 1,
        kernel: [size, 1],
        stride: [1, 1],
        pad: [pad, pad, 0, 0],
        groups: 1,
        crop: [0; 4],
    };
    let mut net = Net::new();
    let x: NodeId = net.input(PIXELS, 4100);
    let image = snnc_ir::Shape::chw(1, 4100, 1);
    let layers = [
        (x, 0, vec![1.0], Kind::Conv(column(1, 0))),
        (x, 0, vec![1.0; 3], Kind::Conv(column(3, 1))),
    ];
    net.neurons("y", 4100, &layers);
    net.0.nodes.values_mut().for_each(|n| n.shape = image.clone());
    let text = only(&quantize(net, &target()).expect_err("too large"), codes::DIRECT_TWICE);
    assert!(text.contains("`y`") && text.contains("`x0`"), "{text}");
    assert_eq!(x.index(), 0);
}
