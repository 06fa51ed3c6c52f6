"""Checks the recorder: `selftest.py [CHECKOUT]`. Without a checkout of BrainCog only what needs none.

The order of the float32 operations of every node is written out here once more, in numpy, and must
give the recorded values bit for bit; a recording that was changed must be found.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np

import storage

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "braincog"
CHECKOUT: Path | None = None
F = np.float32


def integrate(kind: str, given: dict[str, Any], decay: F, v: np.ndarray, u: np.ndarray, i: np.ndarray) -> Any:
    """Potential before reset, and the recovery variable, after one step."""
    dt = F(given.get("dt", 1.0))
    if kind == "IFNode":
        return v + i * dt, u
    if kind == "PLIFNode":
        return v + ((i - v) * decay) * dt, u
    if kind != "IzhNode":
        return v + (i - v) / F(given["tau"]), u
    a, b = given.get("a", 0.02), given.get("b", 0.2)
    h = v + dt * (((F(0.04) * v) * v + F(5) * v - u) + F(140) + i)
    return h, u + dt * (F(a * b) * h - F(a) * u)


def emit(kind: str, given: dict[str, Any], h: np.ndarray, u: np.ndarray) -> Any:
    """Emitted value, potential and recovery variable after reset."""
    above = h - F(given["threshold"])
    if kind == "BurstLIFNode":
        x = np.clip(above, F(-0.5), F(4.5))
        # The straight-through trick adds x and takes it away again: counts are off by an ulp or two.
        count = (np.ceil(x) + x) - x
        return np.where(count > 1, F(1.5) * count, count), h * (1 - count), u
    spike = (above > 0).astype(F)
    if kind == "IzhNode":
        c, d = F(given.get("c", -55.0)), F(given.get("d", -2.0))
        return spike, h * (1 - spike) + spike * c, u + spike * d
    return spike, h * (1 - spike), u


class Nodes(unittest.TestCase):
    def test_every_node_follows_its_formula(self) -> None:
        arrays, meta = storage.read_npz(FIXTURES / "nodes.npz")
        for name, given in meta["nodes"].items():
            current = arrays[f"{name}.current"]
            decay = arrays.get(f"{name}.decay", np.zeros(1, F))[0]
            v = np.full(current.shape[1], F(given.get("v_reset", 0.0)))
            u = np.zeros_like(v)
            for step, i in enumerate(current):
                h, u = integrate(given["class"], given, decay, v, u, i)
                out, v, u = emit(given["class"], given, h, u)
                with self.subTest(node=name, step=step):
                    np.testing.assert_array_equal(out, arrays[f"{name}.emitted"][step])
                    np.testing.assert_array_equal(v, arrays[f"{name}.v"][step])
                    if f"{name}.u" in arrays:
                        np.testing.assert_array_equal(u, arrays[f"{name}.u"][step])


class Files(unittest.TestCase):
    def test_tensors_survive(self) -> None:
        arrays = {
            "scalar": np.array(0.5, F),
            "count": np.array(3, np.int64),
            "matrix": np.arange(6, dtype=F).reshape(2, 3),
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tensors"
            storage.write_safetensors(path, arrays)
            again = storage.read_safetensors(path)
        self.assertEqual(again.keys(), arrays.keys())
        for name, array in arrays.items():
            self.assertEqual(again[name].dtype, array.dtype)
            np.testing.assert_array_equal(again[name], array)


class Recordings(unittest.TestCase):
    """What `dump.py --check` finds, on a copy of one fixture."""

    bc: Any

    @classmethod
    def setUpClass(cls) -> None:
        if CHECKOUT is None:
            raise unittest.SkipTest("no checkout of BrainCog was named")
        import shims

        cls.bc = shims.load(CHECKOUT)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for path in FIXTURES.glob("t5_back2.*"):
            shutil.copy(path, self.folder)

    def audit(self) -> list[str]:
        from record import audit

        return audit(self.bc, self.folder / "t5_back2.genome.json")

    def test_the_shipped_one_agrees(self) -> None:
        self.assertEqual(self.audit(), [])

    def test_one_spike_less_is_found(self) -> None:
        path = self.folder / "t5_back2.trace.npz"
        arrays, meta = storage.read_npz(path)
        spikes = arrays["cells.0._ops.0.op.0"]
        spikes[2, 3] ^= 1
        storage.write_npz(path, arrays, meta)
        self.assertEqual(self.audit(), ["t5_back2: spikes of cells.0._ops.0.op.0 differ"])

    def test_another_sign_of_the_feedback_is_found(self) -> None:
        path = self.folder / "t5_back2.genome.json"
        text = path.read_text()
        self.assertEqual(text.count(", 2, 4]"), 1)
        path.write_text(text.replace(", 2, 4]", ", 0, 4]"))
        self.assertTrue(any("spikes of" in line for line in self.audit()))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        CHECKOUT = Path(sys.argv.pop(1)).resolve()
    unittest.main()
