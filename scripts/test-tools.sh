#!/bin/sh
# Looks for a PostgreSQL server and a browser for the tests, and installs what is missing where that is possible: as
# root, with apt-get. What cannot be had is no error here: the tests that need it are reported as skipped, by name.
set -u
cd "$(dirname "$0")/.." || exit
missing=

.venv/bin/python -m tests.support.postgres >/dev/null 2>&1 || missing="$missing postgresql"
for browser in chromium chromium-browser google-chrome google-chrome-stable none; do
    command -v "$browser" >/dev/null 2>&1 && break
done
[ "$browser" = none ] && missing="$missing chromium"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "bonewise: not found:$missing; the tests that need it will be skipped (on Debian: apt-get install$missing)" >&2
    exit 0
fi
echo "bonewise: installing$missing for the tests" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq </dev/null
for package in $missing; do
    apt-get install -y -qq --no-install-recommends "$package" </dev/null >/dev/null ||
        echo "bonewise: $package could not be installed; the tests that need it will be skipped" >&2
done
