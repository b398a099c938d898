#!/bin/sh
# Builds the wheel, installs it into a new environment outside of the checkout, and uses it there.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

say "Building the wheel …"
.venv/bin/python -m pip --disable-pip-version-check --quiet wheel --no-deps --no-build-isolation \
    --wheel-dir "$folder/wheel" .
say "Installing it into a new environment …"
.venv/bin/python -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check --quiet install \
    --constraint "$root/constraints.txt" "$folder"/wheel/*.whl

cd "$folder"
export IMAGE_SEARCH_LIBRARY="$folder/library"
unset PYTHONPATH
image_search() { "$folder/venv/bin/image-search" "$@"; }
say "Using it …"
image_search --version
image_search --help >/dev/null
image_search demo photos --faces 40 --json >/dev/null
image_search index photos --engine synthetic --json >index.json
image_search people --json >people.json
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

import image_search_service

place = Path(image_search_service.__file__)
assert "site-packages" in place.parts, f"{place} is not the wheel's"
assert place.with_name("py.typed").exists(), "py.typed is not in the wheel"
index, people = json.loads(Path("index.json").read_text()), json.loads(Path("people.json").read_text())
assert index["faces"] >= 30, index
assert people["clusters"], people
print(f"{index['faces']} faces, {len(people['clusters'])} groups: the wheel works.")
PYTHON
