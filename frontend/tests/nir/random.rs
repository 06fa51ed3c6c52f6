//! Random graphs: what is written reads back equal, and equal graphs give equal bytes.

use crate::graphs::{constant, file, graph, input, output};
use proptest::prelude::*;
use snnc_frontend::arrays::{Array, ArrayData};
use snnc_frontend::nir::dialect::Choices;
use snnc_frontend::nir::lower::{Given, lower};
use snnc_frontend::nir::{
    Compat, Conv, Flatten, Item, NirNode, Padding, Pool, Primitive, Texts, Tree, Value, check,
    read, write,
};
use snnc_ir::network::discretization::{Dialect, TimeUnit};

fn values(count: usize, kind: u8, seed: u32) -> ArrayData {
    // Any bits but those of NaN, which is not equal to itself.
    let bits = (0..count).scan(seed, |x, _| {
        *x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(*x)
    });
    match kind {
        0 => ArrayData::F32(
            bits.map(f32::from_bits).map(|x| if x.is_nan() { 0.5 } else { x }).collect(),
        ),
        1 => ArrayData::F64(bits.map(|b| f64::from(b) / 7.0).collect()),
        2 => ArrayData::I64(bits.map(|b| i64::from(b) << 20).collect()),
        3 => ArrayData::I8(bits.map(|b| b.to_le_bytes()[3].cast_signed()).collect()),
        _ => ArrayData::U16(bits.map(|b| (b >> 16) as u16).collect()),
    }
}

fn array_of(shape: Vec<usize>) -> impl Strategy<Value = Array> {
    (0..5_u8, any::<u32>()).prop_map(move |(kind, seed)| {
        let data = values(shape.iter().product(), kind, seed);
        Array { shape: shape.clone(), data }
    })
}

fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..4_usize, 1..4)
}

fn optional(shape: Vec<usize>) -> impl Strategy<Value = Option<Array>> {
    prop::option::of(array_of(shape))
}

fn neuron() -> impl Strategy<Value = Primitive> {
    shape().prop_flat_map(|s| {
        let a = || array_of(s.clone());
        let o = || optional(s.clone());
        prop_oneof![
            a().prop_map(|r| Primitive::I { r }),
            (a(), a(), o()).prop_map(|(r, v_threshold, v_reset)| Primitive::If {
                r,
                v_threshold,
                v_reset
            }),
            (a(), a(), a()).prop_map(|(tau, r, v_leak)| Primitive::Li { tau, r, v_leak }),
            (a(), a(), a(), a(), o()).prop_map(|(tau, r, v_leak, v_threshold, v_reset)| {
                Primitive::Lif { tau, r, v_leak, v_threshold, v_reset }
            }),
            (a(), a(), a(), a(), o()).prop_map(|(tau_mem, tau_syn, r, v_leak, w_in)| {
                Primitive::CubaLi { tau_mem, tau_syn, r, v_leak, w_in }
            }),
            (a(), a(), a(), a(), a(), o(), o()).prop_map(
                |(tau_mem, tau_syn, r, v_leak, v_threshold, v_reset, w_in)| Primitive::CubaLif {
                    tau_mem,
                    tau_syn,
                    r,
                    v_leak,
                    v_threshold,
                    v_reset,
                    w_in,
                }
            ),
            a().prop_map(|delay| Primitive::Delay { delay }),
            a().prop_map(|threshold| Primitive::Threshold { threshold }),
            a().prop_map(|scale| Primitive::Scale { scale }),
        ]
    })
}

fn conv<const D: usize>() -> impl Strategy<Value = Conv<D>> {
    let axes = |range: std::ops::Range<usize>| prop::array::uniform::<_, D>(range);
    let padding = prop_oneof![
        axes(0..3).prop_map(Padding::Zeros),
        Just(Padding::Same),
        Just(Padding::Valid),
    ];
    (axes(5..9), axes(1..3), axes(1..3), padding, 1..3_usize, axes(1..4)).prop_flat_map(
        |(extents, stride, dilation, padding, groups, kernel)| {
            let shape = [&[2 * groups, 1][..], &kernel[..]].concat();
            (array_of(shape), array_of(vec![2 * groups])).prop_map(move |(weight, bias)| Conv {
                input_shape: Some(extents),
                weight,
                bias,
                stride,
                padding,
                dilation,
                groups,
            })
        },
    )
}

fn stateless() -> impl Strategy<Value = Primitive> {
    let pair = |low: usize| prop::array::uniform2(low..3_usize);
    let pool = (pair(1), pair(1), pair(0)).prop_map(|(kernel, stride, padding)| Pool {
        kernel,
        stride,
        padding,
    });
    prop_oneof![
        shape().prop_map(|shape| Primitive::Input { shape }),
        shape().prop_map(|shape| Primitive::Output { shape }),
        (array_of(vec![3, 2]), array_of(vec![3]))
            .prop_map(|(weight, bias)| Primitive::Affine { weight, bias }),
        array_of(vec![2, 3, 2]).prop_map(|weight| Primitive::Linear { weight }),
        conv::<1>().prop_map(Primitive::Conv1d),
        conv::<2>().prop_map(Primitive::Conv2d),
        pool.clone().prop_map(Primitive::SumPool2d),
        pool.prop_map(Primitive::AvgPool2d),
        (shape(), -3..3_i64, -3..3_i64).prop_map(|(shape, start, end)| {
            Primitive::Flatten(Flatten { input_type: Some(shape), start, end })
        }),
    ]
}

fn metadata() -> impl Strategy<Value = Tree> {
    let text = "[a-zé]{0,5}".prop_map(|t| Value::Texts(Texts::new(vec![], vec![t]).unwrap()));
    let texts = prop::collection::vec("[a-z]{0,5}", 1..4)
        .prop_map(|v| Value::Texts(Texts::new(vec![v.len()], v).unwrap()));
    let flags = prop::collection::vec(any::<bool>(), 1..4)
        .prop_map(|v| Value::Numbers(Array { shape: vec![v.len()], data: ArrayData::Bool(v) }));
    let numbers = array_of(vec![]).prop_map(Value::Numbers);
    let leaf = prop_oneof![text, texts, flags, numbers].prop_map(Item::Value);
    let item = leaf.prop_recursive(2, 6, 3, |inner| {
        prop::collection::btree_map("[a-z]{1,3}", inner, 1..3)
            .prop_map(|entries| Item::Group(Tree { entries, ..Tree::default() }))
    });
    prop::collection::btree_map("[a-z ]{1,6}", item, 0..3)
        .prop_map(|entries| Tree { entries, ..Tree::default() })
}

fn primitive() -> impl Strategy<Value = Primitive> {
    let leaf = prop_oneof![neuron(), stateless()];
    leaf.prop_recursive(2, 12, 4, |inner| {
        let node = (inner, metadata());
        (
            prop::collection::btree_map("[a-zA-Z0-9 ._é-]{1,6}", node, 0..4),
            prop::collection::vec(
                (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
                0..5,
            ),
        )
            .prop_map(|(nodes, pairs)| {
                let mut made = graph(vec![], "");
                let names: Vec<String> = nodes.keys().cloned().collect();
                if !names.is_empty() {
                    let name = |i: prop::sample::Index| i.get(&names).clone();
                    made.edges = pairs.into_iter().map(|(a, b)| (name(a), name(b))).collect();
                }
                for (name, (primitive, metadata)) in nodes {
                    // A dot alone means the group itself.
                    let name =
                        if name.trim_matches('.').is_empty() { format!("{name}x") } else { name };
                    made.nodes.insert(name, NirNode { primitive, metadata });
                }
                Primitive::Graph(made)
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn files_read_back_equal(primitive in primitive(), metadata in metadata()) {
        let mut file = file(graph(vec![], ""));
        file.root = NirNode { primitive, metadata };
        let written = write(&file, Compat::Newest).unwrap();
        prop_assert!(written.notes.is_empty(), "{}", written.notes);
        let again = read(written.bytes.clone()).unwrap().file;
        prop_assert_eq!(&again, &file);
        prop_assert_eq!(write(&again, Compat::Newest).unwrap().bytes, written.bytes);
        // Whatever the graph is, the checks come to an end.
        check(&again);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever numbers a node has, it becomes part of a network or is refused.
    #[test]
    fn lowering_comes_to_an_end(primitive in prop_oneof![neuron(), primitive()], dt in -3.0..3.0_f64) {
        let arrays = primitive.arrays();
        let (takes, gives) = match arrays.first() {
            Some(("weight", weight)) if weight.shape.len() > 1 => {
                let (lead, ends) = weight.shape.split_at(weight.shape.len() - 2);
                ([lead, &ends[1..]].concat(), [lead, &ends[..1]].concat())
            }
            Some((_, array)) => (array.shape.clone(), array.shape.clone()),
            None => (vec![2, 4, 4], vec![2, 2, 2]),
        };
        let nodes = vec![("in", input(&takes)), ("n", primitive), ("out", output(&gives))];
        let file = file(graph(nodes, "in > n > out"));
        let checked = check(&file);
        prop_assume!(!checked.found.has_errors());
        for (_, dialect) in Dialect::ALL {
            let timed = Choices { dialect: Some(*dialect), ..Choices::default() };
            let exact = Choices {
                dt: Some(10.0_f64.powf(dt)),
                time_unit: Some(TimeUnit::Milliseconds),
                ..timed
            };
            for choices in [timed, exact] {
                let found = lower(&file, &checked, &Given { name: "g", steps: Some(2), choices });
                prop_assert!(found.is_ok() || found.is_err_and(|d| d.has_errors()));
            }
        }
    }
}

#[test]
fn large_arrays_are_compressed_and_read_back() {
    let weight = Array { shape: vec![300, 500], data: values(150_000, 1, 1) };
    let zeros = constant(&[300, 500], 0.0);
    for weight in [weight, zeros] {
        let mut file = file(graph(vec![], ""));
        file.root.primitive = Primitive::Linear { weight };
        let written = write(&file, Compat::Newest).unwrap();
        assert_eq!(read(written.bytes).unwrap().file, file);
    }
}
