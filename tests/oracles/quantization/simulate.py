"""Simulators of both forms in logical time, many samples at once.

The integer one is written from the contract of Loihi's neurons alone, with nothing of `snnc`:

    a  = sum of the weights of spikes that arrive now
    u' = tz(u · (4096 − (du + 1)) / 4096) + 64·a          tz: toward zero
    v' = tz(v · (4096 − dv) / 4096) + u' + bias
    fires if v' > threshold, then v' = 0
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model import FloatNetwork, IntegerNetwork, update_order

Spikes = dict[str, np.ndarray]
"""Spikes by population, `[samples, steps, neurons]`, bool."""

INPUT_LIMIT = 1 << 21
"""Largest input of one step plus 1, in membrane units: 22 bits with the sign."""
STATE_LIMIT = 1 << 23
"""Largest u and v plus 1."""


@dataclass
class Run:
    """Spikes of all populations, inputs included, and how often a register overflowed."""

    spikes: Spikes
    overflows: int = 0


class _Net:
    """What both simulators do alike: the order, the arrays of spikes and the sums of weights."""

    def __init__(self, network: FloatNetwork | IntegerNetwork, inputs: Spikes) -> None:
        self.steps = network.steps
        self.samples = len(next(iter(inputs.values())))
        self.order = update_order(list(network.neurons), network.projections)
        self.spikes: Spikes = {name: raster.astype(bool) for name, raster in inputs.items()}
        for name, neurons in network.neurons.items():
            size = (self.samples, self.steps, len(neurons.threshold))
            self.spikes[name] = np.zeros(size, dtype=bool)
        # Sums of whole numbers below 2^24 are exact in f32, so integers may use its fast product.
        largest = max(float(np.abs(p.weights).sum(axis=1).max()) for p in network.projections)
        self.dtype = np.float32 if largest < 1 << 24 else np.float64
        self.into = {
            name: [
                (p.source, p.delay, p.weights.T.astype(self.dtype))
                for p in network.projections
                if p.target == name
            ]
            for name in network.neurons
        }

    def current(self, name: str, step: int) -> np.ndarray:
        """Sum of the weights that arrive in a step, `[samples, neurons]`."""
        total = np.zeros((self.samples, self.spikes[name].shape[2]), self.dtype)
        for source, delay, weights in self.into[name]:
            if step >= delay:
                total += self.spikes[source][:, step - delay].astype(self.dtype) @ weights
        return total


def _decayed(state: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """`sign(x) · (|x| · factor >> 12)`."""
    return np.sign(state) * (np.abs(state) * factor >> 12)


def run_integer(network: IntegerNetwork, inputs: Spikes) -> Run:
    """Runs integers. Registers do not wrap here: overflows are counted, and wrapping would only
    make a network that has them worse."""
    net = _Net(network, inputs)
    run = Run(net.spikes)
    zeros = {n: np.zeros((net.samples, len(p.dv)), np.int64) for n, p in network.neurons.items()}
    u = dict(zeros)
    v = dict(zeros)
    held = dict(zeros)
    keep = {
        n: (4095 - p.du.astype(np.int64), 4096 - p.dv.astype(np.int64))
        for n, p in network.neurons.items()
    }
    for step in range(net.steps):
        for name in net.order:
            neurons = network.neurons[name]
            arriving = np.rint(net.current(name, step)).astype(np.int64) << 6
            u[name] = _decayed(u[name], keep[name][0]) + arriving
            driven = u[name] + neurons.bias.astype(np.int64)
            free = held[name] == 0
            v[name] = np.where(free, _decayed(v[name], keep[name][1]) + driven, 0)
            fires = v[name] > neurons.threshold
            net.spikes[name][:, step] = fires
            run.overflows += int(np.sum(np.abs(arriving) >= INPUT_LIMIT))
            run.overflows += int(np.sum(np.abs(driven) >= STATE_LIMIT))
            run.overflows += int(np.sum(np.abs(v[name]) >= STATE_LIMIT))
            v[name] = np.where(fires, 0, v[name])
            held[name] = np.where(fires, neurons.refractory - 1, np.maximum(held[name] - 1, 0))
    return run


def run_float(network: FloatNetwork, inputs: Spikes) -> Spikes:
    """Runs floats: to tune networks. What is compared are the spikes of `snnc`."""
    net = _Net(network, inputs)
    v = {n: np.zeros((net.samples, len(p.decay)), np.float32) for n, p in network.neurons.items()}
    for step in range(net.steps):
        for name in net.order:
            neurons = network.neurons[name]
            current = net.current(name, step) + neurons.bias
            v[name] = v[name] * (1 - neurons.decay) + current
            fires = v[name] > neurons.threshold
            net.spikes[name][:, step] = fires
            v[name][fires] = 0
    return net.spikes
