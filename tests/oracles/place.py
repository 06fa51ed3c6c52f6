"""Puts a flat network on cores in a given way: the self-test's stand-in for the compiler."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from flat import Flat, Projection, Registers
from records import (
    CompartmentRun,
    Core,
    Format,
    InputRoute,
    PoolMatrix,
    Profile,
    Program,
    Route,
    SpikeCount,
    Symbol,
    SynapseBlock,
)


class Slice(NamedTuple):
    """Neurons `first..first + len` of a population."""

    population: int
    first: int
    len: int


def _index(items: list, item: object) -> int:
    """Position of an item, appended if it is new."""
    if item not in items:
        items.append(item)
    return items.index(item)


def _run(core: Core, r: Registers, population: int, neuron: int) -> CompartmentRun:
    """One compartment."""
    decays = int(r.du[neuron]), int(r.dv[neuron])
    profile = Profile(*decays, int(r.refractory[neuron]), None, (1, 0), None)
    return CompartmentRun(
        population=population,
        first=neuron,
        len=1,
        profile=_index(core.profiles, profile),
        threshold=_index(core.thresholds, int(r.threshold[neuron])),
        bias_mantissa=int(r.bias[0][neuron]),
        bias_exponent=int(r.bias[1][neuron]),
    )


def _compartments(net: Flat, core: Core, slices: list[Slice]) -> None:
    """Registers of the slices; neighbors with equal registers share a run."""
    for part in slices:
        registers = net.populations[part.population].on_core()
        for neuron in range(part.first, part.first + part.len):
            new = _run(core, registers, part.population, neuron)
            last = core.compartments[-1] if core.compartments else new
            if replace(last, first=neuron - last.len, len=1) == replace(new, first=last.first):
                core.compartments[-1] = replace(last, len=last.len + 1)
            else:
                core.compartments.append(new)


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
        populations=[Symbol(p.name, p.shape, p.role, p.latency) for p in net.populations],
        matrices=[PoolMatrix(p.structure, p.mantissa) for p in net.projections],
        inputs=[],
        cores=[],
        host=[],
        readout=SpikeCount(len(net.populations) - 1),
    )
    sources: list[tuple[int | None, Slice, int]] = [(None, part, 0) for part in inputs]
    for index, slices in enumerate(cores):
        start = 0
        for part in slices:
            sources.append((index, part, start))
            start += part.len
    blocks: list[Core] = []
    for index, slices in enumerate(cores):
        core = Core(chips[index], [], [], [], [], 0, [], [])
        _compartments(net, core, slices)
        axons = 0
        for _, source, _ in sources:
            added = _synapses(net, core, slices, source, axons)
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


def _synapses(net: Flat, core: Core, slices: list[Slice], source: Slice, axon: int) -> bool:
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
                    matrix=index,
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
