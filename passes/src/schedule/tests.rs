//! What the schedule adds to small networks, and what it refuses.

mod graded;

use super::ScheduleTime;
use crate::fixtures::{dense, neurons, population, quantized, target};
use crate::framework::{Context, Options, Pass};
use snnc_ir::arena::PopId;
use snnc_ir::diag::codes::mapping;
use snnc_ir::quantized::{QuantizedDraft, Role, Time};
use snnc_ir::{AnyDraft, Diagnostics, Entity, Level, Param, QuantizedNetwork, Rules, Shape, text};

/// Schedules for a target with or without programmable neurons, and verifies the result.
fn schedule(
    draft: QuantizedDraft,
    delays: &str,
    programmable: bool,
) -> Result<QuantizedDraft, Diagnostics> {
    let mut target = target();
    target.programmable_neuron = programmable;
    let call = format!("schedule{{delays={delays}}}");
    let pipeline = crate::Pipeline::parse(&call).expect("a valid pipeline");
    let options = Options::parse(ScheduleTime.info().options, &pipeline.calls[0])?;
    let draft = ScheduleTime.run(draft, &mut Context::new(&target, &options))?;
    QuantizedNetwork::verify(draft, &Rules::for_target(&target)).map(Level::into_draft)
}

fn latencies(draft: &QuantizedDraft) -> (u32, Vec<(String, u32)>) {
    let Time::Hardware(schedule) = &draft.time else { panic!("hardware time expected") };
    let named = draft
        .populations
        .iter()
        .map(|(id, p)| (p.name.clone(), schedule.latency[id.index()]))
        .collect();
    (schedule.period, named)
}

fn names(draft: &QuantizedDraft) -> Vec<&str> {
    draft.populations.values().map(|p| p.name.as_str()).collect()
}

/// in → a → b, and in → b.
fn skip() -> QuantizedDraft {
    quantized(
        vec![("in", None), ("a", Some(neurons(512))), ("b", Some(neurons(512)))],
        &[(0, 1, 0), (1, 2, 0), (0, 2, 0)],
    )
}

#[test]
fn slack_becomes_synaptic_delay() {
    let draft = schedule(skip(), "synaptic", false).expect("schedules");
    assert_eq!(names(&draft), ["in", "a", "b"]);
    let delays: Vec<u32> = draft.projections.values().map(|p| p.delay).collect();
    assert_eq!(delays, [1, 1, 2]);
}

#[test]
fn slack_becomes_relays_where_asked() {
    let draft = schedule(skip(), "relay", false).expect("schedules");
    assert_eq!(names(&draft), ["in", "a", "b", "in+1"]);
    assert!(draft.projections.values().all(|p| p.delay == 1));
    let relay = &draft.populations[PopId::new(3)];
    assert_eq!(relay.role, Role::Relay { of: PopId::new(0), hops: 1 });
    assert_eq!(latencies(&draft).1[3].1, 1);
}

#[test]
fn delays_beyond_the_register_use_relays_for_the_rest() {
    let mut draft = skip();
    draft.projections.values_mut().last().expect("there are projections").delay = 70;
    let draft = schedule(draft, "synaptic", false).expect("schedules");
    // 72 steps: 63 in the synapse (register 62), 9 in relays.
    assert_eq!(names(&draft).len(), 3 + 9);
    assert_eq!(draft.projections.values().map(|p| p.delay).max(), Some(63));
}

#[test]
fn networks_whose_edges_all_carry_a_delay_need_nothing() {
    let mut draft = skip();
    for projection in draft.projections.values_mut() {
        projection.delay += 1;
    }
    set_bias(&mut draft, 1, 640);
    let before = draft.clone();
    let after = schedule(draft, "synaptic", false).expect("schedules");
    assert_eq!(after.populations, before.populations);
    assert_eq!(after.projections, before.projections);
    assert_eq!(latencies(&after).0, 1);
}

fn set_bias(draft: &mut QuantizedDraft, population: usize, bias: i32) {
    let population = &mut draft.populations[PopId::new(population)];
    let snnc_ir::quantized::PopKind::Neurons(neuron) = &mut population.kind else {
        panic!("an input has no bias")
    };
    neuron.bias = Param::Uniform(bias);
}

#[test]
fn late_biases_are_carried_by_clock_spikes() {
    let mut draft = skip();
    set_bias(&mut draft, 1, 64 * 300);
    set_bias(&mut draft, 2, -64 * 5);
    let draft = schedule(draft, "relay", false).expect("schedules");
    assert_eq!(names(&draft), ["in", "a", "b", "in+1", "clock@0", "clock@1"]);
    let clock = &draft.populations[PopId::new(4)];
    assert_eq!((clock.role, clock.size()), (Role::Clock, 3), "300 units take three weights");
    for id in [1, 2] {
        let neuron = draft.populations[PopId::new(id)].neuron().expect("neurons");
        assert_eq!(neuron.bias, Param::Uniform(0));
    }
    let into_a = draft
        .projections_into(PopId::new(1))
        .find(|(_, p)| p.source == PopId::new(4))
        .expect("a clock projection");
    let mut carried = 0;
    draft.matrices[into_a.1.matrix].for_row(0, |_, w| carried += w);
    assert_eq!(carried, 300);
}

#[test]
fn large_biases_take_an_exponent_instead_of_dozens_of_lanes() {
    let mut draft = skip();
    set_bias(&mut draft, 1, 64 * 8191);
    set_bias(&mut draft, 2, -64 * 3);
    let draft = schedule(draft, "synaptic", false).expect("schedules");
    let clock = draft.population_named("clock@0").expect("a clock");
    assert_eq!(draft.populations[clock].size(), 1);
    let carried = |target| {
        let from_clock =
            draft.projections_into(PopId::new(target)).filter(|(_, p)| p.source == clock);
        let weights = from_clock.map(|(_, p)| draft.matrices[p.matrix].weight(0));
        weights.collect::<Vec<_>>()
    };
    assert_eq!(carried(1), [63, 8128], "two projections of one delay");
    assert_eq!(carried(2), [-3]);
}

/// in → a ⇄ b.
fn recurrent(dv: u16) -> QuantizedDraft {
    quantized(
        vec![("in", None), ("a", Some(neurons(dv))), ("b", Some(neurons(dv)))],
        &[(0, 1, 0), (1, 2, 0), (2, 1, 1)],
    )
}

#[test]
fn a_loop_of_two_hops_takes_two_steps_and_clocks_its_biases() {
    let mut draft = recurrent(0);
    set_bias(&mut draft, 1, 64);
    let draft = schedule(draft, "relay", false).expect("schedules");
    let (period, latencies) = latencies(&draft);
    assert_eq!(period, 2);
    // One period of shift: the clock first fires at step 1.
    let expected = [("in", 2), ("a", 3), ("b", 4), ("clock@1", 1), ("clock@2", 2)];
    assert_eq!(latencies, expected.map(|(n, l)| (n.to_owned(), l)));
}

/// in → a, images of two channels whose biases differ by channel.
const CHANNELS: &str = r#"snn 1 quantized name "channels" steps 2 time logical
    mat0 "k" conv [2, 1, 2] to 2 kernel [1, 1] stride [1, 1] pad [0, 0, 0, 0] groups 1 mixed exponent 0
      from dense "k" { 2 4 6 8 }
    pop0 "in" [2, 1, 2] = logical input events
    pop1 "a" [2, 1, 2] = logical neurons du 4095 dv 0 threshold 64000 compare gt reset zero
      bias per_channel { 192 -12800 } refractory 1 order leak_input_fire update_period 1
    proj0 pop0 -> pop1 mat0 delay 0
    readout spike_count pop1"#;

#[test]
fn biases_by_channel_take_one_kernel_where_cores_store_kernels_once() {
    let Ok(AnyDraft::Quantized(draft)) = text::parse(CHANNELS) else { panic!("it is a network") };
    let carried = |shared: i64| {
        let mut target = target();
        target.shared_kernels.value = shared;
        let options = Options::defaults(ScheduleTime.info().options);
        let draft = ScheduleTime.run(draft.clone(), &mut Context::new(&target, &options));
        let rules = Rules::for_target(&target);
        let draft = QuantizedNetwork::verify(draft.expect("schedules"), &rules).expect("is sound");
        let clock = draft.populations.values().last().expect("a clock");
        assert_eq!(clock.role, Role::Clock);
        let projection = draft.projections.values().last().expect("a projection");
        let matrix = &draft.matrices[projection.matrix];
        let sum = |row| {
            let mut sum = 0;
            matrix.for_row(row, |_, weight| sum += weight);
            sum
        };
        let sums: Vec<i32> = (0..4).map(sum).collect();
        (clock.name.clone(), clock.shape.clone(), matrix.mantissa.len(), projection.delay, sums)
    };
    let biases = vec![3, 3, -200, -200];
    let [one, plane] = [Shape::flat(2), Shape::chw(2, 1, 2)];
    assert_eq!(carried(0), ("clock@0".to_owned(), one, 8, 1, biases.clone()));
    assert_eq!(carried(1), ("clock@0.1x2".to_owned(), plane, 4, 1, biases));
}

/// Without an exponent of −1 no synapse group stores odd weights of both signs.
#[test]
fn biases_of_both_signs_come_apart_where_no_weight_is_halved() {
    let Ok(AnyDraft::Quantized(draft)) = text::parse(CHANNELS) else { panic!("it is a network") };
    for shared in [0, 1] {
        let mut target = target();
        target.shared_kernels.value = shared;
        target.min_weight_exponent.value = 0;
        let options = Options::defaults(ScheduleTime.info().options);
        let draft = ScheduleTime.run(draft.clone(), &mut Context::new(&target, &options));
        let rules = Rules::for_target(&target);
        let draft = QuantizedNetwork::verify(draft.expect("schedules"), &rules).expect("is sound");
        let carried = |row| {
            let clocks = draft.projections.values().skip(1);
            let mut each = Vec::new();
            for projection in clocks {
                let mut sum = 0;
                draft.matrices[projection.matrix].for_row(row, |_, weight| sum += weight);
                each.push(sum);
            }
            each
        };
        let carried: Vec<Vec<i32>> = (0..4).map(carried).collect();
        assert_eq!(carried, [[3, 0], [3, 0], [0, -200], [0, -200]]);
    }
}

#[test]
fn a_leaky_loop_is_refused_by_name_or_updates_every_second_step() {
    let errors = schedule(recurrent(512), "synaptic", false).expect_err("refused");
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.iter().filter(|d| d.code == mapping::UNBALANCED_LEAK).count(), 2);
    assert!(texts[0].contains("`a`") && texts[0].contains("a → b → a"), "{}", texts[0]);
    let draft = schedule(recurrent(512), "synaptic", true).expect("programmable neurons can");
    let a = draft.populations[PopId::new(1)].neuron().expect("neurons");
    assert_eq!(a.update_period, 2);
}

#[test]
fn refractory_times_stretch_with_the_period() {
    let mut draft = recurrent(0);
    for population in draft.populations.values_mut() {
        if let snnc_ir::quantized::PopKind::Neurons(neuron) = &mut population.kind {
            neuron.refractory = 4;
        }
    }
    let scheduled = schedule(draft.clone(), "synaptic", false).expect("schedules");
    assert_eq!(scheduled.populations[PopId::new(1)].neuron().map(|n| n.refractory), Some(7));
    for population in draft.populations.values_mut() {
        if let snnc_ir::quantized::PopKind::Neurons(neuron) = &mut population.kind {
            neuron.refractory = 33;
        }
    }
    let errors = schedule(draft, "synaptic", false).expect_err("65 updates do not fit");
    assert!(errors.iter().any(|d| d.code == mapping::LONG_REFRACTORY));
}

#[test]
fn a_scheduled_network_is_not_scheduled_again() {
    let draft = schedule(skip(), "synaptic", false).expect("schedules");
    let errors = schedule(draft, "synaptic", false).expect_err("refused");
    assert!(errors.iter().any(|d| d.code == mapping::ALREADY_SCHEDULED));
}

#[test]
fn names_of_added_populations_avoid_those_of_the_network() {
    let mut draft = skip();
    draft.populations.push(population("in+1", Some(neurons(0))));
    draft.projections.push(dense(0, 3, 1));
    let draft = schedule(draft, "relay", false).expect("schedules");
    assert!(names(&draft).contains(&"in+1'"));
}

#[test]
fn a_bias_finer_than_a_weight_cannot_start_late() {
    let mut draft = skip();
    set_bias(&mut draft, 1, 65);
    let errors = schedule(draft, "relay", false).expect_err("refused");
    assert!(errors.iter().any(|d| d.code == mapping::FINE_BIAS));
}

#[test]
fn a_late_bias_does_not_pass_through_a_current_with_memory() {
    let mut draft = skip();
    set_bias(&mut draft, 1, 640);
    if let snnc_ir::quantized::PopKind::Neurons(a) = &mut draft.populations[PopId::new(1)].kind {
        a.du = Param::Uniform(1024);
    }
    let errors = schedule(draft, "relay", false).expect_err("refused");
    assert!(errors.iter().any(|d| d.code == mapping::SMEARED_BIAS));
}
