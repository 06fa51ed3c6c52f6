"""What a partition comes to: cores, traffic, and whether every core keeps within its limits."""

from dataclasses import dataclass

import numpy as np

# Neurons and input axons of a core, stated here again: a mapper that reads its target wrongly shall not be its own judge.
LIMITS = {"loihi64": (1024, 4096), "loihi84": (4096, 65536)}


@dataclass
class Verdict:
    """What a partition comes to."""

    cores: int
    km1: float
    """Rates times copies of axons."""
    broken: int
    """Cores above a limit, or vertices without a core."""


def judge(network, core, target):
    """Judges the core of each vertex (−1: none) of a network."""
    neurons, inputs = LIMITS[target]
    if len(core) != len(network.weights):
        raise ValueError(f"{len(core)} cores for {len(network.weights)} vertices")
    homeless = int(((core < 0) != (network.weights == 0)).sum())
    load = np.bincount(core[core >= 0], weights=network.weights[core >= 0])
    axons = network.axons(core)
    over = int(((load > neurons) | (axons.inputs > inputs)).sum())
    return Verdict(int((load > 0).sum()), float(axons.rates @ axons.copies), over + homeless)


def read_cores(path):
    """The cores that `snnc map -o` writes."""
    with open(path, encoding="ascii") as file:
        return np.array([-1 if line == "-\n" else int(line) for line in file])
