//! What is counted.

use super::*;
use crate::report::{Level, Neurons};
use snnc_passes::fold_integers::{Fold, FoldKind};
use snnc_runtime::SimError;

#[test]
fn spikes_neurons_and_divergences_are_counted() {
    let measured = measured(&MeasureOptions::default());
    let [h, o] = measured.populations.as_slice() else { panic!("two populations") };
    let h = h.neurons.as_ref().unwrap();
    // Float: neuron 1 fires 4 times in sample 1, neuron 0 twice in sample 2, and neuron 2 with its
    // second input there. In integers the weight of neuron 1 is its threshold, so that it needs two
    // inputs for a spike, and neuron 2 fires with the first.
    assert_eq!((h.spikes.float, h.spikes.quantized), (4 + 2 + 1, 2 + 2 + 2));
    // Neuron 1 loses spikes in steps 0 and 2, neuron 2 gains one in step 0.
    assert_eq!((h.spikes.differing, h.spikes.cells), (3, 3 * 4 * 3));
    assert!((h.spikes.distance - 3.0 / 13.0).abs() < 1e-12);
    assert!((h.spikes.agreement - 10.0 / 13.0).abs() < 1e-12);
    assert!((h.spikes.rate_change.unwrap() - (6.0 / 7.0 - 1.0)).abs() < 1e-12);
    assert_eq!((h.diverging_samples, h.leads), (2, 2));
    assert_eq!(h.silent, Neurons::default());
    let first = h.first.as_ref().unwrap();
    assert_eq!((first.sample, first.step, first.neuron), (1, 0, 1));
    assert_eq!((first.fired, first.quantized.margin), (Level::Float, Some(0.0)));
    assert!((first.float.margin.unwrap() - 1.0 / 3.0).abs() < 1e-6);
    assert_eq!((first.quantized.v, first.quantized.threshold), (64.0, 64.0));
    let margins = h.margins.unwrap();
    assert_eq!(margins.onsets, 2);
    // Sample 2: 0.498 against 0.5 in float, 65 against 64 in integers.
    assert!((margins.float[0] + 0.004).abs() < 1e-6 && margins.float[4] > 0.3);
    assert!(
        margins.quantized[0].abs() < 1e-12 && margins.quantized[4].total_cmp(&(1.0 / 64.0)).is_eq()
    );
    let o = o.neurons.as_ref().unwrap();
    assert_eq!(o.leads, 0);
    assert_eq!(measured.overall.first, h.first);
    assert_eq!(measured.overall.diverging_samples, 2);
    assert_eq!(measured.overall.spikes.differing, h.spikes.differing + o.spikes.differing);
    // One class only: both sides are always right.
    let accuracy = [measured.overall.float, measured.overall.quantized];
    assert_eq!(accuracy.map(|a| a.map(|a| (a.correct, a.total))), [Some((3, 3)); 2]);
    assert_eq!(measured.overall.same_prediction, 3);
}

#[test]
fn samples_are_numbered_as_in_their_file() {
    let samples = part(&SAMPLES, Some(&[0, 0, 0]), Some(1..3));
    let (float, quantized, recipe) = (network(FLOAT), integers(INTEGERS), recipe());
    let options = MeasureOptions {
        recipe: Some(&recipe),
        sensitivity_samples: 9,
        ..MeasureOptions::default()
    };
    let found = measure(&float, &quantized, &samples, 1..2, &options).unwrap();
    assert_eq!((found.first_sample, found.samples), (2, 1));
    let first = found.overall.first.unwrap();
    assert_eq!((first.sample, first.neuron, first.fired), (2, 2, Level::Quantized));
    assert_eq!(found.overall.float.unwrap().total, 1);
    assert_eq!(found.sensitivity.unwrap().samples, 1);
}

#[test]
fn silent_new_and_saturated_neurons_are_told_apart() {
    // Neuron 0 of `h` falls silent, neuron 1 fires in every step, neuron 2 with the other input.
    let changed = INTEGERS
        .replace("{ 254 0  0 2  130 0 }", "{ 0 0  0 4  0 128 }")
        .replace("per_neuron { 4096 64 4096 }", "per_neuron { 4096 64 2048 }");
    let sparse = FLOAT.replace("0 0.004", "0 0.002");
    let samples = spikes(&SAMPLES, None);
    let options = MeasureOptions::default();
    let measured = measure(&network(&sparse), &integers(&changed), &samples, 1..3, &options);
    let measured = measured.unwrap();
    let h = measured.populations[0].neurons.as_ref().unwrap();
    let only = |n: usize| Neurons { count: 1, first: vec![n] };
    assert_eq!(h.spikes.float, 2 + 2 + 1);
    assert_eq!(h.silent, only(0));
    assert_eq!(h.fresh, Neurons::default());
    assert_eq!(h.saturated, Neurons::default());
    // In sample 1 alone: neuron 1 fires every second step before and in every step now.
    let measured = measure(&network(&sparse), &integers(&changed), &samples, 1..2, &options);
    let h = measured.unwrap().populations.remove(0).neurons.unwrap();
    let saturated = Neurons { count: 2, first: vec![1, 2] };
    assert_eq!((h.saturated, h.fresh, h.silent), (saturated, only(2), Neurons::default()));
    assert_eq!(h.spikes.rate_change, Some(3.0));
}

/// Many samples, more than are looked at again, of which most diverge.
fn many() -> Stimuli {
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::from(state >> 62 == 0)
    };
    let samples: Vec<_> = (0..60).map(|_| [(); 4].map(|()| [(); 2].map(|()| next()))).collect();
    spikes(&samples, None)
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (network, integers, samples, recipe) =
        (network(FLOAT), integers(INTEGERS), many(), recipe());
    let options = MeasureOptions {
        recipe: Some(&recipe),
        sensitivity_samples: 20,
        ..MeasureOptions::default()
    };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let run = || measure(&network, &integers, &samples, 3..60, &options).unwrap();
        let measured = pool.install(run);
        assert_eq!(measured.populations[0].neurons.as_ref().unwrap().margins.unwrap().onsets, 32);
        serde_json::to_string(&measured).unwrap()
    };
    let one = with(1);
    assert_eq!(with(2), one);
    assert_eq!(with(7), one);
    assert_eq!(with(100), one);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let (float, quantized) = (network(FLOAT), integers(INTEGERS));
    let samples = spikes(&SAMPLES, None);
    let code = |float: &Network, quantized: &QuantizedNetwork, range| {
        let options = MeasureOptions::default();
        let error = measure(float, quantized, &samples, range, &options).unwrap_err();
        error.iter().map(ToString::to_string).collect::<String>()
    };
    assert!(code(&float, &quantized, 0..0).contains("SNN0815"));
    assert!(code(&float, &quantized, 2..4).contains("there are 3"));
    let renamed = integers(&INTEGERS.replace("\"o\"", "\"other\""));
    assert!(
        code(&float, &renamed, 0..1).contains("population `other` exists only on the quantized")
    );
    let renamed = integers(&INTEGERS.replace("\"x\"", "\"y\""));
    assert!(code(&float, &renamed, 0..1).contains("`y`"));
    let hardware = INTEGERS
        .replace("time logical", "time hardware period 1 latency { 0 1 2 }")
        .replace("delay 0", "delay 1")
        .replace("bias 1600", "bias 0");
    assert!(code(&float, &integers(&hardware), 0..1).contains("SNN0805"));
}

#[test]
fn an_error_names_the_sample() {
    let samples = spikes(&SAMPLES, None);
    let parts = super::super::sides::in_parts(5..50, |part| {
        part.map(|sample| {
            let result = if sample >= 17 { Err(SimError::ZeroDelayCycle) } else { Ok(sample) };
            super::super::sides::at_sample(&samples, sample, result)
        })
        .collect::<Result<Vec<_>, _>>()
    });
    let expected = SimError::Sample { index: 17, source: Box::new(SimError::ZeroDelayCycle) };
    assert_eq!(parts, Err(expected));
}

/// A population that was folded into another one in integers is measured on its spikes.
#[test]
fn folded_populations_are_measured_under_their_own_names() {
    let twin = r#"node5 "p" [1] = neuron(node3) decay 0.5 threshold 1 compare gt
  reset to 0 v_init 0 refractory 0 order leak_input_fire
readout"#;
    let (float, quantized) = (network(&FLOAT.replace("readout", twin)), integers(INTEGERS));
    let samples = spikes(&SAMPLES, None);
    let run = |folds: &[Fold]| {
        let options = MeasureOptions { folds, ..MeasureOptions::default() };
        measure(&float, &quantized, &samples, 0..3, &options)
    };
    assert!(run(&[]).unwrap_err().to_string().contains("`p`"));
    let fold = Fold {
        kind: FoldKind::Populations,
        into: "o".to_owned(),
        from: vec!["p".to_owned()],
        at: Vec::new(),
        values: 0,
        synapses: 0,
        bits: 0,
        neurons: 1,
        projections: 0,
    };
    let measured = run(&[fold]).unwrap();
    let of = |name: &str| {
        let found = measured.populations.iter().find(|p| p.name == name).unwrap();
        found.neurons.as_ref().unwrap().spikes.clone()
    };
    assert_eq!(of("p"), of("o"));
}
