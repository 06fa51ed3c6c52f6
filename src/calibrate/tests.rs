//! Calibration of small networks on random data: skips, a convolution, frames, clips, a loop.

use super::*;
use crate::pipeline::Stage;
use crate::stimulus::Interface;
use snnc_frontend::arrays::{Array, ArrayData, write_npz};
use snnc_ir::network::Coding;
use snnc_ir::recipe::{PopulationRecipe, Settings};
use snnc_ir::{Level, Param, QuantizedNetwork, Rules};
use snnc_runtime::float::{FloatProbe, FloatSim};
use snnc_runtime::integer::{IntProbe, IntSim};
use std::collections::BTreeMap;
use std::path::Path;

const SAMPLES: usize = 12;
const SMALL: u64 = 400_000;

/// The canonical network of an example, its target, and random data for its inputs, with labels.
fn example(name: &str) -> (Network, TargetSpec, Stimuli) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.genome.json"));
    let source = crate::source::read(&path).unwrap();
    let target = crate::Target::find("loihi2").unwrap().spec;
    let (stages, _) = crate::lower(&source, &target, &crate::Options::default(), Stage::Network)
        .map_err(|f| f.diagnostics)
        .unwrap();
    let network = stages.network.unwrap();
    let interface = Interface::of_network(&network);
    let mut seed = 1_u32;
    let mut next = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from(seed >> 16).unwrap()
    };
    let mut arrays = Vec::new();
    for input in &interface.inputs {
        let size = input.shape.size();
        let cells = SAMPLES * interface.steps as usize * size;
        let (name, shape, data) = if matches!(input.coding, Coding::Direct { .. }) {
            let values = (0..SAMPLES * size).map(|_| f32::from(next() % 256) / 255.0);
            ("x", vec![SAMPLES, size], ArrayData::F32(values.collect()))
        } else {
            let spikes = (0..cells).map(|_| u8::from(next() % 3 == 0)).collect();
            ("spikes", vec![SAMPLES, interface.steps as usize, size], ArrayData::U8(spikes))
        };
        arrays.push((format!("{name}_{}", input.name), Array { shape, data }));
    }
    let classes = u16::try_from(interface.classes.max(1)).unwrap();
    let labels: Vec<u16> = (0..SAMPLES).map(|_| next() % classes).collect();
    arrays.push(("y".to_owned(), Array { shape: vec![SAMPLES], data: ArrayData::U16(labels) }));
    let file = tempfile::Builder::new().suffix(".npz").tempfile().unwrap();
    std::fs::write(file.path(), write_npz(&arrays).unwrap()).unwrap();
    let stimuli = crate::stimulus::read(file.path(), &interface, None).unwrap();
    (network, target, stimuli)
}

fn bits(weight_bits: u8) -> Recipe {
    let settings = Settings { weight_bits, ..Settings::DEFAULT };
    Recipe { settings, ..Recipe::default() }
}

fn run(name: &str, recipe: &Recipe, budget: u64) -> Calibrated {
    let (network, target, stimuli) = example(name);
    let options = CalibrationOptions { budget };
    calibrate(&network, &target, recipe, &stimuli, 0..SAMPLES, &options, &()).unwrap()
}

/// Mean spike distance of the populations, measured without any of the code under test.
fn distance(
    (network, target, stimuli): &(Network, TargetSpec, Stimuli),
    samples: usize,
    recipe: &Recipe,
) -> f64 {
    let applied = quantize::apply(network, target, recipe, &mut Diagnostics::new()).unwrap();
    let integers = QuantizedNetwork::verify(applied.draft, &Rules::default()).unwrap();
    let (float, sim) = (FloatSim::new(network).unwrap(), IntSim::new(&integers).unwrap());
    let mut sums = BTreeMap::<String, [u32; 2]>::new();
    for sample in 0..samples {
        let stimulus = stimuli.stimulus(sample).unwrap();
        let left = float.run(&stimulus, &FloatProbe::None).unwrap();
        let right = sim.run(&stimulus, &IntProbe::None).unwrap();
        for layer in layers::layers(network) {
            let id = integers.population_named(&layer.name).unwrap();
            let (a, b) = (&left.spikes[&layer.node], right.activity(id).spikes);
            let sum = sums.entry(layer.name).or_default();
            for t in 0..a.steps() {
                for n in 0..a.neurons() {
                    sum[0] += u32::from(a.get(t, n) != b.get(t, n));
                    sum[1] += u32::from(a.get(t, n)) + u32::from(b.get(t, n));
                }
            }
        }
    }
    let ratio = |[differing, all]: &[u32; 2]| f64::from(*differing) / f64::from((*all).max(1));
    sums.values().map(ratio).sum::<f64>() / f64::from(u32::try_from(sums.len()).unwrap())
}

#[test]
fn the_log_tells_the_measured_distance_and_it_never_grows() {
    for name in ["skip", "conv", "frame", "clips", "loop", "subtract"] {
        let example = example(name);
        for width in [3, 8] {
            let recipe = bits(width);
            let found = run(name, &recipe, SMALL);
            let of = |r: &Recipe| distance(&example, found.log.samples, r);
            let (before, after) = (of(&recipe), of(&found.recipe));
            let Change { data_free, calibrated } = found.log.distance;
            assert!((before - data_free).abs() < 1e-9, "{name} {width}: {before} {data_free}");
            assert!((after - calibrated).abs() < 1e-9, "{name} {width}: {after} {calibrated}");
            let accuracy = found.log.accuracy.unwrap();
            assert!(
                accuracy.calibrated >= accuracy.data_free.min(accuracy.float),
                "{name} {width}"
            );
            let fewer_lost = accuracy.calibrated > accuracy.data_free;
            assert!(after <= before || fewer_lost, "{name} {width}: {before} -> {after}");
            let recorded = found.recipe.calibration.as_ref().unwrap();
            assert_eq!((recorded.first, recorded.samples as usize), (0, found.log.samples));
        }
    }
}

#[test]
fn few_bits_gain() {
    let found = run("skip", &bits(3), 3_000_000);
    assert!(found.log.improved, "{:?}", found.log);
    assert!(found.log.distance.calibrated < found.log.distance.data_free);
}

#[test]
fn results_do_not_depend_on_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let found = run("conv", &bits(3), SMALL);
            (found.recipe, found.log)
        })
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn what_the_user_decides_stays() {
    let mut recipe = bits(4);
    let (network, ..) = example("skip");
    let first = &layers::layers(&network)[0];
    let threshold = Some(Param::Uniform(97));
    recipe.populations.push(PopulationRecipe {
        name: first.name.clone(),
        threshold: threshold.clone(),
        ..PopulationRecipe::default()
    });
    let found = run("skip", &recipe, SMALL);
    let entry = found.recipe.population(&first.name).unwrap();
    assert_eq!(entry.threshold, threshold);
}

#[test]
fn a_small_budget_keeps_the_data_free_choice() {
    let found = run("skip", &bits(3), 1);
    assert!(!found.log.improved);
    assert!(found.remarks.iter().any(|d| d.code == codes::BUDGET), "{}", found.remarks);
    let (network, target, _) = example("skip");
    let start = quantize::apply(&network, &target, &bits(3), &mut Diagnostics::new()).unwrap();
    assert_eq!(found.recipe.projections, start.recipe.projections);
}

#[test]
fn samples_that_do_not_exist_are_refused() {
    let (network, target, stimuli) = example("skip");
    let options = CalibrationOptions::default();
    for range in [3..3, 0..SAMPLES + 1] {
        let refused =
            calibrate(&network, &target, &bits(8), &stimuli, range, &options, &()).unwrap_err();
        assert!(refused.iter().all(|d| d.code == codes::NO_SAMPLES));
    }
}
