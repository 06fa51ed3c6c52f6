"""Where populations lie in `network.net`: the `netx` entry of an artifact's `manifest.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outcome import CannotRun
from records import Input, Program


@dataclass(frozen=True)
class Part:
    """All neurons of a population, `first..first + len` of a layer of the file."""

    population: str
    layer: int
    first: int
    len: int


@dataclass(frozen=True)
class Layout:
    """Input populations (layer 0) and populations of neurons."""

    inputs: list[Part]
    populations: list[Part]


def _parts(entries: list[dict[str, Any]], program: Program, inputs: bool) -> list[Part]:
    sizes = {
        symbol.name: symbol.size()
        for symbol in program.populations
        if isinstance(symbol.role, Input) == inputs
    }
    parts = [Part(e["population"], e["layer"], e["first"], e["len"]) for e in entries]
    for part in parts:
        if sizes.get(part.population) != part.len:
            raise CannotRun(f"manifest.json: netx places {part}, which the program does not have")
    missing = sizes.keys() - {part.population for part in parts}
    if missing:
        raise CannotRun(f"manifest.json: netx does not place {', '.join(sorted(missing))}")
    return parts


def parse(entry: dict[str, Any], program: Program) -> Layout:
    """The layout of a manifest's `netx` entry. Raises `CannotRun`."""
    if "left_out" in entry:
        why = entry["left_out"]
        raise CannotRun(f"there is no network.net ({why['code']}): {why['message']}")
    layout = entry.get("layout", entry)
    try:
        return Layout(
            _parts(layout["inputs"], program, True),
            _parts(layout["populations"], program, False),
        )
    except (KeyError, TypeError) as error:
        raise CannotRun(f"manifest.json: netx has no layout ({error!r})") from error


def read(artifact: Path, program: Program) -> Layout:
    """The layout of an artifact. Raises `CannotRun` or `OSError`."""
    try:
        manifest = json.loads((artifact / "manifest.json").read_text())
        entry = manifest["netx"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise CannotRun(f"manifest.json is not an artifact's: {error!r}") from error
    return parse(entry, program)
