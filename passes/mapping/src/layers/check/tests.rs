//! What layer files may say.

use crate::layers::{LayerFile, Network, Shape};

fn check(text: &str) -> Result<Network, Vec<String>> {
    let file: LayerFile = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
    file.check().map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

const INPUT: &str = "name = 'n'\n[[layer]]\nname = 'in'\nshape = [4, 9, 10]\n";

/// Problems of one layer behind an input of 4 × 9 × 10.
fn problems(layer: &str) -> Vec<String> {
    check(&format!("{INPUT}[[layer]]\n{layer}")).expect_err("wrong on purpose")
}

/// Shape of one layer behind an input of 4 × 9 × 10: channels, height, width.
fn shape(layer: &str) -> [u32; 3] {
    let network = check(&format!("{INPUT}[[layer]]\nname = 'a'\n{layer}")).unwrap();
    let Shape { channels, height, width } = network.layers[1].shape;
    [channels, height, width]
}

#[test]
fn shapes_follow_from_what_is_read() {
    let conv = "channels = 7\nreads = [{ from = 'in', kind = 'conv', kernel = [3, 4], stride = 2, padding = [1, 0] }]";
    assert_eq!(shape(conv), [7, 5, 4]);
    assert_eq!(shape(&format!("keep = [2, 3]\n{conv}")), [7, 2, 3]);
    assert_eq!(shape("reads = [{ from = 'in', kind = 'pool', kernel = 3 }]"), [4, 3, 3]);
    assert_eq!(shape("reads = [{ from = 'in', kind = 'same' }]"), [4, 9, 10]);
    assert_eq!(shape("channels = 5\nreads = [{ from = 'in', kind = 'dense' }]"), [5, 1, 1]);
    let recurrent = "channels = 4\nreads = [{ from = 'in', kind = 'same' }, { from = 'a', kind = 'conv', kernel = 3, padding = 1 }]";
    assert_eq!(shape(recurrent), [4, 9, 10]);
}

#[test]
fn problems_name_layer_and_key() {
    let cases = [
        (
            "name = 'a'\nstrid = 2\nreads = [{ from = 'in', kind = 'same' }]",
            "layer `a`, key `strid`: unknown; known are name, shape, input, channels, keep, reads",
        ),
        (
            "name = 'a'\nreads = [{ from = 'in', kind = 'same', kernal = 2 }]",
            "layer `a`, key `reads[0].kernal`: unknown; known are from, kind, kernel, stride, padding, groups",
        ),
        (
            "name = 'a'\nreads = [{ from = 'nowhere', kind = 'same' }]",
            "layer `a`, key `reads[0].from`: there is no layer `nowhere`",
        ),
        (
            "name = 'a'\nreads = [{ from = 'a', kind = 'same' }]",
            "layer `a`, key `reads[0].from`: the first read comes from a layer that follows; state `shape`, or read an earlier layer first",
        ),
        (
            "name = 'a'\nreads = [{ from = 'in', kind = 'same', stride = 2 }]",
            "layer `a`, key `reads[0].stride`: means nothing for same",
        ),
        (
            "name = 'a'\nreads = [{ from = 'in', kind = 'conv', kernel = 3 }]",
            "layer `a`, key `channels`: missing: how many does the layer have?",
        ),
        (
            "name = 'a'\nchannels = 2\nreads = [{ from = 'in', kind = 'conv' }]",
            "layer `a`, key `reads[0].kernel`: missing",
        ),
        (
            "name = 'a'\nchannels = 2\nreads = [{ from = 'in', kind = 'conv', kernel = 3, padding = 3 }]",
            "layer `a`, key `reads[0].padding`: as wide as the kernel: windows would see nothing",
        ),
        (
            "name = 'a'\nchannels = 2\nreads = [{ from = 'in', kind = 'conv', kernel = 12 }]",
            "layer `a`, key `reads[0].kernel`: larger than its source with padding",
        ),
        (
            "name = 'a'\nchannels = 6\nreads = [{ from = 'in', kind = 'conv', kernel = 3, groups = 4 }]",
            "layer `a`, key `reads[0].groups`: 4 groups divide 4 source or 6 target channels with a remainder",
        ),
        (
            "name = 'a'\nkeep = [10, 3]\nreads = [{ from = 'in', kind = 'same' }]",
            "layer `a`, key `keep`: 10 × 3 of 9 × 10 places",
        ),
        (
            "name = 'a'\nshape = [8, 9, 10]\nreads = [{ from = 'in', kind = 'same' }]",
            "layer `a`, key `reads[0].kind`: keeps 4 channels, the layer has 8",
        ),
        (
            "name = 'a'\nchannels = 2\nreads = [{ from = 'in', kind = 'conv', kernel = 3 }, { from = 'in', kind = 'conv', kernel = 5 }]",
            "layer `a`, key `reads[1].kernel`: gives 5 × 6 places, the layer has 7 × 8",
        ),
        (
            "name = 'a'\nchannels = 0\nreads = [{ from = 'in', kind = 'dense' }]",
            "layer `a`, key `shape`: 0 as channels; expected 1 to 1048576",
        ),
        (
            "name = 'a'\nshape = [1048576, 1048576, 1048576]",
            "layer `a`, key `shape`: 1152921504606846976 neurons; expected 17592186044416 at most",
        ),
        ("shape = [1, 1, 1]", "layer `#2`, key `name`: missing"),
        ("name = 'in'\nshape = [1, 1, 1]", "layer `in`, key `name`: used by an earlier layer, too"),
    ];
    for (layer, expected) in cases {
        assert_eq!(problems(layer), [expected], "{layer}");
    }
}

#[test]
fn all_problems_come_at_once() {
    let found = problems("name = 'a'\ncolor = 1\nreads = [{ from = 'x', kind = 'same', y = 1 }]");
    assert_eq!(found.len(), 3, "{found:?}");
}

/// The shipped files, with the sizes that are published.
#[test]
fn shipped_files_have_the_sizes_of_their_networks() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/layers");
    let sizes = [
        ("pilotnet", 118_909, 12_497_190),
        ("pilotnet-sdnn", 118_909, 14_144_550),
        ("resnet20", 188_490, 36_873_344),
        ("vgg11", 182_794, 112_753_664),
        ("yolo-kp", 2_016_448, 0),
        ("mobilenet-128", 1_648_616, 0),
        ("billion", 1_024_192_512, 0),
    ];
    for (name, neurons, synapses) in sizes {
        let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        let network = check(&text).unwrap();
        assert_eq!(network.neurons(), neurons, "{name}");
        if synapses > 0 {
            assert_eq!(network.synapses(), synapses, "{name}");
        }
    }
}
