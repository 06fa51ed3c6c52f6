"""Runs an artifact in a foreign emulator and compares every spike.

    run.py ARTIFACT_DIR --stimulus expected.npz --oracle nengo|lava|sanafe [--samples N] [--timeout S]

`expected.npz` comes from `snnc run ARTIFACT_DIR --stimulus data.npz --spikes expected.npz`. Exit
status: 0 = no differing spike in any sample, 1 = some differ, 2 = cannot run (the reason is
printed). See `docs/oracles.md`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from compare import Rasters, Reference, differences, load_reference
from outcome import CannotRun
from postcard import ProgramError
from program import read
from program_check import check
from records import Program

TITLES = {"nengo": "nengo-loihi", "lava": "lava-netx", "sanafe": "sana-fe"}


def run_nengo(program: Program, reference: Reference, samples: int) -> Rasters:
    """Spikes of every population on cores."""
    from nengo_core import CoreEmulator

    emulator = CoreEmulator(program)
    runs = [
        emulator.run({name: raster[i] for name, raster in reference.inputs.items()}).spikes
        for i in range(samples)
    ]
    return {name: np.stack([run[name] for run in runs]) for name in reference.spikes}


def run_lava(artifact: Path, program: Program, reference: Reference, timeout: float) -> Rasters:
    """Spikes of every population on cores."""
    import netx_lava
    import netx_layout

    layout = netx_layout.read(artifact, program)
    return netx_lava.run(artifact / "network.net", program, layout, reference.inputs, timeout)


def compare(arguments: argparse.Namespace) -> int:
    """The whole run; returns the exit status."""
    program = read(arguments.artifact / "program.snnb")
    check(program)
    reference = load_reference(arguments.stimulus, program, arguments.samples)
    if arguments.oracle == "nengo":
        got = run_nengo(program, reference, arguments.samples)
    elif arguments.oracle == "sanafe":
        import sanafe_cores

        got = sanafe_cores.run(arguments.artifact, program, reference.inputs)
    else:
        got = run_lava(arguments.artifact, program, reference, arguments.timeout)
    differing = 0
    for count, text in differences(reference.spikes, got):
        differing += count
        print(text)
    spikes = sum(int(reference.spikes[name].sum()) for name in got)
    print(
        f"{TITLES[arguments.oracle]} {program.name}: {arguments.samples} samples, "
        f"{spikes} spikes, {differing} differing"
    )
    return 1 if differing else 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("artifact", type=Path, help="directory that snnc compile wrote")
    parser.add_argument("--stimulus", type=Path, required=True, help="file of snnc run --spikes")
    parser.add_argument("--oracle", choices=sorted(TITLES), required=True)
    parser.add_argument("--samples", type=int, default=50, help="first samples of the file")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for Lava")
    arguments = parser.parse_args()
    try:
        if arguments.samples < 1:
            raise CannotRun("--samples must be at least 1")
        return compare(arguments)
    except (CannotRun, ProgramError, OSError) as error:
        print(f"{TITLES[arguments.oracle]} cannot run {arguments.artifact}: {error}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
