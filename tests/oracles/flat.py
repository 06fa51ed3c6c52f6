"""Networks without cores and their integer simulation, the self-test's reference.

One step of a neuron is the integer contract: `a` is the sum of the weights that arrive now,

    u' = tz(u · (4096 − (du + 1)), 12) + (a << 6)
    v' = tz(v · (4096 − dv), 12) + u' + bias
    v' = max(v', floor), where there is one
    s  = v' > (threshold << 6), then v' = 0

where `tz(x, k) = sign(x) · (|x| >> k)`; a refractory neuron holds `v = 0` for `refractory − 1`
further steps while its current keeps running. A spike of step t arrives in step
`t + delay`, delay ≥ 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from records import Clock, Input, Neurons, Relay, Structure

Ints = np.ndarray


@dataclass
class Registers:
    """Register values, one per neuron; `bias` as (mantissa, exponent). One lowest membrane for all."""

    du: Ints
    dv: Ints
    threshold: Ints
    bias: tuple[Ints, Ints]
    refractory: Ints
    floor: int | None = None


@dataclass
class Population:
    """A population; an input has no registers."""

    name: str
    shape: list[int]
    latency: int
    registers: Registers | None
    role: Input | Neurons | Relay | Clock = field(default_factory=Neurons)
    block: int = 1

    def size(self) -> int:
        """Number of neurons."""
        return int(np.prod(self.shape))

    def on_core(self) -> Registers:
        """The registers of a population that is no input."""
        assert self.registers is not None, f"{self.name} is an input"
        return self.registers


@dataclass
class Projection:
    """Synapses between two populations: what a program stores and the weights that it means."""

    source: int
    target: int
    structure: Structure
    mantissa: list[int]
    exponent: int
    sign: str
    weights: Ints
    delay: int = 1


@dataclass
class Flat:
    """A network in hardware time."""

    steps: int
    period: int
    populations: list[Population]
    projections: list[Projection]

    def run_steps(self) -> int:
        """Hardware steps of one run."""
        return self.period * self.steps + max(p.latency for p in self.populations)


def _tz(value: Ints, bits: int) -> Ints:
    return np.sign(value) * (np.abs(value) >> bits)


@dataclass
class Traces:
    """Spikes, current and voltage `[hardware steps, neurons]` by population name."""

    spikes: dict[str, Ints]
    current: dict[str, Ints]
    voltage: dict[str, Ints]


def simulate(net: Flat, rasters: dict[str, Ints]) -> Traces:
    """One run from the zero state; `rasters` holds `[logical steps, elements]` by input name."""
    total = net.run_steps()
    spikes, current, voltage = (
        [np.zeros((total, p.size()), dtype=np.int64) for p in net.populations] for _ in range(3)
    )
    held = [np.zeros(p.size(), dtype=np.int64) for p in net.populations]
    for i, population in enumerate(net.populations):
        if population.registers is None:
            first = population.latency
            steps = slice(first, first + net.period * net.steps, net.period)
            spikes[i][steps] = rasters[population.name]
    for t in range(total):
        for i, population in enumerate(net.populations):
            r = population.registers
            if r is None:
                continue
            arriving = np.zeros(population.size(), dtype=np.int64)
            for projection in net.projections:
                sent = t - projection.delay
                if projection.target == i and sent >= 0:
                    arriving += projection.weights @ spikes[projection.source][sent]
            u = current[i][t - 1] if t > 0 else 0 * arriving
            v = voltage[i][t - 1] if t > 0 else 0 * arriving
            u = _tz(u * (4096 - (r.du + 1)), 12) + (arriving << 6)
            v = _tz(v * (4096 - r.dv), 12) + u + (r.bias[0] << r.bias[1])
            v = v if r.floor is None else np.maximum(v, r.floor)
            v[held[i] > 0] = 0
            fired = v > r.threshold << 6
            v[fired] = 0
            held[i] = np.where(fired, r.refractory - 1, np.maximum(held[i] - 1, 0))
            spikes[i][t], current[i][t], voltage[i][t] = fired, u, v
    names = [p.name for p in net.populations]
    return Traces(*(dict(zip(names, t, strict=True)) for t in (spikes, current, voltage)))
