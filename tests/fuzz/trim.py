#!/usr/bin/env python3
"""Adds files of a merged corpus, small and large ones, to the one that is kept, as far as there is room.

    trim.py MERGED KEPT

Seeds and files of crashes stay; the others of KEPT are replaced.
"""

import hashlib
import pathlib
import sys

FILES = 150
BYTES = 400_000


def main():
    merged, kept = map(pathlib.Path, sys.argv[1:])
    stay = [path for path in kept.iterdir() if path.name.startswith(("seed-", "crash-"))]
    contents = {path.read_bytes() for path in stay}
    count, size = len(contents), sum(map(len, contents))
    found = {path.read_bytes() for path in merged.iterdir()} - contents
    for path in kept.iterdir():
        if path not in stay:
            path.unlink()
    found = sorted(found, key=lambda data: (len(data), data))
    room, chosen = FILES - count, []
    while room > 0:
        # Evenly over the sizes: small files show one thing each, large ones go deep.
        chosen = found[:: -(-len(found) // room)] if found else []
        if size + sum(map(len, chosen)) <= BYTES:
            break
        room, chosen = room * 4 // 5, []
    for data in chosen:
        (kept / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


main()
