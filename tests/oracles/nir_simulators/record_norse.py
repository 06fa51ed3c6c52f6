"""Records Norse: record_norse.py FOLDER.

`norse.torch.to_nir` writes dt * tau as the time constant, so it is asked for with dt = 1; what it cannot
write is written with `nir`. All is run as `from_nir` imports it, with dt = 1 ms.
"""

import logging

import nir
import norse.torch as norse
import numpy as np
import torch
from norse.torch.functional import reset

import shared


def imported(folder, name, graph, inputs, membranes, **options):
    """Runs the file `graph` as Norse imports it, and saves the recording."""
    graph = shared.read_back(folder, name, graph)
    network = norse.from_nir(nir.read(folder / f"{name}.nir"), dt=0.001, **options)
    recorder = shared.Recorder()
    for node, what in graph.nodes.items():
        if isinstance(what, nir.CubaLIF):
            def membrane(_, given):
                return given[1][1].v
        elif isinstance(what, (nir.LIF, nir.IF)):
            def membrane(_, given):
                return given[1].v
        else:
            continue
        module = network.get_submodule(node.replace(".", "_"))
        recorder.watch(node, module, what.v_threshold.shape, membrane if membranes else None)
    shared.run(network, inputs)
    shared.save(folder, name, inputs, recorder.spikes, recorder.membranes)


def lif(folder):
    """Affine and LIF with a leak voltage, where it also starts; a time constant and threshold for each neuron."""
    rng = shared.generator(11)

    def cell(neurons, leak):
        return norse.LIFBoxCell(norse.LIFBoxParameters(
            tau_mem_inv=1 / shared.between(rng, 0.004, 0.02, neurons),
            v_th=shared.between(rng, 0.4, 0.6, neurons),
            v_leak=leak * torch.ones(neurons)))

    network = norse.SequentialState(
        shared.fill(torch.nn.Linear(10, 20), rng, 0.8, 1.5, 0.3), cell(20, 0.1),
        shared.fill(torch.nn.Linear(20, 5), rng, 1.5, 3.0, 0.3), cell(5, -0.05))
    graph = norse.to_nir(network, torch.zeros(10), dt=1.0)
    imported(folder, "norse_lif", graph, shared.events(rng, (10,), 0.3), True)


def convolution(folder):
    """Conv2d, IF, SumPool2d, Flatten, Affine, IF."""
    rng = shared.generator(12)
    graph = nir.NIRGraph.from_list(
        nir.Input(input_type=np.array([2, 8, 8])),
        nir.Conv2d(input_shape=(8, 8), weight=shared.tensor(rng, 4, 2, 3, 3, mean=0.05, scale=0.3).numpy(),
                   stride=(2, 2), padding=(1, 1), dilation=(1, 1), groups=1,
                   bias=shared.tensor(rng, 4, mean=0.02, scale=0.02).numpy()),
        nir.IF(r=np.ones((4, 4, 4), np.float32), v_threshold=np.ones((4, 4, 4), np.float32)),
        nir.SumPool2d(kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=np.array([0, 0])),
        nir.Flatten(input_type={"input": np.array([4, 2, 2])}, start_dim=0, end_dim=-1),
        nir.Affine(shared.tensor(rng, 6, 16, mean=0.05, scale=0.2).numpy(),
                   shared.tensor(rng, 6, mean=0.02, scale=0.02).numpy()),
        nir.IF(r=np.ones(6, np.float32), v_threshold=np.ones(6, np.float32)))
    imported(folder, "norse_conv", graph, shared.events(rng, (2, 8, 8), 0.25), False)


def braided(rng, leak=0.0):
    """CubaLIF that hears itself through an Affine, which Norse computes after the neurons."""
    def cuba(neurons):
        return nir.CubaLIF(
            tau_syn=shared.between(rng, 0.003, 0.008, neurons).numpy(),
            tau_mem=shared.between(rng, 0.005, 0.02, neurons).numpy(),
            r=shared.between(rng, 2.0, 3.0, neurons).numpy(),
            v_leak=np.full(neurons, leak, np.float32),
            v_threshold=shared.between(rng, 0.3, 0.5, neurons).numpy(),
            w_in=shared.between(rng, 2.0, 3.0, neurons).numpy())

    def affine(outputs, inputs, mean, scale, bias):
        return nir.Affine(shared.tensor(rng, outputs, inputs, mean=mean, scale=scale).numpy(),
                          shared.tensor(rng, outputs, mean=bias, scale=0.02).numpy())

    return nir.NIRGraph(
        nodes={"input": nir.Input(np.array([6])), "fc1": affine(12, 6, 0.05, 0.4, 0.02), "hidden": cuba(12),
               "back": affine(12, 12, -0.02, 0.2, 0.04), "fc2": affine(3, 12, 0.2, 0.3, 0.05), "out": cuba(3),
               "output": nir.Output(np.array([3]))},
        edges=[("input", "fc1"), ("fc1", "hidden"), ("hidden", "back"), ("back", "hidden"), ("hidden", "fc2"),
               ("fc2", "out"), ("out", "output")])


def recurrent(folder):
    rng = shared.generator(13)
    imported(folder, "norse_recurrent", braided(rng), shared.events(rng, (6,), 0.3), True)


def subtract(folder):
    """Reset by subtraction, an option of `from_nir` that reaches the neurons with a current only."""
    rng = shared.generator(14)
    imported(folder, "norse_subtract", braided(rng), shared.events(rng, (6,), 0.3), True,
             reset_method=reset.reset_subtract)


def leak(folder):
    """A leak voltage of CubaLIF, to which Norse draws the current as well."""
    rng = shared.generator(15)
    imported(folder, "norse_leak", braided(rng, 0.05), shared.events(rng, (6,), 0.3), True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    target = shared.folder()
    for record in (lif, convolution, recurrent, subtract, leak):
        record(target)
