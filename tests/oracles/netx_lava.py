"""Runs `network.net` of an artifact with lava-dl's NetX loader and Lava's fixed-point models.

Lava runs in a process group of its own under a hard time limit, see `netx_worker`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from netx_layout import Layout
from outcome import CannotRun
from records import Program

WORKER = Path(__file__).with_name("netx_worker.py")
Rasters = dict[str, np.ndarray]


def hardware_raster(program: Program, layout: Layout, rasters: Rasters) -> np.ndarray:
    """`[samples, hardware steps, inputs of the file]` from `[samples, logical steps, elements]`
    by input name.
    """
    symbols = {symbol.name: symbol for symbol in program.populations}
    width = max(part.first + part.len for part in layout.inputs)
    samples = len(next(iter(rasters.values())))
    out = np.zeros((samples, program.run_steps, width), dtype=np.uint8)
    for part in layout.inputs:
        latency = symbols[part.population].latency
        steps = slice(latency, latency + program.period * program.steps, program.period)
        out[:, steps, part.first : part.first + part.len] = rasters[part.population]
    return out


def run_file(network: Path, raster: np.ndarray, timeout: float) -> dict[int, np.ndarray]:
    """Spikes `[samples, hardware steps, neurons]` by layer of the file. Raises `CannotRun`."""
    with tempfile.TemporaryDirectory(prefix="snnc-lava-") as folder:
        job, result, log = (Path(folder, name) for name in ("job.npz", "result.npz", "log"))
        np.savez(job, raster=raster)
        command = [sys.executable, *map(str, (WORKER, network.resolve(), job, result))]
        with log.open("wb") as output:
            worker = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=folder, start_new_session=True
            )
            try:
                status: int | None = worker.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                # Lava's own processes belong to the group and can outlive the worker.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
        if status != 0:
            why = f"exit status {status}" if status is not None else f"no end after {timeout:g} s"
            tail = log.read_text(errors="replace").strip().splitlines()[-8:]
            raise CannotRun("\n  ".join([f"Lava: {why}; its last words:", *tail]))
        with np.load(result) as file:
            return {int(name.removeprefix("layer_")): file[name] for name in file.files}


def run(
    network: Path, program: Program, layout: Layout, rasters: Rasters, timeout: float
) -> Rasters:
    """Spikes `[samples, hardware steps, neurons]` of every population on cores."""
    layers = run_file(network, hardware_raster(program, layout, rasters), timeout)
    return {
        part.population: layers[part.layer][:, :, part.first : part.first + part.len]
        for part in layout.populations
    }
