"""What a decoded program must hold: `docs/program-format.md` section 5, points 3 to 12."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

import numpy as np

from postcard import ProgramError
from records import (
    Clock,
    Conv,
    Core,
    Dense,
    Format,
    Input,
    Layout,
    MeanLinear,
    Neurons,
    PoolMatrix,
    Program,
    Registers,
    Relay,
    Sparse,
    Structure,
)
from synapses import conv_output, cropped, extents

MAX_NEURONS = 1 << 28
MAX_CORE = 1 << 20
WEIGHT_BITS = (1, 2, 3, 4, 5, 6, 8)
SIGN_RANGE = {"mixed": (-256, 254), "excitatory": (0, 255), "inhibitory": (-255, 0)}


def _need(condition: bool, place: str, message: str) -> None:
    if not condition:
        raise ProgramError(message).inside(place)


def _span(first: int, count: int, limit: int, place: str) -> None:
    _need(count >= 1 and first + count <= limit, place, f"{first}+{count} leaves 0..{limit}")


def _index(value: int, items: Sequence[object], place: str) -> None:
    _need(value < len(items), place, f"{value} is no index of {len(items)} items")


def _check_symbols(program: Program) -> None:
    names = [symbol.name for symbol in program.populations]
    _need(all(names) and len(set(names)) == len(names), "populations", "names empty or not unique")
    for i, symbol in enumerate(program.populations):
        place = f"populations[{i}]"
        _need(1 <= len(symbol.shape) <= 3 and min(symbol.shape) >= 1, place, "bad shape")
        most = symbol.shape[0] if symbol.size() > symbol.shape[0] else 1
        _need(1 <= symbol.block <= most, place, f"blocks of {symbol.block} of {most} channels")
        if isinstance(symbol.role, Relay):
            _index(symbol.role.of, program.populations, f"{place}.role.of")
        if isinstance(symbol.role, Input) and symbol.role.direct():
            values = symbol.role.coding[1]["range"]
            _need(values is not None and values[0] < values[1], place, "no range of values")
    _need(sum(s.size() for s in program.populations) <= MAX_NEURONS, "populations", "too large")
    _need(program.period >= 1, "period", "0")
    last = max((symbol.latency for symbol in program.populations), default=0)
    steps = program.period * program.steps + last
    _need(program.run_steps == steps, "run_steps", f"{program.run_steps}, expected {steps}")


def _check_structure(structure: Structure, place: str) -> None:
    if isinstance(structure, Conv):
        positive = (*structure.stride, *structure.kernel, structure.groups)
        _need(min(positive) >= 1, place, "stride, kernel or groups is 0")
        channels = (structure.input[0], structure.out_channels)
        _need(all(c % structure.groups == 0 for c in channels), place, "groups do not divide")
        _need(min(cropped(structure)) >= 1, place, "the crop leaves nothing")
        _need(min(conv_output(structure)) >= 1, place, "no output")
    rows, cols, _ = extents(structure)
    _need(1 <= rows < 1 << 32 and 1 <= cols < 1 << 32, place, "no or too many rows or columns")


def _check_layout(layout: Layout, count: int, place: str) -> None:
    """Rows or columns in order, or at least two channels of at least two places in a block."""
    places, block = layout.places, layout.block
    several = places >= 2 and count % places == 0 and 2 <= block <= count // places
    _need((places, block) == (1, 1) or several, place, f"{layout} is no order of {count}")


def _check_matrix(matrix: PoolMatrix, values: list[list[int]], place: str) -> None:
    structure = matrix.structure
    _check_structure(structure, place)
    rows, cols, stored = extents(structure)
    _check_layout(matrix.rows, rows, f"{place}.rows")
    _check_layout(matrix.cols, cols, f"{place}.cols")
    _index(matrix.values, values, f"{place}.values")
    given = len(values[matrix.values])
    _need(given == stored, place, f"{given} mantissas of {stored}")
    if isinstance(structure, Sparse):
        start = np.asarray(structure.row_start, dtype=np.int64)
        _need(len(start) == rows + 1, place, "row_start has not rows + 1 entries")
        _need(start[0] == 0 and start[-1] == stored, place, "row_start does not span the entries")
        _need(bool((np.diff(start) >= 0).all()), place, "row_start falls")
        column = np.asarray(structure.col, dtype=np.int64)
        _need(bool((column < cols).all()), place, "column outside the matrix")
        rise = np.diff(column) > 0
        rise[start[1:-1][(start[1:-1] > 0) & (start[1:-1] < stored)] - 1] = True
        _need(bool(rise.all()), place, "columns of a row do not ascend")


def _check_storable(values: list[int], form: Format, place: str) -> None:
    mantissa = np.asarray(values, dtype=np.int64)
    low, high = SIGN_RANGE[form.sign]
    inside = bool(((mantissa >= low) & (mantissa <= high)).all())
    _need(inside, place, f"mantissa outside {low}..={high} of a group of sign {form.sign}")
    _need(form.sign != "mixed" or not (mantissa % 2).any(), place, "odd mantissa, sign mixed")
    cut = 8 - form.weight_bits + (form.sign == "mixed")
    lost = bool((mantissa % (1 << cut)).any())
    _need(not lost, place, f"a mantissa needs more than {form.weight_bits} bits")
    divisor = 1 << max(0, -form.exponent)
    _need(not (mantissa % divisor).any(), place, f"mantissa not divisible by {divisor}")


def _check_registers(core: Core, place: str) -> None:
    for i, profile in enumerate(core.profiles):
        here = f"{place}.profiles[{i}]"
        _need(profile.du <= 4095 and profile.dv <= 4095, here, "decay above 4095")
        _need(1 <= profile.refractory <= 63, here, "refractory outside 1..=63")
        period, phase = profile.update
        _need(phase < period, here, "update phase not below the period")
        plain = (profile.du, profile.dv, profile.refractory) == (4095, 4095, 1)
        plain = plain and profile.subtract is None and profile.update == (1, 0)
        plain = plain and profile.floor is None
        floor = 0 if profile.floor is None else profile.floor
        _need(1 - 2**30 <= floor <= 0, here, "floor outside the membranes up to 0")
        _need(profile.graded is None or plain, here, "a graded relay with state")
        _need(profile.graded is None or profile.graded.shift <= 31, here, "a shift above 31")
    _need(all(t <= 131071 for t in core.thresholds), f"{place}.thresholds", "above 131071")
    for i, form in enumerate(core.formats):
        here = f"{place}.formats[{i}]"
        _need(-7 <= form.exponent <= 7, here, "exponent outside -7..=7")
        widths = form.weight_bits in WEIGHT_BITS and form.delay_bits <= 6
        _need(widths, here, "bad bit counts")
    for i, run in enumerate(core.compartments):
        here = f"{place}.compartments[{i}]"
        sets = len(run.cycle)
        _need(1 <= sets <= run.len, here, f"{sets} sets of registers for {run.len}")
        for registers in run.cycle:
            _check_set(core, registers, here)


def _check_set(core: Core, registers: Registers, place: str) -> None:
    """One set of registers."""
    _index(registers.profile, core.profiles, f"{place}.profile")
    _index(registers.threshold, core.thresholds, f"{place}.threshold")
    mantissa, exponent = registers.bias_mantissa, registers.bias_exponent
    _need(abs(mantissa) <= 4095 and exponent <= 7, place, "bias too large")
    if core.profiles[registers.profile].graded is not None:
        whole = (mantissa << exponent) % 64 == 0
        _need(whole, place, "the bias of a graded relay is no multiple of 64")
        _need(registers.threshold == 0, place, "a graded relay names a threshold")


def _check_core(program: Program, core: Core, place: str) -> None:
    _need(core.size() <= MAX_CORE and core.axons <= MAX_CORE, place, "too large")
    _check_registers(core, place)
    for i, run in enumerate(core.compartments):
        here = f"{place}.compartments[{i}]"
        _index(run.population, program.populations, f"{here}.population")
        symbol = program.populations[run.population]
        _need(not isinstance(symbol.role, Input), here, "an input has no compartments")
        _span(run.first, run.len, symbol.size(), here)
    storable = set()
    for i, block in enumerate(core.synapses):
        here = f"{place}.synapses[{i}]"
        _index(block.format, core.formats, f"{here}.format")
        _index(block.matrix, program.matrices, f"{here}.matrix")
        form, matrix = core.formats[block.format], program.matrices[block.matrix]
        _need(block.delay < 1 << form.delay_bits, here, "delay does not fit its bits")
        rows, cols, _ = extents(matrix.structure)
        _span(block.axon, block.axons, core.axons, f"{here}.axon")
        _span(block.compartment, block.compartments, core.size(), f"{here}.compartment")
        _span(block.col, block.axons, cols, f"{here}.col")
        _span(block.row, block.compartments, rows, f"{here}.row")
        if (block.format, matrix.values) not in storable:
            _check_storable(program.values[matrix.values], form, here)
            storable.add((block.format, matrix.values))


def _driven(program: Program) -> Iterator[tuple[str, int, int, int]]:
    """Place, core, first axon and number of axons of every route."""
    for i, source in enumerate(program.inputs):
        place = f"inputs[{i}]"
        _index(source.population, program.populations, f"{place}.population")
        symbol = program.populations[source.population]
        spikes = isinstance(symbol.role, Input) and not symbol.role.direct()
        _need(spikes, place, f"{symbol.name} is no input of spikes")
        _span(source.first, source.len, symbol.size(), place)
        yield place, source.core, source.axon, source.len
    for c, core in enumerate(program.cores):
        for i, route in enumerate(core.routes):
            place = f"cores[{c}].routes[{i}]"
            _span(route.compartment, route.len, core.size(), place)
            yield place, route.core, route.axon, route.len


def check(program: Program) -> None:
    """Raises `ProgramError` with the place of the first violation."""
    _check_symbols(program)
    for i, matrix in enumerate(program.matrices):
        _check_matrix(matrix, program.values, f"matrices[{i}]")
    arrays = {tuple(array) for array in program.values}
    _need(len(arrays) == len(program.values), "values", "two arrays are equal")
    matrices = [repr(matrix) for matrix in program.matrices]
    _need(len(set(matrices)) == len(matrices), "matrices", "two matrices are equal")
    for i, core in enumerate(program.cores):
        _check_core(program, core, f"cores[{i}]")
    driven = [np.zeros(core.axons, dtype=bool) for core in program.cores]
    for place, target, axon, count in _driven(program):
        _index(target, program.cores, f"{place}.core")
        _span(axon, count, program.cores[target].axons, f"{place}.axon")
        axons = driven[target][axon : axon + count]
        _need(not axons.any(), place, "an axon is driven twice")
        axons[:] = True
    graded = _graded(program)
    _check_host(program)
    _check_readout(program, graded)


def _graded(program: Program) -> set[int]:
    """Populations of graded relays; none is mixed, and no clock is one."""
    kinds: dict[int, set[bool]] = {}
    for core in program.cores:
        for run in core.compartments:
            graded = {core.profiles[r.profile].graded is not None for r in run.cycle}
            kinds.setdefault(run.population, set()).update(graded)
    for population, found in kinds.items():
        symbol = program.populations[population]
        _need(len(found) == 1, f"populations[{population}]", "graded and spiking compartments")
        clock = isinstance(symbol.role, Clock) and True in found
        _need(not clock, f"populations[{population}]", "a clock that sends messages")
    return {population for population, found in kinds.items() if True in found}


def _check_host(program: Program) -> None:
    pairs = [(table.input, table.target) for table in program.host]
    _need(len(set(pairs)) == len(pairs), "host", "two tables join the same populations")
    for i, table in enumerate(program.host):
        place = f"host[{i}]"
        _index(table.input, program.populations, f"{place}.input")
        _index(table.target, program.populations, f"{place}.target")
        source, target = (program.populations[n] for n in (table.input, table.target))
        direct = isinstance(source.role, Input) and source.role.direct()
        _need(direct, place, f"{source.name} is not coded directly")
        _need(isinstance(target.role, Neurons), place, f"{target.name} is not written to")
        on_time = target.latency == 0 and program.period == 1
        _need(on_time, place, f"{target.name} does not act in every step from step 0 on")
        _need(isinstance(table.structure, Dense | Conv), place, "neither dense nor a convolution")
        _check_structure(table.structure, place)
        rows, cols, stored = extents(table.structure)
        fits = (rows, cols) == (target.size(), source.size())
        _need(fits, place, f"{rows} rows and {cols} columns")
        _need(len(table.weights) == stored, place, f"{len(table.weights)} weights of {stored}")
        _need(all(map(isfinite, table.weights)), place, "a weight is not finite")
        _need(isfinite(table.scale) and table.scale > 0, place, f"the scale is {table.scale}")
    written = {table.target for table in program.host}
    for c, core in enumerate(program.cores):
        for i, run in enumerate(core.compartments):
            fine = all(registers.bias_exponent <= 6 for registers in run.cycle)
            holds = fine or run.population not in written
            _need(holds, f"cores[{c}].compartments[{i}]", "the host adds multiples of 64")


def _check_readout(program: Program, graded: set[int]) -> None:
    readout = program.readout
    if isinstance(readout, MeanLinear):
        values = [x for _, term in readout.terms for x in term] + readout.bias
        _need(len(readout.bias) >= 1, "readout", "no class")
        _need(all(map(isfinite, values)), "readout", "a number is not finite")
        populations = [population for population, _ in readout.terms]
    else:
        populations = [readout.population]
    for population in populations:
        _index(population, program.populations, "readout")
        symbol = program.populations[population]
        direct = isinstance(symbol.role, Input) and symbol.role.direct()
        _need(not direct and population not in graded, "readout", f"{symbol.name} has no spikes")
        if not isinstance(readout, MeanLinear):
            _need(not isinstance(symbol.role, Input), "readout", f"{symbol.name} is an input")
    if isinstance(readout, MeanLinear):
        for population, term in readout.terms:
            expected = program.populations[population].size() * len(readout.bias)
            _need(len(term) == expected, "readout", f"{len(term)} weights of {expected}")
