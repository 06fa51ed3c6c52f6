"""The two forms of a network that the comparison knows: in floats and in integers, in logical time.

Both have the same populations, in the same order, and the same axes. A projection's weights are
`[target, source]`. A spike of step t arrives in step t + delay; a delay of 0 is the same step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class Edge(Protocol):
    """What the order of populations depends on."""

    source: str
    target: str
    delay: int


@dataclass(frozen=True)
class Projection:
    """Weights of one connection; float64 in both forms, whole numbers in the integer form."""

    source: str
    target: str
    delay: int
    weights: np.ndarray


@dataclass(frozen=True)
class FloatNeurons:
    """Leaky integrate-and-fire: `v = v·(1 − decay) + I + bias`, fires if `v > threshold`, then
    `v = 0`. Every array has one value per neuron."""

    decay: np.ndarray
    threshold: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class FloatNetwork:
    """A network before quantization. Inputs are the sizes of the populations that only send."""

    name: str
    steps: int
    inputs: dict[str, int]
    neurons: dict[str, FloatNeurons]
    projections: list[Projection]
    readout: str

    def into(self, target: str) -> list[Projection]:
        """Projections that end in a population."""
        return [p for p in self.projections if p.target == target]


@dataclass(frozen=True)
class IntegerNeurons:
    """Registers of a population, one value per neuron; `threshold` and `bias` in membrane units."""

    du: np.ndarray
    dv: np.ndarray
    threshold: np.ndarray
    bias: np.ndarray
    refractory: int = 1


@dataclass(frozen=True)
class IntegerNetwork:
    """A quantized network. `notes` says what the conversion had to bend, one line each."""

    name: str
    steps: int
    inputs: dict[str, int]
    neurons: dict[str, IntegerNeurons]
    projections: list[Projection]
    readout: str
    notes: list[str] = field(default_factory=list)


def update_order(names: Sequence[str], edges: Sequence[Edge]) -> list[str]:
    """Populations such that every edge of delay 0 goes forward. Raises `ValueError` on a loop."""
    zero = [(e.source, e.target) for e in edges if e.delay == 0]
    order: list[str] = []
    left = list(names)
    while left:
        ready = [n for n in left if not any(t == n and s in left for s, t in zero)]
        if not ready:
            raise ValueError(f"delays of 0 form a loop among {left}")
        order.extend(ready)
        left = [n for n in left if n not in ready]
    return order
