//! One integer network that breaks each rule.

use super::codes;
use crate::arena::{Entity, MatId, PopId, ProjId};
use crate::check::MAX_DELAY;
use crate::conv::Conv;
use crate::diag::Code;
use crate::level::{AnyDraft, Level, Rules};
use crate::network::{Coding, Compare, Keep};
use crate::param::Param;
use crate::quantized::{
    Graded, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    QuantizedNetwork, Role, Schedule, Sign, Structure, Time,
};
use crate::shape::Shape;
use crate::target::TargetSpec;
use crate::testing::{encoded, target};
use crate::text;

/// A network in logical time with every layout of matrices.
const LOGICAL: &str = r#"
snn 1 quantized
name "all"
steps 4
time logical

mat0 "conv" conv [1, 2, 2] to 2 kernel [2, 2] stride [1, 1] pad [1, 0, 0, 1] groups 1 mixed exponent -1
  from dense "conv" { 2 4 6 -8 0 0 0 0 }
mat1 "sparse" sparse [3, 8] row_start { 0 2 2 3 } col { 0 7 3 } excitatory exponent 0
  from dense "sparse" { 1 255 7 }
mat2 "self" identity [3] inhibitory exponent 2 from dense "self" { -3 }
mat3 "dense" dense [3, 4] mixed exponent 0 from dense "dense" { 2 2 2 2 -2 -2 -2 -2 4 4 4 4 }
pop0 "x" [1, 2, 2] = logical input events
pop1 "h" [2, 2, 2] = logical neurons
  du 4095 dv per_channel { 0 1024 } threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
pop2 "y" [3] = logical neurons
  du 2048 dv 0 threshold per_neuron { 64 128 192 } compare gt reset zero bias 64
  refractory 2 order leak_input_fire update_period 1
proj0 pop0 -> pop1 mat0 delay 0
proj1 pop1 -> pop2 mat1 delay 0
proj2 pop2 -> pop2 mat2 delay 1
proj3 pop0 -> pop2 mat3 delay 0
readout spike_count pop2
"#;

/// The same kind of network in hardware time, with a relay and a clock.
const HARDWARE: &str = r#"
snn 1 quantized
name "hardware"
steps 4
time hardware period 2 latency { 0 2 3 1 1 }

mat0 "w" dense [2, 2] mixed exponent 0 from dense "w" { 2 4 6 -8 }
mat1 "relay" identity [2] mixed exponent 0 from derived "schedule" [] { 2 }
mat2 "bias" dense [2, 1] mixed exponent 0 from derived "schedule" [] { 2 4 }
pop0 "x" [2] = logical input events
pop1 "h" [2] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 2
pop2 "y" [2] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
pop3 "x+1" [2] = relay of pop0 hops 1 neurons
  du 4095 dv 4095 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
pop4 "clock" [1] = clock neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 64
  refractory 1 order leak_input_fire update_period 1
proj0 pop0 -> pop1 mat0 delay 2
proj1 pop1 -> pop2 mat0 delay 1
proj2 pop2 -> pop1 mat0 delay 1
proj3 pop0 -> pop3 mat1 delay 1
proj4 pop3 -> pop2 mat0 delay 2
proj5 pop4 -> pop1 mat2 delay 1
readout mean_linear bias { 0 1 }
  term pop2 { 1 2 3 4 }
  term pop0 { 1 2 3 4 }
"#;

/// Graded relays, and a directly coded input.
const GRADED: &str = r#"
snn 1 quantized
name "graded"
steps 4
time logical

mat0 "w" dense [2, 2] mixed exponent 0 from dense "w" { 2 4 6 -8 }
mat1 "one" identity [2] mixed exponent -1 from dense "one" { 2 }
pop0 "x" [2] = logical input events
pop1 "image" [3] = logical input direct range [0, 2]
pop2 "up" [2] = logical graded keep positive bias per_neuron { 0 5 }
pop3 "down" [2] = logical graded keep negative bias 0
pop4 "h" [2] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 64
  refractory 1 order leak_input_fire update_period 1
proj0 pop0 -> pop2 mat0 delay 0
proj1 pop2 -> pop3 mat1 delay 1
proj2 pop4 -> pop3 mat0 delay 1
proj3 pop3 -> pop4 mat1 delay 0
proj4 pop2 -> pop4 mat0 delay 0
host pop1 -> pop2 dense [2, 3] scale 2.5 { 0.5 -1 2 0 1 1 }
host pop1 -> pop4 dense [2, 3] scale 1.0 { 0.5 -1 2 0 1 1 }
readout spike_count pop4
"#;

/// A graded relay and its relay in hardware time; the host writes to the former.
const GRADED_HARDWARE: &str = r#"
snn 1 quantized
name "graded hardware"
steps 4
time hardware period 1 latency { 0 0 0 1 2 }

mat0 "w" dense [2, 2] mixed exponent 0 from dense "w" { 2 4 6 -8 }
mat1 "one" identity [2] mixed exponent -1 from derived "schedule" [] { 2 }
pop0 "x" [2] = logical input events
pop1 "image" [3] = logical input direct range [-1, 1]
pop2 "up" [2] = logical graded keep positive bias 3
pop3 "up+1" [2] = relay of pop2 hops 1 graded keep positive bias 0
pop4 "h" [2] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
proj0 pop0 -> pop2 mat0 delay 1
proj1 pop2 -> pop3 mat1 delay 1
proj2 pop3 -> pop4 mat0 delay 1
host pop1 -> pop2 dense [2, 3] scale 2.5 { 0.5 -1 2 0 1 1 }
readout mean_linear bias { 0 1 }
  term pop4 { 1 2 3 4 }
"#;

fn draft(text: &str) -> QuantizedDraft {
    match text::parse(text) {
        Ok(AnyDraft::Quantized(draft)) => draft,
        other => panic!("{other:?}"),
    }
}

/// Codes of the findings, each once.
fn findings(draft: QuantizedDraft, target: Option<&TargetSpec>) -> Vec<Code> {
    let findings = QuantizedNetwork::verify(draft, &Rules { target }).err().unwrap_or_default();
    let mut codes: Vec<_> = findings.iter().map(|d| d.code).collect();
    codes.sort();
    codes.dedup();
    codes
}

fn pop(index: usize) -> PopId {
    PopId::new(index)
}

fn proj(index: usize) -> ProjId {
    ProjId::new(index)
}

fn mat(index: usize) -> MatId {
    MatId::new(index)
}

fn neuron(draft: &mut QuantizedDraft, index: usize) -> &mut IntNeuron {
    match &mut draft.populations[pop(index)].kind {
        PopKind::Neurons(neuron) => neuron,
        kind => panic!("{kind:?}"),
    }
}

fn schedule(draft: &mut QuantizedDraft) -> &mut Schedule {
    match &mut draft.time {
        Time::Hardware(schedule) => schedule,
        Time::Logical => panic!("logical time"),
    }
}

/// What breaks a rule, and the code expected.
type Case = (Code, &'static str, fn(&mut QuantizedDraft));

/// Every case that is not rejected with its code alone.
fn failing(good: &str, target: Option<&TargetSpec>, cases: &[Case]) -> Vec<String> {
    assert_eq!(findings(draft(good), target), [], "the network before it is spoiled");
    let mut wrong = Vec::new();
    for (code, what, spoil) in cases {
        let mut draft = draft(good);
        spoil(&mut draft);
        let found = findings(draft, target);
        if found != [*code] {
            wrong.push(format!("{what}: expected {code}, found {found:?}"));
        }
    }
    wrong
}

const LOGICAL_CASES: &[Case] = &[
    (codes::NAME, "empty population name", |d| d.populations[pop(1)].name.clear()),
    (codes::NAME, "repeated population name", |d| d.populations[pop(1)].name = "x".into()),
    (codes::NAME, "empty matrix name", |d| d.matrices[mat(1)].name.clear()),
    (codes::REFERENCE, "source", |d| d.projections[proj(0)].source = pop(3)),
    (codes::REFERENCE, "target", |d| d.projections[proj(0)].target = pop(3)),
    (codes::REFERENCE, "matrix", |d| d.projections[proj(0)].matrix = mat(4)),
    (codes::REFERENCE, "readout", |d| d.readout = IntReadout::SpikeCount(pop(3))),
    (codes::STEPS, "no steps", |d| d.steps = 0),
    (codes::SHAPE, "extent of 0", |d| {
        d.populations[pop(0)].shape = Shape::flat(0);
        d.projections.values_mut().for_each(|p| p.source = pop(1));
        d.projections = std::iter::once(d.projections[proj(1)].clone()).collect();
    }),
    (codes::MATRIX, "dense, a mantissa missing", |d| d.matrices[mat(3)].mantissa.truncate(11)),
    (codes::MATRIX, "identity, a mantissa too many", |d| d.matrices[mat(2)].mantissa.push(-3)),
    (codes::MATRIX, "scale of encodings", |d| {
        d.matrices[mat(0)].provenance = encoded(f64::INFINITY);
    }),
    (codes::MATRIX, "kernel too short", |d| d.matrices[mat(0)].mantissa.truncate(4)),
    (codes::MATRIX, "offset missing", |d| {
        sparse(d).0.pop();
    }),
    (codes::MATRIX, "offsets from 1", |d| sparse(d).0[0] = 1),
    (codes::MATRIX, "offsets descend", |d| sparse(d).0[1] = 3),
    (codes::MATRIX, "offset far outside", |d| sparse(d).0[1] = u32::MAX),
    (codes::MATRIX, "columns descend", |d| sparse(d).1.swap(0, 1)),
    (codes::MATRIX, "column repeated", |d| sparse(d).1[1] = 0),
    (codes::MATRIX, "column outside", |d| sparse(d).1[1] = 8),
    (codes::MANTISSA, "odd in a mixed group", |d| d.matrices[mat(3)].mantissa[0] = 3),
    (codes::MANTISSA, "positive inhibition", |d| d.matrices[mat(2)].mantissa[0] = 3),
    (codes::MANTISSA, "256", |d| d.matrices[mat(1)].mantissa[1] = 256),
    (codes::MANTISSA, "wrong sign mode", |d| d.matrices[mat(3)].sign = Sign::Excitatory),
    (codes::EXPONENT, "8", |d| d.matrices[mat(3)].exponent = 8),
    (codes::EXPONENT, "-128", |d| d.matrices[mat(3)].exponent = -128),
    (codes::EXPONENT, "not divisible", |d| d.matrices[mat(3)].exponent = -2),
    (codes::PROJECTION, "another matrix", |d| d.projections[proj(1)].matrix = mat(3)),
    (codes::PARAM_LENGTH, "per channel", |d| neuron(d, 1).dv = Param::PerChannel(vec![0])),
    (codes::PARAM_LENGTH, "per neuron", |d| neuron(d, 2).bias = Param::PerNeuron(vec![0; 4])),
    (codes::PARAM_RANGE, "du", |d| neuron(d, 1).du = Param::Uniform(4096)),
    (codes::PARAM_RANGE, "dv", |d| neuron(d, 1).dv = Param::PerChannel(vec![0, 5000])),
    (codes::PARAM_RANGE, "threshold", |d| neuron(d, 1).threshold = Param::Uniform(-1)),
    (codes::PARAM_RANGE, "threshold 0 with >=", |d| {
        neuron(d, 1).threshold = Param::Uniform(0);
        neuron(d, 1).compare = Compare::Ge;
    }),
    (codes::PARAM_RANGE, "refractory 0", |d| neuron(d, 1).refractory = 0),
    (codes::PARAM_RANGE, "subtracts nothing", |d| {
        neuron(d, 1).reset = IntReset::Subtract(Param::Uniform(0));
    }),
    (codes::PARAM_RANGE, "a floor above 0", |d| neuron(d, 1).floor = Some(Param::Uniform(1))),
    (codes::PARAM_LENGTH, "floors for half the neurons", |d| {
        neuron(d, 1).floor = Some(Param::PerNeuron(vec![0]));
    }),
    (codes::PARAM_RANGE, "update period in logical time", |d| neuron(d, 1).update_period = 2),
    (codes::PARAM_RANGE, "update period 0", |d| neuron(d, 1).update_period = 0),
    (codes::INPUT_TARGET, "input as target", |d| {
        d.projections[proj(3)].target = pop(0);
        d.matrices[mat(3)].structure = Structure::Dense { rows: 4, cols: 4 };
        d.matrices[mat(3)].mantissa = vec![2; 16];
        d.projections[proj(3)].delay = 1;
    }),
    (codes::CODING, "analog input", |d| {
        d.populations[pop(0)].kind = PopKind::Input(Coding::Direct { range: None });
    }),
    (codes::CODING, "more steps than the run", |d| {
        let coding = Coding::Accumulator { pmax: 1, steps_in: 5 };
        d.populations[pop(0)].kind = PopKind::Input(coding);
    }),
    (codes::LOOP, "self-loop", |d| d.projections[proj(2)].delay = 0),
    (codes::DELAY, "too long", |d| d.projections[proj(2)].delay = MAX_DELAY + 1),
    (codes::ROLE, "clock in logical time", |d| d.populations[pop(1)].role = Role::Clock),
    (codes::READOUT_SHAPE, "spikes of an input", |d| d.readout = IntReadout::SpikeCount(pop(0))),
];

fn sparse(draft: &mut QuantizedDraft) -> (&mut Vec<u32>, &mut Vec<u32>) {
    match &mut draft.matrices[mat(1)].structure {
        Structure::Sparse { row_start, col, .. } => (row_start, col),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_rule_of_logical_time_has_its_code() {
    let wrong = failing(LOGICAL, None, LOGICAL_CASES);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const HARDWARE_CASES: &[Case] = &[
    (codes::DELAY, "delay 0", |d| d.projections[proj(0)].delay = 0),
    (codes::SCHEDULE, "period 0", |d| {
        schedule(d).period = 0;
        neuron(d, 1).update_period = 1;
    }),
    (codes::SCHEDULE, "latency missing", |d| {
        schedule(d).latency.pop();
    }),
    (codes::SCHEDULE, "half a logical step", |d| d.projections[proj(2)].delay = 2),
    (codes::SCHEDULE, "before the first step", |d| d.projections[proj(0)].delay = 1),
    (codes::SCHEDULE, "late clock", |d| d.projections[proj(5)].delay = 3),
    (codes::PARAM_RANGE, "update period that is no period", |d| neuron(d, 1).update_period = 3),
    (codes::REFERENCE, "relay of nothing", |d| {
        d.populations[pop(3)].role = Role::Relay { of: pop(5), hops: 1 };
    }),
    (codes::ROLE, "relay of a relay", |d| {
        d.populations[pop(3)].role = Role::Relay { of: pop(3), hops: 1 };
    }),
    (codes::ROLE, "relay of another shape", |d| {
        d.populations[pop(3)].shape = Shape::chw(2, 1, 1);
    }),
    (codes::ROLE, "hops", |d| d.populations[pop(3)].role = Role::Relay { of: pop(0), hops: 2 }),
    (codes::ROLE, "relay with two sources", |d| {
        d.projections.push(d.projections[proj(3)].clone());
    }),
    (codes::ROLE, "relay of another chain", |d| {
        d.projections[proj(3)].source = pop(4);
        d.populations[pop(4)].shape = Shape::flat(2);
        d.matrices[mat(2)].structure = Structure::Dense { rows: 2, cols: 2 };
        d.matrices[mat(2)].mantissa = vec![2; 4];
        schedule(d).latency[4] = 0;
        d.projections[proj(5)].delay = 2;
    }),
    (codes::ROLE, "relay through a dense matrix", |d| {
        d.matrices[mat(1)].structure = Structure::Dense { rows: 2, cols: 2 };
        d.matrices[mat(1)].mantissa = vec![2, 0, 0, 2];
    }),
    (codes::ROLE, "relay below threshold", |d| neuron(d, 3).threshold = Param::Uniform(128)),
    (codes::ROLE, "relay with memory", |d| neuron(d, 3).du = Param::Uniform(4094)),
    (codes::ROLE, "relay with bias", |d| neuron(d, 3).bias = Param::Uniform(64)),
    (codes::ROLE, "refractory relay", |d| neuron(d, 3).refractory = 2),
    (codes::ROLE, "relay as input", |d| {
        d.populations[pop(3)].kind = PopKind::Input(Coding::Events);
        d.projections[proj(3)] = d.projections[proj(0)].clone();
    }),
    (codes::ROLE, "clock as input", |d| {
        d.populations[pop(4)].kind = PopKind::Input(Coding::Events);
    }),
    (codes::ROLE, "clock driven by an input", |d| {
        d.projections[proj(3)].target = pop(4);
        d.populations[pop(4)].shape = Shape::flat(2);
        d.populations[pop(3)].role = Role::Logical;
        d.matrices[mat(2)].structure = Structure::Dense { rows: 2, cols: 2 };
        d.matrices[mat(2)].mantissa = vec![2; 4];
    }),
    (codes::READOUT_SHAPE, "readout of a relay", |d| {
        d.readout = IntReadout::SpikeCount(pop(3));
    }),
    (codes::READOUT_SHAPE, "term too short", |d| {
        d.readout =
            IntReadout::MeanLinear { terms: vec![(pop(2), vec![1.0; 3])], bias: vec![0.0; 2] };
    }),
    (codes::READOUT_SHAPE, "no class", |d| {
        d.readout = IntReadout::MeanLinear { terms: vec![(pop(2), vec![])], bias: vec![] };
    }),
    (codes::READOUT_SHAPE, "NaN weight", |d| {
        let weights = vec![1.0, f32::NAN];
        d.readout = IntReadout::MeanLinear { terms: vec![(pop(2), weights)], bias: vec![0.0] };
    }),
    (codes::READOUT_SHAPE, "infinite bias", |d| {
        let bias = vec![f32::INFINITY];
        d.readout = IntReadout::MeanLinear { terms: vec![(pop(2), vec![1.0; 2])], bias };
    }),
];

#[test]
fn each_rule_of_hardware_time_has_its_code() {
    let wrong = failing(HARDWARE, None, HARDWARE_CASES);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const TARGET_CASES: &[Case] = &[
    (codes::TARGET_COMPARE, "fires at the threshold", |d| neuron(d, 2).compare = Compare::Ge),
    (codes::TARGET_THRESHOLD, "no multiple of 64", |d| {
        neuron(d, 2).threshold = Param::PerNeuron(vec![64, 65]);
    }),
    (codes::TARGET_THRESHOLD, "mantissa 0", |d| neuron(d, 2).threshold = Param::Uniform(0)),
    (codes::TARGET_THRESHOLD, "mantissa 131072", |d| {
        neuron(d, 2).threshold = Param::Uniform(131_072 * 64);
    }),
    (codes::TARGET_BIAS, "too many bits", |d| neuron(d, 2).bias = Param::Uniform(4097)),
    (codes::TARGET_BIAS, "too large", |d| neuron(d, 2).bias = Param::Uniform(-4096 << 7)),
    (codes::TARGET_DELAY, "delay 64", |d| {
        schedule(d).latency[2] = 66;
        d.projections[proj(1)].delay = 64;
        d.projections[proj(2)].delay = 2;
        d.projections[proj(4)].delay = 65;
    }),
    (codes::TARGET_REFRACTORY, "64", |d| neuron(d, 2).refractory = 64),
    (codes::TARGET_EXPONENT, "7", |d| d.matrices[mat(2)].exponent = 7),
    (codes::TARGET_INPUT_SUM, "positive", |d| {
        d.matrices[mat(0)].exponent = 6;
        d.matrices[mat(0)].mantissa = vec![254, 254, 0, 0];
        let copy = d.projections[proj(1)].clone();
        d.projections.push(copy);
    }),
    (codes::TARGET_INPUT_SUM, "negative", |d| {
        d.matrices[mat(0)].exponent = 6;
        d.matrices[mat(0)].mantissa = vec![0, 0, -256, -256];
    }),
];

#[test]
fn each_rule_of_a_target_has_its_code() {
    let mut spec = target(true);
    spec.max_weight_exponent.value = 6;
    let wrong = failing(HARDWARE, Some(&spec), TARGET_CASES);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn graded(draft: &mut QuantizedDraft, index: usize) -> &mut Graded {
    match &mut draft.populations[pop(index)].kind {
        PopKind::Graded(graded) => graded,
        kind => panic!("{kind:?}"),
    }
}

const GRADED_CASES: &[Case] = &[
    (codes::PARAM_LENGTH, "bias per neuron", |d| {
        graded(d, 2).bias = Param::PerNeuron(vec![0; 3]);
    }),
    (codes::CODING, "direct without a range", |d| {
        d.populations[pop(1)].kind = PopKind::Input(Coding::Direct { range: None });
    }),
    (codes::CODING, "range upside down", |d| {
        d.populations[pop(1)].kind = PopKind::Input(Coding::Direct { range: Some([2, 0]) });
    }),
    (codes::CODING, "projection of a direct input", |d| {
        d.projections[proj(0)].source = pop(1);
        d.projections[proj(0)].matrix = mat(2);
        let mut wide = d.matrices[mat(0)].clone();
        wide.structure = Structure::Dense { rows: 2, cols: 3 };
        wide.mantissa = vec![2; 6];
        d.matrices.push(wide);
    }),
    (codes::LOOP, "through graded relays", |d| {
        d.projections[proj(1)].delay = 0;
        d.projections[proj(2)].delay = 0;
    }),
    (codes::GRADED_LOOP, "delayed", |d| {
        let back = d.projections[proj(1)].clone();
        d.projections.push(Projection { source: pop(3), target: pop(2), ..back });
    }),
    (codes::GRADED_LOOP, "of one relay", |d| d.projections[proj(1)].target = pop(2)),
    (codes::REFERENCE, "input of the host", |d| d.host[0].input = pop(5)),
    (codes::REFERENCE, "target of the host", |d| d.host[0].target = pop(5)),
    (codes::HOST_BIAS, "twice", |d| d.host[0].target = pop(4)),
    (codes::HOST_BIAS, "from spikes", |d| {
        d.host[0].input = pop(0);
        d.host[0].structure = Structure::Dense { rows: 2, cols: 2 };
        d.host[0].weights.truncate(4);
    }),
    (codes::HOST_BIAS, "into an input", |d| d.host[0].target = pop(0)),
    (codes::HOST_BIAS, "sparse", |d| {
        d.host[0].structure = Structure::Sparse {
            rows: 2,
            cols: 3,
            row_start: vec![0, 3, 6],
            col: vec![0, 1, 2, 0, 1, 2],
        };
    }),
    (codes::HOST_BIAS, "transposed", |d| {
        d.host[0].structure = Structure::Dense { rows: 3, cols: 2 };
    }),
    (codes::HOST_BIAS, "impossible convolution", |d| {
        d.host[0].structure = Structure::Conv(Conv {
            input: [3, 1, 1],
            out_channels: 2,
            kernel: [1, 1],
            stride: [1, 1],
            pad: [0; 4],
            groups: 1,
            crop: [0, 1, 0, 0],
        });
    }),
    (codes::HOST_BIAS, "too few weights", |d| d.host[0].weights.truncate(5)),
    (codes::HOST_BIAS, "infinite weight", |d| d.host[0].weights[2] = f32::INFINITY),
    (codes::HOST_BIAS, "scale 0", |d| d.host[0].scale = 0.0),
    (codes::HOST_BIAS, "infinite scale", |d| d.host[0].scale = f64::INFINITY),
    (codes::READOUT_SHAPE, "of messages", |d| d.readout = IntReadout::SpikeCount(pop(2))),
    (codes::READOUT_SHAPE, "of a direct input", |d| {
        d.readout = IntReadout::MeanLinear { terms: vec![(pop(1), vec![1.0; 3])], bias: vec![0.0] };
    }),
];

#[test]
fn each_rule_of_graded_relays_has_its_code() {
    let wrong = failing(GRADED, None, GRADED_CASES);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const GRADED_HARDWARE_CASES: &[Case] = &[
    (codes::SCHEDULE, "the host writes at period 2", |d| {
        schedule(d).period = 2;
    }),
    (codes::SCHEDULE, "the host writes to a late population", |d| {
        schedule(d).latency = vec![0, 0, 1, 2, 3];
    }),
    (codes::HOST_BIAS, "into a clock", |d| {
        let clock = d.populations[pop(4)].clone();
        d.populations.push(Population { role: Role::Clock, name: "clock".into(), ..clock });
        schedule(d).latency.push(0);
        d.host[0].target = pop(5);
    }),
    (codes::ROLE, "spiking relay of messages", |d| {
        d.populations[pop(3)].kind = d.populations[pop(4)].kind.clone();
    }),
    (codes::ROLE, "graded relay of spikes", |d| {
        d.populations[pop(2)].kind = d.populations[pop(4)].kind.clone();
    }),
    (codes::ROLE, "relay of the other sign", |d| graded(d, 3).keep = Some(Keep::Negative)),
    (codes::ROLE, "relay of both signs", |d| graded(d, 3).keep = None),
    (codes::ROLE, "relay that adds", |d| graded(d, 3).bias = Param::PerNeuron(vec![0, 1])),
    (codes::ROLE, "relay that shifts", |d| graded(d, 3).shift = 1),
    (codes::ROLE, "relay that doubles", |d| d.matrices[mat(1)].exponent = 0),
    (codes::ROLE, "graded clock", |d| {
        d.populations[pop(3)].role = Role::Clock;
        d.projections =
            [d.projections[proj(0)].clone(), d.projections[proj(2)].clone()].into_iter().collect();
    }),
];

#[test]
fn each_rule_of_graded_hardware_has_its_code() {
    let wrong = failing(GRADED_HARDWARE, None, GRADED_HARDWARE_CASES);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_shift_takes_a_programmable_neuron() {
    let mut spec = target(true);
    let mut shifted = draft(GRADED);
    graded(&mut shifted, 2).shift = 31;
    assert_eq!(findings(shifted.clone(), Some(&spec)), []);
    spec.programmable_neuron = false;
    assert_eq!(findings(draft(GRADED), Some(&spec)), []);
    assert_eq!(findings(shifted.clone(), Some(&spec)), [codes::TARGET_NEURON]);
    graded(&mut shifted, 2).shift = 32;
    assert_eq!(findings(shifted, None), [codes::PARAM_RANGE]);
}

#[test]
fn each_rule_of_messages_has_its_code() {
    let mut spec = target(true);
    let cases: &[Case] = &[
        (codes::TARGET_BIAS, "of a relay", |d| graded(d, 3).bias = Param::Uniform(9000)),
        (codes::TARGET_BIAS, "with the host's part", |d| graded(d, 2).bias = Param::Uniform(4090)),
        (codes::TARGET_BIAS, "of a neuron, with the host's part", |d| {
            neuron(d, 4).bias = Param::Uniform(4091 * 64);
        }),
        (codes::TARGET_BIAS, "off the host's grid", |d| neuron(d, 4).bias = Param::Uniform(4001)),
    ];
    // What the second case sends through the weight -8, and what "down" adds.
    spec.max_input_sum.value = 8 * 4106 + 8;
    let wrong = failing(GRADED, Some(&spec), cases);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Messages of "up" reach 6 + 12 (2.5 · 5 rounded) and 6 + 5 + 10, those of "down" -8.
    spec.max_input_sum.value = 8 * 21 + 8;
    assert_eq!(findings(draft(GRADED), Some(&spec)), []);
    spec.max_input_sum.value -= 1;
    assert_eq!(findings(draft(GRADED), Some(&spec)), [codes::TARGET_INPUT_SUM]);
    spec.max_input_sum.value = 32_767;
    spec.message_bits.value = 6;
    assert_eq!(findings(draft(GRADED), Some(&spec)), []);
    spec.message_bits.value = 5;
    assert_eq!(findings(draft(GRADED), Some(&spec)), [codes::TARGET_MESSAGE_RANGE]);
    spec.message_bits.value = 64;
    assert_eq!(findings(draft(GRADED), Some(&spec)), []);
}

/// One finding names every population that spikes cannot carry.
#[test]
fn a_target_of_spikes_names_all_relays() {
    let spec = target(false);
    let findings = QuantizedNetwork::verify(draft(GRADED), &Rules::for_target(&spec)).unwrap_err();
    assert_eq!(findings.len(), 1, "{findings}");
    let text = findings.to_string();
    assert!(text.contains("SNN0428"), "{text}");
    assert!(text.contains(r#"population "up" (pop2), population "down" (pop3)"#), "{text}");
}

#[test]
fn fixed_neurons_refuse_what_needs_a_program() {
    let spec = target(false);
    assert_eq!(findings(draft(HARDWARE), Some(&spec)), [codes::TARGET_NEURON], "update period");
    let mut subtracts = draft(HARDWARE);
    neuron(&mut subtracts, 1).update_period = 1;
    assert_eq!(findings(subtracts.clone(), Some(&spec)), []);
    neuron(&mut subtracts, 1).reset = IntReset::Subtract(Param::Uniform(64));
    assert_eq!(findings(subtracts, Some(&spec)), [codes::TARGET_NEURON], "reset");
}

/// Floors of a fixed neuron are −(2^k − 1), those of a programmable one what its register holds.
#[test]
fn targets_have_the_floors_that_they_say() {
    let floors = [0, -1, -63, -64, -127, 1 - (1 << 23), -(1 << 23)];
    let held = |spec: &TargetSpec| floors.map(|floor| spec.holds_floor(floor));
    let (fixed, programmable) = (target(false), target(true));
    assert_eq!(held(&fixed), [true, true, true, false, true, true, false]);
    assert_eq!(held(&programmable), [true, true, true, true, true, true, false]);
    let mut none = target(true);
    none.floors.value = 0;
    assert_eq!(held(&none), [false; 7]);
    let mut low = draft(HARDWARE);
    neuron(&mut low, 1).update_period = 1;
    neuron(&mut low, 1).floor = Some(Param::Uniform(-64));
    assert_eq!(findings(low.clone(), Some(&programmable)), []);
    assert_eq!(findings(low.clone(), Some(&fixed)), [codes::TARGET_FLOOR]);
    neuron(&mut low, 1).floor = Some(Param::Uniform(-63));
    assert_eq!(findings(low.clone(), Some(&fixed)), []);
    assert_eq!(findings(low, Some(&none)), [codes::TARGET_FLOOR]);
}

/// The kernel's positive weights exceed the limit together, but no neuron sees them together.
#[test]
fn padding_is_taken_into_account() {
    let mut draft = draft(LOGICAL);
    let conv = &mut draft.matrices[mat(0)];
    conv.exponent = 0;
    conv.mantissa = vec![0, 200, 0, 0, 0, 0, 200, 0];
    let mut spec = target(true);
    spec.max_input_sum.value = 1000;
    assert_eq!(findings(draft.clone(), Some(&spec)), []);
    spec.max_input_sum.value = 150;
    assert_eq!(findings(draft.clone(), Some(&spec)), [codes::TARGET_INPUT_SUM]);
    // A kernel larger than the image: each neuron sees a part of it.
    let mut part = draft;
    part.populations[pop(0)].shape = Shape::chw(1, 1, 1);
    part.populations[pop(1)].shape = Shape::chw(2, 1, 1);
    part.projections = part.projections.values().take(1).cloned().collect();
    if let Structure::Conv(conv) = &mut part.matrices[mat(0)].structure {
        conv.input = [1, 1, 1];
    }
    part.matrices[mat(0)].mantissa = vec![100, 100, 100, 100, 0, 0, 0, 0];
    assert_eq!(findings(part, Some(&spec)), []);
}

#[test]
fn a_limit_names_its_line_and_source() {
    let mut draft = draft(HARDWARE);
    neuron(&mut draft, 2).refractory = 64;
    let spec = target(true);
    let findings = QuantizedNetwork::verify(draft, &Rules::for_target(&spec)).unwrap_err();
    let text = findings.to_string();
    assert!(text.contains("population \"y\" (pop2)"), "{text}");
    assert!(text.contains("target \"test\", test.toml: limit 63 (line 19: tests)"), "{text}");
}

#[test]
fn biases_take_the_smallest_exponent() {
    let spec = target(true);
    assert_eq!(spec.bias_registers(0), Some((0, 0)));
    assert_eq!(spec.bias_registers(4095), Some((4095, 0)));
    assert_eq!(spec.bias_registers(-8190), Some((-4095, 1)));
    assert_eq!(spec.bias_registers(4095 << 7), Some((4095, 7)));
    assert_eq!(spec.bias_registers(4095 << 8), None);
    assert_eq!(spec.bias_registers(8191), None);
    assert_eq!(spec.bias_registers(i32::MIN), None);
}

/// One exponent serves every bias that the host may write: a small one sets it, a large one must fit.
#[test]
fn written_biases_share_an_exponent() {
    let spec = target(true);
    assert!(spec.holds_biases(0, [-4095 * 64, 4095 * 64], true));
    assert!(!spec.holds_biases(0, [-4096 * 64, 0], true));
    assert!(spec.holds_biases(32, [32, 4095 * 32], true));
    assert!(!spec.holds_biases(32, [32, 4097 * 32], true));
    assert!(!spec.holds_biases(1, [1, 4097], true));
    assert!(spec.holds_biases(4095 << 7, [4095 << 7; 2], false));
    assert!(!spec.holds_biases(1 << 40, [1 << 40; 2], false));
    // The exponent 7 is not for populations to which the host adds something.
    assert!(!spec.holds_biases(4095 << 7, [4095 << 7; 2], true));
}

/// The host may add nothing to a neuron, whose register has the exponent of those to which it adds something all the same.
#[test]
fn biases_of_a_hosted_population_leave_room_for_the_host() {
    let found = |bias: i32, weight: &str| {
        let text = format!(
            "snn 1 quantized\nname \"host\"\nsteps 1\ntime logical\n\n\
             pop0 \"x\" [1] = logical input direct range [-1, 2]\n\
             pop1 \"h\" [1] = logical neurons\n  du 4095\n  dv 0\n  threshold 64\n  compare gt\n  reset zero\n  \
             bias {bias}\n  refractory 1\n  order leak_input_fire\n  update_period 1\n\
             host pop0 -> pop1 dense [1, 1] scale 1.0 {{ {weight} }}\n\nreadout spike_count pop1\n"
        );
        let Ok(AnyDraft::Quantized(draft)) = text::parse(&text) else { panic!("{text}") };
        let target = target(true);
        let verified = QuantizedNetwork::verify(draft, &Rules::for_target(&target));
        verified.err().map(|e| e.iter().map(|d| d.code).collect::<Vec<_>>())
    };
    assert_eq!(found(-4095 * 128, "0.0"), Some(vec![codes::TARGET_BIAS]));
    assert_eq!(found(-4095 * 64, "0.0"), None);
    assert_eq!(found(-4094 * 64, "-0.5"), None);
}
