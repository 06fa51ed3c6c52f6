"""Builds nengo-loihi blocks, one per core, from a decoded program and has nengo-loihi check them.

Every core becomes a `LoihiBlock` with the program's register values, every synapse format of a
core a `Synapse` (two, if some of its lists carry indices and some do not; one more for each source
that the core receives by pixels), the routes from one source to it an `Axon`. No nengo model is
involved.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from nengo.exceptions import BuildError, ValidationError
from nengo_loihi.block import Axon, LoihiBlock, Synapse, SynapseConfig
from nengo_loihi.builder.builder import ValidationLevel
from nengo_loihi.builder.validate import validate_model
from nengo_loihi.hardware.allocators import Allocator
from nengo_loihi.hardware.nxsdk_objects import Board
from nengo_loihi.hardware.validate import validate_board
from nengo_loihi.inputs import SpikeInput

import nengo_pixels
from outcome import CannotRun
from records import Core, Dense, Format, Input, Program, SynapseBlock
from synapses import Synapses, expand, weights

STATE_LIMIT = (1 << 23) - 1
MAX_CORES_PER_CHIP = 128
COMPRESSION_SPARSE = 0
COMPRESSION_DENSE = 3
FANOUT = {"mixed": 1, "excitatory": 2, "inhibitory": 3}


class AsPlaced(Allocator):
    """Puts every block on a core of its own, on the chip that the program names."""

    def __init__(self, chips: list[int]) -> None:
        self.chips = chips

    def __call__(self, model: SimpleNamespace, n_chips: int) -> Board:
        """The board with every block of the model."""
        board = Board()
        for _ in range(n_chips):
            board.new_chip()
        for spike_input in model.inputs:
            self.input_to_board(spike_input, board)
        for block, chip in zip(model.blocks, self.chips, strict=True):
            self.block_to_new_core(block, board.chips[chip])
        if max(board.n_cores_per_chip) > MAX_CORES_PER_CHIP:
            raise BuildError(f"cores per chip {board.n_cores_per_chip}")
        return board


@dataclass(frozen=True)
class Group:
    """Synapses of one format of a core; `slot` maps the core's axons to its own, -1 = none. `atom`
    says which of a slot's lists each axon of the core has, where they have several.
    """

    synapse: Synapse
    slot: np.ndarray
    atom: np.ndarray | None = None


@dataclass(frozen=True)
class Built:
    """The emulator's model, and its inputs by population index."""

    model: SimpleNamespace
    inputs: dict[int, SpikeInput]


def refuse_unsupported(program: Program) -> None:
    """Raises `CannotRun` if the program uses what the emulator does not have."""
    for index, core in enumerate(program.cores):
        if any(block.delay for block in core.synapses):
            raise CannotRun(
                f"core {index} uses synaptic delays, which nengo-loihi's emulator does not have; "
                "compile with --delays relay"
            )
        if any(profile.subtract is not None for profile in core.profiles):
            raise CannotRun(f"core {index} resets by subtraction, nengo-loihi resets to 0 only")
        if any(profile.update != (1, 0) for profile in core.profiles):
            raise CannotRun(f"core {index} skips steps, nengo-loihi updates in every step")
        for run in core.compartments:
            if any(core.profiles[r.profile].graded is not None for r in run.cycle):
                name = program.populations[run.population].name
                raise CannotRun(
                    f"population {name} sends graded messages, nengo-loihi's neurons only spike"
                )
    for table in program.host:
        names = [program.populations[index].name for index in (table.input, table.target)]
        raise CannotRun(
            f"input {names[0]} is coded directly: the host writes it to the biases of "
            f"{names[1]}, sample by sample, for which nengo-loihi's blocks have no input"
        )
    if not program.cores:
        raise CannotRun("the program has no core")


def _block(core: Core, label: str) -> LoihiBlock:
    """A block with the compartment registers of a core."""
    runs = [registers for run in core.compartments for registers in run.registers()]

    def registers(values: Iterable[int]) -> np.ndarray:
        return np.fromiter(values, dtype=np.int32)

    block = LoihiBlock(core.size(), label=label)
    compartment = block.compartment
    compartment.decay_u = registers(core.profiles[run.profile].du for run in runs)
    compartment.decay_v = registers(core.profiles[run.profile].dv for run in runs)
    compartment.refract_delay = registers(core.profiles[run.profile].refractory for run in runs)
    compartment.vth = registers(core.thresholds[run.threshold] << 6 for run in runs)
    compartment.bias = registers(run.bias_mantissa << run.bias_exponent for run in runs)
    compartment.scale_u = compartment.scale_v = False
    floors = (core.profiles[run.profile].floor for run in runs)
    compartment.vmin = registers(-STATE_LIMIT if floor is None else floor for floor in floors)
    compartment.vmax = STATE_LIMIT
    return block


def _layers(
    program: Program, core: Core, blocks: list[SynapseBlock], zeros: bool = False
) -> list[list[Synapses]]:
    """Blocks of one format in as few layers as keep every (axon, compartment) pair single: the
    emulator's `Synapse` cannot hold two synapses of one pair.
    """
    layers: list[tuple[set[int], list[Synapses]]] = []
    for block in blocks:
        part = expand(block, program.matrices[block.matrix], program.values, zeros)
        pairs = set((part.axon * core.size() + part.compartment).tolist())
        for taken, parts in layers:
            if taken.isdisjoint(pairs):
                taken |= pairs
                parts.append(part)
                break
        else:
            layers.append((pairs, [part]))
    return [parts for _, parts in layers]


def _group(core: Core, form: int, parts: list[Synapses], indexed: bool, label: str) -> Group | None:
    """A `Synapse` with the given entries, or nothing if there are none."""
    axon, compartment, mantissa = (np.concatenate(column) for column in zip(*parts, strict=True))
    if axon.size == 0:
        return None
    order = np.lexsort((compartment, axon))
    used, starts = np.unique(axon[order], return_index=True)
    register = core.formats[form]
    stored = (weights(mantissa[order], register) << 6).astype(np.int32)
    indices = compartment[order].astype(np.int32)
    synapse = Synapse(len(used), label=label)
    synapse.weights = [part[np.newaxis] for part in np.split(stored, starts[1:])]
    synapse.indices = [part[np.newaxis] for part in np.split(indices, starts[1:])]
    _format(synapse, register, indexed)
    slot = np.full(core.axons, -1, dtype=np.int64)
    slot[used] = np.arange(len(used))
    return Group(synapse, slot)


def _format(synapse: Synapse, register: Format, indexed: bool) -> None:
    """The registers of a format."""
    widths = SynapseConfig.WEIGHT_BITS_MAP
    synapse.format(
        compression=COMPRESSION_SPARSE if indexed else COMPRESSION_DENSE,
        idx_bits=synapse.idx_bits(),
        fanout_type=FANOUT[register.sign],
        n_synapses=63,
        weight_bits=next(i for i, width in enumerate(widths) if width >= register.weight_bits),
        weight_exp=register.exponent,
        delay_bits=register.delay_bits,
    )


def _pixels(
    program: Program,
    core: Core,
    form: int,
    fed: nengo_pixels.Feed,
    parts: list[Synapses],
    label: str,
) -> Group | None:
    """A `Synapse` with the entries of one source that the core receives by pixels."""
    axon, compartment, mantissa = (np.concatenate(column) for column in zip(*parts, strict=True))
    if axon.size == 0:
        return None
    register = core.formats[form]
    stored = weights(mantissa, register) << 6
    symbol = program.populations[fed.population[axon[0]]]
    places = symbol.size() // symbol.shape[0]
    entries = Synapses(axon, compartment, stored)
    made = nengo_pixels.lists(entries, places, fed, core.size(), label)
    _format(made.synapse, register, indexed=True)
    return Group(made.synapse, made.slot, made.atom)


def _groups(program: Program, index: int, block: LoihiBlock) -> list[Group]:
    """All synapses of a core, added to its block."""
    core = program.cores[index]
    fed = nengo_pixels.feed(program, index)
    received = nengo_pixels.received(program, index, fed)
    groups: list[Group | None] = []
    for form in range(len(core.formats)):
        blocks = [b for b in core.synapses if b.format == form]
        alone = [b for b in blocks if fed.population[b.axon] not in received]
        for indexed in (False, True):
            kind = [
                b
                for b in alone
                if isinstance(program.matrices[b.matrix].structure, Dense) != indexed
            ]
            for layer, parts in enumerate(_layers(program, core, kind)):
                label = f"core {index}, format {form}, {'indexed' if indexed else 'dense'} {layer}"
                groups.append(_group(core, form, parts, indexed, label))
        for source in sorted(received):
            kind = [b for b in blocks if fed.population[b.axon] == source]
            for layer, parts in enumerate(_layers(program, core, kind, zeros=True)):
                label = f"core {index}, format {form}, pixels of {source} {layer}"
                groups.append(_pixels(program, core, form, fed, parts, label))
    made = [group for group in groups if group is not None]
    for group in made:
        block.add_synapse(group.synapse)
    return made


def _join(
    source: LoihiBlock | SpikeInput, routes: list[tuple[np.ndarray, int]], group: Group
) -> None:
    """Adds the axons from a source to a group; a route is (neurons, first axon)."""
    maps = [np.full(source.n_neurons, -1, dtype=np.int64)]
    atoms = np.zeros(source.n_neurons, dtype=np.int64)
    for neurons, axon in routes:
        slots = group.slot[axon : axon + len(neurons)]
        if ((maps[-1][neurons] >= 0) & (slots >= 0)).any():
            maps.append(np.full(source.n_neurons, -1, dtype=np.int64))
        maps[-1][neurons[slots >= 0]] = slots[slots >= 0]
        if group.atom is not None:
            atoms[neurons] = group.atom[axon : axon + len(neurons)]
    for targets in maps:
        reached = targets[targets >= 0]
        n_axons = len(reached) if group.atom is None else len(np.unique(reached))
        if n_axons:
            axons = Axon(n_axons, label=f"{source.label} to {group.synapse.label}")
            axons.target = group.synapse
            axons.set_compartment_axon_map(targets, atoms=None if group.atom is None else atoms)
            source.add_axon(axons)


def _validate(program: Program, model: SimpleNamespace) -> None:
    """nengo-loihi's limits of blocks, cores and board."""
    numbers = sorted({core.chip for core in program.cores})
    chips = [numbers.index(core.chip) for core in program.cores]
    try:
        validate_model(model)
        validate_board(AsPlaced(chips)(model, len(numbers)))
    except (BuildError, ValidationError, AssertionError) as error:
        # Most of its assertions have no text: then the asserted line has to say it.
        reason = str(error) or traceback.extract_tb(error.__traceback__)[-1].line
        raise CannotRun(f"nengo-loihi rejects the program: {reason}") from error


def build(program: Program) -> Built:
    """The program as blocks that passed nengo-loihi's validators. Raises `CannotRun`."""
    refuse_unsupported(program)
    blocks = [_block(core, f"core {i}") for i, core in enumerate(program.cores)]
    inputs = {
        index: SpikeInput(symbol.size(), label=symbol.name)
        for index, symbol in enumerate(program.populations)
        if isinstance(symbol.role, Input)
    }
    for target, block in enumerate(blocks):
        for group in _groups(program, target, block):
            for core, source in zip(program.cores, blocks, strict=True):
                routes = [
                    (np.arange(r.compartment, r.compartment + r.len), r.axon)
                    for r in core.routes
                    if r.core == target
                ]
                _join(source, routes, group)
            for population, spike_input in inputs.items():
                lie = program.populations[population].neurons()
                routes = [
                    (lie[r.first : r.first + r.len], r.axon)
                    for r in program.inputs
                    if r.core == target and r.population == population
                ]
                _join(spike_input, routes, group)
    model = SimpleNamespace(
        blocks=blocks,
        inputs=list(inputs.values()),
        probes=[],
        dt=0.001,
        validation_level=ValidationLevel.MINIMAL,
    )
    _validate(program, model)
    return Built(model, inputs)
