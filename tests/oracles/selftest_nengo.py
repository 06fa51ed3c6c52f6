"""Checks the decoder and the nengo-loihi driver against a plain integer simulation."""

from __future__ import annotations

import unittest
from dataclasses import replace
from typing import Any

import numpy as np

import cases
from encode import encode
from encode import packed as encode_packed
from flat import simulate
from nengo_build import build
from nengo_core import CoreEmulator
from outcome import CannotRun
from place import Slice, place
from postcard import ProgramError, Reader, packed
from program import decode
from program_check import check
from records import (
    CompartmentRun,
    Conv,
    Core,
    Dense,
    Format,
    Graded,
    HostMap,
    Identity,
    Input,
    InputRoute,
    Layout,
    Neurons,
    PoolMatrix,
    Profile,
    Program,
    Registers,
    Route,
    SpikeCount,
    Symbol,
    SynapseBlock,
)


def spread(net: cases.Flat, n_cores: int) -> list[list[Slice]]:
    """All slices, cut, dealt to cores in turn."""
    parts = cases.halves(cases.whole(net))
    return [parts[i::n_cores] for i in range(n_cores)]


def placed(net: cases.Flat, n_cores: int) -> Program:
    """The network on some cores of two chips, through its bytes."""
    inputs = cases.halves(cases.whole_inputs(net))
    chips = [i % 2 for i in range(n_cores)]
    program = decode(encode(place(net, spread(net, n_cores), inputs, chips)))
    check(program)
    return program


def messages() -> Program:
    """An image that the host writes to graded relays, which neurons read through a crop."""
    crop = Conv((1, 2, 2), 1, (1, 2), (1, 1), (0, 0, 0, 1), 1, (1, 0, 0, 0))
    relay = Profile(4095, 4095, 1, None, (1, 0), Graded("negative", 5), None)
    core = Core(
        chip=0,
        cell=0,
        profiles=[relay, replace(relay, dv=0, graded=None)],
        thresholds=[3],
        formats=[Format(0, "mixed", 8, 0)],
        compartments=[
            CompartmentRun(1, 0, 4, [Registers(0, 0, -2, 6)]),
            CompartmentRun(2, 0, 2, [Registers(1, 0, 0, 0)]),
        ],
        axons=4,
        synapses=[SynapseBlock(0, 0, 0, 0, 4, 0, 4, 2, 0)],
        routes=[Route(0, 4, 0, 0)],
    )
    return Program(
        name="messages",
        target="loihi2",
        steps=4,
        period=1,
        run_steps=5,
        populations=[
            Symbol("image", [2], 1, Input(("direct", {"range": (-1, 300)})), 0),
            Symbol("g", [1, 2, 2], 1, Neurons(), 0),
            Symbol("y", [1, 1, 2], 1, Neurons(), 1),
        ],
        values=[[2, -4]],
        matrices=[PoolMatrix(crop, 0, Layout(1, 1), Layout(1, 1))],
        inputs=[],
        cores=[core],
        host=[HostMap(0, 1, Dense(4, 2), [0.5, -0.0, 1.5, 2.0, -3.0, 0.25, 8.0, 1.0], 0.1)],
        readout=SpikeCount(2),
    )


class Emulator(unittest.TestCase):
    """Spikes, currents and voltages of every case on one, two and three cores."""

    def test_cases(self) -> None:
        for number, (name, make) in enumerate(cases.ALL.items()):
            for n_cores in (1, 2, 3):
                with self.subTest(case=name, cores=n_cores):
                    self.compare(make(np.random.default_rng(number)), n_cores)

    def test_synapse_memory(self) -> None:
        """Lists of 23 and of 9 weights of 8 bits, 10 header bits each, in words of 64 bits."""
        program = placed(cases.chain(np.random.default_rng(0)), 1)
        (block,) = build(program).model.blocks
        self.assertEqual(block.utilization()["synapses"][0], 17 * 4 * 64 + 23 * 2 * 64)

    def test_narrow_synapse_memory(self) -> None:
        """Two lists of 21 weights of 4 bits (94 bits each); 8 of 3 bits (34) and 8 of one (18)."""
        program = placed(cases.narrow(np.random.default_rng(0)), 1)
        (block,) = build(program).model.blocks
        self.assertEqual(block.utilization()["synapses"][0], 13 * 2 * 2 * 64 + 21 * 2 * 64)

    def test_pixels(self) -> None:
        """8 x 8 pixels have 5 x 5 ways to lie under a 3 x 3 kernel, 6 x 6 one to lie under a single
        weight; what begins beyond compartment 255 has lists of its own.
        """
        net = cases.shared(np.random.default_rng(0))
        parts = [cases.whole(net)]
        program = decode(encode(place(net, parts, cases.whole_inputs(net), [0])))
        (block,) = build(program).model.blocks
        lists = sorted(len(synapse.weights) for synapse in block.synapses)
        self.assertEqual(lists, [1, 25])
        self.assertEqual(block.utilization()["in-axons"][0], 64 + 36)
        self.assertEqual(block.utilization()["out-axons"][0], 2 * 36)
        weights = {len(synapse.weights): synapse.weights for synapse in block.synapses}
        taps = np.array([1, 2, 3, 2, 1])
        sizes = sorted((2 * 3 * np.outer(taps, taps)).ravel().tolist())
        self.assertEqual(sorted(w.size for w in weights[25]), sizes)
        self.assertEqual([w.shape for w in weights[1]], [(3, 1)])

    def compare(self, net: cases.Flat, n_cores: int) -> None:
        """Three samples in one emulator."""
        rng = np.random.default_rng(99)
        emulator = CoreEmulator(placed(net, n_cores))
        for _ in range(3):
            rasters = cases.rasters(rng, net)
            expected, got = simulate(net, rasters), emulator.run(rasters, states=True)
            for population in net.populations:
                name = population.name
                spikes = expected.spikes[name]
                self.assertTrue(spikes.any() and not spikes.all(), name)
                np.testing.assert_array_equal(got.spikes[name], spikes, name)
                if population.registers is not None:
                    np.testing.assert_array_equal(got.current[name], expected.current[name], name)
                    np.testing.assert_array_equal(got.voltage[name], expected.voltage[name], name)


class Refusals(unittest.TestCase):
    """What the emulator lacks, and what nengo-loihi's validators forbid, is refused by name."""

    def setUp(self) -> None:
        net = cases.chain(np.random.default_rng(0))
        self.program = placed(net, 1)
        self.core = self.program.cores[0]
        self.rasters = cases.rasters(np.random.default_rng(1), net)

    def refused(self, reason: str, **changes: Any) -> None:
        """Building the program with a changed core fails for this reason."""
        program = replace(self.program, cores=[replace(self.core, **changes)])
        with self.assertRaisesRegex(CannotRun, reason):
            CoreEmulator(program)

    def test_delay(self) -> None:
        blocks = [replace(block, delay=1) for block in self.core.synapses]
        self.refused("--delays relay", synapses=blocks)

    def test_subtract(self) -> None:
        profiles = [replace(profile, subtract=64) for profile in self.core.profiles]
        self.refused("subtraction", profiles=profiles)

    def test_update(self) -> None:
        profiles = [replace(profile, update=(2, 0)) for profile in self.core.profiles]
        self.refused("skips steps", profiles=profiles)

    def test_graded(self) -> None:
        profiles = [replace(profile, graded=Graded(None, 0)) for profile in self.core.profiles]
        self.refused("population h1 sends graded messages", profiles=profiles)

    def test_host(self) -> None:
        program = messages()
        spiking = [replace(p, graded=None) for p in program.cores[0].profiles]
        core = replace(program.cores[0], profiles=spiking)
        with self.assertRaisesRegex(CannotRun, "input image is coded directly.*of g, sample"):
            CoreEmulator(replace(program, cores=[core]))

    def test_thresholds(self) -> None:
        runs, thresholds = [], []
        for run in self.core.compartments:
            first = len(thresholds)
            sets = [replace(r, threshold=first + i) for i, r in enumerate(run.registers())]
            runs.append(replace(run, cycle=sets))
            thresholds += range(100 + first, 100 + first + run.len)
        self.assertGreater(len(thresholds), 16)
        self.refused("vth_cfgs", thresholds=thresholds, compartments=runs)

    def test_compartments(self) -> None:
        runs = [replace(run, len=500) for run in self.core.compartments[:3]]
        self.refused("1500", compartments=runs)

    def test_raster(self) -> None:
        with self.assertRaisesRegex(CannotRun, "input in"):
            CoreEmulator(self.program).run({"in": self.rasters["in"][1:]})

    def test_overflow(self) -> None:
        formats = [replace(form, exponent=7) for form in self.core.formats]
        program = replace(self.program, cores=[replace(self.core, formats=formats)])
        with self.assertRaisesRegex(CannotRun, "Overflow"):
            CoreEmulator(program).run({"in": np.ones_like(self.rasters["in"])})


class Bytes(unittest.TestCase):
    """The decoder takes nothing but the one encoding of a program."""

    def setUp(self) -> None:
        self.program = placed(cases.images(np.random.default_rng(0)), 2)
        self.data = encode(self.program)

    def rejected(self, data: bytes, reason: str) -> None:
        """Decoding fails for this reason."""
        with self.assertRaisesRegex(ProgramError, reason):
            check(decode(data))

    def test_round_trip(self) -> None:
        self.assertEqual(decode(self.data), self.program)

    def test_every_truncation(self) -> None:
        for end in range(len(self.data)):
            with self.assertRaises(ProgramError):
                decode(self.data[:end])

    def test_trailing(self) -> None:
        self.rejected(self.data + b"\0", "1 bytes after")

    def test_header(self) -> None:
        self.rejected(b"SNNX" + self.data[4:], "SNNB")
        self.rejected(self.data[:4] + b"\2" + self.data[5:], "no program")
        self.rejected(self.data[:5] + b"\1" + self.data[6:], "version 1, this decoder knows 5")

    def test_messages(self) -> None:
        """Graded relays and tables of the host, and what contradicts them."""
        program = messages()
        check(program)
        self.assertEqual(decode(encode(program)), program)
        core, (table,) = program.cores[0], program.host
        for mode in (Graded(None, 0), Graded("positive", 31)):
            profiles = [replace(core.profiles[0], graded=mode), core.profiles[1]]
            other = replace(program, cores=[replace(core, profiles=profiles)])
            self.assertEqual(decode(encode(other)), other)

        def bad(reason: str, **changes: Any) -> None:
            self.rejected(encode(replace(program, **changes)), reason)

        def bad_core(reason: str, **changes: Any) -> None:
            bad(reason, cores=[replace(core, **changes)])

        def bad_table(reason: str, **changes: Any) -> None:
            bad(reason, host=[replace(table, **changes)])

        relays, neurons = core.compartments
        state = [replace(core.profiles[0], dv=0), core.profiles[1]]
        bad_core("graded relay with state", profiles=state)
        relay, neuron = relays.cycle[0], neurons.cycle[0]
        above = [replace(core.profiles[0], graded=Graded(None, 32)), core.profiles[1]]
        bad_core("shift above 31", profiles=above)
        half = replace(relays, cycle=[replace(relay, bias_exponent=5, bias_mantissa=1)])
        bad_core("no multiple of 64", compartments=[half, neurons])
        coarse = replace(relays, cycle=[replace(relay, bias_exponent=7)])
        bad_core("adds multiples of 64", compartments=[coarse, neurons])
        named = replace(relays, cycle=[replace(relay, threshold=1)])
        bad_core("names a threshold", compartments=[named, neurons], thresholds=[3, 4])
        mixed = [replace(relays, cycle=[relay, neuron]), neurons]
        bad_core("graded and spiking", compartments=mixed)
        bad("has no spikes", readout=SpikeCount(1))
        bad("same populations", host=[table, table])
        bad_table("not coded directly", input=2)
        bad_table("not written to", target=0)
        bad_table("does not act", target=2)
        bad_table("neither dense", structure=Identity(4))
        bad_table("2 rows", structure=Dense(2, 4))
        bad_table("7 weights of 8", weights=table.weights[1:])
        bad_table("not finite", weights=[float("inf"), *table.weights[1:]])
        bad_table("the scale is 0", scale=0.0)
        routed = [InputRoute(0, 0, 2, 0, 0)]
        bad("no input of spikes", inputs=routed)
        image, *others = program.populations
        for values in (None, (1, 1)):
            symbol = replace(image, role=Input(("direct", {"range": values})))
            bad("no range", populations=[symbol, *others])
        for end in range(len(encode(program))):
            with self.assertRaises(ProgramError):
                decode(encode(program)[:end])

    def test_varints(self) -> None:
        at = self.data.index(b"loihi1") + len(b"loihi1")
        head, tail = self.data[:at], self.data[at + 1 :]
        self.rejected(head + b"\x8a\x00" + tail, "steps: .*not the shortest")
        self.rejected(head + b"\xff\xff\xff\xff\x1f" + tail, "steps: .*leaves u32")

    def test_tag(self) -> None:
        at = self.data.index(b"\x02in\x03\x02\x07\x06") + 8
        self.rejected(self.data[:at] + b"\4" + self.data[at + 1 :], r"populations\[0\].role: tag 4")

    def test_axon_driven_twice(self) -> None:
        inputs = [*self.program.inputs, self.program.inputs[0]]
        self.rejected(encode(replace(self.program, inputs=inputs)), r"inputs\[\d\]: .*twice")

    def test_odd_mixed(self) -> None:
        first, second = self.program.values
        values = [first, [3, *second[1:]]]
        self.rejected(encode(replace(self.program, values=values)), "odd mantissa")

    def test_pool(self) -> None:
        """Arrays and orders that have another form, or none."""
        first, second = self.program.matrices
        for layout in (Layout(15, 1), Layout(7, 2), Layout(15, 5), Layout(1, 2), Layout(0, 0)):
            matrices = [replace(first, rows=layout), second]
            self.rejected(encode(replace(self.program, matrices=matrices)), "no order of")
        matrices = [replace(first, values=2), second]
        self.rejected(encode(replace(self.program, matrices=matrices)), "no index")
        self.rejected(encode(replace(self.program, matrices=[first, first])), "two matrices")
        values = self.program.values
        self.rejected(encode(replace(self.program, values=[*values, values[0]])), "two arrays")
        symbols = [replace(self.program.populations[0], block=3), *self.program.populations[1:]]
        self.rejected(encode(replace(self.program, populations=symbols)), "blocks of 3")
        core, *others = self.program.cores
        for cycle in ([], core.compartments[0].registers() + core.compartments[0].cycle):
            runs = [replace(core.compartments[0], cycle=cycle), *core.compartments[1:]]
            cores = [replace(core, compartments=runs), *others]
            self.rejected(encode(replace(self.program, cores=cores)), "sets of registers")

    def test_packed(self) -> None:
        """Every array has one encoding."""
        rng = np.random.default_rng(3)
        for width in range(1, 17):
            for count in (0, 1, 5, 8, 33):
                top = 1 << (width - 1)
                values = rng.integers(-top, top, count).tolist()
                shifted = [v << int(rng.integers(0, 17 - width)) for v in values]
                for array in (values, shifted):
                    data = encode_packed(array)
                    reader = Reader(data)
                    self.assertEqual(packed(reader), array)
                    self.assertEqual(reader.left(), 0)
        for data, why in (
            (b"\1\0\0\0", "0 bits"),
            (b"\1\x0a\x08\1\1", "8 bits, shifted by 10"),
            (b"\1\0\2\2\1\0", "2 bytes for 1"),
            (b"\x09\0\1\1\1", "1 bytes for 9"),
            (b"\1\0\3\1\x0d", "after the last"),
            (b"\1\0\3\1\1", "fewer than 3"),
            (b"\1\0\3\1\2", "the shift is not 0"),
            (b"\1\1\1\1\0", "the shift is not 1"),
        ):
            with self.assertRaisesRegex(ProgramError, why):
                packed(Reader(data))

    def test_weight_bits(self) -> None:
        core, *others = self.program.cores
        for bits, why in [(7, "bad bit counts"), (6, "needs more than 6 bits")]:
            first = replace(core.formats[0], weight_bits=bits)
            changed = replace(core, formats=[first, *core.formats[1:]])
            program = replace(self.program, cores=[changed, *others])
            self.rejected(encode(program), why)


if __name__ == "__main__":
    unittest.main()
