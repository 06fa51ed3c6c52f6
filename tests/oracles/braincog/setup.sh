#!/bin/sh
# Builds the virtual environment of the BrainCog oracle: setup.sh [DIR], by default .venv-braincog.
# Takes PyTorch and numpy from the system (on Debian 12: apt-get install python3-torch) if they are
# there, else installs them. PYTHON names the interpreter.
set -eu

dir=${1:-.venv-braincog}
python=${PYTHON:-python3}

if [ -e "$dir" ] && [ ! -f "$dir/pyvenv.cfg" ]; then
    echo "setup.sh: $dir exists and is no virtual environment; choose another directory" >&2
    exit 1
fi
"$python" -m venv --clear --system-site-packages "$dir"
pip() { "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
if ! "$dir/bin/python" -c 'import torch, numpy' 2>/dev/null; then
    pip torch==1.13.1 numpy==1.24.2
fi
pip --no-deps einops==0.6.1
"$dir/bin/python" -c 'import torch, numpy, einops; print("setup.sh: torch", torch.__version__)'
