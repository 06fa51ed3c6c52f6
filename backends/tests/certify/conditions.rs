//! Each condition of the proof, violated alone.
//!
//! Where a violation shows in spikes, the simulators have to see it too: no condition is there for
//! its own sake.

use super::accept::{certified, deep, loop_of_two, plain, skip, watch};
use super::compile::{Options, compile};
use super::random::Rng;
use super::source::{Source, neuron};
use super::target;
use snnc_backends::certify::certify;
use snnc_ir::conv::Conv;
use snnc_ir::diag::Code;
use snnc_ir::diag::codes::equivalence as code;
use snnc_ir::network::Compare;
use snnc_ir::program::{Profile, Program, ProgramReadout, Registers, SymbolRole};
use snnc_ir::quantized::{IntNeuron, IntReadout, IntReset, PopKind};
use snnc_ir::{Entity, Param, TargetSpec};

pub(crate) const PROGRAMMABLE: Options = Options { programmable: true, ..Options::PLAIN };
pub(crate) const RELAYS: Options = Options { relays: 100, programmable: true, ..Options::PLAIN };

/// The codes of the reasons against a program.
pub(crate) fn codes(source: &Source, program: &Program, target: &TargetSpec) -> Vec<Code> {
    let why = certify(&source.seal(), program, target).expect_err("a wrong program");
    why.iter().map(|d| d.code).collect()
}

/// Asserts that a program is refused with a code, and whether its spikes are wrong as well.
pub(crate) fn refused(source: &Source, program: &Program, with: Code, wrong_spikes: bool) {
    let codes = codes(source, program, &target(&program.target));
    assert!(codes.contains(&with), "{codes:?} instead of {with}");
    assert_eq!(watch(&source.seal(), program, None).is_err(), wrong_spikes);
}

pub(crate) fn symbol(program: &Program, wanted: impl Fn(&SymbolRole) -> bool) -> usize {
    program.populations.iter().position(|s| wanted(&s.role)).expect("a symbol of this role")
}

/// Gives the runs of a symbol a profile of their own.
pub(crate) fn edit_profile(program: &mut Program, symbol: usize, edit: impl Fn(&mut Profile)) {
    for core in &mut program.cores {
        let runs = core.compartments.iter_mut().filter(|r| r.population as usize == symbol);
        for registers in runs.flat_map(|run| &mut run.cycle) {
            let mut profile = core.profiles[registers.profile as usize];
            edit(&mut profile);
            registers.profile = u32::try_from(core.profiles.len()).expect("few");
            core.profiles.push(profile);
        }
    }
}

pub(crate) fn edit_runs(program: &mut Program, symbol: usize, edit: impl Fn(&mut Registers)) {
    let cores = program.cores.iter_mut().flat_map(|c| &mut c.compartments);
    let runs = cores.filter(|r| r.population as usize == symbol);
    runs.flat_map(|run| &mut run.cycle).for_each(edit);
}

/// Edits the neurons of all populations of a source.
fn edit_neurons(source: &mut Source, edit: impl Fn(&mut IntNeuron)) {
    for (_, p) in source.draft.populations.iter_mut() {
        if let PopKind::Neurons(n) = &mut p.kind {
            edit(n);
        }
    }
}

type Edit = fn(&mut Profile);

#[test]
fn a_relay_has_no_state() {
    let source = skip();
    let good = plain(&source, RELAYS);
    let relay = symbol(&good, |r| matches!(r, SymbolRole::Relay { .. }));
    certified(&source, &good);
    let edits: [(Edit, bool); 4] = [
        (|p| p.du = 100, true),
        // What is left of the membrane decays to 0 before the next spike.
        (|p| p.subtract = Some(1), false),
        (|p| p.update = (2, 0), true),
        (|p| p.refractory = 2, true),
    ];
    for (edit, wrong) in edits {
        let mut program = good.clone();
        edit_profile(&mut program, relay, edit);
        refused(&source, &program, code::RELAY, wrong);
    }
    let mut program = good.clone();
    edit_runs(&mut program, relay, |r| (r.bias_mantissa, r.bias_exponent) = (2, 6));
    refused(&source, &program, code::RELAY, true);
    // Its leak does not matter.
    let mut program = good.clone();
    edit_profile(&mut program, relay, |p| p.dv = 0);
    certified(&source, &program);
}

#[test]
fn a_relay_repeats_the_population_that_it_claims() {
    let mut source = Source::new(6);
    let inputs = [source.input("x", &[3]), source.input("y", &[3])];
    let [a, b, c] = ["a", "b", "c"].map(|name| source.neurons(name, &[3], neuron(2)));
    for (from, to) in [(inputs[0], a), (a, b), (b, c), (inputs[0], c), (inputs[1], c)] {
        source.dense(from, to, 0);
    }
    let named = |p: &Program, name: &str| p.populations.iter().position(|s| s.name == name);
    // A way to compile in which both inputs have a chain of two relays.
    let chains = (0..100).find_map(|seed| {
        let p = compile(&source.draft, RELAYS, &mut Rng(seed)).expect("no loop, no leak");
        let found = ["x+1", "x+2", "y+1", "y+2"].map(|name| named(&p, name));
        found.into_iter().collect::<Option<Vec<_>>>().map(|found| (p, found))
    });
    let (mut program, found) = chains.expect("one of many seeds");
    certified(&source, &program);
    let [first, second] = [found[1], found[3]].map(|i| program.populations[i].role.clone());
    program.populations[found[1]].role = second;
    program.populations[found[3]].role = first;
    refused(&source, &program, code::RELAY, false);
}

#[test]
fn a_clock_fires_in_its_steps_and_no_other() {
    let source = deep();
    let good = plain(&source, PROGRAMMABLE);
    let clock = symbol(&good, |r| *r == SymbolRole::Clock);
    certified(&source, &good);
    let mut program = good.clone();
    edit_profile(&mut program, clock, |p| p.refractory = 2);
    refused(&source, &program, code::CLOCK, true);
    let mut program = good.clone();
    edit_profile(&mut program, clock, |p| p.subtract = Some(1));
    refused(&source, &program, code::CLOCK, false);
    // A phase that its period does not have.
    let mut program = good.clone();
    edit_profile(&mut program, clock, |p| p.update = (1, 1));
    let codes = codes(&source, &program, &target("loihi2"));
    assert!(codes.contains(&code::REGISTER), "{codes:?}");
}

#[test]
fn a_clock_of_two_steps_may_count_or_update_every_other_step() {
    let source = loop_of_two(0);
    let good = plain(&source, PROGRAMMABLE);
    assert_eq!(good.period, 2);
    let clock = symbol(&good, |r| *r == SymbolRole::Clock);
    certified(&source, &good);
    // A leak keeps the count from reaching two.
    let mut program = good.clone();
    edit_profile(&mut program, clock, |p| p.dv = 4095);
    refused(&source, &program, code::CLOCK, true);
    for (phase, right) in [(1, true), (0, false)] {
        let mut program = good.clone();
        edit_profile(&mut program, clock, |p| p.update = (2, phase));
        edit_runs(&mut program, clock, |r| r.bias_mantissa = 2);
        if right {
            certified(&source, &program);
        } else {
            refused(&source, &program, code::CLOCK, true);
        }
    }
}

#[test]
fn a_clock_repeats_a_clock() {
    let source = skip();
    let mut program = plain(&source, RELAYS);
    let relay = symbol(&program, |r| matches!(r, SymbolRole::Relay { .. }));
    program.populations[relay].role = SymbolRole::Clock;
    refused(&source, &program, code::CLOCK, false);
}

#[test]
fn leak_and_current_memory_do_not_rest() {
    for (dv, du) in [(410, 4095), (0, 1000)] {
        let mut source = loop_of_two(dv);
        edit_neurons(&mut source, |n| {
            n.du = Param::Uniform(du);
            n.bias = Param::Uniform(0);
            n.refractory = 1;
        });
        let good = plain(&source, PROGRAMMABLE);
        certified(&source, &good);
        let mut program = good;
        for profile in program.cores.iter_mut().flat_map(|c| &mut c.profiles) {
            profile.update = (1, 0);
        }
        refused(&source, &program, code::IDLE, true);
    }
}

/// `v ≥ 192` is `v > 128` only as long as no membrane lies between.
#[test]
fn coarse_thresholds_need_coarse_membranes() {
    let build = |edit: &dyn Fn(&mut IntNeuron)| {
        let mut s = Source::new(6);
        let input = s.input("in", &[4]);
        let mut n = neuron(0);
        n.compare = Compare::Ge;
        n.threshold = Param::Uniform(192);
        edit(&mut n);
        let a = s.neurons("a", &[6], n);
        s.dense(input, a, 1);
        s
    };
    certified(&build(&|_| {}), &plain(&build(&|_| {}), PROGRAMMABLE));
    let edits: [&dyn Fn(&mut IntNeuron); 4] = [
        &|n| n.dv = Param::Uniform(100),
        &|n| n.du = Param::Uniform(1000),
        &|n| n.bias = Param::Uniform(33),
        &|n| n.reset = IntReset::Subtract(Param::Uniform(65)),
    ];
    for edit in edits {
        let source = build(edit);
        refused(&source, &plain(&source, PROGRAMMABLE), code::PARAMETERS, true);
    }
}

#[test]
fn a_current_with_memory_cannot_carry_a_bias() {
    let mut source = deep();
    edit_neurons(&mut source, |n| n.du = Param::Uniform(1000));
    refused(&source, &plain(&source, PROGRAMMABLE), code::BIAS, true);
}

#[test]
fn registers_fit_the_target() {
    let source = skip();
    let program = plain(&source, Options::PLAIN);
    let with = |edit: &dyn Fn(&mut TargetSpec)| {
        let mut target = target("loihi1");
        edit(&mut target);
        codes(&source, &program, &target)
    };
    assert!(with(&|t| t.max_delay.value = 0).contains(&code::REGISTER));
    assert!(with(&|t| t.min_weight_exponent.value = 0).contains(&code::REGISTER));
    assert!(with(&|t| t.max_threshold.value = 1).contains(&code::REGISTER));
    let edits: [&dyn Fn(&mut TargetSpec); 6] = [
        &|t| t.compartments.value = 1,
        &|t| t.input_axons.value = 1,
        &|t| t.profiles.value = 0,
        &|t| t.thresholds.value = 0,
        &|t| t.formats.value = 0,
        &|t| t.cores_per_chip.value = 1,
    ];
    for edit in edits {
        assert!(with(edit).contains(&code::CAPACITY));
    }
    // Every limit is named with its line.
    let why = certify(&source.seal(), &program, &{
        let mut target = target("loihi1");
        target.max_delay.value = 0;
        target
    });
    insta::assert_snapshot!(why.expect_err("delays that do not fit"));
}

/// On Loihi 1 a pixel takes one axon where convolutions alone read it, and one for each channel where a dense
/// matrix does, too.
#[test]
fn axons_are_counted_by_pixels_where_lists_can_move() {
    let least = |dense: bool| {
        let mut source = Source::new(4);
        let input = source.input("in", &[4, 3, 3]);
        let c = source.neurons("c", &[2, 3, 3], neuron(3));
        let conv = Conv {
            input: [4, 3, 3],
            out_channels: 2,
            kernel: [3, 3],
            stride: [1, 1],
            pad: [1; 4],
            groups: 1,
            crop: [0; 4],
        };
        source.conv(input, c, conv);
        if dense {
            let d = source.neurons("d", &[3], neuron(5));
            source.dense(input, d, 0);
        }
        let program = plain(&source, Options { cores: 1, ..Options::PLAIN });
        let fits = |axons: &i64| {
            let mut target = target("loihi1");
            target.input_axons.value = *axons;
            certify(&source.seal(), &program, &target).is_ok()
        };
        (1..100).find(fits)
    };
    assert_eq!((least(false), least(true)), (Some(9), Some(36)));
}

#[test]
fn a_fixed_neuron_is_not_programmed() {
    let source = loop_of_two(410);
    let mut program = plain(&source, PROGRAMMABLE);
    certified(&source, &program);
    program.target = "loihi1".to_owned();
    refused(&source, &program, code::REGISTER, false);
}

#[test]
fn a_neuron_has_one_compartment() {
    let source = skip();
    let mut program = plain(&source, Options::PLAIN);
    let copy = program.cores[0].compartments[0].clone();
    program.cores[1].compartments.push(copy);
    let codes = codes(&source, &program, &target("loihi1"));
    assert_eq!(codes, [code::PLACEMENT]);
}

type Terms = Vec<(u32, Vec<f32>)>;

#[test]
fn every_part_of_a_linear_readout_counts() {
    let mut source = skip();
    let ids: Vec<_> = source.draft.populations.ids().collect();
    let weights = |first: f32| vec![first, first + 1.0, first + 2.0];
    source.draft.readout = IntReadout::MeanLinear {
        terms: vec![(ids[1], weights(1.0)), (ids[3], weights(-0.5))],
        bias: vec![0.25],
    };
    let good = plain(&source, Options::PLAIN);
    certified(&source, &good);
    let edits: [fn(&mut Terms, &mut Vec<f32>); 5] = [
        |_, bias| bias[0] = 0.5,
        |terms, _| terms.truncate(1),
        |terms, _| terms[0].1[2] = 0.0,
        |terms, _| terms[1].0 = 2,
        |terms, _| terms.reverse(),
    ];
    for edit in edits {
        let mut program = good.clone();
        if let ProgramReadout::MeanLinear { terms, bias } = &mut program.readout {
            edit(terms, bias);
        }
        refused(&source, &program, code::READOUT, false);
    }
    let mut program = good;
    program.readout = ProgramReadout::SpikeCount(u32::try_from(ids[3].index()).expect("few"));
    refused(&source, &program, code::READOUT, false);
}
