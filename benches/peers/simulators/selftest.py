#!/usr/bin/env python3
"""What is made of the workloads for other simulators, held to plain loops on small ones."""

import environment


def small(numpy, loads):
    """A recurrent network of four neurons, in the form of the files: neuron 2 hears 0 (weight 3/256) and 1 (-2/256); 0 hears 2."""
    arrays = {
        "row_start": numpy.array([0, 1, 1, 3, 3]),
        "col": numpy.array([2, 0, 1]),
        "weight": numpy.array([5, 3, -2]),
        "bias": numpy.array([20000, 9000, 100, 0]),
        "threshold": numpy.array([16400]),
        "steps": numpy.array([20]),
    }
    return loads.recurrent("small", arrays)


def synapses_are_sorted_by_source(numpy, loads):
    load = small(numpy, loads)
    assert list(load.start) == [0, 1, 2, 3, 3], load.start
    assert list(load.sources()) == [0, 1, 2]
    assert list(load.target) == [2, 2, 0]
    assert list(load.weight * 256) == [3, -2, 5]


def spikes_by_hand(numpy, loads):
    """Neuron 0 fires in every step; neuron 1 has 0.549 a step, 1.064 after two: it fires in every other. Neuron 2 gathers at most
    (0.0117 + 0.0061) · 16 and stays silent."""
    load = small(numpy, loads)
    for truncated in (False, True):
        assert loads.spikes(load, truncated) == 30, loads.spikes(load, truncated)
    assert loads.leak(numpy.array([-3 * loads.UNIT]), True)[0] == -2 * loads.UNIT
    assert loads.leak(numpy.array([3 * loads.UNIT]), True)[0] == 2 * loads.UNIT


def unrolled_layers_add_up_the_same(numpy, loads):
    """A quarter of W2's first average, and both convolutions, against loops."""
    random = numpy.random.default_rng(1)
    first = random.integers(-9, 9, (8, 2, 3, 3)).astype(numpy.float32)
    second = random.integers(-9, 9, (16, 8, 3, 3)).astype(numpy.float32)
    load = loads.Layers("w2", None, [first, second], [None, None])
    for index, weight in enumerate(load.weights):
        inputs, rows, columns = loads.CONVOLUTIONS[index]
        scale = 1 if index == 0 else 2
        image = random.integers(0, 2, (inputs, scale * rows, scale * columns)).astype(float)
        neurons, sources, targets, weights = loads.unrolled(load)[index]
        found = numpy.bincount(targets, weights * image.ravel()[sources], neurons)
        pooled = image.reshape(inputs, rows, scale, columns, scale).mean((2, 4))
        padded = numpy.pad(pooled, ((0, 0), (1, 1), (1, 1)))
        windows = numpy.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
        wanted = numpy.einsum("cyxij,ocij->oyx", windows, weight)
        assert (found == wanted.ravel()).all()


def main():
    environment.enter()
    import numpy

    import loads

    synapses_are_sorted_by_source(numpy, loads)
    spikes_by_hand(numpy, loads)
    unrolled_layers_add_up_the_same(numpy, loads)
    print("workloads are what they should be")


main()
