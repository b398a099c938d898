#!/bin/sh
# Runs every benchmark, or those named: bench.sh [NAME…]
# Indexing is measured on real photos where there are some beside the repository, else on drawn ones.
set -eu
cd "$(dirname "$0")/.."

shared=${IMAGE_SEARCH_TEST_SHARED:-../shared}
if [ $# -eq 0 ]; then set -- startup retrieval call_sites clustering index decisions; fi
for name; do
    arguments=
    if [ "$name" = index ] && [ -d "$shared/photos/lfw" ] && [ -d "$shared/models" ]; then
        arguments="$shared/photos/lfw --engine onnx --detector $shared/models/face_detection_yunet_2023mar.onnx"
        arguments="$arguments --recognizer $shared/models/mobilefacenet.onnx"
    fi
    if [ "$name" = scale ] && [ -d "$shared/photos/lfw" ] && [ -d "$shared/models" ]; then
        arguments="--photos $shared/photos/lfw"
        export IMAGE_SEARCH_MODEL_SOURCE="$shared/models"
    fi
    printf '\n== python -m benchmarks.%s %s\n' "$name" "$arguments"
    # shellcheck disable=SC2086 # several words
    .venv/bin/python -m "benchmarks.$name" $arguments
done
