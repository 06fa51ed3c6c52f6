"""Encoder of `program.snnb` for the self-test: written by hand from `docs/program-format.md`,
field by field, and sharing nothing with the decoder but the records.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any

from records import (
    Clock,
    Conv,
    Core,
    Dense,
    Graded,
    HostMap,
    Identity,
    Input,
    Layout,
    MeanLinear,
    Neurons,
    PoolMatrix,
    Program,
    Relay,
    Sparse,
    SpikeCount,
    Structure,
    Symbol,
)

CODINGS = ("direct", "events", "accumulator", "rate")
KEEP = {None: b"\0", "positive": b"\1\0", "negative": b"\1\1"}
SIGNS = ("mixed", "excitatory", "inhibitory")


def varint(value: int) -> bytes:
    """The shortest varint of a number that is not negative."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value: int) -> bytes:
    """Varint of a signed number."""
    return varint(2 * value if value >= 0 else -2 * value - 1)


def _numbers(*values: int) -> bytes:
    return b"".join(varint(value) for value in values)


def _string(text: str) -> bytes:
    data = text.encode()
    return varint(len(data)) + data


def _list(items: Iterable[Any], item: Callable[[Any], bytes]) -> bytes:
    encoded = [item(one) for one in items]
    return varint(len(encoded)) + b"".join(encoded)


def _floats(values: list[float]) -> bytes:
    return varint(len(values)) + struct.pack(f"<{len(values)}f", *values)


def _symbol(symbol: Symbol) -> bytes:
    match symbol.role:
        case Input(("direct", {"range": None})):
            role = b"\0\0\0"
        case Input(("direct", {"range": (low, high)})):
            role = b"\0\0\1" + zigzag(low) + zigzag(high)
        case Input((name, numbers)):
            role = _numbers(0, CODINGS.index(name), *numbers.values())
        case Neurons():
            role = varint(1)
        case Relay(of, hops):
            role = _numbers(2, of, hops)
        case Clock():
            role = varint(3)
    shape = _list(symbol.shape, varint) + varint(symbol.block)
    return _string(symbol.name) + shape + role + varint(symbol.latency)


def _structure(structure: Structure) -> bytes:
    match structure:
        case Dense(rows, cols):
            return _numbers(0, rows, cols)
        case Conv(source, out_channels, kernel, stride, pad, groups, crop):
            return _numbers(1, *source, out_channels, *kernel, *stride, *pad, groups, *crop)
        case Sparse(rows, cols, row_start, col):
            return _numbers(2, rows, cols) + _list(row_start, varint) + _list(col, varint)
        case Identity(size):
            return _numbers(3, size)


def _matrix(matrix: PoolMatrix) -> bytes:
    structure = _structure(matrix.structure) + varint(matrix.values)
    return structure + _layout(matrix.rows) + _layout(matrix.cols)


def _layout(layout: Layout) -> bytes:
    return _numbers(layout.places, layout.block)


def packed(values: list[int]) -> bytes:
    """An array over its common power of two, as one large number of the fewest bits per value."""
    shift = 0
    while any(values) and all(value % (2 << shift) == 0 for value in values):
        shift += 1
    small = [value >> shift for value in values]
    width = 1
    while not all(-(1 << width - 1) <= value < 1 << width - 1 for value in small):
        width += 1
    number = sum((value % (1 << width)) << (i * width) for i, value in enumerate(small))
    data = number.to_bytes((len(values) * width + 7) // 8, "little")
    return varint(len(values)) + bytes([shift, width]) + varint(len(data)) + data


def _graded(graded: Graded | None) -> bytes:
    return b"\0" if graded is None else b"\1" + KEEP[graded.keep] + bytes([graded.shift])


def _host(table: HostMap) -> bytes:
    ends = _numbers(table.input, table.target)
    weights = _floats(table.weights)
    return ends + _structure(table.structure) + weights + struct.pack("<d", table.scale)


def _core(core: Core) -> bytes:
    profiles = _list(
        core.profiles,
        lambda p: (
            _numbers(p.du, p.dv)
            + bytes([p.refractory])
            + (b"\0" if p.subtract is None else b"\1" + zigzag(p.subtract))
            + _numbers(*p.update)
            + _graded(p.graded)
            + (b"\0" if p.floor is None else b"\1" + zigzag(p.floor))
        ),
    )
    formats = _list(
        core.formats,
        lambda f: (
            struct.pack("<b", f.exponent)
            + varint(SIGNS.index(f.sign))
            + bytes([f.weight_bits, f.delay_bits])
        ),
    )
    compartments = _list(
        core.compartments,
        lambda run: (
            _numbers(run.population, run.first, run.len)
            + _list(
                run.cycle,
                lambda r: (
                    _numbers(r.profile, r.threshold)
                    + zigzag(r.bias_mantissa)
                    + bytes([r.bias_exponent])
                ),
            )
        ),
    )
    synapses = _list(
        core.synapses,
        lambda b: (
            _numbers(b.format, b.matrix)
            + bytes([b.delay])
            + _numbers(b.axon, b.axons, b.col, b.compartment, b.compartments, b.row)
        ),
    )
    routes = _list(core.routes, lambda r: _numbers(r.compartment, r.len, r.core, r.axon))
    thresholds = _list(core.thresholds, varint)
    registers = varint(core.chip) + varint(core.cell) + profiles + thresholds + formats + compartments
    return registers + varint(core.axons) + synapses + routes


def encode(program: Program) -> bytes:
    """The bytes of a program."""
    match program.readout:
        case SpikeCount(population):
            readout = _numbers(0, population)
        case MeanLinear(terms, bias):
            term = _list(terms, lambda t: varint(t[0]) + _floats(t[1]))
            readout = varint(1) + term + _floats(bias)
    return b"".join(
        (
            b"SNNB\x03\x05\x00",
            _string(program.name),
            _string(program.target),
            _numbers(program.steps, program.period, program.run_steps),
            _list(program.populations, _symbol),
            _list(program.values, packed),
            _list(program.matrices, _matrix),
            _list(
                program.inputs,
                lambda r: _numbers(r.population, r.first, r.len, r.core, r.axon),
            ),
            _list(program.cores, _core),
            _list(program.host, _host),
            readout,
        )
    )
