"""Reference spikes of an artifact and their comparison with an oracle's."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from outcome import CannotRun
from records import Input, Program

Rasters = dict[str, np.ndarray]


@dataclass(frozen=True)
class Reference:
    """What `snnc run --spikes` wrote, cut to the wanted number of samples.

    `inputs` is `[samples, logical steps, elements]` by input name, `spikes`
    `[samples, hardware steps, neurons]` by name of every population on cores.
    """

    inputs: Rasters
    spikes: Rasters


def _array(
    file: np.lib.npyio.NpzFile, name: str, samples: int, shape: tuple[int, int]
) -> np.ndarray:
    if name not in file.files:
        raise CannotRun(f"the stimulus file has no array {name}")
    array = file[name]
    if array.shape[1:] != shape or len(array) < samples:
        wanted = [f"at least {samples}", *shape]
        raise CannotRun(f"{name} has the shape {array.shape}, expected {wanted}")
    if not np.isin(array, (0, 1)).all():
        raise CannotRun(f"{name} holds something else than 0 and 1")
    return array[:samples].astype(np.uint8)


def load_reference(path: Path, program: Program, samples: int) -> Reference:
    """Reads and checks the file. Raises `CannotRun`."""
    inputs, spikes = {}, {}
    try:
        with np.load(path) as file:
            for symbol in program.populations:
                if isinstance(symbol.role, Input):
                    shape = (program.steps, symbol.size())
                    inputs[symbol.name] = _array(file, f"input_{symbol.name}", samples, shape)
                else:
                    shape = (program.run_steps, symbol.size())
                    spikes[symbol.name] = _array(file, f"spikes_{symbol.name}", samples, shape)
    except (ValueError, zipfile.BadZipFile) as error:
        raise CannotRun(f"{path} is no .npz of arrays: {error}") from error
    return Reference(inputs, spikes)


def differences(expected: Rasters, got: Rasters) -> Iterator[tuple[int, str]]:
    """Number of differing spikes and the first of them, for each population that differs."""
    for name, train in got.items():
        wrong = np.argwhere(expected[name] != train)
        if len(wrong):
            sample, step, neuron = wrong[0]
            count = len(wrong)
            spike = expected[name][sample, step, neuron]
            which = "a spike that the oracle lacks" if spike else "a spike of the oracle only"
            yield (
                count,
                f"population {name}: {count} differing, the first in sample {sample}: "
                f"neuron {neuron}, hardware step {step}, {which}",
            )
