use proptest::prelude::*;

use super::*;

fn error(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn formats_are_read() {
    let graph = read(b"% a comment\n2 3 11\n150 2 3 1\n\n 25 1 1 2\r\n4\n% between\n0\n6").unwrap();
    assert_eq!(graph.validate(), Ok(()));
    assert_eq!(graph.weights, [4, 0, 6]);
    assert_eq!(graph.sources, [1, 0]);
    assert_eq!(graph.targets_of(0), [0, 2]);
    assert_eq!(graph.targets_of(1), [0, 1]);
    assert_eq!(graph.axons, [1, 1]);
    assert!((graph.rates[0] - 1.5).abs() < 1e-12 && (graph.rates[1] - 0.25).abs() < 1e-12);
    let plain = read(b"1 2\n1 2\n").unwrap();
    assert_eq!((plain.weights, plain.targets), (vec![1, 1], vec![1]));
    assert!((plain.rates[0] - 1.0).abs() < 1e-12);
    assert_eq!(read(b"0 0").unwrap().vertices(), 0);
}

#[test]
fn errors_name_the_line_and_what_was_expected() {
    insta::assert_snapshot!(
        [
            error(""),
            error("x 3 1"),
            error("2 3 7"),
            error("2 3 1 9"),
            error("99 3 1\n1 1"),
            error("1 99999999999"),
            error("1 3 1\n\n-5 1 2"),
            error("1 3 1\n5"),
            error("1 3 1\n5 0"),
            error("1 3 1\n5 1 4"),
            error("1 3 1\n5 1 2 2"),
            error("2 3 1\n5 1 2"),
            error("1 1 11\n5 1\n7 7"),
            error("1 3 1\n5 1 2\nand more"),
        ]
        .join("\n")
    );
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(text in "[0-9 \n%x]{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        for text in [text.as_bytes(), &bytes] {
            if let Ok(graph) = read(text) {
                prop_assert_eq!(graph.validate(), Ok(()));
            }
        }
    }
}
