//! Files that are no NIR graphs.

use crate::fixtures::{bytes, codes};
use hdf5_pure::{AttrValue, FileBuilder, GroupBuilder};
use snnc_frontend::nir::{read, read_any};
use snnc_ir::Diagnostics;

fn refused(bytes: Vec<u8>) -> Diagnostics {
    read_any(bytes).map(|_| ()).unwrap_err()
}

/// A file with a graph of an `Input`, an `Output`, what `fill` adds to the nodes and what it adds to
/// the graph.
fn graph(fill: impl FnOnce(&mut GroupBuilder), add: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    let mut file = FileBuilder::new();
    file.create_dataset("version").with_vlen_strings(&["1.0.8"]).with_shape(&[]);
    let mut node = file.create_group("node");
    text(&mut node, "type", "NIRGraph");
    node.create_dataset("edges").with_vlen_strings(&["in", "out"]).with_shape(&[1, 2]);
    let mut nodes = node.create_group("nodes");
    for (name, kind) in [("in", "Input"), ("out", "Output")] {
        let mut port = nodes.create_group(name);
        text(&mut port, "type", kind);
        port.create_dataset("shape").with_i64_data(&[2]);
        nodes.add_group(port.finish());
    }
    fill(&mut nodes);
    node.add_group(nodes.finish());
    add(&mut node);
    file.add_group(node.finish());
    file.finish().unwrap()
}

fn text(group: &mut GroupBuilder, name: &str, value: &str) {
    group.create_dataset(name).with_vlen_strings(&[value]).with_shape(&[]);
}

/// As [`graph`], with a node of type `kind`.
fn with(kind: &str, fill: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    let add = |nodes: &mut GroupBuilder| {
        let mut node = nodes.create_group("n");
        text(&mut node, "type", kind);
        fill(&mut node);
        nodes.add_group(node.finish());
    };
    graph(add, |_| {})
}

#[test]
fn the_plain_graph_is_valid() {
    assert!(read(graph(|_| {}, |_| {})).unwrap().warnings.is_empty());
}

#[test]
fn other_files() {
    for bytes in [Vec::new(), b"{}".to_vec(), vec![0x89; 4000]] {
        assert_eq!(codes(&refused(bytes)), ["SNN0260"]);
    }
    let empty = FileBuilder::new().finish().unwrap();
    assert_eq!(codes(&refused(empty)), ["SNN0266"]);
}

#[test]
fn groups_within_themselves_and_absurd_extents() {
    assert_eq!(codes(&refused(bytes("endless"))), ["SNN0261"]);
    let found = refused(bytes("claims"));
    insta::assert_snapshot!("claims", found);
    assert_eq!(codes(&refused(bytes("links"))), ["SNN0260"]);
    let twice = refused(bytes("twice"));
    assert!(twice.to_string().contains("a filter is applied twice"), "{twice}");
}

#[test]
fn everything_wrong_is_said_at_once() {
    let found = refused(graph(
        |nodes| {
            nodes.create_dataset("lost").with_f32_data(&[1.0]);
            let mut a = nodes.create_group("a");
            text(&mut a, "type", "LIFF");
            nodes.add_group(a.finish());
            let mut b = nodes.create_group("b");
            text(&mut b, "type", "LIF");
            b.create_dataset("tau").with_f32_data(&[1.0]);
            text(&mut b, "r", "one");
            b.create_dataset("v_treshold").with_f32_data(&[1.0]);
            nodes.add_group(b.finish());
            let mut c = nodes.create_group("c");
            c.create_dataset("weight").with_f32_data(&[1.0]);
            nodes.add_group(c.finish());
            let mut d = nodes.create_group("d");
            text(&mut d, "type", "Conv1d");
            d.create_dataset("stride").with_i64_data(&[0]).with_shape(&[]);
            d.create_dataset("dilation").with_i64_data(&[1, 1]);
            d.create_dataset("groups").with_f64_data(&[1.5]).with_shape(&[]);
            text(&mut d, "padding", "some");
            nodes.add_group(d.finish());
        },
        |node| {
            node.create_dataset("type_check").with_u8_data(&[1]);
        },
    ));
    insta::assert_snapshot!("everything_wrong", found);
}

#[test]
fn kinds_of_values() {
    let scale = |fill: fn(&mut GroupBuilder)| codes(&refused(with("Scale", fill)));
    assert_eq!(scale(|_| {}), ["SNN0266"]);
    let group = |n: &mut GroupBuilder| {
        let empty = n.create_group("scale").finish();
        n.add_group(empty);
    };
    assert_eq!(scale(group), ["SNN0269"]);
    assert_eq!(scale(|n| text(n, "scale", "x")), ["SNN0269"]);
    let both = |n: &mut GroupBuilder| {
        n.create_dataset("scale").with_f32_data(&[1.0]);
        n.create_dataset("bias").with_f32_data(&[1.0]);
    };
    assert_eq!(scale(both), ["SNN0267"]);
    let complex = |n: &mut GroupBuilder| {
        n.create_dataset("scale").with_complex32_data(&[(1.0, 0.0)]);
    };
    assert_eq!(scale(complex), ["SNN0262"]);
    assert_eq!(codes(&refused(with("Skale", |_| {}))), ["SNN0268"]);
}

#[test]
fn attributes_are_not_dropped_in_silence() {
    let bytes = with("Scale", |n| {
        n.create_dataset("scale").with_f32_data(&[1.0]).set_attr("unit", AttrValue::F64(2.0));
        n.set_attr("label", AttrValue::VarLenString("x".to_owned()));
    });
    assert_eq!(codes(&read(bytes).unwrap().warnings), ["SNN0264", "SNN0264"]);
}

#[test]
fn versions() {
    let version = |text: &str| {
        let mut file = FileBuilder::new();
        file.create_dataset("version").with_vlen_strings(&[text]).with_shape(&[]);
        let mut node = file.create_group("node");
        self::text(&mut node, "type", "Scale");
        node.create_dataset("scale").with_f32_data(&[1.0]);
        file.add_group(node.finish());
        codes(&read(file.finish().unwrap()).unwrap().warnings)
    };
    for known in ["0.1.1", "1.0", "1.0.8", "1.0.7.dev8+gabc", "0.2.0rc1"] {
        assert!(version(known).is_empty(), "{known}");
    }
    for unknown in ["", "1", "one", "1.0.9", "2.0", "v1.0.0"] {
        assert_eq!(version(unknown), ["SNN0272"], "{unknown}");
    }
}

#[test]
fn recordings_are_checked() {
    let recording = |kind: &str, fill: &dyn Fn(&mut GroupBuilder)| {
        let mut file = FileBuilder::new();
        let typed = |t: &str| AttrValue::VarLenString(t.to_owned());
        file.set_attr("__type__", typed("NIRGraphData"));
        let mut nodes = file.create_group("nodes");
        let mut node = nodes.create_group("n");
        node.set_attr("__type__", typed("NIRNodeData"));
        let mut all = node.create_group("observables");
        let mut observable = all.create_group("o");
        observable.set_attr("__type__", typed(kind));
        fill(&mut observable);
        all.add_group(observable.finish());
        node.add_group(all.finish());
        nodes.add_group(node.finish());
        file.add_group(nodes.finish());
        read_any(file.finish().unwrap()).map_or_else(|d| codes(&d), |_| Vec::new())
    };
    let gridded = |shape: &'static [u64], dt: f64| {
        recording("TimeGriddedData", &move |o| {
            let count = usize::try_from(shape.iter().product::<u64>()).unwrap();
            o.create_dataset("data").with_f32_data(&vec![0.0; count]).with_shape(shape);
            o.set_attr("dt", AttrValue::F64(dt));
        })
    };
    assert!(gridded(&[1, 2, 3], 0.1).is_empty());
    assert_eq!(gridded(&[1, 2], 0.1), ["SNN0285"]);
    assert_eq!(gridded(&[1, 2, 3], 0.0), ["SNN0285"]);
    let events = |idx: [i64; 2], time: [f64; 2]| {
        recording("EventData", &move |o| {
            o.create_dataset("idx").with_i64_data(&idx).with_shape(&[1, 2]);
            o.create_dataset("time").with_f64_data(&time).with_shape(&[1, 2]);
            o.set_attr("n_neurons", AttrValue::I64(3));
            o.set_attr("t_max", AttrValue::F64(1.0));
        })
    };
    assert!(events([2, -1], [1.0, f64::INFINITY]).is_empty());
    assert_eq!(events([3, -1], [1.0, f64::INFINITY]), ["SNN0285"]);
    assert_eq!(events([2, -1], [1.5, f64::INFINITY]), ["SNN0285"]);
    assert_eq!(events([2, -1], [1.0, 0.5]), ["SNN0285"]);
    assert_eq!(events([2, 0], [f64::NAN, 0.5]), ["SNN0285"]);
    assert_eq!(recording("Something", &|_| {}), ["SNN0285"]);
}
