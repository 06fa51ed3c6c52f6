"""Executes a decoded program core by core in nengo-loihi's emulator.

The emulator counts steps from 1 and an input spike stored under step t arrives in t + 1, so
hardware step t of a program is emulator step t + 1.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from nengo.exceptions import SimulationError
from nengo_loihi.emulator import EmulatorInterface

from nengo_build import build
from outcome import CannotRun
from records import Program

Rasters = dict[str, np.ndarray]


@dataclass(frozen=True)
class Recording:
    """What one run leaves: arrays `[hardware steps, neurons]` by population name.

    Spikes are of every population, inputs included; current and voltage of those on cores, if
    they were asked for.
    """

    spikes: Rasters
    current: Rasters
    voltage: Rasters


class StrictEmulator(EmulatorInterface):
    """The emulator with overflows as errors instead of warnings."""

    strict = True


class CoreEmulator:
    """A program in the emulator; every `run` starts from the zero state."""

    def __init__(self, program: Program) -> None:
        """Builds the program and has nengo-loihi check it. Raises `CannotRun`."""
        self.program = program
        self.built = build(program)

    def run(self, rasters: Rasters, states: bool = False) -> Recording:
        """One run; `rasters` holds `[logical steps, elements]` zeros and ones by input name.

        `states` asks for current and voltage too. Raises `CannotRun` if a raster does not fit or
        a register overflows.
        """
        spikes = self._inject(rasters)
        with warnings.catch_warnings():
            # It marks its registers with NaN before it fills them, integer ones too.
            warnings.filterwarnings("ignore", "invalid value encountered in cast", RuntimeWarning)
            emulator = StrictEmulator(self.built.model, seed=0)
        keys = ("spiked", "current", "voltage") if states else ("spiked",)
        traces: dict[str, list[np.ndarray]] = {key: [] for key in keys}
        for step in range(self.program.run_steps):
            try:
                emulator.step()
            except SimulationError as error:
                raise CannotRun(f"nengo-loihi, hardware step {step}: {error}") from error
            for key in keys:
                traces[key].append(getattr(emulator.compartment, key).copy())
        by_name = {key: self._by_population(np.array(trace)) for key, trace in traces.items()}
        for name, train in by_name["spiked"].items():
            spikes[name] = train.astype(np.uint8)
        return Recording(spikes, by_name.get("current", {}), by_name.get("voltage", {}))

    def _inject(self, rasters: Rasters) -> Rasters:
        """Hands the inputs to the emulator and gives them back in hardware time."""
        given = {}
        for index, spike_input in self.built.inputs.items():
            symbol = self.program.populations[index]
            raster = rasters.get(symbol.name)
            shape = (self.program.steps, symbol.size())
            if raster is None or raster.shape != shape or not np.isin(raster, (0, 1)).all():
                raise CannotRun(f"input {symbol.name} needs a raster {shape} of zeros and ones")
            spike_input.spikes.clear()
            train = np.zeros((self.program.run_steps, symbol.size()), dtype=np.uint8)
            for step, row in enumerate(raster):
                hardware = self.program.period * step + symbol.latency
                train[hardware] = row
                spike_input.add_spikes(hardware + 1, row.nonzero()[0])
            given[symbol.name] = train
        return given

    def _by_population(self, trace: np.ndarray) -> Rasters:
        """Distributes `[steps, compartments of all cores]` to populations."""
        out: Rasters = {}
        start = 0
        for core in self.program.cores:
            for run in core.compartments:
                symbol = self.program.populations[run.population]
                empty = np.zeros((len(trace), symbol.size()), dtype=trace.dtype)
                array = out.setdefault(symbol.name, empty)
                neurons = symbol.neurons()[run.first : run.first + run.len]
                array[:, neurons] = trace[:, start : start + run.len]
                start += run.len
        return out
