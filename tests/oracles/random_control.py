"""Negative control of `random_run.py`: artifacts with one altered number must not pass.

    random_control.py CORPUS [--cases N]

In each of the first N networks that spike, the thresholds of the population that spikes most are raised to the highest
register in what the emulator reads; its spikes must be missed, in every network. Then one weight, the largest, is
set to 0 instead: that need not show in a short run, but in some network it must. Exit status 0 if so, else 1.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py

from compare import differences
from encode import encode
from program import read
from random_run import RUNNERS, TITLES, Case, load
from records import Program

HIGHEST = 131_071


def spiking(case: Case) -> str:
    """The population that spikes most."""
    spikes = case.reference.spikes
    return max(spikes, key=lambda name: int(spikes[name].sum()))


def program_threshold(program: Program, population: str) -> Program:
    """Raises the entries of the cores' tables that a population uses."""
    names = [symbol.name for symbol in program.populations]
    cores = list(program.cores)
    for index, core in enumerate(cores):
        for part in core.compartments:
            if names[part.population] == population:
                table = list(core.thresholds)
                for registers in part.cycle:
                    table[registers.threshold] = HIGHEST
                cores[index] = replace(core, thresholds=table)
    return replace(program, cores=cores)


def program_weight(program: Program, _: str) -> Program:
    """Clears the largest mantissa."""
    values = [list(array) for array in program.values]
    array = max(values, key=lambda mantissas: max(map(abs, mantissas), default=0))
    array[max(range(len(array)), key=lambda i: abs(array[i]))] = 0
    return replace(program, values=values)


def of_program(change: Callable[[Program, str], Program]) -> Callable[[Path, Case], None]:
    """A change of `program.snnb`."""

    def apply(folder: Path, case: Case) -> None:
        program = change(case.program, spiking(case))
        (folder / "program.snnb").write_bytes(encode(program))

    return apply


def netx(name: str) -> Callable[[Path, Case], None]:
    """A change of `network.net`: of a layer's thresholds, or of one of its weights."""

    def apply(folder: Path, case: Case) -> None:
        layout = json.loads((folder / "manifest.json").read_text())["netx"]["layout"]
        place = {part["population"]: part["layer"] for part in layout["populations"]}
        with h5py.File(folder / "network.net", "r+") as file:
            data = file[f"layer/{place[spiking(case)]}/{name}"]
            values = data[()]
            if name == "weight":
                values.flat[abs(values).argmax()] = 0
            else:
                values = values * 0 + HIGHEST
            data[()] = values

    return apply


def yaml(pattern: str) -> Callable[[Path, Case], None]:
    """A change of `sanafe-network.yaml`: of the thresholds of a group, or of one weight."""

    def apply(folder: Path, case: Case) -> None:
        path = folder / "sanafe-network.yaml"
        text = path.read_text()
        if pattern == "threshold":
            index = [s.name for s in case.program.populations].index(spiking(case))
            start = text.index(f"- name: p{index}_")
            end = text.find("- name: p", start + 1)
            end = text.index("  edges:") if end < 0 else end
            group = re.sub(r"threshold: [0-9.]+", f"threshold: {HIGHEST}", text[start:end])
            text = text[:start] + group + text[end:]
        else:
            lists = [m.span(1) for m in re.finditer(r"weight: \[(.*)\]", text)]
            largest = [max(map(abs, map(int, text[a:b].split(", ")))) for a, b in lists]
            first, last = lists[largest.index(max(largest))]
            weights = text[first:last].split(", ")
            weights[max(range(len(weights)), key=lambda i: abs(int(weights[i])))] = "0"
            text = text[:first] + ", ".join(weights) + text[last:]
        path.write_text(text)

    return apply


CHANGES = {
    "nengo": (of_program(program_threshold), of_program(program_weight)),
    "brian2": (of_program(program_threshold), of_program(program_weight)),
    "lava": (netx("neuron/vThMant"), netx("weight")),
    "sanafe": (yaml("threshold"), yaml("weight")),
}


def differing(
    cases: list[Case], oracle: str, change: Callable[[Path, Case], None], scratch: Path
) -> int:
    """How many of the networks spike differently with that change."""
    altered = []
    for case in cases:
        folder = scratch / case.folder.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(case.folder, folder)
        change(folder, case)
        altered.append(replace(case, folder=folder, program=read(folder / "program.snnb")))
    runs = RUNNERS[oracle](altered, 300.0)
    return sum(
        any(differences(case.reference.spikes, got))
        for case, got in zip(cases, runs, strict=True)
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help="folder that `trust corpus` wrote")
    parser.add_argument("--cases", type=int, default=10, help="networks that are altered")
    arguments = parser.parse_args()
    index = json.loads((arguments.corpus / "corpus.json").read_text())
    oracle = index["oracle"]
    spikes = [entry for entry in index["cases"] if entry["spikes"] > 0][: arguments.cases]
    cases = [load(arguments.corpus, entry) for entry in spikes]
    with tempfile.TemporaryDirectory(prefix="snnc-control-") as scratch:
        found = [differing(cases, oracle, change, Path(scratch)) for change in CHANGES[oracle]]
    print(
        f"{TITLES[oracle]}, altered artifacts: of {len(cases)} networks {found[0]} differ with "
        f"another threshold, {found[1]} with another weight"
    )
    return 0 if cases and found[0] == len(cases) and found[1] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
