//! Small networks with known differences.

mod graded;
mod meaning;
mod measured;
mod reports;
mod sensitive;

use super::{MeasureOptions, Measured, measure};
use crate::stimulus::{Interface, Stimuli, read};
use snnc_frontend::arrays::{Array, ArrayData, write_npz};
use snnc_ir::level::{AnyDraft, Level, Rules};
use snnc_ir::recipe::{PopulationRecipe, ProjectionRecipe};
use snnc_ir::{Network, Param, QuantizedNetwork, Recipe, text};
use std::ops::Range;

/// Two populations: `h` loses a neuron and gains an early spike, so `o` never fires.
const FLOAT: &str = r#"snn 1 network name "lost" steps 4
tensor0 "w" [3, 2] from dense "w" { 1 0  0 0.004  0.498 0 }
tensor1 "v" [1, 3] from dense "v" { 0 1 0 }
tensor2 "b" [1] from dense "b" { 0.25 }
node0 "x" [2] = input() events
node1 "fc" [3] = linear(node0) weight tensor0
node2 "h" [3] = neuron(node1) integrate threshold per_neuron { 0.5 0.003 0.5 } compare gt
  reset to 0 v_init 0 refractory 0 order leak_input_fire
node3 "out" [1] = linear(node2) weight tensor1 bias tensor2
node4 "o" [1] = neuron(node3) decay 0.5 threshold 1 compare gt
  reset to 0 v_init 0 refractory 0 order leak_input_fire
readout spike_count node4
"#;

/// With scale 128 into `h` (the second weight becomes 1, its threshold 1) and 100 into `o`.
const INTEGERS: &str = r#"snn 1 quantized name "lost" steps 4 time logical
mat0 "w" dense [3, 2] mixed exponent -1 from dense "w" { 254 0  0 2  130 0 }
mat1 "v" dense [1, 3] excitatory exponent 0 from dense "v" { 0 100 0 }
pop0 "x" [2] = logical input events
pop1 "h" [3] = logical neurons du 4095 dv 0 threshold per_neuron { 4096 64 4096 } compare gt
  reset zero bias 0 refractory 1 order leak_input_fire update_period 1
pop2 "o" [1] = logical neurons du 4095 dv 2048 threshold 6400 compare gt
  reset zero bias 1600 refractory 1 order leak_input_fire update_period 1
proj0 pop0 -> pop1 mat0 delay 0
proj1 pop1 -> pop2 mat1 delay 0
readout spike_count pop2
"#;

/// The recipe of [`INTEGERS`].
fn recipe() -> Recipe {
    let population = |name: &str, scale, threshold, bias: i32, dv: u16| PopulationRecipe {
        name: name.to_owned(),
        scale: Some(Param::Uniform(scale)),
        threshold: Some(threshold),
        bias: Some(Param::Uniform(bias)),
        dv: Some(Param::Uniform(dv)),
        shift: None,
    };
    let projection = |source: &str, target: &str, weights: &[i16]| ProjectionRecipe {
        source: source.to_owned(),
        target: target.to_owned(),
        nth: 0,
        weight_bits: Some(8),
        split: Some(false),
        exponent: Some(0),
        weights: Some(weights.to_vec()),
    };
    Recipe {
        populations: vec![
            population("h", 128.0, Param::PerNeuron(vec![64, 1, 64]), 0, 0),
            population("o", 100.0, Param::Uniform(100), 25, 2048),
        ],
        projections: vec![
            projection("x", "h", &[127, 0, 0, 1, 65, 0]),
            projection("h", "o", &[0, 100, 0]),
        ],
        ..Recipe::default()
    }
}

fn network(source: &str) -> Network {
    match text::parse(source) {
        Ok(AnyDraft::Network(draft)) => Network::verify(draft, &Rules::default()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn integers(source: &str) -> QuantizedNetwork {
    match text::parse(source) {
        Ok(AnyDraft::Quantized(draft)) => {
            QuantizedNetwork::verify(draft, &Rules::default()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

/// Arrays as a stimulus file.
fn stimuli(
    interface: &Interface,
    arrays: &[(&str, Vec<usize>, ArrayData)],
    range: Option<Range<usize>>,
) -> Stimuli {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let array = |(name, shape, data): &(&str, Vec<usize>, ArrayData)| {
        ((*name).to_owned(), Array { shape: shape.clone(), data: data.clone() })
    };
    let arrays: Vec<_> = arrays.iter().map(array).collect();
    std::fs::write(&path, write_npz(&arrays).unwrap()).unwrap();
    read(&path, interface, range).unwrap()
}

/// Spikes of the two inputs of [`FLOAT`], 4 steps a sample.
fn spikes(samples: &[[[u8; 2]; 4]], labels: Option<&[u8]>) -> Stimuli {
    part(samples, labels, None)
}

/// Some samples of a file.
fn part(samples: &[[[u8; 2]; 4]], labels: Option<&[u8]>, range: Option<Range<usize>>) -> Stimuli {
    let data = samples.iter().flatten().flatten().copied().collect();
    let mut arrays = vec![("spikes", vec![samples.len(), 4, 2], ArrayData::U8(data))];
    if let Some(labels) = labels {
        arrays.push(("y", vec![labels.len()], ArrayData::U8(labels.to_vec())));
    }
    stimuli(&Interface::of_network(&network(FLOAT)), &arrays, range)
}

/// No spikes, then the second input in every step, then the first one in two.
const SAMPLES: [[[u8; 2]; 4]; 3] = [[[0, 0]; 4], [[0, 1]; 4], [[1, 0], [0, 0], [1, 0], [0, 0]]];

fn measured(options: &MeasureOptions<'_>) -> Measured {
    let samples = spikes(&SAMPLES, Some(&[0, 0, 0]));
    measure(&network(FLOAT), &integers(INTEGERS), &samples, 0..3, options).unwrap()
}
