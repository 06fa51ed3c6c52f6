//! Target files: the built-in ones and what is wrong with bad ones.

use proptest::prelude::*;
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
    assert_eq!(names().collect::<Vec<_>>(), ["loihi1", "loihi2", "loihi64", "loihi84"]);
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

/// The text of `loihi1` with a line changed.
fn changed(from: &str, to: &str) -> String {
    assert!(loihi1().contains(from), "{from}");
    loihi1().replace(from, to)
}

#[test]
fn presets_are_those_of_the_literature() {
    let mesh = |name: &str| {
        let spec = by_name(name).unwrap();
        let limits = [&spec.compartments, &spec.input_axons, &spec.mesh_width, &spec.mesh_height];
        let costs = [&spec.costs.router_energy, &spec.costs.hop_energy_x, &spec.costs.hop_energy_y];
        assert!(spec.output_axons.source.starts_with("not limited in this preset"));
        assert_eq!(spec.cores(), (spec.mesh_width.value * spec.mesh_height.value).unsigned_abs());
        (limits.map(|l| l.value), costs.map(|c| c.range().unwrap()[0]))
    };
    assert_eq!(mesh("loihi64"), ([1024, 4096, 64, 64], [1700, 3500, 3500]));
    assert_eq!(mesh("loihi84"), ([4096, 65536, 84, 84], [1000, 100, 100]));
}

#[test]
fn boards_and_meshes_have_room_for_chips_and_cores() {
    let spec = by_name("loihi1").unwrap();
    assert_eq!(spec.cores(), 4096);
    let small = changed("board_width = { value = 8", "board_width = { value = 7");
    let small = small.replace("mesh_width = { value = 8", "mesh_width = { value = 7");
    insta::assert_snapshot!(errors(&small));
    let half = changed("chips = { value = 32", "chips = { value = 16");
    assert_eq!(parse(&half, "half").unwrap().cores(), 2048);
}

#[test]
fn a_file_of_an_older_version_lacks_keys_by_name() {
    let cut = loihi1().split("\n# Femtojoules").next().unwrap();
    let added = ["cores_per_router", "mesh_", "board_", "chip_hops"];
    let old = cut.lines().filter(|line| !added.iter().any(|key| line.starts_with(key)));
    insta::assert_snapshot!(errors(&old.collect::<Vec<_>>().join("\n")));
}

#[test]
fn costs_are_numbers_ranges_or_absent() {
    let costs = by_name("loihi1").unwrap().costs;
    assert_eq!(costs.router_energy.range(), Some([1700, 1700]));
    assert_eq!(costs.hop_energy_y.range(), Some([4000, 4200]));
    assert_eq!(by_name("loihi2").unwrap().costs.router_energy.range(), None);
    assert_eq!(by_name("loihi64").unwrap().costs.synapse_energy.range(), None);
    let bad = loihi1()
        .replace("router_energy = { value = 1700", "router_energy = { value = -1")
        .replace("[4000, 4200]", "[4200, 4000]")
        .replace("router_time = { value", "router_time = { valeu")
        .replace("message_time = ", "massage_time = ")
        .replace("[0, 16000]", "[0, 1, 2]")
        .replace("barrier_time = { value", "barrier_time = { absent = \" \" } # ");
    insta::assert_snapshot!(errors(&bad));
    let none = loihi1().split("[costs]").next().unwrap().to_owned() + "costs = 1";
    insta::assert_snapshot!(errors(&none));
}

#[test]
fn the_page_about_targets_prints_these_numbers() {
    let page = include_str!("../../docs/targets.md").replace('−', "-");
    let cell = |key: &str, column| {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
        row.and_then(|row| row.split('|').nth(column)).map(|cell| cell.trim().to_owned())
    };
    for (column, name) in [(3, "loihi1"), (4, "loihi2")] {
        let spec = serde_json::to_value(by_name(name).unwrap()).unwrap();
        let limits = spec.as_object().unwrap().iter().filter(|(_, limit)| limit.is_object());
        for (key, limit) in limits.filter(|(key, _)| *key != "costs") {
            let value = limit["value"].to_string();
            assert_eq!(cell(key, column), Some(value), "{key} of {name}");
        }
    }
    for (column, name) in [(2, "loihi1"), (3, "loihi64"), (4, "loihi84")] {
        let costs = serde_json::to_value(by_name(name).unwrap().costs).unwrap();
        for (key, cost) in costs.as_object().unwrap() {
            let text = match cost["value"].as_array().map(Vec::as_slice) {
                None => "–".to_owned(),
                Some([low, high]) if low == high => low.to_string(),
                Some(ends) => format!("{} to {}", ends[0], ends[1]),
            };
            assert_eq!(cell(key, column), Some(text), "{key} of {name}");
        }
    }
}

proptest! {
    /// Whatever happens to the lines of a target file: it is refused, or all that it says is in range.
    #[test]
    fn damaged_files_are_refused_or_sound(
        name in prop::sample::select(vec!["loihi1", "loihi2", "loihi64", "loihi84"]),
        edits in prop::collection::vec((0..80_usize, 0..4, any::<i64>()), 1..4),
    ) {
        let text = snnc_backends::targets::text(name).expect("a built-in target");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (line, edit, number) in edits {
            let line = line % lines.len();
            match edit {
                0 => drop(lines.remove(line)),
                1 => lines.insert(line, lines[line].clone()),
                2 => lines[line] = lines[line].replacen(char::is_numeric, &number.to_string(), 1),
                _ => lines[line] = lines[line].chars().rev().skip(5).collect::<Vec<_>>().into_iter().rev().collect(),
            }
        }
        match parse(&lines.join("\n"), "my.toml") {
            Err(errors) => prop_assert!(errors.iter().all(|e| e.place.path.is_some() || e.place.line.is_some())),
            Ok(spec) => {
                prop_assert!(spec.chips.value <= spec.board_width.value * spec.board_height.value);
                let routers = spec.mesh_width.value * spec.mesh_height.value;
                prop_assert!(spec.cores_per_chip.value <= routers * spec.cores_per_router.value);
                prop_assert!(spec.compartments.value >= 1 && !spec.compartments.source.is_empty());
            }
        }
    }
}
