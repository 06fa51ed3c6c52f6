"""Runs a NetX file in Lava: `netx_worker.py NETWORK.net JOB.npz RESULT.npz`.

JOB holds `raster` `[samples, hardware steps, inputs]`; RESULT gets `layer_<k>`
`[samples, hardware steps, neurons]` for layer k of the file. Neurons and inputs of a layer
of three extents are numbered row-major in (channel, row, column), as everywhere in snnc; Lava's own
tensors are (column, row, channel).

Lava's step 1 is hardware step 0: what the source sends in step s arrives in step s + 1. One runtime
serves all samples: between two of them, with the runtime paused, every neuron's u and v and every
connection's buffer of what is still under way are set to 0.

Lava can hang (an error inside one of its processes is not passed on), so this is a program of its
own, which `netx_lava.run` starts and, if need be, kills.
"""

from __future__ import annotations

import sys

import h5py
import numpy as np

import lava_shims

lava_shims.install()

from lava.lib.dl.netx.hdf5 import Network  # noqa: E402
from lava.magma.core.process.variable import Var  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402

COMPUTE_LAYERS = ("dense", "dense_rec", "conv")


def to_lava(flat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`[steps, neurons]` as a tensor of Lava's axis order with time last."""
    backwards = flat.reshape(len(flat), *shape[::-1])
    return np.ascontiguousarray(backwards.transpose())


def from_lava(tensor: np.ndarray) -> np.ndarray:
    """The inverse of `to_lava`."""
    backwards = tensor.transpose()
    return backwards.reshape(len(backwards), -1)


def file_layers(path: str) -> list[int]:
    """Numbers of the file's layers that become layers of the network, in order."""
    with h5py.File(path) as file:
        types = {int(k): layer["type"][0].decode() for k, layer in file["layer"].items()}
    return [k for k in sorted(types) if types[k] in COMPUTE_LAYERS]


def state(network: Network) -> list[Var]:
    """Everything in the network that a run changes."""
    variables = []
    for layer in network.layers:
        variables += [layer.neuron.u, layer.neuron.v]
        for name in ("synapse", "synapse_rec"):
            synapse = getattr(layer, name, None)
            if synapse is not None:
                variables.append(synapse.a_buf if hasattr(synapse, "a_buf") else synapse.a_buff)
    return variables


def run(path: str, raster: np.ndarray) -> dict[str, np.ndarray]:
    """The spikes of every layer."""
    samples, steps, _ = raster.shape
    network = Network(net_config=path)
    source = Source(data=to_lava(raster.reshape(samples * steps, -1), network.inp.shape))
    source.s_out.connect(network.inp)
    sinks = []
    for layer in network.layers:
        sinks.append(Sink(shape=layer.neuron.s_out.shape, buffer=samples * steps))
        layer.neuron.s_out.connect(sinks[-1].a_in)
    config = Loihi2SimCfg(select_tag="fixed_pt")
    for sample in range(samples):
        if sample > 0:
            for variable in state(network):
                variable.set(np.zeros(variable.shape, dtype=np.int32))
        network.run(condition=RunSteps(num_steps=steps), run_cfg=config)
    spikes = [from_lava(sink.data.get()) for sink in sinks]
    network.stop()
    numbers = file_layers(path)
    return {
        f"layer_{number}": train.reshape(samples, steps, -1).astype(np.uint8)
        for number, train in zip(numbers, spikes, strict=True)
    }


if __name__ == "__main__":
    net_path, job_path, result_path = sys.argv[1:]
    with np.load(job_path) as job:
        result = run(net_path, job["raster"].astype(np.int32))
    np.savez(result_path, **result)
