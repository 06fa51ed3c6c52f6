"""What the comparison asks of the `snnc` binary: float spikes, predictions and our integers."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import network_text
from model import FloatNetwork, IntegerNetwork
from simulate import Spikes

TARGET = "loihi2"


@dataclass(frozen=True)
class Measured:
    """Spikes of a level, inputs included, by population, and the predicted classes."""

    inputs: Spikes
    spikes: Spikes
    classes: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """Data to calibrate with, or none."""

    file: Path
    samples: int

    def options(self) -> list[str]:
        """Command-line options."""
        return ["--calibrate", str(self.file), "--calibrate-samples", str(self.samples)]


class Snnc:
    """Runs one binary."""

    def __init__(self, binary: Path, scratch: Path) -> None:
        self.binary, self.scratch = binary, scratch

    def _call(self, *arguments: str) -> str:
        command = [str(self.binary), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
        return done.stdout

    def float_network(self, genome: Path) -> FloatNetwork:
        """The network after the float passes: what every conversion starts from."""
        text = self._call("compile", str(genome), "--target", TARGET, "--emit", "network")
        return network_text.read_float(text)

    def integers(self, genome: Path, calibration: Calibration | None) -> IntegerNetwork:
        """Our quantization."""
        options = calibration.options() if calibration else []
        common = ["compile", str(genome), "--target", TARGET, "--emit", "quantized"]
        return network_text.read_quantized(self._call(*common, *options))

    def run(self, source: Path, level: str, stimulus: Path, samples: int) -> Measured:
        """Simulates a level in the compiler."""
        file = self.scratch / f"{source.name}.{level}.spikes.npz"
        common = ["run", str(source), "--target", TARGET, "--level", level]
        data = ["--stimulus", str(stimulus), "--samples", str(samples), "--spikes", str(file)]
        lines = self._call(*common, *data).split("\n")
        classes = np.array([int(line.split()[1]) for line in lines if line.strip()])
        with np.load(file) as arrays:
            inputs = {n[6:]: arrays[n] for n in arrays.files if n.startswith("input_")}
            spikes = {n[7:]: arrays[n] for n in arrays.files if n.startswith("spikes_")}
        return Measured(inputs, {n: s for n, s in spikes.items() if n not in inputs}, classes)
