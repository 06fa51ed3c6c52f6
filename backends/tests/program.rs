//! `program.snnb`: what the writer puts into the bytes and the reader gets out of them.

mod common;

use common::{Net, split_recurrent, target};
use proptest::prelude::*;
use snnc_backends::program::{encode, read, write};
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::mapped::usage::Accounting;
use snnc_ir::network::Keep;
use snnc_ir::program::{CompartmentRun, Format, GradedMode, Layout, Program, Registers};
use snnc_ir::quantized::{IntReset, PopKind, Role, Sign, Structure};
use snnc_ir::testing::{Space, blocked, mapped};
use snnc_ir::{Level, MappedNetwork, Param, Rules, TargetSpec};
use std::collections::BTreeMap;

fn emit(network: &MappedNetwork, target: &TargetSpec) -> Program {
    let bytes = write(network, target).unwrap_or_else(|e| panic!("{e}"));
    let program = read(&bytes).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(encode(&program), bytes, "the reader loses nothing");
    program
}

fn errors(network: &MappedNetwork, target: &TargetSpec) -> String {
    write(network, target).expect_err("the writer must refuse").to_string()
}

/// Synapses as (source, its neuron, target, its neuron, hardware delay) → weights, sorted.
type Synapses = BTreeMap<(String, usize, String, usize, u32), Vec<i32>>;

/// The synapses of a network before mapping.
fn synapses_of_network(network: &MappedNetwork) -> Synapses {
    let net = &network.network;
    let mut all = Synapses::new();
    for p in net.projections.values() {
        let (source, to) = (&net.populations[p.source], &net.populations[p.target]);
        let matrix = &net.matrices[p.matrix];
        for row in 0..matrix.structure.rows() {
            matrix.for_row(row, |col, weight| {
                let key = (source.name.clone(), col, to.name.clone(), row, p.delay);
                all.entry(key).or_default().push(weight);
            });
        }
    }
    for weights in all.values_mut() {
        weights.sort_unstable();
    }
    all
}

/// The synapses of a program, found by following its routes and blocks.
fn synapses_of_program(program: &Program) -> Synapses {
    let mut all = Synapses::new();
    let int = |n: usize| u32::try_from(n).expect("fixtures are small");
    let symbol = |p: u32| program.populations[p as usize].name.clone();
    let lie = |p: u32, position: u32| program.populations[p as usize].order().neuron(position);
    let compartments: Vec<Vec<(u32, u32)>> = program
        .cores
        .iter()
        .map(|core| {
            let runs = core.compartments.iter();
            let neuron = |r: &CompartmentRun, i| (r.population, lie(r.population, r.first + i));
            runs.flat_map(|r| (0..r.len).map(move |i| neuron(r, i))).collect()
        })
        .collect();
    let mut sources: BTreeMap<(u32, u32), (u32, u32)> = BTreeMap::new();
    for r in &program.inputs {
        for i in 0..r.len {
            let neuron = lie(r.population, r.first + i);
            sources.insert((r.core, r.axon + i), (r.population, neuron));
        }
    }
    for (core, content) in program.cores.iter().enumerate() {
        for r in &content.routes {
            for i in 0..r.len {
                let neuron = compartments[core][(r.compartment + i) as usize];
                sources.insert((r.core, r.axon + i), neuron);
            }
        }
    }
    for (core, content) in program.cores.iter().enumerate() {
        for b in &content.synapses {
            let matrix = &program.matrices[b.matrix as usize];
            let format = content.formats[b.format as usize];
            let values = &program.values[matrix.values as usize];
            let (rows, cols) = (matrix.row_order(), matrix.col_order());
            for j in 0..b.compartments {
                matrix.structure.for_row(rows.neuron(b.row + j) as usize, |col, k| {
                    let Some(i) = cols.position(int(col)).checked_sub(b.col) else { return };
                    if i >= b.axons || values[k] == 0 {
                        return;
                    }
                    let source = sources[&(int(core), b.axon + i)];
                    let to = compartments[core][(b.compartment + j) as usize];
                    let key = (
                        symbol(source.0),
                        source.1 as usize,
                        symbol(to.0),
                        to.1 as usize,
                        u32::from(b.delay) + 1,
                    );
                    let (mantissa, e) = (i32::from(values[k]), format.exponent);
                    let scale = 1 << e.unsigned_abs();
                    assert!(e >= 0 || mantissa % scale == 0, "a weight is an integer");
                    let weight = if e >= 0 { mantissa * scale } else { mantissa / scale };
                    all.entry(key).or_default().push(weight);
                });
            }
        }
    }
    for weights in all.values_mut() {
        weights.sort_unstable();
    }
    all
}

#[test]
fn a_split_recurrent_network_decodes_to_these_tables() {
    let target = target("loihi1");
    insta::assert_debug_snapshot!(emit(&split_recurrent(&target), &target));
}

#[test]
fn the_bytes_are_these() {
    // The example of `docs/program-format.md`, section 7.
    let target = target("loihi1");
    let mut net = Net::new(3);
    let x = net.input("x", &[1]);
    let y = net.neurons("y", &[1], 1);
    net.dense(x, y, 1, &[-3]);
    let bytes = write(&net.map_whole(&target), &target).unwrap();
    let page = include_str!("../../docs/program-format.md");
    let example = page.split("```bytes\n").nth(1).unwrap().split("```").next().unwrap();
    let listed: Vec<u8> = example
        .lines()
        .flat_map(|line| line.split('|').next().unwrap().split_whitespace())
        .map(|hex| u8::from_str_radix(hex, 16).unwrap())
        .collect();
    assert_eq!(listed, bytes, "{bytes:02x?}");
}

#[test]
fn routes_and_blocks_are_exactly_the_synapses() {
    let target = target("loihi2");
    let network = split_recurrent(&target);
    assert_eq!(synapses_of_program(&emit(&network, &target)), synapses_of_network(&network));
}

#[test]
fn a_convolution_split_over_cores_keeps_its_synapses() {
    let target = target("loihi2");
    let mut net = Net::new(4);
    let x = net.input("x", &[2, 5, 4]);
    let h = net.neurons("h", &[4, 3, 2], 1);
    let conv = Conv {
        input: [2, 5, 4],
        out_channels: 4,
        kernel: [3, 3],
        stride: [2, 2],
        pad: [1, 1, 1, 0],
        groups: 2,
        crop: [0; 4],
    };
    let kernel: Vec<i16> = (0..36).map(|k| k - 17).collect();
    net.conv(x, h, 2, conv, &kernel);
    let network = net.map(&target, &[&[(h, 0, 7)], &[(h, 20, 4)], &[(h, 7, 13)]]);
    let program = emit(&network, &target);
    assert_eq!(synapses_of_program(&program), synapses_of_network(&network));
    assert_eq!(program.matrices.len(), 1, "the kernel is stored once");
    assert_eq!(program.values[0].len(), 36, "and is not expanded");
}

#[test]
fn equal_matrices_are_stored_once_even_with_other_exponents() {
    let target = target("loihi1");
    let mut net = Net::new(2);
    let x = net.input("x", &[2]);
    let (a, b) = (net.neurons("a", &[2], 1), net.neurons("b", &[2], 1));
    net.dense(x, a, 1, &[1, 2, 3, 4]);
    net.dense(x, b, 2, &[1, 2, 3, 4]);
    let dense = Structure::Dense { rows: 2, cols: 2 };
    net.connect(a, b, 1, dense.clone(), vec![2, 4, 6, 8], 3, Sign::Excitatory);
    net.connect(b, b, 1, dense, vec![2, 4, 6, 10], 3, Sign::Excitatory);
    let program = emit(&net.map_whole(&target), &target);
    assert_eq!(program.matrices.len(), 2);
    let matrices = program.cores.iter().flat_map(|c| &c.synapses).map(|s| s.matrix);
    assert_eq!(matrices.collect::<Vec<_>>(), [0, 0, 0, 1]);
}

#[test]
fn unused_matrices_stay_out_of_the_pool() {
    let target = target("loihi1");
    let mut net = Net::new(2);
    let x = net.input("x", &[1]);
    let y = net.neurons("y", &[1], 1);
    net.dense(x, y, 1, &[1]);
    net.dense(x, y, 1, &[2]);
    net.draft.projections = net.draft.projections.into_values().into_iter().skip(1).collect();
    let program = emit(&net.map_whole(&target), &target);
    assert_eq!(program.matrices.len(), 1);
    assert_eq!(program.values, [[4]]);
}

#[test]
fn sign_groups_keep_the_ninth_bit() {
    let target = target("loihi1");
    let mut net = Net::new(2);
    let x = net.input("x", &[2]);
    let y = net.neurons("y", &[1], 1);
    let dense = Structure::Dense { rows: 1, cols: 2 };
    net.connect(x, y, 1, dense.clone(), vec![255, 0], 0, Sign::Excitatory);
    net.connect(x, y, 4, dense, vec![0, -255], 1, Sign::Inhibitory);
    let network = net.map_whole(&target);
    let program = emit(&network, &target);
    let format = |exponent, sign, delay_bits| Format { exponent, sign, weight_bits: 8, delay_bits };
    let formats = [format(0, Sign::Excitatory, 0), format(1, Sign::Inhibitory, 2)];
    assert_eq!(program.cores[0].formats, formats);
    assert_eq!(synapses_of_program(&program), synapses_of_network(&network));
}

/// Weights take as few bits as they need, so groups of different widths are different formats.
#[test]
fn narrow_weights_are_stored_as_such() {
    let target = target("loihi1");
    let mut net = Net::new(2);
    let x = net.input("x", &[2]);
    let y = net.neurons("y", &[1], 1);
    let dense = Structure::Dense { rows: 1, cols: 2 };
    net.connect(x, y, 1, dense.clone(), vec![-256, 192], 3, Sign::Mixed);
    net.connect(x, y, 1, dense.clone(), vec![-256, 128], 3, Sign::Mixed);
    net.connect(x, y, 1, dense.clone(), vec![0, 240], 0, Sign::Excitatory);
    net.connect(x, y, 1, dense.clone(), vec![0, -240], 0, Sign::Inhibitory);
    net.connect(x, y, 1, dense, vec![0, 2], 0, Sign::Excitatory);
    let network = net.map_whole(&target);
    let program = emit(&network, &target);
    let format =
        |exponent, sign, weight_bits| Format { exponent, sign, weight_bits, delay_bits: 0 };
    let formats = [
        format(3, Sign::Mixed, 3),
        format(3, Sign::Mixed, 2),
        format(0, Sign::Excitatory, 4),
        format(0, Sign::Inhibitory, 4),
        format(0, Sign::Excitatory, 8),
    ];
    assert_eq!(program.cores[0].formats, formats);
    assert_eq!(synapses_of_program(&program), synapses_of_network(&network));
}

/// Profile and threshold of each set of registers.
fn tables(cycle: &[Registers]) -> Vec<(u32, u32)> {
    cycle.iter().map(|r| (r.profile, r.threshold)).collect()
}

#[test]
fn heterogeneous_neurons_share_profiles_and_runs() {
    let target = target("loihi1");
    let mut net = Net::new(2);
    let x = net.input("x", &[1]);
    let y = net.neurons("y", &[2, 2, 2], 1);
    net.neuron(y).du = Param::PerChannel(vec![4095, 100]);
    net.neuron(y).threshold = Param::PerNeuron(vec![64, 64, 128, 128, 64, 64, 64, 64]);
    net.dense(x, y, 1, &[1; 8]);
    let core = &emit(&net.map_whole(&target), &target).cores[0];
    assert_eq!(core.profiles.iter().map(|p| p.du).collect::<Vec<_>>(), [4095, 100]);
    assert_eq!(core.thresholds, [1, 2]);
    let runs: Vec<_> =
        core.compartments.iter().map(|r| (r.first, r.len, tables(&r.cycle))).collect();
    // Equal registers follow each other.
    assert_eq!(runs, [(0, 2, vec![(0, 0)]), (2, 2, vec![(0, 1)]), (4, 4, vec![(1, 0)])]);
}

/// Channels lie together at each place: thresholds and biases of channels come back, and are stored once.
#[test]
fn registers_of_channels_repeat_in_blocks() {
    let target = target("loihi2");
    let mut net = Net::new(2);
    let x = net.input("x", &[3, 2, 2]);
    let y = net.neurons("y", &[3, 2, 2], 1);
    net.neuron(y).threshold = Param::PerChannel(vec![64, 128, 192]);
    net.neuron(y).bias = Param::PerChannel(vec![0, 0, 64]);
    let conv = Conv {
        input: [3, 2, 2],
        out_channels: 3,
        kernel: [1, 1],
        stride: [1, 1],
        pad: [0; 4],
        groups: 1,
        crop: [0; 4],
    };
    net.conv(x, y, 1, conv, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let mut draft = net.map(&target, &[&[(y, 0, 7)], &[(y, 7, 5)]]).into_draft();
    draft.orders = vec![3, 2];
    let network = MappedNetwork::verify(draft, &Rules::default()).expect("a permutation");
    let program = emit(&network, &target);
    assert_eq!(synapses_of_program(&program), synapses_of_network(&network));
    assert_eq!(program.populations.iter().map(|s| s.block).collect::<Vec<_>>(), [3, 2]);
    let matrix = &program.matrices[0];
    let layout = |l: Layout| (l.places, l.block);
    assert_eq!((layout(matrix.rows), layout(matrix.cols)), ((4, 2), (4, 3)));
    // Channels 0 and 1 of three places and a half; the rest, and channel 2 of its own block.
    let runs = |core: usize| -> Vec<_> {
        let runs = program.cores[core].compartments.iter();
        runs.map(|r| (r.first, r.len, tables(&r.cycle))).collect()
    };
    assert_eq!(runs(0), [(0, 7, vec![(0, 0), (0, 1)])]);
    assert_eq!(runs(1), [(7, 1, vec![(0, 0)]), (8, 4, vec![(0, 1)])]);
}

#[test]
fn biases_prefer_the_exponent_of_netx() {
    let target = target("loihi1");
    let mut net = Net::new(2);
    let x = net.input("x", &[1]);
    let y = net.neurons("y", &[6], 1);
    let biases = vec![0, 64, -4095 * 64, 3, -6, 4095 * 128];
    net.neuron(y).bias = Param::PerNeuron(biases.clone());
    net.dense(x, y, 1, &[1; 6]);
    let core = &emit(&net.map_whole(&target), &target).cores[0];
    let registers: Vec<_> =
        core.compartments[0].cycle.iter().map(|r| (r.bias_mantissa, r.bias_exponent)).collect();
    let expected = [(0, 0), (1, 6), (-4095, 6), (3, 0), (-6, 0), (4095, 7)];
    assert_eq!(registers, expected);
    let decoded: Vec<i32> = registers.iter().map(|&(m, e)| i32::from(m) << e).collect();
    assert_eq!(decoded, biases);
}

#[test]
fn relays_clocks_and_latencies_reach_the_symbol_table() {
    let target = target("loihi1");
    let mut net = Net::new(7);
    net.period = 2;
    let x = net.input("x", &[2]);
    let r = net.relay("r", x, 1);
    let k = net.neurons("k", &[1], 1);
    net.draft.populations[k].role = Role::Clock;
    net.neuron(k).bias = Param::Uniform(640);
    net.neuron(k).threshold = Param::Uniform(1216);
    let y = net.neurons("y", &[2], 3);
    net.dense(r, y, 2, &[1, 2, 3, 4]);
    net.dense(k, y, 2, &[1, 1]);
    let network = net.map_whole(&target);
    let program = emit(&network, &target);
    assert_eq!((program.period, program.run_steps), (2, 2 * 7 + 3));
    let table = format!("{:?}", program.populations.iter().map(|s| &s.role).collect::<Vec<_>>());
    assert_eq!(table, "[Input(Events), Relay { of: 0, hops: 1 }, Clock, Neurons]");
    assert_eq!(synapses_of_program(&program), synapses_of_network(&network));
}

#[test]
fn programmable_neurons_are_for_programmable_targets() {
    let make = |target: &TargetSpec| {
        let mut net = Net::new(2);
        net.period = 3;
        let x = net.input("x", &[1]);
        let y = net.neurons("y", &[2], 4);
        net.neuron(y).reset = IntReset::Subtract(Param::PerNeuron(vec![640, 704]));
        net.neuron(y).update_period = 3;
        net.dense(x, y, 4, &[1, 2]);
        net.map_whole(target)
    };
    let loihi2 = target("loihi2");
    let profiles = emit(&make(&loihi2), &loihi2).cores[0].profiles.clone();
    assert_eq!(profiles.iter().map(|p| p.subtract).collect::<Vec<_>>(), [Some(640), Some(704)]);
    assert_eq!(profiles[0].update, (3, 1));
    let loihi1 = target("loihi1");
    let refused = errors(&make(&loihi1), &loihi1);
    assert!(refused.contains("subtraction") && refused.contains("every 3 steps"), "{refused}");
}

#[test]
fn tables_of_a_core_are_limited() {
    let target = target("loihi1");
    let mut net = Net::new(2);
    let x = net.input("x", &[1]);
    let y = net.neurons("y", &[9], 1);
    net.neuron(y).threshold = Param::PerNeuron((1..=9).map(|m| 64 * m).collect());
    net.dense(x, y, 1, &[1; 9]);
    let split = net.map_whole(&target);
    let refused = errors(&split, &target);
    assert!(
        refused.contains("core0 needs 9 thresholds") && refused.contains("builder"),
        "{refused}"
    );
}

#[test]
fn a_network_for_another_target_is_refused() {
    let (one, two) = (target("loihi1"), target("loihi2"));
    let refused = errors(&split_recurrent(&one), &two);
    assert!(refused.contains("mapped for loihi1, not for loihi2"), "{refused}");
}

/// A host that writes to relays and to neurons, and relays next to neurons on one core.
fn hosted(target: &TargetSpec) -> MappedNetwork {
    let mut net = Net::new(3);
    let g = net.graded("g", &[3], 0, Some(Keep::Negative));
    let h = net.neurons("h", &[2], 0);
    net.neuron(h).bias = Param::PerNeuron(vec![0, 96]);
    let y = net.neurons("y", &[2], 1);
    net.direct("image", &[2], g);
    net.direct("sound", &[1], h);
    net.dense(g, y, 1, &[1, 2, 3, 4, 5, 6]);
    net.dense(h, y, 1, &[1, 2, 3, 4]);
    net.map(target, &[&[(g, 0, 3)], &[(h, 0, 2), (y, 0, 2)]])
}

#[test]
fn relays_and_the_tables_of_the_host_are_written() {
    let target = target("loihi2");
    let network = hosted(&target);
    let program = emit(&network, &target);
    assert_eq!(synapses_of_program(&program), synapses_of_network(&network));
    let profile = program.cores[0].profiles[0];
    assert_eq!(profile.graded, Some(GradedMode { keep: Some(Keep::Negative), shift: 0 }));
    assert_eq!((profile.du, profile.dv, profile.refractory), (4095, 4095, 1));
    assert_eq!(
        program.cores[0].thresholds,
        [0],
        "relays alone have one entry, which they do not use"
    );
    let registers = |core: usize| -> Vec<_> {
        let runs = program.cores[core].compartments.iter();
        let bias = |r: &Registers| (r.threshold, r.bias_mantissa, r.bias_exponent);
        runs.map(|r| (r.len, r.cycle.iter().map(bias).collect::<Vec<_>>())).collect()
    };
    // A bias of 2 messages; then 0 and 96 with room for what the host adds; then no host.
    assert_eq!(registers(0), [(3, vec![(0, 2, 6)])]);
    assert_eq!(registers(1), [(2, vec![(0, 0, 6), (0, 3, 5)]), (2, vec![(0, 0, 0)])]);
    let written: Vec<_> = program.host.iter().map(|h| (h.input, h.target)).collect();
    assert_eq!(written, [(3, 0), (4, 1)]);
    for (map, source) in program.host.iter().zip(&network.network.host) {
        assert_eq!(
            (&map.structure, map.scale.to_bits()),
            (&source.structure, source.scale.to_bits())
        );
        let bits = |w: &[f32]| w.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&map.weights), bits(&source.weights));
    }
    // A target without messages.
    let loihi1 = self::target("loihi1");
    let refused = errors(&hosted(&loihi1), &loihi1);
    assert!(refused.contains("graded relays have no register"), "{refused}");
    assert!(refused.contains("message_bits = 0"), "{refused}");
}

/// A network of an input and two populations with random projections, cut into random slices that
/// are dealt to three cores.
fn random_network() -> impl Strategy<Value = MappedNetwork> {
    let sizes = (1..6_u32, 1..7_u32, 1..5_u32);
    let projections = proptest::collection::vec((0..3_usize, 1..3_usize, 1..9_u32, 0..3_u8), 1..6);
    (sizes, projections, any::<u64>()).prop_map(|((x, h, y), projections, seed)| {
        let mut random = seed;
        let mut below = |n: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % n
        };
        let small = |n: u64| i16::try_from(n).expect("it is small");
        let mut net = Net::new(3);
        let populations =
            [net.input("x", &[x]), net.neurons("h", &[h], 1), net.neurons("y", &[y], 1)];
        let sizes = [x, h, y];
        for (population, size) in populations.into_iter().zip(sizes).skip(1) {
            let values = (0..size).map(|_| 64 * i32::from(small(below(3))) - 64);
            net.neuron(population).bias = Param::PerNeuron(values.collect());
            net.neuron(population).dv = Param::Uniform(if below(2) == 0 { 0 } else { 9 });
        }
        for (source, to, delay, sign) in projections {
            let (rows, cols) = (sizes[to], sizes[source]);
            let sign = [Sign::Mixed, Sign::Excitatory, Sign::Inhibitory][usize::from(sign)];
            let mut mantissa = || match sign {
                Sign::Mixed => 2 * small(below(256)) - 256,
                Sign::Excitatory => small(below(256)),
                Sign::Inhibitory => -small(below(256)),
            };
            let (structure, mantissa) = if delay % 2 == 0 {
                let stored = (0..rows * cols).map(|_| mantissa()).collect();
                (Structure::Dense { rows, cols }, stored)
            } else {
                let mut row_start = vec![0];
                let mut col = Vec::new();
                for row in 0..rows {
                    col.extend((0..cols).filter(|c| (c + row) % 3 != 0));
                    row_start.push(u32::try_from(col.len()).expect("it is small"));
                }
                let stored = col.iter().map(|_| mantissa()).collect();
                (Structure::Sparse { rows, cols, row_start, col }, stored)
            };
            let exponent = if sign == Sign::Mixed { -1 } else { 0 };
            net.connect(
                populations[source],
                populations[to],
                delay,
                structure,
                mantissa,
                exponent,
                sign,
            );
        }
        let mut cores = vec![Vec::new(); 3];
        for (population, size) in populations.into_iter().zip(sizes).skip(1) {
            let mut start = 0;
            while start < size {
                let len = 1 + u32::try_from(below(u64::from(size - start))).expect("it is small");
                cores[usize::try_from(below(3)).expect("it is small")]
                    .push((population, start, len));
                start += len;
            }
        }
        let cores: Vec<_> = cores.iter().map(Vec::as_slice).filter(|c| !c.is_empty()).collect();
        net.map(&target("loihi2"), &cores)
    })
}

proptest! {
    /// Whatever the verifier accepts is read as it was written: messages, tables of the host, crops.
    #[test]
    fn every_mapped_network_is_read_as_it_was_written(
        draft in prop_oneof![mapped(Space::Everything), blocked(Space::Everything), blocked(Space::Stages)],
    ) {
        let target = snnc_ir::testing::target(true);
        let network = MappedNetwork::verify(draft, &Rules::default()).expect("generated valid");
        let program = emit(&network, &target);
        prop_assert_eq!(synapses_of_program(&program), synapses_of_network(&network));
        let net = &network.network;
        prop_assert_eq!(program.host.len(), net.host.len());
        for (map, host) in program.host.iter().zip(&net.host) {
            let ends = (map.input as usize, map.target as usize);
            prop_assert_eq!(ends, (host.input.index(), host.target.index()));
            prop_assert_eq!(&map.structure, &host.structure);
            let bits = |w: &[f32]| w.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&map.weights), bits(&host.weights));
            prop_assert_eq!(map.scale.to_bits(), host.scale.to_bits());
        }
        let accounting = Accounting::new(net, &network.orders);
        for (core, written) in network.cores.values().zip(&program.cores) {
            let usage = accounting.core_usage(core, &target);
            prop_assert_eq!(written.profiles.len() as u64, usage.profiles);
            // Relays name an entry that they do not use.
            let named = u64::from(!written.compartments.is_empty());
            prop_assert_eq!(written.thresholds.len() as u64, usage.thresholds.max(named));
            for run in &written.compartments {
                let id = PopId::new(run.population as usize);
                let population = &net.populations[id];
                let mode = population.graded().map(|g| GradedMode { keep: g.keep, shift: g.shift });
                let order = program.populations[run.population as usize].order();
                for i in 0..run.len {
                    let registers = run.registers(i);
                    let profile = written.profiles[registers.profile as usize];
                    prop_assert_eq!(profile.graded, mode);
                    let neuron = order.neuron(run.first + i) as usize;
                    let shape = &population.shape;
                    let bias = match &population.kind {
                        PopKind::Input(_) => panic!("an input on a core"),
                        PopKind::Neurons(n) => n.bias.at(neuron, shape),
                        PopKind::Graded(g) => 64 * g.bias.at(neuron, shape),
                    };
                    prop_assert_eq!(i32::from(registers.bias_mantissa) << registers.bias_exponent, bias);
                }
            }
        }
    }

    #[test]
    fn every_mapping_keeps_synapses_and_registers(network in random_network()) {
        let program = emit(&network, &target("loihi2"));
        prop_assert_eq!(synapses_of_program(&program), synapses_of_network(&network));
        let mut biases = vec![vec![None; 8]; 3];
        for core in &program.cores {
            for run in &core.compartments {
                for i in 0..run.len {
                    let registers = run.registers(i);
                    let bias = i32::from(registers.bias_mantissa) << registers.bias_exponent;
                    let dv = core.profiles[registers.profile as usize].dv;
                    let order = program.populations[run.population as usize].order();
                    let neuron = order.neuron(run.first + i) as usize;
                    let place = &mut biases[run.population as usize][neuron];
                    prop_assert_eq!(place.replace((bias, dv)), None, "a neuron is placed once");
                }
            }
        }
        for (id, population) in network.network.populations.iter() {
            let Some(neuron) = population.neuron() else { continue };
            let shape = &population.shape;
            let expected = (0..8).map(|n| {
                (n < population.size()).then(|| (neuron.bias.at(n, shape), neuron.dv.at(n, shape)))
            });
            prop_assert_eq!(&biases[id.index()], &expected.collect::<Vec<_>>());
        }
    }

    /// The tables are those that the mapping was charged for: a synapse of a short delay does not
    /// pay for, or hide, the bits of a long one elsewhere on its core.
    #[test]
    fn formats_are_those_that_were_accounted(network in random_network()) {
        let target = target("loihi2");
        let program = read(&write(&network, &target).expect("writes")).expect("reads");
        let accounting = Accounting::new(&network.network, &network.orders);
        for (core, written) in network.cores.values().zip(&program.cores) {
            let usage = accounting.core_usage(core, &target);
            prop_assert_eq!(written.formats.len() as u64, usage.formats);
            for block in &written.synapses {
                let format = written.formats[block.format as usize];
                let bits = u32::from(format.delay_bits);
                prop_assert_eq!(bits, u8::BITS - block.delay.leading_zeros());
                let values = program.matrices[block.matrix as usize].values;
                let mantissas = &program.values[values as usize];
                let holds = |bits| mantissas.iter().all(|m| m % format.sign.step(bits) == 0);
                let narrowest = [1, 2, 3, 4, 5, 6, 8].into_iter().find(|bits| holds(*bits));
                prop_assert_eq!(Some(format.weight_bits), narrowest);
            }
        }
    }
}
