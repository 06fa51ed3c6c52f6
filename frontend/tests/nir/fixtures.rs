//! Files that Python wrote: what is read of them, and that writing keeps it.

use snnc_frontend::arrays::{Array, ArrayData};
use snnc_frontend::nir::{
    Any, Compat, NirFile, NodeShapes, Observable, Padding, Primitive, Read, Recorded, check, read,
    read_any, write, write_recording,
};
use snnc_ir::Diagnostics;
use std::path::Path;

/// Bytes of a fixture.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nir/fixtures");
    std::fs::read(folder.join(format!("{name}.nir"))).unwrap()
}

fn load(name: &str) -> Read {
    read(bytes(name)).unwrap()
}

/// Codes of findings, in order.
pub(crate) fn codes(found: &Diagnostics) -> Vec<String> {
    found.iter().map(|d| d.code.to_string()).collect()
}

fn primitive<'a>(file: &'a NirFile, name: &str) -> &'a Primitive {
    let Primitive::Graph(graph) = &file.root.primitive else { panic!("no graph") };
    &graph.nodes[name].primitive
}

const GRAPHS: [&str; 8] = [
    "compressed",
    "convolutional",
    "feedforward",
    "foreign",
    "nested",
    "older",
    "recurrent",
    "single_numbers",
];

#[test]
fn graphs_are_valid() {
    for name in GRAPHS {
        let read = load(name);
        let checked = check(&read.file);
        assert!(checked.found.is_empty(), "{name}: {}", checked.found);
        let expected: &[&str] = if name == "foreign" { &["SNN0262", "SNN0272"] } else { &[] };
        assert_eq!(codes(&read.warnings), expected, "{name}: {}", read.warnings);
    }
}

#[test]
fn what_is_written_reads_back_equal() {
    for name in GRAPHS {
        // The first time single numbers are repeated, and missing extents filled in.
        let once = write(&load(name).file, Compat::Newest).unwrap();
        let file = read(once.bytes.clone()).unwrap().file;
        let again = write(&file, Compat::Newest).unwrap();
        assert_eq!(once.bytes, again.bytes, "{name}");
        assert!(again.notes.is_empty(), "{name}: {}", again.notes);
        if !["foreign", "older", "single_numbers"].contains(&name) {
            assert!(once.notes.is_empty(), "{name}: {}", once.notes);
            assert_eq!(file, load(name).file, "{name}");
        }
        assert_eq!(check(&file).shapes, check(&load(name).file).shapes, "{name}");
    }
}

#[test]
fn compression_makes_no_difference() {
    assert_eq!(load("compressed").file, load("recurrent").file);
}

#[test]
fn shapes_follow_the_edges() {
    let checked = check(&load("convolutional").file);
    let shapes = |name: &str| {
        let NodeShapes { input, output } = &checked.shapes[&format!("/node/nodes/{name}")];
        (input.clone(), output.clone())
    };
    assert_eq!(shapes("conv"), (vec![2, 8, 8], vec![4, 8, 8]));
    assert_eq!(shapes("pool"), (vec![4, 8, 8], vec![4, 4, 4]));
    assert_eq!(shapes("flatten"), (vec![4, 4, 4], vec![64]));
    assert_eq!(shapes("fc"), (vec![64], vec![3]));
}

#[test]
fn inner_graphs_are_dissolved_for_loops() {
    let checked = check(&load("nested").file);
    let names = |i: &usize| checked.flat.nodes[*i].name.as_str();
    assert!(checked.shapes.contains_key("/node/nodes/block/nodes/core/nodes/hidden"));
    let [cycle] = &checked.flat.cycles[..] else { panic!("{:?}", checked.flat.cycles) };
    let cycle: Vec<&str> = cycle.nodes.iter().map(names).collect();
    assert_eq!(cycle, ["block/core/back", "block/core/hidden"]);
    let edges: Vec<(&str, &str)> =
        checked.flat.edges.iter().map(|(a, b)| (names(a), names(b))).collect();
    for edge in [
        ("input", "block/input"),
        ("block/input", "block/core/input"),
        ("block/core/output", "block/output"),
        ("block/output", "delay"),
    ] {
        assert!(edges.contains(&edge), "{edge:?} in {edges:?}");
    }
}

#[test]
fn older_layouts_leave_parameters_out() {
    let file = load("older").file;
    assert_eq!(file.version.as_deref(), Some("0.2.0"));
    let Primitive::Conv2d(conv) = primitive(&file, "c") else { panic!() };
    assert_eq!((conv.input_shape, conv.stride, conv.groups), (None, [1, 1], 1));
    assert_eq!(conv.padding, Padding::Zeros([0, 0]));
    let Primitive::CubaLif { v_reset, w_in, .. } = primitive(&file, "n") else { panic!() };
    assert_eq!((v_reset, w_in), (&None, &None));
    let written = write(&file, Compat::Newest).unwrap();
    assert_eq!(codes(&written.notes), ["SNN0284"]);
    let again = read(written.bytes).unwrap().file;
    let Primitive::Conv2d(conv) = primitive(&again, "c") else { panic!() };
    assert_eq!(conv.input_shape, Some([4, 4]));
}

#[test]
fn element_types_of_other_writers() {
    let file = load("foreign").file;
    let Primitive::Linear { weight } = primitive(&file, "w") else { panic!() };
    let halves = vec![1.0, 2.0, 3.0, 4.5, 0.0, -1.0];
    assert_eq!(*weight, Array { shape: vec![3, 2], data: ArrayData::F32(halves) });
    let Primitive::Lif { tau, v_leak, .. } = primitive(&file, "n") else { panic!() };
    assert_eq!(tau.data, ArrayData::F64(vec![0.01, 0.02, 0.03]));
    assert_eq!(*v_leak, Array { shape: vec![], data: ArrayData::I8(vec![0]) });
    let written = write(&file, Compat::Newest).unwrap();
    let again = read(written.bytes).unwrap().file;
    let Primitive::Lif { v_leak, .. } = primitive(&again, "n") else { panic!() };
    assert_eq!(*v_leak, Array { shape: vec![3], data: ArrayData::I8(vec![0; 3]) });
}

#[test]
fn the_older_version_has_no_reset() {
    let read_back =
        |name: &str| read(write(&load(name).file, Compat::V1_0_4).unwrap().bytes).unwrap();
    let file = read_back("feedforward").file;
    assert_eq!(file.version.as_deref(), Some("1.0.4"));
    let Primitive::Lif { v_reset: None, .. } = primitive(&file, "2") else { panic!() };
}

#[test]
fn recordings_keep_everything() {
    let Any::Recording(recording, warnings) = read_any(bytes("recording")).unwrap() else {
        panic!()
    };
    assert!(warnings.is_empty(), "{warnings}");
    let Recorded::Node(observables) = &recording.nodes["hidden"] else { panic!() };
    let Observable::Gridded { data, dt } = &observables["spikes"] else { panic!() };
    assert_eq!((&data.shape[..], dt.to_bits()), (&[2, 5, 3][..], 1e-3_f64.to_bits()));
    assert!(matches!(data.data, ArrayData::Bool(_)));
    let Observable::Events { value: Some(_), n_neurons: 3, t_max, .. } = &observables["valued"]
    else {
        panic!()
    };
    assert_eq!(t_max.to_bits(), 0.005_f64.to_bits());
    let written = write_recording(&recording).unwrap();
    let Any::Recording(again, _) = read_any(written.bytes).unwrap() else { panic!() };
    assert_eq!(again, recording);
}
