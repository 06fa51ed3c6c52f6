"""Codecs of the postcard wire format, as `docs/program-format.md` section 2 describes them.

A codec is a function from a `Reader` to a value. Everything is strict: a varint that is not the
shortest of its value or leaves its type, an option byte above 1, an unknown enum tag, a count that
cannot fit into the remaining bytes and bytes left over are errors that name field and offset.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class ProgramError(Exception):
    """The bytes are not a program; `path` names the field, outermost first."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path: list[str] = []

    def inside(self, part: str) -> ProgramError:
        """Adds the enclosing field to the path."""
        self.path.insert(0, part)
        return self

    def __str__(self) -> str:
        place = "".join(self.path).lstrip(".")
        return f"{place}: {self.message}" if place else self.message


class Reader:
    """A position in a byte string."""

    def __init__(self, data: bytes, offset: int = 0) -> None:
        self.data = data
        self.offset = offset

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.left():
            raise ProgramError(f"{count} bytes needed at byte {self.offset}, {self.left()} left")
        start = self.offset
        self.offset += count
        return self.data[start : self.offset]

    def left(self) -> int:
        """Number of bytes not read yet."""
        return len(self.data) - self.offset

    def varint(self, bits: int) -> int:
        """An unsigned varint of a type of `bits` bits."""
        start = self.offset
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if value >> bits:
                raise ProgramError(f"varint at byte {start} leaves u{bits}")
            if byte < 0x80:
                if byte == 0 and shift > 0:
                    raise ProgramError(f"varint at byte {start} is not the shortest")
                return value
            shift += 7


Codec = Callable[[Reader], T]


def u8(reader: Reader) -> int:
    """One byte."""
    return reader.take(1)[0]


def i8(reader: Reader) -> int:
    """One byte, two's complement."""
    return int.from_bytes(reader.take(1), "little", signed=True)


def u16(reader: Reader) -> int:
    """Varint of 16 bits."""
    return reader.varint(16)


def u32(reader: Reader) -> int:
    """Varint of 32 bits."""
    return reader.varint(32)


def u64(reader: Reader) -> int:
    """Varint of 64 bits."""
    return reader.varint(64)


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def i16(reader: Reader) -> int:
    """Zigzag varint of 16 bits."""
    return _zigzag(reader.varint(16))


def i32(reader: Reader) -> int:
    """Zigzag varint of 32 bits."""
    return _zigzag(reader.varint(32))


def f32(reader: Reader) -> float:
    """IEEE 754 binary32, little-endian."""
    return struct.unpack("<f", reader.take(4))[0]


def f64(reader: Reader) -> float:
    """IEEE 754 binary64, little-endian."""
    return struct.unpack("<d", reader.take(8))[0]


def string(reader: Reader) -> str:
    """UTF-8 with its length in bytes."""
    start = reader.offset
    try:
        return reader.take(reader.varint(32)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProgramError(f"string at byte {start} is not UTF-8") from error


def option(item: Codec[T]) -> Codec[T | None]:
    """`item` or nothing."""

    def decode(reader: Reader) -> T | None:
        present = u8(reader)
        if present > 1:
            raise ProgramError(f"option byte {present} at byte {reader.offset - 1}")
        return item(reader) if present else None

    return decode


def list_of(item: Codec[T]) -> Codec[list[T]]:
    """A counted list; every item takes at least one byte."""

    def decode(reader: Reader) -> list[T]:
        count = u32(reader)
        if count > reader.left():
            raise ProgramError(f"{count} items announced, {reader.left()} bytes left")
        items: list[T] = []
        for index in range(count):
            try:
                items.append(item(reader))
            except ProgramError as error:
                error.inside(f"[{index}]")
                raise
        return items

    return decode


def tuple_of(*items: Codec[Any]) -> Codec[tuple[Any, ...]]:
    """One value of each codec, without a count."""
    return lambda reader: tuple(item(reader) for item in items)


def packed(reader: Reader) -> list[int]:
    """An array of 16-bit numbers, divided by `2^shift` and packed with `width` bits each."""
    start = reader.offset
    count, shift, width = u32(reader), u8(reader), u8(reader)
    if width < 1 or shift + width > 16:
        raise ProgramError(f"array at byte {start}: {width} bits, shifted by {shift}")
    length = u32(reader)
    if 8 * length < count * width or 8 * length >= count * width + 8:
        raise ProgramError(f"array at byte {start}: {length} bytes for {count} times {width} bits")
    bits = np.unpackbits(np.frombuffer(reader.take(length), dtype=np.uint8), bitorder="little")
    if bits[count * width :].any():
        raise ProgramError(f"array at byte {start}: bits after the last value")
    values = bits[: count * width].reshape(count, width).astype(np.int64) << np.arange(width)
    # The highest bit is the sign.
    values[:, -1] *= -1
    found = values.sum(axis=1)
    half = 1 << (width - 1) >> 1
    if width > 1 and bool(((-half <= found) & (found < half)).all()):
        raise ProgramError(f"array at byte {start} fits fewer than {width} bits")
    if shift > 0 and not found.any() or found.any() and not (found % 2).any():
        raise ProgramError(f"array at byte {start}: the shift is not {shift}")
    return (found << shift).tolist()


def record(make: Callable[..., T], **fields: Codec[Any]) -> Codec[T]:
    """`make(**values)` with one value per field, in the order given here."""

    def decode(reader: Reader) -> T:
        values = {}
        for name, codec in fields.items():
            try:
                values[name] = codec(reader)
            except ProgramError as error:
                error.inside(f".{name}")
                raise
        return make(**values)

    return decode


def enum(*variants: Codec[Any]) -> Codec[Any]:
    """A tag, then the fields of that variant."""

    def decode(reader: Reader) -> Any:
        tag = u32(reader)
        if tag >= len(variants):
            raise ProgramError(f"tag {tag} of {len(variants)} variants")
        return variants[tag](reader)

    return decode
