//! Relays of messages, and frames.

use super::*;
use crate::pipeline::{self, Delays, Stage};
use crate::report::{PartKind, Report};
use snnc_passes::{AnyLevel, Pipeline, Registry};

/// A frame feeds a clip, whose values feed neurons.
pub(super) const CLIPPED: &str = r#"snn 1 network name "clipped" steps 6
tensor0 "w" [3, 2] from dense "w" { 1 -1  0.5 0.25  -0.75 0.125 }
tensor1 "v" [2, 3] from dense "v" { 0.25 -0.5 0.7  0.33 0.21 -0.4 }
node0 "image" [2] = input() direct range [0, 1]
node1 "fc" [3] = linear(node0) weight tensor0
node2 "up" [3] = clip(node1) keep positive
node3 "out" [2] = linear(node2) weight tensor1
node4 "o" [2] = neuron(node3) decay 0.125 threshold 0.6 compare gt
  reset to 0 v_init 0 refractory 0 order leak_input_fire
readout spike_count node4
"#;

#[test]
fn messages_are_counted_and_frames_are_fed() {
    let float = network(CLIPPED);
    let registry = Registry::standard();
    let target = crate::Target::find("loihi2").unwrap().spec;
    let all = Pipeline::parse(&pipeline::standard(Stage::Network, Delays::Synaptic)).unwrap();
    let passes = pipeline::until(&registry, all, Stage::Network, Stage::Quantized);
    let level = AnyLevel::Network(float.clone());
    let stages = pipeline::run(&registry, &passes, level, &target, &Recipe::default()).unwrap();
    let (canonical, quantized) = (stages.network.unwrap(), stages.quantized.unwrap());
    let frames = [[0.0, 0.0], [1.0, 0.0], [0.9, 0.5], [0.0, 1.0]].concat();
    let samples =
        stimuli(&Interface::of_network(&float), &[("x", vec![4, 2], ArrayData::F32(frames))], None);
    let recipe = Recipe::default();
    let options = MeasureOptions {
        recipe: Some(&recipe),
        sensitivity_samples: 2,
        ..MeasureOptions::default()
    };
    let measured = measure(&canonical, &quantized, &samples, 0..4, &options).unwrap();
    let names: Vec<_> = measured.populations.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["up", "o"]);
    let up = &measured.populations[0];
    assert!(up.neurons.is_none());
    // Frame 1 lets two values pass, frames 2 two, frame 3 two, in each of six steps.
    let messages = up.messages.unwrap();
    assert_eq!((messages.sent, messages.low), (6 * 6, 0));
    assert!(messages.high > 100);
    let o = measured.populations[1].neurons.as_ref().unwrap();
    assert!(o.spikes.float > 0 && o.spikes.distance < 0.1, "{:?}", o.spikes);
    // The default recipe knows nothing; what reads the frame is no projection.
    let sensitivity = measured.sensitivity.as_ref().unwrap();
    assert!(sensitivity.parts.is_empty());
    let kinds: Vec<_> = sensitivity.not_measured.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [PartKind::Weights, PartKind::Thresholds, PartKind::Decays]);
    let account = snnc_passes::quantize::account::Account::default();
    let report = Report::new("clipped", "loihi2", &account, &recipe, Some(measured));
    assert!(report.render().contains("`up` sends 36 messages from 0 to"));
}
