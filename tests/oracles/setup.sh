#!/bin/sh
# Builds the virtual environment of the foreign oracles: setup.sh [DIR], by default .venv-oracles.
# Does nothing if DIR already holds exactly the pinned packages. PYTHON names the interpreter.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dir=${1:-.venv-oracles}
python=${PYTHON:-python3.11}

fail() {
    echo "setup.sh: $1" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "$python not found; set PYTHON to a Python 3.11"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = 3.11 ] || fail "$python is Python $version, the pinned packages need 3.11"
wanted=$("$python" -c 'import hashlib, sys
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$here/requirements.txt")

if [ -f "$dir/oracles.stamp" ] && [ "$(cat "$dir/oracles.stamp")" = "$wanted" ]; then
    echo "setup.sh: $dir is up to date"
    exit 0
fi
if [ -e "$dir" ] && [ ! -f "$dir/pyvenv.cfg" ]; then
    fail "$dir exists and is no virtual environment; choose another directory"
fi

echo "setup.sh: creating $dir (Python $version)"
"$python" -m venv --clear "$dir" || fail "cannot create $dir"
dir=$(CDPATH='' cd -- "$dir" && pwd)
echo "setup.sh: installing the packages of requirements.txt"
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --ignore-requires-python -r "$here/requirements.txt" || fail "pip failed"
echo "setup.sh: importing the oracles"
cd "$here"
"$dir/bin/python" -c 'import nengo_core, brian2_flat, sanafe_cores, lava_shims; lava_shims.install()' ||
    fail "the installed packages cannot be imported"
echo "$wanted" >"$dir/oracles.stamp"
echo "setup.sh: $dir is ready"
