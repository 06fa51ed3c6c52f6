"""What a core of Loihi 1 receives by pixels (docs/targets.md, "Convolutions on Loihi 1").

A pixel of a source has one axon on the core, the channel travels as its atom, and pixels that reach
the same taps at the same distances share a list of weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nengo_loihi.block import Synapse

from records import Conv, Core, Identity, Program, SynapseBlock
from synapses import Synapses, conv_output

POP_TYPE = 32
BASES = 256


@dataclass(frozen=True)
class Feed:
    """Where the spikes of each axon of a core come from; -1 where nothing does."""

    population: np.ndarray
    neuron: np.ndarray


def compartments(program: Program, core: Core) -> tuple[np.ndarray, np.ndarray]:
    """Population and neuron of each compartment."""
    runs = core.compartments
    population = np.repeat([run.population for run in runs], [run.len for run in runs])
    neurons = [
        program.populations[run.population].neurons()[run.first : run.first + run.len]
        for run in core.compartments
    ]
    return population, np.concatenate([np.zeros(0, dtype=np.int64), *neurons])


def feed(program: Program, target: int) -> Feed:
    """The sources of a core's axons."""
    count = program.cores[target].axons
    result = Feed(np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64))
    for route in program.inputs:
        if route.core == target:
            axons = slice(route.axon, route.axon + route.len)
            lie = program.populations[route.population].neurons()
            result.population[axons] = route.population
            result.neuron[axons] = lie[route.first : route.first + route.len]
    for core in program.cores:
        routes = [route for route in core.routes if route.core == target]
        population, neuron = compartments(program, core) if routes else (None, None)
        for route in routes:
            axons = slice(route.axon, route.axon + route.len)
            sent = slice(route.compartment, route.compartment + route.len)
            result.population[axons] = population[sent]
            result.neuron[axons] = neuron[sent]
    return result


def received(program: Program, index: int, fed: Feed) -> set[int]:
    """Source populations that a core receives by pixels: only convolutions and one-to-one projections
    between populations with rows and columns read them there.
    """
    core = program.cores[index]
    population, _ = compartments(program, core)

    def moves(block: SynapseBlock) -> bool:
        structure = program.matrices[block.matrix].structure
        ends = [fed.population[block.axon], population[block.compartment]]
        source, target = (tuple(program.populations[end].shape) for end in ends)
        if isinstance(structure, Conv):
            return source == tuple(structure.input) and target == conv_output(structure)
        return isinstance(structure, Identity) and len(source) == 3 and source == target

    pixels: set[int] = set()
    neurons: set[int] = set()
    for block in core.synapses:
        (pixels if moves(block) else neurons).add(int(fed.population[block.axon]))
    return pixels - neurons - {-1}


@dataclass(frozen=True)
class Pixels:
    """A synapse of pixels; `slot` and `atom` are those of each axon of the core, -1 and 0 = none."""

    synapse: Synapse
    slot: np.ndarray
    atom: np.ndarray


def lists(part: Synapses, places: int, fed: Feed, size: int, label: str) -> Pixels:
    """The weights of a source's pixels on a core of this many compartments. Mantissas are integers of
    any scale.
    """
    used = np.unique(part.axon)
    channel, pixel = np.divmod(fed.neuron[part.axon], places)
    channels, atom = np.unique(channel, return_inverse=True)
    pixels, slots = np.unique(pixel, return_inverse=True)
    known: dict[bytes, int] = {}
    synapse = Synapse(len(pixels), label=label)
    synapse.weights, synapse.indices, lists_of, bases = [], [], [], []
    for slot in range(len(pixels)):
        here = slots == slot
        base = int(part.compartment[here].min()) % BASES
        rows = [
            (part.compartment[here & (atom == row)] - base, part.mantissa[here & (atom == row)])
            for row in range(len(channels))
        ]
        length = max(len(index) for index, _ in rows)
        weights = np.zeros((len(rows), length), dtype=np.int32)
        indices = np.zeros((len(rows), length), dtype=np.int32)
        for row, (index, mantissa) in enumerate(rows):
            # Fillers are compartments without an entry: the emulator adds a list in one go.
            free = np.setdiff1d(np.arange(size - base), index)[: length - len(index)]
            indices[row] = np.concatenate([index, free])
            weights[row, : len(index)] = mantissa
        key = weights.tobytes() + indices.tobytes()
        if key not in known:
            known[key] = len(synapse.weights)
            synapse.weights.append(weights)
            synapse.indices.append(indices)
        lists_of.append(known[key])
        bases.append(base)
    synapse.axon_to_weight_map = np.array(lists_of)
    synapse.axon_compartment_bases = bases
    synapse.pop_type = POP_TYPE
    slot_of, atom_of = np.full(len(fed.neuron), -1, dtype=np.int64), np.zeros(len(fed.neuron), int)
    used_channel, used_pixel = np.divmod(fed.neuron[used], places)
    slot_of[used] = np.searchsorted(pixels, used_pixel)
    atom_of[used] = np.searchsorted(channels, used_channel)
    return Pixels(synapse, slot_of, atom_of)
