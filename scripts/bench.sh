#!/bin/sh
# Runs every benchmark, or those named: bench.sh [NAME…]
set -eu
cd "$(dirname "$0")/.."

if [ $# -eq 0 ]; then
    for file in benchmarks/[a-z]*.py; do
        name=${file##*/}
        set -- "$@" "${name%.py}"
    done
fi
for name; do
    printf '\n== benchmarks/%s.py ==\n' "$name"
    .venv/bin/python "benchmarks/$name.py"
done
