#!/bin/sh
# Runs the tests: those marked `alone` one after another, because they measure time, then all others in parallel.
#   scripts/test.sh WORKERS [pytest's arguments]
set -u
cd "$(dirname "$0")/.." || exit
workers=$1
shift
none=5 # pytest's exit code for "no such test here", which is fine for one of the two halves

alone=$none
if grep -rq --include='*.py' 'mark\.alone' tests; then
    .venv/bin/python -m pytest -m alone "$@"
    alone=$?
fi
.venv/bin/python -m pytest -n "$workers" --dist worksteal -m "not alone" "$@"
others=$?

[ "$others" = "$none" ] && exit "$alone"
[ "$alone" = 0 ] || [ "$alone" = "$none" ] || exit "$alone"
exit "$others"
