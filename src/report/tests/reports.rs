//! The report as a whole.

use super::*;
use crate::report::{COLLAPSE, Report};
use snnc_ir::diag::codes;
use snnc_ir::recipe::Calibration;
use snnc_passes::quantize::account::{
    Account, BiasAccount, Bounds, DecayAccount, Extreme, PopulationAccount, ProjectionAccount,
    ThresholdAccount, WeightSet,
};

fn projection(source: &str, tensor: &str, set: WeightSet) -> ProjectionAccount {
    ProjectionAccount {
        source: source.to_owned(),
        nth: 0,
        delay: 0,
        tensor: tensor.to_owned(),
        weight_bits: 8,
        set,
        exponent: 0,
        step: 1.0 / 128.0,
        weights: 3,
        zeroed: 0,
        clipped: 0,
        max_error: 0.0098,
        relative_error: 0.0091,
        predicted_share: 1.0,
        composed: None,
    }
}

fn population(
    name: &str,
    neurons: usize,
    projections: Vec<ProjectionAccount>,
) -> PopulationAccount {
    let extreme = |low, high| Extreme { low, low_neuron: 0, high, high_neuron: neurons - 1 };
    PopulationAccount {
        name: name.to_owned(),
        neurons,
        shift: None,
        scales: vec![128.0],
        limited_by: "the largest weight (127)".to_owned(),
        threshold: Some(ThresholdAccount { mantissa: [1, 64], distinct: 2, error: 1.604 }),
        decay: Some(DecayAccount { register: [0, 0], error: 0.0 }),
        current: None,
        bias: None,
        bounds: Bounds {
            input: extreme(0, 127),
            u: extreme(0, 8128),
            v: extreme(0, 12224),
            message: Extreme::default(),
        },
        projections,
        predicted_error: 0.0123,
    }
}

/// The account of the integers by hand.
fn account() -> Account {
    let h = population("h", 3, vec![projection("x", "w", WeightSet::Excitatory)]);
    let mut o = population("o", 1, vec![projection("h", "v", WeightSet::Excitatory)]);
    o.scales = vec![100.0];
    o.threshold = Some(ThresholdAccount { mantissa: [100, 100], distinct: 1, error: 0.0 });
    o.decay = Some(DecayAccount { register: [2048, 2048], error: 0.0 });
    o.bias = Some(BiasAccount { units: [25, 25], error: 0.0 });
    o.predicted_error = 0.0;
    Account { populations: vec![h, o] }
}

fn report(measured: Option<Measured>) -> Report {
    Report::new("lost", "loihi2", &account(), &recipe(), measured)
}

fn with_sensitivity() -> Measured {
    let recipe = recipe();
    measured(&MeasureOptions { recipe: Some(&recipe), ..MeasureOptions::default() })
}

#[test]
fn the_rendering_is_golden() {
    insta::assert_snapshot!("rendered", report(Some(with_sensitivity())).render());
    insta::assert_snapshot!("rendered_without_samples", report(None).render());
}

#[test]
fn the_json_is_golden_and_stable() {
    let json = String::from_utf8(report(Some(with_sensitivity())).to_json_bytes()).unwrap();
    let again = report(Some(with_sensitivity())).to_json_bytes();
    assert_eq!(again, json.as_bytes());
    assert!(json.ends_with("}\n"));
    insta::assert_snapshot!("json", json);
}

#[test]
fn every_collapse_has_its_finding() {
    let samples = spikes(&[[[1, 1]; 4]; 5], None);
    let found = |float: &str, integers_text: &str| {
        let options = MeasureOptions::default();
        let measured =
            measure(&network(float), &integers(integers_text), &samples, 0..5, &options).unwrap();
        let findings = report(Some(measured)).findings();
        let all: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.iter().all(|d| COLLAPSE.contains(&d.code)), "{all:?}");
        (findings.iter().map(|d| d.code).collect::<Vec<_>>(), all.join("\n"))
    };
    let silent = INTEGERS.replace("254 0  0 2  130 0", "0 0  0 0  0 0");
    let (codes_found, text) = found(FLOAT, &silent);
    assert_eq!(codes_found[0], codes::account::SILENCED);
    assert!(text.contains("by estimate the weights of `w` from `x` cost most"), "{text}");
    assert!(text.contains("look at `h` first"), "{text}");
    insta::assert_snapshot!("silenced", text);

    // Neuron 2 fires in every step, in half of them before.
    let (codes_found, text) = found(FLOAT, &INTEGERS.replace("130 0", "130 2"));
    assert_eq!(codes_found[0], codes::account::SATURATED, "{text}");
    assert!(text.contains("saturated neurons: 2"), "{text}");

    // Both fire alike, but the integers half as often.
    let rarely =
        INTEGERS.replace("254 0  0 2  130 0", "100 0  0 2  40 0").replace("4096 64", "9600 64");
    let (codes_found, text) = found(FLOAT, &rarely);
    assert_eq!(codes_found[0], codes::account::RATE, "{text}");

    // As often, but in other steps: 1 and 3, 0 and 2.
    let odd = FLOAT.replace("0.5 0.003 0.5", "9 9 0.5");
    let even = INTEGERS.replace("4096 64 4096", "64000 6400 4096").replacen(
        "refractory 1",
        "refractory 2",
        1,
    );
    let (codes_found, text) = found(&odd, &even);
    assert_eq!(codes_found, [codes::account::DISTANCE], "{text}");
}

#[test]
fn lost_accuracy_is_found() {
    let mut measured = with_sensitivity();
    let accuracy = |correct| Some(crate::verify::AccuracyReport { correct, total: 100 });
    (measured.overall.float, measured.overall.quantized) = (accuracy(97), accuracy(92));
    let codes_of = |m: &Measured| {
        let findings = report(Some(m.clone())).findings();
        findings.iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert!(!codes_of(&measured).contains(&codes::account::ACCURACY));
    measured.overall.quantized = accuracy(91);
    assert_eq!(codes_of(&measured).first(), Some(&codes::account::ACCURACY));
    let text = report(Some(measured.clone())).findings().iter().next().unwrap().to_string();
    insta::assert_snapshot!("accuracy", text);
    // A tenth of ten samples is one.
    let few = |correct| Some(crate::verify::AccuracyReport { correct, total: 10 });
    (measured.overall.float, measured.overall.quantized) = (few(10), few(9));
    assert!(!codes_of(&measured).contains(&codes::account::ACCURACY));
}

#[test]
fn samples_that_calibration_has_seen_are_counted() {
    let measured = measured(&MeasureOptions::default());
    let seen = |data: &str, first, samples| {
        let mut recipe = recipe();
        let data = data.to_owned();
        recipe.calibration = Some(Calibration { data, first, samples, budget: 1, work: 1 });
        let report = Report::new("n", "t", &account(), &recipe, Some(measured.clone()));
        report.samples.unwrap().calibrated
    };
    let own = measured.data.as_str();
    assert_eq!([seen(own, 0, 3), seen(own, 1, 9), seen(own, 0, 2)], [3, 2, 2]);
    assert_eq!([seen(own, 3, 9), seen("another", 0, 3), seen(own, 0, 0)], [0, 0, 0]);
}

#[test]
fn tables_keep_the_rows_that_matter() {
    let mut account = Account::default();
    for i in 0..40_u8 {
        let mut own = projection("x", &format!("w{i}"), WeightSet::Mixed);
        own.relative_error = f64::from((i + 20) % 40) / 100.0;
        account.populations.push(population(&format!("p{i}"), 2, vec![own]));
    }
    let report = Report::new("n", "t", &account, &Recipe::default(), None);
    let text = report.render();
    // Errors of 0 to 7 percent are those of 20 to 27.
    assert!(text.contains(" w19 ") && !text.contains(" w20 ") && text.contains(" w28 "), "{text}");
    assert!(text.contains("8 more are left out: those with the smallest error"));
}

#[test]
fn every_field_is_documented() {
    fn keys(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                found.push(key.clone());
                keys(value, found);
            }),
            serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }
    let page = include_str!("../../../docs/report.md");
    let documented = |key: &String| {
        [format!("`{key}`"), format!(".{key}`")].iter().any(|form| page.contains(form))
    };
    let mut recipe = recipe();
    recipe.projections.pop();
    let options = MeasureOptions { recipe: Some(&recipe), ..MeasureOptions::default() };
    let mut measured = measured(&options);
    measured.populations[0].messages = Some(crate::report::Messages::default());
    measured.populations[1].neurons.as_mut().unwrap().spikes.quantized = 0;
    let data = String::new();
    recipe.calibration = Some(Calibration { data, first: 0, samples: 1, budget: 1, work: 1 });
    let report = Report::new("n", "t", &account(), &recipe, Some(measured));
    assert_eq!(report.findings.len(), 1);
    let mut found = Vec::new();
    keys(&serde_json::from_slice(&report.to_json_bytes()).unwrap(), &mut found);
    assert!(found.len() > 150, "{} fields", found.len());
    let missing: Vec<_> = found.iter().filter(|key| !documented(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
