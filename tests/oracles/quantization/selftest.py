"""Checks the comparison against the programs that it stands for; needs nothing of `snnc`.

DIR/bin/python tests/oracles/quantization/selftest.py
"""

from __future__ import annotations

import importlib.util
import sys
import types
import unittest
import warnings
from pathlib import Path

import numpy as np

import peers
from model import FloatNetwork, FloatNeurons, IntegerNetwork, IntegerNeurons, Projection
from simulate import run_float, run_integer

STEPS = 60


def small_network() -> FloatNetwork:
    """Two populations with loops, biases and leaks of their own; every delay is 1, the only one
    that nengo-loihi's emulator has."""
    rng = np.random.default_rng(3)
    sizes = {"in": 20, "a": 30, "out": 10}

    def neurons(size: int) -> FloatNeurons:
        return FloatNeurons(rng.random(size), np.ones(size), 0.2 * rng.standard_normal(size))

    ends = (("in", "a"), ("a", "a"), ("a", "out"), ("out", "a"))
    projections = []
    for source, target in ends:
        weights = rng.standard_normal((sizes[target], sizes[source])) * 0.4
        projections.append(Projection(source, target, 1, weights.astype(np.float32)))
    layers = {name: neurons(size) for name, size in sizes.items() if name != "in"}
    return FloatNetwork("small", STEPS, {"in": sizes["in"]}, layers, projections, "out")


def raster() -> np.ndarray:
    """One sample of input spikes."""
    return np.random.default_rng(4).random((1, STEPS, 20)) < 0.2


class Nengo(unittest.TestCase):
    """The discretized blocks, as they are, in nengo-loihi's emulator."""

    def test_emulator_fires_as_the_simulator(self) -> None:
        from nengo_loihi.block import Axon
        from nengo_loihi.emulator import EmulatorInterface
        from nengo_loihi.inputs import SpikeInput

        network, spikes = small_network(), raster()
        expected = run_integer(peers.nengo_loihi(network), {"in": spikes})
        self.assertEqual(expected.overflows, 0)
        blocks, synapses, _ = peers.nengo_blocks(network)
        host = SpikeInput(20)
        for step, row in enumerate(spikes[0]):
            host.add_spikes(step + 1, row.nonzero()[0])
        for projection, synapse in zip(network.projections, synapses, strict=True):
            axon = Axon(synapse.n_axons)
            axon.target = synapse
            axon.set_compartment_axon_map(np.arange(synapse.n_axons))
            (blocks.get(projection.source) or host).add_axon(axon)
        parts = {"blocks": list(blocks.values()), "inputs": [host], "probes": [], "dt": 0.001}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            emulator = EmulatorInterface(types.SimpleNamespace(**parts), seed=0)
        for step in range(STEPS):
            emulator.step()
            wanted = [expected.spikes[name][0, step] for name in blocks]
            np.testing.assert_array_equal(emulator.compartment.spiked, np.concatenate(wanted))
        self.assertGreater(sum(s.sum() for s in expected.spikes.values()), 300)


class Slayer(unittest.TestCase):
    """The rounding of `peers.slayer` is that of lava-dl's own function."""

    def test_weights(self) -> None:
        rounding = _lava_quantize()
        network = small_network()
        exact = np.array([[-9.0, -4.0, -0.047, -1 / 64, 0, 1 / 64, 3 / 64, 0.31, 3.98, 9.0]])
        layer = FloatNeurons(np.array([0.3]), np.array([1.0]), np.array([0.0]))
        projection = Projection("in", "out", 1, exact)
        source = FloatNetwork("w", 1, {"in": 10}, {"out": layer}, [projection], "out")
        for case in (network, source):
            got = peers.slayer(case).projections[0].weights
            weights = case.projections[0].weights.astype(np.float64)
            theirs = np.clip(rounding(weights, step=2 / 64), -256 / 64, 254 / 64) * 64
            np.testing.assert_array_equal(got, theirs)


def _lava_quantize() -> types.FunctionType:
    """`quantize` of lava-dl, loaded from its file; numpy stands in for the names of torch that it
    uses."""
    spec = importlib.util.find_spec("lava")
    assert spec and spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    torch = types.ModuleType("torch")

    class Function:
        """Runs `forward` alone."""

        @classmethod
        def apply(cls, *arguments: object) -> object:
            return cls.forward(None, *arguments)

    torch.autograd = types.SimpleNamespace(Function=Function)
    torch.round = np.round
    torch.tensor = np.array
    sys.modules["torch"] = torch
    try:
        file = folder / "lib" / "dl" / "slayer" / "utils" / "quantize.py"
        module_spec = importlib.util.spec_from_file_location("lava_quantize", file)
        assert module_spec and module_spec.loader
        module = importlib.util.module_from_spec(module_spec)
        module_spec.loader.exec_module(module)
    finally:
        del sys.modules["torch"]
    return module.quantize


class Simulator(unittest.TestCase):
    """Hand-made cases of `simulate.py`."""

    def one(self, **registers: float) -> IntegerNeurons:
        defaults = {"du": 4095, "dv": 0, "threshold": 640, "bias": 0}
        values = defaults | registers
        return IntegerNeurons(*(np.array([values[k]], np.float64) for k in defaults))

    def fires(self, neurons: IntegerNeurons, weight: int, delay: int) -> list[int]:
        projection = Projection("in", "out", delay, np.array([[weight]], np.float64))
        network = IntegerNetwork("n", 6, {"in": 1}, {"out": neurons}, [projection], "out")
        spikes = np.zeros((1, 6, 1), bool)
        spikes[0, :2] = True
        return run_integer(network, {"in": spikes}).spikes["out"][0, :, 0].nonzero()[0].tolist()

    def test_strict_threshold_and_delay(self) -> None:
        self.assertEqual(self.fires(self.one(), 10, 0), [1])
        self.assertEqual(self.fires(self.one(), 11, 0), [0, 1])
        self.assertEqual(self.fires(self.one(), 11, 3), [3, 4])

    def test_current_with_memory(self) -> None:
        # u: 576, 576 + 575 = 1151, …: a current of 575 falls by 1/4096, rounded toward zero.
        self.assertEqual(self.fires(self.one(du=0), 9, 0), [1, 2, 3, 4, 5])

    def test_bias_and_leak(self) -> None:
        self.assertEqual(self.fires(self.one(bias=320), 0, 0), [2, 5])
        self.assertEqual(self.fires(self.one(bias=320, dv=4095), 0, 0), [])

    def test_loops_without_delay_are_refused(self) -> None:
        network = small_network()
        loop = [Projection(p.source, p.target, 0, p.weights) for p in network.projections]
        head = ("loop", 1, network.inputs, network.neurons)
        with self.assertRaises(ValueError):
            run_float(FloatNetwork(*head, loop, "out"), {"in": raster()})


if __name__ == "__main__":
    unittest.main()
