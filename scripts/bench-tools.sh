#!/bin/sh
# Adds to the environment of the tests what `make bench` measures beside the service: the peers, as requirements/bench.txt
# locks them, and a Redis server, as root with apt-get. What cannot be had is no error: the bench leaves it out by name.
set -u
cd "$(dirname "$0")/.." || exit
sh scripts/test-tools.sh

stamp=.venv/.installed-bench
fingerprint=$(cksum <requirements/bench.txt)
if [ "$(cat "$stamp" 2>/dev/null)" != "$fingerprint" ]; then
    echo "bonewise: installing the peers for the bench" >&2
    if .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode \
        --requirement requirements/bench.txt; then
        echo "$fingerprint" >"$stamp"
    else
        echo "bonewise: requirements/bench.txt could not be installed; the bench leaves out what is missing" >&2
    fi
fi

command -v redis-server >/dev/null 2>&1 && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "bonewise: not found: redis-server; the bench leaves out Celery (on Debian: apt-get install redis-server)" >&2
    exit 0
fi
echo "bonewise: installing redis-server for the bench" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq </dev/null
apt-get install -y -qq --no-install-recommends redis-server </dev/null >/dev/null ||
    echo "bonewise: redis-server could not be installed; the bench leaves out Celery" >&2
exit 0
