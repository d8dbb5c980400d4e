#!/bin/sh
# Makes labgrid's own virtual environment. Usage: make-labgrid-env.sh DIR
set -eu
venv=$1
python=${PYTHON:-python3}

command -v "$python" >/dev/null 2>&1 || { echo "make-labgrid-env: no $python found: install Python 3.11 or newer" >&2; exit 1; }
echo "make-labgrid-env: making $venv (once)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c scripts/labgrid-constraints.txt labgrid
command -v ser2net >/dev/null 2>&1 || echo "make-labgrid-env: exporters also need ser2net (Debian: apt-get install ser2net)" >&2
touch "$venv/.made"
