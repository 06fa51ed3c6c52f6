//! Programs by hand: what their certificates say.

use super::compile::{Options, compile};
use super::random::Rng;
use super::simulate::{agree, assert_bounds, stimulus};
use super::source::{Source, neuron};
use super::target;
use snnc_backends::certify::{Certificate, certify};
use snnc_ir::Param;
use snnc_ir::conv::Conv;
use snnc_ir::network::Compare;
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::quantized::{IntReset, QuantizedDraft};

/// Certifies a program and watches it on some inputs.
pub(crate) fn certified(source: &Source, program: &Program) -> Certificate {
    let net = source.seal();
    let certificate = match certify(&net, program, &target(&program.target)) {
        Ok(certificate) => certificate,
        Err(why) => panic!("{why}"),
    };
    watch(&net, program, Some(&certificate))
        .expect("a certified program does what its source does");
    certificate
}

/// Compares source and program on some inputs.
///
/// # Errors
/// The first difference.
pub(crate) fn watch(
    net: &QuantizedDraft,
    program: &Program,
    certificate: Option<&Certificate>,
) -> Result<(), String> {
    let mut rng = Rng(3);
    for _ in 0..8 {
        let inputs = stimulus(&mut rng, net);
        let seen = agree(net, program, &inputs)?;
        if let Some(certificate) = certificate {
            assert_bounds(certificate, &seen);
        }
    }
    Ok(())
}

pub(crate) fn plain(source: &Source, options: Options) -> Program {
    compile(&source.draft, options, &mut Rng(1)).expect("the options allow a program")
}

/// Input → 6 → 4 neurons with a bias in each layer.
pub(crate) fn chain() -> Source {
    let mut s = Source::new(5);
    let input = s.input("in", &[5]);
    let a = s.neurons("a", &[6], neuron(3));
    let mut biased = neuron(5);
    biased.bias = Param::PerNeuron(vec![64, 0, 128, -64]);
    let b = s.neurons("b", &[4], biased);
    s.dense(input, a, 0);
    s.dense(a, b, 0);
    s
}

/// Three layers, each with a bias.
pub(crate) fn deep() -> Source {
    let mut s = Source::new(6);
    let mut before = s.input("in", &[2]);
    for (layer, bias) in ["a", "b", "c"].into_iter().zip([64, 128, -64]) {
        let mut n = neuron(2);
        n.bias = Param::Uniform(bias);
        let id = s.neurons(layer, &[3], n);
        s.dense(before, id, 0);
        before = id;
    }
    s
}

/// Input → a → b → c, and input → c directly.
pub(crate) fn skip() -> Source {
    let mut s = Source::new(6);
    let input = s.input("in", &[4]);
    let [a, b, c] = ["a", "b", "c"].map(|name| s.neurons(name, &[3], neuron(2)));
    s.dense(input, a, 0);
    s.dense(a, b, 0);
    s.dense(b, c, 0);
    s.dense(input, c, 0);
    s
}

/// Two populations that excite each other within a step and the next.
pub(crate) fn loop_of_two(decay: u16) -> Source {
    let mut s = Source::new(6);
    let input = s.input("in", &[3]);
    let mut leaky = neuron(4);
    leaky.dv = Param::Uniform(decay);
    leaky.refractory = 2;
    leaky.bias = Param::Uniform(64);
    let a = s.neurons("a", &[3], leaky.clone());
    let b = s.neurons("b", &[2], leaky);
    s.dense(input, a, 0);
    s.dense(a, b, 0);
    s.dense(b, a, 1);
    s
}

#[test]
fn a_population_may_be_split_over_cores() {
    let source = chain();
    let program = plain(&source, Options::PLAIN);
    assert_eq!(program.cores.len(), 2);
    let certificate = certified(&source, &program);
    assert_eq!(certificate.populations[1].cores, 2);
    insta::assert_snapshot!(certificate.to_string());
    let json = serde_json::to_string_pretty(&certificate).expect("plain data");
    insta::assert_snapshot!("certificate_json", json);
}

#[test]
fn a_skip_connection_is_a_synaptic_delay_or_a_chain_of_relays() {
    let source = skip();
    let delayed = certified(&source, &plain(&source, Options::PLAIN));
    assert_eq!(delayed.totals.relays, 0);
    let relays = Options { relays: 100, ..Options::PLAIN };
    let relayed = certified(&source, &plain(&source, relays));
    assert!(relayed.totals.relays >= 4, "{relayed}");
    let of_source = |c: &Certificate| -> u64 {
        c.populations.iter().filter(|p| p.role == "neurons").map(|p| p.synapses).sum()
    };
    assert_eq!(of_source(&delayed), of_source(&relayed));
}

#[test]
fn biases_of_deep_layers_start_with_them() {
    let s = deep();
    let certificate = certified(&s, &plain(&s, Options::PLAIN));
    assert!(certificate.totals.clocks >= 6, "{certificate}");
    assert_eq!(certificate.populations[3].latency, 3);
}

#[test]
fn a_loop_without_leak_rests_between_its_steps() {
    let source = loop_of_two(0);
    let program = plain(&source, Options::PLAIN);
    assert_eq!(program.period, 2);
    assert!(program.cores.iter().flat_map(|c| &c.profiles).all(|p| p.update == (1, 0)));
    assert!(program.populations.iter().any(|s| s.role == SymbolRole::Clock));
    certified(&source, &program);
}

#[test]
fn a_leaky_loop_updates_every_other_step() {
    let source = loop_of_two(410);
    assert!(compile(&source.draft, Options::PLAIN, &mut Rng(1)).is_none());
    let program = plain(&source, Options { programmable: true, ..Options::PLAIN });
    assert!(program.cores.iter().flat_map(|c| &c.profiles).any(|p| p.update.0 == 2));
    certified(&source, &program);
}

#[test]
fn convolutions_are_compared_as_convolutions() {
    let mut s = Source::new(4);
    let input = s.input("in", &[2, 6, 5]);
    let out = s.neurons("conv", &[4, 3, 5], neuron(6));
    s.conv(
        input,
        out,
        Conv {
            input: [2, 6, 5],
            out_channels: 4,
            kernel: [3, 3],
            stride: [2, 1],
            pad: [1, 1, 1, 1],
            groups: 2,
            crop: [0; 4],
        },
    );
    let certificate = certified(&s, &plain(&s, Options::PLAIN));
    // 9 taps, less those of the padding.
    assert!(certificate.populations[1].synapses < 4 * 15 * 9);
    assert!(certificate.populations[1].synapses > 4 * 15 * 4);
}

#[test]
fn comparisons_with_equality_become_strict() {
    let mut s = Source::new(5);
    let input = s.input("in", &[3]);
    let mut sums = neuron(0);
    sums.compare = Compare::Ge;
    // Membranes are multiples of 64: v ≥ 192, v ≥ 150 and v ≥ 129 are all v > 128.
    sums.threshold = Param::PerNeuron(vec![192, 150, 129]);
    let a = s.neurons("a", &[3], sums.clone());
    sums.dv = Param::Uniform(100);
    sums.threshold = Param::Uniform(129);
    let b = s.neurons("b", &[3], sums);
    s.dense(input, a, 0);
    s.dense(a, b, 0);
    let program = plain(&s, Options::PLAIN);
    assert!(program.cores.iter().all(|c| c.thresholds == [2]));
    certified(&s, &program);
}

#[test]
fn a_population_that_starts_in_step_0_keeps_its_bias_register() {
    let mut s = Source::new(5);
    let input = s.input("in", &[3]);
    let mut n = neuron(2);
    // No multiple of 64, and a current with memory: nothing but a register could carry it.
    n.bias = Param::Uniform(77);
    n.du = Param::Uniform(1000);
    let a = s.neurons("a", &[3], n);
    s.dense(input, a, 1);
    s.dense(a, a, 1);
    let certificate = certified(&s, &plain(&s, Options::PLAIN));
    assert_eq!((certificate.totals.clocks, certificate.populations[1].latency), (0, 0));
}

/// A floor lifts what a subtraction left one idle step too early, unless the subtraction stays above it.
#[test]
fn idle_steps_must_not_lift_membranes() {
    for (floor, harmless) in [(-64, false), (-64 * 40, true)] {
        subtracting_in_every_step(64 * 40, Some(floor), harmless);
    }
}

/// Idle steps are harmless after a reset by subtraction only if one spike takes all that one step
/// can bring.
#[test]
fn subtraction_must_not_leave_spikes_for_idle_steps() {
    for (amount, harmless) in [(64, false), (64 * 40, true)] {
        subtracting_in_every_step(amount, None, harmless);
    }
}

/// A loop whose neurons lose `amount` with a spike and do not sink below `floor`, by a compiler that only looks at decays
/// and lets them update in every step: right if that is `harmless`, and refused if not.
fn subtracting_in_every_step(amount: i32, floor: Option<i32>, harmless: bool) {
    let mut s = loop_of_two(0);
    for (_, p) in s.draft.populations.iter_mut() {
        if let snnc_ir::quantized::PopKind::Neurons(n) = &mut p.kind {
            n.reset = IntReset::Subtract(Param::Uniform(amount));
            n.floor = floor.map(Param::Uniform);
            n.refractory = 1;
            n.bias = Param::Uniform(0);
        }
    }
    let mut program = plain(&s, Options { programmable: true, ..Options::PLAIN });
    for profile in program.cores.iter_mut().flat_map(|c| &mut c.profiles) {
        profile.update = (1, 0);
    }
    let verdict = certify(&s.seal(), &program, &target("loihi2"));
    assert_eq!(verdict.is_ok(), harmless, "{verdict:?}");
    assert_eq!(watch(&s.seal(), &program, None).is_ok(), harmless);
}
