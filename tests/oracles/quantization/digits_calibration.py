"""Writes examples/digits/calibrate.npz: digits to calibrate with, none of which is in test.npz.

    pip download --no-deps scikit-learn==1.5.2 -d DIR
    digits_calibration.py WHEEL examples/digits/test.npz examples/digits/calibrate.npz

The wheel holds all 1,797 digits, as that of any other version does. 1,000 of those whose pixels equal
no test digit's are drawn with a fixed seed.
"""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

MEMBER = "sklearn/datasets/data/digits.csv.gz"
COUNT = 1000


def select(wheel: Path, test: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels `[1000, 64]` and labels, u8."""
    with zipfile.ZipFile(wheel) as archive:
        text = gzip.decompress(archive.read(MEMBER))
    table = np.loadtxt(io.BytesIO(text), delimiter=",").astype(np.uint8)
    with np.load(test) as arrays:
        tested = {row.tobytes() for row in arrays["x"].reshape(-1, 64)}
    known = {row[:64].tobytes() for row in table}
    if not tested <= known:
        raise SystemExit("some test digits are not in the wheel: these are other data")
    _, first = np.unique(table[:, :64], axis=0, return_index=True)
    rest = [i for i in sorted(first) if table[i, :64].tobytes() not in tested]
    chosen = np.random.default_rng(0).permutation(rest)[:COUNT]
    return table[chosen, :64], table[chosen, 64]


def main() -> None:
    """Command line."""
    wheel, test, out = map(Path, sys.argv[1:])
    x, y = select(wheel, test)
    np.savez_compressed(out, x=x, y=y)
    print(f"{len(x)} digits, {np.bincount(y).tolist()} of each class")


if __name__ == "__main__":
    main()
