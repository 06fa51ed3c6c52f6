#!/usr/bin/env bash
# Fuzzes one reader:
#
#     tests/fuzz/run.sh TARGET SECONDS [LIBFUZZER-OPTION...]
#
# with stable Rust and a C++ compiler. What `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none TARGET` does, with the
# limits of this project, and with new inputs in tests/fuzz/work/TARGET beside the corpus, which campaign.sh merges.
# The code forbids `unsafe`, so there is nothing for a sanitizer; overflows and debug assertions are crashes.
set -euo pipefail
cd "$(dirname "$0")"
target=$1 seconds=$2
shift 2

# Those of cargo fuzz, in its order, so that both share what is built.
flags=(
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    --cfg fuzzing
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    -Cllvm-args=-sanitizer-coverage-stack-depth
    -Cdebug-assertions
    -Ccodegen-units=1
)
host=$(rustc -vV | sed -n 's/^host: //p')
# Without a target triple, build scripts would be built with counters, too.
RUSTFLAGS="${flags[*]}" cargo build --quiet --release --target "$host" --bin "$target"

case $target in
    netx | nir | recording) longest=65536 ;;
    binary | certificate | compile | genome | manifest | npz | program | stimulus | text) longest=16384 ;;
    pipeline) longest=1024 ;;
    *) longest=8192 ;;
esac
case $target in
    genome | search | tennlab | certificate | manifest | recipe_json | safetensors) words=json ;;
    text | compile) words=text ;;
    target | config | layers) words=toml ;;
    pipeline) words=pipeline ;;
    npz | stimulus) words=npz ;;
    nir | recording) words=nir ;;
    *) words= ;;
esac
options=(-max_total_time="$seconds" -max_len="$longest" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1)
[ -z "$words" ] || options+=(-dict="dictionaries/$words.dict")
mkdir -p "work/$target" "artifacts/$target"
# What a reader does must not depend on how many threads the others leave it.
export RAYON_NUM_THREADS=1
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" "${options[@]}" \
    -artifact_prefix="artifacts/$target/" "$@" "work/$target" "corpus/$target"
