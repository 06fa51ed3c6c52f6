"""Checks the Lava driver with NetX files written here against a plain integer simulation."""

from __future__ import annotations

import tempfile
import unittest
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

import cases
from flat import Flat, Population, Registers, simulate
from netx_lava import run, run_file
from netx_layout import Layout, Part
from outcome import CannotRun
from place import place
from records import Conv

TIMEOUT = 120.0
Places = list[tuple[int, int, int]]
Maker = Callable[[np.random.Generator, Path], tuple[Flat, Places]]
DENSITIES = (0.3, 0.6, 0.0, 0.6, 0.1, 0.3)


def registers(rng: np.random.Generator, size: int) -> Registers:
    """What NetX can say: bias exponent 6, no refractory period."""
    made = cases.registers(rng, size)
    made.bias = (rng.integers(-20, 40, size), np.full(size, 6))
    return made


def write_layer(file: h5py.File, number: int, kind: str, **data: object) -> h5py.Group:
    """One layer with its datasets."""
    group = file.create_group(f"layer/{number}")
    group["type"] = np.array([kind], dtype="S10")
    for name, value in data.items():
        group[name] = value
    return group


def write_neurons(group: h5py.Group, values: Registers) -> None:
    """Registers of a layer, in the file's tensor order (channel, row, column)."""
    neuron = group.create_group("neuron")
    neuron["type"] = np.bytes_("LOIHI")
    neuron["iDecay"] = values.du + 1
    neuron["vDecay"] = values.dv
    neuron["vThMant"] = values.threshold
    group["bias"] = values.bias[0].astype(np.float32)


def uniform(values: Registers, channels: int) -> Registers:
    """The same registers for a convolution: one set, and one bias per channel."""
    size = len(values.du)
    one = np.full(size, 1)
    bias = np.repeat(values.bias[0][:channels], size // channels)
    return Registers(
        values.du[0] * one, values.dv[0] * one, values.threshold[0] * one, (bias, 6 * one), one
    )


def recurrent(rng: np.random.Generator, path: Path) -> tuple[Flat, Places]:
    """Two populations, a loop and a skip in one `dense_rec` layer, inputs of unequal latency."""
    a = Population("a", [20], 1, registers(rng, 20))
    b = Population("b", [6], 2, registers(rng, 6))
    late = cases.input_of([4], latency=1, name="late")

    def joined(source: int, target: int, shape: tuple[int, int]) -> cases.Projection:
        weights = cases.mantissas(rng, shape, "mixed")
        return cases.dense(source, target, weights, exponent=-1)

    net = Flat(
        15,
        1,
        [cases.input_of([9]), late, a, b],
        [
            joined(0, 2, (20, 9)),
            joined(2, 2, (20, 20)),
            joined(2, 3, (6, 20)),
            joined(1, 3, (6, 4)),
            joined(3, 2, (20, 6)),
        ],
    )
    weight, loop = np.zeros((26, 13), dtype=int), np.zeros((26, 26), dtype=int)
    weight[:20, :9] = net.projections[0].weights
    weight[20:, 9:] = net.projections[3].weights
    loop[:20, :20] = net.projections[1].weights
    loop[20:, :20] = net.projections[2].weights
    loop[:20, 20:] = net.projections[4].weights
    both = (a.on_core(), b.on_core())
    names = ("du", "dv", "threshold", "refractory")
    merged = {name: np.concatenate([getattr(r, name) for r in both]) for name in names}
    bias = np.concatenate([r.bias[0] for r in both])
    with h5py.File(path, "w") as file:
        write_layer(file, 0, "input", shape=[13])
        group = write_layer(file, 1, "dense_rec", shape=[26], weight=weight, weight_rec=loop)
        write_neurons(group, Registers(bias=(bias, np.full(26, 6)), **merged))
    return net, [(1, 0, 20), (1, 20, 6)]


def delayed(rng: np.random.Generator, path: Path) -> tuple[Flat, Places]:
    """Two dense layers whose spikes arrive 4 steps later, so that some are under way at the end."""
    h = Population("h", [12], 4, registers(rng, 12))
    last = Population("last", [5], 8, registers(rng, 5))
    shapes = ((0, (12, 8)), (1, (5, 12)))
    projections = [
        replace(cases.dense(i, i + 1, cases.mantissas(rng, shape, "mixed"), -1), delay=4)
        for i, shape in shapes
    ]
    with h5py.File(path, "w") as file:
        write_layer(file, 0, "input", shape=[8])
        for number, (projection, population) in enumerate(
            zip(projections, (h, last), strict=True), 1
        ):
            shape, delay = [population.size()], np.full_like(projection.weights, 3)
            group = write_layer(
                file, number, "dense", shape=shape, weight=projection.weights, delay=delay
            )
            write_neurons(group, population.on_core())
    net = Flat(10, 1, [cases.input_of([8]), h, last], projections)
    return net, [(1, 0, 12), (2, 0, 5)]


def image_chain(rng: np.random.Generator, path: Path) -> tuple[Flat, Places]:
    """Convolution with stride, padding and groups, flatten, two dense layers."""
    geometry = Conv((2, 6, 5), 4, (3, 2), (2, 1), (1, 1, 1, 1), 2, (0, 0, 0, 0))
    kernel = cases.mantissas(rng, (4, 1, 3, 2), "mixed")
    out = [4, 3, 6]
    size = int(np.prod(out))
    c = Population("c", out, 1, uniform(registers(rng, size), 4))
    h = Population("h", [10], 2, registers(rng, 10))
    last = Population("last", [7], 3, registers(rng, 7))
    net = Flat(
        11,
        1,
        [cases.input_of([2, 6, 5]), c, h, last],
        [
            cases.conv(0, 1, geometry, kernel, out),
            cases.dense(1, 2, cases.mantissas(rng, (10, size), "mixed")),
            cases.dense(2, 3, cases.mantissas(rng, (7, 10), "mixed"), exponent=-1),
        ],
    )
    with h5py.File(path, "w") as file:
        write_layer(file, 0, "input", shape=[2, 6, 5])
        group = write_layer(
            file,
            1,
            "conv",
            shape=out,
            weight=kernel.astype(np.float32),
            stride=[2, 1],
            padding=[1, 1],
            dilation=[1, 1],
            groups=2,
        )
        scalars = c.on_core()
        neuron = group.create_group("neuron")
        neuron["type"] = np.bytes_("LOIHI")
        neuron["iDecay"] = int(scalars.du[0] + 1)
        neuron["vDecay"] = int(scalars.dv[0])
        neuron["vThMant"] = int(scalars.threshold[0])
        group["bias"] = scalars.bias[0][:: size // 4].astype(np.float32)
        write_layer(file, 2, "flatten")
        for number, population in ((3, h), (4, last)):
            projection, shape = net.projections[number - 2], [population.size()]
            group = write_layer(file, number, "dense", shape=shape, weight=projection.weights)
            write_neurons(group, population.on_core())
    return net, [(1, 0, size), (3, 0, 10), (4, 0, 7)]


def layout_of(net: Flat, places: Places) -> Layout:
    """Inputs one after the other, populations at (layer, first, count)."""
    inputs: list[Part] = []
    for population in net.populations:
        if population.registers is None:
            first = inputs[-1].first + inputs[-1].len if inputs else 0
            inputs.append(Part(population.name, 0, first, population.size()))
    names = [p.name for p in net.populations if p.registers is not None]
    parts = [Part(name, *place) for name, place in zip(names, places, strict=True)]
    return Layout(inputs, parts)


class Lava(unittest.TestCase):
    """Every population's spikes, sample by sample, each from the zero state."""

    def compare(self, make: Maker, seed: int) -> None:
        """Six samples of a network, a silent one after a busy one among them."""
        rng = np.random.default_rng(seed)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "network.net")
            net, places = make(rng, path)
            samples = [cases.rasters(rng, net, density) for density in DENSITIES]
            rasters = {name: np.stack([s[name] for s in samples]) for name in samples[0]}
            program = place(net, [cases.whole(net)], cases.whole_inputs(net), [0])
            named = [p for p in net.populations if p.registers is not None]
            layout = layout_of(net, places)
            got = run(path, program, layout, rasters, TIMEOUT)
        total = {population.name: 0 for population in named}
        for index, sample in enumerate(samples):
            expected = simulate(net, sample).spikes
            for population in named:
                spikes = expected[population.name]
                total[population.name] += spikes.sum()
                np.testing.assert_array_equal(
                    got[population.name][index], spikes, f"{population.name}, sample {index}"
                )
        self.assertTrue(all(total.values()), total)

    def test_recurrent(self) -> None:
        self.compare(recurrent, 5)

    def test_delayed(self) -> None:
        self.compare(delayed, 7)

    def test_image_chain(self) -> None:
        self.compare(image_chain, 6)


class Failures(unittest.TestCase):
    """A worker that fails or hangs becomes `CannotRun`."""

    def test_bad_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "network.net")
            path.write_bytes(b"no HDF5")
            with self.assertRaisesRegex(CannotRun, "exit status 1"):
                run_file(path, np.zeros((1, 2, 3)), TIMEOUT)

    def test_timeout(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "network.net")
            path.write_bytes(b"")
            with self.assertRaisesRegex(CannotRun, "no end after 0.01 s"):
                run_file(path, np.zeros((1, 2, 3)), 0.01)


if __name__ == "__main__":
    unittest.main()
