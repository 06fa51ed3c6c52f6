//! Programs with graded relays and tables of the host.

use super::{Case, found};
use crate::program::read;
use snnc_backends::program::encode;
use snnc_ir::Shape;
use snnc_ir::conv::Conv;
use snnc_ir::network::{Coding, Keep};
use snnc_ir::program::{
    CompartmentRun, Format, GradedMode, HostMap, Layout, PoolMatrix, Profile, Program, ProgramCore,
    ProgramReadout, Registers, Route, Symbol, SymbolRole, SynapseBlock,
};
use snnc_ir::quantized::{Sign, Structure};

/// A directly coded image; graded relays, to which the host writes it; neurons that read them through
/// a convolution with a crop.
pub(super) fn sound() -> Program {
    let symbol = |name: &str, shape: &[u32], role, latency| Symbol {
        name: name.to_owned(),
        shape: Shape(shape.to_vec()),
        block: 1,
        role,
        latency,
    };
    let profile = |graded| Profile {
        du: 4095,
        dv: 4095,
        refractory: 1,
        subtract: None,
        update: (1, 0),
        graded,
        floor: None,
    };
    let run = |population, len, profile, bias_mantissa, bias_exponent| CompartmentRun {
        population,
        first: 0,
        len,
        cycle: vec![Registers { profile, threshold: 0, bias_mantissa, bias_exponent }],
    };
    let conv = Conv {
        input: [1, 2, 2],
        out_channels: 1,
        kernel: [1, 2],
        stride: [1, 1],
        pad: [0, 0, 0, 1],
        groups: 1,
        crop: [1, 0, 0, 0],
    };
    Program {
        name: "n".to_owned(),
        target: "loihi2".to_owned(),
        steps: 5,
        period: 1,
        run_steps: 6,
        populations: vec![
            symbol("image", &[2], SymbolRole::Input(Coding::Direct { range: Some([-1, 1]) }), 0),
            symbol("g", &[1, 2, 2], SymbolRole::Neurons, 0),
            symbol("y", &[1, 1, 2], SymbolRole::Neurons, 1),
        ],
        values: vec![vec![2, -4]],
        matrices: vec![PoolMatrix {
            structure: Structure::Conv(conv),
            values: 0,
            rows: Layout::ROW_MAJOR,
            cols: Layout::ROW_MAJOR,
        }],
        inputs: vec![],
        cores: vec![ProgramCore {
            chip: 0,
            cell: 0,
            profiles: vec![
                profile(Some(GradedMode { keep: Some(Keep::Positive), shift: 7 })),
                profile(None),
            ],
            thresholds: vec![10],
            formats: vec![Format { exponent: 0, sign: Sign::Mixed, weight_bits: 8, delay_bits: 0 }],
            compartments: vec![run(1, 4, 0, 3, 6), run(2, 2, 1, 0, 0)],
            axons: 4,
            synapses: vec![SynapseBlock {
                format: 0,
                matrix: 0,
                delay: 0,
                axon: 0,
                axons: 4,
                col: 0,
                compartment: 4,
                compartments: 2,
                row: 0,
            }],
            routes: vec![Route { compartment: 0, len: 4, core: 0, axon: 0 }],
        }],
        host: vec![HostMap {
            input: 0,
            target: 1,
            structure: Structure::Dense { rows: 4, cols: 2 },
            weights: vec![0.5, -1.0, 0.1, 2.0, -0.0, f32::MIN_POSITIVE, 7.0, 1e30],
            scale: 12.000_000_000_000_002,
        }],
        readout: ProgramReadout::SpikeCount(2),
    }
}

/// The table of the host, to be edited.
fn table(program: &mut Program) -> &mut HostMap {
    &mut program.host[0]
}

#[test]
fn a_sound_program_is_read_to_the_last_bit() {
    let program = sound();
    let bytes = encode(&program);
    let decoded = read(&bytes).unwrap();
    assert_eq!(decoded, program);
    let bits = |p: &Program| {
        let weights = p.host[0].weights.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        (weights, p.host[0].scale.to_bits())
    };
    assert_eq!(bits(&decoded), bits(&program), "the sign of zero is kept, too");
}

#[test]
fn graded_relays_have_no_state_and_their_own_population() {
    let cases: &[Case] = &[
        (
            |p| p.cores[0].profiles[0].dv = 0,
            &["cores[0].profiles[0]: a graded relay has du 4095, dv 4095, refractory 1, no \
               subtraction, update (1, 0) and no floor"],
        ),
        (
            |p| p.cores[0].profiles[0].graded = Some(GradedMode { keep: None, shift: 32 }),
            &["cores[0].profiles[0].graded.shift: the shift 32 of a graded relay is above 31"],
        ),
        (
            |p| p.cores[0].profiles[0].floor = Some(-64),
            &["cores[0].profiles[0]: a graded relay has du 4095, dv 4095, refractory 1, no \
               subtraction, update (1, 0) and no floor"],
        ),
        (
            |p| p.cores[0].profiles[0].subtract = Some(64),
            &["cores[0].profiles[0]: a graded relay has du 4095, dv 4095, refractory 1, no \
               subtraction, update (1, 0) and no floor"],
        ),
        (
            |p| p.cores[0].compartments[0].cycle[0].bias_exponent = 5,
            &[
                "cores[0].compartments[0].cycle[0].bias_mantissa: the bias 3 << 5 of a graded relay is no \
               multiple of 64",
            ],
        ),
        (
            |p| {
                p.cores[0].thresholds.push(3);
                p.cores[0].compartments[0].cycle[0].threshold = 1;
            },
            &[
                "cores[0].compartments[0].cycle[0].threshold: a graded relay has no threshold; the index is 0",
            ],
        ),
        (
            |p| {
                let run = &mut p.cores[0].compartments[0];
                let relay = run.cycle[0];
                run.cycle.push(Registers { profile: 1, ..relay });
            },
            &["populations[1]: \"g\" mixes graded relays with spiking neurons"],
        ),
        (
            |p| {
                p.populations[1].role = SymbolRole::Clock;
                p.host.clear();
            },
            &["populations[1].role: a clock consists of spiking neurons"],
        ),
        (|p| p.readout = ProgramReadout::SpikeCount(1), &["readout: \"g\" sends no spikes"]),
    ];
    for (edit, expected) in cases {
        assert_eq!(found(sound(), edit), *expected);
    }
}

#[test]
fn directly_coded_inputs_have_a_range_and_no_routes() {
    use snnc_ir::program::InputRoute;
    let direct = |range| SymbolRole::Input(Coding::Direct { range });
    let without = "populations[0].role.coding: a directly coded input states the range of its values, \
                   the smallest below the largest";
    assert_eq!(found(sound(), |p| p.populations[0].role = direct(None)), [without]);
    assert_eq!(found(sound(), |p| p.populations[0].role = direct(Some([2, 2]))), [without]);
    let routed = found(sound(), |p| {
        p.cores[0].axons = 6;
        p.inputs = vec![InputRoute { population: 0, first: 0, len: 2, core: 0, axon: 4 }];
    });
    let expected = "inputs[0].population: \"image\" is coded directly and sends no spikes";
    assert_eq!(routed, [expected]);
    let term = (0, vec![1.0, 2.0]);
    let counted = found(sound(), |p| {
        p.readout = ProgramReadout::MeanLinear { terms: vec![term], bias: vec![0.0] };
    });
    assert_eq!(counted, ["readout.terms[0].population: \"image\" sends no spikes"]);
}

#[test]
fn tables_of_the_host_fit_their_populations() {
    let cases: &[Case] = &[
        (|p| table(p).input = 3, &["host[0].input: the index 3 is outside a list of 3"]),
        (|p| table(p).input = 2, &["host[0].input: \"y\" is not a directly coded input"]),
        (
            |p| table(p).target = 0,
            &[
                "host[0].target: the host does not write to \"image\"",
                "host[0].structure: expected (2, 2) rows and columns, not (4, 2)",
            ],
        ),
        (
            |p| table(p).target = 2,
            &[
                "host[0].target: a bias acts from step 0 on in every step, and \"y\" has latency 1, \
                 period 1",
                "host[0].structure: expected (2, 2) rows and columns, not (4, 2)",
            ],
        ),
        (
            |p| (p.period, p.run_steps) = (2, 11),
            &[
                "host[0].target: a bias acts from step 0 on in every step, and \"g\" has latency 0, \
               period 2",
            ],
        ),
        (
            |p| {
                let copy = p.host[0].clone();
                p.host.push(copy);
            },
            &["host[1]: a second table joins \"image\" to \"g\""],
        ),
        (
            |p| table(p).structure = Structure::Identity { size: 4 },
            &["host[0].structure: a table of the host is dense or a convolution"],
        ),
        (
            |p| table(p).structure = Structure::Dense { rows: 0, cols: 2 },
            &["host[0].structure: a matrix has at least one row and one column"],
        ),
        (
            |p| {
                table(p).weights.pop();
            },
            &["host[0].weights: the layout stores 8 weights, not 7"],
        ),
        (|p| table(p).weights[3] = f32::NAN, &["host[0].weights: a weight is not finite"]),
        (
            |p| table(p).scale = -1.5,
            &["host[0].scale: the scale is -1.5, expected a finite number above 0"],
        ),
        (
            |p| table(p).scale = f64::INFINITY,
            &["host[0].scale: the scale is inf, expected a finite number above 0"],
        ),
        (
            |p| p.cores[0].compartments[0].cycle[0].bias_exponent = 7,
            &[
                "cores[0].compartments[0].cycle[0].bias_exponent: the host adds multiples of 64, which an \
               exponent of 7 does not hold",
            ],
        ),
    ];
    for (edit, expected) in cases {
        assert_eq!(found(sound(), edit), *expected);
    }
}
