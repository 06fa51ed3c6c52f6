//! Target files: the built-in ones and what is wrong with bad ones.

use snnc_backends::targets::{aliases, by_name, names, parse};
use snnc_ir::Diagnostics;

fn errors(text: &str) -> String {
    parse(text, "my.toml").expect_err("the file must be rejected").to_string()
}

fn loihi1() -> &'static str {
    include_str!("../targets/loihi1.toml")
}

#[test]
fn built_in_targets_parse_and_are_named_after_themselves() {
    assert_eq!(names().collect::<Vec<_>>(), ["loihi1", "loihi2"]);
    for name in names() {
        let spec = by_name(name).unwrap();
        assert_eq!(spec.name, name);
        assert_eq!(spec.hash.len(), 64);
    }
    for (alias, name) in aliases() {
        assert_eq!(by_name(alias).unwrap(), by_name(name).unwrap());
    }
    assert!(!by_name("loihi1").unwrap().programmable_neuron);
    assert!(by_name("loihi2").unwrap().programmable_neuron);
    let bits = |name| by_name(name).unwrap().message_bits.value;
    assert_eq!((bits("loihi1"), bits("loihi2")), (0, 32));
}

#[test]
fn every_limit_keeps_its_line_and_source() {
    let spec = by_name("loihi1").unwrap();
    assert_eq!(spec.compartments.value, 1024);
    assert_eq!(spec.min_weight_exponent.value, -7);
    let line = loihi1().lines().nth(spec.thresholds.line as usize - 1).unwrap();
    assert!(line.starts_with("thresholds = "), "line {} is {line}", spec.thresholds.line);
    assert!(spec.thresholds.source.contains("nxsdk_objects.py"));
}

#[test]
fn messages_have_at_most_the_bits_that_simulators_carry() {
    let with = |bits: &str| {
        loihi1().replace("message_bits = { value = 0", &format!("message_bits = {{ value = {bits}"))
    };
    assert_eq!(parse(&with("24"), "my.toml").unwrap().message_bits.value, 24);
    for bad in ["33", "-1"] {
        let refused = errors(&with(bad));
        assert!(refused.contains("message_bits.value") && refused.contains("0 to 32"), "{refused}");
    }
    let none: String =
        loihi1().lines().filter(|l| !l.starts_with("message_bits")).collect::<Vec<_>>().join("\n");
    assert!(errors(&none).contains("the key `message_bits` is missing"));
}

#[test]
fn sources_are_prose() {
    for name in names() {
        let text = serde_json::to_string(&by_name(name).unwrap()).unwrap();
        assert!(!text.contains("http") && !text.contains("/home") && !text.contains("/tmp"));
    }
}

#[test]
fn the_hash_covers_the_text() {
    let edited = loihi1().replace("value = 1024", "value = 1023");
    let (a, b) = (parse(loihi1(), "a").unwrap(), parse(&edited, "b").unwrap());
    assert_ne!(a.hash, b.hash);
    assert_eq!(b.compartments.value, 1023);
}

#[test]
fn a_path_names_a_file_of_the_user() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.toml");
    std::fs::write(&path, loihi1().replace("\"loihi1\"", "\"mine\"")).unwrap();
    let spec = by_name(path.to_str().unwrap()).unwrap();
    assert_eq!(spec.name, "mine");
    assert_eq!(spec.file, path.to_str().unwrap());

    let missing = by_name("no/such/file.toml").unwrap_err().to_string();
    assert!(missing.contains("SNN0605") && missing.contains("no/such/file.toml"), "{missing}");
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    insta::assert_snapshot!(by_name("loihi3").unwrap_err());
}

#[test]
fn all_problems_are_reported_with_their_lines() {
    let text = loihi1()
        .replace("compartments = {", "compartment = {")
        .replace("value = 16384", "value = -1")
        .replace("thresholds = { value = 8,", "thresholds = { value = \"7\", origin = 1,")
        .replace("programmable_neuron = false", "programmable_neuron = \"no\"")
        .replace("max_delay = { value = 62", "max_delay = { value = 64")
        .replace("max_refractory = { value = 63, source", "max_refractory = { value = 63, src")
        .replace("state_bits = { value = 24,", "state_bits = 24 #");
    insta::assert_snapshot!(errors(&text));
}

#[test]
fn numbers_without_a_source_are_rejected() {
    let text =
        loihi1().replace("source = \"Davies et al. 2018, IEEE Micro 38(1)\"", "source = \" \"");
    let errors: Diagnostics = parse(&text, "my.toml").unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors.iter().next().unwrap().place.path.as_deref(), Some("cores_per_chip.source"));
}

#[test]
fn broken_toml_names_the_place() {
    insta::assert_snapshot!(errors("name = \"x\nsummary = 1 2\n"));
}

#[test]
fn radix_prefixes_and_huge_numbers_are_numbers() {
    let hex = loihi1().replace("value = 4095", "value = 0xfff");
    assert_eq!(parse(&hex, "hex").unwrap().max_bias_mantissa.value, 4095);
    let huge = loihi1().replace("value = 1024", "value = 99999999999999999999");
    assert!(errors(&huge).contains("out of range"));
}

#[test]
fn the_page_about_targets_prints_these_numbers() {
    let page = include_str!("../../docs/targets.md").replace('−', "-");
    for (column, name) in [(3, "loihi1"), (4, "loihi2")] {
        let spec = serde_json::to_value(by_name(name).unwrap()).unwrap();
        let limits = spec.as_object().unwrap().iter().filter(|(_, limit)| limit.is_object());
        for (key, limit) in limits {
            let row = page.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
            let cell = row.and_then(|row| row.split('|').nth(column)).map(str::trim);
            assert_eq!(cell, Some(limit["value"].to_string().as_str()), "{key} of {name}");
        }
    }
}
