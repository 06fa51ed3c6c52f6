//! Graded relays and biases from the host: what is certified, and each condition violated alone.

use super::accept::{certified, plain, watch};
use super::compile::{Options, compile};
use super::conditions::{PROGRAMMABLE, RELAYS, codes, edit_profile, edit_runs, refused, symbol};
use super::random::Rng;
use super::source::{Source, neuron};
use super::target;
use snnc_backends::certify::{Interval, certify, mutate};
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::network::Keep;
use snnc_ir::program::{GradedMode, Program, SymbolRole};
use snnc_ir::quantized::Structure;
use snnc_ir::{Param, TargetSpec};

/// A relay that sends what arrives.
const BOTH: GradedMode = GradedMode { keep: None, shift: 0 };

/// Input -> relays that keep what is positive -> relays that keep what is negative (through a
/// convolution that leaves out a row) -> neurons, which also read the first relays two steps later.
fn clips() -> Source {
    let mut s = Source::new(6);
    let input = s.input("in", &[5]);
    let up = s.graded("up", &[1, 2, 3], Some(Keep::Positive), Param::Uniform(0));
    let bias = Param::PerNeuron(vec![-1, 0, 3]);
    let down = s.graded("down", &[1, 1, 3], Some(Keep::Negative), bias);
    let y = s.neurons("y", &[4], neuron(3));
    s.dense(input, up, 0);
    let conv = Conv {
        input: [1, 2, 3],
        out_channels: 1,
        kernel: [1, 3],
        stride: [1, 1],
        pad: [0, 0, 1, 1],
        groups: 1,
        crop: [1, 0, 0, 0],
    };
    s.conv(up, down, conv);
    s.dense(up, y, 2);
    s.dense(down, y, 0);
    s
}

/// An image that the host writes to relays and to neurons; the neurons read the relays one step later.
fn picture() -> Source {
    let mut s = Source::new(5);
    let image = s.direct("image", &[1, 2, 2]);
    let g = s.graded("g", &[3], None, Param::Uniform(1));
    let mut biased = neuron(4);
    biased.bias = Param::PerNeuron(vec![64, 0, -128, 64]);
    let h = s.neurons("h", &[1, 2, 2], biased);
    s.host(image, g, Structure::Dense { rows: 3, cols: 4 }, 3.0);
    let conv = Conv {
        input: [1, 2, 2],
        out_channels: 1,
        kernel: [2, 2],
        stride: [1, 1],
        pad: [1, 0, 0, 1],
        groups: 1,
        crop: [0; 4],
    };
    s.host(image, h, Structure::Conv(conv), 2.5);
    s.dense(g, h, 1);
    s
}

fn named(program: &Program, name: &str) -> usize {
    program.populations.iter().position(|s| s.name == name).expect("a symbol of this name")
}

fn graded_relay(program: &Program) -> usize {
    symbol(program, |r| matches!(r, SymbolRole::Relay { of: 1, .. }))
}

#[test]
fn messages_are_certified_with_their_bounds() {
    let source = clips();
    let certificate = certified(&source, &plain(&source, PROGRAMMABLE));
    insta::assert_snapshot!(certificate.to_string());
    let json = serde_json::to_value(&certificate).expect("plain data");
    assert_eq!(
        json["populations"][1]["bounds"]["message"],
        serde_json::json!({"low": 0, "high": 10})
    );
    assert_eq!(json["populations"][3]["bounds"].get("message"), None);
    // Two hardware steps per logical one: relays are silent in between.
    let slow = plain(&source, Options { slower: 1, ..PROGRAMMABLE });
    assert_eq!(slow.period, 2);
    certified(&source, &slow);
}

#[test]
fn what_the_host_writes_is_certified_with_its_bounds() {
    let source = picture();
    let certificate = certified(&source, &plain(&source, PROGRAMMABLE));
    insta::assert_snapshot!(certificate.to_string());
}

/// The first of many ways to compile in which messages of population `of` pass through relays.
fn relayed(source: &Source, of: u32) -> Program {
    let programs = (0..100).filter_map(|seed| compile(&source.draft, RELAYS, &mut Rng(seed)));
    let relays = |p: &Program| {
        let repeats =
            |role: &SymbolRole| matches!(role, SymbolRole::Relay { of: o, .. } if *o == of);
        p.populations.iter().any(|s| repeats(&s.role))
    };
    programs.into_iter().find(relays).expect("one of many seeds")
}

/// What relays repeat is bounded like what is sent to neurons: through the relays behind it.
#[test]
fn lines_of_messages_that_cancel_fit_the_target() {
    let mut source = Source::new(4);
    let input = source.input("in", &[2]);
    let g = source.graded("g", &[2], None, Param::Uniform(0));
    let r = source.graded("r", &[1], None, Param::Uniform(0));
    let late = source.graded("late", &[1], None, Param::Uniform(0));
    let y = source.neurons("y", &[1], neuron(3));
    let mut join = |from, to, [rows, cols]: [u32; 2], weights: &[i16], delay| {
        let matrix = source.matrix(Structure::Dense { rows, cols }, weights);
        source.project(from, to, matrix, delay);
    };
    join(input, g, [2, 2], &[3, 1, 3, -1], 0);
    join(g, r, [1, 2], &[5, -4], 0);
    join(r, y, [1, 1], &[1], 2);
    join(g, late, [1, 2], &[1, 0], 0);
    join(late, y, [1, 1], &[1], 0);
    let program = relayed(&source, 2);
    let within = |sum: i64| {
        let mut target = target("loihi2");
        target.max_input_sum.value = sum;
        certify(&source.seal(), &program, &target)
    };
    // 5·(3a + b) - 4·(3a - b) = 3a + 9b; by intervals -12 to 24. The neuron reads 3a + b beside it.
    assert!(within(16).is_ok(), "{:?}", within(16).err());
    let wide = within(15).expect_err("16 arrives");
    assert!(wide.iter().all(|d| d.code == code::OVERFLOW), "{wide}");
}

#[test]
fn a_relay_of_messages_changes_none() {
    let source = clips();
    let good = relayed(&source, 1);
    let relay = graded_relay(&good);
    certified(&source, &good);
    // A relay of both signs repeats the positive ones as well.
    let mut program = good.clone();
    edit_profile(&mut program, relay, |p| p.graded = Some(BOTH));
    certified(&source, &program);
    let mut program = good.clone();
    edit_profile(&mut program, relay, |p| {
        p.graded = Some(GradedMode { keep: Some(Keep::Negative), shift: 0 });
    });
    refused(&source, &program, code::RELAY, true);
    let mut program = good.clone();
    edit_profile(&mut program, relay, |p| p.graded = None);
    refused(&source, &program, code::RELAY, true);
    let mut program = good.clone();
    edit_runs(&mut program, relay, |r| (r.bias_mantissa, r.bias_exponent) = (1, 6));
    refused(&source, &program, code::RELAY, true);
    // Weight 2 instead of 1, in all relays of messages.
    let mut program = good;
    for matrix in &program.matrices {
        if let (Structure::Identity { .. }, [mantissa @ 2]) =
            (&matrix.structure, program.values[matrix.values as usize].as_mut_slice())
        {
            *mantissa = 4;
        }
    }
    refused(&source, &program, code::RELAY, true);
}

#[test]
fn lines_of_spikes_are_spiking_neurons() {
    let mut source = Source::new(6);
    let input = source.input("in", &[3]);
    let mut biased = neuron(2);
    biased.bias = Param::Uniform(64);
    let [a, b] = ["a", "b"].map(|name| source.neurons(name, &[3], biased.clone()));
    source.dense(input, a, 0);
    source.dense(a, b, 0);
    source.dense(input, b, 1);
    let good = (0..100)
        .filter_map(|seed| compile(&source.draft, RELAYS, &mut Rng(seed)))
        .find(|p| p.populations.iter().any(|s| matches!(s.role, SymbolRole::Relay { .. })))
        .expect("one of many seeds");
    certified(&source, &good);
    let clock = symbol(&good, |r| *r == SymbolRole::Clock);
    let relay = symbol(&good, |r| matches!(r, SymbolRole::Relay { .. }));
    for (line, code) in [(clock, code::CLOCK), (relay, code::RELAY)] {
        let mut program = good.clone();
        edit_profile(&mut program, line, |p| {
            (p.du, p.dv, p.graded) = (4095, 4095, Some(BOTH));
        });
        let codes = codes(&source, &program, &target("loihi2"));
        assert!(codes.contains(&code), "{codes:?}");
    }
}

#[test]
fn relays_and_neurons_are_told_apart() {
    let source = clips();
    let good = plain(&source, PROGRAMMABLE);
    let (up, y) = (named(&good, "up"), named(&good, "y"));
    let mut program = good.clone();
    edit_profile(&mut program, up, |p| p.graded = None);
    refused(&source, &program, code::PARAMETERS, true);
    let mut program = good.clone();
    edit_profile(&mut program, y, |p| {
        (p.du, p.dv, p.graded) = (4095, 4095, Some(BOTH));
    });
    refused(&source, &program, code::PARAMETERS, true);
    let mut program = good.clone();
    edit_profile(&mut program, up, |p| p.graded = Some(BOTH));
    refused(&source, &program, code::PARAMETERS, true);
    // A profile that says that a relay has state.
    let mut program = good.clone();
    edit_profile(&mut program, up, |p| p.dv = 0);
    refused(&source, &program, code::REGISTER, false);
    // Half a message.
    let mut program = good;
    edit_runs(&mut program, up, |r| (r.bias_mantissa, r.bias_exponent) = (1, 5));
    refused(&source, &program, code::REGISTER, false);
}

/// A bias of a relay that starts late is carried by a clock, like a neuron's.
#[test]
fn a_late_bias_of_relays_is_not_a_register() {
    let source = clips();
    let mut program = plain(&source, PROGRAMMABLE);
    let down = named(&program, "down");
    let clock = symbol(&program, |r| *r == SymbolRole::Clock);
    assert!(program.populations[down].latency > 0 && clock > down);
    edit_runs(&mut program, down, |r| (r.bias_mantissa, r.bias_exponent) = (-1, 6));
    refused(&source, &program, code::BIAS, true);
}

#[test]
fn messages_and_biases_fit_the_target() {
    let (source, program) = (clips(), plain(&clips(), PROGRAMMABLE));
    // 6 bits hold -32 to 31, 5 bits -16 to 15.
    let with = |source: &Source, program: &Program, edit: &dyn Fn(&mut TargetSpec)| {
        let mut target = target("loihi2");
        edit(&mut target);
        certify(&source.seal(), program, &target)
    };
    let bits = |bits: i64| with(&source, &program, &move |t| t.message_bits.value = bits);
    let message = |name: &str| {
        let certificate = with(&source, &program, &|_| {}).expect("it fits 32 bits");
        let of_name = certificate.populations.into_iter().find(|p| p.name == name);
        of_name.and_then(|p| p.bounds).and_then(|b| b.message).expect("a relay")
    };
    assert_eq!(message("down"), Interval { low: -32, high: 0 });
    assert!(bits(6).is_ok());
    let narrow = bits(5).expect_err("-32 does not fit");
    insta::assert_snapshot!(narrow);
    let none = bits(0).expect_err("no messages at all");
    assert!(none.iter().all(|d| [code::REGISTER, code::OVERFLOW].contains(&d.code)), "{none}");
    assert!(none.to_string().contains("message_bits = 0"), "{none}");
    // What arrives at a relay, and what the host adds to a bias, have their limits, too.
    let sum = with(&source, &program, &|t| t.max_input_sum.value = 189);
    assert!(sum.expect_err("-190 arrives").iter().all(|d| d.code == code::OVERFLOW));
    let (source, program) = (picture(), plain(&picture(), PROGRAMMABLE));
    let mantissa = |most: i64| with(&source, &program, &move |t| t.max_bias_mantissa.value = most);
    assert!(mantissa(4095).is_ok());
    let small = mantissa(7).expect_err("a bias beyond 7");
    assert!(small.iter().any(|d| d.message.contains("for some sample")), "{small}");
}

#[test]
fn the_host_adds_to_registers_that_hold_the_sum() {
    let source = picture();
    let mut program = plain(&source, PROGRAMMABLE);
    let h = named(&program, "h");
    // 64 = 1 << 6 and 128 = 1 << 7: multiples of 64 in between are lost.
    edit_runs(&mut program, h, |r| {
        if (r.bias_mantissa, r.bias_exponent) == (-2, 6) || r.bias_mantissa == -128 {
            (r.bias_mantissa, r.bias_exponent) = (-1, 7);
        }
    });
    refused(&source, &program, code::REGISTER, false);
}

#[test]
fn what_the_host_writes_acts_from_step_0_on() {
    let source = picture();
    let mut program = plain(&source, PROGRAMMABLE);
    for symbol in &mut program.populations {
        symbol.latency += 1;
    }
    program.run_steps += 1;
    refused(&source, &program, code::HOST, true);
}

/// The words for each change of messages and of what the host writes.
#[test]
fn differences_of_messages_are_named() {
    let (clips, picture) = (clips(), picture());
    let mut words = String::new();
    let changes: [(&Source, Program, &[&str]); 3] = [
        (&clips, plain(&clips, PROGRAMMABLE), &["graded-mode", "graded-spiking", "crop"]),
        (&clips, relayed(&clips, 1), &["graded-relay"]),
        (
            &picture,
            plain(&picture, PROGRAMMABLE),
            &[
                "host-weight",
                "host-scale",
                "host-structure",
                "host-input",
                "host-target",
                "host-dropped",
                "host-doubled",
                "range",
            ],
        ),
    ];
    for (source, good, classes) in changes {
        for class in classes {
            let mut program = good.clone();
            let what = mutate::apply(class, &mut program, 5).expect("a change");
            let why = certify(&source.seal(), &program, &target("loihi2"));
            let why = why.expect_err("a wrong program");
            let first = why.iter().next().expect("a reason");
            words.push_str(&[class, ": ", &what, "\n", &first.to_string(), "\n\n"].concat());
        }
    }
    insta::assert_snapshot!(words);
}

/// A host that computes with one bit less computes something else.
#[test]
fn a_changed_scale_is_a_real_difference() {
    let source = picture();
    let mut program = plain(&source, PROGRAMMABLE);
    program.host[0].scale *= 1.5;
    let codes = codes(&source, &program, &target("loihi2"));
    assert_eq!(codes, [code::HOST]);
    assert!(watch(&source.seal(), &program, None).is_err());
}
