//! One mapped network that breaks each rule.

use super::codes;
use crate::arena::{Arena, CoreId, Entity, PopId, ProjId};
use crate::diag::codes::quantize;
use crate::diag::{Code, Diagnostics};
use crate::level::{AnyDraft, Level, Rules};
use crate::mapped::usage::{Accounting, CoreUsage, formats, output_axons};
use crate::mapped::{Block, Core, MappedDraft, MappedNetwork, Slice};
use crate::network::Keep;
use crate::param::Param;
use crate::quantized::{Graded, PopKind, Time};
use crate::target::TargetSpec;
use crate::testing::{Space, blocked, target};
use crate::text;
use proptest::prelude::*;

/// Eight neurons on two cores; a delayed self-loop crosses them.
const GOOD: &str = r#"
snn 1 mapped
target "test"
name "two cores"
steps 4
time hardware period 1 latency { 0 1 2 }

mat0 "w" dense [4, 3] mixed exponent 0 from dense "w" { 2 0 2 0 2 2 2 0 0 4 4 4 }
mat1 "c" conv [1, 2, 2] to 1 kernel [3, 3] stride [1, 1] pad [1, 1, 1, 1] groups 1 excitatory exponent -1
  from dense "c" { 2 0 2 0 2 0 0 0 2 }
mat2 "self" identity [4] mixed exponent 0 from dense "self" { -2 }
pop0 "x" [3] = logical input events
pop1 "h" [1, 2, 2] = logical neurons
  du 4095 dv 0 threshold 64 compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
pop2 "y" [4] = logical neurons
  du 4095 dv 0 threshold per_neuron { 64 64 128 192 } compare gt reset zero bias 0
  refractory 1 order leak_input_fire update_period 1
proj0 pop0 -> pop1 mat0 delay 1
proj1 pop1 -> pop2 mat1 delay 1
proj2 pop1 -> pop1 mat2 delay 5
readout spike_count pop2

orders { 1 1 1 }
core0 chip 0 cell 0 {
  slice pop1[0..3]
  slice pop2[3..4]
  axons pop0[0..3]
  axons pop1[0..2]
  axons pop1[2..4]
  block proj0 axons 0 slice 0
  block proj2 axons 1 slice 0
  block proj2 axons 2 slice 0
  block proj1 axons 1 slice 1
  block proj1 axons 2 slice 1
}
core1 chip 1 cell 0 {
  slice pop2[0..3]
  slice pop1[3..4]
  axons pop0[0..3]
  axons pop1[0..4]
  block proj1 axons 1 slice 0
  block proj0 axons 0 slice 1
  block proj2 axons 1 slice 1
}
"#;

fn good() -> MappedDraft {
    match text::parse(GOOD) {
        Ok(AnyDraft::Mapped(draft)) => draft,
        other => panic!("{other:?}"),
    }
}

fn check(draft: MappedDraft, target: Option<&TargetSpec>) -> Diagnostics {
    MappedNetwork::verify(draft, &Rules { target }).err().unwrap_or_default()
}

/// Codes of the findings, each once.
fn findings(draft: MappedDraft, target: Option<&TargetSpec>) -> Vec<Code> {
    let mut codes: Vec<_> = check(draft, target).iter().map(|d| d.code).collect();
    codes.sort();
    codes.dedup();
    codes
}

fn core(draft: &mut MappedDraft, index: usize) -> &mut Core {
    &mut draft.cores[CoreId::new(index)]
}

fn slice(population: usize, start: u32, len: u32) -> Slice {
    Slice { population: PopId::new(population), start, len }
}

#[test]
fn the_good_network_is_accepted() {
    assert_eq!(findings(good(), None), []);
    assert_eq!(findings(good(), Some(&target(false))), []);
}

/// What breaks a rule, and the code expected.
type Case = (Code, &'static str, fn(&mut MappedDraft));

const CASES: &[Case] = &[
    (quantize::STEPS, "rule of the network", |d| d.network.steps = 0),
    (codes::LOGICAL_TIME, "logical time", |d| d.network.time = Time::Logical),
    (codes::SLICE, "no such population", |d| core(d, 0).slices[0].population = PopId::new(3)),
    (codes::SLICE, "slice beyond the end", |d| core(d, 0).slices[0].len = 5),
    (codes::SLICE, "slice that overflows", |d| core(d, 0).slices[0] = slice(1, u32::MAX, u32::MAX)),
    (codes::SLICE, "empty axon run", |d| core(d, 0).axons[0].len = 0),
    (codes::PLACEMENT, "neuron twice", |d| {
        core(d, 1).slices.push(slice(2, 3, 1));
        core(d, 1).blocks.push(Block { projection: ProjId::new(1), axons: 1, slice: 2 });
    }),
    (codes::PLACEMENT, "neuron nowhere", |d| {
        core(d, 0).slices.pop();
        core(d, 0).blocks.truncate(3);
    }),
    (codes::PLACEMENT, "gap between slices", |d| core(d, 1).slices[0] = slice(2, 0, 2)),
    (codes::PLACEMENT, "population nowhere", |d| d.cores = Arena::new()),
    (codes::PLACEMENT, "input on a core", |d| core(d, 1).slices.push(slice(0, 0, 1))),
    (codes::AXON_TWICE, "overlapping runs", |d| core(d, 0).axons[1].len = 3),
    (codes::BLOCK_PARTS, "no such projection", |d| {
        core(d, 0).blocks[0].projection = ProjId::new(3);
    }),
    (codes::BLOCK_PARTS, "no such run", |d| core(d, 0).blocks[0].axons = 3),
    (codes::BLOCK_PARTS, "no such slice", |d| core(d, 0).blocks[0].slice = 2),
    (codes::BLOCK_PARTS, "run of another source", |d| core(d, 0).blocks[0].axons = 1),
    (codes::BLOCK_PARTS, "slice of another target", |d| core(d, 0).blocks[0].slice = 1),
    (codes::BLOCK_TWICE, "block twice", |d| {
        let block: Block = core(d, 0).blocks[0];
        core(d, 0).blocks.push(block);
    }),
    (codes::COVERAGE, "no block", |d| {
        core(d, 1).blocks.pop();
    }),
    (codes::COVERAGE, "run too short", |d| core(d, 1).axons[0].len = 2),
];

#[test]
fn each_rule_has_its_code() {
    let mut wrong = Vec::new();
    for (code, what, spoil) in CASES {
        let mut draft = good();
        spoil(&mut draft);
        let found = findings(draft, None);
        if found != [*code] {
            wrong.push(format!("{what}: expected {code}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn zero_weights_need_no_block() {
    // Source 3 of the image has no synapse to neuron 3's slice but through the kernel's center.
    let mut draft = good();
    draft.network.matrices[crate::arena::MatId::new(1)].mantissa = vec![2, 0, 0, 0, 0, 0, 0, 0, 0];
    core(&mut draft, 0).blocks.pop();
    assert_eq!(findings(draft, None), []);
}

#[test]
fn another_target_is_named() {
    let mut spec = target(true);
    spec.name = "other".to_owned();
    assert_eq!(findings(good(), Some(&spec)), [codes::TARGET_NAME]);
}

/// What core 0 uses.
fn usage_of(draft: &MappedDraft) -> CoreUsage {
    Accounting::new(&draft.network, &draft.orders)
        .core_usage(&draft.cores[CoreId::new(0)], &target(true))
}

#[test]
fn usage_is_counted() {
    let draft = good();
    let usage = usage_of(&draft);
    assert_eq!((usage.compartments, usage.input_axons), (4, 7));
    // Dense: 3 axons x 3 neurons; identity: neurons 0..3; kernel: neuron 3 reads sources 0, 1 and 3
    // through weights at rows and columns (0, 0), (0, 1), (1, 1): the middle one is zero.
    assert_eq!(usage.synapses, 9 + 3 + 2);
    // 8 + 10 header bits for each of them fit one word, but axons without synapses take none.
    assert_eq!(usage.synapse_words, 3 + 3 + 2);
    assert_eq!((usage.profiles, usage.thresholds), (1, 2));
    // (0, mixed, no delay), (-1, excitatory, no delay), (0, mixed, 3 bits for the register 4).
    assert_eq!(usage.formats, 3);
    let cores: Vec<Core> = draft.cores.values().cloned().collect();
    // h[0..3] reach both cores, y none; h[3] reaches both.
    let accounting = Accounting::new(&draft.network, &draft.orders);
    assert_eq!(output_axons(&accounting, &cores, &target(true)), [[6, 0], [0, 2]]);
}

/// With headers of 50 bits, an axon's list of three weights takes one word at 3 bits each and two at 8.
#[test]
fn narrow_weights_take_less_memory() {
    let mut draft = good();
    let mut spec = target(true);
    spec.synapse_header_bits.value = 50;
    let words = |draft: &MappedDraft| {
        let core = &draft.cores[CoreId::new(0)];
        Accounting::new(&draft.network, &draft.orders).core_usage(core, &spec).synapse_words
    };
    let wide = words(&draft);
    let dense = &mut draft.network.matrices[crate::arena::MatId::new(0)];
    dense.mantissa.iter_mut().for_each(|m| *m = 64);
    assert_eq!(
        formats(&draft.network).iter().map(|f| f.weight_bits).collect::<Vec<_>>(),
        [3, 8, 8]
    );
    assert_eq!(wide - words(&draft), 3);
}

/// Each synapse takes weight, delay and index bits; blocks of 64 take a header each.
#[test]
fn synapse_memory_is_packed() {
    let spec = target(true);
    assert_eq!(spec.axon_words(0, 8), 0);
    assert_eq!(spec.axon_words(6, 9), 1);
    assert_eq!(spec.axon_words(7, 9), 2);
    assert_eq!(spec.axon_words(65, 8), 9 + 1);
}

#[test]
fn limits_name_resource_core_population_and_source() {
    type Shrink = fn(&mut TargetSpec);
    let limits: &[(Code, &str, Shrink)] = &[
        (codes::LIMIT_COMPARTMENTS, "4 compartments are needed, 3 are", |t| {
            t.compartments.value = 3;
        }),
        (codes::LIMIT_INPUT_AXONS, "7 input axons are needed, 6 are", |t| t.input_axons.value = 6),
        (codes::LIMIT_OUTPUT_AXONS, "6 output axons are needed, 5 are", |t| {
            t.output_axons.value = 5;
        }),
        (codes::LIMIT_SYNAPSE_WORDS, "8 words of synapse memory are needed, 7 are", |t| {
            t.synapse_words.value = 7;
        }),
        (codes::LIMIT_PROFILES, "1 compartment profiles are needed, 0 are", |t| {
            t.profiles.value = 0;
        }),
        (codes::LIMIT_THRESHOLDS, "2 thresholds are needed, 1 are", |t| t.thresholds.value = 1),
        (codes::LIMIT_FORMATS, "3 synapse formats are needed, 2 are", |t| t.formats.value = 2),
        (codes::LIMIT_CORES_PER_CHIP, "1 cores are needed, 0 are", |t| t.cores_per_chip.value = 0),
        (codes::CHIP, "chip 1 is needed, 1 chips are", |t| t.chips.value = 1),
    ];
    for (code, message, shrink) in limits {
        let mut spec = target(true);
        shrink(&mut spec);
        let findings = check(good(), Some(&spec));
        assert!(findings.iter().all(|d| d.code == *code), "{findings}");
        let text = findings.to_string();
        assert!(text.contains(message), "{text}");
        assert!(text.contains("target \"test\", test.toml: limit "), "{text}");
        if *code != codes::LIMIT_CORES_PER_CHIP {
            assert!(text.contains("populations on the core: \""), "{text}");
            assert!(text.contains(" on chip "), "{text}");
        }
    }
}

/// Graded relays have no state: a profile for each sign that they keep, and no threshold.
#[test]
fn graded_relays_take_profiles_only() {
    let mut draft = good();
    let relay = |keep| PopKind::Graded(Graded { keep, bias: Param::Uniform(0), shift: 0 });
    let usage = |d: &MappedDraft| {
        let usage = usage_of(d);
        (usage.compartments, usage.profiles, usage.thresholds)
    };
    draft.network.populations[PopId::new(1)].kind = relay(None);
    assert_eq!(usage(&draft), (4, 2, 1));
    draft.network.populations[PopId::new(2)].kind = relay(None);
    assert_eq!(usage(&draft), (4, 1, 0));
    draft.network.populations[PopId::new(2)].kind = relay(Some(Keep::Negative));
    assert_eq!(usage(&draft), (4, 2, 0));
}

#[test]
fn parameters_per_neuron_count_as_profiles() {
    let mut draft = good();
    if let PopKind::Neurons(neuron) = &mut draft.network.populations[PopId::new(1)].kind {
        neuron.dv = Param::PerNeuron(vec![0, 1, 1, 7]);
    }
    let usage = usage_of(&draft);
    assert_eq!(usage.profiles, 2, "h[0..3] has two, and y shares one of them");
}

/// Loihi 1 has one floor for all compartments of a core: two, or one and none, are two cores.
#[test]
fn a_core_has_so_many_floors() {
    let mut draft = good();
    let mut spec = target(true);
    spec.floors.value = 1;
    assert_eq!((usage_of(&draft).floors, findings(draft.clone(), Some(&spec))), (0, vec![]));
    let set = |draft: &mut MappedDraft, population: usize, floor| {
        let kind = &mut draft.network.populations[PopId::new(population)].kind;
        let PopKind::Neurons(neuron) = kind else { panic!("{kind:?}") };
        neuron.floor = Some(floor);
    };
    set(&mut draft, 1, Param::Uniform(-63));
    assert_eq!(usage_of(&draft).floors, 2);
    assert_eq!(findings(draft.clone(), Some(&spec)), [codes::LIMIT_FLOORS]);
    set(&mut draft, 2, Param::Uniform(-63));
    assert_eq!((usage_of(&draft).floors, findings(draft.clone(), Some(&spec))), (1, vec![]));
    set(&mut draft, 1, Param::PerNeuron(vec![-63, -63, -1, -63]));
    assert_eq!((usage_of(&draft).floors, usage_of(&draft).profiles), (2, 2));
}

proptest! {
    /// Whatever the orders are: a block that is missing or doubled and a run or slice that is moved is found.
    #[test]
    fn damaged_cores_are_found(
        (draft, at, kind) in (blocked(Space::Everything), 0_usize..100, 0..4),
    ) {
        prop_assert_eq!(findings(draft.clone(), Some(&target(true))), []);
        let busy = draft.cores.iter().filter(|(_, core)| !core.blocks.is_empty());
        let busy: Vec<CoreId> = busy.map(|(id, _)| id).collect();
        prop_assume!(!busy.is_empty());
        let mut damaged = draft;
        let core = &mut damaged.cores[busy[at % busy.len()]];
        let at = at % core.blocks.len();
        let block = core.blocks[at];
        let expected = match kind {
            0 => {
                core.blocks.remove(at);
                codes::COVERAGE
            }
            1 => {
                core.blocks.push(block);
                codes::BLOCK_TWICE
            }
            2 => {
                // Every source of a run has a synapse into the core.
                let run = &mut core.axons[block.axons as usize];
                (run.start, run.len) = (run.start + 1, run.len - 1);
                if run.len > 0 { codes::COVERAGE } else { codes::SLICE }
            }
            _ => {
                let slice = &mut core.slices[block.slice as usize];
                (slice.start, slice.len) = (slice.start + 1, slice.len - 1);
                if slice.len > 0 { codes::PLACEMENT } else { codes::SLICE }
            }
        };
        let found = findings(damaged, None);
        prop_assert!(found.contains(&expected), "{found:?}");
    }
}
