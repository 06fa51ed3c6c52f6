#!/usr/bin/env python3
"""Adds the smallest files of a merged corpus to the one that is kept, while there is room.

    trim.py MERGED KEPT

Seeds and files of crashes stay; the others of KEPT are replaced.
"""

import hashlib
import pathlib
import sys

FILES = 250
BYTES = 900_000


def main():
    merged, kept = map(pathlib.Path, sys.argv[1:])
    stay = [path for path in kept.iterdir() if path.name.startswith(("seed-", "crash-"))]
    contents = {path.read_bytes() for path in stay}
    count, size = len(contents), sum(map(len, contents))
    found = {path.read_bytes() for path in merged.iterdir()} - contents
    for path in kept.iterdir():
        if path not in stay:
            path.unlink()
    for data in sorted(found, key=lambda data: (len(data), data)):
        if count == FILES or size + len(data) > BYTES:
            break
        (kept / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)
        count, size = count + 1, size + len(data)


main()
