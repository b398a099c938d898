#!/bin/sh
# Makes .venv and installs into it what constraints.txt pins. Usage: install.sh user|offline|dev [PYTHON]
# user: what it takes to run the program; offline: the engine dlib as well; dev: what tests and checks need.
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

what=${1:?user, offline or dev}
python=$(find_python "${2:-}")
check_venv "$python"

if ! fits .venv/bin/python; then
    say "Making .venv with $("$python" --version) …"
    rm -rf .venv
    "$python" -m venv .venv
fi

pip() {
    .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"
}

case $what in
user) extras='' ;;
offline | dev) extras="[$what]" ;;
*)
    say "install.sh: there is no '$what'; it is user, offline or dev."
    exit 2
    ;;
esac

# Without isolation the pinned versions build the project, and the packages that come as source; isolated
# builds would fetch any.
say "Installing what the project is built with (1 of 2) …"
pip install --constraint constraints.txt hatchling editables setuptools wheel
say "Installing the project and its libraries, a minute or two (2 of 2) …"
pip install --constraint constraints.txt --no-build-isolation --no-compile --editable ".$extras"
# What the libraries bring to test themselves is not compiled: 25 MB that nobody runs. A library may have a file
# for another Python, which does not compile.
.venv/bin/python -m compileall -qq -j 0 -x '/tests/' .venv/lib || true
if [ "$what" = user ] && ! .venv/bin/python -c 'import dlib' 2>/dev/null; then
    say "Can this machine download no model files? \`make offline\` adds an engine that brings its own."
fi
# An editable installation is not compiled by pip, and would be anew at every start where nobody may write it.
.venv/bin/python -m compileall -q src
say "Installed in .venv ($(du -sh .venv | cut -f1)); the command is .venv/bin/image-search"
