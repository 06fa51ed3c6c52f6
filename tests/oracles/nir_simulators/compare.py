"""Compares a run of `snnc` with a recording, spike for spike: compare.py SNNC GRAPH RECORDING [OPTION of `snnc run`]...

RECORDING is a `.npz` as `shared.py` describes it; its nodes are compared. Where a neuron fires in one and not in the other
is counted (several spikes of a neuron in a step as one); the exit status says whether it happens. Needs numpy.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np


def run(snnc, graph, inputs, options):
    """Spikes by population, (steps, neurons)."""
    with tempfile.TemporaryDirectory() as folder:
        stimulus, out = pathlib.Path(folder, "in.npz"), pathlib.Path(folder, "out.npz")
        np.savez(stimulus, spikes=inputs.reshape(1, len(inputs), -1).astype(np.uint8))
        subprocess.run([snnc, "run", graph, "--steps", str(len(inputs)), "--stimulus", stimulus, "--spikes", out,
                        *options], check=True, stdout=subprocess.DEVNULL)
        with np.load(out) as found:
            return {name.removeprefix("spikes_").replace("/", "."): spikes[0] for name, spikes in found.items()}


def main():
    snnc, graph, recording, *options = sys.argv[1:]
    with np.load(recording) as file:
        expected = {name.split(".", 1)[1]: spikes for name, spikes in file.items() if name.startswith("spikes.")}
        found = run(snnc, graph, file["input"], options)
    different = 0
    for node, spikes in expected.items():
        spikes = np.minimum(spikes.reshape(len(spikes), -1), 1)
        wrong = np.argwhere(found[node] != spikes)
        different += len(wrong)
        where = f", first in step {wrong[0][0]}, neuron {wrong[0][1]}" if len(wrong) else ""
        print(f"{node}: {int(spikes.sum())} spikes recorded, {int(found[node].sum())} found, {len(wrong)} differ{where}")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
