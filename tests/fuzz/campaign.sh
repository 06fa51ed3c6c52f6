#!/usr/bin/env bash
# Fuzzes all readers, or those that are named, two at a time, each for SECONDS of processor time, however busy the machine is:
#
#     tests/fuzz/campaign.sh SECONDS [TARGET...]
#
# Appends a line of JSON for each run to tests/fuzz/work/log.jsonl (or $FUZZ_LOG), and merges what reached new code into
# the corpus as far as there is room. Exits with 1 if anything crashed; the inputs are in tests/fuzz/artifacts then.
# FUZZ_JOBS says how many run at a time.
set -euo pipefail
cd "$(dirname "$0")"
seconds=$1
shift
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' Cargo.toml)
log=${FUZZ_LOG:-$PWD/work/log.jsonl}
mkdir -p work
commit=$(git rev-parse --short HEAD)

one() {
    local target=$1 out=work/$1.log rc=0
    # What libFuzzer counted; nothing if it was cut off.
    stat() { sed -n "s/^stat::$1: *//p" "$out" | tail -1 | grep . || echo 0; }
    # Built first, so that the time is that of the fuzzer.
    ./run.sh "$target" 1 -runs=0 > "$out" 2>&1 || return 1
    # The limit of libFuzzer is one of the clock: it goes on until the processor has worked as long.
    local start=$SECONDS TIMEFORMAT='%U %S' executions=0 peak=0 cpu=0 left=$seconds
    while [ "$left" -gt 0 ] && [ "$rc" -eq 0 ]; do
        { time ./run.sh "$target" "$left" > "$out" 2>&1 || rc=$?; } 2> "work/$target.time"
        executions=$((executions + $(stat number_of_executed_units)))
        peak=$(printf '%s\n' "$peak" "$(stat peak_rss_mb)" | sort -n | tail -1)
        cpu=$(awk -v before="$cpu" '{ print before + $1 + $2 }' "work/$target.time")
        left=$(awk -v all="$seconds" -v cpu="$cpu" 'BEGIN { print (all > cpu ? int(all - cpu + 1) : 0) }')
    done
    local coverage features files
    coverage=$(grep -o 'cov: [0-9]*' "$out" | tail -1 | cut -d' ' -f2 || true)
    features=$(grep -o 'ft: [0-9]*' "$out" | tail -1 | cut -d' ' -f2 || true)
    files=$(find "artifacts/$target" -type f 2> /dev/null | wc -l)
    printf '{"target":"%s","commit":"%s","seconds":%d,"cpu_seconds":%s,"executions":%d,"coverage":%d,"features":%d,"peak_rss_mb":%d,"exit":%d,"crashes":%d}\n' \
        "$target" "$commit" $((SECONDS - start)) "$cpu" "$executions" "${coverage:-0}" "${features:-0}" "$peak" \
        "$rc" "$files" >> "$log"
    [ "$rc" -eq 0 ] || return 1
    merge "$target"
}

# The corpus again from its files and the new ones: the smallest that reach all code, while there is room.
merge() {
    local target=$1 merged=work/$1.merged
    rm -rf "$merged"
    mkdir "$merged"
    ./run.sh "$target" 0 -merge=1 "$merged" "corpus/$target" > "work/$target.merge.log" 2>&1 || return 1
    python3 trim.py "$merged" "corpus/$target"
}

failed=0
running=0
for target in "${targets[@]}"; do
    one "$target" &
    running=$((running + 1))
    if [ "$running" -ge "${FUZZ_JOBS:-2}" ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
exit "$failed"
