"""Runs SANA-FE's two files of an artifact: `sanafe-architecture.yaml` and `sanafe-network.yaml`.

SANA-FE counts steps from 1 and delivers a spike in the next one: its step s is hardware step s - 1. The files hold
no input spikes; those of a run are given to the host's units. A chip is made anew for every sample.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sanafe

from outcome import CannotRun
from records import Input, Program

FILES = ("sanafe-architecture.yaml", "sanafe-network.yaml")
Rasters = dict[str, np.ndarray]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Sends what the library prints on standard output nowhere."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
        sys.stdout.flush()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _group(network: sanafe.Network, index: int) -> str:
    """Name of the group of population `index`."""
    names = [name for name in network.groups if name.startswith(f"p{index}_")]
    if len(names) != 1:
        raise CannotRun(f"{FILES[1]} has {len(names)} groups of population {index}")
    return names[0]


def run(artifact: Path, program: Program, rasters: Rasters) -> Rasters:
    """Spikes `[samples, hardware steps, neurons]` of every population on cores; `rasters` holds
    `[samples, logical steps, elements]` by input name. Raises `CannotRun`.
    """
    missing = [name for name in FILES if not (artifact / name).is_file()]
    if missing:
        raise CannotRun(f"there is no {missing[0]}; compile with --emit sanafe")
    try:
        with _quiet():
            return _run(artifact, program, rasters)
    except (RuntimeError, ValueError, IndexError, OSError) as error:
        raise CannotRun(f"SANA-FE: {error}") from error


def _run(artifact: Path, program: Program, rasters: Rasters) -> Rasters:
    architecture = sanafe.load_arch(str(artifact / FILES[0]))
    network = sanafe.load_net(str(artifact / FILES[1]), architecture)
    names = [_group(network, index) for index in range(len(program.populations))]
    samples = len(next(iter(rasters.values())))
    out = {
        symbol.name: np.zeros((samples, program.run_steps, symbol.size()), dtype=np.uint8)
        for symbol in program.populations
    }
    symbols = dict(zip(names, program.populations, strict=True))
    for sample in range(samples):
        for name, symbol in symbols.items():
            if not isinstance(symbol.role, Input):
                continue
            train = np.zeros((program.run_steps, symbol.size()), dtype=bool)
            last = symbol.latency + program.period * program.steps
            train[symbol.latency : last : program.period] = rasters[symbol.name][sample]
            group = network.groups[name]
            for neuron in range(symbol.size()):
                group[neuron].set_attributes(
                    model_attributes={"spikes": train[:, neuron].tolist()}, log_spikes=True
                )
        chip = sanafe.SpikingChip(architecture)
        chip.load(network)
        # Timing is not compared; the simple model of it is the fastest.
        result = chip.sim(program.run_steps, timing_model="simple", spike_trace=True)
        for step, fired in enumerate(result["spike_trace"]):
            for address in fired:
                out[symbols[address.group_name].name][sample, step, address.neuron_offset] = 1
    for symbol in program.populations:
        if isinstance(symbol.role, Input):
            given = out.pop(symbol.name).sum()
            if given != rasters[symbol.name].sum():
                raise CannotRun(f"input {symbol.name} sent {given} spikes that were not given")
    return out
