//! `network.net`, read back with an HDF5 reader.

mod common;

use common::{Net, split_recurrent, target};
use hdf5_pure::{DType, Dataset, File};
use snnc_backends::netx::{self, Layout, Part};
use snnc_backends::{Backend, LoihiBackend, NETX_FILE, PROGRAM_FILE};
use snnc_ir::arena::{Entity, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::diag::codes::artifact;
use snnc_ir::network::{Compare, Keep};
use snnc_ir::quantized::{IntReset, Role, Sign, Structure};
use snnc_ir::{Diagnostic, MappedNetwork, Param, TargetSpec};

struct Reader(File);

impl Reader {
    fn of(network: &MappedNetwork) -> Self {
        let bytes = netx::write(network, &target("loihi2")).unwrap_or_else(|why| panic!("{why}"));
        Self(File::from_bytes(bytes).expect("it is HDF5"))
    }

    fn data(&self, path: &str) -> Dataset {
        self.0.dataset(&format!("layer/{path}")).expect("the dataset is there")
    }

    /// The types of the layers, in order.
    fn kinds(&self) -> Vec<String> {
        let layers = self.0.group("layer").and_then(|g| g.groups()).expect("there are layers");
        (0..layers.len())
            .map(|i| {
                let kind = self.data(&format!("{i}/type"));
                assert_eq!(kind.shape().expect("it has a shape"), [1]);
                kind.read_string().expect("it holds strings").remove(0)
            })
            .collect()
    }

    /// Extents and values of `layer/<path>`, which must be float32.
    fn floats(&self, path: &str) -> (Vec<u64>, Vec<f32>) {
        let data = self.data(path);
        assert_eq!(data.dtype().expect("it has a type"), DType::F32, "{path}");
        let values = data.read_f32().expect("it holds float32");
        (data.shape().expect("it has a shape"), values)
    }

    /// Extents and values of `layer/<path>`, which must be int64.
    fn parameters(&self, path: &str) -> (Vec<u64>, Vec<i64>) {
        let data = self.data(path);
        assert_eq!(data.dtype().expect("it has a type"), DType::I64, "{path}");
        let values = data.read_i64().expect("it holds int64");
        (data.shape().expect("it has a shape"), values)
    }

    fn integers(&self, path: &str) -> Vec<i64> {
        self.parameters(path).1
    }

    fn names(&self, group: &str) -> Vec<String> {
        let group = self.0.group(&format!("layer/{group}")).expect("the layer is there");
        let mut names = group.datasets().expect("it holds datasets");
        names.sort();
        names
    }
}

fn refused(network: &MappedNetwork) -> Diagnostic {
    netx::write(network, &target("loihi2")).expect_err("NetX cannot express it")
}

fn part(population: &str, layer: usize, first: usize, len: usize) -> Part {
    Part { population: population.to_owned(), layer, first, len }
}

/// Input, hidden, output; the edit changes it before it is mapped.
fn chain(edit: impl FnOnce(&mut Net, [PopId; 3])) -> MappedNetwork {
    let mut net = Net::new(5);
    let x = net.input("x", &[2]);
    let h = net.neurons("h", &[3], 1);
    let y = net.neurons("y", &[2], 2);
    net.dense(x, h, 1, &[1, -2, 3, 4, 5, 6]);
    net.dense(h, y, 1, &[-127, 2, 3, 4, 5, 127]);
    edit(&mut net, [x, h, y]);
    net.map_whole(&target("loihi2"))
}

/// A net that is no chain: a skip connection beside two layers, relayed to arrive in time.
fn skip(delay: u32, edit: impl FnOnce(&mut Net, [PopId; 4])) -> MappedNetwork {
    let mut net = Net::new(5);
    let x = net.input("x", &[2]);
    let h = net.neurons("h", &[2], 1);
    let y = net.neurons("y", &[2], 2);
    net.dense(x, h, 1, &[1, -2, 3, 4]);
    net.dense(h, y, 1, &[5, 6, 7, -8]);
    let z = if delay == 1 { net.relay("r", x, 1) } else { x };
    net.dense(z, y, delay, &[9, 10, 11, 12]);
    edit(&mut net, [x, h, y, z]);
    net.map_whole(&target("loihi2"))
}

/// A matrix that is split by sign is one layer again.
#[test]
fn parts_of_a_matrix_are_joined() {
    let dense = Structure::Dense { rows: 3, cols: 2 };
    let mut net = Net::new(5);
    let x = net.input("x", &[2]);
    let h = net.neurons("h", &[3], 1);
    let y = net.neurons("y", &[3], 2);
    net.connect(x, h, 1, dense.clone(), vec![80, 0, 0, 96, 112, 0], -4, Sign::Excitatory);
    net.connect(x, h, 1, dense, vec![0, -48, -16, 0, 0, 0], -4, Sign::Inhibitory);
    // Another layout takes a full matrix.
    net.connect(h, y, 2, Structure::Identity { size: 3 }, vec![9], 0, Sign::Excitatory);
    let (row_start, col) = (vec![0, 0, 2, 2], vec![0, 1]);
    let sparse = Structure::Sparse { rows: 3, cols: 3, row_start, col };
    net.connect(h, y, 2, sparse, vec![-4, -2], 1, Sign::Mixed);
    let file = Reader::of(&net.map_whole(&target("loihi2")));
    assert_eq!(file.kinds(), ["input", "dense", "dense"]);
    assert_eq!(file.floats("1/weight"), (vec![3, 2], vec![5.0, -3.0, -1.0, 6.0, 7.0, 0.0]));
    let expected = vec![9.0, 0.0, 0.0, -8.0, 5.0, 0.0, 0.0, 0.0, 9.0];
    assert_eq!(file.floats("2/weight"), (vec![3, 3], expected));
}

/// Projections of different delays are no layer of a chain.
#[test]
fn parts_of_different_delays_stay_apart() {
    let dense = Structure::Dense { rows: 1, cols: 1 };
    let mut net = Net::new(5);
    let x = net.input("x", &[1]);
    let h = net.neurons("h", &[1], 1);
    net.connect(x, h, 1, dense.clone(), vec![3], 0, Sign::Excitatory);
    net.connect(x, h, 2, dense, vec![5], 0, Sign::Excitatory);
    let why = refused(&net.map_whole(&target("loihi2")));
    assert_eq!(why.code, artifact::NETX_DELAY);
    assert!(why.message.contains("there are two"), "{why}");
}

#[test]
fn weights_of_an_exponent_are_left_out() {
    let network = chain(|net, [x, h, _]| {
        let structure = Structure::Dense { rows: 3, cols: 2 };
        net.connect(x, h, 1, structure, vec![0, 0, 0, 0, 0, -20], 5, Sign::Mixed);
    });
    let why = refused(&network);
    assert_eq!(why.code, artifact::NETX_WEIGHT);
    assert!(why.to_string().contains("the weight -634 does not fit"), "{why}");
}

#[test]
fn a_chain_becomes_layers() {
    let network = chain(|net, [_, h, y]| {
        net.neuron(h).du = Param::PerNeuron(vec![4095, 0, 10]);
        net.neuron(h).bias = Param::PerNeuron(vec![0, 64, -128]);
        net.neuron(y).threshold = Param::Uniform(1280);
    });
    let file = Reader::of(&network);
    assert_eq!(file.kinds(), ["input", "dense", "dense"]);
    assert_eq!(file.integers("0/shape"), [2]);
    assert_eq!(file.integers("1/shape"), [3]);
    assert_eq!(file.floats("1/weight"), (vec![3, 2], vec![1.0, -2.0, 3.0, 4.0, 5.0, 6.0]));
    assert_eq!(file.parameters("1/neuron/iDecay"), (vec![3], vec![4096, 1, 11]));
    assert_eq!(file.parameters("1/neuron/vDecay"), (vec![], vec![0]));
    assert_eq!(file.floats("1/bias"), (vec![3], vec![0.0, 1.0, -2.0]));
    assert_eq!(file.parameters("2/neuron/vThMant"), (vec![], vec![20]));
    assert_eq!(file.names("2"), ["shape", "type", "weight"]);
    let kind = file.data("2/neuron/type");
    assert_eq!(kind.read_string().unwrap(), ["LOIHI"]);
    assert!(kind.shape().unwrap().is_empty(), "a scalar");
    let layout = netx::layout(&network, &target("loihi2")).unwrap();
    assert_eq!(layout.inputs, [part("x", 0, 0, 2)]);
    assert_eq!(layout.populations, [part("h", 1, 0, 3), part("y", 2, 0, 2)]);
}

#[test]
fn a_chain_keeps_delays_below_63() {
    let with = |delay| {
        chain(|net, _| {
            for p in net.draft.projections.values_mut() {
                p.delay = delay;
            }
            net.set_latency(1, delay);
            net.set_latency(2, 2 * delay);
        })
    };
    let file = Reader::of(&with(63));
    assert_eq!(file.floats("1/delay"), (vec![], vec![62.0]));
    assert_eq!(Reader::of(&with(1)).names("1"), ["shape", "type", "weight"]);
}

#[test]
fn convolutions_stay_convolutions() {
    let mut net = Net::new(3);
    let x = net.input("x", &[1, 4, 3]);
    let h = net.neurons("h", &[2, 2, 3], 1);
    let y = net.neurons("y", &[2], 2);
    let conv = Conv {
        input: [1, 4, 3],
        out_channels: 2,
        kernel: [3, 3],
        stride: [2, 1],
        pad: [1, 1, 1, 1],
        groups: 1,
        crop: [0; 4],
    };
    let kernel: Vec<i16> = (-9..9).collect();
    net.conv(x, h, 1, conv, &kernel);
    net.dense(h, y, 1, &[1; 24]);
    net.neuron(h).bias = Param::PerChannel(vec![64, -64]);
    net.neuron(h).threshold = Param::PerNeuron((1..=12).map(|m| 64 * m).collect());
    let network = net.map_whole(&target("loihi2"));
    let file = Reader::of(&network);
    assert_eq!(file.kinds(), ["input", "conv", "flatten", "dense"]);
    assert_eq!(file.integers("0/shape"), [1, 4, 3]);
    assert_eq!(file.integers("1/shape"), [2, 2, 3]);
    assert_eq!(file.integers("1/stride"), [2, 1]);
    assert_eq!(file.integers("1/padding"), [1, 1]);
    assert_eq!(file.integers("1/groups"), [1]);
    let weights = kernel.iter().map(|&w| f32::from(w)).collect::<Vec<_>>();
    assert_eq!(file.floats("1/weight"), (vec![2, 1, 3, 3], weights));
    assert_eq!(file.floats("1/bias"), (vec![2], vec![1.0, -1.0]));
    // Neuron (channel, row, column) = (1, 0, 2) is number 8 and has the mantissa 9.
    let (shape, thresholds) = file.parameters("1/neuron/vThMant");
    assert_eq!(shape, [3, 2, 2]);
    assert_eq!(thresholds[(2 * 2) * 2 + 1], 9);
    let layout = netx::layout(&network, &target("loihi2")).unwrap();
    assert_eq!(layout.populations, [part("h", 1, 0, 12), part("y", 3, 0, 2)]);
}

#[test]
fn a_convolution_that_netx_lacks_is_expanded() {
    let mut net = Net::new(3);
    let x = net.input("x", &[1, 2, 2]);
    let h = net.neurons("h", &[1, 2, 2], 1);
    let conv = Conv {
        input: [1, 2, 2],
        out_channels: 1,
        kernel: [2, 2],
        stride: [1, 1],
        pad: [0, 1, 0, 1],
        groups: 1,
        crop: [0; 4],
    };
    net.conv(x, h, 1, conv, &[1, 2, -3, 4]);
    let file = Reader::of(&net.map_whole(&target("loihi2")));
    assert_eq!(file.kinds(), ["input", "dense"]);
    let rows =
        [[1.0, 2.0, -3.0, 4.0], [0.0, 1.0, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]];
    assert_eq!(file.floats("1/weight"), (vec![4, 4], rows.concat()));
}

/// A layer of NetX pads but does not crop: the matrix is written in full.
#[test]
fn a_convolution_with_a_crop_is_expanded() {
    let mut net = Net::new(3);
    let x = net.input("x", &[1, 2, 2]);
    let h = net.neurons("h", &[1, 2, 2], 1);
    let conv = Conv {
        input: [1, 2, 2],
        out_channels: 1,
        kernel: [2, 2],
        stride: [1, 1],
        pad: [1, 1, 1, 1],
        groups: 1,
        crop: [1, 0, 0, 1],
    };
    net.conv(x, h, 1, conv, &[1, 2, -3, 4]);
    let file = Reader::of(&net.map_whole(&target("loihi2")));
    assert_eq!(file.kinds(), ["input", "dense"]);
    // Neuron 2 (second row, first column) is all that is left of the input.
    let rows =
        [[0.0, 0.0, 4.0, 0.0], [0.0, 0.0, -3.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
    assert_eq!(file.floats("1/weight"), (vec![4, 4], rows.concat()));
}

#[test]
fn messages_and_directly_coded_inputs_have_no_place_in_a_file() {
    let mut net = Net::new(3);
    let x = net.input("x", &[2]);
    let g = net.graded("g", &[2], 1, Some(Keep::Positive));
    let y = net.neurons("y", &[1], 2);
    net.dense(x, g, 1, &[1, 2, 3, 4]);
    net.dense(g, y, 1, &[1, 2]);
    let why = refused(&net.map_whole(&target("loihi2")));
    assert_eq!(why.code, artifact::NETX_NEURON);
    assert_eq!(why.place.path.as_deref(), Some("population \"g\""));
    assert!(why.message.contains("graded messages"), "{why}");

    let mut net = Net::new(3);
    let h = net.neurons("h", &[2], 0);
    let y = net.neurons("y", &[1], 1);
    net.direct("image", &[3], h);
    net.dense(h, y, 1, &[1, 2]);
    let why = refused(&net.map_whole(&target("loihi2")));
    assert_eq!(why.code, artifact::NETX_SHAPE);
    assert_eq!(why.place.path.as_deref(), Some("population \"image\""));
}

#[test]
fn any_other_network_becomes_one_layer() {
    let network = skip(1, |net, [_, h, y, _]| {
        net.neuron(h).dv = Param::Uniform(7);
        net.neuron(y).bias = Param::PerNeuron(vec![0, 64]);
    });
    let file = Reader::of(&network);
    assert_eq!(file.kinds(), ["input", "dense_rec"]);
    assert_eq!(file.integers("1/shape"), [6]);
    let inputs = [[1.0, -2.0], [3.0, 4.0], [0.0; 2], [0.0; 2], [127.0, 0.0], [0.0, 127.0]];
    assert_eq!(file.floats("1/weight"), (vec![6, 2], inputs.concat()));
    let none = [0.0; 6];
    let recurrent = [
        none,
        none,
        [5.0, 6.0, 0.0, 0.0, 9.0, 10.0],
        [7.0, -8.0, 0.0, 0.0, 11.0, 12.0],
        none,
        none,
    ];
    assert_eq!(file.floats("1/weight_rec"), (vec![6, 6], recurrent.concat()));
    assert_eq!(file.parameters("1/neuron/vDecay"), (vec![6], vec![7, 7, 0, 0, 4095, 4095]));
    assert_eq!(file.floats("1/bias"), (vec![6], vec![0.0, 0.0, 0.0, 1.0, 0.0, 0.0]));
    let layout = netx::layout(&network, &target("loihi2")).unwrap();
    let parts = [part("h", 1, 0, 2), part("y", 1, 2, 2), part("r", 1, 4, 2)];
    assert_eq!(layout, Layout { inputs: vec![part("x", 0, 0, 2)], populations: parts.to_vec() });
}

#[test]
fn several_inputs_are_columns_one_after_the_other() {
    let mut net = Net::new(3);
    let a = net.input("a", &[2]);
    let y = net.neurons("y", &[2], 1);
    let b = net.input("b", &[1]);
    net.dense(b, y, 1, &[5, -6]);
    net.dense(a, y, 1, &[1, 2, 3, 4]);
    net.dense(a, y, 1, &[10, 0, 0, 10]);
    let network = net.map_whole(&target("loihi2"));
    let file = Reader::of(&network);
    assert_eq!(file.kinds(), ["input", "dense"], "no neuron has a synapse to another");
    assert_eq!(file.floats("1/weight"), (vec![2, 3], vec![11.0, 2.0, 5.0, 3.0, 14.0, -6.0]));
    assert_eq!(
        netx::layout(&network, &target("loihi2")).unwrap().inputs,
        [part("a", 0, 0, 2), part("b", 0, 2, 1)]
    );
}

#[test]
fn delays_without_recurrence_are_written_per_synapse() {
    let make = |second: &[i16]| {
        let mut net = Net::new(3);
        let x = net.input("x", &[2]);
        let y = net.neurons("y", &[2], 1);
        net.dense(x, y, 1, &[1, 0, 0, -4]);
        net.dense(x, y, 3, second);
        net.map_whole(&target("loihi2"))
    };
    let file = Reader::of(&make(&[0, 2, 0, 0]));
    assert_eq!(file.floats("1/weight"), (vec![2, 2], vec![1.0, 2.0, 0.0, -4.0]));
    assert_eq!(file.floats("1/delay"), (vec![2, 2], vec![0.0, 2.0, 0.0, 0.0]));
    let clash = refused(&make(&[3, 2, 0, 0])).to_string();
    assert!(clash.contains("SNN0631") && clash.contains("from neuron 0 to neuron 0"), "{clash}");
}

#[test]
fn delays_in_a_recurrent_layer_are_refused() {
    insta::assert_snapshot!(refused(&skip(2, |_, _| {})));
}

/// An edit of a population, and a part of what is said about it.
type Edit = (fn(&mut Net, PopId), &'static str);

#[test]
fn neurons_that_netx_lacks_are_named() {
    let edits: [Edit; 6] = [
        (|net, h| net.neuron(h).reset = IntReset::Subtract(Param::Uniform(640)), "subtraction"),
        (|net, h| net.neuron(h).refractory = 2, "refractory"),
        (|net, h| net.neuron(h).bias = Param::PerNeuron(vec![0, 64, 3]), "bias 3"),
        (|net, h| net.neuron(h).bias = Param::Uniform(4096 * 64), "bias 262144"),
        (|net, h| net.neuron(h).threshold = Param::Uniform(131_072 * 64), "threshold 8388608"),
        (|net, h| net.neuron(h).threshold = Param::Uniform(65), "threshold 65"),
    ];
    for (edit, expected) in edits {
        let why = refused(&chain(|net, [_, h, _]| edit(net, h)));
        assert_eq!(why.place.path.as_deref(), Some("population \"h\""));
        assert!(why.message.contains(expected), "{why}");
    }
    let why = refused(&chain(|net, [_, h, _]| net.neuron(h).compare = Compare::Ge));
    assert!(why.message.contains("v > threshold"), "{why}");
}

#[test]
fn a_slower_neuron_is_refused() {
    let mut net = Net::new(3);
    net.period = 2;
    let x = net.input("x", &[1]);
    let y = net.neurons("y", &[1], 1);
    net.neuron(y).update_period = 2;
    net.dense(x, y, 1, &[1]);
    let why = refused(&net.map_whole(&target("loihi2")));
    assert!(why.message.contains("every 2"), "{why}");
}

/// One layer with these weights.
fn layer(weights: &[i16], exponent: i8, sign: Sign) -> MappedNetwork {
    let mut net = Net::new(3);
    let cols = u32::try_from(weights.len()).expect("fixtures are small");
    let x = net.input("x", &[cols]);
    let y = net.neurons("y", &[1], 1);
    let structure = Structure::Dense { rows: 1, cols };
    net.connect(x, y, 1, structure, weights.to_vec(), exponent, sign);
    net.map_whole(&target("loihi2"))
}

#[test]
fn weights_that_the_loader_would_change_are_refused() {
    assert_eq!(
        Reader::of(&layer(&[254, -256], 0, Sign::Mixed)).floats("1/weight").1,
        [254.0, -256.0]
    );
    assert_eq!(
        Reader::of(&layer(&[255, 3], 0, Sign::Excitatory)).floats("1/weight").1,
        [255.0, 3.0]
    );
    let why = |weights: &[i16], exponent, sign| refused(&layer(weights, exponent, sign)).message;
    assert_eq!(why(&[254, -256], 1, Sign::Mixed), "the weight 508 does not fit a synapse");
    assert_eq!(why(&[0, 0], 0, Sign::Mixed), "all weights are 0, on which the loader fails");
    assert_eq!(why(&[0, -2], -1, Sign::Mixed), "the loader would change the weight -1");
    insta::assert_snapshot!(refused(&layer(&[255, 3], 1, Sign::Excitatory)));
    let flat = refused(&skip(1, |net, [_, h, y, _]| {
        let structure = Structure::Dense { rows: 2, cols: 2 };
        net.connect(y, h, 1, structure, vec![0, 3, 0, 5], 6, Sign::Excitatory);
    }));
    assert_eq!(flat.message, "the weight 320 does not fit a synapse");
    assert_eq!(flat.place.path.as_deref(), Some("projection \"y\" to \"h\""));
}

#[test]
fn a_large_network_is_refused_before_it_is_expanded() {
    let mut net = Net::new(3);
    let x = net.input("x", &[8, 64, 64]);
    let h = net.neurons("h", &[8, 64, 64], 1);
    let conv = Conv {
        input: [8, 64, 64],
        out_channels: 8,
        kernel: [2, 2],
        stride: [1, 1],
        pad: [0, 1, 0, 1],
        groups: 8,
        crop: [0; 4],
    };
    net.conv(x, h, 1, conv, &[1; 32]);
    let why = refused(&net.map(&target("loihi2"), &[&[(h, 0, 32768)]]));
    assert!(why.to_string().contains("32768 × 32768"), "{why}");
}

#[test]
fn a_network_without_synapses_is_refused() {
    let mut net = Net::new(3);
    net.input("x", &[1]);
    net.neurons("y", &[1], 1);
    assert!(refused(&net.map_whole(&target("loihi2"))).message.contains("at least one synapse"));
}

#[test]
fn the_bytes_are_the_same_every_time() {
    let network = skip(1, |_, _| {});
    assert_eq!(
        netx::write(&network, &target("loihi2")).unwrap(),
        netx::write(&network.clone(), &target("loihi2")).unwrap()
    );
}

#[test]
fn the_back_end_writes_both_files_or_says_why_not() {
    let loihi = target("loihi2");
    let both = LoihiBackend.emit(&skip(1, |_, _| {}), &loihi).unwrap();
    let names: Vec<_> = both.files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, [PROGRAM_FILE, NETX_FILE]);
    assert!(both.left_out.is_empty() && both.netx.is_some());

    let one = LoihiBackend.emit(&split_recurrent(&loihi), &loihi).unwrap();
    assert_eq!(one.files.len(), 1);
    assert_eq!(one.left_out[0].name, NETX_FILE);
    assert_eq!(one.left_out[0].reason.code.to_string(), "SNN0630");
}

#[test]
fn the_layout_is_plain_json() {
    let network = chain(|net, [_, h, _]| net.draft.populations[h].role = Role::Logical);
    let json = serde_json::to_value(netx::layout(&network, &target("loihi2")).unwrap()).unwrap();
    let first = serde_json::json!({ "population": "h", "layer": 1, "first": 0, "len": 3 });
    assert_eq!(json["populations"][PopId::new(0).index()], first);
}

/// The loader's registers are not those of the program: a target may have the ones and not the others.
#[test]
fn registers_that_the_target_lacks_are_refused() {
    let network = chain(|net, [_, h, _]| net.neuron(h).bias = Param::Uniform(640));
    let with = |edit: &dyn Fn(&mut TargetSpec)| {
        let mut target = target("loihi2");
        edit(&mut target);
        let refused = netx::write(&network, &target).map_err(|why| (why.code, why.to_string()));
        refused.map(|_| ())
    };
    let says = |edit: &dyn Fn(&mut TargetSpec), code, name: &str| {
        let (found, text) = with(edit).expect_err(name);
        assert_eq!(found, code, "{text}");
        assert!(text.contains(name) && text.contains("layer 1, which holds"), "{text}");
    };
    // 6 is the largest weight of the first layer, of both signs: four bits more fill eight.
    says(&|t| t.min_weight_exponent.value = -4, artifact::NETX_WEIGHT, "min_weight_exponent = -4");
    says(&|t| t.max_bias_exponent.value = 5, artifact::NETX_NEURON, "max_bias_exponent = 5");
    says(&|t| t.max_bias_mantissa.value = 9, artifact::NETX_NEURON, "max_bias_mantissa = 9");
    assert_eq!(with(&|t| t.min_weight_exponent.value = -5), Ok(()));
    assert_eq!(with(&|t| t.max_bias_exponent.value = 6), Ok(()));
    assert_eq!(with(&|t| t.max_bias_mantissa.value = 10), Ok(()));
}
