#!/usr/bin/env python3
"""One simulator on one workload: prepares it, then runs it whenever it is asked to on standard input, and answers with seconds on
the processor and spikes."""

import json
import resource
import sys
from pathlib import Path

import loads

# Seconds that the runs of one answer take at least, so that the clock's ticks do not show.
SHORTEST = 0.1


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def timed(run):
    """Seconds and spikes of one run, of several where one is short."""

    # Some compile what they run the first time.
    run()

    def measure():
        start, runs = cpu(), 0
        while True:
            spikes, runs = run(), runs + 1
            spent = cpu() - start
            if spent >= SHORTEST:
                return spent / runs, spikes

    return measure


def main():
    peer, path, form, arithmetic, scratch = sys.argv[1:]
    load, truncated, scratch = loads.read(path), arithmetic == "truncated", Path(scratch)
    if peer == "brian2":
        import brian

        measure = brian.prepare(load, truncated, scratch)
    elif peer == "nest":
        import nest_peer

        measure = nest_peer.prepare(load)
    else:
        import torch_peers

        measure = timed(torch_peers.prepare(peer, load, form, truncated))
    # What others print on standard output is not an answer.
    print("\nready", flush=True)
    for _ in sys.stdin:
        seconds, spikes = measure()
        print("\nanswer " + json.dumps({"seconds": seconds, "spikes": spikes}), flush=True)


main()
