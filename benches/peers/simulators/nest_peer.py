"""NEST, with its own neuron `iaf_psc_delta`, which is solved exactly: no truncated arithmetic."""

import contextlib
import math
import os
import resource
import sys

import numpy as np

import loads

# Length of a step, in ms. The membrane decays by exp(-STEP / τ).
STEP = 1.0

# It fires at the threshold, too. Its membrane, in f64, comes within a few 2⁻⁵² of what it should be.
ABOVE = loads.THRESHOLD + 1e-12

# The bias of a neuron is a current that gives so much in a step: (1 - DECAY) · τ / C.
TAU = -STEP / math.log(loads.DECAY)


@contextlib.contextmanager
def silence():
    """Keeps what NEST prints out of the answers."""
    kept = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


with silence():
    import nest


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def neurons(count):
    model = {"V_m": 0.0, "E_L": 0.0, "V_reset": 0.0, "V_th": ABOVE, "tau_m": TAU, "t_ref": 0.0, "I_e": 0.0, "C_m": 1.0}
    return nest.Create("iaf_psc_delta", count, params=model)


def current(bias):
    return bias.astype(np.float64) / ((1 - loads.DECAY) * TAU)


def connect(sources, targets, i, j, weights):
    first, second = sources[0].global_id, targets[0].global_id
    synapses = {"weight": weights.astype(np.float64), "delay": np.full(len(i), STEP)}
    nest.Connect(i + first, j + second, "one_to_one", synapses)


def reset():
    nest.ResetKernel()
    nest.set(resolution=STEP, local_num_threads=1, print_time=False)
    nest.set_verbosity("M_ERROR")


def recurrent(load, record):
    """Builds the network; returns what is simulated: currents that are set first, if any, and steps."""
    made = neurons(load.neurons)
    made.I_e = current(load.bias)
    connect(made, made, load.sources(), load.target, load.weight)
    return [(None, None, load.steps)], [(made, 0)]


def feed_forward(load, record):
    """Every spike takes a step, so that layer k runs k steps late: it gets its bias then, and is counted from then on."""
    _, steps, inputs = load.input.shape
    times = [STEP * (np.flatnonzero(column) + 1.0) for column in load.input[0].T]
    before = nest.Create("spike_generator", inputs, params=[{"spike_times": t} for t in times])
    layers, phases = [], []
    for index, (count, i, j, weights) in enumerate(loads.unrolled(load)):
        made = neurons(count)
        connect(before, made, i, j, weights)
        bias = load.biases[index]
        phases.append((made, None if bias is None else current(bias), 1))
        layers.append((made, index + 1))
        before = made
    # One step before the first layer's first.
    phases = [(None, None, 1), *phases]
    made, bias, _ = phases[-1]
    phases[-1] = (made, bias, steps)
    return phases, layers


def prepare(load):
    """What builds the network anew and runs it. Spikes are recorded the first time only, when nobody looks at the clock."""
    if not isinstance(load, loads.Recurrent) and len(load.input) > 1:
        raise SystemExit("NEST runs one sample at a time")
    spikes = once(load, record=True)[1]

    def measure():
        return once(load, record=False)[0], spikes

    return measure


def once(load, record):
    with silence():
        reset()
        build = recurrent if isinstance(load, loads.Recurrent) else feed_forward
        phases, layers = build(load, record)
        recorders = []
        if record:
            for made, first in layers:
                recorder = nest.Create("spike_recorder")
                nest.Connect(made, recorder)
                recorders.append((recorder, first))
        nest.Prepare()
        spent = 0.0
        for made, bias, steps in phases:
            if bias is not None:
                made.I_e = bias
            start = cpu()
            nest.Run(steps * STEP)
            spent += cpu() - start
        nest.Cleanup()
        total = 0
        for recorder, first in recorders:
            times = np.asarray(recorder.get("events")["times"]) / STEP
            # A spike of step t is dated t + 1.
            last = first + (load.steps if isinstance(load, loads.Recurrent) else load.input.shape[1])
            total += int(((times > first) & (times <= last)).sum())
        return spent, total
