#!/usr/bin/env python3
"""`snnc bench` and other simulators side by side: see README.md."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import environment

HERE = Path(__file__).resolve().parent
GOALS = tomllib.loads((HERE / "goals.toml").read_text())

# How each may compute a workload; the fastest counts. Those of recurrent networks are `Recurrent`'s in torch_peers.py.
LAYERED = {"pytorch": ["steps", "layers", "compiled"], "spikingjelly": ["steps", "layers"], "snntorch": ["steps"]}
SPARSE = {"pytorch": ["padded", "gather", "csr"], "spikingjelly": ["padded"], "snntorch": ["padded"]}

# Why somebody does not take part.
ABSENT = {
    ("nest", "w1-b256"): "runs one sample after the other: each takes what w1-b1 takes",
    ("nest", "w2-b16"): "has neither shared kernels nor averages, and runs one sample after the other",
}

PEERS = ["pytorch", "spikingjelly", "snntorch", "brian2", "nest"]


@dataclass
class Variant:
    """A simulator, how it computes, and a process that does."""

    peer: str
    form: str
    arithmetic: str
    process: subprocess.Popen | None = None
    errors: object = None
    seconds: list = field(default_factory=list)
    spikes: int = 0

    def start(self, path, scratch):
        self.errors = tempfile.TemporaryFile("w+")
        folder = scratch / f"{self.peer}-{path.stem}-{self.arithmetic}"
        command = [sys.executable, HERE / "worker.py", self.peer, path, self.form, self.arithmetic, folder]
        one = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
        self.process = subprocess.Popen(list(map(str, command)), text=True, env=os.environ | one, **pipes)
        self.wait("ready")

    def wait(self, word):
        for line in self.process.stdout:
            if line.split()[:1] == [word]:
                return line.removeprefix(word)
        self.errors.seek(0)
        raise SystemExit(f"{self.name()} failed:\n{self.errors.read()}")

    def measure(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = json.loads(self.wait("answer"))
        self.seconds.append(answer["seconds"])
        self.spikes = answer["spikes"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()

    def name(self):
        return f"{self.peer}, {self.form}" if self.form else self.peer


# Whoever takes this many times as long as the fastest is measured once.
FAR = 5


def variants(options, name, recurrent):
    """By simulator: arithmetics, and in how many ways it may compute."""
    for peer in options.peers:
        if (peer, name) in ABSENT:
            continue
        forms = (SPARSE if recurrent else LAYERED).get(peer, [""])
        arithmetics = ["truncated", "plain"] if recurrent and peer != "nest" else ["plain"]
        yield peer, forms[:1] if options.quick else forms, arithmetics


def run(command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


class Snnc:
    """Our own measurements."""

    def __init__(self, binary, workload, batch, scratch):
        self.report = scratch / "report.json"
        self.command = [binary, "bench", workload, "--batch", batch, "--repeat", 1, "--threads", 1, "--json", self.report]
        self.seconds = []

    def measure(self):
        run(self.command)
        report = json.loads(self.report.read_text())
        while "measured" not in report:
            report = next(value for value in report.values() if isinstance(value, dict))
        [found] = report["measured"]
        self.seconds.append(found["cpu_seconds"])
        self.spikes, self.events = found["spikes"], found["events"]


def compare(name, options, scratch):
    """Rows of the table for one workload, and what was missed."""
    import loads

    workload, batch = name.upper().split("-B")
    run([options.snnc, "bench", workload, "--batch", batch, "--write", scratch])
    path = scratch / f"{name}.npz"
    load = loads.read(path)
    recurrent = isinstance(load, loads.Recurrent)
    ours = Snnc(options.snnc, workload, batch, scratch)
    ours.measure()
    expected = {"plain": loads.spikes(load) if recurrent else ours.spikes, "truncated": ours.spikes}
    missed, taking_part = [], []
    if recurrent and loads.spikes(load, truncated=True) != ours.spikes:
        missed.append(f"{name}: snnc does not spike as often as the definition")
    for peer, forms, arithmetics in variants(options, name, recurrent):
        for arithmetic in arithmetics:
            tried = []
            for form in forms:
                variant = Variant(peer, form, arithmetic)
                variant.start(path, scratch)
                variant.measure()
                wanted = expected[arithmetic]
                if variant.spikes != wanted:
                    missed.append(f"{name}: {variant.name()} has {variant.spikes} spikes, not {wanted} ({arithmetic})")
                tried.append(variant)
            best = min(tried, key=lambda variant: variant.seconds[0])
            for variant in tried:
                if variant is not best:
                    variant.stop()
            taking_part.append(best)
            # What is fastest in one arithmetic is so in the other.
            forms = [best.form]
    fastest = min((variant.seconds[0] for variant in taking_part), default=0)
    again = [variant for variant in taking_part if variant.seconds[0] < FAR * fastest]
    for _ in range(options.repeat - 1):
        ours.measure()
        for variant in again:
            variant.measure()
    for variant in taking_part:
        variant.stop()
    ns = lambda seconds: statistics.median(seconds) * 1e9 / ours.events
    mine = ns(ours.seconds)
    rows = [[name, "**snnc**", f"**{mine:.3g}**", "", f"{ours.spikes:,}", "truncated" if recurrent else "plain"]]
    for variant in taking_part:
        theirs = ns(variant.seconds)
        rows.append([name, variant.name(), f"{theirs:.3g}", f"{theirs / mine:.1f}", f"{variant.spikes:,}", variant.arithmetic])
    for peer in options.peers:
        if (peer, name) in ABSENT:
            rows.append([name, peer, "–", "", "–", ABSENT[peer, name]])
    if options.goals and taking_part:
        best = min(ns(variant.seconds) for variant in taking_part)
        missed += judge(name, mine, best)
    return rows, missed


def judge(name, mine, best):
    """What of the goals was missed, in words."""
    goal = GOALS[name]
    if mine > goal["ns"]:
        yield f"{name}: {mine:.3g} ns per event, at most {goal['ns']} wanted"
    if best / mine < goal["ratio"]:
        yield f"{name}: the fastest other takes {best / mine:.2f} times as long, at least {goal['ratio']} wanted"
    if mine > goal["reach"]:
        print(f"{name}: {goal['reach']} ns per event are not reached", file=sys.stderr)


HEADER = """| workload | simulator | ns per event | times snnc | spikes | arithmetic |
| --- | --- | --- | --- | --- | --- |"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("snnc", type=Path, help="the binary")
    parser.add_argument("--only", nargs="*", choices=list(GOALS), default=list(GOALS), help="these workloads")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS, help="these simulators")
    parser.add_argument("--repeat", type=int, default=5, help="measurements of each, one after the other in turns")
    parser.add_argument("--quick", action="store_true", help="let everybody compute in one way only")
    parser.add_argument("--goals", action="store_true", help="fail where a goal of time is missed")
    parser.add_argument("--markdown", type=Path, help="write the table here, too")
    return parser.parse_args()


def main():
    options = arguments()
    environment.enter()
    lines, missed = [HEADER], []
    print(HEADER, flush=True)
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            rows, failures = compare(name, options, Path(folder))
        missed += failures
        for row in rows:
            lines.append("| " + " | ".join(row) + " |")
            print(lines[-1], flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")
    if missed:
        raise SystemExit("\n".join(missed))


main()
