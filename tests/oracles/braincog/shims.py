"""Lets the unchanged BrainCog sources be imported where only torch, numpy and einops are installed.

BrainCog's packages import the whole library (data sets, plots, training) from their `__init__`, and
some files import packages for parts that the networks here never reach. Nothing that computes is
replaced: cells, operations, neurons, stems, encoder and classifiers are BrainCog's own classes.

| name | what stands in | why |
| --- | --- | --- |
| `braincog.base`, `braincog.model_zoo`, `braincog.base.encoder` | packages entered without their `__init__` | it imports data sets, scikit-learn, matplotlib |
| `braincog.base.utils`, `utils` (MSE-NAS) | `drop_path` that raises | used in training only; the latter imports a module that the repository lacks |
| `timm.models.register_model` | identity | a decorator that fills a registry of names |
| `torchvision.ops.DeformConv2d`, `torchvision.transforms` | class that raises, empty module | deformable convolutions and image loading are not used |
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

COMMIT = "3998fd504c1a03376c2e96f14ddf98aee9f5370a"
SEARCH = "examples/Structure_Evolution/MSE-NAS"
EXECUTED = [
    "braincog/base/connection/layer.py",
    "braincog/base/encoder/encoder.py",
    "braincog/base/node/node.py",
    "braincog/base/strategy/surrogate.py",
    "braincog/model_zoo/NeuEvo/genotypes.py",
    "braincog/model_zoo/NeuEvo/model.py",
    "braincog/model_zoo/NeuEvo/operations.py",
    "braincog/model_zoo/base_module.py",
    f"{SEARCH}/cellmodel.py",
    f"{SEARCH}/micro_encoding.py",
    f"{SEARCH}/motifs.py",
    f"{SEARCH}/operations.py",
]
DIGEST = "518078eb81fa8f8a1a1e8d0a075981fc9cd7bd92858016620814d99d587b76a3"


class NotUsed:
    """A class that the networks here never build."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("this part of BrainCog is not part of the oracle")


def drop_path(*_: Any) -> None:
    """Regularization of training: the oracle runs in evaluation mode only."""
    raise NotImplementedError("the oracle does not train")


def package(name: str, folder: Path) -> None:
    """Registers a package without running its `__init__`."""
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def module(name: str, **members: Any) -> None:
    """Registers a module that holds only `members`."""
    made = ModuleType(name)
    vars(made).update(members)
    sys.modules[name] = made


def verify(root: Path) -> None:
    """Refuses a checkout whose executed files are not those of `COMMIT`."""
    missing = [path for path in EXECUTED if not (root / path).is_file()]
    if missing:
        raise SystemExit(f"{root}: no checkout of BrainCog: {missing[0]} is missing")
    digest = hashlib.sha256(b"".join((root / path).read_bytes() for path in EXECUTED)).hexdigest()
    if digest != DIGEST:
        raise SystemExit(f"{root}: not BrainCog at commit {COMMIT}, or changed")


def load(root: Path) -> SimpleNamespace:
    """Imports what the oracle runs from the checkout of BrainCog at `root`."""
    verify(root)
    for name in ("braincog", "braincog.base", "braincog.base.encoder", "braincog.model_zoo"):
        package(name, root.joinpath(*name.split(".")))
    module("braincog.base.utils", drop_path=drop_path)
    module("utils", drop_path=drop_path)
    package("timm", root)
    module("timm.models", register_model=lambda wrapped: wrapped)
    package("torchvision", root)
    module("torchvision.ops", DeformConv2d=NotUsed)
    module("torchvision.transforms")
    sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]  # type: ignore[attr-defined]
    sys.path.insert(0, str(root / SEARCH))
    return SimpleNamespace(
        root=root,
        node=importlib.import_module("braincog.base.node.node"),
        cells=importlib.import_module("cellmodel"),
        encoding=importlib.import_module("micro_encoding"),
        motifs=importlib.import_module("motifs"),
        neuevo=importlib.import_module("braincog.model_zoo.NeuEvo.model"),
        genotypes=importlib.import_module("braincog.model_zoo.NeuEvo.genotypes"),
    )
