"""Runs decoded programs in brian2-loihi, many at once: networks without synapses between them.

A step of brian2-loihi's generators acts in the step itself, a spike of its neurons in the next one. So input
spikes of hardware step t are generated in step t + 1.

Its neuron groups have one set of registers, its synapse objects one format and delay: both are made for every
set that occurs. Building them is what a run costs; copies of a network for further samples share them, and so do
networks with equal registers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from brian2 import defaultclock, ms, prefs
from brian2_loihi import (
    LoihiNetwork,
    LoihiNeuronGroup,
    LoihiSpikeGeneratorGroup,
    LoihiSpikeMonitor,
    LoihiSynapses,
)

from flatten import Network
from outcome import CannotRun
from records import Input, Program

prefs.codegen.target = "numpy"
Rasters = dict[str, np.ndarray]
SIGNS = {"mixed": 1, "excitatory": 2, "inhibitory": 3}


@dataclass(frozen=True)
class Job:
    """A program, its synapses, and rasters `[samples, logical steps, elements]` by input name."""

    program: Program
    network: Network
    inputs: Rasters

    def samples(self) -> int:
        """Number of runs."""
        return len(next(iter(self.inputs.values())))


def refuse_unsupported(program: Program, network: Network) -> None:
    """Raises `CannotRun` if the program uses what brian2-loihi does not have."""
    if network.neurons.bias.any():
        raise CannotRun("the program has biases, which brian2-loihi's neurons do not have")
    for core in program.cores:
        for profile in core.profiles:
            if profile.subtract is not None or profile.update != (1, 0):
                raise CannotRun("brian2-loihi resets to 0 and updates in every step")
            if profile.graded is not None or profile.floor is not None:
                raise CannotRun("brian2-loihi has neither graded messages nor lowest membranes")


def _generator(jobs: list[Job]) -> tuple[LoihiSpikeGeneratorGroup, list[list[int]]]:
    """All inputs of all samples, and the first element of each sample of each job."""
    elements, times, firsts, count = [], [], [], 0
    for job in jobs:
        firsts.append([])
        for sample in range(job.samples()):
            firsts[-1].append(count)
            for symbol in job.program.populations:
                if isinstance(symbol.role, Input):
                    steps, places = job.inputs[symbol.name][sample].nonzero()
                    elements.append(count + job.network.first[symbol.name] + places)
                    times.append(job.program.period * steps + symbol.latency + 1)
            count += job.network.inputs
    indices = np.concatenate([np.zeros(0, dtype=int), *elements])
    steps = np.concatenate([np.zeros(0, dtype=int), *times])
    return LoihiSpikeGeneratorGroup(max(count, 1), indices, steps), firsts


def run(jobs: list[Job]) -> list[Rasters]:
    """Spikes `[samples, hardware steps, neurons]` of every population on cores, job by job."""
    defaultclock.dt = 1 * ms
    generator, input_first = _generator(jobs)
    # Neurons of equal registers lie in one group: (group, place) of each neuron of each sample.
    sets: dict[tuple[int, ...], int] = {}
    sizes: list[int] = []
    where: list[list[tuple[np.ndarray, np.ndarray]]] = []
    for job in jobs:
        n = job.network.neurons
        keys = list(
            zip(*(a.tolist() for a in (n.du, n.dv, n.threshold, n.refractory)), strict=True)
        )
        group = np.array([sets.setdefault(key, len(sets)) for key in keys], dtype=np.int64)
        sizes += [0] * (len(sets) - len(sizes))
        where.append([])
        for _ in range(job.samples()):
            place = np.zeros(len(group), dtype=np.int64)
            for index in np.unique(group):
                mine = group == index
                place[mine] = sizes[index] + np.arange(mine.sum())
                sizes[index] += int(mine.sum())
            where[-1].append((group, place))
    groups = [
        LoihiNeuronGroup(
            size, refractory=key[3], threshold_v_mant=key[2], decay_v=key[1], decay_I=key[0] + 1
        )
        for key, size in zip(sets, sizes, strict=True)
    ]
    lists: dict[tuple, list[np.ndarray]] = defaultdict(list)
    for job, firsts, placed in zip(jobs, input_first, where, strict=True):
        for bundle in job.network.bundles:
            form = (bundle.exponent, bundle.sign, bundle.weight_bits, bundle.delay)
            for first, (group, place) in zip(firsts, placed, strict=True):
                if bundle.from_inputs:
                    sender, source = np.full(len(bundle.source), -1), first + bundle.source
                else:
                    sender, source = group[bundle.source], place[bundle.source]
                receiver, target = group[bundle.target], place[bundle.target]
                table = np.stack([source, target, bundle.mantissa])
                for pair in np.unique(np.stack([sender, receiver]), axis=1).T:
                    mine = (sender == pair[0]) & (receiver == pair[1])
                    lists[(*pair.tolist(), *form)].append(table[:, mine])
    network = LoihiNetwork(generator, *groups)
    for (sender, receiver, exponent, sign, bits, delay), tables in lists.items():
        source, target, mantissa = np.concatenate(tables, axis=1)
        synapses = LoihiSynapses(
            generator if sender < 0 else groups[sender],
            groups[receiver],
            delay=delay,
            w_exp=exponent,
            sign_mode=SIGNS[sign],
            num_weight_bits=bits,
        )
        synapses.connect(i=source, j=target)
        # Synapses of one pair of neurons stay in the order in which they were given.
        synapses.w = mantissa
        network.add(synapses)
    monitors = [LoihiSpikeMonitor(group) for group in groups]
    network.add(*monitors)
    network.run(max(job.program.run_steps for job in jobs))
    trains = [np.zeros((max(job.program.run_steps for job in jobs), s), np.uint8) for s in sizes]
    for train, monitor in zip(trains, monitors, strict=True):
        train[np.rint(np.asarray(monitor.t_) * 1000).astype(int), np.asarray(monitor.i)] = 1
    return [_by_population(job, placed, trains) for job, placed in zip(jobs, where, strict=True)]


def _by_population(
    job: Job, placed: list[tuple[np.ndarray, np.ndarray]], trains: list[np.ndarray]
) -> Rasters:
    steps = job.program.run_steps
    whole = np.zeros((len(placed), steps, len(job.network.neurons.du)), dtype=np.uint8)
    for sample, (group, place) in enumerate(placed):
        for index in np.unique(group):
            mine = np.flatnonzero(group == index)
            whole[sample][:, mine] = trains[index][:steps, place[mine]]
    out = {}
    for symbol in job.program.populations:
        if not isinstance(symbol.role, Input):
            first = job.network.first[symbol.name]
            out[symbol.name] = whole[:, :, first : first + symbol.size()]
    return out
