"""Graphs and recordings that the NIR fixtures and the NIR oracle share. Deterministic."""

import nir
import numpy as np


class Draw:
    """Numbers of a seeded generator."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def real(self, *shape):
        return self.rng.normal(size=shape).astype(np.float32)

    def positive(self, *shape):
        return (self.rng.random(shape) + 0.5).astype(np.float32)


def primitives(seed=1):
    """Every primitive that stands by itself."""
    d = Draw(seed)
    n = (3,)
    pair = lambda a, b: np.array([a, b])
    cuba = lambda: dict(
        tau_syn=d.positive(*n), tau_mem=d.positive(*n), r=d.positive(*n), v_leak=d.real(*n)
    )
    return {
        "Input": nir.Input(np.array([2, 3])),
        "Output": nir.Output(np.array([2, 3])),
        "Affine": nir.Affine(d.real(3, 4), d.real(3)),
        "Linear": nir.Linear(d.real(3, 4)),
        "LinearBatched": nir.Linear(d.real(2, 3, 4)),
        "Scale": nir.Scale(d.real(*n)),
        "Conv1d": nir.Conv1d(9, d.real(4, 2, 3), 2, 1, 1, 1, d.real(4)),
        "Conv1dSame": nir.Conv1d(9, d.real(4, 2, 3), 1, "same", 2, 1, d.real(4)),
        "Conv1dValid": nir.Conv1d(9, d.real(4, 2, 3), 1, "valid", 1, 1, d.real(4)),
        "Conv2d": nir.Conv2d((8, 8), d.real(4, 2, 3, 3), (2, 1), (1, 0), 1, 1, d.real(4)),
        "Conv2dSame": nir.Conv2d((8, 8), d.real(4, 2, 3, 3), 1, "same", 1, 1, d.real(4)),
        "Conv2dGroups": nir.Conv2d((8, 8), d.real(4, 1, 3, 3), 1, 0, 1, 2, d.real(4)),
        "SumPool2d": nir.SumPool2d(pair(2, 2), pair(2, 2), pair(0, 0)),
        "AvgPool2d": nir.AvgPool2d(pair(3, 2), pair(2, 1), pair(1, 0)),
        "Flatten": nir.Flatten(np.array([2, 3, 4]), 0, -1),
        "FlattenMiddle": nir.Flatten(np.array([2, 3, 4, 5]), 1, 2),
        "Delay": nir.Delay(d.positive(*n)),
        "Threshold": nir.Threshold(d.positive(*n)),
        "I": nir.I(d.positive(*n)),
        "IF": nir.IF(r=d.positive(*n), v_threshold=d.positive(*n)),
        "IFReset": nir.IF(r=d.positive(*n), v_threshold=d.positive(*n), v_reset=-d.positive(*n)),
        "LI": nir.LI(d.positive(*n), d.positive(*n), d.real(*n)),
        "LIF": nir.LIF(d.positive(*n), d.positive(*n), d.real(*n), d.positive(*n)),
        "LIFDouble": nir.LIF(*[d.positive(2, 3).astype(np.float64) for _ in range(4)]),
        "CubaLI": nir.CubaLI(**cuba(), w_in=d.real(*n)),
        "CubaLIF": nir.CubaLIF(**cuba(), v_threshold=d.positive(*n)),
        "CubaLIFReset": nir.CubaLIF(
            **cuba(), v_threshold=d.positive(*n), v_reset=d.real(*n), w_in=d.real(*n)
        ),
    }


def lif(d, n):
    return nir.LIF(
        tau=0.01 * d.positive(n), r=d.positive(n), v_leak=np.zeros(n, np.float32),
        v_threshold=d.positive(n),
    )


def feedforward(seed=2):
    """Two layers, with remarks."""
    d = Draw(seed)
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([4])),
            "10": nir.Affine(d.real(5, 4), d.real(5)),
            "2": lif(d, 5),
            "übergang": nir.Linear(d.real(3, 5)),
            "out.lif": lif(d, 3),
            "output": nir.Output(np.array([3])),
        },
        edges=[("input", "10"), ("10", "2"), ("2", "übergang"), ("übergang", "out.lif"),
               ("out.lif", "output")],
        metadata={"author": "someone", "steps": 100, "loss": 0.25, "tags": {"deep": {"x": "y"}},
                  "trained": True, "curve": np.array([1.0, 0.5])},
    )


def convolutional(seed=3):
    """Convolution, pooling, flattening; 8 x 8 pixels of two polarities."""
    d = Draw(seed)
    flat = nir.Flatten(np.array([4, 4, 4]), 0, -1)
    flat.metadata = {"note": "rows first"}
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([2, 8, 8])),
            "conv": nir.Conv2d((8, 8), d.real(4, 2, 3, 3), 1, 1, 1, 1, d.real(4)),
            "if": nir.IF(r=np.ones((4, 8, 8), np.float32), v_threshold=d.positive(4, 8, 8)),
            "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
            "flatten": flat,
            "fc": nir.Linear(d.real(3, 64)),
            "readout": nir.LI(d.positive(3), d.positive(3), np.zeros(3, np.float32)),
            "output": nir.Output(np.array([3])),
        },
        edges=[("input", "conv"), ("conv", "if"), ("if", "pool"), ("pool", "flatten"),
               ("flatten", "fc"), ("fc", "readout"), ("readout", "output")],
    )


def recurrent(seed=4):
    """A layer of neurons with currents that reads itself, with a bias on the way back."""
    d = Draw(seed)
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([4])),
            "fc": nir.Affine(d.real(5, 4), d.real(5)),
            "hidden": nir.CubaLIF(
                tau_syn=0.01 * d.positive(5), tau_mem=0.02 * d.positive(5), r=d.positive(5),
                v_leak=np.zeros(5, np.float32), v_threshold=d.positive(5), w_in=d.positive(5),
            ),
            "back": nir.Affine(d.real(5, 5), d.real(5)),
            "output": nir.Output(np.array([5])),
        },
        edges=[("input", "fc"), ("fc", "hidden"), ("hidden", "back"), ("back", "hidden"),
               ("hidden", "output")],
    )


def nested(seed=5):
    """The recurrent layer as a graph within a graph within a graph."""
    d = Draw(seed)
    middle = nir.NIRGraph(
        nodes={"input": nir.Input(np.array([4])), "core": recurrent(seed),
               "output": nir.Output(np.array([5]))},
        edges=[("input", "core"), ("core", "output")],
        metadata={"level": 1},
    )
    return nir.NIRGraph(
        nodes={"input": nir.Input(np.array([4])), "block": middle,
               "delay": nir.Delay(0.001 * d.positive(5)), "output": nir.Output(np.array([5]))},
        edges=[("input", "block"), ("block", "delay"), ("delay", "output")],
    )


def graphs():
    return {"feedforward": feedforward(), "convolutional": convolutional(),
            "recurrent": recurrent(), "nested": nested()}


def recording(seed=6):
    """Every kind of observable. `nir` 1.0.8 cannot write a graph within a graph: it never ends."""
    rng = np.random.default_rng(seed)
    spikes = nir.TimeGriddedData(rng.random((2, 5, 3)) < 0.3, 1e-3)
    voltage = nir.TimeGriddedData(rng.normal(size=(2, 5, 3)).astype(np.float32), 1e-3)
    events = spikes.to_event(4)
    valued = nir.ValuedEventData(
        idx=events.idx, time=events.time, value=rng.normal(size=events.idx.shape),
        n_neurons=events.n_neurons, t_max=events.t_max,
    )
    node = nir.NIRNodeData({"spikes": spikes, "v": voltage, "events": events, "valued": valued})
    return nir.NIRGraphData({"hidden": node, "readout": nir.NIRNodeData({"v": voltage})})
