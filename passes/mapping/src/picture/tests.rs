//! Pictures of small mappings.

use super::*;

/// A reader of just enough XML: tags are closed in order, attributes are quoted, entities are known.
fn is_well_formed(text: &str) -> Result<(), String> {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let plain = &rest[..start];
        for part in plain.split('&').skip(1) {
            let entity = part.split(';').next().unwrap_or_default();
            if !["amp", "lt", "gt", "quot"].contains(&entity) {
                return Err(format!("entity {entity}"));
            }
        }
        let end = rest.find('>').ok_or("an open tag")?;
        let tag = &rest[start + 1..end];
        if tag.contains('<') || !tag.matches('"').count().is_multiple_of(2) {
            return Err(format!("tag {tag}"));
        }
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("closes {name}"));
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap_or_default());
        }
        rest = &rest[end + 1..];
    }
    if open.is_empty() { Ok(()) } else { Err(format!("open: {open:?}")) }
}

fn resources(cores: usize, used: f64) -> Vec<Resource> {
    vec![
        Resource { name: "neurons".to_owned(), limit: 1024.0, used: vec![used; cores] },
        Resource { name: "axons <in>".to_owned(), limit: 4096.0, used: vec![5000.0; cores] },
    ]
}

#[test]
fn a_small_board_is_drawn_like_this() {
    let mesh = Mesh { width: 2, height: 1, cores_per_router: 2, ..Mesh::loihi1([2, 1]) };
    let placement = Placement { cells: vec![0, 1, 2, 4] };
    let flows = [(0, 1, 5.0), (1, 2, 3.0), (2, 3, 12.5), (3, 0, 0.25)];
    let traffic = Traffic::from_flows(4, flows);
    let text = svg(&Picture {
        title: "two chips & four cores",
        facts: &["energy 1 pJ".to_owned()],
        mesh: &mesh,
        placement: &placement,
        traffic: &traffic,
        names: &["conv1 \"a\"".to_owned()],
        load: "neurons",
        loads: &[0.0, 0.5, 1.0, 1.2],
        resources: &resources(4, 512.0),
    });
    is_well_formed(&text).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn every_size_of_mapping_is_well_formed_and_bounded() {
    for (cores, side) in [(0_u32, 1), (1, 1), (300, 20), (10_000, 300)] {
        let mesh = Mesh::square(side, 1.0, 1.0);
        let placement = Placement { cells: (0..cores).collect() };
        let traffic =
            Traffic::from_flows(cores, (1..cores).map(|c| (c - 1, c, f64::from(c % 7) + 0.5)));
        let loads: Vec<f64> = (0..cores).map(|c| f64::from(c % 11) / 10.0).collect();
        let text = svg(&Picture {
            title: "t",
            facts: &[],
            mesh: &mesh,
            placement: &placement,
            traffic: &traffic,
            names: &[],
            load: "load",
            loads: &loads,
            resources: &[],
        });
        is_well_formed(&text).unwrap();
        assert!(text.matches("class=\"flow\"").count() <= 61);
        assert!(text.len() < 2_000_000);
    }
}

#[test]
fn what_does_not_belong_together_leaves_an_empty_board() {
    let mesh = Mesh::square(2, 1.0, 1.0);
    for cells in [vec![0, 0], vec![9, 1], vec![0]] {
        let text = svg(&Picture {
            title: "",
            facts: &[],
            mesh: &mesh,
            placement: &Placement { cells },
            traffic: &Traffic::from_flows(2, [(0, 1, 1.0)]),
            names: &[],
            load: "",
            loads: &[f64::NAN],
            resources: &[],
        });
        is_well_formed(&text).unwrap();
        assert!(!text.contains("class=\"flow\""));
    }
}

#[test]
fn numbers_are_for_readers() {
    let cases = [
        (0.0, "0"),
        (0.1234, "0.123"),
        (0.5, "0.5"),
        (12.34, "12.3"),
        (99.96, "100"),
        (1234.5, "1,234"),
        (1_234_567.0, "1,234,567"),
        (-1000.0, "\u{2212}1,000"),
        (f64::NAN, "?"),
        (1e18, "1.00e18"),
    ];
    for (value, text) in cases {
        assert_eq!(number(value), text);
    }
    assert_eq!([color(0.0), color(1.0), color(1.1)], ["#e3eef9", "#083060", OVER]);
}

/// Positions and extents are those of the document: `x="…"` of the bars, and the ends of what is written below the board.
#[test]
fn nothing_is_written_over_the_bars() {
    for side in [1, 2, 40] {
        let mesh = Mesh::square(side, 1.0, 1.0);
        let placement = Placement { cells: (0..side * side).collect() };
        let cores = side * side;
        let flows = (1..cores).map(|core| (core - 1, core, 1.5));
        let text = svg(&Picture {
            title: "t",
            facts: &[
                "a fact that is longer than a small board is wide, and than its bars".repeat(3)
            ],
            mesh: &mesh,
            placement: &placement,
            traffic: &Traffic::from_flows(cores, flows),
            names: &[],
            load: "the fullest resource of a core",
            loads: &vec![0.5; cores as usize],
            resources: &resources(cores as usize, 512.0),
        });
        let number = |line: &str, key: &str| -> f64 {
            let (_, rest) = line.split_once(&format!(" {key}=\"")).unwrap();
            rest.split('"').next().unwrap().parse().unwrap()
        };
        let line = |part: &str| text.lines().find(|line| line.contains(part)).unwrap();
        let bars = number(line("Resources of a core"), "x");
        let captions = ["the fullest resource", "messages per step</text>"];
        for caption in captions.iter().take(if cores > 1 { 2 } else { 1 }) {
            let line = text.lines().rfind(|line| line.contains(caption)).unwrap();
            let words = line.split('>').nth(1).unwrap();
            let end = number(line, "x") + text_width(words.trim_end_matches("</text"));
            assert!(end < bars, "{line} ends at {end}, bars begin at {bars}");
        }
        let fact = line("a fact");
        assert!(number(fact, "x") + text_width(&"a".repeat(200)) < number(&text, "width"));
    }
}
