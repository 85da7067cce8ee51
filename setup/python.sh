#!/bin/sh
# Make .venv from pinned requirements, each file checked against its hash: python.sh requirements.txt
set -eu
requirements=$1
python=${PYTHON:-python3}
say() { printf '\033[1m哨图 Shaotu\033[0m  %s\n' "$*" >&2; }

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "建立 .venv / making .venv"
    "$python" -m venv --clear .venv
fi
say "安装 Python 依赖 / installing Python packages ($requirements)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$requirements"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# Where Python is told to write no bytecode, pip leaves it out too, and every command would compile its imports anew.
# Several at once where the system lets us, one by one elsewhere; what cannot be compiled is none of our imports.
.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || .venv/bin/python -m compileall -q .venv/lib >/dev/null 2>&1 || true
# The code that says which unit a point lies in, so that no first question waits for its compiler.
.venv/bin/python -m gis index warm >/dev/null 2>&1 || true
