#!/bin/sh
# Makes .venv and installs into it what constraints.txt pins. Usage: install.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

fits() {
    "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${1:-python3 python3.13 python3.12 python3.11}; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed, and ${1:-python3} is not that."
    say "  Debian 12, Ubuntu 24.04 or newer:  sudo apt-get install python3 python3-venv"
    say "  macOS:                             brew install python"
    say "If it is there under another name:   make install PYTHON=/path/to/python3"
    exit 1
}

check_venv() {
    if ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        say "This Python cannot make virtual environments: its package for that is missing."
        say "  Debian, Ubuntu:  sudo apt-get install python3-venv"
        exit 1
    fi
}

python=$(find_python "${1:-}")
check_venv "$python"

if ! fits .venv/bin/python; then
    say "Making .venv with $("$python" --version) …"
    rm -rf .venv
    "$python" -m venv .venv
fi

pip() {
    .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"
}

say "Installing what the project is built with (1 of 2) …"
pip install --constraint constraints.txt hatchling editables setuptools wheel
# Without isolation the versions above are used, which are pinned; isolated builds would fetch any.
say "Installing the project and its libraries: 1.2 GB on disk, a minute or two (2 of 2) …"
pip install --constraint constraints.txt --no-build-isolation --editable '.[dev]'
say "Installed in .venv; the command is .venv/bin/image-search"
