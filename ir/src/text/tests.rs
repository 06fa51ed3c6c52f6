//! The text form: messages, recovery, and robustness.

use super::{parse, print};
use crate::binary;
use crate::level::{AnyDraft, Level, Rules};
use crate::mapped::MappedNetwork;
use crate::network::Network;
use crate::quantized::QuantizedNetwork;
use crate::testing::{any_draft, target};
use proptest::prelude::*;
use std::time::Instant;

const SMALL: &str = r#"// A comment before the header.
snn 1 network
name "one \"two\" \\ \u{7}"  // a bell
steps 4
tensor0 "w" [1, 2] from dense "w" { 0.5 -0.0 }
node0 "x" [2] = input() rate seed 18446744073709551615
node1 "fc" [1] = linear(node0, node2@1) weight tensor0
node2 "h" [1] = neuron(node1) tau 2 threshold per_neuron { 1e-3 } compare gt reset to -inf
  v_init NaN refractory 0 order leak_input_fire
readout spike_count node2
"#;

/// The form that the printer gives a network.
const PRINTED_NETWORK: &str = r#"snn 1 network
name "net"
steps 4

tensor0 "k" [1, 1, 2, 2] from encoded per_offset out "e1" core "O" source "e0" scale 0.5 heaviside false {
  1.0 2.5
  -0.0 1e-7
}
tensor1 "b" [1] from encoded_bias out "e1" beta "b" { 0.1 }
node0 "x" [1, 2, 2] = input() accumulator pmax 16 steps_in 4
node1 "c" [1, 1, 1] = conv2d(node0) weight tensor0 bias tensor1 conv [1, 2, 2] to 1 kernel [2, 2] stride [1, 1] pad [0, 0, 0, 0] groups 1
node2 "r" [1, 1, 1] = conv2d(node4@1) weight tensor0 conv [1, 1, 1] to 1 kernel [2, 2] stride [1, 1] pad [1, 0, 0, 1] groups 1
node3 "+" [1, 1, 1] = add(node1, node2)
node4 "h" [1, 1, 1] = neuron(node3)
  decay per_channel { 0.25 }
  threshold 1.0
  compare ge
  reset subtract
  v_init 0.0
  refractory 0
  order leak_input_fire
node5 "image" [1, 2, 2] = input() direct range [-1, 1]
node6 "cut" [1, 1, 2] = crop(node5) [1, 0, 0, 0]
node7 "low" [1, 1, 2] = clip(node6) keep negative
node8 "none" [1, 1, 2] = zero()
node9 "edge" [1, 1, 1] = conv2d(node5) weight tensor0 conv [1, 2, 2] to 1 kernel [2, 2] stride [2, 2] pad [1, 0, 1, 0] groups 1 crop [1, 0, 1, 0]
node10 "burst" [1, 1, 2] = neuron(node7)
  sigmoid 0.5
  threshold 1.0
  compare gt
  reset to 0.0
  v_init 0.0
  refractory 0
  order leak_input_fire
  emission burst factor 1.5
node11 "regular" [1, 1, 2] = neuron(node8)
  izhikevich a 0.02 b 0.2 d 8.0
  threshold 30.0
  compare ge
  reset to -65.0
  v_init -65.0
  refractory 0
  order leak_input_fire
node12 "filtered" [1, 1, 2] = neuron(node8)
  linear
  current_keep 0.75
  current_gain 1.0
  keep per_neuron { 0.5 1.0 }
  gain 0.25
  drive -0.125
  threshold 1.0
  compare ge
  reset subtract
  v_init 0.0
  refractory 0
  order leak_input_fire
  emission several
node13 "linear" [1, 1, 2] = neuron(node8)
  linear
  keep 0.5
  gain 1.0
  drive 0.0
  threshold 1.0
  compare ge
  reset subtract
  v_init 0.0
  refractory 0
  order leak_input_fire

readout spike_count node4
"#;

/// The form that the printer gives a mapped network, and but for the first lines and the cores an
/// integer network.
const PRINTED_MAPPED: &str = r#"snn 1 mapped
target "loihi1"
name "net"
steps 4
time hardware period 1 latency { 0 1 2 0 0 0 }

mat0 "w" dense [2, 2] mixed exponent -1 from derived "fold" ["a", "b"] {
  2 -4
  0 6
}
mat1 "s" sparse [2, 2] row_start { 0 1 1 } col { 1 } excitatory exponent 0 from dense "s" { 255 }
mat2 "relay" identity [2] mixed exponent 0 from derived "schedule" [] { 2 }
pop0 "x" [2] = logical input events
pop1 "x+1" [2] = relay of pop0 hops 1 neurons
  du 4095
  dv 4095
  threshold 64
  compare gt
  reset zero
  bias 0
  refractory 1
  order leak_input_fire
  update_period 1
pop2 "y" [2] = logical neurons
  du per_neuron { 4095 0 }
  dv 0
  threshold 128
  compare gt
  reset subtract 128
  bias -64
  refractory 3
  order leak_input_fire
  update_period 1
pop3 "image" [2] = logical input direct range [0, 255]
pop4 "sum" [2] = logical graded
  keep both
  bias per_neuron { 1 -2 }
pop5 "up" [2] = logical graded
  keep positive
  bias 0
proj0 pop0 -> pop1 mat2 delay 1
proj1 pop1 -> pop2 mat0 delay 1
proj2 pop2 -> pop2 mat1 delay 5
host pop3 -> pop4 dense [2, 2] scale 12.5 {
  0.5 -0.25
  0.0 1.0
}

readout mean_linear bias { 0.5 -0.5 }
  term pop2 {
  1.0 2.0
  3.0 4.0
}

orders { 1 1 1 1 1 1 }

core0 chip 0 cell 0 {
  slice pop1[0..2]
  slice pop2[0..2]
  axons pop0[0..2]
  axons pop1[0..2]
  axons pop2[1..2]
  block proj0 axons 0 slice 0
  block proj1 axons 1 slice 1
  block proj2 axons 2 slice 1
}
"#;

/// The form is what golden tests, bug reports and version control see: it changes on purpose only.
#[test]
fn the_printed_form_is_stable() {
    for printed in [PRINTED_NETWORK, PRINTED_MAPPED] {
        let draft = parse(printed).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(print(&draft), printed);
    }
}

/// The findings of a text that cannot be read.
fn errors(text: &str) -> String {
    match parse(text) {
        Ok(draft) => panic!("parsed: {draft:?}"),
        Err(findings) => findings.to_string(),
    }
}

#[test]
fn numbers_and_strings_are_exact() {
    let Ok(AnyDraft::Network(draft)) = parse(SMALL) else { panic!("{}", errors(SMALL)) };
    assert_eq!(draft.name, "one \"two\" \\ \u{7}");
    let tensor = draft.tensors.values().next().unwrap();
    assert_eq!(tensor.data[1].to_bits(), (-0.0_f32).to_bits());
    let printed = print(&AnyDraft::Network(draft));
    assert!(printed.contains(r#"name "one \"two\" \\ \u{7}""#), "{printed}");
    assert!(printed.contains("{ 0.5 -0.0 }"), "{printed}");
    assert!(printed.contains("reset to -inf") && printed.contains("v_init NaN"), "{printed}");
}

#[test]
fn every_f32_exponent_reads_back() {
    for exponent in 0..=254_u32 {
        for mantissa in [0, 1, 0x2A_AAAA, 0x7F_FFFF] {
            let value = f32::from_bits(exponent << 23 | mantissa);
            let text = SMALL.replace("0.5", &format!("{value:?}"));
            let Ok(AnyDraft::Network(draft)) = parse(&text) else { panic!("{}", errors(&text)) };
            let found = draft.tensors.values().next().unwrap().data[0];
            assert_eq!(found.to_bits(), value.to_bits());
        }
    }
}

/// A text, and what its only message must say.
#[test]
fn messages_say_where_and_what() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("snn 1 network", "{\"network\": 1}", &["SNN0151", ":2:1", "starts with `{`"]),
        ("snn 1 network", "snn 2 network", &["SNN0151", ":2:5", "format version 2"]),
        ("snn 1 network", "snn network", &["SNN0151", "no format version"]),
        ("snn 1 network", "snn 1 netwerk", &["SNN0151", "unknown level `netwerk`"]),
        ("steps 4", "steps", &["SNN0150", ":5:1", "unexpected `tensor0`", "expected an integer"]),
        ("steps 4", "steps -4", &["SNN0152", ":4:7", "integer from 0 to 4294967295"]),
        ("steps 4", "steps 4294967296", &["SNN0152", "`4294967296` is not possible here"]),
        ("steps 4", "steps 4.5", &["SNN0150", "unexpected `4.5`"]),
        ("tensor0 \"w\"", "tensor0 w", &["SNN0150", "unexpected `w`", "a string in quotes"]),
        ("dense \"w\"", "dense \"w", &["SNN0150", "a closing quote"]),
        ("dense \"w\"", "dense \"\\x\"", &["SNN0150", "an escape"]),
        ("dense \"w\"", "dense \"\\u{d800}\"", &["SNN0150", "an escape"]),
        ("-0.0 }", "-0.0", &["SNN0150", ":6:1", "unexpected `node0`", "} or a number"]),
        ("-0.0 }", "1e39 }", &["SNN0152", "a number up to 3.4028235e38"]),
        ("-0.0 }", "x }", &["SNN0150", ":5:41", "unexpected `x`"]),
        ("compare gt", "compare lt", &["SNN0152", "a comparison: gt or ge"]),
        ("= linear", "= lineal", &["SNN0150", "unexpected `lineal`", "linear or conv2d"]),
        ("node1 \"fc\"", "node7 \"fc\"", &["SNN0153", ":7:1", "expected node1"]),
        ("node1 \"fc\"", "node99999999999 \"fc\"", &["SNN0152", ":7:5"]),
        ("node1 \"fc\"", "knot1 \"fc\"", &["SNN0150", ":7:1", "tensor or node or readout"]),
        ("readout spike_count node2", "", &["SNN0150", ":9:", "no readout"]),
        ("seed 18446744073709551615", "seed 18446744073709551616", &["SNN0152", ":6:35"]),
    ];
    for (part, spoiled, expected) in cases {
        assert!(SMALL.contains(part), "{part}");
        let message = errors(&SMALL.replace(part, spoiled));
        assert_eq!(message.matches("error[").count(), 1, "{message}");
        for word in *expected {
            assert!(message.contains(word), "{word} is missing:\n{message}");
        }
    }
}

#[test]
fn several_entries_are_reported_together() {
    let text = SMALL.replace("input() rate", "input() rat").replace("compare gt", "compare lt");
    let message = errors(&format!("{text}readout spike_count node0\n"));
    for word in [":6:25", ":8:75", ":11:1", "second readout"] {
        assert!(message.contains(word), "{word} is missing:\n{message}");
    }
    assert_eq!(message.matches("error[").count(), 3, "{message}");
}

#[test]
fn another_kind_of_file_ends_early() {
    let message = errors(&format!("{SMALL}{}", "what is this\n".repeat(100_000)));
    assert_eq!(message.matches("error[").count(), 50, "{message}");
}

/// Linear in the size of the text; the bound is generous because tests run unoptimized.
#[test]
fn a_megabyte_is_read_quickly() {
    let values = "0.123456 ".repeat(120_000);
    let text = SMALL.replace("0.5 -0.0", &values);
    let start = Instant::now();
    assert!(parse(&text).is_ok());
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

/// Deep nesting is no nesting: brackets do not recurse.
#[test]
fn brackets_do_not_nest() {
    assert!(errors(&SMALL.replace("[1, 2]", &"[".repeat(100_000))).contains("expected ]"));
    assert!(errors(&SMALL.replace("{ 0.5", &"{".repeat(100_000))).contains("a number"));
}

/// Verifies for a target; the result is of no interest.
fn verify(draft: AnyDraft) {
    let target = target(true);
    let rules = Rules::for_target(&target);
    let findings = match draft {
        AnyDraft::Network(draft) => Network::verify(draft, &rules).err(),
        AnyDraft::Quantized(draft) => QuantizedNetwork::verify(draft, &rules).err(),
        AnyDraft::Mapped(draft) => MappedNetwork::verify(draft, &rules).err(),
    };
    assert!(findings.is_none_or(|f| f.has_errors()));
}

proptest! {
    /// Cutting, repeating and replacing parts never panics, neither here nor in a verifier; what still
    /// parses prints the same.
    #[test]
    fn spoiled_text_never_panics(
        draft in any_draft(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, 0_usize..24), 1..4),
    ) {
        const PIECES: [&str; 12] =
            ["", " ", "0", "-1", "99999999999999999999", "\"", "{ }", "[1]", "node0", "pop1", "\n", "é"];
        let mut text = print(&draft);
        for (at, piece, len) in edits {
            let mut start = at.index(text.len());
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let mut end = (start + len).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.replace_range(start..end.max(start), PIECES[piece]);
        }
        if let Ok(draft) = parse(&text) {
            let again = parse(&print(&draft)).ok();
            prop_assert_eq!(again.as_ref(), Some(&draft));
            verify(draft);
        }
    }

    /// Changing numbers keeps the text readable and reaches the verifiers more often.
    #[test]
    fn spoiled_numbers_never_panic(
        draft in any_draft(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..10), 1..4),
    ) {
        const NUMBERS: [&str; 10] =
            ["0", "1", "2", "3", "7", "64", "-1", "4095", "2147483647", "4294967295"];
        let mut text = print(&draft);
        for (at, number) in edits {
            let digits: Vec<_> = text.match_indices(|c: char| c.is_ascii_digit()).collect();
            let start = digits[at.index(digits.len())].0;
            let len = text[start..].bytes().take_while(u8::is_ascii_digit).count();
            text.replace_range(start..start + len, NUMBERS[number]);
        }
        if let Ok(draft) = parse(&text) {
            verify(draft);
        }
    }

    #[test]
    fn spoiled_bytes_never_panic(
        draft in any_draft(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = binary::encode_any(&draft);
        prop_assert!(binary::decode(&bytes[..end.index(bytes.len())]).is_err());
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // Either is fine; a length that was spoiled must not be believed.
        if let Ok(draft) = binary::decode(&bytes) {
            verify(draft);
        }
    }
}
