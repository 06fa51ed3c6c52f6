#!/usr/bin/env python3
"""The judge against cases small enough to count by hand, and both of its readers against each other."""

import tempfile
from pathlib import Path

import environment

HERE = Path(__file__).resolve().parent

LAYERS = """
name = "small"
[[layer]]
name = "image"
shape = [2, 5, 6]
input = true
[[layer]]
name = "conv"
channels = 4
reads = [{ from = "image", kind = "conv", kernel = 3, stride = [2, 1], padding = [1, 0] }]
[[layer]]
name = "grouped"
channels = 4
reads = [
  { from = "conv", kind = "conv", kernel = 3, padding = 1, groups = 2 },
  { from = "conv", kind = "same" },
]
[[layer]]
name = "pool"
keep = [1, 2]
reads = [{ from = "grouped", kind = "pool", kernel = 2 }]
[[layer]]
name = "fc"
channels = 3
reads = [{ from = "pool", kind = "dense" }]
"""


def by_hand(numpy, network, verdict, folder):
    """Vertices 1 and 2 on core 0, 3 on core 1, 4 on none: the first edge reaches cores 0 and 1 from core 0, at rate 2; the second core 1
    from outside, at rate 5; the third only its own core."""
    path = folder / "hand.hgr"
    path.write_text("% a comment\n3 4 11\n200 1 2 3\n500 4 3\n700 3 3\n10\n20\n30\n0\n")
    graph = network.Hypergraph(path)
    found = verdict.judge(graph, numpy.array([0, 0, 1, -1]), "loihi64")
    assert found == verdict.Verdict(2, 2.0, 0), found
    assert list(graph.axons(numpy.array([0, 0, 1, -1])).inputs) == [1, 3]
    found = verdict.judge(graph, numpy.array([0, -1, 1, 1]), "loihi64")
    assert found == verdict.Verdict(2, 2.0, 2), found
    graph.weights[2] = 1025
    assert verdict.judge(graph, numpy.array([0, 0, 1, -1]), "loihi64").broken == 1


def readers_agree(numpy, network, verdict, folder):
    """A layer file gives the same figures as the hypergraph that is written from it."""
    path, text = folder / "small.hgr", folder / "small.toml"
    text.write_text(LAYERS)
    random = numpy.random.default_rng(1)
    layers = network.Layers(text, numpy.round(random.lognormal(size=60 + 48 + 48 + 8 + 3), 2) + 0.01)
    layers.write(path, pixels=False)
    graph = network.Hypergraph(path)
    assert (graph.weights == layers.weights).all()
    for seed in range(20):
        core = numpy.random.default_rng(seed).integers(0, 5, len(layers.weights))
        core[layers.weights == 0] = -1
        one, other = (verdict.judge(which, core, "loihi64") for which in (layers, graph))
        assert one.cores == other.cores and abs(one.km1 - other.km1) < 1e-6, (one, other)
        assert (layers.axons(core).inputs == graph.axons(core).inputs).all()
    whole = numpy.repeat(random.integers(0, 5, 30 + 12 + 12 + 2 + 1), layers.channels_of_pixels())
    whole[layers.weights == 0] = -1
    layers.write(path, pixels=True)
    pixels = network.Hypergraph(path)
    assert abs(pixels.rates.sum() - layers.rates[:-3].sum() + unread(layers)) < 0.01 * len(pixels.rates)
    core = whole[numpy.concatenate([[0], numpy.cumsum(layers.channels_of_pixels())[:-1]])]
    one, other = verdict.judge(layers, whole, "loihi64"), pixels.axons(core)
    assert abs(one.km1 - other.rates @ other.copies) < 0.01 * len(pixels.rates)


def unread(layers):
    """Rates of neurons that are no output and that nobody reads: those outside of what pooling keeps."""
    grouped = layers.rates[layers.starts[2] : layers.starts[3]].reshape(3, 4, 4)
    return grouped[2:].sum()


def main():
    environment.enter(HERE / "requirements.txt")
    import numpy

    import network
    import verdict

    with tempfile.TemporaryDirectory() as folder:
        by_hand(numpy, network, verdict, Path(folder))
        readers_agree(numpy, network, verdict, Path(folder))
    print("the judge counts right")


main()
