#!/usr/bin/env bash
# Faults around a release binary: SNNC SCRATCH.
# A thousand kills at random moments and one at every system call that touches files, real full and read-only file systems,
# eight compilations at once into one folder. What is at the destination is the old artifact or the new one.
set -euo pipefail
snnc="$(realpath "$1")" scratch="$2"

SNNC_FAULT_BINARY="$snnc" SNNC_FAULT_KILLS="${SNNC_FAULT_KILLS:-1000}" SNNC_FAULT_ROUNDS="${SNNC_FAULT_ROUNDS:-20}" \
    cargo test --locked -p snnc --test faults -- --nocapture --test-threads 2 disk kills together

# The moments between system calls are finitely many: strace ends the process at the n-th call of each kind, for all n.
if [ -n "${CI:-}" ] && ! command -v strace >/dev/null && command -v apt-get >/dev/null; then
    apt-get update -q >/dev/null && apt-get install -yq strace >/dev/null
fi
if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
    echo "skipped: kills at every system call need strace"
    exit 0
fi
place="$scratch/kills" genome="$PWD/examples/small/skip.genome.json"
rm -rf "$place"
mkdir -p "$place/work"
for target in loihi2 loihi1; do "$snnc" compile "$genome" --target "$target" -o "$place/$target" 2>/dev/null; done
cd "$place/work"
"$snnc" compile "$genome" --target loihi2 -o art 2>/dev/null
here=loihi2 kills=0 kept=0 replaced=0 half=0
for call in mkdir mkdirat openat write fsync rename renameat renameat2 unlink unlinkat rmdir flock fchmod close; do
    for ((n = 1; ; n++)); do
        new=loihi1
        [ "$here" = loihi2 ] || new=loihi2
        # A kind of call that this system does not know, or does not make, injects nothing.
        # The inner shell keeps what the outer one would say about the kill.
        status=0
        (strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" \
            "$snnc" compile "$genome" --target "$new" -o art || exit $?) >/dev/null 2>&1 || status=$?
        if [ "$status" = 0 ]; then
            diff -r "$place/$new" art
            here="$new"
            break
        fi
        [ "$status" = 137 ] || { echo "$call $n: exit code $status" >&2; exit 1; }
        kills=$((kills + 1))
        [ "$(find . -maxdepth 1 -name '.snnc-*' | wc -l)" = 0 ] || half=$((half + 1))
        if diff -rq "$place/$here" art >/dev/null; then
            kept=$((kept + 1))
        elif diff -rq "$place/$new" art >/dev/null; then
            replaced=$((replaced + 1)) here="$new"
        else
            echo "$call $n: neither the old artifact nor the new one" >&2
            ls -laR . >&2
            exit 1
        fi
    done
    [ "$(ls -A)" = art ] || { echo "$call: something was left over: $(ls -A)" >&2; exit 1; }
done
echo "$kills kills, one at every system call: $kept left the old artifact, $replaced the new one, $half left hidden files"
test "$kept" -gt 0 && test "$replaced" -gt 0 && test "$half" -gt 0
