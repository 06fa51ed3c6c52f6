//! The reader against arbitrary programs, damaged bytes, and contradictions.

mod messages;

use super::bytes::Cursor;
use super::{read, records, structure};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use snnc_backends::program::encode;
use snnc_ir::conv::Conv;
use snnc_ir::network::{Coding, Keep};
use snnc_ir::program::{
    CompartmentRun, Format, GradedMode, HostMap, InputRoute, Layout, PoolMatrix, Profile, Program,
    ProgramCore, ProgramReadout, Registers, Route, Symbol, SymbolRole, SynapseBlock,
};
use snnc_ir::quantized::{Sign, Structure};
use snnc_ir::{Diagnostics, Shape};

/// Any record at all, most of them contradicting themselves.
fn any_program() -> impl Strategy<Value = Program> {
    let head = (".{0,6}", ".{0,6}", any::<(u32, u32, u64)>());
    let lists = (
        vec(any_symbol(), 0..3),
        (vec(vec(any_value(), 0..9), 0..3), vec(any_matrix(), 0..3)),
        vec(any::<[u32; 5]>(), 0..3),
        vec(any_core(), 0..3),
        vec(any_host(), 0..3),
        any_readout(),
    );
    (head, lists).prop_map(|((name, target, (steps, period, run_steps)), lists)| {
        let (populations, (values, matrices), inputs, cores, host, readout) = lists;
        let inputs = inputs.into_iter().map(|[population, first, len, core, axon]| InputRoute {
            population,
            first,
            len,
            core,
            axon,
        });
        Program {
            name,
            target,
            steps,
            period,
            run_steps,
            populations,
            values,
            matrices,
            inputs: inputs.collect(),
            cores,
            host,
            readout,
        }
    })
}

fn any_symbol() -> impl Strategy<Value = Symbol> {
    let coding = prop_oneof![
        any::<Option<[i32; 2]>>().prop_map(|range| Coding::Direct { range }),
        Just(Coding::Events),
        any::<(u32, u32)>().prop_map(|(pmax, steps_in)| Coding::Accumulator { pmax, steps_in }),
        any::<u64>().prop_map(|seed| Coding::Rate { seed }),
    ];
    let role = prop_oneof![
        coding.prop_map(SymbolRole::Input),
        Just(SymbolRole::Neurons),
        any::<(u32, u32)>().prop_map(|(of, hops)| SymbolRole::Relay { of, hops }),
        Just(SymbolRole::Clock),
    ];
    (".{0,4}", vec(any::<u32>(), 0..4), role, any::<(u32, u32)>()).prop_map(
        |(name, shape, role, (block, latency))| Symbol {
            name,
            shape: Shape(shape),
            block,
            role,
            latency,
        },
    )
}

/// Mantissas of every width and power of two.
fn any_value() -> impl Strategy<Value = i16> {
    (any::<i16>(), 0..16_u32, 0..16_u32).prop_map(|(value, narrow, shift)| value >> narrow << shift)
}

fn any_matrix() -> impl Strategy<Value = PoolMatrix> {
    let layout = |[places, block]: [u32; 2]| Layout { places, block };
    (any_structure(), any::<u32>(), any::<[[u32; 2]; 2]>()).prop_map(
        move |(structure, values, [rows, cols])| PoolMatrix {
            structure,
            values,
            rows: layout(rows),
            cols: layout(cols),
        },
    )
}

fn any_host() -> impl Strategy<Value = HostMap> {
    let numbers = (vec(-1e9_f32..1e9, 0..5), -1e9_f64..1e9);
    (any::<[u32; 2]>(), any_structure(), numbers).prop_map(
        |([input, target], structure, (weights, scale))| HostMap {
            input,
            target,
            structure,
            weights,
            scale,
        },
    )
}

fn any_structure() -> impl Strategy<Value = Structure> {
    let conv = any::<([u32; 3], u32, [u32; 2], [u32; 2], [u32; 4], u32, [u32; 4])>().prop_map(
        |(input, out_channels, kernel, stride, pad, groups, crop)| {
            Structure::Conv(Conv { input, out_channels, kernel, stride, pad, groups, crop })
        },
    );
    let list = || vec(any::<u32>(), 0..4);
    prop_oneof![
        any::<(u32, u32)>().prop_map(|(rows, cols)| Structure::Dense { rows, cols }),
        conv,
        (any::<u32>(), any::<u32>(), list(), list()).prop_map(|(rows, cols, row_start, col)| {
            Structure::Sparse { rows, cols, row_start, col }
        }),
        any::<u32>().prop_map(|size| Structure::Identity { size }),
    ]
}

fn any_core() -> impl Strategy<Value = ProgramCore> {
    let keep = prop_oneof![Just(Keep::Positive), Just(Keep::Negative)];
    let mode = (prop::option::of(keep), any::<u8>());
    let graded = prop::option::of(mode.prop_map(|(keep, shift)| GradedMode { keep, shift }));
    let registers = any::<(u16, u16, u8, Option<i32>, (u32, u32))>();
    let profile =
        (registers, graded).prop_map(|((du, dv, refractory, subtract, update), graded)| Profile {
            du,
            dv,
            refractory,
            subtract,
            update,
            graded,
            floor: None,
        });
    let sign = prop_oneof![Just(Sign::Mixed), Just(Sign::Excitatory), Just(Sign::Inhibitory)];
    let format = (any::<i8>(), sign, any::<u8>(), any::<u8>()).prop_map(
        |(exponent, sign, weight_bits, delay_bits)| Format {
            exponent,
            sign,
            weight_bits,
            delay_bits,
        },
    );
    let registers = any::<([u32; 2], i16, u8)>().prop_map(
        |([profile, threshold], bias_mantissa, bias_exponent)| Registers {
            profile,
            threshold,
            bias_mantissa,
            bias_exponent,
        },
    );
    let run =
        (any::<[u32; 3]>(), vec(registers, 0..3)).prop_map(|([population, first, len], cycle)| {
            CompartmentRun { population, first, len, cycle }
        });
    let block = any::<([u32; 8], u8)>().prop_map(
        |([format, matrix, axon, axons, col, compartment, compartments, row], delay)| {
            SynapseBlock { format, matrix, delay, axon, axons, col, compartment, compartments, row }
        },
    );
    let route = any::<[u32; 4]>().prop_map(|[compartment, len, core, axon]| Route {
        compartment,
        len,
        core,
        axon,
    });
    let tables = (vec(profile, 0..3), vec(any::<u32>(), 0..3), vec(format, 0..3));
    let lists = (vec(run, 0..3), vec(block, 0..3), vec(route, 0..3));
    (any::<(u32, u32, u32)>(), tables, lists).prop_map(
        |(
            (chip, cell, axons),
            (profiles, thresholds, formats),
            (compartments, synapses, routes),
        )| {
            ProgramCore {
                chip,
                cell,
                profiles,
                thresholds,
                formats,
                compartments,
                axons,
                synapses,
                routes,
            }
        },
    )
}

fn any_readout() -> impl Strategy<Value = ProgramReadout> {
    let weight = || vec(-1e9_f32..1e9, 0..4);
    prop_oneof![
        any::<u32>().prop_map(ProgramReadout::SpikeCount),
        (vec((any::<u32>(), weight()), 0..3), weight())
            .prop_map(|(terms, bias)| ProgramReadout::MeanLinear { terms, bias }),
    ]
}

/// Two inputs into a population that is split over two cores and recurrent.
fn sound() -> Program {
    let symbol = |name: &str, n, role, latency| Symbol {
        name: name.to_owned(),
        shape: Shape::flat(n),
        block: 1,
        role,
        latency,
    };
    let core = |first, len| ProgramCore {
        chip: 0,
        cell: first,
        profiles: vec![Profile {
            du: 4095,
            dv: 9,
            refractory: 1,
            subtract: None,
            update: (1, 0),
            graded: None,
            floor: None,
        }],
        thresholds: vec![10],
        formats: vec![Format { exponent: -1, sign: Sign::Mixed, weight_bits: 8, delay_bits: 2 }],
        compartments: vec![CompartmentRun {
            population: 1,
            first,
            len,
            cycle: vec![Registers {
                profile: 0,
                threshold: 0,
                bias_mantissa: -5,
                bias_exponent: 7,
            }],
        }],
        axons: 5,
        synapses: [(0, 0, 2), (1, 2, 3)]
            .map(|(matrix, axon, axons)| SynapseBlock {
                format: 0,
                matrix,
                delay: 3,
                axon,
                axons,
                col: 0,
                compartment: 0,
                compartments: len,
                row: first,
            })
            .to_vec(),
        routes: [0, 1].map(|core| Route { compartment: 0, len, core, axon: 2 + first }).to_vec(),
    };
    let matrix = |structure, values| PoolMatrix {
        structure,
        values,
        rows: Layout::ROW_MAJOR,
        cols: Layout::ROW_MAJOR,
    };
    Program {
        name: "n".to_owned(),
        target: "loihi1".to_owned(),
        steps: 5,
        period: 1,
        run_steps: 6,
        populations: vec![
            symbol("x", 2, SymbolRole::Input(Coding::Events), 0),
            symbol("h", 3, SymbolRole::Neurons, 1),
        ],
        values: vec![vec![2, 4, 6, 8, 10, 12], vec![2, 4, 6]],
        matrices: vec![
            matrix(Structure::Dense { rows: 3, cols: 2 }, 0),
            matrix(
                Structure::Sparse {
                    rows: 3,
                    cols: 3,
                    row_start: vec![0, 2, 2, 3],
                    col: vec![0, 2, 1],
                },
                1,
            ),
        ],
        inputs: [0, 1]
            .map(|core| InputRoute { population: 0, first: 0, len: 2, core, axon: 0 })
            .to_vec(),
        cores: vec![core(0, 2), core(2, 1)],
        host: vec![],
        readout: ProgramReadout::MeanLinear {
            terms: vec![(1, vec![1.0, -2.0, 0.5])],
            bias: vec![0.25],
        },
    }
}

/// The places and messages of the contradictions of `sound()` after `edit`.
fn findings(edit: impl FnOnce(&mut Program)) -> Vec<String> {
    found(sound(), edit)
}

/// The places and messages of the contradictions of a program after `edit`.
fn found(mut program: Program, edit: impl FnOnce(&mut Program)) -> Vec<String> {
    edit(&mut program);
    let found = match read(&encode(&program)) {
        Ok(_) => Diagnostics::new(),
        Err(found) => found,
    };
    let line = |d: &snnc_ir::Diagnostic| {
        format!("{}: {}", d.place.path.as_deref().unwrap_or("-"), d.message)
    };
    found.iter().map(line).collect()
}

#[test]
fn a_sound_program_is_read() {
    assert_eq!(findings(|_| {}), [""; 0]);
    assert_eq!(read(&encode(&sound())).unwrap(), sound());
}

/// What is edited, the edit, and what is found.
type Case = (fn(&mut Program), &'static [&'static str]);

#[test]
fn contradictions_are_found_and_named() {
    let cases: &[Case] = &[
        (|p| p.period = 0, &["period: the period is 0", "run_steps: a run takes 1 steps, not 6"]),
        (|p| p.run_steps = 5, &["run_steps: a run takes 6 steps, not 5"]),
        (
            |p| p.populations[1].name = "x".to_owned(),
            &["populations[1].name: the name \"x\" is empty or used twice"],
        ),
        (
            |p| p.populations[1].role = SymbolRole::Relay { of: 2, hops: 1 },
            &["populations[1].role.of: the index 2 is outside a list of 2"],
        ),
        (
            |p| p.cores[1].profiles[0].du = 4096,
            &["cores[1].profiles[0]: a register is out of range: du 4096, dv 9 (0 to 4095), \
             refractory 1 (1 to 63), phase 0 below period 1"],
        ),
        (
            |p| p.cores[0].profiles[0].floor = Some(1),
            &["cores[0].profiles[0].floor: the floor 1 is outside −1073741823 to 0"],
        ),
        (
            |p| p.cores[1].profiles[0].floor = Some(-(1 << 30)),
            &["cores[1].profiles[0].floor: the floor -1073741824 is outside −1073741823 to 0"],
        ),
        (
            |p| p.cores[0].thresholds[0] = 131_072,
            &["cores[0].thresholds[0]: the threshold mantissa 131072 is above 131071"],
        ),
        (
            |p| p.cores[0].formats[0].exponent = -2,
            &[
                "cores[0].synapses[0].matrix: the mantissa 2 with exponent -2 cannot be stored by a \
             synapse group of sign mixed and 8 weight bits",
                "cores[0].synapses[1].matrix: the mantissa 2 with exponent -2 cannot be stored by a \
             synapse group of sign mixed and 8 weight bits",
            ],
        ),
        (
            |p| p.cores[0].formats[0].weight_bits = 6,
            &[
                "cores[0].synapses[0].matrix: the mantissa 2 with exponent -1 cannot be stored by a \
             synapse group of sign mixed and 6 weight bits",
                "cores[0].synapses[1].matrix: the mantissa 2 with exponent -1 cannot be stored by a \
             synapse group of sign mixed and 6 weight bits",
            ],
        ),
        (
            |p| p.cores[0].formats[0].weight_bits = 7,
            &[
                "cores[0].formats[0]: a field is out of range: exponent -1 (−7 to 7), weight bits 7 \
             (1 to 6 or 8), delay bits 2 (0 to 6)",
                "cores[0].synapses[0].matrix: the mantissa 2 with exponent -1 cannot be stored by a \
             synapse group of sign mixed and 7 weight bits",
                "cores[0].synapses[1].matrix: the mantissa 2 with exponent -1 cannot be stored by a \
             synapse group of sign mixed and 7 weight bits",
            ],
        ),
        (
            |p| p.cores[0].formats[0].sign = Sign::Inhibitory,
            &[
                "cores[0].synapses[0].matrix: the mantissa 2 with exponent -1 cannot be stored by a \
             synapse group of sign inhibitory and 8 weight bits",
                "cores[0].synapses[1].matrix: the mantissa 2 with exponent -1 cannot be stored by a \
             synapse group of sign inhibitory and 8 weight bits",
            ],
        ),
        (
            |p| p.cores[1].compartments[0].first = 3,
            &["cores[1].compartments[0]: neurons 3 to 4 are not a part of 3"],
        ),
        (
            |p| p.cores[1].compartments[0].population = 0,
            &[
                "cores[1].compartments[0].population: an input has no compartments",
                "cores[1].compartments[0]: neurons 2 to 3 are not a part of 2",
            ],
        ),
        (
            |p| p.cores[1].compartments[0].cycle[0].profile = 1,
            &["cores[1].compartments[0].cycle[0].profile: the index 1 is outside a list of 1"],
        ),
        (
            |p| p.cores[1].compartments[0].cycle[0].bias_mantissa = -4096,
            &[
                "cores[1].compartments[0].cycle[0].bias_mantissa: the bias -4096 << 7 is out of range \
             (mantissa ±4095, exponent 0 to 7)",
            ],
        ),
        (
            |p| p.cores[0].synapses[0].delay = 4,
            &["cores[0].synapses[0].delay: the delay 4 needs more than 2 bits"],
        ),
        (
            |p| p.cores[0].synapses[1].axons = 4,
            &[
                "cores[0].synapses[1]: axons 2 to 6 are not a part of 5",
                "cores[0].synapses[1]: columns 0 to 4 are not a part of 3",
            ],
        ),
        (
            |p| p.cores[0].synapses[1].row = 2,
            &["cores[0].synapses[1]: rows 2 to 4 are not a part of 3"],
        ),
        (
            |p| p.cores[0].synapses[0].matrix = 2,
            &["cores[0].synapses[0].matrix: the index 2 is outside a list of 2"],
        ),
        (
            |p| p.cores[1].routes[0].core = 2,
            &["cores[1].routes[0].core: the index 2 is outside a list of 2"],
        ),
        (
            |p| p.cores[1].routes[0].axon = u32::MAX,
            &["cores[1].routes[0].axon: axons 4294967295 to 4294967296 are not a part of 5"],
        ),
        (
            |p| p.cores[1].routes[0].axon = 3,
            &["cores[1].routes[0].axon: axon 3 of core 0 is driven by cores[0].routes[0] too"],
        ),
        (
            |p| p.cores[1].routes[0].len = 0,
            &[
                "cores[1].routes[0]: compartments 0 to 0 are not a part of 1",
                "cores[1].routes[0].axon: axons 4 to 4 are not a part of 5",
            ],
        ),
        (
            |p| p.inputs[1].core = 0,
            &["inputs[1].axon: axon 0 of core 0 is driven by inputs[0] too"],
        ),
        (|p| p.inputs[0].population = 1, &["inputs[0].population: \"h\" is not an input"]),
        (
            |p| p.values[0].truncate(5),
            &["matrices[0].values: the layout stores 6 mantissas, not 5"],
        ),
        (|p| p.matrices[1].values = 2, &["matrices[1].values: the index 2 is outside a list of 2"]),
        (|p| p.values.push(vec![2, 4, 6]), &["values[2]: the array repeats an earlier one"]),
        (
            |p| {
                let copy = p.matrices[0].clone();
                p.matrices.push(copy);
            },
            &["matrices[2]: the matrix repeats an earlier one"],
        ),
        (
            |p| p.matrices[0].rows = Layout { places: 3, block: 1 },
            &["matrices[0].rows: blocks of 1 channels of 3 neurons are no order of 3 (1 and 1 \
               where neurons lie in order)"],
        ),
        (
            |p| p.matrices[0].cols = Layout { places: 1, block: 0 },
            &["matrices[0].cols: blocks of 0 channels of 1 neurons are no order of 2 (1 and 1 \
               where neurons lie in order)"],
        ),
        (
            |p| p.populations[1].block = 2,
            &["populations[1].block: expected 1 to 1 channels per block, not 2"],
        ),
        (
            |p| p.cores[1].compartments[0].cycle.clear(),
            &["cores[1].compartments[0].cycle: 0 sets of registers for 1 compartments"],
        ),
        (
            |p| {
                let first = p.cores[1].compartments[0].cycle[0];
                p.cores[1].compartments[0].cycle.push(first);
            },
            &["cores[1].compartments[0].cycle: 2 sets of registers for 1 compartments"],
        ),
        (|p| p.readout = ProgramReadout::SpikeCount(0), &["readout: an input is the readout"]),
        (
            |p| p.readout = ProgramReadout::SpikeCount(2),
            &["readout: the index 2 is outside a list of 2"],
        ),
        (
            |p| {
                p.readout = ProgramReadout::MeanLinear {
                    terms: vec![(1, vec![1.0, f32::NAN])],
                    bias: vec![f32::INFINITY],
                };
            },
            &[
                "readout.bias: a bias is not finite",
                "readout.terms[0].weights: expected 3 weights, not 2",
                "readout.terms[0].weights: a weight is not finite",
            ],
        ),
    ];
    for (edit, expected) in cases {
        assert_eq!(findings(edit), *expected);
    }
}

#[test]
fn layouts_of_matrices_make_sense() {
    let with = |structure: Structure| {
        findings(|p| {
            p.values.push(vec![2; structure.stored().min(9)]);
            let (rows, cols) = (Layout::ROW_MAJOR, Layout::ROW_MAJOR);
            p.matrices.push(PoolMatrix { structure, values: 2, rows, cols });
        })
    };
    let sparse = |row_start: &[u32], col: &[u32]| {
        let (row_start, col) = (row_start.to_vec(), col.to_vec());
        with(Structure::Sparse { rows: 2, cols: 2, row_start, col })
    };
    assert_eq!(sparse(&[0, 1, 2], &[1, 1]), [""; 0]);
    for (row_start, col) in [
        (&[0, 1][..], &[1][..]),
        (&[1, 1, 2], &[1, 1]),
        (&[0, 3, 2], &[0, 1]),
        (&[0, 1, 1], &[1, 1]),
        (&[0, 2, 2], &[1, 1]),
        (&[0, 1, 2], &[1, 2]),
    ] {
        let found = sparse(row_start, col);
        assert!(found.len() == 1 && found[0].starts_with("matrices[2].structure"), "{found:?}");
    }
    let conv = Conv {
        input: [2, 4, 4],
        out_channels: 2,
        kernel: [3, 3],
        stride: [1, 1],
        pad: [0; 4],
        groups: 2,
        crop: [0; 4],
    };
    assert_eq!(with(Structure::Conv(Conv { kernel: [1, 1], ..conv })), [""; 0]);
    for bad in [
        Conv { stride: [0, 1], ..conv },
        Conv { groups: 0, ..conv },
        Conv { groups: 3, ..conv },
        Conv { kernel: [5, 3], ..conv },
        Conv { kernel: [0, 3], ..conv },
        Conv { pad: [u32::MAX, 0, 0, 0], ..conv },
        Conv { crop: [2, 2, 0, 0], ..conv },
        Conv { crop: [0, 0, u32::MAX, 1], ..conv },
        Conv { input: [2, 1 << 16, 1 << 16], ..conv },
    ] {
        assert_eq!(with(Structure::Conv(bad)).len(), 1, "{bad:?}");
    }
    assert_eq!(with(Structure::Dense { rows: 0, cols: 1 }).len(), 1);
    assert_eq!(with(Structure::Identity { size: 0 }).len(), 1);
}

#[test]
fn the_list_of_findings_ends() {
    let found = findings(|p| {
        p.inputs = vec![InputRoute { population: 9, first: 0, len: 0, core: 9, axon: 0 }; 500];
    });
    assert_eq!(found.len(), 100);
}

#[test]
fn headers_tell_other_files_apart() {
    let bytes = encode(&sound());
    let code = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        edit(&mut bytes);
        let error = read(&bytes).unwrap_err();
        let first = error.iter().next().unwrap();
        format!("{}: {}", first.code, first.message)
    };
    assert_eq!(code(&|b| b[0] = b'X'), "SNN0610: the file does not start with the letters SNNB");
    assert_eq!(code(&|b| b[4] = 2), "SNN0611: the file is of kind 2, not a program");
    assert_eq!(code(&|b| b[5] = 2), "SNN0611: the program has format version 2");
    assert_eq!(code(&|b| b[5] = 4), "SNN0611: the program has format version 4");
    assert_eq!(code(&|b| b[5] = 6), "SNN0611: the program has format version 6");
    assert_eq!(code(&|b| b.push(0)), "SNN0610: 1 bytes follow the program");
    assert_eq!(code(&|b| b.truncate(3)), "SNN0610: 4 bytes are needed and 3 are left");
}

#[test]
fn no_prefix_of_a_program_is_a_program() {
    for program in [sound(), messages::sound()] {
        let bytes = encode(&program);
        for end in 0..bytes.len() {
            let error = read(&bytes[..end]).unwrap_err();
            assert_eq!(error.len(), 1, "decoding stops at the first error");
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(program in any_program()) {
        let bytes = encode(&program);
        let decoded = records::file(&mut Cursor::new(&bytes)).map_err(|e| e.to_string());
        prop_assert_eq!(decoded, Ok(program));
    }

    #[test]
    fn checking_nonsense_does_not_panic(program in any_program()) {
        structure::check(&program, &mut Diagnostics::new());
    }

    /// A damaged file is refused or means something else; it never brings the reader down, and no
    /// second encoding of the same program is accepted.
    #[test]
    fn damaged_bytes_do_not_panic(
        edits in vec((any::<Index>(), any::<u8>()), 1..5),
        graded in any::<bool>(),
    ) {
        let sound = encode(&if graded { messages::sound() } else { sound() });
        let mut bytes = sound.clone();
        for (at, value) in &edits {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        if let Ok(program) = read(&bytes) {
            prop_assert_eq!(encode(&program), bytes);
        }
    }

    #[test]
    fn inserted_and_removed_bytes_do_not_panic(
        at in any::<Index>(),
        insert in vec(any::<u8>(), 0..6),
        remove in 0..6_usize,
        graded in any::<bool>(),
    ) {
        let mut bytes = encode(&if graded { messages::sound() } else { sound() });
        let at = 7 + at.index(bytes.len() - 7);
        let end = (at + remove).min(bytes.len());
        bytes.splice(at..end, insert);
        if let Ok(program) = read(&bytes) {
            prop_assert_eq!(encode(&program), bytes);
        }
    }
}
