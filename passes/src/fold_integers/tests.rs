//! What each fold does to small networks, and where it must not act.

use super::content::{distinct, distinct_values, values};
use super::{Fold, FoldIntegers, FoldKind};
use crate::fixtures;
use crate::framework::{Context, Options, Pass};
use proptest::prelude::*;
use snnc_ir::level::AnyDraft;
use snnc_ir::quantized::{IntMatrix, Projection, QuantizedDraft, Sign, Structure};
use snnc_ir::testing::{Space, quantized};
use snnc_ir::{Level, QuantizedNetwork, Rules, text};

fn draft(text: &str) -> QuantizedDraft {
    let AnyDraft::Quantized(draft) = text::parse(text).unwrap_or_else(|e| panic!("{e}")) else {
        panic!("no integer network")
    };
    QuantizedNetwork::verify(draft, &Rules::default())
        .unwrap_or_else(|e| panic!("{e}"))
        .into_draft()
}

fn folded(draft: QuantizedDraft) -> (QuantizedDraft, Vec<Fold>) {
    let (target, options) = (fixtures::target(), Options::default());
    let mut cx = Context::new(&target, &options);
    let draft = FoldIntegers.run(draft, &mut cx).unwrap();
    let draft =
        QuantizedNetwork::verify(draft, &Rules::default()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(cx.remarks.len(), cx.folds.len(), "each fold is remarked");
    (draft.into_draft(), cx.folds)
}

fn kinds(folds: &[Fold]) -> Vec<FoldKind> {
    folds.iter().map(|f| f.kind).collect()
}

/// An input `x` of two elements, `h` and `k` of two neurons each, `y`; matrices and projections are given.
fn network(matrices: &str, projections: &str) -> QuantizedDraft {
    let pop = |i: u32, name: &str| {
        format!(
            "pop{i} \"{name}\" [2] = logical neurons\n du 4095 dv 0 threshold 640 compare gt reset zero \
             bias 0 refractory 1 order leak_input_fire update_period 1\n"
        )
    };
    let pops = [pop(1, "h"), pop(2, "k"), pop(3, "y")].concat();
    draft(&format!(
        "snn 1 quantized name \"n\" steps 3 time logical\n{matrices}\n\
         pop0 \"x\" [2] = logical input events\n{pops}{projections}\nreadout spike_count pop3"
    ))
}

fn dense(i: usize, name: &str, form: &str, values: &str) -> String {
    format!("mat{i} \"{name}\" dense [2, 2] {form} from dense \"{name}\" {{ {values} }}\n")
}

#[test]
fn equal_weights_share_the_narrower_store() {
    // The same weights with two exponents; a third matrix that nothing uses.
    let matrices = [
        dense(0, "a", "mixed exponent 0", "2 4 -6 8"),
        dense(1, "b", "mixed exponent -3", "16 32 -48 64"),
        dense(2, "c", "mixed exponent 0", "2 2 2 2"),
    ];
    let projections = "proj0 pop0 -> pop1 mat0 delay 0\nproj1 pop0 -> pop2 mat1 delay 1\n\
        proj2 pop1 -> pop3 mat0 delay 0";
    let (after, folds) = folded(network(&matrices.concat(), projections));
    assert_eq!(kinds(&folds), [FoldKind::Unused, FoldKind::Shared, FoldKind::Narrow]);
    let matrix = &after.matrices.values().next().unwrap();
    assert_eq!((after.matrices.len(), matrix.name.as_str()), (1, "a"));
    assert_eq!((matrix.weight(0), matrix.weight(2), matrix.weight_bits()), (2, -6, 4));
    assert_eq!((folds[0].values, folds[1].values), (4, 4));
    assert_eq!((folds[1].from.as_slice(), &*folds[1].into), (&["b".to_owned()][..], "a"));
}

#[test]
fn projections_of_zeros_are_gone_and_what_they_told_apart_is_merged() {
    let matrices = [
        dense(0, "w", "mixed exponent 0", "2 4 -6 254"),
        dense(1, "zero", "mixed exponent 3", "0 0 0 0"),
        dense(2, "v", "mixed exponent 0", "2 0 0 254"),
    ];
    let projections = "proj0 pop0 -> pop1 mat0 delay 0\nproj1 pop0 -> pop2 mat0 delay 0\n\
        proj2 pop0 -> pop2 mat1 delay 2\nproj3 pop1 -> pop3 mat2 delay 0\nproj4 pop2 -> pop3 mat2 delay 0";
    let (after, folds) = folded(network(&matrices.concat(), projections));
    // `k` is `h`, so `y` reads `h` twice through the same matrix: once through twice its weights.
    let expected = [FoldKind::Zero, FoldKind::Populations, FoldKind::Joined];
    assert_eq!(kinds(&folds), expected);
    assert_eq!(folds[0].from, ["x@2 -> k"]);
    assert_eq!((folds[1].neurons, folds[1].synapses, &*folds[1].into), (2, 4, "h"));
    let names: Vec<_> = after.populations.values().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["x", "h", "y"]);
    let weights = |p: &Projection| {
        let matrix = &after.matrices[p.matrix];
        (0..4).map(|i| matrix.weight(i)).collect::<Vec<_>>()
    };
    let weights: Vec<_> = after.projections.values().map(weights).collect();
    assert_eq!(weights, [[2, 4, -6, 254], [4, 0, 0, 508]]);
}

#[test]
fn sums_that_no_matrix_stores_stay_apart() {
    // 255 - 1 is even, 255 - 2 is odd and of both signs with what follows.
    let split = |below: &str| {
        let matrices = [
            dense(0, "up", "excitatory exponent 0", "255 0 1 0"),
            dense(1, "down", "inhibitory exponent 0", below),
        ];
        let projections = "proj0 pop0 -> pop3 mat0 delay 0\nproj1 pop0 -> pop3 mat1 delay 0\n\
            proj2 pop0 -> pop1 mat0 delay 1\nproj3 pop0 -> pop1 mat1 delay 1";
        folded(network(&matrices.concat(), projections))
    };
    let (after, folds) = split("0 -128 0 -2");
    assert_eq!((after.projections.len(), folds.len()), (4, 0), "{folds:?}");
    let (after, folds) = split("-1 0 -1 -2");
    assert_eq!(after.projections.len(), 2, "{folds:?}");
    assert_eq!(folds.iter().filter(|f| f.kind == FoldKind::Joined).count(), 2);
    let sum = after.matrices.values().next().unwrap();
    assert_eq!((0..4).map(|i| sum.weight(i)).collect::<Vec<_>>(), [254, 0, 0, -2]);
    assert_eq!((after.matrices.len(), sum.sign, sum.name.as_str()), (1, Sign::Mixed, "up+down"));
}

/// A matrix that is also used alone is not stored again in a sum.
#[test]
fn shared_matrices_are_not_joined() {
    let matrices = [
        dense(0, "a", "mixed exponent 0", "2 4 -6 254"),
        dense(1, "b", "mixed exponent 0", "254 4 -6 2"),
    ];
    let projections = "proj0 pop0 -> pop3 mat0 delay 0\nproj1 pop0 -> pop3 mat1 delay 0\n\
        proj2 pop0 -> pop1 mat0 delay 1";
    let (after, folds) = folded(network(&matrices.concat(), projections));
    assert_eq!((after.projections.len(), folds.len()), (3, 0), "{folds:?}");
}

#[test]
fn populations_with_other_delays_parameters_or_readers_of_the_host_stay() {
    let matrices = dense(0, "w", "mixed exponent 0", "2 4 -6 254");
    let twins = "proj0 pop0 -> pop1 mat0 delay 0\nproj1 pop0 -> pop2 mat0 delay DELAY\n\
        proj2 pop0 -> pop3 mat0 delay 5";
    let merged = |draft| folded(draft).0.populations.len();
    let equal = network(&matrices, &twins.replace("DELAY", "0"));
    assert_eq!(merged(equal.clone()), 3);
    assert_eq!(merged(network(&matrices, &twins.replace("DELAY", "1"))), 4);
    // What the readout counts stays, though `h` and `k` are the same.
    let all = twins.replace("DELAY", "5").replace("mat0 delay 0", "mat0 delay 5");
    let names: Vec<_> =
        folded(network(&matrices, &all)).0.populations.values().map(|p| p.name.clone()).collect();
    assert_eq!(names, ["x", "h", "y"]);
    let mut other = equal;
    let last = other.populations.ids().nth(2).unwrap();
    if let snnc_ir::quantized::PopKind::Neurons(neuron) = &mut other.populations[last].kind {
        neuron.threshold = snnc_ir::Param::PerNeuron(vec![640, 704]);
    }
    assert_eq!(merged(other), 4);
}

#[test]
fn mostly_empty_matrices_list_what_they_hold() {
    let size = 64_u32;
    let mut sparse = network(
        &dense(0, "w", "mixed exponent 0", "2 4 -6 254"),
        "proj0 pop0 -> pop1 mat0 delay 0",
    );
    for population in sparse.populations.values_mut() {
        population.shape = snnc_ir::Shape::flat(size);
    }
    let matrix = sparse.matrices.values_mut().next().unwrap();
    matrix.structure = Structure::Dense { rows: size, cols: size };
    matrix.mantissa = (0..4096).map(|i| if i % 65 == 0 { 2 + 2 * (i / 65) } else { 0 }).collect();
    let before = matrix.clone();
    let (after, folds) = folded(sparse.clone());
    assert_eq!(kinds(&folds), [FoldKind::Sparse]);
    let matrix = after.matrices.values().next().unwrap();
    assert_eq!((matrix.structure.stored(), matrix.synapses()), (64, before.synapses()));
    for row in 0..size as usize {
        let entries = |m: &IntMatrix| {
            let mut all = Vec::new();
            m.for_row(row, |col, weight| all.push((col, weight)));
            all
        };
        assert_eq!(entries(matrix), entries(&before));
    }
    // Half full it is smaller as it is.
    let half = sparse.matrices.values_mut().next().unwrap();
    half.mantissa = (0..4096).map(|i| if i % 2 == 0 { 2 + i % 128 } else { 0 }).collect();
    assert!(folded(sparse).1.iter().all(|f| f.kind != FoldKind::Sparse));
}

#[test]
fn contents_are_compared_up_to_powers_of_two() {
    let mut twice = network(
        &[
            dense(0, "a", "mixed exponent 0", "2 4 -6 8"),
            dense(1, "b", "mixed exponent 1", "64 128 -192 254"),
        ]
        .concat(),
        "proj0 pop0 -> pop1 mat0 delay 0\nproj1 pop0 -> pop2 mat1 delay 0",
    );
    assert_eq!(distinct_values(&twice.matrices).len(), 2);
    let second = twice.matrices.values_mut().nth(1).unwrap();
    second.mantissa = vec![32, 64, -96, 128];
    // As a kernel, in another layout.
    second.structure =
        Structure::Sparse { rows: 2, cols: 2, row_start: vec![0, 2, 4], col: vec![0, 1, 0, 1] };
    let classes = distinct_values(&twice.matrices);
    assert_eq!((classes.len(), classes[0].len, classes[0].matrices.len()), (1, 4, 2));
    assert_eq!(values(twice.matrices.values().next().unwrap()), [1, 2, -3, 4]);
}

#[test]
fn equal_rows_and_columns_are_counted() {
    let twins = network(&dense(0, "a", "mixed exponent 0", "2 2 4 4"), "");
    let found = distinct(twins.matrices.values().next().unwrap()).unwrap();
    assert_eq!((found.distinct_rows, found.distinct_cols), (2, 1));
    let conv = "mat0 \"k\" conv [2, 3, 3] to 2 kernel [1, 2] stride [1, 1] pad [0, 0, 0, 0] groups 1 \
        mixed exponent 0 from dense \"k\" { 2 4 2 4 2 4 2 4 }";
    let conv = network(conv, "");
    let matrix = conv.matrices.values().next().unwrap();
    let found = distinct(matrix).unwrap();
    assert_eq!((found.rows, found.cols, found.distinct_rows, found.distinct_cols), (2, 2, 1, 1));
    // 3 rows of 2 positions, 2 channels to 2 channels, 2 taps.
    assert_eq!(matrix.synapses(), 48);
}

proptest! {
    /// A second run finds nothing to do, weights fit their sets, and no count grows.
    #[test]
    fn folding_twice_is_folding_once(draft in quantized(Space::Everything)) {
        let stored = |d: &QuantizedDraft| d.matrices.values().map(|m| m.mantissa.len()).sum::<usize>();
        let (once, _) = folded(draft.clone());
        prop_assert!(stored(&once) <= stored(&draft));
        prop_assert!(once.projections.len() <= draft.projections.len());
        let (twice, folds) = folded(once.clone());
        prop_assert!(folds.is_empty(), "{folds:?}");
        prop_assert_eq!(twice, once);
    }
}

#[test]
fn what_is_equal_up_to_a_power_of_two_has_the_same_mantissas() {
    // Seven bits of weights leave room for a shift that makes no field narrower.
    let matrices = [
        dense(0, "a", "mixed exponent 0", "254 -2 6 2"),
        dense(1, "b", "mixed exponent 1", "254 -2 6 2"),
        dense(2, "c", "mixed exponent 1", "2 6 -10 126"),
        dense(3, "d", "mixed exponent 5", "4 12 -20 252"),
    ];
    let projections = "proj0 pop0 -> pop1 mat0 delay 0\nproj1 pop0 -> pop2 mat1 delay 0\n\
        proj2 pop0 -> pop3 mat2 delay 0\nproj3 pop1 -> pop3 mat3 delay 0";
    let before = network(&matrices.concat(), projections);
    let (after, folds) = folded(before.clone());
    let aligned: Vec<_> = folds.iter().filter(|f| f.kind == FoldKind::Aligned).collect();
    assert_eq!(aligned.len(), 1, "{folds:#?}");
    assert_eq!((&*aligned[0].into, aligned[0].values), ("c", 4));
    let arrays: Vec<_> = after.matrices.values().map(|m| m.mantissa.clone()).collect();
    assert_eq!((&arrays[0], &arrays[2]), (&arrays[1], &arrays[3]));
    let weights = |d: &QuantizedDraft| -> Vec<Vec<i32>> {
        d.matrices.values().map(|m| (0..4).map(|i| m.weight(i)).collect()).collect()
    };
    assert_eq!(weights(&before), weights(&after));
}
