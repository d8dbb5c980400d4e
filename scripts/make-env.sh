#!/bin/sh
# Makes the virtual environment, or says in one line what is missing. Usage: make-env.sh DIR
set -eu
venv=$1
python=${PYTHON:-python3}

command -v "$python" >/dev/null 2>&1 || { echo "make-env: no $python found: install Python 3.11 or newer" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "make-env: $python is $("$python" -V 2>&1): Python 3.11 or newer is needed (PYTHON=python3.12 make ...)" >&2
    exit 1
}
"$python" -c 'import venv, ensurepip' 2>/dev/null || {
    echo "make-env: $python has no venv: install it (Debian: apt-get install python3-venv)" >&2
    exit 1
}
echo "make-env: making $venv (once)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
"$venv/bin/python" -m compileall -q harness || true  # as pip does for a package: each board has processes that import it
touch "$venv/.made"
