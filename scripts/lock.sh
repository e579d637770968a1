#!/bin/sh
# Resolves the dependencies of pyproject.toml into requirements/*.txt: every package pinned and hashed, for every
# platform and Python from 3.11. What is pinned stays as it is, unless: scripts/lock.sh --upgrade
set -eu
cd "$(dirname "$0")/.."
UV=${UV:-.venv/bin/uv}

lock() {
    output=$1
    shift
    "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --output-file "requirements/$output" "$@"
}

lock run.txt "$@" --extra oidc pyproject.toml
lock test.txt "$@" --extra oidc --extra test --extra lint --constraint requirements/run.txt pyproject.toml
# The peers that `make bench` measures beside the service.
lock bench.txt "$@" --extra bench --constraint requirements/test.txt pyproject.toml
# What installs the project itself; it shares one environment with the others, hence their versions.
lock build.txt "$@" --constraint requirements/test.txt requirements/build.in
