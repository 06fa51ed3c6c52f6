"""A program without its cores: neurons with their registers, and synapses from neuron to neuron.

Routes, axons and synapse blocks are followed to the compartments that they reach, so what a core holds is what
is flattened. Numbers count over the populations on cores in order, and over the inputs in order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from records import Core, Input, Program
from synapses import expand

Ints = np.ndarray


@dataclass(frozen=True)
class Neurons:
    """Registers, one entry per neuron: decays, threshold mantissa, refractory period, bias."""

    du: Ints
    dv: Ints
    threshold: Ints
    refractory: Ints
    bias: Ints


@dataclass(frozen=True)
class Bundle:
    """Synapses of one format and delay register, from inputs or from neurons."""

    from_inputs: bool
    exponent: int
    sign: str
    weight_bits: int
    delay: int
    source: Ints
    target: Ints
    mantissa: Ints


@dataclass(frozen=True)
class Network:
    """The program, and where its populations begin among the neurons or the inputs."""

    neurons: Neurons
    bundles: list[Bundle]
    first: dict[str, int]
    inputs: int


def _firsts(program: Program) -> tuple[list[int], int, int]:
    """First number of each population, and how many neurons and inputs there are."""
    firsts, counts = [], [0, 0]
    for symbol in program.populations:
        kind = int(isinstance(symbol.role, Input))
        firsts.append(counts[kind])
        counts[kind] += symbol.size()
    return firsts, counts[0], counts[1]


def _compartments(program: Program, core: Core, firsts: list[int]) -> Ints:
    """Number of the neuron in each compartment."""
    parts = [
        firsts[run.population]
        + program.populations[run.population].neurons()[run.first : run.first + run.len]
        for run in core.compartments
    ]
    return np.concatenate(parts)


def flatten(program: Program) -> Network:
    """Follows every spike of the program. It must have been checked."""
    firsts, size, inputs = _firsts(program)
    registers = np.zeros((5, size), dtype=np.int64)
    places = [_compartments(program, core, firsts) for core in program.cores]
    bundles = []
    for index, core in enumerate(program.cores):
        runs = [r for run in core.compartments for r in run.registers()]
        profiles = [core.profiles[r.profile] for r in runs]
        registers[:, places[index]] = [
            [p.du for p in profiles],
            [p.dv for p in profiles],
            [core.thresholds[r.threshold] for r in runs],
            [p.refractory for p in profiles],
            [r.bias_mantissa << r.bias_exponent for r in runs],
        ]
        # The source of each axon; inputs are told by `fed`.
        source = np.full(core.axons, -1, dtype=np.int64)
        fed = np.zeros(core.axons, dtype=bool)
        for route in program.inputs:
            if route.core == index:
                neurons = program.populations[route.population].neurons()
                axons = slice(route.axon, route.axon + route.len)
                source[axons] = (
                    firsts[route.population] + neurons[route.first : route.first + route.len]
                )
                fed[axons] = True
        for place, other in zip(places, program.cores, strict=True):
            for route in other.routes:
                if route.core == index:
                    axons = slice(route.axon, route.axon + route.len)
                    source[axons] = place[route.compartment : route.compartment + route.len]
        for block in core.synapses:
            part = expand(block, program.matrices[block.matrix], program.values)
            form = core.formats[block.format]
            for kind in (False, True):
                mine = (fed[part.axon] == kind) & (source[part.axon] >= 0)
                if mine.any():
                    bundles.append(
                        Bundle(
                            kind,
                            form.exponent,
                            form.sign,
                            form.weight_bits,
                            block.delay,
                            source[part.axon[mine]],
                            places[index][part.compartment[mine]],
                            part.mantissa[mine],
                        )
                    )
    names = [symbol.name for symbol in program.populations]
    first = dict(zip(names, firsts, strict=True))
    return Network(Neurons(*registers), bundles, first, inputs)
