"""The networks that are recorded, and the genome file of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

GENES = 20
CLASSES = 5


@dataclass(frozen=True)
class Case:
    """One network to record.

    `motifs` holds one motif id per cell (a reduction cell ignores its own); `genotype` a name instead
    selects a NeuEvo network of `cells` cells. `sizes` fixes all size genes (0 = 3x3), else they are
    random; `gene` fixes one (place in the cell, value), for the operation of the feedback edges.
    """

    name: str
    shows: str
    motifs: tuple[int, ...] = ()
    arity: int = 0
    genotype: str = ""
    cells: int = 0
    published: bool = False
    sizes: int | None = None
    gene: tuple[int, int] | None = None
    images: bool = False
    feedback: bool = True
    side: int = 8
    steps: int = 4
    channels: int = 4
    neuron: str = "lif"
    tau: float = 2.0
    signs: str = "free"
    thresholds: bool = False

    @property
    def layers(self) -> int:
        """The number of cells."""
        return 6 if self.published else self.cells or len(self.motifs)


def reductions(layers: int, images: bool) -> list[int]:
    """The cells that reduce: fixed places for events, quarters for images."""
    places = {layers // 4, layers // 2, 3 * layers // 4} if images else {1, 3, 5, 7}
    return sorted(place for place in places if place < layers)


def published_genome(braincog: Path) -> list[int]:
    """The evolved genome that BrainCog publishes, as the default of an option of its search."""
    source = braincog / "examples/Structure_Evolution/MSE-NAS/evolution.py"
    found = re.search(r"--strgenome', default='([0-9,]+)'", source.read_text())
    if found is None:
        raise SystemExit(f"{source}: the published genome is not where it was")
    return [int(gene) for gene in found.group(1).split(",")]


def genes(case: Case, rng: np.random.Generator) -> list[int]:
    """The integer genome of an MSE-NAS case: motif id and 19 genes for each cell, then the arity."""
    flat: list[int] = []
    for motif in case.motifs:
        cell = [motif, *rng.integers(0, 2, GENES - 1).tolist()]
        if case.sizes is not None:
            cell[1:] = [case.sizes] * (GENES - 1)
        if case.gene is not None:
            cell[case.gene[0]] = case.gene[1]
        flat += cell
    return [*flat, case.arity]


def search(case: Case, rng: np.random.Generator, braincog: Path) -> dict[str, Any]:
    """The field `search` of the genome file."""
    channels = (1 if not case.genotype else 3) if case.images else 2
    shared = {
        "cells": case.layers,
        "init_channels": case.channels,
        "reduce_at": reductions(case.layers, case.images),
        "in_channels": channels,
        "stem": "conv_conv" if case.images and not case.genotype else "conv",
        "neuron": case.neuron,
        "feedback": "same_step" if case.feedback else "none",
    }
    if case.genotype:
        return {"family": "braincog-neuevo", "library": 1, "genotype": case.genotype, **shared}
    flat = published_genome(braincog) if case.published else genes(case, rng)
    return {
        "family": "braincog-mse-nas",
        "library": 1,
        "genome": flat,
        "genes_per_cell": GENES,
        **shared,
    }


def neuron(case: Case) -> dict[str, Any]:
    """The constants of the one neuron model of a network, at BrainCog's defaults but for tau."""
    constants: dict[str, Any] = {"model": "lif", "tau": case.tau, "threshold": 0.5}
    if case.neuron == "plif":
        constants = {"model": "plif", "w": 0.0, "threshold": 1.0}
    reset = {"kind": "to", "value": 0.0}
    return {**constants, "compare": "gt", "v_init": 0.0, "reset": reset}


def genome(case: Case, seed: int, rng: np.random.Generator, braincog: Path) -> dict[str, Any]:
    """The genome file of `case`."""
    wiring = search(case, rng, braincog)
    return {
        "format": "snnc-genome",
        "version": "1.0",
        "kind": "mse-nas",
        "name": case.name,
        "provenance": {
            "shows": case.shows,
            "network": "BrainCog 3998fd5 (Apache-2.0), built by its own code",
            "weights": f"random, seed {seed}, signs {case.signs}",
            "exporter": "tests/oracles/braincog/dump.py",
        },
        "time": {"steps": case.steps, "order": "step_major"},
        "input": {
            "coding": "direct" if case.images else "events",
            "shape": [wiring["in_channels"], case.side, case.side],
        },
        "readout": {"kind": "mean_linear", "classes": CLASSES},
        "neurons": {case.neuron: neuron(case)},
        "search": wiring,
        "tensors": {
            "file": f"{case.name}.safetensors",
            "format": "safetensors",
            "names": "braincog-state-dict",
        },
    }


def single(arity: int, motif: int, **more: Any) -> Case:
    """One cell of one motif on 6x6 events."""
    prefix = {2: "mm", 3: "m", 4: "t"}[arity]
    suffix = more.pop("suffix", "")
    shows = more.pop("shows", f"one cell of motif {prefix}{motif}")
    name = f"{prefix}{motif}{suffix}"
    return Case(name, shows, motifs=(motif,), arity=arity, **{"side": 6, **more})


def neuevo(name: str, shows: str, **more: Any) -> Case:
    """A NeuEvo network of three cells on 8x8 events."""
    short = name.removeprefix("dvsc10_").removeprefix("new_")
    return Case(f"neuevo_{short}", shows, genotype=name, **{"cells": 3, **more})


RESPECTED = {"signs": "respected", "suffix": "_signs"}
CASES = [
    *(single(2, motif) for motif in range(6)),
    *(single(3, motif) for motif in range(6)),
    *(single(4, motif) for motif in range(1, 6)),
    single(3, 4, suffix="_small", shows="motif m4, all 3x3", sizes=0, side=8, steps=3),
    single(3, 4, suffix="_large", shows="motif m4, all 5x5", sizes=1),
    single(4, 5, suffix="_back2", shows="t5 with inhibitory 3x3 feedback", gene=(19, 2)),
    single(4, 5, suffix="_back3", shows="t5 with inhibitory 5x5 feedback", gene=(19, 3)),
    single(3, 3, suffix="_back2", shows="m3 with inhibitory 3x3 feedback, a gene no search draws", gene=(11, 2)),
    single(2, 2, shows="mm2, no clip ever acts", **RESPECTED),
    single(3, 2, shows="m2, no clip ever acts", **RESPECTED),
    single(3, 3, shows="m3 with feedback, no clip ever acts", **RESPECTED),
    single(3, 4, shows="m4, no clip ever acts", **RESPECTED),
    single(3, 5, shows="m5 with identity feedback, no clip ever acts", **RESPECTED),
    single(4, 5, shows="t5 with inhibitory feedback, no clip ever acts", gene=(19, 2), **RESPECTED),
    single(2, 4, suffix="_tau4", shows="mm4, tau 4", tau=4.0, steps=6),
    single(3, 3, suffix="_tau4", shows="m3 with feedback, tau 4", tau=4.0, steps=6),
    single(3, 1, suffix="_plif", shows="m1 of PLIF neurons, every w 0", neuron="plif"),
    single(2, 3, suffix="_plif", shows="mm3 of PLIF neurons, each w its own", neuron="plif", steps=5),
    single(3, 2, suffix="_thresholds", shows="m2, each population its own threshold", thresholds=True),
    Case("mm4_r_mm2", "reduction between two cells of arity 2", (4, 1, 2), 2),
    Case("mm3_r_mm5", "feedback before and after a reduction", (3, 0, 5), 2),
    Case("mm1_r_mm0", "a last cell that emits nothing", (1, 2, 0), 2),
    Case("m4_r_m3", "reduction between two cells of arity 3", (4, 1, 3), 3),
    Case("m5_r_m2_r", "a reduction at the end", (5, 0, 2, 1), 3),
    Case("m0_r_m1", "a reduction that reads zeros", (0, 2, 1), 3),
    Case("m4_r_m4_signs", "two cells of m4, no clip ever acts", (4, 4, 4), 3, signs="respected"),
    Case("t2_r_t4", "reduction between two cells of arity 4", (2, 1, 4), 4),
    Case("t5_r_t3_r_t5", "five cells of arity 4: preprocessing by 4x (F0)", (5, 1, 3, 2, 5), 4,
         gene=(19, 2), channels=2),
    Case("t1_r_t4_r_t4", "five cells of arity 4: preprocessing by 4x (F0)", (1, 1, 4, 2, 4), 4, channels=2),
    Case("m4_published", "the genome that BrainCog publishes", arity=3, published=True, side=16, steps=3),
    Case("mm2_image", "image stem of two convolutions, a first cell that reduces", (2,), 2, images=True),
    Case("mm5_image", "two cells for images: both reduce", (5, 5), 2, images=True),
    Case("m3_image_signs", "image, three reductions down to 1x1, no clip ever acts", (3, 1, 1, 1), 3,
         images=True, channels=2, signs="respected"),
    Case("m2_image", "five cells for images: three reductions in a row, then F0", (2, 1, 1, 1, 2), 3,
         images=True, side=16, channels=2),
    Case("t4_image", "six cells for images, arity 4", (4, 1, 2, 1, 1, 4), 4, images=True, side=16, channels=2),
    neuevo("dvsc10_new_skip22", "NeuEvo with feedback into the inputs of a cell"),
    neuevo("dvsc10_new_skip17", "NeuEvo, signed average pooling forward and back"),
    neuevo("dvsc10_new_skip16", "NeuEvo, pooling of both signs"),
    neuevo("dvsc10_new_skip6", "NeuEvo, both feedback edges inhibitory"),
    neuevo("dvsc10_new_skip21", "NeuEvo without feedback", feedback=False),
    neuevo("dvsc10_new_base0", "NeuEvo, pooling only"),
    neuevo("dvsc10_new3", "NeuEvo, a feedback edge that lacks the suffix"),
    neuevo("dvsg_new2", "NeuEvo, one cell", cells=1, side=6),
    neuevo("cifar_new0", "NeuEvo on images, five cells", images=True, cells=5, side=16, channels=2),
    neuevo("cifar_new_skip1", "NeuEvo on images, six cells", images=True, cells=6, side=16, channels=2),
    neuevo("dvsc10_new_skip5", "NeuEvo, tau 4", tau=4.0, steps=6),
]
