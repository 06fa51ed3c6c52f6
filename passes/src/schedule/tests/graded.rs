//! Graded relays and biases from the host in hardware time.

use super::super::ScheduleTime;
use super::{latencies, names, recurrent, set_bias, skip};
use crate::fixtures::{SIZE, dense, neurons, population, quantized, target};
use crate::framework::{Context, Options, Pass};
use snnc_ir::arena::PopId;
use snnc_ir::diag::codes::mapping;
use snnc_ir::network::{Coding, Keep};
use snnc_ir::quantized::{Graded, HostBias, PopKind, QuantizedDraft, Role, Structure};
use snnc_ir::{Diagnostics, Entity, Level, Param, QuantizedNetwork, Rules};

/// Schedules for a target with messages, and verifies the result.
fn schedule(draft: QuantizedDraft, delays: &str) -> Result<QuantizedDraft, Diagnostics> {
    let mut target = target();
    target.message_bits.value = 24;
    target.programmable_neuron = true;
    let call = format!("schedule{{delays={delays}}}");
    let pipeline = crate::Pipeline::parse(&call).expect("a valid pipeline");
    let options = Options::parse(ScheduleTime.info().options, &pipeline.calls[0])?;
    let draft = ScheduleTime.run(draft, &mut Context::new(&target, &options))?;
    QuantizedNetwork::verify(draft, &Rules::for_target(&target)).map(Level::into_draft)
}

/// Makes a population of graded relays.
fn clip(draft: &mut QuantizedDraft, population: usize, bias: i32) {
    let kind = Graded { keep: Some(Keep::Negative), bias: Param::Uniform(bias), shift: 0 };
    draft.populations[PopId::new(population)].kind = PopKind::Graded(kind);
}

fn relays(draft: &QuantizedDraft, name: &str) -> Graded {
    let id = draft.population_named(name).expect("a population");
    draft.populations[id].graded().expect("graded relays").clone()
}

/// x → h → b and x → a → b, with relays `a` that `b` reads late too.
fn branch() -> QuantizedDraft {
    let mut draft = quantized(
        vec![
            ("x", None),
            ("h", Some(neurons(512))),
            ("a", Some(neurons(0))),
            ("b", Some(neurons(512))),
        ],
        &[(0, 1, 0), (1, 3, 0), (0, 2, 0), (2, 3, 0), (2, 3, 1)],
    );
    clip(&mut draft, 2, 0);
    draft
}

#[test]
fn a_relay_takes_a_step_and_messages_are_delayed_by_graded_relays() {
    let draft = schedule(branch(), "relay").expect("schedules");
    assert_eq!(names(&draft), ["x", "h", "a", "b", "a+1"]);
    assert_eq!(latencies(&draft).1.iter().map(|(_, l)| *l).collect::<Vec<_>>(), [0, 1, 1, 2, 2]);
    let repeated = &draft.populations[PopId::new(4)];
    assert_eq!(repeated.role, Role::Relay { of: PopId::new(2), hops: 1 });
    assert_eq!(relays(&draft, "a+1"), relays(&draft, "a"));
    let (_, into) = draft.projections_into(PopId::new(4)).next().expect("one projection");
    let matrix = &draft.matrices[into.matrix];
    assert_eq!((&matrix.structure, matrix.weight(0)), (&Structure::Identity { size: SIZE }, 1));

    let draft = schedule(branch(), "synaptic").expect("schedules");
    assert_eq!(names(&draft), ["x", "h", "a", "b"], "a synapse delays messages too");
}

#[test]
fn delays_beyond_the_register_pass_messages_on() {
    let mut draft = branch();
    draft.projections.values_mut().last().expect("projections").delay = 70;
    let draft = schedule(draft, "synaptic").expect("schedules");
    // 71 steps: 63 in the synapse (register 62), 8 in relays.
    assert_eq!(names(&draft).len(), 4 + 8);
    assert_eq!(relays(&draft, "a+8").keep, Some(Keep::Negative));
}

#[test]
fn a_late_bias_of_relays_is_carried_by_clock_spikes() {
    let mut draft = branch();
    clip(&mut draft, 2, -300);
    let draft = schedule(draft, "synaptic").expect("schedules");
    assert_eq!(relays(&draft, "a").bias, Param::Uniform(0));
    let clock = draft.population_named("clock@0").expect("a clock");
    assert_eq!(draft.populations[clock].size(), 3, "300 units take three weights");
    let (_, carried) =
        draft.projections_into(PopId::new(2)).find(|(_, p)| p.source == clock).expect("spikes");
    let mut sum = 0;
    draft.matrices[carried.matrix].for_row(2, |_, w| sum += w);
    assert_eq!((sum, carried.delay), (-300, 1), "in units of the message");
}

#[test]
fn an_early_bias_of_relays_stays_unless_steps_are_idle() {
    let mut draft = branch();
    for projection in draft.projections.values_mut() {
        projection.delay += 1;
    }
    clip(&mut draft, 2, -300);
    let early = schedule(draft.clone(), "synaptic").expect("schedules");
    assert_eq!(relays(&early, "a").bias, Param::Uniform(-300));
    assert_eq!(names(&early).len(), 4, "no clock");
    // h ⇄ b within one step and back takes two steps.
    for projection in draft.projections.values_mut().take(2) {
        projection.delay = 0;
    }
    draft.projections.push(dense(3, 1, 1));
    let slow = schedule(draft, "synaptic").expect("schedules");
    assert_eq!(latencies(&slow).0, 2);
    assert_eq!(relays(&slow, "a").bias, Param::Uniform(0));
    assert!(names(&slow).contains(&"clock@1"));
}

/// Gives relays a shift.
fn shift(draft: &mut QuantizedDraft, population: usize, by: u8) {
    if let PopKind::Graded(graded) = &mut draft.populations[PopId::new(population)].kind {
        graded.shift = by;
    }
}

#[test]
fn relays_of_path_balancing_do_not_shift_again() {
    let mut draft = branch();
    shift(&mut draft, 2, 3);
    let draft = schedule(draft, "relay").expect("schedules");
    assert_eq!((relays(&draft, "a").shift, relays(&draft, "a+1").shift), (3, 0));
}

#[test]
fn a_silent_bias_needs_no_clock() {
    let biased = |bias| {
        let mut draft = branch();
        clip(&mut draft, 2, bias);
        shift(&mut draft, 2, 3);
        draft
    };
    // Late, and in the idle steps of a period of two.
    for second in [false, true] {
        let with = |bias| {
            let mut draft = biased(bias);
            if second {
                draft.projections.push(dense(3, 1, 1));
            }
            schedule(draft, "synaptic").expect("schedules")
        };
        for bias in [1, 4, 7] {
            let draft = with(bias);
            assert_eq!(relays(&draft, "a").bias, Param::Uniform(bias));
            assert_eq!(latencies(&draft).0, 1 + u32::from(second));
            assert!(draft.populations.values().all(|p| p.role != Role::Clock));
        }
        for bias in [8, -1] {
            let draft = with(bias);
            assert_eq!(relays(&draft, "a").bias, Param::Uniform(0));
            let clocks = draft.populations.values().filter(|p| p.role == Role::Clock);
            assert!(clocks.count() > 0, "{bias}");
        }
    }
}

#[test]
fn a_late_bias_of_shifting_relays_is_carried_in_units_of_weight() {
    let mut draft = branch();
    clip(&mut draft, 2, -300);
    shift(&mut draft, 2, 4);
    let draft = schedule(draft, "synaptic").expect("schedules");
    let clock = draft.population_named("clock@0").expect("a clock");
    let (_, carried) =
        draft.projections_into(PopId::new(2)).find(|(_, p)| p.source == clock).expect("spikes");
    let mut sum = 0;
    draft.matrices[carried.matrix].for_row(2, |_, w| sum += w);
    assert_eq!((sum, relays(&draft, "a").shift), (-300, 4), "not divided by 2^4");
}

/// Adds a directly coded input whose current goes to `target`.
fn sample(draft: &mut QuantizedDraft, target: usize) {
    let mut pixels = population("pixels", None);
    pixels.kind = PopKind::Input(Coding::Direct { range: Some([0, 1]) });
    let input = draft.populations.push(pixels);
    draft.host.push(HostBias {
        input,
        target: PopId::new(target),
        structure: Structure::Dense { rows: SIZE, cols: SIZE },
        weights: vec![0.5; (SIZE * SIZE) as usize],
        scale: 10.0,
    });
}

fn late(draft: QuantizedDraft) -> String {
    let errors = schedule(draft, "synaptic").expect_err("refused");
    let found: Vec<_> = errors.iter().filter(|d| d.code == mapping::LATE_HOST_BIAS).collect();
    assert_eq!(found.len(), 1, "{errors}");
    found[0].to_string()
}

#[test]
fn biases_from_the_host_need_step_0_and_one_step_per_logical_step() {
    let mut draft = quantized(
        vec![("x", None), ("a", Some(neurons(512))), ("b", Some(neurons(512)))],
        &[(0, 1, 1), (1, 2, 0)],
    );
    set_bias(&mut draft, 1, 64);
    sample(&mut draft, 1);
    let scheduled = schedule(draft.clone(), "synaptic").expect("schedules");
    assert_eq!(latencies(&scheduled).1[1].1, 0);
    assert_eq!(scheduled.host, draft.host);

    let mut draft = skip();
    sample(&mut draft, 2);
    let text = late(draft);
    assert!(text.contains("`b` reads the directly coded input `pixels`"), "{text}");
    assert!(text.contains("hardware step 2") && text.contains("let `a` reach `b`"), "{text}");

    let mut draft = recurrent(512);
    draft.projections.values_mut().next().expect("projections").delay = 1;
    sample(&mut draft, 1);
    let text = late(draft);
    assert!(text.contains("takes 2 hardware steps"), "{text}");
    assert!(text.contains("a → b → a") || text.contains("b → a → b"), "{text}");
}
