#!/bin/sh
# Pin what pyproject.toml asks for: every version with the hashes of all its files, for every platform.
# Run after a change of the dependencies; pins that still fit are kept (delete a file to move everything up).
set -eu
cd "$(dirname "$0")/.."
uv() { .venv/bin/python -m uv "$@"; }
.venv/bin/python -m uv --version >/dev/null 2>&1 || .venv/bin/python -m pip install --quiet uv

pin() {
    out=$1
    shift
    uv pip compile pyproject.toml "$@" --generate-hashes --universal --python-version 3.11 \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file "$out"
}
pin requirements.txt
pin requirements-dev.txt --extra dev --constraints requirements.txt
