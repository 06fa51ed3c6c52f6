#!/usr/bin/env python3
"""`snnc map` and Mt-KaHyPar side by side: see README.md."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

import environment

HERE = Path(__file__).resolve().parent

# Networks that `cargo run --example nets` writes: the goals name them and their targets.
GOALS = tomllib.loads((HERE / "goals.toml").read_text())

# Free room that the partitioner gets at least, as a part of a core, and at most.
ROOM = (0.01, 0.03)

# Energy of a message in a router and on a link, in pJ: those of `loihi64` (AxonCUDA, nmhardware.hpp), for all networks.
ROUTER, LINK = 1.7, 3.5


@dataclass
class Case:
    """A network, its files and its target."""

    name: str
    target: str
    hypergraph: Path | None
    layers: Path | None = None
    rates: Path | None = None

    def arguments(self):
        if self.hypergraph:
            return ["--hgr", self.hypergraph]
        return ["--layers", self.layers, "--rates", self.rates]

    def load(self):
        import numpy

        import network

        if self.hypergraph:
            return network.Hypergraph(self.hypergraph)
        rates = numpy.load(self.rates)
        return network.Layers(self.layers, rates[self.name if self.name in rates else rates.files[0]])


@dataclass
class Row:
    """What one method comes to: means over seeds."""

    name: str
    method: str
    seeds: int
    cores: float
    km1: float
    broken: int
    seconds: float
    energy: float | None = None

    def text(self):
        energy = "" if self.energy is None else f"{self.energy:.3g}"
        cores = f"{self.cores:.1f}".removesuffix(".0")
        figures = [cores, f"{self.km1:,.0f}", self.broken, f"{self.seconds:.2f}", energy, self.seeds]
        return "| " + " | ".join(map(str, [self.name, self.method, *figures])) + " |"


HEADER = """| network | method | cores | km1 | cores above limits | CPU seconds | energy | seeds |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def run(command):
    """Runs a command; returns its output and processor seconds, all of the process included."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} failed:\n{out.read()}{err.read()}")
        return out.read(), usage.ru_utime + usage.ru_stime


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def ours(case, network, options, scratch):
    """`snnc map`, with every seed."""
    import verdict

    verdicts, seconds, energies = [], [], []
    for seed in range(1, options.seeds + 1):
        out, report = scratch / "cores", scratch / "report.json"
        command = [options.snnc, "map", *case.arguments(), "--target", case.target]
        command += ["--effort", options.effort, "--seed", seed, "-o", out, "--json", report]
        _, spent = run(command)
        seconds.append(spent)
        found = verdict.judge(network, verdict.read_cores(out), case.target)
        verdicts.append(found)
        energies.append(energy(json.loads(report.read_text()), found.km1))
    return row(case, f"snnc, {options.effort}", verdicts, seconds, mean(energies))


def energy(report, km1):
    """What messages cost over the mapper's mean number of links, by the energies of `loihi64`, in pJ."""
    while "traffic" not in report:
        report = next(value for value in report.values() if isinstance(value, dict))
    hops = report["traffic"]["mean_hops"]
    return km1 * ((hops + 1) * ROUTER + hops * LINK)


def theirs(case, network, options, scratch, cores, pixels):
    """Mt-KaHyPar, with every seed, on as many cores as leave it some room."""
    import numpy
    import verdict

    neurons, _ = verdict.LIMITS[case.target]
    weight = int(network.weights.sum())
    room = lambda count: neurons / -(-weight // count) - 1
    while room(cores) < (ROOM[1] if pixels else ROOM[0]):
        cores += 1
    slack = min(room(cores), ROOM[1])
    graph, out = scratch / "peer.hgr", scratch / "blocks"
    network.write(graph, pixels) if case.layers else network.write(graph)
    verdicts, seconds = [], []
    for seed in range(1, options.peer_seeds + 1):
        command = [sys.executable, HERE / "peer.py", graph, cores, slack, seed, options.peer, out]
        printed, _ = run(command)
        seconds.append(float(printed.split()[-1]))
        core = numpy.loadtxt(out, dtype=numpy.int64)
        if pixels:
            core = numpy.repeat(core, network.channels_of_pixels())
        core[network.weights == 0] = -1
        verdicts.append(verdict.judge(network, core, case.target))
    kind = f"Mt-KaHyPar, {options.peer.lower()}" + (", pixels" if pixels else "")
    return row(case, kind, verdicts, seconds)


def row(case, method, verdicts, seconds, energy=None):
    cores = mean(found.cores for found in verdicts)
    km1 = mean(found.km1 for found in verdicts)
    broken = max(found.broken for found in verdicts)
    return Row(case.name, method, len(verdicts), cores, km1, broken, mean(seconds), energy)


def missed(found, goal, spikes, slower):
    """What of a goal was missed, in words. Goals of traffic are those of a network with `goal["spikes"]` spikes per step."""
    scale = spikes / goal["spikes"]
    limits = {
        "cores": goal["cores"],
        "km1": goal["km1"] * scale,
        "energy": goal["energy"] * scale if "energy" in goal else None,
        "seconds": goal["seconds"] * slower,
        "broken": 0,
    }
    for key, limit in limits.items():
        value = getattr(found, key)
        if limit is not None and value > limit:
            yield f"{found.name}: {key} {value:,.2f}, at most {limit:,.2f} wanted"


def cases(options):
    found = []
    for path in options.hgr:
        found.append(Case(path.stem, options.target, path))
    if options.nets:
        for name, goal in GOALS.items():
            if options.only and name not in options.only:
                continue
            files = {kind: options.nets / f"{name}.{kind}" for kind in ("hgr", "toml", "npz")}
            if files["hgr"].exists():
                found.append(Case(name, goal["target"], files["hgr"]))
            elif files["npz"].exists():
                found.append(Case(name, goal["target"], None, files["toml"], files["npz"]))
            else:
                raise SystemExit(f"{name} is not in {options.nets}: write it with the example `nets`")
    return found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("snnc", type=Path, help="the binary")
    parser.add_argument("--nets", type=Path, help="what the example `nets` wrote")
    parser.add_argument("--only", nargs="*", help="names of these networks")
    parser.add_argument("--hgr", type=Path, nargs="*", default=[], help="hypergraph files of your own")
    parser.add_argument("--target", default="loihi64", choices=["loihi64", "loihi84"], help="for these")
    parser.add_argument("--effort", default="balanced", choices=["fast", "balanced", "best"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--peer", default="DEFAULT", help="preset of Mt-KaHyPar, or `none`")
    parser.add_argument("--peer-on", nargs="*", help="names of networks that it gets, too; all, unless given")
    parser.add_argument("--peer-seeds", type=int, help="as many as ours, unless given")
    parser.add_argument("--vertices", nargs="*", default=["neurons", "pixels"], help="what layers are for it")
    parser.add_argument("--goals", action="store_true", help="fail where a goal is missed")
    parser.add_argument("--slower", type=float, default=1.0, help="by this factor processor time may miss its goal")
    parser.add_argument("--markdown", type=Path, help="write the table here, too")
    options = parser.parse_args()
    if options.peer_seeds is None:
        options.peer_seeds = options.seeds
    return options


def main():
    options = arguments()
    environment.enter(HERE / "requirements.txt")
    lines, failures = [HEADER], []
    print(HEADER, flush=True)
    for case in cases(options):
        network = case.load()
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            rows = [ours(case, network, options, scratch)]
            if options.goals:
                failures += missed(rows[0], GOALS[case.name], network.rates.sum(), options.slower)
            elif rows[0].broken:
                failures.append(f"{case.name}: {rows[0].broken} cores above limits")
            if options.peer != "none" and (options.peer_on is None or case.name in options.peer_on):
                kinds = options.vertices if case.layers else ["neurons"]
                least = int(rows[0].cores + 0.5)
                rows += [theirs(case, network, options, scratch, least, kind == "pixels") for kind in kinds]
        for found in rows:
            lines.append(found.text())
            print(found.text(), flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")
    if failures:
        raise SystemExit("\n".join(failures))


main()
