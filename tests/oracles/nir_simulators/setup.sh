#!/bin/sh
# Builds the virtual environment of the recorders: setup.sh DIR. Does nothing if DIR already holds exactly the
# pinned packages. PYTHON names the interpreter (3.11).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dir=$1
wanted=$(cat "$here/requirements.txt")
if [ -f "$dir/nir.stamp" ] && [ "$(cat "$dir/nir.stamp")" = "$wanted" ]; then
    echo "setup.sh: $dir is up to date"
    exit 0
fi
if [ -e "$dir" ] && [ ! -f "$dir/pyvenv.cfg" ]; then
    echo "setup.sh: $dir exists and is no virtual environment" >&2
    exit 1
fi
"${PYTHON:-python3.11}" -m venv --clear "$dir"
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
echo "$wanted" >"$dir/nir.stamp"
