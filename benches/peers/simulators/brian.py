"""Brian2, as a C++ program of its own."""

import json
import subprocess

import brian2
import numpy as np
from brian2 import NeuronGroup, SpikeGeneratorGroup, Synapses, device, ms

import loads

# In the slots of a step: input, synapses into a layer, its neurons.
PARTS = ["synapses", "update", "thresholds", "resets"]

CLOCK = """
{ rusage usage; getrusage(RUSAGE_SELF, &usage);
  std::cout << "cpu " << usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) << std::endl; }
"""

LEAK = {False: "v * keep", True: "int(v * kept_units) * unit"}

# As parameters, because numbers in equations are f64, and so would be what is done with them.
CONSTANTS = {
    "keep": loads.DECAY,
    "kept_units": loads.DECAY / loads.UNIT,
    "unit": loads.UNIT,
    "theta": loads.THRESHOLD,
}


def group(name, neurons, bias, truncated, slot):
    """Neurons that update in the slots of `slot`."""
    made = NeuronGroup(
        neurons,
        "v : 1\narriving : 1\nbias : 1 (constant)\nspikes : integer\n"
        + "\n".join(f"{constant} : 1 (constant, shared)" for constant in CONSTANTS),
        threshold="v > theta",
        reset="v = 0\nspikes += 1",
        dt=1 * ms,
        name=name,
    )
    update = f"v = {LEAK[truncated]} + arriving + bias\narriving = 0"
    updater = made.run_regularly(update, dt=1 * ms, when=slot("update"))
    made.thresholder["spike"].when = slot("thresholds")
    made.resetter["spike"].when = slot("resets")
    for constant, value in CONSTANTS.items():
        setattr(made, constant, value)
    made.bias = np.zeros(neurons) if bias is None else bias
    return made, updater


def connect(source, target, sources, targets, weights, when):
    made = Synapses(source, target, "w : 1", on_pre="arriving_post += w", dt=1 * ms)
    made.connect(i=sources, j=targets)
    made.w = weights
    made.pre.when = when
    return made


def feed_forward(load, truncated):
    """Layer after layer within a step. Samples follow each other; membranes are empty between them."""
    samples, steps, inputs = load.input.shape
    sample, step, neuron = np.nonzero(load.input)
    source = SpikeGeneratorGroup(inputs, neuron, (sample * steps + step) * ms, dt=1 * ms, when="input")
    objects, schedule, groups = [source], ["start", "groups", "between", "input"], []
    for index, (neurons, sources, targets, weights) in enumerate(loads.unrolled(load)):
        slot = lambda part, index=index: f"{part}{index}"
        schedule += [slot(part) for part in PARTS]
        order = np.argsort(sources, kind="stable")
        made, updater = group(f"layer{index}", neurons, load.biases[index], truncated, slot)
        synapses = connect(source, made, sources[order], targets[order], weights[order], slot("synapses"))
        objects += [made, updater, synapses]
        if samples > 1:
            objects.append(made.run_regularly("v = 0", dt=steps * ms, when="between"))
        groups.append(made)
        source = made
    return objects, schedule + ["end"], groups, samples * steps


def recurrent(load, truncated):
    """Synapses come last in a step, so that what they add is read in the next."""
    made, updater = group("layer0", load.neurons, load.bias, truncated, lambda part: part)
    synapses = connect(made, made, load.sources(), load.target, load.weight, "synapses")
    schedule = ["start", "groups", "update", "thresholds", "synapses", "resets", "end"]
    return [made, updater, synapses], schedule, [made], load.steps


def prepare(load, truncated, scratch):
    """Builds the program in `scratch`; returns what runs it."""
    brian2.prefs.core.default_float_dtype = np.float32
    brian2.prefs.codegen.cpp.headers += ["<sys/resource.h>"]
    # Its own choice, less fused multiplication and addition, which rounds once where the definition rounds twice.
    flags = ["-w", "-O3", "-ffast-math", "-fno-finite-math-only", "-march=native", "-std=c++17", "-ffp-contract=off"]
    brian2.prefs.codegen.cpp.extra_compile_args_gcc = flags
    brian2.set_device("cpp_standalone", build_on_run=False)
    make = recurrent if isinstance(load, loads.Recurrent) else feed_forward
    objects, schedule, groups, steps = make(load, truncated)
    network = brian2.Network(objects)
    network.schedule = schedule
    device.insert_code("before_network_run", CLOCK)
    total = " + ".join(
        f"std::accumulate(brian::_array_{g.name}_spikes, brian::_array_{g.name}_spikes + {len(g)}, 0L)" for g in groups
    )
    device.insert_code("after_network_run", CLOCK + f'std::cout << "spikes " << {total} << std::endl;')
    brian2.prefs.codegen.cpp.headers += ["<numeric>"]
    network.run(steps * ms)
    device.build(str(scratch), compile=True, run=False)

    def measure():
        out = subprocess.run(["./main"], cwd=scratch, check=True, capture_output=True, text=True).stdout
        words = [line.split() for line in out.splitlines()]
        start, end = (float(line[1]) for line in words if line[:1] == ["cpu"])
        [spikes] = (int(line[1]) for line in words if line[:1] == ["spikes"])
        return end - start, spikes

    return measure
