"""Hand-made networks of the self-test, each aimed at something that a driver can get wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flat import Flat, Population, Projection, Registers
from place import Slice
from records import Clock, Conv, Dense, Identity, Input, Relay, Sparse

Ints = np.ndarray
EVENTS = Input(("events", {}))


def shift(mantissa: Ints, exponent: int) -> Ints:
    """`mantissa · 2^exponent` of divisible mantissas."""
    return (mantissa * 2.0**exponent).astype(np.int64)


def mantissas(rng: np.random.Generator, shape: tuple[int, ...], sign: str) -> Ints:
    """Random mantissas that a group of this sign stores, one in eight of them 0."""
    low, high = {"mixed": (-90, 91), "excitatory": (0, 120), "inhibitory": (-60, 1)}[sign]
    values = rng.integers(low, high, shape)
    values[rng.random(shape) < 0.125] = 0
    return values * 2 if sign == "mixed" else values


def dense(
    source: int, target: int, values: Ints, exponent: int = 0, sign: str = "mixed"
) -> Projection:
    """A dense projection with the mantissas `values` `[target neurons, source neurons]`."""
    structure = Dense(values.shape[0], values.shape[1])
    weights = shift(values, exponent)
    return Projection(source, target, structure, values.ravel().tolist(), exponent, sign, weights)


def sparse(source: int, target: int, values: Ints, sign: str = "mixed") -> Projection:
    """The same, stored as sparse rows."""
    stored = [np.nonzero(row)[0] for row in values]
    starts = np.concatenate(([0], np.cumsum([len(row) for row in stored]))).tolist()
    columns = np.concatenate(stored).tolist()
    structure = Sparse(values.shape[0], values.shape[1], starts, columns)
    return Projection(source, target, structure, values[values != 0].tolist(), 0, sign, values)


def identity(source: int, target: int, size: int, mantissa: int) -> Projection:
    """Neuron i to neuron i."""
    weights = mantissa * np.eye(size, dtype=np.int64)
    return Projection(source, target, Identity(size), [mantissa], 0, "excitatory", weights)


def conv(source: int, target: int, geometry: Conv, kernel: Ints, out: list[int]) -> Projection:
    """A convolution; its matrix is found by feeding one input neuron at a time."""
    top, bottom, left, right = geometry.pad
    above, below, before, after = geometry.crop
    _, height, width = geometry.input
    per_in = geometry.input[0] // geometry.groups
    per_out = geometry.out_channels // geometry.groups
    columns = []
    for unit in np.eye(int(np.prod(geometry.input)), dtype=np.int64):
        kept = unit.reshape(geometry.input)[:, above : height - below, before : width - after]
        image = np.pad(kept, ((0, 0), (top, bottom), (left, right)))
        result = np.zeros(out, dtype=np.int64)
        for channel, y, x in np.ndindex(*out):
            group = channel // per_out
            window = image[
                group * per_in : (group + 1) * per_in,
                y * geometry.stride[0] : y * geometry.stride[0] + geometry.kernel[0],
                x * geometry.stride[1] : x * geometry.stride[1] + geometry.kernel[1],
            ]
            result[channel, y, x] = (window * kernel[channel]).sum()
        columns.append(result.ravel())
    weights = np.stack(columns, axis=1)
    return Projection(source, target, geometry, kernel.ravel().tolist(), 0, "mixed", weights)


def registers(rng: np.random.Generator, size: int, refractory: int = 1) -> Registers:
    """Different values for every neuron out of a few, so that a core's tables can hold them."""
    return Registers(
        du=rng.choice([4095, 2048, 300], size),
        dv=rng.choice([0, 700, 4095], size),
        threshold=rng.choice([120, 200, 333], size),
        bias=(rng.integers(-20, 60, size), rng.integers(0, 7, size)),
        refractory=rng.integers(1, refractory + 1, size),
    )


def plain(size: int, threshold: int, bias: int = 0, dv: int = 0) -> Registers:
    """The same values for every neuron; no memory of the current."""
    full = np.full(size, 1, dtype=np.int64)
    return Registers(4095 * full, dv * full, threshold * full, (bias * full, 0 * full), full)


def input_of(shape: list[int], latency: int = 0, name: str = "in") -> Population:
    """An input population."""
    return Population(name, shape, latency, None, EVENTS)


def chain(rng: np.random.Generator) -> Flat:
    """Two layers of unequal registers: odd weights doubled (e = -1), then shifted up (e = 2)."""
    h1 = Population("h1", [23], 1, registers(rng, 23))
    out = Population("out", [9], 2, registers(rng, 9))
    first = dense(0, 1, mantissas(rng, (23, 17), "mixed"), exponent=-1)
    second = dense(1, 2, mantissas(rng, (9, 23), "mixed") // 8 * 2, exponent=2)
    return Flat(12, 1, [input_of([17]), h1, out], [first, second])


def signs(rng: np.random.Generator) -> Flat:
    """Odd mantissas in single-sign groups, two groups between the same pair, and recurrence."""
    h = Population("h", [30], 1, replace(registers(rng, 30, refractory=5), floor=-2047))
    rise = dense(0, 1, mantissas(rng, (30, 14), "excitatory"), sign="excitatory")
    fall = dense(0, 1, mantissas(rng, (30, 14), "inhibitory"), sign="inhibitory")
    again = dense(0, 1, mantissas(rng, (30, 14), "excitatory"), sign="excitatory")
    loop = sparse(1, 1, mantissas(rng, (30, 30), "mixed"))
    return Flat(20, 1, [input_of([14]), h], [rise, fall, again, loop])


def narrow(rng: np.random.Generator) -> Flat:
    """Weights of 4 bits split by sign in steps of 2^5, of 3 bits in both signs, and of one bit."""
    h = Population("h", [21], 1, registers(rng, 21))
    out = Population("out", [8], 2, registers(rng, 8))
    steps = rng.integers(-15, 16, (21, 13)) << 4
    kept = rng.integers(-4, 4, (8, 21)) << 6
    single = rng.integers(-1, 1, (8, 21)) << 8
    projections = [
        dense(0, 1, steps.clip(0), exponent=1, sign="excitatory"),
        dense(0, 1, steps.clip(None, 0), exponent=1, sign="inhibitory"),
        dense(1, 2, kept),
        dense(1, 2, -single // 2, exponent=1, sign="excitatory"),
    ]
    return Flat(15, 1, [input_of([13]), h, out], projections)


def images(rng: np.random.Generator) -> Flat:
    """Convolution with stride, crop, unequal padding and groups, then a dense layer; neurons lie in
    blocks of channels.
    """
    geometry = Conv((2, 7, 6), 4, (3, 2), (2, 1), (1, 0, 0, 1), 2, (1, 0, 0, 1))
    kernel = mantissas(rng, (4, 1, 3, 2), "mixed")
    c = Population("c", [4, 3, 5], 1, registers(rng, 60), block=3)
    out = Population("out", [7], 2, registers(rng, 7))
    second = dense(1, 2, mantissas(rng, (7, 60), "mixed"))
    first = conv(0, 1, geometry, kernel, [4, 3, 5])
    source = replace(input_of([2, 7, 6]), block=2)
    return Flat(10, 1, [source, c, out], [first, second])


def shared(rng: np.random.Generator) -> Flat:
    """A convolution and a one-to-one projection, whose pixels share lists."""
    geometry = Conv((2, 8, 8), 3, (3, 3), (1, 1), (0, 0, 0, 0), 1, (0, 0, 0, 0))
    kernel = mantissas(rng, (3, 2, 3, 3), "mixed")
    c = Population("c", [3, 6, 6], 1, registers(rng, 108))
    d = Population("d", [3, 6, 6], 2, plain(108, threshold=50))
    first = conv(0, 1, geometry, kernel, [3, 6, 6])
    return Flat(10, 1, [input_of([2, 8, 8]), c, d], [first, identity(1, 2, 108, 100)])


def clocked(rng: np.random.Generator) -> Flat:
    """Two hardware steps per logical one, an always-counting clock whose relays deliver biases,
    a relay of the input, an input of latency 1.
    """
    clock = Population("clock", [1], 1, plain(1, threshold=1, bias=33), Clock())
    tick = Population("tick", [1], 2, plain(1, threshold=50), Clock())
    relay = Population("in.1", [8], 1, plain(8, threshold=50, dv=4095), Relay(0, 1))
    h = Population("h", [12], 3, plain(12, threshold=150))
    late = input_of([5], latency=2, name="late")
    projections = [
        identity(2, 3, 1, 100),
        identity(0, 4, 8, 100),
        dense(3, 5, mantissas(rng, (12, 1), "mixed")),
        dense(4, 5, mantissas(rng, (12, 8), "mixed")),
        dense(1, 5, mantissas(rng, (12, 5), "mixed")),
    ]
    return Flat(9, 2, [input_of([8]), late, clock, tick, relay, h], projections)


def whole(net: Flat) -> list[Slice]:
    """Every population on cores in one slice."""
    return [Slice(i, 0, p.size()) for i, p in enumerate(net.populations) if p.registers is not None]


def whole_inputs(net: Flat) -> list[Slice]:
    """Every input in one route."""
    return [Slice(i, 0, p.size()) for i, p in enumerate(net.populations) if p.registers is None]


def halves(parts: list[Slice]) -> list[Slice]:
    """Every slice of two neurons or more cut at a third."""
    cut = []
    for population, first, count in parts:
        third = count // 3
        pieces = [(first, third), (first + third, count - third)]
        cut += [Slice(population, start, size) for start, size in pieces if size]
    return cut


def rasters(rng: np.random.Generator, net: Flat, density: float = 0.4) -> dict[str, Ints]:
    """Random input."""
    return {
        p.name: (rng.random((net.steps, p.size())) < density).astype(np.uint8)
        for p in net.populations
        if p.registers is None
    }


ALL = {
    "chain": chain,
    "signs": signs,
    "narrow": narrow,
    "images": images,
    "shared": shared,
    "clocked": clocked,
}
