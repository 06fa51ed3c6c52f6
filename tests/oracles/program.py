"""Decoder of `program.snnb`, written from `docs/program-format.md` alone.

The codecs below repeat the tables of that page's section 3, field by field;
`program_check.check` holds a program to its section 5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import records
from postcard import (
    Codec,
    ProgramError,
    Reader,
    enum,
    f32,
    f64,
    i8,
    i16,
    i32,
    list_of,
    option,
    packed,
    record,
    string,
    tuple_of,
    u8,
    u16,
    u32,
    u64,
)

MAGIC = b"SNNB"
KIND_PROGRAM = 3
VERSION = 5


def _coding(name: str, **fields: Codec[Any]) -> Codec[tuple[str, dict[str, Any]]]:
    return record(lambda **values: (name, values), **fields)


_CODING = enum(
    _coding("direct", range=option(tuple_of(i32, i32))),
    _coding("events"),
    _coding("accumulator", pmax=u32, steps_in=u32),
    _coding("rate", seed=u64),
)
_ROLE = enum(
    record(records.Input, coding=_CODING),
    record(records.Neurons),
    record(records.Relay, of=u32, hops=u32),
    record(records.Clock),
)
_SYMBOL = record(records.Symbol, name=string, shape=list_of(u32), block=u32, role=_ROLE, latency=u32)
_CONV = record(
    records.Conv,
    input=tuple_of(u32, u32, u32),
    out_channels=u32,
    kernel=tuple_of(u32, u32),
    stride=tuple_of(u32, u32),
    pad=tuple_of(u32, u32, u32, u32),
    groups=u32,
    crop=tuple_of(u32, u32, u32, u32),
)
_STRUCTURE = enum(
    record(records.Dense, rows=u32, cols=u32),
    _CONV,
    record(records.Sparse, rows=u32, cols=u32, row_start=list_of(u32), col=list_of(u32)),
    record(records.Identity, size=u32),
)
_SIGN = enum(lambda _: "mixed", lambda _: "excitatory", lambda _: "inhibitory")
_KEEP = enum(lambda _: "positive", lambda _: "negative")
_GRADED = record(records.Graded, keep=option(_KEEP), shift=u8)
_LAYOUT = record(records.Layout, places=u32, block=u32)
_REGISTERS = record(
    records.Registers, profile=u32, threshold=u32, bias_mantissa=i16, bias_exponent=u8
)
_CORE = record(
    records.Core,
    chip=u32,
    cell=u32,
    profiles=list_of(
        record(
            records.Profile,
            du=u16,
            dv=u16,
            refractory=u8,
            subtract=option(i32),
            update=tuple_of(u32, u32),
            graded=option(_GRADED),
            floor=option(i32),
        )
    ),
    thresholds=list_of(u32),
    formats=list_of(record(records.Format, exponent=i8, sign=_SIGN, weight_bits=u8, delay_bits=u8)),
    compartments=list_of(
        record(
            records.CompartmentRun, population=u32, first=u32, len=u32, cycle=list_of(_REGISTERS)
        )
    ),
    axons=u32,
    synapses=list_of(
        record(
            records.SynapseBlock,
            format=u32,
            matrix=u32,
            delay=u8,
            axon=u32,
            axons=u32,
            col=u32,
            compartment=u32,
            compartments=u32,
            row=u32,
        )
    ),
    routes=list_of(record(records.Route, compartment=u32, len=u32, core=u32, axon=u32)),
)
_PROGRAM = record(
    records.Program,
    name=string,
    target=string,
    steps=u32,
    period=u32,
    run_steps=u64,
    populations=list_of(_SYMBOL),
    values=list_of(packed),
    matrices=list_of(
        record(records.PoolMatrix, structure=_STRUCTURE, values=u32, rows=_LAYOUT, cols=_LAYOUT)
    ),
    inputs=list_of(
        record(records.InputRoute, population=u32, first=u32, len=u32, core=u32, axon=u32),
    ),
    cores=list_of(_CORE),
    host=list_of(
        record(
            records.HostMap,
            input=u32,
            target=u32,
            structure=_STRUCTURE,
            weights=list_of(f32),
            scale=f64,
        )
    ),
    readout=enum(
        record(records.SpikeCount, population=u32),
        record(records.MeanLinear, terms=list_of(tuple_of(u32, list_of(f32))), bias=list_of(f32)),
    ),
)


def decode(data: bytes) -> records.Program:
    """Decodes a whole file. Raises `ProgramError`."""
    if data[:4] != MAGIC:
        raise ProgramError("the first four bytes are not SNNB")
    if len(data) < 7 or data[4] != KIND_PROGRAM:
        raise ProgramError("the file holds no program (kind 3)")
    version = int.from_bytes(data[5:7], "little")
    if version != VERSION:
        raise ProgramError(f"format version {version}, this decoder knows {VERSION}")
    reader = Reader(data, 7)
    program = _PROGRAM(reader)
    if reader.left():
        raise ProgramError(f"{reader.left()} bytes after the program")
    return program


def read(path: Path) -> records.Program:
    """Decodes a file. Raises `ProgramError` or `OSError`."""
    return decode(path.read_bytes())
