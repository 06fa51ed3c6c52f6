"""Other people's conversions of the same float network to the same integers.

Each gets the semantics of the contract as a gift: the chip's neuron, per-neuron registers, logical
delays and the order of updates. What differs is the choice of integers alone.
"""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from model import FloatNetwork, FloatNeurons, IntegerNetwork, IntegerNeurons, Projection

NO_MEMORY = 4095
"""Register `du` of a current that lasts one step."""


def _network(
    source: FloatNetwork,
    neurons: dict[str, IntegerNeurons],
    weights: list[np.ndarray],
    notes: list[str],
) -> IntegerNetwork:
    pairs = zip(source.projections, weights, strict=True)
    projections = [Projection(p.source, p.target, p.delay, w) for p, w in pairs]
    head = source.name, source.steps, source.inputs
    return IntegerNetwork(*head, neurons, projections, source.readout, notes)


def nengo_blocks(source: FloatNetwork) -> tuple[dict[str, Any], list[Any], list[str]]:
    """One `LoihiBlock` a population with float parameters and one `Synapse` a projection,
    discretized in place by `nengo_loihi.builder.discretize.discretize_model`; and its warnings.

    Settings: currents without memory (`decay_u` = 1) and `scale_u` off, which is exactly this
    network (with `scale_u` thresholds are scaled by 1.0002); `scale_v` off, because inputs of this
    neuron are not scaled by the leak; the floor of the membrane (`vmin`) as low as it goes instead
    of 0, because these membranes go below 0. Weights stay signed with 8 bits, as the library always
    sets them.
    """
    from nengo_loihi.block import LoihiBlock, Synapse
    from nengo_loihi.builder.discretize import discretize_model

    blocks = {}
    synapses = []
    for name, neurons in source.neurons.items():
        block = LoihiBlock(len(neurons.decay), label=name)
        compartment = block.compartment
        compartment.scale_u = False
        compartment.scale_v = False
        compartment.decay_u[:] = 1.0
        compartment.decay_v[:] = neurons.decay
        compartment.vth[:] = neurons.threshold
        compartment.bias[:] = neurons.bias
        compartment.refract_delay[:] = 1
        compartment.vmin = -1e9
        blocks[name] = block
    for projection in source.projections:
        synapse = Synapse(projection.weights.shape[1])
        synapse.set_weights(projection.weights.T.astype(np.float32))
        blocks[projection.target].add_synapse(synapse)
        synapses.append(synapse)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        discretize_model(SimpleNamespace(blocks=list(blocks.values()), probes=[]))
    return blocks, synapses, sorted({str(w.message) for w in caught})


def nengo_loihi(source: FloatNetwork) -> IntegerNetwork:
    """nengo-loihi's own discretizer."""
    blocks, synapses, notes = nengo_blocks(source)
    neurons = {}
    for name, block in blocks.items():
        c = block.compartment
        registers = (c.decay_u, c.decay_v, c.vth, c.bias)
        neurons[name] = IntegerNeurons(*(r.astype(np.float64) for r in registers))
    # The emulator adds these as they are; its rounding leaves multiples of 64 at every exponent.
    weights = [np.concatenate(s.weights).T.astype(np.float64) / 64 for s in synapses]
    assert all((w == np.rint(w)).all() for w in weights)
    return _network(source, neurons, weights, notes)


def slayer(source: FloatNetwork, scale: int = 64) -> IntegerNetwork:
    """Round to nearest on a fixed grid, as lava-dl's SLAYER exports a CUBA block to Lava.

    Rules of lava-dl 0.6.0: `neuron/base.py` rounds weights to steps of `2 / scale`, half to even,
    and clips them to −256..=254 (`quantize_8bit`); biases too (the block's `norm` gets the same
    hook); the threshold is `int(threshold · scale)`; `neuron/cuba.py` rounds `4096 · decay` and has
    the scale 64. The loader's register `vDecay` has 12 bits, so 4096 becomes 4095.
    """
    notes = []
    clipped = 0

    def grid(values: np.ndarray) -> np.ndarray:
        nonlocal clipped
        stepped = 2 * np.rint(values * (scale / 2))
        clipped += int(np.sum((stepped < -256) | (stepped > 254)))
        return np.clip(stepped, -256, 254)

    neurons = {}
    for name, n in source.neurons.items():
        threshold = np.trunc(n.threshold * scale)
        decay = np.clip(np.rint(4096 * n.decay), 0, 4095)
        du = np.full(len(decay), NO_MEMORY, np.float64)
        neurons[name] = IntegerNeurons(du, decay, 64 * threshold, 64 * grid(n.bias))
    weights = [grid(p.weights) for p in source.projections]
    if clipped:
        notes.append(f"{clipped} weights or biases clipped to 8 bits")
    return _network(source, neurons, weights, notes)


def nearest(source: FloatNetwork) -> IntegerNetwork:
    """Round to nearest with a scale per population that fills 8 bits: weights −127..=127 (stored
    doubled, with exponent −1), thresholds and biases to the same scale, leaks to 12 bits."""
    neurons = {}
    scales = {}
    for name, n in source.neurons.items():
        largest = max((np.abs(p.weights).max() for p in source.into(name)), default=0.0)
        scales[name] = scale = 127 / largest if largest > 0 else 1.0
        neurons[name] = _rounded(n, scale)
    weights = [np.rint(p.weights * scales[p.target]) for p in source.projections]
    return _network(source, neurons, weights, [])


def _rounded(n: FloatNeurons, scale: float) -> IntegerNeurons:
    threshold = np.maximum(np.rint(n.threshold * scale), 1)
    decay = np.clip(np.rint(4096 * n.decay), 0, 4095)
    du = np.full(len(decay), NO_MEMORY, np.float64)
    return IntegerNeurons(du, decay, 64 * threshold, 64 * np.rint(n.bias * scale))
