"""Runs Mt-KaHyPar on one thread: peer.py FILE.hgr CORES SLACK SEED PRESET OUT. Prints processor seconds, reading not included."""

import sys
import time

import mtkahypar


def main():
    path, cores, slack, seed, preset, out = sys.argv[1:]
    library = mtkahypar.initialize(1)
    context = library.context_from_preset(mtkahypar.PresetType.__members__[preset])
    context.set_partitioning_parameters(int(cores), float(slack), mtkahypar.Objective.KM1)
    context.logging = False
    mtkahypar.set_seed(int(seed))
    graph = library.hypergraph_from_file(path, context)
    start = time.process_time()
    partition = graph.partition(context)
    seconds = time.process_time() - start
    with open(out, "w", encoding="ascii") as file:
        file.writelines(f"{core}\n" for core in partition.get_partition())
    print(seconds)


main()
