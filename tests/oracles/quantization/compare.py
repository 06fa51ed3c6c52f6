"""Quantizers side by side on the same float networks: nengo-loihi, lava-dl, round to nearest, ours.

    compare.py SNNC_BINARY WORKDIR [--samples N] [--calibrate-samples N] [--markdown FILE]
               [--only NAME…]

Every conversion starts from the network that `snnc compile --emit network` prints, and runs in the
same simulator (`simulate.py`) on samples that nothing was calibrated with: N of each generated
network (a tenth of them of the one of twelve layers), all of the shipped ones. Exit status: 0 = the
goals hold, 1 = one does not, 2 = our own integers run differently here than in `snnc`. Goals:

* On every network ours, calibrated, has a spike distance strictly below that of nengo-loihi and of
  lava-dl, and at least their accuracy: right labels where there are labels, else predictions that
  agree with the float network's (not in the network of twelve layers, whose last ones are chaotic).
* In the network of twelve layers ours keeps the rate of every layer within 10 % of the float one;
  lava-dl's rounding does not.

What misses a goal without calibration is printed, but no failure. See `docs/oracles.md`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import networks
import peers
from binary import Calibration, Measured, Snnc
from model import IntegerNetwork
from simulate import Spikes, run_integer

EXAMPLES = Path(__file__).parents[3] / "examples"
DEEP = "layers12"
RATE_LIMIT = 0.1
PEERS = ("nengo-loihi", "lava-dl")
OURS = ("snnc", "snnc calibrated")


@dataclass(frozen=True)
class Case:
    """A network with data for both purposes; `labels` of the samples to measure, or none."""

    name: str
    genome: Path
    calibrate: Path
    calibrate_samples: int
    measure: Path
    samples: int
    labels: np.ndarray | None


@dataclass(frozen=True)
class Score:
    """How one conversion did. `rates` is the relative error of each layer's rate."""

    distance: float
    agreement: float
    accuracy: float | None
    rates: dict[str, float]
    notes: list[str]

    def quality(self) -> float:
        """What the second goal compares."""
        return self.agreement if self.accuracy is None else self.accuracy


def cases(folder: Path, samples: int, calibrate_samples: int, only: list[str]) -> list[Case]:
    """Writes what is generated, and slices what ships."""
    found = []
    digits = EXAMPLES / "digits"
    mnist = _split(EXAMPLES / "mnist" / "test.npz", folder)
    shipped = {"digits": (digits / "calibrate.npz", digits / "test.npz"), "mnist": mnist}
    for name, (calibrate, measure) in shipped.items():
        labels = _labels(measure)
        genome = EXAMPLES / name / f"{name}.genome.json"
        every = len(_labels(calibrate))
        found.append(Case(name, genome, calibrate, every, measure, len(labels), labels))
    for name in networks.RECIPES:
        if only and name not in only:
            continue
        count = samples // 10 if name == DEEP else samples
        networks.write(name, folder, max(count, calibrate_samples))
        parts = ("genome.json", "calibrate.npz", "measure.npz")
        genome, calibrate, measure = (folder / f"{name}.{part}" for part in parts)
        found.append(Case(name, genome, calibrate, calibrate_samples, measure, count, None))
    return [case for case in found if not only or case.name in only]


def _labels(file: Path) -> np.ndarray:
    with np.load(file) as arrays:
        return arrays["y"]


def _split(source: Path, folder: Path) -> tuple[Path, Path]:
    """The first half of a stimulus file to calibrate with, the second to measure on."""
    with np.load(source) as arrays:
        x, y = arrays["x"], arrays["y"]
    half = len(y) // 2
    parts = folder / "mnist.calibrate.npz", folder / "mnist.measure.npz"
    for path, part in zip(parts, (slice(0, half), slice(half, None)), strict=True):
        np.savez_compressed(path, x=x[part], y=y[part])
    return parts


def _classes(spikes: Spikes, readout: str) -> np.ndarray:
    """Most spikes win, ties go to the lowest class."""
    return spikes[readout].sum(axis=1).argmax(axis=1)


def score(network: IntegerNetwork, reference: Measured, labels: np.ndarray | None) -> Score:
    """Runs integers on the reference's inputs and compares."""
    run = run_integer(network, reference.inputs)
    differing = total = 0
    rates = {}
    for name, wanted in reference.spikes.items():
        got = run.spikes[name]
        differing += int((got != wanted.astype(bool)).sum())
        total += int(got.sum()) + int(wanted.sum())
        rates[name] = float(got.mean() / max(wanted.mean(), 1e-9) - 1)
    classes = _classes(run.spikes, network.readout)
    notes = list(network.notes)
    if run.overflows:
        notes.append(f"{run.overflows} overflows of a register")
    accuracy = None if labels is None else float((classes == labels).mean())
    agreement = float((classes == reference.classes).mean())
    return Score(differing / max(total, 1), agreement, accuracy, rates, notes)


def check_simulator(snnc: Snnc, case: Case, ours: IntegerNetwork) -> None:
    """Our integers must run here as in the compiler, spike for spike."""
    expected = snnc.run(case.genome, "quantized", case.measure, case.samples)
    got = run_integer(ours, expected.inputs).spikes
    for name, train in expected.spikes.items():
        differing = int((got[name] != train.astype(bool)).sum())
        if differing:
            print(f"{case.name}: {differing} spikes of {name} differ between snnc and simulate.py")
            sys.exit(2)


def compare(snnc: Snnc, case: Case) -> dict[str, Score]:
    """All conversions of one network, and `float` itself for its accuracy."""
    reference = snnc.run(case.genome, "float", case.measure, case.samples)
    source = snnc.float_network(case.genome)
    ours = snnc.integers(case.genome, None)
    check_simulator(snnc, case, ours)
    candidates = {
        PEERS[0]: peers.nengo_loihi(source),
        PEERS[1]: peers.slayer(source),
        "nearest": peers.nearest(source),
        OURS[0]: ours,
        OURS[1]: snnc.integers(case.genome, Calibration(case.calibrate, case.calibrate_samples)),
    }
    scores = {name: score(network, reference, case.labels) for name, network in candidates.items()}
    if case.labels is not None:
        right = float((reference.classes == case.labels).mean())
        scores["float"] = Score(0.0, 1.0, right, {}, [])
    return scores


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def table(results: dict[str, dict[str, Score]]) -> str:
    """Markdown: a row per network and conversion."""
    lines = [
        "| network | conversion | spike distance % | same prediction % | accuracy % (float) "
        "| largest rate error of a layer % | remarks |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, scores in results.items():
        for conversion, s in scores.items():
            if conversion == "float":
                continue
            accuracy = "–"
            if s.accuracy is not None:
                accuracy = f"{_percent(s.accuracy)} ({_percent(scores['float'].quality())})"
            worst = max(s.rates.items(), key=lambda item: abs(item[1]))
            lines.append(
                f"| {name} | {conversion} | {_percent(s.distance)} | {_percent(s.agreement)} "
                f"| {accuracy} | {100 * worst[1]:+.2f} ({worst[0]}) | {'; '.join(s.notes)} |"
            )
    return "\n".join(lines)


def failures(results: dict[str, dict[str, Score]], ours: str) -> list[str]:
    """Goals that do not hold for a column of ours."""
    found = []
    for name, scores in results.items():
        mine = scores[ours]
        for peer in PEERS:
            theirs = scores[peer]
            if mine.distance >= theirs.distance:
                found.append(
                    f"{name}: {ours} has the spike distance {_percent(mine.distance)} %, "
                    f"{peer} {_percent(theirs.distance)} %"
                )
            if name != DEEP and mine.quality() < theirs.quality():
                what = "agreement" if mine.accuracy is None else "accuracy"
                found.append(
                    f"{name}: {ours} has the {what} {_percent(mine.quality())} %, "
                    f"{peer} {_percent(theirs.quality())} %"
                )
        if name == DEEP:
            worst = max(abs(rate) for rate in mine.rates.values())
            if worst > RATE_LIMIT:
                found.append(f"{name}: {ours} is {_percent(worst)} % off in the rate of a layer")
            if max(abs(rate) for rate in scores[PEERS[1]].rates.values()) <= RATE_LIMIT:
                found.append(f"{name}: {PEERS[1]} keeps all rates, so the network shows nothing")
    return found


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path, help="snnc")
    parser.add_argument("workdir", type=Path, help="folder for generated files")
    parser.add_argument(
        "--samples", type=int, default=1000, help="of generated stimuli, to measure"
    )
    parser.add_argument("--calibrate-samples", type=int, default=200, help="to calibrate with")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these networks only")
    arguments = parser.parse_args()
    arguments.workdir.mkdir(parents=True, exist_ok=True)
    snnc = Snnc(arguments.binary.resolve(), arguments.workdir)
    samples, calibrate = arguments.samples, arguments.calibrate_samples
    results = {}
    for case in cases(arguments.workdir, samples, calibrate, arguments.only):
        results[case.name] = compare(snnc, case)
        print(f"{case.name}: done", file=sys.stderr)
    text = table(results)
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text + "\n")
    found = failures(results, OURS[1])
    for line in failures(results, OURS[0]):
        print(f"without calibration: {line}")
    for line in found:
        print(f"FAILED: {line}")
    print(f"{len(results)} networks, {len(found)} goals missed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
