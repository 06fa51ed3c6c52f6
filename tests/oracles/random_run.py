"""Runs a corpus of random networks in a foreign emulator and compares every spike of every neuron.

    random_run.py CORPUS [--only FIRST..END] [--batch N] [--timeout S] [--least N]

CORPUS is a folder of `trust corpus`: `corpus.json` names the emulator. Exit status: 0 = no differing spike in any
network, 1 = some differ, or the networks spike too little to show anything, 2 = a network cannot be run. See
`docs/oracles.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from compare import Rasters, Reference, differences, load_reference
from outcome import CannotRun
from postcard import ProgramError
from program import read
from program_check import check
from records import Program

TITLES = {
    "nengo": "nengo-loihi",
    "brian2": "brian2-loihi",
    "lava": "lava-netx",
    "sanafe": "sana-fe",
}
# Networks in one run of an emulator, where many run at once.
BATCH = {"nengo": 1, "brian2": 25, "lava": 8, "sanafe": 1}


@dataclass(frozen=True)
class Case:
    """A network of the corpus and what is expected of it."""

    folder: Path
    entry: dict
    program: Program
    reference: Reference


@dataclass
class Tally:
    """What was compared."""

    networks: int = 0
    neurons: int = 0
    synapses: int = 0
    steps: int = 0
    places: int = 0
    spikes: int = 0
    differing: int = 0
    failed: list[str] = field(default_factory=list)

    def line(self, title: str) -> str:
        """The summary."""
        return (
            f"{title}: {self.networks} networks, {self.neurons} neurons, {self.synapses} synapses, "
            f"{self.steps} steps, {self.spikes} spikes in {self.places} places compared, "
            f"{self.differing} differing"
        )


def load(corpus: Path, entry: dict) -> Case:
    """Reads a case. Raises `CannotRun`, `ProgramError`, `OSError`."""
    folder = corpus / entry["name"]
    program = read(folder / "program.snnb")
    check(program)
    reference = load_reference(folder / "expected.npz", program, entry["samples"])
    return Case(folder, entry, program, reference)


def run_nengo(cases: list[Case], _: float) -> Iterator[Rasters]:
    """nengo-loihi, core by core."""
    from nengo_core import CoreEmulator

    for case in cases:
        emulator = CoreEmulator(case.program)
        inputs = case.reference.inputs
        runs = [
            emulator.run({name: raster[i] for name, raster in inputs.items()}).spikes
            for i in range(case.entry["samples"])
        ]
        yield {name: np.stack([run[name] for run in runs]) for name in case.reference.spikes}


def run_brian2(cases: list[Case], _: float) -> Iterator[Rasters]:
    """brian2-loihi, all of them at once."""
    import brian2_flat
    from flatten import flatten

    jobs = [brian2_flat.Job(c.program, flatten(c.program), c.reference.inputs) for c in cases]
    for job in jobs:
        brian2_flat.refuse_unsupported(job.program, job.network)
    yield from brian2_flat.run(jobs)


def run_lava(cases: list[Case], timeout: float) -> Iterator[Rasters]:
    """Lava: processes of its own for each, which mostly wait for each other; so some at a time."""
    import netx_lava
    import netx_layout

    def one(case: Case) -> Rasters:
        layout = netx_layout.read(case.folder, case.program)
        network = case.folder / "network.net"
        return netx_lava.run(network, case.program, layout, case.reference.inputs, timeout)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(one, cases)


def run_sanafe(cases: list[Case], _: float) -> Iterator[Rasters]:
    """SANA-FE."""
    import sanafe_cores

    for case in cases:
        yield sanafe_cores.run(case.folder, case.program, case.reference.inputs)


RUNNERS = {"nengo": run_nengo, "brian2": run_brian2, "lava": run_lava, "sanafe": run_sanafe}


def add(tally: Tally, case: Case, got: Rasters) -> None:
    """Compares a network and counts it."""
    expected = case.reference.spikes
    if set(got) != set(expected):
        raise CannotRun(f"the emulator has other populations: {sorted(got)}")
    for count, text in differences(expected, got):
        tally.differing += count
        print(f"{case.entry['name']}: {text}")
    tally.networks += 1
    tally.neurons += sum(train.shape[2] for train in expected.values())
    tally.synapses += case.entry["synapses"]
    tally.steps += case.program.run_steps * case.entry["samples"]
    tally.places += sum(train.size for train in expected.values())
    tally.spikes += sum(int(train.sum()) for train in expected.values())


def run(arguments: argparse.Namespace) -> int:
    """The whole run; returns the exit status."""
    index = json.loads((arguments.corpus / "corpus.json").read_text())
    oracle = index["oracle"]
    entries = index["cases"][arguments.only]
    size = arguments.batch or BATCH[oracle]
    tally = Tally()
    begun = time.monotonic()
    for start in range(0, len(entries), size):
        names = [entry["name"] for entry in entries[start : start + size]]
        try:
            cases = [load(arguments.corpus, entry) for entry in entries[start : start + size]]
            runs = RUNNERS[oracle](cases, arguments.timeout)
            for case, got in zip(cases, runs, strict=True):
                add(tally, case, got)
        except (CannotRun, ProgramError, OSError) as error:
            tally.failed.append(names[0])
            print(f"{names[0]}..{names[-1]}: {TITLES[oracle]} cannot run: {error}")
        done = start + len(names)
        if arguments.progress and done // arguments.progress > start // arguments.progress:
            seconds = time.monotonic() - begun
            print(f"{done} of {len(entries)} after {seconds:.0f} s: {tally.line(TITLES[oracle])}", flush=True)
    print(tally.line(TITLES[oracle]))
    if tally.failed:
        print(f"{len(tally.failed)} could not be run")
        return 2
    if tally.spikes < arguments.least * max(tally.networks, 1):
        print(f"fewer than {arguments.least} spikes a network show nothing")
        return 1
    return 1 if tally.differing else 0


def numbers(text: str) -> slice:
    """`FIRST..END` as a slice."""
    first, end = text.split("..")
    return slice(int(first), int(end))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help="folder that `trust corpus` wrote")
    parser.add_argument("--only", type=numbers, default=slice(None), metavar="FIRST..END")
    parser.add_argument("--batch", type=int, default=0, help="networks in one run of the emulator")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for a network in Lava")
    parser.add_argument("--least", type=int, default=5, help="spikes that a network has on average")
    parser.add_argument("--progress", type=int, default=0, help="print a line every so many networks")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
