#!/bin/sh
# Makes .venv hold exactly what requirements/ locks, and the project itself, so that .venv/bin/bonewise is there.
#   scripts/setup.sh run     what the service needs
#   scripts/setup.sh test    that, and what tests and lint need
# Does nothing when that was done already and nothing has changed since.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
wanted=${1:-run}
home=$(pwd)

# An environment that has the test set keeps it: it holds all that `run` needs.
if [ "$wanted" = run ] && [ -e .venv/.installed-test ]; then wanted="test"; fi
requirements="requirements/build.txt requirements/$wanted.txt"
# shellcheck disable=SC2086  # two words, two files
fingerprint=$({ echo "$home"; cat $requirements scripts/setup.sh; sed '/^\[tool/,$d' pyproject.toml; } | cksum)
stamp=.venv/.installed-$wanted
if [ -x .venv/bin/bonewise ] && [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ]; then exit 0; fi

fail() {
    echo "bonewise: $1" >&2
    exit 1
}
remedy="on Debian 12 or newer 'apt-get install python3 python3-venv', or name another one: make PYTHON=/path/to/python3"
command -v "$PYTHON" >/dev/null 2>&1 || fail "there is no $PYTHON here, and Python 3.11 or newer is needed: $remedy"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$PYTHON is $("$PYTHON" -V 2>&1), and Python 3.11 or newer is needed: $remedy"
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$PYTHON has no venv module, which makes the project's environment: on Debian 'apt-get install python3-venv'"

# Some machines switch bytecode off; without it every start of the command would compile its imports again.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME
echo "bonewise: installing into .venv (the first time takes about a minute)" >&2

# A moved checkout, a vanished interpreter or somebody else's environment is made anew: its scripts hold old paths.
if [ "$(cat .venv/.home 2>/dev/null)" != "$home" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$PYTHON" -m venv --clear .venv
    echo "$home" >.venv/.home
fi
rm -f .venv/.installed-*
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check --no-input \
    --no-deps --require-hashes --requirement requirements/build.txt
uv() { .venv/bin/uv pip "$@" --quiet --python .venv/bin/python; }
# shellcheck disable=SC2086
uv sync --require-hashes --compile-bytecode $requirements
# The build back end is in the locked set, so nothing is fetched here that the lock does not name.
uv install --no-deps --no-build-isolation --editable .
.venv/bin/python -m compileall -q scheduler

echo "$fingerprint" >"$stamp"
