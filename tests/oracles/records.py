"""The records of `program.snnb`, named as in `docs/program-format.md` section 3."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Layout:
    """Order of neurons on cores: channels of `places` neurons each, in blocks of `block` channels."""

    places: int
    block: int

    def neurons(self, count: int) -> np.ndarray:
        """`count` neurons by position: block after block, place after place, channel after channel."""
        channels = np.arange(count).reshape(-1, self.places)
        parts = [
            channels[first : first + self.block].T.ravel()
            for first in range(0, len(channels), self.block)
        ]
        return np.concatenate(parts)


@dataclass(frozen=True)
class Input:
    """Role: spikes come from the host. `coding` is the variant's name with its fields."""

    coding: tuple[str, dict[str, Any]]

    def direct(self) -> bool:
        """Whether it is a frame, which sends no spikes and acts through tables of the host."""
        return self.coding[0] == "direct"


@dataclass(frozen=True)
class Neurons:
    """Role: neurons or graded relays of the source network."""


@dataclass(frozen=True)
class Relay:
    """Role: repeats population `of`, `hops` steps later."""

    of: int
    hops: int


@dataclass(frozen=True)
class Clock:
    """Role: all neurons fire every period-th step."""


@dataclass(frozen=True)
class Symbol:
    """A population's entry in the symbol table."""

    name: str
    shape: list[int]
    block: int
    role: Input | Neurons | Relay | Clock
    latency: int

    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    def neurons(self) -> np.ndarray:
        """Its neurons by position on cores."""
        return Layout(prod(self.shape[1:]), self.block).neurons(self.size())


@dataclass(frozen=True)
class Dense:
    """Row-major matrix."""

    rows: int
    cols: int


@dataclass(frozen=True)
class Conv:
    """Geometry of a two-dimensional cross-correlation."""

    input: tuple[int, int, int]
    out_channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int, int, int]
    groups: int
    crop: tuple[int, int, int, int]


@dataclass(frozen=True)
class Sparse:
    """Compressed sparse rows."""

    rows: int
    cols: int
    row_start: list[int]
    col: list[int]


@dataclass(frozen=True)
class Identity:
    """Neuron i to neuron i, one weight."""

    size: int


Structure = Dense | Conv | Sparse | Identity


@dataclass(frozen=True)
class PoolMatrix:
    """A matrix of the pool: structure, array of stored mantissas, order of rows and columns."""

    structure: Structure
    values: int
    rows: Layout
    cols: Layout


@dataclass(frozen=True)
class InputRoute:
    """Positions `first..first + len` of an input go to axons `axon..` of a core."""

    population: int
    first: int
    len: int
    core: int
    axon: int


@dataclass(frozen=True)
class Graded:
    """What a graded relay sends: sums shifted by `shift`, all or those of one sign."""

    keep: str | None
    shift: int


@dataclass(frozen=True)
class Profile:
    """Compartment registers shared by many compartments."""

    du: int
    dv: int
    refractory: int
    subtract: int | None
    update: tuple[int, int]
    graded: Graded | None
    floor: int | None


@dataclass(frozen=True)
class Format:
    """Synapse format; `sign` is `mixed`, `excitatory` or `inhibitory`."""

    exponent: int
    sign: str
    weight_bits: int
    delay_bits: int


@dataclass(frozen=True)
class Registers:
    """Registers of one compartment."""

    profile: int
    threshold: int
    bias_mantissa: int
    bias_exponent: int


@dataclass(frozen=True)
class CompartmentRun:
    """Consecutive compartments, whose registers repeat."""

    population: int
    first: int
    len: int
    cycle: list[Registers]

    def registers(self) -> list[Registers]:
        """The registers of each compartment."""
        return [self.cycle[i % len(self.cycle)] for i in range(self.len)]


@dataclass(frozen=True)
class SynapseBlock:
    """Synapses from consecutive axons to consecutive compartments."""

    format: int
    matrix: int
    delay: int
    axon: int
    axons: int
    col: int
    compartment: int
    compartments: int
    row: int


@dataclass(frozen=True)
class Route:
    """Compartments `compartment..compartment + len` go to axons `axon..` of a core."""

    compartment: int
    len: int
    core: int
    axon: int


@dataclass(frozen=True)
class Core:
    """Registers and tables of one core."""

    chip: int
    cell: int
    profiles: list[Profile]
    thresholds: list[int]
    formats: list[Format]
    compartments: list[CompartmentRun]
    axons: int
    synapses: list[SynapseBlock]
    routes: list[Route]

    def size(self) -> int:
        """Number of compartments."""
        return sum(run.len for run in self.compartments)


@dataclass(frozen=True)
class HostMap:
    """What the host adds to biases: `rint(scale · W · sample)` per neuron of the target."""

    input: int
    target: int
    structure: Structure
    weights: list[float]
    scale: float


@dataclass(frozen=True)
class SpikeCount:
    """Readout: spikes of one population."""

    population: int


@dataclass(frozen=True)
class MeanLinear:
    """Readout: weighted mean counts, computed by the host."""

    terms: list[tuple[int, list[float]]]
    bias: list[float]


@dataclass(frozen=True)
class Program:
    """A decoded core-level program."""

    name: str
    target: str
    steps: int
    period: int
    run_steps: int
    populations: list[Symbol]
    values: list[list[int]]
    matrices: list[PoolMatrix]
    inputs: list[InputRoute]
    cores: list[Core]
    host: list[HostMap]
    readout: SpikeCount | MeanLinear
