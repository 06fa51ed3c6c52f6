"""Lets lava-nc 0.10.0 and the NetX loader of lava-dl 0.6.0 run on Python 3.11 without torch.

Nothing in the packages is edited; both shims act only while this process imports them:

* lava's compiler uses dataclass instances as defaults of dataclass fields, which Python 3.11
  demands to be hashable: its dataclasses get the hash of plain objects;
* the NetX loader imports one function of the training library (parameters of resonate-and-fire
  neurons, which snnc never writes), and a sibling module mentions `torch.tensor` in annotations:
  empty stand-ins, which fail if they are used.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import types
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def _hashable_dataclasses() -> Iterator[None]:
    """While active, classes made by `dataclass` have a hash."""
    original = dataclasses.dataclass

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        made: Any = original(cls, **options)
        if made.__hash__ is None:
            made.__hash__ = object.__hash__
        return made

    dataclasses.dataclass = dataclass
    try:
        yield
    finally:
        dataclasses.dataclass = original


def _unavailable(*_: object) -> None:
    raise NotImplementedError("resonate-and-fire neurons need lava-dl's training library")


def _stand_in(name: str, **names: object) -> None:
    module = types.ModuleType(name)
    vars(module).update(names)
    sys.modules[name] = module


def install() -> None:
    """Imports lava and its NetX loader; call it before any other import from `lava`."""
    _stand_in("torch", tensor=object)
    _stand_in("lava.lib.dl.slayer")
    _stand_in("lava.lib.dl.slayer.neuron")
    _stand_in("lava.lib.dl.slayer.neuron.rf", neuron_params=_unavailable)
    with _hashable_dataclasses():
        import lava.lib.dl.netx.hdf5
        import lava.magma.compiler.compiler
        import lava.magma.core.run_configs
        import lava.magma.runtime.runtime
        import lava.proc.io  # noqa: F401
