#!/bin/sh
# Records all simulators: record.sh PYTHON FOLDER. The same bytes whenever it is run on the same kind of processor.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for simulator in norse rockpool sinabs snntorch spikingjelly; do
    "$1" -W ignore "$here/record_$simulator.py" "$2"
done
