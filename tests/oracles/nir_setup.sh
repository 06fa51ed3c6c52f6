#!/bin/sh
# Builds the virtual environment of the NIR oracle: nir_setup.sh DIR. Does nothing if DIR already holds
# exactly the pinned packages. PYTHON names the interpreter (3.11 or newer).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dir=$1
python=${PYTHON:-python3.11}
older=1.0.4
wanted="$(cat "$here/nir_requirements.txt") $older"

if [ -f "$dir/nir.stamp" ] && [ "$(cat "$dir/nir.stamp")" = "$wanted" ]; then
    echo "nir_setup.sh: $dir is up to date"
    exit 0
fi
if [ -e "$dir" ] && [ ! -f "$dir/pyvenv.cfg" ]; then
    echo "nir_setup.sh: $dir exists and is no virtual environment" >&2
    exit 1
fi
"$python" -m venv --clear "$dir"
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    -r "$here/nir_requirements.txt"
# Readers that ask for the older version: the same interpreter, another folder.
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --target "$dir/older" "nir==$older"
"$dir/bin/python" -P -c 'import h5py, nir'
echo "$wanted" >"$dir/nir.stamp"
echo "nir_setup.sh: $dir is ready"
