"""Reads and writes the files of a fixture: safetensors weights, npz traces, genome JSON."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
NAMES = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8")}
META = "meta"


def write_safetensors(path: Path, arrays: Arrays) -> None:
    """Writes tensors without holes, the widest elements first, so that each starts aligned."""
    kinds = {kind: name for name, kind in NAMES.items()}
    header: dict[str, Any] = {}
    blobs: list[bytes] = []
    end = 0
    for name in sorted(arrays, key=lambda key: (-arrays[key].dtype.itemsize, key)):
        array = arrays[name]
        blob = array.astype(array.dtype.newbyteorder("<")).tobytes()
        span = [end, end + len(blob)]
        kind = kinds[array.dtype.newbyteorder("<")]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": span}
        blobs.append(blob)
        end = span[1]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path: Path) -> Arrays:
    """Reads every tensor of a file written by `write_safetensors` or by the safetensors library."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    body = data[8 + length :]
    arrays: Arrays = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(body[begin:end], dtype=NAMES[entry["dtype"]])
        arrays[name] = flat.reshape(entry["shape"])
    return arrays


def write_npz(path: Path, arrays: Arrays, meta: dict[str, Any]) -> None:
    """Writes compressed arrays; `meta` becomes JSON text, stored as bytes in the array `meta`."""
    text = json.dumps(meta, indent=1).encode()
    np.savez_compressed(path, **arrays, **{META: np.frombuffer(text, dtype=np.uint8)})


def read_npz(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a file of `write_npz` and its `meta`."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(arrays.pop(META).tobytes())


def write_genome(path: Path, genome: dict[str, Any]) -> None:
    """Writes a genome with one line per top-level field, and the integer genome in one line each."""
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in genome.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
