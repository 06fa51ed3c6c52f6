"""Checks `run.py` as a program: exit status, the first difference, the summary line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from dataclasses import asdict
from pathlib import Path

import numpy as np

import cases
from encode import encode
from flat import simulate
from place import place
from selftest_lava import layout_of, recurrent

RUN = Path(__file__).with_name("run.py")
SAMPLES = 4


class Artifact(unittest.TestCase):
    """One artifact for all tests: the recurrent network of the Lava tests."""

    folder: Path
    arrays: dict[str, np.ndarray]
    count: int

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        rng = np.random.default_rng(5)
        net, places = recurrent(rng, cls.folder / "network.net")
        program = place(net, [cases.whole(net)], cases.whole_inputs(net), [0])
        (cls.folder / "program.snnb").write_bytes(encode(program))
        manifest = {"netx": {"kind": "dense_rec", **asdict(layout_of(net, places))}}
        (cls.folder / "manifest.json").write_text(json.dumps(manifest))
        samples = [cases.rasters(rng, net) for _ in range(SAMPLES)]
        spikes = [simulate(net, sample).spikes for sample in samples]
        cls.arrays = {f"input_{n}": np.stack([s[n] for s in samples]) for n in samples[0]}
        for population in net.populations:
            if population.registers is not None:
                train = np.stack([s[population.name] for s in spikes])
                cls.arrays[f"spikes_{population.name}"] = train.astype(np.uint8)
        spikes_of = [a for name, a in cls.arrays.items() if name.startswith("spikes_")]
        cls.count = sum(int(train.sum()) for train in spikes_of)

    def run_oracle(
        self, oracle: str, status: int, samples: int = SAMPLES, **changed: np.ndarray | None
    ) -> str:
        """Standard output of a run with changed reference arrays, `None` = left out."""
        arrays = {n: a for n, a in {**self.arrays, **changed}.items() if a is not None}
        stimulus = self.folder / "expected.npz"
        np.savez_compressed(stimulus, **arrays)
        command = [sys.executable, str(RUN), str(self.folder), "--stimulus", str(stimulus)]
        done = subprocess.run(
            [*command, "--oracle", oracle, "--samples", str(samples)],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def test_equal(self) -> None:
        for oracle, title in (("nengo", "nengo-loihi"), ("lava", "lava-netx")):
            text = self.run_oracle(oracle, 0)
            expected = f"{title} handmade: {SAMPLES} samples, {self.count} spikes, 0 differing\n"
            self.assertEqual(text, expected)

    def test_different(self) -> None:
        train = self.arrays["spikes_b"].copy()
        train[2, 7, 3] ^= 1
        for oracle in ("nengo", "lava"):
            text = self.run_oracle(oracle, 1, spikes_b=train)
            self.assertIn("population b: 1 differing, the first in sample 2: neuron 3, ", text)
            self.assertIn("hardware step 7, ", text)
            self.assertTrue(text.endswith(", 1 differing\n"), text)

    def test_cannot_run(self) -> None:
        self.assertIn("no array spikes_b", self.run_oracle("nengo", 2, spikes_b=None))
        self.assertIn("at least 9", self.run_oracle("nengo", 2, samples=9))
        bad = 2 * self.arrays["input_in"]
        self.assertIn("else than 0 and 1", self.run_oracle("nengo", 2, input_in=bad))
        train = self.arrays["spikes_a"][:, 1:]
        self.assertIn("spikes_a has the shape", self.run_oracle("lava", 2, spikes_a=train))

    def test_left_out(self) -> None:
        manifest = self.folder / "manifest.json"
        kept = manifest.read_text()
        self.addCleanup(manifest.write_text, kept)
        why = {"code": "SNN0632", "message": "all weights are 0"}
        manifest.write_text(json.dumps({"netx": {"left_out": why}}))
        text = self.run_oracle("lava", 2)
        self.assertIn("there is no network.net (SNN0632): all weights are 0", text)


if __name__ == "__main__":
    unittest.main()
