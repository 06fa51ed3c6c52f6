"""Compares two folders of recordings: same.py FOLDER FOLDER. Graphs and spikes are equal, membranes up to rounding."""

import pathlib
import sys

import numpy as np


def main():
    folders = [pathlib.Path(folder) for folder in sys.argv[1:]]
    names = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    wrong = [f"only in one: {name}" for name in set(names[0]) ^ set(names[1])]
    for name in set(names[0]) & set(names[1]):
        first, second = (folder / name for folder in folders)
        if name.endswith(".npz"):
            with np.load(first) as a, np.load(second) as b:
                same = a.files == b.files and all(
                    np.allclose(a[key], b[key], rtol=0, atol=1e-5 if key.startswith("membrane") else 0) for key in a.files)
        else:
            same = first.read_bytes() == second.read_bytes()
        if not same:
            wrong.append(f"differs: {name}")
    sys.exit("\n".join(sorted(wrong)) or None)


if __name__ == "__main__":
    main()
