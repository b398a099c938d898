#!/bin/sh
# Uses an installed program once, while a container's image is built: what it imports is compiled by that, so that
# the image holds compiled what is used and nothing else, and a library that was damaged in building is noticed.
# Usage: first_run.sh FOLDER_OF_THE_ENVIRONMENT
set -eu
program=$1/bin/image-search
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export IMAGE_SEARCH_LIBRARY="$folder/library" IMAGE_SEARCH_OFFLINE=true

"$program" demo "$folder/photos" --faces 40 --json >/dev/null
"$program" index "$folder/photos" --engine synthetic --json >/dev/null
"$program" people >/dev/null
"$program" backup "$folder/backup.tar" >/dev/null
"$program" doctor
"$program" models list >/dev/null
"$1/bin/python" - <<'PYTHON'
"""What the service and its jobs import, and vendors that are imported when they are needed."""
import importlib

for name in (
    "image_search_service.main", "image_search_service.worker", "image_search_service.queue.face_jobs",
    "image_search_service.recognition.engines.opencv", "image_search_service.recognition.engines.onnx",
    "cv2", "grpc", "httpx", "lxml.etree", "onnxruntime", "pillow_heif", "psycopg", "qdrant_client", "rawpy",
    "redis", "rich.traceback", "scipy.ndimage", "scipy.optimize", "structlog", "uvicorn.protocols.http.h11_impl",
):
    importlib.import_module(name)
PYTHON
