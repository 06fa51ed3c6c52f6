"""Puts a flat network on cores in a given way: the self-test's stand-in for the compiler."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from flat import Flat, Population, Projection, Registers
import records
from records import (
    CompartmentRun,
    Core,
    Format,
    InputRoute,
    Layout,
    PoolMatrix,
    Profile,
    Program,
    Route,
    SpikeCount,
    Symbol,
    SynapseBlock,
)


class Slice(NamedTuple):
    """Positions `first..first + len` of a population."""

    population: int
    first: int
    len: int


def _index(items: list, item: object) -> int:
    """Position of an item, appended if it is new."""
    if item not in items:
        items.append(item)
    return items.index(item)


def _set(core: Core, r: Registers, neuron: int) -> records.Registers:
    """One compartment."""
    decays = int(r.du[neuron]), int(r.dv[neuron])
    profile = Profile(*decays, int(r.refractory[neuron]), None, (1, 0), None, r.floor)
    return records.Registers(
        profile=_index(core.profiles, profile),
        threshold=_index(core.thresholds, int(r.threshold[neuron])),
        bias_mantissa=int(r.bias[0][neuron]),
        bias_exponent=int(r.bias[1][neuron]),
    )


def _compartments(net: Flat, core: Core, slices: list[Slice]) -> None:
    """Registers of the slices, as the shortest cycle that repeats."""
    for part in slices:
        population = net.populations[part.population]
        registers = population.on_core()
        neurons = _layout(population).neurons(population.size())[part.first :][: part.len]
        sets = [_set(core, registers, neuron) for neuron in neurons]
        period = next(c for c in range(1, len(sets) + 1) if sets[c:] == sets[: len(sets) - c])
        core.compartments.append(CompartmentRun(*part, sets[:period]))


def _layout(population: Population) -> Layout:
    """The order of a population's neurons."""
    places = population.size() // population.shape[0]
    block = population.block if places > 1 else 1
    return Layout(places, block) if block > 1 else Layout(1, 1)


def _matrix(net: Flat, values: list[list[int]], p: Projection) -> PoolMatrix:
    """The matrix of a projection, its mantissas added to the arrays."""
    rows, cols = (_layout(net.populations[index]) for index in (p.target, p.source))
    return PoolMatrix(p.structure, _index(values, p.mantissa), rows, cols)


def place(net: Flat, cores: list[list[Slice]], inputs: list[Slice], chips: list[int]) -> Program:
    """A program with the given slices on each core; `inputs` says how input routes are cut.

    A core gets one run of axons per source slice that projects to it, so both matrix rows and
    columns are cut.
    """
    program = Program(
        name="handmade",
        target="loihi1",
        steps=net.steps,
        period=net.period,
        run_steps=net.run_steps(),
        populations=[
            Symbol(p.name, p.shape, _layout(p).block, p.role, p.latency) for p in net.populations
        ],
        values=[],
        matrices=[],
        inputs=[],
        cores=[],
        host=[],
        readout=SpikeCount(len(net.populations) - 1),
    )
    pool = [
        _index(program.matrices, _matrix(net, program.values, p)) for p in net.projections
    ]
    sources: list[tuple[int | None, Slice, int]] = [(None, part, 0) for part in inputs]
    for index, slices in enumerate(cores):
        start = 0
        for part in slices:
            sources.append((index, part, start))
            start += part.len
    blocks: list[Core] = []
    for index, slices in enumerate(cores):
        core = Core(chips[index], index, [], [], [], [], 0, [], [])
        _compartments(net, core, slices)
        axons = 0
        for _, source, _ in sources:
            added = _synapses(net, pool, core, slices, source, axons)
            axons += source.len if added else 0
        blocks.append(replace(core, axons=axons))
    program.cores.extend(blocks)
    for target, slices in enumerate(cores):
        axon = 0
        for home, source, start in sources:
            if not _joined(net, slices, source):
                continue
            if home is None:
                program.inputs.append(InputRoute(*source, core=target, axon=axon))
            else:
                blocks[home].routes.append(Route(start, source.len, target, axon))
            axon += source.len
    return program


def _joined(net: Flat, slices: list[Slice], source: Slice) -> bool:
    targets = {part.population for part in slices}
    return any(p.source == source.population and p.target in targets for p in net.projections)


def _bits(projection: Projection) -> int:
    """The narrowest field that holds the weights of a projection; there is none of 7 bits."""
    unit = 2 if projection.sign == "mixed" else 1
    lost = [m % (unit << 8 - np.arange(1, 7)) for m in projection.mantissa]
    holds = ~np.any(lost, axis=0)
    return int(np.argmax(holds)) + 1 if holds.any() else 8


def _synapses(
    net: Flat, pool: list[int], core: Core, slices: list[Slice], source: Slice, axon: int
) -> bool:
    """Blocks from one source slice, whose axons start at `axon`; whether there are any."""
    for index, projection in enumerate(net.projections):
        if projection.source != source.population:
            continue
        delay = projection.delay - 1
        form = Format(projection.exponent, projection.sign, _bits(projection), delay.bit_length())
        compartment = 0
        for part in slices:
            if part.population == projection.target:
                block = SynapseBlock(
                    format=_index(core.formats, form),
                    matrix=pool[index],
                    delay=delay,
                    axon=axon,
                    axons=source.len,
                    col=source.first,
                    compartment=compartment,
                    compartments=part.len,
                    row=part.first,
                )
                core.synapses.append(block)
            compartment += part.len
    return _joined(net, slices, source)
